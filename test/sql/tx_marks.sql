-- Rollback-only: acceptance 3, and set_rollback_only().
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION ids() RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '-') FROM public.t $$;
-- runs a body and swallows its error, as an exception block does
CREATE FUNCTION swallow(body text, opts corm.tx_options DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.do_tx(opts, body);
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

-- required fails inside, the outer catches and ends normally: 40000, nothing stored
SELECT corm.do_tx(corm.tx(name => 'outer'), $$INSERT INTO t VALUES (1);
    SELECT swallow('INSERT INTO t VALUES (2); SELECT 1/0', corm.tx(name => 'culprit'))$$);
\echo :LAST_ERROR_SQLSTATE
SELECT ids();
-- the same with the error as data
SELECT sqlstate, message, detail FROM corm.try_tx(corm.tx(name => 'outer'), $$INSERT INTO t VALUES (1);
    SELECT corm.try_tx(corm.tx(name => 'culprit'), 'INSERT INTO t VALUES (2); SELECT 1/0')$$);
SELECT ids();
-- through a scope that joined and succeeded itself
SELECT sqlstate, message FROM corm.try_tx(corm.tx(name => 'outer'), $$INSERT INTO t VALUES (1);
    SELECT corm.do_tx(corm.tx(name => 'middle'), 'SELECT swallow(''SELECT 1/0'', corm.tx(name => ''culprit''))')$$);
-- current_tx tells beforehand
SELECT message FROM corm.try_tx($$SELECT swallow('SELECT 1/0');
    DO $d$ BEGIN RAISE '%', (SELECT rollback_only FROM corm.current_tx()); END $d$ $$);
-- the error of the joined scope goes through the outer: no 40000
SELECT sqlstate FROM corm.try_tx($$SELECT corm.do_tx('SELECT 1/0')$$);
-- required fails inside nested, caught outside of nested
SELECT corm.do_tx($$INSERT INTO t VALUES (1);
    SELECT swallow('INSERT INTO t VALUES (2); SELECT corm.do_tx(''SELECT 1/0'')', corm.tx('nested'));
    SELECT ids()$$);
SELECT ids();
TRUNCATE t;
-- caught inside nested: nested fails with 40000, the outer goes on
SELECT corm.do_tx($$INSERT INTO t VALUES (1);
    SELECT swallow('INSERT INTO t VALUES (2); SELECT swallow(''SELECT 1/0'')', corm.tx('nested'))$$);
SELECT ids();
TRUNCATE t;

-- session form
CALL corm.begin_tx(corm.tx(name => 'session'));
INSERT INTO t VALUES (1);
SELECT swallow('INSERT INTO t VALUES (2); SELECT 1/0', corm.tx(name => 'culprit'));
SELECT * FROM corm.current_tx();
CALL corm.commit_tx();
SELECT ids(), corm.tx_depth(), corm.in_tx();
-- native COMMIT is refused as well
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SELECT swallow('SELECT 1/0');
COMMIT;
\echo :LAST_ERROR_SQLSTATE
SELECT ids(), corm.in_tx();
-- rolled back explicitly: no further error
CALL corm.begin_tx();
SELECT swallow('SELECT 1/0');
CALL corm.rollback_tx();
CALL corm.begin_tx();
SELECT swallow('SELECT 1/0');
ROLLBACK;
-- a mark cleared by ROLLBACK TO an earlier savepoint
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SAVEPOINT s;
SELECT swallow('SELECT 1/0');
SELECT rollback_only FROM corm.current_tx();
ROLLBACK TO s;
SELECT rollback_only FROM corm.current_tx();
COMMIT;
SELECT ids();
TRUNCATE t;
-- a later savepoint does not clear it
CALL corm.begin_tx();
SAVEPOINT older;
RELEASE older;
SELECT swallow('SELECT 1/0');
SAVEPOINT later;
ROLLBACK TO later;
SELECT rollback_only FROM corm.current_tx();
CALL corm.commit_tx();
-- the error itself, recovered from by ROLLBACK TO
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SAVEPOINT s;
SELECT corm.do_tx('SELECT 1/0');
ROLLBACK TO s;
CALL corm.commit_tx();
SELECT ids();
TRUNCATE t;

-- a nested session scope confines the damage
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.begin_tx();
INSERT INTO t VALUES (2);
SELECT swallow('SELECT 1/0', corm.tx(name => 'culprit'));
CALL corm.commit_tx();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO SAVEPOINT corm_tx_2;
SELECT * FROM corm.current_tx();
CALL corm.commit_tx();
CALL corm.commit_tx();
SELECT ids();
TRUNCATE t;
-- a plain RELEASE of a doomed scope carries the mark outwards
CALL corm.begin_tx();
CALL corm.begin_tx();
SELECT swallow('SELECT 1/0');
RELEASE SAVEPOINT corm_tx_2;
SELECT * FROM corm.current_tx();
CALL corm.commit_tx();
-- and up to the transaction itself
BEGIN;
CALL corm.begin_tx();
SELECT swallow('SELECT 1/0', corm.tx(name => 'culprit'));
RELEASE SAVEPOINT corm_tx_1;
SELECT corm.tx_depth();
COMMIT;
SELECT corm.in_tx();

-- joining a plain BEGIN marks nothing
BEGIN;
INSERT INTO t VALUES (1);
SELECT swallow('INSERT INTO t VALUES (2); SELECT 1/0');
SELECT ok, sqlstate FROM corm.try_tx('INSERT INTO t VALUES (3); SELECT 1/0');
COMMIT;
SELECT ids();
TRUNCATE t;

-- set_rollback_only(): silent
SELECT corm.do_tx('INSERT INTO t VALUES (1); SELECT corm.set_rollback_only(); SELECT 1 AS one') IS NULL AS rolled_back;
SELECT ok, value, sqlstate FROM corm.try_tx('INSERT INTO t VALUES (1); SELECT corm.set_rollback_only()');
SELECT corm.do_tx($$INSERT INTO t VALUES (1);
    SELECT corm.do_tx(corm.tx('nested'), 'INSERT INTO t VALUES (2); SELECT corm.set_rollback_only()')$$);
SELECT ids();
TRUNCATE t;
-- in a joined scope it dooms what was joined, since that did not ask for it
SELECT sqlstate, message FROM corm.try_tx(corm.tx(name => 'outer'), $$INSERT INTO t VALUES (1);
    SELECT corm.do_tx(corm.tx(name => 'inner'), 'SELECT corm.set_rollback_only()')$$);
BEGIN;
INSERT INTO t VALUES (1);
SELECT corm.do_tx(corm.tx(name => 'joined'), 'SELECT corm.set_rollback_only()') IS NULL AS rolled_back;
COMMIT;
SELECT ids();
-- session form
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SELECT corm.set_rollback_only();
CALL corm.commit_tx();
SELECT ids(), corm.in_tx();
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SELECT corm.set_rollback_only();
COMMIT;
SELECT ids(), corm.in_tx();
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.begin_tx();
INSERT INTO t VALUES (2);
SELECT corm.set_rollback_only();
CALL corm.commit_tx();
SELECT ids(), corm.tx_depth();
CALL corm.commit_tx();
SELECT ids();
TRUNCATE t;
-- undone by ROLLBACK TO an older savepoint
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
SAVEPOINT s;
SELECT corm.set_rollback_only();
ROLLBACK TO s;
CALL corm.commit_tx();
SELECT ids();
TRUNCATE t;
-- without a scope
SELECT corm.set_rollback_only();
BEGIN;
SELECT corm.set_rollback_only();
ROLLBACK;

-- a joined session scope that is rolled back dooms what it joined
CALL corm.begin_tx(corm.tx(name => 'outer'));
INSERT INTO t VALUES (1);
CALL corm.begin_tx(corm.tx('required', name => 'inner'));
INSERT INTO t VALUES (2);
CALL corm.rollback_tx();
SELECT * FROM corm.current_tx();
CALL corm.commit_tx();
SELECT ids();

-- deferred triggers run inside the scope of the COMMIT, and can doom it
CREATE FUNCTION deferred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'depth % in_tx %', corm.tx_depth(), corm.in_tx();
    IF NEW.id = 13 THEN PERFORM corm.do_tx(corm.tx(name => 'late'), 'SELECT corm.set_rollback_only()'); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION deferred();
CALL corm.begin_tx();
INSERT INTO t VALUES (1);
CALL corm.commit_tx();
CALL corm.begin_tx();
INSERT INTO t VALUES (13);
CALL corm.commit_tx();
SELECT corm.do_tx('INSERT INTO t VALUES (2)');
SELECT ids();

DROP TABLE t;
DROP FUNCTION swallow, ids, deferred;
