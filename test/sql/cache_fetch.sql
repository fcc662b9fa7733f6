-- Reading through.
SELECT corm.cache_create('fetch', events => '{}');
CREATE SEQUENCE cache_loads;
CREATE TABLE cache_source (id int, v text);
INSERT INTO cache_source VALUES (1, 'one'), (2, NULL);

SELECT corm.cache_fetch('k', $$SELECT v || nextval('cache_loads') FROM cache_source WHERE id = 1$$, cache => 'fetch');
SELECT corm.cache_fetch('k', $$SELECT v || nextval('cache_loads') FROM cache_source WHERE id = 1$$, cache => 'fetch');
SELECT corm.cache_get('k', 'fetch');
-- the value keeps its type
SELECT corm.cache_fetch('int', 'SELECT 42', '1 hour', 'fetch'), corm.cache_get_as(NULL::int, 'int', 'fetch'), corm.cache_ttl('int', 'fetch') > '59 min';
SELECT corm.cache_fetch('json', $$SELECT '{"a": 1}'::jsonb$$, cache => 'fetch');
-- a value present is not loaded, whatever the loader says
SELECT corm.cache_set('there', 'x', cache => 'fetch');
SELECT corm.cache_fetch('there', 'not even SQL', cache => 'fetch');

-- NULL and no row are not stored
SELECT corm.cache_fetch('null', 'SELECT v FROM cache_source WHERE id = 2', cache => 'fetch'), corm.cache_exists('null', 'fetch');
SELECT corm.cache_fetch('none', 'SELECT v FROM cache_source WHERE id = 3', cache => 'fetch'), corm.cache_exists('none', 'fetch');

-- errors, after which no lock is left
SELECT corm.cache_fetch('bad', 'SELECT id FROM cache_source', cache => 'fetch');
SELECT corm.cache_fetch('bad', 'SELECT 1, 2', cache => 'fetch');
SELECT corm.cache_fetch('bad', 'CREATE TABLE cache_never (a int)', cache => 'fetch');
SELECT corm.cache_fetch('bad', '', cache => 'fetch');
SELECT corm.cache_fetch('bad', 'SELECT 1/0', cache => 'fetch');
SELECT corm.cache_fetch('bad', 'SELEC', cache => 'fetch');
SELECT corm.cache_fetch('bad', 'SELECT ROW(1, 2)', cache => 'fetch');
SELECT corm.cache_fetch('bad', NULL, cache => 'fetch');
SELECT corm.cache_fetch('bad', 'SELECT 1', '-1s', 'fetch');
SELECT corm.cache_fetch(repeat('k', 1025), 'SELECT 1', cache => 'fetch');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT corm.cache_fetch('bad', 'SELECT 1', cache => 'fetch');

-- a loader that fetches
SELECT corm.cache_fetch('outer', $$SELECT 'outer of ' || corm.cache_fetch('inner', 'SELECT 7', cache => 'fetch')$$, cache => 'fetch'),
	corm.cache_get('inner', 'fetch');
-- itself: ends, by the stack's limit
DO $$
BEGIN
	CREATE FUNCTION pg_temp.again() RETURNS text LANGUAGE sql AS $f$ SELECT corm.cache_fetch('self', 'SELECT pg_temp.again()', cache => 'fetch') $f$;
	PERFORM pg_temp.again();
EXCEPTION WHEN statement_too_complex THEN
	RAISE NOTICE 'stack depth';
END $$;

-- what a transaction loads after it has written is stored at commit only
BEGIN;
UPDATE cache_source SET v = 'uncommitted' WHERE id = 1;
SELECT corm.cache_fetch('dirty', 'SELECT v FROM cache_source WHERE id = 1', cache => 'fetch');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;
SELECT corm.cache_get('dirty', 'fetch');
BEGIN;
UPDATE cache_source SET v = 'committed' WHERE id = 1;
SELECT corm.cache_fetch('dirty', 'SELECT v FROM cache_source WHERE id = 1', cache => 'fetch');
COMMIT;
SELECT corm.cache_get('dirty', 'fetch');
BEGIN;
SELECT corm.cache_delete('dirty', 'fetch');
SELECT corm.cache_fetch('dirty', $$SELECT 'reloaded'$$, cache => 'fetch');
ROLLBACK;
SELECT corm.cache_get('dirty', 'fetch');
-- nor what is pending in another cache
BEGIN;
SELECT corm.cache_set('pending', 'uncommitted');
SELECT corm.cache_fetch('other', $$SELECT corm.cache_get('pending')$$, cache => 'fetch');
ROLLBACK;
SELECT corm.cache_get('other', 'fetch'), corm.cache_get('pending');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();

-- the loader runs as the caller
CREATE ROLE regress_cache_fetcher;
SELECT corm.cache_grant('fetch', 'regress_cache_fetcher', '{read,write}');
SET ROLE regress_cache_fetcher;
SELECT corm.cache_fetch('forbidden', 'SELECT v FROM cache_source WHERE id = 1', cache => 'fetch');
SELECT corm.cache_fetch('me', 'SELECT current_user', cache => 'fetch');
RESET ROLE;

DROP TABLE cache_source;
DROP SEQUENCE cache_loads;
SELECT corm.cache_drop('fetch');
DROP ROLE regress_cache_fetcher;
SELECT * FROM corm.cache_check();
