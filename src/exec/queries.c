/*-------------------------------------------------------------------------
 *
 * queries.c
 *		The queries of a call: gathered from its arguments, run to a sink.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "utils/array.h"
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
 * corm_run_queries runs the queries of a call: finds the plan, binds the
 * values, executes.  Rows go to the sink; returns the number of rows
 * affected or returned.
 */
uint64
corm_run_queries(const CormVerb *verb, CormQuerySet *set, CormSink *sink)
{
	CormPlan   *plan = corm_plan_for_queries(verb, set, NULL);
	uint64		processed;

	PG_TRY();
	{
		int64		max_rows;

		corm_queries_read_values(set);
		max_rows = allowed_rows(plan, set);
		if (sink->kind == CORM_SINK_STORE && sink->store == NULL)
			sink->store = corm_begin_set(sink->fcinfo, plan->tupdesc);
		if (plan->hooked)
			processed = corm_run_hooked(verb, plan, set, sink);
		else if (plan->rows_valno >= 0)
			processed = corm_run_rows(verb, plan, set, sink);
		else
		{
			if (SPI_connect() != SPI_OK_CONNECT)
				elog(ERROR, "SPI_connect failed");
			processed = corm_run(plan, corm_bind_values(plan, set), sink);
			SPI_finish();
		}
		/* JSON is one row, however many were written */
		if (max_rows >= 0 && verb->output == CORM_OUTPUT_JSON)
			check_max_rows(plan, max_rows, JB_ROOT_COUNT(DatumGetJsonbP(sink->value)));
		else
			check_max_rows(plan, max_rows, processed);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return processed;
}
