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
#include "exec/run/stats.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "model/registry.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "query/query.h"
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
	VERB_PLUCK,
	VERB_COUNT,
	VERB_EXISTS,
	VERB_VALUE,
	VERB_JSON,
	VERB_JSON_TEXT,
	VERB_OTHER					/* its queries can be computed */
} VerbKind;

/* The C functions of verbs whose queries can be compiled in. */
static const struct
{
	const char *symbol;
	VerbKind	kind;
}			verb_symbols[] = {
	{"corm_get_multi", VERB_GET_MULTI},
	{"corm_pluck", VERB_PLUCK},
	{"corm_count_rows", VERB_COUNT},
	{"corm_exists", VERB_EXISTS},
	{"corm_value", VERB_VALUE},
	{"corm_get_multi_json", VERB_JSON},
	{"corm_get_multi_json_text", VERB_JSON_TEXT}
};

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

static bool inline_in_sublinks(Node *node, CormInline *state);
static void inline_in_query(CormInline *state, Query *query);
static void inline_executor_start(QueryDesc *query_desc, int eflags);

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
	if (proc->prolang == ClanguageId && !proc->prosecdef && proc->prokind == PROKIND_FUNCTION &&
		proc->pronamespace == corm_schema_oid() && heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL))
	{
		bool		isnull;
		char	   *symbol = TextDatumGetCString(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull));

		for (int i = 0; i < lengthof(verb_symbols); i++)
			if (strcmp(symbol, verb_symbols[i].symbol) == 0)
				verb->kind = verb_symbols[i].kind;
		if (verb->kind == VERB_NONE && proc->provariadic == corm_query_type_oid() && strcmp(symbol, "corm_build") != 0 &&
				 strcmp(symbol, "corm_pipe") != 0)
			verb->kind = VERB_OTHER;
		verb->is_public = corm_function_is_public(tuple);
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
	if (funcid < FirstUnpinnedObjectId || !IsTransactionState() || corm_is_absent())
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
 * Is a single value of that type compiled?  The verbs raise errors for the others, and for
 * a query in the place of the type.
 */
static bool
is_value_type(Oid typid)
{
	return typid != RECORDOID && typid != corm_query_type_oid() &&
		get_typtype(getBaseType(typid)) != TYPTYPE_COMPOSITE && get_typtype(typid) != TYPTYPE_PSEUDO;
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
		if (!is_value_type(verb.typid))
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
		(!function->is_public && corm_function_aclcheck(function->funcid, GetUserId()) != ACLCHECK_OK))
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
	if (verb.kind == VERB_NONE)
		return;
	/* what is in its values would not be found any more */
	if (state->level->query->hasSubLinks)
		(void) inline_in_sublinks((Node *) ((FuncExpr *) function->funcexpr)->args, state);
	subquery = rte->funcordinality || list_length(rte->functions) > 1 ||
		(verb.kind != VERB_GET_MULTI && verb.kind != VERB_PLUCK) || !may_skip_verb(state, &verb) ? NULL :
		query_of_rows(state, (FuncExpr *) function->funcexpr, &verb, &guarded);
	if (subquery == NULL)
	{
		corm_precompute(state, (FuncExpr *) function->funcexpr);
		return;
	}
	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = subquery;
	rte->security_barrier = guarded;
	rte->funcordinality = false;
}

/*
 * Verbs that return one value
 */

/* Returns a subquery in the place of the call of such a verb; NULL if it is to be called. */
static Node *
value_of_call(CormInline *state, FuncExpr *call, const VerbFunction *function)
{
	CormVerb	verb = {0};
	List	   *args = call->args;

	switch (function->kind)
	{
		case VERB_COUNT:
			verb.output = CORM_OUTPUT_COUNT;
			break;
		case VERB_EXISTS:
			verb.output = CORM_OUTPUT_EXISTS;
			break;
		case VERB_JSON_TEXT:
			verb.typid = JSONOID;
			/* FALLTHROUGH */
		case VERB_JSON:
			verb.output = CORM_OUTPUT_JSON;
			break;
		case VERB_VALUE:
			{
				Node	   *type = linitial(args);

				verb.output = CORM_OUTPUT_VALUE;
				verb.limit = 1;
				verb.typid = exprType(type);
				if (contain_volatile_functions(type) || checkExprHasSubLink(type) || !is_value_type(verb.typid))
					return NULL;
				args = list_copy_tail(args, 1);
				break;
			}
		default:
			return NULL;
	}
	if (list_length(args) != 1 || !may_skip_verb(state, function))
		return NULL;
	return corm_value_of_call(state, &verb, call, linitial(args));
}

/* Is an expression one of those that most are, and that call nothing? */
static inline bool
is_leaf(const Node *node)
{
	return node == NULL || IsA(node, Var) || IsA(node, Const) || IsA(node, Param);
}

/* Is an expression a comparison, or another operator, of two such? */
static inline bool
is_plain_comparison(const Node *node)
{
	const List *args;

	if (!IsA(node, OpExpr))
		return false;
	args = ((const OpExpr *) node)->args;
	return args->length == 2 && is_leaf(args->elements[0].ptr_value) && is_leaf(args->elements[1].ptr_value);
}

/*
 * Does an expression call a verb?  Looks at the usual nodes only, and at each once, so
 * that it costs statements without such calls nothing to speak of.
 */
static bool
calls_verb(Node *node)
{
	List	   *args;
	ListCell   *lc;

	if (is_leaf(node) || is_plain_comparison(node))
		return false;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			if (verb_of_function(((FuncExpr *) node)->funcid).kind != VERB_NONE)
				return true;
			args = ((FuncExpr *) node)->args;
			break;
		case T_OpExpr:
		case T_DistinctExpr:
			args = ((OpExpr *) node)->args;
			break;
		case T_BoolExpr:
			args = ((BoolExpr *) node)->args;
			break;
		case T_CoalesceExpr:
			args = ((CoalesceExpr *) node)->args;
			break;
		case T_CaseExpr:
			if (calls_verb((Node *) ((CaseExpr *) node)->defresult))
				return true;
			args = ((CaseExpr *) node)->args;
			break;
		case T_CaseWhen:
			return calls_verb((Node *) ((CaseWhen *) node)->expr) || calls_verb((Node *) ((CaseWhen *) node)->result);
		case T_List:
			args = (List *) node;
			break;
		case T_RelabelType:
			return calls_verb((Node *) ((RelabelType *) node)->arg);
		case T_CoerceViaIO:
			return calls_verb((Node *) ((CoerceViaIO *) node)->arg);
		case T_FieldSelect:
			return calls_verb((Node *) ((FieldSelect *) node)->arg);
		case T_NullTest:
			return calls_verb((Node *) ((NullTest *) node)->arg);
		case T_BooleanTest:
			return calls_verb((Node *) ((BooleanTest *) node)->arg);
		default:
			return false;
	}
	foreach(lc, args)
	{
		if (is_leaf(lfirst(lc)))
			continue;
		check_stack_depth();
		if (calls_verb(lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * Replaces the calls of verbs in an expression by subqueries, or computes their queries.
 */
static Node *
replace_values(Node *node, CormInline *state)
{
	if (node == NULL)
		return NULL;
	/* those in subqueries have their turn with these */
	if (IsA(node, Query) || IsA(node, Aggref) || IsA(node, WindowFunc))
		return node;
	if (IsA(node, FuncExpr))
	{
		VerbFunction verb = verb_of_function(((FuncExpr *) node)->funcid);

		if (verb.kind != VERB_NONE)
		{
			Node	   *value = state->may_replace ? value_of_call(state, (FuncExpr *) node, &verb) : NULL;

			if (value)
			{
				state->level->query->hasSubLinks = true;
				return value;
			}
			corm_precompute(state, (FuncExpr *) node);
			return node;
		}
	}
	if (IsA(node, CaseExpr) || IsA(node, CoalesceExpr))
	{
		bool		in_branch = state->in_branch;

		state->in_branch = true;
		node = expression_tree_mutator(node, replace_values, state);
		state->in_branch = in_branch;
		return node;
	}
	return expression_tree_mutator(node, replace_values, state);
}

/* Replaces the calls in the conditions of a join tree. */
static void
replace_in_conditions(CormInline *state, Node *jtnode)
{
	ListCell   *lc;

	if (IsA(jtnode, RangeTblRef))
		return;
	check_stack_depth();
	if (IsA(jtnode, FromExpr))
	{
		FromExpr   *from = (FromExpr *) jtnode;

		foreach(lc, from->fromlist)
			replace_in_conditions(state, lfirst(lc));
		if (from->quals && calls_verb(from->quals))
			from->quals = replace_values(from->quals, state);
	}
	else if (IsA(jtnode, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) jtnode;

		replace_in_conditions(state, join->larg);
		replace_in_conditions(state, join->rarg);
		if (calls_verb(join->quals))
			join->quals = replace_values(join->quals, state);
	}
}

/* Do the conditions of a join tree call verbs? */
static bool
conditions_call_verbs(const Node *jtnode)
{
	Node	   *quals;

	if (IsA(jtnode, FromExpr))
	{
		const List *from = ((const FromExpr *) jtnode)->fromlist;

		for (int i = list_length(from) - 1; i >= 0; i--)
		{
			const Node *item = from->elements[i].ptr_value;

			if (IsA(item, RangeTblRef))
				continue;
			check_stack_depth();
			if (conditions_call_verbs(item))
				return true;
		}
		quals = ((const FromExpr *) jtnode)->quals;
	}
	else
	{
		const JoinExpr *join = (const JoinExpr *) jtnode;

		for (int side = 0; side < 2; side++)
		{
			const Node *arg = side == 0 ? join->larg : join->rarg;

			if (IsA(arg, RangeTblRef))
				continue;
			check_stack_depth();
			if (conditions_call_verbs(arg))
				return true;
		}
		quals = join->quals;
	}
	return !is_leaf(quals) && !is_plain_comparison(quals) && calls_verb(quals);
}

/*
 * Verbs in the columns and conditions of a query.  A write sees its own effects in a verb
 * that is called, and grouping compares expressions: calls stay there.
 */
static void
replace_in_query(CormInline *state, Query *query)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);

		if (IsA(target->expr, Var) || !calls_verb((Node *) target->expr))
			continue;
		state->may_replace = query->commandType == CMD_SELECT && !query->groupClause && !query->groupingSets &&
			!query->hasAggs && !query->distinctClause && !query->setOperations && !query->hasWindowFuncs;
		target->expr = (Expr *) replace_values((Node *) target->expr, state);
	}
	state->may_replace = query->commandType == CMD_SELECT;
	replace_in_conditions(state, (Node *) query->jointree);
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

/* Names a column of a compiled query as the statement around it does. */
static inline void
take_name(TargetEntry *column, const TargetEntry *target)
{
	column->resname = target->resname;
	column->resorigtbl = target->resorigtbl;
	column->resorigcol = target->resorigcol;
}

/*
 * Returns the columns of a compiled query with the names that a statement around gives them, if
 * it wants all of them as they are, as SELECT * does; else NIL.
 */
static List *
same_columns(const Query *parse, Query *sub)
{
	int			n = list_length(parse->targetList);

	if (list_length(sub->targetList) < n ||
		(list_length(sub->targetList) > n && !((TargetEntry *) list_nth(sub->targetList, n))->resjunk))
		return NIL;
	for (int i = 0; i < n; i++)
	{
		const TargetEntry *target = list_nth(parse->targetList, i);
		const Var  *var = (const Var *) target->expr;

		if (target->resjunk || !IsA(var, Var) || var->varlevelsup != 0 || var->varattno != i + 1 ||
			((TargetEntry *) list_nth(sub->targetList, i))->resjunk)
			return NIL;
	}
	for (int i = 0; i < n; i++)
		take_name(list_nth(sub->targetList, i), list_nth(parse->targetList, i));
	return sub->targetList;
}

/*
 * Returns the columns of a compiled query as a statement around it wants them, which
 * names each at most once; NIL if its own cannot be changed so.  Those that an order or
 * a grouping needs stay, unseen.
 */
static List *
wanted_columns(Query *parse, Query *sub)
{
	List	   *wanted = same_columns(parse, sub);
	Bitmapset  *used = NULL;
	bool		all = sub->setOperations || sub->distinctClause || sub->hasTargetSRFs;
	int			n = 0;
	ListCell   *lc;

	if (wanted)
		return wanted;
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
		take_name(column, target);
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
	/* its levels are right: there is nothing around that it could refer to */
	sub->targetList = columns;
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
	if (IsA(node, CaseExpr) || IsA(node, CoalesceExpr))
	{
		bool		in_branch = state->in_branch;

		state->in_branch = true;
		(void) expression_tree_walker(node, inline_in_sublinks, state);
		state->in_branch = in_branch;
		return false;
	}
	return expression_tree_walker(node, inline_in_sublinks, state);
}

/* Compiles in what can be, in a query and those in it. */
static void
inline_in_query(CormInline *state, Query *query)
{
	CormQueryLevel level = {.query = query, .outer = state->level};
	ListCell   *lc;

	check_stack_depth();
	state->level = &level;
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_SUBQUERY)
			inline_in_query(state, rte->subquery);
		else if (rte->rtekind == RTE_FUNCTION)
			inline_range(state, rte);
	}
	foreach(lc, query->cteList)
		inline_in_query(state, castNode(Query, lfirst_node(CommonTableExpr, lc)->ctequery));
	if (query->hasSubLinks)
		(void) query_tree_walker(query, inline_in_sublinks, state, QTW_IGNORE_RC_SUBQUERIES);
	replace_in_query(state, query);
	state->level = level.outer;
}

/* While queries are logged or have comments, each is run by itself. */
static bool
settings_permit(void)
{
	return corm_inline && !corm_log_queries && corm_log_min_duration < 0 && !corm_sql_comments;
}

/*
 * Installs the hook for executions, once there is a plan that it is for.
 */
static void
watch_executions(void)
{
	static bool watching = false;

	if (watching)
		return;
	prev_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = inline_executor_start;
	watching = true;
}

/* Plans a statement in which there may be calls of verbs. */
static pg_noinline PlannedStmt *
plan_with_calls(Query *parse, const char *query_string, int cursor_options, ParamListInfo params)
{
	CormInline	state = {.reader.all_public = true};
	uint64		changes = corm_dependencies_changes();
	PlannedStmt *stmt;

	corm_dependencies_pending();
	state.disabled = parse->hasModifyingCTE || !settings_permit();
	state.params = params;
	state.values_of = params ? CORM_VALUES_OF_EXECUTION : CORM_VALUES_OF_ALL;
	state.parse = parse;
	state.source = query_string;
	inline_in_query(&state, parse);
	if (state.considered)
		flatten_statement(parse);
	stmt = prev_planner ? prev_planner(parse, query_string, cursor_options, params) :
		standard_planner(parse, query_string, cursor_options, params);
	if (state.considered)
	{
		watch_executions();
		state.dependencies.functions = list_concat_unique_oid(state.dependencies.functions, state.reader.functions);
		state.dependencies.on_role |= !state.reader.all_public;
		corm_dependencies_add(&state.dependencies, stmt);
		if (corm_dependencies_changes() != changes)
			corm_dependencies_late();
	}
	return stmt;
}

/*
 * May a statement call verbs?  Most are seen not to at a glance, and pay for no more than
 * that.
 */
static bool
may_call_verbs(const Query *query)
{
	const ListCell *cell;
	const ListCell *end;

	if (query->hasSubLinks || query->cteList)
		return true;
	if (query->rtable != NIL)
	{
		cell = query->rtable->elements;
		for (end = cell + query->rtable->length; cell < end; cell++)
		{
			RTEKind		kind = ((const RangeTblEntry *) cell->ptr_value)->rtekind;

			if (kind == RTE_SUBQUERY || kind == RTE_FUNCTION)
				return true;
		}
	}
	if (query->targetList != NIL)
	{
		cell = query->targetList->elements;
		for (end = cell + query->targetList->length; cell < end; cell++)
		{
			Node	   *node = (Node *) ((const TargetEntry *) cell->ptr_value)->expr;

			if (unlikely(!IsA(node, Var)) && calls_verb(node))
				return true;
		}
	}
	return conditions_call_verbs((Node *) query->jointree);
}

/* The hook of the planner. */
static PlannedStmt *
inline_planner(Query *parse, const char *query_string, int cursor_options, ParamListInfo params)
{
	if (unlikely(may_call_verbs(parse)) && IsTransactionState() && !corm_is_absent())
		return plan_with_calls(parse, query_string, cursor_options, params);
	return prev_planner ? prev_planner(parse, query_string, cursor_options, params) :
		standard_planner(parse, query_string, cursor_options, params);
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

/* Counts the compiled queries of a plan that is executed. */
static void
count_compiled(const PlannedStmt *stmt)
{
	ListCell   *lc;

	if (!corm_track_queries)
		return;
	foreach(lc, corm_compiled_models(stmt))
	{
		CormModel  *model = OidIsValid(lfirst_oid(lc)) ? corm_model_cached(lfirst_oid(lc)) : NULL;

		corm_stats_compiled(lfirst_oid(lc), model ? model->name : get_rel_name(lfirst_oid(lc)));
	}
}

static void
inline_executor_start(QueryDesc *query_desc, int eflags)
{
	PlannedStmt *stmt = query_desc->plannedstmt;

	if (stmt->invalItems && corm_was_considered(stmt))
	{
		corm_dependencies_pending();
		/* locks that are held already are no occasion to read messages */
		AcceptInvalidationMessages();
		if (!row_security && stmt->dependsOnRole)
			check_row_security(stmt);
		if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
			count_compiled(stmt);
	}
	if (prev_executor_start)
		prev_executor_start(query_desc, eflags);
	else
		standard_ExecutorStart(query_desc, eflags);
}

/*
 * corm_inline_init installs the hook of the planner and the callbacks.  Called once, from
 * _PG_init.
 */
void
corm_inline_init(void)
{
	corm_dependencies_init();
	CacheRegisterSyscacheCallback(PROCOID, functions_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, functions_changed, (Datum) 0);
	prev_planner = planner_hook;
	planner_hook = inline_planner;
}
