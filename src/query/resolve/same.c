/*-------------------------------------------------------------------------
 *
 * same.c
 *		Repeated expressions.
 *
 * With grouping or DISTINCT, SQL requires an expression in the select list,
 * the order or HAVING to equal a grouping expression.  For PostgreSQL, two
 * parameters are never equal, even with equal values, and neither are two
 * subqueries with different aliases.  So once names are bound, we replace an
 * expression that equals a grouping expression, values included, by that one.
 *
 * Whether values are equal is not part of the query's shape: it is a premise
 * of the plan (premises.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/resolve/premises.h"
#include "query/resolve/same.h"
#include "query/value/tree.h"
#include "query/value/walk.h"

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_column(const CormTree *a, const CormTree *b, bool inner)
{
	if (a->aliased || b->aliased)
		return a->aliased == b->aliased;

	/*
	 * in subqueries, which have ranges of their own, equal names have the
	 * same meaning
	 */
	if (!inner && a->range && b->range)
		return a->range == b->range && a->field == b->field && (a->field || same_string(a->output, b->output));
	return a->tag == b->tag && a->args[0].str && same_string(a->args[0].str, b->args[0].str);
}

/*
 * Returns whether two expressions of a statement are equal except for bound
 * values.  Names must be bound.  context is a bool: inside a subquery.
 */
static bool
same_shape_walker(const CormTree *a, const CormTree *b, void *context)
{
	bool		inner = *(bool *) context;
	bool		parts_inner = inner || corm_tree_is(a, CORM_IS_SUBQUERY | CORM_IS_RELATION);

	if (a == b)
		return true;
	if (corm_tree_is(a, CORM_IS_COLUMN) && corm_tree_is(b, CORM_IS_COLUMN))
		return same_column(a, b, inner);
	if (a->tag != b->tag)
		return false;
	if (a->tag == CORM_N_VALUE)
		return a->typid == b->typid;
	return corm_tree_pair_walker(a, b, same_shape_walker, &parts_inner);
}

static bool
same_shape(const CormTree *a, const CormTree *b)
{
	bool		inner = false;

	return same_shape_walker(a, b, &inner);
}

/* Clears the bool in context if values differ.  Always continues. */
static bool
same_values_walker(const CormTree *a, const CormTree *b, void *context)
{
	bool	   *same = context;

	if (a == b || corm_tree_is(a, CORM_IS_COLUMN))
		return true;
	if (a->tag == CORM_N_VALUE)
	{
		*same &= corm_premise(CORM_PREMISE_EQUAL, a, b);
		return true;
	}
	return corm_tree_pair_walker(a, b, same_values_walker, same);
}

/*
 * Returns whether two expressions of the same shape have equal values.
 * Compares all of them, so that the recorded premises do not depend on the
 * values.
 */
static bool
same_values(const CormTree *a, const CormTree *b)
{
	bool		same = true;

	(void) same_values_walker(a, b, &same);
	return same;
}

/* Returns whether a repeated expression would differ in SQL. */
static bool
part_walker(CormTree *tree, void *context)
{
	if (tree->tag == CORM_N_VALUE || tree->query)
		return true;
	return !corm_tree_is(tree, CORM_IS_COLUMN) && corm_tree_walker(tree, part_walker, context);
}

/* Returns a list item without its direction or alias. */
static CormTree *
bare_item(CormTree *item)
{
	while (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC || item->tag == CORM_N_AS)
		item = item->args[0].node;
	return item;
}

/* Returns the expression of a list item, which may refer to an alias. */
static CormTree *
item_expr(CormTree *item)
{
	item = bare_item(item);
	return corm_tree_is(item, CORM_IS_COLUMN) && item->aliased ? bare_item(item->aliased) : item;
}

/*
 * Replaces each part of an expression that equals the anchor, in context, by
 * it.
 */
static bool
unify_walker(CormTree *tree, void *context)
{
	const CormTree *anchor = context;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (tree == anchor)
		return false;
	if (same_shape(tree, anchor) && same_values(tree, anchor))
	{
		bool		is_referenced = tree->is_referenced;

		*tree = *anchor;
		tree->is_referenced = is_referenced;
		return false;
	}

	/*
	 * a value by itself takes its type from its place; conditions on other
	 * rows are about other rows
	 */
	if (tree->tag == CORM_N_VALUE || anchor->tag == CORM_N_VALUE ||
		corm_tree_is(tree, CORM_IS_COLUMN | CORM_IS_RELATION | CORM_IS_SUBQUERY))
		return false;
	return corm_tree_walker(tree, unify_walker, context);
}

static void
unify_items(List *items, const CormTree *anchor)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		(void) unify_walker(bare_item(lfirst(lc)), unconstify(CormTree *, anchor));
	}
}

/*
 * Replaces expressions of the statement that equal an anchor by the anchor.
 */
static void
unify_statement(CormStmt *stmt, List *anchors)
{
	ListCell   *lc;

	foreach(lc, anchors)
	{
		CormTree   *anchor = item_expr(lfirst(lc));

		if (!part_walker(anchor, NULL))
			continue;
		unify_items(stmt->select, anchor);
		unify_items(stmt->group_by, anchor);
		unify_items(stmt->distinct_on, anchor);
		unify_items(stmt->having, anchor);
		unify_items(stmt->order_by, anchor);
	}
}

/*
 * corm_unify_expressions merges equal expressions of a statement where SQL
 * requires it.  Names must be bound.
 */
void
corm_unify_expressions(CormStmt *stmt)
{
	if (stmt->command != CORM_CMD_SELECT)
		return;
	unify_statement(stmt, stmt->group_by);
	unify_statement(stmt, stmt->distinct_on);
	if (stmt->distinct)
		unify_statement(stmt, stmt->select);
}

/*
 * corm_is_among returns whether an item of a list equals another one, directions and
 * aliases aside.  Names must be bound.
 */
bool
corm_is_among(List *items, CormTree *expr)
{
	ListCell   *lc;

	expr = item_expr(expr);
	foreach(lc, items)
	{
		CormTree   *item = item_expr(lfirst(lc));

		if (same_shape(item, expr) && same_values(item, expr))
			return true;
	}
	return false;
}

/*
 * corm_find_selected returns the number, from 0, of the select item that
 * equals an expression; -1 if there is none.
 */
int
corm_find_selected(CormStmt *stmt, const CormTree *expr)
{
	ListCell   *lc;
	int			found = -1;

	foreach(lc, stmt->select)
	{
		CormTree   *item = bare_item(lfirst(lc));

		if (same_shape(item, expr) && same_values(item, expr) && found < 0)
			found = foreach_current_index(lc);
	}
	return found;
}
