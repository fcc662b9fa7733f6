/*-------------------------------------------------------------------------
 *
 * nested_find.c
 *		Nested writes: rows that a document refers to.
 *
 * An object that holds a whole primary or unique key of its model and nothing else
 * stands for the row with that key.  It is looked up as the caller would read it:
 * middleware, guards, row-level security and soft delete apply, default scopes do not.
 * Referencing rows take the columns that they need from the row itself, not from the
 * given key.
 *
 * {"$connect_or_create": {...}} stands for the existing row that matches the first key
 * that it holds in full.  If there is no such row, it is a new row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/jsonb.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "exec/call/run_query.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_value.h"
#include "exec/plan/query_set.h"
#include "exec/rows/json_value.h"
#include "miscadmin.h"
#include "model/keys.h"
#include "model/model.h"
#include "model/relations.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#define CONNECT_OR_CREATE	"$connect_or_create"
#define LOCK_CLASS	0xC1		/* of advisory locks; the SQL functions use 1
								 * and 2 */

/* The keys of a model, read once per write. */
typedef struct KnownModel
{
	CormModel  *model;
	List	   *keys;			/* of NestedKey, the primary key first */
} KnownModel;

/*
 * Keys
 */

/*
 * Whether a key has exactly the given fields, in any order.
 */
static bool
is_same_key(const NestedKey *key, const int *fields, int n)
{
	if (key->n != n)
		return false;
	for (int i = 0; i < n; i++)
	{
		bool		found = false;

		for (int j = 0; j < n && !found; j++)
			found = key->fields[i] == fields[j];
		if (!found)
			return false;
	}
	return true;
}

/*
 * Adds a key to a list, unless it is already there.
 */
static List *
add_key(List *keys, const int *fields, int n)
{
	NestedKey  *key;
	ListCell   *lc;

	foreach(lc, keys)
	{
		if (is_same_key(lfirst(lc), fields, n))
			return keys;
	}
	key = palloc(sizeof(NestedKey));
	key->n = n;
	key->fields = palloc(sizeof(int) * n);
	memcpy(key->fields, fields, sizeof(int) * n);
	return lappend(keys, key);
}

static int
field_of_attribute(CormModel *model, AttrNumber attnum)
{
	for (int i = 0; i < model->nfields; i++)
		if (model->fields[i].attnum == attnum)
			return i;
	return -1;
}

/*
 * corm_nested_keys returns the keys of a model: its primary key, and the unique indexes of its table,
 * leaving out keys with columns that are not fields of the model.
 */
List *
corm_nested_keys(NestedWrite *write, CormModel *model)
{
	KnownModel *known;
	bool		whole = model->npk > 0;
	ListCell   *lc;

	foreach(lc, write->known)
	{
		if (((KnownModel *) lfirst(lc))->model == model)
			return ((KnownModel *) lfirst(lc))->keys;
	}

	known = palloc0(sizeof(KnownModel));
	known->model = model;
	for (int i = 0; i < model->npk; i++)
		whole &= model->pk[i] < model->nfields;
	if (whole)
		known->keys = add_key(known->keys, model->pk, model->npk);
	foreach(lc, corm_unique_keys(model->table, model->soft_delete < 0 ? InvalidAttrNumber :
								 model->fields[model->soft_delete].attnum))
	{
		List	   *attnums = lfirst(lc);
		int		   *fields = palloc(sizeof(int) * list_length(attnums));
		ListCell   *cell;

		whole = true;
		foreach(cell, attnums)
		{
			int			field = field_of_attribute(model, lfirst_int(cell));

			fields[foreach_current_index(cell)] = field;
			whole &= field >= 0;
		}
		if (whole)
			known->keys = add_key(known->keys, fields, list_length(attnums));
	}
	write->known = lappend(write->known, known);
	return known->keys;
}

/* corm_nested_gives_key tells whether an object gives all fields of a key.  If not_null, none of them may be null. */
bool
corm_nested_gives_key(const NestedObject *object, const NestedKey *key, bool not_null)
{
	for (int i = 0; i < key->n; i++)
		if (!corm_nested_is_given(object, key->fields[i]) ||
			(not_null && object->given[key->fields[i]].type == jbvNull))
			return false;
	return true;
}

/* Does it give exactly the primary key?  This needs no catalog access. */
static bool
is_primary_key(const NestedObject *object)
{
	CormModel  *model = object->model;

	if (model->npk == 0 || object->ngiven != model->npk)
		return false;
	for (int i = 0; i < model->npk; i++)
		if (model->pk[i] >= model->nfields || !corm_nested_is_given(object, model->pk[i]))
			return false;
	return true;
}

/*
 * corm_nested_exact_key returns the key that an object holds, or NULL if the object is
 * not exactly a key.
 */
const NestedKey *
corm_nested_exact_key(NestedWrite *write, const NestedObject *object)
{
	ListCell   *lc;

	if (object->members != NIL || object->ngiven == 0)
		return NULL;
	if (is_primary_key(object))
	{
		NestedKey  *key = palloc(sizeof(NestedKey));

		key->n = object->model->npk;
		key->fields = object->model->pk;
		return key;
	}
	foreach(lc, corm_nested_keys(write, object->model))
	{
		NestedKey  *key = lfirst(lc);

		if (key->n == object->ngiven && corm_nested_gives_key(object, key, false))
			return key;
	}
	return NULL;
}

/*
 * corm_nested_require_key returns the key that an object is.  Raises 42703 if the object is
 * not exactly a key.
 */
const NestedKey *
corm_nested_require_key(NestedWrite *write, const NestedObject *object)
{
	const NestedKey *key = corm_nested_exact_key(write, object);
	CormModel  *model = object->model;
	StringInfoData keys;
	ListCell   *lc;

	if (key)
		return key;
	initStringInfo(&keys);
	foreach(lc, corm_nested_keys(write, model))
	{
		NestedKey  *known = lfirst(lc);
		bool		hidden = false;

		for (int i = 0; i < known->n; i++)
			hidden |= model->fields[known->fields[i]].hidden;
		if (hidden)
			continue;
		for (int i = 0; i < known->n; i++)
		{
			appendStringInfo(&keys, "%s%s", i > 0 ? ", " : keys.len > 0 ? "; (" : "(",
							 model->fields[known->fields[i]].name);
		}
		appendStringInfoChar(&keys, ')');
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the key must give the fields of a primary or unique key of model \"%s\", and no others",
					model->name),
			 keys.len > 0 ? errhint("The keys are: %s.", keys.data) : errhint("It has no key.")));
}

/*
 * corm_nested_read_target reads the object that stands for a row at the other end of a
 * relation.  path is its position in the document.
 */
void
corm_nested_read_target(NestedWrite *write, CormRelation *relation, CormModel *model, JsonbValue *value,
						const NestedPath *path, NestedTarget *target)
{
	JsonbContainer *container = value->val.binary.data;
	JsonbValue *wish;
	ListCell   *lc;

	memset(target, 0, sizeof(NestedTarget));
	target->object.path = *path;
	wish = getKeyJsonValueFromContainer(container, CONNECT_OR_CREATE, strlen(CONNECT_OR_CREATE), NULL);
	if (wish == NULL)
	{
		if (JsonContainerSize(container) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("an empty object is not a row of relation \"%s\"", relation->name),
					 errdetail("It is at %s.", corm_nested_path(write))));
		corm_nested_read(write, model, container, &target->object);
		target->key = corm_nested_exact_key(write, &target->object);
		return;
	}

	if (JsonContainerSize(container) != 1 || !corm_nested_is_object(wish))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s takes an object, and stands alone", CONNECT_OR_CREATE)));
	corm_nested_read(write, model, wish->val.binary.data, &target->object);
	target->or_create = true;
	foreach(lc, corm_nested_keys(write, model))
	{
		if (target->key == NULL && corm_nested_gives_key(&target->object, lfirst(lc), true))
			target->key = lfirst(lc);
	}
	if (target->key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs a primary or unique key of model \"%s\"", CONNECT_OR_CREATE, model->name)));
}

/*
 * Queries
 */

/* corm_nested_write_eq adds the condition that a field has a value. */
void
corm_nested_write_eq(CormWriter *w, const char *name, const CormField *field, Datum value)
{
	int16		typlen;
	bool		typbyval;
	Oid			base = getBaseType(field->typid);

	get_typlenbyval(base, &typlen, &typbyval);
	corm_write_tag(w, CORM_N_EQ);
	corm_write_tag(w, CORM_N_COLUMN);
	corm_write_name(w, name, strlen(name));
	corm_write_value(w, base, typlen, typbyval, value);
}

static void
write_column(CormWriter *w, const char *name)
{
	corm_write_tag(w, CORM_N_COLUMN);
	corm_write_name(w, name, strlen(name));
}

/* Begins a query over a model, without its default scopes. */
static void
begin_query(CormWriter *w, CormModel *model, Bitmapset *fields)
{
	int			i = -1;

	corm_writer_init(w);
	corm_write_tag(w, CORM_N_SELECTOR);
	corm_write_oid(w, model->relid);
	corm_write_name(w, "", 0);
	corm_write_tag(w, CORM_N_NO_DEFAULT_SCOPES);
	corm_write_tag(w, CORM_N_SELECT);
	corm_write_count(w, bms_num_members(fields));
	while ((i = bms_next_member(fields, i)) >= 0)
		write_column(w, model->fields[i].name);
}

/* corm_nested_run_json runs a completed query and returns its rows as an array. */
Jsonb *
corm_nested_run_json(CormWriter *w)
{
	CormQuerySet set;

	corm_queries_of_node(corm_writer_finish(w, CORM_KIND_QUERY), &set);
	return corm_run_json(&set, true);
}

static void
more_than_one(CormModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_TOO_MANY_ROWS),
			 errmsg("more than one row of model \"%s\" has the key that is given", model->name)));
}

/*
 * corm_nested_find_one looks up the row with the key that an object gives.  Returns it
 * with the given fields, or NULL if there is none.  If lock is set, the row is locked
 * FOR NO KEY UPDATE.
 */
Jsonb *
corm_nested_find_one(NestedWrite *write, const NestedObject *object, const NestedKey *key,
					 Bitmapset *fields, bool lock)
{
	CormModel  *model = object->model;
	CormWriter	w;
	Jsonb	   *rows;

	if (!corm_nested_gives_key(object, key, true))
		return NULL;
	begin_query(&w, model, fields);
	corm_write_tag(&w, CORM_N_WHERE);
	corm_write_count(&w, key->n);
	for (int i = 0; i < key->n; i++)
		corm_nested_write_eq(&w, model->fields[key->fields[i]].name, &model->fields[key->fields[i]],
							 corm_json_convert(model, key->fields[i], &object->given[key->fields[i]]));
	if (lock)
	{
		corm_write_tag(&w, CORM_N_FOR_UPDATE);
		corm_write_name(&w, "no key", 6);
	}
	CORM_FAULT("nested-find");
	rows = corm_nested_run_json(&w);
	CORM_FAULT("nested-found");
	if (JB_ROOT_COUNT(rows) > 1)
		more_than_one(model);
	return JB_ROOT_COUNT(rows) == 0 ? NULL :
		corm_nested_document(getIthJsonbValueFromContainer(&rows->root, 0));
}

/*
 * corm_nested_key_text returns the names and values of what an object gives of a key, as in
 * (id)=(5).
 */
char *
corm_nested_key_text(const NestedObject *object, const NestedKey *key)
{
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < key->n; i++)
	{
		JsonbValue *value = &object->given[key->fields[i]];
		const char *comma = names.len > 0 ? ", " : "";

		if (!corm_nested_is_given(object, key->fields[i]))
			continue;
		appendStringInfo(&names, "%s%s", comma, object->model->fields[key->fields[i]].name);
		appendStringInfo(&values, "%s%s", comma, value->type == jbvNull ? "null" : corm_json_text(value));
	}
	return psprintf("(%s)=(%s)", names.data, values.data);
}

/* corm_nested_no_row raises P0002: there is no row with the key that an object gives. */
void
corm_nested_no_row(NestedWrite *write, const NestedObject *object, const NestedKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no row of model \"%s\" has the key %s", object->model->name, corm_nested_key_text(object, key)),
			 errdetail("There is none, or none that can be seen.")));
}

/* May the caller lock rows of a model? */
static bool
may_lock(CormModel *model)
{
	if (model->relkind == RELKIND_MATVIEW)
		return false;
	return pg_class_aclcheck(model->table, GetUserId(), ACL_UPDATE) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(model->table, GetUserId(), ACL_UPDATE, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * corm_nested_lock finds the row with a key and locks it.  A user who may read but not change the row
 * cannot lock it.  Calls by such users are serialized by an advisory lock on the key.  Raises
 * P0002 if there is no such row.
 */
Jsonb *
corm_nested_lock(NestedWrite *write, const NestedObject *object, const NestedKey *key, Bitmapset *fields)
{
	CormModel  *model = object->model;
	Jsonb	   *row = NULL;
	LOCKTAG		tag;
	uint32		hash = 0;

	if (may_lock(model))
		row = corm_nested_find_one(write, object, key, fields, true);
	if (row)
		return row;
	row = corm_nested_find_one(write, object, key, fields, false);
	if (row == NULL)
		corm_nested_no_row(write, object, key);
	for (int i = 0; i < model->npk; i++)
	{
		Datum		value;
		char	   *text;

		if (!corm_nested_value(model, row, model->pk[i], &value))
			continue;
		text = corm_nested_text(&model->fields[model->pk[i]], value);

		hash = hash_combine(hash, hash_bytes((unsigned char *) text, strlen(text)));
	}
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, model->table, hash, LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	row = corm_nested_find_one(write, object, key, fields, false);
	if (row == NULL)
		corm_nested_no_row(write, object, key);
	return row;
}

/* A row that was found, by a key of one field. */
typedef struct Found
{
	Datum		value;
	Jsonb	   *row;
} Found;

static int
compare_found(const void *a, const void *b, void *field)
{
	return corm_nested_compare(field, ((const Found *) a)->value, ((const Found *) b)->value);
}

/* Does the type of a field have an array type and a sort order? */
static bool
can_find_many(const CormField *field)
{
	return corm_nested_sorts(field) && OidIsValid(get_array_type(getBaseType(field->typid)));
}

/*
 * Looks up the rows of all targets that use the same single-field key, in one query.
 */
static void
find_many(NestedWrite *write, NestedTarget **targets, int n, CormModel *model, Bitmapset *fields)
{
	int			index = targets[0]->key->fields[0];
	CormField  *field = &model->fields[index];
	Oid			base = getBaseType(field->typid);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *values = palloc(sizeof(Datum) * n);
	int			nvalues = 0;
	CormWriter	w;
	Jsonb	   *rows;
	Found	   *found;
	int			nfound;
	JsonbIterator *it;
	JsonbValue	element;

	for (int i = 0; i < n; i++)
		if (corm_nested_gives_key(&targets[i]->object, targets[i]->key, true))
			values[nvalues++] = corm_json_convert(model, index, &targets[i]->object.given[index]);
	get_typlenbyvalalign(base, &typlen, &typbyval, &typalign);
	begin_query(&w, model, fields);
	corm_write_tag(&w, CORM_N_WHERE);
	corm_write_count(&w, 1);
	corm_write_tag(&w, CORM_N_IN);
	write_column(&w, field->name);
	corm_write_value(&w, get_array_type(base), -1, false,
					 PointerGetDatum(construct_array(values, nvalues, base, typlen, typbyval, typalign)));
	CORM_FAULT("nested-find-many");
	rows = corm_nested_run_json(&w);

	nfound = 0;
	found = palloc(sizeof(Found) * Max(JB_ROOT_COUNT(rows), 1));
	it = JsonbIteratorInit(&rows->root);
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		found[nfound].row = corm_nested_document(&element);
		if (corm_nested_value(model, found[nfound].row, index, &found[nfound].value))
			nfound++;
	}
	qsort_arg(found, nfound, sizeof(Found), compare_found, field);
	for (int i = 1; i < nfound; i++)
		if (compare_found(&found[i - 1], &found[i], field) == 0)
			more_than_one(model);

	for (int i = 0; i < n; i++)
	{
		Found		wanted;
		Found	   *match;

		CHECK_FOR_INTERRUPTS();
		if (!corm_nested_gives_key(&targets[i]->object, targets[i]->key, true))
			continue;
		wanted.value = corm_json_convert(model, index, &targets[i]->object.given[index]);
		match = bsearch_arg(&wanted, found, nfound, sizeof(Found), compare_found, field);
		if (match)
			targets[i]->row = match->row;
	}
}

/*
 * Raises P0002: no row matches the key of a target.
 */
static void
not_found(NestedWrite *write, NestedTarget *target)
{
	write->path = &target->object.path;
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("row of model \"%s\" that is referred to does not exist", target->object.model->name),
			 errdetail("At %s, there is no row with %s that can be seen.", corm_nested_path(write),
					   corm_nested_key_text(&target->object, target->key))));
}

/* Returns the part of the result for an existing row: the given key, with the stored values. */
static Jsonb *
shown_key(NestedTarget *target)
{
	CormModel  *model = target->object.model;
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < target->key->n; i++)
	{
		const char *json_key = model->fields[target->key->fields[i]].json_key;
		JsonbValue *value = getKeyJsonValueFromContainer(&target->row->root, json_key, strlen(json_key), NULL);

		corm_json_key(&state, json_key);
		pushJsonbValue(&state, WJB_VALUE, value ? value : &target->object.given[target->key->fields[i]]);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * corm_nested_find looks up the rows that targets stand for, with the given fields and
 * their key fields.  A missing row raises P0002, unless missing_ok is set or the target
 * is to be created; such a target gets no row.
 */
void
corm_nested_find(NestedWrite *write, NestedTarget *targets, int n, CormModel *model, Bitmapset *fields,
				 bool missing_ok)
{
	const NestedPath *path = write->path;
	NestedTarget **alike = palloc(sizeof(NestedTarget *) * Max(n, 1));
	List	   *done = NIL;		/* keys whose targets have all been looked up */

	for (int i = 0; i < n; i++)
	{
		const NestedKey *key = targets[i].key;
		Bitmapset  *wanted;
		int			nalike = 0;

		CHECK_FOR_INTERRUPTS();
		if (key == NULL || (key->n == 1 && list_member_int(done, key->fields[0])))
			continue;
		wanted = bms_copy(fields);
		for (int j = 0; j < key->n; j++)
			wanted = bms_add_member(wanted, key->fields[j]);
		for (int j = i; j < n && key->n == 1; j++)
			if (targets[j].key && is_same_key(targets[j].key, key->fields, 1))
				alike[nalike++] = &targets[j];
		write->path = &targets[i].object.path;
		if (nalike > 1 && can_find_many(&model->fields[key->fields[0]]))
		{
			find_many(write, alike, nalike, model, wanted);
			done = lappend_int(done, key->fields[0]);
		}
		else
			targets[i].row = corm_nested_find_one(write, &targets[i].object, key, wanted, false);
	}
	for (int i = 0; i < n; i++)
	{
		if (targets[i].key == NULL)
			continue;
		if (targets[i].row)
			targets[i].shown = shown_key(&targets[i]);
		else if (!targets[i].or_create && !missing_ok)
			not_found(write, &targets[i]);
	}
	write->path = path;
}
