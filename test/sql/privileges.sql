-- Everything runs with the rights of the caller, whatever the plan cache holds.
SET client_min_messages = warning;
CREATE ROLE regress_ann;
CREATE ROLE regress_bob;
CREATE SCHEMA pv;
GRANT USAGE ON SCHEMA pv TO regress_ann, regress_bob;
SET search_path = pv;
CREATE TABLE notes (id int PRIMARY KEY, owner name DEFAULT current_user, body text, secret text);
INSERT INTO notes VALUES (1, 'regress_ann', 'a1', 's'), (2, 'regress_bob', 'b1', 's'), (3, 'regress_ann', 'a2', 's');
GRANT SELECT (id, owner, body), INSERT (id, body), UPDATE (body), DELETE ON notes TO regress_ann, regress_bob;
\set VERBOSITY terse

-- Column privileges, with plans that the owner has made
SELECT corm.get_multi_json(corm.selector('notes'), corm.select('id', 'body'), corm.order_by('id'));
SELECT corm.get(NULL::notes, corm.where(corm.eq('id', 1)));
SELECT corm.exec(corm.updater('notes'), corm.set('secret', 's'), corm.where(corm.eq('id', 1)));
SELECT corm.insert(ROW(4, 'x', 'x', 'x')::notes), corm.delete(ROW(4, 'x', 'x', 'x')::notes);
SET ROLE regress_ann;
SELECT corm.get_multi_json(corm.selector('notes'), corm.select('id', 'body'), corm.order_by('id'));
SELECT corm.get(NULL::notes, corm.where(corm.eq('id', 1)));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.exec(corm.updater('notes'), corm.set('secret', 's'), corm.where(corm.eq('id', 1)));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.insert(ROW(4, 'x', 'x', 'x')::notes);
\echo :LAST_ERROR_SQLSTATE
SELECT corm.count(corm.selector('notes'), corm.where(corm.eq('secret', 's')));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.value(NULL::text, corm.selector('notes'), corm.select(corm.raw('secret')));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.value(NULL::text, corm.selector('notes'), corm.select('id'), corm.order_by('secret'));
\echo :LAST_ERROR_SQLSTATE
SELECT corm.exec(corm.inserter('notes'), corm.set('id', 4), corm.set('body', 'mine'));
SELECT corm.value(NULL::name, corm.selector('notes'), corm.select('owner'), corm.where(corm.eq('id', 4)));
CREATE TYPE pg_temp.note AS (id int, body text);
SELECT * FROM corm.get_multi(NULL::pg_temp.note, corm.selector('notes'), corm.where(corm.lt('id', 3)), corm.order_by('id'));
RESET ROLE;

-- hardening 9: row-level security; one session, one shape, several roles in turn
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user) WITH CHECK (owner = current_user);
CREATE FUNCTION bodies() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN current_user || ': ' || corm.get_multi_json(corm.selector('pv.notes'), corm.select('body'), corm.order_by('id'))
        || corm.count(corm.selector('pv.notes')) || corm.exec(corm.updater('pv.notes'), corm.set('body', corm.c('body')), corm.all_rows());
END $$;
GRANT EXECUTE ON FUNCTION bodies() TO PUBLIC;
SELECT bodies();
SET ROLE regress_ann;
SELECT bodies();
SET ROLE regress_bob;
SELECT bodies();
SET ROLE regress_ann;
SELECT bodies();
SELECT corm.exec(corm.inserter('notes'), corm.set('id', 7), corm.set('body', 'ok'));
SELECT corm.exec(corm.deleter('notes'), corm.where(corm.eq('id', 2)));
SELECT corm.exec(corm.inserter('notes'), corm.rows('[{"id": 8, "owner": "regress_bob"}]'));
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER POLICY own ON notes USING (body LIKE 'a%');
SET ROLE regress_ann;
SELECT bodies();
RESET ROLE;
SET row_security = off;
SET ROLE regress_ann;
SELECT bodies();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
RESET row_security;
DROP POLICY own ON notes;
CREATE POLICY own ON notes USING (owner = current_user);

-- Functions that run as their owner, and views that run as theirs or as the caller
CREATE FUNCTION as_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT corm.count(corm.selector('pv.notes'))
$$;
CREATE VIEW all_notes AS SELECT id, body FROM notes;
CREATE VIEW own_notes WITH (security_invoker = true) AS SELECT id, body FROM notes;
GRANT SELECT ON all_notes, own_notes TO regress_ann, regress_bob;
SELECT as_owner(), corm.count(corm.selector('all_notes')), corm.count(corm.selector('own_notes'));
SET ROLE regress_ann;
SELECT as_owner(), corm.count(corm.selector('notes')), corm.count(corm.selector('all_notes')), corm.count(corm.selector('own_notes'));
SET ROLE regress_bob;
SELECT as_owner(), corm.count(corm.selector('notes')), corm.count(corm.selector('all_notes')), corm.count(corm.selector('own_notes'));
RESET ROLE;

-- A schema, a function, a table taken away from a role with warm plans
CREATE FUNCTION secret_f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
SET ROLE regress_ann;
SELECT corm.value(NULL::int, corm.selector('notes'), corm.select(corm.fn('pv.secret_f', corm.c('id'))), corm.order_by('id'));
RESET ROLE;
REVOKE EXECUTE ON FUNCTION secret_f(int) FROM PUBLIC;
REVOKE ALL ON notes FROM regress_bob;
SET ROLE regress_ann;
SELECT corm.value(NULL::int, corm.selector('notes'), corm.select(corm.fn('pv.secret_f', corm.c('id'))), corm.order_by('id'));
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_bob;
SELECT bodies();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
REVOKE USAGE ON SCHEMA pv FROM regress_ann;
SET ROLE regress_ann;
SELECT corm.count(corm.selector('pv.notes'), corm.where(corm.gt('id', 0), corm.gt('id', -1)));
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- What PUBLIC may do with corm's own objects: call functions, read views; nothing can be made or written there.
SELECT has_schema_privilege('regress_ann', 'corm', 'USAGE') AS usage, has_schema_privilege('regress_ann', 'corm', 'CREATE') AS create,
    has_schema_privilege('regress_ann', 'corm_ops', 'USAGE') AS usage, has_schema_privilege('regress_ann', 'corm_ops', 'CREATE') AS create;
SELECT count(*) AS writable FROM pg_class WHERE relnamespace = 'corm'::regnamespace AND relkind IN ('r', 'v')
    AND has_table_privilege('regress_ann', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES');
SELECT count(*) AS security_definer FROM pg_proc WHERE pronamespace = 'corm'::regnamespace AND prosecdef;

-- Parallel plans: builders may run in workers, verbs are never planned into one
DO $$
BEGIN
    PERFORM set_config(CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'force_parallel_mode' ELSE 'debug_parallel_query' END, 'on', false);
END $$;
CREATE TABLE par AS SELECT i AS id, corm.pipe(corm.selector('notes'), corm.where(corm.eq('id', i))) AS q FROM generate_series(1, 1000) i;
SELECT count(*) FROM par WHERE corm.pipe(q, corm.limit(id))::text LIKE '%limit%' AND q::jsonb IS NOT NULL AND q::text::corm.query::text = q::text;
SELECT sum(corm.count(q)) FROM par WHERE id < 5;
SELECT corm.count(corm.selector('par')), corm.value(NULL::bigint, corm.selector('par'), corm.select(corm.sum('id')));
SELECT count(*) FROM corm.get_multi(NULL::par, corm.where(corm.gt('id', 500)));
SELECT corm.exec(corm.updater('par'), corm.set('id', corm.add('id', 0)), corm.where(corm.gt('id', 500)));
RESET ALL;
SET client_min_messages = error;
DROP SCHEMA pv CASCADE;
DROP OWNED BY regress_ann, regress_bob;
DROP ROLE regress_ann, regress_bob;
