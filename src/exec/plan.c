/*-------------------------------------------------------------------------
 *
 * plan.c
 *		The session's cache of plans.
 *
 * A plan is kept under what was asked (the verb and the result type) and the
 * shape of the query, as bytes, and, where there is a limit() of a usual size,
 * that.  Building one means: read the shape, resolve
 * names, write SQL, let PostgreSQL infer the types of values given as text,
 * and prepare.  PostgreSQL's own plan cache, below, sees to statistics,
 * search_path, roles and row-level security.
 *
 * Staying right: a plan is invalid as soon as a relation it was made of
 * changes (the registry passes on PostgreSQL's invalidation messages).  Since
 * such messages are read when a lock is taken, the table is locked before a
 * plan is trusted, and a plan found invalid is built again.
 *
 * Staying small: there are at most corm.plan_cache_size plans, the least
 * recently used goes first.  A plan that is being executed is freed by the
 * last execution that leaves it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "exec/exec.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/typcache.h"

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

static MemoryContext plan_context = NULL;
static plan_table_hash *plans = NULL;
static dlist_head plans_lru = DLIST_STATIC_INIT(plans_lru);	/* most recent first */

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

/*
 * Marks plans made of a relation; runs within PostgreSQL's invalidation
 * processing, so it may not do more.
 */
static void
invalidate_plans(Oid relid)
{
	dlist_iter	iter;

	invalidations++;
	dlist_foreach(iter, &plans_lru)
	{
		CormPlan   *plan = dlist_container(CormPlan, lru, iter.cur);

		if (!plan->valid)
			continue;
		if (!OidIsValid(relid))
			plan->valid = false;
		for (int i = 0; i < plan->nrelids && plan->valid; i++)
			if (plan->relids[i] == relid)
				plan->valid = false;
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
 * Takes a plan out of the cache; it is freed now, or by its last execution.
 */
static void
drop_plan(CormPlan *plan)
{
	plan_table_delete(plans, plan);
	dlist_delete(&plan->lru);
	plan->valid = false;
	plan->cached = false;
	if (plan->in_use == 0)
		free_plan(plan);
}

/*
 * corm_plan_release ends an execution.  It may be called while an error
 * passes by.
 */
void
corm_plan_release(CormPlan *plan)
{
	if (--plan->in_use == 0 && !plan->cached)
		free_plan(plan);
}

/*
 * Keys
 */

/*
 * Begins a key in key_buffer and returns where the payload goes, which is the
 * shape and, behind it, rows_len bytes that tell the fields of rows().
 */
static char *
start_key(const CormVerb *verb, bool path_is_safe, uint16 rows_len, Size payload, uint32 *len)
{
	Size		size = sizeof(CormVerb) + 1 + sizeof(rows_len) + payload;
	char	   *p;

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
	p = key_buffer;
	memcpy(p, verb, sizeof(CormVerb));
	p += sizeof(CormVerb);
	*p++ = (path_is_safe ? 1 : 0) | (corm_skip_hooks ? 2 : 0);
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
 * Locks the relations a plan was made of, which reads pending invalidations.
 */
static inline void
lock_relations(CormPlan *plan)
{
	for (int i = 0; i < plan->nrelids; i++)
		LockRelationOid(plan->relids[i], plan->relids[i] == plan->target ? plan->lock_mode : AccessShareLock);
}

static void
set_relids(CormPlan *plan, List *relids)
{
	List	   *concerned = list_copy(relids);
	ListCell   *lc;

	foreach(lc, relids)
		concerned = corm_add_ancestors(concerned, lfirst_oid(lc));
	plan->nrelids = list_length(relids);
	plan->nconcerned = list_length(concerned);
	plan->relids = MemoryContextAlloc(plan->context, sizeof(Oid) * Max(plan->nconcerned, 1));
	foreach(lc, concerned)
		plan->relids[foreach_current_index(lc)] = lfirst_oid(lc);
}

/*
 * Building
 */

static void
add_relid(List **relids, Oid relid)
{
	if (OidIsValid(relid))
		*relids = list_append_unique_oid(*relids, relid);
}

static void add_stmt_relids(List **relids, CormStmt *stmt);

static void
add_tree_relids(List **relids, CormTree *tree)
{
	if (tree->query)
		add_stmt_relids(relids, tree->query);
	for (int i = 0; tree->desc->args[i] != '\0' && i < CORM_MAX_ARGS; i++)
	{
		ListCell   *lc;

		if (tree->args[i].node)
			add_tree_relids(relids, tree->args[i].node);
		if (strchr("XOVEPS", tree->desc->args[i]) != NULL)
			foreach(lc, tree->args[i].list)
				add_tree_relids(relids, lfirst(lc));
	}
}

static void
add_trees_relids(List **relids, List *trees)
{
	ListCell   *lc;

	foreach(lc, trees)
		add_tree_relids(relids, lfirst(lc));
}

/*
 * All relations whose models went into a statement.
 */
static void
add_stmt_relids(List **relids, CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		if (range->model)
		{
			add_relid(relids, range->model->relid);
			add_relid(relids, range->model->table);
		}
		add_trees_relids(relids, range->guards);
		if (range->query)
			add_stmt_relids(relids, range->query);
	}
	foreach(lc, stmt->ctes)
		add_stmt_relids(relids, ((CormCte *) lfirst(lc))->query);
	foreach(lc, stmt->setops)
		add_stmt_relids(relids, ((CormSetOp *) lfirst(lc))->query);
	foreach(lc, stmt->preloads)
		add_stmt_relids(relids, ((CormPreload *) lfirst(lc))->query);
	foreach(lc, stmt->joins)
		if (((CormJoin *) lfirst(lc))->condition)
			add_tree_relids(relids, ((CormJoin *) lfirst(lc))->condition);
	foreach(lc, stmt->sets)
		add_tree_relids(relids, ((CormAssignment *) lfirst(lc))->value);
	foreach(lc, stmt->update_sets)
		add_tree_relids(relids, ((CormAssignment *) lfirst(lc))->value);
	add_trees_relids(relids, stmt->select);
	add_trees_relids(relids, stmt->distinct_on);
	add_trees_relids(relids, stmt->where);
	add_trees_relids(relids, stmt->group_by);
	add_trees_relids(relids, stmt->having);
	add_trees_relids(relids, stmt->order_by);
	add_trees_relids(relids, stmt->returning);
	add_trees_relids(relids, stmt->raw_args);
	if (stmt->limit)
		add_tree_relids(relids, stmt->limit);
	if (stmt->offset)
		add_tree_relids(relids, stmt->offset);
	if (stmt->conflict_where)
		add_tree_relids(relids, stmt->conflict_where);
}

/*
 * Whether SQL changes anything, in a WITH query too.
 */
static bool
sql_writes(SPIPlanPtr spi)
{
	ListCell   *source;
	ListCell   *lc;

	foreach(source, SPI_plan_get_plan_sources(spi))
		foreach(lc, ((CachedPlanSource *) lfirst(source))->query_list)
		{
			Query	   *query = lfirst_node(Query, lc);

			if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
				return true;
		}
	return false;
}

/*
 * And those that only PostgreSQL's parser sees: in raw SQL, behind views.
 */
static void
add_spi_relids(List **relids, SPIPlanPtr spi)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(spi))
		*relids = list_concat_unique_oid(*relids, ((CachedPlanSource *) lfirst(lc))->relationOids);
}

/*
 * Lets PostgreSQL's parser find the types of parameters that were given as
 * text, exactly as it does for a client that does not declare them.
 */
static void
infer_types(const char *sql, Oid *types, int ntypes)
{
	List	   *parsed = raw_parser(sql, RAW_PARSE_DEFAULT);
	Oid		   *inferred = types;
	int			n = ntypes;
	ErrorContextCallback callback;

	corm_push_sql_errors(&callback, sql);
	(void) parse_analyze_varparams(linitial_node(RawStmt, parsed), sql, &inferred, &n, NULL);
	error_context_stack = callback.previous;
	for (int i = 0; i < ntypes; i++)
	{
		types[i] = inferred[i];
		if (!OidIsValid(types[i]) || types[i] == UNKNOWNOID)
			types[i] = TEXTOID;
	}
}

/*
 * What differs between plans for queries and for records: how the statement
 * is made.
 */
typedef struct PlanMaker
{
	const CormVerb *verb;
	/* queries */
	CormQuerySet *set;
	Bitmapset  *rows_fields;
	int			nlimits;		/* limits that the plan is made for */
	const CormKnownLimit *limits;
	/* records */
	CormModel  *model;
	Bitmapset  *fields;
} PlanMaker;

static void
prepare(CormPlan *plan, const PlanMaker *maker, CormStmt *stmt, const CormDeparsed *deparsed,
		const Oid *value_types)
{
	int			options = (plan->read_only ? CURSOR_OPT_PARALLEL_OK : 0) |
		(plan->custom_only ? CURSOR_OPT_CUSTOM_PLAN : 0);
	Oid		   *types = palloc(sizeof(Oid) * Max(deparsed->nparams, 1));
	bool		infer = false;
	MemoryContext oldcontext;

	for (int i = 0; i < deparsed->nparams; i++)
	{
		types[i] = deparsed->params[i].typid;
		infer |= types[i] == UNKNOWNOID;
	}
	if (infer)
		infer_types(deparsed->sql, types, deparsed->nparams);
	corm_guards_check(stmt->guarded, deparsed, types);

	oldcontext = MemoryContextSwitchTo(plan->context);
	plan->sql = pstrdup(deparsed->sql);
	if (deparsed->uses_search_path)
	{
		plan->search_path = pstrdup(namespace_search_path);
		plan->search_path_role = GetUserId();
	}
	plan->nparams = deparsed->nparams;
	plan->params = palloc0(sizeof(CormPlanParam) * Max(plan->nparams, 1));
	corm_bind_prepare(plan->params, deparsed, types, plan->context, value_types);
	MemoryContextSwitchTo(oldcontext);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan->spi = corm_prepare_with_limits(plan->context, deparsed, types, maker->limits, maker->nlimits, options);
	if (plan->spi == NULL)
		elog(ERROR, "preparing a statement failed: %s", SPI_result_code_string(SPI_result));
	if (plan->cached_valno >= 0)
		corm_cached_check(plan);
	SPI_keepplan(plan->spi);
	SPI_finish();
	pfree(types);
}

/*
 * corm_row_tupdesc returns a copy of a composite type's row descriptor, in
 * the current context.  Raises 42809 for what is no row type.
 */
TupleDesc
corm_row_tupdesc(Oid typid)
{
	TupleDesc	tupdesc;
	TupleDesc	copy;

	if (typid == RECORDOID || get_typtype(typid) != TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("type %s is not a row type", format_type_be(typid)),
				 errhint("Give a typed NULL such as NULL::users. For single values use corm.value() or corm.pluck().")));
	tupdesc = lookup_rowtype_tupdesc(typid, -1);
	copy = CreateTupleDescCopy(tupdesc);
	ReleaseTupleDesc(tupdesc);
	return copy;
}

static bool
has_dropped(TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
		if (TupleDescAttr(tupdesc, i)->attisdropped)
			return true;
	return false;
}

/*
 * Turns a write into the stage that is wanted.  The arrays of rows that it
 * needs are the last of the values.
 */
static void
set_stage(CormPlan *plan, const CormVerb *verb, CormStmt *stmt, Bitmapset *fields, int nvalues)
{
	switch (verb->stage)
	{
		case CORM_STAGE_READ:
			corm_stage_read(stmt, corm_row_tupdesc(stmt->source->model->typid));
			break;
		case CORM_STAGE_WRITE:
			corm_stage_write(stmt, fields, nvalues - (stmt->command == CORM_CMD_UPDATE ? 2 : 1));
			break;
		case CORM_STAGE_SHOW:
			corm_stage_show(stmt, nvalues - 1);
			break;
		default:
			break;
	}
}

/*
 * Fills a plan from a resolved statement.
 */
static void
build_from_stmt(CormPlan *plan, const PlanMaker *maker, CormStmt *stmt, bool path_is_safe,
				const Oid *value_types, int nvalues)
{
	const CormVerb *verb = maker->verb;
	Bitmapset  *rows_fields = maker->rows_fields;
	CormDeparseRequest request = {0};
	CormDeparsed *deparsed;
	List	   *relids = NIL;
	MemoryContext oldcontext = MemoryContextSwitchTo(plan->context);

	plan->command = stmt->command;
	plan->typid = verb->typid;
	plan->max_rows_valno = -1;
	plan->rows_valno = -1;
	plan->read_only = stmt->command == CORM_CMD_SELECT && stmt->lock == CORM_N_INVALID;
	plan->writes = stmt->command != CORM_CMD_SELECT;	/* unless the SQL says otherwise */
	/* a partial index can be inferred only if the values of its predicate are known */
	plan->custom_only = stmt->conflict_where != NULL;
	if (verb->output == CORM_OUTPUT_ROWS)
	{
		plan->tupdesc = corm_row_tupdesc(verb->typid);
		corm_watch_row_type(get_typ_typrelid(verb->typid), plan->tupdesc->natts);
		/* the statement of rows without columns has one, there being no SQL for none */
		plan->is_physical = plan->tupdesc->natts > 0 && !has_dropped(plan->tupdesc);
	}
	else if (verb->output == CORM_OUTPUT_VALUE)
		get_typlenbyval(verb->typid, &plan->typlen, &plan->typbyval);
	else
	{
		plan->typlen = verb->output == CORM_OUTPUT_COUNT ? 8 : verb->output == CORM_OUTPUT_EXISTS ? 1 : -1;
		plan->typbyval = plan->typlen > 0;
	}

	if (stmt->source && stmt->source->model)
	{
		plan->model_name = pstrdup(stmt->source->model->name);
		plan->model = stmt->source->model->relid;
		plan->target = stmt->source->model->table;
		plan->lock_mode = stmt->command == CORM_CMD_SELECT ?
			(stmt->lock == CORM_N_INVALID ? AccessShareLock : RowShareLock) : RowExclusiveLock;
	}
	MemoryContextSwitchTo(oldcontext);

	add_stmt_relids(&relids, stmt);
	if (verb->output == CORM_OUTPUT_ROWS)
		add_relid(&relids, get_typ_typrelid(verb->typid));
	set_relids(plan, relids);
	lock_relations(plan);

	if (stmt->max_rows && stmt->max_rows->tag == CORM_N_VALUE)
	{
		plan->max_rows_valno = stmt->max_rows->valno;
		plan->max_rows = corm_value_copy(stmt->max_rows->constant, plan->context);
	}
	plan->cached_valno = -1;
	if (stmt->cached)
	{
		plan->cached_valno = stmt->cached->valno;
		plan->cached_ttl = corm_value_copy(stmt->cached->constant, plan->context);
	}
	plan->limit_valno = -1;
	if (stmt->limit && stmt->limit->tag == CORM_N_VALUE)
	{
		plan->limit_valno = stmt->limit->valno;
		plan->limit = corm_value_copy(stmt->limit->constant, plan->context);
	}
	plan->has_cursor = stmt->cursor != NULL;
	plan->has_offset = stmt->offset != NULL && stmt->offset->tag == CORM_N_VALUE;
	plan->reversed = stmt->reversed;
	if (stmt->rows)
	{
		if (stmt->rows->tag != CORM_N_VALUE)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_EMPTY_BATCH),
					 errmsg("corm.rows() was given no rows")));
		plan->rows_valno = stmt->rows->valno;
		plan->rows_model = stmt->source->model->relid;
	}

	/* a template: hooked.c asks again for each stage */
	if (verb->source == CORM_PLAN_QUERY && verb->stage == CORM_STAGE_NONE)
	{
		oldcontext = MemoryContextSwitchTo(plan->context);
		plan->hooked = corm_hooked_write(stmt);
		MemoryContextSwitchTo(oldcontext);
		if (plan->hooked)
			return;
	}
	set_stage(plan, verb, stmt, rows_fields, nvalues);
	/* a template: rows.c asks again with the fields */
	if (stmt->rows && rows_fields == NULL)
		return;

	if (stmt->command == CORM_CMD_INSERT)
		corm_fill_insert(stmt, rows_fields);
	request.output = verb->output;
	request.typid = verb->typid;
	request.tupdesc = plan->tupdesc;
	request.limit = verb->limit;
	request.order_by_key = verb->order_by_key;
	request.path_is_safe = path_is_safe;
	request.rows_fields = rows_fields;
	request.written = verb->source != CORM_PLAN_QUERY || verb->stage == CORM_STAGE_SHOW;
	deparsed = corm_deparse(stmt, &request);
	plan->returns_rows = deparsed->returns_rows;
	if (deparsed->order_hash)
		plan->order_hash = MemoryContextStrdup(plan->context, deparsed->order_hash);
	prepare(plan, maker, stmt, deparsed, value_types);
	plan->writes = sql_writes(plan->spi);
	add_spi_relids(&relids, plan->spi);
	set_relids(plan, relids);
}

/*
 * Makes room for one more plan.
 */
static void
evict(void)
{
	while (plans->members >= corm_plan_cache_size)
	{
		CormPlan   *oldest = dlist_tail_element(CormPlan, lru, &plans_lru);

		drop_plan(oldest);
		plan_evictions++;
	}
}

/*
 * A plan-to-be of the given key, in a context of its own that dies
 * with the transaction's memory unless it is handed over to the cache.
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

static void
keep_plan(CormPlan *plan)
{
	bool		found;
	PlanEntry  *entry;

	if (plans == NULL)
	{
		plan_context = AllocSetContextCreate(CacheMemoryContext, "corm plans",
											 ALLOCSET_DEFAULT_SIZES);
		plans = plan_table_create(plan_context, 128, NULL);
	}
	/* parsing may have run user code, and that the same query */
	entry = plan_table_lookup_hash(plans, plan, plan->hash);
	if (entry)
		drop_plan(entry->plan);
	evict();
	entry = plan_table_insert_hash(plans, plan, plan->hash, &found);
	Assert(!found);
	entry->plan = plan;
	dlist_push_head(&plans_lru, &plan->lru);
	plan->cached = true;
	MemoryContextSetParent(plan->context, plan_context);
}

/*
 * Some function has changed: a plan whose models have other hooks now is not
 * current.
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
 * PostgreSQL would plan anew by itself where a function or type that the SQL
 * mentions has changed, or another one is found by the search_path now.  But
 * the types of values given as text were inferred from what was found then,
 * so everything is made anew.
 */
static bool
is_current(CormPlan *plan)
{
	if (!plan->valid)
		return false;
	if (unlikely(plan->hook_changes != corm_hooks_changes()) && !has_same_hooks(plan))
		return false;
	if (plan->spi == NULL)
		return true;
	if (plan->search_path &&
		(plan->search_path_role != GetUserId() ||
		 strcmp(plan->search_path, namespace_search_path) != 0))
		return false;
	return SPI_plan_is_valid(plan->spi);
}

/*
 * Looks the key in key_buffer up; a plan that is found and current is
 * returned in use.  One that is not current leaves the cache.
 */
static CormPlan *
find_current_plan(uint32 key_len)
{
	CormPlan   *plan = lookup_plan(key_len);

	if (plan == NULL)
		return NULL;
	lock_relations(plan);		/* may mark plans, but frees none */
	if (is_current(plan))
	{
		plan->in_use++;
		dlist_move_head(&plans_lru, &plan->lru);
		plan_hits++;
		return plan;
	}
	drop_plan(plan);
	return NULL;
}

static void
build_plan(CormPlan *plan, const PlanMaker *maker, bool path_is_safe)
{
	CormStmt   *stmt;
	Oid		   *value_types;
	int			nvalues;

	if (maker->set)
	{
		CormQuerySet *set = maker->set;
		List	   *clauses;
		Oid			default_model = InvalidOid;
		bool		restore = maker->verb->output == CORM_OUTPUT_RESTORE || maker->verb->restore;

		if (maker->verb->output == CORM_OUTPUT_ROWS)
			default_model = get_typ_typrelid(maker->verb->typid);
		clauses = corm_queries_read_trees(set);
		stmt = restore ? corm_resolve_restore(clauses, default_model) : corm_resolve(clauses, default_model);
		corm_queries_read_values(set);
		nvalues = set->nvalues;
		value_types = palloc(sizeof(Oid) * Max(nvalues, 1));
		for (int i = 0; i < nvalues; i++)
			value_types[i] = set->values[i].typid;
	}
	else
	{
		CormModel  *model = maker->model;

		stmt = corm_record_stmt(maker->verb->source, model, maker->fields);
		nvalues = model->nfields;
		value_types = palloc(sizeof(Oid) * Max(nvalues, 1));
		for (int i = 0; i < nvalues; i++)
			value_types[i] = corm_record_field_type(model, i);
		if (maker->verb->source == CORM_PLAN_UPDATE_MULTI)
			value_types[0] = get_array_type(model->typid);
	}
	build_from_stmt(plan, maker, stmt, path_is_safe, value_types, nvalues);
	plan->hook_changes = corm_hooks_changes();
	plan->hook_fingerprint = corm_hooks_fingerprint(plan->relids, plan->nrelids);
}

/*
 * Builds the plan of the key in key_buffer and returns it in use.
 *
 * The build locks the tables as soon as it knows them.  Catalog changes that
 * arrive until then may or may not be in what was read, so it starts over.
 * The number of tries is bounded, for servers that discard caches all the
 * time.
 */
static CormPlan *
make_plan(const PlanMaker *maker, bool path_is_safe, uint32 key_len)
{
	char	   *key = palloc(key_len);

	memcpy(key, key_buffer, key_len);
	plan_misses++;
	if (maker->set)
		corm_queries_read_values(maker->set);	/* they outlive the build */
	for (int tries = 0;; tries++)
	{
		CormPlan   *plan;
		uint64		before;
		MemoryContext build_context;
		MemoryContext oldcontext;

		AcceptInvalidationMessages();
		before = invalidations;

		plan = new_plan(key, key_len);
		build_context = AllocSetContextCreate(CurrentMemoryContext, "corm query build",
											  ALLOCSET_DEFAULT_SIZES);
		oldcontext = MemoryContextSwitchTo(build_context);
		build_plan(plan, maker, path_is_safe);
		MemoryContextSwitchTo(oldcontext);
		MemoryContextDelete(build_context);

		if (before == invalidations || tries >= 3)
		{
			pfree(key);
			keep_plan(plan);
			plan->in_use++;
			return plan;
		}
		free_plan(plan);
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * corm_plan_for_queries returns the plan for the queries of a call, in use:
 * the caller runs it and then calls corm_plan_release.  rows_fields are the
 * fields that rows() give; without them the plan of such an insert is a
 * template that cannot be run.
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
	PlanMaker	maker = {
		.verb = verb,
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
	/* of which value each limit is, too: a query may have several, of which only some are known */
	for (int i = 0; i < nlimits; i++)
	{
		memcpy(p, &limits[i].valno, sizeof(limits[i].valno));
		p += sizeof(limits[i].valno);
		memcpy(p, &limits[i].limit, sizeof(limits[i].limit));
		p += sizeof(limits[i].limit);
	}
	if (rows_fields)
		memcpy(p, rows_fields->words, rows_len);
	plan = find_current_plan(key_len);
	return plan ? plan : make_plan(&maker, path_is_safe, key_len);
}

/*
 * corm_plan_for_record does the same for a write of one record that gives
 * the given fields.
 */
CormPlan *
corm_plan_for_record(const CormVerb *verb, CormModel *model, Bitmapset *fields)
{
	bool		path_is_safe = corm_search_path_is_safe();
	Size		len = fields ? fields->nwords * sizeof(bitmapword) : 0;
	uint32		key_len;
	char	   *p = start_key(verb, path_is_safe, 0, len, &key_len);
	CormPlan   *plan;
	PlanMaker	maker = {.verb = verb, .model = model, .fields = fields};

	if (fields)
		memcpy(p, fields->words, len);
	plan = find_current_plan(key_len);
	return plan ? plan : make_plan(&maker, path_is_safe, key_len);
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
