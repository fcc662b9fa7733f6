-- Keys, unique keys, and replacing what waits.
CREATE SCHEMA tasks_keys;
SET search_path = tasks_keys;
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
SELECT corm.pool_create('k', workers => 3);

-- of a key, one at a time, in order, whatever the priority; other keys go on
SELECT pg_advisory_lock(7401);
SELECT corm.submit(corm.task('k', key => 'a'), 'SELECT pg_advisory_xact_lock(7401); INSERT INTO done (what) VALUES (''a1'')') AS a1 \gset
SELECT corm.submit(corm.task('k', key => 'a'), 'INSERT INTO done (what) VALUES (''a2'')') AS a2 \gset
SELECT corm.submit(corm.task('k', key => 'a', priority => 9), 'INSERT INTO done (what) VALUES (''a3'')') AS a3 \gset
SELECT corm.submit(corm.task('k', key => 'b'), 'SELECT 1 AS b') AS b \gset
SELECT corm.task_value(:b);
SELECT until(format('%L::text = (corm.task_info(%s)).state', 'running', :a1));
SELECT state(:a1), state(:a2), state(:a3);
SELECT key, count(*) FROM corm.tasks WHERE pool = 'k' AND key IS NOT NULL GROUP BY key ORDER BY key;
-- one that is cancelled does not hold the others
SELECT corm.task_cancel(:a2);
SELECT pg_advisory_unlock(7401);
SELECT count(*) FROM corm.task_wait_all(ARRAY[:a1, :a2, :a3]::bigint[]);
SELECT what FROM done ORDER BY n;

-- two at a time
SELECT pg_advisory_lock(7401);
SELECT corm.submit(corm.task('k', key => 'two', key_limit => 2), 'SELECT pg_advisory_xact_lock_shared(7401)') AS t1 \gset
SELECT corm.submit(corm.task('k', key => 'two', key_limit => 2), 'SELECT pg_advisory_xact_lock_shared(7401)') AS t2 \gset
SELECT corm.submit(corm.task('k', key => 'two', key_limit => 2), 'SELECT pg_advisory_xact_lock_shared(7401)') AS t3 \gset
SELECT until('(SELECT count(*) = 2 FROM corm.tasks WHERE key = ''two'' AND state = ''running'')');
SELECT state(:t3);
SELECT pg_advisory_unlock(7401);
SELECT count(*) FROM corm.task_wait_all(ARRAY[:t1, :t2, :t3]::bigint[]);

-- one that will be retried holds its key
SELECT corm.submit(corm.task('k', key => 'r', max_attempts => 2, backoff => '1 day'), 'SELECT 1 / 0') AS r1 \gset
SELECT corm.submit(corm.task('k', key => 'r'), 'SELECT 2 AS r') AS r2 \gset
SELECT until(format('%L::text = (corm.task_info(%s)).state', 'retrying', :r1));
SELECT state(:r1), state(:r2);
SELECT corm.task_cancel(:r1);
SELECT corm.task_value(:r2);
-- and again by hand
SELECT corm.task_retry(:r1);
SELECT until(format('%L::text = (corm.task_info(%s)).state', 'retrying', :r1));
SELECT corm.task_cancel(:r1), corm.task_forget(:r1);

-- unique keys
SELECT corm.pool_pause('k');
SELECT corm.submit(corm.task('k', unique_key => 'u'), 'SELECT 1 AS first') AS u \gset
SELECT sqlstate, message FROM corm.try_tx('SELECT corm.submit(corm.task(''k'', unique_key => ''u''), ''SELECT 2'')');
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'ignore'), 'SELECT 3') = :u AS same;
-- another pool has others
SELECT corm.task_value(corm.submit(corm.task(unique_key => 'u', immediate => true), 'SELECT 4 AS a'));
-- replaced: body, parameters, priority; at commit
BEGIN;
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'replace', priority => 3, name => 'second', max_attempts => 2), 'SELECT $1 AS second', 5) = :u AS same;
SELECT name, body, priority, max_attempts FROM corm.task_info(:u);
ROLLBACK;
SELECT name, body, priority, max_attempts FROM corm.task_info(:u);
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'replace', priority => 3, name => 'second', max_attempts => 2), 'SELECT $1 AS second, $2 AS long', 5, repeat('x', 300)) = :u AS same;
SELECT name, body, priority, max_attempts FROM corm.task_info(:u);
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'replace', key => 'other'), 'SELECT 6');
-- another time
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'reschedule', delay => '1 hour'), 'SELECT 7') = :u AS same;
SELECT name, state, run_at - submitted_at > '30 min' AS later FROM corm.task_info(:u);
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'reschedule'), 'SELECT 7') = :u AS same;
SELECT waiting, scheduled, reserved FROM corm.pools WHERE name = 'k';
SELECT corm.pool_resume('k');
SELECT corm.task_value(:u) -> 0 -> 'second' AS second;
-- used again when it has ended
SELECT corm.task_value(corm.submit(corm.task('k', unique_key => 'u', immediate => true), 'SELECT 8 AS a'));
-- one that runs cannot be replaced
SELECT pg_advisory_lock(7401);
SELECT corm.submit(corm.task('k', unique_key => 'u'), 'SELECT pg_advisory_xact_lock(7401)') AS u \gset
SELECT until(format('%L::text = (corm.task_info(%s)).state', 'running', :u));
SELECT sqlstate FROM corm.try_tx('SELECT corm.submit(corm.task(''k'', unique_key => ''u'', on_duplicate => ''replace''), ''SELECT 2'')');
SELECT sqlstate FROM corm.try_tx('SELECT corm.submit(corm.task(''k'', unique_key => ''u'', on_duplicate => ''reschedule''), ''SELECT 2'')');
SELECT corm.submit(corm.task('k', unique_key => 'u', on_duplicate => 'ignore'), 'SELECT 3') = :u AS same;
SELECT pg_advisory_unlock(7401);
SELECT ok FROM corm.task_wait(:u);
-- of the same transaction
BEGIN;
SELECT corm.submit(corm.task('k', unique_key => 'own'), 'SELECT 1 AS a') AS u \gset
SELECT corm.submit(corm.task('k', unique_key => 'own', on_duplicate => 'ignore'), 'SELECT 2 AS a') = :u AS same;
SELECT corm.submit(corm.task('k', unique_key => 'own', on_duplicate => 'replace'), 'SELECT 3 AS a') = :u AS same;
SAVEPOINT s;
SELECT corm.submit(corm.task('k', unique_key => 'own', on_duplicate => 'replace'), 'SELECT 4 AS a') = :u AS same;
ROLLBACK TO s;
SELECT sqlstate FROM corm.try_tx('SELECT corm.submit(corm.task(''k'', unique_key => ''own''), ''SELECT 5'')');
COMMIT;
SELECT corm.task_value(:u);
BEGIN;
SELECT corm.submit(corm.task('k', unique_key => 'own', delay => '1 hour'), 'SELECT 1 AS a') AS u \gset
SELECT corm.submit(corm.task('k', unique_key => 'own', on_duplicate => 'reschedule'), '') = :u AS same;
COMMIT;
SELECT corm.task_value(:u);
-- a task that is replaced and cancelled
SELECT corm.pool_pause('k');
SELECT corm.submit(corm.task('k', unique_key => 'c'), 'SELECT 1') AS u \gset
BEGIN;
SELECT corm.submit(corm.task('k', unique_key => 'c', on_duplicate => 'replace'), 'SELECT 2') = :u AS same;
SELECT corm.task_cancel(:u);
COMMIT;
SELECT state(:u);
-- its wait group stays
SELECT corm.wg_create('kg'), corm.wg_create('kh');
SELECT corm.submit(corm.task('k', unique_key => 'w', wait_group => 'kg'), 'SELECT 1') AS u \gset
SELECT corm.submit(corm.task('k', unique_key => 'w', wait_group => 'kh', on_duplicate => 'replace'), 'SELECT 2') = :u AS same;
SELECT corm.submit(corm.task('k', unique_key => 'w', wait_group => 'kh', on_duplicate => 'ignore'), 'SELECT 2') = :u AS same;
SELECT name, count FROM corm.wait_groups ORDER BY name;
SELECT corm.pool_resume('k');
SELECT corm.wg_wait('kg', '1 min');
SELECT corm.wg_drop('kg'), corm.wg_drop('kh');
SELECT waiting, scheduled, retrying, running, reserved, blocked FROM corm.pools WHERE name = 'k';
SELECT corm.pool_drop('k');

-- keys of tasks that corm submits, for schedules and handlers, are not for others
SELECT corm.task(unique_key => 'corm schedule 0 nightly');
SELECT corm.task(key => 'corm schedule nightly');
SELECT corm.submit(jsonb_populate_record(NULL::corm.task_options, '{"unique_key": "corm topic group 1"}'), 'SELECT 1');
SELECT (corm.task(unique_key => 'corm', key => 'schedule 0 nightly')).unique_key;
DROP SCHEMA tasks_keys CASCADE;
