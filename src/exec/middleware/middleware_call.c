/*-------------------------------------------------------------------------
 *
 * middleware_call.c
 *		Calling one of the functions that are middleware, if it is in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "exec/exec.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/*
 * corm_middleware_look_up finds the function of an entry of a list, whose memory
 * context is given, anew if any function has changed since.
 */
void
corm_middleware_look_up(CormMiddleware *entry, MemoryContext list_context)
{
	uint64		changes = corm_hooks_changes();
	char	   *name;

	if (entry->c_function || entry->changes == changes)
		return;
	name = corm_function_ref_signature(entry->ref);
	if (entry->name)
		pfree(entry->name);
	entry->name = MemoryContextStrdup(list_context, name);
	entry->function = corm_function_ref_resolve(entry->ref);
	if (OidIsValid(entry->function))
	{
		Oid		   *argtypes;
		int			nargs;

		(void) get_func_signature(entry->function, &argtypes, &nargs);
		entry->context_type = argtypes[0];
	}
	/* if it is busy, this holds from its next call on that is not within it */
	entry->is_prepared = false;
	entry->changes = changes;
}

/*
 * corm_middleware_as_whom changes the user and the security context of a call
 * to those which the code of the function will have.
 */
void
corm_middleware_as_whom(const CormMiddleware *entry, Oid *user, int *security)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(entry->function));

	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prosecdef)
	{
		*user = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
		*security |= SECURITY_LOCAL_USERID_CHANGE;
	}
	ReleaseSysCache(tuple);
}

/*
 * corm_middleware_call calls a function of a list, whose memory context is
 * given, and returns its result.  Raises 42883 if there is no such function,
 * 42501 if the user may not call it, 22004 if it returns NULL.
 *
 * What fmgr and the function's language keep for it is kept from call to call,
 * but one at a time may use it, and not after an error.
 */
Datum
corm_middleware_call(CormMiddleware *entry, Datum context, MemoryContext list_context)
{
	LOCAL_FCINFO(fcinfo, 1);
	FmgrInfo	local;
	FmgrInfo   *function = &entry->call;
	bool		is_shared = !entry->is_busy;
	AclResult	acl;
	Datum		result;

	/* another session may have dropped it since it was looked up */
	if (!OidIsValid(entry->function) || !SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(entry->function)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s, which is middleware, does not exist", entry->name),
				 errhint("Remove it with SELECT corm.unuse(%d), and register the function that is meant.", entry->id)));
	acl = corm_function_aclcheck(entry->function, GetUserId());
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FUNCTION, entry->name);
	InvokeFunctionExecuteHook(entry->function);

	if (!is_shared)
	{
		fmgr_info(entry->function, &local);
		function = &local;
	}
	else if (!entry->is_prepared)
	{
		/* what an error has left of the last one is of no use any more */
		if (entry->call_context)
			MemoryContextReset(entry->call_context);
		else
			entry->call_context = AllocSetContextCreate(list_context, "corm middleware function",
														ALLOCSET_SMALL_SIZES);
		fmgr_info_cxt(entry->function, function, entry->call_context);
		entry->is_prepared = true;
	}

	InitFunctionCallInfoData(*fcinfo, function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = context;
	fcinfo->args[0].isnull = false;
	if (!is_shared)
		result = FunctionCallInvoke(fcinfo);
	else
	{
		entry->is_busy = true;
		PG_TRY();
		{
			result = FunctionCallInvoke(fcinfo);
		}
		PG_CATCH();
		{
			entry->is_busy = false;
			entry->is_prepared = false;
			PG_RE_THROW();
		}
		PG_END_TRY();
		entry->is_busy = false;
	}
	if (fcinfo->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("middleware %s returned null", entry->name),
				 errhint("Return what corm.next() or corm.result_of() gives.")));
	return result;
}
