-- psql's ON_ERROR_ROLLBACK, which sets a savepoint around each command and goes by command tags.
CREATE TABLE t (id int PRIMARY KEY);
\set ON_ERROR_ROLLBACK on
\set QUIET off
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SELECT 1/0;
CALL corm.begin_tx();
INSERT INTO t VALUES (2);
INSERT INTO t VALUES (1);
SELECT corm.tx_depth();
CALL corm.rollback_tx();
CALL corm.begin_tx(corm.tx('nested'));
INSERT INTO t VALUES (3);
SELECT nothing;
CALL corm.commit_tx();
SELECT corm.tx_depth();
-- joined scopes open and close inside of psql's savepoints
CALL corm.begin_tx(corm.tx('required', name => 'joined'));
SELECT 1/0;
SELECT name, depth FROM corm.current_tx();
INSERT INTO t VALUES (4);
CALL corm.commit_tx();
SELECT 1/0;
SELECT corm.tx_depth();
-- a closure that fails is rolled back by psql, its mark too
SELECT corm.do_tx('INSERT INTO t VALUES (5); SELECT 1/0');
SELECT rollback_only FROM corm.current_tx();
CALL corm.commit_tx();
CALL corm.commit_tx();
SELECT string_agg(id::text, ' ' ORDER BY id) FROM t;
-- the first scope inside a plain BEGIN
BEGIN;
CALL corm.begin_tx();
INSERT INTO t VALUES (6);
SELECT corm.tx_depth();
SELECT 1/0;
CALL corm.rollback_if_not_committed();
CALL corm.rollback_if_not_committed();
SELECT corm.tx_depth();
COMMIT;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM t;
\set QUIET on
DROP TABLE t;
