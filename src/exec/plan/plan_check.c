/*-------------------------------------------------------------------------
 *
 * plan_check.c
 *		Checks that a plan still matches its model and row type.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/rows/in_progress.h"
#include "model/difference.h"
#include "model/model.h"
#include "model/registry.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * corm_exec_check_plan raises 55006 unless a plan was made for the model as it was when
 * the operation began.  A plan for another state would assign the operation's values
 * and sets of fields to the wrong fields.
 */
void
corm_exec_check_plan(const CormExec *exec, const CormPlan *plan)
{
	corm_exec_check(exec);
	if (plan->generation != exec->generation)
		corm_exec_changed(exec->model->name,
						  psprintf("The statement was made of another state of \"%s\".", exec->model->name));
}

/*
 * corm_plan_check raises 55006 if the model of a plan, or the layout of its row type,
 * has changed since the plan was found.
 */
void
corm_plan_check(const CormPlan *plan)
{
	CormModel  *model;
	char	   *change = NULL;

	if (likely(plan->valid))
		return;
	model = OidIsValid(plan->model) ? corm_model_outdated(plan->model, plan->generation) : NULL;
	if (model)
		change = corm_model_change(model);
	else if (OidIsValid(plan->model) && corm_model_get_any(plan->model)->generation != plan->generation)
		change = psprintf("The statement was made of another state of \"%s\".", plan->model_name);
	if (change)
		corm_exec_changed(plan->model_name, change);
	corm_plan_check_rows(plan);
}

/*
 * corm_plan_check_rows raises 55006 if the row type of a plan's result has
 * another layout than that of the plan, so that its rows cannot be read.
 */
void
corm_plan_check_rows(const CormPlan *plan)
{
	TupleDesc	now;
	char	   *change;

	if (likely(plan->valid) || plan->tupdesc == NULL)
		return;
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(plan->typid)))
		corm_exec_changed(plan->model_name ? plan->model_name : "", "The row type was dropped.");
	now = lookup_rowtype_tupdesc(plan->typid, -1);
	change = corm_row_type_difference(format_type_be(plan->typid), plan->tupdesc, now, false);
	ReleaseTupleDesc(now);
	if (change)
		corm_exec_changed(plan->model_name ? plan->model_name : format_type_be(plan->typid), change);
}
