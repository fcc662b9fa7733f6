-- Fresh answers: corm.cached(fresh => true) and corm.cached_explain().

\set VERBOSITY terse
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA fresh;
SET search_path = fresh;
CREATE TABLE shops (id int PRIMARY KEY, name text);
CREATE TABLE wares (id int PRIMARY KEY, shop_id int REFERENCES shops ON DELETE CASCADE, price numeric);
INSERT INTO shops VALUES (1, 'one'), (2, 'two');
INSERT INTO wares SELECT i, 1 + i % 2, i FROM generate_series(1, 4) i;

-- The answer with fresh, what became of it, and whether it is the same without the cache
CREATE FUNCTION ask(VARIADIC q corm.query[], OUT outcome text, OUT answer text, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
    a jsonb := (SELECT to_jsonb(s) FROM corm.fresh_stats s WHERE cache = '(query results)');
    b jsonb;
BEGIN
    answer := corm.get_multi_json(corm.pipe(VARIADIC q), corm.cached('1 hour', fresh => true))::text;
    same := answer = corm.get_multi_json(corm.pipe(VARIADIC q))::text;
    b := (SELECT to_jsonb(s) FROM corm.fresh_stats s WHERE cache = '(query results)');
    outcome := (SELECT string_agg(key, ' ') FROM jsonb_each(b) WHERE value IS DISTINCT FROM a -> key AND key <> 'cache' AND value <> '0');
END $$;
CREATE FUNCTION total() RETURNS corm.query LANGUAGE sql AS $$
    SELECT corm.pipe(corm.selector('fresh.wares'), corm.select(corm.as(corm.count(), 'n'), corm.as(corm.sum('price'), 'sum')))
$$;

-- every verb that returns rows, and no ttl
SELECT corm.count(corm.selector('wares'), corm.cached(fresh => true)), (corm.get(NULL::wares, corm.where(corm.eq('id', 1)), corm.cached(fresh => true))).price,
    corm.value(NULL::text, corm.selector('shops'), corm.select('name'), corm.where(corm.eq('id', 1)), corm.cached(fresh => true)),
    corm.get_json(corm.selector('shops'), corm.where(corm.eq('id', 1)), corm.cached('1 h', true)), corm.exists(corm.selector('wares'), corm.cached(NULL, true));
SELECT corm.count(corm.selector('wares'), corm.cached());
SELECT corm.count(corm.selector('wares'), corm.cached('0 s', true));

SELECT * FROM ask(total());
SELECT * FROM ask(total());
INSERT INTO wares VALUES (5, 1, 5);
SELECT * FROM ask(total());
SELECT * FROM ask(total());
-- a table that it does not read
UPDATE shops SET name = 'first' WHERE id = 1;
SELECT * FROM ask(total());
-- what is rolled back is not written
BEGIN; DELETE FROM wares; ROLLBACK;
SELECT * FROM ask(total());
BEGIN; SAVEPOINT a; DELETE FROM wares; ROLLBACK TO a; INSERT INTO shops VALUES (3, 'three'); COMMIT;
SELECT * FROM ask(total());
BEGIN; SAVEPOINT a; DELETE FROM wares WHERE id = 5; RELEASE a; COMMIT;
SELECT * FROM ask(total());
DO $$ BEGIN BEGIN DELETE FROM wares; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; UPDATE shops SET name = name; END $$;
SELECT * FROM ask(total());
-- a transaction sees what it has written
BEGIN;
SELECT * FROM ask(total());
DELETE FROM wares WHERE id = 4;
SELECT * FROM ask(total());
ROLLBACK;
SELECT * FROM ask(total());
-- every way to write
DELETE FROM shops WHERE id = 2;
SELECT * FROM ask(total());
COPY wares FROM stdin;
7	1	7
\.
SELECT * FROM ask(total());
WITH new AS (INSERT INTO wares VALUES (8, 1, 8) RETURNING *) SELECT count(*) FROM new;
SELECT * FROM ask(total());
MERGE INTO wares w USING (VALUES (8, 80), (9, 90)) v (id, price) ON w.id = v.id
    WHEN MATCHED THEN UPDATE SET price = v.price WHEN NOT MATCHED THEN INSERT VALUES (v.id, 1, v.price);
SELECT * FROM ask(total());
SELECT corm.exec(corm.updater('wares'), corm.set('price', 9), corm.where(corm.eq('id', 9)));
SELECT * FROM ask(total());
ALTER TABLE wares ALTER price TYPE int;
SELECT * FROM ask(total());
CLUSTER wares USING wares_pkey;
SELECT * FROM ask(total());
TRUNCATE wares;
SELECT * FROM ask(total());
CREATE FUNCTION from_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fresh.wares VALUES (NEW.id, NULL, 1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON shops DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION from_trigger();
INSERT INTO shops VALUES (10, 'ten');
SELECT * FROM ask(total());
DROP TRIGGER late ON shops;
-- so many tables that the lock of the last one is in the shared table
DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE format('CREATE TABLE more%s (id int)', i); END LOOP; END $$;
DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE format('INSERT INTO more%s VALUES (1)', i); END LOOP; INSERT INTO wares VALUES (40, 1, 40); END $$;
SELECT * FROM ask(total());
DELETE FROM wares WHERE id = 40;

-- several tables, relations and preloads
SELECT * FROM ask(corm.selector('shops'), corm.select('id'), corm.order_by('id'), corm.preload('wares', corm.select('id')));
INSERT INTO wares VALUES (20, 3, 1);
SELECT * FROM ask(corm.selector('shops'), corm.select('id'), corm.order_by('id'), corm.preload('wares', corm.select('id')));
UPDATE shops SET id = 4 WHERE id = 10;
SELECT * FROM ask(corm.selector('shops'), corm.select('id'), corm.order_by('id'), corm.preload('wares', corm.select('id')));
SELECT * FROM ask(corm.selector('shops'), corm.select('id'), corm.order_by('id'), corm.preload('wares', corm.select('id')));

-- partitions and inheritance, by whatever name they are written and read
CREATE TABLE parts (id int, v int) PARTITION BY LIST (id);
CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1) PARTITION BY LIST (v);
CREATE TABLE part1a PARTITION OF part1 FOR VALUES IN (1);
CREATE TABLE part1b PARTITION OF part1 FOR VALUES IN (2);
CREATE TABLE part2 (v int, id int);
CREATE FUNCTION number_of(regclass) RETURNS corm.query LANGUAGE sql AS $$ SELECT corm.pipe(corm.selector($1), corm.select(corm.as(corm.count(), 'n'))) $$;
SELECT r, (ask(number_of(r))).* FROM unnest('{parts,part1,part1a,part1b}'::regclass[]) r;
INSERT INTO parts VALUES (1, 1);
SELECT r, (ask(number_of(r))).* FROM unnest('{parts,part1,part1a,part1b}'::regclass[]) r;
INSERT INTO part1b VALUES (1, 2);
SELECT r, (ask(number_of(r))).* FROM unnest('{parts,part1,part1a,part1b}'::regclass[]) r;
UPDATE parts SET v = 1 WHERE v = 2;
SELECT r, (ask(number_of(r))).* FROM unnest('{parts,part1,part1a,part1b}'::regclass[]) r;
COPY parts FROM stdin;
1	2
\.
SELECT r, (ask(number_of(r))).* FROM unnest('{parts,part1,part1a,part1b}'::regclass[]) r;
INSERT INTO part2 VALUES (1, 2);
ALTER TABLE parts ATTACH PARTITION part2 FOR VALUES IN (2);
SELECT * FROM ask(number_of('parts'));
INSERT INTO part2 VALUES (2, 2);
SELECT * FROM ask(number_of('parts'));
ALTER TABLE parts DETACH PARTITION part2;
SELECT * FROM ask(number_of('parts'));
DROP TABLE part1b;
SELECT * FROM ask(number_of('parts'));
-- a grandchild, of which PostgreSQL tells only those who know its parent
CREATE TABLE part1c PARTITION OF part1 FOR VALUES IN (3);
SELECT * FROM ask(number_of('parts'));
INSERT INTO part1c VALUES (1, 3);
SELECT * FROM ask(number_of('parts'));
ALTER TABLE part1 DETACH PARTITION part1c;
SELECT * FROM ask(number_of('parts'));
CREATE TABLE heirs (id int);
SELECT * FROM ask(number_of('heirs'));
CREATE TABLE heir () INHERITS (heirs);
INSERT INTO heir VALUES (1);
SELECT * FROM ask(number_of('heirs'));
INSERT INTO heir VALUES (2);
SELECT * FROM ask(number_of('heirs'));
ALTER TABLE heir NO INHERIT heirs;
SELECT * FROM ask(number_of('heirs'));
ALTER TABLE heir INHERIT heirs;
SELECT * FROM ask(number_of('heirs'));
DROP TABLE heir;
SELECT * FROM ask(number_of('heirs'));

-- views, materialized views
CREATE VIEW dear AS SELECT id FROM wares WHERE price > 0;
CREATE MATERIALIZED VIEW frozen AS SELECT id FROM wares;
SELECT r, (ask(number_of(r))).* FROM unnest('{dear,frozen}'::regclass[]) r;
INSERT INTO wares VALUES (30, 1, 30);
SELECT r, (ask(number_of(r))).* FROM unnest('{dear,frozen}'::regclass[]) r;
REFRESH MATERIALIZED VIEW frozen;
SELECT * FROM ask(number_of('frozen'));
CREATE UNIQUE INDEX ON frozen (id);
DELETE FROM wares WHERE id = 30;
SELECT * FROM ask(number_of('frozen'));
REFRESH MATERIALIZED VIEW CONCURRENTLY frozen;
SELECT * FROM ask(number_of('frozen'));
CREATE OR REPLACE VIEW dear AS SELECT id FROM shops;
SELECT * FROM ask(number_of('dear'));
ALTER VIEW dear RENAME TO cheap;
SELECT * FROM ask(number_of('cheap'));

-- functions and enums
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
CREATE FUNCTION four_times(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 2 * fresh.twice($1); END';
SELECT * FROM ask(corm.selector('wares'), corm.select(corm.as(corm.fn('fresh.four_times', corm.c('id')), 'x')), corm.order_by('id'), corm.limit(1));
SELECT * FROM ask(corm.selector('wares'), corm.select(corm.as(corm.fn('fresh.four_times', corm.c('id')), 'x')), corm.order_by('id'), corm.limit(1));
CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 3 * $1';
SELECT * FROM ask(corm.selector('wares'), corm.select(corm.as(corm.fn('fresh.four_times', corm.c('id')), 'x')), corm.order_by('id'), corm.limit(1));
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE people (id int, m mood);
INSERT INTO people VALUES (1, 'sad');
SELECT * FROM ask(corm.selector('people'));
SELECT * FROM ask(corm.selector('people'));
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
SELECT * FROM ask(corm.selector('people'));

-- casts to json, which JSON is made by
SELECT * FROM ask(corm.selector('people'));
CREATE FUNCTION number_of(mood) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT json '1' $$;
SELECT * FROM ask(corm.selector('people'));
CREATE CAST (mood AS json) WITH FUNCTION number_of(mood);
SELECT * FROM ask(corm.selector('people'));
SELECT * FROM ask(corm.selector('people'));
CREATE OR REPLACE FUNCTION number_of(mood) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT json '2' $$;
SELECT * FROM ask(corm.selector('people'));
CREATE OR REPLACE FUNCTION number_of(mood) RETURNS json LANGUAGE sql STABLE AS 'SELECT to_json(count(*)) FROM fresh.wares';
SELECT * FROM ask(corm.selector('people'));
SELECT * FROM corm.cached_explain(corm.selector('people'));
DROP CAST (mood AS json);
SELECT * FROM corm.cached_explain(corm.selector('people'));
DROP FUNCTION number_of(mood);
SELECT * FROM ask(corm.selector('people'));

-- row types, in columns and within each other: their columns are keys
CREATE TYPE inside AS (deep int);
CREATE TYPE pair AS (a int, b inside);
CREATE TABLE pairs (id int, p pair, w wares[]);
INSERT INTO pairs VALUES (1, (1, ROW(2)), ARRAY[ROW(1, 1, 1)::wares]);
SELECT * FROM ask(corm.selector('pairs'));
SELECT * FROM ask(corm.selector('pairs'));
ALTER TYPE pair RENAME ATTRIBUTE a TO z;
SELECT * FROM ask(corm.selector('pairs'));
ALTER TYPE inside RENAME ATTRIBUTE deep TO deeper;
SELECT * FROM ask(corm.selector('pairs'));
ALTER TABLE wares RENAME price TO cost;
SELECT * FROM ask(corm.selector('pairs'));
ALTER TABLE wares RENAME cost TO price;

-- a cast to a domain may become an error
CREATE DOMAIN small AS int;
SELECT corm.get_multi_json(corm.selector('shops'), corm.select(corm.as(corm.raw('max(id)::fresh.small'), 'x')), corm.cached(fresh => true));
SELECT corm.get_multi_json(corm.selector('shops'), corm.select(corm.as(corm.raw('max(id)::fresh.small'), 'x')), corm.cached(fresh => true));
ALTER DOMAIN small ADD CHECK (VALUE < 0);
SELECT corm.get_multi_json(corm.selector('shops'), corm.select(corm.as(corm.raw('max(id)::fresh.small'), 'x')), corm.cached(fresh => true));

-- an operator of users that sorts
CREATE FUNCTION below(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = int, FUNCTION = below);
CREATE OPERATOR CLASS by_below FOR TYPE int USING btree AS OPERATOR 1 <<<, OPERATOR 3 =, FUNCTION 1 btint4cmp(int, int);
CREATE VIEW sorted AS SELECT array_agg(id ORDER BY id USING <<<) AS ids FROM shops;
SELECT * FROM ask(corm.selector('sorted'));
SELECT * FROM ask(corm.selector('sorted'));
CREATE OR REPLACE FUNCTION below(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $2 > $1';
SELECT * FROM ask(corm.selector('sorted'));

-- a setting that changes what a query finds is in the key
SET gin_fuzzy_search_limit = 1;
SELECT * FROM ask(total());
RESET gin_fuzzy_search_limit;
SELECT * FROM ask(total());

-- what cannot be followed is read from the tables
CREATE TABLE oddities (id int, r regclass);
CREATE TABLE happenings (id int, at timestamptz);
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM fresh.wares';
CREATE VIEW by_function AS SELECT fresh.reads() AS n;
CREATE VIEW by_time AS SELECT id FROM happenings WHERE at > now();
CREATE VIEW by_setting AS SELECT id FROM wares WHERE id::text = current_setting('fresh.id', true);
CREATE VIEW by_other_setting AS SELECT id FROM wares WHERE id::text = current_setting('application_name');
CREATE VIEW by_user AS SELECT id FROM wares WHERE current_user = 'x';
CREATE VIEW by_sample AS SELECT id FROM wares TABLESAMPLE SYSTEM (100) REPEATABLE (1);
CREATE VIEW by_input AS SELECT id FROM shops WHERE name::date = '2020-01-01';
CREATE VIEW by_lock AS SELECT id, xmax FROM shops;
CREATE TABLE letters (x xml);
CREATE VIEW by_text AS SELECT y.* FROM letters, XMLTABLE('/a' PASSING x COLUMNS b timestamptz PATH 'b') y;
CREATE VIEW by_plain_text AS SELECT y.* FROM letters, XMLTABLE('/a' PASSING x COLUMNS b int PATH 'b') y;
CREATE VIEW by_name AS SELECT id, tableoid::regclass::text FROM shops;
CREATE VIEW by_chance AS SELECT id FROM shops WHERE random() > 2;
CREATE VIEW by_catalog AS SELECT relname FROM pg_class WHERE false;
CREATE SEQUENCE numbers;
CREATE VIEW by_sequence AS SELECT last_value FROM numbers;
CREATE TABLE secret (id int);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secret USING (true);
CREATE ROLE regress_fresh;
GRANT USAGE ON SCHEMA fresh TO regress_fresh;
GRANT SELECT ON ALL TABLES IN SCHEMA fresh TO regress_fresh;
CREATE TEMP TABLE passing (id int);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE abroad (id int) SERVER nowhere;
SELECT r, e.* FROM unnest('{wares,frozen,parts,by_setting,oddities,by_function,by_time,by_other_setting,by_user,by_sample,by_input,by_lock,by_text,by_plain_text,by_name,by_chance,by_catalog,by_sequence,passing,abroad}'::regclass[]) r,
    corm.cached_explain(corm.selector(r)) e;
SET ROLE regress_fresh;
SELECT * FROM corm.cached_explain(corm.selector('secret'));
SELECT * FROM corm.cached_explain(corm.selector('people'));
RESET ROLE;
SELECT * FROM corm.cached_explain(corm.updater('shops'), corm.set('name', 'x'), corm.where(corm.eq('id', 0)));
SELECT * FROM corm.cached_explain(corm.selector('shops'), corm.for_update());
SELECT r, (ask(number_of(r))).outcome FROM unnest('{by_function,by_time,by_chance,passing}'::regclass[]) r;
SELECT corm.count(corm.selector('shops'), corm.for_update(), corm.cached(fresh => true));
SELECT corm.count(corm.selector('by_setting'), corm.cached(fresh => true));
SET fresh.id = 20;
SELECT corm.count(corm.selector('by_setting'), corm.cached(fresh => true));
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM ask(total());
SELECT * FROM corm.cached_explain(total());
COMMIT;
BEGIN;
CREATE TABLE own ();
SELECT * FROM corm.cached_explain(total());
COMMIT;

-- privileges count as if the query ran
SELECT * FROM ask(number_of('people'));
SET ROLE regress_fresh;
SELECT corm.count(corm.selector('people'), corm.cached(fresh => true));
RESET ROLE;
REVOKE SELECT ON people FROM regress_fresh;
SET ROLE regress_fresh;
SELECT corm.count(corm.selector('people'), corm.cached(fresh => true));
RESET ROLE;

-- names and constants are what the session's parser finds: functions of its own, collations, the time
CREATE FUNCTION pg_temp.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 100';
SELECT * FROM ask(corm.selector('shops'), corm.select(corm.as(corm.raw('pg_temp.f(id)'), 'x')), corm.limit(1));
CREATE COLLATION by_letter FROM "C";
CREATE TABLE words (w text);
INSERT INTO words VALUES ('b'), ('A');
SELECT * FROM ask(corm.selector('words'), corm.order_by(corm.raw('w COLLATE fresh.by_letter')));
CREATE FUNCTION at_parse() RETURNS text LANGUAGE sql AS $$
    SELECT corm.get_multi_json(corm.selector('fresh.words'), corm.select(corm.as(corm.raw($q$'now'::timestamptz$q$), 'at')), corm.cached(fresh => true))
$$;
SELECT at_parse() AS parsed \gset
SELECT at_parse() = :'parsed';
\c -
SET client_min_messages = warning;
SET search_path = fresh;
CREATE FUNCTION pg_temp.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 200';
SELECT * FROM ask(corm.selector('shops'), corm.select(corm.as(corm.raw('pg_temp.f(id)'), 'x')), corm.limit(1));
SELECT at_parse() = :'parsed';
DROP COLLATION by_letter;
CREATE COLLATION by_letter FROM "POSIX";
SELECT * FROM ask(corm.selector('words'), corm.order_by(corm.raw('w COLLATE fresh.by_letter')));

-- the text form
SELECT corm.cached('1 h', true)::text, corm.cached(fresh => true)::text, corm.cached(NULL, NULL)::text;
SELECT corm.count(corm.selector('people'), corm.cached('1 h', true)::text::corm.query);

SELECT * FROM corm.cache_check();
RESET search_path;
DROP SCHEMA fresh CASCADE;
DROP FOREIGN DATA WRAPPER nowhere CASCADE;
DROP ROLE regress_fresh;
