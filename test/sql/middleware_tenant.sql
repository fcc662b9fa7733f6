-- A tenant filter cannot be got around: every verb, every clause that brings rows along, every way to name the table.
--
-- Each case runs twice and is undone: without the filter, where it must show or touch rows of the other tenant (else
-- the case would prove nothing), and with it, where it must not. What may still come back is printed.
\pset null '(null)'
\pset format unaligned
\set VERBOSITY terse
CREATE SCHEMA tenants;
SET search_path = tenants, corm_ops;
CREATE TABLE companies (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, name text, tenant int, company_id int REFERENCES companies, deleted_at timestamptz);
COMMENT ON COLUMN users.deleted_at IS '@orm:soft_delete';
CREATE TABLE vips (points int, PRIMARY KEY (id)) INHERITS (users);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int);
CREATE TABLE tags (id int PRIMARY KEY, tag text);
CREATE TABLE users_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
CREATE TABLE secrets (id int PRIMARY KEY, secret text);
CREATE TYPE login AS (id int, login text, deleted_at timestamptz);
COMMENT ON TYPE login IS '@orm:table=tenants.users';
COMMENT ON COLUMN login.login IS '@orm:column=name';
CREATE VIEW user_view AS SELECT id, name, tenant FROM users;
COMMENT ON COLUMN user_view.id IS '@orm:primary_key';
CREATE VIEW view_of_view AS SELECT name FROM user_view;
INSERT INTO companies VALUES (1, 'Acme');
INSERT INTO users SELECT g, CASE g % 2 WHEN 1 THEN 'own' ELSE 'ySECRET' END || g, g % 2, 1, CASE WHEN g > 6 THEN '2020-01-01'::timestamptz END FROM generate_series(1, 8) g;
INSERT INTO vips VALUES (21, 'own21', 1, 1, NULL, 5), (22, 'ySECRET22', 0, 1, NULL, 6);
INSERT INTO orders SELECT g, g, g * 10 FROM generate_series(1, 6) g;
INSERT INTO tags VALUES (1, 'new');
INSERT INTO users_tags SELECT id, 1 FROM ONLY users WHERE id < 5;
INSERT INTO secrets VALUES (1, 'SECRET of all');

CREATE FUNCTION tenant_filter(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	IF qc.op = 'RAW' THEN
		RAISE insufficient_privilege USING MESSAGE = 'no raw SQL on users';
	END IF;
	-- a guard does not look at rows that are inserted
	IF qc.op = 'INSERT' AND qc.args::text ~ 'SECRET' THEN
		RAISE insufficient_privilege USING MESSAGE = 'no new rows of others';
	END IF;
	qc.query := corm.pipe(qc.query, corm.guard('tenants.users', corm.eq('tenant', 1)));
	RETURN corm.next(qc);
END $$;

-- What a statement returns, and whether rows of the other tenant are other ones after it. It is undone.
CREATE FUNCTION attempt(statement text, OUT result text, OUT touched boolean) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM (%s) x', statement) INTO result;
	touched := (SELECT string_agg(u::text, ' ' ORDER BY id) FROM tenants.users u WHERE tenant = 0) IS DISTINCT FROM
		current_setting('tenants.before');
	RAISE EXCEPTION SQLSTATE 'UNDO1';
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN NULL;
	WHEN OTHERS THEN result := SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT set_config('tenants.before', string_agg(u::text, ' ' ORDER BY id), false) IS NOT NULL AS known FROM users u WHERE tenant = 0;

CREATE TABLE cases (n int GENERATED ALWAYS AS IDENTITY, verb text, statement text);
INSERT INTO cases (verb, statement) VALUES
	-- verbs that read
	('get', $$SELECT corm.get(NULL::users, corm.where(corm.eq('id', 2)))$$),
	('one', $$SELECT corm.one(NULL::users, corm.where(corm.eq('id', 2)))$$),
	('first', $$SELECT corm.first(NULL::users, corm.order_by('-id'), corm.where(corm.lt('id', 7)))$$),
	('first', $$SELECT corm.first(NULL::users, corm.where(corm.eq('id', 2)))$$),
	('get_multi', $$SELECT * FROM corm.get_multi(NULL::users, corm.order_by('id'))$$),
	('get_multi', $$SELECT * FROM corm.get_multi(NULL::users, corm.for_update(), corm.order_by('id'))$$),
	('get_json', $$SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 2)))$$),
	('first_json', $$SELECT corm.first_json(corm.selector('users'), corm.where(corm.eq('id', 2)))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.order_by('id'))$$),
	('get_json_text', $$SELECT corm.get_json_text(corm.selector('users'), corm.where(corm.eq('id', 2)))$$),
	('first_json_text', $$SELECT corm.first_json_text(corm.selector('users'), corm.where(corm.eq('id', 2)))$$),
	('get_multi_json_text', $$SELECT corm.get_multi_json_text(corm.selector('users'), corm.select('name'), corm.order_by('id'))$$),
	('page_json', $$SELECT corm.page_json(corm.selector('users'), corm.select('name'), corm.order_by('id'), corm.limit(2)) -> 'rows'$$),
	('page_json', $$SELECT corm.page_json(corm.selector('users'), corm.select('name'), corm.order_by('id'), corm.limit(2),
		corm.after(corm.page_json(corm.selector('users'), corm.order_by('id'), corm.limit(2)) #>> '{page_info,end_cursor}')) -> 'rows'$$),
	('page_json', $$SELECT corm.page_json(corm.selector('users'), corm.select('name'), corm.order_by('-id'), corm.limit(2),
		corm.before(corm.page_json(corm.selector('users'), corm.order_by('-id'), corm.limit(2), corm.offset(2)) #>> '{page_info,start_cursor}')) -> 'rows'$$),
	('value', $$SELECT corm.value(NULL::text, corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', 2)))$$),
	('pluck', $$SELECT corm.pluck(NULL::text, corm.selector('users'), corm.select('name'), corm.order_by('id'))$$),
	('count', $$SELECT corm.count(corm.selector('users'))$$),
	('exists', $$SELECT corm.exists(corm.selector('users'), corm.where(corm.eq('id', 2)))$$),
	('exec', $$SELECT corm.exec(corm.selector('users'))$$),
	('explain_analyze', $$SELECT DISTINCT 'one row' FROM corm.explain_analyze(corm.selector('users'), corm.where(corm.eq('id', 2))) l WHERE l ~ 'Scan.*rows=1(\.00)? loops=1\)$'$$),
	-- clauses
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.unscoped(), corm.select('name'), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.only_deleted(), corm.select('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.or(corm.eq('tenant', 0), corm.eq('tenant', 1))), corm.select('name'), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users', 'u'), corm.select('u.name'), corm.order_by('u.id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.filter('{"where": {"tenant": 0}, "select": ["name"]}'), corm.selector('users'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select(corm.as(corm.max('name'), 'max')), corm.group_by('tenant'), corm.order_by('max'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('tenant'), corm.distinct(), corm.order_by('tenant'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.distinct_on('tenant'), corm.select('name'), corm.order_by('tenant', 'id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('id', corm.as(corm.over(corm.max('name')), 'w')), corm.where(corm.lt('id', 3)))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.order_by('id'), corm.cached('1 minute'))$$),
	('count', $$SELECT corm.count(corm.selector('users'), corm.cached('1 minute'))$$),
	-- parents, children, paths, predicates
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.select('id'), corm.preload('user', corm.select('name')), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('companies'), corm.preload('users', corm.select('name'), corm.order_by('id')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('companies'), corm.preload('users', corm.select('name'), corm.order_by('-id'), corm.limit(1)))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('tags'), corm.preload('users', corm.select('name'), corm.order_by('id')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('companies'), corm.preload('users.orders', corm.order_by('id')), corm.preload('users', corm.select('name'), corm.order_by('id')))$$),
	('page_json', $$SELECT corm.page_json(corm.selector('orders'), corm.select('id'), corm.preload('user', corm.select('name')), corm.order_by('id'), corm.limit(2)) -> 'rows'$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.select('id', corm.as('user.name', 'n')), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.select('id'), corm.order_by('-user.name', 'id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.join('user'), corm.select('id', corm.as('user.name', 'n')), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.left_join('user'), corm.select('id', corm.as('user.name', 'n')), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.right_join('users', corm.c('u.id') = corm.c('orders.user_id'), 'u'), corm.select(corm.as('u.name', 'n')), corm.order_by('n'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.full_join('users', corm.c('u.id') = corm.c('orders.user_id'), 'u'), corm.select(corm.as('u.name', 'n')), corm.order_by('n'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('companies'), corm.cross_join('users', 'u'), corm.select(corm.as('u.name', 'n')), corm.order_by('n'))$$),
	('count', $$SELECT corm.count(corm.selector('orders'), corm.where(corm.some('user')))$$),
	('count', $$SELECT corm.count(corm.selector('orders'), corm.where(corm.none('user')))$$),
	('count', $$SELECT corm.count(corm.selector('companies'), corm.where(corm.some('users', corm.eq('tenant', 0))))$$),
	('count', $$SELECT corm.count(corm.selector('companies'), corm.where(corm.every('users', corm.eq('tenant', 1))))$$),
	('count', $$SELECT corm.count(corm.selector('orders'), corm.where(corm.eq('user.tenant', 0)))$$),
	-- subqueries, WITH, set operations
	('count', $$SELECT corm.count(corm.selector('orders'), corm.where(corm.in('user_id', corm.pipe(corm.selector('users'), corm.select('id')))))$$),
	('count', $$SELECT corm.count(corm.selector('orders'), corm.where(corm.not_in('user_id', corm.pipe(corm.selector('users'), corm.select('id')))))$$),
	('count', $$SELECT corm.count(corm.selector('companies'), corm.where(corm.some(corm.pipe(corm.selector('users'), corm.where(corm.eq('tenant', 0))))))$$),
	('count', $$SELECT corm.count(corm.selector('companies'), corm.where(corm.none(corm.pipe(corm.selector('users'), corm.where(corm.eq('tenant', 0))))))$$),
	('value', $$SELECT corm.value(NULL::text, corm.selector('companies'), corm.select(corm.as(corm.coalesce(corm.pipe(corm.selector('users'), corm.select(corm.max('name')))), 'm')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.from_query(corm.pipe(corm.selector('users'), corm.select('name')), 'q'), corm.order_by('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('orders'), corm.join_query(corm.pipe(corm.selector('users'), corm.select('id', 'name')), corm.c('q.id') = corm.c('orders.user_id'), 'q'), corm.select(corm.as('q.name', 'n')), corm.order_by('n'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.with('w', corm.pipe(corm.selector('users'), corm.select('name'))), corm.from_cte('w'), corm.order_by('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.union(corm.pipe(corm.selector('users'), corm.select('name'))), corm.order_by('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('tags'), corm.select('tag'), corm.union_all(corm.pipe(corm.selector('users'), corm.select('name'))))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.intersect(corm.pipe(corm.selector('users'), corm.select('name'))), corm.order_by('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('id'), corm.except(corm.pipe(corm.selector('users'), corm.select('id'), corm.where(corm.eq('tenant', 1)))), corm.order_by('id'))$$),
	-- raw SQL: by itself, as part of a query, and views, which name the table for others
	('exec', $$SELECT corm.exec(corm.raw_query('UPDATE tenants.users SET name = name || ''!'''))$$),
	('get_multi', $$SELECT * FROM corm.get_multi(NULL::users, corm.raw_query('SELECT * FROM tenants.users'))$$),
	('count', $$SELECT corm.count(corm.raw_query('SELECT FROM tenants.user_view'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('companies'), corm.select(corm.as(corm.raw('(SELECT max(name) FROM tenants.users)'), 'm')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', 1)), corm.select(corm.as(corm.raw('(SELECT max(name) FROM tenants.users)'), 'm')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', 1)), corm.select(corm.as(corm.raw('(SELECT max(name) FROM tenants.vips)'), 'm')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', 1)), corm.select(corm.as(corm.raw('(SELECT max(name) FROM tenants.view_of_view)'), 'm')))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.union(corm.raw_query('SELECT name FROM tenants.users')), corm.order_by('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.with('w', corm.raw_query('SELECT name FROM tenants.users')), corm.selector('users'), corm.select('name'), corm.order_by('id'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('user_view'), corm.select('name'), corm.order_by('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('users'), corm.cross_join('user_view', 'v'), corm.select(corm.as('v.name', 'n')), corm.distinct(), corm.order_by('n'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.selector('view_of_view'), corm.order_by('name'))$$),
	-- other names for the table: a type that is mapped to it, a table that inherits from it
	('get', $$SELECT corm.get(NULL::login, corm.where(corm.eq('id', 2)))$$),
	('get_multi', $$SELECT * FROM corm.get_multi(NULL::login, corm.order_by('id'))$$),
	('get_multi', $$SELECT * FROM corm.get_multi(NULL::login, corm.selector('users'), corm.select('id', corm.as('name', 'login'), 'deleted_at'), corm.order_by('id'))$$),
	('get', $$SELECT corm.get(NULL::vips, corm.where(corm.eq('id', 22)))$$),
	('update', $$SELECT corm.update(ROW(22, 'hit', 0, 1, NULL, 0)::vips)$$),
	-- verbs that write
	('exec', $$SELECT corm.exec(corm.updater('users'), corm.set('name', 'hit'), corm.all_rows())$$),
	('exec', $$SELECT corm.exec(corm.updater('users'), corm.set('name', 'hit'), corm.where(corm.eq('id', 2)))$$),
	('exec', $$SELECT corm.exec(corm.updater('login'), corm.set('login', 'hit'), corm.where(corm.eq('id', 2)))$$),
	('exec', $$SELECT corm.exec(corm.updater('user_view'), corm.set('name', 'hit'), corm.where(corm.eq('id', 2)))$$),
	('get_multi', $$SELECT * FROM corm.get_multi(NULL::users, corm.updater('users'), corm.set('company_id', 1), corm.where(corm.lt('id', 3)))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.updater('users'), corm.set('company_id', 1), corm.where(corm.lt('id', 3)), corm.returning('name'))$$),
	('value', $$SELECT corm.value(NULL::text, corm.updater('users'), corm.set('company_id', 1), corm.where(corm.eq('id', 2)), corm.returning('name'))$$),
	('exec', $$SELECT corm.exec(corm.updater('orders'), corm.set('total', 0), corm.where(corm.eq('user.tenant', 0)))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.updater('orders'), corm.set('total', 0), corm.where(corm.eq('id', 2)), corm.returning(corm.as('user.name', 'n')))$$),
	('exec', $$SELECT corm.exec(corm.updater('orders'), corm.set('total', 0), corm.join('users', corm.c('u.id') = corm.c('orders.user_id'), 'u'), corm.where(corm.eq('u.tenant', 0)))$$),
	('value', $$SELECT corm.value(NULL::int, corm.updater('orders'), corm.set('total', corm.pipe(corm.selector('users'), corm.select(corm.min('tenant')))), corm.where(corm.eq('id', 1)), corm.returning('total'))$$),
	('exec', $$SELECT corm.exec(corm.deleter('users'), corm.where(corm.eq('id', 6)))$$),
	('exec', $$SELECT corm.exec(corm.deleter('users'), corm.unscoped(), corm.where(corm.eq('id', 8)))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.deleter('users'), corm.where(corm.in('id', ARRAY[5, 6])), corm.returning('name'))$$),
	('exec', $$SELECT corm.exec(corm.with('w', corm.pipe(corm.updater('users'), corm.set('name', 'hit'), corm.all_rows(), corm.returning('id'))), corm.from_cte('w'))$$),
	('restore', $$SELECT corm.restore(corm.selector('users'), corm.where(corm.eq('id', 8)))$$),
	('restore', $$SELECT corm.restore(corm.selector('users'), corm.all_rows())$$),
	('update', $$SELECT corm.update(ROW(2, 'hit', 0, 1, NULL)::users)$$),
	('update', $$SELECT corm.update(ROW(2, 'hit', NULL)::login)$$),
	('update', $$SELECT corm.update(ROW(2, 'hit', 0)::user_view)$$),
	('update_multi', $$SELECT * FROM corm.update_multi(ARRAY[ROW(1, 'hit', 1, 1, NULL), ROW(2, 'hit', 0, 1, NULL)]::users[])$$),
	('save', $$SELECT corm.save(ROW(2, 'hit', 0, 1, NULL)::users)$$),
	('delete', $$SELECT corm.delete(ROW(2, '', 0, 1, NULL)::users)$$),
	('exec', $$SELECT corm.exec(corm.inserter('users'), corm.rows('[{"id": 1, "name": "x"}, {"id": 2, "name": "hit"}]'::jsonb), corm.on_conflict('id'), corm.do_update('name'))$$),
	('exec', $$SELECT corm.exec(corm.inserter('users'), corm.set('id', 2), corm.set('name', 'hit'), corm.on_constraint('users_pkey'), corm.do_update())$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.inserter('users'), corm.rows(ARRAY[ROW(2, 'x', 1, 1, NULL)]::users[]), corm.on_conflict('id'), corm.do_select(), corm.returning('name'))$$),
	('get_multi_json', $$SELECT corm.get_multi_json(corm.inserter('companies'), corm.set('id', 9), corm.set('name', corm.pipe(corm.selector('users'), corm.select(corm.max('name')))))$$),
	('find', $$SELECT corm.find(NULL::users, 2)$$),
	('find_json', $$SELECT corm.find_json('users', 2)$$),
	('find_multi', $$SELECT corm.find_multi(NULL::users, ARRAY[2, 1])$$),
	('update_json', $$SELECT corm.update_json('users', '{"id": 2}', '{"name": "changed"}')$$),
	('upsert_json', $$SELECT corm.upsert_json('users', '{"id": 2, "name": "changed", "tenant": 0}')$$),
	('insert_json', $$SELECT corm.insert_json('vips', '{"id": 99, "name": "SECRET", "tenant": 0}')$$),
	('insert_multi', $$SELECT * FROM corm.insert_multi(ARRAY[ROW(99, 'SECRET', 0, 1, NULL)]::users[])$$),
	('insert_multi', $$SELECT * FROM corm.insert_multi(ARRAY[ROW(99, 'SECRET', 0)]::user_view[])$$),
	('insert', $$SELECT corm.insert(ROW(99, 'SECRET', 0, 1, NULL)::users)$$),
	('insert', $$SELECT corm.insert(ROW(99, 'SECRET', 0)::user_view)$$),
	('set_related', $$SELECT corm.set_related('tags', '{"id": 1}', 'users', '[{"id": 70, "name": "SECRET", "tenant": 0}]')$$),
	('explain_analyze', $$SELECT DISTINCT 'ran' FROM corm.explain_analyze(corm.updater('users'), corm.set('name', 'hit'), corm.where(corm.eq('id', 2))) l$$);

CREATE FUNCTION walk(title text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	c tenants.cases;
	without record;
	filtered record;
	filter int;
	proven int := 0;
BEGIN
	FOR c IN SELECT * FROM tenants.cases ORDER BY n LOOP
		without := tenants.attempt(c.statement);
		filter := corm.use('tenants.tenant_filter(corm.query_context)', 'tenants.users', priority => 1);
		filtered := tenants.attempt(c.statement);
		PERFORM corm.unuse(filter);
		IF without.result ~ '^[0-9A-Z]{5}: ' THEN
			RETURN NEXT format('%s %s does not run without the filter: %s', c.n, c.verb, without.result);
		ELSIF without = filtered THEN
			RETURN NEXT format('%s %s NOT FILTERED: %s', c.n, c.verb, filtered.result);
		ELSIF filtered.touched OR filtered.result ~ 'SECRET' THEN
			RETURN NEXT format('%s %s LEAK: %s', c.n, c.verb, filtered.result);
		ELSE
			RETURN NEXT format('%s %s: %s', c.n, c.verb, coalesce(filtered.result, '-'));
			proven := proven + 1;
		END IF;
	END LOOP;
	RETURN NEXT format('%s: %s of %s', title, proven, (SELECT count(*) FROM tenants.cases));
END $$;
SELECT walk('plain');

-- The same with hooks, which take writes apart into stages, and a hook that reads.
CREATE FUNCTION before_save(u users) RETURNS users LANGUAGE sql AS $$ SELECT u $$;
CREATE FUNCTION before_delete(u users) RETURNS users LANGUAGE sql AS $$ SELECT u $$;
CREATE FUNCTION after_update(u users) RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE sql IMMUTABLE AS $$ SELECT u $$;
SELECT count(*) FILTER (WHERE line ~ 'LEAK|NOT FILTERED') AS leaks, max(line) FILTER (WHERE line ~ '^with hooks') AS proven,
	string_agg(line, E'\n') FILTER (WHERE line ~ 'does not run') AS not_run
FROM walk('with hooks') line;
DROP FUNCTION before_save, before_delete, after_update, after_find;

-- Every function of corm that runs a query has a case above. What is listed here runs none of the user's.
SELECT DISTINCT proname FROM pg_proc
WHERE pronamespace = 'corm'::regnamespace AND provolatile = 'v' AND proname NOT IN (SELECT verb FROM cases) AND
	proname !~ '^(cache_|list_|on_|stat_|plan_cache|tx_|in_tx|current_tx|set_rollback|begin_tx|commit_tx|rollback|pool_|task_|topic_|wg_|once_|work_)' AND
	proname NOT IN ('args', 'to_sql', 'explain', 'guard_holds',	-- tell what a query is, and do not run it
		'next', 'use', 'unuse', 'result_of', 'result_rows', 'iterate_methods',
		'run',	-- does what exec does
		-- run SQL; corm's functions in it are cases of their own
		'do_tx', 'try_tx', 'run_tx', 'autonomous', 'once', 'submit', 'submit_many', 'parallel', 'current_task', 'worker_list', 'schedule', 'schedule_tick', 'unschedule',
		-- messages
		'publish', 'publish_many', 'publish_change', 'publish_changes', 'subscribe', 'unsubscribe', 'receive', 'receive_as', 'peek', 'ack', 'nack', 'touch', 'seek', 'purge',
		'group_counters', 'fresh_counters', 'cached_explain',
		'auto_migrate', 'migrate', 'migrate_plan', 'erd', 'client_types',	-- look at the catalogs, and run DDL
		'definitions', 'keep_definitions', 'node_differences', 'sync_nodes',	-- what corm itself has stored
		'register', 'unregister', 'relate', 'unrelate', 'define_scope', 'drop_scope', 'wait_ready')
ORDER BY proname;

-- What a filter of one model does to a query, filters of the models that this brings in see too.
CREATE FUNCTION with_user(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	qc.query := corm.pipe(qc.query, corm.preload('user', corm.select('name')));
	RETURN corm.next(qc);
END $$;
SELECT corm.use('tenant_filter(corm.query_context)', 'users', priority => 1) AS filter, corm.use('with_user(corm.query_context)', 'orders') AS adder \gset
SELECT corm.get_multi_json(corm.selector('orders'), corm.select('id'), corm.order_by('id'));
SELECT corm.page_json(corm.selector('orders'), corm.select('id'), corm.order_by('id'), corm.limit(2)) -> 'rows';
SELECT corm.unuse(:adder);
-- also where the query becomes one of another kind
CREATE FUNCTION to_update(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result;
BEGIN
	qc.query := corm.pipe(corm.updater('tenants.users'), corm.set('name', 'hit'), corm.where(corm.lt('id', 3)));
	r := corm.next(qc);
	RAISE NOTICE '% affected, % rows', r.rows_affected, r.row_count;
	RETURN corm.next(qc);
END $$;
SELECT corm.use('to_update(corm.query_context)', 'companies') AS adder \gset
SELECT corm.exec(corm.selector('companies'));
SELECT corm.unuse(:adder), corm.unuse(:filter);
-- one that watches all tables sees those of a record's view, and of the raw parts of a write with hooks
CREATE FUNCTION watch(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE '% % %', qc.op, qc.model, qc.models; RETURN corm.next(qc); END $$;
SELECT corm.use('watch(corm.query_context)', 'users') AS watch \gset
CREATE FUNCTION before_update(c companies) RETURNS companies LANGUAGE sql AS $$ SELECT c $$;
SELECT corm.insert(ROW(50, 'own50', 1)::user_view);
SELECT corm.delete(ROW(50, 'own50', 1)::user_view);
SELECT corm.exec(corm.updater('companies'), corm.set('name', 'A'), corm.where(corm.raw('EXISTS (SELECT FROM tenants.users)')));
SELECT corm.get(NULL::vips, corm.where(corm.eq('id', 21)));
-- and those of its partitions
CREATE TABLE events (id int, tenant int, PRIMARY KEY (id, tenant)) PARTITION BY LIST (tenant);
CREATE TABLE events_0 PARTITION OF events FOR VALUES IN (0);
INSERT INTO events VALUES (1, 0);
SELECT corm.unuse(:watch);
SELECT corm.use('watch(corm.query_context)', 'events') AS watch \gset
SELECT corm.get(NULL::events), corm.get(NULL::events_0);
SELECT corm.delete(ROW(1, 0)::events_0);
SELECT corm.count(corm.selector('events_0'), corm.guard('events', corm.eq('tenant', 1)));
SELECT corm.unuse(:watch);
DROP SCHEMA tenants CASCADE;
