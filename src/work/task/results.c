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

/* Tasks to wait for. */
typedef struct TaskWait
{
	int64	   *ids;
	int			n;
	int			ended;			/* index of one that has ended, or is gone */
	int			last;			/* index of one whose process was looked at last */
	bool		begun;			/* others know of all of them */
	int64		look_at;		/* when to look whether it waits in vain; of the machine */
	int64		pause;			/* until the next look, in microseconds */
	int			in_vain;		/* so often it did */
	int64		stuck;			/* a task that cannot begin or end */
} TaskWait;

static uint32 wait_event = 0;

#define LOADING_MS	10000

/* A wait is in vain if it is so twice, with this between.  As long as it is not, the pauses grow. */
#define LOOK_AGAIN_US	(INT64CONST(200) * 1000)
#define LOOK_LATER_US	(INT64CONST(1600) * 1000)

/* So many tasks are looked at before the lock of the queue is let go for a moment. */
#define AT_A_TIME	1000

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

/* one_ended tells whether one of the tasks has ended, and which; or that the wait is in vain: then none. */
static bool
one_ended(void *arg)
{
	TaskWait   *wait = arg;

	wait->ended = -1;
	corm_queue_lock();
	for (int i = 0; i < wait->n && wait->ended < 0; i++)
	{
		CormBlockId block = corm_queue_find(wait->ids[i]);

		if (block == 0 || corm_task_has_ended(corm_task_at(block)))
			wait->ended = i;
		if (i % AT_A_TIME == AT_A_TIME - 1)
		{
			corm_queue_unlock();
			corm_queue_lock();
		}
	}
	corm_queue_unlock();
	return wait->ended >= 0 || (wait->look_at > 0 && give_up(wait));
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
		block = corm_queue_find(wait->ids[wait->last]);
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
 * wait_for_one waits until one of the tasks has ended, whose index is in wait->ended
 * then.  Returns false if the deadline passes first.  Raises 40P01.
 */
static bool
wait_for_one(TaskWait *wait, int64 deadline)
{
	volatile bool ended = false;

	if (one_ended(wait))
		return true;
	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormTask");
	PG_ENSURE_ERROR_CLEANUP(stop_waiting, (Datum) 0);
	{
		corm_waiters_begin(wait->ids, wait->n, wait->begun);
		wait->begun = true;
		wait->look_at = corm_clock_machine() + (int64) DeadlockTimeout * 1000;
		wait->pause = LOOK_AGAIN_US / 2;
		wait->in_vain = 0;
		for (;;)
		{
			long		pause = corm_work_pause(deadline);

			ended = corm_wait(wait->n == 1 ? CORM_WAIT_JOINS : CORM_WAIT_MANY, one_ended, working_process, wait,
							  pause, wait_event);
			if (ended || pause == 0)
				break;
		}
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_waiting, (Datum) 0);
	stop_waiting(0, (Datum) 0);
	wait->look_at = 0;
	if (ended && wait->ended < 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_DEADLOCK_DETECTED),
				 errmsg("deadlock detected"),
				 errdetail("Task " INT64_FORMAT " cannot begin or end, because the workers it needs run tasks that wait, as this one does.", wait->stuck),
				 errhint("Give the pool more workers, or corm.max_workers a larger value; or do not wait for tasks in tasks.")));
	return ended;
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
	TaskWait	wait = {.ids = &id, .n = 1};

	if (!wait_for_one(&wait, deadline))
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
	TaskWait	wait = {.ids = &id, .n = 1};
	CormTaskCopy copy;
	Jsonb	   *value;
	ErrorData  *error;

	look_up(id, &copy);
	if (!wait_for_one(&wait, deadline))
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

/* task_wait_all(ids, timeout) -> SETOF (id, result), as they end */
Datum
corm_task_wait_all(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		deadline = corm_work_deadline(fcinfo, 1, true);
	TaskWait	wait = {0};
	TupleDesc	desc;
	Datum	   *elems;
	bool	   *elem_nulls;

	corm_work_require("a task");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("IDs of tasks must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elems, &elem_nulls, &wait.n);
	InitMaterializedSRF(fcinfo, 0);
	desc = lookup_rowtype_tupdesc_copy(TupleDescAttr(rsinfo->setDesc, 1)->atttypid, -1);
	wait.ids = palloc(Max(wait.n, 1) * sizeof(int64));
	for (int i = 0; i < wait.n; i++)
	{
		CormTaskCopy copy;

		if (elem_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("ID of a task must not be null")));
		wait.ids[i] = DatumGetInt64(elems[i]);
		look_up(wait.ids[i], &copy);
	}
	while (wait.n > 0 && wait_for_one(&wait, deadline))
	{
		int64		id = wait.ids[wait.ended];
		Datum		values[2];
		bool		nulls[2] = {false};

		values[0] = Int64GetDatum(id);
		values[1] = result_of(id, desc);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		memmove(&wait.ids[wait.ended], &wait.ids[wait.ended + 1], (wait.n - wait.ended - 1) * sizeof(int64));
		wait.n--;
		CHECK_FOR_INTERRUPTS();
	}
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

	changeable(id, &copy);
	if (copy.task.durable)
	{
		again = copy.task.state == CORM_TASK_FAILED && corm_durable_task_reset(id);
		if (again)
			corm_submit_load_at_commit();
		PG_RETURN_BOOL(again);
	}
	corm_queue_lock();
	block = corm_queue_find(id);
	ended = block != 0 && (corm_task_at(block)->state == CORM_TASK_FAILED ||
						   corm_task_at(block)->state == CORM_TASK_CANCELLED);
	if (ended)
	{
		closed = corm_pools[corm_task_at(block)->pool].closed;
		again = !closed && corm_queue_again(block);
	}
	corm_queue_unlock();
	if (closed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool \"%s\" is closed", copy.pool)));
	if (ended && !again)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("cannot retry task " INT64_FORMAT, id),
				 errdetail("Another task uses its unique key, or there is no memory.")));
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

/* cancel_all cancels tasks, when corm.parallel ends before they do. */
static void
cancel_all(int code, Datum arg)
{
	TaskWait   *wait = (TaskWait *) DatumGetPointer(arg);

	for (int i = 0; i < wait->n; i++)
		(void) cancel(wait->ids[i]);
}

/*
 * join waits for the tasks of corm.parallel, whose IDs are in order in all, and puts
 * their values in place.  Returns the error of the first that has failed, or NULL.
 */
static ErrorData *
join(TaskWait *wait, const int64 *all, int n, Datum *values, bool *nulls, int64 deadline)
{
	while (wait->n > 0)
	{
		CormTaskCopy copy;
		Jsonb	   *value;
		ErrorData  *error;
		int64		id;

		if (!wait_for_one(wait, deadline))
			ereport(ERROR,
					(errcode(CORM_ERRCODE_SCOPE_TIMED_OUT),
					 errmsg("corm.parallel timed out"),
					 errdetail("The bodies that were running or waiting have been cancelled.")));
		id = wait->ids[wait->ended];
		look_up(id, &copy);
		memmove(&wait->ids[wait->ended], &wait->ids[wait->ended + 1], (wait->n - wait->ended - 1) * sizeof(int64));
		wait->n--;
		if (corm_task_outcome(&copy, &value, &error) == CORM_TX_FAILED)
			return error;
		for (int i = 0; i < n; i++)
		{
			if (all[i] == id && value != NULL)
			{
				values[i] = JsonbPGetDatum(value);
				nulls[i] = false;
			}
		}
	}
	return NULL;
}

/* parallel(bodies, timeout) -> jsonb[] */
Datum
corm_parallel(PG_FUNCTION_ARGS)
{
	int64		deadline = corm_work_deadline(fcinfo, 1, true);
	CormTaskOptions opts;
	TaskWait	wait = {0};
	Datum	   *bodies;
	bool	   *body_nulls;
	int64	   *all;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int			dims[1];
	int			lbs[1] = {1};
	ErrorData  *volatile error = NULL;

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
	wait.ids = palloc(n * sizeof(int64));
	all = palloc(n * sizeof(int64));
	values = palloc0(n * sizeof(Datum));
	nulls = palloc(n * sizeof(bool));
	memset(nulls, true, n * sizeof(bool));
	PG_ENSURE_ERROR_CLEANUP(cancel_all, PointerGetDatum(&wait));
	{
		for (int i = 0; i < n; i++)
		{
			text	   *body = DatumGetTextPP(bodies[i]);

			all[i] = corm_task_submit(&opts, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), NULL);
			wait.ids[wait.n++] = all[i];
		}
		error = join(&wait, all, n, values, nulls, deadline);
		if (error != NULL)
			ThrowErrorData(error);
	}
	PG_END_ENSURE_ERROR_CLEANUP(cancel_all, PointerGetDatum(&wait));
	dims[0] = n;
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, dims, lbs, JSONBOID, -1, false, TYPALIGN_INT));
}
