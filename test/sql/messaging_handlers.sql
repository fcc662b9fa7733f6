-- Handlers: functions that tasks call with the messages of a group.
\set VERBOSITY terse
SELECT corm.wait_ready();
CREATE ROLE handler_owner;
CREATE SCHEMA message_handlers;
GRANT ALL ON SCHEMA message_handlers TO handler_owner;
SET search_path = message_handlers;
CREATE TABLE handled (n int GENERATED ALWAYS AS IDENTITY, payload text, attempt int, how text, who name, path text);
GRANT ALL ON handled TO handler_owner;
CREATE FUNCTION one(m corm.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF m.payload = 'bad' THEN RAISE EXCEPTION 'a bad message'; END IF;
	INSERT INTO message_handlers.handled (payload, attempt, how, who, path) VALUES (m.payload, m.attempt, 'one', current_user, current_setting('search_path'));
END $$;
CREATE FUNCTION many(m corm.message[]) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO message_handlers.handled (payload, how, who) SELECT string_agg(x.payload, ',' ORDER BY x.seq), 'many', current_user FROM unnest(m) x;
	RETURN cardinality(m);
END $$;
-- waits until groups have settled all; half a minute at most
CREATE FUNCTION done(VARIADIC names text[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..1500 LOOP
		IF NOT EXISTS (SELECT FROM corm.groups g WHERE g.grp = ANY (names) AND g.lag > 0) THEN RETURN true; END IF;
		PERFORM pg_sleep(0.02);
	END LOOP;
	RETURN false;
END $$;
-- waits for so many dead letters: a message is settled just before its letter is there
CREATE FUNCTION letters(n int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..1500 LOOP
		IF EXISTS (SELECT FROM corm.groups g WHERE g.grp = 'd' AND g.lag = n) THEN RETURN true; END IF;
		PERFORM pg_sleep(0.02);
	END LOOP;
	RETURN false;
END $$;
SELECT corm.topic_create('t'), corm.topic_create('dead'), corm.subscribe('dead', 'd');
SELECT corm.subscribe('t', 'one', handler => 'one(corm.message)', max_attempts => 2, dead_letter => 'dead'),
	corm.subscribe('t', 'many', handler => 'many(corm.message[])', batch => 3);
SELECT grp, handler FROM corm.groups WHERE topic = 't' ORDER BY grp;
SELECT corm.publish_many('t', ARRAY['1', '2', 'bad', '3', '4']);
SELECT done('one', 'many');
SELECT payload, attempt, path FROM handled WHERE how = 'one' ORDER BY n;
SELECT payload FROM handled WHERE how = 'many' ORDER BY n;
SELECT key, payload FROM corm.receive('dead', 'd', 10);
-- more of them; and at once
TRUNCATE handled;
SELECT corm.publish('t', 'now', immediate => true);
SELECT done('one', 'many');
SELECT how, payload FROM handled ORDER BY how;
-- as the owner of the group
TRUNCATE handled;
SELECT corm.topic_grant('t', 'handler_owner', '{receive}');
SET ROLE handler_owner;
SELECT corm.subscribe('t', 'other', handler => 'one(corm.message)', filter => 'payload <> ''x''');
RESET ROLE;
SELECT corm.publish('t', 'hello'), corm.publish('t', 'x');
SELECT done('one', 'many', 'other');
SELECT payload, who = 'handler_owner' AS as_owner FROM handled WHERE how = 'one' ORDER BY as_owner, n;
-- durable
SELECT corm.topic_create('durable', durable => true), corm.subscribe('durable', 'durable', handler => 'many(corm.message[])', batch => 10);
TRUNCATE handled;
SELECT corm.publish_many('durable', ARRAY['a', 'b', 'c']);
SELECT done('durable');
SELECT payload FROM handled;
-- a message for which the filter fails does not keep the handler from others, and is a dead letter in the end
CREATE FUNCTION picky(payload text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN payload::int > 0; END $$;
TRUNCATE handled;
SELECT corm.topic_create('numbers'), corm.topic_create('numbers_rows', durable => true),
	corm.subscribe('numbers', 'picky', handler => 'one(corm.message)', batch => 10, filter => 'message_handlers.picky(payload)', max_attempts => 1, dead_letter => 'dead'),
	corm.subscribe('numbers_rows', 'picky rows', handler => 'one(corm.message)', batch => 10, filter => 'message_handlers.picky(payload)', max_attempts => 1, dead_letter => 'dead');
SELECT corm.publish_many('numbers', ARRAY['1', '-2', 'x', '3']), corm.publish_many('numbers_rows', ARRAY['10', 'y', '30']);
SELECT done('picky', 'picky rows');
SELECT payload, attempt FROM handled ORDER BY payload::int;
SELECT payload FROM corm.receive('dead', 'd', 10) ORDER BY payload;
SELECT corm.topic_drop('numbers'), corm.topic_drop('numbers_rows');
-- one bad message in a batch: the others have used no attempt, whatever the handler takes
CREATE FUNCTION each(m corm.message[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO message_handlers.handled (payload, attempt, how) SELECT x.payload, x.attempt, 'each' FROM unnest(m) x ORDER BY x.seq;
	IF EXISTS (SELECT FROM unnest(m) x WHERE x.payload LIKE 'bad%') THEN RAISE EXCEPTION 'a bad message'; END IF;
END $$;
TRUNCATE handled;
SELECT corm.topic_create(t, durable => t = 'mixed_rows'), corm.subscribe(t, 'one ' || t, handler => 'one(corm.message)', batch => 10, max_attempts => 1, dead_letter => 'dead'),
	corm.subscribe(t, 'each ' || t, handler => 'each(corm.message[])', batch => 10, max_attempts => 2, dead_letter => 'dead') FROM unnest('{mixed,mixed_rows}'::text[]) t;
SELECT corm.publish_many(t, ARRAY['1', '2', 'bad', '3', 'bad', '4']) FROM unnest('{mixed,mixed_rows}'::text[]) t;
SELECT done('one mixed', 'each mixed', 'one mixed_rows', 'each mixed_rows');
SELECT how, payload, attempt, count(*) FROM handled GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT letters(8);
SELECT payload, count(*) FROM corm.receive('dead', 'd', 20) GROUP BY 1;
SELECT topic, grp, redelivered, lost FROM corm.groups WHERE topic LIKE 'mixed%' ORDER BY 1, 2;
-- batches again, once those are through
TRUNCATE handled;
SELECT corm.publish_many('mixed', ARRAY['5', '6']);
SELECT done('one mixed', 'each mixed');
SELECT how, payload, attempt FROM handled ORDER BY 1, 2;
SELECT corm.topic_drop('mixed'), corm.topic_drop('mixed_rows');
-- one that lets the commit fail
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON handled DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.payload = 'late') EXECUTE FUNCTION refuse();
TRUNCATE handled;
SELECT corm.topic_create('commits'), corm.subscribe('commits', 'commits', handler => 'one(corm.message)', max_attempts => 1, dead_letter => 'dead');
SELECT corm.publish_many('commits', ARRAY['1', '2', 'late', '3']);
SELECT done('commits');
SELECT payload, attempt FROM handled ORDER BY 1;
SELECT letters(1);
SELECT payload FROM corm.receive('dead', 'd', 20);
-- without a handler, no message is at fault
ALTER FUNCTION one(corm.message) RENAME TO other;
SELECT corm.publish('commits', 'kept'::text);
SELECT corm.topic_handle('commits', 'commits');
SELECT lag, in_hand FROM corm.groups WHERE grp = 'commits';
ALTER FUNCTION other(corm.message) RENAME TO one;
SELECT done('commits');
SELECT payload, attempt FROM handled WHERE payload = 'kept';
SELECT corm.topic_drop('commits');
-- errors
CREATE FUNCTION wrong(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
SELECT corm.subscribe('t', 'bad', handler => 'wrong(int)');
SELECT corm.subscribe('t', 'bad', handler => 'one(corm.message)', temporary => true);
SELECT corm.subscribe('t', 'bad', handler => 'one(corm.message)', pool => 'nothing');
SELECT corm.subscribe('t', 'bad', pool => 'nothing');
SELECT corm.subscribe('t', 'bad', handler => 'nothing(corm.message)');
SELECT corm.topic_handle('dead', 'd');
SET ROLE handler_owner;
SELECT corm.topic_handle('t', 'one');
RESET ROLE;
REVOKE ALL ON FUNCTION one(corm.message) FROM PUBLIC;
SET ROLE handler_owner;
SELECT corm.subscribe('t', 'bad', handler => 'one(corm.message)');
RESET ROLE;
SELECT * FROM corm.work_check();
SELECT corm.topic_drop('t'), corm.topic_drop('dead'), corm.topic_drop('durable');
DROP OWNED BY handler_owner;
DROP ROLE handler_owner;
DROP SCHEMA message_handlers CASCADE;
