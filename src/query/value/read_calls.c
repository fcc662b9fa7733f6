/*-------------------------------------------------------------------------
 *
 * read_calls.c
 *		Calls of builders read in a statement that is being planned.
 *
 * The argument of a verb is an expression: calls of builders, joined by
 * corm.pipe() and |>, with constants, parameters and columns in them.  Read
 * here, it is the query value that executing it would make, if it is known
 * but for values.  What stands for a value that is not known is a symbol: an
 * entry of the values section with the value's type and a number.  So the shape
 * is what it will be, and everything that looks at the shape only works as
 * usual.  The one difference: a NULL is part of the shape, and whether a symbol
 * will be NULL is not known.
 *
 * What cannot be read is left to the executor: names, models, lists and queries
 * that are not constant, rows as values, functions that the user may not
 * execute.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "query/value/builder.h"
#include "query/value/read_calls.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static CormNode *read_node(CormCallReader *r, Node *node);

/*
 * Returns the usual expressions of constants as a constant, as they are when a literal meets
 * a list of names, or a bigint; NULL for others.  PostgreSQL's own way starts an executor.
 */
static Const *
fold_usual(Node *node)
{
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_INT8_INT4)
	{
		Const	   *arg = linitial(((FuncExpr *) node)->args);

		if (IsA(arg, Const) && !arg->constisnull)
			return makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(DatumGetInt32(arg->constvalue)),
							 false, FLOAT8PASSBYVAL);
	}
	if (IsA(node, ArrayExpr) && ((ArrayExpr *) node)->element_typeid == TEXTOID && !((ArrayExpr *) node)->multidims &&
		list_length(((ArrayExpr *) node)->elements) > 0)
	{
		ArrayExpr  *array = (ArrayExpr *) node;
		Datum	   *elements = palloc(sizeof(Datum) * list_length(array->elements));
		ListCell   *lc;

		foreach(lc, array->elements)
		{
			Const	   *element = lfirst(lc);

			if (!IsA(element, Const) || element->constisnull)
				return NULL;
			elements[foreach_current_index(lc)] = element->constvalue;
		}
		return makeConst(array->array_typeid, -1, array->array_collid, -1,
						 PointerGetDatum(construct_array(elements, list_length(array->elements), TEXTOID, -1, false,
														 TYPALIGN_INT)),
						 false, false);
	}
	return NULL;
}

/* Folds an expression.  Returns false if it is no constant then. */
static bool
fold_to_const(CormCallReader *r, Node *node, NullableDatum *value)
{
	if (!IsA(node, Const))
	{
		Const	   *usual = fold_usual(node);

		node = usual ? (Node *) usual : r->fold(r, node);
	}
	if (!IsA(node, Const))
		return false;
	value->value = ((Const *) node)->constvalue;
	value->isnull = ((Const *) node)->constisnull;
	return true;
}

/*
 * A value that is not known: makes *value the expr of a symbol, and *input that
 * of an expr.  Returns false if it cannot be a symbol.
 */
static bool
read_symbol(CormCallReader *r, const Builder *b, Node *node, Input *input, NullableDatum *value)
{
	Oid			typid = exprType(node);
	uint32		number;
	CormWriter	w;

	/* an untyped parameter of a client, see base/untyped.c */
	if (typid == UNKNOWNOID && IsA(node, CoerceViaIO))
	{
		node = (Node *) ((CoerceViaIO *) node)->arg;
		typid = exprType(node);
		if (typid != TEXTOID)
			return false;
	}
	if (get_typtype(typid) == TYPTYPE_PSEUDO)
		return false;
	number = r->symbol(r, node);
	if (number == 0)
		return false;
	corm_writer_init(&w);
	/* text takes its type from what it meets, as build_args.c has it */
	corm_write_symbol(&w, typid == TEXTOID || typid == VARCHAROID ? UNKNOWNOID : typid, number);
	value->value = PointerGetDatum(corm_writer_finish(&w, CORM_KIND_EXPR));
	value->isnull = false;
	input->kind = INPUT_EXPR;
	input->typid = b->expr_type;
	return true;
}

/* Reads what one argument is, or one element of a list, for a letter of nodes.def. */
static bool
read_value(CormCallReader *r, const Builder *b, char letter, Node *node, Input *input, NullableDatum *value)
{
	if (input->kind == INPUT_EXPR || input->kind == INPUT_QUERY)
	{
		value->isnull = false;
		value->value = PointerGetDatum(read_node(r, node));
		return DatumGetPointer(value->value) != NULL;
	}
	return fold_to_const(r, node, value) ||
		((letter == 'v' || letter == 'V') && read_symbol(r, b, node, input, value));
}

/*
 * Reads an array: as a constant, or else element by element.
 */
static bool
read_array(CormCallReader *r, const Builder *b, char letter, Node *node, CormBuilderArg *arg)
{
	ArrayExpr  *array = (ArrayExpr *) node;
	ListCell   *lc;
	bool		of_ours = IsA(node, ArrayExpr) &&
		(array->element_typeid == b->expr_type || array->element_typeid == b->query_type);

	/* where there are elements, nothing may depend on the value */
	arg->value.value = (Datum) 0;
	arg->value.isnull = false;
	if (!of_ours && fold_to_const(r, node, &arg->value))
		return true;
	if (!IsA(node, ArrayExpr) || array->multidims)
		return false;
	arg->nelements = list_length(array->elements);
	arg->elements = palloc(sizeof(CormBuilderElement) * Max(arg->nelements, 1));
	foreach(lc, array->elements)
	{
		CormBuilderElement *element = &arg->elements[foreach_current_index(lc)];

		corm_builder_input(b, &element->input, exprType(lfirst(lc)));
		if (!read_value(r, b, letter, lfirst(lc), &element->input, &element->value))
			return false;
	}
	return true;
}

/*
 * corm.in() of values that are not all known: they are one array, as build_in.c
 * would make it, if they have one type.  Makes the array the second of two
 * arguments.
 */
static bool
read_listed(CormCallReader *r, Builder *b, List *nodes, CormBuilderArg *arg)
{
	ArrayExpr  *array = makeNode(ArrayExpr);
	Oid			element = InvalidOid;
	ListCell   *lc;

	foreach(lc, nodes)
	{
		Node	   *node = lfirst(lc);
		Input		input;
		NullableDatum value;

		corm_builder_input(b, &input, exprType(node));
		if (input.kind == INPUT_UNKNOWN && fold_to_const(r, node, &value))
			node = (Node *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
									  value.isnull ? (Datum) 0 : CStringGetTextDatum(DatumGetCString(value.value)),
									  value.isnull, false);
		else if (input.kind == INPUT_UNKNOWN && IsA(node, CoerceViaIO))
			node = (Node *) ((CoerceViaIO *) node)->arg;
		else if (input.kind == INPUT_TEXT && input.typid != TEXTOID)
			node = (Node *) makeRelabelType((Expr *) node, TEXTOID, -1, exprCollation(node), COERCE_IMPLICIT_CAST);
		else if (input.kind != INPUT_TEXT && input.kind != INPUT_VALUE && input.kind != INPUT_TEXT_DOMAIN)
			return false;
		if (OidIsValid(element) && element != exprType(node))
			return false;
		element = exprType(node);
		array->elements = lappend(array->elements, node);
	}
	if (!OidIsValid(element) || OidIsValid(get_base_element_type(element)) || !OidIsValid(get_array_type(element)))
		return false;
	array->array_typeid = get_array_type(element);
	array->array_collid = get_typcollation(array->array_typeid);
	array->element_typeid = element;
	array->multidims = false;
	array->location = -1;
	if (!read_symbol(r, b, (Node *) array, &b->inputs[1], &arg->value))
		return false;
	b->inputs[1].element = element;
	return true;
}

/*
 * Reads the values of corm.in() or corm.not_in(), after x.  *nargs becomes the
 * number of arguments that they are.
 */
static bool
read_membership(CormCallReader *r, Builder *b, List *nodes, CormBuilderArg *args, int *nargs)
{
	ListCell   *lc;

	for_each_from(lc, nodes, 1)
	{
		int			i = foreach_current_index(lc);
		Input	   *input = &b->inputs[i];
		bool		of_ours = input->element == b->expr_type || input->element == b->query_type;

		if (input->kind == INPUT_EXPR || input->kind == INPUT_QUERY || of_ours)
		{
			if (of_ours ? !read_array(r, b, 'V', lfirst(lc), &args[i]) :
				!read_value(r, b, 'v', lfirst(lc), input, &args[i].value))
				return false;
		}
		else if (!fold_to_const(r, lfirst(lc), &args[i].value))
		{
			/* a text may be an array or a value, which decides about the shape */
			if (*nargs == 2 && (input->kind == INPUT_TEXT || input->kind == INPUT_UNKNOWN))
				return false;
			if (*nargs == 2 && OidIsValid(input->element))
				return read_symbol(r, b, lfirst(lc), input, &args[i].value);
			*nargs = 2;
			return read_listed(r, b, list_copy_tail(nodes, 1), &args[1]);
		}
	}
	/* an array of exprs is one of constants here */
	return *nargs > 2 || args[1].elements == NULL || b->inputs[1].element == b->query_type;
}

/* The arguments of a call in their order, with defaults where the builder needs them. */
static List *
call_args(Node *call, List *args, const CormBuilderFunction *function)
{
	const char *letters = function->desc->args;
	bool		expand = false;
	ListCell   *lc;
	HeapTuple	tuple;

	foreach(lc, args)
		expand |= IsA(lfirst(lc), NamedArgExpr);
	for (int i = list_length(args); i < function->nargs && !expand; i++)
		expand = i >= strlen(letters) || letters[i] != 'o';
	if (!expand || !IsA(call, FuncExpr))
		return args;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function->funcid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function->funcid);
	args = expand_function_arguments(args, false, ((FuncExpr *) call)->funcresulttype, tuple);
	ReleaseSysCache(tuple);
	return args;
}

/* Reads the call of a builder; NULL if it cannot be. */
static CormNode *
read_builder(CormCallReader *r, const CormBuilderFunction *function, Node *call, List *nodes, bool variadic)
{
	const char *letters = function->desc->args;
	int			nletters = strlen(letters);
	int			nargs;
	Oid			argtypes[FUNC_MAX_ARGS];
	CormBuilderArg local[8];
	CormBuilderArg *args;
	Builder    *b;
	ListCell   *lc;

	nodes = call_args(call, nodes, function);
	nargs = list_length(nodes);
	if (nargs > FUNC_MAX_ARGS)
		return NULL;
	args = nargs <= lengthof(local) ? local : palloc(sizeof(CormBuilderArg) * nargs);
	foreach(lc, nodes)
	{
		argtypes[foreach_current_index(lc)] = exprType(lfirst(lc));
		args[foreach_current_index(lc)].elements = NULL;
	}
	b = corm_builder_make(function, nargs, argtypes, variadic);

	foreach(lc, nodes)
	{
		int			i = foreach_current_index(lc);
		char		letter = letters[Min(i, nletters - 1)];
		bool		read;

		if (i == 1 && (b->desc->tag == CORM_N_IN || b->desc->tag == CORM_N_NOT_IN))
		{
			if (!read_membership(r, b, nodes, args, &nargs))
				return NULL;
			break;
		}
		if ((i == b->list_arg && b->list_is_array) || i == b->clauses_arg)
			read = read_array(r, b, letter, lfirst(lc), &args[i]);
		else if (letter == 'P' || letter == 'S')
			read = fold_to_const(r, lfirst(lc), &args[i].value);
		else
			read = read_value(r, b, letter, lfirst(lc), &b->inputs[i], &args[i].value);
		if (!read)
			return NULL;
	}
	return corm_builder_write(b, nargs, args);
}

/* Reads corm.pipe() and |>. */
static CormNode *
read_pipe(CormCallReader *r, List *args)
{
	List	   *queries = NIL;
	CormWriter	w;
	ListCell   *lc;

	foreach(lc, args)
		if (!corm_read_queries(r, lfirst(lc), &queries))
			return NULL;
	corm_writer_init(&w);
	foreach(lc, queries)
		corm_write_node(&w, lfirst(lc));
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

/* Whether the function of a call may be left out of the plan. */
static bool
may_skip_call(CormCallReader *r, const CormBuilderFunction *function)
{
	if (!function->is_plain || FmgrHookIsNeeded(function->funcid) ||
		(!function->is_public && corm_function_aclcheck(function->funcid, GetUserId()) != ACLCHECK_OK))
		return false;
	r->functions = list_append_unique_oid(r->functions, function->funcid);
	r->all_public &= function->is_public;
	return true;
}

/* Reads an expression of type expr or query; NULL if it cannot be read. */
static CormNode *
read_node(CormCallReader *r, Node *node)
{
	List	   *args = NIL;
	Oid			funcid = InvalidOid;
	bool		variadic = false;
	const CormBuilderFunction *found = NULL;
	NullableDatum value;

	check_stack_depth();
	if (IsA(node, FuncExpr))
	{
		args = ((FuncExpr *) node)->args;
		funcid = ((FuncExpr *) node)->funcid;
		variadic = ((FuncExpr *) node)->funcvariadic;
	}
	else if (IsA(node, OpExpr))
	{
		set_opfuncid((OpExpr *) node);
		args = ((OpExpr *) node)->args;
		funcid = ((OpExpr *) node)->opfuncid;
	}
	if (OidIsValid(funcid))
		found = corm_builder_function(funcid);
	if (found)
	{
		CormBuilderFunction function = *found;	/* which another call may move */

		if (!may_skip_call(r, &function))
			return NULL;
		return function.is_pipe ? read_pipe(r, args) : read_builder(r, &function, node, args, variadic);
	}
	if (!fold_to_const(r, node, &value) || value.isnull)
		return NULL;
	return corm_node_check((CormNode *) PG_DETOAST_DATUM(value.value),
						   getBaseType(exprType(node)) == corm_expr_type_oid() ? CORM_KIND_EXPR : CORM_KIND_QUERY);
}

/*
 * corm_read_queries reads an expression of type corm.query or corm.query[] and
 * appends its queries to a list, as CormNode in the current context.  Returns
 * false if they cannot be read.  Raises what the builders raise, and what
 * evaluating the constants in them does.
 */
bool
corm_read_queries(CormCallReader *reader, Node *node, List **queries)
{
	CormNode   *query;
	NullableDatum value;

	if (IsA(node, ArrayExpr) && !((ArrayExpr *) node)->multidims)
	{
		ListCell   *lc;

		foreach(lc, ((ArrayExpr *) node)->elements)
		{
			query = read_node(reader, lfirst(lc));
			if (query == NULL)
				return false;
			*queries = lappend(*queries, query);
		}
		return true;
	}
	if (OidIsValid(get_element_type(exprType(node))))
	{
		Datum	   *elements;
		bool	   *nulls;
		int			n;

		if (!fold_to_const(reader, node, &value) || value.isnull)
			return false;
		deconstruct_array(DatumGetArrayTypeP(value.value), corm_query_type_oid(), -1, false, TYPALIGN_DOUBLE,
						  &elements, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				return false;
			*queries = lappend(*queries, CormPGGetQuery(elements[i]));
		}
		return true;
	}
	query = read_node(reader, node);
	if (query == NULL)
		return false;
	*queries = lappend(*queries, query);
	return true;
}
