-- corm.guard: conditions on every row of a model, wherever in a query it is.
\set VERBOSITY terse
CREATE SCHEMA guarded;
SET search_path = guarded, corm_ops;
CREATE TABLE companies (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, name text, tenant int, company_id int REFERENCES companies);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int);
CREATE TABLE tags (id int PRIMARY KEY, tag text);
CREATE TABLE users_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
CREATE TYPE login AS (id int, login text);
COMMENT ON TYPE login IS '@orm:table=guarded.users';
COMMENT ON COLUMN login.login IS '@orm:column=name';
INSERT INTO companies VALUES (1, 'Acme'), (2, 'Bolt');
INSERT INTO users SELECT g, 'u' || g, g % 2, g % 2 + 1 FROM generate_series(1, 6) g;
INSERT INTO orders SELECT g, g % 6 + 1, g * 10 FROM generate_series(1, 12) g;
INSERT INTO tags VALUES (1, 'new'), (2, 'old');
INSERT INTO users_tags SELECT id, id % 2 + 1 FROM users UNION SELECT id, 1 FROM users;
CREATE FUNCTION g() RETURNS corm.query LANGUAGE sql AS $$ SELECT corm.guard('guarded.users', corm.eq('tenant', 1)) $$;

-- the SQL
SELECT corm.to_sql(corm.selector('users'), corm.where(corm.gt('id', 1)), g());
SELECT corm.args(corm.selector('users'), corm.where(corm.gt('id', 2)), g());
SELECT corm.to_sql(corm.selector('users', 'u'), corm.where(corm.gt('u.id', 1)), g());
SELECT corm.to_sql(corm.selector('orders'), corm.left_join('user'), corm.select('id', corm.c('user.name')), g());
SELECT corm.to_sql(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.gt('id', 1)), g());
SELECT corm.to_sql(corm.deleter('users'), corm.where(corm.gt('id', 1)), g());
SELECT corm.to_sql(corm.inserter('users'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update('name'), g());
SELECT corm.to_sql(corm.selector('login'), g());
SELECT g(), g()::text::corm.query::text = g()::text AS "the same";

-- what it does
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)), g());
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 2)), g());
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)), corm.for_update(), g());
SELECT corm.pluck(NULL::int, corm.selector('users'), corm.select('id'), corm.order_by('id'), g());
SELECT corm.count(corm.selector('users'), g()), corm.exists(corm.selector('users'), corm.where(corm.eq('id', 2)), g());
SELECT corm.page_json(corm.selector('users'), corm.select('id'), corm.limit(2), g())->'rows';
SELECT corm.get_multi_json(corm.selector('login'), corm.order_by('id'), g());
SELECT corm.get_multi_json(corm.selector('orders'), corm.preload('user'), corm.where(corm.lt('id', 4)), corm.order_by('id'), g());
SELECT corm.get_multi_json(corm.selector('companies'), corm.preload('users', corm.select('id'), corm.order_by('id')), corm.order_by('id'), g());
SELECT corm.get_multi_json(corm.selector('tags'), corm.preload('users', corm.select('id'), corm.order_by('id')), corm.order_by('id'), g());
SELECT corm.get_multi_json(corm.selector('orders'), corm.left_join('user'), corm.select('id', corm.as('user.id', 'u')), corm.order_by('id'), corm.limit(2), g());
SELECT corm.get_multi_json(corm.selector('orders'), corm.right_join('users', corm.c('users.id') = corm.c('orders.user_id')), corm.select(corm.as('users.id', 'u')), corm.distinct(), corm.order_by('u'), g());
SELECT corm.get_multi_json(corm.selector('users'), corm.select('id'), corm.union(corm.pipe(corm.selector('users'), corm.select('id'))), corm.order_by('id'), g());
SELECT corm.count(corm.with('w', corm.selector('users')), corm.from_cte('w'), g());
SELECT corm.count(corm.from_query(corm.selector('users'), 'u'), g());
SELECT corm.count(corm.selector('orders'), corm.where(corm.some('user')), g());
SELECT corm.count(corm.selector('orders'), corm.where(corm.none('user')), g());
SELECT corm.count(corm.selector('orders'), corm.where(corm.in('user_id', corm.pipe(corm.selector('users'), corm.select('id')))), g());
SELECT corm.count(corm.selector('orders'), corm.where(corm.gt('user.tenant', -1)), g());
SELECT corm.exec(corm.updater('orders'), corm.set('total', 0), corm.join('users', corm.c('users.id') = corm.c('orders.user_id')), corm.where(corm.lt('orders.id', 4)), g());
SELECT corm.exec(corm.updater('users'), corm.set('name', 'hit'), corm.all_rows(), g());
SELECT corm.exec(corm.inserter('users'), corm.rows('[{"id": 1, "name": "up"}, {"id": 2, "name": "up"}]'::jsonb), corm.on_conflict('id'), corm.do_update('name'), g());
SELECT id, name FROM users ORDER BY id;
-- several, with any condition, only in a part of the query
SELECT corm.pluck(NULL::int, corm.selector('users'), corm.select('id'), corm.order_by('id'), g(), corm.guard('users', corm.gt('id', 1), corm.lt('id', 5)));
SELECT corm.count(corm.selector('users'), corm.guard('users', corm.some('orders', corm.gte('total', 110))));
SELECT corm.count(corm.selector('users'), corm.guard('users', corm.eq('company.name', 'Acme')));
SELECT corm.count(corm.selector('users'), corm.where(corm.in('id', corm.pipe(corm.selector('users'), corm.select('id'), g()))));
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('orders', corm.preload('user', corm.select('id')), corm.select('id'), corm.limit(1)), corm.select('id'), corm.where(corm.eq('id', 1)), g());
-- hooks see what is left
CREATE FUNCTION before_update(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'before %', u.id; RETURN u; END $$;
SELECT corm.exec(corm.updater('users'), corm.set('name', 'again'), corm.where(corm.lt('id', 3)), g());

-- what is refused
SELECT corm.exec(corm.deleter('users'), g());
SELECT corm.count(corm.selector('orders'), g());
SELECT corm.count(corm.selector('orders'), corm.where(corm.in('user_id', corm.pipe(corm.selector('companies'), corm.select('id'), g()))));
CREATE VIEW user_view AS SELECT * FROM users;
SELECT corm.count(corm.selector('user_view'), g());
SELECT corm.count(corm.raw_query('SELECT 1'), g());
SELECT corm.count(corm.selector('users'), corm.guard('users', corm.eq('nope', 1)));
SELECT corm.count(corm.selector('users'), corm.guard(NULL, corm.eq('id', 1)));
-- an error leaves no guard behind
SELECT corm.count(corm.selector('users'));
DROP SCHEMA guarded CASCADE;
