/*-------------------------------------------------------------------------
 *
 * queue.c
 *		The queue of tasks in shared memory.
 *
 * A task is a chain of blocks of the work pool (work/shared/memory.c) from when it
 * is submitted until its result is forgotten.  It is found by its ID in a hash.
 * Where it is says its state:
 *
 *	- of a transaction that has not ended: in the hash only.  Whatever it will need
 *	  has been taken then: room in its pool, its lane, the entries of its keys.  So the
 *	  commit only links, and cannot fail;
 *	- waiting: in the lane of its pool and session user, or parked at its key; a durable one
 *	  that was cancelled waits in a list of its lane for a worker that deletes its row;
 *	- scheduled or to be retried: in a heap by time;
 *	- running: nowhere, its worker has it;
 *	- ended: in a list from the oldest to the newest, and in the heap by the time at
 *	  which its result is forgotten.
 *
 * Lanes.  A worker serves one database and session user, so what it can take are
 * the lanes of these, one for each pool.  A lane has its tasks in levels of priority,
 * each a list.  The first task of a level stands for it in a tree of the levels, so
 * that a level needs no memory of its own, and adding and taking are as cheap with many
 * tasks, and many priorities, as with few.
 *
 * Keys.  A task with a key is parked at the key's entry when its time has come, and
 * let go, in order, when fewer tasks with the key are active than it allows.  It is
 * active from then until it has ended, also while it waits for another attempt.
 *
 * Holds.  A transaction that is going to replace a waiting task holds it: the task
 * is taken from its place until that transaction ends.
 *
 * Locking.  One LWLock for all of it, held for some stores at a time.  Under it
 * nothing raises; blocks are taken and given, which takes the lock of a partition of
 * the pool of blocks, and tasks that end are counted in their wait groups, which
 * takes the lock of those.  Workers are woken after the lock is released.
 *
 * Nobody can interrupt a process that holds the lock.  If a list led in a circle, it would hold it for ever, and the whole
 * server would hang.  So what puts something into a list first makes sure that it is in none, and what looks for something
 * stops after as many blocks as there are; if that does not hold, the memory is damaged, and the server is restarted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/compat.h"
#include "base/guc.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/timestamp.h"
#include "work/task/queue.h"
#include "work/task/queue_parts.h"

#define EPOCH_MASK		((UINT64CONST(1) << 18) - 1)
#define MAX_WAKES		16

StaticAssertDecl(sizeof(CormTask) <= CORM_BLOCK_SIZE, "a task must fit into a block");
StaticAssertDecl(sizeof(CormTaskMore) <= CORM_BLOCK_SIZE, "the rest of a task must fit into a block");
StaticAssertDecl(sizeof(CormLane) <= CORM_BLOCK_SIZE, "a lane must fit into a block");

CormTasks  *corm_tasks = NULL;
CormPool   *corm_pools;
CormQueue	corm_queue = {.duty = -1};

/*
 * The shared structure
 */

static void
set_sizes(void)
{
	uint32		tasks = corm_work_block_count() / 3 + 1;

	corm_queue.heap_size = tasks + 1;
	corm_queue.nbuckets = 64;
	while (corm_queue.nbuckets < tasks)
		corm_queue.nbuckets *= 2;
}

static Size
chains_size(void)
{
	return mul_size(corm_queue.nbuckets, sizeof(CormBlockId));
}

static Size
queue_size(void)
{
	Size		size = MAXALIGN(sizeof(CormTasks));

	set_sizes();
	size = add_size(size, MAXALIGN(mul_size(corm_max_pools, sizeof(CormPool))));
	size = add_size(size, mul_size(3, MAXALIGN(chains_size())));
	return add_size(size, MAXALIGN(mul_size(corm_queue.heap_size, sizeof(CormBlockId))));
}

static void
queue_attach(void *addr, Size size, bool found)
{
	char	   *at = addr;

	set_sizes();
	corm_tasks = addr;
	at += MAXALIGN(sizeof(CormTasks));
	corm_pools = (CormPool *) at;
	at += MAXALIGN(corm_max_pools * sizeof(CormPool));
	corm_queue.task_chains = (CormBlockId *) at;
	at += MAXALIGN(chains_size());
	corm_queue.key_chains = (CormBlockId *) at;
	at += MAXALIGN(chains_size());
	corm_queue.unique_chains = (CormBlockId *) at;
	at += MAXALIGN(chains_size());
	corm_queue.heap = (CormBlockId *) at;

	if (!found)
	{
		memset(addr, 0, size);
		corm_tasks->tranche = LWLockNewTrancheId();
		LWLockInitialize(&corm_tasks->lock, corm_tasks->tranche);
		corm_tasks->level_seed = murmurhash32((uint32) GetCurrentTimestamp() ^ (uint32) MyProcPid);
		corm_tasks->epoch = (uint64) (GetCurrentTimestamp() / USECS_PER_SEC) & EPOCH_MASK;
		for (int i = 0; i < corm_max_pools; i++)
		{
			ConditionVariableInit(&corm_pools[i].room);
			ConditionVariableInit(&corm_pools[i].idle);
		}
	}
	LWLockRegisterTranche(corm_tasks->tranche, "CormTasks");
}

static const CormSharedPart queue_part = {
	.name = "corm tasks",
	.size = queue_size,
	.attach = queue_attach,
};

/* corm_queue_lock takes the lock of the queue. */
void
corm_queue_lock(void)
{
	LWLockAcquire(&corm_tasks->lock, LW_EXCLUSIVE);
}

/* corm_queue_damaged restarts the server, because what is in shared memory cannot be. */
void
corm_queue_damaged(const char *what)
{
	ereport(PANIC,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the queue of tasks is damaged: %s", what)));
}

/* corm_queue_unlink takes a block out of the list that begins at link; next is where in a block the next one is. */
void
corm_queue_unlink(CormBlockId *link, CormBlockId block, Size next)
{
	uint32		left = corm_work_block_count();

	while (*link != block)
	{
		if (unlikely(*link == 0 || left-- == 0))
			corm_queue_damaged("a block is not in its list");
		link = (CormBlockId *) (corm_block_addr(&corm_work_blocks, *link) + next);
	}
	*link = *(CormBlockId *) (corm_block_addr(&corm_work_blocks, block) + next);
}

/* corm_queue_list_add puts a task, which is in no list, at the end of one, whose place is given. */
void
corm_queue_list_add(CormTaskList *list, CormBlockId block, CormTaskPlace place)
{
	CormTask   *task = corm_task_at(block);

	if (unlikely(task->place != CORM_TASK_NOWHERE))
		corm_queue_damaged(place == CORM_TASK_ENDED ? "a task ends that is in a list" :
						   place == CORM_TASK_DOOMED ? "a task is cancelled that is in a list" :
						   "a task is parked that is in a list");
	task->next = 0;
	task->prev = list->last;
	if (list->last != 0)
		corm_task_at(list->last)->next = block;
	else
		list->first = block;
	list->last = block;
	task->place = place;
}

/* corm_queue_list_remove takes a task out of its list. */
void
corm_queue_list_remove(CormTaskList *list, CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	if (task->prev != 0)
		corm_task_at(task->prev)->next = task->next;
	else
		list->first = task->next;
	if (task->next != 0)
		corm_task_at(task->next)->prev = task->prev;
	else
		list->last = task->prev;
	task->next = task->prev = 0;
	task->place = CORM_TASK_NOWHERE;
}

/*
 * corm_queue_unlock releases the lock, and wakes workers for the lanes that got
 * tasks in the meantime.
 */
void
corm_queue_unlock(void)
{
	struct
	{
		Oid			database;
		Oid			session_user;
	}			wakes[MAX_WAKES];
	int			n = 0;

	if (corm_queue.to_wake)
	{
		for (CormBlockId block = corm_tasks->lanes; block != 0 && n < MAX_WAKES; block = corm_lane_at(block)->link)
		{
			CormLane   *lane = corm_lane_at(block);

			if (!lane->wake)
				continue;
			lane->wake = false;
			if (n > 0 && wakes[n - 1].database == lane->database && wakes[n - 1].session_user == lane->session_user)
				continue;
			wakes[n].database = lane->database;
			wakes[n++].session_user = lane->session_user;
		}
		corm_queue.to_wake = false;
	}
	LWLockRelease(&corm_tasks->lock);
	for (int i = 0; i < n; i++)
		corm_worker_wake(wakes[i].database, wakes[i].session_user);
}

/* corm_queue_take_block takes one block for a shared structure, zeroed.  Returns 0 if there is none. */
CormBlockId
corm_queue_take_block(void)
{
	CormBlockChain chain = {0};

	if (corm_blocks_take(&corm_work_blocks, &chain, 1) == 0)
		return 0;
	memset(corm_block_addr(&corm_work_blocks, chain.first), 0, CORM_BLOCK_SIZE);
	corm_blocks_linked(&corm_work_blocks, 1);
	return chain.first;
}

/* corm_queue_give_blocks gives blocks of a shared structure back. */
void
corm_queue_give_blocks(CormBlockId first, CormBlockId last, uint32 n)
{
	CormBlockChain chain = {first, last, n};

	corm_blocks_unlinked(&corm_work_blocks, n);
	corm_work_give(&chain);
}

/*
 * Tasks
 */

CormBlockId *
corm_queue_chain_of(int64 id)
{
	return &corm_queue.task_chains[(uint64) id & (corm_queue.nbuckets - 1)];
}

/* corm_queue_find returns the task with an ID, or 0. */
CormBlockId
corm_queue_find(int64 id)
{
	CormBlockId block = *corm_queue_chain_of(id);

	while (block != 0 && corm_task_at(block)->id != id)
		block = corm_task_at(block)->hash_next;
	return block;
}

/*
 * corm_queue_make_room takes blocks for len bytes, and forgets the oldest results
 * if there are not enough.  Returns false if there are still not.
 */
bool
corm_queue_make_room(CormBlockChain *chain, Size len)
{
	while (!corm_work_try_take(chain, len))
	{
		if (corm_tasks->ended.first == 0)
			return false;
		corm_queue_forget(corm_tasks->ended.first);
	}
	return true;
}

/* corm_queue_each visits all tasks.  visit may forget the one that it is given. */
void
corm_queue_each(void (*visit) (CormBlockId block, void *arg), void *arg)
{
	for (uint32 i = 0; i < corm_queue.nbuckets; i++)
	{
		CormBlockId next;

		for (CormBlockId block = corm_queue.task_chains[i]; block != 0; block = next)
		{
			next = corm_task_at(block)->hash_next;
			visit(block, arg);
		}
	}
}

/* corm_queue_payload_cursor places a cursor at the first byte after the two structures of a task. */
void
corm_queue_payload_cursor(CormWorkCursor *cursor, CormBlockId block)
{
	corm_work_cursor_init(cursor, corm_task_more(corm_task_at(block))->link);
}

/* corm_queue_read reads bytes of what follows the structures. */
void
corm_queue_read(CormBlockId block, Size from, void *buf, Size len)
{
	CormWorkCursor cursor;

	corm_queue_payload_cursor(&cursor, block);
	while (from > CORM_WORK_BLOCK_DATA)
	{
		cursor.block = *corm_block_next(&corm_work_blocks, cursor.block);
		from -= CORM_WORK_BLOCK_DATA;
	}
	cursor.offset = from;
	corm_work_read(&cursor, buf, len);
}

/*
 * Pools
 */

/*
 * corm_queue_pool returns the number of a pool, or -1 if it is not there.  With
 * make, it is taken up, with zero for all its settings; -1 then means that there are
 * corm.max_pools.  One that was dropped, and whose last tasks have not been forgotten, is
 * another one: "default" has the same definition when the extension is created again.
 */
int
corm_queue_pool(Oid database, int64 definition, bool make)
{
	int			number = -1;
	CormPool   *pool;
	uint32		generation;

	for (int i = 0; i < corm_max_pools; i++)
	{
		if (corm_pools[i].used && !corm_pools[i].dropped && corm_pools[i].database == database &&
			corm_pools[i].definition == definition)
			return i;
		if (!corm_pools[i].used && number < 0)
			number = i;
	}
	if (!make)
		return -1;
	/* one that has nothing in it and nothing to remember can go */
	for (int i = 0; i < corm_max_pools && number < 0; i++)
	{
		pool = &corm_pools[i];
		if (pool->tasks == 0 && pool->blocked == 0 && !pool->closed && !pool->paused)
			number = i;
	}
	if (number < 0)
		return -1;
	pool = &corm_pools[number];
	generation = pool->generation;
	memset(pool, 0, offsetof(CormPool, room));
	pool->generation = generation + 1;
	pool->used = true;
	pool->database = database;
	pool->definition = definition;
	return number;
}

/* corm_queue_free_pool_if_idle forgets a pool that was dropped when nothing is left in it. */
void
corm_queue_free_pool_if_idle(int number)
{
	CormPool   *pool = &corm_pools[number];

	if (pool->used && pool->dropped && pool->tasks == 0 && pool->blocked == 0)
	{
		pool->used = false;
		pool->generation++;
	}
}

/* corm_queue_init asks for the memory of the queue, when preloaded. */
void
corm_queue_init(void)
{
	corm_shared_add(&queue_part);
	corm_queue_due_init();
	corm_queue_audit_init();
}
