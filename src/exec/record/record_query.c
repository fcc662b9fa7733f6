/*-------------------------------------------------------------------------
 *
 * record_query.c
 *		Writes of one record as operations that middleware can wrap.
 *
 * A middleware sees the write of a record as the query that does the same:
 *
 *	insert	inserter, rows
 *	update	updater, set for each field, where the key (and version)
 *	save	inserter, rows, on_conflict, do_update
 *	delete	deleter, where the key (and version)
 *
 * If the middleware passes the query on unchanged, record_write.c writes the record.
 * If it has changed the query, the query is run instead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/call/operation.h"
#include "exec/call/run_query.h"
#include "exec/call/show.h"
#include "exec/middleware/middleware.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/record/record_query.h"
#include "exec/record/record_write.h"
#include "exec/rows/row_fields.h"
#include "exec/run/sink.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

typedef struct RecordOperation
{
	CormOperation op;
	CormPlanSource source;
	CormRecord *record;
} RecordOperation;

/*
 * Writes the value of a field of a record.
 */
static void
write_field_value(CormWriter *w, CormRecord *record, int field)
{
	Oid			typid = corm_record_field_type(record->model, field);
	int16		typlen = -1;
	bool		typbyval = false;

	if (record->nulls[field])
	{
		corm_write_null(w, typid);
		return;
	}
	if (typid != UNKNOWNOID)	/* unknown is text that takes the column's
								 * type */
		get_typlenbyval(typid, &typlen, &typbyval);
	corm_write_value(w, typid, typlen, typbyval, record->values[field]);
}

static void
write_name(CormWriter *w, const CormField *field)
{
	corm_write_name(w, field->name, strlen(field->name));
}

static void
write_equal(CormWriter *w, CormRecord *record, int field)
{
	corm_write_tag(w, CORM_N_EQ);
	corm_write_tag(w, CORM_N_COLUMN);
	write_name(w, &record->model->fields[field]);
	write_field_value(w, record, field);
}

/*
 * Writes the condition that a row has the record's key, and its version if that must be
 * checked.
 */
static void
write_where(CormWriter *w, CormRecord *record, bool check_version)
{
	CormModel  *model = record->model;

	check_version = check_version && corm_record_has_version(model);
	corm_write_tag(w, CORM_N_WHERE);
	corm_write_count(w, model->npk + (check_version ? 1 : 0));
	for (int i = 0; i < model->npk; i++)
		write_equal(w, record, model->pk[i]);
	if (check_version)
		write_equal(w, record, model->version);
}

static void
write_rows(CormWriter *w, CormRecord *record)
{
	Oid			typid = record->model->typid;
	ArrayType  *rows = construct_array(&record->row, 1, typid, -1, false, TYPALIGN_DOUBLE);

	corm_write_tag(w, CORM_N_INSERTER);
	corm_write_oid(w, record->model->relid);
	corm_write_tag(w, CORM_N_ROWS);
	corm_write_value(w, get_array_type(typid), -1, false, PointerGetDatum(rows));
}

static void
write_source(CormWriter *w, CormNodeTag tag, CormModel *model)
{
	corm_write_tag(w, tag);
	corm_write_oid(w, model->relid);
	if (tag == CORM_N_SELECTOR)
		corm_write_name(w, "", 0);
}

/*
 * Writes the query of an update.  If there is no field to set, this is a lookup.
 */
static void
write_update(CormWriter *w, CormRecord *record)
{
	CormModel  *model = record->model;
	bool		sets = false;

	for (int i = 0; i < model->nfields; i++)
	{
		if (model->fields[i].primary_key || !corm_field_is_written(model, i, false, record->nulls[i]))
			continue;
		if (!sets)
			write_source(w, CORM_N_UPDATER, model);
		sets = true;
		corm_write_tag(w, CORM_N_SET);
		write_name(w, &model->fields[i]);
		write_field_value(w, record, i);
	}
	/* only the key: look the row up */
	if (!sets)
		write_source(w, CORM_N_SELECTOR, model);
	write_where(w, record, true);
}

/*
 * Returns the query that is equivalent to the write, in the current context.
 */
static CormNode *
operation_query(CormOperation *op)
{
	RecordOperation *self = (RecordOperation *) op;
	CormRecord *record = self->record;
	CormModel  *model = record->model;
	CormWriter	w;

	corm_writer_init(&w);
	switch (self->source)
	{
		case CORM_PLAN_INSERT:
			write_rows(&w, record);
			break;
		case CORM_PLAN_SAVE:
			write_rows(&w, record);
			corm_write_tag(&w, CORM_N_ON_CONFLICT);
			corm_write_count(&w, model->npk);
			for (int i = 0; i < model->npk; i++)
				write_name(&w, &model->fields[model->pk[i]]);
			corm_write_tag(&w, CORM_N_DO_UPDATE);
			corm_write_count(&w, 0);
			if (corm_record_has_version(model))
			{
				corm_write_tag(&w, CORM_N_WHERE);
				corm_write_count(&w, 1);
				write_equal(&w, record, model->version);
			}
			break;
		case CORM_PLAN_UPDATE:
			write_update(&w, record);
			break;
		case CORM_PLAN_DELETE:
			write_source(&w, CORM_N_DELETER, model);
			write_where(&w, record, true);
			break;
		default:
			write_source(&w, CORM_N_SELECTOR, model);
			write_where(&w, record, false);
	}
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

static void
operation_inspect(CormOperation *op, CormNode *rewritten)
{
	corm_inspect_query(op, op->verb, rewritten);
}

/*
 * Returns the SQL and arguments of the write, or of the query that a middleware has put
 * in its place.
 */
static void
operation_show(CormOperation *op, CormNode *rewritten, char **sql, Jsonb **args)
{
	RecordOperation *self = (RecordOperation *) op;
	CormRecord *record = self->record;
	CormQuerySet set;
	CormPlan   *plan;

	if (rewritten)
	{
		corm_queries_of_node(rewritten, &set);
		corm_show_query(op->verb, &set, sql, args);
		return;
	}
	plan = corm_record_plan(self->source, op->verb->output, record);
	PG_TRY();
	{
		*sql = pstrdup(plan->sql);
		*args = corm_params_to_json(plan, corm_bind_record(plan, record->exec, record->values, record->nulls));
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
}

static uint64
operation_run(CormOperation *op, CormNode *rewritten, CormSink *sink)
{
	RecordOperation *self = (RecordOperation *) op;
	CormQuerySet set;

	if (rewritten == NULL)
		return corm_write_record(self->source, self->record, sink);
	corm_queries_of_node(rewritten, &set);
	return corm_run_directly(op->verb, &set, sink);
}

/*
 * corm_run_record_operation writes a record, or looks its row up, within its chain of
 * middleware.  Returns false, and does nothing, if there is none.
 */
bool
corm_run_record_operation(CormPlanSource source, CormRecord *record, CormSink *sink, uint64 *processed)
{
	CormVerb	verb = {.typid = record->model->typid};
	RecordOperation self = {
		.op = {
			.verb = &verb,
			.sink = sink,
			.query = operation_query,
			.inspect = operation_inspect,
			.show = operation_show,
			.run = operation_run
		},
		.source = source,
		.record = record
	};
	CormPlan   *plan;
	volatile bool done = false;

	verb.output = sink->kind == CORM_SINK_NONE ? CORM_OUTPUT_NATIVE : CORM_OUTPUT_ROWS;
	plan = corm_record_plan(source, verb.output, record);
	PG_TRY();
	{
		corm_operation_of_plan(&self.op, plan);

		/*
		 * an update of only the key is run as a lookup, but still counts as
		 * an update
		 */
		self.op.command = corm_record_command(source);
		self.op.writes = source != CORM_PLAN_LOOKUP;
		done = corm_middleware_run(&self.op, processed);
		corm_plan_check_rows(plan);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return done;
}
