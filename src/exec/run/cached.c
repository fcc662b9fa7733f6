/*-------------------------------------------------------------------------
 *
 * cached.c
 *		Queries answered from the cache: corm.cached(ttl).
 *
 * The rows of a query are kept as flat tuples in the shared cache of query
 * results.  The key is a hash of all that they depend on: the roles, the SQL
 * and its values, the relations, the result type as it is now, and the
 * settings that PostgreSQL's own functions look at.  A result may be as old as
 * the TTL; nothing takes it back earlier.
 *
 * What a query calls decides what more there is to say:
 *
 *	- nothing, if the function is immutable, or one of PostgreSQL's that depends
 *	  on time, tables and the settings in the key;
 *	- if it may look at any setting, the key has all that this session or its
 *	  role has set, and the client's address.  Such are current_setting and its
 *	  kin, and every function of a user that is not immutable: what is in it
 *	  cannot be known.  A session with temporary objects, which it might look
 *	  at too, does not use the cache for these;
 *	- volatile functions and those that tell of the session (its process, its
 *	  transaction, its cursors) are refused.
 *
 * Rights to relations and functions are checked on a hit too: a REVOKE takes
 * effect as if the query ran.
 *
 * All this is read from the parsed query.  User code and other sessions can
 * change views and functions at any time, so the query is looked at again
 * whenever it was parsed anew or a function changed, and after each run,
 * before its result is kept: under the key that it has then, if that is the
 * one that was looked for.
 *
 * So that an entry is never what only its maker may see, queries are refused
 * that lock rows, read temporary tables or tables under row-level security;
 * and a transaction that has written something neither looks into the cache
 * nor adds to it: it sees its own changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "exec/exec.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "pgtime.h"
#include "tsearch/ts_cache.h"
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
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/xml.h"

static void refused(const char *why) pg_attribute_noreturn();

static void
refused(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("query cannot be answered from the cache"),
			 errdetail_internal("%s", why)));
}

/* What the functions that a query calls mean for its result. */
typedef struct Calls
{
	bool		settings;		/* one may look at any setting */
	bool		asks_settings;	/* it is one of PostgreSQL's that shows them */
	bool		session;		/* one tells of this session */
} Calls;

/* note_call notes what one function means.  It always returns false. */
static bool
note_call(Oid function, void *context)
{
	Calls	   *calls = context;

	switch (function)
	{
		case F_PG_BACKEND_PID:
		case F_PG_TRIGGER_DEPTH:
		case F_PG_CONF_LOAD_TIME:
		case F_PG_CURSOR:
		case F_PG_PREPARED_STATEMENT:
		case F_PG_LISTENING_CHANNELS:
		case F_PG_MY_TEMP_SCHEMA:
		case F_PG_IS_OTHER_TEMP_SCHEMA:
		case F_PG_CURRENT_SNAPSHOT:
		case F_PG_CURRENT_XACT_ID:
		case F_PG_CURRENT_XACT_ID_IF_ASSIGNED:
		case F_TXID_CURRENT:
		case F_TXID_CURRENT_IF_ASSIGNED:
		case F_TXID_CURRENT_SNAPSHOT:
		case F_AGE_XID:
		case F_INET_CLIENT_ADDR:
		case F_INET_CLIENT_PORT:
		case F_INET_SERVER_ADDR:
		case F_INET_SERVER_PORT:
#ifdef F_SYSTEM_USER
		case F_SYSTEM_USER:
#endif
			calls->session = true;
			break;

			/* They read relations that the query does not name. */
		case F_TABLE_TO_XML:
		case F_TABLE_TO_XML_AND_XMLSCHEMA:
		case F_SCHEMA_TO_XML:
		case F_SCHEMA_TO_XML_AND_XMLSCHEMA:
		case F_DATABASE_TO_XML:
		case F_DATABASE_TO_XML_AND_XMLSCHEMA:
			calls->session = true;
			break;

		case F_CURRENT_SETTING_TEXT:
		case F_CURRENT_SETTING_TEXT_BOOL:
		case F_PG_SHOW_ALL_SETTINGS:
		case F_PG_CLIENT_ENCODING:
			calls->settings = calls->asks_settings = true;
			break;

			/* Names may be those of temporary objects. */
		case F_CURRENT_SCHEMA:
		case F_CURRENT_SCHEMAS:
		case F_TO_REGCLASS:
		case F_TO_REGTYPE:
		case F_REGCLASS:
		case F_REGCLASSIN:
		case F_REGTYPEIN:
		case F_PG_TABLE_IS_VISIBLE:
		case F_PG_TYPE_IS_VISIBLE:
		case F_ROW_SECURITY_ACTIVE_TEXT:
		case F_ROW_SECURITY_ACTIVE_OID:
			calls->settings = true;
			break;

		default:
			if (function >= FirstNormalObjectId && func_volatile(function) != PROVOLATILE_IMMUTABLE)
				calls->settings = true;
			break;
	}
	return false;
}

/*
 * check_call raises 42501 unless the current role may call the function of a
 * node.  These are the nodes for which the executor checks it, in views too.
 */
static void
check_call(Node *node)
{
	Oid			function;

	switch (nodeTag(node))
	{
		case T_FuncExpr:
			function = ((FuncExpr *) node)->funcid;
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			function = ((OpExpr *) node)->opfuncid;
			break;
		case T_ScalarArrayOpExpr:
			function = ((ScalarArrayOpExpr *) node)->opfuncid;
			break;
		case T_Aggref:
			function = ((Aggref *) node)->aggfnoid;
			break;
		case T_WindowFunc:
			function = ((WindowFunc *) node)->winfnoid;
			break;
		default:
			return;
	}
	if (OidIsValid(function))
	{
		AclResult	result = corm_function_aclcheck(function, GetUserId());

		if (result != ACLCHECK_OK)
			aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
	}
}

/* calls_walker looks at each call in a query and in the views it reads. */
static bool
calls_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, note_call, context);
	check_call(node);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, calls_walker, context, 0);
	return expression_tree_walker(node, calls_walker, context);
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

/* check_rights does so for a plan that is_current. */
static void
check_rights(CormPlan *plan)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell   *query;

		foreach(query, source->query_list)
			(void) rights_walker(lfirst(query), NULL);
	}
}

/* is_current tells whether a plan's queries are what parsing them now would give. */
static bool
is_current(CormPlan *plan)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan->spi))
	{
		if (!((CachedPlanSource *) lfirst(lc))->is_valid)
			return false;
	}
	return true;
}

/*
 * look_at_query raises 0A000 if the result of a plan must not be shared, 42501
 * if the current role may not call what it calls, and notes what its result
 * depends on.  It does nothing if it has done so for this role and no function,
 * role or membership has changed since; forget_query makes it look again.
 */
static void
look_at_query(CormPlan *plan)
{
	uint64		functions = corm_hooks_changes();
	uint64		roles = corm_cache_generation;
	Calls		calls = {0};
	ListCell   *lc;

	if (plan->cached_functions == functions && plan->cached_roles == roles &&
		plan->cached_role == GetUserId())
		return;

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
			(void) calls_walker(lfirst(other), &calls);
		}
		foreach(other, source->relationOids)
			if (get_rel_persistence(lfirst_oid(other)) == RELPERSISTENCE_TEMP)
				refused("It reads a temporary table.");
	}
	if (calls.session)
		refused("It calls a function whose result is about the session.");
	plan->cached_settings = calls.settings;
	plan->cached_asks_settings = calls.asks_settings;
	plan->cached_functions = functions;
	plan->cached_roles = roles;
	plan->cached_role = GetUserId();
}

/* forget_query makes look_at_query look again. */
static void
forget_query(CormPlan *plan)
{
	plan->cached_functions = 0;
}

/*
 * refresh has a plan parsed anew if something it depends on has changed.
 * Raises what that raises, say because a function is gone.  Returns false if
 * the plan is not current afterwards: then only running it tells.
 */
static bool
refresh(CormPlan *plan)
{
	CachedPlan *made;

	if (is_current(plan))
		return true;
	forget_query(plan);
	made = SPI_plan_get_cached_plan(plan->spi);
	if (made != NULL)
		ReleaseCachedPlan(made, CurrentResourceOwner);
	return is_current(plan);
}

/*
 * corm_cached_check raises 0A000 if the result of a prepared plan must not
 * be shared, 55000 if there is no cache.
 */
void
corm_cached_check(CormPlan *plan)
{
	corm_cache_require();
	if (plan->command != CORM_CMD_SELECT || !plan->read_only)
		refused("It writes or locks rows.");
	forget_query(plan);
	look_at_query(plan);
}

/*
 * Keys
 */

static void
add_string(StringInfo buf, const char *str)
{
	appendBinaryStringInfo(buf, str ? str : "", (str ? strlen(str) : 0) + 1);
}

/* A type, and what makes its values readable if they have columns within them. */
static void
add_type(StringInfo buf, Oid type)
{
	appendStringInfo(buf, "%u %u ", type, type >= FirstNormalObjectId || type == RECORDOID ?
					 corm_cached_layout(type) : 0);
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
						 att->attisdropped ? 0 : corm_cached_layout(att->atttypid));
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
 * add_settings adds the settings that are not as the server's configuration
 * has them, and all that are not PostgreSQL's own.  corm.traceparent, another
 * in each request, is there only if the query itself asks for settings.
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
	appendStringInfo(&buf, "%d %d %d %d %d %d %d %d ", xmlbinary, xmloption, Array_nulls, Transform_null_equals,
					 standard_conforming_strings, backslash_quote, quote_all_identifiers, row_security);
	add_string(&buf, namespace_search_path);
	add_string(&buf, pg_get_timezone_name(session_timezone));
	add_string(&buf, GetConfigOption("timezone_abbreviations", false, false));
	add_string(&buf, locale_numeric);
	add_string(&buf, locale_monetary);
	add_string(&buf, locale_time);
	add_string(&buf, TSCurrentConfig);
	if (plan->cached_settings)
	{
		add_settings(&buf, plan->cached_asks_settings);
		add_client(&buf);
	}
	add_relations(&buf, plan);
	add_string(&buf, plan->sql);
	if (plan->tupdesc)
		add_tupdesc(&buf, plan->tupdesc);
	add_type(&buf, plan->typid);
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
 * Rows as bytes: per row a length, then the tuple's data, both aligned.
 */

typedef struct Recorder
{
	TupleDesc	tupdesc;
	StringInfoData buf;
	CormSink   *sink;			/* where rows go if they are too many to keep */
	bool		too_large;
} Recorder;

static void deliver(CormPlan *plan, TupleDesc tupdesc, HeapTuple tuple, CormSink *sink);
static void replay(CormPlan *plan, TupleDesc tupdesc, char *data, Size size, CormSink *sink);

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
		replay(plan, tupdesc, recorder->buf.data, recorder->buf.len, recorder->sink);
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

/* time_to_live returns what cached() says, in microseconds. */
static int64
time_to_live(CormPlan *plan, CormQuerySet *set)
{
	const CormValue *ttl = plan->cached_ttl;

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
	return corm_interval_us(DatumGetIntervalP(corm_value_datum(ttl, sizeof(Interval), false)), "ttl");
}

/*
 * uses_cache tells whether this call of a plan may be answered from the cache.
 * Not in a transaction that has written, which sees what others do not; nor if
 * a function might look at the session's temporary objects.  Raises what
 * look_at_query does, and 42501 if the role may not read what the plan reads.
 */
static bool
uses_cache(CormPlan *plan)
{
	Oid			temp;
	Oid			temp_toast;

	if (TransactionIdIsValid(GetTopTransactionIdIfAny()) || !refresh(plan))
		return false;
	look_at_query(plan);
	GetTempNamespaceState(&temp, &temp_toast);
	if (plan->cached_settings && OidIsValid(temp))
		return false;
	check_rights(plan);
	return true;
}

/*
 * keep stores what a plan has answered under a key, unless the key would be
 * another now.  Raises 0A000 if the plan turns out to be one whose result must
 * not be shared.
 */
static void
keep(CormPlan *plan, const CormVerb *verb, CormQuerySet *set, const uint8 *key, const StringInfoData *rows,
	 int64 ttl_us)
{
	uint8		now[PG_SHA256_DIGEST_LENGTH];

	forget_query(plan);
	if (!is_current(plan))
		return;
	look_at_query(plan);
	make_key(plan, verb, set, now);
	CORM_FAULT("cached-keep");
	if (memcmp(key, now, sizeof(now)) == 0)
		(void) corm_cache_store((char *) key, sizeof(now), rows->data, rows->len, ttl_us);
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
	Recorder	recorder = {.sink = sink};
	CormSink	recording = {.kind = CORM_SINK_CALLBACK, .callback = record_row, .arg = &recorder};
	ParamListInfo params;
	uint8		key[PG_SHA256_DIGEST_LENGTH];
	char	   *data;
	Size		size;
	int64		ttl_us;

	if (sink->kind != CORM_SINK_STORE && sink->kind != CORM_SINK_FIRST && sink->kind != CORM_SINK_ONE)
		refused("Pages, and queries whose rows are not returned, are not kept.");
	ttl_us = time_to_live(plan, set);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* binding checks the values against the plan, which the key relies on */
	params = corm_bind_values(plan, set);

	if (!uses_cache(plan))
	{
		uint64		processed = corm_run(plan, params, sink);

		SPI_finish();
		return processed;
	}

	CORM_FAULT("cached-begin");
	tupdesc = result_tupdesc(plan, verb);
	make_key(plan, verb, set, key);
	CORM_FAULT("cached-key");
	if (corm_cache_lookup((char *) key, sizeof(key), &data, &size))
	{
		CORM_FAULT("cached-hit");
		replay(plan, tupdesc, data, size, sink);
	}
	else
	{
		recorder.tupdesc = tupdesc;
		initStringInfo(&recorder.buf);
		(void) corm_run(plan, params, &recording);
		CORM_FAULT("cached-run");
		if (!recorder.too_large)
		{
			keep(plan, verb, set, key, &recorder.buf, ttl_us);
			replay(plan, tupdesc, recorder.buf.data, recorder.buf.len, sink);
		}
	}
	SPI_finish();
	return sink->nrows;
}
