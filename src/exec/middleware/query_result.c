/*-------------------------------------------------------------------------
 *
 * query_result.c
 *		Results that pass through middleware: corm.query_result.
 *
 * A query within middleware puts its rows into a tuplestore unchanged.  They are
 * converted to JSON only if corm.result_rows is called.  The verb gets the result that
 * the outermost middleware returns.  Stored rows are passed on as they are; JSON rows
 * from corm.result_of are converted to the verb's result type.
 *
 * In SQL, a result is a handle: a random number that is looked up here and cannot be
 * guessed.  A result belongs to the chain in which it was made and ends with it.  A
 * result made outside of any chain lasts until the transaction ends.  When the
 * subtransaction in which a result was made is rolled back, the result is void.
 *
 * The rows outlive the subtransaction in which they are stored, because corm.next may be
 * called in a block with an exception handler.  So the store and its temporary file belong
 * to a memory context and a resource owner of the result, which are children of the
 * chain's.  They are released together, even if the store was not completed: an error may
 * have left it in a state that tuplestore_end() cannot handle.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/compat.h"
#include "base/jsonb.h"
#include "base/xact_end.h"
#include "catalog/pg_type.h"
#include "exec/middleware/query_result.h"
#include "exec/plan/plan.h"
#include "exec/rows/json_value.h"
#include "exec/rows/row_type.h"
#include "exec/run/sink.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

struct CormResult
{
	dlist_node	node;			/* in results */
	int64		handle;
	CormResultOwner *owner;		/* the chain, or NULL */
	int			nest_level;		/* of the subtransaction that made it */
	bool		is_void;		/* that subtransaction was rolled back */
	MemoryContext context;		/* holds all of the following; NULL if void */
	ResourceOwner resources;	/* of the store */

	uint64		affected;
	uint64		nrows;

	/* at most one of these is set */
	Jsonb	   *json;			/* an array */
	Tuplestorestate *store;
	TupleDesc	tupdesc;		/* of its rows */
	CormOutput	output;			/* kind of rows */
	Oid			typid;			/* OUTPUT_ROWS, OUTPUT_VALUE */
};

static Jsonb *result_to_json(CormResult *result, bool whole);

static dlist_head results = DLIST_STATIC_INIT(results);

/*
 * Lifetime
 */

/*
 * corm_secret_number returns a positive number that cannot be guessed.
 */
int64
corm_secret_number(void)
{
	static int64 numbers[32];
	static int	nleft = 0;
	int64		number;

	if (nleft == 0)
	{
		if (!pg_strong_random(numbers, sizeof(numbers)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate a random number")));
		nleft = lengthof(numbers);
	}
	number = numbers[--nleft] & PG_INT64_MAX;
	numbers[nleft] = 0;
	return number;
}

/*
 * corm_result_create makes an empty result.  It lasts until corm_results_forget is
 * called for its owner or, if it has no owner, until the transaction ends.
 */
CormResult *
corm_result_create(CormResultOwner *owner)
{
	MemoryContext parent = owner ? owner->context : CurTransactionContext;
	CormResult *result = MemoryContextAllocZero(parent, sizeof(CormResult));

	result->handle = corm_secret_number();
	result->owner = owner;
	result->nest_level = GetCurrentTransactionNestLevel();
	result->context = AllocSetContextCreate(parent, "corm result", ALLOCSET_SMALL_SIZES);
	dlist_push_head(&results, &result->node);
	corm_xact_needs_end();
	return result;
}

/*
 * Releases the resources of a result, its file first.  Does not raise errors.
 */
static void
release(CormResult *result)
{
	if (result->resources)
	{
		ResourceOwnerRelease(result->resources, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
		ResourceOwnerRelease(result->resources, RESOURCE_RELEASE_LOCKS, false, false);
		ResourceOwnerRelease(result->resources, RESOURCE_RELEASE_AFTER_LOCKS, false, false);
		ResourceOwnerDelete(result->resources);
	}
	MemoryContextDelete(result->context);
	result->resources = NULL;
	result->context = NULL;
	result->store = NULL;
	result->json = NULL;
}

/*
 * corm_results_forget releases the results of an owner, which is about to end.  It does
 * not raise errors and may be called during error recovery.
 */
void
corm_results_forget(CormResultOwner *owner)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &results)
	{
		CormResult *result = dlist_container(CormResult, node, iter.cur);

		if (result->owner != owner)
			continue;
		dlist_delete(&result->node);
		if (!result->is_void)
			release(result);
	}
}

static void
transaction_ended(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		dlist_init(&results);
}

/* Whether there is nothing to forget. */
static bool
no_results(void)
{
	return dlist_is_empty(&results);
}

/*
 * Results made in a subtransaction become void when it is rolled back.  Those without
 * an owner live in the subtransaction's memory.  The others are still referenced by the
 * layers of their chain.  At process exit, the chains have not been unwound and their
 * memory may already be freed.
 */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	dlist_mutable_iter iter;

	if ((event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB) || proc_exit_inprogress)
		return;
	dlist_foreach_modify(iter, &results)
	{
		CormResult *result = dlist_container(CormResult, node, iter.cur);

		if (result->nest_level < level || result->is_void)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			result->nest_level = level - 1;
		else if (result->owner == NULL)
			dlist_delete(&result->node);
		else
		{
			result->is_void = true;
			release(result);
		}
	}
}

/* corm_result_init registers the callbacks. */
void
corm_result_init(void)
{
	corm_on_xact_end(transaction_ended, no_results);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}

static void
raise_gone(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the rows of this result are gone"),
			 errdetail("A result lasts until the call that it belongs to ends, or is rolled back."),
			 errhint("To keep rows, keep what corm.result_rows() returns.")));
}

/*
 * Returns the result for a handle.  Raises 55000 if it no longer exists.
 */
static CormResult *
find_result(int64 handle)
{
	dlist_iter	iter;

	dlist_foreach(iter, &results)
	{
		CormResult *result = dlist_container(CormResult, node, iter.cur);

		if (result->handle == handle && !result->is_void)
			return result;
	}
	raise_gone();
	return NULL;
}

uint64
corm_result_affected(const CormResult *result)
{
	return result->affected;
}

uint64
corm_result_nrows(const CormResult *result)
{
	return result->nrows;
}

/*
 * Capturing rows
 */

/* State for capturing the rows of a page. */
typedef struct PageCapture
{
	CormResult *result;
	CormSink   *sink;			/* the verb's sink */
	CormSink   *capture;		/* the sink that calls us */
} PageCapture;

static void
capture_page_row(CormPlan *plan, TupleTableSlot *slot, void *arg)
{
	PageCapture *capture = arg;

	if (slot == NULL)
	{
		capture->sink->callback(plan, NULL, capture->sink->arg);
		return;
	}
	/* the total goes to the verb, whatever becomes of the rows */
	corm_sink_total(capture->sink, slot);
	if (slot->tts_isnull[0])
		capture->capture->nrows--;
	else
		tuplestore_puttupleslot(capture->result->store, slot);
}

/*
 * corm_result_capture prepares a sink that captures the rows of a verb in a result.
 * wanted is the verb's own sink.  The result must have an owner.
 */
void
corm_result_capture(CormResult *result, const CormVerb *verb, CormSink *wanted, CormSink *capture)
{
	MemoryContext oldcontext;
	ResourceOwner oldowner;

	memset(capture, 0, sizeof(CormSink));
	capture->context = result->context;
	result->output = verb->output;
	result->typid = verb->typid;
	if (wanted->kind == CORM_SINK_NONE)
	{
		capture->kind = CORM_SINK_NONE;
		return;
	}

	oldcontext = MemoryContextSwitchTo(result->context);
	oldowner = CurrentResourceOwner;
	result->tupdesc = corm_output_tupdesc(verb->output, verb->typid);
	result->resources = ResourceOwnerCreate(result->owner->resources, "corm result");
	CurrentResourceOwner = result->resources;
	result->store = tuplestore_begin_heap(true, false, work_mem);
	CurrentResourceOwner = oldowner;
	if (wanted->kind == CORM_SINK_CALLBACK)
	{
		PageCapture *page = palloc(sizeof(PageCapture));

		page->result = result;
		page->sink = wanted;
		page->capture = capture;
		capture->kind = CORM_SINK_CALLBACK;
		capture->callback = capture_page_row;
		capture->arg = page;
	}
	else if (verb->output == CORM_OUTPUT_JSON)
		capture->kind = CORM_SINK_FIRST;	/* we need the value after the run */
	else
	{
		capture->kind = CORM_SINK_STORE;
		capture->store = result->store;
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * corm_result_captured completes the result after the run, which processed the given
 * number of rows.
 */
void
corm_result_captured(CormResult *result, const CormSink *capture, bool writes, uint64 processed)
{
	result->affected = writes ? processed : 0;
	result->nrows = capture->nrows;
	if (capture->kind == CORM_SINK_NONE && !writes)
		result->nrows = processed;
	if (capture->kind == CORM_SINK_FIRST && capture->nrows > 0)
	{
		/* the statement returns one row, which holds all rows of the query */
		Datum		value = capture->value;
		bool		isnull = capture->isnull;

		tuplestore_putvalues(result->store, result->tupdesc, &value, &isnull);
		result->nrows = isnull ? 0 : JB_ROOT_COUNT(DatumGetJsonbP(value));
		if (writes)
			result->affected = result->nrows;
	}
}

/*
 * corm_result_of_json makes a result from a copy of a JSON array.
 */
CormResult *
corm_result_of_json(CormResultOwner *owner, Jsonb *json)
{
	CormResult *result;
	MemoryContext oldcontext;

	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the rows of a result must be a JSON array")));
	result = corm_result_create(owner);
	oldcontext = MemoryContextSwitchTo(result->context);
	result->json = DatumGetJsonbPCopy(JsonbPGetDatum(json));
	MemoryContextSwitchTo(oldcontext);
	result->nrows = JB_ROOT_COUNT(json);
	return result;
}

/*
 * Returning rows
 */

static Jsonb *
element(Jsonb *array, int i)
{
	return JsonbValueToJsonb(getIthJsonbValueFromContainer(&array->root, i));
}

/*
 * Converts a JSON value to a type: strings by the type's input function, null to NULL.
 */
static Datum
json_to_value(Jsonb *json, Oid typid, bool *isnull)
{
	Oid			input;
	Oid			ioparam;
	JsonbValue	scalar;
	char	   *str;

	*isnull = false;
	if (typid == JSONBOID)
		return JsonbPGetDatum(json);
	str = JsonbToCString(NULL, &json->root, VARSIZE(json));
	if (JB_ROOT_IS_SCALAR(json) && JsonbExtractScalar(&json->root, &scalar))
	{
		if (scalar.type == jbvNull)
			*isnull = true;
		else if (scalar.type == jbvString)
			str = pnstrdup(scalar.val.string.val, scalar.val.string.len);
	}
	getTypeInputInfo(typid, &input, &ioparam);
	return OidInputFunctionCall(input, *isnull ? NULL : str, ioparam, -1);
}

/*
 * Passes one column to a sink, as if a statement had returned it.
 */
static void
give_value(CormSink *sink, TupleDesc tupdesc, Datum value, bool isnull)
{
	Form_pg_attribute att = TupleDescAttr(tupdesc, 0);
	MemoryContext oldcontext;

	sink->nrows++;
	if (sink->kind == CORM_SINK_STORE)
		tuplestore_putvalues(sink->store, tupdesc, &value, &isnull);
	else if (sink->nrows == 1)
	{
		oldcontext = MemoryContextSwitchTo(sink->context);
		sink->isnull = isnull;
		sink->value = isnull ? (Datum) 0 : datumCopy(value, att->attbyval, att->attlen);
		MemoryContextSwitchTo(oldcontext);
	}
	else if (sink->kind == CORM_SINK_ONE)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ROWS),
				 errmsg("more than one row in result set")));
}

/*
 * Converts JSON objects to rows of a row type, with the attribute names as keys.
 */
static void
give_json_rows(Jsonb *json, const CormVerb *verb, CormSink *sink)
{
	MemoryContext context = CurrentMemoryContext;
	TupleDesc	tupdesc = corm_row_tupdesc(verb->typid);
	Oid			argtype = JSONBOID;
	Datum		arg = JsonbPGetDatum(json);
	Datum	   *rows;
	int			nrows;
	char	   *sql;

	sql = psprintf("SELECT * FROM pg_catalog.jsonb_populate_recordset(NULL::%s, $1)",
				   corm_deparse_type(verb->typid, -1));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(sql, 1, &argtype, &arg, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	MemoryContextSwitchTo(context);
	rows = corm_rows_of_table(tupdesc, &nrows);
	SPI_finish();
	corm_rows_to_sink(rows, nrows, sink);
}

/*
 * Passes the elements of a JSON array to the sink of a verb, converted to the verb's
 * result type.
 */
static void
give_json(Jsonb *json, const CormVerb *verb, CormSink *sink)
{
	TupleDesc	tupdesc;
	int			n = JB_ROOT_COUNT(json);

	if (verb->output == CORM_OUTPUT_ROWS)
	{
		give_json_rows(json, verb, sink);
		return;
	}
	tupdesc = corm_output_tupdesc(verb->output, verb->typid);
	if (verb->output == CORM_OUTPUT_JSON)
	{
		give_value(sink, tupdesc, JsonbPGetDatum(json), false);
		return;
	}
	if (verb->output == CORM_OUTPUT_PAGE)
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(tupdesc, &TTSOpsVirtual);

		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			ExecClearTuple(slot);
			slot->tts_values[0] = JsonbPGetDatum(element(json, i));
			slot->tts_isnull[0] = false;
			slot->tts_isnull[1] = true;
			slot->tts_isnull[2] = true;
			ExecStoreVirtualTuple(slot);
			sink->nrows++;
			sink->callback(NULL, slot, sink->arg);
		}
		ExecDropSingleTupleTableSlot(slot);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		value;

		CHECK_FOR_INTERRUPTS();
		value = json_to_value(element(json, i), TupleDescAttr(tupdesc, 0)->atttypid, &isnull);
		give_value(sink, tupdesc, value, isnull);
	}
}

/*
 * Passes the rows of a result's store to a sink whose verb returns rows of the same
 * kind.
 */
static void
give_stored(CormResult *result, CormSink *sink)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(result->tupdesc, &TTSOpsMinimalTuple);

	tuplestore_rescan(result->store);
	while (tuplestore_gettupleslot(result->store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (sink->kind == CORM_SINK_STORE)
		{
			sink->nrows++;
			tuplestore_puttupleslot(sink->store, slot);
		}
		else if (sink->kind == CORM_SINK_CALLBACK)
		{
			sink->nrows++;
			slot_getallattrs(slot);
			sink->callback(NULL, slot, sink->arg);
		}
		else if (result->output == CORM_OUTPUT_ROWS)
		{
			Datum		row = ExecFetchSlotHeapTupleDatum(slot);

			corm_rows_to_sink(&row, 1, sink);
		}
		else
		{
			slot_getallattrs(slot);
			give_value(sink, result->tupdesc, slot->tts_values[0], slot->tts_isnull[0]);
		}
	}
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * corm_result_give passes a result to the sink of a verb, as if the verb's query had
 * returned it.  The result is NULL if there are no rows.  Rows of another kind of verb
 * are converted via JSON.  Raises 55000 if the result is void.
 */
void
corm_result_give(CormResult *result, const CormVerb *verb, CormSink *sink)
{
	if (result && result->is_void)
		raise_gone();
	if (sink->kind == CORM_SINK_STORE && sink->store == NULL)
		sink->store = corm_begin_set(sink->fcinfo, corm_output_tupdesc(verb->output, verb->typid));
	if (sink->kind == CORM_SINK_NONE)
		return;
	if (result == NULL || (result->json == NULL && result->store == NULL) ||
		(verb->output == CORM_OUTPUT_JSON && result->nrows == 0))
	{
		/* no rows, but as a JSON array this is one row */
		if (verb->output == CORM_OUTPUT_JSON)
			give_json(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("[]"))), verb, sink);
		return;
	}
	if (result->json)
		give_json(result->json, verb, sink);
	else if (result->output == verb->output && result->typid == verb->typid)
		give_stored(result, sink);
	else
		give_json(result_to_json(result, verb->whole || verb->output == CORM_OUTPUT_ROWS), verb, sink);
}

/*
 * JSON
 */

typedef void (*JsonRowCallback) (Jsonb *row, void *arg);

static Jsonb *
value_to_json(Oid typid, Datum value, bool isnull)
{
	JsonbParseState *state = NULL;
	JsonbValue	null = {.type = jbvNull};

	/* use an array, because a scalar cannot be pushed by itself */
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	if (isnull)
		pushJsonbValue(&state, WJB_ELEM, &null);
	else
		corm_push_value(&state, WJB_ELEM, typid, value);
	return element(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)), 0);
}

/*
 * Converts a row to an object with the attribute names as keys.  We cannot use
 * to_jsonb() on the row, because that keeps using a row descriptor after it has
 * released it.  hiding is NULL, or the model of the row, whose hidden fields are left out.
 */
static Jsonb *
slot_to_json(TupleTableSlot *slot, TupleDesc tupdesc, CormModel *hiding)
{
	JsonbParseState *state = NULL;
	JsonbValue	null = {.type = jbvNull};

	slot_getallattrs(slot);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		CormField  *field;

		if (att->attisdropped)
			continue;
		field = hiding ? corm_model_field_by_rownum(hiding, att->attnum) : NULL;
		if (field && field->hidden)
			continue;
		corm_json_key(&state, NameStr(att->attname));
		if (slot->tts_isnull[i])
			pushJsonbValue(&state, WJB_VALUE, &null);
		else
			corm_push_value(&state, WJB_VALUE, att->atttypid, slot->tts_values[i]);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Calls a callback for each row of a result's store, converted to JSON.  whole: with
 * hidden fields.
 */
static void
each_stored(CormResult *result, bool whole, JsonRowCallback callback, void *arg)
{
	Oid			relid = result->output == CORM_OUTPUT_ROWS && !whole ? get_typ_typrelid(result->typid) : InvalidOid;
	CormModel  *hiding = OidIsValid(relid) ? corm_model_get_any(relid) : NULL;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(result->tupdesc, &TTSOpsMinimalTuple);

	tuplestore_rescan(result->store);
	while (tuplestore_gettupleslot(result->store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (result->output == CORM_OUTPUT_ROWS)
			callback(slot_to_json(slot, result->tupdesc, hiding), arg);
		else
		{
			Datum		value;
			bool		isnull;

			value = slot_getattr(slot, 1, &isnull);
			if (result->output == CORM_OUTPUT_JSON && !isnull)
			{
				/*
				 * the array is one row of the statement, but holds many rows
				 * of the query
				 */
				Jsonb	   *array = DatumGetJsonbP(value);

				for (int i = 0; i < JB_ROOT_COUNT(array); i++)
					callback(element(array, i), arg);
			}
			else
				callback(value_to_json(TupleDescAttr(result->tupdesc, 0)->atttypid, value, isnull), arg);
		}
	}
	ExecDropSingleTupleTableSlot(slot);
}

static void
each_row(CormResult *result, bool whole, JsonRowCallback callback, void *arg)
{
	if (result->store)
		each_stored(result, whole, callback, arg);
	else if (result->json)
		for (int i = 0; i < JB_ROOT_COUNT(result->json); i++)
		{
			CHECK_FOR_INTERRUPTS();
			callback(element(result->json, i), arg);
		}
}

/*
 * Adds a row, which is JSON, to the array being built in *arg.
 */
static void
push_row(Jsonb *row, void *arg)
{
	JsonbParseState **state = arg;
	JsonbValue	value;

	if (JB_ROOT_IS_SCALAR(row))
		(void) JsonbExtractScalar(&row->root, &value);
	else
	{
		value.type = jbvBinary;
		value.val.binary.data = &row->root;
		value.val.binary.len = VARSIZE(row) - VARHDRSZ;
	}
	pushJsonbValue(state, WJB_ELEM, &value);
}

/*
 * Returns the rows of a result as a JSON array.  whole: with hidden fields.
 */
static Jsonb *
result_to_json(CormResult *result, bool whole)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	each_row(result, whole, push_row, &state);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

typedef struct RowsToStore
{
	Tuplestorestate *store;
	TupleDesc	tupdesc;
} RowsToStore;

static void
store_row(Jsonb *row, void *arg)
{
	RowsToStore *to = arg;
	Datum		value = JsonbPGetDatum(row);
	bool		isnull = false;

	tuplestore_putvalues(to->store, to->tupdesc, &value, &isnull);
}

/*
 * corm_result_store puts the rows of a result into a tuplestore, each as a JSON value.
 * Raises any error of the conversion.
 */
void
corm_result_store(CormResult *result, Tuplestorestate *store, TupleDesc tupdesc)
{
	RowsToStore to = {store, tupdesc};

	each_row(result, true, store_row, &to);
}

/*
 * corm_result_owner returns the chain that a result belongs to, or NULL.
 */
CormResultOwner *
corm_result_owner(const CormResult *result)
{
	return result->owner;
}

/*
 * corm_result_from_datum returns the result for a value of type corm.query_result, or
 * NULL if it has no rows.  If affected is not NULL, *affected is set to the number of
 * affected rows in the value.
 */
CormResult *
corm_result_from_datum(HeapTupleHeader header, uint64 *affected)
{
	bool		isnull;
	Datum		datum;

	if (affected)
	{
		int64		n;

		datum = GetAttributeByNum(header, 1, &isnull);
		n = isnull ? 0 : DatumGetInt64(datum);
		*affected = n < 0 ? 0 : (uint64) n;
	}
	datum = GetAttributeByNum(header, 3, &isnull);
	return isnull ? NULL : find_result(DatumGetInt64(datum));
}

/*
 * corm_result_to_datum makes a value of type corm.query_result.
 */
Datum
corm_result_to_datum(FunctionCallInfo fcinfo, const CormResult *result, uint64 affected)
{
	TupleDesc	tupdesc;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum((int64) affected);
	values[1] = Int64GetDatum(result ? (int64) result->nrows : 0);
	nulls[2] = result == NULL;
	values[2] = result ? Int64GetDatum(result->handle) : (Datum) 0;
	return HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls));
}
