/*-------------------------------------------------------------------------
 *
 * plan_build.c
 *		From a query or a record to a plan.
 *
 * Building a plan means: read the shape, resolve names, write the SQL, let PostgreSQL
 * infer the types of values given as text, and prepare the statement.
 *
 * Some writes need their rows before their SQL is known: those of a model with hooks,
 * and inserts with rows(), whose fields decide the SQL.  For these, the first plan is a
 * template, which knows its model but has no SQL.  To run it, we get a plan for each
 * stage or set of fields (write/hooked.c, write/insert_rows.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/errors.h"
#include "base/sql_text.h"
#include "base/value.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_build.h"
#include "exec/plan/query_set.h"
#include "exec/plan/record_stmt.h"
#include "exec/plan/shareable.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/row_fields.h"
#include "exec/rows/row_type.h"
#include "miscadmin.h"
#include "model/ancestors.h"
#include "model/hooks.h"
#include "model/model.h"
#include "model/rowtypes.h"
#include "nodes/makefuncs.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/typcache.h"

/*
 * The relations of a plan
 */

static void
add_relid(List **relids, Oid relid)
{
	if (OidIsValid(relid))
		*relids = list_append_unique_oid(*relids, relid);
}

static void add_stmt_relids(List **relids, CormStmt *stmt);

/*
 * A resolved subquery contains what its node's arguments were, so we visit only one of
 * them.  Visiting both at each level would take 2^depth visits.
 */
static void
add_tree_relids(List **relids, CormTree *tree)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (tree->query)
	{
		add_stmt_relids(relids, tree->query);
		return;
	}
	for (int i = 0; tree->desc->args[i] != '\0' && i < CORM_MAX_ARGS; i++)
	{
		ListCell   *lc;

		if (tree->args[i].node)
			add_tree_relids(relids, tree->args[i].node);
		if (strchr("XOVEPSQ", tree->desc->args[i]) != NULL)
			foreach(lc, tree->args[i].list)
		{
			add_tree_relids(relids, lfirst(lc));
		}
	}
}

static void
add_trees_relids(List **relids, List *trees)
{
	ListCell   *lc;

	foreach(lc, trees)
	{
		add_tree_relids(relids, lfirst(lc));
	}
}

/*
 * Collects all relations whose models were used for a statement.
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
		add_trees_relids(relids, range->first_of);
		if (range->query)
			add_stmt_relids(relids, range->query);
	}
	foreach(lc, stmt->ctes)
	{
		CormCte    *cte = lfirst(lc);

		add_stmt_relids(relids, cte->query);
		if (cte->step)
			add_stmt_relids(relids, cte->step);
	}
	foreach(lc, stmt->setops)
	{
		add_stmt_relids(relids, ((CormSetOp *) lfirst(lc))->query);
	}
	foreach(lc, stmt->preloads)
	{
		add_stmt_relids(relids, ((CormPreload *) lfirst(lc))->query);
	}
	foreach(lc, stmt->joins)
	{
		for (CormJoin *join = lfirst(lc); join; join = join->inner)
			if (join->condition)
				add_tree_relids(relids, join->condition);
	}
	foreach(lc, stmt->sets)
	{
		add_tree_relids(relids, ((CormAssignment *) lfirst(lc))->value);
	}
	foreach(lc, stmt->update_sets)
	{
		add_tree_relids(relids, ((CormAssignment *) lfirst(lc))->value);
	}
	add_trees_relids(relids, stmt->select);
	add_trees_relids(relids, stmt->distinct_on);
	add_trees_relids(relids, stmt->where);
	add_trees_relids(relids, stmt->group_by);
	add_trees_relids(relids, stmt->having);
	add_trees_relids(relids, stmt->order_by);
	add_trees_relids(relids, stmt->returning);
	add_trees_relids(relids, stmt->raw_args);
	foreach(lc, stmt->raw_tables)
	{
		add_relid(relids, lfirst_oid(lc));
	}
	if (stmt->limit)
		add_tree_relids(relids, stmt->limit);
	if (stmt->offset)
		add_tree_relids(relids, stmt->offset);
	if (stmt->conflict_where)
		add_tree_relids(relids, stmt->conflict_where);
}

/*
 * Does the SQL write anything, including in WITH queries?
 */
static bool
sql_writes(SPIPlanPtr spi)
{
	ListCell   *source;
	ListCell   *lc;

	foreach(source, SPI_plan_get_plan_sources(spi))
	{
		foreach(lc, ((CachedPlanSource *) lfirst(source))->query_list)
		{
			Query	   *query = lfirst_node(Query, lc);

			if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
				return true;
		}
	}
	return false;
}

/*
 * Raises 42701 if the rows of raw SQL, which are to be JSON objects, have two columns
 * of the same name, because only the last would be kept.  The SQL is the WITH query of
 * that alias, see deparse.c.
 */
static void
check_raw_names(SPIPlanPtr spi)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(spi));
	Query	   *query = linitial_node(Query, source->query_list);
	ListCell   *lc;
	ListCell   *name;
	ListCell   *other;

	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst_node(CommonTableExpr, lc);

		if (strcmp(cte->ctename, CORM_ROWS_ALIAS) != 0)
			continue;
		foreach(name, cte->ctecolnames)
		{
			for_each_cell(other, cte->ctecolnames, lnext(cte->ctecolnames, name))
			{
				if (equal(lfirst(name), lfirst(other)))
					ereport(ERROR,
							(errcode(ERRCODE_DUPLICATE_COLUMN),
							 errmsg("two columns of the result are named \"%s\"", strVal(lfirst(name))),
							 errdetail("The rows become JSON objects, which have one value for a name."),
							 errhint("Give one of them another name with AS.")));
			}
		}
	}
}

/*
 * Also collects relations that only PostgreSQL's parser sees: in raw SQL and behind
 * views.
 */
static void
add_spi_relids(List **relids, SPIPlanPtr spi)
{
	ListCell   *lc;

	foreach(lc, SPI_plan_get_plan_sources(spi))
	{
		*relids = list_concat_unique_oid(*relids, ((CachedPlanSource *) lfirst(lc))->relationOids);
	}
}

static void
set_relids(CormPlan *plan, List *relids)
{
	List	   *concerned = list_copy(relids);
	ListCell   *lc;

	foreach(lc, relids)
	{
		concerned = corm_add_ancestors(concerned, lfirst_oid(lc));
	}
	plan->nrelids = list_length(relids);
	plan->nconcerned = list_length(concerned);
	plan->relids = MemoryContextAlloc(plan->context, sizeof(Oid) * Max(plan->nconcerned, 1));
	foreach(lc, concerned)
	{
		plan->relids[foreach_current_index(lc)] = lfirst_oid(lc);
	}
}

/*
 * Limits
 *
 * For a limit that is a parameter, PostgreSQL assumes a tenth of the rows.  Its generic
 * plan then looks so much worse than a custom plan that it would replan each execution.
 * So for the usual sizes of pages, a plan is made for the value, which is part of its
 * key.  Other limits share a plan, so that a client with many different limits cannot
 * fill the cache.
 *
 * The SQL and the parameters are the same for all limits, and so is what is shown of a
 * query.  Only PostgreSQL's parser gets a constant in place of the parameter.
 */

/*
 * corm_known_limits finds values of limit() to be planned for, and returns
 * their number, at most CORM_MAX_KNOWN_LIMITS.
 *
 * Such a limit() ends a query.  Other bytes that look like one do no harm: the value
 * becomes part of the key, and of the plan only where it is a limit.
 */
int
corm_known_limits(CormQuerySet *set, CormKnownLimit *limits)
{
	static const char tags[2] = {CORM_N_LIMIT, CORM_N_VALUE};
	const Oid	typid = INT8OID;
	int			nvalues = 0;
	int			n = 0;

	for (int i = 0; i < set->nqueries && n < CORM_MAX_KNOWN_LIMITS; i++)
	{
		const CormNode *query = set->queries[i];
		const char *end = CormNodeShape(query) + query->shape_len;
		int64		limit;

		nvalues += query->nvalues;
		if (query->nvalues == 0 || query->shape_len < sizeof(tags) + sizeof(typid) ||
			memcmp(end - sizeof(typid), &typid, sizeof(typid)) != 0 ||
			memcmp(end - sizeof(typid) - sizeof(tags), tags, sizeof(tags)) != 0)
			continue;
		corm_queries_read_values(set);
		if (set->values[nvalues - 1].typid != typid || set->values[nvalues - 1].symbol)
			continue;
		limit = DatumGetInt64(corm_value_datum(&set->values[nvalues - 1], sizeof(int64), true));
		if (limit < 0 || limit > 10000 || (limit > 100 && limit % 100 != 0))
			continue;
		limits[n].valno = nvalues - 1;
		limits[n].limit = limit;
		n++;
	}
	return n;
}

/*
 * The parameters of a statement some of which are constants for its planner.
 * It lives as long as the plan, whose text may be analyzed again.
 */
typedef struct PlanParameters
{
	int			nparams;
	Oid		   *types;
	bool	   *is_known;
	int64	   *values;			/* of those that are known */
} PlanParameters;

/*
 * Parser hook for $n: returns a constant for a known limit, else a parameter.
 */
static Node *
parameter_hook(ParseState *pstate, ParamRef *pref)
{
	PlanParameters *parameters = pstate->p_ref_hook_state;
	int			i = pref->number - 1;
	Param	   *param;

	if (i < 0 || i >= parameters->nparams)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("there is no parameter $%d", pref->number),
				 parser_errposition(pstate, pref->location)));
	if (parameters->is_known[i])
		return (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
								  Int64GetDatum(parameters->values[i]), false, FLOAT8PASSBYVAL);
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = pref->number;
	param->paramtype = parameters->types[i];
	param->paramtypmod = -1;
	param->paramcollid = get_typcollation(param->paramtype);
	param->location = pref->location;
	return (Node *) param;
}

static void
set_parameters(ParseState *pstate, void *arg)
{
	pstate->p_ref_hook_state = arg;
	pstate->p_paramref_hook = parameter_hook;
}

/*
 * The parameters for set_parameters, in context; NULL if none is known.
 */
static PlanParameters *
known_parameters(MemoryContext context, const CormDeparsed *deparsed, const Oid *types,
				 const CormKnownLimit *limits, int nlimits)
{
	PlanParameters *parameters = NULL;

	for (int i = 0; i < deparsed->nparams; i++)
		for (int j = 0; j < nlimits; j++)
		{
			const CormParam *param = &deparsed->params[i];

			if (param->constant != NULL || param->valno != limits[j].valno || types[i] != INT8OID)
				continue;
			if (parameters == NULL)
			{
				MemoryContext oldcontext = MemoryContextSwitchTo(context);

				parameters = palloc(sizeof(PlanParameters));
				parameters->nparams = deparsed->nparams;
				parameters->types = palloc(sizeof(Oid) * deparsed->nparams);
				memcpy(parameters->types, types, sizeof(Oid) * deparsed->nparams);
				parameters->is_known = palloc0(sizeof(bool) * deparsed->nparams);
				parameters->values = palloc0(sizeof(int64) * deparsed->nparams);
				MemoryContextSwitchTo(oldcontext);
			}
			parameters->is_known[i] = true;
			parameters->values[i] = limits[j].limit;
		}
	return parameters;
}

/*
 * Prepares a statement whose planner knows these limits.  The state for that is
 * allocated in context, the plan's, because PostgreSQL may analyze the text again.  On
 * failure, returns NULL and sets SPI_result, like SPI_prepare.
 */
static SPIPlanPtr
prepare_with_limits(MemoryContext context, const CormDeparsed *deparsed, Oid *types,
					const CormKnownLimit *limits, int nlimits, int options)
{
	PlanParameters *parameters = known_parameters(context, deparsed, types, limits, nlimits);

	if (parameters == NULL)
		return SPI_prepare_cursor(deparsed->sql, deparsed->nparams, types, options);
	return SPI_prepare_params(deparsed->sql, set_parameters, parameters, options);
}

/*
 * Templates
 */

static bool
is_hooked(CormStmt *stmt)
{
	return (stmt->command == CORM_CMD_INSERT || stmt->command == CORM_CMD_UPDATE ||
			stmt->command == CORM_CMD_DELETE) &&
		corm_hooks_has(stmt->source->model, corm_write_kind(stmt->command));
}

/*
 * Returns what we need to know about a write whose model has hooks, or whose rows, which
 * are shown, bring their relations along, in the current context, or NULL for any other
 * statement.  A write that is a WITH query runs within
 * another statement, where no hook can be called: 0A000.
 */
static CormHookedWrite *
hooked_write(CormStmt *stmt, bool shown)
{
	CormHookedWrite *hooked;
	ListCell   *lc;

	foreach(lc, stmt->ctes)
	{
		CormStmt   *query = ((CormCte *) lfirst(lc))->query;

		if (is_hooked(query))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a write of model \"%s\" in corm.with() cannot call the model's hooks",
							query->source->model->name),
					 errhint("Run it by itself, or set corm.skip_hooks.")));
		if (query->command != CORM_CMD_SELECT && query->preloads)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.preload() cannot stand in a write that is in corm.with()"),
					 errhint("Preload in the query that reads its rows.")));
		(void) hooked_write(query, false);
	}
	if (!is_hooked(stmt) && !(shown && stmt->command != CORM_CMD_SELECT && stmt->preloads))
		return NULL;

	corm_stage_check(stmt);
	hooked = palloc0(sizeof(CormHookedWrite));
	hooked->model = stmt->source->model->relid;
	hooked->has_joins = stmt->joins != NIL;
	hooked->has_returning = stmt->returning != NIL;
	hooked->tells_inserted = corm_stage_tells_inserted(stmt);
	hooked->updates_given = corm_stage_updates_given(stmt);
	hooked->selects = hooked->tells_inserted && stmt->conflict_action == CORM_CONFLICT_SELECT;
	hooked->sets = palloc(sizeof(int) * Max(list_length(stmt->sets), 1));
	if (stmt->command != CORM_CMD_DELETE)
		foreach(lc, stmt->sets)
	{
		CormField  *field = ((CormAssignment *) lfirst(lc))->field;

		if (field->rownum > 0)
			hooked->sets[hooked->nsets++] = field - stmt->source->model->fields;
	}
	return hooked;
}

/*
 * corm_plan_lock locks the relations that a plan was made of, until the transaction
 * ends.  This processes pending invalidation messages.
 */
void
corm_plan_lock(CormPlan *plan)
{
	for (int i = 0; i < plan->nrelids; i++)
		LockRelationOid(plan->relids[i], plan->relids[i] == plan->target ? plan->lock_mode : AccessShareLock);
}

/*
 * Building
 */

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
 * Prepares the SQL of a plan: infers the types of its parameters, and has PostgreSQL parse
 * it.  Once plan->spi is set, the caller frees it if an error follows.
 */
static void
prepare(CormPlan *plan, const CormPlanMaker *maker, CormStmt *stmt, const CormDeparsed *deparsed,
		const Oid *value_types)
{
	int			options = (plan->read_only ? CURSOR_OPT_PARALLEL_OK : 0) |
		(plan->custom_only ? CURSOR_OPT_CUSTOM_PLAN : 0);
	Oid		   *types = palloc(sizeof(Oid) * Max(deparsed->nparams, 1));
	bool		infer = false;
	SPIPlanPtr	spi;
	MemoryContext oldcontext;

	for (int i = 0; i < deparsed->nparams; i++)
	{
		types[i] = deparsed->params[i].typid;
		infer |= types[i] == UNKNOWNOID;
	}
	if (infer)
		infer_types(deparsed->sql, types, deparsed->nparams);
	corm_guards_check(stmt->guarded, deparsed->sql, deparsed->tables, types, deparsed->nparams);

	oldcontext = MemoryContextSwitchTo(plan->context);
	plan->sql = pstrdup(deparsed->sql);
	plan->meets_hidden = deparsed->meets_hidden;
	plan->conflict_hint = deparsed->conflict_hint ? pstrdup(deparsed->conflict_hint) : NULL;
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
	spi = prepare_with_limits(plan->context, deparsed, types, maker->limits, maker->nlimits, options);
	if (spi == NULL)
		elog(ERROR, "preparing a statement failed: %s", SPI_result_code_string(SPI_result));
	/* from now on the plan owns it, and the caller frees it on error */
	SPI_keepplan(spi);
	plan->spi = spi;
	if (plan->has_cached)
		corm_shareable_check(plan);
	if (stmt->command == CORM_CMD_RAW &&
		(maker->verb->output == CORM_OUTPUT_JSON || maker->verb->output == CORM_OUTPUT_JSON_ROW))
		check_raw_names(plan->spi);
	SPI_finish();
	pfree(types);
}

static bool
has_dropped(TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
		if (TupleDescAttr(tupdesc, i)->attisdropped)
			return true;
	return false;
}

/* Are there values of composite types, or made of such, in the columns of a row type? */
static bool
has_rows(TupleDesc tupdesc)
{
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!TupleDescAttr(tupdesc, i)->attisdropped && corm_type_layout(TupleDescAttr(tupdesc, i)->atttypid) != 0)
			return true;
	}
	return false;
}

/*
 * Turns a write into the wanted stage.  The row arrays that it needs are the last
 * values.
 */
static void
set_stage(CormPlan *plan, const CormVerb *verb, CormStmt *stmt, Bitmapset *fields, int nvalues)
{
	/* rows bring their relations along when they are shown */
	if (verb->stage != CORM_STAGE_SHOW && stmt->command != CORM_CMD_SELECT)
		stmt->preloads = NIL;
	switch (verb->stage)
	{
		case CORM_STAGE_PLAIN:
			if (stmt->command != CORM_CMD_RAW && stmt->command != CORM_CMD_SELECT)
				corm_stage_return(stmt, fields);
			break;
		case CORM_STAGE_READ:
			corm_stage_read(stmt, corm_row_tupdesc(stmt->source->model->typid));
			break;
		case CORM_STAGE_WRITE:
			corm_stage_write(stmt, fields, nvalues - (stmt->command == CORM_CMD_UPDATE ? 2 : 1));
			break;
		case CORM_STAGE_SHOW:
			corm_stage_show(stmt, nvalues - (corm_stage_tells_inserted(stmt) ? 2 : 1));
			break;
		default:
			break;
	}
}

/*
 * Saves the statement's premises about its values, in the plan's context.
 */
static void
set_premises(CormPlan *plan, List *premises)
{
	ListCell   *lc;

	plan->npremises = list_length(premises);
	if (premises == NIL)
		return;
	plan->premises = MemoryContextAlloc(plan->context, sizeof(CormPremise) * plan->npremises);
	foreach(lc, premises)
	{
		CormPremise *premise = &plan->premises[foreach_current_index(lc)];

		*premise = *(CormPremise *) lfirst(lc);
		for (int i = 0; i < lengthof(premise->constant); i++)
			premise->constant[i] = corm_value_copy(premise->constant[i], plan->context);
	}
}

/*
 * Returns the conflict key of an upsert, as field indexes, without the fields that are
 * the same for all rows.  Returns NULL if the rows do not give all the others.
 */
static Bitmapset *
upsert_key(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;
	Bitmapset  *key = NULL;
	ListCell   *lc;

	foreach(lc, stmt->conflict_fields)
	{
		CormField  *field = lfirst(lc);
		bool		is_set = false;
		ListCell   *set;

		foreach(set, stmt->sets)
		{
			is_set |= ((CormAssignment *) lfirst(set))->field == field;
		}
		if (is_set)
			continue;
		if (field - model->fields >= model->nfields || field->rownum <= 0)
			return NULL;
		key = bms_add_member(key, field - model->fields);
	}
	return key;
}

/*
 * Fills a plan from a resolved statement.
 */
static void
build_from_stmt(CormPlan *plan, const CormPlanMaker *maker, CormStmt *stmt,
				const Oid *value_types, int nvalues)
{
	const CormVerb *verb = maker->verb;
	Bitmapset  *rows_fields = maker->rows_fields;
	CormDeparseRequest request = {
		.output = verb->output,
		.typid = verb->typid,
		.limit = verb->limit,
		.order_by_key = verb->order_by_key,
		.path_is_safe = maker->path_is_safe,
		.rows_fields = rows_fields,
		.nrows = verb->nrows,
		.whole = verb->whole,
		.written = verb->source != CORM_PLAN_QUERY || verb->stage == CORM_STAGE_SHOW
	};
	CormDeparsed *deparsed;
	List	   *relids = NIL;
	MemoryContext oldcontext = MemoryContextSwitchTo(plan->context);

	set_premises(plan, stmt->premises);
	for (int i = 0; i < plan->npremises && maker->set; i++)
		plan->is_open |= corm_premise_is_open(&plan->premises[i], maker->set->values, maker->set->nvalues);
	plan->command = stmt->command;
	plan->typid = verb->typid;
	plan->max_rows_valno = -1;
	plan->rows_valno = -1;
	plan->read_only = stmt->command == CORM_CMD_SELECT && stmt->lock == CORM_N_INVALID;
	plan->writes = stmt->command != CORM_CMD_SELECT;	/* unless the SQL says
														 * otherwise */

	/*
	 * a partial index can be inferred only if the values of its predicate are
	 * known
	 */
	plan->custom_only = stmt->conflict_where != NULL;
	plan->without_jit = stmt->has_tree;
	plan->guarded = stmt->guarded != NIL;
	if (verb->output == CORM_OUTPUT_ROWS)
	{
		plan->tupdesc = request.tupdesc = corm_row_tupdesc(verb->typid);
		corm_watch_row_type(get_typ_typrelid(verb->typid), plan->tupdesc->natts);

		/*
		 * for a row type without columns, the statement still returns one
		 * column
		 */
		plan->is_physical = plan->tupdesc->natts > 0 && !has_dropped(plan->tupdesc);
		if (has_rows(plan->tupdesc))
			plan->layout = corm_type_layout(verb->typid);
	}
	else if (verb->output == CORM_OUTPUT_VALUE)
	{
		get_typlenbyval(verb->typid, &plan->typlen, &plan->typbyval);
		plan->layout = corm_type_layout(verb->typid);
	}
	else
	{
		plan->typlen = verb->output == CORM_OUTPUT_COUNT ? 8 : verb->output == CORM_OUTPUT_EXISTS ? 1 : -1;
		plan->typbyval = plan->typlen > 0;
	}

	if (stmt->source && stmt->source->model)
	{
		plan->model_name = pstrdup(stmt->source->model->name);
		plan->model = stmt->source->model->relid;
		plan->generation = stmt->source->model->generation;
		plan->target = stmt->source->model->table;
		plan->lock_mode = stmt->command == CORM_CMD_SELECT ?
			(stmt->lock == CORM_N_INVALID ? AccessShareLock : RowShareLock) : RowExclusiveLock;
	}
	MemoryContextSwitchTo(oldcontext);

	add_stmt_relids(&relids, stmt);
	if (verb->output == CORM_OUTPUT_ROWS)
		add_relid(&relids, get_typ_typrelid(verb->typid));
	set_relids(plan, relids);
	corm_plan_lock(plan);
	CORM_FAULT("plan-locked");

	if (stmt->max_rows && stmt->max_rows->tag == CORM_N_VALUE)
	{
		plan->max_rows_valno = stmt->max_rows->valno;
		plan->max_rows = corm_value_copy(stmt->max_rows->constant, plan->context);
	}
	plan->cached_valno = -1;
	plan->cached_generation = CORM_TREE_UNKNOWN;
	plan->has_cached = stmt->cached != NULL || stmt->fresh;
	plan->fresh = stmt->fresh;
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
	plan->with_total = stmt->with_total;
	plan->reversed = stmt->reversed;
	if (stmt->rows)
	{
		if (stmt->rows->tag != CORM_N_VALUE)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_EMPTY_BATCH),
					 errmsg("corm.rows() was given no rows")));
		plan->rows_valno = stmt->rows->valno;
		plan->rows_model = stmt->source->model->relid;
		plan->nulls_given = stmt->nulls_given;
	}

	if (stmt->command == CORM_CMD_INSERT && stmt->conflict_action == CORM_CONFLICT_UPDATE && stmt->conflict_exprs == NIL)
	{
		oldcontext = MemoryContextSwitchTo(plan->context);
		plan->upsert_key = upsert_key(stmt);
		MemoryContextSwitchTo(oldcontext);
	}

	/* what the statement is depends on values that are not known yet */
	if (plan->is_open)
		return;

	/* a template: hooked.c asks again for each stage */
	if (verb->source == CORM_PLAN_QUERY && verb->stage == CORM_STAGE_NONE)
	{
		oldcontext = MemoryContextSwitchTo(plan->context);
		plan->hooked = hooked_write(stmt, verb->output != CORM_OUTPUT_NATIVE && verb->output != CORM_OUTPUT_RESTORE);
		MemoryContextSwitchTo(oldcontext);
		if (plan->hooked && !is_hooked(stmt))
		{
			Bitmapset  *shown = corm_written_fields(stmt, &request);

			/* one more member, so that there is a set even if nothing is needed */
			oldcontext = MemoryContextSwitchTo(plan->context);
			plan->hooked->shown = bms_add_member(bms_copy(shown), stmt->source->model->nfields);
			MemoryContextSwitchTo(oldcontext);
		}
		if (plan->hooked)
			return;
	}
	set_stage(plan, verb, stmt, rows_fields, nvalues);
	/* a template: insert_rows.c asks again with the fields */
	if (stmt->rows && rows_fields == NULL)
		return;

	if (stmt->command == CORM_CMD_INSERT)
		corm_fill_insert(stmt, rows_fields);
	deparsed = corm_deparse(stmt, &request);
	plan->returns_rows = deparsed->returns_rows;
	if (deparsed->order_hash)
		plan->order_hash = MemoryContextStrdup(plan->context, deparsed->order_hash);
	CORM_FAULT("plan-deparsed");
	prepare(plan, maker, stmt, deparsed, value_types);
	plan->writes = sql_writes(plan->spi);
	add_spi_relids(&relids, plan->spi);
	set_relids(plan, relids);
}

/*
 * corm_plan_build fills a new plan, which has its context and its key, and
 * locks the relations that it is made of.  Raises the errors of the query.
 */
void
corm_plan_build(CormPlan *plan, const CormPlanMaker *maker)
{
	CormStmt   *stmt;
	Oid		   *value_types;
	int			nvalues;

	/*
	 * the plan may or may not include hooks that are created while we build
	 * it
	 */
	plan->hook_changes = corm_hooks_changes();
	if (maker->set)
	{
		CormQuerySet *set = maker->set;
		List	   *clauses;
		Oid			default_model = InvalidOid;
		bool		restore = maker->verb->output == CORM_OUTPUT_RESTORE || maker->verb->restore;

		if (maker->verb->output == CORM_OUTPUT_ROWS)
		{
			default_model = get_typ_typrelid(maker->verb->typid);
			if (!OidIsValid(default_model))
				(void) corm_row_tupdesc(maker->verb->typid);	/* raises the proper
																 * error */
		}
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
		CormModel  *model = maker->exec->model;

		stmt = corm_record_stmt(maker->verb->source, model, maker->fields);
		nvalues = model->nfields;
		value_types = palloc(sizeof(Oid) * Max(nvalues, 1));
		for (int i = 0; i < nvalues; i++)
			value_types[i] = corm_record_field_type(model, i);
		if (maker->verb->source == CORM_PLAN_UPDATE_MULTI)
			value_types[0] = get_array_type(model->typid);
	}
	CORM_FAULT("plan-resolved");
	build_from_stmt(plan, maker, stmt, value_types, nvalues);
	plan->hook_fingerprint = corm_hooks_fingerprint(plan->relids, plan->nrelids);
}
