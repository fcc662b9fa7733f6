/*-------------------------------------------------------------------------
 *
 * guard_names.c
 *		Names in the raw SQL and function calls of a guard.
 *
 * A guard is put on the queries of others, by a middleware most often.  What
 * it consists of is looked up in the session of whom it guards against: a
 * function, an operator or a table that this role has planted in a schema of
 * its search_path must not take the place of the one that is meant.  So names
 * in a guard that are not qualified mean what they mean in pg_catalog.  Where
 * the search_path gives them another meaning, or they mean nothing there, the
 * query is an error and not a query without the guard.
 *
 * Names of functions, types and tables are compared one by one.  For the rest,
 * which is operators, the raw SQL is analyzed twice, once as it will be and
 * once with pg_catalog alone in the search_path, and must be the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
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
		context->ctes = lappend(context->ctes, lfirst_node(CommonTableExpr, lc)->ctename);
}

/*
 * walk_names looks at the names in SQL that has been parsed.
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
		/* Their use may come before them in the tree. */
		add_ctes(context, ((SelectStmt *) node)->withClause);
	}
	return raw_expression_tree_walker(node, walk_names, arg);
}

/*
 * path_error_callback tells of an error in the analysis with pg_catalog alone.
 */
static void
path_error_callback(void *arg)
{
	errcontext("guard of model \"%s\", whose names are looked up in pg_catalog", (char *) arg);
	errhint("Write the schema before all names in a guard that are not those of pg_catalog.");
}

/*
 * analyze returns what PostgreSQL makes of an SQL text whose parameters have
 * the given types, of which it finds the unknown ones.
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
 * with_ranges returns the ranges of a subquery that are models, and those
 * around it that have no other name.
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
			hidden |= strcmp(((CormRange *) lfirst(lc2))->alias, range->alias) == 0;
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
 * corm_guard_check_names raises 42P17 if names in the conditions of a guard,
 * which are resolved, depend on the search_path, and what PostgreSQL raises
 * for those that do not exist.
 */
void
corm_guard_check_names(CormRange *range, List *conditions)
{
	NamesContext context = {.model = range->model->name, .ranges = list_make1(range)};

	(void) corm_trees_walker(conditions, names_walker, &context);
}
