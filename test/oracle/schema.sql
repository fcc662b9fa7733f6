-- The tables of the oracle's reading part, with random rows.  Small domains, many NULLs, ties and odd texts, so that
-- conditions are now true, now false, now unknown.  Variable seed: a number between 0 and 1.
CREATE EXTENSION corm;
CREATE TYPE mood AS ENUM ('calm', 'busy', 'cross');
CREATE TABLE companies (
	id       int PRIMARY KEY,
	name     text,
	size     int,
	rating   numeric(4, 1),
	founded  date,
	closed_at timestamptz
);
COMMENT ON COLUMN companies.closed_at IS '@orm:soft_delete';
CREATE TABLE people (
	id         int PRIMARY KEY,
	company_id int REFERENCES companies,
	boss_id    int REFERENCES people,
	name       text,
	nick       text NOT NULL,
	age        int,
	level      smallint NOT NULL,
	score      numeric(5, 2),
	ratio      float8,
	active     boolean,
	born       date,
	seen_at    timestamptz,
	state      mood,
	tags       text[],
	doc        jsonb
);
COMMENT ON CONSTRAINT people_boss_id_fkey ON people IS '@orm:name=boss,inverse=staff';
CREATE TABLE tasks (
	id        int PRIMARY KEY,
	person_id int NOT NULL REFERENCES people,
	title     text,
	prio      int,
	cost      numeric(5, 2),
	due       date,
	done      boolean,
	state     mood,
	deleted   boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN tasks.deleted IS '@orm:soft_delete';
CREATE TABLE labels (id int PRIMARY KEY, name text, weight int);
CREATE TABLE task_labels (
	task_id  int REFERENCES tasks,
	label_id int REFERENCES labels,
	PRIMARY KEY (task_id, label_id)
);
CREATE INDEX ON people (company_id);
CREATE INDEX ON people (boss_id);
CREATE INDEX ON tasks (person_id);
CREATE INDEX ON task_labels (label_id);

-- one of the elements, or NULL with the given probability
CREATE FUNCTION some_of(elements anyarray, nulls float8 DEFAULT 0.2) RETURNS anyelement LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() >= nulls THEN elements[1 + floor(random() * cardinality(elements))::int] END
$$;
-- the table of texts that the generator knows, too
CREATE FUNCTION texts() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT ARRAY['', 'a', 'b', 'ab', 'A', 'aBc', 'a%b', 'a_b', 'é', 'o''x', 'x\y', ' a ', 'NULL', '"q"']
$$;

SELECT setseed(:seed);
INSERT INTO companies
SELECT i, some_of(texts()), some_of('{0,1,2,3,50}'::int[]), some_of('{0,1.5,2.5,-1.5}'::numeric[]),
	some_of('{2000-01-01,2000-02-29,1999-12-31}'::date[]), some_of('{2024-01-01 00:00+00}'::timestamptz[], 0.8)
FROM generate_series(1, 12) i;
INSERT INTO people
SELECT i, some_of('{1,2,3,4,5,6,7,8,9,10}'::int[]), CASE WHEN i > 4 THEN some_of('{1,2,3,4}'::int[], 0.4) END,
	some_of(texts()), some_of(texts(), 0), some_of('{-1,0,1,2,3,18,40}'::int[]), some_of('{0,1,2}'::smallint[], 0),
	some_of('{0,0.5,-0.5,10,99.99}'::numeric[]), some_of('{0,1.5,-1.5,1e10,0.1}'::float8[]), some_of('{t,f}'::boolean[]),
	some_of('{2000-01-01,2000-01-02,1980-06-15}'::date[]), some_of('{2024-01-01 00:00+00,2024-03-01 12:30:00.123456+00}'::timestamptz[]),
	some_of(enum_range(NULL::mood)), CASE WHEN random() < 0.8 THEN ARRAY(SELECT t FROM unnest('{a,b,ab}'::text[]) t WHERE random() < 0.4 + i * 0) END,
	CASE WHEN random() < 0.8 THEN jsonb_build_object(some_of('{a,b}'::text[], 0), some_of('{1,2}'::int[])) END
FROM generate_series(1, 60) i;
INSERT INTO tasks
SELECT i, some_of(ARRAY(SELECT generate_series(1, 45)), 0), some_of(texts()), some_of('{0,1,2,3}'::int[]), some_of('{0,0.5,12.25}'::numeric[]),
	some_of('{2000-01-01,2000-01-02}'::date[]), some_of('{t,f}'::boolean[]), some_of(enum_range(NULL::mood)), random() < 0.2
FROM generate_series(1, 100) i;
INSERT INTO labels SELECT i, some_of(texts()), some_of('{0,1,2}'::int[]) FROM generate_series(1, 8) i;
INSERT INTO task_labels SELECT t.id, l.id FROM tasks t, labels l WHERE random() < 0.15;
ANALYZE;

-- Follows the cursors of a query's pages from the first to the last and back.  Every page must be the next piece of
-- the whole, and its page_info must say what is before and behind.  Returns the number of pages; raises at the first wrong one.
CREATE FUNCTION walk(q corm.query, expected int[], size int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	page jsonb;
	cursor text;
	ids int[];
	pages int := 0;
	total int := cardinality(expected);
	at int := 0;
	wanted int[];
BEGIN
	LOOP
		page := corm.page_json(q, corm.limit(size), corm.after(cursor));
		ids := ARRAY(SELECT (r ->> 'id')::int FROM jsonb_array_elements(page -> 'rows') WITH ORDINALITY e(r, n) ORDER BY n);
		wanted := expected[at + 1 : at + size];
		pages := pages + 1;
		IF ids <> wanted OR (page #>> '{page_info,has_next}')::boolean <> (at + size < total)
			OR (page #>> '{page_info,has_previous}')::boolean <> (at > 0) THEN
			RAISE 'forward page % after row %: %, not %; %', pages, at, ids, wanted, page -> 'page_info' USING ERRCODE = 'OX001';
		END IF;
		at := at + cardinality(ids);
		EXIT WHEN at >= total OR ids = '{}';
		cursor := page #>> '{page_info,end_cursor}';
	END LOOP;
	-- back from the last row
	IF total > 0 THEN
		page := corm.page_json(q, corm.limit(size), corm.before(page #>> '{page_info,end_cursor}'));
		at := total - 1;
		LOOP
			ids := ARRAY(SELECT (r ->> 'id')::int FROM jsonb_array_elements(page -> 'rows') WITH ORDINALITY e(r, n) ORDER BY n);
			wanted := expected[greatest(at - size, 0) + 1 : at];
			pages := pages + 1;
			IF ids <> wanted OR (ids <> '{}' AND ((page #>> '{page_info,has_previous}')::boolean <> (at > size)
				OR NOT (page #>> '{page_info,has_next}')::boolean)) THEN
				RAISE 'backward page % before row %: %, not %; %', pages, at + 1, ids, wanted, page -> 'page_info' USING ERRCODE = 'OX001';
			END IF;
			at := at - cardinality(ids);
			EXIT WHEN at <= 0;
			page := corm.page_json(q, corm.limit(size), corm.before(page #>> '{page_info,start_cursor}'));
		END LOOP;
	END IF;
	RETURN pages;
END $$;
