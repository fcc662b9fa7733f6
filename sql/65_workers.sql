-- Workers: what they do.

CREATE FUNCTION corm.worker_list(OUT slot int, OUT pid int, OUT database oid, OUT session_role oid, OUT state text,
	OUT kind text, OUT role oid, OUT depth int, OUT caller_pid int, OUT since timestamptz, OUT jobs bigint)
	RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 4 AS 'MODULE_PATHNAME', 'corm_worker_list';
COMMENT ON FUNCTION corm.worker_list() IS
'Returns the workers with OIDs; corm.workers shows them with names. Errors: 55000 if the library is not preloaded.';

CREATE FUNCTION corm.work_counters(OUT max_workers int, OUT workers int, OUT busy int, OUT waiting int, OUT calls bigint,
	OUT failures bigint, OUT tasks bigint, OUT cold_starts bigint, OUT waits bigint, OUT wait_timeouts bigint,
	OUT exhaustions bigint, OUT deadlocks bigint, OUT cancels bigint, OUT terminations bigint, OUT start_failures bigint,
	OUT last_failure_at timestamptz, OUT last_failure_sqlstate text, OUT last_failure_message text, OUT memory_bytes bigint,
	OUT memory_free bigint, OUT launcher_pid int, OUT launcher_looked float8)
	LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_work_counters';
COMMENT ON FUNCTION corm.work_counters() IS
'Returns how many workers there are and what has happened since the server started; corm.work_stats shows it. Errors: 55000 if the library is not preloaded.';

CREATE FUNCTION corm.work_check() RETURNS SETOF text
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1 AS 'MODULE_PATHNAME', 'corm_work_check';
COMMENT ON FUNCTION corm.work_check() IS
'Checks the data structures of workers, tasks and messages and returns a row for each violated invariant. All of these wait while it runs. Errors: 55000 if the library is not preloaded.';
REVOKE EXECUTE ON FUNCTION corm.work_check() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION corm.work_check() TO pg_monitor;

CREATE VIEW corm.workers AS
	SELECT w.slot, w.pid, d.datname AS database, pg_catalog.pg_get_userbyid(w.session_role) AS session_role, w.state, w.kind,
		pg_catalog.pg_get_userbyid(w.role) AS role, w.depth, w.caller_pid, w.since, w.jobs
	FROM corm.worker_list() w
	LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) w.database;
COMMENT ON VIEW corm.workers IS 'Processes that run autonomous transactions and tasks';

CREATE VIEW corm.work_stats AS
	SELECT c.max_workers, c.workers, c.busy, c.waiting, c.calls, c.failures, c.tasks, c.cold_starts, c.waits, c.wait_timeouts,
		c.exhaustions, c.deadlocks, c.cancels, c.terminations, c.start_failures, c.last_failure_at, c.last_failure_sqlstate,
		c.last_failure_message, c.memory_bytes, c.memory_free, c.launcher_pid,
		pg_catalog.make_interval(secs => c.launcher_looked) AS launcher_looked
	FROM corm.work_counters() c;
COMMENT ON VIEW corm.work_stats IS 'How many workers there are, and what has happened since the server started';

GRANT SELECT ON corm.workers, corm.work_stats TO PUBLIC;
