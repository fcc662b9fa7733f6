/*-------------------------------------------------------------------------
 *
 * build.c
 *		The builders: corm.eq(), corm.where(), corm.order_by() and all others.
 *
 * One C function serves every builder.  On the first call at a call site it
 * looks up the node for the SQL function, and classifies each argument
 * (builder.c).  The result is cached in fn_extra.  Later calls just walk the
 * node's argument letters (build_args.c).
 *
 * Builders are immutable and strict about structure.  A NULL where a name, an
 * expression or a query is expected raises 22004: a condition that silently
 * disappears is worse than an error.
 *
 * Where a value is expected, an untyped argument must resolve to text, never
 * to a query or an expression: their text forms can do much more than a value.
 * So every function that takes "any" has a variant that takes text, which
 * PostgreSQL prefers for an unknown literal.  For the same reason, lists of
 * values are VARIADIC "any" with a VARIADIC text[] variant, and never VARIADIC
 * corm.query[].
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "query/value/builder.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(corm_build);

/*
 * Makes the Builder for a call site and stores it in fn_extra.  It is allocated
 * in fn_mcxt and lives as long as the FmgrInfo.
 */
static Builder *
init_builder(FunctionCallInfo fcinfo)
{
	const CormBuilderFunction *function = corm_builder_function(fcinfo->flinfo->fn_oid);
	Oid			argtypes[FUNC_MAX_ARGS];
	MemoryContext oldcontext;

	if (function == NULL || function->desc == NULL)
		elog(ERROR, "function %u builds no node", fcinfo->flinfo->fn_oid);
	for (int i = 0; i < PG_NARGS(); i++)
		argtypes[i] = get_fn_expr_argtype(fcinfo->flinfo, i);
	oldcontext = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = corm_builder_make(function, PG_NARGS(), argtypes, get_fn_expr_variadic(fcinfo->flinfo));
	MemoryContextSwitchTo(oldcontext);
	return fcinfo->flinfo->fn_extra;
}

/*
 * corm_build is the C function of all builders.
 */
Datum
corm_build(PG_FUNCTION_ARGS)
{
	Builder    *b = fcinfo->flinfo->fn_extra;
	int			nargs = PG_NARGS();
	CormBuilderArg local[8];
	CormBuilderArg *args = nargs <= lengthof(local) ? local : palloc(sizeof(CormBuilderArg) * nargs);

	if (b == NULL)
		b = init_builder(fcinfo);
	for (int i = 0; i < nargs; i++)
	{
		args[i].value = fcinfo->args[i];
		args[i].elements = NULL;
	}
	PG_RETURN_POINTER(corm_builder_write(b, nargs, args));
}

PG_FUNCTION_INFO_V1(corm_pipe);
PG_FUNCTION_INFO_V1(corm_pipe_two);

/*
 * corm_pipe concatenates an array of queries.  Without arguments it returns
 * the empty query.  Raises 22004 for a NULL array or element.
 */
Datum
corm_pipe(PG_FUNCTION_ARGS)
{
	CormWriter	w;

	corm_writer_init(&w);
	if (PG_NARGS() > 0)
	{
		Datum	   *elems;
		bool	   *nulls;
		int			n;

		if (PG_ARGISNULL(0))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the queries of corm.pipe() must not be null")));
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(0)),
						  -1, false, TYPALIGN_DOUBLE, &elems, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("a query of corm.pipe() must not be null")));
			corm_write_node(&w, CormPGGetQuery(elems[i]));
		}
	}
	PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
}

/* corm_pipe_two is the operator q1 |> q2. */
Datum
corm_pipe_two(PG_FUNCTION_ARGS)
{
	CormWriter	w;

	corm_writer_init(&w);
	corm_write_node(&w, CormPGGetQuery(PG_GETARG_DATUM(0)));
	corm_write_node(&w, CormPGGetQuery(PG_GETARG_DATUM(1)));
	PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
}

PG_FUNCTION_INFO_V1(corm_value_left);

/*
 * corm_value_left implements the operators with an untyped left operand, and
 * always raises 42883.  Without these operators PostgreSQL would resolve an
 * untyped left operand as corm.expr, the type of the right one.
 */
Datum
corm_value_left(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("the operators of corm.expr take a value only on their right side"),
			 errhint("Turn the comparison around, or write corm.val() around the value.")));
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(corm_cached);

/* corm_cached(ttl, fresh): a clause for each of the two; a NULL for fresh is false. */
Datum
corm_cached(PG_FUNCTION_ARGS)
{
	CormWriter	w;

	corm_writer_init(&w);
	corm_write_tag(&w, !PG_ARGISNULL(1) && PG_GETARG_BOOL(1) ? CORM_N_CACHED_FRESH : CORM_N_CACHED);
	if (PG_ARGISNULL(0))
		corm_write_null(&w, INTERVALOID);
	else
		corm_write_value(&w, INTERVALOID, sizeof(Interval), false, PG_GETARG_DATUM(0));
	PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
}
