/*-------------------------------------------------------------------------
 *
 * sql_text.c
 *		SQL text that is not the client's statement: parsing it, and errors in it.
 *
 * PostgreSQL's parser reports the position of an error in the text that it was
 * given.  A client takes it for a position in the statement that it has sent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/sql_text.h"

/*
 * Error positions from the parser refer to the text it was given, not to the
 * client's statement.  Report them as internal positions.
 */
static void
sql_error_callback(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
}

/*
 * corm_push_sql_errors makes errors refer to the given SQL until the caller
 * sets error_context_stack back to callback->previous.
 */
void
corm_push_sql_errors(ErrorContextCallback *callback, const char *sql)
{
	callback->callback = sql_error_callback;
	callback->arg = unconstify(char *, sql);
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

/*
 * corm_parse_sql returns the raw parse trees of an SQL text, in the current
 * memory context.  Raises a syntax error that refers to the text.
 */
List *
corm_parse_sql(const char *sql, RawParseMode mode)
{
	ErrorContextCallback callback;
	List	   *parsed;

	corm_push_sql_errors(&callback, sql);
	parsed = raw_parser(sql, mode);
	error_context_stack = callback.previous;
	return parsed;
}
