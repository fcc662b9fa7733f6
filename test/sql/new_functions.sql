--
-- The newer functions over kinds of models that their own tests lack: keys of citext, partitions, views, names in
-- camel case, row-level security, guards, soft delete, default scopes.  Each answer is compared with SQL.
--
CREATE SCHEMA kinds;
SET search_path = kinds;
SET client_min_messages = warning;
CREATE EXTENSION citext SCHEMA kinds;
CREATE TABLE countries (code citext PRIMARY KEY, name text);
CREATE TABLE cities (country citext REFERENCES countries, no int, "cityName" text, tags text[], size int, gone_at timestamptz, tenant int DEFAULT 1, PRIMARY KEY (country, no))
	PARTITION BY LIST (country);
CREATE TABLE cities_de PARTITION OF cities FOR VALUES IN ('DE');
CREATE TABLE cities_rest PARTITION OF cities DEFAULT;
COMMENT ON CONSTRAINT cities_country_fkey ON cities IS '@orm:name=land,inverse=towns';
SELECT corm.register('cities', '{"naming": "camel", "soft_delete": "gone_at"}');
SELECT corm.define_scope('cities', 'sized', corm.where(corm.is_not_null('size')), true);
INSERT INTO countries VALUES ('DE', 'Germany'), ('fr', 'France'), ('JP', 'Japan');
INSERT INTO cities VALUES ('DE', 1, 'Old Berlin', '{old,big}', 30, NULL, 1), ('DE', 2, 'Bonn', '{old}', 10, NULL, 1), ('FR', 1, 'Paris', '{big}', 20, NULL, 1),
	('DE', 3, 'Gone', '{}', 99, now(), 1), ('FR', 2, 'Sizeless', NULL, NULL, NULL, 1), ('FR', 3, 'Hidden', '{big}', 40, NULL, 2);
CREATE VIEW towns AS SELECT country, no, "cityName", tags, size FROM cities WHERE gone_at IS NULL AND size IS NOT NULL AND tenant = 1;
SELECT corm.register('towns', '{"naming": "camel", "fields": {"country": {"primary_key": true}, "no": {"primary_key": true}}}');
CREATE TABLE nodes (id citext PRIMARY KEY, parent citext CONSTRAINT nodes_parent REFERENCES nodes, n int);
COMMENT ON CONSTRAINT nodes_parent ON nodes IS '@orm:name=above,inverse=below';
INSERT INTO nodes VALUES ('A', NULL, 1), ('b', 'a', 2), ('C', 'B', 3), ('d', 'A', 4);
CREATE ROLE regress_kinds;
GRANT USAGE ON SCHEMA kinds TO regress_kinds;
GRANT ALL ON ALL TABLES IN SCHEMA kinds TO regress_kinds;
ALTER TABLE cities ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON cities USING (tenant = 1);
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SET ROLE regress_kinds;
\t on

\echo by key: citext in any case, a key of two columns, row-level security, soft delete
SELECT corm.find_json('countries', 'de'::citext), corm.find_json('countries', 'Fr') ->> 'name';
SELECT corm.find_json('cities', 'de', 1) ->> 'cityName', (corm.find(NULL::cities, 'fr', 1))."cityName";
SELECT try($$ corm.find_json('cities', 'de', 3) $$), try($$ corm.find_json('cities', 'fr', 3) $$);
SELECT try($$ corm.find_json('cities', 'de') $$), try($$ corm.find_json('cities', NULL, 1) $$);
SELECT string_agg(code::text || name, ' ') FROM corm.find_multi(NULL::countries, ARRAY['jp', 'DE', 'xx', NULL]::citext[]);
SELECT count(*) FROM corm.find_multi(NULL::countries, '{}'::citext[]);

\echo patches and upserts
SELECT corm.update_json('cities', '{"country": "de", "no": 2}', '{"cityName": "Bonn am Rhein"}') ->> 'cityName';
SELECT try($$ corm.update_json('cities', '{"country": "de", "no": 2}', '{"country": "DE", "size": 11}') ->> 'size' $$), try($$ corm.update_json('cities', '{"country": "de", "no": 2}', '{"country": "fr"}') $$);
SELECT try($$ corm.update_json('cities', '{"country": "fr", "no": 3}', '{"size": 1}') $$), try($$ corm.update_json('cities', '{"country": "de", "no": 3}', '{"size": 1}') $$);
SELECT corm.update_json('countries', '{"code": "FR"}', '{"towns": [{"no": 1, "size": 21}]}') -> 'towns' -> 0 -> 'size';
SELECT corm.upsert_json('countries', '[{"code": "FR", "name": "la France"}, {"code": "it", "name": "Italia"}]') -> 0 ->> 'code';
SELECT count(*), min(name) FROM countries;

\echo related values and arrays
SELECT corm.get_multi_json(corm.selector('countries'), corm.select('code', corm.as(corm.count_of('towns'), 'n'), corm.as(corm.sum_of('towns', 'size'), 'size'), corm.as(corm.avg_of('towns', 'size'), 'mean'),
	corm.as(corm.min_of('towns', 'size'), 'least'), corm.as(corm.max_of('towns', 'cityName'), 'last'), corm.as(corm.count_of('towns', corm.any_of('big', 'tags')), 'big')), corm.order_by('-n', 'code'));
SELECT jsonb_agg(to_jsonb(r)) FROM (SELECT code, count(t) AS n, sum(size) AS size, count(t) FILTER (WHERE 'big' = ANY (tags)) AS big
	FROM countries LEFT JOIN towns t ON country = code GROUP BY code ORDER BY n DESC, code) AS r;
SELECT corm.get_multi_json(corm.selector('towns'), corm.select('cityName'), corm.where(corm.any_of('OLD'::citext, corm.cast('tags', 'citext[]'))), corm.order_by('no'));

\echo windows, frames, aggregates with an order, searches
SELECT corm.get_multi_json(corm.selector('cities'), corm.select('cityName', corm.as(corm.over(corm.sum('size'), corm.partition_by('country'), corm.order_by('-size'), corm.frame('ROWS UNBOUNDED PRECEDING')), 'running')),
	corm.order_by('country', '-size'));
SELECT jsonb_agg(to_jsonb(r)) FROM (SELECT "cityName", sum(size) OVER (PARTITION BY country ORDER BY size DESC ROWS UNBOUNDED PRECEDING) AS running FROM towns ORDER BY country, size DESC) AS r;
SELECT corm.get_multi_json(corm.selector('cities'), corm.select('country', corm.as(corm.agg_order(corm.string_agg('cityName', ', '), '-size'), 'names')), corm.group_by('country'), corm.order_by('country'));
SELECT corm.get_multi_json(corm.selector('cities'), corm.select('cityName'), corm.where(corm.search('cityName', 'berlin -new', 'simple')));
SELECT try($$ corm.count(corm.selector('cities'), corm.where(corm.search('cityName', '"', 'simple'))) $$), try($$ corm.count(corm.selector('cities'), corm.where(corm.search('cityName', '', 'simple'))) $$),
	try($$ corm.count(corm.selector('cities'), corm.where(corm.search('size', 'x'))) $$);
SELECT corm.get_multi_json(corm.selector('cities'), corm.select('cityName'), corm.order_by(corm.desc(corm.search_rank('cityName', 'paris', 'simple')), 'cityName'), corm.limit(1));

\echo trees, pages with totals
SELECT corm.get_multi_json(corm.selector('nodes'), corm.where(corm.is_null('parent')), corm.select('id'), corm.preload_tree('below', 5, corm.select('id'), corm.order_by('id')));
SELECT corm.get_multi_json(corm.with_recursive('up', corm.pipe(corm.selector('nodes'), corm.where(corm.eq('id', 'c'))),
	corm.pipe(corm.selector('nodes', 'p'), corm.join_cte('up', corm.eq('p.id', corm.c('up.parent'))), corm.select('p.id', 'p.parent', 'p.n'))), corm.from_cte('up'), corm.select('id'), corm.order_by('-n'));
SELECT corm.page_json(corm.selector('cities'), corm.select('cityName'), corm.order_by('cityName'), corm.limit(1), corm.with_total()) #> '{page_info,total}', (SELECT count(*) FROM towns);

\echo guards and filters over partitions
SELECT corm.count(corm.selector('cities'), corm.guard('cities', corm.eq('country', 'de'))), corm.count(corm.selector('countries'), corm.where(corm.some('towns')), corm.guard('cities', corm.eq('country', 'de')));
SELECT corm.get_multi_json(corm.selector('cities'), corm.filter('{"where": {"country": "DE", "cityName": {"icontains": "bonn"}}, "select": ["cityName", "no"]}', '{"fields": ["cityName", "no", "country"]}'));
SELECT try($$ corm.get_multi_json(corm.selector('cities'), corm.filter('{"where": {"size": 1}}', '{"fields": ["cityName", "no", "country"]}')) $$);
SELECT corm.exec(corm.deleter('cities'), corm.where(corm.eq('cityName', 'Paris'))), corm.restore(corm.selector('cities'), corm.where(corm.eq('country', 'fr'))), corm.count(corm.selector('cities'));
RESET ROLE;

\t off
DROP SCHEMA kinds CASCADE;
DROP ROLE regress_kinds;
