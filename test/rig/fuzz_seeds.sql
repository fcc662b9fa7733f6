-- What test/rig/fuzz.sql damages.
SET client_min_messages = error;
CREATE SCHEMA fuzz;
SET search_path = fuzz, public;
CREATE TABLE t (id int PRIMARY KEY, name text, at date, doc jsonb, tags text[], parent_id int REFERENCES t);
INSERT INTO t VALUES (1, 'a', '2020-01-01', '{"a": 1}', '{x}', NULL), (2, 'b', NULL, NULL, NULL, 1), (3, 'b', '2020-02-01', '[]', '{}', 1);
SELECT corm.relate('t', 'parent', 'belongs_to', 't', '{parent_id}', '{id}'), corm.relate('t', 'children', 'has_many', 't', '{id}', '{parent_id}');
CREATE TABLE tagged (id int PRIMARY KEY, name text, title text, at timestamptz, deleted_at timestamptz, version int);
COMMENT ON COLUMN t.at IS '@orm:filterable=true';
CREATE TABLE seeds (target text, seed text);

CREATE VIEW queries AS SELECT q FROM unnest(ARRAY[
	corm.pipe(corm.selector('t'), corm.where(corm.eq('id', 1), corm.or(corm.like('name', 'x%'), corm.is_null('at')))),
	corm.pipe(corm.selector('t', 'a'), corm.select('id', corm.as(corm.add('id', 2), 'x')), corm.order_by('-id', 'name'), corm.limit(3)),
	corm.pipe(corm.selector('t'), corm.group_by('name'), corm.select('name', corm.filter_where(corm.count(), corm.gt('id', 1))),
		corm.having(corm.between('name', 'a', 'b'))),
	corm.pipe(corm.selector('t'), corm.join('t', corm.eq('t.id', corm.c('u.id')), 'u'), corm.where(corm.in('id', '{1,2}'))),
	corm.pipe(corm.selector('t'), corm.where(corm.in('id', corm.pipe(corm.selector('t', 's'), corm.select('id')))), corm.union(corm.selector('t'))),
	corm.pipe(corm.with('w', corm.selector('t')), corm.from_cte('w'), corm.distinct_on('id'), corm.offset(1), corm.for_update('nowait')),
	corm.pipe(corm.inserter('t'), corm.set('id', 1), corm.set('name', 'x'), corm.on_conflict('id'), corm.do_update('name'), corm.returning('id')),
	corm.pipe(corm.updater('t'), corm.set('name', corm.fn('upper', corm.c('name'))), corm.set('at', '2020-01-01'), corm.all_rows(), corm.max_rows(5)),
	corm.pipe(corm.deleter('t'), corm.where(corm.some(corm.pipe(corm.selector('t', 'v'), corm.where(corm.eq('v.id', corm.c('t.id'))))))),
	corm.raw_query('SELECT $1::int', 1),
	corm.pipe(corm.selector('t'), corm.select(corm.over(corm.sum('id'), ARRAY['name'], ARRAY['-id']), corm.case(corm.val(true), 1, 2),
		corm.coalesce(corm.c('name'), 'x'), corm.raw('$1 + id', 1), corm.cast('id', 'text'))),
	corm.pipe(corm.selector('t'), corm.preload('children', corm.limit(1), corm.order_by('-id')), corm.where(corm.eq('parent.name', 'a'))),
	corm.pipe(corm.selector('t'), corm.join('parent'), corm.where(corm.every('children', corm.gt('id', 1)), corm.none('children'))),
	corm.pipe(corm.selector('t'), corm.left_join('children'), corm.cached('1 s'), corm.unscoped(), corm.after(NULL)),
	corm.pipe(corm.inserter('t'), corm.rows('[{"id": 5, "name": "x"}, {"id": 6}]'), corm.on_conflict('id'), corm.do_select(), corm.returning('id'))
	]) q;
INSERT INTO seeds SELECT 'query', q::text FROM queries;
-- None with a bound value whose datum has an inside: no type of PostgreSQL checks that of a stored one.
INSERT INTO seeds SELECT 'binary', encode(corm_fuzz.bytes_of(q), 'hex') FROM queries WHERE q::text !~ 'json|interval|\[\]';
INSERT INTO seeds SELECT 'expr', e::text FROM unnest(ARRAY[
	corm.and(corm.eq('id', 1), corm.not(corm.in('name', '{a,b}'))), corm.between('at', '2020-01-01', '2021-01-01'),
	corm.some('children', corm.like('name', 'a%')), corm.contains('tags', '{x}'), corm.json_get('doc', 'a'),
	corm.case(corm.gt('id', 1), 'x', 'y'), corm.over(corm.count(), ARRAY['name'], ARRAY['-id']), corm.raw('id + $1', 1),
	corm.some(corm.pipe(corm.selector('t', 'u'), corm.where(corm.eq('u.id', corm.c('t.id'))))),
	corm.coalesce(corm.c('name'), 'x'), corm.fn('lower', corm.c('name')), corm.is_distinct_from('parent.name', 'x')]) e;
INSERT INTO seeds VALUES
	('filter', '{"where": {"id": {"gte": 1}, "or": [{"name": "a"}, {"children": {"some": {"name": {"like": "b%"}}}}]}, "order_by": ["-at", "id"]}'),
	('filter', '{"select": ["id", "name"], "limit": 10, "offset": 1, "preload": {"children": {"select": ["id"], "order_by": ["-id"], "limit": 1}}}'),
	('filter', '{"where": {"parent": {"is": {"at": {"between": ["2020-01-01", "2021-01-01"]}}}, "not": {"tags": {"contains": ["x"]}}}}'),
	('filter', '{"where": {"and": [{"parent.name": {"in": ["a", "b"]}}, {"doc": {"has_key": "a"}}, {"at": null}]}, "after": null, "order_by": ["name"]}'),
	('filter', '{"where": {"name": {"regex": "^a", "icontains": "A", "neq": "z"}, "children": {"every": {"id": {"is_not_null": true}}}}}'),
	('tag', '@orm:name=Title,unique,index=by_title,default=''no, title'',not_null'), ('tag', '@orm: read_only , filterable = false '),
	('tag', '@orm:name="say ""ver""",version'), ('tag', E'First line\n@orm:created_at\nlast line'), ('tag', 'x @orm:-'),
	('tag', '@orm:soft_delete=false'), ('tag', '@orm:default=greatest(1, 2),index'), ('tag', 'a comment of user@example.org @orm:updated_at'),
	('options', '{"name": "Person", "naming": "camel", "soft_delete": true, "version": "version"}'),
	('options', '{"naming": "pascal", "soft_delete": "deleted_at", "table": "fuzz.t"}'),
	('options', '{"fields": {"id": {"name": "version"}, "title": {"name": "id", "read_only": true, "filterable": false}}, "version": null}'),
	('options', '{"created_at": "at", "updated_at": "at", "key": ["id"], "hooks": false}'),
	('rows', '[{"id": 5, "name": "x", "at": "2020-01-01"}, {"id": 6, "doc": {"a": [1]}, "tags": ["a", "b"]}]'), ('rows', '[{"id": 7, "parent_id": 1}]'),
	('entries', '{"a": "x", "b": "1", "name": "true"}'),
	('raw', 'SELECT id, $1::int FROM t WHERE name = $2'), ('raw', 'id + $1 /* $2 */ -- $3'), ('raw', E'$a$ $1 $a$ || ''$2'' || "id" || E''\\''$1'''),
	('name', 'parent.name'), ('name', 'children.id'), ('name', '-id'), ('name', 't.name'), ('name', '"Id"'), ('name', 'parent.parent.at');
INSERT INTO seeds SELECT 'cursor', corm.page_json(corm.selector('t'), corm.order_by('name', '-at'), corm.limit(n)) #>> '{page_info,end_cursor}'
	FROM generate_series(1, 3) n;
INSERT INTO seeds SELECT 'cursor_inside', convert_from(decode(seed, 'base64'), 'UTF8') FROM seeds WHERE target = 'cursor';
