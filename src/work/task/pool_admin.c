/*-------------------------------------------------------------------------
 *
 * pool_admin.c
 *		SQL functions that define task pools, grant them, close and pause them.
 *
 * Definitions and grants are rows, written for users who have no rights on the
 * tables, after checks: any role may create a pool, its owner may do the rest, and
 * roles with the privilege manage may close, open, pause and resume it.  A writer
 * takes a lock on the name of the pool to the end of the transaction, and then reads
 * again what it read before.
 *
 * Closing and pausing is in shared memory, at once and for everybody, because the
 * caller is going to wait for what it does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/effects.h"
#include "base/grants.h"
#include "base/guc.h"
#include "base/new_id.h"
#include "base/schema.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/shared/waiting.h"
#include "work/task/load.h"
#include "work/task/pool_admin.h"
#include "work/task/pools.h"
#include "work/task/queue.h"
#include "work/task/schedule.h"

PG_FUNCTION_INFO_V1(corm_pool_create);
PG_FUNCTION_INFO_V1(corm_pool_alter);
PG_FUNCTION_INFO_V1(corm_pool_drop);
PG_FUNCTION_INFO_V1(corm_pool_grant);
PG_FUNCTION_INFO_V1(corm_pool_revoke);
PG_FUNCTION_INFO_V1(corm_pool_close);
PG_FUNCTION_INFO_V1(corm_pool_open);
PG_FUNCTION_INFO_V1(corm_pool_pause);
PG_FUNCTION_INFO_V1(corm_pool_resume);

/* What becomes of a pool in shared memory when the transaction commits. */
typedef struct PoolEffect
{
	CormEffect	effect;
	CormPoolRef ref;
	bool		drop;
} PoolEffect;

static uint32 wait_event = 0;

/*
 * Effects
 */

static void
pool_reserve(CormEffect *effect)
{
}

static void
pool_discard(CormEffect *effect)
{
}

/* pool_apply gives a pool its new settings, or drops what is in it.  Raises nothing. */
static void
pool_apply(CormEffect *base)
{
	PoolEffect *effect = (PoolEffect *) base;
	int			number;

	corm_queue_lock();
	number = corm_queue_pool(MyDatabaseId, effect->ref.id, false);
	if (number >= 0)
	{
		CormPool   *pool = &corm_pools[number];

		if (effect->drop)
		{
			pool->closed = pool->dropped = true;
			pool->draining = false;
			ConditionVariableBroadcast(&pool->room);
			ConditionVariableBroadcast(&pool->idle);
		}
		else if (pool->version < effect->ref.version)
		{
			pool->version = effect->ref.version;
			pool->workers = effect->ref.workers;
			pool->capacity = effect->ref.capacity;
			pool->ttl_us = effect->ref.ttl_us;
			if (pool->blocked > 0)
				ConditionVariableBroadcast(&pool->room);
			corm_queue_wake_pool(number);
		}
	}
	corm_queue_unlock();
	if (number >= 0 && effect->drop)
	{
		corm_pool_empty(number);
		corm_queue_lock();
		corm_queue_free_pool_if_idle(number);
		corm_queue_unlock();
	}
}

static const CormEffectOps pool_ops = {
	.reserve = pool_reserve,
	.apply = pool_apply,
	.discard = pool_discard,
	.deed = "changed task pools",
	.late = true,
};

/* at_commit notes what becomes of a pool in shared memory. */
static void
at_commit(const CormPoolRef *ref, bool drop)
{
	PoolEffect *effect = MemoryContextAllocZero(TopTransactionContext, sizeof(PoolEffect));

	effect->ref = *ref;
	effect->drop = drop;
	corm_effect_add(&effect->effect, &pool_ops);
}

/*
 * Arguments
 */

/* get_name returns the name of a pool that is the first argument. */
static char *
get_name(FunctionCallInfo fcinfo)
{
	corm_work_require("a task pool");
	return corm_name_arg(fcinfo, 0, "pool name");
}

/* corm_pool_timeout_ms returns the timeout of a pool's tasks in milliseconds; 0 for none.  Raises 22023. */
int
corm_pool_timeout_ms(const Interval *timeout)
{
	int64		us = corm_work_interval_us(timeout, "timeout");

	if (us > (int64) INT_MAX * 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timeout is out of range"),
				 errdetail("A timeout must be at most %d milliseconds.", INT_MAX)));
	return (int) ((us + 999) / 1000);
}

/* corm_pool_ttl_us returns for how many microseconds results are kept.  Raises 22023. */
int64
corm_pool_ttl_us(const Interval *ttl)
{
	return Min(corm_work_interval_us(ttl, "result_ttl"), INT64CONST(1) << 50);
}

/* check_number raises 22023 unless a number is in its range. */
static int32
check_number(const char *what, int32 value, int32 max)
{
	if (value < 1 || value > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 1 and %d", what, max)));
	return value;
}

/*
 * set_settings puts the settings that arguments from 1 on give into a row; NULL leaves
 * one as it is.
 */
static void
set_settings(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	if (!PG_ARGISNULL(1))
		values[Anum_pool_workers - 1] = Int32GetDatum(check_number("workers", PG_GETARG_INT32(1), 10000));
	if (!PG_ARGISNULL(2))
		values[Anum_pool_capacity - 1] = Int32GetDatum(check_number("capacity", PG_GETARG_INT32(2), 100000000));
	if (!PG_ARGISNULL(3))
		values[Anum_pool_max_attempts - 1] = Int32GetDatum(check_number("max_attempts", PG_GETARG_INT32(3), 1000000));
	if (!PG_ARGISNULL(4))
	{
		nulls[Anum_pool_timeout - 1] = corm_pool_timeout_ms(PG_GETARG_INTERVAL_P(4)) == 0;
		values[Anum_pool_timeout - 1] = PG_GETARG_DATUM(4);
	}
	if (!PG_ARGISNULL(5))
	{
		(void) corm_pool_ttl_us(PG_GETARG_INTERVAL_P(5));
		values[Anum_pool_result_ttl - 1] = PG_GETARG_DATUM(5);
	}
}

/*
 * Rows
 */

/* corm_pool_lock takes a lock on the name of a pool to the end of the transaction; ShareLock keeps it from being dropped. */
void
corm_pool_lock(const char *name, LOCKMODE mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, corm_catalog_oid("pool_definitions"),
					   hash_bytes((const unsigned char *) name, strlen(name)), 0);
	(void) LockAcquire(&tag, mode, false, false);
	AcceptInvalidationMessages();
}

/* find_row returns a copy of the row of a pool, or NULL. */
static HeapTuple
find_row(Relation rel, const char *name)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pool_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/* default_values fills in the row that the pool "default" would have. */
static void
default_values(const CormPoolRef *ref, Datum *values, bool *nulls)
{
	Interval   *ttl = palloc0(sizeof(Interval));

	memset(nulls, false, Natts_pool * sizeof(bool));
	ttl->time = CORM_POOL_TTL_US;
	values[Anum_pool_name - 1] = CStringGetTextDatum(ref->name);
	values[Anum_pool_id - 1] = Int64GetDatum(ref->id);
	values[Anum_pool_version - 1] = Int32GetDatum(ref->version);
	values[Anum_pool_owner - 1] = ObjectIdGetDatum(ref->owner);
	values[Anum_pool_workers - 1] = Int32GetDatum(CORM_POOL_WORKERS);
	values[Anum_pool_capacity - 1] = Int32GetDatum(CORM_POOL_CAPACITY);
	values[Anum_pool_max_attempts - 1] = Int32GetDatum(1);
	nulls[Anum_pool_timeout - 1] = true;
	values[Anum_pool_result_ttl - 1] = IntervalPGetDatum(ttl);
}

/* open_grants opens corm.pool_grants. */
static Relation
open_grants(LOCKMODE mode)
{
	return corm_catalog_require("pool_grants", mode, NULL);
}

/* drop_grants deletes what was granted on a pool, to the roles that a change is about, or to all for NULL. */
static void
drop_grants(const char *pool, const CormRoleChange *change)
{
	Relation	rel = open_grants(RowExclusiveLock);

	(void) corm_grants_drop(rel, pool, change);
	table_close(rel, NoLock);
}

/* count_rows returns the number of pools of this database, those of running transactions included. */
static int
count_rows(Relation rel)
{
	SnapshotData dirty;
	SysScanDesc scan;
	int			n = 0;

	InitDirtySnapshot(dirty);
	scan = systable_beginscan(rel, InvalidOid, false, &dirty, 0, NULL);
	while (HeapTupleIsValid(systable_getnext(scan)))
		n++;
	systable_endscan(scan);
	return n;
}

/*
 * own_pool finds the pool that the first argument names, after checking that the
 * current role owns it.  The writers' lock on it is held then, and *rel is the table of
 * definitions, opened.
 */
static void
own_pool(FunctionCallInfo fcinfo, const char *function, CormPoolRef *ref, Relation *rel)
{
	char	   *name = get_name(fcinfo);

	PreventCommandIfReadOnly(function);
	corm_pool_find(name, ref);
	corm_pool_check(ref, CORM_POOL_OWN);
	*rel = corm_catalog_require("pool_definitions", RowExclusiveLock, NULL);
	corm_pool_lock(name, ExclusiveLock);
	corm_pool_find(name, ref);
	corm_pool_check(ref, CORM_POOL_OWN);
}

/* store_default stores the rows of the pool "default", which does without until it is changed. */
static void
store_default(Relation rel, CormPoolRef *ref)
{
	Datum		values[Natts_pool];
	bool		nulls[Natts_pool];
	Relation	grants;

	if (ref->stored)
		return;
	default_values(ref, values, nulls);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	CommandCounterIncrement();
	grants = open_grants(RowExclusiveLock);
	corm_grants_set(grants, ref->name, ACL_ID_PUBLIC, CORM_POOL_SUBMIT);
	table_close(grants, NoLock);
	ref->stored = true;
}

/* pool_create(name, workers, capacity, max_attempts, timeout, result_ttl) -> void */
Datum
corm_pool_create(PG_FUNCTION_ARGS)
{
	char	   *name = get_name(fcinfo);
	CormPoolRef ref;
	Relation	rel;
	Datum		values[Natts_pool];
	bool		nulls[Natts_pool];

	PreventCommandIfReadOnly("corm.pool_create()");
	corm_check_new_name("pool name", name);

	rel = corm_catalog_require("pool_definitions", RowExclusiveLock, NULL);
	corm_pool_lock(name, ExclusiveLock);
	if (corm_pool_try_find(name, &ref))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("pool \"%s\" already exists", name)));
	if (count_rows(rel) >= corm_max_pools)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many pools"),
				 errdetail("The limit is %d.", corm_max_pools),
				 errhint("Drop one, or increase corm.max_pools and restart the server.")));
	shdepLockAndCheckObject(AuthIdRelationId, GetUserId());

	memset(&ref, 0, sizeof(ref));
	strlcpy(ref.name, name, NAMEDATALEN);
	ref.id = corm_new_id(CORM_DEFAULT_POOL_ID + 1);
	ref.version = 1;
	ref.owner = GetUserId();
	default_values(&ref, values, nulls);
	set_settings(fcinfo, values, nulls);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* pool_alter(name, workers, capacity, max_attempts, timeout, result_ttl) -> void */
Datum
corm_pool_alter(PG_FUNCTION_ARGS)
{
	CormPoolRef ref;
	Relation	rel;
	HeapTuple	tuple;
	Datum		values[Natts_pool];
	bool		nulls[Natts_pool];
	HeapTuple	changed;

	own_pool(fcinfo, "corm.pool_alter()", &ref, &rel);
	store_default(rel, &ref);
	tuple = find_row(rel, ref.name);
	if (HeapTupleIsValid(tuple))
	{
		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		set_settings(fcinfo, values, nulls);
		values[Anum_pool_version - 1] = Int32GetDatum(ref.version + 1);
		changed = heap_form_tuple(RelationGetDescr(rel), values, nulls);
		changed->t_self = tuple->t_self;
		CatalogTupleUpdate(rel, &tuple->t_self, changed);
	}
	table_close(rel, NoLock);
	CommandCounterIncrement();
	corm_pool_find(ref.name, &ref);
	at_commit(&ref, false);
	PG_RETURN_VOID();
}

/* drop_pool drops a pool whose name is locked.  Raises 2BP01 if schedules use it. */
static void
drop_pool(Relation rel, const CormPoolRef *ref)
{
	HeapTuple	tuple = find_row(rel, ref->name);
	char	   *schedules = corm_schedules_of_pool(ref->name);

	if (schedules != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop pool \"%s\" because schedules use it", ref->name),
				 errdetail_internal("%s", schedules),
				 errhint("Use corm.unschedule, or corm.schedule with another pool.")));
	if (HeapTupleIsValid(tuple))
		CatalogTupleDelete(rel, &tuple->t_self);
	drop_grants(ref->name, NULL);
	CommandCounterIncrement();
	at_commit(ref, true);
}

/* pool_drop(name) -> void */
Datum
corm_pool_drop(PG_FUNCTION_ARGS)
{
	CormPoolRef ref;
	Relation	rel;

	own_pool(fcinfo, "corm.pool_drop()", &ref, &rel);
	if (ref.id == CORM_DEFAULT_POOL_ID)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop pool \"%s\" because every database has it", ref.name)));
	drop_pool(rel, &ref);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* set_owner gives a pool another owner. */
static void
set_owner(Relation rel, const CormPoolRef *ref, Oid owner)
{
	HeapTuple	tuple = find_row(rel, ref->name);
	Datum		values[Natts_pool] = {0};
	bool		nulls[Natts_pool] = {false};
	bool		replace[Natts_pool] = {false};

	if (!HeapTupleIsValid(tuple))
		return;
	shdepLockAndCheckObject(AuthIdRelationId, owner);
	values[Anum_pool_owner - 1] = ObjectIdGetDatum(owner);
	replace[Anum_pool_owner - 1] = true;
	CatalogTupleUpdate(rel, &tuple->t_self, heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace));
	CommandCounterIncrement();
}

/*
 * corm_pools_change_owners drops the pools of some roles, or gives them to another one, and takes back what
 * was granted to them.  The pool "default" cannot be dropped: it goes to the owner of the database.
 */
void
corm_pools_change_owners(const CormRoleChange *change)
{
	List	   *names = corm_names_concerned(NIL, corm_catalog_require("pool_definitions", AccessShareLock, NULL), Anum_pool_owner, change);
	Relation	rel = corm_catalog_require("pool_definitions", RowExclusiveLock, NULL);
	ListCell   *lc;

	if (change->drop_grants)
		names = corm_names_concerned(names, open_grants(AccessShareLock), Anum_grants_grantee, change);
	foreach(lc, names)
	{
		CormPoolRef ref;

		corm_pool_lock(strVal(lfirst(lc)), ExclusiveLock);
		if (!corm_pool_try_find(strVal(lfirst(lc)), &ref))
			continue;
		if (change->drop_grants)
			drop_grants(ref.name, change);
		if (!ref.stored || !corm_role_concerned(change, ref.owner))
			continue;
		if (OidIsValid(change->new_owner))
			set_owner(rel, &ref, change->new_owner);
		else if (ref.id == CORM_DEFAULT_POOL_ID)
			set_owner(rel, &ref, corm_database_owner());
		else
			drop_pool(rel, &ref);
	}
	table_close(rel, NoLock);
}

static const CormPrivilegeNames privilege_names = {
	"pool", {"submit", "manage"}, "Pool privileges are submit and manage."
};

/* change_grant does the work of pool_grant and pool_revoke. */
static void
change_grant(FunctionCallInfo fcinfo, const char *function, bool grant)
{
	static const char *const names[] = {"pool", "grantee", "privileges"};
	CormPoolRef ref;
	Relation	rel;
	Relation	grants;
	int			privileges;

	(void) get_name(fcinfo);
	corm_require_args(fcinfo, names, lengthof(names));
	privileges = corm_privileges_arg(fcinfo, 2, &privilege_names);
	own_pool(fcinfo, function, &ref, &rel);
	store_default(rel, &ref);
	grants = open_grants(RowExclusiveLock);
	corm_grants_change(grants, ref.name, PG_GETARG_OID(1), grant, privileges);
	table_close(grants, NoLock);
	table_close(rel, NoLock);
}

/* pool_grant(pool, grantee, privileges) -> void */
Datum
corm_pool_grant(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "corm.pool_grant()", true);
	PG_RETURN_VOID();
}

/* pool_revoke(pool, grantee, privileges) -> void */
Datum
corm_pool_revoke(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "corm.pool_revoke()", false);
	PG_RETURN_VOID();
}

/*
 * Closing and pausing
 */

/* managed_pool returns the number of the pool that the first argument names, and its definition. */
static int
managed_pool(FunctionCallInfo fcinfo, CormPoolRef *ref)
{
	corm_pool_find(get_name(fcinfo), ref);
	corm_pool_check(ref, CORM_POOL_MANAGE);
	return corm_pool_number(ref);
}

/* drop_later ends a task of a pool that is being drained and whose time has not come. */
static void
drop_later(CormBlockId block, void *arg)
{
	CormTask   *task = corm_task_at(block);

	if (task->pool != *(int *) arg || task->cancelled)
		return;
	if (task->state == CORM_TASK_SCHEDULED)
		corm_queue_end(block, CORM_TASK_CANCELLED, CORM_RESULT_CANCELLED);
	else if (task->state == CORM_TASK_RETRYING)
		corm_queue_end(block, CORM_TASK_FAILED, corm_task_more(task)->result);
}

/*
 * wait_idle waits until nothing waits or runs in a closed pool, or it is opened or
 * dropped.  Returns false if the deadline passes first.
 */
static bool
wait_idle(int number, uint32 generation, int64 deadline)
{
	CormPool   *pool = &corm_pools[number];
	bool		idle;

	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormPoolDrain");
	ConditionVariablePrepareToSleep(&pool->idle);
	for (;;)
	{
		long		pause;

		corm_queue_lock();
		idle = !pool->used || pool->generation != generation || !pool->closed ||
			(pool->waiting == 0 && pool->running == 0);
		corm_queue_unlock();
		pause = corm_work_pause(deadline);
		if (idle || pause == 0)
			break;
		(void) ConditionVariableTimedSleep(&pool->idle, pause, wait_event);
		CHECK_FOR_INTERRUPTS();
	}
	(void) ConditionVariableCancelSleep();
	return idle;
}

/* pool_close(name, drain, timeout) -> boolean */
Datum
corm_pool_close(PG_FUNCTION_ARGS)
{
	CormPoolRef ref;
	int			number = managed_pool(fcinfo, &ref);
	CormPool   *pool = &corm_pools[number];
	bool		drain = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
	int64		deadline = corm_work_deadline(fcinfo, 2, true);
	bool		closed;
	bool		paused;
	uint32		generation;

	corm_queue_lock();
	closed = pool->closed;
	paused = pool->paused;
	generation = pool->generation;
	if (!closed && !(drain && paused))
	{
		pool->closed = true;
		pool->draining = drain;
		if (drain)
			corm_queue_each(drop_later, &number);
		ConditionVariableBroadcast(&pool->room);
	}
	corm_queue_unlock();
	if (closed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool \"%s\" is already closed", ref.name)));
	if (drain && paused)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot drain pool \"%s\", which is paused", ref.name),
				 errhint("Resume it first, or close it with drain => false.")));
	if (!drain)
		corm_pool_empty(number);
	PG_RETURN_BOOL(wait_idle(number, generation, deadline));
}

/* pool_open(name) -> void */
Datum
corm_pool_open(PG_FUNCTION_ARGS)
{
	CormPoolRef ref;
	CormPool   *pool = &corm_pools[managed_pool(fcinfo, &ref)];
	bool		closed;

	corm_queue_lock();
	closed = pool->closed;
	pool->closed = pool->draining = false;
	ConditionVariableBroadcast(&pool->idle);
	corm_queue_unlock();
	if (!closed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pool \"%s\" is already open", ref.name)));
	/* its durable tasks have been put back */
	corm_load_request(MyDatabaseId);
	PG_RETURN_VOID();
}

/* pool_pause(name) -> void */
Datum
corm_pool_pause(PG_FUNCTION_ARGS)
{
	CormPoolRef ref;
	CormPool   *pool = &corm_pools[managed_pool(fcinfo, &ref)];

	corm_queue_lock();
	pool->paused = true;
	corm_queue_unlock();
	PG_RETURN_VOID();
}

/* pool_resume(name) -> void */
Datum
corm_pool_resume(PG_FUNCTION_ARGS)
{
	CormPoolRef ref;
	int			number = managed_pool(fcinfo, &ref);

	corm_queue_lock();
	corm_pools[number].paused = false;
	corm_queue_wake_pool(number);
	corm_queue_unlock();
	PG_RETURN_VOID();
}
