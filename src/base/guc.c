/*-------------------------------------------------------------------------
 *
 * guc.c
 *		Every setting of corm, in one place.
 *
 * docs/settings.md describes them to users.  A setting that any user can
 * change (PGC_USERSET) is never an input to an authorization decision.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "base/guc.h"
#include "miscadmin.h"
#include "utils/guc.h"

int			corm_plan_cache_size = 1000;
int			corm_cache_size = 65536;
int			corm_cache_max_value_size = 4096;
int			corm_max_caches = 64;
int			corm_sweep_interval = 1000;
int			corm_sweep_max_entries = 1000;
double		corm_sweep_max_time = 1.0;
int			corm_event_ring_size = 1024;
int			corm_event_interval = 100;
bool		corm_cache_warm_restart = false;
int			corm_max_workers = 4;
int			corm_reserved_workers = 1;
int			corm_role_workers = -1;
int			corm_database_workers = -1;
int			corm_worker_wait = 10000;
int			corm_worker_start_timeout = 10000;
int			corm_worker_idle_timeout = 60000;
int			corm_worker_max_jobs = 10000;
int			corm_worker_max_memory = 65536;
int			corm_spin_time = 50;
int			corm_autonomous_max_depth = 8;
int			corm_work_memory = 16384;
int			corm_max_payload = 1024;
int			corm_max_wait = 60000;
int			corm_cancel_wait = 5000;
bool		corm_run_tasks = true;
int			corm_max_pools = 64;
int			corm_max_topics = 64;
int			corm_max_groups = 256;
int			corm_max_wait_groups = 256;
int			corm_filter_max_depth = 32;
int			corm_filter_max_nodes = 1000;
int			corm_filter_max_relations = 32;
int			corm_filter_max_list = 10000;
int			corm_filter_max_limit = 1000;
int			corm_filter_preload_limit = 1000;
int			corm_tx_body_cache_size = 500;
int			corm_subtransaction_warning = 64;
bool		corm_skip_hooks = false;
int			corm_json_bigint = CORM_JSON_BIGINT_NUMBER;
bool		corm_raw_text = false;
bool		corm_require_version = false;
bool		corm_track_queries = true;
int			corm_stat_max = 1000;
bool		corm_log_queries = false;
int			corm_log_min_duration = -1;
int			corm_log_args = CORM_LOG_ARGS_VALUES;
int			corm_log_arg_max_length = 1024;
bool		corm_sql_comments = false;
char	   *corm_traceparent = NULL;
bool		corm_inline = true;

void		(*corm_inline_changed) (void) = NULL;

static const struct config_enum_entry json_bigint_options[] = {
	{"number", CORM_JSON_BIGINT_NUMBER, false},
	{"string", CORM_JSON_BIGINT_STRING, false},
	{NULL, 0, false}
};

static const struct config_enum_entry log_args_options[] = {
	{"none", CORM_LOG_ARGS_NONE, false},
	{"types", CORM_LOG_ARGS_TYPES, false},
	{"values", CORM_LOG_ARGS_VALUES, false},
	{NULL, 0, false}
};

/*
 * The assign hooks of the settings that decide whether queries are compiled into
 * the statements around them.
 */
static void
tell_inline(bool changed)
{
	if (changed && corm_inline_changed)
		corm_inline_changed();
}

static void
assign_inline(bool newval, void *extra)
{
	tell_inline(newval != corm_inline);
}

static void
assign_json_bigint(int newval, void *extra)
{
	tell_inline(newval != corm_json_bigint);
}

static void
assign_log_queries(bool newval, void *extra)
{
	tell_inline(newval != corm_log_queries);
}

static void
assign_log_min_duration(int newval, void *extra)
{
	tell_inline((newval >= 0) != (corm_log_min_duration >= 0));
}

static void
assign_sql_comments(bool newval, void *extra)
{
	tell_inline(newval != corm_sql_comments);
}

/*
 * check_traceparent accepts a trace context in the format of the W3C,
 * version-trace-parent-flags in lower-case hexadecimal, and the empty string.
 * It becomes part of a comment in SQL, so nothing else is accepted.
 */
static bool
check_traceparent(char **newval, void **extra, GucSource source)
{
	static const int lengths[] = {2, 32, 16, 2};
	const char *p = *newval;

	if (p == NULL || *p == '\0')
		return true;
	for (int i = 0; i < lengthof(lengths); i++)
	{
		int			len = strspn(p, "0123456789abcdef");

		if (len != lengths[i] || p[len] != (i + 1 < lengthof(lengths) ? '-' : '\0'))
		{
			GUC_check_errdetail("A trace context has the form 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.");
			return false;
		}
		p += len + 1;
	}
	return true;
}

/*
 * define_cache_settings defines the settings of the shared-memory cache.
 *
 * Those that size memory can only be set at server start.  A process that
 * loads the library later has no cache, but the settings are defined there too,
 * so that a configuration file that contains them is accepted.
 */
static void
define_cache_settings(void)
{
	GucContext	at_start = process_shared_preload_libraries_in_progress ?
		PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomIntVariable("corm.cache_size",
							"Sets the amount of shared memory for cached entries.",
							"Shared memory is reserved at server start, if corm is in shared_preload_libraries.",
							&corm_cache_size,
							65536, 1024, MAX_KILOBYTES,
							at_start, GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.cache_max_value_size",
							"Sets the maximum size of a cached value.",
							"The limit is never more than a quarter of corm.cache_size.",
							&corm_cache_max_value_size,
							4096, 1, 1024 * 1024 - 1,
							PGC_SIGHUP, GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_caches",
							"Sets the number of named caches that a database may have.",
							NULL,
							&corm_max_caches,
							64, 1, 8192,
							at_start, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.sweep_interval",
							"Sets the time between two runs of the cache sweeper.",
							"0 turns the sweeper off.",
							&corm_sweep_interval,
							1000, 0, 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.sweep_max_entries",
							"Sets the maximum number of entries that one run of the cache sweeper visits.",
							NULL,
							&corm_sweep_max_entries,
							1000, 1, 1000000,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomRealVariable("corm.sweep_max_time",
							 "Sets the maximum duration of one run of the cache sweeper.",
							 NULL,
							 &corm_sweep_max_time,
							 1.0, 0.01, 1000.0,
							 PGC_SIGHUP, GUC_UNIT_MS,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("corm.event_ring_size",
							"Sets the amount of shared memory for cache events that wait to be notified.",
							NULL,
							&corm_event_ring_size,
							1024, 16, 1024 * 1024,
							at_start, GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.event_interval",
							"Sets the time between two notifications of cache events.",
							"Events that occur in between are sent together.",
							&corm_event_interval,
							100, 1, 60 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.cache_warm_restart",
							 "Keeps the cache's entries over a clean restart of the server.",
							 "They are written to a file at shutdown and read at start.",
							 &corm_cache_warm_restart,
							 false,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
}

/* define_worker_settings defines the settings of workers, tasks and messages. */
static void
define_worker_settings(void)
{
	GucContext	at_start = process_shared_preload_libraries_in_progress ?
		PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomIntVariable("corm.max_workers",
							"Sets the number of processes that run autonomous transactions and tasks.",
							"0 turns them off. They count against max_worker_processes.",
							&corm_max_workers,
							4, 0, 1024,
							at_start, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.reserved_workers",
							"Sets how many of these processes run autonomous transactions only.",
							"So long tasks cannot keep autonomous transactions waiting.",
							&corm_reserved_workers,
							1, 0, 1024,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.role_workers",
							"Sets how many of these processes may work for a session user.",
							"-1 means no limit.",
							&corm_role_workers,
							-1, -1, 1024,
							PGC_SUSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.database_workers",
							"Sets how many of these processes may work in a database.",
							"-1 means no limit.",
							&corm_database_workers,
							-1, -1, 1024,
							PGC_SUSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.worker_wait",
							"Sets how long an autonomous transaction waits for a free worker.",
							"0 means not at all.",
							&corm_worker_wait,
							10000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.worker_start_timeout",
							"Sets how long a worker may take to start.",
							NULL,
							&corm_worker_start_timeout,
							10000, 100, 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.worker_idle_timeout",
							"Sets after which time without work a worker ends.",
							NULL,
							&corm_worker_idle_timeout,
							60000, 100, 24 * 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.worker_max_jobs",
							"Sets after how many jobs a worker is replaced.",
							"0 means never.",
							&corm_worker_max_jobs,
							10000, 0, INT_MAX,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.worker_max_memory",
							"Sets the memory between two jobs above which a worker is replaced.",
							"0 means never.",
							&corm_worker_max_memory,
							65536, 0, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.spin_time",
							"Sets for how many microseconds a wait for another process may keep the processor before it sleeps.",
							"0 means to sleep at once.",
							&corm_spin_time,
							50, 0, 10000,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.autonomous_max_depth",
							"Sets how deep autonomous transactions may be nested.",
							NULL,
							&corm_autonomous_max_depth,
							8, 1, 1024,
							PGC_SUSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.work_memory",
							"Sets the amount of shared memory for tasks, messages and results.",
							"Shared memory is reserved at server start, if corm is in shared_preload_libraries.",
							&corm_work_memory,
							16384, 1024, MAX_KILOBYTES,
							at_start, GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_payload",
							"Sets the maximum size of a task with its parameters, of a message, and of a result that is kept.",
							NULL,
							&corm_max_payload,
							1024, 1, 1024 * 1024 - 1,
							PGC_SIGHUP, GUC_UNIT_KB,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_wait",
							"Sets how long a blocking function may wait inside of a transaction.",
							"Procedures that wait without a transaction are not limited.",
							&corm_max_wait,
							60000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.cancel_wait",
							"Sets how long a cancelled call waits for the end of what it has started.",
							NULL,
							&corm_cancel_wait,
							5000, 0, 3600 * 1000,
							PGC_SUSET, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.run_tasks",
							 "Runs durable tasks and schedules.",
							 "Turned off, they rest, for example in a copy of a server.",
							 &corm_run_tasks,
							 true,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_pools",
							"Sets the number of task pools in all databases.",
							NULL,
							&corm_max_pools,
							64, 1, 8192,
							at_start, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_topics",
							"Sets the number of topics in all databases.",
							NULL,
							&corm_max_topics,
							64, 1, 8192,
							at_start, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_groups",
							"Sets the number of groups of all topics.",
							NULL,
							&corm_max_groups,
							256, 1, 65535,
							at_start, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.max_wait_groups",
							"Sets the number of wait groups in all databases.",
							NULL,
							&corm_max_wait_groups,
							256, 1, 65535,
							at_start, 0,
							NULL, NULL, NULL);
}

/* define_monitoring_settings defines the settings of statistics and of the query log. */
static void
define_monitoring_settings(void)
{
	DefineCustomBoolVariable("corm.track_queries",
							 "Counts queries in the view corm.stat_queries.",
							 "Requires corm in shared_preload_libraries.",
							 &corm_track_queries,
							 true,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("corm.stat_max",
							"Sets the number of entries of the view corm.stat_queries.",
							"There is one for each database, role, model and operation. When there are more, the least used is dropped.",
							&corm_stat_max,
							1000, 10, 1000000,
							process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.log_queries",
							 "Logs every query that is run.",
							 NULL,
							 &corm_log_queries,
							 false,
							 PGC_SUSET, 0,
							 NULL, assign_log_queries, NULL);

	DefineCustomIntVariable("corm.log_min_duration",
							"Sets the minimum execution time above which queries are logged.",
							"-1 turns this off.",
							&corm_log_min_duration,
							-1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS,
							NULL, assign_log_min_duration, NULL);

	DefineCustomEnumVariable("corm.log_args",
							 "Sets what the query log shows of parameters.",
							 NULL,
							 &corm_log_args,
							 CORM_LOG_ARGS_VALUES, log_args_options,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("corm.log_arg_max_length",
							"Sets the number of bytes of a parameter's value that are logged.",
							"-1 logs whole values.",
							&corm_log_arg_max_length,
							1024, -1, INT_MAX / 2,
							PGC_SUSET, GUC_UNIT_BYTE,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.sql_comments",
							 "Adds a comment with model, operation and trace context to the SQL that runs.",
							 NULL,
							 &corm_sql_comments,
							 false,
							 PGC_USERSET, 0,
							 NULL, assign_sql_comments, NULL);

	DefineCustomStringVariable("corm.traceparent",
							   "Sets the trace context in the comments added to SQL.",
							   NULL,
							   &corm_traceparent,
							   "",
							   PGC_USERSET, 0,
							   check_traceparent, NULL, NULL);
}

/*
 * corm_guc_init defines the settings and reserves the prefix, so that a
 * misspelt corm.* setting is refused instead of stored.  Called once, from
 * _PG_init, before any other part of corm reads a setting.
 */
void
corm_guc_init(void)
{
	DefineCustomIntVariable("corm.plan_cache_size",
							"Sets the number of query plans that each session keeps.",
							"When there are more query shapes than that, the least recently used plan is dropped.",
							&corm_plan_cache_size,
							1000, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.inline",
							 "Compiles queries in FROM into the plan of the statement around them.",
							 "Results are the same; without it, each query has a plan of its own.",
							 &corm_inline,
							 true,
							 PGC_USERSET, 0,
							 NULL, assign_inline, NULL);

	DefineCustomIntVariable("corm.filter_max_depth",
							"Sets the maximum nesting depth of a filter.",
							"corm.filter() raises OR021 for a filter that exceeds it.",
							&corm_filter_max_depth,
							32, 1, 1000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_nodes",
							"Sets the maximum number of conditions in a filter.",
							"corm.filter() raises OR021 for a filter that exceeds it.",
							&corm_filter_max_nodes,
							1000, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_relations",
							"Sets the maximum number of relations that the conditions, paths and preloads of a filter may name.",
							"corm.filter() raises OR021 for a filter that exceeds it.",
							&corm_filter_max_relations,
							32, 0, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_list",
							"Sets the maximum number of elements in all lists of a filter.",
							"corm.filter() raises OR021 for a filter that exceeds it.",
							&corm_filter_max_list,
							10000, 1, 10000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_max_limit",
							"Sets the maximum limit that a filter may request.",
							"corm.filter() raises OR021 for a filter that exceeds it.",
							&corm_filter_max_limit,
							1000, 1, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.filter_preload_limit",
							"Sets the limit of each preload in a filter that has none.",
							"It is the number of related rows that one row brings along.",
							&corm_filter_preload_limit,
							1000, 1, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	/* SUSET: SQL that was let in must not be able to let more in */
	DefineCustomBoolVariable("corm.raw_text",
							 "Accepts raw SQL in the text form of queries and expressions.",
							 "Superusers and the owner of the database can always use it.",
							 &corm_raw_text,
							 false,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("corm.tx_body_cache_size",
							"Sets the number of transaction bodies whose plans each session keeps.",
							"When there are more bodies than that, the least recently used one is dropped.",
							&corm_tx_body_cache_size,
							500, 1, 1000000,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("corm.subtransaction_warning",
							"Sets the number of open subtransactions at which a transaction scope warns.",
							"The warning comes once per transaction; 0 turns it off.",
							&corm_subtransaction_warning,
							64, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("corm.skip_hooks",
							 "Reads and writes rows without calling the hooks of their models.",
							 NULL,
							 &corm_skip_hooks,
							 false,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);

	DefineCustomEnumVariable("corm.json_bigint",
							 "Sets how bigint and numeric values are written in JSON.",
							 "As strings they are exact for clients whose numbers are doubles.",
							 &corm_json_bigint,
							 CORM_JSON_BIGINT_NUMBER, json_bigint_options,
							 PGC_USERSET, 0,
							 NULL, assign_json_bigint, NULL);

	DefineCustomBoolVariable("corm.require_version",
							 "Requires corm.update_json() to be given the version of a row that has one.",
							 NULL,
							 &corm_require_version,
							 false,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);

	define_cache_settings();

	define_worker_settings();

	define_monitoring_settings();

	MarkGUCPrefixReserved("corm");
}
