-- hardening 60
-- Whatever decides about a compiled query: the next execution of a plan that is kept has it.
CREATE SCHEMA ic;
SET search_path = ic, public;
SET client_min_messages = warning;
SET corm.inline = on;
SET plan_cache_mode = force_generic_plan;
CREATE ROLE regress_ic_alice;
GRANT USAGE ON SCHEMA ic, corm TO regress_ic_alice;
CREATE TABLE inv (id int PRIMARY KEY, a int, gone_at timestamptz, owner text, p_id int);
INSERT INTO inv SELECT i, i % 3, CASE WHEN i = 2 THEN now() END, CASE WHEN i < 3 THEN 'regress_ic_alice' ELSE 'bob' END, nullif(i - 1, 0) FROM generate_series(1, 4) i;
CREATE TABLE other (id int PRIMARY KEY, inv_id int);
INSERT INTO other VALUES (10, 1), (11, 1);
GRANT SELECT ON inv, other TO PUBLIC;
ANALYZE inv, other;

-- Each way of keeping a plan: a prepared statement, PL/pgSQL, a join, EXISTS, a view that a prepared statement reads
PREPARE q(int) AS SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::inv, corm.where(corm.gte('id', $1))) u;
CREATE FUNCTION f(n int) RETURNS int[] LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::ic.inv, corm.where(corm.gte('id', n))) u); END $$;
PREPARE j AS SELECT array_agg(u.id ORDER BY u.id) FROM other o, corm.get_multi(NULL::inv, corm.where(corm.gte('id', o.inv_id))) u WHERE o.id = 10;
PREPARE e AS SELECT array_agg(i.id ORDER BY i.id) FROM inv i WHERE EXISTS (SELECT FROM corm.get_multi(NULL::inv, corm.where(corm.eq('id', i.id))));
CREATE VIEW seen AS SELECT * FROM corm.pluck(NULL::int, corm.selector('ic.inv'), corm.select('id')) AS id;
GRANT SELECT ON seen TO PUBLIC;
PREPARE v AS SELECT array_agg(id ORDER BY id) FROM seen;
\pset tuples_only on
\pset format unaligned
\echo at first: 1 2 3 4
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo a tag makes it soft delete: 1 3 4
COMMENT ON COLUMN inv.gone_at IS '@orm:soft_delete';
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo and no more: 1 2 3 4
COMMENT ON COLUMN inv.gone_at IS NULL;
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo a registration does: 1 3 4
SELECT FROM corm.register('inv', '{"soft_delete": "gone_at"}');
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo rolled back: 1 3 4
BEGIN; SELECT FROM corm.register('inv', '{}'); EXECUTE q(1); ROLLBACK;
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo and no more: 1 2 3 4
SELECT FROM corm.unregister('inv');
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo middleware: 1
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN qc.query := corm.pipe(qc.query, corm.where(corm.eq('id', 1))); RETURN corm.next(qc); END $$;
SELECT corm.use('mw(corm.query_context)', 'inv') AS mw \gset
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo and no more: 1 2 3 4
SELECT FROM corm.unuse(:mw);
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo middleware for all models: 1
SELECT corm.use('mw(corm.query_context)') AS mw \gset
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
SELECT FROM corm.unuse(:mw);
\echo middleware for writes only: 1 2 3 4
SELECT corm.use('mw(corm.query_context)', 'inv', ARRAY['UPDATE']) AS mw \gset
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
SELECT FROM corm.unuse(:mw);
\echo a default scope: 3 4
SELECT FROM corm.define_scope('inv', 'late', corm.where(corm.gt('id', 2)), true);
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo and no more: 1 2 3 4
SELECT FROM corm.drop_scope('inv', 'late');
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo a hook after_find: 11 12 13 14, and none where nothing but its rows count
CREATE FUNCTION after_find(r inv) RETURNS inv LANGUAGE plpgsql AS $$ BEGIN r.id := r.id + 10; RETURN r; END $$;
EXECUTE q(1); SELECT f(1); EXECUTE j;
\echo not called: 1 2 3 4
SET corm.skip_hooks = on;
EXECUTE q(1); SELECT f(1); EXECUTE j;
RESET corm.skip_hooks;
\echo called: 11 12 13 14
EXECUTE q(1); SELECT f(1); EXECUTE j;
\echo renamed: 1 2 3 4
ALTER FUNCTION after_find(inv) RENAME TO before_find;
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo and back: 11 12 13 14
ALTER FUNCTION before_find(inv) RENAME TO after_find;
EXECUTE q(1); SELECT f(1); EXECUTE j;
\echo of another owner it is no hook: 1 2 3 4
ALTER FUNCTION after_find(inv) OWNER TO regress_ic_alice;
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
DROP FUNCTION after_find(inv);
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
\echo a relation that a condition follows: an error, 1, 1 2 3, an error; 1, an error, 1
PREPARE r AS SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::inv, corm.where(corm.some('others'))) u;
EXECUTE r;
SELECT FROM corm.relate('inv', 'others', 'has_many', 'other', ARRAY['id'], ARRAY['inv_id']);
EXECUTE r;
SELECT FROM corm.unrelate('inv', 'others');
SELECT FROM corm.relate('inv', 'others', 'has_many', 'inv', ARRAY['id'], ARRAY['p_id']);
EXECUTE r;
SELECT FROM corm.unrelate('inv', 'others');
EXECUTE r;
PREPARE r2 AS SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::inv, corm.where(corm.some('other'))) u;
ALTER TABLE other ADD CONSTRAINT to_inv FOREIGN KEY (inv_id) REFERENCES inv;
EXECUTE r2;
COMMENT ON CONSTRAINT to_inv ON other IS '@orm:-';
EXECUTE r2;
COMMENT ON CONSTRAINT to_inv ON other IS NULL;
EXECUTE r2;
\echo columns: dropped, renamed, retyped, added
ALTER TABLE inv RENAME COLUMN id TO nr;
EXECUTE q(1);
ALTER TABLE inv RENAME COLUMN nr TO id;
EXECUTE q(1); SELECT f(1); EXECUTE j; EXECUTE e; EXECUTE v;
PREPARE w AS SELECT * FROM corm.get_multi(NULL::inv, corm.where(corm.eq('id', 4)));
EXECUTE w;
CREATE FUNCTION row_of(n int) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN SELECT * INTO r FROM corm.get_multi(NULL::ic.inv, corm.where(corm.eq('id', n))); RETURN r::text; END $$;
SELECT row_of(4);
ALTER TABLE inv DROP COLUMN gone_at, ADD COLUMN plus int DEFAULT 5;
EXECUTE w;
SELECT row_of(4);
ALTER TABLE inv ALTER a TYPE text;
SELECT row_of(4);
DEALLOCATE w;
PREPARE w AS SELECT * FROM corm.get_multi(NULL::inv, corm.where(corm.eq('id', 4)));
\echo a column that becomes NULLable: the row is found
PREPARE n(int) AS SELECT count(*) FROM corm.get_multi(NULL::inv, corm.where(corm.eq('p_id', $1))) u;
UPDATE inv SET p_id = 0 WHERE p_id IS NULL;
ALTER TABLE inv ALTER p_id SET NOT NULL;
EXECUTE n(NULL);
ALTER TABLE inv ALTER p_id DROP NOT NULL;
UPDATE inv SET p_id = NULL WHERE p_id = 0;
EXECUTE n(NULL);
\echo the search path decides about raw SQL: 1, then 2
PREPARE s AS SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::ic.inv, corm.where(corm.raw('id IN (SELECT x FROM sp)'))) u;
CREATE SCHEMA ic1; CREATE SCHEMA ic2;
CREATE TABLE ic1.sp AS SELECT 1 AS x; CREATE TABLE ic2.sp AS SELECT 2 AS x;
SET search_path = ic1, public; EXECUTE s;
SET search_path = ic2, public; EXECUTE s;
SET search_path = ic, public;
DROP SCHEMA ic1, ic2 CASCADE;
\echo settings: the plan has a call while queries are logged or have comments
EXPLAIN (COSTS OFF) EXECUTE w;
SET corm.sql_comments = on;
EXPLAIN (COSTS OFF) EXECUTE w;
RESET corm.sql_comments;
SET corm.log_min_duration = '1h';
EXPLAIN (COSTS OFF) EXECUTE w;
RESET corm.log_min_duration;
SET corm.log_queries = on;
EXPLAIN (COSTS OFF) EXECUTE w;
SET corm.log_queries = off;
SET corm.inline = off;
EXPLAIN (COSTS OFF) EXECUTE w;
SET corm.inline = on;
EXPLAIN (COSTS OFF) EXECUTE w;
BEGIN; SET LOCAL corm.inline = off; EXPLAIN (COSTS OFF) EXECUTE w; ROLLBACK;
EXPLAIN (COSTS OFF) EXECUTE w;
\echo the schema has another name, and the table
PREPARE x AS SELECT count(*) FROM corm.get_multi(NULL::ic.inv, corm.selector('ic.inv')) u;
EXECUTE x;
ALTER TABLE inv RENAME TO inventory;
EXECUTE x;
ALTER TABLE inventory RENAME TO inv;
ALTER SCHEMA ic RENAME TO ic_new;
EXECUTE x;
ALTER SCHEMA ic_new RENAME TO ic;
EXECUTE x;
DROP TABLE other, inv CASCADE;
EXECUTE q(1);
SELECT f(1);
DROP SCHEMA ic CASCADE;
DROP OWNED BY regress_ic_alice;
DROP ROLE regress_ic_alice;
