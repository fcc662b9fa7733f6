-- Session scopes: acceptance 10, 11 (tags, states) and 12.
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION ids() RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '-') FROM public.t $$;
\set QUIET off

-- begin, begin, insert, rollback, commit: the outer's rows only
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.begin_tx();
SELECT * FROM corm.current_tx();
INSERT INTO t VALUES (2);
CALL corm.rollback_tx();
SELECT * FROM corm.current_tx();
CALL corm.begin_tx(corm.tx('nested', name => 'kept'));
INSERT INTO t VALUES (3);
CALL corm.commit_tx();
CALL corm.commit_tx();
SELECT ids(), corm.tx_depth(), corm.in_tx();
TRUNCATE t;

-- the whole block
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.rollback_tx();
SELECT ids(), corm.in_tx();

-- required joins: no savepoint
CALL corm.begin_tx(corm.tx('required'));
INSERT INTO t VALUES (1);
CALL corm.begin_tx(corm.tx('required', name => 'joined'));
SELECT *, (corm.tx_stats()).open_subtransactions FROM corm.current_tx();
INSERT INTO t VALUES (2);
CALL corm.commit_tx();
SELECT corm.tx_depth();
CALL corm.commit_tx();
SELECT ids(), corm.in_tx();
TRUNCATE t;

-- inside a plain BEGIN
BEGIN;
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.rollback_tx();
CALL corm.begin_tx(corm.tx());
INSERT INTO t VALUES (2);
CALL corm.commit_tx();
SELECT corm.tx_depth(), corm.in_tx();
CALL corm.commit_tx();
ROLLBACK;

-- other propagations
CALL corm.begin_tx(corm.tx('mandatory'));
CALL corm.begin_tx(corm.tx('supports'));
CALL corm.begin_tx(corm.tx('never'));
CALL corm.begin_tx(corm.tx('not_supported'));
CALL corm.begin_tx(corm.tx(retries => 1));
CALL corm.begin_tx(corm.tx('sometimes'));
CALL corm.begin_tx(corm.tx('requires_new'));
CALL corm.begin_tx(corm.tx('mandatory'));
CALL corm.begin_tx(corm.tx('supports'));
SELECT corm.tx_depth();
SAVEPOINT s;
CALL corm.begin_tx(corm.tx('requires_new'));
ROLLBACK TO s;
CALL corm.begin_tx(corm.tx('never'));
ROLLBACK TO s;
SELECT corm.tx_depth();
CALL corm.commit_tx();
CALL corm.commit_tx();
CALL corm.commit_tx();

-- characteristics
CALL corm.begin_tx(corm.tx(isolation => 'serializable', read_only => true));
SHOW transaction_isolation;
SHOW transaction_read_only;
INSERT INTO t VALUES (1);
ROLLBACK;
CALL corm.begin_tx(corm.tx(isolation => 'repeatable read', read_only => false));
SHOW transaction_isolation;
CALL corm.begin_tx(corm.tx('nested', isolation => 'serializable'));
ROLLBACK;
-- SET TRANSACTION works as after BEGIN
CALL corm.begin_tx();
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SHOW transaction_isolation;
CALL corm.commit_tx();
SET default_transaction_isolation = 'repeatable read';
CALL corm.begin_tx(corm.tx(isolation => 'read committed'));
SHOW transaction_isolation;
CALL corm.commit_tx();
RESET default_transaction_isolation;
-- a read-only nested scope, also after it was rolled back to
CALL corm.begin_tx();
CALL corm.begin_tx(corm.tx('nested', read_only => true));
SELECT * FROM corm.current_tx();
SAVEPOINT s;
INSERT INTO t VALUES (1);
ROLLBACK TO corm_tx_2;
SELECT * FROM corm.current_tx();
SHOW transaction_read_only;
CALL corm.commit_tx();
SHOW transaction_read_only;
INSERT INTO t VALUES (2);
CALL corm.begin_tx(corm.tx('required', read_only => true));
ROLLBACK;

-- acceptance 10: only as a top-level command
DO $$ BEGIN CALL corm.begin_tx(); END $$;
\echo :LAST_ERROR_SQLSTATE
CREATE PROCEDURE opens() LANGUAGE plpgsql AS $$ BEGIN CALL corm.begin_tx(); END $$;
CREATE PROCEDURE opens_sql() LANGUAGE sql AS $$ CALL corm.begin_tx(NULL) $$;
CREATE FUNCTION opens_function() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL corm.begin_tx(); END $$;
CREATE FUNCTION opens_argument() RETURNS corm.tx_options LANGUAGE plpgsql AS $$ BEGIN CALL corm.begin_tx(); RETURN NULL; END $$;
CALL opens();
CALL opens_sql();
SELECT opens_function();
CALL corm.begin_tx(opens_argument());
DO $$ BEGIN CALL corm.commit_tx(); END $$;
DO $$ BEGIN CALL corm.rollback_tx(); END $$;
DO $$ BEGIN CALL corm.rollback_if_not_committed(); END $$;
SELECT corm.tx_depth(), corm.in_tx();
-- inside an open scope it is an error of that statement
CALL corm.begin_tx();
SAVEPOINT s;
CALL opens();
ROLLBACK TO s;
SELECT opens_function();
ROLLBACK TO s;
SELECT corm.tx_depth();
CALL corm.commit_tx();
-- and the error can be handled
DO $$
BEGIN
    CALL corm.begin_tx();
EXCEPTION WHEN invalid_transaction_termination THEN
    RAISE NOTICE 'depth %', corm.tx_depth();
END $$;

-- one string with other commands: refused, nothing has changed
CALL corm.begin_tx() \; INSERT INTO t VALUES (1);
SELECT ids(), corm.in_tx();
INSERT INTO t VALUES (1) \; CALL corm.begin_tx();
SELECT ids(), corm.in_tx();
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SAVEPOINT s;
CALL corm.commit_tx() \; SELECT 1;
ROLLBACK TO s;
SELECT corm.tx_depth();
SELECT 1 AS one \; SELECT 2 AS two;
CALL corm.commit_tx() /* a comment is no command */ \; ;
SELECT ids(), corm.in_tx();
TRUNCATE t;

-- acceptance 12: aborted block
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.begin_tx();
INSERT INTO t VALUES (2);
SELECT 1/0;
CALL corm.rollback_tx();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO SAVEPOINT corm_tx_2;
SELECT depth FROM corm.current_tx();
INSERT INTO t VALUES (3);
CALL corm.commit_tx();
CALL corm.commit_tx();
SELECT ids();
TRUNCATE t;
CALL corm.begin_tx();
SELECT 1/0;
CALL corm.commit_tx();
COMMIT;
SELECT corm.in_tx(), corm.tx_depth();

-- rollback_if_not_committed: after commit a no-op
CALL corm.rollback_if_not_committed();
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.commit_tx();
CALL corm.rollback_if_not_committed();
SELECT ids();
CALL corm.begin_tx();
INSERT INTO t VALUES (2);
CALL corm.begin_tx();
INSERT INTO t VALUES (3);
CALL corm.commit_tx();
CALL corm.rollback_if_not_committed();
SELECT corm.tx_depth();
CALL corm.begin_tx();
INSERT INTO t VALUES (4);
CALL corm.rollback_if_not_committed();
SELECT corm.tx_depth();
CALL corm.commit_tx();
CALL corm.rollback_if_not_committed();
SELECT ids();
CALL corm.begin_tx();
INSERT INTO t VALUES (5);
CALL corm.rollback_if_not_committed();
SELECT ids(), corm.in_tx();
-- a commit_tx that was refused has ended no scope: the next call is for that scope, and the one after it for the outer one
CALL corm.begin_tx();
CALL corm.begin_tx();
CALL corm.begin_tx(corm.tx('required'));
CALL corm.rollback_tx();
CALL corm.rollback_if_not_committed();
CALL corm.commit_tx();
ROLLBACK TO SAVEPOINT corm_tx_2;
CALL corm.rollback_if_not_committed();
SELECT corm.tx_depth();
CALL corm.rollback_if_not_committed();
SELECT corm.tx_depth(), corm.in_tx();
TRUNCATE t;

-- a second commit_tx is an error
CALL corm.begin_tx();
CALL corm.commit_tx();
CALL corm.commit_tx();
\echo :LAST_ERROR_SQLSTATE
CALL corm.rollback_tx();
\echo :LAST_ERROR_SQLSTATE

-- native commands between
CALL corm.begin_tx();
CALL corm.begin_tx();
COMMIT;
SELECT corm.tx_depth(), corm.in_tx();
CALL corm.begin_tx();
CALL corm.begin_tx();
CALL corm.begin_tx();
RELEASE SAVEPOINT corm_tx_2;
SELECT corm.tx_depth();
ROLLBACK AND CHAIN;
SELECT corm.tx_depth(), corm.in_tx();
ROLLBACK;
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
COMMIT AND CHAIN;
SELECT corm.tx_depth(), corm.in_tx();
CALL corm.begin_tx();
SELECT corm.tx_depth();
COMMIT;
-- the savepoint that an inner rollback leaves behind goes with the outer ones
CALL corm.begin_tx();
CALL corm.begin_tx();
CALL corm.rollback_tx();
SELECT (corm.tx_stats()).open_subtransactions;
CALL corm.begin_tx();
CALL corm.rollback_tx();
CALL corm.begin_tx();
CALL corm.begin_tx();
CALL corm.rollback_tx();
SELECT (corm.tx_stats()).open_subtransactions;
CALL corm.commit_tx();
SELECT (corm.tx_stats()).open_subtransactions;
CALL corm.commit_tx();
-- a joined scope closed after a savepoint comes back with it
CALL corm.begin_tx();
CALL corm.begin_tx(corm.tx());
SAVEPOINT s;
CALL corm.commit_tx();
SELECT corm.tx_depth();
ROLLBACK TO s;
SELECT corm.tx_depth();
CALL corm.commit_tx();
RELEASE s;
SELECT corm.tx_depth();
CALL corm.begin_tx();
SELECT depth FROM corm.current_tx();
ROLLBACK;
-- and one opened after a savepoint survives its release, but not its rollback
CALL corm.begin_tx();
SAVEPOINT s;
CALL corm.begin_tx(corm.tx());
RELEASE s;
SELECT corm.tx_depth();
SAVEPOINT s;
CALL corm.begin_tx(corm.tx());
ROLLBACK TO s;
SELECT corm.tx_depth();
ROLLBACK;
-- the names of its savepoints are corm's
BEGIN;
SAVEPOINT corm_tx_1;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- rights
CREATE ROLE regress_tx_nobody;
REVOKE EXECUTE ON PROCEDURE corm.begin_tx FROM PUBLIC;
SET ROLE regress_tx_nobody;
CALL corm.begin_tx();
RESET ROLE;
GRANT EXECUTE ON PROCEDURE corm.begin_tx TO PUBLIC;
DROP ROLE regress_tx_nobody;

\set QUIET on
DROP TABLE t;
DROP FUNCTION ids, opens_function, opens_argument;
DROP PROCEDURE opens, opens_sql;
