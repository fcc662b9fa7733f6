/*-------------------------------------------------------------------------
 *
 * describe.c
 *		Models made visible: corm.describe and the views corm.models,
 *		corm.fields and corm.relations.
 *
 * corm.describe raises what is wrong with a model.  The views show every
 * model the user may use, so one bad tag must not spoil them: a model that is
 * not in the registry is parsed in a subtransaction, and its error becomes a
 * column.  The views do not fill the registry, because a session that looks
 * at a list of ten thousand tables does not want to keep them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

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

/* What a view shows of one relation. */
typedef void (*ShowModel) (ReturnSetInfo *rsinfo, Oid relid, CormModel *model,
						   const char *error);

static char *relation_name(Oid relid);
static const char *naming_name(CormNaming naming);
static const char *identity_name(char identity);
static void push_role(JsonbParseState **state, const char *key, CormModel *model, CormRole role);
static JsonbValue *push_tags(JsonbParseState **state, List *tags);
static void push_field(JsonbParseState **state, CormField *field);
static void push_names(JsonbParseState **state, const char *key, char **names, int n);
static JsonbValue *push_relation(JsonbParseState **state, CormRelation *relation);
static bool may_use(Oid relid);
static bool may_list(Form_pg_class form);
static List *candidates(void);
static CormModel *parse_uncached(Oid relid);
static CormModel *try_model(Oid relid, char **error);
static Datum string_datum(const char *string, bool *isnull);
static Datum role_datum(CormModel *model, CormRole role, bool *isnull);
static void show_all(FunctionCallInfo fcinfo, ShowModel show);
static void show_model(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error);
static Datum names_datum(char **names, int n);
static void show_relations(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error);
static void show_fields(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error);

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
 * corm_json_key pushes the key of an object.
 */
void
corm_json_key(JsonbParseState **state, const char *key)
{
	corm_json_string(state, WJB_KEY, key);
}

/*
 * corm_json_string pushes a string, or null for NULL, as the token says.
 */
void
corm_json_string(JsonbParseState **state, JsonbIteratorToken token, const char *string)
{
	JsonbValue	v;

	if (string == NULL)
		v.type = jbvNull;
	else
	{
		v.type = jbvString;
		v.val.string.val = unconstify(char *, string);
		v.val.string.len = strlen(string);
	}
	pushJsonbValue(state, token, &v);
}

/*
 * corm_json_bool pushes a boolean, as the token says.
 */
void
corm_json_bool(JsonbParseState **state, JsonbIteratorToken token, bool value)
{
	JsonbValue	v;

	v.type = jbvBool;
	v.val.boolean = value;
	pushJsonbValue(state, token, &v);
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
 * identity_name returns how an identity column is generated, or NULL.
 */
static const char *
identity_name(char identity)
{
	if (identity == ATTRIBUTE_IDENTITY_ALWAYS)
		return "always";
	if (identity == ATTRIBUTE_IDENTITY_BY_DEFAULT)
		return "by default";
	return NULL;
}

/*
 * push_role pushes a key and the name of the field that has a role.
 */
static void
push_role(JsonbParseState **state, const char *key, CormModel *model, CormRole role)
{
	int			field = *corm_model_role(model, role);

	corm_json_key(state, key);
	corm_json_string(state, WJB_VALUE, field >= 0 ? model->fields[field].name : NULL);
}

/*
 * push_tags pushes the tags of a field, an object, and returns the value if
 * that is all.
 */
static JsonbValue *
push_tags(JsonbParseState **state, List *tags)
{
	ListCell   *lc;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, tags)
	{
		CormTag    *tag = lfirst(lc);

		corm_json_key(state, tag->key);
		if (tag->value == NULL || strcmp(tag->value, "true") == 0)
			corm_json_bool(state, WJB_VALUE, true);
		else if (strcmp(tag->value, "false") == 0)
			corm_json_bool(state, WJB_VALUE, false);
		else
			corm_json_string(state, WJB_VALUE, tag->value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
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
	corm_json_string(state, WJB_VALUE, identity_name(field->identity));
	corm_json_key(state, "generated");
	corm_json_bool(state, WJB_VALUE, field->generated);
	corm_json_key(state, "read_only");
	corm_json_bool(state, WJB_VALUE, field->read_only);
	corm_json_key(state, "primary_key");
	corm_json_bool(state, WJB_VALUE, field->primary_key);
	corm_json_key(state, "filterable");
	corm_json_bool(state, WJB_VALUE, field->filterable);
	corm_json_key(state, "tags");
	push_tags(state, field->tags);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * push_names pushes a key and the names of columns, an array.
 */
static void
push_names(JsonbParseState **state, const char *key, char **names, int n)
{
	corm_json_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
		corm_json_string(state, WJB_ELEM, names[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * push_relation pushes what is known of a relation, an object, and returns the
 * value if that is all.
 */
static JsonbValue *
push_relation(JsonbParseState **state, CormRelation *relation)
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
	push_names(state, "columns", relation->columns, relation->nkeys);
	push_names(state, "target_columns", relation->target_columns, relation->ntarget_keys);
	corm_json_key(state, "through");
	corm_json_string(state, WJB_VALUE, through ? relation_name(relation->through) : NULL);
	if (through)
	{
		push_names(state, "through_columns", relation->through_columns, relation->nkeys);
		push_names(state, "through_target_columns", relation->through_target_columns,
				   relation->ntarget_keys);
	}
	corm_json_key(state, "declared");
	corm_json_bool(state, WJB_VALUE, relation->declared);
	corm_json_key(state, "ambiguous");
	corm_json_bool(state, WJB_VALUE, relation->ambiguous);
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

PG_FUNCTION_INFO_V1(corm_describe);
Datum		corm_describe(PG_FUNCTION_ARGS);

/*
 * corm_describe is corm.describe(model regclass).
 */
Datum
corm_describe(PG_FUNCTION_ARGS)
{
	CormModel  *model = corm_model_get(PG_GETARG_OID(0));
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
		corm_json_string(&state, WJB_ELEM, model->fields[model->pk[i]].name);
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
		push_field(&state, &model->fields[i]);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);

	corm_json_key(&state, "relations");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(lc, corm_model_relations(model))
		push_relation(&state, lfirst(lc));
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);

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

	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

PG_FUNCTION_INFO_V1(corm_describe_relation);
Datum		corm_describe_relation(PG_FUNCTION_ARGS);

/*
 * corm_describe_relation is corm.describe_relation(model regclass, name text).
 */
Datum
corm_describe_relation(PG_FUNCTION_ARGS)
{
	CormModel  *model = corm_model_get(PG_GETARG_OID(0));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	JsonbParseState *state = NULL;

	PG_RETURN_JSONB_P(JsonbValueToJsonb(push_relation(&state, corm_model_relation(model, name))));
}

/*
 * may_use returns whether the current user has any privilege on a relation or
 * on a column of it, and on its schema.
 */
static bool
may_use(Oid relid)
{
	const AclMode any = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	Oid			role = GetUserId();

	if (corm_schema_aclcheck(get_rel_namespace(relid), role, ACL_USAGE) != ACLCHECK_OK)
		return false;
	return pg_class_aclcheck(relid, role, any) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, role, ACL_SELECT | ACL_INSERT | ACL_UPDATE,
								  ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * may_list returns whether a row of pg_class can be a model that is listed, by
 * its kind and schema.
 */
static bool
may_list(Form_pg_class form)
{
	char	   *schema;

	switch (form->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_COMPOSITE_TYPE:
			break;
		default:
			return false;
	}

	/* The session's own temporary tables are models like others. */
	if (isTempNamespace(form->relnamespace))
		return true;

	schema = get_namespace_name(form->relnamespace);
	return schema != NULL &&
		strncmp(schema, "pg_", 3) != 0 &&
		strcmp(schema, "information_schema") != 0 &&
		strcmp(schema, "corm") != 0 && strcmp(schema, "corm_ops") != 0;
}

/*
 * candidates returns the OIDs of the relations that may be listed, whoever the
 * user is.
 */
static List *
candidates(void)
{
	List	   *relids = NIL;
	Relation	class = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(class, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (may_list(form))
			relids = lappend_oid(relids, form->oid);
	}
	systable_endscan(scan);
	table_close(class, AccessShareLock);

	return relids;
}

/*
 * parse_uncached parses a model in the current memory context, past the
 * registry.
 */
static CormModel *
parse_uncached(Oid relid)
{
	CormOptions options;
	bool		registered = corm_options_load(relid, &options);

	return corm_catalog_parse(relid, registered ? &options : NULL);
}

/*
 * try_model returns the model of a relation.  If it has none it returns NULL,
 * and in *error what is wrong with the tags or options, or NULL if the relation
 * is gone.
 */
static CormModel *
try_model(Oid relid, char **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	CormModel  *volatile model = corm_model_cached(relid);

	*error = NULL;
	if (model != NULL)
		return model;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		model = parse_uncached(relid);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *data;

		MemoryContextSwitchTo(context);
		data = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;

		switch (data->sqlerrcode)
		{
			case CORM_ERRCODE_BAD_TAG:
			case CORM_ERRCODE_BAD_OPTION:
			case ERRCODE_UNDEFINED_COLUMN:
			case ERRCODE_UNDEFINED_TABLE:
			case ERRCODE_WRONG_OBJECT_TYPE:
				break;
			default:
				ReThrowError(data);
		}
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
			*error = data->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	return model;
}

/*
 * show_all calls show for every relation that the user may use.
 */
static void
show_all(FunctionCallInfo fcinfo, ShowModel show)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *relids;
	ListCell   *lc;
	MemoryContext row;

	InitMaterializedSRF(fcinfo, 0);
	relids = candidates();
	row = AllocSetContextCreate(CurrentMemoryContext, "corm model list", ALLOCSET_DEFAULT_SIZES);

	foreach(lc, relids)
	{
		Oid			relid = lfirst_oid(lc);
		char		relkind;
		MemoryContext old;
		CormModel  *model;
		char	   *error;

		CHECK_FOR_INTERRUPTS();

		/* The list may be older than a DROP. */
		relkind = get_rel_relkind(relid);
		if (relkind == '\0' || (relkind != RELKIND_COMPOSITE_TYPE && !may_use(relid)))
			continue;

		old = MemoryContextSwitchTo(row);
		model = try_model(relid, &error);

		/* Of composite types only those that map to a table they may use. */
		if (error != NULL ||
			(model != NULL && OidIsValid(model->table) &&
			 (model->table == relid || may_use(model->table))))
			show(rsinfo, relid, model, error);

		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	MemoryContextDelete(row);
}

/*
 * string_datum makes a text, or sets isnull for NULL.
 */
static Datum
string_datum(const char *string, bool *isnull)
{
	*isnull = (string == NULL);
	return string ? CStringGetTextDatum(string) : (Datum) 0;
}

/*
 * role_datum makes the name of the field that has a role.
 */
static Datum
role_datum(CormModel *model, CormRole role, bool *isnull)
{
	int			field = *corm_model_role(model, role);

	return string_datum(field >= 0 ? model->fields[field].name : NULL, isnull);
}

/*
 * show_model adds a row of corm.models.
 */
static void
show_model(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error)
{
	Datum		values[8];
	bool		nulls[8];

	memset(nulls, true, sizeof(nulls));
	nulls[0] = nulls[1] = nulls[6] = false;
	values[0] = ObjectIdGetDatum(relid);
	if (model != NULL)
	{
		Datum	   *names = palloc(sizeof(Datum) * Max(model->npk, 1));

		for (int i = 0; i < model->npk; i++)
			names[i] = CStringGetTextDatum(model->fields[model->pk[i]].name);

		values[1] = CStringGetTextDatum(model->name);
		values[2] = ObjectIdGetDatum(model->table);
		values[3] = PointerGetDatum(construct_array(names, model->npk, TEXTOID, -1, false,
													TYPALIGN_INT));
		nulls[2] = nulls[3] = false;
		values[4] = role_datum(model, CORM_ROLE_SOFT_DELETE, &nulls[4]);
		values[5] = role_datum(model, CORM_ROLE_VERSION, &nulls[5]);
		values[6] = BoolGetDatum(model->registered);
	}
	else
	{
		CormOptions options;

		values[1] = CStringGetTextDatum(get_rel_name(relid));
		values[6] = BoolGetDatum(corm_options_load(relid, &options));
	}
	values[7] = string_datum(error, &nulls[7]);

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * show_fields adds the rows of corm.fields for one model.
 */
static void
show_fields(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error)
{
	if (model == NULL)
		return;

	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];
		JsonbParseState *state = NULL;
		Datum		values[12];
		bool		nulls[12] = {false};

		values[0] = ObjectIdGetDatum(relid);
		values[1] = CStringGetTextDatum(field->name);
		values[2] = CStringGetTextDatum(field->column);
		values[3] = CStringGetTextDatum(format_type_with_typemod(field->typid, field->typmod));
		values[4] = BoolGetDatum(field->not_null);
		values[5] = BoolGetDatum(field->has_default);
		values[6] = string_datum(identity_name(field->identity), &nulls[6]);
		values[7] = BoolGetDatum(field->generated);
		values[8] = BoolGetDatum(field->read_only);
		values[9] = BoolGetDatum(field->primary_key);
		values[10] = BoolGetDatum(field->filterable);
		values[11] = JsonbPGetDatum(JsonbValueToJsonb(push_tags(&state, field->tags)));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/*
 * names_datum makes an array of names.
 */
static Datum
names_datum(char **names, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datums[i] = CStringGetTextDatum(names[i]);
	return PointerGetDatum(construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * show_relations adds the rows of corm.relations for one model.
 */
static void
show_relations(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error)
{
	ListCell   *lc;

	if (model == NULL)
		return;

	/* Not kept, like the models that the views parse. */
	foreach(lc, corm_relations_build(model, CurrentMemoryContext)->list)
	{
		CormRelation *relation = lfirst(lc);
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = ObjectIdGetDatum(relid);
		values[1] = CStringGetTextDatum(relation->name);
		values[2] = CStringGetTextDatum(corm_relation_kind_name(relation->kind));
		values[3] = ObjectIdGetDatum(relation->target);
		values[4] = names_datum(relation->columns, relation->nkeys);
		values[5] = names_datum(relation->target_columns, relation->ntarget_keys);
		values[6] = ObjectIdGetDatum(relation->through);
		nulls[6] = !OidIsValid(relation->through);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(corm_list_models);
Datum		corm_list_models(PG_FUNCTION_ARGS);

/*
 * corm_list_models is corm.list_models(), the rows of the view corm.models.
 */
Datum
corm_list_models(PG_FUNCTION_ARGS)
{
	show_all(fcinfo, show_model);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(corm_list_fields);
Datum		corm_list_fields(PG_FUNCTION_ARGS);

/*
 * corm_list_fields is corm.list_fields(), the rows of the view corm.fields.
 */
Datum
corm_list_fields(PG_FUNCTION_ARGS)
{
	show_all(fcinfo, show_fields);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(corm_list_relations);
Datum		corm_list_relations(PG_FUNCTION_ARGS);

/*
 * corm_list_relations is corm.list_relations(), the rows of the view
 * corm.relations.
 */
Datum
corm_list_relations(PG_FUNCTION_ARGS)
{
	show_all(fcinfo, show_relations);
	return (Datum) 0;
}
