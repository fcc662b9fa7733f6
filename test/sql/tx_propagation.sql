-- Propagation and characteristics of scopes: acceptance 4 and 5.
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION ids() RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '-') FROM public.t $$;
CREATE FUNCTION look() RETURNS TABLE (propagation text, depth int, in_tx boolean) LANGUAGE sql
AS $$ SELECT (corm.current_tx()).propagation, corm.tx_depth(), corm.in_tx() $$;

-- without an active transaction
SELECT corm.do_tx(corm.tx('required'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('requires_new'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('nested'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('mandatory'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('supports'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('not_supported'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('never'), 'SELECT * FROM look()');
-- try_tx: what the options demand is data as well
SELECT p, (SELECT sqlstate FROM corm.try_tx(corm.tx(p), 'SELECT 1'))
FROM unnest('{required,requires_new,nested,mandatory,supports,not_supported,never}'::text[]) p;
SELECT sqlstate, message, hint, scope FROM corm.try_tx(corm.tx(isolation => 'serializable', name => 'named'), 'SELECT 1');
SELECT sqlstate FROM corm.try_tx(corm.tx(retries => 1), 'SELECT 1');
SELECT corm.do_tx($$SELECT p, (SELECT sqlstate FROM corm.try_tx(corm.tx(p), 'SELECT 1'))
    FROM unnest('{required,requires_new,nested,mandatory,supports,not_supported,never}'::text[]) p$$);
-- an exception block is no transaction to join
DO $$
BEGIN
    PERFORM corm.do_tx(corm.tx('mandatory'), 'SELECT 1');
EXCEPTION WHEN no_active_sql_transaction THEN
    RAISE NOTICE 'not active';
END $$;
-- supports inside of supports: still nothing to join
SELECT corm.do_tx(corm.tx('supports'), $$SELECT corm.do_tx(corm.tx('never'), 'SELECT * FROM look()')$$);
SELECT corm.do_tx(corm.tx('supports'), 'SELECT corm.set_rollback_only()');
-- without a scope an error as data still undoes the body
SELECT sqlstate, scope, context FROM corm.try_tx(corm.tx('supports', name => 'free'), 'INSERT INTO t VALUES (1); SELECT 1/0');
SELECT ids();

-- inside a transaction block
BEGIN;
SELECT corm.do_tx(corm.tx('required'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('nested'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('mandatory'), 'SELECT * FROM look()');
SELECT corm.do_tx(corm.tx('supports'), 'SELECT * FROM look()');
SAVEPOINT s;
SELECT corm.do_tx(corm.tx('never'), 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
SELECT corm.do_tx(corm.tx('requires_new'), 'SELECT 1');
ROLLBACK TO s;
SELECT corm.do_tx(corm.tx('not_supported'), 'SELECT 1');
ROLLBACK TO s;
COMMIT;

-- inside a scope
SELECT corm.do_tx($$SELECT corm.do_tx(corm.tx('mandatory'), 'SELECT * FROM look()') AS mandatory,
    corm.do_tx(corm.tx('supports'), 'SELECT * FROM look()') AS supports,
    corm.do_tx(corm.tx('nested'), 'SELECT * FROM look()') AS nested$$);
SELECT corm.do_tx($$SELECT corm.do_tx(corm.tx('never'), 'SELECT 1')$$);
SELECT corm.do_tx($$SELECT corm.do_tx(corm.tx('requires_new'), 'SELECT 1')$$);

-- joined scopes take no subtransaction, nested ones do
SELECT corm.do_tx($$INSERT INTO t VALUES (1);
    SELECT corm.do_tx('INSERT INTO t VALUES (2)');
    SELECT corm.do_tx(corm.tx('nested'), 'INSERT INTO t VALUES (3)');
    SELECT count(DISTINCT xmin::text) FROM t$$);
TRUNCATE t;

-- isolation
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT corm.do_tx(corm.tx(isolation => 'repeatable read'), 'SHOW transaction_isolation');
SAVEPOINT s;
SELECT corm.do_tx(corm.tx(isolation => 'serializable'), 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
SELECT corm.do_tx(corm.tx('nested', isolation => 'read committed'), 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- a read-only closure that writes: 25006; afterwards the outer may write
SELECT sqlstate, message FROM corm.try_tx(corm.tx(read_only => true), 'INSERT INTO t VALUES (1)');
INSERT INTO t VALUES (1);
BEGIN;
SELECT corm.do_tx(corm.tx(read_only => true), 'SELECT read_only, current_setting(''transaction_read_only'') FROM corm.current_tx()');
INSERT INTO t VALUES (2);
SELECT corm.do_tx(corm.tx('nested', read_only => true), 'SELECT count(*) FROM t');
INSERT INTO t VALUES (3);
SELECT sqlstate FROM corm.try_tx(corm.tx(read_only => true), 'INSERT INTO t VALUES (4)');
SELECT sqlstate FROM corm.try_tx(corm.tx('nested', read_only => true), 'INSERT INTO t VALUES (5)');
INSERT INTO t VALUES (6);
DO $$
BEGIN
    PERFORM corm.do_tx(corm.tx(read_only => true), 'INSERT INTO t VALUES (7)');
EXCEPTION WHEN read_only_sql_transaction THEN
    INSERT INTO t VALUES (8);
END $$;
-- what is read-only stays so inside
SELECT sqlstate FROM corm.try_tx(corm.tx('nested', read_only => true), 'SET transaction_read_only = off');
SELECT sqlstate FROM corm.try_tx(corm.tx('nested', read_only => true), $$SELECT corm.do_tx(corm.tx('nested', read_only => false), 'SELECT 1')$$);
SELECT sqlstate FROM corm.try_tx(corm.tx('nested', read_only => true), $$SELECT corm.do_tx('INSERT INTO t VALUES (9)')$$);
SHOW transaction_read_only;
COMMIT;
SELECT ids();
-- a read-write closure in a read-only transaction
BEGIN READ ONLY;
SELECT corm.do_tx(corm.tx(read_only => true), 'SELECT 1');
SELECT corm.do_tx(corm.tx(read_only => false), 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- temporary tables may be written, as in any read-only transaction
CREATE TEMP TABLE scratch (a int);
SELECT corm.do_tx(corm.tx(read_only => true), 'INSERT INTO scratch VALUES (1) RETURNING a');

DROP TABLE t, scratch;
DROP FUNCTION ids, look;
