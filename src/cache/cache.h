/*-------------------------------------------------------------------------
 *
 * cache.h
 *		The shared-memory TTL cache.
 *
 * Data structures.  An *entry* is a chain of blocks (base/blocks.c): the first
 * begins with a CormEntry, then come the key's bytes and the value's.  A
 * *shard* has 1/128 of the hash buckets, a timer wheel, and for every
 * namespace a list of its entries in this shard in order of insertion, which
 * is also the eviction list; "born" numbers the entries of all lists in that
 * order.  A *namespace* is one generation of one cache of
 * one database; clearing a cache gives it a new namespace and leaves the old
 * one to be purged.
 *
 * Locks, in the order in which they may be taken:
 *
 *	ns_lock			the namespace and database slots
 *	shard lock		buckets, lists and wheel of the shard, and its entries
 *	ring lock		the event ring
 *	block lists		(inside base/blocks.c)
 *
 * Nobody holds two shard locks, except cache_check, which takes all in order.
 * While any of them is held there is no palloc, no ereport, no catalog access
 * and no CHECK_FOR_INTERRUPTS.
 *
 * Readers take no lock.  A shard's "seq" is odd while its structure changes;
 * a reader remembers it, walks, copies the result out, and starts again if it
 * has moved (after a few attempts under the shared lock).  One count for the
 * whole shard, not one an entry, because blocks change roles: what a stale
 * reader takes for an entry may be the middle of somebody's value, and only a
 * count that cannot be overwritten by data tells.  Until the count is checked,
 * a reader believes nothing: ids and lengths are checked against bounds.
 *
 * The visited marks of the eviction lists are an array beside the blocks, as
 * are the numbers of their birth, for the same reason: a late reader may set one when the block has become
 * something else, and then it must not hit data.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_H
#define CORM_CACHE_H

#include "access/htup.h"
#include "base/base.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lockdefs.h"
#include "storage/lwlock.h"
#include "utils/array.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#define CORM_SHARD_BITS			7
#define CORM_SHARDS				(1 << CORM_SHARD_BITS)

#define CORM_NEVER				PG_INT64_MAX	/* deadline of what never expires */
#define CORM_KEY_MAX			1024	/* bytes of a key, for SQL */
#define CORM_BINARY_KEY_MAX		60000	/* bytes of a key, for corm_cache_lookup */

#define CORM_DEFAULT_CACHE		"default"
#define CORM_DEFAULT_CACHE_ID	UINT64CONST(1)
#define CORM_QUERY_CACHE_ID		UINT64CONST(2)	/* of corm_cache_lookup */
#define CORM_FIRST_CACHE_ID		UINT64CONST(1000)

#define CORM_NO_NS				((uint16) 0xFFFF)

#define CORM_WHEEL_LEVELS		8
#define CORM_WHEEL_SLOTS		64
#define CORM_WHEEL_TICK_BITS	17	/* one tick is 2^17 us, about 1/8 s */

#define CORM_LOCK_BATCH			32	/* entries handled per lock acquisition */
#define CORM_FIRST_BORN			0x80000000	/* leaves room below for those of a warm restart */
#define CORM_CHANGES			128 /* counts of changes in a shard */

/* Why an entry went away. */
typedef enum CormReason
{
	CORM_REASON_NONE,			/* overwritten, or its cache is gone: no event */
	CORM_REASON_DELETED,
	CORM_REASON_EXPIRED,		/* found by a reader or writer of the key */
	CORM_REASON_SWEPT,			/* found by the sweep */
	CORM_REASON_EVICTED,		/* for space */
	CORM_REASON_CLEARED			/* a whole cache; the key is empty */
} CormReason;

/* Bits of CormNamespace.events, which events a cache reports. */
#define CORM_EVENT_DELETED		0x01
#define CORM_EVENT_EXPIRED		0x02
#define CORM_EVENT_EVICTED		0x04

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
	uint32		value_len;
	uint16		key_len;
	uint16		ns;
} CormEntry;

#define CORM_WHEEL_HEAD			0x80000000

#define CORM_ENTRY_INLINE		(CORM_BLOCK_SIZE - sizeof(CormEntry))
#define CORM_CHAIN_DATA			(CORM_BLOCK_SIZE - sizeof(CormBlockId))

/* What memory is wanted for: there is a hand for each. */
typedef enum CormHandKind
{
	CORM_HAND_POOL,				/* all lists */
	CORM_HAND_LIMIT,			/* the lists of one namespace, for its own limit */
	CORM_HANDS
} CormHandKind;

/*
 * How far a hand has got in all the lists that it goes through: see evict.c.
 * "state" has the number of the pass, whether this is its last part, and in
 * the lower half the first birth that is not considered yet.
 */
typedef struct CormHand
{
	pg_atomic_uint64 state;
	pg_atomic_uint32 next_shard;
} CormHand;

/*
 * The entries of one namespace in one shard, newest to oldest.  Where a hand
 * is in a list counts if it came there in the present pass; then 0 means that it
 * has gone through, until an entry is added.  Before, it is at the oldest.
 */
typedef struct CormEntryList
{
	CormBlockId newest;
	CormBlockId oldest;
	CormBlockId hand[CORM_HANDS];	/* next candidate for eviction */
	uint32		count;
	uint32		blocks;
	uint16		prev_list;		/* ring of the shard's lists that are not empty */
	uint16		next_list;
	uint8		pass[CORM_HANDS];	/* low bits of the pass in which it came there */
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
	 * any session: CORM_PUT_UNCHANGED.  What expires or is evicted is no change.
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
	CORM_COUNTERS
} CormCounter;

/*
 * What a namespace is does not change while it is live, except "restricted".
 * "gen" is unique over time and 0 unless the namespace is live: a session
 * that knows (slot, gen) sees by it whether the slot still is what it was.
 * "blocks" counts what is linked, reserved or just unlinked; a dead slot with
 * 0 blocks is unused by anybody and can be freed.
 */
typedef struct CormNamespace
{
	pg_atomic_uint64 gen;
	CormNsState state;
	Oid			db;
	uint16		dbslot;
	uint8		events;			/* CORM_EVENT_* */
	bool		restricted;		/* not everybody may read its keys */
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
	bool		notifier_awake; /* it will look at the ring without being told */
	bool		notifier_leave; /* it has been asked to go */
	Latch	   *notifier_latch; /* of its PGPROC, same address everywhere */
	int64		launched;		/* machine's time of the last launch; 0: none since one ran */
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
	char		pad[PG_CACHE_LINE_SIZE];	/* what is between is written often */
	pg_atomic_uint32 born;		/* number of the next entry; wraps round */
	CormHand	hand;			/* for the pool */
	char		pad2[PG_CACHE_LINE_SIZE];

	/* sweeper; pid and latch are written by it alone */
	pid_t		sweeper_pid;
	Latch	   *sweeper_latch;
	pg_atomic_uint64 sweeper_next;	/* monotonic time at which it will look */
	CormSweepStats sweep;

	/* event ring, guarded by ring_lock */
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

/*
 * A key as the table wants it.  The hash goes with a namespace's gen; changes
 * is for CORM_PUT_UNCHANGED: what corm_table_changes has returned.
 */
typedef struct CormCacheKey
{
	const char *data;
	uint32		len;
	uint32		hash;
	uint32		changes;
} CormCacheKey;

/* The state of a key when it was looked at. */
typedef struct CormSeen
{
	uint64		gen;
	uint32		changes;
} CormSeen;

/* A value, flat. */
typedef struct CormCached
{
	Oid			type;
	uint32		typecheck;
	const char *data;
	uint32		len;
} CormCached;

/* What a lookup found.  data is palloc'd, or in a buffer valid till the next. */
typedef struct CormFound
{
	CormCached	value;
	int64		deadline;
	TimestampTz created;
} CormFound;

/* What a session knows of a cache; valid until definitions change. */
typedef struct CormCacheRef
{
	NameData	name;			/* hash key */
	uint32		name_len;
	uint64		generation;		/* of the definitions it was made from */
	Oid			userid;			/* whose rights these are */
	uint64		id;
	Oid			owner;
	bool		can_read;
	bool		can_write;
	bool		closed;
	bool		restricted;
	bool		stored;			/* has a row in the catalog */
	uint8		events;
	int64		ttl;			/* microseconds; 0: none */
	int64		max_bytes;		/* 0: none */
	NameData	channel;
	uint16		ns;				/* CORM_NO_NS: none yet */
	uint64		gen;
} CormCacheRef;

/* Entries unlinked under a lock, to be reported and freed after it. */
typedef struct CormRemoved
{
	int			n;
	struct
	{
		CormBlockId id;
		CormReason	reason;
	}			item[CORM_LOCK_BATCH + 16];
} CormRemoved;

typedef enum CormPutMode
{
	CORM_PUT_SET,
	CORM_PUT_ADD,
	CORM_PUT_REPLACE,
	CORM_PUT_UNCHANGED			/* if the key is unchanged since it was seen */
} CormPutMode;

typedef enum CormOutcome
{
	CORM_OK,
	CORM_REFUSED,				/* present for add, absent for replace, changed for unchanged */
	CORM_STALE,					/* the namespace is gone: look it up again */
	CORM_TOO_SMALL,				/* the buffer given is */
	CORM_WRONG_TYPE,
	CORM_OUT_OF_RANGE
} CormOutcome;

/* shared.c */
extern void corm_cache_init(void);
extern void corm_cache_require(void);
extern bool corm_cache_available(void);
extern Size corm_cache_max_value(void);

static inline CormEntry *
corm_entry(CormBlockId id)
{
	return (CormEntry *) corm_block_addr(id);
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
 * corm_expect_bucket and, once that has come, corm_expect_chain have the
 * processor fetch what an operation on a key looks at first.  They look
 * without lock and believe nothing, as readers do.
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

/* Number of blocks of an entry with that many bytes of key and value. */
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

/* namespace.c */
extern bool corm_ns_attach(CormCacheRef *ref, bool *made);
extern bool corm_ns_restore(Oid db, CormCacheRef *ref);
extern bool corm_ns_find(Oid db, uint64 id, uint16 *ns, uint64 *gen);
extern uint16 corm_ns_reserve(void);
extern void corm_ns_release(uint16 ns);
extern bool corm_ns_replace(Oid db, uint64 id, uint16 spare, CormReason reason);
extern void corm_ns_kill_database(Oid db);
extern bool corm_ns_purge(int budget, int64 stop_at, int *entries);
extern void corm_ns_set_restricted(Oid db, uint64 id, bool restricted);
extern void corm_ns_count(uint16 ns, CormCounter what, uint64 n);
extern void corm_ns_hit(uint16 ns, uint64 gen, bool hit);
extern void corm_ns_flush_hits(void);

/* table.c: must hold the shard's lock where the name says locked */
extern uint32 corm_table_hash(uint64 gen, const char *data, uint32 len);
extern bool corm_table_get(uint16 ns, uint64 gen, const CormCacheKey *key,
						   bool want_value, CormFound *found);
extern char *corm_table_keys(uint16 ns, uint64 gen, uint32 shardno, Size *size);
extern void corm_table_fill(CormBlockChain *chain, uint16 ns, const CormCacheKey *key,
							const CormCached *value, int64 deadline,
							TimestampTz created);
extern uint32 corm_table_changes(const CormCacheKey *key);
extern void corm_table_changed_locked(const CormCacheKey *key);
extern CormBlockId corm_table_find_locked(uint16 ns, const CormCacheKey *key);
extern void corm_table_link_locked(CormShard *shard, CormBlockId id, bool visited);
extern void corm_table_unlink_locked(CormShard *shard, CormBlockId id,
									 CormReason reason, CormRemoved *removed);
extern void corm_table_begin_change(CormShard *shard);
extern void corm_table_end_change(CormShard *shard);
extern void corm_table_dispose(CormRemoved *removed, CormBlockChain *keep);
extern void corm_entry_read(CormBlockId id, Size offset, char *buf, Size len);
extern void corm_entry_write(CormBlockId id, Size offset, const char *data, Size len);

/* change.c */
extern CormOutcome corm_table_put(uint16 ns, uint64 gen, const CormCacheKey *key,
								  CormBlockChain *chain, CormPutMode mode);
extern CormOutcome corm_table_remove(uint16 ns, uint64 gen, const CormCacheKey *key,
									 char *buf, Size size, CormFound *found);
extern CormOutcome corm_table_touch(uint16 ns, uint64 gen, const CormCacheKey *key,
									int64 deadline);
extern CormOutcome corm_table_incr(uint16 ns, uint64 gen, const CormCacheKey *key,
								   CormBlockChain *chain, int64 by,
								   int64 deadline, bool keep_ttl, int64 *result);

/* wheel.c: with the shard's lock, changes inside a begin/end_change */
extern void corm_wheel_insert(CormShard *shard, CormBlockId id);
extern void corm_wheel_remove(CormShard *shard, CormBlockId id);
extern int	corm_wheel_advance(CormShard *shard, int64 now, int budget,
							   CormRemoved *removed);
extern int64 corm_wheel_next(CormShard *shard);

/* evict.c */
extern void corm_hand_init(CormHand *hand);
extern CormOutcome corm_try_reserve(uint16 ns, uint64 gen, uint32 n, CormBlockChain *chain,
									bool *in_limit);
extern bool corm_reserve(uint16 ns, uint64 gen, uint32 n, CormBlockChain *chain);
extern void corm_unreserve(uint16 ns, CormBlockChain *chain);

/* value.c */
typedef struct CormCachedType
{
	Oid			type;
	uint64		generation;
	int16		len;
	bool		byval;
	bool		exists;
	bool		storable;
	uint32		check;			/* fingerprint of the layout, or 0 */
	FmgrInfo	output;
	MemoryContext context;		/* of what the output function keeps */
	bool		is_text;		/* text, or stored like it */
} CormCachedType;

extern void corm_cached_init(void);
extern CormCachedType *corm_cached_type(Oid type);
extern void corm_cached_flatten(Datum datum, Oid type, CormCached *value);
extern Datum corm_cached_datum(const CormCached *value, CormCachedType *info);
extern text *corm_cached_text(const CormCached *value);
extern bool corm_cached_usable(const CormCached *value);
extern bool corm_cached_integer(const CormCached *value, int64 *result);
extern CormOutcome corm_cached_add(CormCached *value, int64 by, char *new, int64 *result);

/* catalog.c */
#define Natts_cache_definitions				8
#define Anum_cache_definitions_name			1
#define Anum_cache_definitions_id			2
#define Anum_cache_definitions_owner		3
#define Anum_cache_definitions_ttl			4
#define Anum_cache_definitions_max_bytes	5
#define Anum_cache_definitions_channel		6
#define Anum_cache_definitions_events		7
#define Anum_cache_definitions_closed		8

#define Natts_cache_grants					4
#define Anum_cache_grants_cache				1
#define Anum_cache_grants_grantee			2
#define Anum_cache_grants_can_read			3
#define Anum_cache_grants_can_write			4

extern uint64 corm_cache_generation;

extern void corm_cache_catalog_init(void);
extern Relation corm_cache_definitions_open(LOCKMODE lockmode);
extern Relation corm_cache_grants_open(LOCKMODE lockmode);
extern CormCacheRef *corm_cache_ref(const char *name, uint32 len);
extern CormCacheRef *corm_cache_ref_or_null(const char *name, uint32 len);
extern CormCacheRef *corm_cache_ref_internal(uint64 id);
extern bool corm_cache_defined(const CormCacheRef *ref, bool *restricted);
extern void corm_cache_check(const CormCacheRef *ref, bool read, bool write);
extern bool corm_cache_owned(const CormCacheRef *ref);
extern Oid	corm_cache_database_owner(void);
extern int64 corm_interval_us(const Interval *span, const char *what);
extern uint8 corm_events_parse(ArrayType *names);

/* define.c, roles.c: for the statements that drop or replace roles */
extern bool corm_cache_lock(Relation definitions, const char *name, bool wait);
extern HeapTuple corm_cache_find_row(Relation rel, const char *name);
extern void corm_cache_remove(Relation definitions, HeapTuple tuple, uint64 id);
extern void corm_cache_role_drop(Oid role);
extern void corm_cache_drop_owned(const List *roles);
extern void corm_cache_reassign_owned(const List *roles, Oid new_owner);
extern void corm_cache_forget_roles(void);

/* overlay.c: what the transaction will write if it commits */
typedef enum CormPendingKind
{
	CORM_PENDING_PASS,			/* nothing after all: look at shared memory */
	CORM_PENDING_PUT,
	CORM_PENDING_DELETE,
	CORM_PENDING_TOUCH			/* only a new deadline */
} CormPendingKind;

typedef struct CormPending
{
	CormPendingKind kind;
	CormPutMode mode;			/* of a put, as it meets shared memory */
	CormSeen	seen;			/* of a put, if unchanged */
	CormFound	found;
} CormPending;

typedef void (*CormPendingVisit) (const char *key, uint32 len,
								  const CormPending *pending, void *arg);

extern bool corm_overlay_active;

extern void corm_overlay_init(void);
extern const CormPending *corm_overlay_get(uint64 id, const char *key, uint32 len);
extern bool corm_overlay_touches(uint64 id);
extern bool corm_overlay_cleared(uint64 id);
extern void corm_overlay_write(const CormCacheRef *ref, const char *key, uint32 len,
							   const CormPending *pending);
extern void corm_overlay_pass(const CormCacheRef *ref, const char *key, uint32 len);
extern void corm_overlay_clear(const CormCacheRef *ref);
extern void corm_overlay_foreach(uint64 id, CormPendingVisit visit, void *arg);

/* at_commit.c: other things that happen when a transaction ends */
extern void corm_at_end_kill(uint64 id, bool on_commit, bool on_abort);
extern void corm_at_end_restrict(uint64 id, bool restricted, bool was_restricted);
extern void corm_at_commit_kill_database(Oid db);

/* ops.c: the operations, as a transaction sees them */
extern int64 corm_deadline(int64 ttl_us);
extern bool corm_ref_attach(CormCacheRef *ref);
extern void corm_ref_not_attached(const CormCacheRef *ref) pg_attribute_noreturn();
extern bool corm_cache_op_get(CormCacheRef *ref, const char *key, uint32 len,
						bool want_value, CormFound *found);
extern bool corm_cache_op_put(CormCacheRef *ref, const char *key, uint32 len,
						const CormCached *value, int64 deadline, CormPutMode mode,
						bool immediate);
extern void corm_cache_op_see(CormCacheRef *ref, const char *key, uint32 len, CormSeen *seen);
extern pg_atomic_uint32 *corm_cache_op_null_loads(CormCacheRef *ref, const char *key, uint32 len);
extern void corm_cache_op_keep(CormCacheRef *ref, const char *key, uint32 len,
							   const CormCached *value, int64 deadline,
							   const CormSeen *seen, bool immediate);
extern bool corm_cache_op_delete(CormCacheRef *ref, const char *key, uint32 len,
						   bool immediate, CormFound *found);
extern bool corm_cache_op_touch(CormCacheRef *ref, const char *key, uint32 len,
						  int64 deadline);
extern int64 corm_cache_op_incr(CormCacheRef *ref, const char *key, uint32 len,
						  int64 by, int64 ttl_us);
extern int64 corm_cache_op_count(CormCacheRef *ref);

/*
 * query.c: the cache of query results, for the exec layer.  Keys and values
 * are plain bytes; whoever calls puts into the key all that the result depends
 * on besides the database.  Both do nothing when the cache is not available.
 */
extern bool corm_cache_lookup(const char *key, Size key_len,
							  char **value, Size *value_len);
extern bool corm_cache_store(const char *key, Size key_len,
							 const char *value, Size value_len, int64 ttl_us);

/* events.c */
typedef struct CormCacheEvent
{
	int64		seq;
	TimestampTz at;
	uint64		cache_id;		/* its name may be another's meanwhile */
	uint32		lost;			/* events dropped just before this one */
	CormReason	reason;
	bool		restricted;
	NameData	cache;
	NameData	channel;
	const char *key;			/* in the buffer that was read */
	uint32		key_len;
} CormCacheEvent;

extern const char *corm_reason_name(CormReason reason);
extern char *corm_event_key(const CormCacheEvent *event, bool hide);
extern void corm_event_push(uint16 ns, CormReason reason, CormBlockId entry);
extern Size corm_events_read(Oid db, uint64 *position, char *buf, Size size);
extern bool corm_event_next(const char **at, const char *end, CormCacheEvent *event);
extern void corm_events_consumed(CormDatabase *db, uint64 position, int n);
extern void corm_events_drop(CormDatabase *db);
extern void corm_events_forget(Oid db);
extern CormDatabase *corm_database_find(Oid db);

/* sweeper.c, notifier.c */
extern void corm_sweeper_register(void);
extern PGDLLEXPORT void corm_sweeper_wake(int64 when);
extern PGDLLEXPORT bool corm_sweep_tick(void);
extern PGDLLEXPORT void corm_sweeper_main(Datum arg);
extern PGDLLEXPORT void corm_notifier_main(Datum arg);
extern bool corm_notifiers_launch(void);

/* hooks.c */
extern void corm_cache_hooks_init(void);

/* warm.c */
extern void corm_warm_load(void);
extern void corm_warm_forget(void);
extern void corm_warm_save_at_exit(void);

/* check.c */
extern void corm_check_shared(void (*report) (const char *problem, void *arg),
							  void *arg);

#endif							/* CORM_CACHE_H */
