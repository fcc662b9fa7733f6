-- Messages and time: delays, retries, leases, retention, ids that are remembered, timeouts.
\set VERBOSITY terse
SELECT corm_test.clock_freeze();
CREATE VIEW counted AS SELECT topic, grp, lag, in_hand, redelivered, lost FROM corm.groups ORDER BY topic COLLATE "C", grp COLLATE "C";
SELECT corm.topic_create('t', retention => '1 hour', dedup => '10 minutes'), corm.subscribe('t', 'g', retry_delay => '10 s', max_attempts => 3);

-- delay: numbers are given at commit, the message comes when it is due
SELECT corm.publish('t', 'later', delay => '5 s'), corm.publish('t', 'now');
SELECT seq, payload, published_at FROM corm.receive('t', 'g', 10);
SELECT corm.receive('t', 'g');
SELECT corm_test.clock_advance('4 s');
SELECT corm.receive('t', 'g');
SELECT corm_test.clock_advance('1 s');
SELECT seq, payload FROM corm.receive('t', 'g', 10);

-- retry_delay
SELECT corm.publish('t', 'retried');
BEGIN; SELECT payload, attempt FROM corm.receive('t', 'g'); ROLLBACK;
SELECT corm.receive('t', 'g');
SELECT corm_test.clock_advance('9 s');
SELECT corm.receive('t', 'g');
SELECT corm_test.clock_advance('1 s');
BEGIN; SELECT payload, attempt FROM corm.receive('t', 'g'); ROLLBACK;
SELECT corm_test.clock_advance('10 s');
SELECT payload, attempt FROM corm.receive('t', 'g');

-- drop_oldest: where leases that are over make room, nothing is dropped
SELECT corm.topic_create('oldest', capacity => 3, overflow => 'drop_oldest'), corm.subscribe('oldest', 'g', ack => 'manual', lease => '30 s', max_attempts => 1);
SELECT corm.publish_many('oldest', ARRAY['a', 'b', 'c']);
SELECT payload FROM corm.receive('oldest', 'g', 2);
SELECT corm_test.clock_advance('31 s');
SELECT corm.publish_many('oldest', ARRAY['d', 'e']);
SELECT payload FROM corm.receive('oldest', 'g', 10);
SELECT lag, in_hand, lost FROM counted WHERE topic = 'oldest';
SELECT corm.topic_drop('oldest');

-- retention: settled messages can be read again for so long
SELECT waiting, bytes FROM corm.topics;
SELECT corm.seek('t', 'g', timestamptz '2019-12-31 UTC');
SELECT seq, payload, attempt FROM corm.receive('t', 'g', 10);
SELECT corm_test.clock_advance('59 minutes');
SELECT bytes FROM corm.topics;
SELECT corm_test.clock_advance('1 minute');
SELECT bytes FROM corm.topics;
SELECT corm.seek('t', 'g', 1);
SELECT corm.receive('t', 'g', 10);

-- dedup: from the first one on
SELECT corm.publish('t', 'a', dedup_id => 'x'), corm.publish('t', 'b', dedup_id => 'x'), corm.publish('t', 'c', dedup_id => 'y');
BEGIN;
SELECT corm.publish('t', 'd', dedup_id => 'z');
SAVEPOINT s;
SELECT corm.publish('t', 'e', dedup_id => 'v'), corm.publish('t', 'e', dedup_id => 'z');
ROLLBACK TO s;
SELECT corm.publish('t', 'f', dedup_id => 'v', immediate => true);
ROLLBACK;
SELECT corm.publish('t', 'd', dedup_id => 'z'), corm.publish('t', 'g', dedup_id => 'v');
SELECT corm_test.clock_advance('599 s');
SELECT corm.publish('t', 'a', dedup_id => 'x');
SELECT corm_test.clock_advance('1 s');
SELECT corm.publish('t', 'a again', dedup_id => 'x'), corm.publish('t', 'a again', dedup_id => 'x');
SELECT payload FROM corm.receive('t', 'g', 10);
SELECT corm.topic_drop('t');

-- leases: in a client's hand until it acknowledges, or the time is over
SELECT corm.topic_create('m'), corm.subscribe('m', 'g', ack => 'manual', lease => '30 s', max_attempts => 3);
SELECT corm.publish_many('m', ARRAY[1, 2, 3]);
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
TABLE counted;
SELECT corm_test.clock_advance('20 s');
SELECT corm.touch('m', 'g', 1, 99), corm.ack('m', 'g', 3);
SELECT corm_test.clock_advance('10 s');
TABLE counted;
SELECT corm.ack('m', 'g', 2);
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
SELECT corm_test.clock_advance('20 s');
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
SELECT corm.nack('m', 'g', 1, '5 s');
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
SELECT corm_test.clock_advance('5 s');
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
-- no lease runs out on a message that a transaction has acknowledged
BEGIN;
SELECT corm.ack('m', 'g', 1);
SELECT corm_test.clock_advance('1 minute');
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
TABLE counted;
COMMIT;
TABLE counted;
BEGIN;
SELECT corm.ack('m', 'g', 2);
SELECT corm_test.clock_advance('1 minute');
ROLLBACK;
TABLE counted;
-- a rollback of the receiver gives back at once
SELECT corm.publish('m', 4);
BEGIN; SELECT seq, attempt FROM corm.receive('m', 'g', 2); ROLLBACK;
SELECT seq, attempt FROM corm.receive('m', 'g', 2);
-- leases that run out are attempts, too: the next receiver makes dead letters
SELECT corm.topic_create('dead'), corm.subscribe('dead', 'd'), corm.subscribe('m', 'h', ack => 'manual', lease => '1 s', max_attempts => 1, dead_letter => 'dead');
SELECT corm.publish('m', 'dying');
SELECT payload FROM corm.receive('m', 'h');
SELECT corm_test.clock_advance('1 s');
SELECT payload FROM corm.receive('m', 'h');
SELECT payload FROM corm.receive('dead', 'd');
TABLE counted;
SELECT corm.topic_drop('m'), corm.topic_drop('dead');

-- timeouts are those of the clock
SELECT corm.topic_create('w'), corm.subscribe('w', 'g');
SET corm.max_wait = '0';
SELECT corm.receive('w', 'g', 1, '1 hour');
RESET corm.max_wait;
SELECT * FROM corm.work_check();
SELECT corm.topic_drop('w');

-- a lease that is over: the message rests from that moment on, whenever it is noticed, and can be dropped as the oldest
SELECT corm.topic_create('o', capacity => 2, overflow => 'drop_oldest'), corm.subscribe('o', 'g', ack => 'manual', lease => '10 s', retry_delay => '5 s');
SELECT corm.publish('o', 1);
SELECT seq, attempt FROM corm.receive('o', 'g');
SELECT corm_test.clock_advance('14 s');
SELECT seq, attempt FROM corm.receive('o', 'g');
SELECT corm_test.clock_advance('1 s');
SELECT seq, attempt FROM corm.receive('o', 'g');
SELECT corm_test.clock_advance('10 s');
SELECT corm.publish('o', 2), corm.publish('o', 3);
SELECT corm_test.clock_advance('5 s');
SELECT seq, attempt FROM corm.receive('o', 'g', 10);
SELECT lag, lost FROM counted WHERE topic = 'o';
SELECT corm.ack('o', 'g', 2, 3);
-- what a transaction receives and acknowledges stays in its hand until both count
SELECT corm.publish('o', 4);
BEGIN;
SELECT seq, attempt FROM corm.receive('o', 'g', 10);
SELECT corm_test.clock_advance('11 s');
SELECT corm.publish_many('o', ARRAY[5, 6]);
SELECT corm.ack('o', 'g', 4);
COMMIT;
SELECT * FROM corm.work_check();
SELECT lag, in_hand, lost FROM counted WHERE topic = 'o';
SELECT seq, attempt FROM corm.receive('o', 'g', 10);
SELECT corm.topic_drop('o');
-- a message for which the group's filter fails: it is given back and rests, others pass by, in the end it is a dead letter
CREATE VIEW kinds AS SELECT * FROM (VALUES ('memory'), ('rows')) AS v (t);
SELECT corm.topic_create('memory'), corm.topic_create('rows', durable => true), corm.topic_create('dead'), corm.subscribe('dead', 'd');
SELECT corm.subscribe(t, 'g', filter => '10 / payload::int > 1', retry_delay => '5 s', max_attempts => 2, dead_letter => 'dead') FROM kinds;
SELECT corm.publish(t, payload::text, key => 'of ' || t) FROM kinds, unnest(ARRAY['1', '20', 'x', '2']) payload;
SELECT t, p.* FROM kinds, LATERAL (SELECT seq, payload, attempt FROM corm.peek(t, 'g', 10)) p;
BEGIN;
SELECT t, r.* FROM kinds, LATERAL (SELECT seq, payload, attempt FROM corm.receive(t, 'g', 10)) r;
SELECT topic, lag, in_hand, redelivered FROM counted WHERE grp = 'g';
ROLLBACK;
-- what the filter has accepted was handed out once; the other one keeps its attempt, whatever becomes of the transaction
SELECT corm_test.clock_advance('4 s');
SELECT t, r.* FROM kinds, LATERAL (SELECT seq, payload, attempt FROM corm.receive(t, 'g', 10)) r;
SELECT corm_test.clock_advance('1 s');
SELECT t, r.* FROM kinds, LATERAL (SELECT seq, payload, attempt FROM corm.receive(t, 'g', 10)) r;
SELECT topic, lag, in_hand, redelivered, lost FROM counted WHERE grp = 'g';
SELECT key, payload FROM corm.receive('dead', 'd', 10);
-- without a limit it stays, and rests for a second; so it does in a group that leases, and where there is nobody to take the letter it is lost
SELECT corm.unsubscribe(t, 'g'), corm.subscribe(t, 'stays', filter => '10 / payload::int > 1', ordered => true),
	corm.subscribe(t, 'leases', filter => '10 / payload::int > 1', ack => 'manual', max_attempts => 1) FROM kinds;
SELECT corm.publish(t, payload::text, key => k) FROM kinds, (VALUES ('1', 'k'), ('x', 'l'), ('2', 'l'), ('3', 'm')) AS v (payload, k);
SELECT t, r.* FROM kinds, LATERAL (SELECT key, payload, attempt FROM corm.receive(t, 'stays', 10)) r;
SELECT t, r.* FROM kinds, LATERAL (SELECT key, payload, attempt FROM corm.receive(t, 'leases', 10)) r;
SELECT count(*) FROM kinds, LATERAL corm.receive(t, 'stays', 10);
SELECT topic, grp, lag, in_hand, lost FROM counted WHERE grp IN ('stays', 'leases');
SELECT corm_test.clock_advance('1 s');
SELECT t, r.* FROM kinds, LATERAL (SELECT seq, payload, attempt FROM corm.receive(t, 'stays', 10)) r;
SELECT corm.seek(t, 'stays', 'new') FROM kinds;
SELECT topic, grp, lag, in_hand, redelivered, lost FROM counted WHERE grp IN ('stays', 'leases');
-- a filter that is canceled: nothing has been handed out, and no message is at fault
SELECT corm.subscribe(t, 'slow', filter => $$CASE payload WHEN 'slow' THEN (SELECT pg_sleep(600)) IS NULL ELSE payload <> 'refused' END$$, max_attempts => 1) FROM kinds;
SELECT corm.publish(t, payload::text) FROM kinds, unnest(ARRAY['first', 'refused', 'slow', 'last']) payload;
SET statement_timeout = '200ms';
SELECT payload FROM corm.receive('memory', 'slow', 10);
SELECT payload FROM corm.receive('rows', 'slow', 10);
RESET statement_timeout;
SELECT topic, lag, in_hand, redelivered, lost FROM counted WHERE grp = 'slow';
SELECT t, r.* FROM kinds, LATERAL (SELECT payload, attempt FROM corm.receive(t, 'slow')) r;
-- that it cannot be evaluated at all is the receiver's error
CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
SELECT corm.subscribe(t, 'broken', filter => 'fine(payload)', max_attempts => 1), corm.publish(t, 'kept'::text) FROM kinds;
DROP FUNCTION fine;
SELECT payload FROM corm.receive('memory', 'broken');
SELECT payload FROM corm.receive('rows', 'broken');
SELECT payload FROM corm.peek('memory', 'broken');
CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
SELECT t, r.* FROM kinds, LATERAL (SELECT payload, attempt FROM corm.receive(t, 'broken')) r;
SELECT * FROM corm.work_check();
SELECT corm.topic_drop(t) FROM kinds;
SELECT corm.topic_drop('dead');
DROP FUNCTION fine;
DROP VIEW kinds;
DROP VIEW counted;
SELECT corm_test.clock_release();
