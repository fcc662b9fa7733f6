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

/* For which values the statement is planned. */
typedef enum CormPlanFor
{
	CORM_PLAN_FOR_KNOWN,		/* those of this execution */
	CORM_PLAN_FOR_ALL,			/* all: a generic plan */
	CORM_PLAN_FOR_KEEPING		/* known ones, which will take the places in a
								 * query that is kept */
} CormPlanFor;

extern bool corm_is_not_null_column(List *queries, const Node *node);
extern Query *corm_substitute(CormPlan *plan, const CormQuerySet *set, List *symbols, const Query *query,
							  CormPlanFor plan_for);
extern void corm_fill_places(Query *query, NullableDatum *values);

#endif							/* CORM_INLINE_SUBSTITUTE_H */
