/*-------------------------------------------------------------------------
 *
 * reassign.h
 *		Functions that look like hooks, and REASSIGN OWNED.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_REASSIGN_H
#define CORM_MODEL_REASSIGN_H

extern void corm_reassign_init(void);

#endif							/* CORM_MODEL_REASSIGN_H */
