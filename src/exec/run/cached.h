/*-------------------------------------------------------------------------
 *
 * cached.h
 *		Queries answered from the cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_CACHED_H
#define CORM_EXEC_CACHED_H

#include "exec/run/sink.h"

extern uint64 corm_run_cached(const CormVerb *verb, CormPlan *plan, CormQuerySet *set, CormSink *sink);

#endif							/* CORM_EXEC_CACHED_H */
