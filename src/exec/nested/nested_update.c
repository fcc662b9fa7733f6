/*-------------------------------------------------------------------------
 *
 * nested_update.c
 *		Nested writes: an existing row gets the fields that an object gives.
 *
 * The row is the one with a key.  The update is that of corm.updater() with corm.set()
 * for the fields given and for nothing else, so that hooks, middleware, guards, soft
 * delete, times and versions work alike; default scopes do not apply.  Fields of the key
 * and of the primary key may be given, with the value that they have.  A version is a
 * condition, not a value.
 *
 * If nothing is to be written, the row is only read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/jsonb.h"
#include "exec/call/run_query.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_update.h"
#include "exec/nested/nested_value.h"
#include "exec/plan/query_set.h"
#include "exec/rows/json_value.h"
#include "exec/run/sink.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/* What is to be done with a row, once that is known. */
typedef struct Work
{
	const NestedUpdate *update;
	CormModel  *model;
	Bitmapset  *written;		/* fields of the object that are written */
	bool		has_version;	/* the row must have this version */
	Datum		version;
	bool		zero;			/* which is 0, so that null matches too */
} Work;

static bool
is_key_field(const NestedKey *key, int field)
{
	for (int i = 0; i < key->n; i++)
	{
		if (key->fields[i] == field)
			return true;
	}
	return false;
}

/* Returns a value as text, for messages. */
static const char *
shown(const JsonbValue *value)
{
	return value->type == jbvNull ? "null" : corm_json_text(value);
}

/*
 * Raises OR012 unless the value that the object gives for a field is the one that the row
 * has.
 */
static void
check_same(NestedWrite *write, CormModel *model, int field, JsonbValue *given, JsonbValue *has)
{
	bool		same = given->type == jbvNull && has->type == jbvNull;

	if (given->type != jbvNull && has->type != jbvNull)
		same = corm_nested_equal(&model->fields[field], corm_json_convert(model, field, given),
								 corm_json_convert(model, field, has));
	if (!same)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_READ_ONLY_FIELD),
				 errmsg("field \"%s\" of model \"%s\" is part of the key and cannot be changed",
						model->fields[field].name, model->name),
				 errdetail("At %s, it is %s, but the row has %s.", corm_nested_path(write), shown(given),
						   shown(has))));
}

/*
 * Checks fields of the primary key that are given but are not part of the key that the
 * row was named by.
 */
static void
check_primary_key(NestedWrite *write, const NestedUpdate *update)
{
	NestedObject *object = update->object;
	CormModel  *model = object->model;
	Bitmapset  *fields = NULL;
	Jsonb	   *row;
	int			i = -1;

	for (int j = 0; j < model->npk; j++)
	{
		if (model->pk[j] < model->nfields && corm_nested_is_given(object, model->pk[j]) &&
			!is_key_field(update->key, model->pk[j]))
			fields = bms_add_member(fields, model->pk[j]);
	}
	if (fields == NULL)
		return;
	row = corm_nested_find_one(write, update->which, update->key, fields, true);
	corm_nested_same_model(model);
	while (row && (i = bms_next_member(fields, i)) >= 0)
	{
		const char *key = model->fields[i].json_key;
		JsonbValue	null = {.type = jbvNull};
		JsonbValue *has = getKeyJsonValueFromContainer(&row->root, key, strlen(key), NULL);

		check_same(write, model, i, &object->given[i], has ? has : &null);
	}
}

/*
 * Takes the version out of the object.  Raises 22004 if it is required but not given.
 */
static void
take_version(NestedWrite *write, Work *work)
{
	CormModel  *model = work->model;
	NestedObject *object = work->update->object;
	JsonbValue	zero = {.type = jbvNumeric};
	JsonbValue *given;

	if (work->update->any_version || model->version < 0 || model->version >= model->nfields)
		return;
	if (!corm_nested_is_given(object, model->version))
	{
		if (corm_require_version)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("version of model \"%s\" is required", model->name),
					 errdetail("At %s, field \"%s\" is missing, and corm.require_version is on.",
							   corm_nested_path(write), model->fields[model->version].name),
					 errhint("Give the version that was read with the row.")));
		return;
	}
	given = &object->given[model->version];
	zero.val.numeric = int64_to_numeric(0);
	work->has_version = true;
	work->version = corm_json_convert(model, model->version, given->type == jbvNull ? &zero : given);
	work->zero = corm_nested_equal(&model->fields[model->version], work->version,
								   corm_json_convert(model, model->version, &zero));
}

/* Finds out what is to be written. */
static void
plan_work(NestedWrite *write, const NestedUpdate *update, Work *work)
{
	NestedObject *object = update->object;
	CormModel  *model = object->model;

	memset(work, 0, sizeof(Work));
	work->update = update;
	work->model = model;
	for (int i = 0; i < model->nfields; i++)
	{
		if (!corm_nested_is_given(object, i) || i == model->version)
			continue;
		if (is_key_field(update->key, i))
			check_same(write, model, i, &object->given[i], &update->which->given[i]);
		/* the others are checked elsewhere, or are written from there */
		else if (!model->fields[i].primary_key &&
				 (update->fixed == NULL || corm_nested_find_column(update->fixed, i) == NULL) &&
				 (update->columns == NULL || corm_nested_find_column(update->columns, i) == NULL))
			work->written = bms_add_member(work->written, i);
	}
	check_primary_key(write, update);
	take_version(write, work);
}

/*
 * Queries
 */

/* Adds a condition that the row has the key. */
static void
write_key(CormWriter *w, const NestedUpdate *update)
{
	CormModel  *model = update->object->model;

	for (int i = 0; i < update->key->n; i++)
	{
		CormField  *field = &model->fields[update->key->fields[i]];

		corm_nested_write_eq(w, field->name, field,
							 corm_json_convert(model, update->key->fields[i],
											   &update->which->given[update->key->fields[i]]));
	}
}

/* Adds a condition that the row has the version. */
static void
write_version(CormWriter *w, const Work *work)
{
	CormField  *field = &work->model->fields[work->model->version];

	if (work->zero)
	{
		corm_write_tag(w, CORM_N_OR);
		corm_write_count(w, 2);
		corm_write_tag(w, CORM_N_IS_NULL);
		corm_write_tag(w, CORM_N_COLUMN);
		corm_write_name(w, field->name, strlen(field->name));
	}
	corm_nested_write_eq(w, field->name, field, work->version);
}

static void
write_set(CormWriter *w, const CormField *field, Datum value, bool isnull)
{
	Oid			base = getBaseType(field->typid);
	int16		typlen;
	bool		typbyval;

	corm_write_tag(w, CORM_N_SET);
	corm_write_name(w, field->name, strlen(field->name));
	if (isnull)
	{
		corm_write_null(w, base);
		return;
	}
	get_typlenbyval(base, &typlen, &typbyval);
	corm_write_value(w, base, typlen, typbyval, value);
}

/* Adds what the row gets.  Returns whether that is anything. */
static bool
write_sets(CormWriter *w, const Work *work)
{
	const NestedUpdate *update = work->update;
	CormModel  *model = work->model;
	bool		any = false;
	int			i = -1;

	while ((i = bms_next_member(work->written, i)) >= 0)
	{
		CormField  *field = &model->fields[i];
		JsonbValue	value = update->object->given[i];
		Datum		datum = (Datum) 0;

		(void) corm_json_as_hstore(field, &value);
		if (value.type != jbvNull)
			datum = corm_json_convert(model, i, &value);
		write_set(w, field, datum, value.type == jbvNull);
		any = true;
	}
	for (i = 0; update->columns && i < update->columns->n; i++)
	{
		NestedColumn *column = &update->columns->items[i];

		if (model->fields[column->field].generated)
			continue;
		write_set(w, &model->fields[column->field], column->value, false);
		any = true;
	}
	i = -1;
	while ((i = bms_next_member(update->nulls, i)) >= 0)
	{
		write_set(w, &model->fields[i], (Datum) 0, true);
		any = true;
	}
	return any;
}

/* Begins a query on the row. */
static void
begin_query(CormWriter *w, const Work *work, CormNodeTag source, bool version)
{
	const NestedUpdate *update = work->update;
	int			nfixed = update->fixed ? update->fixed->n : 0;

	version = version && work->has_version;
	corm_writer_init(w);
	corm_write_tag(w, source);
	corm_write_oid(w, work->model->relid);
	if (source == CORM_N_SELECTOR)
		corm_write_name(w, "", 0);
	corm_write_tag(w, CORM_N_NO_DEFAULT_SCOPES);
	corm_write_tag(w, CORM_N_WHERE);
	corm_write_count(w, update->key->n + nfixed + (version ? 1 : 0));
	write_key(w, update);
	for (int i = 0; i < nfixed; i++)
	{
		CormField  *field = &work->model->fields[update->fixed->items[i].field];

		corm_nested_write_eq(w, field->name, field, update->fixed->items[i].value);
	}
	if (version)
		write_version(w, work);
}

/* Runs a query on the row.  Returns the row, or NULL if there is none. */
static Jsonb *
run_query(CormWriter *w, CormModel *model)
{
	Jsonb	   *rows = corm_nested_run_json(w);

	corm_nested_same_model(model);
	if (JB_ROOT_COUNT(rows) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("several rows of model \"%s\" have the key", model->name),
				 errdetail("The keys of a table do not cover the tables that inherit from it.")));
	return JB_ROOT_COUNT(rows) == 0 ? NULL :
		corm_nested_document(getIthJsonbValueFromContainer(&rows->root, 0));
}

/* Raises OR010 if the row has another version than the one given. */
static void
check_stale(NestedWrite *write, const Work *work)
{
	CormWriter	w;

	if (!work->has_version)
		return;
	begin_query(&w, work, CORM_N_SELECTOR, true);
	if (run_query(&w, work->model) == NULL)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_STALE_OBJECT),
				 errmsg("stale object"),
				 errdetail("At %s, the row of model \"%s\" with %s has another version now.",
						   corm_nested_path(write), work->model->name,
						   corm_nested_key_text(work->update->which, work->update->key))));
}

/* Raises the error for a row that could not be updated. */
static void no_such_row(NestedWrite *write, const Work *work) pg_attribute_noreturn();

static void
no_such_row(NestedWrite *write, const Work *work)
{
	const NestedUpdate *update = work->update;
	CormModel  *model = work->model;
	bool		null = !corm_nested_gives_key(update->which, update->key, true);
	CormWriter	w;

	if (!null)
	{
		begin_query(&w, work, CORM_N_SELECTOR, false);
		null = run_query(&w, model) == NULL;
	}
	if (null)
		corm_nested_no_row(write, update->which, update->key);
	check_stale(write, work);
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("row of model \"%s\" with %s cannot be updated", model->name,
					corm_nested_key_text(update->which, update->key)),
			 errdetail("A trigger, a rule or a row-level security policy has suppressed the update.")));
}

/* corm_nested_empty_object makes an object that gives nothing. */
void
corm_nested_empty_object(CormModel *model, const NestedPath *path, NestedObject *object)
{
	memset(object, 0, sizeof(NestedObject));
	object->model = model;
	object->path = *path;
	object->given = palloc(sizeof(JsonbValue) * Max(model->nfields, 1));
	for (int i = 0; i < model->nfields; i++)
	{
		object->given[i].type = jbvBinary;
		object->given[i].val.binary.data = NULL;
	}
}

/*
 * corm_nested_update gives a row what an object and the columns say, and returns it as it
 * is then.  Raises P0002 if there is no such row, OR010 if it has another version than the
 * one given, OR012 for a field of its key with another value.
 */
Jsonb *
corm_nested_update(NestedWrite *write, const NestedUpdate *update)
{
	CormModel  *model = update->object->model;
	Work		work;
	CormWriter	w;
	Jsonb	   *row;

	plan_work(write, update, &work);
	if (!corm_nested_gives_key(update->which, update->key, true))
		no_such_row(write, &work);
	begin_query(&w, &work, CORM_N_UPDATER, true);
	if (!write_sets(&w, &work))
		begin_query(&w, &work, CORM_N_SELECTOR, true);
	corm_nested_same_model(model);
	CORM_FAULT("nested-update");
	row = run_query(&w, model);
	CORM_FAULT("nested-updated");
	if (row == NULL)
		no_such_row(write, &work);
	if (update->columns)
		corm_nested_check_row(write, update->columns, row);
	return row;
}

/*
 * corm_nested_delete deletes the row that an update names, softly where its model does.
 * Returns false if there is none, or something has suppressed the deletion.  Raises OR010 if
 * it has another version than the one given.
 */
bool
corm_nested_delete(NestedWrite *write, const NestedUpdate *update)
{
	Work		work = {.update = update, .model = update->object->model};
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_NONE};
	CormWriter	w;
	uint64		deleted;

	take_version(write, &work);
	begin_query(&w, &work, CORM_N_DELETER, true);
	corm_nested_same_model(work.model);
	CORM_FAULT("nested-delete");
	corm_queries_of_node(corm_writer_finish(&w, CORM_KIND_QUERY), &set);
	deleted = corm_run_queries(&verb, &set, &sink);
	corm_nested_same_model(work.model);
	if (deleted == 0 && work.has_version)
	{
		begin_query(&w, &work, CORM_N_SELECTOR, false);
		if (run_query(&w, work.model))
			check_stale(write, &work);
	}
	return deleted > 0;
}
