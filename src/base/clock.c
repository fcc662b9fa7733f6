/*-------------------------------------------------------------------------
 *
 * clock.c
 *		The two clocks of corm, and the means to replace them in tests.
 *
 * corm_clock_mono counts microseconds of CLOCK_MONOTONIC: deadlines are in
 * it, so setting the machine's clock neither expires nor revives anything.
 * corm_clock_real is the time of day, for showing to people.
 *
 * Both go through a CormClock in shared memory, so that all backends and
 * workers read the same time even when a test has changed it.  This library
 * never writes to it: the address is published as the rendezvous variable
 * "corm_clock", and a separate test extension moves the clock through that.
 * Readers look at the struct without a lock; if a test moves the clock under
 * running readers, they get either the old or the new time.
 *
 * When the library is not preloaded the struct is private to the process.
 *
 * Fault points work in the same way: CORM_FAULT("name") calls the function
 * that a test has put into the rendezvous variable "corm_fault_hook" of its own
 * backend, to wait or raise at a place that timing could not hit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "fmgr.h"
#include "utils/timestamp.h"

/* CLOCK_MONOTONIC_COARSE is late by at most one tick of a 100 Hz kernel. */
#define COARSE_SLACK	INT64CONST(20000)

static CormClock private_clock;
static CormClock *the_clock = &private_clock;

void	  **corm_fault_hook = NULL;

static Size
clock_size(void)
{
	return sizeof(CormClock);
}

static void
clock_attach(void *addr, Size size, bool found)
{
	the_clock = (CormClock *) addr;
	if (!found)
		memset(the_clock, 0, sizeof(CormClock));
	*find_rendezvous_variable("corm_clock") = the_clock;
}

static const CormSharedPart clock_part = {
	.name = "corm clock",
	.size = clock_size,
	.attach = clock_attach,
};

static inline int64
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64) ts.tv_sec * USECS_PER_SEC + ts.tv_nsec / 1000;
}

/* corm_clock_mono returns the monotonic time in microseconds. */
int64
corm_clock_mono(void)
{
	if (unlikely(the_clock->frozen))
		return the_clock->mono;
	return read_clock(CLOCK_MONOTONIC) + the_clock->mono_offset;
}

/*
 * corm_clock_machine returns the machine's monotonic time, even if a test has
 * taken over the clock.  It is for the housekeeping of processes.
 */
int64
corm_clock_machine(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* corm_clock_real returns the time of day. */
TimestampTz
corm_clock_real(void)
{
	if (unlikely(the_clock->frozen))
		return the_clock->real;
	return GetCurrentTimestamp() + the_clock->real_offset;
}

/*
 * corm_clock_passed tells whether monotonic time has reached a deadline.  The
 * coarse clock takes a tenth of the time to read and decides except in the last
 * few milliseconds before the deadline.
 */
bool
corm_clock_passed(int64 deadline)
{
#ifdef CLOCK_MONOTONIC_COARSE
	if (likely(!the_clock->frozen) &&
		deadline - COARSE_SLACK > read_clock(CLOCK_MONOTONIC_COARSE) + the_clock->mono_offset)
		return false;
#endif
	return corm_clock_mono() >= deadline;
}

/*
 * corm_clock_is_virtual tells whether a test has taken over the clock, so that
 * real time and waiting say nothing about it.
 */
bool
corm_clock_is_virtual(void)
{
	return the_clock->frozen;
}

/*
 * corm_clock_init publishes the clock and the fault hook, and asks for the
 * clock's shared memory.  Raises only if memory runs out.
 */
void
corm_clock_init(void)
{
	*find_rendezvous_variable("corm_clock") = the_clock;
	corm_fault_hook = find_rendezvous_variable("corm_fault_hook");
	corm_shared_add(&clock_part);
}
