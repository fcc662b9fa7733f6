-- The tables of durable topics, with what their owner may add: he can be a role that was a superuser once.
\set VERBOSITY terse
CREATE ROLE tables_owner;
CREATE SCHEMA message_tables AUTHORIZATION tables_owner;
GRANT USAGE ON SCHEMA corm TO tables_owner;
-- gives the tables of topics to a role, and tells whose they were
CREATE FUNCTION message_tables.give(role regrole) RETURNS regrole LANGUAGE plpgsql AS $$
DECLARE
	of_topics CONSTANT regclass[] := ARRAY(SELECT oid FROM pg_class WHERE relnamespace = 'corm'::regnamespace AND relkind = 'r' AND relname ~ '^(topic|group)_');
	old CONSTANT regrole := (SELECT relowner FROM pg_class WHERE oid = of_topics[1]);
	rel regclass;
BEGIN
	FOREACH rel IN ARRAY of_topics LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO %s', rel, role);
	END LOOP;
	RETURN old;
END $$;
SELECT message_tables.give('tables_owner') AS old_owner \gset
SELECT corm.topic_create('owned', durable => true), corm.subscribe('owned', 'g');

-- a rotation: triggers run as the owner, and can put nothing off until the transaction commits, as whoever that is
CREATE TABLE message_tables.log (who text, what text);
GRANT INSERT ON message_tables.log TO tables_owner;
SET ROLE tables_owner;
CREATE FUNCTION message_tables.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO message_tables.log VALUES (current_user, tg_name);
	RETURN NULL;
END $$;
CREATE TRIGGER at_once AFTER INSERT ON corm.topic_rotation FOR EACH ROW EXECUTE FUNCTION message_tables.note();
RESET ROLE;
SELECT corm.topic_rotate();
TABLE message_tables.log;
SET ROLE tables_owner;
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT ON corm.topic_rotation DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION message_tables.note();
RESET ROLE;
SELECT corm.topic_rotate();
TABLE message_tables.log;
SET ROLE tables_owner;
DROP TRIGGER at_the_end ON corm.topic_rotation;
DROP TRIGGER at_once ON corm.topic_rotation;
RESET ROLE;

-- indexes that cannot be maintained are an error when rows are to be written, the others are complete
CREATE INDEX too_much ON corm.topic_cursors ((epoch + 1));
\set VERBOSITY default
SELECT corm.subscribe('owned', 'more');
\set VERBOSITY terse
DROP INDEX corm.too_much;
CREATE INDEX too_much ON corm.group_definitions (owner) WHERE ordered;
SELECT corm.subscribe('owned', 'more');
DROP INDEX corm.too_much;
CREATE INDEX too_much_0 ON corm.topic_messages_0 (md5(payload));
CREATE INDEX too_much_1 ON corm.topic_messages_1 (md5(payload));
CREATE INDEX too_much_2 ON corm.topic_messages_2 (md5(payload));
-- which one it is depends on how often tables have been rotated
\set VERBOSITY sqlstate
SELECT corm.publish('owned', 'one'::text);
\set VERBOSITY terse
DROP INDEX corm.too_much_0, corm.too_much_1, corm.too_much_2;
CREATE INDEX enough_0 ON corm.topic_settled_0 (group_id);
CREATE INDEX enough_1 ON corm.topic_settled_1 (group_id);
CREATE INDEX enough_2 ON corm.topic_settled_2 (group_id);
SELECT corm.publish('owned', 'two'::text);
SELECT payload FROM corm.receive('owned', 'g', 10);
SET enable_seqscan = off;
SELECT id FROM corm.group_definitions WHERE topic = 'owned' \gset
SELECT sum(n) FROM (SELECT count(*) AS n FROM corm.topic_settled_0 WHERE group_id = :id UNION ALL SELECT count(*) FROM corm.topic_settled_1 WHERE group_id = :id
	UNION ALL SELECT count(*) FROM corm.topic_settled_2 WHERE group_id = :id) s;
RESET enable_seqscan;
DROP INDEX corm.enough_0, corm.enough_1, corm.enough_2;

SELECT corm.topic_drop('owned');
SELECT message_tables.give(:'old_owner') = 'tables_owner'::regrole AS given_back;
SELECT * FROM corm.work_check();
DROP SCHEMA message_tables CASCADE;
DROP OWNED BY tables_owner;
DROP ROLE tables_owner;
