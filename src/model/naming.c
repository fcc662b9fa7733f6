/*-------------------------------------------------------------------------
 *
 * naming.c
 *		The naming strategy: UserName <-> user_name.
 *
 * Only ASCII letters change case.  Names are data here, compared byte by
 * byte with names of columns, so the result must not depend on the locale of
 * the database; every other character stays as it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "model/naming.h"
#include "utils/builtins.h"

#define IS_UPPER(c)	((c) >= 'A' && (c) <= 'Z')
#define IS_LOWER(c)	((c) >= 'a' && (c) <= 'z')
#define IS_DIGIT(c)	((c) >= '0' && (c) <= '9')

/*
 * to_lower returns the small letter of an ASCII capital, and others unchanged.
 */
static inline char
to_lower(char c)
{
	return IS_UPPER(c) ? c - 'A' + 'a' : c;
}

/*
 * to_upper returns the capital of a small ASCII letter, and others unchanged.
 */
static inline char
to_upper(char c)
{
	return IS_LOWER(c) ? c - 'a' + 'A' : c;
}

/*
 * corm_underscore_name returns name in snake case, in a new string.
 *
 * A word begins at a capital after a small letter or a digit (userName), and
 * at the last capital of a run that a small letter follows (HTTPServer is
 * HTTP and Server).
 */
char *
corm_underscore_name(const char *name)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (const char *c = name; *c != '\0'; c++)
	{
		if (IS_UPPER(*c) && c > name)
		{
			char		prev = c[-1];

			if (IS_LOWER(prev) || IS_DIGIT(prev) ||
				(IS_UPPER(prev) && IS_LOWER(c[1])))
				appendStringInfoChar(&buf, '_');
		}
		appendStringInfoChar(&buf, to_lower(*c));
	}

	return buf.data;
}

/*
 * corm_camelize_name returns name in camel case, in a new string: UserName
 * with upper_first, userName without.  Underscores at the ends are kept,
 * because they tell apart names that would be the same word otherwise.
 */
char *
corm_camelize_name(const char *name, bool upper_first)
{
	StringInfoData buf;
	const char *c = name;

	initStringInfo(&buf);
	for (; *c == '_'; c++)
		appendStringInfoChar(&buf, *c);

	if (upper_first)
	{
		if (*c != '\0')
			appendStringInfoChar(&buf, to_upper(*c++));
	}
	else
	{
		/* A leading acronym is one word: HTTPServer is httpServer. */
		const char *word = c;

		while (IS_UPPER(*c) && (c == word || !IS_LOWER(c[1])))
			appendStringInfoChar(&buf, to_lower(*c++));
	}

	while (*c != '\0')
	{
		const char *next = c;

		while (*next == '_')
			next++;
		if (*next == '\0')
		{
			appendStringInfoString(&buf, c);
			break;
		}
		appendStringInfoChar(&buf, next > c ? to_upper(*next) : *next);
		c = next + 1;
	}

	return buf.data;
}

/*
 * corm_json_name returns the key in JSON of a field or relation of model, by
 * the model's naming strategy, in a new string.
 */
char *
corm_json_name(CormModel *model, const char *name)
{
	if (model->naming == CORM_NAMING_SNAKE)
		return pstrdup(name);
	return corm_camelize_name(name, model->naming == CORM_NAMING_PASCAL);
}

PG_FUNCTION_INFO_V1(corm_underscore);
Datum		corm_underscore(PG_FUNCTION_ARGS);

/*
 * corm_underscore is corm.underscore(text).
 */
Datum
corm_underscore(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(corm_underscore_name(name)));
}

PG_FUNCTION_INFO_V1(corm_camelize);
Datum		corm_camelize(PG_FUNCTION_ARGS);

/*
 * corm_camelize is corm.camelize(text, upper_first boolean).
 */
Datum
corm_camelize(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(corm_camelize_name(name, PG_GETARG_BOOL(1))));
}
