/*-------------------------------------------------------------------------
 *
 * hooks.h
 *		Hooks of a model: functions that see the rows written and read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_HOOKS_H
#define CORM_MODEL_HOOKS_H

#include "model/model.h"

typedef enum CormHook
{
	CORM_HOOK_BEFORE_SAVE,
	CORM_HOOK_BEFORE_CREATE,
	CORM_HOOK_BEFORE_UPDATE,
	CORM_HOOK_BEFORE_DELETE,
	CORM_HOOK_AFTER_CREATE,
	CORM_HOOK_AFTER_UPDATE,
	CORM_HOOK_AFTER_DELETE,
	CORM_HOOK_AFTER_SAVE,
	CORM_HOOK_AFTER_FIND
} CormHook;

#define CORM_NUM_HOOKS	(CORM_HOOK_AFTER_FIND + 1)
#define CORM_HOOK_BIT(hook)	(1 << (hook))

typedef struct CormHooks
{
	uint64		changes;		/* of functions, seen when these were looked
								 * up */
	uint32		present;		/* bits */
	uint32		returns_void;	/* bits */
	Oid			functions[CORM_NUM_HOOKS];
} CormHooks;

extern void corm_hooks_init(void);
extern const CormHooks *corm_model_hooks(CormModel *model);
extern Oid	corm_model_hook(CormModel *model, CormHook hook);
extern const char *corm_hook_name(CormHook hook);
extern uint64 corm_hooks_changes(void);
extern uint32 corm_hooks_fingerprint(const Oid *relids, int nrelids);

#endif							/* CORM_MODEL_HOOKS_H */
