/*-------------------------------------------------------------------------
 *
 * verbs.c
 *		The SQL functions that run queries.
 *
 * The functions differ in the result type, the number of rows they want, and where the
 * rows go.  Only their last lines are specific to each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/call/run_query.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/run/sink.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(corm_get);
PG_FUNCTION_INFO_V1(corm_one);
PG_FUNCTION_INFO_V1(corm_first);
PG_FUNCTION_INFO_V1(corm_get_multi);
PG_FUNCTION_INFO_V1(corm_get_json);
PG_FUNCTION_INFO_V1(corm_first_json);
PG_FUNCTION_INFO_V1(corm_get_multi_json);
PG_FUNCTION_INFO_V1(corm_get_json_text);
PG_FUNCTION_INFO_V1(corm_first_json_text);
PG_FUNCTION_INFO_V1(corm_get_multi_json_text);
PG_FUNCTION_INFO_V1(corm_value);
PG_FUNCTION_INFO_V1(corm_pluck);
PG_FUNCTION_INFO_V1(corm_count_rows);
PG_FUNCTION_INFO_V1(corm_exists);
PG_FUNCTION_INFO_V1(corm_exec);
PG_FUNCTION_INFO_V1(corm_restore);

/*
 * The type of the argument t, which determines the result type.
 */
static Oid
result_type(FunctionCallInfo fcinfo)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the result type"),
				 errhint("Give a typed NULL such as NULL::users.")));
	return typid;
}

/*
 * The same for a verb that returns single values.  A query may be one, in a column of
 * them, but given as t it was meant to be run.
 */
static Oid
value_type(FunctionCallInfo fcinfo, const char *verb)
{
	Oid			typid = result_type(fcinfo);

	if (typid == corm_query_type_oid() && !PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the first argument of corm.%s() is a query, but the type of the result is wanted", verb),
				 errhint("Give a typed NULL before the query, such as NULL::text.")));
	return typid;
}

static void no_rows(const char *model) pg_attribute_noreturn();

/* Raises P0002 for a query over a model; NULL: over something else. */
static void
no_rows(const char *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no rows in result set"),
			 model ? errdetail("The query over model \"%s\" found none.", model) : 0,
			 errhint("If that is no error, use corm.first() or corm.first_json(), which return NULL then.")));
}

/*
 * Runs a call that returns one datum: a row, a value, or a JSON document.  Returns
 * false if there was no row; *model is what the query was over then, or NULL.
 */
static bool
run_for_row(FunctionCallInfo fcinfo, int argno, const CormVerb *verb, CormSinkKind kind,
			Datum *value, bool *isnull, const char **model)
{
	CormQuerySet set;
	CormSink	sink = {.kind = kind, .context = CurrentMemoryContext, .isnull = true};

	corm_queries_from_args(fcinfo, argno, &set);
	(void) corm_run_queries(verb, &set, &sink);
	*value = sink.value;
	*isnull = sink.isnull;
	*model = sink.model_name;
	return sink.nrows > 0;
}

/* The same for verbs that need no row. */
static bool
run_for_datum(FunctionCallInfo fcinfo, int argno, const CormVerb *verb, CormSinkKind kind,
			  Datum *value, bool *isnull)
{
	const char *model;

	return run_for_row(fcinfo, argno, verb, kind, value, isnull, &model);
}

/* corm_get(t, q): the first row; P0002 if there is none */
Datum
corm_get(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .limit = 1, .typid = result_type(fcinfo)};
	Datum		value;
	bool		isnull;
	const char *model;

	if (!run_for_row(fcinfo, 1, &verb, CORM_SINK_FIRST, &value, &isnull, &model))
		no_rows(model);
	PG_RETURN_DATUM(value);
}

/* corm_one(t, q): the only row; P0002 if there is none, P0003 if there are more */
Datum
corm_one(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .limit = 2, .typid = result_type(fcinfo)};
	Datum		value;
	bool		isnull;
	const char *model;

	if (!run_for_row(fcinfo, 1, &verb, CORM_SINK_ONE, &value, &isnull, &model))
		no_rows(model);
	PG_RETURN_DATUM(value);
}

/*
 * corm_first(t, q): the first row, in primary key order unless ordered; NULL if there
 * is none
 */
Datum
corm_first(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .limit = 1, .order_by_key = true, .typid = result_type(fcinfo)};
	Datum		value;
	bool		isnull;

	if (!run_for_datum(fcinfo, 1, &verb, CORM_SINK_FIRST, &value, &isnull))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* corm_get_multi(t, q): all rows, as a set */
Datum
corm_get_multi(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .typid = result_type(fcinfo)};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_STORE, .fcinfo = fcinfo};

	corm_queries_from_args(fcinfo, 1, &set);
	(void) corm_run_queries(&verb, &set, &sink);
	return (Datum) 0;
}

/*
 * The verbs that return JSON.  The result is json if typid says so, else jsonb.
 */

static Datum
get_json(FunctionCallInfo fcinfo, Oid typid)
{
	CormVerb	verb = {.output = CORM_OUTPUT_JSON_ROW, .limit = 1, .typid = typid};
	Datum		value;
	bool		isnull;
	const char *model;

	if (!run_for_row(fcinfo, 0, &verb, CORM_SINK_FIRST, &value, &isnull, &model))
		no_rows(model);
	PG_RETURN_DATUM(value);
}

static Datum
first_json(FunctionCallInfo fcinfo, Oid typid)
{
	CormVerb	verb = {.output = CORM_OUTPUT_JSON_ROW, .limit = 1, .order_by_key = true, .typid = typid};
	Datum		value;
	bool		isnull;

	if (!run_for_datum(fcinfo, 0, &verb, CORM_SINK_FIRST, &value, &isnull))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

static Datum
get_multi_json(FunctionCallInfo fcinfo, Oid typid)
{
	CormVerb	verb = {.output = CORM_OUTPUT_JSON, .typid = typid};
	Datum		value;
	bool		isnull;

	(void) run_for_datum(fcinfo, 0, &verb, CORM_SINK_FIRST, &value, &isnull);
	PG_RETURN_DATUM(value);
}

/* corm_get_json(q): the first row as an object; P0002 if there is none */
Datum
corm_get_json(PG_FUNCTION_ARGS)
{
	return get_json(fcinfo, InvalidOid);
}

/*
 * corm_first_json(q): the first row as an object, in primary key order unless ordered;
 * NULL if none
 */
Datum
corm_first_json(PG_FUNCTION_ARGS)
{
	return first_json(fcinfo, InvalidOid);
}

/* corm_get_multi_json(q): all rows as an array of objects */
Datum
corm_get_multi_json(PG_FUNCTION_ARGS)
{
	return get_multi_json(fcinfo, InvalidOid);
}

/* corm_get_json_text(q): the same as corm_get_json(q), as json */
Datum
corm_get_json_text(PG_FUNCTION_ARGS)
{
	return get_json(fcinfo, JSONOID);
}

/* corm_first_json_text(q): the same as corm_first_json(q), as json */
Datum
corm_first_json_text(PG_FUNCTION_ARGS)
{
	return first_json(fcinfo, JSONOID);
}

/* corm_get_multi_json_text(q): the same as corm_get_multi_json(q), as json */
Datum
corm_get_multi_json_text(PG_FUNCTION_ARGS)
{
	return get_multi_json(fcinfo, JSONOID);
}

/* corm_value(t, q): the single column of the first row; NULL if there is no row */
Datum
corm_value(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_VALUE, .limit = 1, .typid = value_type(fcinfo, "value")};
	Datum		value;
	bool		isnull;

	if (!run_for_datum(fcinfo, 1, &verb, CORM_SINK_FIRST, &value, &isnull) || isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* corm_pluck(t, q): the single column of all rows, as a set */
Datum
corm_pluck(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_VALUE, .typid = value_type(fcinfo, "pluck")};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_STORE};
	TupleDesc	tupdesc;

	if (get_typtype(getBaseType(verb.typid)) == TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("corm.pluck() returns single values, not rows of type %s",
						format_type_be(verb.typid)),
				 errhint("Use corm.get_multi().")));
	tupdesc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(tupdesc, 1, "pluck", verb.typid, -1, 0);
	corm_queries_from_args(fcinfo, 1, &set);
	sink.store = corm_begin_set(fcinfo, tupdesc);
	(void) corm_run_queries(&verb, &set, &sink);
	return (Datum) 0;
}

/* corm_count(q): the number of rows of the whole query */
Datum
corm_count_rows(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_COUNT};
	Datum		value;
	bool		isnull;

	(void) run_for_datum(fcinfo, 0, &verb, CORM_SINK_FIRST, &value, &isnull);
	PG_RETURN_DATUM(value);
}

/* corm_exists(q): true if the query has a row */
Datum
corm_exists(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_EXISTS};
	Datum		value;
	bool		isnull;

	(void) run_for_datum(fcinfo, 0, &verb, CORM_SINK_FIRST, &value, &isnull);
	PG_RETURN_DATUM(value);
}

/* corm_exec(q): runs the query and returns the number of rows affected */
Datum
corm_exec(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_NONE};

	corm_queries_from_args(fcinfo, 0, &set);
	PG_RETURN_INT64((int64) corm_run_queries(&verb, &set, &sink));
}

/*
 * corm_restore(q): restores the soft-deleted rows of a query and returns their number.
 */
Datum
corm_restore(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_RESTORE};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_NONE};

	corm_queries_from_args(fcinfo, 0, &set);
	PG_RETURN_INT64((int64) corm_run_queries(&verb, &set, &sink));
}
