-- Reading with corm, as an application's test suite would check it.
BEGIN;
SELECT no_plan();

CREATE TABLE planets (
    id     int PRIMARY KEY,
    name   text NOT NULL UNIQUE,
    moons  int,
    kind   text NOT NULL,
    facts  jsonb NOT NULL DEFAULT '{}',
    names  text[] NOT NULL DEFAULT '{}'
);
INSERT INTO planets VALUES
    (1, 'Mercury', 0, 'rock', '{"rings": false}', '{Merkur,Mercure}'),
    (2, 'Venus', 0, 'rock', '{"rings": false}', '{}'),
    (3, 'Earth', 1, 'rock', '{"life": true}', '{Erde,Terre}'),
    (4, 'Mars', 2, 'rock', '{}', '{}'),
    (5, 'Jupiter', 95, 'gas', '{"rings": true}', '{}'),
    (6, 'Saturn', 146, 'gas', '{"rings": true}', '{Saturne}'),
    (7, 'Nibiru', NULL, 'myth', '{}', '{100%}');

-- what a condition finds
CREATE FUNCTION found(VARIADIC conditions corm.expr[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(name, ' ' ORDER BY id)
    FROM corm.get_multi(NULL::planets, corm.where(VARIADIC conditions))
$$;

SELECT is(found(corm.eq('id', 3)), 'Earth', 'eq');
SELECT is(found(corm.neq('kind', 'rock')), 'Jupiter Saturn Nibiru', 'neq');
SELECT is(found(corm.gt('moons', 2)), 'Jupiter Saturn', 'gt; NULL is not greater');
SELECT is(found(corm.lte('moons', '1')), 'Mercury Venus Earth', 'a string literal takes the type of its field');
SELECT is(found(corm.between('id', 2, 4)), 'Venus Earth Mars', 'between');
SELECT is(found(corm.in('name', ARRAY['Mars', 'Pluto'])), 'Mars', 'in');
SELECT is(found(corm.in('name', '{}'::text[])), NULL, 'in nothing is false');
SELECT is(found(corm.not_in('name', '{}'::text[]), corm.eq('id', 1)), 'Mercury', 'not in nothing is true');
SELECT is(found(corm.is_null('moons')), 'Nibiru', 'is_null');
SELECT is(found(corm.eq('moons', NULL)), 'Nibiru', 'eq NULL means IS NULL');
SELECT is(found(corm.neq('moons', NULL), corm.gt('id', 4)), 'Jupiter Saturn', 'neq NULL means IS NOT NULL');
SELECT is(found(corm.is_distinct_from('moons', 0)), 'Earth Mars Jupiter Saturn Nibiru', 'is_distinct_from counts NULL');
SELECT is(found(corm.like('name', 'M%')), 'Mercury Mars', 'like');
SELECT is(found(corm.starts_with('name', 'Sat')), 'Saturn', 'starts_with');
SELECT is(found(corm.ends_with('name', 's')), 'Venus Mars', 'ends_with');
SELECT is(found(corm.icontains('name', 'R')), 'Mercury Earth Mars Jupiter Saturn Nibiru', 'icontains');
SELECT is(found(corm.contains('name', '%')), NULL, 'a percent sign is no wildcard');
SELECT is(found(corm.contains('names', ARRAY['Erde'])), 'Earth', 'contains on an array');
SELECT is(found(corm.contains('facts', '{"rings": true}'::jsonb)), 'Jupiter Saturn', 'contains on jsonb');
SELECT is(found(corm.has_key('facts', 'life')), 'Earth', 'has_key');
SELECT is(found(corm.or(corm.eq('id', 1), corm.and(corm.gt('id', 3), corm.eq('kind', 'rock')))), 'Mercury Mars', 'or, and');
SELECT is(found(corm.not(corm.eq('kind', 'rock'))), 'Jupiter Saturn Nibiru', 'not');
SELECT is(found(corm.raw('moons % $1 = $2', 10, 6)), 'Saturn', 'raw with values');
SELECT is(found(corm.eq('name', '''; DROP TABLE planets --')), NULL, 'a value is only a value');
SELECT has_table('planets');

-- order, slices, types of results
SELECT results_eq(
    $$ SELECT name FROM corm.get_multi(NULL::planets, corm.order_by('-moons', 'name'), corm.where(corm.lt('moons', 2))) $$,
    $$ VALUES ('Earth'), ('Mercury'), ('Venus') $$, 'order_by');
SELECT results_eq(
    $$ SELECT id FROM corm.get_multi(NULL::planets, corm.order_by('id'), corm.limit(2), corm.offset(3)) $$,
    $$ VALUES (4), (5) $$, 'limit and offset');
SELECT results_eq(
    $$ SELECT p FROM corm.get_multi(NULL::planets, corm.where(corm.eq('id', 2))) AS p $$,
    $$ SELECT p FROM planets AS p WHERE id = 2 $$, 'rows are of the table''s own type');
SELECT is(corm.count(corm.selector('planets'), corm.where(corm.eq('kind', 'gas'))), 2::bigint, 'count');
SELECT is(corm.count(corm.selector('planets'), corm.limit(4)), 4::bigint, 'count is of the whole query');
SELECT ok(corm.exists(corm.selector('planets'), corm.where(corm.eq('kind', 'myth'))), 'exists');
SELECT ok(NOT corm.exists(corm.selector('planets'), corm.where(corm.eq('kind', 'ice'))), 'exists not');
SELECT is(corm.value(NULL::int, corm.selector('planets'), corm.select('moons'), corm.where(corm.eq('name', 'Mars'))), 2, 'value');
SELECT is(corm.value(NULL::int, corm.selector('planets'), corm.select('moons'), corm.where(corm.eq('name', 'X'))), NULL,
          'value of no row');
SELECT results_eq(
    $$ SELECT * FROM corm.pluck(NULL::text, corm.selector('planets'), corm.select('kind'), corm.distinct(), corm.order_by('kind')) $$,
    $$ VALUES ('gas'), ('myth'), ('rock') $$, 'pluck, distinct');
SELECT is(corm.get_json(corm.selector('planets'), corm.select('id', 'name'), corm.where(corm.eq('id', 4))),
          '{"id": 4, "name": "Mars"}'::jsonb, 'get_json');
SELECT is(corm.get_multi_json(corm.selector('planets'), corm.where(corm.eq('id', 99))), '[]'::jsonb, 'no rows in JSON');
SELECT is(corm.first_json(corm.selector('planets'), corm.where(corm.eq('id', 99))), NULL, 'no row in JSON');
SELECT is((corm.first(NULL::planets)).name, 'Mercury', 'first goes by primary key');
SELECT is((corm.first(NULL::planets, corm.order_by('-id'))).name, 'Nibiru', '... unless ordered');

CREATE TYPE kind_count AS (kind text, planets bigint, moons bigint);
SELECT results_eq(
    $$ SELECT * FROM corm.get_multi(NULL::kind_count, corm.selector('planets'),
           corm.select('kind', corm.as(corm.count(), 'planets'), corm.as(corm.sum('moons'), 'moons')),
           corm.group_by('kind'), corm.having(corm.gt(corm.count(), 1)), corm.order_by('kind')) $$,
    $$ VALUES ('gas', 2::bigint, 241::bigint), ('rock', 4, 3) $$, 'groups into a composite type');

-- the same with operators
SET LOCAL search_path = public, corm_ops;
SELECT results_eq(
    $$ SELECT name FROM corm.get_multi(NULL::planets,
           corm.where(((corm.c('moons') >= 1) & (corm.c('kind') = 'rock')) | (corm.c('name') ~~ 'Nib%'))
           |> corm.order_by('-id')) $$,
    $$ VALUES ('Nibiru'), ('Mars'), ('Earth') $$, 'operators');
RESET search_path;

-- errors
SELECT throws_ok($$ SELECT corm.get(NULL::planets, corm.where(corm.eq('id', 99))) $$, 'P0002', 'no rows in result set', 'get: no row');
SELECT throws_ok($$ SELECT corm.one(NULL::planets, corm.where(corm.eq('id', 99))) $$, 'P0002', NULL, 'one: no row');
SELECT throws_ok($$ SELECT corm.one(NULL::planets, corm.where(corm.eq('kind', 'gas'))) $$, 'P0003', NULL, 'one: two rows');
SELECT throws_ok($$ SELECT found(corm.eq('nmae', 'Mars')) $$, '42703', 'unknown field "nmae" of model "planets"', 'unknown field');
SELECT throws_ok($$ SELECT found(corm.eq('id; drop', 1)) $$, '42703', 'unknown field "id; drop" of model "planets"',
                 'a field that tries to be SQL');
SELECT throws_ok($$ SELECT found(corm.eq('id', 'three')) $$, '22P02', NULL, 'a value that does not convert');

-- names that need quotes
DO $$ BEGIN EXECUTE format('CREATE TABLE "Odd ""table" (id int PRIMARY KEY, "select" int, "two words" int, "Mixed" int, "quo""te" int, "semi;--" int, %I int)',
                           repeat('n', 63)); END $$;
INSERT INTO "Odd ""table" VALUES (1, 2, 3, 4, 5, 6, 7);
SELECT is(corm.get_json(corm.selector('"Odd ""table"'), corm.select('select', 'two words', 'Mixed', 'quo"te', 'semi;--', repeat('n', 63))),
          jsonb_build_object('select', 2, 'two words', 3, 'Mixed', 4, 'quo"te', 5, 'semi;--', 6, repeat('n', 63), 7),
          'names that need quotes');
SELECT is(corm.count(corm.selector('"Odd ""table"'), corm.where(corm.eq('select', 2), corm.eq('two words', 3), corm.eq('Mixed', 4),
                     corm.eq('quo"te', 5), corm.eq('semi;--', 6), corm.eq(repeat('n', 63), 7))), 1::bigint, '... in conditions');

SELECT * FROM finish();
ROLLBACK;
