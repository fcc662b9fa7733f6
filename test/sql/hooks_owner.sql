-- Hooks belong to the owner of the table: nobody else can attach code to it.
\set VERBOSITY terse
CREATE ROLE corm_hook_owner;
CREATE ROLE corm_hook_guest;
CREATE SCHEMA owned;
GRANT USAGE, CREATE ON SCHEMA owned TO corm_hook_owner, corm_hook_guest;
SET search_path = owned;
SET ROLE corm_hook_owner;
CREATE TABLE owned.items (id int PRIMARY KEY, name text);
GRANT ALL ON owned.items TO corm_hook_guest;

-- a guest may create the function, but it is nobody's hook
SET ROLE corm_hook_guest;
CREATE FUNCTION before_save(i items) RETURNS items LANGUAGE sql AS $$ SELECT i.id, 'guest' $$;
CREATE FUNCTION after_find(i items) RETURNS items LANGUAGE sql AS $$ SELECT i.id, 'guest' $$;
SELECT corm.insert(ROW(1, 'a')::items);
SELECT corm.describe('items')->'hooks' AS hooks;
SET ROLE corm_hook_owner;
SELECT corm.insert(ROW(2, 'b')::items);
SELECT corm.get(NULL::items);
RESET ROLE;
SELECT corm.insert(ROW(3, 'c')::items);

-- nor is one of a superuser, unless the table is his
ALTER FUNCTION before_save(items) OWNER TO CURRENT_USER;
SELECT corm.insert(ROW(4, 'd')::items);
ALTER TABLE items OWNER TO CURRENT_USER;
SELECT corm.insert(ROW(5, 'e')::items);
ALTER TABLE items OWNER TO corm_hook_owner;
SELECT corm.insert(ROW(6, 'f')::items);

-- the owner's is called for everybody, as the user who writes
ALTER FUNCTION before_save(items) OWNER TO corm_hook_owner;
SET ROLE corm_hook_owner;
CREATE OR REPLACE FUNCTION before_save(i items) RETURNS items LANGUAGE sql AS $$ SELECT i.id, current_user::text $$;
SET ROLE corm_hook_guest;
SELECT corm.insert(ROW(7, 'g')::items);
SELECT corm.insert_json('items', '{"id": 8}');
-- who needs to be allowed to execute it
SET ROLE corm_hook_owner;
REVOKE EXECUTE ON FUNCTION before_save(items) FROM PUBLIC;
SET ROLE corm_hook_guest;
SELECT corm.insert(ROW(9, 'i')::items);
SELECT corm.exec(corm.updater('items'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)));
SET corm.skip_hooks = on;
SELECT corm.insert(ROW(9, 'i')::items);
RESET corm.skip_hooks;
SET ROLE corm_hook_owner;
GRANT EXECUTE ON FUNCTION before_save(items) TO corm_hook_guest;
SET ROLE corm_hook_guest;
SELECT corm.exec(corm.updater('items'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)));

-- a hook that runs as its owner says so itself
SET ROLE corm_hook_owner;
CREATE TABLE owned.log (who text, name text);
CREATE FUNCTION after_save(i items) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$ INSERT INTO owned.log VALUES (current_user, i.name) $$;
SET ROLE corm_hook_guest;
SELECT corm.insert(ROW(10, 'j')::items);
SELECT count(*) FROM owned.log;
RESET ROLE;
TABLE owned.log;

-- renaming, replacing, dropping, another schema: the next call knows
SET ROLE corm_hook_owner;
ALTER FUNCTION before_save(items) RENAME TO before_lunch;
SELECT corm.insert(ROW(11, 'k')::items);
ALTER FUNCTION before_lunch(items) RENAME TO before_save;
SELECT corm.insert(ROW(12, 'l')::items);
BEGIN;
CREATE OR REPLACE FUNCTION before_save(i items) RETURNS items LANGUAGE sql AS $$ SELECT i.id, 'replaced' $$;
SELECT corm.insert(ROW(13, 'm')::items);
ROLLBACK;
SELECT corm.insert(ROW(14, 'n')::items);
BEGIN;
DROP FUNCTION before_save(items);
SELECT corm.insert(ROW(15, 'o')::items);
ROLLBACK;
SELECT corm.insert(ROW(16, 'p')::items);
CREATE OR REPLACE FUNCTION before_save(i items) RETURNS items LANGUAGE sql AS $$ SELECT i.id, 'moved' $$;
RESET ROLE;
CREATE SCHEMA other;
ALTER TABLE items SET SCHEMA other;
SELECT corm.insert(ROW(17, 'q')::other.items);
ALTER FUNCTION before_save(other.items) SET SCHEMA other;
SELECT corm.insert(ROW(18, 'r')::other.items);
ALTER SCHEMA other RENAME TO another;
SELECT corm.insert(ROW(19, 's')::another.items);
DROP SCHEMA owned, another CASCADE;
DROP ROLE corm_hook_owner, corm_hook_guest;
