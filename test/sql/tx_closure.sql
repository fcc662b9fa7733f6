-- Closures: do_tx and try_tx, what they return and what they undo.
CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> 'bad'));
CREATE FUNCTION ids() RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '-') FROM public.t $$;

-- acceptance 1: autocommit
SELECT corm.do_tx('INSERT INTO t VALUES (1)');
SELECT ids();
\x on
SELECT * FROM corm.try_tx('INSERT INTO t VALUES (2); INSERT INTO t VALUES (1)');
SELECT * FROM corm.try_tx(corm.tx(name => 'second'), $$INSERT INTO t VALUES (3, 'bad')$$);
SELECT * FROM corm.try_tx('INSERT INTO t VALUES (NULL)');
SELECT * FROM corm.try_tx($$SELECT 1 FROM$$);
\x off
SELECT ids();
\set SHOW_CONTEXT always
SELECT corm.do_tx(corm.tx(name => 'outermost'),
                  $$SELECT corm.do_tx(corm.tx('nested', name => 'inner'), 'INSERT INTO t VALUES (1)')$$);
\echo :LAST_ERROR_SQLSTATE
\set SHOW_CONTEXT errors

-- results: the last statement's rows
SELECT corm.do_tx('SELECT id, v FROM t');
SELECT corm.do_tx('SELECT id FROM t WHERE false');
SELECT corm.do_tx('INSERT INTO t VALUES (4) RETURNING id AS new, v');
SELECT corm.do_tx('UPDATE t SET v = NULL') IS NULL AS no_rows;
SELECT corm.do_tx('SELECT 1; UPDATE t SET v = NULL') IS NULL AS no_rows;
SELECT corm.do_tx('') IS NULL AS no_rows, corm.do_tx(' -- nothing ; ') IS NULL AS no_rows;
SELECT corm.do_tx('SHOW default_transaction_isolation');
SELECT corm.do_tx('EXPLAIN (COSTS OFF) SELECT 1');
SELECT corm.do_tx('VALUES (1, 2), (3, 4)');
SELECT corm.do_tx('SELECT 1 AS a, 2 AS a');
SELECT corm.do_tx('SELECT FROM generate_series(1, 2)');
SELECT * FROM corm.try_tx('SELECT 1 AS one');

-- every value as to_jsonb would make it
SELECT corm.do_tx($$SELECT true AS b, 1::int2 AS i2, 2::int4 AS i4, -3::int8 AS i8, 1.50 AS n,
    'NaN'::numeric AS nan, 'text' AS t, 'vc'::varchar AS vc, 'c'::char(3) AS c, 1.5::float8 AS f8,
    'Infinity'::float8 AS inf, DATE '2020-02-03' AS d, TIMESTAMP '2020-02-03 04:05:06' AS ts,
    ARRAY[1, NULL, 3] AS arr, '{"k": [1]}'::jsonb AS jb, '"s"'::jsonb AS js, '{"x":1, "x":2}'::json AS j,
    ROW(1, 'x') AS r, NULL AS nul, '{}'::jsonb AS e, E'q"\\' AS q, '\x00ff'::bytea AS bin$$)
     = jsonb_build_array(to_jsonb(x)) AS same
FROM (SELECT true AS b, 1::int2 AS i2, 2::int4 AS i4, -3::int8 AS i8, 1.50 AS n,
    'NaN'::numeric AS nan, 'text' AS t, 'vc'::varchar AS vc, 'c'::char(3) AS c, 1.5::float8 AS f8,
    'Infinity'::float8 AS inf, DATE '2020-02-03' AS d, TIMESTAMP '2020-02-03 04:05:06' AS ts,
    ARRAY[1, NULL, 3] AS arr, '{"k": [1]}'::jsonb AS jb, '"s"'::jsonb AS js, '{"x":1, "x":2}'::json AS j,
    ROW(1, 'x') AS r, NULL AS nul, '{}'::jsonb AS e, E'q"\\' AS q, '\x00ff'::bytea AS bin) x;
CREATE DOMAIN posint AS int CHECK (value > 0);
SELECT corm.do_tx('SELECT 5::posint AS p');

-- statements see what the one before them did, new tables included
SELECT corm.do_tx('CREATE TEMP TABLE made (a int); INSERT INTO made VALUES (1), (2); SELECT sum(a) FROM made');
SELECT corm.do_tx('DROP TABLE made');

-- acceptance 2: A, B fails, C
TRUNCATE t;
DO $$
DECLARE r corm.tx_result;
BEGIN
    PERFORM corm.do_tx('INSERT INTO t VALUES (1)');
    r := corm.try_tx(corm.tx('nested'), 'INSERT INTO t VALUES (2); SELECT 1/0');
    RAISE NOTICE 'B: % %', r.ok, r.sqlstate;
    PERFORM corm.do_tx(corm.tx('nested'), 'INSERT INTO t VALUES (3)');
END $$;
SELECT ids();
-- nested ok, outer fails: nothing
TRUNCATE t;
SELECT corm.do_tx($$INSERT INTO t VALUES (1);
    SELECT corm.do_tx(corm.tx('nested'), 'INSERT INTO t VALUES (2)');
    SELECT 1/0$$);
SELECT ids();
-- B contains C; C ok, B fails: only the outer's row
DO $$
DECLARE r corm.tx_result;
BEGIN
    r := corm.try_tx($b$INSERT INTO t VALUES (1);
        SELECT corm.try_tx(corm.tx('nested', name => 'B'), $c$INSERT INTO t VALUES (2);
            SELECT corm.do_tx(corm.tx('nested', name => 'C'), 'INSERT INTO t VALUES (3)');
            SELECT 1/0$c$)$b$);
    RAISE NOTICE 'outer: %, B: %', r.ok, r.value -> 0 -> 'try_tx' ->> 'sqlstate';
END $$;
SELECT ids();

-- acceptance 9: transaction commands in the body
CREATE PROCEDURE committing() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
SELECT sqlstate, message, hint FROM corm.try_tx('COMMIT');
SELECT sqlstate, message FROM corm.try_tx('INSERT INTO t VALUES (9); SAVEPOINT s');
SELECT sqlstate, message FROM corm.try_tx('ROLLBACK TO s');
SELECT sqlstate, message FROM corm.try_tx($$PREPARE TRANSACTION 'x'$$);
SELECT sqlstate, message FROM corm.try_tx('BEGIN');
SELECT sqlstate, message FROM corm.try_tx('CALL committing()');
SELECT sqlstate, message FROM corm.try_tx('DO $d$ BEGIN COMMIT; END $d$');
SELECT sqlstate, message FROM corm.try_tx('CALL corm.begin_tx()');
SELECT sqlstate, message FROM corm.try_tx($$CALL corm.run_tx('SELECT 1')$$);
SELECT sqlstate, message FROM corm.try_tx('VACUUM');
SELECT sqlstate, message FROM corm.try_tx('COPY t FROM STDIN');
SELECT sqlstate, message FROM corm.try_tx('COPY t TO STDOUT');
SELECT corm.do_tx('COMMIT');
SELECT ids(), corm.tx_depth(), corm.in_tx();

-- nothing to run
SELECT corm.do_tx(NULL);
SELECT corm.try_tx(NULL::text);
SELECT corm.do_tx(NULL::corm.tx_options, NULL);

-- a bounded cache of bodies gives the same answers
SET corm.tx_body_cache_size = 2;
SELECT corm.do_tx('SELECT 1 AS a'), corm.do_tx('SELECT 2 AS a'), corm.do_tx('SELECT 3 AS a'),
       corm.do_tx('SELECT 1 AS a');
SET corm.tx_body_cache_size = 1;
-- a body that is pushed out of the cache while it runs
SELECT corm.do_tx($$SELECT corm.do_tx('SELECT 1 AS x'); SELECT corm.do_tx('SELECT 2 AS x'); SELECT 3 AS x$$);
SELECT corm.do_tx($$SELECT corm.try_tx(corm.tx('nested'), 'SELECT 1/0');
    SELECT corm.try_tx(corm.tx('nested'), 'SELECT nothing'); SELECT 4 AS x$$);
SELECT sqlstate FROM corm.try_tx($$SELECT corm.do_tx('SELECT 5'); SELECT corm.do_tx('SELECT 1/0')$$);
RESET corm.tx_body_cache_size;
SELECT corm.do_tx('SELECT 1 AS long_body /*' || repeat('x', 100000) || '*/');
SELECT sqlstate FROM corm.try_tx('SELECT 1/0 AS long_body /*' || repeat('x', 100000) || '*/');

-- plans follow DDL and the search path
CREATE TABLE follow (a int);
SELECT corm.do_tx('SELECT * FROM follow'), corm.do_tx('INSERT INTO follow VALUES ($1)', '1');
ALTER TABLE follow ADD b text DEFAULT 'new';
SELECT corm.do_tx('SELECT * FROM follow');
ALTER TABLE follow ALTER a TYPE date USING '2020-01-01';
SELECT corm.do_tx('INSERT INTO follow VALUES ($1)', '2020-01-02');
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.follow (a boolean);
SET search_path = elsewhere, public;
SELECT corm.do_tx('INSERT INTO follow VALUES ($1)', 'yes');
SELECT corm.do_tx('SELECT * FROM follow');
RESET search_path;
SELECT corm.do_tx('SELECT * FROM follow ORDER BY a');

-- row security of the current role
CREATE ROLE regress_tx_reader;
CREATE POLICY only_four ON t TO regress_tx_reader USING (id = 4);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON t TO regress_tx_reader;
INSERT INTO t VALUES (4);
SELECT corm.do_tx('SELECT id FROM t ORDER BY id');
SET ROLE regress_tx_reader;
SELECT corm.do_tx('SELECT id FROM t ORDER BY id');
SELECT sqlstate, message FROM corm.try_tx('DELETE FROM t');
RESET ROLE;

DROP TABLE t, follow, elsewhere.follow;
DROP SCHEMA elsewhere;
DROP ROLE regress_tx_reader;
DROP FUNCTION ids;
DROP PROCEDURE committing;
DROP DOMAIN posint;
