/*-------------------------------------------------------------------------
 *
 * execute.h
 *		Executing a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_EXECUTE_H
#define CORM_EXEC_EXECUTE_H

#include "exec/run/sink.h"
#include "nodes/params.h"

extern uint64 corm_run(CormPlan *plan, ParamListInfo params, CormSink *sink);
extern int64 corm_allowed_rows(CormPlan *plan, CormQuerySet *set);
extern void corm_check_max_rows(CormPlan *plan, int64 max_rows, uint64 nrows);

#endif							/* CORM_EXEC_EXECUTE_H */
