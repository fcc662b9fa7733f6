/*-------------------------------------------------------------------------
 *
 * text.c
 *		The text form of corm.query and corm.expr: JSON.
 *
 * A node is an object with one key, {"eq": ["age", 18]}.  Its arguments are in
 * the order of nodes.def, with the elements of a trailing list at the end.
 * A single argument that is not a list is written bare: {"limit": 10}.
 * A query is an array of clauses.  docs/queries.md has the grammar.
 *
 * A string is a field name where one is expected; elsewhere it is a bound
 * value of type unknown.  Integers that fit int4, booleans and null are
 * written as such.  Any other value is {"val": text, "type": name}.
 *
 * Output never fails because an object was dropped or changed: one bad column
 * value, DEFAULT or view must not break pg_dump.  A bound value whose type is
 * gone or has changed is written as {"broken": why}.  Input accepts that, but
 * using it is an error.  Any other reference to a dropped relation or type is
 * written as "-", as regclass and regtype do for InvalidOid.  Its OID would
 * mean something else in another database.
 *
 * This file has the output functions; text_in.c reads the form.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "query/value/node.h"
#include "query/value/text.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

/*
 * corm_begin_portable_io fixes the settings that affect input and output of
 * values, so that the text form means the same in every session.  (pg_dump
 * does the same.)  Output also schema-qualifies all names; input uses the
 * caller's search_path.  Returns a GUC nest level: the caller must restore the
 * settings with AtEOXact_GUC(true, result).  On error, (sub)transaction abort
 * does it.
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

	return name ? name : pstrdup("-");
}

static char *
relation_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *nsp = name ? get_namespace_name(get_rel_namespace(relid)) : NULL;

	return nsp ? quote_qualified_identifier(nsp, name) : pstrdup("-");
}

static void
out_string(OutContext *ctx, const char *str)
{
	escape_json(ctx->buf, str ? str : "");
}

/* Writes a BROKEN node in place of a value that cannot be written. */
static void
out_broken(OutContext *ctx, const char *why)
{
	appendStringInfo(ctx->buf, "{\"%s\": ", corm_node_desc(CORM_N_BROKEN)->name);
	out_string(ctx, why);
	appendStringInfoChar(ctx->buf, '}');
}

/*
 * Writes a bound value.  Where a string means a field name, an untyped value
 * is written as {"val": text}.  A value that its type can no longer read is
 * written as broken.  Errors of the type's output function are passed on.
 */
static void
out_value(OutContext *ctx, CormTree *tree, bool string_is_field)
{
	CormValue  *value = &ctx->values[tree->valno];
	const char *problem;
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

	problem = corm_value_problem(value);
	if (problem)
	{
		out_broken(ctx, problem);
		return;
	}
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
 * Writes an expression.  string_is_field: a string means a field name here,
 * not a bound value.
 */
static void
out_expr(OutContext *ctx, CormTree *tree, bool string_is_field)
{
	if (tree->tag == CORM_N_VALUE)
		out_value(ctx, tree, string_is_field);
	else if (tree->tag == CORM_N_NULL && tree->args[0].oid == UNKNOWNOID)
		appendStringInfoString(ctx->buf, "null");
	else if (tree->tag == CORM_N_NULL && !get_typisdefined(tree->args[0].oid))
		out_broken(ctx, "The type of the value does not exist any more.");
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

/*
 * Writes the elements of a list argument, separated by commas.  first is false
 * if other arguments precede the list.  The caller writes the brackets.
 */
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
			out_expr(ctx, lfirst(lc), corm_letter_desc(letter)->string_is_field);
	}
}

/*
 * Writes an argument that is not a trailing list.
 */
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
		case 'i':
			appendStringInfo(ctx->buf, "%u", arg->oid);
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

/*
 * Writes a node as a JSON object with one key, or a bound value or NULL in its
 * own form.
 */
static void
out_node(OutContext *ctx, CormTree *tree)
{
	const char *args = tree->desc->args;
	bool		bare = strlen(args) == 1 && !corm_letter_desc(args[0])->is_list;

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
		if (corm_letter_desc(args[i])->is_list)
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
 * Appends the text form of a value to buf.  Raises ERRCODE_DATA_CORRUPTED for
 * corrupt bytes.  Dropped or changed types and relations are not an error.
 */
static void
append_node(StringInfo buf, const CormNode *node)
{
	OutContext	ctx;
	List	   *trees;
	int			nestlevel = corm_begin_portable_io(true);

	ctx.buf = buf;
	ctx.values = palloc(sizeof(CormValue) * Max(node->nvalues, 1));
	(void) corm_values_read(node, ctx.values, node->nvalues);

	trees = corm_tree_show(node, ctx.values);
	if (node->kind == CORM_KIND_QUERY)
		out_query(&ctx, trees);
	else
		out_expr(&ctx, linitial(trees), false);

	AtEOXact_GUC(true, nestlevel);
}

/*
 * SQL functions of the two types.  recv and send use the text form, too: we do
 * not accept our internal format from a client.
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
	append_node(&buf, corm_node_check((CormNode *) PG_DETOAST_DATUM(value), kind));
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
