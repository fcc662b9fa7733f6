-- Queries compiled into the statement around them: which ones, and what they look like.
CREATE SCHEMA il;
SET search_path = il, public;
SET corm.inline = on;
CREATE TABLE companies (id int PRIMARY KEY, name text NOT NULL, hq int);
CREATE TABLE users (id int PRIMARY KEY, gone text, name text NOT NULL, age int, company_id int REFERENCES companies, tags text[], code varchar(10));
ALTER TABLE users DROP COLUMN gone;
INSERT INTO companies SELECT i, 'c' || i, nullif(i % 3, 0) FROM generate_series(1, 6) i;
INSERT INTO users SELECT i, 'u' || i, nullif(i % 5, 0), i % 6 + 1, ARRAY['t' || i % 2], 'k' || i FROM generate_series(1, 60) i;
ANALYZE companies, users;

SET il.age = 3;

-- Is the query of a statement compiled in?  A call that is left is a scan of a function.
CREATE FUNCTION compiled(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
		IF line LIKE '%Function Scan on corm.%' OR line LIKE '%corm.get_multi(%' OR line LIKE '%corm.pluck(%' THEN RETURN false; END IF;
	END LOOP;
	RETURN true;
END $$;
SELECT n, compiled(q) FROM (VALUES
	(1, $$SELECT * FROM corm.get_multi(NULL::users)$$),
	(2, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', 1)), corm.order_by('-id'), corm.limit(3))$$),
	(3, $$SELECT * FROM corm.get_multi(NULL::users, VARIADIC ARRAY[corm.where(corm.eq('id', 1))])$$),
	(4, $$SELECT * FROM corm.get_multi(NULL::users, corm.pipe(corm.where(corm.eq('id', 1)), corm.limit(3)))$$),
	(5, $$SELECT * FROM corm.get_multi(NULL::users, '[{"where": [{"eq": ["id", 1]}]}]')$$),
	(6, $$SELECT * FROM corm.get_multi(t => NULL::users)$$),
	(7, $$SELECT * FROM corm.get_multi(NULL::users, corm.selector(alias => 'x', model => 'users'))$$),
	(8, $$SELECT * FROM corm.pluck(NULL::text, corm.selector('users'), corm.select('name')) n$$),
	(9, $$SELECT * FROM corm.get_multi(NULL::users, corm.where((corm.c('age') OPERATOR(corm_ops.>) 2) OPERATOR(corm_ops.&) corm.not(corm.eq('id', 1))))$$),
	(10, $$SELECT * FROM corm.get_multi(NULL::users, corm.join('company'), corm.where(corm.eq('company.name', 'c1')))$$),
	(11, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.some('company', corm.eq('name', 'c1'))))$$),
	(12, $$SELECT * FROM corm.get_multi(NULL::users, corm.with('w', corm.pipe(corm.selector('users'), corm.where(corm.gt('age', 2)))), corm.from_cte('w'))$$),
	(13, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gt('id', 3)), corm.union_all(corm.pipe(corm.selector('users'), corm.where(corm.lt('id', 3)))))$$),
	(14, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.lt('age', current_setting('il.age')::int)))$$),
	(15, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id)))$$),
	(16, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('id', c.hq)))$$),
	(17, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.gt('age', c.hq)), corm.limit(c.id))$$),
	(18, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.in('id', c.id, c.hq)))$$),
	(19, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.in('id', ARRAY[c.id, 7])))$$),
	(20, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.in('name', VARIADIC ARRAY[c.name, 'u7'])))$$),
	(21, $$SELECT * FROM companies c WHERE EXISTS (SELECT FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id))))$$),
	(22, $$WITH w AS (SELECT * FROM corm.get_multi(NULL::users)) SELECT * FROM w a JOIN w b USING (id)$$),
	(23, $$SELECT id FROM corm.get_multi(NULL::users) UNION SELECT id FROM corm.get_multi(NULL::companies)$$),
	(24, $$SELECT * FROM (SELECT * FROM corm.get_multi(NULL::users) OFFSET 0) u$$),
	(25, $$INSERT INTO companies SELECT 100 + id, name FROM corm.get_multi(NULL::users)$$),
	(26, $$UPDATE companies c SET name = u.name FROM corm.get_multi(NULL::users) u WHERE u.id = c.id$$),
	(27, $$SELECT u FROM corm.get_multi(NULL::users) u$$),
	(28, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.contains('name', c.name)))$$),
	(29, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.starts_with('name', c.id)))$$)) AS t (n, q) ORDER BY n;

-- What is left to the executor, and why
SELECT n, compiled(q) FROM (VALUES
	(1, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', (random() * 60)::int)))$$),
	(2, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.raw('random() < 2')))$$),
	(3, $$SELECT * FROM corm.get_multi(NULL::users, corm.for_update())$$),
	(4, $$SELECT * FROM corm.get_multi(NULL::users, corm.updater('users'), corm.set('age', 1), corm.where(corm.eq('id', 1)))$$),
	(5, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq(c.name, 1)))$$),
	(6, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('age', c.hq)))$$),
	(7, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.not(corm.eq('company_id', c.hq))))$$),
	(8, $$SELECT * FROM companies c, corm.get_multi(NULL::users, corm.where(corm.in('name', c.name)))$$),
	(9, $$SELECT * FROM corm.get_multi(NULL::users) WITH ORDINALITY$$),
	(10, $$SELECT * FROM ROWS FROM (corm.get_multi(NULL::users), generate_series(1, 3)) u$$),
	(11, $$SELECT corm.get_multi(NULL::users)$$),
	(12, $$SELECT * FROM corm.get_multi(NULL::users, corm.raw_query('SELECT * FROM users'))$$),
	(13, $$SELECT * FROM corm.get_multi(NULL::users, corm.cached('1 min'))$$),
	(14, $$SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', (SELECT id FROM companies LIMIT 1 FOR UPDATE))))$$),
	(16, $$SELECT * FROM corm.get_multi(NULL::users, corm.filter('{"where": {"age": {"gt": 2}}}'))$$),
	(15, $$WITH w AS (DELETE FROM users WHERE id = 1 RETURNING id) SELECT * FROM corm.get_multi(NULL::users)$$)) AS t (n, q) ORDER BY n;
SET corm.log_min_duration = '1h';
SELECT compiled('SELECT * FROM corm.get_multi(NULL::users)');
RESET corm.log_min_duration;
SET corm.sql_comments = on;
SELECT compiled('SELECT * FROM corm.get_multi(NULL::users)');
RESET corm.sql_comments;
SET corm.inline = off;
SELECT compiled('SELECT * FROM corm.get_multi(NULL::users)');
SET corm.inline = on;

-- What the planner sees
EXPLAIN (COSTS OFF) SELECT name FROM corm.get_multi(NULL::users, corm.where(corm.gt('age', 2))) WHERE id = 7;
EXPLAIN (COSTS OFF) SELECT * FROM corm.get_multi(NULL::users, corm.order_by('-id'), corm.limit(3));
EXPLAIN (COSTS OFF) SELECT * FROM corm.get_multi(NULL::users) ORDER BY id LIMIT 3;
EXPLAIN (COSTS OFF) SELECT c.id, u.id FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('id', c.id)), corm.order_by('id'), corm.limit(1)) u WHERE c.id = 3;
CREATE FUNCTION is_join(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP plan := plan || line; END LOOP;
	RETURN plan NOT LIKE '%SubPlan%' AND plan ~ 'Join|Nested Loop';
END $$;
SELECT is_join($$SELECT c.id FROM companies c WHERE EXISTS (SELECT FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', c.id))))$$);
SELECT is_join($$SELECT c.id FROM companies c WHERE c.id IN (SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.gt('age', 2))))$$);

-- Generic plans: a parameter that may be NULL, where NULL would mean IS NULL
SET plan_cache_mode = force_generic_plan;
PREPARE by_id(int) AS SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', $1)));
EXPLAIN (COSTS OFF) EXECUTE by_id(7);
PREPARE by_age(int) AS SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('age', $1), corm.lte('id', 10)), corm.order_by('id'));
EXPLAIN (COSTS OFF) EXECUTE by_age(1);
EXECUTE by_age(1);
EXECUTE by_age(NULL);
PREPARE not_age(int) AS SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.not(corm.eq('age', $1)), corm.lte('id', 6)), corm.order_by('id'));
EXECUTE not_age(1);
EXECUTE not_age(NULL);
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) EXECUTE by_age(NULL);
-- untyped parameters, as clients send them
PREPARE untyped AS SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.between('age', $1, $2)), corm.order_by('id'), corm.limit($3));
EXECUTE untyped('3', '4', 3);
SET plan_cache_mode = force_generic_plan;
EXECUTE untyped('1', '1', 2);
EXECUTE untyped('x', '1', 2);
RESET plan_cache_mode;

-- A statement that is nothing but the query is planned as that: its columns in another order, fewer, with another name
EXPLAIN (COSTS OFF) SELECT age AS years, id FROM corm.get_multi(NULL::users, corm.order_by('-name'), corm.limit(2));
SELECT age AS years, id FROM corm.get_multi(NULL::users, corm.order_by('-name'), corm.limit(2));
SELECT age, id, age FROM corm.get_multi(NULL::users, corm.order_by('-name'), corm.limit(2));
SELECT age FROM corm.get_multi(NULL::users, corm.distinct(), corm.where(corm.lt('id', 9)), corm.order_by('age', 'id'), corm.limit(2));
SELECT age FROM corm.get_multi(NULL::users, corm.distinct_on('age'), corm.order_by('age', '-id'), corm.limit(2));

-- A pattern that is made when the statement is executed
SET plan_cache_mode = force_generic_plan;
PREPARE pattern(text) AS SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.or(corm.contains('name', $1), corm.ends_with('code', $1)))) u;
EXECUTE pattern('1');
EXECUTE pattern('%');
EXECUTE pattern(NULL);
RESET plan_cache_mode;
SELECT corm.like_pattern('a%b_c\\d', 'contains'), corm.like_pattern('x', 'starts_with'), corm.like_pattern('', 'ends_with'), corm.like_pattern(NULL, 'contains');
SELECT corm.like_pattern('x', 'like');

-- Columns: dropped ones, whole rows, other types than the query's
SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.lte('id', 2)), corm.order_by('id'));
SELECT u, u.name, (u).code FROM corm.get_multi(NULL::users, corm.where(corm.lte('id', 2)), corm.order_by('id')) u;
SELECT c.id, u FROM companies c LEFT JOIN corm.get_multi(NULL::users, corm.where(corm.eq('id', 3))) u ON u.id = c.id WHERE c.id IN (2, 3) ORDER BY c.id;
CREATE TYPE pair AS (id int, name varchar(3), n bigint);
SELECT * FROM corm.get_multi(NULL::pair, corm.selector('users'), corm.select('id', corm.as(corm.cast('code', 'varchar(3)'), 'name'), corm.as(corm.count_of('company'), 'n')), corm.where(corm.lt('id', 3)), corm.order_by('id'));
SELECT * FROM corm.get_multi(NULL::pair, corm.selector('users'), corm.select('id', 'name'));
CREATE TABLE as_type AS SELECT * FROM corm.get_multi(NULL::users);
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'as_type'::regclass AND attnum > 0 ORDER BY attnum;
SELECT pg_typeof(x), count(*) FROM corm.pluck(NULL::varchar, corm.selector('users'), corm.select('code')) x GROUP BY 1;
SELECT sum(x), count(*) FROM corm.pluck(NULL::int, corm.selector('users'), corm.select('age'), corm.order_by('id'), corm.limit(7)) x;
CREATE VIEW few AS SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.lt('id', 3))) u(a, b);
SELECT * FROM few ORDER BY a;
CREATE FUNCTION names(n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE u users;
BEGIN
	FOR u IN SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('age', n)), corm.order_by('id')) LOOP
		RETURN NEXT u.name;
	END LOOP;
END $$;
SELECT array_agg(x) FROM names(2) x;
SELECT array_agg(x) FROM names(NULL) x;

-- Expressions that are the same if two values are: decided when it is executed
PREPARE grouped(int, int) AS SELECT * FROM corm.pluck(NULL::int, corm.selector('users'), corm.select(corm.add('age', $1)), corm.group_by(corm.add('age', $2)), corm.order_by(corm.add('age', $2))) x LIMIT 2;
EXECUTE grouped(10, 10);
SET plan_cache_mode = force_generic_plan;
EXECUTE grouped(20, 20);
RESET plan_cache_mode;

-- Errors are those of the query
SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('nope', 1)));
SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('age', 'x')));
SELECT * FROM corm.get_multi(NULL::users, corm.where(NULL));
SELECT * FROM corm.get_multi(NULL::users, VARIADIC NULL);
SELECT * FROM corm.get_multi(NULL::users, corm.limit(-1));
SELECT * FROM corm.get_multi(NULL::int);
SELECT * FROM corm.get_multi(NULL::record, corm.selector('users')) AS (id int);

SET client_min_messages = warning;
DROP SCHEMA il CASCADE;
