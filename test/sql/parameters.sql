-- Parameters and queries where SQL text is taken: cache_fetch and run_tx.
SET client_min_messages = warning;
CREATE SCHEMA parameters;
SET search_path = parameters, corm_ops;
CREATE TABLE goods (id int PRIMARY KEY, name text, price numeric, tags text[], made date, deleted_at timestamptz);
COMMENT ON COLUMN goods.deleted_at IS '@orm:soft_delete';
INSERT INTO goods VALUES (1, 'lamp', 12.50, '{light}', '2024-01-05', NULL), (2, 'O''Neil''s chair', 40, '{seat,wood}', '2024-02-06', NULL),
	(3, 'gone', 1, NULL, NULL, '2024-03-01');
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' | ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

\echo cache_fetch: typed parameters, untyped ones, and none of them evaluated as SQL
SELECT corm.cache_fetch('a', 'SELECT price + $1 FROM goods WHERE id = $2', '1 min', 'default', 0.25, 1);
SELECT corm.cache_fetch('b', 'SELECT name FROM goods WHERE id = $1', '1 min', 'default', '2');
SELECT corm.cache_fetch('c', 'SELECT count(*) FROM goods WHERE name = $1', '1 min', 'default', $q$' OR true --$q$);
SELECT corm.cache_fetch('d', 'SELECT array_agg(id ORDER BY id) FROM goods WHERE id = ANY ($1) AND made < $2', NULL, 'default',
	'{1,2,3}', '2024-02-01');
SELECT corm.cache_fetch('e', 'SELECT $1 IS NULL AND $2::int IS NULL', NULL, 'default', NULL, NULL);
SELECT corm.cache_fetch('f', 'SELECT $2 || $1', NULL, 'default', 'x'::text, 'y'::text);
SELECT corm.cache_fetch('g', 'SELECT $1 || $2', NULL, 'default', VARIADIC ARRAY['p', 'q']);
-- An array of integers could be tables to depend on, too: the name of the parameter tells.
SELECT corm.cache_fetch('g2', 'SELECT $1 + $2', NULL, 'default', VARIADIC ARRAY[1, 2]);
SELECT corm.cache_fetch('g2', 'SELECT $1 + $2', NULL, 'default', VARIADIC params => ARRAY[1, 2]);
SELECT corm.cache_fetch('g3', 'SELECT $1', NULL, 'default', VARIADIC params => ARRAY[9007199254740993]);
SELECT corm.cache_fetch('h', 'SELECT ($1).name', NULL, 'default', g) FROM goods g WHERE id = 2;
PREPARE untyped AS SELECT corm.cache_fetch($1, 'SELECT name FROM goods WHERE price > $1 AND name LIKE $2', $2, $3, $4, $5);
EXECUTE untyped('i', '1 min', 'default', '20', 'O%');
-- A value is found again by its own type; parameters are not part of the key.
SELECT corm.cache_get_as(NULL::numeric, 'a'), corm.cache_get_as(NULL::bigint, 'c');
SELECT corm.cache_fetch('a', 'SELECT $1::int', '1 min', 'default', 99);

\echo cache_fetch: a query
SELECT corm.cache_fetch('q1', corm.pipe(corm.selector('goods'), corm.select(corm.count())));
SELECT corm.cache_fetch('q2', corm.selector('goods') |> corm.where(corm.eq('id', 2)) |> corm.select('name'), ttl => '1 hour');
SELECT corm.cache_fetch('q3', corm.raw_query('SELECT max(price) + $1 FROM goods', 2));
SELECT corm.cache_fetch('q4', corm.selector('goods') |> corm.where(corm.eq('id', 3)) |> corm.select('name')) IS NULL AS soft_deleted,
	corm.cache_exists('q4');
SELECT corm.cache_get_as(NULL::bigint, 'q1'), corm.cache_get_as(NULL::numeric, 'q3'), corm.cache_ttl('q2') BETWEEN '59 min' AND '1 hour' AS ttl;
INSERT INTO goods VALUES (4, 'new', 5);
SELECT corm.cache_fetch('q1', corm.pipe(corm.selector('goods'), corm.select(corm.count()))) AS as_it_was;
BEGIN;
SELECT corm.cache_fetch('q5', corm.selector('goods') |> corm.select(corm.sum('price')));
ROLLBACK;
SELECT corm.cache_exists('q5') AS read_only_so_stored_at_once;
BEGIN;
DELETE FROM goods WHERE id = 4;
SELECT corm.cache_fetch('q6', corm.selector('goods') |> corm.select(corm.sum('price')));
ROLLBACK;
SELECT corm.cache_exists('q6') AS gone_with_the_rollback;

\echo cache_fetch: middleware is around a query that loads
CREATE FUNCTION cheap(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
  qc.query := qc.query |> corm.where(corm.lt('price', 20));
  RETURN corm.next(qc);
END $$;
SELECT corm.use('cheap(corm.query_context)', 'goods', '{SELECT}') AS layer \gset
SELECT corm.cache_fetch('m1', corm.selector('goods') |> corm.select(corm.count()));
SELECT corm.unuse(:layer);

\echo cache_fetch: errors
CREATE TABLE hooked (id int PRIMARY KEY, n int);
CREATE FUNCTION before_save(r hooked) RETURNS hooked LANGUAGE sql AS 'SELECT r';
SELECT failure(v) FROM (VALUES
	($$SELECT corm.cache_fetch('x', 'SELECT $1 + $2', NULL, 'default', 1)$$),
	($$SELECT corm.cache_fetch('x', 'SELECT $1', NULL, NULL, 1)$$),
	($$SELECT corm.cache_fetch('x', 'SELECT $1::int', NULL, 'default', 'one')$$),
	($$SELECT corm.cache_fetch('x', 'SELECT 1; SELECT $1', NULL, 'default', 1)$$),
	($$SELECT corm.cache_fetch('x', '', NULL, 'default', 1)$$),
	($$SELECT corm.cache_fetch('x', 'SELECT id FROM goods WHERE id > $1', NULL, 'default', 0)$$),
	($$SELECT corm.cache_fetch('x', 'SELECT id, name FROM goods WHERE id = $1', NULL, 'default', 1)$$),
	($$SELECT corm.cache_fetch('x', 'CREATE TABLE t2 (a int)', NULL, 'default', 1)$$),
	($$SELECT corm.cache_fetch('x', NULL::corm.query)$$),
	($$SELECT corm.cache_fetch('x', corm.selector('goods'))$$),
	($$SELECT corm.cache_fetch('x', corm.selector('goods') |> corm.select('id'))$$),
	($$SELECT corm.cache_fetch('x', corm.updater('goods') |> corm.set('name', 'y') |> corm.all_rows() |> corm.returning('id'))$$),
	($$SELECT corm.cache_fetch('x', corm.inserter('goods') |> corm.rows('[{"id": 77}]'::jsonb) |> corm.returning('id'))$$),
	($$SELECT corm.cache_fetch('x', corm.updater('hooked') |> corm.set('n', 2) |> corm.all_rows() |> corm.returning('n'))$$),
	($$SELECT corm.cache_fetch('x', corm.selector('goods') |> corm.select('nme'))$$),
	($$SELECT corm.cache_fetch('x', corm.select('id'))$$),
	($$SELECT corm.cache_fetch('x', corm.selector('goods') |> corm.select('id'), cache => 'none')$$)) c(v);
SELECT corm.cache_exists('x') AS stored, (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS locks;

\echo run_tx: parameters, typed and not, and what outlives the transaction of the CALL
CALL corm.run_tx('SELECT $1::text AS a, $2::int + 1 AS b', NULL, NULL, 'x'::text, 41);
CALL corm.run_tx('INSERT INTO goods (id, name, made) VALUES ($1, $2, $3) RETURNING id, name, made', corm.tx(isolation => 'serializable'), NULL,
	'10', $q$it's$q$, '2024-05-05');
CALL corm.run_tx('SELECT length($1)', NULL, NULL, repeat('long', 100000));
CALL corm.run_tx('SELECT $1 || $2 AS v', NULL, NULL, VARIADIC ARRAY['p', 'q']);
CALL corm.run_tx('SELECT $1 + $2 + $3 + $4 + $5 + $6 + $7 + $8 AS v', NULL, NULL, 1, 2, 3, 4, 5, 6, 7, 8);
CALL corm.run_tx('SELECT $1 + 1', NULL, NULL, 'one');
CALL corm.run_tx('SELECT $2::int', NULL, NULL, 1);
CREATE TABLE big (doc text);
ALTER TABLE big ALTER doc SET STORAGE EXTERNAL;
INSERT INTO big SELECT repeat('0123456789', 30000);
DO $$
DECLARE r corm.tx_result; d text; items int[] := ARRAY[1, 2, 3];
BEGIN
  SELECT doc INTO d FROM big;
  items[2] := 20;
  CALL corm.run_tx('DELETE FROM big', NULL, r);
  CALL corm.run_tx('SELECT length($1) AS len, md5($1) = md5(repeat(''0123456789'', 30000)) AS whole, $2 AS items', corm.tx(), r, d, items);
  RAISE INFO '% %', r.ok, r.value;
END $$;
DROP SCHEMA parameters CASCADE;
