-- hardening 11: the text form: every clause and expression comes back as it was, through text, jsonb, tables and COPY.
SET client_min_messages = warning;
CREATE SCHEMA "Odd ""name";
CREATE TABLE "Odd ""name"."T a" (id int, "Na me" text);
CREATE TYPE "Odd ""name".mood AS ENUM ('ok', 'not, "ok"');
CREATE TYPE "Odd ""name".pair AS (a int, b text);
CREATE TABLE items (id int PRIMARY KEY, name text, tags text[], doc jsonb, at timestamptz);
\pset format unaligned
\pset tuples_only on

-- One value of each node, at least.
CREATE TABLE forms (n int GENERATED ALWAYS AS IDENTITY, e corm.expr, q corm.query);
SET search_path = public, corm_ops;
INSERT INTO forms (e) VALUES
    (corm.c('name')), (corm.c('a"b\c')), (corm.val(1)), (corm.val(-2147483648)), (corm.val(true)), (corm.val(NULL::int)), (corm.val(NULL)),
    (corm.val('text')), (corm.val('')), (corm.val(E'quote " back \\ newline \n tab \t é 漢 ')), (corm.val(9223372036854775807)),
    (corm.val(1.50)), (corm.val('NaN'::float8)), (corm.val(0.1::float8)), (corm.val(1e300::float8)),
    (corm.val('2020-01-02'::date)), (corm.val('2020-01-02 03:04:05.678901+02'::timestamptz)), (corm.val('1 year 2 mons -3 days'::interval)),
    (corm.val('{1,NULL,3}'::int[])), (corm.val(ARRAY['a', 'b c', NULL, '"'])), (corm.val('{}'::text[])), (corm.val('[2:3]={1,2}'::int[])),
    (corm.val('{"a": [1, "x"]}'::jsonb)), (corm.val('{ "a":1 }'::json)), (corm.val('\xdeadbeef'::bytea)),
    (corm.val('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid)), (corm.val('[1,5)'::int4range)), (corm.val('10.0.0.0/8'::inet)),
    (corm.val('not, "ok"'::"Odd ""name".mood)), (corm.val(ROW(1, 'x "y"')::"Odd ""name".pair)), (corm.val(ARRAY[ROW(1, 'x')::"Odd ""name".pair])),
    (corm.val('items'::regclass)), (corm.val('int4'::regtype)), (corm.val('<a/>'::text)), (corm.val('nm'::name)), (corm.val('x'::bpchar)),
    (corm.eq('id', 1)), (corm.eq('id', '1')), (corm.eq('id', NULL)), (corm.eq('id', NULL::int)), (corm.eq('id', corm.c('x'))), (corm.eq(corm.val(1), 2)),
    (corm.eq(corm.val('text'), 'text')), (corm.eq('id', corm.selector('items') |> corm.select(corm.max('id')))),
    (corm.neq('id', 1)), (corm.lt('id', 1)), (corm.lte('id', 1)), (corm.gt('id', 1)), (corm.gte('id', 1)),
    (corm.like('name', 'a%')), (corm.not_like('name', 'a%')), (corm.ilike('name', 'a')), (corm.not_ilike('name', 'a')), (corm.regex('name', 'a')),
    (corm.iregex('name', 'a')), (corm.starts_with('name', 'a')), (corm.ends_with('name', 'a')), (corm.contains('name', 'a')), (corm.icontains('name', 'a')),
    (corm.in('id', ARRAY[1, 2])), (corm.in('id', '{}'::int[])), (corm.in('id', corm.selector('items'))), (corm.not_in('id', ARRAY['1'])),
    (corm.between('id', 1, '2')), (corm.is_null('id')), (corm.is_not_null('id')), (corm.is_distinct_from('id', 1)), (corm.has_key('doc', 'k')),
    (corm.overlaps('tags', ARRAY['a'])), (corm.matches('name', 'a & b'::tsquery)), (corm.superset('tags', '{a}')), (corm.subset('tags', '{a}')),
    (corm.add('id', 1)), (corm.sub('id', 1)), (corm.mul('id', 1)), (corm.div('id', 1)), (corm.mod('id', 1)), (corm.concat('name', 'x')),
    (corm.json_get('doc', 'a')), (corm.json_get_text('doc', 0)), (corm.json_path_text('doc', '{a,b}')),
    (corm.and()), (corm.or()), (corm.and(corm.eq('id', 1), corm.or(corm.eq('id', 2), corm.not(corm.c('b'))))), (corm.not(corm.c('x'))),
    (corm.some(corm.selector('items'))), (corm.none(corm.selector('items') |> corm.where(corm.eq('id', 1)))),
    (corm.raw('now()')), (corm.raw('$1 + $2 "x" \ ''', 1, corm.c('id'))), (corm.fn('lower', corm.c('name'))), (corm.fn('f')),
    (corm.fn('s.f', 1, 'x', NULL)), (corm.excluded('id')), (corm.cast('id', '"Odd ""name".mood')), (corm.cast('id', 'int[]')), (corm.as('id', 'x y')),
    (corm.case(corm.eq('id', 1), 'a', 'b')), (corm.coalesce(corm.c('id'), 1, NULL)), (corm.asc('id')), (corm.asc('id', 'first')), (corm.desc(corm.add('id', 1), 'last')),
    (corm.count()), (corm.count('id')), (corm.count(corm.eq('id', 1))), (corm.count_distinct('id')), (corm.sum('id')), (corm.avg('id')), (corm.min('id')),
    (corm.max('id')), (corm.array_agg('id')), (corm.json_agg('id')), (corm.bool_and('id')), (corm.bool_or('id')), (corm.string_agg('name', ', ')),
    (corm.filter_where(corm.count(), corm.gt('id', 1))), (corm.over(corm.count())), (corm.over(corm.sum('id'), ARRAY['a'], ARRAY['b', '-c']));
INSERT INTO forms (q) VALUES
    (corm.pipe()), (corm.selector('items')), (corm.selector('"Odd ""name"."T a"', 'a "b"')), (corm.from_query(corm.selector('items'), 'x')),
    (corm.from_query(corm.pipe(), 'x')), (corm.from_cte('c')), (corm.from_cte('c', 'd')), (corm.inserter('items')), (corm.updater('items')), (corm.deleter('items')),
    (corm.raw_query('SELECT 1')), (corm.raw_query('SELECT $1, ''"''', 'x', 1)),
    (corm.select('id')), (corm.select('id', corm.as(corm.add('id', 1), 'x'), 'name')), (corm.select(VARIADIC ARRAY['a', 'b'])), (corm.distinct()),
    (corm.distinct_on('a', corm.c('b'))), (corm.where()), (corm.where(corm.eq('id', 1))), (corm.where(corm.eq('id', 1), corm.c('b'))),
    (corm.join('items', corm.eq('a', corm.c('b')))), (corm.left_join('items', corm.val(true), 'x')), (corm.right_join('items', corm.val(true))),
    (corm.full_join('items', corm.val(true))), (corm.cross_join('items')), (corm.cross_join('items', 'y')),
    (corm.join_query(corm.selector('items'), corm.val(true), 'x')), (corm.join_cte('c', corm.val(true))), (corm.join_cte('c', corm.val(true), 'x')),
    (corm.group_by('a', corm.mod('b', 2))), (corm.having(corm.gt(corm.count(), 1))), (corm.order_by('a', '-b', corm.desc('c', 'last'), corm.c('-d'))),
    (corm.limit(10)), (corm.limit(NULL)), (corm.offset(10000000000)), (corm.for_update()), (corm.for_update('nowait')), (corm.for_share('skip locked')),
    (corm.with('c', corm.selector('items') |> corm.limit(1))), (corm.union(corm.selector('items'))), (corm.union_all(corm.selector('items'))),
    (corm.intersect(corm.selector('items'))), (corm.except(corm.selector('items'))),
    (corm.set('id', 1)), (corm.set('id', '1')), (corm.set('id', NULL)), (corm.set('id', corm.excluded('id'))), (corm.set('id', corm.selector('items'))),
    (corm.rows('[{"id": 1}]'::jsonb)), (corm.rows('{"id": 1}')), (corm.rows(ARRAY[ROW(1, 'n', NULL, NULL, NULL)::items])),
    (corm.on_conflict('a', 'b')), (corm.on_conflict_where(corm.gt('a', 1))), (corm.on_constraint('c"k')), (corm.do_nothing()), (corm.do_update()),
    (corm.do_update('a', 'b')), (corm.returning()), (corm.returning('a', corm.add('b', 1))), (corm.all_rows()), (corm.max_rows(5)),
    (corm.selector('items') |> corm.where(corm.eq('id', 1)) |> corm.order_by('-id') |> corm.limit(1));
RESET search_path;

-- json is a type that SQL itself names since PostgreSQL 17
SELECT n, replace(e::text, '"pg_catalog.json"', '"json"') AS e, q FROM forms ORDER BY n;

-- Text, jsonb, the wire and a dump are lossless, in every setting of the session.
CREATE TABLE again (LIKE forms);
DO $$
DECLARE
    f record;
    e corm.expr;
    q corm.query;
BEGIN
    SET LOCAL search_path = '';
    SET LOCAL DateStyle = 'German';
    SET LOCAL IntervalStyle = 'sql_standard';
    SET LOCAL extra_float_digits = -10;
    SET LOCAL TimeZone = 'Asia/Tokyo';
    SET LOCAL bytea_output = 'escape';
    FOR f IN SELECT * FROM public.forms LOOP
        ASSERT f.e IS NULL OR f.e::text::corm.expr::text = f.e::text, f.n;
        ASSERT f.e IS NULL OR f.e::jsonb::corm.expr::text = f.e::text, f.n;
        ASSERT f.q IS NULL OR f.q::text::corm.query::text = f.q::text, f.n;
        ASSERT f.q IS NULL OR f.q::jsonb::corm.query::text = f.q::text, f.n;
        ASSERT f.e IS NULL OR (f.e::text::jsonb) = f.e::jsonb, f.n;
        ASSERT f.e IS NULL OR pg_catalog.pg_column_size(f.e::text::corm.expr) = pg_catalog.pg_column_size(f.e::jsonb::corm.expr), f.n;
        e := f.e::text::corm.expr;
        q := f.q::text::corm.query;
        INSERT INTO public.again VALUES (f.n, e, q);
    END LOOP;
END $$;
SELECT count(*) AS differ FROM forms f JOIN again a USING (n)
WHERE f.e::text IS DISTINCT FROM a.e::text OR f.q::text IS DISTINCT FROM a.q::text;

-- binary COPY
CREATE TABLE copied (LIKE forms);
\copy forms TO 'results/text_form.copy' (FORMAT binary)
\copy copied FROM 'results/text_form.copy' (FORMAT binary)
SELECT count(*) AS differ FROM forms f JOIN copied a USING (n)
WHERE f.e::text IS DISTINCT FROM a.e::text OR f.q::text IS DISTINCT FROM a.q::text;
\copy copied TO 'results/text_form.copy'
TRUNCATE again;
\copy again FROM 'results/text_form.copy'
SELECT count(*), count(e), count(q) FROM again;

-- arrays, and a query that is so large that it is toasted
SELECT (SELECT array_agg(q) FROM forms WHERE q IS NOT NULL)::text::corm.query[]::text = (SELECT array_agg(q) FROM forms WHERE q IS NOT NULL)::text AS same;
CREATE TABLE large (q corm.query);
INSERT INTO large SELECT corm.pipe(corm.selector('items'), corm.where(corm.eq('name', string_agg(md5(i::text), '')))) FROM generate_series(1, 1000) i;
INSERT INTO items (id, name) SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 1000) i;
SELECT corm.count(q), length(q::text), corm.count(q::text::corm.query) FROM large;

-- A stored query runs, also as part of others.
SELECT corm.get_multi_json(corm.pipe(a.q, b.q, corm.select('id')))
FROM forms a, forms b WHERE a.q::text = '[{"selector": ["public.items", null]}]' AND b.q::text = '[{"where": [{"eq": ["id", 1]}]}]';
SELECT corm.get_multi_json('[{"selector": ["items", null]}, {"where": [{"or": [{"eq": ["id", "1"]}, {"is_null": "name"}]}]}, {"select": ["id"]}]');

-- Hostile text
CREATE FUNCTION refused(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE format('SELECT %L::corm.%I', value, type);
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' / ', SQLSTATE || ': ' || left(SQLERRM, 100),
        CASE WHEN SQLERRM NOT LIKE '%json%' AND SQLERRM NOT LIKE '%Unicode%' THEN nullif(detail, '') END);
END $$;
SELECT v || '  ->  ' || refused('query', v) FROM unnest(ARRAY[
    '', 'x', '1', 'null', '{}', '"x"', '[1]', '[null]', '[[]]', '[{}]', '[{"a": 1}]', '[{"limit": 1, "offset": 1}]', '[{"limit": [1]}]', '[{"limit": [[1]]}]',
    '[{"limit": {}}]', '[{"eq": ["id", 1]}]', '[{"where": {"eq": ["id", 1]}}]', '[{"where": [["id", 1]]}]', '[{"where": [{"eq": ["id"]}]}]',
    '[{"where": [{"eq": ["id", 1, 2]}]}]', '[{"where": [{"where": []}]}]', '[{"selector": "items"}]', '[{"selector": ["nope", null]}]',
    '[{"selector": ["items; drop", null]}]', '[{"selector": [1, null]}]', '[{"selector": ["items", 1]}]', '[{"selector": ["items"]}]',
    '[{"selector": ["items", null, null]}]', '[{"select": "id"}]', '[{"select": [""]}]', '[{"distinct": [1]}]', '[{"distinct": {}}]',
    '[{"raw_query": []}]', '[{"raw_query": [1]}]', '[{"union": [1]}]', '[{"union": {}}]', '[{"with": ["x"]}]', '[{"rows": "x"}]', '[{"null": "int4"}]',
    '[{"set": ["id", {"val": "x", "type": "int4"}]}]', '[{"set": ["id", {"val": 1, "type": "int4"}]}]', '[{"set": ["id", {"val": "1", "type": "nope"}]}]',
    '[{"set": ["id", {"val": "1", "type": "record"}]}]', '[{"set": ["id", {"val": "1", "type": "anyelement"}]}]', '[{"set": ["id", {"val": "1", "type": "internal"}]}]',
    '[{"set": ["id", {"val": "1", "type": "int4; drop"}]}]', '[{"set": ["id", {"val": "1", "type": 23}]}]', '[{"set": ["id", {"val": "1", "type": "-"}]}]',
    '[{"set": ["id", {"val": "1", "typ": "int4"}]}]', '[{"set": ["id", {"val": ["1"]}]}]', '[{"set": ["id", {"type": "int4"}]}]', '[{"set": ["", 1]}]',
    '[{"set": ["id", "\u0000"]}]', '[{"set": ["id", "\ud800"]}]', '[{"on_conflict": [1]}]', '[{"do_update": [null]}]', '[{"cast": ["id", "int4"]}]',
    '[{"select": [{"cast": ["id", "nope"]}]}]', '[{"select": [{"over": ["id"]}]}]', '[{"select": [{"over": ["id", 1, []]}]}]', '[{"select": [{"as": ["id", ""]}]}]']) v;
SELECT v || '  ->  ' || refused('expr', v) FROM unnest(ARRAY['', '[]', '{}', '[{"c": "x"}]', '{"c": 1}', '{"c": ""}', '{"c": ["x"]}', '{"nope": 1}',
    '{"c": "x", "d": "y"}', '{"eq": []}', '{"query": {}}', '{"query": [1]}', '{"limit": 1}', '{"and": [[]]}', '{"val": {}}', '1 2', '{"fn": []}', '{"fn": [1]}']) v;
SELECT refused('query', repeat('[', 100000)), refused('query', repeat('[{"union": ', 100000) || '[]' || repeat('}]', 100000)) ~ '^(54001|54000)';
SELECT refused('expr', repeat('{"not": ', 100000) || '1' || repeat('}', 100000)) ~ '^(54001|54000)';
SELECT refused('query', '[{"selector": ["' || repeat('x', 1000000) || '", null]}]') ~ '^42';
SELECT refused('query', '[{"where": [{"c": "' || repeat('x', 1000000) || '"}]}]');
SELECT refused('query', '[{"where": [' || repeat('1,', 70000) || '1]}]');
SELECT length(('[{"where": [{"eq": ["id", "' || repeat('x', 1000000) || '"]}]}]')::corm.query::text);

-- What a query refers to may be gone: a relation is a dash then, not a number, which is another's elsewhere; without its type a value is lost.
CREATE TABLE gone (q corm.query, e corm.expr);
INSERT INTO gone VALUES (corm.selector('items'), corm.val('ok'::"Odd ""name".mood));
DROP TABLE items;
DROP SCHEMA "Odd ""name" CASCADE;
SELECT q::text FROM gone;
CREATE FUNCTION state(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || regexp_replace(SQLERRM, '[0-9]+', 'N');
END $$;
SELECT state('SELECT corm.get_multi_json(q) FROM gone');
SELECT e::text FROM gone;
CREATE TABLE other (id int);
SELECT state($$SELECT corm.count(corm.selector('other'), corm.where(corm.eq('id', e))) FROM gone$$);

DROP FUNCTION refused(text, text);
DROP FUNCTION state(text);
DROP TABLE forms, again, copied, large, gone, other;

-- A row among the values outlives a change of its type: it is read if that can be, else refused, never misread.
CREATE TYPE inner_t AS (x int, y text);
CREATE TYPE outer_t AS (i inner_t, j inner_t[], k int);
CREATE TABLE rt (id int PRIMARY KEY, a int, b text, o outer_t);
CREATE TABLE kept (q corm.query);
INSERT INTO kept VALUES (corm.rows(ARRAY[ROW(1, 2, 'b', ROW(ROW(3, 'y'), ARRAY[ROW(4, 'z')::inner_t], 5))::rt])),
    (corm.set('b', ROW(ROW(3, 'y'), ARRAY[ROW(4, 'z')::inner_t], 5)::outer_t));
CREATE FUNCTION folded() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.exec(corm.inserter('rt'), corm.rows(ARRAY[ROW(9, 2, 'b', NULL)::rt]), corm.on_conflict('id'), corm.do_nothing());
END $$;
CREATE FUNCTION rows_of(q corm.query) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.get_multi_json(corm.inserter('rt'), q, corm.on_conflict('id'), corm.do_update())::text || left(q::text, 12);
EXCEPTION WHEN datatype_mismatch THEN
    RETURN SQLERRM;
END $$;
SELECT rows_of(q) FROM kept LIMIT 1;
SELECT folded(), folded();
ALTER TABLE rt ADD c int;
SELECT rows_of(q) FROM kept LIMIT 1;
ALTER TABLE rt DROP a;
SELECT rows_of(q) FROM kept LIMIT 1;
BEGIN;
ALTER TABLE rt ALTER b TYPE int USING 1;
SELECT rows_of(q) FROM kept LIMIT 1;
ROLLBACK;
ALTER TABLE rt DROP o;
SELECT rows_of(q) FROM kept LIMIT 1;
SELECT q::text FROM kept OFFSET 1;
ALTER TYPE inner_t ALTER ATTRIBUTE y TYPE int;
SELECT q::text FROM kept OFFSET 1;
SELECT rows_of(q) FROM kept LIMIT 1;
DROP FUNCTION folded(), rows_of(corm.query);
DROP TABLE rt, kept;
DROP TYPE outer_t, inner_t;
