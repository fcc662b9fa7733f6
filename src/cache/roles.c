/*-------------------------------------------------------------------------
 *
 * roles.c
 *		What becomes of caches when their owners and grantees go.
 *
 * PostgreSQL does not know that a row of corm's tables belongs to a role, so
 * the hooks (hooks.c) call here: DROP ROLE is refused where a role owns caches
 * or has been granted rights on some, as it is for tables; DROP OWNED and
 * REASSIGN OWNED treat caches as they treat tables.
 *
 * All this is about the current database.  A role dropped from another one
 * leaves rows behind whose role does not exist.  They give rights to nobody,
 * and lest the next role with the same OID inherits, whoever next creates a
 * cache in that database tidies them up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "cache/cache.h"
#include "catalog/indexing.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* What to do with the rows of roles: of a list, or of those that do not exist. */
typedef struct RoleChange
{
	const List *roles;			/* NIL: roles that do not exist */
	Oid			new_owner;		/* of their caches; InvalidOid: drop these */
	bool		drop_grants;
} RoleChange;

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

/* concerns tells whether a role is one that a change is about. */
static bool
concerns(const RoleChange *change, Oid role)
{
	if (change->roles != NIL)
		return list_member_oid(change->roles, role);
	return OidIsValid(role) && !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
}

/*
 * append_uses appends to buf a line for each row of a table in which role
 * stands, and returns the number of rows.  Closes the table.
 */
static int
append_uses(StringInfo buf, Relation rel, int name_attnum, int role_attnum, Oid role, const char *what)
{
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	int			n = 0;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (DatumGetObjectId(column(rel, tuple, role_attnum)) != role)
			continue;
		appendStringInfo(buf, "%s%s %s", buf->len > 0 ? "\n" : "", what,
						 TextDatumGetCString(column(rel, tuple, name_attnum)));
		n++;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return n;
}

/*
 * corm_cache_role_drop raises 2BP01 if a role that is to be dropped owns
 * caches of this database or has rights on some.
 */
void
corm_cache_role_drop(Oid role)
{
	StringInfoData buf;
	int			n;

	if (!have_caches())
		return;

	initStringInfo(&buf);
	n = append_uses(&buf, corm_cache_definitions_open(AccessShareLock), Anum_cache_definitions_name,
					Anum_cache_definitions_owner, role, "owner of cache");
	n += append_uses(&buf, corm_cache_grants_open(AccessShareLock), Anum_cache_grants_cache,
					 Anum_cache_grants_grantee, role, "privileges for cache");
	if (n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("role \"%s\" cannot be dropped because some caches depend on it",
						GetUserNameFromId(role, false)),
				 errdetail_internal("%s", buf.data),
				 errhint("Use REASSIGN OWNED or DROP OWNED, or corm.cache_drop and corm.cache_revoke.")));
	pfree(buf.data);
}

/*
 * change_owners does what a change says to the caches of its roles.  The
 * cache "default" cannot be dropped: it goes to the database's owner.
 */
static bool
change_owners(Relation rel, const RoleChange *change)
{
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bool		changed = false;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		uint64		id = (uint64) DatumGetInt64(column(rel, tuple, Anum_cache_definitions_id));
		Oid			owner = DatumGetObjectId(column(rel, tuple, Anum_cache_definitions_owner));
		Oid			new_owner = change->new_owner;

		if (!concerns(change, owner))
			continue;
		if (!OidIsValid(new_owner) && id == CORM_DEFAULT_CACHE_ID)
			new_owner = corm_cache_database_owner();
		if (new_owner == owner)
			continue;

		if (OidIsValid(new_owner))
		{
			Datum		values[Natts_cache_definitions] = {0};
			bool		nulls[Natts_cache_definitions] = {false};
			bool		replace[Natts_cache_definitions] = {false};
			HeapTuple	changed_tuple;

			values[Anum_cache_definitions_owner - 1] = ObjectIdGetDatum(new_owner);
			replace[Anum_cache_definitions_owner - 1] = true;
			changed_tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);
			CatalogTupleUpdate(rel, &tuple->t_self, changed_tuple);
		}
		else
			corm_cache_remove(rel, tuple, id);
		changed = true;
	}
	systable_endscan(scan);
	return changed;
}

/* drop_grants deletes what was granted to the roles of a change. */
static bool
drop_grants(const RoleChange *change)
{
	Relation	rel = corm_cache_grants_open(RowExclusiveLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bool		changed = false;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (!concerns(change, DatumGetObjectId(column(rel, tuple, Anum_cache_grants_grantee))))
			continue;
		CatalogTupleDelete(rel, &tuple->t_self);
		changed = true;
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	return changed;
}

/* apply makes a change, with the lock of those who write definitions. */
static void
apply(const RoleChange *change)
{
	Relation	rel = corm_cache_definitions_open(ShareRowExclusiveLock);
	bool		changed = change_owners(rel, change);

	/* Grants of caches that have just been dropped are gone already. */
	CommandCounterIncrement();
	if (change->drop_grants)
		changed |= drop_grants(change);
	if (changed)
	{
		CacheInvalidateRelcache(rel);
		CommandCounterIncrement();
	}
	table_close(rel, NoLock);
}

/*
 * corm_cache_drop_owned drops the caches that roles own in this database and
 * revokes what they have been granted there: DROP OWNED, rights checked.
 */
void
corm_cache_drop_owned(const List *roles)
{
	RoleChange	change = {.roles = roles, .drop_grants = true};

	if (roles != NIL && have_caches())
		apply(&change);
}

/*
 * corm_cache_reassign_owned gives the caches that roles own in this database
 * to another role: REASSIGN OWNED, rights checked.
 */
void
corm_cache_reassign_owned(const List *roles, Oid new_owner)
{
	RoleChange	change = {.roles = roles, .new_owner = new_owner};

	if (roles != NIL && have_caches())
		apply(&change);
}

/*
 * corm_cache_forget_roles gives the caches of roles that do not exist to the
 * database's owner and deletes what was granted to such roles.
 */
void
corm_cache_forget_roles(void)
{
	RoleChange	change = {.new_owner = corm_cache_database_owner(), .drop_grants = true};

	apply(&change);
}
