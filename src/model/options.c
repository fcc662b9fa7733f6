/*-------------------------------------------------------------------------
 *
 * options.c
 *		Registrations: what corm.register stores, and reading it back.
 *
 * corm.model_options holds one row for each registered model.  Nobody but
 * the extension's owner has privileges on it: the functions here check that
 * the caller owns the model's relation and the table it maps to, and then
 * read and write the rows themselves.  The table a model maps to is kept as
 * a regclass beside the other options, so that it follows renames and is
 * dumped by name.
 *
 * corm.register and corm.unregister hold a lock on the model's relation that
 * conflicts with itself and with DROP until the transaction ends, so that a
 * row has one writer and its relation exists.  Other sessions learn of a
 * change by a relcache message about the model, sent at commit, never for a
 * change that is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "model/model.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

/* Columns of corm.model_options */
#define Anum_model_options_model	1
#define Anum_model_options_table	2
#define Anum_model_options_options	3
#define Natts_model_options			3

static Relation open_options(LOCKMODE lockmode);
static HeapTuple find_options(Relation catalog, Oid relid);
static void check_owner(Oid relid);
static Jsonb *empty_object(void);
static void check_table_owner(const RangeVar *name, Oid relid, Oid old_relid, void *arg);
static Oid	resolve_table(CormDraft *draft, JsonbValue *value);
static void warn_about_unique_indexes(CormModel *model);
static void store_options(Oid relid, const CormOptions *options);

/*
 * open_options opens corm.model_options, or returns NULL when the extension is
 * not there (any more).
 */
static Relation
open_options(LOCKMODE lockmode)
{
	return corm_catalog_open("model_options", lockmode, NULL);
}

/*
 * find_options returns a copy of the row about a relation, or NULL.
 */
static HeapTuple
find_options(Relation catalog, Oid relid)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_model_options_model, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, corm_primary_key_index(catalog), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);

	return tuple;
}

/*
 * corm_options_load reads the registration of a relation into the current
 * memory context; false if there is none.
 */
bool
corm_options_load(Oid relid, CormOptions *options)
{
	Relation	catalog = open_options(AccessShareLock);
	HeapTuple	tuple;

	if (catalog == NULL)
		return false;

	tuple = find_options(catalog, relid);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		datum;

		datum = heap_getattr(tuple, Anum_model_options_table, RelationGetDescr(catalog), &isnull);
		options->table = isnull ? InvalidOid : DatumGetObjectId(datum);
		datum = heap_getattr(tuple, Anum_model_options_options, RelationGetDescr(catalog), &isnull);
		options->json = DatumGetJsonbPCopy(datum);
	}
	table_close(catalog, AccessShareLock);

	return HeapTupleIsValid(tuple);
}

/*
 * check_owner raises 42501 unless the current user owns a relation, 42P01 if
 * there is none.  It needs no lock.
 */
static void
check_owner(Oid relid)
{
	char		relkind = get_rel_relkind(relid);
	char	   *name = get_rel_name(relid);

	if (relkind == '\0' || name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!corm_owns_relation(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   relkind == RELKIND_COMPOSITE_TYPE ? OBJECT_TYPE : get_relkind_objtype(relkind),
					   name);
}

/*
 * corm_lock_owned_model opens the relation of a model about which function is
 * going to store something, in a lock that is to be kept.  Raises 42P01,
 * 42501, and 25006 where nothing can be written.
 *
 * The lock stops autovacuum and DDL of the relation, so it is asked for only
 * by an owner; and it may have been waited for, so ownership is looked at
 * again.
 */
Relation
corm_lock_owned_model(Oid relid, const char *function)
{
	Relation	rel;

	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);

	check_owner(relid);
	rel = try_relation_open(relid, ShareUpdateExclusiveLock);
	check_owner(relid);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));

	return rel;
}

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
 * check_table_owner is the callback of resolve_table: nobody waits for a table
 * of somebody else, or makes others wait for it.
 */
static void
check_table_owner(const RangeVar *name, Oid relid, Oid old_relid, void *arg)
{
	if (OidIsValid(relid))
		check_owner(relid);
}

/*
 * resolve_table returns the table that the option "table" names, looked up and
 * locked as in any statement of the caller, who must own it.
 */
static Oid
resolve_table(CormDraft *draft, JsonbValue *value)
{
	text	   *name;

	if (value->type != jbvString)
		corm_overrides_error(draft, "table", "The value must be a string.", NULL);
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

/*
 * store_options inserts or replaces the row about a relation.
 */
static void
store_options(Oid relid, const CormOptions *options)
{
	Relation	catalog = open_options(RowExclusiveLock);
	Datum		values[Natts_model_options];
	bool		nulls[Natts_model_options] = {false};
	HeapTuple	old;
	HeapTuple	tuple;

	if (catalog == NULL)
		corm_catalog_missing("model_options");

	values[Anum_model_options_model - 1] = ObjectIdGetDatum(relid);
	values[Anum_model_options_table - 1] = ObjectIdGetDatum(options->table);
	nulls[Anum_model_options_table - 1] = !OidIsValid(options->table);
	values[Anum_model_options_options - 1] = JsonbPGetDatum(options->json);
	tuple = heap_form_tuple(RelationGetDescr(catalog), values, nulls);

	old = find_options(catalog, relid);
	if (HeapTupleIsValid(old))
		CatalogTupleUpdate(catalog, &old->t_self, tuple);
	else
		CatalogTupleInsert(catalog, tuple);
	table_close(catalog, RowExclusiveLock);
	corm_registry_stored(relid);
	corm_registry_stored(options->table);
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
	CormOptions options;
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
		CormDraft	draft = {0};

		draft.model = palloc0(sizeof(CormModel));
		draft.model->name = RelationGetRelationName(rel);
		if (table->type != jbvNull)
			options.table = resolve_table(&draft, table);
		options.json = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete,
														  JsonbPGetDatum(options.json),
														  CStringGetTextDatum("table")));
	}

	/* What cannot be parsed is not stored. */
	model = corm_catalog_parse(relid, &options);
	corm_model_require_table(model);
	if (model->table != relid)
		check_owner(model->table);
	if (model->soft_delete >= 0)
		warn_about_unique_indexes(model);

	store_options(relid, &options);
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
	Relation	catalog;

	corm_require_args(fcinfo, names, lengthof(names));
	rel = corm_lock_owned_model(relid, "corm.unregister()");
	catalog = open_options(RowExclusiveLock);
	if (catalog != NULL)
	{
		HeapTuple	tuple = find_options(catalog, relid);

		if (HeapTupleIsValid(tuple))
		{
			CatalogTupleDelete(catalog, &tuple->t_self);
			CacheInvalidateRelcacheByRelid(relid);
		}
		table_close(catalog, RowExclusiveLock);
	}
	relation_close(rel, NoLock);

	CommandCounterIncrement();
	PG_RETURN_VOID();
}
