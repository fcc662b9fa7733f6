-- Guards on rows as they are written: guard_check.
SET client_min_messages = warning;
CREATE SCHEMA gc;
SET search_path = gc;
\set SHOW_CONTEXT never
CREATE TABLE docs (id int PRIMARY KEY, tenant int, owner text, body text DEFAULT 'empty');
CREATE TABLE lines (id int PRIMARY KEY, doc_id int REFERENCES docs, tenant int, t text);
CREATE TABLE other (id int PRIMARY KEY);
INSERT INTO docs VALUES (1, 1, 'ada', 'a'), (2, 2, 'bob', 'b');
INSERT INTO lines VALUES (1, 1, 1, 'x'), (2, 2, 2, 'y');
-- reads: as a guard; what does not touch the model: nothing
SELECT id FROM corm.get_multi(NULL::docs, corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT count(*) FROM corm.get_multi(NULL::other, corm.guard_check('docs', corm.eq('tenant', 1)), corm.guard('lines', corm.eq('tenant', 1)));
SELECT corm.exec(corm.raw_query('SELECT 1'), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.raw_query('SELECT 1 FROM gc.docs'), corm.guard('docs', corm.eq('tenant', 1)));
-- inserts: fields fixed by = are filled, others refused
SELECT corm.get_json(corm.inserter('docs'), corm.set('id', 3), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 4), corm.guard_check('docs', corm.eq('tenant', 1), corm.is_not_null('body')));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 5), corm.set('tenant', 2), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 5), corm.set('tenant', NULL), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_multi_json(corm.inserter('docs'), corm.rows('[{"id": 5}, {"id": 6, "tenant": 1}, {"id": 7, "tenant": null}]'), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_multi_json(corm.inserter('docs'), corm.rows('[{"id": 8}, {"id": 9, "tenant": 2}]'), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT id, tenant FROM corm.get_multi(NULL::docs, corm.inserter('docs'), corm.rows(ARRAY[(8, NULL, 'x', NULL), (9, 1, 'y', 'z')]::docs[]), corm.guard_check('docs', corm.and(corm.eq('tenant', 1))));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 10), corm.set('owner', 'x'), corm.guard_check('docs', corm.or(corm.eq('tenant', 1), corm.eq('owner', 'y'))));
SELECT corm.value(NULL::int, corm.inserter('docs'), corm.set('id', 10), corm.guard_check('docs', corm.eq('tenant', 1)), corm.returning('id'));
-- updates: rows cannot be moved out; deletes: only those that can be seen
SELECT corm.exec(corm.updater('docs'), corm.set('body', 'n'), corm.where(corm.lt('id', 3)), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.updater('docs'), corm.set('tenant', 2), corm.where(corm.eq('id', 1)), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_json(corm.updater('docs'), corm.set('tenant', 2), corm.where(corm.eq('id', 1)), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_json(corm.updater('docs'), corm.set('owner', 'eve'), corm.where(corm.eq('id', 1)), corm.returning('owner', corm.as(corm.val(1), 'one')), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.deleter('docs'), corm.where(corm.in('id', 2, 10)), corm.guard_check('docs', corm.eq('tenant', 1)));
-- upserts
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.set('body', 'up'), corm.on_conflict('id'), corm.do_update(), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 2), corm.set('body', 'up'), corm.on_conflict('id'), corm.do_update(), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update(), corm.set('tenant', 2), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_multi_json(corm.inserter('docs'), corm.rows('[{"id": 1}, {"id": 2}]'), corm.on_conflict('id'), corm.do_select(), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_multi_json(corm.inserter('docs'), corm.rows('[{"id": 1, "owner": "eva"}]'), corm.on_conflict('id'), corm.do_select(), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 2), corm.on_conflict('id'), corm.do_nothing(), corm.guard_check('docs', corm.eq('tenant', 1)));
-- ... a guard passes over the row; a condition does so only if the check holds for it
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 2), corm.on_conflict('id'), corm.do_update(), corm.guard('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update(), corm.guard('docs', corm.eq('owner', 'nobody')), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update(), corm.where(corm.or(corm.eq('body', 'x'), corm.eq('body', 'y'))), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 2), corm.on_conflict('id'), corm.do_update(), corm.where(corm.eq('body', 'none')), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.to_sql(corm.inserter('docs'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update(), corm.where(corm.eq('body', 'x')), corm.guard_check('docs', corm.eq('tenant', 1)));
-- a write in a WITH query
SELECT corm.get_multi_json(corm.with('w', corm.pipe(corm.inserter('docs'), corm.set('id', 20), corm.set('tenant', 3), corm.returning('id'))), corm.from_cte('w'), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.get_multi_json(corm.with('w', corm.pipe(corm.inserter('docs'), corm.set('id', 20), corm.returning('id', 'tenant'))), corm.from_cte('w'), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT * FROM docs ORDER BY id;
-- a trigger's change counts
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.body = 'move' THEN NEW.tenant := 9; END IF; RETURN NEW; END $$;
CREATE TRIGGER move BEFORE INSERT OR UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION move();
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 21), corm.set('body', 'move'), corm.guard_check('docs', corm.eq('tenant', 1)));
SELECT corm.exec(corm.updater('docs'), corm.set('body', 'move'), corm.where(corm.eq('id', 1)), corm.guard_check('docs', corm.eq('tenant', 1)));
DROP TRIGGER move ON docs;
-- conditions on related rows
SELECT corm.exec(corm.inserter('lines'), corm.set('id', 3), corm.set('doc_id', 2), corm.guard_check('lines', corm.some('doc', corm.eq('tenant', 1))));
SELECT corm.exec(corm.inserter('lines'), corm.set('id', 3), corm.set('doc_id', 1), corm.guard_check('lines', corm.some('doc', corm.eq('tenant', 1))));
-- one middleware for several models: record and JSON verbs, nested rows and links
CREATE FUNCTION tenant(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE t int := current_setting('gc.tenant')::int;
BEGIN
  qc.query := corm.pipe(qc.query, corm.guard_check('gc.docs', corm.eq('tenant', t)), corm.guard_check('gc.lines', corm.eq('tenant', t)));
  RETURN corm.next(qc);
END $$;
SELECT corm.use('tenant(corm.query_context)', 'docs') > 0 AND corm.use('tenant(corm.query_context)', 'lines') > 0 AS used;
SET gc.tenant = 1;
SELECT corm.insert(ROW(30, NULL, 'ada', NULL)::docs);
SELECT corm.insert(ROW(31, 2, 'ada', NULL)::docs);
SELECT corm.update(ROW(30, 2, 'ada', NULL)::docs);
SELECT corm.save(ROW(32, NULL, 'ada', NULL)::docs);
SELECT corm.insert_multi(ARRAY[ROW(33, NULL, 'ada', NULL), ROW(34, 1, 'ada', NULL)]::docs[]);
SELECT corm.insert_json('docs', '{"id": 35, "lines": [{"id": 35, "t": "n"}]}');
SELECT corm.insert_json('docs', '{"id": 36, "lines": [{"id": 36, "tenant": 2}]}');
SELECT corm.insert_json('lines', '{"id": 37, "doc": {"id": 2}}');
SELECT corm.update_json('docs', '{"id": 30}', '{"tenant": 2}');
SELECT corm.update_json('docs', '{"id": 30}', '{"lines": [{"id": 38}]}');
SELECT corm.update_json('docs', '{"id": 30}', '{"lines": {"add": [{"id": 38, "t": "m"}]}}');
SELECT corm.update_json('docs', '{"id": 35}', '{"lines": [{"id": 35, "tenant": 2}]}');
SELECT corm.upsert_json('docs', '[{"id": 2, "body": "stolen"}]');
SELECT corm.upsert_json('docs', '[{"id": 39, "body": "new"}]');
SELECT corm.save(ROW(2, 1, 'ada', NULL)::docs);
SELECT id, body FROM docs WHERE id = 2;
-- with hooks
CREATE FUNCTION before_save(d docs) RETURNS docs LANGUAGE plpgsql AS $$ BEGIN IF d.body = 'move' THEN d.tenant := 9; END IF; RETURN d; END $$;
SELECT corm.insert_json('docs', '[{"id": 40}, {"id": 41, "tenant": 1}]');
SELECT corm.insert_json('docs', '{"id": 42, "body": "move"}');
SELECT corm.exec(corm.updater('docs'), corm.set('body', 'move'), corm.where(corm.eq('id', 1)));
SELECT corm.exec(corm.updater('docs'), corm.set('body', 'ok'), corm.where(corm.eq('id', 1)));
SELECT corm.unuse(id) FROM corm.middleware;
-- text form
SELECT corm.guard_check('docs', corm.eq('tenant', 1));
SELECT corm.exec(corm.pipe(corm.inserter('docs'), '[{"guard_check": ["gc.docs", {"eq": [{"c": "tenant"}, 1]}]}]'::corm.query), corm.set('id', 50), corm.set('tenant', 3));
SELECT corm.guard_holds(true, 'x'), corm.guard_holds(NULL, 'x');
DROP SCHEMA gc CASCADE;
