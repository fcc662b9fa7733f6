-- hardening 18: the session's plan cache: hits, misses and evictions, and memory that stays flat.
SET client_min_messages = warning;
CREATE TABLE pc (id int PRIMARY KEY, name text, n int);
INSERT INTO pc SELECT i, 'name ' || i, i FROM generate_series(1, 100) i;
CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(total_bytes) FROM pg_backend_memory_contexts $$;

-- Values are no part of a plan; types of values, NULL or not, and all names are.
\c
SET corm.inline = off;
CREATE TEMP TABLE st AS SELECT * FROM corm.plan_cache_stats();
SELECT corm.count(corm.selector('pc'), corm.where(corm.eq('id', i))) FROM generate_series(1, 3) i;
SELECT corm.count(corm.selector('pc'), corm.where(corm.eq('id', i::text))) FROM generate_series(1, 3) i;
SELECT corm.count(corm.selector('pc'), corm.where(corm.eq('n', NULLIF(i, 2)))) FROM generate_series(1, 3) i;
SELECT plans, hits, misses, evictions FROM corm.plan_cache_stats();
-- An error in the making leaves no plan.
\set VERBOSITY terse
SELECT corm.count(corm.selector('pc'), corm.where(corm.eq('nope', 1)));
SELECT plans FROM corm.plan_cache_stats();
-- One row too many, one value that does not convert: the plan is kept and good.
SELECT corm.one(NULL::pc, corm.where(corm.gt('id', '1')));
SELECT corm.one(NULL::pc, corm.where(corm.gt('id', 'x')));
SELECT corm.one(NULL::pc, corm.where(corm.gt('id', '99')));
SELECT plans, hits, misses FROM corm.plan_cache_stats();

-- 100,000 reads of one row in one session, by three shapes
CREATE FUNCTION many_gets(calls int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r pc;
BEGIN
    FOR i IN 1 .. calls / 5 LOOP
        r := corm.get(NULL::pc, corm.where(corm.eq('id', i % 100 + 1)));
        ASSERT r.n = i % 100 + 1;
        r := corm.get(NULL::pc, corm.where(corm.eq('id', (i % 100 + 1)::text)));
        PERFORM corm.get_json(corm.selector('pc'), corm.where(corm.eq('id', 1)));
        PERFORM corm.value(NULL::text, corm.selector('pc'), corm.select('name'), corm.where(corm.eq('id', i % 100 + 1)));
        r := corm.update(r);
    END LOOP;
END $$;
SELECT many_gets(5000);
SELECT hits AS hits_before, misses AS misses_before, memory() AS memory_before FROM corm.plan_cache_stats() \gset
SELECT many_gets(50000);
SELECT many_gets(50000);
-- (autovacuum may have a plan made anew)
SELECT memory() - :memory_before < 100000 AS flat, misses - :misses_before < 50 AS misses, hits - :hits_before > 99900 AS hits FROM corm.plan_cache_stats();

-- 20,000 errors of all kinds
DO $$
BEGIN
    FOR i IN 1 .. 4000 LOOP
        BEGIN PERFORM corm.get(NULL::pc, corm.where(corm.eq('id', -1))); EXCEPTION WHEN no_data_found THEN NULL; END;
        BEGIN PERFORM corm.one(NULL::pc, corm.where(corm.gt('id', 1))); EXCEPTION WHEN too_many_rows THEN NULL; END;
        BEGIN PERFORM corm.get(NULL::pc, corm.where(corm.eq('id', 'x'))); EXCEPTION WHEN invalid_text_representation THEN NULL; END;
        BEGIN PERFORM corm.insert(ROW(1, 'x', 1)::pc); EXCEPTION WHEN unique_violation THEN NULL; END;
        BEGIN PERFORM corm.count(corm.selector('pc'), corm.where(corm.eq('no', 1))); EXCEPTION WHEN undefined_column THEN NULL; END;
    END LOOP;
END $$;
SELECT memory() - :memory_before < 200000 AS flat FROM corm.plan_cache_stats();

-- 20,000 shapes: the least recently used go
SET corm.plan_cache_size = 200;
CREATE FUNCTION many_shapes(first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN first .. last LOOP
        PERFORM corm.count(corm.selector('pc', 'alias_' || i), corm.where(corm.eq('id', 1)));
        -- a favourite stays
        PERFORM corm.count(corm.selector('pc', 'favourite'));
    END LOOP;
END $$;
SELECT many_shapes(1, 2000);
SELECT memory() AS memory_before, misses AS misses_before, evictions AS evictions_before FROM corm.plan_cache_stats() \gset
SELECT many_shapes(2001, 20000);
SELECT plans, misses - :misses_before BETWEEN 18000 AND 18100 AS misses, evictions - :evictions_before BETWEEN 17500 AND 18100 AS evictions, memory() - :memory_before < 500000 AS flat FROM corm.plan_cache_stats();
SET corm.plan_cache_size = 5;
SELECT many_shapes(1, 1);
SELECT plans FROM corm.plan_cache_stats();

-- A plan that runs inside of itself, and is evicted while it does
SET corm.plan_cache_size = 1;
CREATE FUNCTION nest(depth int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF depth = 0 THEN
        PERFORM corm.count(corm.selector('pc', 'other'));
        RETURN 0;
    END IF;
    RETURN 1 + corm.value(NULL::int, corm.selector('pc'), corm.select(corm.fn('nest', depth - 1)), corm.where(corm.eq('id', 1)));
END $$;
SELECT nest(5);
SELECT plans FROM corm.plan_cache_stats();
CREATE FUNCTION nest_and_fail(depth int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF depth = 0 THEN
        PERFORM corm.count(corm.selector('pc', 'other'));
        EXECUTE 'SELECT no such thing';
    END IF;
    RETURN 1 + corm.value(NULL::int, corm.selector('pc'), corm.select(corm.fn('nest_and_fail', depth - 1)), corm.where(corm.eq('id', 1)));
EXCEPTION WHEN undefined_table OR syntax_error THEN
    RETURN 0;
END $$;
SELECT nest_and_fail(3);
SELECT memory() AS memory_before \gset
SELECT count(nest(3) + nest_and_fail(3)) FROM generate_series(1, 500);
SELECT memory() - :memory_before < 300000 AS flat;
-- DDL from inside of a running plan
RESET corm.plan_cache_size;
CREATE FUNCTION ddl() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    CREATE INDEX ON other_table (id);
    PERFORM corm.count(corm.selector('other_table'));
    RETURN 1;
END $$;
CREATE TABLE other_table (id int);
SELECT corm.value(NULL::int, corm.selector('pc'), corm.select(corm.fn('ddl')), corm.where(corm.eq('id', 1))), corm.count(corm.selector('other_table'));
DROP TABLE other_table;

-- Skewed data: as with a prepared statement of PostgreSQL's, a plan is made for the value as long as that pays.
CREATE TABLE skewed (kind int, v text);
INSERT INTO skewed SELECT CASE WHEN i <= 20 THEN 2 ELSE 1 END, 'v' || i FROM generate_series(1, 20000) AS i;
CREATE INDEX ON skewed (kind);
VACUUM ANALYZE skewed;
BEGIN;
SELECT seq_scan AS seq_before, idx_scan AS idx_before FROM pg_stat_xact_user_tables WHERE relname = 'skewed' \gset
DO $$
BEGIN
    FOR i IN 1 .. 40 LOOP
        PERFORM corm.value(NULL::text, corm.selector('skewed'), corm.select(corm.max('v')), corm.where(corm.eq('kind', 1 + i % 2)));
    END LOOP;
END $$;
SELECT seq_scan - :seq_before AS seq_scan, idx_scan - :idx_before AS idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'skewed';
COMMIT;
DROP TABLE skewed;
SET corm.inline = off;
-- A limit() of a usual size is part of the plan, though not of the SQL; one of an unusual size is no reason for another plan.
SELECT corm.to_sql(corm.selector('pc'), corm.select('id'), corm.limit(n), corm.where(corm.gt('id', 3))) FROM unnest(ARRAY[0, 20, 100, 101, 500, 123456]) AS n;
SELECT misses AS misses_before FROM corm.plan_cache_stats() \gset
SELECT sum((SELECT count(*) FROM corm.get_multi(NULL::pc, corm.order_by('id'), corm.limit(n)))) FROM generate_series(101, 199) AS n;
SELECT misses - :misses_before AS misses FROM corm.plan_cache_stats();
SELECT misses AS misses_before FROM corm.plan_cache_stats() \gset
SELECT sum((SELECT count(*) FROM corm.get_multi(NULL::pc, corm.order_by('id'), corm.limit(n)))) FROM generate_series(1, 3) AS n, generate_series(1, 2);
SELECT misses - :misses_before AS misses FROM corm.plan_cache_stats();
-- Of several limits the last one counts, whichever of them are of a usual size.
SELECT count(*) FROM corm.get_multi(NULL::pc, corm.limit(20003), corm.limit(7));
SELECT count(*) FROM corm.get_multi(NULL::pc, corm.limit(7), corm.limit(20003));
SELECT count(*) FROM corm.get_multi(NULL::pc, corm.limit(20003), corm.limit(7));

\set VERBOSITY terse
SELECT corm.count(corm.selector('pc'), corm.where(corm.eq('id', 1)));
DROP FUNCTION memory(), many_gets(int), many_shapes(int, int), nest(int), nest_and_fail(int), ddl();
DROP TABLE pc;

-- A6: a plan whose making fails after PostgreSQL has saved it is not left behind.
\c
RESET corm.inline;
CREATE FUNCTION saved_plans() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM pg_backend_memory_contexts WHERE name IN ('CachedPlanSource', 'CachedPlanQuery') $$;
DO $$
DECLARE counts bigint[] := '{}'; failed int := 0;
BEGIN
  FOR i IN 1..300 LOOP
    BEGIN
      PERFORM corm.get_json(corm.raw_query(format('SELECT %s AS a, 2 AS a', i)));
    EXCEPTION WHEN duplicate_column THEN
      failed := failed + 1;
    END;
    IF i % 100 = 0 THEN counts := counts || saved_plans(); END IF;
  END LOOP;
  RAISE INFO '% failed, saved plans of the last 100: %', failed, counts[3] - counts[2];
END $$;
