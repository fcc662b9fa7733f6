/*-------------------------------------------------------------------------
 *
 * status.c
 *		SQL functions that show the state of the cache.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/blocks.h"
#include "base/clock.h"
#include "base/launcher.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "cache/definitions/refs.h"
#include "cache/shared/check.h"
#include "cache/shared/events.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PG_FUNCTION_INFO_V1(corm_cache_counters);
PG_FUNCTION_INFO_V1(corm_fresh_counters);
PG_FUNCTION_INFO_V1(corm_cache_status);
PG_FUNCTION_INFO_V1(corm_cache_events);
PG_FUNCTION_INFO_V1(corm_cache_check_sql);
PG_FUNCTION_INFO_V1(corm_wait_ready);

#define EVENT_BUFFER	65536

/*
 * cache_counters() -> SETOF (id, entries, bytes, hits, misses, sets, deleted,
 * expired, swept, evicted, cleared) of the caches of this database that are in
 * use.  Without preload there are none.
 */
Datum
corm_cache_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!corm_cache_available())
		PG_RETURN_NULL();

	corm_ns_flush_hits();
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];
		Datum		row[3 + CORM_PLAIN_COUNTERS];
		bool		nulls[3 + CORM_PLAIN_COUNTERS] = {false};
		int64		entries = 0;
		int64		blocks = 0;
		bool		mine;

		LWLockAcquire(&corm_cache->ns_lock, LW_SHARED);
		mine = ns->state == CORM_NS_LIVE && ns->db == MyDatabaseId;
		row[0] = Int64GetDatum((int64) ns->id);
		LWLockRelease(&corm_cache->ns_lock);
		if (!mine)
			continue;

		for (uint32 s = 0; s < CORM_SHARDS; s++)
		{
			entries += corm_list(s, i)->count;
			blocks += corm_list(s, i)->blocks;
		}
		row[1] = Int64GetDatum(entries);
		row[2] = Int64GetDatum(blocks * CORM_BLOCK_SIZE);
		for (int c = 0; c < CORM_PLAIN_COUNTERS; c++)
			row[3 + c] = Int64GetDatum((int64) pg_atomic_read_u64(&ns->counter[c]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	PG_RETURN_NULL();
}

/*
 * fresh_counters() -> SETOF (id, hits, absent, expired, changed, committing,
 * bypassed) of the same caches: calls that ask for fresh answers.
 */
Datum
corm_fresh_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!corm_cache_available())
		PG_RETURN_NULL();

	corm_ns_flush_hits();
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];
		Datum		row[1 + CORM_COUNTERS - CORM_PLAIN_COUNTERS];
		bool		nulls[lengthof(row)] = {false};
		bool		mine;

		LWLockAcquire(&corm_cache->ns_lock, LW_SHARED);
		mine = ns->state == CORM_NS_LIVE && ns->db == MyDatabaseId;
		row[0] = Int64GetDatum((int64) ns->id);
		LWLockRelease(&corm_cache->ns_lock);
		if (!mine)
			continue;

		for (int c = CORM_PLAIN_COUNTERS; c < CORM_COUNTERS; c++)
			row[1 + c - CORM_PLAIN_COUNTERS] =
				Int64GetDatum((int64) pg_atomic_read_u64(&ns->counter[c]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	PG_RETURN_NULL();
}

/*
 * cache_status() -> one row on the cache as a whole.
 */
Datum
corm_cache_status(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		row[13];
	bool		nulls[13] = {false};
	CormDatabase *db;
	CormSweepStats sweep;
	int			n = 0;

	corm_cache_require();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	LWLockAcquire(&corm_cache->ns_lock, LW_SHARED);
	sweep = corm_cache->sweep;
	LWLockRelease(&corm_cache->ns_lock);
	db = corm_database_find(MyDatabaseId);

	row[n++] = Int64GetDatum((int64) corm_cache->nblocks * CORM_BLOCK_SIZE);
	row[n++] = Int64GetDatum((int64) corm_blocks_free_count(&corm_cache_blocks) * CORM_BLOCK_SIZE);
	nulls[n] = corm_launcher_pid() == 0;
	row[n++] = Int32GetDatum(corm_launcher_pid());
	row[n++] = Int64GetDatum(sweep.ticks);
	row[n++] = Int64GetDatum(sweep.visited);
	row[n++] = Int64GetDatum(sweep.removed);
	row[n++] = Int64GetDatum(sweep.max_visited);
	row[n++] = Int64GetDatum(sweep.max_batch);
	row[n++] = Int64GetDatum(corm_cache->epoch);
	row[n++] = Int64GetDatum(db ? db->seq : 0);
	row[n++] = Int64GetDatum(db ? db->pending : 0);
	row[n++] = Int64GetDatum(db ? db->lost : 0);
	nulls[n] = db == NULL || db->notifier_pid == 0;
	row[n++] = Int32GetDatum(db ? db->notifier_pid : 0);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), row, nulls)));
}

/*
 * cache_events(since) -> SETOF (seq, cache, key, reason, at) of this database,
 * as far as they are still in the ring.  A role that may not read a cache sees
 * hashes of its keys.
 */
Datum
corm_cache_events(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		since = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	char	   *buf;
	uint64		position = 0;
	Size		size;

	corm_cache_require();
	InitMaterializedSRF(fcinfo, 0);
	buf = palloc(EVENT_BUFFER);

	while ((size = corm_events_read(MyDatabaseId, &position, buf, EVENT_BUFFER)) > 0)
	{
		const char *at = buf;
		CormCacheEvent event;

		CHECK_FOR_INTERRUPTS();
		while (corm_event_next(&at, buf + size, &event))
		{
			CormCacheRef *ref;
			Datum		row[5];
			bool		nulls[5] = {false};
			char	   *key;

			if (event.seq <= since)
				continue;
			ref = corm_cache_ref_or_null(NameStr(event.cache), strlen(NameStr(event.cache)));
			key = corm_event_key(&event, ref == NULL || ref->id != event.cache_id || !ref->can_read);
			row[0] = Int64GetDatum(event.seq);
			row[1] = CStringGetTextDatum(NameStr(event.cache));
			row[2] = CStringGetTextDatum(key);
			nulls[2] = event.reason == CORM_REASON_CLEARED;
			row[3] = CStringGetTextDatum(corm_reason_name(event.reason));
			row[4] = TimestampTzGetDatum(event.at);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
			pfree(key);
		}
	}
	PG_RETURN_NULL();
}

/* report_row adds a problem to the result of cache_check. */
static void
report_row(const char *problem, void *arg)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) arg;
	Datum		row = CStringGetTextDatum(problem);
	bool		isnull = false;

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &row, &isnull);
}

/* cache_check() -> SETOF text */
Datum
corm_cache_check_sql(PG_FUNCTION_ARGS)
{
	corm_cache_require();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	corm_check_shared(report_row, fcinfo->resultinfo);
	PG_RETURN_NULL();
}

/* wait_ready(timeout) -> boolean */
Datum
corm_wait_ready(PG_FUNCTION_ARGS)
{
	int64		timeout = corm_interval_us(PG_GETARG_INTERVAL_P(0), "timeout");
	int64		started = corm_clock_machine();
	uint32		wait_event = corm_wait_event_new("CormWaitReady");

	corm_cache_require();
	while (corm_launcher_pid() == 0)
	{
		if (corm_clock_machine() - started >= timeout)
			PG_RETURN_BOOL(false);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 10, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_BOOL(true);
}
