-- Named caches: creating, closing, dropping; who may do what.
CREATE ROLE regress_cache_owner;
CREATE ROLE regress_cache_reader;
CREATE ROLE regress_cache_writer;
CREATE ROLE regress_cache_member IN ROLE regress_cache_reader;
CREATE ROLE regress_cache_stranger;

-- "default" is there for everybody
SELECT name, ttl, max_bytes, channel, events, closed, grants FROM corm.caches;
SET ROLE regress_cache_stranger;
SELECT corm.cache_set('stranger', 'x'), corm.cache_get('stranger'), corm.cache_delete('stranger');
SELECT corm.cache_close('default');
SELECT corm.cache_drop('default');
SELECT corm.cache_revoke('default', '-', '{read}');
RESET ROLE;
SELECT corm.cache_drop('default');

-- creating
SET ROLE regress_cache_owner;
SELECT corm.cache_create('mine', ttl => '1 hour', max_bytes => 1000000, channel => 'my_channel', events => '{deleted}');
SELECT corm.cache_create('mine');
SELECT corm.cache_create('default');
SELECT corm.cache_create('');
SELECT corm.cache_create(repeat('x', 64));
SELECT corm.cache_create(NULL);
SELECT corm.cache_create('bad', ttl => '0');
SELECT corm.cache_create('bad', ttl => '-1 second');
SELECT corm.cache_create('bad', ttl => '178000000 years');
SELECT corm.cache_create('bad', max_bytes => 0);
SELECT corm.cache_create('bad', channel => '');
SELECT corm.cache_create('bad', channel => repeat('c', 64));
SELECT corm.cache_create('bad', events => '{deleted,sneezed}');
SELECT corm.cache_create('bad', events => '{NULL}');
SELECT name, owner, ttl, max_bytes, channel, events, closed, grants FROM corm.caches ORDER BY name;
SELECT corm.cache_set('k', 'secret', cache => 'mine');
SELECT corm.cache_ttl('k', 'mine') BETWEEN '59 minutes' AND '1 hour';
SELECT corm.cache_set('k', 'secret', '1 day', 'mine'), corm.cache_ttl('k', 'mine') > '1 hour';
SELECT corm.cache_incr('n', cache => 'mine'), corm.cache_ttl('n', 'mine') > '59 minutes';
SELECT corm.cache_get('k', 'no such cache');
SELECT corm.cache_get('k', repeat('x', 100));
SELECT corm.cache_drop('no such cache');

-- nobody else may use it
SET ROLE regress_cache_reader;
SELECT corm.cache_get('k', 'mine');
SELECT corm.cache_exists('k', 'mine');
SELECT * FROM corm.cache_keys(NULL, 'mine');
SELECT corm.cache_count('mine');
SELECT corm.cache_set('k', 'mine now', cache => 'mine');
SELECT corm.cache_delete('k', 'mine');
SELECT corm.cache_clear('mine');
SELECT corm.cache_drop('mine');
SELECT corm.cache_close('mine');
SELECT corm.cache_grant('mine', 'regress_cache_reader', '{read}');
SELECT * FROM corm.cache_definitions;
INSERT INTO corm.cache_grants VALUES ('mine', 'regress_cache_reader', true, true);
SELECT * FROM corm.cache_check();
-- a constant-foldable or prepared call asks for the rights each time it runs
PREPARE get_mine AS SELECT corm.cache_get('k', 'mine');
EXECUTE get_mine;

-- until it is granted, to the role or one it is a member of
SET ROLE regress_cache_owner;
SELECT corm.cache_grant('mine', 'regress_cache_reader', '{read}'), corm.cache_grant('mine', 'regress_cache_writer', '{write}');
SELECT corm.cache_grant('mine', 'regress_cache_writer', '{fly}');
SELECT corm.cache_grant('mine', 'no_such_role', '{read}');
SELECT corm.cache_grant('mine', 4294967294::oid::regrole, '{read}');
SELECT grants FROM corm.caches WHERE name = 'mine';
SET ROLE regress_cache_member;
EXECUTE get_mine;
SELECT corm.cache_get('k', 'mine');
SELECT corm.cache_set('k', 'x', cache => 'mine');
SELECT corm.cache_incr('n', cache => 'mine');
SELECT corm.cache_fetch('k', 'SELECT 1', cache => 'mine');
SET ROLE regress_cache_writer;
EXECUTE get_mine;
SELECT corm.cache_set('w', 'x', cache => 'mine');
SELECT corm.cache_delete('w', 'mine') IS NULL AS deletes_without_seeing;
SELECT corm.cache_incr('n', cache => 'mine');

-- and revoked; a rolled back change is none
SET ROLE regress_cache_owner;
BEGIN;
SELECT corm.cache_revoke('mine', 'regress_cache_reader', '{read,write}');
SELECT corm.cache_grant('mine', '-', '{read}');
SELECT grants FROM corm.caches WHERE name = 'mine';
ROLLBACK;
SET ROLE regress_cache_reader;
SELECT corm.cache_get('k', 'mine');
SET ROLE regress_cache_owner;
SELECT corm.cache_revoke('mine', 'regress_cache_reader', '{read}');
SET ROLE regress_cache_member;
EXECUTE get_mine;
RESET ROLE;
REVOKE regress_cache_reader FROM regress_cache_member;
GRANT regress_cache_owner TO regress_cache_member;
SET ROLE regress_cache_member;
EXECUTE get_mine;

-- everybody
SET ROLE regress_cache_owner;
SELECT corm.cache_grant('mine', '-', '{read,write}');
SET ROLE regress_cache_stranger;
SELECT corm.cache_get('k', 'mine'), corm.cache_set('s', 'x', cache => 'mine');

-- closing empties, and refuses everything
SET ROLE regress_cache_owner;
SELECT corm.cache_close('mine');
SELECT corm.cache_close('mine');
SELECT corm.cache_get('k', 'mine');
SELECT corm.cache_set('k', 'x', cache => 'mine');
SELECT corm.cache_set('k', 1, cache => 'mine', immediate => true);
SELECT corm.cache_add('k', 'x', cache => 'mine');
SELECT corm.cache_replace('k', 'x', cache => 'mine');
SELECT corm.cache_get_as(NULL::int, 'k', 'mine');
SELECT corm.cache_delete('k', 'mine');
SELECT corm.cache_exists('k', 'mine');
SELECT corm.cache_ttl('k', 'mine');
SELECT corm.cache_expire('k', '1s', 'mine');
SELECT corm.cache_persist('k', 'mine');
SELECT * FROM corm.cache_info('k', 'mine');
SELECT corm.cache_incr('k', cache => 'mine');
SELECT corm.cache_decr('k', cache => 'mine');
SELECT * FROM corm.cache_get_many('{k}', 'mine');
SELECT corm.cache_set_many('{"k": 1}', cache => 'mine');
SELECT * FROM corm.cache_keys(NULL, 'mine');
SELECT corm.cache_count('mine');
SELECT corm.cache_clear('mine');
SELECT corm.cache_fetch('k', 'SELECT 1', cache => 'mine');
SELECT corm.cache_open('mine');
SELECT corm.cache_open('mine');
SELECT corm.cache_get('k', 'mine'), corm.cache_count('mine');

-- default, too, with the database's owner
RESET ROLE;
SELECT corm.cache_revoke('default', '-', '{write}');
SET ROLE regress_cache_stranger;
SELECT corm.cache_get('stranger');
SELECT corm.cache_set('stranger', 'x');
RESET ROLE;
SELECT corm.cache_grant('default', '-', '{write}');
SELECT corm.cache_close('default');
SELECT corm.cache_get('x');
SELECT corm.cache_open('default');
SELECT corm.cache_get('x');

-- dropping; what was in it does not come back with the name
SELECT corm.cache_set('ghost', 'x', cache => 'mine');
BEGIN;
SELECT corm.cache_drop('mine');
SELECT corm.cache_get('ghost', 'mine');
ROLLBACK;
SELECT corm.cache_get('ghost', 'mine');
SELECT corm.cache_drop('mine');
SELECT corm.cache_get('ghost', 'mine');
SELECT corm.cache_create('mine');
SELECT corm.cache_get('ghost', 'mine'), corm.cache_count('mine');
BEGIN;
SELECT corm.cache_create('rolled back');
SELECT corm.cache_set('k', 'x', cache => 'rolled back', immediate => true), corm.cache_get('k', 'rolled back');
ROLLBACK;
SELECT corm.cache_get('k', 'rolled back');
SELECT corm.cache_create('rolled back');
SELECT corm.cache_get('k', 'rolled back');
SELECT corm.cache_drop('mine'), corm.cache_drop('rolled back');

-- as many as the limit
DO $$
BEGIN
	FOR i IN 1..current_setting('corm.max_caches')::int LOOP
		PERFORM corm.cache_create('limit ' || i);
		PERFORM corm.cache_set('k', i, cache => 'limit ' || i);
	END LOOP;
	PERFORM corm.cache_create('one too many');
EXCEPTION WHEN configuration_limit_exceeded THEN
	RAISE NOTICE '%', sqlerrm;
END $$;
SELECT count(*) FROM corm.caches;
-- many clears in a row leave generations to be purged, not a full table
DO $$
BEGIN
	PERFORM corm.cache_create('cleared');
	FOR i IN 1..2000 LOOP
		PERFORM corm.cache_set('k', i, cache => 'cleared', immediate => true);
		PERFORM corm.cache_clear('cleared');
	END LOOP;
END $$;
DO $$
BEGIN
	FOR i IN 1..500 LOOP
		PERFORM corm.cache_set('k', i, cache => 'cleared', immediate => true);
		PERFORM corm.cache_clear('cleared');
		COMMIT;
	END LOOP;
END $$;
SELECT corm.cache_count('cleared');
SELECT corm.cache_drop('cleared');
SELECT * FROM corm.cache_check();

-- settings that size memory are fixed
SET corm.cache_size = '1GB';
SET corm.cach_size = 1;

-- roles that go: what they have is in the way, like tables
CREATE ROLE regress_cache_heir;
SET ROLE regress_cache_owner;
SELECT corm.cache_create('kept');
SELECT corm.cache_create('dropped');
SELECT corm.cache_grant('kept', 'regress_cache_reader', '{read}');
SELECT corm.cache_set('k', 'kept', cache => 'kept'), corm.cache_set('k', 'dropped', cache => 'dropped');
RESET ROLE;
DROP ROLE regress_cache_owner;
DROP ROLE regress_cache_reader;
REASSIGN OWNED BY regress_cache_owner TO regress_cache_heir;
SELECT name, owner, grants FROM corm.caches WHERE name IN ('kept', 'dropped') ORDER BY name;
SET ROLE regress_cache_owner;
SELECT corm.cache_get('k', 'kept');
SET ROLE regress_cache_heir;
SELECT corm.cache_get('k', 'kept'), corm.cache_grant('dropped', 'regress_cache_reader', '{read}');
RESET ROLE;
DROP OWNED BY regress_cache_reader;
SELECT name, grants FROM corm.caches WHERE name IN ('kept', 'dropped') ORDER BY name;
BEGIN;
DROP OWNED BY regress_cache_heir;
SELECT corm.cache_get('k', 'kept');
ROLLBACK;
SELECT corm.cache_get('k', 'kept');
SELECT corm.cache_grant('kept', 'regress_cache_reader', '{read,write}');
UPDATE corm.cache_definitions SET owner = 'regress_cache_owner' WHERE name = 'kept';
DROP OWNED BY regress_cache_heir;
SELECT name, owner, grants FROM corm.caches WHERE name IN ('kept', 'dropped') ORDER BY name;
DROP ROLE regress_cache_heir;
-- the default cache is not dropped but goes to the database's owner
SELECT corm.cache_grant('default', 'regress_cache_writer', '{read}');
UPDATE corm.cache_definitions SET owner = 'regress_cache_owner' WHERE name = 'default';
DROP OWNED BY regress_cache_owner, regress_cache_writer;
SELECT name, owner::oid = (SELECT datdba FROM pg_database WHERE datname = current_database()) AS of_database_owner, grants
	FROM corm.caches WHERE name IN ('kept', 'default') ORDER BY name;
-- what a role that was dropped in another database leaves behind: nobody's, and gone before another role has its OID
SELECT corm.cache_create('orphan');
SELECT corm.cache_grant('orphan', 'regress_cache_reader', '{read}');
UPDATE corm.cache_definitions SET owner = 4294967290::oid::regrole WHERE name = 'orphan';
UPDATE corm.cache_grants SET grantee = 4294967290::oid::regrole WHERE cache = 'orphan';
SELECT owner, grants FROM corm.caches WHERE name = 'orphan';
SELECT corm.cache_set('k', 'v', cache => 'orphan');
SELECT cache, entries FROM corm.cache_stats WHERE cache = 'orphan';
SELECT corm.cache_grant('orphan', '4294967290', '{write}');
SELECT corm.cache_revoke('orphan', '4294967291', '{read}');
BEGIN;
SELECT corm.cache_close('orphan'), corm.cache_open('orphan'), corm.cache_revoke('orphan', '4294967290', '{read}');
SELECT owner, grants FROM corm.caches WHERE name = 'orphan';
REASSIGN OWNED BY regress_cache_reader TO regress_cache_owner;
DROP OWNED BY regress_cache_reader;
SELECT corm.cache_drop('orphan');
ROLLBACK;
SET ROLE regress_cache_reader;
SELECT corm.cache_get('k', 'orphan');
SELECT corm.cache_drop('orphan');
SELECT corm.cache_create('tidies');
SELECT corm.cache_drop('tidies');
RESET ROLE;
SELECT name, owner::oid = (SELECT datdba FROM pg_database WHERE datname = current_database()) AS of_database_owner, grants
	FROM corm.caches WHERE name = 'orphan';
-- caches are not created or changed in a read-only transaction, whatever the table they stand in; their entries may be
BEGIN READ ONLY;
SELECT corm.cache_set('k', 'v', cache => 'orphan');
SAVEPOINT s;
SELECT corm.cache_create('read_only');
ROLLBACK TO s;
SELECT corm.cache_close('orphan');
ROLLBACK TO s;
SELECT corm.cache_open('orphan');
ROLLBACK TO s;
SELECT corm.cache_grant('orphan', '-', '{read}');
ROLLBACK TO s;
SELECT corm.cache_revoke('orphan', '-', '{read}');
ROLLBACK TO s;
SELECT corm.cache_drop('orphan');
ROLLBACK;
SELECT corm.cache_drop('orphan');
SELECT * FROM corm.cache_check();

DROP ROLE regress_cache_owner, regress_cache_reader, regress_cache_writer, regress_cache_member, regress_cache_stranger;
