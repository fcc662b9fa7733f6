/*-------------------------------------------------------------------------
 *
 * wait.c
 *		Waiting for another process, so that deadlocks are found.
 *
 * PostgreSQL's deadlock detector knows the waits in its lock manager only.  If this
 * process waited on its latch for a worker that needs one of its row locks, nobody
 * would ever notice.  So the wait has two phases: first on the latch, for some
 * milliseconds, which is where most calls end; then in the lock manager, for
 * the virtual transaction that the other process is in (VirtualXactLock).  Each
 * transaction holds the lock of its virtual ID anyway, so the other process does
 * nothing for that.  The ID is read from its PGPROC; if that transaction is over
 * before this one gets to wait, the wait returns at once, and the loop looks again.
 *
 * The victim of a deadlock is the other process, if it began to work after this one began
 * to wait.  A cycle through it was closed by a wait of its own, or of a third process, that
 * began later than this one's, and that one's check finds it.  So the check of this process is of no
 * use: it is switched off, which also keeps log_lock_waits quiet about bodies that take long.  lock_timeout
 * is switched off as well: it limits waiting for locks, not how long a body may
 * run.  Where deadlock_timeout is so short that this process may get to its check
 * first, the check stays on, and it may be the victim.
 *
 * A process that waits for a task joins one that may have been at work for long: that may
 * wait for a lock of this process already, after its own check, or for a task as this one does.
 * Then only this process can find the cycle.  It gives the others' checks time to
 * find one, and then waits with its own.  Who waits for several tasks has no lasting
 * wait in the lock manager, which would keep it from seeing the end of another one: it looks there for a
 * moment, with a check at once, for one of them after the other.
 *
 * The wait is in an internal subtransaction, which is rolled back before an error
 * is thrown on: left open, it would confuse the main loop.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/latch.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/wait_event.h"
#include "work/process/wait.h"

#define LATCH_MS			20	/* at most, and a quarter of deadlock_timeout */
#define MASK_ABOVE_MS		20	/* a shorter deadlock_timeout is left alone */
#define AGAIN_MS			10	/* between two transactions of the other process */
#define CHECK_NOW_MS		1
#define MOMENT_MS			20

/*
 * wait_for_lock waits until a virtual transaction is over, at most timeout_ms
 * (0: for ever), and looks for a deadlock after check_ms (-1: as the settings say).  Returns false if the lock table is full.
 * Raises what interrupts raise, and 40P01; time over is no error.
 */
static bool
wait_for_lock(VirtualTransactionId vxid, int timeout_ms, int check_ms)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	int			old_lock_timeout = LockTimeout;
	int			old_deadlock_timeout = DeadlockTimeout;
	bool		old_log_lock_waits = log_lock_waits;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		LockTimeout = timeout_ms;
		log_lock_waits = false;
		if (check_ms >= 0)
			DeadlockTimeout = check_ms;
		CORM_FAULT("work-wait-lock");
		(void) VirtualXactLock(vxid, true);
		LockTimeout = old_lock_timeout;
		DeadlockTimeout = old_deadlock_timeout;
		log_lock_waits = old_log_lock_waits;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		LockTimeout = old_lock_timeout;
		DeadlockTimeout = old_deadlock_timeout;
		log_lock_waits = old_log_lock_waits;
		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;

	if (error == NULL)
		return true;
	if (error->sqlerrcode == ERRCODE_OUT_OF_MEMORY)
	{
		FreeErrorData(error);
		return false;
	}
	if (timeout_ms > 0 && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
	{
		FreeErrorData(error);
		return true;
	}
	ReThrowError(error);
	return false;				/* not reached */
}

/* transaction_of returns the virtual transaction that a process is in now, or an invalid one. */
static VirtualTransactionId
transaction_of(int procno)
{
	VirtualTransactionId vxid;

	GET_VXID_FROM_PGPROC(vxid, ProcGlobal->allProcs[procno]);
	return vxid;
}

/*
 * wait_for_process waits for the transaction of a process, for a while; waited_ms is how long it has
 * waited for that already.  Returns false if the lock table is full.
 */
static bool
wait_for_process(CormWaitKind how, VirtualTransactionId vxid, long waited_ms, long timeout_ms)
{
	int			off = DeadlockTimeout >= MASK_ABOVE_MS ? INT_MAX / 2 : -1;
	long		others_ms = 2L * DeadlockTimeout + MOMENT_MS;
	int			limit = timeout_ms < 0 ? 0 : (int) Min(timeout_ms, INT_MAX / 2);

	if (how == CORM_WAIT_MANY)
		return wait_for_lock(vxid, limit == 0 ? MOMENT_MS : Min(limit, MOMENT_MS), CHECK_NOW_MS);
	if (how == CORM_WAIT_JOINS && waited_ms >= others_ms)
		return wait_for_lock(vxid, limit, -1);
	if (how == CORM_WAIT_JOINS)
	{
		int			left = (int) Min(others_ms - waited_ms, INT_MAX / 2);

		limit = limit == 0 ? left : Min(limit, left);
	}
	return wait_for_lock(vxid, limit, off);
}

bool
corm_wait(CormWaitKind how, bool (*done) (void *arg), int (*target) (void *arg), void *arg,
		  const long *again_ms, long timeout_ms, uint32 wait_event)
{
	static CormSpin spins[CORM_WAIT_MANY + 1];
	int64		started = 0;
	long		latch_ms = how == CORM_WAIT_MANY ? DeadlockTimeout : Min(LATCH_MS, DeadlockTimeout / 4);
	bool		may_lock = target != NULL && IsTransactionState() && !IsInParallelMode();
	VirtualTransactionId before = {0};	/* waited for in the lock manager, since */
	long		since = 0;

	for (;;)
	{
		long		passed = 0;
		long		pause = -1;

		CHECK_FOR_INTERRUPTS();
		if (done(arg))
			return true;

		if (started == 0)
			started = corm_clock_machine();
		else
			passed = (corm_clock_machine() - started) / 1000;
		if (timeout_ms >= 0 && passed >= timeout_ms)
			return false;

		if (may_lock && passed >= latch_ms)
		{
			int			procno = target(arg);

			pause = AGAIN_MS;
			if (procno >= 0)
			{
				VirtualTransactionId vxid = transaction_of(procno);

				if (!VirtualTransactionIdEquals(vxid, before))
				{
					before = vxid;
					since = passed;
				}
				/* that is its transaction only if it still is the target */
				if (VirtualTransactionIdIsValid(vxid) && (how == CORM_WAIT_MANY || target(arg) == procno))
				{
					may_lock = wait_for_process(how, vxid, passed - since, timeout_ms >= 0 ? timeout_ms - passed : -1);
					if (may_lock && done(arg))
						return true;
				}
			}
			else
				pause = AGAIN_MS * 10;
			if (how == CORM_WAIT_MANY)
				latch_ms = (corm_clock_machine() - started) / 1000 + DeadlockTimeout;
		}
		else if (may_lock)
			pause = latch_ms - passed;

		if (timeout_ms >= 0)
			pause = pause < 0 ? timeout_ms - passed : Min(pause, timeout_ms - passed);
		if (again_ms != NULL && *again_ms >= 0)
			pause = pause < 0 ? *again_ms : Min(pause, *again_ms);
		(void) corm_latch_wait(&spins[how], WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (pause >= 0 ? WL_TIMEOUT : 0),
							   Max(pause, 0), wait_event);
		ResetLatch(MyLatch);
	}
}
