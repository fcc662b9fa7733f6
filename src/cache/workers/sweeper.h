/*-------------------------------------------------------------------------
 *
 * sweeper.h
 *		Removing what has expired.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_SWEEPER_H
#define CORM_CACHE_SWEEPER_H

#include "base/compat.h"

extern void corm_sweeper_init(void);
extern PGDLLEXPORT bool corm_sweep_tick(void);

#endif							/* CORM_CACHE_SWEEPER_H */
