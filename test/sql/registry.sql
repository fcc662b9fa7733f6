-- A model is read once, and anew after every change: within one session.
\pset null '(null)'
\set SHOW_CONTEXT never
CREATE SCHEMA fresh;
SET search_path = fresh;
CREATE FUNCTION fields(model regclass) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(f->>'name' || ' ' || (f->>'type'), ', ') FROM jsonb_array_elements(corm.describe(model)->'fields') f
$$;
CREATE FUNCTION key(model regclass) RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT corm.describe(model)->'primary_key' $$;

CREATE TABLE t (id int, a text);
SELECT fields('t'), key('t');
ALTER TABLE t ADD b int;
SELECT fields('t');
ALTER TABLE t DROP a;
SELECT fields('t');
ALTER TABLE t RENAME b TO c;
SELECT fields('t');
ALTER TABLE t ALTER c TYPE bigint;
SELECT fields('t');
ALTER TABLE t ADD PRIMARY KEY (id);
SELECT key('t');
ALTER TABLE t DROP CONSTRAINT t_pkey;
SELECT key('t');
CREATE UNIQUE INDEX t_index ON t (c);
ALTER TABLE t ALTER c SET NOT NULL, ADD CONSTRAINT t_key PRIMARY KEY USING INDEX t_index;
SELECT key('t');
ALTER TABLE t ALTER id SET NOT NULL;
SELECT f->'not_null' AS not_null FROM jsonb_path_query(corm.describe('t'), '$.fields[*] ? (@.name == "id")') f;
ALTER TABLE t ALTER id SET DEFAULT 5;
SELECT f->'has_default' AS has_default FROM jsonb_path_query(corm.describe('t'), '$.fields[*] ? (@.name == "id")') f;
ALTER TABLE t ALTER id DROP DEFAULT, ALTER id ADD GENERATED ALWAYS AS IDENTITY;
SELECT f->'identity' AS identity FROM jsonb_path_query(corm.describe('t'), '$.fields[*] ? (@.name == "id")') f;
ALTER TABLE t RENAME TO u;
SELECT corm.describe('u')->'name' AS name;
ALTER TABLE u RENAME TO t;

-- names of schemas
CREATE TYPE d AS (id int);
COMMENT ON TYPE d IS '@orm:table=t';
SELECT fields('d');
ALTER SCHEMA fresh RENAME TO stale;
SET search_path = stale;
SELECT fields('d'), corm.describe('d')->'table' AS table_name;
ALTER SCHEMA stale RENAME TO fresh;
SET search_path = fresh;

-- a mapped type follows its table
ALTER TABLE t RENAME id TO ident;
SELECT fields('d');
ALTER TABLE t RENAME ident TO id;
ALTER TABLE t ALTER id TYPE bigint;
SELECT fields('d');

-- domains
CREATE DOMAIN dom AS int;
CREATE DOMAIN dom2 AS dom;
CREATE TABLE doms (a dom, b dom2);
SELECT f->'has_default' AS has_default FROM jsonb_array_elements(corm.describe('doms')->'fields') f;
ALTER DOMAIN dom SET DEFAULT 1;
SELECT f->'has_default' AS has_default FROM jsonb_array_elements(corm.describe('doms')->'fields') f;
ALTER DOMAIN dom2 SET DEFAULT 1;
SELECT f->'has_default' AS has_default FROM jsonb_array_elements(corm.describe('doms')->'fields') f;
ALTER DOMAIN dom DROP DEFAULT;
SELECT f->'has_default' AS has_default FROM jsonb_array_elements(corm.describe('doms')->'fields') f;

-- comments
COMMENT ON COLUMN t.id IS '@orm:name=Identifier';
SELECT fields('t');
COMMENT ON COLUMN t.id IS NULL;
SELECT fields('t');
COMMENT ON TABLE t IS '@orm:name=Tee';
SELECT corm.describe('t')->'name' AS name;
BEGIN;
COMMENT ON TABLE t IS '@orm:name=Rolled';
SELECT corm.describe('t')->'name' AS name;
ROLLBACK;
SELECT corm.describe('t')->'name' AS name;
COMMENT ON TABLE t IS '@orm:oops';
SELECT corm.describe('t');
COMMENT ON TABLE t IS NULL;
SELECT corm.describe('t')->'name' AS name;
-- even where triggers are switched off, as in a replica
SET session_replication_role = replica;
COMMENT ON TABLE t IS '@orm:name=Replica';
SELECT corm.describe('t')->'name' AS name;
RESET session_replication_role;
COMMENT ON TABLE t IS NULL;

-- partitions and children get the columns of their parents
CREATE TABLE parent (id int) PARTITION BY LIST (id);
CREATE TABLE child PARTITION OF parent FOR VALUES IN (1);
SELECT fields('child');
ALTER TABLE parent ADD x text;
SELECT fields('child');
ALTER TABLE parent DETACH PARTITION child;
ALTER TABLE parent DROP x;
SELECT fields('child'), fields('parent');

-- rollback of DDL
BEGIN;
ALTER TABLE t ADD z int;
SELECT fields('t');
SAVEPOINT s;
ALTER TABLE t DROP z;
SELECT fields('t');
ROLLBACK TO s;
SELECT fields('t');
ROLLBACK;
SELECT fields('t');

-- many changes in one transaction, with calls between them
DO $$
BEGIN
	FOR i IN 1..50 LOOP
		EXECUTE format('ALTER TABLE fresh.t RENAME c TO %I', 'c' || i);
		IF fresh.fields('fresh.t') NOT LIKE '%c' || i || ' %' THEN
			RAISE EXCEPTION 'stale in round %', i;
		END IF;
		EXECUTE format('ALTER TABLE fresh.t RENAME %I TO c', 'c' || i);
	END LOOP;
END $$;

-- an error in the middle leaves nothing behind
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		BEGIN
			COMMENT ON COLUMN fresh.t.c IS '@orm:oops';
			PERFORM corm.describe('fresh.t');
		EXCEPTION WHEN SQLSTATE 'OR005' THEN
			RAISE NOTICE '%', SQLERRM;
		END;
		PERFORM corm.describe('fresh.t');
	END LOOP;
END $$;

-- the memory of outdated models goes at the end of the transaction
SELECT count(*) < 20 AS few FROM pg_backend_memory_contexts WHERE name = 'corm model';

-- dropped and made again under the same name
DROP TABLE doms;
SELECT corm.describe('doms');
CREATE TABLE doms (other int);
SELECT fields('doms');

-- the extension dropped and made again in a session that has used it
SELECT corm.register('doms', '{"name": "Registered"}');
SELECT corm.describe('doms')->'name' AS name;
BEGIN;
DROP EXTENSION corm CASCADE;
ALTER TABLE doms ADD more int;
DROP TABLE d_none;
ROLLBACK;
SELECT corm.describe('doms')->'name' AS name;
SET client_min_messages = warning;
DROP EXTENSION corm CASCADE;
COMMENT ON TABLE doms IS 'x';
DROP FUNCTION fields(regclass), key(regclass);
SET search_path = public;
CREATE EXTENSION corm;
SET search_path = fresh;
RESET client_min_messages;
SELECT corm.describe('doms')->'name' AS name;
SELECT corm.register('doms', '{"name": "Again"}');
SELECT corm.describe('doms')->'name' AS name;
SELECT extname, evtname, evtenabled FROM pg_event_trigger e
JOIN pg_depend d ON d.objid = e.oid AND d.deptype = 'e' JOIN pg_extension x ON x.oid = d.refobjid
WHERE evtname LIKE 'corm%' ORDER BY evtname;

SET client_min_messages = warning;
DROP SCHEMA fresh CASCADE;
