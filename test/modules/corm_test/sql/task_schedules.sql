-- Schedules, by the virtual clock, which stands at 2020-01-01 00:00 UTC, a Wednesday.
CREATE SCHEMA task_schedules;
SET search_path = task_schedules;
SET TimeZone = 'UTC';
CREATE TABLE ran (n int GENERATED ALWAYS AS IDENTITY, what text);
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
-- when a specification is due next
CREATE FUNCTION due(spec text, zone text DEFAULT 'UTC') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	at text;
BEGIN
	PERFORM corm.schedule('probe', spec, NULL, 'SELECT 1', zone);
	SELECT to_char(next_run AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI:SS Dy') INTO at FROM corm.schedules WHERE name = 'probe';
	PERFORM corm.unschedule('probe');
	RETURN at;
EXCEPTION WHEN invalid_parameter_value OR invalid_datetime_format THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT corm_test.clock_freeze();

SELECT spec, due(spec) FROM unnest(ARRAY['* * * * *', '*/15 * * * *', '30 6 * * *', '0 0 1 * *', '0 12 * * mon-fri', '0 0 29 2 *',
	'0 0 13 * fri', '5,10-12 3 * JAN *', '* * * * * *', '30 */2 * * * *', '@hourly', '@daily', '@midnight', '@weekly', '@Monthly', '@yearly', '@annually',
	'0 0 * * 7', '0 0 * * 0', '10/20 * * * *', 'every 10 s', 'every 90 minutes', 'EVERY 1 day']) WITH ORDINALITY s (spec, o) ORDER BY o;
-- time zones, and clocks that are put forward and back
SELECT due('0 9 * * *', 'America/New_York'), due('0 9 * * *', 'Asia/Tokyo');
SELECT due('30 2 8 3 *', 'America/New_York'), due('30 1 1 11 *', 'America/New_York');
-- mistakes
SELECT spec, due(spec) FROM unnest(ARRAY['', '* * * *', '* * * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *', '* * * * 8',
	'5-2 * * * *', '*/0 * * * *', 'a * * * *', '1, * * * *', '1- * * * *', '-1 * * * *', '@often', '0 0 31 2 *', 'every 0 s', 'every day', 'every', 'every 102 years', 'every 178000000 years']) WITH ORDINALITY s (spec, o) ORDER BY o;
SELECT due('* * * * *', 'Nowhere/City');
SELECT corm.schedule('s', '* * * * *', NULL, 'SELECT 1', overlap => 'what');
SELECT corm.schedule('s', '* * * * *', NULL, 'SELECT 1', missed => 'what');
SELECT corm.schedule('s', '* * * * *', corm.task(unique_key => 'u'), 'SELECT 1');
SELECT corm.schedule('s', '* * * * *', corm.task('missing'), 'SELECT 1');
SELECT corm.schedule('', '* * * * *', NULL, 'SELECT 1');
SELECT sqlstate, message, detail FROM corm.try_tx('SELECT corm.schedule(repeat(''x'', 64), ''* * * * *'', NULL, ''SELECT 1'')');
SELECT corm.schedule(NULL, '* * * * *', NULL, 'SELECT 1');
SELECT corm.unschedule('s');
SELECT until('(SELECT count(*) = 0 FROM corm.durable_tasks)');

-- it runs at its times
SELECT corm.schedule('s', '*/10 * * * *', corm.task(name => 'tick'), 'INSERT INTO ran (what) VALUES (''s'')');
SELECT name, spec, timezone, overlap, missed, next_run, last_run, runs, skipped FROM corm.schedules;
SELECT count(*) FROM ran;
SELECT corm_test.clock_advance('10 min 1 s');
SELECT until('(SELECT count(*) = 1 FROM ran)');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');
SELECT next_run, runs, skipped FROM corm.schedules;
SELECT corm_test.clock_advance('10 min');
SELECT until('(SELECT count(*) = 2 FROM ran)');
SELECT count(*) FROM corm.durable_tasks;
-- missed: skipped, or made up for once
SELECT corm_test.clock_advance('1 hour');
SELECT until('(SELECT skipped = 1 FROM corm.schedules)');
SELECT next_run, runs, skipped FROM corm.schedules;
SELECT corm.schedule('s', '*/10 * * * *', NULL, 'INSERT INTO ran (what) VALUES (''once'')', missed => 'once');
SELECT corm_test.clock_advance('1 hour');
SELECT until('(SELECT count(*) = 1 FROM ran WHERE what = ''once'')');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');
SELECT next_run, runs, skipped FROM corm.schedules;
-- an error of the task does not end it; one that cannot be submitted is skipped
SELECT corm.schedule('s', 'every 10 s', NULL, 'SELECT 1 / 0');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');
SELECT until('(SELECT count(*) = 0 FROM corm.tasks WHERE name = ''s'' AND state IN (''waiting'', ''running''))');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 2 FROM corm.schedules)');
SELECT next_run FROM corm.schedules;

-- overlap
SELECT corm.pool_create('slow', workers => 2);
CREATE FUNCTION overlapping(how text) RETURNS text LANGUAGE sql AS $$
	SELECT corm.schedule('s', 'every 10 s', corm.task('slow', name => 'long'), 'SELECT pg_advisory_xact_lock_shared(7402)', overlap => how)::text
$$;
SELECT pg_advisory_lock(7402);
SELECT overlapping('skip');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');
SELECT until('(SELECT count(*) = 1 FROM corm.tasks WHERE name = ''long'' AND state = ''running'')');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT skipped = 1 FROM corm.schedules)');
SELECT count(*) FROM corm.tasks WHERE name = 'long' AND state IN ('running', 'waiting');
SELECT overlapping('queue_one');
SELECT pg_advisory_unlock(7402);
SELECT until('(SELECT count(*) = 0 FROM corm.tasks WHERE name = ''long'' AND state IN (''running'', ''waiting''))');
SELECT pg_advisory_lock(7402);
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 2 FROM corm.schedules)');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT skipped = 1 FROM corm.schedules)');
SELECT until('(SELECT count(*) = 1 FROM corm.tasks WHERE name = ''long'' AND state = ''running'')');
SELECT state, count(*) FROM corm.tasks WHERE name = 'long' AND state IN ('running', 'waiting') GROUP BY state ORDER BY state;
SELECT pg_advisory_unlock(7402);
SELECT until('(SELECT count(*) = 0 FROM corm.tasks WHERE name = ''long'' AND state IN (''running'', ''waiting''))');

-- its pool stays, and so does the task that it waits with
SELECT corm.pool_drop('slow');
SELECT sqlstate, hint FROM corm.try_tx('SELECT corm.task_cancel($1)', (SELECT ticker FROM corm.schedule_definitions));
SELECT sqlstate, hint FROM corm.try_tx('SELECT corm.task_forget($1)', (SELECT ticker FROM corm.schedule_definitions));
SELECT overlapping('parallel');
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');
-- closed, it does not go on; opened, it does
SELECT corm.pool_close('slow');
SELECT corm_test.clock_advance('10 s');
SELECT corm.pool_open('slow');
SELECT until('(SELECT runs = 2 FROM corm.schedules)');
SELECT error FROM corm.schedules;
-- if that task has failed, as it does in a copy without the pool, the schedule says so; made again, it goes on
UPDATE corm.durable_tasks SET state = 'failed', error = 'pool is gone' WHERE id = (SELECT ticker FROM corm.schedule_definitions);
SELECT error FROM corm.schedules;
SELECT corm.schedule('s', 'every 10 s', corm.task('slow', name => 'long'), 'SELECT 1');
SELECT error FROM corm.schedules;
SELECT count(*) FROM corm.durable_tasks;
SELECT corm_test.clock_advance('10 s');
SELECT until('(SELECT runs = 1 FROM corm.schedules)');

-- transactional; dropped, nothing is left of it
BEGIN;
SELECT corm.unschedule('s');
ROLLBACK;
SELECT name FROM corm.schedules;
BEGIN;
SELECT corm.schedule('t', '@daily', NULL, 'SELECT 1');
ROLLBACK;
SELECT name FROM corm.schedules;
SELECT corm.unschedule('s');
SELECT until('(SELECT count(*) = 0 FROM corm.durable_tasks)');
SELECT corm_test.clock_advance('1 day');
SELECT until('(SELECT count(*) = 0 FROM corm.tasks WHERE state IN (''scheduled'', ''waiting'', ''running''))');

-- rights
CREATE ROLE schedules_a LOGIN;
CREATE ROLE schedules_b LOGIN;
GRANT USAGE ON SCHEMA task_schedules TO PUBLIC;
GRANT ALL ON ran TO PUBLIC;
SET SESSION AUTHORIZATION schedules_a;
SELECT corm.schedule('hers', 'every 1 min', NULL, 'INSERT INTO task_schedules.ran (what) VALUES (current_user)');
SET SESSION AUTHORIZATION schedules_b;
SELECT corm.schedule('hers', 'every 1 min', NULL, 'SELECT 1');
SELECT corm.unschedule('hers');
SELECT corm.schedule_tick('hers');
SELECT name, owner, runs FROM corm.schedules;
SELECT * FROM corm.schedule_definitions;
RESET SESSION AUTHORIZATION;
SELECT corm_test.clock_advance('1 min');
SELECT until('(SELECT count(*) = 1 FROM ran WHERE what = ''schedules_a'')');
SELECT corm.unschedule('hers');
SELECT until('(SELECT count(*) = 0 FROM corm.durable_tasks)');

SELECT corm_test.clock_release();
SELECT * FROM corm.work_check();
SELECT corm.pool_drop('slow');
DROP SCHEMA task_schedules CASCADE;
DROP ROLE schedules_a, schedules_b;
