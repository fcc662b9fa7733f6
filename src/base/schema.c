/*-------------------------------------------------------------------------
 *
 * schema.c
 *		Where corm's own objects are.
 *
 * The extension's script creates schema "corm" itself and the extension is
 * not relocatable, so the names are fixed; the OIDs are looked up through
 * the syscache each time, because DROP EXTENSION and CREATE EXTENSION in
 * this or another session change them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "base/base.h"
#include "catalog/namespace.h"
#include "commands/extension.h"
#include "utils/lsyscache.h"

/*
 * corm_schema_oid returns the OID of schema "corm", or InvalidOid when the
 * extension is not installed in this database (the library can be preloaded
 * without it).  Raises nothing of its own.
 */
Oid
corm_schema_oid(void)
{
	return get_namespace_oid("corm", true);
}

/*
 * corm_catalog_oid returns the OID of the relation relname of schema "corm",
 * or InvalidOid if there is none.  No privilege is checked: callers read and
 * write corm's catalogs on behalf of the user after checks of their own.
 */
Oid
corm_catalog_oid(const char *relname)
{
	Oid			nsp = corm_schema_oid();

	return OidIsValid(nsp) ? get_relname_relid(relname, nsp) : InvalidOid;
}

/*
 * corm_catalog_open opens that relation, or returns NULL if there is none.
 * Another session may drop the extension, and create it again, before the lock
 * is got: then it is the new one.  *known, unless known is NULL, becomes the
 * OID before the lock is asked for, for callbacks of invalidations.
 */
Relation
corm_catalog_open(const char *relname, LOCKMODE lockmode, Oid *known)
{
	Oid			relid;
	Relation	rel;

	do
	{
		relid = corm_catalog_oid(relname);
		if (known)
			*known = relid;
		if (!OidIsValid(relid))
			return NULL;
		rel = try_table_open(relid, lockmode);
	} while (rel == NULL);
	return rel;
}

/*
 * corm_catalog_missing raises the error for a relation of schema "corm" that
 * is needed and not there: either the extension is not in this database, or
 * its objects are of an older version than the library.  Readers need not
 * call it: a catalog that does not exist holds nothing.
 */
void
corm_catalog_missing(const char *relname)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation \"corm.%s\" does not exist", relname),
			 OidIsValid(get_extension_oid("corm", true)) ?
			 errhint("Run ALTER EXTENSION corm UPDATE: the extension in this database is older than the library.") :
			 errhint("Run CREATE EXTENSION corm in this database.")));
}
