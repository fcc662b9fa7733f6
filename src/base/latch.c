/*-------------------------------------------------------------------------
 *
 * latch.c
 *		Waiting for the latch where it is likely to be set at once.
 *
 * To wake a process whose processor has gone to sleep takes tens of microseconds, on a
 * virtual machine most of all, which is more than a short statement in a worker takes.  So a wait may
 * look at the latch for a moment before it sleeps.  While nobody sleeps, setting the latch takes no
 * system call either.
 *
 * That pays only if the process that sets the latch runs on another processor at that time.  If it
 * waits for this one, or the machine is busy, looking is in vain and takes the time of somebody else.
 * So after a look that was in vain some waits sleep at once, the more the rarer looks have been of use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/guc.h"
#include "base/latch.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/latch.h"

#define LOOKS_PER_CLOCK		16	/* reading the clock takes as long as some looks */
#define FAILURE_WEIGHT		3	/* so many looks that were of use make up for one that was not */
#define MAX_FAILURES		64

/* is_latch_set looks at the latch without changing it. */
static inline bool
is_latch_set(void)
{
	return *(volatile sig_atomic_t *) &MyLatch->is_set != 0;
}

/* has_other_processor tells whether somebody else can run while this process looks. */
static bool
has_other_processor(void)
{
	static int	processors = 0;

	if (processors == 0)
	{
		processors = 1;
#ifdef _SC_NPROCESSORS_ONLN
		processors = Max((int) sysconf(_SC_NPROCESSORS_ONLN), 1);
#endif
	}
	return processors > 1;
}

/* spin_until_set looks at the latch for corm.spin_time, and returns whether it is set. */
static bool
spin_until_set(CormSpin *spin)
{
	int64		until;

	if (corm_spin_time == 0 || !has_other_processor())
		return false;
	if (spin->skip > 0)
	{
		spin->skip--;
		return false;
	}
	until = corm_clock_machine() + corm_spin_time;
	do
	{
		for (int i = 0; i < LOOKS_PER_CLOCK; i++)
		{
			if (is_latch_set())
			{
				spin->failures = Max(spin->failures - 1, 0);
				return true;
			}
			pg_spin_delay();
		}
	} while (corm_clock_machine() < until);
	spin->failures = spin->skip = Min(spin->failures + FAILURE_WEIGHT, MAX_FAILURES);
	return false;
}

/*
 * corm_latch_wait is WaitLatch for the latch of this process, with a look at it for a moment before.
 * Its events include WL_LATCH_SET.  The caller resets the latch afterwards, as always.
 */
int
corm_latch_wait(CormSpin *spin, int events, long timeout_ms, uint32 wait_event)
{
	if (is_latch_set() || spin_until_set(spin))
		return WL_LATCH_SET;
	return WaitLatch(MyLatch, events, timeout_ms, wait_event);
}
