/*-------------------------------------------------------------------------
 *
 * namespace.c
 *		Namespaces: one generation of one cache of one database.
 *
 * Shared memory does not know which caches are defined; that is in the
 * catalog.  A session that uses a cache attaches it: finds the live namespace
 * of (database, cache id) or makes one.  It then remembers slot and gen, and
 * checks with one read that the slot still has that gen.
 *
 * Clearing a cache makes its namespace dead and a new one live, however many
 * entries there are.  Dead entries can no longer be found (the gen is part of
 * the hash, and readers check it), eviction prefers them, and the sweeper
 * purges them.  When "blocks" is 0, no process uses the slot any more, and it
 * is free.  A writer charges "blocks" before it checks the gen, so a slot
 * cannot be freed under a write in progress.
 *
 * All changes of slots happen under ns_lock; gen may be read without.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "base/xact_end.h"
#include "cache/shared/events.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Hits and misses a session has counted and not yet added to the shared ones. */
typedef struct LocalHits
{
	uint64		gen;
	uint32		hits;
	uint32		misses;
	uint32		fresh[CORM_COUNTERS - CORM_PLAIN_COUNTERS];
} LocalHits;

#define FLUSH_AFTER		10000

static LocalHits *local_hits = NULL;
static uint32 local_total = 0;
static uint16 local_ns = 0;		/* highest slot with any */

/* find_live returns the slot of a live namespace.  Needs ns_lock. */
static uint16
find_live(Oid db, uint64 id)
{
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];

		if (ns->state == CORM_NS_LIVE && ns->db == db && ns->id == id)
			return i;
	}
	return CORM_NO_NS;
}

/*
 * corm_ns_find finds the live namespace of a cache.  Returns false if there is
 * none.  Raises nothing, so it can be used after commit.
 */
bool
corm_ns_find(Oid db, uint64 id, uint16 *ns, uint64 *gen)
{
	LWLockAcquire(&corm_cache->ns_lock, LW_SHARED);
	*ns = find_live(db, id);
	if (*ns != CORM_NO_NS)
		*gen = pg_atomic_read_u64(&corm_namespaces[*ns].gen);
	LWLockRelease(&corm_cache->ns_lock);
	return *ns != CORM_NO_NS;
}

/* free_dead frees the dead slots that are unused.  Needs ns_lock exclusive. */
static void
free_dead(void)
{
	if (pg_atomic_read_u32(&corm_cache->ndead) == 0)
		return;

	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];

		if (ns->state == CORM_NS_DEAD && pg_atomic_read_u32(&ns->blocks) == 0)
		{
			ns->state = CORM_NS_FREE;
			pg_atomic_fetch_sub_u32(&corm_cache->ndead, 1);
		}
	}
}

/* make_dead ends the life of a namespace.  Needs ns_lock exclusive. */
static void
make_dead(CormNamespace *ns)
{
	pg_atomic_write_u64(&ns->gen, 0);
	pg_memory_barrier();
	ns->state = CORM_NS_DEAD;
	pg_atomic_fetch_add_u32(&corm_cache->ndead, 1);
}

/* find_free returns a free slot or CORM_NO_NS.  Needs ns_lock exclusive. */
static uint16
find_free(void)
{
	free_dead();
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		if (corm_namespaces[i].state == CORM_NS_FREE)
			return i;
	}

	/* A live namespace without entries costs its cache only its statistics. */
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];

		if (ns->state == CORM_NS_LIVE && pg_atomic_read_u32(&ns->blocks) == 0)
		{
			make_dead(ns);
			free_dead();
			if (ns->state == CORM_NS_FREE)
				return i;
		}
	}
	return CORM_NO_NS;
}

/*
 * find_database returns the slot of a database, making one if need be, or -1
 * when all are in use.  Needs ns_lock exclusive.
 */
static int
find_database(Oid db)
{
	int			unused = -1;

	for (uint32 i = 0; i < corm_cache->ndbs_used; i++)
	{
		if (corm_databases[i].oid == db)
			return i;
	}

	if (corm_cache->ndbs_used < corm_cache->ndbs)
		unused = corm_cache->ndbs_used;

	/* Take over a slot that no namespace and no notifier uses. */
	for (uint32 i = 0; i < corm_cache->ndbs && unused < 0; i++)
	{
		bool		used = corm_databases[i].pending > 0 ||
			corm_databases[i].notifier_pid != 0;

		for (uint32 n = 0; n < corm_cache->nslots && !used; n++)
			used = corm_namespaces[n].state != CORM_NS_FREE &&
				corm_namespaces[n].dbslot == i;
		if (!used)
			unused = i;
	}

	if (unused >= 0)
	{
		CormDatabase *slot = &corm_databases[unused];

		/*
		 * The ring's readers look at these under ring_lock.  The database
		 * that had the slot may come back, to another: its events must not
		 * seem to be old ones to subscribers then.
		 */
		LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
		corm_cache->first_seq = Max(corm_cache->first_seq, slot->seq);
		memset(slot, 0, sizeof(CormDatabase));
		slot->oid = db;
		slot->seq = corm_cache->first_seq;
		corm_cache->ndbs_used = Max(corm_cache->ndbs_used, (uint32) unused + 1);
		LWLockRelease(&corm_cache->ring_lock);
	}
	return unused;
}

/* next_gen returns a number that no namespace has had.  Needs ns_lock. */
static uint64
next_gen(void)
{
	return ++corm_cache->last_gen;
}

/*
 * try_attach finds or makes the namespace of a cache, and says which in *made.
 * Needs ns_lock exclusive.
 */
static bool
try_attach(Oid db, CormCacheRef *ref, bool *made)
{
	uint16		slot = find_live(db, ref->id);
	CormNamespace *ns;
	int			dbslot;

	*made = slot == CORM_NO_NS;
	if (slot == CORM_NO_NS)
	{
		slot = find_free();
		dbslot = find_database(db);
		if (slot == CORM_NO_NS || dbslot < 0)
			return false;

		ns = &corm_namespaces[slot];
		ns->db = db;
		ns->dbslot = dbslot;
		ns->id = ref->id;
		ns->events = ref->events;
		if (ref->events & CORM_EVENT_STALE)
			corm_cache->watched = true;
		ns->restricted = ref->restricted;
		ns->max_blocks = Min(ref->max_bytes / CORM_BLOCK_SIZE, CORM_BLOCKS_MAX);
		if (ref->max_bytes > 0 && ns->max_blocks == 0)
			ns->max_blocks = 1;
		ns->name = ref->name;
		ns->channel = ref->channel;
		for (int c = 0; c < CORM_COUNTERS; c++)
			pg_atomic_write_u64(&ns->counter[c], 0);
		ns->state = CORM_NS_LIVE;
		pg_write_barrier();
		pg_atomic_write_u64(&ns->gen, next_gen());
	}
	ref->ns = slot;
	ref->gen = pg_atomic_read_u64(&corm_namespaces[slot].gen);
	return true;
}

/*
 * kill_dropped ends the namespaces of databases that no longer exist: on a
 * standby, corm is not notified when a database is dropped.  Returns whether
 * there were any.  Looks at catalogs.
 */
static bool
kill_dropped(void)
{
	bool		any = false;

	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		Oid			db = InvalidOid;

		LWLockAcquire(&corm_cache->ns_lock, LW_SHARED);
		if (corm_namespaces[i].state == CORM_NS_LIVE)
			db = corm_namespaces[i].db;
		LWLockRelease(&corm_cache->ns_lock);

		if (OidIsValid(db) && !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(db)))
		{
			corm_ns_kill_database(db);
			any = true;
		}
	}
	return any;
}

/*
 * corm_ns_attach makes ref point to the live namespace of its cache in this
 * database, and creates it if need be; *made says whether it did.  Returns
 * false, with ref->ns CORM_NO_NS, when all slots are in use even after purging
 * what is dead.  Raises only if interrupted, or if the catalogs cannot be read.
 */
bool
corm_ns_attach(CormCacheRef *ref, bool *made)
{
	ref->ns = CORM_NO_NS;
	for (;;)
	{
		bool		done;
		int			entries;

		LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
		done = try_attach(MyDatabaseId, ref, made);
		LWLockRelease(&corm_cache->ns_lock);
		if (done)
			return true;

		if (!corm_ns_purge(1000, PG_INT64_MAX, &entries) && !kill_dropped())
			return false;
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * corm_ns_restore is corm_ns_attach for any database, in the postmaster.  It
 * purges nothing, and raises nothing.
 */
bool
corm_ns_restore(Oid db, CormCacheRef *ref)
{
	bool		done;
	bool		made;

	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	done = try_attach(db, ref, &made);
	LWLockRelease(&corm_cache->ns_lock);
	return done;
}

/*
 * corm_ns_reserve takes a free slot for a namespace that will be needed after
 * commit.  The caller passes it to corm_ns_replace or gives it back with
 * corm_ns_release.  Raises 53400 when there is none.
 */
uint16
corm_ns_reserve(void)
{
	for (;;)
	{
		uint16		slot;
		int			entries;

		LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
		slot = find_free();
		if (slot != CORM_NO_NS)
			corm_namespaces[slot].state = CORM_NS_RESERVED;
		LWLockRelease(&corm_cache->ns_lock);
		if (slot != CORM_NO_NS)
			return slot;

		if (!corm_ns_purge(1000, PG_INT64_MAX, &entries) && !kill_dropped())
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("too many caches in use"),
					 errhint("Increase corm.max_caches and restart the server.")));
		CHECK_FOR_INTERRUPTS();
	}
}

/* corm_ns_release gives a reserved slot back.  Raises nothing. */
void
corm_ns_release(uint16 slot)
{
	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	corm_namespaces[slot].state = CORM_NS_FREE;
	LWLockRelease(&corm_cache->ns_lock);
}

/*
 * corm_ns_replace ends the namespace of a cache.  If spare is a slot from
 * corm_ns_reserve, it becomes the new namespace and takes over the statistics;
 * if spare is CORM_NO_NS, the next session that uses the cache creates one.  A
 * reason other than CORM_REASON_NONE is reported as one event for the whole
 * cache.  Returns false, with spare released, if the cache had no namespace.
 * Raises nothing.
 */
bool
corm_ns_replace(Oid db, uint64 id, uint16 spare, CormReason reason)
{
	uint16		slot;

	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	slot = find_live(db, id);
	if (slot == CORM_NO_NS)
	{
		if (spare != CORM_NO_NS)
			corm_namespaces[spare].state = CORM_NS_FREE;
		LWLockRelease(&corm_cache->ns_lock);
		return false;
	}

	/* Keep the slot from being freed until the event is out. */
	pg_atomic_fetch_add_u32(&corm_namespaces[slot].blocks, 1);
	make_dead(&corm_namespaces[slot]);
	if (spare != CORM_NO_NS)
	{
		CormNamespace *old = &corm_namespaces[slot];
		CormNamespace *ns = &corm_namespaces[spare];

		ns->db = old->db;
		ns->dbslot = old->dbslot;
		ns->events = old->events;
		ns->restricted = old->restricted;
		ns->id = old->id;
		ns->max_blocks = old->max_blocks;
		ns->name = old->name;
		ns->channel = old->channel;
		for (int c = 0; c < CORM_COUNTERS; c++)
			pg_atomic_write_u64(&ns->counter[c], pg_atomic_read_u64(&old->counter[c]));
		ns->state = CORM_NS_LIVE;
		pg_write_barrier();
		pg_atomic_write_u64(&ns->gen, next_gen());
		pg_atomic_fetch_add_u64(&ns->counter[CORM_COUNT_CLEARED], 1);
	}
	LWLockRelease(&corm_cache->ns_lock);

	if (reason != CORM_REASON_NONE)
		corm_event_push(slot, reason, 0);
	pg_atomic_fetch_sub_u32(&corm_namespaces[slot].blocks, 1);
	corm_sweeper_wake(0);
	return true;
}

/*
 * corm_ns_kill_database ends all namespaces of a database, and forgets its
 * events, since another database may get its OID.  Raises nothing.
 */
void
corm_ns_kill_database(Oid db)
{
	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		if (corm_namespaces[i].state == CORM_NS_LIVE && corm_namespaces[i].db == db)
			make_dead(&corm_namespaces[i]);
	}
	for (uint32 i = 0; i < corm_cache->ndbs_used; i++)
	{
		if (corm_databases[i].oid == db)
			corm_events_drop(&corm_databases[i]);
	}
	corm_events_forget(db);
	LWLockRelease(&corm_cache->ns_lock);
	corm_sweeper_wake(0);
}

/*
 * corm_ns_set_restricted notes whether only some roles may read a cache, when
 * its grants have changed.  Raises nothing.
 */
void
corm_ns_set_restricted(Oid db, uint64 id, bool restricted)
{
	uint16		slot;

	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	slot = find_live(db, id);
	if (slot != CORM_NO_NS)
		corm_namespaces[slot].restricted = restricted;
	LWLockRelease(&corm_cache->ns_lock);
}

/*
 * corm_ns_purge removes up to budget entries of dead namespaces, a batch for
 * each lock acquisition, until the machine's time reaches stop_at, and frees
 * the slots that have become unused.  *entries is set to the number of entries
 * removed.  Returns whether there was anything to do.  Raises nothing.
 */
bool
corm_ns_purge(int budget, int64 stop_at, int *entries)
{
	int			removed_total = 0;
	uint32		ndead = pg_atomic_read_u32(&corm_cache->ndead);

	*entries = 0;
	if (ndead == 0)
		return false;

	for (uint32 i = 0; i < corm_cache->nslots && removed_total < budget; i++)
	{
		if (corm_namespaces[i].state != CORM_NS_DEAD)
			continue;

		for (uint32 s = 0; s < CORM_SHARDS && removed_total < budget; s++)
		{
			CormEntryList *list = corm_list(s, i);

			while (list->count > 0 && removed_total < budget)
			{
				CormRemoved removed;
				int			max = Min(CORM_LOCK_BATCH, budget - removed_total);

				removed.n = 0;
				LWLockAcquire(&corm_shards[s].lock, LW_EXCLUSIVE);

				/* A dead slot is not reused while it has entries. */
				if (corm_namespaces[i].state == CORM_NS_DEAD && list->count > 0)
				{
					corm_table_begin_change(&corm_shards[s]);
					while (list->count > 0 && removed.n < max)
						corm_table_unlink_locked(&corm_shards[s], list->oldest,
												 CORM_REASON_NONE, &removed);
					corm_table_end_change(&corm_shards[s]);
				}
				LWLockRelease(&corm_shards[s].lock);
				if (removed.n == 0)
					break;
				removed_total += removed.n;
				corm_table_dispose(&removed, NULL);
				if (stop_at != PG_INT64_MAX && corm_clock_machine() >= stop_at)
					budget = 0;
			}
		}
	}

	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	free_dead();
	ndead -= Min(ndead, pg_atomic_read_u32(&corm_cache->ndead));
	LWLockRelease(&corm_cache->ns_lock);
	*entries = removed_total;
	return removed_total + ndead > 0;
}

/* corm_ns_count adds to a statistics counter. */
void
corm_ns_count(uint16 ns, CormCounter what, uint64 n)
{
	pg_atomic_fetch_add_u64(&corm_namespaces[ns].counter[what], n);
}

/* local_counts returns what this session has counted of a namespace.  Raises only if memory runs out. */
static inline LocalHits *
local_counts(uint16 ns, uint64 gen)
{
	LocalHits  *local;

	if (unlikely(local_hits == NULL))
		local_hits = (LocalHits *)
			MemoryContextAllocZero(TopMemoryContext,
								   corm_cache->nslots * sizeof(LocalHits));

	local = &local_hits[ns];
	if (unlikely(local->gen != gen))
	{
		memset(local, 0, sizeof(LocalHits));
		local->gen = gen;
	}
	local_ns = Max(local_ns, ns);
	local_total++;
	corm_xact_needs_end();
	return local;
}

/*
 * corm_ns_hit counts a hit or miss in this session.  It reaches the shared
 * counters at the end of the transaction, so that a hit writes no shared
 * memory.  Raises only if memory runs out, at the first call in a session.
 */
void
corm_ns_hit(uint16 ns, uint64 gen, bool hit)
{
	LocalHits  *local = local_counts(ns, gen);

	if (hit)
		local->hits++;
	else
		local->misses++;
	if (local_total >= FLUSH_AFTER)
		corm_ns_flush_hits();
}

/* corm_ns_fresh counts, in the same way, what became of a call that asks for a fresh answer. */
void
corm_ns_fresh(uint16 ns, uint64 gen, CormCounter what)
{
	local_counts(ns, gen)->fresh[what - CORM_PLAIN_COUNTERS]++;
}

/*
 * corm_ns_flush_hits adds the session's counts to the shared ones.  Counts of a
 * namespace that is gone are dropped.  Raises nothing.
 */
void
corm_ns_flush_hits(void)
{
	if (local_total == 0)
		return;

	for (int ns = 0; ns <= local_ns; ns++)
	{
		LocalHits  *local = &local_hits[ns];

		if (local->gen == 0)
			continue;
		if (corm_ns_is(ns, local->gen))
		{
			corm_ns_count(ns, CORM_COUNT_HITS, local->hits);
			corm_ns_count(ns, CORM_COUNT_MISSES, local->misses);
			for (int i = 0; i < lengthof(local->fresh); i++)
			{
				if (local->fresh[i] != 0)
					corm_ns_count(ns, CORM_PLAIN_COUNTERS + i, local->fresh[i]);
			}
		}
		memset(local, 0, sizeof(LocalHits));
	}
	local_total = 0;
	local_ns = 0;
}
