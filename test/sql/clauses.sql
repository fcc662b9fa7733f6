-- Clauses: the SQL that they become, the rows that they give, and where they have no place.
SET client_min_messages = warning;
CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL, country text);
CREATE TABLE books (
    id int PRIMARY KEY, author_id int REFERENCES authors, title text, price numeric, pages int, year int
);
INSERT INTO authors VALUES (1, 'Ann', 'NO'), (2, 'Bob', 'SE'), (3, 'Cyd', 'NO');
INSERT INTO books VALUES (1, 1, 'Alpha', 10, 100, 2000), (2, 1, 'Beta', 20, 200, 2001),
    (3, 2, 'Gamma', 30, NULL, 2001), (4, NULL, 'Delta', 40, 50, 2002);

-- The SQL of a query and its rows as JSON arrays of values.
CREATE FUNCTION q(VARIADIC q corm.query[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEXT corm.to_sql(VARIADIC q);
    RETURN QUERY SELECT '  ' || r::text FROM jsonb_array_elements(corm.get_multi_json(VARIADIC q)) r;
END $$;
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n  ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on

-- Sources and aliases
SELECT q(corm.selector('authors'));
SELECT q(corm.selector('authors', 'a'), corm.where(corm.eq('a.id', 1)));
SELECT q(corm.selector('authors', 'My "A"'), corm.where(corm.eq('My "A".id', 1)));
SELECT q(corm.from_query(corm.pipe(corm.selector('books'), corm.select('author_id', corm.as(corm.sum('price'), 'total')),
        corm.group_by('author_id')), 's'), corm.where(corm.gt('total', 30)), corm.order_by('total'));
SELECT q(corm.with('n', corm.pipe(corm.selector('authors'), corm.where(corm.eq('country', 'NO')))), corm.from_cte('n'),
    corm.select('name'), corm.order_by('name'));
SELECT q(corm.with('n', corm.pipe(corm.selector('authors'), corm.where(corm.eq('country', 'NO')))), corm.from_cte('n', 'x'),
    corm.select('x.name'), corm.order_by('-x.name'));
-- a WITH query in another one, in a subquery, in FROM and in a union
SELECT q(corm.with('n', corm.pipe(corm.selector('authors'), corm.where(corm.eq('country', 'NO')))),
    corm.with('m', corm.pipe(corm.from_cte('n'), corm.where(corm.gt('id', 1)))), corm.from_cte('m'), corm.select('id'));
SELECT q(corm.with('n', corm.pipe(corm.selector('authors'), corm.select('id'))), corm.selector('books'), corm.select('id'),
    corm.where(corm.not_in('author_id', corm.pipe(corm.from_cte('n'), corm.where(corm.gt('id', 1))))));
SELECT q(corm.with('n', corm.pipe(corm.selector('authors'), corm.select('id'))),
    corm.from_query(corm.pipe(corm.from_cte('n'), corm.where(corm.gt('id', 1))), 'f'), corm.order_by('id'));
SELECT q(corm.with('n', corm.pipe(corm.selector('authors'), corm.select('id'))), corm.from_cte('n'), corm.where(corm.eq('id', 1)),
    corm.union(corm.pipe(corm.from_cte('n'), corm.where(corm.eq('id', 3)))), corm.order_by('id'));
SELECT corm.to_sql(corm.raw_query('SELECT $1::int AS a', 1));
SELECT corm.get_multi_json(corm.raw_query('SELECT id, $1::text AS t FROM authors WHERE id < $2 ORDER BY id;', 'x', 3));

-- Select lists
SELECT q(corm.selector('authors'), corm.select('name', 'authors.id'), corm.where(corm.eq('id', 1)));
SELECT q(corm.selector('authors'), corm.select('name'), corm.select('id'), corm.where(corm.eq('id', 1)));
SELECT q(corm.selector('authors'), corm.select(VARIADIC ARRAY['name', 'country']), corm.where(corm.eq('id', 1)));
SELECT q(corm.selector('authors'), corm.select(corm.as('name', 'Full Name'), corm.as(corm.concat('name', '!'), 'order')),
    corm.where(corm.eq('id', 1)));
SELECT q(corm.selector('books'), corm.select(corm.pipe(corm.selector('authors'), corm.select('name'),
    corm.where(corm.eq('authors.id', corm.c('books.author_id'))))), corm.where(corm.eq('id', 1)));

-- Where
SELECT q(corm.selector('books'), corm.select('id'), corm.where(corm.gt('price', 10), corm.lt('price', 40)), corm.where(corm.eq('year', 2001)));
SELECT q(corm.selector('books'), corm.select('id'), corm.where(), corm.limit(1));

-- Joins
SELECT q(corm.selector('books'), corm.join('authors', corm.eq('books.author_id', corm.c('authors.id'))),
    corm.select('title', 'authors.name'), corm.order_by('title'));
SELECT q(corm.selector('books', 'b'), corm.left_join('authors', corm.eq('b.author_id', corm.c('a.id')), 'a'),
    corm.select('title', 'name'), corm.order_by('b.id'));
SELECT q(corm.selector('books', 'b'), corm.right_join('authors', corm.eq('b.author_id', corm.c('a.id')), 'a'),
    corm.select('title', 'name'), corm.order_by('a.id', 'b.id'));
SELECT q(corm.selector('books', 'b'), corm.full_join('authors', corm.eq('b.author_id', corm.c('a.id')), 'a'),
    corm.select(corm.count()));
SELECT q(corm.selector('authors', 'a'), corm.cross_join('authors', 'b'), corm.select(corm.count()));
SELECT q(corm.selector('authors'), corm.join_query(corm.pipe(corm.selector('books'), corm.select('author_id', corm.as(corm.count(), 'n')),
        corm.group_by('author_id')), corm.eq('s.author_id', corm.c('authors.id')), 's'), corm.select('name', 'n'), corm.order_by('name'));
SELECT q(corm.with('s', corm.pipe(corm.selector('books'), corm.where(corm.gt('price', 15)))), corm.selector('authors'),
    corm.join_cte('s', corm.eq('s.author_id', corm.c('authors.id'))), corm.select('name', 's.title'), corm.order_by('s.title'));

-- Groups
SELECT q(corm.selector('books'), corm.select('year', corm.as(corm.count(), 'n')), corm.group_by('year'), corm.order_by('year'));
SELECT q(corm.selector('books'), corm.select('year', corm.as(corm.count(), 'n')), corm.group_by('year'),
    corm.having(corm.gt(corm.count(), 1)), corm.order_by('-n'));
SELECT q(corm.selector('books'), corm.select('year', corm.as(corm.count(), 'n')), corm.group_by('year'), corm.having(corm.gt('n', 1)));
SELECT q(corm.selector('books'), corm.select(corm.as(corm.mod('year', 2), 'odd'), corm.as(corm.count(), 'n')), corm.group_by('odd'),
    corm.order_by('odd'));
SELECT q(corm.selector('books'), corm.select(corm.as(corm.count(), 'n')), corm.group_by(corm.gt('price', 15)), corm.order_by('n'));

-- Order
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by('-year', 'title'));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by(corm.asc('pages', 'first'), corm.desc('id')));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by(corm.desc('pages', 'last')));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by(corm.desc(corm.add('price', corm.c('pages')), 'LAST')));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by('-books.id'), corm.limit(2));
SELECT q(corm.selector('books'), corm.select('id', corm.add('price', 1)), corm.order_by('-add'), corm.limit(1));
SELECT q(corm.selector('books'), corm.select(corm.max('price')), corm.order_by('max'));
SELECT q(corm.selector('books'), corm.select(corm.as('price', 'p')), corm.order_by(corm.desc(corm.add('p', 1))), corm.limit(1));

-- Limit and offset
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by('id'), corm.limit(2), corm.offset(1));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by('id'), corm.limit(0));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by('id'), corm.limit(NULL), corm.offset(3));
SELECT q(corm.selector('books'), corm.select('id'), corm.order_by('id'), corm.limit(1), corm.limit(2));

-- Distinct
SELECT q(corm.selector('books'), corm.distinct(), corm.select('year'), corm.order_by('year'));
SELECT q(corm.selector('books'), corm.distinct_on('year'), corm.select('year', 'title'), corm.order_by('year', '-title'));

-- Set operations, one after the other
SELECT q(corm.selector('books'), corm.select('id'), corm.where(corm.lt('id', 3)),
    corm.union(corm.pipe(corm.selector('books'), corm.select('id'), corm.where(corm.gt('id', 1)))),
    corm.order_by('-id'), corm.limit(3));
SELECT q(corm.selector('authors'), corm.select('country'), corm.union_all(corm.pipe(corm.selector('authors'), corm.select('country'))),
    corm.order_by('country'));
SELECT q(corm.selector('books'), corm.select('id'), corm.except(corm.pipe(corm.selector('authors'), corm.select('id'))));
SELECT q(corm.selector('books'), corm.select('id'), corm.where(corm.eq('id', 4)),
    corm.union(corm.pipe(corm.selector('authors'), corm.select('id'))),
    corm.intersect(corm.pipe(corm.selector('books'), corm.select('id'), corm.where(corm.lt('id', 3)))), corm.order_by('id'));

-- Locks
SELECT q(corm.selector('books'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.for_update());
SELECT q(corm.selector('books'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.for_update('nowait'));
SELECT q(corm.selector('books'), corm.select('id'), corm.where(corm.eq('id', 1)), corm.for_share('SKIP LOCKED'));

-- Clauses as fragments, piped and listed
SELECT q(corm.pipe(), corm.selector('books'), corm.pipe(corm.select('id'), corm.pipe(corm.where(corm.eq('id', 1)))));
SET search_path = public, corm_ops;
SELECT q(corm.selector('books') |> corm.where(corm.c('id') = 2) |> corm.select('title'));
RESET search_path;

-- Inserts
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.set('title', 'E'), corm.set('price', corm.add(corm.val(1), 2)));
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.set('id', 6));
SELECT corm.to_sql(corm.inserter('books'));
SELECT corm.to_sql(corm.inserter('books'), corm.rows('[{"id": 5, "title": "E"}]'::jsonb));
SELECT corm.to_sql(corm.inserter('books'), corm.rows(ARRAY[ROW(5, NULL, 'E', NULL, 1, 2)::books]));
SELECT corm.to_sql(corm.inserter('books'), corm.rows('{"id": 5, "title": "E"}'), corm.set('year', 2000), corm.set('title', 'F'));
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.returning('id', corm.as(corm.mul('price', 2), 'd')));
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.returning());
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.on_conflict('id'), corm.do_nothing());
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.do_nothing());
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.set('title', 'E'), corm.set('year', 1), corm.on_conflict('id'), corm.do_update());
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.set('title', 'E'), corm.set('year', 1), corm.on_conflict('id'), corm.do_update('title'));
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.set('title', 'E'), corm.on_constraint('books_pkey'), corm.do_update('title'),
    corm.set('pages', corm.add('pages', corm.excluded('pages'))), corm.where(corm.lt('year', 2000)));
SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 5), corm.on_conflict('id'), corm.on_conflict_where(corm.gt('price', 0)), corm.do_nothing());
SELECT corm.to_sql(corm.with('a', corm.selector('authors')), corm.inserter('books'),
    corm.set('id', corm.pipe(corm.from_cte('a'), corm.select(corm.max('id')))));

-- Updates and deletes
SELECT corm.to_sql(corm.updater('books'), corm.set('title', 'X'), corm.set('price', corm.mul('price', 2)), corm.where(corm.eq('id', 1)));
SELECT corm.to_sql(corm.updater('books'), corm.set('title', NULL::text), corm.set('pages', NULL), corm.all_rows());
SELECT corm.to_sql(corm.updater('books'), corm.set('title', corm.c('authors.name')), corm.join('authors', corm.eq('authors.id', corm.c('books.author_id'))),
    corm.where(corm.eq('authors.country', 'NO')), corm.returning('title'));
SELECT corm.to_sql(corm.deleter('books'), corm.where(corm.eq('id', 1)), corm.returning());
SELECT corm.to_sql(corm.deleter('books'), corm.join('authors', corm.eq('authors.id', corm.c('author_id'))), corm.where(corm.eq('country', 'NO')));
SELECT corm.to_sql(corm.deleter('books'), corm.all_rows(), corm.max_rows(10));

-- What is refused
SELECT refused($$SELECT corm.to_sql()$$);
SELECT refused($$SELECT corm.to_sql(corm.where(corm.eq('id', 1)))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.selector('authors'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.updater('books'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.set('id', 1))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.returning())$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.all_rows())$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.max_rows(1))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.rows('[]'::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.do_nothing())$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.all_rows(), corm.select('id'))$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.all_rows(), corm.order_by('id'))$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.all_rows(), corm.limit(1))$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.all_rows(), corm.on_conflict('id'))$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.all_rows())$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.left_join('authors', corm.val(true)), corm.all_rows())$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1))$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.where())$$);
SELECT refused($$SELECT corm.to_sql(corm.updater('books'), corm.set('id', 1), corm.where(corm.and(corm.and())))$$);
SELECT refused($$SELECT corm.to_sql(corm.deleter('books'))$$);
SELECT refused($$SELECT corm.to_sql(corm.deleter('books'), corm.set('id', 1), corm.all_rows())$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 1), corm.where(corm.eq('id', 1)))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 1), corm.join('authors', corm.val(true)))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 1), corm.on_conflict('id'))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 1), corm.do_update())$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 1), corm.on_conflict('id'), corm.on_constraint('x'), corm.do_nothing())$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('[]'::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('[1]'::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('1'::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('{"nope": 1}'::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows(NULL::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('{}'::books[]))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('{1}'::int[]))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows(ARRAY[NULL::books]))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('not json'))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.rows('{}'::jsonb), corm.rows('{}'::jsonb))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('nope', 1))$$);
SELECT refused($$SELECT corm.to_sql(corm.inserter('books'), corm.set('id', 1), corm.returning('nope'))$$);
SELECT refused($$SELECT corm.exec(corm.deleter('books'), corm.all_rows(), corm.max_rows(NULL))$$);
SELECT refused($$SELECT corm.exec(corm.deleter('books'), corm.all_rows(), corm.max_rows(-1))$$);
SELECT refused($$SELECT corm.to_sql('[{"deleter": "books"}, {"all_rows": []}, {"max_rows": "1234"}]')$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.select('nope'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.where(corm.eq('authors.id', 1)))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.where(corm.eq('books.nope', 1)))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.join('authors', corm.val(true)), corm.join('books', corm.val(true)))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('authors', 'a'), corm.join('authors', corm.val(true), 'b'), corm.join('authors', corm.val(true), 'c'),
    corm.join('books', corm.val(true)), corm.select('books.id', 'title'), corm.order_by('name'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.join('authors', corm.val(true), 'b'), corm.join('authors', corm.val(true), 'c'), corm.order_by('name'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books', repeat('x', 64)))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.for_update('later'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.order_by(corm.asc('id', 'middle')))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.order_by('-'))$$);
SELECT refused($$SELECT corm.to_sql(corm.from_cte('nope'))$$);
SELECT refused($$SELECT corm.to_sql(corm.from_query(corm.raw_query('SELECT 1'), 'x'))$$);
SELECT refused($$SELECT corm.to_sql(corm.from_query(corm.pipe(corm.selector('books'), corm.select('id')), 'x'), corm.where(corm.eq('title', 'x')))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), corm.union(corm.selector('books')), corm.order_by('nope'))$$);
SELECT refused($$SELECT corm.get_multi_json(corm.selector('books'), corm.limit(-1))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('SELECT 1; SELECT 2'))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query(''))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('DROP TABLE books'))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('SELECT 1 INTO t'))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('SELECT 1 INTO t UNION SELECT 2'))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('SELEC 1'))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('SELECT $2', 1))$$);
SELECT refused($$SELECT corm.to_sql(corm.raw_query('SELECT 1'), corm.limit(1))$$);
SELECT refused($$SELECT corm.to_sql(corm.with('a', corm.selector('books')), corm.raw_query('SELECT 1'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('no_such_table'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books_pkey'))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector(0))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector(NULL))$$);
SELECT refused($$SELECT corm.to_sql(corm.selector('books'), NULL)$$);
SELECT refused($$SELECT corm.to_sql(VARIADIC NULL::corm.query[])$$);
SELECT refused($$SELECT corm.to_sql(corm.pipe(corm.selector('books'), NULL))$$);
SELECT refused($$SELECT corm.count(corm.deleter('books'), corm.all_rows())$$);
SELECT refused($$SELECT corm.exists(corm.deleter('books'), corm.all_rows())$$);
SELECT count(*) FROM books;

DROP FUNCTION q(corm.query[]);
DROP FUNCTION refused(text);
DROP TABLE books, authors;
