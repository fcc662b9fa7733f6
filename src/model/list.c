/*-------------------------------------------------------------------------
 *
 * list.c
 *		The views corm.models, corm.fields and corm.relations.
 *
 * They show every model that the user may use, so one bad tag must not spoil
 * them: a model that is not in the registry is parsed in a subtransaction,
 * and its error becomes a column.  They do not fill the registry, because a
 * session that looks at a list of ten thousand tables does not want to keep
 * them.
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
#include "model/advice.h"
#include "model/declared.h"
#include "model/describe.h"
#include "model/hooks.h"
#include "model/list.h"
#include "model/parse.h"
#include "model/problems.h"
#include "model/registry.h"
#include "model/relate.h"
#include "model/relations.h"
#include "model/relations_build.h"
#include "model/shards.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

/* What a view shows of one relation. */
typedef void (*ShowModel) (ReturnSetInfo *rsinfo, Oid relid, CormModel *model,
						   const char *error);

/*
 * What cannot be used of what is stored about models, as a list of
 * CormStoredProblem: an upper layer knows.
 */
List	   *(*corm_stored_problems_hook) (void) = NULL;

static bool may_list(Form_pg_class form);
static List *candidates(void);
static CormModel *parse_uncached(Oid relid);
static ErrorData *try_to(void (*function) (void *arg), void *arg);
static CormModel *try_model(Oid relid, ErrorData **error);
static void report_models(CormProblems *problems);
static char *stored_problem(List *problems, Oid relid);
static void show_all(FunctionCallInfo fcinfo, ShowModel show);
static Datum string_datum(const char *string, bool *isnull);
static Datum columns_datum(Oid relid, char **columns, int n);
static Datum role_datum(CormModel *model, CormRole role, bool *isnull);
static void show_model(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error);
static void show_fields(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error);
static void show_relations(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error);

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
 * candidates returns the OIDs of the relations that can be listed.  Privileges
 * are not checked.
 */
static List *
candidates(void)
{
	List	   *relids = NIL;
	Relation	class = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(class, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	ListCell   *lc;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (may_list(form))
			relids = lappend_oid(relids, form->oid);
	}
	systable_endscan(scan);
	table_close(class, AccessShareLock);
	foreach(lc, relids)
	{
		if (corm_is_shard(lfirst_oid(lc)))
			relids = foreach_delete_current(relids, lc);
	}

	return relids;
}

/*
 * parse_uncached parses a model in the current memory context, past the
 * registry.
 */
static CormModel *
parse_uncached(Oid relid)
{
	CormOverrides options;
	bool		registered = corm_overrides_load(relid, &options);

	return corm_model_parse(relid, registered ? &options : NULL);
}

/*
 * try_to calls a function in a subtransaction.  Returns NULL if the function
 * returns, else the error that it has raised, in the current memory context.
 * Errors that are not about what the function looks at are raised again:
 * cancellation, lack of resources, and internal errors.
 */
static ErrorData *
try_to(void (*function) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		function(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;

		switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
		{
			case ERRCODE_OPERATOR_INTERVENTION:
			case ERRCODE_INSUFFICIENT_RESOURCES:
			case ERRCODE_INTERNAL_ERROR:
				ReThrowError(error);
		}
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	return error;
}

/* A model that is tried, or something of it. */
typedef struct Trial
{
	Oid			relid;
	CormModel  *model;
	CormRelation *relation;
	List	   *relations;		/* of CormRelation */
	CormProblems *problems;		/* where advice goes */
} Trial;

static void
parse_trial(void *arg)
{
	Trial	   *trial = arg;

	trial->model = parse_uncached(trial->relid);
}

static void
relations_trial(void *arg)
{
	Trial	   *trial = arg;

	trial->relations = corm_relations_build(trial->model, CurrentMemoryContext)->list;
}

static void
relation_trial(void *arg)
{
	Trial	   *trial = arg;

	corm_relate_check(trial->model, trial->relation);
}

static void
hooks_trial(void *arg)
{
	(void) corm_model_hooks(((Trial *) arg)->model);
}

static void
get_trial(void *arg)
{
	Trial	   *trial = arg;

	trial->model = corm_model_get(trial->relid);
	(void) corm_model_relations(trial->model);
}

static void
advice_trial(void *arg)
{
	Trial	   *trial = arg;

	corm_advise(trial->problems, trial->model);
}

/*
 * try_model returns the model of a relation.  If it has none it returns NULL,
 * and in *error what is wrong with the tags or options, or NULL if the relation
 * is gone.
 */
static CormModel *
try_model(Oid relid, ErrorData **error)
{
	Trial		trial = {.relid = relid};

	*error = NULL;
	trial.model = corm_model_cached(relid);
	if (trial.model != NULL)
		return trial.model;

	*error = try_to(parse_trial, &trial);
	if (*error == NULL)
		return trial.model;
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		*error = NULL;
	return NULL;
}

/*
 * corm_model_try is corm_model_get for a model of a list: one that cannot be
 * used, because of its tags, options or relations, is NULL, and *error says why;
 * that is NULL, too, if the relation is gone.
 */
CormModel *
corm_model_try(Oid relid, char **error)
{
	Trial		trial = {.relid = relid};
	ErrorData  *data = try_to(get_trial, &trial);

	*error = NULL;
	/* what was got in the subtransaction was got by it */
	if (data == NULL)
		return corm_model_get(relid);
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		*error = data->detail ? psprintf("%s: %s", data->message, data->detail) : data->message;
	return NULL;
}

/*
 * report_models is the reporter of the problems of models themselves: their
 * tags and options, the relations that are declared for them, their hooks.
 */
static void
report_models(CormProblems *problems)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "corm model problems",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = CurrentMemoryContext;
	ListCell   *lc;

	foreach(lc, candidates())
	{
		Trial		trial = {.relid = lfirst_oid(lc)};
		char	   *name;
		ErrorData  *error;
		ListCell   *lc2;

		CHECK_FOR_INTERRUPTS();
		if (!corm_model_may_use(trial.relid))
			continue;

		MemoryContextReset(row);
		MemoryContextSwitchTo(row);
		name = get_rel_name(trial.relid);
		trial.model = try_model(trial.relid, &error);
		if (error != NULL && name != NULL)
			corm_problem_add(problems, trial.relid, "model", name, error->message, error->hint);
		if (trial.model != NULL && OidIsValid(trial.model->table))
		{
			foreach(lc2, corm_declared_load(trial.relid))
			{
				trial.relation = lfirst(lc2);
				error = try_to(relation_trial, &trial);
				if (error != NULL)
					corm_problem_add(problems, trial.relid, "relation", trial.relation->name,
									 error->message, error->hint);
			}
			error = try_to(hooks_trial, &trial);
			if (error != NULL)
				corm_problem_add(problems, trial.relid, "hook", name, error->message, error->hint);
			/* what is wrong with its relations is said above */
			trial.problems = problems;
			(void) try_to(advice_trial, &trial);
		}
		MemoryContextSwitchTo(old);
	}
	MemoryContextDelete(row);
}

/*
 * corm_list_init registers the reporter.  Called once, from corm_model_init.
 */
void
corm_list_init(void)
{
	corm_problems_register(report_models);
}

/*
 * stored_problem returns the first problem of a model, or NULL.
 */
static char *
stored_problem(List *problems, Oid relid)
{
	ListCell   *lc;

	foreach(lc, problems)
	{
		CormStoredProblem *problem = lfirst(lc);

		if (problem->model == relid)
			return problem->problem;
	}
	return NULL;
}

/*
 * show_all calls show for every relation that the user may use.
 */
static void
show_all(FunctionCallInfo fcinfo, ShowModel show)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *relids;
	List	   *problems = NIL;
	ListCell   *lc;
	MemoryContext row;

	InitMaterializedSRF(fcinfo, 0);
	relids = candidates();
	if (show == show_model && corm_stored_problems_hook)
		problems = corm_stored_problems_hook();
	row = AllocSetContextCreate(CurrentMemoryContext, "corm model list", ALLOCSET_DEFAULT_SIZES);

	foreach(lc, relids)
	{
		Oid			relid = lfirst_oid(lc);
		char		relkind;
		MemoryContext old;
		CormModel  *model;
		ErrorData  *data;
		char	   *error;

		CHECK_FOR_INTERRUPTS();

		/* The list may be older than a DROP. */
		relkind = get_rel_relkind(relid);
		if (relkind == '\0' || (relkind != RELKIND_COMPOSITE_TYPE && !corm_model_may_use(relid)))
			continue;

		old = MemoryContextSwitchTo(row);
		model = try_model(relid, &data);
		error = data ? data->message : NULL;

		/*
		 * Of composite types only those that map to a table they may use, or
		 * try to.
		 */
		if ((error != NULL &&
			 (relkind != RELKIND_COMPOSITE_TYPE ||
			  corm_schema_aclcheck(get_rel_namespace(relid), GetUserId(), ACL_USAGE) == ACLCHECK_OK)) ||
			(model != NULL && OidIsValid(model->table) &&
			 (model->table == relid || corm_model_may_use(model->table))))
			show(rsinfo, relid, model, error ? error : stored_problem(problems, relid));

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
 * columns_datum makes an array of the names of columns of a table, NULL for
 * those that are hidden from the current user.
 */
static Datum
columns_datum(Oid relid, char **columns, int n)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc0(sizeof(bool) * Max(n, 1));
	int			lbound = 1;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = !corm_shows_column(relid, columns[i]);
		names[i] = CStringGetTextDatum(columns[i]);
	}
	return PointerGetDatum(construct_md_array(names, nulls, 1, &n, &lbound, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * role_datum makes the name of the field that has a role, unless it is hidden
 * from the current user.
 */
static Datum
role_datum(CormModel *model, CormRole role, bool *isnull)
{
	int			field = *corm_model_role(model, role);

	return string_datum(field >= 0 && corm_model_shows(model, model->fields[field].column) ?
						model->fields[field].name : NULL, isnull);
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
		char	  **names = palloc(sizeof(char *) * Max(model->npk, 1));
		int			n = 0;

		for (int i = 0; i < model->npk; i++)
		{
			if (corm_model_shows(model, model->fields[model->pk[i]].column))
				names[n++] = model->fields[model->pk[i]].name;
		}

		values[1] = CStringGetTextDatum(model->name);
		values[2] = ObjectIdGetDatum(model->table);
		values[3] = corm_names_datum(names, n);
		nulls[2] = nulls[3] = false;
		values[4] = role_datum(model, CORM_ROLE_SOFT_DELETE, &nulls[4]);
		values[5] = role_datum(model, CORM_ROLE_VERSION, &nulls[5]);
		values[6] = BoolGetDatum(model->registered);
	}
	else
	{
		CormOverrides options;

		values[1] = CStringGetTextDatum(get_rel_name(relid));
		values[6] = BoolGetDatum(corm_overrides_load(relid, &options));
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

		if (!corm_model_shows(model, field->column))
			continue;
		values[0] = ObjectIdGetDatum(relid);
		values[1] = CStringGetTextDatum(field->name);
		values[2] = CStringGetTextDatum(field->column);
		values[3] = CStringGetTextDatum(format_type_with_typemod(field->typid, field->typmod));
		values[4] = BoolGetDatum(field->not_null);
		values[5] = BoolGetDatum(field->has_default);
		values[6] = string_datum(corm_identity_name(field->identity), &nulls[6]);
		values[7] = BoolGetDatum(field->generated);
		values[8] = BoolGetDatum(field->read_only);
		values[9] = BoolGetDatum(field->primary_key);
		values[10] = BoolGetDatum(field->filterable);
		values[11] = JsonbPGetDatum(JsonbValueToJsonb(corm_tags_push(&state, field->tags)));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/*
 * show_relations adds the rows of corm.relations for one model.
 */
static void
show_relations(ReturnSetInfo *rsinfo, Oid relid, CormModel *model, const char *error)
{
	Trial		trial = {.relid = relid, .model = model};
	ListCell   *lc;

	/* Not kept, like the models that the views parse. */
	if (model == NULL || try_to(relations_trial, &trial) != NULL)
		return;

	foreach(lc, trial.relations)
	{
		CormRelation *relation = lfirst(lc);
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = ObjectIdGetDatum(relid);
		values[1] = CStringGetTextDatum(relation->name);
		values[2] = CStringGetTextDatum(corm_relation_kind_name(relation->kind));
		values[3] = ObjectIdGetDatum(relation->target);
		values[4] = columns_datum(model->table, relation->columns, relation->nkeys);
		values[5] = columns_datum(relation->target, relation->target_columns, relation->ntarget_keys);
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
