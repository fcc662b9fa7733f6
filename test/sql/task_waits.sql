-- Tasks that wait for tasks, and for what those hold who wait for them: deadlocks are found.
CREATE SCHEMA task_waits;
SET search_path = task_waits;
SET deadlock_timeout = '100 ms';
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
CREATE TABLE locked (n int);
INSERT INTO locked VALUES (0);
SELECT corm.pool_create('one', workers => 1), corm.pool_create('two', workers => 2), corm.pool_create('many', workers => 10);
-- submits a task to a pool and waits for it
CREATE FUNCTION nested(options corm.task_options) RETURNS jsonb LANGUAGE sql AS
	$$SELECT corm.task_value(corm.submit(options, 'SELECT 1 AS one'))$$;
-- has tasks begin at the same time
CREATE FUNCTION begin_together() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_xact_lock_shared(7501)';
CREATE FUNCTION running(pool_name text, how_many int) RETURNS boolean LANGUAGE sql AS
	$$SELECT task_waits.until(format('(SELECT running = %s FROM corm.pools WHERE name = %L)', how_many, pool_name))$$;

-- a task in whose pool there is no other worker
SELECT sqlstate, message, regexp_replace(detail, '\d+', 'N') AS detail, hint
FROM corm.task_wait(corm.submit(corm.task('one', immediate => true), 'SELECT task_waits.nested(corm.task(''one'', immediate => true))'));
SELECT corm.task_value(corm.submit(corm.task('one', immediate => true), 'SELECT task_waits.nested(corm.task(''two'', immediate => true)) AS v')) AS value;
-- two such tasks: one gives up, so that the other can go on
SELECT pg_advisory_lock(7501);
SELECT array_agg(corm.submit(corm.task('two', immediate => true, name => 'pair'),
	'SELECT task_waits.begin_together(); SELECT task_waits.nested(corm.task(''two'', immediate => true)) AS v')) AS ids FROM generate_series(1, 2) \gset
SELECT running('two', 2);
SELECT pg_advisory_unlock(7501);
SELECT (result).ok, (result).sqlstate, (result).value, (result).hint FROM corm.task_wait_all(:'ids'::bigint[]) ORDER BY 1;
-- no more workers than the server has: three may run tasks
SELECT pg_advisory_lock(7501);
SELECT array_agg(corm.submit(corm.task('many', immediate => true),
	'SELECT task_waits.begin_together(); SELECT task_waits.nested(corm.task(''many'', immediate => true)) AS v')) AS ids FROM generate_series(1, 3) \gset
SELECT running('many', 3);
SELECT pg_advisory_unlock(7501);
SELECT (result).ok, (result).sqlstate, (result).value FROM corm.task_wait_all(:'ids'::bigint[]) ORDER BY 1;
-- parallel in parallel
SELECT sqlstate, message FROM corm.try_tx($$SELECT corm.parallel(array_fill('SELECT task_waits.begin_together(); SELECT corm.parallel(ARRAY[''SELECT 1''])'::text, ARRAY[5]))$$);
-- tasks of a key that runs one at a time
SELECT sqlstate FROM corm.task_wait(corm.submit(corm.task('many', key => 'k', immediate => true), 'SELECT task_waits.nested(corm.task(''many'', key => ''k'', immediate => true))'));
-- through an autonomous transaction
SELECT sqlstate FROM corm.task_wait(corm.submit(corm.task('one', immediate => true),
	$$SELECT corm.autonomous('SELECT task_waits.nested(corm.task(''one'', immediate => true))')$$));
-- who waits until a timeout gets its answer: others may be waited for who end
SELECT corm.pool_pause('one');
SELECT corm.task_value(corm.submit(corm.task('two', immediate => true),
	'SELECT corm.task_wait(corm.submit(corm.task(''one'', immediate => true), ''SELECT 1''), ''300 ms'') IS NULL AS time_is_over')) AS value;
SELECT corm.pool_resume('one');

-- tasks that wait for each other
CREATE TABLE partner (n int, id bigint);
SELECT pg_advisory_lock(7501);
SELECT corm.submit(corm.task('two', immediate => true),
	'SELECT task_waits.begin_together(); SELECT ok, sqlstate FROM corm.task_wait((SELECT id FROM task_waits.partner WHERE n = 2))') AS one \gset
SELECT corm.submit(corm.task('two', immediate => true),
	'SELECT task_waits.begin_together(); SELECT ok, sqlstate FROM corm.task_wait((SELECT id FROM task_waits.partner WHERE n = 1))') AS two \gset
INSERT INTO partner VALUES (1, :one), (2, :two);
SELECT running('two', 2);
SELECT pg_advisory_unlock(7501);
SELECT (result).ok, (result).sqlstate, (result).value FROM corm.task_wait_all(ARRAY[:one, :two]) ORDER BY 1;
-- itself
SELECT sqlstate FROM corm.task_wait(corm.submit(corm.task('two', immediate => true), 'SELECT corm.task_wait(id) FROM corm.current_task()'));

-- a task that waits for a lock of this session, before this session waits for it
BEGIN;
UPDATE locked SET n = 1;
SELECT corm.submit(corm.task('two', immediate => true), 'UPDATE task_waits.locked SET n = 2') AS task \gset
SELECT until(format('(SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND %s = ANY (pg_blocking_pids(pid)))', pg_backend_pid()));
SELECT pg_sleep(0.3);
SELECT sqlstate FROM corm.try_tx('SELECT corm.task_value($1)', :task);
ROLLBACK;
-- one of several
BEGIN;
UPDATE locked SET n = 1;
SELECT sqlstate FROM corm.try_tx($$SELECT corm.parallel(ARRAY['SELECT 1', 'UPDATE task_waits.locked SET n = 2'])$$);
ROLLBACK;

-- many: all of them, in the order in which they have ended
SET corm.max_wait = '30min';
SELECT corm.submit_many(corm.task('one'), 'SELECT $1::int AS n', (SELECT jsonb_agg(jsonb_build_array(n)) FROM generate_series(1, 700) n)) AS ids \gset
SELECT array_agg(id ORDER BY n DESC) AS reverse FROM unnest(:'ids'::bigint[]) WITH ORDINALITY AS i (id, n) \gset
SELECT count(*), array_agg(id ORDER BY n) = :'ids' AS as_ended, bool_and((result).value = jsonb_build_array(jsonb_build_object('n', n))) AS right_values
FROM corm.task_wait_all(:'reverse'::bigint[]) WITH ORDINALITY AS w (id, result, n);
SELECT array_agg(id ORDER BY n) = :'ids' AS as_ended FROM corm.task_wait_all(:'reverse'::bigint[]) WITH ORDINALITY AS w (id, result, n);
RESET corm.max_wait;
-- those that have ended when the time is over
SELECT corm.pool_pause('one');
SELECT corm.submit_many(corm.task('one'), 'SELECT 1', (SELECT jsonb_agg('[]'::jsonb) FROM generate_series(1, 200))) AS later \gset
SELECT count(*), bool_and(id = ANY (:'ids')) AS ended FROM corm.task_wait_all(:'later'::bigint[] || :'ids'::bigint[], '10 ms');
SELECT count(*) FROM corm.task_wait_all(:'later'::bigint[], '10 ms');
SELECT bool_and(corm.task_cancel(id)) FROM unnest(:'later'::bigint[]) id;
SELECT count(*), count(DISTINCT (result).sqlstate) FROM corm.task_wait_all(:'later'::bigint[] || :'later'::bigint[]);
SELECT corm.pool_resume('one');
-- bodies side by side; the first error ends it
SELECT corm.parallel(array_agg(format('SELECT %s AS n', n) ORDER BY n)) = array_agg(jsonb_build_array(jsonb_build_object('n', n)) ORDER BY n) AS in_place FROM generate_series(1, 300) n;
SELECT sqlstate FROM corm.try_tx($$SELECT corm.parallel('SELECT 1 / 0'::text || array_fill('SELECT pg_sleep(600)'::text, ARRAY[200]))$$);

SELECT until('(SELECT count(*) = 0 FROM corm.tasks WHERE state IN (''waiting'', ''running''))');
SELECT * FROM corm.work_check();
SELECT corm.pool_drop('one'), corm.pool_drop('two'), corm.pool_drop('many');
SET client_min_messages = warning;
DROP SCHEMA task_waits CASCADE;
