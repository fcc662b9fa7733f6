-- with_recursive and preload_tree, compared with SQL written by hand.
CREATE SCHEMA tr;
SET search_path = tr, corm_ops;
\set VERBOSITY terse
CREATE TABLE parts (id int PRIMARY KEY, parent_id int, name text NOT NULL, gone boolean NOT NULL DEFAULT false);
ALTER TABLE parts ADD CONSTRAINT parts_parent FOREIGN KEY (parent_id) REFERENCES parts;
COMMENT ON CONSTRAINT parts_parent ON parts IS '@orm:name=parent,inverse=children';
COMMENT ON COLUMN parts.gone IS '@orm:soft_delete';
CREATE TABLE notes (id int PRIMARY KEY, part_id int REFERENCES parts, body text);
INSERT INTO parts VALUES (1, NULL, 'car'), (2, 1, 'engine'), (3, 1, 'wheel'), (4, 2, 'piston'), (5, 2, 'valve'), (6, 5, 'spring'), (7, 1, 'ashtray'), (8, 7, 'lid'), (9, NULL, 'bike');
UPDATE parts SET gone = true WHERE id = 7;
INSERT INTO notes VALUES (1, 4, 'n1'), (2, 4, 'n2'), (3, 6, 'n3');
-- a circle, and a row that is its own parent
INSERT INTO parts VALUES (20, NULL, 'x'), (21, 20, 'y'), (22, 21, 'z'), (30, 30, 'self');
UPDATE parts SET parent_id = 22 WHERE id = 20;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(hint, ''));
END $$;

\echo with_recursive: down a tree, up from a leaf, with a depth and a path
SELECT corm.get_multi_json(
    corm.with_recursive('tree', corm.selector('parts') |> corm.where(corm.eq('id', 1)) |> corm.select('id', 'name', corm.as(corm.val(0), 'depth'), corm.as(corm.c('name'), 'path')),
        corm.selector('parts') |> corm.join_cte('tree', corm.eq('tree.id', corm.c('parts.parent_id'))) |> corm.select('id', 'name', corm.add('tree.depth', 1), corm.concat(corm.concat('tree.path', '/'), corm.c('parts.name')))),
    corm.from_cte('tree'), corm.order_by('path'))
    = (WITH RECURSIVE tree AS (SELECT id, name, 0 AS depth, name AS path FROM parts WHERE id = 1 AND NOT gone UNION ALL SELECT p.id, p.name, depth + 1, path || '/' || p.name FROM parts p JOIN tree ON tree.id = p.parent_id WHERE NOT gone)
       SELECT jsonb_agg(to_jsonb(tree) ORDER BY path) FROM tree) AS same;
SELECT corm.pluck(NULL::text, corm.with_recursive('up', corm.selector('parts') |> corm.where(corm.eq('id', 6)), corm.from_cte('up') |> corm.join('parts', corm.eq('p.id', corm.c('up.parent_id')), 'p') |> corm.select('p.*')), corm.from_cte('up'), corm.select('name'));
SELECT corm.to_sql(corm.with_recursive('up', corm.selector('parts') |> corm.where(corm.eq('id', 6)), corm.from_cte('up') |> corm.join('parts', corm.eq('p.id', corm.c('up.parent_id')), 'p') |> corm.select('p.*')), corm.from_cte('up'), corm.select('name'));
\echo UNION ends a circle; the choice is part of the plan
CREATE FUNCTION circle(keep boolean) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(v::text, ' ') FROM corm.pluck(NULL::int, corm.with_recursive('c', corm.selector('parts') |> corm.where(corm.eq('id', 20)) |> corm.select('id'),
        corm.from_cte('c') |> corm.join('parts', corm.eq('p.parent_id', corm.c('c.id')), 'p') |> corm.select('p.id'), keep), corm.from_cte('c'), corm.limit(7)) AS v $$;
SELECT circle(false) AS distinct, circle(true) AS all, circle(false) AS again;
\echo several, read by each other, by a join, in a subquery, in a page, with writes; rows of a type
SELECT corm.get_multi_json(corm.with('roots', corm.selector('parts') |> corm.where(corm.is_null('parent_id'))),
    corm.with_recursive('all_of', corm.from_cte('roots') |> corm.select('id', corm.as('id', 'root')), corm.selector('parts') |> corm.join_cte('all_of', corm.eq('all_of.id', corm.c('parts.parent_id'))) |> corm.select('id', 'all_of.root')),
    corm.from_cte('all_of'), corm.select('root', corm.as(corm.count(), 'n')), corm.group_by('root'), corm.order_by('root'));
SELECT corm.get_multi_json(corm.selector('notes'), corm.order_by('id'), corm.where(corm.in('part_id', corm.with_recursive('t', corm.selector('parts') |> corm.where(corm.eq('id', 5)),
    corm.selector('parts') |> corm.join_cte('t', corm.eq('t.id', corm.c('parts.parent_id')))), corm.from_cte('t'), corm.select('id'))));
SELECT corm.page_json(corm.with_recursive('t', corm.selector('parts') |> corm.where(corm.eq('id', 2)), corm.selector('parts') |> corm.join_cte('t', corm.eq('t.id', corm.c('parts.parent_id')))),
    corm.selector('parts'), corm.where(corm.in('id', corm.from_cte('t') |> corm.select('id'))), corm.select('id'), corm.limit(3), corm.with_total()) #- '{page_info,end_cursor}' #- '{page_info,start_cursor}';
SELECT corm.get_multi_json(corm.with_recursive('t', corm.selector('parts') |> corm.where(corm.eq('id', 2)), corm.selector('parts') |> corm.join_cte('t', corm.eq('t.id', corm.c('parts.parent_id')))),
    corm.updater('parts'), corm.set('name', corm.fn('upper', corm.c('name'))), corm.where(corm.in('id', corm.from_cte('t') |> corm.select('id'))), corm.returning('id', 'name'));
SELECT id, name FROM corm.get_multi(NULL::parts, corm.with_recursive('t', corm.selector('parts') |> corm.where(corm.eq('id', 5)), corm.selector('parts') |> corm.join_cte('t', corm.eq('t.id', corm.c('parts.parent_id')))), corm.from_cte('t'), corm.order_by('-id'));
\echo guards hold in both parts
SELECT corm.pluck(NULL::int, corm.guard('parts', corm.lt('id', 6)), corm.with_recursive('t', corm.selector('parts') |> corm.where(corm.in('id', 1, 9)), corm.selector('parts') |> corm.join_cte('t', corm.eq('t.id', corm.c('parts.parent_id')))), corm.from_cte('t'), corm.select('id'), corm.order_by('id'));
\echo errors
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT corm.get_multi_json(corm.with_recursive('t', corm.from_cte('t'), corm.selector('parts')), corm.from_cte('t'))$$, $$SELECT corm.get_multi_json(corm.with_recursive('t', corm.selector('parts'), corm.selector('parts'), NULL), corm.from_cte('t'))$$,
    $$SELECT corm.get_multi_json(corm.with_recursive('t', corm.selector('parts'), corm.deleter('parts') |> corm.all_rows() |> corm.returning()), corm.from_cte('t'))$$, $$SELECT corm.get_multi_json(corm.with_recursive('t', corm.updater('parts') |> corm.set('name', 'x') |> corm.all_rows() |> corm.returning(), corm.from_cte('t')), corm.from_cte('t'))$$,
    $$SELECT corm.get_multi_json(corm.with_recursive('t', corm.selector('parts') |> corm.select('id'), corm.from_cte('t') |> corm.where(corm.eq('name', 'x'))), corm.from_cte('t'))$$, $$SELECT corm.get_multi_json(corm.with_recursive('t', corm.selector('parts') |> corm.select('id'), corm.from_cte('t') |> corm.select('id', 'id')), corm.from_cte('t'))$$,
    $$SELECT corm.get_multi_json(corm.with('t', corm.selector('parts')), corm.selector('parts'), corm.where(corm.in('id', corm.with_recursive('t', corm.from_cte('t'), corm.selector('parts')), corm.from_cte('t'), corm.select('id'))))$$,
    $$SELECT corm.define_scope('parts', 's', corm.with_recursive('t', corm.selector('parts'), corm.selector('parts')))$$, $$SELECT corm.with_recursive(NULL, corm.selector('parts'), corm.selector('parts'))$$, $$SELECT corm.with_recursive('t', NULL::corm.query, corm.selector('parts'))$$]) AS s;
SELECT q, q::text::corm.query::text = q::text AS same FROM corm.with_recursive('t', corm.where(corm.eq('a', 1)), corm.limit(1), false) AS q;

\echo preload_tree: to the depth, without deleted rows, no row below itself
SELECT jsonb_pretty(corm.get_multi_json(corm.selector('parts'), corm.where(corm.eq('id', 1)), corm.select('name'), corm.preload_tree('children', 10, corm.select('name'), corm.order_by('name'))));
SELECT corm.get_multi_json(corm.selector('parts'), corm.where(corm.eq('id', 1)), corm.select('id'), corm.preload_tree('children', 1, corm.select('id'), corm.order_by('id'))) AS one,
       corm.get_multi_json(corm.selector('parts'), corm.where(corm.eq('id', 1)), corm.select('id'), corm.preload_tree('children', 2, corm.select('id'), corm.order_by('id'))) AS two;
SELECT corm.get_multi_json(corm.selector('parts'), corm.where(corm.in('id', 20, 30)), corm.select('id'), corm.preload_tree('children', 5, corm.select('id')), corm.order_by('id'));
\echo up, by a relation to one; filters, limits and more preloads at each level; beside other preloads; below one
SELECT corm.get_multi_json(corm.selector('parts'), corm.where(corm.in('id', 6, 20)), corm.select('name'), corm.preload_tree('parent', 4, corm.select('name')), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('parts'), corm.where(corm.eq('id', 1)), corm.select('id'), corm.preload_tree('children', 3, corm.select('id'), corm.order_by('-id'), corm.limit(1), corm.preload('notes', corm.select('body')), corm.where(corm.neq('name', 'wheel'))), corm.preload('notes'));
SELECT corm.get_multi_json(corm.selector('notes'), corm.where(corm.eq('id', 3)), corm.select('id'), corm.preload('part', corm.select('name'), corm.preload_tree('parent', 5, corm.select('name'))));
SELECT corm.page_json(corm.selector('parts'), corm.select('id', corm.as(corm.count_of('children'), 'n')), corm.preload_tree('children', 2, corm.select('id', corm.as(corm.count_of('children'), 'n')), corm.order_by('id')), corm.order_by('-n'), corm.limit(1)) -> 'rows';
CREATE TYPE part_tree AS (id int, children jsonb);
SELECT * FROM corm.get_multi(NULL::part_tree, corm.selector('parts'), corm.where(corm.eq('id', 5)), corm.preload_tree('children', 2, corm.select('id')));
\echo many to many, keys of two columns, a view without a key
CREATE TABLE people (ten int, id int, name text, PRIMARY KEY (ten, id));
CREATE TABLE knows (ten int, a int, b int, PRIMARY KEY (ten, a, b), CONSTRAINT ka FOREIGN KEY (ten, a) REFERENCES people, CONSTRAINT kb FOREIGN KEY (ten, b) REFERENCES people);
INSERT INTO people VALUES (1, 1, 'a'), (1, 2, 'b'), (1, 3, 'c'), (2, 1, 'other');
INSERT INTO knows VALUES (1, 1, 2), (1, 2, 3), (1, 3, 1), (1, 2, 1);
SELECT corm.relate('people', 'friends', 'many_to_many', 'people', '{ten,id}', '{ten,id}', 'knows', '{ten,a}', '{ten,b}');
SELECT corm.get_multi_json(corm.selector('people'), corm.where(corm.eq('ten', 1), corm.eq('id', 1)), corm.select('name'), corm.preload_tree('friends', 5, corm.select('name'), corm.order_by('name')));
CREATE VIEW seen AS SELECT id, parent_id FROM parts;
SELECT corm.relate('seen', 'kids', 'has_many', 'seen', '{id}', '{parent_id}');
\echo the depth is part of the plan; text form; errors
SELECT d, corm.get_json(corm.selector('parts'), corm.where(corm.eq('id', 1)), corm.select('id'), corm.preload_tree('children', d, corm.select('id'), corm.where(corm.in('id', 2, 5, 6)))) FROM unnest(ARRAY[1, 3, 1]) AS d;
SELECT q, q::text::corm.query::text = q::text AS same FROM unnest(ARRAY[corm.preload_tree('a'), corm.preload_tree('a', 3), corm.preload_tree('a', max_depth => 2), corm.preload_tree('a', 3, corm.limit(1), corm.order_by('b'))]) AS q;
SELECT corm.get_json('[{"selector": "tr.parts"}, {"select": ["id"]}, {"where": [{"eq": ["id", 5]}]}, {"preload_tree": ["children", 1, {"select": ["id"]}]}]');
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT corm.get_json(corm.selector('parts'), corm.preload_tree('notes'))$$, $$SELECT corm.get_json(corm.selector('parts'), corm.preload_tree('nope'))$$, $$SELECT corm.get_json(corm.selector('parts'), corm.preload_tree('children', 0))$$, $$SELECT corm.get_json(corm.selector('parts'), corm.preload_tree('children', 33))$$,
    $$SELECT corm.preload_tree('children', -1)$$, $$SELECT corm.preload_tree('children', NULL)$$, $$SELECT corm.get_json(corm.selector('parts'), corm.preload('children'), corm.preload_tree('children'))$$, $$SELECT corm.get_json(corm.selector('parts'), corm.preload_tree('children', 2, corm.preload('children')))$$,
    $$SELECT corm.get_json(corm.selector('seen'), corm.preload_tree('kids'))$$, $$SELECT corm.get_json(corm.from_query(corm.selector('parts'), 'q'), corm.preload_tree('children'))$$, $$SELECT corm.get_json(corm.selector('parts'), corm.preload_tree('children', 2, corm.union(corm.selector('parts'))))$$,
    $$SELECT corm.exec(corm.deleter('parts'), corm.all_rows(), corm.preload_tree('children'))$$, $$SELECT '[{"preload_tree": ["a", "2"]}]'::corm.query$$, $$SELECT '[{"preload_tree": ["a", -2]}]'::corm.query$$, $$SELECT '[{"preload_tree": ["a", 1.5]}]'::corm.query$$]) AS s;
-- deep, and fast enough: no JIT for what the planner takes to be much
SELECT corm.value(NULL::int, corm.selector('parts'), corm.select(corm.count()), corm.where(corm.eq('id', 1))), length(corm.get_json(corm.selector('parts'), corm.where(corm.eq('id', 1)), corm.select('id'), corm.preload_tree('children', 32, corm.select('id')))::text) AS length;
SET client_min_messages = warning;
DROP SCHEMA tr CASCADE;
