/*-------------------------------------------------------------------------
 *
 * bind.c
 *		Bound values as the parameters of a plan.
 *
 * A typed value is passed as it is.  A value given as text is converted to the type
 * that PostgreSQL inferred for the parameter, by that type's input function.  The
 * CONTEXT of an input error names the model and the field.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/pg_type.h"
#include "exec/plan/bind.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/rows/in_progress.h"
#include "exec/rows/json_value.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/*
 * corm_value_copy copies a value and its datum into a context.  Returns NULL for NULL.
 */
CormValue *
corm_value_copy(const CormValue *value, MemoryContext context)
{
	CormValue  *copy;
	char	   *data;

	if (value == NULL)
		return NULL;
	copy = MemoryContextAlloc(context, sizeof(CormValue));
	data = MemoryContextAlloc(context, value->len);
	memcpy(data, value->data, value->len);
	*copy = *value;
	copy->data = data;
	return copy;
}

/*
 * corm_bind_prepare fills params, an array of as many elements as deparsed has, from
 * the inferred types of the parameters and the types of the bound values.  Its data is
 * allocated in context.
 */
void
corm_bind_prepare(CormPlanParam *params, const CormDeparsed *deparsed,
				  const Oid *types, MemoryContext context, const Oid *value_types)
{
	for (int i = 0; i < deparsed->nparams; i++)
	{
		const CormParam *source = &deparsed->params[i];
		CormPlanParam *param = &params[i];
		Oid			value_type = source->constant ? source->constant->typid : value_types[source->valno];
		Oid			typinput;

		param->valno = source->valno;
		param->constant = corm_value_copy(source->constant, context);
		param->typid = types[i];
		param->form = source->form;
		param->value_type = value_type;
		param->model = source->model ? MemoryContextStrdup(context, source->model) : NULL;
		param->field = source->field ? MemoryContextStrdup(context, source->field) : NULL;
		param->from_filter = source->from_filter;
		param->null_test = source->null_test;

		if (source->form == CORM_PARAM_JSON && corm_is_range_type(getBaseType(param->typid)))
		{
			param->binding = CORM_BIND_RANGE;
			getTypeInputInfo(param->typid, &typinput, &param->ioparam);
			fmgr_info_cxt(typinput, &param->input, context);
		}
		else if (source->form == CORM_PARAM_JSON)
		{
			param->binding = CORM_BIND_JSON;
			param->element_type = get_base_element_type(param->typid);
			if (OidIsValid(param->element_type))
			{
				getTypeInputInfo(param->element_type, &typinput, &param->ioparam);
				fmgr_info_cxt(typinput, &param->input, context);
			}
		}
		else if (source->form == CORM_PARAM_ARRAYS)
		{
			param->binding = CORM_BIND_ARRAYS;
			getTypeInputInfo(source->listed, &typinput, &param->ioparam);
			fmgr_info_cxt(typinput, &param->input, context);
		}
		else if (source->form != CORM_PARAM_PLAIN)
			param->binding = CORM_BIND_PATTERN;
		else if (value_type == UNKNOWNOID && param->typid != TEXTOID && param->typid != VARCHAROID)
		{
			param->binding = CORM_BIND_INPUT;
			getTypeInputInfo(param->typid, &typinput, &param->ioparam);
			fmgr_info_cxt(typinput, &param->input, context);
		}
		else if (value_type == TEXTARRAYOID && param->typid != TEXTARRAYOID)
		{
			Oid			element = get_base_element_type(param->typid);

			if (!OidIsValid(element))
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("an array was given where a value of type %s is expected",
								format_type_be(param->typid))));
			param->binding = CORM_BIND_ARRAY_INPUT;
			param->element_type = element;
			getTypeInputInfo(element, &typinput, &param->ioparam);
			fmgr_info_cxt(typinput, &param->input, context);
		}
		else if (source->from_filter && value_type != param->typid &&
				 (param->typid == FLOAT4OID || param->typid == FLOAT4ARRAYOID))
		{
			param->binding = CORM_BIND_REAL;
			getTypeInputInfo(param->typid, &typinput, &param->ioparam);
			fmgr_info_cxt(typinput, &param->input, context);
		}
		else
			param->binding = CORM_BIND_PLAIN;

		if (value_type == UNKNOWNOID)
		{
			param->typlen = -1; /* stored as text */
			param->typbyval = false;
		}
		else
			get_typlenbyval(value_type, &param->typlen, &param->typbyval);
	}
}

/* refuse_filter raises OR020 for a value of a filter. */
static void refuse_filter(const char *detail) pg_attribute_noreturn();

static void
refuse_filter(const char *detail)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_FILTER),
			 errmsg("invalid filter"),
			 errdetail_internal("%s", detail)));
}

/* A value that is being converted. */
typedef struct BindContext
{
	const CormPlanParam *param;
	Datum		value;
	const char *element;		/* of a list of arrays, being tried */
} BindContext;

/* Is it an element where an array was to be given? */
static bool
is_lone_element(const BindContext *context)
{
	const CormPlanParam *param = context->param;
	const char *string = context->element;

	if (param->from_filter || geterrcode() != ERRCODE_INVALID_TEXT_REPRESENTATION)
		return false;
	if (string == NULL && (param->binding != CORM_BIND_INPUT || !type_is_array(getBaseType(param->typid))))
		return false;
	if (string == NULL)
		string = TextDatumGetCString(context->value);
	string += strspn(string, " \t\n\r\f\v");
	return *string != '{' && *string != '[';
}

static void
bind_error_context(void *arg)
{
	const BindContext *context = arg;
	const CormPlanParam *param = context->param;

	if (is_lone_element(context))
		errhint("To find the rows whose array has this element, use corm.any_of(), or corm.overlaps() with a list of elements.");
	if (param->field)
		errcontext("value for field \"%s\" of model \"%s\"", param->field, param->model);
}

/*
 * Converts the elements of a text[] with the input function of another type.
 */
static Datum
convert_array(CormPlanParam *param, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			elems[i] = InputFunctionCall(&param->input, TextDatumGetCString(elems[i]),
										 param->ioparam, -1);
	get_typlenbyvalalign(param->element_type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(elems, nulls, ARR_NDIM(array), ARR_DIMS(array),
											  ARR_LBOUND(array), param->element_type,
											  typlen, typbyval, typalign));
}

/* Returns a value as text. */
static char *
value_text(CormPlanParam *param, Datum value)
{
	Oid			typoutput;
	bool		is_varlena;

	if (param->value_type == UNKNOWNOID || param->value_type == TEXTOID)
		return TextDatumGetCString(value);
	getTypeOutputInfo(param->value_type, &typoutput, &is_varlena);
	return OidOutputFunctionCall(typoutput, value);
}

/*
 * Makes a LIKE pattern that matches the text literally.
 */
static text *
make_pattern(CormParamForm form, const char *str)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (form != CORM_PARAM_STARTS)
		appendStringInfoChar(&buf, '%');
	for (const char *p = str; *p; p++)
	{
		if (*p == '%' || *p == '_' || *p == '\\')
			appendStringInfoChar(&buf, '\\');
		appendStringInfoChar(&buf, *p);
	}
	if (form != CORM_PARAM_ENDS)
		appendStringInfoChar(&buf, '%');
	return cstring_to_text_with_len(buf.data, buf.len);
}

PG_FUNCTION_INFO_V1(corm_like_pattern);

/*
 * corm_like_pattern(value, form): a pattern as contains, starts_with and ends_with make
 * it, for values that are not known when a statement is planned (exec/inline).  Raises
 * 22023 for another form.
 */
Datum
corm_like_pattern(PG_FUNCTION_ARGS)
{
	char	   *form = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (strcmp(form, "contains") != 0 && strcmp(form, "starts_with") != 0 && strcmp(form, "ends_with") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized form of a pattern: \"%s\"", form),
				 errhint("Forms are contains, starts_with and ends_with.")));
	PG_RETURN_TEXT_P(make_pattern(form[0] == 'c' ? CORM_PARAM_CONTAINS : form[0] == 's' ? CORM_PARAM_STARTS : CORM_PARAM_ENDS,
								  text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

/*
 * Returns a value as a JSON array: the value itself if it is an array, else an array of
 * that one element.
 */
static Jsonb *
json_array_of(CormPlanParam *param, Datum value)
{
	JsonbParseState *state = NULL;

	if (param->value_type == JSONBOID)
	{
		Jsonb	   *json = DatumGetJsonbP(value);

		if (JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json))
			return json;
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	corm_push_value(&state, WJB_ELEM, param->value_type == UNKNOWNOID ? TEXTOID : param->value_type, value);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * The value for a containment test: a document, or an array of the field's own type.
 */
static Datum
convert_json(CormPlanParam *param, Datum value)
{
	ArrayBuildState *elements;
	Jsonb	   *array;
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;

	if (!OidIsValid(param->element_type))
	{
		if (param->value_type == JSONBOID)
			return value;
		array = json_array_of(param, value);
		return JsonbPGetDatum(JsonbValueToJsonb(getIthJsonbValueFromContainer(&array->root, 0)));
	}

	array = json_array_of(param, value);
	it = JsonbIteratorInit(&array->root);
	elements = initArrayResult(param->element_type, CurrentMemoryContext, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		if (v.type == jbvBinary && param->element_type != JSONBOID && param->element_type != JSONOID)
			refuse_filter("The elements of \"contains\" must be single values.");
		elements = accumArrayResult(elements,
									v.type == jbvNull ? (Datum) 0 :
									InputFunctionCall(&param->input, corm_json_text(&v), param->ioparam, -1),
									v.type == jbvNull, param->element_type, CurrentMemoryContext);
	}
	return makeArrayResult(elements, CurrentMemoryContext);
}

/*
 * The value for a containment test of a range: another range as text, or an element,
 * which is converted to the range of just that element.
 */
static Datum
convert_range(CormPlanParam *param, Datum value)
{
	char	   *str = value_text(param, value);
	char	   *start = str + strspn(str, " \t\n\r\f\v");
	StringInfoData buf;

	initStringInfo(&buf);
	if (*start == '{' || *start == '[' || *start == '(' || pg_strcasecmp(start, "empty") == 0)
		appendStringInfoString(&buf, start);
	else
	{
		appendStringInfoString(&buf, "[\"");
		for (char *c = str; *c; c++)
		{
			if (*c == '"' || *c == '\\')
				appendStringInfoChar(&buf, '\\');
			appendStringInfoChar(&buf, *c);
		}
		/* lower and upper bound are the same */
		appendStringInfo(&buf, "\",%s\"]", pstrdup(buf.data + 1));
	}
	if (*start != '{' && type_is_multirange(getBaseType(param->typid)))
	{
		str = psprintf("{%s}", buf.data);
		return InputFunctionCall(&param->input, str, param->ioparam, -1);
	}
	return InputFunctionCall(&param->input, buf.data, param->ioparam, -1);
}

/* Converts a number, or an array of numbers, to real. */
static Datum
convert_real(CormPlanParam *param, Datum value)
{
	char	   *str = value_text(param, value);

	return InputFunctionCall(&param->input, str, param->ioparam, -1);
}

/*
 * A list of arrays as an array of their texts.  Each is tried, since an error of the
 * statement that reads it would not name the field.
 */
static Datum
try_arrays(CormPlanParam *param, Datum value, BindContext *context)
{
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	if (param->value_type == UNKNOWNOID)
		value = OidInputFunctionCall(F_ARRAY_IN, TextDatumGetCString(value), TEXTOID, -1);
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		context->element = TextDatumGetCString(elems[i]);
		(void) InputFunctionCall(&param->input, unconstify(char *, context->element), param->ioparam, -1);
	}
	return value;
}

/*
 * Converts a value to the type of its parameter, in the current context.  Raises the error
 * of the input function.
 */
static Datum
convert_value(CormPlanParam *param, Datum value, BindContext *context)
{
	switch (param->binding)
	{
		case CORM_BIND_PLAIN:
			break;
		case CORM_BIND_INPUT:
			value = InputFunctionCall(&param->input, TextDatumGetCString(value),
									  param->ioparam, -1);
			break;
		case CORM_BIND_ARRAY_INPUT:
			value = convert_array(param, value);
			break;
		case CORM_BIND_PATTERN:
			value = PointerGetDatum(make_pattern(param->form, value_text(param, value)));
			break;
		case CORM_BIND_JSON:
			value = convert_json(param, value);
			break;
		case CORM_BIND_RANGE:
			value = convert_range(param, value);
			break;
		case CORM_BIND_REAL:
			value = convert_real(param, value);
			break;
		case CORM_BIND_ARRAYS:
			value = try_arrays(param, value, context);
			break;
	}
	return value;
}

/*
 * check_json_path raises OR020 for a path whose use would raise an error for some rows: one with a variable, which has no
 * value here, or with a method for dates and times, which may need a time zone.  In its text, names of keys, strings and
 * variables are in quotes.
 */
static void
check_json_path(char *path)
{
	static const char *const methods[] = {".datetime(", ".date(", ".time(", ".time_tz(", ".timestamp(", ".timestamp_tz("};
	bool		quoted = false;

	for (char *at = path; *at; at++)
	{
		if (quoted && *at == '\\')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (*at == '$' && at[1] == '"')
			refuse_filter("The path has a variable, which has no value.");
		else
		{
			for (int i = 0; i < lengthof(methods); i++)
				if (strncmp(at, methods[i], strlen(methods[i])) == 0)
					refuse_filter("The path has a method for dates and times.");
		}
	}
}

/*
 * If a type rejects a filter value, the error is of class 22, as for a field's value,
 * or OR020.  A name that does not exist, a domain constraint violation or a query that
 * cannot be parsed are mistakes of the client too, and must not look like server
 * errors.
 */
static Datum
convert_filter_value(CormPlanParam *param, Datum value, BindContext *bind)
{
	MemoryContext context = CurrentMemoryContext;
	volatile Datum result = (Datum) 0;

	PG_TRY();
	{
		result = convert_value(param, value, bind);
		if (getBaseType(param->typid) == JSONPATHOID)
			check_json_path(DatumGetCString(DirectFunctionCall1(jsonpath_out, result)));
	}
	PG_CATCH();
	{
		int			category = ERRCODE_TO_CATEGORY(geterrcode());

		if (geterrcode() != ERRCODE_INSUFFICIENT_PRIVILEGE &&
			(category == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
			 category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
			 category == ERRCODE_INVALID_SCHEMA_NAME || category == ERRCODE_FEATURE_NOT_SUPPORTED ||
			 category == ERRCODE_PROGRAM_LIMIT_EXCEEDED))
		{
			ErrorData  *error;

			MemoryContextSwitchTo(context);
			error = CopyErrorData();
			FlushErrorState();
			refuse_filter(error->message);
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	return result;
}

static Datum
convert(CormPlanParam *param, Datum value)
{
	BindContext context = {.param = param,.value = value};
	ErrorContextCallback errcallback;

	errcallback.callback = bind_error_context;
	errcallback.arg = &context;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;
	value = param->from_filter ? convert_filter_value(param, value, &context) : convert_value(param, value, &context);
	error_context_stack = errcallback.previous;
	return value;
}

/*
 * corm_bind_value makes one parameter of a plan from its bound value, in the
 * current context; a by-reference datum may point into the query value.  Raises
 * XX001 if the value does not match the plan.
 */
Datum
corm_bind_value(CormPlanParam *param, const CormValue *value)
{
	Datum		datum;

	if (value->typid != param->value_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid binary value of type corm.query")));
	datum = corm_value_datum(value, param->typlen, param->typbyval);
	return param->binding != CORM_BIND_PLAIN ? convert(param, datum) : datum;
}

/*
 * corm_param_value returns the value that a parameter of a plan stands for: one of the
 * queries' bound values, or one that is stored with the plan.  Raises XX001 if a corrupt
 * query has fewer values than its plan.
 */
const CormValue *
corm_param_value(const CormPlanParam *param, const CormQuerySet *set)
{
	if (param->constant)
		return param->constant;
	if (param->valno >= set->nvalues)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid binary value of type corm.query")));
	return &set->values[param->valno];
}

/*
 * corm_bind_values makes the parameters of a plan from the bound values of its queries,
 * in the current context; by-reference datums may point into the query values.  The
 * values must match the shape under which the plan was found; in a corrupt query they
 * may not.
 */
ParamListInfo
corm_bind_values(CormPlan *plan, const CormQuerySet *set)
{
	ParamListInfo list;

	CORM_FAULT("bind-values");
	if (plan->nparams == 0)
		return NULL;
	list = makeParamList(plan->nparams);
	for (int i = 0; i < plan->nparams; i++)
	{
		CormPlanParam *param = &plan->params[i];
		ParamExternData *data = &list->params[i];

		data->ptype = param->typid;
		data->pflags = PARAM_FLAG_CONST;
		data->isnull = false;
		data->value = corm_bind_value(param, corm_param_value(param, set));
	}
	return list;
}

/*
 * corm_bind_record does the same for the fields of a record.  Raises 55006 if the plan
 * was not made for the record's operation.
 */
ParamListInfo
corm_bind_record(CormPlan *plan, const CormExec *exec, const Datum *values, const bool *nulls)
{
	ParamListInfo list;
	bool		converted = false;

	CORM_FAULT("bind-record");
	corm_exec_check_plan(exec, plan);
	if (plan->nparams == 0)
		return NULL;
	list = makeParamList(plan->nparams);
	for (int i = 0; i < plan->nparams; i++)
	{
		CormPlanParam *param = &plan->params[i];
		ParamExternData *data = &list->params[i];

		data->ptype = param->typid;
		data->pflags = PARAM_FLAG_CONST;
		data->isnull = nulls[param->valno];
		data->value = data->isnull ? (Datum) 0 : values[param->valno];
		if (!data->isnull && param->binding != CORM_BIND_PLAIN)
		{
			data->value = convert(param, data->value);
			converted = true;
		}
	}
	if (converted)
		corm_exec_check(exec);
	return list;
}
