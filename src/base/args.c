/*-------------------------------------------------------------------------
 *
 * args.c
 *		Checks of SQL functions' arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/args.h"
#include "common/int.h"
#include "utils/builtins.h"

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

/*
 * corm_name_arg returns the name given as argument; what is such as "pool name".  Raises 22004
 * for NULL.
 */
char *
corm_name_arg(FunctionCallInfo fcinfo, int argno, const char *what)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
	return text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/* corm_check_new_name raises 42602 or 42622 unless a string can be the name of something new. */
void
corm_check_new_name(const char *what, const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("%s must not be empty", what)));
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("%s \"%s\" is too long", what, name),
				 errdetail("The limit is %d bytes.", NAMEDATALEN - 1)));
}

/*
 * corm_interval_length returns an interval in microseconds, with days of 24 hours and months
 * of 30 days: PG_INT64_MAX or PG_INT64_MIN if it is too long to be counted.
 */
int64
corm_interval_length(const Interval *interval)
{
	/* days cannot overflow: both are 32-bit */
	int64		days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	int64		us;

	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &us) ||
		pg_add_s64_overflow(us, interval->time, &us))
		return days > 0 ? PG_INT64_MAX : PG_INT64_MIN;
	return us;
}
