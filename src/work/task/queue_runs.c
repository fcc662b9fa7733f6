/*-------------------------------------------------------------------------
 *
 * queue_runs.c
 *		How a task is taken, runs, ends, and what is kept of it.
 *
 * All of it needs the lock of the queue, and raises nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "work/task/queue_parts.h"
#include "work/task/waiters.h"

/* drop_result frees what is kept of a task's last attempt. */
static void
drop_result(CormTaskMore *more)
{
	if (more->result_blocks > 0)
		corm_queue_give_blocks(more->result_first, more->result_last, more->result_blocks);
	more->result_first = more->result_last = 0;
	more->result_blocks = 0;
	more->result_len = 0;
	more->result = CORM_RESULT_NONE;
}

/* count_time adds a time to a sum and its histogram. */
static void
count_time(int64 us, int64 *sum, int64 *histogram)
{
	us = Max(us, 0);
	*sum += us;
	histogram[us <= 1 ? 0 : Min(pg_leftmost_one_pos64(us - 1) + 1, CORM_POOL_BUCKETS - 1)]++;
}

/* The pool in which this process has made a place that it is going to fill itself; -1: none. */
static int	owed_pool = -1;

/* others_wait tells whether tasks of a pool are ready that this process cannot run. */
static bool
others_wait(int pool)
{
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = corm_lane_at(block)->link)
	{
		CormLane   *lane = corm_lane_at(block);

		if (lane->pool == pool && lane->nready > 0 &&
			(lane->database != MyDatabaseId || lane->session_user != GetSessionUserId()))
			return true;
	}
	return false;
}

/*
 * fill_place has a free place in a pool filled: by this process, if it is a worker and can run
 * all that is ready, because it looks for its next task anyway; else by workers that are woken.
 */
static void
fill_place(int pool)
{
	if (corm_worker_self().slot >= 0 && !others_wait(pool))
		owed_pool = pool;
	else
		corm_queue_wake_pool(pool);
}

/* corm_queue_pass wakes workers for the place that this process does not fill.  Raises nothing. */
void
corm_queue_pass(void)
{
	int			pool = owed_pool;

	if (pool < 0)
		return;
	owed_pool = -1;
	corm_queue_lock();
	corm_queue_wake_pool(pool);
	corm_queue_unlock();
}

/* start makes a waiting task one that this process runs. */
static void
start(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	CormPool   *pool = &corm_pools[task->pool];
	int64		now = corm_clock_mono();

	corm_queue_unset_state(block);
	task->state = CORM_TASK_RUNNING;
	task->worker = corm_worker_self();
	drop_result(more);
	more->attempt++;
	more->started_at = corm_clock_real();
	more->progress = -1;
	pool->running++;
	pool->starts++;
	count_time(now - more->ready_since, &pool->wait_us, pool->wait_histogram);
	/* from now on, when it began to run */
	more->ready_since = now;
	corm_waiters_task_started(block);
}

/*
 * corm_queue_claim takes the next task for a worker of a database and session user: one that
 * was cancelled and has a row, whose pool does not matter, nor its session user, which may be gone;
 * or of the pools that may run more, that which has waited longest.  Returns 0 if there is none.
 */
CormBlockId
corm_queue_claim(Oid database, Oid session_user)
{
	CormBlockId best = 0;

	(void) corm_queue_promote();
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = corm_lane_at(block)->link)
	{
		CormLane   *lane = corm_lane_at(block);

		CormPool   *pool = &corm_pools[lane->pool];

		if (lane->database == database && lane->ndoomed > 0)
		{
			best = lane->doomed.first;
			break;
		}
		if (lane->nready == 0 || lane->database != database || lane->session_user != session_user ||
			pool->paused || pool->running >= pool->workers)
			continue;
		if (best == 0 || corm_task_more(corm_task_at(lane->top))->ready_since <
			corm_task_more(corm_task_at(best))->ready_since)
			best = lane->top;
	}
	if (best != 0)
		start(best);
	if (owed_pool >= 0 && (best == 0 || corm_task_at(best)->pool != owed_pool))
		corm_queue_wake_pool(owed_pool);
	owed_pool = -1;
	return best;
}

/*
 * corm_queue_claim_paused takes the next task of a pool of this database, whatever
 * its session user and even if the pool is paused: a test that pauses a pool runs its
 * tasks one by one.  Returns its ID, or 0 if there is none.
 */
int64
corm_queue_claim_paused(const char *name)
{
	int64		id = 0;

	corm_queue_lock();
	(void) corm_queue_promote();
	for (CormBlockId block = corm_tasks->lanes; block != 0 && id == 0; block = corm_lane_at(block)->link)
	{
		CormLane   *lane = corm_lane_at(block);
		CormPool   *pool = &corm_pools[lane->pool];

		if (lane->nready == 0 || lane->database != MyDatabaseId || strcmp(pool->name, name) != 0)
			continue;
		id = corm_task_at(lane->top)->id;
		start(lane->top);
	}
	corm_queue_unlock();
	return id;
}

/* ended_running does what follows when a task does not run any more. */
static void
ended_running(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormPool   *pool = &corm_pools[task->pool];

	task->worker.slot = -1;
	corm_waiters_task_ended(block);
	count_time(corm_clock_mono() - corm_task_more(task)->ready_since, &pool->run_us, pool->run_histogram);
	if (pool->waiting > 0)
		fill_place(task->pool);
}

/*
 * corm_queue_end ends a task, wherever it is: its result is kept for a while, the
 * next one with its key may run, its wait group and those who wait for it are told.
 * The caller has stored the result.
 */
void
corm_queue_end(CormBlockId block, CormTaskState state, CormTaskResult result)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	CormPool   *pool = &corm_pools[task->pool];
	bool		was_running = task->state == CORM_TASK_RUNNING;

	corm_queue_unset_state(block);
	corm_queue_drop_entries(task);
	task->state = state;
	more->result = result;
	more->finished_at = corm_clock_real();
	if (was_running)
		ended_running(block);
	if (state == CORM_TASK_SUCCEEDED)
		pool->succeeded++;
	else if (state == CORM_TASK_FAILED)
		pool->failed++;
	else
		pool->cancelled++;

	corm_queue_list_add(&corm_tasks->ended, block, CORM_TASK_ENDED);
	task->due = corm_clock_mono() + pool->ttl_us;
	corm_queue_heap_add(block);

	corm_group_task_ended(task->group);
	task->group.generation = 0;
	if (task->awaited)
		corm_waiters_wake(task->id);
	corm_queue_look_idle(pool);
}

/* corm_queue_retry_later makes a task that has failed wait for another attempt. */
void
corm_queue_retry_later(CormBlockId block, int64 delay_us)
{
	CormTask   *task = corm_task_at(block);

	corm_queue_unset_state(block);
	ended_running(block);
	corm_pools[task->pool].retried++;
	task->due = corm_clock_mono() + delay_us;
	corm_task_more(task)->run_at = corm_clock_real() + delay_us;
	corm_queue_set_scheduled(block, CORM_TASK_RETRYING);
	corm_queue_look_idle(&corm_pools[task->pool]);
}

/*
 * corm_queue_store keeps what became of a task's attempt, and returns what it is:
 * CORM_RESULT_GIVEN_UP if it is too large or there is no memory for it.
 */
CormTaskResult
corm_queue_store(CormBlockId block, CormTaskResult result, const void *data, Size len)
{
	CormTaskMore *more = corm_task_more(corm_task_at(block));
	CormBlockChain chain = {0};
	CormWorkCursor cursor;

	drop_result(more);
	if (len > (Size) corm_max_payload * 1024 || (len > 0 && !corm_queue_make_room(&chain, len)))
		result = CORM_RESULT_GIVEN_UP;
	else if (len > 0)
	{
		corm_work_cursor_init(&cursor, chain.first);
		corm_work_write(&cursor, data, len);
		more->result_first = chain.first;
		more->result_last = chain.last;
		more->result_blocks = chain.count;
		more->result_len = len;
		corm_blocks_linked(&corm_work_blocks, chain.count);
	}
	more->result = result;
	return result;
}

/* corm_queue_set_note gives a task a note.  Returns false if there is no memory. */
bool
corm_queue_set_note(CormBlockId block, const char *note, Size len)
{
	CormTaskMore *more = corm_task_more(corm_task_at(block));

	if (more->note == 0)
		more->note = corm_queue_take_block();
	if (more->note == 0)
		return false;
	memcpy(corm_block_addr(&corm_work_blocks, more->note) + sizeof(CormBlockId), note, len);
	more->note_len = len;
	return true;
}

/*
 * corm_queue_again makes a task that has ended run again, from the first attempt on.
 * Returns false if another task, whose ID is in *rival then, uses its unique key; or, with
 * *rival 0, if there is no memory for its entries.
 */
bool
corm_queue_again(CormBlockId block, int64 *rival)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	char		text[UINT8_MAX + 1];
	uint64		key[2];
	uint64		unique[2];
	CormBlockId other;

	*rival = 0;
	if (more->key_len > 0)
	{
		corm_queue_read(block, more->name_len, text, more->key_len);
		corm_queue_hash(key, task->pool, text, more->key_len);
	}
	if (more->unique_len > 0)
	{
		corm_queue_read(block, more->name_len + more->key_len, text, more->unique_len);
		corm_queue_hash(unique, task->pool, text, more->unique_len);
		other = corm_queue_unique_task(task->pool, unique);
		if (other != 0)
		{
			*rival = corm_task_at(other)->id;
			return false;
		}
	}
	if (!corm_queue_take_entries(block, more->key_len > 0 ? key : NULL, more->unique_len > 0 ? unique : NULL))
		return false;
	corm_queue_heap_remove(block);
	corm_queue_list_remove(&corm_tasks->ended, block);
	drop_result(more);
	task->cancelled = false;
	more->attempt = 0;
	more->finished_at = 0;
	more->run_at = corm_clock_real();
	corm_queue_set_waiting(block);
	return true;
}

/*
 * corm_queue_cancel ends a task that has not begun; if it runs, *running is the
 * job to be cancelled.  A task that is not committed ends when it is.
 */
void
corm_queue_cancel(CormBlockId block, CormWorkerRef *running)
{
	CormTask   *task = corm_task_at(block);

	running->slot = -1;
	switch ((CormTaskState) task->state)
	{
		case CORM_TASK_UNCOMMITTED:
			task->cancelled = true;
			break;
		case CORM_TASK_RUNNING:
			task->cancelled = true;
			/* also if its pool was closed before: the row goes */
			task->put_back = false;
			*running = task->worker;
			break;
		case CORM_TASK_SCHEDULED:
		case CORM_TASK_WAITING:
		case CORM_TASK_RETRYING:
			if (task->durable)
			{
				bool		again = task->cancelled;

				/* a worker deletes the row, whenever it is due; if it is held, when it is released */
				task->cancelled = true;
				if (!again && task->holds == 0)
				{
					corm_queue_unset_state(block);
					corm_queue_set_waiting(block);
				}
				break;
			}
			drop_result(corm_task_more(task));
			corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
			break;
		default:
			break;
	}
}

/*
 * corm_queue_put_back ends a durable task because its pool was closed; its row stays.
 * If it runs, *running is the job to be cancelled.  One that was cancelled before is left: its row
 * will be deleted.
 */
void
corm_queue_put_back(CormBlockId block, CormWorkerRef *running)
{
	CormTask   *task = corm_task_at(block);

	running->slot = -1;
	if (task->state == CORM_TASK_UNCOMMITTED || task->cancelled)
		return;
	if (task->state == CORM_TASK_RUNNING)
	{
		task->cancelled = task->put_back = true;
		*running = task->worker;
		return;
	}
	drop_result(corm_task_more(task));
	corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
}

/* corm_queue_forget removes a task that has ended or was never committed. */
void
corm_queue_forget(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	CormPool   *pool = &corm_pools[task->pool];

	if (task->place == CORM_TASK_ENDED)
	{
		corm_queue_list_remove(&corm_tasks->ended, block);
		corm_queue_heap_remove(block);
	}
	else
	{
		corm_queue_unset_state(block);
		corm_queue_drop_entries(task);
	}
	corm_queue_unlink(corm_queue_chain_of(task->id), block, offsetof(CormTask, hash_next));

	drop_result(more);
	if (more->note != 0)
		corm_queue_give_blocks(more->note, more->note, 1);
	pool->tasks--;
	corm_tasks->ntasks--;
	corm_queue_free_pool_if_idle(task->pool);
	corm_queue_give_blocks(block, task->last, task->nblocks);
}
