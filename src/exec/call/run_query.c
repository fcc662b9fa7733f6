/*-------------------------------------------------------------------------
 *
 * run_query.c
 *		Runs the queries of a call, with the rows going to a sink.
 *
 * corm_run_queries is what the verbs call.  If there is middleware, the call becomes an
 * operation and its chain wraps corm_run_directly.  Otherwise corm_run_directly is
 * called right away.  It finds the plan, which determines how it is run: with hooks in
 * stages, from the cache, as an insert of many rows, or by executing it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "exec/call/operation.h"
#include "exec/call/run_query.h"
#include "exec/middleware/middleware_list.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "exec/run/cached.h"
#include "exec/run/execute.h"
#include "exec/run/sink.h"
#include "exec/run/stats.h"
#include "exec/write/hooked.h"
#include "exec/write/insert_rows.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/*
 * Is this a verb that returns json instead of jsonb?  Only the statement of a read
 * returns json directly.  Code that assembles rows by itself (middleware, hooks,
 * batches) returns jsonb, which is then converted.
 */
static bool
wants_text(const CormVerb *verb)
{
	return verb->typid == JSONOID && (verb->output == CORM_OUTPUT_JSON || verb->output == CORM_OUTPUT_JSON_ROW);
}

/* Returns the verb that has the same result as jsonb. */
static CormVerb
as_jsonb(const CormVerb *verb)
{
	CormVerb	result = *verb;

	if (wants_text(verb))
		result.typid = InvalidOid;
	return result;
}

/* Converts the jsonb that a sink got from such a verb to json. */
static void
convert_jsonb(const CormVerb *verb, CormSink *sink)
{
	if (wants_text(verb) && sink->nrows > 0 && !sink->isnull)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(sink->context);
		Jsonb	   *jsonb = DatumGetJsonbP(sink->value);

		sink->value = CStringGetTextDatum(JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb)));
		MemoryContextSwitchTo(oldcontext);
	}
}

/*
 * corm_run_queries runs the queries of a call, within their chain of middleware.  Rows
 * go to the sink.  Returns the number of rows affected or returned.
 */
uint64
corm_run_queries(const CormVerb *verb, CormQuerySet *set, CormSink *sink)
{
	CORM_FAULT("query-begin");
	if (corm_middleware_exists())
	{
		CormVerb	jsonb = as_jsonb(verb);
		uint64		processed;

		if (corm_run_query_operation(&jsonb, &jsonb, set, sink, corm_run_directly, &processed))
		{
			convert_jsonb(verb, sink);
			return processed;
		}
	}
	return corm_run_directly(verb, set, sink);
}

/*
 * Returns the number of objects in a JSON array.
 */
static uint64
count_objects(text *json)
{
	const char *p = VARDATA_ANY(json);
	const char *end = p + VARSIZE_ANY_EXHDR(json);
	bool		in_string = false;
	uint64		n = 0;
	int			depth = 0;

	for (; p < end; p++)
	{
		if (in_string)
		{
			if (*p == '\\')
				p++;
			else if (*p == '"')
				in_string = false;
			continue;
		}
		switch (*p)
		{
			case '"':
				in_string = true;
				break;
			case '[':
			case '{':
				n += ++depth == 2;
				break;
			case ']':
			case '}':
				depth--;
				break;
		}
	}
	return n;
}

/*
 * Returns the number of rows of a run.  A JSON result is one row but can hold many.
 */
static uint64
row_count(const CormVerb *verb, const CormSink *sink, uint64 processed)
{
	if (verb->output == CORM_OUTPUT_JSON && sink->kind == CORM_SINK_FIRST && sink->nrows > 0 && !sink->isnull)
		return wants_text(verb) ? count_objects(DatumGetTextPP(sink->value)) :
			JB_ROOT_COUNT(DatumGetJsonbP(sink->value));
	/* a read that stops after its first row counts none */
	return Max(processed, sink->nrows);
}

/*
 * corm_run_directly runs the queries of a call without middleware.  Rows go to the sink;
 * returns the number of rows affected or returned.  Raises OR002 if a write affects more
 * than max_rows() allows.
 */
uint64
corm_run_directly(const CormVerb *verb, CormQuerySet *set, CormSink *sink)
{
	CormStats	stats;
	CormPlan   *plan;
	CormVerb	jsonb = as_jsonb(verb);
	volatile uint64 processed = 0;
	volatile bool done = false;

	corm_stats_begin(&stats);
	plan = corm_plan_for_queries(verb, set, NULL);
	PG_TRY();
	{
		int64		max_rows;

		CORM_FAULT("query-planned");
		corm_queries_read_values(set);
		max_rows = corm_allowed_rows(plan, set);
		if (sink->kind == CORM_SINK_STORE && sink->store == NULL)
			sink->store = corm_begin_set(sink->fcinfo, plan->tupdesc);
		if (verb->output == CORM_OUTPUT_PAGE)
		{
			sink->limit = corm_bound_int64(set, plan->limit_valno, plan->limit, -1);
			/* the limit in the SQL is one more than this */
			if (sink->limit < 0 && (plan->limit_valno >= 0 || plan->limit))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE),
						 errmsg("LIMIT must not be negative")));
		}
		if (plan->hooked)
		{
			processed = corm_run_hooked(&jsonb, plan, set, sink);
			convert_jsonb(verb, sink);
		}
		else if (plan->has_cached)
			processed = corm_run_cached(verb, plan, set, sink);
		else if (plan->rows_valno >= 0)
		{
			processed = corm_run_rows(&jsonb, plan, set, sink);
			convert_jsonb(verb, sink);
		}
		else
		{
			if (SPI_connect() != SPI_OK_CONNECT)
				elog(ERROR, "SPI_connect failed");
			processed = corm_run(plan, corm_bind_values(plan, set), sink);
			SPI_finish();
		}
		CORM_FAULT("query-done");
		corm_check_max_rows(plan, max_rows, row_count(verb, sink, processed));
		if (sink->nrows == 0 && sink->context && plan->model_name)
			sink->model_name = MemoryContextStrdup(sink->context, plan->model_name);
		done = true;
	}
	PG_FINALLY();
	{
		corm_stats_end(&stats, plan->command, plan->model, plan->model_name,
					   done ? row_count(verb, sink, processed) : 0, !done);
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return processed;
}

/*
 * corm_run_json runs the queries of a call and returns their rows, a JSON array
 * in the current context.  whole: with hidden fields, which are not to be shown.
 */
Jsonb *
corm_run_json(CormQuerySet *set, bool whole)
{
	CormVerb	verb = {.output = CORM_OUTPUT_JSON, .whole = whole};
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext, .isnull = true};
	JsonbParseState *state = NULL;

	(void) corm_run_queries(&verb, set, &sink);
	if (!sink.isnull)
		return DatumGetJsonbP(sink.value);
	/* middleware may return nothing at all */
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * corm_insert_json_rows inserts an array of JSON objects without relations
 * and returns the rows as they were inserted, as an array.  whole is as above.
 */
Jsonb *
corm_insert_json_rows(Oid model, Jsonb *array, bool whole)
{
	CormQuerySet set;

	corm_rows_query(model, JSONBOID, JsonbPGetDatum(array), &set);
	return corm_run_json(&set, whole);
}

/* Returns the objects of an array as documents of their own. */
static Jsonb **
objects_of(Jsonb *array, int *n)
{
	Jsonb	  **objects = palloc_extended(sizeof(Jsonb *) * Max(JB_ROOT_COUNT(array), 1), MCXT_ALLOC_HUGE);
	JsonbIterator *it = JsonbIteratorInit(&array->root);
	JsonbValue	element;

	*n = 0;
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		/* middleware can return anything */
		if (element.type != jbvBinary || !JsonContainerIsObject(element.val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rows given as JSON must be objects")));
		objects[(*n)++] = JsonbValueToJsonb(&element);
	}
	return objects;
}

/*
 * corm_insert_documents does what corm_insert_json_rows does, and returns the rows each
 * as a document of its own, with hidden fields.  It converts the rows itself, which is
 * cheaper than parsing JSON text that the statement has made.  Middleware and hooks see
 * the statement that returns JSON.  Raises 55006 if the model changes during the call.
 */
Jsonb **
corm_insert_documents(CormModel *model, Jsonb *array, int *n)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .typid = model->typid};
	CormSink	sink = {.kind = CORM_SINK_STORE, .context = CurrentMemoryContext};
	CormExec	exec;
	CormQuerySet set;
	TupleTableSlot *slot;
	Jsonb	  **objects;

	corm_exec_begin(&exec, model);
	if (corm_middleware_exists() || corm_hooks_has(model, CORM_WRITE_CREATE) ||
		OidIsValid(corm_model_hook(model, CORM_HOOK_AFTER_FIND)))
	{
		objects = objects_of(corm_insert_json_rows(model->relid, array, true), n);
		corm_exec_check(&exec);
		return objects;
	}
	sink.store = corm_exec_store(&exec, false);
	corm_rows_query(model->relid, JSONBOID, JsonbPGetDatum(array), &set);
	(void) corm_run_directly(&verb, &set, &sink);
	corm_exec_check(&exec);
	objects = palloc_extended(sizeof(Jsonb *) * Max(sink.nrows, 1), MCXT_ALLOC_HUGE);
	slot = MakeSingleTupleTableSlot(model->tupdesc, &TTSOpsMinimalTuple);
	*n = 0;
	while (tuplestore_gettupleslot(sink.store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		objects[(*n)++] = corm_row_to_json(model, ExecFetchSlotHeapTupleDatum(slot), false);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(sink.store);
	corm_exec_check(&exec);
	return objects;
}
