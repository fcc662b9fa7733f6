/*-------------------------------------------------------------------------
 *
 * ops.c
 *		Operations on keys of a cache, as a transaction sees them.
 *
 * Each operation looks at the transaction's own pending writes (overlay.c) and
 * then at shared memory (shared/table.c).  The caller has checked the rights.
 * The SQL functions on top only convert arguments and results.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "cache/definitions/refs.h"
#include "cache/operations/ops.h"
#include "cache/operations/overlay.h"
#include "cache/operations/cached.h"
#include "cache/shared/change.h"
#include "cache/shared/evict.h"
#include "cache/shared/integer.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"

/*
 * corm_deadline returns the deadline for a TTL that starts now, CORM_NEVER for a
 * TTL of 0.  Raises 22008 if it is out of range.
 */
int64
corm_deadline(int64 ttl_us)
{
	int64		deadline;

	if (ttl_us == 0)
		return CORM_NEVER;
	if (pg_add_s64_overflow(corm_clock_mono(), ttl_us, &deadline) ||
		deadline >= CORM_NEVER)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("ttl out of range")));
	return deadline;
}

/* attach is corm_ref_attach for writes: raises 53400 and 55000. */
static void
attach(CormCacheRef *ref)
{
	if (!corm_ref_attach(ref))
		corm_ref_not_attached(ref);
}

/* set_key prepares a key for the namespace of ref. */
static inline void
set_key(CormCacheKey *out, const CormCacheRef *ref, const char *key, uint32 len)
{
	out->data = key;
	out->len = len;
	out->hash = corm_table_hash(ref->gen, key, len);
}

/* get_shared looks a key up in shared memory. */
static inline bool
get_shared(CormCacheRef *ref, const char *keydata, uint32 len, bool want_value,
		   CormFound *found)
{
	CormCacheKey key;

	found->missed = CORM_MISSED_ABSENT;
	if (unlikely(!corm_ns_is(ref->ns, ref->gen)) && !corm_ref_attach(ref))
		return false;
	set_key(&key, ref, keydata, len);
	if (!corm_table_get(ref->ns, ref->gen, &key, want_value, found))
		return false;

	/* What this transaction sees of the tables may be something else. */
	if (unlikely(found->value.tail > 0) && corm_fresh_possible() != NULL)
	{
		found->missed = CORM_MISSED_UNSETTLED;
		return false;
	}
	return likely(found->value.type == TEXTOID) || corm_flat_usable(&found->value);
}

/*
 * get_pending looks up a key that the transaction has written; pending is what it
 * did.  Returns false if the key is not there, or has expired.
 */
static bool
get_pending(CormCacheRef *ref, const char *key, uint32 len, bool want_value,
			const CormPending *pending, CormFound *found)
{
	switch (pending->kind)
	{
		case CORM_PENDING_PUT:
			/* Its type may have changed since, in this transaction too. */
			if (!corm_flat_usable(&pending->found.value))
				return false;
			*found = pending->found;
			break;
		case CORM_PENDING_TOUCH:
			{
				int64		deadline = pending->found.deadline;

				if (!get_shared(ref, key, len, want_value, found))
					return false;
				found->deadline = deadline;
			}
			break;
		default:
			return false;
	}
	return found->deadline == CORM_NEVER || !corm_clock_passed(found->deadline);
}

/*
 * corm_cache_op_get looks up a key, and counts a hit or a miss.  Returns false if
 * it is not there.  The value's data is valid until the next operation.
 */
bool
corm_cache_op_get(CormCacheRef *ref, const char *key, uint32 len, bool want_value,
				  CormFound *found)
{
	bool		hit;
	const CormPending *pending;

	found->missed = CORM_MISSED_ABSENT;
	if (unlikely(corm_overlay_active) &&
		(pending = corm_overlay_get(ref->id, key, len)) != NULL)
		hit = get_pending(ref, key, len, want_value, pending, found);
	else
		hit = get_shared(ref, key, len, want_value, found);

	if (likely(ref->ns != CORM_NO_NS))
		corm_ns_hit(ref->ns, ref->gen, hit);
	return hit;
}

/*
 * put_now writes to shared memory.  seen is for CORM_PUT_UNCHANGED; a key of
 * another namespace counts as changed.  Returns false if mode does not allow
 * it.  Raises what attach and corm_reserve raise.
 */
static bool
put_now(CormCacheRef *ref, const char *keydata, uint32 len, const CormCached *value,
		int64 deadline, CormPutMode mode, const CormSeen *seen)
{
	uint32		nblocks = corm_entry_blocks((Size) len + value->len + value->tail);
	CormStatus	status;

	do
	{
		CormBlockChain chain;
		CormCacheKey key;

		attach(ref);
		if (mode == CORM_PUT_UNCHANGED && ref->gen != seen->gen)
			return false;
		status = CORM_STALE;
		set_key(&key, ref, keydata, len);
		if (mode == CORM_PUT_UNCHANGED)
			key.changes = seen->changes;
		corm_expect_bucket(key.hash);
		if (!corm_reserve(ref->ns, ref->gen, nblocks, &chain))
			continue;
		corm_expect_chain(key.hash);
		corm_table_fill(&chain, ref->ns, &key, value, deadline, corm_clock_real());
		status = corm_table_put(ref->ns, ref->gen, &key, &chain, mode);
		corm_unreserve(ref->ns, &chain);
	} while (status == CORM_STALE);
	return status == CORM_OK;
}

/*
 * follow_pending makes a put depend on shared memory as the pending write of the
 * same key does, which it replaces: what this transaction did first decides.
 * pending may be NULL.
 */
static void
follow_pending(CormPending *put, const CormPending *pending)
{
	if (pending == NULL)
		return;
	if (pending->kind == CORM_PENDING_PUT)
	{
		put->mode = pending->mode;
		put->seen = pending->seen;
	}
	else if (pending->kind == CORM_PENDING_DELETE)
		put->mode = CORM_PUT_SET;
}

/*
 * corm_cache_op_put stores a value, now or at commit.  Returns false if mode does
 * not allow it, as the transaction sees the key.  Raises 54000 if the value can
 * never fit into the cache, and what put_now raises.
 */
bool
corm_cache_op_put(CormCacheRef *ref, const char *key, uint32 len, const CormCached *value,
				  int64 deadline, CormPutMode mode, bool immediate)
{
	CormPending put = {.kind = CORM_PENDING_PUT, .mode = mode};

	if (immediate)
	{
		bool		done = put_now(ref, key, len, value, deadline, mode, NULL);

		if (done)
			corm_overlay_pass(ref, key, len);
		return done;
	}

	if (ref->max_bytes > 0 &&
		(int64) corm_entry_blocks((Size) len + value->len + value->tail) * CORM_BLOCK_SIZE > Max(ref->max_bytes, CORM_BLOCK_SIZE))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value is too large for cache \"%s\"", NameStr(ref->name))));

	if (mode != CORM_PUT_SET)
	{
		CormFound	found;
		bool		present = corm_cache_op_get(ref, key, len, false, &found);
		const CormPending *pending = corm_overlay_get(ref->id, key, len);

		if (present != (mode == CORM_PUT_REPLACE))
			return false;

		follow_pending(&put, pending);
	}

	put.found.value = *value;
	put.found.deadline = deadline;
	put.found.created = corm_clock_real();
	corm_overlay_write(ref, key, len, &put);
	return true;
}

/*
 * corm_cache_op_see notes the state of a key, for corm_cache_op_keep.  Call it
 * before looking whether the key is there.
 */
void
corm_cache_op_see(CormCacheRef *ref, const char *keydata, uint32 len, CormSeen *seen)
{
	CormCacheKey key;

	attach(ref);
	set_key(&key, ref, keydata, len);
	seen->gen = ref->gen;
	seen->changes = corm_table_changes(&key);
}

/*
 * corm_cache_op_null_loads returns the count of loaders that gave no value, which
 * a key shares with others.  Raises what attaching its cache raises.
 */
pg_atomic_uint32 *
corm_cache_op_null_loads(CormCacheRef *ref, const char *keydata, uint32 len)
{
	CormCacheKey key;

	attach(ref);
	set_key(&key, ref, keydata, len);
	return &corm_shards[corm_shard_of(key.hash)].null_loads;
}

/*
 * corm_cache_op_keep stores a value that was made from what tables showed after
 * the key was seen, unless any process has changed the key since: what it stored
 * is newer, or it deleted what this value was made from.  It stores now or at
 * commit; at commit, what this transaction itself has done to the key does not
 * count as a change.
 */
void
corm_cache_op_keep(CormCacheRef *ref, const char *key, uint32 len, const CormCached *value,
				   int64 deadline, const CormSeen *seen, bool immediate)
{
	CormPending put = {.kind = CORM_PENDING_PUT, .mode = CORM_PUT_UNCHANGED, .seen = *seen};
	const CormPending *pending;

	if (immediate)
	{
		(void) put_now(ref, key, len, value, deadline, CORM_PUT_UNCHANGED, seen);
		return;
	}

	pending = corm_overlay_get(ref->id, key, len);
	follow_pending(&put, pending);
	put.found.value = *value;
	put.found.deadline = deadline;
	put.found.created = corm_clock_real();
	corm_overlay_write(ref, key, len, &put);
}

/*
 * delete_now deletes a key from shared memory and copies its value to palloc'd
 * memory.  Returns false if there is no such key or its value is not usable.
 */
static bool
delete_now(CormCacheRef *ref, const char *keydata, uint32 len, CormFound *found)
{
	Size		size = 1024;
	char	   *buf = palloc(size);
	CormCacheKey key;

	for (;;)
	{
		attach(ref);
		set_key(&key, ref, keydata, len);
		switch (corm_table_remove(ref->ns, ref->gen, &key, buf, size, found))
		{
			case CORM_OK:
				return corm_flat_usable(&found->value);
			case CORM_TOO_SMALL:
				size = found->value.len;
				pfree(buf);
				buf = MemoryContextAllocHuge(CurrentMemoryContext, size);
				break;
			case CORM_STALE:
				break;
			default:
				return false;
		}
	}
}

/*
 * corm_cache_op_delete deletes a key, now or at commit, and returns its value in
 * *found, palloc'd.  Returns false if it is not there; it is still deleted at
 * commit, because another session may store, until then, a value that this
 * transaction makes out of date.
 */
bool
corm_cache_op_delete(CormCacheRef *ref, const char *key, uint32 len, bool immediate,
					 CormFound *found)
{
	CormPending delete = {.kind = CORM_PENDING_DELETE};
	bool		present;

	if (immediate)
	{
		present = delete_now(ref, key, len, found);
		corm_overlay_pass(ref, key, len);
		return present;
	}

	present = corm_cache_op_get(ref, key, len, true, found);
	if (present)
	{
		/* The value may be in the overlay, which this overwrites. */
		char	   *copy = MemoryContextAllocHuge(CurrentMemoryContext,
												  Max(found->value.len, 1));

		memcpy(copy, found->value.data, found->value.len);
		found->value.data = copy;
		found->value.tail = 0;
	}
	corm_overlay_write(ref, key, len, &delete);
	return present;
}

/*
 * corm_cache_op_touch gives a key another deadline at commit.  Returns false if
 * there is no such key.
 */
bool
corm_cache_op_touch(CormCacheRef *ref, const char *key, uint32 len, int64 deadline)
{
	const CormPending *pending;
	CormPending touch = {.kind = CORM_PENDING_TOUCH};
	CormFound	found;

	if (!corm_cache_op_get(ref, key, len, false, &found))
		return false;

	pending = corm_overlay_get(ref->id, key, len);
	if (pending != NULL && pending->kind == CORM_PENDING_PUT)
		touch = *pending;
	touch.found.deadline = deadline;
	corm_overlay_write(ref, key, len, &touch);
	return true;
}

/* incr_failed raises the error of a counter operation, if it failed: 42804 or 22003. */
static void
incr_failed(CormStatus status, const char *key, uint32 len)
{
	if (status == CORM_WRONG_TYPE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("value of cache key \"%s\" is not an integer", pnstrdup(key, len))));
	if (status == CORM_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value of cache key \"%s\" would be out of range", pnstrdup(key, len))));
}

/*
 * incr_pending adds to a value that this transaction has written, and returns the
 * sum; at commit it is stored as that value would have been.
 */
static int64
incr_pending(CormCacheRef *ref, const char *key, uint32 len, int64 by,
			 int64 ttl_us, const CormPending *pending)
{
	CormPending put = {.kind = CORM_PENDING_PUT, .mode = CORM_PUT_SET};
	char		bytes[CORM_INTEGER_SPACE];
	int64		result = by;
	CormFound	found;

	if (get_pending(ref, key, len, true, pending, &found))
	{
		/* what depends on tables is no counter */
		incr_failed(found.value.tail > 0 ? CORM_WRONG_TYPE :
					corm_cached_add(&found.value, by, bytes, &result), key, len);
		put.found = found;
		put.mode = pending->mode;
		put.seen = pending->seen;
		if (ttl_us > 0)
			put.found.deadline = corm_deadline(ttl_us);
	}
	else
	{
		memcpy(bytes, &by, sizeof(by));
		put.found.value.type = INT8OID;
		put.found.value.len = sizeof(by);
		put.found.deadline = corm_deadline(ttl_us > 0 ? ttl_us : ref->ttl);
		put.found.created = corm_clock_real();
	}
	put.found.value.data = bytes;
	corm_overlay_write(ref, key, len, &put);
	return result;
}

/*
 * corm_cache_op_incr adds to the integer under a key and returns the sum.  It does
 * so at once, even if the transaction is rolled back later, unless the
 * transaction has written the key before.  With ttl_us 0 an entry keeps its
 * TTL.  Raises 42804 if the value is no integer, 22003 if the sum does not fit.
 */
int64
corm_cache_op_incr(CormCacheRef *ref, const char *keydata, uint32 len, int64 by, int64 ttl_us)
{
	int64		deadline = corm_deadline(ttl_us > 0 ? ttl_us : ref->ttl);
	int64		result = 0;
	CormStatus	status;

	if (corm_overlay_active)
	{
		const CormPending *pending = corm_overlay_get(ref->id, keydata, len);

		if (pending != NULL && pending->kind != CORM_PENDING_TOUCH)
			return incr_pending(ref, keydata, len, by, ttl_us, pending);
	}

	do
	{
		CormBlockChain chain;
		CormCacheKey key;

		attach(ref);
		status = CORM_STALE;
		set_key(&key, ref, keydata, len);
		corm_expect_bucket(key.hash);
		if (!corm_reserve(ref->ns, ref->gen,
						  corm_entry_blocks((Size) len + CORM_INTEGER_SPACE), &chain))
			continue;
		status = corm_table_incr(ref->ns, ref->gen, &key, &chain, by, deadline,
								 ttl_us == 0, &result);
		corm_unreserve(ref->ns, &chain);
	} while (status == CORM_STALE);

	incr_failed(status, keydata, len);
	return result;
}

typedef struct CountState
{
	CormCacheRef *ref;
	int64		count;
} CountState;

/* count_pending corrects a count for a pending operation. */
static void
count_pending(const char *key, uint32 len, const CormPending *pending, void *arg)
{
	CountState *state = (CountState *) arg;
	CormFound	found;
	bool		present = !corm_overlay_cleared(state->ref->id) &&
		get_shared(state->ref, key, len, false, &found);

	if (pending->kind == CORM_PENDING_PUT && !present)
		state->count++;
	else if (pending->kind == CORM_PENDING_DELETE && present)
		state->count--;
}

/*
 * corm_cache_op_count returns the number of entries of a cache, including those
 * that have expired and are still in memory.
 */
int64
corm_cache_op_count(CormCacheRef *ref)
{
	CountState	state = {.ref = ref, .count = 0};

	if (corm_ref_attach(ref) && !corm_overlay_cleared(ref->id))
	{
		for (uint32 s = 0; s < CORM_SHARDS; s++)
			state.count += corm_list(s, ref->ns)->count;
	}
	corm_overlay_foreach(ref->id, count_pending, &state);
	return state.count;
}
