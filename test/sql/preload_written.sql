-- Preloads in writing queries: the rows that they return bring their relations along.
SET client_min_messages = warning;
CREATE SCHEMA pw;
SET search_path = pw;
\set SHOW_CONTEXT never
CREATE TABLE companies (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, name text, company_id int REFERENCES companies);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE, amount int);
INSERT INTO companies VALUES (1, 'Acme'), (2, 'Globex');
INSERT INTO users VALUES (1, 'Ada', 1), (2, 'Bob', 2), (3, 'Carol', NULL);
INSERT INTO orders VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30);
-- updates: relations of the rows as they are now
SELECT corm.get_multi_json(corm.updater('users'), corm.set('company_id', 2), corm.where(corm.in('id', 1, 3)), corm.preload('company'), corm.preload('orders', corm.order_by('-id'), corm.select('amount')));
SELECT corm.get_json(corm.updater('users'), corm.set('name', 'A'), corm.where(corm.eq('id', 1)), corm.returning('name'), corm.preload('orders', corm.select('id'), corm.order_by('id'), corm.limit(1)));
SELECT corm.get_json(corm.updater('orders'), corm.set('amount', 11), corm.where(corm.eq('id', 1)), corm.preload('user.company'));
CREATE TYPE user_orders AS (id int, orders jsonb);
SELECT * FROM corm.get_multi(NULL::user_orders, corm.updater('users'), corm.set('name', 'B'), corm.where(corm.eq('id', 2)), corm.preload('orders'));
SELECT * FROM corm.get_multi(NULL::users, corm.updater('users'), corm.set('name', 'B'), corm.where(corm.eq('id', 2)), corm.preload('orders'));
SELECT corm.exec(corm.updater('users'), corm.set('name', 'B'), corm.where(corm.eq('id', 2)), corm.preload('orders'));
-- inserts, upserts
SELECT corm.get_multi_json(corm.inserter('orders'), corm.rows('[{"id": 4, "user_id": 3, "amount": 1}, {"id": 5, "user_id": null}]'), corm.preload('user'));
SELECT corm.get_json(corm.inserter('users'), corm.set('id', 4), corm.set('company_id', 1), corm.preload('company'), corm.preload('orders'));
SELECT corm.get_multi_json(corm.inserter('users'), corm.rows('[{"id": 4, "name": "D"}, {"id": 5, "name": "E"}]'), corm.on_conflict('id'), corm.do_update(), corm.preload('company', corm.select('name')),
    corm.returning('id', corm.as(corm.inserted(), 'new')));
-- deletes: what is left
SELECT corm.get_multi_json(corm.deleter('users'), corm.where(corm.eq('id', 1)), corm.preload('company'), corm.preload('orders'));
-- errors
SELECT corm.get_json(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.eq('id', 2)), corm.preload('nope'));
SELECT corm.get_multi_json(corm.with('w', corm.pipe(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.eq('id', 2)), corm.preload('orders'))), corm.from_cte('w'));
SELECT corm.get_multi_json(corm.updater('users'), corm.set('name', 'x'), corm.preload('orders'));
SELECT corm.get_multi_json(corm.updater('users'), corm.set('name', 'x'), corm.all_rows(), corm.preload('orders'), corm.max_rows(1));
-- hooks, soft delete, middleware on the model that is loaded
CREATE FUNCTION before_update(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.name := upper(u.name); RETURN u; END $$;
SELECT corm.get_json(corm.updater('users'), corm.set('name', 'bob'), corm.where(corm.eq('id', 2)), corm.preload('orders'));
CREATE FUNCTION small(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
  qc.query := corm.pipe(qc.query, corm.guard('pw.orders', corm.lt('amount', 5)));
  RETURN corm.next(qc);
END $$;
SELECT corm.use('small(corm.query_context)', 'orders') > 0 AS used;
SELECT corm.get_multi_json(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.in('id', 2, 3)), corm.preload('orders'), corm.returning('id'));
DROP FUNCTION before_update(users);
SELECT corm.get_multi_json(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.in('id', 2, 3)), corm.preload('orders'), corm.returning('id'));
SELECT corm.to_sql(corm.updater('users'), corm.set('name', 'x'), corm.where(corm.eq('id', 2)), corm.preload('orders'));
SELECT corm.unuse(id) FROM corm.middleware;
-- rights: to select what is returned, and what relations are joined by
CREATE TABLE accounts (id int PRIMARY KEY, name text, secret text, company_id int REFERENCES companies, gone timestamptz);
INSERT INTO accounts VALUES (1, 'Ann', 's1', 1), (2, 'Ben', 's2', 2), (3, 'Cid', 's3', 1);
CREATE ROLE pw_clerk;
GRANT USAGE ON SCHEMA pw TO pw_clerk;
GRANT SELECT ON companies, orders TO pw_clerk;
GRANT SELECT (id, company_id), UPDATE (name, company_id), INSERT (id, name, company_id), DELETE ON accounts TO pw_clerk;
SET ROLE pw_clerk;
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'Anna'), corm.where(corm.eq('id', 1)), corm.returning('id'), corm.preload('company'));
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'Anna'), corm.where(corm.eq('id', 1)), corm.returning('id', 'name'), corm.preload('company'));
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'Anna'), corm.where(corm.eq('id', 1)), corm.preload('company'));
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'Anna'), corm.where(corm.eq('id', 1)), corm.returning(corm.as(corm.add('id', 1), 'next')), corm.preload('company', corm.select('name')));
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'Anna'), corm.where(corm.eq('id', 1)), corm.returning(corm.as(corm.raw('accounts.id'), 'raw')), corm.preload('company'));
CREATE TYPE pg_temp.account_company AS (id int, company jsonb);
SELECT * FROM corm.get_multi(NULL::account_company, corm.updater('accounts'), corm.set('name', 'B'), corm.where(corm.eq('id', 2)), corm.preload('company'));
SELECT corm.get_multi_json(corm.inserter('accounts'), corm.rows('[{"id": 4, "name": "D", "company_id": 2}, {"id": 5}]'), corm.returning('id'), corm.preload('company'));
SELECT corm.get_multi_json(corm.inserter('accounts'), corm.set('id', 6), corm.set('company_id', 1), corm.returning('id'), corm.preload('company'));
SELECT corm.get_multi_json(corm.inserter('accounts'), corm.rows('[{"id": 4, "company_id": 1}, {"id": 7, "company_id": 2}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id'), corm.preload('company', corm.select('name')));
SELECT corm.get_multi_json(corm.inserter('accounts'), corm.rows('[{"id": 7}, {"id": 8}]'), corm.on_conflict('id'), corm.do_nothing(), corm.returning('id'), corm.preload('company', corm.select('name')));
SELECT corm.get_multi_json(corm.deleter('accounts'), corm.where(corm.in('id', 3, 6)), corm.returning('id'), corm.preload('company'));
RESET ROLE;
SELECT * FROM accounts ORDER BY id;
-- a type of some columns, a hidden field, a table without a key, a join
COMMENT ON COLUMN accounts.secret IS '@orm:hidden';
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)), corm.preload('company'));
SELECT * FROM corm.get_multi(NULL::accounts, corm.updater('accounts'), corm.set('name', 'y'), corm.where(corm.eq('id', 1)), corm.preload('company'));
CREATE TABLE visits (company_id int REFERENCES companies, at int);
INSERT INTO visits VALUES (1, 1), (2, 1), (2, 2);
SELECT corm.get_multi_json(corm.updater('visits'), corm.set('at', corm.add('at', 10)), corm.where(corm.eq('company_id', 2)), corm.returning('at'), corm.preload('company'));
SELECT corm.get_multi_json(corm.updater('accounts'), corm.join('companies', corm.eq('c.id', corm.c('accounts.company_id')), 'c'), corm.set('name', corm.c('c.name')), corm.where(corm.eq('c.id', 2)), corm.preload('company'));
SELECT corm.get_multi_json(corm.updater('accounts'), corm.join('companies', corm.eq('c.id', corm.c('accounts.company_id')), 'c'), corm.set('name', corm.c('c.name')), corm.where(corm.eq('c.id', 2)), corm.returning('id', 'c.name'), corm.preload('company'));
SELECT corm.register('accounts', '{"soft_delete": "gone"}');
SELECT corm.get_multi_json(corm.deleter('accounts'), corm.where(corm.eq('id', 1)), corm.returning('id'), corm.preload('company'));
SELECT id, gone IS NOT NULL AS gone FROM accounts ORDER BY id;
-- hooks see whole rows, and so need them
CREATE FUNCTION after_update(a accounts) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'secret %', a.secret; END $$;
SET client_min_messages = notice;
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'z'), corm.where(corm.eq('id', 2)), corm.returning('id'), corm.preload('company'));
SET ROLE pw_clerk;
SELECT corm.get_json(corm.updater('accounts'), corm.set('name', 'Anna'), corm.where(corm.eq('id', 2)), corm.returning('id'), corm.preload('company'));
RESET ROLE;
SET client_min_messages = warning;
DROP OWNED BY pw_clerk;
DROP ROLE pw_clerk;
DROP SCHEMA pw CASCADE;
