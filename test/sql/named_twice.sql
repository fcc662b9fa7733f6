--
-- Nested writes that name one row twice: a link is made once, a change of a row is an error
--
CREATE SCHEMA twice;
SET search_path = twice;
CREATE TABLE posts (id int PRIMARY KEY, name text);
CREATE TABLE tags (id int PRIMARY KEY, code text UNIQUE, name text);
CREATE TABLE post_tags (post_id int REFERENCES posts, tag_id int REFERENCES tags, grade int DEFAULT 7, PRIMARY KEY (post_id, tag_id));
CREATE TABLE notes (id int PRIMARY KEY, post_id int REFERENCES posts, name text);
INSERT INTO tags VALUES (1, 'a', 'A'), (2, 'b', 'B');
INSERT INTO posts VALUES (1, 'first');
INSERT INTO notes VALUES (1, 1, 'note');
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text; detail text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN answer || ' | ' || (SELECT string_agg(post_id || ':' || tag_id || ':' || grade, ' ' ORDER BY post_id, tag_id) FROM post_tags);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE || ': ' || SQLERRM, detail);
END $$;
\t on

\echo links: by key in any spelling, and by another unique key
SELECT try($$ corm.set_related('posts', '{"id": 1}', 'tags', '[{"id": 1}, {"id": "1"}, {"id": 1}]') $$);
UPDATE post_tags SET grade = 9;
SELECT try($$ corm.set_related('posts', '{"id": 1}', 'tags', '[{"id": 1}, {"code": "a"}, {"code": "b"}, {"id": 2}]') $$);
SELECT try($$ corm.insert_json('posts', '{"id": 2, "tags": [{"id": 1}, {"id": "1"}, {"code": "a"}]}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 2}', '{"tags": {"set": [{"id": 2}, {"code": "b"}, {"id": "2"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 2}', '{"tags": {"add": [{"id": 1}, {"id": 1}, {"id": 2}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 2}', '{"tags": [{"id": 1}, {"id": 1}]}') $$);
SELECT try($$ corm.insert_json('posts', '{"id": 3, "tags": [{"$connect_or_create": {"id": 3, "code": "c"}}, {"$connect_or_create": {"id": 3, "code": "c"}}]}') $$);

\echo rows that are changed or taken away
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"set": [{"id": 1, "name": "x"}, {"id": 1, "name": "y"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"update": [{"id": 1, "name": "x"}, {"code": "a", "name": "y"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"remove": [{"id": 1}, {"id": "1"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"delete": [{"id": 1}, {"id": 1}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": {"set": [{"id": 1}, {"id": 1}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": [{"id": 1, "name": "x"}, {"id": "1", "name": "y"}]}') $$);
SELECT name FROM tags WHERE id = 1;
SELECT name FROM notes;

\echo taken away and linked
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"remove": [{"id": 1}], "add": [{"id": 2}, {"code": "a"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"add": [{"$connect_or_create": {"id": 1, "code": "a"}}], "remove": [{"code": "a"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"add": [{"id": 1, "name": "x"}], "remove": [{"id": 1}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": {"remove": [{"id": 1}], "add": [{"name": "other"}, {"id": "1"}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": {"delete": [{"id": 1}], "add": [{"id": 1}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": {"update": [{"id": 1, "name": "x"}], "add": [{"id": 1}]}}') $$);

\echo taken away, and another one linked
BEGIN;
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"remove": [{"id": 1}], "add": [{"id": 3}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": {"remove": [{"id": 1}], "add": [{"id": 2, "name": "n"}]}}') $$);
SELECT id, post_id, name FROM notes ORDER BY id;
ROLLBACK;

\echo deleted, and a new one with the same keys
BEGIN;
DELETE FROM post_tags WHERE post_id <> 1;
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"tags": {"delete": [{"id": 1}], "add": [{"$connect_or_create": {"id": 1, "code": "a"}}]}}') $$);
SELECT try($$ corm.update_json('posts', '{"id": 1}', '{"notes": {"delete": [{"id": 1}], "add": [{"id": 1, "name": "new"}]}}') $$);
SELECT id, code, name FROM tags ORDER BY id;
SELECT id, post_id, name FROM notes ORDER BY id;
ROLLBACK;

\t off
SET client_min_messages = warning;
DROP SCHEMA twice CASCADE;
