-- Objects of the same names as pg_catalog's and corm's, first in the search_path: none of them is ever used by corm (hardening 4).
SET client_min_messages = error;
CREATE SCHEMA hp;
SET search_path = pg_catalog;
CREATE DOMAIN hp.short AS text;
CREATE TYPE hp.mood AS ENUM ('sad', 'ok');
CREATE TABLE hp.people (id int PRIMARY KEY, name text, code varchar(10), age int, big bigint, price numeric, tags text[], doc jsonb, at date, ok bool,
    dom hp.short, mood hp.mood);
INSERT INTO hp.people VALUES (1, 'Ann', 'a', 30, 1, 1.5, '{x,y}', '{"k": 1}', '2020-01-01', true, 'd', 'ok'), (2, 'bob', 'b', 20, 2, 2.5, '{}', '[]', '2021-01-01', false, 'e', 'sad');

CREATE TABLE hp.pets (id int PRIMARY KEY, person_id int REFERENCES hp.people, name varchar(10), code hp.short);
INSERT INTO hp.pets VALUES (1, 1, 'rex', 'r'), (2, 1, 'tom', 't'), (3, 2, 'max', 'm');

-- An attacker's schema. Whatever is run from it says so.
CREATE SCHEMA evil;
CREATE ROLE regress_mallory;
GRANT CREATE ON SCHEMA hp TO regress_mallory;
CREATE FUNCTION evil.caught(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the attacker''s % was run', what;
END $$;
-- operators, for exactly the types in use and for similar ones
DO $$
DECLARE
    op text;
    types text[];
    fn text;
    n int := 0;
BEGIN
    FOREACH op IN ARRAY '{=,<>,<,<=,>,>=,~~,!~~,~~*,!~~*,~,~*,+,-,*,/,%,||,->,->>,#>>,@>,<@,?,&&,@@}'::text[] LOOP
        FOR types IN SELECT ARRAY[l, r] FROM unnest('{int4,int8,numeric,text,varchar,date,bool,jsonb,text[],varchar[],hp.short,hp.mood}'::text[]) l,
            unnest('{int4,int8,numeric,text,varchar,date,bool,jsonb,text[],int4[],hp.short,hp.mood}'::text[]) r
            WHERE l = r OR op IN ('=', '>', '||', '+', '->', '->>', '~~') LOOP
            n := n + 1;
            fn := format('evil.op%s', n);
            EXECUTE format('CREATE FUNCTION %s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.caught(%L); RETURN NULL; END $f$',
                fn, types[1], types[2], CASE WHEN op ~ '^[=<>~!@?&]' THEN 'bool' ELSE types[1] END, 'operator ' || op);
            BEGIN
                EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)', op, types[1], types[2], fn);
            EXCEPTION WHEN OTHERS THEN
                NULL;           -- "->" does not take all
            END;
            -- and beside the types of the tables, where everybody may create
            IF types[1] LIKE 'hp.%' AND types[1] = types[2] THEN
                EXECUTE format('CREATE OPERATOR hp.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)', op, types[1], types[2], fn);
                EXECUTE format('ALTER OPERATOR hp.%s (%s, %s) OWNER TO regress_mallory', op, types[1], types[2]);
            END IF;
        END LOOP;
    END LOOP;
END $$;
-- functions
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT DISTINCT proname, args FROM (VALUES ('lower', 'text'), ('upper', 'text'), ('starts_with', 'text, text'), ('reverse', 'text'), ('strpos', 'text, text'),
            ('to_jsonb', 'anyelement'), ('jsonb_populate_recordset', 'anyelement, jsonb'), ('jsonb_to_recordset', 'jsonb'),
            ('jsonb_array_elements', 'jsonb'), ('unnest', 'anyarray'), ('row_number', ''), ('coalesce', 'text, text'), ('eq', 'text, text'), ('count', ''), ('format', 'text, text'),
            ('array_to_string', 'anyarray, text'), ('quote_ident', 'text'), ('nextval', 'regclass'), ('now', '')) x (proname, args) LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM evil.caught(%L); RETURN NULL; END $f$',
            f.proname, f.args, CASE WHEN f.args LIKE 'any%' THEN 'text' ELSE 'text' END, 'function ' || f.proname);
    END LOOP;
END $$;
CREATE FUNCTION evil.state1(text, int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught('aggregate'); RETURN NULL; END $$;
CREATE AGGREGATE evil.sum(int) (SFUNC = evil.state1, STYPE = text);
CREATE AGGREGATE evil.max(int) (SFUNC = evil.state1, STYPE = text);
CREATE AGGREGATE evil.count(int) (SFUNC = evil.state1, STYPE = text);
-- types, tables and casts
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (VALUE IS NULL);
CREATE DOMAIN evil.int4 AS pg_catalog.int4 CHECK (VALUE IS NULL);
CREATE DOMAIN evil.jsonb AS pg_catalog.jsonb CHECK (VALUE IS NULL);
CREATE TABLE evil.people (gotcha int);
CREATE TABLE evil.pg_class (gotcha int);
CREATE TABLE evil.model_options (gotcha int);

-- Everything corm does, by a superuser whose path begins with that schema: evil before pg_catalog, then behind it.
CREATE FUNCTION hp.everything() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answers pg_catalog.text[];
    row hp.people;
BEGIN
    answers := ARRAY[]::pg_catalog.text[];
    PERFORM corm.get_multi_json(corm.selector('hp.people'), corm.where(x)) FROM (VALUES
        (corm.eq('id', 1)), (corm.eq('id', '1')), (corm.eq('name', 'Ann')), (corm.eq('code', 'a')), (corm.eq('code', 'a'::varchar)), (corm.eq('dom', 'd')), (corm.eq('dom', 'd'::hp.short)), (corm.eq('mood', 'ok'::hp.mood)), (corm.eq('code', corm.c('code'))), (corm.eq('dom', corm.c('dom'))), (corm.eq('mood', 'ok')), (corm.gt('mood', 'sad')),
        (corm.eq('big', 1)), (corm.gt('price', 1)), (corm.neq('code', 'a')), (corm.lt('at', '2020-01-01')), (corm.like('code', 'a%')), (corm.ilike('name', 'a%')),
        (corm.not_like('dom', 'a%')), (corm.regex('name', 'a')), (corm.iregex('code', 'a')), (corm.starts_with('code', 'a')), (corm.contains('name', 'a')),
        (corm.icontains('dom', 'a')), (corm.ends_with('name', corm.c('code'))), (corm.icontains('name', corm.c('code'))), (corm.starts_with('name', corm.c('name'))),
        (corm.in('id', ARRAY[1, 2])), (corm.in('code', ARRAY['a'])), (corm.not_in('dom', ARRAY['a'])), (corm.in('mood', ARRAY['ok'])), (corm.between('code', 'a', 'b')),
        (corm.between('age', 1, 50)), (corm.is_distinct_from('code', 'a')), (corm.is_distinct_from('dom', 'a')), (corm.is_distinct_from('id', corm.c('age'))),
        (corm.contains('tags', ARRAY['x'])), (corm.overlaps('tags', '{x}')), (corm.contains('doc', '{"k": 1}')), (corm.has_key('doc', 'k')),
        (corm.eq(corm.json_get_text('doc', 'k'), '1')), (corm.eq(corm.json_path_text('doc', '{k}'), '1')), (corm.eq(corm.add('id', 1), 2)), (corm.eq(corm.add('id', corm.c('big')), 2)),
        (corm.gt(corm.mul('price', 2), 2)), (corm.eq(corm.concat('code', 'x'), 'ax')), (corm.eq(corm.concat('name', corm.c('code')), 'Anna')), (corm.eq(corm.fn('lower', corm.c('name')), 'ann')),
        (corm.eq(corm.coalesce(corm.c('code'), 'x'), 'a')), (corm.eq(corm.case(corm.eq('id', 1), corm.c('code'), 'z'), 'z')), (corm.eq(corm.cast('id', 'pg_catalog.text'::regtype), '1')),
        (corm.in('id', corm.pipe(corm.selector('hp.people', 'p'), corm.select('id')))), (corm.eq('id', corm.pipe(corm.selector('hp.people', 'p'), corm.select(corm.max('id'))))),
        (corm.some(corm.pipe(corm.selector('hp.people', 'p'), corm.where(corm.eq('p.code', corm.c('people.code'))))))) v (x);
    answers := array_append(answers, corm.get(NULL::hp.people, corm.where(corm.eq('code', 'a')))::pg_catalog.text);
    answers := array_append(answers, corm.first(NULL::hp.people)::pg_catalog.text);
    answers := array_append(answers, corm.value(NULL::pg_catalog.text, corm.selector('hp.people'), corm.select(corm.string_agg('name', ',')), corm.where(corm.eq('id', 1))));
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.people'), corm.select('ok', corm.as(corm.sum('age'), 's'), corm.as(corm.count('age'), 'n'), corm.as(corm.max('age'), 'm')),
        corm.group_by('ok'), corm.having(corm.gt(corm.sum('age'), 0)), corm.order_by('-s'))::pg_catalog.text);
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.people'), corm.distinct(), corm.select('code', corm.as(corm.over(corm.fn('row_number'), ARRAY['dom'], ARRAY['-code']), 'r')),
        corm.order_by('code'))::pg_catalog.text);
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.people'), corm.select('code'), corm.union(corm.pipe(corm.selector('hp.people'), corm.select('dom'))), corm.order_by('code'))::pg_catalog.text);
    answers := array_append(answers, corm.count(corm.selector('hp.people'))::pg_catalog.text);
    answers := array_append(answers, corm.exists(corm.selector('hp.people'))::pg_catalog.text);
    row := corm.insert(ROW(3, 'c', 'c', 1, 1, 1, '{}', '{}', '2020-01-01', true, 'c', 'ok')::hp.people);
    row := corm.update(row);
    row := corm.save(row);
    answers := array_append(answers, row::pg_catalog.text);
    answers := array_append(answers, corm.delete(row)::pg_catalog.text);
    answers := array_append(answers, corm.insert_json('hp.people', '[{"id": 4, "name": "x", "tags": ["a"], "doc": {}}, {"id": 5}, {}]'::pg_catalog.jsonb #- '{2}')::pg_catalog.text);
    PERFORM corm.insert_multi(ARRAY[ROW(6, 'c', 'c', 1, 1, 1, '{}', '{}', '2020-01-01', true, 'c', 'ok'), ROW(7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)]::hp.people[]);
    answers := array_append(answers, corm.exec(corm.updater('hp.people'), corm.set('age', corm.coalesce(corm.add('age', 1), 0)), corm.where(corm.in('code', ARRAY['c'])))::pg_catalog.text);
    answers := array_append(answers, corm.exec(corm.inserter('hp.people'), corm.set('id', 1), corm.set('code', 'a'), corm.on_conflict('id'), corm.do_update())::pg_catalog.text);
    answers := array_append(answers, corm.exec(corm.deleter('hp.people'), corm.where(corm.in('id', '{3,4,5,6,7}')))::pg_catalog.text);
    answers := array_append(answers, corm.where(corm.eq('id', '2020-01-01'::date))::pg_catalog.text);
    answers := array_append(answers, (corm.where(corm.in('id', ARRAY[1]))::pg_catalog.text)::corm.query::pg_catalog.text);
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.people'), corm.order_by('code'), corm.select('id'),
        corm.preload('pets', corm.where(corm.neq('name', 'tom')), corm.order_by('-name'), corm.limit(1)))::pg_catalog.text);
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.people'), corm.select('id'), corm.order_by('id'),
        corm.where(corm.some('pets', corm.eq('name', 'rex')), corm.every('pets', corm.neq('code', 'x')), corm.none('pets', corm.eq('name', 'max'))))::pg_catalog.text);
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.pets'), corm.join('person'), corm.select('id', 'person.code'), corm.where(corm.eq('person.code', 'a')),
        corm.order_by('id'))::pg_catalog.text);
    answers := array_append(answers, pg_catalog.jsonb_extract_path(corm.page_json(corm.selector('hp.people'), corm.select('id'), corm.order_by('-code', 'name'), corm.limit(1)), 'rows')::pg_catalog.text);
    answers := array_append(answers, pg_catalog.jsonb_extract_path(corm.page_json(corm.selector('hp.people'), corm.select('id'), corm.order_by('-code', 'name'), corm.limit(1),
        corm.after(pg_catalog.jsonb_extract_path_text(corm.page_json(corm.selector('hp.people'), corm.select('id'), corm.order_by('-code', 'name'), corm.limit(1)), 'page_info', 'end_cursor'))), 'rows')::pg_catalog.text);
    answers := array_append(answers, pg_catalog.jsonb_extract_path(corm.page_json(corm.selector('hp.pets'), corm.order_by('code'), corm.limit(2), corm.select('id'),
        corm.after(pg_catalog.jsonb_extract_path_text(corm.page_json(corm.selector('hp.pets'), corm.order_by('code'), corm.limit(1), corm.select('id')), 'page_info', 'end_cursor'))), 'rows')::pg_catalog.text);
    answers := array_append(answers, corm.get_multi_json(corm.selector('hp.people'), corm.filter('{"where": {"code": {"in": ["a"]}, "pets": {"some": {"name": "rex"}}, "age": {"gt": 1}},
        "order_by": ["-id"], "select": ["id", "code"]}'::pg_catalog.jsonb))::pg_catalog.text);
    PERFORM corm.describe('hp.people'), corm.explain(corm.selector('hp.people'), corm.where(corm.eq('code', 'a')));
    PERFORM * FROM corm.models;
    PERFORM * FROM corm.fields;
    RETURN answers;
END $$;
ALTER FUNCTION hp.everything() SET search_path = pg_catalog;
\pset format unaligned
\pset tuples_only on
CREATE TABLE hp.expected AS SELECT hp.everything() AS answers;
SELECT unnest(answers::text[]) FROM hp.expected;
ALTER FUNCTION hp.everything() SET search_path = evil, pg_catalog;
SELECT hp.everything() = answers AS same FROM hp.expected;
ALTER FUNCTION hp.everything() SET search_path = evil;
SELECT hp.everything() = answers AS same FROM hp.expected;
ALTER FUNCTION hp.everything() SET search_path = pg_catalog, evil, hp;
SELECT hp.everything() = answers AS same FROM hp.expected;
ALTER FUNCTION hp.everything() SET search_path = '';
SELECT hp.everything() = answers AS same FROM hp.expected;
-- a table, type and operator of the same name in the session's temporary schema
CREATE TEMP TABLE people (gotcha int);
ALTER FUNCTION hp.everything() SET search_path = pg_temp, evil;
SELECT hp.everything() = answers AS same FROM hp.expected;
-- The attacker's are found by those who ask for them: the trap is one.
SET search_path = evil, pg_catalog;
SELECT FROM hp.people WHERE code = 'a'::pg_catalog.varchar;
SELECT pg_catalog.bool_or(code LIKE 'a') FROM hp.people;
RESET search_path;
DROP SCHEMA hp, evil CASCADE;
DROP ROLE regress_mallory;
