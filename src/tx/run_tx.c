/*-------------------------------------------------------------------------
 *
 * run_tx.c
 *		CALL corm.run_tx: a body as a transaction of its own.
 *
 * It works where a procedure may COMMIT.  Each attempt begins a transaction,
 * sets its characteristics before any snapshot is taken, runs the body and
 * commits; so an isolation level is possible, an error of the COMMIT itself
 * (a deferred constraint, a serialization failure) is data like any other, and
 * an attempt that lost against another session can be repeated.
 *
 * Inside a transaction, propagation requires_new runs the body in another process.
 *
 * The body runs in a subtransaction: its abort is what cleans up SPI levels,
 * snapshots and portals after an error, before the transaction is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/effects.h"
#include "base/errors.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "tx/body.h"
#include "tx/elsewhere.h"
#include "tx/stack.h"
#include "tx/tx_result.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
#include "utils/wait_event.h"

#define MAX_BACKOFF_MS 100.0

static CormTxOutcome run_transaction(const CormTxOptions *opts, const CormTxClosure *closure,
									 CormTxReport *report);
static void set_characteristics(const CormTxOptions *opts);
static void back_off(int attempt);

PG_FUNCTION_INFO_V1(corm_run_tx);

/* set_characteristics sets up the transaction that has just begun. */
static void
set_characteristics(const CormTxOptions *opts)
{
	if (opts->isolation != CORM_TX_ISOLATION_UNSET)
		(void) set_config_option("transaction_isolation", corm_tx_isolation_name(opts->isolation),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, ERROR, false);
	if (opts->has_read_only)
		(void) set_config_option("transaction_read_only", opts->read_only ? "on" : "off",
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, ERROR, false);
}

/* back_off waits before an attempt, longer each time, so that rivals do not meet again. */
static void
back_off(int attempt)
{
	double		ms = Min(MAX_BACKOFF_MS, (double) (1 << Min(attempt, 10)));

	ms *= pg_prng_double(&pg_global_prng_state);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 (long) ms + 1, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/*
 * run_transaction makes one attempt, in a transaction that has just begun; it
 * leaves another one just begun.  An error of the body or of COMMIT is returned
 * in the report, allocated in the current memory context, which must not be one
 * of the transaction's.  Any other error is raised: that the transaction cannot
 * be started as requested is not a result of running it.
 */
static CormTxOutcome
run_transaction(const CormTxOptions *opts, const CormTxClosure *closure,
				CormTxReport *report)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	CormTxOptions inner = *opts;
	volatile CormTxOutcome outcome;
	volatile bool ending = false;

	/* the scope is the transaction: what concerns that is set here, once */
	inner.propagation = CORM_TX_REQUIRES_NEW;
	inner.isolation = CORM_TX_ISOLATION_UNSET;
	inner.retries = 0;

	report->depth = 1;
	report->error = NULL;
	PG_TRY();
	{
		set_characteristics(opts);
		outcome = corm_tx_run(&inner, closure, false, report);
		ending = true;
		if (outcome == CORM_TX_COMMITTED)
			SPI_commit();
		else
			SPI_rollback();
	}
	PG_CATCH();
	{
		/* it is data only if the transaction is over: COMMIT sees to that */
		if (!ending)
			PG_RE_THROW();
		MemoryContextSwitchTo(oldcontext);
		report->error = CopyErrorData();
		FlushErrorState();
		outcome = CORM_TX_FAILED;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	return outcome;
}

/* result_row forms the row of a CALL: the INOUT parameter. */
static Datum
result_row(FunctionCallInfo fcinfo, CormTxOutcome outcome, const CormTxBodyCall *call,
		   const CormTxOptions *opts, const CormTxReport *report)
{
	TupleDesc	desc;
	TupleDesc	result_desc;
	Datum		value;
	bool		isnull = false;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 1)
		elog(ERROR, "unexpected result type of corm.run_tx");
	result_desc = lookup_rowtype_tupdesc(TupleDescAttr(desc, 0)->atttypid, -1);
	value = corm_tx_result_datum(result_desc, outcome, call->result,
								 corm_tx_name(opts->name, report->depth), report->error);
	ReleaseTupleDesc(result_desc);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), &value, &isnull));
}

/*
 * CALL corm.run_tx(body, opts, INOUT result [, params])
 */
Datum
corm_run_tx(PG_FUNCTION_ARGS)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	CallContext *call_context = (CallContext *) fcinfo->context;
	CormTxOptions opts;
	CormTxBodyCall call = {0};
	CormTxClosure closure = {corm_tx_body_run, corm_tx_body_cleanup, &call};
	CormTxOutcome outcome;
	CormTxReport report;
	Datum		value;
	char	   *body;
	bool		atomic;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("body of a transaction scope must not be null")));
	if (PG_ARGISNULL(1))
		corm_tx_options_init(&opts);
	else
		corm_tx_options_parse(PG_GETARG_DATUM(1), &opts);
	if (opts.propagation != CORM_TX_REQUIRED && opts.propagation != CORM_TX_REQUIRES_NEW)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("corm.run_tx runs a transaction of its own and cannot have propagation %s",
						corm_tx_propagation_name(opts.propagation))));

	body = text_to_cstring(PG_GETARG_TEXT_PP(0));
	call.text = body;
	call.len = strlen(body);
	call.result_context = CurrentMemoryContext;
	corm_params_of_call(fcinfo, 3, 0, &call.params);

	atomic = call_context == NULL || !IsA(call_context, CallContext) || call_context->atomic ||
		IsSubTransaction();
	if (opts.propagation == CORM_TX_REQUIRES_NEW &&
		(atomic || TransactionIdIsValid(GetTopTransactionIdIfAny()) || corm_effects_pending()))
	{
		outcome = corm_tx_run_elsewhere(&opts, &call, false, &report);
		PG_RETURN_DATUM(result_row(fcinfo, outcome, &call, &opts, &report));
	}
	if (atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("corm.run_tx cannot run inside a transaction"),
				 errhint("CALL it outside of transaction blocks, or with propagation requires_new, or use corm.try_tx.")));
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()) || corm_effects_pending())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("corm.run_tx cannot run in a transaction that has changed something"),
				 errhint("Use COMMIT or ROLLBACK first, or propagation requires_new.")));

	corm_params_keep(&call.params);

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	MemoryContextSwitchTo(oldcontext);

	/*
	 * nothing has changed yet: this is to get a transaction without a
	 * snapshot
	 */
	SPI_commit();
	MemoryContextSwitchTo(oldcontext);

	for (int attempt = 0;; attempt++)
	{
		outcome = run_transaction(&opts, &closure, &report);
		if (outcome != CORM_TX_FAILED)
			break;
		if (report.error->sqlerrcode == ERRCODE_QUERY_CANCELED || report.error->sqlerrcode == ERRCODE_ASSERT_FAILURE)
			ReThrowError(report.error);
		if (attempt >= opts.retries ||
			(report.error->sqlerrcode != ERRCODE_T_R_SERIALIZATION_FAILURE &&
			 report.error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED))
			break;
		FreeErrorData(report.error);
		corm_tx_stats.retries++;
		back_off(attempt);
	}

	value = result_row(fcinfo, outcome, &call, &opts, &report);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_DATUM(value);
}
