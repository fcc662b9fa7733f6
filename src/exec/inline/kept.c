/*-------------------------------------------------------------------------
 *
 * kept.c
 *		Compiled queries of calls that are planned again and again.
 *
 * PostgreSQL plans some statements for the values of each execution: of partitions, it
 * wants to know which.  Then the hook of the planner sees the same call each time, and
 * would compile it each time.  So it keeps what a call becomes if its parameters are
 * not known.  They stay what they are, parameters of the statement, and PostgreSQL puts
 * in their values, as it does in the rest of the statement.
 *
 * A call is recognized by what it is, node by node; where its statement is in memory,
 * and the place of the call in it, say where to look.  A query is kept when the call is
 * met for the second time.  It is used only while everything that decided about it is
 * the same:
 *
 * - the number of changes that dependencies.c counts, with which plans are invalidated
 *   that PostgreSQL keeps;
 * - the plan of corm's cache that it was made of, which is checked as for each use;
 * - what PostgreSQL has analyzed for that plan, which depends on the role and on
 *   row_security where there are policies, and on search_path.
 *
 * Not kept is what depends on anything else: columns of the statement around, privileges on
 * functions, the values themselves.  The last is why a value must be a parameter as it
 * is: what must be converted may raise an error, which is to be ours, or may be known too
 * late to choose partitions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "exec/inline/dependencies.h"
#include "exec/inline/kept.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#define NENTRIES	256			/* a power of 2 */

typedef struct KeptCall
{
	uint32		seen;			/* hash of the call that was last seen here */
	bool		refused;		/* it cannot be kept, as of these changes */
	uint64		changes;		/* dependencies.c's, when it was compiled */
	MemoryContext context;		/* of what follows; NULL: there is nothing */
	FuncExpr   *call;
	Query	   *query;
	CormPlan   *plan;			/* in use by us */
	uint64		analyses;		/* of the plan, when its statement was copied */
	bool		on_role;		/* the query is right for the current user
								 * only */
	uint64		serial;			/* of what is kept */
} KeptCall;

static KeptCall *entries = NULL;
static uint64 last_serial = 0;

/* Forgets the query of an entry.  Does not raise errors. */
static void
forget(KeptCall *entry)
{
	MemoryContext context = entry->context;

	if (context == NULL)
		return;
	entry->context = NULL;
	corm_plan_release(entry->plan);
	MemoryContextDelete(context);
}

/* Where a call is kept, if it is. */
static uint32
hash_of_call(const CormInline *state, const FuncExpr *call)
{
	uint64		place = (uint64) (uintptr_t) state->source;

	return hash_combine(murmurhash32((uint32) (place ^ (place >> 32))),
						murmurhash32((uint32) call->location ^ call->funcid << 16)) | 1;
}

static KeptCall *
entry_of(uint32 hash)
{
	if (entries == NULL)
		entries = MemoryContextAllocZero(TopMemoryContext, sizeof(KeptCall) * NENTRIES);
	return &entries[(hash >> 1) & (NENTRIES - 1)];
}

/*
 * Returns a copy of a kept query, with locks on its tables; NULL if it is outdated.  The plan
 * is in use.
 */
static Query *
copy_kept(KeptCall *entry, CormPlan *plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan->spi));
	uint64		serial = entry->serial;

	/* the exported function that brings it up to date and locks it */
	(void) CachedPlanGetTargetList(source, NULL);
	/* that may bring messages, and run code that plans the same call */
	if (entry->context == NULL || entry->serial != serial || entry->changes != corm_dependencies_changes() ||
		!source->is_valid || !plan->valid || entry->analyses != plan->analyses)
		return NULL;
	return copyObject(entry->query);
}

/*
 * corm_kept_query tells what is known of a call; *query is a copy of the query that it
 * would run, if that is kept.
 */
CormKept
corm_kept_query(CormInline *state, const FuncExpr *call, Query **query, bool *guarded)
{
	uint32		hash = hash_of_call(state, call);
	KeptCall   *entry = entry_of(hash);
	CormPlan   *plan;

	if (entry->seen != hash)
	{
		forget(entry);
		entry->seen = hash;
		entry->refused = false;
		return CORM_KEPT_NEW;
	}
	if (entry->changes != corm_dependencies_changes())
	{
		forget(entry);
		entry->refused = false;
		return CORM_KEPT_SEEN;
	}
	if (entry->refused)
		return CORM_KEPT_NOT;
	if (entry->context == NULL || needs_fmgr_hook || !equal(entry->call, call))
		return CORM_KEPT_SEEN;
	plan = entry->plan;
	if (!corm_plan_reuse(plan))
	{
		forget(entry);
		return CORM_KEPT_SEEN;
	}
	PG_TRY();
	{
		*query = copy_kept(entry, plan);
		*guarded = plan->guarded;
		if (*query)
		{
			/*
			 * PostgreSQL keeps no plan for known values, so there is nothing
			 * to be invalidated: only what the start of the execution asks
			 */
			state->dependencies.on_role |= entry->on_role;
			state->dependencies.models = lappend_oid(state->dependencies.models, plan->model);
		}
		else
			forget(entry);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return *query ? CORM_KEPT_QUERY : CORM_KEPT_SEEN;
}

/* corm_keep_none notes that the query of a call cannot be kept. */
void
corm_keep_none(CormInline *state, const FuncExpr *call)
{
	uint32		hash = hash_of_call(state, call);
	KeptCall   *entry = entry_of(hash);

	forget(entry);
	entry->seen = hash;
	entry->refused = true;
	entry->changes = corm_dependencies_changes();
}

/*
 * corm_keep_query keeps the query of a call, which was compiled without known values.  The
 * plan is in use by the caller.
 */
void
corm_keep_query(CormInline *state, const FuncExpr *call, CormPlan *plan, const Query *query)
{
	uint32		hash = hash_of_call(state, call);
	KeptCall   *entry = entry_of(hash);
	MemoryContext context;
	MemoryContext oldcontext;

	/* outdated ones keep plans in memory */
	for (int i = 0; i < NENTRIES; i++)
		if (entries[i].context && entries[i].changes != corm_dependencies_changes())
			forget(&entries[i]);
	forget(entry);
	context = AllocSetContextCreate(CurrentMemoryContext, "corm compiled call", ALLOCSET_SMALL_SIZES);
	oldcontext = MemoryContextSwitchTo(context);
	entry->call = copyObject(unconstify(FuncExpr *, call));
	entry->query = copyObject(unconstify(Query *, query));
	MemoryContextSwitchTo(oldcontext);
	MemoryContextSetParent(context, CacheMemoryContext);
	corm_plan_watch_analysis(plan);
	entry->plan = plan;
	corm_plan_use(plan);
	entry->serial = ++last_serial;
	entry->context = context;
	entry->seen = hash;
	entry->refused = false;
	entry->changes = corm_dependencies_changes();
	entry->analyses = plan->analyses;
	entry->on_role = state->dependencies.on_role;
}
