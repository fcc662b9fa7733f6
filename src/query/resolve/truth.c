/*-------------------------------------------------------------------------
 *
 * truth.c
 *		Conditions that say nothing.
 *
 * A write of all rows has to be asked for, so a condition that is true for
 * every row does not count as one.  Such conditions are seldom written by hand;
 * they come from a filter without members, or from a list that turns out to be
 * empty.  This file finds what is known about a condition whatever the rows
 * are, by SQL's rules with three values.  A condition that depends on a row is
 * open, even if it could be proved.
 *
 * Of two queries of the same shape, one may have an empty array, or true,
 * where the other has not: what was found is a premise of the plan (premises.c).
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
 * AND, or OR with the parts of true and false exchanged.  All conditions are
 * looked at, so that what is noted of values does not depend on them.
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

/* x in an array or a list: only if there is nothing in it something is known */
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
 * A condition on the rows of a relation: known where none of them can count.
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

/* Two conditions compared with each other. */
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

/* The first that is not NULL; all are looked at, as in truth_of_list. */
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

/* What is known of an expression as a condition, whatever the row is. */
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
 * corm_has_condition tells whether one of the clauses has a condition that
 * need not be true.
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
