/*-------------------------------------------------------------------------
 *
 * build_args.c
 *		The arguments of builders: written as the parts of a node.
 *
 * The letters of a node say what each argument is; see nodes.def.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_type.h"
#include "query/value/build_parts.h"
#include "utils/array.h"
#include "utils/arrayaccess.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* corm_build_null_argument raises 22004 for an argument that is NULL. */
void
corm_build_null_argument(const Builder *b, const char *what)
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
 * corm_build_get_string sets *str and *len to the bytes of an argument for which is_name is true.
 * Not NUL-terminated.
 */
void
corm_build_get_string(const Input *input, Datum value, const char **str, int *len)
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
		corm_build_null_argument(b, "a name");
	if (!is_name(input))
		wrong_argument(b, input, "a name");
	corm_build_get_string(input, value, &str, &len);
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

/* corm_build_refuse_record raises 42804 for an anonymous record. */
void
corm_build_refuse_record(const Input *input)
{
	if (input->typid == RECORDOID || input->typid == RECORDARRAYOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("anonymous records cannot be bound as values"),
				 errhint("Cast the row to a named composite type.")));
}

/*
 * corm_build_value writes a bound value, an expression or a subquery, by the kind of the
 * argument.  A text value is stored as type unknown, so that it takes its type
 * from context, like a literal.  Arrays of text keep their type.  Raises 22004
 * for a NULL expression or query, 0A000 for an anonymous record.
 */
void
corm_build_value(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	switch (input->kind)
	{
		case INPUT_EXPR:
			if (isnull)
				corm_build_null_argument(b, "an expression");
			corm_write_node(w, CormPGGetExpr(value));
			return;
		case INPUT_QUERY:
			{
				const CormNode *query;

				if (isnull)
					corm_build_null_argument(b, "a query");
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
			corm_build_refuse_record(input);
			if (isnull)
				corm_write_null(w, input->typid);
			else
				corm_write_value(w, input->typid, input->typlen, input->typbyval, value);
			return;
	}
}

/*
 * corm_build_field_or_expr writes an argument x or an element of X: a field name, expression or query.
 * Raises 22004 for NULL, 42602 for an empty name, 42804 for any other type.
 */
void
corm_build_field_or_expr(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	const char *str;
	int			len;

	switch (input->kind)
	{
		case INPUT_TEXT:
		case INPUT_UNKNOWN:
		case INPUT_TEXT_DOMAIN:
			if (isnull)
				corm_build_null_argument(b, "a field name");
			corm_build_get_string(input, value, &str, &len);
			write_column(b, w, str, len);
			return;
		case INPUT_EXPR:
		case INPUT_QUERY:
			corm_build_value(b, w, input, value, isnull);
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

		corm_build_get_string(input, value, &str, &len);
		if (len > 1 && str[0] == '-')
		{
			corm_write_tag(w, CORM_N_DESC);
			write_column(b, w, str + 1, len - 1);
			corm_write_name(w, "", 0);
			return;
		}
	}
	corm_build_field_or_expr(b, w, input, value, isnull);
}

static void
write_expr(const Builder *b, CormWriter *w, const Input *input, Datum value, bool isnull)
{
	if (input->kind != INPUT_EXPR)
		wrong_argument(b, input, "an expression");
	corm_build_value(b, w, input, value, isnull);
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
			corm_build_field_or_expr(b, w, input, value, isnull);
			break;
		case 'O':
		case 'S':
			write_order_item(b, w, input, value, isnull);
			break;
		case 'V':
			corm_build_value(b, w, input, value, isnull);
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
 * corm_build_array writes the elements of an array as a list argument.  The array is usually
 * built for this one call and short, so iterate over it in place instead of
 * deconstructing it.  Raises 22004 for a NULL query.
 */
void
corm_build_array(const Builder *b, CormWriter *w, char letter, const Input *input, Datum array)
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
			corm_build_null_argument(b, "a query");
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

	corm_build_get_string(input, value, &str, &len);
	corm_build_array(b, w, letter, input, OidInputFunctionCall(F_ARRAY_IN, pnstrdup(str, len), TEXTOID, -1));
}

/*
 * corm_build_array_arg writes an argument that is an array of the elements of a list, or of the
 * clauses of a query.  Raises 22004 if the array is NULL, or a query in it.
 */
void
corm_build_array_arg(const Builder *b, CormWriter *w, char letter, int argno, const CormBuilderArg *args)
{
	const CormBuilderArg *arg = &args[argno];

	if (arg->elements == NULL)
	{
		if (arg->value.isnull)
			corm_build_null_argument(b, "the argument list");
		corm_build_array(b, w, letter, &b->inputs[argno], arg->value.value);
	}
	else if (letter == 'Q')
	{
		const CormNode **queries = palloc(sizeof(CormNode *) * Max(arg->nelements, 1));

		for (int i = 0; i < arg->nelements; i++)
		{
			if (arg->elements[i].value.isnull)
				corm_build_null_argument(b, "a query");
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
		corm_build_array_arg(b, w, letter, argno, args);
	else
	{
		corm_write_count(w, nargs - argno);
		for (int i = argno; i < nargs; i++)
			write_element(b, w, letter, &b->inputs[i], args[i].value.value, args[i].value.isnull);
	}
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
		corm_build_value(b, &w, &b->inputs[0], args[0].value.value, args[0].value.isnull);
		return corm_writer_finish(&w, CORM_KIND_EXPR);
	}

	if (b->desc->tag == CORM_N_IN || b->desc->tag == CORM_N_NOT_IN)
	{
		corm_build_in(b, &w, nargs, args);
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
						corm_build_get_string(input, value, &str, &len);
					corm_write_name(&w, str, len);
					break;
				}
			case 't':
				{
					const char *str;
					int			len;

					if (isnull)
						corm_build_null_argument(b, "the SQL text");
					corm_build_get_string(input, value, &str, &len);
					corm_write_text(&w, str, len);
					break;
				}
			case 'r':
				if (isnull)
					corm_build_null_argument(b, "the model");
				corm_write_oid(&w, DatumGetObjectId(value));
				break;
			case 'y':
				if (isnull)
					corm_build_null_argument(b, "the type");
				corm_write_oid(&w, DatumGetObjectId(value));
				break;
			case 'i':
				if (isnull)
					corm_build_null_argument(b, "a number");
				if (DatumGetInt32(value) < 0)
					ereport(ERROR,
							(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							 errmsg("a number given to corm.%s() is negative", b->func)));
				corm_write_oid(&w, DatumGetInt32(value));
				break;
			case 'x':
				corm_build_field_or_expr(b, &w, input, value, isnull);
				break;
			case 'j':
				if (!isnull && is_name(input))
				{
					const char *str;
					int			len;

					corm_build_get_string(input, value, &str, &len);
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
					corm_build_array_arg(b, &w, 'Q', i, args);
				}
				else
					corm_build_value(b, &w, input, value, isnull);
				break;
			case 'e':
				write_expr(b, &w, input, value, isnull);
				break;
			case 'q':
				{
					const CormNode *query;

					if (i == b->clauses_arg)
					{
						corm_build_array_arg(b, &w, 'Q', i, args);
						break;
					}
					if (isnull)
						corm_build_null_argument(b, "a query");
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
					corm_build_array(b, &w, letter, input, value);
				break;
			default:
				elog(ERROR, "unrecognized argument letter \"%c\"", letter);
		}
	}
	return corm_writer_finish(&w, b->desc->is_clause ? CORM_KIND_QUERY : CORM_KIND_EXPR);
}
