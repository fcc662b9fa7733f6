/*-------------------------------------------------------------------------
 *
 * describe.c
 *		A model made visible: corm.describe and corm.describe_relation.
 *
 * They raise what is wrong with the model, unlike the views (list.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/jsonb.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "model/declared.h"
#include "model/describe.h"
#include "model/overrides.h"
#include "model/registry.h"
#include "model/tags.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

#define MAX_SECTIONS	8

typedef struct Section
{
	const char *key;
	CormDescribeCallback callback;	/* NULL: an empty array */
} Section;

/* Layers above fill these in; a model without any has empty arrays. */
static Section sections[MAX_SECTIONS] =
{
	{"scopes", NULL},
	{"hooks", NULL},
};
static int	nsections = 2;

static char *relation_name(Oid relid);
static const char *naming_name(CormNaming naming);
static void push_role(JsonbParseState **state, const char *key, CormModel *model, CormRole role);
static void push_field(JsonbParseState **state, CormField *field);
static void push_names(JsonbParseState **state, const char *key, Oid relid, char **names, int n);
static JsonbValue *push_relation(JsonbParseState **state, CormModel *model, CormRelation *relation);

/*
 * corm_describe_section makes corm.describe show what callback says under key.
 * Called from init functions only.
 */
void
corm_describe_section(const char *key, CormDescribeCallback callback)
{
	for (int i = 0; i < nsections; i++)
	{
		if (strcmp(sections[i].key, key) == 0)
		{
			sections[i].callback = callback;
			return;
		}
	}
	if (nsections >= MAX_SECTIONS)
		elog(FATAL, "too many sections of corm.describe");
	sections[nsections].key = key;
	sections[nsections++].callback = callback;
}

/*
 * corm_describe_part returns what corm.describe shows of a model under a key of
 * an upper layer, an array.
 */
Jsonb *
corm_describe_part(CormModel *model, const char *key)
{
	JsonbParseState *state = NULL;

	/* an array around it, to have a value that pushing returns */
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < nsections; i++)
	{
		if (strcmp(sections[i].key, key) == 0 && sections[i].callback != NULL)
			sections[i].callback(model, &state);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * relation_name returns a relation's name as a regclass is printed.
 */
static char *
relation_name(Oid relid)
{
	return DatumGetCString(DirectFunctionCall1(regclassout, ObjectIdGetDatum(relid)));
}

/*
 * naming_name returns the name of a naming strategy.
 */
static const char *
naming_name(CormNaming naming)
{
	switch (naming)
	{
		case CORM_NAMING_SNAKE:
			return "snake";
		case CORM_NAMING_CAMEL:
			return "camel";
		case CORM_NAMING_PASCAL:
			return "pascal";
	}
	pg_unreachable();
}

/*
 * corm_identity_name returns how an identity column is generated, or NULL.
 */
const char *
corm_identity_name(char identity)
{
	if (identity == ATTRIBUTE_IDENTITY_ALWAYS)
		return "always";
	if (identity == ATTRIBUTE_IDENTITY_BY_DEFAULT)
		return "by default";
	return NULL;
}

/*
 * push_role pushes a key and the name of the field that has a role, unless it
 * is hidden.
 */
static void
push_role(JsonbParseState **state, const char *key, CormModel *model, CormRole role)
{
	int			field = *corm_model_role(model, role);

	corm_json_key(state, key);
	corm_json_string(state, WJB_VALUE, field >= 0 && corm_model_shows(model, model->fields[field].column) ?
					 model->fields[field].name : NULL);
}

/*
 * push_field pushes what is known of a field, an object.
 */
static void
push_field(JsonbParseState **state, CormField *field)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(state, "name");
	corm_json_string(state, WJB_VALUE, field->name);
	corm_json_key(state, "json_key");
	corm_json_string(state, WJB_VALUE, field->json_key);
	corm_json_key(state, "column");
	corm_json_string(state, WJB_VALUE, field->column);
	corm_json_key(state, "type");
	corm_json_string(state, WJB_VALUE, format_type_with_typemod(field->typid, field->typmod));
	corm_json_key(state, "not_null");
	corm_json_bool(state, WJB_VALUE, field->not_null);
	corm_json_key(state, "has_default");
	corm_json_bool(state, WJB_VALUE, field->has_default);
	corm_json_key(state, "identity");
	corm_json_string(state, WJB_VALUE, corm_identity_name(field->identity));
	corm_json_key(state, "generated");
	corm_json_bool(state, WJB_VALUE, field->generated);
	corm_json_key(state, "read_only");
	corm_json_bool(state, WJB_VALUE, field->read_only);
	corm_json_key(state, "primary_key");
	corm_json_bool(state, WJB_VALUE, field->primary_key);
	corm_json_key(state, "filterable");
	corm_json_bool(state, WJB_VALUE, field->filterable);
	corm_json_key(state, "hidden");
	corm_json_bool(state, WJB_VALUE, field->hidden);
	corm_json_key(state, "tags");
	corm_tags_push(state, field->tags);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * corm_shows_column returns whether a column of a table may be named to the
 * current user: a hidden one to the owner alone.  The table's model is not
 * parsed for that: what is wrong with it is no matter of the model that refers
 * to it.
 */
bool
corm_shows_column(Oid relid, const char *column)
{
	CormModel  *model = corm_model_cached(relid);
	char	   *comment;

	if (model != NULL)
		return corm_model_shows(model, column);
	if (corm_owns_relation(relid, GetUserId()))
		return true;
	if (corm_overrides_hide(relid, column))
		return false;
	comment = GetComment(relid, RelationRelationId, get_attnum(relid, column));
	return corm_tags_flag(corm_tags_read_quietly(comment, CORM_TAG_COLUMN), "hidden") != 1;
}

/*
 * push_names pushes a key and the names of columns of a table, an array.
 */
static void
push_names(JsonbParseState **state, const char *key, Oid relid, char **names, int n)
{
	corm_json_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
		corm_json_string(state, WJB_ELEM, corm_shows_column(relid, names[i]) ? names[i] : NULL);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * push_relation pushes what is known of a relation of a model, an object, and
 * returns the value if that is all.
 */
static JsonbValue *
push_relation(JsonbParseState **state, CormModel *model, CormRelation *relation)
{
	bool		through = OidIsValid(relation->through);

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(state, "name");
	corm_json_string(state, WJB_VALUE, relation->name);
	corm_json_key(state, "json_key");
	corm_json_string(state, WJB_VALUE, relation->json_key);
	corm_json_key(state, "kind");
	corm_json_string(state, WJB_VALUE, corm_relation_kind_name(relation->kind));
	corm_json_key(state, "target");
	corm_json_string(state, WJB_VALUE, relation_name(relation->target));
	push_names(state, "columns", model->table, relation->columns, relation->nkeys);
	push_names(state, "target_columns", relation->target, relation->target_columns, relation->ntarget_keys);
	corm_json_key(state, "through");
	corm_json_string(state, WJB_VALUE, through ? relation_name(relation->through) : NULL);
	if (through)
	{
		push_names(state, "through_columns", relation->through, relation->through_columns, relation->nkeys);
		push_names(state, "through_target_columns", relation->through,
				   relation->through_target_columns, relation->ntarget_keys);
	}
	corm_json_key(state, "declared");
	corm_json_bool(state, WJB_VALUE, relation->declared);
	corm_json_key(state, "ambiguous");
	corm_json_bool(state, WJB_VALUE, relation->ambiguous);
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* What is described may change meanwhile; then it is described again, so often. */
#define MAX_DESCRIPTIONS	5

/*
 * is_current returns whether a model and the list of its relations are what they
 * were when the description of the model began.
 */
static bool
is_current(CormModel *model, List *relations)
{
	AcceptInvalidationMessages();
	return model->valid && corm_model_relations(model) == relations;
}

/*
 * describe_model returns the description of a model whose relations are those of
 * a list.
 */
static Jsonb *
describe_model(CormModel *model, List *relations)
{
	JsonbParseState *state = NULL;
	ListCell   *lc;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(&state, "name");
	corm_json_string(&state, WJB_VALUE, model->name);
	corm_json_key(&state, "model");
	corm_json_string(&state, WJB_VALUE, relation_name(model->relid));
	corm_json_key(&state, "table");
	corm_json_string(&state, WJB_VALUE, relation_name(model->table));

	corm_json_key(&state, "primary_key");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < model->npk; i++)
	{
		if (corm_model_shows(model, model->fields[model->pk[i]].column))
			corm_json_string(&state, WJB_ELEM, model->fields[model->pk[i]].name);
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);

	corm_json_key(&state, "naming");
	corm_json_string(&state, WJB_VALUE, naming_name(model->naming));
	for (int role = 0; role < CORM_NUM_ROLES; role++)
		push_role(&state, corm_role_names[role], model, role);
	corm_json_key(&state, "registered");
	corm_json_bool(&state, WJB_VALUE, model->registered);

	corm_json_key(&state, "fields");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < model->nfields; i++)
	{
		if (corm_model_shows(model, model->fields[i].column))
			push_field(&state, &model->fields[i]);
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);

	CORM_FAULT("describe-fields");
	corm_json_key(&state, "relations");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, relations)
	{
		push_relation(&state, model, lfirst(lc));
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);

	CORM_FAULT("describe-relations");
	for (int i = 0; i < nsections; i++)
	{
		corm_json_key(&state, sections[i].key);
		if (sections[i].callback != NULL)
			sections[i].callback(model, &state);
		else
		{
			pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
			pushJsonbValue(&state, WJB_END_ARRAY, NULL);
		}
	}

	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

PG_FUNCTION_INFO_V1(corm_describe);
Datum		corm_describe(PG_FUNCTION_ARGS);

/*
 * corm_describe is corm.describe(model regclass).
 */
Datum
corm_describe(PG_FUNCTION_ARGS)
{
	for (int tries = 1;; tries++)
	{
		CormModel  *model = corm_model_get(PG_GETARG_OID(0));
		List	   *relations = corm_model_relations(model);
		Jsonb	   *description = describe_model(model, relations);

		if (tries >= MAX_DESCRIPTIONS || is_current(model, relations))
			PG_RETURN_JSONB_P(description);
	}
}

PG_FUNCTION_INFO_V1(corm_describe_relation);
Datum		corm_describe_relation(PG_FUNCTION_ARGS);

/*
 * corm_describe_relation is corm.describe_relation(model regclass, name text).
 */
Datum
corm_describe_relation(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));

	for (int tries = 1;; tries++)
	{
		CormModel  *model = corm_model_get(PG_GETARG_OID(0));
		List	   *relations = corm_model_relations(model);
		JsonbParseState *state = NULL;
		Jsonb	   *description;

		CORM_FAULT("describe-relation");
		description = JsonbValueToJsonb(push_relation(&state, model, corm_model_relation(model, name)));
		if (tries >= MAX_DESCRIPTIONS || is_current(model, relations))
			PG_RETURN_JSONB_P(description);
	}
}
