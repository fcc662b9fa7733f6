/*-------------------------------------------------------------------------
 *
 * cached.c
 *		Queries answered from the cache: corm.cached(ttl).
 *
 * The rows of a query are kept as flat tuples in the shared cache of query
 * results.  The key is a hash of all that they depend on: the roles, the SQL
 * and its values, the relations, the result type as it is now, and the
 * settings that SQL functions look at.  If the query calls a function that
 * might look at any (current_setting, or one of a user's), these are all
 * settings that users make up, such as a tenant's name.  A result may be as
 * old as the TTL; nothing takes it back earlier.
 *
 * The rights to the relations are checked on a hit too: a REVOKE takes effect
 * as if the query ran.
 *
 * So that an entry is never what only its maker may see, queries are refused
 * that lock rows, call volatile functions, read temporary tables or tables
 * under row-level security; and a transaction that has written something
 * neither looks into the cache nor adds to it: it sees its own changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "cache/cache.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "exec/exec.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/timestamp.h"

static void refused(const char *why) pg_attribute_noreturn();

static void
refused(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("query cannot be answered from the cache"),
			 errdetail_internal("%s", why)));
}

/* may_read_settings tells whether a function may look at any setting. */
static bool
may_read_settings(Oid function, void *context)
{
	return function >= FirstNormalObjectId ||
		function == F_CURRENT_SETTING_TEXT || function == F_CURRENT_SETTING_TEXT_BOOL;
}

/* settings_walker looks for a call of such a function. */
static bool
settings_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, may_read_settings, NULL))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, settings_walker, context, 0);
	return expression_tree_walker(node, settings_walker, context);
}

/*
 * rights_walker raises 42501 unless the current role, or for what a view
 * reads its owner, may read what the queries below a node read.
 */
static bool
rights_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		corm_check_query_permissions((Query *) node);
		return query_tree_walker((Query *) node, rights_walker, context, 0);
	}
	return expression_tree_walker(node, rights_walker, context);
}

/*
 * check_rights does so for a plan.  False if it cannot be told what the plan
 * reads: it has no queries while they could not be parsed anew, say because a
 * function is gone, and then running it tells what is wrong.
 */
static bool
check_rights(CormPlan *plan)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell   *query;

		if (source->query_list == NIL)
			return false;
		foreach(query, source->query_list)
			(void) rights_walker(lfirst(query), NULL);
	}
	return true;
}

/*
 * corm_cached_check raises 0A000 if the result of a prepared plan must not
 * be shared, 55000 if there is no cache.
 */
void
corm_cached_check(CormPlan *plan)
{
	ListCell   *lc;

	corm_cache_require();
	if (plan->command != CORM_CMD_SELECT || !plan->read_only)
		refused("It writes or locks rows.");
	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell   *other;

		if (source->dependsOnRLS)
			refused("It reads a table under row-level security.");
		foreach(other, source->query_list)
		{
			if (contain_volatile_functions(lfirst(other)))
				refused("It calls a volatile function.");
			if (settings_walker(lfirst(other), NULL))
				plan->cached_settings = true;
		}
		foreach(other, source->relationOids)
			if (get_rel_persistence(lfirst_oid(other)) == RELPERSISTENCE_TEMP)
				refused("It reads a temporary table.");
	}
}

/*
 * Keys
 */

static void
add_string(StringInfo buf, const char *str)
{
	appendBinaryStringInfo(buf, str ? str : "", (str ? strlen(str) : 0) + 1);
}

/*
 * A row type by what makes its tuples readable, composite columns included.
 */
static void
add_tupdesc(StringInfo buf, TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		appendStringInfo(buf, "%u %d %d %d %u ", att->atttypid, att->atttypmod, att->attlen,
						 att->attisdropped,
						 att->attisdropped ? 0 : corm_cached_type(att->atttypid)->check);
	}
}

/* The settings that are not PostgreSQL's own. */
static void
add_custom_settings(StringInfo buf)
{
	int			n;
	struct config_generic **settings = corm_guc_variables(&n);

	for (int i = 0; i < n; i++)
	{
		if (settings[i]->group != CUSTOM_OPTIONS)
			continue;
		add_string(buf, settings[i]->name);
		add_string(buf, GetConfigOption(settings[i]->name, true, false));
	}
}

/* The relations that a plan reads: a name may be another's tomorrow. */
static void
add_relations(StringInfo buf, CormPlan *plan)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell   *relation;

		foreach(relation, source->relationOids)
			appendStringInfo(buf, "%u ", lfirst_oid(relation));
	}
	appendStringInfoChar(buf, '.');
}

static void
make_key(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, uint8 key[PG_SHA256_DIGEST_LENGTH])
{
	StringInfoData buf;
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	initStringInfo(&buf);
	appendStringInfo(&buf, "%u %u %d %d %d %d %d %d ", GetUserId(), GetSessionUserId(), DateStyle, DateOrder, IntervalStyle,
					 extra_float_digits, bytea_output, (int) verb->output);
	add_string(&buf, namespace_search_path);
	add_string(&buf, pg_get_timezone_name(session_timezone));
	add_string(&buf, GetConfigOption("lc_numeric", false, false));
	add_string(&buf, GetConfigOption("lc_monetary", false, false));
	add_string(&buf, GetConfigOption("lc_time", false, false));
	add_string(&buf, GetConfigOption("default_text_search_config", false, false));
	add_string(&buf, GetConfigOption("xmlbinary", false, false));
	if (plan->cached_settings)
		add_custom_settings(&buf);
	add_relations(&buf, plan);
	add_string(&buf, plan->sql);
	if (plan->tupdesc)
		add_tupdesc(&buf, plan->tupdesc);
	appendStringInfo(&buf, "%u", plan->typid);
	for (int i = 0; i < plan->nparams; i++)
	{
		CormPlanParam *param = &plan->params[i];
		const CormValue *value = param->constant ? param->constant : &set->values[param->valno];

		appendStringInfo(&buf, " %u %u %u ", param->typid, value->typid, value->len);
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
 * Rows as bytes: per row a length, then the tuple's data, both aligned.
 */

typedef struct Recorder
{
	TupleDesc	tupdesc;
	StringInfoData buf;
} Recorder;

/* The row descriptor of what a plan returns, also of single values. */
static TupleDesc
result_tupdesc(CormPlan *plan, const CormVerb *verb)
{
	TupleDesc	tupdesc;
	Oid			typid = verb->output == CORM_OUTPUT_VALUE ? plan->typid :
		verb->output == CORM_OUTPUT_COUNT ? INT8OID :
		verb->output == CORM_OUTPUT_EXISTS ? BOOLOID : JSONBOID;

	if (plan->tupdesc)
		return plan->tupdesc;
	tupdesc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(tupdesc, 1, "value", typid, -1, 0);
	return tupdesc;
}

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
	appendBinaryStringInfo(&recorder->buf, (char *) &len, sizeof(len));
	appendBinaryStringInfo(&recorder->buf, (char *) tuple->t_data, tuple->t_len);
	appendStringInfoSpaces(&recorder->buf, MAXALIGN(tuple->t_len) - tuple->t_len);
	heap_freetuple(tuple);
	pfree(values);
	pfree(nulls);
}

/*
 * Gives one row to the sink of a verb.
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

/*
 * corm_run_cached answers a query that has cached(): from the cache if it is
 * there, else by running it and keeping the result.  Returns the number of
 * rows.
 */
uint64
corm_run_cached(const CormVerb *verb, CormPlan *plan, CormQuerySet *set, CormSink *sink)
{
	const CormValue *ttl = plan->cached_ttl;
	TupleDesc	tupdesc;
	Recorder	recorder;
	CormSink	recording = {.kind = CORM_SINK_CALLBACK, .callback = record_row, .arg = &recorder};
	ParamListInfo params;
	uint8		key[PG_SHA256_DIGEST_LENGTH];
	char	   *data;
	Size		size;
	int64		ttl_us;

	if (sink->kind != CORM_SINK_STORE && sink->kind != CORM_SINK_FIRST && sink->kind != CORM_SINK_ONE)
		refused("Pages, and queries whose rows are not returned, are not kept.");
	if (ttl == NULL)
	{
		if (plan->cached_valno >= set->nvalues)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("invalid binary value of type corm.query")));
		ttl = &set->values[plan->cached_valno];
	}
	if (ttl->typid != INTERVALOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("corm.cached() takes an interval")));
	ttl_us = corm_interval_us(DatumGetIntervalP(corm_value_datum(ttl, sizeof(Interval), false)), "ttl");

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* binding checks the values against the plan, which the key relies on */
	params = corm_bind_values(plan, set);

	/* a transaction that has written sees what others do not */
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()) || !check_rights(plan))
	{
		uint64		processed = corm_run(plan, params, sink);

		SPI_finish();
		return processed;
	}

	tupdesc = result_tupdesc(plan, verb);
	make_key(plan, verb, set, key);
	if (corm_cache_lookup((char *) key, sizeof(key), &data, &size))
		replay(plan, tupdesc, data, size, sink);
	else
	{
		recorder.tupdesc = tupdesc;
		initStringInfo(&recorder.buf);
		(void) corm_run(plan, params, &recording);
		(void) corm_cache_store((char *) key, sizeof(key), recorder.buf.data, recorder.buf.len, ttl_us);
		replay(plan, tupdesc, recorder.buf.data, recorder.buf.len, sink);
	}
	SPI_finish();
	return sink->nrows;
}
