/*-------------------------------------------------------------------------
 *
 * nested.c
 *		Nested writes: a JSON object with its parents and children.
 *
 *	{"name": "Ann", "company": {"name": "Acme"},
 *	 "orders": [{"total": 5}, {"total": 7}], "tags": [{"id": 1}, {"name": "new"}]}
 *
 * A row is written after the rows it references and before the rows that reference it.
 * Key values are copied along the relation.  The children of one object are inserted as
 * one batch.  An object that holds only a key stands for the existing row with that
 * key: the row is looked up (nested_find.c), not written.
 *
 * Relations, fields and the enclosing row can each give a value for the same column.
 * These values must agree (nested_value.c); a null does not count.  A row that others
 * reference must exist afterwards: it is an error if a trigger has suppressed it, or if
 * a trigger or hook has changed its key.
 *
 * The before hooks of a row are called before its parents are written.  The after hooks
 * are called once its children have been written.
 *
 * Hooks, triggers, CHECK constraints and output functions can alter a table.  So the
 * keys and relations that were read from a model are valid only until the next
 * statement that can run such code.  After that, corm_nested_same_model raises 55006 if
 * the model has changed.  The memory of models and relations stays valid until the
 * transaction ends.
 *
 * Everything happens within the caller's statement, so it is all or nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/documents.h"
#include "access/table.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/jsonb.h"
#include "catalog/pg_class.h"
#include "exec/call/run_query.h"
#include "exec/nested/nested.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_links.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/rows/call_hooks.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "exec/run/sink.h"
#include "exec/write/hooked.h"
#include "exec/write/insert_rows.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/relations.h"
#include "tx/options.h"
#include "tx/tx.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(corm_insert_json);

static void
rows_must_be_objects(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rows given as JSON must be objects")));
}

/* Raises P0002: a row that another row references does not exist. */
static void suppressed(NestedWrite *write, CormModel *model) pg_attribute_noreturn();

static void
suppressed(NestedWrite *write, CormModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("a trigger suppressed a row of model \"%s\" that others refer to", model->name),
			 errdetail("It is the row at %s.", corm_nested_path(write))));
}

/*
 * Does a row reference another by a belongs_to relation, although the document says null?
 * The row that it is nested in, a field or another relation may give the key.  A
 * relation with a condition, such as a polymorphic one, need not lead to the row of the key.
 */
static bool
leads_somewhere(CormModel *model, Jsonb *row, const NestedMember *member)
{
	CormRelation *relation = member->relation;

	if (relation->kind != CORM_BELONGS_TO || relation->condition || member->result)
		return false;
	for (int i = 0; i < relation->nkeys; i++)
	{
		Datum		value;

		if (!corm_nested_value(model, row, corm_nested_field(model, relation->columns[i]), &value))
			return false;
	}
	return true;
}

/*
 * corm_nested_with_members returns a written row together with the rows of its relations.
 * Null for a relation that leads to a row nevertheless is left out.
 */
Jsonb *
corm_nested_with_members(Jsonb *row, const NestedObject *object)
{
	int			nmembers = list_length(object->members);
	const char **names = palloc(sizeof(char *) * Max(nmembers, 1));
	Jsonb	  **results = palloc(sizeof(Jsonb *) * Max(nmembers, 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);

		if (leads_somewhere(object->model, row, member))
			continue;
		names[n] = member->name;
		results[n++] = member->result;
	}
	return n > 0 ? corm_json_object_with(row, names, results, n) : row;
}

/*
 * corm_nested_check_given checks that the values given by an object agree with the values its columns must
 * have.
 */
void
corm_nested_check_given(NestedWrite *write, const NestedObject *object, const NestedColumns *columns)
{
	for (int i = 0; i < columns->n; i++)
	{
		NestedColumn *column = &columns->items[i];
		CormField  *field = &object->model->fields[column->field];
		JsonbValue *given = &object->given[column->field];
		Datum		value;

		if (!corm_nested_is_given(object, column->field) || given->type == jbvNull)
			continue;
		value = corm_json_convert(object->model, column->field, given);
		if (!corm_nested_equal(field, column->value, value))
			corm_nested_contradiction(write, object->model, column->field, column->by,
									  corm_nested_text(field, column->value),
									  psprintf("field \"%s\"", field->name), corm_nested_text(field, value));
	}
}

/*
 * Rows without relations
 */

/* Converts column values to JSON, to be given to many rows. */
static JsonbValue *
column_values(const NestedColumns *columns)
{
	JsonbValue *values = palloc(sizeof(JsonbValue) * Max(columns->n, 1));

	for (int i = 0; i < columns->n; i++)
	{
		JsonbParseState *state = NULL;
		Jsonb	   *array;

		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		corm_push_value(&state, WJB_ELEM, columns->model->fields[columns->items[i].field].typid,
						columns->items[i].value);
		array = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
		values[i] = *getIthJsonbValueFromContainer(&array->root, 0);
	}
	return values;
}

/*
 * Inserts objects without relations in one statement.  Returns the number of rows
 * written.  If all is set, it is an error if any row was not written.
 */
static int
insert_batch(NestedWrite *write, CormModel *model, NestedObject *objects, int n, const NestedColumns *columns,
			 bool all, Jsonb **rows)
{
	const NestedPath *path = write->path;
	JsonbValue *values = column_values(columns);
	JsonbParseState *state = NULL;
	Jsonb	  **written;
	int			nrows;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		write->path = &objects[i].path;
		corm_nested_check_given(write, &objects[i], columns);
		corm_nested_push_row(&state, &objects[i], columns, values);
	}
	write->path = n == 1 ? &objects[0].path : objects[0].path.up;
	written = corm_insert_documents(model, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), &nrows);
	nrows = Min(nrows, n);
	for (int i = 0; i < nrows; i++)
	{
		if (columns->n > 0)
			corm_nested_check_row(write, columns, written[i]);
		rows[i] = written[i];
	}
	corm_nested_same_model(model);
	if (all && nrows < n)
		suppressed(write, model);
	write->path = path;
	return nrows;
}

/*
 * Referenced rows
 */

static bool
has_value(JsonbContainer *row, const char *key, JsonbValue *value)
{
	JsonbValue *found = getKeyJsonValueFromContainer(row, key, strlen(key), NULL);

	if (found == NULL)
		return false;
	*value = *found;
	return true;
}

/* Returns the target fields that a relation needs from an existing row. */
static Bitmapset *
needed_fields(CormModel *model, CormRelation *relation, const NestedCondition *condition)
{
	Bitmapset  *fields = NULL;

	for (int i = 0; i < relation->ntarget_keys; i++)
		fields = bms_add_member(fields, corm_nested_field(model, relation->target_columns[i]));
	for (int i = 0; i < condition->target.n; i++)
		fields = bms_add_member(fields, condition->target.items[i].field);
	return fields;
}

/* Checks that an existing row satisfies the condition of a relation that leads to it. */
static void
check_condition(NestedWrite *write, NestedTarget *target, const NestedCondition *condition)
{
	const NestedPath *path = write->path;

	write->path = &target->object.path;
	for (int i = 0; i < condition->target.n; i++)
	{
		NestedColumn *column = &condition->target.items[i];
		CormField  *field = &condition->target.model->fields[column->field];
		Datum		value;
		bool		is_null = !corm_nested_value(condition->target.model, target->row, column->field, &value);

		if (is_null || !corm_nested_equal(field, column->value, value))
			corm_nested_contradiction(write, condition->target.model, column->field, column->by,
									  corm_nested_text(field, column->value), "the row that is referred to",
									  is_null ? "null" : corm_nested_text(field, value));
	}
	write->path = path;
}

/* A row that is created because it did not exist. */
typedef struct Creation
{
	NestedWrite *write;
	CormModel  *model;
	NestedTarget *target;
	const NestedColumns *columns;
} Creation;

static void
create_target(void *arg)
{
	Creation   *creation = arg;

	(void) corm_nested_write_rows(creation->write, creation->model, &creation->target->object, 1, NULL, creation->columns,
								  true, &creation->target->row);
}

/*
 * Writes the row of a $connect_or_create.  If another session has inserted the row
 * since our lookup, that row is used.
 */
static void
create_or_connect(NestedWrite *write, CormModel *model, NestedTarget *target, Bitmapset *fields,
				  const NestedColumns *columns)
{
	Creation	creation = {write, model, target, columns};
	CormTxClosure closure = {create_target, NULL, &creation};
	CormTxOptions opts = {.propagation = CORM_TX_NESTED, .name = "connect_or_create",
	.isolation = CORM_TX_ISOLATION_UNSET};
	CormTxReport report;
	const NestedPath *path = write->path;

	if (corm_tx_run(&opts, &closure, false, &report) != CORM_TX_FAILED)
		return;
	write->path = path;
	target->row = NULL;
	CORM_FAULT("nested-exists");
	if (report.error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION)
	{
		corm_nested_same_model(model);
		corm_nested_find(write, target, 1, model, fields, true);
	}
	if (target->row == NULL)
		ReThrowError(report.error);
}

/*
 * corm_nested_targets finds or writes the rows that targets stand for, at the other end
 * of a relation.  Afterwards each target has its row, with the columns that the
 * relation joins on.
 */
void
corm_nested_targets(NestedWrite *write, CormRelation *relation, CormModel *model, NestedTarget *targets, int n,
					const NestedCondition *condition)
{
	Bitmapset  *fields = needed_fields(model, relation, condition);
	NestedObject *objects = palloc(sizeof(NestedObject) * Max(n, 1));
	Jsonb	  **rows = palloc(sizeof(Jsonb *) * Max(n, 1));
	int			nnew = 0;

	corm_nested_find(write, targets, n, model, fields, false);
	for (int i = 0; i < n; i++)
	{
		if (targets[i].row)
			check_condition(write, &targets[i], condition);
		else if (targets[i].key == NULL)
			objects[nnew++] = targets[i].object;
	}
	if (nnew > 0)
		(void) corm_nested_write_rows(write, model, objects, nnew, NULL, &condition->target, true, rows);

	nnew = 0;
	for (int i = 0; i < n; i++)
	{
		if (targets[i].key == NULL)
			targets[i].shown = targets[i].row = rows[nnew++];
		else if (targets[i].row == NULL)
		{
			/* an earlier target may have created it */
			if (n > 1)
				corm_nested_find(write, &targets[i], 1, model, fields, true);
			if (targets[i].row == NULL)
				create_or_connect(write, model, &targets[i], fields, &condition->target);
			if (targets[i].shown == NULL)
				targets[i].shown = targets[i].row;
			else
				check_condition(write, &targets[i], condition);
		}
	}
}

/*
 * Back-relations
 */

/* corm_nested_leads_back tells whether a relation of nested rows leads back to the row that they are nested in. */
bool
corm_nested_leads_back(CormRelation *relation, const NestedIn *in)
{
	CormRelation *there;

	if (in == NULL || relation->kind != CORM_BELONGS_TO)
		return false;
	there = in->relation;
	if (relation->nkeys != there->nkeys || corm_model_get(relation->target)->table != in->model->table)
		return false;
	for (int i = 0; i < relation->nkeys; i++)
	{
		bool		found = false;

		for (int j = 0; j < there->nkeys && !found; j++)
			found = strcmp(relation->columns[i], there->target_columns[j]) == 0 &&
				strcmp(relation->target_columns[i], there->columns[j]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/*
 * corm_nested_check_back checks what a row says about the row that it is nested in.  It must be true, because
 * that row is not written again.
 */
void
corm_nested_check_back(NestedWrite *write, NestedMember *member, const NestedIn *in)
{
	NestedPath	path = {write->path, member->name};
	NestedObject object;
	JsonbParseState *state = NULL;

	write->path = &path;
	object.path = path;
	corm_nested_read(write, in->model, member->value.val.binary.data, &object);
	if (object.members != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relation \"%s\" leads back to the enclosing row, which cannot have relations here",
						member->relation->name)));
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < in->model->nfields; i++)
	{
		CormField  *field = &in->model->fields[i];
		JsonbValue	there;

		if (!corm_nested_is_given(&object, i) || !has_value(&in->row->root, field->json_key, &there))
			continue;
		if (object.given[i].type != jbvNull)
		{
			Datum		value = corm_json_convert(in->model, i, &object.given[i]);
			Datum		other = (Datum) 0;
			bool		is_null = !corm_nested_value(in->model, in->row, i, &other);

			if (is_null || !corm_nested_equal(field, value, other))
				corm_nested_contradiction(write, in->model, i, corm_nested_by_relation(member->relation),
										  corm_nested_text(field, value), "the enclosing row",
										  is_null ? "null" : corm_nested_text(field, other));
		}
		corm_json_key(&state, field->json_key);
		pushJsonbValue(&state, WJB_VALUE, &there);
	}
	member->result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	write->path = path.up;
}

/*
 * Rows with relations
 */

/* Does a member of an object hold at least one row? */
static bool
holds_rows(const NestedMember *member)
{
	return member->value.type == jbvBinary &&
		(JsonContainerIsObject(member->value.val.binary.data) || JsonContainerSize(member->value.val.binary.data) > 0);
}

/*
 * Raises 22023 unless the value of a relation is an object or array, as required by the
 * kind of relation.
 */
static void
check_kind(NestedWrite *write, CormModel *model, const NestedMember *member)
{
	CormRelation *relation = member->relation;
	const JsonbValue *value = &member->value;

	switch (relation->kind)
	{
		case CORM_BELONGS_TO:
			if (value->type != jbvNull && !corm_nested_is_object(value))
				corm_nested_wrong_kind(write, model, relation, "an object or null");
			break;
		case CORM_HAS_ONE:
			/* a preload shows null if there is no row */
			if (value->type != jbvNull && !corm_nested_is_object(value))
				corm_nested_wrong_kind(write, model, relation, "an object");
			break;
		default:
			if (!corm_nested_is_array(value))
				corm_nested_wrong_kind(write, model, relation, "an array");
			break;
	}
}

/*
 * corm_nested_elements returns the elements of an array of objects, or a single object.  Their positions in
 * the document are stored in paths.
 */
JsonbValue *
corm_nested_elements(NestedWrite *write, CormModel *model, const NestedMember *member, const NestedPath *path,
					 int *n, NestedPath **paths)
{
	JsonbValue *elements;
	JsonbIterator *it;
	JsonbValue	element;

	if (corm_nested_is_object(&member->value))
	{
		elements = palloc(sizeof(JsonbValue));
		elements[0] = member->value;
		*paths = palloc(sizeof(NestedPath));
		(*paths)[0] = *path;
		*n = 1;
		return elements;
	}
	*n = JsonContainerSize(member->value.val.binary.data);
	elements = palloc(sizeof(JsonbValue) * Max(*n, 1));
	*paths = palloc(sizeof(NestedPath) * Max(*n, 1));
	*n = 0;
	it = JsonbIteratorInit(member->value.val.binary.data);
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		(*paths)[*n] = (NestedPath)
		{
			path, NULL, *n
		};
		write->path = &(*paths)[*n];
		if (!corm_nested_is_object(&element))
			corm_nested_wrong_kind(write, model, member->relation, "objects");
		elements[(*n)++] = element;
	}
	write->path = path;
	return elements;
}

/* Writes the rows that a row is linked to, then the links. */
static void
write_linked(NestedWrite *write, CormModel *model, Jsonb *row, NestedMember *member,
			 const NestedCondition *condition)
{
	CormRelation *relation = member->relation;
	CormModel  *target = condition->target.model;
	NestedPath	path = {write->path, member->name};
	NestedPath *paths;
	int			n;
	int			nshown = 0;
	JsonbValue *elements;
	NestedTarget *targets;
	Jsonb	  **shown;

	write->path = &path;
	corm_nested_same_model(target);
	elements = corm_nested_elements(write, model, member, &path, &n, &paths);
	targets = palloc(sizeof(NestedTarget) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		write->path = &paths[i];
		corm_nested_read_target(write, relation, target, &elements[i], &paths[i], &targets[i]);
	}
	write->path = &path;
	corm_nested_targets(write, relation, target, targets, n, condition);
	corm_nested_link(write, model, row, relation, targets, n, condition);
	shown = palloc(sizeof(Jsonb *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		if (targets[i].shown)
			shown[nshown++] = targets[i].shown;
	member->result = corm_json_array(shown, nshown);
	write->path = path.up;
}

/* Writes the rows that reference a row. */
static void
write_children(NestedWrite *write, CormModel *model, Jsonb *row, NestedMember *member,
			   const NestedCondition *condition)
{
	CormRelation *relation = member->relation;
	NestedIn	in = {relation, model, row};
	NestedPath	path = {write->path, member->name};
	NestedPath *paths;
	int			n;
	JsonbValue *elements;
	NestedObject *objects;
	Jsonb	  **rows;

	write->path = &path;
	corm_nested_same_model(condition->target.model);
	corm_nested_columns_copy(&in.columns, &condition->target);
	corm_nested_flow(write, &in.columns, relation->target_columns, model, row, relation->columns, relation->nkeys,
					 corm_nested_by_relation(relation));
	elements = corm_nested_elements(write, model, member, &path, &n, &paths);
	objects = palloc(sizeof(NestedObject) * Max(n, 1));
	rows = palloc(sizeof(Jsonb *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		write->path = &paths[i];
		objects[i].path = paths[i];
		corm_nested_read(write, condition->target.model, elements[i].val.binary.data, &objects[i]);
	}
	write->path = &path;
	n = corm_nested_write_rows(write, condition->target.model, objects, n, &in, &in.columns, false, rows);
	if (!condition->whole)
		corm_nested_check_related(write, model, row, relation, n);
	member->result = relation->kind == CORM_HAS_ONE ? (n > 0 ? rows[0] : NULL) : corm_json_array(rows, n);
	write->path = path.up;
}

/*
 * Reads the targets of an object's relations and looks up those that already exist.
 * Their keys go into the object's columns.  targets and conditions are arrays indexed
 * by member.
 */
static void
read_members(NestedWrite *write, NestedObject *object, const NestedIn *in, NestedColumns *columns,
			 NestedTarget *targets, NestedCondition *conditions)
{
	CormModel  *model = object->model;
	ListCell   *lc;

	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);
		CormRelation *relation = member->relation;
		NestedCondition *condition = &conditions[foreach_current_index(lc)];
		NestedTarget *target = &targets[foreach_current_index(lc)];
		NestedPath *path;

		memset(target, 0, sizeof(NestedTarget));
		check_kind(write, model, member);
		if (!holds_rows(member))
			continue;
		if (corm_nested_leads_back(relation, in))
		{
			corm_nested_check_back(write, member, in);
			continue;
		}
		corm_nested_condition(model, relation, condition);
		for (int i = 0; i < condition->own.n; i++)
			corm_nested_set(write, columns, condition->own.items[i].field, condition->own.items[i].value,
							condition->own.items[i].by);
		if (relation->kind != CORM_BELONGS_TO)
			continue;

		path = palloc(sizeof(NestedPath));
		*path = (NestedPath)
		{
			write->path, member->name
		};
		write->path = path;
		corm_nested_read_target(write, relation, condition->target.model, &member->value, path, target);
		if (target->key && !target->or_create)
		{
			corm_nested_targets(write, relation, condition->target.model, target, 1, condition);
			member->result = target->shown;
		}
		write->path = path->up;
		if (target->row)
			corm_nested_flow(write, columns, relation->columns, condition->target.model, target->row,
							 relation->target_columns, relation->nkeys, corm_nested_by_relation(relation));
	}
}

/* Writes the parents of an object that do not exist yet. */
static void
write_parents(NestedWrite *write, NestedObject *object, NestedColumns *columns, NestedTarget *targets,
			  NestedCondition *conditions)
{
	ListCell   *lc;

	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);
		CormRelation *relation = member->relation;
		NestedTarget *target = &targets[foreach_current_index(lc)];
		NestedCondition *condition = &conditions[foreach_current_index(lc)];
		const NestedPath *path = write->path;

		if (target->object.model == NULL || target->row)
			continue;
		write->path = &target->object.path;
		corm_nested_same_model(condition->target.model);
		corm_nested_targets(write, relation, condition->target.model, target, 1, condition);
		member->result = target->shown;
		write->path = path;
		corm_nested_flow(write, columns, relation->columns, condition->target.model, target->row,
						 relation->target_columns, relation->nkeys, corm_nested_by_relation(relation));
	}
}

/*
 * Inserts an object without calling hooks.  Returns false if a trigger suppressed it.
 */
static bool
insert_unhooked(CormModel *model, Jsonb *object, Datum *row)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .typid = model->typid, .stage = CORM_STAGE_PLAIN};
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext};
	CormQuerySet set;

	corm_rows_query(model->relid, JSONBOID, JsonbPGetDatum(object), &set);
	(void) corm_run_queries(&verb, &set, &sink);
	*row = sink.value;
	return sink.nrows > 0;
}

/* Replaces the fields of an object with the result of its before hooks. */
static void
take_hooked(NestedWrite *write, NestedObject *object, Jsonb *hooked)
{
	NestedObject fields = {.path = object->path};

	corm_nested_read(write, object->model, &hooked->root, &fields);
	object->given = fields.given;
	object->ngiven = fields.ngiven;
}

/*
 * Writes one object with relations: parents first, then the object, then children.
 * Returns it as written, or NULL if a trigger suppressed it and nothing references it.
 */
static Jsonb *
write_object(NestedWrite *write, NestedObject *object, const NestedIn *in, const NestedColumns *given)
{
	CormModel  *model = object->model;
	const NestedPath *path = write->path;
	int			nmembers = list_length(object->members);
	NestedTarget *targets = palloc(sizeof(NestedTarget) * Max(nmembers, 1));
	NestedCondition *conditions = palloc0(sizeof(NestedCondition) * Max(nmembers, 1));
	CormExec	exec;
	CormHookRun *hooks;
	Datum		typed_row = (Datum) 0;
	NestedColumns columns;
	Jsonb	   *row = NULL;
	ListCell   *lc;

	write->path = &object->path;
	CORM_FAULT("nested-object");
	corm_exec_begin(&exec, model);
	hooks = corm_hooks_begin(&exec, CORM_WRITE_CREATE);
	corm_nested_columns_copy(&columns, given);
	read_members(write, object, in, &columns, targets, conditions);
	CORM_FAULT("nested-read");
	corm_nested_check_given(write, object, &columns);
	if (hooks)
	{
		take_hooked(write, object, corm_hooks_before_json(hooks, &exec,
														  corm_nested_row_document(object, &columns, false)));
		corm_nested_same_model(model);
		corm_nested_check_given(write, object, &columns);
	}
	write_parents(write, object, &columns, targets, conditions);
	CORM_FAULT("nested-parents");
	corm_nested_same_model(model);
	corm_nested_check_given(write, object, &columns);

	if (hooks == NULL)
	{
		int			nrows;
		Jsonb	  **rows = corm_insert_documents(model, corm_nested_row_document(object, &columns, true), &nrows);

		row = nrows > 0 ? rows[0] : NULL;
	}
	else if (insert_unhooked(model, corm_nested_row_document(object, &columns, false), &typed_row))
	{
		corm_nested_same_model(model);
		row = corm_row_to_json(model, typed_row, false);
	}
	CORM_FAULT("nested-inserted");
	corm_nested_same_model(model);
	if (row)
		corm_nested_check_row(write, &columns, row);

	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);
		NestedCondition *condition = &conditions[foreach_current_index(lc)];

		if (!holds_rows(member))
		{
			/* keep an empty array */
			if (corm_nested_is_array(&member->value))
				member->result = corm_json_array(NULL, 0);
			continue;
		}
		if (member->relation->kind == CORM_BELONGS_TO)
		{
			if (row && condition->own.model && !condition->whole)
				corm_nested_check_related(write, model, row, member->relation, 1);
			continue;
		}
		if (row == NULL)
			suppressed(write, model);
		CORM_FAULT("nested-member");
		if (member->relation->kind == CORM_MANY_TO_MANY)
			write_linked(write, model, row, member, condition);
		else
			write_children(write, model, row, member, condition);
		corm_nested_same_model(model);
	}
	if (hooks && row)
	{
		typed_row = corm_hooks_after(hooks, typed_row);
		corm_nested_same_model(model);
		row = corm_row_to_json(model, typed_row, false);
	}
	write->path = path;
	return row ? corm_nested_with_members(row, object) : NULL;
}

/*
 * corm_nested_write_rows writes objects, in one statement if they hold no relations.  rows must have room for
 * all of them; the written rows are stored at its start.  Returns their number.  If all
 * is set, it is an error if any object was not written.  columns holds the values that
 * every row must have.  in is the row that they are nested in, or NULL.
 */
int
corm_nested_write_rows(NestedWrite *write, CormModel *model, NestedObject *objects, int n, const NestedIn *in,
					   const NestedColumns *columns, bool all, Jsonb **rows)
{
	bool		plain = true;
	int			nrows = 0;

	check_stack_depth();
	if (n == 0)
		return 0;
	for (int i = 0; i < n && plain; i++)
		plain = objects[i].members == NIL;
	if (plain)
		return insert_batch(write, model, objects, n, columns, all, rows);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[nrows] = write_object(write, &objects[i], in, columns);
		if (rows[nrows])
			nrows++;
		else if (all)
		{
			write->path = &objects[i].path;
			suppressed(write, model);
		}
	}
	return nrows;
}

/*
 * Inserts an object or an array of objects, with their relations.  Returns an array.
 */
static Jsonb *
insert_rows(CormModel *model, Jsonb *data)
{
	NestedWrite write;
	NestedColumns none;
	NestedObject *objects;
	NestedPath *paths;
	Jsonb	  **rows;
	int			n = JB_ROOT_IS_OBJECT(data) ? 1 : JB_ROOT_COUNT(data);
	Jsonb	   *result;

	corm_nested_begin(&write);
	objects = palloc(sizeof(NestedObject) * Max(n, 1));
	paths = palloc(sizeof(NestedPath) * Max(n, 1));
	rows = palloc(sizeof(Jsonb *) * Max(n, 1));
	corm_nested_columns_init(&none, model);
	if (JB_ROOT_IS_OBJECT(data))
	{
		objects[0].path = (NestedPath)
		{
			NULL, NULL, -1
		};
		corm_nested_read(&write, model, &data->root, &objects[0]);
	}
	else
	{
		JsonbIterator *it = JsonbIteratorInit(&data->root);
		JsonbValue	element;
		int			i = 0;

		(void) JsonbIteratorNext(&it, &element, false);
		while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
		{
			paths[i] = (NestedPath)
			{
				NULL, NULL, i
			};
			write.path = &paths[i];
			objects[i].path = paths[i];
			if (!corm_nested_is_object(&element))
				rows_must_be_objects();
			corm_nested_read(&write, model, element.val.binary.data, &objects[i++]);
		}
		write.path = NULL;
	}
	n = corm_nested_write_rows(&write, model, objects, n, NULL, &none, false, rows);
	result = corm_nested_shown(model, corm_json_array(rows, n));
	corm_nested_end(&write);
	return result;
}

/* A nested insert that runs as the body of a scope. */
typedef struct NestedInsert
{
	CormModel  *model;
	Jsonb	   *data;
	Jsonb	   *rows;			/* as written */
} NestedInsert;

static void
run_insert(void *arg)
{
	NestedInsert *insert = arg;

	insert->rows = insert_rows(insert->model, insert->data);
}

/*
 * Runs a write of several statements in its own scope.  So what an error rolls back
 * does not depend on where it is caught, and its CONTEXT names the scope.
 */
static Jsonb *
insert_nested(CormModel *model, Jsonb *data)
{
	NestedInsert insert = {model, data};
	CormTxClosure closure = {run_insert, NULL, &insert};
	CormTxOptions opts = {.propagation = CORM_TX_NESTED, .name = "insert_json",
	.isolation = CORM_TX_ISOLATION_UNSET};
	CormTxReport report;

	(void) corm_tx_run(&opts, &closure, true, &report);
	return insert.rows;
}

/*
 * corm_insert_json(model, data): inserts an object or an array of objects, with the
 * rows of relations that they hold.  Returns the rows as inserted: an object for an
 * object, an array for an array.
 */
Datum
corm_insert_json(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the data"};
	Oid			relid = PG_GETARG_OID(0);
	Jsonb	   *data;
	CormModel  *model;
	Jsonb	   *array;
	JsonbValue *row;

	corm_require_args(fcinfo, names, lengthof(names));
	data = corm_document_arg(fcinfo, 1);
	model = corm_model_get(relid);
	CORM_FAULT("json-begin");
	corm_refuse_empty_object(data);
	if (!JB_ROOT_IS_SCALAR(data) && corm_has_relation_keys(model, data))
		array = insert_nested(model, data);
	else
		array = corm_insert_json_rows(relid, JB_ROOT_IS_OBJECT(data) ? corm_json_array(&data, 1) : data, false);
	if (!JB_ROOT_IS_OBJECT(data))
		PG_RETURN_JSONB_P(array);
	row = getIthJsonbValueFromContainer(&array->root, 0);
	if (row == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(row));
}
