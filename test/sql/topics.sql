-- Topics and groups: made, changed, dropped; who may do what; every error of the arguments.
\set VERBOSITY terse
CREATE ROLE topic_owner;
CREATE ROLE topic_other;
CREATE ROLE topic_member IN ROLE topic_owner;

-- functions with their argument names, defaults and results
\pset format unaligned
SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') -> ' || coalesce(pg_get_function_result(p.oid), 'procedure') AS function
	FROM pg_proc p WHERE p.pronamespace = 'corm'::regnamespace AND p.proname IN ('topic_create', 'topic_alter', 'topic_drop', 'topic_close',
		'topic_open', 'topic_grant', 'topic_revoke', 'subscribe', 'unsubscribe', 'publish', 'publish_many', 'receive', 'receive_as', 'peek',
		'nack', 'touch', 'seek', 'purge') OR p.proname = 'ack' AND p.pronamespace = 'corm'::regnamespace
	ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";
\pset format aligned

SET ROLE topic_owner;
SELECT corm.topic_create(name => 'shop.orders', durable => false, capacity => 100, max_bytes => 10000, overflow => 'block',
	retention => '1 hour', dedup => '10 minutes');
SELECT corm.subscribe(topic => 'shop.orders', grp => 'mail', start => 'all', capacity => 5, ack => 'manual', ordered => true,
	max_attempts => 3, retry_delay => '5 s', dead_letter => NULL, handler => NULL, pool => 'default', batch => 1, filter => 'key = ''k''',
	temporary => false, lease => '1 minute');
SELECT name, owner, durable, capacity, overflow, published, waiting, bytes, closed, max_bytes, retention, dedup, grants FROM corm.topics WHERE name = 'shop.orders';
SELECT topic, grp, lag, in_hand, oldest, redelivered, lost, capacity, ack, ordered, handler, owner, temporary, max_attempts, retry_delay, dead_letter, lease, filter
	FROM corm.groups WHERE topic = 'shop.orders';
SELECT corm.topic_alter('shop.orders', capacity => 7, max_bytes => 0, overflow => 'error', retention => '0', dedup => '0');
SELECT capacity, max_bytes, overflow, retention, dedup FROM corm.topics WHERE name = 'shop.orders';
SELECT corm.topic_alter('shop.orders');
SELECT capacity, max_bytes, overflow, retention, dedup FROM corm.topics WHERE name = 'shop.orders';

-- made and taken back
BEGIN;
SELECT corm.topic_create('gone'), corm.subscribe('gone', 'g'), corm.publish('gone', 'x', immediate => true);
SELECT payload FROM corm.receive('gone', 'g');
ROLLBACK;
SELECT corm.publish('gone', 'x');
BEGIN;
SELECT corm.topic_create('half');
SAVEPOINT s;
SELECT corm.subscribe('half', 'g');
ROLLBACK TO s;
SELECT corm.receive('half', 'g');
ROLLBACK TO s;
SELECT corm.subscribe('half', 'h');
COMMIT;
SELECT topic, grp FROM corm.groups WHERE topic = 'half';
BEGIN;
SELECT corm.unsubscribe('half', 'h'), corm.topic_drop('half');
ROLLBACK;
SELECT corm.publish('half', 'x');
SELECT corm.topic_drop('half');
SELECT corm.receive('half', 'h');
-- a new one of the same name is another one
SELECT corm.topic_create('half'), corm.subscribe('half', 'h', start => 'all');
SELECT corm.receive('half', 'h');
SELECT corm.unsubscribe('half', 'h');
SELECT corm.receive('half', 'h');
SELECT corm.unsubscribe('half', 'h');
SELECT corm.topic_drop('half');

-- twice, and unknown
SELECT corm.topic_create('shop.orders');
SELECT corm.subscribe('shop.orders', 'mail');
SELECT corm.topic_close('shop.orders');
SELECT corm.topic_close('shop.orders');
SELECT corm.publish('shop.orders', 'x');
SELECT corm.publish('shop.orders', 'x', immediate => true);
SELECT corm.topic_open('shop.orders');
SELECT corm.topic_open('shop.orders');
SELECT corm.topic_drop('nothing');
SELECT corm.topic_alter('nothing', capacity => 1);
SELECT corm.subscribe('nothing', 'g');
SELECT corm.unsubscribe('shop.orders', 'nothing');
SELECT corm.publish('nothing', 'x');
SELECT corm.receive('shop.orders', 'nothing');
SELECT corm.peek('nothing', 'g');
SELECT corm.ack('shop.orders', 'nothing', 1);
SELECT corm.seek('shop.orders', 'nothing', 1);
SELECT corm.purge('nothing');

-- arguments
SELECT corm.topic_create(NULL);
SELECT corm.topic_create('');
SELECT corm.topic_create(repeat('x', 64));
SELECT corm.topic_create('bad', capacity => 0);
SELECT corm.topic_create('bad', max_bytes => -1);
SELECT corm.topic_create('bad', overflow => 'wait');
SELECT corm.topic_create('bad', retention => '-1 s');
SELECT corm.topic_create('bad', dedup => '-1 s');
SELECT corm.topic_alter('shop.orders', capacity => -1);
SELECT corm.subscribe('shop.orders', NULL);
SELECT corm.subscribe('shop.orders', '');
SELECT corm.subscribe('shop.orders', repeat('x', 64));
SELECT corm.subscribe('shop.orders', 'bad', start => 'now');
SELECT corm.subscribe('shop.orders', 'bad', start => '2020-13-01');
SELECT corm.subscribe('shop.orders', 'bad', start => '99999999999999999999');
SELECT corm.subscribe('shop.orders', 'bad', capacity => 0);
SELECT corm.subscribe('shop.orders', 'bad', ack => 'auto');
SELECT corm.subscribe('shop.orders', 'bad', max_attempts => 0);
SELECT corm.subscribe('shop.orders', 'bad', retry_delay => '-1 s');
SELECT corm.subscribe('shop.orders', 'bad', lease => '0');
SELECT corm.subscribe('shop.orders', 'bad', batch => 0);
SELECT corm.subscribe('shop.orders', 'bad', dead_letter => 'nothing', max_attempts => 1);
SELECT corm.subscribe('shop.orders', 'bad', dead_letter => 'shop.orders', max_attempts => 1);
SELECT corm.subscribe('shop.orders', 'bad', filter => 'key');
SELECT corm.subscribe('shop.orders', 'bad', filter => 'nothing > 1');
SELECT corm.subscribe('shop.orders', 'bad', filter => 'true) FROM x --');
SELECT corm.subscribe('shop.orders', 'bad', filter => 'true; DROP TABLE x');
SELECT corm.subscribe('shop.orders', 'bad', filter => 'true FROM corm.topics');
SELECT corm.subscribe('shop.orders', 'bad', filter => '');
SELECT corm.publish('shop.orders', NULL);
SELECT corm.publish('shop.orders', NULL::int);
SELECT corm.publish(NULL, 'x');
SELECT corm.publish('shop.orders', 'x', delay => '-1 s');
SELECT corm.publish('shop.orders', 'x', dedup_id => 'x');
SELECT corm.publish('shop.orders', ROW(1, 2));
SELECT corm.publish('shop.orders', repeat('x', 1024 * 1024 + 1));
SELECT corm.publish_many('shop.orders', NULL::int[]);
SELECT corm.publish_many('shop.orders', ARRAY[1, NULL]);
SELECT corm.publish_many('shop.orders', '{}'::int[]);
SELECT corm.receive('shop.orders', 'mail', 0);
SELECT corm.receive('shop.orders', 'mail', 1, '-1 s');
SELECT corm.receive(NULL, 'mail');
SELECT corm.ack('shop.orders', 'mail', NULL);
SELECT corm.nack('shop.orders', 'mail', NULL);
SELECT corm.seek('shop.orders', 'mail', NULL::bigint);
SELECT corm.seek('shop.orders', 'mail', NULL::timestamptz);
SELECT corm.topic_grant('shop.orders', '-', '{read}');
SELECT corm.topic_grant('shop.orders', NULL, '{publish}');
SELECT corm.subscribe('shop.orders', 'by commit');
SELECT corm.ack('shop.orders', 'by commit', 1);
SELECT corm.nack('shop.orders', 'by commit', 1);
SELECT corm.touch('shop.orders', 'by commit', 1);
BEGIN READ ONLY;
SELECT corm.topic_create('read only');
ROLLBACK;

-- rights: the owner, members of it, grantees
SET ROLE topic_other;
SELECT corm.publish('shop.orders', 'x');
SELECT corm.receive('shop.orders', 'mail');
SELECT corm.peek('shop.orders', 'mail');
SELECT corm.seek('shop.orders', 'mail', 1);
SELECT corm.subscribe('shop.orders', 'mine');
SELECT corm.purge('shop.orders');
SELECT corm.topic_drop('shop.orders');
SELECT corm.topic_alter('shop.orders', capacity => 1);
SELECT corm.topic_close('shop.orders');
SELECT corm.topic_grant('shop.orders', 'topic_other', '{publish}');
SELECT corm.unsubscribe('shop.orders', 'mail');
SELECT * FROM corm.work_check();
SELECT * FROM corm.topic_definitions;
INSERT INTO corm.topic_grants VALUES ('shop.orders', 'topic_other', true, true);
SET ROLE topic_member;
SELECT corm.topic_grant('shop.orders', 'topic_other', '{publish}');
SET ROLE topic_other;
SELECT corm.publish('shop.orders', 'x', key => 'other');
SELECT corm.receive('shop.orders', 'mail');
SET ROLE topic_owner;
SELECT corm.topic_grant('shop.orders', '-', '{receive}');
SELECT grants FROM corm.topics WHERE name = 'shop.orders';
SET ROLE topic_other;
SELECT corm.subscribe('shop.orders', 'mine', start => 'all');
SELECT seq, payload FROM corm.receive('shop.orders', 'mine');
SELECT corm.unsubscribe('shop.orders', 'by commit');
SELECT corm.topic_create('other''s own');
SELECT corm.subscribe('shop.orders', 'dead', max_attempts => 1, dead_letter => 'other''s own');
SET ROLE topic_owner;
SELECT corm.subscribe('shop.orders', 'dead2', max_attempts => 1, dead_letter => 'other''s own');
SELECT corm.topic_revoke('shop.orders', 'topic_other', '{publish}'), corm.topic_revoke('shop.orders', '-', '{receive,publish}');
SELECT grants FROM corm.topics WHERE name = 'shop.orders';
SET ROLE topic_other;
SELECT corm.publish('shop.orders', 'x');
SELECT corm.receive('shop.orders', 'mine');
SELECT corm.unsubscribe('shop.orders', 'mine');
RESET ROLE;

-- nothing is used in operations that run as somebody else without his knowing
CREATE TABLE topic_index (n int);
INSERT INTO topic_index VALUES (1);
CREATE FUNCTION topic_publish(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT corm.publish('shop.orders', $1) $$;
ALTER TABLE topic_index OWNER TO topic_owner;
CREATE INDEX ON topic_index (topic_publish(n));
DROP TABLE topic_index;
DROP FUNCTION topic_publish;

-- roles that go
DROP ROLE topic_other;
SELECT corm.topic_grant('shop.orders', 'topic_other', '{receive}');
\set VERBOSITY default
DROP ROLE topic_other;
\set VERBOSITY terse
REASSIGN OWNED BY topic_other TO topic_member;
SELECT name, owner FROM corm.topics ORDER BY name COLLATE "C";
SELECT topic, grp, owner FROM corm.groups ORDER BY topic COLLATE "C", grp COLLATE "C";
DROP OWNED BY topic_other;
DROP ROLE topic_other;
DROP OWNED BY topic_member;
SELECT name, owner FROM corm.topics ORDER BY name COLLATE "C";
SELECT topic, grp, owner FROM corm.groups ORDER BY topic COLLATE "C", grp COLLATE "C";
DROP OWNED BY topic_owner;
SELECT count(*) FROM corm.topics;
DROP ROLE topic_member;
DROP ROLE topic_owner;

-- hostile search_path, and none
SELECT corm.topic_create('path'), corm.subscribe('path', 'g', filter => 'payload LIKE ''a%''');
CREATE SCHEMA topic_evil;
CREATE FUNCTION topic_evil.evil(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
CREATE OPERATOR topic_evil.~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = topic_evil.evil);
SET search_path = topic_evil, pg_catalog;
SELECT corm.publish('path', 'abc'::text), corm.publish('path', 'b'::text);
SELECT payload FROM corm.receive('path', 'g', 5);
SELECT topic, lag FROM corm.groups;
SET search_path = '';
SELECT corm.publish('path', 'abc'::text), corm.topic_drop('path');
RESET search_path;
DROP SCHEMA topic_evil CASCADE;
SELECT * FROM corm.work_check();
