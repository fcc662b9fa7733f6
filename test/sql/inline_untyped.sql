-- Parameters without a type in prepared statements: texts, which a plan for all values converts once for each execution.
CREATE SCHEMA iu;
SET search_path = iu, public;
SET client_min_messages = warning;
SET corm.inline = on;
SET plan_cache_mode = force_generic_plan;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN small AS int CHECK (VALUE < 1000);
CREATE TABLE companies (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age int, level small NOT NULL DEFAULT 1, feels mood, active boolean NOT NULL, company_id int REFERENCES companies,
	born timestamptz, tags int[], data jsonb, code char(4));
INSERT INTO companies SELECT i, 'c' || i FROM generate_series(1, 3) i;
INSERT INTO users SELECT i, 'user' || i, nullif(i % 7, 0), i, (ARRAY['sad', 'ok', 'happy', NULL])[1 + i % 4]::mood, i % 3 <> 0, 1 + i % 3,
	'2026-01-01 00:00+00'::timestamptz + i * interval '1 hour', ARRAY[i, i % 5], jsonb_build_object('n', i), 'k' || i FROM generate_series(1, 40) i;
CREATE INDEX ON users (company_id, age);
ANALYZE companies, users;

-- What a plan does to the values: subqueries that are evaluated once, and conversions in conditions of rows and of indexes.
CREATE FUNCTION conversions(statement text, OUT once int, OUT by_row int, OUT by_index int, OUT called boolean) LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	once := 0; by_row := 0; by_index := 0; called := false;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		once := once + (line ~ '^ *InitPlan')::int;
		by_row := by_row + (line ~ 'Filter:.*(\$\d+\)::|like_pattern)')::int;
		by_index := by_index + (line ~ 'Index Cond:.*\$\d+\)::')::int;
		called := called OR line ~ 'Function Scan';
	END LOOP;
END $$;
-- Runs a statement with parameters without types in all ways, and holds the answers against each other.
CREATE FUNCTION all_ways(statement text, vals text, OUT once int, OUT by_row int, OUT by_index int, OUT called boolean, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE results text[] := '{}'; result text;
BEGIN
	EXECUTE 'PREPARE s AS SELECT string_agg(r::text, '' '' ORDER BY r::text) FROM (' || statement || ') r';
	FOR i IN 1..4 LOOP
		PERFORM set_config('corm.inline', CASE i WHEN 1 THEN 'off' ELSE 'on' END, true),
			set_config('plan_cache_mode', CASE i WHEN 2 THEN 'force_custom_plan' ELSE 'force_generic_plan' END, true);
		BEGIN
			EXECUTE 'EXECUTE s(' || vals || ')' INTO result;
		EXCEPTION WHEN others THEN
			result := 'ERROR ' || SQLSTATE || ' ' || SQLERRM;
		END;
		results := results || coalesce(result, 'none');
	END LOOP;
	SELECT c.* INTO once, by_row, by_index, called FROM conversions('EXECUTE s(' || vals || ')') c;
	DEALLOCATE s;
	answer := CASE WHEN results[1] = ALL (results) THEN results[1] ELSE 'DIFFERENT: ' || results::text END;
END $$;
SET enable_bitmapscan = off;
SET jit = off;
SET enable_seqscan = off;
CREATE TABLE statements (n int GENERATED ALWAYS AS IDENTITY, statement text, vals text);
INSERT INTO statements (statement, vals) VALUES
	-- rows are compared with the value
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.gte('age', $1), corm.eq('active', $2), corm.lt('id', $3)))$$, $$6, true, 20$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('age', $1), corm.lt('level', $2)))$$, $$3, 20$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('age', $1)))$$, $$NULL$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.neq('age', $1), corm.lt('level', 5)))$$, $$NULL$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.neq('age', $1), corm.lt('level', 12)))$$, $$3$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.not(corm.eq('feels', $1)), corm.lt('level', 6)))$$, $$'ok'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.between('age', $1, $2), corm.eq('feels', $3)))$$, $$2, 4, 'happy'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.in('age', $1, $2), corm.lte('level', 10)))$$, $$2, 4$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.not_in('age', $1, $2), corm.lte('level', 5)))$$, $$2, NULL$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.lt('born', $1)))$$, $$'2026-01-01 04:00+00'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.contains('name', $1), corm.ends_with('name', $2)))$$, $$'R1', '1'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.contains('name', $1), corm.ends_with('name', $2)))$$, $$'r1', '1'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('code', $1)))$$, $$'k7'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.or(corm.gt('level', $1), corm.lt('level', $2))))$$, $$38, 3$$),
	-- nothing to convert
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('name', $1)))$$, $$'user7'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.gt('age', $1::int), corm.lt('level', 10)))$$, $$4$$),
	-- the value is looked for in an index, once
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', $1)))$$, $$7$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', $1), corm.eq('age', $2)))$$, $$8, 1$$),
	-- around and within other queries
	($$SELECT c.id, (SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id), corm.gt('level', $1)))) FROM companies c$$, $$20$$),
	($$SELECT c.id, corm.count(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.gt('level', $1))) FROM companies c$$, $$20$$),
	($$SELECT c.id FROM companies c WHERE corm.exists(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.gt('level', $1)))$$, $$39$$),
	($$SELECT c.id, u.id FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id), corm.gt('level', $1)), corm.order_by('id'), corm.limit(1)) u$$, $$20$$),
	($$SELECT c.id FROM companies c, corm.get_multi(NULL::users, corm.where(corm.eq('level', c.id::text), corm.gt('level', $1))) u$$, $$2$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('company.name', $1), corm.some('company', corm.gt('id', $2), corm.lt('name', $3)), corm.lt('level', $4)))$$, $$'c2', 1, 'd', 20$$),
	($$WITH w AS (SELECT $1::text AS x) SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.lt('level', (SELECT x FROM w))))$$, $$3$$),
	($$WITH w AS MATERIALIZED (SELECT $1::text AS x) SELECT id, (SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.lt('level', (SELECT x FROM w)), corm.eq('id', c.id)))) FROM companies c$$, $$3$$),
	($$SELECT u FROM corm.pluck(NULL::int, corm.selector('users'), corm.select('id'), corm.where(corm.lt('level', $1)), corm.union(corm.pipe(corm.selector('users'), corm.select('level'), corm.where(corm.gt('level', $2))))) u$$, $$3, 38$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.lt('level', $1)), corm.order_by('id'), corm.limit($2), corm.offset($3))$$, $$9, 3, 2$$),
	-- errors
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.gt('level', $1)))$$, $$'many'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.eq('feels', $1)))$$, $$'glad'$$);
SELECT n, w.* FROM statements, all_ways(statement, vals) w ORDER BY n;

RESET enable_seqscan;

-- once, however many rows, and not if there are none
CREATE FUNCTION evaluations(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ' || statement LOOP
		IF line ~ 'Result' THEN result := result || CASE WHEN line ~ 'never executed' THEN ' never' ELSE substring(line FROM ' loops=\d+') END; END IF;
	END LOOP;
	RETURN result;
END $$;
PREPARE several AS SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.gt('level', $1), corm.eq('feels', $2)));
SELECT evaluations($$EXECUTE several(3, 'ok')$$), evaluations($$EXECUTE several(999, 'ok')$$);
PREPARE joined AS SELECT count(*) FROM companies c, generate_series(1, 10) g, LATERAL (SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('company_id', c.id), corm.gt('level', $1))) OFFSET 0) u WHERE u.id > g;
SELECT evaluations($$EXECUTE joined(3)$$);

-- The text is converted at each execution: its meaning depends on settings.
PREPARE by_time AS SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.lt('born', $1)));
SET TimeZone = 'UTC'; EXECUTE by_time('2026-01-01 10:00');
SET TimeZone = 'Etc/GMT-5'; EXECUTE by_time('2026-01-01 10:00');
RESET TimeZone;
EXECUTE by_time('today');
CREATE FUNCTION level_over(x text, OUT n bigint) LANGUAGE plpgsql AS $$ BEGIN SELECT count(*) INTO n FROM corm.get_multi(NULL::users, corm.where(corm.gt('level', x))); END $$;
SELECT level_over('3'), level_over('39'), level_over(NULL);
SELECT level_over('x');
CREATE FUNCTION level_over_sql(x text) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.gt('level', x))) $$;
SELECT sum(level_over_sql(x::text)) FROM generate_series(1, 40) x;

-- A list of texts
PREPARE listed(text[]) AS SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.in('level', VARIADIC $1)));
SELECT once, by_row FROM conversions($$EXECUTE listed('{1,2}')$$);
EXECUTE listed('{1,2}'); EXECUTE listed('{}'); EXECUTE listed('{NULL,3}'); EXECUTE listed(NULL);

-- Partitions are chosen before the execution, and only these are opened.
CREATE TABLE parts (id int NOT NULL, tenant int NOT NULL, n int) PARTITION BY LIST (tenant);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts SELECT i, 1 + i % 2, i FROM generate_series(1, 10) i;
PREPARE tenants AS SELECT id FROM corm.get_multi(NULL::parts, corm.where(corm.eq('tenant', $1), corm.gt('n', $2)));
SELECT once, by_row FROM conversions('EXECUTE tenants(1, 7)');
EXPLAIN (COSTS OFF) EXECUTE tenants(1, 7);
EXECUTE tenants(1, 7);

-- In parallel workers
CREATE TABLE many AS SELECT i AS id, i % 1000 AS n FROM generate_series(1, 20000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE FUNCTION has_line(statement text, pattern text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		IF line ~ pattern THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
PREPARE counted AS SELECT count(*), sum(id) FROM corm.get_multi(NULL::many, corm.where(corm.lt('n', $1)));
SELECT has_line('EXECUTE counted(3)', 'Workers Planned');
EXECUTE counted(3);


-- Where each execution is planned for its values, the query is kept, and the values are converted each time.
SET plan_cache_mode = force_custom_plan;
CREATE FUNCTION kept() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'corm compiled call' $$;
CREATE FUNCTION thrice(v text, w text, p text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE r text; answers text[]; detail text; path text;
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			answers := '{}';
			SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM corm.get_multi(NULL::iu.users, corm.where(corm.eq('age', v), corm.lt('level', w)));
			answers := answers || coalesce(r, 'none');
			SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM corm.get_multi(NULL::iu.users, corm.where(corm.not(corm.eq('age', v)), corm.lt('id', w)));
			answers := answers || coalesce(r, 'none');
			SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM corm.get_multi(NULL::iu.users, corm.where(corm.in('id', v, w)));
			answers := answers || coalesce(r, 'none');
			SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM corm.get_multi(NULL::iu.users, corm.where(corm.contains('name', p), corm.lt('id', w)));
			answers := answers || coalesce(r, 'none');
			SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM corm.pluck(NULL::int, corm.selector('iu.users'), corm.select('id'), corm.where(corm.eq('feels', p), corm.lt('id', w))) id;
			answers := answers || coalesce(r, 'none');
			RETURN NEXT array_to_string(answers, ', ');
		EXCEPTION WHEN others THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_CONTEXT;
			RETURN NEXT SQLSTATE || ' ' || SQLERRM || ', ' || split_part(detail, E'\n', 1);
		END;
	END LOOP;
END $$;
SELECT thrice('3', '11', 'ok');
SELECT thrice(NULL, '9', 'happy');
SELECT thrice('3', NULL, 'sad');
SELECT thrice('4', '20', NULL);
SELECT thrice('x', '20', 'ok');
SELECT thrice('3', '11', 'glad');
SELECT kept() > 2 AS kept;
-- a text that is another time at each execution is converted then, also after a cursor was opened
CREATE FUNCTION times(v text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	FOR i IN 1 .. 3 LOOP
		SELECT count(*) INTO n FROM corm.get_multi(NULL::iu.users, corm.where(corm.lt('born', v)));
		RETURN NEXT n;
	END LOOP;
END $$;
SELECT times('2026-01-01 10:00+00');
SELECT times('tomorrow');
SET TimeZone = 'Etc/GMT-5'; SELECT times('2026-01-01 10:00'); SET TimeZone = 'UTC'; SELECT times('2026-01-01 10:00'); RESET TimeZone;
SELECT times('2026-01-01 10:00+00');
SELECT kept() AS kept;
CREATE FUNCTION opened(c refcursor, v text) RETURNS refcursor LANGUAGE plpgsql AS $$
BEGIN
	OPEN c FOR SELECT count(*) FROM corm.get_multi(NULL::iu.users, corm.where(corm.lt('born', v)));
	RETURN c;
END $$;
CREATE FUNCTION opened_literal(c refcursor, v int) RETURNS refcursor LANGUAGE plpgsql AS $$
BEGIN
	OPEN c FOR SELECT count(*) FROM corm.get_multi(NULL::iu.users, corm.where(corm.lt('born', '2026-01-01 10:00'), corm.lt('id', v)));
	RETURN c;
END $$;
BEGIN;
SET LOCAL TimeZone = 'UTC'; SELECT opened('c', '2026-01-01 10:00'), opened('d', '2026-01-01 10:00'), opened('a', '2026-01-01 10:00'), opened_literal('b', 30);
SET LOCAL TimeZone = 'Etc/GMT-5'; FETCH a; FETCH b;
COMMIT;
-- where everybody may execute the functions, it does not matter who else may
GRANT EXECUTE ON FUNCTION corm.lt(text, "any"), corm.get_multi(anyelement, corm.query[]) TO pg_read_all_data;
SELECT times('2026-01-01 10:00+00');
SELECT kept() AS kept;
REVOKE EXECUTE ON FUNCTION corm.lt(text, "any"), corm.get_multi(anyelement, corm.query[]) FROM pg_read_all_data;
-- the calls of a view are two
CREATE VIEW two AS SELECT a.id FROM corm.get_multi(NULL::users, corm.where(corm.lt('id', 9))) a, corm.get_multi(NULL::users, corm.where(corm.gt('id', 4))) b WHERE a.id = b.id;
PREPARE two(text) AS SELECT count(*) FROM two, corm.get_multi(NULL::users, corm.where(corm.gt('id', $1))) c, corm.get_multi(NULL::users, corm.where(corm.lt('id', $1))) d WHERE c.id = two.id;
EXECUTE two('5'); EXECUTE two('6'); EXECUTE two('7');
SELECT kept() AS kept;
-- labels of an enum
PREPARE labels AS SELECT array_agg(id) FROM corm.get_multi(NULL::users, corm.where(corm.eq('feels', 'ok'), corm.lt('id', $1)));
EXECUTE labels(10); EXECUTE labels(10); EXECUTE labels(10);
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; EXECUTE labels(10);
ALTER TYPE mood RENAME VALUE 'happy' TO 'ok'; EXECUTE labels(10);
SET plan_cache_mode = force_generic_plan; EXECUTE labels(10);
ALTER TYPE mood RENAME VALUE 'ok' TO 'happy'; EXECUTE labels(10);
ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'; EXECUTE labels(10);
SET plan_cache_mode = force_custom_plan;
-- what is not evaluated is not converted
INSERT INTO statements (statement, vals) VALUES
	($$SELECT CASE WHEN $1 ~ '^\d+$' THEN (SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.lt('level', $1), corm.in('id', $1, $2)))) END$$, $$'x', 3$$),
	($$SELECT CASE WHEN $1 ~ '^\d+$' THEN (SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.lte('level', $1), corm.in('id', $1, $2)))) END$$, $$4, 3$$),
	($$SELECT coalesce((SELECT max(c.id) FROM companies c), (SELECT count(*) FROM corm.get_multi(NULL::users, corm.where(corm.lt('level', $1))))::int)$$, $$'x'$$),
	($$SELECT c.id, CASE WHEN c.id = $1::int THEN corm.count(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.lt('level', $2))) END FROM companies c$$, $$7, 'x'$$),
	($$SELECT c.id, CASE WHEN c.id = $1::int THEN corm.count(corm.selector('users'), corm.where(corm.eq('company_id', c.id), corm.lt('level', $2))) END FROM companies c$$, $$2, 20$$),
	-- a list that is NULL has no type of its own either
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.in('level', VARIADIC $1::text[])))$$, $$NULL$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.not_in('level', VARIADIC $1::text[]), corm.lt('id', 4)))$$, $$'{1}'$$),
	($$SELECT id FROM corm.get_multi(NULL::users, corm.where(corm.overlaps('tags', $1::text[]), corm.lt('id', 4)))$$, $$NULL$$);
SELECT n, w.* FROM statements, all_ways(statement, vals) w WHERE n > 30 ORDER BY n;
-- an index that has but some of the rows, or that is not about the column first, does not find the value
CREATE TABLE partly AS SELECT i AS id, i % 100 AS a, i AS b FROM generate_series(1, 1000) i;
CREATE INDEX ON partly (a) WHERE id < 0;
CREATE INDEX ON partly (b, a);
ANALYZE partly;
SET plan_cache_mode = force_generic_plan;
PREPARE partial AS SELECT id FROM corm.get_multi(NULL::partly, corm.where(corm.eq('a', $1)));
SELECT once, by_row FROM conversions('EXECUTE partial(1)');
SET plan_cache_mode = force_custom_plan;
-- an input function that changes what is kept while it converts
CREATE FUNCTION meddle(x int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF x = 13 THEN
		PERFORM corm.define_scope('iu.users', 'few', corm.where(corm.lt('id', 3)), true);
	END IF;
	RETURN true;
END $$;
CREATE DOMAIN meddled AS int CHECK (meddle(VALUE));
CREATE FUNCTION twin(m meddled) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT m::int $$;
CREATE FUNCTION few(v text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	FOR i IN 1 .. 3 LOOP
		SELECT count(*) INTO n FROM corm.get_multi(NULL::iu.users, corm.where(corm.gt('id', corm.fn('iu.twin', v))));
		RETURN NEXT n;
	END LOOP;
END $$;
SELECT few('38');
SELECT few('13');
SELECT few('0');

DROP SCHEMA iu CASCADE;
