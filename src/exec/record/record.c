/*-------------------------------------------------------------------------
 *
 * record.c
 *		Writes of one record: corm.insert, update, save, delete.
 *
 * The record's row type is the model.
 *
 *	insert	a NULL in a field with a default, identity or generation expression is
 *			left out, so that PostgreSQL fills it
 *	update	all fields that may be written, by primary key
 *	save	an insert that becomes an update when the key exists
 *	delete	by primary key
 *
 * The model's table is locked before the record is read (rows/in_progress.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "base/clock.h"
#include "base/errors.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "exec/middleware/middleware_list.h"
#include "exec/plan/plan.h"
#include "exec/record/record.h"
#include "exec/record/record_query.h"
#include "exec/record/record_write.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/row_fields.h"
#include "exec/run/sink.h"
#include "miscadmin.h"
#include "model/model.h"
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
 * corm_model_lock locks a model's table for writing, and its row type where that is not
 * the table's.  Then other sessions cannot change a column until the transaction ends.
 * Returns the current model.  Raises 55006 if the row type changed while we waited for
 * the lock, because then the records cannot be read.
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
		corm_records_check(now, model->tupdesc);
	return now;
}

/*
 * Reads the record passed to a verb and begins the operation on it.  The arrays are
 * allocated in the current context.
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
	/* check the type before we treat the datum as a row */
	record->model = NULL;
	if (OidIsValid(typid) && typid != RECORDOID)
		record->model = corm_records_model(typid);
	header = PG_GETARG_HEAPTUPLEHEADER(0);
	/* a variable of type record carries its own row type */
	if (record->model == NULL)
		record->model = corm_records_model(HeapTupleHeaderGetTypeId(header));

	CORM_FAULT("record-found");
	/* the model must match the table when the record is written */
	record->model = corm_model_lock(record->model);
	corm_exec_begin(exec, record->model);
	record->exec = exec;
	CORM_FAULT("record-begin");
	corm_record_set_row(record, header);
}

/*
 * Statements
 */

/*
 * Writes a record within its chain of middleware.
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
 * the resulting row.  Returns false if no row was written.
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

/*
 * corm_record_exists tells whether there is a row with the record's key, whatever its
 * version.
 */
bool
corm_record_exists(CormRecord *record)
{
	return !corm_record_has_null_key(record) && finds_row(CORM_PLAN_LOOKUP, record);
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
 * Returns a version as text.  The versions of the record and the row are compared in
 * this form.
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
 * corm_record_is_stale tells whether the row of a record exists, but in another
 * version.  lookup says which rows count: only visible ones, or soft-deleted ones too.
 */
bool
corm_record_is_stale(CormPlanSource lookup, CormRecord *record)
{
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};
	CormRecord	row = *record;

	CORM_FAULT("record-stale");
	if (!corm_record_has_version(record->model) || corm_record_has_null_key(record))
		return false;
	if (lookup == CORM_PLAN_LOCK)
		(void) corm_record_run(lookup, CORM_OUTPUT_ROWS, record, &sink);
	else
		(void) write_to_sink(lookup, record, &sink);
	if (sink.nrows == 0)
		return false;
	CORM_FAULT("record-compare");
	corm_record_set_row(&row, DatumGetHeapTupleHeader(sink.value));
	return strcmp(version_text(&row), version_text(record)) != 0;
}

/*
 * No row matches the record's key and version.  Checks whether the row exists in
 * another version.
 */
static void
check_stale(CormRecord *record)
{
	if (corm_record_is_stale(CORM_PLAN_LOOKUP, record))
		stale(record->model);
}

static void no_such_row(CormModel *model) pg_attribute_noreturn();

static void
no_such_row(CormModel *model)
{
	bool		soft = model->soft_delete >= 0;

	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no rows in result set"),
			 errdetail("Model \"%s\" has no row with the primary key of the record that can be updated%s.",
					   model->name, soft ? " and is not marked as deleted" : ""),
			 soft ?
			 errhint("The deletion of a row is undone by corm.restore(). If there is a row that is not deleted, a trigger, a rule or a row-level security policy has suppressed the update.") :
			 errhint("If there is one, a trigger, a rule or a row-level security policy has suppressed the update.")));
}

/*
 * corm_insert(rec): the row as inserted, or NULL if a trigger or rule suppressed the
 * insert.
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

/* corm_update(rec): the row after the update; P0002 if there is no such row */
Datum
corm_update(PG_FUNCTION_ARGS)
{
	CormExec	exec;
	CormRecord	record;
	Datum		result;

	read_record(fcinfo, &exec, &record);
	corm_record_require_key(record.model);
	if (corm_record_has_null_key(&record) || !corm_record_write_returning(CORM_PLAN_UPDATE, &record, &result))
	{
		check_stale(&record);
		no_such_row(record.model);
	}
	PG_RETURN_DATUM(result);
}

/*
 * Returns the kind of write for a save: normally an insert that becomes an update.  A
 * view with INSTEAD OF triggers has no keys that could conflict, so the row is looked
 * up.
 */
static CormPlanSource
save_source(CormRecord *record)
{
	Relation	view;
	bool		by_trigger;

	if (corm_record_has_null_key(record))
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
		/*
		 * there is a row of another version, deleted or not, or a trigger
		 * suppressed the write
		 */
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
	if (!corm_record_has_null_key(&record) && finds_row(CORM_PLAN_DELETE, &record))
		PG_RETURN_BOOL(true);
	check_stale(&record);
	PG_RETURN_BOOL(false);
}
