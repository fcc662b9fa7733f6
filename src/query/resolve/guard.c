/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Conditions on every row of a model that a query touches: corm.guard.
 *
 * A guard holds for the query that it is a clause of and all that is part of
 * it: subqueries, WITH queries, set operations, joins, relation predicates,
 * preloads.  Wherever one of these reads the model's table, a subquery that
 * has the conditions stands in its place, which PostgreSQL's planner merges
 * with what is around it; an update or delete of the table has them among its
 * conditions.  So an outer join, for example, cannot bring back rows that the
 * guard keeps away.
 *
 * A guard can do nothing about a table that occurs behind a view or in raw SQL.
 * If its model does not occur in the query by name either, it would guard
 * nothing; if it does, the rest of the query would pass it by.  Both are errors:
 * the finished SQL is parsed, and has to read the table just as often as it was
 * written for a range that is known here.
 *
 * Partitions and other tables that inherit from the model's hold rows of it,
 * so a guard holds for them too.
 *
 * The planner may evaluate other conditions before those of a guard, and an
 * error of one would tell about rows that the guard keeps away.  So a column
 * of a guarded range is shown to operators and functions that could tell
 * (corm_operator_is_quiet) only where the guard holds: CASE WHEN guard THEN
 * column END (expr.c).  Comparisons that cannot tell are left as they are, for
 * indexes.  The same holds for what the subquery of a condition makes of columns
 * of the queries around it; and a query that reads guarded rows and stands in
 * FROM or WITH is fenced, so that conditions are not moved into it (deparse.c).
 * Raw SQL, whose author is trusted, is not looked into.
 *
 * While a query is being resolved, the guards that hold are a stack here;
 * corm_resolve empties it when all is done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "query/query.h"
#include "query/resolve/guard.h"
#include "query/resolve/names.h"
#include "query/value/walk.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct Guard
{
	CormModel  *model;
	List	   *tables;			/* Oids: the model's and those that inherit from it */
	List	   *conditions;		/* of CormTree, not resolved */
	bool		used;
	bool		busy;			/* its own conditions are being resolved */
} Guard;

static List *guards = NIL;
static List *guarded_tables = NIL;	/* of all guards there have been */

/* A copy to be resolved by itself. */
static CormTree *
copy_mutator(CormTree *tree, void *context)
{
	return corm_tree_mutator(tree, copy_mutator, context);
}

/*
 * corm_guards_begin lets the guards among a statement's clauses hold, and
 * returns what corm_guards_end wants.
 */
List *
corm_guards_begin(List *clauses)
{
	List	   *outer = guards;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);
		Guard	   *guard;

		if (clause->tag != CORM_N_GUARD)
			continue;
		guard = palloc0(sizeof(Guard));
		guard->model = corm_model_get(clause->args[0].oid);
		guard->tables = find_all_inheritors(guard->model->table, NoLock, NULL);
		guard->conditions = clause->args[1].list;
		guards = lcons(guard, list_copy(guards));
		guarded_tables = list_concat_unique_oid(guarded_tables, guard->tables);
	}
	return outer;
}

/*
 * corm_guards_end ends that; 0A000 if one of them has guarded nothing.
 */
void
corm_guards_end(List *outer)
{
	int			n = list_length(guards) - list_length(outer);

	for (int i = 0; i < n; i++)
	{
		Guard	   *guard = list_nth(guards, i);

		if (!guard->used)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("model \"%s\" cannot be guarded in this query", guard->model->name),
					 errdetail("The query does not name it.")));
	}
	guards = outer;
}

/* corm_guards_reset forgets all guards; it may be called while an error passes by. */
void
corm_guards_reset(void)
{
	guards = NIL;
	guarded_tables = NIL;
}

/*
 * corm_guards_tables returns the tables that the guards of the query which is
 * being resolved are about, as Oids.
 */
List *
corm_guards_tables(void)
{
	return guarded_tables;
}

/*
 * corm_guard_range puts the guards that hold on a range whose model is set.
 */
void
corm_guard_range(CormStmt *stmt, CormRange *range)
{
	ListCell   *lc;

	foreach(lc, guards)
	{
		Guard	   *guard = lfirst(lc);
		CormRange  *as_model;
		CormStmt   *scope;
		List	   *conditions;

		if (guard->busy || !list_member_oid(guard->tables, range->model->table))
			continue;

		/* names mean fields of the guard's model, whatever type the rows are read as */
		as_model = palloc0(sizeof(CormRange));
		as_model->name = as_model->alias = range->alias;
		as_model->model = guard->model;
		scope = palloc0(sizeof(CormStmt));
		scope->command = CORM_CMD_UPDATE;	/* a path is a subquery then, not a join */
		scope->beside = stmt;
		scope->alias_owner = stmt;
		scope->source = as_model;
		scope->ranges = list_make1(as_model);

		conditions = corm_trees_mutator(guard->conditions, copy_mutator, NULL);
		guard->busy = true;
		corm_resolve_list(scope, conditions, CORM_PLACE_INPUT);
		guard->busy = false;
		corm_guard_check_names(as_model, conditions);
		guard->used = true;
		range->guards = list_concat(range->guards, conditions);
		range->barrier = list_copy(range->guards);
	}
}

/*
 * corm_guard_write moves the guards of what is written to the conditions of
 * the write.  Rows that are inserted are not looked at, those that an insert
 * updates are.
 */
void
corm_guard_write(CormStmt *stmt)
{
	if (stmt->command == CORM_CMD_SELECT || stmt->source == NULL)
		return;
	if (stmt->command != CORM_CMD_INSERT || stmt->conflict_action == CORM_CONFLICT_UPDATE ||
		stmt->conflict_action == CORM_CONFLICT_SELECT)
		stmt->where = list_concat(stmt->where, stmt->source->guards);
	stmt->source->guards = NIL;
}

/*
 * What the SQL reads besides what was written for a known range
 */

typedef struct ReadsContext
{
	List	   *tables;			/* guarded ones */
	List	   *views;			/* being looked into */
	int			nreads;			/* of guarded tables, outside of views */
	Oid			found;			/* a guarded table in a view, or InvalidOid */
} ReadsContext;

static bool count_reads(Node *node, ReadsContext *context);

/*
 * Counts what the query behind a view reads, without asking for rights on its
 * tables.  A view that is being looked into already is not looked into again.
 */
static void
look_into_view(Oid view, ReadsContext *context)
{
	Relation	rel;

	check_stack_depth();
	if (list_member_oid(context->views, view))
		return;
	rel = table_open(view, AccessShareLock);
	context->views = lcons_oid(view, context->views);
	(void) count_reads((Node *) get_view_query(rel), context);
	context->views = list_delete_first(context->views);
	table_close(rel, NoLock);
}

/*
 * Walks a query as it is written, that is before views are put in.
 */
static bool
count_reads(Node *node, ReadsContext *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		/* EXCLUDED passes for a composite type */
		if (rte->rtekind != RTE_RELATION || rte->relkind == RELKIND_COMPOSITE_TYPE)
			return false;
		/* a view's own query mentions the view itself, up to PostgreSQL 15 */
		if (list_member_oid(context->views, rte->relid))
			return false;
		if (list_member_oid(context->tables, rte->relid))
		{
			if (context->views == NIL)
				context->nreads++;
			else
				context->found = rte->relid;
		}
		if (rte->relkind == RELKIND_VIEW)
			look_into_view(rte->relid, context);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, count_reads, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, count_reads, context);
}

/*
 * corm_guards_check raises 0A000 if SQL reads one of the guarded tables
 * anywhere but where it was written for a range: in raw SQL, or behind a view.
 * tables are those that it was written for, as often as it was; types are those
 * of its parameters.
 */
void
corm_guards_check(List *guarded, const char *sql, List *tables, const Oid *types, int ntypes)
{
	ReadsContext context = {.tables = guarded};
	ErrorContextCallback callback;
	Query	   *query;
	int			nwritten = 0;
	ListCell   *lc;

	if (guarded == NIL)
		return;
	corm_push_sql_errors(&callback, sql);
	query = parse_analyze_fixedparams(linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT)),
									  sql, types, ntypes, NULL);
	error_context_stack = callback.previous;

	foreach(lc, tables)
		nwritten += list_member_oid(guarded, lfirst_oid(lc)) ? 1 : 0;
	(void) count_reads((Node *) query, &context);
	if (OidIsValid(context.found) || context.nreads > nwritten)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("relation \"%s\" cannot be guarded in this query",
						get_rel_name(OidIsValid(context.found) ? context.found : linitial_oid(guarded))),
				 errdetail("The query reads it %s, too.",
						   OidIsValid(context.found) ? "behind a view" : "in raw SQL")));
}
