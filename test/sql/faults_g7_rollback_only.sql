-- hardening 45
-- Fault G7: a scope is given up by its own code only, and never in silence.
\pset format unaligned
\set VERBOSITY terse
CREATE ROLE corm_g7_admin SUPERUSER;
CREATE ROLE corm_g7_mallory;
CREATE SCHEMA g7;
GRANT ALL ON SCHEMA g7 TO corm_g7_mallory;
SET ROLE corm_g7_mallory;
CREATE FUNCTION g7.tries(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE what;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION g7.attack() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN concat_ws('; ', 'as ' || current_user, g7.tries('SELECT corm.set_rollback_only()'),
        -- her own affair
        g7.tries($x$SELECT corm.do_tx(corm.tx('nested'), 'SELECT corm.set_rollback_only()')$x$));
END $$;
CREATE FUNCTION g7.indexed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user = 'corm_g7_mallory' THEN 
        RAISE NOTICE 'index: %; %; %', g7.attack(),
            g7.tries($x$SELECT corm.do_tx('SELECT corm.set_rollback_only()')$x$),
            g7.tries($x$SELECT corm.try_tx('SELECT corm.set_rollback_only()')$x$);
    END IF;
    RETURN $1;
END $$;
CREATE TABLE g7.t (id int PRIMARY KEY);
CREATE TABLE g7.child (id int REFERENCES g7.t ON DELETE CASCADE);
CREATE FUNCTION g7.on_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE 'cascade: %', g7.attack(); RETURN OLD; END $$;
CREATE TRIGGER t BEFORE DELETE ON g7.child FOR EACH ROW EXECUTE FUNCTION g7.on_delete();
CREATE FUNCTION g7.definer() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN RAISE NOTICE 'definer: %', g7.attack(); END $$;
CREATE FUNCTION g7.own_scope() RETURNS jsonb LANGUAGE sql SECURITY DEFINER AS $$
    SELECT corm.do_tx(corm.tx('nested'), 'INSERT INTO g7.child VALUES (NULL); SELECT corm.set_rollback_only()')
$$;
RESET ROLE;

SET ROLE corm_g7_admin;
\echo G7: an index, a cascade, a function with its own rights
CALL corm.begin_tx();
INSERT INTO g7.t VALUES (1), (2);
INSERT INTO g7.child VALUES (2);
RESET ROLE;
SET ROLE corm_g7_mallory;
CREATE INDEX ON g7.t (g7.indexed(id));
RESET ROLE;
SET ROLE corm_g7_admin;
ANALYZE g7.t;
DELETE FROM g7.t WHERE id = 2;
SELECT g7.definer();
SELECT g7.own_scope() IS NULL AS rolled_back;
SELECT rollback_only FROM corm.current_tx();
CALL corm.commit_tx();
SELECT id FROM g7.t;
\echo G7: the same in a plain transaction, where a scope could only join that
BEGIN;
INSERT INTO g7.t VALUES (2);
INSERT INTO g7.child VALUES (2);
ANALYZE g7.t;
DELETE FROM g7.t WHERE id = 2;
SELECT g7.definer();
SELECT count(*) FROM corm.try_tx('SELECT g7.definer()');
COMMIT;
SELECT id FROM g7.t;
\echo G7: and within a scope inside of one call
SELECT corm.do_tx($$INSERT INTO g7.t VALUES (3); SELECT g7.definer(); SELECT g7.own_scope()$$);
SELECT id FROM g7.t ORDER BY id;
\echo G7: own code gives its scope up, and a commit says so
CALL corm.begin_tx(corm.tx(name => 'mine'));
INSERT INTO g7.t VALUES (4);
SELECT corm.set_rollback_only();
CALL corm.commit_tx();
CALL corm.begin_tx();
INSERT INTO g7.t VALUES (4);
SELECT corm.set_rollback_only();
COMMIT;
CALL corm.begin_tx();
CALL corm.begin_tx(corm.tx('nested', name => 'inner'));
INSERT INTO g7.t VALUES (4);
SELECT corm.set_rollback_only();
CALL corm.commit_tx();
CALL corm.commit_tx();
CALL corm.begin_tx(corm.tx(name => 'outer'));
CALL corm.begin_tx(corm.tx(name => 'joined'));
INSERT INTO g7.t VALUES (4);
SELECT corm.set_rollback_only();
CALL corm.commit_tx();
CALL corm.commit_tx();
SELECT corm.do_tx('INSERT INTO g7.t VALUES (4); SELECT corm.set_rollback_only()') IS NULL AS rolled_back;
CALL corm.begin_tx();
INSERT INTO g7.t VALUES (4);
SELECT corm.set_rollback_only();
CALL corm.rollback_tx();
SELECT id FROM g7.t ORDER BY id;
\echo G7: a role that the session takes on is the session still
CALL corm.begin_tx();
INSERT INTO g7.t VALUES (4);
SET ROLE corm_g7_mallory;
SELECT corm.set_rollback_only();
RESET ROLE;
SET ROLE corm_g7_admin;
CALL corm.commit_tx();
SELECT id FROM g7.t ORDER BY id;
\echo G7: in a restricted operation, a scope of its own
CREATE MATERIALIZED VIEW g7.m AS SELECT corm.do_tx(corm.tx('nested'), 'SELECT corm.set_rollback_only()') IS NULL AS rolled_back;
TABLE g7.m;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA g7 CASCADE;
DROP OWNED BY corm_g7_mallory, corm_g7_admin;
DROP ROLE corm_g7_mallory, corm_g7_admin;
