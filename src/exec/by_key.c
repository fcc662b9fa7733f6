/*-------------------------------------------------------------------------
 *
 * by_key.c
 *		Reading rows by primary key: find, find_json, find_multi.
 *
 * A call is turned into the query that corm.get() would be given for the same row, so
 * that both share one plan, and soft delete, default scopes, middleware and hooks apply
 * alike.  Key values are bound as corm.eq() binds them: text takes the type of the
 * field that it meets.
 *
 * find_multi() reads the rows of all its keys with one query, and brings them into the
 * order of the keys afterwards.  For that, keys and rows are compared in one type, that
 * of the field or that of the keys: whichever the other converts to without loss.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/errors.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "exec/call/run_query.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "exec/rows/in_progress.h"
#include "exec/run/sink.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "model/cast.h"
#include "model/model.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(corm_find);
PG_FUNCTION_INFO_V1(corm_find_json);
PG_FUNCTION_INFO_V1(corm_find_multi);

/* What is known of an argument of a call site. */
typedef struct KeyArg
{
	Oid			typid;			/* UNKNOWNOID: a C string */
	int16		typlen;
	bool		typbyval;
	bool		is_text;
	bool		is_query;
	FmgrInfo   *output;			/* made when it is first needed */
} KeyArg;

/* What is known of a call site; in fn_extra. */
typedef struct KeyCall
{
	bool		is_array;		/* the values come as one array */
	char		typalign;		/* of its elements */
	int			nargs;
	KeyArg		args[FLEXIBLE_ARRAY_MEMBER];	/* from the second argument of
												 * the call; of an array, its
												 * elements */
} KeyCall;

/* The values of a call. */
typedef struct KeyValues
{
	int			n;				/* of the key */
	Datum	   *values;
	bool	   *nulls;
	int			nclauses;
	const CormNode **clauses;	/* the clauses that follow them */
} KeyValues;

/*
 * Returns what is known of the call site, which lives as long as it.  Raises 42P18 for an
 * argument without a type, 42804 for an anonymous record or an expression.
 */
static KeyCall *
key_call(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	KeyCall    *call = flinfo->fn_extra;
	int			nargs = PG_NARGS() - 1;

	if (call)
		return call;
	call = MemoryContextAllocZero(flinfo->fn_mcxt, offsetof(KeyCall, args) + sizeof(KeyArg) * nargs);
	call->nargs = nargs;
	call->is_array = get_fn_expr_variadic(flinfo);
	for (int i = 0; i < nargs; i++)
	{
		KeyArg	   *arg = &call->args[i];
		Oid			typid = get_fn_expr_argtype(flinfo, i + 1);
		Oid			base;

		if (call->is_array && OidIsValid(typid))
			typid = get_base_element_type(typid);
		if (!OidIsValid(typid))
			ereport(ERROR,
					(errcode(ERRCODE_INDETERMINATE_DATATYPE),
					 errmsg("could not determine the type of value %d of the key", i + 1)));
		base = getBaseType(typid);
		if (base == corm_query_type_oid())
			arg->is_query = true;
		else if (base == RECORDOID || base == RECORDARRAYOID || base == corm_expr_type_oid())
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a key cannot have a value of type %s", format_type_be(typid)),
					 errhint("Give the values of the primary key one by one; for other conditions, use corm.get() with corm.where().")));
		arg->typid = typid;
		arg->is_text = typid == TEXTOID || typid == VARCHAROID;
		get_typlenbyvalalign(typid, &arg->typlen, &arg->typbyval, &call->typalign);
	}
	flinfo->fn_extra = call;
	return call;
}

/* Takes the values and clauses from the arguments of a call. */
static void
read_values(FunctionCallInfo fcinfo, const KeyCall *call, KeyValues *key)
{
	memset(key, 0, sizeof(KeyValues));
	if (call->is_array)
	{
		if (PG_ARGISNULL(1))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the array of values of the key must not be null")));
		if (call->args[0].is_query)
			return;				/* a key without values */
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), call->args[0].typid, call->args[0].typlen,
						  call->args[0].typbyval, call->typalign, &key->values, &key->nulls, &key->n);
		return;
	}
	key->values = palloc(sizeof(Datum) * call->nargs);
	key->nulls = palloc(sizeof(bool) * call->nargs);
	for (int i = 0; i < call->nargs; i++)
	{
		if (!call->args[i].is_query)
		{
			if (key->nclauses > 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("values of a key must come before clauses")));
			key->values[key->n] = PG_GETARG_DATUM(i + 1);
			key->nulls[key->n++] = PG_ARGISNULL(i + 1);
			continue;
		}
		if (PG_ARGISNULL(i + 1))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a query must not be null"),
					 errhint("Use corm.pipe() where there is nothing to add.")));
		if (key->clauses == NULL)
			key->clauses = palloc(sizeof(CormNode *) * call->nargs);
		key->clauses[key->nclauses++] = CormPGGetQuery(PG_GETARG_DATUM(i + 1));
	}
}

static KeyArg *
key_arg(KeyCall *call, int i)
{
	return &call->args[call->is_array ? 0 : i];
}

/* Appends the names of the fields of the primary key. */
static char *
key_names(CormModel *model)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < model->npk; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", model->fields[model->pk[i]].name);
	return names.data;
}

/* Raises 22023 unless there are as many values as the primary key has fields. */
static void
check_count(CormModel *model, const KeyValues *key)
{
	if (key->n == model->npk)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_plural("the primary key of model \"%s\" has %d field, not %d",
						   "the primary key of model \"%s\" has %d fields, not %d",
						   model->npk, model->name, model->npk, key->n),
			 errhint("Give a value for each of these, in this order: %s.", key_names(model))));
}

/* Returns a value of the key as text, for messages. */
static char *
value_text(FunctionCallInfo fcinfo, KeyArg *arg, Datum value, bool isnull)
{
	if (isnull)
		return "null";
	if (arg->typid == UNKNOWNOID)
		return DatumGetCString(value);
	if (arg->output == NULL)
	{
		FmgrInfo   *output = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(FmgrInfo));
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(arg->typid, &function, &is_varlena);
		fmgr_info_cxt(function, output, fcinfo->flinfo->fn_mcxt);
		arg->output = output;
	}
	return OutputFunctionCall(arg->output, value);
}

/* Raises P0002, with the model and the key. */
static void no_such_row(FunctionCallInfo fcinfo, CormModel *model, KeyCall *call, const KeyValues *key) pg_attribute_noreturn();

static void
no_such_row(FunctionCallInfo fcinfo, CormModel *model, KeyCall *call, const KeyValues *key)
{
	StringInfoData values;

	initStringInfo(&values);
	for (int i = 0; i < key->n; i++)
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "",
						 value_text(fcinfo, key_arg(call, i), key->values[i], key->nulls[i]));
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("no row of model \"%s\" has the key (%s)=(%s)", model->name, key_names(model), values.data)));
}

/* Raises 42804 for a value that is a document or a list where the field is none. */
static void
check_value(CormModel *model, const CormField *field, const KeyArg *arg)
{
	Oid			base = getBaseType(arg->typid);
	bool		is_list = type_is_array(base);

	if ((!is_list && base != JSONBOID && base != JSONOID) || base == getBaseType(field->typid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("field \"%s\" of model \"%s\" cannot be compared with a value of type %s",
					field->name, model->name, format_type_be(arg->typid)),
			 is_list ? errhint("For the rows of several keys, use corm.find_multi().") :
			 errhint("Give the values of the primary key one by one; for other conditions, use corm.get() with corm.where().")));
}

/*
 * Adds to a query the condition that the primary key has the values.  It is what
 * corm.where(corm.eq(...), ...) makes.
 */
static void
write_key(CormWriter *w, CormModel *model, KeyCall *call, const KeyValues *key)
{
	corm_write_tag(w, CORM_N_WHERE);
	corm_write_count(w, key->n);
	for (int i = 0; i < key->n; i++)
	{
		const CormField *field = &model->fields[model->pk[i]];
		const KeyArg *arg = key_arg(call, i);

		check_value(model, field, arg);
		corm_write_tag(w, CORM_N_EQ);
		corm_write_tag(w, CORM_N_COLUMN);
		corm_write_name(w, field->name, strlen(field->name));
		if (arg->typid == UNKNOWNOID)
			corm_write_value(w, UNKNOWNOID, -1, false, CStringGetTextDatum(DatumGetCString(key->values[i])));
		else if (arg->is_text)
			corm_write_value(w, UNKNOWNOID, -1, false, key->values[i]);
		else
			corm_write_value(w, arg->typid, arg->typlen, arg->typbyval, key->values[i]);
	}
}

/*
 * Runs the query for the row with the key that a call gives.  source tells that the
 * model is not implied by the verb.  Raises P0002 if there is no such row, OR011 if the
 * model has no primary key, 22023 for another number of values than it has fields.
 */
static Datum
find(FunctionCallInfo fcinfo, CormModel *model, const CormVerb *verb, bool source)
{
	KeyCall    *call = key_call(fcinfo);
	KeyValues	key;
	CormWriter	w;
	CormQuerySet set;
	CormSink	sink = {.kind = CORM_SINK_FIRST, .context = CurrentMemoryContext, .isnull = true};

	corm_model_require_pk(model);
	read_values(fcinfo, call, &key);
	check_count(model, &key);
	for (int i = 0; i < key.n; i++)
		if (key.nulls[i])
			no_such_row(fcinfo, model, call, &key);

	corm_writer_init(&w);
	if (source)
	{
		corm_write_tag(&w, CORM_N_SELECTOR);
		corm_write_oid(&w, model->relid);
		corm_write_name(&w, "", 0);
	}
	write_key(&w, model, call, &key);
	for (int i = 0; i < key.nclauses; i++)
		corm_write_node(&w, key.clauses[i]);
	corm_queries_of_node(corm_writer_finish(&w, CORM_KIND_QUERY), &set);
	(void) corm_run_queries(verb, &set, &sink);
	if (sink.nrows == 0)
		no_such_row(fcinfo, model, call, &key);
	return sink.value;
}

static Oid
result_type(FunctionCallInfo fcinfo)
{
	Oid			typid = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (!OidIsValid(typid))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the result type"),
				 errhint("Give a typed NULL such as NULL::users.")));
	return typid;
}

/* corm_find(t, key...): the row with a primary key; P0002 if there is none */
Datum
corm_find(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .limit = 1, .typid = result_type(fcinfo)};

	PG_RETURN_DATUM(find(fcinfo, corm_model_get_for_type(verb.typid), &verb, false));
}

/* corm_find_json(model, key...): the same, as a JSON object */
Datum
corm_find_json(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_JSON_ROW, .limit = 1};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the model must not be null")));
	PG_RETURN_DATUM(find(fcinfo, corm_model_get(PG_GETARG_OID(0)), &verb, true));
}

/*
 * Many rows
 */

/* The keys that a call gives, and how rows are compared with them. */
typedef struct Keys
{
	ArrayType  *array;			/* what the query is given */
	Oid			typid;			/* type in which keys and rows are compared */
	int			n;
	Datum	   *values;			/* of that type */
	bool	   *nulls;
	CormCast   *cast;			/* from the row type's attribute to that type,
								 * or NULL */
	FmgrInfo   *cmp;			/* NULL: the type has no order */
	FmgrInfo   *eq;
	Oid			collation;
} Keys;

/* A row that was read. */
typedef struct KeyedRow
{
	Datum		key;
	MinimalTuple tuple;
} KeyedRow;

static ArrayType *
make_array(Datum *values, bool *nulls, int n, Oid typid)
{
	int			lower = 1;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	get_typlenbyvalalign(typid, &typlen, &typbyval, &typalign);
	return construct_md_array(values, nulls, 1, &n, &lower, typid, typlen, typbyval, typalign);
}

static void
take_array(Keys *keys, ArrayType *array)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign, &keys->values, &keys->nulls, &keys->n);
}

/* Converts the keys to the type of the field. */
static void
convert_keys(Keys *keys, CormCast *cast)
{
	int16		typlen;
	bool		typbyval;

	get_typlenbyval(keys->typid, &typlen, &typbyval);
	for (int i = 0; i < keys->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (keys->nulls[i])
			continue;
		/* copy it: the next conversion frees the result of this one */
		keys->values[i] = corm_cast_apply(cast, keys->values[i], &keys->nulls[i]);
		if (!keys->nulls[i])
			keys->values[i] = datumCopy(keys->values[i], typbyval, typlen);
	}
	keys->array = make_array(keys->values, keys->nulls, keys->n, keys->typid);
}

/*
 * Reads the keys from the argument of a call.  Raises 22004 for NULL, 42804 for what is no
 * array of keys, 22P02 and its like for text that does not convert.
 */
static void
read_keys(FunctionCallInfo fcinfo, CormModel *model, const CormField *field, Keys *keys)
{
	Oid			argtype = get_fn_expr_argtype(fcinfo->flinfo, 1);
	Oid			base = getBaseType(field->typid);
	Oid			attribute = getBaseType(TupleDescAttr(model->tupdesc, field->rownum - 1)->atttypid);
	Oid			element = OidIsValid(argtype) ? get_base_element_type(argtype) : InvalidOid;
	TypeCacheEntry *type;

	memset(keys, 0, sizeof(Keys));
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the keys must not be null")));
	keys->typid = base;
	if (argtype == TEXTOID || argtype == UNKNOWNOID)
	{
		char	   *string = argtype == TEXTOID ? TextDatumGetCString(PG_GETARG_DATUM(1)) : PG_GETARG_CSTRING(1);
		Oid			array_type = get_array_type(base);
		Oid			input;
		Oid			ioparam;

		getTypeInputInfo(array_type, &input, &ioparam);
		keys->array = DatumGetArrayTypeP(OidInputFunctionCall(input, string, ioparam, field->typmod));
		take_array(keys, keys->array);
	}
	else if (!OidIsValid(element))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the keys must be an array, not a value of type %s", format_type_be(argtype)),
				 errhint("Use corm.find() for one key.")));
	else
	{
		Oid			from = getBaseType(element);

		keys->array = PG_GETARG_ARRAYTYPE_P(1);
		take_array(keys, keys->array);
		if (from == base)
		{
			/* nothing to convert */
		}
		else if (from == TEXTOID || from == VARCHAROID)
			convert_keys(keys, corm_cast_create_text(base, field->typmod));
		else if (can_coerce_type(1, &from, &base, COERCION_IMPLICIT))
			convert_keys(keys, corm_cast_create(from, base, -1, false));
		else if (can_coerce_type(1, &base, &from, COERCION_IMPLICIT))
			keys->typid = from;
		else
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("keys of type %s cannot be compared with field \"%s\" of type %s",
							format_type_be(element), field->name, format_type_be(field->typid))));
	}
	if (attribute != keys->typid)
		keys->cast = corm_cast_create(attribute, keys->typid, -1, true);
	type = lookup_type_cache(keys->typid, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_EQ_OPR_FINFO);
	keys->cmp = OidIsValid(type->cmp_proc_finfo.fn_oid) ? &type->cmp_proc_finfo : NULL;
	keys->eq = &type->eq_opr_finfo;
	if (!OidIsValid(keys->eq->fn_oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify an equality operator for type %s", format_type_be(keys->typid))));
	keys->collation = OidIsValid(field->collation) ? field->collation : DEFAULT_COLLATION_OID;
}

/* qsort_arg comparator: orders rows by key. */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	const Keys *keys = arg;

	return DatumGetInt32(FunctionCall2Coll(keys->cmp, keys->collation, ((const KeyedRow *) a)->key,
										   ((const KeyedRow *) b)->key));
}

/*
 * Reads the rows with the keys.  Their tuples and keys are in the current context; they are
 * sorted if the type of the keys has an order.
 */
static KeyedRow *
read_rows(const CormExec *exec, Oid typid, const CormField *field, Keys *keys, int *nrows)
{
	CormVerb	verb = {.output = CORM_OUTPUT_ROWS, .typid = typid};
	CormSink	sink = {.kind = CORM_SINK_STORE, .store = corm_exec_store(exec, false)};
	CormQuerySet set;
	CormWriter	w;
	KeyedRow   *rows;
	TupleTableSlot *slot;
	int16		typlen;
	bool		typbyval;

	corm_writer_init(&w);
	corm_write_tag(&w, CORM_N_WHERE);
	corm_write_count(&w, 1);
	corm_write_tag(&w, CORM_N_IN);
	corm_write_tag(&w, CORM_N_COLUMN);
	corm_write_name(&w, field->name, strlen(field->name));
	corm_write_value(&w, get_array_type(ARR_ELEMTYPE(keys->array)), -1, false, PointerGetDatum(keys->array));
	corm_queries_of_node(corm_writer_finish(&w, CORM_KIND_QUERY), &set);
	(void) corm_run_queries(&verb, &set, &sink);
	corm_exec_check(exec);

	get_typlenbyval(keys->typid, &typlen, &typbyval);
	rows = palloc_extended(sizeof(KeyedRow) * Max(sink.nrows, 1), MCXT_ALLOC_HUGE);
	*nrows = 0;
	slot = MakeSingleTupleTableSlot(exec->model->tupdesc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(sink.store, true, false, slot))
	{
		KeyedRow   *row = &rows[*nrows];
		bool		isnull;
		Datum		key = slot_getattr(slot, field->rownum, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (!isnull && keys->cast)
			key = corm_cast_apply(keys->cast, key, &isnull);
		if (isnull)
			continue;			/* a hook has made it so */
		row->key = datumCopy(key, typbyval, typlen);
		row->tuple = ExecCopySlotMinimalTuple(slot);
		(*nrows)++;
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(sink.store);
	if (keys->cmp)
		qsort_arg(rows, *nrows, sizeof(KeyedRow), compare_rows, keys);
	return rows;
}

/* Returns the row with a key, or NULL. */
static KeyedRow *
find_row(Keys *keys, KeyedRow *rows, int nrows, Datum key)
{
	KeyedRow	wanted = {.key = key};

	if (keys->cmp)
		return bsearch_arg(&wanted, rows, nrows, sizeof(KeyedRow), compare_rows, keys);
	for (int i = 0; i < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (DatumGetBool(FunctionCall2Coll(keys->eq, keys->collation, rows[i].key, key)))
			return &rows[i];
	}
	return NULL;
}

/*
 * corm_find_multi(t, keys): the rows with the keys, in the order of the keys, as a set.  A key
 * without a row is left out; one that is given twice has its row twice.
 */
Datum
corm_find_multi(PG_FUNCTION_ARGS)
{
	Oid			typid = result_type(fcinfo);
	CormModel  *model = corm_model_get_for_type(typid);
	CormExec	exec;
	CormField  *field;
	Keys		keys;
	Tuplestorestate *store;
	TupleTableSlot *slot;
	KeyedRow   *rows;
	int			nrows;

	corm_model_require_pk(model);
	if (model->npk > 1)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the primary key of model \"%s\" has several fields", model->name),
				 errhint("Use corm.find() for one row, or corm.get_multi() with conditions on %s.", key_names(model))));
	corm_exec_begin(&exec, model);
	field = &model->fields[model->pk[0]];
	read_keys(fcinfo, model, field, &keys);
	corm_exec_check(&exec);
	store = corm_begin_set(fcinfo, model->tupdesc);
	if (keys.n == 0)
		return (Datum) 0;
	rows = read_rows(&exec, typid, field, &keys, &nrows);
	corm_exec_check(&exec);

	slot = MakeSingleTupleTableSlot(model->tupdesc, &TTSOpsMinimalTuple);
	for (int i = 0; i < keys.n; i++)
	{
		KeyedRow   *row;

		CHECK_FOR_INTERRUPTS();
		if (keys.nulls[i] || (row = find_row(&keys, rows, nrows, keys.values[i])) == NULL)
			continue;
		ExecStoreMinimalTuple(row->tuple, slot, false);
		tuplestore_puttupleslot(store, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	return (Datum) 0;
}
