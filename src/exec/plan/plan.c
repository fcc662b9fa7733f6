/*-------------------------------------------------------------------------
 *
 * plan.c
 *		The session's cache of plans.
 *
 * A plan is kept under a key of bytes: the verb with its result type, whether the
 * search_path is safe and hooks are skipped, and the shapes of the queries; then, where
 * there are any, limits of a usual size (plan_build.c) and the set of fields that
 * rows() gives.  For the write of a record the set of its fields stands in place of the
 * shapes.  If a plan relies on premises about its values, these and whether they hold are
 * at the end of its key (query/resolve/premises.c).
 *
 * Correctness: a plan becomes invalid when a relation that it was made from changes;
 * the registry forwards PostgreSQL's invalidation messages.  Messages are read when a
 * lock is taken, so we lock all relations of a plan before using it, and rebuild it if
 * it is found invalid.  We also rebuild a plan if the hooks of one of its models have
 * changed, or if PostgreSQL's plan of its SQL is invalid.  If the types of values given
 * as text were inferred under the search_path, we rebuild it when the path or the role
 * has changed.  PostgreSQL's own plan cache handles the rest: statistics, and the role
 * for row-level security.
 *
 * If messages arrive while a plan is being made, it is not kept but made again.  After
 * a few tries, the plan is used once.  A record is written only by a plan for the same
 * generation of its model as the record's values (rows/in_progress.c).
 *
 * Size: there are at most corm.plan_cache_size plans.  Outdated ones go first, then the
 * least recently used.  A plan that is being executed is freed by the last execution
 * that releases it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/exact_json.h"
#include "base/guc.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "exec/exec.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_build.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/rows/in_progress.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "model/registry.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct PlanEntry
{
	CormPlan   *plan;			/* its key is the entry's */
	uint32		hash;
	char		status;
} PlanEntry;

#define SH_PREFIX plan_table
#define SH_ELEMENT_TYPE PlanEntry
#define SH_KEY_TYPE CormPlan *
#define SH_KEY plan
#define SH_HASH_KEY(tb, key) (key)->hash
#define SH_EQUAL(tb, a, b) \
	((a)->key_len == (b)->key_len && memcmp((a)->key, (b)->key, (a)->key_len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define MAX_BUILDS 3			/* after that, use the last plan once */

static MemoryContext plan_context = NULL;
static plan_table_hash *plans = NULL;
static dlist_head plans_lru = DLIST_STATIC_INIT(plans_lru); /* valid ones, most
															 * recent first */
static dlist_head plans_outdated = DLIST_STATIC_INIT(plans_outdated);

/* relations that cached plans were made from; most messages are about other relations */
typedef struct PlannedRelation
{
	Oid			relid;			/* hash key */
	int			nplans;
} PlannedRelation;

static HTAB *planned_relations = NULL;

/* the key under construction */
static char *key_buffer = NULL;
static uint32 key_size = 0;

/* counters for corm.plan_cache_stats() */
static uint64 plan_hits = 0;
static uint64 plan_misses = 0;
static uint64 plan_evictions = 0;

/* number of invalidations seen, to notice one during a build */
static uint64 invalidations = 0;

PG_FUNCTION_INFO_V1(corm_plan_cache_stats);

static bool
is_made_of(const CormPlan *plan, Oid relid)
{
	for (int i = 0; i < plan->nrelids; i++)
		if (plan->relids[i] == relid)
			return true;
	return false;
}

/*
 * Marks the plans made from a relation as invalid and moves them to the outdated list,
 * so that the next message finds only valid ones.  Runs within PostgreSQL's
 * invalidation processing, so it must not do more.
 */
static void
invalidate_plans(Oid relid)
{
	dlist_mutable_iter iter;

	invalidations++;
	if (planned_relations == NULL ||
		(OidIsValid(relid) && hash_search(planned_relations, &relid, HASH_FIND, NULL) == NULL))
		return;
	dlist_foreach_modify(iter, &plans_lru)
	{
		CormPlan   *plan = dlist_container(CormPlan, lru, iter.cur);

		if (OidIsValid(relid) && !is_made_of(plan, relid))
			continue;
		plan->valid = false;
		dlist_delete(&plan->lru);
		dlist_push_tail(&plans_outdated, &plan->lru);
	}
}

/*
 * Counts a cached plan for each of its relations.  If we run out of memory, some stay
 * counted forever, which only costs time.
 */
static void
count_relations(const CormPlan *plan)
{
	for (int i = 0; i < plan->nrelids; i++)
	{
		bool		found;
		PlannedRelation *relation = hash_search(planned_relations, &plan->relids[i], HASH_ENTER, &found);

		if (!found)
			relation->nplans = 0;
		relation->nplans++;
	}
}

/* Undoes that when the plan leaves the cache.  Does not raise errors. */
static void
uncount_relations(const CormPlan *plan)
{
	for (int i = 0; i < plan->nrelids; i++)
	{
		PlannedRelation *relation = hash_search(planned_relations, &plan->relids[i], HASH_FIND, NULL);

		if (relation && --relation->nplans == 0)
			(void) hash_search(planned_relations, &plan->relids[i], HASH_REMOVE, NULL);
	}
}

/* corm_plan_init hooks the cache to the registry's invalidation. */
void
corm_plan_init(void)
{
	corm_registry_on_invalidation(invalidate_plans);
}

static void
free_plan(CormPlan *plan)
{
	if (plan->spi)
		SPI_freeplan(plan->spi);
	MemoryContextDelete(plan->context);
}

/*
 * Removes a plan from the cache.  It is freed now, or when its last execution ends.
 */
static void
drop_plan(CormPlan *plan)
{
	plan_table_delete(plans, plan);
	uncount_relations(plan);
	dlist_delete(&plan->lru);
	plan->valid = false;
	plan->cached = false;
	if (plan->in_use == 0)
		free_plan(plan);
}

/*
 * corm_plan_release releases a plan.  It does not raise errors and may be called during
 * error recovery.
 */
void
corm_plan_release(CormPlan *plan)
{
	if (--plan->in_use == 0 && !plan->cached)
		free_plan(plan);
}

/* corm_plan_use takes a plan in use, for as long as the caller wants. */
void
corm_plan_use(CormPlan *plan)
{
	plan->in_use++;
}

/* The callback of what is watched. */
static void
analysis_gone(void *arg)
{
	CormPlan   *plan = arg;

	plan->analyses++;
	plan->analysis_watched = false;
}

/*
 * corm_plan_watch_analysis makes plan->analyses count when PostgreSQL discards the analyzed
 * statement of a plan.
 */
void
corm_plan_watch_analysis(CormPlan *plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan->spi));

	if (plan->analysis_watched)
		return;
	plan->analysis_gone.func = analysis_gone;
	plan->analysis_gone.arg = plan;
	MemoryContextRegisterResetCallback(source->query_context, &plan->analysis_gone);
	plan->analysis_watched = true;
}

/*
 * Keys
 */

/* Makes room for a key in key_buffer.  The old content is lost. */
static void
reserve_key(Size size)
{
	if (unlikely(size > key_size))
	{
		Size		newsize = Max(1024, size + size / 2);

		if (key_buffer)
			pfree(key_buffer);
		key_buffer = NULL;
		key_size = 0;
		key_buffer = MemoryContextAlloc(TopMemoryContext, newsize);
		key_size = newsize;
	}
}

static void
set_key(const char *key, uint32 len)
{
	reserve_key(len);
	memcpy(key_buffer, key, len);
}

/* The byte of a key that tells of settings, behind the verb. */
static char
settings_in_key(bool path_is_safe)
{
	return (path_is_safe ? 1 : 0) | (corm_skip_hooks ? 2 : 0) | (corm_json_is_exact() ? 4 : 0);
}

/*
 * Begins a key in key_buffer and returns where the payload goes, which is the
 * shape and, behind it, rows_len bytes that tell the fields of rows().
 */
static char *
start_key(const CormVerb *verb, bool path_is_safe, uint16 rows_len, Size payload, uint32 *len)
{
	Size		size = sizeof(CormVerb) + 1 + sizeof(rows_len) + payload;
	char	   *p;

	reserve_key(size);
	p = key_buffer;
	memcpy(p, verb, sizeof(CormVerb));
	p += sizeof(CormVerb);
	*p++ = settings_in_key(path_is_safe);
	memcpy(p, &rows_len, sizeof(rows_len));
	p += sizeof(rows_len);
	*len = size;
	return p;
}

static CormPlan *
lookup_plan(uint32 key_len)
{
	CormPlan	probe;
	PlanEntry  *entry;

	if (plans == NULL)
		return NULL;
	probe.key = key_buffer;
	probe.key_len = key_len;
	probe.hash = hash_bytes((unsigned char *) key_buffer, key_len);
	entry = plan_table_lookup_hash(plans, &probe, probe.hash);
	return entry ? entry->plan : NULL;
}

/*
 * The cache
 */

/*
 * Makes room for one more plan.  Evicts an outdated one if there is one.
 */
static void
evict(void)
{
	while (plans->members >= corm_plan_cache_size)
	{
		CormPlan   *oldest = dlist_tail_element(CormPlan, lru,
												dlist_is_empty(&plans_outdated) ? &plans_lru : &plans_outdated);

		drop_plan(oldest);
		plan_evictions++;
	}
}

/*
 * Makes an empty plan with the given key, in a context of its own below the current
 * one, so that it is freed with that unless the cache takes it.
 */
static CormPlan *
new_plan(const char *key, uint32 key_len)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm plan",
												  ALLOCSET_SMALL_SIZES);
	CormPlan   *plan = MemoryContextAllocZero(context, sizeof(CormPlan));

	plan->context = context;
	plan->key = MemoryContextAlloc(context, key_len);
	memcpy(plan->key, key, key_len);
	plan->key_len = key_len;
	plan->hash = hash_bytes((const unsigned char *) key, key_len);
	plan->valid = true;
	return plan;
}

/* Makes the cache at first use. */
static void
create_cache(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(PlannedRelation)};

	if (plan_context == NULL)
		plan_context = AllocSetContextCreate(CacheMemoryContext, "corm plans", ALLOCSET_DEFAULT_SIZES);
	ctl.hcxt = plan_context;
	if (planned_relations == NULL)
		planned_relations = hash_create("corm planned relations", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	plans = plan_table_create(plan_context, 128, NULL);
}

/*
 * Hands a plan over to the cache.
 */
static void
keep_plan(CormPlan *plan)
{
	bool		found;
	PlanEntry  *entry;

	/* parsing may have run user code, which may have run the same query */
	entry = plan_table_lookup_hash(plans, plan, plan->hash);
	if (entry)
		drop_plan(entry->plan);
	evict();
	count_relations(plan);
	entry = plan_table_insert_hash(plans, plan, plan->hash, &found);
	Assert(!found);
	entry->plan = plan;
	dlist_push_head(&plans_lru, &plan->lru);
	plan->cached = true;
	MemoryContextSetParent(plan->context, plan_context);
}

/*
 * Called when some function has changed.  A plan is not current if the hooks of its
 * models have changed.
 */
static bool
has_same_hooks(CormPlan *plan)
{
	uint64		changes = corm_hooks_changes();

	if (corm_hooks_fingerprint(plan->relids, plan->nrelids) != plan->hook_fingerprint)
		return false;
	plan->hook_changes = changes;
	return true;
}

/*
 * PostgreSQL replans by itself if a function or type used in the SQL has changed, or if
 * the search_path now finds another one.  But the types of values given as text were
 * inferred from the old ones, so we rebuild everything.
 */
static bool
is_current(CormPlan *plan)
{
	if (!plan->valid)
		return false;
	if (unlikely(plan->hook_changes != corm_hooks_changes()) && !has_same_hooks(plan))
		return false;
	if (plan->search_path &&
		(plan->search_path_role != GetUserId() ||
		 strcmp(plan->search_path, namespace_search_path) != 0))
		return false;
	if (unlikely(plan->layout != 0) && !corm_plan_has_layout(plan))
		return false;
	if (plan->spi && !SPI_plan_is_valid(plan->spi))
		return false;
	return plan->valid;			/* the lookups above may have processed
								 * messages */
}

/*
 * Looks up the key in key_buffer.  If a current plan is found, it is returned, in use.
 * A plan that is not current, or not for the operation, is removed from the cache.  The
 * operation is NULL for queries.
 */
static CormPlan *
find_current_plan(uint32 key_len, const CormExec *exec)
{
	CormPlan   *plan = lookup_plan(key_len);

	if (plan == NULL)
		return NULL;
	corm_plan_lock(plan);		/* may mark plans, but frees none */
	if (is_current(plan) && (exec == NULL || plan->generation == exec->generation))
	{
		plan->in_use++;
		dlist_move_head(&plans_lru, &plan->lru);
		plan_hits++;
		CORM_FAULT("plan-found");
		return plan;
	}
	drop_plan(plan);
	return NULL;
}

/*
 * corm_plan_reuse takes a plan in use that the caller holds, without the query that it is
 * for.  Returns false if the query would not find it now.
 */
bool
corm_plan_reuse(CormPlan *plan)
{
	if (!plan->cached || plan->key[sizeof(CormVerb)] != settings_in_key(corm_search_path_is_safe()))
		return false;
	corm_plan_lock(plan);
	if (!is_current(plan) || !plan->cached)
		return false;
	plan->in_use++;
	dlist_move_head(&plans_lru, &plan->lru);
	plan_hits++;
	return true;
}

/*
 * Can an error be a result of names and types that are not all of one state?
 */
static bool
is_about_definitions(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
		ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_FEATURE_NOT_SUPPORTED ||
		sqlerrcode == ERRCODE_INTERNAL_ERROR;
}

/*
 * Builds a plan.  On error, PostgreSQL's saved plan is freed.  If a model became outdated
 * during the build, some names were looked up before the change and some after it: then
 * an error about them is not the query's, and 55006 is raised instead.
 */
static void
build_plan(CormPlan *plan, const CormPlanMaker *maker)
{
	uint64		retired = corm_models_retired();
	MemoryContext build_context = AllocSetContextCreate(CurrentMemoryContext, "corm query build",
														ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(build_context);

	PG_TRY();
	{
		corm_plan_build(plan, maker);
	}
	PG_CATCH();
	{
		if (plan->spi)
			SPI_freeplan(plan->spi);
		if (corm_models_retired() != retired && is_about_definitions(geterrcode()) &&
			corm_model_retired_last() != NULL)
		{
			MemoryContextSwitchTo(oldcontext);
			FlushErrorState();
			corm_exec_changed(corm_model_retired_last(), "It changed while the query was planned.");
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	MemoryContextDelete(build_context);
}

/*
 * Builds the plan of the key in key_buffer and returns it in use.
 *
 * The build locks the tables as soon as it knows them.  We may or may not have seen
 * catalog changes that arrive before that, so we start over.  The number of tries is
 * bounded, in case the server discards caches all the time.  The plan of the last try
 * is used only once.
 */
static CormPlan *
make_plan(const CormPlanMaker *maker, uint32 key_len)
{
	char	   *key = palloc(key_len);

	memcpy(key, key_buffer, key_len);
	plan_misses++;
	if (plans == NULL)
		create_cache();
	if (maker->set)
		corm_queries_read_values(maker->set);	/* they outlive the build */
	for (int tries = 0;; tries++)
	{
		CormPlan   *plan;
		uint64		before;

		AcceptInvalidationMessages();
		if (maker->exec)
			corm_exec_check(maker->exec);
		before = invalidations;

		CORM_FAULT("plan-begin");
		plan = new_plan(key, key_len);
		build_plan(plan, maker);
		CORM_FAULT("plan-built");
		if (plan->is_open)
			plan->valid = false;
		else if (before == invalidations && plan->hook_changes == corm_hooks_changes() &&
			(maker->exec == NULL || maker->exec->model->valid))
			keep_plan(plan);
		else if (tries >= MAX_BUILDS)
			plan->valid = false;
		if (plan->cached || !plan->valid)
		{
			pfree(key);
			plan->in_use++;
			return plan;
		}
		free_plan(plan);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Is one of a plan's premises about a value that is not known yet? */
static bool
has_open_premise(const CormPlan *plan, CormQuerySet *set)
{
	if (!set->has_symbols)
		return false;
	corm_queries_read_values(set);
	for (int i = 0; i < plan->npremises; i++)
		if (corm_premise_is_open(&plan->premises[i], set->values, set->nvalues))
			return true;
	return false;
}

/*
 * Takes a plan in use and returns it, or the plan of the same key whose premises match
 * the values.  Returns NULL if that must be built; its key is then in key_buffer.
 */
static CormPlan *
plan_for_premises(CormPlan *plan, CormQuerySet *set, uint32 *key_len)
{
	uint32		len = *key_len + 1 + plan->npremises;
	char	   *key;
	bool		fits = true;

	if (has_open_premise(plan, set))
		return plan;
	/* no user code runs here, so the plan is not freed */
	corm_plan_release(plan);
	corm_queries_read_values(set);
	key = palloc(len);
	memcpy(key, plan->key, *key_len);
	key[*key_len] = CORM_N_INVALID; /* no shape goes on like this */
	for (int i = 0; i < plan->npremises; i++)
	{
		bool		holds = corm_premise_holds(&plan->premises[i], set->values, set->nvalues);

		key[*key_len + 1 + i] = holds;
		fits &= holds == plan->premises[i].holds;
	}
	if (fits)
		plan->in_use++;
	else
	{
		set_key(key, len);
		*key_len = len;
		plan = find_current_plan(len, NULL);
		/* which premises there are may depend on whether others hold */
		for (int i = 0; plan && i < plan->npremises; i++)
			if (corm_premise_holds(&plan->premises[i], set->values, set->nvalues) != plan->premises[i].holds)
			{
				drop_plan(plan);
				corm_plan_release(plan);
				plan = NULL;
			}
	}
	pfree(key);
	return plan;
}

/*
 * corm_plan_for_queries returns the plan for the queries of a call, in use:
 * the caller runs it and then calls corm_plan_release.  rows_fields are the
 * fields that rows() give; without them the plan of such an insert is a
 * template that cannot be run.  Where values are not known yet and the statement
 * depends on them, NULL is returned.
 */
CormPlan *
corm_plan_for_queries(const CormVerb *verb, CormQuerySet *set, Bitmapset *rows_fields)
{
	bool		path_is_safe = corm_search_path_is_safe();
	uint16		rows_len = rows_fields ? rows_fields->nwords * sizeof(bitmapword) : 0;
	CormKnownLimit limits[CORM_MAX_KNOWN_LIMITS];
	int			nlimits = corm_known_limits(set, limits);
	uint16		limits_len = (sizeof(limits[0].valno) + sizeof(limits[0].limit)) * nlimits;
	uint32		key_len;
	char	   *p = start_key(verb, path_is_safe, rows_len, set->shape_len + limits_len + rows_len, &key_len);
	CormPlan   *plan;
	CormPlanMaker maker = {
		.verb = verb,
		.path_is_safe = path_is_safe,
		.set = set,
		.rows_fields = rows_fields,
		.nlimits = nlimits,
		.limits = limits
	};

	for (int i = 0; i < set->nqueries; i++)
	{
		memcpy(p, CormNodeShape(set->queries[i]), set->queries[i]->shape_len);
		p += set->queries[i]->shape_len;
	}

	/*
	 * also store the value number of each limit: a query may have several,
	 * only some of them known
	 */
	for (int i = 0; i < nlimits; i++)
	{
		memcpy(p, &limits[i].valno, sizeof(limits[i].valno));
		p += sizeof(limits[i].valno);
		memcpy(p, &limits[i].limit, sizeof(limits[i].limit));
		p += sizeof(limits[i].limit);
	}
	if (rows_fields)
		memcpy(p, rows_fields->words, rows_len);
	plan = find_current_plan(key_len, NULL);
	if (plan && unlikely(plan->npremises > 0))
		plan = plan_for_premises(plan, set, &key_len);
	if (plan == NULL)
		plan = make_plan(&maker, key_len);
	if (unlikely(plan->npremises > 0) && has_open_premise(plan, set))
	{
		corm_plan_release(plan);
		return NULL;
	}
	return plan;
}

/*
 * corm_plan_for_record does the same for an operation on records that give the given
 * fields.  Raises 55006 if the model has changed since the operation began.
 */
CormPlan *
corm_plan_for_record(const CormVerb *verb, const CormExec *exec, Bitmapset *fields)
{
	bool		path_is_safe = corm_search_path_is_safe();
	Size		len = fields ? fields->nwords * sizeof(bitmapword) : 0;
	uint32		key_len;
	char	   *p = start_key(verb, path_is_safe, 0, len, &key_len);
	CormPlan   *plan;
	CormPlanMaker maker = {.verb = verb, .path_is_safe = path_is_safe, .exec = exec, .fields = fields};

	if (fields)
		memcpy(p, fields->words, len);
	plan = find_current_plan(key_len, exec);
	return plan ? plan : make_plan(&maker, key_len);
}

static const char *const op_names[] = {
	[CORM_CMD_SELECT] = "SELECT",
	[CORM_CMD_INSERT] = "INSERT",
	[CORM_CMD_UPDATE] = "UPDATE",
	[CORM_CMD_DELETE] = "DELETE",
	[CORM_CMD_RAW] = "RAW",
};

/*
 * corm_op_name returns the name of an operation.
 */
const char *
corm_op_name(CormCommand command)
{
	return op_names[command];
}

/*
 * corm_plan_misses returns how many plans this session has made.
 */
uint64
corm_plan_misses(void)
{
	return plan_misses;
}

/*
 * corm_plan_cache_stats() returns the number of plans, hits, misses and
 * evictions of this session.
 */
Datum
corm_plan_cache_stats(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	Datum		values[4];
	bool		nulls[4] = {0};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(plans ? plans->members : 0);
	values[1] = Int64GetDatum(plan_hits);
	values[2] = Int64GetDatum(plan_misses);
	values[3] = Int64GetDatum(plan_evictions);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
}
