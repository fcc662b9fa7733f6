--
-- Array fields: lists of arrays, and comparisons that mean the elements
--
CREATE SCHEMA arrays;
SET search_path = arrays;
CREATE DOMAIN arrays.marks AS text[] CHECK (cardinality(VALUE) < 4);
CREATE TABLE posts (id int PRIMARY KEY, tags text[], nums bigint[], days date[], marks marks, n int);
INSERT INTO posts VALUES (1, '{a,b}', '{1,2}', '{2026-01-01}', '{x}', 1), (2, '{c}', '{3}', '{}', '{y,z}', 2), (3, '{"d e",NULL}', '{}', NULL, NULL, 3),
	(4, NULL, NULL, NULL, NULL, 4);
CREATE FUNCTION ids(VARIADIC conditions corm.expr[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text; context text;
BEGIN
	RETURN (SELECT string_agg(id::text, ' ' ORDER BY id) FROM corm.get_multi(NULL::posts, corm.where(VARIADIC conditions)));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(' / ', state, message, nullif(detail, ''), nullif(hint, ''), substring(context from 'value for field[^\n]*'));
END $$;
\t on

\echo a list of arrays: one by one, as texts in an array, in a row, of a query, none
SELECT ids(corm.in('tags', '{a,b}', '{"d e",NULL}'));
SELECT ids(corm.in('tags', ARRAY['a', 'b'], ARRAY['c']));
SELECT ids(corm.in('tags', ARRAY['{c}', NULL]));
SELECT ids(corm.in('tags', '{"{a,b}","{c}"}'));
SELECT ids(corm.in('tags', ROW(ARRAY['a', 'b'], '{c}'::text[])));
SELECT ids(corm.in('nums', '{3}', '{}'));
SELECT ids(corm.in('nums', ARRAY[1, 2]::bigint[], ARRAY[3]::bigint[]));
SELECT ids(corm.in('nums', ARRAY[1, 2], ARRAY[3]));
SELECT ids(corm.in('days', '{2026-01-01}', '{2026-01-02}'));
SELECT ids(corm.in('marks', '{x}', '{y,z}'));
SELECT ids(corm.in('nums', corm.selector('posts'), corm.select('nums')));
SELECT ids(corm.in('nums')), ids(corm.not_in('nums')), ids(corm.in('tags', '{}'::text[])), ids(corm.not_in('tags', '{}'::text[]));
SELECT ids(corm.not_in('tags', '{a,b}', '{c}'));
SELECT ids(corm.not_in('tags', ARRAY['{c}', NULL])), ids(corm.in('tags', NULL)), ids(corm.in('nums', NULL::bigint[])), ids(corm.not_in('nums', NULL::bigint[]));
SELECT ids(corm.in('tags', '{a,b}', '{c}'), corm.in('nums', '{3}', '{4}'), corm.in('marks', '{y,z}', '{}'));
PREPARE listed AS SELECT string_agg(id::text, ' ' ORDER BY id) FROM corm.get_multi(NULL::posts, corm.where(corm.in('tags', $1, $2)));
EXECUTE listed('{c}', '{a,b}');
SELECT corm.count(corm.selector('posts'), corm.where(corm.in('nums', VARIADIC (SELECT array_agg(format('{%s}', i)) FROM generate_series(1, 10000) AS i))));
SELECT corm.to_sql(corm.selector('posts'), corm.select('id'), corm.where(corm.not_in('tags', '{a}', '{b}')));
SELECT corm.exec(corm.updater('posts'), corm.set('n', 0), corm.where(corm.in('tags', '{c}', '{d}')));

\echo elements where arrays are meant
SELECT ids(corm.in('tags', 'a', 'b'));
SELECT ids(corm.in('tags', ARRAY['a', 'b']));
SELECT ids(corm.in('nums', '{1}', '{one}'));
SELECT ids(corm.in('nums', 1, 2));
SELECT ids(corm.not_in('nums', ARRAY[1, 2]));
SELECT ids(corm.eq('tags', 'a'));
SELECT ids(corm.eq('nums', 1));
SELECT ids(corm.neq('nums', 1::bigint));
SELECT ids(corm.gt('nums', 1));
SELECT ids(corm.between('nums', '{1}', 2));
SELECT ids(corm.between('tags', 'a', 'b'));
SELECT ids(corm.contains('tags', 'a'));
SELECT ids(corm.contains('nums', 1));
SELECT ids(corm.overlaps('nums', 1));
SELECT ids(corm.is_distinct_from('nums', 1));
SELECT ids(corm.any_of('a', 'tags')), ids(corm.any_of(1, 'nums')), ids(corm.overlaps('tags', ARRAY['a', 'c'])), ids(corm.between('nums', '{1}', '{2}'));
SELECT ids(corm.any_of(1, 'n'));

\echo patterns
SELECT ids(corm.like('tags', 'a%'));
SELECT ids(corm.not_like('tags', 'a%'));
SELECT ids(corm.ilike('marks', 'a%'));
SELECT ids(corm.regex('tags', '^a'));
SELECT ids(corm.iregex('tags', '^a'));
SELECT ids(corm.starts_with('tags', 'a'));
SELECT ids(corm.ends_with('tags', 'a'));
SELECT ids(corm.icontains('tags', 'a'));
SELECT ids(corm.has_key('tags', 'a'));

\echo a filter takes elements
SELECT corm.get_multi_json(corm.selector('posts'), corm.select('id'), corm.filter('{"where": {"tags": {"contains": "a"}}}'));
SELECT corm.get_multi_json(corm.selector('posts'), corm.select('id'), corm.filter('{"where": {"nums": {"contains": [1]}}}'));
SELECT corm.get_multi_json(corm.selector('posts'), corm.filter('{"where": {"tags": {"in": ["a"]}}}'));
SELECT corm.get_multi_json(corm.selector('posts'), corm.filter('{"where": {"tags": {"eq": "a"}}}'));

\t off
SET client_min_messages = warning;
DROP SCHEMA arrays CASCADE;
