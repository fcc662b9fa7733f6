-- hardening 60
-- A call that is planned for each execution is compiled once: what it reads is as if it were compiled each time.
CREATE SCHEMA ik;
SET search_path = ik, public;
SET client_min_messages = warning;
SET corm.inline = on;
\set VERBOSITY terse
SET plan_cache_mode = force_custom_plan;
CREATE ROLE regress_ik_alice;
GRANT USAGE ON SCHEMA ik, corm TO regress_ik_alice;
CREATE TABLE inv (tenant int, id int NOT NULL, a int, gone_at timestamptz, owner text, at timestamptz DEFAULT '2026-01-01 00:00+00') PARTITION BY LIST (tenant);
CREATE TABLE inv_1 PARTITION OF inv FOR VALUES IN (1);
CREATE TABLE inv_2 PARTITION OF inv FOR VALUES IN (2);
INSERT INTO inv SELECT 1 + i / 5, i, nullif(i % 3, 0), CASE WHEN i = 2 THEN now() END, CASE WHEN i < 3 THEN 'regress_ik_alice' ELSE 'bob' END FROM generate_series(1, 8) i;
GRANT SELECT ON inv TO PUBLIC;
ANALYZE inv;
-- three executions: the first compiles the call, the second keeps it, the third has what was kept
CREATE FUNCTION f(t int, n int) RETURNS SETOF int[] LANGUAGE plpgsql AS $$
DECLARE r int[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		SELECT array_agg(id ORDER BY id) INTO r FROM corm.get_multi(NULL::ik.inv, corm.where(corm.eq('tenant', t), corm.gte('id', n))) u;
		RETURN NEXT r;
	END LOOP;
END $$;
CREATE FUNCTION same(t int, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; m text; answers text[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM corm.get_multi(NULL::ik.inv, corm.where(corm.eq('tenant', t), corm.gte('id', n))) u;
		SELECT string_agg(id::text, ' ' ORDER BY id) INTO m FROM corm.pluck(NULL::int, corm.selector('ik.inv'), corm.where(corm.eq('tenant', t), corm.gte('id', n)), corm.select('id')) AS id;
		IF m IS DISTINCT FROM r THEN RAISE '% and %', r, m; END IF;
		answers := answers || coalesce(r, 'none');
	END LOOP;
	RETURN CASE WHEN answers[1] = ALL (answers) THEN answers[1] ELSE 'not the same: ' || answers::text END;
END $$;
\pset tuples_only on
\pset format unaligned
\echo at first: 1 2 3 4, 6 7 8
SELECT same(1, 1); SELECT same(2, 6); SELECT f(1, 3);
\echo soft delete: 1 3 4
COMMENT ON COLUMN inv.gone_at IS '@orm:soft_delete';
SELECT same(1, 1);
\echo and no more: 1 2 3 4
COMMENT ON COLUMN inv.gone_at IS NULL;
SELECT same(1, 1);
\echo a registration: 1 3 4; undone: 1 2 3 4
SELECT FROM corm.register('inv', '{"soft_delete": "gone_at"}');
SELECT same(1, 1);
SELECT FROM corm.unregister('inv');
SELECT same(1, 1);
\echo middleware: 1; none: 1 2 3 4
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN qc.query := corm.pipe(qc.query, corm.where(corm.eq('id', 1))); RETURN corm.next(qc); END $$;
SELECT corm.use('mw(corm.query_context)', 'inv') AS mw \gset
SELECT same(1, 1);
SELECT FROM corm.unuse(:mw);
SELECT same(1, 1);
\echo a default scope: 3 4; none: 1 2 3 4
SELECT FROM corm.define_scope('inv', 'late', corm.where(corm.gt('id', 2)), true);
SELECT same(1, 1);
SELECT FROM corm.drop_scope('inv', 'late');
SELECT same(1, 1);
\echo a hook: 11 12 13 14; skipped, none: 1 2 3 4
CREATE FUNCTION after_find(r inv) RETURNS inv LANGUAGE plpgsql AS $$ BEGIN r.id := r.id + 10; RETURN r; END $$;
SELECT f(1, 1);
SET corm.skip_hooks = on;
SELECT same(1, 1);
RESET corm.skip_hooks;
SELECT f(1, 1);
DROP FUNCTION after_find(inv);
SELECT same(1, 1);
\echo a policy, for its role: 1 2; all 1 2 3 4; an error; 1 2; 1 2 3 4
CREATE POLICY own ON inv USING (owner = current_user);
ALTER TABLE inv ENABLE ROW LEVEL SECURITY;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ik TO PUBLIC;
SET ROLE regress_ik_alice;
SELECT same(1, 1);
RESET ROLE;
SELECT same(1, 1);
SET ROLE regress_ik_alice;
SET row_security = off;
SELECT same(1, 1);
SET row_security = on;
SELECT same(1, 1);
RESET ROLE;
SELECT same(1, 1);
ALTER TABLE inv DISABLE ROW LEVEL SECURITY;
\echo functions that a role may not execute: an error, 1 2 3 4
REVOKE EXECUTE ON FUNCTION corm.gte(text, "any") FROM PUBLIC;
SET ROLE regress_ik_alice;
SELECT same(1, 1);
RESET ROLE;
GRANT EXECUTE ON FUNCTION corm.gte(text, "any") TO PUBLIC;
SET ROLE regress_ik_alice;
SELECT same(1, 1);
RESET ROLE;
\echo no SELECT: an error
REVOKE SELECT ON inv FROM PUBLIC;
SET ROLE regress_ik_alice;
SELECT same(1, 1);
RESET ROLE;
GRANT SELECT ON inv TO PUBLIC;
\echo columns: another name is an error, then one is dropped and one added
ALTER TABLE inv RENAME id TO nr;
SELECT f(1, 1);
ALTER TABLE inv RENAME nr TO id;
SELECT same(1, 1);
CREATE FUNCTION rows_of(t int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
	FOR i IN 1 .. 3 LOOP
		SELECT * INTO r FROM corm.get_multi(NULL::ik.inv, corm.where(corm.eq('tenant', t), corm.eq('id', 4)));
		RETURN NEXT r::text;
	END LOOP;
END $$;
SELECT rows_of(1);
ALTER TABLE inv DROP COLUMN gone_at, ADD COLUMN plus int DEFAULT 5;
SELECT rows_of(1);
ALTER TABLE inv ALTER a TYPE text;
SELECT rows_of(1);
ALTER TABLE inv ALTER a TYPE int USING a::int;
\echo a partition more
CREATE TABLE inv_3 PARTITION OF inv FOR VALUES IN (3);
INSERT INTO inv VALUES (3, 9);
SELECT same(3, 1);
\echo settings: called while queries are logged, 1 2 3 4 either way
SET corm.sql_comments = on;
SELECT same(1, 1);
RESET corm.sql_comments;
SELECT same(1, 1);
\echo NULL is a value: where a column is NULL, and where it is not
CREATE FUNCTION nulls(v int, s text, lim int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		RETURN QUERY SELECT i || ' eq ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.where(corm.eq('a', v)));
		RETURN QUERY SELECT i || ' neq ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.where(corm.neq('a', v)));
		RETURN QUERY SELECT i || ' not ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.where(corm.not(corm.eq('a', v))));
		RETURN QUERY SELECT i || ' gt ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.where(corm.gt('a', v)));
		RETURN QUERY SELECT i || ' contains ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.where(corm.contains('owner', s)));
		RETURN QUERY SELECT i || ' text ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.where(corm.eq('owner', s)));
		RETURN QUERY SELECT i || ' limit ' || coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM corm.get_multi(NULL::ik.inv, corm.order_by('id'), corm.limit(lim));
	END LOOP;
END $$;
SELECT nulls(1, 'b', 2);
SELECT nulls(NULL, NULL, NULL);
SELECT nulls(2, 'o_b', 0);
\echo errors of values are ours, each time
CREATE FUNCTION errors(what text, v text, lim int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			IF what = 'int' THEN PERFORM FROM corm.get_multi(NULL::ik.inv, corm.where(corm.eq('tenant', v)));
			ELSIF what = 'time' THEN PERFORM FROM corm.get_multi(NULL::ik.inv, corm.where(corm.gt('at', v)));
			ELSE PERFORM FROM corm.get_multi(NULL::ik.inv, corm.limit(lim));
			END IF;
			RETURN NEXT what || ': no error';
		EXCEPTION WHEN OTHERS THEN RETURN NEXT sqlstate || ' ' || sqlerrm;
		END;
	END LOOP;
END $$;
SELECT errors('int', 'x', NULL);
SELECT errors('time', 'x', NULL);
SELECT errors('limit', NULL, -1);
\echo the search path decides about raw SQL: 1, then 2
CREATE FUNCTION raws() RETURNS SETOF int[] LANGUAGE plpgsql AS $$
DECLARE r int[]; one int := 1;
BEGIN
	FOR i IN 1 .. 3 LOOP
		SELECT array_agg(id) INTO r FROM corm.get_multi(NULL::ik.inv, corm.where(corm.raw('id IN (SELECT x FROM sp)'), corm.gte('id', one))) u;
		RETURN NEXT r;
	END LOOP;
END $$;
CREATE SCHEMA ik1; CREATE SCHEMA ik2;
CREATE TABLE ik1.sp AS SELECT 1 AS x; CREATE TABLE ik2.sp AS SELECT 2 AS x;
SET search_path = ik1, ik, public; SELECT raws();
SET search_path = ik2, ik, public; SELECT raws();
SET search_path = ik, public;
\echo more plans than the session keeps: 1 2 3 4
SET corm.plan_cache_size = 8;
SELECT DISTINCT corm.count(corm.selector('inv'), corm.where(corm.in('id', VARIADIC array_fill(1, ARRAY[n])), corm.gt('id', n)), corm.offset(0), corm.limit(n)) IS NULL FROM generate_series(2, 20) n;
SELECT same(1, 1);
RESET corm.plan_cache_size;
SELECT same(1, 1);
\echo gone: an error
DROP TABLE inv;
SELECT same(1, 1);
DROP SCHEMA ik, ik1, ik2 CASCADE;
DROP OWNED BY regress_ik_alice;
DROP ROLE regress_ik_alice;
