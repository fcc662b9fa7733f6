/*-------------------------------------------------------------------------
 *
 * dependencies.c
 *		What a statement with compiled queries depends on.
 *
 * A plan of PostgreSQL's that has one of corm's queries in it must be made again
 * when anything changes that decides what the query is, or whether it may be
 * compiled in: models and the registrations about them, middleware, hooks, some
 * settings.  PostgreSQL invalidates plans by relation and by "items", the hash
 * values of rows in a syscache.  So such a plan gets:
 *
 * - the relations of the query, as relations;
 * - the functions whose calls are not in the plan any more, as items;
 * - an item for each relation, and one for all such plans, the marker, with hash
 *	 values that no function has, or by chance.  We announce them by
 *	 CallSyscacheCallbacks() when something changes that is no change of a row
 *	 in a catalog, or not one that names the relation.
 *
 * A model's change is announced to the listeners of the registry, also where it
 * is a change of another table on which its relations depend.  For hooks we watch
 * the hash value that a function named after_find for the model's row type would
 * have in the syscache of functions by name: creating other functions plans
 * nothing again.
 *
 * Messages can come while a statement is being planned, when its plan is not known
 * to PostgreSQL's plan cache yet.  Changes are therefore counted, and a plan that
 * may be late is invalidated as soon as it is known: at the start of the next
 * execution, or at the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "exec/inline/dependencies.h"
#include "model/hooks.h"
#include "model/model.h"
#include "model/registry.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* The hash value that stands for all plans with compiled queries. */
#define MARKER 0xC0521EDBU

/*
 * An item of this cache, which there is not, is for us: its hash value is the model of a
 * compiled query.
 */
#define MODEL_ITEM (-1)

#define FIRST_LIMIT	1024		/* of watched functions, before they are dropped */

/* A relation of a compiled query. */
typedef struct WatchedRelation
{
	Oid			relid;			/* hash key */
	bool		hook;			/* its hook is watched */
} WatchedRelation;

/* A function that would be a hook of a model. */
typedef struct WatchedHook
{
	uint32		hash;			/* of its name, arguments and schema */
	Oid			relid;			/* InvalidOid: of several models */
} WatchedHook;

static HTAB *watched_relations = NULL;
static HTAB *watched_hooks = NULL;
static uint64 changes = 0;
static bool announcing = false;
static bool pending = false;

static uint32
relation_marker(Oid relid)
{
	return hash_combine(MARKER, murmurhash32(relid));
}

/*
 * Invalidates the plans that have an item.  Does not raise, and may be called in
 * callbacks.
 */
static void
announce(uint32 hash)
{
	changes++;
	if (announcing)
		return;
	announcing = true;
	CallSyscacheCallbacks(PROCOID, hash);
	announcing = false;
}

/* A setting has changed. */
static void
setting_changed(void)
{
	announce(MARKER);
}

/*
 * Callback of the registry: a model, or all of them, may have changed; all, too, when
 * something was stored in one of corm's catalogs.
 */
static void
model_changed(Oid relid)
{
	WatchedRelation *relation;

	if (!OidIsValid(relid))
		announce(MARKER);
	else if (watched_relations &&
			 (relation = hash_search(watched_relations, &relid, HASH_FIND, NULL)) != NULL)
	{
		relation->hook = false; /* it may be in another schema */
		announce(relation_marker(relid));
	}
}

/* Syscache callback for functions: what was planned meanwhile may be outdated. */
static void
function_changed(Datum arg, int cacheid, uint32 hash)
{
	if (!announcing)
		changes++;
}

/* Syscache callback for functions by name; hash 0: any may have changed. */
static void
function_name_changed(Datum arg, int cacheid, uint32 hash)
{
	WatchedHook *hook;

	if (watched_hooks == NULL)
		return;
	if (hash == 0)
	{
		announce(MARKER);
		return;
	}
	hook = hash_search(watched_hooks, &hash, HASH_FIND, NULL);
	if (hook)
		announce(OidIsValid(hook->relid) ? relation_marker(hook->relid) : MARKER);
}

/* Syscache callback for labels of enums, which are constants in compiled queries. */
static void
label_changed(Datum arg, int cacheid, uint32 hash)
{
	announce(MARKER);
}

/*
 * corm_dependencies_pending invalidates the plans that were made while something
 * changed.
 */
void
corm_dependencies_pending(void)
{
	if (pending)
	{
		pending = false;
		announce(MARKER);
	}
}

static void
transaction_ended(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		corm_dependencies_pending();
}

/* Whether no plan is late. */
static bool
not_pending(void)
{
	return !pending;
}

/* corm_dependencies_init registers the callbacks. */
void
corm_dependencies_init(void)
{
	corm_registry_on_invalidation(model_changed);
	CacheRegisterSyscacheCallback(PROCOID, function_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCNAMEARGSNSP, function_name_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, label_changed, (Datum) 0);
	corm_on_xact_end(transaction_ended, not_pending);
	corm_inline_changed = setting_changed;
}

/* corm_dependencies_changes returns a number that grows with each announcement. */
uint64
corm_dependencies_changes(void)
{
	return changes;
}

/*
 * Watches for a function that would be the hook after_find of a model.
 */
static void
watch_hook(const CormModel *model)
{
	NameData	name;
	uint32		hash;
	bool		found;
	WatchedHook *hook;

	namestrcpy(&name, corm_hook_name(CORM_HOOK_AFTER_FIND));
	hash = GetSysCacheHashValue3(PROCNAMEARGSNSP, NameGetDatum(&name),
								 PointerGetDatum(buildoidvector(&model->typid, 1)),
								 ObjectIdGetDatum(get_rel_namespace(model->table)));
	hook = hash_search(watched_hooks, &hash, HASH_ENTER, &found);
	if (!found)
		hook->relid = model->relid;
	else if (hook->relid != model->relid)
		hook->relid = InvalidOid;
}

/* Makes the tables of what is watched, or empties them when they have become large. */
static void
prepare_watching(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(WatchedRelation), .hcxt = CacheMemoryContext};

	if (watched_hooks && hash_get_num_entries(watched_hooks) + hash_get_num_entries(watched_relations) > FIRST_LIMIT)
	{
		/* tables that are no more are among them: all plans begin anew */
		announce(MARKER);
		hash_destroy(watched_hooks);
		hash_destroy(watched_relations);
		watched_hooks = watched_relations = NULL;
	}
	if (watched_relations == NULL)
		watched_relations = hash_create("corm compiled relations", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ctl.keysize = sizeof(uint32);
	ctl.entrysize = sizeof(WatchedHook);
	if (watched_hooks == NULL)
		watched_hooks = hash_create("corm compiled hooks", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * corm_dependencies_of_plan adds what decides about a plan of corm's, whether it can
 * be compiled in or not.  Afterwards the caller must check that it is still valid.
 */
void
corm_dependencies_of_plan(CormDependencies *dependencies, const CormPlan *plan)
{
	prepare_watching();
	for (int i = 0; i < plan->nconcerned; i++)
	{
		bool		found;
		WatchedRelation *relation = hash_search(watched_relations, &plan->relids[i], HASH_ENTER, &found);
		CormModel  *model;

		dependencies->relids = list_append_unique_oid(dependencies->relids, plan->relids[i]);
		if (!found)
			relation->hook = false;
		if (relation->hook || i >= plan->nrelids)
			continue;
		/* before it is looked up: looking may bring the message */
		relation->hook = true;
		model = corm_model_cached(plan->relids[i]);
		if (model)
			watch_hook(model);
		else
			relation->hook = false;
	}
}

static PlanInvalItem *
make_item(int cache, uint32 hash)
{
	PlanInvalItem *item = makeNode(PlanInvalItem);

	item->cacheId = cache;
	item->hashValue = hash;
	return item;
}

/*
 * corm_dependencies_add makes a plan depend on what was collected, and on the marker.
 */
void
corm_dependencies_add(const CormDependencies *dependencies, PlannedStmt *stmt)
{
	ListCell   *lc;

	stmt->relationOids = list_concat_unique_oid(stmt->relationOids, dependencies->relids);
	stmt->invalItems = list_concat(stmt->invalItems, dependencies->items);
	foreach(lc, dependencies->functions)
		stmt->invalItems = lappend(stmt->invalItems,
								   make_item(PROCOID, GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(lfirst_oid(lc)))));
	foreach(lc, dependencies->relids)
		stmt->invalItems = lappend(stmt->invalItems, make_item(PROCOID, relation_marker(lfirst_oid(lc))));
	foreach(lc, dependencies->models)
		stmt->invalItems = lappend(stmt->invalItems, make_item(MODEL_ITEM, lfirst_oid(lc)));
	stmt->invalItems = lappend(stmt->invalItems, make_item(PROCOID, MARKER));
	if (dependencies->on_role)
		stmt->dependsOnRole = true;
}

/*
 * corm_dependencies_late says that a plan was made while something changed.
 */
void
corm_dependencies_late(void)
{
	pending = true;
	corm_xact_needs_end();
}

/*
 * corm_was_considered tells whether a plan has compiled queries, or calls that may become
 * some.
 */
bool
corm_was_considered(const PlannedStmt *stmt)
{
	for (int i = list_length(stmt->invalItems) - 1; i >= 0; i--)
	{
		PlanInvalItem *item = list_nth_node(PlanInvalItem, stmt->invalItems, i);

		if (item->cacheId == PROCOID && item->hashValue == MARKER)
			return true;
	}
	return false;
}

/*
 * corm_compiled_models returns the models of the compiled queries in a plan, as Oids in the
 * current context, InvalidOid for a query that has none.
 */
List *
corm_compiled_models(const PlannedStmt *stmt)
{
	List	   *models = NIL;
	ListCell   *lc;

	foreach(lc, stmt->invalItems)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, lc);

		if (item->cacheId == MODEL_ITEM)
			models = lappend_oid(models, item->hashValue);
	}
	return models;
}
