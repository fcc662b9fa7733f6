/*-------------------------------------------------------------------------
 *
 * show.h
 *		What would run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_SHOW_H
#define CORM_EXEC_SHOW_H

#include "exec/plan/plan.h"
#include "nodes/params.h"
#include "utils/jsonb.h"

extern CormPlan *corm_plan_to_show(const CormVerb *verb, CormQuerySet *set);
extern Jsonb *corm_params_to_json(CormPlan *plan, ParamListInfo params);
extern void corm_show_query(const CormVerb *verb, CormQuerySet *set, char **sql, Jsonb **args);

#endif							/* CORM_EXEC_SHOW_H */
