-- Tasks in memory: submitting, results, options. Pools are paused where an order is to be seen.
CREATE SCHEMA tasks_test;
SET search_path = tasks_test;
CREATE TABLE done (n int GENERATED ALWAYS AS IDENTITY, what text, who name DEFAULT current_user, su name DEFAULT session_user);
CREATE FUNCTION state(id bigint) RETURNS text LANGUAGE sql AS $$SELECT (corm.task_info(id)).state$$;
SELECT corm.pool_create('p', workers => 1, capacity => 5);

-- it runs when the transaction commits, with the parameters and settings of the submitter
SET application_name = 'of the submitter';
SELECT corm.submit('INSERT INTO done (what) VALUES ($1 || $2) RETURNING what, current_setting(''application_name'') AS app', 'a'::text, 1) AS t \gset
SELECT corm.task_value(:t);
SELECT corm.task_value(:t);
SELECT ok, value, scope = 'task ' || :t AS scope FROM corm.task_wait(:t);
SELECT pool, state, attempt, max_attempts, durable, submitter = current_user::regrole AS own, body, error, submitted_at <= started_at AND started_at <= finished_at AS times FROM corm.task_info(:t);
SELECT corm.task_value(corm.submit(corm.task(immediate => true), 'SELECT $1 AS a, $2 AS b, $3 AS c', 1, NULL::text, ARRAY[1, 2]));
SELECT corm.submit('SELECT $1::int + 1 AS a', '41') AS t \gset
SELECT corm.task_value(:t);
SELECT corm.submit(corm.task(name => 'named'), 'SELECT $1::date AS d', VARIADIC ARRAY['2020-01-01']) AS t \gset
SELECT scope, value FROM corm.task_wait(:t);
SELECT corm.submit('') AS t \gset
SELECT ok, value FROM corm.task_wait(:t);
PREPARE s AS SELECT corm.submit('SELECT $1 AS a', $1);
EXECUTE s ('untyped') \gset
SELECT corm.task_value(:submit);
DEALLOCATE s;

-- not if that is rolled back
BEGIN;
SELECT corm.submit('INSERT INTO done (what) VALUES (''rolled back'')') AS t \gset
SELECT state(:t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_wait($1)', :t);
ROLLBACK;
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_wait($1)', :t);
BEGIN;
SELECT corm.submit(corm.task('p'), 'INSERT INTO done (what) VALUES (''kept'')') AS t \gset
SAVEPOINT s;
SELECT corm.submit(corm.task('p'), 'INSERT INTO done (what) VALUES (''undone'')') AS u \gset
ROLLBACK TO s;
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_info($1)', :u);
SELECT reserved FROM corm.pools WHERE name = 'p';
COMMIT;
SELECT ok FROM corm.task_wait(:t);
-- or at once
BEGIN;
SELECT corm.task_value(corm.submit(corm.task(immediate => true), 'INSERT INTO done (what) VALUES (''immediate'') RETURNING what'));
ROLLBACK;
SELECT what FROM done ORDER BY n;

-- errors, with their fields; transaction commands
SELECT corm.submit('INSERT INTO done (n) OVERRIDING SYSTEM VALUE VALUES (NULL)') AS t \gset
SELECT ok, sqlstate, message, schema_name, table_name, column_name FROM corm.task_wait(:t);
SELECT (corm.try_tx('SELECT corm.task_value($1)', :t)).message;
SELECT state, error, sqlstate FROM corm.tasks WHERE id = :t;
SELECT corm.submit('COMMIT') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
SELECT corm.submit('SELECT corm.set_rollback_only(); INSERT INTO done (what) VALUES (''no'')') AS t \gset
SELECT ok, value, sqlstate, state(:t) FROM corm.task_wait(:t);
SELECT corm.submit('SELECT $1', ROW(1, 2));

-- timeouts
SELECT corm.submit(corm.task(timeout => '20 ms'), 'SELECT pg_sleep(60)') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
SELECT corm.pool_pause('p');
SELECT corm.submit(corm.task('p'), 'SELECT 1 AS a') AS t \gset
SELECT corm.task_wait(:t, '10 ms') IS NULL AS time_over;
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_value($1, ''10 ms'')', :t);
CALL corm.task_wait(:t, '10 ms', NULL);
BEGIN;
CALL corm.task_wait(:t, '10 ms', NULL);
ROLLBACK;
SELECT corm.pool_resume('p');
SELECT corm.task_value(:t);

-- priorities, then the order of submission
SELECT corm.pool_pause('p');
TRUNCATE done;
SELECT corm.submit(corm.task('p', priority => pr), 'INSERT INTO done (what) VALUES ($1)', w) IS NOT NULL AS submitted
	FROM (VALUES (0, 'third'), (0, 'fourth'), (-5, 'last'), (1000, 'first'), (7, 'second')) v (pr, w);
SELECT state, priority FROM corm.tasks WHERE pool = 'p' AND state = 'waiting' ORDER BY priority DESC, id;
SELECT waiting, running, capacity FROM corm.pools WHERE name = 'p';
-- full: not even one more, at once or after a while
SELECT corm.submit(corm.task('p', wait => '0'), 'SELECT 1');
SELECT corm.submit(corm.task('p', wait => '10 ms'), 'SELECT 1');
SELECT corm.pool_resume('p');
SELECT count(*) FROM corm.task_wait_all((SELECT array_agg(id) FROM corm.tasks WHERE pool = 'p'));
SELECT what FROM done ORDER BY n;

-- a transaction that fills the pool with its own tasks
SELECT corm.pool_pause('p');
BEGIN;
SELECT count(corm.submit(corm.task('p'), 'SELECT 1')) FROM generate_series(1, 5);
SELECT corm.submit(corm.task('p'), 'SELECT 1');
ROLLBACK;
SELECT waiting, reserved FROM corm.pools WHERE name = 'p';
SELECT corm.pool_resume('p');

-- many at once
SELECT corm.submit_many(corm.task(), 'SELECT $1::int + $2::int AS s', '[[1, 2], ["3", 4], [5, null]]') AS ids \gset
SELECT result FROM (SELECT (w.result).value AS result FROM unnest(:'ids'::bigint[]) WITH ORDINALITY i (id, o), corm.task_wait_all(ARRAY[i.id]) w ORDER BY o) x;
SELECT corm.submit_many(corm.task(), 'SELECT $1::jsonb AS j, $2::boolean AS b, $3::text AS t', '[[{"a": [1]}, true, "é"]]') AS ids \gset
SELECT (result).value FROM corm.task_wait_all(:'ids');
SELECT corm.submit_many(corm.task(), 'SELECT 1', '[]');
SELECT corm.submit_many(corm.task(), 'SELECT 1', '[1]');
SELECT corm.submit_many(corm.task(), 'SELECT 1', '{}');
SELECT corm.submit_many(corm.task('p', wait => '0'), 'SELECT 1', '[[], [], [], [], [], []]');
SELECT waiting, reserved FROM corm.pools WHERE name = 'p';

-- later
SELECT corm.submit(corm.task('p', delay => '1 day'), 'SELECT 1') AS t \gset
SELECT corm.submit(corm.task('p', run_at => '2000-01-01'), 'SELECT 2 AS a') AS u \gset
SELECT corm.task_value(:u);
SELECT state, run_at > submitted_at AS later FROM corm.task_info(:t);
SELECT corm.task_cancel(:t), state(:t), corm.task_cancel(:t);
SELECT ok, sqlstate, message FROM corm.task_wait(:t);

-- retries
CREATE SEQUENCE attempts;
SELECT corm.submit(corm.task(max_attempts => 3, backoff => '1 ms'), 'SELECT 1 / 0') AS t \gset
SELECT ok, sqlstate FROM corm.task_wait(:t, '1 min');
SELECT state, attempt, max_attempts FROM corm.task_info(:t);
ALTER SEQUENCE attempts RESTART;
SELECT corm.submit(corm.task(max_attempts => 5, backoff => '1 ms'), 'SELECT 1 / (CASE WHEN nextval(''attempts'') < 3 THEN 0 ELSE 1 END); SELECT attempt FROM corm.current_task()') AS t \gset
SELECT corm.task_value(:t, '1 min');
SELECT corm.submit(corm.task(max_attempts => 5, backoff => '1 day'), 'SELECT 1 / 0') AS t \gset
DO $$ BEGIN WHILE (SELECT count(*) FROM corm.tasks WHERE state = 'retrying') = 0 LOOP PERFORM pg_sleep(0.001); END LOOP; END $$;
SELECT state, attempt, error FROM corm.task_info(:t);
SELECT corm.task_cancel(:t), state(:t);
-- by hand
ALTER SEQUENCE attempts RESTART;
SELECT corm.submit('SELECT 1 / (nextval(''attempts'') - 1) AS a') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
SELECT corm.task_retry(:t);
SELECT corm.task_value(:t);
SELECT corm.task_retry(:t), state(:t);
SELECT corm.task_forget(:t);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_forget($1)', :t);

-- cancel what runs
SELECT corm.submit('SELECT pg_sleep(60)') AS t \gset
DO $$ BEGIN WHILE (SELECT count(*) FROM corm.tasks WHERE state = 'running') = 0 LOOP PERFORM pg_sleep(0.001); END LOOP; END $$;
SELECT corm.task_cancel(:t);
SELECT sqlstate, message, state(:t) FROM corm.task_wait(:t);
-- and one that is not committed
BEGIN;
SELECT corm.submit('INSERT INTO done (what) VALUES (''cancelled'')') AS t \gset
SELECT corm.task_cancel(:t);
COMMIT;
SELECT sqlstate, state(:t) FROM corm.task_wait(:t);

-- progress
SELECT corm.submit(corm.task(name => 'import'), 'SELECT corm.task_progress(12.5, ''reading''); SELECT id = $1 AS same, pool, name, attempt FROM corm.current_task()', 0) AS t \gset
SELECT value FROM corm.task_wait(:t);
SELECT progress, note FROM corm.task_info(:t);
SELECT * FROM corm.current_task();
SELECT corm.task_progress(1);

-- fork and join
SELECT corm.parallel(ARRAY['SELECT 1 AS a', 'INSERT INTO done (what) VALUES (''x'')', 'SELECT 3 AS a']);
SELECT corm.parallel(ARRAY['SELECT pg_sleep(60)', 'SELECT 1 / 0']);
SELECT corm.parallel(ARRAY['SELECT pg_sleep(60)', 'SELECT 1'], '50 ms');
SELECT corm.parallel('{}');
SELECT corm.parallel(ARRAY['SELECT 1', NULL]);

-- wait groups
SELECT corm.wg_create('g');
SELECT corm.pool_pause('p');
BEGIN;
SELECT corm.submit(corm.task('p', wait_group => 'g'), 'SELECT 1') AS a \gset
SELECT corm.submit(corm.task('p', wait_group => 'g'), 'SELECT 1 / 0') AS b \gset
SELECT corm.submit(corm.task('p', wait_group => 'g'), 'SELECT 1') AS c \gset
SAVEPOINT s;
SELECT corm.submit(corm.task('p', wait_group => 'g'), 'SELECT 1') AS d \gset
ROLLBACK TO s;
SELECT corm.wg_wait('g', '0');
ROLLBACK TO s;
SELECT count FROM corm.wg_count('g');
COMMIT;
SELECT count FROM corm.wg_count('g');
SELECT corm.wg_done('g');
SELECT corm.task_cancel(:c);
SELECT count FROM corm.wg_count('g');
SELECT wait_group, state FROM corm.tasks WHERE wait_group IS NOT NULL ORDER BY id;
SELECT corm.pool_resume('p');
SELECT corm.wg_wait('g', '1 min');
SELECT corm.wg_drop('g');
SELECT corm.submit(corm.task(wait_group => 'g'), 'SELECT 1');

-- statements that cannot run in a transaction (a function that waits would have a snapshot, for which these wait), and procedures that commit: where the current user is the session user
CREATE TABLE steps (n int);
CREATE PROCEDURE in_steps(fail_at int DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		INSERT INTO steps VALUES (i);
		IF i = fail_at THEN RAISE 'step %', i; END IF;
		COMMIT;
	END LOOP;
END $$;
SELECT sqlstate, message FROM corm.task_wait(corm.submit(corm.task(immediate => true), 'VACUUM (ANALYZE) steps'));
SELECT body, sqlstate, message FROM unnest(ARRAY['/* nightly */ VACUUM steps', E'-- nightly\n; /* a /* b */ c */;VACUUM steps;', '--', '/* ', '/', '*/ VACUUM']) body,
	corm.task_wait(corm.submit(corm.task(immediate => true), body));
SELECT corm.submit(corm.task(name => 'index'), ' CREATE INDEX CONCURRENTLY steps_n ON steps (n)') AS t \gset
CALL corm.task_wait(:t, '1 min', NULL);
SELECT indisvalid FROM pg_index WHERE indexrelid = 'steps_n'::regclass;
SELECT corm.submit(corm.task(name => 'index'), 'REINDEX INDEX CONCURRENTLY steps_n') AS t \gset
CALL corm.task_wait(:t, '1 min', NULL);
SELECT corm.submit(corm.task(name => 'index'), 'DROP INDEX CONCURRENTLY steps_n') AS t \gset
CALL corm.task_wait(:t, '1 min', NULL);
SELECT sqlstate, message FROM corm.task_wait(corm.submit(corm.task(immediate => true), 'CALL in_steps()'));
SELECT count(*) FROM steps;
TRUNCATE steps;
SELECT sqlstate, message FROM corm.task_wait(corm.submit(corm.task(immediate => true, name => 'steps'), 'CALL in_steps($1)', 2));
TABLE steps;
SELECT name, state, attempt FROM corm.tasks WHERE name = 'steps';
-- together with others, durable or with another role, they are in a transaction
SELECT sqlstate FROM corm.task_wait(corm.submit(corm.task(immediate => true), 'SELECT 1; VACUUM steps'));
SELECT corm.submit(corm.task(durable => true), 'CALL tasks_test.in_steps()') AS t \gset
SELECT sqlstate FROM corm.task_wait(:t);
SELECT corm.task_forget(:t);

-- options
SELECT corm.task();
SELECT corm.task('p', 'n', 1, '1 s', timeout => '1 min', max_attempts => 2, unique_key => 'u', on_duplicate => 'Ignore', key => 'k', key_limit => 2, wait => '0', isolation => 'Serializable');
SELECT corm.task(delay => '-1 s');
SELECT corm.task(delay => '1 s', run_at => now());
SELECT corm.task(run_at => 'infinity');
SELECT corm.task(timeout => '0');
SELECT corm.task(max_attempts => 0);
SELECT corm.task(on_duplicate => 'ignore');
SELECT corm.task(unique_key => 'u', on_duplicate => 'what');
SELECT corm.task(key => '');
SELECT corm.task(key => repeat('k', 256));
SELECT corm.task(key => 'k', key_limit => 0);
SELECT corm.task(isolation => 'none');
SELECT corm.task(name => '');
SELECT corm.submit(corm.task('unknown'), 'SELECT 1');
SELECT corm.submit(ROW('p', NULL, NULL, NULL, NULL, NULL, -3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::corm.task_options, 'SELECT 1');
SELECT corm.submit(NULL);
SELECT corm.submit(NULL::corm.task_options, 'SELECT 1 AS a') AS t \gset
SELECT corm.task_value(:t);
SELECT corm.submit(corm.task(isolation => 'repeatable read'), 'SELECT current_setting(''transaction_isolation'') AS i') AS t \gset
SELECT corm.task_value(:t);
SELECT corm.task_wait(0);
SELECT corm.task_wait(NULL);
SELECT corm.task_wait(1, '-1 s');
SELECT corm.task_value(-5);
-- options come first
SELECT corm.submit('SELECT $1', 5, corm.task('p'));
SELECT corm.submit('SELECT 1', 'text', corm.task());
SELECT corm.submit(corm.task('p'), 'SELECT 1', corm.tx());
SELECT corm.task_value(corm.submit(corm.task('p', immediate => true), 'SELECT ($1).priority', corm.task(priority => 7)));
SELECT corm.task_cancel(0);
SELECT corm.task_info(0);
SELECT corm.task_wait_all(ARRAY[0]);
SELECT corm.task_wait_all(ARRAY[NULL::bigint]);
SELECT count(*) FROM corm.task_wait_all('{}');
SELECT sqlstate FROM corm.try_tx('SELECT corm.submit(repeat('' '', 2000000))');
BEGIN;
SELECT corm.submit('SELECT 1') IS NOT NULL AS submitted;
PREPARE TRANSACTION 'tasks';

SELECT corm.pool_drop('p');
DROP SCHEMA tasks_test CASCADE;
