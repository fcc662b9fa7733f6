/*-------------------------------------------------------------------------
 *
 * set_related.c
 *		corm.set_related: replaces the links of a row by a given set.
 *
 * Only links that a read through the relation shows are changed; missing links are
 * added.  If the relation has a condition, we read the relation again at the end, and
 * it must show the requested rows.
 *
 * The row whose links are set is locked first.  So concurrent calls for the same row
 * are serialized, and each sees the links left by the previous one.  Other code that
 * adds a link does not need this lock and does not wait for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/documents.h"
#include "base/args.h"
#include "base/clock.h"
#include "exec/nested/nested.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_links.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/relations.h"
#include "utils/builtins.h"

#define LOCK_CLASS	0xC1		/* of advisory locks; the SQL functions use 1
								 * and 2 */

PG_FUNCTION_INFO_V1(corm_set_related);

/*
 * Returns the row for an object, which must be exactly a key, with the fields that the
 * relation and its condition need.
 */
static Jsonb *
find_row(NestedWrite *write, CormModel *model, Jsonb *document, CormRelation *relation,
		 const NestedCondition *condition)
{
	NestedObject object = {.path = {NULL, NULL, -1}};
	const NestedKey *key;
	Bitmapset  *fields = NULL;

	corm_nested_read(write, model, &document->root, &object);
	key = corm_nested_require_key(write, &object);
	for (int i = 0; i < relation->nkeys; i++)
		fields = bms_add_member(fields, corm_nested_field(model, relation->columns[i]));
	for (int i = 0; i < condition->own.n; i++)
		fields = bms_add_member(fields, condition->own.items[i].field);
	for (int i = 0; i < model->npk; i++)
		if (model->pk[i] < model->nfields)
			fields = bms_add_member(fields, model->pk[i]);
	return corm_nested_lock(write, &object, key, fields);
}

/* Reads the array of targets. */
static NestedTarget *
read_targets(NestedWrite *write, CormRelation *relation, CormModel *model, CormModel *target, Jsonb *array,
			 NestedPath *paths)
{
	NestedTarget *targets = palloc(sizeof(NestedTarget) * Max(JB_ROOT_COUNT(array), 1));
	JsonbIterator *it = JsonbIteratorInit(&array->root);
	JsonbValue	element;
	int			n = 0;

	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		paths[n] = (NestedPath)
		{
			NULL, NULL, n
		};
		write->path = &paths[n];
		if (!corm_nested_is_object(&element))
			corm_nested_wrong_kind(write, model, relation, "objects");
		corm_nested_read_target(write, relation, target, &element, &paths[n], &targets[n]);
		n++;
	}
	write->path = NULL;
	return targets;
}

/*
 * Makes the links of a row exactly the wanted ones; returns the number of join table
 * rows changed.
 */
static int64
replace_links(NestedWrite *write, LinkSet *old, LinkSet *wanted)
{
	Link	   *some = palloc(sizeof(Link) * Max(old->n, 1));
	int64		changed = 0;
	int			n = 0;

	for (int i = 0; i < old->n; i++)
	{
		if (!corm_links_has(wanted, &old->links[i]))
			some[n++] = old->links[i];
	}
	CORM_FAULT("links-delete");
	if (n > 0)
		changed += corm_links_delete(old, some, n);
	return changed + corm_links_add_missing(old, write, wanted);
}

/*
 * corm_set_related(model, key, relation, targets): replaces the rows that are linked to
 * the row with the given key by a many_to_many relation: afterwards they are exactly
 * the targets.  Links are added and deleted, but existing target rows are not changed.
 * Targets that are not just keys are inserted.  Returns the number of links changed.
 */
Datum
corm_set_related(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the key", "the relation", "the targets"};
	NestedWrite write;
	CormModel  *model;
	CormModel  *target;
	CormRelation *relation;
	NestedCondition condition;
	Jsonb	   *key;
	Jsonb	   *row;
	Jsonb	   *array;
	NestedTarget *targets;
	NestedPath *paths;
	LinkSet		old;
	LinkSet		wanted;
	int			n;
	int64		changed;

	corm_require_args(fcinfo, names, lengthof(names));
	model = corm_model_get(PG_GETARG_OID(0));
	key = corm_document_arg(fcinfo, 1);
	relation = corm_model_relation(model, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	CORM_FAULT("links-begin");
	array = corm_document_arg(fcinfo, 3);
	if (relation->kind != CORM_MANY_TO_MANY)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation \"%s\" of model \"%s\" is not many_to_many", relation->name, model->name)));
	if (!JB_ROOT_IS_OBJECT(key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key must be a JSON object")));
	corm_nested_begin(&write);
	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		corm_nested_wrong_kind(&write, model, relation, "an array");
	n = JB_ROOT_COUNT(array);
	corm_nested_condition(model, relation, &condition);
	target = condition.target.model;

	row = find_row(&write, model, key, relation, &condition);
	corm_nested_same_model(model);
	if (n > 0)
		corm_nested_check_row(&write, &condition.own, row);
	corm_links_read(&old, &write, model, row, relation, &condition);

	paths = palloc(sizeof(NestedPath) * Max(n, 1));
	targets = read_targets(&write, relation, model, target, array, paths);
	corm_nested_targets(&write, relation, target, targets, n, &condition);
	corm_nested_same_model(model);
	corm_nested_same_model(old.through);
	corm_links_init(&wanted, &write, model, row, relation, &condition, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		write.path = &paths[i];
		corm_links_add(&wanted, &write, target, targets[i].row, &paths[i]);
	}
	write.path = NULL;
	corm_links_finish(&wanted);
	changed = replace_links(&write, &old, &wanted);

	if (!condition.whole)
	{
		corm_nested_same_model(model);
		corm_links_read(&old, &write, model, row, relation, &condition);
		for (int i = 0; i < wanted.n; i++)
		{
			write.path = wanted.links[i].path;
			if (!corm_links_has(&old, &wanted.links[i]))
				corm_nested_not_in_relation(&write, model, relation);
		}
		write.path = NULL;
	}
	corm_nested_end(&write);
	PG_RETURN_INT64(changed);
}
