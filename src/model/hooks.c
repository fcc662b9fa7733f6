/*-------------------------------------------------------------------------
 *
 * hooks.c
 *		The hooks of a model: which functions they are.
 *
 * A hook is found by its name, such as before_save, among the functions of the
 * table's schema whose only argument is the model's row type.  It must belong
 * to the owner of the table: a function that another role has created there is
 * never called.
 *
 * The answer is kept in the model.  PostgreSQL sends a message about every
 * change of a function, but the message does not say which one, so messages are
 * counted and the lookup is done again when the count has changed.  It reads
 * pg_proc by its index on names, not through the syscache, which would remember
 * for each table that there are no hooks: 250 bytes for each of nine names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/jsonb.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "model/describe.h"
#include "model/hooks.h"
#include "model/registry.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

static const char *const hook_names[CORM_NUM_HOOKS] = {
	[CORM_HOOK_BEFORE_SAVE] = "before_save",
	[CORM_HOOK_BEFORE_CREATE] = "before_create",
	[CORM_HOOK_AFTER_CREATE] = "after_create",
	[CORM_HOOK_BEFORE_UPDATE] = "before_update",
	[CORM_HOOK_AFTER_UPDATE] = "after_update",
	[CORM_HOOK_AFTER_SAVE] = "after_save",
	[CORM_HOOK_BEFORE_DELETE] = "before_delete",
	[CORM_HOOK_AFTER_DELETE] = "after_delete",
	[CORM_HOOK_AFTER_FIND] = "after_find",
};

/* Messages about functions so far.  Hooks with a count of 0 must be looked up again. */
static uint64 function_changes = 1;

/*
 * functions_changed is the syscache callback for functions.
 */
static void
functions_changed(Datum arg, int cacheid, uint32 hash)
{
	function_changes++;
}

/*
 * corm_hook_name returns the name of a hook.
 */
const char *
corm_hook_name(CormHook hook)
{
	return hook_names[hook];
}

/*
 * corm_hooks_changes returns a number that grows when any function changes.
 */
uint64
corm_hooks_changes(void)
{
	return function_changes;
}

/*
 * check_hook looks at a function that has the name, the argument and the owner
 * of a hook, and returns whether it is one.  *is_void is set if it returns
 * nothing.  Raises 42P13 for a function that would be a hook if it returned
 * what one must return: to ignore it would be a trap.
 */
static bool
check_hook(CormModel *model, CormHook hook, Form_pg_proc form, bool *is_void)
{
	bool		is_before = strncmp(hook_names[hook], "before_", 7) == 0;

	if (form->prokind != PROKIND_FUNCTION)
		return false;
	*is_void = form->prorettype == VOIDOID;
	if (form->proretset || (form->prorettype != model->typid && !(*is_void && !is_before)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s cannot be a hook of model \"%s\"",
						format_procedure(form->oid), model->name),
				 errdetail(is_before ? "It must return %s." : "It must return %s or void.",
						   format_type_be(model->typid)),
				 errhint("If it is not meant to be a hook, give it another name.")));
	return true;
}

/*
 * find_hook returns a hook of a model, or InvalidOid, and raises what
 * check_hook does.
 */
static Oid
find_hook(CormModel *model, CormHook hook, Relation functions, Oid schema, Oid owner, bool *is_void)
{
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			function = InvalidOid;

	ScanKeyInit(&keys[0], Anum_pg_proc_proname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(hook_names[hook]));
	ScanKeyInit(&keys[1], Anum_pg_proc_proargtypes, BTEqualStrategyNumber, F_OIDVECTOREQ,
				PointerGetDatum(buildoidvector(&model->typid, 1)));
	ScanKeyInit(&keys[2], Anum_pg_proc_pronamespace, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(schema));
	scan = systable_beginscan(functions, ProcedureNameArgsNspIndexId, true, NULL, 3, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

		if (form->proowner == owner && check_hook(model, hook, form, is_void))
			function = form->oid;
	}
	systable_endscan(scan);
	return function;
}

/*
 * find_hooks looks for all hooks of a model.  What it reads may change while
 * it does, so it counts as of before.
 */
static void
find_hooks(CormModel *model)
{
	CormHooks	hooks = {.changes = function_changes};
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(model->table));

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
		Oid			schema = form->relnamespace;
		Oid			owner = form->relowner;
		Relation	functions;

		ReleaseSysCache(tuple);
		functions = table_open(ProcedureRelationId, AccessShareLock);
		for (int hook = 0; hook < CORM_NUM_HOOKS; hook++)
		{
			bool		is_void = false;
			Oid			function = find_hook(model, hook, functions, schema, owner, &is_void);

			hooks.functions[hook] = function;
			if (OidIsValid(function))
				hooks.present |= CORM_HOOK_BIT(hook);
			if (is_void)
				hooks.returns_void |= CORM_HOOK_BIT(hook);
		}
		table_close(functions, AccessShareLock);
	}
	if (model->hooks == NULL)
		model->hooks = MemoryContextAlloc(GetMemoryChunkContext(model), sizeof(CormHooks));
	*model->hooks = hooks;
}

/*
 * corm_model_hooks returns the hooks of a model, or NULL if it has none.  The
 * result is the model's own and may change with the next call.
 */
const CormHooks *
corm_model_hooks(CormModel *model)
{
	if (unlikely(model->hooks == NULL || model->hooks->changes != function_changes))
		find_hooks(model);
	return model->hooks->present ? model->hooks : NULL;
}

/*
 * corm_model_hook returns one hook of a model, or InvalidOid.
 */
Oid
corm_model_hook(CormModel *model, CormHook hook)
{
	const CormHooks *hooks = corm_model_hooks(model);

	return hooks ? hooks->functions[hook] : InvalidOid;
}

/*
 * corm_hooks_fingerprint returns a number that tells the hooks of those of
 * the relations that are models apart from other hooks.
 */
uint32
corm_hooks_fingerprint(const Oid *relids, int nrelids)
{
	uint32		hash = 0;

	for (int i = 0; i < nrelids; i++)
	{
		CormModel  *model = corm_model_cached(relids[i]);
		const CormHooks *hooks = model ? corm_model_hooks(model) : NULL;

		if (hooks)
			hash = hash_combine(hash, hash_bytes((const unsigned char *) hooks->functions,
												 sizeof(hooks->functions)));
	}
	return hash;
}

/*
 * describe_hooks is the section "hooks" of corm.describe: the names, in the
 * order of a write.
 */
static void
describe_hooks(CormModel *model, JsonbParseState **state)
{
	const CormHooks *hooks = corm_model_hooks(model);

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int hook = 0; hooks && hook < CORM_NUM_HOOKS; hook++)
	{
		if (hooks->present & CORM_HOOK_BIT(hook))
			corm_json_string(state, WJB_ELEM, hook_names[hook]);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * corm_hooks_init registers the callback and the section.  Called once, from
 * corm_model_init.
 */
void
corm_hooks_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, functions_changed, (Datum) 0);
	corm_describe_section("hooks", describe_hooks);
}
