/*-------------------------------------------------------------------------
 *
 * find.c
 *		The hook after_find, as part of the SQL of a read.
 *
 * The statement itself calls the hook, once for each row that it returns: the
 * calls are around the query with its order and its limit.
 *
 *		SELECT (f.r).id, (f.r).name
 *		FROM (SELECT COALESCE(app.after_find(CAST(ROW(r.c1, r.c2) AS app.users)),
 *							  CAST(ROW(r.c1, r.c2) AS app.users)) AS r
 *			  FROM (SELECT users.id, users.name FROM app.users ...) AS r(c1, c2)
 *			  OFFSET 0) AS f
 *
 * OFFSET 0 keeps the planner from repeating the call for each column.  A hook
 * that returns NULL or nothing leaves the row as it is.
 *
 * For a row type, the hook sees the rows as they are returned.  For JSON it
 * is the hook of the model that a field belongs to: the query's source, or one
 * that is joined, for example by a path.  It sees the whole row even if the
 * query selects only some fields, so that a query cannot get around a hook
 * that hides something by asking for less, or by starting from another model.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "model/hooks.h"
#include "query/query.h"
#include "query/sql/deparse.h"
#include "query/sql/find.h"
#include "query/sql/items.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define FOUND_ALIAS "f"

/*
 * corm_find_hook returns the model whose hook after_find is to see rows of a
 * type, or NULL.
 */
CormModel *
corm_find_hook(Oid row_type)
{
	Oid			relid = get_typ_typrelid(row_type);
	CormModel  *model;

	if (corm_skip_hooks || !OidIsValid(relid))
		return NULL;
	model = corm_model_get_any(relid);
	return OidIsValid(corm_model_hook(model, CORM_HOOK_AFTER_FIND)) ? model : NULL;
}

/*
 * corm_deparse_find_call appends the call of a model's hook for a row, which
 * is SQL that may be written several times.
 */
void
corm_deparse_find_call(CormDeparse *ctx, CormModel *model, const char *row)
{
	Oid			function = corm_model_hook(model, CORM_HOOK_AFTER_FIND);
	const char *name = quote_qualified_identifier(get_namespace_name(get_func_namespace(function)),
												  get_func_name(function));

	if (corm_model_hooks(model)->returns_void & CORM_HOOK_BIT(CORM_HOOK_AFTER_FIND))
		appendStringInfo(ctx->buf, "CASE WHEN %s(%s) IS NULL THEN %s ELSE %s END",
						 name, row, row, row);
	else
		appendStringInfo(ctx->buf, "COALESCE(%s(%s), %s)", name, row, row);
}

/*
 * Returns SQL for a row of a row type, made of so many columns of r from the
 * first on.
 */
static char *
row_of_columns(Oid row_type, int first, int ncolumns)
{
	StringInfoData row;

	initStringInfo(&row);
	appendStringInfoString(&row, "CAST(ROW(");
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(&row, "%s" CORM_ROWS_ALIAS ".c%d", i > 0 ? ", " : "", first + i);
	appendStringInfo(&row, ") AS %s)", corm_deparse_type(row_type, -1));
	return row.data;
}

/*
 * corm_row_of_columns returns SQL for a row of a row type, made of the columns
 * c1, c2, ... of r.
 */
char *
corm_row_of_columns(Oid row_type, int ncolumns)
{
	return row_of_columns(row_type, 1, ncolumns);
}

/*
 * corm_deparse_find_begin begins a statement whose rows, of the row type that
 * is wanted, go through a hook.  The statement that reads them is to follow,
 * then corm_deparse_find_end.
 */
void
corm_deparse_find_begin(CormDeparse *ctx, CormModel *model, const CormDeparseRequest *request)
{
	StringInfo	buf = ctx->buf;
	int			ncolumns = 0;

	appendStringInfoString(buf, "SELECT ");
	for (int i = 0; i < request->tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(request->tupdesc, i);

		if (att->attisdropped)
			continue;
		appendStringInfo(buf, "%s(" FOUND_ALIAS ".r).%s", ncolumns > 0 ? ", " : "",
						 quote_identifier(NameStr(att->attname)));
		ncolumns++;
	}
	appendStringInfoString(buf, " FROM (SELECT ");
	corm_deparse_find_call(ctx, model, corm_row_of_columns(request->typid, ncolumns));
	appendStringInfoString(buf, " AS r FROM (");
}

/* corm_deparse_find_end ends it. */
void
corm_deparse_find_end(CormDeparse *ctx, const CormDeparseRequest *request)
{
	StringInfo	buf = ctx->buf;
	int			ncolumns = 0;

	appendStringInfoString(buf, ") AS " CORM_ROWS_ALIAS "(");
	for (int i = 0; i < request->tupdesc->natts; i++)
		if (!TupleDescAttr(request->tupdesc, i)->attisdropped)
		{
			ncolumns++;
			appendStringInfo(buf, "%sc%d", ncolumns > 1 ? ", " : "", ncolumns);
		}
	appendStringInfoString(buf, ") OFFSET 0) AS " FOUND_ALIAS);
}

/*
 * For JSON
 */

/* A range of a statement whose rows go through a hook. */
typedef struct FoundRange
{
	CormRange  *range;
	CormModel  *model;
	TupleDesc	tupdesc;
	char	   *name;			/* of the column that has its rows */
	int			first;			/* of the columns that make them */
	int			ncolumns;
} FoundRange;

/*
 * The field that an item shows, under whatever name, and in *range the range
 * that it is of.
 */
static CormField *
shown_field(CormItem *item, CormRange **range)
{
	if (item->is_key || item->preload)
		return NULL;
	*range = item->range;
	if (item->range)
		return item->field;
	if (item->tree && corm_tree_is(item->tree, CORM_IS_COLUMN))
	{
		*range = item->tree->range;
		return item->tree->field;
	}
	return NULL;
}

/*
 * corm_find_in_json lets what a statement that returns JSON shows of models go
 * through their hooks, if its rows are theirs: not when it groups, makes rows
 * distinct or combines queries.
 */
void
corm_find_in_json(CormDeparse *ctx, CormStmt *stmt)
{
	stmt->found = !(ctx->written || stmt->group_by || stmt->having || stmt->distinct ||
					stmt->distinct_on || stmt->setops);
}

/*
 * Adds a range to a list of FoundRange, unless it is there or its model has no
 * hook; returns its entry, or NULL.
 */
static FoundRange *
found_range(List **ranges, CormRange *range)
{
	CormModel  *model;
	FoundRange *found;
	ListCell   *lc;

	foreach(lc, *ranges)
	{
		if (((FoundRange *) lfirst(lc))->range == range)
			return lfirst(lc);
	}
	if (range == NULL || range->model == NULL)
		return NULL;
	model = corm_find_hook(range->model->typid);
	if (model == NULL)
		return NULL;
	found = palloc0(sizeof(FoundRange));
	found->range = range;
	found->model = model;
	found->tupdesc = lookup_rowtype_tupdesc_copy(model->typid, -1);
	found->name = *ranges ? psprintf("r%d", list_length(*ranges) + 1) : pstrdup("r");
	*ranges = lappend(*ranges, found);
	return found;
}

/*
 * The items that hold the whole row of a range, one for each attribute.  Those
 * of another range than the source have names that no order can mean.
 */
static List *
whole_row(CormStmt *stmt, FoundRange *found)
{
	List	   *items = NIL;

	for (int i = 0; i < found->tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(found->tupdesc, i);
		CormField  *field = corm_model_field_by_rownum(found->range->model, att->attnum);
		CormItem   *item;

		if (att->attisdropped)
			continue;
		item = palloc0(sizeof(CormItem));
		item->quiet = found->range == stmt->source;
		item->name = item->quiet ? NameStr(att->attname) :
			psprintf("found %s %d", found->name, att->attnum);
		if (field)
		{
			item->range = found->range;
			item->field = field;
		}
		else
		{
			item->tree = corm_make_tree(CORM_N_NULL);
			item->tree->args[0].oid = att->atttypid;
		}
		if (field && field->typid != att->atttypid)
		{
			item->cast = att->atttypid;
			item->cast_typmod = att->atttypmod;
		}
		items = lappend(items, item);
	}
	return items;
}

/*
 * Appends the call of a hook for the row of a range, as a column.  An outer
 * join may have found none: then the hook has nothing to see.
 */
static void
deparse_found_row(CormDeparse *ctx, CormStmt *stmt, FoundRange *found)
{
	char	   *row = row_of_columns(found->model->typid, found->first, found->ncolumns);

	if (found->range == stmt->source)
		corm_deparse_find_call(ctx, found->model, row);
	else
	{
		appendStringInfo(ctx->buf, "CASE WHEN %s IS NULL THEN NULL ELSE ", row);
		corm_deparse_find_call(ctx, found->model, row);
		appendStringInfoString(ctx->buf, " END");
	}
	appendStringInfo(ctx->buf, " AS %s", found->name);
}

/*
 * corm_deparse_found_select appends a plain SELECT with the given columns,
 * those that are fields of models with a hook taken from the rows that the
 * hooks give.
 */
void
corm_deparse_found_select(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;
	List	   *ranges = NIL;
	List	   *inner = NIL;
	int			ncolumns = 0;
	int			nothers = 0;
	CormRange  *range;
	ListCell   *lc;

	foreach(lc, items)
	{
		if (shown_field(lfirst(lc), &range))
			(void) found_range(&ranges, range);
	}
	if (ranges == NIL)
	{
		corm_deparse_plain_select(ctx, stmt, items);
		return;
	}
	foreach(lc, ranges)
	{
		FoundRange *found = lfirst(lc);
		List	   *row = whole_row(stmt, found);

		found->first = ncolumns + 1;
		found->ncolumns = list_length(row);
		ncolumns += found->ncolumns;
		inner = list_concat(inner, row);
	}

	appendStringInfoString(buf, "SELECT ");
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);
		CormField  *field = shown_field(item, &range);
		FoundRange *found = field ? found_range(&ranges, range) : NULL;

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		/* an item with a name of its own may be what the order refers to */
		if (found == NULL || item->tree)
		{
			inner = lappend(inner, item);
			nothers++;
		}
		if (found)
			appendStringInfo(buf, "(" FOUND_ALIAS ".%s).%s", found->name,
							 quote_identifier(NameStr(TupleDescAttr(found->tupdesc, field->rownum - 1)->attname)));
		else
			appendStringInfo(buf, FOUND_ALIAS ".e%d", nothers);
		appendStringInfo(buf, " AS %s", quote_identifier(item->name));
	}

	appendStringInfoString(buf, " FROM (SELECT ");
	foreach(lc, ranges)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		deparse_found_row(ctx, stmt, lfirst(lc));
	}
	for (int i = 1; i <= nothers; i++)
		appendStringInfo(buf, ", " CORM_ROWS_ALIAS ".e%d", i);
	appendStringInfoString(buf, " FROM (");
	corm_deparse_plain_select(ctx, stmt, inner);
	appendStringInfoString(buf, ") AS " CORM_ROWS_ALIAS "(");
	for (int i = 1; i <= ncolumns; i++)
		appendStringInfo(buf, "%sc%d", i > 1 ? ", " : "", i);
	for (int i = 1; i <= nothers; i++)
		appendStringInfo(buf, ", e%d", i);
	appendStringInfoString(buf, ") OFFSET 0) AS " FOUND_ALIAS);
}
