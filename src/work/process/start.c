/*-------------------------------------------------------------------------
 *
 * start.c
 *		Starting workers, and what the launcher does about them.
 *
 * A caller that needs a worker asks the postmaster for it and waits.  For tasks, the
 * launcher does: each second, and when woken, it asks the sources how much could
 * run, and starts what is missing.  So nothing depends on a wake-up that may get
 * lost.  If a process of a key does not come up, it waits longer each time, up to a
 * minute.
 *
 * It also looks for slots whose claimant or process has gone without a trace.  Processes
 * give up what they have when they exit, so it finds nothing; but if it did, a worker would
 * be lost until the next restart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "cache/cache.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/timestamp.h"
#include "work/process/slots.h"
#include "work/process/start.h"

#define LOOK_MS				1000
#define HOLD_US				(INT64CONST(10) * USECS_PER_SEC)
#define LOG_AGAIN_US		(INT64CONST(60) * USECS_PER_SEC)

static int	duty = -1;

/*
 * corm_worker_launch asks the postmaster for the process of a slot that is
 * STARTING.  Returns NULL if there is no place for one.  The handle is palloc'd.
 */
BackgroundWorkerHandle *
corm_worker_launch(int number)
{
	CormSlot   *slot = &corm_slots[number];
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;

	snprintf(worker.bgw_name, BGW_MAXLEN, "corm worker %d", number + 1);
	strlcpy(worker.bgw_type, "corm worker", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "corm", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "corm_worker_main", BGW_MAXLEN);
	worker.bgw_main_arg = Int32GetDatum(number);
	memcpy(worker.bgw_extra, &slot->generation, sizeof(slot->generation));
	worker.bgw_notify_pid = MyProcPid;
	slot->launched = corm_clock_machine();
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		return NULL;
	return handle;
}

/* is_gone tells whether a process has ended, as far as its PGPROC says. */
static bool
is_gone(int procno, pid_t pid)
{
	return ProcGlobal->allProcs[procno].pid != pid;
}

/* look_after frees a slot that nobody will.  Needs the lock. */
static void
look_after(CormSlot *slot, int64 now)
{
	if (slot->claimant >= 0 && is_gone(slot->claimant, slot->claimant_pid))
	{
		slot->claimant = -1;
		if (slot->state == CORM_SLOT_CLAIMED || slot->state == CORM_SLOT_DONE)
			corm_slot_set_free(slot);
		else if (slot->state == CORM_SLOT_RUNNING)
		{
			slot->caller_gone = true;
			slot->cancel_job = slot->job;
			if (slot->pid != 0)
				kill(slot->pid, SIGUSR2);
		}
	}
	if (slot->state == CORM_SLOT_STARTING && slot->claimant < 0 && slot->pid == 0 &&
		now - slot->launched > corm_worker_start_timeout * INT64CONST(1000))
	{
		corm_slot_note_start_failure(slot, "the process did not start in time");
		slot->generation++;
		corm_slot_set_free(slot);
	}
	if (slot->pid != 0 && slot->procno >= 0 && is_gone(slot->procno, slot->pid))
	{
		slot->pid = 0;
		if (slot->state == CORM_SLOT_RUNNING && !slot->task && !slot->caller_gone)
		{
			corm_slot_set_state(slot, CORM_SLOT_DONE);
			corm_slot_wake_claimant(slot);
		}
		else if (slot->state != CORM_SLOT_DONE)
			corm_slot_set_free(slot);
	}
}

/* look_after_all frees what nobody will, and gives it to those who wait. */
static void
look_after_all(void)
{
	int64		now = corm_clock_machine();
	int			next;

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	for (int i = 0; i < corm_workers->nslots; i++)
		look_after(&corm_slots[i], now);
	for (int procno = corm_workers->first_waiter; procno >= 0; procno = next)
	{
		next = corm_slot_waiters[procno].next;
		if (ProcGlobal->allProcs[procno].pid == 0)
			corm_slot_dequeue(procno);
	}
	corm_slot_hand_out();
	LWLockRelease(&corm_workers->lock);
}

/* count_ready pokes up to n workers of a key that are free, and returns how many are free or on their way. */
static int
count_ready(Oid database, Oid session_user, int n)
{
	int			ready = 0;

	for (int i = 0; i < corm_workers->nslots && ready < n; i++)
	{
		CormSlot   *slot = &corm_slots[i];

		if (slot->database != database || slot->session_user != session_user)
			continue;
		if (slot->state == CORM_SLOT_IDLE)
		{
			slot->poked = true;
			corm_slot_wake_worker(slot);
			ready++;
		}
		else if (slot->state == CORM_SLOT_STARTING && slot->claimant < 0)
			ready++;
	}
	return ready;
}

/* count_for_tasks returns how many slots run tasks, or start in order to. */
static int
count_for_tasks(void)
{
	int			n = corm_slot_count_tasks();

	for (int i = 0; i < corm_workers->nslots; i++)
		n += corm_slots[i].state == CORM_SLOT_STARTING && corm_slots[i].claimant < 0;
	return n;
}

/* take_slot_for_tasks makes a slot STARTING for a key, if there is one and tasks may have it, else returns -1. */
static int
take_slot_for_tasks(Oid database, Oid session_user, int n)
{
	CormSlotKey key = {database, session_user, corm_role_workers, corm_database_workers, -1};
	int			number = -1;

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	if (count_ready(database, session_user, n) < n &&
		count_for_tasks() < corm_workers->nslots - corm_reserved_workers &&
		corm_workers->first_waiter < 0 && corm_slot_may_start(database, session_user))
		number = corm_slot_choose(&key);
	if (number >= 0 && corm_slots[number].state != CORM_SLOT_EMPTY)
		number = -1;			/* a free one, which is poked already */
	if (number >= 0)
	{
		CormSlot   *slot = &corm_slots[number];

		slot->generation++;
		slot->database = database;
		slot->session_user = session_user;
		slot->claimant = -1;
		slot->launched = corm_clock_machine();
		corm_slot_set_state(slot, CORM_SLOT_STARTING);
		corm_workers->stats.cold_starts++;
	}
	LWLockRelease(&corm_workers->lock);
	return number;
}

/* want starts workers for n tasks of a key, as far as there is room. */
static void
want(Oid database, Oid session_user, int n)
{
	static int64 logged = 0;
	int			number;

	while ((number = take_slot_for_tasks(database, session_user, n)) >= 0)
	{
		BackgroundWorkerHandle *handle = corm_worker_launch(number);

		if (handle != NULL)
		{
			pfree(handle);
			continue;
		}
		LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
		corm_slots[number].fatal_sqlstate = 0;
		corm_slot_note_start_failure(&corm_slots[number], "no place in max_worker_processes");
		corm_slot_set_free(&corm_slots[number]);
		LWLockRelease(&corm_workers->lock);
		if (logged == 0 || corm_clock_machine() - logged > LOG_AGAIN_US)
		{
			ereport(LOG,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not start a worker for tasks"),
					 errhint("You might need to increase max_worker_processes.")));
			logged = corm_clock_machine();
		}
		break;
	}
}

/* look is the launcher's duty. */
static long
look(void)
{
	if (corm_workers->nslots == 0)
		return -1;
	look_after_all();
	corm_worker_sources(want);
	return LOOK_MS;
}

static const CormDuty worker_duty = {
	.name = "workers",
	.look = look,
};

/* corm_workers_duty returns the number of the launcher's duty. */
int
corm_workers_duty(void)
{
	return duty;
}

/* corm_workers_reconcile makes the launcher look at the workers now.  Raises nothing. */
void
corm_workers_reconcile(void)
{
	corm_launcher_wake(duty);
}

/*
 * leave_database makes the workers of a database that have nothing to do leave it, and
 * keeps new ones from being started for tasks for ten seconds: a statement
 * needs the database without sessions, and waits five seconds for them to end.
 */
static void
leave_database(Oid database)
{
	CormHeldDatabase *held;

	if (corm_workers == NULL)
		return;
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	held = &corm_workers->held[0];
	for (int i = 0; i < CORM_HELD_MAX; i++)
	{
		if (corm_workers->held[i].database == database)
		{
			held = &corm_workers->held[i];
			break;
		}
		if (corm_workers->held[i].until < held->until)
			held = &corm_workers->held[i];
	}
	held->database = database;
	held->until = corm_clock_machine() + HOLD_US;

	for (int i = 0; i < corm_workers->nslots; i++)
	{
		CormSlot   *slot = &corm_slots[i];

		if (slot->state == CORM_SLOT_IDLE && slot->database == database)
		{
			corm_slot_set_state(slot, CORM_SLOT_LEAVING);
			corm_slot_wake_worker(slot);
		}
	}
	LWLockRelease(&corm_workers->lock);
}

/* corm_workers_init asks for the slots, and makes looking after them a duty of the launcher. */
void
corm_workers_init(void)
{
	corm_slots_init();
	corm_worker_info_init();
	duty = corm_launcher_add(&worker_duty);
	corm_database_leave = leave_database;
}
