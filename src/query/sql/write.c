/*-------------------------------------------------------------------------
 *
 * write.c
 *		Statements that write, to SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "query/query.h"
#include "query/sql/deparse.h"
#include "query/sql/expr.h"
#include "query/sql/items.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/*
 * Appends what SET of an update says; *first is whether nothing stands there
 * yet.
 */
static void
deparse_assignments(CormDeparse *ctx, List *sets, bool *first)
{
	ListCell   *lc;

	foreach(lc, sets)
	{
		CormAssignment *set = lfirst(lc);

		appendStringInfo(ctx->buf, "%s%s = ", *first ? "" : ", ",
						 quote_identifier(set->field->column));
		*first = false;
		corm_deparse_value_for(ctx, set->value, ctx->stmt->source->model, set->field);
	}
}

static bool
list_has_field(List *fields, CormField *field)
{
	return list_member_ptr(fields, field);
}

/* Whether corm keeps a field itself, so that an upsert does not take it from the new row. */
static bool
is_kept(CormModel *model, CormField *field)
{
	int			i = field - model->fields;

	return i == model->created_at || i == model->updated_at || i == model->version;
}

/*
 * Appends the assignment of an upsert that changes nothing: a row must be touched to be
 * returned.  Its key stays as it is, which may differ from an equal one that was given.
 */
static void
deparse_touch(CormDeparse *ctx, CormStmt *stmt, List *given)
{
	CormField  *field = stmt->conflict_fields ? linitial(stmt->conflict_fields) : linitial(given);
	const char *column = quote_identifier(field->column);

	appendStringInfo(ctx->buf, "%s = %s.%s", column, quote_identifier(stmt->source->alias), column);
}

/*
 * Appends which of the rows that are there an upsert may write.  That they satisfy the
 * checks comes first, as for USING of a policy: no condition may decide whether a row
 * that is kept from the user is an error.
 */
static void
deparse_conflict_where(CormDeparse *ctx, CormStmt *stmt)
{
	if (stmt->checks == NIL)
	{
		corm_deparse_conditions(ctx, " WHERE ", stmt->where);
		return;
	}
	appendStringInfoString(ctx->buf, " WHERE ");
	corm_deparse_check(ctx, stmt);
	if (stmt->where == NIL)
		return;
	corm_deparse_conditions(ctx, " AND (", stmt->where);
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * Appends ON CONFLICT.  given are the fields that the insert gives, which an
 * update takes over unless others are named.
 */
static void
deparse_conflict(CormDeparse *ctx, CormStmt *stmt, List *given)
{
	StringInfo	buf = ctx->buf;
	ListCell   *lc;
	List	   *fields = stmt->update_fields;
	bool		first = true;

	appendStringInfoString(buf, " ON CONFLICT");
	if (stmt->conflict_fields || stmt->conflict_exprs)
	{
		const char *before = " (";

		foreach(lc, stmt->conflict_fields)
		{
			appendStringInfo(buf, "%s%s", before, quote_identifier(((CormField *) lfirst(lc))->column));
			before = ", ";
		}
		foreach(lc, stmt->conflict_exprs)
		{
			/* as the catalog writes it in the search_path of now */
			appendStringInfo(buf, "%s(%s)", before, (char *) lfirst(lc));
			ctx->uses_search_path = true;
			before = ", ";
		}
		appendStringInfoChar(buf, ')');
		if (stmt->conflict_predicate)
		{
			appendStringInfo(buf, " WHERE %s", stmt->conflict_predicate);
			ctx->uses_search_path = true;
		}
		else if (stmt->conflict_where)
		{
			appendStringInfoString(buf, " WHERE ");
			ctx->bare_columns = true;
			corm_deparse_expr(ctx, stmt->conflict_where);
			ctx->bare_columns = false;
		}
	}
	else if (stmt->conflict_constraint)
		appendStringInfo(buf, " ON CONSTRAINT %s", quote_identifier(stmt->conflict_constraint));

	if (stmt->conflict_action == CORM_CONFLICT_SELECT)
	{
		appendStringInfoString(buf, " DO UPDATE SET ");
		deparse_touch(ctx, stmt, given);
		deparse_conflict_where(ctx, stmt);
		return;
	}
	if (stmt->conflict_action == CORM_CONFLICT_NOTHING)
	{
		appendStringInfoString(buf, " DO NOTHING");
		return;
	}

	if (fields == NIL && stmt->update_sets == NIL)
	{
		/*
		 * all that was given but the key, and what corm keeps: version and
		 * times
		 */
		foreach(lc, stmt->staged_upsert ? stmt->staged_given : given)
		{
			CormField  *field = lfirst(lc);

			if (!list_has_field(stmt->conflict_fields, field) && !field->primary_key &&
				!is_kept(stmt->source->model, field))
				fields = lappend(fields, field);
		}
	}
	appendStringInfoString(buf, " DO UPDATE SET ");
	if (fields == NIL && stmt->update_sets == NIL && stmt->touch_sets == NIL)
		deparse_touch(ctx, stmt, given);
	foreach(lc, fields)
	{
		CormField  *field = lfirst(lc);
		const char *column = quote_identifier(field->column);
		ListCell   *set;
		bool		overridden = false;

		foreach(set, stmt->update_sets)
		{
			if (((CormAssignment *) lfirst(set))->field == field)
				overridden = true;
		}
		if (overridden)
			continue;
		appendStringInfo(buf, "%s%s = EXCLUDED.%s", first ? "" : ", ", column, column);
		first = false;
	}
	deparse_assignments(ctx, stmt->update_sets, &first);
	deparse_assignments(ctx, stmt->touch_sets, &first);
	deparse_conflict_where(ctx, stmt);
}

/*
 * The rows as FROM has them.  Of JSON only the given fields are read: a
 * domain may refuse the NULL that a missing one would be.
 */
static void
deparse_rows_source(CormDeparse *ctx, CormTree *rows, List *fields)
{
	StringInfo	buf = ctx->buf;
	bool		is_json = rows->typid == JSONBOID;
	ListCell   *lc;

	appendStringInfo(buf, " FROM pg_catalog.%s(", !is_json ? "unnest" :
					 fields ? "jsonb_to_recordset" : "jsonb_array_elements");
	corm_deparse_expr(ctx, rows);
	appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
	foreach(lc, fields)
	{
		ctx->meets_hidden |= ((CormField *) lfirst(lc))->hidden;
	}
	if (!is_json || fields == NIL)
		return;
	foreach(lc, fields)
	{
		CormField  *field = lfirst(lc);

		appendStringInfo(buf, "%s%s %s", foreach_current_index(lc) == 0 ? "(" : ", ",
						 quote_identifier(field->column),
						 corm_deparse_type(field->typid, field->typmod));
	}
	appendStringInfoChar(buf, ')');
}

/* Returns what is assigned to a field, or NULL. */
static CormAssignment *
find_assignment(List *sets, const CormField *field)
{
	ListCell   *lc;

	foreach(lc, sets)
	{
		if (((CormAssignment *) lfirst(lc))->field == field)
			return lfirst(lc);
	}
	return NULL;
}

/* Returns the first field that is an identity column GENERATED ALWAYS, or NULL. */
static CormField *
find_identity(List *fields)
{
	ListCell   *lc;

	foreach(lc, fields)
	{
		CormField  *field = lfirst(lc);

		if (field->identity == 'a')
			return field;
	}
	return NULL;
}

/*
 * Appends what permits a value for an identity column that is GENERATED ALWAYS: a record that
 * is saved, and an upsert by the column, have the key of a row that may exist.  Raises 428C9
 * for other inserts, as PostgreSQL does.
 */
static void
override_identity(CormDeparse *ctx, CormStmt *stmt, List *given)
{
	CormField  *field = find_identity(given);

	if (field == NULL)
		return;
	if (!stmt->override_identity && find_identity(stmt->conflict_fields) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("an insert cannot give field \"%s\" of model \"%s\"", field->name, stmt->source->model->name),
				 errdetail("It is an identity column that is GENERATED ALWAYS."),
				 errhint("Leave it out. Only corm.save(), and an upsert by a key that has this field, can give it.")));
	appendStringInfoString(ctx->buf, " OVERRIDING SYSTEM VALUE");
}

/*
 * Appends what an INSERT writes of one of its rows: the fields that it gives, and what is set
 * in each.  row is the SQL for the row.
 */
static void
deparse_row(CormDeparse *ctx, CormStmt *stmt, List *row_fields, const char *row)
{
	StringInfo	buf = ctx->buf;
	CormModel  *model = stmt->source->model;
	bool		is_json = stmt->rows->typid == JSONBOID;
	ListCell   *lc;

	foreach(lc, row_fields)
	{
		CormField  *field = lfirst(lc);
		const char *column = field->column;
		bool		cast = false;
		CormAssignment *set;

		/* an array has the attributes of the model's row type */
		if (!is_json)
		{
			column = get_attname(model->relid, field->rownum, false);
			cast = get_atttype(model->relid, field->rownum) != field->typid;
		}
		set = find_assignment(stmt->fixed, field);
		appendStringInfo(buf, "%s%s%s%s.%s", foreach_current_index(lc) == 0 ? "" : ", ",
						 set ? "COALESCE(" : "", cast ? "CAST(" : "", row, quote_identifier(column));
		if (cast)
			appendStringInfo(buf, " AS %s)", corm_deparse_type(field->typid, -1));
		if (set)
		{
			appendStringInfoString(buf, ", ");
			corm_deparse_value_for(ctx, set->value, model, field);
			appendStringInfoChar(buf, ')');
		}
	}
	foreach(lc, stmt->sets)
	{
		CormAssignment *set = lfirst(lc);

		if (row_fields || foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		corm_deparse_value_for(ctx, set->value, model, set->field);
	}
}

/*
 * Appends VALUES with a row for each element of the array of rows, of which the number is
 * known: ($1[1]).a, ($1[1]).b; of JSON, as rows of the table.  Each row is sent to the shard that it belongs to, while a
 * SELECT from the array is a query whose rows Citus would redistribute.
 */
static void
deparse_values(CormDeparse *ctx, CormStmt *stmt, List *row_fields)
{
	StringInfo	buf = ctx->buf;
	int			start = buf->len;
	char	   *rows;
	bool		is_json = stmt->rows->typid == JSONBOID;
	Oid			table = stmt->source->model->table;
	ListCell   *lc;

	foreach(lc, row_fields)
	{
		ctx->meets_hidden |= ((CormField *) lfirst(lc))->hidden;
	}
	corm_deparse_expr(ctx, stmt->rows);
	rows = pstrdup(buf->data + start);
	buf->len = start;
	buf->data[start] = '\0';
	appendStringInfoString(buf, " VALUES ");
	for (int i = 1; i <= ctx->nrows; i++)
	{
		appendStringInfoString(buf, i == 1 ? "(" : ", (");
		deparse_row(ctx, stmt, row_fields, !is_json ? psprintf("((%s)[%d])", rows, i) :
					psprintf("(pg_catalog.jsonb_populate_record(NULL::%s, pg_catalog.jsonb_array_element(%s, %d)))",
							 quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table)), rows, i - 1));
		appendStringInfoChar(buf, ')');
	}
}

/*
 * Appends an INSERT, up to ON CONFLICT.  Its rows come from an array or JSON,
 * with what is set in each, or else it is one row of what is set.
 */
static void
deparse_insert(CormDeparse *ctx, CormStmt *stmt)
{
	StringInfo	buf = ctx->buf;
	CormModel  *model = stmt->source->model;
	List	   *row_fields = NIL;
	List	   *given = NIL;
	ListCell   *lc;

	if (stmt->rows)
	{
		int			i = -1;

		while ((i = bms_next_member(ctx->rows_fields, i)) >= 0 && i < model->nfields)
		{
			CormField  *field = &model->fields[i];
			bool		overridden = false;

			foreach(lc, stmt->sets)
			{
				if (((CormAssignment *) lfirst(lc))->field == field)
					overridden = true;
			}
			if (!overridden)
				row_fields = lappend(row_fields, field);
		}
	}
	given = list_copy(row_fields);
	foreach(lc, stmt->sets)
	{
		given = lappend(given, ((CormAssignment *) lfirst(lc))->field);
	}

	appendStringInfoString(buf, "INSERT INTO ");
	corm_deparse_relation(ctx, model);
	if (strcmp(stmt->source->alias, model->table_name) != 0)
		appendStringInfo(buf, " AS %s", quote_identifier(stmt->source->alias));

	foreach(lc, given)
	{
		CormField  *field = lfirst(lc);

		appendStringInfo(buf, "%s%s", foreach_current_index(lc) == 0 ? " (" : ", ",
						 quote_identifier(field->column));
	}
	if (given)
		appendStringInfoChar(buf, ')');
	override_identity(ctx, stmt, given);

	if (stmt->rows && ctx->nrows > 0)
		deparse_values(ctx, stmt, row_fields);
	else if (stmt->rows)
	{
		appendStringInfoString(buf, " SELECT ");
		deparse_row(ctx, stmt, row_fields, CORM_ROWS_ALIAS);
		deparse_rows_source(ctx, stmt->rows, row_fields);
	}
	else if (stmt->sets)
	{
		appendStringInfoString(buf, " VALUES (");
		foreach(lc, stmt->sets)
		{
			CormAssignment *set = lfirst(lc);

			if (foreach_current_index(lc) > 0)
				appendStringInfoString(buf, ", ");
			corm_deparse_value_for(ctx, set->value, model, set->field);
		}
		appendStringInfoChar(buf, ')');
	}
	else
		appendStringInfoString(buf, " DEFAULT VALUES");

	if (stmt->conflict_action != CORM_CONFLICT_NONE)
		deparse_conflict(ctx, stmt, given);
}

/* Appends an UPDATE or DELETE, or the UPDATE that a soft delete is. */
static void
deparse_update_or_delete(CormDeparse *ctx, CormStmt *stmt)
{
	StringInfo	buf = ctx->buf;
	List	   *conditions = NIL;
	ListCell   *lc;
	bool		first = true;
	bool		update = stmt->command == CORM_CMD_UPDATE || stmt->soft;

	appendStringInfoString(buf, update ? "UPDATE " : "DELETE FROM ");
	corm_deparse_range(ctx, stmt->source);
	if (update)
	{
		appendStringInfoString(buf, " SET ");
		deparse_assignments(ctx, stmt->sets, &first);
	}
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);

		appendStringInfoString(buf, foreach_current_index(lc) > 0 ? ", " :
							   update ? " FROM " : " USING ");
		corm_deparse_range(ctx, join->range);
		if (join->condition)
			conditions = lappend(conditions, join->condition);
	}
	corm_deparse_conditions(ctx, " WHERE ", list_concat(conditions, stmt->where));
}

/*
 * corm_deparse_write appends an INSERT, UPDATE or DELETE; returning is a list
 * of items, or NIL.
 */
void
corm_deparse_write(CormDeparse *ctx, CormStmt *stmt, List *returning)
{
	CormStmt   *outer = ctx->stmt;

	ctx->stmt = stmt;
	corm_deparse_ctes(ctx, stmt);
	if (stmt->command == CORM_CMD_INSERT)
		deparse_insert(ctx, stmt);
	else
		deparse_update_or_delete(ctx, stmt);
	if (returning)
	{
		appendStringInfoString(ctx->buf, " RETURNING ");
		ctx->checked = stmt->checks ? stmt : NULL;
		corm_deparse_items(ctx, returning);
	}
	else if (stmt->checks)
	{
		appendStringInfoString(ctx->buf, " RETURNING ");
		corm_deparse_check(ctx, stmt);
	}
	else if (ctx->wants_rows && ctx->depth == 0)
		appendStringInfoString(ctx->buf, " RETURNING 1");	/* rows of no columns */
	ctx->stmt = outer;
}
