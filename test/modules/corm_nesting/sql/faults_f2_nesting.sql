-- hardening 52
--
-- F2: the transaction commands of session scopes are commands inside of the CALL, for hooks that count nesting.
--
LOAD 'corm_nesting';
CREATE TABLE written (n int);

\echo F2: a scope holds what follows it
CALL corm.begin_tx();
INSERT INTO written VALUES (1);
SELECT corm.in_tx(), corm.tx_depth();
CALL corm.rollback_tx();
SELECT count(*) FROM written;
CALL corm.begin_tx(corm.tx(isolation => 'serializable', read_only => false));
INSERT INTO written VALUES (2);
CALL corm.commit_tx();
SELECT n FROM written;

\echo F2: inner scopes
CALL corm.begin_tx();
CALL corm.begin_tx();
INSERT INTO written VALUES (3);
CALL corm.rollback_tx();
CALL corm.begin_tx();
INSERT INTO written VALUES (4);
CALL corm.commit_tx();
CALL corm.begin_tx(corm.tx());
CALL corm.rollback_if_not_committed();
CALL corm.rollback_if_not_committed();
SELECT corm.in_tx(), corm.tx_depth();
CALL corm.begin_tx();
INSERT INTO written VALUES (5);
CALL corm.commit_tx();
SELECT n FROM written;

\echo F2: after errors
CALL corm.begin_tx();
SELECT 1/0;
ROLLBACK;
CALL corm.begin_tx();
BEGIN;
ROLLBACK;
CALL corm.commit_tx();
DO $$ BEGIN CALL corm.begin_tx(); END $$;

\echo F2: transactions of their own, and scopes in functions
CALL corm.run_tx('INSERT INTO written VALUES (6)', corm.tx(isolation => 'repeatable read'), NULL);
SELECT corm.do_tx('INSERT INTO written VALUES (7) RETURNING n');
SELECT ok, sqlstate FROM corm.try_tx('CREATE TABLE made (); SELECT 1/0');
SELECT n FROM written;

DROP TABLE written;
