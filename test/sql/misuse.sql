-- Mistakes of clients are errors of filters, and those of developers say what to write
CREATE SCHEMA misuse;
SET search_path = misuse;

CREATE TABLE person (id int PRIMARY KEY, name text, age int, secret text);
COMMENT ON COLUMN person.secret IS '@orm:hidden';
CREATE TABLE orders (id int PRIMARY KEY, person_id int REFERENCES person, amount int);
INSERT INTO person SELECT i, 'n' || i, i % 3, 's' || i FROM generate_series(1, 6) i;
INSERT INTO orders SELECT i, i % 3 + 1, i FROM generate_series(1, 9) i;
CREATE FUNCTION attempt(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
	hint text;
BEGIN
	EXECUTE sql INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
\t on

-- A filter on rows that are groups, or distinct
SELECT attempt(format('SELECT corm.get_multi_json(corm.selector(''person''), %s, corm.filter(%L))', clauses, filter))
FROM (VALUES
	($$corm.select('age', corm.count()), corm.group_by('age')$$, '{"order_by": ["name"]}'),
	($$corm.select('age', corm.count()), corm.group_by('age')$$, '{"order_by": ["-name"]}'),
	($$corm.select('age', corm.count()), corm.group_by('age')$$, '{"select": ["name"]}'),
	($$corm.select('age', corm.count()), corm.group_by('age')$$, '{"order_by": ["-age"], "select": ["age"]}'),
	($$corm.select('age', corm.as(corm.count(), 'n')), corm.group_by('age')$$, '{"order_by": ["-n", "age"]}'),
	($$corm.select('id', corm.count()), corm.group_by('id')$$, '{"order_by": ["-name"], "limit": 1}'),
	($$corm.select(corm.count())$$, '{"order_by": ["name"]}'),
	($$corm.select(corm.as(corm.over(corm.sum('id')), 'n'))$$, '{"order_by": ["-name"], "limit": 1}'),
	($$corm.select(corm.as(corm.over(corm.sum(corm.sum('id'))), 'n'))$$, '{"order_by": ["name"]}'),
	($$corm.select(corm.as(corm.count_of('orders'), 'n'))$$, '{"order_by": ["-n", "name"], "limit": 1}'),
	($$corm.select('age'), corm.having(corm.gt(corm.count(), 0))$$, '{"select": ["age"]}'),
	($$corm.select('age'), corm.distinct()$$, '{"order_by": ["name"]}'),
	($$corm.select('age'), corm.distinct()$$, '{"order_by": ["-age"]}'),
	($$corm.select('age'), corm.distinct()$$, '{"select": ["name"], "order_by": ["-name"], "limit": 1}'),
	($$corm.distinct()$$, '{"order_by": ["-name"], "limit": 1}'),
	($$corm.select('age', 'name'), corm.distinct_on('age')$$, '{"order_by": ["name"]}'),
	($$corm.select('age', 'name'), corm.distinct_on('age')$$, '{"order_by": ["name", "age"]}'),
	($$corm.select('age', 'name'), corm.distinct_on('age')$$, '{"order_by": ["-age", "-name"]}'),
	($$corm.select('age', 'name'), corm.distinct_on('age'), corm.order_by('age')$$, '{"order_by": ["name"]}'),
	($$corm.select('age', 'name'), corm.distinct_on('age', 'name')$$, '{"order_by": ["name", "id"]}'),
	($$corm.select('age', 'name'), corm.distinct_on(corm.c('age') OPERATOR(corm_ops.%) 2), corm.order_by(corm.c('age') OPERATOR(corm_ops.%) 2)$$,
	 '{"order_by": ["-name"]}'),
	($$corm.select('age', corm.count()), corm.group_by('age'), corm.order_by('age')$$, '{"preload": {"orders": true}}'),
	($$corm.select(corm.count())$$, '{"preload": {"orders": true}}'),
	($$corm.select('id', corm.count()), corm.group_by('id'), corm.order_by('id')$$, '{"preload": {"orders": {"select": ["amount"], "order_by": ["id"]}}, "limit": 1}'),
	($$corm.select('name', 'age'), corm.distinct_on('age'), corm.order_by('age', 'id')$$, '{"preload": {"orders": {"select": ["amount"], "order_by": ["id"]}}, "limit": 1}')
	) AS t(clauses, filter);
SELECT attempt(format('SELECT corm.get_multi_json(corm.selector(''orders''), %s, corm.filter(%L))', clauses, filter))
FROM (VALUES
	($$corm.select('person_id', corm.as(corm.sum('amount'), 'total')), corm.group_by('person_id'), corm.order_by('person_id')$$, '{"preload": {"person": {"select": ["name"]}}, "limit": 1}'),
	($$corm.select('amount', corm.count()), corm.group_by('amount')$$, '{"preload": {"person": true}}')) AS t(clauses, filter);

-- What only a read has, in a write; the server's own mistake stays one
SELECT attempt(format('SELECT corm.exec(corm.deleter(''person''), corm.filter(%L))', filter))
FROM (VALUES ('{"where": {"id": 0}, "limit": 1}'), ('{"where": {"id": 0}, "offset": 1}'), ('{"where": {"id": 0}, "after": "x"}'),
	('{"where": {"id": 0}, "before": null}'), ('{"where": {"id": 0}, "order_by": ["id"]}'), ('{"where": {"id": 0}}')) AS t(filter);
SELECT attempt($$SELECT corm.exec(corm.deleter('person'), corm.where(corm.eq('id', 0)), corm.limit(1))$$);
SELECT corm.filter('{"limit": 2, "after": null}')::corm.query;
SELECT corm.get_multi_json(corm.selector('person'), corm.select('id'), (corm.filter('{"limit": 2}')::text)::corm.query);

-- Directions and parts of filters where they mean nothing
SELECT attempt(format('SELECT corm.get_multi_json(corm.selector(''person''), %s)', clauses))
FROM (VALUES ($$corm.where('{"desc": ["name"]}')$$), ($$corm.where(corm.not(corm.asc('name')))$$),
	($$corm.where('{"filter_relation": {"desc": ["name"]}}')$$), ($$corm.where('{"filter_relation": {"eq": ["id", 1]}}')$$),
	($$corm.select(corm.desc('id'))$$), ($$corm.group_by(corm.asc('age'))$$), ($$corm.order_by(corm.desc(corm.asc('age')))$$),
	($$corm.select(corm.over(corm.c('age')))$$), ($$corm.select(corm.over(corm.c('age'), corm.partition_by('id')))$$),
	($$corm.select(corm.as(corm.over(corm.raw('row_number()'), corm.order_by(corm.desc('id'))), 'n')), corm.limit(2)$$),
	($$corm.select(corm.as(corm.agg_order(corm.array_agg('id'), corm.desc('id')), 'n'))$$)) AS t(clauses);

-- A query that writes as a part of another
SELECT attempt(format('SELECT corm.get_multi_json(%s)', clauses))
FROM (VALUES ($$corm.from_query(corm.pipe(corm.deleter('orders'), corm.all_rows()), 'x')$$),
	($$corm.selector('orders'), corm.union(corm.pipe(corm.deleter('orders'), corm.all_rows()))$$),
	($$corm.with('x', corm.pipe(corm.deleter('orders'), corm.where(corm.eq('id', 9)), corm.returning('id'))), corm.from_cte('x')$$)) AS t(clauses);

-- Cursors never hold a hidden field, not by raw SQL either
SELECT attempt(format('SELECT corm.page_json(corm.selector(''person''), corm.select(''id''), corm.limit(1), corm.order_by(%s))', item))
FROM (VALUES ($$corm.raw('secret')$$), ($$corm.desc(corm.raw('lower(person.secret)'))$$), ($$corm.raw('person::text')$$),
	($$corm.raw('(person).secret')$$), ($$corm.fn('md5', corm.raw('row(person.*)::text'))$$)) AS t(item);
SELECT corm.page_json(corm.selector('person'), corm.select('id'), corm.limit(1), corm.order_by(corm.raw('-age'))) -> 'rows';

-- Keys that are none
SELECT attempt(format('SELECT corm.find_json(''person'', %s)', key))
FROM (VALUES ($$'{"id": 1}'::jsonb$$), ($$ARRAY[1, 2]$$), ($$'{"id": 1}'::json$$), ($$1$$)) AS t(key);

-- A query on the left side of a comparison
SELECT corm.get_multi_json(corm.selector('person', 'p'), corm.select('id'), corm.order_by('id'), corm.where(
	corm.gte(corm.pipe(corm.selector('orders', 'o'), corm.select(corm.sum('amount')), corm.where(corm.eq('o.person_id', corm.c('p.id')))), 15)));
SELECT corm.eq(corm.selector('orders') OPERATOR(corm_ops.|>) corm.select(corm.count()), '9');
SELECT corm.count(corm.selector('person'), corm.where(
	corm.neq(corm.selector('orders') OPERATOR(corm_ops.|>) corm.select(corm.count()), '9')));

-- An expression where a count was meant
SELECT corm.count('orders');
SELECT corm.count('amount');
SELECT corm.count('orders')::text FROM orders LIMIT 1;
SELECT corm.count(corm.selector('orders'));

-- Help
SELECT count(*) > 100, count(*) FILTER (WHERE signature IS NULL OR summary IS NULL) FROM corm.help();
SELECT name FROM corm.help('Count_Distinct') LIMIT 1;
SELECT name FROM corm.help('xyzzy');
-- A time that is a number of another unit
SELECT attempt($$SELECT corm.cache_create('c', ttl => '83000000 hours')$$);

-- A row linked twice is linked once, and shown once
CREATE TABLE tag (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE);
CREATE TABLE person_tag (person_id int REFERENCES person, tag_id int REFERENCES tag, PRIMARY KEY (person_id, tag_id));
INSERT INTO tag (name) VALUES ('a'), ('b'), ('c');
SELECT corm.update_json('person', '{"id": 1}', '{"tag": {"set": [{"id": 2}, {"name": "b"}, {"id": 1}, {"id": 2}]}}') -> 'tag';
SELECT corm.update_json('person', '{"id": 1}', '{"tag": {"add": [{"id": 3}, {"id": 3}, {"id": 2}]}}') -> 'tag';
SELECT corm.insert_json('person', '{"id": 7, "tag": [{"name": "c"}, {"id": 3}, {"id": 1}]}') -> 'tag';
SELECT * FROM person_tag ORDER BY 1, 2;
-- taken away, and others added, by one document
SELECT corm.update_json('person', '{"id": 1}', '{"tag": {"remove": [{"id": 1}, {"id": 3}], "add": [{"name": "b"}]}}') -> 'tag';
SELECT * FROM person_tag WHERE person_id = 1 ORDER BY 1, 2;
-- null for what the row that it is nested in gives is not shown
SELECT corm.update_json('person', '{"id": 1}', '{"orders": [{"id": 3, "amount": 30, "person": null}]}') -> 'orders';
SELECT corm.insert_json('person', '{"id": 8, "orders": [{"id": 20, "person": null}, {"id": 21, "person": {"id": 8}}]}') -> 'orders';

-- A key that is GENERATED ALWAYS: an upsert has it as corm.save() has
SELECT corm.upsert_json('tag', '[{"id": 1, "name": "aa"}, {"id": 70, "name": "x"}]');
SELECT corm.get_multi_json(corm.inserter('tag'), corm.rows(ARRAY[(2, 'bb')::tag]), corm.on_conflict('id'), corm.do_update());
SELECT attempt($$SELECT corm.upsert_json('tag', '{"id": 5, "name": "aa"}', '{name}')$$);
SELECT attempt($$SELECT corm.insert_json('tag', '{"id": 71, "name": "y"}')$$);

\t off
SET search_path = public;
SET client_min_messages = warning;
DROP SCHEMA misuse CASCADE;
