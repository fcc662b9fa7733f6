-- Relations: found from foreign keys, renamed by tags, declared.
\pset null '(null)'
CREATE SCHEMA rel;
SET search_path = rel;

CREATE FUNCTION show(m regclass) RETURNS TABLE (name text, kind text, target regclass, "on" text, through regclass)
LANGUAGE sql SET search_path = rel, pg_catalog, pg_temp AS $$
	SELECT r.name, r.kind, r.target, array_to_string(r.columns, ',') || ' = ' || array_to_string(r.target_columns, ','), r.through
	FROM corm.relations r WHERE r.model = m
$$;
CREATE FUNCTION raised(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, NULLIF(d, ''), NULLIF(h, ''));
END $$;

-- One of each kind
CREATE TABLE countries (code char(2) PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, country_code char(2) REFERENCES countries, manager_id int REFERENCES users);
CREATE TABLE profiles (id int PRIMARY KEY, user_id int UNIQUE REFERENCES users);
CREATE TABLE passports (user_id int PRIMARY KEY REFERENCES users);
CREATE TABLE posts (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users);
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE post_tags (post_id int REFERENCES posts, tag_id int REFERENCES tags, added date, PRIMARY KEY (tag_id, post_id));
SELECT * FROM show('countries');
SELECT * FROM show('users');
SELECT * FROM show('profiles');
SELECT * FROM show('passports');
SELECT * FROM show('posts');
SELECT * FROM show('tags');
SELECT * FROM show('post_tags');
SELECT jsonb_pretty(corm.describe('tags')->'relations');

-- Keys of several columns; the order of the columns is that of the key
CREATE TABLE tenants (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE docs (id int PRIMARY KEY, owner int, tenant int, FOREIGN KEY (tenant, owner) REFERENCES tenants);
CREATE TABLE seats (tenant int, id int, nr int, PRIMARY KEY (nr, id, tenant), FOREIGN KEY (tenant, id) REFERENCES tenants, FOREIGN KEY (nr) REFERENCES tags);
SELECT * FROM show('docs');
SELECT * FROM show('tenants');

-- Several keys to one table; names that are taken
CREATE TABLE messages (id int PRIMARY KEY, sender_id int REFERENCES users, recipient_id int REFERENCES users, body text);
CREATE TABLE follows (follower_id int REFERENCES users, followed_id int REFERENCES users, PRIMARY KEY (follower_id, followed_id));
CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users, "user" text, posts int, post_id int REFERENCES posts);
SELECT * FROM show('messages');
SELECT * FROM show('users');
SELECT * FROM show('notes');
ALTER TABLE users ADD notes text;
SELECT * FROM show('users') WHERE name LIKE 'notes%';
ALTER TABLE users DROP notes;

-- What is unique: only a whole index of the key's columns, without a condition
CREATE TABLE uniq (a int REFERENCES tags, b int, c int, d int);
SELECT kind FROM show('tags') WHERE target = 'uniq'::regclass;
CREATE UNIQUE INDEX uniq_ab ON uniq (a, b);
CREATE UNIQUE INDEX uniq_cond ON uniq (a) WHERE c > 0;
CREATE UNIQUE INDEX uniq_expr ON uniq (abs(a));
CREATE INDEX uniq_plain ON uniq (a);
SELECT kind FROM show('tags') WHERE target = 'uniq'::regclass;
CREATE UNIQUE INDEX uniq_a ON uniq (a) INCLUDE (b);
SELECT kind FROM show('tags') WHERE target = 'uniq'::regclass;
DROP TABLE uniq;

-- What is a many_to_many: two keys that are all of the primary key, apart
CREATE TABLE half (a int REFERENCES tags, b int REFERENCES posts, c int, PRIMARY KEY (a, b, c));
CREATE TABLE nokey (a int REFERENCES tags, b int REFERENCES posts);
CREATE TABLE twice (a int REFERENCES tags REFERENCES users, PRIMARY KEY (a));
SELECT * FROM show('tags') WHERE through IS NOT NULL;
DROP TABLE half, nokey, twice;

-- Clashes: the name is an error, the rest is not
CREATE TABLE parcels (id int PRIMARY KEY, origin char(2) REFERENCES countries, target char(2) REFERENCES countries);
SELECT r->>'name' AS name, r->>'columns' AS columns, r->'ambiguous' AS ambiguous
FROM jsonb_array_elements(corm.describe('parcels')->'relations') r;
SELECT corm.describe_relation('parcels', 'countries');
SELECT raised($$SELECT corm.describe_relation('users', 'users_through_follows')$$);
SELECT * FROM show('countries');
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS '@orm:inverse=users';
SELECT * FROM show('countries');
COMMENT ON CONSTRAINT parcels_target_fkey ON parcels IS '@orm:inverse=users';
SELECT raised($$SELECT corm.describe_relation('countries', 'users')$$);
COMMENT ON CONSTRAINT parcels_target_fkey ON parcels IS NULL;
SELECT corm.describe_relation('countries', 'parcels')->'target_columns' AS not_affected;
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS '@orm:name=origin_country,inverse=sent';
SELECT * FROM show('parcels');
SELECT * FROM show('countries');
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS '@orm:-';
SELECT * FROM show('parcels');
SELECT * FROM show('countries');
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS '@orm:name=id';
SELECT r->>'name' AS name, r->'ambiguous' AS ambiguous FROM jsonb_array_elements(corm.describe('parcels')->'relations') r;
SELECT raised($$SELECT corm.describe_relation('parcels', 'id')$$);
-- a bad tag is an error of the table that has the key, not of the other
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS '@orm:nmae=x';
SELECT corm.describe('parcels');
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS '@orm:read_only';
SELECT corm.describe('parcels');
SELECT name, error FROM corm.models WHERE model IN ('parcels'::regclass, 'countries'::regclass) ORDER BY name;
SELECT * FROM show('countries');
COMMENT ON CONSTRAINT parcels_origin_fkey ON parcels IS NULL;
DROP TABLE parcels;

-- Keys in JSON
SELECT corm.register('messages', '{"naming": "camel"}');
COMMENT ON CONSTRAINT messages_sender_id_fkey ON messages IS '@orm:name=the_sender,inverse=sent_messages';
SELECT r->>'name' AS name, r->>'json_key' AS json_key FROM jsonb_array_elements(corm.describe('messages')->'relations') r;
SELECT r->>'name' FROM unnest('{the_sender,theSender,TheSender}'::text[]) n, corm.describe_relation('messages', n) r;
SELECT corm.unregister('messages');

-- Unknown names
SELECT raised($$SELECT corm.describe_relation('messages', 'recipent')$$);
SELECT raised($$SELECT corm.describe_relation('messages', 'body')$$);
SELECT raised($$SELECT corm.describe_relation('messages', '')$$);
CREATE TABLE lonely (id int);
SELECT raised($$SELECT corm.describe_relation('lonely', 'x')$$);

-- Partitions
CREATE TABLE logs (id int, user_id int REFERENCES users, at date) PARTITION BY RANGE (at);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (at);
CREATE TABLE logs_2a PARTITION OF logs_2 FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE areas (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE areas_1 PARTITION OF areas FOR VALUES IN (1);
CREATE TABLE shops (id int, area_id int REFERENCES areas) PARTITION BY LIST (id);
CREATE TABLE shops_1 PARTITION OF shops FOR VALUES IN (1);
SELECT * FROM show('logs');
SELECT * FROM show('logs_1');
SELECT * FROM show('logs_2a');
SELECT * FROM show('users') WHERE name LIKE 'logs%';
SELECT * FROM show('areas');
SELECT * FROM show('areas_1');
SELECT * FROM show('shops');
SELECT * FROM show('shops_1');

-- Mapped types have the relations of their table
CREATE TYPE user_dto AS (id int);
COMMENT ON TYPE user_dto IS '@orm:table=users';
SELECT name, kind, target FROM show('user_dto') ORDER BY name;

-- Odd names
CREATE TABLE "Big Table" ("The Id" int PRIMARY KEY, "Own_id" int REFERENCES "Big Table", "_id" int REFERENCES tags);
SELECT * FROM show('"Big Table"');

-- Declared relations
CREATE VIEW active AS SELECT id, manager_id FROM users;
COMMENT ON COLUMN active.id IS '@orm:primary_key,name=Ident';
CREATE TABLE toys (id int PRIMARY KEY, owner_id int, owner_type text);
SELECT corm.relate('active', 'posts', 'has_many', 'posts', '{Ident}', '{user_id}');
SELECT corm.relate('active', 'boss', 'belongs_to', 'active', '{managerId}', '{id}');
SELECT corm.relate('users', 'toys', 'has_many', 'toys', '{id}', '{owner_id}', condition => corm.eq('owner_type', 'user'));
SELECT corm.relate('active', 'tags', 'many_to_many', 'tags', '{id}', '{id}', 'post_tags', '{post_id}', '{tag_id}');
SELECT corm.relate('posts', 'labels', 'many_to_many', 'tags', '{id}', '{id}', 'post_tags');
SELECT corm.relate('users', 'followers', 'many_to_many', 'users', '{id}', '{id}', 'follows', '{followed_id}', '{follower_id}');
SELECT corm.relate('user_dto', 'toys', 'has_one', 'toys', '{id}', '{owner_id}');
SELECT * FROM show('active');
SELECT name, kind, target, "on", through FROM show('users') WHERE name IN ('toys', 'followers');
SELECT name, kind, target FROM show('user_dto') WHERE name IN ('toys', 'followers');
SELECT r FROM jsonb_array_elements(corm.describe('posts')->'relations') r WHERE r->'declared' = 'true';
-- again: replaces
SELECT corm.relate('active', 'posts', 'has_one', 'posts', '{id}', '{user_id}');
SELECT * FROM show('active') WHERE name = 'posts';
-- a declared relation goes before one that is found
SELECT corm.relate('posts', 'user', 'belongs_to', 'active', '{user_id}', '{id}');
SELECT corm.relate('posts', 'tags', 'has_many', 'post_tags', '{id}', '{post_id}');
SELECT * FROM show('posts');
SELECT corm.unrelate('posts', 'user');
SELECT corm.unrelate('posts', 'tags');
SELECT corm.unrelate('posts', 'tags');
\echo :SQLSTATE
SELECT corm.unrelate('posts', 'post_tags');
SELECT * FROM show('posts');

-- Columns that are gone are an error of that relation
ALTER TABLE toys RENAME owner_id TO owner;
SELECT raised($$SELECT corm.describe_relation('users', 'toys')$$);
SELECT corm.describe_relation('users', 'followers')->>'name' AS not_affected;
SELECT name, columns, target_columns FROM corm.relations WHERE model = 'users'::regclass AND name = 'toys';
ALTER TABLE toys RENAME owner TO owner_id;
SELECT corm.describe_relation('users', 'toys')->>'name' AS name;
COMMENT ON COLUMN toys.id IS '@orm:oops';
SELECT raised($$SELECT corm.describe_relation('users', 'toys')$$);
SELECT corm.describe('users')->>'name' AS not_affected;
COMMENT ON COLUMN toys.id IS NULL;

-- What cannot be declared
SELECT raised(c) FROM unnest(ARRAY[
	$$SELECT corm.relate(NULL, 'x', 'has_many', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', NULL, 'has_many', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', NULL, 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', NULL, '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', NULL, '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{id}', NULL)$$,
	$$SELECT corm.relate('users', '', 'has_many', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', repeat('x', 64), 'has_many', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'managerId', 'has_many', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_some', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts_pkey', '{id}', '{id}')$$,
	$$SELECT corm.relate('users_pkey', 'x', 'has_many', 'posts', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{idd}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{id}', '{usr_id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{}', '{}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{{id}}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{NULL}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{id,manager_id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'has_many', 'posts', '{id}', '{id}', 'tags')$$,
	$$SELECT corm.relate('users', 'x', 'many_to_many', 'tags', '{id}', '{id}')$$,
	$$SELECT corm.relate('users', 'x', 'many_to_many', 'tags', '{id}', '{id}', 'post_tags')$$,
	$$SELECT corm.relate('users', 'x', 'many_to_many', 'users', '{id}', '{id}', 'follows')$$,
	$$SELECT corm.relate('users', 'x', 'many_to_many', 'users', '{id}', '{id}', 'follows', '{follower_id}')$$,
	$$SELECT corm.relate('users', 'x', 'many_to_many', 'users', '{id}', '{id}', 'follows', '{follower_id,followed_id}', '{followed_id}')$$,
	$$SELECT corm.relate('users', 'x', 'many_to_many', 'users', '{id}', '{id}', 'follows', '{follower_id}', '{followed_id,follower_id}')$$]) c;
CREATE ROLE regress_corm_relater;
GRANT USAGE ON SCHEMA rel TO regress_corm_relater;
GRANT ALL ON ALL TABLES IN SCHEMA rel TO regress_corm_relater;
SET ROLE regress_corm_relater;
SELECT corm.relate('users', 'x', 'has_many', 'posts', '{id}', '{user_id}');
SELECT corm.unrelate('users', 'toys');
SELECT count(*) FROM corm.declared_relations;
SELECT count(*) FROM corm.relations WHERE model = 'active'::regclass;
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA rel FROM regress_corm_relater;
REVOKE ALL ON SCHEMA rel FROM regress_corm_relater;
DROP ROLE regress_corm_relater;
BEGIN READ ONLY;
SELECT corm.relate('users', 'x', 'has_many', 'posts', '{id}', '{user_id}');
ROLLBACK;

-- A change of any table involved is seen
CREATE FUNCTION names(m regclass) RETURNS text LANGUAGE sql SET search_path = rel, pg_catalog, pg_temp AS $$
	SELECT string_agg(r->>'name' || ':' || (r->>'kind'), ' ' ORDER BY r->>'name') FROM jsonb_array_elements(corm.describe(m)->'relations') r
$$;
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a_id int);
SELECT names('a'), names('b');
ALTER TABLE b ADD CONSTRAINT b_fkey FOREIGN KEY (a_id) REFERENCES a;
SELECT names('a'), names('b');
ALTER TABLE b RENAME TO bb;
SELECT names('a'), names('bb');
ALTER TABLE bb RENAME a_id TO parent_id;
SELECT names('a'), names('bb');
ALTER TABLE bb ADD UNIQUE (parent_id);
SELECT names('a'), names('bb');
COMMENT ON CONSTRAINT b_fkey ON bb IS '@orm:name=mother,inverse=children';
SELECT names('a'), names('bb');
COMMENT ON CONSTRAINT b_fkey ON bb IS NULL;
ALTER TABLE bb DROP CONSTRAINT bb_parent_id_key;
SELECT names('a'), names('bb');
CREATE TABLE ab (a_id int REFERENCES a, b_id int REFERENCES bb);
SELECT names('a'), names('bb');
ALTER TABLE ab ADD PRIMARY KEY (a_id, b_id);
SELECT names('a'), names('bb');
ALTER TABLE bb RENAME TO b;
SELECT names('a'), names('b');
ALTER TABLE ab DROP CONSTRAINT ab_pkey;
SELECT names('a'), names('b');
DROP TABLE ab;
SELECT names('a'), names('b');
ALTER TABLE b DROP CONSTRAINT b_fkey;
SELECT names('a'), names('b');
SELECT corm.relate('a', 'bs', 'has_many', 'b', '{id}', '{parent_id}');
SELECT names('a'), names('b');
BEGIN;
SELECT corm.unrelate('a', 'bs');
SELECT names('a');
ROLLBACK;
SELECT names('a');
DELETE FROM corm.declared_relations WHERE model = 'a'::regclass;
SELECT names('a');
SELECT corm.relate('a', 'bs', 'has_many', 'b', '{id}', '{parent_id}');
SELECT count(*) FROM corm.declared_relations WHERE model = 'a'::regclass;
DROP TABLE b;
SELECT names('a');
SELECT count(*) FROM corm.declared_relations WHERE model = 'a'::regclass;

-- Many tables around one
DO $$ BEGIN
	FOR i IN 1..200 LOOP
		EXECUTE format('CREATE TABLE rel.many_%s (a_id int REFERENCES rel.a)', i);
	END LOOP;
END $$;
SELECT count(*) FROM show('a');

SET client_min_messages = warning;
DROP SCHEMA rel CASCADE;
SELECT count(*) FROM corm.declared_relations;
