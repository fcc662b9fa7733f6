/*-------------------------------------------------------------------------
 *
 * difference.c
 *		What is different between two states of a model.
 *
 * The comparison covers everything that a parse finds, but not what is looked
 * up at first use (hooks, relations).  Nothing here reads a catalog, because the
 * registry compares models at a time when it must not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/difference.h"
#include "model/tags.h"


static bool
same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/*
 * corm_row_type_difference returns what is different between two states of a
 * row type in what decides how the bytes of a row are read, as a sentence
 * that calls the type by name; NULL if it is the same.  may_grow: columns that were
 * added do not matter.
 */
char *
corm_row_type_difference(const char *name, TupleDesc before, TupleDesc now, bool may_grow)
{
	if (before->natts < now->natts && !may_grow)
		return psprintf("Column \"%s\" was added to \"%s\".",
						NameStr(TupleDescAttr(now, before->natts)->attname), name);
	if (before->natts > now->natts || before->tdtypeid != now->tdtypeid)
		return psprintf("\"%s\" was dropped and created again.", name);
	for (int i = 0; i < before->natts; i++)
	{
		Form_pg_attribute a = TupleDescAttr(before, i);
		Form_pg_attribute b = TupleDescAttr(now, i);

		if (a->attisdropped != b->attisdropped)
			return psprintf("Column \"%s\" of \"%s\" was dropped.",
							NameStr((a->attisdropped ? b : a)->attname), name);
		if (a->atttypid != b->atttypid || a->atttypmod != b->atttypmod || a->attlen != b->attlen ||
			a->attbyval != b->attbyval || a->attalign != b->attalign || a->attcollation != b->attcollation)
			return psprintf("The type of column \"%s\" of \"%s\" was changed.", NameStr(a->attname), name);
		if (strcmp(NameStr(a->attname), NameStr(b->attname)) != 0)
			return psprintf("Column \"%s\" of \"%s\" was renamed to \"%s\".",
							NameStr(a->attname), name, NameStr(b->attname));
	}
	return NULL;
}

/*
 * same_tags returns whether two lists of tags say the same in the same order.
 */
static bool
same_tags(List *a, List *b)
{
	ListCell   *la;
	ListCell   *lb;

	if (list_length(a) != list_length(b))
		return false;
	forboth(la, a, lb, b)
	{
		CormTag    *x = lfirst(la);
		CormTag    *y = lfirst(lb);

		if (!same_string(x->key, y->key) || !same_string(x->value, y->value))
			return false;
	}
	return true;
}

static bool
same_field(const CormField *a, const CormField *b)
{
	return same_string(a->name, b->name) && same_string(a->json_key, b->json_key) &&
		same_string(a->column, b->column) && a->rownum == b->rownum && a->attnum == b->attnum &&
		a->typid == b->typid && a->typmod == b->typmod && a->collation == b->collation &&
		a->not_null == b->not_null && a->has_default == b->has_default && a->identity == b->identity &&
		a->generated == b->generated && a->read_only == b->read_only &&
		a->primary_key == b->primary_key && a->filterable == b->filterable &&
		a->hidden == b->hidden && same_tags(a->tags, b->tags);
}

static char *
field_difference(const CormModel *before, const CormModel *now)
{
	if (before->nfields != now->nfields || before->nunnamed != now->nunnamed)
		return psprintf("The fields of model \"%s\" were changed.", before->name);
	for (int i = 0; i < before->nfields + before->nunnamed; i++)
		if (!same_field(&before->fields[i], &now->fields[i]))
			return psprintf("Field \"%s\" of model \"%s\" was changed.", before->fields[i].name, before->name);
	return NULL;
}

static bool
same_key(const CormModel *a, const CormModel *b)
{
	return a->npk == b->npk && memcmp(a->pk, b->pk, sizeof(int) * a->npk) == 0;
}

/*
 * corm_model_difference returns what is different between two states of a
 * model, as a sentence; NULL if they are the same.
 */
char *
corm_model_difference(const CormModel *before, const CormModel *now)
{
	char	   *difference = corm_row_type_difference(before->name, before->tupdesc, now->tupdesc, false);

	if (difference)
		return difference;
	if (before->table != now->table || before->relkind != now->relkind ||
		!same_string(before->table_schema, now->table_schema) || !same_string(before->table_name, now->table_name))
		return psprintf("The table of model \"%s\" was renamed or replaced.", before->name);
	for (int role = 0; role < CORM_NUM_ROLES; role++)
		if (*corm_model_role((CormModel *) before, role) != *corm_model_role((CormModel *) now, role))
			return psprintf("The field for \"%s\" of model \"%s\" was changed.",
							corm_role_names[role], before->name);
	if (!same_key(before, now))
		return psprintf("The primary key of model \"%s\" was changed.", before->name);
	difference = field_difference(before, now);
	if (difference)
		return difference;
	if (before->relid != now->relid || before->typid != now->typid || before->naming != now->naming ||
		before->registered != now->registered || !same_string(before->name, now->name) ||
		before->schema_hash != now->schema_hash || before->ntypes != now->ntypes ||
		memcmp(before->type_hashes, now->type_hashes, sizeof(uint32) * now->ntypes) != 0)
		return psprintf("The definition of model \"%s\" was changed.", before->name);
	return NULL;
}
