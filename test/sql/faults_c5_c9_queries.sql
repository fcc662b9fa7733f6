-- Outer joins of many_to_many (C5), conditions that are always true (C6), versions that are NULL (C8), names of set operations in JSON (C9).
CREATE SCHEMA faults;
SET search_path = faults, corm_ops;
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

\echo C5: rows that are not to be seen are as if they were not there
CREATE TABLE em (id int PRIMARY KEY, boss_id int REFERENCES em, deleted_at timestamptz, n int);
CREATE TABLE tag (id int PRIMARY KEY, kind text, deleted_at timestamptz);
CREATE TABLE em_tag (em_id int REFERENCES em, tag_id int REFERENCES tag, deleted_at timestamptz, PRIMARY KEY (em_id, tag_id));
COMMENT ON CONSTRAINT em_boss_id_fkey ON em IS '@orm:name=boss,inverse=staff';
SELECT corm.register(t::regclass, '{"soft_delete": true}') FROM unnest('{em,tag,em_tag}'::text[]) AS t;
INSERT INTO em (id, boss_id, deleted_at) VALUES (1, NULL, NULL), (2, 1, NULL), (4, 1, now()), (5, 1, now()), (6, 2, NULL);
INSERT INTO tag VALUES (1, 'A', NULL), (2, 'A', now()), (3, 'B', NULL), (7, 'B', NULL), (8, 'A', NULL);
INSERT INTO em_tag VALUES (1, 1, NULL), (1, 2, NULL), (1, 3, now()), (4, 1, NULL), (4, 7, NULL), (5, 7, NULL), (6, 2, NULL), (2, 3, NULL), (2, 8, NULL);
CREATE FUNCTION pairs(VARIADIC q corm.query[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat(coalesce(r ->> 'a', '-'), ',', coalesce(r ->> 'b', '-')), ' ' ORDER BY (r ->> 'a')::int, (r ->> 'b')::int)
    FROM jsonb_array_elements(corm.get_multi_json(corm.pipe(VARIADIC q))) AS r $$;
CREATE FUNCTION pairs(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format($q$ WITH e AS (SELECT * FROM em WHERE deleted_at IS NULL), t AS (SELECT * FROM tag WHERE deleted_at IS NULL),
        l AS (SELECT em_id, tag_id FROM em_tag AS l JOIN e ON e.id = em_id JOIN t ON t.id = tag_id WHERE l.deleted_at IS NULL)
        SELECT string_agg(concat(coalesce(e.id::text, '-'), ',', coalesce(t.id::text, '-')), ' ' ORDER BY e.id, t.id) FROM %s $q$, sql) INTO result;
    RETURN result;
END $$;
CREATE VIEW joins AS SELECT * FROM (VALUES ('inner', corm.join('tag'), 'e JOIN l ON em_id = e.id JOIN t ON t.id = tag_id'),
    ('left', corm.left_join('tag'), 'e LEFT JOIN l ON em_id = e.id LEFT JOIN t ON t.id = tag_id'),
    ('right', corm.right_join('tag'), 'l JOIN e ON e.id = em_id RIGHT JOIN t ON t.id = tag_id'),
    ('full', corm.full_join('tag'), 'e LEFT JOIN l ON em_id = e.id FULL JOIN t ON t.id = tag_id')) AS v (kind, q, hand);
SELECT kind, pairs(corm.selector('em'), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))), pairs(hand) FROM joins;
SELECT corm.to_sql(corm.selector('em'), q, corm.select('id')) FROM joins;
SELECT pairs(corm.selector('em'), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b')), corm.where(corm.neq('kind', 'B'))) FROM joins;
\echo C5: grouped counts
SELECT corm.get_multi_json(corm.selector('em'), corm.left_join('tag'), corm.select('em.id', corm.as(corm.count(), 'rows'), corm.as(corm.count('tag.id'), 'tags')), corm.group_by('em.id'), corm.order_by('em.id'));
SELECT corm.count(corm.selector('em'), q) FROM joins;
\echo C5: from further away, and on from there
SELECT pairs(corm.selector('em'), corm.left_join('boss.tag'), corm.select(corm.as('em.id', 'a'), corm.as('boss.tag.id', 'b'))),
    pairs(corm.selector('em_tag', 'x'), corm.left_join('em.tag'), corm.where(corm.eq('x.tag_id', 1)), corm.select(corm.as('em.id', 'a'), corm.as('em.tag.id', 'b'))),
    pairs(corm.selector('em'), corm.left_join('tag.em'), corm.select(corm.as('em.id', 'a'), corm.as('tag.em.id', 'b')), corm.where(corm.neq('em.id', 6)));
SELECT pairs(corm.selector('em'), corm.left_join('staff'), corm.left_join('staff.tag'), corm.select(corm.as('id', 'a'), corm.as('staff.tag.id', 'b')));
SELECT pairs(corm.selector('em'), corm.join('staff'), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins WHERE kind IN ('right', 'full');
\echo C5: unscoped, only deleted
SELECT kind, pairs(corm.selector('em'), corm.unscoped(), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins;
SELECT kind, pairs(corm.selector('em'), corm.only_deleted(), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins WHERE kind IN ('inner', 'left');
\echo C5: a relation with a condition
SELECT corm.relate('em', 'as', 'many_to_many', 'tag', '{id}', '{id}', 'em_tag', '{em_id}', '{tag_id}', condition => corm.eq('kind', 'A'));
SELECT pairs(corm.selector('em'), corm.left_join('as'), corm.select(corm.as('em.id', 'a'), corm.as('as.id', 'b'))),
    pairs(corm.selector('em'), corm.right_join('as'), corm.select(corm.as('em.id', 'a'), corm.as('as.id', 'b'))),
    pairs(corm.selector('em'), corm.full_join('as'), corm.select(corm.as('em.id', 'a'), corm.as('as.id', 'b'))),
    corm.count(corm.selector('em'), corm.left_join('as'));
\echo C5: rows that a guard or row-level security hides
SELECT kind, pairs(corm.selector('em'), corm.guard('tag', corm.neq('id', 3)), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins;
SELECT kind, pairs(corm.selector('em'), corm.guard('em_tag', corm.neq('tag_id', 3)), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins;
SELECT kind, pairs(corm.selector('em'), corm.guard('em', corm.neq('id', 2)), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins;
CREATE ROLE regress_faults_reader;
GRANT USAGE ON SCHEMA faults TO regress_faults_reader;
GRANT SELECT ON em, tag, em_tag, joins TO regress_faults_reader;
ALTER TABLE tag ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON tag USING (id <> 3);
SET ROLE regress_faults_reader;
SELECT kind, pairs(corm.selector('em'), q, corm.select(corm.as('em.id', 'a'), corm.as('tag.id', 'b'))) FROM joins;
RESET ROLE;
ALTER TABLE tag DISABLE ROW LEVEL SECURITY;
\echo C5: a write joins relations, too
BEGIN;
SELECT corm.exec(corm.updater('em'), corm.join('tag'), corm.set('n', corm.c('tag.id')), corm.where(corm.eq('tag.kind', 'A')));
SELECT id, n FROM em ORDER BY id;
SELECT corm.get_multi_json(corm.updater('em'), corm.join('boss.tag'), corm.set('n', corm.c('boss.tag.id')), corm.where(corm.eq('boss.tag.kind', 'A')), corm.returning('id', 'n'));
SELECT corm.get_multi_json(corm.deleter('em_tag'), corm.join('tag'), corm.where(corm.eq('tag.id', 1), corm.eq('em.id', 1)), corm.returning('em_id', 'tag.kind'));
SELECT corm.exec(corm.updater('em'), corm.left_join('tag'), corm.set('boss_id', 1), corm.all_rows());
ROLLBACK;
SELECT corm.exec(corm.inserter('em'), corm.join('tag'), corm.set('id', 9));

\echo C6: a condition that cannot be false is none
CREATE TABLE p (id int PRIMARY KEY, v text, flag boolean, t_id int);
INSERT INTO p SELECT i, 'v', true, 1 FROM generate_series(1, 3) AS i;
CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE, n int);
INSERT INTO c VALUES (1, 1, 1);
CREATE FUNCTION deleted(q corm.query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    n := corm.exec(corm.deleter('p'), q);
    RAISE EXCEPTION 'deletes %', n USING ERRCODE = 'P0009';
EXCEPTION WHEN SQLSTATE 'P0009' OR SQLSTATE 'OR001' THEN
    RETURN CASE WHEN sqlstate = 'OR001' THEN sqlstate ELSE sqlerrm END;
END $$;
SELECT w, deleted(corm.filter(jsonb_build_object('where', w::jsonb))) FROM unnest(ARRAY['{"or": [{}]}', '{"or": [{}, {"id": 1}]}', '{"not": {"or": []}}', '{"id": {"not_in": []}}', '{}', '{"and": []}',
    '{"and": [{}, {"and": []}]}', '{"not": {"id": {"in": []}}}', '{"or": [{"id": 1}, {"id": {"not_in": []}}]}', '{"and": [{"id": {"not_in": []}}, {"not": {"or": []}}]}', '{"not": {"not": {}}}',
    '{"c": {"every": {}}}', '{"c": {"none": {"or": []}}}', '{"not": {"c": {"some": {"id": {"in": []}}}}}',
    '{"or": []}', '{"id": {"in": []}}', '{"not": {}}', '{"id": {"not_in": [1]}}', '{"and": [{}, {"id": 1}]}', '{"not": {"and": [{}, {"id": 1}]}}', '{"c": {"some": {}}}', '{"c": {"none": {}}}', '{"c": {"every": {"n": 2}}}']) AS w;
SELECT e, deleted(corm.where(e)) FROM unnest(ARRAY[corm.not(corm.or()), corm.or(corm.and()), corm.not(corm.in('id', '{}'::int[])), corm.not_in('id', '{}'::int[]), corm.not_in('id', '{}'), corm.not_in('id', ' [1:0]={ } '),
    corm.and(corm.and(), corm.not(corm.or())), corm.or(corm.eq('id', 1), corm.not(corm.or())), corm.not(corm.not(corm.and())), corm.val(true), corm.or(corm.eq('id', 1), corm.val(true)), corm.not(corm.val(false)),
    '{"is_not_true": {"or": []}}', '{"is_not_true": {"not": {"and": []}}}', corm.is_not_null(corm.and()), corm.eq(corm.and(), corm.not(corm.or())), corm.neq(corm.and(), corm.or()), corm.is_distinct_from(corm.and(), corm.or()),
    corm.cast(corm.and(), 'boolean'), corm.coalesce(corm.and(), corm.c('flag')), corm.every('c'), corm.every('c', corm.and()), corm.none('c', corm.or()), corm.not(corm.some('c', corm.in('id', '{}'::int[]))), corm.or(corm.val(NULL::boolean), corm.and()),
    corm.or(), corm.in('id', '{}'::int[]), corm.not(corm.and()), corm.not_in('id', '{1}'::int[]), corm.not_in('id', '{1}'), corm.val(false), corm.val(NULL::boolean), corm.not(corm.val(NULL::boolean)), corm.and(corm.val(NULL::boolean), corm.and()),
    '{"is_not_true": {"and": []}}', corm.c('flag'), corm.is_not_null('id'), corm.some('c'), corm.every('c', corm.eq('n', 1)), corm.every('c', corm.or()), corm.none('c'), corm.eq('v', 'true'), corm.is_null(corm.and())]) AS e;
\echo C6: nor do default scopes, guards and soft delete count
SELECT deleted(corm.pipe(corm.where(corm.and()), corm.guard('p', corm.eq('id', 1))));
SELECT corm.define_scope('p', 'first', corm.where(corm.eq('id', 1)), true);
SELECT deleted(corm.where(corm.not(corm.or()))), deleted(corm.where(corm.eq('v', 'v'))), deleted(corm.pipe(corm.where(corm.or(corm.and())), corm.all_rows()));
SELECT corm.drop_scope('p', 'first');
SELECT corm.exec(corm.deleter('em'), corm.where(corm.not(corm.or())));
SELECT corm.exec(corm.updater('p'), corm.set('v', 'x'), corm.where(corm.not_in('id', '{}'::int[])));
SELECT corm.count(corm.selector('p'), corm.with('d', corm.deleter('p') |> corm.where(corm.not(corm.or()))));
\echo C6: whether a list is empty is not a matter of the shape
CREATE FUNCTION delete_but(VARIADIC ids int[]) RETURNS text LANGUAGE sql AS $$ SELECT deleted(corm.where(corm.not_in('id', ids))) $$;
SELECT delete_but(1), delete_but(VARIADIC '{}'), delete_but(1, 2), delete_but(VARIADIC '{}'), delete_but(3);
PREPARE but AS SELECT deleted(corm.where(corm.or(corm.not_in('id', $1::int[]), corm.eq('flag', $2::boolean), corm.val($2::boolean))));
EXECUTE but('{1,2}', false);
EXECUTE but('{}', false);
EXECUTE but('{1,2}', true);
EXECUTE but('{1}', false);
EXECUTE but('{}', true);

\echo C8: a version that is NULL is 0
CREATE TABLE v (id int PRIMARY KEY, n text, version int);
COMMENT ON COLUMN v.version IS '@orm:version';
INSERT INTO v VALUES (1, 'a', NULL), (2, 'b', NULL), (3, 'c', NULL), (4, 'd', 7);
SELECT corm.update(r) FROM corm.get(NULL::v, corm.where(corm.eq('id', 1))) AS r;
SELECT corm.update_multi(ARRAY[ROW(2, 'B', NULL), ROW(3, 'C', 0), ROW(4, 'D', 7)]::v[]);
UPDATE v SET version = NULL;
SELECT corm.save(ROW(1, 'A', NULL)::v), corm.save(ROW(2, 'B', 0)::v), corm.delete(ROW(3, 'C', NULL)::v);
SELECT corm.update(ROW(1, 'A', NULL)::v);
SELECT corm.save(ROW(1, 'A', 0)::v);
SELECT corm.delete(ROW(1, 'A', NULL)::v);
SELECT corm.update_multi(ARRAY[ROW(1, 'A', NULL)]::v[]);
UPDATE v SET version = NULL;
SELECT corm.get_multi_json(corm.updater('v'), corm.set('n', 'x'), corm.where(corm.eq('id', 1)), corm.returning());
SELECT corm.get_multi_json(corm.inserter('v'), corm.rows('[{"id": 2, "n": "y"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning());
CREATE FUNCTION before_save(x v) RETURNS v LANGUAGE plpgsql AS $$ BEGIN x.n := x.n || '.'; RETURN x; END $$;
UPDATE v SET version = NULL;
SELECT corm.update(ROW(1, 'h', NULL)::v), corm.save(ROW(2, 'h', NULL)::v);
UPDATE v SET version = NULL;
SELECT corm.update_multi(ARRAY[ROW(1, 'm', NULL), ROW(2, 'm', 0)]::v[]);
UPDATE v SET version = NULL;
SELECT corm.get_multi_json(corm.updater('v'), corm.set('n', 'q'), corm.where(corm.lt('id', 3)), corm.returning());
SELECT corm.get_multi_json(corm.inserter('v'), corm.rows('[{"id": 4, "n": "u"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning());
DROP FUNCTION before_save(v);
CREATE TYPE v_text AS (id int, n text, version text);
COMMENT ON TYPE v_text IS '@orm:table=faults.v';
COMMENT ON COLUMN v_text.version IS '@orm:version';
UPDATE v SET version = NULL;
SELECT corm.update(ROW(1, 't', NULL)::v_text), corm.update(ROW(2, 't', '0')::v_text);
SELECT corm.update_multi(ARRAY[ROW(4, 't', NULL)]::v_text[]);
SELECT corm.update(ROW(1, 't', NULL)::v_text);
SELECT corm.update(ROW(1, 't', '1')::v_text);
CREATE TABLE v8 (id int PRIMARY KEY, version bigint);
COMMENT ON COLUMN v8.version IS '@orm:version';
INSERT INTO v8 VALUES (1, 5000000000), (2, NULL);
SELECT corm.get_multi_json(corm.updater('v8'), corm.set('id', corm.c('id')), corm.all_rows(), corm.returning());
\echo C8: soft delete and restore count it up, too
CREATE TABLE vs (id int PRIMARY KEY, version smallint, deleted_at timestamptz);
SELECT corm.register('vs', '{"soft_delete": true, "version": "version"}');
INSERT INTO vs VALUES (1, NULL, NULL);
SELECT corm.delete(ROW(1, NULL, NULL)::vs), corm.restore(corm.selector('vs'), corm.all_rows());
SELECT id, version FROM vs;

\echo C9: set operations as JSON, by the naming of the model
CREATE TABLE cam (id int PRIMARY KEY, full_name text, first_seen date);
SELECT corm.register('cam', '{"naming": "camel"}');
INSERT INTO cam VALUES (1, 'b', '2024-01-01'), (2, 'a', '2024-01-02');
SELECT corm.get_multi_json(corm.selector('cam'), corm.select('full_name'), corm.union(corm.selector('cam'), corm.select('full_name')), corm.order_by(o)) FROM unnest('{full_name,fullName,-full_name,FullName}'::text[]) AS o;
SELECT corm.get_multi_json(corm.selector('cam'), corm.union_all(corm.selector('cam')), corm.order_by('firstSeen', '-id'), corm.limit(3));
SELECT corm.first_json(corm.selector('cam'), corm.except(corm.selector('cam'), corm.where(corm.eq('id', 2)))), corm.get_json(corm.selector('cam'), corm.union(corm.selector('cam')), corm.order_by('-fullName'));
SELECT corm.pluck(NULL::text, corm.selector('cam'), corm.select('full_name'), corm.union(corm.selector('cam'), corm.select('full_name')), corm.order_by('fullName'));
SELECT corm.get_multi(NULL::cam, corm.union(corm.selector('cam')), corm.order_by('-fullName'));
SELECT corm.to_sql(corm.selector('cam'), corm.select('full_name'), corm.union(corm.selector('cam'), corm.select('full_name')), corm.order_by('-fullName'));
SELECT corm.get_multi_json(corm.selector('cam'), corm.select('full_name'), corm.union(corm.selector('cam'), corm.select('full_name')), corm.order_by('first_seen'));
\echo C9: and of queries and WITH queries in FROM
SELECT corm.get_multi_json(corm.from_query(corm.selector('cam') |> corm.select('full_name', 'id', corm.as(corm.fn('upper', corm.c('full_name')), 'up_name')), 'q'), corm.order_by('fullName'));
SELECT corm.get_multi_json(corm.with('w', corm.selector('cam')), corm.from_cte('w'), corm.select('full_name', 'w.first_seen'), corm.order_by('-w.fullName'));
SELECT corm.get_multi_json(corm.from_query(corm.from_query(corm.selector('cam'), 'a') |> corm.select('full_name'), 'b'), corm.order_by('full_name'));
SELECT corm.get_multi_json(corm.from_query(corm.selector('cam') |> corm.select('full_name') |> corm.union(corm.selector('cam') |> corm.select('full_name')), 'q'), corm.order_by('-full_name'));
DROP SCHEMA faults CASCADE;
DROP ROLE regress_faults_reader;
