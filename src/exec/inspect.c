/*-------------------------------------------------------------------------
 *
 * inspect.c
 *		What would run: to_sql, args, explain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "cache/cache.h"
#include "catalog/pg_type.h"
#include "exec/call/operation.h"
#include "exec/call/show.h"
#include "exec/middleware/middleware_list.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/plan/shareable.h"
#include "exec/run/sink.h"
#include "funcapi.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(corm_to_sql);
PG_FUNCTION_INFO_V1(corm_args);
PG_FUNCTION_INFO_V1(corm_cached_explain);
PG_FUNCTION_INFO_V1(corm_explain);
PG_FUNCTION_INFO_V1(corm_explain_analyze);

/*
 * Returns the plan with which corm.exec() would run a call's queries.
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
 * Returns why the answers of a plan are not given from the cache as fresh ones, in this
 * transaction and now, or NULL.
 */
static const char *
why_not_fresh(CormPlan *plan)
{
	const char *why = corm_shareable_explain(plan);
	uint64		sum;

	if (why == NULL)
		why = corm_fresh_possible();
	if (why != NULL)
		return why;
	switch (corm_fresh_now(plan->fresh_depends, &sum))
	{
		case CORM_FRESH_COMMITTING:
			return "A transaction that wrote a table that it reads is committing.";
		case CORM_FRESH_UNSETTLED:
			return "A prepared transaction has written a table that it reads, or the first fresh query of a table has just begun.";
		default:
			return NULL;
	}
}

/*
 * corm_cached_explain(q) -> (fresh, reason): whether corm.cached(fresh => true) can be
 * answered from the cache, and if not, why
 */
Datum
corm_cached_explain(PG_FUNCTION_ARGS)
{
	CormQuerySet set;
	CormPlan   *plan;
	TupleDesc	tupdesc;
	Datum		row[2];
	bool		nulls[2] = {false, true};

	corm_cache_require();
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	plan = native_plan(fcinfo, &set);
	PG_TRY();
	{
		const char *why = why_not_fresh(plan);

		row[0] = BoolGetDatum(why == NULL);
		nulls[1] = why == NULL;
		row[1] = why == NULL ? (Datum) 0 : CStringGetTextDatum(why);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), row, nulls)));
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

/* Runs an operation that is being explained. */
static uint64
explain_analyze(const CormVerb *verb, CormQuerySet *set, CormSink *sink)
{
	explain(set, "(ANALYZE) ", sink);
	return 0;
}

/*
 * corm_explain_analyze(q): EXPLAIN (ANALYZE) of that SQL.  This runs the query, so it
 * runs within its middleware.
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
