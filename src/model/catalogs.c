/*-------------------------------------------------------------------------
 *
 * catalogs.c
 *		Corm's own catalogs about models, and storing a row in one.
 *
 * Each file that has such a catalog adds it when the library is loaded.  What
 * follows from that:
 *
 * - a relcache message about one of them drops every model (registry.c), so code
 *	 that writes a row must call CacheInvalidateRelcacheByRelid for the catalog,
 *	 or better for the model that the row is about;
 * - when a relation is dropped, the rows that refer to it by a column of type
 *	 corm.relation_ref are deleted (triggers.c).
 *
 * Only the extension's owner has privileges on a catalog.  The functions
 * that write to one for a user first call corm_lock_owned_model(), which checks
 * that the model is the user's own and takes a lock that conflicts with itself
 * and with DROP until the transaction ends: so a row has one writer at a time,
 * and its relation exists.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "base/schema.h"
#include "base/xact_end.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "model/catalogs.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define MAX_CATALOGS		8

static struct
{
	const char *relname;
	Oid			relid;			/* as last looked up, InvalidOid if it is not
								 * known */
}			catalogs[MAX_CATALOGS];
static int	ncatalogs = 0;

static bool temporary_stored = false;	/* about a temporary table, by this
										 * session */
static List *changed_by = NIL;	/* roles, in TopTransactionContext */

/*
 * corm_catalogs_add adds the relation relname of schema corm to the catalogs.
 * The name must be a constant.  Called by init functions only.
 */
void
corm_catalogs_add(const char *relname)
{
	if (ncatalogs >= MAX_CATALOGS)
		elog(FATAL, "too many catalogs of corm");
	catalogs[ncatalogs].relname = relname;
	catalogs[ncatalogs].relid = InvalidOid;
	ncatalogs++;
}

/*
 * corm_catalogs_name returns the name of the i-th catalog, or NULL after the
 * last.
 */
const char *
corm_catalogs_name(int i)
{
	return i < ncatalogs ? catalogs[i].relname : NULL;
}

/*
 * corm_catalogs_look_up looks up which relations the catalogs are now, for
 * corm_catalogs_contain.
 */
void
corm_catalogs_look_up(void)
{
	for (int i = 0; i < ncatalogs; i++)
		catalogs[i].relid = corm_catalog_oid(catalogs[i].relname);
}

/*
 * corm_catalogs_contain returns whether a relation was one of the catalogs when
 * they were last looked up.  Looks at nothing, so that callbacks of
 * invalidations may ask.
 */
bool
corm_catalogs_contain(Oid relid)
{
	for (int i = 0; i < ncatalogs; i++)
	{
		if (catalogs[i].relid == relid)
			return true;
	}
	return false;
}

/*
 * corm_catalogs_forget forgets which relations the catalogs are: the extension
 * may be another one now.
 */
void
corm_catalogs_forget(void)
{
	for (int i = 0; i < ncatalogs; i++)
		catalogs[i].relid = InvalidOid;
}

/*
 * corm_check_owner raises 42501 unless the current user owns a relation, 42P01
 * if there is none.  It needs no lock.
 */
void
corm_check_owner(Oid relid)
{
	char		relkind = get_rel_relkind(relid);
	char	   *name = get_rel_name(relid);

	if (relkind == '\0' || name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!corm_owns_relation(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   relkind == RELKIND_COMPOSITE_TYPE ? OBJECT_TYPE : get_relkind_objtype(relkind),
					   name);
}

/*
 * corm_lock_owned_model opens the relation of a model that function is going to
 * store something about, and notes that.  The caller closes it and keeps the lock.
 * Raises 42P01, 42501, and 25006 where nothing can be written.
 *
 * The lock stops autovacuum and DDL of the relation, so ownership is checked
 * before it is requested, and again afterwards, because the wait may have been
 * long.
 */
Relation
corm_lock_owned_model(Oid relid, const char *function)
{
	Relation	rel;

	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);

	corm_check_owner(relid);
	rel = try_relation_open(relid, ShareUpdateExclusiveLock);
	corm_check_owner(relid);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	corm_catalogs_changed();

	return rel;
}

/*
 * corm_catalogs_stored notes that a row that refers to a relation has been
 * stored in one of the catalogs; InvalidOid is no relation.  To be called for
 * each relation that a stored row refers to.
 */
void
corm_catalogs_stored(Oid relid)
{
	if (OidIsValid(relid) && get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		temporary_stored = true;
}

/*
 * corm_catalogs_temporary returns whether this session has stored anything
 * about a temporary table.
 */
bool
corm_catalogs_temporary(void)
{
	return temporary_stored;
}

/*
 * corm_catalogs_changed notes that the current user has changed what is defined about a
 * model: in one of the catalogs, or in a comment.  What an extension's script does is part
 * of the extension.
 */
void
corm_catalogs_changed(void)
{
	MemoryContext oldcontext;

	if (creating_extension)
		return;
	oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	/* nothing may have been written yet */
	corm_xact_needs_end();
	changed_by = list_append_unique_oid(changed_by, GetUserId());
	MemoryContextSwitchTo(oldcontext);
}

/*
 * corm_catalogs_changed_by returns the roles that have done so in this transaction, also in
 * what was rolled back of it.
 */
List *
corm_catalogs_changed_by(void)
{
	return changed_by;
}

/*
 * corm_catalogs_settled forgets them: the transaction has ended.  Raises nothing.
 */
void
corm_catalogs_settled(void)
{
	changed_by = NIL;
}
