-- hardening 44
-- A7: what one role registers, tags, declares or names for its models is an error where these are used, and stops nobody
-- else: not in queries on other models, not in the views of all models. corm.model_problems lists it.
SET client_min_messages = warning;
CREATE ROLE regress_a7_m;
CREATE ROLE regress_a7_a;
CREATE SCHEMA a7m AUTHORIZATION regress_a7_m;
CREATE SCHEMA a7a AUTHORIZATION regress_a7_a;
CREATE FUNCTION state(q text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE q;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END $$;

SET ROLE regress_a7_a;
CREATE TABLE a7a.users (id int PRIMARY KEY, name text);
CREATE TABLE a7a.orders (id int PRIMARY KEY, user_id int REFERENCES a7a.users);
INSERT INTO a7a.users VALUES (1, 'ada');
GRANT USAGE ON SCHEMA a7a TO regress_a7_m;
GRANT SELECT, REFERENCES ON a7a.users TO regress_a7_m;

-- all that can be wrong with what she has
SET ROLE regress_a7_m;
CREATE TABLE a7m.bad_tag (id int PRIMARY KEY);
COMMENT ON COLUMN a7m.bad_tag.id IS '@orm:nonsense';
CREATE TABLE a7m.bad_key (id int PRIMARY KEY, user_id int CONSTRAINT bad_key REFERENCES a7a.users);
COMMENT ON CONSTRAINT bad_key ON a7m.bad_key IS '@orm:name=,';
CREATE TABLE a7m.bad_table (id int);
COMMENT ON TABLE a7m.bad_table IS '@orm:table=nowhere';
CREATE TYPE a7m.bad_type AS (id int, gone text);
COMMENT ON TYPE a7m.bad_type IS '@orm:table=a7a.users';
CREATE TABLE a7m.bad_options (id int PRIMARY KEY, deleted_at timestamptz);
SELECT corm.register('a7m.bad_options', '{"soft_delete": "deleted_at"}');
ALTER TABLE a7m.bad_options DROP COLUMN deleted_at;
CREATE TABLE a7m.bad_relation (id int PRIMARY KEY, other int);
SELECT corm.relate('a7m.bad_relation', 'gone', 'has_many', 'a7a.users', '{other}', '{id}');
ALTER TABLE a7m.bad_relation DROP COLUMN other;
CREATE TABLE a7m.bad_hook (id int PRIMARY KEY);
CREATE FUNCTION a7m.before_save(x a7m.bad_hook) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE a7m.user_stats (id int PRIMARY KEY, user_id int REFERENCES a7a.users);
COMMENT ON TABLE a7m.user_stats IS '@orm:-,-,=';
CREATE FUNCTION a7m.before_save(x a7a.users) RETURNS int LANGUAGE sql AS 'SELECT 1';

-- everybody else goes on
SET ROLE regress_a7_a;
SELECT corm.get_multi_json(corm.selector('a7a.users'), corm.preload('orders'));
SELECT corm.insert_json('a7a.users', '{"id": 2, "name": "bob", "orders": [{"id": 7}]}');
SELECT corm.update(row(2, 'bea')::a7a.users);
SELECT corm.describe('a7a.users')->'hooks' AS hooks;
SELECT model, name, error FROM corm.models WHERE model::text ~ 'a7' ORDER BY model::text;
SELECT count(*) > 0 AS fields FROM corm.fields WHERE model = 'a7a.users'::regclass;
SELECT name, target FROM corm.relations WHERE model = 'a7a.users'::regclass;
SELECT model, kind, object, problem FROM corm.model_problems WHERE model::text ~ 'a7' OR model IS NULL ORDER BY model::text, kind;
DROP TABLE a7a.orders;
COMMENT ON TABLE a7a.users IS 'People';

-- she sees what is wrong, and meets it where she uses it
SET ROLE regress_a7_m;
SELECT model, error FROM corm.models WHERE model::text ~ 'a7m' ORDER BY model::text;
SELECT model, kind, object, problem, hint FROM corm.model_problems WHERE model::text ~ 'a7m' ORDER BY model::text, kind;
SELECT count(*) > 0 AS relations FROM corm.relations WHERE model::text ~ 'a7m';
RESET ROLE;
SELECT t, state(format('SELECT corm.count(corm.selector(%L))', t)) FROM unnest(ARRAY['a7m.bad_tag', 'a7m.bad_key', 'a7m.bad_table',
    'a7m.bad_options', 'a7m.bad_relation', 'a7m.bad_hook', 'a7m.user_stats', 'a7a.users']) t;
SELECT state($$SELECT corm.get_multi_json(corm.selector('a7m.bad_relation'), corm.preload('gone'))$$);
SELECT state($$SELECT corm.insert(row(1)::a7m.bad_hook)$$);

-- a row that refers to nothing, as two sessions can leave one behind
INSERT INTO corm.declared_relations VALUES ('a7a.users', 'dangling', 'has_many', 'a7a.users', '{id}', '{id}');
UPDATE corm.declared_relations SET target = 4294967290::oid::regclass WHERE name = 'dangling';
SELECT state($$SELECT corm.get_multi_json(corm.selector('a7a.users'))$$);
SELECT state($$SELECT corm.get_multi_json(corm.selector('a7a.users'), corm.preload('dangling'))$$);
SELECT kind, object, problem FROM corm.model_problems WHERE model = 'a7a.users'::regclass;
SELECT count(*) FROM corm.relations WHERE model = 'a7a.users'::regclass AND name = 'dangling';
DELETE FROM corm.declared_relations WHERE name = 'dangling';

DROP SCHEMA a7m, a7a CASCADE;
DROP FUNCTION state;
DROP ROLE regress_a7_m, regress_a7_a;
