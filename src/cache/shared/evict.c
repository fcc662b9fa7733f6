/*-------------------------------------------------------------------------
 *
 * evict.c
 *		Getting blocks for a new entry, by evicting others if need be.
 *
 * There are two limits: the pool, and a cache's own max_bytes.  Blocks are
 * charged to the namespace before they are taken, so neither is ever exceeded.
 *
 * The policy is SIEVE.  Entries are kept in order of insertion, and a hit sets a
 * mark.  A hand goes from the oldest entry to the newest and starts over; it
 * spares marked entries, clearing the mark, and evicts the first one without a
 * mark.  The hand of the pool goes through all entries, that of a namespace
 * with a limit through its own.
 *
 * There is no list of all entries, which every process would have to lock, but
 * one for each namespace in each shard.  So a hand goes through many lists at
 * once, and keeps them in step by the births of the entries: in each pass it
 * considers all entries born before some number, shard by shard, and when none
 * are left, increases that number by a small part of what is left before the
 * newest entry.  So except for the order within such a part, it evicts what it
 * would evict from a single list; with few entries, a part is one entry.  After
 * the last part, which includes the newest entry, the next pass begins, and
 * considers what has been stored since.
 *
 * Eviction for the pool first takes dead and expired entries, where it meets
 * any.
 *
 * A marked entry is evicted only when the hand has gone through all entries
 * twice and found none without a mark: readers may set marks as fast as the hand
 * clears them.  The number of steps for each lock acquisition is limited, so
 * that a hundred thousand marked entries do not turn one write into a long wait
 * for all others.
 *
 * The place of a hand may be read without a lock, as a hint.  If several
 * evictors move the same hand, or the numbers wrap round, entries are evicted
 * out of order at worst; nothing else depends on it.
 *
 * A shard with many entries gives a few blocks more than are needed, for the
 * next writes.
 *
 * What an evictor unlinks goes into its own chain instead of back to the pool,
 * where other processes would take it.  So a large value needs one pass, however
 * busy the cache is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "cache/shared/evict.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/wheel.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/ipc.h"

#define HAND_STEPS		64		/* entries spared per lock acquisition */
#define HAND_PARTS		32		/* a hand moves on by one of so many parts */
#define FORCE_AFTER		2		/* passes without success until marks do not
								 * count */
#define GIVE_UP_AFTER	4		/* passes without success */
#define EVICT_MORE		8		/* blocks that a large shard gives at once */
#define RESERVE_ATTEMPTS	50	/* until 53200; half a second, more or less */
#define MAX_BACK_OFF_US	20000

#define MAX_AGE			0x40000000	/* births that an entry can seem old */

#define PASS(state)		((uint32) ((state) >> 33))
#define IS_LAST(state)	((uint32) ((state) >> 32) & 1)
#define BOUND(state)	((uint32) (state))
#define STATE(pass, last, bound)	((uint64) (pass) << 33 | (uint64) (last) << 32 | (bound))

/* A search for victims: what for, and how far it has got. */
typedef struct Search
{
	CormHandKind kind;
	uint16		ns;				/* CORM_HAND_LIMIT: whose entries */
	CormHand   *hand;
	int			barren;			/* passes begun since anything was evicted */
} Search;

/*
 * corm_hand_init initializes a hand at the beginning of its first pass.  No entry is
 * born before that, even if many are by the time of the first eviction.
 */
void
corm_hand_init(CormHand *hand)
{
	pg_atomic_init_u64(&hand->state, STATE(1, false, CORM_FIRST_BORN - MAX_AGE));
	pg_atomic_init_u32(&hand->next_shard, 0);
}

/* born_before compares births, which wrap round. */
static inline bool
born_before(uint32 a, uint32 b)
{
	return (int32) (a - b) < 0;
}

/* hand_at returns the entry in a list that a hand is at, or 0 if it has passed the newest. */
static inline CormBlockId
hand_at(const volatile CormEntryList *list, CormHandKind kind, uint32 pass)
{
	return list->pass[kind] == (uint8) pass ? list->hand[kind] : list->oldest;
}

/*
 * first_born looks at the lists of a shard that a search goes through.  Returns
 * whether the hand is at an entry in any of them, and sets *born to the earliest
 * birth of these entries.  Takes no lock: the result is a hint.
 */
static bool
first_born(const Search *search, uint32 shardno, uint32 pass, uint32 *born)
{
	bool		limit = search->kind == CORM_HAND_LIMIT;
	uint16		first = limit ? search->ns : *(volatile uint16 *) &corm_shards[shardno].evict_list;
	uint16		ns = first;
	bool		found = false;

	for (uint32 i = 0; i < corm_cache->nslots && ns < corm_cache->nslots; i++)
	{
		volatile CormEntryList *list = corm_list(shardno, ns);
		CormBlockId id = list->count > 0 ? hand_at(list, search->kind, pass) : 0;

		if (id != 0 && id <= corm_cache->nblocks &&
			(!found || born_before(corm_born[id], *born)))
		{
			*born = corm_born[id];
			found = true;
		}
		ns = list->next_list;
		if (limit || ns == first)
			break;
	}
	return found;
}

/*
 * has_lost tells whether a shard has entries that eviction for the pool takes
 * first: expired or dead ones.  Takes no lock: the result is a hint.
 */
static bool
has_lost(uint32 shardno, int64 now)
{
	CormShard  *shard = &corm_shards[shardno];

	if (shard->wheel_count > 0 && corm_wheel_next(shard) <= now)
		return true;
	if (pg_atomic_read_u32(&corm_cache->ndead) > 0)
	{
		for (uint32 i = 0; i < corm_cache->nslots; i++)
		{
			if (corm_namespaces[i].state == CORM_NS_DEAD && corm_list(shardno, i)->count > 0)
				return true;
		}
	}
	return false;
}

/*
 * move_on gives a hand the next part to consider, or begins its next pass.  It
 * does nothing if another evictor has done so since state was read.
 */
static void
move_on(Search *search, uint64 state)
{
	uint32		pass = PASS(state);
	uint32		now = pg_atomic_read_u32(&corm_cache->born);
	uint32		oldest = now;
	uint32		shard = 0;
	bool		found = false;

	for (uint32 s = 0; s < CORM_SHARDS; s++)
	{
		uint32		born;

		if (first_born(search, s, pass, &born) && (!found || born_before(born, oldest)))
		{
			oldest = born;
			shard = s;
			found = true;
		}
	}
	if (found && !IS_LAST(state))
	{
		uint32		left = born_before(oldest, now) ? now - oldest : 0;
		uint32		bound = oldest + left / HAND_PARTS + 1;

		if (pg_atomic_compare_exchange_u64(&search->hand->state, &state,
										   STATE(pass, !born_before(bound, now), bound)))
			pg_atomic_write_u32(&search->hand->next_shard, shard);
	}
	else
	{
		/*
		 * Nothing is older than this: the next search for a part finds the
		 * oldest.
		 */
		pg_atomic_compare_exchange_u64(&search->hand->state, &state,
									   STATE(pass + 1, false, now - PG_INT32_MAX));
		search->barren++;
	}
}

/*
 * find_shard returns the next shard that has something to evict, or CORM_SHARDS
 * if there was none in this part, so that the hand has moved on.
 */
static uint32
find_shard(Search *search)
{
	uint64		state = pg_atomic_read_u64(&search->hand->state);
	bool		pool = search->kind == CORM_HAND_POOL;
	int64		now = pool ? corm_clock_mono() : 0;

	for (int i = 0; i < CORM_SHARDS; i++)
	{
		uint32		shardno = pg_atomic_fetch_add_u32(&search->hand->next_shard, 1) % CORM_SHARDS;
		uint32		born;

		if (corm_shards[shardno].count == 0)
			continue;
		if ((first_born(search, shardno, PASS(state), &born) && born_before(born, BOUND(state))) ||
			(pool && has_lost(shardno, now)))
			return shardno;
	}
	move_on(search, state);
	return CORM_SHARDS;
}

/*
 * sweep_list moves a hand along a list, over the entries born before the bound
 * of state, and unlinks those without a mark (any, if the search has been
 * barren for long) until want blocks are found, the batch is full or no steps
 * are left.  Needs the exclusive lock, inside a change.
 */
static void
sweep_list(CormShard *shard, CormEntryList *list, const Search *search, uint64 state,
		   int64 now, uint32 want, int *steps, CormRemoved *removed)
{
	CormHandKind kind = search->kind;
	CormBlockId id = hand_at(list, kind, PASS(state));
	uint32		before = shard->blocks;
	bool		forced = search->barren > FORCE_AFTER;

	list->pass[kind] = (uint8) PASS(state);
	while (id != 0 && *steps > 0 && before - shard->blocks < want &&
		   removed->n < CORM_LOCK_BATCH && born_before(corm_born[id], BOUND(state)))
	{
		CormBlockId newer = corm_entry(id)->newer;

		if (corm_visited[id] && !forced)
		{
			(*steps)--;
			corm_visited[id] = 0;

			/*
			 * Births are compared by their distance, which must not wrap
			 * round.
			 */
			if (born_before(corm_born[id], BOUND(state) - MAX_AGE))
				corm_born[id] = BOUND(state) - MAX_AGE;
		}
		else
			corm_table_unlink_locked(shard, id, corm_entry(id)->deadline <= now ?
									 CORM_REASON_SWEPT : CORM_REASON_EVICTED, removed);
		id = newer;
	}
	list->hand[kind] = id;
}

/*
 * evict_from_shard unlinks entries of a shard until want blocks are found or the
 * batch is full: for the pool first dead and expired ones, then those that the
 * hand chooses.  Returns the number of entries; the caller passes them to
 * corm_table_dispose.
 */
static int
evict_from_shard(uint32 shardno, const Search *search, uint32 want, CormRemoved *removed)
{
	CormShard  *shard = &corm_shards[shardno];
	bool		pool = search->kind == CORM_HAND_POOL;
	uint64		state = pg_atomic_read_u64(&search->hand->state);
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
		uint16		first = CORM_NO_NS;

		corm_table_begin_change(shard);
		if (pool && pg_atomic_read_u32(&corm_cache->ndead) > 0)
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
		if (now != 0 && pool && before - shard->blocks < want &&
			removed->n < CORM_LOCK_BATCH)
			corm_wheel_advance(shard, now, CORM_LOCK_BATCH - removed->n, removed);

		if (!pool && before - shard->blocks < want && corm_list(shardno, search->ns)->count > 0)
			sweep_list(shard, corm_list(shardno, search->ns), search, state, now, want, &steps, removed);

		/* Once round the ring of lists; one that becomes empty leaves it. */
		while (pool && before - shard->blocks < want && steps > 0 &&
			   removed->n < CORM_LOCK_BATCH && shard->evict_list != CORM_NO_NS &&
			   shard->evict_list != first)
		{
			CormEntryList *list = corm_list(shardno, shard->evict_list);

			sweep_list(shard, list, search, state, now, want - (before - shard->blocks), &steps, removed);
			if (list->count > 0 && before - shard->blocks < want && steps > 0)
			{
				if (first == CORM_NO_NS)
					first = shard->evict_list;
				shard->evict_list = list->next_list;
			}
		}
		corm_table_end_change(shard);
	}
	LWLockRelease(&shard->lock);
	return removed->n;
}

/*
 * expect_victims has the processor fetch what evicting n entries from a shard
 * will look at.  The oldest entries of a large cache are in cold memory, and
 * each eviction would wait for it several times, one after the other.  This
 * takes no lock and trusts nothing that it reads.  It is of no use where the
 * hand spares entries.
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
	id = hand_at(list, CORM_HAND_POOL, PASS(pg_atomic_read_u64(&corm_cache->hand.state)));
	while (found < Min(n, EVICT_MORE) && id != 0 && id <= corm_cache->nblocks)
	{
		volatile CormEntry *victim = corm_entry(id);

		hashes[found] = victim->hash;
		corm_prefetch(&corm_born[id]);
		id = victim->newer;
		corm_expect_bucket(hashes[found++]);
	}
	for (uint32 i = 0; i < found; i++)
		corm_expect_chain(hashes[i]);
}

/*
 * evict_for_pool adds blocks to a chain until it has n of them.  Returns false
 * if nothing is left to evict; the chain then has what was found.  Raises only
 * if interrupted.
 */
static bool
evict_for_pool(uint32 n, CormBlockChain *chain)
{
	Search		search = {.kind = CORM_HAND_POOL, .hand = &corm_cache->hand};

	while (chain->count < n)
	{
		uint32		shardno;
		uint32		want;
		CormRemoved removed;

		if (corm_blocks_take(&corm_cache_blocks, chain, n - chain->count) > 0)
			continue;

		shardno = find_shard(&search);
		if (shardno < CORM_SHARDS)
		{
			/*
			 * One lock for a few of them: the next writes find theirs in the
			 * pool.
			 */
			want = Max(n - chain->count, Min(EVICT_MORE, corm_shards[shardno].count / 256));
			expect_victims(shardno, want);
			if (evict_from_shard(shardno, &search, want, &removed) > 0)
			{
				corm_table_dispose(&removed, chain);
				search.barren = 0;
			}
		}
		else if (search.barren > GIVE_UP_AFTER)
			return false;
		CORM_FAULT("cache-evict");
		CHECK_FOR_INTERRUPTS();
	}

	/* The last batch may have been more than what was missing. */
	if (chain->count > n)
	{
		CormBlockChain own;

		corm_blocks_split(&corm_cache_blocks, chain, n, &own);
		corm_blocks_give(&corm_cache_blocks, chain);
		*chain = own;
	}
	return true;
}

/*
 * evict_for_limit evicts entries of a namespace until what is charged to it is
 * within its limit.  Returns false if nothing is left to evict.  Raises only if
 * interrupted.
 */
static bool
evict_for_limit(uint16 nsno)
{
	CormNamespace *ns = &corm_namespaces[nsno];
	Search		search = {.kind = CORM_HAND_LIMIT, .ns = nsno, .hand = &ns->hand};

	while (pg_atomic_read_u32(&ns->blocks) > ns->max_blocks)
	{
		uint32		shardno = find_shard(&search);
		uint32		blocks = pg_atomic_read_u32(&ns->blocks);
		CormRemoved removed;

		if (shardno < CORM_SHARDS)
		{
			if (blocks > ns->max_blocks &&
				evict_from_shard(shardno, &search, blocks - ns->max_blocks, &removed) > 0)
			{
				corm_table_dispose(&removed, NULL);
				search.barren = 0;
			}
		}
		else if (search.barren > GIVE_UP_AFTER)
			return false;
		CORM_FAULT("cache-evict");
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/*
 * corm_unreserve gives back blocks from corm_reserve that were not linked, and
 * empties the chain.  Raises nothing.
 */
void
corm_unreserve(uint16 ns, CormBlockChain *chain)
{
	uint32		n = chain->count;

	corm_blocks_give(&corm_cache_blocks, chain);
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
 * give_up gives back what a reservation has taken, when it ends in an error or
 * an exit, and before another attempt.
 */
static void
give_up(int code, Datum arg)
{
	Reservation *reservation = (Reservation *) DatumGetPointer(arg);

	corm_blocks_give(&corm_cache_blocks, reservation->chain);
	pg_atomic_fetch_sub_u32(&corm_namespaces[reservation->ns].blocks, reservation->charged);
	reservation->charged = 0;
}

/* no_room raises 53200: for the pool, or for the cache's own limit unless in_limit. */
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
 * back_off waits for a random time, longer with each attempt, so that processes
 * whose reservations were in each other's way do not meet again.
 */
static void
back_off(int attempt)
{
	double		us = Min(MAX_BACK_OFF_US, 100 << Min(attempt, 16));

	pg_usleep((long) (us * pg_prng_double(&pg_global_prng_state)) + 1);
	CHECK_FOR_INTERRUPTS();
}

/*
 * corm_try_reserve gets n blocks for an entry of a namespace into chain, which
 * it initializes.  CORM_STALE means that the namespace is gone, CORM_REFUSED
 * that there is no room even after evicting: in the pool if *in_limit, else
 * within the cache's own limit.  Raises only if interrupted.  The caller holds
 * blocks only after CORM_OK.
 */
CormStatus
corm_try_reserve(uint16 nsno, uint64 gen, uint32 n, CormBlockChain *chain, bool *in_limit)
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
		corm_blocks_take(&corm_cache_blocks, chain, n) == n)
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
 * corm_reserve is corm_try_reserve for callers that cannot do without the room.
 * Returns false if the namespace is gone.  Raises 53200 if there is no room, and
 * 54000 if there never can be.
 *
 * Blocks that other processes have reserved cannot be evicted, but will soon be
 * entries that can.  So before raising, it gives back what it has and tries
 * again for a while, so that concurrent writers of large values do not make
 * each other fail.
 */
bool
corm_reserve(uint16 nsno, uint64 gen, uint32 n, CormBlockChain *chain)
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
