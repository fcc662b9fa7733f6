-- Fault A2: values of composite types, alone, in arrays, domains and columns of rows, while a middleware alters these types
-- (hardening 41).
CREATE SCHEMA a2_values;
SET search_path = a2_values;
\set SHOW_CONTEXT never
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN pair_domain AS pair;
CREATE TABLE t (id int PRIMARY KEY, p pair, ps pair[], d pair_domain);
CREATE TYPE dto AS (id int, p pair);
COMMENT ON TYPE dto IS '@orm:table=a2_values.t';
INSERT INTO t VALUES (4, (1, 'v1'), ARRAY[(2, 'v2')::pair], (3, 'v3'));
CREATE FUNCTION pass(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	result corm.query_result;
BEGIN
	IF current_setting('a2.before', true) <> '' THEN EXECUTE current_setting('a2.before'); END IF;
	result := corm.next(qc);
	IF current_setting('a2.after', true) <> '' THEN EXECUTE current_setting('a2.after'); END IF;
	RETURN result;
END $$;
SELECT corm.use('a2_values.pass(corm.query_context)', 't') IS NOT NULL AS used;
\set alter '''ALTER TABLE a2_values.t DROP COLUMN p, DROP COLUMN ps, DROP COLUMN d; ALTER TYPE a2_values.pair ALTER ATTRIBUTE x TYPE text'''

-- unchanged
SELECT to_jsonb(corm.value(NULL::pair, corm.selector('t'), corm.select('p')));
SELECT to_jsonb(x) FROM corm.pluck(NULL::pair[], corm.selector('t'), corm.select('ps')) x;
SELECT to_jsonb(x) FROM corm.get_multi(NULL::dto) x;

-- after the query has run
BEGIN;
SET LOCAL a2.after = :alter;
SELECT to_jsonb(corm.value(NULL::pair, corm.selector('t'), corm.select('p'), corm.where(corm.eq('id', 4))));
ROLLBACK;
BEGIN;
SET LOCAL a2.after = :alter;
SELECT to_jsonb(corm.value(NULL::pair[], corm.selector('t'), corm.select('ps')));
ROLLBACK;
BEGIN;
SET LOCAL a2.after = :alter;
SELECT to_jsonb(corm.value(NULL::pair_domain, corm.selector('t'), corm.select('d')));
ROLLBACK;
BEGIN;
SET LOCAL a2.after = :alter;
SELECT to_jsonb(x) FROM corm.pluck(NULL::pair[], corm.selector('t'), corm.select('ps')) x;
ROLLBACK;
BEGIN;
SET LOCAL a2.after = :alter;
SELECT to_jsonb(x) FROM corm.get_multi(NULL::dto) x;
ROLLBACK;

-- a type that no column has: altered before and after the query
CREATE TYPE loose AS (x int, y text);
\set value 'corm.value(NULL::loose, corm.selector(''t''), corm.select(corm.raw(''ROW(id, $1)::a2_values.loose'', ''v''::text)))'
\set values 'corm.value(NULL::loose[], corm.selector(''t''), corm.select(corm.raw(''ARRAY[ROW(id, $1)::a2_values.loose]'', ''v''::text)))'
BEGIN;
SET LOCAL a2.after = 'ALTER TYPE a2_values.loose ALTER ATTRIBUTE x TYPE text';
SELECT to_jsonb(:value);
ROLLBACK;
BEGIN;
SET LOCAL a2.after = 'ALTER TYPE a2_values.loose ALTER ATTRIBUTE x TYPE text';
SELECT to_jsonb(:values);
ROLLBACK;
BEGIN;
SET LOCAL a2.after = 'DROP TYPE a2_values.loose CASCADE';
SELECT to_jsonb(:values);
ROLLBACK;
SELECT to_jsonb(:value), to_jsonb(:values);
-- a later call has a new plan
ALTER TYPE loose ALTER ATTRIBUTE x TYPE text;
SELECT to_jsonb(:value), to_jsonb(:values);
ALTER TYPE loose ADD ATTRIBUTE z int;
SELECT sqlstate FROM corm.try_tx('SELECT corm.value(NULL::a2_values.loose[], corm.selector(''a2_values.t''), corm.select(corm.raw(''ARRAY[ROW(id, 1)::a2_values.loose]'')))');
SELECT to_jsonb(corm.value(NULL::loose[], corm.selector('t'), corm.select(corm.raw('ARRAY[ROW(id, ''v'', 7)::a2_values.loose]'))));

DROP TABLE t CASCADE;
DROP FUNCTION pass;
DROP TYPE loose, dto, pair CASCADE;
DROP SCHEMA a2_values;
