/*-------------------------------------------------------------------------
 *
 * waiting.c
 *		Timeouts of functions that wait, and procedures that wait outside of a transaction.
 *
 * A function that waits is part of a statement, whose snapshot keeps VACUUM from
 * removing rows in the whole database.  So a function waits for corm.max_wait at
 * most, and has a twin that is a procedure: CALL ends the transaction that it
 * begins in, if that has done nothing yet, and waits in one without a snapshot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/effects.h"
#include "base/guc.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "utils/timestamp.h"
#include "work/shared/waiting.h"

/* While a test has taken over the clock, a sleep cannot know when it is over. */
#define VIRTUAL_PAUSE_MS	5

/* The longest sleep; a longer wait looks again. */
#define MAX_PAUSE_MS		60000

/*
 * corm_work_interval_us returns an interval in microseconds, a month as 30 days.
 * Raises 22023 if it is negative; what is its name in the message.
 */
int64
corm_work_interval_us(const Interval *interval, const char *what)
{
	int64		us = corm_interval_length(interval);

	if (us < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what)));
	return Min(us, PG_INT64_MAX / 4);
}

/*
 * corm_work_deadline returns until when, in monotonic time, a function whose
 * argument argno is the timeout may wait; PG_INT64_MAX for ever.  NULL is no
 * timeout.  With bounded, corm.max_wait is the longest.
 */
int64
corm_work_deadline(FunctionCallInfo fcinfo, int argno, bool bounded)
{
	int64		us = PG_INT64_MAX;

	if (!PG_ARGISNULL(argno))
		us = corm_work_interval_us(PG_GETARG_INTERVAL_P(argno), "timeout");
	if (bounded)
		us = Min(us, (int64) corm_max_wait * 1000);
	return us == PG_INT64_MAX ? us : corm_clock_mono() + us;
}

/*
 * corm_work_pause returns for how many milliseconds to sleep at a time until a
 * deadline: at least 1, or 0 if the deadline has passed.
 */
long
corm_work_pause(int64 deadline)
{
	int64		left;

	if (deadline == PG_INT64_MAX)
		return MAX_PAUSE_MS;
	left = deadline - corm_clock_mono();
	if (left <= 0)
		return 0;
	if (corm_clock_is_virtual())
		return VIRTUAL_PAUSE_MS;
	return (long) Min((left + 999) / 1000, MAX_PAUSE_MS);
}

/*
 * corm_work_leave_transaction ends the transaction of a CALL, and begins one
 * without a snapshot.  procedure is the name in messages.  Raises 2D000 where
 * that is not possible, and 25001 in a transaction that has done something.
 *
 * SPI is connected then; corm_work_call_result ends that.  Memory of the caller
 * stays, as the caller is a procedure.
 */
void
corm_work_leave_transaction(FunctionCallInfo fcinfo, const char *procedure)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	CallContext *call_context = (CallContext *) fcinfo->context;

	if (call_context == NULL || !IsA(call_context, CallContext) || call_context->atomic ||
		IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("%s cannot be called inside a transaction", procedure),
				 errhint("CALL it outside of transaction blocks, or use the function of that name.")));
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()) || corm_effects_pending())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot be called in a transaction that has changed something", procedure),
				 errhint("Use COMMIT or ROLLBACK first.")));

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	MemoryContextSwitchTo(oldcontext);
	SPI_commit();
	MemoryContextSwitchTo(oldcontext);
}

/*
 * corm_work_call_result returns the row of a procedure with one INOUT parameter,
 * and ends what corm_work_leave_transaction began.
 */
Datum
corm_work_call_result(FunctionCallInfo fcinfo, Datum value, bool isnull)
{
	TupleDesc	desc;
	Datum		result;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 1)
		elog(ERROR, "unexpected result type of a procedure");
	result = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), &value, &isnull));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return result;
}
