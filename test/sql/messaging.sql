-- Messages: published and received, in transactions and savepoints; full topics; keys, filters, seeks, dead letters.
\set VERBOSITY terse
SELECT corm.topic_create('t', capacity => 5), corm.subscribe('t', 'g'), corm.subscribe('t', 'h', start => 'all');
CREATE VIEW counted AS SELECT topic, grp, lag, in_hand, redelivered, lost FROM corm.groups ORDER BY topic COLLATE "C", grp COLLATE "C";

-- values of any type, with their types; each group gets each message once
CREATE TYPE message_part AS (a int, b text);
CREATE DOMAIN message_even AS int CHECK (VALUE % 2 = 0);
SELECT corm.publish('t', 'text'), corm.publish('t', 1.50, key => 'k', headers => '{"h": [1, 2]}'),
	corm.publish('t', ROW(1, 'x,"y')::message_part), corm.publish('t', '{1,2}'::int[]), corm.publish('t', 4::message_even);
SELECT seq, key, payload, type, headers, published_at <= clock_timestamp() AS published, attempt FROM corm.receive('t', 'g', 10);
SELECT * FROM corm.receive('t', 'g');
TABLE counted;
SELECT seq, payload FROM corm.peek('t', 'h', 2);
SELECT * FROM corm.receive_as(NULL::text, 't', 'h');
SELECT * FROM corm.receive_as(0::numeric, 't', 'h');
SELECT * FROM corm.receive_as(NULL::text, 't', 'h');
SELECT a, b FROM corm.receive_as(NULL::message_part, 't', 'h');
SELECT corm.publish('t', ROW(5, 'y')::message_part);
BEGIN; SELECT corm.receive_as(NULL::message_part, 't', 'g'); ROLLBACK;
SELECT (corm.receive_as(NULL::message_part, 't', 'g')).b;
SELECT corm.receive_as(NULL::int[], 't', 'h');
SELECT corm.receive_as(NULL::message_even, 't', 'h');
TABLE counted;
-- the text of a value does not depend on the publisher's settings
SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 0;
SELECT corm.publish('t', timestamp '2020-02-01 10:00'), corm.publish('t', interval '1 day 2 hours'), corm.publish('t', 0.1::float8 + 0.2::float8);
RESET datestyle; RESET intervalstyle; RESET extra_float_digits;
SELECT payload FROM corm.receive('t', 'g', 3);
SELECT corm.purge('t');

-- a transaction's messages come when it commits, in one piece or not at all
BEGIN;
SELECT corm.publish('t', 'one');
SAVEPOINT s;
SELECT corm.publish('t', 'two');
ROLLBACK TO s;
SELECT corm.publish('t', 'three');
SELECT corm.publish('t', 'now', immediate => true);
SELECT seq, payload FROM corm.receive('t', 'g', 10);
COMMIT;
SELECT seq, payload FROM corm.receive('t', 'g', 10);
SELECT seq, payload FROM corm.receive('t', 'h', 10);
BEGIN;
SELECT corm.publish('t', 'never');
ROLLBACK;
SELECT * FROM corm.receive('t', 'g', 10);
SELECT published, waiting, bytes FROM corm.topics WHERE name = 't';

-- what is received is given back in its place, with one attempt more
SELECT corm.publish_many('t', ARRAY['a', 'b', 'c', 'd']);
BEGIN;
SELECT payload, attempt FROM corm.receive('t', 'g', 2);
SAVEPOINT s;
SELECT payload, attempt FROM corm.receive('t', 'g');
TABLE counted;
ROLLBACK TO s;
SELECT payload, attempt FROM corm.receive('t', 'g');
DO $$
BEGIN
	PERFORM corm.receive('t', 'g');
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE 'again: %', (SELECT payload || ' ' || attempt FROM corm.receive('t', 'g'));
END $$;
ROLLBACK;
SELECT payload, attempt FROM corm.receive('t', 'g', 3);
SELECT payload, attempt FROM corm.receive('t', 'g', 3);
TABLE counted;

-- full: for all groups or none
SELECT corm.publish('t', 'e');
SELECT corm.publish('t', 'f');
SELECT payload FROM corm.receive('t', 'g', 10);
SELECT corm.publish_many('t', ARRAY['f', 'g']);
SELECT corm.publish_many('t', ARRAY[1, 2, 3, 4, 5, 6]);
SELECT payload FROM corm.receive('t', 'h', 10);
BEGIN;
SELECT corm.publish_many('t', ARRAY[1, 2, 3, 4, 5]);
\set VERBOSITY default
SELECT corm.publish('t', 6);
\set VERBOSITY terse
ROLLBACK;
-- what waits to be settled by the publisher itself does not make room either
BEGIN;
SELECT corm.publish_many('t', ARRAY[1, 2, 3, 4, 5]);
COMMIT;
BEGIN;
SELECT count(*) FROM corm.receive('t', 'g', 5);
SELECT count(*) FROM corm.receive('t', 'h', 5);
SELECT corm.topic_alter('t', overflow => 'block');
SELECT corm.publish('t', 6);
ROLLBACK;
SELECT corm.topic_alter('t', overflow => 'block');
BEGIN;
SELECT count(*) FROM corm.receive('t', 'g', 5);
SELECT count(*) FROM corm.receive('t', 'h', 5);
SELECT corm.publish('t', 6);
ROLLBACK;
SELECT corm.publish_many('t', ARRAY[1, 2, 3, 4, 5, 6]);
SET statement_timeout = '50ms';
SELECT corm.publish('t', 6);
RESET statement_timeout;
-- the oldest that nobody has in hand makes way
SELECT corm.topic_alter('t', overflow => 'drop_oldest');
BEGIN;
SELECT payload FROM corm.receive('t', 'g', 2);
SELECT corm.publish('t', 6, immediate => true), corm.publish('t', 7, immediate => true);
SELECT payload FROM corm.receive('t', 'g', 10);
SELECT corm.publish('t', 8, immediate => true);
COMMIT;
TABLE counted;
SELECT payload FROM corm.receive('t', 'g', 10);
SELECT payload FROM corm.receive('t', 'h', 10);
SELECT corm.publish_many('t', ARRAY[1, 2, 3, 4, 5, 6, 7]);
SELECT payload FROM corm.receive('t', 'h', 10);
TABLE counted;
-- bytes
SELECT corm.topic_create('bytes', max_bytes => 10), corm.subscribe('bytes', 'g');
SELECT corm.publish('bytes', '123456');
SELECT corm.publish('bytes', '12345');
SELECT corm.publish('bytes', '1234');
SELECT bytes, waiting FROM corm.topics WHERE name = 'bytes';
SELECT corm.topic_alter('bytes', overflow => 'drop_oldest');
SELECT corm.publish('bytes', '12345');
SELECT payload FROM corm.receive('bytes', 'g', 10);
SELECT corm.topic_alter('bytes', overflow => 'block', retention => '1 hour');
SELECT corm.publish('bytes', '12345678901');
SELECT corm.publish('bytes', '123456'), payload FROM corm.receive('bytes', 'g');
SELECT count(*) FROM corm.receive('bytes', 'g');
SELECT bytes, waiting FROM corm.topics WHERE name = 'bytes';
SELECT corm.publish('bytes', '1234567');
SELECT bytes, waiting FROM corm.topics WHERE name = 'bytes';
SELECT corm.topic_drop('bytes');

-- closed: what is left, then nothing, at once
SELECT corm.publish('t', 'last'), corm.topic_close('t');
SELECT corm.receive('t', 'g', 1, '1 hour') IS NOT NULL AS got FROM generate_series(1, 6);
SELECT payload FROM corm.receive('t', 'g', 100, '1 hour');
SELECT payload FROM corm.receive('t', 'h', 100, '1 hour');
SELECT payload FROM corm.receive('t', 'h', 100, '1 hour');
SELECT corm.topic_open('t');
SELECT corm.topic_drop('t');

-- ordered: one of a key at a time
SELECT corm.topic_create('keys'), corm.subscribe('keys', 'g', ordered => true, ack => 'manual');
SELECT corm.publish('keys', 'a1', 'a'), corm.publish('keys', 'a2', 'a'), corm.publish('keys', 'b1', 'b'), corm.publish('keys', 'none'), corm.publish('keys', 'b2', 'b');
SELECT seq, payload FROM corm.receive('keys', 'g', 10);
SELECT seq, payload FROM corm.receive('keys', 'g', 10);
SELECT corm.ack('keys', 'g', 1);
SELECT seq, payload FROM corm.receive('keys', 'g', 10);
SELECT corm.nack('keys', 'g', 3);
SELECT seq, payload, attempt FROM corm.receive('keys', 'g', 10);
SELECT corm.ack('keys', 'g', 2, 3, 3, 4, 99);
SELECT seq, payload FROM corm.receive('keys', 'g', 10);
BEGIN;
SELECT corm.ack('keys', 'g', 5);
SELECT corm.ack('keys', 'g', 5), corm.touch('keys', 'g', 5), corm.nack('keys', 'g', 5);
ROLLBACK;
-- what a transaction has touched it may acknowledge, too; a rollback to a savepoint leaves it touched
BEGIN;
SELECT corm.touch('keys', 'g', 5);
SAVEPOINT s;
SELECT corm.touch('keys', 'g', 5), corm.ack('keys', 'g', 5), corm.nack('keys', 'g', 5);
ROLLBACK TO s;
SELECT corm.nack('keys', 'g', 5);
ROLLBACK TO s;
COMMIT;
BEGIN;
SELECT corm.touch('keys', 'g', 5), corm.nack('keys', 'g', 5), corm.ack('keys', 'g', 5);
ROLLBACK;
SELECT corm.ack('keys', 'g', VARIADIC '{}'), corm.ack('keys', 'g'), corm.touch('keys', 'g');
SELECT corm.ack('keys', 'g', 5), corm.publish('keys', 'c1', 'c');
-- received and acknowledged in one transaction
BEGIN;
SELECT seq FROM corm.receive('keys', 'g');
SELECT corm.touch('keys', 'g', 6), corm.ack('keys', 'g', 6), corm.ack('keys', 'g', 6);
COMMIT;
SELECT lag, in_hand FROM counted WHERE topic = 'keys';
SELECT corm.topic_drop('keys');

-- a filter: what it refuses is settled
SELECT corm.topic_create('filtered'), corm.subscribe('filtered', 'g', filter => $$key = 'a' OR headers ->> 'x' = '1' OR payload ~ '^[0-9]+$' -- comment$$);
SELECT corm.publish('filtered', 'no'), corm.publish('filtered', 'key', 'a'), corm.publish('filtered', 'headers', headers => '{"x": 1}'), corm.publish('filtered', 12);
SELECT seq, payload FROM corm.peek('filtered', 'g', 10);
BEGIN;
SELECT seq, payload, attempt FROM corm.receive('filtered', 'g', 2);
SELECT lag, in_hand FROM counted WHERE topic = 'filtered';
ROLLBACK;
SELECT seq, payload, attempt FROM corm.receive('filtered', 'g', 10);
SELECT lag, in_hand FROM counted WHERE topic = 'filtered';
-- a message for which it fails rests, and those behind it come
SELECT corm.subscribe('filtered', 'fails', start => 'new', filter => '1 / (payload::int) = 1', retry_delay => '1 hour');
SELECT corm.publish('filtered', 1), corm.publish('filtered', 0), corm.publish('filtered', 1);
SELECT payload FROM corm.receive('filtered', 'fails');
SELECT payload FROM corm.receive('filtered', 'fails');
SELECT lag, in_hand FROM counted WHERE grp = 'fails';
SELECT corm.topic_drop('filtered');

-- after so many attempts: to the topic for dead letters, or lost
SELECT corm.topic_create('work'), corm.topic_create('dead', capacity => 2), corm.subscribe('dead', 'undertaker');
SELECT corm.subscribe('work', 'g', max_attempts => 2, dead_letter => 'dead'), corm.subscribe('work', 'h', max_attempts => 1);
SELECT corm.publish_many('work', ARRAY[1, 2, 3, 4]), corm.publish('work', 'five', key => 'k', headers => '{"a": 1}');
BEGIN; SELECT payload, attempt FROM corm.receive('work', 'g', 5); ROLLBACK;
BEGIN; SELECT payload, attempt FROM corm.receive('work', 'g', 1); ROLLBACK;
BEGIN; SELECT payload, attempt FROM corm.receive('work', 'g', 10); SELECT count(*) FROM corm.receive('work', 'h', 10); ROLLBACK;
SELECT * FROM corm.receive('work', 'g', 10);
TABLE counted;
SELECT payload, type, attempt FROM corm.receive('dead', 'undertaker', 10);
SELECT corm.publish('work', 'six', key => 'k', headers => '{"a": 1}');
BEGIN; SELECT corm.receive('work', 'g') IS NULL AS got; ROLLBACK;
BEGIN; SELECT corm.receive('work', 'g') IS NULL AS got; ROLLBACK;
SELECT key, payload, type, headers, attempt FROM corm.receive('dead', 'undertaker', 10);
-- the topic for dead letters has room where what it keeps for the retention makes way
SELECT corm.topic_alter('dead', max_bytes => 100, retention => '1 hour');
SELECT corm.publish('dead', repeat('x', 80)), corm.publish('work', repeat('y', 50));
SELECT length(payload) FROM corm.receive('dead', 'undertaker', 10);
BEGIN; SELECT length(payload), attempt FROM corm.receive('work', 'g', 10); ROLLBACK;
BEGIN; SELECT length(payload), attempt FROM corm.receive('work', 'g', 10); ROLLBACK;
SELECT lag, lost FROM corm.groups WHERE topic = 'work' AND grp = 'g';
SELECT length(payload) FROM corm.receive('dead', 'undertaker', 10);
SELECT corm.topic_drop('dead');
SELECT corm.publish('work', 'seven');
BEGIN; SELECT count(*) FROM corm.receive('work', 'g'); ROLLBACK;
BEGIN; SELECT count(*) FROM corm.receive('work', 'g'); ROLLBACK;
SELECT payload FROM corm.receive('work', 'g', 10);
TABLE counted;
SELECT corm.topic_drop('work');

-- what is kept can be read again
SELECT corm.topic_create('kept', retention => '1 hour'), corm.subscribe('kept', 'g');
SELECT corm.publish_many('kept', ARRAY[1, 2, 3, 4]);
SELECT count(*) FROM corm.receive('kept', 'g', 4);
SELECT corm.seek('kept', 'g', 3);
TABLE counted;
SELECT seq, payload, attempt FROM corm.receive('kept', 'g', 10);
SELECT corm.subscribe('kept', 'all', start => 'all'), corm.subscribe('kept', 'from', start => '4'), corm.subscribe('kept', 'new'),
	corm.subscribe('kept', 'time', start => '2000-01-01'), corm.subscribe('kept', 'later', start => '2100-01-01');
TABLE counted;
SELECT corm.seek('kept', 'all', 3), corm.seek('kept', 'time', 'infinity'::timestamptz), corm.seek('kept', 'later', '-infinity'::timestamptz),
	corm.seek('kept', 'new', -5), corm.seek('kept', 'from', 1000);
TABLE counted;
BEGIN; SELECT corm.seek('kept', 'all', 1); ROLLBACK;
-- in hand at the time of a seek: backward it comes again, forward it does not, whatever becomes of it
BEGIN;
SELECT seq FROM corm.receive('kept', 'new', 2);
SELECT corm.seek('kept', 'new', 2);
COMMIT;
SELECT seq, attempt FROM corm.receive('kept', 'new', 10);
SELECT corm.purge('kept');
TABLE counted;
SELECT waiting, bytes FROM corm.topics WHERE name = 'kept';
SELECT corm.seek('kept', 'g', 1);
SELECT * FROM corm.receive('kept', 'g');
SELECT corm.topic_drop('kept');

-- temporary groups
SELECT corm.topic_create('temp'), corm.subscribe('temp', 'mine', temporary => true);
SELECT corm.subscribe('temp', 'mine');
SELECT corm.subscribe('temp', 'mine', temporary => true);
BEGIN; SELECT corm.subscribe('temp', 'gone', temporary => true); ROLLBACK;
SELECT corm.receive('temp', 'gone');
SELECT corm.publish('temp', 'x');
TABLE counted;
SELECT payload FROM corm.receive('temp', 'mine');
SELECT corm.unsubscribe('temp', 'mine');
SELECT corm.receive('temp', 'mine');
SELECT corm.subscribe('temp', 'mine', temporary => true);
SELECT pg_backend_pid() AS old \gset
\c
SELECT set_config('messages.old', :'old', false) IS NULL AS unknown;
DO $$
BEGIN
	WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = current_setting('messages.old')::int) LOOP
		PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
	END LOOP;
END $$;
SELECT corm.receive('temp', 'mine');
SELECT corm.publish('temp', 'x');
SELECT corm.subscribe('temp', 'mine', temporary => true);
SELECT corm.topic_drop('temp'), corm.topic_create('temp');
SELECT corm.receive('temp', 'mine');
SELECT corm.topic_drop('temp');

-- many and large ones, more than a buffer holds
SELECT corm.topic_create('large', capacity => 100000), corm.subscribe('large', 'g');
SELECT corm.publish('large', repeat('x', 300000)), corm.publish('large', ''), corm.publish_many('large', array_agg(repeat('y', n))) FROM generate_series(1, 1000) n;
SELECT count(*), sum(length(payload)) FROM corm.receive('large', 'g', 100000);
SELECT corm.publish('large', repeat('x', 300000)), corm.publish('large', 'y');
BEGIN; SELECT length(payload) FROM corm.receive('large', 'g', 100000); ROLLBACK;
SELECT length(payload), attempt FROM corm.peek('large', 'g', 100000);
SELECT corm.topic_drop('large');

-- CALL, in and outside of transactions
SELECT corm.topic_create('call'), corm.subscribe('call', 'g'), corm.publish('call', 'a', immediate => true);
SELECT corm.publish_many('call', ARRAY[1, 2, 3]);
CALL corm.receive('call', 'nothing', 2, '0', NULL);
DO $$
DECLARE messages corm.message[];
BEGIN
	CALL corm.receive('call', 'g', 2, '1 hour', messages);
	RAISE NOTICE '% %', messages[1].payload, messages[2].payload;
	ROLLBACK;
	CALL corm.receive('call', 'g', 1, '1 hour', messages);
	RAISE NOTICE '% %', messages[1].payload, messages[1].attempt;
	COMMIT;
	CALL corm.receive('call', 'g', 10, '0', messages);
	RAISE NOTICE '%', cardinality(messages);
	ROLLBACK;
END $$;
BEGIN;
CREATE TABLE message_seen AS SELECT 1 AS n;
DO $$
DECLARE messages corm.message[];
BEGIN
	CALL corm.receive('call', 'g', 2, '0', messages);
	RAISE NOTICE '%', cardinality(messages);
END $$;
ROLLBACK;
SELECT to_regclass('message_seen'), lag FROM counted WHERE topic = 'call';
PREPARE TRANSACTION 'none';
BEGIN; SELECT corm.publish('call', 'x'); PREPARE TRANSACTION 'message';
BEGIN; SELECT count(*) FROM corm.receive('call', 'g'); PREPARE TRANSACTION 'message';
SELECT lag, in_hand FROM counted WHERE topic = 'call';
SELECT corm.topic_drop('call');

SELECT * FROM corm.work_check();
SELECT count(*) FROM corm.topics;
DROP VIEW counted;
DROP DOMAIN message_even;
DROP TYPE message_part;
