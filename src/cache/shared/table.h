/*-------------------------------------------------------------------------
 *
 * table.h
 *		The hash table: keys, values, and how to find and link them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_TABLE_H
#define CORM_CACHE_TABLE_H

#include "base/blocks.h"
#include "base/value.h"
#include "cache/shared/shared.h"

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

typedef CormFlat CormCached;

/*
 * A value that depends on tables has a tail: their cells, the sum of the versions as
 * of which it was computed, and the number of cells, of four bytes each but the sum,
 * which has eight.  It is not aligned.
 */
#define CORM_TAIL_SIZE(n)	((n) * sizeof(uint32) + sizeof(uint64) + sizeof(uint32))

/* Why a lookup found nothing. */
typedef enum CormMissed
{
	CORM_MISSED_ABSENT,
	CORM_MISSED_EXPIRED,
	CORM_MISSED_CHANGED,		/* a table that it depends on has changed */
	CORM_MISSED_COMMITTING,		/* ... is being changed */
	CORM_MISSED_UNSETTLED		/* ... perhaps: nobody knows at the moment */
} CormMissed;

/* What a lookup found.  data is palloc'd, or in a buffer valid till the next. */
typedef struct CormFound
{
	CormCached	value;
	int64		deadline;
	TimestampTz created;
	CormMissed	missed;			/* if it was not found */
} CormFound;

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

/* Those whose names end in _locked need the lock of the shard. */
extern uint32 corm_table_hash(uint64 gen, const char *data, uint32 len);
extern bool corm_table_get(uint16 ns, uint64 gen, const CormCacheKey *key,
						   bool want_value, CormFound *found);
extern bool corm_entry_stale_locked(CormBlockId id);
extern bool corm_table_drop_stale(uint16 ns, uint64 gen, const char *data, uint32 len);
extern uint32 corm_tail_write(char *tail, const uint32 *cells, int n, uint64 sum);
extern char *corm_table_keys(uint16 ns, uint64 gen, uint32 shardno, bool live, Size *size);
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

#endif							/* CORM_CACHE_TABLE_H */
