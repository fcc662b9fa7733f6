/*-------------------------------------------------------------------------
 *
 * tags.c
 *		Tags: the part of a COMMENT that is meant for corm.
 *
 * A tag begins after "@orm:" and ends with the line.  It is a list of keys,
 * some with a value, separated by commas:
 *
 *		Login name. @orm:name=UserName,read_only
 *
 * A comma inside quotes or parentheses belongs to the value, so that
 * default=coalesce(a, b) works.  A value that is one double-quoted
 * identifier loses its quotes; any other value is taken as written.  Several
 * lines of a comment may hold tags, which are then one list.
 *
 * Everything wrong with a tag is an error that shows the tag and the object:
 * a misspelt key that was ignored silently would be a soft delete that
 * deletes for good.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/jsonb.h"
#include "catalog/objectaddress.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "model/nearest.h"
#include "model/tags.h"
#include "parser/scansup.h"
#include "utils/builtins.h"

#define TAG_PREFIX			"@orm:"
#define MAX_SHOWN			200 /* bytes of a tag that an error message shows */

/* What may follow a key. */
typedef enum TagValue
{
	VALUE_FLAG,					/* nothing, or true or false */
	VALUE_OPTIONAL,
	VALUE_REQUIRED
} TagValue;

static const struct
{
	const char *key;
	TagValue	value;
	int			targets;
}			tag_keys[] =

{
	{"-", VALUE_FLAG, CORM_TAG_COLUMN | CORM_TAG_CONSTRAINT},
	{"check", VALUE_REQUIRED, CORM_TAG_COLUMN},
	{"column", VALUE_REQUIRED, CORM_TAG_COLUMN},
	{"created_at", VALUE_FLAG, CORM_TAG_COLUMN},
	{"default", VALUE_REQUIRED, CORM_TAG_COLUMN},
	{"filterable", VALUE_FLAG, CORM_TAG_COLUMN | CORM_TAG_CONSTRAINT},
	{"generated", VALUE_REQUIRED, CORM_TAG_COLUMN},
	{"hidden", VALUE_FLAG, CORM_TAG_COLUMN},
	{"identity", VALUE_OPTIONAL, CORM_TAG_COLUMN},
	{"index", VALUE_OPTIONAL, CORM_TAG_COLUMN},
	{"inverse", VALUE_REQUIRED, CORM_TAG_CONSTRAINT},
	{"name", VALUE_REQUIRED, CORM_TAG_RELATION | CORM_TAG_COLUMN | CORM_TAG_CONSTRAINT},
	{"not_null", VALUE_FLAG, CORM_TAG_COLUMN},
	{"primary_key", VALUE_FLAG, CORM_TAG_COLUMN},
	{"proto", VALUE_REQUIRED, CORM_TAG_RELATION | CORM_TAG_COLUMN},
	{"read_only", VALUE_FLAG, CORM_TAG_COLUMN},
	{"references", VALUE_REQUIRED, CORM_TAG_COLUMN},
	{"soft_delete", VALUE_FLAG, CORM_TAG_COLUMN},
	{"table", VALUE_REQUIRED, CORM_TAG_RELATION},
	{"unique", VALUE_OPTIONAL, CORM_TAG_COLUMN},
	{"updated_at", VALUE_FLAG, CORM_TAG_COLUMN},
	{"version", VALUE_FLAG, CORM_TAG_COLUMN},
	{"was", VALUE_REQUIRED, CORM_TAG_COLUMN},
};

/* Keys whose value is taken as it is: quotes in it are SQL's. */
static const char *const verbatim_keys[] = {"check", "default", "generated", "references", "table"};

/* The tag being parsed, and what is wrong with it. */
typedef struct TagSource
{
	const char *text;			/* from the prefix to the end of the line */
	int			len;
	const char *detail;			/* NULL: nothing so far */
	const char *hint;
} TagSource;

static char *clipped(const char *text, int len);
static int	find_key(const char *key);
static bool is_verbatim(const char *key);
static char *copy_trimmed(const char *c, const char *end);
static const char *scan_value(TagSource *source, const char *c, const char *end);
static char *unquote_value(const char *value);
static CormTag *scan_key(TagSource *source, const char **position, const char *end);
static List *parse_one_tag(List *tags, TagSource *source);
static List *parse_comment(const char *comment, TagSource *source);
static List *parse_or_raise(const char *comment, const char *object);

/*
 * clipped returns a copy of a text, cut if it is too long for a message.
 */
static char *
clipped(const char *text, int len)
{
	return pnstrdup(text, pg_mbcliplen(text, len, MAX_SHOWN));
}

/*
 * corm_tags_error raises the error for a tag that can be parsed but makes no
 * sense where it stands.  detail is a finished sentence.
 */
void
corm_tags_error(const char *object, const CormTag *tag, const char *detail)
{
	char	   *text = psprintf(TAG_PREFIX "%s%s%s", tag->key,
								tag->value ? "=" : "", tag->value ? tag->value : "");

	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_TAG),
			 errmsg("invalid tag \"%s\" on %s", clipped(text, strlen(text)), object),
			 errdetail_internal("%s", detail)));
}

/*
 * find_key returns the index of key in tag_keys, or -1.
 */
static int
find_key(const char *key)
{
	for (int i = 0; i < lengthof(tag_keys); i++)
	{
		if (strcmp(tag_keys[i].key, key) == 0)
			return i;
	}
	return -1;
}

/*
 * is_verbatim returns whether the value of a key keeps its quotes.
 */
static bool
is_verbatim(const char *key)
{
	for (int i = 0; i < lengthof(verbatim_keys); i++)
	{
		if (strcmp(verbatim_keys[i], key) == 0)
			return true;
	}
	return false;
}

/*
 * scan_value returns where the value at c ends: at a comma outside quotes and
 * parentheses, or at end.
 */
static const char *
scan_value(TagSource *source, const char *c, const char *end)
{
	char		quote = '\0';
	int			depth = 0;

	for (; c < end; c++)
	{
		if (quote != '\0')
		{
			/* A doubled quote closes and opens again: the same thing here. */
			if (*c == quote)
				quote = '\0';
		}
		else if (*c == '\'' || *c == '"')
			quote = *c;
		else if (*c == '(' || *c == '[')
			depth++;
		else if (*c == ')' || *c == ']')
			depth--;
		else if (*c == ',' && depth <= 0)
			break;
	}
	if (quote != '\0')
		source->detail = "A quoted value is not terminated.";
	else if (depth > 0)
		source->detail = "A parenthesis is not closed.";

	return c;
}

/*
 * unquote_value returns value without its quotes if it is one double-quoted
 * identifier, else value itself.
 */
static char *
unquote_value(const char *value)
{
	int			len = strlen(value);
	StringInfoData buf;

	if (len < 2 || value[0] != '"' || value[len - 1] != '"')
		return pstrdup(value);

	initStringInfo(&buf);
	for (int i = 1; i < len - 1; i++)
	{
		if (value[i] == '"')
		{
			/*
			 * A single quote inside: this is not one identifier, as in
			 * "a"."b".
			 */
			if (i + 1 >= len - 1 || value[i + 1] != '"')
				return pstrdup(value);
			i++;
		}
		appendStringInfoChar(&buf, value[i]);
	}
	return buf.data;
}

/*
 * copy_trimmed returns the text from c to end without the white space around
 * it.
 */
static char *
copy_trimmed(const char *c, const char *end)
{
	while (c < end && scanner_isspace(*c))
		c++;
	while (end > c && scanner_isspace(end[-1]))
		end--;
	return pnstrdup(c, end - c);
}

/*
 * scan_key reads one key and its value at *position, and moves that to the
 * comma that follows or to end.  What is wrong is noted in source.
 */
static CormTag *
scan_key(TagSource *source, const char **position, const char *end)
{
	const char *c = *position;
	CormTag    *tag = palloc0(sizeof(CormTag));
	int			k;

	while (c < end && *c != ',' && *c != '=')
		c++;
	tag->key = copy_trimmed(*position, c);
	*position = c;
	if (tag->key[0] == '\0')
	{
		source->detail = "A key is missing.";
		return tag;
	}

	k = find_key(tag->key);
	if (k < 0)
	{
		CormNearest nearest;

		corm_nearest_init(&nearest, tag->key);
		for (int i = 0; i < lengthof(tag_keys); i++)
			corm_nearest_offer(&nearest, tag_keys[i].key);
		source->detail = psprintf("\"%s\" is not a key.", clipped(tag->key, strlen(tag->key)));
		if (nearest.name)
			source->hint = psprintf("Perhaps you meant \"%s\".", nearest.name);
		return tag;
	}

	if (c < end && *c == '=')
	{
		*position = scan_value(source, c + 1, end);
		tag->value = copy_trimmed(c + 1, *position);
		if (!is_verbatim(tag->key))
			tag->value = unquote_value(tag->value);
		if (tag->value[0] == '\0' && source->detail == NULL)
			source->detail = psprintf("The value of \"%s\" is missing.", tag->key);
	}

	if (source->detail != NULL)
		return tag;
	if (tag->value == NULL && tag_keys[k].value == VALUE_REQUIRED)
		source->detail = psprintf("\"%s\" needs a value.", tag->key);
	if (tag->value != NULL && tag_keys[k].value == VALUE_FLAG &&
		strcmp(tag->value, "true") != 0 && strcmp(tag->value, "false") != 0)
		source->detail = psprintf("The value of \"%s\" can be true or false.", tag->key);

	return tag;
}

/*
 * parse_one_tag appends the keys of one tag to tags.  What is wrong is noted
 * in source.
 */
static List *
parse_one_tag(List *tags, TagSource *source)
{
	const char *c = source->text +strlen(TAG_PREFIX);
	const char *end = source->text +source->len;

	for (;;)
	{
		CormTag    *tag = scan_key(source, &c, end);

		if (source->detail == NULL && corm_tags_find(tags, tag->key) != NULL)
			source->detail = psprintf("\"%s\" is given twice.", tag->key);
		if (source->detail != NULL)
			return tags;

		tags = lappend(tags, tag);
		if (c >= end)
			return tags;
		c++;					/* the comma */
	}
}

/*
 * parse_comment returns the tags in a comment, up to the first that is wrong,
 * which source is about then.
 */
static List *
parse_comment(const char *comment, TagSource *source)
{
	List	   *tags = NIL;
	const char *start = comment ? strstr(comment, TAG_PREFIX) : NULL;

	memset(source, 0, sizeof(*source));
	while (start != NULL && source->detail == NULL)
	{
		source->text = start;
		source->len = strcspn(start, "\r\n");
		tags = parse_one_tag(tags, source);
		start = strstr(start + source->len, TAG_PREFIX);
	}

	return tags;
}

/*
 * parse_or_raise returns the tags in comment, a list of CormTag in the
 * current memory context; NIL if comment is NULL or has none.  object names
 * in messages what the comment is on.  Raises OR005 for a malformed tag.
 */
static List *
parse_or_raise(const char *comment, const char *object)
{
	TagSource	source;
	List	   *tags = parse_comment(comment, &source);

	if (source.detail != NULL)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_TAG),
				 errmsg("invalid tag \"%s\" on %s", clipped(source.text, source.len), object),
				 errdetail_internal("%s", source.detail),
				 source.hint ? errhint("%s", source.hint) : 0));
	return tags;
}

/*
 * corm_tags_read returns the tags in the comment on an object, a list of CormTag
 * in the current memory context; NIL if comment is NULL or has none.  Raises
 * OR005 for a malformed tag and for a key that cannot stand on an object of this
 * kind.
 */
List *
corm_tags_read(const char *comment, const ObjectAddress *address, CormTagTarget target)
{
	List	   *tags;
	ListCell   *lc;
	char	   *object;

	/* Most comments have no tag: describing the object costs lookups. */
	if (comment == NULL || strstr(comment, TAG_PREFIX) == NULL)
		return NIL;

	object = getObjectDescription(address, false);
	tags = parse_or_raise(comment, object);
	foreach(lc, tags)
	{
		CormTag    *tag = lfirst(lc);

		if ((tag_keys[find_key(tag->key)].targets & target) == 0)
			corm_tags_error(object, tag, "This key cannot be used on an object of this kind.");
	}

	return tags;
}

/*
 * corm_tags_read_quietly returns the tags in the comment on an object that
 * another model has to answer for: NIL if anything is wrong with them.
 */
List *
corm_tags_read_quietly(const char *comment, CormTagTarget target)
{
	TagSource	source;
	List	   *tags = parse_comment(comment, &source);
	ListCell   *lc;

	if (source.detail != NULL)
		return NIL;
	foreach(lc, tags)
	{
		CormTag    *tag = lfirst(lc);

		if ((tag_keys[find_key(tag->key)].targets & target) == 0)
			return NIL;
	}

	return tags;
}

/*
 * corm_tags_description returns a comment without its tags, or NULL if nothing
 * is left.
 */
char *
corm_tags_description(const char *comment)
{
	StringInfoData buf;
	const char *line = comment;

	if (comment == NULL)
		return NULL;
	initStringInfo(&buf);
	while (*line != '\0')
	{
		int			len = strcspn(line, "\r\n");
		const char *tag = strstr(line, TAG_PREFIX);
		int			kept = tag != NULL && tag < line + len ? tag - line : len;

		while (kept > 0 && scanner_isspace(line[kept - 1]))
			kept--;
		if (kept > 0)
			appendStringInfo(&buf, "%s%.*s", buf.len > 0 ? "\n" : "", kept, line);
		line += len;
		line += strspn(line, "\r\n");
	}
	return buf.len > 0 ? buf.data : NULL;
}

/*
 * corm_tags_find returns the tag with this key, or NULL.
 */
CormTag *
corm_tags_find(List *tags, const char *key)
{
	ListCell   *lc;

	foreach(lc, tags)
	{
		CormTag    *tag = lfirst(lc);

		if (strcmp(tag->key, key) == 0)
			return tag;
	}
	return NULL;
}

/*
 * corm_tags_get returns whether there is a tag with this key, and its value
 * (NULL if it stands alone) unless value is NULL.
 */
bool
corm_tags_get(List *tags, const char *key, char **value)
{
	CormTag    *tag = corm_tags_find(tags, key);

	if (tag != NULL && value != NULL)
		*value = tag->value;
	return tag != NULL;
}

/*
 * corm_tags_flag returns what a flag says: 1 for key or key=true, 0 for
 * key=false, and -1 if it is not there.
 */
int
corm_tags_flag(List *tags, const char *key)
{
	CormTag    *tag = corm_tags_find(tags, key);

	if (tag == NULL)
		return -1;
	return tag->value == NULL || strcmp(tag->value, "true") == 0;
}

/*
 * corm_tags_push pushes the tags of a field, an object, and returns the value if
 * that is all.
 */
JsonbValue *
corm_tags_push(JsonbParseState **state, List *tags)
{
	ListCell   *lc;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, tags)
	{
		CormTag    *tag = lfirst(lc);

		corm_json_key(state, tag->key);
		if (tag->value == NULL || strcmp(tag->value, "true") == 0)
			corm_json_bool(state, WJB_VALUE, true);
		else if (strcmp(tag->value, "false") == 0)
			corm_json_bool(state, WJB_VALUE, false);
		else
			corm_json_string(state, WJB_VALUE, tag->value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}
