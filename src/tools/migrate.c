/*-------------------------------------------------------------------------
 *
 * migrate.c
 *		corm.auto_migrate, corm.migrate and corm.migrate_plan.
 *
 * What a migration does is DDL of the caller, in the caller's transaction: an
 * error undoes all of it.  Two migrations at once would both find a table
 * missing, so a migration first takes a lock on the schemas of its tables that
 * conflicts with itself and with dropping the schema, but not with DDL in it, and
 * keeps it to the end of the transaction: the second one then sees what the first
 * has done.  Only schemas are locked in which the caller can change something.
 *
 * Tags hold SQL, and the type's owner writes them.  So a migration is for
 * types that the caller owns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/catalogs.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "tools/expression.h"
#include "tools/models.h"
#include "tools/plan.h"
#include "tools/wanted.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

/*
 * read_options reads the options, or raises OR006.
 */
static void
read_options(Jsonb *json, CormMigrateOptions *options)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	bool	   *option = NULL;

	memset(options, 0, sizeof(*options));
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("options of a migration must be an object")));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char	   *key = pnstrdup(value.val.string.val, value.val.string.len);

			option = strcmp(key, "drop") == 0 ? &options->drop :
				strcmp(key, "rewrite") == 0 ? &options->rewrite :
				strcmp(key, "online") == 0 ? &options->online : NULL;
			if (option == NULL)
				ereport(ERROR,
						(errcode(CORM_ERRCODE_BAD_OPTION),
						 errmsg("invalid option \"%s\" of a migration", key),
						 errhint("The options are \"drop\", \"rewrite\" and \"online\".")));
		}
		else if (token == WJB_VALUE && option != NULL)
		{
			if (value.type == jbvBool)
				*option = value.val.boolean;
			else if (value.type != jbvNull)
				ereport(ERROR,
						(errcode(CORM_ERRCODE_BAD_OPTION),
						 errmsg("an option of a migration must be true or false")));
		}
	}
}

/*
 * put_step returns a row: its number, NULL if the step is held back, and what
 * the result has columns for.
 */
static void
put_step(ReturnSetInfo *rsinfo, int number, CormStep *step)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	values[0] = Int32GetDatum(number);
	nulls[0] = number == 0;
	nulls[1] = step->sql == NULL;
	if (step->sql)
		values[1] = CStringGetTextDatum(step->sql);
	values[2] = BoolGetDatum(step->safe);
	nulls[3] = step->note == NULL;
	if (step->note)
		values[3] = CStringGetTextDatum(step->note);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * run_step executes a step.  Rows are read past row-level security, or not at
 * all: a greatest value of the rows that are visible would be wrong.
 */
static void
run_step(CormStep *step)
{
	int			level = corm_expression_enter(step->path);
	int			result;

	(void) set_config_option("row_security", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute(step->sql, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	corm_expression_leave(level);
}

/*
 * lock_schemas waits for other migrations of the same schemas, in an order that
 * all have.
 */
static void
lock_schemas(List *tables)
{
	List	   *schemas = NIL;
	ListCell   *lc;

	foreach(lc, tables)
	{
		CormWantedTable *table = lfirst(lc);
		Oid			nsp = get_namespace_oid(table->schema, false);

		if (OidIsValid(table->relid) ? corm_owns_relation(table->relid, GetUserId()) :
			corm_schema_aclcheck(nsp, GetUserId(), ACL_CREATE) == ACLCHECK_OK)
			schemas = list_append_unique_oid(schemas, nsp);
	}
	list_sort(schemas, list_oid_cmp);
	foreach(lc, schemas)
	{
		LockDatabaseObject(NamespaceRelationId, lfirst_oid(lc), 0, ShareUpdateExclusiveLock);
	}
}

/*
 * migrate plans, executes and returns the steps to what models describe.
 */
static void
migrate(FunctionCallInfo fcinfo, ArrayType *array, const CormMigrateOptions *options)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			nmodels;
	Oid		   *models = corm_read_models(array, &nmodels);
	List	   *steps;
	int			number = 0;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandIfReadOnly("a migration");
	PreventCommandIfParallelMode("a migration");
	if (options->online)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("the steps of an online migration cannot run in one transaction"),
				 errhint("Run the statements that corm.migrate_plan returns one by one, as psql does with \\gexec.")));
	for (int i = 0; i < nmodels; i++)
		corm_check_owner(models[i]);
	lock_schemas(corm_wanted_tables(nmodels, models));

	steps = corm_migrate_steps(corm_wanted_tables(nmodels, models), options);
	SPI_connect();
	foreach(lc, steps)
	{
		CormStep   *step = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (step->sql == NULL)
		{
			ereport(NOTICE,
					(errmsg("%s", step->note)));
			continue;
		}
		run_step(step);
		put_step(rsinfo, ++number, step);
	}
	SPI_finish();
}

PG_FUNCTION_INFO_V1(corm_auto_migrate);
Datum		corm_auto_migrate(PG_FUNCTION_ARGS);

/*
 * corm_auto_migrate is corm.auto_migrate(VARIADIC models regclass[]).
 */
Datum
corm_auto_migrate(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the models"};
	CormMigrateOptions options = {false};

	corm_require_args(fcinfo, names, lengthof(names));
	migrate(fcinfo, PG_GETARG_ARRAYTYPE_P(0), &options);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(corm_migrate);
Datum		corm_migrate(PG_FUNCTION_ARGS);

/*
 * corm_migrate is corm.migrate(models regclass[], options jsonb).
 */
Datum
corm_migrate(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the models", "the options"};
	CormMigrateOptions options;

	corm_require_args(fcinfo, names, lengthof(names));
	read_options(PG_GETARG_JSONB_P(1), &options);
	migrate(fcinfo, PG_GETARG_ARRAYTYPE_P(0), &options);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(corm_migrate_plan);
Datum		corm_migrate_plan(PG_FUNCTION_ARGS);

/*
 * corm_migrate_plan is corm.migrate_plan(models regclass[], options jsonb).
 */
Datum
corm_migrate_plan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CormMigrateOptions options;
	static const char *const names[] = {"the models", "the options"};
	int			nmodels;
	Oid		   *models;
	int			number = 0;
	ListCell   *lc;

	corm_require_args(fcinfo, names, lengthof(names));
	models = corm_read_models(PG_GETARG_ARRAYTYPE_P(0), &nmodels);
	read_options(PG_GETARG_JSONB_P(1), &options);
	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, corm_migrate_steps(corm_wanted_tables(nmodels, models), &options))
	{
		CormStep   *step = lfirst(lc);

		put_step(rsinfo, step->sql ? ++number : 0, step);
	}
	return (Datum) 0;
}
