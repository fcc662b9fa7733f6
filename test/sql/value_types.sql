-- Values given as text take the type of the field they meet; typed values are bound as they are.
SET client_min_messages = warning;
CREATE SCHEMA vt;
SET search_path = vt;
CREATE EXTENSION citext SCHEMA vt;
CREATE EXTENSION hstore SCHEMA vt;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN email AS citext CHECK (VALUE ~ '@');
CREATE DOMAIN words AS text[];
CREATE TABLE v (
    i2 int2, i4 int4, i8 int8, n numeric(10,2), f4 float4, f8 float8, m money,
    t text, vc varchar(5), c char(3), nm name, ci citext,
    b bool, d date, tm time, ts timestamp, tz timestamptz, iv interval,
    u uuid, j json, jb jsonb, xb bytea, ip inet, mac macaddr, bt bit(3), vb varbit,
    e mood, dom posint, em email, p pair, dw words, ch "char",
    ia int[], ea mood[], ta text[], pa pair[], r int4range, mr int4multirange, hs hstore,
    rc regclass, ts_v tsvector, pt point, o oid
);

-- Each field set to a text, read back by that text, and by a typed value.
CREATE TABLE sample (field text, txt text, typ text);
INSERT INTO sample VALUES
    ('i2', '7', 'int2'), ('i4', '-7', 'int4'), ('i8', '9223372036854775807', 'int8'), ('n', '12.50', 'numeric'),
    ('f4', '1.5', 'float4'), ('f8', '-Infinity', 'float8'), ('m', '$1,000.00', 'money'),
    ('t', '''; DROP TABLE v --', 'text'), ('vc', 'ab', 'varchar'), ('c', 'a', 'bpchar'), ('nm', 'nm', 'name'),
    ('ci', 'MiXed', 'citext'), ('b', 'yes', 'bool'), ('d', '2020-02-29', 'date'), ('tm', '23:59', 'time'),
    ('ts', '2020-02-29 01:02', 'timestamp'), ('tz', '2020-02-29 01:02+03', 'timestamptz'), ('iv', '1 day', 'interval'),
    ('u', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'uuid'), ('jb', '{"k": [1]}', 'jsonb'),
    ('xb', '\xdead', 'bytea'), ('ip', '10.0.0.0/8', 'inet'), ('mac', '08:00:2b:01:02:03', 'macaddr'), ('bt', '101', 'bit(3)'),
    ('vb', '10', 'varbit'), ('e', 'happy', 'mood'), ('dom', '5', 'posint'), ('em', 'A@b', 'email'), ('p', '(1,"a b")', 'pair'),
    ('dw', '{a,"b c"}', 'words'), ('ch', 'x', 'text'), ('ia', '{1,NULL,3}', 'int[]'), ('ea', '{sad,ok}', 'mood[]'),
    ('ta', '{a,NULL}', 'text[]'), ('pa', '{"(1,a)"}', 'pair[]'), ('r', '[1,5)', 'int4range'), ('mr', '{[1,2),[5,6)}', 'int4multirange'),
    ('hs', '"a"=>"1"', 'hstore'), ('rc', '1259', 'regclass'), ('ts_v', '''a'' ''b''', 'tsvector'), ('o', '12', 'oid');
DO $$
DECLARE
    s record;
    n bigint;
BEGIN
    FOR s IN SELECT * FROM sample LOOP
        n := corm.exec(corm.inserter('vt.v'), corm.set(s.field, s.txt));
        ASSERT corm.count(corm.selector('vt.v'), corm.where(corm.eq(s.field, s.txt))) = 1, s.field || ' by text';
        EXECUTE format('SELECT corm.count(corm.selector(''vt.v''), corm.where(corm.eq(%L, %L::%s)))', s.field, s.txt, s.typ) INTO n;
        ASSERT n = 1, s.field || ' by a typed value';
        ASSERT corm.count(corm.selector('vt.v'), corm.where(corm.neq(s.field, s.txt))) = 0, s.field || ' unequal';
        ASSERT corm.count(corm.selector('vt.v'), corm.where(corm.is_distinct_from(s.field, s.txt))) =
               corm.count(corm.selector('vt.v')) - 1, s.field || ' distinct';
        IF s.txt NOT LIKE '{%' OR s.field IN ('jb', 'mr') THEN
            ASSERT corm.count(corm.selector('vt.v'), corm.where(corm.in(s.field, ARRAY[s.txt]))) = 1, s.field || ' in text[]';
        END IF;
        n := corm.exec(corm.updater('vt.v'), corm.set(s.field, s.txt), corm.where(corm.eq(s.field, s.txt)));
        ASSERT n = 1, s.field || ' update';
    END LOOP;
END $$;
-- json and point have no equality: they can be set, not compared.
SELECT corm.exec(corm.inserter('v'), corm.set('j', '{"a": 1}'), corm.set('pt', '(1,2)'));
SELECT corm.count(corm.selector('v'), corm.where(corm.is_not_null('j')));

-- Types with operators of their own keep them.
SELECT corm.count(corm.selector('v'), corm.where(corm.eq('ci', 'mixed'))) AS citext_eq,
    corm.count(corm.selector('v'), corm.where(corm.like('ci', 'MIX%'))) AS citext_like,
    corm.count(corm.selector('v'), corm.where(corm.starts_with('ci', 'mIX'))) AS citext_starts,
    corm.count(corm.selector('v'), corm.where(corm.eq('em', 'a@B'))) AS domain_over_citext,
    corm.count(corm.selector('v'), corm.where(corm.is_distinct_from('ci', 'MIXED'), corm.is_not_null('ci'))) AS citext_distinct,
    corm.count(corm.selector('v'), corm.where(corm.eq(corm.json_get('hs', 'a'), '1'))) AS hstore_get,
    corm.count(corm.selector('v'), corm.where(corm.has_key('hs', 'a'))) AS hstore_key,
    corm.count(corm.selector('v'), corm.where(corm.in('ci', ARRAY['MIXED']))) AS citext_in,
    corm.count(corm.selector('v'), corm.where(corm.eq(corm.coalesce(corm.c('ci'), 'x'), 'MIXED'))) AS citext_coalesce,
    corm.count(corm.selector('v'), corm.where(corm.between('ci', 'MIX', 'miy'))) AS citext_between,
    corm.count(corm.selector('v'), corm.where(corm.eq(corm.cast('t', 'citext'), $$'; drop TABLE V --$$))) AS citext_cast;
SELECT corm.to_sql(corm.selector('v'), corm.select('ci'), corm.where(corm.eq('ci', 'x'), corm.gt('e', 'sad'), corm.eq('em', 'a@b')));

-- A wrong value is PostgreSQL's error, and says which field it was for.
CREATE FUNCTION wrong(field text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    RETURN corm.count(corm.selector('v'), corm.where(corm.eq(field, value)));
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN SQLSTATE || ': ' || SQLERRM || ' / ' || substring(context FROM 'value for field [^\n]*');
END $$;
SELECT wrong(f, v) FROM (VALUES ('i2', '70000'), ('i4', 'x'), ('n', '1,2'), ('d', '2021-02-29'), ('tz', 'noon or so'), ('e', 'angry'),
    ('dom', '0'), ('em', 'nobody'), ('u', 'x'), ('jb', '{'), ('ia', '{1,x}'), ('ia', '1'), ('r', '[5,1)'), ('ip', '300.0.0.1'),
    ('xb', '\xzz'), ('p', '(1)'), ('b', 'maybe'), ('c', 'too long'), ('ea', '{sad,angry}')) AS x (f, v);

-- Arrays of text through the element's input function
SELECT corm.count(corm.selector('v'), corm.where(corm.in('e', ARRAY['happy', 'ok']))) AS enum,
    corm.count(corm.selector('v'), corm.where(corm.in('d', ARRAY['2020-02-29', NULL]))) AS date,
    corm.count(corm.selector('v'), corm.where(corm.not_in('u', ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']))) AS uuid,
    corm.count(corm.selector('v'), corm.where(corm.contains('ea', ARRAY['ok']))) AS enums,
    corm.count(corm.selector('v'), corm.where(corm.in('p', ARRAY['(1,"a b")']))) AS composite,
    corm.count(corm.selector('v'), corm.where(corm.in('dom', '{5,6}'))) AS domain;

-- Typed values of another type: PostgreSQL's own conversions, in both directions
SELECT corm.count(corm.selector('v'), corm.where(corm.eq('i2', 7::bigint))) AS int8,
    corm.count(corm.selector('v'), corm.where(corm.eq('i4', (-7)::numeric))) AS numeric,
    corm.count(corm.selector('v'), corm.where(corm.eq('n', 12.5::float8))) AS float8,
    corm.count(corm.selector('v'), corm.where(corm.eq('d', timestamp '2020-02-29'))) AS timestamp,
    corm.count(corm.selector('v'), corm.where(corm.eq('t', 'x'::name))) AS name,
    corm.count(corm.selector('v'), corm.where(corm.eq('dom', 5::posint))) AS domain;
SELECT corm.exec(corm.inserter('v'), corm.set('i2', 9::bigint), corm.set('vc', 12), corm.set('t', 13));

-- Domains: over corm's types they are what they are over; over text they name a field where one is wanted, and are values of their type elsewhere.
CREATE DOMAIN condition AS corm.expr;
CREATE DOMAIN source AS corm.query;
CREATE DOMAIN field AS text;
CREATE DOMAIN short_field AS varchar(20);
SELECT corm.to_sql(corm.selector('v'), corm.select('i4'::field, corm.c('i8')), corm.order_by('-i4'::short_field, corm.c('i8'))) AS names;
SELECT corm.to_sql(corm.selector('v'), corm.where(corm.eq('i4', corm.c('i8')::condition)), corm.select('i2')) AS expression;
SELECT corm.to_sql(corm.selector('v'), corm.where(corm.in('i4', corm.pipe(corm.selector('v', 'w'), corm.select('i8'))::source)), corm.select('i2')) AS query;
SELECT corm.to_sql(corm.selector('v'), corm.select(corm.coalesce(corm.c('t'), 'x'::field))) AS value;
SELECT corm.to_sql(corm.selector('v'), corm.select(4::posint, corm.c('i8')));
SELECT corm.to_sql(corm.selector('v'), corm.select(NULL::field, corm.c('i8')));

DROP SCHEMA vt CASCADE;
