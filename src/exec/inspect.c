/*-------------------------------------------------------------------------
 *
 * inspect.c
 *		What would run: to_sql, args, explain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(corm_to_sql);
PG_FUNCTION_INFO_V1(corm_args);
PG_FUNCTION_INFO_V1(corm_explain);
PG_FUNCTION_INFO_V1(corm_explain_analyze);

/*
 * corm_plan_to_show returns a plan whose SQL says what would run, in use:
 * hooks and middleware are not part of it.  For an insert with rows() it is
 * that of the first run of rows, which set then holds.
 */
CormPlan *
corm_plan_to_show(const CormVerb *wanted, CormQuerySet *set)
{
	CormVerb	verb = *wanted;
	CormPlan   *plan;
	Bitmapset  *volatile fields = NULL;

	verb.stage = CORM_STAGE_PLAIN;
	plan = corm_plan_for_queries(&verb, set, NULL);
	PG_TRY();
	{
		corm_queries_read_values(set);
		if (plan->rows_valno >= 0)
			fields = corm_first_rows(plan, set);
	}
	PG_CATCH();
	{
		corm_plan_release(plan);
		PG_RE_THROW();
	}
	PG_END_TRY();
	CORM_FAULT("show-planned");
	if (plan->rows_valno >= 0)
	{
		corm_plan_release(plan);
		plan = corm_plan_for_queries(&verb, set, fields);
	}
	return plan;
}

/*
 * That of a call's queries as corm.exec() would run them.
 */
static CormPlan *
native_plan(FunctionCallInfo fcinfo, CormQuerySet *set)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};

	corm_queries_from_args(fcinfo, 0, set);
	return corm_plan_to_show(&verb, set);
}

/* corm_to_sql(q): the SQL that corm.exec() would run */
Datum
corm_to_sql(PG_FUNCTION_ARGS)
{
	CormQuerySet set;
	CormPlan   *plan = native_plan(fcinfo, &set);
	text	   *sql = cstring_to_text(plan->sql);

	corm_plan_release(plan);
	PG_RETURN_TEXT_P(sql);
}

/*
 * corm_push_value pushes a value as JSON, by to_jsonb() of its type.
 */
void
corm_push_value(JsonbParseState **state, JsonbIteratorToken token, Oid typid, Datum value)
{
	FmgrInfo	flinfo;
	FuncExpr   *call;
	Jsonb	   *json;
	JsonbValue	element;

	/* to_jsonb() asks its call for the type of its argument */
	fmgr_info(F_TO_JSONB, &flinfo);
	call = makeFuncExpr(F_TO_JSONB, JSONBOID,
						list_make1(makeNullConst(typid, -1, InvalidOid)),
						InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	fmgr_info_set_expr((Node *) call, &flinfo);
	json = DatumGetJsonbP(FunctionCall1(&flinfo, value));
	if (JB_ROOT_IS_SCALAR(json))
		(void) JsonbExtractScalar(&json->root, &element);
	else
	{
		element.type = jbvBinary;
		element.val.binary.data = &json->root;
		element.val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	pushJsonbValue(state, token, &element);
}

/*
 * corm_params_to_json returns the values of a plan's parameters as a JSON
 * array.
 */
Jsonb *
corm_params_to_json(CormPlan *plan, ParamListInfo params)
{
	JsonbParseState *state = NULL;
	JsonbValue	null = {.type = jbvNull};

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < plan->nparams; i++)
	{
		if (params->params[i].isnull)
			pushJsonbValue(&state, WJB_ELEM, &null);
		else
			corm_push_value(&state, WJB_ELEM, params->params[i].ptype, params->params[i].value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* corm_args(q): the values of $1, $2, ... of that SQL, as a JSON array */
Datum
corm_args(PG_FUNCTION_ARGS)
{
	CormQuerySet set;
	CormPlan   *plan = native_plan(fcinfo, &set);
	Jsonb	   *result = NULL;

	PG_TRY();
	{
		result = corm_params_to_json(plan, corm_bind_values(plan, &set));
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	PG_RETURN_JSONB_P(result);
}

/*
 * Explains what corm.exec() would run; the lines go to the sink's store.
 */
static void
explain(CormQuerySet *set, const char *options, CormSink *sink)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormPlan   *plan = corm_plan_to_show(&verb, set);

	PG_TRY();
	{
		SPIExecuteOptions exec_options = {0};
		int			rc;

		exec_options.params = corm_bind_values(plan, set);
		CORM_FAULT("explain-bound");
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		rc = SPI_execute_extended(psprintf("EXPLAIN %s%s", options, plan->sql), &exec_options);
		if (rc < 0)
			elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(rc));
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(sink->store, SPI_tuptable->vals[i]);
		sink->nrows = SPI_processed;
		SPI_finish();
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
}

static void
begin_lines(FunctionCallInfo fcinfo, CormSink *sink)
{
	TupleDesc	tupdesc = CreateTemplateTupleDesc(1);

	TupleDescInitEntry(tupdesc, 1, "QUERY PLAN", TEXTOID, -1, 0);
	sink->kind = CORM_SINK_STORE;
	sink->store = corm_begin_set(fcinfo, tupdesc);
}

/* corm_explain(q): EXPLAIN of that SQL */
Datum
corm_explain(PG_FUNCTION_ARGS)
{
	CormQuerySet set;
	CormSink	sink = {0};

	corm_queries_from_args(fcinfo, 0, &set);
	begin_lines(fcinfo, &sink);
	explain(&set, "", &sink);
	return (Datum) 0;
}

/* The run of an operation that is to be explained. */
static uint64
explain_analyze(const CormVerb *verb, CormQuerySet *set, CormSink *sink)
{
	explain(set, "(ANALYZE) ", sink);
	return 0;
}

/*
 * corm_explain_analyze(q): EXPLAIN (ANALYZE) of it; this runs the query, so
 * middleware has its say.
 */
Datum
corm_explain_analyze(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_VALUE, .typid = TEXTOID, .stage = CORM_STAGE_PLAIN};
	CormVerb	shown = {.output = CORM_OUTPUT_NATIVE};
	CormQuerySet set;
	CormSink	sink = {0};
	uint64		processed;

	corm_queries_from_args(fcinfo, 0, &set);
	begin_lines(fcinfo, &sink);
	if (!corm_middleware_exists() ||
		!corm_run_query_operation(&verb, &shown, &set, &sink, explain_analyze, &processed))
		explain(&set, "(ANALYZE) ", &sink);
	return (Datum) 0;
}
