--
-- Bodies of transaction scopes that call functions which run the same body.
--
CREATE SCHEMA bodies;
SET search_path = bodies;
CREATE SCHEMA elsewhere;
CREATE TABLE t (a int);
INSERT INTO t VALUES (1);

\echo A6: a CHECK of a parameter that prepares the statement anew, and fails to: SIGSEGV before
CREATE FUNCTION check_d(v text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('search_path') = 'elsewhere' THEN RETURN true; END IF;
    SET LOCAL search_path = elsewhere;
    BEGIN
        PERFORM corm.do_tx(corm.tx('nested'), 'SELECT $1::bodies.d AS x FROM t', 'y');
    EXCEPTION WHEN undefined_table THEN
        RAISE NOTICE '%', SQLERRM;
    END;
    SET LOCAL search_path = bodies;
    RETURN true;
END $$;
CREATE DOMAIN d AS text CHECK (bodies.check_d(VALUE));
SELECT corm.do_tx('SELECT $1::bodies.d AS x FROM t', 'y');
SELECT corm.do_tx('SELECT $1::bodies.d AS x FROM t', 'y');

\echo A6: ... and one that finds other types
CREATE TABLE elsewhere.t (b text);
INSERT INTO elsewhere.t VALUES ('x');
CREATE FUNCTION f(int) RETURNS text LANGUAGE sql AS $$ SELECT 'int' $$;
CREATE FUNCTION elsewhere.f(text) RETURNS text LANGUAGE sql AS $$ SELECT 'text' $$;
CREATE FUNCTION check_e(v text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('search_path') = 'elsewhere' THEN RETURN true; END IF;
    SET LOCAL search_path = elsewhere;
    RAISE NOTICE '%', corm.do_tx('SELECT $1::bodies.e AS x, f($2) AS f FROM t', 'y', '2');
    SET LOCAL search_path = bodies;
    RETURN true;
END $$;
CREATE DOMAIN e AS text CHECK (bodies.check_e(VALUE));
SELECT corm.do_tx('SELECT $1::bodies.e AS x, f($2) AS f FROM t', 'y', '1');
SELECT corm.do_tx('SELECT $1::bodies.e AS x, f($2) AS f FROM t', 'y', '1');

\echo A6: ... and one that drops what the body reads
CREATE FUNCTION check_g(v text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS bodies.dropped;
    RETURN true;
END $$;
CREATE DOMAIN g AS text CHECK (bodies.check_g(VALUE));
CREATE TABLE dropped (a int);
SELECT message FROM corm.try_tx('SELECT $1::bodies.g AS x FROM dropped', 'y');
SELECT count(*) FROM dropped;

\echo A6: a constant that runs the body as it is prepared
CREATE FUNCTION check_h(v text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('bodies.depth', true) = 'on' THEN RETURN true; END IF;
    SET LOCAL bodies.depth = on;
    PERFORM corm.do_tx('SELECT ''{c}''::bodies.h[] AS x, $1 AS y', 'inner');
    SET LOCAL bodies.depth = off;
    RETURN true;
END $$;
CREATE DOMAIN h AS text CHECK (bodies.check_h(VALUE));
SELECT corm.do_tx('SELECT ''{c}''::bodies.h[] AS x, $1 AS y', 'outer');

\echo A6: values whose cast to JSON runs DDL on their own type, and this body
CREATE TYPE mark AS ENUM ('a', 'b');
CREATE TYPE shown AS (m mark, n int);
CREATE FUNCTION mark_json(mark) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('bodies.depth', true) = 'json' THEN RETURN to_json('inner ' || $1::text); END IF;
    SET LOCAL bodies.depth = json;
    RAISE NOTICE '%', corm.do_tx('SELECT $1::bodies.mark AS m, row(''b'', 1)::bodies.shown AS s', 'a');
    BEGIN EXECUTE 'ALTER TYPE bodies.shown ALTER ATTRIBUTE n TYPE text'; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
    BEGIN EXECUTE 'DROP TYPE bodies.shown CASCADE'; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
    SET LOCAL bodies.depth = off;
    RETURN to_json($1::text);
END $$;
CREATE CAST (mark AS json) WITH FUNCTION mark_json(mark);
SELECT corm.do_tx('SELECT $1::bodies.mark AS m, row(''b'', 1)::bodies.shown AS s', 'a');

\echo A6: ... and one that fails in between: nothing of the scope is left
CREATE OR REPLACE FUNCTION mark_json(mark) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bodies.t VALUES (100);
    IF $1 = 'b' THEN RAISE 'second'; END IF;
    RETURN to_json($1::text);
END $$;
SELECT message FROM corm.try_tx('VALUES (''a''::bodies.mark), (''b'')');
SELECT a FROM t;
SELECT corm.do_tx('VALUES (''a''::bodies.mark), (''a'')');
SELECT a FROM t;

SET client_min_messages = warning;
DROP SCHEMA bodies CASCADE;
DROP SCHEMA elsewhere CASCADE;
