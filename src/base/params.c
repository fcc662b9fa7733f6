/*-------------------------------------------------------------------------
 *
 * params.c
 *		The parameters $1, $2, ... that a caller gives with SQL text.
 *
 * A function such as corm.do_tx takes them as VARIADIC "any", or as VARIADIC
 * text[] from callers that do not say their types.  A parameter of type text or
 * unknown takes the type of its context, as a literal would: the statement is
 * analyzed to find that type, and the value goes through its input function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/transam.h"
#include "base/errors.h"
#include "base/params.h"
#include "base/schema.h"
#include "base/sql_text.h"
#include "catalog/pg_type.h"
#include "parser/analyze.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* corm_param_is_varying tells whether a parameter of that type takes its type from the context. */
bool
corm_param_is_varying(Oid type)
{
	return type == TEXTOID || type == UNKNOWNOID;
}

/* mentions tells whether a text has $n somewhere, be it in a comment. */
static bool
mentions(const text *body, int n)
{
	const char *at = VARDATA_ANY(body);
	const char *end = at + VARSIZE_ANY_EXHDR(body);
	char		name[16];
	int			len = snprintf(name, sizeof(name), "$%d", n);

	for (; at + len <= end; at++)
	{
		if (memcmp(at, name, len) == 0 && (at + len == end || !isdigit((unsigned char) at[len])))
			return true;
	}
	return false;
}

/*
 * check_options raises OR006 if parameter $n has the type of corm.tx(...) or corm.task(...), and the body does not
 * use it: they were given in the wrong place, and would be ignored.
 */
static void
check_options(Oid type, const text *body, int n)
{
	bool		of_task;
	char	   *name;

	if (get_typ_typrelid(type) == InvalidOid || get_rel_namespace(get_typ_typrelid(type)) != corm_schema_oid())
		return;
	name = get_rel_name(get_typ_typrelid(type));
	if (name == NULL)
		return;
	of_task = strcmp(name, "task_options") == 0;
	if ((!of_task && strcmp(name, "tx_options") != 0) || mentions(body, n))
		return;
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("options are given as parameter $%d, which the body does not use", n),
			 of_task ?
			 errhint("Options of a task come before the body: corm.submit(corm.task(...), body, ...).") :
			 errhint("Options of a transaction come before the body: corm.do_tx(corm.tx(...), body, ...); or after it in CALL corm.run_tx(body, corm.tx(...), NULL, ...).")));
}

/*
 * corm_params_of_call collects the parameters from the arguments of a call, from
 * number first on: VARIADIC "any", or VARIADIC with an array.  body is the number of the SQL
 * text, which is not NULL.  Everything is
 * allocated in the current memory context; values stay those of the call.
 * Raises 42P18 for an argument without a type, OR006 for options that the text does not use.
 */
void
corm_params_of_call(FunctionCallInfo fcinfo, int first, int body, CormParams *params)
{
	int			nargs = PG_NARGS() - first;

	memset(params, 0, sizeof(CormParams));
	if (nargs <= 0)
		return;

	/* in a form such as (body, p, VARIADIC ...) the array comes last */
	if (get_fn_expr_variadic(fcinfo->flinfo))
	{
		int			last = PG_NARGS() - 1;
		Datum	   *elements = NULL;
		bool	   *element_nulls = NULL;
		int			nelements = 0;
		Oid			element_type = TEXTOID;

		if (!PG_ARGISNULL(last))
		{
			ArrayType  *array = PG_GETARG_ARRAYTYPE_P(last);
			int16		typlen;
			bool		typbyval;
			char		typalign;

			element_type = ARR_ELEMTYPE(array);
			get_typlenbyvalalign(element_type, &typlen, &typbyval, &typalign);
			deconstruct_array(array, element_type, typlen, typbyval, typalign,
							  &elements, &element_nulls, &nelements);
		}

		params->n = nargs - 1 + nelements;
		if (params->n == 0)
			return;
		params->types = palloc(params->n * sizeof(Oid));
		params->values = palloc(params->n * sizeof(Datum));
		params->nulls = palloc(params->n * sizeof(bool));
		for (int i = 0; i < nelements; i++)
		{
			params->types[nargs - 1 + i] = element_type;
			params->values[nargs - 1 + i] = elements[i];
			params->nulls[nargs - 1 + i] = element_nulls[i];
		}
		nargs--;
	}
	else
	{
		params->n = nargs;
		params->types = palloc(nargs * sizeof(Oid));
		params->values = palloc(nargs * sizeof(Datum));
		params->nulls = palloc(nargs * sizeof(bool));
	}

	for (int i = 0; i < nargs; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, first + i);

		if (!OidIsValid(type))
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine the type of parameter $%d of the body", i + 1)));
		if (unlikely(type >= FirstNormalObjectId))
			check_options(type, PG_GETARG_TEXT_PP(body), i + 1);
		params->types[i] = type;
		params->values[i] = PG_GETARG_DATUM(first + i);
		params->nulls[i] = PG_ARGISNULL(first + i);
	}
}

/*
 * corm_params_keep makes the values independent of the transaction that they
 * came with: a value that is stored out of line, or expanded, is replaced by a
 * copy in the current memory context.
 */
void
corm_params_keep(CormParams *params)
{
	for (int i = 0; i < params->n; i++)
	{
		int16		typlen;
		bool		typbyval;

		if (params->nulls[i])
			continue;
		get_typlenbyval(params->types[i], &typlen, &typbyval);
		if (typlen == -1)
			params->values[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(params->values[i]));
		else
			params->values[i] = datumCopy(params->values[i], typbyval, typlen);
	}
}

/*
 * corm_params_find_types finds out which type each of n text or unknown
 * parameters takes in one SQL statement, and sets types[].  One that the
 * statement does not use, or whose context says nothing, is text.  taker is what
 * was given the parameters, for the errors: 42P02 for a statement that wants more,
 * 42601 for a text that is not one statement.
 */
void
corm_params_find_types(const char *sql, int n, const Oid *given, Oid *types, const char *taker)
{
	List	   *parsed = corm_parse_sql(sql, RAW_PARSE_DEFAULT);
	ErrorContextCallback callback;
	int			nfound = n;
	Oid		   *found = palloc(Max(n, 1) * sizeof(Oid));

	if (list_length(parsed) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a %s with parameters must be one SQL statement", taker)));
	for (int i = 0; i < n; i++)
		found[i] = corm_param_is_varying(given[i]) ? UNKNOWNOID : given[i];

	corm_push_sql_errors(&callback, sql);
	(void) parse_analyze_varparams(linitial_node(RawStmt, parsed), sql, &found, &nfound, NULL);
	error_context_stack = callback.previous;

	if (nfound > n)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("there is no parameter $%d", nfound),
				 errdetail_plural("The %s was given %d parameter.",
								  "The %s was given %d parameters.",
								  n, taker, n)));
	for (int i = 0; i < n; i++)
		types[i] = (found[i] == UNKNOWNOID || found[i] == InvalidOid) ? TEXTOID : found[i];
}

/*
 * corm_params_bind returns the parameters as a plan takes them that was made for
 * types[]: text and unknown values are converted to the types found for them.
 * NULL if there are none.  Allocated in the current memory context.
 */
ParamListInfo
corm_params_bind(const CormParams *params, const Oid *types)
{
	ParamListInfo list;

	if (params->n == 0)
		return NULL;

	list = makeParamList(params->n);
	for (int i = 0; i < params->n; i++)
	{
		ParamExternData *param = &list->params[i];
		Oid			given = params->types[i];

		param->value = params->values[i];
		param->isnull = params->nulls[i];
		param->pflags = PARAM_FLAG_CONST;
		param->ptype = types[i];

		if (given != types[i])
		{
			Oid			input;
			Oid			ioparam;
			char	   *string = NULL;

			if (!param->isnull)
				string = given == UNKNOWNOID ? DatumGetCString(param->value) :
					TextDatumGetCString(param->value);
			getTypeInputInfo(types[i], &input, &ioparam);
			param->value = OidInputFunctionCall(input, string, ioparam, -1);
		}
	}
	return list;
}
