-- hardening 60
-- Nobody sees a row through a compiled query that he would not see without.
CREATE SCHEMA ir;
SET search_path = ir, public;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET corm.inline = on;
SET plan_cache_mode = force_generic_plan;
CREATE ROLE regress_ir_alice;
CREATE ROLE regress_ir_bob;
CREATE ROLE regress_ir_definer;
GRANT USAGE ON SCHEMA ir, corm TO regress_ir_alice, regress_ir_bob, regress_ir_definer;
CREATE TABLE inv (id int PRIMARY KEY, owner text, secret text, n int);
INSERT INTO inv SELECT i, CASE WHEN i < 3 THEN 'regress_ir_alice' ELSE 'regress_ir_bob' END, 's' || i, i FROM generate_series(1, 4) i;
ANALYZE inv;
GRANT SELECT ON inv TO regress_ir_alice, regress_ir_bob;
\pset tuples_only on
\pset format unaligned

-- row-level security: the plan is for the role that it was made for
CREATE POLICY own ON inv USING (owner = current_user);
ALTER TABLE inv ENABLE ROW LEVEL SECURITY;
PREPARE q AS SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::inv) u;
PREPARE x AS SELECT array_agg(i) FROM generate_series(1, 4) i WHERE EXISTS (SELECT FROM corm.get_multi(NULL::inv, corm.where(corm.eq('id', i))));
CREATE FUNCTION f() RETURNS int[] LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::ir.inv) u); END $$;
EXECUTE q; EXECUTE x; SELECT f();
SET ROLE regress_ir_alice; EXECUTE q; EXECUTE x; SELECT f();
SET ROLE regress_ir_bob; EXECUTE q; EXECUTE x; SELECT f();
RESET ROLE; EXECUTE q; EXECUTE x; SELECT f();
-- and those of a subquery that is a value
CREATE TABLE numbers (i int PRIMARY KEY);
INSERT INTO numbers SELECT generate_series(1, 4);
GRANT SELECT ON numbers TO regress_ir_alice;
PREPARE s AS SELECT array_agg(g.i ORDER BY g.i) FROM corm.get_multi(NULL::numbers, corm.where(corm.lte('i', (SELECT count(*) FROM inv)))) g;
EXECUTE s;
SET ROLE regress_ir_alice; EXECUTE s;
SET row_security = off; EXECUTE s; RESET row_security;
RESET ROLE; EXECUTE s;
REVOKE SELECT ON inv FROM regress_ir_alice;
SET ROLE regress_ir_alice; EXECUTE s; RESET ROLE;
GRANT SELECT ON inv TO regress_ir_alice;
-- row_security = off: an error where policies would take rows away, also with a plan that is kept
SET ROLE regress_ir_alice;
EXECUTE q;
SET row_security = off;
EXECUTE q; EXECUTE x; SELECT f();
SELECT * FROM corm.get_multi(NULL::inv);
SELECT i FROM generate_series(1, 2) i WHERE EXISTS (SELECT FROM corm.get_multi(NULL::inv, corm.where(corm.eq('id', i))));
SET row_security = on;
EXECUTE q; EXECUTE x; SELECT f();
RESET ROLE;
SET row_security = off; EXECUTE q; SET row_security = on;
-- a policy that comes and goes
SET ROLE regress_ir_alice; EXECUTE q; RESET ROLE;
CREATE POLICY more ON inv USING (id = 4);
SET ROLE regress_ir_alice; EXECUTE q; RESET ROLE;
DROP POLICY more ON inv;
SET ROLE regress_ir_alice; EXECUTE q; RESET ROLE;
-- a function that tells what it sees runs behind the policy
CREATE FUNCTION tells(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE WARNING 'sees %', $1; RETURN true; END $$;
SET ROLE regress_ir_alice;
SELECT id FROM corm.get_multi(NULL::inv) WHERE tells(secret);
SELECT u.id FROM generate_series(1, 4) i, corm.get_multi(NULL::inv, corm.where(corm.eq('id', i))) u WHERE tells(secret);
RESET ROLE;
ALTER TABLE inv DISABLE ROW LEVEL SECURITY;

-- a guard: conditions of the statement around that could tell run behind it
SELECT id FROM corm.get_multi(NULL::inv, corm.guard('inv', corm.eq('owner', 'regress_ir_alice'))) WHERE tells(secret);
SELECT u.id FROM inv o, corm.get_multi(NULL::inv, corm.guard('inv', corm.eq('owner', 'regress_ir_alice')), corm.where(corm.eq('n', o.n))) u WHERE tells(u.secret) AND o.id < 4;
SELECT o.id FROM inv o WHERE EXISTS (SELECT FROM corm.get_multi(NULL::inv, corm.guard('inv', corm.eq('owner', 'regress_ir_alice')), corm.where(corm.eq('id', o.id))) g WHERE tells(g.secret)) ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT id FROM corm.get_multi(NULL::inv, corm.guard('inv', corm.eq('owner', 'regress_ir_alice'))) u WHERE tells(secret) AND id = 1;
SELECT count(*) FROM corm.get_multi(NULL::inv) WHERE tells(secret);

-- privileges on the table, and on some of its columns only
EXECUTE q;
SET ROLE regress_ir_alice; EXECUTE q; SELECT f(); RESET ROLE;
REVOKE SELECT ON inv FROM regress_ir_alice;
SET ROLE regress_ir_alice; EXECUTE q; EXECUTE x; SELECT f(); SELECT id FROM corm.get_multi(NULL::inv); RESET ROLE;
GRANT SELECT (id, owner) ON inv TO regress_ir_alice;
PREPARE c AS SELECT array_agg(x ORDER BY x) FROM corm.pluck(NULL::int, corm.selector('inv'), corm.select('id')) x;
PREPARE d AS SELECT array_agg(x ORDER BY x) FROM corm.pluck(NULL::text, corm.selector('inv'), corm.select('secret')) x;
EXECUTE d;
SET ROLE regress_ir_alice;
EXECUTE c; EXECUTE d;
SELECT id FROM corm.get_multi(NULL::inv);
SELECT x FROM corm.pluck(NULL::int, corm.selector('inv'), corm.select('id'), corm.where(corm.eq('secret', 's1'))) x;
SELECT count(*) FROM corm.get_multi(NULL::inv) WHERE tells(secret);
RESET ROLE;

-- views and functions of others: the query is the caller's, or the definer's
CREATE VIEW v AS SELECT id, secret FROM corm.get_multi(NULL::inv);
CREATE FUNCTION as_definer() RETURNS int[] LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN (SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::ir.inv) u); END $$;
GRANT SELECT ON v TO regress_ir_alice;
GRANT SELECT ON inv TO regress_ir_definer;
ALTER FUNCTION as_definer() OWNER TO regress_ir_definer;
SET ROLE regress_ir_alice;
SELECT count(*) FROM v;
SET corm.inline = off;
SELECT count(*) FROM v;
SET corm.inline = on;
SELECT as_definer();
RESET ROLE;
SELECT as_definer();
REVOKE SELECT ON inv FROM regress_ir_definer;
SELECT as_definer();
-- what a view reads with its owner's rights it still does, inside of a query
CREATE VIEW all_ids AS SELECT id, owner FROM inv;
GRANT SELECT ON all_ids TO regress_ir_alice;
PREPARE o AS SELECT array_agg(x ORDER BY x) FROM corm.pluck(NULL::int, corm.selector('all_ids'), corm.select('id')) x;
EXECUTE o;
SET ROLE regress_ir_alice; EXECUTE o; RESET ROLE;
REVOKE SELECT ON all_ids FROM regress_ir_alice;
SET ROLE regress_ir_alice; EXECUTE o; RESET ROLE;

-- EXECUTE of the verb and of builders
GRANT SELECT ON inv TO regress_ir_alice;
PREPARE r AS SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::inv, corm.where(corm.raw('id < 3'))) u;
EXECUTE r;
BEGIN;
REVOKE EXECUTE ON FUNCTION corm.raw(text) FROM PUBLIC;
EXECUTE r;
SET ROLE regress_ir_alice;
SAVEPOINT s;
EXECUTE r;
ROLLBACK TO s;
RESET ROLE;
GRANT EXECUTE ON FUNCTION corm.raw(text) TO PUBLIC;
SET ROLE regress_ir_alice;
EXECUTE r;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION corm.get_multi(anyelement) FROM PUBLIC;
EXECUTE q;
SET ROLE regress_ir_alice;
SAVEPOINT s;
EXECUTE q;
ROLLBACK TO s;
ROLLBACK;
-- a verb that was given other rights is called with them
BEGIN;
ALTER FUNCTION corm.get_multi(anyelement) SECURITY DEFINER;
EXPLAIN (COSTS OFF) SELECT id FROM corm.get_multi(NULL::inv);
ROLLBACK;

-- middleware does not see queries of its own code; a plan made there is not for others
CREATE TABLE kept (id int PRIMARY KEY, owner text);
INSERT INTO kept VALUES (1, 'x'), (2, 'y');
CREATE FUNCTION ids() RETURNS int[] LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::ir.kept) u); END $$;
CREATE FUNCTION only_x(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING 'the middleware itself sees %', ir.ids();
	qc.query := corm.pipe(qc.query, corm.guard('ir.kept', corm.eq('owner', 'x')));
	RETURN corm.next(qc);
END $$;
SELECT corm.use('only_x(corm.query_context)', 'kept') AS mw \gset
SELECT corm.count(corm.selector('kept'));
SELECT ids();
SELECT array_agg(id ORDER BY id) FROM corm.get_multi(NULL::kept) u;
SELECT FROM corm.unuse(:mw);
DROP SCHEMA ir CASCADE;
DROP OWNED BY regress_ir_alice, regress_ir_bob, regress_ir_definer;
DROP ROLE regress_ir_alice, regress_ir_bob, regress_ir_definer;
