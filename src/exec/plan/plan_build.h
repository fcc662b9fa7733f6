/*-------------------------------------------------------------------------
 *
 * plan_build.h
 *		From a query or a record to a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_PLAN_BUILD_H
#define CORM_EXEC_PLAN_BUILD_H

#include "exec/plan/plan.h"

typedef struct CormKnownLimit
{
	int			valno;			/* of the bound value */
	int64		limit;
} CormKnownLimit;

#define CORM_MAX_KNOWN_LIMITS 4

extern int	corm_known_limits(CormQuerySet *set, CormKnownLimit *limits);

/*
 * The input for a plan: the queries of a call, or a record that gives some of its
 * model's fields.
 */
typedef struct CormPlanMaker
{
	const CormVerb *verb;
	bool		path_is_safe;	/* see corm_search_path_is_safe */
	/* queries */
	CormQuerySet *set;
	Bitmapset  *rows_fields;	/* fields that rows() give */
	int			nlimits;		/* limits that the plan is made for */
	const CormKnownLimit *limits;
	/* records */
	const CormExec *exec;
	Bitmapset  *fields;
} CormPlanMaker;

extern void corm_plan_build(CormPlan *plan, const CormPlanMaker *maker);
extern void corm_plan_lock(CormPlan *plan);

#endif							/* CORM_EXEC_PLAN_BUILD_H */
