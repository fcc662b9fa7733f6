/*-------------------------------------------------------------------------
 *
 * results.c
 *		The cache of query results: plain bytes under plain bytes.
 *
 * Each database has one such cache, without a definition, a name in SQL or
 * events.  The caller must put into the key everything that the result depends
 * on: role, settings, the query's shape and values, the result type.  Writes are
 * immediate.  The caller must have written nothing in its transaction, so an
 * entry is made from committed data only, and there is nothing to roll back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "cache/cache.h"
#include "cache/definitions/refs.h"
#include "cache/operations/ops.h"
#include "cache/shared/change.h"
#include "cache/shared/evict.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "catalog/pg_type.h"

#define KEY_MAX_BYTES	60000

/*
 * corm_cache_lookup looks up the bytes stored under a key.  Returns false on a
 * miss, or if there is no cache; *expired, unless NULL, is set to whether there was
 * an entry until its time was over.  Otherwise *value is palloc'd.
 */
bool
corm_cache_lookup(const char *key, Size key_len, char **value, Size *value_len, bool *expired)
{
	CormCacheRef *ref;
	CormFound	found;
	bool		hit;
	CormCacheKey k;

	if (expired != NULL)
		*expired = false;
	if (!corm_cache_available() || key_len > KEY_MAX_BYTES)
		return false;

	ref = corm_cache_ref_internal(CORM_QUERY_CACHE_ID);
	if (!corm_ref_attach(ref))
		return false;
	k.data = key;
	k.len = key_len;
	k.hash = corm_table_hash(ref->gen, key, key_len);
	hit = corm_table_get(ref->ns, ref->gen, &k, true, &found);
	corm_ns_hit(ref->ns, ref->gen, hit);
	if (!hit)
	{
		if (expired != NULL)
			*expired = found.missed == CORM_MISSED_EXPIRED;
		return false;
	}

	*value_len = found.value.len;
	*value = MemoryContextAllocHuge(CurrentMemoryContext, Max(found.value.len, 1));
	memcpy(*value, found.value.data, found.value.len);
	return true;
}

/* corm_cache_count_fresh counts what became of a query that asks for a fresh answer. */
void
corm_cache_count_fresh(CormFreshOutcome outcome)
{
	CormCacheRef *ref;

	if (!corm_cache_available())
		return;
	ref = corm_cache_ref_internal(CORM_QUERY_CACHE_ID);
	if (corm_ref_attach(ref))
		corm_ns_fresh(ref->ns, ref->gen, CORM_COUNT_FRESH_HITS + outcome);
}

/*
 * corm_cache_store stores bytes under a key for ttl_us microseconds.  Returns
 * false, and stores nothing, if there is no cache or no room, or if the key or
 * the value is too large: a result that cannot be kept is no error and not worth
 * waiting for.  Raises 22008 if ttl_us is out of range.
 */
bool
corm_cache_store(const char *key, Size key_len, const char *value, Size value_len,
				 int64 ttl_us)
{
	CormCacheRef *ref;
	CormCached	v = {.type = BYTEAOID, .data = value, .len = value_len};
	int64		deadline = corm_deadline(ttl_us);
	CormStatus	status;

	if (!corm_cache_available() || key_len > KEY_MAX_BYTES ||
		value_len > corm_cache_max_value())
		return false;

	ref = corm_cache_ref_internal(CORM_QUERY_CACHE_ID);
	do
	{
		CormBlockChain chain;
		CormCacheKey k = {.data = key, .len = key_len};
		bool		in_limit;

		if (!corm_ref_attach(ref))
			return false;
		status = corm_try_reserve(ref->ns, ref->gen, corm_entry_blocks(key_len + value_len),
								  &chain, &in_limit);
		if (status == CORM_OK)
		{
			k.hash = corm_table_hash(ref->gen, key, key_len);
			corm_table_fill(&chain, ref->ns, &k, &v, deadline, corm_clock_real());
			status = corm_table_put(ref->ns, ref->gen, &k, &chain, CORM_PUT_SET);
			corm_unreserve(ref->ns, &chain);
		}
	} while (status == CORM_STALE);
	return status == CORM_OK;
}
