-- The event stale: the sweeper finds what a commit has made stale, in the caches that want to know.
DO $$ BEGIN WHILE corm_test.sweep() LOOP END LOOP; END $$;
SELECT corm_test.clock_freeze();
SET client_min_messages = warning;
CREATE TABLE fresh_a (id int);
CREATE TABLE fresh_b (id int);
SELECT corm.cache_create('watched', events => '{stale}');
SELECT corm.cache_create('quiet', events => '{deleted,expired,evicted}');
SELECT corm.cache_set('a', 1, cache => 'watched', depends => '{fresh_a}'), corm.cache_set('b', 1, cache => 'watched', depends => '{fresh_b}'),
	corm.cache_set('ab', 1, cache => 'watched', depends => '{fresh_a,fresh_b}'), corm.cache_set('-', 1, cache => 'watched'),
	corm.cache_set('a', 1, cache => 'quiet', depends => '{fresh_a}');
CREATE VIEW pg_temp.kept AS SELECT corm.cache_count('watched') AS watched, corm.cache_count('quiet') AS quiet,
	(SELECT string_agg(cache || ' ' || key || ' ' || reason, ', ' ORDER BY key) FROM corm.cache_events() WHERE cache IN ('watched', 'quiet')) AS events;
SELECT corm_test.sweep();
SELECT * FROM pg_temp.kept;
-- a rollback is nothing
BEGIN; INSERT INTO fresh_a VALUES (1); ROLLBACK;
SELECT corm_test.sweep();
SELECT * FROM pg_temp.kept;
INSERT INTO fresh_a VALUES (1);
-- gone for readers, in memory until the sweeper comes
SELECT * FROM pg_temp.kept;
SELECT corm_test.sweep();
SELECT * FROM pg_temp.kept;
TRUNCATE fresh_b;
SELECT corm_test.sweep();
SELECT * FROM pg_temp.kept;
-- met by a reader first
SELECT corm.cache_get('a', 'quiet') IS NULL AS gone;
SELECT * FROM pg_temp.kept;
SELECT * FROM corm.cache_check();
SELECT corm.cache_drop('watched'), corm.cache_drop('quiet');
DROP VIEW pg_temp.kept;
DROP TABLE fresh_a, fresh_b;
SELECT corm_test.clock_release();
