/*-------------------------------------------------------------------------
 *
 * call_query.c
 *		From the call of a verb to the query that it would run.
 *
 * The argument of the verb is read (query/value/read_calls.c), and the session's
 * cache gives the plan for it, as it would when the verb is executed.  That plan has
 * a statement that PostgreSQL has analyzed and rewritten for the current user; we
 * copy it and put the values of the call, or the expressions that will give them, in
 * the place of its parameters.
 *
 * Compiled in are reads of one statement that the verb would just execute.  What does
 * more remains a call: middleware and hooks, locks and writes, answers from the cache,
 * volatile functions, which would be evaluated another number of times.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/value.h"
#include "catalog/pg_type.h"
#include "exec/call/operation.h"
#include "exec/inline/call_query.h"
#include "exec/inline/kept.h"
#include "exec/middleware/middleware.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "model/hooks.h"
#include "model/registry.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

/*
 * Values
 */

/*
 * Evaluates what is known of an expression: the parameters of a custom plan, too.
 */
static Node *
fold(CormCallReader *reader, Node *node)
{
	CormInline *state = (CormInline *) reader;
	PlannerInfo root = {.type = T_PlannerInfo};
	PlannerGlobal glob = {.type = T_PlannerGlobal};

	glob.boundParams = state->params;
	root.glob = &glob;
	root.parse = state->parse;
	node = eval_const_expressions(&root, node);
	state->dependencies.items = list_concat(state->dependencies.items, glob.invalItems);
	return node;
}

/* What an expression contains that is to be moved into another query. */
typedef struct Moved
{
	int			depth;			/* subqueries of the expression that we are in */
	bool		has_vars;		/* columns of the statement around */
	bool		has_links;		/* subqueries */
} Moved;

/* Whether something cannot be moved into another query, or not as it is. */
static bool
unmovable_walker(Node *node, Moved *moved)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			if (((Var *) node)->varlevelsup < moved->depth)
				return false;
			moved->has_vars = true;
			return ((Var *) node)->varattno < 0;
		case T_Param:
			return ((Param *) node)->paramkind != PARAM_EXTERN && ((Param *) node)->paramkind != PARAM_SUBLINK;
		case T_SubLink:
			moved->has_links = true;
			return expression_tree_walker(node, unmovable_walker, moved);
		case T_Query:
			{
				Query	   *query = (Query *) node;
				bool		unmovable;

				if (query->commandType != CMD_SELECT || query->hasModifyingCTE || query->hasForUpdate || query->rowMarks)
					return true;
				moved->depth++;
				unmovable = query_tree_walker(query, unmovable_walker, moved, 0);
				moved->depth--;
				return unmovable;
			}
		case T_Aggref:
			return ((Aggref *) node)->agglevelsup >= moved->depth ||
				expression_tree_walker(node, unmovable_walker, moved);
		case T_GroupingFunc:
			return ((GroupingFunc *) node)->agglevelsup >= moved->depth ||
				expression_tree_walker(node, unmovable_walker, moved);
		case T_WindowFunc:
			return moved->depth == 0 || expression_tree_walker(node, unmovable_walker, moved);
		case T_CurrentOfExpr:
		case T_NextValueExpr:
			return true;
		default:
			return expression_tree_walker(node, unmovable_walker, moved);
	}
}

/*
 * Makes an expression a symbol.  Two that are the same are one, as two equal values
 * are.
 */
static uint32
make_symbol(CormCallReader *reader, Node *node)
{
	CormInline *state = (CormInline *) reader;
	CormSymbol *symbol;
	Moved		moved = {0};
	ListCell   *lc;

	foreach(lc, state->symbols)
		if (equal(((CormSymbol *) lfirst(lc))->expr, node))
			return foreach_current_index(lc) + 1;
	if (unmovable_walker(node, &moved) || contain_volatile_functions(node) || expression_returns_set(node))
		return 0;
	symbol = palloc(sizeof(CormSymbol));
	symbol->expr = (Expr *) node;
	symbol->has_vars = moved.has_vars;
	symbol->has_links = moved.has_links;
	state->has_vars |= moved.has_vars;
	state->has_links |= moved.has_links;
	symbol->not_null = corm_is_not_null_column(state->queries, node) || IsA(node, ArrayExpr);
	state->symbols = lappend(state->symbols, symbol);
	return list_length(state->symbols);
}

/* Where all values must be known. */
static uint32
refuse_symbol(CormCallReader *reader, Node *node)
{
	return 0;
}

/*
 * Plans
 */

/* Would a hook see rows of the plan?  What corm.skip_hooks says now does not count. */
static bool
has_find_hook(const CormPlan *plan)
{
	Oid			row_type = plan->tupdesc ? get_typ_typrelid(plan->typid) : InvalidOid;

	for (int i = 0; i < plan->nrelids; i++)
	{
		CormModel  *model = plan->relids[i] == row_type ? corm_model_get_any(row_type) :
			corm_model_cached(plan->relids[i]);

		if (model && OidIsValid(corm_model_hook(model, CORM_HOOK_AFTER_FIND)))
			return true;
	}
	return false;
}

/* Is a plan one that a verb would just execute, with no one else to ask? */
static bool
is_plain_read(const CormPlan *plan)
{
	CormOperation op = {0};

	if (plan->command != CORM_CMD_SELECT || plan->spi == NULL || !plan->read_only || plan->writes ||
		plan->hooked || plan->custom_only || plan->without_jit || plan->has_cached ||
		plan->max_rows_valno >= 0 || plan->max_rows || plan->rows_valno >= 0 || has_find_hook(plan))
		return false;
	corm_operation_of_plan(&op, plan);
	return !corm_middleware_registered(&op);
}

/* Whether something in a query is no plain read; notes row-level security. */
static bool
unusable_walker(Node *node, bool *row_security)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		*row_security |= query->hasRowSecurity;
		if (query->commandType != CMD_SELECT || query->utilityStmt || query->hasModifyingCTE ||
			query->hasForUpdate || query->rowMarks)
			return true;
		return query_tree_walker(query, unusable_walker, row_security, 0);
	}
	return expression_tree_walker(node, unusable_walker, row_security);
}

/*
 * Returns the query of a plan as PostgreSQL has analyzed and rewritten it for the
 * current user, with locks on what it reads; NULL if it is not to be compiled in.
 */
static Query *
rewritten_query(CormInline *state, const CormPlan *plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan->spi);
	CachedPlanSource *source = linitial(sources);
	Query	   *query;
	bool		row_security = false;

	if (list_length(sources) != 1)
		return NULL;
	/* the exported function that brings it up to date and locks it */
	(void) CachedPlanGetTargetList(source, NULL);
	if (!source->is_valid || list_length(source->query_list) != 1)
		return NULL;
	query = linitial_node(Query, source->query_list);
	if (unusable_walker((Node *) query, &row_security) || contain_volatile_functions((Node *) query))
	{
		/* one of its functions may become another */
		state->dependencies.items = list_concat(state->dependencies.items, copyObject(source->invalItems));
		return NULL;
	}
	state->dependencies.on_role |= row_security || source->dependsOnRLS;
	return query;
}

/*
 * Columns
 */

/*
 * Gives a column the type modifier and the collation that the statement around knows
 * of it.  Returns false if its type is another one.
 */
static bool
fit_column(TargetEntry *target, Oid typid, int32 typmod, Oid collation)
{
	Node	   *expr = (Node *) target->expr;

	if (exprType(expr) != typid)
		return false;
	if (exprTypmod(expr) != typmod || exprCollation(expr) != collation)
		target->expr = (Expr *) makeRelabelType(target->expr, typid, typmod, collation, COERCE_IMPLICIT_CAST);
	return true;
}

/*
 * Makes the columns of a query the attributes of a row type: with a NULL for each one
 * that was dropped.  Returns false if that cannot be.
 */
static bool
fit_row(Query *query, TupleDesc tupdesc)
{
	List	   *targets = NIL;
	ListCell   *lc = list_head(query->targetList);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		TargetEntry *target;

		if (att->attisdropped)
		{
			if (query->setOperations)
				return false;
			targets = lappend(targets, makeTargetEntry((Expr *) makeNullConst(INT4OID, -1, InvalidOid), i + 1,
													   pstrdup("dropped"), false));
			continue;
		}
		target = lc ? lfirst_node(TargetEntry, lc) : NULL;
		if (target == NULL || target->resjunk)
			return false;
		if (query->setOperations ?
			(exprType((Node *) target->expr) != att->atttypid ||
			 exprTypmod((Node *) target->expr) != att->atttypmod ||
			 exprCollation((Node *) target->expr) != att->attcollation) :
			!fit_column(target, att->atttypid, att->atttypmod, att->attcollation))
			return false;
		target->resno = i + 1;
		targets = lappend(targets, target);
		lc = lnext(query->targetList, lc);
	}
	for (; lc; lc = lnext(query->targetList, lc))
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);

		if (!target->resjunk)
			return false;
		target->resno = list_length(targets) + 1;
		targets = lappend(targets, target);
	}
	query->targetList = targets;
	return true;
}

/* Makes the one column of a query what the call returns. */
static bool
fit_value(Query *query, FuncExpr *call)
{
	TargetEntry *target = linitial_node(TargetEntry, query->targetList);
	ListCell   *lc;

	for_each_from(lc, query->targetList, 1)
		if (!lfirst_node(TargetEntry, lc)->resjunk)
			return false;
	if (target->resjunk)
		return false;
	if (query->setOperations)
		return exprType((Node *) target->expr) == exprType((Node *) call) &&
			exprTypmod((Node *) target->expr) == -1 &&
			exprCollation((Node *) target->expr) == exprCollation((Node *) call);
	return fit_column(target, exprType((Node *) call), -1, exprCollation((Node *) call));
}

/* What the plan of a call is as a query; NULL if it is not to be compiled in. */
static Query *
query_of_plan(CormInline *state, CormPlan *plan, CormQuerySet *set, FuncExpr *call)
{
	Query	   *query;

	corm_dependencies_of_plan(&state->dependencies, plan);
	if (!is_plain_read(plan))
		return NULL;
	query = rewritten_query(state, plan);
	if (query == NULL)
		return NULL;
	corm_queries_read_values(set);
	query = corm_substitute(plan, set, state->symbols, query,
							state->params && state->in_branch ? CORM_VALUES_OF_BRANCH : state->values_of);
	if (query == NULL || !(plan->tupdesc ? fit_row(query, plan->tupdesc) : fit_value(query, call)))
		return NULL;
	/* input functions are user code, and looking at catalogs brings messages */
	if (!plan->valid)
		return NULL;
	state->dependencies.models = lappend_oid(state->dependencies.models, plan->model);
	return query;
}

static bool
verb_returns_rows(const CormVerb *verb)
{
	return verb->output == CORM_OUTPUT_ROWS || (verb->output == CORM_OUTPUT_VALUE && verb->limit == 0);
}

/*
 * May the query of a call, compiled without known values, be kept for calls with any?  Not
 * if it was compiled with more than what kept.c checks, nor if it converts values that are no
 * texts.
 */
static bool
may_keep(CormInline *state, CormPlan *plan, const CormQuerySet *set)
{
	if (state->has_vars || state->has_links || state->dependencies.items || !state->reader.all_public || !plan->cached ||
		plan->npremises > 0 || needs_fmgr_hook)
		return false;
	for (int i = 0; i < plan->nparams; i++)
	{
		CormPlanParam *param = &plan->params[i];
		uint32		symbol = corm_param_value(param, set)->symbol;
		Oid			typid;

		/* of rows, the layout may change */
		if (corm_type_layout(param->typid) != 0)
			return false;
		if (symbol == 0 || param->binding == CORM_BIND_PLAIN)
			continue;
		typid = exprType((Node *) ((CormSymbol *) list_nth(state->symbols, symbol - 1))->expr);
		if (typid != (param->binding == CORM_BIND_ARRAY_INPUT ? TEXTARRAYOID : TEXTOID))
			return false;
	}
	return true;
}

/*
 * Compiles the call of a verb; see corm_query_of_call.  With keep, it is to be kept, and not
 * compiled if that cannot be.
 */
static Query *
compile_call(CormInline *state, const CormVerb *verb, FuncExpr *call, Node *queries, bool keep, bool *guarded)
{
	CormQuerySet set;
	List	   *nodes = NIL;
	CormPlan   *plan;
	Query	   *volatile query = NULL;

	state->symbols = NIL;
	state->has_vars = false;
	state->has_links = false;
	state->reader.fold = fold;
	state->reader.symbol = make_symbol;
	state->queries = NIL;
	for (CormQueryLevel *level = state->level; level; level = level->outer)
		state->queries = lappend(state->queries, level->query);
	if (queries && !corm_read_queries(&state->reader, queries, &nodes))
		return NULL;
	/* a value that is the same for all rows is better asked for once */
	if (!verb_returns_rows(verb) && !state->has_vars)
		return NULL;
	corm_queries_of_list(nodes, &set);
	plan = corm_plan_for_queries(verb, &set, NULL);
	if (plan == NULL)
		return NULL;
	PG_TRY();
	{
		query = query_of_plan(state, plan, &set, call);
		*guarded = plan->guarded;
		if (keep && query)
		{
			if (may_keep(state, plan, &set))
				corm_keep_query(state, call, plan, &set, query);
			else
				query = NULL;
		}
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return query;
}

/*
 * Compiles a call whose parameters are known, for others, too.  Returns false if it cannot be
 * kept.
 */
static bool
compile_and_keep(CormInline *state, const CormVerb *verb, FuncExpr *call, Node *queries, bool *guarded)
{
	CormInline	fresh = *state;

	/* by itself, to see what the call brings */
	memset(&fresh.dependencies, 0, sizeof(fresh.dependencies));
	fresh.reader.functions = NIL;
	fresh.reader.all_public = true;
	fresh.params = NULL;
	fresh.values_of = CORM_VALUES_OF_KEPT;
	if (compile_call(&fresh, verb, call, queries, true, guarded))
		return true;
	corm_keep_none(state, call);
	return false;
}

/*
 * corm_query_of_call returns the query that the call of a verb would run, to be put
 * into the query that has the call; NULL if it is to be executed.  queries is the
 * argument with the queries, or NULL.  *guarded is set if a guard keeps rows from it.
 * Raises the errors of the query.
 */
Query *
corm_query_of_call(CormInline *state, const CormVerb *verb, FuncExpr *call, Node *queries, bool *guarded)
{
	state->ncalls++;
	/* where values are known, the statement is planned for each execution */
	if (state->params && queries && verb_returns_rows(verb) && !state->in_branch)
	{
		Query	   *query = NULL;
		CormKept	kept;

		state->reader.fold = fold;
		kept = corm_kept_query(state, call, &query, guarded);

		if (kept == CORM_KEPT_SEEN && compile_and_keep(state, verb, call, queries, guarded))
			(void) corm_kept_query(state, call, &query, guarded);
		if (query)
			return query;
	}
	return compile_call(state, verb, call, queries, false, guarded);
}

/*
 * If a query is no more than SELECT EXISTS (...), returns that test, to be put in the
 * place of the query; else NULL.
 */
static SubLink *
only_exists(Query *query)
{
	TargetEntry *target = linitial_node(TargetEntry, query->targetList);
	SubLink    *link = (SubLink *) target->expr;

	if (list_length(query->targetList) != 1 || query->rtable || query->jointree->fromlist ||
		query->jointree->quals || query->cteList || query->sortClause || query->limitCount || query->limitOffset ||
		!IsA(link, SubLink) || link->subLinkType != EXISTS_SUBLINK)
		return NULL;
	IncrementVarSublevelsUp((Node *) link, -1, 1);
	return link;
}

/*
 * corm_value_of_call returns a subquery as an expression, in the place of the call of a
 * verb that returns one value and is executed for each row of the query that has it;
 * NULL if it is to be called.  Raises the errors of the query.
 */
Node *
corm_value_of_call(CormInline *state, const CormVerb *verb, FuncExpr *call, Node *queries)
{
	bool		guarded = false;
	Query	   *query = corm_query_of_call(state, verb, call, queries, &guarded);
	SubLink    *link;

	if (query == NULL)
		return NULL;
	/* PostgreSQL can make a join of it; not of what a guard protects */
	link = verb->output == CORM_OUTPUT_EXISTS && !guarded ? only_exists(query) : NULL;
	if (link)
		return (Node *) link;
	link = makeNode(SubLink);
	link->subLinkType = EXPR_SUBLINK;
	link->subselect = (Node *) query;
	link->location = -1;
	return (Node *) link;
}

/*
 * corm_precompute computes the queries that a call gives as an array, if they are known:
 * the array becomes a constant.  The executor would come to the same, for each builder's
 * call by itself.  Raises what the builders raise.
 */
void
corm_precompute(CormInline *state, FuncExpr *call)
{
	Node	   *array = call->args ? llast(call->args) : NULL;
	List	   *nodes = NIL;
	Datum	   *queries;
	ListCell   *lc;

	if (!corm_inline || array == NULL || !IsA(array, ArrayExpr) || ((ArrayExpr *) array)->element_typeid != corm_query_type_oid())
		return;
	state->symbols = NIL;
	state->reader.fold = fold;
	state->reader.symbol = refuse_symbol;
	if (!corm_read_queries(&state->reader, array, &nodes))
		return;
	queries = palloc(sizeof(Datum) * Max(list_length(nodes), 1));
	foreach(lc, nodes)
		queries[foreach_current_index(lc)] = PointerGetDatum(lfirst(lc));
	llast(call->args) = makeConst(exprType(array), -1, InvalidOid, -1,
								  PointerGetDatum(construct_array(queries, list_length(nodes), corm_query_type_oid(),
																  -1, false, TYPALIGN_DOUBLE)),
								  false, false);
}
