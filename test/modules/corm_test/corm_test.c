/*-------------------------------------------------------------------------
 *
 * corm_test.c
 *		What tests need that corm itself must not offer.
 *
 * It finds corm's clock and fault hook by their rendezvous variables, and a
 * function of corm's by name in the library; corm does not know that this
 * extension exists.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "base/clock.h"
#include "base/compat.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(corm_test_clock_freeze);
PG_FUNCTION_INFO_V1(corm_test_clock_advance);
PG_FUNCTION_INFO_V1(corm_test_clock_set_back);
PG_FUNCTION_INFO_V1(corm_test_clock_release);
PG_FUNCTION_INFO_V1(corm_test_sweep);
PG_FUNCTION_INFO_V1(corm_test_wake_sweeper);
PG_FUNCTION_INFO_V1(corm_test_claim_task);
PG_FUNCTION_INFO_V1(corm_test_settle_task);
PG_FUNCTION_INFO_V1(corm_test_table_is_tracked);
PG_FUNCTION_INFO_V1(corm_test_wait_at);
PG_FUNCTION_INFO_V1(corm_test_meet_at);
PG_FUNCTION_INFO_V1(corm_test_nap_at);
PG_FUNCTION_INFO_V1(corm_test_trace);
PG_FUNCTION_INFO_V1(corm_test_points);
PG_FUNCTION_INFO_V1(corm_test_noop);

static char wait_point[64];		/* empty: nowhere */
static int	wait_pass;			/* at which time there, counted down */
static bool wait_loudly;
static int64 wait_lock;
static char *nap_points;			/* between blanks; NULL: none */
static int	nap_usecs;			/* at most */
static bool tracing;
static StringInfo trace;		/* of points, each followed by a newline */

/* get_clock returns corm's clock. */
static CormClock *
get_clock(void)
{
	load_file("$libdir/corm", false);
	return (CormClock *) *find_rendezvous_variable("corm_clock");
}

/* machine_mono returns the machine's monotonic clock. */
static int64
machine_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64) ts.tv_sec * USECS_PER_SEC + ts.tv_nsec / 1000;
}

static int64
to_usecs(const Interval *span)
{
	return ((int64) span->month * DAYS_PER_MONTH + span->day) * USECS_PER_DAY + span->time;
}

Datum
corm_test_clock_freeze(PG_FUNCTION_ARGS)
{
	CormClock  *clock = get_clock();

	clock->mono = machine_mono() + clock->mono_offset;
	clock->real = INT64CONST(631152000) * USECS_PER_SEC;	/* 2020-01-01 */
	clock->frozen = true;
	PG_RETURN_VOID();
}

Datum
corm_test_clock_advance(PG_FUNCTION_ARGS)
{
	CormClock  *clock = get_clock();
	int64		by = to_usecs(PG_GETARG_INTERVAL_P(0));

	if (clock->frozen)
	{
		clock->mono += by;
		clock->real += by;
	}
	else
	{
		clock->mono_offset += by;
		clock->real_offset += by;
	}
	PG_RETURN_VOID();
}

Datum
corm_test_clock_set_back(PG_FUNCTION_ARGS)
{
	CormClock  *clock = get_clock();
	int64		by = to_usecs(PG_GETARG_INTERVAL_P(0));

	if (clock->frozen)
		clock->real -= by;
	else
		clock->real_offset -= by;
	PG_RETURN_VOID();
}

Datum
corm_test_clock_release(PG_FUNCTION_ARGS)
{
	CormClock  *clock = get_clock();

	/* The monotonic clock goes on from where it stands: it never goes back. */
	if (clock->frozen)
		clock->mono_offset = clock->mono - machine_mono();
	clock->real_offset = 0;
	clock->frozen = false;
	PG_RETURN_VOID();
}

Datum
corm_test_sweep(PG_FUNCTION_ARGS)
{
	bool		(*tick) (void);

	tick = (bool (*) (void)) load_external_function("$libdir/corm", "corm_sweep_tick", true, NULL);
	PG_RETURN_BOOL(tick());
}

Datum
corm_test_wake_sweeper(PG_FUNCTION_ARGS)
{
	void		(*wake) (int64);

	wake = (void (*) (int64)) load_external_function("$libdir/corm", "corm_sweeper_wake", true, NULL);
	wake(PG_INT64_MIN / 2);
	PG_RETURN_VOID();
}

Datum
corm_test_claim_task(PG_FUNCTION_ARGS)
{
	int64		(*claim) (const char *);

	claim = (int64 (*) (const char *)) load_external_function("$libdir/corm", "corm_queue_claim_paused", true, NULL);
	PG_RETURN_INT64(claim(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

Datum
corm_test_settle_task(PG_FUNCTION_ARGS)
{
	void		(*settle) (int64, bool);

	settle = (void (*) (int64, bool)) load_external_function("$libdir/corm", "corm_task_settle_claimed", true, NULL);
	settle(PG_GETARG_INT64(0), PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

Datum
corm_test_table_is_tracked(PG_FUNCTION_ARGS)
{
	bool		(*is_tracked) (Oid);

	is_tracked = (bool (*) (Oid)) load_external_function("$libdir/corm", "corm_table_is_tracked", true, NULL);
	PG_RETURN_BOOL(is_tracked(PG_GETARG_OID(0)));
}

static void use_fault_hook(void);

/* nap sleeps at one in four of the chosen points that it comes to. */
static void
nap(const char *point)
{
	char	   *found = strstr(nap_points, point);

	if (found != NULL && found[strlen(point)] == ' ' && found[-1] == ' ' &&
		pg_prng_uint32(&pg_global_prng_state) % 4 == 0)
		pg_usleep(pg_prng_uint64_range(&pg_global_prng_state, 1, nap_usecs));
}

Datum
corm_test_nap_at(PG_FUNCTION_ARGS)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopMemoryContext);

	nap_points = psprintf(" %s ", text_to_cstring(PG_GETARG_TEXT_PP(0)));
	nap_usecs = PG_GETARG_INT32(1);
	MemoryContextSwitchTo(oldcontext);
	use_fault_hook();
	PG_RETURN_VOID();
}

/*
 * fault_hook is called at each fault point: remembers it if that is wanted,
 * and waits for the lock at the chosen one, once.
 */
static void
fault_hook(const char *point)
{
	LOCKTAG		tag;

	if (tracing)
		appendStringInfo(trace, "%s\n", point);
	if (nap_points != NULL)
		nap(point);
	if (strcmp(point, wait_point) != 0 || --wait_pass > 0)
		return;
	wait_point[0] = '\0';
	/* the client gets this at once, while the command is running */
	if (wait_loudly)
		ereport(INFO, (errmsg_internal("waiting at fault point %s", point)));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (wait_lock >> 32), (uint32) wait_lock, 1);
	(void) LockAcquire(&tag, ShareLock, false, false);
	LockRelease(&tag, ShareLock, false);
}

static void
use_fault_hook(void)
{
	load_file("$libdir/corm", false);
	*find_rendezvous_variable("corm_fault_hook") = (void *) fault_hook;
}

static void
wait_at(const char *point, int pass, int64 lock, bool loudly)
{
	strlcpy(wait_point, point, sizeof(wait_point));
	wait_pass = pass;
	wait_lock = lock;
	wait_loudly = loudly;
	use_fault_hook();
}

Datum
corm_test_wait_at(PG_FUNCTION_ARGS)
{
	wait_at(text_to_cstring(PG_GETARG_TEXT_PP(0)), 1, PG_GETARG_INT64(1), false);
	PG_RETURN_VOID();
}

Datum
corm_test_meet_at(PG_FUNCTION_ARGS)
{
	wait_at(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT32(1), PG_GETARG_INT64(2), true);
	PG_RETURN_VOID();
}

Datum
corm_test_trace(PG_FUNCTION_ARGS)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopMemoryContext);

	if (trace == NULL)
		trace = makeStringInfo();
	MemoryContextSwitchTo(oldcontext);
	resetStringInfo(trace);
	tracing = true;
	use_fault_hook();
	PG_RETURN_VOID();
}

Datum
corm_test_points(PG_FUNCTION_ARGS)
{
	tracing = false;
	PG_RETURN_TEXT_P(cstring_to_text(trace ? trace->data : ""));
}

Datum
corm_test_noop(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
