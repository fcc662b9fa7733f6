/*-------------------------------------------------------------------------
 *
 * jsonb.c
 *		Pushing scalars of C into a jsonb document that is being made.
 *
 * The functions take the token that says what the scalar is: a key, a value of
 * an object or an element of an array.  A string is not copied: it must last
 * until the document is finished.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/jsonb.h"

/*
 * corm_json_string pushes a string, or null for NULL, as the token says.
 */
void
corm_json_string(JsonbParseState **state, JsonbIteratorToken token, const char *string)
{
	JsonbValue	v;

	if (string == NULL)
		v.type = jbvNull;
	else
	{
		v.type = jbvString;
		v.val.string.val = unconstify(char *, string);
		v.val.string.len = strlen(string);
	}
	pushJsonbValue(state, token, &v);
}

/*
 * corm_json_key pushes the key of an object.
 */
void
corm_json_key(JsonbParseState **state, const char *key)
{
	corm_json_string(state, WJB_KEY, key);
}

/*
 * corm_json_bool pushes a boolean, as the token says.
 */
void
corm_json_bool(JsonbParseState **state, JsonbIteratorToken token, bool value)
{
	JsonbValue	v;

	v.type = jbvBool;
	v.val.boolean = value;
	pushJsonbValue(state, token, &v);
}
