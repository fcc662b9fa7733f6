/*-------------------------------------------------------------------------
 *
 * nested_patch.c
 *		Nested writes: an existing row and its related rows are changed.
 *
 *	{"name": "Ann", "company": {"id": 3}, "orders": [{"id": 7, "total": 5}, {"total": 9}],
 *	 "tags": {"add": [{"id": 1}], "remove": [{"id": 2}]}}
 *
 * The row is locked first, so that calls for one row follow each other.  Rows that it
 * references come next, then the row itself, then the rows that reference it.
 *
 * The rows of a relation to many are those that it shows.  An object that names one of
 * them by any key changes it; one that gives the primary key of none is an error, and any
 * other is a new row.  Of an array, the rows that are not named stay as they are.  An
 * object of changes says more: set, or add, update, remove and delete.
 *
 * To take a row away is to unlink it where its foreign key may be null, and else to delete
 * it.  Columns that other relations use too, such as a tenant's, stay as they are if
 * another column can be null.
 *
 * Rows are taken away before others are changed, and changed before others are written, so
 * that unique keys can be used again.  A row that is both taken away and linked is named
 * twice, which is an error: the document contradicts itself, and a link made anew would have
 * lost what else its row held.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/jsonb.h"
#include "exec/nested/nested.h"
#include "exec/nested/nested_find.h"
#include "exec/nested/nested_links.h"
#include "exec/nested/nested_object.h"
#include "exec/nested/nested_patch.h"
#include "exec/nested/nested_update.h"
#include "exec/nested/nested_value.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/relations.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/* A row that a relation shows now: its keys and the columns that the relation joins on. */
typedef struct Current
{
	Jsonb	   *row;
	NestedObject which;			/* the same as an object */
	bool		named;			/* by the document */
} Current;

/* A relation to many, or a has_one, that is being changed. */
typedef struct Change
{
	CormModel  *model;			/* that has the relation */
	Jsonb	   *row;			/* whose related rows they are */
	CormRelation *relation;
	CormModel  *target;
	const NestedCondition *condition;
	NestedIn	in;				/* unless many_to_many */
	Bitmapset  *unlink;			/* fields that become null to take a row away;
								 * NULL: it is deleted */
	NestedKey	key;			/* that identifies rows of the target */
	int			n;
	Current    *current;
	LinkSet    *unlinked;		/* links that were deleted and their rows not,
								 * or NULL */
	List	   *results;		/* of Jsonb: the rows that were changed or
								 * written */
} Change;

/* An object of the document that stands for a row. */
typedef struct Named
{
	NestedObject object;
	Current    *current;		/* the row, or NULL: it is a new one */
	Jsonb	   *result;
} Named;

/*
 * Columns
 */

static bool
is_column_of(CormRelation *relation, const char *column)
{
	for (int i = 0; i < relation->nkeys; i++)
	{
		if (strcmp(relation->columns[i], column) == 0)
			return true;
	}
	return false;
}

/* Does a belongs_to relation of a model use a column, besides the one with these columns? */
static bool
is_shared(CormModel *model, char **columns, int n, const char *column)
{
	ListCell   *lc;

	foreach(lc, corm_model_relations(model))
	{
		CormRelation *relation = lfirst(lc);
		bool		same = relation->nkeys == n;

		if (relation->kind != CORM_BELONGS_TO || !is_column_of(relation, column))
			continue;
		for (int i = 0; i < n && same; i++)
		{
			same = is_column_of(relation, columns[i]);
		}
		if (!same)
			return true;
	}
	return false;
}

/*
 * Returns the fields that become null when a row no longer references another by these
 * columns, or NULL if none can be.
 */
static Bitmapset *
unlinked_fields(CormModel *model, char **columns, int n)
{
	Bitmapset  *all = NULL;
	Bitmapset  *own = NULL;

	for (int i = 0; i < n; i++)
	{
		int			index = corm_nested_field(model, columns[i]);
		CormField  *field = &model->fields[index];

		if (field->not_null || field->primary_key || field->generated)
			continue;
		all = bms_add_member(all, index);
		if (!is_shared(model, columns, n, columns[i]))
			own = bms_add_member(own, index);
	}
	return own ? own : all;
}

/*
 * corm_nested_gives_primary_key tells whether an object gives the whole primary key, or
 * columns give the rest of it.
 */
bool
corm_nested_gives_primary_key(const NestedObject *object, const NestedColumns *columns)
{
	CormModel  *model = object->model;
	bool		any = false;

	for (int i = 0; i < model->npk; i++)
	{
		int			field = model->pk[i];

		if (field >= model->nfields)
			return false;
		if (corm_nested_is_given(object, field) && object->given[field].type != jbvNull)
			any = true;
		else if (columns == NULL || corm_nested_find_column(columns, field) == NULL)
			return false;
	}
	return any;
}

/*
 * The parts of a document
 */

static void
wrong_kind_of_change(NestedWrite *write, CormModel *model, CormRelation *relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("relation \"%s\" of model \"%s\" takes an array, or an object of changes", relation->name,
					model->name),
			 errdetail("At %s, it is neither.", corm_nested_path(write)),
			 errhint("The changes are \"set\", or any of \"add\", \"update\", \"remove\" and \"delete\", each with an array of objects.")));
}

/* qsort comparator: the order in which parts are done. */
static int
compare_parts(const ListCell *a, const ListCell *b)
{
	return (int) ((NestedPart *) lfirst(a))->change - (int) ((NestedPart *) lfirst(b))->change;
}

/*
 * corm_nested_parts takes the value of a relation to many apart: an array, or an object of
 * changes.  Returns a list of NestedPart, in the order in which they are to be done.
 */
List *
corm_nested_parts(NestedWrite *write, CormModel *model, const NestedMember *member, const NestedPath *path)
{
	static const struct
	{
		const char *name;
		NestedChange change;
	}			changes[] = {
		{"set", NESTED_SET}, {"remove", NESTED_REMOVE}, {"delete", NESTED_DELETE},
		{"update", NESTED_UPDATE}, {"add", NESTED_ADD}
	};
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;
	List	   *parts = NIL;

	if (corm_nested_is_array(&member->value))
	{
		NestedPart *part = palloc0(sizeof(NestedPart));

		part->change = NESTED_NAME;
		part->member = *member;
		part->path = *path;
		return list_make1(part);
	}
	if (!corm_nested_is_object(&member->value) || JsonContainerSize(member->value.val.binary.data) == 0)
		wrong_kind_of_change(write, model, member->relation);
	it = JsonbIteratorInit(member->value.val.binary.data);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		NestedPart *part = palloc0(sizeof(NestedPart));
		bool		known = false;

		part->member = *member;
		part->path = (NestedPath)
		{
			path, pnstrdup(key.val.string.val, key.val.string.len)
		};
		for (int i = 0; i < lengthof(changes) && !known; i++)
		{
			known = strcmp(changes[i].name, part->path.key) == 0;
			part->change = changes[i].change;
		}
		(void) JsonbIteratorNext(&it, &value, true);
		part->member.value = value;
		if (!known || !corm_nested_is_array(&value))
			wrong_kind_of_change(write, model, member->relation);
		parts = lappend(parts, part);
	}
	list_sort(parts, compare_parts);
	if (list_length(parts) > 1 && ((NestedPart *) linitial(parts))->change == NESTED_SET)
		wrong_kind_of_change(write, model, member->relation);
	return parts;
}

/*
 * The rows that a relation shows
 */

/* Finds the rows that the relation shows. */
static void
read_current(NestedWrite *write, Change *change)
{
	CormRelation *relation = change->relation;
	CormModel  *target = change->target;
	Bitmapset  *fields = NULL;
	ListCell   *lc;
	Jsonb	   *rows;
	JsonbIterator *it;
	JsonbValue	element;
	NestedPath	nowhere = {NULL, NULL, -1};

	for (int i = 0; i < relation->ntarget_keys; i++)
	{
		fields = bms_add_member(fields, corm_nested_field(target, relation->target_columns[i]));
	}
	foreach(lc, corm_nested_keys(write, target))
	{
		NestedKey  *key = lfirst(lc);

		for (int i = 0; i < key->n; i++)
		{
			fields = bms_add_member(fields, key->fields[i]);
		}
		if (change->key.n == 0)
			change->key = *key;
	}
	if (change->key.n == 0)
		corm_model_require_pk(target);
	rows = corm_nested_read_related(change->model, change->row, relation, fields);
	CORM_FAULT("patch-current");
	corm_nested_same_model(change->model);
	corm_nested_same_model(target);
	change->current = palloc0(sizeof(Current) * Max(JB_ROOT_COUNT(rows), 1));
	it = JsonbIteratorInit(&rows->root);
	(void) JsonbIteratorNext(&it, &element, false);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		Current    *current = &change->current[change->n++];

		CHECK_FOR_INTERRUPTS();
		current->row = corm_nested_document(&element);
		current->which.path = nowhere;
		corm_nested_read(write, target, &current->row->root, &current->which);
	}
}

/* Is this the row that has what an object gives of a key? */
static bool
has_key(const NestedObject *object, const NestedKey *key, Current *current)
{
	CormModel  *model = object->model;
	bool		any = false;

	for (int i = 0; i < key->n; i++)
	{
		int			field = key->fields[i];
		JsonbValue *given = &object->given[field];
		JsonbValue *has = &current->which.given[field];

		if (!corm_nested_is_given(object, field))
			continue;
		if (given->type == jbvNull || has->type == jbvNull ||
			!corm_nested_equal(&model->fields[field], corm_json_convert(model, field, given),
							   corm_json_convert(model, field, has)))
			return false;
		any = true;
	}
	return any;
}

/* Does an object give a key, but for what the columns give? */
static bool
gives_rest_of_key(const NestedObject *object, const NestedKey *key, const NestedColumns *columns)
{
	bool		any = false;

	for (int i = 0; i < key->n; i++)
	{
		int			field = key->fields[i];

		if (corm_nested_is_given(object, field) && object->given[field].type != jbvNull)
			any = true;
		else if (columns == NULL || corm_nested_find_column(columns, field) == NULL)
			return false;
	}
	return any;
}

/* Raises P0002: the relation does not show the row that an object names. */
static void no_such_child(NestedWrite *write, Change *change, const NestedObject *object,
						  const NestedKey *key) pg_attribute_noreturn();

static void
no_such_child(NestedWrite *write, Change *change, const NestedObject *object, const NestedKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("relation \"%s\" of model \"%s\" has no row with the key %s", change->relation->name,
					change->model->name, corm_nested_key_text(object, key)),
			 errdetail("It is named at %s.", corm_nested_path(write))));
}

/* Raises P0002: an object to update names no row that the relation shows. */
static void no_key(NestedWrite *write, Change *change) pg_attribute_noreturn();

static void
no_key(NestedWrite *write, Change *change)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no key names the row of relation \"%s\" of model \"%s\" to update",
					change->relation->name, change->model->name),
			 errdetail("It is at %s.", corm_nested_path(write))));
}

/* Raises 21000: the document names a row that it has named before. */
static void named_twice(NestedWrite *write, Change *change) pg_attribute_noreturn();

static void
named_twice(NestedWrite *write, Change *change)
{
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("a row of relation \"%s\" of model \"%s\" is named twice", change->relation->name,
					change->model->name),
			 errdetail("The second time, it is at %s.", corm_nested_path(write))));
}

/* Marks a row as named by the document.  Raises 21000 if it has been named before. */
static void
mark_named(NestedWrite *write, Change *change, Current *current)
{
	if (current->named)
		named_twice(write, change);
	current->named = true;
}

/*
 * Returns the row that an object names by a key, or NULL if it names none.  Raises P0002 if
 * it gives the whole primary key, and the relation has no row with that.
 */
static Current *
find_current(NestedWrite *write, Change *change, const NestedObject *object, const NestedColumns *columns)
{
	CormModel  *target = change->target;
	ListCell   *lc;

	foreach(lc, corm_nested_keys(write, target))
	{
		NestedKey  *key = lfirst(lc);

		if (!gives_rest_of_key(object, key, columns))
			continue;
		for (int i = 0; i < change->n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (has_key(object, key, &change->current[i]))
			{
				mark_named(write, change, &change->current[i]);
				return &change->current[i];
			}
		}
		if (foreach_current_index(lc) == 0 && target->npk > 0)
			no_such_child(write, change, object, key);
	}
	return NULL;
}

/*
 * corm_nested_naming_key returns the key by which an object surely names a row: the primary
 * key, or the only unique key that it gives.  NULL if there is none.
 */
const NestedKey *
corm_nested_naming_key(NestedWrite *write, const NestedObject *object, const NestedColumns *columns)
{
	const NestedKey *found = NULL;
	ListCell   *lc;

	foreach(lc, corm_nested_keys(write, object->model))
	{
		if (!gives_rest_of_key(object, lfirst(lc), columns))
			continue;
		if (foreach_current_index(lc) == 0 && object->model->npk > 0)
			return lfirst(lc);
		if (found)
			return NULL;
		found = lfirst(lc);
	}
	return found;
}

/* Does an object give the version of its row? */
static bool
gives_version(const NestedObject *object)
{
	CormModel  *model = object->model;

	return model->version >= 0 && model->version < model->nfields && !model->fields[model->version].primary_key &&
		corm_nested_is_given(object, model->version);
}

/* Makes a copy of an object that does not give the version. */
static void
without_version(const NestedObject *object, NestedObject *copy)
{
	CormModel  *model = object->model;

	*copy = *object;
	if (!gives_version(object))
		return;
	copy->given = palloc(sizeof(JsonbValue) * model->nfields);
	memcpy(copy->given, object->given, sizeof(JsonbValue) * model->nfields);
	copy->given[model->version].type = jbvBinary;
	copy->given[model->version].val.binary.data = NULL;
	copy->ngiven--;
}

/*
 * Returns the row that an object, which must be exactly a key, but for the version, stands
 * for.  Raises P0002 if the relation has no such row.
 */
static Current *
find_by_key(NestedWrite *write, Change *change, const NestedObject *given, const NestedColumns *columns)
{
	CormModel  *target = change->target;
	const NestedKey *key = &change->key;
	bool		is_primary = given->members == NIL && corm_nested_gives_primary_key(given, columns);
	NestedObject exact;
	const NestedObject *object = &exact;

	without_version(given, &exact);
	for (int i = 0; i < target->nfields && is_primary; i++)
	{
		is_primary = !corm_nested_is_given(object, i) || target->fields[i].primary_key ||
			(columns && corm_nested_find_column(columns, i));
	}
	if (!is_primary)
		key = corm_nested_require_key(write, object);
	for (int i = 0; i < change->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (has_key(object, key, &change->current[i]))
		{
			mark_named(write, change, &change->current[i]);
			return &change->current[i];
		}
	}
	no_such_child(write, change, object, key);
}

/*
 * Taking rows away
 */

/*
 * Makes what changes nothing of a row, or checks its version, if an object gives that.
 * object may be NULL.
 */
static void
init_update(NestedWrite *write, Change *change, Current *current, const NestedObject *object,
			NestedUpdate *update)
{
	int			version = change->target->version;
	NestedObject *nothing = palloc(sizeof(NestedObject));

	corm_nested_empty_object(change->target, write->path, nothing);
	*update = (NestedUpdate)
	{
		.which = &current->which, .key = &change->key, .object = nothing, .any_version = true
	};
	if (object && gives_version(object))
	{
		nothing->given[version] = object->given[version];
		nothing->ngiven++;
		update->any_version = false;
	}
}

/*
 * Raises OR010 if a row has another version than an object gives, which may give none.
 */
static void
check_version(NestedWrite *write, Change *change, Current *current, const NestedObject *object)
{
	NestedUpdate update;

	init_update(write, change, current, object, &update);
	if (!update.any_version)
		(void) corm_nested_update(write, &update);
}

/*
 * Deletes a row, or unlinks it.  Raises OR010 if it has another version than object gives;
 * object may be NULL.
 */
static void
take_away(NestedWrite *write, Change *change, Current *current, const NestedObject *object, bool delete)
{
	NestedUpdate update;

	init_update(write, change, current, object, &update);
	if (change->relation->kind != CORM_MANY_TO_MANY)
		update.fixed = &change->in.columns;
	if (!delete && change->unlink)
	{
		update.nulls = change->unlink;
		(void) corm_nested_update(write, &update);
	}
	else if (!corm_nested_delete(write, &update))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("row of model \"%s\" with %s cannot be deleted", change->target->name,
						corm_nested_key_text(&current->which, &change->key)),
				 errdetail("At %s: a trigger, a rule or a row-level security policy has suppressed the deletion, or the row is gone.",
						   corm_nested_path(write))));
	current->named = true;
}

/*
 * Rows that reference the row: has_one, has_many
 */

/* Does the row belong to no other one, so that it may be linked to this one? */
static bool
is_unlinked(Change *change, Jsonb *row)
{
	int			i = -1;
	Datum		value;

	while ((i = bms_next_member(change->unlink, i)) >= 0)
	{
		if (corm_nested_value(change->target, row, i, &value))
			return false;
	}
	return true;
}

/*
 * Links an existing row that belongs to none.  Returns false if the object is not exactly a
 * key, or rows cannot be unlinked: then it is a new row.  Raises 21000 if it has been named
 * before.
 */
static bool
adopt(NestedWrite *write, Change *change, NestedObject *object, Jsonb **result)
{
	const NestedKey *key = change->unlink ? corm_nested_exact_key(write, object) : NULL;
	NestedUpdate update = {.which = object, .key = key, .object = object, .columns = &change->in.columns,
	.any_version = true};
	Jsonb	   *row;

	if (key == NULL)
		return false;
	for (int i = 0; i < change->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (change->current[i].named && has_key(object, key, &change->current[i]))
			named_twice(write, change);
	}
	row = corm_nested_find_one(write, object, key, bms_copy(change->unlink), true);
	corm_nested_same_model(change->target);
	if (row == NULL)
		corm_nested_no_row(write, object, key);
	if (!is_unlinked(change, row))
		no_such_child(write, change, object, key);
	*result = corm_nested_update(write, &update);
	return true;
}

/*
 * Changes the rows that exist and writes the others, in one statement if they hold no
 * relations.
 */
static void
write_named(NestedWrite *write, Change *change, Named *named, int n, const NestedPath *path)
{
	NestedObject *objects = palloc(sizeof(NestedObject) * Max(n, 1));
	Jsonb	  **rows = palloc(sizeof(Jsonb *) * Max(n, 1));
	int			nnew = 0;
	int			nrows = 0;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (named[i].current)
		{
			write->path = &named[i].object.path;
			named[i].result = corm_nested_patch(write, &named[i].object, &named[i].current->which, &change->key,
												&change->in);
			corm_nested_same_model(change->target);
		}
		else if (named[i].result == NULL)
			objects[nnew++] = named[i].object;
	}
	write->path = path;
	if (nnew > 0)
		nrows = corm_nested_write_rows(write, change->target, objects, nnew, &change->in, &change->in.columns, false,
									   rows);
	corm_nested_same_model(change->model);

	/*
	 * rows that a trigger has suppressed are missing: then it is unknown
	 * which
	 */
	nnew = 0;
	for (int i = 0; i < n; i++)
	{
		if (named[i].result == NULL && nnew < nrows)
			named[i].result = rows[nnew++];
		if (named[i].result)
			change->results = lappend(change->results, named[i].result);
	}
}

/* Does what one part of the document wants. */
static void
change_children(NestedWrite *write, Change *change, NestedPart *part)
{
	const NestedColumns *columns = &change->in.columns;
	NestedPath *paths;
	JsonbValue *elements;
	Named	   *named;
	int			n;

	write->path = &part->path;
	elements = corm_nested_elements(write, change->model, &part->member, &part->path, &n, &paths);
	named = palloc0(sizeof(Named) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		NestedObject *object = &named[i].object;

		CHECK_FOR_INTERRUPTS();
		write->path = &paths[i];
		object->path = paths[i];
		corm_nested_read(write, change->target, elements[i].val.binary.data, object);
		corm_nested_check_given(write, object, columns);
		switch (part->change)
		{
			case NESTED_NAME:
			case NESTED_SET:
				named[i].current = find_current(write, change, object, columns);
				/* a has_one needs no key */
				if (named[i].current == NULL && change->relation->kind == CORM_HAS_ONE && change->n > 0)
				{
					named[i].current = &change->current[0];
					mark_named(write, change, named[i].current);
				}
				break;
			case NESTED_UPDATE:
				named[i].current = find_current(write, change, object, columns);
				if (named[i].current == NULL)
					no_key(write, change);
				break;
			case NESTED_ADD:
				(void) adopt(write, change, object, &named[i].result);
				break;
			case NESTED_REMOVE:
			case NESTED_DELETE:
				take_away(write, change, find_by_key(write, change, object, columns), object,
						  part->change == NESTED_DELETE);
				break;
		}
	}
	write->path = &part->path;
	if (part->change == NESTED_REMOVE || part->change == NESTED_DELETE)
		return;
	if (part->change == NESTED_SET)
	{
		for (int i = 0; i < change->n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!change->current[i].named)
				take_away(write, change, &change->current[i], NULL, false);
		}
	}
	write_named(write, change, named, n, &part->path);
}

/*
 * Rows that are linked to the row: many_to_many
 */

/* Returns the link to a row that the relation shows. */
static Link
link_to(NestedWrite *write, Change *change, Current *current)
{
	LinkSet		set;

	corm_links_init(&set, write, change->model, change->row, change->relation, change->condition, 1);
	corm_links_add(&set, write, change->target, current->row, write->path);
	return set.links[0];
}

/*
 * May an object, which is not exactly a key, stand for a row that the relation shows?  One
 * to add does so only by the primary key.
 */
static bool
names_child(const NestedPart *part, const NestedTarget *target)
{
	if (target->or_create)
		return false;
	return part->change != NESTED_ADD || corm_nested_gives_primary_key(&target->object, NULL);
}

/*
 * Does what one part of the document wants.  old are the links that there are.
 */
static void
change_linked(NestedWrite *write, Change *change, NestedPart *part, LinkSet *old)
{
	CormRelation *relation = change->relation;
	CormModel  *target = change->target;
	NestedPath *paths;
	JsonbValue *elements;
	NestedTarget *targets;
	Current   **linked;
	Link	   *gone;
	LinkSet		wanted;
	int			n;
	int			ngone = 0;

	write->path = &part->path;
	elements = corm_nested_elements(write, change->model, &part->member, &part->path, &n, &paths);
	targets = palloc0(sizeof(NestedTarget) * Max(n, 1));
	linked = palloc0(sizeof(Current *) * Max(n, 1));
	gone = palloc(sizeof(Link) * Max(Max(n, old->n), 1));
	for (int i = 0; i < n; i++)
	{
		NestedTarget *one = &targets[i];

		CHECK_FOR_INTERRUPTS();
		write->path = &paths[i];
		corm_nested_read_target(write, relation, target, &elements[i], &paths[i], one);
		if (part->change == NESTED_REMOVE || part->change == NESTED_DELETE)
		{
			linked[i] = find_by_key(write, change, &one->object, NULL);
			if (part->change == NESTED_REMOVE)
				check_version(write, change, linked[i], &one->object);
			gone[ngone++] = link_to(write, change, linked[i]);
		}
		else if (part->change == NESTED_UPDATE || (one->key == NULL && names_child(part, one)))
		{
			linked[i] = find_current(write, change, &one->object, NULL);
			if (linked[i] == NULL && part->change == NESTED_UPDATE)
				no_key(write, change);
		}
	}
	write->path = &part->path;
	if (part->change == NESTED_REMOVE || part->change == NESTED_DELETE)
	{
		LinkSet    *unlinked = corm_links_subset(old, gone, ngone);

		if (ngone > 0)
			(void) corm_links_delete(old, gone, ngone);
		/* a later part may link new rows with the keys of deleted ones */
		corm_links_forget(old, unlinked);
		if (part->change == NESTED_REMOVE)
			change->unlinked = unlinked;
		for (int i = 0; i < n && part->change == NESTED_DELETE; i++)
		{
			write->path = &paths[i];
			take_away(write, change, linked[i], &targets[i].object, true);
		}
		return;
	}

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (linked[i] == NULL)
			continue;
		write->path = &paths[i];
		targets[i].row = linked[i]->row;
		targets[i].shown = corm_nested_patch(write, &targets[i].object, &linked[i]->which, &change->key, NULL);
		corm_nested_same_model(target);
	}
	write->path = &part->path;
	corm_links_init(&wanted, write, change->model, change->row, relation, change->condition, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (linked[i] == NULL)
			corm_nested_targets(write, relation, target, &targets[i], 1, change->condition);
		corm_nested_same_model(change->model);
		write->path = &paths[i];
		corm_links_add(&wanted, write, target, targets[i].row, &paths[i]);
		if (change->unlinked && corm_links_has(change->unlinked, &wanted.links[i]))
			named_twice(write, change);
		write->path = &part->path;
	}
	corm_links_finish(&wanted);
	for (int i = 0; i < n; i++)
	{
		if (!wanted.repeated[i])
			change->results = lappend(change->results, targets[i].shown);
	}
	for (int i = 0; i < old->n && part->change == NESTED_SET; i++)
	{
		if (!corm_links_has(&wanted, &old->links[i]))
			gone[ngone++] = old->links[i];
	}
	if (ngone > 0)
		(void) corm_links_delete(old, gone, ngone);
	(void) corm_links_add_missing(old, write, &wanted);
}

/*
 * Changes the rows of a relation as a member of the document wants.
 */
static void
change_related(NestedWrite *write, CormModel *model, Jsonb *row, NestedMember *member,
			   const NestedCondition *condition)
{
	CormRelation *relation = member->relation;
	Change		change = {model, row, relation, condition->target.model, condition};
	NestedPath *path = palloc(sizeof(NestedPath));
	LinkSet		old;
	List	   *parts;
	ListCell   *lc;
	Jsonb	  **rows;
	int			n;

	*path = (NestedPath)
	{
		write->path, member->name
	};
	write->path = path;
	CORM_FAULT("patch-member");
	corm_nested_same_model(change.target);
	if (relation->kind == CORM_HAS_ONE)
	{
		/* null is no row; an object is an array of one */
		NestedPart *part = palloc0(sizeof(NestedPart));

		part->change = member->value.type == jbvNull ? NESTED_SET : NESTED_NAME;
		part->member = *member;
		part->path = *path;
		if (member->value.type == jbvNull)
			corm_nested_value_of(corm_json_array(NULL, 0), &part->member.value);
		parts = list_make1(part);
	}
	else
		parts = corm_nested_parts(write, model, member, path);
	corm_nested_check_row(write, &condition->own, row);

	if (relation->kind == CORM_MANY_TO_MANY)
		corm_links_read(&old, write, model, row, relation, condition);
	else
	{
		change.in.relation = relation;
		change.in.model = model;
		change.in.row = row;
		corm_nested_columns_copy(&change.in.columns, &condition->target);
		corm_nested_flow(write, &change.in.columns, relation->target_columns, model, row, relation->columns,
						 relation->nkeys, corm_nested_by_relation(relation));
		change.unlink = unlinked_fields(change.target, relation->target_columns, relation->nkeys);
	}
	read_current(write, &change);
	foreach(lc, parts)
	{
		if (relation->kind == CORM_MANY_TO_MANY)
			change_linked(write, &change, lfirst(lc), &old);
		else
			change_children(write, &change, lfirst(lc));
		write->path = path;
		corm_nested_same_model(model);
		corm_nested_same_model(change.target);
	}
	n = list_length(change.results);
	if (!condition->whole)
		corm_nested_check_related(write, model, row, relation, n);

	rows = palloc(sizeof(Jsonb *) * Max(n, 1));
	foreach(lc, change.results)
	{
		rows[foreach_current_index(lc)] = lfirst(lc);
	}
	if (relation->kind != CORM_HAS_ONE)
		member->result = corm_json_array(rows, n);
	else if (n > 0)
		member->result = rows[0];
	write->path = path->up;
}

/*
 * Rows that the row references: belongs_to
 */

/*
 * Returns the row with the key that an object gives, if it is the one that the row
 * references now; else NULL.
 */
static Jsonb *
present_parent(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation,
			   const NestedObject *object, const NestedKey *key)
{
	CormModel  *parent = object->model;
	Bitmapset  *fields = NULL;
	Jsonb	   *found;

	for (int i = 0; i < relation->nkeys; i++)
	{
		fields = bms_add_member(fields, corm_nested_field(parent, relation->target_columns[i]));
	}
	found = corm_nested_find_one(write, object, key, fields, false);
	corm_nested_same_model(model);
	corm_nested_same_model(parent);
	for (int i = 0; i < relation->nkeys && found; i++)
	{
		int			from = corm_nested_field(parent, relation->target_columns[i]);
		int			to = corm_nested_field(model, relation->columns[i]);
		Datum		theirs;
		Datum		ours;

		if (!corm_nested_value(parent, found, from, &theirs) || !corm_nested_value(model, row, to, &ours) ||
			!corm_nested_equal(&model->fields[to], ours,
							   corm_nested_convert(&parent->fields[from], &model->fields[to], theirs)))
			found = NULL;
	}
	return found;
}

/*
 * Changes the row that the row references now, if the object names it by a key.  Returns
 * false if it does not, and so stands for a new row.  Raises P0002 if it names another one
 * by the primary key.
 */
static bool
change_parent(NestedWrite *write, CormModel *model, Jsonb *row, CormRelation *relation, NestedTarget *target)
{
	NestedObject *object = &target->object;
	ListCell   *lc;

	foreach(lc, corm_nested_keys(write, object->model))
	{
		NestedKey  *key = lfirst(lc);

		if (!corm_nested_gives_key(object, key, true))
			continue;
		target->row = present_parent(write, model, row, relation, object, key);
		if (target->row)
		{
			target->shown = corm_nested_patch(write, object, object, key, NULL);
			return true;
		}
		if (foreach_current_index(lc) == 0 && object->model->npk > 0)
			ereport(ERROR,
					(errcode(ERRCODE_NO_DATA_FOUND),
					 errmsg("relation \"%s\" of model \"%s\" does not lead to the row with the key %s",
							relation->name, model->name, corm_nested_key_text(object, key)),
					 errdetail("It is named at %s.", corm_nested_path(write)),
					 errhint("Give the key alone to refer to another row.")));
	}
	return false;
}

/*
 * Finds, changes or writes the row that a relation is to lead to, and adds its key to the
 * columns.
 */
static void
set_parent(NestedWrite *write, CormModel *model, Jsonb *row, NestedMember *member, NestedCondition *condition,
		   NestedColumns *columns)
{
	CormRelation *relation = member->relation;
	NestedPath	path = {write->path, member->name};
	NestedTarget target;

	write->path = &path;
	corm_nested_same_model(condition->target.model);
	for (int i = 0; i < condition->own.n; i++)
	{
		corm_nested_set(write, columns, condition->own.items[i].field, condition->own.items[i].value,
						condition->own.items[i].by);
	}
	corm_nested_read_target(write, relation, condition->target.model, &member->value, &path, &target);
	if (target.key || target.or_create || !change_parent(write, model, row, relation, &target))
		corm_nested_targets(write, relation, condition->target.model, &target, 1, condition);
	corm_nested_same_model(model);
	corm_nested_same_model(condition->target.model);
	member->result = target.shown;
	write->path = path.up;
	corm_nested_flow(write, columns, relation->columns, condition->target.model, target.row,
					 relation->target_columns, relation->nkeys, corm_nested_by_relation(relation));
}

/* Returns the fields that become null because a relation is to lead nowhere. */
static Bitmapset *
unset_parent(NestedWrite *write, CormModel *model, const NestedMember *member)
{
	CormRelation *relation = member->relation;
	Bitmapset  *fields = unlinked_fields(model, relation->columns, relation->nkeys);

	if (fields == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("relation \"%s\" of model \"%s\" cannot be null", relation->name, model->name),
				 errdetail("At %s, it is null, but none of its columns can be.", corm_nested_path(write))));
	return fields;
}

/* Returns how many relations to one, of which the document gives a row, use a column. */
static int
relations_given(const NestedObject *object, const char *column)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);

		n += member->relation->kind == CORM_BELONGS_TO && member->value.type != jbvNull &&
			is_column_of(member->relation, column);
	}
	return n;
}

/*
 * Raises OR013 if a row is to reference one that has another value in a column, such as a
 * tenant's, that relations of which the document says nothing use too.
 */
static void
check_shared(NestedWrite *write, const NestedObject *object, CormRelation *relation, Jsonb *row,
			 const NestedColumns *columns)
{
	CormModel  *model = object->model;

	for (int i = 0; i < relation->nkeys; i++)
	{
		int			field = corm_nested_field(model, relation->columns[i]);
		NestedColumn *column = corm_nested_find_column(columns, field);
		Datum		value;

		if (corm_nested_is_given(object, field) || relations_given(object, relation->columns[i]) > 1 ||
			!is_shared(model, relation->columns, relation->nkeys, relation->columns[i]))
			continue;
		if (column && corm_nested_value(model, row, field, &value) &&
			!corm_nested_equal(&model->fields[field], column->value, value))
			corm_nested_contradiction(write, model, field, column->by,
									  corm_nested_text(&model->fields[field], column->value), "the row",
									  corm_nested_text(&model->fields[field], value));
	}
}

/*
 * The row
 */

/* Raises 22023 unless the value of a relation is of a kind that it takes. */
static void
check_kind(NestedWrite *write, CormModel *model, const NestedMember *member)
{
	bool		to_one = member->relation->kind == CORM_BELONGS_TO || member->relation->kind == CORM_HAS_ONE;

	if (to_one && member->value.type != jbvNull && !corm_nested_is_object(&member->value))
		corm_nested_wrong_kind(write, model, member->relation, "an object or null");
}

/* Returns the row, locked, with the fields that its relations need. */
static Jsonb *
lock_row(NestedWrite *write, const NestedObject *object, const NestedObject *which, const NestedKey *key)
{
	CormModel  *model = object->model;
	Bitmapset  *fields = NULL;
	ListCell   *lc;

	for (int i = 0; i < key->n; i++)
	{
		fields = bms_add_member(fields, key->fields[i]);
	}
	for (int i = 0; i < model->npk; i++)
	{
		if (model->pk[i] < model->nfields)
			fields = bms_add_member(fields, model->pk[i]);
	}
	foreach(lc, object->members)
	{
		CormRelation *relation = ((NestedMember *) lfirst(lc))->relation;

		for (int i = 0; i < relation->nkeys; i++)
		{
			fields = bms_add_member(fields, corm_nested_field(model, relation->columns[i]));
		}
	}
	return corm_nested_lock(write, which, key, fields);
}

/*
 * corm_nested_patch changes the row with a key, and its related rows, as an object says.
 * in is the row that it is nested in, or NULL.  Returns the row, with the related rows that
 * were changed or written.
 */
Jsonb *
corm_nested_patch(NestedWrite *write, NestedObject *object, const NestedObject *which, const NestedKey *key,
				  const NestedIn *in)
{
	CormModel  *model = object->model;
	const NestedPath *path = write->path;
	NestedColumns columns;
	NestedUpdate update = {.which = which, .key = key, .object = object, .columns = &columns};
	NestedCondition *conditions = palloc0(sizeof(NestedCondition) * Max(list_length(object->members), 1));
	Jsonb	   *row = NULL;
	ListCell   *lc;
	int			i = -1;

	check_stack_depth();
	write->path = &object->path;
	corm_nested_columns_init(&columns, model);
	if (in)
		update.fixed = &in->columns;
	if (object->members != NIL)
		row = lock_row(write, object, which, key);
	CORM_FAULT("patch-locked");
	corm_nested_same_model(model);

	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);
		NestedCondition *condition = &conditions[foreach_current_index(lc)];

		check_kind(write, model, member);
		if (corm_nested_leads_back(member->relation, in))
		{
			if (member->value.type != jbvNull)
				corm_nested_check_back(write, member, in);
			continue;
		}
		corm_nested_condition(model, member->relation, condition);
		if (member->relation->kind != CORM_BELONGS_TO)
			continue;
		if (member->value.type == jbvNull)
			update.nulls = bms_add_members(update.nulls, unset_parent(write, model, member));
		else
		{
			set_parent(write, model, row, member, condition, &columns);
			check_shared(write, object, member->relation, row, &columns);
		}
	}
	corm_nested_check_given(write, object, &columns);
	/* null for one relation does not take away what something else gives */
	while ((i = bms_next_member(update.nulls, i)) >= 0)
	{
		if (corm_nested_find_column(&columns, i) || corm_nested_is_given(object, i) ||
			(in && corm_nested_find_column(&in->columns, i)))
			update.nulls = bms_del_member(bms_copy(update.nulls), i);
	}

	row = corm_nested_update(write, &update);
	CORM_FAULT("patch-updated");
	corm_nested_same_model(model);
	if (in)
		corm_nested_check_row(write, &in->columns, row);
	foreach(lc, object->members)
	{
		NestedMember *member = lfirst(lc);
		NestedCondition *condition = &conditions[foreach_current_index(lc)];

		if (condition->target.model == NULL)
			continue;
		if (member->relation->kind != CORM_BELONGS_TO)
			change_related(write, model, row, member, condition);
		else if (member->value.type != jbvNull && !condition->whole)
			corm_nested_check_related(write, model, row, member->relation, 1);
		corm_nested_same_model(model);
	}
	write->path = path;
	return corm_nested_with_members(row, object);
}
