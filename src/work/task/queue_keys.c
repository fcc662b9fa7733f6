/*-------------------------------------------------------------------------
 *
 * queue_keys.c
 *		Keys, of which so many tasks may run, and unique keys.
 *
 * Each key that is in use has an entry, in a hash by the hash of its text.  All of it needs the lock of the
 * queue, and raises nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "work/task/queue_parts.h"

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
	CormBlockId *chain = &corm_queue.key_chains[hash[0] & (corm_queue.nbuckets - 1)];
	CormBlockId block;
	CormTaskKey *key;

	for (block = *chain; block != 0; block = corm_key_at(block)->link)
	{
		key = corm_key_at(block);
		if (key->pool == pool && key->hash[0] == hash[0] && key->hash[1] == hash[1])
			return block;
	}
	block = corm_queue_take_block();
	if (block == 0)
		return 0;
	key = corm_key_at(block);
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
	return corm_key_at(block)->active;
}

/* unref_key forgets a task that had a key, and a key that has no more tasks. */
static void
unref_key(CormBlockId block)
{
	CormTaskKey *key = corm_key_at(block);

	if (--key->refs > 0)
		return;
	corm_queue_unlink(&corm_queue.key_chains[key->hash[0] & (corm_queue.nbuckets - 1)], block, offsetof(CormTaskKey, link));
	corm_queue_give_blocks(block, block, 1);
}

/* is_held tells whether as many tasks of a key are active as another one of it allows. */
static bool
is_held(const CormTaskKey *key, const CormTask *task)
{
	return key->active >= corm_task_more(task)->key_limit;
}

/* admit lets go the parked tasks of a key that may be active. */
static void
admit(CormTaskKey *key)
{
	while (key->parked.first != 0)
	{
		CormBlockId block = key->parked.first;
		CormTask   *task = corm_task_at(block);

		if (is_held(key, task))
			break;
		corm_queue_list_remove(&key->parked, block);
		key->active++;
		task->active = true;
		corm_queue_push_ready(block);
	}
}

/* corm_queue_activate lets a task that waits for another attempt hold its key, unless others do. */
void
corm_queue_activate(CormTask *task)
{
	if (task->key == 0 || task->active || is_held(corm_key_at(task->key), task))
		return;
	corm_key_at(task->key)->active++;
	task->active = true;
}

/* corm_queue_park puts a task at the end of those that wait for their key. */
void
corm_queue_park(CormBlockId block)
{
	CormTaskKey *key = corm_key_at(corm_task_at(block)->key);

	corm_queue_list_add(&key->parked, block, CORM_TASK_PARKED);
	admit(key);
}

/* corm_queue_unpark takes a task out of those that wait for their key. */
void
corm_queue_unpark(CormBlockId block)
{
	CormTaskKey *key = corm_key_at(corm_task_at(block)->key);

	corm_queue_list_remove(&key->parked, block);
	admit(key);
}

/* corm_queue_unique_task returns the task that uses a unique key, or 0. */
CormBlockId
corm_queue_unique_task(int pool, const uint64 *hash)
{
	for (CormBlockId block = corm_queue.unique_chains[hash[0] & (corm_queue.nbuckets - 1)]; block != 0; block = corm_unique_at(block)->link)
	{
		CormTaskUnique *unique = corm_unique_at(block);

		if (unique->pool == pool && unique->hash[0] == hash[0] && unique->hash[1] == hash[1])
			return unique->task;
	}
	return 0;
}

/* corm_queue_drop_unique lets others use the unique key of a task. */
void
corm_queue_drop_unique(CormTask *task)
{
	CormBlockId block = task->unique;

	if (block == 0)
		return;
	corm_queue_unlink(&corm_queue.unique_chains[corm_unique_at(block)->hash[0] & (corm_queue.nbuckets - 1)], block, offsetof(CormTaskUnique, link));
	corm_queue_give_blocks(block, block, 1);
	task->unique = 0;
}

/*
 * corm_queue_take_entries takes what a task needs to be in the queue: its lane, the entries of
 * its keys.  Returns false, with nothing taken, if there is no memory.
 */
bool
corm_queue_take_entries(CormBlockId block, const uint64 *key_hash, const uint64 *unique_hash)
{
	CormTask   *task = corm_task_at(block);

	task->lane = corm_queue_find_lane(task->pool, task->session_user);
	if (task->lane == 0)
		return false;
	corm_lane_at(task->lane)->refs++;
	if (key_hash != NULL)
	{
		task->key = find_key(task->pool, key_hash);
		if (task->key != 0)
			corm_key_at(task->key)->refs++;
	}
	if (unique_hash != NULL)
	{
		task->unique = corm_queue_take_block();
		if (task->unique != 0)
		{
			CormTaskUnique *unique = corm_unique_at(task->unique);
			CormBlockId *chain = &corm_queue.unique_chains[unique_hash[0] & (corm_queue.nbuckets - 1)];

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
		corm_queue_drop_unique(task);
		if (task->key != 0)
			unref_key(task->key);
		corm_queue_unref_lane(task->lane);
		task->key = task->lane = 0;
		return false;
	}
	return true;
}

/* corm_queue_drop_entries gives back what take_entries has taken, and lets the next one with the key go. */
void
corm_queue_drop_entries(CormTask *task)
{
	corm_queue_drop_unique(task);
	if (task->key != 0)
	{
		CormTaskKey *key = corm_key_at(task->key);

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
		corm_queue_unref_lane(task->lane);
		task->lane = 0;
	}
}
