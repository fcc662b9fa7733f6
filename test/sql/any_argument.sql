-- hardening 12: every function of corm, called with NULL, empty and extreme values, and every expression and query
-- that comes of it given to the verbs: whatever happens is a result or an error whose code says what is wrong, never
-- an internal error (class XX), and the server lives.
SET client_min_messages = error;
CREATE SCHEMA x;
CREATE TYPE x.mood AS ENUM ('good', 'bad');
CREATE DOMAIN x.small AS int CHECK (VALUE < 100);
CREATE TYPE x.pair AS (a int, b text);
CREATE DOMAIN x.pair_domain AS x.pair;
CREATE TYPE x.described AS (id int);
COMMENT ON TYPE x.described IS '@orm:table=made_of_it';
CREATE TABLE x.t (
    id int PRIMARY KEY, name text, tags text[], doc jsonb, at timestamptz, span interval, num numeric, f float8,
    r int4range, m x.mood, s x.small, p x.pair, b bytea, gone int, parent_id int REFERENCES x.t ON DELETE SET NULL);
ALTER TABLE x.t DROP COLUMN gone;
INSERT INTO x.t VALUES
    (1, 'one', '{a,b}', '{"k": 1}', 'infinity', '1 day', 'NaN', 'NaN', 'empty', 'good', 1, ROW(1, 'x'), '\x00', NULL),
    (2, NULL, '{}', 'null', NULL, NULL, NULL, '-Infinity', NULL, NULL, NULL, NULL, '', 1);
CREATE TABLE x.keyless (a int);
CREATE TABLE x.nothing ();
CREATE VIEW x.v AS SELECT id, name FROM x.t;
CREATE SEQUENCE x.seq;
CREATE INDEX t_name ON x.t (name);
CREATE FUNCTION x.middleware(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS 'SELECT corm.next(qc)';

-- The values that an argument of a type is given, as SQL expressions; the first is an ordinary one.
CREATE TABLE x.samples (no int GENERATED ALWAYS AS IDENTITY, type text, value text);
COPY x.samples (type, value) FROM stdin WITH (DELIMITER '~');
text~'id'
text~NULL
text~''
text~'name'
text~'-'
text~'.'
text~'t.id'
text~'parent.id'
text~'parent'
text~'*'
text~repeat('x', 1000000)
text~repeat('é', 32)
text~'"'
text~'%'
text~chr(92)
text~'{'
text~'[]'
text~'{}'
text~'{"id": 5}'
text~'NaN'
text~'-infinity'
text~'SELECT 1'
text~'SELECT $1'
text~'select'
text~'skip locked'
text~'first'
text~'has_many'
text[]~'{id}'::text[]
text[]~NULL::text[]
text[]~'{}'::text[]
text[]~'{NULL}'::text[]
text[]~'{id,name}'::text[]
text[]~'{id,id}'::text[]
text[]~'{{id,name},{a,b}}'::text[]
text[]~'[5:6]={id,name}'::text[]
text[]~'{""}'::text[]
text[]~'{parent.id}'::text[]
text[]~'{-id}'::text[]
corm.relation_ref~'x.t'::corm.relation_ref
corm.relation_ref~NULL::corm.relation_ref
corm.relation_ref~'nobody'::corm.relation_ref
corm.role_ref~current_user::regrole::corm.role_ref
corm.role_ref~NULL::corm.role_ref
corm.role_ref~'-'::corm.role_ref
corm.function_ref~'pg_catalog.lower(text)'::corm.function_ref
corm.function_ref~NULL::corm.function_ref
corm.function_ref~'nobody(int)'::corm.function_ref
corm.expr~corm.eq('id', 1)
corm.expr~NULL::corm.expr
corm.expr~corm.and()
corm.expr~corm.or()
corm.expr~corm.c('id')
corm.expr~corm.c('nobody')
corm.expr~corm.count()
corm.expr~corm.val(NULL::int)
corm.expr~corm.val('x')
corm.expr~corm.raw('true')
corm.expr~corm.raw('(')
corm.expr~corm.in('id', '{}'::int[])
corm.expr~corm.asc('id')
corm.expr~corm.as('id', 'x')
corm.expr~corm.over(corm.count())
corm.expr~corm.some('parent')
corm.expr~corm.excluded('id')
corm.expr~corm.inserted()
corm.expr~corm.val(ROW(1, 'x')::x.pair)
corm.expr~corm.eq('id', corm.selector('x.t') |> corm.select('id'))
corm.expr~(repeat('{"not": ', 200) || '{"eq": ["id", 1]}' || repeat('}', 200))::corm.expr
corm.query~corm.selector('x.t')
corm.query~NULL::corm.query
corm.query~corm.pipe()
corm.query~corm.selector('x.t', 'a') |> corm.limit(1)
corm.query~corm.selector('x.v') |> corm.select('id')
corm.query~corm.updater('x.t') |> corm.set('name', 'x') |> corm.all_rows()
corm.query~corm.deleter('x.t') |> corm.all_rows() |> corm.returning('id')
corm.query~corm.inserter('x.t') |> corm.set('id', 9)
corm.query~corm.inserter('x.t')
corm.query~corm.raw_query('SELECT 1 AS id')
corm.query~corm.raw_query('')
corm.query~corm.raw_query('SELECT')
corm.query~corm.limit(-1)
corm.query~corm.limit(NULL)
corm.query~corm.where(corm.c('name'))
corm.query~corm.select(corm.count(), 'name')
corm.query~corm.order_by('-id')
corm.query~corm.from_cte('w')
corm.query~corm.with('w', corm.selector('x.t')) |> corm.from_cte('w')
corm.query~corm.selector('x.nothing')
corm.query~corm.selector('x.seq')
corm.query~corm.selector(0)
corm.query~corm.set('id', 'x')
corm.expr[]~ARRAY[corm.eq('id', 1), corm.eq('name', NULL)]
corm.expr[]~NULL::corm.expr[]
corm.expr[]~'{}'::corm.expr[]
corm.expr[]~'{NULL}'::corm.expr[]
corm.expr[]~ARRAY[[corm.c('id')], [corm.and()]]
corm.query[]~ARRAY[corm.selector('x.t'), corm.where(corm.eq('id', 1))]
corm.query[]~NULL::corm.query[]
corm.query[]~'{}'::corm.query[]
corm.query[]~'{NULL}'::corm.query[]
corm.query[]~ARRAY[[corm.selector('x.t')], [corm.limit(1)]]
corm.query[]~ARRAY[corm.selector('x.t'), corm.selector('x.t')]
corm.query[]~ARRAY[corm.selector('x.t'), NULL]
corm.query[]~ARRAY[corm.updater('x.t'), corm.where(corm.eq('id', 1)), corm.set('name', NULL)]
corm.query[]~ARRAY[corm.inserter('x.t'), corm.rows('[]')]
corm.query[]~ARRAY[corm.inserter('x.t'), corm.rows('[{"id": 7}, {"name": null, "id": 8}]'), corm.returning()]
"any"~1
"any"~NULL
"any"~NULL::int
"any"~0
"any"~-1
"any"~2147483647
"any"~-2147483648
"any"~9223372036854775807
"any"~-9223372036854775808
"any"~1e1000::numeric
"any"~'NaN'::float8
"any"~'Infinity'::float8
"any"~'NaN'::numeric
"any"~'infinity'::timestamptz
"any"~'-infinity'::date
"any"~'4713-01-01 BC'::date
"any"~'-178000000 years'::interval
"any"~''::bytea
"any"~repeat('y', 1000000)
"any"~'{}'::int[]
"any"~'{{1,2},{3,4}}'::int[]
"any"~'{NULL}'::text[]
"any"~'[3:4]={1,2}'::int[]
"any"~ROW(1, 2)
"any"~ROW(1, 'x')::x.pair
"any"~ROW(NULL, NULL)::x.pair_domain
"any"~NULL::x.t
"any"~ARRAY[ROW(1, 2)]
"any"~ARRAY[ROW(1, 'x')]::x.pair[]
"any"~'null'::jsonb
"any"~'[]'::jsonb
"any"~'{"id": 1}'::json
"any"~'empty'::int4range
"any"~'{}'::int4multirange
"any"~'(1,2)'::point
"any"~'good'::x.mood
"any"~1::x.small
"any"~0::oid
"any"~0::regclass
"any"~4294967295::regtype
"any"~'x'::"char"
"any"~'x'::name
"any"~B''
"any"~'a & b'::tsquery
"any"~''::tsvector
"any"~'1.2.3.4'::inet
"any"~true
"any"~corm.c('id')
"any"~corm.pipe()
"any"~corm.selector('x.t') |> corm.select('id')
"any"~'0/0'::pg_lsn
"any"~'1 2'::int2vector
"any"~''::oidvector
anyelement~(SELECT t FROM x.t WHERE id = 1)
anyelement~NULL::x.t
anyelement~NULL
anyelement~1
anyelement~NULL::int
anyelement~NULL::record
anyelement~ROW(1, 2)
anyelement~NULL::text
anyelement~ROW(1, 'x')::x.pair
anyelement~NULL::x.pair
anyelement~NULL::x.pair_domain
anyelement~ROW(3, 'x')::x.pair_domain
anyelement~NULL::x.v
anyelement~ROW(5, 'v')::x.v
anyelement~NULL::x.keyless
anyelement~ROW(1)::x.keyless
anyelement~NULL::x.nothing
anyelement~ROW()::x.nothing
anyelement~'{1}'::int[]
anyelement~'{}'::x.t[]
anyelement~NULL::corm.query
anyelement~'null'::jsonb
anyelement~'good'::x.mood
anyelement~NULL::x.small
anyelement~'empty'::int4range
anyelement~NULL::pg_class
anyarray~(SELECT array_agg(t) FROM x.t)
anyarray~NULL::x.t[]
anycompatiblearray~NULL::int[]
anycompatiblearray~'{x}'::text[]
anyarray~'{}'::x.t[]
anyarray~'{NULL,NULL}'::x.t[]
anyarray~(SELECT ARRAY[[t], [t]] FROM x.t WHERE id = 1)
anyarray~ARRAY[ROW(11)::x.keyless, NULL, ROW(NULL)]
anyarray~ARRAY[ROW(1, 2)]
anyarray~'{1,2}'::int[]
anyarray~'{1,NULL}'::int[]
anyarray~'{{1,2},{3,4}}'::int[]
anyarray~'{}'::int[]
anyarray~'{x}'::text[]
anyarray~'{x}'::name[]
anyarray~'1 2'::int2vector
anyarray~ARRAY[corm.pipe()]
anyarray~ARRAY[ROW()::x.nothing]
anyarray~ARRAY[ROW(1, 'x')::x.pair]
anyarray~ARRAY[ROW(1, 'x')::x.pair_domain]
anycompatiblearray~'{1}'::int[]
anycompatiblearray~NULL::int[]
anycompatiblearray~'{}'::text[]
anycompatiblearray~ARRAY[ROW(1, 'x')]::x.pair[]
regclass~'x.t'::regclass
regclass~NULL::regclass
regclass~0::regclass
regclass~4294967295::regclass
regclass~'x.v'::regclass
regclass~'x.seq'::regclass
regclass~'x.t_name'::regclass
regclass~'x.pair'::regclass
regclass~'x.keyless'::regclass
regclass[]~'{x.described}'::regclass[]
regclass[]~NULL::regclass[]
regclass[]~'{}'::regclass[]
regclass[]~'{NULL}'::regclass[]
regclass[]~'{0}'::regclass[]
regclass[]~'{x.t,x.t}'::regclass[]
regclass[]~'{{x.pair,x.v},{x.seq,x.t_name}}'::regclass[]
regclass~'x.nothing'::regclass
regclass~'pg_catalog.pg_class'::regclass
regconfig~'pg_catalog.simple'::regconfig
regconfig~NULL::regconfig
regconfig~0::regconfig
regtype~'int4'::regtype
regtype~NULL::regtype
regtype~0::regtype
regtype~4294967295::regtype
regtype~'void'::regtype
regtype~'record'::regtype
regtype~'anyelement'::regtype
regtype~'internal'::regtype
regtype~'cstring'::regtype
regtype~'unknown'::regtype
regtype~'trigger'::regtype
regtype~'x.mood'::regtype
regtype~'x.t'::regtype
regtype~'corm.expr'::regtype
regtype~'text[]'::regtype
regprocedure~'x.middleware(corm.query_context)'::regprocedure
regprocedure~NULL::regprocedure
regprocedure~0::regprocedure
regprocedure~4294967295::regprocedure
regprocedure~'pg_catalog.now()'::regprocedure
regrole~current_user::regrole
regrole~NULL::regrole
regrole~0::regrole
regrole~4294967295::regrole
json~'{"where": {"id": {"gt": 1}}}'::json
json~'{"a": 1, "a": 2}'::json
json~NULL::json
jsonb~'{"id": 5}'::jsonb
jsonb~'{"id": 1}'::jsonb
jsonb~NULL::jsonb
jsonb~'{}'::jsonb
jsonb~'null'::jsonb
jsonb~'[]'::jsonb
jsonb~'1'::jsonb
jsonb~'true'::jsonb
jsonb~'""'::jsonb
jsonb~'"id"'::jsonb
jsonb~'[null]'::jsonb
jsonb~'[{}]'::jsonb
jsonb~'{"id": null}'::jsonb
jsonb~'[{"id": 5}, {"id": 6, "name": 3}]'::jsonb
jsonb~'{"where": {"id": 1}}'::jsonb
jsonb~'{"where": {"id": {"in": [1, null]}}}'::jsonb
jsonb~'{"where": null}'::jsonb
jsonb~'{"order_by": ["-id"]}'::jsonb
jsonb~'{"limit": 1e30}'::jsonb
jsonb~'{"limit": -1}'::jsonb
jsonb~'{"select": []}'::jsonb
jsonb~'{"preload": {"parent": true}}'::jsonb
jsonb~'{"nobody": 1}'::jsonb
jsonb~'{"table": "x.t"}'::jsonb
jsonb~'{"name": ""}'::jsonb
jsonb~'{"fields": {"id": {"column": 3}}}'::jsonb
jsonb~'{"id": 5, "parent": {"id": 4}}'::jsonb
jsonb~'{"id": 4, "t": [{"id": 5}, null]}'::jsonb
jsonb~'[{"selector": "x.t"}]'::jsonb
jsonb~'[{"selector": null}]'::jsonb
jsonb~'[{"limit": []}]'::jsonb
jsonb~'{"eq": ["id", 1]}'::jsonb
jsonb~'{"eq": ["id"]}'::jsonb
jsonb~'{"": 1}'::jsonb
jsonb~'1e400'::jsonb
jsonb~(repeat('[', 5000) || repeat(']', 5000))::jsonb
jsonb~(repeat('{"not":', 5000) || 'true' || repeat('}', 5000))::jsonb
jsonb~(repeat('{"where":{"not":', 2000) || '{}' || repeat('}}', 2000))::jsonb
jsonb~jsonb_build_object(repeat('k', 1000000), 1)
integer~1
integer~NULL
integer~0
integer~-1
integer~2147483647
integer~-2147483648
bigint~1
bigint~NULL
bigint~0
bigint~-1
bigint~9223372036854775807
bigint~-9223372036854775808
bigint[]~'{1}'::bigint[]
bigint[]~NULL::bigint[]
bigint[]~'{}'::bigint[]
bigint[]~'{NULL}'::bigint[]
bigint[]~'{{1,2},{-1,9223372036854775807}}'::bigint[]
double precision~50
double precision~NULL
double precision~'NaN'
double precision~'-Infinity'
timestamp with time zone~'2020-01-01 UTC'::timestamptz
timestamp with time zone~NULL::timestamptz
timestamp with time zone~'infinity'::timestamptz
timestamp with time zone~'-infinity'::timestamptz
corm.task_options~corm.task()
corm.task_options~NULL::corm.task_options
corm.task_options~corm.task('nobody')
corm.task_options~corm.task('id', wait_group => 'id', key => '', unique_key => '')
corm.task_options~jsonb_populate_record(NULL::corm.task_options, '{}')
boolean~true
boolean~NULL
boolean~false
interval~'1 hour'::interval
interval~NULL::interval
interval~'0'::interval
interval~'-1 second'::interval
interval~'178000000 years'::interval
interval~'-178000000 years'::interval
interval~'1 microsecond'::interval
interval~'2147483647 months 2147483647 days'::interval
record~(SELECT t FROM x.t WHERE id = 1)
record~NULL
regconfig~'simple'::regconfig
regconfig~NULL::regconfig
record~ROW(1, 2)
record~ROW()
record~ROW(1, 'x')::x.pair_domain
corm.tx_options~corm.tx()
corm.tx_options~NULL::corm.tx_options
corm.tx_options~corm.tx('nested')
corm.tx_options~corm.tx(timeout => '1 hour')
corm.tx_options~ROW(NULL, NULL, NULL, NULL, NULL, NULL)::corm.tx_options
corm.tx_options~ROW('', '', true, '', '-1 s', -1)::corm.tx_options
corm.query_context~jsonb_populate_record(NULL::corm.query_context, '{"op": "SELECT", "model": "x.t", "query": [{"selector": "x.t"}]}')
corm.query_context~NULL::corm.query_context
corm.query_context~jsonb_populate_record(NULL::corm.query_context, '{}')
corm.query_result~corm.result_of('[{"id": 1}]')
corm.query_result~NULL::corm.query_result
corm.query_result~corm.result_of('[]')
corm.query_result~jsonb_populate_record(NULL::corm.query_result, '{}')
\.

-- An argument of each type: the first value of the type, then each other one.
CREATE FUNCTION x.literals(type oid) RETURNS text[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(value ORDER BY no), ARRAY['no sample']) FROM x.samples WHERE samples.type = format_type($1, NULL)
$$;

-- Every function, called with ordinary arguments but in one place; with NULL everywhere; and without those that have
-- a default. A list that a function takes as VARIADIC "any" is one value, or two.
CREATE TABLE x.calls (func text, result text, call text, UNIQUE (call));
DO $do$
DECLARE
    p pg_proc;
    literals jsonb;
    args text[];
    spread text;
BEGIN
    FOR p IN SELECT * FROM pg_proc
        WHERE pronamespace = 'corm'::regnamespace AND prokind = 'f'
            AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
            AND NOT proargtypes::oid[] && ARRAY['cstring'::regtype, 'internal'::regtype]::oid[]
        ORDER BY proname, oid::regprocedure::text
    LOOP
        spread := CASE WHEN p.provariadic NOT IN (0, '"any"'::regtype) THEN 'VARIADIC ' ELSE '' END;
        SELECT coalesce(jsonb_agg(to_jsonb(x.literals(type)) ORDER BY i), '[]') INTO literals
        FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, i);
        -- each value in each place
        INSERT INTO x.calls
        SELECT p.proname, format_type(p.prorettype, NULL), format('corm.%I(%s)', p.proname,
            (SELECT string_agg(CASE WHEN i = p.pronargs THEN spread ELSE '' END ||
                CASE WHEN i = place THEN v.value ELSE (a.list->>0) END, ', ' ORDER BY i)
             FROM jsonb_array_elements(literals) WITH ORDINALITY AS a (list, i)))
        FROM generate_series(1, p.pronargs) AS place,
            jsonb_array_elements_text(literals->(place - 1)) AS v (value)
        ON CONFLICT DO NOTHING;
        -- NULL everywhere, and as few arguments as possible
        INSERT INTO x.calls
        SELECT p.proname, format_type(p.prorettype, NULL), format('corm.%I(%s)', p.proname,
            (SELECT string_agg(CASE WHEN i = p.pronargs THEN spread ELSE '' END || (a.list->>which), ', ' ORDER BY i)
             FROM jsonb_array_elements(literals) WITH ORDINALITY AS a (list, i)
             WHERE which = 1 OR i <= p.pronargs - p.pronargdefaults))
        FROM generate_series(0, 1) AS which
        ON CONFLICT DO NOTHING;
        -- lists of two
        IF p.provariadic = '"any"'::regtype THEN
            INSERT INTO x.calls
            SELECT p.proname, format_type(p.prorettype, NULL), format('corm.%I(%s)', p.proname,
                (SELECT string_agg(a.list->>0, ', ' ORDER BY i)
                 FROM jsonb_array_elements(literals) WITH ORDINALITY AS a (list, i)) || ', ' || v.value)
            FROM jsonb_array_elements_text(literals->(p.pronargs - 1)) AS v (value)
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
END $do$;
SELECT count(DISTINCT func) > 150 AS functions, count(*) > 4000 AS calls, count(*) FILTER (WHERE call ~ 'no sample') AS unsampled
FROM x.calls;

-- What is done with the results.
CREATE TABLE x.uses (result text, use text);
COPY x.uses FROM stdin WITH (DELIMITER '~');
corm.expr~corm.expr(corm.to_jsonb(%s))
corm.expr~corm.get_multi_json(corm.selector('x.t'), corm.where(%s))
corm.expr~corm.get_multi_json(corm.selector('x.t'), corm.select(%s))
corm.expr~corm.get_multi_json(corm.selector('x.t'), corm.order_by(%s), corm.limit(1))
corm.expr~corm.exec(corm.updater('x.t'), corm.set('name', %s), corm.all_rows())
corm.expr~corm.get_multi_json(corm.selector('x.t'), corm.select(corm.as(%1$s, 'g')), corm.group_by(%1$s), corm.having(%1$s))
corm.query~corm.query(corm.to_jsonb(%s))
corm.query~corm.to_sql(%s)
corm.query~corm.get_multi_json(%s)
corm.query~corm.get_multi_json(corm.selector('x.t'), %s)
corm.query~corm.get_multi(NULL::x.t, %s)
corm.query~corm.get_multi(NULL::x.pair, %s)
corm.query~corm.page_json(corm.selector('x.t'), corm.order_by('name'), %s)
corm.query~corm.count(corm.selector('x.t'), %s)
corm.query~corm.exec(%s)
corm.query~corm.exec(corm.updater('x.t'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)), %s)
corm.query~corm.exec(corm.inserter('x.t'), corm.set('id', 77), %s)
corm.query~corm.exec(corm.deleter('x.t'), corm.where(corm.eq('id', 2)), %s)
corm.query~corm.explain(corm.selector('x.t'), %s)
corm.query~corm.cache_fetch(gen_random_uuid()::text, corm.pipe(corm.selector('x.t'), corm.select('name'), %s), '1 ms')
corm.query~corm.cache_fetch(gen_random_uuid()::text, corm.pipe(corm.inserter('x.t'), corm.rows('[{"id": 78}]'::jsonb), %s), '1 ms')
\.


CREATE TABLE x.outcomes (func text, statement text, state text, message text, result text);
CREATE FUNCTION x.try(func text, expression text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    result text;
    state text := '00000';
    message text;
BEGIN
    BEGIN
        EXECUTE 'SELECT string_agg(x::text, '','') FROM (SELECT ' || expression || ' AS x) AS s' INTO result;
        RAISE SQLSTATE '00U00';
    EXCEPTION
        WHEN SQLSTATE '00U00' THEN NULL;
        WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    END;
    INSERT INTO x.outcomes VALUES (func, expression, state, message, CASE WHEN length(result) < 100000 THEN result END);
END $$;

-- what some of them need, by the names that they are called with, whatever the order; they do not wait long
SELECT corm.pool_create('id'), corm.topic_create('id'), corm.subscribe('id', 'id', ack => 'manual'), corm.wg_create('id', 10);
SET corm.max_wait = '1ms';
SELECT count(x.try(func, call)) = count(*) AS all_tried FROM x.calls;
SELECT corm.pool_drop('id'), corm.topic_drop('id'), corm.wg_drop('id');
-- every function was called with success by some arguments, but those that need something made before
SELECT func FROM x.outcomes GROUP BY func HAVING bool_and(state <> '00000') ORDER BY func COLLATE "C";

-- Each fifth of the distinct expressions and queries, in each use. (Those of a megabyte have been read and written above.)
CREATE TABLE x.made AS
    SELECT DISTINCT ON (c.result, o.result) c.* FROM x.calls c JOIN x.outcomes o ON o.statement = c.call AND o.state = '00000'
    WHERE c.result IN ('corm.expr', 'corm.query') AND o.result IS NOT NULL
    ORDER BY c.result, o.result, c.call COLLATE "C";
SELECT count(x.try(func, format(use, call))) > 4000 AS used
FROM (SELECT *, row_number() OVER (PARTITION BY func ORDER BY call COLLATE "C") AS no FROM x.made) AS m JOIN x.uses USING (result)
WHERE no % 5 = 1;

-- No internal error, and no error without words.
SELECT func, left(statement, 200), state, message FROM x.outcomes WHERE state ~ '^XX' OR coalesce(message, '') = '' AND state <> '00000';
-- Of the class that is corm's own, only the codes that docs/errors.md lists.
SELECT DISTINCT state, func FROM x.outcomes
WHERE state ~ '^OR' AND state !~ '^OR(00[1-7]|01[0-2]|02[01]|030)$';
SELECT count(*) FILTER (WHERE state = '00000') > 5000 AS successes, count(*) FILTER (WHERE state <> '00000') > 5000 AS errors FROM x.outcomes;
-- nothing of all that is left
SELECT id, name FROM x.t ORDER BY id;

-- hardening 13: deep and long. What is too deep is 54001, what is too long 54000, and nothing else happens.
CREATE FUNCTION x.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN '00000';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT x.attempt(format($$SELECT corm.count(corm.selector('x.t'), corm.where(corm.eq('name', %L)))$$, repeat('x', 1000000)));
SELECT x.attempt(format($$SELECT corm.count(corm.selector('x.t'), corm.where(corm.eq(%L, 1)))$$, repeat('x', 1000000)));
SELECT x.attempt(format($$SELECT corm.value(NULL::text, corm.raw_query(%L))$$, 'SELECT ' || repeat(' ', 1000000) || '1'));
SELECT x.attempt($$SELECT corm.to_sql(corm.selector('x.t'), corm.where(q::corm.expr)) FROM (SELECT repeat('{"not": ', n) || 'true' || repeat('}', n) FROM generate_series(3000, 30000, 9000) n) x (q)$$) IN ('54001', '00000');
-- a hundred thousand deep, as text: expressions, queries, documents, filters and paths
SELECT what, x.attempt(statement) FROM (VALUES
    ('expression', $$SELECT (repeat('{"not": ', 100000) || 'true' || repeat('}', 100000))::corm.expr$$),
    ('query', $$SELECT ('[' || repeat('{"union": [', 100000) || repeat(']}', 100000) || ']')::corm.query$$),
    ('list', $$SELECT repeat('[', 100000)::corm.query$$),
    ('document', $$SELECT corm.expr((repeat('{"not": ', 100000) || 'true' || repeat('}', 100000))::jsonb)$$),
    ('filter', $$SELECT corm.filter('{"where": ' || repeat('{"not": ', 100000) || '{"id": 1}' || repeat('}', 100000) || '}')$$),
    ('path', $$SELECT corm.to_sql(corm.selector('x.t'), corm.where(corm.eq(repeat('a.', 100000) || 'id', 1)))$$),
    ('preload', $$SELECT corm.to_sql(corm.selector('x.t'), corm.preload(repeat('a.', 100000) || 'a'))$$)) d(what, statement);
DO $$
DECLARE
    e corm.expr := corm.eq('id', 1);
BEGIN
    FOR i IN 1 .. 20000 LOOP
        e := corm.not(e);
    END LOOP;
    PERFORM corm.count(corm.selector('x.t'), corm.where(e));
EXCEPTION WHEN statement_too_complex THEN
    RAISE INFO 'too deep';
END $$;
SELECT x.attempt(format('SELECT corm.get_multi_json(corm.selector(%L), corm.where(corm.or(%s)))', 'x.t', string_agg(format('corm.eq(%L, %s)', 'id', i), ', '))) FROM generate_series(1, 90) i;
SELECT corm.count(corm.selector('x.t'), corm.where(corm.or(VARIADIC array_agg(corm.eq('id', i))))) FROM generate_series(1, 10000) i;
SELECT x.attempt($$SELECT corm.count(corm.selector('x.t'), corm.where(corm.or(VARIADIC array_agg(corm.eq('id', i))))) FROM generate_series(1, 70000) i$$);
SELECT corm.count(corm.selector('x.t'), corm.where(corm.in('id', (SELECT array_agg(i) FROM generate_series(1, 100000) i))));

DO $$
DECLARE
    q corm.query := corm.selector('x.t');
BEGIN
    FOR i IN 1 .. 5000 LOOP
        q := corm.from_query(q, 'a');
    END LOOP;
    PERFORM corm.count(q);
EXCEPTION WHEN statement_too_complex OR syntax_error THEN
    RAISE INFO 'too deep';          -- for corm, or for PostgreSQL's parser
END $$;

SET client_min_messages = warning;
DROP SCHEMA x CASCADE;
