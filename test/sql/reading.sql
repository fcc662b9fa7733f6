-- The verbs that read: typed rows, JSON and single values, of every kind of relation.
SET client_min_messages = warning;
CREATE SCHEMA rd;
SET search_path = rd;
CREATE TYPE level AS ENUM ('low', 'high');
CREATE TABLE items (
    dropped1 int, id int PRIMARY KEY, name text, dropped2 text, level level, tags text[], price numeric(6,2), doc jsonb, dropped3 int
);
INSERT INTO items VALUES (0, 1, 'one', 'x', 'low', '{a,b}', 1.5, '{"k": 1}', 0), (0, 2, 'two', 'x', 'high', NULL, 2.5, NULL, 0),
    (0, 3, NULL, 'x', NULL, '{}', NULL, '[]', 0);
ALTER TABLE items DROP dropped1, DROP dropped2, DROP dropped3;
ALTER TABLE items ADD added int DEFAULT 7;
\set VERBOSITY terse

-- get, one, first
SELECT * FROM corm.get(NULL::items, corm.where(corm.eq('id', 2)));
SELECT (corm.get(NULL::items, corm.order_by('-id'))).id;
SELECT * FROM corm.get(NULL::items, corm.where(corm.eq('id', 9)));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.one(NULL::items, corm.where(corm.eq('id', 2)));
SELECT * FROM corm.one(NULL::items, corm.where(corm.eq('id', 9)));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.one(NULL::items);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.one(NULL::items, corm.limit(1), corm.order_by('id'));
SELECT * FROM corm.first(NULL::items);
SELECT * FROM corm.first(NULL::items, corm.order_by('-price'), corm.where(corm.is_not_null('price')));
SELECT corm.first(NULL::items, corm.where(corm.eq('id', 9))) IS NULL AS none;
-- the verb's own limit does not replace the query's
SELECT * FROM corm.get(NULL::items, corm.order_by('id'), corm.limit(5), corm.offset(1));
SELECT corm.first(NULL::items, corm.limit(0)) IS NULL AS none;

-- get_multi
SELECT * FROM corm.get_multi(NULL::items) ORDER BY id;
SELECT id, name FROM corm.get_multi(NULL::items, corm.where(corm.gt('id', 1)), corm.order_by('-id'));
SELECT count(*) FROM corm.get_multi(NULL::items, corm.where(corm.gt('id', 10)));
SELECT corm.get_multi(NULL::items, corm.order_by('id'), corm.limit(1));
SELECT i.id, x.id FROM items i, LATERAL corm.get_multi(NULL::items, corm.where(corm.lt('id', i.id))) x ORDER BY 1, 2;

-- other row types: a struct, with other types and other names, with dropped attributes
CREATE TYPE card AS (price text, id bigint, gone int, name varchar(2));
ALTER TYPE card DROP ATTRIBUTE gone;
SELECT * FROM corm.get_multi(NULL::card, corm.selector('items'), corm.order_by('id'));
SELECT * FROM corm.get_multi(NULL::card, corm.selector('items'), corm.order_by('-price'), corm.limit(1));
CREATE TYPE total AS (n text, level text);
SELECT * FROM corm.get_multi(NULL::total, corm.selector('items'), corm.select('level', corm.as(corm.mul(corm.count(), 5), 'n')),
    corm.group_by('level'), corm.order_by('-n', 'level'));
SELECT * FROM corm.get_multi(NULL::card, corm.selector('items'), corm.select('id', 'name'));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.get_multi(NULL::total, corm.selector('items'));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.get_multi(NULL::card);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM corm.get_multi(NULL::int, corm.selector('items'));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.get(ROW(1, 2), corm.selector('items'));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.get(NULL, corm.selector('items'));
\echo :LAST_ERROR_SQLSTATE
-- selecting more than the type has, and computing into it
SELECT * FROM corm.get_multi(NULL::card, corm.selector('items'), corm.select('id', 'level', 'name', corm.as(corm.coalesce(corm.c('price'), 0), 'price')),
    corm.order_by('level', 'id'));
SELECT * FROM corm.get_multi(NULL::card, corm.selector('items'), corm.distinct(), corm.select('price', 'id', 'name'), corm.order_by('id'));
SELECT * FROM corm.get_multi(NULL::card, corm.selector('items'), corm.where(corm.eq('id', 1)), corm.union(corm.pipe(corm.selector('items'),
    corm.where(corm.eq('id', 2)))), corm.order_by('-id'));
SELECT * FROM corm.get_multi(NULL::card, corm.raw_query('SELECT 1 AS name, $1 AS price, 3 AS id, 4 AS more', 'p'));
SELECT * FROM corm.get(NULL::card, corm.raw_query('SELECT 1 AS name')) \g /dev/null
\echo :LAST_ERROR_SQLSTATE

-- JSON
SELECT corm.get_json(corm.selector('items'), corm.where(corm.eq('id', 1)));
SELECT corm.get_json(corm.selector('items'), corm.where(corm.eq('id', 9)));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.first_json(corm.selector('items'));
SELECT corm.first_json(corm.selector('items'), corm.where(corm.eq('id', 9))) IS NULL AS none;
SELECT corm.get_multi_json(corm.selector('items'), corm.order_by('-id'), corm.select('id', 'level', 'price'));
SELECT corm.get_multi_json(corm.selector('items'), corm.where(corm.eq('id', 9)));

-- single values
SELECT corm.value(NULL::text, corm.selector('items'), corm.select('name'), corm.where(corm.eq('id', 2)));
SELECT corm.value(NULL::bigint, corm.selector('items'), corm.select(corm.sum('id')));
SELECT corm.value(NULL::text, corm.selector('items'), corm.select('name'), corm.where(corm.eq('id', 9))) IS NULL AS none;
SELECT corm.value(NULL::text, corm.selector('items'), corm.select('name'), corm.where(corm.eq('id', 3))) IS NULL AS null_value;
SELECT corm.value(NULL::level, corm.raw_query('SELECT ''high'''));
SELECT corm.value(NULL::bpchar, corm.selector('items'), corm.select('name'), corm.where(corm.eq('id', 2)));
SELECT corm.pluck(NULL::text, corm.selector('items'), corm.select('name'), corm.order_by('id'));
SELECT corm.pluck(NULL::text, corm.selector('items'), corm.select(corm.as(corm.mul('id', 5), 'x')), corm.order_by('-x'));
SELECT * FROM corm.pluck(NULL::int, corm.raw_query('SELECT generate_series(1, $1)', 3));
SELECT array_agg(t) FROM corm.pluck(NULL::text[], corm.selector('items'), corm.select('tags'), corm.order_by('id')) t WHERE t <> '{}';
SELECT corm.value(NULL::items, corm.selector('items'), corm.select(corm.raw('items')), corm.where(corm.eq('id', 1)));
SELECT corm.value(NULL::int, corm.selector('items'));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.pluck(NULL::items, corm.selector('items'), corm.select('id'));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.value(NULL::int, corm.selector('items'), corm.select('name'), corm.order_by('id'));
\echo :LAST_ERROR_SQLSTATE

-- count and exists, of the whole query
SELECT corm.count(corm.selector('items')), corm.count(corm.selector('items'), corm.where(corm.gt('id', 1))),
    corm.count(corm.selector('items'), corm.limit(2)), corm.count(corm.selector('items'), corm.offset(1)),
    corm.count(corm.selector('items'), corm.distinct(), corm.select(corm.is_null('level'))),
    corm.count(corm.selector('items'), corm.group_by(corm.is_null('level')), corm.select(corm.count())),
    corm.count(corm.selector('items'), corm.union_all(corm.selector('items'))),
    corm.count(corm.raw_query('SELECT 1 WHERE false'));
SELECT corm.exists(corm.selector('items')), corm.exists(corm.selector('items'), corm.where(corm.eq('id', 9))),
    corm.exists(corm.selector('items'), corm.limit(0)), corm.exists(corm.selector('items'), corm.offset(2)),
    corm.exists(corm.selector('items'), corm.group_by('level'), corm.select('level'), corm.having(corm.gt(corm.count(), 1))),
    corm.exists(corm.raw_query('SELECT 1'));

-- exec of a read counts its rows; the SQL of corm.to_sql() is what runs, with corm.args()
SELECT corm.exec(corm.selector('items'), corm.where(corm.gt('id', 1)));
SELECT corm.to_sql(corm.selector('items'), corm.where(corm.in('id', ARRAY[1, 2]), corm.contains('name', 'o%'))),
    corm.args(corm.selector('items'), corm.where(corm.in('id', ARRAY[1, 2]), corm.contains('name', 'o%')));
SELECT corm.args(corm.selector('items'));
SELECT split_part(line, '  (', 1) AS plan FROM corm.explain(corm.selector('items'), corm.where(corm.eq('name', 'x'))) line;
SELECT count(*) > 2 AS lines FROM corm.explain_analyze(corm.selector('items'), corm.where(corm.eq('name', 'x')));
SELECT corm.explain(corm.deleter('items'), corm.all_rows()) \g /dev/null
SELECT count(*) FROM items;

-- partitioned tables, inheritance, views, foreign tables, materialized views
CREATE TABLE part (id int, region text, v int, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
CREATE TABLE part_b (v int, region text NOT NULL, id int NOT NULL);
ALTER TABLE part ATTACH PARTITION part_b FOR VALUES IN ('b');
INSERT INTO part VALUES (1, 'a', 10), (1, 'b', 20), (2, 'b', 30);
SELECT * FROM corm.get_multi(NULL::part, corm.where(corm.eq('id', 1)), corm.order_by('region'));
SELECT * FROM corm.get_multi(NULL::part_b, corm.order_by('id'));
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (extra int) INHERITS (parent);
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child VALUES (1, 'c', 5);
SELECT * FROM corm.get_multi(NULL::parent, corm.order_by('v'));
SELECT * FROM corm.get_multi(NULL::child);
SELECT corm.one(NULL::parent, corm.where(corm.eq('id', 1)));
CREATE VIEW cheap AS SELECT id, name, price * 2 AS double FROM items WHERE price < 2;
SELECT * FROM corm.get_multi(NULL::cheap);
SELECT * FROM corm.first(NULL::cheap);
CREATE MATERIALIZED VIEW kept AS SELECT id, name FROM items;
SELECT corm.count(corm.selector('kept'));
CREATE EXTENSION file_fdw SCHEMA rd;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (id int, name text) SERVER files OPTIONS (program 'printf "1,x\n2,y\n"', format 'csv');
SELECT * FROM corm.get_multi(NULL::lines, corm.where(corm.gt('id', 1)));

-- a table without columns
CREATE TABLE blank ();
SELECT corm.get_multi_json(corm.selector('blank')), corm.insert_json('blank', '[{}]'), corm.insert_json('blank', '[{}, {}]');
SELECT corm.get(NULL::blank), corm.insert(ROW()::blank), corm.count(corm.selector('blank'));
SELECT corm.insert_multi(ARRAY[ROW()::blank, ROW()]);
SELECT * FROM corm.get_multi(NULL::blank, corm.limit(2)) AS b;
-- columns of another model are not too many for it
SELECT b::text FROM corm.get_multi(NULL::blank, corm.selector('items'), corm.limit(1)) AS b;
SELECT corm.get_multi_json(corm.deleter('blank'), corm.all_rows());
DROP TABLE blank;

-- names
CREATE TABLE "Select ""Table""" ("id" int PRIMARY KEY, "MixedCase" int, "with space" int, "quote""d" int, "order" int, "a.b" int,
    "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc" int, "semi; drop" int, "$1" int, "r" int, "漢字" int, "back\slash" int);
INSERT INTO "Select ""Table""" VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
SELECT corm.get_multi_json(corm.selector('"Select ""Table"""'));
SELECT corm.to_sql(corm.selector('"Select ""Table"""'), corm.where(corm.eq('MixedCase', 2), corm.eq('with space', 3), corm.eq('quote"d', 4), corm.eq('order', 5),
    corm.eq('a.b', 6), corm.eq('abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc', 7), corm.eq('semi; drop', 8), corm.eq('$1', 9), corm.eq('r', 10),
    corm.eq('漢字', 11), corm.eq('back\slash', 12)), corm.order_by('-semi; drop'));
SELECT id FROM corm.get_multi(NULL::"Select ""Table""", corm.where(corm.eq('MixedCase', 2), corm.eq('with space', 3), corm.eq('quote"d', 4), corm.eq('order', 5),
    corm.eq('a.b', 6), corm.eq('abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc', 7), corm.eq('semi; drop', 8), corm.eq('$1', 9), corm.eq('r', 10),
    corm.eq('漢字', 11), corm.eq('back\slash', 12), corm.eq('Select "Table".a.b', 6)), corm.order_by('-semi; drop'));
SELECT corm.get(NULL::"Select ""Table""", corm.where(corm.eq('id; drop', 1)));
\echo :LAST_ERROR_SQLSTATE

-- a row as the table has it, and rows that the table has in another form: older than a column, with a value out of
-- line, of a child whose columns stand in another order, for a type that is not the table's
CREATE TABLE wide (id int PRIMARY KEY, big text, n int);
ALTER TABLE wide ALTER big SET STORAGE EXTERNAL;
INSERT INTO wide VALUES (1, 'small', NULL), (2, repeat('x', 5000), 2);
SELECT corm.get(NULL::wide, corm.where(corm.eq('id', 1)));
SELECT length((w).big), (w).n FROM corm.get(NULL::wide, corm.where(corm.eq('id', 2))) AS w;
-- it lasts although the table's own value goes
BEGIN;
CREATE TABLE kept_rows AS SELECT corm.get(NULL::wide, corm.where(corm.eq('id', 2))) AS w;
DELETE FROM wide WHERE id = 2;
COMMIT;
VACUUM wide;
SELECT length((w).big), (w).n FROM kept_rows;
DROP TABLE kept_rows;
CREATE TYPE wide_like AS (id int, big text, n int);
SELECT pg_typeof(w), w FROM corm.get(NULL::wide_like, corm.selector('wide')) AS w;
ALTER TABLE wide ADD late text DEFAULT 'late', ADD later text;
SELECT corm.get(NULL::wide, corm.where(corm.eq('id', 1)));
INSERT INTO wide VALUES (3, 'new', 3, 'x');
SELECT corm.get(NULL::wide, corm.where(corm.eq('id', 3)));
SELECT corm.one(NULL::wide, corm.where(corm.eq('id', 3))) = ROW(3, 'new', 3, 'x', NULL)::wide AS same;
CREATE TABLE wide_child (later text, late text, n int, big text, id int PRIMARY KEY);
ALTER TABLE wide_child INHERIT wide;
INSERT INTO wide_child VALUES ('e', 'd', 4, 'b', 4);
SELECT corm.get(NULL::wide, corm.where(corm.eq('id', 4))), corm.get(NULL::wide_child, corm.where(corm.eq('id', 4)));
DROP TABLE wide_child, wide;
DROP TYPE wide_like;

-- where a set is not possible, and cursors
SELECT corm.get_multi(NULL::items, corm.order_by('id')), 1 LIMIT 1;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM corm.get_multi(NULL::items, corm.order_by('id'));
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH LAST FROM c;
COMMIT;
DROP SCHEMA rd CASCADE;
