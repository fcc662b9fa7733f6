-- Fields of rows by name.
\pset null '(null)'
CREATE SCHEMA refl;
SET search_path = refl;

CREATE TYPE address AS (street text, city text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN required AS text NOT NULL;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (
	id int PRIMARY KEY, dropped int, name varchar(5), born date, price numeric(6, 2), tags text[], home address,
	rank positive, mood mood, locked text, doc jsonb, twice int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE people DROP dropped;
COMMENT ON COLUMN people.locked IS '@orm:read_only';
COMMENT ON COLUMN people.name IS '@orm:name=Login';
INSERT INTO people (id, name, born, price, tags, home, rank, mood, locked, doc)
VALUES (1, 'joe', '2000-02-29', 9.9, '{a,b}', ROW ('High St', 'York'), 3, 'ok', 'x', '{"k": 1}');
INSERT INTO people (id) VALUES (2);
-- a row that is older than its table
ALTER TABLE people ADD added text DEFAULT 'new';

-- get_field
SELECT f, corm.get_field(p, f) FROM people p,
	unnest('{id,Login,name,Born,born,price,tags,home,rank,mood,locked,doc,twice,added}'::text[]) f WHERE id = 1;
SELECT corm.get_field(p, 'Login'), corm.get_field(p, 'added') FROM people p WHERE id = 2;
SELECT corm.get_field(p, NULL) FROM people p;
SELECT corm.get_field(NULL::people, 'id');
SELECT corm.get_field(NULL::people, 'idd');
SELECT corm.get_field(NULL::record, 'idd');
SELECT corm.get_field(p, 'LOGIN') FROM people p;
SELECT corm.get_field(p, 'dropped') FROM people p;
SELECT corm.get_field(p, '........pg.dropped.2........') FROM people p;
SELECT corm.get_field(p, 'ctid') FROM people p;
SELECT corm.get_field(p, '') FROM people p;
SELECT corm.get_field(p, repeat('x', 256)) IS NULL FROM people p;
SELECT corm.get_field(p, 'id; drop') FROM people p;
SELECT corm.get_field(42, 'x');
SELECT corm.get_field('x'::text, 'x');
-- any row
SELECT corm.get_field(ROW (1, 'two'::text), 'f2'), corm.get_field(s, 'b'), corm.get_field(('a', 'b')::address, 'city')
FROM (SELECT 1 AS a, 2 AS b) s;
SELECT corm.get_field(ROW (1), 'f3');
SELECT corm.get_field(c, 'relname') FROM pg_class c WHERE oid = 'pg_class'::regclass;
-- rows of different types at one call site
SELECT corm.get_field(r, 'f1') FROM (VALUES (ROW (1, 'a'::text)), (ROW ('x'::text))) v (r);
SELECT corm.get_field(p, f) FROM people p, unnest('{id,price}'::text[]) f ORDER BY id, f;

-- get_field_as
SELECT corm.get_field_as(NULL::int, p, 'price'), corm.get_field_as(NULL::date, p, 'born') + 1,
	corm.get_field_as(NULL::text[], p, 'tags'), (corm.get_field_as(NULL::address, p, 'home')).city,
	corm.get_field_as(0, p, 'rank'), corm.get_field_as(''::text, p, 'mood'), corm.get_field_as(NULL::positive, p, 'id')
FROM people p;
SELECT corm.get_field_as(NULL::int, ROW ('12'::text), 'f1'), corm.get_field_as(NULL::int, NULL::people, 'id'),
	corm.get_field_as(NULL::int, NULL, 'id');
SELECT corm.get_field_as(NULL::int, p, 'born') FROM people p;
SELECT corm.get_field_as(NULL::int, p, 'locked') FROM people p;
SELECT corm.get_field_as(NULL::positive, ROW (-1), 'f1');
SELECT corm.get_field_as(NULL::int, p, 'brn') FROM people p;

-- set_field
SELECT corm.set_field(p, 'Login', 'jim') FROM people p;
SELECT (corm.set_field(p, 'born', '1999-12-31')).born, (corm.set_field(p, 'born', date '1999-12-31')).born,
	(corm.set_field(p, 'price', 7.777)).price, (corm.set_field(p, 'price', '7.777')).price,
	(corm.set_field(p, 'price', 7)).price, (corm.set_field(p, 'id', 7::bigint)).id,
	(corm.set_field(p, 'tags', '{c}')).tags, (corm.set_field(p, 'tags', ARRAY['d', NULL])).tags,
	(corm.set_field(p, 'tags', ARRAY[1, 2])).tags, (corm.set_field(p, 'mood', 'sad')).mood,
	(corm.set_field(p, 'rank', 9)).rank, (corm.set_field(p, 'doc', '[1]')).doc,
	((corm.set_field(p, 'home', ROW ('Low St', 'Bath'))).home).city,
	((corm.set_field(p, 'home', ROW ('Low St', 'Bath')::address)).home).city,
	(corm.set_field(p, 'born', NULL)).born, (corm.set_field(p, 'id', NULL::int)).id
FROM people p WHERE id = 1;
PREPARE set_it AS SELECT (corm.set_field(p, 'price', $1)).price FROM people p WHERE id = 1;
EXECUTE set_it('1.005');
EXECUTE set_it(NULL);
SELECT corm.set_field(NULL::people, 'id', 3);
SELECT corm.set_field(ROW (1, 2), 'f2', 3), corm.set_field(ROW (1, 2), 'f2', '4');
SELECT corm.set_field(p, 'nmae', 'x') FROM people p;
SELECT corm.set_field(p, 'twice', 'x') FROM people p;
SELECT corm.set_field(p, 'locked', 'x') FROM people p;
SELECT corm.set_field(p, NULL, 'x') FROM people p;
SELECT corm.set_field(NULL::record, 'x', 'x');
SELECT corm.set_field(p, 'id', 'x') FROM people p;
SELECT corm.set_field(p, 'id', true) FROM people p;
SELECT corm.set_field(p, 'id', now()) FROM people p;
SELECT corm.set_field(p, 'born', '2000-02-30') FROM people p;
SELECT corm.set_field(p, 'id', 3000000000) FROM people p;
SELECT corm.set_field(p, 'Login', 'too long') FROM people p;
SELECT corm.set_field(p, 'Login', 123456) FROM people p;
SELECT corm.set_field(p, 'rank', 0) FROM people p;
SELECT corm.set_field(p, 'rank', '-1') FROM people p;
SELECT corm.set_field(p, 'mood', 'glad') FROM people p;
SELECT corm.set_field(p, 'home', ROW (1)) FROM people p;
SELECT corm.set_field(p, 'home', p) FROM people p;
SELECT corm.set_field(1, 'home', 'x');
-- a domain over a row type
CREATE DOMAIN real_address AS address CHECK ((VALUE).city IS NOT NULL);
CREATE TABLE homes (a real_address, r required);
SELECT corm.set_field(ROW ('s', 'c')::real_address, 'city', 'd'), pg_typeof(corm.set_field(ROW ('s', 'c')::real_address, 'city', 'd'));
SELECT corm.set_field(ROW ('s', 'c')::real_address, 'city', NULL);
SELECT corm.get_field(ROW ('s', 'c')::real_address, 'city');
SELECT corm.set_field(NULL::homes, 'r', NULL);
SELECT corm.set_field(NULL::homes, 'r', NULL::varchar);

-- large values survive
INSERT INTO people (id, locked) SELECT 3, string_agg(md5(i::text), '') FROM generate_series(1, 1000) i;
CREATE TABLE copies (p people);
INSERT INTO copies SELECT corm.set_field(p, 'id', 4) FROM people p WHERE id = 3;
SELECT length((p).locked), (p).id FROM copies;
UPDATE people SET locked = NULL WHERE id = 3;
VACUUM people;
SELECT length((p).locked), length(corm.get_field(p, 'locked')) FROM copies;
DELETE FROM people WHERE id = 3;

-- iterate_fields
SELECT f.* FROM people p, corm.iterate_fields(p) f WHERE id = 1;
SELECT * FROM corm.iterate_fields(NULL::address);
SELECT * FROM corm.iterate_fields(ROW (1, NULL::text, '{"a": 1}'::jsonb));
SELECT * FROM corm.iterate_fields(NULL::record);
SELECT * FROM corm.iterate_fields(5);

-- in PL/pgSQL, while the type changes
DO $$
DECLARE p refl.people;
BEGIN
	SELECT * INTO p FROM refl.people WHERE id = 1;
	FOR i IN 1..3 LOOP
		BEGIN
			p := corm.set_field(p, 'Login', 'n' || i);
			RAISE NOTICE '% %', corm.get_field(p, 'Login'), corm.get_field_as(NULL::int, p, 'id') + i;
			PERFORM corm.set_field(p, 'id', CASE WHEN i = 2 THEN 'bad' ELSE '1' END);
		EXCEPTION WHEN invalid_text_representation THEN
			RAISE NOTICE '%', SQLERRM;
		END;
		IF i = 2 THEN
			COMMENT ON COLUMN refl.people.name IS NULL;
		END IF;
	END LOOP;
EXCEPTION WHEN undefined_column THEN
	RAISE NOTICE '%', SQLERRM;
END $$;

SET client_min_messages = warning;
DROP SCHEMA refl CASCADE;
