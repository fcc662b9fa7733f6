/*-------------------------------------------------------------------------
 *
 * text.c
 *		The text form of corm.query and corm.expr: JSON.
 *
 * A node is an object of one key, {"eq": ["age", 18]}; its arguments stand in
 * the order of nodes.def, the elements of a trailing list after the others.
 * A node with a single argument that is no list gives it bare: {"limit": 10}.
 * On input, names that may be missing may be left out at the end, and what
 * then is a single argument may be bare too: {"selector": "users"}.
 * A query is an array of clauses.  docs/queries.md has the grammar.
 *
 * Where a field name is expected a string is a field name, elsewhere it is a
 * bound value of type unknown.  Integers that fit int4, booleans and null
 * stand for themselves; every other value is {"val": text, "type": name}.
 *
 * Input is checked like any datum from outside: it builds through the same
 * writer as the SQL functions and can make nothing that those cannot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "query/query.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/regproc.h"

/*
 * Types print and read their values in ways that settings change; the text
 * form must mean the same in every session.  (pg_dump does alike.)  Output
 * also names every schema; input goes by the caller's search_path.  The caller
 * ends it by AtEOXact_GUC(true, result); so does an error.
 */
int
corm_begin_portable_io(bool output)
{
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("intervalstyle", "postgres", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (extra_float_digits < 3)
		(void) set_config_option("extra_float_digits", "3", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (output)
		(void) set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return nestlevel;
}

/*
 * Output
 */

typedef struct OutContext
{
	StringInfo	buf;
	CormValue  *values;
} OutContext;

static void out_node(OutContext *ctx, CormTree *tree);

static void
out_query(OutContext *ctx, List *clauses)
{
	ListCell   *lc;

	appendStringInfoChar(ctx->buf, '[');
	foreach(lc, clauses)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, ", ");
		out_node(ctx, lfirst(lc));
	}
	appendStringInfoChar(ctx->buf, ']');
}

static char *
type_name(Oid typid)
{
	char	   *name = format_type_extended(typid, -1,
											FORMAT_TYPE_FORCE_QUALIFY | FORMAT_TYPE_INVALID_AS_NULL);

	/* a type that is gone is named by its number, as regtype does */
	return name ? name : psprintf("%u", typid);
}

static char *
relation_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *nsp = name ? get_namespace_name(get_rel_namespace(relid)) : NULL;

	return nsp ? quote_qualified_identifier(nsp, name) : psprintf("%u", relid);
}

static void
out_string(OutContext *ctx, const char *str)
{
	escape_json(ctx->buf, str ? str : "");
}

static void
out_value(OutContext *ctx, CormTree *tree, bool string_is_field)
{
	CormValue  *value = &ctx->values[tree->valno];
	int16		typlen;
	bool		typbyval;
	Datum		datum;

	if (tree->typid == UNKNOWNOID)
	{
		char	   *str = TextDatumGetCString(corm_value_datum(value, -1, false));

		if (string_is_field)
			appendStringInfoString(ctx->buf, "{\"val\": ");
		out_string(ctx, str);
		if (string_is_field)
			appendStringInfoChar(ctx->buf, '}');
		return;
	}

	if (!get_typisdefined(tree->typid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u of a bound value does not exist", tree->typid)));
	get_typlenbyval(tree->typid, &typlen, &typbyval);
	datum = corm_value_datum(value, typlen, typbyval);

	if (tree->typid == INT4OID)
		appendStringInfo(ctx->buf, "%d", DatumGetInt32(datum));
	else if (tree->typid == BOOLOID)
		appendStringInfoString(ctx->buf, DatumGetBool(datum) ? "true" : "false");
	else
	{
		Oid			typoutput;
		bool		is_varlena;

		getTypeOutputInfo(tree->typid, &typoutput, &is_varlena);
		appendStringInfoString(ctx->buf, "{\"val\": ");
		out_string(ctx, OidOutputFunctionCall(typoutput, datum));
		appendStringInfoString(ctx->buf, ", \"type\": ");
		out_string(ctx, type_name(tree->typid));
		appendStringInfoChar(ctx->buf, '}');
	}
}

/*
 * An expression, where strings are field names or bound values.
 */
static void
out_expr(OutContext *ctx, CormTree *tree, bool string_is_field)
{
	if (tree->tag == CORM_N_VALUE)
		out_value(ctx, tree, string_is_field);
	else if (tree->tag == CORM_N_NULL && tree->args[0].oid == UNKNOWNOID)
		appendStringInfoString(ctx->buf, "null");
	else if (tree->tag == CORM_N_NULL)
	{
		appendStringInfoString(ctx->buf, "{\"val\": null, \"type\": ");
		out_string(ctx, type_name(tree->args[0].oid));
		appendStringInfoChar(ctx->buf, '}');
	}
	else if (tree->tag == CORM_N_COLUMN && string_is_field)
		out_string(ctx, tree->args[0].str);
	else
		out_node(ctx, tree);
}

static void
out_list(OutContext *ctx, char letter, List *list, bool first)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		if (!first)
			appendStringInfoString(ctx->buf, ", ");
		first = false;
		if (letter == 'N')
			out_string(ctx, lfirst(lc));
		else if (letter == 'Q')
			out_node(ctx, lfirst(lc));
		else
			out_expr(ctx, lfirst(lc), strchr("XOPS", letter) != NULL);
	}
}

static void
out_arg(OutContext *ctx, char letter, CormArg *arg)
{
	switch (letter)
	{
		case 'n':
		case 't':
			out_string(ctx, arg->str);
			break;
		case 'o':
			if (arg->str)
				out_string(ctx, arg->str);
			else
				appendStringInfoString(ctx->buf, "null");
			break;
		case 'r':
			out_string(ctx, relation_name(arg->oid));
			break;
		case 'y':
			out_string(ctx, type_name(arg->oid));
			break;
		case 'x':
			out_expr(ctx, arg->node, true);
			break;
		case 'v':
		case 'j':
		case 'e':
			out_expr(ctx, arg->node, false);
			break;
		case 'q':
			out_query(ctx, arg->list);
			break;
		case 'P':
		case 'S':
			appendStringInfoChar(ctx->buf, '[');
			out_list(ctx, letter, arg->list, true);
			appendStringInfoChar(ctx->buf, ']');
			break;
		default:
			elog(ERROR, "unrecognized argument letter \"%c\"", letter);
	}
}

static void
out_node(OutContext *ctx, CormTree *tree)
{
	const char *args = tree->desc->args;
	bool		bare = strlen(args) == 1 && strchr("XOVENQ", args[0]) == NULL;

	check_stack_depth();
	if (tree->tag == CORM_N_VALUE || tree->tag == CORM_N_NULL)
	{
		out_expr(ctx, tree, false);
		return;
	}

	appendStringInfoChar(ctx->buf, '{');
	out_string(ctx, tree->desc->name);
	appendStringInfoString(ctx->buf, ": ");
	if (!bare)
		appendStringInfoChar(ctx->buf, '[');
	for (int i = 0; args[i] != '\0'; i++)
	{
		if (strchr("XOVENQ", args[i]) != NULL)
			out_list(ctx, args[i], tree->args[i].list, i == 0);
		else
		{
			if (i > 0)
				appendStringInfoString(ctx->buf, ", ");
			out_arg(ctx, args[i], &tree->args[i]);
		}
	}
	if (!bare)
		appendStringInfoChar(ctx->buf, ']');
	appendStringInfoChar(ctx->buf, '}');
}

/*
 * corm_node_out appends the text form of a value to buf.  Raises
 * ERRCODE_DATA_CORRUPTED for a broken value, 42704 if the type of a bound
 * value is gone.
 */
void
corm_node_out(StringInfo buf, const CormNode *node)
{
	OutContext	ctx;
	int			nestlevel = corm_begin_portable_io(true);

	ctx.buf = buf;
	ctx.values = palloc(sizeof(CormValue) * Max(node->nvalues, 1));
	(void) corm_values_read(node, ctx.values, node->nvalues);

	if (node->kind == CORM_KIND_QUERY)
		out_query(&ctx, corm_tree_read_query(node, ctx.values, 0));
	else
		out_expr(&ctx, corm_tree_read_expr(node, ctx.values), false);

	AtEOXact_GUC(true, nestlevel);
}

/*
 * Input
 */

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

/* The elements of a JSON array. */
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

/* the clauses of a query, one after the other */
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
 * A nested query is preceded by its length, so it is written apart first.
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
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
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

/* {"val": text, "type": name}; the type may be missing */
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

/* a bare JSON number: int4, int8 or numeric, whichever holds it */
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
			in_expr(ctx, &elements[i], strchr("XOPS", letter) != NULL);
	}
}

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
			corm_write_text(ctx->w, v->val.string.val, v->val.string.len);
			break;
		case 'r':
			corm_write_oid(ctx->w, in_relation(ctx, v));
			break;
		case 'y':
			corm_write_oid(ctx->w, in_type(ctx, v));
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
	nfixed = nargs > 0 && strchr("XOVENQ", args[nargs - 1]) != NULL ? nargs - 1 : nargs;
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
 * corm_node_in reads the text form of a value of the given kind; the result
 * is allocated in the current context.  Raises 22P02 with a DETAIL for what
 * is not the form of docs/queries.md, and what the types of bound values
 * raise.
 */
CormNode *
corm_node_in(const char *str, char kind)
{
	Jsonb	   *json;
	CormWriter	w;
	InContext	ctx = {&w, kind == CORM_KIND_QUERY ? "corm.query" : "corm.expr"};
	int			nestlevel;

	json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(str)));
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

/*
 * SQL functions of the two types.  The binary form on the wire is the text
 * form: nothing in the backend trusts bytes of a client.
 */
#define CORM_TYPE_FUNCTIONS(name, kind) \
	PG_FUNCTION_INFO_V1(corm_##name##_in); \
	PG_FUNCTION_INFO_V1(corm_##name##_out); \
	PG_FUNCTION_INFO_V1(corm_##name##_recv); \
	PG_FUNCTION_INFO_V1(corm_##name##_send); \
	PG_FUNCTION_INFO_V1(corm_##name##_from_jsonb); \
	PG_FUNCTION_INFO_V1(corm_##name##_to_jsonb); \
	Datum corm_##name##_in(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_POINTER(corm_node_in(PG_GETARG_CSTRING(0), kind)); \
	} \
	Datum corm_##name##_out(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_CSTRING(node_cstring(PG_GETARG_DATUM(0), kind)); \
	} \
	Datum corm_##name##_recv(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_POINTER(node_recv((StringInfo) PG_GETARG_POINTER(0), kind)); \
	} \
	Datum corm_##name##_send(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_BYTEA_P(node_send(PG_GETARG_DATUM(0), kind)); \
	} \
	Datum corm_##name##_from_jsonb(PG_FUNCTION_ARGS) \
	{ \
		Jsonb	   *json = PG_GETARG_JSONB_P(0); \
		PG_RETURN_POINTER(corm_node_in(JsonbToCString(NULL, &json->root, VARSIZE(json)), kind)); \
	} \
	Datum corm_##name##_to_jsonb(PG_FUNCTION_ARGS) \
	{ \
		return DirectFunctionCall1(jsonb_in, CStringGetDatum(node_cstring(PG_GETARG_DATUM(0), kind))); \
	}

static char *
node_cstring(Datum value, char kind)
{
	StringInfoData buf;

	initStringInfo(&buf);
	corm_node_out(&buf, corm_node_check((CormNode *) PG_DETOAST_DATUM(value), kind));
	return buf.data;
}

static CormNode *
node_recv(StringInfo msg, char kind)
{
	int			len;
	char	   *str = pq_getmsgtext(msg, msg->len - msg->cursor, &len);

	return corm_node_in(str, kind);
}

static bytea *
node_send(Datum value, char kind)
{
	StringInfoData buf;
	char	   *str = node_cstring(value, kind);

	pq_begintypsend(&buf);
	pq_sendtext(&buf, str, strlen(str));
	return pq_endtypsend(&buf);
}

CORM_TYPE_FUNCTIONS(query, CORM_KIND_QUERY)
CORM_TYPE_FUNCTIONS(expr, CORM_KIND_EXPR)
