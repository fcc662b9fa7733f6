/*-------------------------------------------------------------------------
 *
 * encoding.c
 *		Text that comes from a database of another encoding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/encoding.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#define NO_CHARACTER	'?'		/* for one that cannot be shown */

/*
 * append_verified appends the bytes that are characters of the server's
 * encoding, and a question mark for each other byte.
 */
static void
append_verified(StringInfo buf, const char *str, int len)
{
	int			encoding = GetDatabaseEncoding();

	while (len > 0)
	{
		int			valid = pg_encoding_verifymbstr(encoding, str, len);

		appendBinaryStringInfo(buf, str, valid);
		if (valid < len)
		{
			appendStringInfoChar(buf, NO_CHARACTER);
			valid++;
		}
		str += valid;
		len -= valid;
	}
}

/* append_ascii appends the ASCII characters, and a question mark for each other one. */
static void
append_ascii(StringInfo buf, int encoding, const char *str, int len)
{
	for (int i = 0; i < len;)
	{
		appendStringInfoChar(buf, IS_HIGHBIT_SET(str[i]) ? NO_CHARACTER : str[i]);
		i += pg_encoding_mblen(encoding, str + i);
	}
}

/*
 * append_converted appends the characters as the conversion makes them, and a
 * question mark for each that it cannot convert.
 */
static void
append_converted(StringInfo buf, Oid conversion, int encoding, const char *str, int len)
{
	int			size = len * MAX_CONVERSION_GROWTH + 1;
	char	   *converted = palloc(size);

	while (len > 0)
	{
		int			done = pg_do_encoding_conversion_buf(conversion, encoding, GetDatabaseEncoding(),
														 (unsigned char *) unconstify(char *, str), len,
														 (unsigned char *) converted, size, true);

		/* a conversion may turn damaged text into damaged text */
		append_verified(buf, converted, strlen(converted));
		if (done < len)
		{
			appendStringInfoChar(buf, NO_CHARACTER);
			done += Min(len - done, pg_encoding_mblen(encoding, str + done));
		}
		str += done;
		len -= done;
	}
	pfree(converted);
}

/*
 * corm_any_to_server converts a short text from another encoding to that of
 * this database.  Returns a palloc'd copy.  Characters that do not exist here
 * and bytes that were not valid there become question marks, so that a name in
 * one database cannot make a view fail in all others.  Looks at catalogs, so it
 * needs a transaction.
 */
char *
corm_any_to_server(const char *str, int len, int encoding)
{
	int			server = GetDatabaseEncoding();
	StringInfoData buf;
	Oid			conversion;

	initStringInfo(&buf);
	if (server == PG_SQL_ASCII)
		appendBinaryStringInfo(&buf, str, len);
	else if (encoding == server || encoding == PG_SQL_ASCII)
		append_verified(&buf, str, len);
	else if (OidIsValid(conversion = FindDefaultConversionProc(encoding, server)))
		append_converted(&buf, conversion, encoding, str, len);
	else
		append_ascii(&buf, encoding, str, len);
	return buf.data;
}
