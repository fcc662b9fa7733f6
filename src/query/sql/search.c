/*-------------------------------------------------------------------------
 *
 * search.c
 *		Text search to SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "query/query.h"
#include "query/resolve/operators.h"
#include "query/sql/expr.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* how much of the words of a text search counts, in characters */
#define MAX_SEARCH_LENGTH	4000

/*
 * Appends the configuration of a text search and a comma; nothing if none is
 * given, which means the session's.
 */
static void
deparse_search_config(CormDeparse *ctx, const char *config)
{
	if (config == NULL)
		return;
	/* in a text form it may stand without its schema */
	if (strchr(config, '.') == NULL)
		ctx->uses_search_path = true;
	appendStringInfo(ctx->buf, "%s::pg_catalog.regconfig, ", quote_literal_cstr(config));
}

/*
 * Appends what a text search looks into, as a tsvector.  Raises 42804 for a type
 * that has no words, or if the type is not known.
 */
static void
deparse_search_vector(CormDeparse *ctx, CormTree *tree)
{
	CormTree   *x = tree->args[0].node;
	Oid			typid = corm_expr_type(x);
	bool		cast;

	if (!corm_is_searched(typid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 OidIsValid(typid) ?
				 errmsg("corm.%s() expects text, a tsvector or JSON, not a value of type %s", tree->desc->func,
						format_type_be(typid)) :
				 errmsg("corm.%s() cannot tell the type of its expression", tree->desc->func),
				 errhint("Write corm.cast() around it, with the type text or tsvector.")));
	typid = getBaseType(typid);
	if (typid == TSVECTOROID)
	{
		corm_deparse_operand(ctx, x);
		return;
	}
	appendStringInfoString(ctx->buf, "pg_catalog.to_tsvector(");
	deparse_search_config(ctx, tree->args[2].str);
	cast = typid != TEXTOID && typid != JSONOID && typid != JSONBOID;
	if (cast)
		appendStringInfoString(ctx->buf, "CAST(");
	corm_deparse_expr(ctx, x);
	if (cast)
		appendStringInfoString(ctx->buf, " AS pg_catalog.text)");
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * Appends the words of a text search, as a tsquery.  PostgreSQL needs stack for
 * each word, so that thousands of them would be an error: those are cut off.  A
 * subquery reads words that are a value once, not for each row: parsing many of
 * them takes longer than searching a row, and words without a lexeme are a notice.
 */
static void
deparse_search_words(CormDeparse *ctx, CormTree *tree)
{
	CormTree   *words = tree->args[1].node;
	bool		once = words->tag == CORM_N_VALUE;

	if (once)
		appendStringInfoString(ctx->buf, "(SELECT ");
	appendStringInfoString(ctx->buf, "pg_catalog.websearch_to_tsquery(");
	deparse_search_config(ctx, tree->args[2].str);
	corm_deparse_meets(ctx, tree->args[0].node);
	if (words->tag == CORM_N_NULL)
		appendStringInfoString(ctx->buf, "NULL::pg_catalog.text");
	else
	{
		appendStringInfoString(ctx->buf, "pg_catalog.left(");
		if (words->tag == CORM_N_VALUE)
			corm_deparse_param(ctx, words, words->typid == UNKNOWNOID ? TEXTOID : words->typid, CORM_PARAM_PLAIN);
		else
			corm_deparse_expr(ctx, words);
		appendStringInfo(ctx->buf, ", %d)", MAX_SEARCH_LENGTH);
	}
	corm_deparse_meets(ctx, NULL);
	appendStringInfoString(ctx->buf, once ? "))" : ")");
}

/* corm_matches_words tells whether a condition is text @@ text, with a value on its right. */
bool
corm_matches_words(CormTree *tree)
{
	CormTree   *value = tree->args[1].node;
	char		category;
	bool		preferred;
	Oid			typid = corm_expr_type(tree->args[0].node);

	if (tree->tag != CORM_N_MATCHES || value->tag != CORM_N_VALUE || !OidIsValid(typid) ||
		(value->typid != UNKNOWNOID && value->typid != TEXTOID && value->typid != VARCHAROID))
		return false;
	get_type_category_preferred(getBaseType(typid), &category, &preferred);
	return category == TYPCATEGORY_STRING;
}

/*
 * corm_deparse_matches_words appends text @@ text as what it means, with the
 * words read once instead of for each row, as deparse_search_words does.
 */
void
corm_deparse_matches_words(CormDeparse *ctx, CormTree *tree)
{
	corm_deparse_operand(ctx, tree->args[0].node);
	corm_deparse_operator(ctx, "@@", "@@", TEXTOID, TSQUERYOID);
	appendStringInfoString(ctx->buf, "(SELECT pg_catalog.plainto_tsquery(");
	corm_deparse_meets(ctx, tree->args[0].node);
	corm_deparse_param(ctx, tree->args[1].node, TEXTOID, CORM_PARAM_PLAIN);
	corm_deparse_meets(ctx, NULL);
	appendStringInfoString(ctx->buf, "))");
}

/*
 * corm_deparse_search appends search or search_rank, whose functions may tell
 * about what they see.
 */
void
corm_deparse_search(CormDeparse *ctx, CormTree *tree)
{
	bool		leaky = ctx->leaky;

	ctx->leaky = true;
	if (tree->tag == CORM_N_SEARCH_RANK)
		appendStringInfoString(ctx->buf, "pg_catalog.ts_rank(");
	deparse_search_vector(ctx, tree);
	if (tree->tag == CORM_N_SEARCH_RANK)
		appendStringInfoString(ctx->buf, ", ");
	else
		corm_deparse_operator(ctx, "@@", "@@", TSVECTOROID, TSQUERYOID);
	deparse_search_words(ctx, tree);
	if (tree->tag == CORM_N_SEARCH_RANK)
		appendStringInfoChar(ctx->buf, ')');
	ctx->leaky = leaky;
}
