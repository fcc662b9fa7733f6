/*-------------------------------------------------------------------------
 *
 * refs.c
 *		The types corm.relation_ref and corm.role_ref, of which corm's catalogs
 *		are made.
 *
 * They are like regclass and regrole: an OID inside, so that renames are
 * followed and pg_upgrade finds it again; a name outside, so that dumps
 * restore.  The difference is that a name of something that does not exist is
 * no error, but a warning: a dump can be of a part of a database, and roles
 * belong to the cluster.  One row about a table that is not there must not
 * lose the whole catalog, which COPY reads as one command.  The value is then
 * CORM_MISSING_REF, and the trigger on the catalog (triggers.c) leaves the row
 * out.
 *
 * A number is no name here: it would mean whatever has that OID in the
 * database that is restored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "model/catalogs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(corm_relation_ref_in);
PG_FUNCTION_INFO_V1(corm_relation_ref_out);
PG_FUNCTION_INFO_V1(corm_role_ref_in);
PG_FUNCTION_INFO_V1(corm_role_ref_out);
PG_FUNCTION_INFO_V1(corm_ref_recv);
PG_FUNCTION_INFO_V1(corm_ref_send);

static bool is_number(const char *string);
static List *read_name(const char *string);
static void warn_missing(const char *what, const char *name);

/*
 * is_number tells whether a string is an OID as the output functions write one
 * that has no name.
 */
static bool
is_number(const char *string)
{
	return string[0] != '\0' && strspn(string, "0123456789") == strlen(string);
}

/*
 * read_name splits a name into its parts; 42602 if it is none.
 */
static List *
read_name(const char *string)
{
	return textToQualifiedNameList(cstring_to_text(string));
}

/*
 * warn_missing says that something is not there.
 */
static void
warn_missing(const char *what, const char *name)
{
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("%s %s does not exist", what, name),
			 errdetail("What corm has stored about it is left out.")));
}

/*
 * corm_relation_ref_in reads the name of a relation, as regclass does.
 */
Datum
corm_relation_ref_in(PG_FUNCTION_ARGS)
{
	char	   *string = PG_GETARG_CSTRING(0);
	Oid			relid = InvalidOid;

	if (!is_number(string))
		relid = RangeVarGetRelid(makeRangeVarFromNameList(read_name(string)), NoLock, true);
	if (!OidIsValid(relid))
	{
		warn_missing("relation", string);
		relid = CORM_MISSING_REF;
	}
	PG_RETURN_OID(relid);
}

/*
 * corm_relation_ref_out writes the name of a relation, as regclass does.
 */
Datum
corm_relation_ref_out(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(regclassout, ObjectIdGetDatum(PG_GETARG_OID(0)));
}

/*
 * corm_role_ref_in reads the name of a role, as regrole does; - is PUBLIC.
 */
Datum
corm_role_ref_in(PG_FUNCTION_ARGS)
{
	char	   *string = PG_GETARG_CSTRING(0);
	Oid			role = InvalidOid;

	if (strcmp(string, "-") == 0)
		PG_RETURN_OID(InvalidOid);

	if (!is_number(string))
	{
		List	   *names = read_name(string);

		if (list_length(names) != 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("invalid name syntax")));
		role = get_role_oid(strVal(linitial(names)), true);
	}
	if (!OidIsValid(role))
	{
		warn_missing("role", string);
		role = CORM_MISSING_REF;
	}
	PG_RETURN_OID(role);
}

/*
 * corm_role_ref_out writes the name of a role, as regrole does.
 */
Datum
corm_role_ref_out(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(regroleout, ObjectIdGetDatum(PG_GETARG_OID(0)));
}

/*
 * corm_ref_recv reads a reference from a client: an OID, as regclass does.
 */
Datum
corm_ref_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);

	PG_RETURN_OID((Oid) pq_getmsgint(buf, sizeof(Oid)));
}

/*
 * corm_ref_send writes a reference for a client: an OID.
 */
Datum
corm_ref_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, PG_GETARG_OID(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
