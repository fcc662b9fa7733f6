-- Middleware in C: its place in the chain, what it sees, may change and catch.
\set VERBOSITY terse
CREATE TABLE things (id int PRIMARY KEY, name text);
INSERT INTO things VALUES (1, 'a'), (2, 'b');
SELECT cmt.add('outer', 'pass', 1);
SELECT cmt.add('inner', 'pass', 200);
CREATE FUNCTION middle(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'middle: %', qc.query;
	RETURN corm.next(qc);
END $$;
SELECT corm.use('middle(corm.query_context)', 'things') AS middle \gset
SELECT * FROM corm.get_multi(NULL::things, corm.order_by('id'));
SELECT corm.insert(ROW(3, 'c')::things);
SELECT corm.exec(corm.raw_query('DELETE FROM things WHERE id = 3'));
SELECT corm.unuse(:middle);

-- another query, for which SQL and result are its own
SELECT cmt.rewrite_to(corm.pipe(corm.selector('things'), corm.where(corm.eq('id', 2))));
SELECT * FROM corm.get_multi(NULL::things, corm.order_by('id'));
SELECT cmt.rewrite_to(NULL);

-- the same name again replaces
SELECT cmt.add('inner', 'stop', 0);
SELECT * FROM corm.get_multi(NULL::things);
SELECT corm.count(corm.selector('things'));
SELECT cmt.remove('inner'), cmt.remove('inner');
SELECT cmt.add('twice', 'twice', 2);
SELECT corm.count(corm.selector('things'));
SELECT corm.insert(ROW(3, 'c')::things);
SELECT count(*) FROM things;
SELECT cmt.remove('twice');

-- errors
SELECT cmt.add('angry', 'fail', 2);
SELECT corm.count(corm.selector('things'));
SELECT cmt.add('outer', 'catch', 1);
SELECT corm.count(corm.selector('things'));
SELECT corm.insert(ROW(3, 'c')::things);
SELECT cmt.remove('angry');
SELECT corm.insert(ROW(1, 'a')::things);
SELECT corm.insert(ROW(3, 'c')::things);
SELECT cmt.remove('outer');
SELECT corm.count(corm.selector('things'));

-- a hook in C, of a write and of a read
CREATE FUNCTION before_save(things) RETURNS things AS '$libdir/corm_middleware_test', 'cmt_hook' LANGUAGE C STRICT;
SELECT corm.insert(ROW(4, 'd')::things);
SELECT * FROM corm.insert_multi(ARRAY[ROW(5, 'e'), ROW(6, 'f')]::things[]);
SELECT corm.exec(corm.updater('things'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)));
CREATE FUNCTION after_find(things) RETURNS things AS '$libdir/corm_middleware_test', 'cmt_hook' LANGUAGE C STRICT IMMUTABLE;
SELECT corm.get_multi_json(corm.selector('things'), corm.order_by('id'));
TABLE things ORDER BY id;
DROP TABLE things CASCADE;
DROP FUNCTION middle;
