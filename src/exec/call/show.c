/*-------------------------------------------------------------------------
 *
 * show.c
 *		What would run: the SQL of a query and its arguments.
 *
 * For corm.to_sql, corm.args and corm.explain, and for middleware.  Hooks and middleware
 * themselves are not shown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "exec/call/show.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/rows/json_value.h"
#include "exec/write/insert_rows.h"
#include "nodes/params.h"
#include "utils/jsonb.h"

/*
 * corm_plan_to_show returns a plan, in use, whose SQL shows what would run, without
 * hooks and middleware.  For an insert with rows(), it is the plan of the first run of
 * rows, and set then holds only that run.
 */
CormPlan *
corm_plan_to_show(const CormVerb *wanted, CormQuerySet *set)
{
	CormVerb	verb = *wanted;
	CormPlan   *plan;
	Bitmapset  *volatile fields = NULL;

	verb.stage = CORM_STAGE_PLAIN;
	plan = corm_plan_for_queries(&verb, set, NULL);
	PG_TRY();
	{
		corm_queries_read_values(set);
		if (plan->rows_valno >= 0)
			fields = corm_first_rows(plan, set);
	}
	PG_CATCH();
	{
		corm_plan_release(plan);
		PG_RE_THROW();
	}
	PG_END_TRY();
	CORM_FAULT("show-planned");
	if (plan->rows_valno >= 0)
	{
		corm_plan_release(plan);
		plan = corm_plan_for_queries(&verb, set, fields);
	}
	return plan;
}

/*
 * corm_params_to_json returns the values of a plan's parameters as a JSON
 * array.
 */
Jsonb *
corm_params_to_json(CormPlan *plan, ParamListInfo params)
{
	JsonbParseState *state = NULL;
	JsonbValue	null = {.type = jbvNull};

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < plan->nparams; i++)
	{
		if (params->params[i].isnull)
			pushJsonbValue(&state, WJB_ELEM, &null);
		else
			corm_push_value(&state, WJB_ELEM, params->params[i].ptype, params->params[i].value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * corm_show_query returns the SQL of a query and its arguments.
 */
void
corm_show_query(const CormVerb *verb, CormQuerySet *set, char **sql, Jsonb **args)
{
	CormQuerySet copy;
	CormPlan   *plan;

	/* showing an insert changes its values */
	corm_queries_copy(&copy, set, 0);
	plan = corm_plan_to_show(verb, &copy);
	PG_TRY();
	{
		*sql = pstrdup(plan->sql);
		*args = corm_params_to_json(plan, corm_bind_values(plan, &copy));
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
}
