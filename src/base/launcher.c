/*-------------------------------------------------------------------------
 *
 * launcher.c
 *		The background process that sees to what should be running.
 *
 * There is one for the whole server, started by the postmaster and restarted
 * when it ends.  It initializes a connection to no database, only so that
 * pg_stat_activity shows it; so it also runs on a standby.
 *
 * It has duties: the cache's sweeper, the notifiers of events, the workers.
 * Their owners add them while the library is preloaded, in the same order in
 * every process, so that the number of a duty means the same everywhere.  A
 * duty looks at the truth in shared memory and does what is missing.  It must not
 * rely on being told: corm_launcher_wake only makes it look earlier.
 *
 * Nothing that may raise belongs into a transaction that has committed, and
 * starting a process may: that is the reason why a commit wakes the launcher
 * instead of starting what it needs.
 *
 * A wake-up is not lost.  Who wakes stores into `wanted` and then sets the latch;
 * the launcher resets its latch, then takes what is wanted, then looks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/launcher.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

#define MAX_DUTIES		8

/* pid, latch and last_look are written by the launcher alone. */
typedef struct LauncherShared
{
	volatile pid_t pid;
	Latch	   *volatile latch;
	pg_atomic_uint32 wanted;	/* a bit for each duty */
	pg_atomic_uint64 last_look[MAX_DUTIES]; /* monotonic time of the machine */
} LauncherShared;

static LauncherShared *launcher = NULL;
static const CormDuty *duties[MAX_DUTIES];
static int	nduties = 0;

static Size
launcher_size(void)
{
	return sizeof(LauncherShared);
}

static void
launcher_attach(void *addr, Size size, bool found)
{
	launcher = addr;
	if (found)
		return;
	memset(launcher, 0, sizeof(LauncherShared));
	pg_atomic_init_u32(&launcher->wanted, 0);
	for (int i = 0; i < MAX_DUTIES; i++)
		pg_atomic_init_u64(&launcher->last_look[i], 0);
}

static const CormSharedPart launcher_part = {
	.name = "corm launcher",
	.size = launcher_size,
	.attach = launcher_attach,
};

/*
 * corm_launcher_init asks for the launcher's shared memory and registers it with
 * the postmaster.  Does nothing unless the library is being preloaded.
 * pg_upgrade runs a server that must change nothing on its own, so there is no
 * launcher.
 */
void
corm_launcher_init(void)
{
	BackgroundWorker worker = {0};

	if (!process_shared_preload_libraries_in_progress)
		return;
	corm_shared_add(&launcher_part);
	if (IsBinaryUpgrade)
		return;

	strlcpy(worker.bgw_name, "corm launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "corm launcher", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = 1;
	strlcpy(worker.bgw_library_name, "corm", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "corm_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/*
 * corm_launcher_add adds a duty and returns its number.  Called from init
 * functions, in every process.  The struct must be static.
 */
int
corm_launcher_add(const CormDuty *duty)
{
	if (nduties >= MAX_DUTIES)
		elog(ERROR, "too many duties of the launcher");
	duties[nduties] = duty;
	return nduties++;
}

/*
 * corm_launcher_wake makes the launcher look at a duty now.  Does nothing where
 * the library is not preloaded.  Raises nothing, so a commit may call it.
 */
void
corm_launcher_wake(int duty)
{
	Latch	   *latch;

	if (launcher == NULL)
		return;
	pg_atomic_fetch_or_u32(&launcher->wanted, (uint32) 1 << duty);
	latch = launcher->latch;
	if (latch != NULL)
		SetLatch(latch);
}

/* corm_launcher_pid returns the launcher's process ID, 0 if it is not running. */
pid_t
corm_launcher_pid(void)
{
	return launcher == NULL ? 0 : launcher->pid;
}

/*
 * corm_launcher_last_look returns when the launcher last looked at a duty, in the
 * machine's monotonic time; 0 for never.
 */
int64
corm_launcher_last_look(int duty)
{
	return launcher == NULL ? 0 : (int64) pg_atomic_read_u64(&launcher->last_look[duty]);
}

/* forget_launcher clears the traces of the launcher when it exits. */
static void
forget_launcher(int code, Datum arg)
{
	launcher->latch = NULL;
	launcher->pid = 0;
}

/*
 * look_at_duties calls the duties that are due or wanted, and updates when each is
 * due next (PG_INT64_MAX: not before it is wanted).  Returns the earliest of these.
 */
static int64
look_at_duties(int64 *due)
{
	uint32		wanted = pg_atomic_exchange_u32(&launcher->wanted, 0);
	int64		next = PG_INT64_MAX;

	for (int i = 0; i < nduties; i++)
	{
		int64		now = corm_clock_machine();

		if (now >= due[i] || (wanted & ((uint32) 1 << i)) != 0)
		{
			long		pause = duties[i]->look();

			now = corm_clock_machine();
			pg_atomic_write_u64(&launcher->last_look[i], (uint64) now);
			due[i] = pause < 0 ? PG_INT64_MAX : now + pause * INT64CONST(1000);
		}
		next = Min(next, due[i]);
	}
	return next;
}

/* corm_launcher_main is the launcher's main function. */
void
corm_launcher_main(Datum arg)
{
	int64		due[MAX_DUTIES] = {0};
	uint32		wait_event;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	wait_event = corm_wait_event_new("CormLauncherMain");
	on_shmem_exit(forget_launcher, (Datum) 0);
	launcher->latch = &MyProc->procLatch;
	launcher->pid = MyProcPid;
	for (int i = 0; i < nduties; i++)
	{
		if (duties[i]->start != NULL)
			duties[i]->start();
	}

	for (;;)
	{
		int64		next;
		long		timeout = -1;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();

		/*
		 * Exit without an error but with code 1, as the logical replication
		 * launcher does, so that the postmaster restarts the process unless
		 * it is shutting down.
		 */
		if (ShutdownRequestPending)
		{
			ereport(DEBUG1, (errmsg_internal("corm launcher shutting down")));
			proc_exit(1);
		}
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			memset(due, 0, sizeof(due));
		}

		next = look_at_duties(due);
		if (next != PG_INT64_MAX)
			timeout = Max((next - corm_clock_machine() + 999) / 1000, 0);

		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout >= 0 ? WL_TIMEOUT : 0),
						 timeout, wait_event);
	}
}
