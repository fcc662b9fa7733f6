/*-------------------------------------------------------------------------
 *
 * claim.c
 *		Getting a worker for a call, and giving it back.
 *
 * A process has at most one claim.  What it has is always one of: a place in the
 * queue, a slot that is STARTING or CLAIMED for it, a job that is RUNNING or DONE; all of
 * which can be seen in shared memory by its procno.  So whatever interrupts it,
 * give_up finds what there is: after an error, and when the process exits
 * (a FATAL error does not run PG_CATCH).
 *
 * A cancel names its job, and is a SIGUSR2 (worker.c says why).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/process/claim.h"
#include "work/process/start.h"
#include "work/process/wait.h"

#define AGAIN_MS	50			/* between attempts to register a process */

/* What a wait for a process is about. */
typedef struct Start
{
	CormSlot   *slot;
	BackgroundWorkerHandle *handle;
	bool		stopped;
} Start;

static int	my_number = -1;		/* of the slot that this process has claimed */

/* give_up ends whatever claim this process has. */
static void
give_up(void)
{
	int			me = corm_my_procno();
	CormSlot   *slot;

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	corm_slot_dequeue(me);
	if (my_number < 0)
		my_number = corm_slot_waiters[me].slot;
	corm_slot_waiters[me].slot = -1;
	slot = my_number >= 0 ? &corm_slots[my_number] : NULL;
	if (slot != NULL && slot->claimant == me && slot->claimant_pid == MyProcPid)
	{
		switch (slot->state)
		{
			case CORM_SLOT_STARTING:
				slot->claimant = -1;
				if (slot->launched == 0)
					corm_slot_set_free(slot);
				break;
			case CORM_SLOT_RUNNING:
				slot->caller_gone = true;
				slot->claimant = -1;
				slot->cancel_job = slot->job;
				if (slot->pid != 0)
					kill(slot->pid, SIGUSR2);
				corm_slot_wake_worker(slot);
				break;
			case CORM_SLOT_CLAIMED:
			case CORM_SLOT_DONE:
				corm_slot_set_free(slot);
				break;
			default:
				break;
		}
		corm_slot_hand_out();
	}
	my_number = -1;
	LWLockRelease(&corm_workers->lock);
}

static void
give_up_at_exit(int code, Datum arg)
{
	give_up();
}

/* take notes that a slot is this process's.  Needs the lock. */
static void
take(int number)
{
	CormSlot   *slot = &corm_slots[number];

	my_number = number;
	slot->claimant = corm_my_procno();
	slot->claimant_pid = MyProcPid;
	if (slot->state == CORM_SLOT_IDLE)
		corm_slot_set_state(slot, CORM_SLOT_CLAIMED);
	else
	{
		slot->generation++;
		slot->database = MyDatabaseId;
		slot->session_user = GetSessionUserId();
		slot->launched = 0;
		corm_slot_set_state(slot, CORM_SLOT_STARTING);
	}
}

static bool
was_given_one(void *arg)
{
	return corm_slot_waiters[corm_my_procno()].slot >= 0;
}

/* time_left returns how many milliseconds are left until a moment of the machine's clock, -1 for none. */
static long
time_left(int64 until)
{
	int64		left = (until - corm_clock_machine() + 999) / 1000;

	return left > 0 ? (long) left : 0;
}

/* raise_none raises 53000: no worker in time. */
static void
raise_none(const char *hint)
{
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	corm_workers->stats.timeouts++;
	LWLockRelease(&corm_workers->lock);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("no worker is free for the autonomous transaction"),
			 errhint("%s", hint)));
}

/*
 * find makes a slot this process's, waiting for one until a moment.  It is CLAIMED, with a
 * process, or STARTING, without one.  Raises 53400 and 53000.
 */
static void
find(int64 until)
{
	CormSlotKey key = {MyDatabaseId, GetSessionUserId(), corm_role_workers, corm_database_workers, corm_my_procno()};
	int			number;
	bool		given;

	if (corm_role_workers == 0 || corm_database_workers == 0)
		raise_none("The setting corm.role_workers or corm.database_workers is 0.");

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	number = corm_slot_choose(&key);
	if (number >= 0)
		take(number);
	else
	{
		corm_slot_enqueue(&key);
		corm_workers->stats.waits++;
		if (corm_slot_exhausted(&key))
		{
			corm_slot_dequeue(key.procno);
			corm_workers->stats.exhaustions++;
			LWLockRelease(&corm_workers->lock);
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("all workers are held by autonomous transactions that wait for another one"),
					 errhint("Nest autonomous transactions less deep, or increase corm.max_workers.")));
		}
	}
	LWLockRelease(&corm_workers->lock);
	if (number >= 0)
		return;

	CORM_FAULT("work-claim-wait");
	(void) corm_wait(CORM_WAIT_BEGINS, was_given_one, NULL, NULL, NULL, time_left(until), corm_wait_event_new("CormWorkerWait"));

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	given = corm_slot_waiters[key.procno].slot >= 0;
	if (given)
		my_number = corm_slot_waiters[key.procno].slot;
	else
		corm_slot_dequeue(key.procno);
	corm_slot_waiters[key.procno].slot = -1;
	LWLockRelease(&corm_workers->lock);
	if (!given)
		raise_none("The limits are corm.max_workers, corm.role_workers and corm.database_workers; corm.worker_wait is how long to wait.");
}

/* is_up tells whether the process of a slot is there, or will never be. */
static bool
is_up(void *arg)
{
	Start	   *start = arg;
	pid_t		pid;

	if (start->slot->state != CORM_SLOT_STARTING)
		return true;
	start->stopped = GetBackgroundWorkerPid(start->handle, &pid) == BGWH_STOPPED;
	return start->stopped;
}

/* starting_process is who a wait for a process waits for: its start is a transaction. */
static int
starting_process(void *arg)
{
	Start	   *start = arg;

	return start->slot->state == CORM_SLOT_STARTING && start->slot->pid != 0 ? start->slot->procno : -1;
}

/* check_login raises 28000 if the session user may not log in, which would be no more than a log line of the worker. */
static void
check_login(void)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetSessionUserId()));
	bool		may = false;

	if (HeapTupleIsValid(tuple))
	{
		may = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
		ReleaseSysCache(tuple);
	}
	if (!may)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("could not start a worker for the autonomous transaction"),
				 errdetail("The session user \"%s\" is not permitted to log in.", GetUserNameFromId(GetSessionUserId(), true))));
}

/* raise_not_started raises why the process of a slot has not come up. */
static void
raise_not_started(const CormSlot *slot, bool in_time)
{
	int			code = slot->fatal_sqlstate;

	ereport(ERROR,
			(errcode(code != 0 && ERRCODE_TO_CATEGORY(code) != ERRCODE_OPERATOR_INTERVENTION ? code : ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("could not start a worker for the autonomous transaction"),
			 code != 0 ? errdetail("%s", slot->fatal_message) :
			 in_time ? errdetail("The process has ended.") : errdetail("It did not start within corm.worker_start_timeout.")));
}

/*
 * start_process starts the process of the slot that this process has, and waits for it.
 * Returns false, with the claim given up, if there is no place for a process.
 */
static bool
start_process(CormSlot *slot)
{
	Start		start = {slot, NULL, false};
	bool		in_time;

	check_login();
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	slot->fatal_sqlstate = 0;
	corm_workers->stats.cold_starts++;
	LWLockRelease(&corm_workers->lock);

	start.handle = corm_worker_launch(my_number);
	if (start.handle == NULL)
	{
		LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
		slot->launched = 0;
		corm_slot_note_start_failure(slot, "no place in max_worker_processes");
		LWLockRelease(&corm_workers->lock);
		give_up();
		return false;
	}
	CORM_FAULT("work-claim-launched");
	in_time = corm_wait(CORM_WAIT_BEGINS, is_up, starting_process, &start, NULL, corm_worker_start_timeout,
						corm_wait_event_new("CormWorkerStart"));
	pfree(start.handle);
	if (slot->state != CORM_SLOT_CLAIMED)
		raise_not_started(slot, in_time);
	return true;
}

/* make_room tells a process that has nothing to do to leave, so that another one can be started. */
static void
make_room(void)
{
	CormSlotKey key = {MyDatabaseId, GetSessionUserId(), -1, -1, -1};

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	corm_slot_evict(&key, false, false);
	LWLockRelease(&corm_workers->lock);
}

/*
 * corm_claim returns a slot that is CLAIMED by this process, with a process in it.  Waits
 * at most corm.worker_wait for a free one.  If it raises, nothing is claimed.
 */
CormSlot *
corm_claim(void)
{
	static bool registered = false;
	int64		until = corm_clock_machine() + corm_worker_wait * INT64CONST(1000);

	if (!registered)
	{
		before_shmem_exit(give_up_at_exit, (Datum) 0);
		registered = true;
	}

	PG_TRY();
	{
		for (;;)
		{
			CormSlot   *slot;

			find(until);
			slot = &corm_slots[my_number];
			if (slot->state != CORM_SLOT_STARTING || start_process(slot))
				break;

			/* those of other keys that have nothing to do make room */
			if (time_left(until) == 0)
				raise_none("No more processes can be started. You might need to increase max_worker_processes.");
			make_room();
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 AGAIN_MS, PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
		CORM_FAULT("work-claimed");
	}
	PG_CATCH();
	{
		give_up();
		PG_RE_THROW();
	}
	PG_END_TRY();
	return &corm_slots[my_number];
}

/* corm_claim_submitted makes the claimed slot's process run what is in its ring. */
void
corm_claim_submitted(CormSlot *slot)
{
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	slot->job++;
	if (slot->job == 0)
		slot->job = 1;
	slot->task = false;
	slot->caller_gone = false;
	slot->phase = CORM_PHASE_NONE;
	if (slot->pid != 0)
		corm_slot_set_state(slot, CORM_SLOT_RUNNING);
	else
		corm_slot_set_state(slot, CORM_SLOT_DONE);
	corm_workers->stats.calls++;
	corm_slot_wake_worker(slot);
	LWLockRelease(&corm_workers->lock);
}

/* corm_claim_cancel tells the process to stop the job. */
void
corm_claim_cancel(CormSlot *slot)
{
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	if (slot->state == CORM_SLOT_RUNNING && slot->pid != 0)
	{
		slot->cancel_job = slot->job;
		kill(slot->pid, SIGUSR2);
		corm_workers->stats.cancels++;
	}
	LWLockRelease(&corm_workers->lock);
}

/* corm_claim_release gives the slot back, whatever state it is in. */
void
corm_claim_release(CormSlot *slot)
{
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	slot->last_procno = corm_my_procno();
	slot->last_pid = MyProcPid;
	LWLockRelease(&corm_workers->lock);
	give_up();
}
