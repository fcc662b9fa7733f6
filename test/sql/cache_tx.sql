-- Writes take effect at commit, roll back with their transaction or part of it, and are seen by it.
SELECT corm.cache_create('tx', events => '{}');
CREATE EXTENSION dblink;
-- what another session sees
CREATE FUNCTION other(key text) RETURNS text LANGUAGE sql AS $$
	SELECT v FROM dblink('dbname=' || current_database() || ' port=' || current_setting('port') || ' host=' || split_part(current_setting('unix_socket_directories'), ',', 1) || ' user=' || current_user,
		format('SELECT corm.cache_get(%L, ''tx'')', key)) AS t(v text)
$$;

BEGIN;
SELECT corm.cache_set('a', 'one', cache => 'tx');
SELECT corm.cache_get('a', 'tx'), other('a');
SELECT corm.cache_set('b', 'now', cache => 'tx', immediate => true);
SELECT corm.cache_get('b', 'tx'), other('b');
COMMIT;
SELECT corm.cache_get('a', 'tx'), other('a');

BEGIN;
SELECT corm.cache_set('a', 'two', cache => 'tx'), corm.cache_delete('b', 'tx'), corm.cache_set('c', 'new', cache => 'tx');
SELECT * FROM corm.cache_get_many('{a,b,c}', 'tx');
SELECT k FROM corm.cache_keys(NULL, 'tx') k ORDER BY 1;
SELECT corm.cache_count('tx'), other('a'), other('b'), other('c');
ROLLBACK;
SELECT * FROM corm.cache_get_many('{a,b,c}', 'tx');

-- savepoints
BEGIN;
SELECT corm.cache_set('a', 'outer', cache => 'tx'), corm.cache_set('c', 'outer', cache => 'tx');
SAVEPOINT s1;
SELECT corm.cache_set('a', 'inner', cache => 'tx'), corm.cache_delete('c', 'tx'), corm.cache_set('d', 'inner', cache => 'tx');
SAVEPOINT s2;
SELECT corm.cache_set('a', 'innermost', cache => 'tx');
RELEASE s2;
SELECT * FROM corm.cache_get_many('{a,c,d}', 'tx');
ROLLBACK TO s1;
SELECT * FROM corm.cache_get_many('{a,c,d}', 'tx');
SELECT corm.cache_set('e', 'after', cache => 'tx');
COMMIT;
SELECT * FROM corm.cache_get_many('{a,b,c,d,e}', 'tx');

-- PL exception blocks
DO $$
BEGIN
	PERFORM corm.cache_set('p', 'kept', cache => 'tx');
	BEGIN
		PERFORM corm.cache_set('p', 'lost', cache => 'tx');
		PERFORM corm.cache_set('q', 'lost', cache => 'tx');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		PERFORM corm.cache_set('r', 'kept', cache => 'tx');
	END;
END $$;
SELECT * FROM corm.cache_get_many('{p,q,r}', 'tx');

-- clear: before, between and after other writes; and taken back
BEGIN;
SELECT corm.cache_set('before', 'x', cache => 'tx');
SELECT corm.cache_clear('tx') > 0 AS cleared;
SELECT corm.cache_get('before', 'tx'), corm.cache_get('a', 'tx'), corm.cache_count('tx');
SELECT corm.cache_set('after', 'y', cache => 'tx');
SELECT k FROM corm.cache_keys(NULL, 'tx') k;
SELECT corm.cache_count('tx'), other('a');
SAVEPOINT s;
SELECT corm.cache_clear('tx');
SELECT corm.cache_get('after', 'tx');
ROLLBACK TO s;
SELECT corm.cache_get('after', 'tx'), corm.cache_get('a', 'tx');
COMMIT;
SELECT k, corm.cache_get(k, 'tx') FROM corm.cache_keys(NULL, 'tx') k;
BEGIN;
SELECT corm.cache_clear('tx');
ROLLBACK;
SELECT corm.cache_get('after', 'tx');

-- add and replace go by what the transaction sees, and give way at commit to what came meanwhile
CREATE FUNCTION other_set(key text, v text) RETURNS text LANGUAGE sql AS $$
	SELECT v FROM dblink('dbname=' || current_database() || ' port=' || current_setting('port') || ' host=' || split_part(current_setting('unix_socket_directories'), ',', 1) || ' user=' || current_user,
		format('SELECT ''set'' FROM corm.cache_set(%L, %L::text, cache => ''tx'')', key, v)) AS t(v text)
$$;
BEGIN;
SELECT corm.cache_add('race', 'mine', cache => 'tx'), corm.cache_add('race', 'again', cache => 'tx'), corm.cache_replace('race', 'mine 2', cache => 'tx');
SELECT corm.cache_get('race', 'tx'), other_set('race', 'theirs');
COMMIT;
SELECT corm.cache_get('race', 'tx');
BEGIN;
SELECT corm.cache_replace('race', 'mine', cache => 'tx'), corm.cache_delete('race', 'tx'), corm.cache_replace('race', 'no', cache => 'tx'),
	corm.cache_add('race', 'fresh', cache => 'tx');
COMMIT;
SELECT corm.cache_get('race', 'tx');
-- a delete also removes what somebody stores before it commits
BEGIN;
SELECT corm.cache_delete('late', 'tx'), other_set('late', 'stale');
COMMIT;
SELECT corm.cache_get('late', 'tx');

-- expire and persist
BEGIN;
SELECT corm.cache_expire('race', '1 hour', 'tx'), corm.cache_expire('nothing', '1 hour', 'tx');
SELECT corm.cache_ttl('race', 'tx') > '59 minutes';
ROLLBACK;
SELECT corm.cache_ttl('race', 'tx');
BEGIN;
SELECT corm.cache_expire('race', '1 hour', 'tx'), corm.cache_set('t', 'x', '1 hour', 'tx'), corm.cache_persist('t', 'tx');
COMMIT;
SELECT corm.cache_ttl('race', 'tx') > '59 minutes', corm.cache_ttl('t', 'tx');

-- counters are immediate, except on what the transaction has written
BEGIN;
SELECT corm.cache_incr('n', cache => 'tx'), corm.cache_set('m', 10, cache => 'tx'), corm.cache_incr('m', cache => 'tx');
SELECT other('n'), other('m'), corm.cache_get('m', 'tx');
ROLLBACK;
SELECT corm.cache_get('n', 'tx'), corm.cache_get('m', 'tx');
BEGIN;
SELECT corm.cache_delete('n', 'tx'), corm.cache_incr('n', 7, cache => 'tx'), corm.cache_incr('n', cache => 'tx'), other('n');
SELECT corm.cache_set('word', 'x', cache => 'tx');
SAVEPOINT s;
SELECT corm.cache_incr('word', cache => 'tx');
ROLLBACK TO s;
SELECT corm.cache_get('word', 'tx');
COMMIT;
SELECT corm.cache_get('n', 'tx');

-- an immediate write overrides a pending one
BEGIN;
SELECT corm.cache_set('o', 'pending', cache => 'tx'), corm.cache_set('o', 'now', cache => 'tx', immediate => true);
SELECT corm.cache_get('o', 'tx'), other('o');
COMMIT;
SELECT corm.cache_get('o', 'tx');
BEGIN;
SELECT corm.cache_set('o', 'pending', cache => 'tx');
SAVEPOINT s;
SELECT corm.cache_delete('o', 'tx', true), corm.cache_get('o', 'tx');
ROLLBACK TO s;
SELECT corm.cache_get('o', 'tx');
COMMIT;
SELECT corm.cache_get('o', 'tx');

-- an error at commit loses the writes
CREATE TABLE cache_deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
BEGIN;
SELECT corm.cache_set('deferred', 'x', cache => 'tx');
INSERT INTO cache_deferred VALUES (1), (1);
COMMIT;
SELECT corm.cache_get('deferred', 'tx');
DROP TABLE cache_deferred;

-- the transaction's memory may exceed the cache's limit; then it aborts, nothing is written, nothing leaks
SELECT corm.cache_create('small', max_bytes => 16384, events => '{}');
SELECT corm.cache_set('old', 'x', cache => 'small');
BEGIN;
SELECT count(corm.cache_set('s' || i, i, cache => 'small')) FROM generate_series(1, 200) i;
COMMIT;
SELECT corm.cache_get('s1', 'small'), corm.cache_get('s200', 'small');
SELECT * FROM corm.cache_check();
BEGIN;
SELECT count(corm.cache_set('s' || i, i, cache => 'small')) FROM generate_series(1, 100) i;
COMMIT;
SELECT count(*) FROM corm.cache_keys('s%', 'small');
SELECT corm.cache_set('large', repeat('x', 20000), cache => 'small');
SELECT corm.cache_set('large', repeat('x', 20000), cache => 'small', immediate => true);
SELECT count(corm.cache_set('t' || i, i, cache => 'small', immediate => true)) FROM generate_series(1, 1000) i;
SELECT entries BETWEEN 1 AND 128, bytes <= 16384, evicted > 800 FROM corm.cache_stats WHERE cache = 'small';
SELECT * FROM corm.cache_check();

-- the whole cache cannot hold it
BEGIN;
SELECT count(corm.cache_set('big' || i, repeat('x', 4000000), cache => 'tx')) FROM generate_series(1, 40) i;
COMMIT;
SELECT corm.cache_get('big1', 'tx');
SELECT * FROM corm.cache_check();

-- two-phase commit cannot carry it (hardening 25)
BEGIN;
SELECT corm.cache_set('prepared', 'x', cache => 'tx');
PREPARE TRANSACTION 'cache';
SELECT corm.cache_get('prepared', 'tx');

-- a read-only transaction may write: the cache is no table
BEGIN READ ONLY;
SELECT corm.cache_set('ro', 'x', cache => 'tx');
COMMIT;
SELECT corm.cache_get('ro', 'tx');

-- deep nesting and many versions
DO $$
BEGIN
	FOR i IN 1..500 LOOP
		BEGIN
			PERFORM corm.cache_set('deep', i, cache => 'tx');
			IF i % 2 = 0 THEN RAISE division_by_zero; END IF;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$;
SELECT corm.cache_get('deep', 'tx');

-- operations on one key that replace each other, in and out of savepoints
BEGIN;
SELECT corm.cache_set('r', '1', cache => 'tx');
SAVEPOINT a;
SELECT corm.cache_set('r', '2', cache => 'tx'), corm.cache_set('r', repeat('3', 300), cache => 'tx'), corm.cache_set('new', 'x', cache => 'tx');
SELECT length(corm.cache_get('r', 'tx')), corm.cache_get('new', 'tx');
ROLLBACK TO a;
SELECT corm.cache_get('r', 'tx'), corm.cache_get('new', 'tx');
SELECT corm.cache_delete('r', 'tx'), corm.cache_set('r', '4', cache => 'tx'), corm.cache_set('new', 'y', cache => 'tx');
SAVEPOINT b;
SELECT corm.cache_clear('tx'), corm.cache_set('r', '5', cache => 'tx'), corm.cache_set('r', '6', cache => 'tx');
RELEASE b;
SELECT corm.cache_get('r', 'tx'), corm.cache_get('new', 'tx');
ROLLBACK TO a;
SELECT corm.cache_get('r', 'tx'), corm.cache_get('new', 'tx');
COMMIT;
SELECT corm.cache_get('r', 'tx'), corm.cache_get('new', 'tx');
-- many keys of many subtransactions, half of them rolled back: none is lost or mixed up
DO $$ BEGIN
	FOR i IN 1 .. 600 LOOP
		BEGIN
			PERFORM corm.cache_set('many:' || k, i::text, cache => 'tx') FROM generate_series(i, i + 20) k;
			PERFORM corm.cache_set('many:' || k, i::text || '!', cache => 'tx') FROM generate_series(i, i + 10) k;
			IF i % 2 = 0 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT count(*) FROM generate_series(1, 650) k
	WHERE corm.cache_get('many:' || k, 'tx') IS DISTINCT FROM
		(SELECT i::text || CASE WHEN k - i <= 10 THEN '!' ELSE '' END FROM generate_series(1, 599, 2) i WHERE k BETWEEN i AND i + 20 ORDER BY i DESC LIMIT 1);

DROP FUNCTION other, other_set;
DROP EXTENSION dblink;
SELECT corm.cache_drop('tx'), corm.cache_drop('small');
SELECT * FROM corm.cache_check();
