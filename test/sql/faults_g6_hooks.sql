-- hardening 48
-- Fault G6, hooks: what others put beside a table does not become a hook when their objects are given away.
\pset format unaligned
CREATE ROLE corm_g6h_app;
CREATE ROLE corm_g6h_mallory;
CREATE ROLE corm_g6h_third;
CREATE SCHEMA g6h;
GRANT USAGE, CREATE ON SCHEMA g6h TO PUBLIC;
SET ROLE corm_g6h_app;
CREATE TABLE g6h.t (id int PRIMARY KEY);
CREATE FUNCTION g6h.after_save(r g6h.t) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'the hook'; END $$;
RESET ROLE;
SET ROLE corm_g6h_mallory;
CREATE FUNCTION g6h.before_save(r g6h.t) RETURNS g6h.t LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'planted, as %', current_user; RETURN r; END $$;
CREATE TABLE g6h.hers (id int PRIMARY KEY);
CREATE FUNCTION g6h.before_save(r g6h.hers) RETURNS g6h.hers LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'hers'; RETURN r; END $$;
-- no hooks: another name, another argument, another schema
CREATE FUNCTION g6h.before_saving(r g6h.t) RETURNS g6h.t LANGUAGE sql AS 'SELECT r';
CREATE FUNCTION g6h.before_save(r g6h.t, i int) RETURNS g6h.t LANGUAGE sql AS 'SELECT r';
RESET ROLE;
\echo G6: it is not called, and shows
SELECT corm.insert(ROW(1)::g6h.t);
SELECT model, kind, object, problem, hint FROM corm.model_problems WHERE model = 'g6h.t'::regclass;
\echo G6: it is not given to the owner of the table
REASSIGN OWNED BY corm_g6h_mallory TO corm_g6h_app;
REASSIGN OWNED BY corm_g6h_third, corm_g6h_mallory TO corm_g6h_app;
\echo G6: nor with the table
REASSIGN OWNED BY corm_g6h_app, corm_g6h_mallory TO corm_g6h_third;
SELECT corm.insert(ROW(2)::g6h.t);
\echo G6: to others it is, and remains nothing; hers stay hers
REASSIGN OWNED BY corm_g6h_mallory TO corm_g6h_third;
SELECT corm.insert(ROW(3)::g6h.t);
SELECT corm.insert(ROW(1)::g6h.hers);
SELECT model, object, problem FROM corm.model_problems WHERE model = 'g6h.t'::regclass;
REASSIGN OWNED BY corm_g6h_third TO CURRENT_USER;
\echo G6: the table follows it, which is refused too
REASSIGN OWNED BY corm_g6h_app TO CURRENT_USER;
SELECT corm.insert(ROW(4)::g6h.t);
\echo G6: who means it says so
ALTER FUNCTION g6h.before_save(g6h.t) OWNER TO corm_g6h_app;
SELECT corm.insert(ROW(5)::g6h.t);
SELECT count(*) FROM corm.model_problems WHERE model = 'g6h.t'::regclass;
REASSIGN OWNED BY corm_g6h_app TO corm_g6h_third;
SELECT corm.insert(ROW(6)::g6h.t);
SET client_min_messages = warning;
DROP SCHEMA g6h CASCADE;
DROP OWNED BY corm_g6h_app, corm_g6h_mallory, corm_g6h_third;
DROP ROLE corm_g6h_app, corm_g6h_mallory, corm_g6h_third;
