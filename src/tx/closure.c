/*-------------------------------------------------------------------------
 *
 * closure.c
 *		Scopes whose body runs inside one C call: corm.do_tx and corm.try_tx.
 *
 * corm_tx_run is the one place where such a scope opens and closes; other
 * layers of corm use it for writes that take several statements.  Which scopes
 * take a subtransaction:
 *
 * - one that does not join another always does, or set_rollback_only() could
 *	 not undo its work without an error;
 * - one that joins does only in the form that gives the error as data, because
 *	 then the caller goes on after an error; in the raising form the error
 *	 itself makes an outer level roll back.
 *
 * After an error nothing is cleaned up by hand except what a subtransaction's
 * abort does not know: memory context, resource owner, XactReadOnly of a joined
 * scope, the scope itself.  SPI levels opened in the body belong to the
 * aborted subtransaction, SPI_finish must not be called for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tx/body.h"
#include "tx/deadline.h"
#include "tx/elsewhere.h"
#include "tx/stack.h"
#include "tx/tx_result.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* What the error context callback prints. */
typedef struct ScopeContext
{
	const char *name;
	int			depth;
	bool		scoped;
} ScopeContext;

static bool is_retried(const ErrorData *error);
static void scope_error_context(void *arg);
static bool enter(const CormTxOptions *opts, bool raise, CormTxPlace *place, CormTxReport *report);
static CormTxOutcome run_once(const CormTxOptions *opts, const CormTxClosure *closure,
							  CormTxPlace place, bool subxact, TimestampTz deadline_at,
							  CormTxReport *report);
static Datum run_function(FunctionCallInfo fcinfo, bool has_opts, bool raise);

PG_FUNCTION_INFO_V1(corm_do_tx);
PG_FUNCTION_INFO_V1(corm_do_tx_opts);
PG_FUNCTION_INFO_V1(corm_try_tx);
PG_FUNCTION_INFO_V1(corm_try_tx_opts);

/*
 * corm_tx_is_swallowed tells whether an error may be given to the caller as data.  A
 * cancel and a failed assertion are not the body's own affair, as in PL/pgSQL's
 * WHEN OTHERS.
 */
bool
corm_tx_is_swallowed(const ErrorData *error)
{
	return error->sqlerrcode != ERRCODE_QUERY_CANCELED &&
		error->sqlerrcode != ERRCODE_ASSERT_FAILURE;
}

/*
 * is_retried tells whether running the body again can help: after a deadlock,
 * and after a serialization failure if the next attempt sees a new snapshot.
 */
static bool
is_retried(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		(error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE && !IsolationUsesXactSnapshot());
}

/* scope_error_context adds the scope to the context of an error. */
static void
scope_error_context(void *arg)
{
	ScopeContext *context = (ScopeContext *) arg;

	if (context->scoped)
		errcontext("transaction scope \"%s\" (depth %d)",
				   corm_tx_name(context->name, context->depth), context->depth);
	else
		errcontext("body of \"%s\" without a transaction scope",
				   corm_tx_name(context->name, context->depth));
}

/*
 * enter checks whether a scope with these options may be opened here, and sets
 * *place.  If not, it raises, or returns false and the error in the report.
 */
static bool
enter(const CormTxOptions *opts, bool raise, CormTxPlace *place, CormTxReport *report)
{
	MemoryContext oldcontext = CurrentMemoryContext;

	report->error = NULL;
	PG_TRY();
	{
		*place = corm_tx_place(opts, corm_tx_is_active());
		corm_tx_check_characteristics(opts);
	}
	PG_CATCH();
	{
		if (raise)
			PG_RE_THROW();

		/*
		 * There is nothing to undo, and so no subtransaction: the checks look
		 * at the state of the session and touch nothing.
		 */
		MemoryContextSwitchTo(oldcontext);
		report->error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return report->error == NULL;
}

/*
 * run_once runs the body once, in a scope of its own, and never raises an error
 * of the body: the error is returned in the report.  What the body did has been
 * undone if the scope has a subtransaction (subxact); otherwise it will be when
 * the caller raises the error again.
 */
static CormTxOutcome
run_once(const CormTxOptions *opts, const CormTxClosure *closure, CormTxPlace place,
		 bool subxact, TimestampTz deadline_at, CormTxReport *report)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	bool		old_read_only = XactReadOnly;
	CormTxScope *volatile scope = NULL;
	CormTxScope *volatile target = NULL;	/* the other scope that was joined */
	bool		dooms;
	volatile CormTxOutcome outcome = CORM_TX_COMMITTED;
	volatile bool under_deadline = true;
	volatile bool timed_out = false;
	volatile bool cleaned = false;
	CormTxDeadline deadline;
	ScopeContext context;
	ErrorContextCallback callback;

	report->error = NULL;
	if (subxact)
	{
		corm_tx_check_subtransactions(GetCurrentTransactionNestLevel());
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(oldcontext);
	}

	context.name = opts->name;
	context.depth = report->depth;
	context.scoped = place != CORM_TX_PLACE_NONE;
	callback.callback = scope_error_context;
	callback.arg = &context;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	corm_tx_deadline_begin(&deadline, deadline_at);

	PG_TRY();
	{
		if (place != CORM_TX_PLACE_NONE)
			scope = corm_tx_push(opts, place == CORM_TX_PLACE_OPEN ? CORM_TX_HOLD_SUBXACT : CORM_TX_HOLD_NOTHING,
								 false, GetCurrentTransactionNestLevel());
		if (opts->has_read_only && opts->read_only)
			XactReadOnly = true;

		closure->run(closure->arg);

		under_deadline = false;
		timed_out = corm_tx_deadline_end(&deadline, false);
		if (timed_out)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_SCOPE_TIMED_OUT),
					 errmsg_internal("body ended after its deadline")));
		cleaned = true;
		if (closure->cleanup != NULL)
			closure->cleanup(closure->arg);

		if (scope != NULL && scope->asked != NULL)
			outcome = CORM_TX_ROLLED_BACK;
		else if (scope != NULL && scope->doomed != NULL)
			corm_tx_raise_doomed(corm_tx_name(opts->name, report->depth), scope->doomed);
		else if (subxact)
		{
			if (scope != NULL && scope->hold == CORM_TX_HOLD_NOTHING)
				corm_tx_pop(scope);
			scope = NULL;		/* gone, or goes with its subtransaction */
			ReleaseCurrentSubTransaction();
		}
	}
	PG_CATCH();
	{
		/* first what must happen: copying the error needs memory and can fail */
		if (under_deadline)
			timed_out = corm_tx_deadline_end(&deadline, geterrcode() == ERRCODE_QUERY_CANCELED);
		if (!cleaned && closure->cleanup != NULL)
			closure->cleanup(closure->arg);
		MemoryContextSwitchTo(oldcontext);
		report->error = CopyErrorData();
		FlushErrorState();
		outcome = CORM_TX_FAILED;
	}
	PG_END_TRY();

	error_context_stack = callback.previous;
	if (timed_out)
		corm_tx_timeout_error(report->error, corm_tx_name(opts->name, report->depth), opts->timeout_ms);

	if (scope != NULL && scope->target != scope)
		target = scope->target;

	/*
	 * the function of an index must not doom its caller: see
	 * corm_tx_is_foreign
	 */
	dooms = scope != NULL && place == CORM_TX_PLACE_JOIN &&
		!(InSecurityRestrictedOperation() && corm_tx_is_foreign(scope));
	if (outcome != CORM_TX_COMMITTED)
	{
		corm_tx_stats.rollbacks++;
		if (subxact)
			RollbackAndReleaseCurrentSubTransaction();
		if (dooms && (target != NULL || outcome == CORM_TX_ROLLED_BACK))
			corm_tx_doom(target, corm_tx_make_mark(corm_tx_name(opts->name, report->depth),
												   report->error));
	}
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	if (!subxact)
	{
		if (scope != NULL)
			corm_tx_pop(scope);
		XactReadOnly = old_read_only;
	}
	return outcome;
}

/*
 * corm_tx_run runs a body in a scope with the given options and says what
 * became of it.
 *
 * With raise, an error of the body is raised again after the scope is rolled
 * back, so the answer is never CORM_TX_FAILED.  Without, the error is returned
 * in the report, allocated in the caller's memory context, except for a cancel
 * and a failed assertion, which are always raised.  opts must stay as they are
 * while the body runs.
 *
 * The body is called in the caller's memory context; it may call SPI_connect,
 * and must call SPI_finish unless it raises.  It may be called several times
 * if the options ask for retries.
 */
CormTxOutcome
corm_tx_run(const CormTxOptions *opts, const CormTxClosure *closure, bool raise,
			CormTxReport *report)
{
	TimestampTz deadline_at = 0;
	CormTxPlace place;
	CormTxOutcome outcome;

	check_stack_depth();
	report->depth = corm_tx_depth() + 1;
	if (!enter(opts, raise, &place, report))
		return CORM_TX_FAILED;
	if (opts->timeout_ms > 0)
		deadline_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), opts->timeout_ms);

	for (int attempt = 0;; attempt++)
	{
		outcome = run_once(opts, closure, place, place == CORM_TX_PLACE_OPEN || !raise,
						   deadline_at, report);
		if (outcome != CORM_TX_FAILED || attempt >= opts->retries || !is_retried(report->error))
			break;
		corm_tx_stats.retries++;
		FreeErrorData(report->error);
		CHECK_FOR_INTERRUPTS();
	}

	if (outcome == CORM_TX_FAILED && (raise || !corm_tx_is_swallowed(report->error)))
		ReThrowError(report->error);
	return outcome;
}

/*
 * run_function is do_tx and try_tx in all their forms: [opts,] body and the
 * parameters of the body.
 */
static Datum
run_function(FunctionCallInfo fcinfo, bool has_opts, bool raise)
{
	int			body_arg = has_opts ? 1 : 0;
	CormTxOptions opts;
	CormTxBodyCall call = {0};
	CormTxClosure closure = {corm_tx_body_run, corm_tx_body_cleanup, &call};
	CormTxOutcome outcome;
	CormTxReport report;
	text	   *body;

	if (PG_ARGISNULL(body_arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("body of a transaction scope must not be null")));
	if (has_opts)
		opts = *corm_tx_options_arg(fcinfo, 0);
	else
		corm_tx_options_init(&opts);

	body = PG_GETARG_TEXT_PP(body_arg);
	call.text = VARDATA_ANY(body);
	call.len = VARSIZE_ANY_EXHDR(body);
	call.result_context = CurrentMemoryContext;
	corm_params_of_call(fcinfo, body_arg + 1, body_arg, &call.params);

	if (corm_tx_is_elsewhere(&opts))
		outcome = corm_tx_run_elsewhere(&opts, &call, raise, &report);
	else
		outcome = corm_tx_run(&opts, &closure, raise, &report);

	if (raise)
	{
		if (outcome != CORM_TX_COMMITTED || call.result == NULL)
			PG_RETURN_NULL();
		PG_RETURN_JSONB_P(call.result);
	}
	else
	{
		TupleDesc	desc = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
		Datum		result;

		result = corm_tx_result_datum(desc, outcome, call.result,
									  corm_tx_name(opts.name, report.depth), report.error);
		ReleaseTupleDesc(desc);
		PG_RETURN_DATUM(result);
	}
}

/* corm.do_tx(body, ...) */
Datum
corm_do_tx(PG_FUNCTION_ARGS)
{
	return run_function(fcinfo, false, true);
}

/* corm.do_tx(opts, body, ...) */
Datum
corm_do_tx_opts(PG_FUNCTION_ARGS)
{
	return run_function(fcinfo, true, true);
}

/* corm.try_tx(body, ...) */
Datum
corm_try_tx(PG_FUNCTION_ARGS)
{
	return run_function(fcinfo, false, false);
}

/* corm.try_tx(opts, body, ...) */
Datum
corm_try_tx_opts(PG_FUNCTION_ARGS)
{
	return run_function(fcinfo, true, false);
}
