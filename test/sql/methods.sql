-- Functions of a row type.
\pset null '(null)'
CREATE SCHEMA meth;
SET search_path = meth;
CREATE TABLE users (id int, name text);
CREATE TYPE pair AS (a int, b text);

CREATE FUNCTION greeting(users) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'hello ' || $1.name $$;
CREATE FUNCTION zeros(u users, int, text, boolean, text[], interval, date, pair) RETURNS text STABLE LANGUAGE sql
	AS $$ SELECT concat_ws('/', $2, quote_literal($3), $4, $5, $6, quote_nullable($7), quote_nullable($8)) $$;
CREATE FUNCTION changes(users) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'volatile'; END $$;
CREATE FUNCTION copies(users) RETURNS SETOF users STABLE LANGUAGE sql AS $$ SELECT $1 UNION ALL SELECT $1 $$;
CREATE FUNCTION empty(users) RETURNS SETOF int STABLE LANGUAGE sql AS $$ SELECT 1 WHERE false $$;
CREATE FUNCTION many(users, VARIADIC int[]) RETURNS int STABLE LANGUAGE sql AS $$ SELECT cardinality($2) $$;
CREATE FUNCTION fails(users) RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 / ($1.id - $1.id) $$;
CREATE FUNCTION outs(users, OUT x int, OUT y text) STABLE LANGUAGE sql AS $$ SELECT 1, 'y' $$;
CREATE FUNCTION inouts(INOUT u users, n int DEFAULT 7) STABLE LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION tab(users) RETURNS TABLE (p int, q pair) STABLE LANGUAGE sql AS $$ SELECT 1, ROW (2, 'z')::pair $$;
CREATE FUNCTION nothing(users) RETURNS void STABLE LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE FUNCTION poly(users, anyelement) RETURNS anyelement STABLE LANGUAGE sql AS $$ SELECT $2 $$;
CREATE FUNCTION poly_array(users, VARIADIC anyarray) RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION rec(users) RETURNS record STABLE LANGUAGE sql AS $$ SELECT 1 AS a, 2 AS b $$;
CREATE FUNCTION recs(users) RETURNS SETOF record STABLE LANGUAGE sql AS $$ SELECT 1 AS a, 2 AS b $$;
CREATE FUNCTION writes(users) RETURNS int STABLE LANGUAGE sql AS $$ DELETE FROM users RETURNING 1 $$;
CREATE FUNCTION strict_one(users, date) RETURNS int STRICT STABLE LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION "Odd name"(users) RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION greeting(users, int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'overloaded' $$;
CREATE PROCEDURE proc(users) LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION not_first(int, users) RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION of_pair(pair) RETURNS int STABLE LANGUAGE sql AS $$ SELECT $1.a $$;

SELECT * FROM corm.iterate_methods(ROW (5, 'joe')::users);
SELECT name, result, error FROM corm.iterate_methods(NULL::users) WHERE name IN ('greeting', 'copies', 'many');
SELECT count(*), count(result), count(error) FROM corm.iterate_methods(ROW (5, 'joe')::users, false);
SELECT count(*), count(result), count(error) FROM corm.iterate_methods(ROW (5, 'joe')::users, NULL);
SELECT name, input, output, result FROM corm.iterate_methods(ROW (5, 'joe')::pair);
SELECT * FROM corm.iterate_methods(ROW (1, 2));
SELECT * FROM corm.iterate_methods(1);

-- Nobody's code runs with the rights of a user who did not choose it
CREATE ROLE regress_corm_stranger;
CREATE ROLE regress_corm_caller;
GRANT ALL ON SCHEMA meth TO regress_corm_stranger;
GRANT USAGE ON SCHEMA meth TO regress_corm_caller;
SET ROLE regress_corm_stranger;
CREATE FUNCTION trap(users) RETURNS text STABLE LANGUAGE sql AS $$ SELECT current_user::text $$;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION copies(users) FROM PUBLIC;
SELECT name, result, error FROM corm.iterate_methods(ROW (5, 'joe')::users) WHERE name = 'trap';
SET ROLE regress_corm_stranger;
SELECT name, result, error FROM corm.iterate_methods(ROW (5, 'joe')::users) WHERE name IN ('trap', 'greeting', 'copies');
SET ROLE regress_corm_caller;
SELECT name, result, error FROM corm.iterate_methods(ROW (5, 'joe')::users) WHERE name IN ('trap', 'greeting', 'copies');
RESET ROLE;

-- A cancelled method is a cancelled statement
CREATE FUNCTION cancels(users) RETURNS int STABLE LANGUAGE plpgsql
	AS $$ BEGIN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(600); END $$;
\set SHOW_CONTEXT never
SELECT name FROM corm.iterate_methods(ROW (5, 'joe')::users);

SET client_min_messages = warning;
DROP SCHEMA meth CASCADE;
DROP ROLE regress_corm_stranger, regress_corm_caller;
