/*-------------------------------------------------------------------------
 *
 * list.c
 *		Tasks and pools as rows: corm.task_info, and what the views show.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "base/jsonb.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "work/group/group.h"
#include "work/process/job.h"
#include "work/task/copy.h"
#include "work/task/kept.h"

PG_FUNCTION_INFO_V1(corm_task_info);
PG_FUNCTION_INFO_V1(corm_list_tasks);
PG_FUNCTION_INFO_V1(corm_list_pools);

/* Columns of corm.task_state, and of corm.tasks */
enum
{
	STATE_ID,
	STATE_POOL,
	STATE_NAME,
	STATE_STATE,
	STATE_PRIORITY,
	STATE_ATTEMPT,
	STATE_MAX_ATTEMPTS,
	STATE_DURABLE,
	STATE_KEY,
	STATE_UNIQUE_KEY,
	STATE_WAIT_GROUP,
	STATE_SUBMITTER,
	STATE_SUBMITTED_AT,
	STATE_RUN_AT,
	STATE_STARTED_AT,
	STATE_FINISHED_AT,
	STATE_PROGRESS,
	STATE_NOTE,
	STATE_BODY,
	STATE_ERROR,
	STATE_SQLSTATE,
	STATE_COUNT
};

/* Columns of corm.list_pools */
enum
{
	POOL_ID,
	POOL_WORKERS,
	POOL_CAPACITY,
	POOL_CLOSED,
	POOL_PAUSED,
	POOL_WAITING,
	POOL_SCHEDULED,
	POOL_RETRYING,
	POOL_RUNNING,
	POOL_RESERVED,
	POOL_BLOCKED,
	POOL_SUBMITTED,
	POOL_SUCCEEDED,
	POOL_FAILED,
	POOL_CANCELLED,
	POOL_RETRIED,
	POOL_FULL_WAITS,
	POOL_WAIT_TIME,
	POOL_RUN_TIME,
	POOL_WAIT_HISTOGRAM,
	POOL_RUN_HISTOGRAM,
	POOL_COUNT
};

/* set_text sets a column to len bytes, or leaves it null if there are none. */
static void
set_text(Datum *values, bool *nulls, int column, const char *text, Size len)
{
	if (len == 0)
		return;
	values[column] = PointerGetDatum(cstring_to_text_with_len(text, len));
	nulls[column] = false;
}

/* set_time sets a column to a time, or leaves it null if that is not known. */
static void
set_time(Datum *values, bool *nulls, int column, TimestampTz time)
{
	if (time == 0)
		return;
	values[column] = TimestampTzGetDatum(time);
	nulls[column] = false;
}

/* may_see_texts tells whether the current role may see what a task of others says. */
static bool
may_see_texts(const CormTaskCopy *copy)
{
	return corm_task_is_own(copy, false) || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

/* fill_texts fills in what a task says. */
static void
fill_texts(const CormTaskCopy *copy, Datum *values, bool *nulls)
{
	const CormTaskMore *more = &copy->more;
	const char *at = copy->payload + more->name_len;
	CormJob		job;
	ErrorData  *error = corm_task_error(copy);

	set_text(values, nulls, STATE_NAME, copy->payload, more->name_len);
	set_text(values, nulls, STATE_KEY, at, more->key_len);
	at += more->key_len;
	set_text(values, nulls, STATE_UNIQUE_KEY, at, more->unique_len);
	at += more->unique_len;
	corm_job_parse(&job, at, more->request_len);
	set_text(values, nulls, STATE_BODY, job.body, job.body_len);
	if (more->note != 0)
		set_text(values, nulls, STATE_NOTE, copy->note, more->note_len);
	if (error != NULL)
	{
		set_text(values, nulls, STATE_ERROR, error->message, strlen(error->message));
		set_text(values, nulls, STATE_SQLSTATE, unpack_sql_state(error->sqlerrcode), 5);
	}
}

/* fill_state fills in the columns of a task. */
static void
fill_state(const CormTaskCopy *copy, Datum *values, bool *nulls)
{
	const CormTask *task = &copy->task;
	const CormTaskMore *more = &copy->more;
	char		group[NAMEDATALEN];

	memset(nulls, false, STATE_COUNT * sizeof(bool));
	for (int i = STATE_KEY; i < STATE_COUNT; i++)
		nulls[i] = true;
	nulls[STATE_NAME] = true;
	values[STATE_ID] = Int64GetDatum(task->id);
	values[STATE_POOL] = CStringGetTextDatum(copy->pool);
	values[STATE_STATE] = CStringGetTextDatum(corm_task_state_name(task->state));
	values[STATE_PRIORITY] = Int32GetDatum(task->priority);
	values[STATE_ATTEMPT] = Int32GetDatum(more->attempt);
	values[STATE_MAX_ATTEMPTS] = Int32GetDatum(more->max_attempts);
	values[STATE_DURABLE] = BoolGetDatum(task->durable);
	values[STATE_SUBMITTER] = ObjectIdGetDatum(task->user);
	nulls[STATE_SUBMITTER] = false;
	set_time(values, nulls, STATE_SUBMITTED_AT, more->submitted_at);
	set_time(values, nulls, STATE_RUN_AT, more->run_at);
	set_time(values, nulls, STATE_STARTED_AT, more->started_at);
	set_time(values, nulls, STATE_FINISHED_AT, more->finished_at);
	if (more->progress >= 0)
	{
		values[STATE_PROGRESS] = Float4GetDatum(more->progress);
		nulls[STATE_PROGRESS] = false;
	}
	if (corm_group_name(task->group, group))
		set_text(values, nulls, STATE_WAIT_GROUP, group, strlen(group));
	if (may_see_texts(copy))
		fill_texts(copy, values, nulls);
}

/* task_info(id) -> corm.task_state */
Datum
corm_task_info(PG_FUNCTION_ARGS)
{
	CormTaskCopy copy;
	TupleDesc	desc;
	Datum		values[STATE_COUNT];
	bool		nulls[STATE_COUNT];
	HeapTuple	tuple;

	corm_work_require("a task");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ID of a task must not be null")));
	if (!corm_task_copy(PG_GETARG_INT64(0), true, &copy) ||
		(copy.task.state == CORM_TASK_UNCOMMITTED && copy.task.procno != corm_my_procno()))
		corm_task_no_such(PG_GETARG_INT64(0));
	corm_task_check_own(&copy, true);
	fill_state(&copy, values, nulls);
	desc = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
	tuple = heap_form_tuple(desc, values, nulls);
	ReleaseTupleDesc(desc);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}

/* The IDs of the tasks that there are. */
typedef struct IdList
{
	int64	   *ids;
	uint32		n;
	uint32		size;
} IdList;

/* note_id adds a task to a list of IDs, if it is one of this database. */
static void
note_id(CormBlockId block, void *arg)
{
	IdList	   *list = arg;
	CormTask   *task = corm_task_at(block);

	if (corm_pools[task->pool].database != MyDatabaseId || list->n >= list->size ||
		(task->state == CORM_TASK_UNCOMMITTED && task->procno != corm_my_procno()))
		return;
	list->ids[list->n++] = task->id;
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* Where the rows of durable tasks are listed. */
typedef struct RowList
{
	const IdList *known;		/* listed already */
	ReturnSetInfo *rsinfo;
} RowList;

/* list_row lists the row of a durable task that is not in the queue. */
static bool
list_row(CormDurable *durable, void *arg)
{
	RowList    *list = arg;
	CormTaskCopy copy;
	Datum		values[STATE_COUNT];
	bool		nulls[STATE_COUNT];

	if (bsearch(&durable->id, list->known->ids, list->known->n, sizeof(int64), compare_ids) != NULL)
		return true;
	corm_task_copy_row(durable, &copy);
	fill_state(&copy, values, nulls);
	tuplestore_putvalues(list->rsinfo->setResult, list->rsinfo->setDesc, values, nulls);
	return true;
}

/* list_tasks() -> SETOF corm.task_state: those of the database */
Datum
corm_list_tasks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	IdList		list = {0};
	RowList		rows;
	MemoryContext context;

	InitMaterializedSRF(fcinfo, 0);
	if (corm_tasks == NULL)
		return (Datum) 0;
	corm_queue_lock();
	list.size = corm_tasks->ntasks + 100;
	corm_queue_unlock();
	list.ids = MemoryContextAllocHuge(CurrentMemoryContext, list.size * sizeof(int64));
	corm_queue_lock();
	corm_queue_each(note_id, &list);
	corm_queue_unlock();
	qsort(list.ids, list.n, sizeof(int64), compare_ids);

	context = AllocSetContextCreate(CurrentMemoryContext, "corm task", ALLOCSET_DEFAULT_SIZES);
	for (uint32 i = 0; i < list.n; i++)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		CormTaskCopy copy;
		Datum		values[STATE_COUNT];
		bool		nulls[STATE_COUNT];

		CHECK_FOR_INTERRUPTS();
		if (corm_task_copy(list.ids[i], true, &copy))
		{
			fill_state(&copy, values, nulls);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		MemoryContextSwitchTo(oldcontext);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	rows.known = &list;
	rows.rsinfo = rsinfo;
	corm_durable_task_each(list_row, &rows);
	corm_kept_task_each(list_row, &rows);
	return (Datum) 0;
}

/* add_time adds a time in milliseconds, exactly. */
static void
add_time(JsonbParseState **state, const char *key, int64 us)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("%.3f", us / 1000.0)),
															ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	corm_json_key(state, key);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* histogram_to_json makes an array of objects {"from", "to", "calls"}, as those of corm.stat_queries are, of the buckets that are not empty. */
static Datum
histogram_to_json(const int64 *histogram)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < CORM_POOL_BUCKETS; i++)
	{
		if (histogram[i] == 0)
			continue;
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		add_time(&state, "from", i == 0 ? 0 : INT64CONST(1) << (i - 1));
		add_time(&state, "to", INT64CONST(1) << i);
		corm_json_key(&state, "calls");
		corm_json_integer(&state, WJB_VALUE, histogram[i]);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/* list_pools() -> SETOF: what is in the pools of the database that are in use */
Datum
corm_list_pools(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (corm_tasks == NULL)
		return (Datum) 0;
	for (int i = 0; i < corm_max_pools; i++)
	{
		CormPool	pool;
		Datum		values[POOL_COUNT];
		bool		nulls[POOL_COUNT] = {false};

		corm_queue_lock();
		pool = corm_pools[i];
		corm_queue_unlock();
		if (!pool.used || pool.dropped || pool.database != MyDatabaseId)
			continue;
		values[POOL_ID] = Int64GetDatum(pool.definition);
		values[POOL_WORKERS] = Int32GetDatum(pool.workers);
		values[POOL_CAPACITY] = Int32GetDatum(pool.capacity);
		values[POOL_CLOSED] = BoolGetDatum(pool.closed);
		values[POOL_PAUSED] = BoolGetDatum(pool.paused);
		values[POOL_WAITING] = Int32GetDatum((int32) pool.waiting);
		values[POOL_SCHEDULED] = Int32GetDatum((int32) pool.scheduled);
		values[POOL_RETRYING] = Int32GetDatum((int32) pool.retrying);
		values[POOL_RUNNING] = Int32GetDatum((int32) pool.running);
		values[POOL_RESERVED] = Int32GetDatum((int32) pool.reserved);
		values[POOL_BLOCKED] = Int32GetDatum((int32) pool.blocked);
		values[POOL_SUBMITTED] = Int64GetDatum(pool.submitted);
		values[POOL_SUCCEEDED] = Int64GetDatum(pool.succeeded);
		values[POOL_FAILED] = Int64GetDatum(pool.failed);
		values[POOL_CANCELLED] = Int64GetDatum(pool.cancelled);
		values[POOL_RETRIED] = Int64GetDatum(pool.retried);
		values[POOL_FULL_WAITS] = Int64GetDatum(pool.full_waits);
		values[POOL_WAIT_TIME] = Float8GetDatum(pool.wait_us / 1000.0);
		values[POOL_RUN_TIME] = Float8GetDatum(pool.run_us / 1000.0);
		values[POOL_WAIT_HISTOGRAM] = histogram_to_json(pool.wait_histogram);
		values[POOL_RUN_HISTOGRAM] = histogram_to_json(pool.run_histogram);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
