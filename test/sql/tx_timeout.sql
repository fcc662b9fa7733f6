-- Deadlines: acceptance 6.  Every sleep is far longer than the deadline, so that speed decides nothing.
SELECT corm.do_tx(corm.tx(timeout => '100 ms', name => 'slow'), 'SELECT pg_sleep(60)');
\echo :LAST_ERROR_SQLSTATE
SELECT ok, sqlstate, message, detail, scope
FROM corm.try_tx(corm.tx(timeout => '100 ms'), 'SELECT pg_sleep(60)');
-- the outer is usable, and nothing is cancelled later
BEGIN;
SELECT sqlstate FROM corm.try_tx(corm.tx('nested', timeout => '50 ms'), 'SELECT pg_sleep(60)');
SELECT pg_sleep(0.2);
SELECT corm.do_tx(corm.tx('nested', timeout => '1 hour'), 'SELECT 1 AS in_time');
COMMIT;
DO $$
BEGIN
    PERFORM corm.do_tx(corm.tx('nested', timeout => '50 ms'), 'SELECT pg_sleep(60)');
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE '%', SQLSTATE;
    PERFORM pg_sleep(0.2);
END $$;
-- a body that no cancel reaches is too late all the same
CREATE FUNCTION deaf() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(60);
EXCEPTION WHEN query_canceled THEN
    RETURN 'swallowed';
END $$;
SELECT sqlstate, message FROM corm.try_tx(corm.tx(timeout => '50 ms'), 'SELECT deaf()');

-- the earliest deadline counts, whichever scope has it
SELECT sqlstate, message FROM corm.try_tx(corm.tx(timeout => '100 ms', name => 'outer'),
    $$SELECT corm.try_tx(corm.tx('nested', timeout => '1 hour', name => 'inner'), 'SELECT pg_sleep(60)')$$);
SELECT ok, value -> 0 ->> 'm' FROM corm.try_tx(corm.tx(timeout => '1 hour', name => 'outer'),
    $$SELECT (r.t).message AS m FROM (SELECT corm.try_tx(corm.tx('nested', timeout => '100 ms', name => 'inner'),
        'SELECT pg_sleep(60)') AS t OFFSET 0) r$$);
-- a scope without a deadline does not swallow the cancel of the one around it
SELECT sqlstate, message FROM corm.try_tx(corm.tx(timeout => '100 ms', name => 'outer'),
    $$SELECT corm.try_tx(corm.tx('nested', name => 'inner'), 'SELECT pg_sleep(60)'); SELECT 'still here'$$);

-- statement_timeout is not swallowed
SET statement_timeout = '100ms';
SELECT * FROM corm.try_tx('SELECT pg_sleep(60)');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.try_tx(corm.tx(timeout => '1 hour'), 'SELECT pg_sleep(60)');
\echo :LAST_ERROR_SQLSTATE
SET statement_timeout = '1h';
SELECT sqlstate FROM corm.try_tx(corm.tx(timeout => '50 ms'), 'SELECT pg_sleep(60)');
RESET statement_timeout;
-- nor is a failed assertion; lock_timeout is an error like others
SELECT * FROM corm.try_tx('DO $d$ BEGIN ASSERT false; END $d$');
\echo :LAST_ERROR_SQLSTATE
-- nor a cancel by pg_cancel_backend, here by the session itself
\set VERBOSITY terse
SELECT * FROM corm.try_tx('SELECT pg_cancel_backend(pg_backend_pid()); SELECT pg_sleep(60)');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT corm.tx_depth(), corm.in_tx(), (corm.tx_stats()).open_subtransactions;

-- session scopes
CALL corm.begin_tx(corm.tx(timeout => '100 ms', name => 'session'));
SELECT pg_sleep(60);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
CALL corm.begin_tx();
CALL corm.begin_tx(corm.tx('nested', timeout => '100 ms', name => 'session'));
DO $$ BEGIN PERFORM pg_sleep(60); END $$;
ROLLBACK TO SAVEPOINT corm_tx_2;
SELECT 1;
ROLLBACK TO SAVEPOINT corm_tx_2;
CALL corm.commit_tx();
ROLLBACK TO SAVEPOINT corm_tx_2;
CALL corm.rollback_tx();
SELECT pg_sleep(0.2);
CALL corm.commit_tx();
-- idle beyond the deadline: no cancel, an error at the next command
CALL corm.begin_tx(corm.tx(timeout => '50 ms', name => 'session'));
\! sleep 0.2
SELECT 1;
ROLLBACK;
CALL corm.begin_tx(corm.tx(timeout => '50 ms', name => 'session'));
\! sleep 0.2
CALL corm.rollback_tx();
SELECT corm.in_tx();
SELECT timeouts > 0 AS counted FROM corm.tx_stats();

DROP FUNCTION deaf;
