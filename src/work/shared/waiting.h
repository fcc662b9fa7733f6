/*-------------------------------------------------------------------------
 *
 * waiting.h
 *		Timeouts of functions that wait, and procedures that wait outside of a transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_WAITING_H
#define CORM_WORK_WAITING_H

#include "base/compat.h"
#include "datatype/timestamp.h"

extern int64 corm_work_interval_us(const Interval *interval, const char *what);
extern int64 corm_work_deadline(FunctionCallInfo fcinfo, int argno, bool bounded);
extern long corm_work_pause(int64 deadline);
extern void corm_work_leave_transaction(FunctionCallInfo fcinfo, const char *procedure);
extern Datum corm_work_call_result(FunctionCallInfo fcinfo, Datum value, bool isnull);

#endif							/* CORM_WORK_WAITING_H */
