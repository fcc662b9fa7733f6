/*-------------------------------------------------------------------------
 *
 * copy.c
 *		A task as it is at a moment, copied from shared memory.
 *
 * Memory cannot be allocated under the lock, so the bytes are copied in two steps, and
 * again if the task has changed in between.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/errors.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "work/process/job.h"
#include "work/task/copy.h"
#include "work/task/kept.h"

static const char *const state_names[] = {
	[CORM_TASK_UNCOMMITTED] = "uncommitted",
	[CORM_TASK_SCHEDULED] = "scheduled",
	[CORM_TASK_WAITING] = "waiting",
	[CORM_TASK_RUNNING] = "running",
	[CORM_TASK_RETRYING] = "retrying",
	[CORM_TASK_SUCCEEDED] = "succeeded",
	[CORM_TASK_FAILED] = "failed",
	[CORM_TASK_CANCELLED] = "cancelled",
};

/* corm_task_state_name returns the word that users see; static storage. */
const char *
corm_task_state_name(CormTaskState state)
{
	return state_names[state];
}

/* make_error makes an error that was not kept as one. */
static ErrorData *
make_error(int sqlerrcode, const char *message)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));

	error->elevel = ERROR;
	error->sqlerrcode = sqlerrcode;
	error->message = pstrdup(message);
	error->message_id = error->message;
	error->assoc_context = CurrentMemoryContext;
	return error;
}

/* copy_task copies a task of this database that is in the queue.  Returns false if there is none. */
static bool
copy_task(int64 id, bool payload, CormTaskCopy *copy)
{
	Size		payload_size = 0;
	Size		result_size = 0;

	copy->payload = copy->result = NULL;
	for (;;)
	{
		CormBlockId block;
		Size		payload_len = 0;
		bool		enough = false;

		corm_queue_lock();
		block = corm_queue_find(id);
		if (block != 0)
		{
			copy->task = *corm_task_at(block);
			copy->more = *corm_task_more(corm_task_at(block));
			copy->database = corm_pools[copy->task.pool].database;
			copy->definition = corm_pools[copy->task.pool].definition;
			strlcpy(copy->pool, corm_pools[copy->task.pool].name, NAMEDATALEN);
			corm_queue_read(block, 0, copy->name, copy->more.name_len);
			copy->name[copy->more.name_len] = '\0';
			if (payload)
				payload_len = copy->more.name_len + copy->more.key_len + copy->more.unique_len + copy->more.request_len;
			enough = payload_len <= payload_size && copy->more.result_len <= result_size;
			if (enough)
			{
				if (payload)
					corm_queue_read(block, 0, copy->payload, payload_len);
				if (copy->more.result_len > 0)
				{
					CormWorkCursor cursor;

					corm_work_cursor_init(&cursor, copy->more.result_first);
					corm_work_read(&cursor, copy->result, copy->more.result_len);
				}
				if (copy->more.note != 0)
					memcpy(copy->note, corm_block_addr(&corm_work_blocks, copy->more.note) + sizeof(CormBlockId),
						   copy->more.note_len);
			}
		}
		corm_queue_unlock();
		if (block == 0 || copy->database != MyDatabaseId)
			return false;
		if (enough)
			return true;
		if (payload_len > payload_size)
		{
			payload_size = payload_len;
			copy->payload = MemoryContextAllocHuge(CurrentMemoryContext, payload_size);
		}
		if (copy->more.result_len > result_size)
		{
			result_size = copy->more.result_len;
			copy->result = MemoryContextAllocHuge(CurrentMemoryContext, result_size);
		}
	}
}

/*
 * copy_row makes a copy of the row of a durable task that is not in the queue: one
 * that has failed, or is kept, or has not been loaded.
 */
static void
copy_row(const CormDurable *durable, CormTaskCopy *copy)
{
	CormPoolRef ref;
	CormJob		job = {0};
	StringInfoData payload;
	StringInfoData result;

	memset(copy, 0, sizeof(CormTaskCopy));
	copy->database = MyDatabaseId;
	strlcpy(copy->pool, durable->opts.pool, NAMEDATALEN);
	strlcpy(copy->name, durable->opts.name, NAMEDATALEN);
	copy->definition = corm_pool_try_find(durable->opts.pool, &ref) ? ref.id : 0;
	copy->task.id = durable->id;
	copy->task.durable = true;
	copy->task.procno = -1;
	copy->task.priority = durable->opts.priority;
	copy->task.user = durable->user;
	copy->task.session_user = durable->session_user;
	copy->task.state = durable->kept ? CORM_TASK_SUCCEEDED :
		durable->failed ? CORM_TASK_FAILED :
		durable->run_at > corm_clock_real() ? CORM_TASK_SCHEDULED : CORM_TASK_WAITING;
	copy->more.attempt = durable->attempt;
	copy->more.max_attempts = durable->opts.max_attempts;
	copy->more.submitted_at = durable->submitted_at;
	copy->more.run_at = durable->run_at;
	copy->more.started_at = durable->started_at;
	copy->more.finished_at = durable->finished_at;
	copy->more.progress = -1;

	initStringInfo(&payload);
	appendStringInfoString(&payload, durable->opts.name);
	appendStringInfoString(&payload, durable->opts.key ? durable->opts.key : "");
	appendStringInfoString(&payload, durable->opts.unique_key ? durable->opts.unique_key : "");
	copy->more.name_len = strlen(durable->opts.name);
	copy->more.key_len = durable->opts.key ? strlen(durable->opts.key) : 0;
	copy->more.unique_len = durable->opts.unique_key ? strlen(durable->opts.unique_key) : 0;
	job.body = durable->body;
	job.body_len = strlen(durable->body);
	corm_job_flatten(&job, &payload);
	copy->more.request_len = payload.len - copy->more.name_len - copy->more.key_len - copy->more.unique_len;
	copy->payload = payload.data;

	if (durable->value != NULL)
	{
		copy->result = (char *) durable->value;
		copy->more.result = CORM_RESULT_VALUE;
		copy->more.result_len = VARSIZE(durable->value);
	}
	if (durable->error != NULL)
	{
		ErrorData  *error = make_error(durable->sqlerrcode, durable->error);

		initStringInfo(&result);
		corm_error_flatten(error, &result);
		copy->result = result.data;
		copy->more.result = CORM_RESULT_ERROR;
		copy->more.result_len = result.len;
	}
}

/*
 * corm_task_copy copies the task of this database with an ID, with the texts and the
 * request of its payload if that is wanted.  Returns false if there is none.
 */
bool
corm_task_copy(int64 id, bool payload, CormTaskCopy *copy)
{
	CormDurable durable;

	if (copy_task(id, payload, copy))
		return true;
	if (id <= 0 || (id & CORM_TASK_ID_BIT) != 0 ||
		(!corm_durable_task_read(id, &durable) && !corm_kept_task_read(id, &durable)))
		return false;
	copy_row(&durable, copy);
	return true;
}

/* corm_task_copy_row is corm_task_copy for a row that has been read. */
void
corm_task_copy_row(const CormDurable *durable, CormTaskCopy *copy)
{
	copy_row(durable, copy);
}

/* corm_task_no_such raises P0002. */
void
corm_task_no_such(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("there is no task " INT64_FORMAT, id),
			 errhint("A task is forgotten some time after it has ended: see result_ttl of corm.pool_create.")));
}

/* corm_task_is_own tells whether a task is the current role's own, or, with manage, of a pool that it manages. */
bool
corm_task_is_own(const CormTaskCopy *copy, bool manage)
{
	CormPoolRef ref;

	if (has_privs_of_role(GetUserId(), copy->task.user))
		return true;
	return manage && corm_pool_try_find(copy->pool, &ref) && ref.id == copy->definition &&
		corm_pool_may(&ref, CORM_POOL_MANAGE);
}

/* corm_task_check_own raises 42501 unless corm_task_is_own. */
void
corm_task_check_own(const CormTaskCopy *copy, bool manage)
{
	if (!corm_task_is_own(copy, manage))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for task " INT64_FORMAT, copy->task.id)));
}

/* corm_task_error returns the error of a task's last attempt, or NULL. */
ErrorData *
corm_task_error(const CormTaskCopy *copy)
{
	switch ((CormTaskResult) copy->more.result)
	{
		case CORM_RESULT_ERROR:
			return corm_error_parse(copy->result, copy->more.result_len);
		case CORM_RESULT_CANCELLED:
			return make_error(ERRCODE_QUERY_CANCELED, "task was cancelled");
		case CORM_RESULT_LOST:
			return make_error(CORM_ERRCODE_WORKER_TERMINATED, "worker was terminated");
		case CORM_RESULT_TIMED_OUT:
			return make_error(CORM_ERRCODE_TRANSACTION_TIMEOUT, "task exceeded the transaction_timeout that its body has set");
		case CORM_RESULT_GIVEN_UP:
			if (copy->task.state == CORM_TASK_FAILED || copy->task.state == CORM_TASK_RETRYING)
				return make_error(ERRCODE_OUT_OF_MEMORY, "task failed with an error that could not be kept");
			return NULL;
		default:
			return NULL;
	}
}

/*
 * corm_task_outcome returns what became of a task that has ended.  Raises 53200 if
 * its value could not be kept.
 */
CormTxOutcome
corm_task_outcome(const CormTaskCopy *copy, Jsonb **value, ErrorData **error)
{
	*value = NULL;
	*error = corm_task_error(copy);
	if (*error != NULL)
		return CORM_TX_FAILED;
	if (copy->more.result == CORM_RESULT_ROLLED_BACK)
		return CORM_TX_ROLLED_BACK;
	if (copy->more.result == CORM_RESULT_GIVEN_UP)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("task " INT64_FORMAT " succeeded, but its result could not be kept", copy->task.id),
				 errdetail("It is larger than corm.max_payload, or corm.work_memory was used up.")));
	if (copy->more.result == CORM_RESULT_VALUE)
		*value = (Jsonb *) copy->result;
	return CORM_TX_COMMITTED;
}
