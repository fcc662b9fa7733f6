/*-------------------------------------------------------------------------
 *
 * table.c
 *		The hash table: finding, reading, linking and unlinking entries.
 *
 * shared.h describes the structures, the locks and how readers do without them.
 * Functions here know namespaces and keys but not caches, rights or
 * transactions; operations/ops.c does.  change.c makes the operations that
 * change a key out of these functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "cache/shared/events.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/versions.h"
#include "cache/shared/wheel.h"
#include "common/hashfn.h"
#include "utils/timestamp.h"

#define OPTIMISTIC_TRIES	3	/* reads without the lock before taking it */
#define SCRATCH_SIZE		1024	/* values up to this need one pass */

/* An unlocked walk longer than this has gone astray. */
#define MAX_WALK			100000

typedef enum ReadResult
{
	READ_FOUND,
	READ_MISSING,
	READ_TOO_SMALL,
	READ_TORN
} ReadResult;

#define SHORT_KEY			32	/* bytes of a key that is hashed in place */

/* word_at reads up to 8 bytes. */
static inline uint64
word_at(const char *data, uint32 len)
{
	uint64		word = 0;

	if (len >= sizeof(word))
		memcpy(&word, data, sizeof(word));
	else if (len >= sizeof(uint32))
	{
		uint32		low;
		uint32		high;

		/* The two overlap unless there are 8. */
		memcpy(&low, data, sizeof(low));
		memcpy(&high, data + len - sizeof(high), sizeof(high));
		word = (uint64) high << 32 | low;
	}
	else if (len > 0)
		word = (uint64) (unsigned char) data[0] |
			(uint64) (unsigned char) data[len / 2] << 8 |
			(uint64) (unsigned char) data[len - 1] << 16;
	return word;
}

/*
 * corm_table_hash returns the hash of a key in namespace gen.  The seed is
 * secret, and all of it enters the hash of each word, so that users cannot
 * compute keys that share a bucket.
 *
 * Short keys, which most are, do not take hash_bytes_extended: a key of 13 bytes
 * takes 52 instructions this way and 138 that way, of the 620 of a hit.
 */
uint32
corm_table_hash(uint64 gen, const char *data, uint32 len)
{
	uint64		seed = corm_cache->seed ^ gen;

#ifdef HAVE_INT128
	if (likely(len <= SHORT_KEY))
	{
		uint64		hash = seed + len;

		/*
		 * Each word is multiplied by the state; both halves of the product
		 * count.
		 */
		for (;;)
		{
			uint128		product = (uint128) (word_at(data, len) ^ seed) *
				(hash ^ UINT64CONST(0x9E3779B97F4A7C15));

			hash = (uint64) (product >> 64) ^ (uint64) product;
			if (len <= sizeof(uint64))
				break;
			data += sizeof(uint64);
			len -= sizeof(uint64);
		}
		hash ^= hash >> 32;
		hash *= UINT64CONST(0xD6E8FEB86659FD93);
		return (uint32) (hash >> 32);
	}
#endif
	return (uint32) hash_bytes_extended((const unsigned char *) data, len, seed);
}

/*
 * walk copies len bytes of an entry's content, from offset on, to buf, or
 * compares them with compare if buf is NULL.  chain is the entry's second block
 * as the caller read it.  Returns false if the bytes differ, or if an id is out
 * of bounds, as a reader without the lock may find.
 */
static bool
walk(CormBlockId id, CormBlockId chain, Size offset, char *buf,
	 const char *compare, Size len)
{
	const char *from = (const char *) corm_entry(id) + sizeof(CormEntry);
	Size		avail = CORM_ENTRY_INLINE;

	while (len > 0)
	{
		if (offset < avail)
		{
			Size		n = Min(len, avail - offset);

			if (buf)
			{
				memcpy(buf, from + offset, n);
				buf += n;
			}
			else
			{
				if (memcmp(compare, from + offset, n) != 0)
					return false;
				compare += n;
			}
			len -= n;
			offset = 0;
			if (len == 0)
				break;
		}
		else
			offset -= avail;

		if (chain == 0 || chain > corm_cache->nblocks)
			return false;
		from = corm_block_addr(&corm_cache_blocks, chain) + sizeof(CormBlockId);
		avail = CORM_CHAIN_DATA;
		chain = *corm_block_next(&corm_cache_blocks, chain);
	}
	return true;
}

/*
 * corm_entry_read copies part of an entry's content to buf.  The caller holds
 * the entry's blocks or has the lock of its shard.
 */
void
corm_entry_read(CormBlockId id, Size offset, char *buf, Size len)
{
	walk(id, corm_entry(id)->chain, offset, buf, NULL, len);
}

/*
 * corm_entry_write overwrites part of an entry's content.  The caller holds the
 * entry's blocks, or is between begin_change and end_change.
 */
void
corm_entry_write(CormBlockId id, Size offset, const char *data, Size len)
{
	char	   *to = (char *) corm_entry(id) + sizeof(CormEntry);
	Size		avail = CORM_ENTRY_INLINE;
	CormBlockId chain = corm_entry(id)->chain;

	while (len > 0)
	{
		if (offset < avail)
		{
			Size		n = Min(len, avail - offset);

			memcpy(to + offset, data, n);
			data += n;
			len -= n;
			offset = 0;
			if (len == 0)
				break;
		}
		else
			offset -= avail;
		to = corm_block_addr(&corm_cache_blocks, chain) + sizeof(CormBlockId);
		avail = CORM_CHAIN_DATA;
		chain = *corm_block_next(&corm_cache_blocks, chain);
	}
}

/* same_key tells whether an entry, as read, has this key. */
static inline bool
same_key(CormBlockId id, const CormEntry *entry, uint16 ns, const CormCacheKey *key)
{
	if (entry->hash != key->hash || entry->ns != ns || entry->key_len != key->len)
		return false;
	if (likely(key->len <= CORM_ENTRY_INLINE))
		return memcmp((const char *) corm_entry(id) + sizeof(CormEntry), key->data, key->len) == 0;
	return walk(id, entry->chain, 0, NULL, key->data, key->len);
}

/*
 * read_entry looks for a key and copies the entry's header and, if buf is not
 * NULL and large enough, its value.  Safe without the lock; the result then
 * means nothing until the shard's seq has been checked.
 */
static ReadResult
read_entry(uint16 ns, const CormCacheKey *key, char *buf, Size size,
		   CormBlockId *found, CormEntry *copy)
{
	CormBlockId id = *(volatile CormBlockId *) corm_bucket(key->hash);

	for (int steps = 0; id != 0; steps++)
	{
		volatile CormEntry *entry;

		if (id > corm_cache->nblocks || steps > MAX_WALK)
			return READ_TORN;

		entry = corm_entry(id);
		if (entry->hash == key->hash)
		{
			memcpy(copy, (CormEntry *) entry, sizeof(CormEntry));
			if (same_key(id, copy, ns, key))
			{
				*found = id;
				if (buf == NULL)
					return READ_FOUND;
				if (copy->value_len > size)
					return READ_TOO_SMALL;
				if (likely((Size) copy->key_len + copy->value_len <= CORM_ENTRY_INLINE))
				{
					memcpy(buf, (const char *) corm_entry(id) + sizeof(CormEntry) + copy->key_len,
						   copy->value_len);
					return READ_FOUND;
				}
				return walk(id, copy->chain, copy->key_len, buf, NULL, copy->value_len) ?
					READ_FOUND : READ_TORN;
			}
		}
		id = entry->next;
	}
	return READ_MISSING;
}

/*
 * corm_table_find_locked returns the entry of a key, or 0 if there is none; it
 * may have expired.  Needs the lock, shared or exclusive.
 */
CormBlockId
corm_table_find_locked(uint16 ns, const CormCacheKey *key)
{
	for (CormBlockId id = *corm_bucket(key->hash); id != 0; id = corm_entry(id)->next)
	{
		if (same_key(id, corm_entry(id), ns, key))
			return id;
	}
	return 0;
}

/* changes_of returns the count of changes that a key takes part in. */
static inline volatile uint32 *
changes_of(const CormCacheKey *key)
{
	/* The low bits choose the bucket, the top ones the shard. */
	return &corm_shards[corm_shard_of(key->hash)].changes[(key->hash >> 8) % CORM_CHANGES];
}

/*
 * corm_table_changes returns a number that differs after any change of a key.
 * As keys share these numbers, it may also differ without one.  It takes no
 * lock; what the caller reads afterwards is at least as new.
 */
uint32
corm_table_changes(const CormCacheKey *key)
{
	uint32		changes = *changes_of(key);

	pg_memory_barrier();
	return changes;
}

/* corm_table_changed_locked counts a change of a key.  Needs the exclusive lock. */
void
corm_table_changed_locked(const CormCacheKey *key)
{
	(*changes_of(key))++;
}

/*
 * corm_table_begin_change and corm_table_end_change enclose every change of a
 * shard's structure or of linked entries.  They need the exclusive lock.  In
 * between, readers without the lock wait or start again.
 */
void
corm_table_begin_change(CormShard *shard)
{
	pg_atomic_write_u32(&shard->seq, pg_atomic_read_u32(&shard->seq) + 1);
	pg_write_barrier();
}

void
corm_table_end_change(CormShard *shard)
{
	pg_write_barrier();
	pg_atomic_write_u32(&shard->seq, pg_atomic_read_u32(&shard->seq) + 1);
}

/* activate puts a list that gets its first entry into the ring of its shard. */
static void
activate(CormShard *shard, uint16 ns)
{
	uint32		shardno = shard - corm_shards;
	CormEntryList *list = corm_list(shardno, ns);

	if (shard->evict_list == CORM_NO_NS)
	{
		list->prev_list = list->next_list = ns;
		shard->evict_list = ns;
	}
	else
	{
		CormEntryList *at = corm_list(shardno, shard->evict_list);

		list->prev_list = at->prev_list;
		list->next_list = shard->evict_list;
		corm_list(shardno, at->prev_list)->next_list = ns;
		at->prev_list = ns;
	}
}

/* deactivate takes a list that has become empty out of that ring. */
static void
deactivate(CormShard *shard, uint16 ns)
{
	uint32		shardno = shard - corm_shards;
	CormEntryList *list = corm_list(shardno, ns);

	if (list->next_list == ns)
		shard->evict_list = CORM_NO_NS;
	else
	{
		corm_list(shardno, list->prev_list)->next_list = list->next_list;
		corm_list(shardno, list->next_list)->prev_list = list->prev_list;
		if (shard->evict_list == ns)
			shard->evict_list = list->next_list;
	}
}

/*
 * corm_table_link_locked makes an entry that corm_table_fill has written part of
 * the table; the caller no longer holds its blocks.  Call it between
 * begin_change and end_change.
 */
void
corm_table_link_locked(CormShard *shard, CormBlockId id, bool visited)
{
	CormEntry  *entry = corm_entry(id);
	CormEntryList *list = corm_list(shard - corm_shards, entry->ns);
	CormBlockId *bucket = corm_bucket(entry->hash);
	uint32		nblocks = corm_entry_blocks((Size) entry->key_len + entry->value_len);

	if (list->count == 0)
		activate(shard, entry->ns);
	entry->newer = 0;
	entry->older = list->newest;
	if (list->newest != 0)
		corm_entry(list->newest)->newer = id;
	else
		list->oldest = id;
	list->newest = id;
	for (int i = 0; i < CORM_HANDS; i++)
	{
		if (list->hand[i] == 0)
			list->hand[i] = id;
	}
	list->count++;
	list->blocks += nblocks;

	if (entry->deadline != CORM_NEVER)
		corm_wheel_insert(shard, id);
	else
		entry->wheel_prev = entry->wheel_next = 0;

	corm_visited[id] = visited;
	corm_born[id] = pg_atomic_fetch_add_u32(&corm_cache->born, 1);
	entry->next = *bucket;
	*bucket = id;

	shard->count++;
	shard->blocks += nblocks;
	corm_blocks_linked(&corm_cache_blocks, nblocks);
}

/*
 * corm_table_unlink_locked takes an entry out of the table and adds it to
 * removed, which must have room.  The caller holds its blocks now, and must pass
 * removed to corm_table_dispose after releasing the lock.  Call it between
 * begin_change and end_change.
 */
void
corm_table_unlink_locked(CormShard *shard, CormBlockId id, CormReason reason,
						 CormRemoved *removed)
{
	CormEntry  *entry = corm_entry(id);
	CormEntryList *list = corm_list(shard - corm_shards, entry->ns);
	uint32		nblocks = corm_entry_blocks((Size) entry->key_len + entry->value_len);
	CormBlockId *link = corm_bucket(entry->hash);

	while (*link != id)
		link = &corm_entry(*link)->next;
	*link = entry->next;

	for (int i = 0; i < CORM_HANDS; i++)
	{
		if (list->hand[i] == id)
			list->hand[i] = entry->newer;
	}
	if (entry->newer != 0)
		corm_entry(entry->newer)->older = entry->older;
	else
		list->newest = entry->older;
	if (entry->older != 0)
		corm_entry(entry->older)->newer = entry->newer;
	else
		list->oldest = entry->newer;
	list->count--;
	list->blocks -= nblocks;
	if (list->count == 0)
		deactivate(shard, entry->ns);

	if (entry->deadline != CORM_NEVER)
		corm_wheel_remove(shard, id);

	shard->count--;
	shard->blocks -= nblocks;
	corm_blocks_unlinked(&corm_cache_blocks, nblocks);

	Assert(removed->n < lengthof(removed->item));
	removed->item[removed->n].id = id;
	removed->item[removed->n].reason = reason;
	removed->n++;
}

/*
 * corm_table_dispose counts unlinked entries, pushes their events and frees
 * their blocks, or adds the blocks to keep if that is not NULL.  Empties
 * removed.  Call it without locks.  Raises nothing.
 */
void
corm_table_dispose(CormRemoved *removed, CormBlockChain *keep)
{
	CormBlockChain chain = {0};

	for (int i = 0; i < removed->n; i++)
	{
		CormBlockId id = removed->item[i].id;
		CormReason	reason = removed->item[i].reason;
		CormEntry  *entry = corm_entry(id);
		uint32		nblocks = corm_entry_blocks((Size) entry->key_len + entry->value_len);
		uint16		ns = entry->ns;

		switch (reason)
		{
			case CORM_REASON_DELETED:
				corm_ns_count(ns, CORM_COUNT_DELETED, 1);
				break;
			case CORM_REASON_EXPIRED:
				corm_ns_count(ns, CORM_COUNT_EXPIRED, 1);
				break;
			case CORM_REASON_SWEPT:
				corm_ns_count(ns, CORM_COUNT_SWEPT, 1);
				break;
			case CORM_REASON_EVICTED:
				corm_ns_count(ns, CORM_COUNT_EVICTED, 1);
				break;
			case CORM_REASON_NONE:
			case CORM_REASON_STALE:
			case CORM_REASON_CLEARED:
				break;
		}
		if (reason != CORM_REASON_NONE)
			corm_event_push(ns, reason, id);

		corm_blocks_append(&corm_cache_blocks, keep ? keep : &chain, id, entry->last, nblocks);

		/* From here on the namespace's slot may be gone. */
		pg_atomic_fetch_sub_u32(&corm_namespaces[ns].blocks, nblocks);
	}
	removed->n = 0;
	corm_blocks_give(&corm_cache_blocks, &chain);
}

/*
 * corm_tail_write writes the tail of a value that depends on n cells, and returns its
 * size, which is CORM_TAIL_SIZE(n).
 */
uint32
corm_tail_write(char *tail, const uint32 *cells, int n, uint64 sum)
{
	uint32		count = n;

	memcpy(tail, cells, n * sizeof(uint32));
	memcpy(tail + n * sizeof(uint32), &sum, sizeof(sum));
	memcpy(tail + n * sizeof(uint32) + sizeof(sum), &count, sizeof(count));
	return CORM_TAIL_SIZE(n);
}

/* look_at_tail returns whether a value with a tail is still good, or why not in *missed. */
static bool
look_at_tail(const char *tail, uint32 size, CormMissed *missed)
{
	const char *end = tail + size - sizeof(uint32) - sizeof(uint64);
	CormCellsRead read = {0};
	uint64		sum;

	for (const char *p = tail; p < end; p += sizeof(uint32))
	{
		uint32		cell;

		memcpy(&cell, p, sizeof(cell));
		corm_cells_add(&read, &cell, 1);
	}
	memcpy(&sum, end, sizeof(sum));
	if (sum != read.sum)
		*missed = CORM_MISSED_CHANGED;
	else if (corm_cells_quiet(&read) == CORM_COMMITTING)
		*missed = CORM_MISSED_COMMITTING;
	else if (corm_cells_quiet(&read) == CORM_UNSETTLED)
		*missed = CORM_MISSED_UNSETTLED;
	else
		return true;
	return false;
}

/*
 * corm_entry_stale_locked tells whether a table that an entry depends on has changed.
 * Needs the lock of its shard, shared or exclusive.
 */
bool
corm_entry_stale_locked(CormBlockId id)
{
	CormEntry  *entry = corm_entry(id);
	Size		end = (Size) entry->key_len + entry->value_len;
	CormCellsRead read = {0};
	uint32		n;
	uint64		sum;

	if (!entry->has_tail)
		return false;
	corm_entry_read(id, end - sizeof(n), (char *) &n, sizeof(n));
	corm_entry_read(id, end - sizeof(n) - sizeof(sum), (char *) &sum, sizeof(sum));
	end -= CORM_TAIL_SIZE(n);
	for (uint32 done = 0; done < n;)
	{
		uint32		cells[64];
		uint32		some = Min(n - done, lengthof(cells));

		corm_entry_read(id, end + done * sizeof(uint32), (char *) cells, some * sizeof(uint32));
		corm_cells_add(&read, cells, some);
		done += some;
	}
	return sum != read.sum;
}

/* drop_stale removes a key if a table that it depends on has changed. */
static bool
drop_stale(uint16 ns, uint64 gen, const CormCacheKey *key)
{
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	CormRemoved removed;
	CormBlockId id;
	bool		stale;

	removed.n = 0;
	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	stale = corm_ns_is(ns, gen) && (id = corm_table_find_locked(ns, key)) != 0 &&
		corm_entry_stale_locked(id);
	if (stale)
	{
		corm_table_begin_change(shard);
		corm_table_unlink_locked(shard, id, CORM_REASON_STALE, &removed);
		corm_table_end_change(shard);
	}
	LWLockRelease(&shard->lock);
	corm_table_dispose(&removed, NULL);
	return stale;
}

/*
 * corm_table_drop_stale removes a key of a namespace if a table that it depends on has
 * changed.  Returns whether it did.  Raises nothing.
 */
bool
corm_table_drop_stale(uint16 ns, uint64 gen, const char *data, uint32 len)
{
	CormCacheKey key = {.data = data, .len = len, .hash = corm_table_hash(gen, data, len)};

	return drop_stale(ns, gen, &key);
}

/* expire_key removes a key that was seen expired, if it still is. */
static void
expire_key(uint16 ns, uint64 gen, const CormCacheKey *key)
{
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	int64		now = corm_clock_mono();
	CormRemoved removed;
	CormBlockId id;

	removed.n = 0;
	CORM_FAULT("cache-expired");
	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	if (corm_ns_is(ns, gen) &&
		(id = corm_table_find_locked(ns, key)) != 0 && corm_entry(id)->deadline <= now)
	{
		corm_table_begin_change(shard);
		corm_table_unlink_locked(shard, id, CORM_REASON_EXPIRED, &removed);
		corm_table_end_change(shard);
	}
	LWLockRelease(&shard->lock);
	corm_table_dispose(&removed, NULL);
}

/*
 * corm_table_get looks up a key, and copies the value if it is wanted.  Returns
 * false if there is no such key, if it has expired or a table that it depends on has
 * changed (then it is removed) or is being changed, or if the namespace is gone;
 * found->missed says which.  The value's data is valid until the next call: it is
 * in a static buffer, or palloc'd.
 */
bool
corm_table_get(uint16 ns, uint64 gen, const CormCacheKey *key, bool want_value,
			   CormFound *found)
{
	static char scratch[SCRATCH_SIZE];
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	char	   *buf = want_value ? scratch : NULL;
	Size		size = want_value ? SCRATCH_SIZE : 0;
	CormEntry	entry;
	CormBlockId id = 0;
	ReadResult	result;

	for (int try = 1;; try++)
	{
		uint32		seq = 0;

		if (try <= OPTIMISTIC_TRIES)
		{
			seq = pg_atomic_read_u32(&shard->seq);
			pg_read_barrier();
			if (seq & 1)
				continue;
		}
		else
			LWLockAcquire(&shard->lock, LW_SHARED);

		result = read_entry(ns, key, buf, size, &id, &entry);

		if (try <= OPTIMISTIC_TRIES)
		{
			pg_read_barrier();
			if (pg_atomic_read_u32(&shard->seq) != seq)
				continue;
		}
		else
			LWLockRelease(&shard->lock);

		if (result != READ_TOO_SMALL)
			break;
		size = entry.value_len;
		if (buf != scratch)
			pfree(buf);
		buf = MemoryContextAllocHuge(CurrentMemoryContext, size);
	}

	found->missed = CORM_MISSED_ABSENT;
	if (result != READ_FOUND || !corm_ns_is(ns, gen))
		return false;
	if (entry.deadline != CORM_NEVER && corm_clock_passed(entry.deadline))
	{
		found->missed = CORM_MISSED_EXPIRED;
		expire_key(ns, gen, key);
		return false;
	}
	found->value.tail = 0;
	if (unlikely(entry.has_tail))
	{
		uint32		n;

		if (buf == NULL)
			return corm_table_get(ns, gen, key, true, found);
		memcpy(&n, buf + entry.value_len - sizeof(n), sizeof(n));
		found->value.tail = CORM_TAIL_SIZE(n);
		if (!look_at_tail(buf + entry.value_len - found->value.tail, found->value.tail,
						  &found->missed))
		{
			if (found->missed == CORM_MISSED_CHANGED)
				(void) drop_stale(ns, gen, key);
			return false;
		}
	}
	if (!corm_visited[id])
		corm_visited[id] = 1;

	found->value.type = entry.type;
	found->value.typecheck = entry.typecheck;
	found->value.data = buf;
	found->value.len = entry.value_len - found->value.tail;
	found->deadline = entry.deadline;
	found->created = entry.created;
	return true;
}

/*
 * corm_table_fill writes an entry into a chain that has exactly the number of
 * blocks that corm_entry_blocks returns for it.  The caller holds them.
 */
void
corm_table_fill(CormBlockChain *chain, uint16 ns, const CormCacheKey *key,
				const CormCached *value, int64 deadline, TimestampTz created)
{
	CormBlockId id = chain->first;
	CormEntry  *entry = corm_entry(id);

	Assert(chain->count == corm_entry_blocks((Size) key->len + value->len + value->tail));
	entry->last = chain->last;
	entry->hash = key->hash;
	entry->deadline = deadline;
	entry->created = created;
	entry->type = value->type;
	entry->typecheck = value->typecheck;
	entry->value_len = value->len + value->tail;
	entry->key_len = key->len;
	entry->has_tail = value->tail > 0;
	entry->ns = ns;
	corm_entry_write(id, 0, key->data, key->len);
	corm_entry_write(id, key->len, value->data, value->len + value->tail);
}

/*
 * corm_table_keys returns the keys of a namespace in a shard that have not
 * expired, and if live, depend on nothing that has changed, each as a 2-byte length followed by the bytes, in palloc'd memory of
 * *size bytes; NULL if there are none.  It copies them under the lock and
 * allocates memory without it, again if there was too little.
 */
char *
corm_table_keys(uint16 ns, uint64 gen, uint32 shardno, bool live, Size *size)
{
	CormEntryList *list = corm_list(shardno, ns);
	CormShard  *shard = &corm_shards[shardno];
	Size		room = 0;
	char	   *buf = NULL;

	for (;;)
	{
		int64		now = corm_clock_mono();
		Size		used = 0;

		LWLockAcquire(&shard->lock, LW_SHARED);
		if (corm_ns_is(ns, gen))
		{
			for (CormBlockId id = list->newest; id != 0; id = corm_entry(id)->older)
			{
				CormEntry  *entry = corm_entry(id);
				uint16		key_len = entry->key_len;
				Size		need = sizeof(uint16) + key_len;

				if (entry->deadline <= now || (live && corm_entry_stale_locked(id)))
					continue;
				if (used + need <= room)
				{
					memcpy(buf + used, &key_len, sizeof(uint16));
					corm_entry_read(id, 0, buf + used + sizeof(uint16), key_len);
				}
				used += need;
			}
		}
		LWLockRelease(&shard->lock);

		if (used <= room)
		{
			*size = used;
			return buf;
		}
		room = used + used / 4;
		if (buf)
			pfree(buf);
		buf = MemoryContextAllocHuge(CurrentMemoryContext, room);
	}
}
