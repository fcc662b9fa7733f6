/*-------------------------------------------------------------------------
 *
 * record_stmt.c
 *		Statements that write records, or look their rows up.
 *
 * A record's row type is the model.  The fields that a write gives are the shape
 * of its plan, so what is a value in the statement is known by the index of its
 * field:
 *
 *	insert	the given fields
 *	update	those but the key, by primary key
 *	save	an insert that becomes an update when the key exists
 *	delete	by primary key, or an update of a soft-deleted model
 *
 * Many records are updated by one statement, which joins an array of them with the
 * table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_type.h"
#include "exec/plan/plan.h"
#include "exec/plan/record_stmt.h"
#include "exec/rows/row_fields.h"
#include "exec/rows/row_type.h"
#include "executor/spi.h"
#include "model/model.h"
#include "utils/lsyscache.h"

/*
 * corm_is_lookup tells whether the source of a plan only reads the row of a
 * record.
 */
bool
corm_is_lookup(CormPlanSource source)
{
	return source == CORM_PLAN_LOOKUP || source == CORM_PLAN_LOCK;
}

static CormTree *
field_value(CormModel *model, int field)
{
	CormTree   *tree = corm_make_tree(CORM_N_VALUE);

	tree->valno = field;
	tree->typid = corm_record_field_type(model, field);
	return tree;
}

static CormAssignment *
field_assignment(CormModel *model, int field)
{
	CormAssignment *set = palloc(sizeof(CormAssignment));

	set->field = &model->fields[field];
	set->value = field_value(model, field);
	return set;
}

static CormTree *
key_condition(CormRange *range, int field)
{
	CormTree   *cond = corm_make_tree(CORM_N_EQ);
	CormTree   *column = corm_make_tree(CORM_N_COLUMN);

	column->range = range;
	column->field = &range->model->fields[field];
	cond->args[0].node = column;
	cond->args[1].node = field_value(range->model, field);
	return cond;
}

/*
 * Returns the assignments that corm adds to every update of the statement's model:
 * timestamps and versions.
 */
static List *
touch_assignments(CormStmt *stmt)
{
	CormStmt	update = {.command = CORM_CMD_UPDATE, .source = stmt->source};

	corm_touch(&update);
	return update.sets;
}

/* Makes a reference to a field of the array's rows, which have the model's row type. */
static CormTree *
row_column(CormRange *rows, CormModel *model, int field)
{
	CormTree   *column = corm_make_tree(CORM_N_COLUMN);

	column->range = rows;
	column->output = get_attname(model->relid, model->fields[field].rownum, false);
	if (get_atttype(model->relid, model->fields[field].rownum) != model->fields[field].typid)
	{
		CormTree   *cast = corm_make_tree(CORM_N_CAST);

		cast->args[0].node = column;
		cast->args[1].oid = model->fields[field].typid;
		return cast;
	}
	return column;
}

static CormTree *
row_condition(CormRange *range, CormRange *rows, int field)
{
	CormTree   *cond = corm_make_tree(CORM_N_EQ);
	CormTree   *column = corm_make_tree(CORM_N_COLUMN);

	column->range = range;
	column->field = &range->model->fields[field];
	cond->args[0].node = column;
	cond->args[1].node = row_column(rows, range->model, field);
	return cond;
}

/*
 * Makes a range of the rows of the array that is the statement's only value, with a row
 * number column.
 */
static CormRange *
numbered_rows(CormStmt *stmt)
{
	CormModel  *model = stmt->source->model;
	TupleDesc	tupdesc = corm_row_tupdesc(model->typid);
	CormRange  *rows = palloc0(sizeof(CormRange));
	char	   *number = "n";

	rows->name = rows->alias = CORM_ROWS_ALIAS;
	if (strcmp(stmt->source->alias, rows->alias) == 0)
		rows->alias = "r_2";
	rows->rows = corm_make_tree(CORM_N_VALUE);
	rows->rows->typid = get_array_type(model->typid);
	for (int i = 0; i < tupdesc->natts; i++)
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			rows->columns = lappend(rows->columns, pstrdup(NameStr(TupleDescAttr(tupdesc, i)->attname)));
	while (SPI_fnumber(tupdesc, number) > 0)
		number = psprintf("%s_", number);
	rows->columns = lappend(rows->columns, number);
	stmt->number = corm_make_tree(CORM_N_COLUMN);
	stmt->number->range = rows;
	stmt->number->output = number;
	return rows;
}

/*
 * Turns a statement that has a source into an update of many rows, from an array of
 * records joined by primary key.
 */
static CormStmt *
update_multi_stmt(CormStmt *stmt, Bitmapset *fields)
{
	CormModel  *model = stmt->source->model;
	CormRange  *rows = numbered_rows(stmt);
	CormJoin   *join = palloc0(sizeof(CormJoin));
	int			i = -1;

	join->tag = CORM_N_CROSS_JOIN;
	join->range = rows;
	stmt->command = CORM_CMD_UPDATE;
	stmt->joins = list_make1(join);

	while ((i = bms_next_member(fields, i)) >= 0)
	{
		CormAssignment *set;

		if (model->fields[i].primary_key)
			continue;
		set = palloc(sizeof(CormAssignment));
		set->field = &model->fields[i];
		set->value = row_column(rows, model, i);
		stmt->sets = lappend(stmt->sets, set);
	}
	for (i = 0; i < model->npk; i++)
		stmt->where = lappend(stmt->where, row_condition(stmt->source, rows, model->pk[i]));
	stmt->where = list_concat(stmt->where, corm_located_by(stmt->source, rows->rows));
	if (corm_record_has_version(model))
		stmt->where = lappend(stmt->where,
							  corm_version_condition(stmt->source, row_column(rows, model, model->version)));
	stmt->where = list_concat(stmt->where, corm_deleted_condition(stmt->source, false));
	if (stmt->sets == NIL)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_READ_ONLY_FIELD),
				 errmsg("model \"%s\" has no field that could be updated", model->name)));
	corm_touch(stmt);
	return stmt;
}

/*
 * corm_record_stmt makes the statement of a write that gives the fields in
 * the set (indexes into the model's fields); the value numbers of its
 * placeholders are indexes of fields too.
 */
CormStmt *
corm_record_stmt(CormPlanSource source, CormModel *model, Bitmapset *fields)
{
	CormStmt   *stmt = palloc0(sizeof(CormStmt));
	CormRange  *range = palloc0(sizeof(CormRange));
	int			i = -1;

	range->model = model;
	range->alias = model->table_name;
	stmt->source = range;
	stmt->ranges = list_make1(range);
	stmt->command = corm_is_lookup(source) ? CORM_CMD_SELECT :
		source == CORM_PLAN_DELETE ? CORM_CMD_DELETE :
		source == CORM_PLAN_UPDATE ? CORM_CMD_UPDATE : CORM_CMD_INSERT;

	if (source == CORM_PLAN_UPDATE_MULTI)
		return update_multi_stmt(stmt, fields);
	if (source != CORM_PLAN_DELETE && !corm_is_lookup(source))
		while ((i = bms_next_member(fields, i)) >= 0)
			if (source != CORM_PLAN_UPDATE || !model->fields[i].primary_key)
				stmt->sets = lappend(stmt->sets, field_assignment(model, i));

	if (source == CORM_PLAN_SAVE || source == CORM_PLAN_SAVE_NEW)
	{
		/*
		 * the record has the key of the row, even if an identity column
		 * generated it
		 */
		stmt->override_identity = true;
	}
	if (source == CORM_PLAN_SAVE_NEW)
	{
		stmt->conflict_action = CORM_CONFLICT_NOTHING;
		for (i = 0; i < model->npk; i++)
			stmt->conflict_fields = lappend(stmt->conflict_fields, &model->fields[model->pk[i]]);
	}
	if (source == CORM_PLAN_SAVE)
	{
		stmt->conflict_action = CORM_CONFLICT_UPDATE;
		for (i = 0; i < model->npk; i++)
			stmt->conflict_fields = lappend(stmt->conflict_fields, &model->fields[model->pk[i]]);
		for (i = 0; i < model->nfields; i++)
		{
			CormField  *field = &model->fields[i];

			if (field->primary_key || !corm_field_is_written(model, i, false, false))
				continue;

			/*
			 * a NULL that asks for the default of a NOT NULL column leaves it
			 * alone
			 */
			if (field->not_null && !bms_is_member(i, fields))
				continue;
			stmt->update_sets = lappend(stmt->update_sets, field_assignment(model, i));
		}
		stmt->update_sets = list_concat(stmt->update_sets, touch_assignments(stmt));
		if (corm_record_has_version(model))
			stmt->where = lappend(stmt->where,
								  corm_version_condition(range, field_value(model, model->version)));
	}
	if (source == CORM_PLAN_UPDATE || source == CORM_PLAN_DELETE || corm_is_lookup(source))
	{
		for (i = 0; i < model->npk; i++)
			stmt->where = lappend(stmt->where, key_condition(range, model->pk[i]));
		if (!corm_is_lookup(source) && corm_record_has_version(model))
			stmt->where = lappend(stmt->where,
								  corm_version_condition(range, field_value(model, model->version)));
		/* the lock is for a save, which must also find soft-deleted rows */
		if (source != CORM_PLAN_LOCK)
			stmt->where = list_concat(stmt->where, corm_deleted_condition(range, false));
	}

	/* nothing to update but the key: look the row up */
	if (source == CORM_PLAN_LOCK || (source == CORM_PLAN_UPDATE && stmt->sets == NIL))
	{
		stmt->command = CORM_CMD_SELECT;
		stmt->lock = CORM_N_FOR_UPDATE;
		stmt->lock_no_key = true;
		stmt->lock_wait = "";
	}
	else if (source == CORM_PLAN_UPDATE)
		corm_touch(stmt);
	else if (source == CORM_PLAN_DELETE && model->soft_delete >= 0)
		corm_mark_deleted(stmt);
	return stmt;
}
