-- New functions over 100,000 rows, and documents of 10,000; apart, since under valgrind it would take hours
CREATE SCHEMA many;
SET search_path = many;
SET client_min_messages = warning;
CREATE EXTENSION citext SCHEMA many;
CREATE TABLE nodes (id citext PRIMARY KEY, parent citext CONSTRAINT nodes_parent REFERENCES nodes, n int);
COMMENT ON CONSTRAINT nodes_parent ON nodes IS '@orm:name=above,inverse=below';
INSERT INTO nodes VALUES ('A', NULL, 1), ('b', 'a', 2), ('C', 'B', 3), ('d', 'A', 4);
CREATE TABLE boxes (id int PRIMARY KEY);
CREATE TABLE things (id int PRIMARY KEY, box_id int REFERENCES boxes);
\t on
INSERT INTO nodes SELECT 'n' || i, CASE WHEN i % 100 = 0 THEN 'A' ELSE 'n' || i - i % 100 END, i FROM generate_series(100, 100099) AS i ORDER BY i;
CREATE INDEX ON nodes (parent);
ANALYZE nodes;
SELECT corm.value(NULL::bigint, corm.selector('nodes'), corm.select(corm.count_of('below')), corm.where(corm.eq('id', 'a'))), (SELECT count(*) FROM nodes WHERE parent = 'A');
SELECT count(*) FROM corm.find_multi(NULL::nodes, (SELECT array_agg(upper(id::text))::citext[] FROM nodes));
SELECT corm.count(corm.with_recursive('down', corm.pipe(corm.selector('nodes'), corm.where(corm.eq('id', 'A')), corm.select('id')),
	corm.pipe(corm.selector('nodes', 'k'), corm.join_cte('down', corm.eq('k.parent', corm.c('down.id'))), corm.select('k.id'))), corm.from_cte('down'));
SELECT corm.page_json(corm.selector('nodes'), corm.select('id'), corm.order_by('n', 'id'), corm.limit(2), corm.with_total()) #> '{page_info,total}';
SELECT jsonb_array_length(corm.upsert_json('nodes', (SELECT jsonb_agg(jsonb_build_object('id', 'N' || i, 'n', -1)) FROM generate_series(100, 10099) AS i)));
SELECT count(*), count(*) FILTER (WHERE n = -1) FROM nodes;
SELECT corm.insert_json('boxes', jsonb_build_object('id', 3, 'things', (SELECT jsonb_agg(jsonb_build_object('id', 1000 + i)) FROM generate_series(1, 10000) AS i))) AS doc \gset
SELECT jsonb_array_length(:'doc'::jsonb -> 'things') AS n, :'doc'::jsonb -> 'things' -> 9999 -> 'id' AS last, (SELECT count(*) FROM things WHERE box_id = 3) AS stored;

\t off
DROP SCHEMA many CASCADE;
