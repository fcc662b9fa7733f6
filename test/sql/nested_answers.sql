--
-- The answers of nested writes: rows as documents, put together to one
--
CREATE SCHEMA answers;
SET search_path = answers;

CREATE TYPE answers.mood AS ENUM ('calm', 'wild');
CREATE DOMAIN answers.small AS int CHECK (VALUE < 1000);
CREATE TABLE boxes (id int PRIMARY KEY, "Wide Name" text);
CREATE TABLE things (
	id int PRIMARY KEY, box_id int REFERENCES boxes, b boolean, i2 int2, i8 bigint, n numeric, n2 numeric(10, 2),
	r real, d float8, t text, v varchar(20), c char(4), day date, at timestamp, atz timestamptz, clock time, wait interval,
	u uuid, j json, jb jsonb, a int[], texts text[], m answers.mood, s answers.small, rng int4range, bytes bytea, host inet, x text);
CREATE TABLE bolts (id int PRIMARY KEY, thing_id int REFERENCES things, n numeric);
SET timezone = 'UTC';

-- A row of each type; what is answered is what a read shows, and is stored as PostgreSQL would store it.
CREATE TEMP TABLE answer (doc jsonb);
ALTER TABLE answer ALTER doc SET STORAGE EXTERNAL;
INSERT INTO answer SELECT corm.insert_json('boxes', '{"id": 1, "Wide Name": "a \"b\" \\ ü", "things": [
	{"id": 1, "b": true, "i2": -32768, "i8": 9223372036854775807, "n": 1.500, "n2": 7, "r": 0.1, "d": 1e20, "t": "", "v": "x\ty", "c": "ab",
	 "day": "infinity", "at": "2026-01-02 03:04:05.6", "atz": "-infinity", "clock": "12:00", "wait": "1 day", "u": "00000000-0000-0000-0000-00000000000a",
	 "j": {"z": 1, "a": [2]}, "jb": {"z": 1, "a": [2, {"k": null}]}, "a": [1, 2], "texts": ["a", null], "m": "wild", "s": 999,
	 "rng": "[1,3)", "bytes": "\\x00ff", "host": "::1", "bolts": [{"id": 1, "n": "NaN"}, {"id": 2, "n": 0.000000000000000000000000000000000001}]},
	{"id": 2, "d": 0.1, "r": 3, "n": "Infinity", "x": "last"},
	{"id": 3, "d": "NaN", "r": "-Infinity", "n": 0, "jb": "scalar", "j": null, "a": [], "bolts": []},
	{"id": 4, "d": -0.0, "n": -12345678901234567890.123, "jb": [], "texts": [], "bolts": [{"id": 3, "n": 1}]}]}');
SELECT jsonb_strip_nulls(doc) FROM answer;
SELECT doc = doc::text::jsonb AS equal, jsonb_send(doc) = jsonb_send(doc::text::jsonb) AS same_text, pg_column_size(doc #> '{}') = pg_column_size(doc::text::jsonb) AS same_size,
	jsonb_hash(doc) = jsonb_hash(doc::text::jsonb) AS same_hash FROM answer;
SELECT t -> 'id' AS id, (t - 'bolts') = corm.find_json('things', (t ->> 'id')::int) AS as_read
FROM answer, jsonb_array_elements(doc -> 'things') AS t;
SELECT (doc -> 'things' -> 0 -> 'bolts') = corm.get_multi_json(corm.selector('bolts'), corm.where(corm.eq('thing_id', 1)), corm.order_by('id')) AS as_read FROM answer;

-- Many children, so that the array has offsets among its lengths, with texts of all lengths in front of numbers
SELECT count(*), bool_and(t ->> 't' = repeat('y', i::int % 7)), bool_and((t ->> 'i8')::bigint = i * 1000), bool_and(t -> 'bolts' -> 0 ->> 'n' = i || '.5'),
	bool_and(doc = doc::text::jsonb)
FROM (SELECT corm.insert_json('boxes', jsonb_build_object('id', 2, 'things', jsonb_agg(jsonb_build_object('id', 100 + i, 't', repeat('y', i % 7), 'i8', i * 1000,
		'bolts', jsonb_build_array(jsonb_build_object('id', 100 + i, 'n', i + 0.5)))))) AS doc FROM generate_series(1, 150) AS i) AS w,
	jsonb_array_elements(doc -> 'things') WITH ORDINALITY AS e (t, i);

-- Values are strings where the client wants them so.
SET corm.json_bigint = string;
SELECT corm.insert_json('boxes', '{"id": 4, "things": [{"id": 20, "i8": 9007199254740993, "n": 1.0, "d": 2.5}]}') -> 'things' -> 0 AS thing \gset
SELECT jsonb_typeof(:'thing'::jsonb -> 'i8') AS i8, :'thing'::jsonb ->> 'i8' AS value, jsonb_typeof(:'thing'::jsonb -> 'n') AS n, jsonb_typeof(:'thing'::jsonb -> 'd') AS d;
RESET corm.json_bigint;

-- Numbers that are too small or too large for the field are named, others are taken.
SELECT corm.insert_json('things', '[{"id": 31, "r": 1e39}]');
SELECT corm.insert_json('things', '[{"id": 31, "r": 1e-46}]');
SELECT corm.insert_json('boxes', '{"id": 5, "things": [{"id": 31, "r": 1e39}]}');
SELECT t -> 'r' AS r, t -> 'd' AS d FROM corm.insert_json('things', '[{"id": 31, "r": 0.000000000000000000000000000001, "d": 2147483647.25}]') AS i, jsonb_array_elements(i) AS t;

-- Hidden fields are not answered, wherever the row is; middleware and hooks see the same as before.
COMMENT ON COLUMN bolts.n IS '@orm:hidden';
SELECT corm.insert_json('boxes', '{"id": 6, "things": [{"id": 40, "bolts": [{"id": 400, "n": 4}]}]}') #> '{things,0,bolts}' AS bolts;
SELECT n FROM bolts WHERE id = 400;
COMMENT ON COLUMN bolts.n IS NULL;
CREATE FUNCTION answers.spy(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
	r corm.query_result := corm.next(qc);
BEGIN
	RAISE NOTICE '% %: %', qc.op, qc.model, (SELECT string_agg(x::text, ', ') FROM corm.result_rows(r) AS x);
	RETURN r;
END $$;
SELECT corm.use('answers.spy(corm.query_context)', 'bolts') > 0 AS used;
SELECT corm.insert_json('things', '{"id": 50, "bolts": [{"id": 500, "n": 5}]}') -> 'bolts' AS bolts;
SELECT corm.unuse(id) FROM corm.middleware;
CREATE FUNCTION answers.after_create(b bolts) RETURNS bolts LANGUAGE plpgsql AS $$ BEGIN b.n := b.n * 2; RETURN b; END $$;
SELECT corm.insert_json('things', '{"id": 51, "bolts": [{"id": 510, "n": 5}]}') -> 'bolts' AS bolts;
DROP FUNCTION answers.after_create;
CREATE FUNCTION answers.after_find(b bolts) RETURNS bolts LANGUAGE sql AS 'SELECT b.id, b.thing_id, -b.n';
SELECT corm.insert_json('things', '{"id": 52, "bolts": [{"id": 520, "n": 5}]}') -> 'bolts' AS bolts;
DROP FUNCTION answers.after_find;

-- A dropped column, and one that the model leaves out
ALTER TABLE bolts ADD COLUMN secret int DEFAULT 7, ADD COLUMN shown int DEFAULT 8, DROP COLUMN n;
COMMENT ON COLUMN bolts.secret IS '@orm:-';
SELECT corm.insert_json('things', '{"id": 53, "bolts": [{"id": 530}]}') -> 'bolts' AS bolts;

SET client_min_messages = warning;
DROP SCHEMA answers CASCADE;
