/*-------------------------------------------------------------------------
 *
 * corm_fuzz.c
 *		Damaged query values, for tests.
 *
 * A mutation changes, inserts, removes, repeats or moves a few bytes.  Of a
 * binary value everything may be hit but the datums of bound values that are
 * neither text nor passed by value: what is inside of an array or a jsonb
 * document is for its own type to check, and no type of PostgreSQL checks
 * that of a stored datum.  (The test's values are such that none has one.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(corm_fuzz_same_bytes);
PG_FUNCTION_INFO_V1(corm_fuzz_mutate_bytes);
PG_FUNCTION_INFO_V1(corm_fuzz_mutate_text);

/* corm_fuzz_same_bytes returns its argument as another variable-length type. */
Datum
corm_fuzz_same_bytes(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
}

static uint32
below(pg_prng_state *random, uint32 limit)
{
	return limit == 0 ? 0 : pg_prng_uint32(random) % limit;
}

/* Numbers that make readers of lengths stumble. */
static const uint32 numbers[] = {0, 1, 2, 7, 8, 16, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff,
0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};

/* What means something in the text form, in filters, tags and options: pieces ... */
static const char *const pieces[] = {
	"{", "}", "[", "]", "\"", ",", ":", "\\", "\\u0041", "\"val\": ", "\"c\": ", "\"raw\": ", "-",
	"@orm:", "=", "'", "''", "$1", "$2", "$99999999999", "$$", "--", "/*", ";", "?", ".", " "
};

/* ... and JSON elements. */
static const char *const elements[] = {
	"null", "true", "1", "-1", "1e99", "0.5", "9999999999", "\"\"", "\"id\"", "\"name\"", "\"t\"", "\"x\"",
	"\"val\"", "\"type\"", "\"c\"", "\"eq\"", "\"in\"", "\"query\"", "\"where\"", "\"select\"", "\"selector\"", "\"limit\"",
	"\"order_by\"", "\"asc\"", "\"count\"", "\"sum\"", "\"and\"", "\"or\"", "\"not\"", "\"set\"", "\"rows\"", "\"union\"", "\"contains\"",
	"\"is_distinct_from\"", "\"json_get\"", "\"starts_with\"", "\"max_rows\"", "\"returning\"", "\"excluded\"", "\"join_query\"",
	"{}", "[]", "{\"and\": []}", "{\"c\": \"id\"}", "{\"c\": \"doc\"}", "{\"c\": \"tags\"}", "{\"val\": \"{1,2}\", \"type\": \"int4[]\"}",
	"{\"val\": \"x\"}", "{\"val\": null, \"type\": \"date\"}", "{\"count\": []}", "{\"eq\": [\"id\", 1]}", "{\"raw\": [\"$1\", 2]}",
	"{\"query\": [{\"selector\": [\"t\", null]}]}", "[{\"selector\": [\"t\", \"z\"]}]", "{\"desc\": [\"name\", \"last\"]}",
	"{\"max_rows\": 5}", "{\"distinct\": []}", "{\"limit\": null}", "{\"returning\": []}", "{\"all_rows\": []}",
	"\"some\"", "\"every\"", "\"none\"", "\"is\"", "\"is_not\"", "\"gte\"", "\"between\"", "\"not_in\"", "\"is_null\"", "\"like\"", "\"regex\"",
	"\"after\"", "\"before\"", "\"offset\"", "\"preload\"", "\"parent\"", "\"children\"", "\"parent.name\"", "\"children.id\"", "\"-id\"",
	"[\"id\", \"-name\"]", "[1, 2]", "[null]", "{\"gte\": 1}", "{\"is\": null}", "{\"some\": {}}", "{\"children\": {\"limit\": 1}}",
	"\"fields\"", "\"read_only\"", "\"soft_delete\"", "\"version\"", "\"default\"", "\"2020-01-01\"", "\"(\"", "\"*\"", "\"%\"", "\"\\\\\""
};

static void
splice(StringInfo s, int at, int remove, const char *insert, int len)
{
	char	   *tail = pnstrdup(s->data + at + remove, s->len - at - remove);
	int			tail_len = s->len - at - remove;

	s->len = at;
	appendBinaryStringInfo(s, insert, len);
	appendBinaryStringInfo(s, tail, tail_len);
	pfree(tail);
}

/*
 * Repeats or moves a piece of the value, or removes it.
 */
static void
cut_and_paste(StringInfo s, pg_prng_state *random)
{
	int			from = below(random, s->len);
	int			len = 1 + below(random, Min(s->len - from, 24));
	char	   *piece = palloc(len);

	len = Min(len, s->len - from);
	memcpy(piece, s->data + from, len);
	if (below(random, 2) == 0)
		splice(s, from, len, "", 0);
	if (below(random, 3) > 0)
		splice(s, below(random, s->len + 1), 0, piece, len);
	pfree(piece);
}

Datum
corm_fuzz_mutate_bytes(PG_FUNCTION_ARGS)
{
	bytea	   *value = PG_GETARG_BYTEA_PP(0);
	pg_prng_state random;
	StringInfoData s;

	pg_prng_seed(&random, PG_GETARG_INT64(1));
	initStringInfo(&s);
	appendBinaryStringInfo(&s, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	for (int n = below(&random, 2) == 0 ? 1 : 1 + below(&random, 4); n > 0 && s.len > 4; n--)
	{
		int			at = below(&random, s.len);
		uint32		number = numbers[below(&random, lengthof(numbers))];

		switch (below(&random, 8))
		{
			case 0:
				s.data[at] ^= 1 << below(&random, 8);
				break;
			case 1:
				s.data[at] = (char) pg_prng_uint32(&random);
				break;
			case 2:
				s.data[at] += (char) (1 - 2 * (int) below(&random, 2));
				break;
			case 3:
				at = below(&random, s.len - 3);
				memcpy(s.data + at, &number, sizeof(number));
				break;
			case 4:
				at = below(&random, s.len - 1);
				memcpy(s.data + at, &number, sizeof(uint16));
				break;
			case 5:
				s.len = at;		/* cut off */
				break;
			default:
				cut_and_paste(&s, &random);
		}
	}
	PG_RETURN_BYTEA_P(cstring_to_text_with_len(s.data, s.len));
}

/*
 * The end of the JSON element that begins at a place.
 */
static int
element_end(StringInfo s, int at)
{
	int			depth = 0;

	while (at < s->len)
	{
		char		c = s->data[at++];

		if (c == '"')
		{
			while (at < s->len && s->data[at] != '"')
				at += s->data[at] == '\\' ? 2 : 1;
			at++;
		}
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (strchr(",: ", c) == NULL)
			while (at < s->len && strchr(",]}: ", s->data[at]) == NULL)
				at++;
		if (depth <= 0)
			break;
	}
	return Min(at, s->len);
}

/*
 * A JSON element of the text; false if there is none.
 */
static bool
find_element(StringInfo s, pg_prng_state *random, int *start, int *len)
{
	int			nelements = 0;
	int			at = 0;

	/* each one replaces the choice with a chance of one in their number */
	while (at < s->len)
	{
		char		c = s->data[at];

		if (strchr(",]}: ", c) != NULL)
		{
			at++;
			continue;
		}
		if (below(random, ++nelements) == 0)
		{
			*start = at;
			*len = element_end(s, at) - at;
		}
		at = c == '{' || c == '[' ? at + 1 : element_end(s, at);
	}
	return nelements > 0;
}

/* What an element is, by its first character */
static char
kind_of(char first)
{
	return strchr("{[\"", first) != NULL ? first : '1';
}

/*
 * Puts one element of the text, or a word, in the place of another, mostly
 * of its kind, which is understood more often: the result is JSON still, if
 * the text was.
 */
static void
replace_element(StringInfo s, pg_prng_state *random)
{
	bool		any_kind = below(random, 4) == 0;
	char	   *with;
	int			with_len;
	int			start;
	int			len;
	int			from;

	if (!find_element(s, random, &start, &len))
		return;
	for (int tries = 0;; tries++)
	{
		if (below(random, 2) == 0)
		{
			find_element(s, random, &from, &with_len);
			with = pnstrdup(s->data + from, with_len);
		}
		else
		{
			with = pstrdup(elements[below(random, lengthof(elements))]);
			with_len = strlen(with);
		}
		if (any_kind || tries == 20 || kind_of(with[0]) == kind_of(s->data[start]))
			break;
	}
	if (below(random, 6) == 0)
		splice(s, start, 0, ", ", 2);
	else if (start + len < s->len && s->data[start + len] == ':')
	{
		/* a key stays a string */
		with = psprintf("\"%s\"", strchr(with, '"') == with ? pnstrdup(with + 1, with_len - 2) : "c");
		with_len = strlen(with);
		splice(s, start, len, with, with_len);
		return;
	}
	else
		splice(s, start, len, "", 0);
	splice(s, start, 0, with, with_len);
}

/*
 * The text must be ASCII, so that it is valid in every encoding whatever is
 * done to it.
 */
Datum
corm_fuzz_mutate_text(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	pg_prng_state random;
	StringInfoData s;

	pg_prng_seed(&random, PG_GETARG_INT64(1));
	initStringInfo(&s);
	appendBinaryStringInfo(&s, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	for (int n = below(&random, 2) == 0 ? 1 : 1 + below(&random, 3); n > 0 && s.len > 0; n--)
	{
		int			at = below(&random, s.len);
		uint32		choice = below(&random, lengthof(pieces) + lengthof(elements));
		const char *word = choice < lengthof(pieces) ? pieces[choice] : elements[choice - lengthof(pieces)];

		switch (below(&random, 40))
		{
			case 0:
				s.data[at] = (char) (' ' + below(&random, 95));
				break;
			case 1:
				splice(&s, at, 0, word, strlen(word));
				break;
			case 2:
				splice(&s, at, Min(strlen(word), s.len - at), word, strlen(word));
				break;
			case 3:
				cut_and_paste(&s, &random);
				break;
			default:
				replace_element(&s, &random);
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(s.data, s.len));
}
