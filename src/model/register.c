/*-------------------------------------------------------------------------
 *
 * register.c
 *		Registrations: corm.register and corm.unregister.
 *
 * What they write is one row of corm.model_options (overrides.c).  The caller
 * must own the model's relation and the table that it maps to; the lock of
 * corm_lock_owned_model() makes it the only writer of the row.  Other sessions
 * learn of a change by a relcache message about the model, which is sent at
 * commit, and never for a change that is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "base/args.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "model/catalogs.h"
#include "model/parse.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

static Jsonb *empty_object(void);
static void check_table_owner(const RangeVar *name, Oid relid, Oid old_relid, void *arg);
static Oid	resolve_table(const char *model, JsonbValue *value);
static void warn_about_unique_indexes(CormModel *model);

/*
 * empty_object returns the JSON object {}.
 */
static Jsonb *
empty_object(void)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * check_table_owner is the callback of resolve_table: it raises an error before
 * a lock on another role's table is requested.
 */
static void
check_table_owner(const RangeVar *name, Oid relid, Oid old_relid, void *arg)
{
	if (OidIsValid(relid))
		corm_check_owner(relid);
}

/*
 * resolve_table returns the table that the option "table" names, looked up and
 * locked as in any statement of the caller, who must own it.
 */
static Oid
resolve_table(const char *model, JsonbValue *value)
{
	text	   *name;

	if (value->type != jbvString)
		corm_overrides_error(model, "table", "The value must be a string.", NULL);
	name = cstring_to_text_with_len(value->val.string.val, value->val.string.len);

	return RangeVarGetRelidExtended(makeRangeVarFromNameList(textToQualifiedNameList(name)),
									AccessShareLock, 0, check_table_owner, NULL);
}

/*
 * warn_about_unique_indexes warns when a unique index of a model's table
 * counts rows that are deleted softly: their values could not be used again.
 */
static void
warn_about_unique_indexes(CormModel *model)
{
	Relation	table = relation_open(model->table, AccessShareLock);
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_index->indisunique && !index->rd_index->indisprimary &&
			RelationGetIndexPredicate(index) == NIL)
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("unique index \"%s\" also counts deleted rows of model \"%s\"",
							RelationGetRelationName(index), model->name),
					 errhint("Make it a partial index that leaves out rows with \"%s\" set.",
							 model->fields[model->soft_delete].column)));
		index_close(index, AccessShareLock);
	}
	relation_close(table, AccessShareLock);
}

PG_FUNCTION_INFO_V1(corm_register);
Datum		corm_register(PG_FUNCTION_ARGS);

/*
 * corm_register is corm.register(model regclass, options jsonb).
 */
Datum
corm_register(PG_FUNCTION_ARGS)
{
	Oid			relid;
	Relation	rel;
	CormOverrides options;
	CormModel  *model;
	JsonbValue *table = NULL;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the model must not be null")));
	relid = PG_GETARG_OID(0);
	options.table = InvalidOid;
	options.json = PG_ARGISNULL(1) ?
		empty_object() :
		PG_GETARG_JSONB_P(1);

	rel = corm_lock_owned_model(relid, "corm.register()");

	/* The table has a column of its own in the catalog. */
	if (JB_ROOT_IS_OBJECT(options.json))
		table = getKeyJsonValueFromContainer(&options.json->root, "table", strlen("table"), NULL);
	if (table != NULL)
	{
		if (table->type != jbvNull)
			options.table = resolve_table(RelationGetRelationName(rel), table);
		options.json = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete,
														  JsonbPGetDatum(options.json),
														  CStringGetTextDatum("table")));
	}

	/* What cannot be parsed is not stored. */
	model = corm_model_parse(relid, &options);
	corm_model_require_table(model);
	if (model->table != relid)
		corm_check_owner(model->table);
	if (model->soft_delete >= 0)
		warn_about_unique_indexes(model);

	corm_overrides_store(relid, &options);
	CacheInvalidateRelcacheByRelid(relid);
	relation_close(rel, NoLock);

	/* The rest of the statement sees it already. */
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(corm_unregister);
Datum		corm_unregister(PG_FUNCTION_ARGS);

/*
 * corm_unregister is corm.unregister(model regclass).
 */
Datum
corm_unregister(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model"};
	Oid			relid = PG_GETARG_OID(0);
	Relation	rel;

	corm_require_args(fcinfo, names, lengthof(names));
	rel = corm_lock_owned_model(relid, "corm.unregister()");
	if (corm_overrides_delete(relid))
		CacheInvalidateRelcacheByRelid(relid);
	relation_close(rel, NoLock);

	CommandCounterIncrement();
	PG_RETURN_VOID();
}
