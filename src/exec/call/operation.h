/*-------------------------------------------------------------------------
 *
 * operation.h
 *		Queries as operations that middleware can wrap.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_OPERATION_H
#define CORM_EXEC_OPERATION_H

#include "exec/middleware/middleware.h"

typedef uint64 (*CormQueryRun) (const CormVerb *verb, CormQuerySet *set, CormSink *sink);

extern void corm_operation_of_plan(CormOperation *op, const CormPlan *plan);
extern void corm_inspect_query(CormOperation *op, const CormVerb *verb, CormNode *query);
extern bool corm_run_query_operation(const CormVerb *verb, const CormVerb *shown,
									 CormQuerySet *set, CormSink *sink, CormQueryRun run,
									 uint64 *processed);

#endif							/* CORM_EXEC_OPERATION_H */
