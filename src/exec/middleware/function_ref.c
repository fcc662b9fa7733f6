/*-------------------------------------------------------------------------
 *
 * function_ref.c
 *		The type corm.function_ref: a stored reference to a middleware function.
 *
 * A value holds the OID of the function, so that it survives a rename, and so that a
 * new function with the name of a dropped one is not mistaken for it.  Its text form is
 * the signature, so that a dump can be restored.  The name is looked up once, when the
 * text is read.  If there is no such function, that is only a warning: one missing
 * function must not prevent a restore.  The value then stands for a function that does
 * not exist.  The signature of a dropped function is written with a mark, so that a
 * restore does not find another one by that name.
 *
 * pg_upgrade does not keep the OIDs of functions.  So the value also holds the
 * identifier of the cluster in which the OID is valid, and the signature and the owner
 * of the function.  In another cluster, a function with that signature is accepted as
 * the same function if its owner is the same role (pg_upgrade keeps role OIDs) or a
 * superuser.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "base/compat.h"
#include "base/schema.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "exec/middleware/function_ref.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#define DROPPED_MARK	" (dropped)"

PG_FUNCTION_INFO_V1(corm_function_ref_in);
PG_FUNCTION_INFO_V1(corm_function_ref_out);

struct CormFunctionRef
{
	int32		vl_len_;
	Oid			function;		/* InvalidOid: did not exist when the value
								 * was made */
	Oid			owner;
	uint32		cluster[2];		/* system identifier of the cluster */
	char		signature[FLEXIBLE_ARRAY_MEMBER];
};

static void
get_cluster(uint32 *cluster)
{
	uint64		identifier = GetSystemIdentifier();

	cluster[0] = (uint32) (identifier >> 32);
	cluster[1] = (uint32) identifier;
}

/*
 * corm_function_ref_make makes a reference to a function.  If that is InvalidOid, the
 * reference is to a signature of a function that does not exist.
 */
CormFunctionRef *
corm_function_ref_make(Oid function, const char *signature)
{
	const char *text = OidIsValid(function) ? format_procedure_qualified(function) : signature;
	Size		size = offsetof(CormFunctionRef, signature) + strlen(text) + 1;
	CormFunctionRef *ref = palloc0(size);
	HeapTuple	tuple;

	SET_VARSIZE(ref, size);
	ref->function = function;
	get_cluster(ref->cluster);
	strcpy(ref->signature, text);
	if (OidIsValid(function))
	{
		tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
		if (HeapTupleIsValid(tuple))
		{
			ref->owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
			ReleaseSysCache(tuple);
		}
	}
	return ref;
}

static Oid
get_corm_type(const char *name)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
						   ObjectIdGetDatum(corm_schema_oid()));
}

/*
 * corm_function_fits tells whether a function can be middleware: it takes a
 * query_context and returns a query_result.  Returns false if there is no such
 * function.
 */
bool
corm_function_fits(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		fits;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	fits = form->prokind == PROKIND_FUNCTION && form->pronargs == 1 && !form->proretset &&
		form->proargtypes.values[0] == get_corm_type("query_context") &&
		form->prorettype == get_corm_type("query_result");
	ReleaseSysCache(tuple);
	return fits;
}

/*
 * Looks up the function for a signature, schema.name(corm.query_context), without
 * checking the caller's privileges on the schema.  Returns InvalidOid if there is none
 * or if the text is not such a signature.
 */
static Oid
find_function(const char *signature)
{
	char	   *name = pstrdup(signature);
	char	   *parenthesis = strrchr(name, '(');
	Oid			context = get_corm_type("query_context");
	Oid			schema;
	List	   *names;

	if (parenthesis == NULL)
		return InvalidOid;
	*parenthesis = '\0';
	if (!SplitIdentifierString(name, '.', &names) || list_length(names) != 2)
		return InvalidOid;
	schema = get_namespace_oid(linitial(names), true);
	if (!OidIsValid(schema))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(lsecond(names)),
						   PointerGetDatum(buildoidvector(&context, 1)), ObjectIdGetDatum(schema));
}

/*
 * May a function that was found by name be accepted as the stored one?  Only if the
 * same owner or a superuser created it.
 */
static bool
may_be_same(Oid function, Oid owner)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			found;

	if (!HeapTupleIsValid(tuple))
		return false;
	found = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return found == owner || superuser_arg(found);
}

/*
 * corm_function_ref_resolve returns the function for a reference, or InvalidOid if it
 * no longer exists or cannot be middleware.
 */
Oid
corm_function_ref_resolve(const CormFunctionRef *ref)
{
	Oid			function = ref->function;
	uint32		cluster[2];

	if (!OidIsValid(function))
		return InvalidOid;
	get_cluster(cluster);
	if (ref->cluster[0] != cluster[0] || ref->cluster[1] != cluster[1])
	{
		function = find_function(ref->signature);
		if (OidIsValid(function) && !may_be_same(function, ref->owner))
			return InvalidOid;
	}
	return corm_function_fits(function) ? function : InvalidOid;
}

/*
 * corm_function_ref_signature returns the signature of a function, which may have been
 * renamed, or the last known signature.
 */
char *
corm_function_ref_signature(const CormFunctionRef *ref)
{
	Oid			function = corm_function_ref_resolve(ref);

	return OidIsValid(function) ? format_procedure_qualified(function) : pstrdup(ref->signature);
}

/* corm_function_ref_in reads a signature. */
Datum
corm_function_ref_in(PG_FUNCTION_ARGS)
{
	char	   *signature = pstrdup(PG_GETARG_CSTRING(0));
	int			len = strlen(signature) - strlen(DROPPED_MARK);
	Oid			function = InvalidOid;

	if (len > 0 && strcmp(signature + len, DROPPED_MARK) == 0)
		signature[len] = '\0';
	else
	{
		function = find_function(signature);
		if (!corm_function_fits(function))
		{
			function = InvalidOid;
			ereport(WARNING,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("middleware function %s does not exist", signature),
					 errdetail("The operations that it applies to will fail.")));
		}
	}
	PG_RETURN_POINTER(corm_function_ref_make(function, signature));
}

/*
 * corm_function_ref_out writes the signature; it does not raise an error if the
 * function is gone.
 */
Datum
corm_function_ref_out(PG_FUNCTION_ARGS)
{
	CormFunctionRef *ref = (CormFunctionRef *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	char	   *signature = corm_function_ref_signature(ref);

	if (!OidIsValid(corm_function_ref_resolve(ref)))
		signature = psprintf("%s%s", signature, DROPPED_MARK);
	PG_RETURN_CSTRING(signature);
}
