/*-------------------------------------------------------------------------
 *
 * sweeper.c
 *		The background worker that removes what has expired.
 *
 * One static worker for the whole server.  It connects to no database (only so
 * that pg_stat_activity shows it), and so it also runs on a standby.
 *
 * A tick visits at most corm.sweep_max_entries entries, cascaded ones
 * included, and stops after corm.sweep_max_time; it holds no shard's lock for
 * more than 32 of them.  When that was not enough it ticks again after a pause
 * of four times what the tick took: at most a fifth of a processor.
 *
 * Between ticks it sleeps until the next entry is due, but at least
 * corm.sweep_interval, and publishes when it will wake.  Who files an entry
 * that is due before that sets its latch.  With nothing that expires, nothing
 * to purge and no notifier to start, it sleeps until told.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/warm.h"
#include "cache/shared/wheel.h"
#include "cache/workers/notifier.h"
#include "cache/workers/sweeper.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define LAUNCH_RETRY_MS		1000

/*
 * corm_sweeper_register asks the postmaster to run the sweeper.  Called while
 * libraries are preloaded.
 */
void
corm_sweeper_register(void)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, "corm cache sweeper", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "corm cache sweeper", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	worker.bgw_restart_time = 1;
	strlcpy(worker.bgw_library_name, "corm", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "corm_sweeper_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/*
 * corm_sweep_tick does one tick's work.  Returns true if the budget was used
 * up, so that there may be more to do.
 */
bool
corm_sweep_tick(void)
{
	static uint32 next_shard = 0;
	int64		now = corm_clock_mono();
	int64		stop_at = corm_clock_machine() + (int64) (corm_sweep_max_time * 1000);
	int			budget = corm_sweep_max_entries;
	int			visited;
	int			removed_total;
	int			max_batch = 0;
	bool		exhausted = false;

	(void) corm_ns_purge(budget, stop_at, &visited);
	removed_total = visited;
	if (visited > 0)
	{
		max_batch = Min(visited, CORM_LOCK_BATCH);
		exhausted = corm_clock_machine() >= stop_at;
	}

	for (int i = 0; i < CORM_SHARDS && !exhausted; i++)
	{
		CormShard  *shard = &corm_shards[next_shard];
		bool		more = shard->wheel_count > 0;

		while (more)
		{
			int			batch = Min(CORM_LOCK_BATCH, budget - visited);
			CormRemoved removed;
			int			n;

			if (batch <= 0 || (visited > 0 && corm_clock_machine() >= stop_at))
			{
				exhausted = true;
				break;
			}

			removed.n = 0;
			LWLockAcquire(&shard->lock, LW_EXCLUSIVE);
			corm_table_begin_change(shard);
			n = corm_wheel_advance(shard, now, batch, &removed);
			corm_table_end_change(shard);
			LWLockRelease(&shard->lock);

			removed_total += removed.n;
			corm_table_dispose(&removed, NULL);
			visited += n;
			max_batch = Max(max_batch, n);
			more = n == batch;
			CHECK_FOR_INTERRUPTS();
		}
		if (!exhausted)
			next_shard = (next_shard + 1) % CORM_SHARDS;
	}

	LWLockAcquire(&corm_cache->ns_lock, LW_EXCLUSIVE);
	corm_cache->sweep.ticks++;
	corm_cache->sweep.visited += visited;
	corm_cache->sweep.removed += removed_total;
	corm_cache->sweep.max_visited = Max(corm_cache->sweep.max_visited, visited);
	corm_cache->sweep.max_batch = Max(corm_cache->sweep.max_batch, max_batch);
	LWLockRelease(&corm_cache->ns_lock);
	return exhausted || visited >= budget;
}

/* next_work returns the monotonic time at which there will be work. */
static int64
next_work(void)
{
	int64		next = PG_INT64_MAX;

	if (corm_sweep_interval == 0)
		return next;
	if (pg_atomic_read_u32(&corm_cache->ndead) > 0)
		return 0;
	for (int s = 0; s < CORM_SHARDS; s++)
	{
		CormShard  *shard = &corm_shards[s];

		if (shard->wheel_count == 0)
			continue;
		LWLockAcquire(&shard->lock, LW_SHARED);
		next = Min(next, corm_wheel_next(shard));
		LWLockRelease(&shard->lock);
	}
	return next;
}

/*
 * expect_calls makes everybody who has something to do for the sweeper wake it.
 * Called before it looks for what there is: what comes later sets its latch.
 */
static void
expect_calls(void)
{
	pg_atomic_write_u64(&corm_cache->sweeper_next, PG_INT64_MAX);
	pg_memory_barrier();
}

/*
 * plan_sleep publishes when the sweeper will look next, and returns the time
 * to sleep in milliseconds, -1 for until told.
 */
static long
plan_sleep(void)
{
	int64		interval = corm_sweep_interval > 0 ? corm_sweep_interval * INT64CONST(1000) : USECS_PER_SEC;
	int64		now = corm_clock_mono();
	int64		next;

	next = next_work();
	if (next == PG_INT64_MAX)
		return -1;

	next = Max(next, now + interval);

	/* It will jump when it is let go: look at it at every interval. */
	if (corm_clock_is_virtual())
		next = now + interval;
	pg_atomic_write_u64(&corm_cache->sweeper_next, next);
	return Min((next - now) / 1000 + 1, 3600 * 1000L);
}

/* forget_sweeper clears the traces of the sweeper when it exits. */
static void
forget_sweeper(int code, Datum arg)
{
	corm_cache->sweeper_latch = NULL;
	corm_cache->sweeper_pid = 0;
}

/* corm_sweeper_main is the sweeper's main function. */
void
corm_sweeper_main(Datum arg)
{
	uint32		wait_event;
	bool		more = false;
	bool		retry = false;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	wait_event = corm_wait_event_new("CormSweeperMain");
	on_shmem_exit(forget_sweeper, (Datum) 0);
	corm_cache->sweeper_latch = &MyProc->procLatch;
	corm_cache->sweeper_pid = MyProcPid;
	corm_warm_forget();

	for (;;)
	{
		int64		started = corm_clock_machine();
		long		timeout;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();

		/*
		 * As the logical replication launcher goes: without an error, but so
		 * that it is started again, if only it was terminated.
		 */
		if (ShutdownRequestPending)
		{
			ereport(DEBUG1,
					(errmsg_internal("corm cache sweeper shutting down")));
			proc_exit(1);
		}
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		/* A clock that a test holds still is the test's, and so are the ticks. */
		more = corm_sweep_interval > 0 && !corm_clock_is_virtual() && corm_sweep_tick();
		if (!more)
			expect_calls();
		retry = corm_notifiers_launch();

		if (more)
		{
			/* Others that file entries need not wake it: it comes anyway. */
			pg_atomic_write_u64(&corm_cache->sweeper_next, 0);
			timeout = Max((corm_clock_machine() - started) * 4 / 1000, 1);
		}
		else
			timeout = plan_sleep();

		/* A notifier is to be started: look again, however long the interval. */
		if (retry && (timeout < 0 || timeout > LAUNCH_RETRY_MS))
			timeout = LAUNCH_RETRY_MS;

		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout >= 0 ? WL_TIMEOUT : 0),
						 timeout, wait_event);
	}
}
