/*-------------------------------------------------------------------------
 *
 * stats.h
 *		Statistics of runs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_STATS_H
#define CORM_EXEC_STATS_H

#include "portability/instr_time.h"
#include "query/query.h"

typedef struct CormStats
{
	bool		active;
	Oid			user;
	uint64		plan_misses;
	instr_time	start;
} CormStats;

extern void corm_stats_begin(CormStats *stats);
extern void corm_stats_end(CormStats *stats, CormCommand command, Oid model_oid, const char *model,
						   uint64 rows, bool failed);
extern void corm_stats_compiled(Oid model_oid, const char *model);

#endif							/* CORM_EXEC_STATS_H */
