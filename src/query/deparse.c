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
 * A parameter is appended at each place a value is written; its number is
 * the order of writing.  expr.c writes expressions, this file statements.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void deparse_select(CormDeparse *ctx, CormStmt *stmt, List *items);
static void deparse_write(CormDeparse *ctx, CormStmt *stmt, List *returning);

/* An output column of the statement that is written. */
typedef struct Item
{
	char	   *name;			/* output name */
	CormRange  *range;			/* a column of this range ... */
	CormField  *field;			/* ... this field */
	char	   *column;			/* ... or this column of a subquery */
	CormTree   *tree;			/* or an expression */
	Oid			cast;			/* cast to this type, if valid */
	int32		cast_typmod;
	bool		quiet;			/* nobody asks for its name ... */
	bool		aliased;		/* ... but other clauses may refer to it */
} Item;

/*
 * corm_deparse_table appends the qualified name of a model's table.
 */
void
corm_deparse_table(StringInfo buf, CormModel *model)
{
	appendStringInfoString(buf, quote_qualified_identifier(model->table_schema, model->table_name));
}

static void
deparse_range(CormDeparse *ctx, CormRange *range)
{
	StringInfo	buf = ctx->buf;

	if (range->model)
	{
		corm_deparse_table(buf, range->model);
		if (strcmp(range->alias, range->model->table_name) == 0)
			return;
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
		corm_deparse_subquery(ctx, range->query);
		appendStringInfoChar(buf, ')');
	}
	appendStringInfo(buf, " AS %s", quote_identifier(range->alias));
}

/*
 * Output columns
 */

static Item *
make_item(CormTree *tree)
{
	Item	   *item = palloc0(sizeof(Item));

	item->name = corm_item_name(tree);
	if (tree->tag == CORM_N_COLUMN && tree->range)
	{
		item->range = tree->range;
		item->field = tree->field;
		item->column = tree->output;
	}
	else
	{
		item->aliased = tree->tag == CORM_N_AS;
		item->tree = item->aliased ? tree->args[0].node : tree;
	}
	return item;
}

/*
 * The columns that a statement returns by itself: what is selected or
 * returned, else all fields of its source.
 */
static List *
own_items(CormStmt *stmt)
{
	List	   *trees = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
	List	   *items = NIL;
	ListCell   *lc;

	if (trees)
	{
		foreach(lc, trees)
			items = lappend(items, make_item(lfirst(lc)));
		return items;
	}
	if (stmt->source->model)
	{
		CormModel  *model = stmt->source->model;

		for (int i = 0; i < model->nfields; i++)
		{
			Item	   *item = palloc0(sizeof(Item));

			item->name = model->fields[i].name;
			item->range = stmt->source;
			item->field = &model->fields[i];
			items = lappend(items, item);
		}
		return items;
	}
	foreach(lc, stmt->source->columns)
	{
		Item	   *item = palloc0(sizeof(Item));

		item->name = item->column = lfirst(lc);
		item->range = stmt->source;
		items = lappend(items, item);
	}
	return items;
}

static Item *
find_item(List *items, const char *name, const char *column)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		Item	   *item = lfirst(lc);

		if (strcmp(item->name, name) == 0)
			return item;
	}
	/* a field may be named by its column, and the other way round */
	foreach(lc, items)
	{
		Item	   *item = lfirst(lc);

		if (item->field &&
			(strcmp(item->field->column, name) == 0 ||
			 (column && strcmp(item->field->column, column) == 0)))
			return item;
	}
	return NULL;
}

/*
 * The items for a row type, one per attribute in their order.  The row type
 * may itself be a model of the source's table, whose attributes then stand
 * for its columns.
 */
static List *
row_items(CormStmt *stmt, const CormDeparseRequest *request)
{
	List	   *own = own_items(stmt);
	CormRange  *source = stmt->source;
	CormModel  *row_model = NULL;
	List	   *items = NIL;

	if (source->model)
	{
		if (source->model->typid == request->typid)
			row_model = source->model;
		else if (OidIsValid(get_typ_typrelid(request->typid)))
			row_model = corm_model_get_any(get_typ_typrelid(request->typid));
		if (row_model && row_model->table != source->model->table)
			row_model = NULL;
	}

	for (int i = 0; i < request->tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(request->tupdesc, i);
		CormField  *row_field = NULL;
		Item	   *found;
		Item	   *item;

		if (att->attisdropped)
			continue;
		if (row_model)
			row_field = corm_model_field_by_rownum(row_model, att->attnum);
		found = find_item(own, row_field ? row_field->name : NameStr(att->attname),
						  row_field ? row_field->column : NULL);
		if (found == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("query does not produce attribute \"%s\" of type %s",
							NameStr(att->attname), format_type_be(request->typid)),
					 errhint("Select it, or use a composite type that has the selected fields only.")));
		item = palloc(sizeof(Item));
		*item = *found;
		item->quiet = true;
		if (item->field == NULL || item->field->typid != att->atttypid ||
			(item->field->typmod != att->atttypmod && att->atttypmod >= 0))
		{
			item->cast = att->atttypid;
			item->cast_typmod = att->atttypmod;
		}
		items = lappend(items, item);
	}
	return items;
}

static List *
json_items(CormStmt *stmt)
{
	List	   *items = own_items(stmt);
	ListCell   *lc;

	foreach(lc, items)
	{
		Item	   *item = lfirst(lc);

		if (item->field && strcmp(item->name, item->field->name) == 0)
			item->name = item->field->json_key;
	}
	return items;
}

static List *
value_items(CormStmt *stmt, Oid typid)
{
	List	   *own = own_items(stmt);
	Item	   *item;

	if (list_length(own) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query returns %d columns, but one value is wanted", list_length(own)),
				 errhint("Use corm.select() with one field or expression.")));
	item = linitial(own);
	item->quiet = true;
	if (item->field == NULL || item->field->typid != typid)
	{
		item->cast = typid;
		item->cast_typmod = -1;
	}
	return own;
}

static void
deparse_items(CormDeparse *ctx, List *items)
{
	StringInfo	buf = ctx->buf;
	ListCell   *lc;

	foreach(lc, items)
	{
		Item	   *item = lfirst(lc);
		const char *own_name = item->field ? item->field->column : item->column;

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		if (OidIsValid(item->cast))
			appendStringInfoString(buf, "CAST(");
		if (item->tree)
			corm_deparse_expr(ctx, item->tree);
		else
			corm_deparse_column(ctx, item->range, item->field, item->column);
		if (OidIsValid(item->cast))
			appendStringInfo(buf, " AS %s)", corm_deparse_type(item->cast, item->cast_typmod));
		if ((!item->quiet || item->aliased) &&
			(own_name == NULL || strcmp(own_name, item->name) != 0))
			appendStringInfo(buf, " AS %s", quote_identifier(item->name));
	}
}

/*
 * Clauses
 */

static void
deparse_ctes(CormDeparse *ctx, CormStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->ctes)
	{
		CormCte    *cte = lfirst(lc);

		appendStringInfo(ctx->buf, "%s%s AS (",
						 foreach_current_index(lc) == 0 ? "WITH " : ", ",
						 quote_identifier(cte->name));
		corm_deparse_subquery(ctx, cte->query);
		appendStringInfoString(ctx->buf, ") ");
	}
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

static void
deparse_conditions(CormDeparse *ctx, const char *keyword, List *conditions)
{
	if (conditions == NIL)
		return;
	appendStringInfoString(ctx->buf, keyword);
	corm_deparse_and(ctx, conditions);
}

static void
deparse_from(CormDeparse *ctx, CormStmt *stmt)
{
	ListCell   *lc;

	appendStringInfoString(ctx->buf, " FROM ");
	deparse_range(ctx, stmt->source);
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
		deparse_range(ctx, join->range);
		if (join->condition)
		{
			appendStringInfoString(ctx->buf, " ON ");
			corm_deparse_expr(ctx, join->condition);
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

static void
deparse_key_order(CormDeparse *ctx, CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;

	if (model == NULL || model->npk == 0 || stmt->group_by || stmt->distinct ||
		stmt->distinct_on || stmt->setops)
		return;
	for (int i = 0; i < model->npk; i++)
	{
		appendStringInfoString(ctx->buf, i == 0 ? " ORDER BY " : ", ");
		corm_deparse_column(ctx, stmt->source, &model->fields[model->pk[i]], NULL);
	}
}

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
		deparse_items(ctx, items);
	else
		appendStringInfoString(buf, "1");
	deparse_from(ctx, stmt);
	deparse_conditions(ctx, " WHERE ", stmt->where);
	deparse_list(ctx, " GROUP BY ", stmt->group_by);
	deparse_conditions(ctx, " HAVING ", stmt->having);
}

static void
deparse_select(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;
	CormStmt   *outer = ctx->stmt;
	ListCell   *lc;

	ctx->stmt = stmt;
	deparse_ctes(ctx, stmt);
	deparse_select_body(ctx, stmt, items);
	foreach(lc, stmt->setops)
	{
		CormSetOp  *setop = lfirst(lc);

		appendStringInfoString(buf,
							   setop->tag == CORM_N_UNION ? " UNION (" :
							   setop->tag == CORM_N_UNION_ALL ? " UNION ALL (" :
							   setop->tag == CORM_N_INTERSECT ? " INTERSECT (" : " EXCEPT (");
		corm_deparse_subquery(ctx, setop->query);
		appendStringInfoChar(buf, ')');
	}
	deparse_list(ctx, " ORDER BY ", stmt->order_by);
	if (ctx->order_by_key && stmt->parent == NULL && ctx->depth == 0 && stmt->order_by == NIL)
		deparse_key_order(ctx, stmt);
	if (stmt->limit)
	{
		appendStringInfoString(buf, " LIMIT ");
		corm_deparse_expr(ctx, stmt->limit);
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
						 stmt->lock == CORM_N_FOR_UPDATE ? "UPDATE" : "SHARE",
						 quote_identifier(stmt->source->alias), stmt->lock_wait);
	ctx->stmt = outer;
}

/*
 * corm_deparse_subquery appends a statement with its own output columns.
 */
void
corm_deparse_subquery(CormDeparse *ctx, CormStmt *stmt)
{
	check_stack_depth();
	ctx->depth++;
	if (stmt->command == CORM_CMD_RAW)
		corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	else if (stmt->command == CORM_CMD_SELECT)
		deparse_select(ctx, stmt, own_items(stmt));
	else
		deparse_write(ctx, stmt, stmt->returns ? own_items(stmt) : NIL);
	ctx->depth--;
}

/*
 * Writes
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

static void
deparse_conflict(CormDeparse *ctx, CormStmt *stmt, List *given)
{
	StringInfo	buf = ctx->buf;
	ListCell   *lc;
	List	   *fields = stmt->update_fields;
	bool		first = true;

	appendStringInfoString(buf, " ON CONFLICT");
	if (stmt->conflict_fields)
	{
		foreach(lc, stmt->conflict_fields)
		{
			CormField  *field = lfirst(lc);

			appendStringInfo(buf, "%s%s", foreach_current_index(lc) == 0 ? " (" : ", ",
							 quote_identifier(field->column));
		}
		appendStringInfoChar(buf, ')');
		if (stmt->conflict_where)
		{
			appendStringInfoString(buf, " WHERE ");
			ctx->bare_columns = true;
			corm_deparse_expr(ctx, stmt->conflict_where);
			ctx->bare_columns = false;
		}
	}
	else if (stmt->conflict_constraint)
		appendStringInfo(buf, " ON CONSTRAINT %s", quote_identifier(stmt->conflict_constraint));

	if (stmt->conflict_action == CORM_CONFLICT_NOTHING)
	{
		appendStringInfoString(buf, " DO NOTHING");
		return;
	}

	if (fields == NIL && stmt->update_sets == NIL)
	{
		/* all that was given but the key */
		foreach(lc, given)
		{
			CormField  *field = lfirst(lc);

			if (!list_has_field(stmt->conflict_fields, field) && !field->primary_key)
				fields = lappend(fields, field);
		}
		/* a row must be touched to be returned */
		if (fields == NIL)
			fields = list_copy(stmt->conflict_fields ? stmt->conflict_fields : given);
	}
	appendStringInfoString(buf, " DO UPDATE SET ");
	foreach(lc, fields)
	{
		CormField  *field = lfirst(lc);
		const char *column = quote_identifier(field->column);
		ListCell   *set;
		bool		overridden = false;

		foreach(set, stmt->update_sets)
			if (((CormAssignment *) lfirst(set))->field == field)
				overridden = true;
		if (overridden)
			continue;
		appendStringInfo(buf, "%s%s = EXCLUDED.%s", first ? "" : ", ", column, column);
		first = false;
	}
	deparse_assignments(ctx, stmt->update_sets, &first);
	deparse_conditions(ctx, " WHERE ", stmt->where);
}

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
				if (((CormAssignment *) lfirst(lc))->field == field)
					overridden = true;
			if (!overridden)
				row_fields = lappend(row_fields, field);
		}
	}
	given = list_copy(row_fields);
	foreach(lc, stmt->sets)
		given = lappend(given, ((CormAssignment *) lfirst(lc))->field);

	appendStringInfoString(buf, "INSERT INTO ");
	corm_deparse_table(buf, model);
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

	if (stmt->rows)
	{
		bool		is_json = stmt->rows->typid == JSONBOID;

		appendStringInfoString(buf, " SELECT ");
		foreach(lc, row_fields)
		{
			CormField  *field = lfirst(lc);
			const char *column = field->column;

			/* an array has the attributes of the model's row type */
			if (!is_json)
				column = get_attname(model->relid, field->rownum, false);
			appendStringInfo(buf, "%s%s.%s", foreach_current_index(lc) == 0 ? "" : ", ",
							 CORM_ROWS_ALIAS, quote_identifier(column));
		}
		foreach(lc, stmt->sets)
		{
			CormAssignment *set = lfirst(lc);

			if (row_fields || foreach_current_index(lc) > 0)
				appendStringInfoString(buf, ", ");
			corm_deparse_value_for(ctx, set->value, model, set->field);
		}
		if (is_json)
		{
			appendStringInfoString(buf, " FROM pg_catalog.jsonb_populate_recordset(NULL::");
			corm_deparse_table(buf, model);
			appendStringInfoString(buf, ", ");
		}
		else
			appendStringInfoString(buf, " FROM pg_catalog.unnest(");
		corm_deparse_expr(ctx, stmt->rows);
		appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
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

static void
deparse_update_or_delete(CormDeparse *ctx, CormStmt *stmt)
{
	StringInfo	buf = ctx->buf;
	List	   *conditions = NIL;
	ListCell   *lc;
	bool		first = true;

	appendStringInfoString(buf, stmt->command == CORM_CMD_UPDATE ? "UPDATE " : "DELETE FROM ");
	deparse_range(ctx, stmt->source);
	if (stmt->command == CORM_CMD_UPDATE)
	{
		appendStringInfoString(buf, " SET ");
		deparse_assignments(ctx, stmt->sets, &first);
	}
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);

		appendStringInfoString(buf, foreach_current_index(lc) > 0 ? ", " :
							   stmt->command == CORM_CMD_UPDATE ? " FROM " : " USING ");
		deparse_range(ctx, join->range);
		if (join->condition)
			conditions = lappend(conditions, join->condition);
	}
	deparse_conditions(ctx, " WHERE ", list_concat(conditions, stmt->where));
}

static void
deparse_write(CormDeparse *ctx, CormStmt *stmt, List *returning)
{
	CormStmt   *outer = ctx->stmt;

	ctx->stmt = stmt;
	deparse_ctes(ctx, stmt);
	if (stmt->command == CORM_CMD_INSERT)
		deparse_insert(ctx, stmt);
	else
		deparse_update_or_delete(ctx, stmt);
	if (returning)
	{
		appendStringInfoString(ctx->buf, " RETURNING ");
		deparse_items(ctx, returning);
	}
	ctx->stmt = outer;
}

/*
 * Whole statements, by what is wanted of them
 */

static void
deparse_any(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	if (stmt->command == CORM_CMD_SELECT)
		deparse_select(ctx, stmt, items);
	else
		deparse_write(ctx, stmt, items);
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
	if (list_length(items) < list_length(stmt->select))
		return true;
	if (!stmt->distinct && !stmt->distinct_on)
		return false;
	if (list_length(items) != list_length(own_items(stmt)))
		return true;
	foreach(lc, items)
		if (OidIsValid(((Item *) lfirst(lc))->cast))
			return true;
	return false;
}

static void
deparse_wrapped(CormDeparse *ctx, CormStmt *stmt, List *items)
{
	StringInfo	buf = ctx->buf;
	ListCell   *lc;

	appendStringInfoString(buf, "SELECT ");
	foreach(lc, items)
	{
		Item	   *item = lfirst(lc);
		char	   *column = psprintf("%s.%s", CORM_ROWS_ALIAS, quote_identifier(item->name));

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		if (OidIsValid(item->cast))
			appendStringInfo(buf, "CAST(%s AS %s)", column,
							 corm_deparse_type(item->cast, item->cast_typmod));
		else
			appendStringInfoString(buf, column);
	}
	appendStringInfoString(buf, " FROM (");
	deparse_any(ctx, stmt, own_items(stmt));
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
	bool		first = true;

	appendStringInfo(buf, "WITH %s", CORM_ROWS_ALIAS);
	if (request->output == CORM_OUTPUT_VALUE)
		appendStringInfoString(buf, "(value)");
	appendStringInfoString(buf, " AS (");
	corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	appendStringInfoString(buf, ") SELECT ");
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
			appendStringInfo(buf, "%sCAST(%s.%s AS %s)", first ? "" : ", ", CORM_ROWS_ALIAS,
							 quote_identifier(NameStr(att->attname)),
							 corm_deparse_type(att->atttypid, att->atttypmod));
			first = false;
		}
	}
	appendStringInfo(buf, " FROM %s", CORM_ROWS_ALIAS);
	if (request->limit > 0)
		appendStringInfo(buf, " LIMIT %d", request->limit);
}

static void
deparse_json(CormDeparse *ctx, CormStmt *stmt, bool one)
{
	StringInfo	buf = ctx->buf;
	const char *rows = CORM_ROWS_ALIAS;
	const char *result = one ?
		psprintf("pg_catalog.to_jsonb(%s.*)", rows) :
		psprintf("COALESCE(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(%s.*)), '[]')", rows);

	if (stmt->command == CORM_CMD_SELECT)
	{
		appendStringInfo(buf, "SELECT %s FROM (", result);
		deparse_select(ctx, stmt, json_items(stmt));
		appendStringInfo(buf, ") AS %s", rows);
		return;
	}
	appendStringInfo(buf, "WITH %s AS (", rows);
	if (stmt->command == CORM_CMD_RAW)
		corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	else
		deparse_write(ctx, stmt, json_items(stmt));
	appendStringInfo(buf, ") SELECT %s FROM %s", result, rows);
}

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
			 stmt->setops || stmt->limit || stmt->offset || stmt->ctes || stmt->select ||
			 stmt->lock != CORM_N_INVALID)
	{
		appendStringInfoString(buf, " FROM (");
		deparse_select(ctx, stmt, own_items(stmt));
		appendStringInfo(buf, ") AS %s", CORM_ROWS_ALIAS);
	}
	else
	{
		ctx->stmt = stmt;
		deparse_from(ctx, stmt);
		deparse_conditions(ctx, " WHERE ", stmt->where);
	}
}

static void
deparse_exists(CormDeparse *ctx, CormStmt *stmt)
{
	bool		simple = !stmt->distinct && !stmt->distinct_on && !stmt->setops && !stmt->select;

	appendStringInfoString(ctx->buf, "SELECT EXISTS (");
	if (stmt->command == CORM_CMD_RAW)
		corm_deparse_raw(ctx, stmt->raw_sql, stmt->raw_args);
	else
		deparse_select(ctx, stmt, simple ? NIL : own_items(stmt));
	appendStringInfoChar(ctx->buf, ')');
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

	initStringInfo(&buf);
	ctx.path_is_safe = request->path_is_safe;
	ctx.limit = request->limit;
	ctx.order_by_key = request->order_by_key;
	ctx.rows_fields = request->rows_fields;
	result->returns_rows = true;

	switch (request->output)
	{
		case CORM_OUTPUT_ROWS:
		case CORM_OUTPUT_VALUE:
			if (stmt->command == CORM_CMD_RAW)
			{
				deparse_raw_rows(&ctx, stmt, request);
				break;
			}
			items = request->output == CORM_OUTPUT_ROWS ? row_items(stmt, request) :
				value_items(stmt, request->typid);
			if (needs_wrapping(stmt, items))
				deparse_wrapped(&ctx, stmt, items);
			else
				deparse_any(&ctx, stmt, items);
			break;
		case CORM_OUTPUT_JSON:
			deparse_json(&ctx, stmt, false);
			break;
		case CORM_OUTPUT_JSON_ROW:
			deparse_json(&ctx, stmt, true);
			break;
		case CORM_OUTPUT_COUNT:
			require_read(stmt, "count");
			deparse_count(&ctx, stmt);
			break;
		case CORM_OUTPUT_EXISTS:
			require_read(stmt, "exists");
			deparse_exists(&ctx, stmt);
			break;
		case CORM_OUTPUT_NATIVE:
			if (stmt->command == CORM_CMD_RAW)
				corm_deparse_raw(&ctx, stmt->raw_sql, stmt->raw_args);
			else if (stmt->command == CORM_CMD_SELECT)
				deparse_select(&ctx, stmt, own_items(stmt));
			else
			{
				deparse_write(&ctx, stmt, stmt->returns ? own_items(stmt) : NIL);
				result->returns_rows = stmt->returns;
			}
			break;
	}

	result->sql = buf.data;
	result->nparams = list_length(ctx.params);
	result->params = palloc(sizeof(CormParam) * Max(result->nparams, 1));
	for (int i = 0; i < result->nparams; i++)
		result->params[i] = *(CormParam *) list_nth(ctx.params, i);
	return result;
}
