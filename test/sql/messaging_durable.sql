-- Durable topics: what differs from those in memory, and the rows behind them.
\set VERBOSITY terse
CREATE VIEW counted AS SELECT topic, grp, lag, in_hand, redelivered, lost FROM corm.groups ORDER BY topic COLLATE "C", grp COLLATE "C";
-- of topics and groups that there are: what other tests have left is not looked at
CREATE VIEW stored AS SELECT seq, key, payload, type, dedup_id FROM (TABLE corm.topic_messages_0 UNION ALL TABLE corm.topic_messages_1 UNION ALL
	TABLE corm.topic_messages_2) m WHERE topic_id IN (SELECT id FROM corm.topic_definitions) ORDER BY seq;
CREATE VIEW settled AS SELECT epoch, first_seq, last_seq FROM (TABLE corm.topic_settled_0 UNION ALL TABLE corm.topic_settled_1 UNION ALL
	TABLE corm.topic_settled_2) s WHERE group_id IN (SELECT id FROM corm.group_definitions) ORDER BY 1, 2, 3;
SELECT corm.topic_create('d', durable => true, capacity => 10, dedup => '1 hour', retention => NULL), corm.subscribe('d', 'g'), corm.subscribe('d', 'm', ack => 'manual');

-- rows that commit with the publisher
CREATE TYPE message_part AS (a int, b text);
BEGIN;
SELECT corm.publish('d', 'one', key => 'k', headers => '{"h": 1}', dedup_id => 'x');
SAVEPOINT s;
SELECT corm.publish('d', 'gone');
ROLLBACK TO s;
SELECT corm.publish('d', ROW(1, 'b')::message_part);
TABLE stored;
SELECT count(*) FROM corm.receive('d', 'g', 10);
COMMIT;
TABLE stored;
SELECT corm.publish('d', 'one again', dedup_id => 'x'), corm.publish_many('d', ARRAY[3, 4]);
SELECT seq, key, payload, type, headers, published_at <= clock_timestamp() AS published, attempt FROM corm.receive('d', 'g', 10);
TABLE settled;
SELECT name, durable, published, waiting, bytes FROM corm.topics;
TABLE counted;

-- what is received and rolled back was never settled
SELECT corm.publish_many('d', ARRAY[5, 6, 7]);
BEGIN;
SELECT seq, attempt FROM corm.receive('d', 'g', 1);
SAVEPOINT s;
SELECT seq, attempt FROM corm.receive('d', 'g', 1);
ROLLBACK TO s;
SELECT seq, attempt FROM corm.receive('d', 'g', 2);
COMMIT;
TABLE settled;

-- acknowledged by hand
SELECT seq FROM corm.receive('d', 'm', 4);
SELECT corm.ack('d', 'm', 3, 1), corm.nack('d', 'm', 2);
TABLE counted;
SELECT seq, attempt FROM corm.peek('d', 'm', 5);
BEGIN; SELECT corm.ack('d', 'm', 4); ROLLBACK;
TABLE settled;

-- a serializable reader gets what commits after its snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM counted;
SELECT corm.publish('d', 'immediate', immediate => true);
SELECT seq, payload FROM corm.receive('d', 'g', 1);
ROLLBACK;

-- full, closed, read-only, and in places where nothing can be stored
SELECT corm.publish_many('d', ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9]);
SELECT corm.topic_close('d');
SELECT corm.publish('d', 'x');
SELECT corm.publish('d', 'x', immediate => true);
SELECT corm.topic_open('d');
BEGIN READ ONLY;
SELECT corm.publish('d', 'x');
ROLLBACK;
BEGIN READ ONLY;
SELECT count(*) FROM corm.receive('d', 'g');
ROLLBACK;
BEGIN READ ONLY;
SELECT seq FROM corm.receive('d', 'm');
ROLLBACK;

-- seek and purge
SELECT corm.seek('d', 'g', 2);
SELECT seq, payload, attempt FROM corm.receive('d', 'g', 3);
SELECT corm.seek('d', 'g', '2000-01-01'::timestamptz);
SELECT lag FROM counted WHERE grp = 'g';
SELECT corm.seek('d', 'g', 'infinity'::timestamptz);
SELECT lag FROM counted WHERE grp = 'g';
SELECT corm.subscribe('d', 'late', start => '7'), corm.subscribe('d', 'all', start => 'all'), corm.subscribe('d', 'time', start => '2000-01-01'), corm.subscribe('d', 'short', start => 'all', temporary => true);
TABLE counted;
SELECT count(*) FROM corm.receive('d', 'short', 100);
SELECT corm.purge('d');
TABLE counted;
SELECT corm.unsubscribe('d', 'late'), corm.unsubscribe('d', 'all'), corm.unsubscribe('d', 'time'), corm.unsubscribe('d', 'short');
SELECT count(*) FROM corm.topic_cursors;

-- ordered, delayed, dead letters: made by the next receiver
SELECT corm.topic_create('dead', durable => true), corm.subscribe('dead', 'd');
SELECT corm.subscribe('d', 'o', ordered => true, max_attempts => 1, dead_letter => 'dead'), corm.subscribe('d', 'lost', max_attempts => 1);
SELECT corm.publish('d', 'a1', 'a'), corm.publish('d', 'a2', 'a'), corm.publish('d', 'b1', 'b'), corm.publish('d', 'never', delay => '1 hour');
BEGIN; SELECT payload FROM corm.receive('d', 'o', 10); ROLLBACK;
SELECT payload FROM corm.receive('d', 'o', 10);
SELECT key, payload FROM corm.receive('dead', 'd', 10);
BEGIN; SELECT payload FROM corm.receive('d', 'lost', 1); ROLLBACK;
SELECT payload FROM corm.receive('d', 'lost', 10);
TABLE counted;
SELECT corm.topic_drop('dead');

-- rotation: cursors move on, and tables are emptied whole
-- each call empties what the one before has drained, as soon as all snapshots are newer
CREATE PROCEDURE rotate(times int) LANGUAGE plpgsql AS $$
BEGIN
	WHILE times > 0 LOOP
		times := times - corm.topic_rotate()::int;
		COMMIT;
	END LOOP;
END $$;
SELECT corm.purge('d'), corm.ack('d', 'm', 4);
CALL rotate(4);
-- kept while ids are remembered
SELECT count(*) FROM stored;
SELECT corm.topic_alter('d', dedup => '0');
CALL rotate(4);
TABLE stored;
TABLE settled;
SELECT corm.publish('d', 'kept'), corm.publish('d', 'received');
SELECT payload FROM corm.receive('d', 'g', 10);
SELECT seq, payload FROM corm.receive('d', 'm', 1);
CALL rotate(4);
SELECT DISTINCT payload FROM stored ORDER BY 1;
SELECT corm.ack('d', 'm', 13);
SELECT payload FROM corm.receive('d', 'm', 10);
CALL rotate(1);
-- not before the snapshots that are in use see the copies, which are this transaction's own
BEGIN;
DO $$ BEGIN WHILE NOT corm.topic_rotate() LOOP END LOOP; END $$;
SELECT corm.topic_rotate();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT corm.topic_rotate(); ROLLBACK;
CREATE ROLE message_nobody;
SET ROLE message_nobody;
SELECT corm.topic_rotate();
SELECT count(*) FROM corm.topic_messages_0;
RESET ROLE;
DROP ROLE message_nobody;
-- a seek to what is gone begins with what is left
SELECT corm.seek('d', 'g', 1);
SELECT payload FROM corm.receive('d', 'g', 100);
SELECT * FROM corm.work_check();
SELECT corm.topic_drop('d');
SELECT count(*) FROM corm.topic_cursors;

-- a message that was given back waits for an earlier one of its key, which a seek brings again in the same call
SELECT corm.topic_create('key', durable => true), corm.subscribe('key', 'g', ordered => true);
SELECT corm.publish('key', 'a1', 'a'), corm.publish('key', 'a2', 'a'), corm.publish('key', 'b1', 'b');
SELECT corm.seek('key', 'g', 2);
BEGIN; SELECT payload, attempt FROM corm.receive('key', 'g', 1); ROLLBACK;
SELECT corm.seek('key', 'g', 1);
SELECT payload, attempt FROM corm.receive('key', 'g', 10);
SELECT redelivered FROM corm.groups WHERE topic = 'key';
SELECT payload, attempt FROM corm.receive('key', 'g', 10);
SELECT redelivered FROM corm.groups WHERE topic = 'key';
-- a message whose topic for dead letters was full is tried again once the receiver has rolled back
SELECT corm.topic_create('small', capacity => 1), corm.subscribe('small', 'g'), corm.publish('small', 'x');
SELECT corm.subscribe('key', 'dead', start => 'all', max_attempts => 1, dead_letter => 'small');
BEGIN; SELECT payload FROM corm.receive('key', 'dead', 1); ROLLBACK;
BEGIN; SELECT payload FROM corm.receive('key', 'dead', 1); ROLLBACK;
SELECT payload FROM corm.receive('small', 'g');
SELECT payload FROM corm.receive('key', 'dead', 10);
SELECT payload FROM corm.receive('small', 'g');
SELECT lost FROM corm.groups WHERE grp = 'dead';
-- neither does a dead letter overtake an earlier message of its key
SELECT corm.subscribe('key', 'dead in order', start => 'all', ordered => true, max_attempts => 1, dead_letter => 'small');
SELECT corm.seek('key', 'dead in order', 2);
BEGIN; SELECT payload FROM corm.receive('key', 'dead in order', 1); ROLLBACK;
SELECT corm.seek('key', 'dead in order', 1);
SELECT payload FROM corm.receive('key', 'dead in order', 10);
SELECT count(*) FROM corm.receive('small', 'g');
SELECT payload FROM corm.receive('key', 'dead in order', 10);
SELECT payload FROM corm.receive('small', 'g');
-- payloads, headers and keys that are stored out of line, among others of the same call
SELECT corm.topic_create('large', durable => true), corm.subscribe('large', 'g');
CREATE FUNCTION noise(n int) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(md5(i::text), '') FROM generate_series(1, n / 32) i $$;
SELECT corm.publish_many('large', ARRAY['first', noise(1600), noise(3200), 'between', noise(320000), repeat('x', 100000), 'last']);
SELECT corm.publish('large', 'headers', headers => jsonb_build_object('h', noise(32000)));
SELECT corm.publish('large', 'key', key => noise(32000));
SELECT seq, length(payload), length(key) AS key, length(headers ->> 'h') AS h, left(payload, 5) AS begins,
	md5(payload) IN (md5(noise(1600)), md5(noise(3200)), md5(noise(320000))) AS noise FROM corm.peek('large', 'g', 10);
SELECT seq, length(payload), attempt FROM corm.receive('large', 'g', 5);
SELECT corm.topic_rotate() IS NOT NULL AS rotated, corm.topic_rotate() IS NOT NULL AS rotated;
SELECT corm.seek('large', 'g', 1);
SELECT seq, length(payload), attempt FROM corm.receive('large', 'g', 20);
SELECT lag, lost FROM corm.groups WHERE topic = 'large';
SELECT * FROM corm.work_check();
SELECT corm.topic_drop('key'), corm.topic_drop('small'), corm.topic_drop('large');
DROP FUNCTION noise;
DROP VIEW counted, stored, settled;
DROP TYPE message_part;

-- large ones, compressed and out of line, in key, headers and payload, among small ones
CREATE FUNCTION noise(n int) RETURNS text LANGUAGE sql AS $$ SELECT left(string_agg(md5(i::text), ''), n) FROM generate_series(1, n / 32 + 1) i $$;
SELECT corm.topic_create('large', durable => true), corm.subscribe('large', 'g');
SELECT corm.publish_many('large', ARRAY['first', repeat('x', 3000), noise(1900), noise(2100), noise(5000), 'between', noise(100000), repeat('y', 1000000)]);
SELECT corm.publish('large', 'last', key => noise(3000), headers => jsonb_build_object('h', noise(9000)));
BEGIN;
SELECT seq, length(payload) FROM corm.peek('large', 'g', 100);
SELECT seq, length(key) AS key, length(headers ->> 'h') AS headers, length(payload), payload IN (noise(length(payload)), repeat(left(payload, 1), length(payload)), 'first', 'between', 'last') AS same
	FROM corm.receive('large', 'g', 100);
ROLLBACK;
SELECT lag, lost FROM corm.groups WHERE topic = 'large';
SELECT corm.topic_drop('large');
DROP FUNCTION noise;

-- a worker that publishes at once would wait in vain for what this transaction has published or has in hand
SELECT corm.topic_create('own', durable => true, capacity => 2, overflow => 'block', dedup => '1 hour'), corm.subscribe('own', 'g');
BEGIN;
SELECT corm.publish('own', 'a'), corm.publish('own', 'b', dedup_id => 'b');
SELECT corm.publish('own', 'c', immediate => true);
ROLLBACK;
SELECT corm.publish('own', 'a'), corm.publish('own', 'b', dedup_id => 'b');
BEGIN;
SELECT payload FROM corm.receive('own', 'g', 2);
SELECT corm.publish('own', 'b', dedup_id => 'b', immediate => true) AS duplicate;
SELECT corm.publish('own', 'c', immediate => true);
ROLLBACK;
SELECT payload FROM corm.receive('own', 'g', 2);
SELECT corm.publish('own', 'c', immediate => true);
SELECT corm.topic_alter('own', max_bytes => 3);
-- what can never fit does not wait for other limits
SELECT corm.publish('own', 'd');
SELECT corm.publish('own', 'large', immediate => true);
SELECT corm.publish('own', 'large');
SELECT * FROM corm.work_check();
SELECT corm.topic_drop('own');

-- whose type's name means a length of one where a cast says it; and no way around READ ONLY
SELECT corm.topic_create('types', durable => true), corm.subscribe('types', 'g');
SELECT corm.publish('types', B'1010', immediate => true), corm.publish('types', ARRAY['abc', 'b']::bpchar[], immediate => true), corm.publish('types', 'xyz'::varchar(5), immediate => true);
SELECT payload, type FROM corm.receive('types', 'g', 5);
BEGIN READ ONLY;
SELECT corm.publish('types', 'x', immediate => true);
ROLLBACK;
SELECT corm.topic_drop('types');
