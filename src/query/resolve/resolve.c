/*-------------------------------------------------------------------------
 *
 * resolve.c
 *		From a list of clauses to a statement whose names are bound.
 *
 * Clauses can be in any order.  clauses.c puts each in its place in a
 * CormStmt.  Then names.c binds names to fields of models, output columns, or
 * columns of subqueries.
 *
 * Everything is allocated in the current context.  It points to models, which
 * live until the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/relations.h"
#include "query/query.h"
#include "query/resolve/carry.h"
#include "query/resolve/conflict.h"
#include "query/resolve/field_roles.h"
#include "query/resolve/filter_check.h"
#include "query/resolve/guard.h"
#include "query/resolve/joins.h"
#include "query/resolve/keyset.h"
#include "query/resolve/names.h"
#include "query/resolve/premises.h"
#include "query/resolve/resolve.h"
#include "query/resolve/same.h"
#include "query/resolve/scopes.h"
#include "query/resolve/truth.h"
#include "query/value/filter.h"
#include "query/value/tree.h"
#include "query/value/walk.h"

static void
resolve_assignments(CormStmt *stmt, List *sets)
{
	ListCell   *lc;

	foreach(lc, sets)
	{
		corm_resolve_expr(stmt, ((CormAssignment *) lfirst(lc))->value, CORM_PLACE_INPUT);
	}
}

/*
 * Raises OR001 for a write without a condition, unless all_rows() was given.
 */
static void
check_has_where(CormStmt *stmt)
{
	if (stmt->all_rows || stmt->has_where)
		return;
	ereport(ERROR,
			(errcode(CORM_ERRCODE_MISSING_WHERE),
			 errmsg("missing where clause"),
			 errdetail("The %s of model \"%s\" would write every row.",
					   stmt->restoring ? "restore" : stmt->command == CORM_CMD_UPDATE ? "update" : "delete",
					   stmt->source->model->name),
			 errhint("Add corm.where(), or corm.all_rows() if that is meant.")));
}

/* Is there a window function in a tree, subqueries aside? */
static bool
window_walker(CormTree *tree, void *context)
{
	if (tree->tag == CORM_N_OVER || tree->tag == CORM_N_OVER_CLAUSES)
		return true;
	return !corm_tree_is(tree, CORM_IS_RELATION | CORM_IS_SUBQUERY) && corm_tree_walker(tree, window_walker, context);
}

/*
 * Raises 42601 for a query that locks rows, although its own are not rows of a table.
 * PostgreSQL's error would be 0A000, and speak of SQL.
 */
static void
check_lock(CormStmt *stmt)
{
	const char *combined;

	if (stmt->lock == CORM_N_INVALID)
		return;
	combined = stmt->distinct || stmt->distinct_on ? "distinct rows" : stmt->setops ? "a set operation" :
		corm_has_groups(stmt) ? "groups or aggregates" :
		corm_trees_walker(stmt->select, window_walker, NULL) || corm_trees_walker(stmt->order_by, window_walker, NULL) ?
		"windows" : NULL;
	if (combined)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.%s() cannot be combined with %s", stmt->lock == CORM_N_FOR_UPDATE ? "for_update" : "for_share", combined),
				 errhint("Lock the rows in a query of their own, and read that by corm.from_query().")));
}

/*
 * Checks that the clauses of an upsert are compatible, else raises 42601, and
 * looks up the index of a named constraint.
 */
static void
check_conflict(CormStmt *stmt)
{
	bool		has_key = stmt->conflict_fields || stmt->conflict_exprs;

	if (stmt->command != CORM_CMD_INSERT)
		return;
	if (stmt->conflict_action == CORM_CONFLICT_NONE &&
		(has_key || stmt->conflict_constraint || stmt->conflict_where))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.on_conflict() and corm.on_constraint() need an action"),
				 errhint("Add corm.do_nothing() or corm.do_update().")));
	if ((stmt->conflict_action == CORM_CONFLICT_UPDATE || stmt->conflict_action == CORM_CONFLICT_SELECT) &&
		!has_key && stmt->conflict_constraint == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.%s() needs to know which key decides",
						stmt->conflict_action == CORM_CONFLICT_UPDATE ? "do_update" : "do_select"),
				 errhint("Add corm.on_conflict() with the fields of the key, or corm.on_constraint().")));
	if (has_key && stmt->conflict_constraint)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.on_conflict() and corm.on_constraint() cannot be combined")));
	if (stmt->conflict_constraint)
		corm_conflict_index(stmt);
}

/*
 * corm_enclosing_stmt returns the statement that contains a statement, NULL
 * for the outermost one.
 */
CormStmt *
corm_enclosing_stmt(CormStmt *stmt)
{
	return stmt->beside ? stmt->beside : stmt->parent ? stmt->parent : stmt->alias_owner;
}

#define MAX_SCOPED_LEVELS	64

/*
 * Returns the clauses of a model's default scopes.  They may use the model
 * again, in a preload or a subquery.  Raises 42P17 for infinite recursion.
 */
static List *
default_scope_clauses(CormStmt *stmt, CormModel *model)
{
	List	   *clauses = corm_default_scope_clauses(model);
	int			levels = 0;

	if (clauses == NIL)
		return NIL;
	for (CormStmt *level = stmt; level; level = corm_enclosing_stmt(level))
		if (level->source && level->source->model == model && ++levels > MAX_SCOPED_LEVELS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("infinite recursion detected in the default scopes of model \"%s\"", model->name),
					 errhint("Add corm.unscoped() to the query that a default scope has in it.")));
	return clauses;
}

/*
 * Adds the clauses of the requested scopes and of the model's default scopes.
 * Also records how the query treats soft-deleted rows.
 */
static List *
expand_scopes(CormStmt *stmt, List *clauses)
{
	CormModel  *model = stmt->source ? stmt->source->model : NULL;
	List	   *result = list_copy(clauses);
	bool		by_default = true;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_UNSCOPED)
			stmt->unscoped = true;
		else if (clause->tag == CORM_N_NO_DEFAULT_SCOPES)
			by_default = false;
		else if (clause->tag == CORM_N_ONLY_DELETED)
		{
			if (stmt->source == NULL)
				corm_misplaced_clause(clause, "cannot be combined with a raw query");
			if (model == NULL || model->soft_delete < 0)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("model \"%s\" has no soft delete", model ? model->name : stmt->source->name),
						 errhint("Name its field with the tag \"soft_delete\" or with corm.register().")));
			stmt->only_deleted = true;
		}
		else if (clause->tag == CORM_N_SCOPE)
		{
			if (model == NULL)
				corm_misplaced_clause(clause, "needs a query over a model");
			result = list_concat(result, corm_scope_clauses(model, clause->args[0].str));
		}
	}

	/*
	 * the default scopes are always there, so they do not count as a
	 * condition
	 */
	if (stmt->command == CORM_CMD_UPDATE || stmt->command == CORM_CMD_DELETE || stmt->restoring)
		stmt->has_where = corm_has_condition(result);
	if (model && by_default && !stmt->unscoped && stmt->command != CORM_CMD_INSERT)
		result = list_concat(result, default_scope_clauses(stmt, model));
	return result;
}

static int
count_dots(const char *path)
{
	int			n = 0;

	for (const char *p = path; *p; p++)
		n += *p == '.';
	return n;
}

/*
 * Binds the names in order_by.  SQL can order a union only by its named output
 * columns, so an expression that is selected is replaced by its output column.
 */
static void
resolve_order(CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->order_by)
	{
		CormTree   *item = lfirst(lc);
		CormTree   *expr = item->tag == CORM_N_ASC || item->tag == CORM_N_DESC ? item->args[0].node : item;
		int			number;

		if (stmt->setops == NIL || corm_tree_is(expr, CORM_IS_COLUMN))
		{
			corm_resolve_expr(stmt, item, CORM_PLACE_ORDER);
			continue;
		}
		corm_resolve_expr(stmt, expr, CORM_PLACE_INPUT);
		number = corm_find_selected(stmt, expr);
		if (number < 0)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a combined query can only be ordered by the fields it returns"),
					 errhint("Select the expression, or read the combined query by corm.from_query().")));
		*expr = *corm_make_output(stmt, number);
	}
}

/*
 * Turns a preload of a path into one of its first relation with a preload of
 * the rest.
 */
static CormTree *
nest_preload(CormTree *clause)
{
	char	   *path = clause->args[0].str;
	char	   *dot = strchr(path, '.');
	CormTree   *outer;
	CormTree   *inner;

	if (dot == NULL)
		return clause;
	inner = palloc(sizeof(CormTree));
	*inner = *clause;
	inner->args[0].str = dot + 1;
	outer = corm_make_tree(CORM_N_FILTER_PRELOAD);
	outer->args[0].str = pnstrdup(path, dot - path);
	outer->args[1].list = list_make1(inner);
	return outer;
}

/*
 * Merges a preload of an untrusted filter with the query's own preload of the
 * same relation; the result has the clauses of both, in order.  Raises OR020
 * if the source has no relations, or if the query preloads the relation as a tree.
 */
static List *
merge_filter_preloads(CormStmt *stmt, List *preloads)
{
	List	   *merged = NIL;
	bool		any = false;
	ListCell   *lc;

	foreach(lc, preloads)
	{
		any |= ((CormTree *) lfirst(lc))->tag == CORM_N_FILTER_PRELOAD;
	}
	if (!any)
		return preloads;
	if (stmt->source == NULL || stmt->source->model == NULL || stmt->setops || (stmt->distinct && stmt->select))
		corm_bad_filter("\"preload\" does not apply to this query.");

	foreach(lc, preloads)
	{
		bool		from_filter = ((CormTree *) lfirst(lc))->tag == CORM_N_FILTER_PRELOAD;
		CormTree   *clause = nest_preload(lfirst(lc));
		CormRelation *relation = from_filter ?
			corm_filter_relation(stmt->source->model, clause->args[0].str) :
			corm_model_relation(stmt->source->model, clause->args[0].str);
		bool		found = false;
		ListCell   *other;

		if (from_filter)
			corm_check_filter_preload(stmt, relation);
		foreach(other, stmt->preload_trees)
		{
			CormTree   *tree = lfirst(other);

			if (from_filter && corm_model_relation(stmt->source->model, tree->args[0].str) == relation)
				corm_bad_filter(psprintf("Relation \"%s\" is preloaded as a tree.", relation->name));
		}
		foreach(other, merged)
		{
			CormTree   *first = lfirst(other);
			CormTree   *both;

			if ((clause->tag != CORM_N_FILTER_PRELOAD && first->tag != CORM_N_FILTER_PRELOAD) ||
				corm_model_relation(stmt->source->model, first->args[0].str) != relation)
				continue;
			both = palloc(sizeof(CormTree));
			*both = *first;
			both->args[1].list = list_concat_copy(first->args[1].list, clause->args[1].list);
			lfirst(other) = both;
			found = true;
			break;
		}
		if (!found)
			merged = lappend(merged, clause);
	}
	return merged;
}

/*
 * Returns a field that a filter from outside may use as an element of a select
 * list, NULL if it may not: then it is left out.  So is one that is not there,
 * if all fields are meant; else its name raises 42703 when it is bound.
 */
static CormTree *
fenced_item(CormStmt *stmt, char *name, bool all)
{
	CormTree   *item = corm_make_tree(CORM_N_FILTER_COLUMN);
	CormTree	probe = *item;
	CormField  *field;

	item->args[0].str = name;
	item->own = true;
	if (!corm_range_column(stmt->source, &probe, name))
		return all ? NULL : item;
	field = corm_column_field(&probe);
	return field && !field->filterable ? NULL : item;
}

/*
 * Gives a statement without a select list that of its fence.  Raises 42601 if
 * it combines queries, which must have the same columns.
 */
static void
select_fenced(CormStmt *stmt)
{
	bool		reads = stmt->command == CORM_CMD_SELECT;
	List	   *items = NIL;
	List	   *names = stmt->fenced_fields;
	bool		all = names != NIL && strcmp(linitial(names), "*") == 0;
	ListCell   *lc;

	if (reads ? stmt->select != NIL : stmt->returning != NIL)
		return;
	if (stmt->setops)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a filter cannot choose the fields of a combined query"),
				 errhint("Add corm.select() with the fields that are to be shown.")));
	if (all)
	{
		names = stmt->source->model ? NIL : stmt->source->columns;
		for (int i = 0; stmt->source->model && i < stmt->source->model->nfields; i++)
			names = lappend(names, stmt->source->model->fields[i].name);
	}
	foreach(lc, names)
	{
		CormTree   *item = fenced_item(stmt, lfirst(lc), all);

		if (item)
			items = lappend(items, item);
	}
	stmt->shows_nothing = items == NIL;
	if (reads)
		stmt->select = items;
	else
		stmt->returning = items;
}

/*
 * Builds a statement from clauses.  parent is the outer query, whose rows it
 * can refer to.  beside is a statement that it is part of, but of which only
 * WITH queries are visible.  related: the clauses have no source; the rows are
 * those of the target of this relation.  restoring: the statement will become
 * the update of a restore.
 */
static CormStmt *
resolve_stmt(List *clauses, Oid default_model, CormRelation *related, CormStmt *parent, CormStmt *beside,
			 bool restoring)
{
	CormStmt   *stmt = palloc0(sizeof(CormStmt));
	List	   *outer_guards = corm_guards_begin(clauses);
	CormTree   *source = NULL;
	List	   *preloads = NIL;
	ListCell   *lc;

	check_stack_depth();
	stmt->command = CORM_CMD_SELECT;
	stmt->parent = parent;
	stmt->beside = beside;
	stmt->restoring = restoring;

	/* WITH queries first: a source may be one of them; then the source */
	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_WITH || clause->tag == CORM_N_WITH_RECURSIVE)
			corm_place_clause(stmt, clause, &preloads);
		else if (corm_tree_is(clause, CORM_IS_SOURCE))
		{
			if (source)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("query has more than one source"),
						 source->desc == clause->desc ?
						 errdetail("Function corm.%s() was given twice.", clause->desc->func) :
						 errdetail("Both corm.%s() and corm.%s() were given.",
								   source->desc->func, clause->desc->func)));
			source = clause;
		}
	}
	if (related)
		stmt->source = corm_add_related_range(stmt, related);
	else
		corm_resolve_source(stmt, source, default_model);
	clauses = expand_scopes(stmt, clauses);

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause != source && clause->tag != CORM_N_WITH && clause->tag != CORM_N_WITH_RECURSIVE)
			corm_place_clause(stmt, clause, &preloads);
	}
	if (stmt->command == CORM_CMD_RAW)
	{
		if (stmt->ctes)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.with() cannot be combined with a raw query"),
					 errhint("Write WITH in the raw SQL.")));
		corm_guards_end(outer_guards);
		return stmt;
	}

	/* all ranges are known now: bind the names */
	for (int i = 0; i < list_length(stmt->joins); i++)
	{
		CormJoin   *join = list_nth(stmt->joins, i);
		int			njoins = list_length(stmt->joins);

		if (join->condition == NULL)
			continue;
		corm_resolve_expr(stmt, join->condition, CORM_PLACE_INPUT);
		/* what a path in the condition joins must come before it */
		for (int added = njoins; added < list_length(stmt->joins); added++)
		{
			CormJoin   *path = list_nth(stmt->joins, added);

			stmt->joins = list_delete_nth_cell(stmt->joins, added);
			stmt->joins = list_insert_nth(stmt->joins, i++, path);
		}
	}
	stmt->select = corm_expand_stars(stmt, stmt->select);
	if (stmt->fenced)
		select_fenced(stmt);
	corm_resolve_list(stmt, stmt->select, CORM_PLACE_INPUT);
	stmt->select = corm_filter_select(stmt->select);
	corm_resolve_list(stmt, stmt->distinct_on, CORM_PLACE_OUTPUT);
	corm_resolve_list(stmt, stmt->where, CORM_PLACE_INPUT);
	corm_resolve_list(stmt, stmt->group_by, CORM_PLACE_OUTPUT);
	corm_resolve_list(stmt, stmt->having, CORM_PLACE_OUTPUT);
	resolve_order(stmt);
	foreach(lc, stmt->order_by)
	{
		corm_check_filter_order(lfirst(lc));
	}
	stmt->returning = corm_expand_stars(stmt, stmt->returning);
	corm_resolve_list(stmt, stmt->returning, CORM_PLACE_INPUT);
	resolve_assignments(stmt, stmt->sets);
	resolve_assignments(stmt, stmt->update_sets);
	if (stmt->conflict_where)
		corm_resolve_expr(stmt, stmt->conflict_where, CORM_PLACE_INPUT);
	if (stmt->limit == NULL && stmt->command == CORM_CMD_SELECT && !stmt->restoring)
		stmt->limit = stmt->default_limit;
	else
		stmt->default_limit = NULL;
	if (stmt->limit)
		corm_resolve_expr(stmt, stmt->limit, CORM_PLACE_INPUT);
	if (stmt->offset)
		corm_resolve_expr(stmt, stmt->offset, CORM_PLACE_INPUT);

	corm_unify_expressions(stmt);
	corm_check_filter_grouping(stmt);
	check_lock(stmt);

	check_conflict(stmt);
	if (stmt->command == CORM_CMD_UPDATE && stmt->sets == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("update of model \"%s\" sets nothing", stmt->source->model->name),
				 errhint("Add corm.set().")));
	if (stmt->command == CORM_CMD_UPDATE || stmt->command == CORM_CMD_DELETE)
		check_has_where(stmt);
	corm_apply_roles(stmt);

	preloads = merge_filter_preloads(stmt, preloads);
	/* shorter paths first, so that a step of a longer one has its own clauses */
	for (int depth = 0; preloads; depth++)
	{
		foreach(lc, preloads)
		{
			CormTree   *clause = lfirst(lc);

			if (count_dots(clause->args[0].str) != depth)
				continue;
			corm_add_preload(stmt, clause->args[0].str, clause->args[1].list);
			preloads = foreach_delete_current(preloads, lc);
		}
	}
	foreach(lc, stmt->preload_trees)
	{
		corm_add_preload_tree(stmt, lfirst(lc));
	}
	if (stmt->cursor)
		corm_apply_cursor(stmt);
	corm_guard_write(stmt);
	corm_guards_end(outer_guards);
	return stmt;
}

/*
 * corm_resolve_stmt builds a statement from clauses.  parent is the outer
 * query, whose rows it can refer to, or NULL.
 */
CormStmt *
corm_resolve_stmt(List *clauses, Oid default_model, CormStmt *parent)
{
	return resolve_stmt(clauses, default_model, NULL, parent, NULL, false);
}

/*
 * corm_resolve_part builds a statement in the FROM clause of another one, or
 * in a set operation with it.  Raises 42601 for one that writes.
 */
CormStmt *
corm_resolve_part(List *clauses, CormStmt *stmt)
{
	CormStmt   *part = resolve_stmt(clauses, InvalidOid, NULL, stmt->parent, stmt, false);

	if (part->command != CORM_CMD_SELECT && part->command != CORM_CMD_RAW)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a part of a query must be a query that reads"),
				 errhint("Name the query that writes by corm.with(), and read its rows by corm.from_cte().")));
	return part;
}

/*
 * corm_resolve_related builds a statement over the target of a relation, from
 * clauses without a source.  The caller adds the condition that its rows are
 * related to one of parent's.
 */
CormStmt *
corm_resolve_related(List *clauses, CormRelation *relation, CormStmt *parent)
{
	return resolve_stmt(clauses, InvalidOid, relation, parent, NULL, false);
}

/*
 * Builds a statement that is not part of another one, with its premises.
 * Restores the callers' guards and premises, also on error.
 */
static CormStmt *
resolve_whole(List *clauses, Oid default_model, bool restoring)
{
	CormStmt   *volatile stmt = NULL;
	List	   *outer = corm_premises_begin();
	List	   *volatile premises = NIL;

	PG_TRY();
	{
		stmt = resolve_stmt(clauses, default_model, NULL, NULL, NULL, restoring);
		stmt->guarded = corm_guards_tables();
		corm_carry_keys(stmt);
	}
	PG_FINALLY();
	{
		premises = corm_premises_end(outer);
		corm_guards_reset();
	}
	PG_END_TRY();
	stmt->premises = premises;
	return stmt;
}

/*
 * corm_resolve builds a statement from clauses.  default_model is the source
 * of a query without one, or InvalidOid.  Raises 42703 or 42P01 for unknown
 * names, 42601 for incompatible clauses, OR001 for a write without a
 * condition, OR012 for a write of a field that cannot be written.
 */
CormStmt *
corm_resolve(List *clauses, Oid default_model)
{
	return resolve_whole(clauses, default_model, false);
}

/*
 * corm_resolve_restore builds the update that undoes the soft delete of a
 * query's rows.  Raises OR001 without a condition, as for other writes.
 */
CormStmt *
corm_resolve_restore(List *clauses, Oid default_model)
{
	CormStmt   *stmt = resolve_whole(lappend(clauses, corm_make_tree(CORM_N_ONLY_DELETED)),
									 default_model, true);

	corm_make_restore(stmt);
	check_has_where(stmt);
	return stmt;
}
