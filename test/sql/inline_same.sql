-- A compiled query gives what the call gives: the same statements with corm.inline on and off.
CREATE SCHEMA same;
SET search_path = same, public;
SET client_min_messages = warning;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, c int NOT NULL, d date, j jsonb, r int4range);
INSERT INTO t SELECT i, nullif(i % 5, 0), nullif('t' || i % 7, 't0'), i % 3, nullif(date '2020-01-01' + i % 4, date '2020-01-01'), jsonb_build_object('k', i % 2), int4range(i, i + 3)
	FROM generate_series(1, 40) i;
ANALYZE t;

-- Runs a query under both settings and tells whether the results, or the errors, are the same.
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
	answer := CASE WHEN results[1] = results[2] THEN CASE WHEN results[1] LIKE 'ERROR%' THEN 'same error' WHEN results[1] = 'none' THEN 'same, empty' ELSE 'same' END
		ELSE format('DIFFERENT: %s: %s, %s', q, results[1], results[2]) END;
END $$;

-- A value from a column, in every kind of condition
CREATE TABLE conditions (typ text, condition text);
INSERT INTO conditions VALUES
	('int', 'corm.eq(''a'', %s)'), ('int', 'corm.neq(''a'', %s)'), ('int', 'corm.not(corm.eq(''a'', %s))'), ('int', 'corm.not(corm.neq(''a'', %s))'),
	('int', 'corm.eq(''c'', %s)'), ('int', 'corm.not(corm.eq(''c'', %s))'), ('int', 'corm.neq(''c'', %s)'), ('int', 'corm.not(corm.neq(''c'', %s))'),
	('int', 'corm.or(corm.eq(''a'', %s), corm.eq(''id'', 3))'), ('int', 'corm.not(corm.or(corm.eq(''a'', %s), corm.eq(''c'', %1$s)))'),
	('int', 'corm.is_distinct_from(''a'', %s)'), ('int', 'corm.not(corm.is_distinct_from(''a'', %s))'), ('int', 'corm.lt(''a'', %s)'),
	('int', 'corm.between(''a'', %s, 4)'), ('int', 'corm.between(''a'', 1, %s)'), ('int', 'corm.is_not_true(corm.eq(''a'', %s))'),
	('int', 'corm.is_not_true(corm.neq(''c'', %s))'), ('int', 'corm.in(''a'', ARRAY[%s, 2])'), ('int', 'corm.not_in(''a'', ARRAY[%s, 2])'),
	('int', 'corm.in(''a'', %s, 2)'), ('int', 'corm.not_in(''a'', %s, 2)'), ('int', 'corm.eq(''a'', corm.add(''c'', %s))'), ('int', 'corm.eq(corm.add(''c'', %s), 3)'),
	('int', 'corm.eq(corm.val(%s), corm.c(''a''))'), ('int', 'corm.eq(''a'', corm.val(%s))'), ('int', 'corm.eq(corm.coalesce(corm.c(''a''), %s), 2)'),
	('int', 'corm.eq(''d'', (date ''2020-01-01'' + %s))'), ('int', 'corm.not(corm.and(corm.eq(''a'', %s), corm.neq(''c'', %1$s)))'),
	('int', 'corm.eq(corm.case(corm.eq(''a'', %s), 1, 2), 1)'), ('int', 'corm.raw(''$1 = a'', %s)'), ('int', 'corm.eq(corm.fn(''abs'', %s), corm.c(''a''))'),
	('int', 'corm.superset(''r'', %s)'), ('int', 'corm.eq(corm.cast(corm.val(%s), ''text''), ''2'')'), ('int', 'corm.eq(''b'', corm.cast(%s, ''text''))'),
	('int', 'corm.any_of(%s, ''a'')'), ('int', 'corm.eq(corm.json_get_text(''j'', ''k''), corm.cast(%s, ''text''))'),
	('int', 'corm.in(''id'', corm.selector(''same.t''), corm.select(''id''), corm.where(corm.eq(''c'', %s)))'), ('int', 'corm.some(corm.selector(''same.t'', ''x''), corm.where(corm.eq(corm.c(''x.a''), %s)))'),
	('text', 'corm.eq(''b'', %s)'), ('text', 'corm.neq(''b'', %s)'), ('text', 'corm.not(corm.eq(''b'', %s))'), ('text', 'corm.like(''b'', %s)'),
	('text', 'corm.contains(''b'', %s)'), ('text', 'corm.starts_with(''b'', %s)'), ('text', 'corm.ends_with(''b'', %s)'), ('text', 'corm.icontains(''b'', %s)'),
	('text', 'corm.in(''b'', VARIADIC ARRAY[%s, ''t2''])'), ('text', 'corm.in(''b'', %s)'), ('text', 'corm.in(''b'', %s, ''t2'')'), ('text', 'corm.gt(''b'', %s)'), ('text', 'corm.regex(''b'', %s)'),
	('text', 'corm.eq(''a'', %s)'), ('text', 'corm.neq(''a'', %s)'), ('text', 'corm.gt(''c'', %s)'), ('text', 'corm.between(''id'', %s, ''9'')'), ('text', 'corm.eq(corm.concat(''b'', %s), ''t1t1'')'),
	('text', 'corm.search(''b'', %s)'), ('text', 'corm.has_key(''j'', %s)'), ('text', 'corm.eq(corm.coalesce(''b'', %s), ''t1'')');
CREATE TABLE vals (i int, n int NOT NULL, s text, k text NOT NULL);
INSERT INTO vals VALUES (1, 1, '1', 'k'), (2, 2, 't1', 't1'), (NULL, 0, NULL, 't%'), (0, 4, 'x', '2');
ANALYZE vals;
SELECT answer, count(*) FROM conditions, (VALUES ('v.i'), ('v.n'), ('v.s'), ('v.k'), ('NULL::int'), ('NULL::text'), ('(v.i + v.n)'), ('(v.s || v.k)'),
		('(SELECT max(w.i) FROM vals w)'), ('(SELECT w.i FROM vals w WHERE w.n = v.n)'), ('(SELECT max(w.s) FROM vals w)'), ('(SELECT w.s FROM vals w WHERE w.k = v.k)')) AS v(v),
	both_ways(format('SELECT v.i, v.n, u.* FROM vals v, corm.get_multi(NULL::t, corm.where(' || condition || ')) u', v))
	WHERE (typ = 'int') = (v IN ('v.i', 'v.n', 'NULL::int', '(v.i + v.n)') OR v LIKE '%w.i%')
	GROUP BY answer ORDER BY 1;

-- A value that is a variable of PL/pgSQL, in custom and in generic plans
CREATE FUNCTION as_variable(condition text, typ text, v text, mode text, OUT answer text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('plan_cache_mode', mode, true);
	EXECUTE format('CREATE OR REPLACE FUNCTION same.f(p %s) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN (SELECT coalesce(string_agg(id::text, '','' ORDER BY id), ''none'') FROM corm.get_multi(NULL::same.t, corm.where(%s)) u); END $f$',
		typ, format(condition, 'p'));
	answer := (SELECT b.answer FROM both_ways(format('SELECT same.f(%L)', v)) b);
END $$;
SELECT answer, count(*) FROM conditions, (VALUES ('int', '1'), ('int', NULL), ('int', '4'), ('int', '0'), ('text', '1'), ('text', NULL), ('text', 't1'), ('text', 'x'), ('text', '2')) AS v(of_type, v),
	(VALUES ('force_generic_plan'), ('force_custom_plan')) AS m(mode), as_variable(condition, typ, v, mode)
	WHERE typ = of_type GROUP BY answer ORDER BY 1;

-- Other places of calls and values
SELECT q, answer FROM unnest(ARRAY[
	'SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', NULL::int)), corm.order_by(''-id''), corm.limit(3)) u',
	'SELECT u.id, v.n FROM (VALUES (1), (NULL), (3)) v(n), corm.get_multi(NULL::t, corm.order_by(''-id''), corm.limit(v.n)) u',
	'SELECT u.id, v.n FROM (VALUES (1), (-3)) v(n), corm.get_multi(NULL::t, corm.order_by(''-id''), corm.limit(v.n)) u',
	'SELECT u.id FROM vals v, LATERAL (SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.eq(''c'', v.n))) x WHERE x.id > v.n OFFSET 0) u',
	'SELECT v.id, (SELECT count(*) FROM corm.get_multi(NULL::t, corm.where(corm.eq(''c'', v.a))) u) FROM t v',
	'SELECT v.id, EXISTS (SELECT 1 FROM corm.get_multi(NULL::t, corm.where(corm.eq(''id'', v.a))) u WHERE u.c = v.c) FROM t v',
	'SELECT v.id FROM t v WHERE NOT EXISTS (SELECT FROM corm.get_multi(NULL::t, corm.where(corm.eq(''id'', v.c), corm.gt(''id'', 1))))',
	'SELECT v.id FROM t v WHERE v.id IN (SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.gt(''a'', 3))))',
	'SELECT v.id FROM t v WHERE v.id NOT IN (SELECT x FROM corm.pluck(NULL::int, corm.selector(''same.t''), corm.select(''a'')) x WHERE x IS NOT NULL)',
	'SELECT v.id FROM t v WHERE v.id NOT IN (SELECT x FROM corm.pluck(NULL::int, corm.selector(''same.t''), corm.select(''a'')) x)',
	'SELECT v.id, u.* FROM t v LEFT JOIN corm.get_multi(NULL::t, corm.where(corm.gt(''a'', 3))) u ON u.id = v.id',
	'SELECT v.id, u FROM t v LEFT JOIN corm.get_multi(NULL::t, corm.where(corm.gt(''a'', 3))) u ON u.id = v.id',
	'SELECT v.id, u, u IS NULL FROM t v FULL JOIN corm.get_multi(NULL::t, corm.where(corm.gt(''a'', 3))) u ON u.id = v.id + 3',
	'SELECT v.id, u.id FROM vals w LEFT JOIN t v ON v.id = w.i LEFT JOIN LATERAL corm.get_multi(NULL::t, corm.where(corm.eq(''a'', v.c))) u ON true',
	'SELECT v.id, u.id FROM vals w LEFT JOIN t v ON v.id = w.i LEFT JOIN LATERAL corm.get_multi(NULL::t, corm.where(corm.eq(''c'', v.c))) u ON true',
	'WITH x AS (SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.gt(''a'', 3)))) SELECT x.* FROM x, x y',
	'WITH x AS MATERIALIZED (SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.gt(''a'', 3)))) SELECT x.* FROM x, x y',
	'WITH RECURSIVE x AS (SELECT 1 AS n UNION SELECT u.id + 1 FROM x, corm.get_multi(NULL::t, corm.where(corm.eq(''id'', n))) u WHERE n < 9) SELECT * FROM x',
	'SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.gt(''nope'', 3)))',
	'SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 30)), corm.union(corm.pipe(corm.selector(''same.t''), corm.where(corm.lt(''id'', 3)))))',
	'SELECT a FROM corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 30)), corm.union(corm.pipe(corm.selector(''same.t''), corm.where(corm.lt(''id'', 3)))))',
	'SELECT count(*), a FROM corm.get_multi(NULL::t) GROUP BY a HAVING count(*) > 7',
	'SELECT a, row_number() OVER (ORDER BY id) FROM corm.get_multi(NULL::t, corm.where(corm.lt(''id'', 5)))',
	'SELECT DISTINCT a FROM corm.get_multi(NULL::t)',
	'SELECT a FROM corm.get_multi(NULL::t, corm.distinct_on(''a''), corm.order_by(''a'', ''-id''))',
	'SELECT c, n FROM corm.get_multi(NULL::t, corm.limit(3), corm.order_by(''id'')) u, generate_series(1, u.id) n',
	'SELECT GROUPING(a, c), a, c, count(*) FROM corm.get_multi(NULL::t) GROUP BY ROLLUP (a, c)',
	'SELECT v.c, (SELECT sum(x) FROM corm.pluck(NULL::int, corm.selector(''same.t''), corm.select(''id''), corm.where(corm.eq(''c'', v.c))) x) FROM t v GROUP BY v.c',
	'SELECT u FROM corm.get_multi(NULL::t) WITH ORDINALITY u',
	'SELECT * FROM ROWS FROM (corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 38))), generate_series(1, 3)) u',
	'SELECT u.id, x.a FROM corm.get_multi(NULL::t, corm.where(corm.lt(''id'', 4))) u, corm.get_multi(u, corm.where(corm.eq(''id'', u.id))) x',
	'SELECT x.* FROM t v, corm.pluck(v.j, corm.selector(''same.t''), corm.select(''j''), corm.where(corm.eq(''id'', v.id))) x',
	'SELECT x FROM corm.get_multi(NULL::t, corm.where(corm.eq(''j'', jsonb ''{"k": 1}'')), corm.limit(2), corm.order_by(''id'')) x',
	'SELECT x FROM vals v, corm.get_multi(NULL::t, corm.where(corm.eq(''j'', jsonb_build_object(''k'', v.i)))) x',
	'SELECT x FROM t v, corm.get_multi(NULL::t, corm.where(corm.overlaps(''r'', v.r))) x WHERE v.id < 4',
	'SELECT x FROM corm.get_multi(NULL::t, corm.where(corm.eq(corm.c(''t.*''), 1))) x']) q, both_ways(q);
-- Subqueries and rows as values
CREATE TYPE place AS (street text, zip int);
CREATE TABLE houses (id int PRIMARY KEY, home place NOT NULL, was place, kept place[]);
INSERT INTO houses SELECT i, ROW('s' || i, i % 4)::place, CASE i % 3 WHEN 1 THEN ROW('s' || i, NULL)::place WHEN 2 THEN ROW(NULL, NULL)::place END, ARRAY[ROW('s' || i, i)::place]
	FROM generate_series(1, 12) i;
CREATE FUNCTION uses_call(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; found boolean := false;
BEGIN
	PERFORM set_config('corm.inline', 'on', true);
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
		found := found OR line LIKE '%Function Call: corm.%';
	END LOOP;
	RETURN found;
END $$;
SELECT n, uses_call(q) AS called, answer FROM unnest(ARRAY[
	-- compiled in
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''id'', (SELECT max(i) FROM vals))))',
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', (SELECT i FROM vals WHERE n = 0))))',
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.neq(''a'', (SELECT i FROM vals WHERE n = 0))))',
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.not(corm.eq(''a'', (SELECT i FROM vals WHERE n = 0)))))',
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', (SELECT i FROM vals WHERE n = 77))))',
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.in(''a'', ARRAY(SELECT n FROM vals))))',
	'SELECT id FROM corm.get_multi(NULL::t, corm.order_by(''id''), corm.limit((SELECT max(i) FROM vals)), corm.offset((SELECT min(n) FROM vals)))',
	'SELECT v.n, u.id FROM vals v, corm.get_multi(NULL::t, corm.where(corm.gt(''id'', (SELECT 30 + count(*) FROM vals w WHERE w.n <= v.n)))) u',
	'SELECT v.n, u.id FROM vals v LEFT JOIN LATERAL corm.get_multi(NULL::t, corm.where(corm.eq(''c'', (SELECT w.n FROM vals w WHERE w.k = v.s)))) u ON true',
	'WITH w AS (SELECT 7 AS id) SELECT u.id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''id'', (SELECT id FROM w)))) u',
	'WITH w AS MATERIALIZED (SELECT i, n FROM vals) SELECT v.n, u.id FROM w v, corm.get_multi(NULL::t, corm.where(corm.eq(''id'', (SELECT w.n FROM w WHERE w.i = v.n)))) u',
	'SELECT u.id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''id'', (SELECT max(x.id) FROM corm.get_multi(NULL::t, corm.where(corm.eq(''c'', (SELECT max(n) - 2 FROM vals)))) x)))) u',
	'SELECT u.id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', CASE WHEN EXISTS (SELECT FROM vals WHERE n = 2) THEN 2 END))) u',
	'SELECT u.id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', CASE WHEN 2 IN (SELECT n FROM vals) THEN 2 END))) u',
	'SELECT u.id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', (SELECT sum(w.n) OVER () FROM vals w LIMIT 1)::int - 5))) u',
	'SELECT u.id FROM corm.get_multi(NULL::t, corm.where(corm.eq(''a'', (SELECT i FROM vals)))) u',
	'SELECT v.n, u.n FROM vals v, LATERAL (SELECT count(*) AS n FROM corm.get_multi(NULL::t, corm.where(corm.eq(''c'', (SELECT w.n FROM vals w WHERE w.n = v.n - 1)))) g) u',
	'SELECT id FROM corm.get_multi(NULL::houses, corm.where(corm.eq(''home'', ROW(''s3'', 3)::place)))',
	'SELECT g.id, h.id AS h FROM houses g, corm.get_multi(NULL::houses, corm.where(corm.eq(''home'', g.home))) h',
	'SELECT g.id, h.id AS h FROM houses g, corm.get_multi(NULL::houses, corm.where(corm.gt(''was'', g.was))) h',
	'SELECT g.id, h.id AS h FROM houses g, corm.get_multi(NULL::houses, corm.where(corm.in(''home'', g.kept))) h',
	'SELECT g.id, h.id AS h FROM houses g, corm.get_multi(NULL::houses, corm.where(corm.eq(''home'', ROW(''s'' || g.id, g.id % 4)::place))) h',
	-- called
	'SELECT g.id, h.id AS h FROM houses g, corm.get_multi(NULL::houses, corm.where(corm.eq(''was'', g.was))) h',
	'SELECT id FROM corm.get_multi(NULL::t, corm.where(corm.gt(''id'', (SELECT 38 + (random() * 0)::int))))']) WITH ORDINALITY u (q, n), both_ways(q);
DROP TABLE houses;
ALTER TABLE t ADD COLUMN e int DEFAULT 7, DROP COLUMN b;
SELECT q, answer FROM unnest(ARRAY[
	'SELECT u FROM corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 30)), corm.order_by(''a'')) u',
	'SELECT u.e, u.d, u FROM t v LEFT JOIN corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 30)), corm.order_by(''a'')) u ON v.id = u.id',
	'SELECT u.e, u.d, u FROM t v LEFT JOIN corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 30)), corm.order_by(''a'', ''id''), corm.limit(3)) u ON v.id = u.id',
	'SELECT * FROM corm.get_multi(NULL::t, corm.where(corm.gt(''id'', 30)), corm.union_all(corm.pipe(corm.selector(''same.t''), corm.where(corm.lt(''id'', 3)))))']) q, both_ways(q);

-- Texts whose meaning depends on settings are converted at each execution, as by a call
CREATE TABLE events (id int PRIMARY KEY, at timestamptz, day date, local timestamp, near tstzrange, days date[]);
INSERT INTO events SELECT i, timestamptz '2026-01-05 00:00+00' + i * interval '1 hour', date '2026-01-05' + i, timestamp '2026-01-05' + i * interval '1 hour',
	tstzrange(timestamptz '2026-01-05 00:00+00', timestamptz '2026-01-05 00:00+00' + i * interval '1 hour'), ARRAY[date '2026-01-05' + i] FROM generate_series(1, 24) i;
CREATE INDEX ON events (at);
ANALYZE events;
CREATE FUNCTION twice(mode text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answers text; n int;
BEGIN
	PERFORM set_config('corm.inline', mode, true), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('datestyle', 'ISO, MDY', true);
	EXECUTE format('PREPARE some_events AS SELECT count(*) FROM corm.get_multi(NULL::events, corm.where(%s))', condition);
	FOREACH n IN ARRAY ARRAY[0, 5, -3] LOOP
		PERFORM set_config('timezone', format('<x>%s', -n), true), set_config('datestyle', CASE WHEN n < 0 THEN 'ISO, DMY' ELSE 'ISO, MDY' END, true);
		EXECUTE 'EXECUTE some_events' INTO n;
		answers := concat_ws(' ', answers, n);
	END LOOP;
	DEALLOCATE some_events;
	RETURN answers;
END $$;
SELECT c, twice('off', c) = twice('on', c) AS same, twice('on', c), uses_call('SELECT id FROM corm.get_multi(NULL::events, corm.where(' || c || '))') AS called FROM unnest(ARRAY[
	$$corm.lt('at', '2026-01-05 05:00')$$, $$corm.lt('at', '2026-01-05T05:00:00.5+02')$$, $$corm.lt('at', '2026-01-05')$$, $$corm.lt('at', '2026-01-05 05:00Z')$$,
	$$corm.lt('day', '2026-01-09')$$, $$corm.lt('day', '01/09/2026')$$, $$corm.lt('local', '2026-01-05 05:00:00')$$, $$corm.lt('local', '2026-01-05 05:00:00+02')$$,
	$$corm.in('at', '2026-01-05 05:00', '2026-01-05 06:00')$$, $$corm.in('at', '2026-01-05 05:00Z', '2026-01-05 06:00Z')$$,
	$$corm.contains('near', '[2026-01-05 01:00,2026-01-05 05:00)')$$, $$corm.lt('at', 'infinity')$$, $$corm.overlaps('days', '{01/09/2026}')$$]) c;
SET corm.inline = on;
SET enable_seqscan = off;
DO $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT id FROM corm.get_multi(NULL::events, corm.where(corm.lt(''at'', ''2026-01-05 05:00'')))' LOOP
		IF line LIKE '%Index Cond: (at <%' THEN RAISE INFO 'uses the index'; END IF;
	END LOOP;
END $$;
RESET enable_seqscan;
SELECT answer FROM both_ways('SELECT id FROM corm.get_multi(NULL::events, corm.where(corm.lt(''at'', ''never'')))');
DROP TABLE events;

-- Writes around calls
SELECT answer FROM both_ways('SELECT 1');
SET corm.inline = on;
CREATE TABLE log (id int, a int);
INSERT INTO log SELECT id, a FROM corm.get_multi(NULL::t, corm.where(corm.lt('id', 4)));
INSERT INTO log SELECT * FROM corm.get_multi(NULL::log);
UPDATE log SET a = 100 + u.n FROM (SELECT count(*) AS n FROM corm.get_multi(NULL::log)) u WHERE log.id = 1;
DELETE FROM log USING corm.get_multi(NULL::t, corm.where(corm.eq('id', 3))) u WHERE u.id = log.id;
SELECT * FROM log ORDER BY id, a;

DROP SCHEMA same CASCADE;
