/*-------------------------------------------------------------------------
 *
 * entries.c
 *		SQL functions on the keys of a cache.
 *
 * They convert arguments, check rights and leave the rest to ops.c.  A call site
 * keeps in fn_extra a pointer to the session's CormCacheRef, whose memory is
 * never freed.  Name, generation and role show whether it is still the right
 * one; a name that is a constant of the statement is not compared again in the
 * same generation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/documents.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "cache/cache.h"
#include "cache/definitions/refs.h"
#include "cache/operations/depends.h"
#include "cache/operations/ops.h"
#include "cache/operations/overlay.h"
#include "cache/operations/cached.h"
#include "cache/shared/change.h"
#include "cache/shared/namespace.h"
#include "cache/shared/shared.h"
#include "cache/shared/table.h"
#include "cache/shared/versions.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(corm_cache_get);
PG_FUNCTION_INFO_V1(corm_cache_get_as);
PG_FUNCTION_INFO_V1(corm_cache_set);
PG_FUNCTION_INFO_V1(corm_cache_add);
PG_FUNCTION_INFO_V1(corm_cache_replace);
PG_FUNCTION_INFO_V1(corm_cache_delete);
PG_FUNCTION_INFO_V1(corm_cache_exists);
PG_FUNCTION_INFO_V1(corm_cache_ttl);
PG_FUNCTION_INFO_V1(corm_cache_expire);
PG_FUNCTION_INFO_V1(corm_cache_persist);
PG_FUNCTION_INFO_V1(corm_cache_info);
PG_FUNCTION_INFO_V1(corm_cache_incr);
PG_FUNCTION_INFO_V1(corm_cache_decr);
PG_FUNCTION_INFO_V1(corm_cache_get_many);
PG_FUNCTION_INFO_V1(corm_cache_set_many);
PG_FUNCTION_INFO_V1(corm_cache_keys);
PG_FUNCTION_INFO_V1(corm_cache_count);
PG_FUNCTION_INFO_V1(corm_cache_clear);

/* What a call site has found out about the cache that it names. */
typedef struct CallCache
{
	CormCacheRef *ref;
	uint64		generation;		/* in which name and ref went together */
	bool		constant;		/* the name is */
} CallCache;

/* is_constant tells whether an argument is a constant of the statement. */
static bool
is_constant(FunctionCallInfo fcinfo, int argno)
{
	Node	   *call = fcinfo->flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) &&
		list_length(((FuncExpr *) call)->args) > argno &&
		IsA(list_nth(((FuncExpr *) call)->args, argno), Const);
}

/*
 * find_cache looks up the cache that argument argno names, and keeps it in
 * fn_extra.  Checks no rights.  Raises 22004, 55000 without preload, 42704.
 */
static CallCache *
find_cache(FunctionCallInfo fcinfo, int argno)
{
	CallCache  *known = (CallCache *) fcinfo->flinfo->fn_extra;
	CormCacheRef *ref = known != NULL ? known->ref : NULL;
	text	   *name;
	uint32		len;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("cache name must not be null")));
	name = PG_GETARG_TEXT_PP(argno);
	len = VARSIZE_ANY_EXHDR(name);

	if (ref == NULL || ref->generation != corm_cache_generation ||
		ref->userid != GetUserId() || ref->name_len != len ||
		memcmp(NameStr(ref->name), VARDATA_ANY(name), len) != 0)
	{
		ref = corm_cache_ref(VARDATA_ANY(name), len);
		if (known == NULL)
		{
			known = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(CallCache));
			known->constant = is_constant(fcinfo, argno);
			fcinfo->flinfo->fn_extra = known;
		}
		known->ref = ref;
		known->generation = ref->generation;
	}
	return known;
}

/*
 * get_cache returns the cache that argument argno names, after checking rights.
 * Raises 22004, 55000 without preload or if the cache is closed, 42704, 42501.
 */
static inline CormCacheRef *
get_cache(FunctionCallInfo fcinfo, int argno, bool read, bool write)
{
	CallCache  *known = (CallCache *) fcinfo->flinfo->fn_extra;
	CormCacheRef *ref;

	if (unlikely(known == NULL || !known->constant ||
				 known->generation != corm_cache_generation ||
				 known->ref->generation != corm_cache_generation ||
				 known->ref->userid != GetUserId()))
		known = find_cache(fcinfo, argno);
	ref = known->ref;
	if (unlikely((read && !ref->can_read) || (write && !ref->can_write) || ref->closed))
		corm_cache_check(ref, read, write);
	return ref;
}

/* check_key raises 54000 if a key is too long. */
static inline void
check_key(uint32 len)
{
	if (unlikely(len > CORM_KEY_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cache key of %u bytes is too long", len),
				 errdetail("The limit is %d bytes.", CORM_KEY_MAX)));
}

/* get_key returns a key argument, which must not be null. */
static inline text *
get_key(FunctionCallInfo fcinfo, int argno)
{
	text	   *key;

	if (unlikely(PG_ARGISNULL(argno)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("cache key must not be null")));
	key = PG_GETARG_TEXT_PP(argno);
	check_key(VARSIZE_ANY_EXHDR(key));
	return key;
}

/* get_ttl returns a TTL argument in microseconds, or otherwise if it is null. */
static int64
get_ttl(FunctionCallInfo fcinfo, int argno, int64 otherwise)
{
	if (PG_ARGISNULL(argno))
		return otherwise;
	return corm_interval_us(PG_GETARG_INTERVAL_P(argno), "ttl");
}

/* remaining returns the time until a deadline. */
static Interval *
remaining(int64 deadline)
{
	Interval   *result = palloc0(sizeof(Interval));

	result->time = Max(deadline - corm_clock_mono(), 0);
	return result;
}

/* cache_get(key, cache) -> text */
Datum
corm_cache_get(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 1, true, false);
	CormFound	found;

	if (!corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true, &found))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(corm_cached_text(&found.value));
}

/* cache_get_as(t anyelement, key, cache) -> anyelement */
Datum
corm_cache_get_as(PG_FUNCTION_ARGS)
{
	Oid			wanted = get_fn_expr_argtype(fcinfo->flinfo, 0);
	text	   *key = get_key(fcinfo, 1);
	CormCacheRef *ref = get_cache(fcinfo, 2, true, false);
	CormFound	found;

	if (!corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true, &found))
		PG_RETURN_NULL();
	if (found.value.type != wanted && !IsBinaryCoercible(found.value.type, wanted))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("value of cache key \"%s\" is of type %s, not %s",
						text_to_cstring(key), format_type_be(found.value.type),
						format_type_be(wanted))));
	return corm_flat_datum(&found.value, corm_type_info(found.value.type));
}

/*
 * attach_depends puts what a value depends on behind it.  The caller may have computed it
 * from what any statement of this transaction has read.  So it returns false, and the
 * value must not be stored, if one of the tables has changed since the transaction began,
 * or is being changed; or if the value is to be seen by others at once, and this
 * transaction has written something that it may be made from.  Raises 0A000 for tables
 * that cannot be followed.
 *
 * The times that are compared are those of the server's clock.
 */
static bool
attach_depends(CormFollow *follow, bool immediate, CormCached *value)
{
	if (follow->why != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("an entry cannot depend on what is given as depends"),
				 errdetail_internal("%s", follow->why)));
	if (!corm_versions_available() ||
		(immediate && TransactionIdIsValid(GetTopTransactionIdIfAny())) ||
		corm_follow_begin(follow) != CORM_FRESH_KNOWN ||
		corm_cells_changed(follow->depends->cells, follow->depends->n) >= GetCurrentTransactionStartTimestamp())
		return false;
	corm_follow_attach(follow, value);
	return true;
}

/* put does the work of cache_set, cache_add and cache_replace, whose arguments it takes. */
static bool
put(FunctionCallInfo fcinfo, CormPutMode mode)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 3, false, true);
	int64		ttl = get_ttl(fcinfo, 2, ref->ttl);
	bool		immediate = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	CormFollow	follow = {0};
	CormCached	value;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a null value cannot be cached"),
				 errhint("Use corm.cache_delete to remove an entry.")));
	corm_cached_flatten(PG_GETARG_DATUM(1), get_fn_expr_argtype(fcinfo->flinfo, 1), &value);
	if (mode == CORM_PUT_SET)
		corm_follow_argument(fcinfo, 5, &follow);
	if (follow.tables != NIL)
	{
		if (!attach_depends(&follow, immediate, &value))
		{
			CormFound	unused;

			(void) corm_cache_op_delete(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), immediate, &unused);
			return false;
		}
	}
	return corm_cache_op_put(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), &value,
							 corm_deadline(ttl), mode, immediate);
}

/* cache_set(key, value, ttl, cache, immediate, depends) -> void */
Datum
corm_cache_set(PG_FUNCTION_ARGS)
{
	put(fcinfo, CORM_PUT_SET);
	PG_RETURN_VOID();
}

/* cache_add(key, value, ttl, cache, immediate) -> boolean */
Datum
corm_cache_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(put(fcinfo, CORM_PUT_ADD));
}

/* cache_replace(key, value, ttl, cache, immediate) -> boolean */
Datum
corm_cache_replace(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(put(fcinfo, CORM_PUT_REPLACE));
}

/* cache_delete(key, cache, immediate) -> text */
Datum
corm_cache_delete(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 1, false, true);
	bool		immediate = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	CormFound	found;

	if (!corm_cache_op_delete(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), immediate, &found))
		PG_RETURN_NULL();

	/* A role that may write but not read can delete an entry, but not see it. */
	if (!ref->can_read)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(corm_cached_text(&found.value));
}

/* cache_exists(key, cache) -> boolean */
Datum
corm_cache_exists(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 1, true, false);
	CormFound	found;

	PG_RETURN_BOOL(corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), false, &found));
}

/* cache_ttl(key, cache) -> interval */
Datum
corm_cache_ttl(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 1, true, false);
	CormFound	found;

	if (!corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), false, &found) ||
		found.deadline == CORM_NEVER)
		PG_RETURN_NULL();
	PG_RETURN_INTERVAL_P(remaining(found.deadline));
}

/* cache_expire(key, ttl, cache) -> boolean */
Datum
corm_cache_expire(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 2, false, true);
	int64		deadline;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ttl must not be null"),
				 errhint("Use corm.cache_persist to make an entry last.")));
	deadline = corm_deadline(get_ttl(fcinfo, 1, 0));
	PG_RETURN_BOOL(corm_cache_op_touch(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), deadline));
}

/* cache_persist(key, cache) -> boolean */
Datum
corm_cache_persist(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 1, false, true);

	PG_RETURN_BOOL(corm_cache_op_touch(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), CORM_NEVER));
}

/* cache_info(key, cache) -> (found, type, bytes, ttl, created_at) */
Datum
corm_cache_info(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 1, true, false);
	CormFound	found;
	TupleDesc	desc;
	Datum		values[5] = {0};
	bool		nulls[5] = {false, true, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	if (corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), false, &found))
	{
		values[0] = BoolGetDatum(true);
		values[1] = ObjectIdGetDatum(found.value.type);
		values[2] = Int64GetDatum(found.value.len);
		values[4] = TimestampTzGetDatum(found.created);
		nulls[1] = nulls[2] = nulls[4] = false;
		if (found.deadline != CORM_NEVER)
		{
			values[3] = IntervalPGetDatum(remaining(found.deadline));
			nulls[3] = false;
		}
	}
	else
		values[0] = BoolGetDatum(false);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* count_up does the work of cache_incr and, if down, of cache_decr, whose arguments it takes. */
static int64
count_up(FunctionCallInfo fcinfo, bool down)
{
	text	   *key = get_key(fcinfo, 0);
	CormCacheRef *ref = get_cache(fcinfo, 3, true, true);
	int64		by;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("increment must not be null")));
	by = PG_GETARG_INT64(1);
	if (down && by == PG_INT64_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range")));
	return corm_cache_op_incr(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key),
							  down ? -by : by, get_ttl(fcinfo, 2, 0));
}

/* cache_incr(key, by, ttl, cache) -> bigint */
Datum
corm_cache_incr(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(count_up(fcinfo, false));
}

/* cache_decr(key, by, ttl, cache) -> bigint */
Datum
corm_cache_decr(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(count_up(fcinfo, true));
}

/* cache_get_many(keys text[], cache) -> SETOF (key, value) */
Datum
corm_cache_get_many(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CormCacheRef *ref = get_cache(fcinfo, 1, true, false);
	MemoryContext per_key;
	MemoryContext old;
	Datum	   *keys;
	bool	   *nulls;
	int			nkeys;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT,
					  &keys, &nulls, &nkeys);
	per_key = AllocSetContextCreate(CurrentMemoryContext, "corm cache key", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(per_key);
	for (int i = 0; i < nkeys; i++)
	{
		Datum		row[2];
		bool		isnull[2] = {nulls[i], true};

		CHECK_FOR_INTERRUPTS();
		row[0] = keys[i];
		row[1] = (Datum) 0;
		if (!nulls[i])
		{
			text	   *key = DatumGetTextPP(keys[i]);
			CormFound	found;

			check_key(VARSIZE_ANY_EXHDR(key));
			if (corm_cache_op_get(ref, VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), true, &found))
			{
				row[1] = PointerGetDatum(corm_cached_text(&found.value));
				isnull[1] = false;
			}
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, isnull);
		MemoryContextReset(per_key);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(per_key);
	PG_RETURN_NULL();
}

/* cache_set_many(jsonb, ttl, cache) -> bigint */
Datum
corm_cache_set_many(PG_FUNCTION_ARGS)
{
	CormCacheRef *ref = get_cache(fcinfo, 2, false, true);
	int64		deadline = corm_deadline(get_ttl(fcinfo, 1, ref->ttl));
	Jsonb	   *entries;
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	int64		count = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_INT64(0);
	entries = corm_document_arg(fcinfo, 0);
	if (!JB_ROOT_IS_OBJECT(entries))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cache entries must be a JSON object")));

	it = JsonbIteratorInit(&entries->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while ((token = JsonbIteratorNext(&it, &v, true)) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
		uint32		key_len = v.val.string.len;
		CormCached	value;

		CHECK_FOR_INTERRUPTS();
		check_key(key_len);
		(void) JsonbIteratorNext(&it, &v, true);
		if (v.type == jbvString)
			corm_cached_flatten(PointerGetDatum(cstring_to_text_with_len(v.val.string.val,
																		 v.val.string.len)),
								TEXTOID, &value);
		else
			corm_cached_flatten(JsonbPGetDatum(JsonbValueToJsonb(&v)), JSONBOID, &value);
		corm_cache_op_put(ref, key, key_len, &value, deadline, CORM_PUT_SET, false);
		count++;
		pfree(key);
	}
	PG_RETURN_INT64(count);
}

typedef struct KeysState
{
	ReturnSetInfo *rsinfo;
	text	   *pattern;		/* NULL: all */
	CormCacheRef *ref;
} KeysState;

/* emit_key adds a key to the result if it fits the pattern. */
static void
emit_key(KeysState *state, const char *key, uint32 len)
{
	Datum		row = PointerGetDatum(cstring_to_text_with_len(key, len));
	bool		isnull = false;

	if (state->pattern == NULL ||
		DatumGetBool(DirectFunctionCall2Coll(textlike, DEFAULT_COLLATION_OID, row,
											 PointerGetDatum(state->pattern))))
		tuplestore_putvalues(state->rsinfo->setResult, state->rsinfo->setDesc, &row, &isnull);
	pfree(DatumGetPointer(row));
}

/* emit_pending adds the keys that the transaction has put. */
static void
emit_pending(const char *key, uint32 len, const CormPending *pending, void *arg)
{
	KeysState  *state = (KeysState *) arg;

	if (pending->kind == CORM_PENDING_PUT &&
		(pending->found.deadline == CORM_NEVER || !corm_clock_passed(pending->found.deadline)))
		emit_key(state, key, len);
}

/* hidden tells whether the transaction's own writes hide a key of shared memory. */
static bool
hidden(const CormCacheRef *ref, const char *key, uint32 len)
{
	const CormPending *pending = corm_overlay_get(ref->id, key, len);

	if (pending == NULL)
		return false;
	if (pending->kind == CORM_PENDING_TOUCH)
		return pending->found.deadline != CORM_NEVER && corm_clock_passed(pending->found.deadline);
	return true;				/* deleted, or emitted as pending */
}

/* cache_keys(pattern, cache) -> SETOF text */
Datum
corm_cache_keys(PG_FUNCTION_ARGS)
{
	CormCacheRef *ref = get_cache(fcinfo, 1, true, false);
	bool		own_writes = corm_overlay_touches(ref->id);
	KeysState	state;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	state.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	state.pattern = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	state.ref = ref;

	if (corm_ref_attach(ref))
	{
		for (uint32 s = 0; s < CORM_SHARDS; s++)
		{
			Size		size;
			char	   *keys = corm_table_keys(ref->ns, ref->gen, s, true, &size);
			char	   *p = keys;

			while (p < keys + size)
			{
				uint16		len;

				memcpy(&len, p, sizeof(len));
				p += sizeof(len);
				if (!own_writes || !hidden(ref, p, len))
					emit_key(&state, p, len);
				p += len;
			}
			if (keys)
				pfree(keys);
			CHECK_FOR_INTERRUPTS();
		}
	}
	if (own_writes)
		corm_overlay_foreach(ref->id, emit_pending, &state);
	PG_RETURN_NULL();
}

/* cache_count(cache) -> bigint */
Datum
corm_cache_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(corm_cache_op_count(get_cache(fcinfo, 0, true, false)));
}

/* cache_clear(cache) -> bigint */
Datum
corm_cache_clear(PG_FUNCTION_ARGS)
{
	CormCacheRef *ref = get_cache(fcinfo, 0, false, true);
	int64		count = corm_cache_op_count(ref);

	corm_overlay_clear(ref);
	PG_RETURN_INT64(count);
}
