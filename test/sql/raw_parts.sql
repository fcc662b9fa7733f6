-- Raw queries as parts of others: from_query, join_query, with, set operations, subqueries.
CREATE SCHEMA rp;
SET search_path = rp, corm_ops;
\set VERBOSITY terse
CREATE TABLE t (id int PRIMARY KEY, n int, "Mixed Name" text);
INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' | ', sqlstate, sqlerrm);
END $$;
\echo as a source, joined, named, combined; values bound in order
SELECT corm.get_multi_json(corm.from_query(corm.raw_query('SELECT id, n * $1 AS m, "Mixed Name" FROM t WHERE n > $2', 2, '5'), 'q'), corm.where(corm.gt('m', 20)), corm.select('*', corm.as(corm.add('m', 1), 'next')), corm.order_by('-m'));
SELECT corm.get_multi_json(corm.from_query(corm.raw_query('VALUES (1, ''x''), (2, NULL)'), 'v'), corm.select('column1', corm.as(corm.coalesce(corm.c('column2'), '-'), 'two')), corm.order_by('column1'));
SELECT corm.get_multi_json(corm.selector('t'), corm.join_query(corm.raw_query('SELECT g AS id, g * g AS sq FROM generate_series(1, $1) AS g', 2), corm.eq('s.id', corm.c('t.id')), 's'), corm.select('t.id', 's.sq'), corm.where(corm.gt('n', 10)));
SELECT corm.get_multi_json(corm.with('r', corm.raw_query('SELECT max(n) AS top FROM t')), corm.selector('t'), corm.join_cte('r', corm.eq('r.top', corm.c('t.n'))), corm.select('id', 'r.top'));
SELECT corm.get_multi_json(corm.selector('t'), corm.select('id', 'n'), corm.union_all(corm.raw_query('SELECT 9, $1::int', 90)), corm.except(corm.raw_query('VALUES (2, 20)')), corm.order_by('-n'));
SELECT corm.pluck(NULL::int, corm.from_query(corm.raw_query('SELECT id FROM t'), 'q'), corm.union(corm.raw_query('VALUES (3), (4)')), corm.order_by('id'));
SELECT corm.pluck(NULL::int, corm.with_recursive('c', corm.raw_query('SELECT 1 AS i'), corm.raw_query('SELECT i + 1 FROM c WHERE i < $1', 4)), corm.from_cte('c'), corm.select('i'));
SELECT * FROM corm.get_multi(NULL::t, corm.from_query(corm.raw_query('SELECT * FROM t'), 'q'), corm.order_by('-id'), corm.limit(1));
\echo a write names its rows in with()
SELECT corm.get_multi_json(corm.with('new', corm.raw_query('INSERT INTO t VALUES ($1, 40, ''d'') RETURNING id, n', 4)), corm.from_cte('new'), corm.select('n', 'id'));
SELECT count(*) FROM t;
\echo columns of now, and of the search_path
CREATE FUNCTION all_of() RETURNS jsonb LANGUAGE sql AS $$ SELECT corm.get_multi_json(corm.from_query(corm.raw_query('SELECT * FROM t'), 'q'), corm.where(corm.eq('id', 1))) $$;
SELECT all_of();
ALTER TABLE t ADD COLUMN more int DEFAULT 5;
SELECT all_of();
ALTER TABLE t DROP COLUMN more;
SELECT all_of();
CREATE SCHEMA rp2;
CREATE TABLE rp2.t (id int, other text);
INSERT INTO rp2.t VALUES (1, 'o');
SET search_path = rp2, rp, corm_ops;
SELECT all_of();
SET search_path = rp, corm_ops;
SELECT all_of();
\echo text form; errors
SELECT corm.get_multi_json('[{"from_query": [[{"raw_query": ["SELECT id FROM rp.t WHERE id < $1", 3]}], "q"]}, {"order_by": ["id"]}]');
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT corm.count(corm.from_query(corm.raw_query('DELETE FROM t RETURNING id'), 'q'))$$, $$SELECT corm.count(corm.with('q', corm.raw_query('DELETE FROM t')), corm.from_cte('q'))$$, $$SELECT corm.count(corm.from_query(corm.raw_query('SELECT nope FROM t'), 'q'))$$,
    $$SELECT corm.get_multi_json(corm.from_query(corm.raw_query('SELECT id FROM t'), 'q'), corm.select('n'))$$, $$SELECT corm.get_multi_json(corm.from_query(corm.raw_query('SELECT 1 AS a, 2 AS a'), 'q'))$$, $$SELECT corm.count(corm.selector('t'), corm.union(corm.raw_query('SELECT 1')))$$,
    $$SELECT corm.count(corm.from_query(corm.raw_query('SELECT $2::int'), 'q'))$$, $$SELECT corm.count(corm.guard('t', corm.eq('id', 1)), corm.selector('t'), corm.join_query(corm.raw_query('SELECT id FROM t'), corm.eq('q.id', 1), 'q'))$$]) AS s;
SET client_min_messages = warning;
DROP SCHEMA rp, rp2 CASCADE;
