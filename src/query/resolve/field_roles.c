/*-------------------------------------------------------------------------
 *
 * field_roles.c
 *		Fields with a special role: soft-delete marks, versions, creation and
 *		update timestamps.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "query/query.h"
#include "query/resolve/field_roles.h"
#include "query/resolve/guard.h"
#include "query/resolve/names.h"
#include "query/value/tree.h"
#include "utils/lsyscache.h"

static bool
sets_field(CormStmt *stmt, CormField *field)
{
	ListCell   *lc;

	foreach(lc, stmt->sets)
	{
		if (((CormAssignment *) lfirst(lc))->field == field)
			return true;
	}
	return false;
}

static void
assign(CormStmt *stmt, int field, CormTree *value)
{
	CormAssignment *set = palloc(sizeof(CormAssignment));

	set->field = &stmt->source->model->fields[field];
	set->value = value;
	if (!sets_field(stmt, set->field))
		stmt->sets = lappend(stmt->sets, set);
}

static CormTree *
now_tree(void)
{
	CormTree   *now = corm_make_tree(CORM_N_FN);

	now->args[0].str = "pg_catalog.now";
	return now;
}

static CormTree *
number_tree(char *number)
{
	CormTree   *tree = corm_make_tree(CORM_N_RAW);

	tree->args[0].str = number;
	return tree;
}

/*
 * Returns a version with NULL taken as 0: all rows have NULL after the field
 * is added to a table.  A value still given as text is cast to the field's
 * type.
 */
static CormTree *
version_number(CormField *field, CormTree *version)
{
	CormTree   *number = corm_make_tree(CORM_N_COALESCE);

	if (version->tag == CORM_N_VALUE && version->typid == UNKNOWNOID)
	{
		CormTree   *cast = corm_make_tree(CORM_N_CAST);

		cast->args[0].node = version;
		cast->args[1].oid = field->typid;
		version = cast;
	}
	number->args[0].list = list_make2(version, number_tree("0"));
	return number;
}

/*
 * corm_version_condition returns the condition that a range's rows have the
 * version of a record.
 */
CormTree *
corm_version_condition(CormRange *range, CormTree *version)
{
	CormField  *field = &range->model->fields[range->model->version];
	CormTree   *column = corm_make_column(range, field->column);

	if (field->not_null)
		return corm_make_binary(CORM_N_EQ, column, version);
	return corm_make_binary(CORM_N_EQ, version_number(field, column), version_number(field, version));
}

/*
 * corm_touch makes an update increment the version and set the update time.
 */
void
corm_touch(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;

	if (model->updated_at >= 0)
		assign(stmt, model->updated_at, now_tree());
	if (model->version >= 0)
	{
		CormField  *field = &model->fields[model->version];
		CormTree   *version = corm_make_column(stmt->source, field->column);

		if (!field->not_null)
			version = version_number(field, version);
		assign(stmt, model->version, corm_make_binary(CORM_N_ADD, version, number_tree("1")));
	}
}

/*
 * corm_mark_deleted turns a delete into a soft delete.
 */
void
corm_mark_deleted(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;
	bool		flag = getBaseType(model->fields[model->soft_delete].typid) == BOOLOID;

	stmt->soft = true;
	assign(stmt, model->soft_delete, flag ? corm_make_list(CORM_N_AND, NIL) : now_tree());
	corm_touch(stmt);
}

/*
 * corm_make_restore turns a query over a model with soft delete into the
 * update that undoes the delete.
 */
void
corm_make_restore(CormStmt *stmt)
{
	CormModel  *model = stmt->source ? stmt->source->model : NULL;
	bool		flag;
	CormTree   *null = corm_make_tree(CORM_N_NULL);

	if (stmt->command != CORM_CMD_SELECT || model == NULL || model->soft_delete < 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.restore() takes a query that reads a model with soft delete")));
	if (stmt->select || stmt->distinct || stmt->distinct_on || stmt->group_by || stmt->having ||
		stmt->order_by || stmt->limit || stmt->offset || stmt->setops || stmt->joins || stmt->cursor)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.restore() takes a query of conditions only")));
	stmt->command = CORM_CMD_UPDATE;
	null->args[0].oid = model->fields[model->soft_delete].typid;
	flag = getBaseType(model->fields[model->soft_delete].typid) == BOOLOID;
	assign(stmt, model->soft_delete, flag ? corm_make_list(CORM_N_OR, NIL) : null);
	corm_touch(stmt);
	corm_guard_write(stmt);
}

static void
fill(CormStmt *stmt, Bitmapset *rows_fields, int field, CormTree *value)
{
	if (field < 0 || bms_is_member(field, rows_fields) ||
		stmt->source->model->fields[field].has_default)
		return;
	assign(stmt, field, value);
}

/*
 * Makes the update of an upsert increment the version and set the update time
 * like any other update, unless it assigns them itself.
 */
static void
touch_conflict(CormStmt *stmt)
{
	CormStmt	update = {.command = CORM_CMD_UPDATE, .source = stmt->source};
	ListCell   *lc;

	corm_touch(&update);
	foreach(lc, update.sets)
	{
		CormAssignment *touch = lfirst(lc);
		bool		said = list_member_ptr(stmt->update_fields, touch->field);
		ListCell   *set;

		foreach(set, stmt->update_sets)
		{
			said |= ((CormAssignment *) lfirst(set))->field == touch->field;
		}
		if (!said)
			stmt->touch_sets = lappend(stmt->touch_sets, touch);
	}
}

/*
 * corm_fill_insert sets the timestamps and the version of new rows, unless the
 * rows themselves (rows_fields) or a default provide them.
 */
void
corm_fill_insert(CormStmt *stmt, Bitmapset *rows_fields)
{
	CormModel  *model = stmt->source->model;
	ListCell   *lc;

	stmt->fixed = corm_guard_fixed(stmt);
	foreach(lc, stmt->fixed)
	{
		CormAssignment *fixed = lfirst(lc);
		int			field = fixed->field - model->fields;

		if (!bms_is_member(field, rows_fields))
			assign(stmt, field, fixed->value);
	}
	fill(stmt, rows_fields, model->created_at, now_tree());
	fill(stmt, rows_fields, model->updated_at, now_tree());
	fill(stmt, rows_fields, model->version, number_tree("1"));
	if (stmt->conflict_action == CORM_CONFLICT_UPDATE)
		touch_conflict(stmt);
}

/*
 * A right or full join keeps unmatched rows of its own side and fills in NULLs
 * for the other side.  Soft-deleted rows must behave as if they did not exist:
 * they match nothing in such a join and do not appear in the result.  The
 * caller excludes those of the source.
 */
static void
leave_deleted_out_of_joins(CormStmt *stmt)
{
	List	   *kept = list_make1(stmt->source);	/* ranges whose deleted
													 * rows can still appear */
	ListCell   *lc;

	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);
		List	   *conditions = NIL;
		ListCell   *range;

		if (join->tag != CORM_N_RIGHT_JOIN_MODEL && join->tag != CORM_N_FULL_JOIN_MODEL)
			continue;
		foreach(range, kept)
		{
			if (lfirst(range) != stmt->source || !(stmt->unscoped || stmt->only_deleted))
				conditions = list_concat(conditions, corm_deleted_condition(lfirst(range), false));
		}
		if (conditions)
			join->condition = corm_make_list(CORM_N_AND, lcons(join->condition, conditions));
		if (join->by_relation)
		{
			kept = lappend(kept, join->range);
			stmt->where = list_concat(stmt->where, corm_deleted_condition(join->range, false));
		}
	}
}

/*
 * corm_apply_roles applies the roles of fields to a query's statement: it
 * excludes deleted rows, turns a delete into a soft delete, and makes an
 * update increment the version and set the update time.
 */
void
corm_apply_roles(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;

	if (model == NULL || stmt->command == CORM_CMD_INSERT)
		return;
	if (stmt->command == CORM_CMD_DELETE && model->soft_delete >= 0 && !stmt->unscoped)
	{
		if (stmt->only_deleted)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("cannot soft-delete rows that are already deleted"),
					 errhint("Add corm.unscoped() to delete them for good.")));
		corm_mark_deleted(stmt);
	}
	if (stmt->command == CORM_CMD_UPDATE)
		corm_touch(stmt);
	if (stmt->command == CORM_CMD_SELECT)
		leave_deleted_out_of_joins(stmt);
	if (stmt->only_deleted)
		stmt->where = list_concat(stmt->where, corm_deleted_condition(stmt->source, true));
	else if (!stmt->unscoped)
		stmt->where = list_concat(stmt->where, corm_deleted_condition(stmt->source, false));
}
