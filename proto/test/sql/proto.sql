-- Rows as messages of protocol buffers, by tags that are written by hand.
\pset null '(null)'
SET search_path = proto_test;
CREATE SCHEMA proto_test;

-- Without tags, a row type is a message of its columns, numbered as they are.
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE plain (id bigint PRIMARY KEY, name text NOT NULL, age int, secret text, gone int, tags text[], m mood, at timestamptz, n numeric, b bytea, r real);
ALTER TABLE plain DROP COLUMN gone;
COMMENT ON COLUMN plain.secret IS '@orm:hidden';
INSERT INTO plain VALUES (1, 'Ada', 36, 'x', '{a,b}', 'glad', '1970-01-01 00:00:01.5+00', 1.50, '\x00', 1.5), (2, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT id, corm.proto_encode(p) FROM plain p ORDER BY id;
SELECT corm.proto_decode(NULL::plain, corm.proto_encode(p)) FROM plain p ORDER BY id;
SELECT corm.get_proto(NULL::plain, corm.where(corm.eq('id', 2)));
SELECT * FROM corm.get_multi_proto(NULL::plain, corm.order_by('-id'));
SELECT count(*) FROM corm.get_multi_proto(NULL::plain);
SELECT corm.get_proto(NULL::plain, corm.where(corm.eq('id', 3)));
SELECT corm.get_proto(NULL::plain);
-- a hidden field is in a message if that is what its tag says
COMMENT ON COLUMN plain.secret IS '@orm:hidden,proto=1';
SELECT corm.proto_encode(p) FROM plain p ORDER BY id;
-- an update of the comment counts at once, in the middle of a session
COMMENT ON COLUMN plain.secret IS '@orm:hidden,proto=2';
SELECT corm.proto_encode(p) FROM plain p WHERE id = 1;
DROP TABLE plain;

-- Tags say what a field is on the wire.
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TYPE inner_t AS (a int, b text);
CREATE TYPE kinds AS (
    i32 int, s32 int, f32 int, u32 bigint, x32 bigint, i64 bigint, s64 bigint, f64 bigint, u64 numeric, x64 numeric, f real, d float8, b boolean,
    s text, by bytea, e mood, m inner_t, ms inner_t[], at timestamptz, span interval, packed int[], unpacked int[], dom small, v varchar(3), one int, two text,
    three inner_t, req int, not_a_field text);
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT * FROM (VALUES ('i32', 'int32'), ('s32', 'sint32'), ('f32', 'sfixed32'), ('u32', 'uint32'), ('x32', 'fixed32'), ('i64', 'int64'), ('s64', 'sint64'),
        ('f64', 'sfixed64'), ('u64', 'uint64'), ('x64', 'fixed64'), ('f', 'float'), ('d', 'double'), ('b', 'bool'), ('s', 'string'), ('by', 'bytes'), ('e', 'enum'),
        ('m', 'message'), ('ms', 'message repeated'), ('at', 'timestamp'), ('span', 'duration'), ('packed', 'sint32 packed'), ('unpacked', 'int32 repeated'),
        ('dom', 'int32 optional'), ('v', 'string optional'), ('one', 'int32 oneof choice'), ('two', 'string oneof choice'), ('three', 'message oneof choice')) AS v (name, tag) LOOP
        EXECUTE format('COMMENT ON COLUMN kinds.%I IS %L', c.name,
            '@orm:proto=' || (SELECT attnum FROM pg_attribute WHERE attrelid = 'kinds'::regclass AND attname = c.name) || ' ' || c.tag);
    END LOOP;
END $$;
CREATE TABLE kept OF kinds;
INSERT INTO kept VALUES (1, -1, -1, 4294967295, 1, -1, -1, -1, 18446744073709551615, 1, 1.5, -0.5, true, 'é', '\xff', 'glad', ROW(1, 'x'), ARRAY[ROW(2, 'y')::inner_t, ROW(NULL, NULL)::inner_t],
    '1969-12-31 23:59:59.25+00', '-1.5 s', '{-1,0,300}', '{1,2}', 7, 'abc', NULL, '', NULL, NULL, 'not written'),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, '', '', NULL, NULL, '{}', NULL, NULL, '{}', '{}', NULL, NULL, 0, NULL, NULL, NULL, NULL),
    (2147483647, -2147483648, 2147483647, NULL, NULL, 9223372036854775807, -9223372036854775808, NULL, NULL, NULL, 'infinity', 'nan', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2 days 1 s', NULL, NULL,
     NULL, NULL, NULL, NULL, ROW(1, 'z'), NULL, NULL);
SELECT corm.proto_encode(ROW(k.*)::kinds) FROM kept k;
SELECT (corm.proto_decode(NULL::kinds, corm.proto_encode(ROW(k.*)::kinds))).* FROM kept k \gx

-- What a message cannot say.
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"u32": -1}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"x32": 4294967296}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"u64": -1}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"u64": 1.5}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"u64": 18446744073709551616}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"u64": "NaN"}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"at": "infinity"}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"span": "1 month"}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"packed": [1, null]}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"packed": [[1, 2]]}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"one": 1, "two": "x"}'));
COMMENT ON COLUMN kinds.req IS '@orm:proto=40 int32 required';
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{}'));
SELECT corm.proto_decode(NULL::kinds, '');
COMMENT ON COLUMN kinds.req IS NULL;
ALTER TYPE mood ADD VALUE 'late';
COMMENT ON TYPE mood IS '@orm:proto=Mood 0 5';
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"e": "glad"}'));
SELECT corm.proto_encode(jsonb_populate_record(NULL::kinds, '{"e": "late"}'));
SELECT (corm.proto_decode(NULL::kinds, '')).e;
SELECT (corm.proto_decode(NULL::kinds, '\x800106')).e;
SELECT corm.proto_encode(ROW(1, 2));
SELECT corm.proto_encode(1);
SELECT corm.proto_encode(NULL::kinds) IS NULL AS null;
SELECT corm.proto_decode(1, '');
SELECT corm.proto_decode(NULL::kinds, NULL) IS NULL AS null;

-- The wire: each of these is data for a type, with what becomes of it.
CREATE TYPE wire AS (a int, s text, r int[], m inner_t, u bigint);
COMMENT ON COLUMN wire.a IS '@orm:proto=1 int32 optional';
COMMENT ON COLUMN wire.s IS '@orm:proto=2 string optional';
COMMENT ON COLUMN wire.r IS '@orm:proto=3 int32 packed';
COMMENT ON COLUMN wire.m IS '@orm:proto=4 message';
COMMENT ON COLUMN wire.u IS '@orm:proto=536870911 uint32 optional';
COMMENT ON COLUMN inner_t.a IS '@orm:proto=1 int32 optional';
COMMENT ON COLUMN inner_t.b IS '@orm:proto=2 string optional';
CREATE FUNCTION try(data bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.proto_decode(NULL::wire, data)::text;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT what, data, try(data) FROM (VALUES
    ('nothing', '\x'::bytea), ('zero', '\x0800'), ('negative', '\x08ffffffffffffffffff01'), ('more bits than it has', '\x08ffffffffff01'), ('long form of 1', '\x0881808000'),
    ('too long a varint', '\x08ffffffffffffffffffff01'), ('cut off varint', '\x08ff'), ('cut off tag', '\x88'), ('field 0', '\x0001'), ('twice: the last', '\x08010802'),
    ('text', '\x12026162'), ('text of no length', '\x1200'), ('text too short', '\x120561'), ('text of a huge length', '\x12ffffffff0f61'), ('text with a zero', '\x1203610062'),
    ('text not in UTF-8', '\x1201ff'), ('packed', '\x1a03010203'), ('not packed', '\x180118021803'), ('both', '\x1a0201021803'), ('packed, cut off', '\x1a0201ff'),
    ('message', '\x22050801120161'), ('message twice: merged', '\x220208012203120161'), ('message within, cut off', '\x2203080112'),
    ('unknown varint', '\x28010801'), ('unknown 64 bits', '\x2901020304050607080801'), ('unknown text', '\x2a0261620801'), ('unknown 32 bits', '\x2d010203040801'),
    ('unknown 32 bits, cut off', '\x2d0102'), ('group', '\x2b2c0801'), ('wire type 6', '\x2e'), ('wire type 7', '\x2f'), ('int as text', '\x0a0161'), ('text as int', '\x1001'),
    ('int as 64 bits', '\x090102030405060708'), ('message as int', '\x2001'), ('greatest field', '\xf8ffffff0f07'), ('field beyond', '\xf8ffffff7f07')) AS v (what, data);

-- A message without fields skips all that there is.
CREATE TYPE empty AS ();
SELECT corm.proto_encode(ROW()::empty), corm.proto_decode(NULL::empty, ''), corm.proto_decode(NULL::empty, '\x08011201610d01020304');
SELECT count(corm.proto_decode(NULL::empty, set_byte(set_byte('\x000001', 0, (i * 8) & 127 | 128), 1, (i * 8) >> 7))) FROM generate_series(1, 2000) i;

-- Lengths of one to four bytes, of texts, messages and what is packed, at their borders.
CREATE TYPE sizes AS (s text, m inner_t, a int[], ms inner_t[]);
SELECT n, bool_and(corm.proto_decode(NULL::sizes, corm.proto_encode(r)) = r) AS same
    FROM unnest('{0,1,125,126,127,128,129,16380,16383,16384,2097150,2097152}'::int[]) n,
         LATERAL (SELECT ROW(repeat('x', n), ROW(n, repeat('y', n)), (SELECT coalesce(array_agg(i & 127), '{}') FROM generate_series(1, n) i), ARRAY[ROW(1, repeat('z', n))::inner_t])::sizes
                  OFFSET 0) v (r) GROUP BY n ORDER BY n;

-- A message within that comes in many parts is one.
SELECT corm.proto_decode(NULL::wire, '\x220012016122020805220312017a') AS parts;
SELECT corm.proto_decode(NULL::wire, decode(repeat('22020801', 100000) || '220312017a', 'hex')) AS many_parts;
CREATE TYPE when_t AS (at timestamptz, span interval);
COMMENT ON COLUMN when_t.at IS '@orm:proto=1 timestamp';
COMMENT ON COLUMN when_t.span IS '@orm:proto=2 duration';
SELECT (corm.proto_decode(NULL::when_t, '\x0a0208010a00')).at = '1970-01-01 00:00:01+00' AS at,
    extract(microseconds FROM (corm.proto_decode(NULL::when_t, '\x0a0208010a061080cab5ee010a00')).at) AS microseconds;
-- of one oneof, the last counts
SELECT (corm.proto_decode(NULL::kinds, '\xc80101d2010161')).one, (corm.proto_decode(NULL::kinds, '\xc80101d2010161')).two,
    (corm.proto_decode(NULL::kinds, '\xd2010161c80101')).one, (corm.proto_decode(NULL::kinds, '\xd2010161c80101')).two;

-- Zero is not written, but that of the other sign is.
CREATE TYPE zeros AS (d float8, f real);
COMMENT ON COLUMN zeros.d IS '@orm:proto=1 double';
COMMENT ON COLUMN zeros.f IS '@orm:proto=2 float';
SELECT corm.proto_encode(ROW(0, 0)::zeros), corm.proto_encode(ROW('-0', '-0')::zeros), corm.proto_decode(NULL::zeros, corm.proto_encode(ROW('-0', '-0')::zeros));

-- A number with a fraction is no integer.
CREATE TYPE fractions AS (n numeric, f float8, u numeric);
COMMENT ON COLUMN fractions.n IS '@orm:proto=1 int64';
COMMENT ON COLUMN fractions.f IS '@orm:proto=2 sint32';
COMMENT ON COLUMN fractions.u IS '@orm:proto=3 uint64';
SELECT corm.proto_encode(ROW(-2.00, -2, 2.00)::fractions), corm.proto_decode(NULL::fractions, corm.proto_encode(ROW(-2.00, -2, 2.00)::fractions));
SELECT corm.proto_encode(ROW(1.5, NULL, NULL)::fractions);
SELECT corm.proto_encode(ROW('NaN', NULL, NULL)::fractions);
SELECT corm.proto_encode(ROW(9223372036854775808, NULL, NULL)::fractions);
SELECT corm.proto_encode(ROW(0, 1.5, NULL)::fractions);
SELECT corm.proto_encode(ROW(0, 'NaN', NULL)::fractions);
SELECT corm.proto_encode(ROW(0, 3e9, NULL)::fractions);
SELECT corm.proto_encode(ROW(0, 1e300, NULL)::fractions);
SELECT corm.proto_encode(ROW(0, 0, 1.5)::fractions);

-- A number that is too large for a shorter one is not infinite.
CREATE TYPE narrow AS (f float8, d real);
COMMENT ON COLUMN narrow.f IS '@orm:proto=1 float';
COMMENT ON COLUMN narrow.d IS '@orm:proto=2 double';
SELECT corm.proto_encode(ROW('infinity', '-infinity')::narrow), corm.proto_decode(NULL::narrow, corm.proto_encode(ROW('infinity', '-infinity')::narrow));
SELECT corm.proto_encode(ROW(1e300, 1)::narrow);
SELECT corm.proto_decode(NULL::narrow, '\x119c7500883ce4377e');

-- Precisions and domains hold, within arrays and of arrays and rows, too.
CREATE DOMAIN few AS int[] CHECK (cardinality(VALUE) < 3);
CREATE DOMAIN given AS text NOT NULL;
CREATE DOMAIN whole AS inner_t CHECK ((VALUE).a > 0);
CREATE DOMAIN cents AS numeric(5, 2);
CREATE TYPE strict_t AS (n numeric(5, 2), c cents, at timestamptz(0), span interval(1), few few, smalls small[], given given, whole whole, v varchar(2)[]);
COMMENT ON COLUMN strict_t.n IS '@orm:proto=1 double optional';
COMMENT ON COLUMN strict_t.c IS '@orm:proto=2 double optional';
COMMENT ON COLUMN strict_t.at IS '@orm:proto=3 timestamp';
COMMENT ON COLUMN strict_t.span IS '@orm:proto=4 duration';
COMMENT ON COLUMN strict_t.few IS '@orm:proto=5 int32 packed';
COMMENT ON COLUMN strict_t.smalls IS '@orm:proto=6 int32 packed';
COMMENT ON COLUMN strict_t.given IS '@orm:proto=7 string optional';
COMMENT ON COLUMN strict_t.whole IS '@orm:proto=8 message';
COMMENT ON COLUMN strict_t.v IS '@orm:proto=9 string repeated';
CREATE FUNCTION try_strict(data bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.proto_decode(NULL::strict_t, data)::text;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SET timezone = 'UTC';
SELECT what, try_strict(data || '\x3a0178') FROM (VALUES
    ('numbers are rounded', '\x09d9cef753e3a5f33f11d9cef753e3a5f33f'::bytea), ('and refused', '\x09000000000088c340'), ('of a domain, too', '\x11000000000088c340'),
    ('times are rounded', '\x1a0808011080cab5ee01220808011080cab5ee01'), ('few', '\x2a020102'), ('too many', '\x2a03010203'), ('small ones', '\x32020163'),
    ('one too large', '\x32020164'), ('whole', '\x42020801'), ('not whole', '\x42020800'), ('short', '\x4a024142'), ('too long', '\x4a03414243')) v (what, data);
SELECT try_strict('');
-- a domain of the row itself
CREATE DOMAIN positive AS wire CHECK ((VALUE).a > 0);
SELECT corm.proto_decode(NULL::positive, '\x0801');
SELECT corm.proto_decode(NULL::positive, '\x0800');
SELECT corm.proto_encode(ROW(1, 'x', '{}', NULL, 1)::wire::positive);
-- in any style of dates
SET datestyle = 'sql, dmy';
SET timezone = 'Asia/Kolkata';
CREATE DOMAIN moment AS timestamptz CHECK (VALUE IS NOT NULL);
CREATE TYPE moments AS (m moment);
COMMENT ON COLUMN moments.m IS '@orm:proto=1 timestamp';
SELECT extract(epoch FROM (corm.proto_decode(NULL::moments, '\x0a020801')).m) AS seconds;
RESET datestyle;
RESET timezone;
-- a domain whose check decodes the same type again
CREATE TYPE again_t AS (a int);
CREATE FUNCTION check_again(v int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE r again_t;
BEGIN
    IF v > 0 THEN
        EXECUTE 'SELECT (corm.proto_decode(NULL::again_t, $1)).*' INTO r USING set_byte('\x0800', 1, v - 1);
        RETURN r.a = v - 1;
    END IF;
    RETURN true;
END $$;
CREATE DOMAIN again AS int CHECK (check_again(VALUE)) CHECK (VALUE < 10) CHECK (VALUE <> 5);
ALTER TYPE again_t ALTER ATTRIBUTE a TYPE again;
SELECT corm.proto_decode(NULL::again_t, '\x0804');
SELECT corm.proto_decode(NULL::again_t, '\x0806');
-- a label is safe to use after the transaction that adds it
CREATE TYPE newer AS (m mood);
BEGIN;
ALTER TYPE mood ADD VALUE 'newest';
COMMENT ON TYPE mood IS '@orm:proto=Mood 0 5 6 7';
SELECT corm.proto_decode(NULL::newer, '\x0805');
SELECT corm.proto_decode(NULL::newer, '\x0807');
ROLLBACK;

-- Tags that say nothing.
DO $$
DECLARE
    tag text;
    message text;
BEGIN
    FOREACH tag IN ARRAY ARRAY['0', '-1', 'x', '1x', '536870912', '1 int', '1 int32 often', '1 int32 oneof', '1 string repeated', '1 bytes', '1 bool', '1 message', '1 timestamp', '1 duration', '2'] LOOP
        BEGIN
            EXECUTE format('COMMENT ON COLUMN wire.a IS %L', '@orm:proto=' || tag);
            PERFORM corm.proto_encode(ROW(1, 'x', '{}', NULL, 1)::wire);
            RAISE EXCEPTION USING message = 'it was taken', errcode = 'P0099';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
            RAISE NOTICE '%: % %', tag, SQLSTATE, message;
        END;
    END LOOP;
END $$;

-- Labels and their numbers may change at any time.
CREATE TYPE color AS ENUM ('red', 'green');
CREATE TYPE colored AS (c color);
SELECT corm.proto_encode(ROW('green')::colored);
COMMENT ON TYPE color IS '@orm:proto=Color 3 4';
SELECT corm.proto_encode(ROW('green')::colored), corm.proto_decode(NULL::colored, '\x0803');
COMMENT ON TYPE color IS NULL;
ALTER TYPE color ADD VALUE 'blue' BEFORE 'green';
SELECT corm.proto_encode(ROW('green')::colored), corm.proto_encode(ROW('blue')::colored);

-- A type that changes while a query uses it.
CREATE TYPE changing AS (a int, m inner_t);
CREATE TABLE of_it (id int PRIMARY KEY, c changing);
INSERT INTO of_it SELECT i, ROW(i, ROW(i, 'x')::inner_t)::changing FROM generate_series(1, 3) i;
CREATE FUNCTION change(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF i = 2 THEN EXECUTE 'COMMENT ON COLUMN changing.a IS ''@orm:proto=7 sint32'''; END IF;
    RETURN i;
END $$;
SELECT change(id), corm.proto_encode(c) FROM of_it ORDER BY id;
SELECT corm.proto_encode(c) FROM of_it ORDER BY id;

-- A session may make, use and drop any number of types: what it knows of them does not grow.
CREATE PROCEDURE come_and_go(n int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        CREATE TYPE passing AS (a int, b text);
        EXECUTE 'SELECT corm.proto_decode(NULL::passing, corm.proto_encode(ROW(1, ''x'')::passing))';
        DROP TYPE passing;
        COMMIT;
    END LOOP;
END $$;
CALL come_and_go(130);
SELECT count(*) < 100 AS bounded FROM pg_backend_memory_contexts WHERE name = 'corm proto type';
-- nor do calls, and errors in them, leave anything behind
CREATE TABLE used AS SELECT sum(total_bytes) AS bytes FROM pg_backend_memory_contexts WHERE name LIKE 'corm proto%';
DO $$
DECLARE data bytea;
BEGIN
    FOR i IN 1 .. 3000 LOOP
        data := corm.proto_encode(ROW(repeat('x', i), ROW(i, 'y'), ARRAY[i], NULL)::sizes);
        PERFORM corm.proto_decode(NULL::sizes, data);
        BEGIN
            PERFORM corm.proto_decode(NULL::strict_t, '\x2a03010203');
        EXCEPTION WHEN check_violation THEN
        END;
    END LOOP;
END $$;
SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'corm proto%') - bytes < 100000 AS flat FROM used;

-- Types are made and changed by the rights of the caller.
CREATE ROLE regress_corm_proto;
GRANT USAGE ON SCHEMA proto_test TO regress_corm_proto;
SET ROLE regress_corm_proto;
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a02696418012001280552026964620670726f746f33', 'proto_test');
RESET ROLE;
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a02696418012001280552026964620670726f746f33', 'proto_test');
SET ROLE regress_corm_proto;
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a02696418012001280552026964620670726f746f33', 'proto_test');
DO $$
BEGIN
    PERFORM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a026e6f18012001280552026964620670726f746f33', 'proto_test');
    RAISE EXCEPTION USING errcode = 'P0099';
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'not the owner';
END $$;
SELECT corm.proto_encode(ROW(1)::top);
RESET ROLE;
BEGIN READ ONLY;
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a026e6f18012001280552026964620670726f746f33', 'proto_test');
ROLLBACK;
SET search_path = '';
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a026e6f18012001280552026964620670726f746f33');
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a026e6f18012001280552026964620670726f746f33', 'proto_test');
SET search_path = proto_test;
SELECT corm.proto_encode(ROW(1)::top), (corm.proto_decode(NULL::top, '\x0801')).no;
SELECT * FROM corm.register_proto('\x0a2a0a09746f702e70726f746f22150a03546f70120e0a02696418012001280552026964620670726f746f33', 'proto_test', '{"prefix": "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"}');
REVOKE USAGE ON SCHEMA proto_test FROM regress_corm_proto;
DROP ROLE regress_corm_proto;

-- Whatever the search_path.
SET search_path = '';
SELECT corm.proto_encode(c) FROM proto_test.of_it WHERE id = 1;
SET client_min_messages = warning;
DROP SCHEMA proto_test CASCADE;
