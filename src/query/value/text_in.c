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
#include "query/value/items_in.h"
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
	int		   *nestlevel;		/* of the settings for portable input; 0: not
								 * changed yet */
} InContext;

static void in_node(InContext *ctx, const JsonItem *object, bool clause);

static void bad_input(InContext *ctx, const char *detail) pg_attribute_noreturn();

static void
bad_input(InContext *ctx, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input for type %s", ctx->type),
			 errdetail_internal("%s", detail)));
}

static void
expect_array(InContext *ctx, const JsonItem *item, const char *what)
{
	if (item->type != ITEM_ARRAY)
		bad_input(ctx, psprintf("%s must be an array.", what));
}

static void
expect_string(InContext *ctx, const JsonItem *item, const char *what)
{
	if (item->type != ITEM_STRING)
		bad_input(ctx, psprintf("%s must be a string.", what));
}

/*
 * Reads the clauses of a query.  Raises 22P02 for an element that is not an
 * object.
 */
static void
in_clauses(InContext *ctx, const JsonItem *items, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (items[i].type != ITEM_OBJECT)
			bad_input(ctx, "A clause must be an object of one key.");
		in_node(ctx, &items[i], true);
	}
}

/*
 * Reads a nested query.  Its length precedes it in the shape, so it is built
 * in a writer of its own first.
 */
static void
in_subquery(InContext *ctx, const JsonItem *items, int n)
{
	CormWriter	sub;
	InContext	subctx = {&sub, ctx->type, ctx->nestlevel};
	const CormNode *query;

	corm_writer_init(&sub);
	in_clauses(&subctx, items, n);
	query = corm_writer_finish(&sub, CORM_KIND_QUERY);
	corm_write_query(ctx->w, &query, 1);
}

/* A number as numeric, as jsonb would have it. */
static Numeric
item_numeric(const JsonItem *item)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(item->str, item->len)),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Returns an integer from 0.  Raises 22P02 for anything else. */
static uint32
in_integer(InContext *ctx, const JsonItem *item)
{
	int32		value = -1;
	bool		error = item->type != ITEM_NUMBER;

	if (!error)
	{
		Numeric		number = item_numeric(item);

		error = strchr(numeric_normalize(number), '.') != NULL;
		if (!error)
			value = numeric_int4_opt_error(number, &error);
	}
	if (error || value < 0)
		bad_input(ctx, "A number must be an integer that is not negative.");
	return value;
}

/*
 * Types whose names are words of SQL: they mean these whatever the search_path is, and
 * no setting changes how their values are read.
 */
static const struct
{
	const char *name;
	Oid			typid;
}			keyword_types[] = {
	{"bigint", INT8OID},
	{"integer", INT4OID},
	{"smallint", INT2OID},
	{"numeric", NUMERICOID},
	{"boolean", BOOLOID}
};

/*
 * Reads a type name as for regtype and returns its OID.  Raises 22P02 if it is
 * not a string, 42704 if there is no such type, 0A000 for a pseudo-type.
 */
static Oid
in_type(InContext *ctx, const JsonItem *v)
{
	char	   *name;
	Oid			typid;

	expect_string(ctx, v, "A type");
	for (int i = 0; i < lengthof(keyword_types); i++)
		if (v->len == strlen(keyword_types[i].name) && memcmp(v->str, keyword_types[i].name, v->len) == 0)
			return keyword_types[i].typid;
	name = pnstrdup(v->str, v->len);
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
in_relation(InContext *ctx, const JsonItem *v)
{
	char	   *name;

	expect_string(ctx, v, "A relation");
	name = pnstrdup(v->str, v->len);
	return DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(name)));
}

/* Returns the value of a key of an object, or NULL. */
static const JsonItem *
item_of_key(const JsonItem *object, const char *key, int len)
{
	for (int i = 0; i < object->n; i++)
		if (object->items[2 * i].len == len && memcmp(object->items[2 * i].str, key, len) == 0)
			return &object->items[2 * i + 1];
	return NULL;
}

/*
 * Reads {"val": text, "type": name}; the type is optional.  Raises 22P02 for
 * any other key, and passes on errors of the type's input function.
 */
static void
in_typed_value(InContext *ctx, const JsonItem *object, const JsonItem *val)
{
	const JsonItem *type = item_of_key(object, "type", 4);
	Oid			typid = UNKNOWNOID;
	char	   *str;
	int16		typlen;
	bool		typbyval;
	Oid			typinput;
	Oid			typioparam;

	if (object->n != (type ? 2 : 1))
		bad_input(ctx, "A value may have the keys \"val\" and \"type\" only.");
	if (type)
		typid = in_type(ctx, type);
	if (val->type == ITEM_NULL)
	{
		corm_write_null(ctx->w, typid);
		return;
	}
	expect_string(ctx, val, "\"val\"");
	if (typid == UNKNOWNOID || typid == TEXTOID || typid == VARCHAROID)
	{
		corm_write_value(ctx->w, UNKNOWNOID, -1, false,
						 PointerGetDatum(cstring_to_text_with_len(val->str,
																  val->len)));
		return;
	}
	str = pnstrdup(val->str, val->len);
	if (*ctx->nestlevel == 0 && typid != INT8OID && typid != INT4OID && typid != INT2OID &&
		typid != NUMERICOID && typid != BOOLOID)
		*ctx->nestlevel = corm_begin_portable_io(false);
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
in_number(InContext *ctx, const JsonItem *item)
{
	Numeric		number = NULL;
	const char *str = item->str;
	char	   *end;
	int64		value;

	if (!item->is_integer)
	{
		number = item_numeric(item);
		str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	}
	errno = 0;
	value = strtoi64(str, &end, 10);
	if (number && (*end != '\0' || errno != 0))
		corm_write_value(ctx->w, NUMERICOID, -1, false, NumericGetDatum(number));
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
in_expr(InContext *ctx, const JsonItem *v, bool string_is_field)
{
	switch (v->type)
	{
		case ITEM_NULL:
			corm_write_null(ctx->w, UNKNOWNOID);
			break;
		case ITEM_STRING:
			if (string_is_field)
			{
				if (v->len == 0)
					bad_input(ctx, "A field name is empty.");
				corm_write_tag(ctx->w, CORM_N_COLUMN);
				corm_write_name(ctx->w, v->str, v->len);
			}
			else
				corm_write_value(ctx->w, UNKNOWNOID, -1, false,
								 PointerGetDatum(cstring_to_text_with_len(v->str,
																		  v->len)));
			break;
		case ITEM_NUMBER:
			in_number(ctx, v);
			break;
		case ITEM_BOOL:
			corm_write_value(ctx->w, BOOLOID, 1, true, BoolGetDatum(v->boolean));
			break;
		case ITEM_OBJECT:
			in_node(ctx, v, false);
			break;
		default:
			bad_input(ctx, "An expression must be a scalar or an object.");
	}
}

/*
 * Reads n elements as a list argument with the given letter.
 */
static void
in_list(InContext *ctx, char letter, const JsonItem *elements, int n)
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
			corm_write_name(ctx->w, elements[i].str, elements[i].len);
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
in_arg(InContext *ctx, char letter, const JsonItem *v)
{
	switch (letter)
	{
		case 'o':
			if (v->type == ITEM_NULL)
			{
				corm_write_name(ctx->w, "", 0);
				break;
			}
			/* FALLTHROUGH */
		case 'n':
			expect_string(ctx, v, "A name");
			if (letter == 'n' && v->len == 0)
				bad_input(ctx, "A name is empty.");
			corm_write_name(ctx->w, v->str, v->len);
			break;
		case 't':
			expect_string(ctx, v, "SQL text");
			corm_check_raw_text();
			corm_write_text(ctx->w, v->str, v->len);
			break;
		case 'r':
			corm_write_oid(ctx->w, in_relation(ctx, v));
			break;
		case 'y':

			/*
			 * the type was already gone on output; regclassin accepts "-",
			 * too
			 */
			if (v->type == ITEM_STRING && v->len == 1 && v->str[0] == '-')
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
			if (v->type == ITEM_STRING)
			{
				char	   *str = pnstrdup(v->str, v->len);

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
			expect_array(ctx, v, "A nested list");
			if (letter == 'q')
				in_subquery(ctx, v->items, v->n);
			else
				in_list(ctx, letter, v->items, v->n);
			break;
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
in_node(InContext *ctx, const JsonItem *object, bool clause)
{
	const JsonItem *key;
	const JsonItem *value;
	const CormNodeDesc *desc;
	const char *args;
	int			nargs;
	int			nfixed;
	int			nrequired;
	int			n = 1;
	const JsonItem *elements;
	bool		bare;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (!clause)
	{
		const JsonItem *val = item_of_key(object, "val", 3);

		if (val)
		{
			in_typed_value(ctx, object, val);
			return;
		}
	}

	if (object->n != 1)
		bad_input(ctx, clause ? "A clause must be an object of one key." :
				  "An expression must be an object of one key.");
	key = &object->items[0];
	elements = value = &object->items[1];

	desc = corm_node_by_name(key->str, key->len, clause);
	if (desc == NULL || desc->tag == CORM_N_NULL)
		bad_input(ctx, psprintf("Unknown %s \"%s\".", clause ? "clause" : "expression",
								pnstrdup(key->str, key->len)));

	args = desc->args;
	nargs = strlen(args);
	nfixed = nargs > 0 && corm_letter_desc(args[nargs - 1])->is_list ? nargs - 1 : nargs;
	nrequired = nfixed;
	while (nrequired > 1 && nfixed == nargs && args[nrequired - 1] == 'o')
		nrequired--;

	bare = nargs == 1 && nfixed == 1;
	if (nfixed == nargs && nrequired == 1 && value->type != ITEM_ARRAY)
		bare = true;
	if (!bare)
	{
		if (value->type != ITEM_ARRAY)
			expect_array(ctx, value, psprintf("The argument of \"%s\"", desc->name));
		elements = value->items;
		n = value->n;
	}

	if (n < nrequired || (n > nfixed && nfixed == nargs))
		bad_input(ctx, psprintf("\"%s\" has %d arguments, not %d.", desc->name, nfixed, n));

	if (desc->tag == CORM_N_FN && elements[0].type == ITEM_STRING)
		corm_check_function_text(pnstrdup(elements[0].str, elements[0].len));

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
	JsonItem	item;
	CormWriter	w;
	int			nestlevel = 0;
	InContext	ctx = {&w, kind == CORM_KIND_QUERY ? "corm.query" : "corm.expr", &nestlevel};

	if (!corm_items_read(str, &item))
		corm_items_of_jsonb(read_json(&ctx, str), &item);
	corm_writer_init(&w);
	if (kind == CORM_KIND_QUERY)
	{
		if (item.type != ITEM_ARRAY)
			bad_input(&ctx, "A query must be an array of clauses.");
		in_clauses(&ctx, item.items, item.n);
	}
	else
	{
		if (item.type == ITEM_ARRAY)
			bad_input(&ctx, "An expression must be a scalar or an object.");
		in_expr(&ctx, &item, false);
	}
	if (nestlevel > 0)
		AtEOXact_GUC(true, nestlevel);
	return corm_writer_finish(&w, kind);
}
