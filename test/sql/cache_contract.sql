-- What users of the cache rely on: functions with their argument names, defaults and results, views and settings.
\pset format unaligned
SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') -> ' || pg_get_function_result(p.oid) AS function
	FROM pg_proc p WHERE p.pronamespace = 'corm'::regnamespace AND (p.proname LIKE 'cache\_%' OR p.proname = 'wait_ready')
	ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";
SELECT attrelid::regclass AS view, string_agg(attname, ' ' ORDER BY attnum) AS columns
	FROM pg_attribute WHERE attrelid IN ('corm.caches'::regclass, 'corm.cache_stats'::regclass) AND attnum > 0 GROUP BY 1 ORDER BY 1;
SELECT name, boot_val, unit, context FROM pg_settings
	WHERE name ~ '^corm\.(cache_|max_caches|sweep_|event_)' ORDER BY name COLLATE "C";
-- named arguments, each of them
SELECT corm.cache_create(name => 'contract', ttl => '1 hour', max_bytes => 100000, channel => 'contract', events => '{}');
SELECT corm.cache_grant(cache => 'contract', grantee => '-', privileges => '{read}'), corm.cache_revoke(cache => 'contract', grantee => '-', privileges => '{read}');
SELECT corm.cache_set(key => 'k', value => 1, ttl => '1 minute', cache => 'contract', immediate => true),
	corm.cache_add(key => 'a', value => 'x', ttl => NULL, cache => 'contract', immediate => false),
	corm.cache_replace(key => 'k', value => 2, ttl => NULL, cache => 'contract', immediate => true);
SELECT corm.cache_get(key => 'k', cache => 'contract'), corm.cache_get_as(t => 0, key => 'k', cache => 'contract'),
	corm.cache_exists(key => 'k', cache => 'contract'), corm.cache_ttl(key => 'k', cache => 'contract') > '59 minutes',
	(corm.cache_info(key => 'k', cache => 'contract')).type;
SELECT corm.cache_incr(key => 'n', by => 5, ttl => '1 minute', cache => 'contract'), corm.cache_decr(key => 'n', by => 2, ttl => NULL, cache => 'contract'),
	corm.cache_expire(key => 'n', ttl => '1 hour', cache => 'contract'), corm.cache_persist(key => 'n', cache => 'contract');
SELECT * FROM corm.cache_get_many(keys => '{n,k}', cache => 'contract');
SELECT corm.cache_set_many(entries => '{"m": 1}', ttl => '1 minute', cache => 'contract'), corm.cache_fetch(key => 'f', loader => 'SELECT 1', ttl => '1 minute', cache => 'contract');
SELECT k FROM corm.cache_keys(pattern => '_', cache => 'contract') k ORDER BY k;
SELECT corm.cache_count(cache => 'contract'), corm.cache_delete(key => 'k', cache => 'contract', immediate => true), corm.cache_clear(cache => 'contract');
SELECT count(*) FROM corm.cache_events(since => 9223372036854775807);
SELECT corm.wait_ready(timeout => '1 minute');
SELECT corm.cache_close(name => 'contract');
SELECT corm.cache_open(name => 'contract');
SELECT corm.cache_drop(name => 'contract');
