/*-------------------------------------------------------------------------
 *
 * methods.c
 *		Functions of a row type: iterate_methods.
 *
 * A method is a function whose first argument is the row type.  Methods that
 * are not volatile can be called, with zero values for the other arguments
 * (0, false, the empty string, the empty array; null for other types).  They
 * run by SPI in read-only mode, each in a subtransaction, so that the error
 * of one is a column of its row.
 *
 * Any role can define a function on any row type.  To call it here would lend it
 * the caller's privileges without being asked, so only functions of the caller,
 * of the row type's owner and of superusers are called.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

typedef struct Method
{
	Oid			oid;
	char	   *name;
	Oid			owner;
	Oid			schema;
	bool		is_volatile;
	bool		returns_set;
	bool		is_variadic;
	Oid			result;
	int			nargs;
	Oid		   *args;
	int			noutputs;
	Oid		   *outputs;
} Method;

static bool is_method(HeapTuple tuple, Oid typid);
static Method *read_method(HeapTuple tuple);
static int	compare_methods(const ListCell *a, const ListCell *b);
static List *find_methods(Oid typid);
static bool is_trusted(const Method *method, Oid owner);
static char *why_not_callable(const Method *method);
static Datum zero_value(Oid type, bool *isnull);
static Datum call_method(const Method *method, Datum row, bool row_is_null, bool *isnull);
static Datum try_method(const Method *method, Datum row, bool row_is_null,
						bool *isnull, char **error);
static Datum type_array(int n, const Oid *types);

/*
 * is_method returns whether a row of pg_proc is a method of typid that the
 * user may call.
 */
static bool
is_method(HeapTuple tuple, Oid typid)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Oid			role = GetUserId();

	return form->prokind == PROKIND_FUNCTION &&
		form->pronargs > 0 && form->proargtypes.values[0] == typid &&
		!isOtherTempNamespace(form->pronamespace) &&
		corm_schema_aclcheck(form->pronamespace, role, ACL_USAGE) == ACLCHECK_OK &&
		corm_function_aclcheck(form->oid, role) == ACLCHECK_OK;
}

/*
 * read_method copies what is needed of a row of pg_proc into the current
 * memory context.
 */
static Method *
read_method(HeapTuple tuple)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Method	   *method = palloc0(sizeof(Method));
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			nall = get_func_arg_info(tuple, &types, &names, &modes);

	method->oid = form->oid;
	method->name = pstrdup(NameStr(form->proname));
	method->owner = form->proowner;
	method->schema = form->pronamespace;
	method->is_volatile = form->provolatile == PROVOLATILE_VOLATILE;
	method->returns_set = form->proretset;
	method->is_variadic = OidIsValid(form->provariadic);
	method->result = form->prorettype;
	method->nargs = form->pronargs;
	method->args = palloc(sizeof(Oid) * form->pronargs);
	memcpy(method->args, form->proargtypes.values, sizeof(Oid) * form->pronargs);

	/* Output parameters say more than the return type, which is then record. */
	method->outputs = palloc(sizeof(Oid) * (nall + 1));
	for (int i = 0; modes != NULL && i < nall; i++)
	{
		if (modes[i] == PROARGMODE_OUT || modes[i] == PROARGMODE_INOUT ||
			modes[i] == PROARGMODE_TABLE)
			method->outputs[method->noutputs++] = types[i];
	}
	if (method->noutputs == 0 && method->result != VOIDOID)
		method->outputs[method->noutputs++] = method->result;

	return method;
}

/*
 * compare_methods orders methods by name, those of one name by their OIDs.
 */
static int
compare_methods(const ListCell *a, const ListCell *b)
{
	const Method *x = lfirst(a);
	const Method *y = lfirst(b);
	int			order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	return x->oid < y->oid ? -1 : 1;
}

/*
 * find_methods returns the methods of a row type that the user may call, in
 * order.
 */
static List *
find_methods(Oid typid)
{
	List	   *methods = NIL;
	Relation	proc = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(proc, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (is_method(tuple, typid))
			methods = lappend(methods, read_method(tuple));
	}
	systable_endscan(scan);
	table_close(proc, AccessShareLock);

	list_sort(methods, compare_methods);
	return methods;
}

/*
 * is_trusted returns whether a method belongs to a role whose code the caller
 * runs anyway; owner is the row type's.
 */
static bool
is_trusted(const Method *method, Oid owner)
{
	return method->owner == owner || method->owner == GetUserId() ||
		superuser_arg(method->owner);
}

/*
 * why_not_callable returns why a method cannot be called with zero values, or
 * NULL.
 */
static char *
why_not_callable(const Method *method)
{
	for (int i = 1; i < method->nargs; i++)
	{
		if (get_typtype(method->args[i]) == TYPTYPE_PSEUDO)
			return psprintf("there is no zero value of type %s", format_type_be(method->args[i]));
	}

	/* trigger, internal and so on; a record in JSON is fine */
	if (get_typtype(method->result) == TYPTYPE_PSEUDO &&
		method->result != RECORDOID && method->result != VOIDOID)
		return psprintf("a result of type %s cannot be shown", format_type_be(method->result));
	if (method->result == RECORDOID && method->noutputs == 1 && method->outputs[0] == RECORDOID &&
		method->returns_set)
		return pstrdup("the columns of the result are not known");

	return NULL;
}

/*
 * zero_value returns what a variable of a type holds before anything is
 * assigned to it in languages where it is not null.
 */
static Datum
zero_value(Oid type, bool *isnull)
{
	const char *literal = NULL;
	Oid			function;
	Oid			ioparam;

	switch (TypeCategory(type))
	{
		case TYPCATEGORY_NUMERIC:
		case TYPCATEGORY_TIMESPAN:
			literal = "0";
			break;
		case TYPCATEGORY_BOOLEAN:
			literal = "false";
			break;
		case TYPCATEGORY_STRING:
			literal = "";
			break;
		case TYPCATEGORY_ARRAY:
			literal = "{}";
			break;
		default:
			break;
	}

	*isnull = (literal == NULL);
	if (literal == NULL)
		return (Datum) 0;
	getTypeInputInfo(type, &function, &ioparam);
	return OidInputFunctionCall(function, unconstify(char *, literal), ioparam, -1);
}

/*
 * call_method calls a method and returns its result as jsonb, in the memory
 * context that is current at the call.
 */
static Datum
call_method(const Method *method, Datum row, bool row_is_null, bool *isnull)
{
	MemoryContext context = CurrentMemoryContext;
	StringInfoData sql;
	StringInfoData call;
	Datum	   *values = palloc(sizeof(Datum) * method->nargs);
	char	   *nulls = palloc(method->nargs);
	Datum		result = (Datum) 0;

	initStringInfo(&call);
	appendStringInfo(&call, "%s(",
					 quote_qualified_identifier(get_namespace_name(method->schema), method->name));
	for (int i = 0; i < method->nargs; i++)
	{
		bool		is_null = row_is_null;

		values[i] = i == 0 ? row : zero_value(method->args[i], &is_null);
		nulls[i] = is_null ? 'n' : ' ';
		appendStringInfo(&call, "%s%s$%d", i > 0 ? ", " : "",
						 method->is_variadic && i == method->nargs - 1 ? "VARIADIC " : "", i + 1);
	}
	appendStringInfoChar(&call, ')');

	initStringInfo(&sql);
	if (method->result == VOIDOID)
		appendStringInfo(&sql, "SELECT NULL::pg_catalog.jsonb FROM %s", call.data);
	else if (method->returns_set)
		appendStringInfo(&sql,
						 "SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(corm_row)), '[]') FROM %s AS corm_row",
						 call.data);
	else
		appendStringInfo(&sql, "SELECT pg_catalog.to_jsonb(%s)", call.data);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(sql.data, method->nargs, method->args, values, nulls, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	*isnull = true;
	if (SPI_processed > 0)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);

		if (!*isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			result = JsonbPGetDatum(DatumGetJsonbPCopy(value));
			MemoryContextSwitchTo(old);
		}
	}
	SPI_finish();

	return result;
}

/*
 * try_method calls a method in a subtransaction.  If that fails, *error is the
 * message.  A cancel request is not the method's error.
 */
static Datum
try_method(const Method *method, Datum row, bool row_is_null, bool *isnull, char **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile Datum result = (Datum) 0;

	*isnull = true;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		result = call_method(method, row, row_is_null, isnull);
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

		if (data->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(data);
		*error = data->message;
		*isnull = true;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	return result;
}

/*
 * type_array makes a regtype[].
 */
static Datum
type_array(int n, const Oid *types)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		datums[i] = ObjectIdGetDatum(types[i]);
	return PointerGetDatum(construct_array(datums, n, REGTYPEOID, sizeof(Oid), true, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(corm_iterate_methods);
Datum		corm_iterate_methods(PG_FUNCTION_ARGS);

/*
 * corm_iterate_methods is corm.iterate_methods(rec anyelement, invoke boolean).
 */
Datum
corm_iterate_methods(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			typid = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 0));
	bool		invoke = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Oid			relid = get_typ_typrelid(typid);
	Oid			owner = InvalidOid;
	HeapTuple	tuple;
	ListCell   *lc;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type with a name", format_type_be(typid))));
	InitMaterializedSRF(fcinfo, 0);

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}

	foreach(lc, find_methods(typid))
	{
		Method	   *method = lfirst(lc);
		Datum		values[6];
		bool		nulls[6] = {false, false, false, false, true, true};
		char	   *error = NULL;

		CHECK_FOR_INTERRUPTS();
		if (invoke && !method->is_volatile)
		{
			error = why_not_callable(method);
			if (error == NULL && !is_trusted(method, owner))
				error = "not called, because it belongs to another user";
			if (error == NULL)
				values[4] = try_method(method, PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0),
									   PG_ARGISNULL(0), &nulls[4], &error);
		}

		values[0] = CStringGetTextDatum(method->name);
		values[1] = ObjectIdGetDatum(method->oid);
		values[2] = type_array(method->nargs, method->args);
		values[3] = type_array(method->noutputs, method->outputs);
		nulls[5] = (error == NULL);
		if (error != NULL)
			values[5] = CStringGetTextDatum(error);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}

	return (Datum) 0;
}
