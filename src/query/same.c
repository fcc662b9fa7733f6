/*-------------------------------------------------------------------------
 *
 * same.c
 *		Expressions that a query says again.
 *
 * Where rows are grouped or made distinct, SQL wants an expression of the
 * select list, the order or HAVING to be the same as the one that is grouped
 * by.  To PostgreSQL two parameters are two things, whatever values they get,
 * and so are two subqueries whose aliases differ.  Here, when the names of a
 * statement are bound, an expression that says the same as one that is
 * grouped by, values included, becomes that one.
 *
 * Whether values are equal is not part of the query's shape: it is a premise
 * of the plan (premises.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/query.h"

static bool
is_column(const CormTree *tree)
{
	return tree->tag == CORM_N_COLUMN || tree->tag == CORM_N_FILTER_COLUMN;
}

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_shape(const CormTree *a, const CormTree *b, bool inner);

static bool
same_shapes(const List *a, const List *b, bool inner)
{
	const ListCell *x;
	const ListCell *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
		if (!same_shape(lfirst(x), lfirst(y), inner))
			return false;
	return true;
}

static bool
same_names(const List *a, const List *b)
{
	const ListCell *x;
	const ListCell *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
		if (strcmp(lfirst(x), lfirst(y)) != 0)
			return false;
	return true;
}

/* A node whose list of conditions is about the rows of a relation. */
static bool
has_inner_list(const CormTree *tree)
{
	return tree->tag == CORM_N_SOME || tree->tag == CORM_N_EVERY || tree->tag == CORM_N_NONE;
}

static bool
same_column(const CormTree *a, const CormTree *b, bool inner)
{
	if (a->aliased || b->aliased)
		return a->aliased == b->aliased;
	/* in subqueries, which have ranges of their own, equal names are bound alike */
	if (!inner && a->range && b->range)
		return a->range == b->range && a->field == b->field && (a->field || same_string(a->output, b->output));
	return a->tag == b->tag && a->args[0].str && same_string(a->args[0].str, b->args[0].str);
}

/*
 * Whether two expressions of a statement, whose names are bound, are the same
 * but for the bound values.  inner: they are part of subqueries.
 */
static bool
same_shape(const CormTree *a, const CormTree *b, bool inner)
{
	check_stack_depth();

	if (a == b)
		return true;
	if (is_column(a) && is_column(b))
		return same_column(a, b, inner);
	if (a->tag != b->tag)
		return false;
	if (a->tag == CORM_N_VALUE)
		return a->typid == b->typid;
	for (int i = 0; a->desc->args[i] != '\0'; i++)
	{
		const CormArg *x = &a->args[i];
		const CormArg *y = &b->args[i];

		switch (a->desc->args[i])
		{
			case 'n':
			case 'o':
			case 't':
				if (!same_string(x->str, y->str))
					return false;
				break;
			case 'r':
			case 'y':
				if (x->oid != y->oid)
					return false;
				break;
			case 'x':
			case 'v':
			case 'j':
			case 'e':
				if (!same_shape(x->node, y->node, inner))
					return false;
				break;
			case 'N':
				if (!same_names(x->list, y->list))
					return false;
				break;
			case 'q':
			case 'Q':
				if (!same_shapes(x->list, y->list, true))
					return false;
				break;
			default:
				if (!same_shapes(x->list, y->list, inner || has_inner_list(a)))
					return false;
				break;
		}
	}
	return true;
}

static bool same_values(const CormTree *a, const CormTree *b);

static bool
all_same_values(const List *a, const List *b)
{
	const ListCell *x;
	const ListCell *y;
	bool		same = true;

	forboth(x, a, y, b)
		same &= same_values(lfirst(x), lfirst(y));
	return same;
}

/*
 * Whether the values of two expressions of the same shape are equal.  All of
 * them are looked at, so that what is noted does not depend on them.
 */
static bool
same_values(const CormTree *a, const CormTree *b)
{
	bool		same = true;

	check_stack_depth();
	if (a == b || is_column(a))
		return true;
	if (a->tag == CORM_N_VALUE)
		return corm_premise(CORM_PREMISE_EQUAL, a, b);
	for (int i = 0; a->desc->args[i] != '\0'; i++)
	{
		if (strchr("xvje", a->desc->args[i]))
			same &= same_values(a->args[i].node, b->args[i].node);
		else if (strchr("XVEOPSqQ", a->desc->args[i]))
			same &= all_same_values(a->args[i].list, b->args[i].list);
	}
	return same;
}

static bool has_parts(const List *list);

/* Whether there is anything in an expression that would differ in SQL. */
static bool
has_part(const CormTree *tree)
{
	check_stack_depth();
	if (tree->tag == CORM_N_VALUE || tree->query)
		return true;
	if (is_column(tree))
		return false;
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		if (strchr("xvje", tree->desc->args[i]) && has_part(tree->args[i].node))
			return true;
		if (strchr("XVEOPSqQ", tree->desc->args[i]) && has_parts(tree->args[i].list))
			return true;
	}
	return false;
}

static bool
has_parts(const List *list)
{
	const ListCell *lc;

	foreach(lc, list)
		if (has_part(lfirst(lc)))
			return true;
	return false;
}

/* An item of a list without its direction or alias. */
static CormTree *
bare_item(CormTree *item)
{
	while (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC || item->tag == CORM_N_AS)
		item = item->args[0].node;
	return item;
}

/* The expression that an item of a list stands for, under an alias or not. */
static CormTree *
item_expr(CormTree *item)
{
	item = bare_item(item);
	return is_column(item) && item->aliased ? bare_item(item->aliased) : item;
}

/*
 * Makes of each part of an expression that says the same as anchor that one.
 */
static void
unify(CormTree *tree, const CormTree *anchor)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (tree == anchor)
		return;
	if (same_shape(tree, anchor, false) && same_values(tree, anchor))
	{
		bool		is_referenced = tree->is_referenced;

		*tree = *anchor;
		tree->is_referenced = is_referenced;
		return;
	}
	/* a value by itself takes its type from its place */
	if (is_column(tree) || tree->tag == CORM_N_VALUE || anchor->tag == CORM_N_VALUE || has_inner_list(tree))
		return;
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		ListCell   *lc;

		if (strchr("xvje", tree->desc->args[i]))
			unify(tree->args[i].node, anchor);
		else if (strchr("XVEOPS", tree->desc->args[i]))
			foreach(lc, tree->args[i].list)
				unify(lfirst(lc), anchor);
	}
}

static void
unify_items(List *items, const CormTree *anchor)
{
	ListCell   *lc;

	foreach(lc, items)
		unify(bare_item(lfirst(lc)), anchor);
}

static void
unify_statement(CormStmt *stmt, List *anchors)
{
	ListCell   *lc;

	foreach(lc, anchors)
	{
		CormTree   *anchor = item_expr(lfirst(lc));

		if (!has_part(anchor))
			continue;
		unify_items(stmt->select, anchor);
		unify_items(stmt->group_by, anchor);
		unify_items(stmt->distinct_on, anchor);
		unify_items(stmt->having, anchor);
		unify_items(stmt->order_by, anchor);
	}
}

/*
 * corm_unify_expressions makes expressions of a statement that are equal one
 * and the same where SQL wants them to be.  Names are bound.
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
 * corm_find_selected returns the number of the select item that says the same
 * as an expression, from 0; -1 if there is none.
 */
int
corm_find_selected(CormStmt *stmt, const CormTree *expr)
{
	ListCell   *lc;
	int			found = -1;

	foreach(lc, stmt->select)
	{
		CormTree   *item = bare_item(lfirst(lc));

		if (same_shape(item, expr, false) && same_values(item, expr) && found < 0)
			found = foreach_current_index(lc);
	}
	return found;
}
