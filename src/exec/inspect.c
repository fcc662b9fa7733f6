/*-------------------------------------------------------------------------
 *
 * inspect.c
 *		What would run: to_sql, args, explain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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
 * The plan of a call's queries as corm.exec() would run them, in use.  For
 * an insert with rows() it is that of the first run of rows, which set then
 * holds.
 */
static CormPlan *
native_plan(FunctionCallInfo fcinfo, CormQuerySet *set)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE, .stage = CORM_STAGE_PLAIN};
	CormPlan   *plan;

	corm_queries_from_args(fcinfo, 0, set);
	plan = corm_plan_for_queries(&verb, set, NULL);
	PG_TRY();
	{
		corm_queries_read_values(set);
	}
	PG_CATCH();
	{
		corm_plan_release(plan);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (plan->rows_valno >= 0)
	{
		Bitmapset  *fields;

		PG_TRY();
		{
			fields = corm_first_rows(plan, set);
		}
		PG_FINALLY();
		{
			corm_plan_release(plan);
		}
		PG_END_TRY();
		plan = corm_plan_for_queries(&verb, set, fields);
	}
	return plan;
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

/* corm_args(q): the values of $1, $2, ... of that SQL, as a JSON array */
Datum
corm_args(PG_FUNCTION_ARGS)
{
	CormQuerySet set;
	CormPlan   *plan = native_plan(fcinfo, &set);
	JsonbParseState *state = NULL;
	Jsonb	   *result = NULL;

	PG_TRY();
	{
		ParamListInfo params = corm_bind_values(plan, &set);

		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int i = 0; i < plan->nparams; i++)
			corm_push_value(&state, WJB_ELEM, params->params[i].ptype, params->params[i].value);
		result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	PG_RETURN_JSONB_P(result);
}

static Datum
explain(FunctionCallInfo fcinfo, const char *options)
{
	CormQuerySet set;
	CormPlan   *plan = native_plan(fcinfo, &set);
	TupleDesc	tupdesc = CreateTemplateTupleDesc(1);
	Tuplestorestate *store;

	PG_TRY();
	{
		SPIExecuteOptions exec_options = {0};
		int			rc;

		TupleDescInitEntry(tupdesc, 1, "QUERY PLAN", TEXTOID, -1, 0);
		store = corm_begin_set(fcinfo, tupdesc);
		exec_options.params = corm_bind_values(plan, &set);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		rc = SPI_execute_extended(psprintf("EXPLAIN %s%s", options, plan->sql), &exec_options);
		if (rc < 0)
			elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(rc));
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(store, SPI_tuptable->vals[i]);
		SPI_finish();
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return (Datum) 0;
}

/* corm_explain(q): EXPLAIN of that SQL */
Datum
corm_explain(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, "");
}

/* corm_explain_analyze(q): EXPLAIN (ANALYZE) of it; this runs the query */
Datum
corm_explain_analyze(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, "(ANALYZE) ");
}
