/*-------------------------------------------------------------------------
 *
 * run.c
 *		Running tasks in workers.
 *
 * A worker claims a task, runs its body as a job (work/process/job.h) and settles it:
 * it has ended, or will be tried again.  While a task runs nobody else changes it, so
 * that its request is read without the lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "common/pg_prng.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "work/process/job.h"
#include "work/task/durable.h"
#include "work/task/kept.h"
#include "work/task/load.h"
#include "work/task/queue.h"
#include "work/task/run.h"

PG_FUNCTION_INFO_V1(corm_current_task);
PG_FUNCTION_INFO_V1(corm_task_progress);

#define MAX_LOSSES		5
#define LOST_DELAY_US	USECS_PER_SEC
#define BUSY_DELAY_US	USECS_PER_SEC

/* The task that this process runs; 0 if it runs none. */
static CormBlockId running = 0;

/* claim takes the next task for this worker, or the work of loading durable ones. */
static void *
claim(Oid database, Oid session_user)
{
	corm_queue_lock();
	running = corm_queue_claim(database, session_user);
	corm_queue_unlock();
	if (running == 0 && !corm_load_claim(database, session_user))
		return NULL;
	return &running;
}

/* backoff_us returns how long to wait before the next attempt of a task. */
static int64
backoff_us(const CormTaskMore *more)
{
	double		us = (double) more->backoff_us;

	for (int i = 1; i < more->attempt && us < more->max_backoff_us; i++)
		us *= 2;
	us = Min(us, (double) more->max_backoff_us);
	return (int64) (us * (0.75 + 0.5 * pg_prng_double(&pg_global_prng_state)));
}

/*
 * is_retried tells whether a task that has failed is to be tried again.  That of a closed pool is not, but a
 * durable one has a row that waits until the pool is opened.  Needs the lock.
 */
static bool
is_retried(const CormTask *task)
{
	return !task->cancelled && corm_task_more(task)->attempt < corm_task_more(task)->max_attempts &&
		(task->durable || !corm_pools[task->pool].closed);
}

/*
 * is_left_out tells whether the row of a task that runs has to be looked for when the task has ended: its pool was closed,
 * but opened again before, when the task was still in the queue.  Needs the lock.
 */
static bool
is_left_out(const CormTask *task)
{
	return task->put_back && !corm_pools[task->pool].closed;
}

/*
 * settle ends a task that this process has run, or lets it wait for another attempt,
 * in delay_us microseconds if it is not negative.  result and data are what became of
 * this one.
 */
static void
settle(CormBlockId block, CormTaskResult result, int sqlstate, const void *data, Size len, int64 delay_us)
{
	CormTask   *task = corm_task_at(block);
	bool		lost = result == CORM_RESULT_LOST || result == CORM_RESULT_TIMED_OUT;
	bool		failed = result == CORM_RESULT_ERROR || lost;
	bool		left_out;

	corm_queue_lock();
	left_out = is_left_out(task);
	if (failed && task->cancelled && (sqlstate == ERRCODE_QUERY_CANCELED || lost))
		corm_queue_end(block, CORM_TASK_CANCELLED, corm_queue_store(block, CORM_RESULT_CANCELLED, NULL, 0));
	else
	{
		result = corm_queue_store(block, result, data, len);
		if (!failed)
			corm_queue_end(block, CORM_TASK_SUCCEEDED, result);
		else if (delay_us >= 0 && corm_pools[task->pool].closed)
			corm_queue_end(block, task->durable ? CORM_TASK_CANCELLED : CORM_TASK_FAILED, result);
		else if (delay_us >= 0)
			corm_queue_retry_later(block, delay_us);
		else
			corm_queue_end(block, CORM_TASK_FAILED, result);
	}
	corm_queue_unlock();
	if (left_out)
		corm_load_request(MyDatabaseId);
}

/* retry_delay returns after how many microseconds a task that has failed is tried again; -1: not at all. */
static int64
retry_delay(CormBlockId block)
{
	bool		again;

	corm_queue_lock();
	again = is_retried(corm_task_at(block));
	corm_queue_unlock();
	return again ? backoff_us(corm_task_more(corm_task_at(block))) : -1;
}

/* settle_mine settles the task that this process runs. */
static void
settle_mine(CormTaskResult result, int sqlstate, const void *data, Size len, int64 delay_us)
{
	CormBlockId block = running;

	running = 0;
	settle(block, result, sqlstate, data, len, delay_us);
}

/*
 * corm_task_settle_claimed settles a task that a test has claimed with
 * corm_queue_claim_paused: it has succeeded, without a value, or its worker was lost.
 */
void
corm_task_settle_claimed(int64 id, bool succeeded)
{
	CormBlockId block;

	corm_queue_lock();
	block = corm_queue_find(id);
	corm_queue_unlock();
	if (block != 0 && corm_task_at(block)->state == CORM_TASK_RUNNING)
		settle(block, succeeded ? CORM_RESULT_NONE : CORM_RESULT_LOST, 0, NULL, 0, retry_delay(block));
}

/* read_request copies the request of the running task to the current memory context. */
static char *
read_request(Size *len)
{
	CormTaskMore *more = corm_task_more(corm_task_at(running));
	char	   *request;

	*len = more->request_len;
	request = MemoryContextAllocHuge(CurrentMemoryContext, *len + 1);
	corm_queue_read(running, more->name_len + more->key_len + more->unique_len, request, *len);
	return request;
}

/*
 * Durable tasks: what is done to the row, in the transaction of the body
 */

/* after how many microseconds the running task is tried again, if it fails; as the row says */
static int64 durable_delay;

/* the row of the running task, if it is to be kept; in the memory of its transaction */
static CormDurable *keeping = NULL;

/* whether the running task could begin */
static CormDurableBegun begun;

/* begin locks the row.  Returns false if the task cannot begin. */
static bool
begin(CormJob *job)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);

	begun = corm_durable_task_begin(corm_task_at(running)->id, &keeping);
	MemoryContextSwitchTo(oldcontext);
	return begun == CORM_DURABLE_BEGUN;
}

/* read_late reads the parameters of a task that came from its row. */
static void
read_late(CormJob *job)
{
	corm_durable_task_params(corm_task_at(running)->id, &job->params);
}

/* keep keeps the running task, which has succeeded. */
static void
keep(const CormJobReport *report)
{
	CormTaskMore *more = corm_task_more(corm_task_at(running));

	keeping->attempt = more->attempt;
	keeping->started_at = more->started_at;
	keeping->finished_at = corm_clock_real();
	keeping->value = report->value;
	corm_kept_task_add(keeping);
}

/* is_cancel tells whether a task has failed because it was cancelled. */
static bool
is_cancel(const CormJobReport *report)
{
	return corm_task_at(running)->cancelled && report->error->sqlerrcode == ERRCODE_QUERY_CANCELED;
}

/* end deletes the row, or notes the failure in it. */
static void
end(CormJob *job, CormJobReport *report)
{
	CormTask   *task = corm_task_at(running);

	durable_delay = -1;
	if (report->outcome != CORM_JOB_FAILED)
	{
		corm_durable_task_succeed(task->id);
		if (keeping != NULL && report->outcome == CORM_JOB_COMMITTED)
			keep(report);
	}
	else if (!is_cancel(report))
	{
		durable_delay = retry_delay(running);
		corm_durable_task_fail(task->id, corm_task_more(task)->attempt, durable_delay >= 0,
						  corm_clock_real() + Max(durable_delay, 0), report->error);
	}
	else if (!task->put_back)
		(void) corm_durable_task_delete(task->id);
}

/* note_uncommitted notes in the row a failure that has undone what end did, that of the commit. */
static void
note_uncommitted(const CormJobReport *report)
{
	CormTask   *task = corm_task_at(running);

	if (is_cancel(report))
	{
		if (!task->put_back)
			corm_durable_task_record_cancel(task->id);
		return;
	}
	durable_delay = retry_delay(running);
	corm_durable_task_record_failure(task->id, corm_task_more(task)->attempt, durable_delay >= 0,
								corm_clock_real() + Max(durable_delay, 0), report->error);
}

/*
 * put_off_mine has the running task tried again later: another transaction has its row, and may be rolled back.
 * If the pool was closed, the row waits until it is opened.
 */
static void
put_off_mine(void)
{
	CormBlockId block = running;
	CormTask   *task = corm_task_at(block);
	bool		left_out;

	running = 0;
	corm_queue_lock();
	left_out = is_left_out(task);
	corm_task_more(task)->attempt--;
	if (task->put_back || corm_pools[task->pool].closed)
		corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
	else
		corm_queue_retry_later(block, BUSY_DELAY_US);
	corm_queue_unlock();
	if (left_out)
		corm_load_request(MyDatabaseId);
}

/* forget_mine forgets the running task: its row is gone, or somebody else's. */
static void
forget_mine(void)
{
	CormBlockId block = running;

	running = 0;
	corm_queue_lock();
	corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
	corm_queue_forget(block);
	corm_queue_unlock();
}

/* settle_unrun settles a durable task that is not to be run.  Returns false for one that is. */
static bool
settle_unrun(void)
{
	CormTask   *task = corm_task_at(running);

	if (task->cancelled)
	{
		corm_durable_task_record_cancel(task->id);
		settle_mine(CORM_RESULT_LOST, 0, NULL, 0, -1);
		return true;
	}
	if (task->broken)
	{
		ErrorData	error = {0};

		error.sqlerrcode = CORM_ERRCODE_WORKER_TERMINATED;
		error.message = "worker was terminated each time";
		corm_durable_task_record_failure(task->id, corm_task_more(task)->attempt, false, corm_clock_real(), &error);
		settle_mine(CORM_RESULT_LOST, 0, NULL, 0, -1);
		return true;
	}
	return false;
}

/* what became of the running task's job, when its transaction has ended; NULL before */
static const CormJobReport *volatile last_report = NULL;

/* settle_report settles the running task as its job has ended.  May raise only for want of memory. */
static void
settle_report(const CormJobReport *report, bool durable)
{
	StringInfoData error;

	switch (report->outcome)
	{
		case CORM_JOB_COMMITTED:
			if (report->value != NULL)
				settle_mine(CORM_RESULT_VALUE, 0, report->value, VARSIZE(report->value), -1);
			else
				settle_mine(CORM_RESULT_NONE, 0, NULL, 0, -1);
			break;
		case CORM_JOB_ROLLED_BACK:
			settle_mine(CORM_RESULT_ROLLED_BACK, 0, NULL, 0, -1);
			break;
		case CORM_JOB_SKIPPED:
			if (begun == CORM_DURABLE_BUSY)
				put_off_mine();
			else
				forget_mine();
			break;
		case CORM_JOB_FAILED:
			initStringInfo(&error);
			corm_error_flatten(report->error, &error);
			settle_mine(CORM_RESULT_ERROR, report->error->sqlerrcode, error.data, error.len,
						durable ? durable_delay : retry_delay(running));
			break;
	}
}

/* run_claimed runs the task.  May raise only for want of memory. */
static void
run_claimed(void)
{
	CormJob		job;
	CormJobReport report;
	Size		len;
	bool		durable = corm_task_at(running)->durable;
	char	   *request;

	if (durable && settle_unrun())
		return;
	request = read_request(&len);
	corm_job_parse(&job, request, len);
	if (durable)
	{
		job.read_late = read_late;
		job.begin = begin;
		job.end = end;
	}
	/* its settings are the session's then */
	if (job.kind == CORM_JOB_TOP_LEVEL)
		corm_worker_use_up();
	*corm_job_phase = CORM_PHASE_NONE;
	last_report = &report;
	corm_job_run(&job, &report);
	if (report.outcome == CORM_JOB_FAILED && durable && *corm_job_phase != CORM_PHASE_COMMITTED)
		note_uncommitted(&report);
	settle_report(&report, durable);
	last_report = NULL;
}

/*
 * settle_lost settles the running task when its worker is being terminated.  If its transaction has
 * committed, that is what became of it.  Otherwise, the row of a durable one has not been changed: it is run
 * again, though not for ever.
 */
static void
settle_lost(void)
{
	CormBlockId block = running;
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);

	if (last_report != NULL && *corm_job_phase == CORM_PHASE_COMMITTED)
	{
		settle_report(last_report, task->durable);
		return;
	}
	running = 0;
	if (!task->durable || task->put_back)
	{
		settle(block, corm_worker_fatal_sqlstate() == CORM_ERRCODE_TRANSACTION_TIMEOUT ? CORM_RESULT_TIMED_OUT : CORM_RESULT_LOST,
			   0, NULL, 0, retry_delay(block));
		return;
	}
	corm_queue_lock();
	more->attempt--;
	task->broken = ++more->losses > Max(MAX_LOSSES, Min(more->max_attempts, UINT8_MAX - 1));
	corm_queue_retry_later(block, LOST_DELAY_US);
	corm_queue_unlock();
}

/* run runs what claim has taken.  Raises nothing. */
static void
run(void *arg)
{
	MemoryContext context = CurrentMemoryContext;

	if (running == 0)
	{
		corm_load_run();
		return;
	}
	PG_TRY();
	{
		run_claimed();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
		last_report = NULL;
		if (running != 0)
			settle_lost();
	}
	PG_END_TRY();
}

/* lost settles what claim has taken when the worker is being terminated. */
static void
lost(void *arg)
{
	if (running != 0)
		settle_lost();
	corm_load_lost();
}

/* wanted tells the launcher what could run now. */
static void
wanted(void (*want) (Oid database, Oid session_user, int n))
{
	corm_queue_wanted(want);
	corm_load_want(want);
}

static const CormTaskSource source = {
	.wanted = wanted,
	.claim = claim,
	.run = run,
	.lost = lost,
	.pass = corm_queue_pass,
};

/* corm_task_run_init makes tasks what workers run. */
void
corm_task_run_init(void)
{
	corm_worker_add_source(&source);
}

/* corm_task_running_id returns the ID of the task that this process runs; 0 if it runs none. */
int64
corm_task_running_id(void)
{
	return running == 0 ? 0 : corm_task_at(running)->id;
}

/* current_task() -> (id, pool, name, attempt): NULLs outside of a task */
Datum
corm_current_task(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (running != 0)
	{
		CormTask   *task = corm_task_at(running);
		CormTaskMore *more = corm_task_more(task);
		char		name[NAMEDATALEN];

		corm_queue_read(running, 0, name, more->name_len);
		values[0] = Int64GetDatum(task->id);
		values[1] = CStringGetTextDatum(corm_pools[task->pool].name);
		values[2] = PointerGetDatum(cstring_to_text_with_len(name, more->name_len));
		values[3] = Int32GetDatum(more->attempt);
		nulls[0] = nulls[1] = nulls[3] = false;
		nulls[2] = more->name_len == 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* task_progress(percent, note) -> void */
Datum
corm_task_progress(PG_FUNCTION_ARGS)
{
	float8		percent;
	text	   *note = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	CormTaskMore *more;
	bool		stored = true;

	if (running == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("corm.task_progress can be called in the body of a task only")));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("percent must not be null")));
	percent = PG_GETARG_FLOAT8(0);
	if (!(percent >= 0 && percent <= 100))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("percent must be between 0 and 100")));

	more = corm_task_more(corm_task_at(running));
	corm_queue_lock();
	more->progress = (float4) percent;
	if (note != NULL)
		stored = corm_queue_set_note(running, VARDATA_ANY(note),
									 pg_mbcliplen(VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note), CORM_TASK_NOTE_MAX));
	corm_queue_unlock();
	if (!stored)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for tasks and messages"),
				 errhint("You might need to increase corm.work_memory.")));
	PG_RETURN_VOID();
}
