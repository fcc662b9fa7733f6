-- Nested writes see what their caller sees: row-level security, guards of middleware, soft delete, privileges; and they
-- work on views, partitioned tables, mapped types and models with hooks. Continues faults_c1_c4_nested.sql.

\set VERBOSITY terse
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA seen;
SET search_path = seen, corm_ops;
CREATE ROLE seen_user;
GRANT USAGE, CREATE ON SCHEMA seen TO seen_user;

CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    state text;
    message text;
BEGIN
    EXECUTE statement INTO answer;
    RETURN coalesce(answer, '(null)');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN state || ' ' || message;
END $$;
CREATE FUNCTION add(model regclass, document jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT attempt(format('SELECT corm.insert_json(%L, %L)', model, document)) $$;
CREATE FUNCTION link(model regclass, key jsonb, relation text, targets jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT attempt(format('SELECT corm.set_related(%L, %L, %L, %L)', model, key, relation, targets)) $$;
CREATE FUNCTION afterwards(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text; BEGIN EXECUTE query INTO answer; RETURN answer; END $$;

\echo D3: row-level security
CREATE TABLE products (id int PRIMARY KEY, sku text UNIQUE, tenant int);
CREATE TABLE tags (id int PRIMARY KEY, tenant int);
CREATE TABLE products_tags (product_id int REFERENCES products, tag_id int REFERENCES tags, n int DEFAULT 0, PRIMARY KEY (product_id, tag_id));
CREATE TABLE reviews (id int PRIMARY KEY, product_id int REFERENCES products);
INSERT INTO products VALUES (1, 'own', 1), (2, 'other', 2);
INSERT INTO tags VALUES (1, 1), (2, 2), (3, 1);
INSERT INTO products_tags VALUES (1, 1, 11), (1, 2, 12), (2, 1, 21);
CREATE VIEW links AS SELECT array_agg((product_id, tag_id, n)::text ORDER BY product_id, tag_id) FROM products_tags;
GRANT ALL ON products, tags, products_tags, reviews, links TO seen_user;
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
ALTER TABLE tags ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON products USING (tenant = 1);
CREATE POLICY own ON tags USING (tenant = 1);
SET ROLE seen_user;
SELECT add('reviews', '{"id": 1, "product": {"id": 1}}'), add('reviews', '{"id": 2, "product": {"id": 2}}'), add('reviews', '{"id": 2, "product": {"sku": "other"}}');
SELECT link('products', '{"id": 2}', 'tags', '[]'), link('products', '{"sku": "other"}', 'tags', '[]'), link('products', '{"id": 999999}', 'tags', '[]'), link('products', '{}', 'tags', '[]');
SELECT link('products', '{"id": 1}', 'tags', '[{"id": 2}]'), link('products', '{"id": 1}', 'tags', '[{"id": 1}, {"id": 3}]'), afterwards('TABLE links');
-- the link to the tag of another tenant stays
SELECT link('products', '{"sku": "own"}', 'tags', '[]'), afterwards('TABLE links');
SELECT link('products', '{"id": 1}', 'tags', '[{"id": 1}]'), afterwards('TABLE links');
-- $connect_or_create does not take what cannot be seen
SELECT add('reviews', '{"id": 3, "product": {"$connect_or_create": {"id": 2, "sku": "new", "tenant": 1}}}');
RESET ROLE;
-- rows that can be seen but not updated: no lock on them, but a turn
CREATE POLICY none ON products AS RESTRICTIVE FOR UPDATE USING (false);
SET ROLE seen_user;
SELECT link('products', '{"id": 1}', 'tags', '[{"id": 3}]'), afterwards('TABLE links');
RESET ROLE;
REVOKE UPDATE ON products FROM seen_user;
SET ROLE seen_user;
SELECT link('products', '{"id": 1}', 'tags', '[{"id": 1}]'), afterwards('TABLE links');
RESET ROLE;
-- links with policies of their own
ALTER TABLE products_tags ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON products_tags USING (n < 20 AND n <> 12);
UPDATE products_tags SET n = 21 WHERE tag_id = 1;
SET ROLE seen_user;
SELECT link('products', '{"id": 1}', 'tags', '[]'), afterwards('TABLE links');
RESET ROLE;
TABLE links;
-- no right to read a target, none to read its other columns
REVOKE SELECT ON tags FROM seen_user;
SET ROLE seen_user;
SELECT link('products', '{"id": 1}', 'tags', '[{"id": 3}]');
RESET ROLE;
GRANT SELECT (id) ON tags TO seen_user;
ALTER TABLE tags DISABLE ROW LEVEL SECURITY;
SET ROLE seen_user;
SELECT link('products', '{"id": 1}', 'tags', '[{"id": 3}]');
RESET ROLE;

\echo D3: guards
CREATE TABLE shops (id int PRIMARY KEY, tenant int);
CREATE TABLE offers (id int PRIMARY KEY, tenant int);
CREATE TABLE shops_offers (shop_id int REFERENCES shops, offer_id int REFERENCES offers, n int DEFAULT 0, PRIMARY KEY (shop_id, offer_id));
CREATE TABLE visits (id int PRIMARY KEY, shop_id int REFERENCES shops);
INSERT INTO shops VALUES (1, 1), (2, 2);
INSERT INTO offers VALUES (1, 1), (2, 2), (3, 1);
INSERT INTO shops_offers VALUES (1, 1, 11), (1, 2, 12), (2, 1, 21);
CREATE FUNCTION only_shops(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
    qc.query := corm.pipe(qc.query, corm.guard('seen.shops', corm.eq('tenant', 1)));
    RETURN corm.next(qc);
END $$;
CREATE FUNCTION only_offers(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
    qc.query := corm.pipe(qc.query, corm.guard('seen.offers', corm.eq('tenant', 1)));
    RETURN corm.next(qc);
END $$;
SELECT corm.use('only_shops(corm.query_context)', 'shops') > 0, corm.use('only_offers(corm.query_context)', 'offers') > 0;
SELECT add('visits', '{"id": 1, "shop": {"id": 1}}'), add('visits', '{"id": 2, "shop": {"id": 2}}');
SELECT link('shops', '{"id": 2}', 'offers', '[]'), link('shops', '{"id": 1}', 'offers', '[{"id": 2}]');
SELECT link('shops', '{"id": 1}', 'offers', '[{"id": 3}]'), afterwards('SELECT array_agg((shop_id, offer_id, n) ORDER BY shop_id, offer_id) FROM shops_offers');
SELECT link('shops', '{"id": 1}', 'offers', '[]'), afterwards('SELECT array_agg((shop_id, offer_id, n) ORDER BY shop_id, offer_id) FROM shops_offers');
SELECT add('shops', '{"id": 5, "tenant": 1, "offers": [{"id": 1}, {"id": 2}]}'), add('shops', '{"id": 5, "tenant": 1, "offers": [{"id": 1}, {"id": 3}]}');
DO $$ BEGIN PERFORM corm.unuse(id) FROM corm.middleware WHERE fn::text ~ 'only_'; END $$;

\echo C3: middleware that answers by itself
CREATE TABLE heads (id int PRIMARY KEY);
CREATE TABLE parts (id int PRIMARY KEY, head_id int REFERENCES heads);
CREATE FUNCTION nothing(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.result_of(current_setting('seen.answer')::jsonb); END $$;
SELECT corm.use('nothing(corm.query_context)', 'heads', '{INSERT}') > 0;
SET seen.answer = '[]';
SELECT add('parts', '{"id": 1, "head": {"id": 1, "parts": []}}'), add('heads', '{"id": 1, "parts": [{"id": 1}]}'), add('heads', '{"id": 1}');
SET seen.answer = '[{"x": 1}]';
SELECT add('parts', '{"id": 1, "head": {"id": 1, "parts": []}}'), add('heads', '{"id": 1, "parts": [{"id": 1}]}');
SET seen.answer = '[{"id": 7}]';
SELECT add('heads', '{"id": 1, "parts": [{"id": 1}]}');
DO $$ BEGIN PERFORM corm.unuse(id) FROM corm.middleware WHERE fn::text ~ 'nothing'; END $$;
SELECT count(*) FROM parts;

\echo C3: soft delete
CREATE TABLE authors (id int PRIMARY KEY, email text, gone timestamptz);
CREATE UNIQUE INDEX ON authors (email) WHERE gone IS NULL;
CREATE TABLE books (id int PRIMARY KEY, author_id int REFERENCES authors);
SELECT corm.register('authors', '{"soft_delete": "gone"}');
INSERT INTO authors VALUES (1, 'a@x', NULL), (2, 'b@x', now()), (3, 'b@x', NULL);
SELECT add('books', '{"id": 1, "author": {"id": 1}}'), add('books', '{"id": 2, "author": {"id": 2}}'), add('books', '{"id": 3, "author": {"email": "b@x"}}');
-- an index of some of the rows that are there is no key
CREATE UNIQUE INDEX ON books (id) WHERE author_id IS NULL;
CREATE TABLE partial (id int PRIMARY KEY, name text, flag boolean);
CREATE UNIQUE INDEX ON partial (name) WHERE flag;
CREATE UNIQUE INDEX ON partial (lower(name));
CREATE TABLE of_partial (id int PRIMARY KEY, partial_id int REFERENCES partial);
INSERT INTO partial VALUES (1, 'a', true);
SELECT add('of_partial', '{"id": 1, "partial": {"name": "a"}}');
SELECT corm.define_scope('authors', 'few', corm.where(corm.gt('id', 100)), true);
SELECT add('books', '{"id": 4, "author": {"id": 1}}');

\echo C2 and C3: naming strategies, mapped types, views, partitions
CREATE TABLE "Teams" ("teamId" int PRIMARY KEY, team_name text UNIQUE);
CREATE TABLE players (id int PRIMARY KEY, team int CONSTRAINT pt REFERENCES "Teams");
COMMENT ON CONSTRAINT pt ON players IS '@orm:name=home_team,inverse=all_players';
SELECT corm.register('"Teams"', '{"naming": "pascal"}'), corm.register('players', '{"naming": "camel"}');
INSERT INTO "Teams" VALUES (1, 'one');
SELECT add('players', '{"id": 1, "homeTeam": {"TeamId": 1}}'), add('players', '{"id": 2, "home_team": {"teamId": 1}}'), add('players', '{"id": 3, "HomeTeam": {"TeamName": "one"}}');
SELECT add('players', '{"id": 4, "homeTeam": {"TeamId": 1}, "home_team": {"TeamId": 1}}');
SELECT add('"Teams"', '{"TeamId": 2, "AllPlayers": [{"id": 5, "homeTeam": {"TeamId": "2"}}, {"id": 6, "homeTeam": null}]}');
CREATE TYPE player_dto AS (nr int, club int);
COMMENT ON TYPE player_dto IS '@orm:table=seen.players';
COMMENT ON COLUMN player_dto.nr IS '@orm:column=id';
COMMENT ON COLUMN player_dto.club IS '@orm:column=team';
SELECT add('player_dto', '{"nr": 7, "home_team": {"TeamId": 1}}'), add('player_dto', '{"nr": 8, "club": 2, "home_team": {"TeamId": 1}}');
CREATE VIEW team_view AS SELECT "teamId" AS id, team_name AS name FROM "Teams";
COMMENT ON COLUMN team_view.id IS '@orm:primary_key';
CREATE VIEW player_view AS SELECT id, team FROM players;
COMMENT ON COLUMN player_view.id IS '@orm:primary_key';
SELECT corm.relate('player_view', 'team_row', 'belongs_to', 'team_view', '{team}', '{id}'), corm.relate('team_view', 'players', 'has_many', 'player_view', '{id}', '{team}');
SELECT add('player_view', '{"id": 10, "team_row": {"id": 1}}'), add('player_view', '{"id": 11, "team_row": {"id": 9}}'), add('team_view', '{"id": 3, "name": "three", "players": [{"id": 12, "team_row": {"name": "three"}}]}');
CREATE VIEW twice AS SELECT 1 AS id, team_name AS name FROM "Teams";
COMMENT ON COLUMN twice.id IS '@orm:primary_key';
SELECT corm.relate('player_view', 'twice', 'belongs_to', 'twice', '{team}', '{id}');
SELECT add('player_view', '{"id": 13, "twice": {"id": 1}}');
CREATE TABLE days (ten int, day int, note text, PRIMARY KEY (ten, day)) PARTITION BY LIST (ten);
CREATE TABLE days_1 PARTITION OF days FOR VALUES IN (1);
CREATE TABLE days_2 PARTITION OF days FOR VALUES IN (2);
CREATE TABLE events (id int PRIMARY KEY, ten int, day int, FOREIGN KEY (ten, day) REFERENCES days);
CREATE TABLE days_tags (ten int, day int, tag_id int REFERENCES tags, PRIMARY KEY (ten, day, tag_id), FOREIGN KEY (ten, day) REFERENCES days) PARTITION BY LIST (ten);
CREATE TABLE days_tags_1 PARTITION OF days_tags FOR VALUES IN (1);
INSERT INTO days VALUES (1, 1), (2, 1);
SELECT add('events', '{"id": 1, "days": {"ten": 1, "day": "1"}}'), add('events', '{"id": 2, "days": {"ten": 3, "day": 1}}'), add('events', '{"id": 3, "days": {"ten": 2, "day": 7, "note": "new"}}');
SELECT link('days', '{"ten": 1, "day": 1}', 'tags', '[{"id": 1}, {"id": "1"}, {"id": 3}]'), link('days', '{"ten": 1, "day": 1}', 'tags', '[{"id": 3}]'), link('days', '{"ten": 2, "day": 1}', 'tags', '[]');
CREATE FUNCTION skip_day() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER skip_day BEFORE INSERT ON days_1 FOR EACH ROW EXECUTE FUNCTION skip_day();
SELECT add('events', '{"id": 4, "days": {"ten": 1, "day": 8, "note": "new"}}');

\echo C2: keys of different types on both sides, generated columns
CREATE TABLE wide (id numeric(10, 2) PRIMARY KEY, name varchar(10));
CREATE TABLE narrow (id int PRIMARY KEY, wide_id bigint);
SELECT corm.relate('narrow', 'wide', 'belongs_to', 'wide', '{wide_id}', '{id}');
INSERT INTO wide VALUES (5, 'five'), (5.5, 'half');
SELECT add('narrow', '{"id": 1, "wide": {"id": 5}}'), add('narrow', '{"id": 2, "wide_id": 5, "wide": {"id": "5.00"}}');
CREATE TABLE gen (id int PRIMARY KEY, base int, parent_id int GENERATED ALWAYS AS (base * 10) STORED REFERENCES narrow);
INSERT INTO narrow VALUES (10, NULL), (20, NULL);
COMMENT ON CONSTRAINT gen_parent_id_fkey ON gen IS '@orm:name=narrow';
SELECT add('gen', '{"id": 1, "base": 1, "narrow": {"id": 10}}'), add('gen', '{"id": 2, "base": 1, "narrow": {"id": 20}}');

\echo Hooks on children, links and parents
CREATE TABLE h_users (id int PRIMARY KEY, name text);
CREATE TABLE h_orders (id int PRIMARY KEY, user_id int REFERENCES h_users, tag text);
CREATE TABLE h_tags (id int PRIMARY KEY, name text);
CREATE TABLE h_links (user_id int REFERENCES h_users, tag_id int REFERENCES h_tags, n int, PRIMARY KEY (user_id, tag_id));
COMMENT ON CONSTRAINT h_orders_user_id_fkey ON h_orders IS '@orm:name=user,inverse=orders';
CREATE FUNCTION before_create(x h_orders) RETURNS h_orders LANGUAGE plpgsql AS $$ BEGIN x.tag := coalesce(x.user_id::text, 'none'); RETURN x; END $$;
CREATE FUNCTION before_create(x h_links) RETURNS h_links LANGUAGE plpgsql AS $$ BEGIN x.n := x.user_id * 100 + x.tag_id; RETURN x; END $$;
CREATE FUNCTION before_delete(x h_links) RETURNS h_links LANGUAGE plpgsql AS $$ BEGIN IF x.n = 102 THEN RAISE 'kept'; END IF; RETURN x; END $$;
CREATE FUNCTION after_create(x h_users) RETURNS h_users LANGUAGE plpgsql AS $$ BEGIN x.name := 'shown'; RETURN x; END $$;
INSERT INTO h_tags VALUES (1, 'a'), (2, 'b'), (3, 'c');
-- a hook sees the keys of what the row is nested in and refers to
SELECT add('h_users', '{"id": 1, "name": "n", "orders": [{"id": 1}, {"id": 2, "user": {"id": 1, "name": "n"}}], "h_tags": [{"id": 1}, {"id": 2}]}');
SELECT add('h_orders', '{"id": 3, "user": {"id": 1}}'), add('h_orders', '{"id": 4, "user": {"id": 2, "name": "new"}}');
SELECT link('h_users', '{"id": 1}', 'h_tags', '[{"id": 1}]'), link('h_users', '{"id": 1}', 'h_tags', '[{"id": 2}, {"id": 3}]'), afterwards('SELECT array_agg((tag_id, n) ORDER BY tag_id) FROM h_links');
-- a hook that takes a child away
CREATE OR REPLACE FUNCTION before_create(x h_orders) RETURNS h_orders LANGUAGE plpgsql AS $$ BEGIN x.user_id := 1; RETURN x; END $$;
SELECT add('h_users', '{"id": 5, "orders": [{"id": 5}]}'), add('h_users', '{"id": 5, "orders": [{"id": 5, "user": null}]}'), add('h_orders', '{"id": 5, "user": {"id": 2}}'), add('h_orders', '{"id": 5, "user": {"id": 1}}');
CREATE OR REPLACE FUNCTION before_create(x h_orders) RETURNS h_orders LANGUAGE plpgsql AS $$ BEGIN x.user_id := NULL; RETURN x; END $$;
SELECT add('h_users', '{"id": 6, "orders": [{"id": 6}]}'), add('h_orders', '{"id": 6, "user": {"id": 2}}');
-- a trigger that alters a table of the document
CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE seen.h_tags ADD COLUMN IF NOT EXISTS more int; RETURN NEW; END $$;
CREATE TRIGGER alter_it BEFORE INSERT ON h_users FOR EACH ROW EXECUTE FUNCTION alter_it();
SELECT add('h_users', '{"id": 7, "h_tags": [{"id": 9, "name": "x"}]}');
SELECT count(*) FROM h_users WHERE id = 7;
DROP TRIGGER alter_it ON h_users;
SELECT add('h_users', '{"id": 7, "h_tags": [{"id": 9, "name": "x"}]}');

\echo Self-references, and siblings that refer to each other
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int REFERENCES nodes, name text);
COMMENT ON CONSTRAINT nodes_parent_id_fkey ON nodes IS '@orm:name=parent,inverse=kids';
SELECT add('nodes', '[{"id": 1}, {"id": 2, "parent": {"id": 1}}, {"id": 3, "parent": {"id": 2}, "kids": [{"id": 4, "kids": [{"id": 5, "parent": null}]}]}]');
SELECT add('nodes', '[{"id": 11, "parent": {"id": 12}}, {"id": 12}]');
SELECT add('nodes', '{"id": 13, "parent": {"id": 13}}');
SELECT add('nodes', '{"id": 14, "kids": [{"id": 15, "parent": {"id": 1}}]}');
SELECT id, parent_id FROM nodes ORDER BY id;
CREATE TABLE friends (a int REFERENCES nodes, b int REFERENCES nodes, PRIMARY KEY (a, b));
SELECT corm.relate('nodes', 'friends', 'many_to_many', 'nodes', '{id}', '{id}', 'friends', '{a}', '{b}');
SELECT link('nodes', '{"id": 1}', 'friends', '[{"id": 1}, {"id": 2}]'), link('nodes', '{"id": 1}', 'friends', '[{"id": 2}]'), afterwards('SELECT array_agg(friends) FROM friends');
SELECT add('nodes', '{"id": 20, "friends": [{"id": 20}]}'), add('nodes', '{"id": 20, "friends": [{"id": 1}, {"id": 21, "friends": [{"id": 20}]}]}'), afterwards('SELECT array_agg(friends ORDER BY a, b) FROM friends');

DROP SCHEMA seen CASCADE;
DROP ROLE seen_user;
