-- C7: pages of every order that PostgreSQL can sort by, and cursors of another order.
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE SCHEMA pg7;
CREATE EXTENSION hstore SCHEMA pg7;
SET search_path = pg7, corm_ops;
-- All rows by pages of n, forwards and then backwards from the last cursor, as the values of one key of the documents.
CREATE FUNCTION walk(q corm.query, key text, n int DEFAULT 2) RETURNS text LANGUAGE plpgsql AS $$
DECLARE page jsonb; forwards text[] := '{}'; backwards text[] := '{}'; c text;
BEGIN
    FOR turn IN 1..30 LOOP
        page := corm.page_json(q, corm.limit(n), corm.after(c));
        forwards := forwards || ARRAY(SELECT r ->> key FROM jsonb_array_elements(page -> 'rows') WITH ORDINALITY x(r, i) ORDER BY i);
        c := page #>> '{page_info,end_cursor}';
        EXIT WHEN NOT (page #> '{page_info,has_next}')::boolean;
    END LOOP;
    backwards := ARRAY[forwards[cardinality(forwards)]];
    FOR turn IN 1..30 LOOP
        page := corm.page_json(q, corm.limit(n), corm.before(c));
        EXIT WHEN page -> 'rows' = '[]';
        backwards := ARRAY(SELECT r ->> key FROM jsonb_array_elements(page -> 'rows') WITH ORDINALITY x(r, i) ORDER BY i) || backwards;
        c := page #>> '{page_info,start_cursor}';
        EXIT WHEN NOT (page #> '{page_info,has_previous}')::boolean;
    END LOOP;
    RETURN array_to_string(forwards, ' ', '-') || CASE WHEN forwards = backwards THEN '' ELSE ' backwards: ' || array_to_string(backwards, ' ', '-') END;
END $$;
CREATE FUNCTION attempt(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
    EXECUTE q INTO r;
    RETURN coalesce(r, 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END $$;

\echo C7a: values are part of an order
CREATE TABLE d (id int PRIMARY KEY, doc jsonb, n int);
INSERT INTO d VALUES (1, '{"price": 3, "rating": 1}', 5), (2, '{"price": 1, "rating": 3}', 4), (3, '{"price": 2, "rating": 2}', NULL), (4, '{}', 7);
-- the cursor of the first order is used with the second one
CREATE FUNCTION other(a corm.query, b corm.query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c text;
BEGIN
    c := corm.page_json(corm.selector('pg7.d'), a, corm.limit(2)) #>> '{page_info,end_cursor}';
    RETURN (corm.page_json(corm.selector('pg7.d'), corm.select('id'), a, corm.limit(1), corm.after(c)) #>> '{rows,0,id}')
        || ' ' || attempt(format('SELECT corm.page_json(corm.selector(''pg7.d''), %L::corm.query, corm.limit(1), corm.after(%L))', b, c));
END $$;
SELECT other(corm.order_by(corm.c('doc') -> 'price'), corm.order_by(corm.c('doc') -> 'rating')) AS key,
       other(corm.order_by(corm.case(corm.gt('n', 4), 0, 1)), corm.order_by(corm.case(corm.gt('n', 5), 0, 1))) AS "case",
       other(corm.order_by(corm.coalesce(corm.c('n'), 0)), corm.order_by(corm.coalesce(corm.c('n'), 9))) AS "coalesce";
SELECT other(corm.order_by(corm.c('n') % 3), corm.order_by(corm.c('n') % 2)) AS mod,
       other(corm.order_by(corm.raw('n * $1', 1)), corm.order_by(corm.raw('n * $1', -1))) AS raw,
       other(corm.order_by(corm.pipe(corm.selector('pg7.d', 'e'), corm.select(corm.max('e.id')), corm.where(corm.eq('e.n', 5)))),
             corm.order_by(corm.pipe(corm.selector('pg7.d', 'e'), corm.select(corm.max('e.id')), corm.where(corm.eq('e.n', 4))))) AS subquery,
       other(corm.order_by(corm.raw('n * $1', 1)), corm.order_by(corm.raw('n * $1', 2), corm.raw('n * $1', 1))) AS more;
-- also where there are no rows, and where the types with which the values are bound differ
SELECT attempt($$SELECT corm.page_json(corm.selector('pg7.d'), corm.where(corm.eq('id', 0)), corm.order_by(corm.c('n') % 2), corm.limit(1),
    corm.after(corm.page_json(corm.selector('pg7.d'), corm.order_by(corm.c('n') % 3), corm.limit(1)) #>> '{page_info,end_cursor}'))$$);
SELECT corm.page_json(corm.selector('d'), corm.select('id'), corm.order_by(corm.c('n') % 3::bigint), corm.limit(1),
    corm.after(corm.page_json(corm.selector('d'), corm.order_by(corm.c('n') % 3), corm.limit(1)) #>> '{page_info,end_cursor}')) -> 'rows' AS same;
SELECT walk(corm.selector('d') |> corm.order_by(corm.c('doc') -> 'price'), 'id') AS price, walk(corm.selector('d') |> corm.order_by(corm.desc(corm.c('doc') -> 'rating')), 'id') AS rating,
       walk(corm.selector('d') |> corm.order_by(corm.raw('n * $1', 1.5), corm.raw('$1::text', timestamptz '2020-01-01 00:00+00')), 'id') AS raw;
PREPARE p(int, text) AS SELECT corm.page_json(corm.selector('d'), corm.select('id'), corm.order_by(corm.c('n') % $1), corm.limit(1), corm.after($2));
SET plan_cache_mode = force_generic_plan;
SELECT corm.page_json(corm.selector('d'), corm.order_by(corm.c('n') % 3), corm.limit(1)) #>> '{page_info,end_cursor}' AS cursor \gset
EXECUTE p(3, :'cursor');
EXECUTE p(2, :'cursor');
RESET plan_cache_mode;

\echo C7b: a row of NULLs is not sorted as a NULL
CREATE TYPE addr AS (city text, zip int);
CREATE TABLE places (id int PRIMARY KEY, a addr);
INSERT INTO places VALUES (1, '(x,1)'), (2, '(,)'), (3, NULL), (4, '(,)'), (5, '(q,)'), (6, NULL), (7, '(,2)'), (8, '(a,)');
SELECT string_agg(id::text, ' ' ORDER BY a, id) AS sorted, string_agg(id::text, ' ' ORDER BY a DESC, id DESC) AS descending, string_agg(id::text, ' ' ORDER BY a NULLS FIRST, id) AS nulls_first FROM places;
SELECT walk(corm.selector('places') |> corm.order_by('a'), 'id', n) AS sorted, walk(corm.selector('places') |> corm.order_by('-a'), 'id', n) AS descending,
       walk(corm.selector('places') |> corm.order_by(corm.asc('a', 'first')), 'id', n) AS nulls_first FROM generate_series(1, 3) n;
SELECT corm.pluck(NULL::int, corm.selector('places'), corm.select('id'), corm.where(corm.is_distinct_from('a', NULL)), corm.order_by('id')) AS distinct_from_null;
-- as in SQL, neither is true of a row with a NULL in it
SELECT corm.pluck(NULL::int, corm.selector('places'), corm.select('id'), corm.where(corm.or(corm.is_null('a'), corm.is_not_null('a'))), corm.order_by('id')) AS null_or_not;

\echo C7c: a key of a view may be NULL
CREATE VIEW vw AS SELECT id, n FROM (VALUES (1, 10), (NULL, 20), (3, 10), (2, 20)) v(id, n);
SELECT corm.register('vw', '{"primary_key": ["id"]}');
SELECT walk(corm.selector('vw') |> corm.order_by('n'), 'id', n) AS by_n, walk(corm.selector('vw'), 'id', n) AS by_key, walk(corm.selector('vw') |> corm.order_by('-id'), 'id', n) AS descending FROM generate_series(1, 3) n;

\echo C7d: a parent of INHERITS with the same key in a child
CREATE TABLE par (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE kid (extra text) INHERITS (par);
INSERT INTO par VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO kid VALUES (1, 11, 'a'), (2, 12, 'b'), (2, 13, 'c'), (2, 14, 'd');
SELECT walk(corm.selector('par'), 'n', k) AS by_key, walk(corm.selector('par') |> corm.order_by('-id'), 'id', k) AS descending FROM generate_series(1, 3) k;
SELECT walk(corm.selector('par') |> corm.guard('par', corm.gt('n', 1)), 'n', 1) AS guarded;
SELECT walk(corm.selector('par') |> corm.where(corm.eq('id', 2)), 'n', 1) AS ties;
-- rows of several tables without a key
CREATE TABLE tagged (id int, n int);
COMMENT ON COLUMN tagged.id IS '@orm:primary_key';
CREATE TABLE tagged1 () INHERITS (tagged);
CREATE TABLE tagged2 () INHERITS (tagged);
INSERT INTO tagged VALUES (1, 1), (NULL, 2);
INSERT INTO tagged1 VALUES (1, 11), (NULL, 12), (NULL, 13);
INSERT INTO tagged2 VALUES (2, 21), (NULL, 22), (NULL, 23);
SELECT walk(corm.selector('tagged'), 'n', k) AS by_key, walk(corm.selector('tagged') |> corm.order_by('-id'), 'n', k) AS descending FROM generate_series(1, 4) k;
-- partitions share a key
CREATE TABLE part (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (2);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (2) TO (9);
INSERT INTO part SELECT i, i FROM generate_series(0, 4) i;
SELECT walk(corm.selector('part') |> corm.order_by('n'), 'id') AS partitioned, corm.to_sql(corm.selector('part'), corm.order_by('id'), corm.limit(1), corm.after(corm.page_json(corm.selector('part'), corm.order_by('id'), corm.limit(1)) #>> '{page_info,end_cursor}')) AS sql;

\echo C7e: types whose order has operators of other names, and types whose text is a name
CREATE TABLE odd (id int PRIMARY KEY, h hstore, r regclass, t regtype NOT NULL, m money, c "char", o oid, x xid8, ip inet, b bit(3), ba bytea, iv interval, ar int[], rg int4range, ts tsvector, f float4);
INSERT INTO odd VALUES
    (1, 'a=>1', 'pg_class', 'int', 1.5, 'a', 1, '1', '10.0.0.1', '001', '\x01', '1 day', '{1}', '[1,2)', 'a', 0.1),
    (2, 'b=>2,c=>3', 'pg_proc', 'text', 1000, 'b', 3, '2', '10.0.0.2', '010', '\x00', '1 month', '{1,2}', '[1,3)', 'b c', 'NaN'),
    (3, NULL, 'pg_type', 'date', 20, 'B', 2, '3', '::1', '011', '', '-1 day', NULL, 'empty', 'c', -0.3),
    (4, 'a=>2', NULL, 'int', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL, NULL),
    (5, '', 'pg_class', 'bool', -3, '', 4, '10', '10.0.0.1/8', '111', '\xff', '24:00', '{0,5}', '(,)', '', 'Infinity');
SELECT f, walk(corm.selector('odd') |> corm.order_by(f), 'id') = (SELECT string_agg(id::text, ' ' ORDER BY o.n) FROM (SELECT id, row_number() OVER () AS n FROM corm.get_multi(NULL::odd, corm.order_by(f, 'id'))) o) AS asc,
       walk(corm.selector('odd') |> corm.order_by('-' || f), 'id', 1) = (SELECT string_agg(id::text, ' ' ORDER BY o.n) FROM (SELECT id, row_number() OVER () AS n FROM corm.get_multi(NULL::odd, corm.order_by('-' || f, '-id'))) o) AS desc
FROM unnest('{h,r,t,m,c,o,x,ip,b,ba,iv,ar,rg,ts,f}'::text[]) f;
CREATE TABLE keyed (t regtype PRIMARY KEY);
INSERT INTO keyed VALUES ('int'), ('text'), ('date');
SELECT walk(corm.selector('keyed'), 't', 1) AS by_reg_key;

\echo C7f: pages of locked rows
SELECT corm.page_json(corm.selector('d'), corm.select('id'), corm.order_by('id'), corm.limit(2), corm.for_update()) AS page;
SELECT corm.page_json(corm.selector('d'), corm.select('id'), corm.order_by('id'), corm.limit(2), corm.for_update('skip locked'), corm.after(corm.page_json(corm.selector('d'), corm.order_by('id'), corm.limit(1)) #>> '{page_info,end_cursor}')) -> 'rows' AS after;
SELECT corm.page_json(corm.selector('d'), corm.select('id'), corm.order_by('id'), corm.limit(2), corm.for_share(), corm.before(corm.page_json(corm.selector('d'), corm.order_by('id'), corm.limit(4)) #>> '{page_info,end_cursor}')) -> 'rows' AS before;
SELECT corm.page_json(corm.selector('d'), corm.select('id'), corm.order_by('id'), corm.for_update()) -> 'rows' AS all;
SELECT id FROM corm.get_multi(NULL::d, corm.order_by('id'), corm.limit(2), corm.for_update(), corm.before(corm.page_json(corm.selector('d'), corm.order_by('id'), corm.limit(4)) #>> '{page_info,end_cursor}'));

\echo G3c: an order that names a field again and again
SELECT corm.to_sql(corm.selector('d'), corm.order_by('n', 'id', '-n', 'id', 'N'), corm.select('id'), corm.limit(1),
    corm.after(corm.page_json(corm.selector('d'), corm.order_by('n', 'id', '-n', 'id', 'N'), corm.limit(1)) #>> '{page_info,end_cursor}')) AS sql;
SELECT walk(corm.selector('d') |> corm.order_by('n', 'n', '-n', 'id', 'n'), 'id', 1) AS repeated;
-- the condition of a cursor is as long as the order, not as its square
SELECT length(corm.to_sql(corm.selector('odd'), corm.select('id'), corm.order_by('h', 'r', 't', 'm', 'c', 'o', 'x', 'ip', 'b', 'ba', 'iv', 'ar', 'rg', 'ts', 'f'), corm.limit(1), corm.after(corm.page_json(corm.selector('odd'), corm.order_by('h', 'r', 't', 'm', 'c', 'o', 'x', 'ip', 'b', 'ba', 'iv', 'ar', 'rg', 'ts', 'f'), corm.limit(1)) #>> '{page_info,end_cursor}'))) < 4000 AS linear;
SELECT walk(corm.selector('odd') |> corm.order_by('t', '-f', corm.asc('c', 'first'), 'h', '-m'), 'id', 1) = (SELECT string_agg(id::text, ' ' ORDER BY o.n) FROM (SELECT id, row_number() OVER () AS n FROM corm.get_multi(NULL::odd, corm.order_by('t', '-f', corm.asc('c', 'first'), 'h', '-m', '-id'))) o) AS many;

RESET search_path;
DROP SCHEMA pg7 CASCADE;
