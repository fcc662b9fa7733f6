-- Durable tasks: rows that workers run.
CREATE SCHEMA durable_tasks;
SET search_path = durable_tasks;
CREATE TABLE done (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION state(id bigint) RETURNS text LANGUAGE sql AS $$SELECT (corm.task_info(id)).state$$;
CREATE FUNCTION until(sql text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	yes boolean;
BEGIN
	FOR i IN 1..10000 LOOP
		EXECUTE 'SELECT ' || sql INTO yes;
		IF yes THEN RETURN true; END IF;
		PERFORM pg_sleep(0.002);
	END LOOP;
	RETURN false;
END $$;
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN word AS text;
SELECT corm.pool_create('d', workers => 1, capacity => 1);

-- done once, with its row gone
SELECT corm.submit(corm.task('d', durable => true, name => 'first'), 'INSERT INTO done (what) VALUES ($1) RETURNING what', 'one') AS t \gset
SELECT ok, value, scope FROM corm.task_wait(:t);
SELECT state, durable, attempt, name, body FROM corm.task_info(:t);
SELECT count(*) FROM corm.durable_tasks;
-- of a transaction, and of a savepoint
BEGIN;
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''rolled back'')') IS NOT NULL AS submitted;
ROLLBACK;
SELECT count(*) FROM corm.durable_tasks;
-- failed: its changes are gone, its row stays
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''undone''); SELECT 1 / 0') AS f \gset
SELECT ok, sqlstate, message FROM corm.task_wait(:f);
SELECT pool, state, attempt, sqlstate, error FROM corm.durable_tasks;
-- an error of the commit
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO child VALUES (1)') AS c \gset
SELECT sqlstate FROM corm.task_wait(:c);
SELECT state, sqlstate FROM corm.durable_tasks WHERE id = :c;
SELECT count(*) FROM child;
-- rolled back by itself
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''no''); SELECT corm.set_rollback_only()') AS t \gset
SELECT ok, sqlstate FROM corm.task_wait(:t);
-- retried
SELECT corm.submit(corm.task('d', durable => true, max_attempts => 3, backoff => '1 ms'),
	'INSERT INTO done (what) SELECT ''attempt '' || attempt FROM corm.current_task(); SELECT 1 / (attempt / 3) AS a FROM corm.current_task()') AS t \gset
SELECT value FROM corm.task_wait(:t, '1 min');
SELECT what FROM done ORDER BY n;
-- parameters of all kinds
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e, $6 AS f, $7 AS g, $8 AS h',
	1::smallint, '2020-01-02 03:04:05+00'::timestamptz, 0.1::float8, '{"a": null}'::jsonb, ARRAY['x', NULL, 'y"'], (1, 'b''')::pair, NULL::date, 'w'::word) AS t \gset
SELECT corm.task_value(:t);
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1::int + $2::int AS s', '4', '5') AS t \gset
SELECT corm.task_value(:t);
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1', ROW(1));

-- they take no room; they wait with the others
SELECT corm.pool_pause('d');
SELECT count(corm.submit(corm.task('d', durable => true, name => 'many'), 'INSERT INTO done (what) VALUES (''many'')')) FROM generate_series(1, 5);
SELECT corm.submit(corm.task('d', wait => '0'), 'SELECT 1') IS NOT NULL AS submitted;
SELECT corm.submit(corm.task('d', wait => '0'), 'SELECT 1');
SELECT waiting, reserved FROM corm.pools WHERE name = 'd';
-- so a transaction that fills the pool by itself is told, though durable ones wait
SELECT corm.pool_create('small', capacity => 2);
SELECT corm.submit(corm.task('small', durable => true, delay => '1 day'), 'SELECT 1') IS NOT NULL AS submitted;
SET statement_timeout = '20 s';
SELECT corm.submit(corm.task('small'), 'SELECT 1') FROM generate_series(1, 3);
RESET statement_timeout;
SELECT corm.task_cancel(id) FROM corm.tasks WHERE pool = 'small';
SELECT until('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE pool = ''small'')');
SELECT corm.pool_drop('small');
-- cancelled: the row goes
SELECT min(id) AS m FROM corm.tasks WHERE name = 'many' \gset
SELECT corm.task_cancel(:m);
SELECT corm.submit(corm.task('d', durable => true, delay => '1 day'), 'SELECT 1') AS later \gset
SELECT corm.task_cancel(:later);
SELECT corm.pool_resume('d');
SELECT until('(SELECT count(*) = 0 FROM corm.tasks WHERE state IN (''waiting'', ''running''))');
SELECT state(:m), state(:later);
SELECT count(*) FROM corm.durable_tasks WHERE state = 'pending';
SELECT count(*) FROM done WHERE what = 'many';
-- what runs
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''cancelled''); SELECT pg_sleep(60)') AS t \gset
SELECT until(format('%L::text = (corm.task_info(%s)).state', 'running', :t));
SELECT corm.task_cancel(:t);
SELECT sqlstate, state(:t) FROM corm.task_wait(:t);
SELECT count(*) FROM corm.durable_tasks WHERE id = :t;

-- dead letters: run again, forgotten
SELECT corm.submit(corm.task('d', durable => true), 'SELECT 1 / count(*) AS one FROM parent') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
INSERT INTO parent VALUES (1);
SELECT corm.task_retry(:t);
SELECT until(format('%L::text = (corm.task_info(%s)).state', 'succeeded', :t));
SELECT corm.task_retry(:t);
SELECT corm.task_forget(:f);
SELECT count(*) FROM corm.durable_tasks WHERE id = :f;
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_info($1)', :f);
BEGIN;
SELECT corm.task_retry(:c);
ROLLBACK;
SELECT state FROM corm.durable_tasks WHERE id = :c;
-- not while another one uses its unique key, or its pool is closed
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'again'), 'SELECT 1 / 0') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'again', delay => '1 day'), 'SELECT 1') AS u \gset
SELECT sqlstate, replace(replace(message, :'t', 'T') || ': ' || replace(detail, :'u', 'U'), :'t', 'T') AS error FROM corm.try_tx('SELECT corm.task_retry($1)', :t);
SELECT corm.task_cancel(:u);
SELECT corm.pool_close('d');
SELECT sqlstate, message FROM corm.try_tx('SELECT corm.task_retry($1)', :t);
SELECT state FROM corm.durable_tasks WHERE id = :t;
SELECT corm.pool_open('d');
SELECT corm.task_retry(:t);
SELECT until(format('(SELECT state = ''failed'' FROM corm.durable_tasks WHERE id = %s)', :t));
SELECT until(format('(corm.task_info(%s)).state = %L', :t, 'failed'));
SELECT corm.task_forget(:t);
SELECT until(format('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE id IN (%s, %s))', :t, :u));

-- closed without draining, its rows stay, and run when it is opened
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''after open'')') AS t \gset
SELECT corm.pool_close('d', drain => false);
SELECT state(:t);
SELECT count(*) FROM corm.durable_tasks WHERE id = :t;
SELECT corm.pool_resume('d');
SELECT corm.pool_open('d');
SELECT until(format('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE id = %s)', :t));
SELECT count(*) FROM done WHERE what = 'after open';

-- keys and unique keys
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', key => 'k'), 'SELECT 1 AS a') AS t \gset
SELECT sqlstate FROM corm.try_tx('SELECT corm.submit(corm.task(''d'', durable => true, unique_key => ''u''), ''SELECT 2'')');
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', on_duplicate => 'ignore'), 'SELECT 2') = :t AS same;
SELECT key, unique_key FROM corm.durable_tasks WHERE id = :t;
SELECT corm.pool_resume('d');
SELECT corm.task_value(:t);
SELECT corm.task(durable => true, immediate => true);
-- one that waits for another attempt keeps its key when it was put back and loaded again
SELECT corm.submit(corm.task('d', durable => true, key => 'k', max_attempts => 2, backoff => '1 day', max_backoff => '1 day'), 'SELECT 1 / 0') AS a \gset
SELECT corm.submit(corm.task('d', durable => true, key => 'k'), 'SELECT 1') AS b \gset
SELECT corm.submit(corm.task('d', durable => true), 'SELECT 1') AS c \gset
SELECT ok FROM corm.task_wait(:c);
SELECT state(:a), state(:b);
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true), 'SELECT 1') AS c \gset
SELECT corm.pool_close('d', drain => false);
SELECT corm.pool_open('d'), corm.pool_resume('d');
SELECT until(format('(corm.task_info(%s)).state = %L', :c, 'succeeded'));
SELECT state(:a), state(:b);
SELECT scheduled, retrying, waiting FROM corm.pools WHERE name = 'd';
SELECT corm.task_cancel(:a);
SELECT until(format('(corm.task_info(%s)).state = %L', :b, 'succeeded'));
-- replaced, at another time; with its row
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', priority => 1, delay => '1 day'), 'INSERT INTO done (what) VALUES (''old'')') AS t \gset
BEGIN;
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', on_duplicate => 'replace'), 'SELECT 3') = :t AS same;
ROLLBACK;
SELECT priority, body, run_at > now() + '1 hour' AS later FROM corm.durable_tasks WHERE id = :t;
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', on_duplicate => 'replace', name => 'new', max_attempts => 4, timeout => '7 s', keep => '1 h', delay => '2 days'),
	'INSERT INTO done (what) VALUES ($1) RETURNING what', 'replaced') = :t AS same;
SELECT name, priority, max_attempts, timeout, keep, body, parameters, run_at > now() + '1 day' AS later FROM corm.durable_tasks WHERE id = :t;
SELECT corm.submit(corm.task('d', unique_key => 'u', on_duplicate => 'reschedule', delay => '1 hour'), 'SELECT 1') = :t AS same;
SELECT body, run_at < now() + '2 hours' AS sooner FROM corm.durable_tasks WHERE id = :t;
SELECT corm.submit(corm.task('d', unique_key => 'u', on_duplicate => 'replace'), 'SELECT 1');
-- in one transaction, and after it was put back and loaded again
BEGIN;
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'both', key => 'k'), 'SELECT 1') AS b \gset
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'both', on_duplicate => 'replace'), 'SELECT 2');
ROLLBACK;
BEGIN;
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'both'), 'SELECT 1') AS b \gset
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'both', on_duplicate => 'replace'), 'INSERT INTO done (what) VALUES (''second'')') = :b AS same;
COMMIT;
SELECT corm.pool_close('d', drain => false);
SELECT corm.pool_resume('d'), corm.pool_open('d');
SELECT until(format('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE id = %s)', :b));
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', on_duplicate => 'reschedule'), 'SELECT 1') = :t AS same;
SELECT value FROM corm.task_wait(:t);
SELECT what FROM done WHERE what IN ('old', 'second', 'replaced') ORDER BY what;
-- one that is cancelled gives up its unique key at once, and its row is deleted though the pool is paused
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true, unique_key => 'u', key => 'k'), 'INSERT INTO done (what) VALUES (''cancelled'')') AS c \gset
SELECT corm.task_cancel(:c), corm.submit(corm.task('d', durable => true, unique_key => 'u', on_duplicate => 'ignore'), 'INSERT INTO done (what) VALUES (''instead'')') AS i \gset
SELECT :c <> :i AS another;
SELECT sqlstate, state(:c), state(:i) FROM corm.task_wait(:c);
SELECT count(*) FROM corm.durable_tasks WHERE id = :c;
SELECT corm.submit(corm.task('d', durable => true, delay => '1 day', key => 'k'), 'SELECT 1') AS c \gset
SELECT corm.task_cancel(:c);
SELECT sqlstate FROM corm.task_wait(:c);
BEGIN;
SELECT corm.submit(corm.task('d', durable => true), 'SELECT 1') AS c \gset
SELECT corm.task_cancel(:c);
COMMIT;
SELECT sqlstate FROM corm.task_wait(:c);
SELECT count(*) FROM corm.durable_tasks WHERE id = :c;
-- also if the pool is closed
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''cancelled'')') AS c \gset
SELECT corm.task_cancel(:c), corm.pool_close('d', drain => false);
SELECT corm.pool_open('d');
SELECT corm.pool_resume('d');
SELECT sqlstate FROM corm.task_wait(:c);
SELECT until(format('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE id IN (%s, %s))', :c, :i));
-- and if it is slow to end when the pool is closed
SELECT corm.submit(corm.task('d', durable => true), 'DO $x$ BEGIN PERFORM pg_advisory_xact_lock(6102), pg_sleep(60); EXCEPTION WHEN query_canceled THEN PERFORM pg_advisory_xact_lock(6101); RAISE; END $x$') AS c \gset
SELECT until('(SELECT count(*) = 1 FROM pg_locks WHERE locktype = ''advisory'' AND objid = 6102)');
SELECT pg_advisory_lock(6101);
SELECT corm.task_cancel(:c);
SELECT until('(SELECT count(*) = 1 FROM pg_locks WHERE locktype = ''advisory'' AND objid = 6101 AND NOT granted)');
SELECT corm.pool_close('d', drain => false, timeout => '0');
SELECT pg_advisory_unlock(6101);
SELECT sqlstate FROM corm.task_wait(:c);
SELECT corm.pool_open('d');
SELECT count(*) FROM corm.durable_tasks WHERE id = :c;
SELECT what FROM done WHERE what IN ('cancelled', 'instead');
-- one that is not cancelled runs again, also if it ends only after the pool was opened
CREATE TABLE go ();
SELECT corm.submit(corm.task('d', durable => true), 'DO $x$ BEGIN IF EXISTS (SELECT FROM go) THEN INSERT INTO done (what) VALUES (''again''); RETURN; END IF;
	PERFORM pg_advisory_xact_lock(6102), pg_sleep(60); EXCEPTION WHEN query_canceled THEN PERFORM pg_advisory_xact_lock(6101); RAISE; END $x$') AS c \gset
SELECT until('(SELECT count(*) = 1 FROM pg_locks WHERE locktype = ''advisory'' AND objid = 6102)');
SELECT corm.submit(corm.task('d', durable => true), 'SELECT 1') AS i \gset
INSERT INTO go DEFAULT VALUES;
SELECT pg_advisory_lock(6101);
SELECT corm.pool_close('d', drain => false, timeout => '0');
SELECT until('(SELECT count(*) = 1 FROM pg_locks WHERE locktype = ''advisory'' AND objid = 6101 AND NOT granted)');
SELECT corm.pool_open('d');
SELECT until('(SELECT waiting = 1 FROM corm.pools WHERE name = ''d'')');
SELECT pg_advisory_unlock(6101);
SELECT until(format('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE id IN (%s, %s))', :c, :i));
SELECT what FROM done WHERE what = 'again';

-- kept after it has succeeded, with its value, when memory has forgotten it
SELECT id = :t AS it, pool, name, attempt, max_attempts, body, value, kept_until - finished_at AS keep FROM corm.kept_tasks;
SELECT corm.pool_alter('d', result_ttl => '0');
SELECT corm.submit(corm.task('d', durable => true, keep => '1 h', name => 'kept'), 'SELECT 42 AS answer') AS k \gset
SELECT until(format('(SELECT count(*) = 1 FROM corm.kept_tasks WHERE id = %s)', :k));
SELECT until('(SELECT count(*) = 0 FROM corm.pools WHERE name = ''d'' AND running > 0)');
SELECT ok, value FROM corm.task_wait(:k);
SELECT state, attempt, durable, started_at <= finished_at AS ran, body FROM corm.task_info(:k);
SELECT name, state FROM corm.tasks WHERE id = :k;
SELECT corm.task_cancel(:k), corm.task_retry(:k);
UPDATE corm.kept_tasks SET kept_until = now() - interval '1 s' WHERE id = :k;
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_info($1)', :k);
SELECT count(*) FROM corm.tasks WHERE id = :k;
SELECT corm.submit(corm.task('d', durable => true, keep => '1 h'), 'SELECT pg_sleep(0)') AS l \gset
SELECT until(format('(SELECT count(*) = 1 FROM corm.kept_tasks WHERE id = %s)', :l));
SELECT count(*) FROM corm.kept_tasks WHERE id = :k;
SELECT corm.task_forget(:l);
SELECT count(*) FROM corm.kept_tasks WHERE id = :l;
SELECT corm.submit(corm.task('d', durable => true, keep => '1 h'), 'SELECT 1 / 0') AS l \gset
SELECT until(format('(SELECT count(*) = 1 FROM corm.durable_tasks WHERE id = %s AND state = ''failed'')', :l));
SELECT count(*) FROM corm.kept_tasks WHERE id = :l;
SELECT corm.task_forget(:t);
SELECT corm.task(keep => '1 h');
SELECT corm.pool_alter('d', result_ttl => '5 min');

-- of another cluster: rests until it is adopted
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''adopted'')') AS t \gset
SELECT corm.pool_close('d', drain => false);
UPDATE corm.durable_tasks SET origin = 1 WHERE id = :t;
SELECT corm.pool_resume('d'), corm.pool_open('d');
SELECT corm.task_adopt();
SELECT until(format('(SELECT count(*) = 0 FROM corm.durable_tasks WHERE id = %s)', :t));
SELECT count(*) FROM done WHERE what = 'adopted';
SELECT corm.task_adopt();

-- rights
CREATE ROLE durable_a LOGIN;
CREATE ROLE durable_b LOGIN;
SELECT corm.pool_grant('d', '-', '{submit}');
SET SESSION AUTHORIZATION durable_a;
SET my.claim = 'kept';
SELECT corm.submit(corm.task('d', durable => true), 'SELECT current_user AS cu, session_user AS su, current_setting(''my.claim'') AS claim') AS t \gset
SELECT corm.task_value(:t);
SELECT corm.submit(corm.task('d', durable => true), 'SELECT 1 / 0') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
SELECT corm.task_adopt();
SELECT * FROM corm.durable_tasks;
SELECT nextval('corm.durable_task_id');
SET SESSION AUTHORIZATION durable_b;
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_retry($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_forget($1)', :t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_cancel($1)', :t);
SELECT id = :t AS it, state, submitter, body FROM corm.tasks WHERE id = :t;
SET SESSION AUTHORIZATION durable_a;
SELECT corm.task_forget(:t);
RESET SESSION AUTHORIZATION;
BEGIN READ ONLY;
SELECT corm.submit(corm.task(durable => true), 'SELECT 1');
ROLLBACK;

-- what reads a value of a parameter runs as the task's user, also if the task was brought back into memory from its row
SELECT corm.pool_grant('d', 'durable_a', '{manage}');
GRANT USAGE, CREATE ON SCHEMA durable_tasks TO durable_a;
SET SESSION AUTHORIZATION durable_a;
CREATE TABLE ran_as (who text, is_superuser text);
GRANT ALL ON ran_as TO PUBLIC;
CREATE FUNCTION note(v int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO durable_tasks.ran_as VALUES (concat_ws(' ', current_user, session_user), current_setting('is_superuser'));
	RETURN true;
END $$;
CREATE DOMAIN noted AS int CHECK (durable_tasks.note(VALUE));
CREATE TYPE holder AS (a noted[]);
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1 AS a, $2 AS b', 1::noted, ROW(ARRAY[2])::holder) AS t \gset
SELECT corm.pool_close('d', drain => false);
SELECT corm.pool_open('d'), corm.pool_resume('d');
SELECT until(format('(SELECT count(*) = 1 FROM corm.tasks WHERE id = %s AND state = ''succeeded'')', :t));
SELECT corm.task_value(:t);
RESET SESSION AUTHORIZATION;
SELECT DISTINCT who, is_superuser FROM ran_as;
-- as it was passed, whatever the settings; with the task's search_path
CREATE FUNCTION is_even(n int) RETURNS boolean LANGUAGE sql AS $$SELECT n % 2 = 0$$;
CREATE FUNCTION check_even(n int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RETURN is_even(n); END $$;
CREATE DOMAIN even AS int CHECK (durable_tasks.check_even(VALUE));
CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql AS $$SELECT 'of another schema'$$;
-- NULL where the server is built without XML
CREATE FUNCTION fragment() RETURNS xml LANGUAGE plpgsql AS $$BEGIN RETURN xmlparse(CONTENT 'a<b/>'); EXCEPTION WHEN feature_not_supported THEN RETURN NULL; END $$;
SELECT corm.pool_pause('d');
SET array_nulls = off;
SET xmloption = document;
SET search_path = durable_tasks, pg_catalog;
SELECT corm.submit(corm.task('d', durable => true), 'SELECT ($1)[2] IS NULL AS is_null, coalesce($2::text, ''a<b/>'') AS xml, $3 AS even, $4::oid = $5::oid AS same',
	array_append(ARRAY['a'], NULL::text), fragment(), 4::even, 'pg_catalog.lower(text)'::regprocedure, 'pg_catalog.lower(text)'::regprocedure::oid) AS t \gset
SET search_path = durable_tasks;
RESET xmloption;
RESET array_nulls;
SELECT corm.pool_close('d', drain => false);
SELECT corm.pool_open('d'), corm.pool_resume('d');
SELECT until(format('(SELECT count(*) = 1 FROM corm.tasks WHERE id = %s AND state IN (''succeeded'', ''failed''))', :t));
SELECT corm.task_value(:t);
DROP FUNCTION durable_tasks.lower(text);
CREATE TEMP TABLE temporary (a int);
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1', ROW(1)::temporary);
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1', ARRAY[]::temporary[]);
DROP TABLE temporary;
-- one that cannot be read any more
SET SESSION AUTHORIZATION durable_a;
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true), 'SELECT $1 AS a', 1::noted) AS t \gset
SELECT corm.pool_close('d', drain => false);
ALTER DOMAIN noted ADD CONSTRAINT large CHECK (VALUE > 100) NOT VALID;
SELECT corm.pool_open('d'), corm.pool_resume('d');
SELECT until(format('(SELECT count(*) = 1 FROM corm.tasks WHERE id = %s AND state = ''failed'')', :t));
SELECT sqlstate FROM corm.task_info(:t);
RESET SESSION AUTHORIZATION;
DROP OWNED BY durable_a;

-- of a role for which no worker can start: it waits, until it is cancelled; any worker of the database deletes the row
CREATE ROLE durable_c LOGIN;
SET SESSION AUTHORIZATION durable_c;
SELECT corm.submit(corm.task(durable => true, delay => '1 day'), 'SELECT 1') AS t \gset
RESET SESSION AUTHORIZATION;
ALTER ROLE durable_c NOLOGIN;
SELECT corm.task_cancel(:t);
SELECT ok FROM corm.task_wait(corm.submit(corm.task(immediate => true), 'SELECT 1'));
SELECT sqlstate FROM corm.task_wait(:t, '1 min');
SELECT count(*) FROM corm.durable_tasks WHERE id = :t;
DROP ROLE durable_c;
-- a row that another transaction has locked when the time has come: the task is tried again
SELECT corm.pool_pause('d');
SELECT corm.submit(corm.task('d', durable => true), 'INSERT INTO done (what) VALUES (''locked'')') AS t \gset
BEGIN;
SELECT id = :t AS locked FROM corm.durable_tasks WHERE id = :t FOR UPDATE;
SELECT corm.pool_resume('d');
SELECT until(format('(corm.task_info(%s)).state = %L', :t, 'retrying'));
ROLLBACK;
SELECT ok FROM corm.task_wait(:t, '1 min');
SELECT attempt FROM corm.task_info(:t);
-- so a schedule goes on if the transaction that ended it is rolled back
SELECT corm.schedule('goes on', 'every 1 s', NULL, 'SELECT 1');
BEGIN;
SELECT corm.unschedule('goes on');
SELECT until('(SELECT state = ''retrying'' FROM corm.tasks WHERE name = ''schedule goes on'')');
ROLLBACK;
SELECT until('(SELECT runs > 1 FROM corm.schedules WHERE name = ''goes on'')');
SELECT corm.unschedule('goes on');

SELECT corm.task_forget(id) FROM corm.tasks WHERE durable AND state = 'failed';
SELECT count(*) FROM corm.durable_tasks;
SELECT * FROM corm.work_check();
SELECT corm.pool_drop('d');
DROP ROLE durable_a, durable_b;
DROP SCHEMA durable_tasks CASCADE;
