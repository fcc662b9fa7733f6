-- Every function of corm with every kind of argument: PostgreSQL's errors or corm's own, never an internal one, never a crash.
SET client_min_messages = error;
CREATE TABLE models (id int PRIMARY KEY, name text);
INSERT INTO models VALUES (1, 'x');

-- Values of a type, the odd ones first. The sentinel NULL is one of them.
CREATE FUNCTION odd(typ regtype) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v text;
BEGIN
    RETURN NEXT format('NULL::%s', typ);
    FOREACH v IN ARRAY CASE typ::text
        WHEN 'text' THEN ARRAY['', 'id', 'x', E'quote '' " \\ %', repeat('x', 70000), '-1', '{}', 'id; drop', '[]', '1e1000']
        WHEN 'integer' THEN ARRAY['0', '-1', '2147483647', '-2147483648']
        WHEN 'bigint' THEN ARRAY['0', '-1', '9223372036854775807', '-9223372036854775808']
        WHEN 'smallint' THEN ARRAY['0', '-32768']
        WHEN 'boolean' THEN ARRAY['t', 'f']
        WHEN 'interval' THEN ARRAY['0', '-1 day', '178000000 years', '1 microsecond']
        WHEN 'jsonb' THEN ARRAY['null', '{}', '[]', '1', '"x"', '{"id": 1}', '[{"id": 2}, 3]', '{"where": {"id": 1}}']
        WHEN 'regclass' THEN ARRAY['models', 'pg_class', '0', '999999999', 'corm.model_options', 'pg_toast.pg_toast_1255']
        WHEN 'regtype' THEN ARRAY['int4', '0', '999999999', 'anyelement', 'models']
        WHEN 'regprocedure' THEN ARRAY['lower(text)', '0', '999999999']
        WHEN 'text[]' THEN ARRAY['{}', '{NULL}', '{id,name}', '{{a,b},{c,d}}', '{""}']
        WHEN 'corm.expr' THEN ARRAY['1', '{"c": "id"}', '{"eq": ["id", 1]}', '{"and": []}', '{"raw": ["1"]}', '{"c": "no such"}', '{"count": []}', 'null', '"x"']
        WHEN 'corm.query' THEN ARRAY['[]', '[{"selector": ["models", null]}]', '[{"where": [{"eq": ["id", 1]}]}]', '[{"limit": -1}]', '[{"raw_query": ["SELECT 1"]}]',
            '[{"deleter": "models"}]', '[{"inserter": "models"}, {"rows": "[]"}]', '[{"with": ["x", []]}]']
        WHEN 'corm.expr[]' THEN ARRAY['{}', '{NULL}', '{1,2}', '{{1}}']
        WHEN 'corm.query[]' THEN ARRAY['{}', '{NULL}', '{"[]"}']
        ELSE ARRAY[]::text[] END
    LOOP
        RETURN NEXT format('%L::%s', v, typ);
    END LOOP;
END $$;
-- What an argument declared as pseudo-type is called with.
CREATE FUNCTION stand_ins(typ regtype) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT unnest(CASE typ::text
        WHEN 'anyelement' THEN ARRAY['NULL::models', 'ROW(1, NULL)::models', 'ROW(NULL, NULL)::models', 'NULL::int', '1', 'ROW(1, 2)', 'ARRAY[1]', 'NULL::corm.query', '''x''']
        WHEN 'anyarray' THEN ARRAY['NULL::models[]', 'ARRAY[NULL::models]', 'ARRAY[ROW(5, NULL)::models]', '''{}''::int[]', 'ARRAY[1]', '''{}''']
        WHEN '"any"' THEN ARRAY['NULL', '''x''', '1', 'NULL::int', 'ROW(1, 2)', 'ARRAY[ROW(1, 2)]', 'ROW(1, 2)::models', '''{}''::int[]', '''NaN''::float8', '''infinity''::date', 'corm.c(''id'')',
            '''[]''::corm.query', 'now()', '''x''::name', '''\x''::bytea']
        WHEN 'record' THEN ARRAY['NULL::record', 'ROW(1, 2)', 'ROW(1, NULL)::models']
        ELSE ARRAY[]::text[] END)
$$;

CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'RLBCK';          -- whatever was written is undone
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

-- All functions that users may call, but those of the types, triggers, and those that wait for other sessions or end them.
CREATE TABLE callables AS
SELECT p.oid, p.proname, p.proretset, p.prokind, ARRAY(SELECT t::regtype FROM unnest(p.proargtypes) t) AS types
FROM pg_proc p
WHERE p.pronamespace = 'corm'::regnamespace AND p.prokind = 'f'
    AND NOT p.proargtypes::oid[] && ARRAY['cstring'::regtype, 'internal'::regtype]::oid[]
    AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype);
CREATE TABLE internal (statement text, state text);
DO $$
DECLARE
    f callables;
    defaults text[];
    call text;
    state text;
    choice text;
    ncalls int := 0;
BEGIN
    FOR f IN SELECT * FROM callables ORDER BY proname, oid LOOP
        -- a sane argument at each place, and one odd one at a time
        SELECT array_agg(coalesce((SELECT s FROM stand_ins(t) s LIMIT 1),
            (SELECT o FROM odd(t) WITH ORDINALITY x (o, place) ORDER BY CASE WHEN place = 2 THEN 0 ELSE place END LIMIT 1)) ORDER BY i)
            INTO defaults FROM unnest(f.types) WITH ORDINALITY u (t, i);
        FOR i IN 0 .. cardinality(f.types) LOOP
            CONTINUE WHEN i = 0 AND cardinality(f.types) > 0;
            FOR choice IN SELECT '' WHERE i = 0 UNION ALL SELECT o FROM odd(f.types[i]) o WHERE i > 0 UNION ALL SELECT s FROM stand_ins(f.types[i]) s WHERE i > 0 LOOP
                call := format('SELECT corm.%I(%s)', f.proname, (SELECT string_agg(
                    CASE WHEN (SELECT provariadic FROM pg_proc WHERE oid = f.oid) <> 0 AND k = cardinality(f.types)
                              AND (SELECT provariadic FROM pg_proc WHERE oid = f.oid) <> '"any"'::regtype THEN 'VARIADIC ' ELSE '' END
                    || CASE WHEN k = i THEN choice ELSE a END, ', ' ORDER BY k) FROM unnest(defaults) WITH ORDINALITY d (a, k)));
                state := attempt(call);
                ncalls := ncalls + 1;
                IF state LIKE 'XX%' OR state LIKE '58%' OR state = '25P02' THEN
                    INSERT INTO internal VALUES (left(call, 200), state);
                END IF;
                IF f.proname IN ('where', 'select', 'order_by', 'group_by', 'having', 'returning', 'set', 'limit', 'offset', 'distinct_on', 'join', 'with', 'union', 'rows', 'max_rows',
                        'for_update', 'preload', 'scope', 'after', 'before', 'filter', 'on_conflict', 'raw_query', 'from_query', 'selector') THEN
                    -- a query made so is run, too
                    state := attempt(format('SELECT corm.get_multi_json(corm.selector(''models''), q), corm.to_sql(corm.updater(''models''), q) FROM (%s) x (q)', call));
                    state := attempt(format('SELECT corm.get_multi_json(corm.selector(''models''), q) FROM (%s) x (q)', call));
                    IF state LIKE 'XX%' THEN
                        INSERT INTO internal VALUES ('run: ' || left(call, 200), state);
                    END IF;
                    state := attempt(format('SELECT corm.to_sql(corm.inserter(''models''), corm.set(''id'', 7), q) FROM (%s) x (q)', call));
                    IF state LIKE 'XX%' THEN
                        INSERT INTO internal VALUES ('insert: ' || left(call, 200), state);
                    END IF;
                END IF;
                IF (SELECT prorettype FROM pg_proc WHERE oid = f.oid) = 'corm.expr'::regtype THEN
                    state := attempt(format('SELECT corm.get_multi_json(corm.selector(''models''), corm.select(corm.as(e, ''x''))) FROM (%s) x (e)', call));
                    IF state LIKE 'XX%' THEN
                        INSERT INTO internal VALUES ('expr: ' || left(call, 200), state);
                    END IF;
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
    RAISE INFO 'enough calls: %', ncalls > 3000;
END $$;
SELECT * FROM internal;
SELECT * FROM models;
SELECT count(*) > 200 AS many FROM callables;
-- deep and long
SELECT attempt(format($$SELECT corm.count(corm.selector('models'), corm.where(corm.eq('name', %L)))$$, repeat('x', 1000000)));
SELECT attempt(format($$SELECT corm.count(corm.selector('models'), corm.where(corm.eq(%L, 1)))$$, repeat('x', 1000000)));
SELECT attempt(format($$SELECT corm.value(NULL::text, corm.raw_query(%L))$$, 'SELECT ' || repeat(' ', 1000000) || '1'));
SELECT attempt($$SELECT corm.to_sql(corm.selector('models'), corm.where(q::corm.expr)) FROM (SELECT repeat('{"not": ', n) || 'true' || repeat('}', n) FROM generate_series(3000, 30000, 9000) n) x (q)$$) IN ('54001', 'RLBCK');
DO $$
DECLARE
    e corm.expr := corm.eq('id', 1);
BEGIN
    FOR i IN 1 .. 20000 LOOP
        e := corm.not(e);
    END LOOP;
    PERFORM corm.count(corm.selector('models'), corm.where(e));
EXCEPTION WHEN statement_too_complex THEN
    RAISE INFO 'too deep';
END $$;
SELECT attempt(format('SELECT corm.get_multi_json(corm.selector(%L), corm.where(corm.or(%s)))', 'models', string_agg(format('corm.eq(%L, %s)', 'id', i), ', '))) FROM generate_series(1, 90) i;
SELECT corm.count(corm.selector('models'), corm.where(corm.or(VARIADIC array_agg(corm.eq('id', i))))) FROM generate_series(1, 10000) i;
SELECT attempt($$SELECT corm.count(corm.selector('models'), corm.where(corm.or(VARIADIC array_agg(corm.eq('id', i))))) FROM generate_series(1, 70000) i$$);
SELECT corm.count(corm.selector('models'), corm.where(corm.in('id', (SELECT array_agg(i) FROM generate_series(1, 100000) i))));

DROP FUNCTION odd(regtype);
DROP FUNCTION stand_ins(regtype);
DROP FUNCTION attempt(text);
DROP TABLE models, callables, internal;
