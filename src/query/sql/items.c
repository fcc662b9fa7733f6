/*-------------------------------------------------------------------------
 *
 * items.c
 *		The output columns of a statement.
 *
 * A statement has columns of its own: what it selects or returns, else all
 * fields of its source.  What is wanted of it decides which of them are
 * written and how: for a row type, by the names of its attributes and cast to
 * their types; for JSON, by keys; for a single value, one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/naming.h"
#include "query/query.h"
#include "query/resolve/names.h"
#include "query/sql/expr.h"
#include "query/sql/items.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void mark_hidden(CormRange *range, List *items);

/* Returns the item of a select list's element, under its output name. */
static CormItem *
make_item(CormTree *tree)
{
	CormItem   *item = palloc0(sizeof(CormItem));

	item->name = corm_item_name(tree);
	if (corm_tree_is(tree, CORM_IS_COLUMN) && tree->range)
	{
		item->range = tree->range;
		item->field = tree->field;
		item->column = tree->output;
		item->hidden = tree->by_default && corm_tree_is_hidden(tree);
	}
	else
	{
		item->aliased = tree->tag == CORM_N_AS || tree->is_referenced;
		item->tree = tree->tag == CORM_N_AS ? tree->args[0].node : tree;
	}
	return item;
}

/*
 * Marks the columns of a subquery that are hidden fields there and have not been named.
 */
static void
mark_hidden(CormRange *range, List *items)
{
	List	   *inner;
	ListCell   *lc;
	ListCell   *lc2;

	check_stack_depth();
	if (range->definition == NULL || range->definition->command == CORM_CMD_RAW)
		return;
	inner = corm_items_own(range->definition);
	if (!corm_items_hide(inner))
		return;
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		foreach(lc2, inner)
		{
			if (strcmp(((CormItem *) lfirst(lc2))->name, item->name) == 0)
				item->hidden |= ((CormItem *) lfirst(lc2))->hidden;
		}
	}
}

/*
 * corm_items_own returns the columns that a statement has by itself: what is selected or
 * returned, else all fields of its source.  Hidden fields that no builder has named are among
 * them, and marked: rows of the table's type hold them, and a query around this one may
 * name them.
 */
List *
corm_items_own(CormStmt *stmt)
{
	List	   *trees = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
	List	   *items = NIL;
	ListCell   *lc;

	if (stmt->shows_nothing)
		return NIL;
	if (trees)
	{
		foreach(lc, trees)
		{
			items = lappend(items, make_item(lfirst(lc)));
		}
		return items;
	}
	if (stmt->source->model)
	{
		CormModel  *model = stmt->source->model;

		for (int i = 0; i < model->nfields; i++)
		{
			CormItem   *item = palloc0(sizeof(CormItem));

			item->name = model->fields[i].name;
			item->range = stmt->source;
			item->field = &model->fields[i];
			item->hidden = model->fields[i].hidden;
			items = lappend(items, item);
		}
		return items;
	}
	foreach(lc, stmt->source->columns)
	{
		CormItem   *item = palloc0(sizeof(CormItem));

		item->name = item->column = lfirst(lc);
		item->range = stmt->source;
		items = lappend(items, item);
	}
	mark_hidden(stmt->source, items);
	return items;
}

/*
 * corm_items_shown returns those that are shown where nobody asks for more: without
 * hidden fields.  The parts of a combined query must have the same columns, so all of
 * them are there.
 */
List *
corm_items_shown(CormStmt *stmt)
{
	List	   *items = corm_items_own(stmt);
	ListCell   *lc;

	if (stmt->setops == NIL)
		foreach(lc, items)
	{
		if (((CormItem *) lfirst(lc))->hidden)
			items = foreach_delete_current(items, lc);
	}
	return items;
}

/*
 * corm_items_hide tells whether there are hidden fields among items.
 */
bool
corm_items_hide(List *items)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		if (((CormItem *) lfirst(lc))->hidden)
			return true;
	}
	return false;
}

/*
 * Returns the item of that name, or that of the field whose column has it;
 * NULL if there is none.
 */
static CormItem *
find_item(List *items, const char *name, const char *column)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (strcmp(item->name, name) == 0)
			return item;
	}
	/* a field may be named by its column, and the other way round */
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (item->field &&
			(strcmp(item->field->column, name) == 0 ||
			 (column && strcmp(item->field->column, column) == 0)))
			return item;
	}
	return NULL;
}

/*
 * The preload that fills an attribute or key of the given name, or NULL.
 */
static CormItem *
preload_item(CormStmt *stmt, const char *name)
{
	ListCell   *lc;

	foreach(lc, stmt->preloads)
	{
		CormPreload *preload = lfirst(lc);
		CormItem   *item;

		if (strcmp(preload->name, name) != 0)
			continue;
		item = palloc0(sizeof(CormItem));
		item->name = preload->name;
		item->preload = preload;
		return item;
	}
	return NULL;
}

/*
 * corm_is_left_out tells whether an attribute of a row type is tagged out of
 * its model: in rows that are read it is NULL.
 */
bool
corm_is_left_out(Oid row_type, AttrNumber attnum)
{
	Oid			relid = get_typ_typrelid(row_type);
	CormModel  *model = OidIsValid(relid) ? corm_model_get_any(relid) : NULL;

	return model && corm_model_field_by_rownum(model, attnum) == NULL;
}

/* Returns the item of an attribute that is not part of its model, or not shown: a NULL. */
static CormItem *
left_out_item(Form_pg_attribute att)
{
	CormItem   *item = palloc0(sizeof(CormItem));

	item->name = pstrdup(NameStr(att->attname));
	item->tree = corm_make_tree(CORM_N_NULL);
	item->tree->args[0].oid = att->atttypid;
	item->quiet = true;
	item->left_out = true;
	return item;
}

/*
 * corm_items_row returns the items for a row type, one per attribute in their order.  The row type
 * may itself be a model of the source's table, whose attributes then stand
 * for its columns.
 */
List *
corm_items_row(CormStmt *stmt, const CormDeparseRequest *request)
{
	List	   *own = corm_items_own(stmt);
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
		CormItem   *found;
		CormItem   *item;

		if (att->attisdropped)
			continue;
		if (row_model)
			row_field = corm_model_field_by_rownum(row_model, att->attnum);
		item = preload_item(stmt, NameStr(att->attname));
		if (item)
		{
			item->cast = att->atttypid;
			item->cast_typmod = att->atttypmod;
			items = lappend(items, item);
			continue;
		}
		found = find_item(own, row_field ? row_field->name : NameStr(att->attname),
						  row_field ? row_field->column : NULL);
		/* a type that is no model of the table does not name its fields */
		if (found && found->hidden && source->model && row_model == NULL)
			found = NULL;
		if (found && stmt->shown && !bms_is_member(found->field - source->model->fields, stmt->shown))
		{
			items = lappend(items, left_out_item(att));
			continue;
		}
		if (found == NULL && corm_is_left_out(request->typid, att->attnum))
		{
			items = lappend(items, left_out_item(att));
			continue;
		}
		if (found == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("query does not produce attribute \"%s\" of type %s",
							NameStr(att->attname), format_type_be(request->typid)),
					 errhint("Select it, or use a composite type that has the selected fields only.")));
		item = palloc(sizeof(CormItem));
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
	if (stmt->number)
		items = lappend(items, make_item(stmt->number));
	return items;
}

/*
 * A name as a key in JSON, by the model's naming strategy.
 */
static char *
json_key_name(CormModel *model, const char *name)
{
	switch (model->naming)
	{
		case CORM_NAMING_CAMEL:
			return corm_camelize_name(name, false);
		case CORM_NAMING_PASCAL:
			return corm_camelize_name(name, true);
		default:
			return pstrdup(name);
	}
}

/*
 * corm_items_native returns a statement's own columns, and preloads as jsonb.
 */
List *
corm_items_native(CormStmt *stmt)
{
	List	   *items = corm_items_shown(stmt);
	ListCell   *lc;

	foreach(lc, stmt->preloads)
	{
		CormItem   *item = preload_item(stmt, ((CormPreload *) lfirst(lc))->name);

		item->cast = JSONBOID;
		item->cast_typmod = -1;
		items = lappend(items, item);
	}
	return items;
}

/*
 * Two keys of one name would leave one value of both.
 */
static void
check_keys(List *items)
{
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		for (int i = 0; i < foreach_current_index(lc); i++)
			if (strcmp(((CormItem *) list_nth(items, i))->name, item->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("two columns of the result are named \"%s\"", item->name),
						 errhint("Give one of them another name with corm.as().")));
	}
}

/*
 * The key in JSON of a column of a subquery: that of the field that it is
 * there, under the field's name; else the column's name.
 */
static char *
column_json_key(CormRange *range, char *column)
{
	ListCell   *lc;

	check_stack_depth();
	if (range->definition == NULL || range->definition->command == CORM_CMD_RAW)
		return column;
	foreach(lc, corm_items_own(range->definition))
	{
		CormItem   *item = lfirst(lc);

		if (strcmp(item->name, column) != 0)
			continue;
		if (item->field)
			return strcmp(item->field->name, column) == 0 ? item->field->json_key : column;
		if (item->range && item->column && strcmp(item->column, column) == 0)
			return column_json_key(item->range, column);
		break;
	}
	return column;
}

/*
 * corm_items_json returns the items for a JSON object: keys by the naming
 * strategy, preloads as json.  whole: with hidden fields.
 */
List *
corm_items_json(CormStmt *stmt, bool whole)
{
	List	   *items = whole ? corm_items_own(stmt) : corm_items_shown(stmt);
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (item->field && strcmp(item->name, item->field->name) == 0)
			item->name = item->field->json_key;
		else if (item->range && item->column && strcmp(item->name, item->column) == 0)
			item->name = column_json_key(item->range, item->column);
	}
	foreach(lc, stmt->preloads)
	{
		CormItem   *item = preload_item(stmt, ((CormPreload *) lfirst(lc))->name);

		item->name = json_key_name(stmt->source->model, item->name);
		items = lappend(items, item);
	}
	check_keys(items);
	return items;
}

/* The fields of a range that expressions refer to. */
typedef struct FieldsOf
{
	CormRange  *range;
	Bitmapset  *fields;
} FieldsOf;

/*
 * Adds the fields of the range that an expression refers to.  Returns true if they cannot be
 * told: it has SQL text or a subquery in it, or a column that is no field.
 */
static bool
fields_walker(CormTree *tree, void *context)
{
	FieldsOf   *of = context;

	if (tree->tag == CORM_N_RAW || tree->query || corm_tree_is(tree, CORM_IS_SUBQUERY | CORM_IS_RELATION))
		return true;
	if (corm_tree_is(tree, CORM_IS_COLUMN) && tree->range == of->range)
	{
		if (tree->field == NULL)
			return true;
		of->fields = bms_add_member(of->fields, tree->field - of->range->model->fields);
	}
	return corm_tree_walker(tree, fields_walker, context);
}

/*
 * corm_written_fields returns the fields, by index, of the rows that a write has written which
 * its result needs, or relations are joined by.  They are all fields where that cannot be told.
 */
Bitmapset *
corm_written_fields(CormStmt *stmt, const CormDeparseRequest *request)
{
	CormModel  *model = stmt->source->model;
	FieldsOf	of = {.range = stmt->source};
	bool		known = true;
	List	   *items;
	ListCell   *lc;

	if (request->output == CORM_OUTPUT_ROWS)
		items = corm_items_row(stmt, request);
	else if (request->output == CORM_OUTPUT_JSON || request->output == CORM_OUTPUT_JSON_ROW)
		items = corm_items_json(stmt, request->whole);
	else
		items = corm_items_own(stmt);
	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);

		if (item->preload)
			continue;
		if (item->tree)
			known &= !fields_walker(item->tree, &of);
		else if (item->range == stmt->source && item->field)
			of.fields = bms_add_member(of.fields, item->field - model->fields);
		else
			known = false;
	}
	foreach(lc, stmt->parent_keys)
	{
		CormField  *field = corm_model_find_field(model, lfirst(lc));

		if (field)
			of.fields = bms_add_member(of.fields, field - model->fields);
		else
			known = false;
	}
	return known ? of.fields : bms_add_range(NULL, 0, model->nfields - 1);
}

/*
 * corm_items_value returns the one item of a query that gives single values.
 */
List *
corm_items_value(CormStmt *stmt, Oid typid)
{
	List	   *own = corm_items_shown(stmt);
	CormItem   *item;

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

/*
 * corm_deparse_check appends a condition that is true, or an error if the row written does
 * not satisfy the checks of a statement.
 */
void
corm_deparse_check(CormDeparse *ctx, CormStmt *stmt)
{
	ListCell   *lc;

	appendStringInfoString(ctx->buf, "corm.guard_holds(");
	foreach(lc, stmt->checks)
	{
		appendStringInfoString(ctx->buf, foreach_current_index(lc) > 0 ? " AND (" : "(");
		corm_deparse_expr(ctx, lfirst(lc));
		appendStringInfoChar(ctx->buf, ')');
	}
	appendStringInfo(ctx->buf, ", %s)", quote_literal_cstr(stmt->source->model->name));
}

/*
 * corm_deparse_items appends a select list.
 */
void
corm_deparse_items(CormDeparse *ctx, List *items)
{
	StringInfo	buf = ctx->buf;
	bool		is_checked = false;
	ListCell   *lc;

	foreach(lc, items)
	{
		CormItem   *item = lfirst(lc);
		const char *own_name = item->field ? item->field->column : item->column;

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		if (ctx->checked)
		{
			CormStmt   *stmt = ctx->checked;

			ctx->checked = NULL;
			own_name = NULL;
			appendStringInfoString(buf, "CASE WHEN ");
			corm_deparse_check(ctx, stmt);
			appendStringInfoString(buf, " THEN ");
			is_checked = true;
		}
		if (OidIsValid(item->cast))
			appendStringInfoString(buf, "CAST(");
		if (item->tree)
			corm_deparse_expr(ctx, item->tree);
		else
			corm_deparse_seen_column(ctx, item->range, item->field, item->column);
		if (OidIsValid(item->cast))
			appendStringInfo(buf, " AS %s)", corm_deparse_type(item->cast, item->cast_typmod));
		if (is_checked)
			appendStringInfoString(buf, " END");
		is_checked = false;
		if ((!item->quiet || item->aliased) &&
			(own_name == NULL || strcmp(own_name, item->name) != 0))
			appendStringInfo(buf, " AS %s", quote_identifier(item->name));
	}
}
