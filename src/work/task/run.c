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
#include "work/task/queue.h"
#include "work/task/run.h"

PG_FUNCTION_INFO_V1(corm_current_task);
PG_FUNCTION_INFO_V1(corm_task_progress);

/* The task that this process runs; 0 if it runs none. */
static CormBlockId running = 0;

/* claim takes the next task for this worker. */
static void *
claim(Oid database, Oid session_user)
{
	corm_queue_lock();
	running = corm_queue_claim(database, session_user);
	corm_queue_unlock();
	return running == 0 ? NULL : &running;
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
 * settle ends a task that this process has run, or lets it wait for another attempt.
 * result and data are what became of this one.
 */
static void
settle(CormBlockId block, CormTaskResult result, int sqlstate, const void *data, Size len)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	bool		failed = result == CORM_RESULT_ERROR || result == CORM_RESULT_LOST;

	corm_queue_lock();
	if (failed && task->cancelled && (sqlstate == ERRCODE_QUERY_CANCELED || result == CORM_RESULT_LOST))
		corm_queue_end(block, CORM_TASK_CANCELLED, corm_queue_store(block, CORM_RESULT_CANCELLED, NULL, 0));
	else
	{
		result = corm_queue_store(block, result, data, len);
		if (!failed)
			corm_queue_end(block, CORM_TASK_SUCCEEDED, result);
		else if (!task->cancelled && more->attempt < more->max_attempts && !corm_pools[task->pool].closed)
			corm_queue_retry_later(block, backoff_us(more));
		else
			corm_queue_end(block, CORM_TASK_FAILED, result);
	}
	corm_queue_unlock();
}

/* settle_mine settles the task that this process runs. */
static void
settle_mine(CormTaskResult result, int sqlstate, const void *data, Size len)
{
	CormBlockId block = running;

	running = 0;
	settle(block, result, sqlstate, data, len);
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
		settle(block, succeeded ? CORM_RESULT_NONE : CORM_RESULT_LOST, 0, NULL, 0);
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

/* run_claimed runs the task.  May raise only for want of memory. */
static void
run_claimed(void)
{
	CormJob		job;
	CormJobReport report;
	StringInfoData error;
	Size		len;
	char	   *request = read_request(&len);

	corm_job_parse(&job, request, len);
	corm_job_run(&job, &report);
	switch (report.outcome)
	{
		case CORM_JOB_COMMITTED:
			if (report.value != NULL)
				settle_mine(CORM_RESULT_VALUE, 0, report.value, VARSIZE(report.value));
			else
				settle_mine(CORM_RESULT_NONE, 0, NULL, 0);
			break;
		case CORM_JOB_ROLLED_BACK:
		case CORM_JOB_SKIPPED:
			settle_mine(CORM_RESULT_ROLLED_BACK, 0, NULL, 0);
			break;
		case CORM_JOB_FAILED:
			initStringInfo(&error);
			corm_error_flatten(report.error, &error);
			settle_mine(CORM_RESULT_ERROR, report.error->sqlerrcode, error.data, error.len);
			break;
	}
}

/* run runs the task that claim has taken, and settles it.  Raises nothing. */
static void
run(void *arg)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		run_claimed();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
		if (running != 0)
			settle_mine(CORM_RESULT_LOST, 0, NULL, 0);
	}
	PG_END_TRY();
}

/* lost settles the task of a worker that is being terminated. */
static void
lost(void *arg)
{
	if (running != 0)
		settle_mine(CORM_RESULT_LOST, 0, NULL, 0);
}

static const CormTaskSource source = {
	.wanted = corm_queue_wanted,
	.claim = claim,
	.run = run,
	.lost = lost,
};

/* corm_task_run_init makes tasks what workers run. */
void
corm_task_run_init(void)
{
	corm_worker_add_source(&source);
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
