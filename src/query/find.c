/*-------------------------------------------------------------------------
 *
 * find.c
 *		The hook after_find, as part of the SQL of a read.
 *
 * The hook is called by the statement itself, for each row that it returns
 * and no other: around the query with its order and its limit.
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
 * is the hook of the query's source, and it sees the whole row even if the
 * query selects some fields only: what a hook hides must not come to light
 * because less is asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "query/query.h"
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
 * corm_row_of_columns returns SQL for a row of a row type, made of the columns
 * c1, c2, ... of r.
 */
char *
corm_row_of_columns(Oid row_type, int ncolumns)
{
	StringInfoData row;

	initStringInfo(&row);
	appendStringInfoString(&row, "CAST(ROW(");
	for (int i = 1; i <= ncolumns; i++)
		appendStringInfo(&row, "%s" CORM_ROWS_ALIAS ".c%d", i > 1 ? ", " : "", i);
	appendStringInfo(&row, ") AS %s)", corm_deparse_type(row_type, -1));
	return row.data;
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

/* The field of the source that an item shows, under whatever name. */
static CormField *
shown_field(CormStmt *stmt, CormItem *item)
{
	if (item->is_key || item->preload)
		return NULL;
	if (item->range == stmt->source)
		return item->field;
	if (item->tree && item->tree->tag == CORM_N_COLUMN && item->tree->range == stmt->source)
		return item->tree->field;
	return NULL;
}

/*
 * corm_find_in_json lets rows that a statement returns as JSON go through the
 * hook of its source, if they are rows of it: not when it groups, makes rows
 * distinct or combines queries.
 */
void
corm_find_in_json(CormDeparse *ctx, CormStmt *stmt)
{
	if (ctx->written || stmt->source == NULL || stmt->source->model == NULL ||
		stmt->group_by || stmt->having || stmt->distinct || stmt->distinct_on || stmt->setops)
		return;
	stmt->found = corm_find_hook(stmt->source->model->typid);
}

/*
 * The items that hold the source's whole row, one for each attribute.
 */
static List *
whole_row(CormStmt *stmt, TupleDesc tupdesc)
{
	List	   *items = NIL;

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		CormField  *field = corm_model_field_by_rownum(stmt->source->model, att->attnum);
		CormItem   *item;

		if (att->attisdropped)
			continue;
		item = palloc0(sizeof(CormItem));
		item->name = NameStr(att->attname);
		item->quiet = true;
		if (field)
		{
			item->range = stmt->source;
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
 * corm_deparse_found_select appends a plain SELECT with the given columns,
 * those that are fields of the source taken from the row that the hook gives.
 */
void
corm_deparse_found_select(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;
	CormModel  *model = stmt->found;
	TupleDesc	tupdesc = lookup_rowtype_tupdesc_copy(model->typid, -1);
	List	   *inner = whole_row(stmt, tupdesc);
	int			natts = list_length(inner);
	int			nothers = 0;
	bool		shows = false;
	ListCell   *lc;

	foreach(lc, items)
		shows |= shown_field(stmt, lfirst(lc)) != NULL;
	if (!shows)
	{
		corm_deparse_plain_select(ctx, stmt, items);
		return;
	}

	appendStringInfoString(buf, "SELECT ");
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);
		CormField  *field = shown_field(stmt, item);

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		/* an item with a name of its own may be what the order refers to */
		if (field == NULL || item->tree)
		{
			inner = lappend(inner, item);
			nothers++;
		}
		if (field)
			appendStringInfo(buf, "(" FOUND_ALIAS ".r).%s",
							 quote_identifier(NameStr(TupleDescAttr(tupdesc, field->rownum - 1)->attname)));
		else
			appendStringInfo(buf, FOUND_ALIAS ".e%d", nothers);
		appendStringInfo(buf, " AS %s", quote_identifier(item->name));
	}

	appendStringInfoString(buf, " FROM (SELECT ");
	corm_deparse_find_call(ctx, model, corm_row_of_columns(model->typid, natts));
	appendStringInfoString(buf, " AS r");
	for (int i = 1; i <= nothers; i++)
		appendStringInfo(buf, ", " CORM_ROWS_ALIAS ".e%d", i);
	appendStringInfoString(buf, " FROM (");
	corm_deparse_plain_select(ctx, stmt, inner);
	appendStringInfoString(buf, ") AS " CORM_ROWS_ALIAS "(");
	for (int i = 1; i <= natts; i++)
		appendStringInfo(buf, "%sc%d", i > 1 ? ", " : "", i);
	for (int i = 1; i <= nothers; i++)
		appendStringInfo(buf, ", e%d", i);
	appendStringInfoString(buf, ") OFFSET 0) AS " FOUND_ALIAS);
}
