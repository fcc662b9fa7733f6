-- One event for each entry that goes away, with the reason; none for one that is overwritten.
SELECT corm_test.clock_freeze();
SELECT corm.cache_create('ev', channel => 'ev_channel');
SELECT event_seq AS before FROM corm.cache_status() \gset
CREATE VIEW ev AS SELECT cache, key, reason FROM corm.cache_events(:before) WHERE cache LIKE 'ev%' ORDER BY seq;

SELECT corm.cache_set('a', '1', cache => 'ev'), corm.cache_set('a', '2', cache => 'ev', immediate => true);
SELECT corm.cache_set('a', '3', cache => 'ev');
SELECT corm.cache_incr('n', cache => 'ev'), corm.cache_incr('n', cache => 'ev'), corm.cache_replace('n', 'x', cache => 'ev', immediate => true);
TABLE ev;

-- delete: of both kinds, once, and not of what is not there
SELECT corm.cache_delete('a', 'ev'), corm.cache_delete('nothing', 'ev'), corm.cache_delete('n', 'ev', true), corm.cache_delete('n', 'ev', true);
TABLE ev;
BEGIN;
SELECT corm.cache_set('r', 'x', cache => 'ev'), corm.cache_delete('r', 'ev');
ROLLBACK;
BEGIN;
SELECT corm.cache_set('r', 'x', cache => 'ev'), corm.cache_delete('r', 'ev');
COMMIT;
SELECT count(*) FROM ev;

-- expired: found by get, exists, set, add, delete, incr, expire
SELECT corm.cache_set('x-' || how, '1', '1 second', 'ev') FROM unnest('{get,exists,set,add,delete,incr,expire}'::text[]) how;
SELECT corm_test.clock_advance('1 second');
SELECT corm.cache_get('x-get', 'ev'), corm.cache_exists('x-exists', 'ev'), corm.cache_set('x-set', '2', cache => 'ev', immediate => true),
	corm.cache_add('x-add', '2', cache => 'ev', immediate => true), corm.cache_delete('x-delete', 'ev', true), corm.cache_incr('x-incr', cache => 'ev'),
	corm.cache_expire('x-expire', '1 hour', 'ev');
SELECT corm.cache_get('x-get', 'ev'), corm.cache_exists('x-exists', 'ev'), corm.cache_delete('x-delete', 'ev', true);
SELECT key, reason, count(*) FROM ev WHERE key LIKE 'x-%' GROUP BY 1, 2 ORDER BY key COLLATE "C";

-- space
SELECT corm.cache_create('ev small', max_bytes => 128);
SELECT corm.cache_set('first', 'x', cache => 'ev small');
SELECT corm.cache_set('second', 'x', cache => 'ev small');
SELECT corm.cache_get('first', 'ev small') IS NULL AS first_is_gone, corm.cache_get('second', 'ev small') IS NULL AS second_is_gone;
SELECT corm.cache_set('third', 'x', cache => 'ev small', immediate => true);
SELECT key, reason FROM ev WHERE cache = 'ev small';

-- clear, close and drop: one event for the whole
SELECT corm.cache_clear('ev');
SELECT corm.cache_set('k', 'x', cache => 'ev');
SELECT corm.cache_close('ev small');
SELECT corm.cache_get('k', 'ev');
SELECT cache, key, reason FROM ev WHERE reason = 'cleared';

-- only what a cache reports
SELECT corm.cache_create('ev none', events => '{}'), corm.cache_create('ev expired', events => '{expired}');
SELECT corm.cache_set('k', 'x', cache => 'ev none'), corm.cache_set('k', 'x', cache => 'ev expired'), corm.cache_set('l', 'x', '1 second', cache => 'ev expired');
SELECT corm.cache_delete('k', 'ev none'), corm.cache_delete('k', 'ev expired');
SELECT corm_test.clock_advance('1 second');
SELECT corm.cache_get('l', 'ev expired');
SELECT cache, key, reason FROM ev WHERE cache IN ('ev none', 'ev expired');

-- numbers are consecutive, "since" is exclusive
SELECT count(*) = max(seq) - min(seq) + 1 FROM corm.cache_events(:before);
SELECT max(seq) AS last FROM corm.cache_events() \gset
SELECT count(*) FROM corm.cache_events(:last);
SELECT count(*) FROM corm.cache_events(:last - 1);
SELECT event_seq = :last, events_lost FROM corm.cache_status();

-- who may not read a cache sees a hash
CREATE ROLE regress_cache_spy;
GRANT SELECT ON ev TO regress_cache_spy;
SELECT corm.cache_set('secret key', 'x', cache => 'ev');
SELECT corm.cache_delete('secret key', 'ev');
SET ROLE regress_cache_spy;
SELECT key = encode(sha256('secret key'), 'hex') AS hashed, reason FROM corm.cache_events(:last);
RESET ROLE;
SELECT key, reason FROM corm.cache_events(:last);

DROP VIEW ev;
DROP ROLE regress_cache_spy;
SELECT corm.cache_drop(name) FROM corm.caches WHERE name LIKE 'ev%';
SELECT * FROM corm.cache_check();
SELECT corm_test.clock_release();
