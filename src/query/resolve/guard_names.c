/*-------------------------------------------------------------------------
 *
 * guard_names.c
 *		Names in the raw SQL and function calls of a guard.
 *
 * Usually a middleware adds a guard to queries of other roles.  Its names are
 * looked up in the session of the role that it restricts.  That role must not
 * be able to substitute a function, operator or table by planting one in a
 * schema of its search_path.  So unqualified names in a guard mean those of
 * pg_catalog.  If the search_path gives a name another meaning, or pg_catalog
 * has no such name, the query fails; it never runs without the guard.
 *
 * We compare names of functions, types and tables one by one.  For operators,
 * we analyze the raw SQL twice, with the current search_path and with
 * pg_catalog alone.  Both must give the same result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/sql_text.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_type.h"
#include "query/query.h"
#include "query/resolve/guard.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

typedef struct NamesContext
{
	const char *model;			/* that is guarded */
	List	   *ctes;			/* of char *: names that are no tables */
	List	   *ranges;			/* what names of columns may mean */
} NamesContext;

/*
 * unqualified raises the error for a name.
 */
static void
unqualified(const NamesContext *context, const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("%s name \"%s\" in a guard of model \"%s\" must be qualified",
					what, name, context->model),
			 errdetail("Without a schema it can have another meaning in each session."),
			 errhint("Write the schema before all names in a guard that are not those of pg_catalog.")));
}

/*
 * check_function raises an error if a name without a schema finds functions
 * outside of pg_catalog.
 */
static void
check_function(const NamesContext *context, const char *name)
{
	FuncCandidateList candidates = FuncnameGetCandidates(list_make1(makeString(pstrdup(name))), -1, NIL,
														 false, false, false, true);

	for (; candidates != NULL; candidates = candidates->next)
	{
		if (get_func_namespace(candidates->oid) != PG_CATALOG_NAMESPACE)
			unqualified(context, "function", name);
	}
}

/*
 * check_type raises an error if a name without a schema is not that of a type
 * of pg_catalog.
 */
static void
check_type(const NamesContext *context, const TypeName *name)
{
	Oid			typid = LookupTypeNameOid(NULL, name, true);
	HeapTuple	tuple = OidIsValid(typid) ? SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid)) : NULL;
	bool		builtin = false;

	if (HeapTupleIsValid(tuple))
	{
		builtin = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace == PG_CATALOG_NAMESPACE;
		ReleaseSysCache(tuple);
	}
	if (!builtin)
		unqualified(context, "type", strVal(linitial(name->names)));
}

/*
 * add_ctes adds the names of WITH queries.
 */
static void
add_ctes(NamesContext *context, WithClause *with)
{
	ListCell   *lc;

	foreach(lc, with->ctes)
	{
		context->ctes = lappend(context->ctes, lfirst_node(CommonTableExpr, lc)->ctename);
	}
}

/*
 * walk_names checks the names in a raw parse tree.
 */
static bool
walk_names(Node *node, void *arg)
{
	NamesContext *context = arg;

	CHECK_FOR_INTERRUPTS();
	if (node == NULL)
		return false;
	if (IsA(node, FuncCall))
	{
		FuncCall   *call = (FuncCall *) node;

		if (list_length(call->funcname) == 1)
			check_function(context, strVal(linitial(call->funcname)));
	}
	else if (IsA(node, TypeName))
	{
		TypeName   *name = (TypeName *) node;

		if (list_length(name->names) == 1)
			check_type(context, name);
	}
	else if (IsA(node, WithClause))
		add_ctes(context, (WithClause *) node);
	else if (IsA(node, RangeVar))
	{
		RangeVar   *range = (RangeVar *) node;
		ListCell   *lc;

		if (range->schemaname == NULL)
		{
			foreach(lc, context->ctes)
			{
				if (strcmp(lfirst(lc), range->relname) == 0)
					return false;
			}
			unqualified(context, "table", range->relname);
		}
	}
	else if (IsA(node, SelectStmt) && ((SelectStmt *) node)->withClause)
	{
		/* The tree may have uses before the WITH clause. */
		add_ctes(context, ((SelectStmt *) node)->withClause);
	}
	return raw_expression_tree_walker(node, walk_names, arg);
}

/*
 * path_error_callback adds context to errors in the analysis with pg_catalog
 * alone.
 */
static void
path_error_callback(void *arg)
{
	errcontext("guard of model \"%s\", whose names are looked up in pg_catalog", (char *) arg);
	errhint("Write the schema before all names in a guard that are not those of pg_catalog.");
}

/*
 * analyze returns the analyzed query for an SQL text with parameters of the
 * given types.  PostgreSQL fills in unknown types.
 */
static Query *
analyze(const char *sql, int ntypes, const Oid *types)
{
	Oid		   *copy = palloc(sizeof(Oid) * Max(ntypes, 1));
	int			n = ntypes;
	ErrorContextCallback callback;
	Query	   *query;

	memcpy(copy, types, sizeof(Oid) * ntypes);
	corm_push_sql_errors(&callback, sql);
	query = parse_analyze_varparams(linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT)),
									sql, &copy, &n, NULL);
	error_context_stack = callback.previous;
	return query;
}

/*
 * check_sql raises an error unless the unqualified names in a piece of raw SQL
 * mean what they mean in pg_catalog.  format makes an expression of it; it may
 * use columns of the ranges, and args are its parameters.
 */
static void
check_sql(const NamesContext *context, List *ranges, const char *format, const char *text, List *args)
{
	NamesContext names = *context;
	StringInfoData sql;
	Oid		   *types = palloc(sizeof(Oid) * Max(list_length(args), 1));
	int			ntypes = 0;
	int			nestlevel;
	ErrorContextCallback callback;
	Query	   *as_is;
	Query	   *as_meant;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	appendStringInfo(&sql, format, text);
	(void) walk_names(linitial_node(RawStmt, raw_parser(sql.data, RAW_PARSE_DEFAULT))->stmt, &names);

	foreach(lc, ranges)
	{
		CormRange  *range = lfirst(lc);

		appendStringInfo(&sql, "%s%s AS %s", lc == list_head(ranges) ? " FROM " : ", ",
						 quote_qualified_identifier(range->model->table_schema, range->model->table_name),
						 quote_identifier(range->alias));
	}
	foreach(lc, args)
	{
		CormTree   *tree = lfirst(lc);
		Oid			typid = tree->tag == CORM_N_VALUE ? tree->typid :
			tree->tag == CORM_N_COLUMN && tree->field ? tree->field->typid : InvalidOid;

		types[ntypes++] = typid == UNKNOWNOID ? InvalidOid : typid;
	}

	as_is = analyze(sql.data, ntypes, types);

	callback.callback = path_error_callback;
	callback.arg = unconstify(char *, context->model);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	nestlevel = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	as_meant = analyze(sql.data, ntypes, types);
	AtEOXact_GUC(true, nestlevel);
	error_context_stack = callback.previous;

	if (!equal(as_is->targetList, as_meant->targetList))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("names in a guard of model \"%s\" depend on search_path", context->model),
				 errdetail("The SQL is \"%s\".", text),
				 errhint("Write the schema before all names in a guard that are not those of pg_catalog.")));
}

/*
 * with_ranges returns the model ranges of a subquery, and those outer ranges
 * whose names it does not hide.
 */
static List *
with_ranges(const CormStmt *stmt, List *outer)
{
	List	   *ranges = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, stmt->ranges)
	{
		if (((CormRange *) lfirst(lc))->model)
			ranges = lappend(ranges, lfirst(lc));
	}
	foreach(lc, outer)
	{
		CormRange  *range = lfirst(lc);
		bool		hidden = false;

		foreach(lc2, ranges)
		{
			hidden |= strcmp(((CormRange *) lfirst(lc2))->alias, range->alias) == 0;
		}
		if (!hidden)
			ranges = lappend(ranges, range);
	}
	return ranges;
}

/* Checks the names in a condition; context is a NamesContext. */
static bool
names_walker(CormTree *tree, void *context)
{
	NamesContext *names = context;
	List	   *outer = names->ranges;

	if (tree->tag == CORM_N_RAW)
		check_sql(names, outer, "(%s)", tree->args[0].str, tree->args[1].list);
	else if (tree->tag == CORM_N_RAW_QUERY)
		check_sql(names, outer, "EXISTS (%s)", tree->args[0].str, tree->args[1].list);
	else if (tree->tag == CORM_N_FN && strchr(tree->args[0].str, '.') == NULL)
		check_function(names, tree->args[0].str);

	if (tree->query)
		names->ranges = with_ranges(tree->query, outer);
	(void) corm_tree_walker(tree, names_walker, names);
	names->ranges = outer;
	return false;
}

/*
 * corm_guard_check_names raises 42P17 if a name in a guard's conditions
 * depends on the search_path.  The conditions must be resolved.  PostgreSQL's
 * errors for unknown names are passed on.
 */
void
corm_guard_check_names(CormRange *range, List *conditions)
{
	NamesContext context = {.model = range->model->name, .ranges = list_make1(range)};

	(void) corm_trees_walker(conditions, names_walker, &context);
}
