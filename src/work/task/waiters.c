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
 * shared memory, so this can be computed: all workers that wait are taken to wait in vain, and
 * those that do not are taken out until nothing changes.
 *
 * Only a worker looks: an ordinary session holds none, so that it gives up would help nobody, and nothing
 * waits for it.  It takes down, under the lock, what each running job waits for, at most CORM_WAITER_IDS things, and
 * computes from that after it has released the lock, in a time that is linear in what it has taken down.
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
#include "work/process/slots.h"
#include "work/task/queue.h"
#include "work/task/waiters.h"

typedef struct Waiter
{
	int			n;				/* IDs in ids; 0: it does not wait */
	bool		more;			/* it waits for others, too */
	uint32		woken;			/* counts ends of tasks that it may wait for */
	uint64		seq;			/* order of the beginnings */
	int64		ids[CORM_WAITER_IDS];
	CormBlockId running;		/* the task that this process runs; 0: none */
} Waiter;

typedef struct Waiters
{
	uint32		n;				/* processes that wait */
	uint64		next_seq;
	Waiter		by_procno[FLEXIBLE_ARRAY_MEMBER];
} Waiters;

static Waiters *waiters = NULL;

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

/*
 * corm_waiters_begin says that the ends of tasks must set the latch of this process: of n
 * of which the IDs are given, CORM_WAITER_IDS at most; with more, of others, too.  Only
 * tasks that are marked as awaited tell it.
 */
void
corm_waiters_begin(const int64 *ids, int n, bool more)
{
	Waiter	   *me = &waiters->by_procno[corm_my_procno()];

	corm_queue_lock();
	if (me->n == 0)
		waiters->n++;
	me->n = n;
	me->more = more;
	me->seq = ++waiters->next_seq;
	memcpy(me->ids, ids, n * sizeof(int64));
	corm_queue_unlock();
}

/*
 * corm_waiters_woken returns how often the end of a task has set the latch of this process:
 * a count that goes on from one wait to the next.  It needs no lock.
 */
uint32
corm_waiters_woken(void)
{
	return *(volatile uint32 *) &waiters->by_procno[corm_my_procno()].woken;
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
		if (!waits_for(&waiters->by_procno[i], id))
			continue;
		waiters->by_procno[i].woken++;
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

/*
 * A thing that can be in vain: a job that runs, which is so as long as one of those that it waits for is; or all
 * jobs that keep a task from beginning, as long as every one of them is.
 */
typedef struct WaitNode
{
	int			count;			/* so many that it depends on are in vain; at 0 it is not, either */
	int			first;			/* edge to one that depends on it; -1: none */
} WaitNode;

/* An edge from a node to one that depends on it. */
typedef struct Edge
{
	int			to;
	int			next;			/* of the same node; -1: none */
} Edge;

/* What a job waits for. */
typedef struct Wait
{
	int64		id;				/* of a task */
	int			job;			/* runs it; -1: it does not run */
	int			pool;			/* whose workers are all busy; -1: none */
	CormBlockId key;			/* of which no more may run; 0: none */
	uint32		needed;			/* so many running jobs must keep it from beginning, or as many as there may be */
} Wait;

/* A job that runs, by its slot, as it was seen. */
typedef struct Job
{
	bool		runs;
	bool		is_task;
	bool		can_tell;		/* its process looks whether it waits in vain: it is not in the lock manager */
	int			called;			/* the job of an autonomous transaction that it waits for; -1: none */
	uint64		seq;
	int			pool;			/* of its task; -1: unknown */
	CormBlockId key;
	int			nwaits;
	Wait		waits[CORM_WAITER_IDS];
} Job;

/* A key of running jobs, and the node that stands for all of them. */
typedef struct KeyNode
{
	CormBlockId key;
	int			node;
	uint32		n;
} KeyNode;

/* One look. */
typedef struct Look
{
	int			njobs;			/* slots */
	Job		   *jobs;
	int		   *job_of;			/* by procno; -1: it runs none */
	uint32	   *running;		/* tasks, by pool */
	uint32		tasks;			/* that run */
	bool		unknown;		/* a worker is just beginning or ending a task */
	KeyNode    *keys;
	int			nkeys;
	WaitNode	   *nodes;			/* jobs; then all tasks; then pools; then keys */
	Edge	   *edges;
	int			nedges;
	int		   *found;			/* nodes that were found not to be in vain */
	int			nfound;
} Look;

/* see_wait takes down what a job waits for.  Needs the lock. */
static void
see_wait(Wait *wait, int64 id)
{
	CormBlockId block = corm_queue_find(id);
	CormTask   *task = block == 0 ? NULL : corm_task_at(block);
	CormPool   *pool;

	*wait = (Wait) {.id = id, .job = -1, .pool = -1};
	if (task == NULL)
		return;
	pool = &corm_pools[task->pool];
	if (task->state == CORM_TASK_RUNNING)
	{
		int			procno = task->worker.slot >= 0 ? corm_slots[task->worker.slot].procno : -1;

		if (procno >= 0 && waiters->by_procno[procno].running == block)
			wait->job = task->worker.slot;
	}
	else if (task->place == CORM_TASK_DOOMED)
		wait->needed = Max(corm_workers->nslots - corm_reserved_workers, 1);
	else if (task->state != CORM_TASK_WAITING || task->holds > 0 || pool->paused)
		return;
	else if (task->place == CORM_TASK_PARKED)
	{
		wait->key = task->key;
		wait->needed = corm_queue_key_active(task->key);
	}
	else if (pool->running >= pool->workers)
	{
		wait->pool = task->pool;
		wait->needed = pool->running;
	}
	else
		wait->needed = Max(corm_workers->nslots - corm_reserved_workers, 1);
}

/* may_tell tells whether a process that waits looks itself whether that is in vain.  Needs the lock. */
static bool
may_tell(const Waiter *waiter)
{
	CormBlockId block;

	if (waiter->n != 1)
		return waiter->n > 1;
	block = corm_queue_find(waiter->ids[0]);
	return block != 0 && corm_task_at(block)->state == CORM_TASK_WAITING;
}

/* see takes down what all running jobs wait for.  Needs the lock; raises nothing. */
static void
see(Look *look)
{
	for (int i = 0; i < look->njobs; i++)
	{
		const CormSlot *slot = &corm_slots[i];
		Job		   *job = &look->jobs[i];
		int			procno = slot->procno;
		Waiter	   *waiter;

		*job = (Job) {.called = -1, .pool = -1};
		if (slot->state != CORM_SLOT_RUNNING || procno < 0)
			continue;
		waiter = &waiters->by_procno[procno];
		job->runs = true;
		job->is_task = slot->task;
		if (job->is_task && waiter->running != 0)
		{
			job->pool = corm_task_at(waiter->running)->pool;
			job->key = corm_task_at(waiter->running)->key;
		}
		job->seq = waiter->seq;
		job->can_tell = may_tell(waiter);
		job->nwaits = waiter->n;
		for (int w = 0; w < waiter->n; w++)
			see_wait(&job->waits[w], waiter->ids[w]);
		look->job_of[procno] = i;
	}
	for (int i = 0; i < look->njobs; i++)
	{
		const CormSlot *slot = &corm_slots[i];
		int			claimant = slot->claimant;

		if (look->jobs[i].runs && !look->jobs[i].is_task && claimant >= 0 && look->job_of[claimant] >= 0)
			look->jobs[look->job_of[claimant]].called = i;
	}
}

static int
compare_keys(const void *a, const void *b)
{
	CormBlockId x = ((const KeyNode *) a)->key;
	CormBlockId y = ((const KeyNode *) b)->key;

	return x < y ? -1 : x > y;
}

/* count_tasks counts running tasks, all of them, by pool and by key. */
static void
count_tasks(Look *look)
{
	int			n = 0;

	for (int i = 0; i < look->njobs; i++)
	{
		const Job  *job = &look->jobs[i];

		if (!job->runs || !job->is_task)
			continue;
		look->tasks++;
		if (job->pool < 0)
			look->unknown = true;
		else
			look->running[job->pool]++;
		if (job->key != 0)
			look->keys[look->nkeys++] = (KeyNode) {.key = job->key, .n = 1};
	}
	if (look->nkeys == 0)
		return;
	qsort(look->keys, look->nkeys, sizeof(KeyNode), compare_keys);
	for (int i = 1; i < look->nkeys; i++)
	{
		if (look->keys[i].key == look->keys[n].key)
			look->keys[n].n++;
		else
			look->keys[++n] = look->keys[i];
	}
	look->nkeys = n + 1;
	for (int i = 0; i < look->nkeys; i++)
		look->keys[i].node = look->njobs + 1 + corm_max_pools + i;
}

static KeyNode *
key_node(Look *look, CormBlockId key)
{
	return bsearch(&(KeyNode) {.key = key}, look->keys, look->nkeys, sizeof(KeyNode), compare_keys);
}

/* depends makes one node depend on another. */
static void
depends(Look *look, int node, int on)
{
	look->edges[look->nedges] = (Edge) {.to = node, .next = look->nodes[on].first};
	look->nodes[on].first = look->nedges++;
}

/* node_of returns the node that a wait depends on; -1: it is not in vain. */
static int
node_of(Look *look, const Wait *wait)
{
	int			all = look->njobs;

	if (wait->job >= 0)
		return wait->job;
	if (wait->needed == 0 || look->unknown)
		return -1;
	if (wait->key != 0)
	{
		KeyNode    *key = key_node(look, wait->key);

		return key != NULL && key->n >= wait->needed ? key->node : -1;
	}
	if (wait->pool >= 0)
		return look->running[wait->pool] >= wait->needed ? all + 1 + wait->pool : -1;
	return look->tasks >= wait->needed ? all : -1;
}

/* connect_job makes a job depend on what it waits for, and what stands for it and others on it. */
static void
connect_job(Look *look, int i)
{
	Job		   *job = &look->jobs[i];
	WaitNode	   *node = &look->nodes[i];

	if (job->called >= 0)
	{
		depends(look, i, job->called);
		node->count = 1;
	}
	for (int w = 0; w < job->nwaits && job->called < 0; w++)
	{
		int			on = node_of(look, &job->waits[w]);

		if (on < 0)
			continue;
		depends(look, i, on);
		node->count++;
	}
	if (job->runs && job->is_task)
	{
		depends(look, look->njobs, i);
		if (job->pool >= 0)
			depends(look, look->njobs + 1 + job->pool, i);
		if (job->key != 0)
			depends(look, key_node(look, job->key)->node, i);
	}
	if (node->count == 0)
		look->found[look->nfound++] = i;
}

/* decide finds out which nodes are in vain: those whose count is not 0 in the end. */
static void
decide(Look *look)
{
	int			nnodes = look->njobs + 1 + corm_max_pools + look->nkeys;

	for (int i = 0; i < nnodes; i++)
		look->nodes[i] = (WaitNode) {.count = i >= look->njobs, .first = -1};
	for (int i = 0; i < look->njobs; i++)
		connect_job(look, i);
	while (look->nfound > 0)
	{
		int			node = look->found[--look->nfound];

		for (int edge = look->nodes[node].first; edge >= 0; edge = look->edges[edge].next)
		{
			WaitNode	   *to = &look->nodes[look->edges[edge].to];

			if (to->count > 0 && --to->count == 0)
				look->found[look->nfound++] = look->edges[edge].to;
		}
	}
}

/* is_victim tells whether a job waits in vain, and is the one that is to give up.  *id is a task that it waits for in vain. */
static bool
is_victim(Look *look, int i, int64 *id)
{
	const Job  *job = &look->jobs[i];

	if (look->nodes[i].count == 0 || !job->can_tell)
		return false;
	for (int other = 0; other < look->njobs; other++)
	{
		if (look->nodes[other].count > 0 && look->jobs[other].can_tell && look->jobs[other].seq > job->seq)
			return false;
	}
	for (int w = 0; w < job->nwaits && job->called < 0; w++)
	{
		int			on = node_of(look, &job->waits[w]);

		if (on >= 0 && look->nodes[on].count > 0)
			*id = job->waits[w].id;
	}
	return true;
}

/*
 * corm_waiters_in_vain tells whether this process, which waits for tasks, does so in vain, and is the one
 * that is to give up.  *id is a task that cannot begin or end then.
 */
bool
corm_waiters_in_vain(int64 *id)
{
	int			me = corm_worker_self().slot;
	int			n = corm_workers->nslots;
	Look		look = {.njobs = n};
	bool		victim;

	if (me < 0)
		return false;
	look.jobs = palloc(n * sizeof(Job));
	look.job_of = palloc(corm_max_procs() * sizeof(int));
	memset(look.job_of, -1, corm_max_procs() * sizeof(int));
	look.running = palloc0(corm_max_pools * sizeof(uint32));
	look.keys = palloc(n * sizeof(KeyNode));
	look.nodes = palloc((2 * n + 1 + corm_max_pools) * sizeof(WaitNode));
	look.found = palloc((2 * n + 1 + corm_max_pools) * sizeof(int));
	/* a job depends on CORM_WAITER_IDS others or on one, and three depend on it */
	look.edges = palloc(n * (CORM_WAITER_IDS + 3) * sizeof(Edge));

	corm_queue_lock();
	see(&look);
	corm_queue_unlock();
	count_tasks(&look);
	decide(&look);
	victim = is_victim(&look, me, id);

	pfree(look.edges);
	pfree(look.found);
	pfree(look.nodes);
	pfree(look.keys);
	pfree(look.running);
	pfree(look.job_of);
	pfree(look.jobs);
	return victim;
}
