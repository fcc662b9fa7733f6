/*-------------------------------------------------------------------------
 *
 * record.c
 *		Writes of one record: insert, update, save, delete.
 *
 * The record's row type is the model.  Which fields a write gives decides its
 * SQL, so the set of them is the shape of its plan; the fields' datums are
 * the parameters.
 *
 *		insert	a NULL in a field with a default, identity or generation
 *				expression is left out, so that PostgreSQL fills it
 *		update	all fields that may be written, by primary key
 *		save	an insert that becomes an update when the key exists
 *		delete	by primary key
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "exec/exec.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_insert);
PG_FUNCTION_INFO_V1(corm_update);
PG_FUNCTION_INFO_V1(corm_save);
PG_FUNCTION_INFO_V1(corm_delete);

/* A record taken apart: datums by the model's fields. */
typedef struct Record
{
	CormModel  *model;
	Datum	   *values;
	bool	   *nulls;
} Record;

/*
 * corm_record_field_type returns the type of a field as the model's row type
 * has it, which may differ from the column's.
 */
Oid
corm_record_field_type(CormModel *model, int field)
{
	return get_atttype(model->relid, model->fields[field].rownum);
}

/*
 * corm_field_is_written tells whether a write gives a field: not if it must
 * not be written, nor, in an insert, if it is NULL and PostgreSQL can fill
 * it.
 */
bool
corm_field_is_written(const CormField *field, bool insert, bool isnull)
{
	if (field->generated || field->read_only)
		return false;
	if (insert)
		return !isnull || !(field->has_default || field->identity);
	return field->identity != 'a';
}

/*
 * Takes a record apart.  The model and the arrays live in the current
 * context.
 */
static void
read_record(FunctionCallInfo fcinfo, Record *record)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);
	HeapTupleHeader header;
	HeapTupleData tuple;
	TupleDesc	tupdesc;
	Datum	   *values;
	bool	   *nulls;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the record must not be null")));
	header = PG_GETARG_HEAPTUPLEHEADER(0);
	/* a variable of type record has a row type of its own */
	if (!OidIsValid(typid) || typid == RECORDOID)
		typid = HeapTupleHeaderGetTypeId(header);
	record->model = corm_model_get_for_type(typid);

	tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
									 HeapTupleHeaderGetTypMod(header));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;

	values = palloc(sizeof(Datum) * tupdesc->natts);
	nulls = palloc(sizeof(bool) * tupdesc->natts);
	heap_deform_tuple(&tuple, tupdesc, values, nulls);

	/* by field: attributes without the dropped ones */
	record->values = palloc(sizeof(Datum) * Max(record->model->nfields, 1));
	record->nulls = palloc(sizeof(bool) * Max(record->model->nfields, 1));
	for (int i = 0; i < record->model->nfields; i++)
	{
		int			att = record->model->fields[i].rownum - 1;

		record->nulls[i] = att < 0 || att >= tupdesc->natts || nulls[att];
		record->values[i] = record->nulls[i] ? (Datum) 0 : values[att];
	}
	ReleaseTupleDesc(tupdesc);
}

/*
 * Statements
 */

static CormTree *
make_tree(CormNodeTag tag)
{
	CormTree   *tree = palloc0(sizeof(CormTree));

	tree->tag = tag;
	tree->desc = corm_node_desc(tag);
	return tree;
}

static CormTree *
field_value(CormModel *model, int field)
{
	CormTree   *tree = make_tree(CORM_N_VALUE);

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
	CormTree   *cond = make_tree(CORM_N_EQ);
	CormTree   *column = make_tree(CORM_N_COLUMN);

	column->range = range;
	column->field = &range->model->fields[field];
	cond->args[0].node = column;
	cond->args[1].node = field_value(range->model, field);
	return cond;
}

/*
 * A key field that the row type lacks cannot be matched.
 */
static void
require_key_fields(CormModel *model)
{
	corm_model_require_pk(model);
	for (int i = 0; i < model->npk; i++)
		if (model->pk[i] >= model->nfields)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_NO_PRIMARY_KEY),
					 errmsg("model \"%s\" lacks the field \"%s\" of its primary key",
							model->name, model->fields[model->pk[i]].name)));
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
	stmt->command = source == CORM_PLAN_DELETE ? CORM_CMD_DELETE :
		source == CORM_PLAN_UPDATE ? CORM_CMD_UPDATE : CORM_CMD_INSERT;

	if (source != CORM_PLAN_DELETE)
		while ((i = bms_next_member(fields, i)) >= 0)
			if (source != CORM_PLAN_UPDATE || !model->fields[i].primary_key)
				stmt->sets = lappend(stmt->sets, field_assignment(model, i));

	if (source == CORM_PLAN_SAVE)
	{
		stmt->conflict_action = CORM_CONFLICT_UPDATE;
		for (i = 0; i < model->npk; i++)
			stmt->conflict_fields = lappend(stmt->conflict_fields, &model->fields[model->pk[i]]);
		for (i = 0; i < model->nfields; i++)
		{
			CormField  *field = &model->fields[i];

			if (field->primary_key || !corm_field_is_written(field, false, false))
				continue;
			/* a NULL that asks for the default of a NOT NULL column leaves it alone */
			if (field->not_null && !bms_is_member(i, fields))
				continue;
			stmt->update_sets = lappend(stmt->update_sets, field_assignment(model, i));
		}
	}
	if (source == CORM_PLAN_UPDATE || source == CORM_PLAN_DELETE)
		for (i = 0; i < model->npk; i++)
			stmt->where = lappend(stmt->where, key_condition(range, model->pk[i]));

	/* nothing but the key to update: the row is looked up */
	if (source == CORM_PLAN_UPDATE && stmt->sets == NIL)
	{
		stmt->command = CORM_CMD_SELECT;
		stmt->lock = CORM_N_FOR_UPDATE;
		stmt->lock_wait = "";
	}
	return stmt;
}

/*
 * Writes a record and returns the row as it is then; false if no row was
 * written.
 */
static bool
write_record(FunctionCallInfo fcinfo, CormPlanSource source, Record *record, Datum *result)
{
	CormModel  *model = record->model;
	CormVerb	verb = {.source = source, .typid = model->typid};
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};
	Bitmapset  *fields = NULL;
	CormPlan   *plan;
	uint64		processed = 0;

	verb.output = source == CORM_PLAN_DELETE ? CORM_OUTPUT_NATIVE : CORM_OUTPUT_ROWS;
	if (source != CORM_PLAN_DELETE)
		for (int i = 0; i < model->nfields; i++)
			if (corm_field_is_written(&model->fields[i], source != CORM_PLAN_UPDATE, record->nulls[i]))
				fields = bms_add_member(fields, i);

	plan = corm_plan_for_record(&verb, model, fields);
	PG_TRY();
	{
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		processed = corm_run(plan, corm_bind_record(plan, record->values, record->nulls), &sink);
		SPI_finish();
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	*result = sink.value;
	return processed > 0;
}

static bool
has_null_key(Record *record)
{
	for (int i = 0; i < record->model->npk; i++)
		if (record->nulls[record->model->pk[i]])
			return true;
	return false;
}

static void no_such_row(void) pg_attribute_noreturn();

static void
no_such_row(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no rows in result set"),
			 errdetail("There is no row with the primary key of the record.")));
}

/*
 * corm_insert(rec): the row as it was inserted.  NULL if a trigger or rule
 * suppressed the insert.
 */
Datum
corm_insert(PG_FUNCTION_ARGS)
{
	Record		record;
	Datum		result;

	read_record(fcinfo, &record);
	if (!write_record(fcinfo, CORM_PLAN_INSERT, &record, &result))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/* corm_update(rec): the row as it is after the update; no such row: P0002 */
Datum
corm_update(PG_FUNCTION_ARGS)
{
	Record		record;
	Datum		result;

	read_record(fcinfo, &record);
	require_key_fields(record.model);
	if (has_null_key(&record) || !write_record(fcinfo, CORM_PLAN_UPDATE, &record, &result))
		no_such_row();
	PG_RETURN_DATUM(result);
}

/* corm_save(rec): inserts, or updates the row with the record's primary key */
Datum
corm_save(PG_FUNCTION_ARGS)
{
	Record		record;
	Datum		result;

	read_record(fcinfo, &record);
	require_key_fields(record.model);
	if (!write_record(fcinfo, has_null_key(&record) ? CORM_PLAN_INSERT : CORM_PLAN_SAVE,
					  &record, &result))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/* corm_delete(rec): deletes the row with the record's primary key; false if there is none */
Datum
corm_delete(PG_FUNCTION_ARGS)
{
	Record		record;
	Datum		result;

	read_record(fcinfo, &record);
	require_key_fields(record.model);
	PG_RETURN_BOOL(!has_null_key(&record) &&
				   write_record(fcinfo, CORM_PLAN_DELETE, &record, &result));
}
