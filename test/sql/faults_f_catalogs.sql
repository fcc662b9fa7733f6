-- hardening 55
-- Rows of corm's catalogs: announced however they are written (F11), gone with a temporary table (F12), about what is
-- not there left out (F8, G8); and what a session keeps of tables that it has met (F9, A6).
CREATE TABLE users (id int PRIMARY KEY, name text, deleted_at timestamptz, parent_id int);
INSERT INTO users VALUES (1, 'a', NULL), (2, 'b', now());

-- F11: a write under session_replication_role = replica is in force at once
SELECT corm.register('users', '{}');
SELECT corm.count(corm.selector('users'));
SET session_replication_role = replica;
UPDATE corm.model_options SET options = '{"soft_delete": "deleted_at"}' WHERE model = 'users'::regclass;
SELECT corm.count(corm.selector('users'));
DELETE FROM corm.model_options WHERE model = 'users'::regclass;
SELECT corm.count(corm.selector('users'));
INSERT INTO corm.scopes VALUES ('users', 'named', corm.where(corm.eq('name', 'a')), true);
SELECT corm.count(corm.selector('users'));
TRUNCATE corm.scopes;
SELECT corm.count(corm.selector('users'));
INSERT INTO corm.declared_relations VALUES ('users', 'parent', 'belongs_to', 'users', '{parent_id}', '{id}');
SELECT corm.describe_relation('users', 'parent')->>'kind' AS kind;
RESET session_replication_role;
-- F11: scopes are announced without it too
INSERT INTO corm.scopes VALUES ('users', 'named', corm.where(corm.eq('name', 'b')), true);
SELECT corm.count(corm.selector('users'));
DELETE FROM corm.scopes;
DELETE FROM corm.declared_relations;

-- F12: registrations of temporary tables
CREATE VIEW stored AS
    SELECT 'options' AS catalog, model FROM corm.model_options
    UNION ALL SELECT 'relations', model FROM corm.declared_relations
    UNION ALL SELECT 'scopes', model FROM corm.scopes
    UNION ALL SELECT 'middleware', model FROM corm.middleware_functions;
CREATE FUNCTION through(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.next(qc)';
CREATE FUNCTION store_all(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.register(t, '{"name": "T"}');
    PERFORM corm.relate(t, 'others', 'has_many', 'users', '{id}', '{id}');
    PERFORM corm.relate('users', 'temps', 'has_many', t, '{id}', '{id}');
    PERFORM corm.define_scope(t, 'one', corm.limit(1));
    PERFORM corm.use('through(corm.query_context)', t);
END $$;
-- ON COMMIT DROP
BEGIN;
CREATE TEMP TABLE t (id int) ON COMMIT DROP;
SELECT store_all('t');
SELECT count(*) FROM stored;
COMMIT;
SELECT * FROM stored;
-- not when that is rolled back
CREATE TEMP TABLE t (id int);
SELECT store_all('t');
BEGIN;
DISCARD TEMP;
ROLLBACK;
BEGIN;
DROP TABLE t;
SELECT count(*) FROM stored;
ROLLBACK;
SELECT count(*) FROM stored;
-- nor what is about a table whose DROP was rolled back, when another one is dropped
CREATE TABLE other (id int);
BEGIN;
SAVEPOINT s;
DROP TABLE t;
ROLLBACK TO s;
DROP TABLE other;
COMMIT;
SELECT count(*) FROM stored;
-- DISCARD TEMP
DISCARD TEMP;
SELECT * FROM stored;
-- the end of the session
CREATE TEMP TABLE t (id int);
SELECT store_all('t');
SELECT pg_backend_pid() AS pid \gset
\c
DO $$ BEGIN
    FOR i IN 1 .. 600 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM stored);
        PERFORM pg_sleep(0.1);
    END LOOP;
END $$;
SELECT * FROM stored;
-- F12: a session that has not used corm before it drops a table
SELECT corm.register('users', '{"name": "U"}');
CREATE TABLE other (id int);
SELECT corm.register('other', '{"name": "O"}');
\c
DROP TABLE other;
SELECT * FROM stored;
\c
-- and one that has
CREATE SCHEMA s CREATE TABLE a (id int) CREATE TABLE b (id int);
SELECT corm.register('s.a', '{"name": "A"}'), corm.register('s.b', '{"name": "B"}'),
    corm.relate('users', 'as', 'has_many', 's.a', '{id}', '{id}');
DROP SCHEMA s CASCADE;
SELECT * FROM stored;

-- F8, G8: what is not there is left out with a warning, the other rows of a COPY are not
DELETE FROM corm.model_options;
COPY corm.model_options (model, table_name, options) FROM stdin;
scratch.gone	\N	{"name": "G"}
scratch.gone	\N	{"name": "G"}
users	\N	{"name": "U"}
users	scratch.gone	{"name": "U"}
12345	\N	{"name": "number"}
\.
SELECT * FROM corm.model_options;
COPY corm.declared_relations (model, name, kind, target, columns, target_columns, through) FROM stdin;
users	a	has_many	scratch.gone	{id}	{id}	\N
users	b	has_many	users	{id}	{id}	scratch.gone
users	c	has_many	users	{id}	{id}	\N
\.
SELECT model, name FROM corm.declared_relations;
-- a middleware of one model does not become one of all
INSERT INTO corm.middleware_functions (fn, model, priority) VALUES ('public.through(corm.query_context)', 'scratch.gone', 1);
SELECT * FROM corm.middleware_functions;
COPY corm.cache_definitions FROM stdin;
orphan	100001	regress_nobody	\N	\N	corm_cache	{}	f
\.
COPY corm.cache_grants FROM stdin;
orphan	regress_nobody	t	t
orphan	-	t	f
\.
SELECT name, owner = current_user::regrole AS mine, grants FROM corm.caches WHERE name = 'orphan';
INSERT INTO corm.scopes VALUES ('a b', 'x', corm.limit(1), false);
SELECT '"A"."b c"'::corm.relation_ref::oid, 'users'::corm.relation_ref, 'no'::corm.role_ref::oid, '-'::corm.role_ref;
SELECT 'a.b'::corm.role_ref;
DELETE FROM corm.cache_definitions;
DELETE FROM corm.cache_grants;
DELETE FROM corm.declared_relations;
DELETE FROM corm.model_options;

-- F9: what the syscaches remember of each table that corm has met, besides what plain SQL leaves there
\c
DO $$ BEGIN
    FOR i IN 1 .. 300 LOOP
        EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY)', i);
    END LOOP;
END $$;
\c
CREATE FUNCTION known() RETURNS bigint LANGUAGE sql AS $$
    SELECT used_bytes FROM pg_backend_memory_contexts WHERE name = 'CacheMemoryContext' $$;
CREATE FUNCTION meet(query text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
    FOR i IN first .. last LOOP
        EXECUTE format(query, i) INTO r;
    END LOOP;
END $$;
SELECT meet('SELECT count(*) FROM many_%s', 1, 300);
SELECT meet('SELECT corm.count(corm.selector(''many_%s''))', 1, 50);
SELECT known() AS before \gset
SELECT meet('SELECT corm.count(corm.selector(''many_%s''))', 51, 300);
SELECT (known() - :before) / 250 < 1000 AS little;

-- A6: what is remembered of row types does not grow with temporary tables
\c
DO $$ BEGIN
    FOR i IN 1 .. 200 LOOP
        EXECUTE (SELECT format('CREATE TEMP TABLE short (%s)', string_agg(format('c%s int', c), ', '))
                 FROM generate_series(1, 100) c);
        COMMIT;
        PERFORM * FROM corm.get_multi(NULL::short);
        DROP TABLE short;
        COMMIT;
    END LOOP;
END $$;
SELECT total_bytes < 250000 AS bounded FROM pg_backend_memory_contexts WHERE name = 'corm row types';

-- All of it goes again.
DO $$ BEGIN
    FOR i IN 1 .. 300 LOOP
        EXECUTE format('DROP TABLE many_%s', i);
    END LOOP;
END $$;
DROP FUNCTION meet, known, store_all, through;
DROP VIEW stored;
DROP TABLE users;
SELECT count(*) FROM corm.model_options;
