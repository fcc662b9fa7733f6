/*-------------------------------------------------------------------------
 *
 * nested_value.c
 *		Nested writes: key values as datums.
 *
 * A document can spell the same key in different ways: "5" is 5, and an upper-case UUID
 * equals the lower-case one.  So keys are converted to the type of their field before
 * they are compared.  Comparison uses the equality operator of the type's default
 * operator class and the field's collation.  A value that is copied from one column to
 * another is converted with an assignment cast.
 *
 * A column can get its value from several sources: relations that share it, a field of
 * the document, the enclosing row.  These must agree.  NestedColumns holds one value
 * for each column, with the name of its source, and rejects a different one.  A null
 * does not count.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_collation.h"
#include "exec/nested/nested_value.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "model/cast.h"
#include "model/model.h"
#include "model/relations.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * Positions in the document
 */

/*
 * Appends a path in JSON path form, starting at the root of the document.
 */
static void
append_path(StringInfo buf, const NestedPath *path)
{
	bool		plain;

	if (path == NULL || (path->key == NULL && path->index < 0))
	{
		appendStringInfoChar(buf, '$');
		return;
	}
	append_path(buf, path->up);
	if (path->key == NULL)
	{
		appendStringInfo(buf, "[%d]", path->index);
		return;
	}
	plain = path->key[0] != '\0' && !(path->key[0] >= '0' && path->key[0] <= '9');
	for (const char *p = path->key; *p && plain; p++)
		plain = IS_HIGHBIT_SET(*p) || isalnum((unsigned char) *p) || *p == '_' || *p == '$';
	appendStringInfoChar(buf, '.');
	if (plain)
		appendStringInfoString(buf, path->key);
	else
		escape_json(buf, path->key);
}

/* corm_nested_path returns the position of the current object, such as $.orders[2].product. */
char *
corm_nested_path(const NestedWrite *write)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_path(&buf, write->path);
	return buf.data;
}

static void
path_error_context(void *arg)
{
	NestedWrite *write = arg;

	if (write->path && (write->path->key || write->path->index >= 0))
		errcontext("nested write at %s", corm_nested_path(write));
}

/*
 * corm_nested_begin prepares a nested write, and pushes an error context that names the
 * position in the document.  corm_nested_end pops it.
 */
void
corm_nested_begin(NestedWrite *write)
{
	write->path = NULL;
	write->known = NIL;
	write->callback.callback = path_error_context;
	write->callback.arg = write;
	write->callback.previous = error_context_stack;
	error_context_stack = &write->callback;
}

void
corm_nested_end(NestedWrite *write)
{
	error_context_stack = write->callback.previous;
}

/*
 * corm_nested_same_model raises 55006 if a model has changed since the write began to
 * use it.  Call it after statements that can run user code.
 */
void
corm_nested_same_model(CormModel *model)
{
	char	   *change = corm_model_change(model);

	if (change)
		corm_exec_changed(model->name, change);
}

/*
 * Values
 */

/*
 * corm_nested_field returns the index of the field for a column of the model's table.
 * Raises 42703 if there is none.
 */
int
corm_nested_field(CormModel *model, const char *column)
{
	for (int i = 0; i < model->nfields; i++)
		if (strcmp(model->fields[i].column, column) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("model \"%s\" has no field for column \"%s\"", model->name, column),
			 errdetail("A relation needs it.")));
}

static Oid
collation_of(const CormField *field)
{
	return OidIsValid(field->collation) ? field->collation : DEFAULT_COLLATION_OID;
}

/* corm_nested_text returns a value as text, for messages and for types without a better way. */
char *
corm_nested_text(const CormField *field, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(field->typid, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * corm_nested_equal tells whether two values of a field are equal according to its
 * type.
 */
bool
corm_nested_equal(const CormField *field, Datum a, Datum b)
{
	TypeCacheEntry *type = lookup_type_cache(getBaseType(field->typid), TYPECACHE_EQ_OPR_FINFO);

	if (!OidIsValid(type->eq_opr_finfo.fn_oid))
		return strcmp(corm_nested_text(field, a), corm_nested_text(field, b)) == 0;
	return DatumGetBool(FunctionCall2Coll(&type->eq_opr_finfo, collation_of(field), a, b));
}

/* corm_nested_sorts tells whether the values of a field have a sort order. */
bool
corm_nested_sorts(const CormField *field)
{
	return OidIsValid(lookup_type_cache(getBaseType(field->typid), TYPECACHE_CMP_PROC_FINFO)->cmp_proc_finfo.fn_oid);
}

/* corm_nested_compare compares two values by that order. */
int
corm_nested_compare(const CormField *field, Datum a, Datum b)
{
	TypeCacheEntry *type = lookup_type_cache(getBaseType(field->typid), TYPECACHE_CMP_PROC_FINFO);

	return DatumGetInt32(FunctionCall2Coll(&type->cmp_proc_finfo, collation_of(field), a, b));
}

/*
 * corm_nested_convert converts a value of one field to the type of another, with an
 * assignment cast.
 */
Datum
corm_nested_convert(const CormField *from, const CormField *to, Datum value)
{
	CormCast   *cast;
	bool		isnull = false;

	if (from->typid == to->typid && (to->typmod < 0 || to->typmod == from->typmod))
		return value;
	cast = corm_cast_create(from->typid, to->typid, to->typmod, false);
	if (cast == NULL)
	{
		cast = corm_cast_create_text(to->typid, to->typmod);
		value = CStringGetTextDatum(corm_nested_text(from, value));
	}
	value = corm_cast_apply(cast, value, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("value of field \"%s\" becomes null as one of field \"%s\"", from->name, to->name)));
	return value;
}

/*
 * corm_nested_value fetches the value of a field from a row, which is an object with
 * the model's keys.  Returns false if it is null.  It is an error if the row does not
 * have the field; a row that came from middleware may lack it.
 */
bool
corm_nested_value(CormModel *model, Jsonb *row, int field, Datum *value)
{
	CormField  *f = &model->fields[field];
	JsonbValue *json = row == NULL ? NULL :
		getKeyJsonValueFromContainer(&row->root, f->json_key, strlen(f->json_key), NULL);

	if (json == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("row of model \"%s\" has no field \"%s\"", model->name, f->name),
				 errdetail("Related rows need it.")));
	if (json->type == jbvNull)
		return false;
	*value = corm_json_convert(model, field, json);
	return true;
}

/*
 * Columns
 */

void
corm_nested_columns_init(NestedColumns *columns, CormModel *model)
{
	columns->model = model;
	columns->n = 0;
	columns->size = 0;
	columns->items = NULL;
}

/* corm_nested_columns_copy copies a set of columns, with room for more. */
void
corm_nested_columns_copy(NestedColumns *columns, const NestedColumns *other)
{
	columns->model = other->model;
	columns->n = other->n;
	columns->size = other->n + 4;
	columns->items = palloc(sizeof(NestedColumn) * columns->size);
	if (other->n > 0)
		memcpy(columns->items, other->items, sizeof(NestedColumn) * other->n);
}

NestedColumn *
corm_nested_find_column(const NestedColumns *columns, int field)
{
	for (int i = 0; i < columns->n; i++)
		if (columns->items[i].field == field)
			return &columns->items[i];
	return NULL;
}

const char *
corm_nested_by_relation(const CormRelation *relation)
{
	return psprintf("relation \"%s\"", relation->name);
}

/* corm_nested_contradiction raises OR013: two sources give a field different values. */
void
corm_nested_contradiction(NestedWrite *write, CormModel *model, int field, const char *by, const char *value,
						  const char *other_by, const char *other_value)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_CONTRADICTING_VALUES),
			 errmsg("contradicting values for field \"%s\" of model \"%s\"", model->fields[field].name, model->name),
			 errdetail("At %s, %s gives %s and %s gives %s.", corm_nested_path(write), by, value,
					   other_by, other_value)));
}

/*
 * corm_nested_set requires a column to hold a value, which must be of the field's type.
 * Raises OR013 if a different value is already required.
 */
void
corm_nested_set(NestedWrite *write, NestedColumns *columns, int field, Datum value, const char *by)
{
	NestedColumn *column = corm_nested_find_column(columns, field);
	CormField  *f = &columns->model->fields[field];

	if (column)
	{
		if (!corm_nested_equal(f, column->value, value))
			corm_nested_contradiction(write, columns->model, field, column->by, corm_nested_text(f, column->value),
									  by, corm_nested_text(f, value));
		return;
	}
	if (columns->n == columns->size)
	{
		columns->size = Max(4, columns->size * 2);
		columns->items = columns->items ? repalloc(columns->items, sizeof(NestedColumn) * columns->size) :
			palloc(sizeof(NestedColumn) * columns->size);
	}
	column = &columns->items[columns->n++];
	column->field = field;
	column->value = value;
	column->by = by;
}

/*
 * corm_nested_flow requires columns to hold the values of a row's columns, as a foreign
 * key holds those of the row that it references.  Raises 22004 if one of them is null,
 * because a null would reference nothing and the rows would not be related.
 */
void
corm_nested_flow(NestedWrite *write, NestedColumns *to, char **to_columns, CormModel *from, Jsonb *row,
				 char **from_columns, int n, const char *by)
{
	for (int i = 0; i < n; i++)
	{
		int			source = corm_nested_field(from, from_columns[i]);
		int			target = corm_nested_field(to->model, to_columns[i]);
		Datum		value;

		if (!corm_nested_value(from, row, source, &value))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("field \"%s\" of model \"%s\" is null, so nothing can refer to the row",
							from->fields[source].name, from->name),
					 errdetail("At %s, %s needs it.", corm_nested_path(write), by)));
		corm_nested_set(write, to, target,
						corm_nested_convert(&from->fields[source], &to->model->fields[target], value), by);
	}
}

/*
 * corm_nested_check_row raises OR013 unless a written row holds the values that its
 * columns must have.  Hooks, triggers and middleware may have changed it.  A column
 * that is not visible in the row is not checked.
 */
void
corm_nested_check_row(NestedWrite *write, const NestedColumns *columns, Jsonb *row)
{
	for (int i = 0; i < columns->n; i++)
	{
		NestedColumn *column = &columns->items[i];
		CormField  *field = &columns->model->fields[column->field];
		JsonbValue *json = getKeyJsonValueFromContainer(&row->root, field->json_key, strlen(field->json_key), NULL);
		Datum		value;

		if (json == NULL)
			continue;
		if (json->type == jbvNull)
			corm_nested_contradiction(write, columns->model, column->field, column->by,
									  corm_nested_text(field, column->value), "the row as written", "null");
		value = corm_json_convert(columns->model, column->field, json);
		if (!corm_nested_equal(field, column->value, value))
			corm_nested_contradiction(write, columns->model, column->field, column->by,
									  corm_nested_text(field, column->value),
									  "the row as written", corm_nested_text(field, value));
	}
}

/*
 * Conditions of relations
 */

/*
 * Gets the value that a condition compares a field with.  Returns false if it is not of
 * the field's type.
 */
static bool
condition_value(CormField *field, const CormValue *bound, Datum *value)
{
	CormCast   *cast;
	int16		typlen;
	bool		typbyval;
	bool		isnull = false;
	Datum		datum;

	if (bound->typid == UNKNOWNOID)
	{
		datum = corm_value_datum(bound, -1, false);
		cast = corm_cast_create_text(field->typid, field->typmod);
	}
	else
	{
		get_typlenbyval(bound->typid, &typlen, &typbyval);
		datum = corm_value_datum(bound, typlen, typbyval);
		cast = corm_cast_create(bound->typid, field->typid, field->typmod, false);
		if (cast == NULL)
			return false;
	}
	*value = corm_cast_apply(cast, datum, &isnull);
	return !isnull;
}

/*
 * Adds the values required by part of a condition.  Returns false if the part is
 * anything but an equality of a field and a value.
 */
static bool
add_condition(CormModel *model, CormRelation *relation, CormTree *cond, NestedCondition *condition)
{
	bool		whole = true;
	CormSide	side;
	CormField  *field;
	NestedColumns *columns;
	Datum		value;
	int			index;
	NestedColumn *column;
	NestedWrite none = {0};
	ListCell   *lc;

	if (cond->tag == CORM_N_AND)
	{
		foreach(lc, cond->args[0].list)
		{
			whole &= add_condition(model, relation, lfirst(lc), condition);
		}
		return whole;
	}
	if (cond->tag != CORM_N_EQ || cond->args[0].node->tag != CORM_N_COLUMN ||
		cond->args[1].node->tag != CORM_N_VALUE || cond->args[1].node->constant == NULL)
		return false;
	field = corm_condition_column(relation, cond->args[0].node->args[0].str, &side);
	if (field == NULL)
		return false;
	columns = side == CORM_SIDE_OWN ? &condition->own : side == CORM_SIDE_LINK ? &condition->link : &condition->target;
	index = corm_nested_field(columns->model, field->column);
	field = &columns->model->fields[index];
	if (!condition_value(field, cond->args[1].node->constant, &value))
		return false;
	column = corm_nested_find_column(columns, index);
	if (column && !corm_nested_equal(field, column->value, value))
		return false;			/* it can never be true */
	corm_nested_set(&none, columns, index, value, corm_nested_by_relation(relation));
	return true;
}

/*
 * corm_nested_condition finds what the declared condition of a relation requires of the
 * rows on both sides and of links.  Where it requires a field to have a certain value, new rows get
 * that value.
 */
void
corm_nested_condition(CormModel *model, CormRelation *relation, NestedCondition *condition)
{
	corm_nested_columns_init(&condition->own, model);
	corm_nested_columns_init(&condition->target, corm_model_get(relation->target));
	corm_nested_columns_init(&condition->link, OidIsValid(relation->through) ? corm_model_get(relation->through) : NULL);
	condition->whole = relation->condition == NULL ||
		add_condition(model, relation, corm_stored_expr(relation->condition), condition);
}
