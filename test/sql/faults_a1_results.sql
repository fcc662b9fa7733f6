-- hardening 42
-- Fault A1: what holds the rows of a result outlives the subtransaction in which they were put aside, their temporary file
-- included. No warning of a leaked file, no row too few, no page of another table overwritten.
\pset format unaligned
CREATE SCHEMA a1;
SET search_path = a1, corm_ops;
CREATE TABLE big (id int PRIMARY KEY, filler text);
INSERT INTO big SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, 30000) i;
CREATE TABLE payroll (id int, salary int);
INSERT INTO payroll SELECT i, i FROM generate_series(1, 20000) i;
-- as it is on disk, every bit of it set
VACUUM (FREEZE) payroll;
CHECKPOINT;
CREATE FUNCTION on_disk() RETURNS text LANGUAGE sql AS $$
    SELECT md5(pg_read_binary_file(pg_relation_filepath('a1.payroll')))
$$;
SELECT on_disk() AS before \gset

CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result; n bigint;
BEGIN
    BEGIN r := corm.next(qc); EXCEPTION WHEN deadlock_detected THEN r := corm.next(qc); END;
    SELECT count(*) INTO n FROM a1.payroll;
    RETURN r;
END $$;
SELECT corm.use('mw(corm.query_context)', 'big') AS mw \gset

-- A1: as it was found
SET work_mem = '4MB';
SELECT count(*), sum(id) FROM corm.get_multi(NULL::big);
SET work_mem = '64kB';
SELECT count(*), sum(id) FROM corm.get_multi(NULL::big);
SELECT on_disk() = :'before' AS untouched;

-- what follows is about the same with fewer rows
DELETE FROM big WHERE id > 1000;
VACUUM FULL big;

-- A1: layers in blocks of their own, one within the other, and what they do: catch errors before and after, keep several
-- results, read them as JSON, and give back one that came about in another block
CREATE FUNCTION fails_first(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            r := corm.next(qc);
            IF i < 3 THEN RAISE lock_not_available; END IF;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM count(*) FROM a1.payroll;
        END;
    END LOOP;
    RETURN r;
END $$;
CREATE FUNCTION reads_twice(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE a corm.query_result; b corm.query_result;
BEGIN
    BEGIN
        a := corm.next(qc);
        BEGIN b := corm.next(qc); EXCEPTION WHEN division_by_zero THEN NULL; END;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    IF (SELECT count(*) FROM corm.result_rows(a)) <> (SELECT count(*) FROM corm.result_rows(b)) THEN
        RAISE 'rows are missing';
    END IF;
    RETURN b;
END $$;
CREATE FUNCTION every_verb() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s rows, %s values, %s as JSON, %s as text, %s on a page, %s raw, %s counted, %s executed, %s cached',
        (SELECT count(*) FROM corm.get_multi(NULL::a1.big)),
        (SELECT count(*) FROM corm.pluck(NULL::text, corm.selector('a1.big'), corm.select('filler'))),
        jsonb_array_length(corm.get_multi_json(corm.selector('a1.big'))),
        json_array_length(corm.get_multi_json_text(corm.selector('a1.big'))),
        jsonb_array_length(corm.page_json(corm.selector('a1.big'), corm.order_by('id'), corm.limit(900)) -> 'rows'),
        (SELECT count(*) FROM corm.get_multi(NULL::a1.big, corm.raw_query('SELECT * FROM a1.big'))),
        corm.count(corm.selector('a1.big')),
        corm.exec(corm.updater('a1.big'), corm.set('filler', corm.c('filler')), corm.where(corm.lte('id', 500))),
        (SELECT count(*) FROM corm.get_multi(NULL::a1.big, corm.cached('1 minute'::interval))))
$$;
CREATE PROCEDURE in_block() LANGUAGE plpgsql AS $$
BEGIN
    BEGIN RAISE NOTICE 'in a block: %', a1.every_verb(); EXCEPTION WHEN division_by_zero THEN NULL; END;
END $$;
CREATE PROCEDURE all_ways(layers text) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL client_min_messages = notice;
    FOREACH layers IN ARRAY string_to_array(layers, ' ') LOOP
        PERFORM corm.use((layers || '(corm.query_context)')::regprocedure, 'a1.big');
    END LOOP;
    RAISE NOTICE '%', a1.every_verb();
    CALL a1.in_block();
    RAISE NOTICE 'in a scope: %', corm.do_tx('SELECT a1.every_verb() AS r') -> 0 ->> 'r';
    RAISE NOTICE 'as data: %', (corm.try_tx('SELECT a1.every_verb() AS r')).value -> 0 ->> 'r';
    PERFORM corm.unuse(id) FROM corm.middleware;
END $$;
SELECT corm.unuse(:mw);
CALL all_ways('mw');
SELECT corm.use('reads_twice(corm.query_context)', 'big', '{SELECT,RAW}') > 0 AS reads_twice;
CALL all_ways('mw');
SELECT corm.use('fails_first(corm.query_context)', 'big') > 0 AS fails_first, corm.use('reads_twice(corm.query_context)', 'big', '{SELECT,RAW}') > 0 AS reads_twice;
CALL all_ways('mw');
CALL all_ways('fails_first mw');
SELECT on_disk() = :'before' AS untouched;

-- A1: in savepoints
SELECT corm.use('fails_first(corm.query_context)', 'big') > 0 AS fails_first;
BEGIN;
SAVEPOINT a;
DECLARE c CURSOR FOR SELECT id FROM corm.get_multi(NULL::big, corm.order_by('id'));
FETCH 1 FROM c;
SAVEPOINT b;
SELECT count(*) FROM corm.get_multi(NULL::big);
ROLLBACK TO b;
SELECT count(*) FROM payroll;
MOVE 900 FROM c;
FETCH 1 FROM c;
RELEASE a;
FETCH 1 FROM c;
COMMIT;
CALL corm.begin_tx();
CALL corm.begin_tx();
SELECT count(*) FROM corm.get_multi(NULL::big);
CALL corm.rollback_tx();
SELECT count(*) FROM corm.get_multi(NULL::big);
CALL corm.commit_tx();

-- A1: an error in the middle of writing the file, caught: what was put aside is released, and the next attempt works
SELECT corm.unuse(id) FROM corm.middleware;
CREATE FUNCTION runs_out(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
    FOR i IN 1..20 LOOP
        BEGIN
            PERFORM set_config('temp_file_limit', '100kB', true);
            r := corm.next(qc);
        EXCEPTION WHEN configuration_limit_exceeded THEN
            NULL;
        END;
    END LOOP;
    RAISE NOTICE 'limit %, kept %', current_setting('temp_file_limit'), r IS NOT NULL;
    -- all that the attempts had written is gone: there is room for the rows as they are put aside and as they are returned
    PERFORM set_config('temp_file_limit', '800kB', true);
    RETURN corm.next(qc);
END $$;
SELECT corm.use('runs_out(corm.query_context)', 'big') > 0 AS runs_out;
SELECT count(*) FROM corm.get_multi(NULL::big);
SELECT count(*) FROM payroll;
SELECT corm.unuse(id) FROM corm.middleware;

-- A1: a result that came about in a block that was rolled back is void, and one that is given back so is an error
CREATE FUNCTION gives_void(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
    BEGIN r := corm.next(qc); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
    RETURN r;
END $$;
SELECT corm.use('gives_void(corm.query_context)', 'big') > 0 AS gives_void;
SELECT count(*) FROM corm.get_multi(NULL::big);
SELECT corm.unuse(id) FROM corm.middleware;
-- results outside of all chains live as long as the transaction that made them
BEGIN;
CREATE TEMP TABLE kept (r corm.query_result);
INSERT INTO kept SELECT corm.result_of('[1, 2]');
SAVEPOINT a;
INSERT INTO kept SELECT corm.result_of('[3]');
RELEASE a;
SELECT x FROM kept, corm.result_rows(r) x;
SAVEPOINT a;
SELECT corm.result_of('[4]') AS r \gset
SELECT corm.result_rows(:'r');
ROLLBACK TO a;
SELECT x FROM kept, corm.result_rows(r) x;
SELECT corm.result_rows(:'r');
ROLLBACK;
-- and take no memory when they are gone
DO $$ BEGIN FOR i IN 1..2000 LOOP BEGIN PERFORM corm.result_of(to_jsonb(array_fill(1, ARRAY[1000]))); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$;
SELECT sum(total_bytes) < 20000000 AS bounded, count(*) FILTER (WHERE name = 'corm result') FROM pg_backend_memory_contexts;
SELECT on_disk() = :'before' AS untouched;
SET client_min_messages = warning;
DROP SCHEMA a1 CASCADE;
