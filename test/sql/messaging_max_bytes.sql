-- max_bytes: how much the payloads of a topic may take, in memory and durable.
\set VERBOSITY terse
CREATE VIEW kinds AS SELECT * FROM (VALUES ('memory', false), ('rows', true)) AS v (t, durable);
CREATE VIEW kept AS SELECT name, bytes FROM corm.topics JOIN kinds ON t = name ORDER BY name;
-- publishes to a topic; tells what came of it
CREATE FUNCTION try(topic text, payload text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN corm.publish(topic, payload) || ' groups';
EXCEPTION WHEN configuration_limit_exceeded THEN
	RETURN sqlerrm;
END $$;
SELECT corm.topic_create(t, durable, max_bytes => 10) FROM kinds;
SELECT corm.subscribe(t, g) FROM kinds, unnest('{g,h}'::text[]) g;

-- full for all or for none; room is what all groups have settled
SELECT t, try(t, 'sixsix') FROM kinds;
SELECT t, try(t, 'fives') FROM kinds;
TABLE kept;
SELECT t, (SELECT count(*) FROM corm.receive(t, 'g', 10)) FROM kinds;
SELECT t, try(t, 'fives') FROM kinds;
SELECT t, (SELECT count(*) FROM corm.receive(t, 'h', 10)) FROM kinds;
TABLE kept;
SELECT t, try(t, 'fives'), try(t, 'fives'), try(t, 'x') FROM kinds;
TABLE kept;
SELECT corm.purge(t) FROM kinds;
TABLE kept;
-- what others have published and not committed takes room, until it is rolled back
BEGIN;
SELECT t, try(t, 'sixsix') FROM kinds;
SAVEPOINT s;
SELECT t, try(t, 'four') FROM kinds;
SELECT t, try(t, 'x') FROM kinds;
ROLLBACK TO s;
SELECT t, try(t, 'x') FROM kinds;
ROLLBACK;
SELECT t, try(t, '1234567890') FROM kinds;
-- too large at all
SELECT t, try(t, '12345678901') FROM kinds;
-- waiting is of no use where only this transaction is in the way, with what it has published or has in hand
SELECT corm.purge(t), corm.topic_alter(t, overflow => 'block') FROM kinds;
BEGIN;
SELECT t, try(t, 'sixsix') FROM kinds;
SELECT t, try(t, 'fives') FROM kinds;
COMMIT;
BEGIN;
SELECT t, g, (SELECT count(*) FROM corm.receive(t, g)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT t, try(t, 'fives') FROM kinds;
COMMIT;
SELECT t, try(t, 'fives') FROM kinds;

-- a group that begins with older messages, or goes back to them, makes them count again
SELECT corm.purge(t), corm.topic_alter(t, overflow => 'error', retention => '1 hour') FROM kinds;
SELECT t, try(t, 'aaa'), try(t, 'bbb'), try(t, 'ccc') FROM kinds;
SELECT t, g, (SELECT count(*) FROM corm.receive(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT t, try(t, 'dddddddd') FROM kinds;
SELECT t, g, (SELECT count(*) FROM corm.receive(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT corm.seek(t, 'g', (SELECT published - 1 FROM corm.topics WHERE name = t)) FROM kinds;
SELECT name, bytes FROM kept WHERE name = 'rows';
SELECT t, try(t, 'x') FROM kinds;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.receive(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT corm.subscribe('rows', 'late', start => 'all', temporary => true);
SELECT name, bytes >= 17 AS more FROM kept WHERE name = 'rows';
SELECT corm.unsubscribe('rows', 'late');
SELECT name, bytes FROM kept WHERE name = 'rows';

-- drop_oldest: the oldest ones make way, in the groups that have them
SELECT corm.topic_alter(t, overflow => 'drop_oldest', retention => '0') FROM kinds;
SELECT corm.purge(t) FROM kinds;
SELECT t, corm.publish_many(t, '{one,two,three}'::text[]) FROM kinds;
SELECT t, payload FROM kinds, LATERAL corm.receive(t, 'h', 2);
SELECT t, corm.publish(t, 'four'::text) FROM kinds;
SELECT topic, grp, lag, lost FROM corm.groups JOIN kinds ON t = topic ORDER BY topic, grp;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.peek(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
-- the last one stays
SELECT t, corm.publish(t, 'much more than ten bytes'::text) FROM kinds;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.receive(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
-- what is in a hand does not make way
SELECT t, corm.publish(t, 'in hand'::text) FROM kinds;
BEGIN;
SELECT t, payload FROM kinds, LATERAL corm.receive(t, 'g');
SELECT t, corm.publish_many(t, '{four,five}'::text[]) FROM kinds;
COMMIT;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.receive(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
-- what is kept for the retention only makes way before anything is lost
SELECT corm.purge(t), corm.topic_alter(t, retention => '1 hour') FROM kinds;
SELECT t, corm.publish_many(t, '{aaaa,bbbb}'::text[]) FROM kinds;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.receive(t, g)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT t, corm.publish(t, 'cccc'::text) FROM kinds;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.peek(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT t, corm.publish(t, 'dddd'::text) FROM kinds;
SELECT t, g, (SELECT string_agg(payload, ' ') FROM corm.receive(t, g, 10)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT corm.topic_alter(t, retention => '0') FROM kinds;
-- many groups, whose messages wait in different ways: delayed, given back to rest, behind one of their key, in hand
SELECT corm.purge(t) FROM kinds;
SELECT count(corm.subscribe(t, 'n' || i, ordered => i % 2 = 0, retry_delay => '1 hour', temporary => true)) FROM kinds, generate_series(1, 20) i;
SELECT t, corm.publish(t, 'a'::text, key => 'k'), corm.publish(t, 'b'::text, delay => '1 hour'), corm.publish(t, 'c'::text, key => 'k'),
	corm.publish(t, 'd'::text) FROM kinds;
BEGIN;
SELECT t, payload, count(*) FROM kinds, generate_series(1, 20) i, LATERAL corm.receive(t, 'n' || i, 2) WHERE i < 11 GROUP BY 1, 2 ORDER BY 1, 2;
SAVEPOINT s;
SELECT t, payload, count(*) FROM kinds, generate_series(1, 20) i, LATERAL corm.receive(t, 'n' || i, 4) WHERE i > 10 GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK TO s;
SELECT * FROM corm.work_check();
SELECT t, corm.publish_many(t, '{12345678,9}'::text[]) FROM kinds;
COMMIT;
SELECT topic, CASE WHEN grp IN ('g', 'h') THEN grp WHEN substr(grp, 2)::int < 11 THEN 'in hand' ELSE 'given back' END AS kind, substr(grp, 2) ~ '[02468]$' AS ordered,
	lag, in_hand, lost, count(*) FROM corm.groups JOIN kinds ON t = topic GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4;
SELECT * FROM corm.work_check();
SELECT count(corm.unsubscribe(t, 'n' || i)) FROM kinds, generate_series(1, 20) i;
SELECT corm.purge(t) FROM kinds;

-- many messages: not more than a 64th of max_bytes is counted too much
SELECT corm.topic_alter(t, overflow => 'error', max_bytes => 100000, capacity => 100000) FROM kinds;
SELECT corm.publish_many(t, ARRAY(SELECT repeat('x', 10) FROM generate_series(1, 10000))) FROM kinds;
SELECT t, try(t, 'x') FROM kinds;
SELECT name, bytes FROM kept;
SELECT t, g, (SELECT count(*) FROM corm.receive(t, g, 3333)) FROM kinds, unnest('{g,h}'::text[]) g;
SELECT name, bytes BETWEEN 66670 AND 66670 + 100000 / 64 + 10 AS right FROM kept;
SELECT corm.publish_many(t, ARRAY(SELECT repeat('x', 10) FROM generate_series(1, 3100))) FROM kinds;
SELECT t, g, (SELECT count(*) FROM corm.receive(t, g, 10000)) FROM kinds, unnest('{g,h}'::text[]) g;
TABLE kept;
-- after a seek far back, what the group settles on the way counts no more (almost all have ten bytes)
SELECT corm.topic_alter('rows', max_bytes => 0);
SELECT corm.publish_many('rows', ARRAY(SELECT repeat('x', 10) FROM generate_series(1, 20000)));
SELECT count(*) FROM corm.receive('rows', 'g', 100000);
SELECT count(*) FROM corm.receive('rows', 'h', 100000);
SELECT corm.publish_many('rows', ARRAY(SELECT repeat('x', 10) FROM generate_series(1, 1000)));
SELECT lag AS before_seek, corm.seek('rows', 'g', 100) FROM corm.groups WHERE topic = 'rows' AND grp = 'g';
SELECT count(*) FROM corm.receive('rows', 'h', 100000);
DO $$
BEGIN
	FOR i IN 1 .. 34 LOOP
		PERFORM corm.receive('rows', 'g', 1000);
		COMMIT;
		ASSERT (SELECT abs(bytes - lag * 10) < 12000 FROM corm.topics JOIN corm.groups ON topic = name WHERE name = 'rows' AND grp = 'g'),
			(SELECT format('%s bytes, %s messages', bytes, lag) FROM corm.topics JOIN corm.groups ON topic = name WHERE name = 'rows' AND grp = 'g');
	END LOOP;
END $$;
SELECT * FROM corm.work_check();
SELECT corm.topic_drop(t) FROM kinds;
DROP FUNCTION try;
DROP VIEW kept;
DROP VIEW kinds;
