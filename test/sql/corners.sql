-- Corners that no other test turns: rare kinds of input, each with its answer or its refusal.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SCHEMA co;
SET search_path = co;
CREATE TABLE users (id int PRIMARY KEY, name text, ok boolean, doc jsonb, big bigint, deleted_at timestamptz);
CREATE TABLE books (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int REFERENCES users, kind text, title text);
CREATE TABLE tags (id int PRIMARY KEY, name text);
CREATE TABLE books_tags (book_id int REFERENCES books, tag_id int REFERENCES tags, PRIMARY KEY (book_id, tag_id));
SELECT corm.register('users', '{"soft_delete": true, "naming": "pascal"}'), corm.register('books', '{"naming": "snake"}');
INSERT INTO users VALUES (1, 'ann', true, '{"a": 1}', 5000000000), (2, 'bob', false, '[1]', NULL);
INSERT INTO tags VALUES (1, 'x'), (2, 'y');

-- filters: numbers of every size, booleans in lists, documents, cursors, empty names
SELECT corm.get_multi_json(corm.selector('users'), corm.select('id'), corm.order_by('id'), corm.filter(f::jsonb)) FROM unnest(ARRAY[
    '{"where": {"big": 5000000000}}', '{"where": {"ok": {"in": [true]}}}', '{"where": {"id": {"in": [1, 2]}}}',
    '{"where": {"doc": {"contains": {"a": 1}}}}', '{"where": {"big": {"gt": 1e30}}}',
    '{"preload": {"books": false}}', '{"where": {}}', '{"after": null, "before": null}']) AS f;
SELECT corm.filter('{"where": {"id": {"in": [[1]]}}}');
SELECT corm.filter('{"where": {"and": {"id": 1}}}');
SELECT corm.filter('{"where": {"id": {}}}');
SELECT corm.filter('{"where": {"id": 1, "and": 7}}');
SELECT corm.filter('{"preload": {"": true}}');
SELECT corm.filter('{"preload": ["books"]}');
SELECT corm.filter('{"before": 7}');
SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"before": "nonsense", "limit": 1}'));
SELECT corm.page_json(corm.selector('users'), corm.select('id'), corm.order_by('id'), corm.limit(1),
    corm.filter(jsonb_build_object('before', corm.page_json(corm.selector('users'), corm.order_by('id'), corm.limit(2)) #>> '{page_info,end_cursor}'))) -> 'rows';
SET corm.filter_max_nodes = 2;
SELECT corm.filter('{"where": {"id": {"gt": 1, "lt": 5, "neq": 3}}}');
SELECT corm.filter('{"where": {"id": 1, "name": "x", "ok": true}}');
SELECT corm.filter('{"where": {"or": [{"id": 1}, {"id": 2}, {"id": 3}]}}');
SELECT corm.filter('{"preload": {"a": true, "b": true, "c": true}}');
SELECT corm.filter('{"limit": 1, "offset": 1, "order_by": ["id"]}');
RESET corm.filter_max_nodes;
SET corm.filter_max_list = 2;
SELECT corm.filter('{"order_by": ["id", "name", "ok"]}');
RESET corm.filter_max_list;

-- names in JSON under each strategy
SELECT corm.get_multi_json(corm.selector('users'), corm.select('id', corm.as('name', 'full_name')), corm.where(corm.eq('id', 1)));
SELECT corm.insert_json('users', '{"Id": 3, "Name": "cid", "Books": [{"title": "t", "books_tags": []}]}') ->> 'Name';
SELECT corm.insert_json('books', '{"title": "of nobody", "user": null}') ->> 'user_id' IS NULL AS nobody;
SELECT corm.insert_json('books', '{"title": "t", "user": 7}');
SELECT corm.insert_json('books', '{"title": "t", "user": [{"id": 1}]}');
SELECT corm.insert_json('books', '[{"title": "t", "user": {"Id": 8, "Name": "h"}}, 7]');

-- a row that a trigger holds back, with and without rows that refer to it
CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.title = 'no' THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER hold_back BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION hold_back();
SELECT corm.insert_json('books', '[{"title": "no", "tags": [{"id": 1}]}, {"title": "yes", "tags": [{"id": 1}]}]');
SELECT corm.insert_json('books', '[{"title": "no", "tags": []}, {"title": "yes", "tags": [{"id": 1}]}]') #>> '{0,title}';
SELECT count(*) FROM books_tags;

-- declared relations whose condition compares more than one field, of any type
SELECT corm.relate('users', 'novels', 'has_many', 'books', '{id}', '{user_id}', condition => corm.and(corm.eq('kind', 'novel'), corm.eq('title', 'same'::varchar)));
SELECT corm.insert_json('users', '{"Id": 4, "Novels": [{}]}') -> 'Novels' -> 0 ->> 'kind';
SELECT corm.get_multi_json(corm.selector('users'), corm.select('id'), corm.preload('novels', corm.select('kind', 'title')), corm.where(corm.some('novels')));

-- set_related on what it is not for
SELECT corm.set_related('users', '{"Id": 1}', 'books', '[]');
SELECT corm.set_related('books', '7', 'tags', '[]');
SELECT corm.set_related('books', '{"id": 1}', 'tags', '7');
SELECT corm.set_related('books', '{"id": null}', 'tags', '[]');

-- relations of joined ranges, and of what has none
SELECT corm.get_multi_json(corm.selector('books', 'b'), corm.join('users', corm.raw('u.id = b.user_id'), 'u'), corm.select('b.title'), corm.where(corm.some('u.books', corm.eq('title', 't'))));
SELECT corm.count(corm.raw_query('SELECT 1 AS id'), corm.where(corm.some('books')));
SELECT corm.get_multi_json(corm.from_query(corm.selector('users'), 'u'), corm.preload('books'));
SELECT corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.distinct(), corm.preload('books'));
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('books'), corm.preload('books'));
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('books', corm.updater('books')));
SELECT corm.get_multi_json(corm.selector('users'), corm.preload('books', corm.selector('tags')));
SELECT corm.count(corm.raw_query('SELECT 1 AS id'), corm.only_deleted());
SELECT corm.count(corm.from_query(corm.selector('users'), 'u'), corm.scope('s'));
SELECT corm.count(corm.from_query(corm.selector('users'), 'u'), corm.only_deleted());
SELECT corm.restore(corm.selector('books'));
SELECT corm.restore(corm.selector('users'), corm.order_by('id'));

-- options of a registration
SELECT corm.register('users', jsonb_build_object('fields', jsonb_build_object('name', jsonb_build_object('name', repeat('x', 64)))));
SELECT corm.register('users', '{"naming": "snake", "fields": {"id": {"primary_key": false}, "name": {"primary_key": true}}}');
SELECT corm.describe('users') -> 'primary_key', corm.describe('users') -> 'naming';
SELECT corm.register('users', '{"naming": "kebab"}');

-- a method whose result cannot be shown
CREATE FUNCTION odder(u users) RETURNS event_trigger LANGUAGE internal IMMUTABLE AS 'int8inc';
CREATE FUNCTION odd(u users, a internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'int8inc';
SELECT name, error FROM corm.iterate_methods(NULL::users) ORDER BY error;

SET client_min_messages = error;
DROP SCHEMA co CASCADE;
