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
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "query/query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

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
 * A row of the given columns of r.
 */
static char *
row_of(Oid row_type, int ncolumns)
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
	corm_deparse_find_call(ctx, model, row_of(request->typid, ncolumns));
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
