/*-------------------------------------------------------------------------
 *
 * filter_value.c
 *		The values of an untrusted filter: JSON to bound values.
 *
 * A string takes its type from context, like a literal.  Numbers and booleans
 * keep their kind, so they cannot be compared with a field of another kind.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_type.h"
#include "query/value/filter.h"
#include "query/value/node.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

/* corm_bad_filter raises OR020 with the given DETAIL. */
void
corm_bad_filter(const char *detail)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_FILTER),
			 errmsg("invalid filter"),
			 errdetail_internal("%s", detail)));
}

/*
 * corm_filter_over_limit raises OR021: what exceeds limit, the value of a
 * setting.
 */
void
corm_filter_over_limit(const char *what, const char *setting, int limit)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_FILTER_LIMIT),
			 errmsg("filter is too large"),
			 errdetail("%s exceeds %d, the limit set by %s.", what, limit, setting)));
}

/*
 * corm_json_is_object and corm_json_is_array check for a container of that
 * kind.
 */
bool
corm_json_is_object(JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsObject(v->val.binary.data);
}

bool
corm_json_is_array(JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsArray(v->val.binary.data);
}

/*
 * corm_json_members returns the elements of an array, or the alternating keys
 * and values of an object.  *n is the number of elements or pairs.  The array
 * is palloc'd; its strings point into the container.
 */
JsonbValue *
corm_json_members(JsonbContainer *container, int *n)
{
	bool		object = JsonContainerIsObject(container);
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue *result = palloc(sizeof(JsonbValue) * Max(JsonContainerSize(container), 1) * 2);
	JsonbIteratorToken tok;
	JsonbValue	v;

	*n = 0;
	(void) JsonbIteratorNext(&it, &v, true);
	while ((tok = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
		if (tok == WJB_ELEM || tok == WJB_KEY || tok == WJB_VALUE)
			result[(*n)++] = v;
	if (object)
		*n /= 2;
	return result;
}

static void
write_text_value(CormWriter *w, const char *str, int len)
{
	corm_write_value(w, UNKNOWNOID, -1, false,
					 PointerGetDatum(cstring_to_text_with_len(str, len)));
}

/*
 * Writes a number as integer, bigint or numeric, the first that can hold it.
 */
static void
write_number(CormWriter *w, Numeric number)
{
	char	   *str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	char	   *end;
	long long	value;

	errno = 0;
	value = strtoll(str, &end, 10);
	if (*end != '\0' || errno != 0)
		corm_write_value(w, NUMERICOID, -1, false, NumericGetDatum(number));
	else if (value >= PG_INT32_MIN && value <= PG_INT32_MAX)
		corm_write_value(w, INT4OID, 4, true, Int32GetDatum((int32) value));
	else
		corm_write_value(w, INT8OID, 8, true, Int64GetDatum((int64) value));
}

/*
 * corm_filter_scalar writes an operator's value.  Raises OR020 unless it is a
 * scalar.
 */
void
corm_filter_scalar(CormWriter *w, JsonbValue *v, const char *op)
{
	switch (v->type)
	{
		case jbvNull:
			corm_write_null(w, UNKNOWNOID);
			break;
		case jbvString:
			write_text_value(w, v->val.string.val, v->val.string.len);
			break;
		case jbvNumeric:
			write_number(w, v->val.numeric);
			break;
		case jbvBool:
			corm_write_value(w, BOOLOID, 1, true, BoolGetDatum(v->val.boolean));
			break;
		default:
			corm_bad_filter(psprintf("\"%s\" takes a single value.", op));
	}
}

/*
 * Writes a list of scalars as text[], which takes the type of the field.
 */
static void
write_texts(CormWriter *w, JsonbValue *elements, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc0(sizeof(bool) * Max(n, 1));
	int			lbound = 1;

	for (int i = 0; i < n; i++)
	{
		switch (elements[i].type)
		{
			case jbvNull:
				nulls[i] = true;
				break;
			case jbvNumeric:
				datums[i] = CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(numeric_out,
																					NumericGetDatum(elements[i].val.numeric))));
				break;
			case jbvBool:
				datums[i] = CStringGetTextDatum(elements[i].val.boolean ? "true" : "false");
				break;
			default:
				datums[i] = PointerGetDatum(cstring_to_text_with_len(elements[i].val.string.val,
																	 elements[i].val.string.len));
				break;
		}
	}
	corm_write_value(w, TEXTARRAYOID, -1, false,
					 n == 0 ? PointerGetDatum(construct_empty_array(TEXTOID)) :
					 PointerGetDatum(construct_md_array(datums, nulls, 1, &n, &lbound, TEXTOID,
														-1, false, TYPALIGN_INT)));
}

/*
 * Writes a list of numbers and nulls as integer[] or bigint[] if all of them
 * fit, else as numeric[].
 */
static void
write_numbers(CormWriter *w, JsonbValue *elements, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * n);
	int64	   *integers = palloc(sizeof(int64) * n);
	bool	   *nulls = palloc0(sizeof(bool) * n);
	bool		is_int4 = true;
	bool		is_int8 = true;
	int			lbound = 1;
	ArrayType  *array;

	for (int i = 0; i < n; i++)
	{
		char	   *str;
		char	   *end;

		nulls[i] = elements[i].type == jbvNull;
		if (nulls[i])
			continue;
		datums[i] = NumericGetDatum(elements[i].val.numeric);
		str = DatumGetCString(DirectFunctionCall1(numeric_out, datums[i]));
		errno = 0;
		integers[i] = strtoll(str, &end, 10);
		if (*end != '\0' || errno != 0)
			is_int8 = false;
		else if (integers[i] < PG_INT32_MIN || integers[i] > PG_INT32_MAX)
			is_int4 = false;
		pfree(str);
	}
	for (int i = 0; i < n && is_int8; i++)
		if (!nulls[i])
			datums[i] = is_int4 ? Int32GetDatum((int32) integers[i]) : Int64GetDatum(integers[i]);
	if (!is_int8)
		array = construct_md_array(datums, nulls, 1, &n, &lbound, NUMERICOID, -1, false, TYPALIGN_INT);
	else if (is_int4)
		array = construct_md_array(datums, nulls, 1, &n, &lbound, INT4OID, 4, true, TYPALIGN_INT);
	else
		array = construct_md_array(datums, nulls, 1, &n, &lbound, INT8OID, 8, FLOAT8PASSBYVAL,
								   TYPALIGN_DOUBLE);
	corm_write_value(w, !is_int8 ? NUMERICARRAYOID : is_int4 ? INT4ARRAYOID : INT8ARRAYOID,
					 -1, false, PointerGetDatum(array));
}

/*
 * Writes a list of booleans and nulls as boolean[].
 */
static void
write_booleans(CormWriter *w, JsonbValue *elements, int n)
{
	Datum	   *datums = palloc0(sizeof(Datum) * n);
	bool	   *nulls = palloc0(sizeof(bool) * n);
	int			lbound = 1;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = elements[i].type == jbvNull;
		if (!nulls[i])
			datums[i] = BoolGetDatum(elements[i].val.boolean);
	}
	corm_write_value(w, BOOLARRAYOID, -1, false,
					 PointerGetDatum(construct_md_array(datums, nulls, 1, &n, &lbound, BOOLOID,
														1, true, TYPALIGN_CHAR)));
}

/*
 * corm_filter_list writes a list.  If compared, as for in and not_in, all
 * elements except nulls must be of one kind, which the list keeps.  Else, as
 * for overlaps, they take the type of the field's elements.  Raises OR020
 * unless v is an array of scalars.
 */
void
corm_filter_list(CormWriter *w, JsonbValue *v, const char *op, bool compared)
{
	JsonbValue *elements;
	enum jbvType kind = jbvNull;
	int			n;

	if (!corm_json_is_array(v))
		corm_bad_filter(psprintf("\"%s\" takes an array.", op));
	elements = corm_json_members(v->val.binary.data, &n);
	for (int i = 0; i < n; i++)
	{
		if (elements[i].type == jbvNull)
			continue;
		if (elements[i].type != jbvString && elements[i].type != jbvNumeric && elements[i].type != jbvBool)
			corm_bad_filter(psprintf("The elements of \"%s\" must be single values.", op));
		if (compared && kind != jbvNull && elements[i].type != kind)
			corm_bad_filter(psprintf("The elements of \"%s\" must be of one kind.", op));
		kind = elements[i].type;
	}
	if (compared && kind == jbvNumeric)
		write_numbers(w, elements, n);
	else if (compared && kind == jbvBool)
		write_booleans(w, elements, n);
	else
		write_texts(w, elements, n);
}
