/*-------------------------------------------------------------------------
 *
 * frame.c
 *		The frame of a window: read by SQL's grammar, and written again.
 *
 *		{ROWS | RANGE | GROUPS} start [exclusion]
 *		{ROWS | RANGE | GROUPS} BETWEEN start AND end [exclusion]
 *
 * A start or end is UNBOUNDED PRECEDING, CURRENT ROW, UNBOUNDED FOLLOWING, or
 * a distance with PRECEDING or FOLLOWING.  A distance is a number, a string,
 * or INTERVAL and a string.  An exclusion is EXCLUDE CURRENT ROW, GROUP, TIES
 * or NO OTHERS.  Nothing of the user's text is copied: we write the keywords
 * ourselves and quote strings.  What the grammar allows but SQL forbids, such
 * as a frame that ends before it starts, is left to PostgreSQL (42P20).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/compat.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "query/value/frame.h"
#include "utils/builtins.h"

typedef struct FrameReader
{
	const char *text;
	const char *p;
	StringInfoData sql;
} FrameReader;

static void bad_frame(FrameReader *r, const char *expected) pg_attribute_noreturn();

static void
bad_frame(FrameReader *r, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("invalid window frame \"%s\"", r->text),
			 *r->p ? errdetail("Expected %s instead of \"%s\".", expected, r->p) :
			 errdetail("Expected %s at the end.", expected),
			 errhint("A frame is like 'ROWS BETWEEN 2 PRECEDING AND CURRENT ROW'.")));
}

static void
skip_blanks(FrameReader *r)
{
	while (isspace((unsigned char) *r->p))
		r->p++;
}

/* Reads a keyword, and appends it.  Returns false if another word stands there. */
static bool
read_word(FrameReader *r, const char *word)
{
	int			len = strlen(word);

	skip_blanks(r);
	if (pg_strncasecmp(r->p, word, len) != 0 || isalnum((unsigned char) r->p[len]) || r->p[len] == '_')
		return false;
	r->p += len;
	if (r->sql.len > 0)
		appendStringInfoChar(&r->sql, ' ');
	appendStringInfoString(&r->sql, word);
	return true;
}

/* Reads one of two keywords.  Raises 42601 if neither of them stands there. */
static void
expect_word(FrameReader *r, const char *word, const char *other, const char *expected)
{
	if (!read_word(r, word) && !(other && read_word(r, other)))
		bad_frame(r, expected);
}

/* Reads a string in single quotes, and appends it as a literal. */
static void
read_string(FrameReader *r)
{
	StringInfoData str;

	initStringInfo(&str);
	skip_blanks(r);
	if (*r->p != '\'')
		bad_frame(r, "a string");
	r->p++;
	for (;;)
	{
		if (*r->p == '\0')
			bad_frame(r, "a quote");
		if (*r->p == '\'' && r->p[1] != '\'')
			break;
		if (*r->p == '\'')
			r->p++;
		appendStringInfoChar(&str, *r->p++);
	}
	r->p++;
	appendStringInfo(&r->sql, " %s", quote_literal_cstr(str.data));
}

static void
read_number(FrameReader *r)
{
	const char *start = r->p;

	while (isdigit((unsigned char) *r->p))
		r->p++;
	if (*r->p == '.' && isdigit((unsigned char) r->p[1]))
	{
		r->p++;
		while (isdigit((unsigned char) *r->p))
			r->p++;
	}
	if (isalnum((unsigned char) *r->p) || *r->p == '_' || *r->p == '.')
		bad_frame(r, "PRECEDING or FOLLOWING");
	appendStringInfo(&r->sql, " %.*s", (int) (r->p - start), start);
}

/* Reads where a frame starts or ends. */
static void
read_bound(FrameReader *r)
{
	if (read_word(r, "CURRENT"))
	{
		expect_word(r, "ROW", NULL, "ROW");
		return;
	}
	if (!read_word(r, "UNBOUNDED"))
	{
		skip_blanks(r);
		if (isdigit((unsigned char) *r->p))
			read_number(r);
		else if (*r->p == '\'' || read_word(r, "INTERVAL"))
			read_string(r);
		else
			bad_frame(r, "UNBOUNDED, CURRENT ROW or a distance");
	}
	expect_word(r, "PRECEDING", "FOLLOWING", "PRECEDING or FOLLOWING");
}

/*
 * corm_frame_sql returns the frame that a text describes, as SQL, in the
 * current context.  Raises 42601 if it describes none.
 */
char *
corm_frame_sql(const char *text)
{
	FrameReader reader;
	FrameReader *r = &reader;

	r->text = r->p = text;

	initStringInfo(&r->sql);
	if (!read_word(r, "ROWS"))
		expect_word(r, "RANGE", "GROUPS", "ROWS, RANGE or GROUPS");
	if (read_word(r, "BETWEEN"))
	{
		read_bound(r);
		expect_word(r, "AND", NULL, "AND");
	}
	read_bound(r);
	if (read_word(r, "EXCLUDE"))
	{
		if (read_word(r, "CURRENT"))
			expect_word(r, "ROW", NULL, "ROW");
		else if (read_word(r, "NO"))
			expect_word(r, "OTHERS", NULL, "OTHERS");
		else
			expect_word(r, "GROUP", "TIES", "CURRENT ROW, GROUP, TIES or NO OTHERS");
	}
	skip_blanks(r);
	if (*r->p != '\0')
		bad_frame(r, "the end");
	return r->sql.data;
}
