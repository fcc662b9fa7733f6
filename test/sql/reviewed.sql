-- What reviewers found, in the smallest form.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SCHEMA reviewed;
CREATE EXTENSION citext SCHEMA reviewed;
SET search_path = reviewed;
\pset tuples_only on
\pset format unaligned
CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL, author_id int REFERENCES authors);
INSERT INTO authors VALUES (1, 'x'), (2, 'y'), (3, 'z');
INSERT INTO books VALUES (1, 't1', 1), (2, 't2', 1);

-- a page ordered by a type with operators of its own goes by these
CREATE TABLE words (id int PRIMARY KEY, word citext NOT NULL);
INSERT INTO words VALUES (1, 'a'), (2, 'B'), (3, 'c'), (4, 'D');
CREATE FUNCTION next_words(VARIADIC corm.query[]) RETURNS jsonb LANGUAGE sql AS
$$ SELECT corm.page_json(corm.selector('words'), corm.select('word'), corm.pipe(VARIADIC $1)) -> 'rows' $$;
CREATE FUNCTION word_cursor(VARIADIC corm.query[]) RETURNS text LANGUAGE sql AS
$$ SELECT corm.page_json(corm.selector('words'), corm.pipe(VARIADIC $1)) #>> '{page_info,end_cursor}' $$;
SELECT next_words(corm.order_by('word'), corm.limit(2), corm.after(word_cursor(corm.order_by('word'), corm.limit(2))));
SELECT next_words(corm.order_by('-word'), corm.limit(2), corm.after(word_cursor(corm.order_by('-word'), corm.limit(2))));
SELECT next_words(corm.order_by('word'), corm.limit(1), corm.before(word_cursor(corm.order_by('word'), corm.limit(2))));
SELECT corm.to_sql(corm.selector('words'), corm.order_by('word'), corm.after(word_cursor(corm.order_by('word'), corm.limit(2))));

-- rows that are not of the model have no place in a page of it
SELECT corm.page_json(corm.selector('books'), corm.right_join('author'), corm.limit(2));
SELECT corm.page_json(corm.selector('books'), corm.full_join('authors', corm.eq('author_id', corm.c('authors.id'))), corm.limit(2));
SELECT corm.page_json(corm.selector('books'), corm.select('id', 'author.name'), corm.left_join('author'), corm.limit(1)) -> 'rows';

-- a table is called the same in raw SQL, wherever in a query
SELECT corm.pluck(NULL::int, corm.selector('books'), corm.select('id'), corm.where(corm.in('id',
    corm.selector('books'), corm.select('id'), corm.where(corm.raw('books.title = $1', 't2')))));
SELECT corm.get_multi_json(corm.selector('authors'), corm.select('id'), corm.where(corm.eq('id', 1)),
    corm.preload('books', corm.select('title'), corm.where(corm.raw('books.id > $1', 1))));
SELECT corm.pluck(NULL::int, corm.selector('authors'), corm.select('id'), corm.where(
    corm.some('books', corm.in('id', corm.selector('books'), corm.select('id'), corm.where(corm.raw('books.id = 1')))),
    corm.in('id', corm.selector('books'), corm.select('author_id'), corm.where(corm.raw('books.id = 2')))));
-- unless it would hide what is reached by a path
CREATE TABLE author (id int, name text);
SELECT corm.to_sql(corm.selector('books', 'x'), corm.select('id'), corm.where(corm.some(corm.selector('books', 'y'), corm.where(
    corm.eq('id', corm.c('x.author.id')), corm.some(corm.selector('author'), corm.where(corm.eq('name', corm.c('x.author.name'))))))));

-- fields may be called like what is added to a page of parents
CREATE TABLE parents (id int PRIMARY KEY, "key 1" int, "cursor 1" int, "row number" int, "column 2" int);
CREATE TABLE kids (id int PRIMARY KEY, parent_id int REFERENCES parents);
INSERT INTO parents VALUES (1, 5, 6, 7, 8), (2, 5, 6, 7, 8);
INSERT INTO kids VALUES (3, 1);
SELECT corm.get_json(corm.selector('parents'), corm.preload('kids'), corm.order_by('key 1', 'id'));
SELECT corm.page_json(corm.selector('parents'), corm.preload('kids'), corm.order_by('cursor 1', 'row number'), corm.limit(1), corm.before(
    corm.page_json(corm.selector('parents'), corm.order_by('cursor 1', 'row number'), corm.limit(2)) #>> '{page_info,end_cursor}')) -> 'rows';
CREATE TABLE loops (id int PRIMARY KEY, up_id int REFERENCES loops);
-- aliases of a long path are found in time
SELECT count(*) FROM regexp_matches(corm.to_sql(corm.selector('loops'), corm.where(corm.eq(repeat('up.', 300) || 'id', 1))), 'LEFT JOIN', 'g');

-- with hooks, the condition of an upsert is about the rows that are there, guards included
CREATE TABLE hooked (id int PRIMARY KEY, n text);
CREATE FUNCTION before_save(r hooked) RETURNS hooked LANGUAGE plpgsql AS $$ BEGIN r.n := r.n || '.'; RETURN r; END $$;
INSERT INTO hooked VALUES (1, 'a'), (2, 'b');
SELECT n FROM corm.get_multi(NULL::hooked, corm.inserter('hooked'), corm.rows('[{"id": 1, "n": "x"}, {"id": 2, "n": "y"}, {"id": 3, "n": "z"}]'::jsonb),
    corm.on_conflict('id'), corm.do_update(), corm.where(corm.neq('id', 2))) ORDER BY id;
SELECT n FROM corm.get_multi(NULL::hooked, corm.inserter('hooked'), corm.set('id', 1), corm.set('n', 'w'),
    corm.on_conflict('id'), corm.do_update(), corm.guard('hooked', corm.neq('n', 'x.')));
SELECT * FROM hooked ORDER BY id;
-- and what a row was joined to cannot be returned
SELECT corm.get_multi_json(corm.updater('hooked'), corm.set('n', 'j'), corm.join('books', corm.eq('books.id', corm.c('hooked.id'))),
    corm.where(corm.eq('books.title', 't2')), corm.returning('id', 'books.title'));
SELECT corm.get_multi_json(corm.updater('hooked'), corm.set('n', 'j'), corm.join('books', corm.eq('books.id', corm.c('hooked.id'))),
    corm.where(corm.eq('books.title', 't2')), corm.returning('id', 'n'));

-- a WITH query of theirs can
SELECT corm.get_multi_json(corm.with('w', corm.selector('books')), corm.updater('hooked'), corm.set('n', 'w'), corm.where(corm.eq('id', 2)),
    corm.returning('id', corm.as(corm.pipe(corm.from_cte('w'), corm.select(corm.count())), 'books')));

-- NULL in a view leaves the column to the default of the table behind it, with hooks and without
CREATE TABLE behind (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n text, k int DEFAULT 5);
CREATE VIEW front AS SELECT * FROM behind;
COMMENT ON COLUMN front.id IS '@orm:primary_key';
SELECT corm.insert(ROW(NULL, 'a', NULL)::front), corm.insert_json('front', '{"n": "b", "k": null}');
SELECT * FROM corm.insert_multi(ARRAY[ROW(NULL, 'c', NULL), ROW(NULL, NULL, 7)]::front[]);
CREATE FUNCTION before_save(r front) RETURNS front LANGUAGE plpgsql AS $$ BEGIN r.n := r.n || '.'; RETURN r; END $$;
SELECT corm.insert(ROW(NULL, 'd', NULL)::front), corm.insert_json('front', '{"n": "e"}'),
    corm.exec(corm.inserter('front'), corm.set('n', 'f'));
SELECT * FROM behind ORDER BY id;

-- a preload into a typed attribute beside a selected value that is cast
CREATE TYPE author_card AS (id int, books books[], total bigint);
SELECT corm.get_multi(NULL::author_card, corm.selector('authors'), corm.select('id', corm.as(corm.fn('length', corm.c('name')), 'total')),
    corm.preload('books', corm.order_by('-id')), corm.order_by('total', 'id'), corm.limit(2));

-- soft-deleted rows are as if they were not there, in right and full joins too
CREATE TABLE people (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE clubs (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE members (person_id int REFERENCES people, club_id int REFERENCES clubs, deleted_at timestamptz, PRIMARY KEY (person_id, club_id));
SELECT corm.register(t::regclass, '{"soft_delete": true}') FROM unnest('{people,clubs,members}'::text[]) AS t;
INSERT INTO people VALUES (1, NULL), (2, now()), (3, NULL);
INSERT INTO clubs VALUES (1, NULL), (2, NULL), (3, now()), (4, NULL);
INSERT INTO members VALUES (1, 1, NULL), (1, 2, now()), (2, 1, NULL), (2, 4, NULL), (3, 3, NULL), (3, 2, NULL);
CREATE FUNCTION pairs(source regclass, VARIADIC joins corm.query[]) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(concat(coalesce(r ->> 'a', '-'), coalesce(r ->> 'b', '-')), ' ' ORDER BY r ->> 'a', r ->> 'b')
   FROM jsonb_array_elements(corm.get_multi_json(corm.selector(source), corm.pipe(VARIADIC joins))) AS r $$;
CREATE FUNCTION pairs(sql text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE result text;
BEGIN
    EXECUTE format($q$ WITH p AS (SELECT * FROM people WHERE deleted_at IS NULL), c AS (SELECT * FROM clubs WHERE deleted_at IS NULL),
        m AS (SELECT * FROM members WHERE deleted_at IS NULL)
        SELECT string_agg(concat(coalesce(p.id::text, '-'), coalesce(c.id::text, '-')), ' ' ORDER BY p.id, c.id) FROM %s $q$, sql) INTO result;
    RETURN result;
END $$;
SELECT kind, pairs('people', q, corm.select(corm.as('id', 'a'), corm.as('clubs.id', 'b'))) AS by_corm,
    pairs(replace(hand, 'l ', '(SELECT p.id AS pid, c.id AS cid FROM p JOIN m ON m.person_id = p.id JOIN c ON c.id = m.club_id) AS l ')) AS by_hand
FROM (VALUES ('INNER', corm.join('clubs'), 'p JOIN l ON pid = p.id JOIN c ON c.id = cid'),
    ('LEFT', corm.left_join('clubs'), 'p LEFT JOIN l ON pid = p.id LEFT JOIN c ON c.id = cid'),
    ('RIGHT', corm.right_join('clubs'), 'l JOIN p ON p.id = pid RIGHT JOIN c ON c.id = cid'),
    ('FULL', corm.full_join('clubs'), 'p LEFT JOIN l ON pid = p.id FULL JOIN c ON c.id = cid')) AS v (kind, q, hand);
SELECT kind, pairs('people', q, corm.select(corm.as('id', 'a'), corm.as('members.club_id', 'b'))) AS by_corm,
    pairs(format('p %s JOIN m ON m.person_id = p.id LEFT JOIN LATERAL (SELECT m.club_id AS id) AS c ON true', kind)) AS by_hand
FROM (VALUES ('RIGHT', corm.right_join('members')), ('FULL', corm.full_join('members'))) AS v (kind, q);
SELECT corm.to_sql(corm.selector('people'), corm.unscoped(), corm.right_join('members'));

-- the second part of a union would find the rows of all parents
SELECT corm.get_multi_json(corm.selector('authors'), corm.preload('books', corm.union(corm.selector('books'))));

-- the first row is the one with the lowest key, of a union and of distinct rows too
CREATE TABLE upside_down (n text, the_id int PRIMARY KEY);
INSERT INTO upside_down SELECT 'n' || g, g FROM generate_series(9, 1, -1) AS g;
SELECT corm.register('upside_down', '{"naming": "camel"}');
SELECT corm.first(NULL::upside_down, corm.distinct()), corm.first(NULL::upside_down, corm.union_all(corm.selector('upside_down'))),
    corm.first_json(corm.selector('upside_down'), corm.union(corm.selector('upside_down'))),
    corm.first(NULL::upside_down, corm.union(corm.selector('upside_down')), corm.order_by('-the_id'));

-- an update that a trigger suppresses
CREATE TABLE kept (id int PRIMARY KEY, kind "char");
INSERT INTO kept VALUES (1, 'a'), (2, 'b');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION keep();
\set VERBOSITY default
SELECT corm.update(ROW(1, 'c')::kept);
\set VERBOSITY terse

-- the largest limit there is
SELECT corm.page_json(corm.selector('kept'), corm.limit(9223372036854775807)) -> 'rows',
    corm.page_json(corm.selector('kept'), corm.limit(9223372036854775806)) #> '{page_info,has_next}',
    corm.page_json(corm.selector('kept'), corm.limit(1)) #> '{page_info,has_next}';

-- a domain over a row type is no model, with a source or without
CREATE DOMAIN kept_domain AS kept;
\set VERBOSITY default
SELECT corm.get(NULL::kept_domain);
\set VERBOSITY terse
SELECT corm.first(NULL::kept_domain, corm.selector('kept'));
SELECT corm.get(NULL::int);

-- "char" is as near to text as to any type for PostgreSQL; as text it takes the type of the field
SELECT corm.get(NULL::kept, corm.where(corm.eq('kind', 'b'::"char"::text)));

DROP SCHEMA reviewed CASCADE;
