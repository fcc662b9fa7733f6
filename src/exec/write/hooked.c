/*-------------------------------------------------------------------------
 *
 * hooked.c
 *		Writes by query to a model with hooks.
 *
 * Hooks see every row, so the rows must be available between reading and writing.  Such a
 * write runs in stages (query/resolve/staged.c), all of them part of the caller's statement:
 *
 *	1. read the rows: those that an insert gives, or those that the condition
 *	   finds, locked, together with what they are set to
 *	2. call the before hooks for each row
 *	3. write all rows in one statement
 *	4. call the after hooks for each row that was written
 *	5. compute the query's result from these rows
 *
 * So all before hooks are called before anything is written, and all after hooks once
 * everything is written, as in other batches.  An update writes only the fields that it
 * sets and those that a hook has changed.
 *
 * The rows of an update or delete are found again by primary key.  They are locked, so no
 * other session can change them in between.
 *
 * A write whose rows bring their relations along runs here too: the related rows are read
 * once it is done.  Without hooks it is one statement, and then the last stage.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "exec/rows/row_fields.h"
#include "exec/run/execute.h"
#include "exec/run/sink.h"
#include "exec/write/hooked.h"
#include "exec/write/insert_rows.h"
#include "miscadmin.h"
#include "model/cast.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/* A write in progress. */
typedef struct Write
{
	const CormExec *exec;
	const CormVerb *verb;
	CormQuerySet *set;
	CormPlan   *template;
	CormModel  *model;			/* of exec */
	CormCommand command;
	TupleDesc	tupdesc;		/* of the model's row type */
	int			nrows;
	int			size;			/* of the arrays */
	Datum	   *old;			/* current rows; not for an insert */
	Datum	   *new;			/* new rows: to be written, or as written */
	Datum	   *inserted;		/* booleans, if the write reports them; else
								 * NULL */
	Bitmapset **given;			/* fields given for each row of an insert */
	int			values;			/* rows that an insert writes as VALUES; 0: it
								 * selects them */
	bool		shown_only;		/* there are no hooks: of the rows written, we
								 * need what is shown */
} Write;

static Datum
rows_array(Write *write, Datum *rows, int nrows)
{
	return PointerGetDatum(construct_array(rows, nrows, write->model->typid,
										   -1, false, TYPALIGN_DOUBLE));
}

static void
set_array(CormQuerySet *set, int valno, CormModel *model, Datum array)
{
	CormValue  *value = &set->values[valno];

	value->typid = get_array_type(model->typid);
	value->data = DatumGetPointer(array);
	value->len = VARSIZE(value->data);
}

/*
 * Runs a stage.  Rows go to the sink; with SINK_TABLE the caller must be connected to
 * SPI.  Returns the number of rows.  Raises 55006 if, before or after the stage, the
 * model is found changed since the operation began.
 */
static uint64
run_stage(Write *write, CormStage stage, CormOutput output, CormQuerySet *set,
		  Bitmapset *fields, CormSink *sink)
{
	CormVerb	verb = *write->verb;
	CormPlan   *plan;
	volatile uint64 processed = 0;

	verb.stage = stage;
	verb.restore = verb.output == CORM_OUTPUT_RESTORE;
	verb.output = output;
	verb.nrows = stage == CORM_STAGE_WRITE ? write->values : 0;
	if (stage != CORM_STAGE_SHOW)
	{
		verb.typid = write->model->typid;
		verb.limit = 0;
		verb.order_by_key = false;
	}
	CORM_FAULT("hooked-stage");
	corm_exec_check(write->exec);
	plan = corm_plan_for_queries(&verb, set, fields);
	PG_TRY();
	{
		/* our fields and row arrays use the operation's state of the model */
		corm_exec_check_plan(write->exec, plan);
		if (sink->kind != CORM_SINK_TABLE && SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		processed = corm_run(plan, corm_bind_values(plan, set), sink);
		if (sink->kind != CORM_SINK_TABLE)
			SPI_finish();
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	corm_exec_check(write->exec);
	return processed;
}

/*
 * Reading
 */

/* A row's key as text, to identify rows. */
typedef struct RowKey
{
	char	   *text;
} RowKey;

static uint32
hash_row_key(const void *key, Size size)
{
	const char *text = ((const RowKey *) key)->text;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

static int
match_row_keys(const void *a, const void *b, Size size)
{
	return strcmp(((const RowKey *) a)->text, ((const RowKey *) b)->text);
}

/* Makes an empty set of rows in the current context. */
static HTAB *
make_seen_rows(void)
{
	HASHCTL		ctl = {
		.keysize = sizeof(RowKey),
		.entrysize = sizeof(RowKey),
		.hash = hash_row_key,
		.match = match_row_keys,
		.hcxt = CurrentMemoryContext
	};

	return hash_create("corm rows of a write", 256, &ctl,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/*
 * Checks whether a row is already in the set, by its key, and adds it.  A join may find
 * a row several times.
 */
static bool
is_seen(HTAB *seen, CormModel *model, TupleDesc tupdesc, Datum *values)
{
	StringInfoData buf;
	RowKey		key;
	bool		found;

	initStringInfo(&buf);
	for (int i = 0; i < model->npk; i++)
	{
		int			att = model->fields[model->pk[i]].rownum - 1;
		Oid			output;
		bool		is_varlena;
		char	   *text;

		getTypeOutputInfo(TupleDescAttr(tupdesc, att)->atttypid, &output, &is_varlena);
		text = OidOutputFunctionCall(output, values[att]);

		appendStringInfo(&buf, "%d:%s", (int) strlen(text), text);
	}
	key.text = buf.data;
	(void) hash_search(seen, &key, HASH_ENTER, &found);
	return found;
}

/*
 * Adds a row to a write, in its current and its new form.
 */
static void
add_row(Write *write, Datum old, Datum new)
{
	if (write->nrows == write->size)
	{
		write->size = Max(64, write->size * 2);
		write->old = write->old ? repalloc_huge(write->old, sizeof(Datum) * write->size) :
			palloc(sizeof(Datum) * write->size);
		write->new = write->new ? repalloc_huge(write->new, sizeof(Datum) * write->size) :
			palloc(sizeof(Datum) * write->size);
	}
	write->old[write->nrows] = old;
	write->new[write->nrows] = new;
	write->nrows++;
}

static Datum
make_row(TupleDesc tupdesc, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(tupdesc, values, nulls);

	return HeapTupleGetDatum(tuple);
}

/*
 * Returns the assignment cast of a column to an attribute, or NULL if none is needed.
 */
static CormCast *
assignment_cast(Oid source, Form_pg_attribute att, bool is_set, const char *model)
{
	CormCast   *cast;

	if (source == att->atttypid && (!is_set || att->atttypmod < 0))
		return NULL;
	cast = corm_cast_create(source, att->atttypid, att->atttypmod, false);
	if (cast == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("field \"%s\" of model \"%s\" is of type %s but expression is of type %s",
						NameStr(att->attname), model, format_type_be(att->atttypid),
						format_type_be(source))));
	return cast;
}

/*
 * Adds the rows that the query reads, with the fields set.
 */
static void
read_rows(Write *write, CormQuerySet *set)
{
	CormHookedWrite *hooked = write->template->hooked;
	TupleDesc	tupdesc = write->tupdesc;
	MemoryContext context = CurrentMemoryContext;
	CormSink	sink = {.kind = CORM_SINK_TABLE};
	Datum	   *values = palloc0(sizeof(Datum) * tupdesc->natts);
	bool	   *nulls = palloc(sizeof(bool) * tupdesc->natts);
	HTAB	   *seen = hooked->has_joins ? make_seen_rows() : NULL;
	CormCast  **casts;
	int		   *targets;		/* attribute of each column */
	int			ncolumns = 0;
	TupleDesc	columns;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) run_stage(write, CORM_STAGE_READ, CORM_OUTPUT_NATIVE, set, NULL, &sink);
	columns = SPI_tuptable->tupdesc;
	MemoryContextSwitchTo(context);

	casts = palloc(sizeof(CormCast *) * columns->natts);
	targets = palloc(sizeof(int) * columns->natts);
	for (int i = 0; i < tupdesc->natts; i++)
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			targets[ncolumns++] = i;
	for (int i = 0; i < hooked->nsets; i++)
		targets[ncolumns++] = write->model->fields[hooked->sets[i]].rownum - 1;
	Assert(ncolumns == columns->natts);
	for (int i = 0; i < ncolumns; i++)
		casts[i] = assignment_cast(TupleDescAttr(columns, i)->atttypid,
								   TupleDescAttr(tupdesc, targets[i]),
								   i >= ncolumns - hooked->nsets, write->model->name);

	for (uint64 row = 0; row < SPI_tuptable->numvals; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		Datum		old = (Datum) 0;

		CHECK_FOR_INTERRUPTS();
		memset(nulls, true, sizeof(bool) * tupdesc->natts);
		for (int i = 0; i < ncolumns; i++)
		{
			int			att = targets[i];

			if (i == ncolumns - hooked->nsets && write->command != CORM_CMD_INSERT)
				old = make_row(tupdesc, values, nulls);
			values[att] = heap_getattr(tuple, i + 1, columns, &nulls[att]);
			if (casts[i])
			{
				values[att] = corm_cast_apply(casts[i], values[att], &nulls[att]);
				corm_exec_check(write->exec);
				/* copy it: the next conversion frees the result of this one */
				if (!nulls[att])
					values[att] = datumCopy(values[att], TupleDescAttr(tupdesc, att)->attbyval,
											TupleDescAttr(tupdesc, att)->attlen);
			}
			if (seen && i == ncolumns - hooked->nsets - 1 &&
				is_seen(seen, write->model, tupdesc, values))
				break;
			if (i == ncolumns - 1)
			{
				Datum		new = make_row(tupdesc, values, nulls);

				add_row(write, hooked->nsets > 0 ? old : new, new);
			}
		}
	}
	SPI_finish();
}

/* Returns the fields that the query sets. */
static Bitmapset *
set_fields(CormHookedWrite *hooked)
{
	Bitmapset  *fields = NULL;

	for (int i = 0; i < hooked->nsets; i++)
		fields = bms_add_member(fields, hooked->sets[i]);
	return fields;
}

/*
 * Reads rows of an insert that all give these fields, plus those that the query sets.
 */
static void
read_insert(Write *write, CormQuerySet *set, Bitmapset *fields)
{
	int			first = write->nrows;
	Bitmapset  *given = bms_add_members(set_fields(write->template->hooked), fields);

	read_rows(write, set);
	if (write->nrows == first)
		return;
	write->given = write->given ? repalloc_huge(write->given, sizeof(Bitmapset *) * write->size) :
		palloc_extended(sizeof(Bitmapset *) * write->size, MCXT_ALLOC_HUGE);
	for (int i = first; i < write->nrows; i++)
		write->given[i] = given;
}

/*
 * Reads the rows that an insert gives, as rows of the model.
 */
static void
read_given_rows(Write *write)
{
	CormPlan   *template = write->template;
	CormQuerySet set;
	CormValue  *rows;
	ListCell   *lc;

	corm_queries_copy(&set, write->set, 0);
	if (template->rows_valno < 0)
	{
		read_insert(write, &set, NULL);
		return;
	}
	rows = corm_queries_value(&set, template->rows_valno);
	foreach(lc, corm_cut_rows(write->exec, rows, template->nulls_given))
	{
		CormRun    *run = lfirst(lc);

		rows->data = DatumGetPointer(run->rows);
		rows->len = VARSIZE(rows->data);
		read_insert(write, &set, run->fields);
	}
}

/*
 * Writing
 */

/*
 * Adds the fields in which two rows differ.
 */
static Bitmapset *
add_changed_fields(Write *write, Bitmapset *fields, Datum before, Datum after)
{
	TupleDesc	tupdesc = write->tupdesc;
	HeapTupleData tuple = {0};
	Datum	   *values[2];
	bool	   *nulls[2];

	for (int i = 0; i < 2; i++)
	{
		tuple.t_data = DatumGetHeapTupleHeader(i == 0 ? before : after);
		tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
		values[i] = palloc(sizeof(Datum) * tupdesc->natts);
		nulls[i] = palloc(sizeof(bool) * tupdesc->natts);
		heap_deform_tuple(&tuple, tupdesc, values[i], nulls[i]);
	}
	for (int i = 0; i < write->model->nfields; i++)
	{
		CormField  *field = &write->model->fields[i];
		int			att = field->rownum - 1;

		if (bms_is_member(i, fields) || field->primary_key || !corm_field_is_written(write->model, i, false, false))
			continue;
		if (nulls[0][att] != nulls[1][att] ||
			(!nulls[0][att] &&
			 !datum_image_eq(values[0][att], values[1][att], TupleDescAttr(tupdesc, att)->attbyval,
							 TupleDescAttr(tupdesc, att)->attlen)))
			fields = bms_add_member(fields, i);
	}
	for (int i = 0; i < 2; i++)
	{
		pfree(values[i]);
		pfree(nulls[i]);
	}
	return fields;
}

/*
 * Calls the before hooks and returns the fields that an update must write.
 */
static Bitmapset *
call_before(Write *write, CormHookRun *run)
{
	CormHookedWrite *hooked = write->template->hooked;
	Bitmapset  *fields = set_fields(hooked);

	for (int i = 0; i < write->nrows; i++)
	{
		Datum		row;

		CHECK_FOR_INTERRUPTS();
		row = run ? corm_hooks_before(run, write->new[i]) : write->new[i];
		if (write->command == CORM_CMD_UPDATE && row != write->new[i])
			fields = add_changed_fields(write, fields, write->new[i], row);
		else if (hooked->updates_given && row != write->new[i])
			write->given[i] = add_changed_fields(write, bms_copy(write->given[i]), write->new[i], row);
		write->new[i] = row;
	}
	return bms_add_member(fields, write->model->nfields);
}

/*
 * Runs one writing statement, WRITE or the whole write, and adds the rows that it returns.
 */
static uint64
write_rows(Write *write, CormStage stage, CormQuerySet *set, Bitmapset *fields, Write *written)
{
	MemoryContext context = CurrentMemoryContext;
	CormSink	sink = {.kind = CORM_SINK_TABLE};
	Datum	   *rows;
	int			nrows;
	uint64		processed;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	processed = run_stage(write, stage, CORM_OUTPUT_ROWS, set, fields, &sink);
	MemoryContextSwitchTo(context);
	rows = corm_rows_of_table(write->tupdesc, &nrows);
	for (int i = 0; i < nrows; i++)
		add_row(written, rows[i], rows[i]);
	if (write->template->hooked->tells_inserted && nrows > 0)
	{
		TupleDesc	columns = SPI_tuptable->tupdesc;
		Size		size = sizeof(Datum) * written->size;
		bool		isnull;

		written->inserted = written->inserted ? repalloc_huge(written->inserted, size) :
			palloc_extended(size, MCXT_ALLOC_HUGE);
		for (int i = 0; i < nrows; i++)
			written->inserted[written->nrows - nrows + i] =
				heap_getattr(SPI_tuptable->vals[i], columns->natts, columns, &isnull);
	}
	SPI_finish();
	return processed;
}

/*
 * Runs one insert of rows, which give these fields.
 */
static uint64
insert_run(Write *write, CormQuerySet *set, Datum rows, Bitmapset *fields, const Bitmapset *given, Write *written)
{
	CormHookedWrite *hooked = write->template->hooked;
	int			nfields = write->model->nfields;
	int			i = -1;
	uint64		processed;

	while (hooked->updates_given && (i = bms_next_member(given, i)) >= 0 && i < nfields)
		fields = bms_add_member(fields, nfields + 1 + i);
	if (write->shown_only)
		fields = corm_stage_shows(write->model, fields, hooked->shown);
	set_array(set, write->set->nvalues, write->model, rows);
	write->values = corm_rows_as_values(write->model, fields, ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(rows)), ARR_DIMS(DatumGetArrayTypeP(rows))), false);
	processed = write_rows(write, CORM_STAGE_WRITE, set, fields, written);
	write->values = 0;
	return processed;
}

/*
 * Inserts the rows.  A field that the query sets counts as given, NULL or not.  If an
 * upsert updates the given fields, rows with the same given fields are inserted
 * together.  Rows that no hook has seen still give just what they gave.
 */
static uint64
insert_all(Write *write, CormQuerySet *set, Write *written)
{
	CormHookedWrite *hooked = write->template->hooked;
	int			valno = write->set->nvalues;
	uint64		processed = 0;
	int			next;

	if (write->template->upsert_key && write->nrows > 1)
		corm_check_upsert_rows(write->exec, write->template, get_array_type(write->model->typid),
							   rows_array(write, write->new, write->nrows));
	for (int first = 0; first < write->nrows; first = next)
	{
		Bitmapset  *given = write->given[first];
		ListCell   *lc;

		next = write->nrows;
		if (hooked->updates_given || write->shown_only)
			for (next = first + 1; next < write->nrows && bms_equal(write->given[next], given);)
				next++;
		set_array(set, valno, write->model, rows_array(write, write->new + first, next - first));
		if (write->shown_only)
		{
			Bitmapset  *fields = bms_add_member(bms_copy(given), write->model->nfields);

			processed += insert_run(write, set, PointerGetDatum(set->values[valno].data), fields, given, written);
			continue;
		}
		foreach(lc, corm_cut_rows(write->exec, &set->values[valno], false))
		{
			CormRun    *run = lfirst(lc);
			Bitmapset  *fields = bms_add_members(set_fields(hooked), run->fields);

			if (write->template->nulls_given)
				fields = bms_add_members(fields, given);
			processed += insert_run(write, set, run->rows, fields, given, written);
		}
	}
	return processed;
}

/*
 * Raises an error if a write has affected rows other than those that were read.  The
 * write finds rows by key, and child tables may have rows with the same key.
 */
static void
check_written(Write *write, uint64 processed)
{
	if (write->model->relkind == RELKIND_RELATION && processed > (uint64) write->nrows)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("primary key of model \"%s\" is not unique", write->model->name),
				 errdetail("Rows that hooks have been called for: %d; rows that have their keys: " UINT64_FORMAT ".",
						   write->nrows, processed),
				 errhint("Tables that inherit from it may have rows with the same keys.")));
}

/*
 * Writes the rows in one statement, or for an insert in as many as its fields require.
 * The returned rows are added to written.  Returns the number of rows written.
 */
static uint64
write_all(Write *write, Bitmapset *fields, Write *written)
{
	CormQuerySet set;
	int			first = write->set->nvalues;
	uint64		processed;

	if (write->nrows == 0)
		return 0;
	corm_queries_copy(&set, write->set, write->command == CORM_CMD_UPDATE ? 2 : 1);
	switch (write->command)
	{
		case CORM_CMD_INSERT:
			return insert_all(write, &set, written);
		case CORM_CMD_UPDATE:
			set_array(&set, first + 1, write->model, rows_array(write, write->new, write->nrows));
			/* FALLTHROUGH */
		default:
			set_array(&set, first, write->model, rows_array(write, write->old, write->nrows));
			processed = write_rows(write, CORM_STAGE_WRITE, &set, fields, written);
			check_written(write, processed);
			return processed;
	}
}

/*
 * Runs an update or delete without hooks as one statement, and adds the rows that it
 * returns.  They need the fields that are shown, and the caller the right to select those.
 * Returns the number of rows written.
 */
static uint64
write_plainly(Write *write, Write *written)
{
	CormQuerySet set;

	corm_queries_copy(&set, write->set, 0);
	return write_rows(write, CORM_STAGE_PLAIN, &set,
					  corm_stage_shows(write->model, NULL, write->template->hooked->shown), written);
}

/*
 * Returning rows
 */

/*
 * Computes the query's result from the written rows and passes it to the sink.
 */
static void
show(Write *write, Write *written, CormSink *sink)
{
	const CormVerb *verb = write->verb;
	CormHookedWrite *hooked = write->template->hooked;
	CormQuerySet set;

	if (sink->kind == CORM_SINK_NONE)
		return;
	if (verb->output == CORM_OUTPUT_ROWS && verb->typid == write->model->typid && !hooked->has_returning)
	{
		corm_rows_to_sink(written->new, written->nrows, sink);
		return;
	}
	corm_queries_copy(&set, write->set, hooked->tells_inserted ? 2 : 1);
	set_array(&set, write->set->nvalues, write->model, rows_array(write, written->new, written->nrows));
	if (hooked->tells_inserted)
	{
		CormValue  *value = &set.values[write->set->nvalues + 1];
		ArrayType  *array = construct_array(written->inserted, written->nrows, BOOLOID, 1, true, TYPALIGN_CHAR);

		value->typid = BOOLARRAYOID;
		value->data = (char *) array;
		value->len = VARSIZE(array);
	}
	(void) run_stage(write, CORM_STAGE_SHOW, verb->output, &set, NULL, sink);
}

/*
 * Calls the after hooks, but not for rows that an insert only found: they were not
 * written.
 */
static void
call_after(Write *write, CormHookRun *run, Write *written)
{
	if (!write->template->hooked->selects)
	{
		corm_hooks_after_all(run, written->new, written->nrows);
		return;
	}
	for (int i = 0; i < written->nrows; i++)
		if (DatumGetBool(written->inserted[i]))
			corm_hooks_after_all(run, &written->new[i], 1);
}

/*
 * corm_run_hooked runs a write whose model has hooks.  The plan is a template for the
 * queries, whose values have been read.  Rows go to the sink.  Returns the number of
 * rows written.
 */
uint64
corm_run_hooked(const CormVerb *verb, CormPlan *template, CormQuerySet *set, CormSink *sink)
{
	CormExec	exec;
	Write		write = {.exec = &exec, .verb = verb, .set = set, .template = template, .command = template->command};
	Write		written = {0};
	CormHookRun *run;
	Bitmapset  *fields;
	uint64		processed;

	CORM_FAULT("hooked-begin");
	write.model = corm_model_get(template->hooked->model);
	corm_exec_begin(&exec, write.model);
	corm_exec_check_plan(&exec, template);
	write.tupdesc = write.model->tupdesc;
	written.tupdesc = write.tupdesc;

	/* the hooks may have been dropped since the plan was made */
	run = corm_hooks_begin(&exec, corm_write_kind(write.command));
	write.shown_only = run == NULL && template->hooked->shown != NULL;
	if (write.shown_only && write.command != CORM_CMD_INSERT)
	{
		processed = write_plainly(&write, &written);
		CORM_FAULT("hooked-show");
		show(&write, &written, sink);
		return processed;
	}
	if (write.command == CORM_CMD_INSERT)
		read_given_rows(&write);
	else
	{
		CormQuerySet values;

		corm_model_require_pk(write.model);
		corm_queries_copy(&values, set, 0);
		read_rows(&write, &values);
		corm_check_max_rows(template, corm_allowed_rows(template, set), write.nrows);
	}
	CORM_FAULT("hooked-read");
	fields = call_before(&write, run);
	processed = write_all(&write, fields, &written);
	CORM_FAULT("hooked-written");
	if (run)
		call_after(&write, run, &written);
	CORM_FAULT("hooked-show");
	show(&write, &written, sink);
	return processed;
}

/*
 * Nested writes
 *
 * The parents of a row are written between its before hooks and its insert, and its
 * children between the insert and its after hooks.  So nested.c calls the hooks itself.
 * For the before hooks, it needs the object as a row.
 */

/*
 * Reads the object of an insert as a row of its model.  There is no row if the model
 * has no hooks.
 */
static void
read_object(Write *write)
{
	CormPlan   *template = corm_plan_for_queries(write->verb, write->set, NULL);

	PG_TRY();
	{
		if (template->hooked)
		{
			corm_exec_check_plan(write->exec, template);
			write->template = template;
			write->tupdesc = write->model->tupdesc;
			read_given_rows(write);
		}
	}
	PG_FINALLY();
	{
		corm_plan_release(template);
	}
	PG_END_TRY();
}

/*
 * corm_hooks_before_json passes an object that an operation will insert through the
 * before hooks, and returns their result.
 */
Jsonb *
corm_hooks_before_json(CormHookRun *run, const CormExec *exec, Jsonb *object)
{
	CormModel  *model = exec->model;
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .typid = model->typid};
	CormQuerySet set;
	Write		write = {.exec = exec, .verb = &verb, .set = &set, .model = model, .command = CORM_CMD_INSERT};

	corm_rows_query(model->relid, JSONBOID, JsonbPGetDatum(object), &set);
	corm_queries_read_values(&set);
	read_object(&write);
	if (write.nrows != 1)
		return object;
	return corm_row_to_json(model, corm_hooks_before(run, write.new[0]), true);
}
