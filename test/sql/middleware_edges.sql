-- Middleware at its edges: cancelled, changed while it runs, failing, as another user, around other scopes.
\pset format unaligned
\set VERBOSITY terse
CREATE SCHEMA edge;
SET search_path = edge, corm_ops;
CREATE TABLE users (id int PRIMARY KEY, name text, tenant int DEFAULT 1);
INSERT INTO users VALUES (1,'a',1),(2,'b',1);
-- Cancelled within the chain, before the query and after it: nothing remains of the chain
CREATE FUNCTION canceller(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('edge.cancel', true) = 'before' THEN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(60); END IF;
	RETURN corm.next(qc);
END $$;
CREATE FUNCTION inner_one(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
	r := corm.next(qc);
	IF current_setting('edge.cancel', true) = 'after' THEN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(60); END IF;
	RETURN r;
END $$;
SELECT corm.use('canceller(corm.query_context)', 'users') AS a, corm.use('inner_one(corm.query_context)', 'users') AS b \gset
SET edge.cancel = 'before';
SELECT corm.count(corm.selector('users'));
SET edge.cancel = 'after';
SELECT corm.insert(ROW(3,'c',1)::users);
SET edge.cancel = 'never';
SELECT corm.count(corm.selector('users'));
SELECT corm.next(NULL::corm.query_context), corm.next(ROW('SELECT', NULL, corm.selector('users'), NULL, NULL, NULL, 1)::corm.query_context);
-- What is removed while it runs, runs to its end
CREATE FUNCTION remove_me(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'once';
	PERFORM corm.unuse(id) FROM corm.middleware WHERE fn ~ 'remove_me|inner_one';
	PERFORM corm.count(corm.selector('edge.users'));
	RETURN corm.next(qc);
END $$;
SELECT corm.use('remove_me(corm.query_context)', 'users', priority=>1) AS s \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.count(corm.selector('users'));
SELECT fn FROM corm.middleware;
-- What is replaced while it runs, too; what is dropped is missed, until that is rolled back
CREATE FUNCTION replaced(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
	RAISE NOTICE 'old';
	EXECUTE $x$CREATE OR REPLACE FUNCTION edge.replaced(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $y$ BEGIN RAISE NOTICE 'new'; RETURN corm.next(qc); END $y$ $x$;
	PERFORM corm.count(corm.selector('edge.users'));
	r := corm.next(qc);
	RETURN r;
END $$;
SELECT corm.use('replaced(corm.query_context)', 'users', priority=>1) AS s \gset
SELECT corm.count(corm.selector('users'));
SELECT corm.count(corm.selector('users'));
BEGIN;
DROP FUNCTION replaced(corm.query_context);
SELECT corm.count(corm.selector('users'));
ROLLBACK;
SELECT corm.count(corm.selector('users'));
SELECT corm.unuse(:s);
-- A function that fails often leaves nothing behind
CREATE FUNCTION failing(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT corm.next(qc) FROM (SELECT 1/0) x $$;
SELECT corm.use('failing(corm.query_context)', 'users', priority=>1) AS s \gset
DO $$ BEGIN FOR i IN 1..2000 LOOP BEGIN PERFORM corm.count(corm.selector('edge.users')); EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$;
SELECT sum(total_bytes) < 200000 AS bounded FROM pg_backend_memory_contexts WHERE name ~ 'middleware|SQL function';
SELECT corm.unuse(:s);
-- A SECURITY DEFINER function lends its rights to its own code, not to the query; its settings likewise
CREATE FUNCTION definer(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql SECURITY DEFINER STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r corm.query_result;
BEGIN
	RAISE NOTICE 'as owner: %, path %', current_user <> 'corm_edge', current_setting('search_path');
	r := corm.next(qc);
	RAISE NOTICE 'as owner: %, path %', current_user <> 'corm_edge', current_setting('search_path');
	RETURN r;
END $$;
CREATE FUNCTION inside(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE 'inside as owner: %, path %', current_user <> 'corm_edge', current_setting('search_path'); RETURN corm.next(qc); END $$;
SELECT corm.use('inside(corm.query_context)', 'users', priority => 2) AS i \gset
SELECT corm.use('definer(corm.query_context)', 'users', priority=>1) AS s \gset
CREATE ROLE corm_edge;
GRANT USAGE ON SCHEMA edge TO corm_edge;
SET ROLE corm_edge;
SELECT corm.count(corm.selector('users'));
RESET ROLE;
GRANT SELECT ON users TO corm_edge;
SET ROLE corm_edge;
SELECT corm.count(corm.selector('users'));
SELECT corm.count(corm.raw_query('SELECT 1 FROM users'));
-- an error in between leaves user and path as they were
SELECT corm.exec(corm.raw_query('SELECT 1/0 FROM users'));
SELECT current_user, current_setting('search_path');
-- what the query calls cannot change the role, as in the function itself: its end would undo half of that; without the function it can
SELECT corm.count(corm.selector('users'), corm.where(corm.eq(corm.raw($$set_config('role', 'none', false)$$), 'none')));
SELECT corm.count(corm.selector('users'), corm.where(corm.eq(corm.raw($$set_config('session_authorization', session_user, false)$$), 'none')));
SELECT current_user, current_setting('role');
RESET ROLE;
SELECT corm.unuse(:s), corm.unuse(:i);
SET ROLE corm_edge;
SELECT corm.count(corm.selector('users'), corm.where(corm.eq(corm.raw($$set_config('role', 'none', false)$$), 'other')));
SELECT current_user = 'corm_edge' AS is_edge, current_setting('role');
RESET ROLE;

-- Two that write with corm see each other's writes, not their own
CREATE TABLE logs (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION log_all(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	PERFORM corm.insert(ROW(NULL, qc.op || ' ' || qc.model)::edge.logs);
	RETURN corm.next(qc);
END $$;
CREATE FUNCTION log_all2(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	PERFORM corm.insert(ROW(NULL, '2 ' || qc.op || ' ' || qc.model)::edge.logs);
	RETURN corm.next(qc);
END $$;
SELECT corm.use('log_all(corm.query_context)') AS s, corm.use('log_all2(corm.query_context)') AS t \gset
SELECT corm.count(corm.selector('users'));
SELECT what FROM logs ORDER BY id;
-- one by one or not, two records of one row are refused
SELECT corm.update_multi(ARRAY[ROW(1, 'x', 1), ROW(2, 'y', 1), ROW(1, 'z', 1)]::users[]);
SELECT corm.unuse(:s), corm.unuse(:t);

-- Numbers in a result that are made up: the count of a read is that of its rows, of a write what is said
CREATE FUNCTION fancy(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result := corm.next(qc); r2 corm.query_result := corm.next(qc);
BEGIN
	r.rows_affected := 77; r.row_count := 78;
	RETURN r;
END $$;
SELECT corm.use('fancy(corm.query_context)', 'users', '{SELECT}') AS s \gset
SELECT corm.count(corm.selector('users')), corm.exec(corm.selector('users'));
SELECT corm.unuse(:s);
CREATE FUNCTION fancy2(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result := corm.next(qc);
BEGIN r.rows_affected := -5; RETURN r; END $$;
SELECT corm.use('fancy2(corm.query_context)', 'users') AS s \gset
SELECT corm.exec(corm.updater('users'), corm.set('name','x'), corm.all_rows());
SELECT corm.unuse(:s);

-- A scope within a middleware, and bounds of the query itself
CREATE FUNCTION in_scope(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE t corm.tx_result;
BEGIN
  t := corm.try_tx('SELECT corm.exec(corm.updater(''edge.users''), corm.set(''name'', ''try''), corm.all_rows()) / 0');
  RAISE NOTICE '% %', t.ok, t.sqlstate;
  RETURN corm.next(qc); END $$;
SELECT corm.use('in_scope(corm.query_context)', 'users') AS s \gset
SELECT corm.exec(corm.updater('users'), corm.set('name','y'), corm.all_rows(), corm.max_rows(1));
SELECT corm.exec(corm.updater('users'), corm.set('name','y'), corm.all_rows(), corm.max_rows(5));
SELECT * FROM users ORDER BY id;
SELECT corm.unuse(:s);

-- A portal that is read in pieces: its chain is over before the first row
SELECT corm.use('definer(corm.query_context)', 'users', priority=>1) AS s \gset
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM corm.get_multi(NULL::users, corm.order_by('id'));
FETCH 1 FROM c;
SELECT corm.count(corm.selector('users'));
FETCH 1 FROM c;
COMMIT;
SELECT corm.unuse(:s);
DROP OWNED BY corm_edge;
DROP ROLE corm_edge;
SELECT corm.unuse(id) FROM corm.middleware;
DROP SCHEMA edge CASCADE;
