/*-------------------------------------------------------------------------
 *
 * scopes.c
 *		Named and default scopes: queries stored for a model.
 *
 * A scope is part of the model's owner's rights: only the owner defines one,
 * and its clauses run with the rights of the role that queries.  corm.scopes is
 * read and written here without privilege checks on the table, after those
 * on the model; a change of it drops all models and plans by a relcache
 * message, in every session and with the transaction.
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
#include "base/clock.h"
#include "base/jsonb.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "model/catalogs.h"
#include "model/describe.h"
#include "query/query.h"
#include "query/resolve/scopes.h"
#include "query/value/tree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define SCOPES_CATALOG			"scopes"
#define Anum_scopes_model		1
#define Anum_scopes_name		2
#define Anum_scopes_q			3
#define Anum_scopes_is_default	4
#define Natts_scopes			4

PG_FUNCTION_INFO_V1(corm_define_scope);
PG_FUNCTION_INFO_V1(corm_drop_scope);

static void describe_scopes(CormModel *model, JsonbParseState **state);

/* corm_scopes_init makes the registry watch the catalog of scopes. */
void
corm_scopes_init(void)
{
	corm_catalogs_add(SCOPES_CATALOG);
	corm_describe_section("scopes", describe_scopes);
}

/*
 * Opens the catalog; NULL if the extension is not there (any more).
 */
static Relation
open_scopes(LOCKMODE lockmode)
{
	return corm_catalog_open(SCOPES_CATALOG, lockmode, NULL);
}

typedef void (*ScopeCallback) (Relation catalog, HeapTuple tuple, void *arg);

/*
 * Calls back for each scope of a model, in the order of names, or for the
 * one of the given name.
 */
static void
scan_scopes(Relation catalog, Oid model, const char *name, ScopeCallback callback, void *arg)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_scopes_model, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(model));
	if (name)
		ScanKeyInit(&keys[1], Anum_scopes_name, BTEqualStrategyNumber, F_TEXTEQ,
					CStringGetTextDatum(name));
	scan = systable_beginscan(catalog, corm_primary_key_index(catalog), true, NULL, name ? 2 : 1, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		callback(catalog, tuple, arg);
	systable_endscan(scan);
}

static List *
scope_clauses(Relation catalog, HeapTuple tuple)
{
	bool		isnull;
	Datum		q = heap_getattr(tuple, Anum_scopes_q, RelationGetDescr(catalog), &isnull);

	return corm_stored_query((struct varlena *) DatumGetPointer(q));
}

static void
add_clauses(Relation catalog, HeapTuple tuple, void *arg)
{
	List	  **clauses = arg;

	*clauses = list_concat(*clauses, scope_clauses(catalog, tuple));
}

static void
add_default_clauses(Relation catalog, HeapTuple tuple, void *arg)
{
	bool		isnull;

	if (DatumGetBool(heap_getattr(tuple, Anum_scopes_is_default, RelationGetDescr(catalog), &isnull)))
		add_clauses(catalog, tuple, arg);
}

/*
 * The relations whose scopes a model has: its own, and those of the table a
 * composite type is mapped to.
 */
static List *
collect(CormModel *model, const char *name, ScopeCallback callback)
{
	Relation	catalog = open_scopes(AccessShareLock);
	List	   *clauses = NIL;

	if (catalog == NULL)
		return NIL;
	scan_scopes(catalog, model->relid, name, callback, &clauses);
	if (model->table != model->relid && (name == NULL || clauses == NIL))
		scan_scopes(catalog, model->table, name, callback, &clauses);
	table_close(catalog, AccessShareLock);
	CORM_FAULT("scopes-read");
	return clauses;
}

static void
mark_found(Relation catalog, HeapTuple tuple, void *arg)
{
	*(bool *) arg = true;
}

/*
 * corm_scope_clauses returns the clauses of a scope, 42703 if the model has
 * none of that name.
 */
List *
corm_scope_clauses(CormModel *model, const char *name)
{
	List	   *clauses = collect(model, name, add_clauses);

	if (clauses == NIL)
	{
		Relation	catalog = open_scopes(AccessShareLock);
		bool		found = false;

		/* a scope may be empty */
		if (catalog)
		{
			scan_scopes(catalog, model->relid, name, mark_found, &found);
			scan_scopes(catalog, model->table, name, mark_found, &found);
			table_close(catalog, AccessShareLock);
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("unknown scope \"%s\" of model \"%s\"", name, model->name)));
	}
	return clauses;
}

/* corm_default_scope_clauses returns the clauses of all default scopes. */
List *
corm_default_scope_clauses(CormModel *model)
{
	return collect(model, NULL, add_default_clauses);
}

/* Appends a row of the catalog to the JSON in arg. */
static void
describe_scope(Relation catalog, HeapTuple tuple, void *arg)
{
	JsonbParseState **state = arg;
	bool		isnull;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	corm_json_key(state, "name");
	corm_json_string(state, WJB_VALUE,
					 TextDatumGetCString(heap_getattr(tuple, Anum_scopes_name, RelationGetDescr(catalog), &isnull)));
	corm_json_key(state, "is_default");
	corm_json_bool(state, WJB_VALUE,
				   DatumGetBool(heap_getattr(tuple, Anum_scopes_is_default, RelationGetDescr(catalog), &isnull)));
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Appends the scopes of a model, a JSON array, for corm.describe(). */
static void
describe_scopes(CormModel *model, JsonbParseState **state)
{
	Relation	catalog = open_scopes(AccessShareLock);

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (catalog)
	{
		scan_scopes(catalog, model->relid, NULL, describe_scope, state);
		table_close(catalog, AccessShareLock);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * SQL functions
 */

static void
copy_tuple(Relation catalog, HeapTuple tuple, void *arg)
{
	*(HeapTuple *) arg = heap_copytuple(tuple);
}

static Relation
open_scopes_for_write(void)
{
	Relation	catalog = open_scopes(RowExclusiveLock);

	if (catalog == NULL)
		corm_catalog_missing(SCOPES_CATALOG);
	return catalog;
}

/*
 * A change must reach plans of all models that the relation's scopes are
 * part of, so all of them go.
 */
static void
announce(Relation catalog)
{
	CacheInvalidateRelcache(catalog);
	CommandCounterIncrement();
}

/*
 * Clauses that say what a query is about, or which scopes it has, are the
 * query's own: in a scope they would come too late.
 */
static void
check_scope_clauses(List *clauses)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (corm_tree_is(clause, CORM_IS_SOURCE) || clause->tag == CORM_N_WITH || clause->tag == CORM_N_SCOPE ||
			clause->tag == CORM_N_UNSCOPED || clause->tag == CORM_N_ONLY_DELETED ||
			clause->tag == CORM_N_NO_DEFAULT_SCOPES)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.%s() cannot be part of a scope", clause->desc->func)));
	}
}

/*
 * corm_define_scope(model, name, q, is_default): stores a scope, in the place
 * of one of that name.  The query must be one that the model can take, which
 * is looked at last.
 */
Datum
corm_define_scope(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the name of the scope", "the query", "is_default"};
	Oid			relid = PG_GETARG_OID(0);
	char	   *name;
	Relation	rel;
	Relation	catalog;
	Datum		values[Natts_scopes];
	bool		nulls[Natts_scopes] = {false};
	HeapTuple	old = NULL;
	HeapTuple	tuple;

	corm_require_args(fcinfo, names, lengthof(names));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	rel = corm_lock_owned_model(relid, "corm.define_scope()");
	catalog = open_scopes_for_write();
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of a scope must not be empty")));
	check_scope_clauses(corm_stored_query((struct varlena *) DatumGetPointer(PG_GETARG_DATUM(2))));

	values[Anum_scopes_model - 1] = ObjectIdGetDatum(relid);
	values[Anum_scopes_name - 1] = PG_GETARG_DATUM(1);
	values[Anum_scopes_q - 1] = PG_GETARG_DATUM(2);
	values[Anum_scopes_is_default - 1] = PG_GETARG_DATUM(3);
	tuple = heap_form_tuple(RelationGetDescr(catalog), values, nulls);
	scan_scopes(catalog, relid, name, copy_tuple, &old);
	if (old)
		CatalogTupleUpdate(catalog, &old->t_self, tuple);
	else
		CatalogTupleInsert(catalog, tuple);
	announce(catalog);
	table_close(catalog, RowExclusiveLock);
	corm_catalogs_stored(relid);
	relation_close(rel, NoLock);

	/* with the scope in place: a default one that has itself in it is found out */
	(void) corm_resolve(PG_GETARG_BOOL(3) ? NIL :
						corm_stored_query((struct varlena *) DatumGetPointer(PG_GETARG_DATUM(2))), relid);
	PG_RETURN_VOID();
}

/* corm_drop_scope(model, name): 42703 if there is none of that name */
Datum
corm_drop_scope(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"the model", "the name of the scope"};
	Oid			relid = PG_GETARG_OID(0);
	char	   *name;
	Relation	rel;
	Relation	catalog;
	HeapTuple	old = NULL;

	corm_require_args(fcinfo, names, lengthof(names));
	name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	rel = corm_lock_owned_model(relid, "corm.drop_scope()");
	catalog = open_scopes_for_write();
	scan_scopes(catalog, relid, name, copy_tuple, &old);
	if (old == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown scope \"%s\" of model \"%s\"", name, RelationGetRelationName(rel))));
	CatalogTupleDelete(catalog, &old->t_self);
	announce(catalog);
	table_close(catalog, RowExclusiveLock);
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
