"""The reports of docs/reports.md over the data of the benchmark, as JSON: corm, and SQL by hand."""

from harness import SLICES, Line, at_most

SETUP = """
CREATE TABLE IF NOT EXISTS categories (id int PRIMARY KEY, name text NOT NULL, parent_id int CONSTRAINT categories_parent REFERENCES categories);
COMMENT ON CONSTRAINT categories_parent ON categories IS '@orm:name=parent,inverse=children';
INSERT INTO categories SELECT i, 'Category ' || i, nullif(i / 8, 0) FROM generate_series(1, 500) AS i ON CONFLICT DO NOTHING;
CREATE INDEX IF NOT EXISTS categories_parent_id ON categories (parent_id);
ANALYZE categories;
"""

MONTH = "corm.fn('to_char', corm.c('placed_at'), 'YYYY-MM-DD')"

# title, how often, corm, SQL by hand; {i} is another number each time
REPORTS = [
    ("totals per day with running total and share, 200,000 orders", 20,
     f"""corm.get_multi_json(corm.selector('orders'), corm.select(corm.as({MONTH}, 'day'), corm.as(corm.sum('amount'), 'total'),
         corm.as(corm.over(corm.sum(corm.sum('amount')), corm.order_by({MONTH})), 'running'),
         corm.as(corm.fn('round', corm.cast(corm.div(corm.mul(corm.sum('amount'), 100), corm.over(corm.sum(corm.sum('amount')))), 'numeric'), 1), 'percent')),
         corm.where(corm.gt('id', {{i}})), corm.group_by({MONTH}), corm.order_by('day'))""",
     """(SELECT coalesce(json_agg(r), '[]')::jsonb FROM (
         SELECT to_char(placed_at, 'YYYY-MM-DD') AS day, sum(amount) AS total,
                sum(sum(amount)) OVER (ORDER BY to_char(placed_at, 'YYYY-MM-DD')) AS running,
                round((sum(amount) * 100 / sum(sum(amount)) OVER ())::numeric, 1) AS percent
         FROM orders WHERE id > {i} GROUP BY to_char(placed_at, 'YYYY-MM-DD') ORDER BY day) AS r)"""),
    ("the top 3 of each of 1,000 groups, 100,000 rows", 20,
     """corm.get_multi_json(corm.from_query(corm.pipe(corm.selector('users'), corm.where(corm.gt('id', {i})), corm.select('id', 'name', 'company_id', 'score',
             corm.as(corm.over(corm.fn('row_number'), corm.partition_by('company_id'), corm.order_by('-score', 'id')), 'place'))), 'ranked'),
         corm.where(corm.lte('place', 3)), corm.order_by('company_id', 'place'))""",
     """(SELECT coalesce(json_agg(r), '[]')::jsonb FROM (
         SELECT * FROM (SELECT id, name, company_id, score, row_number() OVER (PARTITION BY company_id ORDER BY score DESC, id) AS place
                        FROM users WHERE id > {i}) AS ranked
         WHERE place <= 3 ORDER BY company_id, place) AS r)"""),
    ("customers without orders above an amount", 20,
     """corm.get_multi_json(corm.selector('users'), corm.select('id', 'name'), corm.where(corm.none('orders', corm.lt('amount', 490)), corm.gt('id', {i})), corm.order_by('id'))""",
     """(SELECT coalesce(json_agg(r), '[]')::jsonb FROM (
         SELECT id, name FROM users WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.user_id = users.id AND amount < 490) AND id > {i} ORDER BY id) AS r)"""),
    ("counts and sums of related rows, sorted by them, a page of 20", 50,
     """corm.get_multi_json(corm.selector('users'), corm.select('id', 'name', corm.as(corm.count_of('orders'), 'orders'), corm.as(corm.sum_of('orders', 'amount'), 'amount')),
         corm.where(corm.eq('company_id', {i})), corm.order_by('-amount', 'id'), corm.limit(20))""",
     """(SELECT coalesce(json_agg(r), '[]')::jsonb FROM (
         SELECT id, name, (SELECT count(*) FROM orders WHERE orders.user_id = users.id) AS orders,
                (SELECT sum(amount) FROM orders WHERE orders.user_id = users.id) AS amount
         FROM users WHERE company_id = {i} ORDER BY amount DESC, id LIMIT 20) AS r)"""),
    ("a tree of 500 categories, nested", 100,
     """corm.get_multi_json(corm.selector('categories'), corm.select('id', 'name'), corm.where(corm.is_null('parent_id'), corm.gt('id', {i} - 400)), corm.order_by('id'),
         corm.preload_tree('children', 4, corm.select('id', 'name'), corm.order_by('id')))""",
     """(SELECT coalesce(json_agg(a), '[]')::jsonb FROM (
         SELECT id, name, (SELECT coalesce(json_agg(b), '[]') FROM (
             SELECT id, name, (SELECT coalesce(json_agg(c), '[]') FROM (
                 SELECT id, name, (SELECT coalesce(json_agg(d), '[]') FROM (
                     SELECT id, name, (SELECT coalesce(json_agg(e), '[]') FROM (
                         SELECT id, name FROM categories WHERE parent_id = d.id AND id NOT IN (a.id, b.id, c.id, d.id) ORDER BY id) AS e) AS children
                     FROM categories d WHERE parent_id = c.id AND id NOT IN (a.id, b.id, c.id) ORDER BY id) AS d) AS children
                 FROM categories c WHERE parent_id = b.id AND id NOT IN (a.id, b.id) ORDER BY id) AS c) AS children
             FROM categories b WHERE parent_id = a.id AND id <> a.id ORDER BY id) AS b) AS children
         FROM categories a WHERE parent_id IS NULL AND id > {i} - 400 ORDER BY id) AS a)"""),
    ("a search page with two facets, 100,000 rows", 10,
     """corm.get_json(corm.with('found', corm.selector('users'), corm.where(corm.search('name', '"user 7" or ' || {i}, 'simple'), corm.eq('active', true))),
         corm.with('by_plan', corm.from_cte('found'), corm.select('plan', corm.as(corm.count(), 'n')), corm.group_by('plan')),
         corm.with('by_company', corm.from_cte('found'), corm.join('companies', corm.eq('c.id', corm.c('found.company_id')), 'c'),
                   corm.select('c.country', corm.as(corm.count(), 'n')), corm.group_by('c.country')),
         corm.with('page', corm.from_cte('found'), corm.select('id', 'name'), corm.order_by('id'), corm.limit(20)),
         corm.from_query(corm.pipe(corm.from_cte('found'), corm.select(corm.as(corm.count(), 'total'))), 'all_of_it'),
         corm.select('total',
             corm.as(corm.pipe(corm.from_cte('page'), corm.select(corm.agg_order(corm.json_agg(corm.fn('jsonb_build_object', 'id', corm.c('id'), 'name', corm.c('name'))), 'id'))), 'rows'),
             corm.as(corm.pipe(corm.from_cte('by_plan'), corm.select(corm.fn('jsonb_object_agg', corm.c('plan'), corm.c('n')))), 'plans'),
             corm.as(corm.pipe(corm.from_cte('by_company'), corm.select(corm.fn('jsonb_object_agg', corm.c('country'), corm.c('n')))), 'countries')))""",
     """(WITH found AS (SELECT * FROM users WHERE to_tsvector('simple', name) @@ (SELECT websearch_to_tsquery('simple', '"user 7" or ' || {i})) AND active),
         by_plan AS (SELECT plan, count(*) AS n FROM found GROUP BY plan),
         by_company AS (SELECT c.country, count(*) AS n FROM found JOIN companies c ON c.id = found.company_id GROUP BY c.country),
         page AS (SELECT id, name FROM found ORDER BY id LIMIT 20)
         SELECT to_jsonb(r) FROM (SELECT total,
             (SELECT json_agg(jsonb_build_object('id', id, 'name', name) ORDER BY id) FROM page) AS rows,
             (SELECT jsonb_object_agg(plan, n) FROM by_plan) AS plans,
             (SELECT jsonb_object_agg(country, n) FROM by_company) AS countries
             FROM (SELECT count(*) AS total FROM found) AS all_of_it) AS r)"""),
]


def lines(bench):
    """Each side is a function, whose plans PostgreSQL keeps as corm keeps its own: a DO block would be planned for its values."""
    bench.execute(SETUP)
    result = []
    for number, (title, times, corm, hand) in enumerate(REPORTS, 1):
        part = max(1, bench.count(times) // SLICES)

        def documents(name, call):
            """The documents of one slice, and of one of them a fingerprint for comparison."""
            function = f"report_{number}_{name}"
            bench.execute(f"CREATE OR REPLACE FUNCTION {function}(i int) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN {call.format(i='i')}; END $$")
            run = bench.plpgsql(f"FOR i IN 1 .. {part} LOOP doc := {function}(i); END LOOP;", "doc jsonb;")
            check = bench.execute(f"SELECT md5({function}(5)::text)").fetchone()[0]
            return lambda: (run(), check)

        result.append(Line(f"{title}, {part * SLICES} times", ("corm", documents("corm", corm)),
                           [("SQL by hand", documents("hand", hand), at_most(1.05))]))
    return result
