/*-------------------------------------------------------------------------
 *
 * pools.c
 *		Task pools: their definitions, and who may use them.
 *
 * A pool is defined by a row of corm.pool_definitions, and rows of corm.pool_grants
 * say who besides its owner may submit to it or manage it.  So definitions are
 * transactional and dumped.  Users cannot write these tables; the SQL functions do
 * (pool_admin.c).  The pool "default" exists without a row, and PUBLIC may submit to
 * it; it gets rows when that is changed.
 *
 * What is in a pool is in shared memory (queue.c), by the ID of the definition, which
 * is random and never used again.  An entry there is made when a pool is first used,
 * and has the settings of the newest version of the definition that any session has
 * used or committed.  Whether a pool is closed or paused is known there alone, so
 * that it holds for everybody at once, and not after a restart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/grants.h"
#include "base/guc.h"
#include "base/owners.h"
#include "base/schema.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "work/task/pool_admin.h"
#include "work/task/pools.h"
#include "work/task/queue.h"

#define MAX_RUNNING 256

/*
 * corm_pool_try_find fills in *ref for the pool of a name, and returns whether there is
 * one.  No right is checked.
 */
bool
corm_pool_try_find(const char *name, CormPoolRef *ref)
{
	Relation	rel = corm_catalog_require("pool_definitions", AccessShareLock, NULL);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, Anum_pool_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan(rel, corm_catalog_oid("pool_definitions_pkey"), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	memset(ref, 0, sizeof(CormPoolRef));
	strlcpy(ref->name, name, NAMEDATALEN);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		Datum		values[Natts_pool];
		bool		nulls[Natts_pool];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		ref->stored = true;
		ref->id = DatumGetInt64(values[Anum_pool_id - 1]);
		ref->version = DatumGetInt32(values[Anum_pool_version - 1]);
		ref->owner = DatumGetObjectId(values[Anum_pool_owner - 1]);
		ref->workers = DatumGetInt32(values[Anum_pool_workers - 1]);
		ref->capacity = DatumGetInt32(values[Anum_pool_capacity - 1]);
		ref->max_attempts = DatumGetInt32(values[Anum_pool_max_attempts - 1]);
		ref->timeout_ms = nulls[Anum_pool_timeout - 1] ? 0 :
			corm_pool_timeout_ms(DatumGetIntervalP(values[Anum_pool_timeout - 1]));
		ref->ttl_us = corm_pool_ttl_us(DatumGetIntervalP(values[Anum_pool_result_ttl - 1]));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	if (!found && strcmp(name, "default") == 0)
	{
		ref->id = CORM_DEFAULT_POOL_ID;
		ref->version = 1;
		ref->owner = corm_database_owner();
		ref->workers = CORM_POOL_WORKERS;
		ref->capacity = CORM_POOL_CAPACITY;
		ref->max_attempts = 1;
		ref->ttl_us = CORM_POOL_TTL_US;
		found = true;
	}
	return found;
}

/* corm_pool_find is corm_pool_try_find, but raises 42704. */
void
corm_pool_find(const char *name, CormPoolRef *ref)
{
	if (!corm_pool_try_find(name, ref))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pool \"%s\" does not exist", name)));
}

/* corm_pool_may tells whether the current role has a privilege on a pool. */
bool
corm_pool_may(const CormPoolRef *ref, int privilege)
{
	Relation	rel;
	int			held;

	if (has_privs_of_role(GetUserId(), ref->owner))
		return true;
	if (privilege & CORM_POOL_OWN)
		return false;
	if (!ref->stored)
		return (privilege & CORM_POOL_SUBMIT) != 0;
	rel = corm_catalog_require("pool_grants", AccessShareLock, NULL);
	held = corm_grants_held(rel, ref->name, GetUserId());
	table_close(rel, AccessShareLock);
	return (held & privilege) != 0;
}

/* corm_pool_check raises 42501 unless the current role has a privilege on a pool. */
void
corm_pool_check(const CormPoolRef *ref, int privilege)
{
	if (corm_pool_may(ref, privilege))
		return;
	if (privilege & CORM_POOL_OWN)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of pool \"%s\"", ref->name)));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for pool \"%s\"", ref->name)));
}

/*
 * corm_pool_number returns the number of a pool in shared memory, where it has the
 * settings of its definition then.  Raises 53400 if there are too many pools.
 */
int
corm_pool_number(const CormPoolRef *ref)
{
	int			number;

	corm_queue_lock();
	number = corm_queue_pool(MyDatabaseId, ref->id, true);
	if (number >= 0 && corm_pools[number].version < ref->version)
	{
		CormPool   *pool = &corm_pools[number];

		pool->version = ref->version;
		strlcpy(pool->name, ref->name, NAMEDATALEN);
		pool->workers = ref->workers;
		pool->capacity = ref->capacity;
		pool->ttl_us = ref->ttl_us;
		if (pool->blocked > 0)
			ConditionVariableBroadcast(&pool->room);
		corm_queue_wake_pool(number);
	}
	corm_queue_unlock();
	if (number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many pools are in use"),
				 errdetail("The server can have %d.", corm_max_pools),
				 errhint("Drop one, or increase corm.max_pools and restart the server.")));
	return number;
}

/* What is to be cancelled. */
typedef struct Running
{
	int			pool;
	int			n;
	CormWorkerRef refs[MAX_RUNNING];
} Running;

/* cancel_of_pool cancels a task if it is in the pool and has not ended. */
static void
cancel_of_pool(CormBlockId block, void *arg)
{
	Running    *running = arg;
	CormWorkerRef ref;

	if (corm_task_at(block)->pool != running->pool || corm_task_has_ended(corm_task_at(block)))
		return;
	if (corm_task_at(block)->durable)
		corm_queue_put_back(block, &ref);
	else
		corm_queue_cancel(block, &ref);
	if (ref.slot >= 0 && running->n < MAX_RUNNING)
		running->refs[running->n++] = ref;
}

/* corm_pool_empty cancels whatever is in a pool.  Raises nothing. */
void
corm_pool_empty(int pool)
{
	Running		running = {pool, 0};

	corm_queue_lock();
	corm_queue_each(cancel_of_pool, &running);
	corm_queue_unlock();
	for (int i = 0; i < running.n; i++)
		corm_worker_cancel(running.refs[i]);
}
