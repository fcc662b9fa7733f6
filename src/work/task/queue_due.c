/*-------------------------------------------------------------------------
 *
 * queue_due.c
 *		What is done with tasks as time goes by, and when a database goes.
 *
 * Workers that look for a task, and the launcher, make those wait whose time has come.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "work/shared/gone.h"
#include "work/task/queue_parts.h"

#define MAX_WANTS		64
#define LOOK_MS			1000

/*
 * corm_queue_promote makes tasks whose time has come wait, and forgets results whose
 * time is over.  Returns when to look again, in monotonic time.
 */
int64
corm_queue_promote(void)
{
	int64		now = corm_clock_mono();

	while (corm_tasks->nheap > 0)
	{
		CormBlockId block = corm_queue.heap[1];
		CormTask   *task = corm_task_at(block);

		if (task->due > now)
			return task->due;
		if (corm_task_has_ended(task))
			corm_queue_forget(block);
		else
		{
			corm_queue_unset_state(block);
			corm_queue_set_waiting(block);
		}
		if (unlikely(corm_tasks->nheap > 0 && corm_queue.heap[1] == block))
			corm_queue_damaged("a task does not leave the heap");
	}
	return PG_INT64_MAX;
}

/* corm_queue_wanted tells how many tasks could run now, for each database and session user. */
void
corm_queue_wanted(void (*want) (Oid database, Oid session_user, int n))
{
	struct
	{
		Oid			database;
		Oid			session_user;
		int			n;
	}			wants[MAX_WANTS];
	int			nwants = 0;

	if (corm_tasks == NULL)
		return;
	corm_queue_lock();
	(void) corm_queue_promote();
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = corm_lane_at(block)->link)
	{
		CormLane   *lane = corm_lane_at(block);
		CormPool   *pool = &corm_pools[lane->pool];
		int			n = Min((int) lane->nready, pool->workers - (int) pool->running);
		int			i;

		if (n <= 0 || pool->paused)
			n = 0;
		n += (int) lane->ndoomed;
		if (n == 0)
			continue;
		for (i = 0; i < nwants; i++)
		{
			if (wants[i].database == lane->database && wants[i].session_user == lane->session_user)
				break;
		}
		if (i == MAX_WANTS)
			continue;
		if (i == nwants)
		{
			wants[i].database = lane->database;
			wants[i].session_user = lane->session_user;
			wants[i].n = 0;
			nwants++;
		}
		wants[i].n += n;
	}
	corm_queue_unlock();
	for (int i = 0; i < nwants; i++)
		want(wants[i].database, wants[i].session_user, wants[i].n);
}

/* look is the launcher's duty: tasks whose time has come, results whose time is over. */
static long
look(void)
{
	int64		next;

	if (corm_tasks == NULL)
		return -1;
	corm_queue_lock();
	next = corm_queue_promote();
	corm_queue_unlock();
	if (next == PG_INT64_MAX)
		return LOOK_MS;
	return Max(Min((next - corm_clock_mono() + 999) / 1000, LOOK_MS), 0);
}

static const CormDuty task_duty = {
	.name = "tasks",
	.look = look,
};

/* forget_task forgets a task of a database that is gone. */
static void
forget_task(CormBlockId block, void *arg)
{
	CormTask   *task = corm_task_at(block);

	if (corm_pools[task->pool].database != *(Oid *) arg)
		return;
	if (task->state == CORM_TASK_UNCOMMITTED || task->state == CORM_TASK_RUNNING)
		task->cancelled = true;
	else
	{
		if (!corm_task_has_ended(task))
			corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
		corm_queue_forget(block);
	}
}

/* forget_database forgets the tasks and pools of a database.  Raises nothing. */
static void
forget_database(Oid database)
{
	if (corm_tasks == NULL)
		return;
	corm_queue_lock();
	for (int i = 0; i < corm_max_pools; i++)
	{
		if (corm_pools[i].used && corm_pools[i].database == database)
		{
			corm_pools[i].dropped = corm_pools[i].closed = true;
			corm_pools[i].draining = false;
			ConditionVariableBroadcast(&corm_pools[i].room);
			ConditionVariableBroadcast(&corm_pools[i].idle);
		}
	}
	corm_queue_each(forget_task, &database);
	for (int i = 0; i < corm_max_pools; i++)
	{
		if (corm_pools[i].used && corm_pools[i].database == database)
			corm_queue_free_pool_if_idle(i);
	}
	corm_queue_unlock();
}

/* corm_queue_due_init adds the duty of the launcher, and what is done when a database is gone. */
void
corm_queue_due_init(void)
{
	corm_work_when_gone(forget_database);
	corm_queue.duty = corm_launcher_add(&task_duty);
}
