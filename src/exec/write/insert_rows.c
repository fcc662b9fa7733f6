/*-------------------------------------------------------------------------
 *
 * insert_rows.c
 *		Inserting the rows given by rows().
 *
 * Rows are given as an array of the model's row type or as JSON objects, and are
 * inserted by one INSERT ... SELECT from that array or document.  A missing field gets
 * its default, so the SQL depends on which fields are given.  Therefore the input is
 * cut into runs of consecutive rows that give the same fields.  Usually there is only
 * one run, and the array is passed on unchanged.
 *
 * Runs are inserted in input order.  All of them are part of the caller's statement, so
 * an error in one rolls back all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/jsonb.h"
#include "catalog/pg_type.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "exec/rows/row_fields.h"
#include "exec/run/execute.h"
#include "exec/run/sink.h"
#include "exec/write/insert_rows.h"
#include "exec/write/key_order.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/shards.h"
#include "tx/tx.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define MAX_VALUES	16			/* rows that are written as VALUES */
#define MAX_READ_VALUES 4096	/* values that are read from JSON for that */

static void
empty_batch(void)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_EMPTY_BATCH),
			 errmsg("batch has no rows")));
}

/*
 * Rows as an array
 */

/*
 * Cuts an array of records into runs.
 */
static List *
array_runs(const CormExec *exec, Datum value)
{
	CormModel  *model = exec->model;
	ArrayType  *array = DatumGetArrayTypeP(value);
	Oid			element = ARR_ELEMTYPE(array);
	TupleDesc	tupdesc = model->tupdesc;
	Datum	   *elems;
	bool	   *elem_nulls;
	int			n;
	Datum	   *values;
	bool	   *nulls;
	Bitmapset  *current = NULL;
	int			start = 0;
	List	   *runs = NIL;

	if (element != model->typid)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("rows of type %s cannot be inserted into model \"%s\"",
						format_type_be(element), model->name),
				 errdetail("Its row type is %s.", format_type_be(model->typid))));

	deconstruct_array(array, element, -1, false, TYPALIGN_DOUBLE, &elems, &elem_nulls, &n);
	if (n == 0)
		empty_batch();

	values = palloc(sizeof(Datum) * tupdesc->natts);
	nulls = palloc(sizeof(bool) * tupdesc->natts);
	for (int row = 0; row < n; row++)
	{
		HeapTupleHeader header;
		HeapTupleData tuple;
		Bitmapset  *fields = NULL;

		CHECK_FOR_INTERRUPTS();
		if (elem_nulls[row])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("record %d of the batch is null", row + 1)));
		header = DatumGetHeapTupleHeader(elems[row]);
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		heap_deform_tuple(&tuple, tupdesc, values, nulls);
		for (int i = 0; i < model->nfields; i++)
			if (corm_field_is_written(model, i, true, nulls[model->fields[i].rownum - 1]))
				fields = bms_add_member(fields, i);

		if (row > 0 && bms_equal(fields, current))
		{
			bms_free(fields);
			continue;
		}
		if (row > 0)
		{
			CormRun    *run = palloc(sizeof(CormRun));

			run->fields = bms_add_member(current, model->nfields);
			run->nrows = row - start;
			run->rows = PointerGetDatum(construct_array(elems + start, run->nrows, element,
														-1, false, TYPALIGN_DOUBLE));
			runs = lappend(runs, run);
		}
		current = fields;
		start = row;
	}

	{
		CormRun    *run = palloc(sizeof(CormRun));

		run->fields = bms_add_member(current, model->nfields);
		run->nrows = n - start;
		run->rows = start == 0 ? PointerGetDatum(array) :
			PointerGetDatum(construct_array(elems + start, run->nrows, element,
											-1, false, TYPALIGN_DOUBLE));
		runs = lappend(runs, run);
	}
	return runs;
}

/*
 * Rows as JSON
 */

/*
 * Returns the field that a key of a JSON object names.  The key can follow the model's
 * naming strategy or use any spelling that is accepted elsewhere.
 */
static int
json_field(CormModel *model, JsonbValue *key)
{
	char	   *name = pnstrdup(key->val.string.val, key->val.string.len);
	CormField  *field;

	for (int i = 0; i < model->nfields; i++)
		if (strcmp(model->fields[i].json_key, name) == 0)
			return i;
	field = corm_model_field(model, name);
	return field - model->fields;
}

/*
 * Does an object that has a value for a field give it?  A null does not where it means the
 * default.  If nulls are values, only that of a key still does, and that of a field which
 * corm fills.
 */
static bool
is_given(CormModel *model, int field, const JsonbValue *value, bool nulls_given)
{
	bool		is_null = value->type == jbvNull;
	bool		is_value = nulls_given && !model->fields[field].primary_key && !model->fields[field].identity &&
		field != model->version && field != model->created_at && field != model->updated_at;

	return corm_field_is_written(model, field, true, is_null && !is_value);
}

/*
 * Checks an object and returns the fields that it gives.  rowno is for error messages.
 * Sets *as_is to false unless its keys are the column names and all of them are given.
 */
static Bitmapset *
check_json_row(CormModel *model, CormJsonCheck *check, int rowno, JsonbValue *object, bool nulls_given, bool *as_is)
{
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;
	Bitmapset  *fields = NULL;

	if (object->type != jbvBinary || !JsonContainerIsObject(object->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows given as JSON must be objects")));

	it = JsonbIteratorInit(object->val.binary.data);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		int			i = json_field(model, &key);
		CormField  *field = &model->fields[i];

		(void) JsonbIteratorNext(&it, &value, true);
		if (field->generated || field->read_only)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_READ_ONLY_FIELD),
					 errmsg("field \"%s\" of model \"%s\" cannot be written",
							field->name, model->name),
					 errdetail("It is %s.", field->generated ? "a generated column" : "read-only")));
		if (bms_is_member(i, fields))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("field \"%s\" of model \"%s\" is given twice",
							field->name, model->name)));
		if (!is_given(model, i, &value, nulls_given))
		{
			*as_is = false;
			continue;
		}
		if (corm_json_as_hstore(field, &value))
			*as_is = false;
		corm_json_check_value(check, i, rowno, &value);
		if (strlen(field->column) != key.val.string.len ||
			memcmp(field->column, key.val.string.val, key.val.string.len) != 0)
			*as_is = false;
		fields = bms_add_member(fields, i);
	}
	return fields;
}

/*
 * Adds a checked object to the array being built, with the column names as keys.
 */
static void
push_json_row(CormModel *model, JsonbParseState **state, JsonbValue *object, bool nulls_given)
{
	JsonbIterator *it = JsonbIteratorInit(object->val.binary.data);
	JsonbValue	key;
	JsonbValue	value;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		int			i = json_field(model, &key);

		(void) JsonbIteratorNext(&it, &value, true);
		if (!is_given(model, i, &value, nulls_given))
			continue;
		(void) corm_json_as_hstore(&model->fields[i], &value);
		corm_json_key(state, model->fields[i].column);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static CormRun *
make_json_run(CormModel *model, Jsonb *rows, Bitmapset *fields, int nrows)
{
	CormRun    *run = palloc(sizeof(CormRun));

	run->fields = bms_add_member(bms_copy(fields), model->nfields);
	run->nrows = nrows;
	run->rows = JsonbPGetDatum(rows);
	return run;
}

/*
 * corm_refuse_empty_object raises 22023 for {} where a row or an array of rows is meant.
 * Some clients send an empty array so.
 */
void
corm_refuse_empty_object(Jsonb *json)
{
	if (JB_ROOT_IS_OBJECT(json) && JB_ROOT_COUNT(json) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an empty object is not a row"),
				 errhint("Some clients send an empty array as {}. For a row of defaults, give [{}].")));
}

/* Wraps an object in an array of one element. */
static Jsonb *
as_array(Jsonb *json)
{
	JsonbParseState *state = NULL;
	JsonbValue	object;

	object.type = jbvBinary;
	object.val.binary.data = &json->root;
	object.val.binary.len = VARSIZE(json) - VARHDRSZ;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	pushJsonbValue(&state, WJB_ELEM, &object);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * Cuts a JSON object, or an array of objects, into runs.  Checks that all values can be
 * converted to the types of their fields.  This may run user code; raises 55006 if that
 * has changed the model.
 */
static List *
json_runs(const CormExec *exec, Datum value, bool nulls_given)
{
	CormModel  *model = exec->model;
	Jsonb	   *json = DatumGetJsonbP(value);
	JsonbParseState *state = NULL;
	JsonbIterator *it;
	JsonbValue	element;
	CormJsonCheck *check;
	List	   *given = NIL;	/* set of given fields of each row */
	bool		as_is = true;
	int			rowno = 0;
	int			start = 0;
	List	   *runs = NIL;

	corm_refuse_empty_object(json);
	if (JB_ROOT_IS_OBJECT(json))
		json = as_array(json);
	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows given as JSON must be an object or an array of objects")));
	if (JB_ROOT_COUNT(json) == 0)
		empty_batch();

	check = corm_json_check_begin(exec);
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		rowno++;
		given = lappend(given, check_json_row(model, check, JB_ROOT_COUNT(json) > 1 ? rowno : 0,
											  &element, nulls_given, &as_is));
		as_is = as_is && bms_equal(llast(given), linitial(given));
	}
	corm_json_check_end(check);
	if (as_is)
		return list_make1(make_json_run(model, json, linitial(given), rowno));

	rowno = 0;
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		if (rowno == start)
			pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		push_json_row(model, &state, &element, nulls_given);
		rowno++;
		if (rowno < list_length(given) && bms_equal(list_nth(given, rowno), list_nth(given, start)))
			continue;
		runs = lappend(runs, make_json_run(model, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)),
										   list_nth(given, start), rowno - start));
		state = NULL;
		start = rowno;
	}
	return runs;
}

/*
 * Running
 */

/*
 * Appends the elements of a JSON array to the array being built.
 */
static void
append_json(JsonbParseState **state, Datum array)
{
	JsonbIterator *it = JsonbIteratorInit(&DatumGetJsonbP(array)->root);
	JsonbValue	element;

	if (*state == NULL)
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
		pushJsonbValue(state, WJB_ELEM, &element);
}

/*
 * corm_cut_rows cuts rows of an operation's model, given as an array or as jsonb, into
 * runs.  nulls_given: null in JSON is a value.  Returns a list of CormRun.
 */
List *
corm_cut_rows(const CormExec *exec, CormValue *rows, bool nulls_given)
{
	CormModel  *model = exec->model;

	if (rows->typid == JSONBOID)
		return json_runs(exec, corm_value_datum(rows, -1, false), nulls_given);
	if (OidIsValid(get_element_type(rows->typid)))
		return array_runs(exec, corm_value_datum(rows, -1, false));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("rows must be an array of type %s or jsonb, not a value of type %s",
					format_type_be(get_array_type(model->typid)), format_type_be(rows->typid))));
}

/*
 * Returns the rows of an insert, cut into runs.
 */
static List *
cut_runs(const CormExec *exec, CormPlan *template, CormQuerySet *set)
{
	CormValue  *rows = corm_queries_value(set, template->rows_valno);

	corm_exec_check_plan(exec, template);
	return corm_cut_rows(exec, rows, template->nulls_given);
}

/*
 * Replaces all rows in the set with the rows of one run.
 */
static void
set_rows(CormPlan *template, CormQuerySet *set, CormRun *run)
{
	CormValue  *rows = &set->values[template->rows_valno];

	rows->data = DatumGetPointer(run->rows);
	rows->len = VARSIZE(rows->data);
}

/*
 * corm_first_rows keeps only the first run of an insert's rows in the set and returns
 * the fields that it gives.  It is used to show what would run.
 */
Bitmapset *
corm_first_rows(CormPlan *template, CormQuerySet *set)
{
	CormExec	exec;
	CormRun    *run;

	corm_exec_begin(&exec, corm_model_get(template->rows_model));
	run = linitial(cut_runs(&exec, template, set));
	set_rows(template, set, run);
	return run->fields;
}

/*
 * corm_check_upsert_rows raises 21000 if two rows of an upsert that needs several
 * statements have the same key, because a single statement would reject them too.  The
 * rows are rows of a model, as an array or jsonb.  template tells which fields are the
 * key.
 */
void
corm_check_upsert_rows(const CormExec *exec, const CormPlan *template, Oid type, Datum rows)
{
	CormModel  *model = exec->model;
	bool		is_json = type == JSONBOID;
	StringInfoData columns;
	StringInfoData names;
	StringInfoData conditions;
	char	   *sql;
	int			i = -1;

	if (template->upsert_key == NULL)
		return;
	initStringInfo(&columns);
	initStringInfo(&names);
	initStringInfo(&conditions);
	while ((i = bms_next_member(template->upsert_key, i)) >= 0)
	{
		CormField  *field = &model->fields[i];
		const char *column = quote_identifier(is_json ? field->column : get_attname(model->relid, field->rownum, false));
		const char *comma = names.len > 0 ? ", " : "";

		appendStringInfo(&columns, "%s%s %s", comma, column, corm_deparse_type(field->typid, field->typmod));
		appendStringInfo(&conditions, "%sr.%s IS NOT NULL", names.len > 0 ? " AND " : "", column);
		appendStringInfo(&names, "%sr.%s", comma, column);
	}
	sql = is_json ?
		psprintf("SELECT FROM pg_catalog.jsonb_to_recordset($1) AS r(%s) WHERE %s GROUP BY %s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1",
				 columns.data, conditions.data, names.data) :
		psprintf("SELECT FROM pg_catalog.unnest($1) AS r WHERE %s GROUP BY %s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1",
				 conditions.data, names.data);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(sql, 1, &type, &rows, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "looking for equal keys failed");
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("ON CONFLICT DO UPDATE command cannot affect row a second time"),
				 errhint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")));
	SPI_finish();
	/* reading JSON may have run user code */
	corm_exec_check(exec);
}

/* Like corm_check_upsert_rows, for the rows of a call that have been cut into runs. */
static void
check_upsert_runs(const CormExec *exec, CormPlan *template, CormQuerySet *set, List *runs)
{
	CormValue  *rows = &set->values[template->rows_valno];
	JsonbParseState *json = NULL;
	ListCell   *lc;

	if (rows->typid != JSONBOID)
	{
		corm_check_upsert_rows(exec, template, rows->typid, corm_value_datum(rows, -1, false));
		return;
	}
	/* use the rows of the runs, whose keys are the column names */
	foreach(lc, runs)
	{
		append_json(&json, ((CormRun *) lfirst(lc))->rows);
	}
	corm_check_upsert_rows(exec, template, JSONBOID,
						   JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_ARRAY, NULL))));
}

/* Has a table a column of a domain? */
static bool
has_domain(Oid table)
{
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(get_rel_type_id(table), -1);
	bool		found = false;

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		found |= !att->attisdropped && get_typtype(att->atttypid) == TYPTYPE_DOMAIN;
	}
	ReleaseTupleDesc(tupdesc);
	return found;
}

/*
 * corm_rows_as_values returns the number of rows if they are to be inserted by VALUES, else
 * 0.  fields are those that the rows give.  That is for tables that may be distributed, and
 * for few rows: each number has a plan of its own.  A row of JSON is read once for each of
 * its fields, and as a row of the table, in which a domain may refuse the NULL of a field
 * that is not given.
 */
int
corm_rows_as_values(CormModel *model, const Bitmapset *fields, int nrows, bool is_json)
{
	int			nfields = bms_num_members(fields);

	if (nrows > MAX_VALUES || !corm_may_be_distributed() || bms_next_member(fields, -1) >= model->nfields)
		return 0;
	if (is_json && (nrows * nfields * nfields > MAX_READ_VALUES || has_domain(model->table)))
		return 0;
	return nrows;
}

/*
 * Inserts the rows of one run, all of which give the same fields.  Returns the number
 * of rows written.
 */
static uint64
run_run(const CormExec *exec, const CormVerb *verb, CormPlan *template, CormQuerySet *set, CormRun *run, CormSink *sink)
{
	CormVerb	sized = *verb;
	CormPlan   *plan;
	volatile uint64 processed = 0;

	CORM_FAULT("rows-run");
	corm_exec_check(exec);
	sized.nrows = corm_rows_as_values(exec->model, run->fields, run->nrows, set->values[template->rows_valno].typid == JSONBOID);
	plan = corm_plan_for_queries(&sized, set, run->fields);
	PG_TRY();
	{
		corm_exec_check_plan(exec, plan);
		set_rows(template, set, run);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		processed = corm_run(plan, corm_bind_values(plan, set), sink);
		SPI_finish();
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return processed;
}

/*
 * Runs an insert with rows(), in the order of the rows in the set.
 */
static uint64
run_rows(const CormExec *exec, const CormVerb *verb, CormPlan *template, CormQuerySet *set, CormSink *sink)
{
	List	   *runs = cut_runs(exec, template, set);
	JsonbParseState *json = NULL;
	uint64		processed = 0;
	ListCell   *lc;

	if (list_length(runs) > 1 && template->upsert_key)
		check_upsert_runs(exec, template, set, runs);
	foreach(lc, runs)
	{
		processed += run_run(exec, verb, template, set, lfirst(lc), sink);
		/* each run returns one array, but the sink keeps only the first row */
		if (verb->output == CORM_OUTPUT_JSON && list_length(runs) > 1)
		{
			append_json(&json, sink->value);
			sink->nrows = 0;
		}
	}
	if (json)
	{
		sink->value = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_ARRAY, NULL)));
		sink->nrows = 1;
	}
	return processed;
}

/*
 * Does a row have the same key as a record?
 */
static bool
has_key_of(const CormRecord *row, const CormRecord *record)
{
	CormModel  *model = record->model;

	for (int i = 0; i < model->npk; i++)
	{
		int			field = model->pk[i];
		Form_pg_attribute att = TupleDescAttr(model->tupdesc, model->fields[field].rownum - 1);

		if (row->nulls[field] || !datum_image_eq(row->values[field], record->values[field], att->attbyval, att->attlen))
			return false;
	}
	return true;
}

/*
 * Passes rows that were inserted in key order to the sink, in the order of the given
 * records.  numbers holds the original position of each.  A record has no row if a
 * trigger or a conflict suppressed it.  If in that case a trigger has also changed
 * keys, the rows stay in the order in which they were inserted.
 */
static void
give_in_order(const CormExec *exec, Datum sorted, const int *numbers, Datum *rows, int nrows, CormSink *sink)
{
	Datum	   *records;
	Datum	   *given;
	bool	   *nulls;
	int			nrecords;
	int			row = 0;

	deconstruct_array(DatumGetArrayTypeP(sorted), exec->model->typid, -1, false, TYPALIGN_DOUBLE,
					  &records, &nulls, &nrecords);
	given = palloc_extended(sizeof(Datum) * nrecords, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < nrecords && row < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nrows < nrecords)
		{
			CormRecord	record = {.exec = exec, .model = exec->model};
			CormRecord	written = record;

			corm_record_set_row(&record, DatumGetHeapTupleHeader(records[i]));
			corm_record_set_row(&written, DatumGetHeapTupleHeader(rows[row]));
			if (!has_key_of(&written, &record))
				continue;
		}
		given[numbers[i]] = rows[row++];
	}
	if (row < nrows)
	{
		corm_rows_to_sink(rows, nrows, sink);
		return;
	}
	for (int i = 0; i < nrecords; i++)
		if (given[i] != (Datum) 0)
			corm_rows_to_sink(&given[i], 1, sink);
}

/*
 * Runs an insert whose rows have been sorted by key.  The rows of the model that it
 * returns are passed on in the order in which they were given.
 */
static uint64
run_sorted(const CormExec *exec, const CormVerb *verb, CormPlan *template, CormQuerySet *set, Datum sorted,
		   const int *numbers, CormSink *sink)
{
	CormSink	store = {.kind = CORM_SINK_STORE, .context = CurrentMemoryContext};
	TupleTableSlot *slot = MakeSingleTupleTableSlot(exec->model->tupdesc, &TTSOpsMinimalTuple);
	Datum	   *rows;
	int			nrows = 0;
	uint64		processed;

	store.store = corm_exec_store(exec, false);
	processed = run_rows(exec, verb, template, set, &store);
	CORM_FAULT("rows-sorted");
	corm_exec_check(exec);
	rows = palloc_extended(sizeof(Datum) * Max(store.nrows, 1), MCXT_ALLOC_HUGE);
	while (tuplestore_gettupleslot(store.store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		rows[nrows++] = ExecFetchSlotHeapTupleDatum(slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(store.store);
	/* those of a distributed table come by shards */
	if (nrows > 1 && corm_may_be_distributed())
	{
		int		   *unused;
		bool	   *nulls;
		ArrayType  *array = construct_array(rows, nrows, exec->model->typid, -1, false, TYPALIGN_DOUBLE);

		deconstruct_array(DatumGetArrayTypeP(corm_sort_by_key(exec, PointerGetDatum(array), false, &unused)), exec->model->typid,
						  -1, false, TYPALIGN_DOUBLE, &rows, &nulls, &nrows);
	}
	give_in_order(exec, sorted, numbers, rows, nrows, sink);
	return processed;
}

/*
 * corm_run_rows runs an insert with rows().  The plan is a template for the queries.
 * Rows go to the sink.  Returns the number of rows inserted.
 *
 * Records of an array are inserted in key order, so that two batches do not deadlock.
 * If they were given in another order, the insert must return nothing or rows of the
 * model, which are put back into the given order.
 */
uint64
corm_run_rows(const CormVerb *verb, CormPlan *template, CormQuerySet *set, CormSink *sink)
{
	bool		gives_rows = verb->output == CORM_OUTPUT_ROWS && sink->kind != CORM_SINK_NONE;
	CormExec	exec;
	CormValue  *rows;
	Datum		sorted;
	int		   *numbers;

	CORM_FAULT("rows-begin");
	corm_exec_begin(&exec, corm_model_get(template->rows_model));
	corm_exec_check_plan(&exec, template);
	rows = corm_queries_value(set, template->rows_valno);
	if ((gives_rows && verb->typid != exec.model->typid) || (!gives_rows && sink->kind != CORM_SINK_NONE) ||
		rows->typid != get_array_type(exec.model->typid))
		return run_rows(&exec, verb, template, set, sink);

	sorted = corm_sort_by_key(&exec, corm_value_datum(rows, -1, false), gives_rows && corm_may_be_distributed(), &numbers);
	if (numbers == NULL)
		return run_rows(&exec, verb, template, set, sink);
	rows->data = DatumGetPointer(sorted);
	rows->len = VARSIZE(rows->data);
	return gives_rows ? run_sorted(&exec, verb, template, set, sorted, numbers, sink) :
		run_rows(&exec, verb, template, set, sink);
}
