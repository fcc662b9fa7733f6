/*-------------------------------------------------------------------------
 *
 * fetch.c
 *		cache_fetch: read through, one loader at a time for each key.
 *
 * On a miss the session takes a heavyweight lock on (database, cache, key) and
 * looks again: if it has waited for another session's loader, it finds the
 * value.  This is an ordinary lock: waiting for it can be cancelled, ends at
 * lock_timeout, and takes part in deadlock detection.  It is released after the
 * loader has run rather than at the end of the transaction, so that no session
 * waits for an idle one.
 *
 * After a loader that gave no value, the sessions that waited for it find
 * nothing.  They load at the same time, without the lock, instead of one after
 * the other.
 *
 * The value is stored in shared memory at once, provided that the transaction
 * has written nothing, neither rows nor to any cache.  If it has, the value may
 * contain what other sessions must not see yet; then it is stored at commit, and
 * until then other sessions load for themselves.
 *
 * In both cases it is stored only if the key has not been stored or deleted
 * since before the loader ran (corm_cache_op_keep): what the loader read may be
 * older than that change.
 *
 * With depends, the value is a fresh answer: it is found only while nothing has changed
 * in the tables (shared/versions.c), and only if it depends on all those that the call
 * names.  If a commit came while the session waited for another's loader, it finds
 * nothing, and loads anew.  Where there can be no fresh answer, in a transaction that
 * has written for one, the loader runs each time and nothing is kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/params.h"
#include "cache/cache.h"
#include "cache/definitions/refs.h"
#include "cache/operations/depends.h"
#include "cache/operations/ops.h"
#include "cache/operations/overlay.h"
#include "cache/operations/cached.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(corm_cache_fetch);
PG_FUNCTION_INFO_V1(corm_cache_fetch_depends);

/* Advisory locks use 1 and 2 in this field of the tag. */
#define LOCK_CLASS		0xC0

/* set_tag makes the lock tag of a key.  Keys with the same hash share it. */
static void
set_tag(LOCKTAG *tag, const CormCacheRef *ref, const char *key, uint32 len)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) key, len, ref->id);

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, LOCK_CLASS);
}

/* A load in progress. */
struct CormCacheLoad
{
	MemoryContext context;		/* for the value's bytes */
	bool		found;			/* the loader gave a value */
	CormCached	value;
};

/* SQL text as a loader, with its parameters. */
typedef struct SqlLoader
{
	const char *sql;
	CormParams	params;
} SqlLoader;

/*
 * corm_cache_loaded is what a loader calls with its value, which must not be
 * NULL; called once at most.  It flattens the value into the memory context of
 * the fetch.
 */
void
corm_cache_loaded(CormCacheLoad *load, Datum value, Oid type)
{
	CormCached *flat = &load->value;

	corm_cached_flatten(value, type, flat);
	flat->data = memcpy(MemoryContextAllocHuge(load->context, Max(flat->len, 1)), flat->data, flat->len);
	load->found = true;
}

/* Runs an SQL text with parameters, at most two rows of it; the result is SPI's. */
static int
execute(const SqlLoader *loader)
{
	Oid		   *types;
	SPIPlanPtr	plan;

	if (loader->params.n == 0)
		return SPI_execute(loader->sql, false, 2);
	types = palloc(loader->params.n * sizeof(Oid));
	corm_params_find_types(loader->sql, loader->params.n, loader->params.types, types, "loader");
	plan = SPI_prepare(loader->sql, loader->params.n, types);
	if (plan == NULL)
		return SPI_result;
	return SPI_execute_plan_with_paramlist(plan, corm_params_bind(&loader->params, types), false, 2);
}

/*
 * load_sql runs the loader's SQL text as the current role.  Raises 22023, 42804
 * or 21000 for a loader that returns anything else than one value, and what the
 * loader raises.
 */
static void
load_sql(void *arg, CormCacheLoad *load)
{
	SqlLoader  *loader = arg;
	int			rc;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	rc = execute(loader);
	if (rc < 0 || SPI_tuptable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("loader does not return a value"),
				 errdetail("Loader: %s", loader->sql)));
	if (SPI_tuptable->tupdesc->natts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("loader must return one column"),
				 errdetail("Loader: %s", loader->sql)));
	if (SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("loader returned more than one row"),
				 errdetail("Loader: %s", loader->sql)));

	if (SPI_processed == 1)
	{
		bool		isnull;
		Datum		datum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
										  1, &isnull);

		if (!isnull)
			corm_cache_loaded(load, datum, SPI_gettypeid(SPI_tuptable->tupdesc, 1));
	}
	SPI_finish();
}

/*
 * lock_key takes the lock of a key, waiting if need be; the caller releases it.
 * Returns false, without the lock, if a loader that it waited for gave no value.
 */
static bool
lock_key(const LOCKTAG *tag, pg_atomic_uint32 *null_loads)
{
	uint32		before;

	if (LockAcquire(tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
		return true;
	before = pg_atomic_read_u32(null_loads);
	(void) LockAcquire(tag, ExclusiveLock, false, false);
	if (pg_atomic_read_u32(null_loads) == before)
		return true;
	LockRelease(tag, ExclusiveLock, false);
	return false;
}

/* find looks up a key, whose value must depend on what the call wants it to depend on. */
static bool
find(CormCacheRef *ref, text *key, const CormFollow *follow, CormFound *found)
{
	if (!corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true, found))
		return false;
	if (follow->tables == NIL || corm_follow_covered(follow, &found->value))
		return true;
	found->missed = CORM_MISSED_ABSENT;
	return false;
}

/* count counts what became of a call that asks for a fresh value. */
static void
count(CormCacheRef *ref, const CormFollow *follow, bool hit, CormMissed missed)
{
	static const CormCounter causes[] = {
		[CORM_MISSED_ABSENT] = CORM_COUNT_FRESH_ABSENT,
		[CORM_MISSED_EXPIRED] = CORM_COUNT_FRESH_EXPIRED,
		[CORM_MISSED_CHANGED] = CORM_COUNT_FRESH_CHANGED,
		[CORM_MISSED_COMMITTING] = CORM_COUNT_FRESH_COMMITTING,
		[CORM_MISSED_UNSETTLED] = CORM_COUNT_FRESH_BYPASSED
	};

	if (follow->tables != NIL && corm_ref_attach(ref))
		corm_ns_fresh(ref->ns, ref->gen, hit ? CORM_COUNT_FRESH_HITS : causes[missed]);
}

/* result returns the value that a loader gave, or NULL. */
static Datum
result(FunctionCallInfo fcinfo, const CormCacheLoad *load)
{
	if (!load->found)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(corm_cached_text(&load->value));
}

/*
 * corm_cache_fetch_with is cache_fetch with a loader in C: (key, loader, ttl,
 * cache) are the first arguments of the call, depends is the one of that number, or
 * -1 if it has none.  The loader calls corm_cache_loaded, unless there is no value; it
 * runs user code.
 */
Datum
corm_cache_fetch_with(FunctionCallInfo fcinfo, CormCacheLoader loader, void *arg, int depends)
{
	text	   *key = PG_GETARG_TEXT_PP(0);
	text	   *name = PG_GETARG_TEXT_PP(3);
	int64		ttl;
	CormCacheRef *ref;
	CormFound	found;
	CormCacheLoad load = {.context = CurrentMemoryContext};
	CormSeen	seen;
	LOCKTAG		tag;
	CormFollow	follow = {0};
	bool		locked;
	bool		written;
	bool		keep;
	CormMissed	missed;
	uint32		len = VARSIZE_ANY_EXHDR(key);

	if (len > CORM_KEY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cache key of %u bytes is too long", len),
				 errdetail("The limit is %d bytes.", CORM_KEY_MAX)));

	ref = corm_cache_ref(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	corm_cache_check(ref, true, true);
	if (depends >= 0)
		corm_follow_argument(fcinfo, depends, &follow);
	if (follow.tables != NIL && (follow.why != NULL || corm_fresh_possible() != NULL))
	{
		count(ref, &follow, false, CORM_MISSED_UNSETTLED);
		loader(arg, &load);
		return result(fcinfo, &load);
	}
	if (find(ref, key, &follow, &found))
	{
		count(ref, &follow, true, CORM_MISSED_ABSENT);
		PG_RETURN_TEXT_P(corm_cached_text(&found.value));
	}
	missed = found.missed;

	ttl = PG_ARGISNULL(2) ? ref->ttl : corm_interval_us(PG_GETARG_INTERVAL_P(2), "ttl");

	set_tag(&tag, ref, VARDATA_ANY(key), len);
	locked = lock_key(&tag, corm_cache_op_null_loads(ref, VARDATA_ANY(key), len));

	/* After a wait the name may mean another cache. */
	ref = corm_cache_ref(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	corm_cache_check(ref, true, true);
	corm_cache_op_see(ref, VARDATA_ANY(key), len, &seen);
	if (find(ref, key, &follow, &found))
	{
		text	   *value = corm_cached_text(&found.value);

		count(ref, &follow, true, CORM_MISSED_ABSENT);
		if (locked)
			LockRelease(&tag, ExclusiveLock, false);
		PG_RETURN_TEXT_P(value);
	}

	count(ref, &follow, false, missed);
	keep = follow.tables == NIL || corm_follow_begin(&follow) == CORM_FRESH_KNOWN;
	CORM_FAULT("fetch-load");
	loader(arg, &load);
	CORM_FAULT("fetch-loaded");

	/* The loader may have changed anything, its role's rights included. */
	ref = corm_cache_ref(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	corm_cache_check(ref, true, true);
	written = TransactionIdIsValid(GetTopTransactionIdIfAny()) || corm_overlay_active;
	if (follow.tables != NIL)
		keep = keep && corm_fresh_possible() == NULL && corm_follow_unchanged(&follow);
	if (load.found && keep)
	{
		CormCached	value = load.value;

		if (follow.tables != NIL)
			corm_follow_attach(&follow, &value);
		corm_cache_op_keep(ref, VARDATA_ANY(key), len, &value, corm_deadline(ttl), &seen, !written);
	}
	else if (!load.found)
		pg_atomic_fetch_add_u32(corm_cache_op_null_loads(ref, VARDATA_ANY(key), len), 1);
	if (locked)
		LockRelease(&tag, ExclusiveLock, false);

	return result(fcinfo, &load);
}

/* Raises 22004 if the key, the loader or the cache of a call is NULL. */
void
corm_cache_fetch_check(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("key, loader and cache must not be null")));
}

/* cache_fetch(key, loader, ttl, cache [, params]) -> text */
Datum
corm_cache_fetch(PG_FUNCTION_ARGS)
{
	SqlLoader	loader;

	corm_cache_fetch_check(fcinfo);
	loader.sql = text_to_cstring(PG_GETARG_TEXT_PP(1));
	corm_params_of_call(fcinfo, 4, 1, &loader.params);
	return corm_cache_fetch_with(fcinfo, load_sql, &loader, -1);
}

/* cache_fetch(key, loader, ttl, cache, depends) -> text */
Datum
corm_cache_fetch_depends(PG_FUNCTION_ARGS)
{
	SqlLoader	loader = {0};

	corm_cache_fetch_check(fcinfo);
	loader.sql = text_to_cstring(PG_GETARG_TEXT_PP(1));
	return corm_cache_fetch_with(fcinfo, load_sql, &loader, 4);
}
