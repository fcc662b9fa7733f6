-- Messages: topics with groups of receivers. Three tables hold the definitions of topics, the privileges on them, and
-- their groups. Only the functions below write them; see definitions.c.

CREATE TABLE corm.topic_definitions (
	name text COLLATE "C" PRIMARY KEY,
	id bigint NOT NULL,
	owner corm.role_ref NOT NULL,
	durable boolean NOT NULL,
	capacity int NOT NULL,
	max_bytes bigint,
	overflow text NOT NULL,
	retention interval,
	dedup interval,
	closed boolean NOT NULL
);
COMMENT ON TABLE corm.topic_definitions IS 'Topics created by corm.topic_create; see the view corm.topics';
REVOKE ALL ON corm.topic_definitions FROM PUBLIC;
GRANT SELECT ON corm.topic_definitions TO pg_database_owner;

CREATE TABLE corm.topic_grants (
	topic text COLLATE "C" NOT NULL,
	grantee corm.role_ref NOT NULL,
	can_publish boolean NOT NULL,
	can_receive boolean NOT NULL,
	PRIMARY KEY (topic, grantee)
);
COMMENT ON TABLE corm.topic_grants IS 'Privileges on topics granted by corm.topic_grant; see the view corm.topics';
REVOKE ALL ON corm.topic_grants FROM PUBLIC;
GRANT SELECT ON corm.topic_grants TO pg_database_owner;

CREATE TABLE corm.group_definitions (
	topic text COLLATE "C" NOT NULL,
	grp text COLLATE "C" NOT NULL,
	id bigint NOT NULL,
	owner corm.role_ref NOT NULL,
	capacity int,
	ack text NOT NULL,
	ordered boolean NOT NULL,
	max_attempts int,
	retry_delay interval NOT NULL,
	dead_letter text,
	handler text,
	pool text NOT NULL,
	batch int NOT NULL,
	filter text,
	filter_path text,
	lease interval NOT NULL,
	session_owner corm.role_ref,
	handler_owner corm.role_ref,
	PRIMARY KEY (topic, grp)
);
COMMENT ON TABLE corm.group_definitions IS 'Groups created by corm.subscribe; see the view corm.groups';
REVOKE ALL ON corm.group_definitions FROM PUBLIC;
GRANT SELECT ON corm.group_definitions TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.topic_definitions
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
	BEFORE TRUNCATE ON corm.topic_definitions
	FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.topic_definitions ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.topic_definitions ENABLE ALWAYS TRIGGER catalog_truncate;
CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.topic_grants
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
	BEFORE TRUNCATE ON corm.topic_grants
	FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.topic_grants ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.topic_grants ENABLE ALWAYS TRIGGER catalog_truncate;
CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.group_definitions
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
	BEFORE TRUNCATE ON corm.group_definitions
	FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.group_definitions ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.group_definitions ENABLE ALWAYS TRIGGER catalog_truncate;

SELECT pg_catalog.pg_extension_config_dump('corm.topic_definitions', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_grants', '');
SELECT pg_catalog.pg_extension_config_dump('corm.group_definitions', '');

-- Messages and settlements of durable topics; see durable.c. Three tables of each take turns.

CREATE TABLE corm.topic_messages_0 (
	topic_id bigint NOT NULL,
	seq bigint NOT NULL,
	published_at timestamptz NOT NULL,
	due timestamptz,
	key text,
	headers jsonb,
	type text NOT NULL,
	payload text NOT NULL,
	dedup_id text,
	PRIMARY KEY (topic_id, seq)
);
COMMENT ON TABLE corm.topic_messages_0 IS 'Messages of durable topics';
REVOKE ALL ON corm.topic_messages_0 FROM PUBLIC;
CREATE TABLE corm.topic_settled_0 (
	group_id bigint NOT NULL,
	epoch bigint NOT NULL,
	first_seq bigint NOT NULL,
	last_seq bigint NOT NULL
);
COMMENT ON TABLE corm.topic_settled_0 IS 'Messages of durable topics that groups have settled after their cursors';
REVOKE ALL ON corm.topic_settled_0 FROM PUBLIC;
CREATE TABLE corm.topic_messages_1 (
	topic_id bigint NOT NULL,
	seq bigint NOT NULL,
	published_at timestamptz NOT NULL,
	due timestamptz,
	key text,
	headers jsonb,
	type text NOT NULL,
	payload text NOT NULL,
	dedup_id text,
	PRIMARY KEY (topic_id, seq)
);
COMMENT ON TABLE corm.topic_messages_1 IS 'Messages of durable topics';
REVOKE ALL ON corm.topic_messages_1 FROM PUBLIC;
CREATE TABLE corm.topic_settled_1 (
	group_id bigint NOT NULL,
	epoch bigint NOT NULL,
	first_seq bigint NOT NULL,
	last_seq bigint NOT NULL
);
COMMENT ON TABLE corm.topic_settled_1 IS 'Messages of durable topics that groups have settled after their cursors';
REVOKE ALL ON corm.topic_settled_1 FROM PUBLIC;
CREATE TABLE corm.topic_messages_2 (
	topic_id bigint NOT NULL,
	seq bigint NOT NULL,
	published_at timestamptz NOT NULL,
	due timestamptz,
	key text,
	headers jsonb,
	type text NOT NULL,
	payload text NOT NULL,
	dedup_id text,
	PRIMARY KEY (topic_id, seq)
);
COMMENT ON TABLE corm.topic_messages_2 IS 'Messages of durable topics';
REVOKE ALL ON corm.topic_messages_2 FROM PUBLIC;
CREATE TABLE corm.topic_settled_2 (
	group_id bigint NOT NULL,
	epoch bigint NOT NULL,
	first_seq bigint NOT NULL,
	last_seq bigint NOT NULL
);
COMMENT ON TABLE corm.topic_settled_2 IS 'Messages of durable topics that groups have settled after their cursors';
REVOKE ALL ON corm.topic_settled_2 FROM PUBLIC;
CREATE TABLE corm.topic_cursors (
	group_id bigint PRIMARY KEY,
	topic_id bigint NOT NULL,
	epoch bigint NOT NULL,
	settled bigint NOT NULL
);
COMMENT ON TABLE corm.topic_cursors IS 'Up to which message groups of durable topics have settled all';
REVOKE ALL ON corm.topic_cursors FROM PUBLIC;
CREATE TABLE corm.topic_state (
	topic_id bigint PRIMARY KEY,
	last_seq bigint NOT NULL
);
COMMENT ON TABLE corm.topic_state IS 'The last numbers of durable topics whose messages are gone';
REVOKE ALL ON corm.topic_state FROM PUBLIC;
CREATE TABLE corm.topic_rotation (
	current int NOT NULL,
	drained bigint
);
COMMENT ON TABLE corm.topic_rotation IS 'Which of the tables of durable topics take new rows';
REVOKE ALL ON corm.topic_rotation FROM PUBLIC;

-- The owner of the database dumps them.
GRANT SELECT ON corm.topic_messages_0, corm.topic_messages_1, corm.topic_messages_2, corm.topic_settled_0, corm.topic_settled_1,
	corm.topic_settled_2, corm.topic_cursors, corm.topic_state, corm.topic_rotation TO pg_database_owner;
SELECT pg_catalog.pg_extension_config_dump('corm.topic_messages_0', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_messages_1', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_messages_2', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_settled_0', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_settled_1', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_settled_2', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_cursors', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_state', '');
SELECT pg_catalog.pg_extension_config_dump('corm.topic_rotation', '');

CREATE TYPE corm.message AS (
	seq bigint,
	key text,
	payload text,
	type regtype,
	headers jsonb,
	published_at timestamptz,
	attempt int
);
COMMENT ON TYPE corm.message IS 'A message as corm.receive returns it: its number in the topic, what was published, and how often it has been handed out';

-- Topics

CREATE FUNCTION corm.topic_create(name text, durable boolean DEFAULT false, capacity int DEFAULT 1000,
	max_bytes bigint DEFAULT NULL, overflow text DEFAULT 'error', retention interval DEFAULT NULL,
	dedup interval DEFAULT NULL) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_create';
COMMENT ON FUNCTION corm.topic_create(text, boolean, int, bigint, text, interval, interval) IS
'Creates a topic that the current role owns. capacity is the number of messages that a group may leave unsettled; overflow what happens then: error, block or drop_oldest. Errors: 42710 if it exists; 53400 if there are too many topics; 22023 for an invalid limit, policy or interval; 55000 if the library is not preloaded.';

CREATE FUNCTION corm.topic_alter(name text, capacity int DEFAULT NULL, max_bytes bigint DEFAULT NULL,
	overflow text DEFAULT NULL, retention interval DEFAULT NULL, dedup interval DEFAULT NULL) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_alter';
COMMENT ON FUNCTION corm.topic_alter(text, int, bigint, text, interval, interval) IS
'Changes the limits of a topic at commit. NULL leaves one as it is; 0 for max_bytes, retention and dedup removes it. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 22023 for an invalid limit, policy or interval.';

CREATE FUNCTION corm.topic_drop(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_drop';
COMMENT ON FUNCTION corm.topic_drop(text) IS
'Drops a topic with its groups and messages. Errors: 42704 if it does not exist; 42501 unless the caller owns it.';

CREATE FUNCTION corm.topic_close(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_close';
COMMENT ON FUNCTION corm.topic_close(text) IS
'Refuses further messages for a topic, those of publishers that wait for room included. What is left can be received. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 55000 if it is already closed.';

CREATE FUNCTION corm.topic_open(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_open';
COMMENT ON FUNCTION corm.topic_open(text) IS
'Opens a closed topic. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 55000 if it is already open.';

CREATE FUNCTION corm.topic_grant(topic text, grantee regrole, privileges text[]) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_grant';
COMMENT ON FUNCTION corm.topic_grant(text, regrole, text[]) IS
'Grants publish, receive or both on a topic to a role; ''-'' means PUBLIC. Errors: 42704 if the topic does not exist; 42501 unless the caller owns it; 22023 for any other privilege.';

CREATE FUNCTION corm.topic_revoke(topic text, grantee regrole, privileges text[]) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_revoke';
COMMENT ON FUNCTION corm.topic_revoke(text, regrole, text[]) IS
'Revokes publish, receive or both on a topic from a role; ''-'' means PUBLIC. Errors: 42704 if the topic does not exist; 42501 unless the caller owns it; 22023 for any other privilege.';

-- Groups

CREATE FUNCTION corm.subscribe(topic text, grp text, start text DEFAULT 'new', capacity int DEFAULT NULL,
	ack text DEFAULT 'commit', ordered boolean DEFAULT false, max_attempts int DEFAULT NULL,
	retry_delay interval DEFAULT '0', dead_letter text DEFAULT NULL, handler regprocedure DEFAULT NULL,
	pool text DEFAULT 'default', batch int DEFAULT 1, filter text DEFAULT NULL, temporary boolean DEFAULT false,
	lease interval DEFAULT '30 s') RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_subscribe';
COMMENT ON FUNCTION corm.subscribe(text, text, text, int, text, boolean, int, interval, text, regprocedure, text, int, text, boolean, interval) IS
'Creates a group of a topic, which gets every message from start on: new, all, a number or a time. Errors: 42710 if it exists; 42704 for an unknown topic; 42501 without the privilege receive, or publish on the topic for dead letters; 22023 for an invalid option; 42601 or 42804 for a filter that is no condition; 53400 if there are too many groups.';

CREATE FUNCTION corm.unsubscribe(topic text, grp text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_unsubscribe';
COMMENT ON FUNCTION corm.unsubscribe(text, text) IS
'Drops a group with what it has not received. Errors: 42704 if there is no such topic or group; 42501 unless the caller owns one of both.';

-- Messages

CREATE FUNCTION corm.publish(topic text, payload anyelement, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	dedup_id text DEFAULT NULL, delay interval DEFAULT NULL, immediate boolean DEFAULT false) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_publish';
COMMENT ON FUNCTION corm.publish(text, anyelement, text, jsonb, text, interval, boolean) IS
'Publishes a value at commit, or at once if immediate is true, and returns the number of groups that it goes to; 0 for a duplicate. Errors: 53400 if the topic is full; 55000 if it is closed; 42704 if it does not exist; 42501 without the privilege; 22004 for NULL; 42804 for an anonymous record; 54000 for a message that is too large; 53200 if memory is short; 22023 for a negative delay, or a dedup_id that the topic would not remember.';

CREATE FUNCTION corm.publish(topic text, payload text, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	dedup_id text DEFAULT NULL, delay interval DEFAULT NULL, immediate boolean DEFAULT false) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_publish';
COMMENT ON FUNCTION corm.publish(text, text, text, jsonb, text, interval, boolean) IS
'Publishes a text, as given by a string literal or an untyped parameter; otherwise as corm.publish of a value. Errors: the same, such as 53400 if the topic is full.';

CREATE FUNCTION corm.publish_many(topic text, payloads anyarray) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_publish_many';
COMMENT ON FUNCTION corm.publish_many(text, anyarray) IS
'Publishes each element of an array at commit, all or none, and returns the number of groups that they go to. Errors: those of corm.publish, such as 53400 if the topic has no room for all.';

CREATE FUNCTION corm.publish_many(topic text, payloads text) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_publish_many_text';
COMMENT ON FUNCTION corm.publish_many(text, text) IS
'The same for an array of texts that is given as text, such as an untyped parameter. Errors: also 22P02 for a text that is not an array.';

CREATE FUNCTION corm.publish_change() RETURNS trigger
	LANGUAGE C AS 'MODULE_PATHNAME', 'corm_publish_change';
COMMENT ON FUNCTION corm.publish_change() IS
'Trigger function of the triggers that corm.publish_changes creates: publishes the change of a row. Errors: those of corm.publish.';

CREATE FUNCTION corm.publish_changes(model regclass, topic text, events text[] DEFAULT '{insert,update,delete}') RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_publish_changes';
COMMENT ON FUNCTION corm.publish_changes(regclass, text, text[]) IS
'Creates a trigger that publishes each change of a row of a table: op, table, old and new as jsonb, with the primary key as key. An empty list of events drops it. Errors: 42704 for an unknown topic; 42501 without the privilege publish, or the right to create triggers on the table; 22023 for an unknown event; 42809 if the model has no table.';

CREATE FUNCTION corm.receive(topic text, grp text, max int DEFAULT 1, timeout interval DEFAULT '0') RETURNS SETOF corm.message
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'corm_message_receive';
COMMENT ON FUNCTION corm.receive(text, text, int, interval) IS
'Receives up to max messages of a group. If there are none, it waits for the first one, at most for timeout and for corm.max_wait. A commit settles the messages, or leases them if the group has ack => manual; a rollback gives them back. Errors: 42704 for an unknown topic or group; 42501 without the privilege; 22023 for an invalid number or timeout; 55000 if the group is dropped meanwhile.';

CREATE FUNCTION corm.receive_as(t anyelement, topic text, grp text, max int DEFAULT 1, timeout interval DEFAULT '0') RETURNS SETOF anyelement
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'corm_message_receive_as';
COMMENT ON FUNCTION corm.receive_as(anyelement, text, text, int, interval) IS
'Returns the payloads of up to max messages in the type of t; otherwise as corm.receive. Errors: 42804 if one is of another type, and those of corm.receive, such as 42704.';

CREATE PROCEDURE corm.receive(topic text, grp text, max int, timeout interval, INOUT messages corm.message[])
	LANGUAGE C AS 'MODULE_PATHNAME', 'corm_message_receive_call';
COMMENT ON PROCEDURE corm.receive(text, text, int, interval, corm.message[]) IS
'Receives like the function. If the transaction has done nothing yet, it waits without a snapshot, so that VACUUM is not held up, and for the whole timeout. Errors: those of corm.receive, such as 42704.';

CREATE FUNCTION corm.peek(topic text, grp text, max int DEFAULT 1) RETURNS SETOF corm.message
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'corm_message_peek';
COMMENT ON FUNCTION corm.peek(text, text, int) IS
'Returns what corm.receive would return next, and leaves it there. Errors: 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.ack(topic text, grp text, VARIADIC seqs bigint[]) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_ack';
COMMENT ON FUNCTION corm.ack(text, text, bigint[]) IS
'Settles messages of a group that acknowledges by hand, at commit, and returns how many of them were in hand. Errors: 55000 if the group acknowledges by commit; 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.ack(topic text, grp text) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_ack';
COMMENT ON FUNCTION corm.ack(text, text) IS
'Settles no message: corm.ack for an empty list of them. Returns 0. Errors: 55000 if the group acknowledges by commit; 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.nack(topic text, grp text, seq bigint, delay interval DEFAULT NULL) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_nack';
COMMENT ON FUNCTION corm.nack(text, text, bigint, interval) IS
'Gives a message of a group that acknowledges by hand back, at commit, and returns whether it was in hand. It comes again after delay, or the group''s retry_delay. Errors: 55000 if the group acknowledges by commit; 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.touch(topic text, grp text, VARIADIC seqs bigint[]) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_touch';
COMMENT ON FUNCTION corm.touch(text, text, bigint[]) IS
'Renews the lease of messages, at commit, and returns how many of them were in hand. Errors: 55000 if the group acknowledges by commit; 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.touch(topic text, grp text) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_touch';
COMMENT ON FUNCTION corm.touch(text, text) IS
'Renews the lease of no message: corm.touch for an empty list of them. Returns 0. Errors: 55000 if the group acknowledges by commit; 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.seek(topic text, grp text, to_seq bigint) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_seek';
COMMENT ON FUNCTION corm.seek(text, text, bigint) IS
'Makes a message the next one that a group gets, at commit: those before it count as settled, and those from it on that are still kept come again. Errors: 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.seek(topic text, grp text, to_time timestamptz) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_seek_time';
COMMENT ON FUNCTION corm.seek(text, text, timestamptz) IS
'Makes the first message that was published at a time or later the next one that a group gets, at commit. Errors: 42704 for an unknown topic or group; 42501 without the privilege.';

CREATE FUNCTION corm.seek(topic text, grp text, start text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_seek_text';
COMMENT ON FUNCTION corm.seek(text, text, text) IS
'The same for a place given as text, such as an untyped parameter: the number of a message, a time, all, or new for what comes after the last message. Errors: also 22023 for anything else.';

CREATE FUNCTION corm.purge(topic text) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_message_purge';
COMMENT ON FUNCTION corm.purge(text) IS
'Settles all messages that wait in a topic for all its groups, at commit, and returns how many there are. What is in hand stays. Errors: 42704 if the topic does not exist; 42501 unless the caller owns it.';

CREATE FUNCTION corm.topic_rotate() RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_rotate';
COMMENT ON FUNCTION corm.topic_rotate() IS
'Empties the tables of durable topics that were current longest ago and makes them current; a worker does it when needed. Returns false if that cannot be now: somebody uses them, or too many messages there are not settled. Errors: 55000 in a transaction that is not READ COMMITTED, or if the library is not preloaded; 25006 in a read-only one.';
REVOKE ALL ON FUNCTION corm.topic_rotate() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION corm.topic_rotate() TO pg_database_owner;

CREATE FUNCTION corm.topic_handle(topic text, grp text) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_handle';
COMMENT ON FUNCTION corm.topic_handle(text, text) IS
'Receives messages of a group and calls its handler until none is left, two seconds at most, and returns their number; tasks do it. Errors: 55000 if the group has no handler; 42704 for an unknown topic or group; 42501 unless the caller owns the group.';

-- State

CREATE FUNCTION corm.topic_counters(OUT id bigint, OUT published bigint, OUT waiting bigint, OUT bytes bigint) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_topic_counters';
COMMENT ON FUNCTION corm.topic_counters() IS
'Returns the counters of the topics of this database that have been used since the server started; see the view corm.topics.';

CREATE FUNCTION corm.group_counters(OUT topic_id bigint, OUT id bigint, OUT name text, OUT temporary boolean, OUT capacity int,
	OUT ack text, OUT ordered boolean, OUT lag bigint, OUT in_hand bigint, OUT oldest timestamptz, OUT redelivered bigint,
	OUT lost bigint) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_group_counters';
COMMENT ON FUNCTION corm.group_counters() IS
'Returns the counters of the groups of topics that have been used since the server started; see the view corm.groups.';

CREATE VIEW corm.topics AS
	SELECT d.name, d.owner::pg_catalog.regrole AS owner, d.durable, d.capacity, d.overflow,
		COALESCE(c.published, 0::pg_catalog.int8) AS published, COALESCE(c.waiting, 0::pg_catalog.int8) AS waiting,
		COALESCE(c.bytes, 0::pg_catalog.int8) AS bytes, d.closed, d.max_bytes, d.retention, d.dedup,
		(SELECT pg_catalog.array_agg(pg_catalog.concat(
				CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC' ELSE g.grantee::pg_catalog.text END, '=',
				pg_catalog.concat_ws('/', CASE WHEN g.can_publish THEN 'publish' END, CASE WHEN g.can_receive THEN 'receive' END))
				ORDER BY g.grantee::pg_catalog.oid)
			FROM corm.topic_grants g WHERE g.topic OPERATOR(pg_catalog.=) d.name) AS grants
	FROM corm.topic_definitions d
	LEFT JOIN corm.topic_counters() c ON c.id OPERATOR(pg_catalog.=) d.id;
COMMENT ON VIEW corm.topics IS 'The topics of the database, with their owners, settings, privileges and counters';

CREATE VIEW corm.groups AS
	SELECT g.topic, g.grp, COALESCE(c.lag, 0::pg_catalog.int8) AS lag, COALESCE(c.in_hand, 0::pg_catalog.int8) AS in_hand,
		c.oldest, COALESCE(c.redelivered, 0::pg_catalog.int8) AS redelivered, COALESCE(c.lost, 0::pg_catalog.int8) AS lost,
		COALESCE(g.capacity, d.capacity) AS capacity, g.ack, g.ordered, g.handler,
		g.owner::pg_catalog.regrole AS owner, false AS temporary, g.max_attempts, g.retry_delay, g.dead_letter, g.lease,
		CASE WHEN pg_catalog.pg_has_role(g.owner::pg_catalog.regrole, 'USAGE')
			OR pg_catalog.pg_has_role(d.owner::pg_catalog.regrole, 'USAGE')
			OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN g.filter END AS filter
	FROM corm.group_definitions g
	JOIN corm.topic_definitions d ON d.name OPERATOR(pg_catalog.=) g.topic
	LEFT JOIN corm.group_counters() c ON c.id OPERATOR(pg_catalog.=) g.id
	UNION ALL
	SELECT d.name, c.name, c.lag, c.in_hand, c.oldest, c.redelivered, c.lost, c.capacity, c.ack, c.ordered, NULL,
		NULL, true, NULL, NULL, NULL, NULL, NULL
	FROM corm.group_counters() c
	JOIN corm.topic_definitions d ON d.id OPERATOR(pg_catalog.=) c.topic_id
	WHERE c.temporary;
COMMENT ON VIEW corm.groups IS
'The groups of topics, with their settings and counters; filters of other roles only for the owner of the topic and with pg_read_all_stats';

GRANT SELECT ON corm.topics, corm.groups TO PUBLIC;
