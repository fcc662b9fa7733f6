-- hardening 51
--
-- F1: queries and expressions whose types, relations and functions have changed or are gone.
--
CREATE SCHEMA f1;
SET search_path = f1, public;
CREATE TYPE mood AS ENUM ('live', 'dead');
CREATE TYPE pair AS (a int, b int);
CREATE TYPE holds AS (p pair, t text);
CREATE DOMAIN small AS int CHECK (VALUE < 10);
CREATE DOMAIN pairs AS pair[];
CREATE TYPE pair_range AS RANGE (subtype = pair);
CREATE TABLE other (id int PRIMARY KEY, s text);
CREATE TABLE users (id int PRIMARY KEY, s text, other_id int);
INSERT INTO users VALUES (1, 'live', 1), (2, 'dead', 1);
CREATE TABLE kept (n int PRIMARY KEY, e corm.expr, q corm.query);
CREATE FUNCTION nothing(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
INSERT INTO kept (n, e) VALUES
    (1, corm.eq('s', 'live'::mood)),
    (2, corm.eq('s', NULL::mood)),
    (3, corm.in('s', ARRAY['live', 'dead']::mood[])),
    (4, corm.cast('s', 'mood')),
    (5, corm.eq('id', 5::small)),
    (6, corm.eq('id', corm.val(row(1, 2)::pair))),
    (7, corm.eq('id', ARRAY[row(1, 2)]::pair[])),
    (8, corm.eq('id', row(row(1, 2), 'x')::holds)),
    (9, corm.eq('id', ARRAY[row(1, 2)]::pairs)),
    (10, corm.eq('id', pair_range(row(1, 2)::pair, row(3, 4)::pair))),
    (11, corm.eq('id', pair_multirange(pair_range(row(1, 2)::pair, row(3, 4)::pair)))),
    (12, corm.eq(corm.fn('f1.nothing', 1), 1)),
    (13, corm.eq('id', row(1, 'x')::other)),
    (14, corm.cast('s', 'other')),
    (15, corm.some(corm.selector('other'), corm.where(corm.eq('id', 1)))),
    (16, corm.val('live'::mood)),
    (17, corm.and(corm.eq('s', 'live'::mood), corm.eq('id', 1)));
INSERT INTO kept (n, q) VALUES
    (21, '[{"selector": ["other"]}, {"where": [{"eq": ["id", 1]}]}]'),
    (22, corm.join('other', corm.eq('id', 1))),
    (23, corm.set('s', 'live'::mood)),
    (24, corm.raw_query('SELECT $1::text, f1.nothing($2)', 'live'::mood, 5::small)),
    (25, corm.limit(5::small)),
    (26, '[{"inserter": "users"}, {"set": ["id", {"val": "5", "type": "small"}]}]'),
    (27, corm.raw_query('SELECT ($1).t AS t', row(row(1, 2), 'x')::holds));
\echo F1: a change that leaves a value readable changes nothing, what is added to a row is NULL in it
ALTER TYPE mood RENAME VALUE 'live' TO 'alive';
ALTER TYPE mood RENAME TO spirit;
ALTER TYPE pair ADD ATTRIBUTE c text;
SELECT n, coalesce(e::text, q::text) FROM kept WHERE n IN (1, 3, 6, 7, 8, 9, 10, 11) ORDER BY n;
ALTER TYPE pair DROP ATTRIBUTE c;
ALTER TYPE spirit RENAME TO mood;
ALTER TYPE mood RENAME VALUE 'alive' TO 'live';

\echo F1: an altered attribute: the bytes are not read
ALTER TYPE pair DROP ATTRIBUTE b;
SELECT n, e FROM kept WHERE n BETWEEN 6 AND 11 ORDER BY n;
DROP TYPE pair_range;
ALTER TYPE pair ADD ATTRIBUTE b int;
ALTER TYPE pair ALTER ATTRIBUTE a TYPE text;
SELECT n, e FROM kept WHERE n BETWEEN 6 AND 11 ORDER BY n;
SELECT n, e::jsonb FROM kept WHERE n BETWEEN 6 AND 8 ORDER BY n;
SELECT n, convert_from(corm.expr_send(e), 'UTF8') FROM kept WHERE n = 6;
ALTER TABLE other ALTER s TYPE bytea USING NULL;
SELECT n, e FROM kept WHERE n = 13;
\echo F1: using it is an error
SELECT corm.get_multi_json(q) FROM kept WHERE n = 27;
SELECT corm.count(corm.selector('users'), corm.where(e::text::corm.expr)) FROM kept WHERE n = 6;

\echo F1: dropped types, relations and functions
DROP TYPE mood;
DROP DOMAIN small;
DROP DOMAIN pairs;
DROP FUNCTION nothing;
DROP TABLE other;
SELECT n, e FROM kept WHERE q IS NULL ORDER BY n;
SELECT n, q FROM kept WHERE e IS NULL ORDER BY n;
SELECT count(e::jsonb), count(q::jsonb) FROM kept;
SELECT sum(length(corm.expr_send(e))) > 0, sum(length(corm.query_send(q))) > 0 FROM kept;

\echo F1: what was written is read, and written as it was
SELECT n FROM kept WHERE e::text::corm.expr::text <> e::text OR q::text::corm.query::text <> q::text OR e::jsonb::corm.expr::jsonb <> e::jsonb;
CREATE TABLE restored (n int, e corm.expr, q corm.query);
INSERT INTO restored SELECT n, e::text::corm.expr, q::text::corm.query FROM kept;

\echo F1: use of what is gone is an error of its own, as bytes and as read again
CREATE FUNCTION f1.use(e corm.expr, q corm.query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; s text;
BEGIN
    IF e IS NOT NULL THEN
        PERFORM corm.count(corm.selector('users'), corm.where(corm.eq(corm.as(e, 'x'), 1)));
    ELSIF q::text ~ 'raw_query|selector' THEN
        PERFORM corm.get_multi_json(q);
    ELSIF q::text ~ 'inserter' THEN
        PERFORM corm.exec(q);
    ELSIF q::text ~ 'set' THEN
        PERFORM corm.exec(corm.updater('users'), corm.all_rows(), q);
    ELSE
        PERFORM corm.get_multi_json(corm.selector('users'), q);
    END IF;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, s = RETURNED_SQLSTATE;
    RETURN s || ' ' || regexp_replace(m, 'OID \d+', 'OID ...');
END $$;
SELECT n, f1.use(k.e, k.q) AS bytes, f1.use(r.e, r.q) AS read_again FROM kept k JOIN restored r USING (n) ORDER BY n;
SELECT n FROM kept WHERE n <> 25 AND f1.use(e, q) ~ '^(XX|none)';

\echo F1: defaults, views, function defaults
CREATE TYPE mood AS ENUM ('live', 'dead');
DO $$ BEGIN EXECUTE format('CREATE TABLE defaults (q corm.query DEFAULT %L::corm.query)', corm.where(corm.eq('s', 'live'::mood))); END $$;
DO $$ BEGIN EXECUTE format('CREATE VIEW shown AS SELECT %L::corm.expr AS e', corm.eq('s', 'live'::mood)); END $$;
DO $$ BEGIN EXECUTE format('CREATE FUNCTION with_default(e corm.expr DEFAULT %L) RETURNS corm.expr LANGUAGE sql AS ''SELECT e''', corm.eq('s', 'live'::mood)); END $$;
DROP TYPE mood;
\d defaults
\d+ shown
SELECT pg_get_function_arguments('with_default'::regproc);
SELECT * FROM shown;
SELECT with_default();
INSERT INTO defaults DEFAULT VALUES;
SELECT * FROM defaults;

\echo F1: the form is only what was written
SELECT '{"broken": "why"}'::corm.expr, '{"eq": ["s", {"broken": "why"}]}'::corm.expr;
SELECT '{"broken": 1}'::corm.expr;
SELECT '{"broken": ["a", "b"]}'::corm.expr;
SELECT '[{"broken": "why"}]'::corm.query;
SELECT '{"broken": ""}'::corm.expr;
SELECT '{"val": "x", "type": "-"}'::corm.expr;
SELECT '{"cast": ["s", "-"]}'::corm.expr, '[{"selector": ["-", null]}]'::corm.query;
SELECT corm.count('[{"selector": ["-", null]}]'::corm.query);
SELECT corm.count('[{"selector": ["users", null]}, {"limit": {"broken": "The limit is gone."}}]'::corm.query);
SELECT corm.filter('{"where": {"s": {"broken": "x"}}}'::jsonb);

SET client_min_messages = warning;
DROP SCHEMA f1 CASCADE;
