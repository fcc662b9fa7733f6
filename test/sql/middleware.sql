-- Middleware: the chain around every query, what it may do, what is refused.
\pset null '(null)'
\set VERBOSITY terse
CREATE SCHEMA mid;
SET search_path = mid, corm_ops;
CREATE TABLE users (id int PRIMARY KEY, name text, tenant int DEFAULT 1);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total int);
CREATE TYPE user_dto AS (id int, login text);
COMMENT ON TYPE user_dto IS '@orm:table=mid.users';
COMMENT ON COLUMN user_dto.login IS '@orm:column=name';
INSERT INTO users SELECT g, 'u' || g, g % 2 FROM generate_series(1, 6) g;
INSERT INTO orders SELECT g, g % 6 + 1, g * 10 FROM generate_series(1, 12) g;

-- Each verb as a middleware sees it
CREATE FUNCTION tell(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result;
BEGIN
	r := corm.next(qc);
	RAISE NOTICE '% % % % -> % affected, % rows: %', qc.op, qc.model, qc.query, qc.args, r.rows_affected, r.row_count,
		(SELECT jsonb_agg(x) FROM corm.result_rows(r) x);
	RETURN r;
END $$;
SELECT corm.use('tell(corm.query_context)', 'users') AS tell \gset
SELECT id = :tell AS ok, fn, model, ops, priority FROM corm.middleware;
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
SELECT corm.one(NULL::users, corm.where(corm.eq('id', 1)));
SELECT corm.first(NULL::users);
SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.lt('id', 3)));
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1)));
SELECT corm.first_json(corm.selector('users'), corm.where(corm.eq('id', 100)));
SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.lt('id', 3)));
SELECT corm.page_json(corm.selector('users'), corm.select('name'), corm.order_by('id'), corm.limit(2)) #- '{page_info,start_cursor}' #- '{page_info,end_cursor}';
SELECT corm.count(corm.selector('users')), corm.exists(corm.selector('users'));
SELECT corm.value(NULL::text, corm.selector('users'), corm.select('name'), corm.order_by('id'));
SELECT corm.pluck(NULL::text, corm.selector('users'), corm.select('name'), corm.order_by('id'), corm.limit(2));
SELECT corm.exec(corm.selector('users'));
SELECT corm.insert(ROW(7, 'x', NULL)::users);
SELECT corm.update(ROW(7, 'y', 1)::users);
SELECT corm.save(ROW(7, 'z', 1)::users);
SELECT corm.delete(ROW(7, 'z', 1)::users);
SELECT corm.delete(ROW(7, 'z', 1)::users);
SELECT corm.update(ROW(7, 'z', 1)::users);
SELECT * FROM corm.insert_multi(ARRAY[ROW(8, 'a', NULL)]::users[]);
SELECT * FROM corm.update_multi(ARRAY[ROW(8, 'b', 1)]::users[]);
SELECT corm.insert_json('users', '{"id": 9}');
SELECT corm.insert_json('users', '[{"id": 10}, {"id": 11, "name": "k"}]');
SELECT corm.get_multi_json(corm.updater('users'), corm.set('name', 'p'), corm.where(corm.gte('id', 10)), corm.max_rows(1));
SELECT corm.exec(corm.updater('users'), corm.set('name', 'q'), corm.where(corm.gte('id', 8)));
SELECT corm.get_multi_json(corm.deleter('users'), corm.where(corm.gte('id', 8)), corm.returning('id'));
SELECT corm.exec(corm.raw_query('SELECT * FROM mid.users WHERE id < $1', 3));
SELECT corm.exec(corm.raw_query('UPDATE mid.users SET tenant = tenant WHERE id < $1', 3));
SELECT corm.get_multi_json(corm.selector('user_dto'), corm.where(corm.eq('id', 2)));
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('orders', corm.order_by('id')), corm.where(corm.eq('id', 2)));
-- its model is somewhere in the query
SELECT corm.get_multi_json(corm.from_query(corm.pipe(corm.selector('users'), corm.where(corm.eq('id', 2))), 'u'));
SELECT corm.get_multi_json(corm.selector('orders'), corm.preload('user', corm.select('name')), corm.where(corm.eq('id', 1)));
SELECT corm.count(corm.selector('orders'), corm.where(corm.some('user', corm.eq('tenant', 1))));
-- it is not: nobody is called
SELECT corm.count(corm.selector('orders'));
SELECT corm.exec(corm.raw_query('SELECT * FROM mid.orders'));
-- nothing is executed
SELECT corm.to_sql(corm.selector('users'));
SELECT corm.unuse(:tell), corm.unuse(:tell);
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));

-- The order: smaller priorities outside, then the earlier
CREATE FUNCTION wrap(qc corm.query_context, name text) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result;
BEGIN
	RAISE NOTICE '> %', name;
	r := corm.next(qc);
	RAISE NOTICE '< %', name;
	RETURN r;
END $$;
CREATE FUNCTION first(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT mid.wrap(qc, 'first') $$;
CREATE FUNCTION second(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT mid.wrap(qc, 'second') $$;
CREATE FUNCTION third(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT mid.wrap(qc, 'third') $$;
SELECT corm.use('third(corm.query_context)', 'users', priority => 200) AS third \gset
SELECT corm.use('second(corm.query_context)', NULL, '{select, DELETE}') AS second \gset
SELECT corm.use('first(corm.query_context)', priority => -1) AS first \gset
SELECT fn, model, ops, priority FROM corm.middleware ORDER BY priority;
SELECT corm.count(corm.selector('users'));
SELECT corm.count(corm.selector('orders'));
SELECT corm.exec(corm.updater('users'), corm.set('name', 'u1'), corm.where(corm.eq('id', 1)));
SELECT corm.exec(corm.raw_query('SELECT 1'));
-- those that came with a transaction go with it
BEGIN;
SELECT corm.unuse(:third), corm.unuse(:second);
SELECT corm.count(corm.selector('users'));
ROLLBACK;
SELECT corm.count(corm.selector('users'));
SELECT corm.unuse(:first), corm.unuse(:second), corm.unuse(:third);

-- A tenant filter cannot be got around
CREATE FUNCTION tenant_filter(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	IF qc.op IN ('INSERT', 'RAW') THEN
		RAISE insufficient_privilege USING MESSAGE = format('no %s on users', qc.op);
	END IF;
	qc.query := corm.pipe(qc.query, corm.guard('mid.users', corm.eq('tenant', 1)));
	RETURN corm.next(qc);
END $$;
SELECT corm.use('tenant_filter(corm.query_context)', 'users') AS filter \gset
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 2)));
SELECT corm.first(NULL::users, corm.order_by('-id'));
SELECT corm.one(NULL::users, corm.where(corm.eq('id', 2)));
SELECT * FROM corm.get_multi(NULL::users);
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 2)));
SELECT corm.get_multi_json(corm.selector('users'), corm.select('id'), corm.preload('orders', corm.select('total'), corm.order_by('id')), corm.order_by('id'));
SELECT corm.page_json(corm.selector('users'), corm.select('id'), corm.order_by('id'), corm.limit(2))->'rows';
SELECT corm.page_json(corm.selector('users'), corm.select('id'), corm.order_by('id'), corm.limit(2),
	corm.after(corm.page_json(corm.selector('users'), corm.order_by('id'), corm.limit(2))->'page_info'->>'end_cursor'))->'rows';
SELECT corm.count(corm.selector('users')), corm.exists(corm.selector('users'), corm.where(corm.eq('id', 2)));
SELECT corm.pluck(NULL::int, corm.selector('users'), corm.select('id'), corm.order_by('id'));
SELECT corm.value(NULL::text, corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', 2)));
SELECT corm.exec(corm.selector('users'));
SELECT corm.exec(corm.updater('users'), corm.set('name', 'hit'), corm.all_rows());
SELECT corm.update(ROW(1, 'own', 1)::users);
SELECT corm.update(ROW(2, 'other', 1)::users);
SELECT * FROM corm.update_multi(ARRAY[ROW(1, 'own', 1), ROW(2, 'other', 1)]::users[]);
SELECT corm.delete(ROW(2, 'other', 1)::users);
SELECT corm.exec(corm.deleter('users'), corm.where(corm.eq('id', 2)));
SELECT count(*) > 0 AS explained FROM corm.explain_analyze(corm.updater('users'), corm.set('name', 'explained'), corm.where(corm.eq('id', 2)));
SELECT corm.get(NULL::user_dto, corm.where(corm.eq('id', 2)));
SELECT corm.count(corm.selector('user_dto'));
SELECT corm.insert(ROW(10, 'new', 2)::users);
SELECT corm.insert_json('users', '{"id": 10}');
SELECT corm.save(ROW(2, 'saved', 1)::users);
SELECT corm.exec(corm.raw_query('SELECT * FROM mid.users'));
SELECT corm.count(corm.from_query(corm.selector('users'), 'u'));
SELECT corm.count(corm.selector('orders'), corm.union(corm.pipe(corm.selector('users'), corm.select('id', 'tenant', 'id'))));
SELECT corm.get_multi_json(corm.selector('orders'), corm.preload('user'), corm.where(corm.lt('id', 4)), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('orders'), corm.join('user'), corm.select('id', corm.c('user.name')), corm.order_by('id'), corm.limit(2));
SELECT corm.count(corm.selector('orders'), corm.where(corm.none('user', corm.eq('tenant', 0))));
CREATE VIEW user_view AS SELECT * FROM users;
SELECT corm.count(corm.selector('user_view'));
SELECT corm.count(corm.selector('orders'), corm.where(corm.raw('EXISTS (SELECT FROM mid.users)')));
SELECT corm.count(corm.with('w', corm.selector('users')), corm.from_cte('w'));
SELECT corm.unuse(:filter);
SELECT id, name, tenant FROM users ORDER BY id;

-- What a middleware makes of the result
CREATE FUNCTION canned(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS
	$$ SELECT corm.result_of(current_setting('mid.canned')::jsonb) $$;
SELECT corm.use('canned(corm.query_context)', 'users') AS canned \gset
SET mid.canned = '[{"id": 101, "name": "can", "tenant": null}, {"id": 102}]';
SELECT corm.get(NULL::users);
SELECT corm.first(NULL::users);
SELECT corm.one(NULL::users);
SELECT * FROM corm.get_multi(NULL::users);
SELECT corm.get_json(corm.selector('users'));
SELECT corm.get_multi_json(corm.selector('users'));
SELECT corm.page_json(corm.selector('users'));
SELECT corm.insert(ROW(1, 'x', 1)::users);
SELECT * FROM corm.insert_multi(ARRAY[ROW(1, 'x', 1)]::users[]);
SELECT corm.exec(corm.deleter('users'), corm.all_rows());
SELECT corm.delete(ROW(1, 'x', 1)::users);
SET mid.canned = '[7, null, "8"]';
SELECT corm.count(corm.selector('users'));
SELECT corm.pluck(NULL::int, corm.selector('users'), corm.select('id'));
SELECT corm.pluck(NULL::jsonb, corm.selector('users'), corm.select('id'));
SELECT corm.exists(corm.selector('users'));
SET mid.canned = '[true]';
SELECT corm.exists(corm.selector('users'));
SELECT corm.count(corm.selector('users'));
SET mid.canned = '[]';
SELECT corm.get(NULL::users);
SELECT corm.first(NULL::users);
SELECT * FROM corm.get_multi(NULL::users);
SELECT corm.get_multi_json(corm.selector('users')), corm.first_json(corm.selector('users')), corm.page_json(corm.selector('users'));
SELECT corm.count(corm.selector('users')), corm.exists(corm.selector('users')), corm.exec(corm.selector('users'));
SELECT corm.get_json(corm.selector('users'));
SELECT corm.value(NULL::int, corm.selector('users'), corm.select('id'));
SET mid.canned = '{}';
SELECT corm.get(NULL::users);
SET mid.canned = '[{"id": "x"}]';
SELECT corm.get(NULL::users);
SELECT corm.unuse(:canned);

-- replacing rows, with the verb's own result at hand
CREATE FUNCTION shout(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result := corm.next(qc);
BEGIN
	RETURN corm.result_of((SELECT coalesce(jsonb_agg(x || jsonb_build_object('name', upper(x->>'name'))), '[]') FROM corm.result_rows(r) x));
END $$;
SELECT corm.use('shout(corm.query_context)', 'users', '{SELECT}') AS shout \gset
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 2)));
SELECT * FROM corm.get_multi(NULL::users, corm.order_by('id'), corm.limit(2));
SELECT corm.get_multi_json(corm.selector('users'), corm.order_by('id'), corm.limit(2));
SELECT corm.unuse(:shout);
SELECT * FROM corm.result_rows(corm.result_of('[1, {"a": 2}, null]'));
SELECT r.rows_affected, r.row_count FROM corm.result_of('[1, 2]') r;
SELECT corm.result_of('{}');
SELECT * FROM corm.result_rows(ROW(0, 0, NULL)::corm.query_result);
SELECT * FROM corm.result_rows(ROW(0, 0, 4711)::corm.query_result);

-- Errors go outwards, and each layer may catch them
CREATE FUNCTION careful(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	RETURN corm.next(qc);
EXCEPTION WHEN unique_violation OR division_by_zero THEN
	RAISE NOTICE 'caught %', SQLSTATE;
	RETURN corm.result_of('[]');
END $$;
CREATE FUNCTION hasty(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result := corm.next(qc);
BEGIN
	PERFORM 1 / (r.row_count + r.rows_affected - 1);
	RETURN r;
END $$;
SELECT corm.use('hasty(corm.query_context)', 'users', priority => 2) AS hasty \gset
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
SELECT count(*) FROM corm.get_multi(NULL::users);
SELECT corm.use('careful(corm.query_context)', 'users', priority => 1) AS careful \gset
SELECT corm.first(NULL::users, corm.where(corm.eq('id', 1)));
SELECT corm.insert(ROW(1, 'again', 1)::users);
SELECT corm.exec(corm.updater('users'), corm.set('name', 'undone'), corm.where(corm.eq('id', 1)));
SELECT corm.exec(corm.updater('users'), corm.set('id', 2), corm.where(corm.eq('id', 1)));
SELECT name FROM users WHERE id = 1;
SELECT corm.unuse(:hasty), corm.unuse(:careful);

-- Repeating: a read as often as one likes, a write only after it was undone
CREATE FUNCTION twice(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	one corm.query_result := corm.next(qc);
	two corm.query_result := corm.next(qc);
BEGIN
	RAISE NOTICE '% and %', (SELECT jsonb_agg(x) FROM corm.result_rows(one) x), (SELECT jsonb_agg(x) FROM corm.result_rows(two) x);
	RETURN two;
END $$;
CREATE SEQUENCE attempts;
CREATE FUNCTION retry(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result;
BEGIN
	FOR i IN 1..5 LOOP
		BEGIN
			r := corm.next(qc);
			IF nextval('mid.attempts') < 3 THEN RAISE serialization_failure; END IF;
			RETURN r;
		EXCEPTION WHEN serialization_failure THEN
			RAISE NOTICE 'attempt % failed', i;
			BEGIN
				PERFORM corm.result_rows(r);
			EXCEPTION WHEN object_not_in_prerequisite_state THEN RAISE NOTICE '%', SQLERRM;
			END;
		END;
	END LOOP;
END $$;
SELECT corm.use('twice(corm.query_context)', 'users') AS twice \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.insert(ROW(20, 'twice', 1)::users);
SELECT corm.exec(corm.raw_query('UPDATE mid.users SET name = name'));
SELECT corm.exec(corm.raw_query('SELECT 1 FROM mid.users'));
SELECT corm.unuse(:twice);
SELECT corm.use('retry(corm.query_context)', 'users') AS retry \gset
SELECT corm.insert(ROW(20, 'retried', 1)::users);
SELECT count(*), min(name) FROM users WHERE id = 20;
SELECT corm.unuse(:retry);

-- corm.next where it does not belong
SELECT corm.next(NULL);
SELECT corm.next(ROW('SELECT', NULL, corm.selector('users'), NULL, NULL, NULL, 1)::corm.query_context);
CREATE TABLE kept (qc corm.query_context);
CREATE FUNCTION keep(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO mid.kept VALUES (qc);
	RETURN corm.next(qc);
END $$;
CREATE FUNCTION use_kept(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT corm.next(k.qc) FROM mid.kept k LIMIT 1 $$;
CREATE FUNCTION nothing(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT NULL::corm.query_result $$;
CREATE FUNCTION no_query(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN qc.query := NULL; RETURN corm.next(qc); END $$;
SELECT corm.use('keep(corm.query_context)', 'users') AS keep \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.unuse(:keep);
SELECT corm.next(qc) FROM kept;
SELECT corm.use('use_kept(corm.query_context)', 'users') AS keep \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.unuse(:keep);
SELECT corm.use('nothing(corm.query_context)', 'users') AS keep \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.unuse(:keep);
SELECT corm.use('no_query(corm.query_context)', 'users') AS keep \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.unuse(:keep);

-- Its own queries it does not see; what comes from hooks it does
CREATE TABLE audit (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, op text, rows bigint);
CREATE FUNCTION audited(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result := corm.next(qc);
BEGIN
	PERFORM corm.insert(ROW(NULL, qc.op || ' ' || qc.model, r.rows_affected + r.row_count)::mid.audit);
	RETURN r;
END $$;
CREATE FUNCTION after_save(u users) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM corm.count(corm.selector('mid.orders')); END $$;
SELECT corm.use('audited(corm.query_context)') AS audited \gset
SELECT corm.use('first(corm.query_context)') AS first \gset
SELECT corm.insert(ROW(30, 'audited', 1)::users);
SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', 30)));
SELECT corm.unuse(:audited), corm.unuse(:first);
TABLE audit ORDER BY id;
DROP FUNCTION after_save;

-- What is refused
CREATE FUNCTION wrong(qc corm.query_context) RETURNS text LANGUAGE sql AS $$ SELECT '' $$;
CREATE FUNCTION wrong(qc text) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT NULL::corm.query_result $$;
SELECT corm.use('wrong(corm.query_context)');
SELECT corm.use('wrong(text)');
SELECT corm.use('wrap(corm.query_context, text)');
SELECT corm.use(NULL);
SELECT corm.use(0);
SELECT corm.use('first(corm.query_context)', 'users', '{SELECT, TRUNCATE}');
SELECT corm.use('first(corm.query_context)', 'users', '{NULL}');
SELECT corm.use('first(corm.query_context)', 'attempts');

-- A function that is renamed stays what it is; one that is gone lets nothing pass; a table that is gone takes its middleware along
SELECT corm.use('first(corm.query_context)', 'users') AS first \gset
SELECT corm.use('second(corm.query_context)', 'kept') AS second \gset
SELECT corm.count(corm.selector('users'));
ALTER FUNCTION first(corm.query_context) RENAME TO premier;
SELECT corm.count(corm.selector('users'));
SELECT corm.count(corm.selector('orders'));
CREATE FUNCTION first(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT corm.next(qc) $$;
SELECT corm.count(corm.selector('users'));
DROP FUNCTION premier(corm.query_context);
SELECT corm.insert(ROW(40, 'x', 1)::users);
CREATE FUNCTION premier(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT corm.next(qc) $$;
SELECT corm.insert(ROW(40, 'x', 1)::users);
SELECT corm.count(corm.selector('orders'));
SELECT fn FROM corm.middleware WHERE id = :first;
DROP FUNCTION first(corm.query_context), premier(corm.query_context);
SELECT corm.unuse(:first);
DROP TABLE kept;
SELECT count(*) FROM corm.middleware;
DROP SCHEMA mid CASCADE;
