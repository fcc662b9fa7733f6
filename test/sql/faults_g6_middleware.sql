-- hardening 44, 48
-- Faults G6 and A7, middleware: a function is what was registered and nothing of its name, and whatever is wrong with it
-- concerns the queries of its model.
\pset format unaligned
\set VERBOSITY terse
CREATE ROLE corm_g6_owner;
CREATE ROLE corm_g6_mallory;
CREATE ROLE corm_g6_other;
CREATE SCHEMA g6;
GRANT USAGE, CREATE ON SCHEMA g6 TO PUBLIC;
CREATE TABLE g6.others (id int PRIMARY KEY);
INSERT INTO g6.others VALUES (1);
GRANT SELECT ON g6.others TO PUBLIC;
SET ROLE corm_g6_owner;
CREATE TABLE g6.mine (id int PRIMARY KEY);
INSERT INTO g6.mine VALUES (1);
GRANT SELECT ON g6.mine TO PUBLIC;
RESET ROLE;

\echo G6: dropped, and planted by somebody else
CREATE FUNCTION g6.audit(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'audit of %', qc.model; RETURN corm.next(qc); END $$;
SELECT corm.use('g6.audit(corm.query_context)') AS id \gset
SELECT corm.count(corm.selector('g6.others'));
DROP FUNCTION g6.audit(corm.query_context);
SET ROLE corm_g6_mallory;
CREATE FUNCTION g6.audit(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'planted, as %', current_user; RETURN corm.next(qc); END $$;
RESET ROLE;
SELECT corm.count(corm.selector('g6.others'));
SELECT id = :id AS the_same, fn, model FROM corm.middleware;
SELECT model, kind, object, problem, hint = format('Remove it with SELECT corm.unuse(%s), and register the intended function.', :id) AS hint FROM corm.model_problems WHERE kind = 'middleware';
\echo G6: neither does another session, nor does a dump of it, take it for the old one
\c -
SET client_min_messages = warning;
\set VERBOSITY terse
RESET client_min_messages;
SELECT corm.count(corm.selector('g6.others'));
SELECT fn::text::corm.function_ref::text FROM corm.middleware;
SELECT corm.unuse(:id);
SELECT corm.count(corm.selector('g6.others'));
DROP FUNCTION g6.audit(corm.query_context);

\echo G6: the schema is renamed, and the name taken
CREATE SCHEMA g6x;
CREATE FUNCTION g6x.audit(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'audit of %', qc.model; RETURN corm.next(qc); END $$;
SELECT corm.use('g6x.audit(corm.query_context)', 'g6.others') AS id \gset
ALTER SCHEMA g6x RENAME TO g6y;
CREATE SCHEMA g6x AUTHORIZATION corm_g6_mallory;
SET ROLE corm_g6_mallory;
CREATE FUNCTION g6x.audit(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'planted, as %', current_user; RETURN corm.next(qc); END $$;
RESET ROLE;
SELECT corm.count(corm.selector('g6.others'));
SELECT fn FROM corm.middleware;
ALTER FUNCTION g6y.audit(corm.query_context) RENAME TO "Audit (dropped)";
SELECT corm.count(corm.selector('g6.others'));
SELECT fn, fn::corm.function_ref::text = fn AS restores FROM corm.middleware;
ALTER FUNCTION g6y."Audit (dropped)"(corm.query_context) SET SCHEMA g6;
SELECT corm.count(corm.selector('g6.others'));
SELECT fn, fn::corm.function_ref::text = fn AS restores FROM corm.middleware;
DROP SCHEMA g6y CASCADE;
SELECT corm.count(corm.selector('g6.others'));
DROP FUNCTION g6."Audit (dropped)"(corm.query_context);
SELECT fn, fn::corm.function_ref::text = fn AS restores FROM corm.middleware;
SELECT corm.unuse(:id);
\echo G6: what a dump says that is not there, or can be none, is a warning and stays nothing
SELECT 'g6.missing(corm.query_context)'::corm.function_ref;
SELECT 'g6.missing(corm.query_context) (dropped)'::corm.function_ref;
SELECT 'no signature'::corm.function_ref, 'pg_catalog.now()'::corm.function_ref, ''::corm.function_ref, '"'::corm.function_ref;
INSERT INTO corm.middleware_functions (fn, model, ops, priority) VALUES ('g6.missing(corm.query_context)', 'g6.others', '{FOO}', 1);
INSERT INTO corm.middleware_functions (fn, model, priority) VALUES ('g6.missing(corm.query_context)', 'g6.others', 1);
CREATE FUNCTION g6.missing(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.next(qc)';
SELECT corm.count(corm.selector('g6.others'));
SELECT corm.count(corm.selector('g6.mine'));
DELETE FROM corm.middleware_functions;
SELECT corm.count(corm.selector('g6.others'));

\echo A7: a function in a schema that others may not use
SET ROLE corm_g6_owner;
RESET ROLE;
CREATE SCHEMA g6p AUTHORIZATION corm_g6_owner;
SET ROLE corm_g6_owner;
CREATE FUNCTION g6p.mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', current_user; RETURN corm.next(qc); END $$;
SELECT corm.use('g6p.mw(corm.query_context)', 'g6.mine') AS id \gset
SET ROLE corm_g6_other;
SELECT corm.count(corm.selector('g6.others'));
\echo A7: on the model it is called, as a trigger of that schema is
SELECT corm.count(corm.selector('g6.mine'));
\echo A7: without EXECUTE it is an error there, and shows
SET ROLE corm_g6_owner;
REVOKE EXECUTE ON FUNCTION g6p.mw(corm.query_context) FROM PUBLIC;
SELECT count(*) FROM corm.model_problems;
SET ROLE corm_g6_other;
SELECT corm.count(corm.selector('g6.mine'));
SELECT corm.count(corm.selector('g6.others'));
SELECT corm.insert(NULL::g6.others);
SELECT * FROM corm.model_problems WHERE kind = 'middleware';
\echo A7: dropped
SET ROLE corm_g6_owner;
DROP FUNCTION g6p.mw(corm.query_context);
SET ROLE corm_g6_other;
SELECT corm.count(corm.selector('g6.mine'));
SELECT corm.count(corm.selector('g6.others'));
SELECT model, object, problem FROM corm.model_problems WHERE kind = 'middleware';
RESET ROLE;
REVOKE SELECT ON g6.mine FROM PUBLIC;
SET ROLE corm_g6_other;
SELECT count(*) FROM corm.model_problems WHERE kind = 'middleware';
SET ROLE corm_g6_owner;
SELECT corm.unuse(:id);
\echo A7: a dropped type of hers
CREATE TYPE g6p.st AS ENUM ('a');
CREATE FUNCTION g6p.mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ DECLARE x g6p.st = 'a'; BEGIN RETURN corm.next(qc); END $$;
SELECT corm.use('g6p.mw(corm.query_context)', 'g6.mine') AS id \gset
SELECT corm.count(corm.selector('g6.mine'));
DROP TYPE g6p.st;
SELECT corm.count(corm.selector('g6.others'));
\c -
\set VERBOSITY terse
SET ROLE corm_g6_owner;
SELECT corm.count(corm.selector('g6.mine'));
SELECT corm.count(corm.selector('g6.others'));
SELECT corm.unuse(:id);

\echo G13: a session knows nothing of what is registered for models that it does not touch
CREATE FUNCTION g6p.mw2(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', qc.op; RETURN corm.next(qc); END $$;
SELECT count(corm.use('g6p.mw2(corm.query_context)', 'g6.mine', priority => i)) FROM generate_series(1, 4000) i;
RESET ROLE;
SELECT corm.count(corm.selector('g6.others'));
CREATE FUNCTION g6.changes() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT corm.count(corm.selector('g6.others'));
SELECT sum(total_bytes) < 20000 AS small FROM pg_backend_memory_contexts WHERE name LIKE 'corm middleware%';
SELECT count(corm.unuse(id)) FROM corm.middleware;
\echo G6: several models, each with its own, and those of all, in the order of priorities
CREATE FUNCTION g6.say(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'say'; RETURN corm.next(qc); END $$;
CREATE FUNCTION g6.say2(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'say2'; RETURN corm.next(qc); END $$;
CREATE FUNCTION g6.say3(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'say3'; RETURN corm.next(qc); END $$;
SELECT corm.use('g6.say3(corm.query_context)', 'g6.mine', priority => 3) > 0 AND corm.use('g6.say2(corm.query_context)', 'g6.others', priority => 2) > 0 AND corm.use('g6.say(corm.query_context)', priority => 1) > 0 AS used;
SELECT corm.count(corm.selector('g6.others'), corm.where(corm.in('id', corm.selector('g6.mine'), corm.select('id'))));
SELECT corm.count(corm.selector('g6.others'), corm.where(corm.in('id', corm.selector('g6.others'), corm.select('id'))));
SELECT corm.count(corm.selector('g6.mine'));
SELECT corm.count(corm.raw_query('SELECT 1'));
SELECT count(corm.unuse(id)) FROM corm.middleware;
SET client_min_messages = warning;
DROP SCHEMA g6 CASCADE;
DROP SCHEMA g6p CASCADE;
DROP SCHEMA g6x CASCADE;
DROP ROLE corm_g6_owner, corm_g6_mallory, corm_g6_other;
