-- The hook after_find: for every row that a read returns, in whatever form.
\pset null '(null)'
\set VERBOSITY terse
CREATE SCHEMA found;
SET search_path = found, corm_ops;
CREATE TABLE companies (id int PRIMARY KEY, name text);
CREATE TABLE users (gone int, id int PRIMARY KEY, name text, email text, company_id int REFERENCES companies);
ALTER TABLE users DROP gone;
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int);
INSERT INTO companies VALUES (1, 'Acme'), (2, 'Bolt');
INSERT INTO users VALUES (1, 'ann', 'ann@x', 1), (2, 'bob', 'bob@x', 2), (3, 'cid', 'cid@x', 1);
INSERT INTO orders VALUES (11, 1, 5), (12, 1, 7), (13, 2, 9);

-- masks the address and counts its calls
CREATE SEQUENCE calls;
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval('found.calls');
	u.email := '***' || right(u.email, 2);
	RETURN u;
END $$;
CREATE FUNCTION called() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO n FROM found.calls;
	PERFORM setval('found.calls', 1, false);
	RETURN n;
END $$;

-- typed
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 2)));
SELECT corm.one(NULL::users, corm.where(corm.eq('id', 2)));
SELECT corm.first(NULL::users);
SELECT called();
SELECT * FROM corm.get_multi(NULL::users, corm.order_by('-name'), corm.limit(2));
SELECT called();
SELECT * FROM corm.get_multi(NULL::users, corm.order_by('-name'), corm.limit(1), corm.offset(1), corm.for_update());
SELECT called();
SELECT * FROM corm.get_multi(NULL::users, corm.raw_query('SELECT * FROM found.users WHERE id < $1 ORDER BY id', 3));
SELECT * FROM corm.get_multi(NULL::users, corm.raw_query('UPDATE found.users SET name = upper(name) WHERE id = 3 RETURNING *'));
SELECT * FROM corm.get_multi(NULL::users, corm.distinct(), corm.union(corm.selector('users')), corm.order_by('id'));
SELECT * FROM corm.get_multi(NULL::users, corm.with('w', corm.pipe(corm.selector('users'), corm.where(corm.eq('id', 1)))), corm.from_cte('w'));
SELECT called();
-- another row type has hooks of its own, or none
CREATE TYPE user_name AS (id int, email text);
SELECT * FROM corm.get_multi(NULL::user_name, corm.selector('users'), corm.order_by('id'));
SELECT called();

-- JSON
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 2)));
SELECT corm.first_json(corm.selector('users'));
SELECT corm.get_multi_json(corm.selector('users'), corm.order_by('-id'), corm.limit(2));
SELECT corm.page_json(corm.selector('users'), corm.order_by('email'), corm.limit(1))->'rows';
SELECT called();
-- the cursor is of the row as it is
SELECT corm.page_json(corm.selector('users'), corm.order_by('email'), corm.limit(2),
	corm.after(corm.page_json(corm.selector('users'), corm.order_by('email'), corm.limit(1))->'page_info'->>'end_cursor'))->'rows';
SELECT corm.page_json(corm.selector('users'), corm.order_by('email'), corm.limit(1),
	corm.before(corm.page_json(corm.selector('users'), corm.order_by('email'), corm.limit(3))->'page_info'->>'end_cursor'))->'rows';
SELECT called();
-- some fields only, under other names, and with what is no field
SELECT corm.get_multi_json(corm.selector('users'), corm.select('email'), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('users'), corm.select(corm.as('email', 'mail'), corm.as(corm.fn('length', corm.c('email')), 'len')), corm.order_by('mail'));
SELECT called();
SELECT corm.get_multi_json(corm.selector('users'), corm.select(corm.fn('length', corm.c('email'))), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('users'), corm.select('company_id', corm.count()), corm.group_by('company_id'), corm.order_by('company_id'));
SELECT corm.get_multi_json(corm.selector('users'), corm.select('company_id'), corm.distinct(), corm.order_by('company_id'));
SELECT corm.count(corm.selector('users')), corm.exists(corm.selector('users'));
SELECT corm.pluck(NULL::text, corm.selector('users'), corm.select('email'), corm.order_by('id'), corm.limit(1));
SELECT called();

-- preloaded rows, and rows that preload
SELECT corm.get_multi_json(corm.selector('orders'), corm.preload('user'), corm.order_by('id'), corm.limit(1));
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('orders', corm.order_by('id')), corm.preload('company'), corm.where(corm.eq('id', 1)));
SELECT corm.get_multi_json(corm.selector('companies'), corm.preload('users', corm.select('email'), corm.order_by('id'), corm.limit(1)), corm.order_by('id'));
SELECT called();
CREATE TYPE company_users AS (id int, users users[]);
SELECT * FROM corm.get_multi(NULL::company_users, corm.selector('companies'), corm.preload('users', corm.order_by('id')), corm.order_by('id'));
CREATE TYPE order_user AS (id int, "user" users);
SELECT * FROM corm.get_multi(NULL::order_user, corm.selector('orders'), corm.preload('user'), corm.order_by('id'));
SELECT called();
-- a hook does not change what is joined by
CREATE OR REPLACE FUNCTION after_find(u users) RETURNS users LANGUAGE sql AS $$ SELECT NULL::int, '?', '?', NULL::int $$;
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('orders', corm.order_by('id')), corm.preload('company'), corm.where(corm.eq('id', 1)));

-- rows just written were not found
SELECT corm.insert(ROW(4, 'dan', 'dan@x', 2)::users);
SELECT corm.insert_json('users', '{"id": 5, "email": "eve@x"}');
SELECT corm.update(ROW(4, 'dan', 'dan@y', 2)::users);
SELECT corm.get_multi_json(corm.deleter('users'), corm.where(corm.eq('id', 4)));
CREATE FUNCTION before_save(u users) RETURNS users LANGUAGE sql AS $$ SELECT u $$;
SELECT corm.get_multi_json(corm.updater('users'), corm.set('name', 'e'), corm.where(corm.eq('id', 5)));
SELECT corm.save(ROW(5, 'eve', 'eve@x', 2)::users);

-- skipped, NULL, void, failing, forbidden
SET corm.skip_hooks = on;
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1))), corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1)));
RESET corm.skip_hooks;
CREATE OR REPLACE FUNCTION after_find(u users) RETURNS users LANGUAGE sql AS $$ SELECT NULL::found.users $$;
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1))), corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1)));
DROP FUNCTION after_find;
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
CREATE FUNCTION after_find(u users) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('found.calls'); END $$;
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1))), corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1)));
SELECT called();
CREATE OR REPLACE FUNCTION after_find(u users) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'do not look'; END $$;
SELECT corm.get(NULL::users);
SELECT corm.to_sql(corm.selector('users'));
DROP SCHEMA found CASCADE;
