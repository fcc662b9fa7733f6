/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Conditions on every row of a model that a query touches: corm.guard.
 *
 * A guard covers the query that it is a clause of, with all its parts:
 * subqueries, WITH queries, set operations, joins, relation predicates,
 * preloads.  Where one of these reads the model's table, we replace the table
 * by a subquery with the guard's conditions, which the planner can pull up.
 * An update or delete gets them as additional conditions.  So an outer join,
 * for example, cannot bring back rows that the guard hides.
 *
 * A guard cannot protect a table behind a view or in raw SQL.  If the query
 * does not use the model otherwise, the guard has no effect; if it does, part
 * of the query bypasses it.  Both are errors.  We parse the finished SQL and
 * check that it reads the table exactly as often as we wrote it for a known
 * range.
 *
 * Partitions and other children of the model's table contain its rows, so a
 * guard covers them, too.
 *
 * The planner may evaluate other conditions before those of a guard, and an
 * error in one of them could leak data from hidden rows.  So operators and
 * functions that can leak (see corm_operator_is_quiet) get a column of a
 * guarded range only where the guard is true: CASE WHEN guard THEN column END
 * (expr.c).  Leakproof comparisons remain plain, so that they can use indexes.
 * The same applies to outer columns in the subquery of a condition.  A query
 * in FROM or WITH that reads guarded rows is fenced, so that no conditions are
 * pushed down into it (deparse.c).  We trust the author of raw SQL and do not
 * check it for leaks.
 *
 * While a query is being resolved, the active guards are on a stack here.
 * corm_resolve empties it at the end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "base/sql_text.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "query/query.h"
#include "query/resolve/guard.h"
#include "query/resolve/names.h"
#include "query/value/walk.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(corm_guard_holds);

typedef struct Guard
{
	CormModel  *model;
	List	   *tables;			/* Oids: the model's and those that inherit
								 * from it */
	List	   *conditions;		/* of CormTree, not resolved */
	bool		check;			/* also on rows as they are written */
	bool		busy;			/* its own conditions are being resolved */
} Guard;

static List *guards = NIL;
static List *guarded_tables = NIL;	/* of all guards there have been */

/* Copies a tree, so that the copy can be resolved separately. */
static CormTree *
copy_mutator(CormTree *tree, void *context)
{
	return corm_tree_mutator(tree, copy_mutator, context);
}

/*
 * corm_guards_begin pushes the guards among a statement's clauses.  Returns
 * the previous stack, which the caller must pass to corm_guards_end.
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

		if (clause->tag != CORM_N_GUARD && clause->tag != CORM_N_GUARD_CHECK)
			continue;
		guard = palloc0(sizeof(Guard));
		guard->model = corm_model_get(clause->args[0].oid);
		guard->tables = find_all_inheritors(guard->model->table, NoLock, NULL);
		guard->conditions = clause->args[1].list;
		guard->check = clause->tag == CORM_N_GUARD_CHECK;
		guards = lcons(guard, list_copy(guards));
		guarded_tables = list_concat_unique_oid(guarded_tables, guard->tables);
	}
	return outer;
}

/*
 * corm_guards_end restores the stack.
 */
void
corm_guards_end(List *outer)
{
	guards = outer;
}

/*
 * corm_guards_reset forgets all guards.  Safe to call during error recovery.
 */
void
corm_guards_reset(void)
{
	guards = NIL;
	guarded_tables = NIL;
}

/*
 * corm_guards_tables returns the OIDs of the tables guarded in the query being
 * resolved.
 */
List *
corm_guards_tables(void)
{
	return guarded_tables;
}

/*
 * corm_guard_range adds the active guards to a range, whose model must be set.
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

		/*
		 * names mean fields of the guard's model, whatever type the rows are
		 * read as
		 */
		as_model = palloc0(sizeof(CormRange));
		as_model->name = as_model->alias = range->alias;
		as_model->model = guard->model;
		scope = palloc0(sizeof(CormStmt));
		scope->command = CORM_CMD_UPDATE;	/* a path is a subquery then, not
											 * a join */
		scope->beside = stmt;
		scope->alias_owner = stmt;
		scope->source = as_model;
		scope->ranges = list_make1(as_model);

		conditions = corm_trees_mutator(guard->conditions, copy_mutator, NULL);
		guard->busy = true;
		corm_resolve_list(scope, conditions, CORM_PLACE_INPUT);
		guard->busy = false;
		corm_guard_check_names(as_model, conditions);
		if (guard->check)
			range->checks = list_concat(range->checks, list_copy(conditions));
		range->guards = list_concat(range->guards, conditions);
		range->barrier = list_copy(range->guards);
	}
}

/* Sets the fields that checks fix and an insert of one row does not set. */
static void
fill_fixed(CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, corm_guard_fixed(stmt))
	{
		CormAssignment *fixed = lfirst(lc);
		bool		is_set = false;
		ListCell   *set;

		foreach(set, stmt->sets)
		{
			is_set |= ((CormAssignment *) lfirst(set))->field == fixed->field;
		}
		if (!is_set)
			stmt->sets = lappend(stmt->sets, fixed);
	}
}

/*
 * corm_guard_write moves the guards of the target to the conditions of the
 * write.  They do not apply to inserted rows, but to rows that an upsert
 * updates.  Checks apply to all rows that are inserted or updated, and an
 * upsert also applies them to the rows that it meets.
 */
void
corm_guard_write(CormStmt *stmt)
{
	if (stmt->command == CORM_CMD_SELECT || stmt->source == NULL)
		return;
	if (stmt->command == CORM_CMD_INSERT || (stmt->command == CORM_CMD_UPDATE && !stmt->soft))
		stmt->checks = stmt->source->checks;
	if (stmt->command == CORM_CMD_INSERT && stmt->rows == NULL)
		fill_fixed(stmt);
	if (stmt->command != CORM_CMD_INSERT)
		stmt->where = list_concat(stmt->where, stmt->source->guards);
	else if (stmt->conflict_action == CORM_CONFLICT_UPDATE || stmt->conflict_action == CORM_CONFLICT_SELECT)
		stmt->where = list_concat(stmt->where, list_difference_ptr(stmt->source->guards, stmt->checks));
	stmt->source->guards = NIL;
}

/*
 * Adds the fields that a list of conditions, which are ANDed, fixes by =.
 */
static List *
add_fixed(List *fixed, CormModel *model, List *conditions)
{
	ListCell   *lc;

	foreach(lc, conditions)
	{
		CormTree   *cond = lfirst(lc);
		CormAssignment *set;
		CormTree   *column;

		if (cond->tag == CORM_N_AND)
			fixed = add_fixed(fixed, model, cond->args[0].list);
		if (cond->tag != CORM_N_EQ || cond->args[1].node->tag != CORM_N_VALUE)
			continue;
		column = cond->args[0].node;
		if (column->tag != CORM_N_COLUMN || column->field == NULL)
			continue;
		for (int i = 0; i < model->nfields; i++)
		{
			if (strcmp(model->fields[i].column, column->field->column) != 0 || model->fields[i].generated)
				continue;
			set = palloc(sizeof(CormAssignment));
			set->field = &model->fields[i];
			set->value = cond->args[1].node;
			fixed = lappend(fixed, set);
		}
	}
	return fixed;
}

/*
 * corm_guard_fixed returns the fields, as a list of CormAssignment, that an insert must fill
 * because a check fixes them by =.
 */
List *
corm_guard_fixed(CormStmt *stmt)
{
	return stmt->checks ? add_fixed(NIL, stmt->source->model, stmt->checks) : NIL;
}

/*
 * Reads of guarded tables that were not written for a known range
 */

typedef struct ReadsContext
{
	List	   *tables;			/* guarded ones */
	List	   *views;			/* being visited */
	int			nreads;			/* of guarded tables, outside of views */
	Oid			found;			/* a guarded table in a view, or InvalidOid */
} ReadsContext;

static bool count_reads(Node *node, ReadsContext *context);

/*
 * Counts the reads in a view's query, without permission checks on its tables.
 * Skips views that are already being visited.
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
 * Walks a query tree before rewriting, with views not yet expanded.
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
 * corm_guards_check raises 0A000 if the SQL reads a guarded table in raw SQL
 * or behind a view, that is, other than for a range.  tables has each table
 * once for each range that was written for it; types are the parameter types.
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
	{
		nwritten += list_member_oid(guarded, lfirst_oid(lc)) ? 1 : 0;
	}
	(void) count_reads((Node *) query, &context);
	if (OidIsValid(context.found) || context.nreads > nwritten)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("relation \"%s\" cannot be guarded in this query",
						get_rel_name(OidIsValid(context.found) ? context.found : linitial_oid(guarded))),
				 errdetail("The query reads it %s, too.",
						   OidIsValid(context.found) ? "behind a view" : "in raw SQL")));
}

/*
 * corm_guard_holds(satisfied, model): true, or 44000.
 */
Datum
corm_guard_holds(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || !PG_GETARG_BOOL(0))
		ereport(ERROR,
				(errcode(ERRCODE_WITH_CHECK_OPTION_VIOLATION),
				 errmsg("row of model \"%s\" does not satisfy its guard",
						PG_ARGISNULL(1) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errdetail("A corm.guard_check() applies to rows as they are written.")));
	PG_RETURN_BOOL(true);
}
