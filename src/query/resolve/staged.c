/*-------------------------------------------------------------------------
 *
 * staged.c
 *		Splitting a write into three statements, to run row hooks in between.
 *
 * If a model has row hooks, a write of many rows cannot run as one statement.
 * We split it:
 *
 *		READ	the affected rows, locked, and their new values
 *		WRITE	writes an array of rows, as one statement
 *		SHOW	the rows written, as the query returns them
 *
 * Each stage is the resolved statement, modified so that the deparser does not
 * need to know about stages.  The arrays of rows are bound values, after those
 * of the query.
 *
 * WRITE finds its rows by their old primary key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/query.h"
#include "query/resolve/names.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static CormTree *
make_sql(char *sql)
{
	CormTree   *tree = corm_make_tree(CORM_N_RAW);

	tree->args[0].str = sql;
	return tree;
}

static CormTree *
make_null(Oid typid)
{
	CormTree   *tree = corm_make_tree(CORM_N_NULL);

	tree->args[0].oid = typid;
	return tree;
}

/* Returns an array of the model's rows, as a bound value. */
static CormTree *
make_rows(CormModel *model, int valno)
{
	CormTree   *tree = corm_make_tree(CORM_N_VALUE);

	tree->valno = valno;
	tree->typid = get_array_type(model->typid);
	return tree;
}

/* A range of rows that SQL text gives, whose $1, $2, ... are args. */
static CormRange *
make_range(const char *alias, char *sql, List *args)
{
	CormRange  *range = palloc0(sizeof(CormRange));
	CormStmt   *stmt = palloc0(sizeof(CormStmt));

	stmt->command = CORM_CMD_RAW;
	stmt->raw_sql = sql;
	stmt->raw_args = args;
	range->name = range->alias = pstrdup(alias);
	range->query = stmt;
	return range;
}

/* Returns an alias for the rows that differs from the table's. */
static const char *
rows_alias(CormStmt *stmt)
{
	return strcmp(stmt->source->alias, CORM_ROWS_ALIAS) == 0 ?
		CORM_ROWS_ALIAS "2" : CORM_ROWS_ALIAS;
}

/* Returns the quoted attribute name of a field in the model's row type. */
static const char *
attribute(CormModel *model, const CormField *field)
{
	return quote_identifier(get_attname(model->relid, field->rownum, false));
}

/*
 * Returns a field of a row stored in a column, with the type of the table's
 * column.
 */
static CormTree *
row_field(const char *alias, const char *column, CormModel *model, const CormField *field)
{
	CormTree   *tree = make_sql(psprintf("(%s.%s).%s", alias, column, attribute(model, field)));
	CormTree   *cast;

	if (get_atttype(model->relid, field->rownum) == field->typid)
		return tree;
	cast = corm_make_tree(CORM_N_CAST);
	cast->args[0].node = tree;
	cast->args[1].oid = field->typid;
	return cast;
}

/*
 * Returns the assigned value of a field as a SELECT column.  Unlike in SET, an
 * untyped value needs a cast to the field's type there.
 */
static CormTree *
set_column(CormAssignment *set)
{
	CormTree   *value = set->value;
	CormTree   *cast;

	if (value->tag == CORM_N_NULL)
		return make_null(set->field->typid);
	if (value->tag != CORM_N_VALUE ||
		(value->typid != UNKNOWNOID && value->typid != TEXTARRAYOID))
		return value;
	cast = corm_make_tree(CORM_N_CAST);
	cast->args[0].node = value;
	cast->args[1].oid = set->field->typid;
	return cast;
}

/*
 * Returns whether the rows of a model can be locked.  Rows of a view that is
 * not auto-updatable, so written through triggers, cannot.
 */
static bool
can_be_locked(CormModel *model)
{
	Relation	view;
	bool		simple;

	if (model->relkind != RELKIND_VIEW)
		return true;
	view = table_open(model->table, AccessShareLock);
	simple = view_query_is_auto_updatable(get_view_query(view), false) == NULL;
	table_close(view, AccessShareLock);
	return simple;
}

/*
 * Rejects an expression with fields of joined tables: SHOW no longer knows the
 * joined rows.
 */
static bool
returning_walker(CormTree *tree, void *context)
{
	CormStmt   *stmt = context;

	if (tree->tag == CORM_N_COLUMN && tree->range && tree->range != stmt->source &&
		list_member_ptr(stmt->ranges, tree->range))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("field \"%s\" of a joined table cannot be returned", tree->args[0].str),
				 stmt->preloads ? errdetail("Related rows are preloaded after the rows are written.") :
				 errdetail("Model \"%s\" has hooks, which are given the rows that are written, one by one.",
						   stmt->source->model->name),
				 errhint("Return the model's own fields, or read the others in a scalar subquery.")));
	return !corm_tree_is(tree, CORM_IS_SUBQUERY) && corm_tree_walker(tree, returning_walker, context);
}

/*
 * corm_stage_check raises 42601 for a write that is to run in stages and returns fields of
 * tables that it joins.
 */
void
corm_stage_check(CormStmt *stmt)
{
	if (stmt->joins)
		(void) corm_trees_walker(stmt->returning, returning_walker, stmt);
}

/*
 * corm_stage_shows adds to the set of fields that a stage is given those, by index, that are
 * shown of the rows it writes, behind the other members of the set.
 */
Bitmapset *
corm_stage_shows(CormModel *model, Bitmapset *fields, const Bitmapset *shown)
{
	int			i = -1;

	while ((i = bms_next_member(shown, i)) >= 0)
		fields = bms_add_member(fields, 2 * (model->nfields + 1) + i);
	return fields;
}

/*
 * corm_stage_return lets a write return just the fields that are shown, if the set has any.
 */
void
corm_stage_return(CormStmt *stmt, const Bitmapset *fields)
{
	int			first = 2 * (stmt->source->model->nfields + 1);
	int			i = first - 1;

	while ((i = bms_next_member(fields, i)) >= 0)
		stmt->shown = bms_add_member(stmt->shown, i - first);
	if (stmt->shown)
		stmt->returning = NIL;
}

/*
 * Returns whether a write keeps primary keys.  Then a weaker row lock
 * suffices, which allows foreign key checks as during an UPDATE.  A soft
 * delete is an update.
 */
static bool
keeps_key(CormStmt *stmt)
{
	ListCell   *lc;

	if (stmt->command == CORM_CMD_DELETE)
		return false;
	foreach(lc, stmt->sets)
	{
		if (((CormAssignment *) lfirst(lc))->field->primary_key)
			return false;
	}
	return true;
}

/*
 * corm_stage_read turns a write into the SELECT of its affected rows: one
 * column for each attribute of the model's row type that is not dropped, then
 * one for each assigned field.  An insert has no rows yet, so its columns are
 * those of rows(), or NULL.
 */
void
corm_stage_read(CormStmt *stmt, TupleDesc tupdesc)
{
	CormModel  *model = stmt->source->model;
	bool		insert = stmt->command == CORM_CMD_INSERT;
	const char *alias = CORM_ROWS_ALIAS;
	List	   *select = NIL;
	ListCell   *lc;

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		CormField  *field = corm_model_field_by_rownum(model, att->attnum);
		CormTree   *tree;

		if (att->attisdropped)
			continue;
		if (field == NULL || (insert && stmt->rows == NULL))
			tree = make_null(att->atttypid);
		else if (insert)
			tree = make_sql(psprintf("%s.%s", alias, stmt->rows->typid == JSONBOID ?
									 quote_identifier(field->column) : attribute(model, field)));
		else
			tree = corm_make_column(stmt->source, field->column);
		select = lappend(select, tree);
	}
	/* a soft delete sets fields, which is not for the hooks to see */
	if (stmt->command != CORM_CMD_DELETE)
		foreach(lc, stmt->sets)
	{
		if (((CormAssignment *) lfirst(lc))->field->rownum > 0)
			select = lappend(select, set_column(lfirst(lc)));
	}

	if (insert)
	{
		StringInfoData sql;

		initStringInfo(&sql);
		if (stmt->rows == NULL)
			appendStringInfoString(&sql, "SELECT 1");
		else if (stmt->rows->typid == JSONBOID)
		{
			appendStringInfoString(&sql, "SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::");
			appendStringInfoString(&sql, quote_qualified_identifier(model->table_schema, model->table_name));
			appendStringInfoString(&sql, ", $1)");
		}
		else
			appendStringInfoString(&sql, "SELECT * FROM pg_catalog.unnest($1)");
		stmt->source = make_range(alias, sql.data, stmt->rows ? list_make1(stmt->rows) : NIL);
		stmt->rows = NULL;
		/* the condition is about the rows that are there */
		stmt->where = NIL;
		stmt->conflict_action = CORM_CONFLICT_NONE;
	}
	else if (can_be_locked(model))
	{
		stmt->lock = CORM_N_FOR_UPDATE;
		stmt->lock_no_key = keeps_key(stmt);
		stmt->lock_wait = "";
	}
	stmt->command = CORM_CMD_SELECT;
	stmt->select = select;
	stmt->sets = NIL;
	stmt->returning = NIL;
}

/*
 * Joins the array of rows, the value valno, to an update or delete, by key.
 */
static void
join_rows(CormStmt *stmt, CormRange *rows, int valno)
{
	CormModel  *model = stmt->source->model;
	CormJoin   *join = palloc0(sizeof(CormJoin));

	join->tag = CORM_N_JOIN_MODEL;
	join->range = rows;
	stmt->joins = list_make1(join);
	stmt->where = NIL;
	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];

		stmt->where = lappend(stmt->where,
							  corm_make_binary(CORM_N_EQ, corm_make_column(stmt->source, field->column),
											   row_field(rows->alias, "o", model, field)));
	}
	stmt->where = list_concat(stmt->where, corm_located_by(stmt->source, make_rows(model, valno)));
}

/*
 * Returns the assignments to columns that the model's row type lacks.  A row
 * cannot hold those.
 */
static List *
hidden_sets(CormStmt *stmt)
{
	List	   *sets = NIL;
	ListCell   *lc;

	foreach(lc, stmt->sets)
	{
		if (((CormAssignment *) lfirst(lc))->field->rownum == 0)
			sets = lappend(sets, lfirst(lc));
	}
	return sets;
}

/* Returns whether an expression uses corm.inserted(). */
static bool
inserted_walker(CormTree *tree, void *context)
{
	if (tree->tag == CORM_N_INSERTED)
		return true;
	return !corm_tree_is(tree, CORM_IS_SUBQUERY) && corm_tree_walker(tree, inserted_walker, context);
}

/*
 * corm_stage_tells_inserted returns whether the WRITE of an upsert has an
 * extra last column: whether each row was inserted.  That is so if the query
 * asks for it or, for the hooks after the write, if existing rows are
 * returned.  SHOW takes an array of these flags after that of the rows.
 */
bool
corm_stage_tells_inserted(CormStmt *stmt)
{
	return stmt->command == CORM_CMD_INSERT &&
		(stmt->conflict_action == CORM_CONFLICT_SELECT ||
		 (stmt->conflict_action == CORM_CONFLICT_UPDATE && corm_trees_walker(stmt->returning, inserted_walker, NULL)));
}

/*
 * corm_stage_updates_given returns whether an upsert updates just the fields
 * that it was given.  WRITE learns those from the members of its set from the
 * number of fields + 1 on.
 */
bool
corm_stage_updates_given(CormStmt *stmt)
{
	return stmt->command == CORM_CMD_INSERT && stmt->conflict_action == CORM_CONFLICT_UPDATE &&
		stmt->update_fields == NIL && stmt->update_sets == NIL;
}

/*
 * corm_stage_write turns a write into one that takes its rows from arrays.  An
 * insert takes the fields in the set from one array.  An update has two
 * arrays, the old rows and the new ones, and sets the fields from the second.
 * A delete has only the old rows.  The arrays are the values from valno on.
 */
void
corm_stage_write(CormStmt *stmt, Bitmapset *fields, int valno)
{
	CormModel  *model = stmt->source->model;
	const char *alias = rows_alias(stmt);
	int			i = -1;

	if (corm_stage_tells_inserted(stmt))
		stmt->number = corm_make_tree(CORM_N_INSERTED);
	stmt->ctes = NIL;
	stmt->returning = NIL;
	corm_stage_return(stmt, fields);
	switch (stmt->command)
	{
		case CORM_CMD_INSERT:
			stmt->sets = hidden_sets(stmt);
			stmt->rows = make_rows(model, valno);
			if (corm_stage_updates_given(stmt))
			{
				ListCell   *lc;

				stmt->staged_upsert = true;
				foreach(lc, stmt->sets)
				{
					stmt->staged_given = lappend(stmt->staged_given, ((CormAssignment *) lfirst(lc))->field);
				}
				i = model->nfields;
				while ((i = bms_next_member(fields, i)) >= 0 && i <= 2 * model->nfields)
					stmt->staged_given = lappend(stmt->staged_given, &model->fields[i - model->nfields - 1]);
			}
			break;
		case CORM_CMD_UPDATE:
			stmt->sets = hidden_sets(stmt);
			join_rows(stmt, make_range(alias, "SELECT pg_catalog.unnest($1) AS o, pg_catalog.unnest($2) AS n",
									   list_make2(make_rows(model, valno), make_rows(model, valno + 1))), valno);
			while ((i = bms_next_member(fields, i)) >= 0 && i < model->nfields)
			{
				CormAssignment *set = palloc(sizeof(CormAssignment));

				set->field = &model->fields[i];
				set->value = row_field(alias, "n", model, set->field);
				stmt->sets = lappend(stmt->sets, set);
			}
			break;
		default:
			join_rows(stmt, make_range(alias, "SELECT pg_catalog.unnest($1) AS o",
									   list_make1(make_rows(model, valno))), valno);
	}
}

/*
 * corm_stage_show turns a write into the SELECT of its result from an array of
 * rows, the value valno.  corm.inserted() uses xmax, as with the table itself.
 */
void
corm_stage_show(CormStmt *stmt, int valno)
{
	CormModel  *model = stmt->source->model;
	List	   *arrays = list_make1(make_rows(model, valno));
	StringInfoData sql;
	CormRange  *rows;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < model->nfields; i++)
		appendStringInfo(&sql, "%s%s AS %s", i > 0 ? ", " : "", attribute(model, &model->fields[i]),
						 quote_identifier(model->fields[i].column));
	if (corm_stage_tells_inserted(stmt))
	{
		CormTree   *inserted = corm_make_tree(CORM_N_VALUE);

		inserted->valno = valno + 1;
		inserted->typid = BOOLARRAYOID;
		arrays = lappend(arrays, inserted);
		appendStringInfoString(&sql, ", CASE WHEN ($2)[pg_catalog.row_number() OVER ()] THEN '0' ELSE '1' END::xid AS xmax");
	}
	else if (stmt->command == CORM_CMD_INSERT)
		appendStringInfoString(&sql, ", '0'::xid AS xmax");
	appendStringInfoString(&sql, " FROM pg_catalog.unnest($1)");
	rows = make_range(stmt->source->alias, sql.data, arrays);

	/*
	 * those that only read may serve what is returned; the others have been
	 * run
	 */
	foreach(lc, stmt->ctes)
	{
		if (((CormCte *) lfirst(lc))->query->command != CORM_CMD_SELECT)
			stmt->ctes = foreach_delete_current(stmt->ctes, lc);
	}
	stmt->command = CORM_CMD_SELECT;
	stmt->source->query = rows->query;
	stmt->joins = NIL;
	stmt->where = NIL;
	stmt->sets = NIL;
	stmt->rows = NULL;
	stmt->conflict_action = CORM_CONFLICT_NONE;
	stmt->select = stmt->returning;
	stmt->returning = NIL;
	corm_locate_children(stmt, make_rows(model, valno));
}
