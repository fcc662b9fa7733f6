-- Verbs that return one value, for each row of a statement: as a subquery in its plan.
CREATE SCHEMA iv;
SET search_path = iv, public;
SET client_min_messages = warning;
SET corm.inline = on;
CREATE TABLE companies (id int PRIMARY KEY, name text NOT NULL, hq int);
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age int, company_id int REFERENCES companies, data jsonb);
INSERT INTO companies SELECT i, 'c' || i, nullif(i % 3, 0) FROM generate_series(1, 6) i;
INSERT INTO users SELECT i, 'u' || i, nullif(i % 5, 0), nullif(i % 6, 0), jsonb_build_object('n', i) FROM generate_series(1, 30) i;
ANALYZE companies, users;

CREATE FUNCTION calls(statement text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE line text; n int := 0;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
		n := n + (SELECT count(*) FROM regexp_matches(line, 'corm\.(count|exists|value|get_multi_json|get_multi_json_text|first|get)\(', 'g'));
	END LOOP;
	RETURN n;
END $$;
CREATE FUNCTION is_join(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP plan := plan || line; END LOOP;
	RETURN plan NOT LIKE '%SubPlan%' AND plan ~ 'Join|Nested Loop';
END $$;
SELECT is_join($$SELECT c.id FROM companies c WHERE corm.exists(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.gt('age', 2)))$$);
SELECT is_join($$SELECT c.id FROM companies c WHERE NOT corm.exists(corm.selector('users'), corm.where(corm.eq('company_id', c.id)))$$);
CREATE FUNCTION both_ways(q text, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE results text[] := '{}'; result text;
BEGIN
	FOR i IN 1..2 LOOP
		PERFORM set_config('corm.inline', CASE i WHEN 1 THEN 'off' ELSE 'on' END, true);
		BEGIN
			EXECUTE 'SELECT coalesce(string_agg(r::text, '','' ORDER BY r::text), ''none'') FROM (' || q || ') r' INTO result;
		EXCEPTION WHEN others THEN
			result := 'ERROR ' || SQLSTATE || ' ' || SQLERRM;
		END;
		results := results || result;
	END LOOP;
	answer := CASE WHEN results[1] = results[2] THEN CASE WHEN results[1] LIKE 'ERROR%' THEN 'same error' ELSE 'same' END
		ELSE format('DIFFERENT: %s: %s, %s', q, results[1], results[2]) END;
END $$;
SELECT n, calls(q), answer FROM unnest(ARRAY[
	-- compiled in
	'SELECT c.id, corm.count(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id))) FROM companies c',
	'SELECT c.id, corm.exists(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id))) FROM companies c',
	'SELECT c.id FROM companies c WHERE corm.exists(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id)))',
	'SELECT c.id FROM companies c WHERE NOT corm.exists(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id)))',
	'SELECT c.id FROM companies c WHERE corm.exists(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id)), corm.limit(1)) OR c.id = 6',
	'SELECT c.id, coalesce(corm.value(NULL::int, corm.selector(''users''), corm.select(corm.max(''age'')), corm.where(corm.eq(''company_id'', c.id))), 0) + 1 FROM companies c',
	'SELECT c.id, corm.value(NULL::text, corm.selector(''users''), corm.select(''name''), corm.where(corm.eq(''company_id'', c.id)), corm.order_by(''-id'')) FROM companies c',
	'SELECT c.id, corm.get_multi_json(corm.selector(''users''), corm.select(''id'', ''name''), corm.where(corm.eq(''company_id'', c.id)), corm.order_by(''id'')) FROM companies c',
	'SELECT c.id, corm.get_multi_json_text(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id)), corm.order_by(''id''), corm.preload(''company'')) FROM companies c',
	'SELECT c.id FROM companies c WHERE corm.count(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id))) > 4',
	'SELECT c.id FROM companies c ORDER BY corm.count(corm.selector(''users''), corm.where(corm.eq(''company_id'', c.id))), c.id LIMIT 3',
	'SELECT CASE WHEN c.id > 2 THEN corm.count(corm.selector(''users''), corm.where(corm.gt(''id'', c.id))) END FROM companies c',
	'SELECT c.id, d.id AS d FROM companies c LEFT JOIN companies d ON corm.exists(corm.selector(''users''), corm.where(corm.eq(''id'', c.id), corm.eq(''id'', d.id)))',
	'SELECT (SELECT corm.count(corm.selector(''users''), corm.where(corm.lt(''id'', c.id)))) FROM companies c',
	-- called: not for each row, grouped, with NULLs, or verbs that can fail
	'SELECT corm.count(corm.selector(''users''))',
	'SELECT c.id, corm.count(corm.selector(''users'')) FROM companies c',
	'SELECT count(*), corm.count(corm.selector(''users''), corm.where(corm.gt(''age'', c.hq))) FROM companies c GROUP BY c.hq',
	'SELECT DISTINCT corm.count(corm.selector(''users''), corm.where(corm.gt(''age'', c.hq))) FROM companies c',
	'SELECT max(corm.count(corm.selector(''users''), corm.where(corm.gt(''age'', c.hq)))) FROM companies c',
	'SELECT c.id, corm.count(corm.selector(''users''), corm.where(corm.eq(''age'', c.hq))) FROM companies c',
	'SELECT c.id, (corm.first(NULL::users, corm.where(corm.eq(''company_id'', c.id)))).name FROM companies c',
	'SELECT c.id, (corm.get(NULL::users, corm.where(corm.eq(''company_id'', c.id)))).name FROM companies c']) WITH ORDINALITY q(q, n), both_ways(q) ORDER BY n;

-- in writes the verb is called, and sees what the write has done
CREATE TABLE log (id int, n bigint);
INSERT INTO log SELECT id FROM companies;
UPDATE log SET n = corm.count(corm.selector('log'), corm.where(corm.is_null('n'), corm.gt('id', log.id)));
SELECT * FROM log ORDER BY id;
DELETE FROM log WHERE corm.exists(corm.selector('users'), corm.where(corm.eq('company_id', log.id))) RETURNING id, corm.count(corm.selector('users'), corm.where(corm.eq('company_id', log.id)));

-- rights, and plans that are kept
CREATE ROLE regress_iv_alice;
GRANT USAGE ON SCHEMA iv, corm TO regress_iv_alice;
GRANT SELECT ON companies, users TO regress_iv_alice;
CREATE POLICY adults ON users USING (age > 2);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
SET plan_cache_mode = force_generic_plan;
PREPARE q AS SELECT c.id, corm.count(corm.selector('users'), corm.where(corm.eq('company_id', c.id))),
	corm.exists(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.lt('age', 2))) FROM companies c WHERE c.id < 3 ORDER BY c.id;
PREPARE x AS SELECT array_agg(c.id ORDER BY c.id) FROM companies c WHERE corm.exists(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.lt('age', 2)));
EXECUTE q; EXECUTE x;
SET ROLE regress_iv_alice; EXECUTE q; EXECUTE x;
SET row_security = off; EXECUTE q; EXECUTE x; SET row_security = on;
RESET ROLE; EXECUTE q; EXECUTE x;
SELECT FROM corm.define_scope('users', 'few', corm.where(corm.lt('id', 3)), true);
EXECUTE q; EXECUTE x;
SELECT FROM corm.drop_scope('users', 'few');
COMMENT ON COLUMN users.data IS '@orm:hidden';
PREPARE j AS SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', c.id))) FROM companies c WHERE c.id = 1;
EXECUTE j;
COMMENT ON COLUMN users.data IS NULL;
EXECUTE j;
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.name := 'found'; RETURN u; END $$;
EXECUTE j;
DROP FUNCTION after_find(users);
EXECUTE j;
ALTER TABLE users ADD big bigint DEFAULT 9007199254740993;
EXECUTE j;
SET corm.json_bigint = 'string';
EXECUTE j;
RESET corm.json_bigint;
EXECUTE j;
REVOKE SELECT ON users FROM regress_iv_alice;
SET ROLE regress_iv_alice; EXECUTE q; EXECUTE x; EXECUTE j; RESET ROLE;

-- guards: what is around does not see the rows that they keep
CREATE FUNCTION tells(int) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE WARNING 'sees %', $1; RETURN true; END $$;
SELECT c.id FROM companies c WHERE c.id < 3 AND corm.exists(corm.selector('users'), corm.guard('users', corm.lt('id', 2)), corm.where(corm.eq('company_id', c.id), corm.fn('tells', corm.c('id'))));

DROP SCHEMA iv CASCADE;
DROP OWNED BY regress_iv_alice;
DROP ROLE regress_iv_alice;
