/*-------------------------------------------------------------------------
 *
 * query_set.c
 *		The queries of a call, and their bound values.
 *
 * The set points into the arguments of the call; it owns nothing but the arrays that
 * queries_local and values_local are too small for, which are in the current context.
 * Values are read on demand: we need them to run a plan, but not to look it up by the
 * shapes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "exec/plan/query_set.h"
#include "utils/array.h"

/*
 * corm_queries_from_args gathers the VARIADIC corm.query[] argument of a verb; the set
 * points into it.  argno is beyond the last argument if the verb was called without
 * queries.  Raises 22004 for a NULL.
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
	set->has_symbols = false;
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
 * corm_queries_of_node makes the set of a call with one query.
 */
void
corm_queries_of_node(const CormNode *node, CormQuerySet *set)
{
	set->queries = set->queries_local;
	set->queries[0] = node;
	set->nqueries = 1;
	set->shape_len = node->shape_len;
	set->has_symbols = false;
	set->nvalues = node->nvalues;
	set->values = NULL;
}

/*
 * corm_queries_of_list makes the set of a call with the queries of a list, of
 * CormNode.  Their values may be symbols.
 */
void
corm_queries_of_list(List *nodes, CormQuerySet *set)
{
	ListCell   *lc;

	set->queries = list_length(nodes) > CORM_QUERIES_LOCAL ?
		palloc(sizeof(CormNode *) * list_length(nodes)) : set->queries_local;
	set->nqueries = list_length(nodes);
	set->shape_len = 0;
	set->has_symbols = true;
	set->nvalues = 0;
	set->values = NULL;
	foreach(lc, nodes)
	{
		const CormNode *query = lfirst(lc);

		set->queries[foreach_current_index(lc)] = query;
		set->shape_len += query->shape_len;
		set->nvalues += query->nvalues;
	}
}

/*
 * corm_rows_query makes a set of one query, an inserter with the given rows.
 */
void
corm_rows_query(Oid model, Oid rows_type, Datum rows, CormQuerySet *set)
{
	CormWriter	w;

	corm_writer_init(&w);
	corm_write_tag(&w, CORM_N_INSERTER);
	corm_write_oid(&w, model);
	corm_write_tag(&w, CORM_N_ROWS);
	corm_write_value(&w, rows_type, -1, false, rows);
	corm_queries_of_node(corm_writer_finish(&w, CORM_KIND_QUERY), set);
}

/*
 * corm_queries_copy copies a set.  The copy has values of its own, which the caller may
 * change, and room for nextra more.
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
 * corm_queries_read_values finds the bound values, which point into the queries.  Only
 * the first call for a set has an effect.
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
		n += set->has_symbols ? corm_values_read_symbols(set->queries[i], set->values + n, set->nvalues - n) :
			corm_values_read(set->queries[i], set->values + n, set->nvalues - n);
}

/*
 * corm_queries_read_trees returns all clauses of the queries as trees, in the current
 * context.  It reads the values too, and checks them against the shapes.
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
 * corm_queries_value returns a bound value of the queries, which have been read, by its
 * number.  Raises XX001 if there is none: a query value that was tampered with may not
 * match the plan of its shape.
 */
CormValue *
corm_queries_value(CormQuerySet *set, int valno)
{
	if (valno >= set->nvalues)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid binary value of type corm.query")));
	return &set->values[valno];
}

/*
 * corm_bound_int64 returns the number of a clause like limit(): a value of the call, or
 * the constant of a stored query; absent if there is neither.  42804 if it is not an
 * integer.
 */
int64
corm_bound_int64(CormQuerySet *set, int valno, const CormValue *constant, int64 absent)
{
	if (constant == NULL)
	{
		if (valno < 0)
			return absent;
		constant = corm_queries_value(set, valno);
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
