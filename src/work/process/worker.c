/*-------------------------------------------------------------------------
 *
 * worker.c
 *		The main function of a worker: its loop, its signals, its end.
 *
 * Signals.  SIGUSR2 is a caller who wants one job cancelled: it has written the number of
 * the job into the slot, and the handler compares.  SIGINT would not do for that: it
 * may arrive when the next job runs already.  SIGINT means what runs now, as
 * pg_cancel_backend and the server's own timers do.  What is left of a cancel when
 * the job has ended is dropped.  Between taking a job and its PG_TRY there is no check
 * for interrupts: an error there would end the process.
 *
 * At its end the process gives the slot back, whatever the reason.  That runs after its
 * transaction is rolled back and its locks are released.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/latch.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/sinval.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/wait_event.h"
#include "work/process/call.h"
#include "work/process/job.h"
#include "work/process/notices.h"
#include "work/process/slots.h"
#include "work/process/start.h"
#include "work/process/worker.h"

#define MAX_SOURCES			4
#define FLUSH_MS			1000	/* idle so long: report statistics */
#define LOOK_AT_MEMORY_EVERY	64	/* jobs */

static CormSlot *my_slot = NULL;
static int	my_depth = 0;
static bool used_up = false;	/* to be replaced */
static MemoryContext job_context = NULL;

static const CormTaskSource *sources[MAX_SOURCES];
static int	nsources = 0;
static int	next_source = 0;

/* The task that this process runs, and whose it is. */
static const CormTaskSource *task_source = NULL;
static void *task = NULL;

static emit_log_hook_type prev_emit_log_hook = NULL;

/* corm_worker_add_source adds a source of tasks; from init functions, in every process. */
void
corm_worker_add_source(const CormTaskSource *source)
{
	if (nsources >= MAX_SOURCES)
		elog(ERROR, "too many sources of tasks");
	sources[nsources++] = source;
}

/* corm_worker_sources calls the wanted function of each source; in the launcher. */
void
corm_worker_sources(void (*want) (Oid database, Oid session_user, int n))
{
	for (int i = 0; i < nsources; i++)
		sources[i]->wanted(want);
}

/* corm_worker_depth returns how deep the job that this process runs is nested; 0 in other processes. */
int
corm_worker_depth(void)
{
	return my_depth;
}

CormWorkerRef
corm_worker_self(void)
{
	CormWorkerRef ref = {-1, 0};

	if (my_slot != NULL && my_slot->state == CORM_SLOT_RUNNING)
	{
		ref.slot = my_slot - corm_slots;
		ref.job = my_slot->job;
	}
	return ref;
}

void
corm_worker_wake(Oid database, Oid session_user)
{
	bool		woken = false;

	if (corm_workers == NULL)
		return;
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		CormSlot   *slot = &corm_slots[i];

		if (slot->database != database || slot->session_user != session_user ||
			slot->state == CORM_SLOT_EMPTY || slot->state == CORM_SLOT_LEAVING)
			continue;
		if (slot->state == CORM_SLOT_IDLE && !slot->poked)
		{
			woken = true;
			/* first, as the worker looks at it without the lock when it is woken */
			slot->poked = true;
			corm_slot_wake_worker(slot);
			break;
		}
	}
	if (!woken)
	{
		/* those that are busy look when they are done */
		for (int i = 0; i < corm_workers->nslots; i++)
		{
			if (corm_slots[i].database == database && corm_slots[i].session_user == session_user)
				corm_slots[i].poked = true;
		}
	}
	LWLockRelease(&corm_workers->lock);
	if (!woken)
		corm_workers_reconcile();
}

void
corm_worker_cancel(CormWorkerRef ref)
{
	CormSlot   *slot;

	if (corm_workers == NULL || ref.slot < 0)
		return;
	slot = &corm_slots[ref.slot];
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	if (slot->state == CORM_SLOT_RUNNING && slot->job == ref.job && slot->pid != 0)
	{
		slot->cancel_job = ref.job;
		kill(slot->pid, SIGUSR2);
		corm_workers->stats.cancels++;
	}
	LWLockRelease(&corm_workers->lock);
}

int
corm_worker_procno(CormWorkerRef ref)
{
	CormSlot   *slot;
	int			procno = -1;

	if (corm_workers == NULL || ref.slot < 0)
		return -1;
	slot = &corm_slots[ref.slot];
	LWLockAcquire(&corm_workers->lock, LW_SHARED);
	if (slot->state == CORM_SLOT_RUNNING && slot->job == ref.job && slot->pid != 0)
		procno = slot->procno;
	LWLockRelease(&corm_workers->lock);
	return procno;
}

/* on_sigusr2 cancels the job whose number was written down, if it is the one that runs. */
static void
on_sigusr2(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (my_slot != NULL && my_slot->state == CORM_SLOT_RUNNING &&
		my_slot->cancel_job == my_slot->job)
	{
		QueryCancelPending = true;
		InterruptPending = true;
	}
	SetLatch(MyLatch);
	errno = save_errno;
}

/* on_sigint cancels what runs now. */
static void
on_sigint(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (my_slot != NULL && my_slot->state == CORM_SLOT_RUNNING)
	{
		QueryCancelPending = true;
		InterruptPending = true;
	}
	SetLatch(MyLatch);
	errno = save_errno;
}

/*
 * on_log keeps the error that ends the process, for those who wait for it, and leaves the
 * logging of what goes to a caller to that.
 */
static void
on_log(ErrorData *error)
{
	if (error->elevel < ERROR && error->output_to_client && corm_notices_are_kept())
		error->output_to_server = false;
	if (prev_emit_log_hook)
		prev_emit_log_hook(error);
	if (my_slot == NULL || my_slot->fatal_sqlstate != 0)
		return;
	if (error->elevel >= FATAL || (error->elevel == ERROR && my_slot->state == CORM_SLOT_STARTING))
	{
		strlcpy(my_slot->fatal_message, error->message ? error->message : "", CORM_FATAL_LENGTH);
		my_slot->fatal_sqlstate = error->sqlerrcode;
	}
}

int
corm_worker_fatal_sqlstate(void)
{
	return my_slot != NULL ? my_slot->fatal_sqlstate : 0;
}

/* pass tells all sources, but for one, that this process does not claim another task of them now. */
static void
pass(const CormTaskSource *but)
{
	for (int i = 0; i < nsources; i++)
		if (sources[i] != but && sources[i]->pass != NULL)
			sources[i]->pass();
}

/* worker_gone gives the slot back when the process ends. */
static void
worker_gone(int code, Datum arg)
{
	CormSlot   *slot = my_slot;

	if (task != NULL)
	{
		void	   *lost = task;

		task = NULL;
		task_source->lost(lost);
	}

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	slot->pid = 0;
	if (slot->state == CORM_SLOT_RUNNING)
	{
		corm_workers->stats.terminations++;
		if (slot->task || slot->caller_gone)
			corm_slot_set_free(slot);
		else
		{
			corm_slot_set_state(slot, CORM_SLOT_DONE);
			corm_slot_wake_claimant(slot);
		}
	}
	else if (slot->state == CORM_SLOT_STARTING || slot->state == CORM_SLOT_CLAIMED)
	{
		/* the claimant, if there is one, sees that there is no process */
		if (slot->state == CORM_SLOT_STARTING)
			corm_slot_note_start_failure(slot, "the process has ended");
		if (slot->claimant < 0)
			corm_slot_set_free(slot);
		else
		{
			corm_slot_set_state(slot, CORM_SLOT_DONE);
			corm_slot_wake_claimant(slot);
		}
	}
	else if (slot->state != CORM_SLOT_DONE)
		corm_slot_set_free(slot);
	corm_slot_hand_out();
	LWLockRelease(&corm_workers->lock);
	my_slot = NULL;
	pass(NULL);
	corm_workers_reconcile();
}

/*
 * enroll makes this process that of its slot.  Returns false if it has come too late, and
 * somebody else has the slot.
 */
static bool
enroll(int number, uint32 generation)
{
	CormSlot   *slot = &corm_slots[number];
	bool		mine;

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	mine = slot->state == CORM_SLOT_STARTING && slot->generation == generation && slot->pid == 0;
	if (mine)
	{
		slot->pid = MyProcPid;
		slot->procno = corm_my_procno();
		slot->jobs = 0;
		slot->fatal_sqlstate = 0;
		slot->fatal_message[0] = '\0';
		slot->last_procno = -1;
		slot->poked = true;
		slot->worn = false;
	}
	LWLockRelease(&corm_workers->lock);
	if (mine)
	{
		my_slot = slot;
		corm_job_phase = &slot->phase;
		before_shmem_exit(worker_gone, (Datum) 0);
	}
	return mine;
}

/* ready tells the process that waits for this one that it has started. */
static void
ready(void)
{
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	corm_slot_note_start(my_slot);
	if (my_slot->claimant >= 0)
	{
		corm_slot_set_state(my_slot, CORM_SLOT_CLAIMED);
		corm_slot_wake_claimant(my_slot);
	}
	else
	{
		corm_slot_set_free(my_slot);
		corm_slot_hand_out();
	}
	LWLockRelease(&corm_workers->lock);
}

/*
 * take_task makes this process busy if it is free and may run a task, and takes one from
 * the sources, in turn.  Returns false if there is none.
 */
static bool
take_task(void)
{
	bool		may;

	if (nsources == 0)
		return false;
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	may = my_slot->state == CORM_SLOT_IDLE && my_slot->poked &&
		corm_slot_count_tasks() < corm_workers->nslots - corm_reserved_workers;
	if (may)
	{
		my_slot->poked = false;
		my_slot->task = true;
		my_slot->depth = 1;
		my_slot->job++;
		corm_slot_set_state(my_slot, CORM_SLOT_RUNNING);
	}
	LWLockRelease(&corm_workers->lock);
	if (!may)
	{
		pass(NULL);
		return false;
	}

	for (int i = 0; i < nsources && task == NULL; i++)
	{
		task_source = sources[next_source];
		next_source = (next_source + 1) % nsources;
		task = task_source->claim(MyDatabaseId, GetSessionUserId());
	}
	if (task != NULL)
		pass(task_source);
	return task != NULL;
}

/* is_worn_out tells whether the process has done or gathered so much that it should be replaced. */
static bool
is_worn_out(void)
{
	if (corm_worker_max_jobs > 0 && my_slot->jobs >= corm_worker_max_jobs)
		return true;
	return corm_worker_max_memory > 0 && my_slot->jobs % LOOK_AT_MEMORY_EVERY == 0 &&
		MemoryContextMemAllocated(TopMemoryContext, true) > (Size) corm_worker_max_memory * 1024;
}

/* end_task makes this process free again; if it has run something (more), there may be more. */
static void
end_task(bool more, bool clean)
{
	bool		worn = !clean || (more && is_worn_out());

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	my_slot->poked |= more;
	my_slot->jobs += more;
	my_slot->worn |= worn;
	corm_workers->stats.tasks += more;
	corm_slot_set_free(my_slot);
	corm_slot_hand_out();
	for (int i = 0; i < corm_workers->nslots; i++)
	{
		/* there was no place for its task */
		if (corm_slots[i].state == CORM_SLOT_IDLE && corm_slots[i].poked)
			corm_slot_wake_worker(&corm_slots[i]);
	}
	LWLockRelease(&corm_workers->lock);
}

/* corm_worker_use_up has the process replaced after what it runs now, which leaves something in it. */
void
corm_worker_use_up(void)
{
	used_up = true;
}

/* after_job does what PostgresMain does after each command, and returns whether the process may go on. */
static bool
after_job(void)
{
	bool		clean = corm_worker_clean();

	pgstat_report_stat(false);
	QueryCancelPending = false;
	return clean && !used_up;
}

/* run_tasks runs tasks as long as there are some and nobody else has the process. */
static void
run_tasks(void)
{
	while (take_task())
	{
		bool		clean;

		my_depth = 1;
		MemoryContextSwitchTo(job_context);
		task_source->run(task);
		task = NULL;
		MemoryContextSwitchTo(TopMemoryContext);
		MemoryContextReset(job_context);
		my_depth = 0;
		clean = after_job();
		CORM_FAULT_UNCANCELLED("work-task-done");
		end_task(true, clean);
		/* what came since then was meant for that one */
		QueryCancelPending = false;
	}
	if (my_slot->state == CORM_SLOT_RUNNING && my_slot->task)
		end_task(false, true);
}

/* run_call runs what a caller has sent, and answers. */
static void
run_call(void)
{
	CormJob		job;
	CormJobReport report;
	char	   *request;
	Size		len;
	bool		clean = true;
	bool		worn;

	MemoryContextSwitchTo(job_context);
	if (corm_call_receive(my_slot, &request, &len))
	{
		corm_job_parse(&job, request, len);
		my_depth = job.depth;
		corm_notices_begin(job_context);
		if (my_slot->cancel_job == my_slot->job)
			QueryCancelPending = InterruptPending = true;
		corm_job_run(&job, &report);
		my_depth = 0;
		clean = after_job() && job.kind == CORM_JOB_ATOMIC;
		corm_call_answer(my_slot, &report, corm_notices_end());
	}
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextReset(job_context);

	my_slot->jobs++;
	worn = !clean || is_worn_out();
	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	my_slot->worn |= worn;
	if (my_slot->caller_gone)
	{
		corm_slot_set_free(my_slot);
		corm_slot_hand_out();
	}
	else
	{
		corm_slot_set_state(my_slot, CORM_SLOT_DONE);
		corm_slot_wake_claimant(my_slot);
	}
	LWLockRelease(&corm_workers->lock);
	QueryCancelPending = false;
}

/* may_leave makes the slot one of a process that leaves, if nobody has claimed it. */
static bool
may_leave(void)
{
	bool		leave;

	LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
	if (my_slot->state == CORM_SLOT_IDLE)
		corm_slot_set_state(my_slot, CORM_SLOT_LEAVING);
	leave = my_slot->state == CORM_SLOT_LEAVING;
	LWLockRelease(&corm_workers->lock);
	return leave;
}

/* look_around does what is to be done between two jobs. */
static void
look_around(void)
{
	HOLD_CANCEL_INTERRUPTS();	/* a job may have begun right now */
	CHECK_FOR_INTERRUPTS();
	RESUME_CANCEL_INTERRUPTS();
	if (catchupInterruptPending)
		ProcessCatchupInterrupt();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* serve runs jobs until the process is to end. */
static void
serve(void)
{
	uint32		wait_event = corm_wait_event_new("CormWorkerMain");
	bool		reported = true;
	CormSpin	spin = {0};

	for (;;)
	{
		long		timeout = corm_worker_idle_timeout;

		ResetLatch(MyLatch);
		if (my_slot->state == CORM_SLOT_RUNNING)
		{
			run_call();
			reported = false;
			continue;
		}
		look_around();
		if (my_slot->state == CORM_SLOT_IDLE && my_slot->poked)
		{
			run_tasks();
			reported = false;
		}
		if (my_slot->state == CORM_SLOT_LEAVING)
			break;

		if (my_slot->state == CORM_SLOT_IDLE)
		{
			timeout -= (corm_clock_machine() - my_slot->idle_since) / 1000;
			if (timeout <= 0 && may_leave())
				break;
		}
		timeout = reported ? Max(timeout, 1) : Min(FLUSH_MS, Max(timeout, 1));
		if (corm_latch_wait(&spin, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							timeout, wait_event) != WL_TIMEOUT)
			continue;
		/* never: who has a task for this process wakes it */
		if (my_slot->state == CORM_SLOT_IDLE && my_slot->poked)
			CORM_FAULT("work-late");
		if (!reported)
			pgstat_report_stat(true);
		reported = true;
	}
}

/* corm_worker_main is a worker's main function; its slot is the argument. */
void
corm_worker_main(Datum arg)
{
	uint32		generation;
	Oid			database;
	Oid			role;

	memcpy(&generation, MyBgworkerEntry->bgw_extra, sizeof(generation));
	if (!enroll(DatumGetInt32(arg), generation))
		proc_exit(0);
	database = my_slot->database;
	role = my_slot->session_user;

	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = on_log;
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGINT, on_sigint);
	pqsignal(SIGUSR2, on_sigusr2);
	BackgroundWorkerUnblockSignals();
	CORM_FAULT("work-worker-start");
	BackgroundWorkerInitializeConnectionByOid(database, role, 0);

	corm_notices_capture();
	SetConfigOption("default_transaction_deferrable", "off", PGC_SUSET, PGC_S_OVERRIDE);
	corm_disable_transaction_timeout();
	job_context = AllocSetContextCreate(TopMemoryContext, "corm job", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(TopMemoryContext);
	pgstat_report_activity(STATE_IDLE, NULL);
	ready();
	serve();
	proc_exit(0);
}
