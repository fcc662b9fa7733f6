/*-------------------------------------------------------------------------
 *
 * draft.c
 *		A model in the making: what the row type says by itself.
 *
 * The first half of catalog.c's work, and the checks at its end.  A draft has
 * a field for each attribute, ignored ones too, because options may name any
 * of them; what a draft declares refers to fields by index until the ignored
 * ones are dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static void draft_role(CormDraft *draft, Relation rel, CormField *field, CormRole role);
static void check_not_ignored(CormDraft *draft, int i, const char *what);

/*
 * corm_column_description returns "column c of table t", for messages.
 */
char *
corm_column_description(Oid relid, AttrNumber attnum)
{
	ObjectAddress address;

	ObjectAddressSubSet(address, RelationRelationId, relid, attnum);
	return getObjectDescription(&address, false);
}

/*
 * draft_role notes that a field is tagged with a role.
 */
static void
draft_role(CormDraft *draft, Relation rel, CormField *field, CormRole role)
{
	CormTag    *tag = corm_tags_find(field->tags, corm_role_names[role]);

	if (tag == NULL || corm_tags_flag(field->tags, tag->key) == 0)
		return;

	if (draft->roles[role].declared)
		corm_tags_error(corm_column_description(RelationGetRelid(rel), field->rownum), tag,
						psprintf("Column \"%s\" has the same tag.",
								 draft->model->fields[draft->roles[role].field].column));
	draft->roles[role].declared = true;
	draft->roles[role].field = field - draft->model->fields;
	draft->roles[role].tag = tag;
}

/*
 * corm_draft_field adds the field of attribute attnum, by its tags, to the draft.
 */
void
corm_draft_field(CormDraft *draft, Relation rel, AttrNumber attnum, const char *comment)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	int			i = draft->model->nfields++;
	CormField  *field = &draft->model->fields[i];
	ObjectAddress address;

	field->name = pstrdup(NameStr(att->attname));
	field->column = field->name;
	field->rownum = attnum;
	field->filterable = true;
	if (comment == NULL)
		return;

	ObjectAddressSubSet(address, RelationRelationId, RelationGetRelid(rel), attnum);
	field->tags = corm_tags_read(comment, &address, CORM_TAG_COLUMN);
	if (field->tags == NIL)
		return;

	corm_tags_get(field->tags, "name", &field->name);
	corm_tags_get(field->tags, "column", &field->column);
	field->read_only = corm_tags_flag(field->tags, "read_only") == 1;
	field->filterable = corm_tags_flag(field->tags, "filterable") != 0;
	draft->ignored[i] = corm_tags_flag(field->tags, "-") == 1;

	if (strlen(field->name) >= NAMEDATALEN)
		corm_tags_error(corm_column_description(RelationGetRelid(rel), attnum),
						corm_tags_find(field->tags, "name"),
						psprintf("A name must be shorter than %d bytes.", NAMEDATALEN));
	if (corm_tags_flag(field->tags, "primary_key") == 1)
		draft->pk = lappend_int(draft->pk, i);
	for (int role = 0; role < CORM_NUM_ROLES; role++)
		draft_role(draft, rel, field, role);
}

/*
 * check_not_ignored raises OR005 or OR006 if the field with index i, which
 * what (a role, or primary_key) refers to, is ignored.
 */
static void
check_not_ignored(CormDraft *draft, int i, const char *what)
{
	CormField  *field = &draft->model->fields[i];
	char	   *detail;

	if (!draft->ignored[i])
		return;

	detail = psprintf("Field \"%s\" is ignored.", field->name);
	if (draft->by_options)
		corm_overrides_error(draft, what, detail, NULL);
	corm_tags_error(corm_column_description(draft->model->relid, field->rownum),
					corm_tags_find(field->tags, what), detail);
}

/*
 * corm_draft_drop_ignored removes the fields that are ignored.  Raises OR005 or OR006 if
 * a role or the primary key needs one of them.
 */
void
corm_draft_drop_ignored(CormDraft *draft)
{
	CormModel  *model = draft->model;
	int			kept = 0;
	int		   *moved = palloc(sizeof(int) * Max(model->nfields, 1));
	ListCell   *lc;

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		if (draft->roles[role].declared && draft->roles[role].field >= 0)
			check_not_ignored(draft, draft->roles[role].field, corm_role_names[role]);
	}
	foreach(lc, draft->pk)
		check_not_ignored(draft, lfirst_int(lc), "primary_key");

	for (int i = 0; i < model->nfields; i++)
	{
		moved[i] = -1;
		if (!draft->ignored[i])
		{
			model->fields[kept] = model->fields[i];
			moved[i] = kept++;
		}
	}
	model->nfields = kept;

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		if (draft->roles[role].declared && draft->roles[role].field >= 0)
			draft->roles[role].field = moved[draft->roles[role].field];
	}
	foreach(lc, draft->pk)
		lfirst_int(lc) = moved[lfirst_int(lc)];
}

/*
 * corm_draft_check_roles sets the roles that the draft declares, and raises OR005 or
 * OR006 for a field that cannot have its role.
 */
void
corm_draft_check_roles(CormDraft *draft)
{
	CormModel  *model = draft->model;

	for (int role = 0; role < CORM_NUM_ROLES; role++)
	{
		const char *name = corm_role_names[role];
		CormField  *field;
		Oid			type;
		const char *expected;
		char	   *detail;

		if (!draft->roles[role].declared || draft->roles[role].field < 0)
			continue;

		field = &model->fields[draft->roles[role].field];
		type = getBaseType(field->typid);
		switch (role)
		{
			case CORM_ROLE_VERSION:
				expected = (type == INT2OID || type == INT4OID || type == INT8OID) ? NULL :
					"smallint, integer or bigint";
				break;
			case CORM_ROLE_SOFT_DELETE:
				expected = (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID ||
							type == BOOLOID) ? NULL :
					"timestamp with time zone, timestamp, date or boolean";
				break;
			default:
				expected = (type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID) ? NULL :
					"timestamp with time zone, timestamp or date";
				break;
		}

		if (expected != NULL)
			detail = psprintf("Field \"%s\" is of type %s, but a field for %s must be of type %s.",
							  field->name, format_type_be(field->typid), name, expected);
		else if (field->generated)
			detail = psprintf("Field \"%s\" is generated, so that corm could not write it.",
							  field->name);
		else if (role == CORM_ROLE_SOFT_DELETE && type != BOOLOID && field->not_null)
			detail = psprintf("Field \"%s\" is not null, but null is what says that a row is not deleted.",
							  field->name);
		else
		{
			*corm_model_role(model, role) = draft->roles[role].field;
			continue;
		}

		if (draft->roles[role].by_options)
			corm_overrides_error(draft, name, detail, NULL);
		corm_tags_error(corm_column_description(model->relid, field->rownum),
						draft->roles[role].tag, detail);
	}
}

/*
 * corm_draft_name_json_keys gives each field its key in JSON.
 */
void
corm_draft_name_json_keys(CormModel *model)
{
	for (int i = 0; i < model->nfields + model->nhidden; i++)
	{
		CormField  *field = &model->fields[i];

		field->json_key = corm_json_name(model, field->name);
	}
}

/*
 * corm_draft_check_names raises an error if two fields have the same name or the same key
 * in JSON, which tags and options can bring about.
 */
void
corm_draft_check_names(CormDraft *draft)
{
	CormModel  *model = draft->model;

	for (int i = 0; i < model->nfields; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = i + 1; j < model->nfields; j++)
		{
			CormField  *a = &model->fields[i];
			CormField  *b = &model->fields[j];
			bool		same_name = strcmp(a->name, b->name) == 0;

			if (!same_name && strcmp(a->json_key, b->json_key) != 0)
				continue;
			ereport(ERROR,
					(errcode(draft->by_options ? CORM_ERRCODE_BAD_OPTION : CORM_ERRCODE_BAD_TAG),
					 same_name ?
					 errmsg("model \"%s\" has two fields named \"%s\"", model->name, a->name) :
					 errmsg("model \"%s\" has two fields with the JSON key \"%s\"",
							model->name, a->json_key),
					 errdetail("The columns are \"%s\" and \"%s\".", a->column, b->column),
					 errhint("Give one of them another name with a tag or with corm.register.")));
		}
	}
}
