-- Filters run as the owner of the group: what they set is not left to who receives.
CREATE SCHEMA filter_rights;
CREATE ROLE filter_owner;
GRANT USAGE, CREATE ON SCHEMA filter_rights TO filter_owner;
SET search_path = filter_rights, public;

CREATE FUNCTION filter_rights.sets(payload text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'filter as %: work_mem %', current_user, current_setting('work_mem');
	PERFORM set_config('search_path', 'filter_evil', false);
	PERFORM set_config('work_mem', '77kB', false);
	PERFORM set_config('filter.placeholder', 'left', false);
	RETURN payload <> 'refused';
END $$;

SELECT corm.topic_create('rights'), corm.topic_grant('rights', 'filter_owner', '{receive}'),
	corm.topic_create('rights_rows', durable => true), corm.topic_grant('rights_rows', 'filter_owner', '{receive}');
SET ROLE filter_owner;
SELECT corm.subscribe('rights', 'g', filter => 'filter_rights.sets(payload)'),
	corm.subscribe('rights_rows', 'g', filter => 'filter_rights.sets(payload)');
RESET ROLE;
SELECT corm.publish('rights', 'first'::text), corm.publish('rights', 'refused'::text), corm.publish('rights_rows', 'row'::text);

SET work_mem = '99kB';
SELECT payload FROM corm.receive('rights', 'g', 5);
SELECT current_setting('search_path'), current_setting('work_mem'), coalesce(current_setting('filter.placeholder', true), '') AS placeholder;
BEGIN;
SELECT payload FROM corm.receive('rights_rows', 'g', 5);
SELECT current_setting('search_path'), current_setting('work_mem'), coalesce(current_setting('filter.placeholder', true), '') AS placeholder;
COMMIT;
SELECT current_setting('search_path'), current_setting('work_mem'), coalesce(current_setting('filter.placeholder', true), '') AS placeholder;
RESET work_mem;

-- it may not write, not even in functions
CREATE TABLE filter_rights.written (payload text);
GRANT INSERT ON filter_rights.written TO filter_owner;
CREATE FUNCTION filter_rights.writes(text) RETURNS boolean LANGUAGE sql AS 'INSERT INTO filter_rights.written VALUES ($1) RETURNING true';
SET ROLE filter_owner;
SELECT corm.subscribe('rights', 'writes', filter => 'filter_rights.writes(payload)', retry_delay => '1 hour');
RESET ROLE;
SELECT corm.publish('rights', 'another'::text);
SELECT payload FROM corm.receive('rights', 'writes', 5);
TABLE filter_rights.written;
INSERT INTO filter_rights.written VALUES ('the receiver may') RETURNING *;
SELECT corm.unsubscribe('rights', 'writes');

-- who sees a filter
CREATE ROLE filter_reader;
SELECT grp, filter FROM corm.groups WHERE topic = 'rights';
SET ROLE filter_owner;
SELECT grp, filter FROM corm.groups WHERE topic = 'rights';
SET ROLE filter_reader;
SELECT grp, filter FROM corm.groups WHERE topic = 'rights';
RESET ROLE;
GRANT pg_read_all_stats TO filter_reader;
SET ROLE filter_reader;
SELECT grp, filter FROM corm.groups WHERE topic = 'rights';
RESET ROLE;
DROP ROLE filter_reader;

-- plans of filters are kept, but only as long as what they were made from: functions, privileges, names
CREATE FUNCTION filter_rights.wants(text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 LIKE ''a%''';
CREATE FUNCTION filter_rights.wants(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
SELECT corm.subscribe('rights', 'wants', filter => 'wants(payload)');
SELECT corm.publish_many('rights', '{a1,b1,a2}'::text[]);
SELECT payload FROM corm.receive('rights', 'wants', 5);
CREATE OR REPLACE FUNCTION filter_rights.wants(text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 LIKE ''b%''';
SELECT corm.publish_many('rights', '{a3,b3}'::text[]);
SELECT payload FROM corm.receive('rights', 'wants', 5);
-- within a transaction, and back after it
SELECT corm.publish_many('rights', '{a4,b4}'::text[]);
BEGIN;
CREATE OR REPLACE FUNCTION filter_rights.wants(text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 LIKE ''a%''';
SELECT payload FROM corm.receive('rights', 'wants', 5);
ROLLBACK;
SELECT payload FROM corm.receive('rights', 'wants', 5);
-- what is wrong with the filter as such is raised, and no message is at fault
SELECT corm.publish_many('rights', '{a5,b5}'::text[]);
DROP FUNCTION filter_rights.wants(text);
SELECT payload FROM corm.receive('rights', 'wants', 5);
CREATE FUNCTION filter_rights.wants(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
SELECT payload FROM corm.receive('rights', 'wants', 5);
DROP FUNCTION filter_rights.wants(text);
CREATE FUNCTION filter_rights.wants(text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
SELECT payload, attempt FROM corm.receive('rights', 'wants', 5);
-- the settings that the condition is read with are those of who receives
SELECT corm.subscribe('rights', 'dates', filter => $$payload = '01/02/2026'::date::text$$);
SELECT corm.publish_many('rights', '{2026-01-02,2026-02-01}'::text[]);
SET datestyle = 'ISO, DMY';
SELECT payload FROM corm.receive('rights', 'dates', 1);
SELECT corm.publish_many('rights', '{2026-01-02,2026-02-01}'::text[]);
SET datestyle = 'ISO, MDY';
SELECT payload FROM corm.receive('rights', 'dates', 1);
RESET datestyle;
SELECT corm.unsubscribe('rights', 'dates'), (SELECT count(*) FROM corm.receive('rights', 'wants', 9)) AS others;
-- the same text, with other names and another owner
CREATE TABLE filter_rights.wanted (payload text, who name);
ALTER TABLE filter_rights.wanted ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON filter_rights.wanted USING (who = current_user);
GRANT SELECT ON filter_rights.wanted TO filter_owner;
INSERT INTO filter_rights.wanted VALUES ('mine', 'filter_owner'), ('other', 'nobody');
CREATE SCHEMA filter_elsewhere;
CREATE FUNCTION filter_elsewhere.wants(text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
SELECT corm.subscribe('rights', 'all', filter => 'EXISTS (SELECT FROM filter_rights.wanted w WHERE w.payload = message.payload)');
SET ROLE filter_owner;
SELECT corm.subscribe('rights', 'own', filter => 'EXISTS (SELECT FROM filter_rights.wanted w WHERE w.payload = message.payload)');
RESET ROLE;
SET search_path = filter_elsewhere;
SELECT corm.subscribe('rights', 'elsewhere', filter => 'wants(payload)');
SET search_path = filter_rights, public;
SELECT corm.publish_many('rights', '{mine,other}'::text[]);
SELECT g, (SELECT string_agg(payload, ' ') FROM corm.receive('rights', g, 5)) FROM unnest('{all,own,all,wants,elsewhere}'::text[]) g;
SELECT corm.publish_many('rights', '{mine,other}'::text[]);
SELECT g, (SELECT string_agg(payload, ' ') FROM corm.receive('rights', g, 5)) FROM unnest('{own,all,elsewhere,wants}'::text[]) g;
DROP SCHEMA filter_elsewhere CASCADE;
-- many of them: not all are kept, and the memory they take does not grow
SELECT corm.topic_create('many');
SELECT count(corm.subscribe('many', 'f' || i, filter => 'length(payload) <> ' || i, temporary => true)) FROM generate_series(1, 70) i;
CREATE FUNCTION filter_rights.taken() RETURNS bigint LANGUAGE sql AS $$
	SELECT corm.publish('many', 'x'::text, immediate => true);
	SELECT sum((SELECT count(*) FROM corm.receive('many', 'f' || i))) FROM generate_series(1, 70) i $$;
CREATE FUNCTION filter_rights.memory() RETURNS bigint LANGUAGE sql AS 'SELECT sum(used_bytes) FROM pg_backend_memory_contexts';
SELECT taken(), taken(), taken();
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'corm filter';
SELECT memory() AS before \gset
SELECT sum(taken()) FROM generate_series(1, 30);
SELECT memory() - :before < 1000000 AS flat;
SELECT corm.topic_drop('many');

SELECT corm.topic_drop('rights'), corm.topic_drop('rights_rows');

-- a worker's job is a session as far as temporary groups and the seed of random() are concerned
SELECT corm.topic_create('job');
SELECT corm.autonomous($$ SELECT corm.subscribe('job', 'of_job', temporary => true) AS s, setseed(0.5) $$);
SELECT grp FROM corm.groups WHERE topic = 'job';
SELECT corm.publish('job', 'nobody gets it'::text);
SELECT setseed(0.5);
SELECT (corm.autonomous('SELECT random() AS r') -> 0 ->> 'r')::float8 = random() AS foretold;
SELECT corm.topic_drop('job');

-- a handler is found by name, but not one that somebody else has made
CREATE ROLE filter_thief;
GRANT USAGE, CREATE ON SCHEMA filter_rights TO filter_thief;
CREATE TABLE called (who name);
GRANT INSERT, SELECT ON called TO PUBLIC;
SELECT corm.topic_create('handled'), corm.topic_grant('handled', 'filter_owner', '{receive}');
SET ROLE filter_owner;
CREATE FUNCTION filter_rights.handle(corm.message) RETURNS void LANGUAGE sql AS 'INSERT INTO filter_rights.called VALUES (current_user)';
SELECT corm.subscribe('handled', 'g', handler => 'filter_rights.handle(corm.message)');
DROP FUNCTION filter_rights.handle(corm.message);
SET ROLE filter_thief;
CREATE FUNCTION filter_rights.handle(corm.message) RETURNS void LANGUAGE sql AS 'INSERT INTO filter_rights.called VALUES (current_user)';
RESET ROLE;
BEGIN;
SELECT corm.publish('handled', 'one'::text);
COMMIT;
-- whoever comes first, this or a task: nothing is called
SET client_min_messages = error;
SET ROLE filter_owner;
SELECT corm.topic_handle('handled', 'g');
SELECT count(*) FROM called;
SELECT lag FROM corm.groups WHERE topic = 'handled';
SET ROLE filter_thief;
DROP FUNCTION filter_rights.handle(corm.message);
SET ROLE filter_owner;
CREATE FUNCTION filter_rights.handle(corm.message) RETURNS void LANGUAGE sql AS 'INSERT INTO filter_rights.called VALUES (current_user)';
RESET ROLE;
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		EXIT WHEN (SELECT lag FROM corm.groups WHERE topic = 'handled') = 0;
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
SELECT DISTINCT who FROM called;
RESET client_min_messages;
SELECT corm.topic_drop('handled');
DROP TABLE called;
DROP OWNED BY filter_thief;
DROP ROLE filter_thief;
RESET search_path;
DROP SCHEMA filter_rights CASCADE;
DROP ROLE filter_owner;
SELECT * FROM corm.work_check();
