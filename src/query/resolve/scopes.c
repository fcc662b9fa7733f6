/*-------------------------------------------------------------------------
 *
 * scopes.c
 *		Named and default scopes: queries stored for a model.
 *
 * Only the owner of a model can define its scopes.  Their clauses run with the
 * privileges of the querying role.  We read and write corm.scopes without
 * privilege checks on that table, after checks on the model.  A change sends a
 * relcache invalidation at commit, which drops all models and plans in every
 * session.
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
 * Opens the catalog; NULL if the extension does not exist (any more).
 */
static Relation
open_scopes(LOCKMODE lockmode)
{
	return corm_catalog_open(SCOPES_CATALOG, lockmode, NULL);
}

typedef void (*ScopeCallback) (Relation catalog, HeapTuple tuple, void *arg);

/*
 * Calls back for each scope of a model, in order of name, or just for the
 * scope of the given name.
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
 * A model has the scopes of its own relation and, for a mapped composite type,
 * of the table.
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
 * corm_scope_clauses returns the clauses of a scope, NIL if it is empty.
 * Raises 42703 if the model has no scope of that name.
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
 * Makes a change of the catalog visible and invalidates all plans: the scopes
 * of a relation can be part of several models.
 */
static void
announce(Relation catalog)
{
	CacheInvalidateRelcache(catalog);
	CommandCounterIncrement();
}

/*
 * Raises 42601 for clauses that cannot be in a scope.  Those that set the
 * source or the scopes of a query would take effect too late.
 */
static void
check_scope_clauses(List *clauses)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (corm_tree_is(clause, CORM_IS_SOURCE) || clause->tag == CORM_N_WITH || clause->tag == CORM_N_WITH_RECURSIVE || clause->tag == CORM_N_SCOPE ||
			clause->tag == CORM_N_UNSCOPED || clause->tag == CORM_N_ONLY_DELETED ||
			clause->tag == CORM_N_NO_DEFAULT_SCOPES)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.%s() cannot be part of a scope", clause->desc->func)));
	}
}

/*
 * corm_define_scope(model, name, q, is_default) stores a scope, replacing one
 * of the same name.  Raises 42602 for an empty name, and what resolving the
 * query raises if the model cannot use it.  That check comes last, with the
 * scope already stored.
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

	/*
	 * now that the scope is stored, this detects a default scope that
	 * contains itself
	 */
	(void) corm_resolve(PG_GETARG_BOOL(3) ? NIL :
						corm_stored_query((struct varlena *) DatumGetPointer(PG_GETARG_DATUM(2))), relid);
	PG_RETURN_VOID();
}

/*
 * corm_drop_scope(model, name) deletes a scope.  Raises 42703 if it does not
 * exist.
 */
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
