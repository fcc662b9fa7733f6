-- What comes late: hooks that appear while rows are written, rows of tables that have lost a column, guards deep in themselves.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA late;
SET search_path = late, public;

\echo A2: a hook that appears between two statements of one batch is an error that says so
CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'by default');
CREATE FUNCTION make_hook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CREATE OR REPLACE FUNCTION before_create(r t) RETURNS t LANGUAGE sql AS 'SELECT r';
  RETURN NEW;
END $$;
CREATE TRIGGER make_hook BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION make_hook();
CREATE FUNCTION attempt(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
  detail text;
BEGIN
  EXECUTE sql INTO result;
  RETURN result;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN concat_ws(' ', SQLSTATE, SQLERRM, detail);
END $$;
SELECT attempt($$SELECT corm.exec(corm.inserter('t'), corm.rows('[{"id": 1, "a": "given"}, {"id": 2}]'::jsonb))$$);
SELECT attempt($$SELECT count(*) FROM corm.insert_multi(ARRAY[row(1, 'given')::t, row(2, NULL)::t])$$);
SELECT attempt($$SELECT corm.insert_json('t', '[{"id": 1, "a": "given"}, {"id": 2}]')$$);
-- one statement is done when the hook is there
SELECT attempt($$SELECT corm.insert_json('t', '[{"id": 1}, {"id": 2}]')$$);
SELECT * FROM t ORDER BY id;

\echo A8: the fields of a row in a list of values, without the columns that its table has lost
CREATE TABLE wanted (x int, lost text, y int);
INSERT INTO wanted VALUES (1, 'lost', 3);
ALTER TABLE wanted DROP COLUMN lost;
CREATE FUNCTION as_record() RETURNS record LANGUAGE plpgsql AS $$
DECLARE
  w wanted;
BEGIN
  SELECT * INTO w FROM wanted;
  RETURN w;
END $$;
SELECT corm.in('id', as_record()), corm.not_in('id', as_record());

\echo G3, G13: names in a guard are looked at once, however deep its WITH queries are
SELECT corm.count(corm.selector('t'), corm.guard('t', corm.raw('id IN (' ||
  (SELECT string_agg(format('WITH w%s AS (', i), '' ORDER BY i) FROM generate_series(1, 40) i) || 'SELECT 1 AS n' ||
  (SELECT string_agg(format(') SELECT n FROM w%s', i), '' ORDER BY i DESC) FROM generate_series(1, 40) i) || ')')));
SELECT attempt($$SELECT corm.count(corm.selector('t'), corm.guard('t', corm.raw('id IN (WITH w AS (SELECT x FROM wanted) SELECT x FROM w)')))$$);

DROP SCHEMA late CASCADE;
