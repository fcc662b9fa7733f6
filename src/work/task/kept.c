/*-------------------------------------------------------------------------
 *
 * kept.c
 *		Durable tasks that have succeeded and are kept for a while.
 *
 * The row of a durable task goes when it succeeds.  If it is to be kept, one of
 * corm.kept_tasks comes in its place, in the same transaction.  Nobody sees that any more when its
 * time is over; the next task that is kept removes some of those.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "work/task/kept.h"

#define KEPT_TABLE		"kept_tasks"

/* So many whose time is over are removed at a time. */
#define MAX_REMOVED		10

/* Columns of corm.kept_tasks */
enum
{
	Anum_kept_id = 1,
	Anum_kept_pool,
	Anum_kept_name,
	Anum_kept_priority,
	Anum_kept_attempt,
	Anum_kept_max_attempts,
	Anum_kept_unique_key,
	Anum_kept_key,
	Anum_kept_session_role,
	Anum_kept_user_role,
	Anum_kept_body,
	Anum_kept_submitted_at,
	Anum_kept_run_at,
	Anum_kept_started_at,
	Anum_kept_finished_at,
	Anum_kept_value,
	Anum_kept_until,
	Natts_kept = Anum_kept_until
};

/* remove_old removes some rows whose time is over. */
static void
remove_old(Relation rel)
{
	Relation	index = index_open(corm_catalog_oid("kept_tasks_until"), AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_kept_until, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(corm_clock_real()));
	scan = systable_beginscan_ordered(rel, index, NULL, 1, &key);
	for (int i = 0; i < MAX_REMOVED && HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)); i++)
	{
		TM_FailureData failure;

		/* one that another worker is removing is left to that */
		(void) heap_delete(rel, &tuple->t_self, GetCurrentCommandId(true), InvalidSnapshot, false, &failure, false);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
}

/* set_string sets a column to a string, or to null for NULL and "". */
static void
set_string(Datum *values, bool *nulls, int attnum, const char *string)
{
	nulls[attnum - 1] = string == NULL || string[0] == '\0';
	if (!nulls[attnum - 1])
		values[attnum - 1] = CStringGetTextDatum(string);
}

/* corm_kept_task_add keeps a task that has succeeded now. */
void
corm_kept_task_add(const CormDurable *durable)
{
	Relation	rel = corm_catalog_open(KEPT_TABLE, RowExclusiveLock, NULL);
	Datum		values[Natts_kept] = {0};
	bool		nulls[Natts_kept] = {false};

	if (rel == NULL)
		corm_catalog_missing(KEPT_TABLE);
	values[Anum_kept_id - 1] = Int64GetDatum(durable->id);
	set_string(values, nulls, Anum_kept_pool, durable->opts.pool);
	set_string(values, nulls, Anum_kept_name, durable->opts.name);
	values[Anum_kept_priority - 1] = Int32GetDatum(durable->opts.priority);
	values[Anum_kept_attempt - 1] = Int32GetDatum(durable->attempt);
	values[Anum_kept_max_attempts - 1] = Int32GetDatum(durable->opts.max_attempts);
	set_string(values, nulls, Anum_kept_unique_key, durable->opts.unique_key);
	set_string(values, nulls, Anum_kept_key, durable->opts.key);
	values[Anum_kept_session_role - 1] = ObjectIdGetDatum(durable->session_user);
	values[Anum_kept_user_role - 1] = ObjectIdGetDatum(durable->user);
	values[Anum_kept_body - 1] = CStringGetTextDatum(durable->body);
	values[Anum_kept_submitted_at - 1] = TimestampTzGetDatum(durable->submitted_at);
	values[Anum_kept_run_at - 1] = TimestampTzGetDatum(durable->run_at);
	values[Anum_kept_started_at - 1] = TimestampTzGetDatum(durable->started_at);
	values[Anum_kept_finished_at - 1] = TimestampTzGetDatum(durable->finished_at);
	nulls[Anum_kept_value - 1] = durable->value == NULL;
	if (durable->value != NULL)
		values[Anum_kept_value - 1] = JsonbPGetDatum(durable->value);
	values[Anum_kept_until - 1] = TimestampTzGetDatum(durable->finished_at + durable->opts.keep_us);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	CommandCounterIncrement();
	remove_old(rel);
	table_close(rel, NoLock);
}

/* get_string returns a column as a string; NULL for null. */
static char *
get_string(const Datum *values, const bool *nulls, int attnum)
{
	return nulls[attnum - 1] ? NULL : TextDatumGetCString(values[attnum - 1]);
}

/* read_row makes a CormDurable of a row.  Returns false if its time is over. */
static bool
read_row(Relation rel, HeapTuple tuple, CormDurable *durable)
{
	Datum		values[Natts_kept];
	bool		nulls[Natts_kept];
	char	   *name;

	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	if (DatumGetTimestampTz(values[Anum_kept_until - 1]) <= corm_clock_real())
		return false;
	memset(durable, 0, sizeof(CormDurable));
	corm_task_options_init(&durable->opts);
	durable->kept = true;
	durable->id = DatumGetInt64(values[Anum_kept_id - 1]);
	strlcpy(durable->opts.pool, get_string(values, nulls, Anum_kept_pool), NAMEDATALEN);
	name = get_string(values, nulls, Anum_kept_name);
	strlcpy(durable->opts.name, name ? name : "", NAMEDATALEN);
	durable->opts.priority = DatumGetInt32(values[Anum_kept_priority - 1]);
	durable->attempt = DatumGetInt32(values[Anum_kept_attempt - 1]);
	durable->opts.max_attempts = DatumGetInt32(values[Anum_kept_max_attempts - 1]);
	durable->opts.unique_key = get_string(values, nulls, Anum_kept_unique_key);
	durable->opts.key = get_string(values, nulls, Anum_kept_key);
	durable->session_user = DatumGetObjectId(values[Anum_kept_session_role - 1]);
	durable->user = DatumGetObjectId(values[Anum_kept_user_role - 1]);
	durable->body = get_string(values, nulls, Anum_kept_body);
	durable->submitted_at = DatumGetTimestampTz(values[Anum_kept_submitted_at - 1]);
	durable->run_at = DatumGetTimestampTz(values[Anum_kept_run_at - 1]);
	durable->started_at = DatumGetTimestampTz(values[Anum_kept_started_at - 1]);
	durable->finished_at = DatumGetTimestampTz(values[Anum_kept_finished_at - 1]);
	if (!nulls[Anum_kept_value - 1])
		durable->value = DatumGetJsonbPCopy(values[Anum_kept_value - 1]);
	return true;
}

/* begin_scan begins to look for the row of a task. */
static SysScanDesc
begin_scan(Relation rel, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_kept_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	return systable_beginscan(rel, corm_catalog_oid("kept_tasks_pkey"), true, NULL, 1, &key);
}

/* corm_kept_task_read reads the row of a task that is kept.  Returns false if there is none. */
bool
corm_kept_task_read(int64 id, CormDurable *durable)
{
	Relation	rel = corm_catalog_open(KEPT_TABLE, AccessShareLock, NULL);
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (rel == NULL)
		return false;
	scan = begin_scan(rel, id);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple) && read_row(rel, tuple, durable);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* corm_kept_task_each visits the tasks that are kept, until visit returns false. */
void
corm_kept_task_each(bool (*visit) (CormDurable *durable, void *arg), void *arg)
{
	Relation	rel = corm_catalog_open(KEPT_TABLE, AccessShareLock, NULL);
	MemoryContext context;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		go_on = true;

	if (rel == NULL)
		return;
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	context = AllocSetContextCreate(CurrentMemoryContext, "corm kept task", ALLOCSET_DEFAULT_SIZES);
	while (go_on && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		CormDurable durable;

		CHECK_FOR_INTERRUPTS();
		if (read_row(rel, tuple, &durable))
			go_on = visit(&durable, arg);
		MemoryContextSwitchTo(oldcontext);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* corm_kept_task_delete deletes the row of a task that is kept.  Returns false if there is none. */
bool
corm_kept_task_delete(int64 id)
{
	Relation	rel = corm_catalog_open(KEPT_TABLE, RowExclusiveLock, NULL);
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (rel == NULL)
		return false;
	scan = begin_scan(rel, id);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		CatalogTupleDelete(rel, &tuple->t_self);
	systable_endscan(scan);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return found;
}
