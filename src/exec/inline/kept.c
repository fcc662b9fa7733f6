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
 * What must be converted, a text where a number is wanted, has a place in the query that is
 * kept.  It is converted each time, by corm, which raises its own errors.
 *
 * A call is recognized by what it is, node by node; the text of its statement, and which
 * of its calls it is, say where to look.  So a statement that a client sends
 * again, with parameters but not prepared, finds the query, too.  A query is kept when the call
 * is met for the second time.  It is used only while everything that decided about it is
 * the same:
 *
 * - the number of changes that dependencies.c counts, with which plans are invalidated
 *   that PostgreSQL keeps;
 * - the plan of corm's cache that it was made of, which is checked as for each use;
 * - what PostgreSQL has analyzed for that plan, which depends on the role and on
 *   row_security where there are policies, and on search_path.
 *
 * Not kept is what depends on anything else: columns of the statement around, privileges on
 * functions, texts whose meaning depends on settings.
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
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#define NENTRIES	256			/* a power of 2 */

/* A value that is converted each time. */
typedef struct KeptValue
{
	int			param;			/* of the plan, from 0 on */
	Expr	   *expr;			/* the text */
} KeptValue;

typedef struct KeptCall
{
	uint32		seen;			/* hash of the call that was last seen here */
	bool		refused;		/* it cannot be kept, as of these changes */
	uint64		last_use;
	uint64		changes;		/* dependencies.c's, when it was compiled */
	MemoryContext context;		/* of what follows; NULL: there is nothing */
	FuncExpr   *call;
	Query	   *query;
	KeptValue  *values;
	int			nvalues;
	CormPlan   *plan;			/* in use by us */
	uint64		analyses;		/* of the plan, when its statement was copied */
	bool		on_role;		/* the query is right for the current user
								 * only */
	uint64		serial;			/* of what is kept */
} KeptCall;

static KeptCall *entries = NULL;
static uint64 last_serial = 0;
static uint64 uses = 0;

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

/* Where a call is kept, if it is: by its statement, and which of the statement's calls it is. */
static uint32
hash_of_call(CormInline *state, const FuncExpr *call)
{
	if (!state->hashed)
		state->hash = state->source ? hash_bytes((const unsigned char *) state->source, strlen(state->source)) : 0;
	state->hashed = true;
	return hash_combine(state->hash, murmurhash32(state->ncalls ^ call->funcid << 16)) | 1;
}

/* The entry of a call, or that which it is to have: of two, the one that was not used for longer. */
static KeptCall *
entry_of(uint32 hash)
{
	KeptCall   *entry;

	if (entries == NULL)
		entries = MemoryContextAllocZero(TopMemoryContext, sizeof(KeptCall) * NENTRIES);
	entry = &entries[(hash >> 1) & (NENTRIES - 2)];
	if (entry[0].seen == hash || (entry[1].seen != hash && entry[0].last_use < entry[1].last_use))
		return &entry[0];
	return &entry[1];
}

static bool
is_outdated(const KeptCall *entry, uint64 serial)
{
	return entry->context == NULL || entry->serial != serial || entry->changes != corm_dependencies_changes();
}

/*
 * The text that is to be converted for a place, as a value; its data is NULL for NULL.  Returns
 * false if it is not known before the execution, or is to be converted then.
 */
static bool
read_value(CormInline *state, const CormPlanParam *param, Expr *expr, CormValue *value)
{
	Const	   *constant = (Const *) state->reader.fold(&state->reader, (Node *) copyObject(expr));
	struct varlena *data;

	memset(value, 0, sizeof(CormValue));
	if (!IsA(constant, Const))
		return false;
	/* a domain may refuse NULL */
	if (constant->constisnull)
		return get_typtype(param->typid) != TYPTYPE_DOMAIN;
	data = PG_DETOAST_DATUM(constant->constvalue);
	value->typid = param->value_type;
	value->data = (const char *) data;
	value->len = VARSIZE(data);
	return corm_value_is_settled(param, value);
}

/*
 * Returns the values for the places of a kept query, by number of the parameter; NULL if it is
 * not for them, or outdated.  All are read before the first is converted, which runs user code:
 * that may plan the same call.  They live in the current context, as the query does.
 */
static NullableDatum *
convert_values(CormInline *state, KeptCall *entry, CormPlan *plan)
{
	NullableDatum *results = palloc0(sizeof(NullableDatum) * Max(plan->nparams, 1));
	CormValue  *values = palloc(sizeof(CormValue) * Max(entry->nvalues, 1));
	int		   *params = palloc(sizeof(int) * Max(entry->nvalues, 1));
	uint64		serial = entry->serial;
	int			n = entry->nvalues;

	for (int i = 0; i < n; i++)
	{
		params[i] = entry->values[i].param;
		if (!read_value(state, &plan->params[params[i]], entry->values[i].expr, &values[i]))
			return NULL;
		if (is_outdated(entry, serial))
			return NULL;
	}
	for (int i = 0; i < n; i++)
	{
		NullableDatum *result = &results[params[i]];

		result->isnull = values[i].data == NULL;
		if (!result->isnull)
			result->value = corm_bind_value(&plan->params[params[i]], &values[i]);
	}
	return is_outdated(entry, serial) ? NULL : results;
}

/*
 * Returns a copy of a kept query, with values in their places and locks on its tables; NULL if it
 * is outdated.  The plan is in use.
 */
static Query *
copy_kept(KeptCall *entry, CormPlan *plan, NullableDatum *values)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan->spi));
	uint64		serial = entry->serial;
	Query	   *query;

	/* the exported function that brings it up to date and locks it */
	(void) CachedPlanGetTargetList(source, NULL);
	/* that may bring messages, and run code that plans the same call */
	if (is_outdated(entry, serial) || !source->is_valid || !plan->valid || entry->analyses != plan->analyses)
		return NULL;
	query = copyObject(entry->query);
	if (entry->nvalues > 0)
		corm_fill_places(query, values);
	return query;
}

/*
 * corm_kept_query tells what is known of a call; *query is a copy of the query that it
 * would run, if that is kept.  It is CORM_KEPT_NOT if the one that is kept is not for these
 * values, too.  Raises what converting them raises.
 */
CormKept
corm_kept_query(CormInline *state, const FuncExpr *call, Query **query, bool *guarded)
{
	uint32		hash = hash_of_call(state, call);
	KeptCall   *entry = entry_of(hash);
	CormPlan   *plan;
	volatile bool unfit = false;

	entry->last_use = ++uses;
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
		uint64		serial = entry->serial;
		NullableDatum *values = convert_values(state, entry, plan);

		unfit = values == NULL && !is_outdated(entry, serial);
		*query = values ? copy_kept(entry, plan, values) : NULL;
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
		else if (!unfit)
			forget(entry);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	if (unfit)
		return CORM_KEPT_NOT;
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

/* Notes which values have places in the query of an entry, in the current context. */
static void
keep_values(KeptCall *entry, const CormInline *state, const CormPlan *plan, const CormQuerySet *set)
{
	entry->values = palloc(sizeof(KeptValue) * Max(plan->nparams, 1));
	entry->nvalues = 0;
	for (int i = 0; i < plan->nparams; i++)
	{
		uint32		symbol = corm_param_value(&plan->params[i], set)->symbol;
		KeptValue  *value = &entry->values[entry->nvalues];

		if (symbol == 0 || plan->params[i].binding == CORM_BIND_PLAIN)
			continue;
		value->param = i;
		value->expr = copyObject(((CormSymbol *) list_nth(state->symbols, symbol - 1))->expr);
		entry->nvalues++;
	}
}

/*
 * corm_keep_query keeps the query of a call, which was compiled without known values.  The
 * plan is in use by the caller.
 */
void
corm_keep_query(CormInline *state, const FuncExpr *call, CormPlan *plan, const CormQuerySet *set, const Query *query)
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
	keep_values(entry, state, plan, set);
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
