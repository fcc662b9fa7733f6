/*-------------------------------------------------------------------------
 *
 * batch.c
 *		Writes of many records: corm.insert_multi, corm.update_multi.
 *
 * An update joins an array of the records with the table by primary key (and version),
 * in the order of the keys.  The last column that the statement returns is the record's
 * number, so that rows can be returned in the order of the records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "exec/call/operation.h"
#include "exec/call/run_query.h"
#include "exec/middleware/middleware.h"
#include "exec/middleware/middleware_list.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/record/record.h"
#include "exec/record/record_write.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/row_fields.h"
#include "exec/run/execute.h"
#include "exec/run/sink.h"
#include "exec/run/stats.h"
#include "exec/write/key_order.h"
#include "miscadmin.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_insert_multi);
PG_FUNCTION_INFO_V1(corm_update_multi);

/*
 * Returns the model for the first argument of a call, an array of records.  Raises an
 * error if the argument is not such an array, or NULL.
 */
static CormModel *
batch_model(FunctionCallInfo fcinfo)
{
	Oid			array_type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			element = OidIsValid(array_type) ? get_element_type(array_type) : InvalidOid;

	if (!OidIsValid(element))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the records"),
				 errhint("Give an array of a table's row type.")));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the records must not be null")));
	return corm_records_model(element);
}

/* corm_insert_multi(recs): the rows as they were inserted, in input order */
Datum
corm_insert_multi(PG_FUNCTION_ARGS)
{
	Oid			array_type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	CormModel  *model;
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_STORE, .fcinfo = fcinfo};

	model = batch_model(fcinfo);
	CORM_FAULT("batch-found");
	verb.typid = model->typid;
	corm_rows_query(model->relid, array_type, PG_GETARG_DATUM(0), &set);
	/* from here on, the array carries the layout of its row type */
	if (!model->valid)
		corm_records_check(corm_model_get(model->relid), model->tupdesc);
	(void) corm_run_queries(&verb, &set, &sink);
	return (Datum) 0;
}

/*
 * The fields that an update of many records writes.
 */
static Bitmapset *
updated_fields(CormModel *model)
{
	Bitmapset  *fields = NULL;

	for (int i = 0; i < model->nfields; i++)
		if (corm_field_is_written(model, i, false, false))
			fields = bms_add_member(fields, i);
	return fields;
}

/*
 * Passes the records of a batch through the before hooks.  A null element stays null.
 */
static Datum
call_before_batch(CormHookRun *hooks, const CormExec *exec, Datum batch)
{
	CormModel  *model = exec->model;
	TupleDesc	tupdesc = model->tupdesc;
	Datum	   *replacements = palloc(sizeof(Datum) * tupdesc->natts);
	bool	   *isnull = palloc(sizeof(bool) * tupdesc->natts);
	bool	   *replace = palloc(sizeof(bool) * tupdesc->natts);
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int			lbound = 1;

	deconstruct_array(DatumGetArrayTypeP(batch), model->typid, -1, false, TYPALIGN_DOUBLE, &elems, &nulls, &n);
	for (int row = 0; row < n; row++)
	{
		CormRecord	given = {.exec = exec, .model = model};
		Datum		changed;
		HeapTupleData tuple = {0};

		CHECK_FOR_INTERRUPTS();
		if (nulls[row])
			continue;
		changed = corm_hooks_before(hooks, elems[row]);
		if (changed == elems[row])
			continue;
		corm_record_set_row(&given, DatumGetHeapTupleHeader(elems[row]));
		memset(replace, false, sizeof(bool) * tupdesc->natts);
		for (int i = 0; i < model->nfields; i++)
		{
			int			att = model->fields[i].rownum - 1;

			if (!model->fields[i].primary_key && i != model->version)
				continue;
			replace[att] = true;
			replacements[att] = given.values[i];
			isnull[att] = given.nulls[i];
		}
		tuple.t_data = DatumGetHeapTupleHeader(changed);
		tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
		elems[row] = HeapTupleGetDatum(heap_modify_tuple(&tuple, tupdesc, replacements, isnull, replace));
	}
	return PointerGetDatum(construct_md_array(elems, nulls, 1, &n, &lbound, model->typid,
											  -1, false, TYPALIGN_DOUBLE));
}

/* A row returned by an update, and the number of its record. */
typedef struct NumberedRow
{
	int64		number;
	HeapTuple	row;
} NumberedRow;

static int
compare_numbers(const void *a, const void *b)
{
	int64		x = ((const NumberedRow *) a)->number;
	int64		y = ((const NumberedRow *) b)->number;

	return x < y ? -1 : x > y;
}

/*
 * Sorts the rows in SPI_tuptable into the order of the caller's records, because
 * PostgreSQL updates rows in the order in which the join finds them.  The last column
 * is the number of the record in the array that was written.  If numbers is not NULL,
 * it maps that to the record's position in the caller's array.  Raises 21000 unless
 * each record has one row.
 */
static void
sort_rows(const int *numbers)
{
	uint64		n = SPI_tuptable->numvals;
	NumberedRow *rows = palloc_extended(sizeof(NumberedRow) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		rows[i].row = SPI_tuptable->vals[i];
		rows[i].number = DatumGetInt64(heap_getattr(rows[i].row, SPI_tuptable->tupdesc->natts,
													SPI_tuptable->tupdesc, &isnull));
		if (numbers)
			rows[i].number = numbers[rows[i].number - 1];
	}
	qsort(rows, n, sizeof(NumberedRow), compare_numbers);
	for (uint64 i = 1; i < n; i++)
		if (rows[i].number == rows[i - 1].number)
			corm_record_meets_several();
	for (uint64 i = 0; i < n; i++)
		SPI_tuptable->vals[i] = rows[i].row;
	pfree(rows);
}

/*
 * Updates the rows of an array of records in one statement.  The rows found go to the
 * sink, in the order of the records.  Returns their number.
 */
static uint64
write_batch(const CormExec *exec, Datum array, CormSink *sink)
{
	CormModel  *model = exec->model;
	CormVerb	verb = {.source = CORM_PLAN_UPDATE_MULTI, .output = CORM_OUTPUT_ROWS, .typid = model->typid};
	CormHookRun *hooks = corm_hooks_begin(exec, CORM_WRITE_UPDATE);
	CormSink	table = {.kind = CORM_SINK_TABLE};
	Datum	   *values = palloc0(sizeof(Datum) * model->nfields);
	bool	   *nulls = palloc0(sizeof(bool) * model->nfields);
	MemoryContext context = CurrentMemoryContext;
	int		   *numbers;
	CormStats	stats;
	CormPlan   *plan;
	volatile uint64 written = 0;
	volatile bool done = false;

	corm_stats_begin(&stats);
	/* the statement's only parameter */
	values[0] = corm_sort_by_key(exec, hooks ? call_before_batch(hooks, exec, array) : array, false, &numbers);

	plan = corm_plan_for_record(&verb, exec, updated_fields(model));
	PG_TRY();
	{
		Datum	   *rows;
		int			nrows;

		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		written = corm_run(plan, corm_bind_record(plan, exec, values, nulls), &table);
		CORM_FAULT("batch-written");
		sort_rows(numbers);
		MemoryContextSwitchTo(context);
		rows = corm_rows_of_table(plan->tupdesc, &nrows);
		if (hooks)
			corm_hooks_after_all(hooks, rows, nrows);
		corm_exec_check(exec);
		corm_rows_to_sink(rows, nrows, sink);
		SPI_finish();
		done = true;
	}
	PG_FINALLY();
	{
		corm_stats_end(&stats, CORM_CMD_UPDATE, model->relid, model->name, done ? written : 0, !done);
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return written;
}

/*
 * Two records of one row
 */

static void raise_duplicate(CormModel *model, const CormKeyedRecord *first, const CormKeyedRecord *second) pg_attribute_noreturn();

/*
 * Raises 21000: two records of a batch have the same key.
 */
static void
raise_duplicate(CormModel *model, const CormKeyedRecord *first, const CormKeyedRecord *second)
{
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(TupleDescAttr(model->tupdesc, field->rownum - 1)->atttypid, &output, &is_varlena);
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", field->name);
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "",
						 OidOutputFunctionCall(output, first->record.values[model->pk[i]]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("cannot update a row of model \"%s\" twice in one batch", model->name),
			 errdetail("Records %d and %d have the same key (%s)=(%s).",
					   first->number, second->number, names.data, values.data)));
}

/*
 * Raises 21000 if two records have the same key, because it is undefined which of them
 * would win.  Keys of a type that has no sort order are not checked.
 */
static void
check_duplicates(const CormExec *exec, ArrayType *array)
{
	int			n;
	CormKeyedRecord *records = corm_keyed_records(exec, array, &n);
	CormKeyedRecord *found = NULL;

	/* the first record with the same key as the one before it */
	for (int i = 1; records && i < n; i++)
		if (records[i].is_duplicate && (found == NULL || records[i].number < found->number))
			found = &records[i];
	if (found)
		raise_duplicate(exec->model, found - 1, found);
}

/*
 * Whether middleware must see the updates of a batch.
 */
static bool
concerns_middleware(const CormExec *exec)
{
	CormModel  *model = exec->model;
	CormVerb	verb = {.source = CORM_PLAN_UPDATE_MULTI, .output = CORM_OUTPUT_ROWS, .typid = model->typid};
	CormOperation op = {0};
	CormPlan   *plan;
	volatile bool any = false;

	if (!corm_middleware_exists())
		return false;
	plan = corm_plan_for_record(&verb, exec, updated_fields(model));
	PG_TRY();
	{
		corm_operation_of_plan(&op, plan);
		any = corm_middleware_concerns(&op);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return any;
}

/*
 * Updates the records one by one, so that middleware sees each update.
 */
static uint64
write_each(const CormExec *exec, ArrayType *array, CormSink *sink)
{
	CormModel  *model = exec->model;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	uint64		written = 0;

	/* the single statement would reject these too */
	check_duplicates(exec, array);
	deconstruct_array(array, model->typid, -1, false, TYPALIGN_DOUBLE, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		CormRecord	record = {.exec = exec, .model = model};
		Datum		row;

		CHECK_FOR_INTERRUPTS();
		CORM_FAULT("batch-record");
		corm_exec_check(exec);
		corm_record_set_row(&record, DatumGetHeapTupleHeader(elems[i]));
		if (!corm_record_write_returning(CORM_PLAN_UPDATE, &record, &row))
			continue;
		corm_exec_check(exec);
		corm_rows_to_sink(&row, 1, sink);
		written++;
	}
	return written;
}

/*
 * Raises the error when some records updated nothing: 21000 if two records are for the
 * same row, P0002 if a record has no row, OR010 if all have a row but in another
 * version.
 */
static void
not_all_written(const CormExec *exec, ArrayType *array, uint64 given, uint64 written)
{
	CormModel  *model = exec->model;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	bool		stale = corm_record_has_version(model);
	bool		other = false;

	CORM_FAULT("batch-missing");
	corm_exec_check(exec);
	check_duplicates(exec, array);
	deconstruct_array(array, model->typid, -1, false, TYPALIGN_DOUBLE, &elems, &nulls, &n);
	for (int i = 0; i < n && stale; i++)
	{
		CormRecord	record = {.exec = exec, .model = model};

		CHECK_FOR_INTERRUPTS();
		corm_exec_check(exec);
		corm_record_set_row(&record, DatumGetHeapTupleHeader(elems[i]));
		stale = corm_record_exists(&record);
		other |= stale && corm_record_is_stale(CORM_PLAN_LOOKUP, &record);
	}
	stale = stale && other;		/* a trigger may have suppressed them instead */
	ereport(ERROR,
			(errcode(stale ? CORM_ERRCODE_STALE_OBJECT : ERRCODE_NO_DATA_FOUND),
			 errmsg(stale ? "stale object" : "no rows in result set"),
			 errdetail("Of " UINT64_FORMAT " records, " UINT64_FORMAT " have a row of model \"%s\"%s.",
					   given, written, model->name,
					   corm_record_has_version(model) ? " in the same version" : " of their own")));
}

/*
 * corm_update_multi(recs): updates the rows with the records' keys, all or none.
 * Returns the updated rows, in the order of the records.
 */
Datum
corm_update_multi(PG_FUNCTION_ARGS)
{
	CormSink	sink = {.kind = CORM_SINK_STORE};
	CormExec	exec;
	CormModel  *model;
	uint64		given;
	uint64		written;

	model = corm_model_lock(batch_model(fcinfo));
	corm_exec_begin(&exec, model);
	CORM_FAULT("batch-begin");
	corm_record_require_key(model);
	given = ArrayGetNItems(ARR_NDIM(PG_GETARG_ARRAYTYPE_P(0)), ARR_DIMS(PG_GETARG_ARRAYTYPE_P(0)));
	if (given == 0)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_EMPTY_BATCH),
				 errmsg("batch has no rows")));
	if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(0)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("records of the batch must not be null")));

	sink.store = corm_begin_set(fcinfo, model->tupdesc);
	if (concerns_middleware(&exec))
		written = write_each(&exec, PG_GETARG_ARRAYTYPE_P(0), &sink);
	else
		written = write_batch(&exec, PG_GETARG_DATUM(0), &sink);
	if (written != given)
		not_all_written(&exec, PG_GETARG_ARRAYTYPE_P(0), given, written);
	return (Datum) 0;
}
