/*-------------------------------------------------------------------------
 *
 * call_hooks.c
 *		Calling the hooks of a write, row by row.
 *
 * A write is of a kind (create, update or delete), which has at most two hooks before
 * it and two after it.  Each is called with the row and may return another one to
 * replace it.  Hooks are called as the user who writes, and need that user's EXECUTE
 * privilege, as if the user had written the call.
 *
 * A caller that writes rows calls corm_hooks_begin once, corm_hooks_before for each row
 * before the first one is written, and corm_hooks_after for each row that was written.
 * What the hooks need is allocated in the context that is current at corm_hooks_begin;
 * what a call leaves behind is freed after each row.
 *
 * The hook after_find is not called here: it is part of the SQL of a read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/in_progress.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#define HOOKS_PER_PHASE 2

/* The hooks of each kind of write in the order of their calls. */
typedef struct KindHooks
{
	CormHook	before[HOOKS_PER_PHASE];
	CormHook	after[HOOKS_PER_PHASE];
	int			n;				/* hooks in each phase */
} KindHooks;

static const KindHooks hooks_of_kind[] = {
	[CORM_WRITE_CREATE] = {
		{CORM_HOOK_BEFORE_SAVE, CORM_HOOK_BEFORE_CREATE},
		{CORM_HOOK_AFTER_CREATE, CORM_HOOK_AFTER_SAVE}, 2
	},
	[CORM_WRITE_UPDATE] = {
		{CORM_HOOK_BEFORE_SAVE, CORM_HOOK_BEFORE_UPDATE},
		{CORM_HOOK_AFTER_UPDATE, CORM_HOOK_AFTER_SAVE}, 2
	},
	[CORM_WRITE_DELETE] = {
		{CORM_HOOK_BEFORE_DELETE},
		{CORM_HOOK_AFTER_DELETE}, 1
	},
};

typedef struct HookCall
{
	CormHook	hook;
	bool		returns_void;
	uint64		changes;		/* state of functions at the last lookup */
	FmgrInfo	function;
} HookCall;

struct CormHookRun
{
	const CormExec *exec;		/* the operation that calls them */
	CormModel  *model;			/* its model */
	MemoryContext work;			/* reset after each row */
	int			nbefore;
	int			nafter;
	HookCall	before[HOOKS_PER_PHASE];
	HookCall	after[HOOKS_PER_PHASE];
};

/* Data for the error context. */
typedef struct HookContext
{
	CormHook	hook;
	CormModel  *model;
} HookContext;

/*
 * Returns the hooks of a kind of write, as bits.
 */
static uint32
kind_bits(CormWriteKind kind)
{
	const KindHooks *order = &hooks_of_kind[kind];
	uint32		bits = 0;

	for (int i = 0; i < order->n; i++)
		bits |= CORM_HOOK_BIT(order->before[i]) | CORM_HOOK_BIT(order->after[i]);
	return bits;
}

/*
 * corm_event_of returns the kind of write for a command.
 */
CormWriteKind
corm_write_kind(CormCommand command)
{
	switch (command)
	{
		case CORM_CMD_UPDATE:
			return CORM_WRITE_UPDATE;
		case CORM_CMD_DELETE:
			return CORM_WRITE_DELETE;
		default:
			return CORM_WRITE_CREATE;
	}
}

/*
 * corm_hooks_has tells whether a write of a model must call hooks.
 */
bool
corm_hooks_has(CormModel *model, CormWriteKind kind)
{
	const CormHooks *hooks;

	if (corm_skip_hooks)
		return false;
	hooks = corm_model_hooks(model);
	return hooks && (hooks->present & kind_bits(kind)) != 0;
}

/*
 * corm_hooks_tell_save_apart tells whether a save must know in advance if it will
 * insert or update.
 */
bool
corm_hooks_tell_save_apart(CormModel *model)
{
	const CormHooks *hooks;

	if (corm_skip_hooks)
		return false;
	hooks = corm_model_hooks(model);
	return hooks && (hooks->present & (kind_bits(CORM_WRITE_CREATE) ^ kind_bits(CORM_WRITE_UPDATE))) != 0;
}

/*
 * Raises 55006 if a hook that was found no longer exists: another session may drop a
 * function at any time.
 */
static void
check_hook(CormModel *model, CormHook hook, Oid function)
{
	if (unlikely(!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function))))
		corm_exec_changed(model->name, psprintf("Hook %s of \"%s\" was dropped.", corm_hook_name(hook), model->name));
}

/*
 * Adds the call of a hook, if the model has it, to those of a phase.  Raises 42501 if the
 * user may not execute the function, 55006 if it was dropped.
 */
static void
add_call(HookCall *calls, int *ncalls, CormModel *model, const CormHooks *hooks, CormHook hook)
{
	HookCall   *call;
	Oid			function = hooks->functions[hook];
	uint64		changes = corm_hooks_changes();
	AclResult	acl;

	if (!OidIsValid(function))
		return;
	check_hook(model, hook, function);
	acl = corm_function_aclcheck(function, GetUserId());
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);

	call = &calls[(*ncalls)++];
	call->hook = hook;
	call->changes = changes;
	call->returns_void = (hooks->returns_void & CORM_HOOK_BIT(hook)) != 0;
	fmgr_info(function, &call->function);
}

/*
 * corm_hooks_begin prepares the calls of the hooks of a write, in the current
 * context; NULL if there are none.  The operation must live as long as they
 * are called.  Raises 42501 if the user may not execute one of them.
 */
CormHookRun *
corm_hooks_begin(const CormExec *exec, CormWriteKind kind)
{
	CormModel  *model = exec->model;
	const KindHooks *order = &hooks_of_kind[kind];
	CormHooks	hooks;
	CormHookRun *run;

	if (!corm_hooks_has(model, kind))
		return NULL;

	hooks = *corm_model_hooks(model);	/* a lookup below may change it */
	CORM_FAULT("hooks-found");
	run = palloc0(sizeof(CormHookRun));
	run->exec = exec;
	run->model = model;
	for (int i = 0; i < order->n; i++)
	{
		add_call(run->before, &run->nbefore, model, &hooks, order->before[i]);
		add_call(run->after, &run->nafter, model, &hooks, order->after[i]);
	}
	run->work = AllocSetContextCreate(CurrentMemoryContext, "corm hooks", ALLOCSET_DEFAULT_SIZES);
	return run;
}

static void
hook_error_context(void *arg)
{
	HookContext *context = arg;

	errcontext("hook %s of model \"%s\"", corm_hook_name(context->hook), context->model->name);
}

/*
 * Calls one hook and returns the row that replaces the given one, in the current
 * context.  Raises 55006 if the hook was dropped, or if it or another session has
 * changed the model since: then neither row can be read.
 */
static Datum
call_hook(CormHookRun *run, HookCall *call, Datum row, bool must_return)
{
	LOCAL_FCINFO(fcinfo, 1);
	HookContext context = {call->hook, run->model};
	ErrorContextCallback errcallback;
	Datum		result;

	errcallback.callback = hook_error_context;
	errcallback.arg = &context;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	InitFunctionCallInfoData(*fcinfo, &call->function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = row;
	fcinfo->args[0].isnull = false;
	CORM_FAULT("hook-call");
	AcceptInvalidationMessages();
	if (unlikely(call->changes != corm_hooks_changes()))
	{
		call->changes = corm_hooks_changes();
		check_hook(run->model, call->hook, call->function.fn_oid);
	}
	result = FunctionCallInvoke(fcinfo);
	CORM_FAULT("hook-returned");
	corm_exec_check(run->exec);

	if (fcinfo->isnull || call->returns_void)
	{
		if (must_return)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("hook %s of model \"%s\" returned null",
							corm_hook_name(call->hook), run->model->name),
					 errhint("To stop the operation, raise an error.")));
		result = row;
	}
	else
		result = PointerGetDatum(DatumGetHeapTupleHeader(result));

	error_context_stack = errcallback.previous;
	return result;
}

/*
 * Passes a row through the hooks of a phase.
 */
static Datum
call_hooks(CormHookRun *run, HookCall *calls, int ncalls, Datum row, bool must_return)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		result = row;

	if (ncalls == 0)
		return row;
	MemoryContextSwitchTo(run->work);
	for (int i = 0; i < ncalls; i++)
		result = call_hook(run, &calls[i], result, must_return);
	MemoryContextSwitchTo(caller);
	if (result != row)
		result = PointerGetDatum(DatumGetHeapTupleHeaderCopy(result));
	MemoryContextReset(run->work);
	return result;
}

/*
 * corm_hooks_before passes a row through the before_* hooks and returns the row to
 * write, in the current context.  Raises the errors of the hooks, and 22004 if one
 * returns NULL.
 */
Datum
corm_hooks_before(CormHookRun *run, Datum row)
{
	return call_hooks(run, run->before, run->nbefore, row, true);
}

/*
 * corm_hooks_after passes a row that was written through the after_* hooks
 * and returns the row to show, in the current context.
 */
Datum
corm_hooks_after(CormHookRun *run, Datum row)
{
	return call_hooks(run, run->after, run->nafter, row, false);
}

/*
 * corm_hooks_after_all passes many rows through the after_* hooks, in place.
 */
void
corm_hooks_after_all(CormHookRun *run, Datum *rows, int nrows)
{
	for (int i = 0; i < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[i] = corm_hooks_after(run, rows[i]);
	}
}
