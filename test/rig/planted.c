/*-------------------------------------------------------------------------
 *
 * planted.c
 *		Bugs, to show that the check-* scripts find such bugs.
 *
 * Each function has one, and returns if nothing finds it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "storage/lwlock.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(overrun);
PG_FUNCTION_INFO_V1(use_after_free);
PG_FUNCTION_INFO_V1(uninitialised);
PG_FUNCTION_INFO_V1(stack_overrun);
PG_FUNCTION_INFO_V1(signed_overflow);
PG_FUNCTION_INFO_V1(raise_under_lock);
PG_FUNCTION_INFO_V1(raise_at_commit);

/* The compiler must not see through it. */
static volatile int zero;

Datum
overrun(PG_FUNCTION_ARGS)
{
	char	   *volatile chunk = palloc(10);

	chunk[10 + zero] = 'x';
	pfree(chunk);
	PG_RETURN_VOID();
}

Datum
use_after_free(PG_FUNCTION_ARGS)
{
	volatile int *volatile chunk = palloc0(sizeof(int) * 4);

	pfree(unvolatize(int *, chunk));
	chunk[3] = chunk[2];
	PG_RETURN_VOID();
}

Datum
uninitialised(PG_FUNCTION_ARGS)
{
	int		   *volatile chunk = palloc(sizeof(int) * 4);

	if (chunk[1] > 0)
		zero = 0;
	PG_RETURN_VOID();
}

Datum
stack_overrun(PG_FUNCTION_ARGS)
{
	char		array[8];
	char	   *volatile place = array;

	place[8] = 'x';
	PG_RETURN_VOID();
}

Datum
signed_overflow(PG_FUNCTION_ARGS)
{
	volatile int number = PG_INT32_MAX;

	number = number + 1 + zero;
	PG_RETURN_VOID();
}

Datum
raise_under_lock(PG_FUNCTION_ARGS)
{
	LWLockAcquire(AddinShmemInitLock, LW_SHARED);
	if (zero != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("planted")));
	pfree(palloc(10));
	LWLockRelease(AddinShmemInitLock);
	PG_RETURN_VOID();
}

static void
allocate(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
		pfree(palloc(10));
}

Datum
raise_at_commit(PG_FUNCTION_ARGS)
{
	RegisterXactCallback(allocate, NULL);
	PG_RETURN_VOID();
}
