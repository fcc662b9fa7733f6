/*-------------------------------------------------------------------------
 *
 * related.c
 *		count_of, sum_of and the others: aggregates over related rows, as values.
 *
 * Each is a scalar subquery over the target of a relation, so that any number
 * of them can stand side by side without multiplying rows.  Like a preload, and
 * unlike corm.some(), it is subject to the default scopes of the target.  Names
 * in it mean what they mean in corm.some().
 *
 * A path of relations means the rows at its end, each once, however many ways
 * lead to it.  The steps before the last go into an EXISTS:
 *
 *		(SELECT sum(items.price) FROM items
 *		 WHERE EXISTS (SELECT 1 FROM orders
 *					   WHERE orders.user_id = users.id AND items.order_id = orders.id))
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/relations.h"
#include "query/query.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/related.h"
#include "query/resolve/resolve.h"
#include "query/resolve/scopes.h"

/* what the value of a row is called where rows are aggregated around a query */
#define VALUE_NAME "value"

/*
 * corm_related_argument returns what a node aggregates; NULL for count_of,
 * which counts rows.
 */
CormTree *
corm_related_argument(CormTree *tree)
{
	return tree->tag == CORM_N_COUNT_OF ? NULL : tree->args[1].node;
}

static List *
related_conditions(CormTree *tree)
{
	return tree->args[tree->tag == CORM_N_COUNT_OF ? 1 : 2].list;
}

/* Returns the aggregate that a node stands for, over x; NULL: over the rows. */
static CormTree *
make_aggregate(CormTree *tree, CormTree *x)
{
	CormTree   *aggregate;

	switch (tree->tag)
	{
		case CORM_N_SUM_OF:
			aggregate = corm_make_tree(CORM_N_SUM);
			break;
		case CORM_N_AVG_OF:
			aggregate = corm_make_tree(CORM_N_AVG);
			break;
		case CORM_N_MIN_OF:
			aggregate = corm_make_tree(CORM_N_MIN);
			break;
		case CORM_N_MAX_OF:
			aggregate = corm_make_tree(CORM_N_MAX);
			break;
		default:
			return corm_make_tree(CORM_N_COUNT);
	}
	aggregate->args[0].node = x;
	return aggregate;
}

/* What the default scopes of a model do to its rows besides filtering them. */
typedef enum ScopeEffect
{
	SCOPE_FILTERS,
	SCOPE_LIMITS,				/* they choose some of the rows */
	SCOPE_CHANGES				/* they make other rows of them */
} ScopeEffect;

static ScopeEffect
default_scope_effect(CormModel *model)
{
	ScopeEffect effect = SCOPE_FILTERS;
	ListCell   *lc;

	foreach(lc, corm_default_scope_clauses(model))
	{
		switch (((CormTree *) lfirst(lc))->tag)
		{
			case CORM_N_LIMIT:
			case CORM_N_OFFSET:
			case CORM_N_DISTINCT_ON:
			case CORM_N_AFTER:
			case CORM_N_BEFORE:
			case CORM_N_FOR_UPDATE:
			case CORM_N_FOR_SHARE:
				effect = Max(effect, SCOPE_LIMITS);
				break;
			case CORM_N_SELECT:
			case CORM_N_DISTINCT:
			case CORM_N_GROUP_BY:
			case CORM_N_HAVING:
			case CORM_N_UNION:
			case CORM_N_UNION_ALL:
			case CORM_N_INTERSECT:
			case CORM_N_EXCEPT:
				effect = SCOPE_CHANGES;
				break;
			default:
				break;
		}
	}
	return effect;
}

/*
 * Adds to query the condition that its rows are at the end of a path, whose
 * first relation is one of range.  relations are those of the path, in order.
 */
static void
correlate_path(CormStmt *query, CormRange *range, List *relations)
{
	CormStmt   *steps;
	CormTree   *exists;
	CormRange  *from;
	CormRelation *last = llast(relations);

	if (list_length(relations) == 1)
	{
		corm_correlate(query, query->source, range, last, true);
		return;
	}
	if (corm_relation_meets_several(last))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("relation \"%s\" cannot end a path of related rows", last->name),
				 errdetail("It leads to one of several rows: its target columns are not unique."),
				 errhint("Write the subquery with corm.selector().")));

	steps = palloc0(sizeof(CormStmt));
	steps->command = CORM_CMD_SELECT;
	steps->parent = query;
	from = steps->source = corm_add_related_range(steps, linitial(relations));
	steps->where = corm_deleted_condition(from, false);
	corm_correlate(steps, from, range, linitial(relations), true);
	for (int i = 1; i < list_length(relations) - 1; i++)
	{
		CormRelation *relation = list_nth(relations, i);

		from = corm_join_range(steps, from, relation, CORM_N_JOIN_MODEL, psprintf("%s.%s", from->name, relation->name));
	}
	corm_correlate(steps, query->source, from, last, false);

	exists = corm_make_tree(CORM_N_EXISTS);
	exists->query = steps;
	query->where = lappend(query->where, exists);
}

/* Returns the relations of a path that begins at a range. */
static List *
path_relations(CormRange *range, char *path)
{
	List	   *relations = NIL;
	CormModel  *model = range->model;

	for (;;)
	{
		char	   *dot = strchr(path, '.');
		CormRelation *relation = corm_model_relation(model, dot ? pnstrdup(path, dot - path) : path);

		relations = lappend(relations, relation);
		if (dot == NULL)
			return relations;
		model = corm_model_get(relation->target);
		path = dot + 1;
	}
}

/*
 * Returns a query that aggregates the rows of another one, rows, which is
 * resolved; they have the value in column VALUE_NAME.
 */
static CormStmt *
aggregate_around(CormStmt *stmt, CormTree *tree, CormRelation *relation, CormStmt *rows)
{
	CormStmt   *around = palloc0(sizeof(CormStmt));
	CormTree   *column = NULL;

	around->command = CORM_CMD_SELECT;
	around->parent = stmt;
	around->source = corm_add_range(around, relation->name, relation->name);
	around->source->query = around->source->definition = rows;
	if (tree->tag != CORM_N_COUNT_OF)
	{
		around->source->columns = list_make1(pstrdup(VALUE_NAME));
		column = corm_make_column(around->source, VALUE_NAME);
	}
	around->select = list_make1(make_aggregate(tree, column));
	return around;
}

/*
 * corm_resolve_related_value binds count_of, sum_of, avg_of, min_of or max_of
 * in a statement: tree->query becomes a query that returns the one value.
 * Raises 42703 for an unknown relation.
 */
void
corm_resolve_related_value(CormStmt *stmt, CormTree *tree)
{
	char	   *path = tree->args[0].str;
	CormRange  *range = corm_relation_range(stmt, &path);
	List	   *relations = path_relations(range, path);
	CormRelation *relation = llast(relations);
	ScopeEffect effect = default_scope_effect(corm_model_get(relation->target));
	CormTree   *x = corm_related_argument(tree);
	CormTree   *select = corm_make_tree(CORM_N_SELECT);
	CormTree   *where = corm_make_tree(CORM_N_WHERE);
	CormStmt   *query;

	check_stack_depth();
	if (effect == SCOPE_CHANGES && x)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the rows of relation \"%s\" cannot be aggregated by corm.%s()", relation->name, tree->desc->func),
				 errdetail("A default scope of model \"%s\" selects, groups or combines its rows.",
						   corm_model_get(relation->target)->name),
				 errhint("Write the subquery with corm.selector() and corm.unscoped().")));

	where->args[0].list = related_conditions(tree);
	if (effect == SCOPE_FILTERS)
		x = make_aggregate(tree, x);
	else if (x == NULL)
	{
		x = corm_make_tree(CORM_N_NULL);
		x->args[0].oid = UNKNOWNOID;
	}
	if (effect == SCOPE_LIMITS)
	{
		CormTree   *as = corm_make_tree(CORM_N_AS);

		as->args[0].node = x;
		as->args[1].str = pstrdup(VALUE_NAME);
		x = as;
	}
	select->args[0].list = list_make1(x);
	query = corm_resolve_related(effect == SCOPE_CHANGES ? list_make1(where) : list_make2(where, select),
								 relation, stmt);
	correlate_path(query, range, relations);
	if (effect == SCOPE_FILTERS)
		query->order_by = NIL;	/* of the one row */
	else
		query = aggregate_around(stmt, tree, relation, query);
	tree->query = query;
}
