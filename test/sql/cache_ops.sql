-- What the operations do.
SET timezone = 'UTC';
SELECT corm.cache_create('ops', events => '{}');

-- set, add, replace
SELECT corm.cache_set('a', 'one', cache => 'ops');
SELECT corm.cache_add('a', 'two', cache => 'ops'), corm.cache_add('b', 'two', cache => 'ops');
SELECT corm.cache_replace('a', 'three', cache => 'ops'), corm.cache_replace('c', 'three', cache => 'ops');
SELECT corm.cache_add('i', 1, cache => 'ops', immediate => true), corm.cache_add('i', 2, cache => 'ops', immediate => true),
	corm.cache_replace('j', 2, cache => 'ops', immediate => true), corm.cache_replace('i', 3, cache => 'ops', immediate => true);
SELECT * FROM corm.cache_get_many('{b,nothing,a,i,NULL,a}', 'ops');
SELECT * FROM corm.cache_get_many('{}', 'ops');
SELECT * FROM corm.cache_get_many(NULL, 'ops');

-- delete
SELECT corm.cache_delete('a', 'ops'), corm.cache_delete('a', 'ops');
SELECT corm.cache_delete('i', 'ops', true), corm.cache_delete('i', 'ops', true);
SELECT corm.cache_exists('a', 'ops'), corm.cache_exists('b', 'ops');

-- many
SELECT corm.cache_set_many('{"s": "text \"quoted\"", "n": 1.50, "o": {"x": [1, 2]}, "b": true, "null": null, "e": ""}', cache => 'ops');
SELECT key, value, (corm.cache_info(key, 'ops')).type FROM corm.cache_get_many('{s,n,o,b,"null",e}', 'ops');
SELECT corm.cache_set_many('{}', cache => 'ops'), corm.cache_set_many(NULL, cache => 'ops');
SELECT corm.cache_set_many('[1, 2]', cache => 'ops');

-- keys, count, clear
SELECT k FROM corm.cache_keys(NULL, 'ops') k ORDER BY k COLLATE "C";
SELECT k FROM corm.cache_keys('_', 'ops') k ORDER BY k COLLATE "C";
SELECT corm.cache_set('ünï_10%', '1', cache => 'ops'), corm.cache_set('unix', '2', cache => 'ops');
SELECT k FROM corm.cache_keys('_n_\_10\%', 'ops') k;
SELECT corm.cache_count('ops');
SELECT corm.cache_clear('ops');
SELECT corm.cache_count('ops'), corm.cache_clear('ops');

-- counters
SELECT corm.cache_incr('n', cache => 'ops'), corm.cache_incr('n', 10, cache => 'ops'), corm.cache_decr('n', 5, cache => 'ops'), corm.cache_decr('n', cache => 'ops');
SELECT corm.cache_get('n', 'ops'), (corm.cache_info('n', 'ops')).type;
SELECT corm.cache_set('int2', 32766::smallint, cache => 'ops'), corm.cache_set('int4', -2147483647, cache => 'ops'),
	corm.cache_set('int8', 9223372036854775806, cache => 'ops'), corm.cache_set('text', '99', cache => 'ops'),
	corm.cache_set('numeric', 1.0, cache => 'ops'), corm.cache_set('word', 'ten', cache => 'ops'), corm.cache_set('bool', true, cache => 'ops');
SELECT corm.cache_incr('int2', cache => 'ops'), corm.cache_decr('int4', cache => 'ops'), corm.cache_incr('int8', cache => 'ops'),
	corm.cache_incr('text', cache => 'ops');
SELECT corm.cache_incr('int2', cache => 'ops');
SELECT corm.cache_decr('int4', cache => 'ops');
SELECT corm.cache_incr('int8', cache => 'ops');
SELECT corm.cache_incr('int8', 9223372036854775807, cache => 'ops');
SELECT corm.cache_decr('n', -9223372036854775808, cache => 'ops');
SELECT corm.cache_incr('numeric', cache => 'ops');
SELECT corm.cache_incr('word', cache => 'ops');
SELECT corm.cache_incr('bool', cache => 'ops');
SELECT corm.cache_incr('n', NULL, cache => 'ops');
SELECT key, value, (corm.cache_info(key, 'ops')).type FROM corm.cache_get_many('{int2,int4,int8,text,numeric,word,bool,n}', 'ops');
-- a text grows and shrinks with its number, across the edge of a block too
SELECT corm.cache_set(k, '9', cache => 'ops') FROM rpad('edge', 62, 'x') k;
SELECT corm.cache_incr(k, 1, cache => 'ops'), corm.cache_incr(k, 90, cache => 'ops'), corm.cache_incr(k, 900, cache => 'ops'),
	corm.cache_decr(k, 1000, cache => 'ops'), corm.cache_decr(k, 9223372036854775807, cache => 'ops'), corm.cache_get(k, 'ops')
	FROM rpad('edge', 62, 'x') k;
SELECT corm.cache_set('plus', '+7', cache => 'ops'), corm.cache_set('max', '9223372036854775808', cache => 'ops'),
	corm.cache_set('min', '-9223372036854775808', cache => 'ops'), corm.cache_set('sign', '-', cache => 'ops'), corm.cache_set('', '', cache => 'ops');
SELECT corm.cache_incr('plus', cache => 'ops'), corm.cache_incr('min', cache => 'ops');
SELECT corm.cache_incr('max', cache => 'ops');
SELECT corm.cache_incr('sign', cache => 'ops');
SELECT corm.cache_incr('', cache => 'ops');

-- many keys at once: all are found, gone after clear, and the structures are sound
SELECT count(corm.cache_set('k' || i, i, cache => 'ops', immediate => true)) FROM generate_series(1, 20000) i;
SELECT count(*) FROM generate_series(1, 20000) i WHERE corm.cache_get_as(NULL::int, 'k' || i, 'ops') = i;
SELECT count(corm.cache_delete('k' || i, 'ops', i % 2 = 0)) FROM generate_series(1, 20000) i WHERE i % 3 = 0;
SELECT count(*), count(*) FILTER (WHERE substr(k, 2)::int % 3 = 0) FROM corm.cache_keys('k%', 'ops') k;
SELECT * FROM corm.cache_check();
SELECT corm.cache_clear('ops') > 13000;

-- statistics count what happened
SELECT corm.cache_create('counted', events => '{}');
SELECT corm.cache_set('a', '1', cache => 'counted', immediate => true), corm.cache_get('a', 'counted'), corm.cache_get('b', 'counted'),
	corm.cache_exists('a', 'counted'), corm.cache_delete('a', 'counted', true);
SELECT cache, entries, bytes, hits, misses, sets, deleted, expired, swept, evicted, cleared FROM corm.cache_stats WHERE cache = 'counted';
SELECT corm.cache_clear('counted');
SELECT cache, hits, cleared FROM corm.cache_stats WHERE cache = 'counted';
SELECT size_bytes > 1000000, free_bytes <= size_bytes, epoch > 0 FROM corm.cache_status();
SELECT corm.cache_drop('ops'), corm.cache_drop('counted');
SELECT corm.wait_ready(), corm.wait_ready('1 microsecond');
SELECT corm.wait_ready('-1s');
