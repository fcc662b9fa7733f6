/*-------------------------------------------------------------------------
 *
 * xact_end.c
 *		One transaction callback for all parts of the library.
 *
 * Many parts have something to do at the end of some transactions.  A statement that
 * uses nothing of corm must not pay for asking each of them.  So there is one callback
 * for all, which returns at once unless the transaction has a number, so that it may
 * have written, or a part has said that it is needed: corm_xact_needs_end().  Then all
 * parts are called, in the reverse order of registration, as PostgreSQL does.
 *
 * A part must say so whenever it gets into a state that it would leave at the end of a
 * transaction, unless only writing can lead there; also when its own callback leaves
 * something for later.  A server with assertions checks at the end of each transaction that
 * those that are not called have nothing to do.
 *
 * What is to be done once the locks are released goes the same way: the callback of a
 * part says that it is due by setting corm_xact_release_due.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/xact_end.h"
#include "miscadmin.h"
#include "utils/resowner.h"

#define MAX_PARTS	12

typedef struct XactPart
{
	XactCallback callback;
	CormXactIdle idle;			/* for assertions */
} XactPart;

static XactPart parts[MAX_PARTS];
static int	nparts = 0;
static CormXactReleased released[MAX_PARTS];
static int	nreleased = 0;

/* The end of the transaction concerns somebody; at the beginning, nobody knows. */
bool		corm_xact_busy = true;

/* From the end of our work before the commit to the end of the transaction. */
bool		corm_xact_committing = false;

/* Something is to be done when the locks are released. */
bool		corm_xact_release_due = false;

#ifdef USE_ASSERT_CHECKING
/* Returns whether no part has anything to do, as far as they can tell. */
static bool
all_idle(void)
{
	for (int i = 0; i < nparts; i++)
		if (!parts[i].idle())
			return false;
	return true;
}
#endif

/* Calls all parts. */
static pg_noinline void
call_parts(XactEvent event)
{
	/* before the callbacks, which may have something left */
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE && event != XACT_EVENT_PARALLEL_PRE_COMMIT)
		corm_xact_busy = MyBackendType == B_BG_WORKER;
	for (int i = nparts - 1; i >= 0; i--)
		parts[i].callback(event, NULL);
}

/* The transaction callback. */
static void
at_xact_event(XactEvent event, void *arg)
{
	if (unlikely(corm_xact_busy) || TransactionIdIsValid(GetTopTransactionIdIfAny()))
		call_parts(event);
	else
		Assert(all_idle());
	corm_xact_committing = event == XACT_EVENT_PRE_COMMIT;
}

/*
 * The callback of resource owners.  It is called for each one of the transaction; the
 * first call does it all.
 */
static void
at_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *arg)
{
	if (likely(!corm_xact_release_due) || phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_top_level)
		return;
	corm_xact_release_due = false;
	for (int i = nreleased - 1; i >= 0 && is_commit; i--)
		released[i] ();
}

/*
 * corm_on_xact_end registers a callback for the end of transactions, and a function that
 * returns whether it has nothing to do.  The first call also installs the callbacks of
 * this file.
 */
void
corm_on_xact_end(XactCallback callback, CormXactIdle idle)
{
	if (nparts >= MAX_PARTS)
		elog(ERROR, "too many callbacks for the end of transactions");
	if (nparts == 0)
	{
		RegisterXactCallback(at_xact_event, NULL);
		RegisterResourceReleaseCallback(at_release, NULL);
	}
	parts[nparts].callback = callback;
	parts[nparts++].idle = idle;
}

/*
 * corm_on_xact_released registers a callback for the time when a transaction that has
 * committed has released its locks.  It is called if corm_xact_release_due was set.
 */
void
corm_on_xact_released(CormXactReleased callback)
{
	if (nreleased >= MAX_PARTS)
		elog(ERROR, "too many callbacks for the end of transactions");
	released[nreleased++] = callback;
}
