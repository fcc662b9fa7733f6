/*-------------------------------------------------------------------------
 *
 * jsonb.c
 *		Pushing scalars of C into a jsonb document that is being made; any value as jsonb.
 *
 * The functions that push take the token that says what the scalar is: a key, a value of
 * an object or an element of an array.  A string is not copied: it must last
 * until the document is finished.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/jsonb.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
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

/*
 * holds_rows tells whether values of a type are rows or arrays of rows.
 */
static bool
holds_rows(Oid typid)
{
	Oid			base = getBaseType(typid);
	Oid			element = get_element_type(base);

	return base == RECORDARRAYOID || type_is_rowtype(OidIsValid(element) ? getBaseType(element) : base);
}

/*
 * corm_to_jsonb_init prepares to make jsonb of values of a type, in the current memory
 * context.
 *
 * to_jsonb() of a row goes on using the names in the row's description when it has
 * released that.  If a cast to json has changed the type meanwhile, the names are
 * gone.  to_json() copies them at once, so rows take the way through text.
 */
void
corm_to_jsonb_init(CormToJsonb *to_jsonb, Oid typid)
{
	Oid			func;

	to_jsonb->as_text = holds_rows(typid);
	func = to_jsonb->as_text ? F_TO_JSON : F_TO_JSONB;
	fmgr_info(func, &to_jsonb->function);
	/* the function gets the type of its argument from the call expression */
	fmgr_info_set_expr((Node *) makeFuncExpr(func, to_jsonb->as_text ? JSONOID : JSONBOID,
											 list_make1(makeNullConst(typid, -1, InvalidOid)),
											 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL),
					   &to_jsonb->function);
}

/*
 * corm_to_jsonb returns a value, which is not null, as to_jsonb() makes it, in the
 * current memory context.  Raises what casts and output functions of users raise.
 */
Jsonb *
corm_to_jsonb(CormToJsonb *to_jsonb, Datum value)
{
	Datum		json = FunctionCall1(&to_jsonb->function, value);

	if (to_jsonb->as_text)
		json = DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(json)));
	return DatumGetJsonbP(json);
}
