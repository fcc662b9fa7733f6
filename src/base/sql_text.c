/*-------------------------------------------------------------------------
 *
 * sql_text.c
 *		SQL text that is not the client's statement: parsing it, errors in it, settings.
 *
 * PostgreSQL's parser reports the position of an error in the text that it was
 * given.  A client takes it for a position in the statement that it has sent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/sql_text.h"
#include "miscadmin.h"
#include "parser/parse_expr.h"
#include "parser/parser.h"
#include "pgtime.h"
#include "tsearch/ts_cache.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/xml.h"

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

/*
 * corm_sql_settings appends the settings that decide what SQL text means, its constants
 * included, apart from search_path: two texts are the same statement only under the same ones.
 */
void
corm_sql_settings(StringInfo buf)
{
	appendStringInfo(buf, "%d %d %d %d %d %d %d %d\n%s\n%s\n%s\n%s\n%s\n%s\n",
					 DateStyle, DateOrder, IntervalStyle, xmloption, Array_nulls, Transform_null_equals,
					 standard_conforming_strings, backslash_quote,
					 pg_get_timezone_name(session_timezone), GetConfigOption("timezone_abbreviations", false, false),
					 locale_numeric, locale_monetary, locale_time, TSCurrentConfig ? TSCurrentConfig : "");
}
