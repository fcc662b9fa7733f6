-- corm.cached(): whose answer it is, and what its rows look like.

\set VERBOSITY terse
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA faults_cached;
SET search_path = faults_cached;
CREATE TABLE things (id int PRIMARY KEY, name text);
INSERT INTO things VALUES (1, 'one'), (2, 'two');

-- A4: a composite type's layout is in the key of single values too, nested ones and domains over it included
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN two AS pair;
CREATE TYPE nest AS (p pair);
CREATE FUNCTION pair(i int) RETURNS pair IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r pair; BEGIN r.a := 77; r.b := 'x' || i; RETURN r; END $$;
CREATE FUNCTION nest(i int) RETURNS nest IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r nest; BEGIN r.p := faults_cached.pair(i); RETURN r; END $$;
CREATE FUNCTION pairs(i int) RETURNS pair[] IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN ARRAY[faults_cached.pair(i)]; END $$;
CREATE FUNCTION two(i int) RETURNS two IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN faults_cached.pair(i)::two; END $$;
CREATE FUNCTION layouts() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEXT 'get ' || corm.get(NULL::nest, corm.selector('things'), corm.select(corm.as(corm.fn('pair', corm.c('id')), 'p')), corm.where(corm.eq('id', 1)), corm.cached('1h'))::text;
    RETURN NEXT 'value ' || corm.value(NULL::pair[], corm.selector('things'), corm.select(corm.as(corm.fn('pairs', corm.c('id')), 'v')), corm.where(corm.eq('id', 1)), corm.cached('1h'))::text;
    RETURN NEXT 'pluck ' || (SELECT string_agg(p::text, ' ') FROM corm.pluck(NULL::pair[], corm.selector('things'), corm.select(corm.as(corm.fn('pairs', corm.c('id')), 'v')), corm.order_by('id'), corm.cached('1h')) p);
    RETURN NEXT 'nested ' || corm.value(NULL::nest, corm.selector('things'), corm.select(corm.as(corm.fn('nest', corm.c('id')), 'v')), corm.where(corm.eq('id', 1)), corm.cached('1h'))::text;
    RETURN NEXT 'domain ' || corm.value(NULL::two, corm.selector('things'), corm.select(corm.as(corm.fn('two', corm.c('id')), 'v')), corm.where(corm.eq('id', 1)), corm.cached('1h'))::text;
END $$;
SELECT layouts();
ALTER TYPE pair ALTER ATTRIBUTE a TYPE text;
SELECT layouts();
ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint;
SELECT layouts();
ALTER TYPE pair ADD ATTRIBUTE c int;
SELECT layouts();
-- labels of an enum are shown as they are now
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE moods (id int, m mood);
INSERT INTO moods VALUES (1, 'sad');
SELECT corm.value(NULL::mood, corm.selector('moods'), corm.select('m'), corm.cached('1h'));
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
DELETE FROM moods;
SELECT corm.value(NULL::mood, corm.selector('moods'), corm.select('m'), corm.cached('1h'));

-- A5, F6: any setting is in the key, of PostgreSQL's own too: asked for by the query, a view, a function
CREATE TABLE secrets (app text, secret text);
INSERT INTO secrets VALUES ('a', 'of a'), ('b', 'of b');
CREATE FUNCTION app() RETURNS text STABLE LANGUAGE sql AS $$ SELECT current_setting('application_name') $$;
CREATE FUNCTION app_there() RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN current_setting('application_name'); END $$;
CREATE VIEW mine AS SELECT secret FROM secrets WHERE app = current_setting('application_name');
CREATE VIEW mine_sql AS SELECT secret FROM secrets WHERE app = app();
CREATE VIEW mine_plpgsql AS SELECT secret FROM secrets WHERE app = app_there();
CREATE VIEW mine_shown AS SELECT s.secret FROM secrets s JOIN pg_settings p ON p.name = 'application_name' AND p.setting = s.app;
CREATE VIEW mine_behind AS SELECT * FROM mine;
CREATE FUNCTION whose() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE v text;
BEGIN
    FOREACH v IN ARRAY '{mine,mine_sql,mine_plpgsql,mine_shown,mine_behind}'::text[] LOOP
        RETURN NEXT v || ' ' || corm.get_multi_json(corm.selector(v), corm.cached('1h'))::text;
    END LOOP;
    RETURN NEXT 'asked ' || corm.get_multi_json(corm.selector('secrets'), corm.select('secret'), corm.where(corm.eq('app', corm.fn('current_setting', 'application_name'))), corm.cached('1h'))::text;
END $$;
SET application_name = 'a';
SELECT whose();
SET application_name = 'b';
SELECT whose();
-- and kept: what is behind it has gone
DELETE FROM secrets;
SELECT whose();
SET application_name = 'a';
SELECT whose();
-- so are those that PostgreSQL's own functions look at
CREATE TABLE docs (d text);
INSERT INTO docs VALUES ('{null}');
CREATE VIEW by_array_nulls AS SELECT d::text[]::text AS v FROM docs;
CREATE VIEW by_client_encoding AS SELECT pg_client_encoding() AS v;
SELECT corm.value(NULL::text, corm.selector('by_array_nulls'), corm.cached('1h')), corm.value(NULL::name, corm.selector('by_client_encoding'), corm.cached('1h'));
SET array_nulls = off;
SET client_encoding = 'LATIN1';
SELECT corm.value(NULL::text, corm.selector('by_array_nulls'), corm.cached('1h')), corm.value(NULL::name, corm.selector('by_client_encoding'), corm.cached('1h'));
RESET array_nulls;
RESET client_encoding;
-- and roles: the same text, another answer
CREATE ROLE regress_cached_a;
GRANT USAGE ON SCHEMA faults_cached TO regress_cached_a;
CREATE VIEW by_role AS SELECT current_user = 'regress_cached_a' AS v;
GRANT SELECT ON by_role TO regress_cached_a;
SELECT corm.value(NULL::boolean, corm.selector('by_role'), corm.cached('1h'));
SET ROLE regress_cached_a;
SELECT corm.value(NULL::boolean, corm.selector('by_role'), corm.cached('1h'));
RESET ROLE;
-- now() is the time when the rows were stored, as with any answer
CREATE VIEW by_time AS SELECT now() AS v;
SELECT corm.value(NULL::timestamptz, corm.selector('by_time'), corm.cached('1h')) AS t \gset
SELECT corm.value(NULL::timestamptz, corm.selector('by_time'), corm.cached('1h')) = :'t';

-- A5: what tells of the session is refused
CREATE FUNCTION refused(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    EXECUTE format('CREATE VIEW asked AS SELECT %s AS v', call);
    RETURN 'not refused: ' || corm.get_multi_json(corm.selector('asked'), corm.cached('1h'))::text;
EXCEPTION WHEN feature_not_supported THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN detail;
END $$;
SELECT call, refused(call) FROM unnest('{pg_backend_pid(),inet_client_addr(),inet_client_port(),inet_server_addr(),inet_server_port(),
    txid_current(),txid_current_if_assigned(),txid_current_snapshot(),pg_current_xact_id(),pg_current_xact_id_if_assigned(),pg_current_snapshot(),
    pg_my_temp_schema(),pg_is_other_temp_schema(1),pg_listening_channels(),(SELECT count(*) FROM pg_cursors),(SELECT count(*) FROM pg_prepared_statements),
    pg_conf_load_time(),pg_trigger_depth(),age(''3''::xid),"table_to_xml(''things'', true, true, ''x'')",random(),clock_timestamp(),
    "(SELECT max(pg_backend_pid()) FROM things WHERE id IN (SELECT pg_backend_pid()))",corm.cache_get(''k'')}'::text[]) call;
CREATE VIEW by_pid AS SELECT id FROM things WHERE pg_backend_pid() > 0;
CREATE VIEW by_pid_behind AS SELECT count(*) AS n FROM by_pid;
SELECT corm.get_multi_json(corm.selector('by_pid_behind'), corm.cached('1h'));
-- A5: what changes after the plan was made: views and functions, wherever in the query
CREATE FUNCTION changing() RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 $$;
CREATE VIEW inside AS SELECT 1 AS v;
CREATE VIEW outside AS SELECT v FROM inside;
CREATE VIEW by_changing AS SELECT changing() AS v;
SELECT corm.value(NULL::int, corm.selector('by_changing'), corm.cached('1h')), corm.value(NULL::int, corm.selector('outside'), corm.select('v'), corm.cached('1h'));
ALTER FUNCTION changing() VOLATILE;
CREATE OR REPLACE VIEW inside AS SELECT pg_backend_pid() AS v;
SELECT corm.value(NULL::int, corm.selector('by_changing'), corm.cached('1h'));
SELECT corm.value(NULL::int, corm.selector('outside'), corm.select('v'), corm.cached('1h'));
CREATE OR REPLACE VIEW inside AS SELECT length(current_setting('application_name')) AS v;
SELECT corm.value(NULL::int, corm.selector('outside'), corm.select('v'), corm.cached('1h'));
SET application_name = 'five5';
SELECT corm.value(NULL::int, corm.selector('outside'), corm.select('v'), corm.cached('1h'));
-- and row-level security that comes later
CREATE TABLE late (id int);
INSERT INTO late VALUES (1);
GRANT SELECT ON late TO regress_cached_a;
SET ROLE regress_cached_a;
SELECT corm.value(NULL::bigint, corm.selector('late'), corm.select(corm.as(corm.count('id'), 'n')), corm.cached('1h'));
RESET ROLE;
ALTER TABLE late ENABLE ROW LEVEL SECURITY;
SET ROLE regress_cached_a;
SELECT corm.value(NULL::bigint, corm.selector('late'), corm.select(corm.as(corm.count('id'), 'n')), corm.cached('1h'));
RESET ROLE;

-- G13: EXECUTE that is revoked is revoked for what is kept, of a view's functions too
CREATE FUNCTION guarded(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN i * 10; END $$;
CREATE VIEW by_guarded AS SELECT guarded(id) AS v FROM things;
GRANT SELECT ON things, by_guarded TO regress_cached_a;
SET ROLE regress_cached_a;
SELECT corm.value(NULL::bigint, corm.selector('things'), corm.select(corm.as(corm.sum(corm.fn('guarded', corm.c('id'))), 'v')), corm.cached('1h')),
    corm.value(NULL::bigint, corm.selector('by_guarded'), corm.select(corm.as(corm.sum('v'), 'v')), corm.cached('1h'));
RESET ROLE;
REVOKE EXECUTE ON FUNCTION guarded(int) FROM PUBLIC;
SET ROLE regress_cached_a;
SELECT corm.value(NULL::bigint, corm.selector('things'), corm.select(corm.as(corm.sum(corm.fn('guarded', corm.c('id'))), 'v')), corm.cached('1h'));
SELECT corm.value(NULL::bigint, corm.selector('by_guarded'), corm.select(corm.as(corm.sum('v'), 'v')), corm.cached('1h'));
RESET ROLE;
GRANT EXECUTE ON FUNCTION guarded(int) TO regress_cached_a;
DELETE FROM things;
SET ROLE regress_cached_a;
SELECT corm.value(NULL::bigint, corm.selector('things'), corm.select(corm.as(corm.sum(corm.fn('guarded', corm.c('id'))), 'v')), corm.cached('1h'));
RESET ROLE;

-- G13: the trace of a request makes no other key, unless the query asks for it
INSERT INTO things VALUES (1, 'one');
CREATE VIEW by_trace AS SELECT current_setting('corm.traceparent') AS v;
SET corm.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SELECT corm.value(NULL::text, corm.selector('things'), corm.select(corm.as(corm.fn('app_there'), 'v')), corm.cached('1h'));
SELECT corm.value(NULL::text, corm.selector('by_trace'), corm.cached('1h'));
DELETE FROM things;
SET corm.traceparent = '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SELECT corm.value(NULL::text, corm.selector('things'), corm.select(corm.as(corm.fn('app_there'), 'v')), corm.cached('1h'));
SELECT corm.value(NULL::text, corm.selector('by_trace'), corm.cached('1h'));
RESET corm.traceparent;

-- A6: a result that is larger than the cache takes is answered and not kept: many rows, one value, the first row
CREATE TABLE large (id int PRIMARY KEY, v text);
INSERT INTO large SELECT i, repeat('x', 1000) FROM generate_series(1, 18000) i;
SELECT corm.cache_set('too large', repeat('x', 18000000));
CREATE FUNCTION answers() RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT count(*) || ' ' || sum(length(m.v)) FROM corm.get_multi(NULL::large, corm.cached('1h')) m) || ' ' ||
        length(corm.value(NULL::text, corm.selector('large'), corm.select(corm.as(corm.fn('string_agg', corm.c('v'), ''), 'v')), corm.cached('1h')))
$$;
SELECT answers();
DELETE FROM large WHERE id > 17900;
SELECT answers();
SELECT (corm.first(NULL::large, corm.order_by('id'), corm.cached('1h'))).id;
SELECT (corm.one(NULL::large, corm.cached('1h'))).id;

-- A5: a function might look at temporary objects: with such, the session asks the tables
CREATE FUNCTION in_temp() RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT t.v FROM own t); END $$;
CREATE VIEW by_temp AS SELECT in_temp() AS v;
CREATE TEMP TABLE own AS SELECT 'first' AS v;
SELECT corm.value(NULL::text, corm.selector('by_temp'), corm.cached('1h'));
UPDATE own SET v = 'second';
SELECT corm.value(NULL::text, corm.selector('by_temp'), corm.cached('1h'));

SET client_min_messages = error;
DROP SCHEMA faults_cached CASCADE;
DROP ROLE regress_cached_a;
