/*-------------------------------------------------------------------------
 *
 * middleware_list.c
 *		Registration of middleware: corm.use, corm.unuse, and the session's list
 *		of them.
 *
 * The functions for a model are read from corm.middleware_functions when a query first
 * uses the model.  So a session does not read the registrations for other models, and
 * an error in those cannot affect it.  When an invalidation message says that the table
 * has changed, everything is read again on demand.  Functions in C, which other
 * extensions add, are listed with those for all models.
 *
 * A function is looked up when it is called (function_ref.c).  If it no longer exists, the
 * entry stays, and the operations that it applies to fail: a missing filter must not let
 * everything pass.
 *
 * A list in use by a chain is kept until the chain ends, even if there is a newer one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/skey.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "exec/middleware/corm_middleware.h"
#include "exec/middleware/function_ref.h"
#include "exec/middleware/middleware_list.h"
#include "exec/plan/plan.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "model/catalogs.h"
#include "model/model.h"
#include "model/problems.h"
#include "model/registry.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define MIDDLEWARE_CATALOG						"middleware_functions"
#define MIDDLEWARE_SEQUENCE					"middleware_functions_id_seq"
#define Anum_middleware_id			1
#define Anum_middleware_fn			2
#define Anum_middleware_model		3
#define Anum_middleware_ops			4
#define Anum_middleware_priority	5
#define Natts_middleware			5

#define MAX_READS	4			/* after that, use the last result once */

PG_FUNCTION_INFO_V1(corm_use);
PG_FUNCTION_INFO_V1(corm_unuse);

CormMiddlewareState corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;

static CormMiddlewareList *current_list = NULL;
static Oid	catalog_oid = InvalidOid;	/* OID from the last lookup */

/* Functions in C, for the life of the process. */
static List *c_functions = NIL; /* of CormMiddleware, in TopMemoryContext */

static void add_entry(CormMiddlewareModel *entries, CormMiddleware *entry);
static void report_problems(CormProblems *problems);

#define NOPS		(CORM_CMD_RAW + 1)
#define ALL_OPS		((1 << NOPS) - 1)

/*
 * Marks the list as outdated.  Runs within invalidation processing.
 */
static void
catalog_changed(Oid relid)
{
	if (!OidIsValid(relid) || relid == catalog_oid)
		corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;
}

/*
 * corm_middleware_list_init asks the registry to report changes.
 */
void
corm_middleware_list_init(void)
{
	corm_catalogs_add(MIDDLEWARE_CATALOG);
	corm_registry_on_invalidation(catalog_changed);
	corm_problems_register(report_problems);
}

/*
 * The catalog
 */

static Relation
open_catalog(LOCKMODE lockmode)
{
	return corm_catalog_open(MIDDLEWARE_CATALOG, lockmode, &catalog_oid);
}

/*
 * Converts a list of operations to bits; NULL means all.
 */
static uint32
read_ops(ArrayType *ops)
{
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	uint32		bits = 0;

	if (ops == NULL)
		return ALL_OPS;
	deconstruct_array(ops, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = nulls[i] ? "" : TextDatumGetCString(elems[i]);
		uint32		bit = 0;

		for (int op = 0; op < NOPS; op++)
			if (pg_strcasecmp(name, corm_op_name(op)) == 0)
				bit = 1 << op;
		if (bit == 0)
			ereport(ERROR,
					(errcode(CORM_ERRCODE_BAD_OPTION),
					 errmsg("unrecognized operation \"%s\"", name),
					 errhint("Operations are SELECT, INSERT, UPDATE, DELETE and RAW.")));
		bits |= bit;
	}
	return bits;
}

/* Converts the bits to operation names in upper case. */
static ArrayType *
show_ops(uint32 bits)
{
	Datum		names[NOPS];
	int			n = 0;

	for (int op = 0; op < NOPS; op++)
		if (bits & (1 << op))
			names[n++] = CStringGetTextDatum(corm_op_name(op));
	return construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
read_entry(TupleDesc tupdesc, HeapTuple tuple, CormMiddleware *entry)
{
	bool		isnull;
	Datum		datum;

	memset(entry, 0, sizeof(CormMiddleware));
	entry->id = DatumGetInt32(heap_getattr(tuple, Anum_middleware_id, tupdesc, &isnull));
	entry->priority = DatumGetInt32(heap_getattr(tuple, Anum_middleware_priority, tupdesc, &isnull));
	datum = heap_getattr(tuple, Anum_middleware_fn, tupdesc, &isnull);
	entry->ref = (CormFunctionRef *) PG_DETOAST_DATUM_COPY(datum);
	datum = heap_getattr(tuple, Anum_middleware_ops, tupdesc, &isnull);
	entry->ops = read_ops(isnull ? NULL : DatumGetArrayTypeP(datum));
}

static int
compare_entries(const void *a, const void *b)
{
	const CormMiddleware *x = *(CormMiddleware *const *) a;
	const CormMiddleware *y = *(CormMiddleware *const *) b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x < y ? -1 : x > y;	/* both are in C */
}

/*
 * Returns the OID of the catalog's index on the model.
 */
static Oid
index_on_models(Relation catalog)
{
	Oid			result = InvalidOid;
	List	   *indexes = RelationGetIndexList(catalog);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_index->indkey.values[0] == Anum_middleware_model)
			result = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	if (!OidIsValid(result))
		elog(ERROR, "corm.%s has no index on its models", MIDDLEWARE_CATALOG);
	return result;
}

/*
 * Adds the catalog rows for a model to the entries of that model, or those for all
 * models if model is InvalidOid.  The entries are allocated in the list's memory.
 */
static void
read_entries(CormMiddlewareList *list, CormMiddlewareModel *entries)
{
	Relation	catalog = open_catalog(AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (catalog == NULL)
		return;
	if (OidIsValid(entries->model))
		ScanKeyInit(&key, Anum_middleware_model, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(entries->model));
	else
		ScanKeyEntryInitialize(&key, SK_ISNULL | SK_SEARCHNULL, Anum_middleware_model,
							   InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
	scan = systable_beginscan(catalog, index_on_models(catalog), true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CormMiddleware *entry = palloc(sizeof(CormMiddleware));

		read_entry(RelationGetDescr(catalog), tuple, entry);
		add_entry(entries, entry);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
add_entry(CormMiddlewareModel *entries, CormMiddleware *entry)
{
	if (entries->items == NULL)
		entries->items = palloc(sizeof(CormMiddleware *) * 4);
	else if (entries->n >= 4 && (entries->n & (entries->n - 1)) == 0)
		entries->items = repalloc(entries->items, sizeof(CormMiddleware *) * entries->n * 2);
	entries->items[entries->n++] = entry;
}

/*
 * Returns the functions registered for a model, outermost first, or those for all
 * models if model is InvalidOid.  The result belongs to the list.
 */
static CormMiddlewareModel *
entries_of(CormMiddlewareList *list, Oid model)
{
	CormMiddlewareModel *found = hash_search(list->models, &model, HASH_FIND, NULL);
	CormMiddlewareModel entries = {.model = model};
	MemoryContext oldcontext;
	ListCell   *lc;

	if (found)
		return found;

	oldcontext = MemoryContextSwitchTo(list->context);
	read_entries(list, &entries);
	if (!OidIsValid(model))
		foreach(lc, c_functions)
	{
		CormMiddleware *entry = palloc(sizeof(CormMiddleware));

		*entry = *(CormMiddleware *) lfirst(lc);
		add_entry(&entries, entry);
	}
	MemoryContextSwitchTo(oldcontext);
	if (entries.n > 1)
		qsort(entries.items, entries.n, sizeof(CormMiddleware *), compare_entries);
	found = hash_search(list->models, &model, HASH_ENTER, NULL);
	*found = entries;
	return found;
}

/*
 * corm_middleware_about returns the functions registered for the given relations and
 * for all models, outermost first, for any operation.  *n is set to the number of
 * entries.  The array belongs to the list or is allocated in the current context.
 */
CormMiddleware **
corm_middleware_about(CormMiddlewareList *list, const Oid *relids, int nrelids, int *n)
{
	CormMiddlewareModel *entries = entries_of(list, InvalidOid);
	CormMiddleware **all = entries->items;

	*n = entries->n;
	for (int i = 0; i < nrelids; i++)
	{
		CormMiddleware **both;

		entries = entries_of(list, relids[i]);
		if (entries->n == 0)
			continue;
		if (*n == 0)
		{
			all = entries->items;
			*n = entries->n;
			continue;
		}
		both = palloc(sizeof(CormMiddleware *) * (*n + entries->n));
		memcpy(both, all, sizeof(CormMiddleware *) * *n);
		memcpy(both + *n, entries->items, sizeof(CormMiddleware *) * entries->n);
		*n += entries->n;
		qsort(both, *n, sizeof(CormMiddleware *), compare_entries);
		*n = qunique(both, *n, sizeof(CormMiddleware *), compare_entries);
		all = both;
	}
	return all;
}

/*
 * Is anything registered at all?
 */
static bool
catalog_has_rows(void)
{
	Relation	catalog = open_catalog(AccessShareLock);
	SysScanDesc scan;
	bool		any;

	if (catalog == NULL)
		return false;
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	any = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return any;
}

/*
 * Makes a list, in its own memory context.
 */
static CormMiddlewareList *
make_list(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm middleware",
												  ALLOCSET_SMALL_SIZES);
	CormMiddlewareList *list = MemoryContextAllocZero(context, sizeof(CormMiddlewareList));
	HASHCTL		ctl = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(CormMiddlewareModel),
		.hcxt = context
	};

	list->context = context;
	list->any = c_functions != NIL || catalog_has_rows();
	list->models = hash_create("corm middleware of models", 32, &ctl,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return list;
}

/*
 * corm_middleware_release ends the use of a list.  It does not raise errors and may be
 * called during error recovery.
 */
void
corm_middleware_release(CormMiddlewareList *list)
{
	if (--list->in_use == 0 && list != current_list)
		MemoryContextDelete(list->context);
}

static void
set_current_list(CormMiddlewareList *list)
{
	CormMiddlewareList *old = current_list;

	MemoryContextSetParent(list->context, CacheMemoryContext);
	current_list = list;
	if (old && old->in_use == 0)
		MemoryContextDelete(old->context);
}

/*
 * corm_middleware_load makes sure that the session's list is up to date, and tells
 * whether there is any middleware.
 */
bool
corm_middleware_load(void)
{
	if (corm_middleware_state == CORM_MIDDLEWARE_SOME)
		return true;

	for (int reads = 0; reads < MAX_READS; reads++)
	{
		corm_middleware_state = CORM_MIDDLEWARE_READING;
		set_current_list(make_list());
		if (corm_middleware_state == CORM_MIDDLEWARE_READING)
		{
			corm_middleware_state = current_list->any ? CORM_MIDDLEWARE_SOME : CORM_MIDDLEWARE_NONE;
			break;
		}
	}
	return current_list->any;
}

/*
 * corm_middleware_list returns the list that corm_middleware_load has read and marks it
 * as in use.  The caller must call corm_middleware_release.
 */
CormMiddlewareList *
corm_middleware_list(void)
{
	current_list->in_use++;
	return current_list;
}

/*
 * corm_middleware_add_c adds a function in C, replacing one of the same name.
 */
void
corm_middleware_add_c(const char *name, CormMiddlewareFunction function, void *arg, int priority)
{
	MemoryContext oldcontext;
	CormMiddleware *entry;

	(void) corm_middleware_remove_c(name);
	oldcontext = MemoryContextSwitchTo(TopMemoryContext);
	entry = palloc0(sizeof(CormMiddleware));
	entry->name = pstrdup(name);
	entry->priority = priority;
	entry->ops = ALL_OPS;
	entry->c_function = function;
	entry->c_arg = arg;
	c_functions = lappend(c_functions, entry);
	MemoryContextSwitchTo(oldcontext);
	corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;
}

/*
 * corm_middleware_remove_c removes a function in C; returns false if there is none of
 * that name.
 */
bool
corm_middleware_remove_c(const char *name)
{
	ListCell   *lc;

	foreach(lc, c_functions)
	{
		CormMiddleware *entry = lfirst(lc);

		if (strcmp(entry->name, name) != 0)
			continue;
		/* do not free it: a running chain may still use it */
		c_functions = foreach_delete_current(c_functions, lc);
		corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;
		return true;
	}
	return false;
}

/*
 * Registration
 */

/*
 * Raises 42501 unless the user owns the model.  To register for all models, the user
 * needs the corresponding privilege on the catalog.
 */
static void
check_rights(Oid model, AclMode privilege)
{
	Relation	rel;

	if (!OidIsValid(model))
	{
		Oid			catalog = corm_catalog_oid(MIDDLEWARE_CATALOG);

		if (!OidIsValid(catalog))
			corm_catalog_missing(MIDDLEWARE_CATALOG);
		if (pg_class_aclcheck(catalog, GetUserId(), privilege) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for middleware of all models"),
					 errhint("Only superusers and roles with the privilege to %s corm.middleware_functions may do that.",
							 privilege == ACL_INSERT ? "INSERT into" : "DELETE from")));
		corm_catalogs_changed();
		return;
	}
	rel = corm_lock_owned_model(model, privilege == ACL_INSERT ? "corm.use()" : "corm.unuse()");
	relation_close(rel, NoLock);
}

/*
 * Raises 42883, 42P13 or 42501 unless a function can be middleware and the
 * user may execute it.
 */
static void
check_function(Oid function)
{
	AclResult	acl;

	if (!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(function)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	if (!corm_function_fits(function))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s cannot be middleware", format_procedure(function)),
				 errdetail("It must take one argument of type corm.query_context and return corm.query_result.")));
	acl = corm_function_aclcheck(function, GetUserId());
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FUNCTION, get_func_name(function));
}

/*
 * corm_use(fn, model, ops, priority): registers a middleware and returns its number.
 */
Datum
corm_use(PG_FUNCTION_ARGS)
{
	Oid			function;
	Oid			model = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
	Relation	catalog;
	Datum		values[Natts_middleware];
	bool		nulls[Natts_middleware] = {false};
	int32		id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the function must not be null")));
	function = PG_GETARG_OID(0);
	PreventCommandIfReadOnly("corm.use()");
	PreventCommandIfParallelMode("corm.use()");
	check_rights(model, ACL_INSERT);
	check_function(function);
	if (OidIsValid(model))
		(void) corm_model_get(model);

	catalog = open_catalog(RowExclusiveLock);
	if (catalog == NULL)
		corm_catalog_missing(MIDDLEWARE_CATALOG);
	id = (int32) nextval_internal(corm_catalog_oid(MIDDLEWARE_SEQUENCE), false);
	values[Anum_middleware_id - 1] = Int32GetDatum(id);
	values[Anum_middleware_fn - 1] = PointerGetDatum(corm_function_ref_make(function, NULL));
	values[Anum_middleware_model - 1] = ObjectIdGetDatum(model);
	nulls[Anum_middleware_model - 1] = !OidIsValid(model);
	nulls[Anum_middleware_ops - 1] = PG_ARGISNULL(2);
	if (!PG_ARGISNULL(2))
		values[Anum_middleware_ops - 1] = PointerGetDatum(show_ops(read_ops(PG_GETARG_ARRAYTYPE_P(2))));
	values[Anum_middleware_priority - 1] = Int32GetDatum(PG_ARGISNULL(3) ? 100 : PG_GETARG_INT32(3));
	CatalogTupleInsert(catalog, heap_form_tuple(RelationGetDescr(catalog), values, nulls));
	CacheInvalidateRelcache(catalog);
	table_close(catalog, RowExclusiveLock);
	corm_catalogs_stored(model);

	/* Make it visible to the rest of the statement. */
	CommandCounterIncrement();
	PG_RETURN_INT32(id);
}

/* corm_unuse(id): removes a middleware; false if there is none with that number */
Datum
corm_unuse(PG_FUNCTION_ARGS)
{
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;
	Datum		model;

	PreventCommandIfReadOnly("corm.unuse()");
	PreventCommandIfParallelMode("corm.unuse()");
	catalog = open_catalog(RowExclusiveLock);
	if (catalog == NULL)
		PG_RETURN_BOOL(false);
	ScanKeyInit(&key, Anum_middleware_id, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(PG_GETARG_INT32(0)));
	scan = systable_beginscan(catalog, corm_primary_key_index(catalog), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		model = heap_getattr(tuple, Anum_middleware_model, RelationGetDescr(catalog), &isnull);
		check_rights(isnull ? InvalidOid : DatumGetObjectId(model), ACL_DELETE);
		CatalogTupleDelete(catalog, &tuple->t_self);
		CacheInvalidateRelcache(catalog);
	}
	systable_endscan(scan);
	table_close(catalog, RowExclusiveLock);

	CommandCounterIncrement();
	PG_RETURN_BOOL(HeapTupleIsValid(tuple));
}

/*
 * Reports the problems of a registration, for corm.model_problems.
 */
static void
report_entry(CormProblems *problems, Oid model, const CormMiddleware *entry)
{
	Oid			function = corm_function_ref_resolve(entry->ref);
	char	   *name = corm_function_ref_signature(entry->ref);

	if (!OidIsValid(function))
		corm_problem_add(problems, model, "middleware", name, "The function does not exist.",
						 psprintf("Remove it with SELECT corm.unuse(%d), and register the intended function.",
								  entry->id));
	else if (corm_function_aclcheck(function, GetUserId()) != ACLCHECK_OK)
		corm_problem_add(problems, model, "middleware", name,
						 psprintf("Role %s may not execute the function.",
								  GetUserNameFromId(GetUserId(), false)),
						 "Grant the privilege to those who use the model.");
}

/*
 * Adds the problems of registrations to corm.model_problems.
 */
static void
report_problems(CormProblems *problems)
{
	Relation	catalog = open_catalog(AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;

	if (catalog == NULL)
		return;
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CormMiddleware entry;
		bool		isnull;
		Datum		model = heap_getattr(tuple, Anum_middleware_model, RelationGetDescr(catalog), &isnull);

		CHECK_FOR_INTERRUPTS();
		read_entry(RelationGetDescr(catalog), tuple, &entry);
		report_entry(problems, isnull ? InvalidOid : DatumGetObjectId(model), &entry);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}
