/*-------------------------------------------------------------------------
 *
 * shared.h
 *		Topics and their groups in shared memory: structures, and their start.
 *
 * A topic that is in use has a slot, and so has each of its groups.  A memory topic
 * keeps its messages there: a log of entries, each a chain of blocks, linked in the
 * order of their numbers.  The messages of a durable topic are rows (durable.c); it
 * has no entries, only their numbers.  What follows is the same for both.
 *
 * A group has a cursor, the number of the next message that it has never handed
 * out.  For a message before the cursor that is not settled there is a delivery:
 * a block that says whether the message is in somebody's hand, is ready to be
 * handed out again, or waits for its time.  A message before the cursor without a
 * delivery is settled.  So the memory that a group takes grows with what is in
 * hand, not with what waits.
 *
 * An entry counts the groups that have not settled it.  With none left it is freed,
 * or stays for as long as the topic's retention says.
 *
 * Locking.  topics_lock protects which slots are used.  The lock of a topic protects
 * everything else of it and of its groups: entries, deliveries, counters.  A process
 * that holds the lock of one topic takes no other topic's: topics share locks, so that
 * all can be taken at once to verify everything.  topics_lock is taken
 * before a topic's.  Under these locks nothing allocates or raises; blocks that
 * become free are collected in a chain and given back afterwards.
 *
 * A slot has a generation, which changes when the slot is given up.  Whoever keeps
 * the number of a slot keeps the generation with it, and compares them under the
 * lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_SHARED_H
#define CORM_TOPIC_SHARED_H

#include "base/compat.h"
#include "datatype/timestamp.h"
#include "storage/condition_variable.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "work/shared/memory.h"
#include "work/topic/marks.h"

#define CORM_DELIVERY_BUCKETS	256
#define CORM_KEY_BUCKETS		64
#define CORM_DEDUP_BUCKETS		64

typedef enum CormOverflow
{
	CORM_OVERFLOW_ERROR,
	CORM_OVERFLOW_BLOCK,
	CORM_OVERFLOW_DROP_OLDEST
} CormOverflow;

/* What a topic's definition says, as far as shared memory needs it. */
typedef struct CormTopicSettings
{
	bool		durable;
	bool		closed;
	CormOverflow overflow;
	int32		capacity;
	int64		max_bytes;		/* 0: no limit */
	int64		retention;		/* microseconds; 0: none */
	int64		dedup;			/* microseconds; 0: none */
} CormTopicSettings;

/* What a group's definition says, as far as shared memory needs it. */
typedef struct CormGroupSettings
{
	int32		capacity;		/* 0: that of the topic */
	bool		manual;
	bool		ordered;
	bool		dead_letter;	/* it has one */
	Oid			handler_role;	/* whose workers call its handler; InvalidOid: it
								 * has none */
	int32		max_attempts;	/* 0: no limit */
	int64		retry_delay;	/* microseconds */
	int64		lease;			/* microseconds */
} CormGroupSettings;

/* A message of a memory topic: the beginning of the first block of its chain. */
typedef struct CormEntry
{
	CormBlockId link;			/* to the next block of the chain */
	CormBlockId prev;
	CormBlockId next;
	CormBlockId last_block;
	uint32		nblocks;
	int32		refs;			/* groups that have not settled it */
	int64		seq;
	int64		due;			/* monotonic time; 0: at once */
	int64		settled_at;		/* monotonic time, if refs is 0 */
	TimestampTz published_at;
	uint64		key_hash;		/* 0: it has no key */
	Oid			type;
	int32		key_len;		/* -1: it has no key */
	int32		headers_len;	/* -1: it has none */
	int32		payload_len;
} CormEntry;

typedef enum CormDeliveryState
{
	CORM_READY,					/* in the list of these, by number */
	CORM_DELAYED,				/* in the list of these, by time */
	CORM_PARKED,				/* waits for an earlier one of its key */
	CORM_IN_HAND,				/* of a transaction */
	CORM_LEASED,				/* of a client; in the list of these, by time */
	CORM_ACKING					/* of a client, and a transaction settles it or
								 * gives it back when it commits */
} CormDeliveryState;

/* A message that a group has met and not settled. */
typedef struct CormDelivery
{
	CormBlockId link;
	CormBlockId prev;			/* in the list of its state */
	CormBlockId next;
	CormBlockId hash_next;		/* of the bucket of its number */
	CormBlockId hash_prev;
	CormBlockId key_next;		/* of the bucket of its key */
	CormBlockId mine_next;		/* of the same transaction's */
	CormBlockId entry;			/* 0: of a durable topic */
	uint8		state;
	bool		keyed;			/* in the bucket of its key */
	bool		skip;			/* settled as soon as nobody has it in hand */
	bool		again;			/* in hand, and a seek wants it to come again */
	bool		exhausted;		/* handed out often enough: a dead letter */
	bool		filtered;		/* in hand, and the group's filter has not
								 * accepted it: it has not looked yet, or it
								 * has refused; so this is no delivery */
	bool		lose;			/* exhausted, and no topic takes it */
	bool		acking;			/* in hand, and acknowledged, given back or
								 * touched by the same transaction */
	int32		attempt;		/* how often it was handed out */
	int32		procno;			/* of IN_HAND: whose */
	int64		seq;
	int64		due;			/* of DELAYED and LEASED: monotonic time */
	uint64		key_hash;
	uint64		group_gen;
} CormDelivery;

StaticAssertDecl(sizeof(CormDelivery) <= CORM_BLOCK_SIZE, "a delivery fits into a block");
StaticAssertDecl(sizeof(CormEntry) <= CORM_BLOCK_SIZE, "the head of an entry fits into a block");

typedef struct CormDeliveryList
{
	CormBlockId first;
	CormBlockId last;
	CormBlockId latest;			/* the one that was inserted last, if it is still there */
	int64		n;
} CormDeliveryList;

/* Deliveries in the order of their numbers, of the keys that share a bucket. */
typedef struct CormKeyBucket
{
	CormBlockId first;
	CormBlockId last;
	int32		in_hand;		/* how many of them are in hand */
} CormKeyBucket;

/* The id of a message, remembered against its being published twice. */
typedef struct CormDedup
{
	CormBlockId link;
	CormBlockId hash_next;
	CormBlockId next;			/* in the order in which they are over */
	CormBlockId prev;
	uint64		hash[2];
	int64		until;			/* monotonic time */
	bool		pending;		/* its publisher has not committed */
	VirtualTransactionId owner;
} CormDedup;

typedef struct CormGroup
{
	uint64		gen;			/* 0: never used */
	bool		used;
	bool		creating;		/* its transaction has not committed */
	bool		temporary;
	int			topic;			/* slot */
	int			next;			/* slot of the topic's next group, -1 */
	uint64		id;
	NameData	name;
	CormGroupSettings settings;
	CormBlockId next_entry;		/* memory topics: entry of next_seq, 0: none yet */
	int64		next_seq;
	int64		handled_until;	/* monotonic time before which no task is to be
								 * submitted for its handler */
	int64		single_until;	/* up to that number, its handler gets messages one
								 * at a time: some were in a batch that failed */
	int64		rescan_until;	/* before that number look whether there is a
								 * delivery */
	int64		unsettled;
	int64		in_hand;
	int64		redelivered;
	int64		lost;
	uint64		epoch;			/* durable topics: of its settlements */
	CormDeliveryList ready;
	CormDeliveryList delayed;
	CormDeliveryList leased;
	int64		deliveries;
	int64		lowest;			/* no delivery has a smaller number */
	int64		lowest_free;	/* none that is in nobody's hand has */
	CormBlockId bucket[CORM_DELIVERY_BUCKETS];	/* by number */
	CormKeyBucket key_bucket[CORM_KEY_BUCKETS];
	ConditionVariable arrivals;
} CormGroup;

typedef struct CormTopic
{
	uint64		gen;
	bool		used;
	Oid			db;
	uint64		id;
	CormTopicSettings settings;
	int			first_group;	/* slot, -1 */
	int64		last_seq;
	int64		numbered;		/* durable: the last number given, maybe not yet
								 * committed; protected by the topic's
								 * heavyweight lock */
	int64		first_seq;		/* durable: the oldest that may still be there */
	int64		since;			/* durable: messages since the last rotation */
	int64		numbered_bytes; /* durable: sum of the payloads up to `numbered`;
								 * protected as that is */
	int64		last_bytes;		/* durable: up to last_seq */
	CormByteMarks marks;		/* durable: up to others */
	CormBlockId first;			/* the log */
	CormBlockId last;
	int64		entries;
	int64		waiting;		/* entries that some group has not settled */
	int64		bytes;			/* of the payloads that are kept; durable: from the
								 * oldest that some group has not settled on, or
								 * more: see corm_log_count_bytes */
	int64		reserved;		/* messages of transactions that have not
								 * committed */
	int64		reserved_bytes;
	CormBlockId dedup_first;
	CormBlockId dedup_last;
	CormBlockId dedup_bucket[CORM_DEDUP_BUCKETS];
	ConditionVariable room;
} CormTopic;

typedef union CormTopicPadded
{
	CormTopic	topic;
	char		pad[TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(CormTopic))];
} CormTopicPadded;

#define CORM_TOPIC_LOCKS		64

typedef struct CormTopicsShared
{
	LWLock		topics_lock;
	LWLockPadded topic_lock[CORM_TOPIC_LOCKS];	/* by slot, modulo */
	int			tranche;
	uint64		seed;			/* of hashes */
	uint64		next_gen;
} CormTopicsShared;

extern CormTopicsShared *corm_topics;
extern CormTopicPadded *corm_topic_slots;
extern CormGroup *corm_group_slots;

static inline CormTopic *
corm_topic_at(int slot)
{
	return &corm_topic_slots[slot].topic;
}

/* corm_topic_lwlock returns the lock that protects a topic. */
static inline LWLock *
corm_topic_lwlock(int slot)
{
	return &corm_topics->topic_lock[slot % CORM_TOPIC_LOCKS].lock;
}

static inline CormEntry *
corm_entry(CormBlockId id)
{
	return (CormEntry *) corm_block_addr(&corm_work_blocks, id);
}

static inline CormDelivery *
corm_delivery(CormBlockId id)
{
	return (CormDelivery *) corm_block_addr(&corm_work_blocks, id);
}

static inline CormDedup *
corm_dedup(CormBlockId id)
{
	return (CormDedup *) corm_block_addr(&corm_work_blocks, id);
}

/* A group to be put into shared memory. */
typedef struct CormGroupSeed
{
	uint64		id;
	NameData	name;
	CormGroupSettings settings;
	bool		temporary;
	bool		creating;
	int64		next_seq;		/* durable topics */
	uint64		epoch;
	int			nunsettled;		/* durable topics: numbers before next_seq */
	int64	   *unsettled;
} CormGroupSeed;

/* The id of a message that a durable topic remembers. */
typedef struct CormDedupSeed
{
	uint64		hash[2];
	int64		until;
} CormDedupSeed;

/* A topic to be put into shared memory, with its groups. */
typedef struct CormTopicSeed
{
	Oid			db;
	uint64		id;
	CormTopicSettings settings;
	int64		last_seq;
	int64		first_seq;
	int			ngroups;
	CormGroupSeed *groups;
	int64		last_bytes;		/* durable topics */
	CormByteMarks marks;
	int			ndedup;
	CormDedupSeed *dedup;
	CormBlockChain blocks;		/* one for each unsettled number and each id */
} CormTopicSeed;

extern void corm_topics_shared_init(void);
extern int	corm_topic_find(Oid db, uint64 id, uint64 *gen);
extern int	corm_topic_make(CormTopicSeed *seed, uint64 *gen);
extern int	corm_group_make(int slot, uint64 gen, CormGroupSeed *seed, uint64 *group_gen);
extern void corm_topic_kill(int slot, uint64 gen);
extern void corm_topics_kill_database(Oid db);
extern void corm_group_kill(int slot, uint64 gen, int group, uint64 group_gen);
extern bool corm_topic_lock(int slot, uint64 gen);
extern void corm_topic_unlock(int slot);
extern CormGroup *corm_group_at(int slot, int group, uint64 group_gen);

#define CORM_TOPIC_NO_SLOT		(-1)
#define CORM_TOPIC_NO_GROUPS	(-2)

#endif							/* CORM_TOPIC_SHARED_H */
