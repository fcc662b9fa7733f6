/*-------------------------------------------------------------------------
 *
 * results.c
 *		Waiting for tasks, and what became of them; cancelling, retrying, forgetting.
 *
 * Who waits for a task writes its ID down, and the end of the task sets the latch
 * (queue.c).  While a worker runs the task, the wait is also one for the worker's
 * transaction, so that a deadlock between the task and the session that waits for it
 * is found (work/process/wait.c).  A wait for a task that cannot begin is one too: waiters.c.
 *
 * Who waits for many tasks does not look at all of them whenever one ends: that would take a
 * time that grows with the square of their number.  It looks when as many have ended as are
 * worth it, an eighth of those that are left, and takes all of them then.  All that it has to
 * be told is when the last one has ended, and with few left it looks each time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/guc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "tx/tx_result.h"
#include "utils/array.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
#include "utils/wait_event.h"
#include "work/process/wait.h"
#include "work/shared/waiting.h"
#include "work/task/copy.h"
#include "work/task/kept.h"
#include "work/task/load.h"
#include "work/task/run.h"
#include "work/task/schedule.h"
#include "work/task/submit.h"
#include "work/task/task.h"
#include "work/task/waiters.h"

PG_FUNCTION_INFO_V1(corm_task_wait);
PG_FUNCTION_INFO_V1(corm_task_wait_call);
PG_FUNCTION_INFO_V1(corm_task_value);
PG_FUNCTION_INFO_V1(corm_task_wait_all);
PG_FUNCTION_INFO_V1(corm_task_cancel);
PG_FUNCTION_INFO_V1(corm_task_retry);
PG_FUNCTION_INFO_V1(corm_task_forget);
PG_FUNCTION_INFO_V1(corm_task_adopt);
PG_FUNCTION_INFO_V1(corm_parallel);

/* A task that is waited for. */
typedef struct Awaited
{
	int64		id;
	int			number;			/* of those that were given */
	TimestampTz ended_at;		/* 0: it has not, or has gone from the queue */
} Awaited;

/* Tasks to wait for. */
typedef struct TaskWait
{
	Awaited    *tasks;			/* those that have not ended, as far as is known */
	int			n;
	Awaited    *ended;			/* those that have, since the last look, in that order */
	int			nended;
	int			last;			/* index of one whose process was looked at last */
	uint32		woken;			/* corm_waiters_woken() before the last look; see is_due */
	int64		look_again;		/* when to look anyway; of the machine; 0: now */
	long		again_ms;		/* in so many milliseconds, if some have ended; -1: none */
	int64		look_at;		/* when to look whether it waits in vain; of the machine */
	int64		pause;			/* until the next look, in microseconds */
	int			in_vain;		/* so often it did */
	int64		stuck;			/* a task that cannot begin or end */
} TaskWait;

/* What is done with a task that has ended.  Returns false to end the wait. */
typedef bool (*TakeEnded) (const Awaited *task, void *arg);

static uint32 wait_event = 0;

#define LOADING_MS	10000

/* A wait is in vain if it is so twice, with this between.  As long as it is not, the pauses grow. */
#define LOOK_AGAIN_US	(INT64CONST(200) * 1000)
#define LOOK_LATER_US	(INT64CONST(1600) * 1000)

/* So many tasks are looked at before the lock of the queue is let go for a moment. */
#define AT_A_TIME	1000

/* So many are looked at whenever one has ended. */
#define FEW			64

/* Of more, this part must have ended; or this time has passed, and so many times as long as the last look has taken. */
#define WORTH_A_LOOK	8
#define LOOK_ANYWAY_US	(INT64CONST(50) * 1000)
#define LOOK_SHARE		16

/* get_id returns the ID of a task that is the first argument. */
static int64
get_id(FunctionCallInfo fcinfo)
{
	corm_work_require("a task");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ID of a task must not be null")));
	return PG_GETARG_INT64(0);
}

/*
 * await_loading waits, for a while, until a durable task that has only its row is in the
 * queue: after a start of the server that takes a moment.
 */
static void
await_loading(int64 id, CormTaskCopy *copy)
{
	for (int i = 0; i < LOADING_MS / 10 && copy->task.durable && copy->task.procno < 0 &&
		 !corm_task_has_ended(&copy->task); i++)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (!corm_task_copy(id, false, copy))
			corm_task_no_such(id);
	}
}

/* look_up copies a task that the current role may see.  Raises P0002, 42501, and 55000 for one of this transaction. */
static void
look_up(int64 id, CormTaskCopy *copy)
{
	bool		uncommitted;

	if (!corm_task_copy(id, false, copy))
		corm_task_no_such(id);
	await_loading(id, copy);
	uncommitted = copy->task.state == CORM_TASK_UNCOMMITTED;
	if (uncommitted && copy->task.procno == corm_my_procno())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot wait for task " INT64_FORMAT ", which this transaction has submitted", id),
				 errdetail("It starts when the transaction commits."),
				 copy->task.durable ? errhint("Commit first.") :
				 errhint("Commit first, or submit it with immediate => true.")));
	if (uncommitted)
		corm_task_no_such(id);
	corm_task_check_own(copy, true);
	if (id == corm_task_running_id() && !corm_task_has_ended(&copy->task))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("task " INT64_FORMAT " cannot wait for itself", id)));
}

/*
 * give_up tells whether this process is to give up waiting, because that would never end.  It looks after
 * deadlock_timeout, now and then.
 */
static bool
give_up(TaskWait *wait)
{
	int64		now = corm_clock_machine();

	if (now < wait->look_at)
		return false;
	if (corm_waiters_in_vain(&wait->stuck))
	{
		wait->in_vain++;
		wait->pause = LOOK_AGAIN_US;
	}
	else
	{
		wait->in_vain = 0;
		wait->pause = Min(wait->pause * 2, LOOK_LATER_US);
	}
	wait->look_at = now + wait->pause;
	return wait->in_vain >= 2;
}

/* compare_ended orders tasks by when they have ended; at the same time, as they were given. */
static int
compare_ended(const void *a, const void *b)
{
	const Awaited *x = a;
	const Awaited *y = b;

	if (x->ended_at != y->ended_at)
		return x->ended_at < y->ended_at ? -1 : 1;
	return x->number - y->number;
}

/*
 * look looks at all tasks, and moves those that have ended, or are gone, to wait->ended.  The
 * ends of the others set the latch of this process, if it has said that it waits.
 */
static void
look(TaskWait *wait)
{
	int64		started = corm_clock_machine();
	int			left = 0;

	wait->woken = corm_waiters_woken();
	wait->nended = 0;
	corm_queue_lock();
	for (int i = 0; i < wait->n; i++)
	{
		Awaited    *task = &wait->tasks[i];
		CormBlockId block = corm_queue_find(task->id);

		if (block != 0 && !corm_task_has_ended(corm_task_at(block)))
		{
			corm_task_at(block)->awaited = true;
			wait->tasks[left++] = *task;
		}
		else
		{
			task->ended_at = block != 0 ? corm_task_more(corm_task_at(block))->finished_at : 0;
			wait->ended[wait->nended++] = *task;
		}
		if (i % AT_A_TIME == AT_A_TIME - 1)
		{
			corm_queue_unlock();
			CHECK_FOR_INTERRUPTS();
			corm_queue_lock();
		}
	}
	corm_queue_unlock();
	wait->n = left;
	qsort(wait->ended, wait->nended, sizeof(Awaited), compare_ended);
	wait->look_again = corm_clock_machine();
	wait->look_again += Max(LOOK_ANYWAY_US, LOOK_SHARE * (wait->look_again - started));
}

/* is_due tells whether it is worth it to look at the tasks.  If not, sets when it will be. */
static bool
is_due(TaskWait *wait)
{
	uint32		woken = corm_waiters_woken() - wait->woken;
	int64		now = corm_clock_machine();

	wait->again_ms = -1;
	if (wait->n <= FEW || now >= wait->look_again || woken >= (uint32) (wait->n / WORTH_A_LOOK))
		return true;
	if (woken > 0)
		wait->again_ms = (long) ((wait->look_again - now) / 1000 + 1);
	return false;
}

/* some_ended tells whether some of the tasks have ended; or that the wait is in vain: then none. */
static bool
some_ended(void *arg)
{
	TaskWait   *wait = arg;

	if (is_due(wait))
		look(wait);
	return wait->nended > 0 || give_up(wait);
}

/* working_process returns the process that runs the task; if there are several, that of the next one that runs. */
static int
working_process(void *arg)
{
	TaskWait   *wait = arg;
	CormWorkerRef ref = {-1, 0};

	corm_queue_lock();
	for (int i = 0; i < wait->n && ref.slot < 0; i++)
	{
		CormBlockId block;

		wait->last = (wait->last + 1) % wait->n;
		block = corm_queue_find(wait->tasks[wait->last].id);
		if (block != 0 && corm_task_at(block)->state == CORM_TASK_RUNNING)
			ref = corm_task_at(block)->worker;
		if (i % AT_A_TIME == AT_A_TIME - 1)
		{
			corm_queue_unlock();
			corm_queue_lock();
		}
	}
	corm_queue_unlock();
	return corm_worker_procno(ref);
}

/* stop_waiting ends the wait, also when the process exits. */
static void
stop_waiting(int code, Datum arg)
{
	corm_waiters_end();
}

/*
 * wait_for_some waits until some of the tasks have ended, which are in wait->ended then.
 * Returns false if the deadline passes first.  Raises 40P01.
 */
static bool
wait_for_some(TaskWait *wait, int64 deadline)
{
	int64		ids[CORM_WAITER_IDS];
	int			n = Min(wait->n, CORM_WAITER_IDS);
	bool		ended;

	for (int i = 0; i < n; i++)
		ids[i] = wait->tasks[i].id;
	corm_waiters_begin(ids, n, wait->n > n);
	wait->look_at = corm_clock_machine() + (int64) DeadlockTimeout * 1000;
	wait->pause = LOOK_AGAIN_US / 2;
	wait->in_vain = 0;
	for (;;)
	{
		long		pause = corm_work_pause(deadline);

		ended = corm_wait(wait->n == 1 ? CORM_WAIT_JOINS : CORM_WAIT_MANY, some_ended, working_process, wait,
						  &wait->again_ms, pause, wait_event);
		if (ended || pause == 0)
			break;
	}
	if (ended && wait->nended == 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_DEADLOCK_DETECTED),
				 errmsg("deadlock detected"),
				 errdetail("Task " INT64_FORMAT " cannot begin or end, because the workers it needs run tasks that wait, as this one does.", wait->stuck),
				 errhint("Give the pool more workers, or corm.max_workers a larger value; or do not wait for tasks in tasks.")));
	/* the last ones may not have been worth a look */
	if (!ended)
		look(wait);
	return ended;
}

/* take_ended hands over what has ended.  Returns false if the wait is to end. */
static bool
take_ended(TaskWait *wait, TakeEnded take, void *arg)
{
	int			n = wait->nended;

	wait->nended = 0;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (take != NULL && !take(&wait->ended[i], arg))
			return false;
	}
	return true;
}

/*
 * wait_for_all waits until all tasks have ended, and hands each to take, which may be NULL:
 * those that are found ended together in the order in which they have.  Returns true when it
 * has waited for all or take has returned false; false if the deadline passes first.  Raises
 * 40P01, and what take raises.
 */
static bool
wait_for_all(TaskWait *wait, int64 deadline, TakeEnded take, void *arg)
{
	volatile bool in_time = true;

	look(wait);
	if (!take_ended(wait, take, arg) || wait->n == 0)
		return true;
	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormTask");
	/* what has ended before others knew that this process waits */
	wait->look_again = 0;
	PG_ENSURE_ERROR_CLEANUP(stop_waiting, (Datum) 0);
	{
		bool		more = true;

		while (more && in_time && wait->n > 0)
		{
			in_time = wait_for_some(wait, deadline);
			more = take_ended(wait, take, arg);
		}
		in_time = in_time || !more || wait->n == 0;
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_waiting, (Datum) 0);
	stop_waiting(0, (Datum) 0);
	return in_time;
}

/* wait_for_task waits for one task.  Returns false if the deadline passes first. */
static bool
wait_for_task(int64 id, int64 deadline)
{
	Awaited		task = {.id = id};
	Awaited		ended;
	TaskWait	wait = {.tasks = &task, .n = 1, .ended = &ended};

	return wait_for_all(&wait, deadline, NULL, NULL);
}

/* begin_wait makes a wait for as many as n tasks, which the caller adds. */
static void
begin_wait(TaskWait *wait, int n)
{
	memset(wait, 0, sizeof(TaskWait));
	wait->tasks = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(Awaited));
	wait->ended = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(Awaited));
}

static void
add_task(TaskWait *wait, int64 id)
{
	wait->tasks[wait->n] = (Awaited) {.id = id, .number = wait->n};
	wait->n++;
}

/* result_of makes a corm.tx_result of a task that has ended. */
static Datum
result_of(int64 id, TupleDesc desc)
{
	CormTaskCopy copy;
	Jsonb	   *value;
	ErrorData  *error;
	CormTxOutcome outcome;
	char		name[64];

	look_up(id, &copy);
	outcome = corm_task_outcome(&copy, &value, &error);
	snprintf(name, sizeof(name), "task " INT64_FORMAT, id);
	return corm_tx_result_datum(desc, outcome, value, copy.name[0] ? copy.name : name, error);
}

/* wait_for_result does the work of corm.task_wait.  Returns false if the time is over. */
static bool
wait_for_result(int64 id, int64 deadline, TupleDesc desc, Datum *result)
{
	if (!wait_for_task(id, deadline))
		return false;
	*result = result_of(id, desc);
	return true;
}

/* task_wait(id, timeout) -> corm.tx_result */
Datum
corm_task_wait(PG_FUNCTION_ARGS)
{
	int64		id = get_id(fcinfo);
	int64		deadline = corm_work_deadline(fcinfo, 1, true);
	CormTaskCopy copy;
	TupleDesc	desc;
	Datum		result;
	bool		ended;

	look_up(id, &copy);
	desc = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	ended = wait_for_result(id, deadline, desc, &result);
	ReleaseTupleDesc(desc);
	if (!ended)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/* CALL task_wait(id, timeout, INOUT result) */
Datum
corm_task_wait_call(PG_FUNCTION_ARGS)
{
	int64		id = get_id(fcinfo);
	int64		deadline = corm_work_deadline(fcinfo, 1, false);
	CormTaskCopy copy;
	TupleDesc	call_desc;
	TupleDesc	desc;
	Datum		result = (Datum) 0;
	bool		ended;

	look_up(id, &copy);
	if (get_call_result_type(fcinfo, NULL, &call_desc) != TYPEFUNC_COMPOSITE || call_desc->natts != 1)
		elog(ERROR, "unexpected result type of corm.task_wait");
	corm_work_leave_transaction(fcinfo, "corm.task_wait");
	desc = lookup_rowtype_tupdesc_copy(TupleDescAttr(call_desc, 0)->atttypid, -1);
	ended = wait_for_result(id, deadline, desc, &result);
	return corm_work_call_result(fcinfo, result, !ended);
}

/* task_value(id, timeout) -> jsonb */
Datum
corm_task_value(PG_FUNCTION_ARGS)
{
	int64		id = get_id(fcinfo);
	int64		deadline = corm_work_deadline(fcinfo, 1, true);
	CormTaskCopy copy;
	Jsonb	   *value;
	ErrorData  *error;

	look_up(id, &copy);
	if (!wait_for_task(id, deadline))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_TASK_TIME_OVER),
				 errmsg("task " INT64_FORMAT " has not ended in time", id)));
	look_up(id, &copy);
	if (corm_task_outcome(&copy, &value, &error) == CORM_TX_FAILED)
		ThrowErrorData(error);
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(value);
}

/* Where corm.task_wait_all puts results. */
typedef struct Results
{
	ReturnSetInfo *rsinfo;
	TupleDesc	desc;			/* of corm.tx_result */
} Results;

/* put_result makes a row of a task that has ended: a TakeEnded. */
static bool
put_result(const Awaited *task, void *arg)
{
	Results    *results = arg;
	Datum		values[2] = {Int64GetDatum(task->id), result_of(task->id, results->desc)};
	bool		nulls[2] = {false};

	tuplestore_putvalues(results->rsinfo->setResult, results->rsinfo->setDesc, values, nulls);
	return true;
}

/* task_wait_all(ids, timeout) -> SETOF (id, result), as they end */
Datum
corm_task_wait_all(PG_FUNCTION_ARGS)
{
	Results		results = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	int64		deadline = corm_work_deadline(fcinfo, 1, true);
	TaskWait	wait;
	Datum	   *elems;
	bool	   *elem_nulls;
	int			n;

	corm_work_require("a task");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("IDs of tasks must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elems, &elem_nulls, &n);
	InitMaterializedSRF(fcinfo, 0);
	results.desc = lookup_rowtype_tupdesc_copy(TupleDescAttr(results.rsinfo->setDesc, 1)->atttypid, -1);
	begin_wait(&wait, n);
	for (int i = 0; i < n; i++)
	{
		CormTaskCopy copy;

		CHECK_FOR_INTERRUPTS();
		if (elem_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("ID of a task must not be null")));
		look_up(DatumGetInt64(elems[i]), &copy);
		add_task(&wait, DatumGetInt64(elems[i]));
	}
	(void) wait_for_all(&wait, deadline, put_result, &results);
	return (Datum) 0;
}

/*
 * Changing tasks
 */

/* changeable copies a task that the current role may change. */
static void
changeable(int64 id, CormTaskCopy *copy)
{
	if (!corm_task_copy(id, false, copy) ||
		(copy->task.state == CORM_TASK_UNCOMMITTED && copy->task.procno != corm_my_procno()))
		corm_task_no_such(id);
	corm_task_check_own(copy, true);
}

/* has_row_only tells whether a durable task is not in the queue. */
static bool
has_row_only(const CormTaskCopy *copy)
{
	return copy->task.durable && copy->task.procno < 0;
}

/* cancel cancels a task, and returns false if it has ended. */
static bool
cancel(int64 id)
{
	CormWorkerRef running = {-1, 0};
	CormBlockId block;
	bool		ended;

	corm_queue_lock();
	block = corm_queue_find(id);
	ended = block == 0 || corm_task_has_ended(corm_task_at(block));
	if (!ended)
		corm_queue_cancel(block, &running);
	corm_queue_unlock();
	corm_worker_cancel(running);
	return !ended;
}

/* task_cancel(id) -> boolean */
Datum
corm_task_cancel(PG_FUNCTION_ARGS)
{
	int64		id = get_id(fcinfo);
	CormTaskCopy copy;

	changeable(id, &copy);
	if (copy.task.durable)
		corm_schedule_check_ticker(id, "cancel");
	if (has_row_only(&copy))
		PG_RETURN_BOOL(!corm_task_has_ended(&copy.task) && corm_durable_task_delete(id));
	PG_RETURN_BOOL(cancel(id));
}

/* closed_error raises 55000 for a task whose pool is closed. */
static void
closed_error(const CormTaskCopy *copy)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("pool \"%s\" is closed", copy->pool)));
}

/* rival_error raises 42710 for a task whose unique key another one uses. */
static void
rival_error(int64 id, int64 rival)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("cannot retry task " INT64_FORMAT, id),
			 errdetail("Task " INT64_FORMAT " uses its unique key.", rival)));
}

/*
 * retry_row has a durable task that has failed run again when the transaction commits.  Returns false if it has no
 * row any more.  Raises 55000 if its pool is closed, 42710 if another task uses its unique key.
 */
static bool
retry_row(int64 id, const CormTaskCopy *copy)
{
	CormDurable durable;
	CormBlockId block = 0;
	int64		rival = 0;
	int			number;
	bool		closed;

	if (!corm_durable_task_read(id, &durable))
		return false;
	if (durable.opts.unique_key != NULL)
		corm_load_wait();
	corm_queue_lock();
	number = corm_queue_pool(MyDatabaseId, copy->definition, false);
	closed = number >= 0 && corm_pools[number].closed;
	if (number >= 0 && durable.opts.unique_key != NULL)
	{
		uint64		hash[2];

		corm_queue_hash(hash, number, durable.opts.unique_key, strlen(durable.opts.unique_key));
		block = corm_queue_unique_task(number, hash);
	}
	if (block != 0)
		rival = corm_task_at(block)->id;
	corm_queue_unlock();
	if (closed)
		closed_error(copy);
	if (rival != 0)
		rival_error(id, rival);
	if (!corm_durable_task_reset(id))
		return false;
	corm_submit_load_at_commit();
	return true;
}

/* task_retry(id) -> boolean */
Datum
corm_task_retry(PG_FUNCTION_ARGS)
{
	int64		id = get_id(fcinfo);
	CormTaskCopy copy;
	CormBlockId block;
	bool		ended;
	bool		closed = false;
	bool		again = false;
	int64		rival = 0;

	changeable(id, &copy);
	if (copy.task.durable)
		PG_RETURN_BOOL(copy.task.state == CORM_TASK_FAILED && retry_row(id, &copy));
	corm_queue_lock();
	block = corm_queue_find(id);
	ended = block != 0 && (corm_task_at(block)->state == CORM_TASK_FAILED ||
						   corm_task_at(block)->state == CORM_TASK_CANCELLED);
	if (ended)
	{
		closed = corm_pools[corm_task_at(block)->pool].closed;
		again = !closed && corm_queue_again(block, &rival);
	}
	corm_queue_unlock();
	if (closed)
		closed_error(&copy);
	if (rival != 0)
		rival_error(id, rival);
	if (ended && !again)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for tasks and messages"),
				 errhint("You might need to increase corm.work_memory.")));
	PG_RETURN_BOOL(again);
}

/* task_forget(id) -> boolean */
Datum
corm_task_forget(PG_FUNCTION_ARGS)
{
	int64		id = get_id(fcinfo);
	CormTaskCopy copy;
	CormBlockId block;
	bool		ended;

	changeable(id, &copy);
	if (copy.task.durable)
		corm_schedule_check_ticker(id, "forget");
	if (copy.task.durable && copy.task.state == CORM_TASK_FAILED)
		(void) corm_durable_task_delete(id);
	if (copy.task.durable && copy.task.state == CORM_TASK_SUCCEEDED)
		(void) corm_kept_task_delete(id);
	if (has_row_only(&copy))
		PG_RETURN_BOOL(corm_task_has_ended(&copy.task));
	corm_queue_lock();
	block = corm_queue_find(id);
	ended = block != 0 && corm_task_has_ended(corm_task_at(block)) && corm_task_at(block)->holds == 0;
	if (ended)
		corm_queue_forget(block);
	corm_queue_unlock();
	PG_RETURN_BOOL(ended);
}

/* task_adopt() -> bigint */
Datum
corm_task_adopt(PG_FUNCTION_ARGS)
{
	int64		n;

	corm_work_require("a task");
	PreventCommandIfReadOnly("corm.task_adopt()");
	if (!superuser() && !corm_owns_database(MyDatabaseId, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to adopt durable tasks"),
				 errdetail("Only superusers and the owner of the database may.")));
	n = corm_durable_task_adopt();
	corm_submit_load_at_commit();
	PG_RETURN_INT64(n);
}

/*
 * Fork and join
 */

/* What corm.parallel makes. */
typedef struct Values
{
	Datum	   *values;			/* in the order of the bodies */
	bool	   *nulls;
	ErrorData  *error;			/* of the first body that has failed */
} Values;

/* cancel_all cancels tasks, when corm.parallel ends before they do. */
static void
cancel_all(int code, Datum arg)
{
	TaskWait   *wait = (TaskWait *) DatumGetPointer(arg);

	for (int i = 0; i < wait->n; i++)
		(void) cancel(wait->tasks[i].id);
}

/* put_value puts the value of a body in place, or notes its error: a TakeEnded. */
static bool
put_value(const Awaited *task, void *arg)
{
	Values	   *all = arg;
	CormTaskCopy copy;
	Jsonb	   *value;

	look_up(task->id, &copy);
	if (corm_task_outcome(&copy, &value, &all->error) == CORM_TX_FAILED)
		return false;
	all->error = NULL;
	if (value != NULL)
	{
		all->values[task->number] = JsonbPGetDatum(value);
		all->nulls[task->number] = false;
	}
	return true;
}

/* parallel(bodies, timeout) -> jsonb[] */
Datum
corm_parallel(PG_FUNCTION_ARGS)
{
	int64		deadline = corm_work_deadline(fcinfo, 1, true);
	CormTaskOptions opts;
	TaskWait	wait;
	Values		all = {0};
	Datum	   *bodies;
	bool	   *body_nulls;
	int			n;
	int			dims[1];
	int			lbs[1] = {1};

	corm_work_require("corm.parallel");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("bodies must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &bodies, &body_nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (body_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("body of a task must not be null")));
	}
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(JSONBOID));

	corm_task_options_init(&opts);
	opts.immediate = true;
	begin_wait(&wait, n);
	all.values = palloc0(n * sizeof(Datum));
	all.nulls = palloc(n * sizeof(bool));
	memset(all.nulls, true, n * sizeof(bool));
	PG_ENSURE_ERROR_CLEANUP(cancel_all, PointerGetDatum(&wait));
	{
		for (int i = 0; i < n; i++)
		{
			text	   *body = DatumGetTextPP(bodies[i]);

			add_task(&wait, corm_task_submit(&opts, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), NULL));
		}
		if (!wait_for_all(&wait, deadline, put_value, &all))
			ereport(ERROR,
					(errcode(CORM_ERRCODE_SCOPE_TIMED_OUT),
					 errmsg("corm.parallel timed out"),
					 errdetail("The bodies that were running or waiting have been cancelled.")));
		if (all.error != NULL)
			ThrowErrorData(all.error);
	}
	PG_END_ENSURE_ERROR_CLEANUP(cancel_all, PointerGetDatum(&wait));
	dims[0] = n;
	PG_RETURN_ARRAYTYPE_P(construct_md_array(all.values, all.nulls, 1, dims, lbs, JSONBOID, -1, false, TYPALIGN_INT));
}
