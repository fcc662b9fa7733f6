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
