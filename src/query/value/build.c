/*-------------------------------------------------------------------------
 *
 * build.c
 *		The builders: corm.eq(), corm.where(), corm.order_by() and all others.
 *
 * One C function serves every builder.  On the first call at a call site it
 * looks up the node for the SQL function, by name and argument types, and
 * classifies each argument.  The result is cached in fn_extra.  Later calls
 * just walk the node's argument letters.
 *
 * Builders are immutable and strict about structure.  A NULL where a name, an
 * expression or a query is expected raises 22004: a condition that silently
 * disappears is worse than an error.
 *
 * Where a value is expected, an untyped argument must resolve to text, never
 * to a query or an expression: their text forms can do much more than a value.
 * So every function that takes "any" has a variant that takes text, which
 * PostgreSQL prefers for an unknown literal.  For the same reason, lists of
 * values are VARIADIC "any" with a VARIADIC text[] variant, and never VARIADIC
 * corm.query[].
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "query/value/builder.h"
#include "query/value/node.h"
#include "utils/array.h"
#include "utils/arrayaccess.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_build);

/*
 * corm_builder_input fills in *input for an argument of type typid.  A domain
 * over one of corm's types counts as its base type.  Any other domain keeps its
 * own type.
 */
void
corm_builder_input(const Builder *b, Input *input, Oid typid)
{
	Oid			base;

	input->element = InvalidOid;
	input->is_array_text = false;
	/* the most usual ones, without a look at the catalogs */
	if (typid == TEXTOID || typid == UNKNOWNOID || typid == b->expr_type || typid == b->query_type)
	{
		input->typid = typid;
		input->kind = typid == TEXTOID ? INPUT_TEXT : typid == UNKNOWNOID ? INPUT_UNKNOWN :
			typid == b->expr_type ? INPUT_EXPR : INPUT_QUERY;
		input->typlen = typid == UNKNOWNOID ? -2 : -1;
		input->typbyval = false;
		input->typalign = typid == UNKNOWNOID ? TYPALIGN_CHAR : typid == TEXTOID ? TYPALIGN_INT : TYPALIGN_DOUBLE;
		return;
	}
	base = getBaseType(typid);

	if (base == b->expr_type || base == b->query_type)
		typid = base;
	input->typid = typid;
	if (typid == b->expr_type)
		input->kind = INPUT_EXPR;
	else if (typid == b->query_type)
		input->kind = INPUT_QUERY;
	else if (typid == TEXTOID || typid == VARCHAROID)
		input->kind = INPUT_TEXT;
	else if (typid == UNKNOWNOID)
		input->kind = INPUT_UNKNOWN;
	else if (base == TEXTOID || base == VARCHAROID)
		input->kind = INPUT_TEXT_DOMAIN;
	else
		input->kind = INPUT_VALUE;
	get_typlenbyvalalign(typid, &input->typlen, &input->typbyval, &input->typalign);
}

/*
 * node_matches returns whether a SQL function with these argument types builds
 * the node.  Overloaded functions may build different nodes.
 */
static bool
node_matches(const CormNodeDesc *desc, Form_pg_proc proc)
{
	Oid			query_type = corm_query_type_oid();
	int			nargs = strlen(desc->args);

	for (int i = 0; i < proc->pronargs; i++)
	{
		Oid			typid = proc->proargtypes.values[i];
		char		letter;

		if (i < nargs)
			letter = desc->args[i];
		else if (nargs > 0 && corm_letter_desc(desc->args[nargs - 1])->is_list)
			letter = desc->args[nargs - 1];
		else
			return false;
		/* a query may be given as a list of its clauses */
		if (i == proc->pronargs - 1 && proc->provariadic == query_type)
			typid = query_type;
		if ((letter == 'r') != (typid == REGCLASSOID))
			return false;
		if ((letter == 'q') != (typid == query_type))
			if (letter != 'v' && letter != 'x' && letter != 'Q')
				return false;
	}
	/* arguments that the function lacks must be lists, of values too, or optional names */
	for (int i = proc->pronargs; i < nargs; i++)
		if (!corm_letter_desc(desc->args[i])->is_list && desc->args[i] != 'o' &&
			desc->tag != CORM_N_IN && desc->tag != CORM_N_NOT_IN)
			return false;
	return true;
}

/*
 * What is known of a SQL function, by its OID.  Forgotten when any function or
 * type changes: the extension may be another one then.
 */
static HTAB *functions = NULL;
static bool functions_outdated = false;

static void
functions_changed(Datum arg, int cacheid, uint32 hash)
{
	functions_outdated = true;
}

/* Fills in what is known of a SQL function. */
static void
look_up_function(CormBuilderFunction *function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function->funcid));
	Form_pg_proc proc;
	bool		isnull;
	char	   *symbol;

	if (!HeapTupleIsValid(tuple))
		return;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->prolang == ClanguageId && proc->pronargs <= lengthof(function->argtypes))
	{
		function->nargs = proc->pronargs;
		function->variadic = proc->provariadic;
		memcpy(function->argtypes, proc->proargtypes.values, sizeof(Oid) * proc->pronargs);
		function->is_plain = proc->pronamespace == corm_schema_oid() && !proc->prosecdef &&
			heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL);
		function->is_public = heap_attisnull(tuple, Anum_pg_proc_proacl, NULL);
		symbol = TextDatumGetCString(SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull));
		function->is_pipe = strcmp(symbol, "corm_pipe") == 0 || strcmp(symbol, "corm_pipe_two") == 0;
		if (strcmp(symbol, "corm_build") == 0)
			for (int i = 1; i < CORM_N_COUNT_OF_TAGS && function->desc == NULL; i++)
			{
				const CormNodeDesc *desc = corm_node_desc(i);

				if (desc->func && strcmp(desc->func, NameStr(proc->proname)) == 0 && node_matches(desc, proc))
					function->desc = desc;
			}
		pfree(symbol);
	}
	ReleaseSysCache(tuple);
}

/*
 * corm_builder_function returns what is known of a SQL function, or NULL if it
 * neither builds a node nor joins queries.  The result is valid until the next
 * call.
 */
const CormBuilderFunction *
corm_builder_function(Oid funcid)
{
	CormBuilderFunction *entry;
	CormBuilderFunction function = {.funcid = funcid};

	if (functions && functions_outdated)
	{
		hash_destroy(functions);
		functions = NULL;
	}
	if (functions == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(CormBuilderFunction), .hcxt = CacheMemoryContext};

		functions = hash_create("corm builders", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		functions_outdated = false;
	}
	entry = hash_search(functions, &funcid, HASH_FIND, NULL);
	if (entry == NULL)
	{
		/* a message that comes meanwhile is seen by the next call */
		look_up_function(&function);
		entry = hash_search(functions, &funcid, HASH_ENTER, NULL);
		*entry = function;
	}
	return entry->desc || entry->is_pipe ? entry : NULL;
}

/*
 * corm_build_init registers the syscache callbacks.  Called once, from
 * corm_node_init.
 */
void
corm_build_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, functions_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, functions_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, functions_changed, (Datum) 0);
}

/*
 * corm_builder_make makes the Builder for a call of a function with arguments
 * of the given types (InvalidOid: what the function declares), in the current
 * context.  variadic: the last one is an array of them.  Raises 42P18 if the
 * type of an argument cannot be determined.
 */
Builder *
corm_builder_make(const CormBuilderFunction *function, int nargs, const Oid *argtypes, bool variadic)
{
	const CormNodeDesc *desc = function->desc;
	int			nletters = strlen(desc->args);
	Builder    *b = palloc(offsetof(Builder, inputs) + sizeof(Input) * Max(nargs, 1));

	b->desc = desc;
	b->func = desc->func;
	b->expr_type = corm_expr_type_oid();
	b->query_type = corm_query_type_oid();
	b->list_arg = -1;
	b->list_is_array = false;
	b->clauses_arg = -1;
	b->ninputs = nargs;
	for (int i = 0; i < nletters; i++)
		if (corm_letter_desc(desc->args[i])->is_list)
			b->list_arg = i;

	/* with VARIADIC "any", a call can have more arguments than the function */
	for (int i = 0; i < nargs; i++)
	{
		Oid			typid = argtypes[i];
		Oid			element = InvalidOid;
		char		letter = i < nletters ? desc->args[i] : '\0';
		bool		is_list = letter != '\0' && corm_letter_desc(letter)->holds == CORM_HOLDS_EXPRS &&
			!corm_letter_desc(letter)->is_list;
		bool		is_array = is_list;

		if (!OidIsValid(typid))
			typid = i < function->nargs ? function->argtypes[i] : InvalidOid;
		if (i == b->list_arg && OidIsValid(function->variadic) &&
			(function->variadic != ANYOID || variadic))
		{
			b->list_is_array = true;
			is_array = true;
		}
		else if (i == function->nargs - 1 && function->variadic == b->query_type)
		{
			b->clauses_arg = i;
			is_array = true;
		}
		if (desc->tag == CORM_N_IN || desc->tag == CORM_N_NOT_IN)
			element = get_base_element_type(typid);
		/* text that reads as an array stays text */
		if (is_array && typid != TEXTOID && typid != UNKNOWNOID)
			typid = get_base_element_type(typid);
		if (!OidIsValid(typid))
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine the type of argument %d of function corm.%s()",
							i + 1, b->func)));
		corm_builder_input(b, &b->inputs[i], typid);
		b->inputs[i].element = element;
		b->inputs[i].is_array_text = is_list && argtypes[i] == TEXTOID;
	}
	return b;
}

/*
 * Makes the Builder for a call site and stores it in fn_extra.  It is allocated
 * in fn_mcxt and lives as long as the FmgrInfo.
 */
static Builder *
init_builder(FunctionCallInfo fcinfo)
{
	const CormBuilderFunction *function = corm_builder_function(fcinfo->flinfo->fn_oid);
	Oid			argtypes[FUNC_MAX_ARGS];
	MemoryContext oldcontext;

	if (function == NULL || function->desc == NULL)
		elog(ERROR, "function %u builds no node", fcinfo->flinfo->fn_oid);
	for (int i = 0; i < PG_NARGS(); i++)
		argtypes[i] = get_fn_expr_argtype(fcinfo->flinfo, i);
	oldcontext = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = corm_builder_make(function, PG_NARGS(), argtypes, get_fn_expr_variadic(fcinfo->flinfo));
	MemoryContextSwitchTo(oldcontext);
	return fcinfo->flinfo->fn_extra;
}

static void
null_argument(const Builder *b, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s of corm.%s() must not be null", what, b->func)));
}

static void
wrong_argument(const Builder *b, const Input *input, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("corm.%s() expects %s, not a value of type %s",
					b->func, expected, format_type_be(input->typid))));
}

static bool
is_name(const Input *input)
{
	return input->kind == INPUT_TEXT || input->kind == INPUT_UNKNOWN || input->kind == INPUT_TEXT_DOMAIN;
}

/*
 * Sets *str and *len to the bytes of an argument for which is_name is true.
 * Not NUL-terminated.
 */
static void
get_string(const Input *input, Datum value, const char **str, int *len)
{
	if (input->kind == INPUT_UNKNOWN)
	{
		*str = DatumGetCString(value);
		*len = strlen(*str);
	}
	else
	{
		text	   *t = DatumGetTextPP(value);

		*str = VARDATA_ANY(t);
		*len = VARSIZE_ANY_EXHDR(t);
	}
}

/*
 * Writes a name argument.  Raises 22004 for NULL, 42804 if the argument is not
 * text, 42602 for an empty name.
 */
static void
write_name(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	const char *str;
	int			len;

	if (isnull)
		null_argument(b, "a name");
	if (!is_name(input))
		wrong_argument(b, input, "a name");
	get_string(input, value, &str, &len);
	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("a name given to corm.%s() is empty", b->func)));
	corm_write_name(w, str, len);
}

static void
write_column(const Builder *b, CormWriter *w, const char *str, int len)
{
	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("a field name given to corm.%s() is empty", b->func)));
	corm_write_tag(w, CORM_N_COLUMN);
	corm_write_name(w, str, len);
}

static void
refuse_record(const Input *input)
{
	if (input->typid == RECORDOID || input->typid == RECORDARRAYOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("anonymous records cannot be bound as values"),
				 errhint("Cast the row to a named composite type.")));
}

/*
 * Writes a bound value, an expression or a subquery, by the kind of the
 * argument.  A text value is stored as type unknown, so that it takes its type
 * from context, like a literal.  Arrays of text keep their type.  Raises 22004
 * for a NULL expression or query, 0A000 for an anonymous record.
 */
static void
write_value(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	switch (input->kind)
	{
		case INPUT_EXPR:
			if (isnull)
				null_argument(b, "an expression");
			corm_write_node(w, CormPGGetExpr(value));
			return;
		case INPUT_QUERY:
			{
				const CormNode *query;

				if (isnull)
					null_argument(b, "a query");
				query = CormPGGetQuery(value);
				corm_write_tag(w, CORM_N_SUBQUERY);
				corm_write_query(w, &query, 1);
				return;
			}
		case INPUT_TEXT:
		case INPUT_UNKNOWN:
			if (isnull)
				corm_write_null(w, UNKNOWNOID);
			else if (input->kind == INPUT_TEXT)
				corm_write_value(w, UNKNOWNOID, -1, false, value);
			else
				corm_write_value(w, UNKNOWNOID, -1, false,
								 CStringGetTextDatum(DatumGetCString(value)));
			return;
		case INPUT_TEXT_DOMAIN:
		case INPUT_VALUE:
			refuse_record(input);
			if (isnull)
				corm_write_null(w, input->typid);
			else
				corm_write_value(w, input->typid, input->typlen, input->typbyval, value);
			return;
	}
}

/*
 * Writes an argument x or an element of X: a field name, expression or query.
 * Raises 22004 for NULL, 42602 for an empty name, 42804 for any other type.
 */
static void
write_field_or_expr(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	const char *str;
	int			len;

	switch (input->kind)
	{
		case INPUT_TEXT:
		case INPUT_UNKNOWN:
		case INPUT_TEXT_DOMAIN:
			if (isnull)
				null_argument(b, "a field name");
			get_string(input, value, &str, &len);
			write_column(b, w, str, len);
			return;
		case INPUT_EXPR:
		case INPUT_QUERY:
			write_value(b, w, input, value, isnull);
			return;
		case INPUT_VALUE:
			wrong_argument(b, input, "a field name or an expression");
	}
}

/* Writes an element of O: like X, but '-name' means descending order. */
static void
write_order_item(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	if (!isnull && is_name(input))
	{
		const char *str;
		int			len;

		get_string(input, value, &str, &len);
		if (len > 1 && str[0] == '-')
		{
			corm_write_tag(w, CORM_N_DESC);
			write_column(b, w, str + 1, len - 1);
			corm_write_name(w, "", 0);
			return;
		}
	}
	write_field_or_expr(b, w, input, value, isnull);
}

static void
write_expr(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	if (input->kind != INPUT_EXPR)
		wrong_argument(b, input, "an expression");
	write_value(b, w, input, value, isnull);
}

/*
 * Returns the qualified name of a text search configuration.  Raises 42704 if
 * it does not exist.
 */
static char *
config_name(Oid config)
{
	HeapTuple	tuple = SearchSysCache1(TSCONFIGOID, ObjectIdGetDatum(config));
	Form_pg_ts_config form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("text search configuration with OID %u does not exist", config)));
	form = (Form_pg_ts_config) GETSTRUCT(tuple);
	name = quote_qualified_identifier(get_namespace_name(form->cfgnamespace), NameStr(form->cfgname));
	ReleaseSysCache(tuple);
	return name;
}

/*
 * Writes one element of a list argument with the given letter.  The caller has
 * written the count.  Not for Q, whose queries are written all at once.
 */
static void
write_element(const Builder *b, CormWriter *w, char letter,
			  const Input *input, Datum value, bool isnull)
{
	switch (letter)
	{
		case 'X':
		case 'P':
			write_field_or_expr(b, w, input, value, isnull);
			break;
		case 'O':
		case 'S':
			write_order_item(b, w, input, value, isnull);
			break;
		case 'V':
			write_value(b, w, input, value, isnull);
			break;
		case 'E':
			write_expr(b, w, input, value, isnull);
			break;
		case 'N':
			write_name(b, w, input, value, isnull);
			break;
		default:
			elog(ERROR, "unrecognized list letter \"%c\"", letter);
	}
}

/*
 * Writes the elements of an array as a list argument.  The array is usually
 * built for this one call and short, so iterate over it in place instead of
 * deconstructing it.  Raises 22004 for a NULL query.
 */
static void
write_array(const Builder *b, CormWriter *w, char letter, const Input *input, Datum array)
{
	ArrayType  *elements = DatumGetArrayTypeP(array);
	int			n = ArrayGetNItems(ARR_NDIM(elements), ARR_DIMS(elements));
	const CormNode **queries = letter == 'Q' ? palloc(sizeof(CormNode *) * Max(n, 1)) : NULL;
	array_iter	iter;

	array_iter_setup(&iter, (AnyArrayType *) elements);
	if (queries == NULL)
		corm_write_count(w, n);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		element = array_iter_next(&iter, &isnull, i, input->typlen, input->typbyval, input->typalign);

		if (queries == NULL)
			write_element(b, w, letter, input, element, isnull);
		else if (isnull)
			null_argument(b, "a query");
		else
			queries[i] = CormPGGetQuery(element);
	}
	if (queries)
		corm_write_query(w, queries, n);
}

/*
 * Writes a list argument that is given as the text of an array, as untyped
 * literals and parameters are.  Raises 22P02 if it is none.
 */
static void
write_array_text(const Builder *b, CormWriter *w, char letter, const Input *input, Datum value)
{
	const char *str;
	int			len;

	get_string(input, value, &str, &len);
	write_array(b, w, letter, input, OidInputFunctionCall(F_ARRAY_IN, pnstrdup(str, len), TEXTOID, -1));
}

/*
 * Writes an argument that is an array of the elements of a list, or of the
 * clauses of a query.  Raises 22004 if the array is NULL, or a query in it.
 */
static void
write_array_arg(const Builder *b, CormWriter *w, char letter, int argno, const CormBuilderArg *args)
{
	const CormBuilderArg *arg = &args[argno];

	if (arg->elements == NULL)
	{
		if (arg->value.isnull)
			null_argument(b, "the argument list");
		write_array(b, w, letter, &b->inputs[argno], arg->value.value);
	}
	else if (letter == 'Q')
	{
		const CormNode **queries = palloc(sizeof(CormNode *) * Max(arg->nelements, 1));

		for (int i = 0; i < arg->nelements; i++)
		{
			if (arg->elements[i].value.isnull)
				null_argument(b, "a query");
			queries[i] = CormPGGetQuery(arg->elements[i].value.value);
		}
		corm_write_query(w, queries, arg->nelements);
	}
	else
	{
		corm_write_count(w, arg->nelements);
		for (int i = 0; i < arg->nelements; i++)
			write_element(b, w, letter, &arg->elements[i].input, arg->elements[i].value.value,
						  arg->elements[i].value.isnull);
	}
}

/*
 * Writes the list argument that starts at argno: an array, or all remaining
 * arguments of the call.
 */
static void
write_list(const Builder *b, CormWriter *w, char letter, int argno, int nargs, const CormBuilderArg *args)
{
	if (argno >= nargs)
	{
		/* the variant without the variadic argument */
		if (letter == 'Q')
			corm_write_query(w, NULL, 0);
		else
			corm_write_count(w, 0);
	}
	else if (b->list_is_array)
		write_array_arg(b, w, letter, argno, args);
	else
	{
		corm_write_count(w, nargs - argno);
		for (int i = argno; i < nargs; i++)
			write_element(b, w, letter, &b->inputs[i], args[i].value.value, args[i].value.isnull);
	}
}


/*
 * corm.in() and corm.not_in()
 *
 * An array is one bound value, so queries that differ only in the number of
 * values share a shape.  Values listed one by one are collected into one array
 * per type: 1 and 3000000000, for example, have different types.  An item that
 * cannot be an array element (an expression, an array, a row whose type has no
 * array type) is compared on its own.
 */
typedef struct Listed
{
	const Input *input;
	Oid			element;		/* element type, InvalidOid to compare it
								 * alone */
	Datum		value;
	bool		isnull;
} Listed;

static bool
is_null_expr(Datum value)
{
	CormNode   *expr = CormPGGetExpr(value);

	return expr->shape_len > 0 && CormNodeShape(expr)[0] == (char) CORM_N_NULL;
}

/*
 * Appends one listed value to *items as a Listed, allocated in the current
 * context.  It keeps pointers to input and to a by-reference value.  Raises
 * 42804 for a query, 22004 for a NULL expression, 0A000 for an anonymous
 * record.
 */
static void
add_listed(Builder *b, List **items, const Input *input, Datum value, bool isnull)
{
	Listed	   *item = palloc(sizeof(Listed));

	if (input->kind == INPUT_QUERY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("corm.%s() expects values or a query, not both", b->func)));
	if (input->kind == INPUT_EXPR)
	{
		if (isnull)
			null_argument(b, "an expression");
		isnull = is_null_expr(value);
	}
	item->input = input;
	item->value = value;
	item->isnull = isnull;
	switch (input->kind)
	{
		case INPUT_EXPR:
			item->element = isnull ? TEXTOID : InvalidOid;
			break;
		case INPUT_UNKNOWN:
			if (!isnull)
				item->value = CStringGetTextDatum(DatumGetCString(value));
			/* FALLTHROUGH */
		case INPUT_TEXT:
			item->element = TEXTOID;
			break;
		default:
			refuse_record(input);
			item->element = OidIsValid(get_array_type(input->typid)) ? input->typid :
				isnull ? TEXTOID : InvalidOid;
			break;
	}
	*items = lappend(*items, item);
}

/* Appends the fields of an anonymous record to *items, like listed values. */
static void
add_fields(Builder *b, List **items, Datum row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	Datum	   *values = palloc(sizeof(Datum) * Max(tupdesc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(tupdesc->natts, 1));

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, tupdesc, values, nulls);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Input	   *input;

		/* the record may be a table row with dropped columns */
		if (TupleDescAttr(tupdesc, i)->attisdropped)
			continue;
		input = palloc0(sizeof(Input));
		corm_builder_input(b, input, TupleDescAttr(tupdesc, i)->atttypid);
		add_listed(b, items, input, values[i], nulls[i]);
	}
	ReleaseTupleDesc(tupdesc);
}

/* Writes all items with the given element type as one bound array. */
static void
write_listed_array(Builder *b, CormWriter *w, List *items, Oid element)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(items), 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(list_length(items), 1));
	int			n = 0;
	int			lbound = 1;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	ListCell   *lc;

	foreach(lc, items)
	{
		Listed	   *item = lfirst(lc);

		if (item->element != element)
			continue;
		values[n] = item->value;
		nulls[n++] = item->isnull;
	}
	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	corm_write_value(w, get_array_type(element), -1, false,
					 n == 0 ? PointerGetDatum(construct_empty_array(element)) :
					 PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lbound, element,
														typlen, typbyval, typalign)));
}

/*
 * Writes the comparisons of x with all items: one IN or NOT IN per element
 * type, one = or <> per other item, joined by OR or AND if there are several.
 */
static void
write_listed(Builder *b, CormWriter *w, Datum x, bool x_isnull, List *items)
{
	CormNodeTag tag = b->desc->tag;
	List	   *types = NIL;
	int			nalone = 0;
	ListCell   *lc;

	foreach(lc, items)
	{
		Listed	   *item = lfirst(lc);

		if (OidIsValid(item->element))
			types = list_append_unique_oid(types, item->element);
		else
			nalone++;
	}
	if (items == NIL)
		types = list_make1_oid(TEXTOID);
	if (list_length(types) + nalone > 1)
	{
		corm_write_tag(w, tag == CORM_N_IN ? CORM_N_OR : CORM_N_AND);
		corm_write_count(w, list_length(types) + nalone);
	}
	foreach(lc, types)
	{
		corm_write_tag(w, tag);
		write_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
		write_listed_array(b, w, items, lfirst_oid(lc));
	}
	foreach(lc, items)
	{
		Listed	   *item = lfirst(lc);

		if (OidIsValid(item->element))
			continue;
		corm_write_tag(w, tag == CORM_N_IN ? CORM_N_EQ : CORM_N_NEQ);
		write_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
		write_value(b, w, item->input, item->value, false);
	}
}

/*
 * Returns whether a string looks like an array literal, {a,b} or [0:1]={a,b}.
 * Drivers send arrays that way without a type.  Other text is a single value.
 */
static bool
is_array_text(const char *str, int len)
{
	while (len > 0 && isspace((unsigned char) *str))
	{
		str++;
		len--;
	}
	if (len > 0 && *str == '[')
	{
		while (len > 0 && strchr("[]:+-0123456789", *str) != NULL)
		{
			str++;
			len--;
		}
		if (len < 2 || *str != '=')
			return false;
		str++;
		len--;
	}
	return len > 0 && *str == '{';
}

/*
 * Writes corm.in() or corm.not_in().  After x comes a query, a list of its
 * clauses, an array, an anonymous record, or a list of values.  Raises 22004
 * for a NULL query or field name, 42804 for a mix of values and queries.
 */
static void
write_membership(Builder *b, CormWriter *w, int nargs, const CormBuilderArg *args)
{
	Datum		x = args[0].value.value;
	bool		x_isnull = args[0].value.isnull;
	Input	   *input = &b->inputs[1];
	Datum		value = args[1].value.value;
	bool		isnull = args[1].value.isnull;
	List	   *items = NIL;
	bool		single = nargs == 2;
	bool		is_query = true;

	for (int i = 1; i < nargs; i++)
		is_query &= b->inputs[i].kind == INPUT_QUERY || b->inputs[i].element == b->query_type;

	if (is_query || (single && isnull && (input->kind == INPUT_TEXT || input->kind == INPUT_UNKNOWN)) ||
		(single && OidIsValid(input->element) && input->element != b->expr_type))
	{
		corm_write_tag(w, b->desc->tag);
		write_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
		if (!is_query)
			write_value(b, w, input, value, isnull);
		else if (single && input->kind == INPUT_QUERY)
			write_value(b, w, input, value, isnull);
		else
		{
			const CormNode **queries = palloc(sizeof(CormNode *) * nargs);

			corm_write_tag(w, CORM_N_SUBQUERY);
			if (single)
			{
				Input		element;

				if (args[1].elements)
				{
					write_array_arg(b, w, 'Q', 1, args);
					return;
				}
				if (isnull)
					null_argument(b, "the argument list");
				corm_builder_input(b, &element, b->query_type);
				write_array(b, w, 'Q', &element, value);
				return;
			}
			for (int i = 1; i < nargs; i++)
			{
				if (args[i].value.isnull || b->inputs[i].kind != INPUT_QUERY)
					null_argument(b, "a query");
				queries[i - 1] = CormPGGetQuery(args[i].value.value);
			}
			corm_write_query(w, queries, nargs - 1);
		}
		return;
	}

	if (single && (input->kind == INPUT_TEXT || input->kind == INPUT_UNKNOWN))
	{
		const char *str;
		int			len;

		get_string(input, value, &str, &len);
		if (is_array_text(str, len))
		{
			corm_write_tag(w, b->desc->tag);
			write_field_or_expr(b, w, &b->inputs[0], x, x_isnull);
			write_value(b, w, input, value, false);
			return;
		}
	}

	if (single && input->typid == RECORDOID && !isnull)
		add_fields(b, &items, value);
	else if (single && input->element == b->expr_type && !isnull)
	{
		Input	   *element = palloc0(sizeof(Input));
		Datum	   *values;
		bool	   *nulls;
		int			n;

		corm_builder_input(b, element, b->expr_type);
		deconstruct_array(DatumGetArrayTypeP(value), b->expr_type, element->typlen, element->typbyval,
						  element->typalign, &values, &nulls, &n);
		for (int i = 0; i < n; i++)
			add_listed(b, &items, element, values[i], nulls[i]);
	}
	else
		for (int i = 1; i < nargs; i++)
			add_listed(b, &items, &b->inputs[i], args[i].value.value, args[i].value.isnull);
	write_listed(b, w, x, x_isnull, items);
}

/*
 * corm_builder_write returns what a builder makes of its arguments, a
 * corm.query or a corm.expr in the current context, as its node demands.
 * Raises 22004 for a NULL where a name, expression, query, model or type is
 * required, 42804 for an argument of the wrong type, 42602 for an empty name.
 */
CormNode *
corm_builder_write(Builder *b, int nargs, const CormBuilderArg *args)
{
	CormWriter	w;

	corm_writer_init(&w);

	/* corm.val() writes just the value, with no node around it */
	if (b->desc->tag == CORM_N_VALUE)
	{
		write_value(b, &w, &b->inputs[0], args[0].value.value, args[0].value.isnull);
		return corm_writer_finish(&w, CORM_KIND_EXPR);
	}

	if (b->desc->tag == CORM_N_IN || b->desc->tag == CORM_N_NOT_IN)
	{
		if (nargs == 1)
			write_listed(b, &w, args[0].value.value, args[0].value.isnull, NIL);
		else
			write_membership(b, &w, nargs, args);
		return corm_writer_finish(&w, CORM_KIND_EXPR);
	}

	corm_write_tag(&w, b->desc->tag);
	for (int i = 0; b->desc->args[i] != '\0'; i++)
	{
		char		letter = b->desc->args[i];
		const Input *input = &b->inputs[i];
		Datum		value;
		bool		isnull;

		if (corm_letter_desc(letter)->is_list)
		{
			write_list(b, &w, letter, i, nargs, args);
			continue;
		}
		isnull = i >= nargs || args[i].value.isnull;
		value = isnull ? (Datum) 0 : args[i].value.value;

		switch (letter)
		{
			case 'n':
				write_name(b, &w, input, value, isnull);
				break;
			case 'o':
				{
					const char *str = "";
					int			len = 0;

					if (!isnull && input->typid == REGCONFIGOID)
					{
						str = config_name(DatumGetObjectId(value));
						len = strlen(str);
					}
					else if (!isnull)
						get_string(input, value, &str, &len);
					corm_write_name(&w, str, len);
					break;
				}
			case 't':
				{
					const char *str;
					int			len;

					if (isnull)
						null_argument(b, "the SQL text");
					get_string(input, value, &str, &len);
					corm_write_text(&w, str, len);
					break;
				}
			case 'r':
				if (isnull)
					null_argument(b, "the model");
				corm_write_oid(&w, DatumGetObjectId(value));
				break;
			case 'y':
				if (isnull)
					null_argument(b, "the type");
				corm_write_oid(&w, DatumGetObjectId(value));
				break;
			case 'i':
				if (isnull)
					null_argument(b, "a number");
				if (DatumGetInt32(value) < 0)
					ereport(ERROR,
							(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							 errmsg("a number given to corm.%s() is negative", b->func)));
				corm_write_oid(&w, DatumGetInt32(value));
				break;
			case 'x':
				write_field_or_expr(b, &w, input, value, isnull);
				break;
			case 'j':
				if (!isnull && is_name(input))
				{
					const char *str;
					int			len;

					get_string(input, value, &str, &len);
					corm_write_value(&w, JSONBOID, -1, false,
									 DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(str, len))));
					break;
				}
				if (!isnull && input->typid == JSONOID)
				{
					corm_write_value(&w, JSONBOID, -1, false,
									 DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(value))));
					break;
				}
				/* FALLTHROUGH */
			case 'v':
				if (i == b->clauses_arg)
				{
					corm_write_tag(&w, CORM_N_SUBQUERY);
					write_array_arg(b, &w, 'Q', i, args);
				}
				else
					write_value(b, &w, input, value, isnull);
				break;
			case 'e':
				write_expr(b, &w, input, value, isnull);
				break;
			case 'q':
				{
					const CormNode *query;

					if (i == b->clauses_arg)
					{
						write_array_arg(b, &w, 'Q', i, args);
						break;
					}
					if (isnull)
						null_argument(b, "a query");
					query = CormPGGetQuery(value);
					corm_write_query(&w, &query, 1);
					break;
				}
			case 'P':
			case 'S':
				if (isnull)
					corm_write_count(&w, 0);
				else if (input->is_array_text)
					write_array_text(b, &w, letter, input, value);
				else
					write_array(b, &w, letter, input, value);
				break;
			default:
				elog(ERROR, "unrecognized argument letter \"%c\"", letter);
		}
	}
	return corm_writer_finish(&w, b->desc->is_clause ? CORM_KIND_QUERY : CORM_KIND_EXPR);
}

/*
 * corm_build is the C function of all builders.
 */
Datum
corm_build(PG_FUNCTION_ARGS)
{
	Builder    *b = fcinfo->flinfo->fn_extra;
	int			nargs = PG_NARGS();
	CormBuilderArg local[8];
	CormBuilderArg *args = nargs <= lengthof(local) ? local : palloc(sizeof(CormBuilderArg) * nargs);

	if (b == NULL)
		b = init_builder(fcinfo);
	for (int i = 0; i < nargs; i++)
	{
		args[i].value = fcinfo->args[i];
		args[i].elements = NULL;
	}
	PG_RETURN_POINTER(corm_builder_write(b, nargs, args));
}

PG_FUNCTION_INFO_V1(corm_pipe);
PG_FUNCTION_INFO_V1(corm_pipe_two);

/*
 * corm_pipe concatenates an array of queries.  Without arguments it returns
 * the empty query.  Raises 22004 for a NULL array or element.
 */
Datum
corm_pipe(PG_FUNCTION_ARGS)
{
	CormWriter	w;

	corm_writer_init(&w);
	if (PG_NARGS() > 0)
	{
		Datum	   *elems;
		bool	   *nulls;
		int			n;

		if (PG_ARGISNULL(0))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the queries of corm.pipe() must not be null")));
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(0)),
						  -1, false, TYPALIGN_DOUBLE, &elems, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("a query of corm.pipe() must not be null")));
			corm_write_node(&w, CormPGGetQuery(elems[i]));
		}
	}
	PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
}

/* corm_pipe_two is the operator q1 |> q2. */
Datum
corm_pipe_two(PG_FUNCTION_ARGS)
{
	CormWriter	w;

	corm_writer_init(&w);
	corm_write_node(&w, CormPGGetQuery(PG_GETARG_DATUM(0)));
	corm_write_node(&w, CormPGGetQuery(PG_GETARG_DATUM(1)));
	PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
}

PG_FUNCTION_INFO_V1(corm_value_left);

/*
 * corm_value_left implements the operators with an untyped left operand, and
 * always raises 42883.  Without these operators PostgreSQL would resolve an
 * untyped left operand as corm.expr, the type of the right one.
 */
Datum
corm_value_left(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("the operators of corm.expr take a value only on their right side"),
			 errhint("Turn the comparison around, or write corm.val() around the value.")));
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(corm_cached);

/* corm_cached(ttl, fresh): a clause for each of the two; a NULL for fresh is false. */
Datum
corm_cached(PG_FUNCTION_ARGS)
{
	CormWriter	w;

	corm_writer_init(&w);
	corm_write_tag(&w, !PG_ARGISNULL(1) && PG_GETARG_BOOL(1) ? CORM_N_CACHED_FRESH : CORM_N_CACHED);
	if (PG_ARGISNULL(0))
		corm_write_null(&w, INTERVALOID);
	else
		corm_write_value(&w, INTERVALOID, sizeof(Interval), false, PG_GETARG_DATUM(0));
	PG_RETURN_POINTER(corm_writer_finish(&w, CORM_KIND_QUERY));
}
