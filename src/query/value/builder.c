/*-------------------------------------------------------------------------
 *
 * builder.c
 *		What a SQL function builds, and of what arguments.
 *
 * The node for a SQL function is looked up by name and argument types, once in
 * a session; each argument of a call is classified, once for a call site.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "query/value/builder.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

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
		function->is_public = corm_function_is_public(tuple);
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
		/* if an invalidation comes now, the next call sees it */
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
