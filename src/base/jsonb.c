/*-------------------------------------------------------------------------
 *
 * jsonb.c
 *		Making jsonb documents: of scalars of C, of any value, and of other documents.
 *
 * The functions for scalars take the token that says what the scalar is: a key, a
 * value of an object or an element of an array.  A string is not copied: it must last
 * until the document is finished.
 *
 * pushJsonbValue() takes a document that becomes a part of another one to pieces, and
 * each level of nesting does that again.  Here such a document is copied as a whole, as
 * it is stored: the layout is that of utils/jsonb.h.  Children are aligned, from the
 * start of a container, and so is the container itself.
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
 * to_jsonb() of a row keeps pointers to the column names after it has released the row
 * descriptor.  If a cast to json alters the type, the names are freed before they are
 * used.  to_json() copies each name at once, so we convert rows to text first.
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

/*
 * Documents of documents
 */

/* A key, a value or an element, as it is stored. */
typedef struct Part
{
	uint32		type;			/* bits of a JEntry */
	const char *data;			/* without padding in front */
	uint32		len;
} Part;

static bool
is_aligned(const Part *part)
{
	return part->type == JENTRY_ISCONTAINER || part->type == JENTRY_ISNUMERIC;
}

/* Returns a key, a value or an element of a container. */
static Part
part_of(const JsonbContainer *container, int index)
{
	const char *data = (const char *) &container->children[JsonContainerSize(container) * (JsonContainerIsObject(container) ? 2 : 1)];
	uint32		offset = getJsonbOffset(container, index);
	Part		part = {.type = container->children[index] & JENTRY_TYPEMASK,.len = getJsonbLength(container, index)};

	if (is_aligned(&part))
	{
		part.len -= INTALIGN(offset) - offset;
		offset = INTALIGN(offset);
	}
	part.data = data + offset;
	return part;
}

/* Returns an object or array as a part of another document; NULL: null. */
static Part
part_of_document(Jsonb *document)
{
	Part		part = {.type = JENTRY_ISNULL};

	if (document == NULL)
		return part;
	if (JB_ROOT_IS_SCALAR(document))
		return part_of(&document->root, 0);
	part.type = JENTRY_ISCONTAINER;
	part.data = (const char *) &document->root;
	part.len = VARSIZE(document) - VARHDRSZ;
	return part;
}

/* Returns a container of parts, which for an object are its keys and then its values. */
static Jsonb *
assemble(uint32 flag, const Part *parts, int nparts)
{
	Size		size = 0;
	Size		start = VARHDRSZ + sizeof(uint32) + sizeof(JEntry) * nparts;
	Jsonb	   *result;
	char	   *data;

	for (int i = 0; i < nparts; i++)
		size = (is_aligned(&parts[i]) ? INTALIGN(size) : size) + parts[i].len;
	if (size > JENTRY_OFFLENMASK || nparts > JB_CMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("total size of a JSON document exceeds the maximum of %u bytes", JENTRY_OFFLENMASK)));
	result = palloc(start + size);
	SET_VARSIZE(result, start + size);
	result->root.header = flag | (flag == JB_FOBJECT ? nparts / 2 : nparts);
	data = (char *) &result->root.children[nparts];
	size = 0;
	for (int i = 0; i < nparts; i++)
	{
		Size		begin = is_aligned(&parts[i]) ? INTALIGN(size) : size;
		Size		end = begin + parts[i].len;

		memset(data + size, 0, begin - size);
		if (parts[i].len > 0)
			memcpy(data + begin, parts[i].data, parts[i].len);
		result->root.children[i] = parts[i].type |
			(i % JB_OFFSET_STRIDE == 0 ? JENTRY_HAS_OFF | end : end - size);
		size = end;
	}
	return result;
}

/* corm_json_array returns an array of documents. */
Jsonb *
corm_json_array(Jsonb **documents, int n)
{
	Part	   *parts = palloc_extended(sizeof(Part) * Max(n, 1), MCXT_ALLOC_HUGE);
	Jsonb	   *result;

	for (int i = 0; i < n; i++)
		parts[i] = part_of_document(documents[i]);
	result = assemble(JB_FARRAY, parts, n);
	pfree(parts);
	return result;
}

/* Compares keys in the order in which objects have them. */
static int
compare_keys(const Part *a, const Part *b)
{
	return a->len != b->len ? (a->len > b->len ? 1 : -1) : memcmp(a->data, b->data, a->len);
}

/*
 * corm_json_object_with returns an object with n more keys, whose values are documents, or
 * null for NULL.  A key that the object has gets the new value.
 */
Jsonb *
corm_json_object_with(Jsonb *object, const char *const *keys, Jsonb **values, int n)
{
	int			npairs = JB_ROOT_COUNT(object);
	Part	   *all = palloc(sizeof(Part) * Max(2 * (npairs + n), 1));
	Part	   *all_values = palloc(sizeof(Part) * Max(npairs + n, 1));

	for (int i = 0; i < npairs; i++)
	{
		all[i] = part_of(&object->root, i);
		all_values[i] = part_of(&object->root, JB_ROOT_COUNT(object) + i);
	}
	for (int i = 0; i < n; i++)
	{
		Part		key = {.type = JENTRY_ISSTRING,.data = keys[i],.len = strlen(keys[i])};
		int			at = 0;

		while (at < npairs && compare_keys(&all[at], &key) < 0)
			at++;
		if (at == npairs || compare_keys(&all[at], &key) > 0)
		{
			memmove(&all[at + 1], &all[at], sizeof(Part) * (npairs - at));
			memmove(&all_values[at + 1], &all_values[at], sizeof(Part) * (npairs - at));
			npairs++;
		}
		all[at] = key;
		all_values[at] = part_of_document(values[i]);
	}
	memcpy(&all[npairs], all_values, sizeof(Part) * npairs);
	return assemble(JB_FOBJECT, all, 2 * npairs);
}
