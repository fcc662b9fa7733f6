-- Every kind of value goes into the cache and comes back.
SET timezone = 'UTC';
SET client_min_messages = warning;
SELECT corm.cache_clear() IS NOT NULL AS clear;

-- nothing there
SELECT corm.cache_get('none'), corm.cache_get_as(NULL::int, 'none'), corm.cache_exists('none'),
	corm.cache_ttl('none'), corm.cache_delete('none');
SELECT * FROM corm.cache_info('none');

-- literals are text
SELECT corm.cache_set('text', 'a literal');
SELECT corm.cache_get('text'), (corm.cache_info('text')).type, (corm.cache_info('text')).bytes;
SELECT corm.cache_get_as(NULL::text, 'text');
PREPARE untyped AS SELECT corm.cache_set('untyped', $1);
EXECUTE untyped('a parameter');
SELECT corm.cache_get('untyped'), (corm.cache_info('untyped')).type;
SELECT corm.cache_set('empty', '');
SELECT corm.cache_get('empty') = '' AS empty_is_not_null;
SELECT corm.cache_set('', 'empty key');
SELECT corm.cache_get('');

-- by value, fixed length, varlena, and what is built of them
CREATE TYPE cache_mood AS ENUM ('sad', 'ok');
CREATE TYPE cache_pair AS (n int, t text, ns int[]);
CREATE DOMAIN cache_positive AS int CHECK (VALUE > 0);
CREATE TABLE cache_row (id int, big text, at timestamptz);
CREATE FUNCTION pg_temp.round_trip(v anyelement) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM corm.cache_set('rt', v);
	IF corm.cache_get_as(v, 'rt')::text IS DISTINCT FROM v::text OR corm.cache_get('rt') IS DISTINCT FROM format('%s', v) THEN
		RETURN 'differs: ' || corm.cache_get('rt');
	END IF;
	IF (corm.cache_info('rt')).type <> pg_typeof(v) THEN
		RETURN 'type differs: ' || (corm.cache_info('rt')).type;
	END IF;
	RETURN left(corm.cache_get('rt'), 40);
END $$;
SELECT pg_temp.round_trip(true);
SELECT pg_temp.round_trip((-32768)::smallint);
SELECT pg_temp.round_trip(2147483647);
SELECT pg_temp.round_trip((-9223372036854775808)::bigint);
SELECT pg_temp.round_trip(1.5::real), pg_temp.round_trip('NaN'::float8), pg_temp.round_trip('-Infinity'::float8);
SELECT pg_temp.round_trip(12345678901234567890.123::numeric);
SELECT pg_temp.round_trip('2024-02-29 12:00:00.123456+00'::timestamptz), pg_temp.round_trip('infinity'::date);
SELECT pg_temp.round_trip('1 mon 2 days 03:04:05'::interval);
SELECT pg_temp.round_trip('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid);
SELECT pg_temp.round_trip('\x00ff00'::bytea);
SELECT pg_temp.round_trip('{"a": [1, null, {"b": "c"}]}'::jsonb), pg_temp.round_trip('{"a":  1}'::json);
SELECT pg_temp.round_trip('sad'::cache_mood);
SELECT pg_temp.round_trip(ARRAY[1, NULL, 3]), pg_temp.round_trip('{}'::int[]), pg_temp.round_trip('{{a,b},{c,d}}'::text[]);
SELECT pg_temp.round_trip(ARRAY['ok', 'sad']::cache_mood[]);
SELECT pg_temp.round_trip('[1,10)'::int4range), pg_temp.round_trip('empty'::numrange), pg_temp.round_trip('{[1,3),[5,8)}'::int4multirange);
SELECT pg_temp.round_trip(ROW(1, 'two', '{3,4}')::cache_pair);
SELECT pg_temp.round_trip(ARRAY[ROW(1, NULL, NULL), NULL]::cache_pair[]);
SELECT pg_temp.round_trip(ROW(1, 'x', '2024-01-01 00:00+00')::cache_row);
SELECT pg_temp.round_trip('192.168.0.1/24'::inet), pg_temp.round_trip('(1,2)'::point), pg_temp.round_trip('101'::bit(3));
SELECT pg_temp.round_trip(to_tsvector('simple', 'a b c'));
-- strings of any type are text
SELECT corm.cache_set('varchar', 'v'::varchar), corm.cache_set('name', 'n'::name), corm.cache_set('char', 'c   '::char(4));
SELECT key, value, (corm.cache_info(key)).type FROM corm.cache_get_many('{varchar,name,char}');
SELECT corm.cache_get_as(NULL::varchar, 'varchar');
SELECT corm.cache_set('domain', 5::cache_positive);
SELECT (corm.cache_info('domain')).type, corm.cache_get_as(NULL::cache_positive, 'domain'), corm.cache_get_as(NULL::int, 'domain');

-- large: compressed, out of line, a megabyte
CREATE TABLE cache_big AS SELECT repeat('0123456789', 104857) || 'tail56' AS squeezed,
	(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 32768) i) AS plain;
SELECT octet_length(plain) = 1048576 AS one_megabyte FROM cache_big;
SELECT corm.cache_set('squeezed', squeezed), corm.cache_set('plain', plain) FROM cache_big;
SELECT corm.cache_get('squeezed') = squeezed, corm.cache_get('plain') = plain, corm.cache_get_as(NULL::text, 'plain') = plain FROM cache_big;
SELECT corm.cache_delete('plain', immediate => true) = plain FROM cache_big;
SELECT corm.cache_set('row', ROW(1, plain, now())::cache_row) FROM cache_big;
SELECT (corm.cache_get_as(NULL::cache_row, 'row')).big = plain FROM cache_big;

-- sizes around every edge of a block come back whole
DO $$
DECLARE
	v text;
	k text;
BEGIN
	FOR n IN 0..700 LOOP
		v := left(repeat('abcdefghijklmnopqrstuvwxyz', 40), n);
		k := left('key' || n || repeat('k', 300), 4 + n % 300);
		PERFORM corm.cache_set(k, v);
		PERFORM corm.cache_set(k || 'i', v, immediate => true);
		IF corm.cache_get(k) <> v OR corm.cache_get(k || 'i') <> v OR corm.cache_delete(k || 'i', immediate => true) <> v THEN
			RAISE 'size % differs', n;
		END IF;
	END LOOP;
END $$;
SELECT count(*) FROM corm.cache_keys('key%');

-- what is refused, keys and values over their limits before anything is locked (hardening 15)
SELECT corm.cache_set('record', ROW(1, 2));
SELECT corm.cache_set('records', ARRAY[ROW(1, 2)]);
SELECT corm.cache_set('null', NULL::int);
SELECT corm.cache_set(NULL, 'x');
SELECT corm.cache_set('k', 'x', cache => NULL);
SELECT corm.cache_set(repeat('k', 1025), 'x');
SELECT corm.cache_set(repeat('k', 1024), 'x');
SELECT corm.cache_get(repeat('k', 1024));
SELECT corm.cache_set('huge', repeat('x', 5000000));
SELECT corm.cache_get_as(NULL::int, 'text');
SELECT corm.cache_get_as(NULL::bigint, 'domain');

-- a type that changes or goes makes its values misses, not something else
CREATE TYPE cache_changing AS (a int, b text);
SELECT corm.cache_set('changing', ROW(1, 'x')::cache_changing), corm.cache_set('changings', ARRAY[ROW(1, 'x')::cache_changing]);
SELECT corm.cache_get('changing'), corm.cache_get('changings');
ALTER TYPE cache_changing ALTER ATTRIBUTE a TYPE text;
SELECT corm.cache_get('changing'), corm.cache_get('changings'), corm.cache_get_as(NULL::cache_changing, 'changing');
SELECT corm.cache_set('changing', ROW('1', 'x')::cache_changing);
SELECT corm.cache_get('changing');
ALTER TYPE cache_changing ADD ATTRIBUTE c int;
SELECT corm.cache_get('changing');
SELECT corm.cache_set('mood', 'sad'::cache_mood);
DROP TYPE cache_mood CASCADE;
SELECT corm.cache_get('mood'), corm.cache_exists('mood');

DROP TABLE cache_row, cache_big;
DROP TYPE cache_pair, cache_changing;
DROP DOMAIN cache_positive;
SELECT corm.cache_clear() > 0 AS cleared;
SELECT * FROM corm.cache_check();
