-- corm.publish_changes: changes of rows as messages.
\set VERBOSITY terse
SELECT corm.topic_create('changes'), corm.subscribe('changes', 'g');
CREATE SCHEMA message_changes;
SET search_path = message_changes;
CREATE TABLE "Order lines" (order_id int, line int, "What" text, secret text, gone int, PRIMARY KEY (order_id, line));
ALTER TABLE "Order lines" DROP COLUMN gone;
COMMENT ON COLUMN "Order lines".secret IS '@orm:hidden';
SELECT corm.register('"Order lines"', '{"fields": {"secret": {"hidden": true}}}') IS NULL AS x;
SELECT corm.publish_changes('"Order lines"', 'changes', '{insert,update,delete}');
INSERT INTO "Order lines" VALUES (1, 1, 'apples', 'x'), (1, 2, 'pears', 'x');
UPDATE "Order lines" SET "What" = 'plums' WHERE line = 2;
DELETE FROM "Order lines" WHERE line = 1;
SELECT key, payload, type FROM corm.receive('changes', 'g', 10);
BEGIN; DELETE FROM "Order lines"; ROLLBACK;
SELECT key, payload FROM corm.receive('changes', 'g', 10);
-- other events, and none
SELECT corm.publish_changes('"Order lines"', 'changes', '{delete,delete}');
INSERT INTO "Order lines" VALUES (2, 1, 'x', 'x');
DELETE FROM "Order lines" WHERE order_id = 2;
SELECT key, payload FROM corm.receive('changes', 'g', 10);
SELECT corm.publish_changes('"Order lines"', 'changes', '{}');
DELETE FROM "Order lines";
SELECT corm.receive('changes', 'g', 10);
-- no key; a partitioned table
CREATE TABLE parts (n int, v text) PARTITION BY RANGE (n);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
SELECT corm.publish_changes('parts', 'changes');
INSERT INTO parts VALUES (1, 'a');
UPDATE parts SET v = 'b';
SELECT key, payload FROM corm.receive('changes', 'g', 10);
-- errors
SELECT corm.publish_changes('parts', 'changes', '{truncate}');
SELECT corm.publish_changes('parts', 'changes', NULL);
SELECT corm.publish_changes('parts', 'nothing');
CREATE VIEW some_view AS SELECT 1 AS n;
SELECT corm.publish_changes('some_view', 'changes');
SELECT corm.publish_change();
CREATE TRIGGER wrong BEFORE INSERT ON parts_1 FOR EACH ROW EXECUTE FUNCTION corm.publish_change('changes');
INSERT INTO parts VALUES (2, 'a');
CREATE ROLE message_writer;
GRANT USAGE ON SCHEMA message_changes TO message_writer;
GRANT INSERT ON "Order lines" TO message_writer;
SELECT corm.publish_changes('"Order lines"', 'changes');
SET ROLE message_writer;
INSERT INTO "Order lines" VALUES (3, 1, 'x', 'x');
SELECT corm.publish_changes('"Order lines"', 'changes');
RESET ROLE;
SELECT corm.topic_grant('changes', 'message_writer', '{publish}');
SET ROLE message_writer;
SELECT corm.publish_changes('"Order lines"', 'changes');
INSERT INTO "Order lines" VALUES (3, 1, 'x', 'x');
RESET ROLE;
SELECT key, payload FROM corm.receive('changes', 'g', 10);
SELECT corm.topic_drop('changes');
\set VERBOSITY default
DELETE FROM "Order lines";
\set VERBOSITY terse
SELECT corm.publish_changes('"Order lines"', 'changes', '{}');
DELETE FROM "Order lines";
DROP SCHEMA message_changes CASCADE;
DROP ROLE message_writer;
