/*-------------------------------------------------------------------------
 *
 * ddl_hooks.c
 *		Hooks that follow what happens to databases, roles and the extension.
 *
 * There are two:
 *
 *	- for drops (base/drops.c): DROP DATABASE, and DROP EXTENSION corm in a
 *	  database, empty its caches when they commit;
 *	- ProcessUtility_hook: statements that need a database without sessions (CREATE DATABASE needs a
 *	  template without any) make its notifier exit, which would otherwise stay
 *	  for a minute after the last event.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/drops.h"
#include "cache/cache.h"
#include "cache/definitions/at_commit.h"
#include "cache/definitions/ddl_hooks.h"
#include "cache/definitions/owners.h"
#include "cache/shared/events.h"
#include "cache/shared/shared.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define HOLD_US		(INT64CONST(10) * USECS_PER_SEC)

void		(*corm_database_leave) (Oid database) = NULL;

static ProcessUtility_hook_type prev_process_utility_hook = NULL;

/* on_drop makes caches empty at commit when their database or the extension is dropped. */
static void
on_drop(Oid class_id, Oid object_id, int sub_id)
{
	if (class_id == DatabaseRelationId)
		corm_at_commit_kill_database(object_id);
	else if (class_id == ExtensionRelationId &&
			 object_id == get_extension_oid("corm", true))
		corm_at_commit_kill_database(MyDatabaseId);
}

/*
 * notifier_leaves asks the notifier of a database to exit, and keeps new ones from
 * starting for ten seconds: PostgreSQL waits five seconds for sessions to end.
 * A notifier that has been launched and has not enrolled yet will see it then.
 */
static void
notifier_leaves(Oid database)
{
	CormDatabase *db = corm_cache_available() ? corm_database_find(database) : NULL;

	if (db == NULL)
		return;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	if (db->oid == database)
	{
		db->hold_until = corm_clock_machine() + HOLD_US;
		db->notifier_leave = true;
		if (db->notifier_pid != 0)
			SetLatch(db->notifier_latch);
	}
	LWLockRelease(&corm_cache->ring_lock);
}

/* may_create_databases tells whether the current role has that right. */
static bool
may_create_databases(void)
{
	HeapTuple	tuple;
	bool		result;

	if (superuser())
		return true;
	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_authid) GETSTRUCT(tuple))->rolcreatedb;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * may_change_database tells whether the current role has the rights of the owner
 * of a database, or, if copy, may copy it because it is a template.
 */
static bool
may_change_database(Oid database, bool copy)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	Form_pg_database form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_database) GETSTRUCT(tuple);
	result = (copy && form->datistemplate) || has_privs_of_role(GetUserId(), form->datdba);
	ReleaseSysCache(tuple);
	return result;
}

/* string_option returns the value of a statement's option, or otherwise if it is not given. */
static const char *
string_option(List *options, const char *name, const char *otherwise)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		if (strcmp(option->defname, name) == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return otherwise;
}

/*
 * make_room_for makes the notifier, and the workers of the layer above, leave a database
 * that a statement needs without sessions, provided that the current role may run the statement: no
 * other role must be able to delay events.
 */
static void
make_room_for(Node *stmt)
{
	const char *name = NULL;
	Oid			database;

	if (IsA(stmt, DropdbStmt))
		name = ((DropdbStmt *) stmt)->dbname;
	else if (IsA(stmt, CreatedbStmt))
		name = string_option(((CreatedbStmt *) stmt)->options, "template", "template1");
	else if (IsA(stmt, AlterDatabaseStmt) &&
			 string_option(((AlterDatabaseStmt *) stmt)->options, "tablespace", NULL) != NULL)
		name = ((AlterDatabaseStmt *) stmt)->dbname;
	else if (IsA(stmt, RenameStmt) && ((RenameStmt *) stmt)->renameType == OBJECT_DATABASE)
		name = ((RenameStmt *) stmt)->subname;
	if (name == NULL || !OidIsValid(database = get_database_oid(name, true)))
		return;

	if (may_change_database(database, IsA(stmt, CreatedbStmt)) &&
		(!IsA(stmt, CreatedbStmt) || may_create_databases()))
	{
		notifier_leaves(database);
		if (corm_database_leave != NULL)
			corm_database_leave(database);
	}
}

/* on_utility acts before statements that need a database without sessions. */
static void
on_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	make_room_for(pstmt->utilityStmt);

	if (prev_process_utility_hook)
		prev_process_utility_hook(pstmt, query_string, read_only_tree, context,
								  params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context,
								params, env, dest, qc);
}

/* corm_cache_hooks_init installs the hooks; only when preloaded. */
void
corm_cache_hooks_init(void)
{
	corm_on_drop(on_drop);
	prev_process_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
	corm_cache_owners_init();
}
