/*-------------------------------------------------------------------------
 *
 * sweeper.h
 *		The worker that removes what has expired.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_SWEEPER_H
#define CORM_CACHE_SWEEPER_H

#include "base/compat.h"

extern void corm_sweeper_register(void);
extern PGDLLEXPORT bool corm_sweep_tick(void);
extern PGDLLEXPORT void corm_sweeper_main(Datum arg);

#endif							/* CORM_CACHE_SWEEPER_H */
