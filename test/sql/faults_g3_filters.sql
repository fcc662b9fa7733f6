-- hardening 49, 50
-- G3, D7, C12: filters from outside within all bounds neither stop the server, nor tell about rows behind a guard, nor
-- look like the server's own mistakes.
SET client_min_messages = warning;
\set VERBOSITY terse
SET jit = off;
CREATE SCHEMA g3;
CREATE EXTENSION hstore SCHEMA g3;
CREATE EXTENSION cube SCHEMA g3;
SET search_path = g3, corm_ops;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN code AS text CHECK (VALUE ~ '^[a-z]+$');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TYPE pair AS (a int, j json);
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE t (
    id int PRIMARY KEY, parent_id int REFERENCES t, name text, r real, rs real[], n numeric, p positive, c code, m mood, ms mood[],
    h hstore, bx box, cu cube, j json, js json[], jb jsonb, pt point, pts point[], pr pair, rg int4range, mr int4multirange, cl regclass,
    ts tsvector, tq tsquery, d date, b boolean, nd text COLLATE ci, x xml, i8 bigint
);
INSERT INTO t (id, parent_id, name, r, rs, n, p, c, m, h, bx, cu, j, jb, pt, rg, mr, ts, d, b, nd, cl) VALUES
    (1, NULL, 'one', 0.1, '{0.1,0.2}', 0.1, 1, 'a', 'sad', 'k=>v', '(1,1),(0,0)', '(0),(2)', '{}', '{"a": 1}', '(0,0)', '[1,5)', '{[1,3),[7,9)}', 'thin laptop', '2020-01-01', true, 'x', 'pg_class'),
    (2, 1, 'two', 16777216, '{1}', 2, 2, 'b', 'ok', 'k=>w, l=>v', '(5,5),(0,0)', '(0),(9)', '[]', '[1]', '(1,1)', '[5,9)', '{[3,7)}', 'thick book', '2021-01-01', false, 'X', NULL),
    (3, 1, 'three', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE FUNCTION ids(where_ text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text;
BEGIN
    RETURN (SELECT string_agg(i::text, ' ' ORDER BY i) FROM corm.pluck(NULL::int, corm.selector('g3.t'), corm.select('id'), corm.filter('{"where": ' || where_ || '}')) i);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RETURN sqlstate || ' ' || sqlerrm || CASE WHEN d <> '' THEN ': ' || d ELSE '' END;
END $$;
CREATE FUNCTION attempt(spec text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text;
BEGIN
    RETURN left(corm.get_multi_json(corm.selector('g3.t'), corm.select('id'), corm.order_by('id'), corm.filter(spec))::text, 200);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RETURN sqlstate || ' ' || sqlerrm || CASE WHEN d <> '' THEN ': ' || d ELSE '' END;
END $$;

\echo G3a: lists are bounded together, and the combinations of their elements
INSERT INTO t (id) SELECT generate_series(11, 500);
ANALYZE t;
SET enable_seqscan = off;
SET statement_timeout = '5min';    -- what goes wrong here takes longer than any server lives
-- 320 lists of 10: 10^320 combinations in an index scan
SELECT corm.count(corm.selector('t'), corm.filter((SELECT jsonb_build_object('where', jsonb_build_object('and', jsonb_agg(jsonb_build_object('id', jsonb_build_object('in', jsonb_build_array(11, 12, i % 10 + 100, i % 10 + 200, 300, 301, 302, 303, 304, 305)))))) FROM generate_series(1, 320) i))) AS all_of_them;
SELECT corm.count(corm.selector('t'), corm.filter((SELECT jsonb_build_object('where', jsonb_build_object('not', jsonb_build_object('or', jsonb_agg(jsonb_build_object('id', jsonb_build_object('not_in', jsonb_build_array(11, 12, i % 10 + 100, i % 10 + 200, 300, 301, 302, 303, 304, 305)))))) ) FROM generate_series(1, 320) i))) AS negated;
SELECT corm.count(corm.selector('t'), corm.filter((SELECT jsonb_build_object('where', jsonb_build_object('or', jsonb_agg(jsonb_build_object('id', jsonb_build_object('in', jsonb_build_array(i, i + 1)))))) FROM generate_series(11, 110) i))) AS alternatives;
CREATE INDEX t_many ON t (name, n, p, i8);
SELECT corm.count(corm.selector('t'), corm.filter((SELECT jsonb_build_object('where', jsonb_object_agg(f, jsonb_build_object('in', l))) FROM unnest('{n,p,i8}'::text[]) f, (SELECT jsonb_agg(i) AS l FROM generate_series(1, 3000) i) x))) AS columns_of_an_index;
RESET statement_timeout;
RESET statement_timeout;
-- the first lists are looked up, further ones compared; alternatives do not add up
SELECT corm.to_sql(corm.selector('t'), corm.select('id'), corm.filter('{"where": {"and": [{"id": {"in": [1, 2]}}, {"id": {"in": [2, 3]}}]}}')) AS few;
SET corm.filter_max_list = 8;
SELECT corm.to_sql(corm.selector('t'), corm.select('id'), corm.filter('{"where": {"and": [{"id": {"in": [1, 2]}}, {"id": {"in": [1, 2]}}, {"id": {"in": [2, 3, 4]}}]}}')) AS many;
SELECT corm.to_sql(corm.selector('t'), corm.select('id'), corm.filter('{"where": {"or": [{"id": {"in": [1, 2, 3]}}, {"id": {"in": [2, 3, 4]}}]}}')) AS alternatives;
SELECT ids('{"and": [{"id": {"in": [1, 2]}}, {"id": {"in": [1, 2]}}, {"id": {"in": [2, 3, 4]}}]}') AS in, ids('{"not": {"or": [{"id": {"not_in": [1, 2, 3]}}, {"id": {"not_in": [2, 3, 4]}}]}}') AS not_or_not_in,
       ids('{"not": {"and": [{"name": {"in": ["one", "two"]}}, {"name": {"in": ["one", null]}}, {"name": {"in": ["one", "x", "y"]}}]}, "id": {"lt": 10}}') AS nulls;
SELECT ids('{"and": [{"id": {"in": [1, 2, 3]}}, {"name": {"not_in": ["a", "b", "c"]}}, {"id": {"in": [2, 3, 4]}}]}') AS together, ids('{"jb": {"contains": [1, 2, 3, 4, 5, 6, 7, 8, 9]}}') AS contains;
SELECT attempt('{"where": {"id": {"in": [1, 2, 3, 4]}}, "preload": {"t": {"where": {"id": {"in": [1, 2, 3, 4, 5]}}}}}') AS preloads_too;
RESET corm.filter_max_list;
RESET enable_seqscan;
DELETE FROM t WHERE id > 10;

\echo G3b: relations nested to the bound
SET statement_timeout = '5min';
SELECT corm.count(corm.selector('t'), corm.filter(format('{"where": %s{"id": 1}%s}', repeat('{"parent": {"is": ', 30), repeat('}}', 30)))) AS is_30,
       corm.count(corm.selector('t'), corm.filter(format('{"where": %s{"id": 1}%s}', repeat('{"t": {"some": ', 30), repeat('}}', 30)))) AS some_30,
       corm.count(corm.selector('t'), corm.filter(format('{"where": %s{"id": 1}%s}', repeat('{"t": {"every": ', 30), repeat('}}', 30)))) AS every_30;
SELECT corm.get_multi_json(corm.selector('t'), corm.where(corm.eq('id', 2)), corm.filter(format('{"select": ["id"], "preload": %strue%s}', repeat('{"parent": {"select": ["id"], "preload": ', 15) || '{"parent": ', '}' || repeat('}}', 15)))) IS NOT NULL AS preloads;
SELECT corm.count(corm.selector('t'), corm.filter(format('{"where": %s{"id": 1}%s}', repeat('{"t": {"some": ', 32), repeat('}}', 32)))) AS over_the_bound;

\echo G3c: the order of a filter
SELECT attempt(format('{"order_by": [%s]}', (SELECT string_agg('"name"', ', ') FROM generate_series(1, 33))));
SELECT attempt('{"order_by": ["name", "-name", "name"], "limit": 2}');
SELECT attempt(format('{"select": [%s]}', (SELECT string_agg('"name"', ', ') FROM generate_series(1, 1001))));
SELECT attempt('{"select": ["name", "name", "id", "Name"], "limit": 1}'), attempt('{"select": ["parent.name", "parent.name"], "limit": 1}') AS path, attempt('{"select": ["parent.name", "name"], "limit": 1}') AS two;

\echo G3d: whether there is an error does not tell what the rows hold
CREATE FUNCTION blind(where_ text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text;
BEGIN
    RETURN corm.count(corm.selector('g3.t'), corm.guard('g3.t', corm.eq('id', 1)), corm.filter('{"where": ' || where_ || '}'));
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END $$;
SELECT ids('{"name": {"like": "nothing\\"}}') AS like, ids('{"name": {"ilike": "%\\\\\\"}}') AS ilike, ids('{"name": {"not_like": "\\"}}') AS not_like, ids('{"name": {"like": "one\\\\"}}') AS escaped,
       ids('{"name": {"regex": "("}}') AS regex, ids('{"id": 0, "name": {"iregex": "[z-a]"}}') AS iregex;
SELECT blind('{"name": {"ilike": "tw\\"}}') AS of_a_guarded_row, blind('{"name": {"ilike": "zz\\"}}') AS of_none;
-- a type whose operators tell
CREATE FUNCTION tell(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF $1 = 'two' THEN RAISE 'saw %', $1; END IF; RETURN true; END $$;
CREATE FUNCTION guarded(q corm.query) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.count(corm.selector('g3.t'), corm.guard('g3.t', corm.raw('g3.slow(id)')), q);
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END $$;
-- the planner evaluates a cheap condition before an expensive guard
CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql COST 100000 AS 'BEGIN RETURN $1 = 1; END';
ALTER FUNCTION tell(text, text) COST 0.0001;
SELECT guarded(corm.where(corm.eq(corm.fn('g3.tell', corm.c('name'), 'x'), true))) AS by_function,
       guarded(corm.where(corm.eq(corm.c('n') / (corm.c('id') - 2), 1))) AS by_division,
       guarded(corm.where(corm.eq(corm.cast('r', 'int2'), 0))) AS by_cast,
       guarded(corm.where(corm.like('name', E'tw\\'))) AS by_pattern,
       guarded(corm.where(corm.some('parent', corm.eq(corm.fn('g3.tell', corm.c('name'), 'x'), true)))) AS in_a_relation,
       guarded(corm.where(corm.eq(corm.fn('g3.tell', corm.c('parent.name'), 'x'), true))) AS by_path;
SELECT corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.guard('t', corm.raw('g3.slow(id)')), corm.preload('t', corm.select('id'), corm.where(corm.eq(corm.fn('g3.tell', corm.c('name'), 'x'), true)))) AS in_a_preload;
-- the same in writes, and in joins
BEGIN;
SELECT corm.exec(corm.updater('t'), corm.set('n', 5), corm.guard('t', corm.raw('g3.slow(t.id)')), corm.where(corm.eq(corm.fn('g3.tell', corm.c('name'), 'x'), true))) AS updated,
       corm.exec(corm.deleter('t'), corm.guard('t', corm.raw('g3.slow(t.id)')), corm.where(corm.eq(corm.fn('g3.tell', corm.c('name'), 'x'), true), corm.gt('id', 1))) AS deleted;
ROLLBACK;
SELECT corm.count(corm.selector('t', 'a'), corm.guard('t', corm.raw('g3.slow(id)')), corm.left_join('t', corm.fn('g3.tell', corm.c('b.name'), corm.c('a.name')), 'b')) AS joined;
-- what comparisons that cannot tell find is found by indexes as ever
SELECT corm.to_sql(corm.selector('t'), corm.select('id'), corm.guard('t', corm.eq('b', true)), corm.filter('{"where": {"id": 1, "n": {"gt": 0}, "m": "ok", "name": {"in": ["a"]}, "d": {"between": ["2020-01-01", "2021-01-01"]}}}')) AS quiet,
       corm.to_sql(corm.selector('t'), corm.select('id'), corm.guard('t', corm.eq('b', true)), corm.filter('{"where": {"name": {"like": "a%"}, "jb": {"contains": {}}}}')) AS others;
SELECT string_agg(i::text, ' ' ORDER BY i) AS guarded_rows FROM corm.pluck(NULL::int, corm.selector('t'), corm.select('id'), corm.guard('t', corm.in('id', 1, 3)), corm.filter('{"where": {"or": [{"name": {"like": "t%"}}, {"name": {"is_distinct_from": "two"}}]}}')) i;

\echo D7: a mistake of the client looks like one
SELECT ids('{"ts": {"matches": "thin laptop"}}') AS tsquery, ids('{"ts": {"matches": "thin & laptop"}}') AS right_one, ids('{"name": {"matches": "one two"}}') AS text;
SELECT ids('{"jb": {"matches": "$.a == 1"}}') AS path, ids('{"jb": {"matches": "$.\"$x\" == \"$y\" || $.\".time(\" == 1 || $.a == 1"}}') AS quoted, ids('{"jb": {"matches": "$.a == $x"}}') AS variable,
       ids('{"jb": {"matches": "$.a.datetime() < \"2020-01-01\".datetime()"}}') AS dates, ids('{"jb": {"matches": "$.a =="}}') AS no_path;
SELECT ids('{"cl": "nosuch"}') AS regclass, ids('{"cl": {"in": ["nosuch"]}}') AS in_list, ids('{"p": "-1"}') AS domain, ids('{"p": {"in": ["-1"]}}') AS domain_list, ids('{"c": "UPPER"}') AS domain_text, ids('{"ms": {"overlaps": ["bad"]}}') AS enum;
SELECT ids('{"j": "{}"}') AS json, ids('{"js": "{}"}') AS json_array, ids('{"js": {"contains": "1"}}') AS json_array_contains, ids('{"pts": {"contains": "(1,1)"}}') AS point_array, ids('{"pt": "(0,0)"}') AS point, ids('{"pr": "(1,2)"}') AS row,
       ids('{"x": "a"}') AS xml, ids('{"x": {"is_null": true}, "id": 1}') AS null_test;
SELECT ids('{"tq": {"overlaps": "a"}}') AS no_condition, ids('{"rs": {"in": ["{1}"]}}') AS list_of_arrays, ids('{"m": {"has_key": null}}') AS null_key, ids('{"j": {"lt": null}}') AS less_than_null, ids('{"cl": 1e30}') AS reg_number, ids('{"bx": {"neq": "(1,1),(0,0)"}}') AS no_neq, ids('{"bx": {"neq": null}}') AS not_null;
SELECT attempt('{"order_by": ["j"]}') AS json, attempt('{"order_by": ["-pt"]}') AS point, attempt('{"order_by": ["js"]}') AS json_array, attempt('{"order_by": ["pr"]}') AS row, attempt('{"order_by": ["-h"], "limit": 1}') AS hstore;
SELECT ids('{"nd": {"like": "x%"}}') AS like, ids('{"nd": {"regex": "x"}}') AS regex, ids('{"nd": {"starts_with": "x"}}') AS starts_with, ids('{"nd": "x"}') AS eq;
SELECT attempt(format('{"where": {"%s": 1}}', repeat('x', 70000))) LIKE 'OR020 %' AS long_name, attempt(format('{"preload": {"%s": true}}', repeat('x', 70000))) LIKE 'OR020 %' AS long_relation, attempt(format('{"where": {"%s": {"some": {}}}}', repeat('x', 70000))) LIKE 'OR020 %' AS long_predicate;
SELECT corm.get_multi_json(corm.from_query(corm.selector('t') |> corm.select('id'), 'q'), corm.filter('{"preload": {"parent": true}}'));
\echo :LAST_ERROR_SQLSTATE
-- a preload that the query has already is merged with it, whatever it is called
SELECT corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.order_by('id'), corm.where(corm.eq('id', 1)), corm.preload('t', corm.select('id'), corm.where(corm.gt('id', 1)), corm.order_by('-id')), corm.filter('{"preload": {"t": {"where": {"name": "two"}}}}')) AS narrowed,
       corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.filter('{"preload": {"t": {"select": ["id"], "limit": 5}}}'), corm.preload('T', corm.limit(1), corm.order_by('-id'))) AS limited,
       corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.preload('t.parent', corm.select('name')), corm.filter('{"preload": {"t": {"select": ["id"]}, "T": true}}')) AS deeper;
SELECT corm.get_multi_json(corm.selector('t'), corm.select('id'), corm.where(corm.eq('id', 2)), corm.filter('{"preload": {"parent.t": {"select": ["id"], "order_by": ["id"]}, "parent": {"select": ["id"], "preload": {"t": {"limit": 1}}}}}')) AS along_a_path;
SELECT corm.get_multi_json(corm.selector('t'), corm.preload('t'), corm.preload('t'));
\echo :LAST_ERROR_SQLSTATE

\echo C12: numbers against a real
SELECT ids('{"r": 0.1}') AS eq, ids('{"r": {"lte": 0.1}}') AS lte, ids('{"r": {"in": [0.1, 5]}}') AS in, ids('{"r": {"between": [0.1, 0.1]}}') AS between, ids('{"r": {"neq": 0.1}}') AS neq, ids('{"r": {"is_distinct_from": 0.1}, "id": {"lt": 3}}') AS distinct,
       ids('{"r": 16777217}') AS integer, ids('{"r": "0.1"}') AS string, ids('{"rs": {"contains": 0.1}}') AS contains, ids('{"n": 0.1}') AS numeric, ids('{"r": 1e300}') AS out_of_range;
\echo C12: contains by the operator of the type, and overlaps of a multirange
SELECT ids('{"h": {"contains": "k=>v"}}') AS hstore, ids('{"bx": {"contains": "(3,3),(2,2)"}}') AS box, ids('{"cu": {"contains": "(3)"}}') AS cube, ids('{"h": {"contains": {"k": "v"}}}') AS hstore_object, ids('{"pt": {"contains": "x"}}') AS point, ids('{"id": {"contains": "1"}}') AS int;
SELECT corm.count(corm.selector('t'), corm.where(corm.contains('h', 'k=>v'))) AS hstore, corm.count(corm.selector('t'), corm.where(corm.contains('bx', box '(3,3),(2,2)'))) AS box, corm.count(corm.selector('t'), corm.where(corm.contains('name', 'n'))) AS text;
SELECT ids('{"mr": {"overlaps": "[8,12)"}}') AS range, ids('{"mr": {"overlaps": "{[0,2),[4,5)}"}}') AS multirange, ids('{"rg": {"overlaps": "[4,6)"}}') AS of_a_range, ids('{"mr": {"overlaps": "[9,1)"}}') AS bad, ids('{"mr": {"overlaps": [1]}}') AS array;

RESET search_path;
DROP SCHEMA g3 CASCADE;
