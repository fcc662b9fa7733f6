/*-------------------------------------------------------------------------
 *
 * writes.c
 *		Which tables a transaction has written: published at its end.
 *
 * The head of shared/versions.c says what is published and why in this order; w1 to
 * w3 are steps of that.  What a transaction has written is
 *
 *	- the tables on which it has a lock to write (shared/write_locks.c);
 *	- the relations for which it will send invalidation messages: DDL that needs no
 *	  such lock;
 *	- functions, enums and configurations of text search, by their messages: no lock
 *	  protects these.
 *
 * A transaction without a number has written nothing, unless it ends a prepared one.  Transactions of a standby do
 * not come here, nor do parallel workers, which do not write.
 *
 * Callbacks of transactions are called in the reverse order of registration.  Ours is
 * the first that corm registers, so it is called after all others of corm, which may
 * write.  Another extension that is loaded before corm comes still later; if anything
 * was done after our look at the locks, we look again when the transaction is visible,
 * and publish what is new together with the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/xact_end.h"
#include "cache/operations/writes.h"
#include "cache/shared/shared.h"
#include "cache/shared/versions.h"
#include "cache/shared/write_locks.h"
#include "catalog/pg_class.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "storage/sinval.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define FIRST_CELLS		64

typedef enum WritesState
{
	WRITES_NONE,
	WRITES_NOTED,				/* w1 is done, or the transaction is about to be
								 * prepared */
	WRITES_VISIBLE				/* committed, w3 is due */
} WritesState;

static WritesState state = WRITES_NONE;

/* Cells in which this transaction counts as committing: the first ncommitting. */
static uint32 *cells = NULL;
static int	max_cells = 0;
static int	ncommitting = 0;

/* Whether anything was done since is seen by this. */
static CommandId noted_command;

static ProcessUtility_hook_type prev_process_utility_hook = NULL;

/* need_room makes room for n cells.  Raises 53200. */
static void
need_room(int n)
{
	if (n <= max_cells)
		return;
	n = Max(n, FIRST_CELLS);
	cells = cells == NULL ? MemoryContextAlloc(TopMemoryContext, n * sizeof(uint32)) :
		repalloc_huge(cells, n * sizeof(uint32));
	max_cells = n;
}

/* cell_of_message returns whether an invalidation message means a cell, and which. */
static bool
cell_of_message(const SharedInvalidationMessage *msg, uint32 *cell)
{
	if (msg->id == SHAREDINVALRELCACHE_ID)
	{
		if (!OidIsValid(msg->rc.dbId) || !OidIsValid(msg->rc.relId))
			return false;
		*cell = corm_cell_of(msg->rc.dbId, msg->rc.relId);
		return true;
	}
	switch (msg->id)
	{
		case PROCOID:
		case AGGFNOID:
		case CONVOID:
			*cell = CORM_CELL_FUNCTIONS;
			return true;
		case ENUMOID:
			*cell = CORM_CELL_ENUMS;
			return true;
		case TSCONFIGOID:
		case TSCONFIGMAP:
		case TSDICTOID:
			*cell = CORM_CELL_SEARCH;
			return true;
		case CASTSOURCETARGET:
			*cell = CORM_CELL_CASTS;
			return true;
		case TYPEOID:
			*cell = CORM_CELL_DOMAINS;
			return true;
		default:
			return false;
	}
}

static int
compare_cells(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

/*
 * find_writes fills cells with those of what this transaction has written, and returns
 * their number.  Some may be there twice, if they are few: a million messages about one
 * thing must not count a million times.  Raises 53200.
 */
static int
find_writes(void)
{
	SharedInvalidationMessage *messages;
	bool		unused;
	int			nmessages = xactGetCommittedInvalidationMessages(&messages, &unused);
	int			n;

	need_room(FIRST_CELLS);
	while ((n = corm_my_writes(cells, max_cells)) > max_cells)
		need_room(n);
	need_room(n + nmessages);
	for (int i = 0; i < nmessages; i++)
	{
		if (cell_of_message(&messages[i], &cells[n]))
			n++;
	}
	if (nmessages > 0)
		pfree(messages);
	if (n > FIRST_CELLS)
	{
		qsort(cells, n, sizeof(uint32), compare_cells);
		n = qunique(cells, n, sizeof(uint32), compare_cells);
	}
	return n;
}

/* begin_commit does w1.  If it raises, the transaction aborts. */
static void
begin_commit(void)
{
	int			n;

	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;

	state = WRITES_NOTED;
	noted_command = GetCurrentCommandId(false);
	if (!corm_commit_begin())
		return;
	n = find_writes();
	CORM_FAULT("fresh-found");
	for (int i = 0; i < n; i++)
	{
		if (corm_cell_committing(cells[i]))
			cells[ncommitting++] = cells[i];
	}
	CORM_FAULT("fresh-committing");
}

/*
 * become_visible looks again, if something was done after w1 by others' callbacks.
 * Raises nothing: if there is no room for what is new, it uses less.
 */
static void
become_visible(void)
{
	if (state == WRITES_NONE && TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		(void) corm_commit_begin();
		state = WRITES_NOTED;
		noted_command = InvalidCommandId;
	}
	if (state == WRITES_NONE)
		return;
	if (GetCurrentCommandId(false) != noted_command)
	{
		uint32		late[FIRST_CELLS * 16];
		int			n = Min(corm_my_writes(late, lengthof(late)), (int) lengthof(late));
		TimestampTz now = GetCurrentTimestamp();

		for (int i = 0; i < n; i++)
		{
			if (!corm_cell_committing(late[i]))
				continue;
			if (ncommitting < max_cells)
				cells[ncommitting++] = late[i];
			else
				corm_cell_committed(late[i], now);
		}
	}
	state = WRITES_VISIBLE;
	/* if an error comes in between, there is one more end */
	corm_xact_needs_end();
	corm_xact_release_due = true;
	CORM_FAULT("fresh-visible");
}

/* tell lets the sweeper look for entries that are stale now, if anybody wants to hear of them. */
static void
tell(void)
{
	corm_published();
	if (corm_cache->watched)
		corm_sweeper_wake(corm_clock_mono());
}

/* publish does w3.  Raises nothing. */
static void
publish(void)
{
	TimestampTz now;

	CORM_FAULT("fresh-publish");
	now = GetCurrentTimestamp();
	if (ncommitting > 0)
	{
		for (int i = 0; i < ncommitting; i++)
			corm_cell_committed(cells[i], now);
		tell();
	}
	ncommitting = 0;
	CORM_FAULT("fresh-published");
	corm_commit_end(now);
	state = WRITES_NONE;
}

/* give_up undoes w1, in a transaction that is aborted.  Raises nothing. */
static void
give_up(void)
{
	for (int i = 0; i < ncommitting; i++)
		corm_cell_aborted(cells[i]);
	ncommitting = 0;
	if (state != WRITES_NONE)
		corm_commit_end(GetCurrentTimestamp());
	state = WRITES_NONE;
}

/* begin_prepare does what takes the place of w1 when a transaction is prepared. */
static void
begin_prepare(void)
{
	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;

	state = WRITES_NOTED;
	if (corm_commit_begin())
	{
		int			n = find_writes();

		corm_cells_unsettle(cells, n);
		tell();
	}
	CORM_FAULT("fresh-preparing");
}

/* end_prepare: the locks are the prepared transaction's now. */
static void
end_prepare(void)
{
	CORM_FAULT("fresh-prepared");
	if (state != WRITES_NONE)
		corm_commit_end(0);
	state = WRITES_NONE;
}

/*
 * on_utility acts before COMMIT PREPARED and ROLLBACK PREPARED, which are transactions of
 * their own.
 */
static void
on_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	if (IsA(pstmt->utilityStmt, TransactionStmt) && corm_versions_available())
	{
		TransactionStmt *stmt = (TransactionStmt *) pstmt->utilityStmt;

		if (stmt->kind == TRANS_STMT_COMMIT_PREPARED || stmt->kind == TRANS_STMT_ROLLBACK_PREPARED)
		{
			corm_xact_needs_end();
			corm_finish_begin();
			state = WRITES_NOTED;
			noted_command = GetCurrentCommandId(false);
		}
	}
	if (prev_process_utility_hook)
		prev_process_utility_hook(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
}

/* at_xact_event does what is due as a transaction ends. */
static void
at_xact_event(XactEvent event, void *arg)
{
	if (!corm_versions_available())
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			begin_commit();
			break;
		case XACT_EVENT_COMMIT:
			if (MyBackendType == B_BG_WORKER && IsLogicalWorker())
				corm_versions_subscribed();
			become_visible();
			break;
		case XACT_EVENT_ABORT:
			give_up();
			break;
		case XACT_EVENT_PRE_PREPARE:
			begin_prepare();
			break;
		case XACT_EVENT_PREPARE:
			end_prepare();
			break;
		default:
			break;
	}
}

/* at_release publishes once the locks of a committed transaction are released. */
static void
at_release(void)
{
	if (state == WRITES_VISIBLE)
		publish();
}

/* Whether the end of a transaction without a number has nothing to do here. */
static bool
is_idle(void)
{
	return state == WRITES_NONE && ncommitting == 0;
}

/*
 * corm_writes_init installs the callbacks.  It must be called before any other
 * transaction callback of corm is registered.
 */
void
corm_writes_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	corm_on_xact_end(at_xact_event, is_idle);
	corm_on_xact_released(at_release);
	prev_process_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}
