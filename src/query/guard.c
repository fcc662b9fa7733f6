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
 * conditions.  So outer joins and the like cannot bring rows back that the
 * guard keeps away.
 *
 * A guard whose model does not occur in the query by name, but behind a view
 * or in raw SQL, would guard nothing: that is an error.
 *
 * While a query is being resolved, the guards that hold are a stack here;
 * corm_resolve empties it when all is done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "query/query.h"

typedef struct Guard
{
	CormModel  *model;
	List	   *conditions;		/* of CormTree, not resolved */
	bool		used;
	bool		busy;			/* its own conditions are being resolved */
} Guard;

static List *guards = NIL;

static CormTree *copy_tree(const CormTree *tree);

static List *
copy_trees(const List *list)
{
	List	   *copy = NIL;
	ListCell   *lc;

	foreach(lc, list)
		copy = lappend(copy, copy_tree(lfirst(lc)));
	return copy;
}

/* A copy to be resolved by itself. */
static CormTree *
copy_tree(const CormTree *tree)
{
	CormTree   *copy = palloc(sizeof(CormTree));

	*copy = *tree;
	if (tree->tag == CORM_N_VALUE)
		return copy;
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		if (tree->args[i].node)
			copy->args[i].node = copy_tree(tree->args[i].node);
		/* a list of names holds no trees */
		if (tree->desc->args[i] != 'N')
			copy->args[i].list = copy_trees(tree->args[i].list);
	}
	return copy;
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
		guard->conditions = clause->args[1].list;
		guards = lcons(guard, list_copy(guards));
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

		if (guard->busy ||
			(guard->model->relid != range->model->relid && guard->model->relid != range->model->table))
			continue;

		/* names mean fields of the guard's model, whatever type the rows are read as */
		as_model = palloc0(sizeof(CormRange));
		as_model->name = as_model->alias = range->alias;
		as_model->model = guard->model;
		scope = palloc0(sizeof(CormStmt));
		scope->command = CORM_CMD_UPDATE;	/* a path is a subquery then, not a join */
		scope->beside = stmt;
		scope->source = as_model;
		scope->ranges = list_make1(as_model);

		conditions = copy_trees(guard->conditions);
		guard->busy = true;
		corm_resolve_list(scope, conditions, CORM_PLACE_INPUT);
		guard->busy = false;
		guard->used = true;
		range->guards = list_concat(range->guards, conditions);
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
	if (stmt->command != CORM_CMD_INSERT || stmt->conflict_action == CORM_CONFLICT_UPDATE)
		stmt->where = list_concat(stmt->where, stmt->source->guards);
	stmt->source->guards = NIL;
}
