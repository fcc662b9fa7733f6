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
#include "utils/numeric.h"

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
 * corm_json_integer pushes an integer as a number, as the token says.
 */
void
corm_json_integer(JsonbParseState **state, JsonbIteratorToken token, int64 value)
{
	JsonbValue	v;

	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(value);
	pushJsonbValue(state, token, &v);
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
