/*-------------------------------------------------------------------------
 *
 * sweeper.c
 *		Removing what has expired: a duty of the launcher.
 *
 * A tick visits at most corm.sweep_max_entries entries, including cascaded ones,
 * and stops after corm.sweep_max_time.  It holds a shard's lock for at most 32
 * entries.  If a tick used up its budget, the next one follows after a pause of
 * four times its duration, so sweeping takes at most a fifth of a processor.
 *
 * Between ticks it rests until the next entry is due, but at least for
 * corm.sweep_interval, and publishes when it will look again.  A process that files
 * an entry that is due before that wakes it.  If nothing expires, nothing is to be
 * purged and no notifier is to be launched, it rests until it is woken.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "base/clock.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/versions.h"
#include "cache/shared/warm.h"
#include "cache/shared/wheel.h"
#include "cache/workers/notifier.h"
#include "cache/workers/sweeper.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#define LAUNCH_RETRY_MS		1000

/* How often versions had changed when stale entries were last looked for. */
static uint64 publications = 0;

/*
 * sweep_stale removes the entries of caches with the event stale that are.  In other
 * caches they stay until somebody meets them.  It looks at all keys of these caches, but
 * only after a commit that changed a followed table, and at most once per tick.
 */
static void
sweep_stale(void)
{
	uint64		now = corm_publications();

	if (!corm_cache->watched || now == publications)
		return;
	publications = now;
	for (uint32 i = 0; i < corm_cache->nslots; i++)
	{
		CormNamespace *ns = &corm_namespaces[i];
		uint64		gen = pg_atomic_read_u64(&ns->gen);

		if (gen == 0 || !(ns->events & CORM_EVENT_STALE))
			continue;
		for (uint32 s = 0; s < CORM_SHARDS; s++)
		{
			Size		size;
			char	   *keys = corm_table_keys(i, gen, s, false, &size);

			for (char *p = keys; p != NULL && p < keys + size;)
			{
				uint16		len;

				memcpy(&len, p, sizeof(len));
				p += sizeof(len);
				(void) corm_table_drop_stale(i, gen, p, len);
				p += len;
				CHECK_FOR_INTERRUPTS();
			}
			if (keys != NULL)
				pfree(keys);
		}
	}
}

/*
 * corm_sweep_tick does the work of one tick.  Returns true if it used up its
 * budget, so that there may be more to do.  Raises only if interrupted.
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

	sweep_stale();
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

/* next_work returns the monotonic time at which there will be work, PG_INT64_MAX for never. */
static int64
next_work(void)
{
	int64		next = PG_INT64_MAX;

	if (corm_sweep_interval == 0)
		return next;
	if (pg_atomic_read_u32(&corm_cache->ndead) > 0 ||
		(corm_cache->watched && corm_publications() != publications))
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
 * expect_calls makes every process with work for the sweeper wake it.  It is
 * called before the sweeper looks for work: work that comes later sets the latch.
 */
static void
expect_calls(void)
{
	pg_atomic_write_u64(&corm_cache->sweeper_next, PG_INT64_MAX);
	pg_memory_barrier();
}

/*
 * plan_pause publishes when the sweeper will look next.  Returns the time until
 * then in milliseconds, or -1 for when it is woken.
 */
static long
plan_pause(void)
{
	int64		interval = corm_sweep_interval > 0 ? corm_sweep_interval * INT64CONST(1000) : USECS_PER_SEC;
	int64		now = corm_clock_mono();
	int64		next;

	next = next_work();
	if (next == PG_INT64_MAX)
		return -1;

	next = Max(next, now + interval);

	/*
	 * A clock that a test has taken over can jump: look at it at every
	 * interval.
	 */
	if (corm_clock_is_virtual())
		next = now + interval;
	pg_atomic_write_u64(&corm_cache->sweeper_next, next);
	return Min((next - now) / 1000 + 1, 3600 * 1000L);
}

/* look sweeps and launches notifiers, as a duty of the launcher. */
static long
look(void)
{
	int64		started = corm_clock_machine();
	bool		more;
	bool		retry;
	long		pause;

	/* If a test has taken over the clock, it also runs the ticks. */
	more = corm_sweep_interval > 0 && !corm_clock_is_virtual() && corm_sweep_tick();
	if (!more)
		expect_calls();
	retry = corm_notifiers_launch();

	if (more)
	{
		/* No process needs to wake it: the next tick comes soon. */
		pg_atomic_write_u64(&corm_cache->sweeper_next, 0);
		pause = Max((corm_clock_machine() - started) * 4 / 1000, 1);
	}
	else
		pause = plan_pause();

	/* A notifier is to be launched: look again, however long the interval. */
	if (retry && (pause < 0 || pause > LAUNCH_RETRY_MS))
		pause = LAUNCH_RETRY_MS;
	return pause;
}

static const CormDuty sweeper_duty = {
	.name = "cache",
	.start = corm_warm_forget,
	.look = look,
};

/* corm_sweeper_init makes sweeping a duty of the launcher. */
void
corm_sweeper_init(void)
{
	corm_sweeper_duty = corm_launcher_add(&sweeper_duty);
}
