--
-- What happens around the beginning of a session scope, and names of columns that become JSON.
--
CREATE TABLE kept (v text);
CREATE FUNCTION writes(v text, opts corm.tx_options) RETURNS corm.tx_options LANGUAGE plpgsql AS $$
BEGIN INSERT INTO kept VALUES (v); RETURN opts; END $$;
CREATE FUNCTION caches(k text, opts corm.tx_options) RETURNS corm.tx_options LANGUAGE plpgsql AS $$
BEGIN PERFORM corm.cache_set(k, 1); RETURN opts; END $$;
-- says that it does not write, and does
CREATE FUNCTION liar(k text, opts corm.tx_options) RETURNS corm.tx_options LANGUAGE plpgsql STABLE AS $$
BEGIN PERFORM corm.cache_set(k, 1); RETURN opts; END $$;
CREATE FUNCTION quiet(opts corm.tx_options) RETURNS corm.tx_options LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN opts; END $$;

\echo A6a: what the arguments of begin_tx have done belongs to the scope
CALL corm.begin_tx(writes('rolled back', NULL));
SELECT corm.in_tx(), corm.tx_depth(), (SELECT count(*) FROM kept);
CALL corm.rollback_tx();
SELECT count(*) FROM kept;
CALL corm.begin_tx(writes('committed', corm.tx(name => 'n', read_only => false)));
SELECT name FROM corm.current_tx();
CALL corm.commit_tx();
SELECT v FROM kept;
CALL corm.begin_tx(caches('rolled back', corm.tx()));
SELECT corm.cache_exists('rolled back');
CALL corm.rollback_tx();
SELECT corm.cache_exists('rolled back');
CALL corm.begin_tx(liar('rolled back', NULL));
CALL corm.rollback_tx();
SELECT corm.cache_exists('rolled back');

\echo A6a: then it is too late for another isolation level, and nothing is left
CALL corm.begin_tx(writes('refused', corm.tx(isolation => 'serializable')));
SELECT corm.in_tx(), (SELECT count(*) FROM kept);
CALL corm.begin_tx(liar('refused', corm.tx(isolation => 'repeatable read')));
SELECT corm.in_tx(), corm.cache_exists('refused');

\echo A6a: the level that the transaction has anyway is no other, and options that nobody writes in have any
CALL corm.begin_tx(writes('read committed', corm.tx(isolation => 'read committed')));
CALL corm.rollback_tx();
CALL corm.begin_tx(quiet(corm.tx(isolation => 'serializable')));
SHOW transaction_isolation;
CALL corm.rollback_tx();
CALL corm.begin_tx();
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
CALL corm.rollback_tx();

\echo A6a: a savepoint holds what the arguments of an inner one have done
CALL corm.begin_tx();
CALL corm.begin_tx(writes('inner', NULL));
CALL corm.rollback_tx();
SELECT v FROM kept;
CALL corm.rollback_tx();
SELECT v FROM kept;

\echo A6a: run_tx takes a write to the cache for a change, too
CREATE PROCEDURE caches_and_runs() LANGUAGE plpgsql AS $$
DECLARE r corm.tx_result;
BEGIN
  PERFORM corm.cache_set('before run_tx', 1);
  CALL corm.run_tx('SELECT 1/0', NULL, r);
END $$;
CALL caches_and_runs();
SELECT corm.cache_exists('before run_tx');

\echo H3: a native BEGIN inside of a session scope is an error, not a warning
CALL corm.begin_tx(corm.tx(name => 'outer'));
INSERT INTO kept VALUES ('of the scope');
BEGIN;
COMMIT;
SELECT v FROM kept;
CALL corm.begin_tx();
INSERT INTO kept VALUES ('of the scope');
START TRANSACTION READ ONLY;
ROLLBACK;
SELECT v FROM kept;
SELECT corm.in_tx();

\echo H3: in an inner scope and in one that has joined, too; SAVEPOINT brings the transaction back
BEGIN;
CALL corm.begin_tx(corm.tx());
BEGIN;
ROLLBACK;
CALL corm.begin_tx();
SAVEPOINT s;
CALL corm.begin_tx();
BEGIN WORK;
ROLLBACK TO SAVEPOINT s;
SELECT corm.tx_depth();
INSERT INTO kept VALUES ('after the savepoint');
CALL corm.commit_tx();
SELECT v FROM kept;

\echo H3: without a scope it stays a warning
BEGIN;
BEGIN;
COMMIT;

\echo D4: two columns of one name do not become one member
SELECT corm.do_tx('SELECT 1 AS a, 2 AS a');
SELECT ok, value, sqlstate, message FROM corm.try_tx('SELECT 1 AS a, 2 AS b, 3 AS a WHERE false');
SELECT corm.do_tx('INSERT INTO kept VALUES (''twice'') RETURNING v, v');
SELECT v FROM kept WHERE v = 'twice';
SELECT corm.do_tx('SELECT 1 AS a, 2 AS b, 3 AS "A"');
-- only the rows that are returned
SELECT corm.do_tx('SELECT 1 AS a, 2 AS a; SELECT 3 AS b');
CALL corm.run_tx('SELECT 1, 2', NULL, NULL);
SELECT corm.get_multi_json(corm.raw_query('SELECT 1 AS a, 2 AS a'));
SELECT corm.get_json(corm.raw_query('SELECT 1 AS a, 2 AS b, 3 AS a'));
SELECT corm.get_multi_json(corm.raw_query('INSERT INTO kept VALUES (''twice'') RETURNING v, v'));
SELECT corm.get_multi_json(corm.raw_query('SELECT k.*, 1 AS v FROM kept k WHERE v = $1', 'committed'));
SELECT corm.get_multi_json(corm.raw_query('SELECT k.*, 1 AS w FROM kept k WHERE v = $1', 'committed'));
SELECT corm.get_multi_json(corm.selector('kept'), corm.select('v', corm.as('v', 'v')));
SELECT v FROM kept WHERE v = 'twice';
-- they may have one name where they are no JSON
SELECT * FROM corm.get_multi(NULL::kept, corm.raw_query('SELECT ''x'' AS v, 1 AS other, 2 AS other'));
SELECT corm.count(corm.raw_query('SELECT 1 AS a, 2 AS a'));

DROP FUNCTION writes, caches, liar, quiet;
DROP PROCEDURE caches_and_runs;
DROP TABLE kept;
