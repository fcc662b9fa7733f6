/*-------------------------------------------------------------------------
 *
 * owners.c
 *		Roles that own what corm keeps, or have privileges on it: when they go.
 *
 * PostgreSQL does not know that a row of corm's tables belongs to a role.  So DROP ROLE is
 * refused here, as it is for a role that owns tables, and DROP OWNED and REASSIGN OWNED go on
 * with what the parts of corm have registered.
 *
 * Only the current database is looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/compat.h"
#include "base/drops.h"
#include "base/owners.h"
#include "base/schema.h"
#include "catalog/dependency.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "commands/user.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* So many uses are named; the others are counted. */
#define MAX_NAMED		100

#define MAX_PARTS		8

static const CormOwners *parts[MAX_PARTS];
static int	nparts = 0;

static ProcessUtility_hook_type prev_process_utility_hook = NULL;

/* corm_database_owner returns the owner of this database. */
Oid
corm_database_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return BOOTSTRAP_SUPERUSERID;
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);
	return owner;
}

/* corm_role_concerned tells whether a role is one that a change is about. */
bool
corm_role_concerned(const CormRoleChange *change, Oid role)
{
	if (change->roles != NIL)
		return list_member_oid(change->roles, role);
	return OidIsValid(role) && !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
}

/*
 * corm_names_concerned adds the names of objects, the first column of a catalog, with rows in it that name in
 * another column a role that a change concerns: each once, as String.  Closes the catalog, without its lock.
 */
List *
corm_names_concerned(List *names, Relation rel, int role_attnum, const CormRoleChange *change)
{
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (corm_role_concerned(change, DatumGetObjectId(heap_getattr(tuple, role_attnum, RelationGetDescr(rel), &isnull))))
			names = list_append_unique(names, makeString(TextDatumGetCString(heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull))));
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	return names;
}

/* append_name appends a column of a row that is part of a name. */
static void
append_name(StringInfo buf, Relation rel, HeapTuple tuple, int attnum)
{
	bool		isnull;
	Datum		name = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid, &output, &varlena);
	appendStringInfo(buf, "%s%s", attnum > 1 ? "." : "", isnull ? "" : OidOutputFunctionCall(output, name));
}

/*
 * append_uses appends to buf a line for each row of a catalog that names a role in a
 * column, as long as fewer than MAX_NAMED are named.  Returns how many there are after the
 * before ones.
 */
static int
append_uses(StringInfo buf, const CormRoleColumn *use, Oid role, int before)
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

		CHECK_FOR_INTERRUPTS();
		if (DatumGetObjectId(heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull)) != role || isnull)
			continue;
		if (n++ >= MAX_NAMED)
			continue;
		appendStringInfo(buf, "%s%s ", buf->len > 0 ? "\n" : "", use->what);
		for (int i = 1; i <= use->names; i++)
			append_name(buf, rel, tuple, i);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return n;
}

/* refuse_role_drop raises 2BP01 for a role that something of this database needs. */
static void
refuse_role_drop(Oid role)
{
	StringInfoData buf;
	int			n = 0;

	/* DROP ROLE takes this lock, too, but after it has called us. */
	LockSharedObject(AuthIdRelationId, role, 0, AccessExclusiveLock);
	initStringInfo(&buf);
	for (int i = 0; i < nparts; i++)
	{
		for (int j = 0; j < parts[i]->ncolumns; j++)
			n = append_uses(&buf, &parts[i]->columns[j], role, n);
	}
	if (n > MAX_NAMED)
		appendStringInfo(&buf, "\nand %d others", n - MAX_NAMED);
	if (n > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("role \"%s\" cannot be dropped because some objects of corm depend on it",
						GetUserNameFromId(role, false)),
				 errdetail_internal("%s", buf.data),
				 errhint("Use REASSIGN OWNED and DROP OWNED.")));
	pfree(buf.data);
}

static void
on_drop(Oid class_id, Oid object_id, int sub_id)
{
	if (class_id == AuthIdRelationId)
		refuse_role_drop(object_id);
}

/* follow does to corm's objects what a statement has done to tables. */
static void
follow(Node *stmt)
{
	CormRoleChange change = {0};

	if (IsA(stmt, DropOwnedStmt))
	{
		change.roles = roleSpecsToIds(((DropOwnedStmt *) stmt)->roles);
		change.drop_grants = true;
	}
	else
	{
		change.roles = roleSpecsToIds(((ReassignOwnedStmt *) stmt)->roles);
		change.new_owner = get_rolespec_oid(((ReassignOwnedStmt *) stmt)->newrole, false);
	}
	for (int i = 0; i < nparts && change.roles != NIL; i++)
		parts[i]->change(&change);
}

/* on_utility acts after statements about owners, which have checked the rights. */
static void
on_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *stmt = pstmt->utilityStmt;
	bool		about_owners = IsA(stmt, DropOwnedStmt) || IsA(stmt, ReassignOwnedStmt);

	if (prev_process_utility_hook)
		prev_process_utility_hook(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params, env, dest, qc);

	/* A CALL can have ended the transaction, and pstmt is gone with its plan. */
	if (about_owners)
		follow(stmt);
}

/* corm_owners_add registers a part; from init functions, when preloaded.  The first one installs the hooks. */
void
corm_owners_add(const CormOwners *owners)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	if (nparts == MAX_PARTS)
		elog(ERROR, "too many parts with owners");
	if (nparts == 0)
	{
		corm_on_drop(on_drop);
		prev_process_utility_hook = ProcessUtility_hook;
		ProcessUtility_hook = on_utility;
	}
	parts[nparts++] = owners;
}
