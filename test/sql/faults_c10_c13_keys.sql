-- corm.inserted() of partitions and views (C10), a relation to one of several rows (C11), writes of one key (C12), keys of upserts (C13).
CREATE SCHEMA faults;
SET search_path = faults, corm_ops;
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

\echo C10: a plain insert returns new rows only, wherever they go
CREATE TABLE parted (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 (v text, id int PRIMARY KEY);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE VIEW plain_view AS SELECT * FROM plain;
SELECT corm.get_multi_json(corm.inserter(t), corm.rows('[{"id": 1, "v": "a"}, {"id": 11, "v": "b"}]'), corm.returning('id', corm.as(corm.inserted(), 'new'))) FROM unnest('{parted,plain_view}'::regclass[]) AS t;
SELECT corm.get_multi_json(corm.inserter(t), corm.rows('[{"id": 1, "v": "a"}, {"id": 12, "v": "b"}]'), corm.on_conflict('id'), corm.do_nothing(), corm.returning('id', corm.as(corm.inserted(), 'new')))
FROM unnest('{parted,plain,plain_view}'::regclass[]) AS t;
SELECT corm.get_multi_json(corm.inserter('plain'), corm.rows('[{"id": 1, "v": "c"}, {"id": 13, "v": "d"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', 'v', corm.as(corm.inserted(), 'new')));
\echo C10: which rows of an upsert are new cannot be told there
SELECT corm.get_multi_json(corm.inserter('parted'), corm.rows('[{"id": 1, "v": "c"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('plain_view'), corm.rows('[{"id": 1, "v": "c"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('parted'), corm.rows('[{"id": 1, "v": "c"}, {"id": 14, "v": "d"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', 'v'));
SELECT corm.get_multi_json(corm.inserter('parted'), corm.rows('[{"id": 1, "v": "e"}, {"id": 15, "v": "f"}]'), corm.on_conflict('id'), corm.do_select(), corm.returning('id', 'v'));
\echo C10: with hooks
CREATE FUNCTION after_save(x parted) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'saved %', x.id; END $$;
CREATE FUNCTION after_save(x plain) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'saved %', x.id; END $$;
CREATE FUNCTION after_save(x plain_view) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'saved %', x.id; END $$;
SELECT corm.get_multi_json(corm.inserter(t), corm.rows('[{"id": 5, "v": "a"}, {"id": 16, "v": "b"}]'), corm.returning('id', corm.as(corm.inserted(), 'new'))) FROM unnest('{parted,plain,plain_view}'::regclass[]) AS t WHERE t <> 'plain'::regclass;
SELECT corm.get_multi_json(corm.inserter('plain'), corm.rows('[{"id": 1, "v": "g"}, {"id": 17, "v": "h"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', 'v', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('plain'), corm.rows('[{"id": 1, "v": "i"}, {"id": 18, "v": "j"}]'), corm.on_conflict('id'), corm.do_select(), corm.returning('id', 'v', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('parted'), corm.rows('[{"id": 1, "v": "g"}, {"id": 17, "v": "h"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', 'v'));
SELECT corm.get_multi_json(corm.inserter('parted'), corm.rows('[{"id": 1, "v": "g"}]'), corm.on_conflict('id'), corm.do_update(), corm.returning('id', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('parted'), corm.rows('[{"id": 1, "v": "i"}]'), corm.on_conflict('id'), corm.do_select(), corm.returning('id', 'v'));
SELECT corm.get_multi_json(corm.inserter('plain_view'), corm.rows('[{"id": 1, "v": "i"}]'), corm.on_conflict('id'), corm.do_select(), corm.returning('id', 'v'));

\echo C11: a relation to one that may meet several rows is the first of them, everywhere
CREATE TABLE u (id int PRIMARY KEY, note text);
CREATE TABLE many (id int PRIMARY KEY, uid int, n int, deleted_at timestamptz);
CREATE VIEW many_view AS SELECT * FROM many;
INSERT INTO u VALUES (1), (2), (3);
INSERT INTO many VALUES (5, 1, 50, NULL), (3, 1, 30, NULL), (1, 1, 10, now()), (4, 2, 40, NULL), (6, 2, 60, NULL);
SELECT corm.register('many', '{"soft_delete": true}');
SELECT corm.relate('u', 'one', 'has_one', 'many', '{id}', '{uid}');
SELECT corm.relate('u', 'big', 'has_one', 'many', '{id}', '{uid}', condition => corm.gt('n', 30));
SELECT corm.get_multi_json(corm.selector('u'), corm.select('id'), corm.preload('one', corm.select('n')), corm.preload('big', corm.select('n')), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('u'), corm.select('id', corm.as('one.n', 'one'), corm.as('big.n', 'big')), corm.order_by('id'));
SELECT corm.page_json(corm.selector('u'), corm.select('id', corm.as('one.n', 'one')), corm.order_by('-one.n'), corm.limit(2)) -> 'rows';
SELECT corm.count(corm.selector('u'), corm.where(corm.gt('one.n', 0))), corm.count(corm.selector('u'), corm.where(corm.eq('one.n', 50))), corm.count(corm.selector('u'), corm.join('one')), corm.count(corm.selector('u'), corm.left_join('one'));
SELECT corm.pluck(NULL::int, corm.selector('u'), corm.select('id'), corm.where(corm.some('one', corm.eq('n', 50)))) AS some, corm.pluck(NULL::int, corm.selector('u'), corm.select('id'), corm.where(corm.every('one', corm.eq('n', 30))), corm.order_by('id')) AS every;
SELECT corm.count(corm.selector('u'), corm.where(corm.none('one', corm.eq('n', 60)))), corm.count(corm.selector('u'), corm.where(corm.some('big', corm.eq('n', 50))));
SELECT corm.get_multi_json(corm.updater('u'), corm.set('note', corm.cast('one.n', 'text')), corm.where(corm.gt('one.n', 0)), corm.returning('id', 'note'));
SELECT corm.exec(corm.updater('u'), corm.join('one'), corm.set('note', 'x'), corm.where(corm.gt('one.n', 0)));
SELECT corm.get_multi_json(corm.selector('u'), corm.guard('many', corm.neq('id', 3)), corm.select('id', corm.as('one.n', 'n')), corm.preload('one', corm.select('n')), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('u'), corm.select('id'), corm.preload('one', corm.select('n'), corm.order_by('-n')), corm.order_by('id'), corm.limit(1));
\echo C11: of a unique column, or a stated key, there is one anyway
BEGIN;
DELETE FROM many WHERE id > 4;
DELETE FROM many WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX many_uid ON many (uid);
SELECT corm.to_sql(corm.selector('u'), corm.select('one.n'));
ROLLBACK;
SELECT corm.to_sql(corm.selector('u'), corm.select('one.n'));
SELECT corm.relate('u', 'seen', 'has_one', 'many_view', '{id}', '{uid}');
SELECT corm.to_sql(corm.selector('u'), corm.select('seen.n'));
COMMENT ON COLUMN many_view.uid IS '@orm:primary_key';
SELECT corm.to_sql(corm.selector('u'), corm.select('seen.n'));

\echo C12: an upsert of two rows of one key, whatever fields they give
CREATE TABLE ups (id int PRIMARY KEY, a int, b int, t int DEFAULT 1, UNIQUE (t, a));
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 1}, {"id": 1, "b": 2}]'), corm.on_conflict('id'), corm.do_update());
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 1}, {"id": 1, "a": 2}]'), corm.on_conflict('id'), corm.do_update());
SELECT corm.exec(corm.inserter('ups'), corm.rows(ARRAY[ROW(1, 1, 1, NULL), ROW(1, 2, 2, 7)]::ups[]), corm.on_conflict('id'), corm.do_update());
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 1}, {"id": 2, "a": 1, "b": 2}]'), corm.set('t', 1), corm.on_conflict('t', 'a'), corm.do_update());
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 1}, {"id": 2, "a": 2, "b": 2}]'), corm.on_conflict('id'), corm.do_update());
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 3}, {"id": 1, "b": 2}]'), corm.on_conflict('id'), corm.do_nothing());
CREATE FUNCTION before_save(x ups) RETURNS ups LANGUAGE sql AS 'SELECT x';
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 1}, {"id": 1, "b": 2}]'), corm.on_conflict('id'), corm.do_update());
SELECT corm.exec(corm.inserter('ups'), corm.rows('[{"id": 1, "a": 5}, {"id": 2, "b": 2}]'), corm.on_conflict('id'), corm.do_update());
SELECT * FROM ups ORDER BY id;
\echo C12: keys of a table do not reach into those that inherit from it
CREATE TABLE parent (id int PRIMARY KEY, v text, version int);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
COMMENT ON COLUMN parent.version IS '@orm:version';
INSERT INTO parent VALUES (1, 'p'), (2, 'p');
INSERT INTO child VALUES (1, 'c'), (3, 'c');
SELECT corm.update(ROW(1, 'x', NULL)::parent);
SELECT corm.delete(ROW(1, 'x', NULL)::parent);
SELECT corm.update_multi(ARRAY[ROW(1, 'x', NULL), ROW(2, 'x', NULL)]::parent[]);
SELECT corm.update_multi(ARRAY[ROW(1, 'x', NULL), ROW(4, 'x', NULL)]::parent[]);
SELECT corm.update(ROW(2, 'x', NULL)::parent), corm.update(ROW(3, 'x', NULL)::parent), corm.update(ROW(1, 'y', NULL)::child), corm.delete(ROW(3, 'x', 1)::parent);
SELECT tableoid::regclass, * FROM parent ORDER BY 1, 2;
\echo C12: a write that a trigger suppresses is not stale
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing BEFORE UPDATE OR DELETE ON child FOR EACH ROW WHEN (OLD.v <> 'free') EXECUTE FUNCTION nothing();
COMMENT ON COLUMN child.version IS '@orm:version';
SELECT corm.save(ROW(1, 'z', 1)::child);
SELECT corm.delete(ROW(1, 'z', 1)::child);
SELECT corm.update(ROW(1, 'z', 1)::child);
SELECT corm.update_multi(ARRAY[ROW(1, 'z', 1)]::child[]);
SELECT corm.save(ROW(1, 'z', 0)::child);
SELECT corm.update(ROW(1, 'z', NULL)::child);
SELECT corm.delete(ROW(1, 'z', NULL)::child);
SELECT corm.update_multi(ARRAY[ROW(1, 'z', 0)]::child[]);
SELECT corm.delete(ROW(1, 'z', 2)::child);
SELECT corm.update_multi(ARRAY[ROW(1, 'z', 2)]::child[]);
\echo C13: save of a view that triggers write
CREATE VIEW parents AS SELECT id, v, count(*) AS n FROM parent GROUP BY id, v;
COMMENT ON COLUMN parents.id IS '@orm:primary_key';
CREATE FUNCTION write_parents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN INSERT INTO parent VALUES (NEW.id, NEW.v); ELSE UPDATE parent SET v = NEW.v WHERE id = OLD.id; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER write_parents INSTEAD OF INSERT OR UPDATE ON parents FOR EACH ROW EXECUTE FUNCTION write_parents();
SELECT corm.save(ROW(7, 'seven', 1)::parents);
SELECT corm.save(ROW(7, 'Seven', 1)::parents);
SELECT id, v FROM parent WHERE id = 7;

\echo C13: on_conflict by an expression of a unique index
CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar, name text, gone boolean DEFAULT false);
CREATE UNIQUE INDEX people_email ON people (lower(email));
CREATE UNIQUE INDEX people_name ON people (name) WHERE NOT gone;
SELECT corm.get_multi_json(corm.inserter('people'), corm.rows('[{"email": "Ada@x", "name": "ada"}]'), corm.on_conflict('lower(email)'), corm.do_update(), corm.returning('email', 'name', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('people'), corm.rows('[{"email": "ADA@x", "name": "Ada"}]'), corm.on_conflict('lower( email )'), corm.do_update(), corm.returning('email', 'name', corm.as(corm.inserted(), 'new')));
SELECT corm.get_multi_json(corm.inserter('people'), corm.rows('[{"email": "ada@X", "name": "A"}]'), corm.on_conflict('lower(email)'), corm.do_select(), corm.returning('email', 'name'));
SELECT corm.exec(corm.inserter('people'), corm.rows('[{"email": "ada@X"}]'), corm.on_conflict('lower(email)'), corm.do_nothing());
SELECT corm.exec(corm.inserter('people'), corm.rows('[{"email": "ada@X"}]'), corm.on_conflict('upper(email)'), corm.do_nothing());
SELECT corm.exec(corm.inserter('people'), corm.rows('[{"email": "ada@X"}]'), corm.on_conflict('lower(email) ; SELECT 1'), corm.do_nothing());
\echo C13: on_constraint takes a unique index, too
SELECT corm.get_multi_json(corm.inserter('people'), corm.rows('[{"email": "aDa@x", "name": "Ada L"}]'), corm.on_constraint('people_email'), corm.do_update(), corm.returning('email', 'name'));
SELECT corm.get_multi_json(corm.inserter('people'), corm.rows('[{"email": "b", "name": "Ada L"}]'), corm.on_constraint('people_name'), corm.do_update(), corm.returning('email', 'name'));
SELECT corm.to_sql(corm.inserter('people'), corm.rows('[{"email": "b", "name": "Ada L"}]'), corm.on_constraint(c), corm.do_nothing()) FROM unnest('{people_email,people_name,people_pkey}'::text[]) AS c;
SELECT corm.exec(corm.inserter('people'), corm.rows('[{"email": "b"}]'), corm.on_constraint('people_x'), corm.do_nothing());
CREATE TABLE otherwise (id int PRIMARY KEY, e text);
SELECT corm.exec(corm.inserter('otherwise'), corm.rows('[{"id": 1}]'), corm.on_constraint('people_email'), corm.do_nothing());
CREATE FUNCTION before_save(p people) RETURNS people LANGUAGE plpgsql AS $$ BEGIN p.name := p.name || '!'; RETURN p; END $$;
SELECT corm.get_multi_json(corm.inserter('people'), corm.rows('[{"email": "B", "name": "Bob"}]'), corm.on_conflict('lower(email)'), corm.do_update(), corm.returning('email', 'name', corm.as(corm.inserted(), 'new')));

\echo C13: the condition of a many_to_many may name columns of the link table
CREATE TABLE post (id int PRIMARY KEY, title text);
CREATE TABLE video (id int PRIMARY KEY, title text);
CREATE TABLE tag (id int PRIMARY KEY, name text);
CREATE TABLE tagging (subj_type text NOT NULL, subj_id int NOT NULL, tag_id int REFERENCES tag, PRIMARY KEY (subj_type, subj_id, tag_id));
INSERT INTO post VALUES (1, 'p1'), (2, 'p2');
INSERT INTO video VALUES (1, 'v1');
INSERT INTO tag VALUES (1, 'red'), (2, 'blue');
INSERT INTO tagging VALUES ('post', 1, 1), ('video', 1, 2), ('post', 2, 2);
SELECT corm.relate(m, 'tags', 'many_to_many', 'tag', '{id}', '{id}', 'tagging', '{subj_id}', '{tag_id}', condition => corm.eq('tagging.subj_type', m::text)) FROM unnest('{post,video}'::regclass[]) AS m;
SELECT corm.get_multi_json(corm.selector(m), corm.preload('tags', corm.select('name')), corm.order_by('id')) FROM unnest('{post,video}'::regclass[]) AS m;
SELECT corm.pluck(NULL::int, corm.selector('post'), corm.select('id'), corm.where(corm.some('tags', corm.eq('name', 'red')))), corm.count(corm.selector('post'), corm.where(corm.none('tags', corm.eq('name', 'blue'))));
SELECT corm.get_multi_json(corm.selector('post'), j, corm.select('post.id', 'tags.name'), corm.order_by('tags.name')) FROM unnest(ARRAY[corm.join('tags'), corm.left_join('tags'), corm.right_join('tags'), corm.full_join('tags')]) AS j;
SELECT corm.relate('post', 'bad', 'many_to_many', 'tag', '{id}', '{id}', 'tagging', '{subj_id}', '{tag_id}', condition => corm.eq('tagging.nothing', 'x'));

\echo returning() of a value in a hooked write with a join
CREATE FUNCTION before_save(p post) RETURNS post LANGUAGE sql AS 'SELECT p';
SELECT corm.get_multi_json(corm.updater('post'), corm.join('video', corm.eq('video.id', corm.c('post.id'))), corm.set('title', 'x'), corm.where(corm.eq('post.id', 1)), corm.returning('id', corm.as(corm.val(5), 'five')));
DROP SCHEMA faults CASCADE;
