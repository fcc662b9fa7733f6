-- Wait groups: counts, transactions, rights.
SELECT corm.wg_create('g');
SELECT corm.wg_count('g');
SELECT corm.wg_wait('g');
SELECT corm.wg_create('g');
SELECT corm.wg_add('g', 2);
SELECT corm.wg_count('g');
SELECT corm.wg_wait('g', '0');
SELECT corm.wg_wait('g', '10 ms');
SELECT corm.wg_done('g');
SELECT corm.wg_done('g');
SELECT corm.wg_done('g');
SELECT corm.wg_wait('g');
-- used again
SELECT corm.wg_add('g');
SELECT corm.wg_add('g', -1);
SELECT corm.wg_add('g', -1);
SELECT corm.wg_add('g', 0);
SELECT name, count, waiters FROM corm.wait_groups;

-- counts at commit
BEGIN;
SELECT corm.wg_add('g', 3);
SELECT corm.wg_count('g');
SELECT corm.wg_wait('g', '1 ms');
ROLLBACK;
SELECT corm.wg_count('g');
BEGIN;
SELECT corm.wg_add('g', 3);
SAVEPOINT a;
SELECT corm.wg_done('g');
SELECT corm.wg_done('g');
SELECT corm.wg_done('g');
SAVEPOINT b;
SELECT corm.wg_done('g');
ROLLBACK TO b;
ROLLBACK TO a;
SELECT corm.wg_done('g');
COMMIT;
SELECT corm.wg_count('g');
-- what is reserved cannot be taken twice, and comes back
BEGIN;
SELECT corm.wg_done('g');
SELECT corm.wg_count('g');
SAVEPOINT a;
SELECT corm.wg_done('g');
SELECT corm.wg_done('g');
ROLLBACK TO a;
SELECT corm.wg_done('g');
ROLLBACK;
SELECT corm.wg_add('g', -2);
SELECT corm.wg_count('g');
-- an own unit first, then a reserved one; released and rolled back savepoints
SELECT corm.wg_add('g', 1);
BEGIN;
SAVEPOINT a;
SELECT corm.wg_add('g', 1);
RELEASE a;
SAVEPOINT b;
SELECT corm.wg_add('g', -2);
RELEASE b;
SAVEPOINT c;
SELECT corm.wg_done('g');
ROLLBACK TO c;
COMMIT;
SELECT corm.wg_count('g');
-- a change that comes to nothing
BEGIN;
SELECT corm.wg_add('g', 2), corm.wg_add('g', -2);
SELECT corm.wg_wait('g', '0');
COMMIT;
-- at once
BEGIN;
SELECT corm.wg_add('g', 1, immediate => true);
SELECT corm.wg_count('g');
SELECT corm.wg_wait('g', '0');
SELECT corm.wg_done('g', immediate => true);
SELECT corm.wg_done('g', immediate => true);
ROLLBACK;
SELECT corm.wg_count('g');
BEGIN;
SELECT corm.wg_add('g', 1, immediate => true);
ROLLBACK;
SELECT corm.wg_count('g');
SELECT corm.wg_done('g', immediate => true);
-- many in one transaction
BEGIN;
SELECT count(corm.wg_add('g')) FROM generate_series(1, 10000);
SELECT count(corm.wg_done('g')) FROM generate_series(1, 9999);
COMMIT;
SELECT corm.wg_count('g');
SELECT corm.wg_done('g');
BEGIN;
SELECT corm.wg_add('g');
PREPARE TRANSACTION 'no';

-- creating and dropping
BEGIN;
SELECT corm.wg_create('h', 2);
SELECT corm.wg_count('h');
SELECT corm.wg_wait('h', '0');
SELECT corm.wg_done('h');
ROLLBACK;
SELECT corm.wg_count('h');
BEGIN;
SELECT corm.wg_create('h', 2);
SELECT corm.wg_add('h', 5);
COMMIT;
SELECT corm.wg_count('h');
BEGIN;
SELECT corm.wg_drop('h');
SELECT corm.wg_count('h');
SELECT corm.wg_create('h', 1);
SELECT corm.wg_count('h');
SELECT count(*) FROM corm.wait_groups WHERE name = 'h';
ROLLBACK;
SELECT corm.wg_count('h');
BEGIN;
SELECT corm.wg_drop('h');
SELECT corm.wg_create('h', 1);
COMMIT;
SELECT corm.wg_count('h');
BEGIN;
SAVEPOINT a;
SELECT corm.wg_drop('h');
ROLLBACK TO a;
SELECT corm.wg_count('h');
SELECT corm.wg_drop('h');
COMMIT;
SELECT corm.wg_drop('h');
BEGIN;
SELECT corm.wg_create('i'), corm.wg_add('i', 2), corm.wg_drop('i');
COMMIT;
SELECT count(*) FROM corm.wait_groups WHERE name = 'i';

-- in PL/pgSQL, with an exception block
DO $$
BEGIN
	BEGIN
		PERFORM corm.wg_add('g', 4);
		RAISE EXCEPTION 'undone';
	EXCEPTION WHEN raise_exception THEN
		PERFORM corm.wg_add('g', 2);
	END;
END $$;
SELECT corm.wg_count('g');
SELECT corm.wg_add('g', -2);

-- CALL
CALL corm.wg_wait('g', NULL, NULL);
SELECT corm.wg_add('g');
CALL corm.wg_wait('g', '1 ms', NULL);
BEGIN;
CALL corm.wg_wait('g', '1 ms', NULL);
ROLLBACK;
DO $$
DECLARE done boolean;
BEGIN
	CALL corm.wg_wait('g', '1 ms', done);
	RAISE NOTICE '%', done;
	PERFORM corm.wg_done('g');
	CALL corm.wg_wait('g', '1 ms', done);
EXCEPTION WHEN active_sql_transaction OR invalid_transaction_termination THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
DO $$
DECLARE done boolean;
BEGIN
	PERFORM corm.wg_done('g');
	CALL corm.wg_wait('g', '1 ms', done);
END $$;
DO $$
DECLARE done boolean;
BEGIN
	PERFORM corm.wg_done('g');
	COMMIT;
	CALL corm.wg_wait('g', '1 ms', done);
	RAISE NOTICE '%', done;
END $$;
-- functions wait for corm.max_wait at most
SELECT corm.wg_add('g');
SET corm.max_wait = '20 ms';
SELECT corm.wg_wait('g');
SELECT corm.wg_wait('g', '1 hour');
RESET corm.max_wait;
SET statement_timeout = '30 ms';
SELECT corm.wg_wait('g', '1 hour');
RESET statement_timeout;
SELECT corm.wg_count('g');
SELECT corm.wg_done('g');

-- rights
CREATE ROLE wg_owner;
CREATE ROLE wg_member IN ROLE wg_owner;
CREATE ROLE wg_other;
SET ROLE wg_owner;
SELECT corm.wg_create('owned');
SET ROLE wg_member;
SELECT corm.wg_add('owned'), corm.wg_count('owned');
SET ROLE wg_other;
SELECT corm.wg_add('owned');
SELECT corm.wg_done('owned');
SELECT corm.wg_wait('owned');
CALL corm.wg_wait('owned', NULL, NULL);
SELECT corm.wg_count('owned');
SELECT corm.wg_drop('owned');
SELECT corm.wg_create('owned');
SELECT name, owner, count FROM corm.wait_groups ORDER BY name;
RESET ROLE;
SELECT corm.wg_done('owned'), corm.wg_drop('owned');
DROP ROLE wg_owner, wg_member, wg_other;

-- wrong arguments
SELECT corm.wg_create(NULL);
SELECT corm.wg_create('');
SELECT corm.wg_create(repeat('x', 64));
SELECT corm.wg_create('n', -1);
SELECT corm.wg_create('n', NULL);
SELECT corm.wg_add('n', NULL);
SELECT corm.wg_add('n', 1, NULL);
SELECT corm.wg_wait('n', '-1 s');
SELECT corm.wg_wait('missing');
SELECT corm.wg_wait(NULL);
SELECT corm.wg_add(NULL);
SELECT corm.wg_done('missing');
SELECT corm.wg_count('missing');
CALL corm.wg_wait('missing', NULL, NULL);
SELECT corm.wg_create('Mixed "q" ü');
SELECT name FROM corm.wait_groups ORDER BY name;
SELECT corm.wg_drop('Mixed "q" ü'), corm.wg_drop('n'), corm.wg_drop('g');
-- too many
DO $$
BEGIN
	FOR i IN 1..current_setting('corm.max_wait_groups')::int + 1 LOOP
		PERFORM corm.wg_create('many ' || i);
	END LOOP;
EXCEPTION WHEN configuration_limit_exceeded THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
SELECT count(*) FROM corm.wait_groups;
