/*-------------------------------------------------------------------------
 *
 * substitute.h
 *		The parameters of a compiled query replaced by what they stand for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_INLINE_SUBSTITUTE_H
#define CORM_INLINE_SUBSTITUTE_H

#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "nodes/parsenodes.h"

/* A value of a call that is not known when the statement is planned. */
typedef struct CormSymbol
{
	Expr	   *expr;			/* in terms of the statement around */
	bool		not_null;		/* it cannot be NULL */
	bool		has_vars;		/* it has columns of the statement around, not
								 * only parameters */
	bool		has_links;		/* it has subqueries */
} CormSymbol;

/* What becomes of the values of a call. */
typedef enum CormValuesOf
{
	CORM_VALUES_OF_EXECUTION,	/* the plan is for this execution, or they are
								 * constants */
	CORM_VALUES_OF_ALL,			/* it is for all executions */
	CORM_VALUES_OF_BRANCH,		/* it is for this one, which may not come to
								 * the call */
	CORM_VALUES_OF_KEPT			/* those of each execution will take the
								 * places in a query that is kept */
} CormValuesOf;

extern bool corm_is_not_null_column(List *queries, const Node *node);
extern Query *corm_substitute(CormPlan *plan, const CormQuerySet *set, List *symbols, const Query *query,
							  CormValuesOf values_of);
extern bool corm_value_is_settled(const CormPlanParam *param, const CormValue *value);
extern void corm_fill_places(Query *query, NullableDatum *values);

#endif							/* CORM_INLINE_SUBSTITUTE_H */
