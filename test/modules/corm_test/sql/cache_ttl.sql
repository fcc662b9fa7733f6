-- Times to live, by a clock that stands still until told.
SET timezone = 'UTC';
SELECT corm_test.clock_freeze();
SELECT corm.cache_create('ttl', channel => 'ttl');

-- none, short, long; at the boundary an entry has expired
SELECT corm.cache_set('never', 'x', cache => 'ttl'), corm.cache_set('short', 'x', '10 seconds', 'ttl'),
	corm.cache_set('long', 'x', '1 year 2 mons 3 days', 'ttl'), corm.cache_set('tiny', 'x', '1 microsecond', 'ttl');
SELECT k, t.* FROM unnest('{never,short,long,tiny}'::text[]) k, corm.cache_info(k, 'ttl') t;
SELECT corm_test.clock_advance('9.999999 seconds');
SELECT corm.cache_get('short', 'ttl'), corm.cache_ttl('short', 'ttl'), corm.cache_exists('tiny', 'ttl');
SELECT corm_test.clock_advance('0.000001 seconds');
SELECT corm.cache_get('short', 'ttl'), corm.cache_ttl('short', 'ttl'), (corm.cache_info('short', 'ttl')).found;
SELECT corm_test.clock_advance('422 days 23:59:49.999999');
SELECT corm.cache_ttl('long', 'ttl'), corm.cache_get('never', 'ttl'), corm.cache_ttl('never', 'ttl');
SELECT corm_test.clock_advance('0.000001 seconds');
SELECT corm.cache_get('long', 'ttl');
SELECT key, reason FROM corm.cache_events() WHERE cache = 'ttl' ORDER BY seq;

-- a set clears a ttl, persist too; expire sets one, and revives nothing
SELECT corm.cache_set('a', '1', '10 seconds', 'ttl'), corm.cache_set('a', '2', cache => 'ttl'), corm.cache_ttl('a', 'ttl');
SELECT corm.cache_set('a', '3', '10 seconds', 'ttl', true), corm.cache_persist('a', 'ttl'), corm.cache_ttl('a', 'ttl');
SELECT corm.cache_expire('a', '5 seconds', 'ttl');
SELECT corm.cache_ttl('a', 'ttl');
SELECT corm_test.clock_advance('5 seconds');
SELECT corm.cache_expire('a', '1 hour', 'ttl'), corm.cache_persist('a', 'ttl'), corm.cache_get('a', 'ttl');
SELECT corm.cache_replace('a', 'x', cache => 'ttl'), corm.cache_add('a', 'new', '1 second', 'ttl'), corm.cache_get('a', 'ttl');

-- bad ones are refused and the old one stays (hardening 14)
SELECT corm.cache_set('b', '1', '10 seconds', 'ttl');
SELECT corm.cache_set('b', '2', '0', 'ttl');
SELECT corm.cache_set('b', '2', '-1 microsecond', 'ttl');
SELECT corm.cache_expire('b', '-1 month', 'ttl');
SELECT corm.cache_expire('b', '-178000000 years', 'ttl');
SELECT corm.cache_expire('b', '178000000 years', 'ttl');
SELECT corm.cache_set('b', '2', '110 years', 'ttl');
SELECT corm.cache_expire('b', NULL, 'ttl');
SELECT corm.cache_incr('b', 1, '-1s', 'ttl');
-- no interval before PostgreSQL 17, and no time to live since
DO $$
BEGIN
	PERFORM corm.cache_set('b', '2', 'infinity'::text::interval, 'ttl');
	RAISE 'stored';
EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow THEN
	RAISE NOTICE 'endless is refused';
END $$;
SELECT corm.cache_get('b', 'ttl'), corm.cache_ttl('b', 'ttl');
SELECT corm.cache_set('c', '1', '99 years', 'ttl'), corm.cache_ttl('c', 'ttl');

-- counters keep their ttl unless given one; an expired one starts from 0
SELECT corm.cache_incr('n', ttl => '10 seconds', cache => 'ttl');
SELECT corm_test.clock_advance('4 seconds');
SELECT corm.cache_incr('n', cache => 'ttl'), corm.cache_ttl('n', 'ttl');
SELECT corm.cache_incr('n', ttl => '20 seconds', cache => 'ttl'), corm.cache_ttl('n', 'ttl');
SELECT corm_test.clock_advance('20 seconds');
SELECT corm.cache_incr('n', 5, cache => 'ttl'), corm.cache_ttl('n', 'ttl');

-- a ttl runs from the call, not from the start of the transaction or its commit
BEGIN;
SELECT corm.cache_set('t', 'x', '10 seconds', 'ttl');
SELECT corm_test.clock_advance('6 seconds');
SELECT corm.cache_ttl('t', 'ttl');
SELECT corm.cache_set('u', 'x', '10 seconds', 'ttl');
SELECT corm.cache_set('v', 'x', '1 second', 'ttl');
SELECT corm_test.clock_advance('1 second');
SELECT corm.cache_get('v', 'ttl'), corm.cache_count('ttl') > 0;
COMMIT;
SELECT corm.cache_ttl('t', 'ttl'), corm.cache_ttl('u', 'ttl'), corm.cache_get('v', 'ttl');
BEGIN;
SELECT corm.cache_expire('t', '1 minute', 'ttl');
SELECT corm_test.clock_advance('30 seconds');
SELECT corm.cache_get('t', 'ttl');
COMMIT;

-- the time of day has no influence
SELECT corm.cache_set('d', 'x', '10 seconds', 'ttl');
SELECT corm_test.clock_set_back('10 years');
SELECT corm.cache_ttl('d', 'ttl'), (corm.cache_info('d', 'ttl')).created_at;
SELECT corm_test.clock_set_back('-30 years');
SELECT corm.cache_ttl('d', 'ttl');

-- a cache's own ttl
SELECT corm.cache_create('own', ttl => '3 seconds', events => '{}');
SELECT corm.cache_set('a', 'x', cache => 'own'), corm.cache_set('b', 'x', '5 seconds', 'own'), corm.cache_set_many('{"c": "x"}', cache => 'own'),
	corm.cache_fetch('d', 'SELECT 1', cache => 'own');
SELECT key, corm.cache_ttl(key, 'own') FROM corm.cache_get_many('{a,b,c,d}', 'own');
SELECT corm.cache_persist('a', 'own'), corm.cache_ttl('a', 'own');

-- keys that have expired are not shown, by anything
SELECT corm_test.clock_advance('4 seconds');
SELECT k FROM corm.cache_keys(NULL, 'own') k ORDER BY 1;
SELECT * FROM corm.cache_get_many('{a,b,c,d}', 'own');
BEGIN;
SELECT corm.cache_set('e', 'x', '1 second', 'own'), corm.cache_expire('a', '1 second', 'own');
SELECT corm_test.clock_advance('1 second');
SELECT k FROM corm.cache_keys(NULL, 'own') k ORDER BY 1;
SELECT corm.cache_get('a', 'own'), corm.cache_get('e', 'own');
ROLLBACK;
SELECT corm.cache_get('a', 'own');

SELECT corm.cache_drop('ttl'), corm.cache_drop('own');
SELECT * FROM corm.cache_check();
SELECT corm_test.clock_release();
