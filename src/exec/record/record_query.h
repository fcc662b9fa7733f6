/*-------------------------------------------------------------------------
 *
 * record_query.h
 *		Writes of one record as operations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_RECORD_QUERY_H
#define CORM_EXEC_RECORD_QUERY_H

#include "exec/record/record_write.h"

extern bool corm_run_record_operation(CormPlanSource source, CormRecord *record, CormSink *sink,
									  uint64 *processed);

#endif							/* CORM_EXEC_RECORD_QUERY_H */
