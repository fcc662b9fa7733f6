/*-------------------------------------------------------------------------
 *
 * walk.c
 *		From a node of a tree to its parts.
 *
 * The functions here are the only ones that know where in a node its parts
 * are.  They are used as PostgreSQL's expression_tree_walker is: the callback
 * looks at a node, and calls the function in turn to go on to the node's
 * parts, with itself as the callback.
 *
 * The parts of a node are the expressions and clauses among its arguments, in
 * order.  The resolved query of a node, CormTree.query, is not a part, but the
 * clauses that it was made of are.  A bound value has no parts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/value/node.h"
#include "query/value/walk.h"

/*
 * corm_tree_walker calls walker for each part of a node, until one call
 * returns true; then it returns true.  A part that is missing is left out.
 */
bool
corm_tree_walker(CormTree *tree, CormTreeWalker walker, void *context)
{
	check_stack_depth();
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		switch (corm_letter_desc(tree->desc->args[i])->holds)
		{
			case CORM_HOLDS_EXPR:
				if (tree->args[i].node && walker(tree->args[i].node, context))
					return true;
				break;
			case CORM_HOLDS_EXPRS:
			case CORM_HOLDS_CLAUSES:
				if (corm_trees_walker(tree->args[i].list, walker, context))
					return true;
				break;
			case CORM_HOLDS_STRING:
			case CORM_HOLDS_OID:
			case CORM_HOLDS_NAMES:
				break;
		}
	}
	return false;
}

/* corm_trees_walker calls walker for each of some trees, until one call returns true. */
bool
corm_trees_walker(List *trees, CormTreeWalker walker, void *context)
{
	ListCell   *lc;

	foreach(lc, trees)
		if (walker(lfirst(lc), context))
			return true;
	return false;
}

/*
 * corm_tree_mutator returns a copy of a node, in the current context, that has
 * in place of each part what mutator returns for it.  Names are shared with
 * the original.
 */
CormTree *
corm_tree_mutator(const CormTree *tree, CormTreeMutator mutator, void *context)
{
	CormTree   *copy = palloc(sizeof(CormTree));

	check_stack_depth();
	*copy = *tree;
	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		switch (corm_letter_desc(tree->desc->args[i])->holds)
		{
			case CORM_HOLDS_EXPR:
				if (tree->args[i].node)
					copy->args[i].node = mutator(tree->args[i].node, context);
				break;
			case CORM_HOLDS_EXPRS:
			case CORM_HOLDS_CLAUSES:
				copy->args[i].list = corm_trees_mutator(tree->args[i].list, mutator, context);
				break;
			case CORM_HOLDS_STRING:
			case CORM_HOLDS_OID:
			case CORM_HOLDS_NAMES:
				break;
		}
	}
	return copy;
}

/* corm_trees_mutator returns the list of what mutator returns for some trees. */
List *
corm_trees_mutator(List *trees, CormTreeMutator mutator, void *context)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, trees)
		result = lappend(result, mutator(lfirst(lc), context));
	return result;
}

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
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

/* Whether two lists are equally long, and walker returns true for each pair of their trees. */
static bool
walk_pairs(const List *a, const List *b, CormTreePairWalker walker, void *context)
{
	const ListCell *x;
	const ListCell *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
		if (!walker(lfirst(x), lfirst(y), context))
			return false;
	return true;
}

/*
 * corm_tree_pair_walker compares two nodes of one tag: it returns true if their
 * names, texts and OIDs are equal, their lists are equally long, and walker
 * returns true for each pair of parts.  It stops at the first difference.
 */
bool
corm_tree_pair_walker(const CormTree *a, const CormTree *b, CormTreePairWalker walker, void *context)
{
	check_stack_depth();
	for (int i = 0; a->desc->args[i] != '\0'; i++)
	{
		const CormArg *x = &a->args[i];
		const CormArg *y = &b->args[i];
		bool		same = true;

		switch (corm_letter_desc(a->desc->args[i])->holds)
		{
			case CORM_HOLDS_STRING:
				same = same_string(x->str, y->str);
				break;
			case CORM_HOLDS_OID:
				same = x->oid == y->oid;
				break;
			case CORM_HOLDS_EXPR:
				if (x->node && y->node)
					same = walker(x->node, y->node, context);
				else
					same = x->node == y->node;
				break;
			case CORM_HOLDS_EXPRS:
			case CORM_HOLDS_CLAUSES:
				same = walk_pairs(x->list, y->list, walker, context);
				break;
			case CORM_HOLDS_NAMES:
				same = same_names(x->list, y->list);
				break;
		}
		if (!same)
			return false;
	}
	return true;
}
