\echo Use "CREATE EXTENSION corm_test" to load this file. \quit

CREATE SCHEMA corm_test;

CREATE FUNCTION corm_test.clock_freeze() RETURNS void
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'corm_test_clock_freeze';
COMMENT ON FUNCTION corm_test.clock_freeze() IS
'Stops both clocks, for all processes: the monotonic one where it is, the time of day at 2020-01-01.';

CREATE FUNCTION corm_test.clock_advance(by interval) RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_clock_advance';
COMMENT ON FUNCTION corm_test.clock_advance(interval) IS 'Moves both clocks, frozen or not; a negative interval moves them back.';

CREATE FUNCTION corm_test.clock_set_back(by interval) RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_clock_set_back';
COMMENT ON FUNCTION corm_test.clock_set_back(interval) IS 'Sets the time of day back, as an administrator might, and leaves the monotonic clock alone.';

CREATE FUNCTION corm_test.clock_release() RETURNS void
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'corm_test_clock_release';
COMMENT ON FUNCTION corm_test.clock_release() IS 'Lets the clocks go again: the monotonic one from where it is, the time of day as the machine has it.';

CREATE FUNCTION corm_test.sweep() RETURNS boolean
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'corm_test_sweep';
COMMENT ON FUNCTION corm_test.sweep() IS 'Does one tick of the sweeper''s work in this session; true if its budget was used up.';

CREATE FUNCTION corm_test.wake_sweeper() RETURNS void
	LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'corm_test_wake_sweeper';
COMMENT ON FUNCTION corm_test.wake_sweeper() IS 'Wakes the sweeper.';

CREATE FUNCTION corm_test.claim_task(pool text) RETURNS bigint
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_claim_task';
COMMENT ON FUNCTION corm_test.claim_task(text) IS
'Takes the next task of a paused pool, as a worker does; 0 if there is none. The test settles it.';

CREATE FUNCTION corm_test.settle_task(id bigint, succeeded boolean) RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_settle_task';
COMMENT ON FUNCTION corm_test.settle_task(bigint, boolean) IS
'Ends a task that was taken: it has succeeded, or its worker was lost.';

CREATE FUNCTION corm_test.table_is_tracked(model regclass) RETURNS boolean
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_table_is_tracked';
COMMENT ON FUNCTION corm_test.table_is_tracked(regclass) IS
'Tells whether the cell that has the version of a table is tracked, for that table or another one.';

CREATE FUNCTION corm_test.wait_at(point text, lock bigint) RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_wait_at';
COMMENT ON FUNCTION corm_test.wait_at(text, bigint) IS
'Lets this session wait, when it next comes to that fault point, until it gets advisory lock number lock.';

CREATE FUNCTION corm_test.meet_at(point text, pass int, lock bigint) RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_meet_at';
COMMENT ON FUNCTION corm_test.meet_at(text, int, bigint) IS
'The same, when it comes there for the pass-th time; the client is sent an INFO message before the session waits.';

CREATE FUNCTION corm_test.nap_at(points text, usecs int) RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_nap_at';
COMMENT ON FUNCTION corm_test.nap_at(text, int) IS
'Lets this session sleep, one time in four, for at most so many microseconds at these fault points, whose names are between blanks.';

CREATE FUNCTION corm_test.trace() RETURNS void
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_trace';
COMMENT ON FUNCTION corm_test.trace() IS 'Begins to record which fault points this session passes.';

CREATE FUNCTION corm_test.points() RETURNS text
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_points';
COMMENT ON FUNCTION corm_test.points() IS 'Ends that, and returns their names in order, each in a line.';

CREATE FUNCTION corm_test.noop(a text, b text DEFAULT 'default') RETURNS text
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_test_noop';
COMMENT ON FUNCTION corm_test.noop(text, text) IS
'Returns its first argument: what a call of a C function costs at least, for benchmarks to compare with.';

CREATE FUNCTION corm_test.hit_ratio(cache text, places int, value_bytes int, keys int, skew float8, requests int, seed int,
		scans float8 DEFAULT 0, OUT corm float8, OUT sieve float8, OUT lru float8, OUT tinylfu float8)
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'corm_test_hit_ratio';
COMMENT ON FUNCTION corm_test.hit_ratio(text, int, int, int, float8, int, int, float8) IS
'The share of requests, Zipf-distributed over keys, that a cache with so many places answers, and what exact SIEVE, LRU and W-TinyLFU answer. scans: the share of requests, in between, of keys that are asked for once.';
