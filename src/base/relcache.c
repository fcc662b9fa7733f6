/*-------------------------------------------------------------------------
 *
 * relcache.c
 *		One relcache callback for all parts of the library.
 *
 * PostgreSQL has room for ten relcache callbacks in a process, of which it uses some itself;
 * with none left, a session ends with a FATAL error.  Other extensions need several: Citus has five.  So
 * the library takes one, and tells its parts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/relcache.h"

#define MAX_CALLBACKS	8

static RelcacheCallbackFunction callbacks[MAX_CALLBACKS];
static int	ncallbacks = 0;

/* Tells the parts of the library.  Runs within invalidation processing. */
static void
relcache_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < ncallbacks; i++)
		callbacks[i] (arg, relid);
}

/*
 * corm_on_relcache has a function called for each relcache message, with 0 as its first argument.
 * It is for the life of the process.
 */
void
corm_on_relcache(RelcacheCallbackFunction callback)
{
	if (ncallbacks >= MAX_CALLBACKS)
		elog(FATAL, "too many parts of corm listen to relcache messages");
	if (ncallbacks == 0)
		CacheRegisterRelcacheCallback(relcache_changed, (Datum) 0);
	callbacks[ncallbacks++] = callback;
}
