/*-------------------------------------------------------------------------
 *
 * change.c
 *		Operations that change one key of the hash table.
 *
 * A writer prepares a complete entry in blocks that it holds, takes the shard's
 * lock, links the new entry and unlinks the old one, releases the lock, and
 * only then reports events and frees blocks (corm_table_dispose).  So the work
 * under a lock is short and cannot fail.
 *
 * Every operation checks under the lock that the namespace is still the one
 * that the caller means, and otherwise does nothing and returns CORM_STALE.
 * None of them raises, because they also run after commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "cache/shared/change.h"
#include "cache/shared/integer.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/wheel.h"
#include "catalog/pg_type.h"

#define SET_SWEEPS			8	/* due entries that a put removes */

/*
 * expired tells whether an entry is past its deadline.  *now is the time, or 0:
 * then the clock is read if needed, and *now set.
 */
static inline bool
expired(const CormEntry *entry, int64 *now)
{
	if (entry->deadline == CORM_NEVER)
		return false;
	if (*now == 0)
		*now = corm_clock_mono();
	return entry->deadline <= *now;
}

/*
 * gone returns why an entry is no longer there for its readers, CORM_REASON_NONE if it
 * is.  Needs the lock; *now is as for expired.
 */
static inline CormReason
gone(CormBlockId id, int64 *now)
{
	if (expired(corm_entry(id), now))
		return CORM_REASON_EXPIRED;
	return corm_entry_stale_locked(id) ? CORM_REASON_STALE : CORM_REASON_NONE;
}

/*
 * corm_table_put links the entry that corm_table_fill wrote into chain, in place
 * of the one with the same key, if mode allows it; CORM_REFUSED if not.  After
 * CORM_OK the chain is empty; otherwise the caller still holds its blocks.
 */
CormStatus
corm_table_put(uint16 ns, uint64 gen, const CormCacheKey *key, CormBlockChain *chain,
			   CormPutMode mode)
{
	CormBlockId id = chain->first;
	int64		deadline = corm_entry(id)->deadline;
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	CormBlockId old;
	CormReason	old_gone = CORM_REASON_NONE;
	int64		now = 0;
	CormStatus	status = CORM_OK;
	CormRemoved removed;

	removed.n = 0;
	if (shard->wheel_count > 0)
		now = corm_clock_mono();

	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	if (!corm_ns_is(ns, gen))
	{
		LWLockRelease(&shard->lock);
		return CORM_STALE;
	}

	old = corm_table_find_locked(ns, key);
	if (old != 0)
		old_gone = gone(old, &now);

	corm_table_begin_change(shard);
	if ((mode == CORM_PUT_ADD && old != 0 && old_gone == CORM_REASON_NONE) ||
		(mode == CORM_PUT_REPLACE && (old == 0 || old_gone != CORM_REASON_NONE)) ||
		(mode == CORM_PUT_UNCHANGED && corm_table_changes(key) != key->changes))
		status = CORM_REFUSED;
	else
	{
		bool		visited = old != 0 && old_gone != CORM_REASON_EXPIRED;

		corm_table_changed_locked(key);

		if (old != 0)
			corm_table_unlink_locked(shard, old, old_gone, &removed);
		corm_table_link_locked(shard, id, visited);
		chain->first = chain->last = 0;
		chain->count = 0;
	}
	if (shard->wheel_count > 0 && now != 0)
		corm_wheel_advance(shard, now, SET_SWEEPS, &removed);
	corm_table_end_change(shard);
	LWLockRelease(&shard->lock);

	if (status == CORM_OK)
	{
		corm_ns_count(ns, CORM_COUNT_SETS, 1);
		if (deadline != CORM_NEVER)
			corm_sweeper_wake(deadline);
	}
	corm_table_dispose(&removed, NULL);
	return status;
}

/*
 * corm_table_remove deletes a key, or returns CORM_REFUSED if there is no such
 * key.  If buf is not NULL, the value is copied to it and described in *found.
 * If buf is too small, nothing is deleted, found->value.len is the size needed,
 * and the result is CORM_TOO_SMALL.
 */
CormStatus
corm_table_remove(uint16 ns, uint64 gen, const CormCacheKey *key, char *buf, Size size,
				  CormFound *found)
{
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	CormStatus	status = CORM_REFUSED;
	CormRemoved removed;
	CormBlockId id = 0;
	int64		now = 0;

	removed.n = 0;
	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	if (!corm_ns_is(ns, gen))
		status = CORM_STALE;
	else
	{
		/* Also if it is not there: a loader may be about to store it. */
		corm_table_changed_locked(key);
		id = corm_table_find_locked(ns, key);
	}
	if (id != 0)
	{
		CormEntry  *entry = corm_entry(id);
		CormReason	was_gone = gone(id, &now);

		if (was_gone == CORM_REASON_NONE && buf != NULL)
		{
			uint32		n;

			found->value.tail = 0;
			found->value.len = entry->value_len;
			if (entry->has_tail)
			{
				corm_entry_read(id, (Size) entry->key_len + entry->value_len - sizeof(n),
								(char *) &n, sizeof(n));
				found->value.len -= CORM_TAIL_SIZE(n);
			}
			found->value.type = entry->type;
			found->value.typecheck = entry->typecheck;
			found->value.data = buf;
			found->deadline = entry->deadline;
			found->created = entry->created;
			if (found->value.len > size)
			{
				LWLockRelease(&shard->lock);
				return CORM_TOO_SMALL;
			}
			corm_entry_read(id, entry->key_len, buf, found->value.len);
		}

		corm_table_begin_change(shard);
		corm_table_unlink_locked(shard, id,
								 was_gone != CORM_REASON_NONE ? was_gone : CORM_REASON_DELETED,
								 &removed);
		corm_table_end_change(shard);
		if (was_gone == CORM_REASON_NONE)
			status = CORM_OK;
	}
	LWLockRelease(&shard->lock);
	corm_table_dispose(&removed, NULL);
	return status;
}

/* set_deadline_locked gives a linked entry another deadline.  Needs the exclusive lock, inside a change. */
static void
set_deadline_locked(CormShard *shard, CormBlockId id, int64 deadline)
{
	CormEntry  *entry = corm_entry(id);

	if (entry->deadline != CORM_NEVER)
		corm_wheel_remove(shard, id);
	entry->deadline = deadline;
	if (deadline != CORM_NEVER)
		corm_wheel_insert(shard, id);
}

/*
 * corm_table_touch gives a key another deadline.  CORM_REFUSED means that there
 * is no such key, or that it has expired: an expired key is not revived.
 */
CormStatus
corm_table_touch(uint16 ns, uint64 gen, const CormCacheKey *key, int64 deadline)
{
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	CormStatus	status = CORM_REFUSED;
	CormRemoved removed;
	CormBlockId id;
	int64		now = 0;

	removed.n = 0;
	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	if (!corm_ns_is(ns, gen))
		status = CORM_STALE;
	else if ((id = corm_table_find_locked(ns, key)) != 0)
	{
		CormReason	was_gone = gone(id, &now);

		corm_table_begin_change(shard);
		if (was_gone != CORM_REASON_NONE)
			corm_table_unlink_locked(shard, id, was_gone, &removed);
		else
		{
			set_deadline_locked(shard, id, deadline);
			status = CORM_OK;
		}
		corm_table_end_change(shard);
	}
	LWLockRelease(&shard->lock);
	if (status == CORM_OK && deadline != CORM_NEVER)
		corm_sweeper_wake(deadline);
	corm_table_dispose(&removed, NULL);
	return status;
}

/*
 * corm_table_incr adds by to the integer stored under a key, or stores by as
 * bigint if there is no such key.  An existing entry keeps its type, and its
 * deadline if keep_ttl.  *result is set to the sum.  chain has the blocks for an
 * entry with a value of CORM_INTEGER_SPACE bytes; the caller still holds what
 * is left in it.  CORM_WRONG_TYPE and CORM_OUT_OF_RANGE change nothing.
 */
CormStatus
corm_table_incr(uint16 ns, uint64 gen, const CormCacheKey *key, CormBlockChain *chain,
				int64 by, int64 deadline, bool keep_ttl, int64 *result)
{
	CormShard  *shard = &corm_shards[corm_shard_of(key->hash)];
	TimestampTz created = corm_clock_real();
	CormStatus	status = CORM_OK;
	CormRemoved removed;
	CormBlockId old;
	CormBlockId in_place = 0;
	CormCached	value;
	char		old_bytes[24];
	char		new_bytes[24];
	CormReason	old_gone = CORM_REASON_NONE;
	int64		now = 0;

	removed.n = 0;
	LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
	if (!corm_ns_is(ns, gen))
	{
		LWLockRelease(&shard->lock);
		return CORM_STALE;
	}

	old = corm_table_find_locked(ns, key);
	if (old != 0)
		old_gone = gone(old, &now);

	if (old == 0 || old_gone != CORM_REASON_NONE)
	{
		*result = by;
		memcpy(new_bytes, &by, sizeof(by));
		value.type = INT8OID;
		value.typecheck = 0;
		value.len = sizeof(by);
	}
	else
	{
		CormEntry  *entry = corm_entry(old);

		value.type = entry->type;
		value.typecheck = entry->typecheck;
		value.len = entry->value_len;
		/* what depends on tables is no counter */
		if (entry->value_len > sizeof(old_bytes) || entry->has_tail)
			status = CORM_WRONG_TYPE;
		else
		{
			corm_entry_read(old, entry->key_len, old_bytes, entry->value_len);
			value.data = old_bytes;
			status = corm_cached_add(&value, by, new_bytes, result);
		}
		if (status == CORM_OK && value.len == entry->value_len)
			in_place = old;
		if (keep_ttl)
			deadline = entry->deadline;
		created = entry->created;
	}

	if (status == CORM_OK)
	{
		value.data = new_bytes;
		value.tail = 0;
		corm_table_changed_locked(key);
		corm_table_begin_change(shard);
		if (in_place != 0)
		{
			corm_entry_write(in_place, key->len, new_bytes, value.len);
			if (!keep_ttl)
				set_deadline_locked(shard, in_place, deadline);
			corm_visited[in_place] = 1;
		}
		else
		{
			CormBlockChain own = {0};
			bool		visited = old != 0 && old_gone == CORM_REASON_NONE;

			corm_blocks_split(&corm_cache_blocks, chain, corm_entry_blocks((Size) key->len + value.len), &own);
			corm_table_fill(&own, ns, key, &value, deadline, created);
			if (old != 0)
				corm_table_unlink_locked(shard, old, old_gone, &removed);
			corm_table_link_locked(shard, own.first, visited);
		}
		corm_table_end_change(shard);
	}
	LWLockRelease(&shard->lock);

	if (status == CORM_OK)
	{
		corm_ns_count(ns, CORM_COUNT_SETS, 1);
		if (deadline != CORM_NEVER)
			corm_sweeper_wake(deadline);
	}
	corm_table_dispose(&removed, NULL);
	return status;
}
