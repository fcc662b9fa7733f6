/*-------------------------------------------------------------------------
 *
 * queries.c
 *		The queries of a call: gathered from its arguments, run to a sink.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/*
 * corm_queries_from_args gathers the VARIADIC corm.query[] argument of a
 * verb; the set points into it.  argno may be beyond the arguments: the twin
 * without queries.
 */
void
corm_queries_from_args(FunctionCallInfo fcinfo, int argno, CormQuerySet *set)
{
	ArrayType  *array;
	char	   *p;
	int			n;

	set->nqueries = 0;
	set->queries = set->queries_local;
	set->shape_len = 0;
	set->nvalues = 0;
	set->values = NULL;

	if (argno >= PG_NARGS())
		return;
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the queries must not be null")));
	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a query must not be null"),
				 errhint("Use corm.pipe() where there is nothing to add.")));

	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n > CORM_QUERIES_LOCAL)
		set->queries = palloc(sizeof(CormNode *) * n);
	p = ARR_DATA_PTR(array);
	for (int i = 0; i < n; i++)
	{
		CormNode   *query;

		p = (char *) att_align_pointer(p, TYPALIGN_DOUBLE, -1, p);
		query = CormPGGetQuery(PointerGetDatum(p));
		set->queries[i] = query;
		set->shape_len += query->shape_len;
		set->nvalues += query->nvalues;
		p = att_addlength_pointer(p, -1, p);
	}
	set->nqueries = n;
}

/*
 * corm_queries_read_values finds the bound values; they point into the
 * queries.  Done once, further calls are free.
 */
void
corm_queries_read_values(CormQuerySet *set)
{
	int			n = 0;

	if (set->values)
		return;
	if (set->nvalues <= CORM_VALUES_LOCAL)
		set->values = set->values_local;
	else
		set->values = palloc(sizeof(CormValue) * set->nvalues);
	for (int i = 0; i < set->nqueries; i++)
		n += corm_values_read(set->queries[i], set->values + n, set->nvalues - n);
}

/*
 * corm_queries_read_trees returns all clauses of the queries as trees; the
 * bound values have been found then, and are those of the shapes.
 */
List *
corm_queries_read_trees(CormQuerySet *set)
{
	List	   *clauses = NIL;
	int			valno = 0;

	corm_queries_read_values(set);
	for (int i = 0; i < set->nqueries; i++)
	{
		const CormNode *query = set->queries[i];

		clauses = list_concat(clauses,
							  corm_tree_read_query(query, set->values, valno));
		valno += query->nvalues;
	}
	return clauses;
}

/*
 * corm_bound_int64 returns the bigint that a clause like limit() holds: a
 * value of the call, or a stored one; absent if it has neither.
 */
int64
corm_bound_int64(CormQuerySet *set, int valno, const CormValue *constant, int64 absent)
{
	if (constant == NULL)
	{
		if (valno < 0)
			return absent;
		if (valno >= set->nvalues)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("invalid binary value of type corm.query")));
		constant = &set->values[valno];
	}
	switch (constant->typid)
	{
		case INT8OID:
			return DatumGetInt64(corm_value_datum(constant, 8, true));
		case INT4OID:
			return DatumGetInt32(corm_value_datum(constant, 4, true));
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a number of rows must be of type bigint")));
	}
}

/*
 * The number of rows that max_rows() allows, or -1.
 */
static int64
allowed_rows(CormPlan *plan, CormQuerySet *set)
{
	int64		max_rows;

	if (plan->max_rows_valno < 0 && plan->max_rows == NULL)
		return -1;
	max_rows = corm_bound_int64(set, plan->max_rows_valno, plan->max_rows, -1);
	if (max_rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("corm.max_rows() must not be negative")));
	return max_rows;
}

/*
 * More rows than max_rows() allows: the error undoes the statement.
 */
static void
check_max_rows(CormPlan *plan, int64 max_rows, uint64 processed)
{
	if (max_rows < 0)
		return;
	if (processed > (uint64) max_rows)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_MAX_ROWS_EXCEEDED),
				 errmsg("write affects more rows than max_rows allows"),
				 errdetail("It affects " UINT64_FORMAT " rows of model \"%s\", " INT64_FORMAT " are allowed.",
						   processed, plan->model_name ? plan->model_name : "", max_rows)));
}

/*
 * corm_check_max_rows raises OR002 if a write is going to affect more rows
 * than max_rows() allows.
 */
void
corm_check_max_rows(CormPlan *plan, CormQuerySet *set, uint64 nrows)
{
	check_max_rows(plan, allowed_rows(plan, set), nrows);
}

/*
 * corm_queries_of_node makes the queries of a call that has one, node.
 */
void
corm_queries_of_node(const CormNode *node, CormQuerySet *set)
{
	set->queries = set->queries_local;
	set->queries[0] = node;
	set->nqueries = 1;
	set->shape_len = node->shape_len;
	set->nvalues = node->nvalues;
	set->values = NULL;
}

/*
 * corm_queries_copy makes a copy of the queries of a call that has values of
 * its own, nextra more than they have.
 */
void
corm_queries_copy(CormQuerySet *copy, const CormQuerySet *set, int nextra)
{
	CormQuerySet original = *set;

	if (set->queries == set->queries_local)
		original.queries = original.queries_local;
	corm_queries_read_values(&original);

	*copy = *set;
	if (set->queries == set->queries_local)
		copy->queries = copy->queries_local;
	copy->nvalues = set->nvalues + nextra;
	copy->values = palloc0(sizeof(CormValue) * Max(copy->nvalues, 1));
	memcpy(copy->values, original.values, sizeof(CormValue) * set->nvalues);
}

/*
 * JSON as text: a verb that returns json instead of jsonb.  Only the statement
 * of a read makes it; what puts rows together by itself (middleware, hooks,
 * batches) does so as jsonb, which is converted.
 */
static bool
wants_text(const CormVerb *verb)
{
	return verb->typid == JSONOID && (verb->output == CORM_OUTPUT_JSON || verb->output == CORM_OUTPUT_JSON_ROW);
}

/* The verb that returns the same as jsonb. */
static CormVerb
as_jsonb(const CormVerb *verb)
{
	CormVerb	result = *verb;

	if (wants_text(verb))
		result.typid = InvalidOid;
	return result;
}

/* Converts the jsonb that a sink got from such a verb into what is wanted. */
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
 * corm_run_queries runs the queries of a call, within the chain of middleware
 * around them.  Rows go to the sink; returns the number of rows affected or
 * returned.
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
 * The number of objects in a JSON array of them.
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
 * How many rows a run was about: JSON is one row, however many are in it.
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
 * corm_run_directly runs the queries of a call: finds the plan, binds the
 * values, executes.
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
		max_rows = allowed_rows(plan, set);
		if (sink->kind == CORM_SINK_STORE && sink->store == NULL)
			sink->store = corm_begin_set(sink->fcinfo, plan->tupdesc);
		if (verb->output == CORM_OUTPUT_PAGE)
		{
			sink->limit = corm_bound_int64(set, plan->limit_valno, plan->limit, -1);
			/* PostgreSQL sees one more than this */
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
		else if (plan->cached_valno >= 0)
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
		check_max_rows(plan, max_rows, row_count(verb, sink, processed));
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
