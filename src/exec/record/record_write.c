/*-------------------------------------------------------------------------
 *
 * record_write.c
 *		Writing or looking up one record, with its hooks.
 *
 * The SQL of a write depends on which fields it gives, so the set of fields is the
 * shape of its plan (plan/record_stmt.c).  The fields' datums are the parameters.
 * Middleware is handled in record_query.c, not here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/record_stmt.h"
#include "exec/record/record_write.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/row_fields.h"
#include "exec/run/execute.h"
#include "exec/run/sink.h"
#include "exec/run/stats.h"
#include "executor/spi.h"
#include "model/model.h"

/*
 * corm_record_plan returns the plan for a write or lookup of a record, in use.
 */
CormPlan *
corm_record_plan(CormPlanSource source, CormOutput output, CormRecord *record)
{
	CormModel  *model = record->model;
	CormVerb	verb = {.source = source, .output = output, .typid = model->typid};
	Bitmapset  *fields = NULL;

	if (source != CORM_PLAN_DELETE && !corm_is_lookup(source))
		for (int i = 0; i < model->nfields; i++)
			if (corm_field_is_written(model, i, source != CORM_PLAN_UPDATE, record->nulls[i]))
				fields = bms_add_member(fields, i);
	return corm_plan_for_record(&verb, record->exec, fields);
}

/*
 * corm_record_meets_several raises 21000 for a record whose key matches several rows,
 * because we cannot tell which one is meant.
 */
void
corm_record_meets_several(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("several rows have the key of one record"),
			 errdetail("The keys of a table do not cover the tables that inherit from it."),
			 errhint("Write the row by the model of its own table, or by corm.updater() or corm.deleter().")));
}

/*
 * corm_record_command returns the command of a write or lookup.
 */
CormCommand
corm_record_command(CormPlanSource source)
{
	switch (source)
	{
		case CORM_PLAN_UPDATE:
			return CORM_CMD_UPDATE;
		case CORM_PLAN_DELETE:
			return CORM_CMD_DELETE;
		case CORM_PLAN_LOOKUP:
			return CORM_CMD_SELECT;
		default:
			return CORM_CMD_INSERT;
	}
}

/*
 * corm_record_run runs the statement of a write or lookup, without hooks.  The row that
 * it returns goes to the sink.  Returns the number of rows.  Raises 21000 if a write
 * has found several.
 */
uint64
corm_record_run(CormPlanSource source, CormOutput output, CormRecord *record, CormSink *sink)
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
	if (processed > 1 && !corm_is_lookup(source))
		corm_record_meets_several();
	return processed;
}

/*
 * Returns the kind of hooks that a write calls.  If a save must distinguish insert and
 * update hooks, it depends on whether the row exists.  In that case the row is locked,
 * because it will be updated.
 */
static CormWriteKind
kind_of(CormPlanSource source, CormRecord *record, bool apart)
{
	CormSink	sink = {.kind = CORM_SINK_NONE};

	switch (source)
	{
		case CORM_PLAN_UPDATE:
			return CORM_WRITE_UPDATE;
		case CORM_PLAN_DELETE:
			return CORM_WRITE_DELETE;
		case CORM_PLAN_SAVE:
			if (apart && corm_record_run(CORM_PLAN_LOCK, CORM_OUTPUT_NATIVE, record, &sink) > 0)
				return CORM_WRITE_UPDATE;
			return CORM_WRITE_CREATE;
		default:
			return CORM_WRITE_CREATE;
	}
}

/*
 * The given record identifies the row, so its key and version are kept even if a hook
 * has changed them.
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

static void inserted_since(CormModel *model) pg_attribute_noreturn();

static void
inserted_since(CormModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not save a row of model \"%s\" due to concurrent insert", model->name),
			 errdetail("There was no such row when the hooks for a new one were called."),
			 errhint("Run the transaction again; corm.run_tx can do that.")));
}

/*
 * Calls the hooks around a write.  A save that called the hooks for a new row must not
 * update a row that another transaction has inserted since: 40001.
 */
static uint64
write_with_hooks(CormPlanSource source, CormRecord *record, CormSink *sink)
{
	CormOutput	output = sink->kind == CORM_SINK_NONE ? CORM_OUTPUT_NATIVE : CORM_OUTPUT_ROWS;
	CormSink	row = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};
	CormRecord	changed = *record;
	CormHookRun *hooks;
	CormWriteKind kind;
	uint64		processed;
	bool		apart;

	if (corm_is_lookup(source))
		return corm_record_run(source, output, record, sink);
	/* ask only once, because another session may create a hook at any time */
	apart = source == CORM_PLAN_SAVE && corm_hooks_tell_save_apart(record->model);
	kind = kind_of(source, record, apart);
	hooks = corm_hooks_begin(record->exec, kind);
	if (hooks == NULL)
		return corm_record_run(source, output, record, sink);

	corm_record_set_row(&changed, DatumGetHeapTupleHeader(corm_hooks_before(hooks, record->row)));
	if (kind != CORM_WRITE_CREATE)
		keep_key(&changed, record);
	if (apart && kind == CORM_WRITE_CREATE)
		source = CORM_PLAN_SAVE_NEW;
	CORM_FAULT("record-hooked");
	processed = corm_record_run(source, CORM_OUTPUT_ROWS, &changed, &row);
	CORM_FAULT("record-written");
	if (source == CORM_PLAN_SAVE_NEW && row.nrows == 0)
	{
		CormSink	sink = {.kind = CORM_SINK_NONE};

		/*
		 * either another transaction has inserted the row, or a trigger
		 * suppressed ours
		 */
		if (corm_record_run(CORM_PLAN_LOCK, CORM_OUTPUT_NATIVE, &changed, &sink) > 0)
			inserted_since(record->model);
	}
	corm_exec_check(record->exec);
	/* a rule may write to another table and still return a row */
	if (row.nrows > 0)
	{
		row.value = corm_hooks_after(hooks, row.value);
		if (sink->kind != CORM_SINK_NONE)
			corm_rows_to_sink(&row.value, 1, sink);
	}
	return processed;
}

/*
 * corm_write_record writes a record, or looks its row up, without middleware.  The
 * resulting row goes to the sink, unless the sink wants none.  Returns the number of
 * rows.
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
