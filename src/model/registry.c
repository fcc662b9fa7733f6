/*-------------------------------------------------------------------------
 *
 * registry.c
 *		The session's registry of models, and their invalidation.
 *
 * A hash table maps the OID of a relation to its parsed model.  Each model
 * lives in a memory context of its own, a child of the registry's.
 *
 * Lifetime.  An invalidated model leaves the hash at once but not the
 * memory: a caller further up the stack may be using it.  Its context moves to
 * the "zombies", which are freed at the end of the top-level transaction.  So a pointer
 * obtained in a transaction is good until that transaction ends, without
 * pins; and moving a context neither allocates nor raises, which matters in
 * a callback that runs in the middle of anything.
 *
 * Most messages change nothing that a model says: ANALYZE sends one.  So a
 * model that has just been parsed is compared with the outdated ones of its
 * relation, and the one that says the same comes back in its place.  While a
 * transaction lasts, then, what is in progress tells by the pointer whether
 * the model is still what it was (corm_model_change, exec/rows/in_progress.c).
 *
 * Invalidation.  PostgreSQL sends a relcache message when a relation or its
 * columns, indexes or foreign keys change, and corm sends one for what
 * PostgreSQL does not announce: comments (triggers.c) and registrations
 * (options.c).  Beyond relations, a model depends on the name of the table's
 * schema and on the defaults of its domains; syscache messages about those
 * carry a hash value, which the model remembers, so that a session that
 * creates temporary tables all day does not lose every model each time.  A
 * relcache message about one of corm's own catalogs invalidates all models:
 * a restore writes there by COPY.
 *
 * A message may also come while the model is being parsed, when it is not in
 * the hash yet.  Each parse under way has an entry in a list that the
 * callbacks mark; a marked parse is done again.  A model whose parse is
 * marked every time (debug_discard_caches, or a storm of DDL) is handed out
 * without being kept, so that the next call parses it again.
 *
 * The relations of a model are made at first use, and depend on other tables:
 * on the referring ones, those in between, and the far ones.  A second hash
 * holds the OIDs of all such tables, so that a message about a table nobody
 * depends on costs one look, and about another one a walk over the models.
 * Constraints can change without a message about the table they refer to (a
 * foreign key that is not enforced has no trigger there), so any message
 * about a constraint begins an epoch, and lists of an older one are made
 * again when they are next asked for.
 *
 * The callbacks run inside invalidation processing, perhaps without a
 * transaction: they look up nothing and only mark, unlink and move.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/relcache.h"
#include "base/xact_end.h"
#include "catalog/pg_type.h"
#include "lib/ilist.h"
#include "model/catalogs.h"
#include "model/difference.h"
#include "model/hooks.h"
#include "model/parse.h"
#include "model/registry.h"
#include "model/relations_build.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#define MAX_PARSES			4	/* then hand out what there is */
#define FIRST_RELATED_LIMIT	512 /* of tables, before it is looked who has gone */
#define MAX_CALLBACKS		8

typedef struct RegistryEntry
{
	Oid			relid;			/* hash key */
	CormModel  *model;
	bool		mapped;			/* to another table: in mapped_entries */
	dlist_node	node;
} RegistryEntry;

/* A parse under way; lives on the stack of corm_model_get. */
typedef struct Parse
{
	struct Parse *outer;
	bool		outdated;		/* a message came since it began */
} Parse;

static HTAB *registry = NULL;
static HTAB *related = NULL;	/* tables that relations of some model depend
								 * on */
static long related_limit = FIRST_RELATED_LIMIT;
static uint64 relations_epoch = 1;
static MemoryContext registry_context = NULL;
static MemoryContext zombie_context = NULL;
static dlist_head mapped_entries = DLIST_STATIC_INIT(mapped_entries);
static dlist_head outdated_models = DLIST_STATIC_INIT(outdated_models); /* zombies, latest first */
static uint64 retired = 0;		/* models that became outdated, ever, by
								 * messages that named what has changed */
static bool messages_lost = false;	/* the message at hand names nothing */
static Parse *current_parse = NULL;
static uint64 last_generation = 0;

static CormInvalidationCallback callbacks[MAX_CALLBACKS];
static int	ncallbacks = 0;

static void create_registry(void);
static void forget(RegistryEntry *entry);
static void forget_all(void);
static void mark_parses(void);
static void tell_listeners(Oid relid);
static void relcache_changed(Datum arg, Oid relid);
static void schema_changed(Datum arg, int cacheid, uint32 hash);
static void type_changed(Datum arg, int cacheid, uint32 hash);
static void constraint_changed(Datum arg, int cacheid, uint32 hash);
static void forget_related(Oid relid);
static void forget_unrelated(void);
static void transaction_ended(XactEvent event, void *arg);
static bool no_zombies(void);
static CormModel *parse_model(Oid relid);

/*
 * corm_registry_init registers the callbacks.  Called once, from _PG_init,
 * before the init functions of layers that listen to invalidations.
 */
void
corm_registry_init(void)
{
	corm_on_relcache(relcache_changed);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, type_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(CONSTROID, constraint_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, constraint_changed, (Datum) 0);
	corm_on_xact_end(transaction_ended, no_zombies);
}

/*
 * corm_registry_on_invalidation registers a callback for invalidations.
 */
void
corm_registry_on_invalidation(CormInvalidationCallback callback)
{
	if (ncallbacks >= MAX_CALLBACKS)
		elog(FATAL, "too many invalidation callbacks of corm");
	callbacks[ncallbacks++] = callback;
}

/*
 * create_registry makes the hash and its contexts at first use: they cannot
 * be made in the postmaster when the library is preloaded.
 */
static void
create_registry(void)
{
	HASHCTL		ctl;

	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();

	if (registry_context == NULL)
	{
		registry_context = AllocSetContextCreate(CacheMemoryContext, "corm models",
												 ALLOCSET_DEFAULT_SIZES);
		zombie_context = AllocSetContextCreate(CacheMemoryContext, "corm outdated models",
											   ALLOCSET_SMALL_SIZES);
	}

	ctl.keysize = sizeof(Oid);
	ctl.hcxt = registry_context;
	ctl.entrysize = sizeof(Oid);
	related = hash_create("corm related tables", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	/* The last one: that it exists says that all of this does. */
	ctl.entrysize = sizeof(RegistryEntry);
	registry = hash_create("corm models", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * retire makes a model a zombie.  Neither allocates nor raises.
 */
static void
retire(CormModel *model)
{
	model->valid = false;
	model->named = !messages_lost;
	if (model->named)
		retired++;
	corm_xact_needs_end();
	dlist_push_head(&outdated_models, &model->outdated);
	MemoryContextSetParent(model->context, zombie_context);
}

/*
 * bring_back returns the outdated model of this transaction that says what a
 * new one says, in the place of that; without such a model, the new one itself.
 * What is found at first use is looked for again, and the row descriptor is
 * the new one: newer minor releases of PostgreSQL keep in it, and in the rows
 * made by it, when a column was altered.  Looks at no catalog.
 */
static CormModel *
bring_back(CormModel *model)
{
	dlist_iter	iter;

	dlist_foreach(iter, &outdated_models)
	{
		CormModel  *old = dlist_container(CormModel, outdated, iter.cur);

		if (old->relid != model->relid || corm_model_difference(old, model) != NULL)
			continue;
		dlist_delete(&old->outdated);
		old->valid = model->valid;
		if (old->hooks)
			old->hooks->changes = 0;
		if (old->relations)
			MemoryContextSetParent(old->relations->context, zombie_context);
		old->relations = NULL;
		corm_xact_needs_end();
		/* who has the old descriptor has it until the transaction ends */
		if (old->tupdesc_context)
			MemoryContextSetParent(old->tupdesc_context, zombie_context);
		old->tupdesc = model->tupdesc;
		old->tupdesc_context = model->context;
		MemoryContextSetParent(model->context, old->context);
		return old;
	}
	return model;
}

/*
 * forget removes an entry from the hash and makes its model a zombie.
 * Neither allocates nor raises.
 */
static void
forget(RegistryEntry *entry)
{
	CormModel  *model = entry->model;

	if (entry->mapped)
		dlist_delete(&entry->node);
	hash_search(registry, &entry->relid, HASH_REMOVE, NULL);

	retire(model);
}

/*
 * forget_all empties the registry.
 */
static void
forget_all(void)
{
	HASH_SEQ_STATUS scan;
	RegistryEntry *entry;

	if (registry == NULL || hash_get_num_entries(registry) == 0)
		return;

	/* Removing the entry that a scan has just returned is allowed. */
	hash_seq_init(&scan, registry);
	while ((entry = hash_seq_search(&scan)) != NULL)
		forget(entry);
}

/*
 * mark_parses tells the parses under way that something has changed.  Which
 * relations they have read is not recorded: parsing once more is cheap.
 */
static void
mark_parses(void)
{
	for (Parse *parse = current_parse; parse != NULL; parse = parse->outer)
		parse->outdated = true;
}

/*
 * tell_listeners passes an invalidation on to the layers above.
 */
static void
tell_listeners(Oid relid)
{
	for (int i = 0; i < ncallbacks; i++)
		callbacks[i] (relid);
}

/*
 * relcache_changed is the relcache callback; relid is InvalidOid when
 * messages were lost and everything may have changed.
 */
static void
relcache_changed(Datum arg, Oid relid)
{
	RegistryEntry *entry;
	dlist_mutable_iter iter;

	mark_parses();
	messages_lost = !OidIsValid(relid);

	if (corm_catalogs_contain(relid))
		relid = InvalidOid;

	if (!OidIsValid(relid))
	{
		/* The next parse looks the catalogs up. */
		corm_catalogs_forget();
		forget_all();
	}
	else if (registry != NULL)
	{
		entry = hash_search(registry, &relid, HASH_FIND, NULL);
		if (entry != NULL)
			forget(entry);

		dlist_foreach_modify(iter, &mapped_entries)
		{
			entry = dlist_container(RegistryEntry, node, iter.cur);
			if (entry->model->table == relid)
			{
				tell_listeners(entry->relid);
				forget(entry);
			}
		}

		forget_related(relid);
	}
	messages_lost = false;

	tell_listeners(relid);
}

/*
 * forget_related forgets the models whose relations depend on a table.
 */
static void
forget_related(Oid relid)
{
	HASH_SEQ_STATUS scan;
	RegistryEntry *entry;

	if (hash_search(related, &relid, HASH_FIND, NULL) == NULL)
		return;

	hash_seq_init(&scan, registry);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		struct CormRelations *relations = entry->model->relations;
		bool		affected = false;

		for (int i = 0; relations != NULL && i < relations->ndepends && !affected; i++)
			affected = (relations->depends[i] == relid);
		if (affected)
		{
			tell_listeners(entry->relid);
			forget(entry);
		}
	}
}

/*
 * forget_unrelated removes from the hash of related tables those that no
 * model depends on any more, such as dropped ones.  Called each time that the
 * hash has doubled.
 */
static void
forget_unrelated(void)
{
	HASH_SEQ_STATUS scan;
	RegistryEntry *entry;
	Oid		   *relid;

	/* Removing the entry that a scan has just returned is allowed. */
	hash_seq_init(&scan, related);
	while ((relid = hash_seq_search(&scan)) != NULL)
		hash_search(related, relid, HASH_REMOVE, NULL);

	hash_seq_init(&scan, registry);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		struct CormRelations *relations = entry->model->relations;

		for (int i = 0; relations != NULL && i < relations->ndepends; i++)
			hash_search(related, &relations->depends[i], HASH_ENTER, NULL);
	}
	related_limit = Max(2 * hash_get_num_entries(related), FIRST_RELATED_LIMIT);
}

/*
 * schema_changed is the syscache callback for schemas: a table's schema may
 * have another name now.
 */
static void
schema_changed(Datum arg, int cacheid, uint32 hash)
{
	HASH_SEQ_STATUS scan;
	RegistryEntry *entry;

	mark_parses();
	if (registry == NULL || hash_get_num_entries(registry) == 0)
		return;

	messages_lost = hash == 0;
	hash_seq_init(&scan, registry);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (hash == 0 || entry->model->schema_hash == hash)
		{
			tell_listeners(entry->relid);
			forget(entry);
		}
	}
	messages_lost = false;
}

/*
 * type_changed is the syscache callback for types: a domain's default may be
 * another one now.
 */
static void
type_changed(Datum arg, int cacheid, uint32 hash)
{
	HASH_SEQ_STATUS scan;
	RegistryEntry *entry;

	mark_parses();
	if (registry == NULL || hash_get_num_entries(registry) == 0)
		return;

	messages_lost = hash == 0;
	hash_seq_init(&scan, registry);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		CormModel  *model = entry->model;
		bool		affected = (hash == 0);

		for (int i = 0; i < model->ntypes && !affected; i++)
			affected = (model->type_hashes[i] == hash);
		if (affected)
		{
			tell_listeners(entry->relid);
			forget(entry);
		}
	}
	messages_lost = false;
}

/*
 * constraint_changed is the syscache callback for constraints, and for roles:
 * a superuser's foreign keys count as those of the model's owner.
 */
static void
constraint_changed(Datum arg, int cacheid, uint32 hash)
{
	mark_parses();
	relations_epoch++;
}

/*
 * transaction_ended frees the zombies.  Nothing here can raise, so that it may
 * run after the commit.
 */
static void
transaction_ended(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;

	dlist_init(&outdated_models);
	if (zombie_context != NULL)
		MemoryContextDeleteChildren(zombie_context);
}

/* Whether there is nothing to free. */
static bool
no_zombies(void)
{
	return dlist_is_empty(&outdated_models) && (zombie_context == NULL || zombie_context->firstchild == NULL);
}

/*
 * corm_model_cached returns the model of a relation if it has been parsed
 * already, else NULL.  Raises nothing of its own.
 */
CormModel *
corm_model_cached(Oid relid)
{
	RegistryEntry *entry;

	/* The next call sees what another session has committed. */
	AcceptInvalidationMessages();

	if (registry == NULL)
		return NULL;
	entry = hash_search(registry, &relid, HASH_FIND, NULL);
	return entry ? entry->model : NULL;
}

/*
 * corm_model_get_any returns the model of a relation, which need not be
 * mapped to a table: model->table is InvalidOid for a composite type without
 * one.  The model stays valid as memory until the transaction ends.  Raises
 * 42P01 for no such relation, 42809 for one that can be no model, OR005 and
 * OR006 for bad tags and registrations.
 */
CormModel *
corm_model_get_any(Oid relid)
{
	CormModel  *model = corm_model_cached(relid);
	RegistryEntry *entry;

	if (model != NULL)
		return model;

	if (registry == NULL)
		create_registry();
	model = bring_back(parse_model(relid));
	if (!model->valid)
	{
		/* it never stayed the same for long enough: all is discarded all the time */
		messages_lost = true;
		retire(model);
		messages_lost = false;
		return model;
	}

	/* Nothing between here and the end looks at a catalog. */
	entry = hash_search(registry, &relid, HASH_ENTER, NULL);
	entry->model = model;
	entry->mapped = (model->table != model->relid);
	if (entry->mapped)
		dlist_push_tail(&mapped_entries, &entry->node);
	MemoryContextSetParent(model->context, registry_context);

	return model;
}

/*
 * corm_model_outdated returns the outdated model of that generation if it was
 * in use in this transaction, else NULL.
 */
CormModel *
corm_model_outdated(Oid relid, uint64 generation)
{
	dlist_iter	iter;

	dlist_foreach(iter, &outdated_models)
	{
		CormModel  *model = dlist_container(CormModel, outdated, iter.cur);

		if (model->relid == relid && model->generation == generation)
			return model;
	}
	return NULL;
}

/*
 * corm_models_retired counts the models that became outdated in this session, by a
 * message about something that has changed.  If the number has grown, what was resolved in
 * between may be a mixture of states.  When messages were lost, or the server discards its
 * caches, all models are outdated and mostly none has changed: that does not count.
 */
uint64
corm_models_retired(void)
{
	return retired;
}

/*
 * corm_model_retired_last returns the name of the model that became outdated last, as
 * corm_models_retired counts it, or NULL.  Neither allocates nor raises.
 */
const char *
corm_model_retired_last(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &outdated_models)
	{
		CormModel  *model = dlist_container(CormModel, outdated, iter.cur);

		if (model->named)
			return model->name;
	}
	return NULL;
}

/*
 * corm_model_change tells whether a model that was obtained in this transaction
 * is still what its relation is: NULL, or else what has changed, as a sentence
 * in the current context.  Reads pending invalidations, and costs next to
 * nothing while the model is valid.  Raises what corm_model_get_any raises of
 * what the relation is now.
 */
char *
corm_model_change(CormModel *model)
{
	CormModel  *now;
	TupleDesc	tupdesc;
	char	   *change;

	AcceptInvalidationMessages();
	if (likely(model->valid))
		return NULL;
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(model->relid)) ||
		!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(model->typid)))
		return psprintf("\"%s\" was dropped.", model->name);
	/* a column may have come that makes it no model: that is not what to tell */
	tupdesc = lookup_rowtype_tupdesc(model->typid, -1);
	change = corm_row_type_difference(model->name, model->tupdesc, tupdesc, false);
	ReleaseTupleDesc(tupdesc);
	if (change)
		return change;
	now = corm_model_get_any(model->relid);
	return now == model ? NULL : corm_model_difference(model, now);
}

/*
 * corm_model_get returns the model of a relation, as corm_model_get_any does,
 * and raises 42809 unless it has a table.
 */
CormModel *
corm_model_get(Oid relid)
{
	CormModel  *model = corm_model_get_any(relid);

	corm_model_require_table(model);
	return model;
}

/*
 * corm_model_get_for_type returns the model that the values of a type are
 * rows of; the type may be a domain.  Raises 42809 if it is no row type, and
 * what corm_model_get raises.
 */
CormModel *
corm_model_get_for_type(Oid typid)
{
	Oid			relid = get_typ_typrelid(getBaseType(typid));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("type %s is not the row type of a model", format_type_be(typid)),
				 typid == RECORDOID ?
				 errhint("Cast the row to the type of a table, view or composite type.") : 0));
	return corm_model_get(relid);
}

/*
 * parse_model parses a model, again when something changed in between, and
 * returns it in a context of its own, child of the current one.  The model is
 * not valid if it must not be kept.
 */
static CormModel *
parse_model(Oid relid)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "corm model parse",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	CormModel  *model;
	Parse		parse;

	parse.outer = current_parse;
	for (int tries = 1;; tries++)
	{
		parse.outdated = false;
		current_parse = &parse;
		PG_TRY();
		{
			CormOverrides overrides;
			bool		registered;

			corm_catalogs_look_up();
			registered = corm_overrides_load(relid, &overrides);
			CORM_FAULT("model-options");
			model = corm_model_parse(relid, registered ? &overrides : NULL);
			CORM_FAULT("model-parsed");
		}
		PG_FINALLY();
		{
			current_parse = parse.outer;
		}
		PG_END_TRY();

		if (!parse.outdated || tries >= MAX_PARSES)
			break;
		MemoryContextReset(work);
	}

	model = corm_model_copy(model, old);
	model->generation = ++last_generation;
	model->valid = !parse.outdated;

	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	return model;
}

/*
 * corm_registry_relations returns the relations of a model, and makes the list
 * unless there is one that is good.  A list that is replaced stays valid until
 * the transaction ends.  Raises what is wrong with the tags of foreign keys.
 */
CormRelations *
corm_registry_relations(CormModel *model)
{
	MemoryContext work;
	MemoryContext old;
	CormRelations *relations;
	Parse		parse;
	uint64		epoch;

	if (model->relations != NULL && model->relations->epoch == relations_epoch)
		return model->relations;

	work = AllocSetContextCreate(CurrentMemoryContext, "corm relations work",
								 ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	parse.outer = current_parse;
	for (int tries = 1;; tries++)
	{
		MemoryContext keep = AllocSetContextCreate(work, "corm relations", ALLOCSET_SMALL_SIZES);

		parse.outdated = false;
		epoch = relations_epoch;
		current_parse = &parse;
		PG_TRY();
		{
			CORM_FAULT("relations-begin");
			relations = corm_relations_build(model, keep);
			CORM_FAULT("relations-built");
		}
		PG_FINALLY();
		{
			current_parse = parse.outer;
		}
		PG_END_TRY();

		if (!parse.outdated || tries >= MAX_PARSES)
			break;
		MemoryContextReset(work);
	}

	/* No epoch is 0: a list that may be outdated is made again next time. */
	relations->epoch = parse.outdated ? 0 : epoch;
	if (hash_get_num_entries(related) >= related_limit)
		forget_unrelated();
	for (int i = 0; i < relations->ndepends; i++)
		hash_search(related, &relations->depends[i], HASH_ENTER, NULL);

	if (model->relations != NULL)
	{
		MemoryContextSetParent(model->relations->context, zombie_context);
		corm_xact_needs_end();
	}
	MemoryContextSetParent(relations->context, model->context);
	model->relations = relations;

	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	return relations;
}
