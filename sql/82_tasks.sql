-- Tasks: SQL that workers run. Two tables hold the definitions of pools and the privileges on them; only the
-- functions below write them, see pools.c. Tasks themselves are in shared memory.

CREATE TABLE corm.pool_definitions (
	name text COLLATE "C" PRIMARY KEY,
	id bigint NOT NULL,
	version integer NOT NULL,
	owner corm.role_ref NOT NULL,
	workers integer NOT NULL,
	capacity integer NOT NULL,
	max_attempts integer NOT NULL,
	timeout interval,
	result_ttl interval NOT NULL
);
COMMENT ON TABLE corm.pool_definitions IS 'Task pools created by corm.pool_create; see the view corm.pools';
REVOKE ALL ON corm.pool_definitions FROM PUBLIC;
GRANT SELECT ON corm.pool_definitions TO pg_database_owner;

CREATE TABLE corm.pool_grants (
	pool text COLLATE "C" NOT NULL,
	grantee corm.role_ref NOT NULL,
	can_submit boolean NOT NULL,
	can_manage boolean NOT NULL,
	PRIMARY KEY (pool, grantee)
);
COMMENT ON TABLE corm.pool_grants IS 'Privileges on task pools granted by corm.pool_grant; see the view corm.pools';
REVOKE ALL ON corm.pool_grants FROM PUBLIC;
GRANT SELECT ON corm.pool_grants TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.pool_definitions
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.pool_definitions ENABLE ALWAYS TRIGGER catalog_change;
CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.pool_grants
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.pool_grants ENABLE ALWAYS TRIGGER catalog_change;

SELECT pg_catalog.pg_extension_config_dump('corm.pool_definitions', '');
SELECT pg_catalog.pg_extension_config_dump('corm.pool_grants', '');

CREATE SEQUENCE corm.durable_task_id;
COMMENT ON SEQUENCE corm.durable_task_id IS 'IDs of durable tasks';
REVOKE ALL ON SEQUENCE corm.durable_task_id FROM PUBLIC;
GRANT SELECT ON SEQUENCE corm.durable_task_id TO pg_database_owner;

CREATE TABLE corm.durable_tasks (
	id bigint PRIMARY KEY,
	pool text NOT NULL,
	name text,
	state text NOT NULL,
	priority integer NOT NULL,
	run_at timestamptz NOT NULL,
	attempt integer NOT NULL,
	max_attempts integer NOT NULL,
	crashes integer NOT NULL,
	backoff bigint NOT NULL,
	max_backoff bigint NOT NULL,
	unique_key text,
	key text,
	key_limit integer NOT NULL,
	session_role corm.role_ref NOT NULL,
	user_role corm.role_ref NOT NULL,
	set_role corm.role_ref,
	security integer NOT NULL,
	isolation integer NOT NULL,
	read_only boolean NOT NULL,
	timeout integer NOT NULL,
	settings text[] NOT NULL,
	body text NOT NULL,
	parameter_types text[] NOT NULL,
	parameters text[] NOT NULL,
	submitted_at timestamptz NOT NULL,
	sqlstate text,
	error text,
	keep bigint,
	origin bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE corm.durable_tasks IS 'Durable tasks that have not succeeded; see the view corm.tasks';
REVOKE ALL ON corm.durable_tasks FROM PUBLIC;
GRANT SELECT ON corm.durable_tasks TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.durable_tasks
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.durable_tasks ENABLE ALWAYS TRIGGER catalog_change;

CREATE TABLE corm.kept_tasks (
	id bigint PRIMARY KEY,
	pool text NOT NULL,
	name text,
	priority integer NOT NULL,
	attempt integer NOT NULL,
	max_attempts integer NOT NULL,
	unique_key text,
	key text,
	session_role corm.role_ref NOT NULL,
	user_role corm.role_ref NOT NULL,
	body text NOT NULL,
	submitted_at timestamptz NOT NULL,
	run_at timestamptz NOT NULL,
	started_at timestamptz NOT NULL,
	finished_at timestamptz NOT NULL,
	value jsonb,
	kept_until timestamptz NOT NULL
);
CREATE INDEX kept_tasks_until ON corm.kept_tasks (kept_until);
COMMENT ON TABLE corm.kept_tasks IS 'Durable tasks that have succeeded and are kept for a while; see the view corm.tasks';
REVOKE ALL ON corm.kept_tasks FROM PUBLIC;
GRANT SELECT ON corm.kept_tasks TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.kept_tasks
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.kept_tasks ENABLE ALWAYS TRIGGER catalog_change;

SELECT pg_catalog.pg_extension_config_dump('corm.durable_tasks', '');
SELECT pg_catalog.pg_extension_config_dump('corm.kept_tasks', '');
SELECT pg_catalog.pg_extension_config_dump('corm.durable_task_id', '');

-- Pools

CREATE FUNCTION corm.pool_create(name text, workers integer DEFAULT 2, capacity integer DEFAULT 1000,
	max_attempts integer DEFAULT 1, timeout interval DEFAULT NULL, result_ttl interval DEFAULT '5 min') RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_create';
COMMENT ON FUNCTION corm.pool_create(text, integer, integer, integer, interval, interval) IS
'Creates a task pool that the current role owns: a queue of at most capacity waiting tasks, of which so many workers run at a time. max_attempts and timeout are the defaults of its tasks, result_ttl is how long their results are kept. Errors: 42710 if it exists; 53400 if there are too many; 22023 for a setting out of range; 55000 if the library is not preloaded.';

CREATE FUNCTION corm.pool_alter(name text, workers integer DEFAULT NULL, capacity integer DEFAULT NULL,
	max_attempts integer DEFAULT NULL, timeout interval DEFAULT NULL, result_ttl interval DEFAULT NULL) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_alter';
COMMENT ON FUNCTION corm.pool_alter(text, integer, integer, integer, interval, interval) IS
'Changes settings of a task pool at commit; NULL leaves one as it is, and a timeout of 0 is none. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 22023 for a setting out of range.';

CREATE FUNCTION corm.pool_drop(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_drop';
COMMENT ON FUNCTION corm.pool_drop(text) IS
'Drops a task pool at commit; the tasks in it are canceled. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 2BP01 for the pool default, and if schedules use it.';

CREATE FUNCTION corm.pool_grant(pool text, grantee regrole, privileges text[]) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_grant';
COMMENT ON FUNCTION corm.pool_grant(text, regrole, text[]) IS
'Grants submit, manage or both on a task pool to a role; ''-'' means PUBLIC. Errors: 42704 if the pool does not exist; 42501 unless the caller owns it; 22023 for any other privilege.';

CREATE FUNCTION corm.pool_revoke(pool text, grantee regrole, privileges text[]) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_revoke';
COMMENT ON FUNCTION corm.pool_revoke(text, regrole, text[]) IS
'Revokes submit, manage or both on a task pool from a role; ''-'' means PUBLIC. Errors: 42704 if the pool does not exist; 42501 unless the caller owns it; 22023 for any other privilege.';

CREATE FUNCTION corm.pool_close(name text, drain boolean DEFAULT true, timeout interval DEFAULT NULL) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_close';
COMMENT ON FUNCTION corm.pool_close(text, boolean, interval) IS
'Closes a task pool at once: it takes no more tasks. With drain, what waits still runs; else it is canceled, and so is what runs. Returns true when nothing is left, false after the timeout or corm.max_wait. Errors: 55000 if it is already closed, or paused and to be drained; 42704 if it does not exist; 42501 without the privilege manage.';

CREATE FUNCTION corm.pool_open(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_open';
COMMENT ON FUNCTION corm.pool_open(text) IS
'Opens a closed task pool at once. Errors: 55000 if it is already open; 42704 if it does not exist; 42501 without the privilege manage.';

CREATE FUNCTION corm.pool_pause(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_pause';
COMMENT ON FUNCTION corm.pool_pause(text) IS
'Pauses a task pool at once: it takes tasks, and starts none. Errors: 42704 if it does not exist; 42501 without the privilege manage.';

CREATE FUNCTION corm.pool_resume(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_pool_resume';
COMMENT ON FUNCTION corm.pool_resume(text) IS
'Lets a paused task pool start tasks again. Errors: 42704 if it does not exist; 42501 without the privilege manage.';

-- Tasks

CREATE TYPE corm.task_options AS (
	pool text,
	name text,
	priority integer,
	delay interval,
	run_at timestamptz,
	timeout interval,
	max_attempts integer,
	backoff interval,
	max_backoff interval,
	unique_key text,
	on_duplicate text,
	key text,
	key_limit integer,
	wait_group text,
	wait interval,
	durable boolean,
	immediate boolean,
	isolation text,
	keep interval
);
COMMENT ON TYPE corm.task_options IS 'Options of a task, made by corm.task';

CREATE TYPE corm.task_state AS (
	id bigint,
	pool text,
	name text,
	state text,
	priority integer,
	attempt integer,
	max_attempts integer,
	durable boolean,
	key text,
	unique_key text,
	wait_group text,
	submitter regrole,
	submitted_at timestamptz,
	run_at timestamptz,
	started_at timestamptz,
	finished_at timestamptz,
	progress real,
	note text,
	body text,
	error text,
	sqlstate text
);
COMMENT ON TYPE corm.task_state IS 'State of a task, returned by corm.task_info and shown by the view corm.tasks';

CREATE FUNCTION corm.task(
	pool text DEFAULT 'default',
	name text DEFAULT NULL,
	priority integer DEFAULT 0,
	delay interval DEFAULT NULL,
	run_at timestamptz DEFAULT NULL,
	timeout interval DEFAULT NULL,
	max_attempts integer DEFAULT NULL,
	backoff interval DEFAULT '1 s',
	max_backoff interval DEFAULT '1 h',
	unique_key text DEFAULT NULL,
	on_duplicate text DEFAULT 'error',
	key text DEFAULT NULL,
	key_limit integer DEFAULT 1,
	wait_group text DEFAULT NULL,
	wait interval DEFAULT NULL,
	durable boolean DEFAULT false,
	immediate boolean DEFAULT false,
	isolation text DEFAULT NULL,
	keep interval DEFAULT NULL
) RETURNS corm.task_options
	LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'corm_task';
COMMENT ON FUNCTION corm.task(text, text, integer, interval, timestamptz, interval, integer, interval, interval, text, text, text, integer, text, interval, boolean, boolean, text, interval) IS
'Makes the options of a task. Errors: OR006 for an invalid value.';

CREATE FUNCTION corm.submit(body text) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit';
COMMENT ON FUNCTION corm.submit(text) IS
'Has a worker run SQL as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

CREATE FUNCTION corm.submit(body text, VARIADIC params "any") RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit';
COMMENT ON FUNCTION corm.submit(text, "any") IS
'Has a worker run SQL with the parameters $1, $2, ... as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

CREATE FUNCTION corm.submit(body text, VARIADIC params text[]) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit';
COMMENT ON FUNCTION corm.submit(text, text[]) IS
'Has a worker run SQL with the parameters $1, $2, ..., whose types come from the context, as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

-- Without this form, submit('...', some_text, 1) would resolve to (task_options, text, "any").
CREATE FUNCTION corm.submit(body text, param text, VARIADIC params "any") RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit';
COMMENT ON FUNCTION corm.submit(text, text, "any") IS
'Has a worker run SQL with the parameters $1, $2, ... as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

CREATE FUNCTION corm.submit(opts corm.task_options, body text) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit_opts';
COMMENT ON FUNCTION corm.submit(corm.task_options, text) IS
'Has a worker run SQL with options as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

CREATE FUNCTION corm.submit(opts corm.task_options, body text, VARIADIC params "any") RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit_opts';
COMMENT ON FUNCTION corm.submit(corm.task_options, text, "any") IS
'Has a worker run SQL with options and the parameters $1, $2, ... as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

CREATE FUNCTION corm.submit(opts corm.task_options, body text, VARIADIC params text[]) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit_opts';
COMMENT ON FUNCTION corm.submit(corm.task_options, text, text[]) IS
'Has a worker run SQL with options and the parameters $1, $2, ..., whose types come from the context, as a task when the transaction commits. Returns the ID of the task. Errors: 42704 for an unknown pool or wait group; 42501 without the right to submit to it, and in a security-restricted operation; 55000 if the pool is closed or the library is not preloaded; 53400 if it is full; 42710 for a unique key in use; 54000 if body and parameters exceed corm.max_payload; 53200 if corm.work_memory is used up; 42804 for a parameter that cannot be given to another process; OR006 for an invalid option.';

CREATE FUNCTION corm.submit_many(opts corm.task_options, body text, params jsonb) RETURNS bigint[]
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_submit_many';
COMMENT ON FUNCTION corm.submit_many(corm.task_options, text, jsonb) IS
'Submits a task for each element of an array, which is an array of the parameters $1, $2, ...; all of them or none. Returns their IDs in order. Errors: those of corm.submit; 22023 if params is not an array of arrays.';

CREATE FUNCTION corm.task_wait(id bigint, timeout interval DEFAULT NULL) RETURNS corm.tx_result
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_wait';
COMMENT ON FUNCTION corm.task_wait(bigint, interval) IS
'Waits until a task has ended, and returns its outcome, in which an error is data; NULL after the timeout or corm.max_wait. Errors: P0002 if there is no such task, or its result is forgotten; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 55000 if the current transaction has submitted it and not committed, and in the task itself; 40P01 if the task waits for this session, or cannot begin because of this one; 53200 if its value could not be kept.';

-- No defaults: with them, a call of the function would be ambiguous.
CREATE PROCEDURE corm.task_wait(id bigint, timeout interval, INOUT result corm.tx_result)
	LANGUAGE C AS 'MODULE_PATHNAME', 'corm_task_wait_call';
COMMENT ON PROCEDURE corm.task_wait(bigint, interval, corm.tx_result) IS
'Waits until a task has ended, without a snapshot and for as long as is asked. result is its outcome, NULL after the timeout. Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes; P0002 if there is no such task, or its result is forgotten; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 53200 if its value could not be kept.';

CREATE FUNCTION corm.task_value(id bigint, timeout interval DEFAULT NULL) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_value';
COMMENT ON FUNCTION corm.task_value(bigint, interval) IS
'Waits until a task has ended, and returns the rows of its last statement as a JSON array, or raises its error. Errors: that of the task; OR032 after the timeout or corm.max_wait; P0002 if there is no such task, or its result is forgotten; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 55000 if the current transaction has submitted it and not committed, and in the task itself; 40P01 if the task waits for this session, or cannot begin because of this one.';

CREATE FUNCTION corm.task_wait_all(ids bigint[], timeout interval DEFAULT NULL, OUT id bigint, OUT result corm.tx_result) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'corm_task_wait_all';
COMMENT ON FUNCTION corm.task_wait_all(bigint[], interval) IS
'Waits for tasks, and returns a row for each, in the order in which they have ended; those that have not ended after the timeout or corm.max_wait are missing. Errors: P0002 if there is no such task, or its result is forgotten; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 55000 if the current transaction has submitted it and not committed, and in the task itself; 40P01 if one of them waits for this session, or cannot begin because of this one.';

CREATE FUNCTION corm.task_cancel(id bigint) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_cancel';
COMMENT ON FUNCTION corm.task_cancel(bigint) IS
'Cancels a task at once: one that waits does not run, one that runs is told to stop. Returns false if it has ended. Errors: P0002 if there is no such task; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 2BP01 if a schedule waits with it.';

CREATE FUNCTION corm.task_retry(id bigint) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_retry';
COMMENT ON FUNCTION corm.task_retry(bigint) IS
'Has a task that has failed or was canceled run again at once, from its first attempt on. Returns false if it is in another state. Errors: P0002 if there is no such task; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 55000 if its pool is closed; 42710 if another task uses its unique key.';

CREATE FUNCTION corm.task_forget(id bigint) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_forget';
COMMENT ON FUNCTION corm.task_forget(bigint) IS
'Forgets a task that has ended, and its result. Returns false if it has not ended. Errors: P0002 if there is no such task; 42501 if it is not the own one of the caller nor of a pool that the caller manages; 2BP01 if a schedule waits with it.';

CREATE FUNCTION corm.task_adopt() RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_adopt';
COMMENT ON FUNCTION corm.task_adopt() IS
'Has the durable tasks of the database run that come from a dump or copy of another server. Returns how many. Errors: 42501 unless the caller is a superuser or owns the database; 25006 in a read-only transaction.';

CREATE FUNCTION corm.task_info(id bigint) RETURNS corm.task_state
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_info';
COMMENT ON FUNCTION corm.task_info(bigint) IS
'Returns the state of a task. Errors: P0002 if there is no such task; 42501 if it is not the own one of the caller nor of a pool that the caller manages.';

CREATE FUNCTION corm.task_progress(percent double precision, note text DEFAULT NULL) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_task_progress';
COMMENT ON FUNCTION corm.task_progress(double precision, text) IS
'Tells how far the task that calls it is; other sessions see that at once. Errors: 55000 outside of a task; 22023 for a percentage out of range.';

CREATE FUNCTION corm.current_task(OUT id bigint, OUT pool text, OUT name text, OUT attempt integer) RETURNS record
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_current_task';
COMMENT ON FUNCTION corm.current_task() IS
'Returns the task that calls it; NULLs outside of a task.';

CREATE FUNCTION corm.parallel(bodies text[], timeout interval DEFAULT NULL) RETURNS jsonb[]
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_parallel';
COMMENT ON FUNCTION corm.parallel(text[], interval) IS
'Runs bodies as tasks of the pool default, at the same time, and returns their results in order. The first error cancels the others and is raised. Errors: that of a body; OR030 after the timeout or corm.max_wait; 40P01 if a body waits for this session, or cannot begin because of this one; those of corm.submit.';

CREATE FUNCTION corm.list_tasks() RETURNS SETOF corm.task_state
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100 AS 'MODULE_PATHNAME', 'corm_list_tasks';
COMMENT ON FUNCTION corm.list_tasks() IS
'Returns the tasks of the database; see the view corm.tasks.';

CREATE VIEW corm.tasks AS
	SELECT id, pool, name, state, priority, attempt, max_attempts, durable, key, unique_key, wait_group, submitter,
		submitted_at, run_at, started_at, finished_at, progress, note, body, error, sqlstate
	FROM corm.list_tasks();
COMMENT ON VIEW corm.tasks IS
'The tasks of the database, those that have ended and are not forgotten included; names, keys, bodies and errors of other roles only with pg_read_all_stats; empty if the library is not preloaded';
GRANT SELECT ON corm.tasks TO PUBLIC;

CREATE FUNCTION corm.list_pools(OUT id bigint, OUT workers integer, OUT capacity integer, OUT closed boolean,
	OUT paused boolean, OUT waiting integer, OUT scheduled integer, OUT retrying integer, OUT running integer,
	OUT reserved integer, OUT blocked integer, OUT submitted bigint, OUT succeeded bigint, OUT failed bigint,
	OUT cancelled bigint, OUT retried bigint, OUT full_waits bigint, OUT wait_time double precision,
	OUT run_time double precision, OUT wait_histogram jsonb, OUT run_histogram jsonb)
	RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'corm_list_pools';
COMMENT ON FUNCTION corm.list_pools() IS
'Returns what is in the task pools of the database that are in use; see the view corm.pools.';

CREATE VIEW corm.pools AS
	SELECT d.name, d.owner, d.workers, d.capacity, d.max_attempts, d.timeout, d.result_ttl,
		coalesce(p.closed, false) AS closed, coalesce(p.paused, false) AS paused,
		coalesce(p.waiting, 0) AS waiting, coalesce(p.scheduled, 0) AS scheduled, coalesce(p.retrying, 0) AS retrying,
		coalesce(p.running, 0) AS running, coalesce(p.reserved, 0) AS reserved, coalesce(p.blocked, 0) AS blocked,
		coalesce(p.submitted, 0) AS submitted, coalesce(p.succeeded, 0) AS succeeded, coalesce(p.failed, 0) AS failed,
		coalesce(p.cancelled, 0) AS cancelled, coalesce(p.retried, 0) AS retried,
		coalesce(p.full_waits, 0) AS full_waits, coalesce(p.wait_time, 0) AS wait_time,
		coalesce(p.run_time, 0) AS run_time,
		coalesce(p.wait_histogram, '[]') AS wait_histogram, coalesce(p.run_histogram, '[]') AS run_histogram,
		CASE WHEN d.stored THEN
			(SELECT pg_catalog.array_agg(pg_catalog.concat(
					CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC' ELSE g.grantee::pg_catalog.text END, '=',
					pg_catalog.concat_ws('/', CASE WHEN g.can_submit THEN 'submit' END, CASE WHEN g.can_manage THEN 'manage' END))
					ORDER BY g.grantee::pg_catalog.oid)
				FROM corm.pool_grants g WHERE g.pool OPERATOR(pg_catalog.=) d.name)
		ELSE '{PUBLIC=submit}' END AS grants
	FROM (
		SELECT name, id, owner::pg_catalog.regrole AS owner, workers, capacity, max_attempts, timeout, result_ttl, true AS stored
		FROM corm.pool_definitions
		UNION ALL
		SELECT 'default', 1, db.datdba::pg_catalog.regrole, 2, 1000, 1, NULL, '5 min', false
		FROM pg_catalog.pg_database db
		WHERE db.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
			AND NOT EXISTS (SELECT FROM corm.pool_definitions WHERE id OPERATOR(pg_catalog.=) 1)
	) d LEFT JOIN corm.list_pools() p ON p.id OPERATOR(pg_catalog.=) d.id;
COMMENT ON VIEW corm.pools IS
'The task pools of the database: definition, what is in them now, and what has happened in them since the server was started; times in milliseconds';
GRANT SELECT ON corm.pools TO PUBLIC;
