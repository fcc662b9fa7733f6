/*-------------------------------------------------------------------------
 *
 * options.c
 *		The options of a task: corm.task() and its composite type.
 *
 * corm.task() checks its arguments, but a corm.task_options row can also be written
 * by hand, so a function that takes one parses and checks it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/errors.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "tx/options.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "work/task/options.h"

enum
{
	OPT_POOL,
	OPT_NAME,
	OPT_PRIORITY,
	OPT_DELAY,
	OPT_RUN_AT,
	OPT_TIMEOUT,
	OPT_MAX_ATTEMPTS,
	OPT_BACKOFF,
	OPT_MAX_BACKOFF,
	OPT_UNIQUE_KEY,
	OPT_ON_DUPLICATE,
	OPT_KEY,
	OPT_KEY_LIMIT,
	OPT_WAIT_GROUP,
	OPT_WAIT,
	OPT_DURABLE,
	OPT_IMMEDIATE,
	OPT_ISOLATION,
	OPT_KEEP,
	OPT_COUNT
};

/* Keys are part of the memory of a task, and looked at under its lock. */
#define MAX_KEY_BYTES	255

/* Keys of tasks that corm itself submits: nobody else can be in their way. */
#define RESERVED_PREFIX	"corm "

static const char *const duplicate_names[] = {
	[CORM_DUPLICATE_ERROR] = "error",
	[CORM_DUPLICATE_IGNORE] = "ignore",
	[CORM_DUPLICATE_REPLACE] = "replace",
	[CORM_DUPLICATE_RESCHEDULE] = "reschedule",
};

PG_FUNCTION_INFO_V1(corm_task);

/* corm_task_options_init sets the options of a task that was given none. */
void
corm_task_options_init(CormTaskOptions *opts)
{
	memset(opts, 0, sizeof(CormTaskOptions));
	strcpy(opts->pool, "default");
	opts->delay_us = -1;
	opts->backoff_us = USECS_PER_SEC;
	opts->max_backoff_us = USECS_PER_HOUR;
	opts->key_limit = 1;
	opts->wait_us = -1;
	opts->isolation = -1;
	opts->keep_us = -1;
}

/* bad_option raises OR006 for an option and what is wrong with it. */
static void
bad_option(const char *option, const char *what)
{
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("option \"%s\" of a task %s", option, what)));
}

/* get_interval returns an interval in microseconds.  Raises OR006 if it is negative. */
static int64
get_interval(const char *option, Datum value)
{
	int64		us = corm_interval_length(DatumGetIntervalP(value));

	if (us < 0)
		bad_option(option, "must not be negative");
	return Min(us, INT64CONST(1) << 55);
}

/* get_name copies a name that is not empty to a buffer, cut to its size. */
static void
get_name(const char *option, Datum value, char *name)
{
	char	   *given = TextDatumGetCString(value);
	int			len = pg_mbcliplen(given, strlen(given), NAMEDATALEN - 1);

	if (len == 0)
		bad_option(option, "must not be empty");
	memcpy(name, given, len);
	name[len] = '\0';
}

/* get_key returns a key. */
static char *
get_key(const char *option, Datum value)
{
	char	   *key = TextDatumGetCString(value);

	if (key[0] == '\0')
		bad_option(option, "must not be empty");
	if (strlen(key) > MAX_KEY_BYTES)
		bad_option(option, "is longer than 255 bytes");
	if (strncmp(key, RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0)
		bad_option(option, "must not begin with \"corm \", which is reserved");
	return key;
}

/* get_duplicate returns what on_duplicate says. */
static CormTaskDuplicate
get_duplicate(Datum value)
{
	char	   *name = TextDatumGetCString(value);

	for (int i = 0; i < lengthof(duplicate_names); i++)
	{
		if (pg_strcasecmp(name, duplicate_names[i]) == 0)
			return (CormTaskDuplicate) i;
	}
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("unrecognized value \"%s\" of option \"on_duplicate\"", name),
			 errhint("Use error, ignore, replace or reschedule.")));
}

/* get_isolation returns the XACT_... level of a name. */
static int
get_isolation(Datum value)
{
	char	   *name = TextDatumGetCString(value);

	for (int i = XACT_READ_UNCOMMITTED; i <= XACT_SERIALIZABLE; i++)
	{
		if (pg_strcasecmp(name, corm_tx_isolation_name(i)) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(CORM_ERRCODE_BAD_OPTION),
			 errmsg("unrecognized isolation level \"%s\"", name),
			 errhint("Use read uncommitted, read committed, repeatable read or serializable.")));
}

/* get_times reads the options that are times. */
static void
get_times(const Datum *values, const bool *nulls, CormTaskOptions *opts)
{
	if (!nulls[OPT_DELAY])
		opts->delay_us = get_interval("delay", values[OPT_DELAY]);
	if (!nulls[OPT_RUN_AT])
	{
		opts->run_at = DatumGetTimestampTz(values[OPT_RUN_AT]);
		if (!nulls[OPT_DELAY])
			bad_option("run_at", "cannot be combined with \"delay\"");
		if (TIMESTAMP_NOT_FINITE(opts->run_at))
			bad_option("run_at", "must be finite");
	}
	if (!nulls[OPT_TIMEOUT])
	{
		int64		us = get_interval("timeout", values[OPT_TIMEOUT]);

		if (us <= 0 || us > (int64) INT_MAX * 1000)
			bad_option("timeout", "must be more than 0 and at most 24 days");
		opts->timeout_ms = (int) ((us + 999) / 1000);
	}
	if (!nulls[OPT_BACKOFF])
		opts->backoff_us = get_interval("backoff", values[OPT_BACKOFF]);
	if (!nulls[OPT_MAX_BACKOFF])
		opts->max_backoff_us = get_interval("max_backoff", values[OPT_MAX_BACKOFF]);
	if (!nulls[OPT_WAIT])
		opts->wait_us = get_interval("wait", values[OPT_WAIT]);
}

/* parse_values fills *opts from the columns of corm.task_options; NULL means the default.  Raises OR006. */
static void
parse_values(const Datum *values, const bool *nulls, CormTaskOptions *opts)
{
	corm_task_options_init(opts);
	if (!nulls[OPT_POOL])
		get_name("pool", values[OPT_POOL], opts->pool);
	if (!nulls[OPT_NAME])
		get_name("name", values[OPT_NAME], opts->name);
	if (!nulls[OPT_PRIORITY])
		opts->priority = DatumGetInt32(values[OPT_PRIORITY]);
	get_times(values, nulls, opts);
	if (!nulls[OPT_MAX_ATTEMPTS])
	{
		opts->max_attempts = DatumGetInt32(values[OPT_MAX_ATTEMPTS]);
		if (opts->max_attempts < 1)
			bad_option("max_attempts", "must be at least 1");
	}
	if (!nulls[OPT_UNIQUE_KEY])
		opts->unique_key = get_key("unique_key", values[OPT_UNIQUE_KEY]);
	if (!nulls[OPT_ON_DUPLICATE])
		opts->on_duplicate = get_duplicate(values[OPT_ON_DUPLICATE]);
	if (opts->on_duplicate != CORM_DUPLICATE_ERROR && opts->unique_key == NULL)
		bad_option("on_duplicate", "needs \"unique_key\"");
	if (!nulls[OPT_KEY])
		opts->key = get_key("key", values[OPT_KEY]);
	if (!nulls[OPT_KEY_LIMIT])
	{
		opts->key_limit = DatumGetInt32(values[OPT_KEY_LIMIT]);
		if (opts->key_limit < 1)
			bad_option("key_limit", "must be at least 1");
	}
	if (!nulls[OPT_WAIT_GROUP])
		opts->wait_group = TextDatumGetCString(values[OPT_WAIT_GROUP]);
	if (!nulls[OPT_IMMEDIATE])
		opts->immediate = DatumGetBool(values[OPT_IMMEDIATE]);
	if (!nulls[OPT_DURABLE])
		opts->durable = DatumGetBool(values[OPT_DURABLE]);
	if (opts->durable && opts->immediate)
		bad_option("durable", "cannot be combined with \"immediate\"");
	if (!nulls[OPT_KEEP])
	{
		opts->keep_us = get_interval("keep", values[OPT_KEEP]);
		if (!opts->durable)
			bad_option("keep", "needs \"durable\"");
	}
	if (opts->immediate && opts->on_duplicate > CORM_DUPLICATE_IGNORE)
		bad_option("immediate", "cannot be combined with \"on_duplicate\" replace or reschedule");
	if (!nulls[OPT_ISOLATION])
		opts->isolation = get_isolation(values[OPT_ISOLATION]);
}

/* corm_task_options_parse parses a row of corm.task_options.  Raises OR006. */
void
corm_task_options_parse(Datum composite, CormTaskOptions *opts)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(composite);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple;
	Datum		values[OPT_COUNT];
	bool		nulls[OPT_COUNT];

	if (desc->natts != OPT_COUNT)
		elog(ERROR, "unexpected number of attributes in corm.task_options");
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);
	parse_values(values, nulls, opts);
}

/* corm.task(...) -> corm.task_options */
Datum
corm_task(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[OPT_COUNT];
	bool		nulls[OPT_COUNT];
	CormTaskOptions opts;

	for (int i = 0; i < OPT_COUNT; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
	}
	parse_values(values, nulls, &opts);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != OPT_COUNT)
		elog(ERROR, "unexpected result type of corm.task");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
