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
 *	- waiting: in the lane of its pool and session user, or parked at its key;
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
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/timestamp.h"
#include "work/shared/audit.h"
#include "work/shared/gone.h"
#include "work/task/queue.h"
#include "work/task/waiters.h"

#define COUNTER_BITS	44
#define EPOCH_MASK		((UINT64CONST(1) << 18) - 1)
#define MAX_WAKES		16
#define MAX_WANTS		64
#define LOOK_MS			1000

StaticAssertDecl(sizeof(CormTask) <= CORM_BLOCK_SIZE, "a task must fit into a block");
StaticAssertDecl(sizeof(CormTaskMore) <= CORM_BLOCK_SIZE, "the rest of a task must fit into a block");
StaticAssertDecl(sizeof(CormLane) <= CORM_BLOCK_SIZE, "a lane must fit into a block");

CormTasks  *corm_tasks = NULL;
CormPool   *corm_pools;

static uint32 nbuckets;			/* a power of two */
static CormBlockId *task_chains;	/* by id */
static CormBlockId *key_chains;
static CormBlockId *unique_chains;
static uint32 heap_size;
static CormBlockId *heap;		/* from 1 on */

static bool to_wake = false;	/* some lane has got a task */
static int	duty = -1;

static int64 promote(void);

/*
 * The shared structure
 */

static void
set_sizes(void)
{
	uint32		tasks = corm_work_block_count() / 3 + 1;

	heap_size = tasks + 1;
	nbuckets = 64;
	while (nbuckets < tasks)
		nbuckets *= 2;
}

static Size
chains_size(void)
{
	return mul_size(nbuckets, sizeof(CormBlockId));
}

static Size
queue_size(void)
{
	Size		size = MAXALIGN(sizeof(CormTasks));

	set_sizes();
	size = add_size(size, MAXALIGN(mul_size(corm_max_pools, sizeof(CormPool))));
	size = add_size(size, mul_size(3, MAXALIGN(chains_size())));
	return add_size(size, MAXALIGN(mul_size(heap_size, sizeof(CormBlockId))));
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
	task_chains = (CormBlockId *) at;
	at += MAXALIGN(chains_size());
	key_chains = (CormBlockId *) at;
	at += MAXALIGN(chains_size());
	unique_chains = (CormBlockId *) at;
	at += MAXALIGN(chains_size());
	heap = (CormBlockId *) at;

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

/* damaged restarts the server, because what is in shared memory cannot be. */
static void
damaged(const char *what)
{
	ereport(PANIC,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the queue of tasks is damaged: %s", what)));
}

/* unlink_block takes a block out of the list that begins at link; next is where in a block the next one is. */
static void
unlink_block(CormBlockId *link, CormBlockId block, Size next)
{
	uint32		left = corm_work_block_count();

	while (*link != block)
	{
		if (unlikely(*link == 0 || left-- == 0))
			damaged("a block is not in its list");
		link = (CormBlockId *) (corm_block_addr(&corm_work_blocks, *link) + next);
	}
	*link = *(CormBlockId *) (corm_block_addr(&corm_work_blocks, block) + next);
}

static CormLane *
lane_at(CormBlockId block)
{
	return (CormLane *) corm_block_addr(&corm_work_blocks, block);
}

static CormTaskKey *
key_at(CormBlockId block)
{
	return (CormTaskKey *) corm_block_addr(&corm_work_blocks, block);
}

static CormTaskUnique *
unique_at(CormBlockId block)
{
	return (CormTaskUnique *) corm_block_addr(&corm_work_blocks, block);
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

	if (to_wake)
	{
		for (CormBlockId block = corm_tasks->lanes; block != 0 && n < MAX_WAKES; block = lane_at(block)->link)
		{
			CormLane   *lane = lane_at(block);

			if (!lane->wake)
				continue;
			lane->wake = false;
			if (n > 0 && wakes[n - 1].database == lane->database && wakes[n - 1].session_user == lane->session_user)
				continue;
			wakes[n].database = lane->database;
			wakes[n++].session_user = lane->session_user;
		}
		to_wake = false;
	}
	LWLockRelease(&corm_tasks->lock);
	for (int i = 0; i < n; i++)
		corm_worker_wake(wakes[i].database, wakes[i].session_user);
}

/* take_block takes one block for a shared structure, zeroed.  Returns 0 if there is none. */
static CormBlockId
take_block(void)
{
	CormBlockChain chain = {0};

	if (corm_blocks_take(&corm_work_blocks, &chain, 1) == 0)
		return 0;
	memset(corm_block_addr(&corm_work_blocks, chain.first), 0, CORM_BLOCK_SIZE);
	corm_blocks_linked(&corm_work_blocks, 1);
	return chain.first;
}

/* give_blocks gives blocks of a shared structure back. */
static void
give_blocks(CormBlockId first, CormBlockId last, uint32 n)
{
	CormBlockChain chain = {first, last, n};

	corm_blocks_unlinked(&corm_work_blocks, n);
	corm_work_give(&chain);
}

/*
 * The heap: what is due next is at place 1
 */

static bool
is_before(CormBlockId a, CormBlockId b)
{
	const CormTask *x = corm_task_at(a);
	const CormTask *y = corm_task_at(b);

	if (x->due != y->due)
		return x->due < y->due;
	return corm_task_more(x)->seq < corm_task_more(y)->seq;
}

static void
heap_put(uint32 place, CormBlockId block)
{
	heap[place] = block;
	corm_task_at(block)->heap_place = place;
}

static void
heap_up(uint32 place, CormBlockId block)
{
	while (place > 1 && is_before(block, heap[place / 2]))
	{
		heap_put(place, heap[place / 2]);
		place /= 2;
	}
	heap_put(place, block);
}

static void
heap_down(uint32 place, CormBlockId block)
{
	for (;;)
	{
		uint32		child = place * 2;

		if (child > corm_tasks->nheap)
			break;
		if (child < corm_tasks->nheap && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], block))
			break;
		heap_put(place, heap[child]);
		place = child;
	}
	heap_put(place, block);
}

static void
heap_add(CormBlockId block)
{
	if (unlikely(corm_task_at(block)->heap_place != 0 || corm_tasks->nheap + 1 >= heap_size))
		damaged("a task comes into the heap twice");
	heap_up(++corm_tasks->nheap, block);
	if (heap[1] == block)
		corm_launcher_wake(duty);
}

static void
heap_remove(CormBlockId block)
{
	uint32		place = corm_task_at(block)->heap_place;
	CormBlockId last;

	if (place == 0)
		return;
	corm_task_at(block)->heap_place = 0;
	last = heap[corm_tasks->nheap--];
	if (last == block)
		return;
	if (place > 1 && is_before(last, heap[place / 2]))
		heap_up(place, last);
	else
		heap_down(place, last);
}

/*
 * Lanes
 */

/* find_lane returns the lane of a pool and session user, made if there is none; 0 without memory. */
static CormBlockId
find_lane(int pool, Oid session_user)
{
	CormBlockId block;
	CormLane   *lane;

	for (block = corm_tasks->lanes; block != 0; block = lane_at(block)->link)
	{
		if (lane_at(block)->pool == pool && lane_at(block)->session_user == session_user)
			return block;
	}
	block = take_block();
	if (block == 0)
		return 0;
	lane = lane_at(block);
	lane->pool = pool;
	lane->database = corm_pools[pool].database;
	lane->session_user = session_user;
	lane->link = corm_tasks->lanes;
	if (lane->link != 0)
		lane_at(lane->link)->prev = block;
	corm_tasks->lanes = block;
	return block;
}

/* unref_lane forgets a task that had a lane, and a lane that has no more tasks. */
static void
unref_lane(CormBlockId block)
{
	CormLane   *lane = lane_at(block);

	if (--lane->refs > 0)
		return;
	if (lane->prev != 0)
		lane_at(lane->prev)->link = lane->link;
	else
		corm_tasks->lanes = lane->link;
	if (lane->link != 0)
		lane_at(lane->link)->prev = lane->prev;
	give_blocks(block, block, 1);
}

/*
 * Levels are a treap: a tree ordered by priority, and by a hash of the priority from
 * the root down, so that it is flat whatever the priorities are.
 */

static uint32
level_weight(CormBlockId level)
{
	return murmurhash32((uint32) corm_task_at(level)->priority ^ corm_tasks->level_seed);
}

/* level_link returns where the level of a priority is linked; one that is 0 if there is none. */
static CormBlockId *
level_link(CormLane *lane, int32 priority)
{
	CormBlockId *link = &lane->levels;

	while (*link != 0 && corm_task_at(*link)->priority != priority)
		link = priority < corm_task_at(*link)->priority ? &corm_task_at(*link)->level_lower : &corm_task_at(*link)->level_higher;
	return link;
}

/* add_level puts a task into the tree, whose priority has no level yet. */
static void
add_level(CormLane *lane, CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormBlockId *link = &lane->levels;
	CormBlockId *lower = &task->level_lower;
	CormBlockId *higher = &task->level_higher;
	CormBlockId below;

	while (*link != 0 && level_weight(*link) >= level_weight(block))
		link = task->priority < corm_task_at(*link)->priority ? &corm_task_at(*link)->level_lower : &corm_task_at(*link)->level_higher;
	below = *link;
	*link = block;
	/* what was there goes to both sides of it */
	while (below != 0)
	{
		CormTask   *other = corm_task_at(below);

		if (other->priority < task->priority)
		{
			*lower = below;
			lower = &other->level_higher;
			below = *lower;
		}
		else
		{
			*higher = below;
			higher = &other->level_lower;
			below = *higher;
		}
	}
	*lower = *higher = 0;
	if (lane->top == 0 || task->priority > corm_task_at(lane->top)->priority)
		lane->top = block;
}

/* remove_level takes a level out of the tree. */
static void
remove_level(CormLane *lane, CormBlockId *link)
{
	CormBlockId lower = corm_task_at(*link)->level_lower;
	CormBlockId higher = corm_task_at(*link)->level_higher;
	bool		was_top = *link == lane->top;

	while (lower != 0 && higher != 0)
	{
		if (level_weight(lower) >= level_weight(higher))
		{
			*link = lower;
			link = &corm_task_at(lower)->level_higher;
			lower = *link;
		}
		else
		{
			*link = higher;
			link = &corm_task_at(higher)->level_lower;
			higher = *link;
		}
	}
	*link = lower != 0 ? lower : higher;
	if (!was_top)
		return;
	lane->top = lane->levels;
	while (lane->top != 0 && corm_task_at(lane->top)->level_higher != 0)
		lane->top = corm_task_at(lane->top)->level_higher;
}

/* push_ready puts a task at the end of its level. */
static void
push_ready(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormLane   *lane = lane_at(task->lane);
	CormBlockId level = *level_link(lane, task->priority);

	if (unlikely(task->place != CORM_TASK_NOWHERE))
		damaged("a task becomes ready that is in a list");
	task->next = 0;
	task->level_lower = task->level_higher = 0;
	if (level != 0)
	{
		CormTask   *first = corm_task_at(level);

		task->prev = first->prev;
		corm_task_at(first->prev)->next = block;
		first->prev = block;
	}
	else
	{
		task->prev = block;
		add_level(lane, block);
	}
	task->place = CORM_TASK_READY;
	lane->nready++;
	lane->wake = true;
	to_wake = true;
}

/* remove_ready takes a task out of its level. */
static void
remove_ready(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormLane   *lane = lane_at(task->lane);
	CormBlockId *link = level_link(lane, task->priority);
	CormTask   *first = corm_task_at(*link);

	if (first != task)
	{
		corm_task_at(task->prev)->next = task->next;
		if (task->next != 0)
			corm_task_at(task->next)->prev = task->prev;
		else
			first->prev = task->prev;
	}
	else if (task->next != 0)
	{
		CormTask   *next = corm_task_at(task->next);

		next->prev = task->prev;
		next->level_lower = task->level_lower;
		next->level_higher = task->level_higher;
		*link = task->next;
		if (lane->top == block)
			lane->top = task->next;
	}
	else
		remove_level(lane, link);
	task->next = task->prev = task->level_lower = task->level_higher = 0;
	task->place = CORM_TASK_NOWHERE;
	lane->nready--;
}

/*
 * Keys and unique keys
 */

/* corm_queue_hash computes the hash by which a key of a pool is known: it stands for the text. */
void
corm_queue_hash(uint64 *hash, int pool, const char *text, Size len)
{
	hash[0] = hash_bytes_extended((const unsigned char *) text, len, pool);
	hash[1] = hash_bytes_extended((const unsigned char *) text, len, ~(uint64) pool);
}

/* find_key returns the entry of a key, made if there is none; 0 without memory. */
static CormBlockId
find_key(int pool, const uint64 *hash)
{
	CormBlockId *chain = &key_chains[hash[0] & (nbuckets - 1)];
	CormBlockId block;
	CormTaskKey *key;

	for (block = *chain; block != 0; block = key_at(block)->link)
	{
		key = key_at(block);
		if (key->pool == pool && key->hash[0] == hash[0] && key->hash[1] == hash[1])
			return block;
	}
	block = take_block();
	if (block == 0)
		return 0;
	key = key_at(block);
	key->pool = pool;
	key->hash[0] = hash[0];
	key->hash[1] = hash[1];
	key->link = *chain;
	*chain = block;
	return block;
}

/* corm_queue_key_active returns how many tasks of a key are ready, running or to be retried. */
uint32
corm_queue_key_active(CormBlockId block)
{
	return key_at(block)->active;
}

/* unref_key forgets a task that had a key, and a key that has no more tasks. */
static void
unref_key(CormBlockId block)
{
	CormTaskKey *key = key_at(block);

	if (--key->refs > 0)
		return;
	unlink_block(&key_chains[key->hash[0] & (nbuckets - 1)], block, offsetof(CormTaskKey, link));
	give_blocks(block, block, 1);
}

/* admit lets go the parked tasks of a key that may be active. */
static void
admit(CormTaskKey *key)
{
	while (key->first != 0)
	{
		CormBlockId block = key->first;
		CormTask   *task = corm_task_at(block);

		if (key->active >= corm_task_more(task)->key_limit)
			break;
		key->first = task->next;
		if (task->next != 0)
			corm_task_at(task->next)->prev = 0;
		else
			key->last = 0;
		task->next = task->prev = 0;
		task->place = CORM_TASK_NOWHERE;
		key->active++;
		task->active = true;
		push_ready(block);
	}
}

/* park puts a task at the end of those that wait for their key. */
static void
park(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskKey *key = key_at(task->key);

	if (unlikely(task->place != CORM_TASK_NOWHERE))
		damaged("a task is parked that is in a list");
	task->next = 0;
	task->prev = key->last;
	if (key->last != 0)
		corm_task_at(key->last)->next = block;
	else
		key->first = block;
	key->last = block;
	task->place = CORM_TASK_PARKED;
	admit(key);
}

/* unpark takes a task out of those that wait for their key. */
static void
unpark(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskKey *key = key_at(task->key);

	if (task->prev != 0)
		corm_task_at(task->prev)->next = task->next;
	else
		key->first = task->next;
	if (task->next != 0)
		corm_task_at(task->next)->prev = task->prev;
	else
		key->last = task->prev;
	task->next = task->prev = 0;
	task->place = CORM_TASK_NOWHERE;
	admit(key);
}

/* corm_queue_unique_task returns the task that uses a unique key, or 0. */
CormBlockId
corm_queue_unique_task(int pool, const uint64 *hash)
{
	for (CormBlockId block = unique_chains[hash[0] & (nbuckets - 1)]; block != 0; block = unique_at(block)->link)
	{
		CormTaskUnique *unique = unique_at(block);

		if (unique->pool == pool && unique->hash[0] == hash[0] && unique->hash[1] == hash[1])
			return unique->task;
	}
	return 0;
}

/* drop_unique lets others use the unique key of a task. */
static void
drop_unique(CormTask *task)
{
	CormBlockId block = task->unique;

	if (block == 0)
		return;
	unlink_block(&unique_chains[unique_at(block)->hash[0] & (nbuckets - 1)], block, offsetof(CormTaskUnique, link));
	give_blocks(block, block, 1);
	task->unique = 0;
}

/*
 * take_entries takes what a task needs to be in the queue: its lane, the entries of
 * its keys.  Returns false, with nothing taken, if there is no memory.
 */
static bool
take_entries(CormBlockId block, const uint64 *key_hash, const uint64 *unique_hash)
{
	CormTask   *task = corm_task_at(block);

	task->lane = find_lane(task->pool, task->session_user);
	if (task->lane == 0)
		return false;
	lane_at(task->lane)->refs++;
	if (key_hash != NULL)
	{
		task->key = find_key(task->pool, key_hash);
		if (task->key != 0)
			key_at(task->key)->refs++;
	}
	if (unique_hash != NULL)
	{
		task->unique = take_block();
		if (task->unique != 0)
		{
			CormTaskUnique *unique = unique_at(task->unique);
			CormBlockId *chain = &unique_chains[unique_hash[0] & (nbuckets - 1)];

			unique->pool = task->pool;
			unique->hash[0] = unique_hash[0];
			unique->hash[1] = unique_hash[1];
			unique->task = block;
			unique->link = *chain;
			*chain = task->unique;
		}
	}
	if ((key_hash != NULL && task->key == 0) || (unique_hash != NULL && task->unique == 0))
	{
		drop_unique(task);
		if (task->key != 0)
			unref_key(task->key);
		unref_lane(task->lane);
		task->key = task->lane = 0;
		return false;
	}
	return true;
}

/* drop_entries gives back what take_entries has taken, and lets the next one with the key go. */
static void
drop_entries(CormTask *task)
{
	drop_unique(task);
	if (task->key != 0)
	{
		CormTaskKey *key = key_at(task->key);

		if (task->active)
		{
			key->active--;
			task->active = false;
			admit(key);
		}
		unref_key(task->key);
		task->key = 0;
	}
	if (task->lane != 0)
	{
		unref_lane(task->lane);
		task->lane = 0;
	}
}

/*
 * Tasks
 */

static CormBlockId *
chain_of(int64 id)
{
	return &task_chains[(uint64) id & (nbuckets - 1)];
}

/* corm_queue_find returns the task with an ID, or 0. */
CormBlockId
corm_queue_find(int64 id)
{
	CormBlockId block = *chain_of(id);

	while (block != 0 && corm_task_at(block)->id != id)
		block = corm_task_at(block)->hash_next;
	return block;
}

/* room_freed lets the next one who waits for room in a pool look. */
static void
room_freed(CormPool *pool)
{
	if (pool->blocked > 0)
		ConditionVariableSignal(&pool->room);
}

/* look_idle tells those who wait for a closed pool when nothing is left in it. */
static void
look_idle(CormPool *pool)
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

	if (!take_entries(block, key_hash, unique_hash))
		return false;
	if (task->id == 0)
		task->id = CORM_TASK_ID_BIT | (int64) (corm_tasks->epoch << COUNTER_BITS) |
			(int64) (++corm_tasks->next_number & ((UINT64CONST(1) << COUNTER_BITS) - 1));
	corm_task_more(task)->seq = ++corm_tasks->next_seq;
	chain = chain_of(task->id);
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

/* put_waiting puts a task whose time has come where it belongs. */
static void
put_waiting(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	corm_task_more(task)->ready_since = corm_clock_mono();
	if (task->key != 0 && !task->active)
		park(block);
	else
		push_ready(block);
}

/* set_waiting makes a task one that waits; in place unless it is held. */
static void
set_waiting(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	task->state = CORM_TASK_WAITING;
	corm_pools[task->pool].waiting++;
	corm_pools[task->pool].roomless += task->durable;
	if (task->holds == 0)
		put_waiting(block);
}

/* set_scheduled makes a task one whose time will come; in the heap unless it is held. */
static void
set_scheduled(CormBlockId block, CormTaskState state)
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
		heap_add(block);
}

/* unset_state takes a task that has not ended out of its place and its pool's counts. */
static void
unset_state(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormPool   *pool = &corm_pools[task->pool];

	if (task->place == CORM_TASK_READY)
		remove_ready(block);
	else if (task->place == CORM_TASK_PARKED)
		unpark(block);
	heap_remove(block);
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
 * If its pool was closed in the meantime, it has ended.
 */
void
corm_queue_enter(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormPool   *pool = &corm_pools[task->pool];
	bool		later = task->due > corm_clock_mono();

	pool->submitted++;
	if ((task->cancelled && !task->durable) || pool->dropped || (pool->closed && (!pool->draining || later)))
	{
		corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
		return;
	}
	pool->reserved -= task->pool_counted;
	task->pool_counted = false;
	if (later)
		set_scheduled(block, CORM_TASK_SCHEDULED);
	else
		set_waiting(block);
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
	if (task->place == CORM_TASK_READY)
		remove_ready(block);
	else if (task->place == CORM_TASK_PARKED)
		unpark(block);
	heap_remove(block);
}

/* corm_queue_release ends a hold. */
void
corm_queue_release(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);

	if (--task->holds > 0)
		return;
	if (task->state == CORM_TASK_WAITING)
		put_waiting(block);
	else if (task->state == CORM_TASK_SCHEDULED || task->state == CORM_TASK_RETRYING)
		heap_add(block);
}

/* corm_queue_reschedule gives a held task that has not begun another time. */
void
corm_queue_reschedule(CormBlockId block, int64 due)
{
	CormTask   *task = corm_task_at(block);

	Assert(task->holds > 0);
	task->due = due;
	if (task->state == CORM_TASK_UNCOMMITTED || task->state == CORM_TASK_RETRYING)
		return;
	unset_state(block);
	if (due > corm_clock_mono())
		set_scheduled(block, CORM_TASK_SCHEDULED);
	else
		set_waiting(block);
}

/* drop_result frees what is kept of a task's last attempt. */
static void
drop_result(CormTaskMore *more)
{
	if (more->result_blocks > 0)
		give_blocks(more->result_first, more->result_last, more->result_blocks);
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

/* start makes a waiting task one that this process runs. */
static void
start(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	CormPool   *pool = &corm_pools[task->pool];
	int64		now = corm_clock_mono();

	unset_state(block);
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
 * corm_queue_claim takes the next task for a worker of a database and session user:
 * of the pools that may run more, that which has waited longest.  Returns 0 if
 * there is none.
 */
CormBlockId
corm_queue_claim(Oid database, Oid session_user)
{
	CormBlockId best = 0;

	(void) promote();
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = lane_at(block)->link)
	{
		CormLane   *lane = lane_at(block);

		CormPool   *pool = &corm_pools[lane->pool];

		if (lane->nready == 0 || lane->database != database || lane->session_user != session_user ||
			pool->paused || pool->running >= pool->workers)
			continue;
		if (best == 0 || corm_task_more(corm_task_at(lane->top))->ready_since <
			corm_task_more(corm_task_at(best))->ready_since)
			best = lane->top;
	}
	if (best != 0)
		start(best);
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
	(void) promote();
	for (CormBlockId block = corm_tasks->lanes; block != 0 && id == 0; block = lane_at(block)->link)
	{
		CormLane   *lane = lane_at(block);
		CormPool   *pool = &corm_pools[lane->pool];

		if (lane->nready == 0 || lane->database != MyDatabaseId || strcmp(pool->name, name) != 0)
			continue;
		id = corm_task_at(lane->top)->id;
		start(lane->top);
	}
	corm_queue_unlock();
	return id;
}

/* corm_queue_wake_pool wakes the workers of a pool's lanes: there is a place for their tasks now. */
void
corm_queue_wake_pool(int pool)
{
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = lane_at(block)->link)
	{
		CormLane   *lane = lane_at(block);

		if (lane->pool == pool && lane->nready > 0)
			lane->wake = to_wake = true;
	}
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
		corm_queue_wake_pool(task->pool);
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

	unset_state(block);
	drop_entries(task);
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

	if (unlikely(task->place != CORM_TASK_NOWHERE))
		damaged("a task ends that is in a list");
	task->place = CORM_TASK_ENDED;
	task->next = 0;
	task->prev = corm_tasks->last_ended;
	if (task->prev != 0)
		corm_task_at(task->prev)->next = block;
	else
		corm_tasks->first_ended = block;
	corm_tasks->last_ended = block;
	task->due = corm_clock_mono() + pool->ttl_us;
	heap_add(block);

	corm_group_task_ended(task->group);
	task->group.generation = 0;
	if (task->awaited)
		corm_waiters_wake(task->id);
	look_idle(pool);
}

/* corm_queue_retry_later makes a task that has failed wait for another attempt. */
void
corm_queue_retry_later(CormBlockId block, int64 delay_us)
{
	CormTask   *task = corm_task_at(block);

	unset_state(block);
	ended_running(block);
	corm_pools[task->pool].retried++;
	task->due = corm_clock_mono() + delay_us;
	corm_task_more(task)->run_at = corm_clock_real() + delay_us;
	set_scheduled(block, CORM_TASK_RETRYING);
	look_idle(&corm_pools[task->pool]);
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
		more->note = take_block();
	if (more->note == 0)
		return false;
	memcpy(corm_block_addr(&corm_work_blocks, more->note) + sizeof(CormBlockId), note, len);
	more->note_len = len;
	return true;
}

/* remove_ended takes a task out of the list of those that have ended. */
static void
remove_ended(CormTask *task)
{
	if (task->prev != 0)
		corm_task_at(task->prev)->next = task->next;
	else
		corm_tasks->first_ended = task->next;
	if (task->next != 0)
		corm_task_at(task->next)->prev = task->prev;
	else
		corm_tasks->last_ended = task->prev;
	task->next = task->prev = 0;
	task->place = CORM_TASK_NOWHERE;
}

/*
 * corm_queue_again makes a task that has ended run again, from the first attempt on.
 * Returns false if there is no memory for its entries, or if another task uses its
 * unique key.
 */
bool
corm_queue_again(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskMore *more = corm_task_more(task);
	char		text[UINT8_MAX + 1];
	uint64		key[2];
	uint64		unique[2];

	if (more->key_len > 0)
	{
		corm_queue_read(block, more->name_len, text, more->key_len);
		corm_queue_hash(key, task->pool, text, more->key_len);
	}
	if (more->unique_len > 0)
	{
		corm_queue_read(block, more->name_len + more->key_len, text, more->unique_len);
		corm_queue_hash(unique, task->pool, text, more->unique_len);
		if (corm_queue_unique_task(task->pool, unique) != 0)
			return false;
	}
	if (!take_entries(block, more->key_len > 0 ? key : NULL, more->unique_len > 0 ? unique : NULL))
		return false;
	heap_remove(block);
	remove_ended(task);
	drop_result(more);
	task->cancelled = false;
	more->attempt = 0;
	more->finished_at = 0;
	more->run_at = corm_clock_real();
	set_waiting(block);
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
			*running = task->worker;
			break;
		case CORM_TASK_SCHEDULED:
		case CORM_TASK_WAITING:
		case CORM_TASK_RETRYING:
			if (task->durable)
			{
				/* a worker deletes the row, whenever it is due */
				task->cancelled = true;
				if (task->state != CORM_TASK_WAITING && task->holds == 0)
				{
					unset_state(block);
					set_waiting(block);
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
 * If it runs, *running is the job to be cancelled.
 */
void
corm_queue_put_back(CormBlockId block, CormWorkerRef *running)
{
	CormTask   *task = corm_task_at(block);

	running->slot = -1;
	if (task->state == CORM_TASK_UNCOMMITTED)
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
		remove_ended(task);
		heap_remove(block);
	}
	else
	{
		unset_state(block);
		drop_entries(task);
	}
	unlink_block(chain_of(task->id), block, offsetof(CormTask, hash_next));

	drop_result(more);
	if (more->note != 0)
		give_blocks(more->note, more->note, 1);
	pool->tasks--;
	corm_tasks->ntasks--;
	corm_queue_free_pool_if_idle(task->pool);
	give_blocks(block, task->last, task->nblocks);
}

/*
 * promote makes tasks whose time has come wait, and forgets results whose
 * time is over.  Returns when to look again, in monotonic time.
 */
static int64
promote(void)
{
	int64		now = corm_clock_mono();

	while (corm_tasks->nheap > 0)
	{
		CormBlockId block = heap[1];
		CormTask   *task = corm_task_at(block);

		if (task->due > now)
			return task->due;
		if (corm_task_has_ended(task))
			corm_queue_forget(block);
		else
		{
			unset_state(block);
			set_waiting(block);
		}
		if (unlikely(corm_tasks->nheap > 0 && heap[1] == block))
			damaged("a task does not leave the heap");
	}
	return PG_INT64_MAX;
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
		if (corm_tasks->first_ended == 0)
			return false;
		corm_queue_forget(corm_tasks->first_ended);
	}
	return true;
}

/* corm_queue_each visits all tasks.  visit may forget the one that it is given. */
void
corm_queue_each(void (*visit) (CormBlockId block, void *arg), void *arg)
{
	for (uint32 i = 0; i < nbuckets; i++)
	{
		CormBlockId next;

		for (CormBlockId block = task_chains[i]; block != 0; block = next)
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
 * corm.max_pools.
 */
int
corm_queue_pool(Oid database, int64 definition, bool make)
{
	int			number = -1;
	CormPool   *pool;
	uint32		generation;

	for (int i = 0; i < corm_max_pools; i++)
	{
		if (corm_pools[i].used && corm_pools[i].database == database && corm_pools[i].definition == definition)
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

/*
 * The launcher, and databases that go
 */

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
	(void) promote();
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = lane_at(block)->link)
	{
		CormLane   *lane = lane_at(block);
		CormPool   *pool = &corm_pools[lane->pool];
		int			n = Min((int) lane->nready, pool->workers - (int) pool->running);
		int			i;

		if (n <= 0 || pool->paused)
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
	next = promote();
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

/*
 * What must hold
 */

/* What an audit counts in the tasks of a pool. */
typedef struct PoolCounts
{
	uint32		tasks;
	uint32		waiting;
	uint32		scheduled;
	uint32		retrying;
	uint32		running;
	uint32		reserved;
} PoolCounts;

/* count_pool counts the tasks of a pool. */
static void
count_pool(int pool, PoolCounts *counts)
{
	memset(counts, 0, sizeof(PoolCounts));
	for (uint32 i = 0; i < nbuckets; i++)
	{
		for (CormBlockId block = task_chains[i]; block != 0; block = corm_task_at(block)->hash_next)
		{
			CormTask   *task = corm_task_at(block);

			if (task->pool != pool)
				continue;
			counts->tasks++;
			counts->waiting += task->state == CORM_TASK_WAITING;
			counts->scheduled += task->state == CORM_TASK_SCHEDULED;
			counts->retrying += task->state == CORM_TASK_RETRYING;
			counts->running += task->state == CORM_TASK_RUNNING;
			counts->reserved += task->pool_counted;
		}
	}
}

/* audit_pools compares what the pools count with the tasks. */
static void
audit_pools(CormAudit *audit)
{
	for (int i = 0; i < corm_max_pools; i++)
	{
		CormPool   *pool = &corm_pools[i];
		PoolCounts	counts;

		if (!pool->used)
			continue;
		count_pool(i, &counts);
		if (counts.tasks != pool->tasks || counts.waiting != pool->waiting || counts.scheduled != pool->scheduled ||
			counts.retrying != pool->retrying || counts.running != pool->running || counts.reserved != pool->reserved)
			corm_audit_problem(audit, "pool %d counts %u tasks, %u waiting, %u scheduled, %u retrying, %u running, %u reserved",
							   i, pool->tasks, pool->waiting, pool->scheduled, pool->retrying, pool->running, pool->reserved);
	}
}

/* audit_tasks verifies the tasks, and names their blocks. */
static void
audit_tasks(CormAudit *audit)
{
	uint32		ntasks = 0;
	uint32		nheap = 0;

	for (uint32 i = 0; i < nbuckets; i++)
	{
		for (CormBlockId block = task_chains[i]; block != 0; block = corm_task_at(block)->hash_next)
		{
			CormTask   *task = corm_task_at(block);
			CormTaskMore *more = corm_task_more(task);

			ntasks++;
			nheap += task->heap_place != 0;
			corm_audit_chain(audit, "a task", block);
			corm_audit_chain(audit, "a result", more->result_first);
			corm_audit_chain(audit, "a note", more->note);
			if (task->heap_place != 0 && heap[task->heap_place] != block)
				corm_audit_problem(audit, "task " INT64_FORMAT " is not where it is in the heap", task->id);
			if (task->heap_place > 1 && is_before(block, heap[task->heap_place / 2]))
				corm_audit_problem(audit, "task " INT64_FORMAT " is before its parent in the heap", task->id);
			if (corm_task_has_ended(task) != (task->place == CORM_TASK_ENDED))
				corm_audit_problem(audit, "task " INT64_FORMAT " is in a wrong list", task->id);
			if (task->state == CORM_TASK_WAITING && task->holds == 0 && task->place == CORM_TASK_NOWHERE)
				corm_audit_problem(audit, "task " INT64_FORMAT " waits nowhere", task->id);
		}
	}
	if (ntasks != corm_tasks->ntasks)
		corm_audit_problem(audit, "there are %u tasks, counted are %u", ntasks, corm_tasks->ntasks);
	if (nheap != corm_tasks->nheap)
		corm_audit_problem(audit, "%u tasks are in the heap, counted are %u", nheap, corm_tasks->nheap);
}

/*
 * audit_levels verifies a tree of levels, whose priorities are within bounds, and
 * returns the number of tasks.  The depth is logarithmic in the number of levels.
 */
static uint32
audit_levels(CormAudit *audit, CormBlockId level, int32 min, int32 max)
{
	CormTask   *first;
	CormBlockId last = level;
	uint32		n = 0;

	if (level == 0)
		return 0;
	first = corm_task_at(level);
	for (CormBlockId task = level; task != 0; task = corm_task_at(task)->next)
	{
		last = task;
		n++;
	}
	if (first->prev != last)
		corm_audit_problem(audit, "a level of priority %d has a wrong last task", first->priority);
	if (first->priority < min || first->priority > max ||
		(first->level_lower != 0 && level_weight(first->level_lower) > level_weight(level)) ||
		(first->level_higher != 0 && level_weight(first->level_higher) > level_weight(level)))
		corm_audit_problem(audit, "a level of priority %d is at a wrong place", first->priority);
	if (first->level_lower != 0)
		n += audit_levels(audit, first->level_lower, min, first->priority - 1);
	if (first->level_higher != 0)
		n += audit_levels(audit, first->level_higher, first->priority + 1, max);
	return n;
}

/* audit_entries verifies lanes and keys, and names their blocks. */
static void
audit_entries(CormAudit *audit)
{
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = lane_at(block)->link)
	{
		CormLane   *lane = lane_at(block);
		CormBlockId highest;
		uint32		nready;

		corm_audit_block(audit, "a lane", block);
		nready = audit_levels(audit, lane->levels, PG_INT32_MIN, PG_INT32_MAX);
		if (nready != lane->nready)
			corm_audit_problem(audit, "a lane of pool %d has %u tasks, counted are %u", lane->pool, nready, lane->nready);
		highest = lane->levels;
		while (highest != 0 && corm_task_at(highest)->level_higher != 0)
			highest = corm_task_at(highest)->level_higher;
		if (highest != lane->top)
			corm_audit_problem(audit, "a lane of pool %d has a wrong first task", lane->pool);
	}
	for (uint32 i = 0; i < nbuckets; i++)
	{
		for (CormBlockId block = key_chains[i]; block != 0; block = key_at(block)->link)
		{
			CormTaskKey *key = key_at(block);

			corm_audit_block(audit, "a key", block);
			if (key->refs == 0 || key->active > key->refs)
				corm_audit_problem(audit, "a key of pool %u has %u tasks, %u of them active", key->pool, key->refs, key->active);
		}
		for (CormBlockId block = unique_chains[i]; block != 0; block = unique_at(block)->link)
		{
			corm_audit_block(audit, "a unique key", block);
			if (corm_task_at(unique_at(block)->task)->unique != block)
				corm_audit_problem(audit, "a unique key of pool %u is not that of its task", unique_at(block)->pool);
		}
	}
}

/* audit_queue verifies the queue. */
static void
audit_queue(CormAudit *audit)
{
	audit_tasks(audit);
	audit_pools(audit);
	audit_entries(audit);
}

static void
unlock_audit(void)
{
	LWLockRelease(&corm_tasks->lock);
}

static const CormAuditPart queue_audit = {
	.lock = corm_queue_lock,
	.walk = audit_queue,
	.unlock = unlock_audit,
};

/* corm_queue_init asks for the memory of the queue, when preloaded. */
void
corm_queue_init(void)
{
	corm_shared_add(&queue_part);
	corm_work_when_gone(forget_database);
	duty = corm_launcher_add(&task_duty);
	/* the lock of wait groups is taken while that of tasks is held */
	corm_audit_add(&queue_audit);
	corm_group_audit_init();
}
