-- The queries of docs/reports.md, with more data, each compared with SQL written by hand.
CREATE SCHEMA rep;
SET search_path = rep, corm_ops;
SET timezone = 'UTC';
CREATE TABLE clients (id int PRIMARY KEY, name text NOT NULL, plan text NOT NULL);
CREATE TABLE categories (id int PRIMARY KEY, name text NOT NULL, parent_id int CONSTRAINT categories_parent REFERENCES categories);
COMMENT ON CONSTRAINT categories_parent ON categories IS '@orm:name=parent,inverse=children';
CREATE TABLE articles (id int PRIMARY KEY, category_id int REFERENCES categories, title text NOT NULL, price numeric(8,2));
CREATE TABLE orders (id int PRIMARY KEY, client_id int REFERENCES clients, article_id int REFERENCES articles, amount numeric(10,2) NOT NULL, at timestamptz NOT NULL);
INSERT INTO clients SELECT i, 'client ' || i, (ARRAY['free', 'pro', 'ent'])[i % 3 + 1] FROM generate_series(1, 40) AS i;
INSERT INTO categories SELECT i, 'category ' || i, CASE WHEN i > 1 THEN i / 2 END FROM generate_series(1, 15) AS i;
INSERT INTO articles SELECT i, i % 15 + 1, (ARRAY['red', 'green', 'blue'])[i % 3 + 1] || ' ' || (ARRAY['chair', 'table', 'lamp', 'shelf'])[i % 4 + 1], i * 1.5 FROM generate_series(1, 60) AS i;
INSERT INTO orders SELECT i, i * i % 37 + 1, i * 7 % 60 + 1, i * 13 % 100 + 0.5, '2026-01-01'::timestamptz + i * interval '19 hours' FROM generate_series(1, 300) AS i;

\echo totals per month, running total, share of the whole
SELECT (SELECT jsonb_agg(to_jsonb(v)) FROM (SELECT date_trunc('month', at) AS month, sum(amount) AS total, sum(sum(amount)) OVER (ORDER BY date_trunc('month', at)) AS running, round(sum(amount) * 100 / sum(sum(amount)) OVER (), 2) AS percent FROM orders GROUP BY 1 ORDER BY 1) AS v)
    = corm.get_multi_json(corm.selector('orders'), corm.select(corm.as(corm.fn('date_trunc', 'month', corm.c('at')), 'month'), corm.as(corm.sum('amount'), 'total'),
        corm.as(corm.over(corm.sum(corm.sum('amount')), corm.order_by(corm.fn('date_trunc', 'month', corm.c('at')))), 'running'),
        corm.as(corm.fn('round', corm.sum('amount') * 100 / corm.over(corm.sum(corm.sum('amount'))), 2), 'percent')), corm.group_by('month'), corm.order_by('month')) AS same;
\echo the top three of each group, in two ways
SELECT (SELECT jsonb_agg(to_jsonb(v)) FROM (SELECT * FROM (SELECT client_id, id, amount, row_number() OVER (PARTITION BY client_id ORDER BY amount DESC, id) AS place FROM orders) AS r WHERE place <= 3 ORDER BY client_id, place) AS v)
    = corm.get_multi_json(corm.from_query(corm.selector('orders') |> corm.select('client_id', 'id', 'amount', corm.as(corm.over(corm.fn('row_number'), corm.partition_by('client_id'), corm.order_by('-amount', 'id')), 'place')), 'ranked'),
        corm.where(corm.lte('place', 3)), corm.order_by('client_id', 'place')) AS same,
    (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'orders', (SELECT coalesce(jsonb_agg(to_jsonb(o)), '[]') FROM (SELECT id, amount FROM orders WHERE client_id = c.id ORDER BY amount DESC, id LIMIT 3) AS o)) ORDER BY c.id) FROM clients c)
    = corm.get_multi_json(corm.selector('clients'), corm.select('id'), corm.preload('orders', corm.select('id', 'amount'), corm.order_by('-amount', 'id'), corm.limit(3)), corm.order_by('id')) AS by_preload;
\echo clients without orders, ever and since a day
SELECT (SELECT jsonb_agg(id ORDER BY id) FROM clients c WHERE NOT EXISTS (SELECT 1 FROM orders WHERE client_id = c.id)) = (SELECT jsonb_agg(r -> 'id') FROM jsonb_array_elements(corm.get_multi_json(corm.selector('clients'), corm.where(corm.none('orders')), corm.order_by('id'))) AS r) AS ever,
    (SELECT jsonb_agg(id ORDER BY id) FROM clients c WHERE NOT EXISTS (SELECT 1 FROM orders WHERE client_id = c.id AND at >= '2026-07-01')) = (SELECT jsonb_agg(r -> 'id') FROM jsonb_array_elements(corm.get_multi_json(corm.selector('clients'), corm.where(corm.none('orders', corm.gte('at', '2026-07-01'))), corm.order_by('id'))) AS r) AS since;
\echo related rows counted, sorted by the count, in pages: all pages together are the whole, in order
CREATE FUNCTION pages(step int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE page jsonb; rows jsonb := '[]'; total jsonb;
BEGIN
    LOOP
        page := corm.page_json(corm.selector('clients'), corm.select('id', corm.as(corm.count_of('orders'), 'n'), corm.as(corm.sum_of('orders', 'amount'), 'sum'), corm.as(corm.count_of('orders.article', corm.gt('price', 45)), 'dear')),
            corm.order_by('-n', corm.desc('sum', 'last'), 'id'), corm.limit(step), corm.after(page #>> '{page_info,end_cursor}'), corm.with_total());
        rows := rows || (page -> 'rows');
        total := page #> '{page_info,total}';
        EXIT WHEN NOT (page #>> '{page_info,has_next}')::boolean;
    END LOOP;
    RETURN jsonb_build_object('rows', rows, 'total', total);
END $$;
SELECT n, pages(n) = (SELECT jsonb_build_object('rows', jsonb_agg(to_jsonb(v)), 'total', count(*)) FROM (SELECT c.id, (SELECT count(*) FROM orders WHERE client_id = c.id) AS n, (SELECT sum(amount) FROM orders WHERE client_id = c.id) AS sum,
    (SELECT count(DISTINCT a.id) FROM orders o JOIN articles a ON a.id = o.article_id WHERE o.client_id = c.id AND price > 45) AS dear FROM clients c ORDER BY 2 DESC, 3 DESC NULLS LAST, 1) AS v) AS same
FROM unnest(ARRAY[1, 7, 40, 100]) AS n;
\echo a category tree: nested, and flat with the articles of each subtree
CREATE FUNCTION subtree(top int, depth int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', id, 'n', (SELECT count(*) FROM articles WHERE category_id = c.id)) || CASE WHEN depth > 0 THEN
        jsonb_build_object('children', (SELECT coalesce(jsonb_agg(subtree(k.id, depth - 1) ORDER BY k.id DESC), '[]') FROM categories k WHERE k.parent_id = c.id)) ELSE '{}' END FROM categories c WHERE id = top $$;
SELECT d, subtree(1, d) = corm.get_json(corm.selector('categories'), corm.where(corm.eq('id', 1)), corm.select('id', corm.as(corm.count_of('articles'), 'n')),
    corm.preload_tree('children', d, corm.select('id', corm.as(corm.count_of('articles'), 'n')), corm.order_by('-id'))) AS same FROM unnest(ARRAY[1, 2, 3, 10]) AS d;
SELECT (WITH RECURSIVE s AS (SELECT id AS top, id FROM categories UNION ALL SELECT s.top, c.id FROM categories c JOIN s ON c.parent_id = s.id)
        SELECT jsonb_agg(to_jsonb(v)) FROM (SELECT c.name, count(a.id) AS n FROM s JOIN categories c ON c.id = s.top LEFT JOIN articles a ON a.category_id = s.id GROUP BY c.id ORDER BY 2 DESC, 1) AS v)
    = corm.get_multi_json(corm.with_recursive('s', corm.selector('categories') |> corm.select(corm.as('id', 'top'), 'id'), corm.selector('categories') |> corm.join_cte('s', corm.eq('s.id', corm.c('categories.parent_id'))) |> corm.select('s.top', 'id')),
        corm.from_cte('s'), corm.join('categories', corm.eq('c.id', corm.c('s.top')), 'c'), corm.left_join('articles', corm.eq('a.category_id', corm.c('s.id')), 'a'),
        corm.select('c.name', corm.as(corm.count('a.id'), 'n')), corm.group_by('c.id'), corm.order_by('-n', 'c.name')) AS same;
\echo a search page with facets, for several searches
CREATE FUNCTION search_page(words text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT corm.get_json(
        corm.with('found', corm.selector('articles') |> corm.where(corm.search('title', words, 'english')) |> corm.select('*', corm.as(corm.search_rank('title', words, 'english'), 'rank'))),
        corm.with('top', corm.from_cte('found') |> corm.select('id', 'title', 'rank') |> corm.order_by('-rank', 'id') |> corm.limit(3)),
        corm.with('by_category', corm.from_cte('found') |> corm.join('categories', corm.eq('c.id', corm.c('found.category_id')), 'c') |> corm.select('c.name', corm.as(corm.count(), 'n')) |> corm.group_by('c.name')),
        corm.from_query(corm.from_cte('found') |> corm.select(corm.as(corm.count(), 'total'), corm.as(corm.max('price'), 'dearest')), 'totals'),
        corm.select('total', 'dearest', corm.as(corm.from_cte('top') |> corm.select(corm.agg_order(corm.json_agg('id'), '-rank', 'id')), 'rows'),
            corm.as(corm.from_cte('by_category') |> corm.select(corm.fn('jsonb_object_agg', corm.c('name'), corm.c('n'))), 'categories'))) $$;
SELECT w, search_page(w) -> 'total' AS total, search_page(w) = (WITH found AS (SELECT *, ts_rank(to_tsvector('english', title), websearch_to_tsquery('english', w)) AS rank FROM articles WHERE to_tsvector('english', title) @@ websearch_to_tsquery('english', w))
    SELECT jsonb_build_object('total', (SELECT count(*) FROM found), 'dearest', (SELECT max(price) FROM found), 'rows', (SELECT jsonb_agg(id ORDER BY rank DESC, id) FROM (SELECT id, rank FROM found ORDER BY rank DESC, id LIMIT 3) AS t),
        'categories', (SELECT jsonb_object_agg(name, n) FROM (SELECT c.name, count(*) AS n FROM found JOIN categories c ON c.id = category_id GROUP BY 1) AS f))) AS same
FROM unnest(ARRAY['red chairs', 'lamp or table', 'shelf -green', 'nothing', '"blue lamp" or "red shelf"']) AS w;
SET client_min_messages = warning;
DROP SCHEMA rep CASCADE;
