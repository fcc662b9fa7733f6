-- hardening 59
-- Task pools: definitions, rights, closing, pausing; whose tasks are whose.
CREATE SCHEMA task_pools;
SET search_path = task_pools;
CREATE FUNCTION state(id bigint) RETURNS text LANGUAGE sql AS $$SELECT (corm.task_info(id)).state$$;

SELECT name, workers, capacity, max_attempts, timeout, result_ttl, closed, paused, grants FROM corm.pools;
SELECT corm.pool_create('a', 3, 10, 2, '1 min', '1 hour');
SELECT corm.pool_create('a');
SELECT corm.pool_create('default');
SELECT corm.pool_create('');
SELECT corm.pool_create(NULL);
SELECT corm.pool_create(repeat('x', 64));
SELECT corm.pool_create('b', workers => 0);
SELECT corm.pool_create('b', capacity => 0);
SELECT corm.pool_create('b', max_attempts => 0);
SELECT corm.pool_create('b', timeout => '-1 s');
SELECT corm.pool_create('b', result_ttl => '-1 s');
SELECT name, workers, capacity, max_attempts, timeout, result_ttl, grants FROM corm.pools ORDER BY name;
-- its settings are those of its tasks
SELECT corm.pool_pause('a');
SELECT corm.submit(corm.task('a'), 'SELECT 1') AS t \gset
SELECT max_attempts FROM corm.task_info(:t);
SELECT corm.pool_alter('a', workers => 1, capacity => 1, max_attempts => 7, timeout => '0', result_ttl => '1 min');
SELECT name, workers, capacity, max_attempts, timeout, result_ttl FROM corm.pools WHERE name = 'a';
SELECT corm.submit(corm.task('a', wait => '0'), 'SELECT 1');
BEGIN;
SELECT corm.pool_alter('a', capacity => 5);
ROLLBACK;
SELECT corm.submit(corm.task('a', wait => '0'), 'SELECT 1');
SELECT corm.pool_alter('a', capacity => 5);
SELECT corm.submit(corm.task('a', wait => '0'), 'SELECT 1') IS NOT NULL AS submitted;
SELECT corm.pool_alter('missing', 1);
SELECT corm.pool_alter('a', workers => -1);
-- closed: refused; without draining what waits is cancelled
SELECT corm.pool_close('a');
SELECT corm.pool_close('a', drain => false);
SELECT state(:t);
SELECT corm.submit(corm.task('a'), 'SELECT 1');
SELECT corm.pool_close('a', drain => false);
SELECT closed, waiting, cancelled FROM corm.pools WHERE name = 'a';
SELECT corm.task_retry(:t);
SELECT corm.pool_open('a');
SELECT corm.pool_open('a');
SELECT corm.pool_resume('a'), corm.pool_resume('a');
SELECT corm.task_retry(:t);
SELECT ok FROM corm.task_wait(:t);
-- draining: what is due runs, what is scheduled does not
SELECT corm.submit(corm.task('a', delay => '1 hour'), 'SELECT 1') AS later \gset
SELECT corm.submit(corm.task('a'), 'SELECT pg_sleep(0.05)') AS t1 \gset
SELECT corm.submit(corm.task('a'), 'SELECT 2 AS a') AS t2 \gset
SELECT corm.pool_close('a', timeout => '1 min');
SELECT state(:t1), state(:t2), state(:later);
SELECT corm.pool_open('a');
-- not in time
SELECT corm.submit(corm.task('a'), 'SELECT pg_sleep(60)') AS t1 \gset
SELECT corm.pool_close('a', timeout => '10 ms');
SELECT corm.task_cancel(:t1);
SELECT sqlstate FROM corm.task_wait(:t1);
SELECT corm.pool_open('a');
-- a commit does not fail because the pool was closed in between
BEGIN;
SELECT corm.submit(corm.task('a'), 'SELECT 1') AS t \gset
SELECT corm.pool_close('a', drain => false);
COMMIT;
SELECT state(:t);
SELECT corm.pool_open('a');
-- dropped: at commit, with what is in it
SELECT corm.pool_pause('a');
SELECT corm.submit(corm.task('a'), 'SELECT 1') AS t \gset
BEGIN;
SELECT corm.pool_drop('a');
SELECT corm.submit(corm.task('a'), 'SELECT 1');
ROLLBACK;
SELECT state(:t);
SELECT corm.pool_drop('a');
SELECT state(:t);
SELECT corm.submit(corm.task('a'), 'SELECT 1');
SELECT corm.pool_drop('a');
SELECT corm.pool_drop('default');
-- created and used in one transaction; rolled back
BEGIN;
SELECT corm.pool_create('tx');
SELECT corm.submit(corm.task('tx'), 'SELECT 1') IS NOT NULL AS submitted;
ROLLBACK;
SELECT corm.submit(corm.task('tx'), 'SELECT 1');
BEGIN;
SELECT corm.pool_create('tx');
SELECT corm.submit(corm.task('tx'), 'SELECT 1 AS a') AS t \gset
COMMIT;
SELECT corm.task_value(:t);
SELECT corm.pool_drop('tx');

-- rights
CREATE ROLE tp_owner LOGIN;
CREATE ROLE tp_other LOGIN;
CREATE ROLE tp_third LOGIN;
GRANT USAGE ON SCHEMA task_pools TO PUBLIC;
SET SESSION AUTHORIZATION tp_owner;
SELECT corm.pool_create('owned');
SELECT corm.submit(corm.task('owned'), 'SELECT current_user AS cu, session_user AS su') AS t \gset
SELECT corm.task_value(:t);
SET SESSION AUTHORIZATION tp_other;
SELECT corm.submit(corm.task('owned'), 'SELECT 1');
SELECT corm.pool_close('owned');
SELECT corm.pool_pause('owned');
SELECT corm.pool_alter('owned', 1);
SELECT corm.pool_drop('owned');
SELECT corm.pool_grant('owned', 'tp_other', '{submit}');
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_wait($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_cancel($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_info($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_retry($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_forget($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_wait_all(ARRAY[$1])', :t);
SELECT pool, state, submitter, name, body FROM corm.tasks WHERE pool = 'owned';
SELECT * FROM corm.pool_definitions;
SET SESSION AUTHORIZATION tp_owner;
SELECT corm.pool_grant('owned', 'tp_other', '{submit}');
SELECT corm.pool_grant('owned', 'tp_third', '{manage}');
SELECT corm.pool_grant('owned', '-', '{what}');
SELECT corm.pool_grant('owned', '-', '{submit,NULL}');
SELECT corm.schedule('bad', 'every foo', NULL, 'SELECT 1');
SELECT name, grants FROM corm.pools WHERE name = 'owned';
SET SESSION AUTHORIZATION tp_other;
SELECT corm.submit(corm.task('owned'), 'SELECT current_user AS cu, session_user AS su') AS t \gset
SELECT corm.task_value(:t);
SET SESSION AUTHORIZATION tp_third;
SELECT corm.submit(corm.task('owned'), 'SELECT 1');
SELECT (corm.task_wait(:t)).ok;
SELECT corm.pool_pause('owned'), corm.pool_resume('owned');
RESET SESSION AUTHORIZATION;
-- a role set by the submitter, and a definer's function: the task acts as it, and cannot leave it
CREATE FUNCTION defined() RETURNS bigint SECURITY DEFINER LANGUAGE sql AS $$SELECT corm.submit('SELECT current_user AS cu')$$;
ALTER FUNCTION defined() OWNER TO tp_owner;
SET SESSION AUTHORIZATION tp_other;
SELECT defined() AS t \gset
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_value($1)', :t);
RESET SESSION AUTHORIZATION;
SELECT (corm.task_wait(:t)).value;
SET ROLE tp_owner;
SELECT corm.submit('SELECT current_user AS cu') AS t \gset
SELECT corm.submit('RESET ROLE; SELECT current_user AS cu') AS u \gset
SELECT corm.task_value(:t);
SELECT sqlstate FROM corm.task_wait(:u);
RESET ROLE;
-- a session user that may not log in
CREATE ROLE tp_nologin;
SET SESSION AUTHORIZATION tp_nologin;
SELECT corm.submit('SELECT 1');
RESET SESSION AUTHORIZATION;
-- not from where others run code as somebody
CREATE TABLE indexed (n int);
CREATE FUNCTION spy(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM corm.submit('SELECT 1'); RETURN n; END$$;
INSERT INTO indexed VALUES (1);
CREATE INDEX ON indexed (task_pools.spy(n));
-- the pool default
SET SESSION AUTHORIZATION tp_owner;
SELECT corm.pool_alter('default', 1);
SELECT corm.pool_pause('default');
RESET SESSION AUTHORIZATION;
SELECT corm.pool_revoke('default', '-', '{submit}');
SET SESSION AUTHORIZATION tp_owner;
SELECT corm.submit('SELECT 1');
RESET SESSION AUTHORIZATION;
SELECT corm.pool_grant('default', '-', '{submit}');
SELECT corm.pool_alter('default', workers => 3);
SELECT name, workers, capacity, grants FROM corm.pools WHERE name = 'default';
SELECT corm.pool_alter('default', workers => 2);
-- roles that are in use
DROP ROLE tp_owner;
DROP ROLE tp_other;
SELECT corm.pool_revoke('owned', 'tp_other', '{submit,manage}'), corm.pool_revoke('owned', 'tp_third', '{manage}');
-- ... by a schedule and its task
SET ROLE tp_other;
SELECT corm.schedule('monthly', '@monthly', NULL, 'SELECT 1');
RESET ROLE;
\set VERBOSITY terse
DROP ROLE tp_other;
\set VERBOSITY default
SELECT corm.unschedule('monthly');
SELECT corm.pool_drop('owned');
-- what they own goes to another role, or is dropped; a schedule stays with the role that it acts as
SET ROLE tp_owner;
SELECT corm.pool_create('owned'), corm.pool_grant('owned', 'tp_other', '{submit}'), corm.pool_grant('owned', 'tp_third', '{submit}');
SELECT corm.schedule('hers', '@monthly', corm.task('owned'), 'SELECT 1');
RESET ROLE;
SET ROLE tp_other;
SELECT corm.schedule('his', '@monthly', corm.task('owned'), 'SELECT 1');
RESET ROLE;
REASSIGN OWNED BY tp_owner TO tp_third;
SELECT name, owner FROM corm.pools WHERE name = 'owned';
SELECT name, owner FROM corm.schedules ORDER BY name;
DROP OWNED BY tp_owner;
SELECT name, owner FROM corm.schedules ORDER BY name;
DROP OWNED BY tp_third;
BEGIN;
DROP OWNED BY tp_other;
SELECT name, owner, grants FROM corm.pools WHERE name = 'owned';
SELECT name FROM corm.schedules;
ROLLBACK;
\set VERBOSITY terse
SET ROLE tp_other;
DROP OWNED BY tp_third;
REASSIGN OWNED BY tp_third TO tp_other;
RESET ROLE;
\set VERBOSITY default
SELECT name, owner, grants FROM corm.pools WHERE name = 'owned';
DROP OWNED BY tp_third, tp_other;
SELECT name, owner FROM corm.pools WHERE name = 'owned';
SELECT name FROM corm.schedules;
SELECT count(*) FROM corm.pool_grants WHERE pool = 'owned';
SELECT count(*) FROM corm.durable_tasks;
DROP ROLE tp_owner, tp_other, tp_third, tp_nologin;
DROP SCHEMA task_pools CASCADE;
