/*-------------------------------------------------------------------------
 *
 * xact_end.h
 *		One transaction callback for all parts of the library.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_XACT_END_H
#define CORM_BASE_XACT_END_H

#include "access/xact.h"

typedef bool (*CormXactIdle) (void);
typedef void (*CormXactReleased) (void);

extern bool corm_xact_busy;
extern bool corm_xact_committing;
extern bool corm_xact_release_due;

/*
 * corm_xact_needs_end says that a part has something to do when the transaction ends.
 * Raises nothing.
 */
static inline void
corm_xact_needs_end(void)
{
	corm_xact_busy = true;
}

extern void corm_on_xact_end(XactCallback callback, CormXactIdle idle);
extern void corm_on_xact_released(CormXactReleased callback);

#endif							/* CORM_BASE_XACT_END_H */
