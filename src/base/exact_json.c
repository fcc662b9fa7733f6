/*-------------------------------------------------------------------------
 *
 * exact_json.c
 *		JSON whose numbers every client reads exactly: corm.json_bigint.
 *
 * JavaScript and others read a number of JSON as a double, which holds integers up to
 * 2^53.  corm.exact_json() is to_json(), but values of type bigint and numeric are
 * strings, also in rows and arrays.  It depends on the type alone, so that a field is
 * always of one kind.  Documents of type json and jsonb are left as they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "base/exact_json.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_exact_json);

static void append_value(StringInfo buf, Oid typid, Datum value, bool isnull);

/* Appends a value as to_json() of its type writes it. */
static void
append_plain(StringInfo buf, Oid typid, Datum value)
{
	FmgrInfo	flinfo;

	/* to_json() gets the type of its argument from the call expression */
	fmgr_info(F_TO_JSON, &flinfo);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSON, JSONOID, list_make1(makeNullConst(typid, -1, InvalidOid)),
											 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL), &flinfo);
	appendStringInfoString(buf, TextDatumGetCString(FunctionCall1(&flinfo, value)));
}

/* Appends a row as an object. */
static void
append_row(StringInfo buf, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header),.t_data = header};
	const char *separator = "";

	appendStringInfoChar(buf, '{');
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);
		bool		isnull;
		Datum		field;

		if (att->attisdropped)
			continue;
		appendStringInfoString(buf, separator);
		separator = ",";
		escape_json(buf, NameStr(att->attname));
		appendStringInfoChar(buf, ':');
		field = heap_getattr(&tuple, i + 1, tupdesc, &isnull);
		append_value(buf, att->atttypid, field, isnull);
	}
	appendStringInfoChar(buf, '}');
	ReleaseTupleDesc(tupdesc);
}

/* Appends the elements of one dimension of an array; *next is the first of them. */
static void
append_dimension(StringInfo buf, Oid element, int ndims, const int *dims, const Datum *values, const bool *nulls,
				 int *next)
{
	appendStringInfoChar(buf, '[');
	for (int i = 0; i < dims[0]; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(buf, ',');
		if (ndims > 1)
			append_dimension(buf, element, ndims - 1, dims + 1, values, nulls, next);
		else
		{
			append_value(buf, element, values[*next], nulls[*next]);
			(*next)++;
		}
	}
	appendStringInfoChar(buf, ']');
}

static void
append_array(StringInfo buf, Oid element, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int			next = 0;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (ARR_NDIM(array) == 0)
	{
		appendStringInfoString(buf, "[]");
		return;
	}
	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	deconstruct_array(array, element, typlen, typbyval, typalign, &values, &nulls, &n);
	append_dimension(buf, element, ARR_NDIM(array), ARR_DIMS(array), values, nulls, &next);
}

/* Appends a value of any type as JSON. */
static void
append_value(StringInfo buf, Oid typid, Datum value, bool isnull)
{
	Oid			base = getBaseType(typid);

	check_stack_depth();
	if (isnull)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	switch (base)
	{
		case INT8OID:
			appendStringInfo(buf, "\"" INT64_FORMAT "\"", DatumGetInt64(value));
			break;
		case NUMERICOID:
			appendStringInfo(buf, "\"%s\"", DatumGetCString(DirectFunctionCall1(numeric_out, value)));
			break;
		case INT4OID:
			appendStringInfo(buf, "%d", DatumGetInt32(value));
			break;
		case BOOLOID:
			appendStringInfoString(buf, DatumGetBool(value) ? "true" : "false");
			break;
		case TEXTOID:
		case VARCHAROID:
			escape_json(buf, TextDatumGetCString(value));
			break;
		case JSONOID:
			appendStringInfoString(buf, TextDatumGetCString(value));
			break;
		default:
			if (type_is_array(base))
				append_array(buf, get_element_type(base), value);
			else if (type_is_rowtype(base))
				append_row(buf, value);
			else
				append_plain(buf, base, value);
	}
}

/*
 * corm_exact_jsonb returns a value, which is not null, as corm.exact_json() writes it, in
 * the current context.
 */
Jsonb *
corm_exact_jsonb(Oid typid, Datum value)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_value(&buf, typid, value, false);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}

/*
 * corm_exact_json(value): to_json() with strings for bigint and numeric.
 */
Datum
corm_exact_json(PG_FUNCTION_ARGS)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);
	StringInfoData buf;

	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the value")));
	initStringInfo(&buf);
	append_value(&buf, typid, PG_GETARG_DATUM(0), false);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}
