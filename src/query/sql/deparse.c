/*-------------------------------------------------------------------------
 *
 * deparse.c
 *		From a resolved statement to SQL.
 *
 * We assume that names are resolved and clauses fit the command (resolve.c),
 * and leave types to PostgreSQL: what does not fit is its error, with its
 * SQLSTATE.
 *
 * Nothing a user gives becomes SQL text but through corm.raw(): identifiers
 * are quoted and qualified with their schema, values are parameters.
 *
 * The text must not depend on the search_path either.  Functions are called
 * as pg_catalog.f().  Operators are written bare only if pg_catalog comes
 * first in the path and has the operator for exactly these types; else as
 * OPERATOR(schema.op), with the schema of the type's own operator, so that
 * citext stays citext.
 *
 * A bound value is a parameter, the same one wherever its expression is
 * written; they are numbered in the order of writing.  This file writes statements that read and what is
 * put around a statement; items.c output columns, write.c statements that
 * write, expr.c expressions.
 *
 *-------------------------------------------------------------------------
 */
#include "base/exact_json.h"
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "query/query.h"
#include "query/resolve/conflict.h"
#include "query/resolve/joins.h"
#include "query/resolve/keyset.h"
#include "query/sql/deparse.h"
#include "query/sql/expr.h"
#include "query/sql/find.h"
#include "query/sql/items.h"
#include "query/value/cursor.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void deparse_list(CormDeparse *ctx, const char *keyword, List *list);
static void deparse_subquery(CormDeparse *ctx, CormStmt *stmt);

/* how many EXISTS in each other may be planned twice */
#define MAX_EXISTS_PLANNED_TWICE	2

static void
append_table(StringInfo buf, CormModel *model)
{
	appendStringInfoString(buf, quote_qualified_identifier(model->table_schema, model->table_name));
}

/*
 * corm_deparse_relation appends the qualified name of a model's table, which
 * the statement reads or writes there.
 */
void
corm_deparse_relation(CormDeparse *ctx, CormModel *model)
{
	append_table(ctx->buf, model);
	ctx->tables = lappend_oid(ctx->tables, model->table);
}

/*
 * Whether a query reads rows that a guard keeps away from its result.
 */
static bool
reads_guarded(const CormStmt *stmt)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, stmt->ranges)
	{
		if (((CormRange *) lfirst(lc))->barrier)
			return true;
	}
	foreach(lc, stmt->setops)
	{
		if (reads_guarded(((CormSetOp *) lfirst(lc))->query))
			return true;
	}
	return false;
}

/*
 * Appends a query whose rows are those of a range.  If a guard holds in it, the
 * planner must not move conditions from outside into it: they would see rows
 * that the guard keeps away.
 */
static void
deparse_definition(CormDeparse *ctx, CormStmt *stmt)
{
	bool		fenced = stmt->command == CORM_CMD_SELECT && reads_guarded(stmt);
	bool		leaky = ctx->leaky;

	if (fenced)
		appendStringInfoString(ctx->buf, "SELECT * FROM (");
	/* what becomes of columns of queries around is not known here */
	ctx->leaky = ctx->around_condition;
	deparse_subquery(ctx, stmt);
	ctx->leaky = leaky;
	if (fenced)
		appendStringInfoString(ctx->buf, ") AS guarded OFFSET 0");
}

/*
 * corm_deparse_range appends a range as FROM has it, with its alias.
 */
void
corm_deparse_range(CormDeparse *ctx, CormRange *range)
{
	StringInfo	buf = ctx->buf;

	if (range->guards || range->first_of)
	{
		appendStringInfo(buf, "%s(SELECT %s* FROM ", range->first_of ? "LATERAL " : "",
						 range->ordered_by_system ? "tableoid, ctid, " : "");
		corm_deparse_relation(ctx, range->model);
		appendStringInfo(buf, " AS %s", quote_identifier(range->alias));
		corm_deparse_conditions(ctx, " WHERE ", list_concat_copy(range->first_of, range->guards));
		if (range->first_of)
		{
			deparse_list(ctx, " ORDER BY ", corm_key_columns(range));
			appendStringInfoString(buf, " LIMIT 1");
		}
		appendStringInfoChar(buf, ')');
	}
	else if (range->model && range->query == NULL)
	{
		corm_deparse_relation(ctx, range->model);
		if (strcmp(range->alias, range->model->table_name) == 0)
			return;
	}
	else if (range->rows)
	{
		appendStringInfoString(buf, "pg_catalog.unnest(");
		corm_deparse_expr(ctx, range->rows);
		appendStringInfoChar(buf, ')');
		if (range->columns)
		{
			ListCell   *lc;

			appendStringInfo(buf, " WITH ORDINALITY AS %s", quote_identifier(range->alias));
			foreach(lc, range->columns)
			{
				appendStringInfo(buf, "%s%s", foreach_current_index(lc) == 0 ? "(" : ", ",
								 quote_identifier(lfirst(lc)));
			}
			appendStringInfoChar(buf, ')');
			return;
		}
	}
	else if (range->cte)
	{
		appendStringInfoString(buf, quote_identifier(range->cte));
		if (strcmp(range->alias, range->cte) == 0)
			return;
	}
	else
	{
		appendStringInfoChar(buf, '(');
		deparse_definition(ctx, range->query);
		appendStringInfoChar(buf, ')');
	}
	appendStringInfo(buf, " AS %s", quote_identifier(range->alias));
}

/*
 * Clauses
 */

/*
 * Appends the definition of a recursive WITH query.  The planner moves no
 * conditions into one, so that there is no need of a fence.
 */
static void
deparse_recursive(CormDeparse *ctx, CormCte *cte)
{
	bool		leaky = ctx->leaky;

	ctx->leaky = ctx->around_condition;
	appendStringInfoChar(ctx->buf, '(');
	deparse_subquery(ctx, cte->query);
	appendStringInfoString(ctx->buf, cte->all ? ") UNION ALL (" : ") UNION (");
	deparse_subquery(ctx, cte->step);
	appendStringInfoChar(ctx->buf, ')');
	ctx->leaky = leaky;
}

/*
 * corm_deparse_ctes appends a statement's WITH.
 */
void
corm_deparse_ctes(CormDeparse *ctx, CormStmt *stmt)
{
	ListCell   *lc;

	bool		recursive = false;

	foreach(lc, stmt->ctes)
	{
		recursive |= ((CormCte *) lfirst(lc))->step != NULL;
	}
	foreach(lc, stmt->ctes)
	{
		CormCte    *cte = lfirst(lc);

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, ", ");
		else
			appendStringInfoString(ctx->buf, recursive ? "WITH RECURSIVE " : "WITH ");
		appendStringInfo(ctx->buf, "%s AS (", quote_identifier(cte->name));
		if (cte->step)
			deparse_recursive(ctx, cte);
		else
			deparse_definition(ctx, cte->query);
		appendStringInfoChar(ctx->buf, ')');
	}
	if (stmt->ctes)
		appendStringInfoChar(ctx->buf, ' ');
}

static void
deparse_list(CormDeparse *ctx, const char *keyword, List *list)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		appendStringInfoString(ctx->buf, foreach_current_index(lc) == 0 ? keyword : ", ");
		corm_deparse_output_expr(ctx, lfirst(lc));
	}
}

/*
 * corm_deparse_conditions appends WHERE or HAVING, nothing if there are none.
 */
void
corm_deparse_conditions(CormDeparse *ctx, const char *keyword, List *conditions)
{
	if (conditions == NIL)
		return;
	appendStringInfoString(ctx->buf, keyword);
	/* what HAVING sees satisfies WHERE */
	ctx->in_condition = strcmp(keyword, " HAVING ") != 0;
	ctx->pullable = ctx->in_condition;
	corm_deparse_and(ctx, conditions);
	ctx->in_condition = false;
	ctx->pullable = false;
}

/* Appends FROM with the source and the joins. */
static void
deparse_from(CormDeparse *ctx, CormStmt *stmt)
{
	ListCell   *lc;

	appendStringInfoString(ctx->buf, " FROM ");
	corm_deparse_range(ctx, stmt->source);
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);

		switch (join->tag)
		{
			case CORM_N_LEFT_JOIN_MODEL:
				appendStringInfoString(ctx->buf, " LEFT JOIN ");
				break;
			case CORM_N_RIGHT_JOIN_MODEL:
				appendStringInfoString(ctx->buf, " RIGHT JOIN ");
				break;
			case CORM_N_FULL_JOIN_MODEL:
				appendStringInfoString(ctx->buf, " FULL JOIN ");
				break;
			case CORM_N_CROSS_JOIN:
				appendStringInfoString(ctx->buf, " CROSS JOIN ");
				break;
			default:
				appendStringInfoString(ctx->buf, " JOIN ");
				break;
		}
		if (join->inner)
		{
			appendStringInfoChar(ctx->buf, '(');
			corm_deparse_range(ctx, join->range);
			appendStringInfoString(ctx->buf, " JOIN ");
			corm_deparse_range(ctx, join->inner->range);
			appendStringInfoString(ctx->buf, " ON ");
			corm_deparse_expr(ctx, join->inner->condition);
			appendStringInfoChar(ctx->buf, ')');
		}
		else
			corm_deparse_range(ctx, join->range);
		if (join->condition)
		{
			appendStringInfoString(ctx->buf, " ON ");
			ctx->in_condition = true;
			corm_deparse_expr(ctx, join->condition);
			ctx->in_condition = false;
		}
	}
}

/*
 * A query by its primary key alone has one row at most: LIMIT would only
 * cost.
 */
static bool
finds_one_row(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;

	if (model == NULL || model->npk == 0 || stmt->joins || stmt->setops || stmt->group_by)
		return false;
	for (int i = 0; i < model->npk; i++)
	{
		bool		found = false;
		ListCell   *lc;

		foreach(lc, stmt->where)
		{
			CormTree   *cond = lfirst(lc);
			CormTree   *left;

			if (cond->tag != CORM_N_EQ || cond->args[1].node->tag != CORM_N_VALUE)
				continue;
			left = cond->args[0].node;
			if (left->tag == CORM_N_COLUMN && left->field == &model->fields[model->pk[i]])
				found = true;
		}
		if (!found)
			return false;
	}
	return true;
}

/* Orders by the primary key, if the output allows it. */
static void
deparse_key_order(CormDeparse *ctx, CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;

	if (model == NULL || model->npk == 0 || stmt->group_by || stmt->distinct_on)
		return;
	if (stmt->distinct || stmt->setops)
	{
		/* only what is in the output */
		if (stmt->select)
			return;
		for (int i = 0; i < model->npk; i++)
			if (model->pk[i] >= model->nfields)
				return;
	}
	for (int i = 0; i < model->npk; i++)
	{
		appendStringInfoString(ctx->buf, i == 0 ? " ORDER BY " : ", ");

		/*
		 * of a union only the output can be ordered by: all fields, in their
		 * order
		 */
		if (stmt->setops)
			appendStringInfo(ctx->buf, "%d", model->pk[i] + 1);
		else
			corm_deparse_column(ctx, stmt->source, &model->fields[model->pk[i]], NULL);
	}
}

/*
 * Appends the clauses up to HAVING, those that each part of a set operation
 * has.
 */
static void
deparse_select_body(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;

	appendStringInfoString(buf, "SELECT ");
	if (stmt->distinct_on)
	{
		deparse_list(ctx, "DISTINCT ON (", stmt->distinct_on);
		appendStringInfoString(buf, ") ");
	}
	else if (stmt->distinct)
		appendStringInfoString(buf, "DISTINCT ");
	if (items)
		corm_deparse_items(ctx, items);
	else
		appendStringInfoString(buf, "1");
	deparse_from(ctx, stmt);
	corm_deparse_conditions(ctx, " WHERE ", stmt->where);
	deparse_list(ctx, " GROUP BY ", stmt->group_by);
	corm_deparse_conditions(ctx, " HAVING ", stmt->having);
}

static void add_ranges(List **ranges, CormStmt *stmt);

/* Adds the ranges of the subqueries in an expression to the list in context. */
static bool
ranges_walker(CormTree *tree, void *context)
{
	check_stack_depth();
	if (tree->query)
	{
		add_ranges(context, tree->query);
		return false;
	}
	return corm_tree_walker(tree, ranges_walker, context);
}

/* Adds the ranges of a statement, and of the subqueries in it, to a list. */
static void
add_ranges(List **ranges, CormStmt *stmt)
{
	List	   *parts[] = {stmt->select, stmt->distinct_on, stmt->where, stmt->group_by, stmt->having, stmt->order_by};
	ListCell   *lc;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		*ranges = list_append_unique_ptr(*ranges, range);
		if (range->query)
			add_ranges(ranges, range->query);
		(void) corm_trees_walker(range->guards, ranges_walker, ranges);
		(void) corm_trees_walker(range->first_of, ranges_walker, ranges);
	}
	foreach(lc, stmt->ctes)
	{
		CormCte    *cte = lfirst(lc);

		add_ranges(ranges, cte->query);
		if (cte->step)
			add_ranges(ranges, cte->step);
	}
	foreach(lc, stmt->setops)
	{
		add_ranges(ranges, ((CormSetOp *) lfirst(lc))->query);
	}
	foreach(lc, stmt->joins)
	{
		for (CormJoin *join = lfirst(lc); join; join = join->inner)
			if (join->condition)
				(void) ranges_walker(join->condition, ranges);
	}
	for (int i = 0; i < lengthof(parts); i++)
		(void) corm_trees_walker(parts[i], ranges_walker, ranges);
}

/*
 * Returns a fingerprint of a statement's completed order: it depends on names
 * and directions only, so it is the same in every session.  Tables are called
 * by their names or paths, not by the aliases they have in this statement,
 * which depend on its other clauses.
 */
static char *
order_hash(CormStmt *stmt, List *order)
{
	StringInfoData buf;
	CormDeparse ctx = {.buf = &buf, .stmt = stmt, .path_is_safe = false};
	List	   *ranges = list_copy(stmt->ranges);
	List	   *aliases = NIL;
	ListCell   *lc;

	initStringInfo(&buf);
	append_table(&buf, stmt->source->model);
	(void) corm_trees_walker(order, ranges_walker, &ranges);
	foreach(lc, ranges)
	{
		CormRange  *range = lfirst(lc);

		aliases = lappend(aliases, range->alias);
		range->alias = range == stmt->source ? "" : range->name;
	}
	foreach(lc, order)
	{
		bool		desc;
		bool		nulls_first;
		CormTree   *expr = corm_order_item(lfirst(lc), &desc, &nulls_first);

		appendStringInfoChar(&buf, '\n');
		corm_deparse_expr(&ctx, expr);
		appendStringInfo(&buf, " %d %d", desc, nulls_first);
	}
	foreach(lc, ranges)
	{
		((CormRange *) lfirst(lc))->alias = list_nth(aliases, foreach_current_index(lc));
	}
	return psprintf("%016llx", (unsigned long long)
					hash_bytes_extended((unsigned char *) buf.data, buf.len, 0));
}

/*
 * Raises OR004 if the cursor of a statement is of another order.
 */
static void
check_cursor(CormStmt *stmt)
{
	if (stmt->cursor && strcmp(stmt->cursor->args[0].str, order_hash(stmt, stmt->cursor_order)) != 0)
		corm_other_order();
}

/*
 * corm_deparse_plain_select appends a SELECT of columns: preloads and turning
 * rows back are around it.
 */
void
corm_deparse_plain_select(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;
	CormStmt   *outer = ctx->stmt;
	List	   *output;
	bool		in_condition = ctx->in_condition;
	bool		around_condition = ctx->around_condition;
	bool		leaky = ctx->leaky;
	bool		pullable = ctx->pullable;
	ListCell   *lc;

	check_cursor(stmt);
	ctx->stmt = stmt;
	/* what the subquery of a condition returns may be of rows around it */
	ctx->around_condition = around_condition || in_condition;
	ctx->leaky = leaky && ctx->around_condition;
	ctx->in_condition = false;
	ctx->pullable = false;
	corm_deparse_ctes(ctx, stmt);

	/* set operations apply one after the other, whatever SQL's precedence */
	for (int i = 1; i < list_length(stmt->setops); i++)
		appendStringInfoChar(buf, '(');
	deparse_select_body(ctx, stmt, items);
	foreach(lc, stmt->setops)
	{
		CormSetOp  *setop = lfirst(lc);

		if (foreach_current_index(lc) > 0)
			appendStringInfoChar(buf, ')');
		appendStringInfoString(buf,
							   setop->tag == CORM_N_UNION ? " UNION (" :
							   setop->tag == CORM_N_UNION_ALL ? " UNION ALL (" :
							   setop->tag == CORM_N_INTERSECT ? " INTERSECT (" : " EXCEPT (");
		deparse_subquery(ctx, setop->query);
		appendStringInfoChar(buf, ')');
	}
	output = ctx->output;
	ctx->output = stmt->setops ? items : NIL;
	deparse_list(ctx, " ORDER BY ", stmt->order_by);
	ctx->output = output;
	if (ctx->order_by_key && stmt->parent == NULL && ctx->depth == 0 && stmt->order_by == NIL)
		deparse_key_order(ctx, stmt);
	if (stmt->limit)
	{
		bool		page = ctx->page && ctx->depth == 0 && stmt->limit->tag != CORM_N_NULL;

		appendStringInfoString(buf, page ? " LIMIT LEAST(" : " LIMIT ");
		corm_deparse_expr(ctx, stmt->limit);
		/* one row more, if it can be, tells whether there is another page */
		if (page)
		{
			appendStringInfo(buf, ", '" INT64_FORMAT "'::bigint)", PG_INT64_MAX - 1);
			corm_deparse_operator(ctx, "+", "+", INT8OID, INT8OID);
			appendStringInfoString(buf, "'1'::bigint");
		}
	}
	else if (ctx->limit > 0 && ctx->depth == 0 && !finds_one_row(stmt))
		appendStringInfo(buf, " LIMIT %d", ctx->limit);
	if (stmt->offset)
	{
		appendStringInfoString(buf, " OFFSET ");
		corm_deparse_expr(ctx, stmt->offset);
	}
	if (stmt->lock != CORM_N_INVALID)
		appendStringInfo(buf, " FOR %s OF %s%s",
						 stmt->lock != CORM_N_FOR_UPDATE ? "SHARE" : stmt->lock_no_key ? "NO KEY UPDATE" : "UPDATE",
						 quote_identifier(stmt->source->alias), stmt->lock_wait);
	ctx->stmt = outer;
	ctx->in_condition = in_condition;
	ctx->around_condition = around_condition;
	ctx->leaky = leaky;
	ctx->pullable = pullable;
}

/*
 * corm_deparse_select appends a SELECT with the given columns.
 */
void
corm_deparse_select(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	bool		nested = stmt->reversed && items;
	ListCell   *lc;

	foreach(lc, items)
	{
		nested |= ((CormItem *) lfirst(lc))->preload != NULL;
	}
	if (nested)
		corm_deparse_nested_select(ctx, stmt, items);
	else if (stmt->found)
		corm_deparse_found_select(ctx, stmt, items);
	else
		corm_deparse_plain_select(ctx, stmt, items);
}

/*
 * deparse_subquery appends a statement with its own output columns.
 */
static void
deparse_subquery(CormDeparse *ctx, CormStmt *stmt)
{
	check_stack_depth();
	ctx->depth++;
	if (stmt->command == CORM_CMD_RAW)
		corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	else if (stmt->command == CORM_CMD_SELECT)
		corm_deparse_select(ctx, stmt, corm_items_own(stmt));
	else
		corm_deparse_write(ctx, stmt, stmt->returns ? corm_items_own(stmt) : NIL);
	ctx->depth--;
}

/*
 * corm_deparse_subquery_value appends a statement that is a value, or a list of them: it
 * has the columns that are shown.
 */
void
corm_deparse_subquery_value(CormDeparse *ctx, CormStmt *stmt)
{
	if (stmt->command != CORM_CMD_SELECT)
	{
		deparse_subquery(ctx, stmt);
		return;
	}
	check_stack_depth();
	ctx->depth++;
	corm_deparse_select(ctx, stmt, corm_items_shown(stmt));
	ctx->depth--;
}

/*
 * corm_deparse_exists appends a test for rows of a statement.  No column is
 * read unless the statement itself names some: the user may lack the right.
 *
 * PostgreSQL plans an EXISTS that does not become a join twice, as a test for
 * each row and as a hash table, with all that is nested in it: n levels would
 * be planned 2^n times.  OFFSET leaves the test alone.
 */
void
corm_deparse_exists(CormDeparse *ctx, const char *word, CormStmt *stmt)
{
	int			nexists = ctx->nexists;

	if (!ctx->pullable)
		ctx->nexists++;
	appendStringInfo(ctx->buf, "%s(", word);
	if (stmt->command != CORM_CMD_SELECT || stmt->select || stmt->distinct ||
		stmt->distinct_on || stmt->setops)
		deparse_subquery(ctx, stmt);
	else
	{
		check_stack_depth();
		ctx->depth++;
		corm_deparse_plain_select(ctx, stmt, NIL);
		if (!ctx->pullable && nexists >= MAX_EXISTS_PLANNED_TWICE && stmt->offset == NULL && stmt->lock == CORM_N_INVALID)
			appendStringInfoString(ctx->buf, " OFFSET 0");
		ctx->depth--;
	}
	appendStringInfoChar(ctx->buf, ')');
	ctx->nexists = nexists;
}

/*
 * Whole statements, by what is wanted of them
 */

static void
deparse_any(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	if (stmt->command == CORM_CMD_SELECT)
		corm_deparse_select(ctx, stmt, items);
	else
		corm_deparse_write(ctx, stmt, items);
}

/*
 * Appends a statement's WITH ahead of what is put around the statement;
 * false if it has none.
 */
static bool
hoist_ctes(CormDeparse *ctx, CormStmt *stmt)
{
	bool		any = stmt->ctes != NIL;

	corm_deparse_ctes(ctx, stmt);
	stmt->ctes = NIL;
	return any;
}

/*
 * DISTINCT and set operations compare whole rows as the query wrote them, so
 * casts and a choice of columns go around it.
 */
static bool
needs_wrapping(CormStmt *stmt, List *items)
{
	ListCell   *lc;

	if (stmt->setops)
		return true;
	/* clauses may refer to a select item that the row type leaves out */
	if (stmt->preloads == NIL && !stmt->reversed && list_length(items) < list_length(stmt->select))
		return true;
	/* or to one that is cast: they mean it as it was selected */
	foreach(lc, items)
	{
		if (((CormItem *) lfirst(lc))->aliased && OidIsValid(((CormItem *) lfirst(lc))->cast))
			return true;
	}
	if (!stmt->distinct && !stmt->distinct_on)
		return false;
	if (list_length(items) != list_length(corm_items_own(stmt)))
		return true;
	foreach(lc, items)
	{
		if (OidIsValid(((CormItem *) lfirst(lc))->cast))
			return true;
	}
	return false;
}

/*
 * Appends a statement with its own columns, and around it a SELECT of the
 * items.
 */
static void
deparse_wrapped(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;
	List	   *own = corm_items_own(stmt);
	ListCell   *lc;

	appendStringInfoString(buf, "SELECT ");
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);
		char	   *column = psprintf("%s.%s", CORM_ROWS_ALIAS, quote_identifier(item->name));

		/*
		 * a preload is none of the statement's own columns, and of its type
		 * already
		 */
		if (item->preload)
			own = lappend(own, item);
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		if (item->left_out)
			corm_deparse_expr(ctx, item->tree);
		else if (OidIsValid(item->cast))
			appendStringInfo(buf, "CAST(%s AS %s)", column,
							 corm_deparse_type(item->cast, item->cast_typmod));
		else
			appendStringInfoString(buf, column);
	}
	appendStringInfoString(buf, " FROM (");
	deparse_any(ctx, stmt, own);
	appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
}

/*
 * A raw query is a WITH query, so that it may be any statement that returns
 * rows; its columns are taken by name.
 */
static void
deparse_raw_rows(CormDeparse *ctx, CormStmt *stmt, const CormDeparseRequest *request)
{
	StringInfo	buf = ctx->buf;
	CormModel  *find = request->output == CORM_OUTPUT_ROWS ? corm_find_hook(request->typid) : NULL;
	bool		first = true;

	appendStringInfo(buf, "WITH %s", CORM_ROWS_ALIAS);
	if (request->output == CORM_OUTPUT_VALUE)
		appendStringInfoString(buf, "(value)");
	appendStringInfoString(buf, " AS (");
	corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	appendStringInfoString(buf, ") ");
	if (find)
		corm_deparse_find_begin(ctx, find, request);
	appendStringInfoString(buf, "SELECT ");
	if (request->output == CORM_OUTPUT_VALUE)
		appendStringInfo(buf, "CAST(%s.value AS %s)", CORM_ROWS_ALIAS,
						 corm_deparse_type(request->typid, -1));
	else
	{
		for (int i = 0; i < request->tupdesc->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(request->tupdesc, i);

			if (att->attisdropped)
				continue;
			if (corm_is_left_out(request->typid, att->attnum))
				appendStringInfo(buf, "%sNULL::%s", first ? "" : ", ", corm_deparse_type(att->atttypid, -1));
			else
				appendStringInfo(buf, "%sCAST(%s.%s AS %s)", first ? "" : ", ", CORM_ROWS_ALIAS,
								 quote_identifier(NameStr(att->attname)),
								 corm_deparse_type(att->atttypid, att->atttypmod));
			first = false;
		}
	}
	appendStringInfo(buf, " FROM %s", CORM_ROWS_ALIAS);
	if (request->limit > 0)
		appendStringInfo(buf, " LIMIT %d", request->limit);
	if (find)
		corm_deparse_find_end(ctx, request);
}

/*
 * Begins a SELECT of the items that are not hidden, of a statement that must have all of
 * them because it combines queries.  The statement is to follow, then its alias.
 */
static void
deparse_shown(CormDeparse *ctx, List *items)
{
	const char *before = "SELECT ";
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (item->hidden)
			continue;
		appendStringInfo(ctx->buf, "%s%s.%s", before, CORM_ROWS_ALIAS, quote_identifier(item->name));
		before = ", ";
	}
	appendStringInfo(ctx->buf, "%s FROM (", strcmp(before, "SELECT ") == 0 ? before : "");
}

/*
 * The rows of a statement as JSON, all or one: json if the request's type says
 * so, else jsonb.
 */
static void
deparse_json(CormDeparse *ctx, CormStmt *stmt, bool one, Oid typid)
{
	StringInfo	buf = ctx->buf;
	const char *rows = CORM_ROWS_ALIAS;
	List	   *items;
	bool		hides;
	bool		text = typid == JSONOID;
	bool		exact = corm_json_is_exact();
	bool		has_keys;
	const char *result;

	if (stmt->command == CORM_CMD_SELECT)
		corm_find_in_json(ctx, stmt);
	items = stmt->command == CORM_CMD_RAW ? NIL : corm_items_json(stmt, ctx->whole);
	hides = !ctx->whole && corm_items_hide(items);
	/* rows of a table without columns have no keys */
	has_keys = items || stmt->command == CORM_CMD_RAW;
	if (one)
		result = !has_keys ? "'{}'" : exact ? psprintf("corm.exact_json(%s.*)", rows) :
			psprintf("pg_catalog.%s(%s.*)", text ? "row_to_json" : "to_jsonb", rows);
	else
		result = psprintf("COALESCE(pg_catalog.json_agg(%s), '[]')",
						  !has_keys ? "'{}'::pg_catalog.json" : psprintf(exact ? "corm.exact_json(%s.*)" : "%s.*", rows));
	if (!has_keys || !one || exact)
		result = psprintf("CAST(%s AS pg_catalog.%s)", result, text ? "json" : "jsonb");

	if (stmt->command == CORM_CMD_SELECT)
	{
		appendStringInfo(buf, "SELECT %s FROM (", result);
		if (hides)
			deparse_shown(ctx, items);
		corm_deparse_select(ctx, stmt, items);
		if (hides)
			appendStringInfo(buf, ") AS %s", rows);
		appendStringInfo(buf, ") AS %s", rows);
		return;
	}
	appendStringInfo(buf, "%s %s AS (", hoist_ctes(ctx, stmt) ? "," : "WITH", rows);
	if (stmt->command == CORM_CMD_RAW)
		corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	else
		corm_deparse_write(ctx, stmt, items);
	appendStringInfo(buf, ") SELECT %s FROM %s", result, rows);
}

/*
 * corm_deparse_row_count appends the count of the rows that a statement without
 * groups has, with these conditions instead of its own.
 */
void
corm_deparse_row_count(CormDeparse *ctx, CormStmt *stmt, List *where)
{
	CormStmt   *outer = ctx->stmt;

	ctx->stmt = stmt;
	appendStringInfoString(ctx->buf, "SELECT pg_catalog.count(*) AS n");
	deparse_from(ctx, stmt);
	corm_deparse_conditions(ctx, " WHERE ", where);
	ctx->stmt = outer;
}

/*
 * Appends the count of a statement's rows, without a subquery where it can be.
 */
static void
deparse_count(CormDeparse *ctx, CormStmt *stmt)
{
	StringInfo	buf = ctx->buf;

	appendStringInfoString(buf, "SELECT pg_catalog.count(*)");
	if (stmt->command == CORM_CMD_RAW)
	{
		appendStringInfoString(buf, " FROM (");
		corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
		appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
	}
	else if (stmt->group_by || stmt->having || stmt->distinct || stmt->distinct_on ||
			 stmt->setops || stmt->limit || stmt->offset || stmt->ctes || stmt->select || stmt->cursor ||
			 stmt->lock != CORM_N_INVALID)
	{
		appendStringInfoString(buf, " FROM (");
		corm_deparse_select(ctx, stmt, corm_items_own(stmt));
		appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
	}
	else
	{
		ctx->stmt = stmt;
		deparse_from(ctx, stmt);
		corm_deparse_conditions(ctx, " WHERE ", stmt->where);
	}
}

static void
require_read(CormStmt *stmt, const char *what)
{
	if (stmt->command != CORM_CMD_SELECT && stmt->command != CORM_CMD_RAW)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.%s() takes a query that reads", what),
				 errhint("Use corm.exec() to run a write and count its rows.")));
}

/*
 * corm_deparse writes a statement as SQL in the form that the request asks
 * for.  The result is allocated in the current context.
 */
CormDeparsed *
corm_deparse(CormStmt *stmt, const CormDeparseRequest *request)
{
	CormDeparsed *result = palloc0(sizeof(CormDeparsed));
	StringInfoData buf;
	CormDeparse ctx = {.buf = &buf};
	List	   *items;
	CormModel  *find = NULL;

	initStringInfo(&buf);
	ctx.path_is_safe = request->path_is_safe;
	ctx.limit = request->limit;
	ctx.order_by_key = request->order_by_key;
	ctx.rows_fields = request->rows_fields;
	ctx.nrows = request->nrows;
	ctx.whole = request->whole;
	ctx.written = request->written;
	ctx.wants_rows = request->output == CORM_OUTPUT_ROWS || request->output == CORM_OUTPUT_JSON ||
		request->output == CORM_OUTPUT_JSON_ROW;
	result->returns_rows = true;

	if (stmt->with_total && request->output != CORM_OUTPUT_PAGE && request->output != CORM_OUTPUT_NATIVE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.with_total() has a meaning in corm.page_json() only"),
				 errhint("Use corm.count() for the number of rows of a query.")));

	/* of a SELECT it is checked where it is written, in subqueries, too */
	if (stmt->command != CORM_CMD_SELECT)
		check_cursor(stmt);

	/* WITH queries go first, whatever is put around the rest: they may write */
	if (stmt->command == CORM_CMD_SELECT)
		hoist_ctes(&ctx, stmt);

	switch (request->output)
	{
		case CORM_OUTPUT_ROWS:
		case CORM_OUTPUT_VALUE:
			if (stmt->command == CORM_CMD_RAW)
			{
				deparse_raw_rows(&ctx, stmt, request);
				break;
			}
			items = request->output == CORM_OUTPUT_ROWS ? corm_items_row(stmt, request) :
				corm_items_value(stmt, request->typid);
			if (request->output == CORM_OUTPUT_ROWS && stmt->command == CORM_CMD_SELECT && !request->written)
				find = corm_find_hook(request->typid);
			if (find)
			{
				/* a WITH query that writes must stand outermost */
				(void) hoist_ctes(&ctx, stmt);
				corm_deparse_find_begin(&ctx, find, request);
			}
			if (needs_wrapping(stmt, items))
				deparse_wrapped(&ctx, stmt, items);
			else
				deparse_any(&ctx, stmt, items);
			if (find)
				corm_deparse_find_end(&ctx, request);
			break;
		case CORM_OUTPUT_PAGE:
			if (stmt->cursor == NULL)
				corm_complete_order(stmt);
			result->order_hash = stmt->cursor ? stmt->cursor->args[0].str : order_hash(stmt, stmt->order_by);
			ctx.page = true;
			corm_deparse_page(&ctx, stmt);
			break;
		case CORM_OUTPUT_JSON:
			deparse_json(&ctx, stmt, false, request->typid);
			break;
		case CORM_OUTPUT_JSON_ROW:
			deparse_json(&ctx, stmt, true, request->typid);
			break;
		case CORM_OUTPUT_COUNT:
			require_read(stmt, "count");
			deparse_count(&ctx, stmt);
			break;
		case CORM_OUTPUT_EXISTS:
			require_read(stmt, "exists");
			appendStringInfoString(&buf, "SELECT ");
			corm_deparse_exists(&ctx, "EXISTS ", stmt);
			break;
		case CORM_OUTPUT_RESTORE:
		case CORM_OUTPUT_NATIVE:
			if (stmt->command == CORM_CMD_RAW)
				corm_deparse_raw(&ctx, stmt->raw_sql, stmt->raw_args);
			else if (stmt->command == CORM_CMD_SELECT)
				corm_deparse_select(&ctx, stmt, corm_items_native(stmt));
			else
			{
				corm_deparse_write(&ctx, stmt, stmt->returns ? corm_items_shown(stmt) : NIL);
				result->returns_rows = stmt->returns;
			}
			break;
	}

	result->sql = buf.data;
	result->meets_hidden = ctx.meets_hidden;
	if (stmt->command == CORM_CMD_INSERT && (stmt->conflict_fields || stmt->conflict_exprs))
		result->conflict_hint = corm_conflict_hint(stmt->source->model);
	result->uses_search_path = ctx.uses_search_path;
	result->tables = ctx.tables;
	result->nparams = list_length(ctx.params);
	result->params = palloc(sizeof(CormParam) * Max(result->nparams, 1));
	for (int i = 0; i < result->nparams; i++)
		result->params[i] = *(CormParam *) list_nth(ctx.params, i);
	return result;
}
