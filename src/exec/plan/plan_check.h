/*-------------------------------------------------------------------------
 *
 * plan_check.h
 *		Checks that a plan still matches its model and row type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_PLAN_CHECK_H
#define CORM_EXEC_PLAN_CHECK_H

#include "exec/plan/plan.h"

extern void corm_exec_check_plan(const CormExec *exec, const CormPlan *plan);
extern bool corm_plan_has_layout(const CormPlan *plan);
extern void corm_plan_check(const CormPlan *plan);
extern void corm_plan_check_rows(const CormPlan *plan);

#endif							/* CORM_EXEC_PLAN_CHECK_H */
