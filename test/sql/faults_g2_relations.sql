-- hardening 44
-- G2: foreign keys and tables of another role do not take over the names of relations, and nothing of theirs is read or
-- run unless their name is written. C13, D8: the names of relations from foreign keys.
SET client_min_messages = warning;
CREATE ROLE regress_g2_a;
CREATE ROLE regress_g2_m;
CREATE ROLE regress_g2_super SUPERUSER;
CREATE SCHEMA g2 AUTHORIZATION regress_g2_a;
CREATE SCHEMA g2m AUTHORIZATION regress_g2_m;
GRANT USAGE ON SCHEMA g2 TO regress_g2_m;
GRANT USAGE ON SCHEMA g2m TO regress_g2_a;
CREATE VIEW names AS
    SELECT model, name, kind, target, columns, target_columns, through FROM corm.relations
    WHERE (SELECT relnamespace::regnamespace::text ~ '^g2' FROM pg_class c WHERE c.oid = model);
GRANT SELECT ON names TO PUBLIC;

SET ROLE regress_g2_a;
CREATE TABLE g2.users (id int PRIMARY KEY, name text);
CREATE TABLE g2.tags (id int PRIMARY KEY);
GRANT REFERENCES ON g2.users, g2.tags TO regress_g2_m;
INSERT INTO g2.users VALUES (1, 'ada');
INSERT INTO g2.tags VALUES (1);

-- G2: she is first
SET ROLE regress_g2_m;
CREATE TABLE g2m.orders (id int PRIMARY KEY, user_id int REFERENCES g2.users);
CREATE FUNCTION g2m.after_find(o g2m.orders) RETURNS g2m.orders LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'her code runs as %', current_user;
    RETURN o;
END $$;
CREATE TABLE g2m.stolen (id int PRIMARY KEY, user_id int CONSTRAINT stolen REFERENCES g2.users);
COMMENT ON CONSTRAINT stolen ON g2m.stolen IS '@orm:inverse=items,name=user';
CREATE TABLE g2m.links (user_id int REFERENCES g2.users, tag_id int REFERENCES g2.tags, PRIMARY KEY (user_id, tag_id));
INSERT INTO g2m.orders VALUES (1, 1);
INSERT INTO g2m.links VALUES (1, 1);
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA g2m TO regress_g2_a;

SET ROLE regress_g2_a;
SELECT * FROM names WHERE model = 'g2.users'::regclass;
SELECT corm.get_multi_json(corm.selector('g2.users'), corm.preload('orders'));
SELECT corm.get_multi_json(corm.selector('g2.users'), corm.preload('items'));
SELECT corm.insert_json('g2.users', '{"id": 2, "orders": [{"id": 2}]}');
SELECT corm.insert_json('g2.users', '{"id": 2, "tags": [{"id": 1}]}');
SELECT corm.set_related('g2.users', '{"id": 1}', 'tags', '[]');
-- by the name that is written
SELECT corm.get_multi_json(corm.selector('g2.users'), corm.preload('orders_by_user'));

-- G2: tables of the model's owner and of superusers take the names, and are not ambiguous with hers
CREATE TABLE g2.orders (id int PRIMARY KEY, user_id int REFERENCES g2.users);
CREATE TABLE g2.links (user_id int REFERENCES g2.users, tag_id int REFERENCES g2.tags, PRIMARY KEY (user_id, tag_id));
INSERT INTO g2.orders VALUES (7, 1);
RESET ROLE;
SET ROLE regress_g2_super;
CREATE TABLE g2.items (id int PRIMARY KEY, user_id int REFERENCES g2.users);
SET ROLE regress_g2_a;
SELECT * FROM names WHERE model = 'g2.users'::regclass;
SELECT corm.get_multi_json(corm.selector('g2.users'), corm.preload('orders'));
SELECT corm.set_related('g2.users', '{"id": 1}', 'tags', '[{"id": 1}]');
SELECT * FROM g2.links;
-- a role that is no superuser any more is another role; so is a new owner of a table
RESET ROLE;
ALTER ROLE regress_g2_super NOSUPERUSER;
SET ROLE regress_g2_a;
SELECT r->>'name' AS name FROM jsonb_array_elements(corm.describe('g2.users')->'relations') r WHERE r->>'target' ~ 'items';
RESET ROLE;
ALTER ROLE regress_g2_super SUPERUSER;
ALTER TABLE g2m.stolen OWNER TO regress_g2_a;
SET ROLE regress_g2_a;
SELECT r->>'name' AS name FROM jsonb_array_elements(corm.describe('g2.users')->'relations') r WHERE r->>'target' ~ 'items|stolen';
RESET ROLE;
ALTER TABLE g2m.stolen OWNER TO regress_g2_m;

-- G2: names that are taken are numbered
SET ROLE regress_g2_a;
CREATE TABLE g2.orders_by_user (id int PRIMARY KEY, user_id int REFERENCES g2.users);
SELECT name, target FROM names WHERE model = 'g2.users'::regclass AND name ~ 'orders';

-- G2: a table of hers that is referred to does not move names by being renamed
SET ROLE regress_g2_m;
CREATE TABLE g2m.things (id int PRIMARY KEY);
GRANT REFERENCES ON g2m.things TO regress_g2_a;
SET ROLE regress_g2_a;
CREATE TABLE g2.country (id int PRIMARY KEY);
CREATE TABLE g2.people (id int PRIMARY KEY, thing int REFERENCES g2m.things, country_id int REFERENCES g2.country,
    boss_id int REFERENCES g2.people);
SELECT name, target FROM names WHERE model = 'g2.people'::regclass;
SET ROLE regress_g2_m;
ALTER TABLE g2m.things RENAME TO country;
SET ROLE regress_g2_a;
SELECT name, target FROM names WHERE model = 'g2.people'::regclass;
SET ROLE regress_g2_m;
ALTER TABLE g2m.country RENAME TO people;
SET ROLE regress_g2_a;
SELECT name, target FROM names WHERE model = 'g2.people'::regclass;

-- C13: a column that is called as the table it refers to
RESET ROLE;
CREATE SCHEMA g2c;
SET search_path = g2c, public;
CREATE TABLE country (code text PRIMARY KEY, name text);
CREATE TABLE person (id int PRIMARY KEY, country text REFERENCES country);
INSERT INTO country VALUES ('fr', 'France');
INSERT INTO person VALUES (1, 'fr');
SELECT name, kind FROM names WHERE model = 'person'::regclass;
SELECT corm.get_multi_json(corm.selector('person'), corm.select('id', 'country', 'country_by_country.name'));
SELECT corm.get_multi_json(corm.selector('person'), corm.preload('country_by_country'));
-- C13: a column beside the one that refers
CREATE TABLE book (id int PRIMARY KEY, author text, author_id int REFERENCES person);
SELECT name, kind FROM names WHERE model = 'book'::regclass;
-- D8: other suffixes
CREATE TABLE post (id int PRIMARY KEY, "authorId" int REFERENCES person, "reviewerID" int REFERENCES person, "Id" int REFERENCES book,
    "valid" int REFERENCES book);
SELECT name, target FROM names WHERE model = 'post'::regclass;
SELECT name, columns, target_columns FROM names WHERE model = 'person'::regclass AND target = 'post'::regclass;
-- several keys without a suffix to one table
CREATE TABLE parcel (id int PRIMARY KEY, origin text REFERENCES country, target text REFERENCES country);
SELECT name, columns FROM names WHERE model = 'parcel'::regclass;
SELECT name, target_columns FROM names WHERE model = 'country'::regclass AND target = 'parcel'::regclass;
-- C13: keys of several columns that share the tenant's
CREATE TABLE cust (ten int, id int, PRIMARY KEY (ten, id));
CREATE TABLE task (ten int, id int, cust_id int, owner_id int, helper int, PRIMARY KEY (ten, id),
    FOREIGN KEY (ten, cust_id) REFERENCES cust, FOREIGN KEY (ten, owner_id) REFERENCES cust, FOREIGN KEY (ten, helper) REFERENCES cust);
SELECT name, columns FROM names WHERE model = 'task'::regclass;
SELECT name, target_columns FROM names WHERE model = 'cust'::regclass;
CREATE TABLE project (ten int, id int, PRIMARY KEY (ten, id));
CREATE TABLE work (ten int, cust_id int, project_id int, PRIMARY KEY (ten, cust_id, project_id),
    FOREIGN KEY (ten, cust_id) REFERENCES cust, FOREIGN KEY (ten, project_id) REFERENCES project);
SELECT name, kind, target, through FROM names WHERE model IN ('cust'::regclass, 'project'::regclass) AND kind = 'many_to_many' ORDER BY model::text;
INSERT INTO cust VALUES (1, 1), (2, 1);
INSERT INTO project VALUES (1, 5), (2, 5);
INSERT INTO work VALUES (1, 1, 5);
SELECT corm.get_multi_json(corm.selector('cust'), corm.preload('project'), corm.order_by('ten'));
-- D8: a unique key instead of a primary key; the tenant need not be part of it
CREATE TABLE member (id int PRIMARY KEY, person_id int REFERENCES person, book_id int REFERENCES book, UNIQUE (person_id, book_id));
CREATE TABLE rented (id int PRIMARY KEY, ten int, cust_id int, project_id int, UNIQUE (cust_id, project_id),
    FOREIGN KEY (ten, cust_id) REFERENCES cust, FOREIGN KEY (ten, project_id) REFERENCES project);
-- none of these is a link: no key, a key of a part, one key that has it all, a key of other columns
CREATE TABLE keyless (person_id int REFERENCES person, book_id int REFERENCES book);
CREATE TABLE partial (person_id int REFERENCES person, book_id int REFERENCES book);
CREATE UNIQUE INDEX ON partial (person_id, book_id) WHERE person_id > 1;
CREATE TABLE one (person_id int PRIMARY KEY REFERENCES person, book_id int REFERENCES book);
CREATE TABLE more (person_id int REFERENCES person, book_id int REFERENCES book, year int, UNIQUE (person_id, book_id, year));
SELECT model, name, target, through FROM names WHERE kind = 'many_to_many' AND model::text !~ '\.' ORDER BY model::text, name;
-- the same key twice, as while a constraint is replaced
ALTER TABLE member ADD CONSTRAINT member_again FOREIGN KEY (person_id) REFERENCES person NOT VALID;
SELECT name, kind, target FROM names WHERE model = 'member'::regclass;
SELECT name FROM names WHERE model = 'person'::regclass AND target = 'member'::regclass;
-- what remains ambiguous is so by tags
COMMENT ON CONSTRAINT member_again ON member IS '@orm:name=book';
SELECT name FROM names WHERE model = 'member'::regclass;

RESET search_path;
DROP SCHEMA g2, g2m, g2c CASCADE;
DROP VIEW names;
DROP ROLE regress_g2_a, regress_g2_m, regress_g2_super;
