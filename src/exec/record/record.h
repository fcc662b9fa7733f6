/*-------------------------------------------------------------------------
 *
 * record.h
 *		Writes of one record, with hooks and middleware.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_RECORD_H
#define CORM_EXEC_RECORD_H

#include "exec/plan/plan.h"
#include "exec/rows/row_fields.h"

extern CormModel *corm_model_lock(CormModel *model);
extern bool corm_record_write_returning(CormPlanSource source, CormRecord *record, Datum *result);
extern bool corm_record_exists(CormRecord *record);
extern bool corm_record_is_stale(CormPlanSource lookup, CormRecord *record);

#endif							/* CORM_EXEC_RECORD_H */
