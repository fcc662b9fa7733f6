-- hardening 45
-- Fault G1: what a middleware calls cannot go on in its place. corm.next and the rows of a result belong to the code that the
-- chain called, as the user and in the security context in which it was called.
\pset format unaligned
\set VERBOSITY terse
CREATE ROLE corm_g1_admin SUPERUSER;
CREATE ROLE corm_g1_mallory;
CREATE SCHEMA g1;
CREATE SCHEMA g1m;
GRANT USAGE ON SCHEMA g1 TO PUBLIC;
GRANT ALL ON SCHEMA g1m TO corm_g1_mallory;
CREATE TABLE g1.users (id int PRIMARY KEY, secret text);
INSERT INTO g1.users VALUES (1, 'the secret');
GRANT REFERENCES ON g1.users TO corm_g1_mallory;

-- mallory's
SET ROLE corm_g1_mallory;
CREATE FUNCTION g1m.evil() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'ALTER ROLE corm_g1_mallory SUPERUSER';
    RETURN 1;
END $$;
CREATE FUNCTION g1m.attack() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    errors text[] = '{}';
    state text;
    message text;
BEGIN
    FOR i IN 1..50 LOOP
        BEGIN
            PERFORM corm.next(ROW('SELECT', NULL, corm.raw_query('SELECT g1m.evil() AS id, NULL::text AS secret'), NULL, NULL, NULL, i)::corm.query_context);
            errors = errors || 'no error'::text;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
            errors = errors || (state || ' ' || message);
        END;
        BEGIN
            PERFORM * FROM corm.result_rows(ROW(0, 1, i)::corm.query_result);
            errors = errors || 'no error'::text;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
            errors = errors || (state || ' ' || message);
        END;
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT e, '; ' ORDER BY e) FROM unnest(errors) e);
END $$;
CREATE FUNCTION g1m.log(op text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN RAISE NOTICE 'log as %: %', current_user, g1m.attack(); END $$;
CREATE TABLE g1m.sessions (user_id int REFERENCES g1.users ON DELETE CASCADE);
CREATE FUNCTION g1m.on_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE 'cascade as %: %', current_user, g1m.attack(); RETURN OLD; END $$;
CREATE TRIGGER t BEFORE DELETE ON g1m.sessions FOR EACH ROW EXECUTE FUNCTION g1m.on_delete();
CREATE FUNCTION g1m.indexed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_setting('g1.armed', true) = 'on' THEN RAISE NOTICE 'index as %: %', current_user, g1m.attack(); END IF;
    RETURN $1;
END $$;
CREATE TABLE g1m.indexed (id int);
INSERT INTO g1m.indexed VALUES (1);
CREATE INDEX ON g1m.indexed (g1m.indexed(id));
CREATE FUNCTION g1m.checked(int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN RAISE NOTICE 'check as %: %', current_user, g1m.attack(); RETURN true; END $$;
CREATE DOMAIN g1m.checked AS int CHECK (g1m.checked(VALUE));
-- what is given to her by mistake
CREATE FUNCTION g1m.given(qc corm.query_context, r corm.query_result) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    errors text = '';
BEGIN
    qc.query = corm.raw_query('SELECT g1m.evil() AS id, NULL::text AS secret');
    BEGIN PERFORM corm.next(qc); EXCEPTION WHEN OTHERS THEN errors = SQLSTATE || ' ' || SQLERRM; END;
    BEGIN PERFORM corm.result_rows(r); EXCEPTION WHEN OTHERS THEN errors = errors || '; ' || SQLSTATE || ' ' || SQLERRM; END;
    RETURN errors;
END $$;
RESET ROLE;

-- the admin's
SET ROLE corm_g1_admin;
CREATE FUNCTION g1.audit(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
    r := corm.next(qc);
    PERFORM g1m.log(qc.op);
    INSERT INTO g1.users VALUES (2, 'x');
    INSERT INTO g1m.sessions VALUES (2);
    DELETE FROM g1.users WHERE id = 2;
    PERFORM set_config('g1.armed', 'on', true);
    ANALYZE g1m.indexed;
    PERFORM set_config('g1.armed', 'off', true);
    PERFORM 1::g1m.checked;
    RAISE NOTICE 'given: %', g1m.given(qc, r);
    RETURN r;
END $$;
SELECT corm.use('g1.audit(corm.query_context)', 'g1.users') AS id \gset
\echo G1: a function with its own rights, a cascade, an index, a domain, and one that is handed the context and the result
SELECT * FROM corm.get_multi(NULL::g1.users);
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = 'corm_g1_mallory';
SELECT corm.unuse(:id);

\echo G1: within corm.next, where the query is what is running
CREATE FUNCTION g1.just_next(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
SELECT corm.use('g1.just_next(corm.query_context)', 'g1.users') AS id \gset
INSERT INTO g1.users VALUES (2, 'x');
INSERT INTO g1m.sessions VALUES (2);
SELECT corm.exec(corm.deleter('g1.users'), corm.where(corm.eq('id', 2)));
SELECT corm.unuse(:id);

\echo G1: a middleware with rights of its own goes on, reads its rows, and may let a function of its owner do it; others may not
CREATE ROLE corm_g1_app;
GRANT CREATE ON SCHEMA g1 TO corm_g1_app;
GRANT ALL ON g1.users TO corm_g1_app, corm_g1_mallory;
GRANT corm_g1_app TO corm_g1_admin;
GRANT USAGE ON SCHEMA g1m TO corm_g1_app;
SET ROLE corm_g1_app;
CREATE FUNCTION g1.go_on(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
CREATE FUNCTION g1.definer(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE r corm.query_result := corm.next(qc);
BEGIN
    RAISE NOTICE '% % %', current_user, (SELECT count(*) FROM corm.result_rows(r)), g1m.given(qc, r);
    PERFORM g1m.log(qc.op);
    RETURN g1.go_on(qc);
END $$;
-- not the same: one with rights of its own that another calls
CREATE FUNCTION g1.definer_called(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN corm.next(qc); END $$;
CREATE FUNCTION g1.calls(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN g1.definer_called(qc); END $$;
-- and one that makes rows for another
CREATE FUNCTION g1.made() RETURNS corm.query_result LANGUAGE sql SECURITY DEFINER AS $$ SELECT corm.result_of('[{"id": 7, "secret": "made"}]') $$;
CREATE FUNCTION g1.takes(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN g1.made(); END $$;
-- one that changes the role, which is its own affair: the query runs as before
CREATE FUNCTION g1.as_other(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result; who text = current_setting('role');
BEGIN
    SET LOCAL ROLE corm_g1_mallory;
    r := corm.next(qc);
    PERFORM corm.result_rows(r);
    PERFORM set_config('role', who, true);
    RETURN r;
END $$;
RESET ROLE;
SET ROLE corm_g1_admin;
SELECT corm.use('g1.definer(corm.query_context)', 'g1.users') AS id \gset
SELECT * FROM corm.get_multi(NULL::g1.users);
SELECT corm.unuse(:id), corm.use('g1.calls(corm.query_context)', 'g1.users') AS id \gset
SELECT * FROM corm.get_multi(NULL::g1.users);
SELECT corm.unuse(:id), corm.use('g1.takes(corm.query_context)', 'g1.users') AS id \gset
SELECT * FROM corm.get_multi(NULL::g1.users);
SELECT corm.unuse(:id), corm.use('g1.as_other(corm.query_context)', 'g1.users') AS id \gset
SELECT * FROM corm.get_multi(NULL::g1.users);
SELECT corm.unuse(:id);

\echo G1: a number is for one call of one layer; a result is for those to whom it was given
CREATE TABLE g1.seen (call bigint);
CREATE FUNCTION g1.keeps(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
    INSERT INTO g1.seen VALUES (qc.call);
    r := corm.next(qc);
    RETURN r;
END $$;
CREATE FUNCTION g1.replays(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE other bigint;
BEGIN
    INSERT INTO g1.seen VALUES (qc.call);
    FOR other IN SELECT call FROM g1.seen WHERE call <> qc.call LOOP
        BEGIN
            PERFORM corm.next(ROW('SELECT', NULL, qc.query, NULL, NULL, NULL, other)::corm.query_context);
            RAISE NOTICE 'went on with the number of another call';
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            RAISE NOTICE '%', SQLERRM;
        END;
    END LOOP;
    RETURN corm.next(qc);
END $$;
SELECT corm.use('g1.keeps(corm.query_context)', 'g1.users', priority => 1) AS a, corm.use('g1.replays(corm.query_context)', 'g1.users') AS b \gset
SELECT count(*) FROM corm.get_multi(NULL::g1.users);
SELECT count(DISTINCT call) AS numbers, min(call) > 0 AS positive, max(call) > 1000000000000 AS large FROM g1.seen;
SELECT corm.unuse(:a), corm.unuse(:b);

\echo G1: a chain that begins in a restricted operation goes on there
CREATE MATERIALIZED VIEW g1.ids AS SELECT id FROM corm.get_multi(NULL::g1.users);
SELECT corm.use('g1.just_next(corm.query_context)', 'g1.users') AS id \gset
REFRESH MATERIALIZED VIEW g1.ids;
TABLE g1.ids;
SELECT corm.unuse(:id);

\echo G1: a result that is given to her by mistake is not returned by a middleware of her own
RESET ROLE;
SET ROLE corm_g1_mallory;
CREATE TABLE g1m.hers (id int PRIMARY KEY, secret text);
CREATE FUNCTION g1m.returns_it(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN RETURN current_setting('g1.handle')::corm.query_result; END $$;
CREATE FUNCTION g1m.keeps_it(r corm.query_result) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM set_config('g1.handle', r::text, true);
    RAISE NOTICE 'as %: %', current_user, corm.get_multi_json(corm.selector('g1m.hers'));
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'as %: %', current_user, SQLERRM;
END $$;
SELECT corm.use('g1m.returns_it(corm.query_context)', 'g1m.hers') AS hers \gset
RESET ROLE;
SET ROLE corm_g1_admin;
CREATE FUNCTION g1.gives_it(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result := corm.next(qc);
BEGIN
    PERFORM g1m.keeps_it(r);
    -- what is run as the same user may have it
    PERFORM set_config('g1.handle', r::text, true);
    RAISE NOTICE 'as %: %', current_user, corm.get_multi_json(corm.selector('g1m.hers'));
    RETURN r;
END $$;
SELECT corm.use('g1.gives_it(corm.query_context)', 'g1.users') AS id \gset
SELECT count(*) FROM corm.get_multi(NULL::g1.users);
SELECT corm.unuse(:id), corm.unuse(:hers);
RESET ROLE;
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = 'corm_g1_mallory';
DROP OWNED BY corm_g1_mallory, corm_g1_app, corm_g1_admin CASCADE;
SET client_min_messages = warning;
DROP SCHEMA g1 CASCADE;
DROP SCHEMA g1m CASCADE;
DROP ROLE corm_g1_mallory, corm_g1_app, corm_g1_admin;
