/*-------------------------------------------------------------------------
 *
 * shared.h
 *		The structures of the cache in shared memory, and the locks on them.
 *
 * Data structures.  An *entry* is a chain of blocks (base/blocks.c): the first
 * begins with a CormEntry, then come the bytes of the key and of the value.  A
 * *shard* has 1/128 of the hash buckets, a timer wheel, and for every
 * namespace a list of its entries in this shard in order of insertion, which
 * is also the eviction list; "born" numbers the entries of all lists in that
 * order.  A *namespace* is one generation of one cache of one database;
 * clearing a cache gives it a new namespace and leaves the old one to be
 * purged.
 *
 * Locks, in the order in which they may be taken:
 *
 *	ns_lock			the namespace and database slots
 *	shard lock		buckets, lists and wheel of the shard, and its entries
 *	ring lock		the event ring
 *	block lists		(inside base/blocks.c)
 *
 * No process holds two shard locks, except cache_check, which takes all in
 * order.  While any of these locks is held there is no palloc, no ereport, no
 * catalog access and no CHECK_FOR_INTERRUPTS.
 *
 * Readers take no lock.  A shard's "seq" is odd while its structure changes;
 * a reader remembers it, walks, copies the result out, and starts again if it
 * has moved (after a few attempts, under the shared lock).  There is one count
 * for the whole shard rather than one per entry because blocks change roles:
 * what a late reader takes for an entry may be the middle of another entry's
 * value, and only a count that data cannot overwrite shows that.  Until it has
 * checked the count, a reader trusts nothing: it checks ids and lengths against
 * their bounds.
 *
 * The visited marks of the eviction lists and the birth numbers are arrays
 * beside the blocks, for the same reason: a late reader may set a mark when the
 * block has become something else, and must not hit data.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_SHARED_H
#define CORM_CACHE_SHARED_H

#include "base/blocks.h"
#include "base/compat.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"


#define CORM_SHARD_BITS			7
#define CORM_SHARDS				(1 << CORM_SHARD_BITS)
#define CORM_NEVER				PG_INT64_MAX	/* deadline of what never
												 * expires */
#define CORM_KEY_MAX			1024	/* bytes of a key, for SQL */

#define CORM_DEFAULT_CACHE_ID	UINT64CONST(1)
#define CORM_QUERY_CACHE_ID		UINT64CONST(2)	/* of query results */
#define CORM_FIRST_CACHE_ID		UINT64CONST(1000)

#define CORM_NO_NS				((uint16) 0xFFFF)

#define CORM_WHEEL_LEVELS		8
#define CORM_WHEEL_SLOTS		64
#define CORM_WHEEL_TICK_BITS	17	/* one tick is 2^17 us, about 1/8 s */

#define CORM_LOCK_BATCH			32	/* entries handled per lock acquisition */
#define CORM_FIRST_BORN			0x80000000	/* leaves room below for those of
											 * a warm restart */
#define CORM_CHANGES			128 /* counts of changes in a shard */

/* Why an entry went away. */
typedef enum CormReason
{
	CORM_REASON_NONE,			/* overwritten, or its cache is gone: no event */
	CORM_REASON_DELETED,
	CORM_REASON_EXPIRED,		/* found by a reader or writer of the key */
	CORM_REASON_SWEPT,			/* found by the sweep */
	CORM_REASON_EVICTED,		/* for space */
	CORM_REASON_STALE,			/* a table that it depends on has changed */
	CORM_REASON_CLEARED			/* a whole cache; the key is empty */
} CormReason;

/* Bits of CormNamespace.events, which events a cache reports. */
#define CORM_EVENT_DELETED		0x01
#define CORM_EVENT_EXPIRED		0x02
#define CORM_EVENT_EVICTED		0x04
#define CORM_EVENT_STALE		0x08

typedef struct CormEntry
{
	CormBlockId chain;			/* second block; must be first */
	CormBlockId last;			/* last block, perhaps this one */
	CormBlockId next;			/* in the hash bucket */
	uint32		hash;
	int64		deadline;		/* monotonic, or CORM_NEVER */
	TimestampTz created;
	CormBlockId newer;			/* neighbours in the namespace's list */
	CormBlockId older;
	uint32		wheel_prev;		/* a block, or CORM_WHEEL_HEAD | slot number */
	CormBlockId wheel_next;
	Oid			type;
	uint32		typecheck;		/* fingerprint of the type's layout */
	uint32		value_len;		/* with the tail, if there is one */
	uint16		key_len:15;
	uint16		has_tail:1;		/* it depends on tables: see table.h */
	uint16		ns;
} CormEntry;

#define CORM_WHEEL_HEAD			0x80000000

#define CORM_ENTRY_INLINE		(CORM_BLOCK_SIZE - sizeof(CormEntry))
#define CORM_CHAIN_DATA			(CORM_BLOCK_SIZE - sizeof(CormBlockId))

/* What memory is wanted for: there is a hand for each. */
typedef enum CormHandKind
{
	CORM_HAND_POOL,				/* all lists */
	CORM_HAND_LIMIT,			/* the lists of one namespace, for its own
								 * limit */
	CORM_HANDS
} CormHandKind;

/*
 * How far a hand has got in all the lists that it goes through: see evict.c.
 * "state" has the number of the pass, whether this is its last part, and in the
 * lower half the first birth that is not yet considered.
 */
typedef struct CormHand
{
	pg_atomic_uint64 state;
	pg_atomic_uint32 next_shard;
} CormHand;

/*
 * The entries of one namespace in one shard, newest to oldest.  hand[] is the
 * place of a hand if pass[] is its present pass; then 0 means that it has passed
 * the newest entry, until another is added.  Otherwise it is at the oldest.
 */
typedef struct CormEntryList
{
	CormBlockId newest;
	CormBlockId oldest;
	CormBlockId hand[CORM_HANDS];	/* next candidate for eviction */
	uint32		count;
	uint32		blocks;
	uint16		prev_list;		/* ring of the shard's lists that are not
								 * empty */
	uint16		next_list;
	uint8		pass[CORM_HANDS];	/* low bits of the pass in which it came
									 * there */
} CormEntryList;

typedef struct CormShard
{
	LWLock		lock;
	pg_atomic_uint32 seq;		/* odd while the structure changes */
	uint32		count;
	uint32		blocks;
	uint16		evict_list;		/* the list that eviction is at */
	uint16		cascading;		/* wheel level being cascaded, or 0 */
	uint32		wheel_count;
	uint64		wheel_now;		/* tick up to which the wheel has turned */
	uint64		occupied[CORM_WHEEL_LEVELS];
	CormBlockId slots[CORM_WHEEL_LEVELS][CORM_WHEEL_SLOTS];
	pg_atomic_uint32 null_loads;	/* loaders that gave no value: fetch.c */
	char		pad[12];		/* to a multiple of 128 bytes */

	/*
	 * How often the keys of each part of the shard were stored or deleted, by
	 * any session: CORM_PUT_UNCHANGED.  What expires or is evicted is no
	 * change.
	 */
	uint32		changes[CORM_CHANGES];
} CormShard;

typedef enum CormNsState
{
	CORM_NS_FREE,
	CORM_NS_RESERVED,			/* taken by a transaction for after its commit */
	CORM_NS_LIVE,
	CORM_NS_DEAD				/* cleared or dropped, to be purged */
} CormNsState;

typedef enum CormCounter
{
	CORM_COUNT_HITS,
	CORM_COUNT_MISSES,
	CORM_COUNT_SETS,
	CORM_COUNT_DELETED,
	CORM_COUNT_EXPIRED,
	CORM_COUNT_SWEPT,
	CORM_COUNT_EVICTED,
	CORM_COUNT_CLEARED,
	CORM_PLAIN_COUNTERS,

	/* of calls that ask for fresh answers */
	CORM_COUNT_FRESH_HITS = CORM_PLAIN_COUNTERS,
	CORM_COUNT_FRESH_ABSENT,	/* misses: there was no entry */
	CORM_COUNT_FRESH_EXPIRED,
	CORM_COUNT_FRESH_CHANGED,	/* a commit has changed what it depends on */
	CORM_COUNT_FRESH_COMMITTING,	/* such a commit is under way */
	CORM_COUNT_FRESH_BYPASSED,	/* the cache was not asked */
	CORM_COUNTERS
} CormCounter;

/*
 * While a namespace is live, nothing that describes it changes but "restricted".
 * "gen" is unique over time, and 0 unless the namespace is live: by it, a session
 * that knows slot and gen sees whether the slot is still the same namespace.
 * "blocks" counts what is linked, reserved or just unlinked; a dead slot with 0
 * blocks is not used by any process and can be freed.
 */
typedef struct CormNamespace
{
	pg_atomic_uint64 gen;
	CormNsState state;
	Oid			db;
	uint16		dbslot;
	uint8		events;			/* CORM_EVENT_* */
	bool		restricted;		/* only some roles may read its keys */
	uint64		id;
	uint32		max_blocks;		/* 0: no limit of its own */
	NameData	name;
	NameData	channel;
	char		pad[PG_CACHE_LINE_SIZE];	/* what follows is written often */
	pg_atomic_uint32 blocks;
	CormHand	hand;			/* for max_blocks */
	pg_atomic_uint64 counter[CORM_COUNTERS];
	char		pad2[PG_CACHE_LINE_SIZE];
} CormNamespace;

/* What corm knows of a database, and of its notifier. */
typedef struct CormDatabase
{
	Oid			oid;			/* InvalidOid: never used */
	int64		seq;			/* last event number given out */
	int64		lost;			/* events dropped, in all */
	uint32		lost_run;		/* dropped since the last one stored */
	int64		pending;		/* events that wait to be notified */
	uint64		cursor;			/* ring position of the oldest of these */
	pid_t		notifier_pid;	/* 0: none runs */
	bool		notifier_awake; /* it will look at the ring without being
								 * woken */
	bool		notifier_leave; /* it has been asked to go */
	Latch	   *notifier_latch; /* of its PGPROC, same address everywhere */
	int64		launched;		/* machine's time of the last launch; 0: none
								 * since one ran */
	int64		enrolled;		/* when the notifier that runs began */
	bool		tried;			/* one was launched and has not begun yet */
	int			failures;		/* launches in a row from which nothing came */
	int64		logged;			/* when the log was last told that none comes */
	int64		hold_until;		/* launch none before this time */
	int64		stuck_since;	/* no notifier although events wait; or 0 */
} CormDatabase;

typedef struct CormSweepStats
{
	int64		ticks;
	int64		visited;
	int64		removed;
	int64		max_visited;	/* in one tick */
	int64		max_batch;		/* in one lock acquisition */
} CormSweepStats;

typedef struct CormCacheShared
{
	LWLock		ns_lock;
	LWLock		ring_lock;
	int			tranche;
	uint64		seed;			/* of the hash: different at every start */
	uint64		type_seed;		/* of the fingerprints of types */
	int64		epoch;			/* names this life of the cache in events */
	uint32		nblocks;
	uint32		nbuckets;		/* a power of 2 */
	uint32		nslots;			/* namespace slots */
	uint32		ndbs;			/* database slots */
	uint32		ndbs_used;		/* so many have had a database */
	uint64		last_gen;
	pg_atomic_uint32 ndead;		/* namespaces to be purged */
	bool		watched;		/* there is, or was, a cache with the event
								 * stale */
	char		pad[PG_CACHE_LINE_SIZE];	/* what is between is written
											 * often */
	pg_atomic_uint32 born;		/* number of the next entry; wraps round */
	CormHand	hand;			/* for the pool */
	char		pad2[PG_CACHE_LINE_SIZE];

	/* sweeper */
	pg_atomic_uint64 sweeper_next;	/* monotonic time at which it will look */
	CormSweepStats sweep;

	/* event ring, protected by ring_lock */
	int64		first_seq;		/* where a database's event numbers begin */
	uint32		ring_size;
	uint64		ring_head;		/* position after the newest record */
	uint64		ring_tail;		/* position of the oldest record */
} CormCacheShared;

extern CormCacheShared *corm_cache;
extern CormShard *corm_shards;
extern CormEntryList *corm_lists;
extern CormNamespace *corm_namespaces;
extern CormDatabase *corm_databases;
extern CormBlockId *corm_buckets;
extern uint8 *corm_visited;
extern uint32 *corm_born;
extern char *corm_ring;
extern CormBlockPool corm_cache_blocks;

/* What became of an operation on shared memory. */
typedef enum CormStatus
{
	CORM_OK,
	CORM_REFUSED,				/* present for add, absent for replace,
								 * changed for unchanged */
	CORM_STALE,					/* the namespace is gone: look it up again */
	CORM_TOO_SMALL,				/* the buffer given is */
	CORM_WRONG_TYPE,
	CORM_OUT_OF_RANGE
} CormStatus;

extern int	corm_sweeper_duty;

extern void corm_cache_shared_init(void);
extern bool corm_cache_available(void);
extern PGDLLEXPORT void corm_sweeper_wake(int64 when);

static inline CormEntry *
corm_entry(CormBlockId id)
{
	return (CormEntry *) corm_block_addr(&corm_cache_blocks, id);
}

static inline uint32
corm_shard_of(uint32 hash)
{
	return hash >> (32 - CORM_SHARD_BITS);
}

static inline CormEntryList *
corm_list(uint32 shardno, uint16 ns)
{
	return &corm_lists[(Size) shardno * corm_cache->nslots + ns];
}

static inline CormBlockId *
corm_bucket(uint32 hash)
{
	/* The top bits choose the shard, so a bucket never spans two. */
	return &corm_buckets[(Size) corm_shard_of(hash) * (corm_cache->nbuckets / CORM_SHARDS) +
						 (hash & (corm_cache->nbuckets / CORM_SHARDS - 1))];
}

/*
 * corm_expect_bucket and, some time later, corm_expect_chain have the processor
 * fetch what an operation on a key looks at first.  They take no lock and trust
 * nothing that they read.  effects.c says what that saves.
 */
static inline void
corm_expect_bucket(uint32 hash)
{
	corm_prefetch(corm_bucket(hash));
}

static inline void
corm_expect_chain(uint32 hash)
{
	CormBlockId id = *(volatile CormBlockId *) corm_bucket(hash);

	if (id != 0 && id <= corm_cache->nblocks)
		corm_prefetch(corm_entry(id));
}

/* corm_entry_blocks returns the number of blocks for an entry with that many bytes of key and value. */
static inline uint32
corm_entry_blocks(Size bytes)
{
	if (bytes <= CORM_ENTRY_INLINE)
		return 1;
	return 1 + (bytes - CORM_ENTRY_INLINE + CORM_CHAIN_DATA - 1) / CORM_CHAIN_DATA;
}

/* corm_ns_is tells whether a slot is still the live namespace gen. */
static inline bool
corm_ns_is(uint16 ns, uint64 gen)
{
	return ns != CORM_NO_NS && pg_atomic_read_u64(&corm_namespaces[ns].gen) == gen;
}

#endif							/* CORM_CACHE_SHARED_H */
