/*-------------------------------------------------------------------------
 *
 * truth.c
 *		Constant conditions.
 *
 * A write of all rows must be explicit, so a condition that is true for every
 * row does not count.  Users seldom write such conditions; they result from an
 * empty filter or an empty list.  This file evaluates conditions as far as
 * possible without rows, with SQL's three-valued logic.  A condition that
 * depends on a row is open, even if it could be proved.
 *
 * Two queries of the same shape can differ in an empty array or a constant
 * true.  So each result is a premise of the plan (premises.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/resolve/operators.h"
#include "query/resolve/premises.h"
#include "query/resolve/truth.h"
#include "utils/lsyscache.h"

typedef enum Truth
{
	TRUTH_OPEN,					/* it depends on the row */
	TRUTH_FALSE,
	TRUTH_TRUE,
	TRUTH_NULL
} Truth;

static Truth truth_of(CormTree *tree);

static Truth
not(Truth truth)
{
	return truth == TRUTH_TRUE ? TRUTH_FALSE : truth == TRUTH_FALSE ? TRUTH_TRUE : truth;
}

/*
 * Evaluates AND, or OR, which is AND with true and false swapped.  Looks at
 * all conditions, so that the recorded premises do not depend on values.
 */
static Truth
truth_of_list(List *conditions, Truth neutral)
{
	Truth		result = neutral;
	bool		decided = false;
	ListCell   *lc;

	foreach(lc, conditions)
	{
		Truth		truth = truth_of(lfirst(lc));

		if (truth == not(neutral))
			decided = true;
		else if (truth == TRUTH_OPEN || (truth == TRUTH_NULL && result != TRUTH_OPEN))
			result = truth;
	}
	return decided ? not(neutral) : result;
}

/* Evaluates x IN an array or list: only known if that is empty. */
static Truth
truth_of_in(CormTree *list)
{
	if (list->tag == CORM_N_ROW)
		return list->args[0].list == NIL ? TRUTH_FALSE : TRUTH_OPEN;
	if (list->tag == CORM_N_VALUE && corm_premise(CORM_PREMISE_EMPTY, list, NULL))
		return TRUTH_FALSE;
	return TRUTH_OPEN;
}

/*
 * Evaluates a condition on the rows of a relation: known if the result is the
 * same for any set of rows.
 */
static Truth
truth_of_relation(CormTree *tree)
{
	Truth		truth = truth_of_list(tree->args[1].list, TRUTH_TRUE);

	switch (tree->tag)
	{
		case CORM_N_EVERY:
			return truth == TRUTH_TRUE ? TRUTH_TRUE : TRUTH_OPEN;
		case CORM_N_NONE:
			return truth == TRUTH_FALSE || truth == TRUTH_NULL ? TRUTH_TRUE : TRUTH_OPEN;
		default:
			return truth == TRUTH_FALSE || truth == TRUTH_NULL ? TRUTH_FALSE : TRUTH_OPEN;
	}
}

/* Evaluates a comparison of two conditions. */
static Truth
truth_of_comparison(CormTree *tree)
{
	Truth		left = truth_of(tree->args[0].node);
	Truth		right;

	if (left == TRUTH_OPEN)
		return TRUTH_OPEN;
	right = truth_of(tree->args[1].node);
	if (right == TRUTH_OPEN)
		return TRUTH_OPEN;
	/* "= NULL" is IS NULL */
	if (tree->tag == CORM_N_IS_DISTINCT_FROM || tree->args[1].node->tag == CORM_N_NULL)
		return (left == right) == (tree->tag == CORM_N_EQ) ? TRUTH_TRUE : TRUTH_FALSE;
	if (left == TRUTH_NULL || right == TRUTH_NULL)
		return TRUTH_NULL;
	return (left == right) == (tree->tag == CORM_N_EQ) ? TRUTH_TRUE : TRUTH_FALSE;
}

/*
 * Evaluates COALESCE: the first that is not NULL.  Looks at all, like
 * truth_of_list.
 */
static Truth
truth_of_coalesce(List *args)
{
	Truth		result = TRUTH_NULL;
	ListCell   *lc;

	foreach(lc, args)
	{
		Truth		truth = truth_of(lfirst(lc));

		if (result == TRUTH_NULL)
			result = truth;
	}
	return result;
}

/* Evaluates an expression as a condition, without a row. */
static Truth
truth_of(CormTree *tree)
{
	Truth		truth;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	switch (tree->tag)
	{
		case CORM_N_AND:
			return truth_of_list(tree->args[0].list, TRUTH_TRUE);
		case CORM_N_OR:
			return truth_of_list(tree->args[0].list, TRUTH_FALSE);
		case CORM_N_NOT:
			return not(truth_of(tree->args[0].node));
		case CORM_N_IS_NOT_TRUE:
			truth = truth_of(tree->args[0].node);
			return truth == TRUTH_OPEN ? truth : truth == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
		case CORM_N_AS:
		case CORM_N_FILTER_RELATION:
			return truth_of(tree->args[0].node);
		case CORM_N_CAST:
			corm_require_type(tree->args[1].oid);
			return getBaseType(tree->args[1].oid) == BOOLOID ? truth_of(tree->args[0].node) : TRUTH_OPEN;
		case CORM_N_IN:
			return truth_of_in(tree->args[1].node);
		case CORM_N_NOT_IN:
			return not(truth_of_in(tree->args[1].node));
		case CORM_N_SOME:
		case CORM_N_EVERY:
		case CORM_N_NONE:
			return truth_of_relation(tree);
		case CORM_N_NULL:
			return TRUTH_NULL;
		case CORM_N_VALUE:
			corm_require_type(tree->typid);
			if (tree->typid != UNKNOWNOID && getBaseType(tree->typid) != BOOLOID)
				return TRUTH_OPEN;
			if (corm_premise(CORM_PREMISE_TRUE, tree, NULL))
				return TRUTH_TRUE;
			return tree->typid == UNKNOWNOID ? TRUTH_OPEN : TRUTH_FALSE;
		case CORM_N_IS_NULL:
		case CORM_N_IS_NOT_NULL:
			truth = truth_of(tree->args[0].node);
			if (truth == TRUTH_OPEN)
				return truth;
			return (truth == TRUTH_NULL) == (tree->tag == CORM_N_IS_NULL) ? TRUTH_TRUE : TRUTH_FALSE;
		case CORM_N_EQ:
		case CORM_N_NEQ:
		case CORM_N_IS_DISTINCT_FROM:
			return truth_of_comparison(tree);
		case CORM_N_COALESCE:
			return truth_of_coalesce(tree->args[0].list);
		default:
			return TRUTH_OPEN;
	}
}

/*
 * corm_has_condition returns whether one of the clauses has a condition that
 * is not always true.
 */
bool
corm_has_condition(List *clauses)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_WHERE && truth_of_list(clause->args[0].list, TRUTH_TRUE) != TRUTH_TRUE)
			found = true;
	}
	return found;
}
