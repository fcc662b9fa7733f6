/*-------------------------------------------------------------------------
 *
 * execute.c
 *		Executing a plan.
 *
 * Rows go from the executor's slot straight into the caller's tuplestore or datum,
 * through a DestReceiver; there is no intermediate SPI tuple table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/guc.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/rows/in_progress.h"
#include "exec/run/execute.h"
#include "exec/run/log.h"
#include "exec/run/sink.h"
#include "executor/tuptable.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

typedef struct Receiver
{
	DestReceiver pub;
	CormPlan   *plan;
	CormSink   *sink;
} Receiver;

/*
 * Checks that the result has the columns that the plan was made for.  If a change of the
 * table was missed, an error is better than wrong datums: 42804, or 55006 if the change is
 * known.
 */
static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	CormPlan   *plan = ((Receiver *) self)->plan;
	int			col = 0;

	if (((Receiver *) self)->sink->kind == CORM_SINK_CALLBACK)
		((Receiver *) self)->sink->callback(plan, NULL, ((Receiver *) self)->sink->arg);
	if (plan->tupdesc == NULL)
		return;
	for (int i = 0; i < plan->tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(plan->tupdesc, i);

		if (att->attisdropped)
			continue;
		if (col >= typeinfo->natts || TupleDescAttr(typeinfo, col)->atttypid != att->atttypid)
			ereport(ERROR,
					(errcode(plan->valid ? ERRCODE_DATATYPE_MISMATCH : ERRCODE_OBJECT_IN_USE),
					 errmsg("query does not return rows of type %s",
							format_type_be(plan->typid)),
					 errdetail("Attribute \"%s\" does not match.", NameStr(att->attname))));
		col++;
	}
}

static void
receiver_shutdown(DestReceiver *self)
{
}

static void
receiver_destroy(DestReceiver *self)
{
}

/*
 * Maps result columns to the attributes of the row type; dropped ones are NULL.
 */
static void
spread(CormPlan *plan, TupleTableSlot *slot, Datum *values, bool *nulls)
{
	int			col = 0;

	for (int i = 0; i < plan->tupdesc->natts; i++)
	{
		if (TupleDescAttr(plan->tupdesc, i)->attisdropped)
		{
			values[i] = (Datum) 0;
			nulls[i] = true;
			continue;
		}
		values[i] = slot->tts_values[col];
		nulls[i] = slot->tts_isnull[col];
		col++;
	}
}

/*
 * Adds the row of a slot to the sink's tuplestore.
 */
static void
store_row(CormPlan *plan, CormSink *sink, TupleTableSlot *slot)
{
	if (plan->is_physical || plan->tupdesc == NULL)
	{
		tuplestore_puttupleslot(sink->store, slot);
		return;
	}
	{
		Datum		values[MaxTupleAttributeNumber];
		bool		nulls[MaxTupleAttributeNumber];

		slot_getallattrs(slot);
		spread(plan, slot, values, nulls);
		tuplestore_putvalues(sink->store, plan->tupdesc, values, nulls);
	}
}

/*
 * Whether a slot has a table's own row, whose bytes are those of the result.
 * The executor hands one on only where the columns of the result are the
 * table's one by one, none of them dropped or with a default for older rows;
 * and a row that is older than the last column is shorter.
 */
static inline bool
has_whole_row(CormPlan *plan, TupleTableSlot *slot)
{
	HeapTuple	tuple;

	if (!plan->is_physical || !TTS_IS_BUFFERTUPLE(slot) ||
		slot->tts_tupleDescriptor->natts != plan->tupdesc->natts)
		return false;
	tuple = ((HeapTupleTableSlot *) slot)->tuple;
	return tuple != NULL && HeapTupleHeaderGetNatts(tuple->t_data) == plan->tupdesc->natts;
}

/* Forms a row datum from the values of a slot. */
static Datum
form_row(CormPlan *plan, TupleTableSlot *slot)
{
	HeapTuple	tuple;

	slot_getallattrs(slot);
	if (plan->is_physical)
		tuple = heap_form_tuple(plan->tupdesc, slot->tts_values, slot->tts_isnull);
	else
	{
		Datum		values[MaxTupleAttributeNumber];
		bool		nulls[MaxTupleAttributeNumber];

		spread(plan, slot, values, nulls);
		tuple = heap_form_tuple(plan->tupdesc, values, nulls);
	}
	return HeapTupleHeaderGetDatum(tuple->t_data);
}

/*
 * Copies the row of a slot, or its only column, into the sink's datum.
 */
static void
keep_row(CormPlan *plan, CormSink *sink, TupleTableSlot *slot)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(sink->context);

	if (plan->tupdesc == NULL)
	{
		slot_getallattrs(slot);
		sink->isnull = slot->tts_isnull[0];
		if (!sink->isnull)
			sink->value = datumCopy(slot->tts_values[0], plan->typbyval, plan->typlen);
	}
	else
	{
		sink->value = has_whole_row(plan, slot) ?
			heap_copy_tuple_as_datum(((HeapTupleTableSlot *) slot)->tuple, plan->tupdesc) :
			form_row(plan, slot);
		sink->isnull = false;
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Takes one row of the executor.  Returns false once no more rows are wanted.  Raises P0003
 * for the second row of a sink that takes one.
 */
static bool
receiver_receive(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver   *receiver = (Receiver *) self;
	CormSink   *sink = receiver->sink;

	sink->nrows++;
	CORM_FAULT("run-row");
	switch (sink->kind)
	{
		case CORM_SINK_NONE:
		case CORM_SINK_TABLE:
			break;
		case CORM_SINK_STORE:
			store_row(receiver->plan, sink, slot);
			break;
		case CORM_SINK_CALLBACK:
			slot_getallattrs(slot);
			sink->callback(receiver->plan, slot, sink->arg);
			break;
		case CORM_SINK_ONE:
			if (sink->nrows > 1)
				ereport(ERROR,
						(errcode(ERRCODE_TOO_MANY_ROWS),
						 errmsg("more than one row in result set")));
			/* FALLTHROUGH */
		case CORM_SINK_FIRST:
			if (sink->nrows == 1)
				keep_row(receiver->plan, sink, slot);
			/* a read may stop here, a write must go through all its rows */
			return sink->kind == CORM_SINK_ONE || receiver->plan->command != CORM_CMD_SELECT;
	}
	return true;
}

static void
run_error_context(void *arg)
{
	CormPlan   *plan = arg;

	/* raised when it is planned: no index is the key of an upsert */
	if (plan->conflict_hint && geterrcode() == ERRCODE_INVALID_COLUMN_REFERENCE)
		errhint("%s", plan->conflict_hint);
	if (geterrcode() == ERRCODE_READ_ONLY_SQL_TRANSACTION && RecoveryInProgress())
		errhint("This server is a standby: write on the primary, to which a driver connects with target_session_attrs=read-write.");
	if (plan->model_name)
		errcontext("corm query on model \"%s\"", plan->model_name);
	else
		errcontext("corm raw query");
}

static int
execute(CormPlan *plan, const SPIExecuteOptions *options)
{
	return unlikely(corm_sql_comments) ? corm_execute_commented(plan, options) :
		SPI_execute_plan_extended(plan->spi, options);
}

/*
 * Executes a plan that needs other settings of the planner than the session's: a custom
 * plan where generic ones are forced, or no JIT.
 */
static int
execute_specially(CormPlan *plan, const SPIExecuteOptions *options)
{
	int			mode = plan_cache_mode;
	bool		jit = jit_enabled;
	int			rc = 0;

	if (plan->custom_only && mode == PLAN_CACHE_MODE_FORCE_GENERIC_PLAN)
		plan_cache_mode = PLAN_CACHE_MODE_AUTO;
	if (plan->without_jit)
		jit_enabled = false;
	PG_TRY();
	{
		rc = execute(plan, options);
	}
	PG_FINALLY();
	{
		plan_cache_mode = mode;
		jit_enabled = jit;
	}
	PG_END_TRY();
	return rc;
}

/*
 * corm_run executes a plan and returns the number of rows that it affected
 * or returned.  Its rows go to the sink.  The plan must be in use and stays
 * so.  Errors are those of the statement, and 55006 if the model or the row
 * type of the result has changed since the plan was found, or the model has got
 * hooks while rows are being written without any.
 */
uint64
corm_run(CormPlan *plan, ParamListInfo params, CormSink *sink)
{
	Receiver	receiver = {
		.pub = {
			.receiveSlot = receiver_receive,
			.rStartup = receiver_startup,
			.rShutdown = receiver_shutdown,
			.rDestroy = receiver_destroy,
			.mydest = DestNone
		},
		.plan = plan,
		.sink = sink
	};
	SPIExecuteOptions options = {0};
	ErrorContextCallback errcallback;
	uint64		nrows = sink->nrows;
	bool		timed = corm_log_queries || corm_log_min_duration >= 0;
	instr_time	start;
	int			rc;
	uint64		processed;

	CORM_FAULT("run-begin");
	corm_plan_check(plan);

	/*
	 * a template: the caller found no hooks when it asked for a plan without
	 * any
	 */
	if (unlikely(plan->spi == NULL))
		corm_exec_changed(plan->model_name, psprintf("Hooks of \"%s\" were created.", plan->model_name));
	if (unlikely(timed))
		INSTR_TIME_SET_CURRENT(start);
	errcallback.callback = run_error_context;
	errcallback.arg = plan;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	options.params = params;
	options.read_only = false;
	options.dest = plan->returns_rows && sink->kind != CORM_SINK_TABLE ? &receiver.pub : NULL;
	CORM_FAULT("run-checked");

	rc = unlikely(plan->custom_only || plan->without_jit) ?
		execute_specially(plan, &options) : execute(plan, &options);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(rc));
	processed = SPI_processed;
	if (!plan->returns_rows && SPI_tuptable)
		SPI_freetuptable(SPI_tuptable);
	CORM_FAULT("run-done");
	corm_plan_check_rows(plan);
	if (unlikely(timed))
		corm_log_query(plan, params, Max(processed, sink->nrows - nrows), start);

	error_context_stack = errcallback.previous;
	return processed;
}

/*
 * corm_allowed_rows returns the number of rows that max_rows() allows a write to
 * affect, or -1.  22023 if that is negative.
 */
int64
corm_allowed_rows(CormPlan *plan, CormQuerySet *set)
{
	int64		max_rows;

	if (plan->max_rows_valno < 0 && plan->max_rows == NULL)
		return -1;
	max_rows = corm_bound_int64(set, plan->max_rows_valno, plan->max_rows, -1);
	if (max_rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("corm.max_rows() must not be negative")));
	return max_rows;
}

/*
 * corm_check_max_rows raises OR002 if a write has affected, or will affect, more rows
 * than max_rows() allows.  The error undoes the statement.
 */
void
corm_check_max_rows(CormPlan *plan, int64 max_rows, uint64 processed)
{
	if (max_rows < 0)
		return;
	if (processed > (uint64) max_rows)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_MAX_ROWS_EXCEEDED),
				 errmsg("write affects more rows than max_rows allows"),
				 errdetail_plural("It affects " UINT64_FORMAT " row of model \"%s\", " INT64_FORMAT " are allowed.",
								  "It affects " UINT64_FORMAT " rows of model \"%s\", " INT64_FORMAT " are allowed.",
								  processed, processed, plan->model_name ? plan->model_name : "", max_rows)));
}
