/*-------------------------------------------------------------------------
 *
 * text_in.c
 *		Reading the text form of corm.query and corm.expr.
 *
 * text.c describes the form.  On input, trailing optional names can be
 * omitted.  If that leaves a single argument, it can be bare, too:
 * {"selector": "users"}.
 *
 * Input is untrusted.  It goes through the same writer as the SQL functions,
 * so it cannot build anything that they cannot build.  Raw SQL in it is
 * accepted from trusted sessions only (raw.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/value/node.h"
#include "query/value/raw.h"
#include "mb/pg_wchar.h"
#include "query/value/text.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/regproc.h"

typedef struct InContext
{
	CormWriter *w;
	const char *type;			/* "corm.query" or "corm.expr", for messages */
} InContext;

static void in_node(InContext *ctx, JsonbContainer *object, bool clause);

static void bad_input(InContext *ctx, const char *detail) pg_attribute_noreturn();

static void
bad_input(InContext *ctx, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input for type %s", ctx->type),
			 errdetail_internal("%s", detail)));
}

/* Returns the elements of a JSON array, palloc'd; sets *n to their number. */
static JsonbValue *
array_elements(InContext *ctx, JsonbContainer *array, int *n)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	v;
	JsonbIteratorToken tok;
	JsonbValue *elements = palloc(sizeof(JsonbValue) * Max(JsonContainerSize(array), 1));

	*n = 0;
	(void) JsonbIteratorNext(&it, &v, false);
	while ((tok = JsonbIteratorNext(&it, &v, true)) == WJB_ELEM)
		elements[(*n)++] = v;
	return elements;
}

static JsonbContainer *
expect_array(InContext *ctx, JsonbValue *v, const char *what)
{
	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data))
		bad_input(ctx, psprintf("%s must be an array.", what));
	return v->val.binary.data;
}

static void
expect_string(InContext *ctx, JsonbValue *v, const char *what)
{
	if (v->type != jbvString)
		bad_input(ctx, psprintf("%s must be a string.", what));
}

/*
 * Reads the clauses of a query.  Raises 22P02 for an element that is not an
 * object.
 */
static void
in_clauses(InContext *ctx, JsonbContainer *array)
{
	int			n;
	JsonbValue *elements = array_elements(ctx, array, &n);

	for (int i = 0; i < n; i++)
	{
		if (elements[i].type != jbvBinary || !JsonContainerIsObject(elements[i].val.binary.data))
			bad_input(ctx, "A clause must be an object of one key.");
		in_node(ctx, elements[i].val.binary.data, true);
	}
}

/*
 * Reads a nested query.  Its length precedes it in the shape, so it is built
 * in a writer of its own first.
 */
static void
in_subquery(InContext *ctx, JsonbValue *elements, int n)
{
	CormWriter	sub;
	InContext	subctx = {&sub, ctx->type};
	const CormNode *query;

	corm_writer_init(&sub);
	for (int i = 0; i < n; i++)
	{
		if (elements[i].type != jbvBinary || !JsonContainerIsObject(elements[i].val.binary.data))
			bad_input(ctx, "A clause must be an object of one key.");
		in_node(&subctx, elements[i].val.binary.data, true);
	}
	query = corm_writer_finish(&sub, CORM_KIND_QUERY);
	corm_write_query(ctx->w, &query, 1);
}

/* Returns an integer from 0.  Raises 22P02 for anything else. */
static uint32
in_integer(InContext *ctx, JsonbValue *v)
{
	int32		value = -1;
	bool		error = v->type != jbvNumeric || strchr(numeric_normalize(v->val.numeric), '.') != NULL;

	if (!error)
		value = numeric_int4_opt_error(v->val.numeric, &error);
	if (error || value < 0)
		bad_input(ctx, "A number must be an integer that is not negative.");
	return value;
}

/*
 * Reads a type name as for regtype and returns its OID.  Raises 22P02 if it is
 * not a string, 42704 if there is no such type, 0A000 for a pseudo-type.
 */
static Oid
in_type(InContext *ctx, JsonbValue *v)
{
	char	   *name;
	Oid			typid;

	expect_string(ctx, v, "A type");
	name = pnstrdup(v->val.string.val, v->val.string.len);
	typid = DatumGetObjectId(DirectFunctionCall1(regtypein, CStringGetDatum(name)));
	if (!get_typisdefined(typid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"%s\" does not exist", name)));
	if (get_typtype(typid) == TYPTYPE_PSEUDO)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of pseudo-type %s cannot be bound", format_type_be(typid))));
	return typid;
}

static Oid
in_relation(InContext *ctx, JsonbValue *v)
{
	char	   *name;

	expect_string(ctx, v, "A relation");
	name = pnstrdup(v->val.string.val, v->val.string.len);
	return DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(name)));
}

/*
 * Reads {"val": text, "type": name}; the type is optional.  Raises 22P02 for
 * any other key, and passes on errors of the type's input function.
 */
static void
in_typed_value(InContext *ctx, JsonbContainer *object, JsonbValue *val)
{
	JsonbValue	buf;
	JsonbValue *type = getKeyJsonValueFromContainer(object, "type", 4, &buf);
	Oid			typid = UNKNOWNOID;
	char	   *str;
	int16		typlen;
	bool		typbyval;
	Oid			typinput;
	Oid			typioparam;

	if (JsonContainerSize(object) != (type ? 2 : 1))
		bad_input(ctx, "A value may have the keys \"val\" and \"type\" only.");
	if (type)
		typid = in_type(ctx, type);
	if (val->type == jbvNull)
	{
		corm_write_null(ctx->w, typid);
		return;
	}
	expect_string(ctx, val, "\"val\"");
	if (typid == UNKNOWNOID || typid == TEXTOID || typid == VARCHAROID)
	{
		corm_write_value(ctx->w, UNKNOWNOID, -1, false,
						 PointerGetDatum(cstring_to_text_with_len(val->val.string.val,
																  val->val.string.len)));
		return;
	}
	str = pnstrdup(val->val.string.val, val->val.string.len);
	getTypeInputInfo(typid, &typinput, &typioparam);
	get_typlenbyval(typid, &typlen, &typbyval);
	corm_write_value(ctx->w, typid, typlen, typbyval,
					 OidInputFunctionCall(typinput, str, typioparam, -1));
}

/*
 * Reads a bare JSON number as the first of int4, int8 and numeric that can
 * hold it.
 */
static void
in_number(InContext *ctx, Numeric num)
{
	char	   *str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(num)));
	char	   *end;
	int64		value;

	errno = 0;
	value = strtoi64(str, &end, 10);
	if (*end != '\0' || errno != 0)
		corm_write_value(ctx->w, NUMERICOID, -1, false, NumericGetDatum(num));
	else if (value >= PG_INT32_MIN && value <= PG_INT32_MAX)
		corm_write_value(ctx->w, INT4OID, 4, true, Int32GetDatum((int32) value));
	else
		corm_write_value(ctx->w, INT8OID, 8, true, Int64GetDatum(value));
}

/*
 * Reads an expression: a bare scalar or an object.  string_is_field: a string
 * is a field name here, not a bound value.  Raises 22P02 for an array or an
 * empty field name.
 */
static void
in_expr(InContext *ctx, JsonbValue *v, bool string_is_field)
{
	switch (v->type)
	{
		case jbvNull:
			corm_write_null(ctx->w, UNKNOWNOID);
			break;
		case jbvString:
			if (string_is_field)
			{
				if (v->val.string.len == 0)
					bad_input(ctx, "A field name is empty.");
				corm_write_tag(ctx->w, CORM_N_COLUMN);
				corm_write_name(ctx->w, v->val.string.val, v->val.string.len);
			}
			else
				corm_write_value(ctx->w, UNKNOWNOID, -1, false,
								 PointerGetDatum(cstring_to_text_with_len(v->val.string.val,
																		  v->val.string.len)));
			break;
		case jbvNumeric:
			in_number(ctx, v->val.numeric);
			break;
		case jbvBool:
			corm_write_value(ctx->w, BOOLOID, 1, true, BoolGetDatum(v->val.boolean));
			break;
		case jbvBinary:
			if (!JsonContainerIsObject(v->val.binary.data))
				bad_input(ctx, "An expression must be a scalar or an object.");
			in_node(ctx, v->val.binary.data, false);
			break;
		default:
			bad_input(ctx, "An expression must be a scalar or an object.");
	}
}

/*
 * Reads n elements as a list argument with the given letter.
 */
static void
in_list(InContext *ctx, char letter, JsonbValue *elements, int n)
{
	if (letter == 'Q')
	{
		in_subquery(ctx, elements, n);
		return;
	}
	corm_write_count(ctx->w, n);
	for (int i = 0; i < n; i++)
	{
		if (letter == 'N')
		{
			expect_string(ctx, &elements[i], "A name");
			corm_write_name(ctx->w, elements[i].val.string.val, elements[i].val.string.len);
		}
		else
			in_expr(ctx, &elements[i], corm_letter_desc(letter)->string_is_field);
	}
}

/*
 * Reads an argument that is not a trailing list.  Raises 22P02 if it has the
 * wrong JSON type or a required name is empty, 42501 for raw SQL that the
 * session may not use.
 */
static void
in_arg(InContext *ctx, char letter, JsonbValue *v)
{
	switch (letter)
	{
		case 'o':
			if (v->type == jbvNull)
			{
				corm_write_name(ctx->w, "", 0);
				break;
			}
			/* FALLTHROUGH */
		case 'n':
			expect_string(ctx, v, "A name");
			if (letter == 'n' && v->val.string.len == 0)
				bad_input(ctx, "A name is empty.");
			corm_write_name(ctx->w, v->val.string.val, v->val.string.len);
			break;
		case 't':
			expect_string(ctx, v, "SQL text");
			corm_check_raw_text();
			corm_write_text(ctx->w, v->val.string.val, v->val.string.len);
			break;
		case 'r':
			corm_write_oid(ctx->w, in_relation(ctx, v));
			break;
		case 'y':

			/*
			 * the type was already gone on output; regclassin accepts "-",
			 * too
			 */
			if (v->type == jbvString && v->val.string.len == 1 && v->val.string.val[0] == '-')
				corm_write_oid(ctx->w, InvalidOid);
			else
				corm_write_oid(ctx->w, in_type(ctx, v));
			break;
		case 'i':
			corm_write_oid(ctx->w, in_integer(ctx, v));
			break;
		case 'x':
			in_expr(ctx, v, true);
			break;
		case 'j':
			if (v->type == jbvString)
			{
				char	   *str = pnstrdup(v->val.string.val, v->val.string.len);

				corm_write_value(ctx->w, JSONBOID, -1, false,
								 DirectFunctionCall1(jsonb_in, CStringGetDatum(str)));
				break;
			}
			/* FALLTHROUGH */
		case 'v':
		case 'e':
			in_expr(ctx, v, false);
			break;
		case 'q':
		case 'P':
		case 'S':
			{
				int			n;
				JsonbValue *elements = array_elements(ctx, expect_array(ctx, v, "A nested list"), &n);

				if (letter == 'q')
					in_subquery(ctx, elements, n);
				else
					in_list(ctx, letter, elements, n);
				break;
			}
		default:
			elog(ERROR, "unrecognized argument letter \"%c\"", letter);
	}
}

/*
 * Reads a node: a clause, or an expression that is not a bare scalar.  Raises
 * 22P02 for an unknown key or a wrong number of arguments, 42501 for raw SQL
 * or a volatile function that the session may not use.
 */
static void
in_node(InContext *ctx, JsonbContainer *object, bool clause)
{
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;
	const CormNodeDesc *desc;
	const char *args;
	int			nargs;
	int			nfixed;
	int			nrequired;
	int			n = 1;
	JsonbValue *elements = &value;
	bool		bare;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (!clause)
	{
		JsonbValue *val = getKeyJsonValueFromContainer(object, "val", 3, &value);

		if (val)
		{
			in_typed_value(ctx, object, val);
			return;
		}
	}

	if (JsonContainerSize(object) != 1)
		bad_input(ctx, clause ? "A clause must be an object of one key." :
				  "An expression must be an object of one key.");
	it = JsonbIteratorInit(object);
	(void) JsonbIteratorNext(&it, &key, false);
	(void) JsonbIteratorNext(&it, &key, false);
	(void) JsonbIteratorNext(&it, &value, true);

	desc = corm_node_by_name(key.val.string.val, key.val.string.len, clause);
	if (desc == NULL || desc->tag == CORM_N_NULL)
		bad_input(ctx, psprintf("Unknown %s \"%s\".", clause ? "clause" : "expression",
								pnstrdup(key.val.string.val, key.val.string.len)));

	args = desc->args;
	nargs = strlen(args);
	nfixed = nargs > 0 && corm_letter_desc(args[nargs - 1])->is_list ? nargs - 1 : nargs;
	nrequired = nfixed;
	while (nrequired > 1 && nfixed == nargs && args[nrequired - 1] == 'o')
		nrequired--;

	bare = nargs == 1 && nfixed == 1;
	if (nfixed == nargs && nrequired == 1 &&
		(value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data)))
		bare = true;
	if (!bare)
		elements = array_elements(ctx, expect_array(ctx, &value, psprintf("The argument of \"%s\"", desc->name)), &n);

	if (n < nrequired || (n > nfixed && nfixed == nargs))
		bad_input(ctx, psprintf("\"%s\" has %d arguments, not %d.", desc->name, nfixed, n));

	if (desc->tag == CORM_N_FN && elements[0].type == jbvString)
		corm_check_function_text(pnstrdup(elements[0].val.string.val, elements[0].val.string.len));

	corm_write_tag(ctx->w, desc->tag);
	for (int i = 0; i < nfixed; i++)
	{
		if (i < n)
			in_arg(ctx, args[i], &elements[i]);
		else
			corm_write_name(ctx->w, "", 0);
	}
	if (nfixed < nargs)
		in_list(ctx, args[nfixed], elements + nfixed, n - nfixed);
}

/*
 * Raises 22P02 for a text that is not JSON: most likely SQL or a name, where a
 * value that functions make is meant.
 */
static void not_json(InContext *ctx, const char *str, const char *why) pg_attribute_noreturn();

static void
not_json(InContext *ctx, const char *str, const char *why)
{
	char	   *shown = pnstrdup(str, pg_mbcliplen(str, strlen(str), 60));
	char	   *quoted = quote_literal_cstr(shown);
	bool		query = strcmp(ctx->type, "corm.query") == 0;
	bool		name = shown[0] != '\0' && strspn(shown, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == strlen(shown);
	bool		like_json = strpbrk(shown, "[{\"") != NULL;
	bool		statement = pg_strncasecmp(shown, "select ", 7) == 0 || pg_strncasecmp(shown, "with ", 5) == 0;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input for type %s", ctx->type),
			 like_json && why ? errdetail("The text \"%s\" is not JSON: %s", shown, why) : errdetail("The text \"%s\" is not JSON.", shown),
			 like_json ? 0 :
			 query && name ? errhint("A query over a model begins with corm.selector(%s).", quoted) :
			 query && statement ? errhint("A query in SQL is written corm.raw_query(%s).", quoted) :
			 query ? errhint("A condition is written corm.where(corm.eq('field', value)), or in SQL corm.where(corm.raw(%s)).", quoted) :
			 name ? errhint("A field is written corm.c(%s), and a condition on it corm.eq(%s, value).", quoted, quoted) :
			 errhint("A condition is written corm.eq('field', value), or in SQL corm.raw(%s).", quoted)));
}

/* Reads a text as JSON. */
static Jsonb *
read_json(InContext *ctx, const char *str)
{
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile json = NULL;

	PG_TRY();
	{
		json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(str)));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (geterrcode() != ERRCODE_INVALID_TEXT_REPRESENTATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		not_json(ctx, str, error->detail);
	}
	PG_END_TRY();
	return json;
}

/*
 * corm_node_in reads the text form of a value of the given kind.  The result
 * is allocated in the current context.  Raises 22P02, with a DETAIL, if str
 * does not follow the grammar in docs/queries.md.  Errors of the input
 * functions of bound values are passed on.
 */
CormNode *
corm_node_in(const char *str, char kind)
{
	Jsonb	   *json;
	CormWriter	w;
	InContext	ctx = {&w, kind == CORM_KIND_QUERY ? "corm.query" : "corm.expr"};
	int			nestlevel;

	json = read_json(&ctx, str);
	nestlevel = corm_begin_portable_io(false);
	corm_writer_init(&w);
	if (kind == CORM_KIND_QUERY)
	{
		if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
			bad_input(&ctx, "A query must be an array of clauses.");
		in_clauses(&ctx, &json->root);
	}
	else if (JB_ROOT_IS_SCALAR(json))
	{
		int			n;

		in_expr(&ctx, array_elements(&ctx, &json->root, &n), false);
	}
	else
	{
		if (!JB_ROOT_IS_OBJECT(json))
			bad_input(&ctx, "An expression must be a scalar or an object.");
		in_node(&ctx, &json->root, false);
	}
	AtEOXact_GUC(true, nestlevel);
	return corm_writer_finish(&w, kind);
}
