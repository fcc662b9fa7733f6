/*-------------------------------------------------------------------------
 *
 * hooks.c
 *		What happens to databases and the extension, as the cache must know.
 *
 * Two hooks of PostgreSQL:
 *
 *	- object_access_hook: DROP DATABASE, and DROP EXTENSION corm in a database,
 *	  empty its caches when they commit;
 *	- ProcessUtility_hook: statements that need a database without sessions
 *	  (CREATE DATABASE needs that of its template) make the notifiers leave,
 *	  which would otherwise stay for a minute after the last event.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cache/cache.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/timestamp.h"

#define HOLD_US		(INT64CONST(10) * USECS_PER_SEC)

static object_access_hook_type prev_object_access_hook = NULL;
static ProcessUtility_hook_type prev_process_utility_hook = NULL;

/* on_object_access empties caches whose database or definitions go away. */
static void
on_object_access(ObjectAccessType access, Oid class_id, Oid object_id,
				 int sub_id, void *arg)
{
	if (prev_object_access_hook)
		prev_object_access_hook(access, class_id, object_id, sub_id, arg);

	if (access != OAT_DROP)
		return;
	if (class_id == DatabaseRelationId)
		corm_at_commit_kill_database(object_id);
	else if (class_id == ExtensionRelationId &&
			 object_id == get_extension_oid("corm", true))
		corm_at_commit_kill_database(MyDatabaseId);
}

/*
 * notifiers_leave asks all notifiers to exit, and starts no new ones for ten
 * seconds: PostgreSQL waits five for sessions to go.
 */
static void
notifiers_leave(void)
{
	int64		now = corm_clock_machine();

	if (!corm_cache_available())
		return;

	LWLockAcquire(&corm_cache->ring_lock, LW_EXCLUSIVE);
	for (uint32 i = 0; i < corm_cache->ndbs; i++)
	{
		CormDatabase *db = &corm_databases[i];

		db->hold_until = now + HOLD_US;
		if (db->notifier_pid != 0)
		{
			db->notifier_leave = true;
			SetLatch(db->notifier_latch);
		}
	}
	LWLockRelease(&corm_cache->ring_lock);
}

/* on_utility looks for statements that want a database for themselves. */
static void
on_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *stmt = pstmt->utilityStmt;

	if (IsA(stmt, DropdbStmt) || IsA(stmt, CreatedbStmt) || IsA(stmt, AlterDatabaseStmt) ||
		(IsA(stmt, RenameStmt) && ((RenameStmt *) stmt)->renameType == OBJECT_DATABASE))
		notifiers_leave();

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
	prev_object_access_hook = object_access_hook;
	object_access_hook = on_object_access;
	prev_process_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}
