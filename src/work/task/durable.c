/*-------------------------------------------------------------------------
 *
 * durable.c
 *		Durable tasks: their rows.
 *
 * A durable task is a row of corm.durable_tasks, written by the transaction that
 * submits it, and a task of the queue in shared memory like any other.  The worker
 * locks the row before it runs the body, and deletes it, or notes the failure, in the
 * same transaction: so the row says whether the body's changes are there, and no
 * state "running" is stored that somebody would have to clean up.  If the row is gone,
 * the task is not run; if another transaction has locked it, it is tried again later.
 *
 * The rows are read from one end to the other only when the server has been started
 * (load.c); after that each is found by its primary key.
 *
 * Nothing in a row depends on OIDs, except of roles, which have a type of their own:
 * parameters are text with the names of their types, settings are text.
 *
 * Users have no rights on the table; this file reads and writes it for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/schema.h"
#include "base/value.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "work/task/durable.h"

#define DURABLE_TABLE		"durable_tasks"
#define DURABLE_INDEX		"durable_tasks_pkey"
#define DURABLE_SEQUENCE	"durable_task_id"

/* Columns of corm.durable_tasks */
enum
{
	Anum_durable_id = 1,
	Anum_durable_pool,
	Anum_durable_name,
	Anum_durable_state,
	Anum_durable_priority,
	Anum_durable_run_at,
	Anum_durable_attempt,
	Anum_durable_max_attempts,
	Anum_durable_crashes,
	Anum_durable_backoff,
	Anum_durable_max_backoff,
	Anum_durable_unique_key,
	Anum_durable_key,
	Anum_durable_key_limit,
	Anum_durable_session_role,
	Anum_durable_user_role,
	Anum_durable_set_role,
	Anum_durable_security,
	Anum_durable_isolation,
	Anum_durable_read_only,
	Anum_durable_timeout,
	Anum_durable_settings,
	Anum_durable_body,
	Anum_durable_types,
	Anum_durable_parameters,
	Anum_durable_submitted_at,
	Anum_durable_sqlstate,
	Anum_durable_error,
	Anum_durable_keep,
	Anum_durable_origin,
	Natts_durable = Anum_durable_origin
};

/* open_table opens the table.  Raises 42P01 if there is none. */
static Relation
open_table(LOCKMODE mode)
{
	return corm_catalog_require(DURABLE_TABLE, mode, NULL);
}

/* begin_scan begins to look for the row of a task. */
static SysScanDesc
begin_scan(Relation rel, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_durable_id, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	return systable_beginscan(rel, corm_catalog_oid(DURABLE_INDEX), true, NULL, 1, &key);
}

/* corm_durable_task_next_id returns the ID of a new durable task. */
int64
corm_durable_task_next_id(void)
{
	Oid			sequence = corm_catalog_oid(DURABLE_SEQUENCE);

	if (!OidIsValid(sequence))
		corm_catalog_missing(DURABLE_SEQUENCE);
	return nextval_internal(sequence, false);
}

/*
 * Values and settings as text
 */

/* set_plainly sets a setting to the end of the nest level. */
static void
set_plainly(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * plain_formats sets the formats of values so that any session writes and reads them alike.
 * The caller ends the nest level that is returned.
 */
static int
plain_formats(void)
{
	int			level = NewGUCNestLevel();

	set_plainly("datestyle", "ISO");
	set_plainly("intervalstyle", "postgres");
	set_plainly("extra_float_digits", "3");
	set_plainly("array_nulls", "on");
	set_plainly("xmloption", "content");
	return level;
}

/* names_object tells whether the values of a type are names of objects: the shortest that search_path allows. */
static bool
names_object(Oid type)
{
	Oid			element = get_base_element_type(type);

	return corm_type_names_objects(getBaseType(OidIsValid(element) ? element : type));
}

/*
 * read_value calls the input function of a type, with the search_path of the task, which the CHECK of a
 * domain may rely on; but a name is read as it was written.
 */
static Datum
read_value(Oid type, char *string)
{
	bool		plainly = names_object(type);
	int			level = plainly ? NewGUCNestLevel() : 0;
	Oid			input;
	Oid			ioparam;
	Datum		value;

	if (plainly)
		set_plainly("search_path", "pg_catalog");
	getTypeInputInfo(type, &input, &ioparam);
	value = OidInputFunctionCall(input, string, ioparam, -1);
	if (plainly)
		AtEOXact_GUC(true, level);
	return value;
}

/* check_kept raises 42804 for a type that goes with the session, so that no other one could read the row. */
static void
check_kept(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		temporary;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	temporary = isAnyTempNamespace(((Form_pg_type) GETSTRUCT(tuple))->typnamespace);
	ReleaseSysCache(tuple);
	if (temporary)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a value of temporary type %s cannot be given to a durable task", format_type_be(type)),
				 errhint("Pass it as jsonb, or as its columns.")));
}

/* text_array makes an array of strings, of which some may be NULL. */
static Datum
text_array(char **strings, int n)
{
	Datum	   *values = palloc(Max(n, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(n, 1) * sizeof(bool));
	int			dims[1] = {n};
	int			lbs[1] = {1};

	for (int i = 0; i < n; i++)
	{
		nulls[i] = strings[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(strings[i]);
	}
	if (n == 0)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, TEXTOID, -1, false, TYPALIGN_INT));
}

/* string_array is the reverse; returns the number of strings. */
static int
string_array(Datum array, char ***strings)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	*strings = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
		(*strings)[i] = nulls[i] ? NULL : TextDatumGetCString(values[i]);
	return n;
}

/* put_params makes the columns of parameters. */
static void
put_params(const CormParams *params, Datum *types, Datum *values)
{
	char	  **names = palloc(Max(params->n, 1) * sizeof(char *));
	char	  **strings = palloc(Max(params->n, 1) * sizeof(char *));
	int			level = params->n > 0 ? plain_formats() : 0;

	/* types and names are written so that no search_path matters */
	if (params->n > 0)
		set_plainly("search_path", "pg_catalog");
	for (int i = 0; i < params->n; i++)
	{
		Oid			type = params->types[i] == UNKNOWNOID ? TEXTOID : params->types[i];
		Oid			output;
		bool		varlena;

		check_kept(type);
		names[i] = format_type_be_qualified(type);
		strings[i] = NULL;
		if (params->nulls[i])
			continue;
		if (params->types[i] == UNKNOWNOID)
			strings[i] = DatumGetCString(params->values[i]);
		else
		{
			getTypeOutputInfo(type, &output, &varlena);
			strings[i] = OidOutputFunctionCall(output, params->values[i]);
		}
	}
	if (params->n > 0)
		AtEOXact_GUC(true, level);
	*types = text_array(names, params->n);
	*values = text_array(strings, params->n);
}

/* take_params makes parameters of the columns.  Raises what the types' input functions raise. */
static void
take_params(Datum types, Datum values, CormParams *params)
{
	char	  **names;
	char	  **strings;
	int			level;

	params->n = string_array(types, &names);
	(void) string_array(values, &strings);
	if (params->n == 0)
		return;
	level = plain_formats();
	params->types = palloc(Max(params->n, 1) * sizeof(Oid));
	params->values = palloc0(Max(params->n, 1) * sizeof(Datum));
	params->nulls = palloc(Max(params->n, 1) * sizeof(bool));
	for (int i = 0; i < params->n; i++)
	{
		int32		typmod;

		corm_parse_type(names[i], &params->types[i], &typmod);
		params->nulls[i] = strings[i] == NULL;
		if (params->nulls[i])
			continue;
		params->values[i] = read_value(params->types[i], strings[i]);
	}
	AtEOXact_GUC(true, level);
}

/*
 * put_settings makes text of settings in flat form (work/process/settings.c): for each
 * the context in two digits, name and value.
 */
static Datum
put_settings(const char *settings, Size len)
{
	const char *at = settings;
	char	  **strings = palloc(Max(len, 1) * sizeof(char *));
	int			n = 0;

	while (at < settings + len)
	{
		uint8		byte = (uint8) *at;
		const char *name = at + 1 + sizeof(Oid);
		const char *value = name + strlen(name) + 1;

		strings[n++] = psprintf("%02x%s=%s", byte, name, value);
		at = value + strlen(value) + 1;
	}
	return text_array(strings, n);
}

/* take_settings is the reverse; they are taken as set by role. */
static void
take_settings(Datum array, Oid role, StringInfo buf)
{
	char	  **strings;
	int			n = string_array(array, &strings);

	for (int i = 0; i < n; i++)
	{
		char	   *equals = strchr(strings[i], '=');
		char		digits[3] = {0};

		if (equals == NULL || strlen(strings[i]) < 3)
			continue;
		memcpy(digits, strings[i], 2);
		appendStringInfoChar(buf, (char) strtol(digits, NULL, 16));
		appendBinaryStringInfo(buf, (char *) &role, sizeof(role));
		appendBinaryStringInfo(buf, strings[i] + 2, equals - strings[i] - 2);
		appendStringInfoChar(buf, '\0');
		appendBinaryStringInfo(buf, equals + 1, strlen(equals + 1) + 1);
	}
}

/*
 * Rows
 */

/* this_origin returns what the rows of this database have that its copies and restored dumps have not. */
static uint64
this_origin(void)
{
	return hash_combine64(GetSystemIdentifier(), MyDatabaseId);
}

/* set_string sets a column to a string, or to null for NULL and "". */
static void
set_string(Datum *values, bool *nulls, int attnum, const char *string)
{
	nulls[attnum - 1] = string == NULL || string[0] == '\0';
	if (!nulls[attnum - 1])
		values[attnum - 1] = CStringGetTextDatum(string);
}

/* set_content sets the columns that say what a task is to do, and how. */
static void
set_content(Datum *values, bool *nulls, const CormTaskOptions *opts, const CormJob *job, TimestampTz submitted_at,
			TimestampTz run_at, int32 max_attempts)
{
	set_string(values, nulls, Anum_durable_name, opts->name);
	values[Anum_durable_priority - 1] = Int32GetDatum(opts->priority);
	values[Anum_durable_run_at - 1] = TimestampTzGetDatum(run_at);
	values[Anum_durable_max_attempts - 1] = Int32GetDatum(max_attempts);
	values[Anum_durable_backoff - 1] = Int64GetDatum(opts->backoff_us);
	values[Anum_durable_max_backoff - 1] = Int64GetDatum(opts->max_backoff_us);
	values[Anum_durable_user_role - 1] = ObjectIdGetDatum(job->user);
	values[Anum_durable_set_role - 1] = ObjectIdGetDatum(job->role);
	nulls[Anum_durable_set_role - 1] = !OidIsValid(job->role);
	values[Anum_durable_security - 1] = Int32GetDatum(job->security);
	values[Anum_durable_isolation - 1] = Int32GetDatum(job->isolation);
	values[Anum_durable_read_only - 1] = BoolGetDatum(job->read_only);
	values[Anum_durable_timeout - 1] = Int32GetDatum(job->timeout_ms);
	values[Anum_durable_settings - 1] = put_settings(job->settings, job->settings_len);
	values[Anum_durable_body - 1] = PointerGetDatum(cstring_to_text_with_len(job->body, job->body_len));
	put_params(&job->params, &values[Anum_durable_types - 1], &values[Anum_durable_parameters - 1]);
	values[Anum_durable_submitted_at - 1] = TimestampTzGetDatum(submitted_at);
	values[Anum_durable_keep - 1] = Int64GetDatum(opts->keep_us);
	nulls[Anum_durable_keep - 1] = opts->keep_us < 0;
}

/* corm_durable_task_insert adds the row of a task. */
void
corm_durable_task_insert(int64 id, const CormTaskOptions *opts, const CormJob *job, TimestampTz submitted_at,
					TimestampTz run_at, int32 max_attempts)
{
	Relation	rel = open_table(RowExclusiveLock);
	Datum		values[Natts_durable] = {0};
	bool		nulls[Natts_durable] = {false};

	set_content(values, nulls, opts, job, submitted_at, run_at, max_attempts);
	values[Anum_durable_id - 1] = Int64GetDatum(id);
	set_string(values, nulls, Anum_durable_pool, opts->pool);
	set_string(values, nulls, Anum_durable_state, "pending");
	set_string(values, nulls, Anum_durable_unique_key, opts->unique_key);
	set_string(values, nulls, Anum_durable_key, opts->key);
	values[Anum_durable_key_limit - 1] = Int32GetDatum(opts->key_limit);
	values[Anum_durable_session_role - 1] = ObjectIdGetDatum(GetSessionUserId());
	nulls[Anum_durable_sqlstate - 1] = nulls[Anum_durable_error - 1] = true;
	values[Anum_durable_origin - 1] = Int64GetDatum((int64) this_origin());
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/* get_string returns a column as a string; NULL for null. */
static char *
get_string(const Datum *values, const bool *nulls, int attnum)
{
	return nulls[attnum - 1] ? NULL : TextDatumGetCString(values[attnum - 1]);
}

/* has_failed tells whether a task has failed for good. */
static bool
has_failed(const Datum *values, const bool *nulls)
{
	return strcmp(get_string(values, nulls, Anum_durable_state), "failed") == 0;
}

/* is_foreign tells whether a row was made in another database, of this cluster or another one. */
static bool
is_foreign(const Datum *values)
{
	return (uint64) DatumGetInt64(values[Anum_durable_origin - 1]) != this_origin();
}

/* fill makes a CormDurable of the columns of a row. */
static void
fill(const Datum *values, const bool *nulls, CormDurable *durable)
{
	char	   *name;
	char	   *sqlstate;

	memset(durable, 0, sizeof(CormDurable));
	corm_task_options_init(&durable->opts);
	durable->id = DatumGetInt64(values[Anum_durable_id - 1]);
	strlcpy(durable->opts.pool, get_string(values, nulls, Anum_durable_pool), NAMEDATALEN);
	name = get_string(values, nulls, Anum_durable_name);
	strlcpy(durable->opts.name, name ? name : "", NAMEDATALEN);
	durable->failed = has_failed(values, nulls);
	durable->opts.priority = DatumGetInt32(values[Anum_durable_priority - 1]);
	durable->run_at = DatumGetTimestampTz(values[Anum_durable_run_at - 1]);
	durable->attempt = DatumGetInt32(values[Anum_durable_attempt - 1]);
	durable->opts.max_attempts = DatumGetInt32(values[Anum_durable_max_attempts - 1]);
	durable->crashes = DatumGetInt32(values[Anum_durable_crashes - 1]);
	durable->opts.backoff_us = DatumGetInt64(values[Anum_durable_backoff - 1]);
	durable->opts.max_backoff_us = DatumGetInt64(values[Anum_durable_max_backoff - 1]);
	durable->opts.unique_key = get_string(values, nulls, Anum_durable_unique_key);
	durable->opts.key = get_string(values, nulls, Anum_durable_key);
	durable->opts.key_limit = DatumGetInt32(values[Anum_durable_key_limit - 1]);
	durable->session_user = DatumGetObjectId(values[Anum_durable_session_role - 1]);
	durable->user = DatumGetObjectId(values[Anum_durable_user_role - 1]);
	durable->submitted_at = DatumGetTimestampTz(values[Anum_durable_submitted_at - 1]);
	durable->body = get_string(values, nulls, Anum_durable_body);
	durable->error = get_string(values, nulls, Anum_durable_error);
	if (!nulls[Anum_durable_keep - 1])
		durable->opts.keep_us = DatumGetInt64(values[Anum_durable_keep - 1]);
	sqlstate = get_string(values, nulls, Anum_durable_sqlstate);
	if (sqlstate != NULL && strlen(sqlstate) == 5)
		durable->sqlerrcode = CORM_ERRCODE_OF(sqlstate);
	durable->foreign = is_foreign(values);
}

/* read_row makes a CormDurable of a row. */
static void
read_row(Relation rel, HeapTuple tuple, CormDurable *durable)
{
	Datum		values[Natts_durable];
	bool		nulls[Natts_durable];

	heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
	fill(values, nulls, durable);
}

/* corm_durable_task_read reads the row of a task.  Returns false if there is none. */
bool
corm_durable_task_read(int64 id, CormDurable *durable)
{
	Relation	rel = corm_catalog_open(DURABLE_TABLE, AccessShareLock, NULL);
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	if (rel == NULL)
		return false;
	scan = begin_scan(rel, id);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		read_row(rel, tuple, durable);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * crashed tells whether the transaction that has locked a row last, in order to run
 * the task, neither committed nor is running: it ended with the server, or its
 * process was terminated.
 */
static bool
crashed(HeapTuple tuple)
{
	uint16		mask = tuple->t_data->t_infomask;
	TransactionId locker = HeapTupleHeaderGetRawXmax(tuple->t_data);

	return !(mask & (HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI)) && HEAP_XMAX_IS_LOCKED_ONLY(mask) &&
		TransactionIdIsNormal(locker) && !TransactionIdIsInProgress(locker) && !TransactionIdDidCommit(locker);
}

/*
 * corm_durable_task_each visits the rows in the order of their IDs, until visit returns
 * false.
 */
void
corm_durable_task_each(bool (*visit) (CormDurable *durable, void *arg), void *arg)
{
	Relation	rel = corm_catalog_open(DURABLE_TABLE, AccessShareLock, NULL);
	MemoryContext context;
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		go_on = true;

	if (rel == NULL)
		return;
	index = index_open(corm_catalog_oid(DURABLE_INDEX), AccessShareLock);
	scan = systable_beginscan_ordered(rel, index, NULL, 0, NULL);
	context = AllocSetContextCreate(CurrentMemoryContext, "corm durable task", ALLOCSET_DEFAULT_SIZES);
	while (go_on && HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(context);
		CormDurable durable;

		CHECK_FOR_INTERRUPTS();
		read_row(rel, tuple, &durable);
		go_on = visit(&durable, arg);
		MemoryContextSwitchTo(oldcontext);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
}

/*
 * corm_durable_task_make_job makes the job of a task from its row, in the current memory
 * context, without its parameters: this runs no code of users.  Returns false if there is no row.
 */
bool
corm_durable_task_make_job(int64 id, CormJob *job)
{
	Relation	rel = open_table(AccessShareLock);
	SysScanDesc scan = begin_scan(rel, id);
	HeapTuple	tuple = systable_getnext(scan);
	bool		found = HeapTupleIsValid(tuple);

	if (found)
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	if (found)
	{
		Datum		values[Natts_durable];
		bool		nulls[Natts_durable];
		StringInfoData settings;
		char	   *name;

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		memset(job, 0, sizeof(CormJob));
		job->kind = CORM_JOB_ATOMIC;
		name = get_string(values, nulls, Anum_durable_name);
		strlcpy(job->name, name ? name : "task", NAMEDATALEN);
		job->isolation = DatumGetInt32(values[Anum_durable_isolation - 1]);
		job->read_only = DatumGetBool(values[Anum_durable_read_only - 1]);
		job->timeout_ms = DatumGetInt32(values[Anum_durable_timeout - 1]);
		job->depth = 1;
		job->user = DatumGetObjectId(values[Anum_durable_user_role - 1]);
		job->role = nulls[Anum_durable_set_role - 1] ? InvalidOid : DatumGetObjectId(values[Anum_durable_set_role - 1]);
		job->security = DatumGetInt32(values[Anum_durable_security - 1]);
		initStringInfo(&settings);
		take_settings(values[Anum_durable_settings - 1], DatumGetObjectId(values[Anum_durable_session_role - 1]), &settings);
		job->settings = settings.data;
		job->settings_len = settings.len;
		job->body = get_string(values, nulls, Anum_durable_body);
		job->body_len = strlen(job->body);
		job->late_params = true;
	}
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * corm_durable_task_params reads the parameters of a task from its row, in the current memory context.  To be
 * called as the user of the task: the input functions of types run code of users, for example CHECKs of domains.
 */
void
corm_durable_task_params(int64 id, CormParams *params)
{
	Relation	rel = open_table(AccessShareLock);
	SysScanDesc scan = begin_scan(rel, id);
	HeapTuple	tuple = systable_getnext(scan);
	Datum		values[Natts_durable];
	bool		nulls[Natts_durable];

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "task " INT64_FORMAT " has no row", id);
	heap_deform_tuple(heap_copytuple(tuple), RelationGetDescr(rel), values, nulls);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	take_params(values[Anum_durable_types - 1], values[Anum_durable_parameters - 1], params);
}

/*
 * Running
 */

/*
 * lock_row locks a row to the end of the transaction, without waiting.  That somebody has locked or changed
 * it may be undone.
 */
static CormDurableBegun
lock_row(Relation rel, HeapTuple tuple)
{
	HeapTupleData copy = *tuple;
	Buffer		buffer;
	TM_FailureData failure;
	TM_Result	result;

	result = heap_lock_tuple(rel, &copy, GetCurrentCommandId(false), LockTupleExclusive, LockWaitSkip,
							 false, &buffer, &failure);
	ReleaseBuffer(buffer);
	if (result == TM_Ok)
		return CORM_DURABLE_BEGUN;
	return result == TM_WouldBlock || result == TM_Updated ? CORM_DURABLE_BUSY : CORM_DURABLE_GONE;
}

/*
 * corm_durable_task_begin locks the row of a task to the end of the transaction, and returns whether that
 * was possible.  If the task is to be kept when it has succeeded, *kept is what its row says, in the current
 * memory context; NULL otherwise.
 */
CormDurableBegun
corm_durable_task_begin(int64 id, CormDurable **kept)
{
	Relation	rel = open_table(RowExclusiveLock);
	SysScanDesc scan = begin_scan(rel, id);
	HeapTuple	tuple = systable_getnext(scan);
	CormDurableBegun begun = CORM_DURABLE_GONE;

	*kept = NULL;
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[Natts_durable];
		bool		nulls[Natts_durable];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		if (!nulls[Anum_durable_keep - 1] && DatumGetInt64(values[Anum_durable_keep - 1]) > 0)
		{
			*kept = palloc(sizeof(CormDurable));
			fill(values, nulls, *kept);
		}
		if (!has_failed(values, nulls) && !is_foreign(values))
			begun = lock_row(rel, tuple);
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	return begun;
}

/* delete_row deletes the row of a task.  Returns false if there is none. */
static bool
delete_row(int64 id)
{
	Relation	rel = open_table(RowExclusiveLock);
	SysScanDesc scan = begin_scan(rel, id);
	HeapTuple	tuple = systable_getnext(scan);
	bool		found = HeapTupleIsValid(tuple);

	if (found)
		CatalogTupleDelete(rel, &tuple->t_self);
	systable_endscan(scan);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return found;
}

/* corm_durable_task_succeed deletes the row of a task whose body has succeeded. */
void
corm_durable_task_succeed(int64 id)
{
	(void) delete_row(id);
}

/*
 * update_row changes columns of the row of a task, those whose replace flag is set.
 * Returns false if there is none.
 */
static bool
update_row(int64 id, Datum *values, bool *nulls, bool *replace)
{
	Relation	rel = open_table(RowExclusiveLock);
	SysScanDesc scan = begin_scan(rel, id);
	HeapTuple	tuple = systable_getnext(scan);
	bool		found = HeapTupleIsValid(tuple);

	if (found)
	{
		HeapTuple	changed = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace);

		CatalogTupleUpdate(rel, &tuple->t_self, changed);
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return found;
}

/*
 * corm_durable_task_replace gives the row of a task that has not begun another content; what it is found
 * by, and whose it is, stays.  The task is held in the queue (queue.c).
 */
void
corm_durable_task_replace(int64 id, const CormTaskOptions *opts, const CormJob *job, TimestampTz submitted_at,
						  TimestampTz run_at, int32 max_attempts)
{
	static const int columns[] = {
		Anum_durable_name, Anum_durable_priority, Anum_durable_run_at, Anum_durable_max_attempts, Anum_durable_backoff,
		Anum_durable_max_backoff, Anum_durable_user_role, Anum_durable_set_role, Anum_durable_security, Anum_durable_isolation,
		Anum_durable_read_only, Anum_durable_timeout, Anum_durable_settings, Anum_durable_body, Anum_durable_types,
		Anum_durable_parameters, Anum_durable_submitted_at, Anum_durable_keep,
	};
	Datum		values[Natts_durable] = {0};
	bool		nulls[Natts_durable] = {false};
	bool		replace[Natts_durable] = {false};

	set_content(values, nulls, opts, job, submitted_at, run_at, max_attempts);
	for (int i = 0; i < lengthof(columns); i++)
		replace[columns[i] - 1] = true;
	if (!update_row(id, values, nulls, replace))
		elog(ERROR, "task " INT64_FORMAT " has no row", id);
}

/* corm_durable_task_reschedule gives the row of a task that has not begun another time. */
void
corm_durable_task_reschedule(int64 id, TimestampTz run_at)
{
	Datum		values[Natts_durable] = {0};
	bool		nulls[Natts_durable] = {false};
	bool		replace[Natts_durable] = {false};

	values[Anum_durable_run_at - 1] = TimestampTzGetDatum(run_at);
	replace[Anum_durable_run_at - 1] = true;
	if (!update_row(id, values, nulls, replace))
		elog(ERROR, "task " INT64_FORMAT " has no row", id);
}

/* corm_durable_task_fail notes that an attempt has failed: there is another one at run_at, or the task has failed. */
void
corm_durable_task_fail(int64 id, int32 attempt, bool retry, TimestampTz run_at, const ErrorData *error)
{
	Datum		values[Natts_durable] = {0};
	bool		nulls[Natts_durable] = {false};
	bool		replace[Natts_durable] = {false};

	values[Anum_durable_attempt - 1] = Int32GetDatum(attempt);
	values[Anum_durable_run_at - 1] = TimestampTzGetDatum(run_at);
	values[Anum_durable_state - 1] = CStringGetTextDatum(retry ? "pending" : "failed");
	values[Anum_durable_sqlstate - 1] = CStringGetTextDatum(unpack_sql_state(error->sqlerrcode));
	values[Anum_durable_error - 1] = CStringGetTextDatum(error->message ? error->message : "");
	replace[Anum_durable_attempt - 1] = replace[Anum_durable_run_at - 1] = replace[Anum_durable_state - 1] = true;
	replace[Anum_durable_sqlstate - 1] = replace[Anum_durable_error - 1] = true;
	(void) update_row(id, values, nulls, replace);
}

/*
 * in_transaction runs one of the above in a transaction of its own, in a worker that
 * is in none.  An error is logged.
 */
static void
in_transaction(void (*change) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		change(arg);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
}

typedef struct Failure
{
	int64		id;
	int32		attempt;
	bool		retry;
	TimestampTz run_at;
	const ErrorData *error;
} Failure;

static void
note_failure(void *arg)
{
	Failure    *failure = arg;

	corm_durable_task_fail(failure->id, failure->attempt, failure->retry, failure->run_at, failure->error);
}

/* corm_durable_task_record_failure is corm_durable_task_fail, in a transaction of its own. */
void
corm_durable_task_record_failure(int64 id, int32 attempt, bool retry, TimestampTz run_at, const ErrorData *error)
{
	Failure		failure = {id, attempt, retry, run_at, error};

	in_transaction(note_failure, &failure);
}

static void
note_cancel(void *arg)
{
	/* without the extension there are no rows any more */
	if (OidIsValid(corm_catalog_oid(DURABLE_TABLE)))
		(void) delete_row(*(int64 *) arg);
}

/* corm_durable_task_record_cancel deletes the row of a task that was cancelled, in a transaction of its own. */
void
corm_durable_task_record_cancel(int64 id)
{
	in_transaction(note_cancel, &id);
}

/*
 * corm_durable_task_count_crash returns how often the server, or the worker, has ended while
 * the task was running, and stores that if it is one more than the row says.
 */
int32
corm_durable_task_count_crash(int64 id)
{
	Relation	rel = open_table(RowExclusiveLock);
	SysScanDesc scan = begin_scan(rel, id);
	HeapTuple	tuple = systable_getnext(scan);
	CormDurable durable = {0};

	if (HeapTupleIsValid(tuple))
	{
		read_row(rel, tuple, &durable);
		if (crashed(tuple))
		{
			Datum		values[Natts_durable] = {0};
			bool		nulls[Natts_durable] = {false};
			bool		replace[Natts_durable] = {false};

			values[Anum_durable_crashes - 1] = Int32GetDatum(++durable.crashes);
			replace[Anum_durable_crashes - 1] = true;
			CatalogTupleUpdate(rel, &tuple->t_self, heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace));
		}
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return durable.crashes;
}

/* corm_durable_task_reset makes a failed task one that has not been tried.  Returns false if there is none. */
bool
corm_durable_task_reset(int64 id)
{
	Datum		values[Natts_durable] = {0};
	bool		nulls[Natts_durable] = {false};
	bool		replace[Natts_durable] = {false};

	values[Anum_durable_attempt - 1] = values[Anum_durable_crashes - 1] = Int32GetDatum(0);
	values[Anum_durable_run_at - 1] = TimestampTzGetDatum(corm_clock_real());
	values[Anum_durable_state - 1] = CStringGetTextDatum("pending");
	replace[Anum_durable_attempt - 1] = replace[Anum_durable_crashes - 1] = true;
	replace[Anum_durable_run_at - 1] = replace[Anum_durable_state - 1] = true;
	return update_row(id, values, nulls, replace);
}

/* corm_durable_task_adopt makes the rows of other databases those of this one.  Returns how many there were. */
int64
corm_durable_task_adopt(void)
{
	Relation	rel = open_table(RowExclusiveLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	Datum		values[Natts_durable] = {0};
	bool		nulls[Natts_durable] = {false};
	bool		replace[Natts_durable] = {false};
	int64		n = 0;

	values[Anum_durable_origin - 1] = Int64GetDatum((int64) this_origin());
	replace[Anum_durable_origin - 1] = true;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CormDurable durable;

		CHECK_FOR_INTERRUPTS();
		read_row(rel, tuple, &durable);
		if (!durable.foreign)
			continue;
		CatalogTupleUpdate(rel, &tuple->t_self, heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replace));
		n++;
	}
	systable_endscan(scan);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return n;
}

/* corm_durable_task_delete deletes the row of a task.  Returns false if there is none. */
bool
corm_durable_task_delete(int64 id)
{
	return delete_row(id);
}
