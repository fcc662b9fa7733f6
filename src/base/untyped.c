/*-------------------------------------------------------------------------
 *
 * untyped.c
 *		Untyped parameters of a client's statement as arguments of corm's functions.
 *
 * A function that takes "any" cannot tell PostgreSQL the type of a parameter
 * whose type the client leaves open: the statement fails with 42P18, though the
 * same value as a literal is taken.  A twin of the function that takes text[]
 * helps only where all arguments are untyped.  So, when a statement has been
 * analyzed, a parameter that is an argument of one of corm's functions and still
 * has no type becomes text, converted to what a literal is, an unknown string.
 *
 * The hook sees the analyzed statement before PostgreSQL looks whether all
 * parameters have a type.  The types are in a structure that is private to
 * parse_param.c and has been the same since PostgreSQL 9.0.  That it is this one is
 * known from the hook beside it: we compare that with what parse_param.c sets up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/schema.h"
#include "base/untyped.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "parser/parse_param.h"
#include "utils/lsyscache.h"

/* parse_param.c's VarParamState. */
typedef struct VarParamState
{
	Oid		  **param_types;
	int		   *num_params;
} VarParamState;

/* What the walk over a statement knows. */
typedef struct UntypedWalk
{
	VarParamState *params;
	Oid			schema;			/* corm's; InvalidOid: not looked up yet */
} UntypedWalk;

static CoerceParamHook variable_params = NULL;	/* parse_param.c's, where types
												 * are to be found */

/*
 * Has the client left the type of a parameter open?
 */
static bool
has_untyped(const VarParamState *params)
{
	for (int i = 0; i < *params->num_params; i++)
		if ((*params->param_types)[i] == UNKNOWNOID)
			return true;
	return false;
}

/*
 * Is a function one of corm's?  The schema is looked up when the first call is met.
 */
static bool
is_own_function(UntypedWalk *walk, Oid function)
{
	if (!OidIsValid(walk->schema))
		walk->schema = corm_schema_oid();
	return OidIsValid(walk->schema) && get_func_namespace(function) == walk->schema;
}

/*
 * Makes the untyped parameters among the arguments of a call text, converted to unknown.
 */
static void
settle_args(UntypedWalk *walk, List *args)
{
	ListCell   *lc;

	foreach(lc, args)
	{
		Param	   *param = lfirst(lc);
		CoerceViaIO *value;

		if (!IsA(param, Param) || param->paramkind != PARAM_EXTERN || param->paramtype != UNKNOWNOID ||
			param->paramid < 1 || param->paramid > *walk->params->num_params ||
			!((*walk->params->param_types)[param->paramid - 1] == UNKNOWNOID ||
			  (*walk->params->param_types)[param->paramid - 1] == TEXTOID))
			continue;
		(*walk->params->param_types)[param->paramid - 1] = TEXTOID;
		param->paramtype = TEXTOID;
		param->paramcollid = get_typcollation(TEXTOID);
		value = makeNode(CoerceViaIO);
		value->arg = (Expr *) param;
		value->resulttype = UNKNOWNOID;
		value->resultcollid = InvalidOid;
		value->coerceformat = COERCE_IMPLICIT_CAST;
		value->location = param->location;
		lfirst(lc) = value;
	}
}

static bool
settle_walker(Node *node, void *arg)
{
	UntypedWalk *walk = arg;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, settle_walker, arg, 0);
	if (IsA(node, FuncExpr) && is_own_function(walk, ((FuncExpr *) node)->funcid))
		settle_args(walk, ((FuncExpr *) node)->args);
	return expression_tree_walker(node, settle_walker, arg);
}

/*
 * corm_has_open_params returns whether the client may leave types of a statement's parameters
 * open.
 */
bool
corm_has_open_params(const ParseState *pstate)
{
	return pstate->p_coerce_param_hook == variable_params;
}

/*
 * corm_settle_untyped makes the untyped parameters of a statement text, where they are
 * arguments of corm's functions.  corm_has_open_params must be true.
 */
void
corm_settle_untyped(ParseState *pstate, Query *query)
{
	UntypedWalk walk = {.params = pstate->p_ref_hook_state};

	if (!has_untyped(walk.params))
		return;
	if (query->utilityStmt == NULL)
		settle_walker((Node *) query, &walk);
	else if (IsA(query->utilityStmt, CallStmt))
		settle_walker((Node *) ((CallStmt *) query->utilityStmt)->funcexpr, &walk);
}

/*
 * corm_open_params gives the types of the parameters of such a statement, and their
 * number.  Types may be changed.
 */
void
corm_open_params(ParseState *pstate, Oid **types, int *n)
{
	VarParamState *params = pstate->p_ref_hook_state;

	*types = *params->param_types;
	*n = *params->num_params;
}

/* corm_untyped_init learns how to recognize such statements. */
void
corm_untyped_init(void)
{
	ParseState *pstate = make_parsestate(NULL);
	Oid		   *types = NULL;
	int			ntypes = 0;

	setup_parse_variable_parameters(pstate, &types, &ntypes);
	variable_params = pstate->p_coerce_param_hook;
	free_parsestate(pstate);
}
