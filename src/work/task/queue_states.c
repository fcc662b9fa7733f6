/*-------------------------------------------------------------------------
 *
 * queue_states.c
 *		How a task comes into the queue, and waits there.
 *
 * All of it needs the lock of the queue, and raises nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "work/task/queue_parts.h"

#define COUNTER_BITS	44

/* room_freed lets the next one who waits for room in a pool look. */
static void
room_freed(CormPool *pool)
{
	if (pool->blocked > 0)
		ConditionVariableSignal(&pool->room);
}

/* corm_queue_look_idle tells those who wait for a closed pool when nothing is left in it. */
void
corm_queue_look_idle(CormPool *pool)
{
	if (pool->closed && pool->waiting == 0 && pool->running == 0)
		ConditionVariableBroadcast(&pool->idle);
}

/*
 * corm_queue_add adds a task of a transaction that has not ended.  The caller has
 * filled in the chain, which it holds, and has seen that there is room in the pool.
 * Returns false if there is no memory for the entries; then nothing has changed.
 */
bool
corm_queue_add(CormBlockId block, const uint64 *key_hash, const uint64 *unique_hash)
{
	CormTask   *task = corm_task_at(block);
	CormBlockId *chain;

	if (!corm_queue_take_entries(block, key_hash, unique_hash))
		return false;
	if (task->id == 0)
		task->id = CORM_TASK_ID_BIT | (int64) (corm_tasks->epoch << COUNTER_BITS) |
			(int64) (++corm_tasks->next_number & ((UINT64CONST(1) << COUNTER_BITS) - 1));
	corm_task_more(task)->seq = ++corm_tasks->next_seq;
	chain = corm_queue_chain_of(task->id);
	task->hash_next = *chain;
	*chain = block;
	task->state = CORM_TASK_UNCOMMITTED;
	task->pool_counted = !task->durable;
	corm_pools[task->pool].reserved += task->pool_counted;
	corm_pools[task->pool].tasks++;
	corm_tasks->ntasks++;
	corm_blocks_linked(&corm_work_blocks, task->nblocks);
	return true;
}

/* is_due tells whether the time of a task has come; one that was cancelled does not wait for it. */
static bool
is_due(const CormTask *task)
{
	return task->cancelled || task->due <= corm_clock_mono();
}

/* put_waiting puts a task whose time has come where it belongs. */
static void
put_waiting(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	corm_task_more(task)->ready_since = corm_clock_mono();
	if (task->cancelled && task->durable)
		corm_queue_doom(block);
	else if (task->key != 0 && !task->active)
		corm_queue_park(block);
	else
		corm_queue_push_ready(block);
}

/* corm_queue_set_waiting makes a task one that waits; in place unless it is held. */
void
corm_queue_set_waiting(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	task->state = CORM_TASK_WAITING;
	corm_pools[task->pool].waiting++;
	corm_pools[task->pool].roomless += task->durable;
	if (task->holds == 0)
		put_waiting(block);
}

/* corm_queue_set_scheduled makes a task one whose time will come; in the heap unless it is held. */
void
corm_queue_set_scheduled(CormBlockId block, CormTaskState state)
{
	CormTask   *task = corm_task_at(block);

	task->state = state;
	if (state == CORM_TASK_SCHEDULED)
	{
		corm_pools[task->pool].scheduled++;
		corm_pools[task->pool].roomless += task->durable;
	}
	else
		corm_pools[task->pool].retrying++;
	if (task->holds == 0)
		corm_queue_heap_add(block);
}

/* corm_queue_unset_state takes a task that has not ended out of its place and its pool's counts. */
void
corm_queue_unset_state(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormPool   *pool = &corm_pools[task->pool];

	corm_queue_leave_lane(block);
	corm_queue_heap_remove(block);
	switch ((CormTaskState) task->state)
	{
		case CORM_TASK_UNCOMMITTED:
			if (task->pool_counted)
			{
				pool->reserved--;
				task->pool_counted = false;
				room_freed(pool);
			}
			break;
		case CORM_TASK_SCHEDULED:
			pool->scheduled--;
			pool->roomless -= task->durable;
			room_freed(pool);
			break;
		case CORM_TASK_WAITING:
			pool->waiting--;
			pool->roomless -= task->durable;
			room_freed(pool);
			break;
		case CORM_TASK_RUNNING:
			pool->running--;
			break;
		case CORM_TASK_RETRYING:
			pool->retrying--;
			break;
		default:
			break;
	}
}

/*
 * corm_queue_enter makes a task of a transaction that has committed one of the queue.
 * If its pool was closed in the meantime, it has ended; but if it has a row and was cancelled, the row
 * has to go.
 */
void
corm_queue_enter(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormPool   *pool = &corm_pools[task->pool];
	bool		doomed = task->cancelled && task->durable;
	bool		later = !is_due(task);

	pool->submitted++;
	if (!doomed && (task->cancelled || pool->dropped || (pool->closed && (!pool->draining || later))))
	{
		corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
		return;
	}
	pool->reserved -= task->pool_counted;
	task->pool_counted = false;
	if (!later)
		corm_queue_set_waiting(block);
	else if (corm_task_more(task)->attempt == 0)
		corm_queue_set_scheduled(block, CORM_TASK_SCHEDULED);
	else
	{
		/* from its row: it has been tried before */
		corm_queue_activate(task);
		corm_queue_set_scheduled(block, CORM_TASK_RETRYING);
	}
}

/*
 * corm_queue_hold keeps a task from running until corm_queue_release.  The caller
 * has seen that it has not begun.
 */
void
corm_queue_hold(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	if (task->holds++ > 0)
		return;
	corm_queue_leave_lane(block);
	corm_queue_heap_remove(block);
}

/* corm_queue_release ends a hold.  A task that has become due meanwhile waits at once. */
void
corm_queue_release(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	if (--task->holds > 0)
		return;
	if (task->state == CORM_TASK_WAITING)
		put_waiting(block);
	else if (task->state == CORM_TASK_SCHEDULED || task->state == CORM_TASK_RETRYING)
	{
		if (!is_due(task))
			corm_queue_heap_add(block);
		else
		{
			corm_queue_unset_state(block);
			corm_queue_set_waiting(block);
		}
	}
}

/* corm_queue_reschedule gives a held task that has not begun another time. */
void
corm_queue_reschedule(CormBlockId block, int64 due)
{
	CormTask   *task = corm_task_at(block);

	Assert(task->holds > 0);
	task->due = due;
	if (task->state == CORM_TASK_UNCOMMITTED || (task->state == CORM_TASK_RETRYING && !is_due(task)))
		return;
	corm_queue_unset_state(block);
	if (!is_due(task))
		corm_queue_set_scheduled(block, CORM_TASK_SCHEDULED);
	else
		corm_queue_set_waiting(block);
}
