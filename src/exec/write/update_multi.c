/*-------------------------------------------------------------------------
 *
 * update_multi.c
 *		Updating many records by one statement.
 *
 * The records come as an array of the model's row type, which is joined with
 * the table by primary key (and version), in the order of the keys.  Their
 * numbers come along, and are the last column of what the statement returns:
 * the rows are given back in the order of the records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_update_multi);

/* A field of the rows of an array, which has the model's row type. */
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
 * The rows of the array that is the statement's only value, numbered in a
 * column of its own.
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
 * corm_update_multi_stmt makes of a statement that has a source the update of
 * many rows: from an array of records, joined by primary key.
 */
CormStmt *
corm_update_multi_stmt(CormStmt *stmt, Bitmapset *fields)
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
 * Passes the records of a batch through the hooks before.  A null element
 * stays what it is.
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

/* A row that an update has returned, and the number of its record. */
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
 * Sorts the rows in SPI_tuptable by their last column, the number of the
 * record in the array that was written, by way of what numbers the records were
 * given in, unless that is NULL: PostgreSQL updates rows in the order in which a
 * join finds them.  Each record has one row, else 21000.
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
 * Updates the rows of an array of records by one statement; those that were
 * found go to the sink, in the order of the records.  Returns their number.
 */
static uint64
write_batch(const CormExec *exec, Datum array, CormSink *sink)
{
	CormModel  *model = exec->model;
	CormVerb	verb = {.source = CORM_PLAN_UPDATE_MULTI, .output = CORM_OUTPUT_ROWS, .typid = model->typid};
	CormHookRun *hooks = corm_hooks_begin(exec, CORM_EVENT_UPDATE);
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
	/* the only value of the statement */
	values[0] = corm_sort_by_key(exec, hooks ? call_before_batch(hooks, exec, array) : array, &numbers);

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
 * Raises 21000 if two of the records have the same key: which of them would
 * win is not said.  Keys of a type that has no order are not looked at.
 */
static void
check_duplicates(const CormExec *exec, ArrayType *array)
{
	int			n;
	CormKeyedRecord *records = corm_keyed_records(exec, array, &n);
	CormKeyedRecord *found = NULL;

	/* the first record that another one comes before */
	for (int i = 1; records && i < n; i++)
		if (records[i].is_duplicate && (found == NULL || records[i].number < found->number))
			found = &records[i];
	if (found)
		raise_duplicate(exec->model, found - 1, found);
}

/*
 * Whether middleware is to see the updates of a batch.
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
 * The same one by one, which is what middleware sees.
 */
static uint64
write_each(const CormExec *exec, ArrayType *array, CormSink *sink)
{
	CormModel  *model = exec->model;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	uint64		written = 0;

	/* the statement for all of them would not take such either */
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
 * Raises the error for records of which some have updated nothing: 21000 if
 * two are of one row, P0002 if one has no row, OR010 if all have one, but not
 * in their version.
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
 * corm_update_multi(recs): updates the rows with the records' keys, all or
 * none, and returns them as they are then, in the order of the records.
 */
Datum
corm_update_multi(PG_FUNCTION_ARGS)
{
	CormSink	sink = {.kind = CORM_SINK_STORE};
	CormExec	exec;
	CormModel  *model;
	uint64		given;
	uint64		written;

	model = corm_model_lock(corm_batch_model(fcinfo));
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

