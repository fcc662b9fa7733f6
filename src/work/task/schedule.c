/*-------------------------------------------------------------------------
 *
 * schedule.c
 *		Schedules: tasks that are submitted again and again.
 *
 * A schedule is a row of corm.schedule_definitions and a durable task, its ticker, that
 * waits for the next time.  When the ticker runs, it submits the task of the schedule
 * and the next ticker, and updates the row, all in one transaction, as the role that
 * has made the schedule: so no time is lost or done twice, after a crash too, and
 * whatever is true of durable tasks is true of schedules.
 *
 * The row names its ticker.  A ticker that is not that one any more, because the
 * schedule was dropped or replaced, does nothing.
 *
 * A schedule cannot go on without its ticker, so nobody can cancel or forget that task, and the pool
 * that it uses cannot be dropped.  If it has failed all the same, for example because the pool is
 * missing in a restored database, corm.schedules shows its error.
 *
 * What keeps runs from piling up is the unique key of the tasks, which are called like
 * the schedule.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/schema.h"
#include "catalog/indexing.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "work/task/cron.h"
#include "work/task/pool_admin.h"
#include "work/task/queue.h"
#include "work/task/run.h"
#include "work/task/schedule.h"
#include "work/task/submit.h"
#include "work/task/task.h"

PG_FUNCTION_INFO_V1(corm_schedule);
PG_FUNCTION_INFO_V1(corm_unschedule);
PG_FUNCTION_INFO_V1(corm_schedule_tick);

#define SCHEDULE_TABLE	"schedule_definitions"

/* A run that is later than this was missed. */
#define GRACE_US		(INT64CONST(60) * USECS_PER_SEC)

#define TICKER_ATTEMPTS	1000000

/* Columns of corm.schedule_definitions */
enum
{
	Anum_schedule_name = 1,
	Anum_schedule_owner,
	Anum_schedule_spec,
	Anum_schedule_timezone,
	Anum_schedule_overlap,
	Anum_schedule_missed,
	Anum_schedule_options,
	Anum_schedule_body,
	Anum_schedule_ticker,
	Anum_schedule_next_run,
	Anum_schedule_last_run,
	Anum_schedule_runs,
	Anum_schedule_skipped,
	Anum_schedule_error,
	Natts_schedule = Anum_schedule_error
};

/* open_table opens the table. */
static Relation
open_table(LOCKMODE mode)
{
	return corm_catalog_require(SCHEDULE_TABLE, mode, NULL);
}

/* lock_name takes the writers' lock on the name of a schedule to the end of the transaction. */
static void
lock_name(Relation rel, const char *name)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationGetRelid(rel),
					   hash_bytes((const unsigned char *) name, strlen(name)), 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* find_row returns a copy of the row of a schedule, or NULL. */
static HeapTuple
find_row(Relation rel, const char *name)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_schedule_name, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(name));
	scan = systable_beginscan(rel, corm_catalog_oid("schedule_definitions_pkey"), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/* check_owner raises 42501 unless the current role has the rights of a schedule's owner. */
static void
check_owner(const char *name, Oid owner)
{
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of schedule \"%s\"", name)));
}

/* get_zone returns the time zone of a name.  Raises 22023. */
static pg_tz *
get_zone(const char *name)
{
	pg_tz	   *tz = pg_tzset(name);

	if (tz == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name)));
	return tz;
}

/* next_time returns when a schedule is due after a time.  Raises 22023 if that is never. */
static TimestampTz
next_time(const char *spec, const char *zone, TimestampTz after)
{
	CormCron	cron;
	TimestampTz next;

	corm_cron_parse(spec, &cron);
	if (!corm_cron_next(&cron, after, get_zone(zone), &next))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schedule \"%s\" is never due", spec)));
	return next;
}

/* submit_ticker submits the task that waits for the next time, and returns its ID. */
static int64
submit_ticker(const char *name, const char *pool, TimestampTz at)
{
	CormTaskOptions opts;
	CormParams	params = {0};
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);
	bool		isnull = false;
	static const char body[] = "SELECT corm.schedule_tick($1)";

	corm_task_options_init(&opts);
	strlcpy(opts.pool, pool, NAMEDATALEN);
	snprintf(opts.name, NAMEDATALEN, "schedule %.*s", pg_mbcliplen(name, strlen(name), NAMEDATALEN - 10), name);
	opts.durable = true;
	opts.run_at = at;
	opts.max_attempts = TICKER_ATTEMPTS;
	opts.max_backoff_us = USECS_PER_MINUTE;
	opts.priority = PG_INT32_MAX;
	params.n = 1;
	params.types = &type;
	params.values = &value;
	params.nulls = &isnull;
	return corm_task_submit(&opts, body, strlen(body), &params);
}

/*
 * end_ticker ends the task that a schedule waits with.  Its row goes with the schedule's, unless the task runs: then
 * it waits for the lock on the schedule's name, and will find that there is nothing to do.
 */
static void
end_ticker(int64 id)
{
	CormDurable durable;
	CormDurable *kept;

	if (corm_durable_task_begin(id, &kept) == CORM_DURABLE_BEGUN ||
		(corm_durable_task_read(id, &durable) && (durable.failed || durable.foreign)))
		(void) corm_durable_task_delete(id);
	corm_submit_cancel_at_commit(id);
}

/* options_of reads the options of a schedule's tasks; null for the defaults. */
static void
options_of(Datum value, bool isnull, CormTaskOptions *opts)
{
	if (isnull)
		corm_task_options_init(opts);
	else
		corm_task_options_parse(value, opts);
}

/* corm_schedules_of_pool returns the names of the schedules that use a pool, each in a line; NULL if there are none. */
char *
corm_schedules_of_pool(const char *pool)
{
	Relation	rel = corm_catalog_open(SCHEDULE_TABLE, AccessShareLock, NULL);
	StringInfoData names;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (rel == NULL)
		return NULL;
	initStringInfo(&names);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		values[Natts_schedule];
		bool		nulls[Natts_schedule];
		CormTaskOptions opts;

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		options_of(values[Anum_schedule_options - 1], nulls[Anum_schedule_options - 1], &opts);
		if (strcmp(opts.pool, pool) == 0)
			appendStringInfo(&names, "%sschedule %s", names.len > 0 ? "\n" : "",
							 TextDatumGetCString(values[Anum_schedule_name - 1]));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names.len > 0 ? names.data : NULL;
}

/*
 * corm_schedule_check_ticker raises 2BP01 if a schedule waits with a durable task; deed is what somebody
 * would do to that.
 */
void
corm_schedule_check_ticker(int64 id, const char *deed)
{
	Relation	rel = corm_catalog_open(SCHEDULE_TABLE, AccessShareLock, NULL);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *name = NULL;

	if (rel == NULL)
		return;
	ScanKeyInit(&key, Anum_schedule_ticker, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		name = TextDatumGetCString(heap_getattr(tuple, Anum_schedule_name, RelationGetDescr(rel), &isnull));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	if (name != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot %s task " INT64_FORMAT ", because schedule \"%s\" waits with it", deed, id, name),
				 errhint("Use corm.unschedule.")));
}

/* corm_schedules_drop_owned drops the schedules of some roles. */
void
corm_schedules_drop_owned(const CormRoleChange *change)
{
	Relation	rel = corm_catalog_open(SCHEDULE_TABLE, RowExclusiveLock, NULL);
	List	   *names = NIL;
	ListCell   *lc;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;

	if (rel == NULL)
		return;
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		if (corm_role_concerned(change, DatumGetObjectId(heap_getattr(tuple, Anum_schedule_owner, RelationGetDescr(rel), &isnull))))
			names = lappend(names, TextDatumGetCString(heap_getattr(tuple, Anum_schedule_name, RelationGetDescr(rel), &isnull)));
	}
	systable_endscan(scan);
	foreach(lc, names)
	{
		lock_name(rel, lfirst(lc));
		tuple = find_row(rel, lfirst(lc));
		if (!HeapTupleIsValid(tuple) ||
			!corm_role_concerned(change, DatumGetObjectId(heap_getattr(tuple, Anum_schedule_owner, RelationGetDescr(rel), &isnull))))
			continue;
		end_ticker(DatumGetInt64(heap_getattr(tuple, Anum_schedule_ticker, RelationGetDescr(rel), &isnull)));
		CatalogTupleDelete(rel, &tuple->t_self);
	}
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/* get_word returns an argument that must be one of some words. */
static const char *
get_word(FunctionCallInfo fcinfo, int argno, const char *what, const char *const *words, int n)
{
	char	   *given = PG_ARGISNULL(argno) ? pstrdup(words[0]) : text_to_cstring(PG_GETARG_TEXT_PP(argno));

	for (int i = 0; i < n; i++)
	{
		if (pg_strcasecmp(given, words[i]) == 0)
			return words[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized value \"%s\" of %s", given, what)));
}

/* schedule(name, spec, opts, body, timezone, overlap, missed) -> void */
Datum
corm_schedule(PG_FUNCTION_ARGS)
{
	static const char *const overlaps[] = {"skip", "queue_one", "parallel"};
	static const char *const misses[] = {"skip", "once"};
	char	   *name;
	char	   *spec;
	const char *zone;
	CormTaskOptions opts;
	Relation	rel;
	HeapTuple	old;
	Datum		values[Natts_schedule] = {0};
	bool		nulls[Natts_schedule] = {false};
	TimestampTz next;

	corm_work_require("a schedule");
	PreventCommandIfReadOnly("corm.schedule()");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name, specification and body of a schedule must not be null")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	spec = text_to_cstring(PG_GETARG_TEXT_PP(1));
	corm_check_new_name("schedule name", name);
	options_of(PG_GETARG_DATUM(2), PG_ARGISNULL(2), &opts);
	if (opts.unique_key != NULL || opts.delay_us >= 0 || opts.run_at != 0 || opts.immediate)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("a schedule's tasks cannot have unique_key, delay, run_at or immediate")));
	zone = PG_ARGISNULL(4) ? pg_get_timezone_name(session_timezone) : text_to_cstring(PG_GETARG_TEXT_PP(4));
	next = next_time(spec, zone, corm_clock_real());

	rel = open_table(RowExclusiveLock);
	lock_name(rel, name);
	corm_pool_lock(opts.pool, ShareLock);
	old = find_row(rel, name);
	if (HeapTupleIsValid(old))
	{
		bool		isnull;

		check_owner(name, DatumGetObjectId(heap_getattr(old, Anum_schedule_owner, RelationGetDescr(rel), &isnull)));
		end_ticker(DatumGetInt64(heap_getattr(old, Anum_schedule_ticker, RelationGetDescr(rel), &isnull)));
		CatalogTupleDelete(rel, &old->t_self);
		CommandCounterIncrement();
	}
	values[Anum_schedule_name - 1] = CStringGetTextDatum(name);
	values[Anum_schedule_owner - 1] = ObjectIdGetDatum(GetUserId());
	values[Anum_schedule_spec - 1] = CStringGetTextDatum(spec);
	values[Anum_schedule_timezone - 1] = CStringGetTextDatum(zone);
	values[Anum_schedule_overlap - 1] = CStringGetTextDatum(get_word(fcinfo, 5, "overlap", overlaps, lengthof(overlaps)));
	values[Anum_schedule_missed - 1] = CStringGetTextDatum(get_word(fcinfo, 6, "missed", misses, lengthof(misses)));
	values[Anum_schedule_options - 1] = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	nulls[Anum_schedule_options - 1] = PG_ARGISNULL(2);
	values[Anum_schedule_body - 1] = PG_GETARG_DATUM(3);
	values[Anum_schedule_ticker - 1] = Int64GetDatum(submit_ticker(name, opts.pool, next));
	values[Anum_schedule_next_run - 1] = TimestampTzGetDatum(next);
	nulls[Anum_schedule_last_run - 1] = nulls[Anum_schedule_error - 1] = true;
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	table_close(rel, NoLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* unschedule(name) -> void */
Datum
corm_unschedule(PG_FUNCTION_ARGS)
{
	char	   *name;
	Relation	rel;
	HeapTuple	tuple;
	bool		isnull;

	corm_work_require("a schedule");
	PreventCommandIfReadOnly("corm.unschedule()");
	name = corm_name_arg(fcinfo, 0, "schedule name");
	rel = open_table(RowExclusiveLock);
	lock_name(rel, name);
	tuple = find_row(rel, name);
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("schedule \"%s\" does not exist", name)));
	check_owner(name, DatumGetObjectId(heap_getattr(tuple, Anum_schedule_owner, RelationGetDescr(rel), &isnull)));
	end_ticker(DatumGetInt64(heap_getattr(tuple, Anum_schedule_ticker, RelationGetDescr(rel), &isnull)));
	CatalogTupleDelete(rel, &tuple->t_self);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/*
 * submit_run submits the task of a schedule.  Returns false if another one that has
 * not ended keeps it from running.
 */
static bool
submit_run(const char *name, const char *overlap, CormTaskOptions *opts, text *body)
{
	int			tries = strcmp(overlap, "queue_one") == 0 ? 2 : 1;

	if (opts->name[0] == '\0')
		strlcpy(opts->name, name, NAMEDATALEN);
	opts->wait_us = 0;
	if (strcmp(overlap, "parallel") == 0)
	{
		(void) corm_task_submit(opts, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), NULL);
		return true;
	}
	if (tries == 2 && opts->key == NULL)
		opts->key = psprintf("corm schedule %s", name);
	opts->on_duplicate = CORM_DUPLICATE_IGNORE;
	for (int i = 0; i < tries; i++)
	{
		int64		id;

		opts->unique_key = psprintf("corm schedule %d %s", i, name);
		id = corm_task_submit(opts, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), NULL);
		if (corm_submit_is_own(id))
			return true;
	}
	return false;
}

/*
 * try_run is submit_run in a subtransaction: an error is kept in *error, and does not
 * keep the schedule from going on.
 */
static bool
try_run(const char *name, const char *overlap, CormTaskOptions *opts, text *body, char **error)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	volatile bool submitted = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		submitted = submit_run(name, overlap, opts, body);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(oldcontext);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (edata->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(edata);
		*error = edata->message;
		submitted = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	return submitted;
}

/* schedule_tick(name) -> void: in the ticker of a schedule */
Datum
corm_schedule_tick(PG_FUNCTION_ARGS)
{
	char	   *name = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Relation	rel = open_table(RowExclusiveLock);
	HeapTuple	tuple;
	HeapTuple	changed;
	Datum		values[Natts_schedule];
	bool		nulls[Natts_schedule];
	CormTaskOptions opts;
	TimestampTz now = corm_clock_real();
	TimestampTz due;
	TimestampTz next;
	char	   *spec;
	char	   *zone;
	char	   *error = NULL;
	bool		late;

	lock_name(rel, name);
	tuple = find_row(rel, name);
	if (HeapTupleIsValid(tuple))
		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	if (!HeapTupleIsValid(tuple) || corm_task_running_id() == 0 ||
		DatumGetInt64(values[Anum_schedule_ticker - 1]) != corm_task_running_id())
	{
		table_close(rel, NoLock);
		PG_RETURN_VOID();
	}

	spec = TextDatumGetCString(values[Anum_schedule_spec - 1]);
	zone = TextDatumGetCString(values[Anum_schedule_timezone - 1]);
	due = DatumGetTimestampTz(values[Anum_schedule_next_run - 1]);
	options_of(values[Anum_schedule_options - 1], nulls[Anum_schedule_options - 1], &opts);
	late = now - due > GRACE_US && strcmp(TextDatumGetCString(values[Anum_schedule_missed - 1]), "skip") == 0;
	if (!late && try_run(name, TextDatumGetCString(values[Anum_schedule_overlap - 1]), &opts,
						 DatumGetTextPP(values[Anum_schedule_body - 1]), &error))
	{
		values[Anum_schedule_runs - 1] = Int64GetDatum(DatumGetInt64(values[Anum_schedule_runs - 1]) + 1);
		values[Anum_schedule_last_run - 1] = TimestampTzGetDatum(now);
		nulls[Anum_schedule_last_run - 1] = false;
	}
	else
		values[Anum_schedule_skipped - 1] = Int64GetDatum(DatumGetInt64(values[Anum_schedule_skipped - 1]) + 1);
	nulls[Anum_schedule_error - 1] = error == NULL;
	if (error != NULL)
		values[Anum_schedule_error - 1] = CStringGetTextDatum(error);

	/* a period goes on from when it was due, unless that is long past */
	next = next_time(spec, zone, due);
	if (next <= now)
		next = next_time(spec, zone, now);
	values[Anum_schedule_next_run - 1] = TimestampTzGetDatum(next);
	values[Anum_schedule_ticker - 1] = Int64GetDatum(submit_ticker(name, opts.pool, next));
	changed = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	changed->t_self = tuple->t_self;
	CatalogTupleUpdate(rel, &tuple->t_self, changed);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}
