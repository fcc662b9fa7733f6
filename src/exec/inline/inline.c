/*-------------------------------------------------------------------------
 *
 * inline.c
 *		Queries compiled into the plan of the statement around them.
 *
 * Before a statement is planned, a hook looks for calls of corm.get_multi() and
 * corm.pluck() in FROM and puts the query that each of them would run in its place, as
 * PostgreSQL does with functions in SQL.  So the planner sees the tables, and
 * conditions, joins and limits around the call reach them.  By then views and policies
 * are expanded and the values of parameters are known, if the plan is for them.
 *
 * Who may see what does not change: relations are checked as the current user's, when
 * the plan is executed, and policies were applied for that user.  If a guard keeps
 * rows from the query, it is a security barrier: conditions of the statement around
 * that could tell about rows are evaluated behind it.
 *
 * A statement that is nothing but the rows of a compiled query becomes that query, so
 * that it is planned once; and so does one in EXISTS, so that PostgreSQL can make a
 * join of it.
 *
 * Row-level security.  If row_security is off, a statement that policies would change
 * is an error.  PostgreSQL plans a statement again when the setting has changed, if
 * it knows that policies are applied to it; of those in a compiled query it does not
 * know.  So it is checked at the start of the execution.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/schema.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "exec/inline/call_query.h"
#include "exec/inline/dependencies.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/syscache.h"

typedef enum VerbKind
{
	VERB_NONE,
	VERB_GET_MULTI,
	VERB_PLUCK
} VerbKind;

/* Which functions are verbs, by OID; forgotten when any function changes. */
typedef struct VerbFunction
{
	Oid			funcid;
	VerbKind	kind;
	bool		is_public;		/* everybody may execute it */
} VerbFunction;

static HTAB *verbs = NULL;
static bool verbs_outdated = false;
static planner_hook_type prev_planner = NULL;
static ExecutorStart_hook_type prev_executor_start = NULL;

static void inline_in_query(CormInline *state, Query *query);

static void
functions_changed(Datum arg, int cacheid, uint32 hash)
{
	verbs_outdated = true;
}

static void
look_up_verb(VerbFunction *verb)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(verb->funcid));
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		return;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	/* one that runs with other rights or settings is left to do so */
	if (proc->prolang == ClanguageId && proc->proretset && !proc->prosecdef &&
		proc->pronamespace == corm_schema_oid() && heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL))
	{
		bool		isnull;
		char	   *symbol = TextDatumGetCString(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull));

		if (strcmp(symbol, "corm_get_multi") == 0)
			verb->kind = VERB_GET_MULTI;
		else if (strcmp(symbol, "corm_pluck") == 0)
			verb->kind = VERB_PLUCK;
		verb->is_public = heap_attisnull(tuple, Anum_pg_proc_proacl, NULL);
		pfree(symbol);
	}
	ReleaseSysCache(tuple);
}

/* Returns which verb a function is. */
static VerbFunction
verb_of_function(Oid funcid)
{
	VerbFunction verb = {.funcid = funcid, .kind = VERB_NONE};
	VerbFunction *entry;

	/* in single-user mode extensions have OIDs below FirstNormalObjectId */
	if (funcid < FirstUnpinnedObjectId)
		return verb;
	if (verbs && verbs_outdated)
	{
		hash_destroy(verbs);
		verbs = NULL;
	}
	if (verbs == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(VerbFunction), .hcxt = CacheMemoryContext};

		verbs = hash_create("corm verbs", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		verbs_outdated = false;
	}
	entry = hash_search(verbs, &funcid, HASH_FIND, NULL);
	if (entry)
		return *entry;
	look_up_verb(&verb);
	entry = hash_search(verbs, &funcid, HASH_ENTER, NULL);
	*entry = verb;
	return verb;
}

/*
 * Returns the query that a call in FROM would run; NULL if it is to be executed.
 */
static Query *
query_of_rows(CormInline *state, FuncExpr *call, const VerbFunction *function, bool *guarded)
{
	CormVerb	verb = {0};
	Node	   *row = linitial(call->args);

	/* of the first argument nothing but the type counts */
	verb.typid = exprType(row);
	if (contain_volatile_functions(row) || checkExprHasSubLink(row) ||
		list_length(call->args) > 2)
		return NULL;
	if (function->kind == VERB_GET_MULTI)
	{
		if (get_typtype(verb.typid) != TYPTYPE_COMPOSITE)
			return NULL;
		verb.output = CORM_OUTPUT_ROWS;
	}
	else
	{
		if (verb.typid == RECORDOID || get_typtype(getBaseType(verb.typid)) == TYPTYPE_COMPOSITE ||
			get_typtype(verb.typid) == TYPTYPE_PSEUDO)
			return NULL;
		verb.output = CORM_OUTPUT_VALUE;
	}
	return corm_query_of_call(state, &verb, call, list_length(call->args) > 1 ? lsecond(call->args) : NULL,
							  guarded);
}

/* May the call of a verb be left out of the plan, as far as the function is concerned? */
static bool
may_skip_verb(CormInline *state, const VerbFunction *function)
{
	state->considered = true;
	/* the plan will be made again when that changes */
	if (state->disabled)
		return false;
	state->dependencies.functions = list_append_unique_oid(state->dependencies.functions, function->funcid);
	if (FmgrHookIsNeeded(function->funcid) ||
		corm_function_aclcheck(function->funcid, GetUserId()) != ACLCHECK_OK)
		return false;
	state->reader.all_public &= function->is_public;
	return true;
}

/*
 * Puts the query of a call in its place, as preprocess_function_rtes does: functions
 * stays, for references to the whole row.
 */
static void
inline_range(CormInline *state, RangeTblEntry *rte)
{
	RangeTblFunction *function = linitial(rte->functions);
	VerbFunction verb;
	Query	   *subquery;
	bool		guarded = false;

	if (function->funcexpr == NULL || !IsA(function->funcexpr, FuncExpr) || function->funccolnames != NIL)
		return;
	verb = verb_of_function(((FuncExpr *) function->funcexpr)->funcid);
	if (verb.kind == VERB_NONE || !may_skip_verb(state, &verb))
		return;
	subquery = query_of_rows(state, (FuncExpr *) function->funcexpr, &verb, &guarded);
	if (subquery == NULL)
		return;
	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = subquery;
	rte->security_barrier = guarded;
	rte->funcordinality = false;
}

/*
 * Is a query nothing but the rows of one compiled query, which no guard protects?
 * Returns that.
 */
static Query *
only_rows_of(Query *query)
{
	RangeTblEntry *rte;

	if (query->commandType != CMD_SELECT || list_length(query->rtable) != 1 || query->cteList ||
		query->hasSubLinks || query->hasAggs || query->hasWindowFuncs || query->hasTargetSRFs ||
		query->groupClause || query->groupingSets || query->havingQual || query->distinctClause ||
		query->sortClause || query->limitCount || query->limitOffset || query->rowMarks || query->setOperations ||
		query->jointree->quals || list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef))
		return NULL;
	rte = linitial(query->rtable);
	/* functions says that it is a compiled one */
	return rte->rtekind == RTE_SUBQUERY && rte->functions && !rte->security_barrier && !rte->securityQuals ?
		rte->subquery : NULL;
}

/*
 * Returns the columns of a compiled query as a statement around it wants them, which
 * names each at most once; NIL if its own cannot be changed so.  Those that an order or
 * a grouping needs stay, unseen.
 */
static List *
wanted_columns(Query *parse, Query *sub)
{
	List	   *wanted = NIL;
	Bitmapset  *used = NULL;
	bool		all = sub->setOperations || sub->distinctClause || sub->hasTargetSRFs;
	int			n = 0;
	ListCell   *lc;

	foreach(lc, parse->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);
		Var		   *var = (Var *) target->expr;
		TargetEntry *column;

		if (target->resjunk || !IsA(var, Var) || var->varlevelsup != 0 || var->varattno <= 0 ||
			bms_is_member(var->varattno, used))
			return NIL;
		column = get_tle_by_resno(sub->targetList, var->varattno);
		if (column == NULL || column->resjunk || (all && column->resno != target->resno))
			return NIL;
		used = bms_add_member(used, var->varattno);
		column = flatCopyTargetEntry(column);
		column->resno = ++n;
		column->resname = target->resname;
		column->resorigtbl = target->resorigtbl;
		column->resorigcol = target->resorigcol;
		wanted = lappend(wanted, column);
	}
	foreach(lc, sub->targetList)
	{
		TargetEntry *column = lfirst_node(TargetEntry, lc);

		if (bms_is_member(column->resno, used))
			continue;
		if (!column->resjunk && all)
			return NIL;
		if (!column->resjunk && column->ressortgroupref == 0)
			continue;
		column = flatCopyTargetEntry(column);
		column->resno = ++n;
		column->resjunk = true;
		wanted = lappend(wanted, column);
	}
	return wanted;
}

/* A statement that is nothing but the rows of a compiled query becomes that query. */
static void
flatten_statement(Query *parse)
{
	Query	   *sub = only_rows_of(parse);
	List	   *columns = sub ? wanted_columns(parse, sub) : NIL;

	if (columns == NIL)
		return;
	sub->targetList = columns;
	IncrementVarSublevelsUp((Node *) sub, -1, 1);
	sub->querySource = parse->querySource;
	sub->queryId = parse->queryId;
	sub->canSetTag = parse->canSetTag;
	sub->isReturn = parse->isReturn;
	sub->hasRowSecurity |= parse->hasRowSecurity;
	sub->stmt_location = parse->stmt_location;
	sub->stmt_len = parse->stmt_len;
	*parse = *sub;
}

/* EXISTS does not look at columns. */
static void
flatten_exists(Query *query)
{
	Query	   *sub = only_rows_of(query);

	if (sub == NULL)
		return;
	IncrementVarSublevelsUp((Node *) sub, -1, 1);
	sub->canSetTag = query->canSetTag;
	sub->hasRowSecurity |= query->hasRowSecurity;
	*query = *sub;
}

static bool
inline_in_sublinks(Node *node, CormInline *state)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		inline_in_query(state, (Query *) node);
		return false;
	}
	if (IsA(node, SubLink) && ((SubLink *) node)->subLinkType == EXISTS_SUBLINK)
	{
		Query	   *query = (Query *) ((SubLink *) node)->subselect;

		inline_in_query(state, query);
		if (state->considered)
			flatten_exists(query);
		return false;
	}
	return expression_tree_walker(node, inline_in_sublinks, state);
}

/* Compiles in what can be, in a query and those in it. */
static void
inline_in_query(CormInline *state, Query *query)
{
	ListCell   *lc;

	check_stack_depth();
	state->queries = lcons(query, state->queries);
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_SUBQUERY)
			inline_in_query(state, rte->subquery);
		else if (rte->rtekind == RTE_FUNCTION && !rte->funcordinality && list_length(rte->functions) == 1)
			inline_range(state, rte);
	}
	foreach(lc, query->cteList)
		inline_in_query(state, castNode(Query, lfirst_node(CommonTableExpr, lc)->ctequery));
	if (query->hasSubLinks)
		(void) query_tree_walker(query, inline_in_sublinks, state, QTW_IGNORE_RC_SUBQUERIES);
	state->queries = list_delete_first(state->queries);
}

/* While queries are logged or have comments, each is run by itself. */
static bool
settings_permit(void)
{
	return corm_inline && !corm_log_queries && corm_log_min_duration < 0 && !corm_sql_comments;
}

static PlannedStmt *
inline_planner(Query *parse, const char *query_string, int cursor_options, ParamListInfo params)
{
	CormInline	state = {.reader.all_public = true};
	uint64		changes = corm_dependencies_changes();
	PlannedStmt *stmt;

	corm_dependencies_pending();
	if (parse->commandType != CMD_UTILITY && !parse->hasModifyingCTE && IsTransactionState())
	{
		state.disabled = !settings_permit();
		state.params = params;
		state.parse = parse;
		inline_in_query(&state, parse);
		if (state.considered)
			flatten_statement(parse);
	}
	stmt = prev_planner ? prev_planner(parse, query_string, cursor_options, params) :
		standard_planner(parse, query_string, cursor_options, params);
	if (state.considered)
	{
		state.dependencies.functions = list_concat_unique_oid(state.dependencies.functions, state.reader.functions);
		state.dependencies.on_role |= !state.reader.all_public;
		corm_dependencies_add(&state.dependencies, stmt);
		if (corm_dependencies_changes() != changes)
			corm_dependencies_late();
	}
	return stmt;
}

/*
 * Raises 42501 for a plan with policies while row_security is off, as planning it would.
 */
static void
check_row_security(const PlannedStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_RELATION)
			(void) check_enable_rls(rte->relid, corm_rte_user(stmt, rte), false);
	}
}

static void
inline_executor_start(QueryDesc *query_desc, int eflags)
{
	PlannedStmt *stmt = query_desc->plannedstmt;

	if (stmt->invalItems && corm_has_compiled(stmt))
	{
		corm_dependencies_pending();
		/* locks that are held already are no occasion to read messages */
		AcceptInvalidationMessages();
		if (!row_security && stmt->dependsOnRole)
			check_row_security(stmt);
	}
	if (prev_executor_start)
		prev_executor_start(query_desc, eflags);
	else
		standard_ExecutorStart(query_desc, eflags);
}

/*
 * corm_inline_init installs the hooks.  Called once, from _PG_init.
 */
void
corm_inline_init(void)
{
	corm_dependencies_init();
	CacheRegisterSyscacheCallback(PROCOID, functions_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, functions_changed, (Datum) 0);
	prev_planner = planner_hook;
	planner_hook = inline_planner;
	prev_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = inline_executor_start;
}
