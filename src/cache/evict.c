/*-------------------------------------------------------------------------
 *
 * evict.c
 *		Getting blocks for a new entry, by evicting others if need be.
 *
 * Two limits: the pool, and a cache's own max_bytes.  Blocks are charged to
 * the namespace before they are taken, so neither is ever exceeded.
 *
 * The policy is SIEVE: entries stand in order of insertion, a hit sets a mark,
 * and a hand goes from the oldest to the newest and on from the oldest again;
 * it spares marked entries, taking the mark, and evicts the first one without.
 * Every namespace has a list of its own in every shard; eviction for the pool
 * treats the lists of a shard as one, the hand passing from one to the next.
 * Before any of that it takes what is dead or expired.
 *
 * The hand goes a bounded number of steps for each lock acquisition and then
 * evicts whatever it is at: a hundred thousand marked entries do not turn one
 * write into a long wait for all others.
 *
 * A shard of many entries gives a few blocks more than are wanted, for the
 * writes to come.
 *
 * What an evictor unlinks goes into its own chain, not back to the pool, where
 * others would snatch it: so a large value needs one pass, however busy it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cache/cache.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/ipc.h"

#define HAND_STEPS		64		/* entries spared per lock acquisition */
#define EVICT_MORE		8		/* blocks that a large shard gives at once */
#define EVICT_ROUNDS	4		/* times round all shards without success */
#define RESERVE_ATTEMPTS	50	/* until 53200; half a second, more or less */
#define MAX_BACK_OFF_US	20000

/*
 * next_victim moves a list's hand to an entry without mark, taking marks on
 * the way as long as steps last; 0 when it has passed the newest entry.
 */
static CormBlockId
next_victim(CormEntryList *list, int *steps)
{
	CormBlockId id = list->hand != 0 ? list->hand : list->oldest;

	while (corm_visited[id] && *steps > 0)
	{
		(*steps)--;
		corm_visited[id] = 0;
		id = corm_entry(id)->newer;
		if (id == 0)
		{
			list->hand = 0;
			return 0;
		}
	}
	list->hand = id;
	return id;
}

/*
 * evict_from_shard unlinks entries of a shard until want blocks are found or
 * the batch is full: dead ones, expired ones, then by the hand.  If ns is not
 * CORM_NO_NS, only the hand of that namespace's list.  Returns the number of
 * entries.  The caller disposes of them.
 */
static int
evict_from_shard(uint32 shardno, uint16 only_ns, uint32 want, CormRemoved *removed)
{
	CormShard  *shard = &corm_shards[shardno];
	int64		now = 0;
	int			steps = HAND_STEPS;

	removed->n = 0;
	/* A look without the lock: what comes to the wheel after it is not due. */
	if (shard->wheel_count > 0)
		now = corm_clock_mono();
	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	if (shard->count > 0)
	{
		uint32		before = shard->blocks;

		corm_table_begin_change(shard);
		if (only_ns == CORM_NO_NS && pg_atomic_read_u32(&corm_cache->ndead) > 0)
		{
			for (uint32 i = 0; i < corm_cache->nslots; i++)
			{
				CormEntryList *list = corm_list(shardno, i);

				while (list->count > 0 && removed->n < CORM_LOCK_BATCH &&
					   corm_namespaces[i].state == CORM_NS_DEAD &&
					   before - shard->blocks < want)
					corm_table_unlink_locked(shard, list->oldest, CORM_REASON_NONE, removed);
			}
		}
		if (now != 0 && only_ns == CORM_NO_NS && before - shard->blocks < want &&
			removed->n < CORM_LOCK_BATCH)
			corm_wheel_advance(shard, now, CORM_LOCK_BATCH - removed->n, removed);

		while (before - shard->blocks < want && removed->n < CORM_LOCK_BATCH)
		{
			uint16		ns = only_ns != CORM_NO_NS ? only_ns : shard->evict_list;
			CormEntryList *list;
			CormBlockId victim;

			if (ns == CORM_NO_NS)
				break;
			list = corm_list(shardno, ns);
			if (list->count == 0)
				break;
			victim = next_victim(list, &steps);
			if (victim != 0)
			{
				CormReason	reason = corm_entry(victim)->deadline <= now ?
					CORM_REASON_SWEPT : CORM_REASON_EVICTED;

				/* The last of the list before it wraps: on to the next list. */
				if (only_ns == CORM_NO_NS && corm_entry(victim)->newer == 0)
					shard->evict_list = list->next_list;
				corm_table_unlink_locked(shard, victim, reason, removed);
			}
			else if (only_ns == CORM_NO_NS)
				shard->evict_list = list->next_list;
		}
		corm_table_end_change(shard);
	}
	LWLockRelease(&shard->lock);
	return removed->n;
}

/*
 * expect_victims has the processor fetch what evicting n entries from a shard
 * will look at.  Where the oldest entries of a large cache are, memory is
 * cold, and each eviction would wait for it several times, one after the
 * other.  This looks without lock and believes nothing; where the hand spares
 * entries, it is of no use.
 */
static void
expect_victims(uint32 shardno, uint32 n)
{
	uint16		ns = *(volatile uint16 *) &corm_shards[shardno].evict_list;
	volatile CormEntryList *list;
	uint32		hashes[EVICT_MORE];
	uint32		found = 0;
	CormBlockId id;

	if (ns >= corm_cache->nslots)
		return;
	list = corm_list(shardno, ns);
	id = list->hand;
	if (id == 0)
		id = list->oldest;
	while (found < Min(n, EVICT_MORE) && id != 0 && id <= corm_cache->nblocks)
	{
		volatile CormEntry *victim = corm_entry(id);

		hashes[found] = victim->hash;
		id = victim->newer;
		corm_expect_bucket(hashes[found++]);
	}
	for (uint32 i = 0; i < found; i++)
		corm_expect_chain(hashes[i]);
}

/*
 * evict_for_pool adds to a chain until it has n blocks.  Returns false if the
 * cache has nothing left to evict.
 */
static bool
evict_for_pool(uint32 n, CormBlockChain *chain)
{
	int			barren = 0;		/* shards in a row that gave nothing */

	while (chain->count < n)
	{
		uint32		shardno = pg_atomic_fetch_add_u32(&corm_cache->evict_next, 1) % CORM_SHARDS;
		uint32		want;
		CormRemoved removed;

		if (corm_blocks_take(chain, n - chain->count) > 0)
			continue;

		/* One lock for a few of them: the next writes find theirs in the pool. */
		want = Max(n - chain->count, Min(EVICT_MORE, corm_shards[shardno].count / 256));
		expect_victims(shardno, want);
		if (corm_shards[shardno].count > 0 &&
			evict_from_shard(shardno, CORM_NO_NS, want, &removed) > 0)
		{
			corm_table_dispose(&removed, chain);
			barren = 0;
		}
		else if (++barren > EVICT_ROUNDS * CORM_SHARDS)
			return false;
		CORM_FAULT("cache-evict");
		CHECK_FOR_INTERRUPTS();
	}

	/* The last batch may have been more than what was missing. */
	if (chain->count > n)
	{
		CormBlockChain own;

		corm_blocks_split(chain, n, &own);
		corm_blocks_give(chain);
		*chain = own;
	}
	return true;
}

/*
 * evict_for_limit evicts entries of a namespace until what is charged to it
 * fits its limit.  Returns false if that cannot be.
 */
static bool
evict_for_limit(uint16 nsno)
{
	CormNamespace *ns = &corm_namespaces[nsno];
	int			barren = 0;

	while (pg_atomic_read_u32(&ns->blocks) > ns->max_blocks)
	{
		uint32		shardno = pg_atomic_fetch_add_u32(&corm_cache->evict_next, 1) % CORM_SHARDS;
		uint32		blocks = pg_atomic_read_u32(&ns->blocks);
		CormRemoved removed;

		if (blocks > ns->max_blocks && corm_list(shardno, nsno)->count > 0 &&
			evict_from_shard(shardno, nsno, blocks - ns->max_blocks, &removed) > 0)
		{
			corm_table_dispose(&removed, NULL);
			barren = 0;
		}
		else if (++barren > EVICT_ROUNDS * CORM_SHARDS)
			return false;
		CORM_FAULT("cache-evict");
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/*
 * corm_unreserve gives blocks back that were got by corm_reserve and not
 * linked.  Raises nothing.
 */
void
corm_unreserve(uint16 ns, CormBlockChain *chain)
{
	uint32		n = chain->count;

	corm_blocks_give(chain);
	if (n > 0)
		pg_atomic_fetch_sub_u32(&corm_namespaces[ns].blocks, n);
}

/* What a process that reserves has charged and taken, for give_up. */
typedef struct Reservation
{
	uint16		ns;
	uint32		charged;
	CormBlockChain *chain;
} Reservation;

/*
 * give_up gives everything back: when reserving ends by an error or an exit,
 * and before another attempt.
 */
static void
give_up(int code, Datum arg)
{
	Reservation *reservation = (Reservation *) DatumGetPointer(arg);

	corm_blocks_give(reservation->chain);
	pg_atomic_fetch_sub_u32(&corm_namespaces[reservation->ns].blocks, reservation->charged);
	reservation->charged = 0;
}

/* no_room raises 53200: in the cache's own limit, or in the pool. */
static void
no_room(const CormNamespace *ns, bool in_limit)
{
	if (!in_limit)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of cache memory"),
				 errdetail("The entries do not fit into cache \"%s\".", NameStr(ns->name)),
				 errhint("Create the cache with a larger max_bytes, or write less in one transaction.")));
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of cache memory"),
			 errhint("Increase corm.cache_size, or write less in one transaction.")));
}

/*
 * back_off waits a moment of random length, longer each time: those whose
 * reservations are in each other's way must not meet again.
 */
static void
back_off(int attempt)
{
	double		us = Min(MAX_BACK_OFF_US, 100 << Min(attempt, 16));

	pg_usleep((long) (us * pg_prng_double(&pg_global_prng_state)) + 1);
	CHECK_FOR_INTERRUPTS();
}

/*
 * corm_try_reserve gets n blocks for an entry of a namespace into an empty
 * chain: CORM_OK; CORM_STALE if the namespace is gone; CORM_REFUSED when there
 * is no room even after evicting, and then *in_limit tells whether the pool has
 * none, not the cache by its own limit.  It may be cancelled or terminated.
 * The caller holds something only after CORM_OK.
 */
CormOutcome
corm_try_reserve(uint16 nsno, uint32 gen, uint32 n, CormBlockChain *chain, bool *in_limit)
{
	CormNamespace *ns = &corm_namespaces[nsno];
	Reservation reservation = {.ns = nsno, .charged = n, .chain = chain};
	uint32		charged;
	volatile bool fits = false;
	volatile bool got = false;

	chain->first = chain->last = 0;
	chain->count = 0;

	/* Charge first, look after: see the head of namespace.c. */
	charged = pg_atomic_fetch_add_u32(&ns->blocks, n) + n;
	pg_memory_barrier();
	if (!corm_ns_is(nsno, gen))
	{
		pg_atomic_fetch_sub_u32(&ns->blocks, n);
		return CORM_STALE;
	}

	if ((ns->max_blocks == 0 || charged <= ns->max_blocks) &&
		corm_blocks_take(chain, n) == n)
		return CORM_OK;

	/* A FATAL error runs no PG_CATCH block, hence this form. */
	PG_ENSURE_ERROR_CLEANUP(give_up, PointerGetDatum(&reservation));
	{
		fits = ns->max_blocks == 0 || evict_for_limit(nsno);
		got = fits && evict_for_pool(n, chain);
	}
	PG_END_ENSURE_ERROR_CLEANUP(give_up, PointerGetDatum(&reservation));
	if (got)
		return CORM_OK;

	give_up(0, PointerGetDatum(&reservation));
	*in_limit = fits;
	return CORM_REFUSED;
}

/*
 * corm_reserve is corm_try_reserve for those who need the room.  Returns false
 * if the namespace is gone.  Raises 53200 when there is no room, 54000 when
 * there never can be.
 *
 * What others have reserved cannot be evicted, and soon is an entry that can.
 * So before it raises, it gives back what it has and tries again for a while:
 * writers of large values at the same time do not fail for each other.
 */
bool
corm_reserve(uint16 nsno, uint32 gen, uint32 n, CormBlockChain *chain)
{
	CormNamespace *ns = &corm_namespaces[nsno];

	if (n > corm_cache->nblocks || (ns->max_blocks > 0 && n > ns->max_blocks))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value is too large for cache \"%s\"", NameStr(ns->name))));

	for (int attempt = 0;; attempt++)
	{
		bool		in_limit;

		switch (corm_try_reserve(nsno, gen, n, chain, &in_limit))
		{
			case CORM_OK:
				return true;
			case CORM_STALE:
				return false;
			default:
				break;
		}
		if (attempt >= RESERVE_ATTEMPTS)
			no_room(ns, in_limit);
		back_off(attempt);
	}
}
