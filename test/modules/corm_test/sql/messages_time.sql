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
DROP VIEW counted;
SELECT corm_test.clock_release();
