/*-------------------------------------------------------------------------
 *
 * misread.h
 *		Statements that most likely mean something else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_MISREAD_H
#define CORM_BASE_MISREAD_H

extern void corm_misread_init(void);

#endif							/* CORM_BASE_MISREAD_H */
