/*-------------------------------------------------------------------------
 *
 * calls.c
 *		Functions, aggregates, windows and CASE to SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/errors.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "query/query.h"
#include "query/sql/expr.h"
#include "query/value/frame.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* corm_deparse_direction appends the direction of an element of ORDER BY. */
void
corm_deparse_direction(CormDeparse *ctx, CormTree *tree)
{
	const char *nulls = tree->args[1].str;

	if (tree->tag == CORM_N_DESC)
		appendStringInfoString(ctx->buf, " DESC");
	if (nulls == NULL)
		return;
	if (pg_strcasecmp(nulls, "first") == 0)
		appendStringInfoString(ctx->buf, " NULLS FIRST");
	else if (pg_strcasecmp(nulls, "last") == 0)
		appendStringInfoString(ctx->buf, " NULLS LAST");
	else
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("unrecognized position of nulls \"%s\"", nulls),
				 errhint("It is \"first\" or \"last\".")));
}

/*
 * Appends the order of a window or an aggregate, where SQL knows no names of
 * select items.
 */
static void
deparse_order(CormDeparse *ctx, List *order)
{
	ListCell   *lc;

	foreach(lc, order)
	{
		CormTree   *item = lfirst(lc);
		bool		directed = item->tag == CORM_N_ASC || item->tag == CORM_N_DESC;

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, ", ");
		corm_deparse_expr(ctx, directed ? item->args[0].node : item);
		if (directed)
			corm_deparse_direction(ctx, item);
	}
}

/* Appends the order in the call of an aggregate, nothing if it is NIL. */
static void
deparse_call_order(CormDeparse *ctx, List *order)
{
	if (order == NIL)
		return;
	appendStringInfoString(ctx->buf, " ORDER BY ");
	deparse_order(ctx, order);
}

/* corm_deparse_filter_where appends the condition on the rows of an aggregate. */
void
corm_deparse_filter_where(CormDeparse *ctx, CormTree *condition)
{
	appendStringInfoString(ctx->buf, " FILTER (WHERE ");
	corm_deparse_expr(ctx, condition);
	appendStringInfoChar(ctx->buf, ')');
}

/* corm_deparse_args appends expressions with commas between them. */
void
corm_deparse_args(CormDeparse *ctx, List *args)
{
	ListCell   *lc;

	foreach(lc, args)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, ", ");
		corm_deparse_expr(ctx, lfirst(lc));
	}
}

/* corm_deparse_leaky_args appends arguments of what may do anything with them. */
void
corm_deparse_leaky_args(CormDeparse *ctx, List *args)
{
	bool		leaky = ctx->leaky;

	ctx->leaky = true;
	corm_deparse_args(ctx, args);
	ctx->leaky = leaky;
}

/*
 * corm_deparse_function appends a call of the function a user names: by the
 * schema if it is given, pg_catalog's if that has one of the name, else
 * whatever the search_path finds.
 */
void
corm_deparse_function(CormDeparse *ctx, CormTree *tree, List *order)
{
	List	   *names = corm_qualified_name_list(tree->args[0].str);
	ListCell   *lc;

	if (list_length(names) == 1)
	{
		char	   *name = strVal(linitial(names));
		CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
		bool		builtin = false;

		for (int i = 0; i < list->n_members && !builtin; i++)
			builtin = ((Form_pg_proc) GETSTRUCT(&list->members[i]->tuple))->pronamespace ==
				PG_CATALOG_NAMESPACE;
		ReleaseCatCacheList(list);
		if (builtin)
			appendStringInfoString(ctx->buf, "pg_catalog.");
		else
			ctx->uses_search_path = true;
	}
	foreach(lc, names)
	{
		appendStringInfo(ctx->buf, "%s%s", foreach_current_index(lc) > 0 ? "." : "",
						 quote_identifier(strVal(lfirst(lc))));
	}
	appendStringInfoChar(ctx->buf, '(');
	corm_deparse_leaky_args(ctx, tree->args[1].list);
	deparse_call_order(ctx, order);
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * corm_deparse_aggregate appends a call of an aggregate, over the rows in an
 * order unless that is NIL.
 */
void
corm_deparse_aggregate(CormDeparse *ctx, CormTree *tree, List *order)
{
	StringInfo	buf = ctx->buf;

	switch (tree->tag)
	{
		case CORM_N_COUNT:
			if (list_length(tree->args[0].list) > 1)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.count() counts one field or expression")));
			if (order && tree->args[0].list == NIL)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.count() of rows has no order")));
			appendStringInfoString(buf, "pg_catalog.count(");
			if (tree->args[0].list == NIL)
				appendStringInfoChar(buf, '*');
			corm_deparse_args(ctx, tree->args[0].list);
			break;
		case CORM_N_COUNT_DISTINCT:
			appendStringInfoString(buf, "pg_catalog.count(DISTINCT ");
			corm_deparse_expr(ctx, tree->args[0].node);
			break;
		case CORM_N_STRING_AGG:
			/* string_agg() knows text and bytea only */
			appendStringInfoString(buf, "pg_catalog.string_agg(CAST(");
			corm_deparse_expr(ctx, tree->args[0].node);
			appendStringInfoString(buf, " AS pg_catalog.text), ");
			corm_deparse_expr(ctx, tree->args[1].node);
			break;
		default:
			appendStringInfo(buf, "pg_catalog.%s(", tree->desc->name);
			corm_deparse_expr(ctx, tree->args[0].node);
			break;
	}
	deparse_call_order(ctx, order);
	appendStringInfoChar(buf, ')');
}

/*
 * corm_deparse_ordered_aggregate appends an aggregate over the rows in an
 * order.  Raises 42601 if it is no aggregate.
 */
void
corm_deparse_ordered_aggregate(CormDeparse *ctx, CormTree *tree, List *order)
{
	if (tree->tag == CORM_N_FN)
		corm_deparse_function(ctx, tree, order);
	else if (corm_tree_is(tree, CORM_IS_AGGREGATE))
		corm_deparse_aggregate(ctx, tree, order);
	else if (tree->tag == CORM_N_FILTER_WHERE)
	{
		corm_deparse_ordered_aggregate(ctx, tree->args[0].node, order);
		corm_deparse_filter_where(ctx, tree->args[1].node);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.agg_order() expects an aggregate"),
				 errhint("Write it around the aggregate: corm.agg_order(corm.array_agg('name'), '-age').")));
}

/*
 * corm_deparse_window appends the parts of a window that are given; frame is
 * SQL, or NULL.
 */
void
corm_deparse_window(CormDeparse *ctx, List *partition, List *order, const char *frame)
{
	StringInfo	buf = ctx->buf;
	const char *blank = "";

	appendStringInfoString(buf, " OVER (");
	if (partition)
	{
		appendStringInfoString(buf, "PARTITION BY ");
		corm_deparse_args(ctx, partition);
		blank = " ";
	}
	if (order)
	{
		appendStringInfo(buf, "%sORDER BY ", blank);
		deparse_order(ctx, order);
		blank = " ";
	}
	if (frame)
		appendStringInfo(buf, "%s%s", blank, frame);
	appendStringInfoChar(buf, ')');
}

/* corm_deparse_over_clauses appends a window function whose window is given by clauses. */
void
corm_deparse_over_clauses(CormDeparse *ctx, CormTree *tree)
{
	List	   *partition = NIL;
	List	   *order = NIL;
	const char *frame = NULL;
	ListCell   *lc;

	foreach(lc, tree->args[1].list)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_PARTITION_BY)
			partition = list_concat(partition, list_copy(clause->args[0].list));
		else if (clause->tag == CORM_N_ORDER_BY)
			order = list_concat(order, list_copy(clause->args[0].list));
		else
			frame = corm_frame_sql(clause->args[0].str);
	}
	corm_deparse_expr(ctx, tree->args[0].node);
	corm_deparse_window(ctx, partition, order, frame);
}

/*
 * corm_deparse_case appends CASE: pairs of condition and value, then perhaps what ELSE gives.
 */
void
corm_deparse_case(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	List	   *args = tree->args[0].list;
	int			n = list_length(args);

	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.case() needs a condition and a value")));
	appendStringInfoString(buf, "CASE");
	for (int i = 0; i + 1 < n; i += 2)
	{
		appendStringInfoString(buf, " WHEN ");
		corm_deparse_expr(ctx, list_nth(args, i));
		appendStringInfoString(buf, " THEN ");
		corm_deparse_expr(ctx, list_nth(args, i + 1));
	}
	if (n % 2 == 1)
	{
		appendStringInfoString(buf, " ELSE ");
		corm_deparse_expr(ctx, list_nth(args, n - 1));
	}
	appendStringInfoString(buf, " END");
}
