-- A tour of corm on the data of Debian's iso-codes.  script/demo runs it; it can also be read, or run by hand in
-- an empty database: psql -v iso=/usr/share/iso-codes/json -f script/demo.sql

\pset footer off
\set QUIET on
\set ECHO none

CREATE EXTENSION corm;

-- Plain tables.  Each file is one JSON object with one key, whose value is the array of rows.
CREATE TABLE countries (
    alpha_2       text PRIMARY KEY,
    alpha_3       text NOT NULL UNIQUE,
    numeric       int  NOT NULL,
    name          text NOT NULL,
    official_name text,
    common_name   text,
    flag          text
);
CREATE TABLE subdivisions (
    code         text PRIMARY KEY,
    name         text NOT NULL,
    type         text NOT NULL,
    country_code text GENERATED ALWAYS AS (split_part(code, '-', 1)) STORED REFERENCES countries,
    parent_code  text REFERENCES subdivisions
);
CREATE TABLE languages (
    alpha_3       text PRIMARY KEY,
    alpha_2       text,
    name          text NOT NULL,
    inverted_name text,
    common_name   text,
    scope         text NOT NULL DEFAULT 'I',
    type          text NOT NULL DEFAULT 'L',
    version       int  NOT NULL DEFAULT 1,
    deleted_at    timestamptz
);
CREATE UNIQUE INDEX ON languages (alpha_2) WHERE deleted_at IS NULL;
CREATE INDEX ON subdivisions (country_code);
CREATE INDEX ON subdivisions (parent_code);

CREATE FUNCTION pg_temp.iso(file text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT value FROM jsonb_each(pg_read_file(file)::jsonb) $$;
SELECT corm.insert_json('countries', pg_temp.iso(:'iso' || '/iso_3166-1.json')) IS NULL AS loaded \gset
SELECT count(*) AS loaded FROM corm.insert_multi(ARRAY(SELECT jsonb_populate_record(NULL::languages, language)
    FROM jsonb_array_elements(pg_temp.iso(:'iso' || '/iso_639-3.json')) AS language)) \gset
INSERT INTO subdivisions (code, name, type, parent_code)
    SELECT code, name, type, CASE WHEN parent LIKE '__-%' THEN parent ELSE split_part(code, '-', 1) || '-' || parent END
    FROM jsonb_to_recordset(pg_temp.iso(:'iso' || '/iso_3166-2.json')) AS s(code text, name text, type text, parent text);
ANALYZE;

\echo
\echo '== Three plain tables: countries, their subdivisions, languages.  The models are read from the catalogs; relations come'
\echo '== from foreign keys.  Two of those get better names from comments.'
\echo
\set ECHO queries
COMMENT ON CONSTRAINT subdivisions_country_code_fkey ON subdivisions IS '@orm:name=country';
COMMENT ON CONSTRAINT subdivisions_parent_code_fkey ON subdivisions IS '@orm:name=parent,inverse=parts';

SELECT model, name, kind, target FROM corm.relations;

\set ECHO none
\echo '== Rows with related rows, two levels deep: one call, one SQL statement'
\echo
\set ECHO queries
SELECT jsonb_pretty(corm.get_json(corm.selector('countries'), corm.select('name', 'flag'), corm.where(corm.eq('alpha_2', 'IE')),
    corm.preload('subdivisions', corm.select('name', 'type'), corm.where(corm.is_null('parent_code')), corm.order_by('name'), corm.limit(2)),
    corm.preload('subdivisions.parts', corm.select('name'), corm.order_by('-name'), corm.limit(2)))) AS ireland;

\set ECHO none
\echo
\echo '== Typed rows.  The first argument names the type of the result, the rest are clauses; values are always bound'
\echo
\set ECHO queries
SELECT code, name, type FROM corm.get_multi(NULL::subdivisions,
    corm.where(corm.starts_with('country.name', 'Lie'), corm.neq('name', '''; DROP TABLE subdivisions --')),
    corm.order_by('name'), corm.limit(3));

\set ECHO none
\echo '-- Conditions on related rows are EXISTS: each country is returned once.'
\set ECHO queries
SELECT name FROM corm.get_multi(NULL::countries,
    corm.where(corm.some('subdivisions', corm.eq('type', 'Canton'))), corm.order_by('name'));

\set ECHO none
\echo '-- Related rows counted, sorted by that number.'
\set ECHO queries
SELECT corm.get_multi_json(corm.selector('countries'), corm.select('alpha_2', corm.as(corm.count_of('subdivisions'), 'n')),
    corm.order_by(corm.desc(corm.count_of('subdivisions')), 'alpha_2'), corm.limit(4)) AS "most subdivisions";

\set ECHO none
\echo
\echo '== A page, and the next one from its cursor'
\echo
\set ECHO queries
SELECT page -> 'rows' AS rows, page -> 'page_info' -> 'has_next' AS has_next FROM corm.page_json(corm.selector('countries'),
    corm.select('alpha_2', 'name'), corm.order_by('-name'), corm.limit(2)) AS page;

\set ECHO none
SELECT page #>> '{page_info,end_cursor}' AS cursor FROM corm.page_json(corm.selector('countries'),
    corm.select('alpha_2', 'name'), corm.order_by('-name'), corm.limit(2)) AS page \gset
\set ECHO queries
SELECT page -> 'rows' AS rows FROM corm.page_json(corm.selector('countries'),
    corm.select('alpha_2', 'name'), corm.order_by('-name'), corm.limit(2), corm.after(:'cursor')) AS page;

\set ECHO none
\echo
\echo '== What a client asks for over HTTP: conditions, related rows, fields; within bounds, without SQL'
\echo
\set ECHO queries
SELECT corm.get_multi_json(corm.selector('countries'), corm.filter('{
    "where": {"name": {"starts_with": "Por"}, "subdivisions": {"some": {"type": "District"}}},
    "select": ["alpha_2", "name"]}')) AS "filtered from outside";

\set ECHO none
\echo '== Writing: an upsert; a country with its parts as one document; PATCH, which writes the given fields and no others'
\echo
\set ECHO queries
SELECT name, scope FROM corm.get_multi(NULL::languages, corm.inserter('languages'),
    corm.rows('[{"alpha_3": "por", "name": "Português"}, {"alpha_3": "qcm", "name": "Cormish", "type": "C"}]'::jsonb),
    corm.on_conflict('alpha_3'), corm.do_update('name'));

SELECT corm.insert_json('countries', '{"alpha_2": "XC", "alpha_3": "XCO", "numeric": 999, "name": "Cormland",
    "subdivisions": [{"code": "XC-N", "name": "North", "type": "Shore",
                      "parts": [{"code": "XC-NE", "name": "North East", "type": "Beach"}]}]}') AS inserted;

SELECT corm.update_json('countries', '{"alpha_2": "XC"}', '{"common_name": "The Land of Corm", "flag": "*"}') AS patched;

\set ECHO none
\echo '== A record: read, change, write back by key.  With a version, a stale one is refused; with soft delete, none is lost'
\echo
\set ECHO queries
SELECT corm.register('languages', '{"version": "version", "soft_delete": "deleted_at"}');

SELECT name, version FROM corm.update(corm.set_field(corm.find(NULL::languages, 'qcm'), 'name', 'Old Cormish'));

SELECT corm.delete(corm.find(NULL::languages, 'qcm')) AS deleted,
       corm.count(corm.selector('languages'), corm.where(corm.eq('alpha_3', 'qcm'))) AS found;

SELECT corm.restore(corm.selector('languages'), corm.where(corm.eq('alpha_3', 'qcm'))) AS restored;

\set ECHO none
\echo '== Mistakes: a field that does not exist, and a delete without a condition'
\echo
\set ECHO queries
SELECT * FROM corm.get(NULL::countries, corm.where(corm.eq('offical_name', 'Portuguese Republic')));

SELECT corm.exec(corm.deleter('countries'));

\set ECHO none
\echo
\echo '== A transaction scope: all or nothing, with the error as data'
\echo
\set ECHO queries
SELECT ok, sqlstate, message FROM corm.try_tx($$
    SELECT corm.insert(ROW('XC-S', 'South', 'Shore', NULL, NULL)::subdivisions);
    SELECT corm.insert(ROW('XC-N', 'again', 'Shore', NULL, NULL)::subdivisions);
$$);

SELECT corm.exists(corm.selector('subdivisions'), corm.where(corm.eq('code', 'XC-S'))) AS "stored of it";

\set ECHO none
\echo '== The cache in shared memory: values with a time to live, and the results of queries'
\echo
\set ECHO queries
SELECT corm.cache_set('greeting', 'bom dia'::text, ttl => '1 minute');

SELECT corm.cache_get('greeting'), corm.cache_incr('visits');

\set ECHO none
\echo '-- The second call does not run the query: it does not see the new row until the minute is over.'
\set ECHO queries
SELECT corm.count(corm.selector('subdivisions'), corm.cached('1 minute')) AS subdivisions;

SELECT name FROM corm.insert(ROW('XC-W', 'West', 'Shore', NULL, NULL)::subdivisions);

SELECT corm.count(corm.selector('subdivisions'), corm.cached('1 minute')) AS cached,
       corm.count(corm.selector('subdivisions')) AS "in the table";

\set ECHO none
\echo '== A query is a value.  Name it, extend it, and see what runs'
\echo
\set ECHO queries
CREATE FUNCTION of_country(code text) RETURNS corm.query LANGUAGE sql IMMUTABLE
    RETURN corm.pipe(corm.selector('subdivisions'), corm.where(corm.eq('country_code', code)), corm.order_by('name'));

SELECT code, name, type FROM corm.get_multi(NULL::subdivisions, of_country('PT'), corm.limit(3));

\pset format unaligned
\pset tuples_only on
SELECT corm.to_sql(of_country('PT'), corm.limit(3));

SELECT corm.args(of_country('PT'), corm.limit(3));

\pset tuples_only off
\pset format aligned
\set ECHO none
\echo
\echo '== And what ran, by model and operation'
\echo
\set ECHO queries
SELECT model, op, calls, rows, errors FROM corm.stat_queries WHERE calls > 1 ORDER BY model, op;
