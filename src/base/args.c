/*-------------------------------------------------------------------------
 *
 * args.c
 *		Checks of SQL functions' arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"

/*
 * corm_require_args raises 22004 for the first argument that is NULL.  names
 * are those of the function's parameters, in order, for the message.
 *
 * Functions that change something use this instead of being STRICT: a call that
 * silently does nothing hides a mistake.
 */
void
corm_require_args(FunctionCallInfo fcinfo, const char *const *names, int nnames)
{
	for (int i = 0; i < nnames; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
}
