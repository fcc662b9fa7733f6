/*-------------------------------------------------------------------------
 *
 * joins.c
 *		Relations in a statement: joins, paths, predicates, preloads.
 *
 * A path through to-one relations ('author.country.name') becomes one LEFT
 * JOIN per step, shared by all uses of the path.  The planner reduces it to an
 * inner join where a condition rejects NULLs.  The target of a write cannot be
 * outer-joined, so there the path becomes a scalar subquery.  A path through a
 * to-many relation would multiply rows.  It is an error unless the relation is
 * joined explicitly.
 *
 * some, every and none become correlated EXISTS, so a parent appears once for
 * any number of matching children.  every is NOT EXISTS of a child for which
 * the condition is not true: an unknown condition makes it false.
 *
 * A preload is a query over the target whose condition refers to the parents,
 * a range for which deparse.c writes a subquery of the parents' page.
 *
 * A declared to-one relation may use columns that are not unique.  Then joins,
 * paths, predicates and preloads all use the first row by primary key.
 *
 * Soft-deleted rows of a relation's target and link table are always excluded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/keys.h"
#include "model/relate.h"
#include "model/relations.h"
#include "query/query.h"
#include "query/resolve/guard.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/resolve.h"
#include "query/value/filter.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(corm_relate);

static bool
is_to_many(CormRelation *relation)
{
	return relation->kind == CORM_HAS_MANY || relation->kind == CORM_MANY_TO_MANY;
}

/*
 * corm_relation_meets_several returns whether a to-one relation may match
 * several rows: it is declared, and no constraint makes its columns unique.
 */
bool
corm_relation_meets_several(CormRelation *relation)
{
	CormModel  *model;
	AttrNumber *columns;
	int			nkeys = 0;

	if (is_to_many(relation) || !relation->declared)
		return false;
	model = corm_model_get(relation->target);
	columns = palloc(sizeof(AttrNumber) * Max(relation->ntarget_keys, 1));
	for (int i = 0; i < relation->ntarget_keys; i++)
		columns[i] = get_attnum(model->table, relation->target_columns[i]);
	if (corm_columns_are_unique(model->table, relation->ntarget_keys, columns))
		return false;
	/* a view's key is declared, not enforced */
	for (int i = 0; i < model->npk; i++)
		for (int j = 0; j < relation->ntarget_keys; j++)
			nkeys += strcmp(model->fields[model->pk[i]].column, relation->target_columns[j]) == 0;
	return model->npk == 0 || nkeys < model->npk;
}

/*
 * corm_key_columns returns the columns of the primary key of a range, as bound
 * trees; NIL if it has none.
 */
List *
corm_key_columns(CormRange *range)
{
	List	   *columns = NIL;

	for (int i = 0; i < range->model->npk; i++)
		columns = lappend(columns, corm_make_column(range, range->model->fields[range->model->pk[i]].column));
	return columns;
}

/*
 * corm_deleted_condition returns the condition that a range's rows are
 * soft-deleted, or are not.  A list of one, or NIL if the model has no soft
 * delete.
 */
List *
corm_deleted_condition(CormRange *range, bool deleted)
{
	CormModel  *model = range->model;
	CormTree   *column;
	CormTree   *cond;

	if (model == NULL || model->soft_delete < 0)
		return NIL;
	column = corm_make_column(range, model->fields[model->soft_delete].column);
	if (getBaseType(model->fields[model->soft_delete].typid) == BOOLOID)
	{
		/* a flag: NULL counts as not deleted */
		cond = column;
		if (!deleted)
		{
			cond = corm_make_tree(CORM_N_IS_NOT_TRUE);
			cond->args[0].node = column;
		}
		return list_make1(cond);
	}
	cond = corm_make_tree(deleted ? CORM_N_IS_NOT_NULL : CORM_N_IS_NULL);
	cond->args[0].node = column;
	return list_make1(cond);
}

/*
 * Returns the conditions that columns of two ranges are pairwise equal.
 */
static List *
pair_conditions(CormRange *left, char **left_columns, CormRange *right, char **right_columns, int n)
{
	List	   *conditions = NIL;

	for (int i = 0; i < n; i++)
	{
		CormTree   *l = corm_make_column(left, left_columns[i]);
		CormTree   *r = corm_make_column(right, right_columns[i]);

		conditions = lappend(conditions, corm_make_binary(CORM_N_EQ, l, r));
	}
	return conditions;
}

/*
 * Returns a copy of a range, named as the declared condition of a relation
 * refers to it.
 */
static CormRange *
condition_range(CormRange *range, const char *name, CormModel *model)
{
	CormRange  *copy = palloc(sizeof(CormRange));

	*copy = *range;
	copy->name = pstrdup(name);
	copy->implied = false;
	copy->model = model;
	return copy;
}

/*
 * Returns a scope for the names in a relation's declared condition.  A name
 * qualified with the table of the model, target or link table means a field of
 * that.  An unqualified name means a field of the target or, if it has none,
 * of the model.  near, target and through are the ranges of model, target and
 * link table; through is NULL if there is none.
 */
static CormStmt *
condition_scope(CormStmt *stmt, CormRelation *relation, CormRange *near, CormRange *through,
				CormRange *target)
{
	CormModel  *model = corm_model_get(relation->declared_for);
	CormStmt   *scope = palloc0(sizeof(CormStmt));

	for (CormStmt *level = stmt; level; level = corm_enclosing_stmt(level))
		if (level->condition_of == relation)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("infinite recursion detected in the condition of relation \"%s\" of model \"%s\"",
							relation->name, model->name)));
	scope->condition_of = relation;
	scope->command = CORM_CMD_UPDATE;	/* a path is a subquery then, not a
										 * join */
	scope->beside = stmt;
	scope->alias_owner = stmt;
	scope->source = condition_range(target, target->model->table_name, target->model);
	scope->ranges = list_make2(condition_range(near, model->table_name, model), scope->source);
	if (through && corm_find_range(scope, through->model->table_name, strlen(through->model->table_name)) == NULL)
		scope->ranges = lappend(scope->ranges, condition_range(through, through->model->table_name, through->model));
	return scope;
}

/*
 * Returns the declared condition of a relation: a list of one, or NIL.
 */
static List *
declared_condition(CormStmt *stmt, CormRelation *relation, CormRange *near, CormRange *through,
				   CormRange *target)
{
	CormTree   *cond;

	if (relation->condition == NULL)
		return NIL;
	cond = corm_stored_expr(relation->condition);
	corm_resolve_expr(condition_scope(stmt, relation, near, through, target), cond, CORM_PLACE_INPUT);
	return list_make1(cond);
}

/*
 * corm_condition_column returns the field that a name in a relation's declared
 * condition means, and in *side which of the rows has it.  NULL for a field at
 * the end of a path.  Raises 42703 if none of them has it.
 */
CormField *
corm_condition_column(CormRelation *relation, const char *name, CormSide *side)
{
	CormRange	near = {.name = "", .alias = ""};
	CormRange	target = {.name = "", .alias = ""};
	CormRange	through = {.name = "", .alias = ""};
	CormStmt	none = {.command = CORM_CMD_SELECT};
	CormStmt   *scope;
	CormTree   *column = corm_make_tree(CORM_N_COLUMN);

	target.model = corm_model_get(relation->target);
	if (OidIsValid(relation->through))
		through.model = corm_model_get(relation->through);
	scope = condition_scope(&none, relation, &near, through.model ? &through : NULL, &target);
	column->args[0].str = pstrdup(name);
	corm_resolve_expr(scope, column, CORM_PLACE_INPUT);
	if (column->query || !list_member_ptr(scope->ranges, column->range))
		return NULL;
	*side = column->range == linitial(scope->ranges) ? CORM_SIDE_OWN :
		column->range == scope->source ? CORM_SIDE_TARGET : CORM_SIDE_LINK;
	return column->field;
}

/*
 * Raises an error if the declared condition of a relation cannot be used, such
 * as 42703 for an unknown name.
 */
static void
check_condition(CormRelation *relation)
{
	CormRange	near = {.name = "", .alias = ""};
	CormRange	target = {.name = "", .alias = ""};
	CormRange	through = {.name = "", .alias = ""};
	CormStmt	none = {.command = CORM_CMD_SELECT};

	target.model = corm_model_get(relation->target);
	if (OidIsValid(relation->through))
		through.model = corm_model_get(relation->through);
	PG_TRY();
	{
		(void) declared_condition(&none, relation, &near, through.model ? &through : NULL, &target);
	}
	PG_FINALLY();
	{
		/* subqueries may have guards */
		corm_guards_reset();
	}
	PG_END_TRY();
}

/*
 * corm_relate is corm.relate(model, name, kind, target, columns,
 * target_columns, through, through_columns, through_target_columns,
 * condition).  It checks the condition last, with the relation already stored,
 * to detect a condition that uses its own relation.
 */
Datum
corm_relate(PG_FUNCTION_ARGS)
{
	check_condition(corm_relate_declare(fcinfo));
	PG_RETURN_VOID();
}

/*
 * Returns the conditions on the target's rows other than the keys.
 */
static List *
target_conditions(CormStmt *stmt, CormRelation *relation, CormRange *near, CormRange *through,
				  CormRange *target)
{
	return list_concat(declared_condition(stmt, relation, near, through, target),
					   corm_deleted_condition(target, false));
}

/* Returns the join of a relation with a range; conditions are ANDed. */
static CormJoin *
make_join(CormNodeTag tag, CormRelation *relation, CormRange *range, List *conditions)
{
	CormJoin   *join = palloc0(sizeof(CormJoin));

	join->tag = tag;
	join->range = range;
	join->condition = corm_make_list(CORM_N_AND, conditions);
	join->by_relation = true;
	if (is_to_many(relation))
		join->to_many = relation;
	return join;
}

static CormJoin *
add_join(CormStmt *stmt, CormNodeTag tag, CormRelation *relation, CormRange *range, List *conditions)
{
	CormJoin   *join = make_join(tag, relation, range, conditions);

	stmt->joins = lappend(stmt->joins, join);
	return join;
}

/*
 * Adds the rows of a relation's target or link table to a
 * statement's ranges.  Users refer to them by name, if at all; alias is made
 * unique.
 */
static CormRange *
add_target(CormStmt *stmt, const char *name, const char *alias, Oid relid)
{
	CormRange  *range = corm_add_range(stmt, name, alias);

	range->model = corm_model_get(relid);
	CORM_FAULT("target-found");
	corm_guard_range(stmt, range);
	return range;
}

/*
 * corm_add_related_range adds the rows of a relation's target to the ranges of
 * a subquery about them.  Their name is that of the relation, and does not hide
 * what users named.
 */
CormRange *
corm_add_related_range(CormStmt *stmt, CormRelation *relation)
{
	CormRange  *range = add_target(stmt, relation->name, relation->name, relation->target);

	range->implied = true;
	return range;
}

/*
 * Joins a relation's link table with its target, for an outer join with both.
 * Links to hidden rows must behave as if they did not exist.  The caller
 * passes the target's range.
 */
static CormJoin *
linked(CormRelation *relation, CormRange *through, CormRange *target)
{
	List	   *conditions = pair_conditions(target, relation->target_columns, through,
											 relation->through_target_columns, relation->ntarget_keys);

	conditions = list_concat(conditions, corm_deleted_condition(through, false));
	return make_join(CORM_N_JOIN_MODEL, relation, target,
					 list_concat(conditions, corm_deleted_condition(target, false)));
}

/*
 * Joins a many_to_many relation.  Two successive outer joins would return a
 * row for each link, even if its target is hidden.  So we write
 *
 *		left	LEFT JOIN (link JOIN target) ON ...
 *		right	JOIN link RIGHT JOIN target ON ...
 *		full	LEFT JOIN (link JOIN target again) FULL JOIN target ON ...
 */
static CormRange *
join_many_to_many(CormStmt *stmt, CormRange *from, CormRelation *relation, CormNodeTag tag, const char *name)
{
	CormRange  *through = add_target(stmt, psprintf("%s (through)", name),
									 get_rel_name(relation->through), relation->through);
	List	   *links = pair_conditions(through, relation->through_columns, from, relation->columns,
										relation->nkeys);
	CormRange  *target;

	if (tag == CORM_N_LEFT_JOIN_MODEL)
	{
		CormJoin   *join;

		target = add_target(stmt, name, relation->name, relation->target);
		target->relation = relation;
		target->from = from;
		join = add_join(stmt, tag, relation, through,
						list_concat(links, declared_condition(stmt, relation, from, through, target)));
		join->inner = linked(relation, through, target);
		return target;
	}
	if (tag == CORM_N_FULL_JOIN_MODEL)
	{
		CormRange  *known = add_target(stmt, psprintf("%s (linked)", name), relation->name, relation->target);
		CormJoin   *join = add_join(stmt, CORM_N_LEFT_JOIN_MODEL, relation, through,
									list_concat(links, declared_condition(stmt, relation, from, through, known)));

		known->unnamed = true;
		join->inner = linked(relation, through, known);
	}
	else
		add_join(stmt, CORM_N_JOIN_MODEL, relation, through,
				 list_concat(links, corm_deleted_condition(through, false)));
	target = add_target(stmt, name, relation->name, relation->target);
	target->relation = relation;
	target->from = from;
	add_join(stmt, tag, relation, target,
			 list_concat(pair_conditions(target, relation->target_columns, through,
										 relation->through_target_columns, relation->ntarget_keys),
						 target_conditions(stmt, relation, from, through, target)));
	return target;
}

/*
 * corm_join_range joins a relation of one of the statement's ranges.  Returns
 * the target's range, which gets the given name.
 */
CormRange *
corm_join_range(CormStmt *stmt, CormRange *from, CormRelation *relation, CormNodeTag tag, const char *name)
{
	CormRange  *target;
	List	   *conditions;

	if (relation->kind == CORM_MANY_TO_MANY)
		return join_many_to_many(stmt, from, relation, tag, name);
	target = add_target(stmt, name, relation->name, relation->target);
	target->relation = relation;
	target->from = from;
	conditions = list_concat(pair_conditions(target, relation->target_columns, from, relation->columns,
											 relation->nkeys),
							 target_conditions(stmt, relation, from, NULL, target));
	/* a right or full join shows every row of the target anyway */
	if ((tag == CORM_N_JOIN_MODEL || tag == CORM_N_LEFT_JOIN_MODEL) && corm_relation_meets_several(relation))
	{
		if (stmt->command != CORM_CMD_SELECT)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("relation \"%s\" cannot be joined in a write", relation->name),
					 errdetail("It leads to one of several rows: its target columns are not unique."),
					 errhint("Name its fields by their path, or join the model on a condition.")));
		target->first_of = conditions;
		conditions = NIL;
	}
	add_join(stmt, tag, relation, target, conditions);
	return target;
}

/*
 * Returns the statement's range of that name, or NULL.  Ranges added only by a
 * relation predicate do not count.
 */
static CormRange *
find_range(CormStmt *stmt, const char *name)
{
	ListCell   *lc;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		if (strcmp(range->name, name) == 0 && !range->implied)
			return range;
	}
	return NULL;
}

/*
 * corm_join_relation adds the join of corm.join('relation') or one of its
 * variants.  Steps of a longer path are joined in the same way unless they are
 * already joined.
 */
void
corm_join_relation(CormStmt *stmt, CormTree *clause)
{
	CormNodeTag tag =
		clause->tag == CORM_N_LEFT_JOIN ? CORM_N_LEFT_JOIN_MODEL :
		clause->tag == CORM_N_RIGHT_JOIN ? CORM_N_RIGHT_JOIN_MODEL :
		clause->tag == CORM_N_FULL_JOIN ? CORM_N_FULL_JOIN_MODEL : CORM_N_JOIN_MODEL;
	char	   *path = clause->args[0].str;
	CormRange  *from = stmt->source;
	char	   *end = path;

	for (;;)
	{
		char	   *dot = strchr(end, '.');
		char	   *step = dot ? pnstrdup(end, dot - end) : pstrdup(end);
		char	   *name = dot ? pnstrdup(path, dot - path) : pstrdup(path);
		CormRange  *known = find_range(stmt, name);

		if (from->model == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("unknown relation \"%s\" of query \"%s\"", step, from->name)));
		if (known && !dot)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_ALIAS),
					 errmsg("\"%s\" is joined more than once", path)));
		from = known ? known :
			corm_join_range(stmt, from, corm_model_relation(from->model, step), tag, name);
		if (!dot)
			return;
		end = dot + 1;
	}
}

/*
 * Binds a path in a write to a scalar subquery over its first step.
 */
static void
subquery_column(CormStmt *stmt, CormRange *range, CormRelation *relation, CormTree *tree, const char *rest)
{
	CormStmt   *query = palloc0(sizeof(CormStmt));
	CormTree   *column = corm_make_tree(tree->tag);

	query->command = CORM_CMD_SELECT;
	query->parent = stmt;
	query->source = corm_add_related_range(query, relation);
	query->where = list_concat(pair_conditions(query->source, relation->target_columns, range,
											   relation->columns, relation->nkeys),
							   target_conditions(query, relation, range, NULL, query->source));
	column->args[0].str = pstrdup(rest);
	corm_resolve_expr(query, column, CORM_PLACE_INPUT);
	query->select = list_make1(column);
	if (corm_relation_meets_several(relation))
	{
		query->order_by = corm_key_columns(query->source);
		query->limit = corm_make_tree(CORM_N_RAW);
		query->limit->args[0].str = "1";
	}
	tree->query = query;
	tree->field = column->field;
}

/*
 * corm_path_column binds a COLUMN to the field at the end of a path that
 * starts with a relation of range, one of stmt's ranges.  Returns false if the
 * first step is not a relation.  Raises 42703 for any unknown name after that.
 */
bool
corm_path_column(CormStmt *stmt, CormRange *range, CormTree *tree, const char *path)
{
	const char *dot = strchr(path, '.');
	CormRelation *relation;
	CormRange  *target;
	char	   *step;
	char	   *name;

	if (dot == NULL || range->model == NULL)
		return false;
	step = pnstrdup(path, dot - path);
	relation = tree->tag == CORM_N_FILTER_COLUMN ? corm_filter_find_relation(range->model, step) :
		corm_model_find_relation(range->model, step);
	if (relation == NULL)
		return false;
	name = range == stmt->source ? step : psprintf("%s.%s", range->name, step);
	target = find_range(stmt, name);
	if (target == NULL)
	{
		if (is_to_many(relation) && tree->tag == CORM_N_FILTER_COLUMN)
			corm_bad_filter(psprintf("Relation \"%s\" leads to many rows: conditions on it are written {\"%s\": {\"some\": {...}}}.",
									 step, step));
		if (is_to_many(relation))
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("relation \"%s\" of model \"%s\" leads to many rows", step, range->model->name),
					 errhint("Use corm.some(), corm.every() or corm.none(), or join it with corm.join().")));
		if (stmt->command != CORM_CMD_SELECT || stmt->restoring)
		{
			subquery_column(stmt, range, relation, tree, dot + 1);
			return true;
		}
		target = corm_join_range(stmt, range, relation, CORM_N_LEFT_JOIN_MODEL, name);
		target->by_path = true;
	}
	if (corm_range_column(target, tree, dot + 1) || corm_path_column(stmt, target, tree, dot + 1))
		return true;
	if (strchr(dot + 1, '.'))
		(void) corm_model_relation(target->model, pnstrdup(dot + 1, strchr(dot + 1, '.') - dot - 1));
	corm_unknown_column(target, tree, dot + 1);
}

/*
 * corm_correlate adds to query the conditions that the rows of target are those
 * of a relation of range.  Target and range are ranges of the query or of one
 * around it.  first: if a to-one relation may match several rows, target is
 * just the first; it must be the query's source then.  A preload gets them all,
 * since it orders and limits them itself.
 */
void
corm_correlate(CormStmt *query, CormRange *target, CormRange *range, CormRelation *relation, bool first)
{
	CormRange  *through = NULL;
	List	   *conditions;

	if (relation->kind == CORM_MANY_TO_MANY)
	{
		through = add_target(query, psprintf("%s (through)", relation->name),
							 get_rel_name(relation->through), relation->through);
		add_join(query, CORM_N_JOIN_MODEL, relation, through,
				 list_concat(pair_conditions(through, relation->through_target_columns, target,
											 relation->target_columns, relation->ntarget_keys),
							 corm_deleted_condition(through, false)));
		conditions = pair_conditions(through, relation->through_columns, range,
									 relation->columns, relation->nkeys);
	}
	else
		conditions = pair_conditions(target, relation->target_columns, range,
									 relation->columns, relation->nkeys);
	conditions = list_concat(conditions, declared_condition(query, relation, range, through, target));
	if (first && corm_relation_meets_several(relation))
		target->first_of = list_concat(conditions, corm_deleted_condition(target, false));
	else
		query->where = list_concat(conditions, query->where);
}

/*
 * corm_relation_range returns the range whose relation a path begins with: the
 * source, or in 'alias.relation' a joined range, whose alias is then taken off
 * *path.  Raises 42703 if the statement is not over a model.
 */
CormRange *
corm_relation_range(CormStmt *stmt, char **path)
{
	char	   *dot = strchr(*path, '.');
	CormRange  *range = stmt->source;
	CormRange  *joined;
	char	   *alias;

	if (range == NULL || range->model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown relation \"%s\"", *path)));
	if (dot == NULL)
		return range;
	alias = pnstrdup(*path, dot - *path);
	joined = find_range(stmt, alias);
	if (joined == NULL || joined->model == NULL || corm_model_find_relation(range->model, alias))
		return range;
	*path = dot + 1;
	return joined;
}

/*
 * corm_resolve_relation_predicate turns some, every and none into [NOT]
 * EXISTS.  If the relation is a path, the steps before the last become nested
 * somes.
 */
void
corm_resolve_relation_predicate(CormStmt *stmt, CormTree *tree)
{
	char	   *path = tree->args[0].str;
	CormRange  *range = corm_relation_range(stmt, &path);
	char	   *dot = strchr(path, '.');
	CormRelation *relation;
	CormStmt   *query;
	List	   *conditions = tree->args[1].list;

	check_stack_depth();
	relation = tree->from_filter ? corm_filter_relation(range->model, dot ? pnstrdup(path, dot - path) : path) :
		corm_model_relation(range->model, dot ? pnstrdup(path, dot - path) : path);
	if (dot)
	{
		/*
		 * the predicate over the rest holds for some, or all, of the first
		 * step
		 */
		CormTree   *rest = corm_make_tree(tree->tag);

		rest->args[0].str = dot + 1;
		rest->args[1].list = conditions;
		rest->from_filter = tree->from_filter;
		conditions = list_make1(rest);
	}

	query = palloc0(sizeof(CormStmt));
	query->command = CORM_CMD_SELECT;
	query->parent = stmt;

	query->source = corm_add_related_range(query, relation);
	corm_resolve_list(query, conditions, CORM_PLACE_INPUT);
	if (tree->tag == CORM_N_EVERY || (tree->tag == CORM_N_NONE && dot))
	{
		/* a child that does not satisfy the condition, NULL included */
		CormTree   *not_true = corm_make_tree(CORM_N_IS_NOT_TRUE);

		not_true->args[0].node = corm_make_list(CORM_N_AND, conditions);
		conditions = list_make1(not_true);
	}
	query->where = list_concat(list_copy(conditions), corm_deleted_condition(query->source, false));
	corm_correlate(query, query->source, range, relation, true);
	tree->query = query;
}

/*
 * corm_parents_range returns the range for the page of parents.  The first
 * call creates it.
 */
CormRange *
corm_parents_range(CormStmt *stmt)
{
	if (stmt->parents == NULL)
	{
		stmt->parents = palloc0(sizeof(CormRange));
		stmt->parents->name = "";
		stmt->parents->alias = corm_unique_alias(stmt, "p");
		stmt->parents->model = stmt->source->model;
		stmt->parents->page_of = stmt;
	}
	return stmt->parents;
}

/*
 * corm_parent_key returns the name of a source column in the page of the
 * statement's rows, and adds the column to the page if necessary.
 */
char *
corm_parent_key(CormStmt *stmt, const char *column)
{
	ListCell   *lc;

	foreach(lc, stmt->parent_keys)
	{
		if (strcmp(lfirst(lc), column) == 0)
			return corm_parent_key_name(foreach_current_index(lc));
	}
	stmt->parent_keys = lappend(stmt->parent_keys, pstrdup(column));
	return corm_parent_key_name(list_length(stmt->parent_keys) - 1);
}

/*
 * corm_parent_key_name returns the name of the n-th key column in the page of
 * parents.  A field of the same name is renamed there (preload.c).
 */
char *
corm_parent_key_name(int n)
{
	return psprintf("key %d", n + 1);
}

/*
 * Makes a level between a statement and its preload.  The preload cannot refer
 * to the statement's ranges, which are inside the page of parents, but its
 * aliases must differ from theirs.
 */
static CormStmt *
seal(CormStmt *stmt)
{
	CormStmt   *between = palloc0(sizeof(CormStmt));

	between->command = CORM_CMD_SELECT;
	between->alias_owner = stmt;
	return between;
}

/*
 * corm_add_preload adds a preload of the relation at the end of a path.
 * clauses filter, order or limit its rows.
 */
void
corm_add_preload(CormStmt *stmt, const char *path, List *clauses)
{
	const char *dot = strchr(path, '.');
	char	   *step = dot ? pnstrdup(path, dot - path) : pstrdup(path);
	CormRelation *relation;
	CormPreload *preload = NULL;
	ListCell   *lc;

	check_stack_depth();
	if (stmt->source == NULL || stmt->source->model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("relation \"%s\" cannot be preloaded", path),
				 errdetail("The query is not over a model.")));

	/*
	 * the parents' key would be one more column to be distinct by, or to
	 * combine
	 */
	if (stmt->setops || (stmt->distinct && stmt->select))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("relation \"%s\" cannot be preloaded", path),
				 errdetail("The rows of the query are not those of the model \"%s\".",
						   stmt->source->model->name)));
	relation = corm_model_relation(stmt->source->model, step);

	foreach(lc, stmt->preloads)
	{
		if (((CormPreload *) lfirst(lc))->relation == relation)
			preload = lfirst(lc);
	}
	if (preload && !dot && !preload->implied)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("relation \"%s\" is preloaded more than once", path)));

	if (preload == NULL)
	{
		preload = palloc0(sizeof(CormPreload));
		preload->relation = relation;
		preload->to_many = is_to_many(relation);
		preload->name = relation->name;
		preload->alias = corm_unique_alias(stmt, relation->name);
		preload->implied = dot != NULL;
		preload->query = corm_resolve_stmt(dot ? NIL : clauses, relation->target, seal(stmt));
		/* a relation to one has its own way to find it */
		if (!preload->to_many && preload->query->default_limit)
			preload->query->limit = NULL;
		if (preload->query->command != CORM_CMD_SELECT)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a preload must be a query that reads")));
		if (preload->query->source->model == NULL || preload->query->source->model->relid != relation->target)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a preload must be a query over the model that the relation leads to")));
		/* only its first part could get the condition on the parents */
		if (preload->query->setops)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("a preload cannot have set operations"),
					 errhint("Write it as one query.")));
		corm_correlate(preload->query, preload->query->source, corm_parents_range(stmt), relation, false);
		if (preload->query->order_by == NIL && preload->query->group_by == NIL && !preload->query->distinct &&
			preload->query->distinct_on == NIL && corm_relation_meets_several(relation))
			preload->query->order_by = corm_key_columns(preload->query->source);
		stmt->preloads = lappend(stmt->preloads, preload);
	}
	if (dot)
		corm_add_preload(preload->query, dot + 1, clauses);
}

/* Returns the condition that rows of two ranges of a model have other primary keys. */
static CormTree *
other_key(CormRange *range, CormRange *other)
{
	CormModel  *model = range->model;
	List	   *equal = NIL;
	CormTree   *not = corm_make_tree(CORM_N_NOT);

	for (int i = 0; i < model->npk; i++)
	{
		const char *column = model->fields[model->pk[i]].column;

		equal = lappend(equal, corm_make_binary(CORM_N_EQ, corm_make_column(range, column), corm_make_column(other, column)));
	}
	not->args[0].node = corm_make_list(CORM_N_AND, equal);
	return not;
}

/* Copies a tree, so that the copy can be resolved separately. */
static CormTree *
copy_mutator(CormTree *tree, void *context)
{
	return corm_tree_mutator(tree, copy_mutator, context);
}

/* planning takes time that grows faster than the depth */
#define MAX_TREE_DEPTH 32

/*
 * corm_add_preload_tree adds the preloads of preload_tree(): one in another, to
 * the depth that is asked for, each with its own copy of the clauses.  Rows are
 * left out that are among their own ancestors, whose keys are in the pages of
 * parents around.  Raises 42601 if the relation does not lead to the model
 * itself, OR011 for a model without a primary key, 22023 for a depth that is out
 * of range.
 */
void
corm_add_preload_tree(CormStmt *stmt, CormTree *clause)
{
	const char *name = clause->args[0].str;
	int			depth = clause->args[1].oid;
	List	   *ancestors = NIL;
	ListCell   *lc;

	if (depth < 1 || depth > MAX_TREE_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a tree of relation \"%s\" cannot be preloaded to depth %d", name, depth),
				 errdetail("The depth is from 1 to %d.", MAX_TREE_DEPTH)));
	for (CormStmt *level = stmt; level; level = corm_enclosing_stmt(level))
		level->has_tree = true;
	for (int i = 0; i < depth; i++)
	{
		CormStmt   *query;
		CormRelation *relation = NULL;

		if (stmt->source && stmt->source->model)
		{
			relation = corm_model_relation(stmt->source->model, name);
			if (corm_model_get(relation->target)->table != stmt->source->model->table)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("relation \"%s\" of model \"%s\" is no tree", name, stmt->source->model->name),
						 errdetail("It leads to model \"%s\".", corm_model_get(relation->target)->name),
						 errhint("Use corm.preload().")));
			corm_model_require_pk(stmt->source->model);
		}
		foreach(lc, stmt->preloads)
		{
			if (((CormPreload *) lfirst(lc))->relation == relation)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("relation \"%s\" is preloaded more than once", name)));
		}
		corm_add_preload(stmt, name, corm_trees_mutator(clause->args[2].list, copy_mutator, NULL));
		query = ((CormPreload *) llast(stmt->preloads))->query;
		ancestors = lappend(ancestors, corm_parents_range(stmt));
		foreach(lc, ancestors)
		{
			query->where = lappend(query->where, other_key(query->source, lfirst(lc)));
		}
		stmt = query;
	}
}
