-- A session that is terminated, or cancelled, while it evicts for a write gives back all that it had got by then: both
-- the memory and what was charged to its cache (hardening 21, 22).
SET client_min_messages = warning;
CREATE EXTENSION dblink;
SELECT corm.cache_create('evict', events => '{}'), corm.cache_create('limited', max_bytes => 1000000, events => '{}');
-- what other databases left behind is gone first: it would be counted as lost
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		EXIT WHEN (SELECT size_bytes - free_bytes - (SELECT coalesce(sum(bytes), 0) FROM corm.cache_stats) = 0 FROM corm.cache_status());
		PERFORM corm_test.sweep();
	END LOOP;
END $$;
-- all of the memory is in use: by the cache or its limit
SELECT count(corm.cache_set('small' || i, i, cache => 'evict', immediate => true)) FROM generate_series(1, 600000) i;
SELECT count(corm.cache_set('small' || i, i, cache => 'limited', immediate => true)) FROM generate_series(1, 10000) i;
CREATE VIEW sound AS SELECT size_bytes - free_bytes - (SELECT sum(bytes) FROM corm.cache_stats) AS lost,
	(SELECT count(*) FROM corm.cache_check()) AS problems FROM corm.cache_status();
TABLE sound;

-- ends a session that runs sql when it has evicted something for it, and shows what is left
CREATE FUNCTION interrupt(how text, sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	victim int;
	result text;
BEGIN
	PERFORM dblink_connect('victim', format('dbname=%s port=%s host=%s user=%s', current_database(), current_setting('port'), split_part(current_setting('unix_socket_directories'), ',', 1), current_user));
	SELECT pid INTO victim FROM dblink('victim', 'SELECT pg_backend_pid()') v(pid int);
	PERFORM 1 FROM dblink('victim', $q$SELECT 1 FROM corm_test.wait_at('cache-evict', 77)$q$) v(n int);
	PERFORM pg_advisory_lock(77);
	PERFORM dblink_send_query('victim', sql);
	WHILE dblink_is_busy('victim') = 1 AND NOT EXISTS (SELECT FROM pg_locks WHERE pid = victim AND NOT granted) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	IF how = 'terminate' THEN
		PERFORM pg_terminate_backend(victim, 60000);
	ELSE
		PERFORM pg_cancel_backend(victim);
	END IF;
	BEGIN
		PERFORM FROM dblink_get_result('victim') v(t text);
	EXCEPTION WHEN query_canceled OR OTHERS THEN
		result := sqlerrm;
	END;
	PERFORM dblink_disconnect('victim');
	PERFORM pg_advisory_unlock(77);
	RETURN result;
END $$;
SELECT interrupt('cancel', $$SELECT corm.cache_set('large', repeat('x', 100000), cache => 'evict', immediate => true)$$);
TABLE sound;
SELECT interrupt('terminate', $$SELECT corm.cache_set('large', repeat('x', 100000), cache => 'evict', immediate => true)$$);
TABLE sound;
SELECT interrupt('terminate', $$SELECT corm.cache_set('large', repeat('x', 100000), cache => 'limited', immediate => true)$$);
TABLE sound;
-- when it commits
SELECT interrupt('cancel', $$SELECT corm.cache_set('large', repeat('x', 100000), cache => 'evict')$$);
TABLE sound;
SELECT interrupt('terminate', $$SELECT corm.cache_set('large', repeat('x', 100000), cache => 'evict')$$);
TABLE sound;
SELECT interrupt('terminate', $$SELECT corm.cache_set('large', repeat('x', 100000), cache => 'limited')$$);
TABLE sound;
SELECT corm.cache_get('large', 'evict') IS NULL AND corm.cache_get('large', 'limited') IS NULL AS nothing_was_written;

-- nothing stays charged: cleared caches give all their memory back, and their slots
SELECT corm.cache_drop('evict'), corm.cache_drop('limited');
DO $$
BEGIN
	WHILE (SELECT size_bytes - free_bytes - (SELECT sum(bytes) FROM corm.cache_stats) > 0 FROM corm.cache_status()) LOOP
		PERFORM corm_test.sweep();
	END LOOP;
END $$;
TABLE sound;
DROP VIEW sound;
DROP FUNCTION interrupt;
DROP EXTENSION dblink;
