-- CALL corm.run(): a query as a command of its own, with its completion tag. (H2)
SET client_min_messages = warning;
CREATE SCHEMA procedure;
SET search_path = procedure, corm_ops;
CREATE TABLE goods (id int PRIMARY KEY, name text, price numeric, deleted_at timestamptz);
COMMENT ON COLUMN goods.deleted_at IS '@orm:soft_delete';
INSERT INTO goods SELECT i, 'n' || i, i FROM generate_series(1, 10) i;
\set QUIET off
CALL corm.run(corm.updater('goods'), corm.set('price', 0), corm.where(corm.lte('id', 3)));
CALL corm.run(corm.updater('goods'), corm.set('price', 0), corm.where(corm.eq('id', 99)));
CALL corm.run(corm.inserter('goods') |> corm.set('id', 11) |> corm.set('name', 'eleven'));
CALL corm.run(corm.inserter('goods'), corm.rows('[{"id": 12}, {"id": 13}]'::jsonb));
CALL corm.run(corm.inserter('goods'), corm.rows('[{"id": 12}, {"id": 14}]'::jsonb), corm.on_conflict('id'), corm.do_nothing());
CALL corm.run(corm.deleter('goods'), corm.where(corm.gt('id', 11)));
CALL corm.run(corm.deleter('goods'), corm.unscoped(), corm.where(corm.gt('id', 11)));
CALL corm.run(corm.selector('goods'));
CALL corm.run(corm.raw_query('UPDATE goods SET price = $1 WHERE id <= $2', 7, 2));
CALL corm.run(corm.raw_query('SELECT 1'));
CALL corm.run(corm.updater('goods'), corm.set('price', 1), corm.where(corm.eq('id', 1)), corm.returning('id'));
\echo errors are those of corm.exec(); nothing is left of them
CALL corm.run(corm.updater('goods'), corm.set('price', 0));
CALL corm.run();
CALL corm.run(NULL::corm.query);
CALL corm.run(corm.updater('goods'), corm.set('nme', 0), corm.all_rows());
\echo hooks and middleware run; a CALL within them, or of a procedure around it, has its own tag
CREATE FUNCTION before_update(r goods) RETURNS goods LANGUAGE plpgsql AS $$
BEGIN
  CALL corm.run(corm.raw_query('SELECT 1'));
  r.name := upper(r.name);
  RETURN r;
END $$;
CALL corm.run(corm.updater('goods'), corm.set('price', 5), corm.where(corm.lte('id', 2)));
CREATE PROCEDURE around() LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  CALL corm.run(corm.updater('goods') |> corm.set('price', 6) |> corm.where(corm.lte('id', 3)));
  BEGIN
    CALL corm.run(corm.updater('goods') |> corm.set('price', 6));
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  COMMIT;
END $$;
CALL around();
DO $$ BEGIN CALL corm.run(corm.updater('goods') |> corm.set('price', 6) |> corm.where(corm.lte('id', 3))); END $$;
CREATE FUNCTION nothing(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.result_of(''[]'')';
SELECT corm.use('nothing(corm.query_context)', 'goods', '{UPDATE}') > 0;
CALL corm.run(corm.updater('goods'), corm.set('price', 8), corm.all_rows());
BEGIN READ ONLY;
CALL corm.run(corm.deleter('goods'), corm.all_rows());
ROLLBACK;
\set QUIET on
SELECT id, name, price, deleted_at IS NOT NULL AS deleted FROM goods ORDER BY id;
DROP SCHEMA procedure CASCADE;
