-- CALL corm.run_tx, and errors of the COMMIT itself: acceptance 7 (retries: see the isolation tests).
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent_id int CONSTRAINT child_parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED);

-- deferred foreign key violated: do_tx ok and COMMIT fails
BEGIN;
SELECT corm.do_tx('INSERT INTO child VALUES (1, 1) RETURNING id');
COMMIT;
\echo :LAST_ERROR_SQLSTATE
SELECT ok, value FROM corm.try_tx('INSERT INTO child VALUES (1, 1) RETURNING id');
\echo :LAST_ERROR_SQLSTATE
-- run_tx: 23503 as data
\x on
CALL corm.run_tx('INSERT INTO child VALUES (1, 1) RETURNING id', corm.tx(name => 'orphan'));
CALL corm.run_tx('SELECT 1/0');
CALL corm.run_tx('INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1) RETURNING *');
CALL corm.run_tx('INSERT INTO parent VALUES (2); SELECT corm.set_rollback_only()');
CALL corm.run_tx('SELECT 1', NULL, NULL);
\x off
SELECT * FROM parent;

-- a transaction of its own: isolation, read only, depth
CALL corm.run_tx('SELECT current_setting(''transaction_isolation'') AS iso, current_setting(''transaction_read_only'') AS ro,
    depth, name, propagation FROM corm.current_tx()',
    corm.tx(name => 'own', isolation => 'serializable', read_only => true));
CALL corm.run_tx('INSERT INTO parent VALUES (3)', corm.tx(read_only => true));
SET default_transaction_read_only = on;
CALL corm.run_tx('INSERT INTO parent VALUES (4)', corm.tx(read_only => false));
RESET default_transaction_read_only;
SHOW transaction_isolation;
SELECT * FROM parent ORDER BY id;
-- a doomed scope
CALL corm.run_tx($$DO $d$
    BEGIN
        PERFORM corm.do_tx('SELECT 1/0');
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END $d$ $$, corm.tx(name => 'own'));
-- deadline
CALL corm.run_tx('SELECT pg_sleep(60)', corm.tx(name => 'own', timeout => '50 ms'));

-- where it works: where COMMIT does
BEGIN;
CALL corm.run_tx('SELECT 1');
ROLLBACK;
SELECT corm.in_tx();
CREATE FUNCTION runs() RETURNS void LANGUAGE plpgsql AS $$
DECLARE r corm.tx_result;
BEGIN
    CALL corm.run_tx('SELECT 1', NULL, r);
END $$;
SELECT runs();
DO $$
DECLARE r corm.tx_result;
BEGIN
    CALL corm.run_tx('INSERT INTO parent VALUES (5)', NULL, r);
    RAISE NOTICE '% %', r.ok, r.scope;
    CALL corm.run_tx('INSERT INTO parent VALUES (5)', NULL, r);
    RAISE NOTICE '% % %', r.ok, r.sqlstate, r.constraint_name;
    INSERT INTO parent VALUES (6);
    COMMIT;
    CALL corm.run_tx('SELECT id FROM parent ORDER BY id', corm.tx(isolation => 'repeatable read'), r);
    RAISE NOTICE '% %', r.ok, r.value;
END $$;
-- not on top of changes that are not committed, nor inside an exception block
DO $$
DECLARE r corm.tx_result;
BEGIN
    INSERT INTO parent VALUES (7);
    CALL corm.run_tx('SELECT 1', NULL, r);
END $$;
\echo :LAST_ERROR_SQLSTATE
DO $$
DECLARE r corm.tx_result;
BEGIN
    CALL corm.run_tx('SELECT 1', NULL, r);
EXCEPTION WHEN invalid_transaction_termination THEN
    RAISE NOTICE '%', SQLERRM;
END $$;
CALL corm.run_tx('SELECT 1', corm.tx('nested'));
CALL corm.run_tx(NULL);
CALL corm.run_tx('CALL corm.run_tx(''SELECT 1'')');
-- a cancel is no data
SET statement_timeout = '100ms';
CALL corm.run_tx('SELECT pg_sleep(60)');
RESET statement_timeout;
SELECT corm.tx_depth(), corm.in_tx();
SELECT * FROM parent ORDER BY id;

-- retries are for 40001 and 40P01 only, and end
CREATE SEQUENCE attempts;
CREATE FUNCTION fails(code text, times int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('attempts') <= times THEN
        RAISE 'attempt failed' USING ERRCODE = code;
    END IF;
    RETURN 'done';
END $$;
CALL corm.run_tx($$SELECT fails('40001', 2)$$, corm.tx(retries => 3));
SELECT last_value FROM attempts;
SELECT setval('attempts', 1, false);
CALL corm.run_tx($$SELECT fails('40P01', 99)$$, corm.tx(retries => 3));
SELECT last_value FROM attempts;
SELECT setval('attempts', 1, false);
CALL corm.run_tx($$SELECT fails('23505', 99)$$, corm.tx(retries => 3));
SELECT last_value FROM attempts;
SELECT setval('attempts', 1, false);
SELECT corm.do_tx(corm.tx('requires_new', retries => 3), $$SELECT fails('40001', 3)$$);
SELECT setval('attempts', 1, false);
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new', retries => 3), $$SELECT fails('40001', 4)$$);
SELECT retries FROM corm.tx_stats();

DROP TABLE child, parent;
DROP SEQUENCE attempts;
DROP FUNCTION runs, fails;
