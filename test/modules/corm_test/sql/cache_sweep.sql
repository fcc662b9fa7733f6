-- Sweeping, tick by tick: the clock stands still, so the background worker leaves it to us.
-- what earlier tests dropped makes room
DO $$ BEGIN WHILE corm_test.sweep() LOOP END LOOP; END $$;
SELECT corm_test.clock_freeze();
SELECT corm.cache_create('sweep', events => '{}');
SHOW corm.sweep_max_entries;
SET client_min_messages = warning;

-- ticks until nothing is due; how many there were, and the most that one of them visited
CREATE FUNCTION pg_temp.sweep_all(OUT ticks int, OUT within_budget boolean, OUT short_locks boolean) LANGUAGE plpgsql AS $$
DECLARE
	before record;
	after record;
BEGIN
	ticks := 0;
	within_budget := true;
	LOOP
		SELECT * INTO before FROM corm.cache_status();
		EXIT WHEN NOT corm_test.sweep();
		SELECT * INTO after FROM corm.cache_status();
		ticks := ticks + 1;
		within_budget := within_budget AND after.sweep_visited - before.sweep_visited <= 1000;
	END LOOP;
	SELECT sweep_max_batch <= 32 INTO short_locks FROM corm.cache_status();
END $$;

-- expired and not swept: invisible, yet counted
SELECT count(corm.cache_set('k' || i, i, '10 seconds', 'sweep', true)) FROM generate_series(1, 100000) i;
SELECT count(corm.cache_set('l' || i, i, '1 hour', 'sweep', true)) FROM generate_series(1, 1000) i;
SELECT count(corm.cache_set('n' || i, i, NULL, 'sweep', true)) FROM generate_series(1, 1000) i;
SELECT corm.cache_count('sweep');
SELECT corm_test.clock_advance('9 seconds');
SELECT within_budget, short_locks FROM pg_temp.sweep_all();
SELECT corm.cache_count('sweep');
SELECT corm_test.clock_advance('2 seconds');
SELECT count(*) FROM corm.cache_keys('k%', 'sweep');
SELECT corm.cache_count('sweep');

-- swept: 10^5 entries at 1000 a tick at most, cascades included
SELECT ticks >= 100 AS took_its_time, within_budget, short_locks FROM pg_temp.sweep_all();
SELECT corm.cache_count('sweep');
SELECT corm_test.clock_advance('1 hour');
SELECT within_budget FROM pg_temp.sweep_all();
SELECT corm.cache_count('sweep');
SELECT expired, swept FROM corm.cache_stats WHERE cache = 'sweep';
SELECT * FROM corm.cache_check();

-- deadlines of every length, to the microsecond, in any order of time steps: nothing goes early, nothing stays
CREATE TEMP TABLE deadlines AS
	SELECT i AS id, (power(10, i % 16)::bigint + i) * '1 microsecond'::interval AS ttl FROM generate_series(1, 800) i;
SELECT count(corm.cache_set('d' || id, id, ttl, 'sweep', true)) FROM deadlines;
DO $$
DECLARE
	step interval;
	passed interval := '0';
	expected bigint;
	kept bigint;
	late bigint;
BEGIN
	FOR n IN 0..60 LOOP
		step := power(10, 1 + n / 4.0)::bigint * '1 microsecond'::interval;
		PERFORM corm_test.clock_advance(step);
		passed := passed + step;
		WHILE corm_test.sweep() LOOP NULL; END LOOP;
		SELECT count(*) INTO expected FROM deadlines WHERE ttl > passed;
		SELECT count(*) INTO kept FROM corm.cache_keys('d%', 'sweep');
		-- what the wheel may still have is what expired within its last tick
		SELECT corm.cache_count('sweep') - 1000 - count(*) INTO late FROM deadlines WHERE ttl > passed - interval '0.2 seconds';
		IF kept <> expected OR late > 0 THEN
			RAISE 'after %: % kept, % expected, % late', passed, kept, expected, late;
		END IF;
	END LOOP;
END $$;
SELECT * FROM corm.cache_check();

-- entries that change their deadline are where they belong
SELECT count(corm.cache_set('m' || i, i, '1 minute', 'sweep', true)) FROM generate_series(1, 3000) i;
SELECT count(corm.cache_expire('m' || i, '1 day', 'sweep')) FROM generate_series(1, 1000) i;
SELECT count(corm.cache_persist('m' || i, 'sweep')) FROM generate_series(1001, 2000) i;
SELECT corm_test.clock_advance('2 minutes');
SELECT within_budget FROM pg_temp.sweep_all();
SELECT count(*), max(substr(k, 2)::int) FROM corm.cache_keys('m%', 'sweep') k;
SELECT * FROM corm.cache_check();

-- a put sweeps a little: an old cache that is only written to does not grow
SELECT corm.cache_clear('sweep') > 0;
DO $$
BEGIN
	FOR i IN 1..30000 LOOP
		PERFORM corm.cache_set('p' || i, i, '1 second', 'sweep', true);
		IF i % 1000 = 0 THEN PERFORM corm_test.clock_advance('1 second'); END IF;
	END LOOP;
END $$;
SELECT corm.cache_count('sweep') < 5000 AS stays_small;

-- a cleared cache is purged within the same budget
SELECT count(corm.cache_set('k' || i, i, NULL, 'sweep', true)) FROM generate_series(1, 5000) i;
SELECT corm.cache_clear('sweep') > 5000;
SELECT corm.cache_count('sweep');
SELECT ticks >= 5 AS took_its_time, within_budget, short_locks FROM pg_temp.sweep_all();
SELECT corm.cache_drop('sweep');
SELECT corm_test.sweep();
SELECT * FROM corm.cache_check();
SELECT corm_test.clock_release();
