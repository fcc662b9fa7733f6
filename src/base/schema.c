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
 * Where the extension is not installed, any user who may create schemas can
 * make one of that name, with tables in it.  These functions do not return
 * such: callers trust corm's catalogs to have the columns that they expect.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "base/schema.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* The schema that has been found to be the extension's, since a schema changed. */
static Oid	own_schema = InvalidOid;

/* Whether there is a schema "corm", as it was when a schema last changed. */
static bool looked = false;
static bool no_schema = false;

/* schema_changed makes is_own_schema look again: a syscache callback. */
static void
schema_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	own_schema = InvalidOid;
	looked = false;
}

static void
watch_schemas(void)
{
	static bool watching = false;

	if (watching)
		return;
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	watching = true;
}

/*
 * is_own_schema tells whether a schema belongs to the extension.
 */
static bool
is_own_schema(Oid schema)
{
	Oid			extension;

	if (likely(schema == own_schema))
		return true;
	watch_schemas();
	extension = get_extension_oid("corm", true);
	if (!OidIsValid(extension) || getExtensionOfObject(NamespaceRelationId, schema) != extension)
		return false;
	own_schema = schema;
	return true;
}

/*
 * corm_schema_oid returns the OID of schema "corm", or InvalidOid when the
 * extension is not installed in this database (the library can be preloaded
 * without it), whether or not there is a schema of that name.  Raises nothing of
 * its own.
 */
Oid
corm_schema_oid(void)
{
	Oid			schema = get_namespace_oid("corm", true);

	return OidIsValid(schema) && is_own_schema(schema) ? schema : InvalidOid;
}

/*
 * corm_is_absent tells whether the extension is certainly not installed in this database:
 * for what is called so often that looking up the schema would be felt.
 */
bool
corm_is_absent(void)
{
	if (!looked)
	{
		watch_schemas();
		/* before it is looked up: looking may bring the message */
		looked = true;
		no_schema = !OidIsValid(get_namespace_oid("corm", true));
	}
	return no_schema;
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
 * check_indexes raises 55000 if somebody has added an index to one of corm's tables that
 * the functions for writing to catalogs cannot maintain: on an expression, which they
 * crash on, or with a condition, which they do not look at.
 */
static void
check_indexes(Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		bool		plain = true;

		if (HeapTupleIsValid(tuple))
		{
			plain = heap_attisnull(tuple, Anum_pg_index_indexprs, NULL) && heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
			ReleaseSysCache(tuple);
		}
		if (!plain)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot write to table \"corm.%s\" because of index \"%s\"", RelationGetRelationName(rel),
							get_rel_name(lfirst_oid(lc))),
					 errdetail("Tables of corm cannot have indexes on expressions or with conditions."),
					 errhint("Drop the index.")));
	}
	list_free(indexes);
}

/*
 * corm_catalog_open opens that relation, or returns NULL if there is none.  If
 * another session drops and recreates the extension while this one waits for
 * the lock, the result is the new relation.  *known, unless known is NULL, is
 * set to the OID before the lock is taken, so that invalidation callbacks
 * recognize the relation.  Raises 55000 if it is to be written to, and has an index
 * that cannot be maintained.
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
	if (lockmode >= RowExclusiveLock)
		check_indexes(rel);
	return rel;
}

/* corm_catalog_require is the same, but raises 42P01 if there is no such relation. */
Relation
corm_catalog_require(const char *relname, LOCKMODE lockmode, Oid *known)
{
	Relation	rel = corm_catalog_open(relname, lockmode, known);

	if (rel == NULL)
		corm_catalog_missing(relname);
	return rel;
}

/*
 * corm_catalog_missing raises 42P01 for a relation of schema "corm" that is
 * needed and does not exist: either the extension is not in this database, or
 * it is older than the library.  Readers can instead treat a catalog that does
 * not exist as empty.
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

/*
 * corm_function_is_public returns whether everybody may execute a function, of pg_proc's tuple: by
 * default, or because PUBLIC has the privilege among others.
 */
bool
corm_function_is_public(HeapTuple tuple)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proacl, &isnull);
	Acl		   *acl;

	if (isnull)
		return true;
	acl = DatumGetAclP(datum);
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];

		if (item->ai_grantee == ACL_ID_PUBLIC && (ACLITEM_GET_PRIVS(*item) & ACL_EXECUTE) != 0)
			return true;
	}
	return false;
}
