/*-------------------------------------------------------------------------
 *
 * elsewhere.c
 *		Scopes whose transaction is in another process.
 *
 * Propagation requires_new is an autonomous transaction: a worker runs the body (see
 * work/process/), commits, and the call returns.  With not_supported, if a transaction is
 * active, a worker runs the statements one by one without one (top_level.c).  This file is
 * both ends of that: it makes a job of a scope, and it runs the body of a job, in the
 * worker, as a scope like any other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "miscadmin.h"
#include "tx/elsewhere.h"
#include "tx/stack.h"
#include "tx/top_level.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "work/work.h"

PG_FUNCTION_INFO_V1(corm_autonomous);

/* corm_tx_is_elsewhere tells whether a scope with these options is one of another process. */
bool
corm_tx_is_elsewhere(const CormTxOptions *opts)
{
	return opts->propagation == CORM_TX_REQUIRES_NEW ||
		(opts->propagation == CORM_TX_NOT_SUPPORTED && corm_tx_is_active());
}

/*
 * check_not_supported raises 42501 unless the session user itself is acting: statements that
 * are not in one transaction cannot be kept from becoming the session user.
 */
static void
check_not_supported(const CormTxOptions *opts)
{
	Oid			user;
	int			security;

	if (opts->retries > 0)
		corm_tx_check_characteristics(opts);

	GetUserIdAndSecContext(&user, &security);
	if (user != GetSessionUserId() || security != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("propagation not_supported requires the session user \"%s\" to be the current one",
						GetUserNameFromId(GetSessionUserId(), true)),
				 errhint("It does not work after SET ROLE, nor in SECURITY DEFINER functions.")));
}

/* elsewhere_context adds the scope to the context of an error. */
static void
elsewhere_context(void *arg)
{
	const CormTxOptions *opts = arg;

	if (opts->propagation == CORM_TX_REQUIRES_NEW)
		errcontext("autonomous transaction \"%s\"", corm_tx_name(opts->name, 1));
	else
		errcontext("body of \"%s\" without a transaction", corm_tx_name(opts->name, 1));
}

/* call_worker runs the job of a scope; its report is allocated in the current memory context. */
static void
call_worker(const CormTxOptions *opts, const CormTxBodyCall *call, CormJobReport *report)
{
	CormJob		job;

	if (opts->propagation == CORM_TX_NOT_SUPPORTED)
		check_not_supported(opts);
	corm_job_init(&job);
	if (opts->propagation == CORM_TX_NOT_SUPPORTED)
		job.kind = CORM_JOB_TOP_LEVEL;
	strlcpy(job.name, opts->name, NAMEDATALEN);
	if (opts->isolation != CORM_TX_ISOLATION_UNSET)
		job.isolation = opts->isolation;
	if (opts->has_read_only)
		job.read_only = opts->read_only;
	job.timeout_ms = opts->timeout_ms;
	job.retries = opts->retries;
	job.body = call->text;
	job.body_len = call->len;
	job.params = call->params;
	corm_call(&job, report);
}

/*
 * call_worker_safely is call_worker, but what is raised here becomes the error of the
 * report, after everything of this side is undone.  A cancel is raised.
 */
static void
call_worker_safely(const CormTxOptions *opts, const CormTxBodyCall *call, CormJobReport *report)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		call_worker(opts, call, report);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(oldcontext);
		memset(report, 0, sizeof(CormJobReport));
		report->error = CopyErrorData();
		report->outcome = CORM_JOB_FAILED;
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
}

/*
 * corm_tx_run_elsewhere is corm_tx_run for a scope of another process.  The value of the
 * body is put into call->result.
 */
CormTxOutcome
corm_tx_run_elsewhere(const CormTxOptions *opts, CormTxBodyCall *call, bool raise, CormTxReport *report)
{
	CormJobReport answer;
	ErrorContextCallback callback;

	report->depth = 1;
	report->error = NULL;
	callback.callback = elsewhere_context;
	callback.arg = unconstify(CormTxOptions *, opts);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	if (raise)
		call_worker(opts, call, &answer);
	else
		call_worker_safely(opts, call, &answer);

	if (answer.attempts > 1)
		corm_tx_stats.retries += answer.attempts - 1;
	switch (answer.outcome)
	{
		case CORM_JOB_COMMITTED:
			error_context_stack = callback.previous;
			call->result = answer.value;
			return CORM_TX_COMMITTED;
		case CORM_JOB_ROLLED_BACK:
		case CORM_JOB_SKIPPED:
			error_context_stack = callback.previous;
			return CORM_TX_ROLLED_BACK;
		case CORM_JOB_FAILED:
			break;
	}

	report->error = answer.error;
	if (raise || !corm_tx_is_swallowed(report->error))
		ThrowErrorData(report->error);
	error_context_stack = callback.previous;
	return CORM_TX_FAILED;
}

/* run_job runs the body of a job, in its worker: CormJobBody. */
static void
run_job(const CormJob *job, MemoryContext result_context, CormJobReport *report)
{
	CormTxOptions opts;
	CormTxBodyCall call = {0};
	CormTxClosure closure = {corm_tx_body_run, corm_tx_body_cleanup, &call};
	CormTxReport tx_report;
	MemoryContext oldcontext = MemoryContextSwitchTo(result_context);

	corm_tx_options_init(&opts);
	opts.propagation = CORM_TX_REQUIRES_NEW;
	strlcpy(opts.name, job->name, NAMEDATALEN);
	opts.timeout_ms = job->timeout_ms;
	call.text = job->body;
	call.len = job->body_len;
	call.params = job->params;
	call.result_context = result_context;

	switch (corm_tx_run(&opts, &closure, false, &tx_report))
	{
		case CORM_TX_COMMITTED:
			report->outcome = CORM_JOB_COMMITTED;
			report->value = call.result;
			break;
		case CORM_TX_ROLLED_BACK:
			report->outcome = CORM_JOB_ROLLED_BACK;
			break;
		case CORM_TX_FAILED:
			report->outcome = CORM_JOB_FAILED;
			report->error = tx_report.error;
			break;
	}
	MemoryContextSwitchTo(oldcontext);
}

/* corm_tx_elsewhere_init tells workers how a body is run. */
void
corm_tx_elsewhere_init(void)
{
	corm_job_body = run_job;
	corm_job_top_level = corm_tx_run_top_level;
}

/* corm.autonomous(body, ...) */
Datum
corm_autonomous(PG_FUNCTION_ARGS)
{
	CormTxOptions opts;
	CormTxBodyCall call = {0};
	CormTxReport report;
	text	   *body;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("body of a transaction scope must not be null")));
	corm_tx_options_init(&opts);
	opts.propagation = CORM_TX_REQUIRES_NEW;
	body = PG_GETARG_TEXT_PP(0);
	call.text = VARDATA_ANY(body);
	call.len = VARSIZE_ANY_EXHDR(body);
	corm_params_of_call(fcinfo, 1, 0, &call.params);
	(void) corm_tx_run_elsewhere(&opts, &call, true, &report);
	if (call.result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(call.result);
}
