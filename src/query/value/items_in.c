/*-------------------------------------------------------------------------
 *
 * items_in.c
 *		JSON text as a tree of items.
 *
 * The text form of a query is read once and forgotten, and building a jsonb of it
 * takes longer than all that follows.  So usual JSON is read by a parser of its own,
 * whose items point into the text.  Whatever is unusual (\u escapes, repeated keys,
 * huge input, anything that is not JSON) it leaves to PostgreSQL's parser, which has
 * the error messages, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/value/items_in.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define MAX_TEXT	(64 * 1024 * 1024)
#define MAX_INTEGER	18			/* digits that fit into int64 */

typedef struct Reader
{
	const char *p;
} Reader;

static bool read_item(Reader *r, JsonItem *item);

static inline void
skip_blanks(Reader *r)
{
	while (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r')
		r->p++;
}

/* What follows a backslash, or 0 if it is left to PostgreSQL. */
static char
unescaped(char c)
{
	switch (c)
	{
		case '"':
		case '\\':
		case '/':
			return c;
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		default:
			return 0;
	}
}

/* Reads a string, whose quote is next.  It is copied only if it has escapes. */
static bool
read_string(Reader *r, JsonItem *item)
{
	const char *start = ++r->p;
	const char *end = start;
	bool		escapes = false;
	char	   *copy;
	int			len = 0;

	while (*end != '"')
	{
		if ((unsigned char) *end < ' ')
			return false;		/* the end of the text among them */
		if (*end == '\\')
		{
			escapes = true;
			if (unescaped(*++end) == 0)
				return false;
		}
		end++;
	}
	r->p = end + 1;
	item->type = ITEM_STRING;
	item->str = start;
	item->len = end - start;
	if (!escapes)
		return true;
	copy = palloc(end - start);
	for (const char *p = start; p < end; p++)
		copy[len++] = *p == '\\' ? unescaped(*++p) : *p;
	item->str = copy;
	item->len = len;
	return true;
}

/* Reads a number. */
static bool
read_number(Reader *r, JsonItem *item)
{
	const char *start = r->p;
	const char *digits;

	if (*r->p == '-')
		r->p++;
	digits = r->p;
	while (*r->p >= '0' && *r->p <= '9')
		r->p++;
	if (r->p == digits || (*digits == '0' && r->p - digits > 1))
		return false;
	item->is_integer = r->p - digits <= MAX_INTEGER;
	if (*r->p == '.')
	{
		const char *fraction = ++r->p;

		while (*r->p >= '0' && *r->p <= '9')
			r->p++;
		if (r->p == fraction)
			return false;
		item->is_integer = false;
	}
	/* with an exponent, or something else that is no number */
	if (isalnum((unsigned char) *r->p) || *r->p == '_' || *r->p == '.' || *r->p == '+' || *r->p == '-' ||
		IS_HIGHBIT_SET(*r->p))
		return false;
	item->type = ITEM_NUMBER;
	item->str = start;
	item->len = r->p - start;
	return true;
}

/* Adds an item to an array in the making, whose first few stand in local. */
static JsonItem *
add_item(JsonItem *items, const JsonItem *local, int nlocal, int *size, int n, const JsonItem *item)
{
	if (n == *size)
	{
		*size *= 2;
		if (items == local)
			items = memcpy(palloc(sizeof(JsonItem) * *size), local, sizeof(JsonItem) * nlocal);
		else
			items = repalloc_huge(items, sizeof(JsonItem) * *size);
	}
	items[n] = *item;
	return items;
}

/* Reads an array or an object, whose bracket is next. */
static bool
read_list(Reader *r, JsonItem *item)
{
	bool		object = *r->p++ == '{';
	char		close = object ? '}' : ']';
	JsonItem	local[8];
	JsonItem   *items = local;
	int			size = lengthof(local);
	int			n = 0;

	skip_blanks(r);
	if (*r->p == close)
		r->p++;
	else
		for (;;)
		{
			JsonItem	part = {0};

			if (object)
			{
				JsonItem	key = {0};

				if (*r->p != '"' || !read_string(r, &key))
					return false;
				skip_blanks(r);
				if (*r->p++ != ':')
					return false;
				items = add_item(items, local, lengthof(local), &size, n++, &key);
				skip_blanks(r);
			}
			if (!read_item(r, &part))
				return false;
			items = add_item(items, local, lengthof(local), &size, n++, &part);
			skip_blanks(r);
			if (*r->p == close)
			{
				r->p++;
				break;
			}
			if (*r->p++ != ',')
				return false;
			skip_blanks(r);
		}
	/* of equal keys the last one counts, which jsonb sees to */
	for (int i = 0; object && i < n; i += 2)
		for (int j = 0; j < i; j += 2)
			if (i > 16 || (items[i].len == items[j].len && memcmp(items[i].str, items[j].str, items[i].len) == 0))
				return false;
	item->type = object ? ITEM_OBJECT : ITEM_ARRAY;
	item->n = object ? n / 2 : n;
	item->items = items;
	if (items == local)
	{
		item->items = palloc(sizeof(JsonItem) * Max(n, 1));
		memcpy(item->items, local, sizeof(JsonItem) * n);
	}
	return true;
}

static bool
read_word(Reader *r, const char *word, int len)
{
	if (strncmp(r->p, word, len) != 0 || isalnum((unsigned char) r->p[len]) || r->p[len] == '_' ||
		IS_HIGHBIT_SET(r->p[len]))
		return false;
	r->p += len;
	return true;
}

/* Reads what is next; false for what is left to PostgreSQL. */
static bool
read_item(Reader *r, JsonItem *item)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	switch (*r->p)
	{
		case '"':
			return read_string(r, item);
		case '[':
		case '{':
			return read_list(r, item);
		case 't':
		case 'f':
			item->type = ITEM_BOOL;
			item->boolean = *r->p == 't';
			return item->boolean ? read_word(r, "true", 4) : read_word(r, "false", 5);
		case 'n':
			item->type = ITEM_NULL;
			return read_word(r, "null", 4);
		default:
			return read_number(r, item);
	}
}

/*
 * corm_items_read reads usual JSON text.  Items are allocated in the current context and
 * point into the text.  Returns false if it is not usual, or no JSON.
 */
bool
corm_items_read(const char *str, JsonItem *item)
{
	Reader		r = {.p = str};

	/* input by another encoding than the server's has been converted by now */
	if (strnlen(str, MAX_TEXT + 1) > MAX_TEXT)
		return false;
	memset(item, 0, sizeof(JsonItem));
	skip_blanks(&r);
	if (!read_item(&r, item))
		return false;
	skip_blanks(&r);
	return *r.p == '\0';
}

static void of_value(const JsonbValue *value, JsonItem *item);

/* The elements of an array, or keys and values. */
static void
of_container(JsonbContainer *container, JsonItem *item)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			n = 0;

	item->type = JsonContainerIsObject(container) ? ITEM_OBJECT : ITEM_ARRAY;
	item->n = JsonContainerSize(container);
	item->items = palloc_extended(mul_size(sizeof(JsonItem), Max(item->n, 1) * (Size) 2), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	(void) JsonbIteratorNext(&it, &value, false);
	while ((token = JsonbIteratorNext(&it, &value, true)) == WJB_ELEM || token == WJB_KEY || token == WJB_VALUE)
		of_value(&value, &item->items[n++]);
}

static void
of_value(const JsonbValue *value, JsonItem *item)
{
	check_stack_depth();
	switch (value->type)
	{
		case jbvNull:
			item->type = ITEM_NULL;
			break;
		case jbvBool:
			item->type = ITEM_BOOL;
			item->boolean = value->val.boolean;
			break;
		case jbvString:
			item->type = ITEM_STRING;
			item->str = value->val.string.val;
			item->len = value->val.string.len;
			break;
		case jbvNumeric:
			item->type = ITEM_NUMBER;
			item->str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
			item->len = strlen(item->str);
			break;
		default:
			of_container(value->val.binary.data, item);
			break;
	}
}

/*
 * corm_items_of_jsonb makes items of a jsonb, into which they point.
 */
void
corm_items_of_jsonb(Jsonb *json, JsonItem *item)
{
	memset(item, 0, sizeof(JsonItem));
	of_container(&json->root, item);
	if (JB_ROOT_IS_SCALAR(json))
		*item = item->items[0];
}
