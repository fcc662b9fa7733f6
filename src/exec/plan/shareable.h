/*-------------------------------------------------------------------------
 *
 * shareable.h
 *		Decides whether the cache may answer a plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_SHAREABLE_H
#define CORM_EXEC_SHAREABLE_H

#include "base/compat.h"
#include "exec/plan/plan.h"

extern void corm_shareable_refused(const char *why) pg_attribute_noreturn();
extern const char *corm_shareable_explain(CormPlan *plan);
extern void corm_shareable_check(CormPlan *plan);
extern bool corm_shareable_now(CormPlan *plan);
extern bool corm_shareable_still(CormPlan *plan);

#endif							/* CORM_EXEC_SHAREABLE_H */
