/*-------------------------------------------------------------------------
 *
 * roles.c
 *		Roles that are dropped while pools or schedules need them.
 *
 * DROP ROLE is refused, as it is for PostgreSQL's own objects.  Only the current
 * database is looked at.  Durable tasks do not count: those of a role that is gone
 * fail and say so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/schema.h"
#include "catalog/dependency.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_authid.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "work/task/roles.h"

/* So many uses are named; the others are counted. */
#define MAX_NAMED		100

/* A column of a catalog of corm that has roles; the first column of the catalog tells the object. */
typedef struct RoleColumn
{
	const char *table;
	const char *column;
	const char *what;
} RoleColumn;

static const RoleColumn role_columns[] = {
	{"pool_definitions", "owner", "owner of pool"},
	{"pool_grants", "grantee", "privileges for pool"},
	{"schedule_definitions", "owner", "owner of schedule"},
};

static object_access_hook_type prev_object_access_hook = NULL;

/*
 * append_uses appends to buf a line for each row of a catalog that names a role in a
 * column, as long as fewer than MAX_NAMED are named.  Returns how many there are after the
 * before ones.
 */
static int
append_uses(StringInfo buf, const RoleColumn *use, Oid role, int before)
{
	Relation	rel = corm_catalog_open(use->table, AccessShareLock, NULL);
	AttrNumber	attnum;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			n = before;

	/* the extension in this database may be older, or absent */
	if (rel == NULL)
		return n;
	attnum = get_attnum(RelationGetRelid(rel), use->column);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (attnum != InvalidAttrNumber && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		name;
		Oid			output;
		bool		varlena;

		CHECK_FOR_INTERRUPTS();
		if (DatumGetObjectId(heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull)) != role || isnull)
			continue;
		if (n++ >= MAX_NAMED)
			continue;
		name = heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull);
		getTypeOutputInfo(TupleDescAttr(RelationGetDescr(rel), 0)->atttypid, &output, &varlena);
		appendStringInfo(buf, "%s%s %s", buf->len > 0 ? "\n" : "", use->what, OidOutputFunctionCall(output, name));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return n;
}

/* on_object_access raises 2BP01 for a role that pools or schedules of this database need. */
static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	StringInfoData buf;
	int			n = 0;

	if (prev_object_access_hook)
		prev_object_access_hook(access, class_id, object_id, sub_id, arg);
	if (access != OAT_DROP || class_id != AuthIdRelationId || !OidIsValid(corm_catalog_oid("pool_definitions")))
		return;

	/* DROP ROLE takes this lock, too, but after it has called us. */
	LockSharedObject(AuthIdRelationId, object_id, 0, AccessExclusiveLock);
	initStringInfo(&buf);
	for (int i = 0; i < lengthof(role_columns); i++)
		n = append_uses(&buf, &role_columns[i], object_id, n);
	if (n > MAX_NAMED)
		appendStringInfo(&buf, "\nand %d others", n - MAX_NAMED);
	if (n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("role \"%s\" cannot be dropped because some objects of corm depend on it",
						GetUserNameFromId(object_id, false)),
				 errdetail_internal("%s", buf.data),
				 errhint("Use corm.pool_drop, corm.pool_revoke and corm.unschedule.")));
	pfree(buf.data);
}

/* corm_task_roles_init installs the hook, when preloaded. */
void
corm_task_roles_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_object_access_hook = object_access_hook;
	object_access_hook = on_object_access;
}
