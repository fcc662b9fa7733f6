/*-------------------------------------------------------------------------
 *
 * owners.c
 *		What becomes of topics when their owners and grantees go.
 *
 * As with caches (cache/definitions/owners.c): DROP ROLE is refused if the role owns
 * topics or groups of this database or has privileges on some; DROP OWNED drops them,
 * REASSIGN OWNED gives them to another role.  Rows of a role that was dropped from
 * another database give rights to nobody; the next creation of a topic gives what
 * such roles owned to the owner of the database, and deletes what they were granted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/drops.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
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
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "work/topic/at_end.h"
#include "work/topic/durable.h"
#include "work/topic/owners.h"
#include "work/topic/rows.h"

/* What to do with the rows of some roles: those of a list, or those that do not exist. */
typedef struct RoleChange
{
	const List *roles;			/* NIL: roles that do not exist */
	Oid			new_owner;		/* of what they own; InvalidOid: drop it */
	bool		drop_grants;
} RoleChange;

static ProcessUtility_hook_type prev_process_utility_hook = NULL;

/* column returns a column; 0 if it is null. */
static Datum
column(Relation rel, HeapTuple tuple, int attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);

	return isnull ? (Datum) 0 : value;
}

/* concerns tells whether a role is one that a change is about. */
static bool
concerns(const RoleChange *change, Oid role)
{
	if (change->roles != NIL)
		return list_member_oid(change->roles, role);
	return OidIsValid(role) && !SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
}

/* append_uses appends to buf a line for each row of a table that names role.  Closes the table. */
static void
append_uses(StringInfo buf, Relation rel, int role_attnum, Oid role, const char *what, bool two_names)
{
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (DatumGetObjectId(column(rel, tuple, role_attnum)) != role)
			continue;
		appendStringInfo(buf, "%s%s %s", buf->len > 0 ? "\n" : "", what, TextDatumGetCString(column(rel, tuple, 1)));
		if (two_names)
			appendStringInfo(buf, ".%s", TextDatumGetCString(column(rel, tuple, 2)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * refuse_role_drop raises 2BP01 if a role that is being dropped owns topics or groups
 * of this database or has privileges on some.
 */
static void
refuse_role_drop(Oid role)
{
	StringInfoData buf;

	if (!corm_have_topics())
		return;
	/* DROP ROLE takes this lock, too, but after it has called us. */
	LockSharedObject(AuthIdRelationId, role, 0, AccessExclusiveLock);
	initStringInfo(&buf);
	append_uses(&buf, corm_topic_definitions_open(AccessShareLock), Anum_topic_definitions_owner, role,
				"owner of topic", false);
	append_uses(&buf, corm_group_definitions_open(AccessShareLock), Anum_group_definitions_owner, role,
				"owner of group", true);
	append_uses(&buf, corm_group_definitions_open(AccessShareLock), Anum_group_definitions_session_owner, role,
				"session user of the handler of group", true);
	append_uses(&buf, corm_topic_grants_open(AccessShareLock), Anum_topic_grants_grantee, role,
				"privileges for topic", false);
	if (buf.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("role \"%s\" cannot be dropped because some topics depend on it",
						GetUserNameFromId(role, false)),
				 errdetail_internal("%s", buf.data),
				 errhint("Use REASSIGN OWNED and DROP OWNED in each database of the role, or the functions on topics.")));
}

/* concerned_topics adds the names of topics with rows in a table that a change is about.  Closes the table. */
static List *
concerned_topics(List *names, Relation rel, int role_attnum, const RoleChange *change)
{
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (concerns(change, DatumGetObjectId(column(rel, tuple, role_attnum))))
			names = list_append_unique(names, makeString(TextDatumGetCString(column(rel, tuple, 1))));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names;
}

/* set_owner makes the new owner of a change that of a row. */
static void
set_owner(Relation rel, HeapTuple tuple, int role_attnum, const RoleChange *change)
{
	Datum		values[Natts_group_definitions] = {0};
	bool		nulls[Natts_group_definitions] = {false};
	bool		replace[Natts_group_definitions] = {false};

	shdepLockAndCheckObject(AuthIdRelationId, change->new_owner);
	values[role_attnum - 1] = ObjectIdGetDatum(change->new_owner);
	replace[role_attnum - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);
	CatalogTupleUpdate(rel, &tuple->t_self, tuple);
}

/* drop_group deletes the row of a group and gives up its memory at commit. */
static void
drop_group(CormTopicRef *topic, Relation rel, HeapTuple tuple)
{
	CormGroupRef *ref = corm_group_ref_or_null(NameStr(topic->name),
											   TextDatumGetCString(column(rel, tuple, Anum_group_definitions_grp)));

	if (ref != NULL && corm_work_available())
	{
		corm_topic_attach(topic);
		corm_group_attach(topic, ref);
		corm_at_end_group_dropped(topic, ref);
	}
	corm_durable_cursor_delete((uint64) DatumGetInt64(column(rel, tuple, Anum_group_definitions_id)));
	CatalogTupleDelete(rel, &tuple->t_self);
}

/* change_groups makes a change to the groups of a topic. */
static void
change_groups(CormTopicRef *topic, const RoleChange *change)
{
	Relation	rel = corm_group_definitions_open(RowExclusiveLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *tuples = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_group_definitions_topic, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(NameStr(topic->name)));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (concerns(change, DatumGetObjectId(column(rel, tuple, Anum_group_definitions_owner))) ||
			concerns(change, DatumGetObjectId(column(rel, tuple, Anum_group_definitions_session_owner))))
			tuples = lappend(tuples, heap_copytuple(tuple));
	systable_endscan(scan);
	foreach(lc, tuples)
	{
		tuple = lfirst(lc);
		if (!OidIsValid(change->new_owner))
			drop_group(topic, rel, tuple);
		else if (concerns(change, DatumGetObjectId(column(rel, tuple, Anum_group_definitions_owner))))
			set_owner(rel, tuple, Anum_group_definitions_owner, change);
	}
	table_close(rel, NoLock);
}

/* drop_grants deletes what was granted on a topic to the roles of a change. */
static void
drop_grants(const char *name, const RoleChange *change)
{
	Relation	rel = corm_topic_grants_open(RowExclusiveLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_topic_grants_topic, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (concerns(change, DatumGetObjectId(column(rel, tuple, Anum_topic_grants_grantee))))
			CatalogTupleDelete(rel, &tuple->t_self);
	systable_endscan(scan);
	table_close(rel, NoLock);
}

/* change_topic makes a change to a topic; the caller has the writers' lock on its name. */
static void
change_topic(Relation rel, const char *name, const RoleChange *change)
{
	HeapTuple	tuple = corm_topic_find_row(rel, name);
	CormTopicRef *ref = corm_topic_ref_or_null(name);

	if (!HeapTupleIsValid(tuple) || ref == NULL)
		return;
	if (concerns(change, DatumGetObjectId(column(rel, tuple, Anum_topic_definitions_owner))))
	{
		if (!OidIsValid(change->new_owner))
		{
			corm_topic_remove(rel, tuple);
			corm_topic_changed(rel);
			return;
		}
		set_owner(rel, tuple, Anum_topic_definitions_owner, change);
	}
	change_groups(ref, change);
	if (change->drop_grants)
		drop_grants(name, change);
	corm_topic_changed(rel);
}

/* apply makes a change to all topics that it concerns; it waits for transactions that change the same ones. */
static void
apply(const RoleChange *change)
{
	Relation	rel = corm_topic_definitions_open(RowExclusiveLock);
	List	   *names = NIL;
	ListCell   *lc;

	names = concerned_topics(names, corm_topic_definitions_open(AccessShareLock),
							 Anum_topic_definitions_owner, change);
	names = concerned_topics(names, corm_group_definitions_open(AccessShareLock),
							 Anum_group_definitions_owner, change);
	if (change->drop_grants)
		names = concerned_topics(names, corm_topic_grants_open(AccessShareLock),
								 Anum_topic_grants_grantee, change);
	foreach(lc, names)
	{
		corm_topic_lock_name(rel, strVal(lfirst(lc)));
		change_topic(rel, strVal(lfirst(lc)), change);
	}
	table_close(rel, NoLock);
}

/*
 * corm_topics_forget_roles gives topics and groups of roles that do not exist to the
 * owner of the database, and deletes what was granted to such roles.
 */
void
corm_topics_forget_roles(void)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	RoleChange	change = {.new_owner = BOOTSTRAP_SUPERUSERID, .drop_grants = true};

	if (HeapTupleIsValid(tuple))
	{
		change.new_owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
		ReleaseSysCache(tuple);
	}
	apply(&change);
}

/* on_drop refuses DROP ROLE. */
static void
on_drop(Oid class_id, Oid object_id, int sub_id)
{
	if (class_id == AuthIdRelationId)
		refuse_role_drop(object_id);
}

/* follow_owners does to topics what a statement has done to tables. */
static void
follow_owners(Node *stmt)
{
	RoleChange	change = {0};

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
	if (change.roles != NIL && corm_have_topics())
		apply(&change);
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
		follow_owners(stmt);
}

/* corm_topic_hooks_init installs the hooks; only when preloaded. */
void
corm_topic_hooks_init(void)
{
	corm_on_drop(on_drop);
	prev_process_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}
