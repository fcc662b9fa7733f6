-- hardening 28: DDL between two calls: every verb, over cached expressions and prepared statements, gives the right answer at once.
SET client_min_messages = warning;
CREATE SCHEMA sc;
SET search_path = sc;
CREATE TABLE t (id int PRIMARY KEY, a text, n int);
INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20);

-- Every verb, called from a function whose expressions are planned and cached; its variables are declared anew in each call.
CREATE FUNCTION verbs() RETURNS TABLE (verb text, answer text) LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    RETURN QUERY SELECT 'get', corm.get(NULL::t, corm.where(corm.eq('id', 1)))::text;
    RETURN QUERY SELECT 'one', corm.one(NULL::t, corm.where(corm.eq('id', 1)))::text;
    RETURN QUERY SELECT 'first', corm.first(NULL::t)::text;
    RETURN QUERY SELECT 'get_multi', m::text FROM corm.get_multi(NULL::t, corm.where(corm.eq('id', 2))) m;
    RETURN QUERY SELECT 'get_json', corm.get_json(corm.selector('t'), corm.where(corm.eq('id', 1)))::text;
    RETURN QUERY SELECT 'get_multi_json', corm.get_multi_json(corm.selector('t'), corm.where(corm.eq('id', 2)))::text;
    RETURN QUERY SELECT 'value', corm.value(NULL::text, corm.selector('t'), corm.select('id'), corm.where(corm.eq('id', '1')));
    RETURN QUERY SELECT 'pluck', p FROM corm.pluck(NULL::text, corm.selector('t'), corm.select('id'), corm.order_by('id')) p;
    RETURN QUERY SELECT 'count', corm.count(corm.selector('t'))::text;
    RETURN QUERY SELECT 'exists', corm.exists(corm.selector('t'), corm.where(corm.eq('id', 2)))::text;
    RETURN QUERY SELECT 'exec', corm.exec(corm.updater('t'), corm.set('id', corm.c('id')), corm.all_rows())::text;
    RETURN QUERY SELECT 'returning', corm.get_multi_json(corm.updater('t'), corm.set('id', corm.c('id')), corm.where(corm.eq('id', 1)))::text;
    RETURN QUERY SELECT 'to_sql', corm.to_sql(corm.selector('t'));
    RETURN QUERY SELECT 'insert', corm.insert(jsonb_populate_record(NULL::t, '{"id": 3}'))::text;
    RETURN QUERY SELECT 'update', corm.update(jsonb_populate_record(NULL::t, '{"id": 3}'))::text;
    RETURN QUERY SELECT 'save', corm.save(jsonb_populate_record(NULL::t, '{"id": 3}'))::text;
    RETURN QUERY SELECT 'delete', corm.delete(jsonb_populate_record(NULL::t, '{"id": 3}'))::text;
    RETURN QUERY SELECT 'insert_multi', m::text FROM corm.insert_multi(ARRAY[jsonb_populate_record(NULL::t, '{"id": 4}')]) m;
    RETURN QUERY SELECT 'insert_json', corm.insert_json('t', '{"id": 5}')::text;
    RETURN QUERY SELECT 'deleter', corm.exec(corm.deleter('t'), corm.where(corm.gt('id', 2)))::text;
    FOR r IN SELECT * FROM corm.get_multi(NULL::t, corm.order_by('id')) LOOP
        RETURN QUERY SELECT 'loop', r::text;
    END LOOP;
    SELECT * INTO r FROM corm.get(NULL::t, corm.where(corm.eq('id', 1)));
    RETURN QUERY SELECT 'into', r::text;
END $$;
-- often enough that plans become generic
DO $$ BEGIN FOR i IN 1..8 LOOP PERFORM verbs(); END LOOP; END $$;
\pset format unaligned
\pset tuples_only on
SELECT * FROM verbs();
\echo a column added
ALTER TABLE t ADD b int DEFAULT 7;
SELECT * FROM verbs();
\echo renamed
ALTER TABLE t RENAME a TO c;
SELECT * FROM verbs();
\echo retyped
ALTER TABLE t ALTER b TYPE text USING 'b' || b;
SELECT * FROM verbs();
\echo dropped
ALTER TABLE t DROP n;
SELECT * FROM verbs();
\echo the key retyped
ALTER TABLE t ALTER id TYPE bigint;
SELECT * FROM verbs();
\echo the table renamed and moved
ALTER TABLE t RENAME TO u;
CREATE SCHEMA sc2;
ALTER TABLE u SET SCHEMA sc2;
SELECT corm.get(NULL::sc2.u, corm.where(corm.eq('id', 1)));
SELECT corm.to_sql(corm.selector('sc2.u'));
\echo the schema renamed
ALTER SCHEMA sc2 RENAME TO sc3;
SELECT corm.get(NULL::sc3.u, corm.where(corm.eq('id', 1))), corm.to_sql(corm.selector('sc3.u'));
ALTER TABLE sc3.u SET SCHEMA sc;
ALTER TABLE u RENAME TO t;
SELECT count(*) FROM verbs();
\echo dropped and made again
DROP TABLE t;
CREATE TABLE t (id int PRIMARY KEY, other boolean);
INSERT INTO t VALUES (1, true), (2, false);
SELECT corm.get(NULL::t, corm.where(corm.eq('id', 1))), corm.get_multi_json(corm.selector('t'));
SELECT * FROM corm.get_multi(NULL::t);
SELECT * FROM verbs();
\echo all in one transaction, rolled back
CREATE OR REPLACE FUNCTION one() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.get(NULL::sc.t, corm.where(corm.eq('id', 1)))::text || corm.get_multi_json(corm.selector('sc.t'), corm.where(corm.eq('id', 1)));
END $$;
SELECT one();
BEGIN;
ALTER TABLE t ADD z int;
SELECT one();
SAVEPOINT s;
ALTER TABLE t RENAME other TO renamed;
SELECT one();
ROLLBACK TO s;
SELECT one();
ROLLBACK;
SELECT one();
\echo prepared statements
PREPARE j AS SELECT corm.get_multi_json(corm.selector('t'), corm.where(corm.eq('id', $1)));
PREPARE g AS SELECT corm.get(NULL::t, corm.where(corm.eq('id', $1)))::text;
PREPARE m AS SELECT m::text FROM corm.get_multi(NULL::t, corm.where(corm.eq('id', $1))) m;
PREPARE i AS SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.eq('id', $1)));
EXECUTE j('1'); EXECUTE g('1'); EXECUTE m('1'); EXECUTE i('1');
ALTER TABLE t ADD y text DEFAULT 'y';
EXECUTE j('1'); EXECUTE g('1'); EXECUTE m('1'); EXECUTE i('1');
ALTER TABLE t ALTER other TYPE text;
EXECUTE j('1'); EXECUTE g('1'); EXECUTE m('1'); EXECUTE i('1');
ALTER TABLE t DROP other;
EXECUTE j('1'); EXECUTE g('1'); EXECUTE m('1'); EXECUTE i('1');
ALTER TABLE t ALTER id TYPE text;
EXECUTE j('1'); EXECUTE g('1'); EXECUTE m('1');
DEALLOCATE ALL;
ALTER TABLE t ALTER id TYPE int USING id::int;

-- What PostgreSQL's plans depend on and a model does not: functions, types, views, raw SQL
CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1';
CREATE FUNCTION use_f() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.value(NULL::text, corm.selector('t'), corm.select(corm.fn('sc.f', '5')), corm.limit(1));
END $$;
SELECT use_f();
DROP FUNCTION f(int);
CREATE FUNCTION f(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''text '' || $1';
SELECT use_f();
CREATE TABLE raw_t (k int, v text);
INSERT INTO raw_t VALUES (1, 'x');
CREATE FUNCTION use_raw() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.value(NULL::text, corm.raw_query('SELECT v FROM sc.raw_t WHERE k = $1', '1'))
        || corm.count(corm.selector('t'), corm.where(corm.raw('(SELECT k FROM sc.raw_t LIMIT 1) = $1', '1')));
END $$;
SELECT use_raw();
ALTER TABLE raw_t ALTER k TYPE text;
SELECT use_raw();
DROP TABLE raw_t;
CREATE TABLE raw_t (k bigint, v int);
INSERT INTO raw_t VALUES (1, 42);
SELECT use_raw();
CREATE TYPE mood AS ENUM ('ok');
CREATE TABLE moods (m mood, id int PRIMARY KEY);
INSERT INTO moods VALUES ('ok', 1);
CREATE FUNCTION use_mood() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.count(corm.selector('sc.moods'), corm.where(corm.eq('m', 'ok')));
END $$;
SELECT use_mood();
ALTER TABLE moods ALTER m TYPE text;
DROP TYPE mood;
CREATE TYPE mood AS ENUM ('not', 'ok');
ALTER TABLE moods ALTER m TYPE mood USING m::mood;
SELECT use_mood();
ALTER TYPE mood ADD VALUE 'new';
SELECT corm.count(corm.selector('moods'), corm.where(corm.eq('m', 'new')));
CREATE VIEW vw AS SELECT id FROM t;
SELECT corm.get_multi_json(corm.selector('vw'), corm.order_by('id'));
CREATE OR REPLACE VIEW vw AS SELECT id, 'more' AS more FROM t WHERE id = 2;
SELECT corm.get_multi_json(corm.selector('vw'), corm.order_by('id')), corm.get(NULL::vw);
-- another function by another search_path
CREATE SCHEMA p1; CREATE SCHEMA p2;
CREATE FUNCTION p1.which(int) RETURNS text LANGUAGE sql AS $$ SELECT 'p1 ' || $1 $$;
CREATE FUNCTION p2.which(text) RETURNS text LANGUAGE sql AS $$ SELECT 'p2 ' || $1 $$;
CREATE FUNCTION use_which() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.value(NULL::text, corm.selector('sc.t'), corm.select(corm.fn('which', '1')), corm.limit(1))
        || corm.value(NULL::text, corm.raw_query('SELECT which($1)', '1'));
END $$;
SET search_path = p1; SELECT sc.use_which();
SET search_path = p2; SELECT sc.use_which();
SET search_path = p1; SELECT sc.use_which();
SET search_path = sc;

-- A statement's own rows while the table changes under it
CREATE TABLE s (id int PRIMARY KEY, v text);
INSERT INTO s VALUES (1, 'x');
DO $$
DECLARE
    row s;
BEGIN
    row := corm.get(NULL::s, corm.where(corm.eq('id', 1)));
    EXECUTE 'ALTER TABLE sc.s ADD w int DEFAULT 3';
    RAISE INFO '%', corm.get_json(corm.selector('sc.s'));
    EXECUTE 'ALTER TABLE sc.s ALTER v TYPE bytea USING v::bytea';
    RAISE INFO '%', corm.get_json(corm.selector('sc.s'));
    RAISE INFO '%', corm.exec(corm.updater('sc.s'), corm.set('v', '\x00'), corm.all_rows());
    EXECUTE 'DROP TABLE sc.s';
    BEGIN
        RAISE INFO '%', corm.get_json(corm.selector('sc.s'));
    EXCEPTION WHEN undefined_table THEN
        RAISE INFO 'gone';
    END;
END $$;

SET client_min_messages = error;
RESET search_path;
DROP SCHEMA sc, sc3, p1, p2 CASCADE;
