/*-------------------------------------------------------------------------
 *
 * check.c
 *		Verifying every structure of the cache.
 *
 * This takes all locks, so that it sees one moment, and no process can write
 * while it runs: it is a diagnostic, not for daily use.  Under the locks it only
 * notes problems, in memory allocated beforehand, and reports them afterwards.
 *
 * What must hold: every entry is in the bucket of its hash, in the list of its
 * namespace, and, if and only if it has a deadline, in the wheel, in a slot that
 * comes due no later than it must; each block belongs to one entry or one free
 * list, or is held by a live process; all counts agree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "cache/shared/check.h"
#include "cache/shared/shared.h"
#include "miscadmin.h"

#define MAX_PROBLEMS	50

typedef struct Check
{
	uint8	   *owner;			/* per block: 0 unknown, 1 seen */
	uint8	   *in_wheel;		/* per block: entry met in the wheel */
	uint32	   *ns_blocks;		/* per namespace: linked blocks found */
	int			nproblems;
	char		problem[MAX_PROBLEMS][160];
} Check;

/* note records a problem, formatted without allocating. */
static void
note(Check *check, const char *what, uint32 shard, uint32 id)
{
	if (check->nproblems < MAX_PROBLEMS)
		snprintf(check->problem[check->nproblems], sizeof(check->problem[0]),
				 "%s (shard %u, block %u)", what, shard, id);
	check->nproblems++;
}

/*
 * claim marks the blocks of an entry as belonging to it.  Returns false if its
 * chain cannot be followed.
 */
static bool
claim(Check *check, uint32 s, CormBlockId id)
{
	CormEntry  *entry = corm_entry(id);
	uint32		expected = corm_entry_blocks((Size) entry->key_len + entry->value_len);
	uint32		n = 0;
	CormBlockId last = 0;

	for (CormBlockId b = id; b != 0; b = *corm_block_next(&corm_cache_blocks, b))
	{
		if (b > corm_cache->nblocks)
		{
			note(check, "entry's chain leaves the pool", s, id);
			return false;
		}
		if (check->owner[b])
		{
			note(check, "block belongs to two owners", s, b);
			return false;
		}
		check->owner[b] = 1;
		last = b;
		n++;
	}
	if (n != expected)
		note(check, "entry's chain has the wrong length", s, id);
	if (last != entry->last)
		note(check, "entry's last block is not the last", s, id);
	return true;
}

/* check_wheel checks a shard's wheel and marks the entries in it. */
static void
check_wheel(Check *check, uint32 s)
{
	CormShard  *shard = &corm_shards[s];
	uint32		count = 0;

	for (int level = 0; level < CORM_WHEEL_LEVELS; level++)
	{
		for (int slot = 0; slot < CORM_WHEEL_SLOTS; slot++)
		{
			uint32		prev = CORM_WHEEL_HEAD | (level * CORM_WHEEL_SLOTS + slot);
			CormBlockId head = shard->slots[level][slot];
			bool		occupied = (shard->occupied[level] >> slot) & 1;

			if (occupied != (head != 0))
				note(check, "wheel's bitmap differs from its slot", s, head);
			for (CormBlockId id = head; id != 0; id = corm_entry(id)->wheel_next)
			{
				int64		due;

				if (id > corm_cache->nblocks || check->in_wheel[id])
				{
					note(check, "wheel's list is broken", s, id);
					break;
				}
				check->in_wheel[id] = 1;
				if (corm_entry(id)->wheel_prev != prev)
					note(check, "entry's place in the wheel is wrong", s, id);
				prev = id;
				count++;

				/* The slot must come up at the latest when the entry is due. */
				due = (int64) ((((shard->wheel_now >> (6 * level) >> 6 << 6) | slot) << (6 * level))
							   << CORM_WHEEL_TICK_BITS);
				if (due > corm_entry(id)->deadline + (INT64CONST(1) << CORM_WHEEL_TICK_BITS) &&
					due > (int64) (shard->wheel_now << CORM_WHEEL_TICK_BITS))
					note(check, "entry is in the wheel too late", s, id);
			}
		}
	}
	if (count != shard->wheel_count)
		note(check, "wheel's count is wrong", s, count);
}

/* check_lists checks the lists of a shard and their ring, and claims their entries; after check_wheel. */
static void
check_lists(Check *check, uint32 s)
{
	CormShard  *shard = &corm_shards[s];
	uint32		count = 0;
	uint32		blocks = 0;
	uint32		wheel = 0;
	uint32		active = 0;
	uint32		in_ring = 0;

	for (uint32 ns = 0; ns < corm_cache->nslots; ns++)
	{
		CormEntryList *list = corm_list(s, ns);
		uint32		list_count = 0;
		uint32		list_blocks = 0;
		CormBlockId newer = 0;
		int			hands_found = 0;

		for (CormBlockId id = list->newest; id != 0; id = corm_entry(id)->older)
		{
			CormEntry  *entry = corm_entry(id);

			if (id > corm_cache->nblocks)
			{
				note(check, "list leaves the pool", s, id);
				break;
			}
			if (!claim(check, s, id))
				break;
			if (entry->newer != newer)
				note(check, "list's links disagree", s, id);
			if (entry->ns != ns)
				note(check, "entry is in another namespace's list", s, id);
			if (corm_shard_of(entry->hash) != s)
				note(check, "entry is in the wrong shard", s, id);
			if ((entry->deadline != CORM_NEVER) != check->in_wheel[id])
				note(check, "entry is in the wheel without deadline, or not with one", s, id);
			for (int i = 0; i < CORM_HANDS; i++)
				hands_found += id == list->hand[i];
			if (entry->deadline != CORM_NEVER)
				wheel++;
			newer = id;
			list_count++;
			list_blocks += corm_entry_blocks((Size) entry->key_len + entry->value_len);
		}
		if (list->oldest != newer)
			note(check, "list's end is wrong", s, list->oldest);
		for (int i = 0; i < CORM_HANDS; i++)
			hands_found += list->hand[i] == 0;
		if (hands_found != CORM_HANDS)
			note(check, "hand is not in its list", s, ns);
		if (list_count != list->count || list_blocks != list->blocks)
			note(check, "list's counts are wrong", s, ns);
		if (list_count > 0)
		{
			active++;
			if (corm_namespaces[ns].state != CORM_NS_LIVE &&
				corm_namespaces[ns].state != CORM_NS_DEAD)
				note(check, "namespace that is not in use has entries", s, ns);
		}
		check->ns_blocks[ns] += list_blocks;
		count += list_count;
		blocks += list_blocks;
	}

	if (count != shard->count || blocks != shard->blocks)
		note(check, "shard's counts are wrong", s, count);
	if (wheel != shard->wheel_count)
		note(check, "shard has more or less in the wheel than entries with a deadline", s, wheel);

	if (shard->evict_list != CORM_NO_NS)
	{
		uint16		ns = shard->evict_list;

		do
		{
			if (corm_list(s, ns)->count == 0 ||
				corm_list(s, corm_list(s, ns)->next_list)->prev_list != ns)
			{
				note(check, "ring of lists is broken", s, ns);
				break;
			}
			in_ring++;
			ns = corm_list(s, ns)->next_list;
		} while (ns != shard->evict_list && in_ring <= active);
	}
	if (in_ring != active)
		note(check, "ring of lists does not have all that have entries", s, in_ring);
	if (pg_atomic_read_u32(&shard->seq) & 1)
		note(check, "shard is in the middle of a change", s, 0);
}

/* check_buckets checks the hash chains of a shard. */
static void
check_buckets(Check *check, uint32 s)
{
	uint32		per_shard = corm_cache->nbuckets / CORM_SHARDS;
	uint32		count = 0;

	for (uint32 b = 0; b < per_shard; b++)
	{
		CormBlockId *bucket = &corm_buckets[(Size) s * per_shard + b];

		for (CormBlockId id = *bucket; id != 0; id = corm_entry(id)->next)
		{
			if (id > corm_cache->nblocks || ++count > corm_shards[s].count)
			{
				note(check, "hash chain is broken", s, id);
				break;
			}
			if (corm_bucket(corm_entry(id)->hash) != bucket)
				note(check, "entry is in the wrong bucket", s, id);
		}
	}
	if (count != corm_shards[s].count)
		note(check, "hash chains do not have all entries", s, count);
}

/* check_pool compares what entries own with the block pool. */
static void
check_pool(Check *check)
{
	uint32		nfree;
	int64		held;
	int64		by_nobody;
	int64		linked = 0;

	for (uint32 s = 0; s < CORM_SHARDS; s++)
		linked += corm_shards[s].blocks;

	if (!corm_blocks_inspect(&corm_cache_blocks, check->owner, &nfree, &held, &by_nobody))
	{
		note(check, "a list of free blocks is broken", 0, 0);
		return;
	}
	if (nfree + linked + held != corm_cache->nblocks)
		note(check, "blocks free, in use and held are not all", 0, (uint32) held);
	if (by_nobody != 0)
		note(check, "blocks are held by processes that are gone", 0, (uint32) by_nobody);
}

/*
 * corm_check_shared checks everything and calls report for each problem, up to
 * MAX_PROBLEMS.  It holds all locks of the cache while it checks, and none while
 * it reports.
 */
void
corm_check_shared(void (*report) (const char *problem, void *arg), void *arg)
{
	Size		per_block = (Size) corm_cache->nblocks + 2;
	Check	   *check = palloc0(sizeof(Check));

	check->owner = MemoryContextAllocExtended(CurrentMemoryContext, per_block,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check->in_wheel = MemoryContextAllocExtended(CurrentMemoryContext, per_block,
												 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check->ns_blocks = palloc0(corm_cache->nslots * sizeof(uint32));

	LWLockAcquire(&corm_cache->ns_lock, LW_SHARED);
	for (int s = 0; s < CORM_SHARDS; s++)
		LWLockAcquire(&corm_shards[s].lock, LW_SHARED);
	corm_blocks_lock_all(&corm_cache_blocks);

	for (uint32 s = 0; s < CORM_SHARDS; s++)
	{
		check_wheel(check, s);
		check_lists(check, s);
		check_buckets(check, s);
	}
	check_pool(check);

	/* Charged blocks are linked ones and those of writes in flight. */
	for (uint32 ns = 0; ns < corm_cache->nslots; ns++)
	{
		if (pg_atomic_read_u32(&corm_namespaces[ns].blocks) < check->ns_blocks[ns])
			note(check, "namespace is charged less than it has", 0, ns);
		if (corm_namespaces[ns].state == CORM_NS_LIVE &&
			corm_namespaces[ns].max_blocks > 0 &&
			check->ns_blocks[ns] > corm_namespaces[ns].max_blocks)
			note(check, "cache is larger than its max_bytes", 0, ns);
	}

	corm_blocks_unlock_all(&corm_cache_blocks);
	for (int s = CORM_SHARDS - 1; s >= 0; s--)
		LWLockRelease(&corm_shards[s].lock);
	LWLockRelease(&corm_cache->ns_lock);

	for (int i = 0; i < Min(check->nproblems, MAX_PROBLEMS); i++)
		report(check->problem[i], arg);
	if (check->nproblems > MAX_PROBLEMS)
		report(psprintf("and %d more", check->nproblems - MAX_PROBLEMS), arg);
}
