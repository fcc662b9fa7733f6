/*-------------------------------------------------------------------------
 *
 * overrides.c
 *		The options of corm.register: stored, and applied to a draft.
 *
 * corm.model_options holds one row for each registered model.  The table that a
 * model maps to has a column of its own, beside the other options, so that it
 * follows renames and is dumped by name.
 *
 * Applying and checking are one: corm.register applies its options to a draft
 * that it throws away, and stores them only if that works.  Later, columns
 * may be renamed or dropped; then the same errors come up when the model is
 * used, because ignoring an option could show rows that are deleted or write
 * a column that is read-only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/errors.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "lib/stringinfo.h"
#include "model/catalogs.h"
#include "model/nearest.h"
#include "model/overrides.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/* Columns of corm.model_options */
#define Anum_model_options_model	1
#define Anum_model_options_table	2
#define Anum_model_options_options	3
#define Natts_model_options			3

/* The fields that the option true stands for. */
static const char *const role_defaults[CORM_NUM_ROLES] =
{
	"deleted_at", "version", "created_at", "updated_at"
};

static const char *const option_keys[] =
{
	"created_at", "fields", "name", "naming", "primary_key", "soft_delete",
	"table", "updated_at", "version"
};

static const char *const field_keys[] =
{
	"column", "filterable", "hidden", "ignore", "name", "primary_key", "read_only"
};

static Relation open_catalog(LOCKMODE lockmode);
static HeapTuple find_row(Relation catalog, Oid relid);
static void check_keys(CormDraft *draft, JsonbContainer *object, const char *path,
					   const char *const *known, int nknown);
static JsonbValue *get_key(JsonbContainer *object, const char *key);
static int	find_field(CormDraft *draft, const char *option, const char *name);
static char *string_of(CormDraft *draft, const char *option, JsonbValue *value);
static char *name_of(CormDraft *draft, const char *option, JsonbValue *value);
static bool boolean_of(CormDraft *draft, const char *option, JsonbValue *value);
static void apply_naming(CormDraft *draft, JsonbValue *value);
static void apply_field(CormDraft *draft, const char *path, int i, CormField *field,
						JsonbContainer *object);
static void apply_fields(CormDraft *draft, JsonbValue *value);
static void apply_role(CormDraft *draft, CormRole role, JsonbValue *value);
static void apply_primary_key(CormDraft *draft, JsonbValue *value);

/*
 * open_catalog opens corm.model_options, or returns NULL when the extension is
 * not there (any more).
 */
static Relation
open_catalog(LOCKMODE lockmode)
{
	return corm_catalog_open("model_options", lockmode, NULL);
}

/*
 * corm_overrides_hide returns whether the options that are registered for a
 * model hide a column.
 */
bool
corm_overrides_hide(Oid relid, const char *column)
{
	CormOverrides overrides;
	JsonbValue *fields;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	v;

	if (!corm_overrides_load(relid, &overrides))
		return false;
	fields = get_key(&overrides.json->root, "fields");
	if (fields == NULL || fields->type != jbvBinary || !JsonContainerIsObject(fields->val.binary.data))
		return false;
	it = JsonbIteratorInit(fields->val.binary.data);
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbValue *hidden;
		JsonbValue *named;

		(void) JsonbIteratorNext(&it, &v, true);
		if (v.type != jbvBinary || !JsonContainerIsObject(v.val.binary.data))
			continue;
		hidden = get_key(v.val.binary.data, "hidden");
		named = get_key(v.val.binary.data, "column");
		if (named == NULL || named->type != jbvString)
			named = &key;
		if (hidden != NULL && hidden->type == jbvBool && hidden->val.boolean &&
			named->val.string.len == strlen(column) && memcmp(named->val.string.val, column, named->val.string.len) == 0)
			return true;
	}
	return false;
}

/*
 * find_row returns a copy of the row about a relation, or NULL.
 */
static HeapTuple
find_row(Relation catalog, Oid relid)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_model_options_model, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, corm_primary_key_index(catalog), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);

	return tuple;
}

/*
 * corm_overrides_load reads what is registered for a model into the current
 * memory context; false if nothing is.
 */
bool
corm_overrides_load(Oid relid, CormOverrides *overrides)
{
	Relation	catalog = open_catalog(AccessShareLock);
	HeapTuple	tuple;

	if (catalog == NULL)
		return false;

	tuple = find_row(catalog, relid);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		datum;

		datum = heap_getattr(tuple, Anum_model_options_table, RelationGetDescr(catalog), &isnull);
		overrides->table = isnull ? InvalidOid : DatumGetObjectId(datum);
		datum = heap_getattr(tuple, Anum_model_options_options, RelationGetDescr(catalog), &isnull);
		overrides->json = DatumGetJsonbPCopy(datum);
	}
	table_close(catalog, AccessShareLock);

	return HeapTupleIsValid(tuple);
}

/*
 * corm_overrides_store inserts or replaces the row about a relation.
 */
void
corm_overrides_store(Oid relid, const CormOverrides *overrides)
{
	Relation	catalog = open_catalog(RowExclusiveLock);
	Datum		values[Natts_model_options];
	bool		nulls[Natts_model_options] = {false};
	HeapTuple	old;
	HeapTuple	tuple;

	if (catalog == NULL)
		corm_catalog_missing("model_options");

	values[Anum_model_options_model - 1] = ObjectIdGetDatum(relid);
	values[Anum_model_options_table - 1] = ObjectIdGetDatum(overrides->table);
	nulls[Anum_model_options_table - 1] = !OidIsValid(overrides->table);
	values[Anum_model_options_options - 1] = JsonbPGetDatum(overrides->json);
	tuple = heap_form_tuple(RelationGetDescr(catalog), values, nulls);

	old = find_row(catalog, relid);
	if (HeapTupleIsValid(old))
		CatalogTupleUpdate(catalog, &old->t_self, tuple);
	else
		CatalogTupleInsert(catalog, tuple);
	table_close(catalog, RowExclusiveLock);
	corm_catalogs_stored(relid);
	corm_catalogs_stored(overrides->table);
}

/*
 * corm_overrides_delete deletes the row about a relation, and returns false if
 * there is none.
 */
bool
corm_overrides_delete(Oid relid)
{
	Relation	catalog = open_catalog(RowExclusiveLock);
	HeapTuple	tuple;

	if (catalog == NULL)
		return false;
	tuple = find_row(catalog, relid);
	if (HeapTupleIsValid(tuple))
		CatalogTupleDelete(catalog, &tuple->t_self);
	table_close(catalog, RowExclusiveLock);

	return HeapTupleIsValid(tuple);
}

/*
 * corm_overrides_error raises OR006 for an option of a model.
 * detail is a finished sentence, hint too or NULL.
 */
void
corm_overrides_error(const char *model_name, const char *option, const char *detail,
					 const char *hint)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("invalid option \"%s\" for model \"%s\"", option, model_name),
			 errdetail_internal("%s", detail),
			 hint ? errhint("%s", hint) :
			 errhint("Register the model again with other options, or use corm.unregister.")));
}

/*
 * check_keys raises OR006 if object has a key that is not known.
 */
static void
check_keys(CormDraft *draft, JsonbContainer *object, const char *path,
		   const char *const *known, int nknown)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	v;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		char	   *key;
		CormNearest nearest;
		StringInfoData all;
		bool		found = false;

		if (token != WJB_KEY)
			continue;

		key = pnstrdup(v.val.string.val, v.val.string.len);
		for (int i = 0; i < nknown && !found; i++)
			found = strcmp(known[i], key) == 0;
		if (found)
			continue;

		corm_nearest_init(&nearest, key);
		initStringInfo(&all);
		for (int i = 0; i < nknown; i++)
		{
			corm_nearest_offer(&nearest, known[i]);
			appendStringInfo(&all, "%s\"%s\"", i > 0 ? ", " : "", known[i]);
		}
		corm_overrides_error(draft->model->name, psprintf("%s%s", path, key),
							 "There is no such option.",
							 nearest.name ? psprintf("Perhaps you meant \"%s\".", nearest.name) :
							 psprintf("The options are %s.", all.data));
	}
}

/*
 * get_key returns the value of a key of object, or NULL.  A JSON null counts
 * as not given, which is what drivers mean by it.
 */
static JsonbValue *
get_key(JsonbContainer *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/*
 * find_field returns the index of the field that name means, or raises OR006.
 */
static int
find_field(CormDraft *draft, const char *option, const char *name)
{
	CormModel  *model = draft->model;
	CormNearest nearest;

	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].name, name) == 0)
			return i;
	}
	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].column, name) == 0)
			return i;
	}

	corm_nearest_init(&nearest, name);
	for (int i = 0; i < model->nfields; i++)
		corm_nearest_offer(&nearest, model->fields[i].name);
	corm_overrides_error(draft->model->name, option, psprintf("There is no field \"%s\".", name),
						 nearest.name ?
						 psprintf("Perhaps you meant the field \"%s\".", nearest.name) : NULL);
}

/*
 * string_of returns the string that value is, or raises OR006.
 */
static char *
string_of(CormDraft *draft, const char *option, JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len == 0)
		corm_overrides_error(draft->model->name, option, "The value must be a string that is not empty.", NULL);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * name_of returns the name that value is, or raises OR006.
 */
static char *
name_of(CormDraft *draft, const char *option, JsonbValue *value)
{
	char	   *name = string_of(draft, option, value);

	if (strlen(name) >= NAMEDATALEN)
		corm_overrides_error(draft->model->name, option,
							 psprintf("A name must be shorter than %d bytes.", NAMEDATALEN), NULL);
	return name;
}

/*
 * boolean_of returns the boolean that value is, or raises OR006.
 */
static bool
boolean_of(CormDraft *draft, const char *option, JsonbValue *value)
{
	if (value->type != jbvBool)
		corm_overrides_error(draft->model->name, option, "The value must be true or false.", NULL);
	return value->val.boolean;
}

/*
 * apply_naming applies the naming strategy.
 */
static void
apply_naming(CormDraft *draft, JsonbValue *value)
{
	char	   *naming = string_of(draft, "naming", value);

	if (strcmp(naming, "snake") == 0)
		draft->model->naming = CORM_NAMING_SNAKE;
	else if (strcmp(naming, "camel") == 0)
		draft->model->naming = CORM_NAMING_CAMEL;
	else if (strcmp(naming, "pascal") == 0)
		draft->model->naming = CORM_NAMING_PASCAL;
	else
		corm_overrides_error(draft->model->name, "naming", psprintf("There is no naming strategy \"%s\".", naming),
							 "The naming strategies are \"snake\", \"camel\" and \"pascal\".");
}

/*
 * apply_field applies the options of the field with index i to its copy.
 */
static void
apply_field(CormDraft *draft, const char *path, int i, CormField *field, JsonbContainer *object)
{
	char	   *prefix = psprintf("%s.", path);
	JsonbValue *v;

	check_keys(draft, object, prefix, field_keys, lengthof(field_keys));

	if ((v = get_key(object, "column")) != NULL)
		field->column = name_of(draft, psprintf("%scolumn", prefix), v);
	if ((v = get_key(object, "name")) != NULL)
		field->name = name_of(draft, psprintf("%sname", prefix), v);
	if ((v = get_key(object, "read_only")) != NULL)
		field->read_only = boolean_of(draft, psprintf("%sread_only", prefix), v);
	if ((v = get_key(object, "filterable")) != NULL)
		field->filterable = boolean_of(draft, psprintf("%sfilterable", prefix), v);
	if ((v = get_key(object, "hidden")) != NULL)
		field->hidden = boolean_of(draft, psprintf("%shidden", prefix), v);
	if ((v = get_key(object, "ignore")) != NULL)
		draft->ignored[i] = boolean_of(draft, psprintf("%signore", prefix), v);
	if ((v = get_key(object, "primary_key")) != NULL)
	{
		if (boolean_of(draft, psprintf("%sprimary_key", prefix), v))
			draft->pk = list_append_unique_int(draft->pk, i);
		else
			draft->pk = list_delete_int(draft->pk, i);
	}
}

/*
 * apply_fields applies the object of fields.  Its keys are looked up among
 * the fields as they were, so that two fields can swap their names.  They have no
 * order that somebody has chosen, so a primary key that is declared here has the
 * order of the fields.
 */
static void
apply_fields(CormDraft *draft, JsonbValue *value)
{
	CormModel  *model = draft->model;
	Size		size = sizeof(CormField) * model->nfields;
	CormField  *changed = palloc(Max(size, 1));
	bool	   *seen = palloc0(Max(model->nfields, 1));
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	char	   *key = NULL;
	char	   *path = NULL;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		corm_overrides_error(draft->model->name, "fields", "The value must be an object.", NULL);

	memcpy(changed, model->fields, size);
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			key = pnstrdup(v.val.string.val, v.val.string.len);
			path = psprintf("fields.%s", key);
		}
		else if (token == WJB_VALUE)
		{
			JsonbValue *column;
			int			i;

			if (v.type != jbvBinary || !JsonContainerIsObject(v.val.binary.data))
				corm_overrides_error(draft->model->name, path, "The value must be an object.", NULL);
			column = get_key(v.val.binary.data, "column");
			if (column && !corm_model_has_field(model, key) && model->table == model->relid)
			{
				/* a name of one's own for a column of the table */
				i = find_field(draft, psprintf("%s.column", path),
							   string_of(draft, psprintf("%s.column", path), column));
				if (strlen(key) == 0 || strlen(key) >= NAMEDATALEN)
					corm_overrides_error(draft->model->name, path,
										 psprintf("A name must not be empty and must be shorter than %d bytes.", NAMEDATALEN),
										 NULL);
				changed[i].name = key;
			}
			else
				i = find_field(draft, path, key);
			if (seen[i])
				corm_overrides_error(draft->model->name, path, "The field is given twice.", NULL);
			seen[i] = true;
			apply_field(draft, path, i, &changed[i], v.val.binary.data);
		}
	}
	memcpy(model->fields, changed, size);
	list_sort(draft->pk, list_int_cmp);
}

/*
 * apply_role applies soft_delete, version, created_at or updated_at: a field's
 * name, true for the usual name, or false for no such field.
 */
static void
apply_role(CormDraft *draft, CormRole role, JsonbValue *value)
{
	const char *option = corm_role_names[role];
	int			field = -1;

	if (value->type == jbvBool)
	{
		if (value->val.boolean)
			field = find_field(draft, option, role_defaults[role]);
	}
	else if (value->type == jbvString)
		field = find_field(draft, option, string_of(draft, option, value));
	else
		corm_overrides_error(draft->model->name, option, "The value must be a field's name, true or false.", NULL);

	draft->roles[role].declared = true;
	draft->roles[role].field = field;
	draft->roles[role].by_options = true;
	draft->roles[role].tag = NULL;
}

/*
 * apply_primary_key applies the list of fields of the primary key.
 */
static void
apply_primary_key(CormDraft *draft, JsonbValue *value)
{
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) == 0)
		corm_overrides_error(draft->model->name, "primary_key", "The value must be an array of fields' names.", NULL);

	draft->pk = NIL;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
		{
			int			i = find_field(draft, "primary_key", string_of(draft, "primary_key", &v));

			draft->pk = list_append_unique_int(draft->pk, i);
		}
	}
}

/*
 * corm_overrides_apply applies the options of a registration, all but the
 * table, to a draft.  Raises OR006 for any that is unknown, of a wrong kind or
 * about an unknown field.
 */
void
corm_overrides_apply(CormDraft *draft, Jsonb *json)
{
	JsonbContainer *root = &json->root;
	JsonbValue *v;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("the options of model \"%s\" are not an object", draft->model->name)));

	check_keys(draft, root, "", option_keys, lengthof(option_keys));

	if ((v = get_key(root, "name")) != NULL)
		draft->model->name = name_of(draft, "name", v);
	if ((v = get_key(root, "naming")) != NULL)
		apply_naming(draft, v);
	if ((v = get_key(root, "fields")) != NULL)
		apply_fields(draft, v);
	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		if ((v = get_key(root, corm_role_names[role])) != NULL)
			apply_role(draft, role, v);
	}
	if ((v = get_key(root, "primary_key")) != NULL)
		apply_primary_key(draft, v);
}
