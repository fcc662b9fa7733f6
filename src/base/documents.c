/*-------------------------------------------------------------------------
 *
 * documents.c
 *		JSON documents as arguments: jsonb, json or text.
 *
 * A function that takes a document has three forms.  With two, for jsonb and json, a literal
 * would be ambiguous; of three, PostgreSQL prefers text for a literal, and for a parameter
 * whose type the client leaves open.  But a driver that asks for the types of parameters and
 * then sends an object as JSON must be told jsonb.  So, when a statement has been analyzed,
 * such a parameter becomes jsonb, and the call that of the form for jsonb.  A parameter that
 * the statement casts to text, or that also stands elsewhere, stays text.
 *
 * The types of parameters are where untyped.c looks for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/documents.h"
#include "base/schema.h"
#include "base/untyped.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "parser/parse_node.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The functions, and a bit for each argument that is a document. */
static const struct
{
	const char *name;
	int			documents;
}			document_functions[] = {
	{"insert_json", 1 << 1},
	{"upsert_json", 1 << 1},
	{"update_json", 1 << 1 | 1 << 2},
	{"set_related", 1 << 1 | 1 << 3},
	{"cache_set_many", 1 << 0}
};

/* What the walks over a statement know; the arrays are by number of the parameter - 1. */
typedef struct DocumentWalk
{
	const char *source;			/* text of the statement, or NULL */
	Oid		   *types;
	int			n;
	int		   *uses;			/* of each parameter */
	int		   *as_document;	/* uses as a document, without a cast */
} DocumentWalk;

/*
 * corm_document_arg returns an argument, which is not null, as jsonb.
 */
Jsonb *
corm_document_arg(FunctionCallInfo fcinfo, int argno)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, argno);

	if (!OidIsValid(typid))
	{
		Oid		   *argtypes;
		int			nargs;

		(void) get_func_signature(fcinfo->flinfo->fn_oid, &argtypes, &nargs);
		typid = argtypes[argno];
	}
	if (typid == JSONOID || typid == TEXTOID || typid == VARCHAROID)
		return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(argno)))));
	return PG_GETARG_JSONB_P(argno);
}

/* Returns the arguments of a call that are documents, if it is a form for text; else 0. */
static int
document_args(const FuncExpr *call)
{
	char	   *name;

	if (get_func_namespace(call->funcid) != corm_schema_oid())
		return 0;
	name = get_func_name(call->funcid);
	for (int i = 0; i < lengthof(document_functions); i++)
	{
		int			documents = document_functions[i].documents;

		if (name == NULL || strcmp(document_functions[i].name, name) != 0)
			continue;
		for (int arg = 0; arg < list_length(call->args); arg++)
			if (IsA(list_nth(call->args, arg), NamedArgExpr) ||
				((documents & (1 << arg)) && exprType(list_nth(call->args, arg)) != TEXTOID))
				return 0;
		return documents;
	}
	return 0;
}

/* Is it a parameter of the client's that became text, without a cast in the statement? */
static bool
is_inferred(const DocumentWalk *walk, const Node *node)
{
	const Param *param = (const Param *) node;
	const char *p;

	if (!IsA(node, Param) || param->paramkind != PARAM_EXTERN || param->paramtype != TEXTOID ||
		param->paramid < 1 || param->paramid > walk->n || walk->types[param->paramid - 1] != TEXTOID ||
		walk->source == NULL || param->location < 0 || param->location >= strlen(walk->source))
		return false;
	p = walk->source + param->location;
	if (*p++ != '$')
		return false;
	while (isdigit((unsigned char) *p))
		p++;
	while (isspace((unsigned char) *p))
		p++;
	return strncmp(p, "::", 2) != 0;
}

/* Counts the uses of parameters. */
static bool
count_walker(Node *node, void *context)
{
	DocumentWalk *walk = context;

	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		Param	   *param = (Param *) node;

		if (param->paramkind == PARAM_EXTERN && param->paramid >= 1 && param->paramid <= walk->n)
			walk->uses[param->paramid - 1]++;
		return false;
	}
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;
		int			documents = document_args(call);

		for (int i = 0; documents && i < list_length(call->args); i++)
			if ((documents & (1 << i)) && is_inferred(walk, list_nth(call->args, i)))
				walk->as_document[((Param *) list_nth(call->args, i))->paramid - 1]++;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, count_walker, context, 0);
	return expression_tree_walker(node, count_walker, context);
}

/* May a document of a call become jsonb: a parameter that is one wherever it stands? */
static bool
may_change(const DocumentWalk *walk, const Node *node)
{
	int			id;

	if (!is_inferred(walk, node))
		return false;
	id = ((const Param *) node)->paramid - 1;
	return walk->uses[id] == walk->as_document[id];
}

/* Makes a call with such a parameter one of the form for jsonb. */
static void
change_call(DocumentWalk *walk, FuncExpr *call, int documents)
{
	Oid		   *argtypes;
	int			nargs;
	bool		any = false;
	Oid			twin;

	/* with the arguments that are left out */
	(void) get_func_signature(call->funcid, &argtypes, &nargs);
	for (int i = 0; i < nargs; i++)
		if (documents & (1 << i))
			argtypes[i] = JSONBOID;
	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *arg = list_nth(call->args, i);

		any |= (documents & (1 << i)) && may_change(walk, arg);
		/* one that stands elsewhere is text there */
		if ((documents & (1 << i)) && IsA(arg, Param) && !may_change(walk, arg))
			return;
	}
	twin = any ? LookupFuncName(list_make2(makeString(get_namespace_name(corm_schema_oid())), makeString(get_func_name(call->funcid))),
								nargs, argtypes, true) : InvalidOid;
	if (!OidIsValid(twin))
		return;
	for (int i = 0; i < list_length(call->args); i++)
	{
		Node	   *arg = list_nth(call->args, i);

		if (!(documents & (1 << i)))
			continue;
		if (IsA(arg, Param))
		{
			Param	   *param = (Param *) arg;

			param->paramtype = JSONBOID;
			param->paramcollid = InvalidOid;
			walk->types[param->paramid - 1] = JSONBOID;
		}
		else
		{
			CoerceViaIO *value = makeNode(CoerceViaIO);

			value->arg = (Expr *) arg;
			value->resulttype = JSONBOID;
			value->resultcollid = InvalidOid;
			value->coerceformat = COERCE_EXPLICIT_CAST;
			value->location = -1;
			lfirst(list_nth_cell(call->args, i)) = value;
		}
	}
	call->funcid = twin;
}

static bool
change_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, change_walker, context, 0);
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;
		int			documents = document_args(call);

		if (documents)
			change_call(context, call, documents);
	}
	return expression_tree_walker(node, change_walker, context);
}

/*
 * corm_settle_documents makes the parameters of a statement that are documents jsonb.
 * corm_has_open_params must be true; called after corm_settle_untyped.
 */
void
corm_settle_documents(ParseState *pstate, Query *query)
{
	DocumentWalk walk;
	Oid		   *types;
	int			n;
	bool		any = false;

	corm_open_params(pstate, &types, &n);
	if (query->utilityStmt)
		return;
	for (int i = 0; i < n && !any; i++)
		any = types[i] == TEXTOID;
	if (!any || !OidIsValid(corm_schema_oid()))
		return;
	memset(&walk, 0, sizeof(walk));
	walk.source = pstate->p_sourcetext;
	walk.types = types;
	walk.n = n;
	walk.uses = palloc0(sizeof(int) * walk.n);
	walk.as_document = palloc0(sizeof(int) * walk.n);
	(void) count_walker((Node *) query, &walk);
	any = false;
	for (int i = 0; i < walk.n && !any; i++)
		any = walk.as_document[i] > 0;
	if (any)
		(void) change_walker((Node *) query, &walk);
}
