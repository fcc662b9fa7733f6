/*-------------------------------------------------------------------------
 *
 * owners.c
 *		What becomes of caches when their owners and grantees go.
 *
 * DROP ROLE is refused if the role owns caches or has rights on some, as it is for tables; DROP OWNED and
 * REASSIGN OWNED treat caches as they treat tables (base/owners.c).
 *
 * All this concerns the current database.  A role that is dropped from another
 * database leaves rows behind.  They give rights to no role, and the next
 * creation of a cache in that database removes them, before a new role with the
 * same OID could inherit them.
 *
 * Each cache is changed with the writers' lock on its name, and looked at again
 * after waiting for that.  A role that gets a cache or a grant is locked against
 * being dropped, as PostgreSQL locks a role that gets a table; DROP ROLE waits
 * for that lock before it looks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/grants.h"
#include "base/owners.h"
#include "base/schema.h"
#include "cache/definitions/owners.h"
#include "cache/definitions/refs.h"
#include "cache/definitions/rows.h"
#include "cache/shared/shared.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static const CormRoleColumn role_columns[] = {
	{"cache_definitions", "owner", "owner of cache", 1},
	{"cache_grants", "grantee", "privileges for cache", 1},
};

/* have_caches tells whether this database has the tables. */
static bool
have_caches(void)
{
	return OidIsValid(corm_catalog_oid("cache_definitions")) &&
		OidIsValid(corm_catalog_oid("cache_grants"));
}

/* column returns a column that is never null. */
static Datum
column(Relation rel, HeapTuple tuple, int attnum)
{
	bool		isnull;

	return heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);
}

/*
 * change_owner makes a change to a cache, if one of the change's roles still owns
 * it.  Returns whether it did.  The cache "default" cannot be dropped: it goes to
 * the owner of the database.
 */
static bool
change_owner(Relation rel, const char *name, const CormRoleChange *change)
{
	HeapTuple	tuple = corm_cache_find_row(rel, name);
	Oid			new_owner = change->new_owner;
	uint64		id;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;
	id = (uint64) DatumGetInt64(column(rel, tuple, Anum_cache_definitions_id));
	owner = DatumGetObjectId(column(rel, tuple, Anum_cache_definitions_owner));
	if (!corm_role_concerned(change, owner))
		return false;
	if (!OidIsValid(new_owner) && id == CORM_DEFAULT_CACHE_ID)
		new_owner = corm_database_owner();
	if (new_owner == owner)
		return false;

	if (OidIsValid(new_owner))
	{
		Datum		values[Natts_cache_definitions] = {0};
		bool		nulls[Natts_cache_definitions] = {false};
		bool		replace[Natts_cache_definitions] = {false};
		HeapTuple	changed_tuple;

		shdepLockAndCheckObject(AuthIdRelationId, new_owner);
		values[Anum_cache_definitions_owner - 1] = ObjectIdGetDatum(new_owner);
		replace[Anum_cache_definitions_owner - 1] = true;
		changed_tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);
		CatalogTupleUpdate(rel, &tuple->t_self, changed_tuple);
	}
	else
		corm_cache_remove(rel, tuple, id);
	return true;
}

/*
 * apply makes a change to all caches that it concerns.  It waits for transactions
 * that change the same caches, except when it tidies up after roles that do not
 * exist: then it leaves out caches that are locked.
 */
static void
apply(const CormRoleChange *change)
{
	Relation	rel = corm_cache_definitions_open(RowExclusiveLock);
	Relation	grants = corm_cache_grants_open(RowExclusiveLock);
	bool		wait = change->roles != NIL;
	bool		changed = false;
	ListCell   *lc;

	foreach(lc, corm_names_concerned(NIL, corm_cache_definitions_open(AccessShareLock), Anum_cache_definitions_owner, change))
	{
		if (corm_cache_lock(rel, strVal(lfirst(lc)), wait))
			changed |= change_owner(rel, strVal(lfirst(lc)), change);
	}

	/* Grants of caches that have just been dropped are gone already. */
	CommandCounterIncrement();
	if (change->drop_grants)
	{
		foreach(lc, corm_names_concerned(NIL, corm_cache_grants_open(AccessShareLock), Anum_grants_grantee, change))
		{
			if (corm_cache_lock(rel, strVal(lfirst(lc)), wait))
				changed |= corm_grants_drop(grants, strVal(lfirst(lc)), change);
		}
	}
	if (changed)
	{
		CacheInvalidateRelcache(rel);
		CommandCounterIncrement();
	}
	table_close(grants, NoLock);
	table_close(rel, NoLock);
}

/* follow makes a change, if this database has caches. */
static void
follow(const CormRoleChange *change)
{
	if (have_caches())
		apply(change);
}

static const CormOwners owners = {
	.columns = role_columns,
	.ncolumns = lengthof(role_columns),
	.change = follow,
};

/* corm_cache_owners_init registers caches as what roles own, when preloaded. */
void
corm_cache_owners_init(void)
{
	corm_owners_add(&owners);
}

/*
 * corm_cache_forget_roles gives the caches of roles that do not exist to the
 * owner of the database, and deletes what was granted to such roles.
 */
void
corm_cache_forget_roles(void)
{
	CormRoleChange change = {.new_owner = corm_database_owner(), .drop_grants = true};

	apply(&change);
}
