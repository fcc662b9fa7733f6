-- hardening 28: registry, plan cache, relations, hooks, middleware, scopes and transactions while tables change: run with and without
-- debug_discard_caches, it prints the same.  Few statements, since with it each one takes a second.
SET client_min_messages = warning;
CREATE SCHEMA d;
SET search_path = d;
CREATE TABLE owners (id int PRIMARY KEY, name text);
CREATE TABLE pets (id int PRIMARY KEY, name text, owner_id int REFERENCES owners, age int, deleted_at timestamptz);
COMMENT ON COLUMN pets.deleted_at IS '@orm:soft_delete';
INSERT INTO owners VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO pets VALUES (1, 'Rex', 1, 3), (2, 'Tom', 1, 5), (3, 'Kit', 2, 1);
SELECT corm.get_multi_json(corm.selector('pets'), corm.select('name'), corm.where(corm.gt('age', 2)), corm.order_by('id'));
SELECT corm.get(NULL::pets, corm.where(corm.eq('id', 2)));
SELECT corm.get_multi_json(corm.selector('owners'), corm.preload('pets', corm.order_by('-id'), corm.limit(1)), corm.order_by('id'));
SELECT corm.count(corm.selector('pets'), corm.where(corm.eq('owner.name', 'Ann')));
SELECT corm.count(corm.selector('owners'), corm.where(corm.some('pets', corm.gt('age', 4))));
-- a plan in use while its table changes
PREPARE p(int) AS SELECT corm.get_json(corm.selector('pets'), corm.where(corm.eq('id', $1)));
EXECUTE p(1);
EXECUTE p(2);
ALTER TABLE pets ADD weight numeric DEFAULT 2.5;
EXECUTE p(1);
ALTER TABLE pets RENAME age TO years;
EXECUTE p(1);
SELECT corm.count(corm.selector('pets'), corm.where(corm.gt('age', 2)));
ALTER TABLE pets ALTER years TYPE bigint;
EXECUTE p(3);
SELECT corm.update(jsonb_populate_record(NULL::pets, '{"id": 3, "name": "Kat", "owner_id": 2}'));
COMMENT ON COLUMN pets.name IS '@orm:name=title';
EXECUTE p(3);
-- hooks and middleware
CREATE FUNCTION before_save(p pets) RETURNS pets LANGUAGE plpgsql AS $$ BEGIN p.name := upper(p.name); RETURN p; END $$;
SELECT corm.insert(jsonb_populate_record(NULL::pets, '{"id": 4, "name": "new", "owner_id": 2}'));
SELECT count(*) FROM corm.insert_multi(ARRAY[jsonb_populate_record(NULL::pets, '{"id": 5, "name": "x"}'), jsonb_populate_record(NULL::pets, '{"id": 6, "name": "y"}')]);
SELECT corm.exec(corm.updater('pets'), corm.set('title', 'small'), corm.where(corm.gt('id', 4)));
CREATE OR REPLACE FUNCTION before_save(p pets) RETURNS pets LANGUAGE plpgsql AS $$ BEGIN p.name := p.name || '!'; RETURN p; END $$;
SELECT corm.save(jsonb_populate_record(NULL::pets, '{"id": 6, "name": "z"}'));
DROP FUNCTION before_save(pets);
SELECT corm.exec(corm.deleter('pets'), corm.where(corm.eq('id', 6)));
SELECT corm.pluck(NULL::text, corm.selector('pets'), corm.select('title'), corm.order_by('id'));
-- scopes, relations, registration
SELECT corm.define_scope('pets', 'old', corm.where(corm.gt('years', 4)));
SELECT corm.get_multi_json(corm.selector('pets'), corm.scope('old'), corm.select('id'));
SELECT corm.relate('owners', 'old_pets', 'has_many', 'pets', '{id}', '{owner_id}', condition => corm.gt('years', 4));
SELECT corm.get_multi_json(corm.selector('owners'), corm.preload('old_pets'), corm.order_by('id'));
SELECT corm.register('owners', '{"naming": "camel"}'), corm.describe('owners')->'name';
SELECT corm.get_multi_json(corm.selector('owners'), corm.order_by('id'));
-- transactions and errors in the midst
SELECT corm.do_tx($$SELECT corm.insert_json('d.owners', '{"id": 3, "name": "Cid"}')$$);
SELECT ok, sqlstate FROM corm.try_tx($$SELECT corm.insert_json('d.owners', '{"id": 3, "name": "Cid"}')$$);
SELECT corm.filter('{"where": {"title": "Rex"}, "preload": {"owner": true}}')::text;
SELECT corm.page_json(corm.selector('pets'), corm.order_by('title'), corm.limit(2)) #> '{rows,0,title}';
SELECT corm.cache_set('d', 1, cache => 'default'), corm.cache_get('d');
DROP TABLE pets CASCADE;
EXECUTE p(1);
SELECT corm.count(corm.selector('owners'));
