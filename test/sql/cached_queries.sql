-- Queries answered from the cache: corm.cached().

\set VERBOSITY terse
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA cached;
SET search_path = cached;
CREATE TABLE things (id int PRIMARY KEY, name text, data jsonb);
INSERT INTO things SELECT i, 'thing ' || i, jsonb_build_object('n', i) FROM generate_series(1, 3) i;
-- a value that TOAST keeps elsewhere
INSERT INTO things SELECT 4, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 4000) i), NULL;

-- Every verb that returns rows: once run, once from the cache; what is behind it has changed in between.
CREATE FUNCTION answers() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'get ' || (corm.get(NULL::things, corm.where(corm.eq('id', 1)), corm.cached('1h'))).name
    UNION ALL SELECT 'one ' || (corm.one(NULL::things, corm.where(corm.eq('id', 2)), corm.cached('1h'))).name
    UNION ALL SELECT 'first ' || (corm.first(NULL::things, corm.cached('1h'))).name
    UNION ALL SELECT 'multi ' || string_agg(m.id || ':' || length(m.name), ',') FROM corm.get_multi(NULL::things, corm.order_by('id'), corm.cached('1h')) m
    UNION ALL SELECT 'json ' || corm.get_json(corm.selector('things'), corm.select('id', 'data'), corm.where(corm.eq('id', 3)), corm.cached('1h'))::text
    UNION ALL SELECT 'array ' || corm.get_multi_json(corm.selector('things'), corm.select('id'), corm.order_by('id'), corm.cached('1h'))::text
    UNION ALL SELECT 'value ' || corm.value(NULL::text, corm.selector('things'), corm.select('name'), corm.where(corm.eq('id', 1)), corm.cached('1h'))
    UNION ALL SELECT 'pluck ' || array_to_string(ARRAY(SELECT corm.pluck(NULL::int, corm.selector('things'), corm.select('id'), corm.order_by('id'), corm.cached('1h'))), ',')
    UNION ALL SELECT 'count ' || corm.count(corm.selector('things'), corm.cached('1h'))
    UNION ALL SELECT 'exists ' || corm.exists(corm.selector('things'), corm.where(corm.eq('id', 9)), corm.cached('1h'))
$$;
SELECT * FROM answers();
UPDATE things SET name = 'changed', data = '{}';
INSERT INTO things VALUES (9, 'new');
SELECT * FROM answers();
-- without the clause the truth is told, and other values are another entry
SELECT corm.count(corm.selector('things'));
SELECT corm.count(corm.selector('things'), corm.where(corm.eq('id', 1)), corm.cached('1h')), corm.count(corm.selector('things'), corm.where(corm.eq('id', 9)), corm.cached('1h'));

-- A transaction that has written sees its own changes, and leaves nothing behind
BEGIN;
DELETE FROM things WHERE id = 9;
SELECT corm.exists(corm.selector('things'), corm.where(corm.eq('id', 9), corm.gt('id', 0)), corm.cached('1h'));
ROLLBACK;
SELECT corm.exists(corm.selector('things'), corm.where(corm.eq('id', 9), corm.gt('id', 0)), corm.cached('1h'));

-- A row type that changes is another key
SELECT * FROM corm.get(NULL::things, corm.select('id', 'name', 'data'), corm.where(corm.eq('id', 2)), corm.cached('1h'));
ALTER TABLE things ALTER id TYPE bigint;
SELECT * FROM corm.get(NULL::things, corm.select('id', 'name', 'data'), corm.where(corm.eq('id', 2)), corm.cached('1h'));
ALTER TABLE things DROP name;
SELECT * FROM corm.get(NULL::things, corm.where(corm.eq('id', 2)), corm.cached('1h'));

-- hardening 9: so are the role and the settings
CREATE ROLE regress_cached;
GRANT USAGE ON SCHEMA cached TO regress_cached;
GRANT SELECT ON things TO regress_cached;
SELECT corm.count(corm.selector('things'), corm.where(corm.lt('id', 100)), corm.cached('1h'));
DELETE FROM things WHERE id = 1;
SELECT corm.count(corm.selector('things'), corm.where(corm.lt('id', 100)), corm.cached('1h'));
SET ROLE regress_cached;
SELECT corm.count(corm.selector('things'), corm.where(corm.lt('id', 100)), corm.cached('1h'));
RESET ROLE;
REVOKE SELECT ON things FROM regress_cached;
SET ROLE regress_cached;
SELECT corm.count(corm.selector('things'), corm.where(corm.lt('id', 101)), corm.cached('1h'));
RESET ROLE;

-- What must not be shared
SELECT corm.get_multi_json(corm.selector('things'), corm.for_update(), corm.cached('1h'));
SELECT corm.get_multi_json(corm.selector('things'), corm.select(corm.as(corm.fn('random'), 'r')), corm.cached('1h'));
CREATE TEMP TABLE temps (id int);
SELECT corm.count(corm.selector('temps'), corm.cached('1h'));
-- (a session with temporary objects does not use the cache for what calls functions of users)
\c -
SET client_min_messages = warning;
SET search_path = cached;
ALTER TABLE things ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON things TO regress_cached;
SET ROLE regress_cached;
SELECT corm.count(corm.selector('things'), corm.cached('1h'));
RESET ROLE;
ALTER TABLE things DISABLE ROW LEVEL SECURITY;
SELECT corm.page_json(corm.selector('things'), corm.cached('1h'));
SELECT corm.exec(corm.selector('things'), corm.cached('1h'));
SELECT corm.exec(corm.deleter('things'), corm.all_rows(), corm.cached('1h'));
SELECT corm.count(corm.from_query(corm.pipe(corm.selector('things'), corm.cached('1h')), 't'));
SELECT corm.count(corm.selector('things'), corm.cached('0'));
SELECT corm.count(corm.selector('things'), corm.cached('-1h'));
SELECT corm.count(corm.selector('things'), corm.cached(NULL));
SELECT corm.one(NULL::things, corm.cached('1h'));
SELECT corm.get(NULL::things, corm.where(corm.eq('id', -1)), corm.cached('1h'));
SELECT corm.cached('1h')::text::corm.query;

-- A right that is revoked is revoked for what is kept, too; of a view it is the owner's that counts for what is behind it
GRANT SELECT ON things TO regress_cached;
CREATE VIEW shown AS SELECT id FROM things;
GRANT SELECT ON shown TO regress_cached;
SET ROLE regress_cached;
SELECT corm.count(corm.selector('things'), corm.where(corm.lt('id', 102)), corm.cached('1h')) > 0, corm.count(corm.selector('shown'), corm.cached('1h')) > 0;
RESET ROLE;
REVOKE SELECT ON things FROM regress_cached;
SET ROLE regress_cached;
SELECT corm.count(corm.selector('things'), corm.where(corm.lt('id', 102)), corm.cached('1h')) > 0;
SELECT corm.count(corm.selector('shown'), corm.cached('1h')) > 0;
RESET ROLE;
REVOKE SELECT ON shown FROM regress_cached;
SET ROLE regress_cached;
SELECT corm.count(corm.selector('shown'), corm.cached('1h')) > 0;
RESET ROLE;
DROP VIEW shown;

-- A query that may look at settings is kept for their values: another tenant sees its own rows, asked directly or by a function
CREATE TABLE tenants (tenant text, secret text);
INSERT INTO tenants VALUES ('a', 'of a'), ('b', 'of b');
CREATE FUNCTION my_tenant() RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN current_setting('app.tenant'); END $$;
CREATE VIEW mine AS SELECT secret FROM tenants WHERE tenant = current_setting('app.tenant');
CREATE VIEW mine_too AS SELECT secret FROM tenants WHERE tenant = my_tenant();
SET app.tenant = 'a';
SELECT corm.get_multi_json(corm.selector('mine'), corm.cached('1h')), corm.get_multi_json(corm.selector('mine_too'), corm.cached('1h'));
SET app.tenant = 'b';
SELECT corm.get_multi_json(corm.selector('mine'), corm.cached('1h')), corm.get_multi_json(corm.selector('mine_too'), corm.cached('1h'));
DELETE FROM tenants;
SELECT corm.get_multi_json(corm.selector('mine'), corm.cached('1h')), corm.get_multi_json(corm.selector('mine_too'), corm.cached('1h'));

-- Another table of the same name is another table
CREATE TABLE again (id int, v text);
INSERT INTO again VALUES (1, 'old');
SELECT corm.get_multi_json(corm.selector('again'), corm.cached('1h'));
DROP TABLE again;
CREATE TABLE again (id int, v text);
SELECT corm.get_multi_json(corm.selector('again'), corm.cached('1h'));

-- A query that cannot be parsed any more is not answered from the cache, whatever it was; it is when it can be again
CREATE FUNCTION going(int) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT $1 = 1 $$;
SELECT corm.get_multi_json(corm.selector('again'), corm.where(corm.fn('cached.going', corm.c('id'))), corm.cached('1h')) FROM generate_series(1, 2);
ALTER FUNCTION going RENAME TO gone;
SELECT corm.get_multi_json(corm.selector('again'), corm.where(corm.fn('cached.going', corm.c('id'))), corm.cached('1h'));
SELECT corm.get_multi_json(corm.selector('again'), corm.where(corm.fn('cached.going', corm.c('id'))), corm.cached('1h'));
INSERT INTO again VALUES (3, 'new');
ALTER FUNCTION gone RENAME TO going;
SELECT corm.get_multi_json(corm.selector('again'), corm.where(corm.fn('cached.going', corm.c('id'))), corm.cached('1h'));
-- Another function of the same name is another function
DROP FUNCTION going;
CREATE FUNCTION going(int) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT $1 = 3 $$;
SELECT corm.get_multi_json(corm.selector('again'), corm.where(corm.fn('cached.going', corm.c('id'))), corm.cached('1h'));
-- A composite type inside a result that changes its layout makes another result
CREATE TYPE inner_row AS (a int, b text);
CREATE TYPE outer_row AS (id int, made inner_row);
CREATE FUNCTION make_row(i int) RETURNS inner_row IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r inner_row; BEGIN r.a := 77; r.b := 'x' || i; RETURN r; END $$;
SELECT * FROM corm.get_multi(NULL::outer_row, corm.selector('things'), corm.select('id', corm.as(corm.fn('make_row', 7), 'made')), corm.where(corm.eq('id', 2)), corm.cached('1h'));
ALTER TYPE inner_row ALTER ATTRIBUTE a TYPE text;
SELECT * FROM corm.get_multi(NULL::outer_row, corm.selector('things'), corm.select('id', corm.as(corm.fn('make_row', 7), 'made')), corm.where(corm.eq('id', 2)), corm.cached('1h'));

DROP SCHEMA cached CASCADE;
DROP ROLE regress_cached;
