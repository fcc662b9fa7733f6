-- Where scopes meet the rest of PostgreSQL: acceptance 14, and errors at every depth and mode (hardening 23).
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION ids() RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '-') FROM public.t $$;

-- functions, procedures, triggers
CREATE FUNCTION in_function(i int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.do_tx('INSERT INTO t VALUES ($1) RETURNING (SELECT depth FROM corm.current_tx())', i);
END $$;
CREATE FUNCTION in_sql_function(i int) RETURNS jsonb LANGUAGE sql AS $$ SELECT corm.do_tx('INSERT INTO t VALUES ($1) RETURNING id', i) $$;
CREATE PROCEDURE in_procedure(i int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.do_tx('INSERT INTO t VALUES ($1)', i);
    COMMIT;
    PERFORM corm.do_tx('INSERT INTO t VALUES ($1)', i + 1);
    ROLLBACK;
    PERFORM corm.do_tx('INSERT INTO t VALUES ($1)', i + 2);
END $$;
SELECT in_function(1);
SELECT in_sql_function(2);
CALL in_procedure(3);
SELECT corm.do_tx('SELECT in_function(6), in_sql_function(7)');
SELECT ids();
CREATE TABLE log (id int, depth int);
CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.do_tx('INSERT INTO log SELECT $1, corm.tx_depth()', NEW.id);
    IF NEW.id % 2 = 1 THEN
        PERFORM corm.try_tx(corm.tx('nested'), 'INSERT INTO log SELECT $1, 1/0', NEW.id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER on_insert BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION on_insert();
INSERT INTO t SELECT generate_series(10, 12);
SELECT corm.do_tx('INSERT INTO t VALUES (13)');
SELECT * FROM log ORDER BY id;
DROP TRIGGER on_insert ON t;
TRUNCATE t;

-- many calls in one statement, some of which fail
SELECT count(*) FILTER (WHERE (r).ok), count(*) FILTER (WHERE (r).sqlstate = '23505')
FROM (SELECT corm.try_tx('INSERT INTO t VALUES ($1)', i % 5) AS r FROM generate_series(1, 20) i OFFSET 0) x;
SELECT ids();
TRUNCATE t;

-- cursors: held open across scopes, over rows that scopes change
BEGIN;
INSERT INTO t SELECT generate_series(1, 5);
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY id;
FETCH 2 FROM c;
SELECT corm.do_tx(corm.tx('nested'), 'DELETE FROM t WHERE id > 3');
SELECT sqlstate FROM corm.try_tx(corm.tx('nested'), 'DELETE FROM t; SELECT 1/0');
FETCH ALL FROM c;
-- one that was opened in a scope lives on, unless the scope rolls back
SELECT corm.do_tx('DECLARE d CURSOR FOR SELECT id FROM t ORDER BY id');
FETCH 1 FROM d;
SELECT sqlstate FROM corm.try_tx(corm.tx('nested'), 'DECLARE e CURSOR FOR SELECT 1; SELECT 1/0');
SELECT name FROM pg_cursors ORDER BY name;
SELECT corm.do_tx(corm.tx('nested'), 'FETCH 1 FROM d');
COMMIT;
CALL corm.begin_tx();
CALL corm.begin_tx();
DECLARE held CURSOR WITH HOLD FOR SELECT corm.do_tx('SELECT $1 AS i', i) FROM generate_series(1, 3) i;
FETCH 1 FROM held;
CALL corm.commit_tx();
CALL corm.commit_tx();
FETCH ALL FROM held;
CLOSE held;
-- in a loop over a cursor of PL/pgSQL
DO $$
DECLARE r record; n int := 0;
BEGIN
    FOR r IN SELECT id FROM t ORDER BY id LOOP
        PERFORM corm.try_tx(corm.tx('nested'), 'UPDATE t SET id = id + 100 WHERE id = $1; SELECT 1/($1 - 2)', r.id);
        n := n + 1;
    END LOOP;
    RAISE NOTICE '% rows', n;
END $$;
SELECT ids();
TRUNCATE t;

-- PREPARE TRANSACTION with scopes open ends them, as COMMIT does; a server that allows none does that instead
SELECT current_setting('max_prepared_transactions')::int > 0 AS two_phase \gset
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.begin_tx();
INSERT INTO t VALUES (2);
\if :two_phase
PREPARE TRANSACTION 'corm_prepared';
\else
COMMIT;
\endif
SELECT corm.tx_depth(), corm.in_tx();
\if :two_phase
COMMIT PREPARED 'corm_prepared';
\endif
SELECT ids();
CALL corm.begin_tx();
DO $$ BEGIN PERFORM corm.do_tx('SELECT 1/0'); EXCEPTION WHEN OTHERS THEN NULL; END $$;
PREPARE TRANSACTION 'corm_prepared';
\echo :LAST_ERROR_SQLSTATE
SELECT corm.tx_depth(), corm.in_tx(), (SELECT count(*) FROM pg_prepared_xacts) AS prepared;
TRUNCATE t;

-- parallel query around and inside
CREATE TABLE big AS SELECT g AS id FROM generate_series(1, 10000) g;
ANALYZE big;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT corm.do_tx('SELECT count(*) FROM big');
SELECT corm.do_tx('EXPLAIN (COSTS OFF) SELECT count(*) FROM big')::text ~ 'Gather' AS parallel_inside;
SELECT corm.do_tx('INSERT INTO t SELECT count(*) FROM big RETURNING id');
SELECT count(corm.do_tx('SELECT $1 AS id', id)) FROM big WHERE id % 1000 = 0;
SELECT sum(id), bool_or(corm.in_tx()), max(corm.tx_depth()) FROM big;
CALL corm.begin_tx();
SELECT sum(id), bool_and(corm.in_tx()), min(corm.tx_depth()) FROM big;
CALL corm.commit_tx();
-- a function that lies about being parallel safe: the server stops it, or (from 17 on) can run it
CREATE FUNCTION liar(i int) RETURNS jsonb LANGUAGE plpgsql PARALLEL SAFE COST 100000
AS $$ BEGIN RETURN corm.do_tx('SELECT $1 AS i', i); END $$;
DO $$
DECLARE n bigint;
BEGIN
    SELECT count(liar(id)) INTO n FROM big;
    RAISE NOTICE 'right: %', n = 10000;
EXCEPTION WHEN invalid_transaction_state THEN
    RAISE NOTICE 'right: %', SQLERRM ~ 'during a parallel operation';
END $$;
SELECT corm.do_tx('SELECT 1 AS fine');
DROP TABLE big;
TRUNCATE t;

-- errors at every depth and mode restore nest level, role and settings
CREATE ROLE regress_tx_other;
CREATE FUNCTION deep(levels int, mode text, how text) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE opts corm.tx_options := corm.tx(mode); body text;
BEGIN
    IF levels = 0 THEN
        EXECUTE 'SET LOCAL ROLE regress_tx_other';
        SET LOCAL work_mem = '77MB';
        PERFORM 1/0;
    END IF;
    body := format('SET LOCAL work_mem = %L; SELECT deep(%s, %L, %L)', levels || 'MB', levels - 1, mode, how);
    IF how = 'try' THEN
        RETURN (corm.try_tx(opts, body)).sqlstate;
    ELSE
        RETURN corm.do_tx(opts, body)::text;
    END IF;
END $$;
SET work_mem = '5MB';
DO $$
DECLARE
    mode text; how text; levels int; state text; depth int := corm.tx_depth();
    before int := (corm.tx_stats()).open_subtransactions;
BEGIN
    FOREACH mode IN ARRAY '{required,nested,supports}'::text[] LOOP
        FOREACH how IN ARRAY '{do,try}'::text[] LOOP
            FOR levels IN 1..6 LOOP
                BEGIN
                    state := deep(levels, mode, how);
                EXCEPTION WHEN OTHERS THEN
                    state := SQLSTATE;
                END;
                IF how = 'do' AND state <> '22012'
                   OR corm.tx_depth() <> depth
                   OR (corm.tx_stats()).open_subtransactions <> before
                   OR current_user <> session_user
                   OR how = 'do' AND current_setting('work_mem') <> '5MB'
                   OR current_setting('work_mem') = '77MB' THEN
                    RAISE '% % %: state %, depth %, subtransactions %, user %, work_mem %', mode, how, levels, state,
                        corm.tx_depth(), (corm.tx_stats()).open_subtransactions, current_user, current_setting('work_mem');
                END IF;
                SET LOCAL work_mem = '5MB';
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
SELECT corm.tx_depth(), current_user = session_user AS same_user, current_setting('work_mem');
-- what a body that succeeds sets stays set, as in a plain transaction
SELECT corm.do_tx($$SET work_mem = '6MB'$$);
SHOW work_mem;
RESET work_mem;
-- recursion without end is an error, not a crash
CREATE FUNCTION endless() RETURNS jsonb LANGUAGE sql AS $$ SELECT corm.do_tx(corm.tx('nested'), 'SELECT endless()') $$;
SET corm.subtransaction_warning = 0;
SELECT sqlstate FROM corm.try_tx('SELECT endless()');
RESET corm.subtransaction_warning;
SELECT corm.tx_depth(), (corm.tx_stats()).open_subtransactions, (corm.tx_stats()).max_depth > 50 AS deep;

-- a warning at 64 open subtransactions, once per transaction, and a counter
CREATE FUNCTION nest(levels int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF levels > 0 THEN
        PERFORM corm.do_tx(corm.tx('nested'), 'SELECT nest($1)', levels - 1);
    END IF;
    RETURN levels;
END $$;
SELECT nest(63);
SELECT nest(66), nest(66);
SET corm.subtransaction_warning = 3;
SELECT nest(2);
SELECT nest(3);
BEGIN;
CALL corm.begin_tx();
CALL corm.begin_tx();
CALL corm.begin_tx();
ROLLBACK;
RESET corm.subtransaction_warning;
SELECT subtransaction_warnings FROM corm.tx_stats();

DROP ROLE regress_tx_other;
DROP TABLE t, log;
DROP FUNCTION ids, in_function, in_sql_function, on_insert, deep, liar, endless, nest;
DROP PROCEDURE in_procedure;
