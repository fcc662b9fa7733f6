-- hardening 46
-- A8: an untyped argument is a value where a value is meant, never a query or an expression; and raw SQL
-- in a text form is taken from trusted sessions only.
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE SCHEMA inj;
SET search_path = inj, corm_ops;
CREATE TABLE parts (id int PRIMARY KEY, name text, nums int[], born date);
INSERT INTO parts VALUES (1, 'a', '{1,2}', '2020-01-01'), (2, 'b', '{2,3}', '2021-01-01'), (3, NULL, NULL, NULL), (4, '{a,b}', '{}', NULL);
CREATE FUNCTION ids(VARIADIC q corm.query[]) RETURNS int[] LANGUAGE sql AS $$
    SELECT array_agg(i ORDER BY i) FROM corm.pluck(NULL::int, corm.selector('inj.parts') |> corm.select('id') |> corm.pipe(VARIADIC q)) i
$$;
CREATE FUNCTION attempt(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; h text;
BEGIN
    EXECUTE q INTO r;
    RETURN coalesce(r, 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END $$;

\echo A8: the attack, with literals and with untyped parameters
\set evil '[{"raw_query": ["select corm.exec(corm.deleter(''inj.parts''), corm.all_rows())::text"]}]'
SELECT corm.count(corm.selector('parts'), corm.where(corm.in('name', :'evil', '[]')));
SELECT corm.count(corm.selector('parts'), corm.where(corm.not_in('name', :'evil', '[]')));
PREPARE two AS SELECT corm.count(corm.selector('parts'), corm.where(corm.in('name', $1, $2)));
EXECUTE two(:'evil', '[]');
EXECUTE two('a', 'b');
PREPARE two_typed(text, text) AS SELECT corm.count(corm.selector('parts'), corm.where(corm.in(corm.c('name'), $1, $2)));
EXECUTE two_typed(:'evil', '[]');
EXECUTE two_typed('a', 'b');
SELECT count(*) FROM parts;

\echo A8: the forms of in and not_in
SELECT ids(corm.where(corm.in('id', ARRAY[1, 2]))) AS ints, ids(corm.where(corm.in('id', ARRAY['1', '3']))) AS texts,
       ids(corm.where(corm.in('id', '{1,4}'))) AS array_text, ids(corm.where(corm.in('id', '[5:6]={1,4}'))) AS with_bounds,
       ids(corm.where(corm.in('id', '{1}'::text))) AS typed_text;
SELECT ids(corm.where(corm.in('id', '2'))) AS one_untyped, ids(corm.where(corm.in('id', 2))) AS one, ids(corm.where(corm.in('name', 'a'))) AS one_text,
       ids(corm.where(corm.in('born', '2020-01-01'))) AS one_date;
SELECT ids(corm.where(corm.in('id', '1', '2'))) AS untyped, ids(corm.where(corm.in('id', 1, 2, 3000000000))) AS numbers,
       ids(corm.where(corm.in('id', 1, '4'::text))) AS mixed, ids(corm.where(corm.in('id', 1, NULL, 4))) AS with_null,
       ids(corm.where(corm.in('born', date '2020-01-01', '2021-01-01'))) AS dates;
SELECT ids(corm.where(corm.in('id', (1, 2)))) AS "row", ids(corm.where(corm.in('name', ('a', 'b')))) AS row_of_texts,
       ids(corm.where(corm.in('id', (1, NULL)))) AS row_with_null, ids(corm.where(corm.in('id', ROW()))) AS empty_row;
SELECT ids(corm.where(corm.in('id', VARIADIC ARRAY[1, 2]))) AS variadic, ids(corm.where(corm.in('id', VARIADIC ARRAY['1', '2']))) AS variadic_texts,
       ids(corm.where(corm.in('id', VARIADIC '{1,2}'))) AS variadic_untyped, ids(corm.where(corm.in('id', VARIADIC NULL::int[]))) AS variadic_null;
SELECT ids(corm.where(corm.in('id', NULL))) AS "null", ids(corm.where(corm.in('id', NULL::int))) AS null_int, ids(corm.where(corm.in('id', NULL::int[]))) AS null_array,
       ids(corm.where(corm.in('id', NULL, NULL))) AS nulls, ids(corm.where(corm.in('id', ARRAY[]::int[]))) AS empty, ids(corm.where(corm.in('id', '{}'))) AS empty_text;
SELECT ids(corm.where(corm.in('id', corm.selector('parts') |> corm.select('id') |> corm.where(corm.eq('name', 'b'))))) AS query,
       ids(corm.where(corm.in('id', corm.selector('parts'), corm.select('id'), corm.where(corm.eq('name', 'b'))))) AS clauses,
       ids(corm.where(corm.in('id', VARIADIC ARRAY[corm.selector('parts'), corm.select('id')]))) AS variadic_query;
SELECT ids(corm.where(corm.in('id', corm.c('id')))) AS expr, ids(corm.where(corm.in('id', 1, corm.c('id') + 1, corm.val(2)))) AS exprs,
       ids(corm.where(corm.in('id', ARRAY[corm.val(2), corm.val(4)]))) AS expr_array, ids(corm.where(corm.in('id', 1, corm.val(NULL)))) AS null_expr,
       ids(corm.where(corm.in('nums', ARRAY[1, 2], ARRAY[2, 3]))) AS arrays;
SELECT ids(corm.where(corm.not_in('id', '1', '2'))) AS untyped, ids(corm.where(corm.not_in('id', 1, 2, 3000000000))) AS numbers,
       ids(corm.where(corm.not_in('id', (1, 2)))) AS "row", ids(corm.where(corm.not_in('id', 1, NULL))) AS with_null,
       ids(corm.where(corm.not_in('id', 1, corm.c('id')))) AS exprs, ids(corm.where(corm.not_in('id', ROW()))) AS none, ids(corm.where(corm.not_in('id', 1))) AS one;
SELECT ids(corm.where(corm.not(corm.in('id', 1, NULL)))) AS not_in_null, ids(corm.where(corm.not(corm.not_in('id', 1, 2)))) AS not_not;
SELECT attempt($$SELECT ids(corm.where(corm.in('id', corm.selector('inj.parts'), 5)))$$);
SELECT attempt($$SELECT ids(corm.where(corm.in('id', 'x')))$$);
SELECT attempt($$SELECT ids(corm.where(corm.in('id', ROW(ROW(1, 2), 3))))$$);
SELECT attempt($$SELECT ids(corm.where(corm.in('id', NULL::corm.query)))$$);
SELECT attempt($$SELECT ids(corm.where(corm.in('id', 1, NULL::corm.expr)))$$);
-- lists of any length have one shape
SELECT corm.to_sql(corm.selector('parts'), corm.select('id'), corm.where(corm.in('id', 1, 2))) = corm.to_sql(corm.selector('parts'), corm.select('id'), corm.where(corm.in('id', 1, 2, 3))) AS same;

\echo A8: a value on the left side of an operator
SELECT attempt($$SELECT ids(corm.where('{"raw": ["true"]}' = corm.c('name')))$$);
SELECT DISTINCT attempt(format('SELECT ids(corm.where(%L %s corm.c(''name'')))', '{"raw": ["true"]}', oprname))
FROM pg_operator WHERE oprnamespace = 'corm_ops'::regnamespace AND oprright = 'corm.expr'::regtype AND oprleft = 'text'::regtype;
SELECT string_agg(oprname, ' ' ORDER BY oprname COLLATE "C") AS lacks_a_refusal FROM pg_operator o
WHERE oprnamespace = 'corm_ops'::regnamespace AND oprleft = 'corm.expr'::regtype AND oprright = '"any"'::regtype
  AND NOT EXISTS (SELECT 1 FROM pg_operator r WHERE r.oprnamespace = o.oprnamespace AND r.oprname = o.oprname AND r.oprleft = 'text'::regtype AND r.oprright = 'corm.expr'::regtype);
-- operators of others are found as before
SELECT 'a'::varchar = 'a' AS eq, 'a'::name = 'a' AS name, '{"a": 1}'::jsonb -> 'a' AS get, 'a'::text || 'b' AS concat, 'x' || 'y' AS unknown, 'a' < 'b' AS lt;

\echo A8: every function and operator of corm: no overload takes for a query or an expression what another takes for a value
-- The types that PostgreSQL finds for untyped parameters, where all or all but the first are such.
CREATE FUNCTION resolved(call text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE r text[];
BEGIN
    EXECUTE 'PREPARE resolved AS SELECT ' || call;
    SELECT parameter_types::text[] INTO r FROM pg_prepared_statements WHERE name = 'resolved';
    DEALLOCATE resolved;
    RETURN r;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;            -- no such function, ambiguous, or a type that cannot be found
END $$;
-- what each overload takes at each place, for calls of up to four arguments
CREATE TEMP TABLE takes AS
SELECT p.proname::text, n, i,
       CASE WHEN i >= p.pronargs AND p.provariadic <> 0 THEN p.provariadic
            ELSE p.proargtypes[i - 1] END::regtype::text AS type
FROM pg_proc p, generate_series(1, 4) n, generate_series(1, 4) i
WHERE p.pronamespace = 'corm'::regnamespace AND i <= n AND n >= p.pronargs - p.pronargdefaults
  AND (n <= p.pronargs OR p.provariadic <> 0);
CREATE TEMP TABLE calls AS
SELECT proname, n, 0 AS typed, resolved(format('corm.%I(%s)', proname, (SELECT string_agg('$' || i, ', ') FROM generate_series(1, n) i))) AS types FROM (SELECT DISTINCT proname, n FROM takes) t
UNION ALL
SELECT proname, n, 1, '{corm.expr}'::text[] || resolved(format('corm.%I(corm.c(''x''), %s)', proname, (SELECT string_agg('$' || i, ', ') FROM generate_series(1, n - 1) i))) FROM (SELECT DISTINCT proname, n FROM takes WHERE n > 1) t
UNION ALL
SELECT proname, n, 2, '{corm.query}'::text[] || resolved(format('corm.%I(corm.selector(''inj.parts''), %s)', proname, (SELECT string_agg('$' || i, ', ') FROM generate_series(1, n - 1) i))) FROM (SELECT DISTINCT proname, n FROM takes WHERE n > 1) t;
SELECT count(*) FILTER (WHERE cardinality(types) >= n) > 150 AS many_resolved, bool_or(proname = 'in' AND n = 4 AND cardinality(types) = 4) AS in_among_them FROM calls;
SELECT c.proname, c.n, c.types, place, t.type AS also_taken
FROM calls c, generate_series(c.typed + 1 - c.typed / 2, c.n) place, takes t
WHERE c.types[place] IN ('corm.query', 'corm.expr') AND t.proname = c.proname AND t.n = c.n AND t.i = place
  AND place > least(c.typed, 1) AND t.type NOT IN ('corm.query', 'corm.expr', 'corm.query[]', 'corm.expr[]')
  -- of those that take the typed argument
  AND (c.typed = 0 OR EXISTS (SELECT 1 FROM takes f WHERE f.proname = c.proname AND f.n = c.n AND f.i = 1 AND f.type IN (c.types[1], '"any"')))
ORDER BY 1, 2, 3, 4, 5;
-- and the operators, with an expression on either side
SELECT o.oprname, side, resolved(CASE side WHEN 'right' THEN format('corm.c(''x'') OPERATOR(corm_ops.%s) $1', o.oprname) ELSE format('$1 OPERATOR(corm_ops.%s) corm.c(''x'')', o.oprname) END) AS types
FROM (SELECT DISTINCT oprname FROM pg_operator WHERE oprnamespace = 'corm_ops'::regnamespace AND oprleft <> 0) o, (VALUES ('left'), ('right')) s(side)
WHERE resolved(CASE side WHEN 'right' THEN format('corm.c(''x'') OPERATOR(corm_ops.%s) $1', o.oprname) ELSE format('$1 OPERATOR(corm_ops.%s) corm.c(''x'')', o.oprname) END) <> '{text}'
ORDER BY o.oprname COLLATE "C", side;

\echo A8: raw SQL in a text form
CREATE ROLE regress_a8_web;
CREATE ROLE regress_a8_owner;
GRANT USAGE ON SCHEMA inj TO PUBLIC;
GRANT ALL ON parts TO PUBLIC;
CREATE FUNCTION volatile_one(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION stable_one(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1';
-- what is stored is a value, and stays one
CREATE TABLE stored (id int, q corm.query, e corm.expr);
INSERT INTO stored VALUES (1, corm.raw_query('SELECT 7 AS id'), corm.raw('id = $1', 2));
GRANT ALL ON stored TO PUBLIC;
\set raw '[{"raw_query": ["SELECT 7 AS id"]}]'
SELECT corm.value(NULL::int, :'raw'::corm.query) AS superuser;
SET ROLE regress_a8_web;
SELECT corm.value(NULL::int, :'raw'::corm.query);
\echo :LAST_ERROR_SQLSTATE
SELECT corm.value(NULL::int, :'raw');
\echo :LAST_ERROR_SQLSTATE
SELECT corm.value(NULL::int, :'raw'::jsonb::corm.query);
\echo :LAST_ERROR_SQLSTATE
SELECT corm.where('{"raw": ["true"]}');
SELECT corm.where('{"and": [{"eq": ["id", {"raw": ["$1", 1]}]}]}');
SELECT corm.where('{"some": ["x", {"exists": [{"raw_query": ["select 1"]}]}]}');
SELECT corm.where('{"eq": ["id", {"val": "[{\"raw_query\": [\"select 1\"]}]", "type": "corm.query"}]}');
SELECT ROW('SELECT', NULL, :'raw', NULL, NULL)::text IS NOT NULL AS a_text_only;
SELECT attempt($$SELECT '(SELECT,,"[{""raw_query"": [""SELECT 7 AS id""]}]",,,,)'::corm.query_context IS NULL$$) LIKE '42501 %' OR attempt($$SELECT '(SELECT,,"[{""raw_query"": [""SELECT 7 AS id""]}]",,)'::corm.query_context IS NULL$$) LIKE '42501 %' AS in_a_row;
SELECT corm.where('{"eq": [{"fn": ["query_to_xml", "delete from inj.parts", true, true, ""]}, 1]}');
SELECT corm.where('{"eq": [{"fn": ["inj.volatile_one", 1]}, 1]}');
SELECT ids(corm.where('{"eq": [{"fn": ["inj.stable_one", {"c": "id"}]}, 1]}')) AS stable, ids(corm.where('{"eq": [{"fn": ["lower", {"c": "name"}]}, "b"]}')) AS immutable;
COPY stored FROM stdin;
2	[{"raw_query": ["SELECT 8"]}]	\N
\.
-- builders need no leave, nor do values that exist
SELECT corm.value(NULL::int, corm.raw_query('SELECT 7 AS id')) AS built, corm.value(NULL::int, q) AS stored, ids(corm.where(e)) FROM stored;
INSERT INTO stored SELECT 3, q, e FROM stored;
SET corm.raw_text = on;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- a function with the rights of its trusted owner
CREATE FUNCTION deputy(t text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = inj AS 'BEGIN RETURN corm.value(NULL::int, t::corm.query); END';
CREATE FUNCTION knowing_deputy(t text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = inj SET corm.raw_text = on AS 'BEGIN RETURN corm.value(NULL::int, t::corm.query); END';
SELECT deputy(:'raw');
SET ROLE regress_a8_web;
SELECT deputy(:'raw');
\echo :LAST_ERROR_SQLSTATE
SELECT knowing_deputy(:'raw');
RESET ROLE;
-- a superuser who calls a function of a role that is not trusted
CREATE FUNCTION weak(t text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = inj AS 'BEGIN RETURN corm.value(NULL::int, t::corm.query); END';
ALTER FUNCTION weak(text) OWNER TO regress_a8_web;
SELECT weak(:'raw');
\echo :LAST_ERROR_SQLSTATE
-- by leave of a superuser
SET corm.raw_text = on;
SET ROLE regress_a8_web;
SELECT corm.value(NULL::int, :'raw') AS by_setting;
RESET ROLE;
RESET corm.raw_text;
-- the owner of the database
SELECT datdba::regrole AS owner FROM pg_database WHERE datname = current_database() \gset
SELECT current_database() AS db \gset
GRANT ALL ON SCHEMA inj TO regress_a8_owner;
ALTER DATABASE :"db" OWNER TO regress_a8_owner;
SET ROLE regress_a8_owner;
SELECT corm.value(NULL::int, :'raw') AS owner_of_the_database;
COPY stored FROM stdin;
2	[{"raw_query": ["SELECT 8"]}]	\N
\.
RESET ROLE;
ALTER DATABASE :"db" OWNER TO :"owner";
SELECT id, q, e FROM stored ORDER BY id;

\echo C13: any_of
SELECT ids(corm.where(corm.any_of(2, 'nums'))) AS typed, ids(corm.where(corm.any_of('3', 'nums'))) AS untyped, ids(corm.where(corm.any_of(1::bigint, corm.c('nums')))) AS wider,
       ids(corm.where(corm.any_of(corm.c('id'), 'nums'))) AS expr, ids(corm.where(corm.any_of(NULL, 'nums'))) AS "null", ids(corm.where(corm.not(corm.any_of(2, 'nums')))) AS negated,
       ids(corm.where(corm.any_of('a', corm.cast(corm.val('{a}'), 'text[]')))) AS of_value;
PREPARE member AS SELECT ids(corm.where(corm.any_of($1, 'nums')));
EXECUTE member('2');
SELECT attempt($$SELECT ids(corm.where(corm.any_of(2, 'name')))$$), attempt($$SELECT ids(corm.where(corm.any_of('x', 'nums')))$$), attempt($$SELECT ids(corm.where(corm.any_of(NULL, NULL)))$$);
SELECT corm.any_of('a', 'tags'), corm.any_of('a', 'tags')::text::corm.expr::text = corm.any_of('a', 'tags')::text AS same;

RESET search_path;
DROP SCHEMA inj CASCADE;
DROP OWNED BY regress_a8_web, regress_a8_owner;
DROP ROLE regress_a8_web, regress_a8_owner;
