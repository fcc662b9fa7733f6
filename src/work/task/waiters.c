/*-------------------------------------------------------------------------
 *
 * waiters.c
 *		Processes that wait for tasks, and those that run them.
 *
 * Who waits for tasks writes their IDs down, by its procno, and the end of one of them
 * sets its latch.
 *
 * Deadlocks.  PostgreSQL's detector sees the wait for a task that a worker runs
 * (work/process/wait.c), but not that for a task which has not begun.  Such a wait is in
 * vain if whatever would have to end before the task can begin waits itself, in the end
 * for a task that cannot begin: for example, two tasks in a pool of two workers that
 * each submit a task to that pool and wait for it.  What is known of all waits is in
 * shared memory, so this can be computed: all who wait are taken to wait in vain, and
 * those who do not are taken out until nothing changes.
 *
 * A wait for a lock, for room, for a message or in a client is not looked at: who is in one
 * counts as one that will go on.  So a deadlock may be missed, but none is found that is not
 * there, except while processes that have been seen change.  Therefore the waiting process asks
 * again a little later before it believes it.  One of those who can tell fails, the one that began to wait last.
 *
 * Locking: all of it is protected by the lock of the queue.  The slots of workers are read
 * without theirs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/compat.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "work/process/slots.h"
#include "work/task/queue.h"
#include "work/task/waiters.h"

/* So many IDs of those that a process waits for are known to others. */
#define MAX_IDS		8

typedef struct Waiter
{
	int			n;				/* IDs in ids; 0: it does not wait */
	bool		more;			/* it waits for others, too */
	uint64		seq;			/* order of the beginnings */
	int64		ids[MAX_IDS];
	CormBlockId running;		/* the task that this process runs; 0: none */
} Waiter;

typedef struct Waiters
{
	uint32		n;				/* processes that wait */
	uint64		next_seq;
	Waiter		by_procno[FLEXIBLE_ARRAY_MEMBER];
} Waiters;

static Waiters *waiters = NULL;

/* In this process: who waits in vain, as far as is known now; by procno. */
static bool *in_vain = NULL;

static Size
waiters_size(void)
{
	return add_size(offsetof(Waiters, by_procno), mul_size(corm_max_procs(), sizeof(Waiter)));
}

static void
waiters_attach(void *addr, Size size, bool found)
{
	waiters = addr;
	if (!found)
		memset(addr, 0, size);
}

static const CormSharedPart waiters_part = {
	.name = "corm waiters for tasks",
	.size = waiters_size,
	.attach = waiters_attach,
};

/* corm_waiters_init asks for the memory, when preloaded. */
void
corm_waiters_init(void)
{
	corm_shared_add(&waiters_part);
}

/* corm_waiters_begin says that the end of one of these tasks must set the latch of this process. */
void
corm_waiters_begin(const int64 *ids, int n)
{
	Waiter	   *me = &waiters->by_procno[corm_my_procno()];

	if (in_vain == NULL)
		in_vain = MemoryContextAlloc(TopMemoryContext, corm_max_procs() * sizeof(bool));
	corm_queue_lock();
	if (me->n == 0)
		waiters->n++;
	me->n = Min(n, MAX_IDS);
	me->more = n > MAX_IDS;
	me->seq = ++waiters->next_seq;
	memcpy(me->ids, ids, me->n * sizeof(int64));
	corm_queue_unlock();
}

/* corm_waiters_end ends that. */
void
corm_waiters_end(void)
{
	Waiter	   *me = &waiters->by_procno[corm_my_procno()];

	corm_queue_lock();
	if (me->n != 0)
		waiters->n--;
	me->n = 0;
	corm_queue_unlock();
}

/* waits_for tells whether a process waits for a task. */
static bool
waits_for(const Waiter *waiter, int64 id)
{
	for (int i = 0; i < waiter->n; i++)
	{
		if (waiter->ids[i] == id)
			return true;
	}
	return waiter->more;
}

/* corm_waiters_wake sets the latches of those who wait for a task. */
void
corm_waiters_wake(int64 id)
{
	uint32		left = waiters->n;

	for (uint32 i = 0; left > 0 && i < corm_max_procs(); i++)
	{
		if (waiters->by_procno[i].n == 0)
			continue;
		left--;
		if (waits_for(&waiters->by_procno[i], id))
			SetLatch(&ProcGlobal->allProcs[i].procLatch);
	}
}

/* corm_waiters_task_started notes that this process runs a task. */
void
corm_waiters_task_started(CormBlockId block)
{
	waiters->by_procno[corm_my_procno()].running = block;
}

/* corm_waiters_task_ended notes that this process does not run a task any more. */
void
corm_waiters_task_ended(CormBlockId block)
{
	if (waiters->by_procno[corm_my_procno()].running == block)
		waiters->by_procno[corm_my_procno()].running = 0;
}

/*
 * Waits that are in vain
 */

/* Which running tasks keep another one from beginning. */
typedef struct Holders
{
	int			pool;			/* of this pool; -1: any */
	CormBlockId key;			/* with this key; 0: any */
	uint32		needed;			/* so many there must be */
} Holders;

/*
 * held_in_vain tells whether at least as many running tasks as are needed keep a task from beginning, and
 * the processes of all of them wait in vain.
 */
static bool
held_in_vain(const Holders *holders)
{
	uint32		n = 0;

	for (int i = 0; i < corm_workers->nslots; i++)
	{
		const CormSlot *slot = &corm_slots[i];
		int			procno = slot->procno;
		CormBlockId block;
		CormTask   *task;

		if (slot->state != CORM_SLOT_RUNNING || !slot->task || procno < 0)
			continue;
		block = waiters->by_procno[procno].running;
		if (block == 0)
			return false;
		task = corm_task_at(block);
		if ((holders->pool >= 0 && task->pool != holders->pool) || (holders->key != 0 && task->key != holders->key))
			continue;
		if (!in_vain[procno])
			return false;
		n++;
	}
	return n >= holders->needed;
}

/* task_in_vain tells whether a task that somebody waits for cannot end before one of those that wait in vain goes on. */
static bool
task_in_vain(int64 id)
{
	CormBlockId block = corm_queue_find(id);
	CormTask   *task = block == 0 ? NULL : corm_task_at(block);
	CormPool   *pool;

	if (task == NULL)
		return false;
	pool = &corm_pools[task->pool];
	if (task->state == CORM_TASK_RUNNING)
	{
		int			procno = task->worker.slot >= 0 ? corm_slots[task->worker.slot].procno : -1;

		return procno >= 0 && waiters->by_procno[procno].running == block && in_vain[procno];
	}
	if (task->state != CORM_TASK_WAITING || task->holds > 0 || pool->paused)
		return false;
	if (task->place == CORM_TASK_PARKED)
		return held_in_vain(&(Holders) {.pool = -1, .key = task->key, .needed = corm_queue_key_active(task->key)});
	if (pool->running >= pool->workers)
		return held_in_vain(&(Holders) {.pool = task->pool, .needed = pool->running});
	return held_in_vain(&(Holders) {.pool = -1, .needed = Max(corm_workers->nslots - corm_reserved_workers, 1)});
}

/* called_procno returns the worker that runs an autonomous transaction for a process, or -1. */
static int
called_procno(int procno)
{
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		if (corm_slots[i].state == CORM_SLOT_RUNNING && !corm_slots[i].task && corm_slots[i].claimant == procno)
			return corm_slots[i].procno;
	}
	return -1;
}

/* is_in_vain tells whether a process waits in vain, if those do that are taken to. */
static bool
is_in_vain(int procno)
{
	Waiter	   *waiter = &waiters->by_procno[procno];
	int			called = called_procno(procno);

	if (called >= 0)
		return in_vain[called];
	for (int i = 0; i < waiter->n; i++)
	{
		if (task_in_vain(waiter->ids[i]))
			return true;
	}
	return false;
}

/* can_tell tells whether a process looks whether it waits in vain: it is not in the lock manager. */
static bool
can_tell(const Waiter *waiter)
{
	CormBlockId block;

	if (waiter->n == 0)
		return false;
	if (waiter->n > 1)
		return true;
	block = corm_queue_find(waiter->ids[0]);
	return block != 0 && corm_task_at(block)->state == CORM_TASK_WAITING;
}

/* is_worker tells whether a process runs a job. */
static bool
is_worker(int procno)
{
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		if (corm_slots[i].state == CORM_SLOT_RUNNING && corm_slots[i].procno == procno)
			return true;
	}
	return false;
}

/*
 * corm_waiters_in_vain tells whether this process, which waits for tasks, does so in vain, and is the one
 * that is to give up.  *id is a task that cannot begin or end then.
 */
bool
corm_waiters_in_vain(int64 *id)
{
	int			me = corm_my_procno();
	bool		changed;
	bool		mine;

	corm_queue_lock();
	for (uint32 i = 0; i < corm_max_procs(); i++)
		in_vain[i] = waiters->by_procno[i].n > 0 || called_procno(i) >= 0;
	do
	{
		changed = false;
		for (uint32 i = 0; i < corm_max_procs(); i++)
		{
			if (in_vain[i] && !is_in_vain(i))
			{
				in_vain[i] = false;
				changed = true;
			}
		}
	} while (changed);
	/* an ordinary session holds no worker: that it gives up would help nobody */
	mine = in_vain[me] && is_worker(me) && can_tell(&waiters->by_procno[me]);
	for (uint32 i = 0; mine && i < corm_max_procs(); i++)
		mine = !in_vain[i] || waiters->by_procno[i].seq <= waiters->by_procno[me].seq ||
			!is_worker(i) || !can_tell(&waiters->by_procno[i]);
	for (int i = 0; mine && i < waiters->by_procno[me].n; i++)
	{
		if (task_in_vain(waiters->by_procno[me].ids[i]))
			*id = waiters->by_procno[me].ids[i];
	}
	corm_queue_unlock();
	return mine;
}
