-- Entries that depend on tables: cache_fetch and cache_set with depends.

\set VERBOSITY terse
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA depends;
SET search_path = depends;
CREATE TABLE a (id int);
CREATE TABLE b (id int) PARTITION BY LIST (id);
CREATE TABLE b1 PARTITION OF b FOR VALUES IN (1);
CREATE TABLE loads (n int);
CREATE VIEW both_of_them AS SELECT id FROM a UNION ALL SELECT id FROM b;
SELECT corm.cache_create('dep', events => '{deleted}');

-- The value, and how the cache was used for it
CREATE FUNCTION outcome(before jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(key, ' ') FROM jsonb_each((SELECT to_jsonb(s) FROM corm.fresh_stats s WHERE cache = 'dep'))
    WHERE value IS DISTINCT FROM before -> key AND key <> 'cache' AND value <> '0'
$$;
CREATE FUNCTION ask(key text, loader text, VARIADIC tables regclass[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := (SELECT to_jsonb(s) FROM corm.fresh_stats s WHERE cache = 'dep');
    value text := corm.cache_fetch(key, loader, cache => 'dep', depends => tables);
BEGIN
    RETURN format('%s %s', depends.outcome(before), value);
END $$;

SELECT ask('n', 'SELECT count(*) FROM a', 'a');
SELECT ask('n', 'SELECT count(*) FROM a', 'a'), corm.cache_get('n', 'dep'), corm.cache_exists('n', 'dep'), (corm.cache_info('n', 'dep')).bytes,
    corm.cache_count('dep'), (SELECT string_agg(k, ',') FROM corm.cache_keys(cache => 'dep') k), (SELECT value FROM corm.cache_get_many('{n}', 'dep'));
INSERT INTO a VALUES (1);
SELECT corm.cache_get('n', 'dep') IS NULL, corm.cache_exists('n', 'dep'), (corm.cache_info('n', 'dep')).found, (SELECT count(*) FROM corm.cache_keys(cache => 'dep'));
SELECT ask('n', 'SELECT count(*) FROM a', 'a');
-- before it is met, it is gone as well for what looks at keys
INSERT INTO a VALUES (1);
SELECT count(*) FROM corm.cache_keys(cache => 'dep');
SELECT corm.cache_replace('n', 5, cache => 'dep', immediate => true), corm.cache_add('n', 6, cache => 'dep', immediate => true), corm.cache_get('n', 'dep');
SELECT ask('n', 'SELECT count(*) FROM a', 'a'), 'an entry without these tables is none', ask('n', 'SELECT count(*) FROM a', 'a', 'b');
INSERT INTO a VALUES (1);
SELECT corm.cache_expire('n', '1 h', 'dep'), corm.cache_delete('n', 'dep') IS NULL;
SELECT ask('n', 'SELECT count(*) FROM a', 'a'), corm.cache_expire('n', '1 h', 'dep'), corm.cache_ttl('n', 'dep') > '59 min', ask('n', 'SELECT count(*) FROM a', 'a'), corm.cache_delete('n', 'dep');
SELECT ask('n', 'SELECT count(*) FROM a', 'a');
SELECT corm.cache_incr('n', cache => 'dep');

BEGIN;
SELECT corm.cache_set('c', 5, cache => 'dep', depends => '{a}');
SELECT corm.cache_incr('c', cache => 'dep');
ROLLBACK;
BEGIN;
SELECT corm.cache_set('c', 5, cache => 'dep', depends => '{a}');
SELECT corm.cache_expire('c', '1 h', 'dep'), corm.cache_get_as(0, 'c', 'dep'), corm.cache_get_many('{c}', 'dep');
COMMIT;
SELECT corm.cache_get_as(0, 'c', 'dep'), corm.cache_ttl('c', 'dep') > '59 min';
INSERT INTO a VALUES (1);
SELECT corm.cache_get_as(0, 'c', 'dep') IS NULL;
-- partitions, views, several tables; a query as loader
SELECT ask('v', 'SELECT count(*) FROM both_of_them', 'both_of_them');
SELECT ask('v', 'SELECT count(*) FROM both_of_them', 'both_of_them');
INSERT INTO b VALUES (1);
SELECT ask('v', 'SELECT count(*) FROM both_of_them', 'both_of_them');
CREATE TABLE b2 PARTITION OF b FOR VALUES IN (2);
INSERT INTO b2 VALUES (2);
SELECT ask('v', 'SELECT count(*) FROM both_of_them', 'both_of_them');
TRUNCATE b1;
SELECT ask('v', 'SELECT count(*) FROM both_of_them', 'both_of_them');
SELECT corm.cache_fetch('q', corm.pipe(corm.selector('a'), corm.select(corm.count())), cache => 'dep', depends => '{a}');
DELETE FROM a;
SELECT corm.cache_fetch('q', corm.pipe(corm.selector('a'), corm.select(corm.count())), cache => 'dep', depends => '{a}');

-- a function that reads is no obstacle if the tables are named
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM depends.a';
SELECT ask('f', 'SELECT depends.reads()', 'a'), ask('f', 'SELECT depends.reads()', 'a');
INSERT INTO a VALUES (1);
SELECT ask('f', 'SELECT depends.reads()', 'a');

-- a transaction sees what it has written, and its snapshot
BEGIN;
DELETE FROM a;
SELECT ask('f', 'SELECT depends.reads()', 'a'), corm.cache_get('f', 'dep') IS NULL;
ROLLBACK;
SELECT ask('f', 'SELECT depends.reads()', 'a');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ask('f', 'SELECT depends.reads()', 'a'), corm.cache_get('f', 'dep') IS NULL;
COMMIT;
-- a loader that writes, and one that gives nothing
SELECT ask('w', 'INSERT INTO depends.loads VALUES (1) RETURNING n', 'a'), ask('w', 'INSERT INTO depends.loads VALUES (2) RETURNING n', 'a');
SELECT ask('w', 'INSERT INTO depends.loads VALUES (3) RETURNING n', 'a');
SELECT ask('nothing', 'SELECT 1 WHERE false', 'a'), ask('nothing', 'SELECT 1 WHERE false', 'a');
SELECT ask('nothing', 'SELECT 1 / 0', 'a');

-- a value that is set
SELECT corm.cache_set('s', 'one', cache => 'dep', depends => '{a}');
SELECT corm.cache_get('s', 'dep');
UPDATE a SET id = id;
SELECT corm.cache_get('s', 'dep') IS NULL;
SELECT corm.cache_set('s', 1, '1 h', 'dep', true, '{a,b}'), corm.cache_get_as(0, 's', 'dep');
INSERT INTO b VALUES (1);
SELECT corm.cache_get('s', 'dep') IS NULL;
-- set in the transaction that writes the table, it ends with the commit
BEGIN;
SELECT corm.cache_set('s', 'two', cache => 'dep', depends => '{a}');
INSERT INTO a VALUES (1);
SELECT corm.cache_get('s', 'dep');
COMMIT;
SELECT corm.cache_get('s', 'dep') IS NULL;
BEGIN;
INSERT INTO a VALUES (1);
SELECT corm.cache_set('s', 'of what nobody else may see', cache => 'dep', immediate => true, depends => '{b}'), corm.cache_get('s', 'dep') IS NULL;
ROLLBACK;
SELECT corm.cache_get('s', 'dep') IS NULL;
-- the first one of a table is stored, too, if nothing was written meanwhile
CREATE TABLE c (id int);
SELECT corm.cache_set('s', 'of c', cache => 'dep', depends => '{c}');
SELECT corm.cache_get('s', 'dep');
-- a view that changes depends on other tables
CREATE VIEW either AS SELECT id FROM a;
SELECT ask('e', 'SELECT count(*) FROM either', 'either');
CREATE OR REPLACE VIEW either AS SELECT id FROM c;
SELECT ask('e', 'SELECT count(*) FROM either', 'either');
INSERT INTO c VALUES (1);
SELECT ask('e', 'SELECT count(*) FROM either', 'either');
-- a larger number of tables, and a large value
DO $$ BEGIN FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE many%s ()', i); END LOOP; END $$;
SELECT corm.cache_set('m', repeat('x', 100000), cache => 'dep', depends => (SELECT array_agg(('many' || i)::regclass) FROM generate_series(1, 100) i));
SELECT length(corm.cache_get('m', 'dep')), corm.cache_exists('m', 'dep');
ALTER TABLE many77 ADD c int;
SELECT corm.cache_get('m', 'dep') IS NULL;

-- errors
SELECT corm.cache_set('s', 'x', depends => '{}');
SELECT corm.cache_set('s', 'x', depends => '{NULL}');
SELECT corm.cache_set('s', 'x', depends => '{1}');
SELECT corm.cache_set('s', 'x', depends => '{nowhere}');
SELECT corm.cache_set('s', 'x', depends => '{pg_class}');
SELECT corm.cache_fetch('s', 'SELECT 1', depends => '{pg_class}'), corm.cache_get('s') IS NULL;
CREATE ROLE regress_depends;
GRANT USAGE ON SCHEMA depends TO regress_depends;
GRANT SELECT (id) ON b TO regress_depends;
SET ROLE regress_depends;
SELECT corm.cache_set('s', 'x', depends => '{b}');
SELECT corm.cache_set('s', 'x', depends => '{a}');
SELECT corm.cache_fetch('s', 'SELECT 1', depends => '{a}');
RESET ROLE;
SELECT corm.cache_delete('s');

SELECT corm.cache_create('dep2', events => '{old}');
SELECT * FROM corm.cache_check();
SELECT corm.cache_drop('dep');
RESET search_path;
DROP SCHEMA depends CASCADE;
DROP ROLE regress_depends;
