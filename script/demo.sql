-- A tour of corm on the data of Debian's iso-codes.  script/demo runs it; it can also be read, or run by hand in
-- an empty database: psql -v iso=/usr/share/iso-codes/json -f script/demo.sql

\pset footer off
\set QUIET on
\set ECHO none

CREATE EXTENSION corm;

\echo
\echo '== Plain tables'
\echo
\set ECHO queries

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
    parent       text,
    country_code text GENERATED ALWAYS AS (split_part(code, '-', 1)) STORED REFERENCES countries
);

CREATE TABLE languages (
    alpha_3       text PRIMARY KEY,
    alpha_2       text UNIQUE,
    name          text NOT NULL,
    inverted_name text,
    scope         text NOT NULL DEFAULT 'I',
    type          text NOT NULL DEFAULT 'L'
);

CREATE TABLE currencies (
    alpha_3 text PRIMARY KEY,
    numeric int  NOT NULL,
    name    text NOT NULL
);

CREATE TABLE scripts (
    alpha_4 text PRIMARY KEY,
    numeric int  NOT NULL,
    name    text NOT NULL
);
\set ECHO none

-- Each file is one JSON object with one key, whose value is the array of rows.
CREATE FUNCTION pg_temp.iso(file text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT value FROM jsonb_each(pg_read_file(file)::jsonb) $$;
SELECT pg_temp.iso(:'iso' || '/iso_3166-1.json') AS countries,
       pg_temp.iso(:'iso' || '/iso_3166-2.json') AS subdivisions,
       pg_temp.iso(:'iso' || '/iso_639-3.json') AS languages,
       pg_temp.iso(:'iso' || '/iso_4217.json') AS currencies,
       pg_temp.iso(:'iso' || '/iso_15924.json') AS scripts
    INTO TEMP iso;

\echo
\echo '== Loading the files, each in a different way.  Table "iso" holds their JSON.'
\echo
\echo '-- A JSON array: its keys are field names, its values become the columns'' types.'
\set ECHO queries
SELECT jsonb_array_length(corm.insert_json('countries', countries)) AS countries FROM iso;

\set ECHO none
\echo '-- Rows for an inserter; country_code is generated.'
\set ECHO queries
SELECT corm.exec(corm.inserter('subdivisions'), corm.rows(subdivisions)) AS subdivisions FROM iso;

SELECT corm.exec(corm.inserter('currencies'), corm.rows(currencies)) AS currencies,
       corm.exec(corm.inserter('scripts'), corm.rows(scripts)) AS scripts FROM iso;

\set ECHO none
\echo '-- Typed records.  The result is the stored records.'
\set ECHO queries
SELECT count(*) AS languages, count(*) FILTER (WHERE (stored).scope = 'M') AS macrolanguages
FROM (SELECT corm.insert_multi(ARRAY(SELECT jsonb_populate_record(NULL::languages, language)
                                     FROM jsonb_array_elements(languages) AS language)) AS stored FROM iso) AS inserted;

\set ECHO none
\echo '-- One record.  NULL in a field that has a default means the default.'
\set ECHO queries
SELECT * FROM corm.insert(ROW('qcm', NULL, 'Cormish', NULL, NULL, 'C')::languages);

\set ECHO none
DROP TABLE iso;
ANALYZE;
\echo
\echo '== Models: read from the catalogs, nothing to declare'
\echo
\set ECHO queries
SELECT model, primary_key, registered FROM corm.models ORDER BY model::text;

SELECT name, type, not_null, generated, primary_key FROM corm.fields WHERE model = 'subdivisions'::regclass;

SELECT jsonb_pretty(corm.describe('countries') -> 'fields' -> 0) AS "first field of countries";

\set ECHO none
\echo
\echo '== Queries: the first argument names the type of the result, the rest are clauses'
\echo
\set ECHO queries

SELECT alpha_2, name, numeric, flag FROM corm.get_multi(NULL::countries,
    corm.where(corm.lt('numeric', 100)), corm.order_by('-name'), corm.limit(5));

SELECT name, official_name FROM corm.get(NULL::countries, corm.where(corm.eq('alpha_2', 'PT')));

SELECT corm.count(corm.selector('languages'), corm.where(corm.eq('type', 'E'))) AS "extinct languages",
       corm.exists(corm.selector('currencies'), corm.where(corm.icontains('name', 'doubloon'))) AS "doubloons?";

\set ECHO none
\echo '-- Conditions nest.  Values are bound, whatever they contain.'
\set ECHO queries
SELECT code, name FROM corm.get_multi(NULL::subdivisions,
    corm.where(corm.or(corm.eq('country_code', 'PT'), corm.in('country_code', ARRAY['AD', 'MC'])),
               corm.starts_with('name', 'S'), corm.neq('name', '''; DROP TABLE subdivisions --')),
    corm.order_by('country_code', 'name'));

\set ECHO none
\echo
\echo '== The same with operators, from schema corm_ops'
\echo
SET search_path = public, corm_ops;
\set ECHO queries

SELECT alpha_3, name FROM corm.get_multi(NULL::languages,
    corm.where((corm.c('type') = 'C') & (corm.c('name') ~~ 'E%')) |> corm.order_by('name') |> corm.limit(4));

\set ECHO none
\echo
\echo '== Groups, into any row type whose attributes the query produces'
\echo
\set ECHO queries

CREATE TYPE per_country AS (country_code text, subdivisions bigint, kinds bigint);

SELECT * FROM corm.get_multi(NULL::per_country, corm.selector('subdivisions'),
    corm.select('country_code', corm.as(corm.count(), 'subdivisions'), corm.as(corm.count_distinct('type'), 'kinds')),
    corm.group_by('country_code'), corm.having(corm.gt(corm.count(), 100)),
    corm.order_by('-subdivisions', 'country_code'), corm.limit(5));

\set ECHO none
\echo
\echo '== JSON'
\echo
\set ECHO queries

SELECT jsonb_pretty(corm.get_multi_json(corm.selector('currencies'), corm.where(corm.icontains('name', 'franc')),
    corm.order_by('name'), corm.limit(2))) AS francs;

SELECT corm.pluck(NULL::text, corm.selector('scripts'), corm.select('name'), corm.order_by('numeric'), corm.limit(3))
    AS "oldest scripts";

\set ECHO none
\echo
\echo '== Relations: found from foreign keys. A comment on the key names this one "country"'
\echo
\set ECHO queries

COMMENT ON CONSTRAINT subdivisions_country_code_fkey ON subdivisions IS '@orm:name=country';
SELECT model, name, kind, target FROM corm.relations;

\set ECHO none
\echo '-- A path joins what it needs; conditions on related rows are EXISTS, so each parent is returned once.'
\set ECHO queries
SELECT code, name FROM corm.get_multi(NULL::subdivisions,
    corm.where(corm.starts_with('country.name', 'Lie')), corm.order_by('name'), corm.limit(2));

SELECT name FROM corm.get_multi(NULL::countries,
    corm.where(corm.some('subdivisions', corm.eq('type', 'Canton'))), corm.order_by('name'));

\set ECHO none
\echo '-- Related rows are loaded in the same statement, here two for each.'
\set ECHO queries
SELECT jsonb_pretty(corm.get_multi_json(corm.selector('countries'), corm.select('name'),
    corm.where(corm.in('alpha_2', ARRAY['AQ', 'CH'])), corm.order_by('name'),
    corm.preload('subdivisions', corm.select('name', 'type'), corm.order_by('name'), corm.limit(2)))) AS "with subdivisions";

\set ECHO none
\echo '-- corm.filter accepts what a client asks for over HTTP.'
\set ECHO queries
SELECT corm.get_multi_json(corm.selector('countries'), corm.filter('{
    "where": {"name": {"starts_with": "Por"}, "subdivisions": {"some": {"type": "District"}}},
    "select": ["alpha_2", "name"]}')) AS "filtered from outside";

\set ECHO none
\echo
\echo '== Writing'
\echo
\echo '-- By query: the rows that were updated.'
\set ECHO queries
SELECT alpha_2, name, common_name FROM corm.get_multi(NULL::countries, corm.updater('countries'),
    corm.set('common_name', corm.fn('upper', corm.c('name'))), corm.where(corm.in('alpha_2', ARRAY['PT', 'ES'])));

\set ECHO none
\echo '-- By record: read, change a field, write back by primary key.'
\set ECHO queries
SELECT alpha_2, common_name FROM corm.update(
    corm.set_field(corm.get(NULL::countries, corm.where(corm.eq('alpha_2', 'PT'))), 'common_name', 'Portugal'));

SELECT corm.delete(corm.get(NULL::languages, corm.where(corm.eq('alpha_3', 'qcm')))) AS "Cormish is gone";

\set ECHO none
\echo
\echo '== Errors: a field that does not exist, and a delete without a condition'
\echo
\set ECHO queries
SELECT * FROM corm.get(NULL::countries, corm.where(corm.eq('offical_name', 'Portuguese Republic')));

\set ECHO none
\echo
\set ECHO queries
SELECT corm.exec(corm.deleter('countries'));

\set ECHO none
\echo
\echo '== A hook: corm calls a function of this name for every row it writes'
\echo
\set ECHO queries

CREATE FUNCTION before_save(script scripts) RETURNS scripts LANGUAGE plpgsql AS $$
BEGIN
    script.name := initcap(script.name);
    RETURN script;
END $$;

SELECT * FROM corm.insert(ROW('Corm', 999, 'cormish runes')::scripts);

\set ECHO none
\echo
\echo '== A transaction scope: all or nothing, with the error as data'
\echo
\set ECHO queries

SELECT ok, sqlstate, message FROM corm.try_tx($$
    SELECT corm.insert(ROW('Orcm', 998, 'first')::scripts);
    SELECT corm.insert(ROW('Corm', 997, 'again')::scripts);
$$);

SELECT corm.count(corm.selector('scripts'), corm.where(corm.eq('alpha_4', 'Orcm'))) AS "stored of it";

\set ECHO none
\echo
\echo '== A cache in shared memory, with times to live'
\echo
\set ECHO queries

SELECT corm.cache_set('greeting', 'bom dia'::text, ttl => '1 minute');

SELECT corm.cache_get('greeting'), corm.cache_incr('visits');

\set ECHO none
\echo '-- The result of a query; the second call does not run it.'
\set ECHO queries
SELECT corm.count(corm.selector('languages'), corm.where(corm.eq('type', 'L')), corm.cached('1 minute')) AS "living languages";

\set ECHO none
\echo
\echo '== Statistics: what ran'
\echo
\set ECHO queries

SELECT model, op, calls, rows, errors FROM corm.stat_queries WHERE calls > 1 ORDER BY model, op;

\set ECHO none
\echo
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
