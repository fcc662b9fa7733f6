/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Linked into a build of corm for tests: ends the server when corm does
 *		something that may raise where nothing may (hardening 21).
 *
 * That is while corm holds an LWLock, and in what it does at the end of a
 * transaction, when it is too late for an error.  There, an error need not
 * occur to be found: a call of a function that could raise one will do.
 *
 * The linker leads corm's calls of the functions below to the wrappers here;
 * script/check-assert has the list.  What PostgreSQL itself calls is its own
 * affair, so that this knows what corm does and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/lmgr.h"
#include "storage/lwlock.h"
#include "utils/catcache.h"

#define MAX_HELD	512
#define MAX_CALLBACKS	16

/* The locks that corm acquired and did not release; after an error PostgreSQL has, so ask it too. */
static LWLock *held[MAX_HELD];
static int	nheld;

/* Is a transaction callback of corm's running that must not raise? */
static bool ending;

typedef struct Callback
{
	XactCallback callback;
	void	   *arg;
} Callback;

static Callback callbacks[MAX_CALLBACKS];
static int	ncallbacks;

static void
guard(const char *function)
{
	const char *where = ending ? "at the end of a transaction" : NULL;

	for (int i = 0; i < nheld && where == NULL; i++)
		if (LWLockHeldByMe(held[i]))
			where = "while it holds an LWLock";
	if (where != NULL)
	{
		fprintf(stderr, "TRAP: corm calls %s %s\n", function, where);
		fflush(stderr);
		abort();
	}
}

/*
 * Locks
 */

bool		__real_LWLockAcquire(LWLock *lock, LWLockMode mode);
bool		__real_LWLockConditionalAcquire(LWLock *lock, LWLockMode mode);
void		__real_LWLockRelease(LWLock *lock);
bool		__wrap_LWLockAcquire(LWLock *lock, LWLockMode mode);
bool		__wrap_LWLockConditionalAcquire(LWLock *lock, LWLockMode mode);
void		__wrap_LWLockRelease(LWLock *lock);

static void
remember(LWLock *lock)
{
	int			kept = 0;

	for (int i = 0; i < nheld; i++)
		if (held[i] != lock && LWLockHeldByMe(held[i]))
			held[kept++] = held[i];
	nheld = kept;
	if (nheld < MAX_HELD)
		held[nheld++] = lock;
}

bool
__wrap_LWLockAcquire(LWLock *lock, LWLockMode mode)
{
	bool		result = __real_LWLockAcquire(lock, mode);

	remember(lock);
	return result;
}

bool
__wrap_LWLockConditionalAcquire(LWLock *lock, LWLockMode mode)
{
	bool		result = __real_LWLockConditionalAcquire(lock, mode);

	if (result)
		remember(lock);
	return result;
}

void
__wrap_LWLockRelease(LWLock *lock)
{
	for (int i = 0; i < nheld; i++)
		if (held[i] == lock)
		{
			held[i] = held[--nheld];
			break;
		}
	__real_LWLockRelease(lock);
}

/*
 * The end of a transaction
 */

void		__real_RegisterXactCallback(XactCallback callback, void *arg);
void		__wrap_RegisterXactCallback(XactCallback callback, void *arg);

static void
call_guarded(XactEvent event, void *arg)
{
	Callback   *c = arg;

	ending = event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PARALLEL_ABORT || event == XACT_EVENT_PREPARE;
	c->callback(event, c->arg);
	ending = false;
}

void
__wrap_RegisterXactCallback(XactCallback callback, void *arg)
{
	Callback   *c = &callbacks[ncallbacks++];

	if (ncallbacks > MAX_CALLBACKS)
		elog(FATAL, "too many callbacks for the guard");
	c->callback = callback;
	c->arg = arg;
	__real_RegisterXactCallback(call_guarded, c);
}

/*
 * What may raise
 */

#define WRAP(result, name, parameters, arguments) \
	result __real_##name parameters; \
	result __wrap_##name parameters; \
	result \
	__wrap_##name parameters \
	{ \
		guard(#name); \
		return __real_##name arguments; \
	}

WRAP(bool, errstart, (int elevel, const char *domain), (elevel, domain))
WRAP(bool, errstart_cold, (int elevel, const char *domain), (elevel, domain))
WRAP(void *, palloc, (Size size), (size))
WRAP(void *, palloc0, (Size size), (size))
WRAP(void *, palloc_extended, (Size size, int flags), (size, flags))
WRAP(void *, repalloc, (void *pointer, Size size), (pointer, size))
WRAP(void *, MemoryContextAlloc, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocZero, (MemoryContext context, Size size), (context, size))
WRAP(char *, pstrdup, (const char *in), (in))
WRAP(char *, pnstrdup, (const char *in, Size len), (in, len))
WRAP(struct varlena *, pg_detoast_datum, (struct varlena *datum), (datum))
WRAP(struct varlena *, pg_detoast_datum_packed, (struct varlena *datum), (datum))
WRAP(HeapTuple, SearchSysCache1, (int cache, Datum key), (cache, key))
WRAP(HeapTuple, SearchSysCache2, (int cache, Datum key1, Datum key2), (cache, key1, key2))
WRAP(void, LockRelationOid, (Oid relation, LOCKMODE mode), (relation, mode))
WRAP(List *, lappend, (List *list, void *datum), (list, datum))
