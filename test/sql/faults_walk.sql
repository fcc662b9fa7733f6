-- What a second walk along all numbers found: the cost of other roles' foreign keys (G2), databases without the extension (G6),
-- a hint that did not help (G6), the remaining mistakes in filters (G3e), and the extension dropped with all that it stores.
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE corm_walk_owner;
CREATE ROLE corm_walk_mallory;
CREATE SCHEMA walk;
GRANT USAGE, CREATE ON SCHEMA walk TO PUBLIC;
SET search_path = walk;

\echo G2: the keys of a table are read once, however many there are, and names stay
SET ROLE corm_walk_owner;
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users);
GRANT REFERENCES ON users TO PUBLIC;
RESET ROLE;
SET ROLE corm_walk_mallory;
DO $$
BEGIN
    EXECUTE (SELECT format('CREATE TABLE walk.big (%s, a_id int REFERENCES users, "aId" int REFERENCES users, PRIMARY KEY (c1_id, c2_id))',
        string_agg(format('c%s_id int REFERENCES users', i), ', ')) FROM generate_series(1, 200) i);
END $$;
RESET ROLE;
BEGIN;
-- one scan of an index for each key, not several
SELECT idx_scan AS before FROM pg_stat_xact_sys_tables WHERE relname = 'pg_constraint' \gset
SELECT count(*) FROM jsonb_array_elements(corm.describe('users') -> 'relations');
SELECT idx_scan - :before < 500 AS few_scans FROM pg_stat_xact_sys_tables WHERE relname = 'pg_constraint';
COMMIT;
SELECT name, kind, target FROM corm.relations
WHERE model = 'users'::regclass AND (target = 'orders'::regclass OR name ~ '^big_by_(c1|c200|a)(_2)?$' OR kind = 'many_to_many')
ORDER BY name COLLATE "C";

\echo G6: a function of middleware that was dropped is not had back by its name
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS 'BEGIN RETURN corm.next(qc); END';
SELECT corm.use('mw(corm.query_context)', 't') AS id \gset
DROP FUNCTION mw;
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS 'BEGIN RETURN corm.next(qc); END';
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM corm.count(corm.selector('t'));
EXCEPTION WHEN undefined_function THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE WARNING '%', regexp_replace(hint, '\d+', 'N');
END $$;
SELECT corm.unuse(:id);
SELECT corm.count(corm.selector('t'));

\echo G13: among many stored queries a DROP finds the one that needs what goes
CREATE TABLE other (id int PRIMARY KEY);
CREATE TABLE free (id int PRIMARY KEY);
SELECT count(corm.define_scope('t', 's' || i, corm.where(corm.eq('id', i), corm.in('id', 1, 2)))) FROM generate_series(1, 100) i;
SELECT corm.define_scope('t', 'needs', corm.where(corm.in('id', corm.pipe(corm.selector('other'), corm.select('id')))));
DROP TABLE free;
DROP TABLE other;
DROP TABLE other CASCADE;
SELECT count(*), count(*) FILTER (WHERE name = 'needs') AS needs FROM corm.scopes WHERE model = 't'::regclass;

\echo G3e: mistakes of a client in filters
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE item (id int PRIMARY KEY, n text, p positive, j json, x xml, pt point, a int[], r int4range, ts tsvector);
CREATE FUNCTION mistake(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.get_multi_json(corm.selector('item'), corm.filter(filter));
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT f AS filter, mistake(f::jsonb)
FROM unnest(ARRAY[
    '{"where": {"id": {"like": "a"}}}', '{"where": {"n": {"has_key": "a"}}}', '{"where": {"n": {"matches": "thin laptop"}}}',
    '{"where": {"ts": {"matches": "thin laptop"}}}', '{"where": {"n": {"regex": "("}}}', '{"where": {"id": {"between": [1]}}}',
    '{"where": {"id": {"between": {}}}}', '{"where": {"id": {"in": {"a": 1}}}}', '{"where": {"id": {}}}', '{"where": {"id": [1]}}',
    '{"where": {"p": -1}}', '{"where": {"p": {"in": [-1, 2]}}}', '{"where": {"p": "x"}}', '{"where": {"j": "{}"}}',
    '{"where": {"j": {"contains": {}}}}', '{"where": {"x": "a"}}', '{"where": {"pt": "(1,2)"}}', '{"where": {"pt": {"in": ["(1,2)"]}}}',
    '{"where": {"a": {"contains": "{"}}}', '{"where": {"a": {"contains": [[1], 2]}}}', '{"where": {"r": {"overlaps": "x"}}}',
    '{"where": {"a": {"gt": 1}}}', '{"where": {"n": {"gt": {"a": 1}}}}', '{"where": {"id": 99999999999}}', '{"where": {"id": 1.5}}',
    '{"where": {"id": true}}', '{"where": []}', '{"where": "id"}', '{"where": {"and": {}}}', '{"where": {"not": []}}',
    '{"where": {"items": {"some": {}}}}', '{"order_by": ["pt"]}', '{"order_by": ["j"]}', '{"order_by": [1]}', '{"order_by": ["-"]}',
    '{"order_by": ["id", "id"]}', '{"select": ["id", "id"]}', '{"select": []}', '{"select": ["*"]}', '{"select": [["id"]]}',
    '{"limit": -1}', '{"limit": "x"}', '{"limit": 1.5}', '{"offset": -1}', '{"offset": 99999999999999999999}', '{"after": 1}',
    '{"after": "x", "before": "y"}', '{"preload": ["x"]}', '{"preload": {"x": true}}', '{"preload": {"x": 1}}', '{"x": 1}', '[]', 'null', '1']) f;

\echo A database without the extension
CREATE DATABASE corm_walk TEMPLATE template0;
\set regression :DBNAME
\c corm_walk
SET client_min_messages = warning;
GRANT CREATE ON SCHEMA public TO corm_walk_owner, corm_walk_mallory;
SET ROLE corm_walk_owner;
CREATE TABLE t (id int);
RESET ROLE;
SET ROLE corm_walk_mallory;
CREATE FUNCTION before_update(x t) RETURNS t LANGUAGE sql AS 'SELECT x';
RESET ROLE;
\echo G6: nothing is a hook there
REASSIGN OWNED BY corm_walk_mallory TO corm_walk_owner;
DROP OWNED BY corm_walk_owner, corm_walk_mallory;

\echo The extension with all that it stores, dropped and created anew
CREATE EXTENSION corm;
CREATE EXTENSION corm;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE a (id int PRIMARY KEY, m mood);
CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);
CREATE TEMP TABLE c (id int PRIMARY KEY, q corm.query);
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS 'BEGIN RETURN corm.next(qc); END';
SELECT corm.register('a', '{"naming": "camel"}'), corm.register('c', '{"naming": "camel"}');
SELECT corm.define_scope('a', 'good', corm.where(corm.eq('m', 'good'::mood)));
SELECT corm.relate('a', 'bs', 'has_many', 'b', '{id}', '{a_id}', condition => corm.gt('id', 0));
SELECT corm.use('mw(corm.query_context)', 'a');
SELECT corm.cache_create('named');
SELECT corm.cache_set('k', 'v', cache => 'named');
SELECT corm.get_multi_json(corm.selector('a'), corm.scope('good'), corm.preload('bs'));
\set VERBOSITY terse
DROP EXTENSION corm;
\set VERBOSITY default
BEGIN;
DROP EXTENSION corm CASCADE;
ROLLBACK;
SELECT corm.get_multi_json(corm.selector('a'), corm.scope('good'), corm.preload('bs')), corm.cache_get('k', cache => 'named');
DROP EXTENSION corm CASCADE;
DROP TABLE c;
CREATE EXTENSION corm;
SELECT (SELECT count(*) FROM corm.scopes) AS scopes, (SELECT count(*) FROM corm.middleware) AS middleware,
    (SELECT count(*) FROM corm.relations WHERE name = 'bs') AS declared, (SELECT count(*) FROM corm.models WHERE registered) AS registered;
SELECT corm.get_multi_json(corm.selector('a'), corm.preload('b'));
SELECT corm.cache_get('k', cache => 'named');
\echo A dropped schema that has a model and a type of its scope takes both along
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('good', 'bad');
CREATE TABLE s.a (id int PRIMARY KEY, m text);
SELECT corm.define_scope('s.a', 'good', corm.where(corm.eq('m', corm.cast(corm.val('good'::s.mood), 'text'))));
SELECT corm.define_scope('a', 'good', corm.where(corm.eq(corm.cast('m', 'text'), corm.cast(corm.val('good'::s.mood), 'text'))));
\set VERBOSITY terse
DROP SCHEMA s;
\set VERBOSITY default
DROP SCHEMA s CASCADE;
SELECT model, name FROM corm.scopes;

\c :regression
SET client_min_messages = warning;
DROP DATABASE corm_walk;
DROP SCHEMA walk CASCADE;
DROP ROLE corm_walk_owner, corm_walk_mallory;
