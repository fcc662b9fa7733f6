/*-------------------------------------------------------------------------
 *
 * log.h
 *		Logs of runs, and comments in the SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_LOG_H
#define CORM_EXEC_LOG_H

#include "exec/plan/plan.h"
#include "nodes/params.h"
#include "portability/instr_time.h"

extern int	corm_execute_commented(CormPlan *plan, const SPIExecuteOptions *options);
extern void corm_log_query(const CormPlan *plan, ParamListInfo params, uint64 rows, instr_time start);

#endif							/* CORM_EXEC_LOG_H */
