-- hardening 58
-- How well caches keep what is asked for: faults B4.
SET client_min_messages = warning;

\echo B4: a key that is read between any two writes is never evicted while another, unread one is there
CREATE FUNCTION stays(places int, others_read boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text := format('stays_%s_%s', places, others_read);
	lost int := 0;
BEGIN
	PERFORM corm.cache_create(name, max_bytes => places * 128, events => '{}');
	PERFORM corm.cache_set('hot', 'x', cache => name, immediate => true);
	FOR i IN 1..2000 LOOP
		IF corm.cache_get('hot', name) IS NULL THEN
			lost := lost + 1;
			PERFORM corm.cache_set('hot', 'x', cache => name, immediate => true);
		END IF;
		PERFORM corm.cache_set('k' || i, 'x', cache => name, immediate => true);
		IF others_read AND i % 4 <> 0 THEN
			PERFORM corm.cache_get('k' || i, name);
		END IF;
	END LOOP;
	RETURN format('%s: lost %s times, %s', name, lost, CASE WHEN corm.cache_count(name) = places THEN 'full' ELSE corm.cache_count(name)::text END);
END $$;
SELECT stays(places, others_read) FROM unnest('{2,3,16,100,128,1000}'::int[]) places, unnest('{f,t}'::boolean[]) others_read WHERE NOT others_read OR places >= 16 ORDER BY places, others_read;
SELECT * FROM corm.cache_check();

\echo B4: a limited cache answers at least 0.99 of what exact SIEVE answers, from 128 entries up, the whole cache 0.98
CREATE FUNCTION compare(name text, places int, value_bytes int, keys int, skew float8, requests int) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s places, skew %s: %s', CASE WHEN name = 'whole' THEN 'the whole cache, ' ELSE '' END || places, skew,
		CASE WHEN corm >= CASE WHEN name = 'whole' THEN 0.98 ELSE 0.99 END * sieve THEN 'as SIEVE' ELSE format('%s, SIEVE %s, LRU %s', corm, sieve, lru) END)
	FROM corm_test.hit_ratio(name, places, value_bytes, keys, skew, requests, 42) $$;
SELECT corm.cache_create(format('ratio_%s_%s', places, skew), max_bytes => places * 128, events => '{}')
	FROM (VALUES (128, 0.8), (128, 1.0), (128, 1.2), (1024, 0.8), (1024, 1.0), (1024, 1.2), (16384, 1.0), (100000, 0.9)) v(places, skew) \g /dev/null
SELECT compare(format('ratio_%s_%s', places, skew), places, 4, keys, skew, requests)
	FROM (VALUES (128, 0.8, 10000, 60000), (128, 1.0, 10000, 60000), (128, 1.2, 10000, 60000),
		(1024, 0.8, 10000, 60000), (1024, 1.0, 10000, 60000), (1024, 1.2, 10000, 60000),
		(16384, 1.0, 200000, 200000), (100000, 0.9, 400000, 300000)) v(places, skew, keys, requests);
SELECT corm.cache_drop(format('ratio_%s_%s', places, skew))
	FROM (VALUES (128, 0.8), (128, 1.0), (128, 1.2), (1024, 0.8), (1024, 1.0), (1024, 1.2), (16384, 1.0), (100000, 0.9)) v(places, skew) \g /dev/null
SELECT corm.cache_drop(c) FROM (SELECT format('stays_%s_%s', places, others_read) FROM unnest('{2,3,16,100,128,1000}'::int[]) places, unnest('{f,t}'::boolean[]) others_read WHERE NOT others_read OR places >= 16) v(c) \g /dev/null

\echo B4: and so does the whole cache, for entries so large that it holds that many
SELECT corm.cache_create('whole', events => '{}') \g /dev/null
SELECT compare('whole', places, (size_bytes / 128 / places - 1)::int * 124, places * 8, 1.0, requests)
	FROM corm.cache_status(), (VALUES (1000, 12000), (128, 3000)) v(places, requests);
SELECT corm.cache_drop('whole') \g /dev/null
DROP FUNCTION compare, stays;
SELECT * FROM corm.cache_check();
