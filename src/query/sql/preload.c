/*-------------------------------------------------------------------------
 *
 * preload.c
 *		Statements whose rows bring their relations along, and pages.
 *
 *		SELECT p.id, p.name, orders.v AS orders
 *		FROM (SELECT users.id, users.name, users.id AS "key 1"
 *			  FROM users WHERE ... ORDER BY ... LIMIT ...) AS p
 *		LEFT JOIN LATERAL (SELECT COALESCE(json_agg(r.*), '[]') AS v
 *						   FROM (SELECT ... FROM orders
 *								 WHERE orders.user_id = p."key 1"
 *								 ORDER BY ... LIMIT ...) AS r) AS orders ON true
 *
 * The parents are sorted and limited below the laterals, so that children are
 * fetched for one page only.  A lateral subquery with an aggregate or a LIMIT
 * can be joined by a nested loop alone, which keeps the parents' order; for
 * that a relation to one has LIMIT 1.
 *
 * The rows of a relation are json, which is text that the level above copies:
 * as jsonb they would be taken apart and put together again at each level.
 * Where jsonb is wanted the whole is converted, once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/exact_json.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/resolve/joins.h"
#include "query/resolve/keyset.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/sql/deparse.h"
#include "query/sql/expr.h"
#include "query/sql/find.h"
#include "query/sql/items.h"
#include "query/value/raw.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static bool
is_json_type(Oid typid)
{
	return typid == JSONBOID || typid == JSONOID;
}

static void
append_limit_one(CormDeparse *ctx, CormPreload *preload)
{
	if (!preload->to_many && preload->query->limit == NULL)
		appendStringInfoString(ctx->buf, " LIMIT 1");
}

/*
 * The rows of a relation as JSON: an array, or an object or NULL.
 */
static void
deparse_json_rows(CormDeparse *ctx, CormPreload *preload)
{
	StringInfo	buf = ctx->buf;
	bool		exact = corm_json_is_exact();
	List	   *items;

	corm_find_in_json(ctx, preload->query);
	items = corm_items_json(preload->query, false);
	if (items == NIL)
		appendStringInfoString(buf, preload->to_many ?
							   "SELECT COALESCE(pg_catalog.json_agg('{}'::pg_catalog.json), '[]') AS v FROM (" :
							   "SELECT '{}'::pg_catalog.json AS v FROM (");
	else if (preload->to_many)
		appendStringInfo(buf, "SELECT COALESCE(pg_catalog.json_agg(%s%s.*%s), '[]') AS v FROM (",
						 exact ? "corm.exact_json(" : "", CORM_ROWS_ALIAS, exact ? ")" : "");
	else
		appendStringInfo(buf, "SELECT %s(%s.*) AS v FROM (", exact ? "corm.exact_json" : "pg_catalog.row_to_json",
						 CORM_ROWS_ALIAS);
	corm_deparse_select(ctx, preload->query, items);
	append_limit_one(ctx, preload);
	appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
}

/*
 * The same as values of a row type: an array of it, or one of it or NULL.
 */
static void
deparse_typed_rows(CormDeparse *ctx, CormPreload *preload, Oid row_type)
{
	StringInfo	buf = ctx->buf;
	TupleDesc	tupdesc = lookup_rowtype_tupdesc_copy(row_type, -1);
	CormDeparseRequest request = {.output = CORM_OUTPUT_ROWS, .typid = row_type, .tupdesc = tupdesc};
	List	   *items = corm_items_row(preload->query, &request);
	CormModel  *find = corm_find_hook(row_type);
	char	   *row = corm_row_of_columns(row_type, list_length(items));
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *column = lfirst(lc);

		column->name = psprintf("c%d", foreach_current_index(lc) + 1);
		column->quiet = false;
	}
	appendStringInfoString(buf, preload->to_many ? "SELECT COALESCE(pg_catalog.array_agg(" : "SELECT ");
	if (find)
		corm_deparse_find_call(ctx, find, row);
	else
		appendStringInfoString(buf, row);
	appendStringInfo(buf, preload->to_many ? "), '{}') AS v FROM (" : " AS v FROM (");
	corm_deparse_select(ctx, preload->query, items);
	append_limit_one(ctx, preload);
	appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
}

/*
 * Appends the lateral subquery of a preload, whose rows fill an attribute of
 * the type; InvalidOid: a key of JSON.  42804 for a type that cannot hold
 * them.
 */
static void
deparse_preload(CormDeparse *ctx, CormPreload *preload, Oid typid)
{
	Oid			row_type = preload->to_many ? get_element_type(typid) : typid;

	check_stack_depth();
	ctx->depth++;
	if (!OidIsValid(typid) || is_json_type(typid))
		deparse_json_rows(ctx, preload);
	else if (OidIsValid(row_type) && get_typtype(row_type) == TYPTYPE_COMPOSITE && row_type != RECORDOID)
		deparse_typed_rows(ctx, preload, row_type);
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("relation \"%s\" cannot be preloaded into an attribute of type %s",
						preload->name, format_type_be(typid)),
				 errhint("The attribute must be of type jsonb or %s.",
						 preload->to_many ? "an array of a row type" : "a row type")));
	ctx->depth--;
}

#define ROW_NUMBER "row number"

/*
 * Is that a name that we give in the page of parents?
 */
static bool
is_own_name(const char *name)
{
	return strncmp(name, "key ", 4) == 0 || strncmp(name, "cursor ", 7) == 0 ||
		strncmp(name, "column ", 7) == 0 || strcmp(name, ROW_NUMBER) == 0;
}

/*
 * The items of the subquery of parents: those that are columns, under names
 * that differ from each other and from ours, and the keys that preloads join
 * by.
 */
static List *
parent_items(CormStmt *stmt, List *items)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);
		CormItem   *copy;
		ListCell   *other;
		bool		rename = is_own_name(item->name);

		if (item->preload)
			continue;
		copy = palloc(sizeof(CormItem));
		*copy = *item;
		copy->quiet = false;
		foreach(other, result)
		{
			rename |= strcmp(((CormItem *) lfirst(other))->name, copy->name) == 0;
		}
		if (rename)
			copy->name = psprintf("column %d", list_length(result) + 1);
		result = lappend(result, copy);
	}
	foreach(lc, stmt->parent_keys)
	{
		CormTree   *column = corm_make_column(stmt->source, lfirst(lc));
		CormItem   *item = palloc0(sizeof(CormItem));

		item->name = corm_parent_key_name(foreach_current_index(lc));
		item->is_key = true;
		item->range = stmt->source;
		item->field = column->field;
		item->column = column->output;
		result = lappend(result, item);
	}
	return result;
}

/*
 * The select list over the subquery of parents.
 */
static void
deparse_outer_items(CormDeparse *ctx, CormStmt *stmt, List *items, List *inner, bool named)
{
	StringInfo	buf = ctx->buf;
	const char *parents = quote_identifier(stmt->parents->alias);
	int			n = 0;
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		if (item->preload)
		{
			bool		cast = item->cast == JSONBOID;

			appendStringInfo(buf, "%s%s.v%s", cast ? "CAST(" : "",
							 quote_identifier(item->preload->alias), cast ? " AS pg_catalog.jsonb)" : "");
			if (named)
				appendStringInfo(buf, " AS %s", quote_identifier(item->name));
		}
		else
		{
			CormItem   *column = list_nth(inner, n++);

			appendStringInfo(buf, "%s.%s", parents, quote_identifier(column->name));
			if (named && strcmp(column->name, item->name) != 0)
				appendStringInfo(buf, " AS %s", quote_identifier(item->name));
		}
	}
}

static bool
is_named(List *items)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		if (!((CormItem *) lfirst(lc))->quiet)
			return true;
	}
	return false;
}

/*
 * Whether rows that are turned back are locked, too: SQL has no window
 * functions and locks in one query.
 */
static bool
is_numbered_around(CormStmt *stmt)
{
	return stmt->reversed && stmt->lock != CORM_N_INVALID;
}

/*
 * FROM the parents' page, with the preloads joined.
 */
static void
deparse_parents(CormDeparse *ctx, CormStmt *stmt, List *items, List *inner)
{
	StringInfo	buf = ctx->buf;
	ListCell   *lc;

	appendStringInfoString(buf, " FROM (");

	/*
	 * rows that are locked are numbered around the query, in the order they
	 * come in
	 */
	if (is_numbered_around(stmt))
		appendStringInfo(buf, "SELECT %s.*, pg_catalog.row_number() OVER () AS %s FROM (",
						 quote_identifier(stmt->parents->alias), quote_identifier(ROW_NUMBER));
	if (stmt->found)
		corm_deparse_found_select(ctx, stmt, inner);
	else
		corm_deparse_plain_select(ctx, stmt, inner);
	if (is_numbered_around(stmt))
		appendStringInfo(buf, ") AS %s", quote_identifier(stmt->parents->alias));
	appendStringInfo(buf, ") AS %s", quote_identifier(stmt->parents->alias));
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (item->preload == NULL)
			continue;
		appendStringInfoString(buf, " LEFT JOIN LATERAL (");
		deparse_preload(ctx, item->preload, item->cast);
		appendStringInfo(buf, ") AS %s ON true", quote_identifier(item->preload->alias));
	}
	if (stmt->reversed)
		appendStringInfo(buf, " ORDER BY %s.%s DESC", quote_identifier(stmt->parents->alias),
						 quote_identifier(ROW_NUMBER));
}

/*
 * A window over the reversed order numbers the rows, to turn them back.
 */
static CormItem *
row_number_item(CormStmt *stmt)
{
	CormItem   *item = palloc0(sizeof(CormItem));
	CormTree   *number = corm_make_tree(CORM_N_FN);
	CormTree   *over = corm_make_tree(CORM_N_OVER);

	number->args[0].str = "pg_catalog.row_number";
	over->args[0].node = number;
	over->args[2].list = stmt->order_by;
	item->name = ROW_NUMBER;
	item->tree = over;
	return item;
}

/*
 * corm_deparse_nested_select appends a statement with preloads, or one whose
 * rows are read backwards.
 */
void
corm_deparse_nested_select(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	List	   *inner = parent_items(stmt, items);

	(void) corm_parents_range(stmt);
	if (stmt->reversed && !is_numbered_around(stmt))
		inner = lappend(inner, row_number_item(stmt));
	appendStringInfoString(ctx->buf, "SELECT ");
	deparse_outer_items(ctx, stmt, items, inner, is_named(items));
	deparse_parents(ctx, stmt, items, inner);
}

/*
 * The text of an expression of the order that reads back as the same value,
 * whatever the settings of the session are.
 */
static void
deparse_cursor_value(CormDeparse *ctx, const char *column, Oid typid)
{
	switch (OidIsValid(typid) ? getBaseType(typid) : InvalidOid)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case UUIDOID:
			/* no setting changes how these print */
			appendStringInfo(ctx->buf, "CAST(%s AS pg_catalog.text)", column);
			break;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			/* in JSON they are ISO dates */
			appendStringInfo(ctx->buf, "pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(%s), VARIADIC '{}')", column);
			break;
		default:
			appendStringInfo(ctx->buf, "corm.cursor_text(%s)", column);
	}
}

/*
 * Returns the names by which raw SQL in a statement may mean hidden fields: theirs, and
 * those of rows that have some.
 */
static List *
hidden_names(CormStmt *stmt)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);
		List	   *before = names;

		for (int i = 0; range->model && i < range->model->nfields; i++)
			if (range->model->fields[i].hidden)
				names = lappend(names, range->model->fields[i].column);
		if (names != before)
			names = lappend(names, range->alias);
	}
	return names;
}

/* Returns whether raw SQL in an expression may mean one of the names in context. */
static bool
raw_names_walker(CormTree *tree, void *context)
{
	if (tree->tag == CORM_N_RAW && corm_raw_names(tree->args[0].str, context))
		return true;
	return corm_tree_walker(tree, raw_names_walker, context);
}

/*
 * Raises 42501 if an expression of a page's order shows a hidden field, or may do so in raw
 * SQL: the cursors hold the values of the order.
 */
static void
check_cursor_key(CormStmt *stmt, CormTree *expr)
{
	List	   *names = hidden_names(stmt);

	if (!corm_tree_is_hidden(expr) && (names == NIL || !raw_names_walker(expr, names)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a page of model \"%s\" cannot be ordered by a hidden field", stmt->source->model->name),
			 errdetail("Its cursors would show the values."),
			 errhint("Order it by other fields. The primary key is always part of the order.")));
}

/*
 * Appends what stands around a page whose total is wanted, up to the page.  The
 * one row of the total comes first, so that it is there without a row, and the
 * page is joined to it in its order.
 */
static void
deparse_total(CormDeparse *ctx, CormStmt *stmt)
{
	appendStringInfoString(ctx->buf, "SELECT page.v, page.keys, total.n FROM (");
	corm_deparse_row_count(ctx, stmt, stmt->cursor ? stmt->uncursored : stmt->where);
	appendStringInfoString(ctx->buf, ") AS total LEFT JOIN (");
}

/*
 * corm_deparse_page appends a statement of two columns: each row as a JSON
 * object, and the values of the order's expressions as text[].  With a total
 * there is a third, the same in all rows; if the page has no rows, there is one
 * whose other columns are NULL.
 */
void
corm_deparse_page(CormDeparse *ctx, CormStmt *stmt)
{
	StringInfo	buf = ctx->buf;
	List	   *items = corm_items_json(stmt, false);
	List	   *inner = parent_items(stmt, items);
	List	   *keys = NIL;
	ListCell   *lc;

	corm_find_in_json(ctx, stmt);
	(void) corm_parents_range(stmt);
	foreach(lc, stmt->order_by)
	{
		CormTree   *expr = lfirst(lc);
		CormItem   *item = palloc0(sizeof(CormItem));

		if (expr->tag == CORM_N_ASC || expr->tag == CORM_N_DESC)
			expr = expr->args[0].node;
		item->name = psprintf("cursor %d", foreach_current_index(lc) + 1);
		item->tree = expr->aliased ? expr->aliased : expr;
		if (item->tree->tag == CORM_N_AS)
			item->tree = item->tree->args[0].node;
		check_cursor_key(stmt, item->tree);
		item->is_key = true;
		inner = lappend(inner, item);
		keys = lappend(keys, item);
	}
	if (stmt->reversed && !is_numbered_around(stmt))
		inner = lappend(inner, row_number_item(stmt));

	if (stmt->with_total)
		deparse_total(ctx, stmt);
	appendStringInfo(buf, "SELECT (SELECT %s(%s.*)%s FROM (SELECT ",
					 corm_json_is_exact() ? "corm.exact_json" : "pg_catalog.to_jsonb", CORM_ROWS_ALIAS,
					 corm_json_is_exact() ? "::pg_catalog.jsonb" : "");
	deparse_outer_items(ctx, stmt, items, inner, true);
	appendStringInfo(buf, ") AS %s) AS v, ARRAY[", CORM_ROWS_ALIAS);
	foreach(lc, keys)
	{
		CormItem   *item = lfirst(lc);

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		deparse_cursor_value(ctx, psprintf("%s.%s", quote_identifier(stmt->parents->alias),
										   quote_identifier(item->name)),
							 corm_expr_type(item->tree));
	}
	foreach(lc, corm_order_constants(stmt))
	{
		appendStringInfoString(buf, ", ");
		corm_deparse_expr(ctx, lfirst(lc));
	}
	appendStringInfoString(buf, "] AS keys");
	deparse_parents(ctx, stmt, items, inner);
	if (stmt->with_total)
		appendStringInfoString(buf, ") AS page ON true");
}
