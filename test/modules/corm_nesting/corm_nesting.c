/*-------------------------------------------------------------------------
 *
 * corm_nesting.c
 *		A ProcessUtility hook that counts how deep commands are nested.
 *
 * Audit extensions keep a stack with an entry for each command that runs, and
 * take it for an error if a top-level command begins while there is one
 * (pgaudit does).  This does the same, and notes every command inside of
 * another in a NOTICE.  LOAD it in a session; it stays there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static ProcessUtility_hook_type prev_process_utility = NULL;
static int	depth = 0;			/* of the commands that run */

static void
process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	if (context == PROCESS_UTILITY_TOPLEVEL && depth > 0)
		elog(ERROR, "the stack of commands is not empty");
	if (depth > 0)
		ereport(NOTICE,
				(errmsg("%s at depth %d",
						GetCommandTagName(CreateCommandTag(pstmt->utilityStmt)), depth)));

	depth++;
	PG_TRY();
	{
		(prev_process_utility ? prev_process_utility : standard_ProcessUtility)
			(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

void
_PG_init(void)
{
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
