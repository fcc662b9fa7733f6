/*-------------------------------------------------------------------------
 *
 * nested_object.c
 *		Nested writes: parsing an object of a document.
 *
 * The keys of an object name fields or relations.  A field can be spelled in any way
 * that is accepted elsewhere.  Each field or relation may be given only once,
 * regardless of spelling.  Values stay JSON; only the values of key columns are
 * converted (nested_value.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/jsonb.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "exec/rows/json_value.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/naming.h"
#include "model/relations.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/* corm_nested_value_of turns a document into a value for use in another one. */
void
corm_nested_value_of(Jsonb *document, JsonbValue *value)
{
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

Jsonb *
corm_nested_document(const JsonbValue *value)
{
	return JsonbValueToJsonb(unconstify(JsonbValue *, value));
}

bool
corm_nested_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

bool
corm_nested_is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

bool
corm_nested_is_given(const NestedObject *object, int field)
{
	return object->given[field].type != jbvBinary || object->given[field].val.binary.data != NULL;
}

/* corm_nested_wrong_kind raises 22023: the value has the wrong kind for the relation. */
void
corm_nested_wrong_kind(NestedWrite *write, CormModel *model, CormRelation *relation, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("relation \"%s\" of model \"%s\" takes %s", relation->name, model->name, expected)));
}

/*
 * corm_nested_key_field returns the field that a key names, or -1.  The key can follow the
 * model's naming strategy or use any spelling that is accepted elsewhere.
 */
int
corm_nested_key_field(CormModel *model, const char *key, int len)
{
	CormField  *field;

	for (int i = 0; i < model->nfields; i++)
	{
		const char *json_key = model->fields[i].json_key;

		if (strncmp(json_key, key, len) == 0 && json_key[len] == '\0')
			return i;
	}
	field = corm_model_find_field(model, pnstrdup(key, len));
	return field ? field - model->fields : -1;
}

/* corm_nested_key_relation returns the relation named by a key that is not a field, or NULL. */
CormRelation *
corm_nested_key_relation(CormModel *model, const char *key)
{
	CormRelation *relation = corm_model_find_relation(model, key);

	if (relation == NULL && model->naming != CORM_NAMING_SNAKE)
		relation = corm_model_find_relation(model, corm_underscore_name(key));
	return relation;
}

/*
 * corm_has_relation_keys tells whether a JSON object, or any object of an array, holds
 * rows of relations of the model.
 */
bool
corm_has_relation_keys(CormModel *model, Jsonb *data)
{
	JsonbIterator *it = JsonbIteratorInit(&data->root);
	JsonbIteratorToken tok;
	JsonbValue	v;
	int			level = 0;
	int			object_level = JB_ROOT_IS_OBJECT(data) ? 1 : 2;

	while ((tok = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		if (tok == WJB_BEGIN_ARRAY || tok == WJB_BEGIN_OBJECT)
			level++;
		else if (tok == WJB_END_ARRAY || tok == WJB_END_OBJECT)
			level--;
		else if (tok == WJB_KEY && level == object_level &&
				 corm_nested_key_field(model, v.val.string.val, v.val.string.len) < 0 &&
				 corm_nested_key_relation(model, pnstrdup(v.val.string.val, v.val.string.len)))
			return true;
	}
	return false;
}

static NestedMember *
find_member(NestedObject *object, CormRelation *relation)
{
	ListCell   *lc;

	foreach(lc, object->members)
	{
		if (((NestedMember *) lfirst(lc))->relation == relation)
			return lfirst(lc);
	}
	return NULL;
}

/*
 * corm_nested_read parses an object, whose path must have been set.  Values point into
 * the container.  Raises 42703 for an unknown key, 42701 for a field or relation that
 * is given twice.
 */
void
corm_nested_read(NestedWrite *write, CormModel *model, JsonbContainer *container, NestedObject *object)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	key;
	JsonbValue	value;

	object->model = model;
	object->ngiven = 0;
	object->given = palloc(sizeof(JsonbValue) * Max(model->nfields, 1));
	object->members = NIL;
	for (int i = 0; i < model->nfields; i++)
	{
		object->given[i].type = jbvBinary;
		object->given[i].val.binary.data = NULL;
	}

	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		int			field = corm_nested_key_field(model, key.val.string.val, key.val.string.len);
		NestedMember *member;

		(void) JsonbIteratorNext(&it, &value, true);
		if (field >= 0)
		{
			if (corm_nested_is_given(object, field))
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("field \"%s\" of model \"%s\" is given twice",
								model->fields[field].name, model->name)));
			object->given[field] = value;
			object->ngiven++;
			continue;
		}
		member = palloc0(sizeof(NestedMember));
		member->name = pnstrdup(key.val.string.val, key.val.string.len);
		member->value = value;
		member->relation = corm_nested_key_relation(model, member->name);
		if (member->relation == NULL)
			corm_unknown_field(model, member->name);
		if (find_member(object, member->relation))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("relation \"%s\" of model \"%s\" is given twice",
							member->relation->name, model->name)));
		object->members = lappend(object->members, member);
	}
}

/*
 * corm_nested_push_row adds a row to the array being built.  It has the fields that an
 * object gives; for columns with a required value, that value, from column_values, is
 * used instead.  Generated columns are left to PostgreSQL; their required values are
 * checked afterwards.
 */
JsonbValue *
corm_nested_push_row(JsonbParseState **state, const NestedObject *object, const NestedColumns *columns,
					 JsonbValue *column_values)
{
	CormModel  *model = object->model;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < model->nfields; i++)
	{
		if (!corm_nested_is_given(object, i) || corm_nested_find_column(columns, i))
			continue;
		corm_json_key(state, model->fields[i].json_key);
		pushJsonbValue(state, WJB_VALUE, &object->given[i]);
	}
	for (int i = 0; i < columns->n; i++)
	{
		CormField  *field = &model->fields[columns->items[i].field];

		if (field->generated)
			continue;
		corm_json_key(state, field->json_key);
		if (column_values)
			pushJsonbValue(state, WJB_VALUE, &column_values[i]);
		else
			corm_push_value(state, WJB_VALUE, field->typid, columns->items[i].value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * Pushes a document, or part of one, without the hidden fields of its objects, which are
 * rows of a model.
 */
static JsonbValue *
push_shown(JsonbParseState **state, CormModel *model, JsonbContainer *container)
{
	bool		array = JsonContainerIsArray(container);
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	v;

	check_stack_depth();
	pushJsonbValue(state, array ? WJB_BEGIN_ARRAY : WJB_BEGIN_OBJECT, NULL);
	(void) JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) == WJB_ELEM || token == WJB_KEY)
	{
		CormModel  *element = model;

		if (token == WJB_KEY)
		{
			JsonbValue	key = v;
			int			field = corm_nested_key_field(model, key.val.string.val, key.val.string.len);
			CormRelation *relation = NULL;

			(void) JsonbIteratorNext(&it, &v, true);
			if (field >= 0 && model->fields[field].hidden)
				continue;
			if (field < 0 && v.type == jbvBinary)
				relation = corm_nested_key_relation(model, pnstrdup(key.val.string.val, key.val.string.len));
			element = relation ? corm_model_get(relation->target) : NULL;
			pushJsonbValue(state, WJB_KEY, &key);
			token = WJB_VALUE;
		}
		if (element && v.type == jbvBinary)
			push_shown(state, element, v.val.binary.data);
		else
			pushJsonbValue(state, token, &v);
	}
	return pushJsonbValue(state, array ? WJB_END_ARRAY : WJB_END_OBJECT, NULL);
}

/* May a document, or part of one, have hidden fields?  Its objects are rows of a model. */
static bool
may_hide(CormModel *model, JsonbContainer *container)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;

	check_stack_depth();
	if (JsonContainerIsObject(container))
		for (int i = 0; i < model->nfields; i++)
			if (model->fields[i].hidden)
				return true;
	it = JsonbIteratorInit(container);
	(void) JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) == WJB_ELEM || token == WJB_KEY)
	{
		CormModel  *element = model;

		if (token == WJB_KEY)
		{
			JsonbValue	key = v;
			CormRelation *relation = NULL;

			(void) JsonbIteratorNext(&it, &v, true);
			if (v.type == jbvBinary && corm_nested_key_field(model, key.val.string.val, key.val.string.len) < 0)
				relation = corm_nested_key_relation(model, pnstrdup(key.val.string.val, key.val.string.len));
			element = relation ? corm_model_get(relation->target) : NULL;
		}
		if (element && v.type == jbvBinary && may_hide(element, v.val.binary.data))
			return true;
	}
	return false;
}

/*
 * corm_nested_shown returns a written row or an array of them, with those of their
 * relations, as the user sees them: without hidden fields.
 */
Jsonb *
corm_nested_shown(CormModel *model, Jsonb *rows)
{
	JsonbParseState *state = NULL;

	if (!may_hide(model, &rows->root))
		return rows;
	return JsonbValueToJsonb(push_shown(&state, model, &rows->root));
}

/* corm_nested_row_document returns such a row by itself, or as an array of one element. */
Jsonb *
corm_nested_row_document(const NestedObject *object, const NestedColumns *columns, bool array)
{
	JsonbParseState *state = NULL;

	if (!array)
		return JsonbValueToJsonb(corm_nested_push_row(&state, object, columns, NULL));
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	corm_nested_push_row(&state, object, columns, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}
