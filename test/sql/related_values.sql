-- Values of related rows: count_of, sum_of, avg_of, min_of, max_of, each compared with SQL written by hand.
CREATE SCHEMA rv;
SET search_path = rv, corm_ops;
\set VERBOSITY terse
CREATE TABLE shops (id int PRIMARY KEY, name text NOT NULL, boss_id int REFERENCES shops, n int, best numeric);
CREATE TABLE orders (id int PRIMARY KEY, shop_id int REFERENCES shops, total numeric(8,2), state text NOT NULL, deleted_at timestamptz);
COMMENT ON COLUMN orders.deleted_at IS '@orm:soft_delete';
CREATE TABLE goods (id int PRIMARY KEY, title text NOT NULL, weight int);
CREATE TABLE lines (order_id int REFERENCES orders, good_id int REFERENCES goods, amount int NOT NULL, PRIMARY KEY (order_id, good_id));
INSERT INTO shops VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 1), (4, 'd', 3), (5, 'e', 3);
INSERT INTO orders VALUES (1, 1, 10, 'paid', NULL), (2, 1, 20, 'new', NULL), (3, 1, 99, 'paid', '2026-01-01'), (4, 2, 5, 'paid', NULL), (5, 2, NULL, 'paid', NULL),
    (6, 3, 7, 'new', NULL), (7, 4, 1, 'new', '2026-01-01'), (8, NULL, 50, 'paid', NULL);
INSERT INTO goods VALUES (1, 'pen', 1), (2, 'desk', 90), (3, 'lamp', 5);
INSERT INTO lines VALUES (1, 1, 2), (1, 2, 1), (2, 1, 5), (3, 3, 1), (4, 2, 1), (6, 3, 4);
CREATE FUNCTION shops_json(VARIADIC q corm.query[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT corm.get_multi_json(corm.selector('shops'), corm.pipe(VARIADIC q)) $$;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(hint, ''));
END $$;

\echo all five, side by side, without fan-out
CREATE VIEW by_hand AS SELECT s.id, (SELECT count(*) FROM orders o WHERE o.shop_id = s.id AND deleted_at IS NULL) AS n,
    (SELECT sum(total) FROM orders o WHERE o.shop_id = s.id AND deleted_at IS NULL) AS sum, (SELECT avg(total) FROM orders o WHERE o.shop_id = s.id AND deleted_at IS NULL) AS avg,
    (SELECT min(total) FROM orders o WHERE o.shop_id = s.id AND deleted_at IS NULL) AS min, (SELECT max(total) FROM orders o WHERE o.shop_id = s.id AND deleted_at IS NULL) AS max,
    (SELECT count(*) FROM shops w WHERE w.boss_id = s.id) AS workers FROM shops s;
SELECT * FROM by_hand ORDER BY id;
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders'), 'n'), corm.as(corm.sum_of('orders', 'total'), 'sum'), corm.as(corm.avg_of('orders', 'total'), 'avg'),
    corm.as(corm.min_of('orders', 'total'), 'min'), corm.as(corm.max_of('orders', 'total'), 'max'), corm.as(corm.count_of('shops'), 'workers')), corm.order_by('id'))
    = (SELECT jsonb_agg(to_jsonb(v) ORDER BY id) FROM by_hand AS v) AS same;
SELECT corm.to_sql(corm.selector('shops'), corm.select('id', corm.count_of('orders'), corm.sum_of('orders', corm.c('total') * 2, corm.eq('state', 'paid'))));
\echo conditions, expressions, names as in corm.some
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders', corm.eq('state', 'paid')), 'paid'), corm.as(corm.count_of('orders', corm.eq('state', 'paid'), corm.gt('total', 5)), 'big'),
    corm.as(corm.sum_of('orders', corm.coalesce(corm.c('total'), 0) + 1), 'plus'), corm.as(corm.max_of('orders', corm.case(corm.eq('state', 'new'), 'x', 'y')), 'text'),
    corm.as(corm.count_of('orders', corm.eq('shop.name', 'a')), 'path'), corm.as(corm.count_of('orders', corm.gt('total', corm.c('shops.id') * 6)), 'around'),
    corm.as(corm.count_of('orders', corm.some('goods', corm.eq('title', 'pen'))), 'pens'), corm.as(corm.max_of('orders', corm.count_of('goods')), 'most')), corm.order_by('id'));
\echo to one, many to many, a joined table
SELECT corm.get_multi_json(corm.selector('orders'), corm.select('id', corm.as(corm.count_of('shop'), 'shop'), corm.as(corm.max_of('shop', 'name'), 'name'), corm.as(corm.count_of('goods'), 'goods'),
    corm.as(corm.sum_of('lines', 'amount'), 'amount'), corm.as(corm.sum_of('goods', 'weight', corm.neq('title', 'desk')), 'light')), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('orders'), corm.join('shop'), corm.select('id', corm.as(corm.count_of('shop.orders'), 'siblings'), corm.as(corm.count_of('shop.shops'), 'workers')), corm.order_by('id'));
\echo a path: the rows at its end, each once
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders.goods'), 'goods'), corm.as(corm.count_of('orders.lines'), 'lines'), corm.as(corm.sum_of('orders.lines', 'amount', corm.gt('amount', 1)), 'amount'),
    corm.as(corm.count_of('orders.lines.good'), 'same'), corm.as(corm.count_of('boss.orders'), 'of_boss'), corm.as(corm.max_of('orders.goods', 'title'), 'title')), corm.order_by('id'))
    = (SELECT jsonb_agg(to_jsonb(v) ORDER BY id) FROM (SELECT s.id,
        (SELECT count(DISTINCT l.good_id) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.shop_id = s.id AND deleted_at IS NULL) AS goods,
        (SELECT count(*) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.shop_id = s.id AND deleted_at IS NULL) AS lines,
        (SELECT sum(amount) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.shop_id = s.id AND deleted_at IS NULL AND amount > 1) AS amount,
        (SELECT count(DISTINCT l.good_id) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.shop_id = s.id AND deleted_at IS NULL) AS same,
        (SELECT count(*) FROM orders o WHERE o.shop_id = s.boss_id AND deleted_at IS NULL) AS of_boss,
        (SELECT max(title) FROM orders o JOIN lines l ON l.order_id = o.id JOIN goods g ON g.id = l.good_id WHERE o.shop_id = s.id AND deleted_at IS NULL) AS title FROM shops s) AS v) AS same;
\echo where, having, group_by, order_by, distinct, set operations, windows, preloads, subqueries
SELECT shops_json(corm.select('id'), corm.where(corm.gt(corm.sum_of('orders', 'total'), 5)), corm.order_by(corm.desc(corm.sum_of('orders', 'total')))) AS sum_over_5,
       shops_json(corm.select('id'), corm.where(corm.count_of('orders') = 0), corm.order_by('id')) AS none;
SELECT shops_json(corm.select(corm.as(corm.count_of('orders', corm.eq('state', 'paid')), 'paid'), corm.as(corm.count(), 'shops')), corm.group_by(corm.count_of('orders', corm.eq('state', 'paid'))),
    corm.having(corm.lt(corm.count_of('orders', corm.eq('state', 'paid')), 2)), corm.order_by('paid'));
SELECT shops_json(corm.select('boss_id', corm.as(corm.sum(corm.count_of('orders')), 'n')), corm.group_by('boss_id'), corm.having(corm.gt(corm.sum(corm.count_of('orders')), 0)), corm.order_by(corm.desc(corm.sum(corm.count_of('orders'))), 'boss_id'));
SELECT shops_json(corm.select(corm.as(corm.count_of('orders'), 'n')), corm.distinct(), corm.order_by('-n')),
       shops_json(corm.select('id', corm.as(corm.count_of('orders'), 'k')), corm.distinct_on('k'), corm.order_by('k', 'id'));
SELECT shops_json(corm.select(corm.as(corm.count_of('orders'), 'n')), corm.union_all(corm.selector('orders'), corm.select(corm.count_of('goods'))), corm.order_by(corm.desc(corm.count_of('orders'))), corm.limit(4));
SELECT shops_json(corm.select('id', corm.as(corm.over(corm.sum(corm.count_of('orders'))), 'all')), corm.limit(1), corm.order_by('id'));
SELECT shops_json(corm.select('id'), corm.preload('orders', corm.select('id', corm.as(corm.count_of('lines'), 'lines')), corm.order_by(corm.desc(corm.count_of('lines')), 'id')), corm.order_by('id'), corm.limit(2));
SELECT corm.get_multi_json(corm.from_query(corm.selector('shops') |> corm.select('id', corm.as(corm.count_of('orders'), 'n')), 'q'), corm.where(corm.gt('n', 0)), corm.order_by('-n', 'id'));
SELECT shops_json(corm.select('id'), corm.where(corm.some('shops', corm.gt(corm.count_of('orders'), 0))), corm.order_by('id'));
CREATE TYPE card AS (name text, n int, best text);
SELECT * FROM corm.get_multi(NULL::card, corm.selector('shops'), corm.select('name', corm.as(corm.count_of('orders'), 'n'), corm.as(corm.max_of('orders', 'total'), 'best')), corm.order_by('name'), corm.limit(2));

\echo pages by cursor: every row once, in order, with and without other clauses
CREATE FUNCTION walk(step int, VARIADIC q corm.query[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE page jsonb; cursor text; ids text := '';
BEGIN
    FOR i IN 1..10 LOOP
        page := corm.page_json(corm.selector('shops'), corm.pipe(VARIADIC q), corm.limit(step), corm.after(cursor), CASE WHEN i % 2 = 0 THEN corm.preload('orders') ELSE corm.pipe() END);
        ids := ids || coalesce((SELECT string_agg(r ->> 'id', '') FROM jsonb_array_elements(page -> 'rows') AS r), '') || ' ';
        cursor := page #>> '{page_info,end_cursor}';
        EXIT WHEN NOT (page #>> '{page_info,has_next}')::boolean;
    END LOOP;
    RETURN ids;
END $$;
SELECT walk(2, corm.order_by(corm.desc(corm.count_of('orders')))), (SELECT string_agg(id::text, '' ORDER BY n DESC, id DESC) FROM by_hand) AS by_hand;
SELECT walk(1, corm.select('id', corm.as(corm.count_of('orders', corm.eq('state', 'paid')), 'n')), corm.order_by('n', 'id')), walk(2, corm.order_by(corm.sum_of('orders', 'total'))), (SELECT string_agg(id::text, '' ORDER BY sum, id) FROM by_hand) AS by_sum;
SELECT walk(2, corm.order_by(corm.desc(corm.max_of('orders.goods', 'weight'), 'last'), 'name')), walk(3, corm.select('id', corm.count_of('orders'), corm.sum_of('orders', 'total')), corm.order_by(corm.avg_of('orders', 'total'), corm.count_of('shops')));
-- a cursor of other conditions is of another order
SELECT corm.page_json(corm.selector('shops'), corm.order_by(corm.count_of('orders', corm.eq('state', 'paid'))), corm.limit(1)) #>> '{page_info,end_cursor}' AS cursor \gset
SELECT attempt(format($$SELECT corm.page_json(corm.selector('shops'), corm.order_by(corm.count_of('orders', corm.eq('state', 'new'))), corm.limit(1), corm.after(%L))$$, :'cursor'));
SELECT attempt(format($$SELECT corm.page_json(corm.selector('shops'), corm.order_by(corm.count_of('shops')), corm.limit(1), corm.after(%L))$$, :'cursor'));

\echo writes
SELECT corm.exec(corm.updater('shops'), corm.set('n', corm.count_of('orders')), corm.set('best', corm.max_of('orders', 'total')), corm.where(corm.gt(corm.count_of('orders'), 0)));
SELECT id, n, best FROM shops ORDER BY id;
SELECT corm.get_multi_json(corm.updater('shops'), corm.set('n', corm.count_of('orders.lines')), corm.all_rows(), corm.returning('id', 'n', corm.as(corm.count_of('shops'), 'workers')));
SELECT corm.get_multi_json(corm.inserter('shops'), corm.rows('[{"id": 1, "name": "A"}, {"id": 9, "name": "z"}]'), corm.on_conflict('id'), corm.do_update(), corm.set('n', corm.count_of('orders')), corm.returning('id', 'n', corm.as(corm.count_of('orders'), 'orders')));
SELECT corm.exec(corm.deleter('shops'), corm.where(corm.count_of('orders') = 0, corm.count_of('shops') = 0, corm.eq('id', 9)));
CREATE FUNCTION before_update(s shops) RETURNS shops LANGUAGE plpgsql AS $$ BEGIN s.name := s.name || s.n; RETURN s; END $$;
SELECT corm.get_multi_json(corm.updater('shops'), corm.set('n', corm.count_of('orders')), corm.where(corm.gte(corm.count_of('orders'), 1)), corm.returning('id', 'name', corm.as(corm.count_of('orders'), 'orders')));
DROP FUNCTION before_update(shops);

\echo default scopes, guards, conditions of relations, soft delete of links
SELECT corm.define_scope('orders', 'known', corm.pipe(corm.where(corm.is_not_null('total')), corm.order_by('-total')), true);
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders'), 'n')), corm.order_by('id'));
SELECT corm.define_scope('orders', 'known', corm.pipe(corm.where(corm.is_not_null('total')), corm.order_by('-total'), corm.limit(1)), true);
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders'), 'n'), corm.as(corm.sum_of('orders', 'total'), 'sum'), corm.as(corm.count_of('orders', corm.eq('state', 'new')), 'new')), corm.order_by('id'));
SELECT corm.to_sql(corm.selector('shops'), corm.select(corm.sum_of('orders', 'total')));
SELECT corm.define_scope('orders', 'known', corm.pipe(corm.select('state'), corm.distinct()), true);
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders'), 'states')), corm.order_by('id'));
SELECT attempt($$SELECT shops_json(corm.select(corm.sum_of('orders', 'total')))$$);
SELECT corm.drop_scope('orders', 'known');
SELECT shops_json(corm.guard('orders', corm.eq('state', 'paid')), corm.select('id', corm.as(corm.count_of('orders'), 'n'), corm.as(corm.sum_of('orders', 'total'), 'sum'), corm.as(corm.count_of('orders.lines'), 'lines')), corm.order_by('id'));
SELECT corm.relate('shops', 'paid', 'has_many', 'orders', '{id}', '{shop_id}', condition => corm.eq('state', 'paid'));
SELECT corm.relate('shops', 'latest', 'has_one', 'orders', '{id}', '{shop_id}');
SELECT shops_json(corm.select('id', corm.as(corm.count_of('paid'), 'paid'), corm.as(corm.count_of('latest'), 'latest'), corm.as(corm.max_of('latest', 'id'), 'id_of_it'), corm.as(corm.count_of('paid.lines'), 'lines')), corm.order_by('id'));
SELECT attempt($$SELECT shops_json(corm.select(corm.count_of('boss.latest')))$$);
\echo DDL between two calls
SELECT corm.value(NULL::int, corm.selector('orders'), corm.select(corm.sum_of('lines', 'amount')), corm.where(corm.eq('id', 1)));
ALTER TABLE lines ADD COLUMN gone boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN lines.gone IS '@orm:soft_delete';
UPDATE lines SET gone = true WHERE good_id = 2;
SELECT corm.value(NULL::int, corm.selector('orders'), corm.select(corm.sum_of('lines', 'amount')), corm.where(corm.eq('id', 1))), corm.value(NULL::int, corm.selector('orders'), corm.select(corm.count_of('goods')), corm.where(corm.eq('id', 1)));
ALTER TABLE lines RENAME amount TO pieces;
SELECT attempt($$SELECT corm.value(NULL::int, corm.selector('orders'), corm.select(corm.sum_of('lines', 'amount')), corm.where(corm.eq('id', 1)))$$);
\echo names that need quotes, keys of two columns, other naming, rows of a type, a view, an empty search_path
CREATE TABLE "Big Room" (a int, "B" text, "userName" text, PRIMARY KEY (a, "B"));
CREATE TABLE seats (id int PRIMARY KEY, a int, b text, "the price of it, which is a name as long as PostgreSQL lets it " int, FOREIGN KEY (a, b) REFERENCES "Big Room");
SELECT corm.register('"Big Room"', '{"naming": "camel"}');
COMMENT ON COLUMN seats."the price of it, which is a name as long as PostgreSQL lets it " IS '@orm:name=thePrice';
INSERT INTO "Big Room" VALUES (1, 'x', 'u'), (1, 'y', 'v');
INSERT INTO seats VALUES (1, 1, 'x', 4), (2, 1, 'x', 6), (3, 1, 'y', 1), (4, NULL, 'y', 7);
SELECT corm.get_multi_json(corm.selector('"Big Room"'), corm.select('userName', corm.as(corm.count_of('seats'), 'seatCount'), corm.as(corm.sum_of('seats', 'thePrice'), 'sum')), corm.order_by('-sum'));
SELECT corm.page_json(corm.selector('"Big Room"'), corm.select('userName'), corm.order_by(corm.desc(corm.sum_of('Seats', 'thePrice'))), corm.limit(1)) -> 'rows';
CREATE VIEW paid AS SELECT * FROM orders WHERE state = 'paid';
SELECT corm.relate('shops', 'view', 'has_many', 'paid', '{id}', '{shop_id}');
SELECT shops_json(corm.select('id', corm.as(corm.count_of('view'), 'n')), corm.order_by('id'), corm.limit(2));
SET search_path = '';
SELECT corm.get_multi_json(corm.selector('rv.shops'), corm.select('id', corm.as(corm.count_of('orders', corm.eq('state', 'paid')), 'n')), corm.order_by('id'), corm.limit(2));
SET search_path = rv, corm_ops;
\echo rights and row-level security are those of the caller
CREATE ROLE regress_corm_rv;
GRANT USAGE ON SCHEMA rv, corm_ops TO regress_corm_rv;
GRANT SELECT ON shops TO regress_corm_rv;
GRANT SELECT (id, shop_id, state, deleted_at) ON orders TO regress_corm_rv;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY paid ON orders USING (state = 'paid');
SET ROLE regress_corm_rv;
SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders'), 'n'), corm.as(corm.max_of('orders', 'id'), 'last')), corm.order_by('id'));
SELECT attempt($$SELECT shops_json(corm.select(corm.sum_of('orders', 'total')))$$);
RESET ROLE;
\echo text form, NULLs, errors
SELECT corm.count_of('orders', corm.eq('state', 'x')), corm.sum_of('orders', 'total'), corm.max_of('orders', corm.c('total') * 2, corm.gt('id', 1));
SELECT x::text::corm.expr::text = x::text AS same FROM unnest(ARRAY[corm.count_of('a'), corm.count_of('a.b', corm.eq('c', 'd')), corm.avg_of('a', 'b', corm.c('x') > 1), corm.min_of('a', corm.c('b') + 1)]) AS x;
SELECT shops_json('[{"select": ["id", {"as": [{"count_of": ["orders", {"eq": ["state", "paid"]}]}, "n"]}]}, {"order_by": ["id"]}, {"limit": 2}]');
PREPARE paid(text) AS SELECT shops_json(corm.select('id', corm.as(corm.count_of('orders', corm.eq('state', $1)), 'n')), corm.order_by('id'), corm.limit(2));
EXECUTE paid('new');
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT shops_json(corm.select(corm.count_of('nope')))$$, $$SELECT shops_json(corm.select(corm.count_of('orders.nope')))$$, $$SELECT shops_json(corm.select(corm.sum_of('orders', 'nope')))$$,
    $$SELECT shops_json(corm.select(corm.count_of('orders', corm.eq('nope', 1))))$$, $$SELECT shops_json(corm.select(corm.sum_of('orders', 'state')))$$, $$SELECT shops_json(corm.where(corm.count_of('orders')))$$,
    $$SELECT corm.count_of(NULL)$$, $$SELECT corm.count_of('')$$, $$SELECT corm.sum_of('orders', NULL)$$, $$SELECT corm.count_of('orders', NULL::corm.expr)$$,
    $$SELECT corm.get_multi_json(corm.from_query(corm.selector('shops'), 'q'), corm.select(corm.count_of('orders')))$$, $$SELECT '{"sum_of": ["orders"]}'::corm.expr$$]) AS s;
\set VERBOSITY default
SET client_min_messages = warning;
DROP OWNED BY regress_corm_rv;
DROP ROLE regress_corm_rv;
DROP SCHEMA rv CASCADE;
