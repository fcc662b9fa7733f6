/*-------------------------------------------------------------------------
 *
 * reflect.c
 *		Fields of any row by name: get_field, get_field_as, set_field and
 *		iterate_fields.
 *
 * The row may be of any type: a model, a composite type without a table, or
 * an anonymous record, whose attribute names are its field names.  What a
 * call site has worked out (the attribute, the conversion) stays with its
 * FmgrInfo, and is used again while the row type, the field's name and the
 * model's generation are the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/jsonb.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "model/cast.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* A row that was given as an argument. */
typedef struct Row
{
	Oid			argtype;		/* as declared, perhaps a domain */
	Oid			typid;			/* composite, or RECORDOID */
	int32		typmod;			/* tells anonymous records apart */
	HeapTupleHeader header;		/* NULL: a null row */
} Row;

/* What a call site knows; lives in a context below fn_mcxt. */
typedef struct Site
{
	MemoryContext context;		/* of what follows; reset when it changes */
	Oid			typid;
	int32		typmod;
	Oid			relid;			/* InvalidOid: anonymous */
	uint64		generation;
	TupleDesc	desc;
	char	   *name;			/* the field as the caller calls it */
	int			name_len;
	char	   *model_name;		/* for messages */
	CormField	field;			/* name, rownum and flags only */
	Oid			typefield;		/* type of the field's attribute */
	int32		typmodfield;
	Oid			other;			/* type the value is converted from or to */
	CormCast   *cast;
	FmgrInfo	output;
	void	   *domain;			/* domain_check's cache */
} Site;

static Row	get_row(FunctionCallInfo fcinfo, int argno);
static void require_known_type(const Row *row);
static CormModel *record_model(TupleDesc desc);
static CormModel *row_model(const Row *row, TupleDesc desc, Oid *relid);
static Site *find_site(FunctionCallInfo fcinfo, const Row *row, Datum field_name);
static Datum row_value(Site *site, const Row *row, bool *isnull);
static void deform_row(const Row *row, TupleDesc desc, Datum **values, bool **nulls);
static void conversion_context(void *arg);
static Datum convert_value(FunctionCallInfo fcinfo, Site *site, Oid given, bool *isnull);
static Datum value_to_jsonb(Oid type, Datum value);
static Datum set_field(FunctionCallInfo fcinfo, bool is_text);

/*
 * get_row returns the row that is argument argno, or raises 42804.
 */
static Row
get_row(FunctionCallInfo fcinfo, int argno)
{
	Row			row;

	row.argtype = get_fn_expr_argtype(fcinfo->flinfo, argno);
	if (!OidIsValid(row.argtype))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the row")));
	row.typid = getBaseType(row.argtype);
	if (!type_is_rowtype(row.typid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s is not a row type", format_type_be(row.argtype))));

	row.typmod = -1;
	row.header = NULL;
	if (!PG_ARGISNULL(argno))
	{
		row.header = PG_GETARG_HEAPTUPLEHEADER(argno);
		row.typid = HeapTupleHeaderGetTypeId(row.header);
		row.typmod = HeapTupleHeaderGetTypMod(row.header);
	}

	return row;
}

/*
 * require_known_type raises 22004 for a null row of no declared type.
 */
static void
require_known_type(const Row *row)
{
	if (row->header == NULL && row->typid == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the fields of a null record are not known"),
				 errhint("Cast the null to the type of a table, view or composite type.")));
}

/*
 * record_model returns a model of an anonymous record type, in the current
 * memory context.
 */
static CormModel *
record_model(TupleDesc desc)
{
	CormModel  *model = palloc0(sizeof(CormModel));

	model->typid = RECORDOID;
	model->name = "record";
	model->fields = palloc0(sizeof(CormField) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		CormField  *field;

		if (att->attisdropped)
			continue;
		field = &model->fields[model->nfields++];
		field->name = field->column = field->json_key = pstrdup(NameStr(att->attname));
		field->rownum = i + 1;
	}

	return model;
}

/*
 * row_model returns the model of a row's type.
 */
static CormModel *
row_model(const Row *row, TupleDesc desc, Oid *relid)
{
	*relid = row->typid == RECORDOID ? InvalidOid : get_typ_typrelid(row->typid);

	return OidIsValid(*relid) ? corm_model_get_any(*relid) : record_model(desc);
}

/*
 * find_site returns what the call site knows of the row's type and the field.
 * Raises 42703 for an unknown field, and what the row's model raises.
 */
static Site *
find_site(FunctionCallInfo fcinfo, const Row *row, Datum field_name)
{
	Site	   *site = fcinfo->flinfo->fn_extra;
	text	   *name = DatumGetTextPP(field_name);
	char	   *name_data = VARDATA_ANY(name);
	int			name_len = VARSIZE_ANY_EXHDR(name);
	MemoryContext context;
	MemoryContext old;
	TupleDesc	desc;
	CormModel  *model;
	CormField  *field;
	Oid			relid;

	if (site != NULL && site->typid == row->typid && site->typmod == row->typmod &&
		site->name_len == name_len && memcmp(site->name, name_data, name_len) == 0 &&
		(!OidIsValid(site->relid) || corm_model_get_any(site->relid)->generation == site->generation))
		return site;

	/* An error from here on leaves the site empty, not half filled. */
	if (site != NULL)
	{
		fcinfo->flinfo->fn_extra = NULL;
		MemoryContextDelete(site->context);
	}

	context = AllocSetContextCreate(CurrentMemoryContext, "corm field access",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	site = palloc0(sizeof(Site));
	site->context = context;
	site->typid = row->typid;
	site->typmod = row->typmod;
	site->name = pnstrdup(name_data, name_len);
	site->name_len = name_len;

	desc = lookup_rowtype_tupdesc(row->typid, row->typmod);
	site->desc = CreateTupleDescCopyConstr(desc);
	ReleaseTupleDesc(desc);

	model = row_model(row, site->desc, &relid);
	site->relid = relid;
	site->generation = model->generation;
	field = corm_model_field(model, site->name);
	site->model_name = pstrdup(model->name);
	site->field = *field;
	site->field.name = pstrdup(field->name);
	site->typefield = TupleDescAttr(site->desc, field->rownum - 1)->atttypid;
	site->typmodfield = TupleDescAttr(site->desc, field->rownum - 1)->atttypmod;
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/*
 * row_value returns the value of the site's field in a row that is not null.
 */
static Datum
row_value(Site *site, const Row *row, bool *isnull)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row->header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row->header;

	return heap_getattr(&tuple, site->field.rownum, site->desc, isnull);
}

/*
 * deform_row returns the values of all attributes of a row; those of a null
 * row are null.
 */
static void
deform_row(const Row *row, TupleDesc desc, Datum **values, bool **nulls)
{
	HeapTupleData tuple;

	*values = palloc0(sizeof(Datum) * Max(desc->natts, 1));
	*nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	if (row->header == NULL)
	{
		memset(*nulls, true, sizeof(bool) * desc->natts);
		return;
	}

	tuple.t_len = HeapTupleHeaderGetDatumLength(row->header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row->header;
	heap_deform_tuple(&tuple, desc, *values, *nulls);
}

/*
 * conversion_context adds model and field to an error of a conversion.
 */
static void
conversion_context(void *arg)
{
	Site	   *site = arg;

	errcontext("field \"%s\" of model \"%s\"", site->field.name, site->model_name);
}

PG_FUNCTION_INFO_V1(corm_get_field);
Datum		corm_get_field(PG_FUNCTION_ARGS);

/*
 * corm_get_field is corm.get_field(rec anyelement, field text).
 */
Datum
corm_get_field(PG_FUNCTION_ARGS)
{
	Row			row = get_row(fcinfo, 0);
	Site	   *site;
	Datum		value;
	bool		isnull;

	if (PG_ARGISNULL(1) || (row.header == NULL && row.typid == RECORDOID))
		PG_RETURN_NULL();

	site = find_site(fcinfo, &row, PG_GETARG_DATUM(1));
	if (!OidIsValid(site->output.fn_oid))
	{
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(site->typefield, &function, &is_varlena);
		fmgr_info_cxt(function, &site->output, site->context);
	}
	if (row.header == NULL)
		PG_RETURN_NULL();

	value = row_value(site, &row, &isnull);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(OutputFunctionCall(&site->output, value)));
}

PG_FUNCTION_INFO_V1(corm_get_field_as);
Datum		corm_get_field_as(PG_FUNCTION_ARGS);

/*
 * corm_get_field_as is corm.get_field_as(t anyelement, rec record, field text).
 */
Datum
corm_get_field_as(PG_FUNCTION_ARGS)
{
	Oid			target = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Row			row = get_row(fcinfo, 1);
	Site	   *site;
	Datum		value = (Datum) 0;
	bool		isnull = true;
	ErrorContextCallback callback;

	if (PG_ARGISNULL(2) || (row.header == NULL && row.typid == RECORDOID))
		PG_RETURN_NULL();

	site = find_site(fcinfo, &row, PG_GETARG_DATUM(2));
	if (site->other != target)
	{
		MemoryContext old = MemoryContextSwitchTo(site->context);

		site->cast = corm_cast_create(site->typefield, target, -1, true);
		site->other = target;
		MemoryContextSwitchTo(old);
	}
	if (site->cast == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("field \"%s\" of model \"%s\" is of type %s, which cannot be cast to type %s",
						site->field.name, site->model_name,
						format_type_be(site->typefield), format_type_be(target))));

	if (row.header != NULL)
		value = row_value(site, &row, &isnull);

	callback.callback = conversion_context;
	callback.arg = site;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	value = corm_cast_apply(site->cast, value, &isnull);
	error_context_stack = callback.previous;

	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/*
 * convert_value converts argument 2, of type given, for the site's field.
 */
static Datum
convert_value(FunctionCallInfo fcinfo, Site *site, Oid given, bool *isnull)
{
	Datum		value = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	ErrorContextCallback callback;

	if (site->other != given)
	{
		MemoryContext old = MemoryContextSwitchTo(site->context);

		site->cast = given == TEXTOID ?
			corm_cast_create_text(site->typefield, site->typmodfield) :
			corm_cast_create(given, site->typefield, site->typmodfield, false);
		site->other = given;
		MemoryContextSwitchTo(old);
	}
	if (site->cast == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("field \"%s\" of model \"%s\" is of type %s but the value is of type %s",
						site->field.name, site->model_name,
						format_type_be(site->typefield), format_type_be(given))));

	callback.callback = conversion_context;
	callback.arg = site;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	*isnull = PG_ARGISNULL(2);
	value = corm_cast_apply(site->cast, value, isnull);
	error_context_stack = callback.previous;

	return value;
}

/*
 * set_field does the work of both forms of corm.set_field.
 */
static Datum
set_field(FunctionCallInfo fcinfo, bool is_text)
{
	Row			row = get_row(fcinfo, 0);
	Site	   *site;
	Datum	   *values;
	bool	   *nulls;
	int			i;
	Datum		result;

	require_known_type(&row);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of the field must not be null")));

	site = find_site(fcinfo, &row, PG_GETARG_DATUM(1));
	if (site->field.generated || site->field.read_only)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_READ_ONLY_FIELD),
				 errmsg("field \"%s\" of model \"%s\" is %s", site->field.name, site->model_name,
						site->field.generated ? "generated" : "read-only")));

	deform_row(&row, site->desc, &values, &nulls);
	i = site->field.rownum - 1;
	values[i] = convert_value(fcinfo, site,
							  is_text ? TEXTOID : get_fn_expr_argtype(fcinfo->flinfo, 2),
							  &nulls[i]);
	result = HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls));
	if (row.argtype != row.typid)
		domain_check(result, false, row.argtype, &site->domain, site->context);

	return result;
}

PG_FUNCTION_INFO_V1(corm_set_field);
Datum		corm_set_field(PG_FUNCTION_ARGS);

/*
 * corm_set_field is corm.set_field(rec anyelement, field text, value "any").
 */
Datum
corm_set_field(PG_FUNCTION_ARGS)
{
	return set_field(fcinfo, false);
}

PG_FUNCTION_INFO_V1(corm_set_field_text);
Datum		corm_set_field_text(PG_FUNCTION_ARGS);

/*
 * corm_set_field_text is corm.set_field(rec anyelement, field text, value
 * text): what a literal or an untyped parameter resolves to.
 */
Datum
corm_set_field_text(PG_FUNCTION_ARGS)
{
	return set_field(fcinfo, true);
}

/*
 * value_to_jsonb returns a value as jsonb, as to_jsonb does.
 */
static Datum
value_to_jsonb(Oid type, Datum value)
{
	CormToJsonb to_jsonb;

	corm_to_jsonb_init(&to_jsonb, type);
	return JsonbPGetDatum(corm_to_jsonb(&to_jsonb, value));
}

PG_FUNCTION_INFO_V1(corm_iterate_fields);
Datum		corm_iterate_fields(PG_FUNCTION_ARGS);

/*
 * corm_iterate_fields is corm.iterate_fields(rec anyelement).  Hidden fields
 * are left out: what asks for all fields is made to show them.
 */
Datum
corm_iterate_fields(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Row			row = get_row(fcinfo, 0);
	TupleDesc	desc;
	CormModel  *model;
	Oid			relid;
	Datum	   *values;
	bool	   *nulls;

	require_known_type(&row);
	InitMaterializedSRF(fcinfo, 0);

	desc = lookup_rowtype_tupdesc_copy(row.typid, row.typmod);
	model = row_model(&row, desc, &relid);
	deform_row(&row, desc, &values, &nulls);

	for (int i = 0; i < model->nfields; i++)
	{
		CormField  *field = &model->fields[i];
		int			att = field->rownum - 1;
		Oid			type = TupleDescAttr(desc, att)->atttypid;
		Datum		out[4];
		bool		out_nulls[4] = {false, false, false, nulls[att]};

		if (field->hidden)
			continue;
		out[0] = CStringGetTextDatum(field->name);
		out[1] = CStringGetTextDatum(field->column);
		out[2] = ObjectIdGetDatum(type);
		out[3] = nulls[att] ? (Datum) 0 : value_to_jsonb(type, values[att]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, out_nulls);
	}

	return (Datum) 0;
}
