-- Parameters of a body: overloads, types, conversions.
CREATE TABLE t (id int, at date, note text, tags text[]);

SELECT corm.do_tx('INSERT INTO t VALUES ($1, $2, $3) RETURNING *', 1, DATE '2020-01-01', 'x'::text);
SELECT corm.do_tx('INSERT INTO t VALUES ($1, $2, $3) RETURNING *', '2', '2020-01-02', 'y');
SELECT corm.do_tx('INSERT INTO t VALUES ($1, $2, $3) RETURNING *', '3'::text, '2020-01-03'::text, 3);
SELECT corm.do_tx('INSERT INTO t VALUES ($1, $2, $3) RETURNING *', 4, '2020-01-04', NULL);
SELECT corm.do_tx('SELECT $1 AS a', NULL::int);
SELECT corm.do_tx('SELECT $1 AS a, $2 AS b', ARRAY[1, 2], '{"k": 1}'::jsonb);
SELECT corm.do_tx('SELECT $1::text AS a', VARIADIC ARRAY['only']);
SELECT corm.do_tx('SELECT $1 + $2 AS a', VARIADIC ARRAY[1, 2]);
SELECT corm.do_tx('SELECT 1 AS a', VARIADIC NULL::int[]);
SELECT corm.do_tx('SELECT 1 AS a', VARIADIC '{}'::int[]);
SELECT corm.do_tx('SELECT tags FROM (SELECT $1::text[] AS tags) x', '{a,b}');
SELECT corm.do_tx(corm.tx(), 'SELECT $1 || $2 AS a', VARIADIC ARRAY['p', 'q']);
SELECT corm.do_tx(corm.tx('nested'), 'SELECT $1 + 1 AS a', '41');

-- text in front of other parameters is a parameter, never options
SELECT corm.do_tx('SELECT $1 AS a, $2 AS b', 'some'::text, 1);
SELECT corm.do_tx('SELECT $1 AS a, $2 AS b, $3 AS c', 'some'::text, 1, true);
SELECT corm.do_tx('SELECT $1 AS a, $2 AS b', 'some'::text, 'other'::text);
SELECT corm.do_tx('SELECT $1 AS a, $2 AS b', 'some'::varchar, 1);
SELECT corm.do_tx('SELECT $1 AS a, $2 AS b', 1, 'other');
SELECT ok, value FROM corm.try_tx('SELECT $1 AS a, $2 AS b', 'some'::text, 1);
SELECT ok, value FROM corm.try_tx('SELECT $1 AS a', 'some'::text);
SELECT ok, value FROM corm.try_tx('SELECT $1 AS a', 'literal');
SELECT ok, value FROM corm.try_tx(corm.tx(), 'SELECT $1 AS a', 7);
SELECT ok, value FROM corm.try_tx(corm.tx(), 'SELECT $1 AS a', 'literal');

-- as a driver sends them: untyped
PREPARE untyped AS SELECT corm.do_tx($1, $2, $3);
EXECUTE untyped('SELECT $1::int + 1 AS a, $2 AS b', '1', 'two');
PREPARE untyped_opts AS SELECT corm.do_tx(corm.tx('nested'), $1, $2);
EXECUTE untyped_opts('SELECT id FROM t WHERE at = $1', '2020-01-02');

-- each statement of a body may use any parameter, in its own type
SELECT corm.do_tx('DELETE FROM t WHERE id = $1; SELECT $1 AS text, $2 + 1 AS int', '1', 5);
SELECT corm.do_tx('SELECT $1 + 1 AS int; SELECT $1 AS text', '1');
SELECT count(*) FROM t;
-- what a body does not use is no error
SELECT corm.do_tx('SELECT 1 AS a', 1, 'x', NULL);
SELECT corm.do_tx('SELECT 1 AS a', 'x');

-- errors are PostgreSQL's own
\set VERBOSITY sqlstate
SELECT corm.do_tx('SELECT $2', 1);
SELECT corm.do_tx('SELECT $2', 'x');
SELECT corm.do_tx('SELECT $0', 'x');
SELECT corm.do_tx('INSERT INTO t VALUES ($1)', 'no number');
SELECT corm.do_tx('INSERT INTO t (at) VALUES ($1)', '2020-13-45');
SELECT corm.do_tx('INSERT INTO t (at) VALUES ($1)', true);
SELECT corm.do_tx('SELECT $1', ROW(1, 2));
\set VERBOSITY default
SELECT corm.do_tx('SELECT id FROM t WHERE id = $2', 'x');

-- Options in the place of a parameter, which the body does not use, are an error.
SELECT corm.do_tx('SELECT $1', 5, corm.tx(name => 'last'));
SELECT sqlstate, message, hint FROM corm.try_tx($$SELECT corm.do_tx('SELECT 1', corm.tx())$$);
SELECT corm.do_tx(corm.tx(), 'SELECT $1, ''$20''', 5, corm.task());
SELECT corm.try_tx('SELECT 1', 'text', corm.tx());
SELECT corm.autonomous('SELECT 1', corm.tx('requires_new'));
CALL corm.run_tx('SELECT 1', NULL, NULL, corm.tx());
SELECT corm.once('key', 'SELECT 1', corm.tx());
SELECT corm.cache_fetch('key', 'SELECT $1', NULL, 'default', 1, corm.task());
SELECT corm.do_tx('SELECT ($1).name, ($2).priority', corm.tx(name => 'first'), corm.task(priority => 5));
CREATE TYPE tx_options AS (n int);
SELECT corm.do_tx('SELECT 1 AS one', ROW(1)::tx_options);
DROP TYPE tx_options;

-- A body that runs itself with another search path: what its text parameters mean is found anew while it runs.
CREATE SCHEMA path_a;
CREATE SCHEMA path_b;
CREATE FUNCTION path_a.label(n int) RETURNS text LANGUAGE sql AS $$ SELECT 'a' || n $$;
CREATE FUNCTION path_b.label(n int) RETURNS text LANGUAGE sql AS $$ SELECT 'b' || n $$;
CREATE FUNCTION public.down(n int, step int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF n < 0 THEN
        RAISE EXCEPTION 'below zero';
    ELSIF n = 0 THEN
        RETURN '';
    END IF;
    PERFORM set_config('search_path', CASE WHEN n % 4 < 2 THEN 'path_a' ELSE 'path_b' END || ', public', true);
    RETURN corm.do_tx('SELECT label($1) || public.down($1 - $2, $2) AS text', n::text, step) -> 0 ->> 'text';
END $$;
SELECT public.down(8, 2);
SELECT ok, message FROM corm.try_tx('SELECT public.down($1, 2)', '7');
SELECT public.down(4, 2);
RESET search_path;
DROP FUNCTION public.down(int, int), path_a.label, path_b.label;
DROP SCHEMA path_a, path_b;

DROP TABLE t;
