/*-------------------------------------------------------------------------
 *
 * json_value.c
 *		Converting field values from and to JSON.
 *
 * PostgreSQL converts the fields of JSON rows, in jsonb_to_recordset(), and raises an
 * error that does not say where: with twenty fields and a thousand rows, "invalid input
 * syntax for type integer" is of little use.  So every value is first converted here, as
 * PostgreSQL will convert it, under an error context that names the field and the row,
 * and the result is thrown away.  Texts and integers, which always convert, are not
 * tried.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/transam.h"
#include "base/compat.h"
#include "base/exact_json.h"
#include "base/jsonb.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "exec/rows/row_fields.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/model.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/syscache.h"

/*
 * Turns a value of one of the most common types into what to_jsonb() makes of it.
 * Returns false for other types.
 */
static bool
common_value(Oid typid, Datum value, JsonbValue *json)
{
	char	   *string;

	switch (typid)
	{
		case BOOLOID:
			json->type = jbvBool;
			json->val.boolean = DatumGetBool(value);
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(typid == INT2OID ? DatumGetInt16(value) :
												 typid == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value));
			return true;
		case NUMERICOID:
			json->val.numeric = DatumGetNumeric(value);
			if (numeric_is_nan(json->val.numeric) || numeric_is_inf(json->val.numeric))
				return false;
			json->type = jbvNumeric;
			return true;
		case FLOAT8OID:
			if (isnan(DatumGetFloat8(value)) || isinf(DatumGetFloat8(value)))
				return false;
			string = DatumGetCString(DirectFunctionCall1(float8out, value));
			json->type = jbvNumeric;
			json->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(string),
																	ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
			return true;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			string = JsonEncodeDateTime(NULL, value, typid, NULL);
			break;
		case TEXTOID:
		case VARCHAROID:
			string = TextDatumGetCString(value);
			break;
		default:
			return false;
	}
	json->type = jbvString;
	json->val.string.val = string;
	json->val.string.len = strlen(string);
	return true;
}

/*
 * corm_push_value pushes a value as JSON, by to_jsonb() of its type, or as
 * corm.json_bigint says.
 */
void
corm_push_value(JsonbParseState **state, JsonbIteratorToken token, Oid typid, Datum value)
{
	Jsonb	   *json;
	JsonbValue	element;

	if (corm_json_is_exact())
		json = corm_exact_jsonb(typid, value);
	else if (common_value(typid, value, &element))
	{
		pushJsonbValue(state, token, &element);
		return;
	}
	else
	{
		CormToJsonb to_jsonb;

		corm_to_jsonb_init(&to_jsonb, typid);
		json = corm_to_jsonb(&to_jsonb, value);
	}
	if (JB_ROOT_IS_SCALAR(json))
		(void) JsonbExtractScalar(&json->root, &element);
	else
	{
		element.type = jbvBinary;
		element.val.binary.data = &json->root;
		element.val.binary.len = VARSIZE(json) - VARHDRSZ;
	}
	pushJsonbValue(state, token, &element);
}

/*
 * corm_row_to_json returns a row as a JSON object with the model's keys.  If it is for
 * writing, fields that an insert would not give are left out.  The row must have the
 * model's layout.
 */
Jsonb *
corm_row_to_json(CormModel *model, Datum row, bool writing)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	TupleDesc	tupdesc = model->tupdesc;
	HeapTupleData tuple = {0};
	JsonbParseState *state = NULL;

	tuple.t_data = header;
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];
		bool		isnull;
		Datum		value = heap_getattr(&tuple, field->rownum, tupdesc, &isnull);
		JsonbValue	null = {.type = jbvNull};

		if (writing && !corm_field_is_written(model, i, true, isnull))
			continue;
		corm_json_key(&state, field->json_key);
		if (isnull)
			pushJsonbValue(&state, WJB_VALUE, &null);
		else
			corm_push_value(&state, WJB_VALUE, TupleDescAttr(tupdesc, field->rownum - 1)->atttypid, value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * corm_json_text returns the text that PostgreSQL gives to the input function
 * of a type for a value of JSON, which is not null, in the current context.
 */
char *
corm_json_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
	}
}

/*
 * Returns the same for a value of a field, whose type is based on a given one.  A string
 * keeps its quotes in a field of type json or jsonb: "12" is not the number 12 there.
 */
static char *
input_text(Oid base, JsonbValue *value)
{
	Jsonb	   *json;

	if (value->type != jbvString || (base != JSONOID && base != JSONBOID))
		return corm_json_text(value);
	json = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/* How the values of a field are converted. */
typedef enum CheckKind
{
	CHECK_UNKNOWN,				/* not looked at yet */
	CHECK_NEVER,				/* accepts any value */
	CHECK_INPUT,				/* by the type's input function */
	CHECK_POPULATE				/* arrays and rows: by jsonb_populate_record() */
} CheckKind;

typedef struct FieldCheck
{
	CheckKind	kind;
	Oid			basetype;		/* of the field's type */
	FmgrInfo	function;
	Oid			ioparam;
	Datum		base;			/* CHECK_POPULATE: a row of this field alone,
								 * NULL */
} FieldCheck;

struct CormJsonCheck
{
	const CormExec *exec;		/* the operation that the values are for */
	CormModel  *model;			/* its model */
	MemoryContext context;		/* for the life of the check */
	MemoryContext scratch;		/* for one value */
	ErrorContextCallback callback;
	CormField  *field;			/* being converted */
	int			row;			/* its number, from 1; 0: there is only one */
	FieldCheck	fields[FLEXIBLE_ARRAY_MEMBER];
};

static void
check_error_context(void *arg)
{
	CormJsonCheck *check = arg;

	if (check->field == NULL)
		return;
	if (check->row > 0)
		errcontext("value for field \"%s\" of model \"%s\", row %d",
				   check->field->name, check->model->name, check->row);
	else
		errcontext("value for field \"%s\" of model \"%s\"", check->field->name, check->model->name);
}

/*
 * corm_json_check_begin prepares to check the rows of an operation, in the current
 * memory context, and pushes the error context; corm_json_check_end pops it.
 */
CormJsonCheck *
corm_json_check_begin(const CormExec *exec)
{
	CormModel  *model = exec->model;
	CormJsonCheck *check = palloc0(offsetof(CormJsonCheck, fields) + sizeof(FieldCheck) * model->nfields);

	check->exec = exec;
	check->model = model;
	check->context = CurrentMemoryContext;
	check->scratch = AllocSetContextCreate(CurrentMemoryContext, "corm JSON value", ALLOCSET_SMALL_SIZES);
	check->callback.callback = check_error_context;
	check->callback.arg = check;
	check->callback.previous = error_context_stack;
	error_context_stack = &check->callback;
	return check;
}

void
corm_json_check_end(CormJsonCheck *check)
{
	error_context_stack = check->callback.previous;
	MemoryContextDelete(check->scratch);
}

/*
 * Determines how the values of a field are converted.  The state for that is allocated
 * in the context of the check.
 */
static void
init_field(CormJsonCheck *check, FieldCheck *fc, CormField *field)
{
	Oid			base = getBaseType(field->typid);
	MemoryContext oldcontext = MemoryContextSwitchTo(check->context);

	fc->basetype = base;
	if (OidIsValid(get_element_type(base)) || type_is_rowtype(base))
	{
		TupleDesc	tupdesc = CreateTemplateTupleDesc(1);
		Datum		value = (Datum) 0;
		bool		isnull = true;

		TupleDescInitEntry(tupdesc, 1, field->column, field->typid, field->typmod, 0);
		BlessTupleDesc(tupdesc);
		fc->base = HeapTupleGetDatum(heap_form_tuple(tupdesc, &value, &isnull));
		fmgr_info(F_JSONB_POPULATE_RECORD, &fc->function);
		fmgr_info_set_expr((Node *) makeFuncExpr(F_JSONB_POPULATE_RECORD, RECORDOID,
												 list_make2(makeNullConst(RECORDOID, -1, InvalidOid),
															makeNullConst(JSONBOID, -1, InvalidOid)),
												 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL),
						   &fc->function);
		fc->kind = CHECK_POPULATE;
	}
	else if (field->typid == TEXTOID || field->typid == JSONBOID || field->typid == JSONOID ||
			 (field->typid == VARCHAROID && field->typmod == -1))
		fc->kind = CHECK_NEVER;
	else
	{
		Oid			input;

		getTypeInputInfo(field->typid, &input, &fc->ioparam);
		fmgr_info(input, &fc->function);
		fc->kind = CHECK_INPUT;
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Can a value surely be converted?  This does not try the conversion.  Most values are
 * texts and integers, so their check is almost free.
 */
static bool
surely_converts(CheckKind kind, const CormField *field, const JsonbValue *value)
{
	Numeric		number;
	int32		integer;
	bool		too_large = false;

	if (kind == CHECK_NEVER)
		return true;
	if (value->type == jbvBool)
		return field->typid == BOOLOID;
	if (value->type != jbvNumeric)
		return false;
	number = value->val.numeric;
	switch (field->typid)
	{
		case NUMERICOID:
			return field->typmod == -1;
		case INT2OID:
		case INT4OID:
		case INT8OID:

			/*
			 * PostgreSQL does not accept 1.0 as an integer, because its text
			 * is not one
			 */
			if (DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(number))) != 0)
				return false;
			integer = numeric_int4_opt_error(number, &too_large);
			return !too_large &&
				(field->typid != INT2OID || (integer >= PG_INT16_MIN && integer <= PG_INT16_MAX));
		case FLOAT4OID:
		case FLOAT8OID:
			/* a fraction of more digits may be too small */
			if (DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(number))) > 30)
				return false;
			(void) numeric_int4_opt_error(number, &too_large);
			return !too_large;
		default:
			return false;
	}
}

/* Returns the value as a row with only that field. */
static HeapTupleHeader
populate(FieldCheck *fc, CormField *field, JsonbValue *value)
{
	LOCAL_FCINFO(fcinfo, 2);
	JsonbParseState *state = NULL;
	JsonbValue	key;
	Jsonb	   *object;

	key.type = jbvString;
	key.val.string.val = field->column;
	key.val.string.len = strlen(field->column);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, value);
	object = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));

	InitFunctionCallInfoData(*fcinfo, &fc->function, 2, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = fc->base;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = JsonbPGetDatum(object);
	fcinfo->args[1].isnull = false;
	return DatumGetHeapTupleHeader(FunctionCallInvoke(fcinfo));
}

/*
 * corm_json_check_value raises PostgreSQL's error if a value does not convert to the
 * type of a field of the model; row is what the error calls the row, or 0.  Raises
 * 55006 if the conversion has changed the model.
 */
void
corm_json_check_value(CormJsonCheck *check, int fieldno, int row, JsonbValue *value)
{
	FieldCheck *fc = &check->fields[fieldno];
	CormField  *field = &check->model->fields[fieldno];
	MemoryContext oldcontext;

	if (value->type == jbvNull)
		return;
	if (fc->kind == CHECK_UNKNOWN)
		init_field(check, fc, field);
	if (surely_converts(fc->kind, field, value))
		return;

	check->field = field;
	check->row = row;
	oldcontext = MemoryContextSwitchTo(check->scratch);
	if (fc->kind == CHECK_INPUT)
		(void) InputFunctionCall(&fc->function, input_text(fc->basetype, value), fc->ioparam, field->typmod);
	else
		(void) populate(fc, field, value);
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(check->scratch);
	check->field = NULL;
	corm_exec_check(check->exec);
}

/*
 * corm_json_convert converts a JSON value, which is not null, to a field's type, in the
 * current context.  If that fails, it raises PostgreSQL's error, with model and field.
 * Raises 22004 if the result is NULL.
 */
Datum
corm_json_convert(CormModel *model, int fieldno, JsonbValue *value)
{
	CormField  *field = &model->fields[fieldno];
	CormJsonCheck check = {.model = model, .context = CurrentMemoryContext, .field = field};
	FieldCheck	fc = {0};
	Datum		result;
	bool		isnull = false;

	check.callback.callback = check_error_context;
	check.callback.arg = &check;
	check.callback.previous = error_context_stack;
	error_context_stack = &check.callback;

	init_field(&check, &fc, field);
	if (fc.kind == CHECK_POPULATE)
		result = GetAttributeByNum(populate(&fc, field, value), 1, &isnull);
	else
	{
		Oid			base = fc.basetype;
		JsonbValue	number;
		Oid			input;
		Oid			ioparam;

		/* 3.0 is the integer 3 in JSON */
		if (value->type == jbvNumeric && (base == INT2OID || base == INT4OID || base == INT8OID))
		{
			number.type = jbvNumeric;
			number.val.numeric = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale,
																	 NumericGetDatum(value->val.numeric)));
			value = &number;
		}
		getTypeInputInfo(field->typid, &input, &ioparam);
		result = OidInputFunctionCall(input, input_text(base, value), ioparam, field->typmod);
	}
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("value becomes null")));
	error_context_stack = check.callback.previous;
	return result;
}

/* Returns the name of a type without its schema, or an empty string if it no longer exists. */
static char *
type_name(Oid typid)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
	char	   *name = "";

	if (HeapTupleIsValid(tuple))
	{
		name = pstrdup(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname));
		ReleaseSysCache(tuple);
	}
	return name;
}

/* Appends one side of a pair in the text form of hstore. */
static void
append_hstore(StringInfo buf, const char *string, int len)
{
	appendStringInfoChar(buf, '"');
	for (int i = 0; i < len; i++)
	{
		if (string[i] == '"' || string[i] == '\\')
			appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, string[i]);
	}
	appendStringInfoChar(buf, '"');
}

/*
 * corm_json_as_hstore converts an object that is given for a field of type hstore to a
 * string in the text form of that type, and returns true.  Returns false if the field
 * is of another type or the value is already a string.  Raises 22P02 for an array.
 */
bool
corm_json_as_hstore(const CormField *field, JsonbValue *value)
{
	StringInfoData buf;
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	Oid			typid;
	Oid			extension;

	if (value->type != jbvBinary || field->typid < FirstNormalObjectId)
		return false;
	typid = getBaseType(field->typid);
	/* check the name first: finding the extension needs a pg_depend lookup */
	if (strcmp(type_name(typid), "hstore") != 0)
		return false;
	extension = getExtensionOfObject(TypeRelationId, typid);
	if (!OidIsValid(extension) || extension != get_extension_oid("hstore", true))
		return false;
	if (!JsonContainerIsObject(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("a JSON array is not a value of type hstore"),
				 errdetail("It is given for field \"%s\".", field->name)));

	initStringInfo(&buf);
	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) == WJB_KEY)
	{
		char	   *text;

		CHECK_FOR_INTERRUPTS();
		if (buf.len > 0)
			appendStringInfoString(&buf, ", ");
		append_hstore(&buf, v.val.string.val, v.val.string.len);
		appendStringInfoString(&buf, "=>");
		(void) JsonbIteratorNext(&it, &v, true);
		if (v.type == jbvNull)
		{
			appendStringInfoString(&buf, "NULL");
			continue;
		}
		text = corm_json_text(&v);

		append_hstore(&buf, text, strlen(text));
	}
	value->type = jbvString;
	value->val.string.val = buf.data;
	value->val.string.len = buf.len;
	return true;
}
