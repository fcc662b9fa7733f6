/*-------------------------------------------------------------------------
 *
 * plan_check.c
 *		Checks that a plan still matches its model and row type.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/value.h"
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

	if (likely(plan->valid && plan->layout == 0))
		return;
	if (!plan->valid && OidIsValid(plan->model))
	{
		model = corm_model_outdated(plan->model, plan->generation);
		if (model)
			change = corm_model_change(model);
		else if (corm_model_get_any(plan->model)->generation != plan->generation)
			change = psprintf("The statement was made of another state of \"%s\".", plan->model_name);
		if (change)
			corm_exec_changed(plan->model_name, change);
	}
	corm_plan_check_rows(plan);
}

/*
 * corm_plan_has_layout tells whether the composite types in the result of a plan still have
 * the layouts of when it was made.  PostgreSQL invalidates a plan when one of its relations
 * changes, and a column's type cannot be altered; but the column may have been dropped, or
 * the value is of SQL of the user's.
 */
bool
corm_plan_has_layout(const CormPlan *plan)
{
	CormTypeInfo *info = corm_type_info(plan->typid);

	return info->exists && info->check == plan->layout;
}

/*
 * corm_plan_check_rows raises 55006 if the type of a plan's result has another layout than
 * that of the plan, so that its rows or values cannot be read.
 */
void
corm_plan_check_rows(const CormPlan *plan)
{
	TupleDesc	now;
	char	   *change;

	if (unlikely(plan->layout != 0) && !corm_plan_has_layout(plan))
	{
		char	   *type = format_type_extended(plan->typid, -1, FORMAT_TYPE_ALLOW_INVALID);

		corm_exec_changed(plan->model_name ? plan->model_name : type,
						  SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(plan->typid)) ?
						  psprintf("The type %s, or one in it, was altered.", type) : "The type of its result was dropped.");
	}
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
