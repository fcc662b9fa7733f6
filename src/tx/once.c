/*-------------------------------------------------------------------------
 *
 * once.c
 *		Idempotency: corm.once, corm.once_forget, corm.once_purge.
 *
 * corm.once runs a body in the current transaction and stores its result under
 * a key of the current role, in corm.once_results.  The row is part of the same
 * transaction, so it exists exactly if the body's work does.
 *
 * Two calls with one key.  A call takes a lock on the hash of role and key
 * before it runs the body, and releases it when the row is stored: from then on
 * the row itself, committed or not, is what others find.  So a transaction that
 * uses many keys does not fill the lock table.  Who holds the lock looks for the
 * row with a dirty snapshot, and waits for the transaction that has written or
 * deleted it, as a unique index does.  Both waits are seen by the deadlock
 * detector.  After an error the lock goes with the (sub)transaction.
 *
 * A row that is newer than the snapshot of a REPEATABLE READ or SERIALIZABLE
 * transaction is a serialization failure, as it is for INSERT ... ON CONFLICT:
 * its result would be about rows which that transaction cannot see.
 *
 * Nobody but the extension's owner has rights to write the table: this file does
 * it for all roles, each its own rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/params.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "tx/body.h"
#include "tx/tx.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define ONCE_TABLE		"once_results"
#define ONCE_INDEX		"once_results_pkey"

/* Columns of corm.once_results */
enum
{
	Anum_once_role = 1,
	Anum_once_key,
	Anum_once_result,
	Anum_once_created_at,
	Natts_once = Anum_once_created_at
};

/* A key is part of an index entry. */
#define MAX_KEY_BYTES	1024

/* Advisory locks use 1 and 2 in this field of the tag. */
#define LOCK_CLASS		0xC1

/* A call whose body is running in this session. */
typedef struct OnceCall
{
	struct OnceCall *outer;
	Oid			role;
	text	   *key;
} OnceCall;

/* What is stored under a key. */
typedef struct OnceRow
{
	ItemPointerData tid;
	Jsonb	   *result;			/* palloc'd; NULL: the body returned no rows */
} OnceRow;

static OnceCall *running = NULL;

PG_FUNCTION_INFO_V1(corm_once);
PG_FUNCTION_INFO_V1(corm_once_forget);
PG_FUNCTION_INFO_V1(corm_once_purge);

/* get_key returns the key that is the first argument.  Raises 22004 and 54000. */
static text *
get_key(FunctionCallInfo fcinfo)
{
	text	   *key;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("key must not be null")));
	key = PG_GETARG_TEXT_PP(0);
	if (VARSIZE_ANY_EXHDR(key) > MAX_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key is too long"),
				 errdetail("It has %d bytes, the limit is %d.", (int) VARSIZE_ANY_EXHDR(key), MAX_KEY_BYTES)));
	return key;
}

/* open_catalog opens the table, in the way that its writers need it. */
static Relation
open_catalog(LOCKMODE mode)
{
	Relation	rel = corm_catalog_open(ONCE_TABLE, mode, NULL);

	if (rel == NULL)
		corm_catalog_missing(ONCE_TABLE);
	return rel;
}

/* set_tag makes the lock tag of a key.  Keys with the same hash share it. */
static void
set_tag(LOCKTAG *tag, Oid role, const text *key)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(key),
										   VARSIZE_ANY_EXHDR(key), role);

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, LOCK_CLASS);
}

/*
 * look_up finds the row of a key under a snapshot, and copies it to *row, without
 * the result if the snapshot is a dirty one and says that somebody is writing the
 * row.  Returns whether there is one.
 */
static bool
look_up(Oid role, text *key, Snapshot snapshot, OnceRow *row)
{
	Relation	rel = open_catalog(AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&keys[0], Anum_once_role, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	ScanKeyInit(&keys[1], Anum_once_key, BTEqualStrategyNumber, F_TEXTEQ, PointerGetDatum(key));
	scan = systable_beginscan(rel, corm_catalog_oid(ONCE_INDEX), true, snapshot, 2, keys);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		bool		isnull;
		Datum		result = heap_getattr(tuple, Anum_once_result, RelationGetDescr(rel), &isnull);

		/* what is toasted may go while the writer rolls back */
		row->tid = tuple->t_self;
		if (snapshot->snapshot_type != SNAPSHOT_DIRTY ||
			!(TransactionIdIsValid(snapshot->xmin) || TransactionIdIsValid(snapshot->xmax)))
			row->result = isnull ? NULL : DatumGetJsonbPCopy(result);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * look_up_any finds the row of a key whoever has written it, and waits for a
 * transaction that has written or deleted it and is still running.  The caller
 * holds the lock of the key.
 */
static bool
look_up_any(Oid role, text *key, OnceRow *row)
{
	for (;;)
	{
		SnapshotData dirty;
		TransactionId writer;

		InitDirtySnapshot(dirty);
		if (!look_up(role, key, &dirty, row))
			return false;
		writer = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
		if (!TransactionIdIsValid(writer))
			return true;
		CHECK_FOR_INTERRUPTS();
		XactLockTableWait(writer, NULL, NULL, XLTW_None);
	}
}

/* store adds the row of a key, whose lock the caller holds. */
static void
store(Oid role, text *key, Jsonb *result)
{
	Relation	rel = open_catalog(RowExclusiveLock);
	Datum		values[Natts_once];
	bool		nulls[Natts_once] = {false};

	values[Anum_once_role - 1] = ObjectIdGetDatum(role);
	values[Anum_once_key - 1] = PointerGetDatum(key);
	values[Anum_once_result - 1] = PointerGetDatum(result);
	nulls[Anum_once_result - 1] = result == NULL;
	values[Anum_once_created_at - 1] = TimestampTzGetDatum(corm_clock_real());
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/*
 * delete_row deletes a row, and returns false if another transaction has done so
 * meanwhile.
 */
static bool
delete_row(Relation rel, ItemPointer tid, Snapshot snapshot)
{
	TM_FailureData failure;

	return table_tuple_delete(rel, tid, GetCurrentCommandId(true), snapshot, InvalidSnapshot,
							  true, &failure, false) == TM_Ok;
}

/*
 * run_first runs the body of a call and returns what is to be stored: false if
 * nothing, because the body asked for a rollback.
 */
static bool
run_first(CormTxBodyCall *body, Oid role, text *key)
{
	CormTxClosure closure = {corm_tx_body_run, corm_tx_body_cleanup, body};
	CormTxOptions opts;
	CormTxReport report;
	CormTxOutcome outcome;
	OnceCall	call = {running, role, key};
	OnceCall   *volatile outer = running;

	corm_tx_options_init(&opts);
	running = &call;
	PG_TRY();
	{
		outcome = corm_tx_run(&opts, &closure, true, &report);
	}
	PG_FINALLY();
	{
		running = outer;
	}
	PG_END_TRY();
	return outcome == CORM_TX_COMMITTED;
}

/* check_not_running raises 55000 if this session is running the body of a key. */
static void
check_not_running(Oid role, const text *key)
{
	for (OnceCall *call = running; call != NULL; call = call->outer)
		if (call->role == role &&
			VARSIZE_ANY_EXHDR(call->key) == VARSIZE_ANY_EXHDR(key) &&
			memcmp(VARDATA_ANY(call->key), VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("key \"%s\" is in use by the call that this one is part of",
							text_to_cstring(key))));
}

/*
 * corm_once is corm.once(key, body, ...).
 */
Datum
corm_once(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo);
	Oid			role = GetUserId();
	CormTxBodyCall body = {0};
	OnceRow		row;
	text	   *sql;
	Snapshot	snapshot;
	LOCKTAG		tag;
	bool		found;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("body must not be null")));
	check_not_running(role, key);

	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	found = look_up(role, key, snapshot, &row);
	UnregisterSnapshot(snapshot);

	if (!found)
	{
		PreventCommandIfReadOnly("corm.once()");
		set_tag(&tag, role, key);
		(void) LockAcquire(&tag, ExclusiveLock, false, false);
		found = look_up_any(role, key, &row);
		if (found && IsolationUsesXactSnapshot())
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent use of key \"%s\"",
							text_to_cstring(key))));
		if (!found)
		{
			sql = PG_GETARG_TEXT_PP(1);
			body.text = VARDATA_ANY(sql);
			body.len = VARSIZE_ANY_EXHDR(sql);
			body.result_context = CurrentMemoryContext;
			corm_params_of_call(fcinfo, 2, 1, &body.params);
			row.result = NULL;
			if (run_first(&body, role, key))
			{
				row.result = body.result;
				store(role, key, row.result);
			}
		}
		LockRelease(&tag, ExclusiveLock, false);
	}

	if (row.result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(row.result);
}

/*
 * corm_once_forget is corm.once_forget(key).
 */
Datum
corm_once_forget(PG_FUNCTION_ARGS)
{
	text	   *key = get_key(fcinfo);
	Oid			role = GetUserId();
	OnceRow		row;
	LOCKTAG		tag;
	bool		found;

	PreventCommandIfReadOnly("corm.once_forget()");
	check_not_running(role, key);
	set_tag(&tag, role, key);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	found = look_up_any(role, key, &row);
	if (found)
	{
		Relation	rel = open_catalog(RowExclusiveLock);
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

		found = delete_row(rel, &row.tid, snapshot);
		UnregisterSnapshot(snapshot);
		table_close(rel, NoLock);
		CommandCounterIncrement();
	}
	LockRelease(&tag, ExclusiveLock, false);
	PG_RETURN_BOOL(found);
}

/*
 * corm_once_purge is corm.once_purge(older_than, all_roles).
 */
Datum
corm_once_purge(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"older_than", "all_roles"};
	Oid			role = GetUserId();
	Interval   *age;
	TimestampTz now = corm_clock_real();
	TimestampTz limit;
	Relation	rel;
	ScanKeyData key;
	SysScanDesc scan;
	Snapshot	snapshot;
	HeapTuple	tuple;
	bool		all;
	int64		deleted = 0;

	corm_require_args(fcinfo, names, lengthof(names));
	age = PG_GETARG_INTERVAL_P(0);
	all = PG_GETARG_BOOL(1);
	PreventCommandIfReadOnly("corm.once_purge()");
	limit = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
													TimestampTzGetDatum(now), IntervalPGetDatum(age)));
	if (limit > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must not be negative")));
	if (all && !superuser() && !corm_owns_database(MyDatabaseId, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to purge the keys of other roles"),
				 errdetail("Only superusers and the owner of the database may.")));

	rel = open_catalog(RowExclusiveLock);
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	ScanKeyInit(&key, Anum_once_role, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(rel, corm_catalog_oid(ONCE_INDEX), !all, snapshot, all ? 0 : 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		created_at = heap_getattr(tuple, Anum_once_created_at, RelationGetDescr(rel), &isnull);

		CHECK_FOR_INTERRUPTS();
		if (DatumGetTimestampTz(created_at) <= limit && delete_row(rel, &tuple->t_self, snapshot))
			deleted++;
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	PG_RETURN_INT64(deleted);
}
