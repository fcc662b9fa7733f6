-- Writing with corm, as an application's test suite would check it.
BEGIN;
SELECT no_plan();

CREATE TABLE tasks (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title   text NOT NULL,
    state   text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    effort  int,
    shout   text GENERATED ALWAYS AS (upper(title)) STORED
);
CREATE TABLE seats (
    line  text,
    num   int,
    guest text,
    PRIMARY KEY (line, num)
);
CREATE TABLE log (at timestamptz, line text);

-- one record
CREATE TEMP TABLE stored AS SELECT * FROM corm.insert(ROW(NULL, 'write', NULL, 3, NULL)::tasks);
SELECT is(state, 'open', 'a default is used for NULL') FROM stored;
SELECT is(shout, 'WRITE', 'a generated column comes back') FROM stored;
SELECT is(id, (SELECT id FROM tasks), 'so does the generated key') FROM stored;

SELECT is((corm.update(corm.set_field(t, 'state', 'done'))).state, 'done', 'update by primary key') FROM tasks AS t;
SELECT is(state, 'done', '... is stored') FROM tasks;
SELECT throws_ok($$ SELECT corm.update(ROW(4711, 'x', 'open', 1, NULL)::tasks) $$, 'P0002', NULL, 'update of a row that is not there');
SELECT throws_ok($$ SELECT corm.insert(ROW(NULL, 'x', 'lost', NULL, NULL)::tasks) $$, '23514', NULL, 'constraints hold');
SELECT throws_ok($$ SELECT corm.insert(ROW(NULL, NULL, NULL, NULL, NULL)::tasks) $$, '23502', NULL, 'NOT NULL holds');
SELECT throws_ok($$ SELECT corm.set_field(t, 'shout', 'x') FROM tasks AS t $$, 'OR012', NULL, 'a generated field cannot be set');
SELECT ok(corm.delete(t), 'delete') FROM tasks AS t;
SELECT ok(NOT corm.delete(ROW(4711, 'x', 'open', 1, NULL)::tasks), 'delete of a row that is not there');

-- composite keys
SELECT lives_ok($$ SELECT corm.save(ROW('A', 1, 'Ada')::seats), corm.save(ROW('A', 2, 'Bob')::seats) $$, 'save inserts');
SELECT lives_ok($$ SELECT corm.save(ROW('A', 2, 'Eve')::seats) $$, 'save updates');
SELECT results_eq($$ SELECT line, num, guest FROM seats ORDER BY num $$, $$ VALUES ('A', 1, 'Ada'), ('A', 2, 'Eve') $$, '... by the whole key');
SELECT ok(corm.delete(ROW('A', 1, NULL)::seats), 'delete by the whole key');
SELECT is(corm.count(corm.selector('seats')), 1::bigint, '... and no other row');

SELECT throws_ok($$ SELECT corm.update(ROW(now(), 'x')::log) $$, 'OR011', NULL, 'no primary key: update');
SELECT throws_ok($$ SELECT corm.delete(ROW(now(), 'x')::log) $$, 'OR011', NULL, 'no primary key: delete');
SELECT lives_ok($$ SELECT corm.insert(ROW(now(), 'x')::log) $$, 'no primary key: insert');

-- many rows
SELECT results_eq(
    $$ SELECT title FROM corm.insert_multi(ARRAY(SELECT ROW(NULL, 'task ' || i, NULL, i, NULL)::tasks
                                                FROM generate_series(1, 20000) AS i)) $$,
    $$ SELECT 'task ' || i FROM generate_series(1, 20000) AS i $$, 'insert_multi keeps the order');
SELECT is((SELECT count(DISTINCT id) FROM tasks), 20000::bigint, '... and generates the keys');
SELECT throws_ok(
    $$ SELECT corm.insert_multi(ARRAY(SELECT ROW(NULL, 'more', CASE WHEN i = 2500 THEN 'lost' END, i, NULL)::tasks
                                      FROM generate_series(1, 20000) AS i)) $$, '23514', NULL, 'insert_multi fails as a whole');
SELECT is(corm.count(corm.selector('tasks')), 20000::bigint, '... and stores nothing');
SELECT throws_ok($$ SELECT corm.insert_multi('{}'::tasks[]) $$, 'OR003', NULL, 'an empty batch');

SELECT is(corm.insert_json('seats', '{"line": "B", "num": 1, "guest": "Gus"}'), '{"line": "B", "num": 1, "guest": "Gus"}'::jsonb,
          'insert_json of an object');
SELECT is(jsonb_array_length(corm.insert_json('seats', '[{"line": "C", "num": 1}, {"line": "C", "num": 2}]')), 2,
          'insert_json of an array');
SELECT throws_ok($$ SELECT corm.insert_json('seats', '{"line": "D", "nmu": 1}') $$, '42703', NULL, 'insert_json of an unknown key');

-- by query
SELECT is(corm.exec(corm.updater('tasks'), corm.set('state', 'done'), corm.where(corm.lte('effort', 10))), 10::bigint, 'updater');
SELECT is(corm.exec(corm.updater('tasks'), corm.set('effort', corm.add('effort', 1000)), corm.where(corm.eq('state', 'done'))),
          10::bigint, 'set to an expression');
SELECT is(corm.count(corm.selector('tasks'), corm.where(corm.between('effort', 1001, 1010), corm.eq('state', 'done'))), 10::bigint,
          '... is stored');
SELECT is(corm.exec(corm.inserter('seats'), corm.set('line', 'E'), corm.set('num', 7)), 1::bigint, 'inserter');
SELECT results_eq($$ SELECT guest FROM corm.get_multi(NULL::seats, corm.deleter('seats'), corm.where(corm.eq('line', 'B'))) $$,
                  $$ VALUES ('Gus') $$, 'deleter gives the rows it deleted');
SELECT throws_ok($$ SELECT corm.exec(corm.deleter('seats')) $$, 'OR001', 'missing where clause', 'delete without condition');
SELECT throws_ok($$ SELECT corm.exec(corm.updater('seats'), corm.set('guest', 'x')) $$, 'OR001', NULL, 'update without condition');
SELECT throws_ok($$ SELECT corm.exec(corm.deleter('tasks'), corm.where(corm.eq('state', 'open')), corm.max_rows(5)) $$, 'OR002', NULL,
                 'more rows than allowed');
SELECT is(corm.count(corm.selector('tasks')), 20000::bigint, '... and nothing changes');
SELECT cmp_ok(corm.exec(corm.deleter('seats'), corm.all_rows()), '>', 0::bigint, 'all_rows');

-- upsert
SELECT is(corm.exec(corm.inserter('seats'), corm.rows('[{"line": "X", "num": 1, "guest": "a"}]'::jsonb)), 1::bigint, 'a new row');
SELECT is(corm.exec(corm.inserter('seats'), corm.rows('[{"line": "X", "num": 1, "guest": "b"}, {"line": "X", "num": 2, "guest": "c"}]'::jsonb),
                    corm.on_conflict('line', 'num'), corm.do_nothing()), 1::bigint, 'on conflict do nothing');
SELECT is(corm.exec(corm.inserter('seats'), corm.rows('[{"line": "X", "num": 1, "guest": "d"}]'::jsonb),
                    corm.on_conflict('line', 'num'), corm.do_update('guest')), 1::bigint, 'on conflict do update');
SELECT results_eq($$ SELECT guest FROM seats ORDER BY num $$, $$ VALUES ('d'), ('c') $$, '... is stored');

SELECT * FROM finish();
ROLLBACK;
