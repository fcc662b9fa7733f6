/*-------------------------------------------------------------------------
 *
 * record_write.h
 *		Writing or looking up one record, with its hooks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_RECORD_WRITE_H
#define CORM_EXEC_RECORD_WRITE_H

#include "base/compat.h"
#include "exec/plan/plan.h"
#include "exec/rows/row_fields.h"
#include "exec/run/sink.h"

extern CormCommand corm_record_command(CormPlanSource source);
extern CormPlan *corm_record_plan(CormPlanSource source, CormOutput output, CormRecord *record);
extern uint64 corm_record_run(CormPlanSource source, CormOutput output, CormRecord *record, CormSink *sink);
extern uint64 corm_write_record(CormPlanSource source, CormRecord *record, CormSink *sink);
extern void corm_record_meets_several(void) pg_attribute_noreturn();

#endif							/* CORM_EXEC_RECORD_WRITE_H */
