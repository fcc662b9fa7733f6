-- Who may register middleware, and as whom it runs.
\set VERBOSITY terse
CREATE ROLE corm_mw_owner;
CREATE ROLE corm_mw_guest;
CREATE SCHEMA mwo;
GRANT USAGE, CREATE ON SCHEMA mwo TO corm_mw_owner, corm_mw_guest;
SET search_path = mwo;
SET ROLE corm_mw_owner;
CREATE TABLE mwo.items (id int PRIMARY KEY, name text);
INSERT INTO items VALUES (1, 'a');
GRANT ALL ON items TO corm_mw_guest;
CREATE VIEW mwo.item_view AS SELECT * FROM mwo.items;
GRANT SELECT ON item_view TO corm_mw_guest;
CREATE FUNCTION who(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% on % by %', qc.op, qc.model, current_user;
	RETURN corm.next(qc);
END $$;

-- a table takes its owner
SET ROLE corm_mw_guest;
SELECT corm.use('who(corm.query_context)', 'items');
SELECT corm.use('who(corm.query_context)');
SET ROLE corm_mw_owner;
SELECT corm.use('who(corm.query_context)');
SELECT corm.use('who(corm.query_context)', 'items') AS who \gset
SET ROLE corm_mw_guest;
SELECT corm.unuse(:who);
SELECT id = :who AS mine, fn, model, ops, priority FROM corm.middleware;
TABLE corm.middleware_functions;
INSERT INTO corm.middleware_functions (fn, priority) VALUES ('mwo.who(corm.query_context)', 1);
DELETE FROM corm.middleware_functions;

-- it runs as whoever queries, who must be allowed to execute it
SELECT corm.count(corm.selector('items'));
-- a view of the table is no way around
SELECT corm.count(corm.selector('item_view'));
SELECT corm.exec(corm.raw_query('SELECT * FROM mwo.item_view'));
SET ROLE corm_mw_owner;
REVOKE EXECUTE ON FUNCTION who(corm.query_context) FROM PUBLIC;
SET ROLE corm_mw_guest;
SELECT corm.count(corm.selector('items'));
SELECT corm.insert(ROW(2, 'b')::items);
SET ROLE corm_mw_owner;
GRANT EXECUTE ON FUNCTION who(corm.query_context) TO corm_mw_guest;
SET ROLE corm_mw_guest;
SELECT corm.insert(ROW(2, 'b')::items);

-- a function that one may not execute one cannot register
CREATE TABLE mwo.own (id int PRIMARY KEY);
SET ROLE corm_mw_owner;
REVOKE EXECUTE ON FUNCTION who(corm.query_context) FROM corm_mw_guest;
SET ROLE corm_mw_guest;
SELECT corm.use('who(corm.query_context)', 'own');
SET ROLE corm_mw_owner;
SELECT corm.unuse(:who);
GRANT EXECUTE ON FUNCTION who(corm.query_context) TO PUBLIC;

-- for all models: superusers, and those to whom one grants it
RESET ROLE;
SELECT corm.use('who(corm.query_context)') > 0 AS superuser;
GRANT INSERT ON corm.middleware_functions TO corm_mw_guest;
SET ROLE corm_mw_guest;
SELECT corm.count(corm.selector('own'));
SELECT corm.use('who(corm.query_context)', priority => 7) AS who \gset
SELECT corm.unuse(:who);
RESET ROLE;
GRANT DELETE ON corm.middleware_functions TO corm_mw_guest;
SET ROLE corm_mw_guest;
SELECT corm.unuse(id) FROM corm.middleware;
RESET ROLE;
REVOKE ALL ON corm.middleware_functions FROM corm_mw_guest;

-- a read-only transaction registers nothing
BEGIN READ ONLY;
SELECT corm.use('who(corm.query_context)', 'items');
ROLLBACK;
DROP SCHEMA mwo CASCADE;
DROP ROLE corm_mw_owner, corm_mw_guest;
