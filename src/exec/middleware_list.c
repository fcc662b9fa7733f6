/*-------------------------------------------------------------------------
 *
 * middleware_list.c
 *		Which functions are middleware: corm.use, corm.unuse, and the
 *		session's list of them.
 *
 * The list is read from corm.middleware_functions when it is first needed and
 * again when that table or any function has changed; PostgreSQL's messages
 * tell.  Functions written in C, which other extensions add, stand in it too.
 *
 * A function is stored by its signature.  If there is no such function (any
 * more) the entry stays, and what it would have been called for fails: a
 * filter that is missing must not let everything pass.
 *
 * A list that a chain runs through is kept until the chain has ended, even
 * if there is a newer one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "exec/exec.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#define MIDDLEWARE_CATALOG						"middleware_functions"
#define MIDDLEWARE_SEQUENCE					"middleware_functions_id_seq"
#define Anum_middleware_id			1
#define Anum_middleware_fn			2
#define Anum_middleware_model		3
#define Anum_middleware_ops			4
#define Anum_middleware_priority	5
#define Natts_middleware			5

#define MAX_READS	4				/* then use what there is, once */

PG_FUNCTION_INFO_V1(corm_use);
PG_FUNCTION_INFO_V1(corm_unuse);

CormMiddlewareState corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;

static CormMiddlewareList *current_list = NULL;
static Oid	catalog_oid = InvalidOid;	/* as last looked up */

/* Functions in C, for the life of the process. */
static List *c_functions = NIL; /* of CormMiddleware, in TopMemoryContext */

static const char *const op_names[] = {
	[CORM_CMD_SELECT] = "SELECT",
	[CORM_CMD_INSERT] = "INSERT",
	[CORM_CMD_UPDATE] = "UPDATE",
	[CORM_CMD_DELETE] = "DELETE",
	[CORM_CMD_RAW] = "RAW",
};

#define ALL_OPS		((1 << lengthof(op_names)) - 1)

/*
 * corm_op_name returns the name of an operation.
 */
const char *
corm_op_name(CormCommand command)
{
	return op_names[command];
}

/*
 * Marks the list outdated; runs within invalidation processing.
 */
static void
catalog_changed(Oid relid)
{
	if (!OidIsValid(relid) || relid == catalog_oid)
		corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;
}

/*
 * corm_middleware_list_init has the registry tell of changes.
 */
void
corm_middleware_list_init(void)
{
	corm_registry_watch_catalog(MIDDLEWARE_CATALOG);
	corm_registry_on_invalidation(catalog_changed);
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
 * The bits of a list of operations; NULL: all.
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

		for (int op = 0; op < lengthof(op_names); op++)
			if (pg_strcasecmp(name, op_names[op]) == 0)
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

/* The same bits as names in capitals. */
static ArrayType *
show_ops(uint32 bits)
{
	Datum		names[lengthof(op_names)];
	int			n = 0;

	for (int op = 0; op < lengthof(op_names); op++)
		if (bits & (1 << op))
			names[n++] = CStringGetTextDatum(op_names[op]);
	return construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT);
}

/*
 * The function of a signature, or InvalidOid.
 */
static Oid
find_function(text *signature)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		function;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(signature);
	fcinfo->args[0].isnull = false;
	function = to_regprocedure(fcinfo);
	return fcinfo->isnull ? InvalidOid : DatumGetObjectId(function);
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
	entry->name = TextDatumGetCString(datum);
	entry->function = find_function(DatumGetTextPP(datum));
	if (OidIsValid(entry->function))
	{
		Oid		   *argtypes;
		int			nargs;

		(void) get_func_signature(entry->function, &argtypes, &nargs);
		entry->context_type = argtypes[0];
	}
	datum = heap_getattr(tuple, Anum_middleware_model, tupdesc, &isnull);
	entry->model = isnull ? InvalidOid : DatumGetObjectId(datum);
	datum = heap_getattr(tuple, Anum_middleware_ops, tupdesc, &isnull);
	entry->ops = read_ops(isnull ? NULL : DatumGetArrayTypeP(datum));
}

static int
compare_entries(const void *a, const void *b)
{
	const CormMiddleware *x = a;
	const CormMiddleware *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/*
 * Reads the list anew, in a context of its own.
 */
static CormMiddlewareList *
read_list(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm middleware",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(context);
	CormMiddlewareList *list = palloc0(sizeof(CormMiddlewareList));
	Relation	catalog = open_catalog(AccessShareLock);
	int			size = 8 + list_length(c_functions);
	ListCell   *lc;

	list->context = context;
	list->function_changes = corm_hooks_changes();
	list->items = palloc(sizeof(CormMiddleware) * size);
	foreach(lc, c_functions)
		list->items[list->n++] = *(CormMiddleware *) lfirst(lc);

	if (catalog)
	{
		SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
		HeapTuple	tuple;

		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			if (list->n == size)
			{
				size *= 2;
				list->items = repalloc(list->items, sizeof(CormMiddleware) * size);
			}
			read_entry(RelationGetDescr(catalog), tuple, &list->items[list->n++]);
		}
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
	qsort(list->items, list->n, sizeof(CormMiddleware), compare_entries);
	MemoryContextSwitchTo(oldcontext);
	return list;
}

/*
 * corm_middleware_release ends the use of a list.  It may be called while an
 * error passes by.
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
 * corm_middleware_load tells whether there is any middleware, after making
 * sure that the session's list is true.
 */
bool
corm_middleware_load(void)
{
	if (corm_middleware_state == CORM_MIDDLEWARE_SOME &&
		current_list->function_changes == corm_hooks_changes())
		return true;

	for (int reads = 0; reads < MAX_READS; reads++)
	{
		corm_middleware_state = CORM_MIDDLEWARE_READING;
		set_current_list(read_list());
		if (corm_middleware_state == CORM_MIDDLEWARE_READING)
		{
			corm_middleware_state = current_list->n > 0 ? CORM_MIDDLEWARE_SOME : CORM_MIDDLEWARE_NONE;
			break;
		}
	}
	return current_list->n > 0;
}

/*
 * corm_middleware_list returns the list that corm_middleware_load has read, in
 * use: the caller ends that with corm_middleware_release.
 */
CormMiddlewareList *
corm_middleware_list(void)
{
	current_list->in_use++;
	return current_list;
}

/*
 * corm_middleware_add_c adds a function in C, in place of one of that name.
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
 * corm_middleware_remove_c removes a function in C; false if there is none of
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
		/* the memory stays: a chain may be running through it */
		c_functions = foreach_delete_current(c_functions, lc);
		corm_middleware_state = CORM_MIDDLEWARE_UNKNOWN;
		return true;
	}
	return false;
}

/*
 * Registering
 */

/*
 * Raises 42501 unless the user owns the model, or for all models has the
 * privilege on the catalog that says so.
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
					 errhint("It takes a superuser, or the privilege to %s corm.middleware_functions.",
							 privilege == ACL_INSERT ? "INSERT into" : "DELETE from")));
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
	Oid			schema = corm_schema_oid();
	Oid			context = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										  CStringGetDatum("query_context"), ObjectIdGetDatum(schema));
	Oid			result = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										 CStringGetDatum("query_result"), ObjectIdGetDatum(schema));
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		fits;
	AclResult	acl;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	fits = form->prokind == PROKIND_FUNCTION && form->pronargs == 1 && !form->proretset &&
		form->proargtypes.values[0] == context && form->prorettype == result;
	ReleaseSysCache(tuple);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s cannot be middleware", format_procedure(function)),
				 errdetail("It must take one argument of type corm.query_context and return corm.query_result.")));
	acl = corm_function_aclcheck(function, GetUserId());
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FUNCTION, get_func_name(function));
}

/*
 * corm_use(fn, model, ops, priority): registers a middleware, returns its
 * number.
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
	values[Anum_middleware_fn - 1] = CStringGetTextDatum(format_procedure_qualified(function));
	values[Anum_middleware_model - 1] = ObjectIdGetDatum(model);
	nulls[Anum_middleware_model - 1] = !OidIsValid(model);
	nulls[Anum_middleware_ops - 1] = PG_ARGISNULL(2);
	if (!PG_ARGISNULL(2))
		values[Anum_middleware_ops - 1] = PointerGetDatum(show_ops(read_ops(PG_GETARG_ARRAYTYPE_P(2))));
	values[Anum_middleware_priority - 1] = Int32GetDatum(PG_ARGISNULL(3) ? 100 : PG_GETARG_INT32(3));
	CatalogTupleInsert(catalog, heap_form_tuple(RelationGetDescr(catalog), values, nulls));
	CacheInvalidateRelcache(catalog);
	table_close(catalog, RowExclusiveLock);
	corm_registry_stored(model);

	/* The rest of the statement sees it already. */
	CommandCounterIncrement();
	PG_RETURN_INT32(id);
}

/* corm_unuse(id): removes a middleware; false if there is none of that number */
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
