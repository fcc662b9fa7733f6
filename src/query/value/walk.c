/*-------------------------------------------------------------------------
 *
 * walk.c
 *		Walking and copying trees.
 *
 * Only these functions know where a node keeps its parts.  Use them like
 * PostgreSQL's expression_tree_walker: the callback handles a node, then calls
 * the function, with itself as the callback, to recurse to the node's parts.
 *
 * The parts of a node are the expressions and clauses among its arguments, in
 * order.  The resolved query in CormTree.query is not a part, but the clauses
 * that it was made from are.  A bound value has no parts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/value/node.h"
#include "query/value/walk.h"

/*
 * corm_tree_walker calls walker for each part of a node.  Stops and returns
 * true as soon as a call returns true.  Skips missing parts.
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

/* corm_trees_walker does the same for each tree of a list. */
bool
corm_trees_walker(List *trees, CormTreeWalker walker, void *context)
{
	ListCell   *lc;

	foreach(lc, trees)
	{
		if (walker(lfirst(lc), context))
			return true;
	}
	return false;
}

/*
 * corm_tree_mutator returns a copy of a node, in the current context, with
 * each part replaced by the result of mutator.  The copy shares names with the
 * original.
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

/*
 * corm_trees_mutator returns a list of the results of mutator for each tree.
 */
List *
corm_trees_mutator(List *trees, CormTreeMutator mutator, void *context)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, trees)
	{
		result = lappend(result, mutator(lfirst(lc), context));
	}
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
	{
		if (strcmp(lfirst(x), lfirst(y)) != 0)
			return false;
	}
	return true;
}

/*
 * Returns whether two lists have the same length and walker accepts each pair.
 */
static bool
walk_pairs(const List *a, const List *b, CormTreePairWalker walker, void *context)
{
	const ListCell *x;
	const ListCell *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
	{
		if (!walker(lfirst(x), lfirst(y), context))
			return false;
	}
	return true;
}

/*
 * corm_tree_pair_walker compares two nodes; the caller has checked that they
 * have the same tag.  Returns true if their names, texts and OIDs are equal,
 * their lists have the same length, and walker returns true for each pair of
 * parts.  Stops at the first difference.
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
