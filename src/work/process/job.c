/*-------------------------------------------------------------------------
 *
 * job.c
 *		A job: SQL that runs in another process, as somebody, with settings.
 *
 * Identity.  A worker is authenticated as the session user of who asked, and
 * nothing more: that is whom a body could become that finds a way to undo what is
 * set here.  In each job's transaction the current user and the security context
 * are set to those of the request.  SECURITY_LOCAL_USERID_CHANGE is added: with
 * it PostgreSQL itself refuses SET ROLE, RESET ROLE and SET SESSION AUTHORIZATION, in all
 * their forms.  They are set after the transaction has started and put back after it
 * has ended, because an abort puts back what was there at the start.
 *
 * Settings, and what SET ROLE has set, are set in a nest level of their own, which is
 * ended as if it failed, before the commit; so whatever the body has SET is undone with them.
 * Deferred triggers belong to the body: they are fired before that, and cursors are closed.
 *
 * Isolation and read-only mode are those that a new transaction of the session
 * would have had, unless the request says otherwise.  DEFERRABLE is never set:
 * waiting for a safe snapshot is a wait that the deadlock detector does not see.
 *
 * A worker does not wait for its caller while it is in the transaction: the
 * request is here before it begins, and the answer goes when it is over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/value.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/process/job.h"
#include "work/process/settings.h"

#define MAX_BACKOFF_MS		100.0

/* The beginning of a request; settings, body and parameters follow. */
typedef struct RequestHeader
{
	CormJobKind kind;
	char		name[NAMEDATALEN];
	int			isolation;
	bool		read_only;
	int			timeout_ms;
	int			retries;
	int			depth;
	Oid			role;
	Oid			user;
	int			security;
	Size		settings_len;
	Size		body_len;
	int			nparams;
	bool		late_params;
} RequestHeader;

/* One parameter; its bytes follow unless it is null. */
typedef struct RequestParam
{
	Oid			type;
	uint32		typecheck;
	uint32		len;
	bool		isnull;
} RequestParam;

CormJobBody corm_job_body = NULL;
CormJobBody corm_job_top_level = NULL;

/* Where the phase of the job that runs is shown; the worker sets it to its slot. */
static volatile CormPhase phase_here = CORM_PHASE_NONE;
volatile CormPhase *corm_job_phase = &phase_here;

/*
 * corm_job_init fills a job with what the session says: who, and how.  The caller then
 * sets the body, its parameters and what it wants otherwise.  Allocates in the current
 * memory context.
 */
void
corm_job_init(CormJob *job)
{
	StringInfoData settings;

	memset(job, 0, sizeof(CormJob));
	job->kind = CORM_JOB_ATOMIC;
	job->isolation = DefaultXactIsoLevel;
	job->read_only = DefaultXactReadOnly;
	job->depth = 1;
	job->role = GetCurrentRoleId();
	GetUserIdAndSecContext(&job->user, &job->security);
	initStringInfo(&settings);
	corm_settings_collect(&settings);
	job->settings = settings.data;
	job->settings_len = settings.len;
}

/* flatten_param appends one parameter.  Raises 42804 for a type whose values mean nothing elsewhere. */
static void
flatten_param(const CormParams *params, int i, StringInfo request)
{
	RequestParam header = {.isnull = params->nulls[i]};
	CormFlat	flat = {0};
	Oid			type = params->types[i];

	if (type == UNKNOWNOID)
	{
		/* a literal, which is as good as a text */
		header.type = TEXTOID;
		if (!header.isnull)
		{
			flat.data = DatumGetCString(params->values[i]);
			flat.len = strlen(flat.data);
		}
	}
	else
	{
		CormTypeInfo *info = corm_type_info(type);

		if (!info->exists || !info->storable)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a value of type %s cannot be given to another process", format_type_be(type)),
					 type == RECORDOID || type == RECORDARRAYOID ?
					 errhint("Cast the row to a named composite type.") : 0));
		header.type = type;
		header.typecheck = info->check;
		if (!header.isnull)
			corm_flat_make(params->values[i], info, &flat);
	}
	header.len = flat.len;
	appendBinaryStringInfo(request, (char *) &header, sizeof(header));
	if (flat.len > 0)
		appendBinaryStringInfo(request, flat.data, flat.len);
}

/* corm_job_flatten appends a job to request, as flat bytes. */
void
corm_job_flatten(const CormJob *job, StringInfo request)
{
	RequestHeader header;

	memset(&header, 0, sizeof(header));
	header.kind = job->kind;
	strlcpy(header.name, job->name, NAMEDATALEN);
	header.isolation = job->isolation;
	header.read_only = job->read_only;
	header.timeout_ms = job->timeout_ms;
	header.retries = job->retries;
	header.depth = job->depth;
	header.role = job->role;
	header.user = job->user;
	header.security = job->security;
	header.settings_len = job->settings_len;
	header.body_len = job->body_len;
	header.nparams = job->params.n;
	header.late_params = job->late_params;

	appendBinaryStringInfo(request, (char *) &header, sizeof(header));
	appendBinaryStringInfo(request, job->settings, job->settings_len);
	appendBinaryStringInfo(request, job->body, job->body_len);
	for (int i = 0; i < job->params.n; i++)
		flatten_param(&job->params, i, request);
}

/* take moves *at past n bytes of a request and returns where they are. */
static const char *
take(const char **at, const char *end, Size n)
{
	const char *from = *at;

	if (n > (Size) (end - from))
		elog(ERROR, "request is too short");
	*at += n;
	return from;
}

/*
 * corm_job_parse makes a job of a request.  It points into the request, which must stay as
 * long as the job.  The parameters are read later, in the transaction: their types
 * are looked up.  Allocates nothing.
 */
void
corm_job_parse(CormJob *job, const char *request, Size len)
{
	const char *at = request;
	const char *end = request + len;
	RequestHeader header;

	memcpy(&header, take(&at, end, sizeof(header)), sizeof(header));
	memset(job, 0, sizeof(CormJob));
	job->kind = header.kind;
	strlcpy(job->name, header.name, NAMEDATALEN);
	job->isolation = header.isolation;
	job->read_only = header.read_only;
	job->timeout_ms = header.timeout_ms;
	job->retries = header.retries;
	job->depth = header.depth;
	job->role = header.role;
	job->user = header.user;
	job->security = header.security;
	job->settings_len = header.settings_len;
	job->settings = take(&at, end, header.settings_len);
	job->body_len = header.body_len;
	job->body = take(&at, end, header.body_len);
	job->params.n = header.nparams;
	job->late_params = header.late_params;
	job->flat_params = at;
	job->flat_params_len = end - at;
}

/*
 * read_params makes the parameters of a job that was parsed, in the current
 * memory context.  Needs a transaction.  Raises 42704 for a type that this process does
 * not see, and 42804 for one that was altered since the request was made.  Runs code of users.
 */
static void
read_params(CormJob *job)
{
	const char *at = job->flat_params;
	const char *end = at + job->flat_params_len;
	CormParams *params = &job->params;

	if (job->late_params)
	{
		job->read_late(job);
		return;
	}
	if (params->n == 0)
		return;
	params->types = palloc(params->n * sizeof(Oid));
	params->values = palloc0(params->n * sizeof(Datum));
	params->nulls = palloc(params->n * sizeof(bool));
	for (int i = 0; i < params->n; i++)
	{
		RequestParam header;
		CormFlat	flat;
		CormTypeInfo *info;

		memcpy(&header, take(&at, end, sizeof(header)), sizeof(header));
		params->types[i] = header.type;
		params->nulls[i] = header.isnull;
		flat.type = header.type;
		flat.typecheck = header.typecheck;
		flat.len = header.len;
		flat.data = take(&at, end, header.len);

		info = corm_type_info(header.type);
		if (!info->exists)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("type of parameter $%d does not exist", i + 1),
					 errhint("A type that the caller has created must be committed first.")));
		if (header.isnull)
			continue;
		if (!corm_flat_usable(&flat))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("type %s of parameter $%d has been altered", format_type_be(header.type), i + 1)));
		params->values[i] = corm_flat_datum(&flat, corm_type_info(header.type));
	}
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
}

/* show_body tells pg_stat_activity and the log what runs. */
static void
show_body(const CormJob *job, MemoryContext context)
{
	char	   *text = MemoryContextAlloc(context, Min(job->body_len, 65536) + 1);

	memcpy(text, job->body, Min(job->body_len, 65536));
	text[Min(job->body_len, 65536)] = '\0';
	debug_query_string = text;
	pgstat_report_activity(STATE_RUNNING, text);
}

/* set_characteristics makes the transaction that has just begun as the job wants it. */
static void
set_characteristics(const CormJob *job)
{
	XactIsoLevel = job->isolation;
	XactReadOnly = job->read_only || RecoveryInProgress();
	XactDeferrable = false;
}

/*
 * become sets the settings of a job, and who it acts as.  Raises 42704 for a role that does
 * not exist any more, 42501 if the session user may not SET ROLE to it any more, and what a
 * setting's check raises.
 */
static void
become(const CormJob *job)
{
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(job->user)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", job->user)));
	if (OidIsValid(job->role))
		(void) set_config_option("role", GetUserNameFromId(job->role, false), PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, ERROR, false);
	corm_settings_apply(job->settings, job->settings_len, false);
	SetUserIdAndSecContext(job->user, job->security | SECURITY_LOCAL_USERID_CHANGE);
}

/*
 * run_body runs the body under the job's settings, as its user; raises nothing of the
 * body's own.  At its end the settings are those from before, and the user is still
 * the job's: something may run at commit.
 */
static void
run_body(CormJob *job, MemoryContext context, CormJobReport *report)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	Oid			base_user;
	int			base_security;
	int			level = NewGUCNestLevel();

	GetUserIdAndSecContext(&base_user, &base_security);
	become(job);
	PushActiveSnapshot(GetTransactionSnapshot());
	read_params(job);
	corm_job_body(job, context, report);
	MemoryContextSwitchTo(oldcontext);
	PopActiveSnapshot();
	if (report->outcome == CORM_JOB_COMMITTED)
	{
		AfterTriggerFireDeferred();
		/* cursors WITH HOLD, whose queries the commit would run */
		PortalHashTableDeleteAll();
	}

	/* undoing SET ROLE makes the session user the current one */
	SetUserIdAndSecContext(base_user, base_security);
	AtEOXact_GUC(false, level);
	if (job->end == NULL)
		SetUserIdAndSecContext(job->user, job->security | SECURITY_LOCAL_USERID_CHANGE);
}

/* end calls what a job has to be called last.  It writes rows, for which PostgreSQL wants a snapshot. */
static void
end(CormJob *job, CormJobReport *report)
{
	if (job->end == NULL)
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	job->end(job, report);
	PopActiveSnapshot();
}

/* begin_report makes the report of a job that begins. */
static void
begin_report(CormJobReport *report)
{
	report->value = NULL;
	report->error = NULL;
	report->outcome = CORM_JOB_COMMITTED;
	*corm_job_phase = CORM_PHASE_BODY;
}

/* report_error puts the current error into the report, in context, and rolls its transaction back. */
static void
report_error(CormJobReport *report, MemoryContext context)
{
	HOLD_INTERRUPTS();
	disable_all_timeouts(false);
	MemoryContextSwitchTo(context);
	report->error = CopyErrorData();
	report->value = NULL;
	report->outcome = CORM_JOB_FAILED;
	AbortCurrentTransaction();
	FlushErrorState();
	RESUME_INTERRUPTS();
}

/*
 * run_attempt runs a job once, in a transaction of its own, and puts everything back
 * except the report.  Raises nothing.
 */
static void
run_attempt(CormJob *job, CormJobReport *report)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			base_user;
	int			base_security;

	GetUserIdAndSecContext(&base_user, &base_security);
	begin_report(report);
	PG_TRY();
	{
		CORM_FAULT("work-job-start");
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		set_characteristics(job);
		if (job->begin != NULL && !job->begin(job))
			report->outcome = CORM_JOB_SKIPPED;
		else
		{
			run_body(job, context, report);
			end(job, report);
		}
		MemoryContextSwitchTo(context);
		CORM_FAULT("work-job-body-done");
		if (report->outcome == CORM_JOB_COMMITTED ||
			(job->end != NULL && report->outcome != CORM_JOB_SKIPPED))
		{
			*corm_job_phase = CORM_PHASE_COMMITTING;
			CommitTransactionCommand();
			*corm_job_phase = CORM_PHASE_COMMITTED;
		}
		else
		{
			AbortCurrentTransaction();
			*corm_job_phase = CORM_PHASE_ROLLED_BACK;
		}
	}
	PG_CATCH();
	{
		report_error(report, context);
		*corm_job_phase = CORM_PHASE_ROLLED_BACK;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	SetUserIdAndSecContext(base_user, base_security);
}

/* is_retried tells whether running a job again can help. */
static bool
is_retried(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/* isolation_name returns how an isolation level is written. */
static const char *
isolation_name(int isolation)
{
	switch (isolation)
	{
		case XACT_SERIALIZABLE:
			return "serializable";
		case XACT_REPEATABLE_READ:
			return "repeatable read";
		case XACT_READ_UNCOMMITTED:
			return "read uncommitted";
		default:
			return "read committed";
	}
}

/* prepare_session makes what a job's statements need, in a transaction before them. */
static void
prepare_session(CormJob *job, MemoryContext context)
{
	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	corm_settings_apply(job->settings, job->settings_len, true);
	(void) set_config_option("default_transaction_isolation", isolation_name(job->isolation),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, ERROR, false);
	(void) set_config_option("default_transaction_read_only", job->read_only ? "on" : "off",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, ERROR, false);
	read_params(job);
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
}

/*
 * run_top_level runs a job whose statements are transactions of their own.  They run as the
 * session user, with the settings set for the session: the process ends after it.  Raises
 * nothing.
 */
static void
run_top_level(CormJob *job, CormJobReport *report)
{
	MemoryContext context = CurrentMemoryContext;

	begin_report(report);
	PG_TRY();
	{
		prepare_session(job, context);
		corm_job_top_level(job, context, report);
	}
	PG_CATCH();
	{
		report_error(report, context);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
}

/* run_attempts runs a job of one transaction, again if that can help and was asked for. */
static void
run_attempts(CormJob *job, CormJobReport *report)
{
	for (;; report->attempts++)
	{
		CormParams	params = job->params;

		run_attempt(job, report);
		CORM_FAULT_UNCANCELLED("work-job-ended");
		job->params = params;
		if (report->outcome != CORM_JOB_FAILED || job->end != NULL ||
			report->attempts > job->retries || !is_retried(report->error))
			break;
		back_off(report->attempts - 1);
		if (QueryCancelPending)
			break;
		FreeErrorData(report->error);
	}
}

/*
 * corm_job_run runs a job that was parsed, in a worker that is in no transaction, and
 * reports what became of it.  Raises nothing except what ends the process.  What is
 * in the report is allocated in the current memory context.
 */
void
corm_job_run(CormJob *job, CormJobReport *report)
{
	show_body(job, CurrentMemoryContext);
	report->attempts = 1;
	if (job->kind == CORM_JOB_TOP_LEVEL)
		run_top_level(job, report);
	else
		run_attempts(job, report);
	debug_query_string = NULL;
	pgstat_report_activity(STATE_IDLE, NULL);
}
