-- The query language, by the rules that mappers most often get wrong. Each group is one rule; its first words say which.
BEGIN;
SELECT no_plan();

CREATE FUNCTION ids(VARIADIC q corm.query[]) RETURNS int[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT corm.pluck(NULL::int, corm.pipe(VARIADIC q), corm.select('id'), corm.order_by('id')))
$$;

-- Precedence: OR of a condition and an AND
CREATE TABLE accounts (id int PRIMARY KEY, plan text);
INSERT INTO accounts VALUES (1, 'free'), (2, 'pro'), (3, 'ent'), (4, 'free'), (5, 'pro');
SELECT is(ids(corm.selector('accounts'), corm.where(corm.or(corm.eq('id', 1), corm.and(corm.gt('id', 3), corm.eq('plan', 'free'))))),
    '{1,4}', 'precedence: or(id = 1, and(id > 3, plan = free))');
SELECT is(ids(corm.selector('accounts'), corm.where('{"or": [{"eq": ["id", 1]}, {"and": [{"gt": ["id", 3]}, {"eq": ["plan", "free"]}]}]}'::corm.expr)),
    '{1,4}', 'precedence: the same as text');
SELECT is(ids(corm.selector('accounts'), corm.filter('{"where": {"or": [{"id": 1}, {"id": {"gt": 3}, "plan": "free"}]}}')),
    '{1,4}', 'precedence: the same as a filter');
SELECT is(ids(corm.selector('accounts'), corm.where(corm.or(corm.eq('id', 1), corm.eq('id', 2))), corm.where(corm.eq('plan', 'free'))),
    '{1}', 'precedence: where clauses AND, whatever is in them');

-- NULL: neither equal nor different, except for IS DISTINCT FROM
CREATE TABLE ages (id int PRIMARY KEY, age int);
INSERT INTO ages VALUES (1, 10), (2, NULL), (3, 20);
SELECT is(ids(corm.selector('ages'), corm.where(corm.neq('age', 10))), '{3}', 'NULL: neq 10 is 20 alone');
SELECT is(ids(corm.selector('ages'), corm.where(corm.is_distinct_from('age', 10))), '{2,3}', 'NULL: is_distinct_from 10 is NULL and 20');
SELECT is(ids(corm.selector('ages'), corm.where(corm.not(corm.eq('age', 10)))), '{3}', 'NULL: not(eq 10) is 20 alone');
SELECT is(ids(corm.selector('ages'), corm.where(corm.eq('age', NULL))), '{2}', 'NULL: eq NULL is IS NULL');
SELECT is(ids(corm.selector('ages'), corm.where(corm.neq('age', NULL::int))), '{1,3}', 'NULL: neq NULL is IS NOT NULL');
SELECT is(ids(corm.selector('ages'), corm.where(corm.in('age', '{}'::int[]))), '{}', 'NULL: in of nothing is false');
SELECT is(ids(corm.selector('ages'), corm.where(corm.not_in('age', '{}'::int[]))), '{1,2,3}', 'NULL: not_in of nothing is true, for NULL too');
SELECT is(ids(corm.selector('ages'), corm.where(corm.and())), '{1,2,3}', 'NULL: and of nothing is true');
SELECT is(ids(corm.selector('ages'), corm.where(corm.or())), '{}', 'NULL: or of nothing is false');

-- some, every, none: of a {5,NULL}, of b {1}, of c nothing
CREATE TABLE posts (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE likes (id int PRIMARY KEY, post_id int NOT NULL REFERENCES posts, score int);
INSERT INTO posts VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO likes VALUES (1, 1, 5), (2, 1, NULL), (3, 2, 1);
SELECT is(ids(corm.selector('posts'), corm.where(corm.some('likes', corm.gte('score', 1)))), '{1,2}', 'some likes with score >= 1: a, b');
SELECT is(ids(corm.selector('posts'), corm.where(corm.every('likes', corm.gte('score', 1)))), '{2,3}', 'every like with score >= 1: b, c');
SELECT is(ids(corm.selector('posts'), corm.where(corm.none('likes', corm.gte('score', 1)))), '{3}', 'none of the likes with score >= 1: c');
SELECT is(ids(corm.selector('posts'), corm.filter(format('{"where": {"likes": {"%s": {"score": {"gte": 1}}}}}', k))), expected::int[], k || ' in a filter')
FROM (VALUES ('some', '{1,2}'), ('every', '{2,3}'), ('none', '{3}')) AS v (k, expected);
INSERT INTO likes VALUES (4, 2, 7);
SELECT is(ids(corm.selector('posts'), corm.where(corm.some('likes', corm.gte('score', 1)))), '{1,2}', 'some: a parent with two matching children comes once');
SELECT is(corm.count(corm.selector('posts'), corm.where(corm.some('likes', corm.gte('score', 1)))), 2::bigint, 'some: ... and is counted once');

-- contains: a percent sign is a percent sign
INSERT INTO posts VALUES (4, '100%'), (5, '100 percent'), (6, 'a_b'), (7, 'a\b');
SELECT is(ids(corm.selector('posts'), corm.where(corm.contains('name', '%'))), '{4}', 'contains "%" finds only the name with a percent sign');
SELECT is(ids(corm.selector('posts'), corm.where(corm.contains('name', '_'))), '{6}', 'contains "_" finds only the name with an underscore');
SELECT is(ids(corm.selector('posts'), corm.where(corm.contains('name', '\'))), '{7}', 'contains "\" finds only the name with a backslash');
SELECT is(ids(corm.selector('posts'), corm.where(corm.icontains('name', 'A_'))), '{6}', 'icontains escapes too');
SELECT is(ids(corm.selector('posts'), corm.where(corm.ends_with('name', '%'))), '{4}', 'ends_with escapes too');

-- Pages: of 2 over v = 10,20,20,NULL,NULL, NULLs last; backwards from the one before the last
CREATE TABLE items (id int PRIMARY KEY, v int);
INSERT INTO items VALUES (1, 10), (2, 20), (3, 20), (4, NULL), (5, NULL);
CREATE FUNCTION page_ids(page jsonb) RETURNS int[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT (r->>'id')::int FROM jsonb_array_elements(page->'rows') r)
$$;
CREATE FUNCTION items_page(VARIADIC q corm.query[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT corm.page_json(corm.selector('items'), corm.order_by(corm.asc('v', 'last')), corm.limit(2), corm.pipe(VARIADIC q))
$$;
CREATE TEMP TABLE pages AS
    WITH one AS (SELECT items_page(corm.after(NULL)) AS p),
        two AS (SELECT items_page(corm.after(p #>> '{page_info,end_cursor}')) AS p FROM one),
        three AS (SELECT items_page(corm.after(p #>> '{page_info,end_cursor}')) AS p FROM two)
    SELECT 1 AS n, p FROM one UNION ALL SELECT 2, p FROM two UNION ALL SELECT 3, p FROM three;
SELECT is(array_agg(page_ids(p)::text ORDER BY n), '{"{1,2}","{3,4}","{5}"}', 'pages of 2 forwards') FROM pages;
SELECT is(array_agg(p #>> '{page_info,has_next}' ORDER BY n), '{true,true,false}', 'pages: has_next') FROM pages;
SELECT is(array_agg(p #>> '{page_info,has_previous}' ORDER BY n), '{false,true,true}', 'pages: has_previous') FROM pages;
SELECT is(page_ids(items_page(corm.before(p #>> '{page_info,end_cursor}'))), '{2,3}', 'pages: backwards from 4') FROM pages WHERE n = 2;
SELECT is(items_page(corm.where(corm.eq('id', 0)))->'page_info'->>'end_cursor', NULL, 'pages: cursors of an empty page are null');
SELECT throws_ok(format('SELECT corm.page_json(corm.selector(''items''), corm.order_by(''-v''), corm.after(%L))', p #>> '{page_info,end_cursor}'),
    'OR004', NULL, 'pages: a cursor of another order') FROM pages WHERE n = 1;

-- Preload
CREATE TABLE companies (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, company_id int REFERENCES companies);
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, total numeric CHECK (total > 0));
INSERT INTO companies VALUES (1, 'acme'), (2, 'empty');
INSERT INTO users VALUES (1, 'ann', 1), (2, 'bob', 1), (3, 'cyd', NULL);
INSERT INTO orders VALUES (1, 1, 5), (2, 1, 9), (3, 1, 7), (4, 2, 3);
SELECT is(corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.order_by('id'),
        corm.preload('orders', corm.select('total'), corm.order_by('-total'), corm.limit(2))),
    '[{"name": "ann", "orders": [{"total": 9}, {"total": 7}]}, {"name": "bob", "orders": [{"total": 3}]}, {"name": "cyd", "orders": []}]',
    'preload: top 2 orders of each user, descending');
SELECT is(corm.get_multi_json(corm.selector('users'), corm.select('name'), corm.order_by('id'), corm.preload('orders', corm.where(corm.gt('total', 1000)))),
    '[{"name": "ann", "orders": []}, {"name": "bob", "orders": []}, {"name": "cyd", "orders": []}]',
    'preload: a filter that matches no child keeps the parents');
SELECT is(corm.get_multi_json(corm.selector('companies'), corm.select('name'), corm.order_by('id'), corm.preload('users', corm.select('id'), corm.order_by('id'))),
    '[{"name": "acme", "users": [{"id": 1}, {"id": 2}]}, {"name": "empty", "users": []}]', 'preload: a company without users has []');
SELECT is(corm.get_json(corm.selector('users'), corm.select('name'), corm.where(corm.eq('id', 3)), corm.preload('company')),
    '{"name": "cyd", "company": null}', 'preload: a user without company has null');
-- that it is one statement is shown in test/t/030_statements.pl

-- Nested writes are all or nothing
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM companies) AS companies, (SELECT count(*) FROM orders) AS orders;
SELECT throws_ok($$ SELECT corm.insert_json('users', '{"id": 9, "name": "eve", "company": {"id": 9, "name": "new"}, "orders": [{"id": 91, "total": 1}, {"id": 92, "total": -1}]}') $$,
    '23514', NULL, 'nested writes: the second order violates a check');
SELECT results_eq('SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM companies), (SELECT count(*) FROM orders)', 'SELECT * FROM before',
    'nested writes: ... and nothing is stored');
SELECT is(corm.insert_json('users', '{"id": 9, "name": "eve", "company": {"id": 9, "name": "new"}, "orders": [{"id": 91, "total": 1}, {"id": 92, "total": 2}]}'),
    '{"id": 9, "name": "eve", "company": {"id": 9, "name": "new"}, "company_id": 9, "orders": [{"id": 91, "total": 1, "user_id": 9}, {"id": 92, "total": 2, "user_id": 9}]}',
    'nested writes: user, company and two orders');

-- many_to_many: {1,2} replaced by {2,3}
CREATE TABLE tags (id int PRIMARY KEY, label text);
CREATE TABLE users_tags (user_id int REFERENCES users, tag_id int REFERENCES tags, PRIMARY KEY (user_id, tag_id));
INSERT INTO tags VALUES (1, 'x'), (2, 'y'), (3, 'z');
INSERT INTO users_tags VALUES (1, 1), (1, 2), (2, 1);
SELECT is(corm.set_related('users', '{"id": 1}', 'tags', '[{"id": 2}, {"id": 3}]'), 2::bigint, 'many_to_many: one link comes, one goes');
SELECT results_eq('SELECT * FROM users_tags ORDER BY 1, 2', 'VALUES (1, 2), (1, 3), (2, 1)', 'many_to_many: {1,2} replaced by {2,3}; links of others stay');
SELECT results_eq('SELECT * FROM tags ORDER BY 1', $$ VALUES (1, 'x'), (2, 'y'), (3, 'z') $$, 'many_to_many: tags are untouched');

-- Polymorphic: toys of user 1 are not toys of pet 1
CREATE TABLE pets (id int PRIMARY KEY, name text);
CREATE TABLE toys (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, owner_type text, owner_id int, name text);
INSERT INTO pets VALUES (1, 'rex');
INSERT INTO toys (owner_type, owner_id, name) VALUES ('user', 1, 'ball'), ('pet', 1, 'bone');
SELECT corm.relate('users', 'toys', 'has_many', 'toys', '{id}', '{owner_id}', condition => corm.eq('owner_type', 'user'));
SELECT corm.relate('pets', 'toys', 'has_many', 'toys', '{id}', '{owner_id}', condition => corm.eq('owner_type', 'pet'));
SELECT corm.relate('toys', 'user', 'belongs_to', 'users', '{owner_id}', '{id}', condition => corm.eq('owner_type', 'user'));
SELECT corm.relate('toys', 'pet', 'belongs_to', 'pets', '{owner_id}', '{id}', condition => corm.eq('owner_type', 'pet'));
SELECT is(corm.get_json(corm.selector('users'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.preload('toys', corm.select('name'))),
    '{"id": 1, "toys": [{"name": "ball"}]}', 'polymorphic: toys of user 1');
SELECT is(corm.get_json(corm.selector('pets'), corm.select('id'), corm.preload('toys', corm.select('name'))), '{"id": 1, "toys": [{"name": "bone"}]}', 'polymorphic: toys of pet 1');
SELECT is(corm.count(corm.selector('pets'), corm.where(corm.some('toys', corm.eq('name', 'ball')))), 0::bigint, 'polymorphic: relation predicates');
SELECT is(corm.get_multi_json(corm.selector('toys'), corm.select('name'), corm.order_by('id'), corm.preload('user', corm.select('name')), corm.preload('pet', corm.select('name'))),
    '[{"name": "ball", "user": {"name": "ann"}, "pet": null}, {"name": "bone", "user": null, "pet": {"name": "rex"}}]', 'polymorphic: the owners of toys');
SELECT is(corm.insert_json('toys', '{"id": 3, "name": "mouse", "pet": {"id": 1}}') - 'pet', '{"id": 3, "name": "mouse", "owner_id": 1, "owner_type": "pet"}',
    'polymorphic: an owner that is given sets its type');

-- Upsert
CREATE TABLE words (word text PRIMARY KEY, n int, note text);
INSERT INTO words VALUES ('a', 1, 'kept');
SELECT is(corm.get_multi_json(corm.inserter('words'), corm.rows('[{"word": "a", "n": 5}, {"word": "c", "n": 6}]'), corm.on_conflict('word'), corm.do_update(),
        corm.returning('word', corm.as(corm.inserted(), 'inserted'))),
    '[{"word": "a", "inserted": false}, {"word": "c", "inserted": true}]', 'upsert: a exists, c does not');
SELECT results_eq('SELECT * FROM words ORDER BY 1', $$ VALUES ('a', 5, 'kept'), ('c', 6, NULL) $$, 'upsert: other columns are unchanged');
SELECT throws_ok($$ SELECT corm.exec(corm.inserter('words'), corm.rows('[{"word": "y", "n": 0}, {"word": "z", "n": 1}, {"word": "z", "n": 2}]'), corm.on_conflict('word'), corm.do_update()) $$,
    '21000', NULL, 'upsert: the same key twice in one batch');
SELECT is(corm.count(corm.selector('words')), 2::bigint, 'upsert: ... and nothing is written');

-- Soft delete
CREATE TABLE authors (id int PRIMARY KEY, name text);
CREATE TABLE books (id int PRIMARY KEY, author_id int REFERENCES authors, isbn text, deleted_at timestamptz);
CREATE UNIQUE INDEX ON books (isbn) WHERE deleted_at IS NULL;
SELECT corm.register('books', '{"soft_delete": "deleted_at"}');
INSERT INTO authors VALUES (1, 'x');
INSERT INTO books VALUES (1, 1, 'i1'), (2, 1, 'i2');
SELECT is(corm.exec(corm.deleter('books'), corm.where(corm.eq('id', 1))), 1::bigint, 'soft delete');
SELECT is(ids(corm.selector('books')), '{2}', 'soft-deleted row: gone from the list');
SELECT is(corm.count(corm.selector('books')), 1::bigint, 'soft-deleted row: gone from the count');
SELECT is(corm.get_json(corm.selector('authors'), corm.select('id'), corm.preload('books', corm.select('id'))), '{"id": 1, "books": [{"id": 2}]}', 'soft-deleted row: gone from a preload');
SELECT is(corm.count(corm.selector('authors'), corm.where(corm.some('books', corm.eq('isbn', 'i1')))), 0::bigint, 'soft-deleted row: gone from a relation predicate');
SELECT is(corm.exec(corm.updater('books'), corm.set('author_id', NULL), corm.where(corm.eq('id', 1))), 0::bigint, 'soft-deleted row: no update finds it');
SELECT is(corm.exec(corm.deleter('books'), corm.where(corm.eq('id', 1))), 0::bigint, 'soft-deleted row: a second delete affects 0');
SELECT lives_ok($$ INSERT INTO books VALUES (3, 1, 'i1') $$, 'soft-deleted row: its unique value can be inserted again under a partial index');
SELECT is(corm.count(corm.selector('books'), corm.unscoped()), 3::bigint, 'soft delete: unscoped');
SELECT is(ids(corm.selector('books'), corm.only_deleted()), '{1}', 'soft delete: only_deleted');
SELECT throws_ok($$ SELECT corm.restore(corm.selector('books'), corm.where(corm.eq('id', 1))) $$, '23505', NULL, 'soft delete: a restore respects the index');
SELECT is(corm.exec(corm.deleter('books'), corm.unscoped(), corm.where(corm.eq('id', 3))), 1::bigint, 'soft delete: for good');
SELECT is(corm.restore(corm.selector('books'), corm.where(corm.eq('author.name', 'x'))), 1::bigint, 'soft delete: restore, by a condition on a related row');
SELECT is((SELECT count(*) FROM books), 2::bigint, 'soft delete: what was deleted for good is gone');
-- that register warns of an index that is not partial is in test/sql/related.sql

-- Versions: two writers hold version 1 (two sessions: test/specs/two_writers.spec)
CREATE TABLE docs (id int PRIMARY KEY, body text, version int);
SELECT corm.register('docs', '{"version": "version"}');
CREATE TEMP TABLE held AS SELECT * FROM corm.insert(ROW(1, 'new', NULL)::docs);
SELECT is((corm.update(ROW(id, 'first', version)::docs)).version, 2, 'version: the first writer makes version 2') FROM held;
SELECT throws_ok($$ SELECT corm.update(ROW(id, 'second', version)::docs) FROM held $$, 'OR010', 'stale object', 'version: the second is stale');
SELECT throws_ok($$ SELECT corm.delete(ROW(id, 'second', version)::docs) FROM held $$, 'OR010', 'stale object', 'version: so is a delete');
SELECT throws_ok($$ SELECT corm.save(ROW(id, 'second', version)::docs) FROM held $$, 'OR010', 'stale object', 'version: so is a save');
SELECT throws_ok($$ SELECT corm.update_multi(ARRAY[ROW(id, 'second', version)::docs]) FROM held $$, 'OR010', 'stale object', 'version: so is one of many');
SELECT results_eq('SELECT body, version FROM docs', $$ VALUES ('first', 2) $$, 'version: the row has version 2');
SELECT is(corm.get_json(corm.inserter('docs'), corm.rows('{"id": 1, "body": "third"}'), corm.on_conflict('id'), corm.do_update(), corm.returning('version')),
    '{"version": 3}', 'version: an upsert counts, too');

-- Guards of writes
SELECT throws_ok($$ SELECT corm.exec(corm.updater('words'), corm.set('n', 0)) $$, 'OR001', 'missing where clause', 'update without where');
SELECT throws_ok($$ SELECT corm.exec(corm.deleter('words')) $$, 'OR001', 'missing where clause', 'delete without where');
SELECT throws_ok($$ SELECT corm.exec(corm.deleter('words'), corm.where(corm.and())) $$, 'OR001', 'missing where clause', 'delete with an empty where');
SELECT throws_ok($$ SELECT corm.exec(corm.updater('words'), corm.set('n', 0), corm.where(corm.gt('n', 0)), corm.max_rows(1)) $$, 'OR002', NULL, 'max_rows(1) with two matches');
SELECT throws_ok($$ SELECT corm.exec(corm.deleter('words'), corm.where(corm.gt('n', 0)), corm.max_rows(1)) $$, 'OR002', NULL, 'max_rows(1) of a delete');
SELECT results_eq('SELECT word, n FROM words ORDER BY 1', $$ VALUES ('a', 5), ('c', 6) $$, '... nothing changed');

-- Filters from outside that mean no good: a clear error, within a second
SET statement_timeout = '1s';
SELECT throws_ok(format('SELECT corm.filter(%L)', '{"where": ' || repeat('{"not": ', 10000) || '{}' || repeat('}', 10000) || '}'), 'OR021', NULL, 'filter: depth 10,000');
SELECT throws_ok(format('SELECT corm.filter(%L::jsonb)', '{"where": ' || repeat('{"and": [', 5000) || '{}' || repeat(']}', 5000) || '}'), 'OR021', NULL, 'filter: depth 10,000 as jsonb');
SET statement_timeout = 0;
CREATE TEMP TABLE long AS SELECT '{"where": {"id": {"in": [' || string_agg(i::text, ',') || ']}}}' AS spec FROM generate_series(1, 1000000) i;
SET statement_timeout = '1s';
SELECT throws_ok('SELECT corm.filter(spec) FROM long', 'OR021', NULL, 'filter: a list of 1,000,000');
SELECT throws_ok($$ SELECT corm.filter('{"where": {"id": 1, "id": 2}}') $$, 'OR020', NULL, 'filter: a key twice');
SELECT throws_ok($$ SELECT corm.filter('{"where": {"id": {"gt": 1, "g\u0074": 2}}}'::json) $$, 'OR020', NULL, 'filter: a key twice, written in two ways');
SELECT lives_ok($$ SELECT corm.filter('{"where": {"a": "\"b\": {[,", "c": {"in": ["d:", "e,"]}}}') $$, 'filter: strings are not looked into');
SELECT throws_ok(format('SELECT ids(corm.selector(''ages''), corm.filter(%L))', f), e::char(5), NULL, 'filter: ' || f)
FROM (VALUES
    ('{"where": {"age": true}}', 'OR020'), ('{"where": {"age": {"eq": [1]}}}', 'OR020'), ('{"where": {"age": {"in": 1}}}', 'OR020'),
    ('{"where": {"age": "ten"}}', '22P02'), ('{"where": {"age": {"in": ["ten"]}}}', '22P02'), ('{"where": {"age": {"between": [1]}}}', 'OR020'),
    ('{"where": {"age": {"above": 1}}}', 'OR020'), ('{"were": {}}', 'OR020'), ('{"where": []}', 'OR020'), ('{"limit": "1"}', 'OR020'), ('{"limit": -1}', 'OR020'),
    ('{"where": {"nothing": 1}}', '42703'), ('{"where": {"age": NaN}}', '22P02'), ('{"where": {"age": "NaN"}}', '22P02'), ('{"limit": NaN}', '22P02'),
    ('not json', '22P02'), ('', '22P02'), ('{"where": {"age; DROP TABLE ages": 1}}', '42703')) AS v (f, e);
SELECT throws_ok(format('SELECT corm.filter(%L)', f), 'OR021', NULL, left('filter: many relations, which are tables to join: ' || f::text, 90))
FROM (VALUES
    ((SELECT jsonb_build_object('where', jsonb_build_object('or', jsonb_agg('{"likes": {"some": {"score": 1}}}'::jsonb))) FROM generate_series(1, 100))),
    (jsonb_build_object('where', jsonb_build_object(repeat('post.', 40) || 'id', 1))),
    (jsonb_build_object('order_by', jsonb_build_array(repeat('post.', 40) || 'id'))),
    (jsonb_build_object('preload', jsonb_build_object(repeat('post.', 40) || 'likes', true)))) AS v (f);
RESET statement_timeout;

-- A query over 60 fields and 8 nested relations
DO $$
BEGIN
    EXECUTE (SELECT format('CREATE TABLE n0 (id int PRIMARY KEY, %s)', string_agg(format('f%s int DEFAULT %s', i, i), ', ')) FROM generate_series(1, 60) i);
    INSERT INTO n0 (id) VALUES (1);
    FOR i IN 1..8 LOOP
        EXECUTE format('CREATE TABLE n%s (id int PRIMARY KEY, n%s_id int REFERENCES n%s)', i, i - 1, i - 1);
        EXECUTE format('INSERT INTO n%s VALUES (1, 1), (2, 1)', i);
    END LOOP;
END $$;
SELECT is(jsonb_path_query_array(corm.get_json(corm.selector('n0'), corm.preload('n1.n2.n3.n4.n5.n6.n7.n8'),
        corm.where(corm.and(VARIADIC ARRAY(SELECT corm.eq('f' || i, i) FROM generate_series(1, 60) i)))), '$.n1[0].n2[0].n3[0].n4[0].n5[0].n6[0].n7[0].n8[*].id'),
    '[1, 2]', 'large: 60 fields, 60 conditions, 8 nested relations preloaded');
SELECT is(corm.count(corm.selector('n8'), corm.where(corm.eq('n7.n6.n5.n4.n3.n2.n1.n0.f60', 60))), 2::bigint, 'large: a path of 8 relations');
SELECT is(corm.count(corm.selector('n0'), corm.where(corm.some('n1.n2.n3.n4.n5.n6.n7.n8', corm.eq('id', 2)))), 1::bigint, 'large: a predicate of 8 relations');

-- A recursive schema does not loop
CREATE TABLE a (id int PRIMARY KEY, b_id int);
CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a, boss_id int REFERENCES b);
ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b;
INSERT INTO a VALUES (1);
INSERT INTO b VALUES (1, 1, 1);
UPDATE a SET b_id = 1;
SELECT is((SELECT count(*) FROM corm.relations WHERE model IN ('a'::regclass, 'b'::regclass)), 6::bigint, 'recursive: the relations');
SELECT is(corm.get_json(corm.selector('a'), corm.select('id'), corm.preload('b', corm.select('id'), corm.preload('a', corm.select('id'), corm.preload('b', corm.select('id'), corm.preload('boss', corm.select('id')))))),
    '{"id": 1, "b": {"id": 1, "a": {"id": 1, "b": {"id": 1, "boss": {"id": 1}}}}}', 'recursive: preloaded as deep as is said, and no deeper');
SELECT is(corm.count(corm.selector('b'), corm.where(corm.eq('boss.boss.boss.a.b.id', 1))), 1::bigint, 'recursive: a path in circles');

SELECT * FROM finish();
ROLLBACK;
