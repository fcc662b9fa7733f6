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
#include "access/relation.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "miscadmin.h"
#include "model/difference.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_insert);
PG_FUNCTION_INFO_V1(corm_update);
PG_FUNCTION_INFO_V1(corm_save);
PG_FUNCTION_INFO_V1(corm_delete);

/*
 * corm_record_field_type returns the type of a field as the model's row type
 * has it, which may differ from the column's; UNKNOWNOID if it is text that
 * takes the column's type.
 */
Oid
corm_record_field_type(CormModel *model, int field)
{
	Oid			typid = get_atttype(model->relid, model->fields[field].rownum);
	Oid			column = getBaseType(model->fields[field].typid);

	if ((typid == TEXTOID || typid == VARCHAROID) &&
		column != TEXTOID && column != VARCHAROID && column != BPCHAROID)
		return UNKNOWNOID;
	return typid;
}

/*
 * corm_field_is_written tells whether a write gives a field: not if it must
 * not be written, nor, in an insert, if it is NULL and somebody else fills
 * it: a default, or corm a time stamp or version.  The default may be that of
 * the table behind a view, which takes NULL where there is none.
 */
bool
corm_field_is_written(CormModel *model, int i, bool insert, bool isnull)
{
	CormField  *field = &model->fields[i];
	bool		filled = i == model->created_at || i == model->updated_at || i == model->version;

	if (field->generated || field->read_only)
		return false;
	if (insert)
		return !isnull || !(field->has_default || field->identity || filled || model->relkind == RELKIND_VIEW);
	return field->identity != 'a' && !filled;
}

/*
 * corm_record_set_row takes a row apart, by the row type as it was when the
 * operation began; a caller that has run user code since then has checked that
 * it still is.  The arrays live in the current context and point into the row.
 */
void
corm_record_set_row(CormRecord *record, HeapTupleHeader header)
{
	HeapTupleData tuple;
	TupleDesc	tupdesc = record->model->tupdesc;
	Datum	   *values;
	bool	   *nulls;

	record->row = PointerGetDatum(header);
	if (HeapTupleHeaderGetTypeId(header) != record->model->typid)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a row of type %s is no record of model \"%s\"",
						format_type_be(HeapTupleHeaderGetTypeId(header)), record->model->name)));
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
}

/*
 * corm_records_check raises 55006 if the row type of a model, which was obtained
 * when the records of a call were made, is another one now: they cannot be read.
 */
void
corm_records_check(CormModel *model, const CormModel *now)
{
	char	   *change = corm_row_type_difference(model->name, model->tupdesc, now->tupdesc);

	if (change)
		corm_exec_changed(model->name, change);
}

/*
 * corm_model_lock locks a model's table for writing, and its row type where that
 * is not the table's: then other sessions cannot change a column until the
 * transaction ends.  Returns the model as it is then; 55006 if its row type has
 * changed while this waited for the lock, since records are at hand.
 */
CormModel *
corm_model_lock(CormModel *model)
{
	CormModel  *now = model;

	for (;;)
	{
		Oid			table = now->table;

		LockRelationOid(table, RowExclusiveLock);
		if (model->relid != table)
			LockRelationOid(model->relid, AccessShareLock);
		if (now->valid)
			break;
		now = corm_model_get(model->relid);
		if (now->table == table)
			break;
	}
	if (now != model)
		corm_records_check(model, now);
	return now;
}

/*
 * Reads the record that a verb was given, and begins the operation on it.  The
 * arrays live in the current context.
 */
static void
read_record(FunctionCallInfo fcinfo, CormExec *exec, CormRecord *record)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);
	HeapTupleHeader header;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the record must not be null")));
	/* before the datum is taken for a row: what is no row type is refused */
	record->model = NULL;
	if (OidIsValid(typid) && typid != RECORDOID)
		record->model = corm_model_get_for_type(typid);
	header = PG_GETARG_HEAPTUPLEHEADER(0);
	/* a variable of type record has a row type of its own */
	if (record->model == NULL)
		record->model = corm_model_get_for_type(HeapTupleHeaderGetTypeId(header));

	CORM_FAULT("record-found");
	/* the model must be what the table is when the record is written */
	record->model = corm_model_lock(record->model);
	corm_exec_begin(exec, record->model);
	record->exec = exec;
	CORM_FAULT("record-begin");
	corm_record_set_row(record, header);
}

/*
 * Statements
 */

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
 * corm_record_require_key raises OR011 if a model has no primary key, or its
 * row type lacks a field of it, which cannot be matched then.
 */
void
corm_record_require_key(CormModel *model)
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
 * corm_record_has_version: the record tells which version of the row it was read from.
 */
bool
corm_record_has_version(CormModel *model)
{
	return model->version >= 0 && model->version < model->nfields;
}

/*
 * What an update of the statement's model sets besides what it is told.
 */
static List *
touch_assignments(CormStmt *stmt)
{
	CormStmt	update = {.command = CORM_CMD_UPDATE, .source = stmt->source};

	corm_touch(&update);
	return update.sets;
}

static bool
is_lookup(CormPlanSource source)
{
	return source == CORM_PLAN_LOOKUP || source == CORM_PLAN_LOCK;
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
	stmt->command = is_lookup(source) ? CORM_CMD_SELECT :
		source == CORM_PLAN_DELETE ? CORM_CMD_DELETE :
		source == CORM_PLAN_UPDATE ? CORM_CMD_UPDATE : CORM_CMD_INSERT;

	if (source == CORM_PLAN_UPDATE_MULTI)
		return corm_update_multi_stmt(stmt, fields);
	if (source != CORM_PLAN_DELETE && !is_lookup(source))
		while ((i = bms_next_member(fields, i)) >= 0)
			if (source != CORM_PLAN_UPDATE || !model->fields[i].primary_key)
				stmt->sets = lappend(stmt->sets, field_assignment(model, i));

	if (source == CORM_PLAN_SAVE || source == CORM_PLAN_SAVE_NEW)
	{
		/* the key of a row that exists is given, whoever generated it */
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
			/* a NULL that asks for the default of a NOT NULL column leaves it alone */
			if (field->not_null && !bms_is_member(i, fields))
				continue;
			stmt->update_sets = lappend(stmt->update_sets, field_assignment(model, i));
		}
		stmt->update_sets = list_concat(stmt->update_sets, touch_assignments(stmt));
		if (corm_record_has_version(model))
			stmt->where = lappend(stmt->where,
								  corm_version_condition(range, field_value(model, model->version)));
	}
	if (source == CORM_PLAN_UPDATE || source == CORM_PLAN_DELETE || is_lookup(source))
	{
		for (i = 0; i < model->npk; i++)
			stmt->where = lappend(stmt->where, key_condition(range, model->pk[i]));
		if (!is_lookup(source) && corm_record_has_version(model))
			stmt->where = lappend(stmt->where,
								  corm_version_condition(range, field_value(model, model->version)));
		/* the lock is for a save, which meets deleted rows as well */
		if (source != CORM_PLAN_LOCK)
			stmt->where = list_concat(stmt->where, corm_deleted_condition(range, false));
	}

	/* nothing but the key to update: the row is looked up */
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

/*
 * corm_record_plan returns the plan for a write or lookup of a record, in use.
 */
CormPlan *
corm_record_plan(CormPlanSource source, CormOutput output, CormRecord *record)
{
	CormModel  *model = record->model;
	CormVerb	verb = {.source = source, .output = output, .typid = model->typid};
	Bitmapset  *fields = NULL;

	if (source != CORM_PLAN_DELETE && !is_lookup(source))
		for (int i = 0; i < model->nfields; i++)
			if (corm_field_is_written(model, i, source != CORM_PLAN_UPDATE, record->nulls[i]))
				fields = bms_add_member(fields, i);
	return corm_plan_for_record(&verb, record->exec, fields);
}

/*
 * corm_record_meets_several raises 21000 for a record whose key several rows
 * have: which of them it is does not show.
 */
void
corm_record_meets_several(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("several rows have the key of one record"),
			 errdetail("The keys of a table do not reach into the tables that inherit from it."),
			 errhint("Write the row by the model of its own table, or by corm.updater() or corm.deleter().")));
}

/*
 * Runs the statement of a write or lookup; the row that it returns goes to
 * the sink.  Returns the number of rows.
 */
static uint64
run_record(CormPlanSource source, CormOutput output, CormRecord *record, CormSink *sink)
{
	CormPlan   *plan = corm_record_plan(source, output, record);
	uint64		processed = 0;

	PG_TRY();
	{
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		processed = corm_run(plan, corm_bind_record(plan, record->exec, record->values, record->nulls), sink);
		SPI_finish();
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	if (processed > 1 && !is_lookup(source))
		corm_record_meets_several();
	return processed;
}

/*
 * Which hooks a write is to call.  Those of a save, if apart, depend on whether
 * there is such a row, which is locked then: it will be updated.
 */
static CormEvent
event_of(CormPlanSource source, CormRecord *record, bool apart)
{
	CormSink	sink = {.kind = CORM_SINK_NONE};

	switch (source)
	{
		case CORM_PLAN_UPDATE:
			return CORM_EVENT_UPDATE;
		case CORM_PLAN_DELETE:
			return CORM_EVENT_DELETE;
		case CORM_PLAN_SAVE:
			if (apart && run_record(CORM_PLAN_LOCK, CORM_OUTPUT_NATIVE, record, &sink) > 0)
				return CORM_EVENT_UPDATE;
			return CORM_EVENT_CREATE;
		default:
			return CORM_EVENT_CREATE;
	}
}

/*
 * Which row a write is about is said by the record that was given: its key and
 * version stay, whatever a hook makes of them.
 */
static void
keep_key(CormRecord *changed, const CormRecord *given)
{
	CormModel  *model = given->model;

	for (int i = 0; i < model->nfields; i++)
		if (model->fields[i].primary_key || i == model->version)
		{
			changed->values[i] = given->values[i];
			changed->nulls[i] = given->nulls[i];
		}
}

static void inserted_meanwhile(CormModel *model) pg_attribute_noreturn();

static void
inserted_meanwhile(CormModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not save a row of model \"%s\" due to concurrent insert", model->name),
			 errdetail("There was no such row when the hooks for a new one were called."),
			 errhint("Run the transaction again; corm.run_tx can do that.")));
}

/*
 * Calls the hooks around a write.  A save whose hooks were those of a new row
 * must not update one that another transaction has inserted since: 40001.
 */
static uint64
write_with_hooks(CormPlanSource source, CormRecord *record, CormSink *sink)
{
	CormOutput	output = sink->kind == CORM_SINK_NONE ? CORM_OUTPUT_NATIVE : CORM_OUTPUT_ROWS;
	CormSink	row = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};
	CormRecord	changed = *record;
	CormHookRun *hooks;
	CormEvent	event;
	uint64		processed;
	bool		apart;

	if (is_lookup(source))
		return run_record(source, output, record, sink);
	/* asked once: another session may create a hook at any time */
	apart = source == CORM_PLAN_SAVE && corm_hooks_tell_save_apart(record->model);
	event = event_of(source, record, apart);
	hooks = corm_hooks_begin(record->exec, event);
	if (hooks == NULL)
		return run_record(source, output, record, sink);

	corm_record_set_row(&changed, DatumGetHeapTupleHeader(corm_hooks_before(hooks, record->row)));
	if (event != CORM_EVENT_CREATE)
		keep_key(&changed, record);
	if (apart && event == CORM_EVENT_CREATE)
		source = CORM_PLAN_SAVE_NEW;
	CORM_FAULT("record-hooked");
	processed = run_record(source, CORM_OUTPUT_ROWS, &changed, &row);
	CORM_FAULT("record-written");
	if (source == CORM_PLAN_SAVE_NEW && row.nrows == 0)
	{
		CormSink	sink = {.kind = CORM_SINK_NONE};

		/* a trigger may have suppressed the row instead */
		if (run_record(CORM_PLAN_LOCK, CORM_OUTPUT_NATIVE, &changed, &sink) > 0)
			inserted_meanwhile(record->model);
	}
	corm_exec_check(record->exec);
	/* a rule may write elsewhere and return a row all the same */
	if (row.nrows > 0)
	{
		row.value = corm_hooks_after(hooks, row.value);
		if (sink->kind != CORM_SINK_NONE)
			corm_rows_to_sink(&row.value, 1, sink);
	}
	return processed;
}

/*
 * corm_write_record writes a record, or looks its row up, without regard to
 * middleware.  The row as it is then goes to the sink, unless that wants
 * none; returns the number of rows.
 */
uint64
corm_write_record(CormPlanSource source, CormRecord *record, CormSink *sink)
{
	CormModel  *model = record->model;
	CormStats	stats;
	volatile uint64 processed = 0;
	volatile bool done = false;

	CORM_FAULT("record-write");
	/* a middleware may have changed the model */
	corm_exec_check(record->exec);
	corm_stats_begin(&stats);
	if (!stats.active)
		return write_with_hooks(source, record, sink);
	PG_TRY();
	{
		processed = write_with_hooks(source, record, sink);
		done = true;
	}
	PG_FINALLY();
	{
		corm_stats_end(&stats, corm_record_command(source), model->relid, model->name, processed, !done);
	}
	PG_END_TRY();
	return processed;
}

/*
 * The same, within the chain of middleware around it.
 */
static uint64
write_to_sink(CormPlanSource source, CormRecord *record, CormSink *sink)
{
	uint64		processed;

	if (corm_middleware_exists() && corm_run_record_operation(source, record, sink, &processed))
		return processed;
	return corm_write_record(source, record, sink);
}

/*
 * corm_record_write_returning writes a record, with hooks and middleware, and returns
 * the row as it is then; false if no row was written.
 */
bool
corm_record_write_returning(CormPlanSource source, CormRecord *record, Datum *result)
{
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};

	(void) write_to_sink(source, record, &sink);
	*result = sink.value;
	return sink.nrows > 0;
}

/*
 * Whether a write or lookup finds the row with the record's key.
 */
static bool
finds_row(CormPlanSource source, CormRecord *record)
{
	CormSink	sink = {.kind = CORM_SINK_NONE};

	return write_to_sink(source, record, &sink) > 0;
}

static bool
has_null_key(CormRecord *record)
{
	for (int i = 0; i < record->model->npk; i++)
		if (record->nulls[record->model->pk[i]])
			return true;
	return false;
}

/*
 * corm_record_exists tells whether there is a row with the record's key, in
 * whatever version.
 */
bool
corm_record_exists(CormRecord *record)
{
	return !has_null_key(record) && finds_row(CORM_PLAN_LOOKUP, record);
}

static void stale(CormModel *model) pg_attribute_noreturn();

static void
stale(CormModel *model)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_STALE_OBJECT),
			 errmsg("stale object"),
			 errdetail("The row of model \"%s\" has been changed since the record was read.",
					   model->name),
			 errhint("Read it again and repeat the change.")));
}

/*
 * A version as text, as which the record's and the row's are compared.
 */
static char *
version_text(const CormRecord *record)
{
	int			version = record->model->version;
	Oid			output;
	bool		is_varlena;

	if (record->nulls[version])
		return "0";
	getTypeOutputInfo(get_atttype(record->model->relid, record->model->fields[version].rownum), &output, &is_varlena);
	return OidOutputFunctionCall(output, record->values[version]);
}

/*
 * corm_record_is_stale tells whether there is the row of a record, but in another version.
 * lookup says which rows count: those that are to be seen, or deleted ones too.
 */
bool
corm_record_is_stale(CormPlanSource lookup, CormRecord *record)
{
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};
	CormRecord	row = *record;

	CORM_FAULT("record-stale");
	if (!corm_record_has_version(record->model) || has_null_key(record))
		return false;
	if (lookup == CORM_PLAN_LOCK)
		(void) run_record(lookup, CORM_OUTPUT_ROWS, record, &sink);
	else
		(void) write_to_sink(lookup, record, &sink);
	if (sink.nrows == 0)
		return false;
	CORM_FAULT("record-compare");
	corm_record_set_row(&row, DatumGetHeapTupleHeader(sink.value));
	return strcmp(version_text(&row), version_text(record)) != 0;
}

/*
 * A record whose version matches no row: is there the row in another
 * version?
 */
static void
check_stale(CormRecord *record)
{
	if (corm_record_is_stale(CORM_PLAN_LOOKUP, record))
		stale(record->model);
}

static void no_such_row(void) pg_attribute_noreturn();

static void
no_such_row(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no rows in result set"),
			 errdetail("There is no row with the primary key of the record that can be updated."),
			 errhint("If there is one, a trigger, a rule or a row-level security policy has suppressed the update.")));
}

/*
 * corm_insert(rec): the row as it was inserted.  NULL if a trigger or rule
 * suppressed the insert.
 */
Datum
corm_insert(PG_FUNCTION_ARGS)
{
	CormExec	exec;
	CormRecord	record;
	Datum		result;

	read_record(fcinfo, &exec, &record);
	if (!corm_record_write_returning(CORM_PLAN_INSERT, &record, &result))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/* corm_update(rec): the row as it is after the update; no such row: P0002 */
Datum
corm_update(PG_FUNCTION_ARGS)
{
	CormExec	exec;
	CormRecord	record;
	Datum		result;

	read_record(fcinfo, &exec, &record);
	corm_record_require_key(record.model);
	if (has_null_key(&record) || !corm_record_write_returning(CORM_PLAN_UPDATE, &record, &result))
	{
		check_stale(&record);
		no_such_row();
	}
	PG_RETURN_DATUM(result);
}

/*
 * What a save of a record is: an insert that becomes an update.  A view that
 * triggers write has no keys that could conflict: the row is looked for.
 */
static CormPlanSource
save_source(CormRecord *record)
{
	Relation	view;
	bool		by_trigger;

	if (has_null_key(record))
		return CORM_PLAN_INSERT;
	if (likely(record->model->relkind != RELKIND_VIEW))
		return CORM_PLAN_SAVE;
	view = relation_open(record->model->table, AccessShareLock);
	by_trigger = view->trigdesc && view->trigdesc->trig_insert_instead_row;
	relation_close(view, NoLock);
	if (!by_trigger)
		return CORM_PLAN_SAVE;
	return corm_record_exists(record) ? CORM_PLAN_UPDATE : CORM_PLAN_INSERT;
}

/* corm_save(rec): inserts, or updates the row with the record's primary key */
Datum
corm_save(PG_FUNCTION_ARGS)
{
	CormExec	exec;
	CormRecord	record;
	Datum		result;

	read_record(fcinfo, &exec, &record);
	corm_record_require_key(record.model);
	if (!corm_record_write_returning(save_source(&record), &record, &result))
	{
		/* it met a row of another version, deleted or not; or a trigger suppressed it */
		if (corm_record_is_stale(CORM_PLAN_LOCK, &record))
			stale(record.model);
		PG_RETURN_NULL();
	}
	PG_RETURN_DATUM(result);
}

/* corm_delete(rec): deletes the row with the record's primary key; false if there is none */
Datum
corm_delete(PG_FUNCTION_ARGS)
{
	CormExec	exec;
	CormRecord	record;

	read_record(fcinfo, &exec, &record);
	corm_record_require_key(record.model);
	if (!has_null_key(&record) && finds_row(CORM_PLAN_DELETE, &record))
		PG_RETURN_BOOL(true);
	check_stale(&record);
	PG_RETURN_BOOL(false);
}
