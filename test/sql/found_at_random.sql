-- What the oracle (script/check-oracle) has found, each in its smallest form.
CREATE SCHEMA found;
SET search_path = found, corm_ops;
CREATE TABLE people (id int PRIMARY KEY, boss_id int REFERENCES people, name text);
COMMENT ON CONSTRAINT people_boss_id_fkey ON people IS '@orm:name=boss,inverse=staff';
INSERT INTO people VALUES (1, NULL, 'top'), (2, 1, 'middle'), (3, 2, 'bottom'), (4, 2, NULL);
CREATE FUNCTION ids(VARIADIC conditions corm.expr[]) RETURNS int[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT corm.pluck(NULL::int, corm.selector('people'), corm.select('id'), corm.where(VARIADIC conditions), corm.order_by('id')))
$$;

-- NOT EXISTS as an operand: it is never NULL, and NOT binds less than IS
SELECT ids(corm.is_null(corm.none('staff'))), ids(corm.is_not_null(corm.none('staff')), corm.none('staff')),
       ids(corm.is_null(corm.every('staff', corm.neq('name', 'bottom')))),
       ids(corm.is_null(corm.none(corm.selector('people', 'p') |> corm.where(corm.eq('p.boss_id', corm.c('people.id'))))));
SELECT ids(corm.eq(corm.none('staff'), true)), ids(corm.eq(corm.none('staff'), false)),
       ids(corm.is_distinct_from(corm.none('staff'), true)), ids(corm.is_distinct_from(corm.every('staff', corm.eq('name', 'middle')), true));

-- a relation of the related row that has the name of the relation: the boss of the boss, not the boss
SELECT ids(corm.some('boss', corm.eq('boss.name', 'top'))), ids(corm.none('boss', corm.eq('boss.name', 'middle'))),
       ids(corm.eq('boss.boss.name', 'top')), ids(corm.some('boss', corm.eq('name', 'middle')));
-- and in what is further inside, the path of the query there; by name, where that is none
CREATE TABLE tasks (id int PRIMARY KEY, boss_id int REFERENCES people, title text);
INSERT INTO tasks VALUES (1, 1, 'a'), (2, 3, 'b'), (3, 2, 'c');
SELECT ids(corm.some('boss', corm.some('tasks', corm.eq('boss.name', 'top')))),
       ids(corm.some('boss', corm.in('id', corm.selector('tasks') |> corm.select('id') |> corm.where(corm.eq('boss.name', 'bottom'))))),
       ids(corm.some('tasks', corm.some(corm.selector('people', 'p') |> corm.where(corm.eq('tasks.title', 'c'))))),
       ids(corm.some('tasks', corm.gt('tasks.id', 1)));
-- nor does a path outside hide one of the same name in a subquery
SELECT ARRAY(SELECT corm.pluck(NULL::int, corm.selector('tasks'), corm.select('id'), corm.order_by('id'), corm.where(
    corm.lt('boss.id', corm.selector('tasks', 't') |> corm.select(corm.max('id')) |> corm.where(corm.eq('boss.name', 'middle'))))));
SELECT corm.exec(corm.updater('people'), corm.set('name', 'new'), corm.where(corm.eq('boss.boss.name', 'top')));
SELECT id, name FROM people ORDER BY id;

-- an upsert counts up the version and sets the time of update, and leaves the time of creation alone
CREATE TABLE docs (id int PRIMARY KEY, body text, version int, created_at timestamptz, updated_at timestamptz);
SELECT corm.register('docs', '{"version": true, "created_at": true, "updated_at": true}');
INSERT INTO docs VALUES (1, 'a', 7, '2000-01-01', '2000-01-01');
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.set('body', 'b'), corm.on_conflict('id'), corm.do_update());
SELECT body, version, created_at = '2000-01-01' AS created, updated_at > '2001-01-01' AS updated FROM docs;
SELECT corm.exec(corm.inserter('docs'), corm.rows(ARRAY[ROW(1, 'c', 3, NULL, NULL)::docs]), corm.on_conflict('id'), corm.do_update());
SELECT body, version, created_at = '2000-01-01' AS created FROM docs;
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.set('body', 'd'), corm.on_conflict('id'), corm.do_update('body'));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update(), corm.set('body', 'e'));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.set('body', 'x'), corm.on_conflict('id'), corm.do_select());
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.set('body', 'x'), corm.on_conflict('id'), corm.do_nothing());
SELECT body, version FROM docs;
-- unless it says itself what it is to be
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.set('version', 50), corm.on_conflict('id'), corm.do_update('version'));
SELECT corm.exec(corm.inserter('docs'), corm.set('id', 1), corm.on_conflict('id'), corm.do_update(), corm.set('version', corm.add('version', 10)));
SELECT body, version FROM docs;

-- a stale record of a soft-deleted row: not saved, and not in silence
CREATE TABLE notes (id int PRIMARY KEY, body text, version int NOT NULL DEFAULT 1, deleted_at timestamptz);
SELECT corm.register('notes', '{"version": true, "soft_delete": "deleted_at"}');
SELECT (corm.insert(ROW(1, 'a', NULL, NULL)::notes)).version;
SELECT corm.delete(ROW(1, 'a', 1, NULL)::notes);
SELECT corm.save(ROW(1, 'b', 1, NULL)::notes);
SELECT (corm.save(ROW(1, 'b', 2, NULL)::notes)).version;
SELECT id, body, version, deleted_at FROM notes;

-- an exception block, or a try_tx that opens no scope, is no transaction to join
DO $$
BEGIN
    RAISE NOTICE 'before: %', corm.in_tx();
    BEGIN
        RAISE NOTICE 'inside: %, %', corm.in_tx(), corm.do_tx(corm.tx('never'), 'SELECT corm.tx_depth()');
        PERFORM corm.do_tx(corm.tx('mandatory'), 'SELECT 1');
    EXCEPTION WHEN no_active_sql_transaction THEN
        RAISE NOTICE 'after: %', corm.in_tx();
    END;
END $$;
SELECT value, sqlstate FROM corm.try_tx(corm.tx('never'), 'SELECT corm.in_tx(), (corm.try_tx(corm.tx(''mandatory''), ''SELECT 1'')).sqlstate');
BEGIN;
DO $$
BEGIN
    RAISE NOTICE 'in a transaction block: %', corm.in_tx();
    PERFORM 1/0;
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'still: %', corm.in_tx();
END $$;
SAVEPOINT s;
SELECT corm.in_tx(), (corm.try_tx(corm.tx('never'), 'SELECT 1')).sqlstate;
COMMIT;

-- upserts of a model with hooks: a condition of the update, corm.inserted(), and rows that are found and not written
CREATE TABLE labels (id int PRIMARY KEY, n int);
CREATE FUNCTION after_save(l labels) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'saved %', l; END $$;
SELECT corm.exec(corm.inserter('labels'), corm.set('id', 1), corm.set('n', n), corm.on_conflict('id'), corm.do_update('n'),
                 corm.where(corm.lt('n', corm.excluded('n')))) FROM unnest('{5,3,7}'::int[]) n;
SELECT corm.get_multi_json(corm.inserter('labels'), corm.rows('[{"id": 1}, {"id": 2, "n": 3}]'::jsonb), corm.on_conflict('id'), action,
                           corm.returning('id', 'n', corm.as(corm.inserted(), 'new')))
FROM unnest(ARRAY[corm.do_nothing(), corm.do_select(), corm.do_update()]) action;
SELECT corm.get_multi(NULL::labels, corm.inserter('labels'), corm.rows('[{"id": 3}, {"id": 1, "n": 8}]'::jsonb), corm.on_conflict('id'), corm.do_select());
SELECT corm.get_multi_json(corm.inserter('labels'), corm.set('id', 4), corm.returning('id', corm.as(corm.inserted(), 'new')));

-- and do_update() without names updates what was given, and what a hook has changed; a NULL that was given is NULL
CREATE TABLE cards (id int PRIMARY KEY, n int, body text DEFAULT 'new', slug text, version int);
CREATE TABLE hooked_cards (LIKE cards INCLUDING ALL);
SELECT corm.register('cards', '{"version": true}'), corm.register('hooked_cards', '{"version": true}');
CREATE FUNCTION before_save(c hooked_cards) RETURNS hooked_cards LANGUAGE plpgsql AS $$
BEGIN
    IF c.body = 'slug' THEN
        c.slug := 'made';
    END IF;
    RETURN c;
END $$;
CREATE FUNCTION twice(VARIADIC q corm.query[]) RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT corm.get_multi_json(corm.inserter('cards'), corm.pipe(VARIADIC q)) UNION ALL
    SELECT corm.get_multi_json(corm.inserter('hooked_cards'), corm.pipe(VARIADIC q))
$$;
SELECT twice(corm.set('id', 1), corm.set('body', NULL), corm.set('n', 3));
SELECT twice(corm.set('id', 1), corm.on_conflict('id'), corm.do_update());
SELECT twice(corm.set('id', 1), corm.set('body', 'slug'), corm.on_conflict('id'), corm.do_update());
SELECT twice(corm.rows('[{"id": 1, "n": 5}, {"id": 2, "slug": "b"}, {"id": 3, "slug": "c", "body": "y"}, {"id": 4, "body": "m"}]'::jsonb),
             corm.on_conflict('id'), corm.do_update(), corm.returning('id', 'n', 'body', 'slug', 'version'));

DROP SCHEMA found CASCADE;
