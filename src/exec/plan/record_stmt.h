/*-------------------------------------------------------------------------
 *
 * record_stmt.h
 *		Statements that write records.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_RECORD_STMT_H
#define CORM_EXEC_RECORD_STMT_H

#include "exec/plan/plan.h"

extern bool corm_is_lookup(CormPlanSource source);
extern CormStmt *corm_record_stmt(CormPlanSource source, CormModel *model, Bitmapset *fields);

#endif							/* CORM_EXEC_RECORD_STMT_H */
