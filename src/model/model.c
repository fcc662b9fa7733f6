/*-------------------------------------------------------------------------
 *
 * model.c
 *		Questions to a model, and the answer when a name is unknown.
 *
 * Nothing here looks at the catalogs: a CormModel holds all that is asked.
 * How a model is copied is here, too, beside what it consists of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "model/model.h"
#include "model/naming.h"
#include "model/nearest.h"
#include "model/tags.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define MAX_LISTED_FIELDS		20

const char *const corm_role_names[CORM_NUM_ROLES] =
{
	"soft_delete", "version", "created_at", "updated_at"
};

static CormField *find_exactly(CormModel *model, const char *name);
static char *copy_string(const char *string);

/*
 * find_exactly returns the field with this name, else the one with this
 * column, else the one with this JSON key, else NULL.
 */
static CormField *
find_exactly(CormModel *model, const char *name)
{
	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].name, name) == 0)
			return &model->fields[i];
	}
	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].column, name) == 0)
			return &model->fields[i];
	}
	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].json_key, name) == 0)
			return &model->fields[i];
	}
	return NULL;
}

/*
 * corm_model_has_field returns whether a name is that of a field or of its
 * column, exactly.
 */
bool
corm_model_has_field(CormModel *model, const char *name)
{
	for (int i = 0; i < model->nfields; i++)
	{
		if (strcmp(model->fields[i].name, name) == 0 || strcmp(model->fields[i].column, name) == 0)
			return true;
	}
	return false;
}

/*
 * corm_model_find_field returns the field that name means, or NULL: its name,
 * its column, its key in JSON, or a CamelCase spelling of one of these.
 */
CormField *
corm_model_find_field(CormModel *model, const char *name)
{
	CormField  *field = find_exactly(model, name);

	/* No field's name is longer, so do not fold a megabyte of garbage. */
	if (field == NULL && strlen(name) < 2 * NAMEDATALEN)
	{
		char	   *snake = corm_underscore_name(name);

		if (strcmp(snake, name) != 0)
			field = find_exactly(model, snake);
		pfree(snake);
	}

	return field;
}

/*
 * corm_model_field returns the field that name means, or raises 42703.
 */
CormField *
corm_model_field(CormModel *model, const char *name)
{
	CormField  *field = corm_model_find_field(model, name);

	if (field == NULL)
		corm_unknown_field(model, name);
	return field;
}

/*
 * hint_for_sql returns what to write instead of a field's name with an order or
 * an alias behind it, as SQL has them, or NULL.
 */
static char *
hint_for_sql(CormModel *model, const char *name)
{
	const char *blank = strchr(name, ' ');
	CormField  *field;
	char	   *word;

	if (blank == NULL)
		return NULL;
	word = pnstrdup(name, blank - name);
	field = corm_model_find_field(model, word);
	while (*blank == ' ')
		blank++;
	if (field == NULL || field->hidden)
		return NULL;
	if (pg_strcasecmp(blank, "desc") == 0)
		return psprintf("Write '-%s' or corm.desc('%s').", word, word);
	if (pg_strcasecmp(blank, "asc") == 0)
		return psprintf("Write '%s' or corm.asc('%s').", word, word);
	if (pg_strncasecmp(blank, "as ", 3) == 0)
		return psprintf("Write corm.as('%s', '%s').", word, blank + 3);
	return NULL;
}

/*
 * corm_unknown_field raises 42703 for a name that is no field of model.  The
 * hint names the nearest field, or all of them when none is near; never a
 * hidden one.
 */
void
corm_unknown_field(CormModel *model, const char *name)
{
	CormNearest nearest;
	char	   *hint = hint_for_sql(model, name);
	int			nshown = 0;

	corm_nearest_init(&nearest, name);
	for (int i = 0; i < model->nfields; i++)
	{
		if (model->fields[i].hidden)
			continue;
		nshown++;
		corm_nearest_offer(&nearest, model->fields[i].name);
		corm_nearest_offer(&nearest, model->fields[i].column);
	}

	if (hint != NULL)
		;
	else if (nearest.name != NULL)
		hint = psprintf("Perhaps you meant the field \"%s\".", nearest.name);
	else if (nshown > 0)
	{
		StringInfoData buf;
		int			n = 0;

		initStringInfo(&buf);
		appendStringInfoString(&buf, "The model has the fields ");
		for (int i = 0; n < Min(nshown, MAX_LISTED_FIELDS); i++)
		{
			if (!model->fields[i].hidden)
				appendStringInfo(&buf, "%s\"%s\"", n++ > 0 ? ", " : "", model->fields[i].name);
		}
		appendStringInfoString(&buf, nshown > MAX_LISTED_FIELDS ? ", and more." : ".");
		hint = buf.data;
	}
	else
		hint = "The model has no fields.";

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("unknown field \"%s\" of model \"%s\"", name, model->name),
			 errhint("%s", hint)));
}

/*
 * corm_model_shows returns whether a field of the model's table with this
 * column, if there is one, is shown to the current user: hidden ones are shown
 * to the table's owner alone.
 */
bool
corm_model_shows(CormModel *model, const char *column)
{
	for (int i = 0; i < model->nfields + model->nunnamed; i++)
	{
		if (model->fields[i].hidden && strcmp(model->fields[i].column, column) == 0)
			return corm_owns_relation(OidIsValid(model->table) ? model->table : model->relid, GetUserId());
	}
	return true;
}

/*
 * corm_model_field_by_rownum returns the field that attribute rownum of the
 * model's row type holds, or NULL for a dropped or untagged-out attribute.
 */
CormField *
corm_model_field_by_rownum(CormModel *model, AttrNumber rownum)
{
	int			last = Min(rownum, model->nfields);

	/* Fields are in the order of the row type, of which some may be missing. */
	for (int i = last - 1; i >= 0; i--)
	{
		if (model->fields[i].rownum == rownum)
			return &model->fields[i];
		if (model->fields[i].rownum < rownum)
			break;
	}
	return NULL;
}

/*
 * corm_model_role returns where model keeps the index of a role's field.
 */
int *
corm_model_role(CormModel *model, CormRole role)
{
	switch (role)
	{
		case CORM_ROLE_SOFT_DELETE:
			return &model->soft_delete;
		case CORM_ROLE_VERSION:
			return &model->version;
		case CORM_ROLE_CREATED_AT:
			return &model->created_at;
		case CORM_ROLE_UPDATED_AT:
			return &model->updated_at;
	}
	pg_unreachable();
}

/*
 * corm_role_expects returns NULL if a field of a base type can have a role,
 * else the types that it could be of.
 */
const char *
corm_role_expects(CormRole role, Oid type)
{
	switch (role)
	{
		case CORM_ROLE_VERSION:
			return (type == INT2OID || type == INT4OID || type == INT8OID) ? NULL :
				"smallint, integer or bigint";
		case CORM_ROLE_SOFT_DELETE:
			return (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID || type == BOOLOID) ? NULL :
				"timestamp with time zone, timestamp, date or boolean";
		default:
			return (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID) ? NULL :
				"timestamp with time zone, timestamp or date";
	}
}

/*
 * corm_model_require_table raises 42809 for a composite type that is not
 * mapped to a table.
 */
void
corm_model_require_table(CormModel *model)
{
	if (!OidIsValid(model->table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("type %s is not mapped to a table", format_type_be(model->typid)),
				 errhint("Name the table with COMMENT ON TYPE %s IS '@orm:table=...', or with corm.register.",
						 format_type_be(model->typid))));
}

/*
 * corm_model_require_pk raises OR011 unless a record of the model's row type
 * says which row of the table it is: there is a primary key, and the row type
 * has all of it.
 */
void
corm_model_require_pk(CormModel *model)
{
	if (model->npk == 0)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_NO_PRIMARY_KEY),
				 errmsg("model \"%s\" has no primary key", model->name),
				 errhint("Add a primary key to %s, or mark the identifying columns with the tag \"@orm:primary_key\".",
						 quote_qualified_identifier(model->table_schema, model->table_name))));

	for (int i = 0; i < model->npk; i++)
	{
		CormField  *field = &model->fields[model->pk[i]];

		if (field->rownum == 0)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_NO_PRIMARY_KEY),
					 errmsg("model \"%s\" has no field for the primary key column \"%s\"",
							model->name, field->column),
					 errhint("Add an attribute for that column to the type.")));
	}
}

/*
 * copy_string copies a string that may be NULL.
 */
static char *
copy_string(const char *string)
{
	return string ? pstrdup(string) : NULL;
}

/*
 * corm_model_copy copies a model into a new memory context, a child of parent.
 */
CormModel *
corm_model_copy(const CormModel *model, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "corm model", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int			nfields = model->nfields + model->nunnamed;
	CormModel  *copy = palloc(sizeof(CormModel));

	*copy = *model;
	copy->context = context;
	copy->tupdesc_context = NULL;
	copy->hooks = NULL;
	copy->relations = NULL;
	copy->name = pstrdup(model->name);
	copy->table_schema = copy_string(model->table_schema);
	copy->table_name = copy_string(model->table_name);
	MemoryContextSetIdentifier(context, copy->name);

	copy->fields = palloc(sizeof(CormField) * Max(nfields, 1));
	for (int i = 0; i < nfields; i++)
	{
		CormField  *field = &copy->fields[i];
		ListCell   *lc;

		*field = model->fields[i];
		field->name = pstrdup(field->name);
		field->json_key = pstrdup(field->json_key);
		field->column = pstrdup(field->column);
		field->tags = NIL;
		foreach(lc, model->fields[i].tags)
		{
			CormTag    *tag = palloc(sizeof(CormTag));

			tag->key = pstrdup(((CormTag *) lfirst(lc))->key);
			tag->value = copy_string(((CormTag *) lfirst(lc))->value);
			field->tags = lappend(field->tags, tag);
		}
	}

	copy->pk = palloc(sizeof(int) * Max(model->npk, 1));
	memcpy(copy->pk, model->pk, sizeof(int) * model->npk);
	copy->tupdesc = CreateTupleDescCopy(model->tupdesc);
	copy->type_hashes = palloc(sizeof(uint32) * Max(model->ntypes, 1));
	memcpy(copy->type_hashes, model->type_hashes, sizeof(uint32) * model->ntypes);

	MemoryContextSwitchTo(old);
	return copy;
}
