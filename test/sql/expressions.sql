-- Expressions: the SQL that each becomes, and what it finds.
SET client_min_messages = warning;
CREATE TABLE people (
    id int PRIMARY KEY,
    name text,
    code varchar(10),
    age int,
    big bigint,
    price numeric(8,2),
    ratio float8,
    born date,
    seen timestamptz,
    active bool,
    tags text[],
    nums int[],
    doc jsonb,
    span int4range,
    words tsvector
);
INSERT INTO people VALUES
    (1, 'Ann', 'A_1', 30, 3000000000, 9.99, 0.5, '1990-01-02', '2020-01-01 00:00+00', true,
     '{red,blue}', '{1,2,3}', '{"a": {"b": "x"}, "n": 1}', '[1,10)', to_tsvector('simple', 'quick fox')),
    (2, 'bob', 'B%2', 20, 5, 1.50, 1.5, '2000-01-02', '2021-01-01 00:00+00', false,
     '{green}', '{4}', '{"a": null}', '[10,20)', to_tsvector('simple', 'lazy dog')),
    (3, 'Cy\d', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'ANNA', 'A51', 40, 6, 100, 'NaN', '1980-01-02', '2019-01-01 00:00+00', true,
     '{}', '{}', '[1, 2]', 'empty', to_tsvector('simple', 'quick dog'));

-- The condition that becomes of an expression, its values, and the rows that satisfy it.
CREATE FUNCTION t(e corm.expr) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    q corm.query := corm.pipe(corm.selector('people'), corm.select('id'), corm.where(e));
BEGIN
    RETURN format('%s  %s  ids %s',
        substring(corm.to_sql(q) FROM 'WHERE (.*)$'), corm.args(q),
        ARRAY(SELECT corm.pluck(NULL::int, q, corm.order_by('id'))));
END $$;
-- The same of an expression that is selected.
CREATE FUNCTION s(e corm.expr) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    q corm.query := corm.pipe(corm.selector('people'), corm.select(corm.as(e, 'x')));
BEGIN
    RETURN format('%s  %s', substring(corm.to_sql(q) FROM 'SELECT (.*) AS x FROM'),
        corm.get_multi_json(q) -> 0 -> 'x');
END $$;
-- The error of a statement.
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
    context text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RETURN concat_ws(E'\n  ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, ''),
        substring(context FROM 'value for field [^\n]*'));
END $$;
\pset format unaligned
\pset tuples_only on

-- Comparison, by field name and by expr
SELECT t(corm.eq('age', 30));
SELECT t(corm.eq(corm.c('age'), 30));
SELECT t(corm.eq('people.age', 30));
SELECT t(corm.eq('Age', 30));
SELECT t(corm.neq('age', 30));
SELECT t(corm.lt('age', 30));
SELECT t(corm.lte('age', 30));
SELECT t(corm.gt('age', 30));
SELECT t(corm.gte('age', 30));
SELECT t(corm.eq('age', corm.c('id')));
SELECT t(corm.gt(corm.val(25), corm.c('age')));
SELECT t(corm.eq('big', 5));
SELECT t(corm.eq('price', 1.5));
SELECT t(corm.between('age', 20, 30));
SELECT t(corm.and(corm.between('age', 20, 30), corm.between('id', corm.val(1), corm.c('age'))));
SELECT t(corm.between('born', '1985-01-01', '1995-01-01'));
SELECT t(corm.is_distinct_from('age', 30));
SELECT t(corm.is_distinct_from('age', corm.c('id')));
SELECT t(corm.is_distinct_from('code', 'A51'));

-- NULL
SELECT t(corm.eq('age', NULL::int));
SELECT t(corm.eq('age', NULL));
SELECT t(corm.neq('age', NULL::int));
SELECT t(corm.neq('name', NULL::text));
SELECT t(corm.lt('age', NULL::int));
SELECT t(corm.is_distinct_from('age', NULL::int));
SELECT t(corm.is_null('age'));
SELECT t(corm.is_not_null('age'));
SELECT t(corm.is_null(corm.add('age', 1)));
SELECT t(corm.in('age', NULL::int[]));
SELECT t(corm.in('age', ARRAY[20, NULL]));
SELECT t(corm.not_in('age', ARRAY[20, NULL]));
SELECT t(corm.between('age', NULL::int, 3));
SELECT t(corm.like('name', NULL));
SELECT t(corm.contains('name', NULL::text));

-- Empty lists
SELECT t(corm.in('age', '{}'::int[]));
SELECT t(corm.in('age', '{}'));
SELECT t(corm.in('name', '{}'::text[]));
SELECT t(corm.not_in('age', '{}'::int[]));
SELECT t(corm.and());
SELECT t(corm.or());
SELECT t(corm.not(corm.or()));
SELECT t(corm.and(VARIADIC '{}'::corm.expr[]));
SELECT t(corm.or(VARIADIC '{}'::corm.expr[]));

-- Logic and parentheses
SELECT t(corm.and(corm.eq('id', 1), corm.eq('age', 30)));
SELECT t(corm.or(corm.eq('id', 1), corm.eq('id', 2)));
SELECT t(corm.and(corm.or(corm.eq('id', 1), corm.eq('id', 2)), corm.or(corm.eq('id', 2), corm.eq('id', 3))));
SELECT t(corm.not(corm.or(corm.eq('id', 1), corm.not(corm.eq('id', 2)))));
SELECT t(corm.eq(corm.eq('id', 1), corm.eq('age', 30)));
SELECT t(corm.not(corm.is_null('age')));
SELECT t(corm.c('active'));
SELECT t(corm.val(true));
SELECT t(corm.eq(corm.mul(corm.add('id', 1), 2), 6));
SELECT t(corm.eq(corm.add('id', corm.mul(corm.val(2), 2)), 6));
SELECT t(corm.eq(corm.sub(corm.c('age'), corm.sub(corm.c('age'), corm.c('id'))), 2));

-- Text
SELECT t(corm.like('name', 'A%'));
SELECT t(corm.not_like('name', 'A%'));
SELECT t(corm.ilike('name', 'a%'));
SELECT t(corm.not_ilike('name', 'a%'));
SELECT t(corm.regex('name', '^[AC]'));
SELECT t(corm.iregex('name', '^[ab]'));
SELECT t(corm.starts_with('name', 'An'));
SELECT t(corm.ends_with('name', 'nn'));
SELECT t(corm.contains('name', 'n'));
SELECT t(corm.icontains('name', 'NN'));
SELECT t(corm.contains('name', '\'));
SELECT t(corm.starts_with('code', 'A_'));
SELECT t(corm.contains('code', '%'));
SELECT t(corm.ends_with('code', '_1'));
SELECT t(corm.contains('name', ''));
SELECT t(corm.starts_with('name', corm.fn('upper', corm.c('name'))));
SELECT t(corm.ends_with('name', corm.c('name')));
SELECT t(corm.contains('name', corm.fn('lower', corm.c('name'))));
SELECT t(corm.icontains('name', corm.fn('lower', corm.c('name'))));
SELECT t(corm.eq('name', $$'; DROP TABLE people --$$));
SELECT t(corm.eq('name', $$Cy\d$$));

-- Arrays, ranges, jsonb, full text
SELECT t(corm.contains('tags', ARRAY['red']));
SELECT t(corm.contains('tags', '{red}'));
SELECT t(corm.contains('nums', ARRAY[1, 2]));
SELECT t(corm.contains('nums', ARRAY['1', '2']));
SELECT t(corm.contains('span', 5));
SELECT t(corm.contains('span', '[2,3)'::int4range));
SELECT t(corm.contains('doc', '{"n": 1}'));
SELECT t(corm.contains('doc', '{"n": 1}'::jsonb));
SELECT t(corm.superset('tags', ARRAY['red']));
SELECT t(corm.subset('tags', ARRAY['red', 'blue', 'green']));
SELECT t(corm.subset('span', '[0,100)'));
SELECT t(corm.overlaps('nums', ARRAY[3, 4]));
SELECT t(corm.overlaps('span', '[9,10]'::int4range));
SELECT t(corm.overlaps('tags', '{green,red}'));
SELECT t(corm.has_key('doc', 'a'));
SELECT t(corm.matches('words', 'quick & dog'::tsquery));
SELECT t(corm.matches('words', 'quick'));
SELECT t(corm.eq(corm.json_get_text('doc', 'n'), '1'));
SELECT t(corm.eq(corm.json_get('doc', 'n'), '1'));
SELECT t(corm.eq(corm.json_get('doc', 1), '2'));
SELECT t(corm.eq(corm.json_path_text('doc', ARRAY['a', 'b']), 'x'));
SELECT t(corm.eq(corm.json_path_text('doc', '{a,b}'), 'x'));
SELECT t(corm.eq(corm.json_get_text(corm.json_get('doc', 'a'), 'b'), 'x'));

-- In
SELECT t(corm.in('age', ARRAY[20, 30]));
SELECT t(corm.in('age', ARRAY['20', '30']));
SELECT t(corm.in('age', '{20,30}'));
SELECT t(corm.in('name', ARRAY['Ann', 'bob']));
SELECT t(corm.in('born', ARRAY['1990-01-02']));
SELECT t(corm.not_in('age', ARRAY[20, 30]));
SELECT t(corm.in('id', corm.pipe(corm.selector('people', 'p'), corm.select('id'), corm.where(corm.eq('active', true)))));
SELECT t(corm.not_in('id', corm.pipe(corm.selector('people', 'p'), corm.select('id'), corm.where(corm.eq('active', true)))));

-- Subqueries
SELECT t(corm.eq('age', corm.pipe(corm.selector('people', 'p'), corm.select(corm.max('age')))));
SELECT t(corm.some(corm.pipe(corm.selector('people', 'p'), corm.where(corm.gt('p.age', corm.c('people.age'))))));
SELECT t(corm.none(corm.pipe(corm.selector('people', 'p'), corm.where(corm.gt('p.age', corm.c('people.age'))))));

-- What can be selected
SELECT s(corm.c('name'));
SELECT s(corm.val(1));
SELECT s(corm.val('text'));
SELECT s(corm.val(NULL::int));
SELECT s(corm.add('age', 1));
SELECT s(corm.sub('age', 1));
SELECT s(corm.mul('age', 2));
SELECT s(corm.div('age', 7));
SELECT s(corm.mod('age', 7));
SELECT s(corm.add('born', 1));
SELECT s(corm.add('age', '1'));
SELECT s(corm.concat('name', '!'));
SELECT s(corm.concat('tags', ARRAY['new']));
SELECT s(corm.concat('doc', '{"k": 2}'::jsonb));
SELECT s(corm.fn('upper', corm.c('name')));
SELECT s(corm.fn('pg_catalog.upper', corm.c('name')));
SELECT s(corm.fn('replace', corm.c('name'), 'A', 'B'));
SELECT s(corm.fn('pi'));
SELECT s(corm.cast('age', 'text'));
SELECT s(corm.cast(corm.val('17'), 'int'));
SELECT s(corm.case(corm.gt('age', 25), 'old', 'young'));
SELECT s(corm.case(corm.gt('age', 25), 'old', corm.lt('age', 25), 'young'));
SELECT s(corm.coalesce(corm.val(NULL::text), corm.c('name'), 'none'));
SELECT s(corm.coalesce(corm.c('age'), 0));
SELECT s(corm.raw('age + $1', 5));
SELECT s(corm.raw('$2 || $1 || ''$1'' -- a comment', corm.c('name'), 'x'));
SELECT s(corm.raw('age'));
SELECT s(corm.eq('id', 1));

-- Aggregates and windows
SELECT s(corm.count());
SELECT s(corm.count('age'));
SELECT s(corm.count(corm.c('age')));
SELECT s(corm.count_distinct('active'));
SELECT s(corm.sum('age'));
SELECT s(corm.avg('age'));
SELECT s(corm.min('age'));
SELECT s(corm.max(corm.add('age', 1)));
SELECT s(corm.array_agg('id'));
SELECT s(corm.json_agg('id'));
SELECT s(corm.bool_and('active'));
SELECT s(corm.bool_or('active'));
SELECT s(corm.string_agg('name', ', '));
SELECT s(corm.string_agg('id', ','));
SELECT s(corm.filter_where(corm.count(), corm.gt('age', 25)));
SELECT s(corm.over(corm.fn('row_number'), NULL, ARRAY['-id']));
SELECT s(corm.over(corm.sum('age'), ARRAY['active'], ARRAY['id']));
SELECT s(corm.over(corm.count()));
SELECT s(corm.over(corm.filter_where(corm.count(), corm.gt('age', 25)), ARRAY['active']));

-- Operators
SET search_path = public, corm_ops;
SELECT t(corm.c('age') = 30);
SELECT t(corm.c('age') <> 30);
SELECT t(corm.c('age') < 30);
SELECT t(corm.c('age') <= 30);
SELECT t(corm.c('age') > 30);
SELECT t(corm.c('age') >= 30);
SELECT t(corm.c('age') = '30');
SELECT t(corm.c('age') = NULL::int);
SELECT t(corm.c('name') ~~ 'A%');
SELECT t(corm.c('name') LIKE 'A%');
SELECT t(corm.c('name') NOT LIKE 'A%');
SELECT t(corm.c('name') ILIKE 'a%');
SELECT t(corm.c('name') !~~* 'a%');
SELECT t(corm.c('name') ~ '^A');
SELECT t(corm.c('name') ~* '^a');
SELECT t(corm.c('tags') @> ARRAY['red']);
SELECT t(corm.c('tags') <@ '{red,blue}');
SELECT t(corm.c('doc') ? 'a');
SELECT t(corm.c('nums') && ARRAY[4]);
SELECT t((corm.c('age') = 30) & (corm.c('id') = 1));
SELECT t((corm.c('age') = 30) | (corm.c('id') = 2));
SELECT t(!!(corm.c('age') = 30));
SELECT t(!!corm.c('active') & (corm.c('id') > 1));
SELECT t(corm.c('age') + 1 = 31);
SELECT t(corm.c('age') - 1 = 29);
SELECT t(corm.c('age') * 2 / 3 = 20);
SELECT t(corm.c('age') % 7 = 2);
SELECT t(corm.c('name') || 'x' = 'Annx');
SELECT t((corm.c('doc') -> 'a' ->> 'b') = 'x');
SELECT t(corm.c('doc') #>> '{a,b}' = 'x');
SELECT t(corm.c('age') = corm.selector('people', 'p') |> corm.select(corm.max('age')));
RESET search_path;

-- What is refused
SELECT refused($$SELECT t(corm.eq('agee', 30))$$);
SELECT refused($$SELECT t(corm.eq('id; drop', 30))$$);
SELECT refused($$SELECT t(corm.eq('', 30))$$);
SELECT refused($$SELECT t(corm.eq(NULL::text, 30))$$);
SELECT refused($$SELECT t(corm.eq(NULL::corm.expr, 30))$$);
SELECT refused($$SELECT t(corm.eq('age', NULL::corm.expr))$$);
SELECT refused($$SELECT t(corm.eq('age', NULL::corm.query))$$);
SELECT refused($$SELECT t(corm.and(NULL::corm.expr))$$);
SELECT refused($$SELECT t(corm.and(VARIADIC NULL::corm.expr[]))$$);
SELECT refused($$SELECT t(corm.eq('age', 'thirty'))$$);
SELECT refused($$SELECT t(corm.in('age', ARRAY['20', 'x']))$$);
SELECT refused($$SELECT t(corm.in('age', 'x'))$$);
SELECT refused($$SELECT t(corm.eq('age', ARRAY['1']))$$);
SELECT refused($$SELECT t(corm.eq('born', 'someday'))$$);
SELECT refused($$SELECT t(corm.contains('age', 'x'))$$);
SELECT refused($$SELECT t(corm.eq('age', ROW(1, 2)))$$);
SELECT refused($$SELECT t(corm.eq('age', true))$$);
SELECT refused($$SELECT t(corm.raw('1; SELECT 2'))$$);
SELECT refused($$SELECT t(corm.raw('1) OR (1=1'))$$);
SELECT refused($$SELECT t(corm.raw('1, 2'))$$);
SELECT refused($$SELECT t(corm.raw('id FROM people'))$$);
SELECT refused($$SELECT t(corm.raw(''))$$);
SELECT refused($$SELECT t(corm.raw('id = $2', 1))$$);
SELECT refused($$SELECT t(corm.raw('id = $0', 1))$$);
SELECT refused($$SELECT t(corm.raw('id = $4000', 1))$$);
SELECT refused($$SELECT t(corm.raw('id /* open'))$$);
SELECT refused($$SELECT t(corm.raw(NULL))$$);
SELECT refused($$SELECT s(corm.case(corm.eq('id', 1)))$$);
SELECT refused($$SELECT s(corm.fn('no_such_function', 1))$$);
SELECT refused($$SELECT s(corm.fn('upper; drop', 1))$$);
SELECT refused($$SELECT s(corm.fn('upper(1), lower', 1))$$);
SELECT refused($$SELECT s(corm.cast('age', 0::regtype))$$);
SELECT refused($$SELECT s(corm.cast('age', 999999::regtype))$$);
SELECT refused($$SELECT s(corm.cast('name', 'int'))$$);
SELECT refused($$SELECT s(corm.excluded('age'))$$);
SELECT refused($$SELECT s(corm.string_agg('name', NULL))$$);
SELECT refused($$SELECT s(corm.over(corm.sum('age'), ARRAY['nope']))$$);
SELECT refused($$SELECT t(corm.eq(corm.sum('age'), 1))$$);
SELECT refused($$SELECT t(corm.in('id', corm.pipe(corm.deleter('people'), corm.all_rows())))$$);
SELECT refused($$SELECT corm.eq(1, 2)$$);
SELECT refused($$SELECT corm.where(true)$$);
SELECT refused($$SELECT corm.as('name', '')$$);
SELECT refused($$SELECT s(corm.as('name', repeat('x', 100)))$$);

DROP FUNCTION t(corm.expr);
DROP FUNCTION s(corm.expr);
DROP FUNCTION refused(text);
DROP TABLE people;
