/*-------------------------------------------------------------------------
 *
 * cached.c
 *		Queries answered from the cache: corm.cached(ttl, fresh).
 *
 * The rows of a query are kept as flat tuples in the shared cache of query results,
 * for the TTL at most.  Without fresh, no write takes them back earlier.
 *
 * With fresh, the sum of the versions of what they depend on is stored before the
 * rows, and they are an answer only while it is the same: the steps r1 to r4 and h
 * of cache/shared/versions.c are here.  A query that cannot be followed
 * (plan/fresh.c), and one in a transaction that has written or that must see its
 * old snapshot, is run.
 *
 * The key is a hash of all that the rows depend on: the roles, the SQL and the values
 * of its parameters, what came of parsing it, the result type as it is now, and
 * the settings that PostgreSQL's own functions look at; for some queries all settings
 * of the session and the client's address.  Which queries those are, and which are
 * refused, is decided in plan/shareable.c, before a result is looked up and again
 * before one is kept.  One is kept only under the key that it was looked up by: if the
 * key would be another after the run, it is not kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/gin.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/sql_text.h"
#include "base/value.h"
#include "cache/cache.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "exec/plan/bind.h"
#include "exec/plan/fresh.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/plan/shareable.h"
#include "exec/rows/row_type.h"
#include "exec/run/cached.h"
#include "exec/run/execute.h"
#include "exec/run/sink.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/xml.h"

/*
 * Keys
 */

static void
add_string(StringInfo buf, const char *str)
{
	appendBinaryStringInfo(buf, str ? str : "", (str ? strlen(str) : 0) + 1);
}

/* Adds a type and, for composite values, whatever determines their layout. */
static void
add_type(StringInfo buf, Oid type)
{
	appendStringInfo(buf, "%u %u ", type, type >= FirstNormalObjectId || type == RECORDOID ?
					 corm_type_layout(type) : 0);
}

/*
 * Adds everything that determines the tuple layout of a row type, including composite
 * columns.
 */
static void
add_tupdesc(StringInfo buf, TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		appendStringInfo(buf, "%u %d %d %d %u ", att->atttypid, att->atttypmod, att->attlen,
						 att->attisdropped,
						 att->attisdropped ? 0 : corm_type_layout(att->atttypid));
	}
}

/* add_client adds the address of the session's client, if it has one. */
static void
add_client(StringInfo buf)
{
	LOCAL_FCINFO(fcinfo, 0);
	Datum		address;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	address = inet_client_addr(fcinfo);
	if (!fcinfo->isnull)
		appendBinaryStringInfo(buf, DatumGetPointer(address), VARSIZE_ANY(DatumGetPointer(address)));
	appendStringInfoChar(buf, '.');
}

/*
 * add_settings adds the settings that differ from the server's configuration, and all
 * that are not PostgreSQL's own.  corm.traceparent changes with each request, so it is
 * added only if the query itself asks for settings.
 */
static void
add_settings(StringInfo buf, bool asks)
{
	int			n;
	struct config_generic **settings = corm_guc_variables(&n);

	for (int i = 0; i < n; i++)
	{
		if (settings[i]->group != CUSTOM_OPTIONS && settings[i]->source <= PGC_S_ARGV)
			continue;
		if (!asks && strcmp(settings[i]->name, "corm.traceparent") == 0)
			continue;
		add_string(buf, settings[i]->name);
		add_string(buf, GetConfigOption(settings[i]->name, true, false));
	}
}

/*
 * Computes the key of a plan's result for the values of a call.  The caller has checked
 * the values against the plan, by binding them.
 */
static void
make_key(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, uint8 key[PG_SHA256_DIGEST_LENGTH])
{
	StringInfoData buf;
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	initStringInfo(&buf);
	appendStringInfo(&buf, "%u %u %d %d %d %d %d %d %d ", GetUserId(), GetSessionUserId(), extra_float_digits, bytea_output,
					 xmlbinary, quote_all_identifiers, row_security, GinFuzzySearchLimit, (int) verb->output);
	add_string(&buf, namespace_search_path);
	corm_sql_settings(&buf);
	if (plan->cached_settings)
	{
		add_settings(&buf, plan->cached_asks_settings);
		add_client(&buf);
	}
	add_string(&buf, plan->sql);
	appendBinaryStringInfo(&buf, (char *) &plan->cached_tree, sizeof(plan->cached_tree));
	if (plan->tupdesc)
		add_tupdesc(&buf, plan->tupdesc);
	add_type(&buf, plan->typid);
	appendStringInfoChar(&buf, plan->fresh ? 'f' : '.');
	if (plan->fresh)
		appendBinaryStringInfo(&buf, (char *) plan->fresh_depends->cells, plan->fresh_depends->n * sizeof(uint32));
	for (int i = 0; i < plan->nparams; i++)
	{
		CormPlanParam *param = &plan->params[i];
		const CormValue *value = param->constant ? param->constant : &set->values[param->valno];

		add_type(&buf, param->typid);
		add_type(&buf, value->typid);
		appendStringInfo(&buf, "%u ", value->len);
		appendBinaryStringInfo(&buf, value->data, value->len);
	}
	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (uint8 *) buf.data, buf.len) < 0 ||
		pg_cryptohash_final(hash, key, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute a hash");
	pg_cryptohash_free(hash);
	pfree(buf.data);
}

/*
 * Serialized rows: for each row, a length and then the tuple's data, both aligned.
 */

typedef struct Recorder
{
	TupleDesc	tupdesc;
	StringInfoData buf;
	CormSink   *sink;			/* where rows go if they are too many to keep */
	int			skip;			/* bytes before the first row */
	bool		too_large;
} Recorder;

#define FRESH_TRIES		3		/* looks at the relations until they stay the same */

static void deliver(CormPlan *plan, TupleDesc tupdesc, HeapTuple tuple, CormSink *sink);
static void replay(CormPlan *plan, TupleDesc tupdesc, char *data, Size size, CormSink *sink);

/*
 * record_row is the sink of a query whose result is to be kept.  Once the
 * result is larger than the cache takes, its rows go to the caller at once.
 */
static void
record_row(CormPlan *plan, TupleTableSlot *slot, void *arg)
{
	Recorder   *recorder = arg;
	TupleDesc	tupdesc = recorder->tupdesc;
	Datum	   *values;
	bool	   *nulls;
	HeapTuple	tuple;
	uint64		len;
	int			col = 0;

	if (slot == NULL)
		return;
	values = palloc(sizeof(Datum) * tupdesc->natts);
	nulls = palloc(sizeof(bool) * tupdesc->natts);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		nulls[i] = TupleDescAttr(tupdesc, i)->attisdropped || slot->tts_isnull[col];
		values[i] = nulls[i] ? (Datum) 0 : slot->tts_values[col];
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			col++;
	}
	tuple = heap_form_tuple(tupdesc, values, nulls);
	if (HeapTupleHasExternal(tuple))
		tuple = toast_flatten_tuple(tuple, tupdesc);
	len = tuple->t_len;
	if (!recorder->too_large &&
		sizeof(len) + MAXALIGN(len) > corm_cache_max_value() - Min(recorder->buf.len, corm_cache_max_value()))
	{
		recorder->too_large = true;
		replay(plan, tupdesc, recorder->buf.data + recorder->skip, recorder->buf.len - recorder->skip,
			   recorder->sink);
		pfree(recorder->buf.data);
	}
	if (recorder->too_large)
	{
		deliver(plan, tupdesc, tuple, recorder->sink);
		heap_freetuple(tuple);
		pfree(values);
		pfree(nulls);
		return;
	}
	appendBinaryStringInfo(&recorder->buf, (char *) &len, sizeof(len));
	appendBinaryStringInfo(&recorder->buf, (char *) tuple->t_data, tuple->t_len);
	appendStringInfoSpaces(&recorder->buf, MAXALIGN(tuple->t_len) - tuple->t_len);
	heap_freetuple(tuple);
	pfree(values);
	pfree(nulls);
}

/*
 * Passes one row to the sink of a verb.
 */
static void
deliver(CormPlan *plan, TupleDesc tupdesc, HeapTuple tuple, CormSink *sink)
{
	MemoryContext oldcontext;

	sink->nrows++;
	if (sink->kind == CORM_SINK_STORE)
	{
		tuplestore_puttuple(sink->store, tuple);
		return;
	}
	if (sink->nrows > 1)
	{
		if (sink->kind == CORM_SINK_ONE)
			ereport(ERROR,
					(errcode(ERRCODE_TOO_MANY_ROWS),
					 errmsg("more than one row in result set")));
		return;
	}
	oldcontext = MemoryContextSwitchTo(sink->context);
	if (plan->tupdesc)
	{
		sink->value = heap_copy_tuple_as_datum(tuple, tupdesc);
		sink->isnull = false;
	}
	else
	{
		sink->value = heap_getattr(tuple, 1, tupdesc, &sink->isnull);
		if (!sink->isnull)
			sink->value = datumCopy(sink->value, plan->typbyval, plan->typlen);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Passes rows that record_row has flattened to the sink of a verb.
 */
static void
replay(CormPlan *plan, TupleDesc tupdesc, char *data, Size size, CormSink *sink)
{
	char	   *p = data;
	char	   *end = data + size;

	while (p < end)
	{
		HeapTupleData tuple;
		uint64		len;

		memcpy(&len, p, sizeof(len));
		p += sizeof(len);
		tuple.t_len = len;
		tuple.t_data = (HeapTupleHeader) p;
		ItemPointerSetInvalid(&tuple.t_self);
		tuple.t_tableOid = InvalidOid;
		deliver(plan, tupdesc, &tuple, sink);
		p += MAXALIGN(len);
		CHECK_FOR_INTERRUPTS();
	}
}

/* time_to_live returns the TTL given to cached(), in microseconds; 0: none was. */
static int64
time_to_live(CormPlan *plan, CormQuerySet *set)
{
	const CormValue *ttl = plan->cached_ttl;

	if (ttl == NULL && plan->cached_valno < 0)
		return 0;
	if (ttl == NULL)
		ttl = corm_queries_value(set, plan->cached_valno);
	if (ttl->typid != INTERVALOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("corm.cached() takes an interval")));
	return corm_interval_us(DatumGetIntervalP(corm_value_datum(ttl, sizeof(Interval), false)), "ttl");
}

/*
 * keep stores the result of a plan under a key, unless the key would be different now.
 * Raises 0A000 if it turns out that the plan's result must not be shared.
 */
static void
keep(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, const uint8 *key, const StringInfoData *rows,
	 int64 ttl_us)
{
	uint8		now[PG_SHA256_DIGEST_LENGTH];

	if (!corm_shareable_still(plan) ||
		(plan->fresh && (plan->fresh_why != NULL || corm_fresh_possible() != NULL)))
		return;
	make_key(plan, verb, set, now);
	CORM_FAULT("cached-keep");
	if (memcmp(key, now, sizeof(now)) == 0)
		(void) corm_cache_store((char *) key, sizeof(now), rows->data, rows->len, ttl_us);
}

/*
 * blocked returns why a plan with cached(fresh => true) is run and neither
 * answered from the cache nor kept, or NULL.  It first makes the plan current; raises
 * what corm_shareable_now does.
 */
static const char *
blocked(CormPlan *plan)
{
	const char *why = corm_fresh_possible();

	AcceptInvalidationMessages();
	if (why != NULL)
		return why;
	if (!corm_shareable_now(plan))
		return plan->cached_refused != NULL ? plan->cached_refused :
			"It may read temporary objects of the session, or something has just been changed.";
	return plan->fresh_why;
}

/*
 * find_fresh looks for the result of a plan and returns it if it is fresh: step h.  It
 * counts what became of that.
 */
static bool
find_fresh(CormPlan *plan, const uint8 *key, char **data, Size *size)
{
	bool		expired;
	bool		found = corm_cache_lookup((char *) key, PG_SHA256_DIGEST_LENGTH, data, size, &expired);
	CormFreshOutcome outcome = expired ? CORM_FRESH_EXPIRED : CORM_FRESH_ABSENT;
	uint64		sum;
	CormFreshness now = corm_fresh_now(plan->fresh_depends, &sum);

	if (now == CORM_FRESH_UNSETTLED)
		outcome = CORM_FRESH_BYPASSED;
	else if (now == CORM_FRESH_COMMITTING)
		outcome = CORM_FRESH_BUSY;
	else if (found)
		outcome = memcmp(*data, &sum, sizeof(sum)) == 0 ? CORM_FRESH_HIT : CORM_FRESH_CHANGED;
	corm_cache_count_fresh(outcome);
	if (found && outcome != CORM_FRESH_HIT)
		pfree(*data);
	return outcome == CORM_FRESH_HIT;
}

/*
 * begin_fresh does the steps r1 to r3 for a result that is to be kept.  *sum is the sum
 * of versions as of r1, and key becomes the key of the relations that were found in r3.
 * Returns false if the result cannot be kept.
 */
static bool
begin_fresh(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, uint8 *key, uint64 *sum)
{
	for (int try = 0; try < FRESH_TRIES; try++)
	{
		uint64		looks = plan->fresh_looks;

		if (corm_fresh_now(plan->fresh_depends, sum) != CORM_FRESH_KNOWN)
			return false;
		CORM_FAULT("fresh-r1");
		if (blocked(plan) != NULL)
			return false;
		/* blocked may have looked, too */
		if (corm_fresh_look(plan) && plan->fresh_looks == looks)
		{
			make_key(plan, verb, set, key);
			return true;
		}
		if (plan->fresh_why != NULL)
			return false;
	}
	return false;
}

/*
 * run runs a plan.  If that fails, its query may have been parsed anew, without another
 * generation of its plan to tell.
 */
static uint64
run(CormPlan *plan, ParamListInfo params, CormSink *sink)
{
	int64		generation = plan->cached_generation;
	uint64		processed;

	plan->cached_generation = CORM_TREE_UNKNOWN;
	processed = corm_run(plan, params, sink);
	plan->cached_generation = generation;
	return processed;
}

/*
 * run_recording runs a plan and keeps its result, if keep allows it; its rows go to the
 * sink.  sum is stored with a fresh one, otherwise it is NULL.
 */
static void
run_recording(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, ParamListInfo params,
			  TupleDesc tupdesc, const uint8 *key, const uint64 *sum, int64 ttl_us, CormSink *sink)
{
	Recorder	recorder = {.sink = sink, .tupdesc = tupdesc};
	CormSink	recording = {.kind = CORM_SINK_CALLBACK, .callback = record_row, .arg = &recorder};
	int			skip = sum != NULL ? sizeof(*sum) : 0;

	initStringInfo(&recorder.buf);
	if (sum != NULL)
		appendBinaryStringInfo(&recorder.buf, (char *) sum, sizeof(*sum));
	recorder.skip = skip;
	(void) run(plan, params, &recording);
	CORM_FAULT("cached-run");
	if (recorder.too_large)
		return;
	keep(plan, verb, set, key, &recorder.buf, ttl_us);
	replay(plan, tupdesc, recorder.buf.data + skip, recorder.buf.len - skip, sink);
}

/* answer_fresh answers a query with fresh => true whose plan is not blocked. */
static void
answer_fresh(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, ParamListInfo params,
			 TupleDesc tupdesc, int64 ttl_us, CormSink *sink)
{
	uint8		key[PG_SHA256_DIGEST_LENGTH];
	uint64		sum;
	char	   *data;
	Size		size;

	make_key(plan, verb, set, key);
	CORM_FAULT("cached-key");
	if (find_fresh(plan, key, &data, &size))
	{
		CORM_FAULT("cached-hit");
		replay(plan, tupdesc, data + sizeof(sum), size - sizeof(sum), sink);
	}
	else if (begin_fresh(plan, verb, set, key, &sum))
		run_recording(plan, verb, set, params, tupdesc, key, &sum, ttl_us, sink);
	else
		(void) run(plan, params, sink);
}

/*
 * corm_run_cached answers a query that has cached(): from the cache if it is
 * there, else by running it and keeping the result.  Returns the number of
 * rows.
 */
uint64
corm_run_cached(const CormVerb *verb, CormPlan *plan, CormQuerySet *set, CormSink *sink)
{
	TupleDesc	tupdesc;
	ParamListInfo params;
	bool		bypass;
	uint8		key[PG_SHA256_DIGEST_LENGTH];
	char	   *data;
	Size		size;
	int64		ttl_us;

	if (sink->kind != CORM_SINK_STORE && sink->kind != CORM_SINK_FIRST && sink->kind != CORM_SINK_ONE)
		corm_shareable_refused("Pages, and queries whose rows are not returned, are not kept.");
	ttl_us = time_to_live(plan, set);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* binding checks the values against the plan, which the key relies on */
	params = corm_bind_values(plan, set);

	if (plan->fresh)
		bypass = blocked(plan) != NULL;
	else
		bypass = !corm_shareable_now(plan);
	if (bypass)
	{
		uint64		processed;

		if (plan->fresh)
			corm_cache_count_fresh(CORM_FRESH_BYPASSED);
		processed = run(plan, params, sink);
		SPI_finish();
		return processed;
	}

	CORM_FAULT("cached-begin");
	tupdesc = plan->tupdesc ? plan->tupdesc : corm_output_tupdesc(verb->output, verb->typid);
	if (plan->fresh)
		answer_fresh(plan, verb, set, params, tupdesc, ttl_us, sink);
	else
	{
		make_key(plan, verb, set, key);
		CORM_FAULT("cached-key");
		if (corm_cache_lookup((char *) key, sizeof(key), &data, &size, NULL))
		{
			CORM_FAULT("cached-hit");
			replay(plan, tupdesc, data, size, sink);
		}
		else
			run_recording(plan, verb, set, params, tupdesc, key, NULL, ttl_us, sink);
	}
	SPI_finish();
	return sink->nrows;
}
