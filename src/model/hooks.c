/*-------------------------------------------------------------------------
 *
 * hooks.c
 *		The hooks of a model: which functions they are.
 *
 * A hook is found by its name, before_save and the like, among the functions
 * of the table's schema that take exactly the model's row type.  It must
 * belong to the owner of the table: what others may create there is never
 * called.
 *
 * The answer is kept in the model.  PostgreSQL sends a message about every
 * change of a function, but it does not say which one, so the messages are
 * counted and the lookup is done again when the count has moved: nine probes
 * of a syscache, which remembers what does not exist, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
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

/* Messages about functions so far; a model's count of 0 means: never looked. */
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
 * find_hook returns a hook of a model, or InvalidOid.  *is_void is set if it
 * returns nothing.  Raises 42P13 for a function that would be a hook if it
 * returned what one must return: to ignore it would be a trap.
 */
static Oid
find_hook(CormModel *model, CormHook hook, Oid schema, Oid owner, bool *is_void)
{
	oidvector  *args = buildoidvector(&model->typid, 1);
	HeapTuple	tuple = SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum(hook_names[hook]),
										PointerGetDatum(args), ObjectIdGetDatum(schema));
	Form_pg_proc form;
	Oid			function = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->proowner == owner && form->prokind == PROKIND_FUNCTION)
	{
		bool		is_before = strncmp(hook_names[hook], "before_", 7) == 0;

		function = form->oid;
		*is_void = form->prorettype == VOIDOID;
		if (form->proretset || (form->prorettype != model->typid && !(*is_void && !is_before)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
					 errmsg("function %s cannot be a hook of model \"%s\"",
							format_procedure(function), model->name),
					 errdetail(is_before ? "It must return %s." : "It must return %s or void.",
							   format_type_be(model->typid)),
					 errhint("If it is not meant to be a hook, give it another name.")));
	}
	ReleaseSysCache(tuple);
	return function;
}

/*
 * find_hooks looks for all hooks of a model.
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

		ReleaseSysCache(tuple);
		for (int hook = 0; hook < CORM_NUM_HOOKS; hook++)
		{
			bool		is_void = false;
			Oid			function = find_hook(model, hook, schema, owner, &is_void);

			hooks.functions[hook] = function;
			if (OidIsValid(function))
				hooks.present |= CORM_HOOK_BIT(hook);
			if (is_void)
				hooks.returns_void |= CORM_HOOK_BIT(hook);
		}
	}
	model->hooks = hooks;
}

/*
 * corm_model_hooks returns the hooks of a model, or NULL if it has none.  The
 * result is the model's own and may change with the next call.
 */
const CormHooks *
corm_model_hooks(CormModel *model)
{
	if (unlikely(model->hooks.changes != function_changes))
		find_hooks(model);
	return model->hooks.present ? &model->hooks : NULL;
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
 * corm_registry_init.
 */
void
corm_hooks_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, functions_changed, (Datum) 0);
	corm_describe_section("hooks", describe_hooks);
}
