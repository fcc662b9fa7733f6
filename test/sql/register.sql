-- corm.register and corm.unregister.
\pset null '(null)'
CREATE SCHEMA reg;
SET search_path = reg;

CREATE TABLE users (
	id int PRIMARY KEY, user_name text, bio text, deleted_at timestamptz, version int, created_at timestamptz,
	updated_at timestamptz, is_gone boolean);
COMMENT ON COLUMN users.bio IS '@orm:name=Biography,read_only';

-- Options win over tags; registering again replaces
SELECT corm.register('users', '{"name": "Person", "naming": "camel", "soft_delete": true, "version": "version",
	"created_at": true, "updated_at": "updated_at", "fields": {"Biography": {"name": "life", "read_only": false},
	"user_name": {"filterable": false}, "is_gone": {"ignore": true}}}');
SELECT corm.describe('users') - 'fields';
SELECT name, column_name, read_only, filterable FROM corm.fields WHERE model = 'users'::regclass;
SELECT f->>'name' AS name, f->>'json_key' AS json_key FROM jsonb_array_elements(corm.describe('users')->'fields') f;
SELECT model, table_name, options FROM corm.model_options;
SELECT corm.register('users', '{"naming": "pascal", "soft_delete": "is_gone"}');
SELECT model, table_name, options FROM corm.model_options;
SELECT corm.describe('users')->'soft_delete' AS soft_delete, corm.describe('users')->'version' AS version,
	corm.describe('users')->'fields'->1->'json_key' AS json_key;
SELECT corm.register('users');
SELECT registered, soft_delete FROM corm.models WHERE model = 'users'::regclass;
SELECT corm.register('users', NULL);
SELECT corm.unregister('users');
SELECT corm.unregister('users');
SELECT registered FROM corm.models WHERE model = 'users'::regclass;
SELECT corm.register('users', '{"fields": {"id": {"name": "version"}, "version": {"name": "id"}}}');
SELECT name, column_name FROM corm.fields WHERE model = 'users'::regclass AND column_name IN ('id', 'version');
-- a field of a table may be given by its new name and its column
SELECT corm.register('users', '{"fields": {"Biography2": {"column": "bio", "read_only": true}}}');
SELECT name, column_name, read_only FROM corm.fields WHERE model = 'users'::regclass AND column_name = 'bio';
SELECT corm.register('users', '{"fields": {"Other": {"column": "none"}}}');
SELECT corm.register('users', '{"fields": {"Other": {"column": "bio"}, "bio": {}}}');
SELECT corm.register('users', '{"fields": {"id": {"column": "bio"}}}');
SELECT corm.register('users', '{"fields": {"": {"column": "bio"}}}');
SELECT corm.register('users', '{"fields": {"user_name2": {"column": "bio", "name": "Third"}}}');
SELECT name, column_name FROM corm.fields WHERE model = 'users'::regclass AND column_name = 'bio';
-- seen by the rest of the statement
SELECT corm.register('users', '{"name": "A"}'), corm.describe('users')->'name' AS name,
	corm.register('users', '{"name": "B"}'), corm.describe('users')->'name' AS name;

-- A tag is turned off
COMMENT ON COLUMN users.deleted_at IS '@orm:soft_delete';
SELECT corm.register('users', '{"soft_delete": false, "version": null}');
SELECT corm.describe('users')->'soft_delete' AS soft_delete;
COMMENT ON COLUMN users.deleted_at IS NULL;
SELECT corm.unregister('users');

-- A declared primary key
CREATE VIEW people AS SELECT user_name, id FROM users;
SELECT corm.register('people', '{"primary_key": ["id", "user_name"]}');
SELECT corm.describe('people')->'primary_key' AS pk;
SELECT corm.register('people', '{"fields": {"user_name": {"primary_key": true}}}');
SELECT corm.describe('people')->'primary_key' AS pk;
-- in the order of the view, since the keys of an object have none; an array has one
INSERT INTO users (id, user_name) VALUES (7, 'Eve');
SELECT corm.register('people', '{"fields": {"user_name": {"primary_key": true}, "id": {"primary_key": true}}}');
SELECT corm.describe('people')->'primary_key' AS pk, corm.find_json('people', 'Eve', 7)->'id' AS id;
SELECT corm.register('people', '{"fields": {"user_name": {"primary_key": true}, "id": {"primary_key": true}}, "primary_key": ["id", "user_name"]}');
SELECT corm.describe('people')->'primary_key' AS pk, corm.find_json('people', 7, 'Eve')->'id' AS id;
COMMENT ON COLUMN people.id IS '@orm:primary_key';
SELECT corm.register('people', '{"fields": {"user_name": {"primary_key": true}}}');
SELECT corm.describe('people')->'primary_key' AS pk;
SELECT corm.register('people', '{"fields": {"user_name": {"primary_key": true}, "id": {"primary_key": false}}}');
SELECT corm.describe('people')->'primary_key' AS pk;
DELETE FROM users WHERE id = 7;

-- What is wrong is refused, and nothing is stored
CREATE FUNCTION try(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
	PERFORM corm.register('reg.users', options);
	RETURN 'stored';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, NULLIF(d, ''), h);
END $$;
SELECT try(o::jsonb) FROM unnest(ARRAY[
	'[]', '1', 'null', '"x"', '{"nmae": "x"}', '{"zzzzzzzzzzzzzzzzzzzzz": 1}', '{"name": 1}', '{"name": ""}',
	'{"naming": "kebab"}', '{"naming": true}', '{"soft_delete": "user_name"}', '{"soft_delete": "deletedat"}',
	'{"soft_delete": 1}', '{"soft_delete": ["deleted_at"]}', '{"version": "user_name"}', '{"updated_at": "nothing_like_it"}',
	'{"fields": []}', '{"fields": {"usr_name": {}}}', '{"fields": {"user_name": 1}}', '{"fields": {"user_name": {"readonly": true}}}',
	'{"fields": {"user_name": {"read_only": "yes"}}}', '{"fields": {"user_name": {"name": "id"}}}',
	'{"fields": {"user_name": {"column": "bio"}}}', '{"fields": {"bio": {}, "Biography": {}}}',
	'{"fields": {"version": {"ignore": true}}, "version": true}', '{"fields": {"id": {"ignore": true}}, "primary_key": ["id"]}',
	'{"primary_key": []}', '{"primary_key": "id"}', '{"primary_key": [1]}', '{"primary_key": ["idd"]}',
	'{"table": "reg.nowhere"}', '{"table": 1}', '{"table": "a b"}', '{"table": "reg.users_pkey"}']) o;
SELECT count(*) FROM corm.model_options WHERE model = 'users'::regclass;
SELECT corm.register(NULL);
SELECT corm.register('users_pkey', '{}');
SELECT corm.register(4294967295::oid::regclass, '{}');

-- JSON keys must differ
ALTER TABLE users ADD "userName" text;
SELECT corm.register('users', '{"naming": "camel"}');
ALTER TABLE users DROP "userName";

-- Soft delete and unique indexes
CREATE UNIQUE INDEX users_name_key ON users (user_name);
CREATE UNIQUE INDEX users_bio_key ON users (bio) WHERE deleted_at IS NULL;
SELECT corm.register('users', '{"soft_delete": true}');
DROP INDEX users_name_key;

-- Composite types
CREATE TYPE dto AS (login text, id int);
SELECT corm.register('dto', '{}');
SELECT corm.register('dto', '{"table": "users"}');
SELECT corm.register('dto', '{"table": "users", "fields": {"login": {"column": "user_name", "name": "Login"}}}');
SELECT corm.describe('dto') - 'fields';
SELECT name, column_name FROM corm.fields WHERE model = 'dto'::regclass;
SELECT model, table_name, options FROM corm.model_options ORDER BY model::text;

-- A mapping follows the table when it is renamed or moved
ALTER TABLE users RENAME TO members;
SELECT corm.describe('dto')->'table' AS table_name;
CREATE SCHEMA reg2;
ALTER TABLE members SET SCHEMA reg2;
SELECT corm.describe('dto')->'table' AS table_name;
ALTER TABLE reg2.members SET SCHEMA reg;
ALTER TABLE members RENAME TO users;

-- An option whose column is gone is an error of that model, not ignored
ALTER TABLE users RENAME COLUMN deleted_at TO removed_at;
SELECT corm.describe('users');
SELECT name, error FROM corm.models WHERE model IN ('users'::regclass, 'people'::regclass) ORDER BY name;
ALTER TABLE users RENAME COLUMN removed_at TO deleted_at;
ALTER TABLE users RENAME COLUMN user_name TO login;
SELECT corm.describe('dto');
ALTER TABLE users RENAME COLUMN login TO user_name;
SELECT corm.describe('dto')->'table' AS table_name;

-- ROLLBACK
BEGIN;
SELECT corm.register('users', '{"name": "Rolled"}');
SELECT corm.describe('users')->'name' AS name;
ROLLBACK;
SELECT corm.describe('users')->'name' AS name;
BEGIN;
SAVEPOINT s;
SELECT corm.register('users', '{"name": "Rolled"}');
SELECT corm.describe('users')->'name' AS name;
ROLLBACK TO s;
SELECT corm.describe('users')->'name' AS name;
SELECT corm.unregister('users');
SELECT corm.describe('users')->'soft_delete' AS name;
ROLLBACK;
SELECT corm.describe('users')->'soft_delete' AS name;
BEGIN READ ONLY;
SELECT corm.register('users', '{}');
ROLLBACK;
BEGIN READ ONLY;
SELECT corm.unregister('users');
ROLLBACK;

-- Owners only, and of the table too
CREATE ROLE regress_corm_owner;
CREATE ROLE regress_corm_other;
GRANT ALL ON SCHEMA reg TO regress_corm_owner, regress_corm_other;
ALTER TABLE users OWNER TO regress_corm_owner;
GRANT ALL ON users TO regress_corm_other;
SET ROLE regress_corm_other;
CREATE TYPE mine AS (id int);
SELECT corm.register('users', '{}');
SELECT corm.unregister('users');
SELECT corm.register('dto', '{"table": "users"}');
SELECT corm.register('mine', '{"table": "users"}');
COMMENT ON TYPE mine IS '@orm:table=users';
SELECT corm.register('mine', '{"name": "Mine"}');
SELECT name, table_name FROM corm.models WHERE model = 'mine'::regclass;
SELECT * FROM corm.model_options;
INSERT INTO corm.model_options VALUES ('mine', NULL, '{}');
SET ROLE regress_corm_owner;
SELECT corm.register('users', '{"name": "Owned"}');
SELECT name FROM corm.models WHERE model = 'users'::regclass;
-- dropping needs no privilege on corm's catalog
CREATE TABLE owned (id int);
SELECT corm.register('owned', '{"name": "x"}');
DROP TABLE owned;
RESET ROLE;
SELECT model, table_name, options FROM corm.model_options ORDER BY model::text;

-- Whatever drops a relation drops what is stored about it
CREATE TABLE other (id int);
SELECT corm.register('other', '{"name": "Other"}');
DROP TABLE users CASCADE;
SELECT model, table_name, options FROM corm.model_options ORDER BY model::text;
SELECT corm.describe('dto');
CREATE TEMP TABLE temporary (id int);
SELECT corm.register('temporary', '{"name": "Temp"}');
DISCARD TEMP;
DROP SCHEMA reg2;
SELECT model, table_name, options FROM corm.model_options ORDER BY model::text;
BEGIN;
DROP TABLE other;
SELECT count(*) FROM corm.model_options;
ROLLBACK;
SELECT model, table_name, options FROM corm.model_options ORDER BY model::text;
ALTER TABLE other OWNER TO regress_corm_owner;
DROP OWNED BY regress_corm_owner, regress_corm_other;
SELECT count(*) FROM corm.model_options;
DROP ROLE regress_corm_owner, regress_corm_other;

-- Writes past the functions are seen, too
CREATE TABLE direct (id int);
SELECT corm.describe('direct')->'name' AS name;
INSERT INTO corm.model_options VALUES ('direct', NULL, '{"name": "Inserted"}');
SELECT corm.describe('direct')->'name' AS name;
UPDATE corm.model_options SET options = '{"name": "Updated"}';
SELECT corm.describe('direct')->'name' AS name;
UPDATE corm.model_options SET options = '[]';
SELECT corm.describe('direct')->'name' AS name;
TRUNCATE corm.model_options;
SELECT corm.describe('direct')->'name' AS name;

SET client_min_messages = warning;
DROP SCHEMA reg CASCADE;
