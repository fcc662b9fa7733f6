/*-------------------------------------------------------------------------
 *
 * hooked.h
 *		Writes by query of a model with hooks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_HOOKED_H
#define CORM_EXEC_HOOKED_H

#include "exec/rows/call_hooks.h"
#include "exec/run/sink.h"
#include "utils/jsonb.h"

extern uint64 corm_run_hooked(const CormVerb *verb, CormPlan *plan, CormQuerySet *set,
							  CormSink *sink);
extern Jsonb *corm_hooks_before_json(CormHookRun *run, const CormExec *exec, Jsonb *object);

#endif							/* CORM_EXEC_HOOKED_H */
