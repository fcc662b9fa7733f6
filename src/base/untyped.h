/*-------------------------------------------------------------------------
 *
 * untyped.h
 *		Untyped parameters of a client's statement as arguments of corm's functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_UNTYPED_H
#define CORM_BASE_UNTYPED_H

extern void corm_untyped_init(void);

#endif							/* CORM_BASE_UNTYPED_H */
