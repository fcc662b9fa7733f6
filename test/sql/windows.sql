-- Windows by clauses, frames, aggregates with an order; each compared with SQL written by hand.
CREATE SCHEMA win;
SET search_path = win, corm_ops;
\set VERBOSITY terse
CREATE TABLE sales (id int PRIMARY KEY, region text NOT NULL, day date NOT NULL, total int);
INSERT INTO sales VALUES (1, 'n', '2026-01-01', 10), (2, 'n', '2026-01-02', 20), (3, 's', '2026-01-03', 5), (4, 'n', '2026-01-09', NULL), (5, 's', '2026-02-01', 7), (6, 's', '2026-02-02', 7);
CREATE FUNCTION sales_json(VARIADIC q corm.query[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT corm.get_multi_json(corm.selector('sales'), corm.pipe(VARIADIC q)) $$;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; detail text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION month() RETURNS corm.expr LANGUAGE sql IMMUTABLE AS $$ SELECT corm.fn('date_trunc', 'month', corm.c('day')) $$;

\echo partitions, orders and frames of expressions
SELECT sales_json(corm.order_by('id'), corm.select('id',
    corm.as(corm.over(corm.sum('total'), corm.partition_by('region'), corm.order_by('day')), 'a'),
    corm.as(corm.over(corm.fn('rank'), corm.partition_by(month()), corm.order_by(corm.desc('total', 'last'))), 'b'),
    corm.as(corm.over(corm.sum('total'), corm.order_by('day'), corm.frame('ROWS BETWEEN 1 PRECEDING AND CURRENT ROW')), 'c'),
    corm.as(corm.over(corm.count(), corm.order_by('day'), corm.frame('range ''7 days'' preceding')), 'd'),
    corm.as(corm.over(corm.count(), corm.order_by('day'), corm.frame('RANGE BETWEEN interval ''1 day'' PRECEDING AND interval ''1 day'' FOLLOWING EXCLUDE CURRENT ROW')), 'e'),
    corm.as(corm.over(corm.sum('id'), corm.order_by(corm.coalesce(corm.c('total'), 0)), corm.frame('groups between unbounded preceding and 1 following exclude ties')), 'f'),
    corm.as(corm.over(corm.fn('last_value', corm.c('id')), corm.partition_by('region', month()), corm.order_by('-id'), corm.frame('ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE NO OTHERS')), 'g'),
    corm.as(corm.over(corm.filter_where(corm.count(), corm.gt('total', 6))), 'h')))
    = (SELECT jsonb_agg(to_jsonb(v) ORDER BY id) FROM (SELECT id, sum(total) OVER (PARTITION BY region ORDER BY day) AS a, rank() OVER (PARTITION BY date_trunc('month', day) ORDER BY total DESC NULLS LAST) AS b,
        sum(total) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS c, count(*) OVER (ORDER BY day RANGE '7 days' PRECEDING) AS d,
        count(*) OVER (ORDER BY day RANGE BETWEEN interval '1 day' PRECEDING AND interval '1 day' FOLLOWING EXCLUDE CURRENT ROW) AS e,
        sum(id) OVER (ORDER BY coalesce(total, 0) GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE TIES) AS f,
        last_value(id) OVER (PARTITION BY region, date_trunc('month', day) ORDER BY id DESC ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE NO OTHERS) AS g,
        count(*) FILTER (WHERE total > 6) OVER () AS h FROM sales) AS v) AS same;
SELECT corm.to_sql(corm.selector('sales'), corm.select(corm.as(corm.over(corm.sum('total'), corm.partition_by('region'), corm.order_by(corm.desc('day', 'last'), 'id'), corm.frame(' Rows  between 2  preceding  and  ''3''  following ')), 'x')));
\echo over groups, by what is grouped by, said again (B1); ordered and shared by it
SELECT sales_json(corm.select(corm.as(month(), 'month'), corm.as(corm.sum('total'), 'total'), corm.as(corm.over(corm.sum(corm.sum('total')), corm.order_by(month())), 'running'),
    corm.as(corm.fn('round', corm.cast(corm.sum('total'), 'numeric') * 100 / corm.over(corm.sum(corm.sum('total'))), 1), 'share')), corm.group_by(month()), corm.order_by('month'))
    = (SELECT jsonb_agg(to_jsonb(v) ORDER BY month) FROM (SELECT date_trunc('month', day) AS month, sum(total) AS total, sum(sum(total)) OVER (ORDER BY date_trunc('month', day)) AS running,
        round(sum(total)::numeric * 100 / sum(sum(total)) OVER (), 1) AS share FROM sales GROUP BY 1) AS v) AS same;
SELECT sales_json(corm.select('region', corm.as(corm.coalesce(corm.c('total'), 0) / 10, 'tens'), corm.as(corm.over(corm.fn('rank'), corm.partition_by('region'), corm.order_by(corm.desc(corm.coalesce(corm.c('total'), 0) / 10))), 'rank')),
    corm.group_by('region', corm.coalesce(corm.c('total'), 0) / 10), corm.order_by('region', 'rank'));
\echo the first two of each group; in an order, where an alias is its expression
SELECT corm.get_multi_json(corm.from_query(corm.selector('sales') |> corm.select('*', corm.as(corm.over(corm.fn('row_number'), corm.partition_by('region'), corm.order_by(corm.desc('total', 'last'), 'id')), 'place')), 'q'),
    corm.where(corm.lte('place', 2)), corm.order_by('region', 'place'), corm.select('region', 'id', 'place'));
SELECT sales_json(corm.select('id', corm.as(corm.mul('total', -1), 'minus')), corm.order_by(corm.over(corm.fn('rank'), corm.partition_by(corm.c('minus') % 2), corm.order_by('minus')), 'id'));
SELECT sales_json(corm.select('id', corm.as(corm.mul('total', -1), 'minus')), corm.order_by(corm.over(corm.fn('rank'), order_by => '{minus}'), 'id')) AS old_form;
\echo in preloads, set operations, subqueries, several clauses of a kind
CREATE TABLE regions (name text PRIMARY KEY);
INSERT INTO regions VALUES ('n'), ('s');
ALTER TABLE sales ADD FOREIGN KEY (region) REFERENCES regions;
SELECT corm.get_multi_json(corm.selector('regions'), corm.order_by('name'), corm.preload('sales', corm.select('id', corm.as(corm.over(corm.fn('row_number'), corm.order_by('-day')), 'n')), corm.order_by('n'), corm.limit(2)));
SELECT sales_json(corm.select(corm.as(corm.over(corm.fn('ntile', 2), corm.order_by('id')), 'half')), corm.union(corm.selector('sales'), corm.select(corm.over(corm.count(), corm.partition_by('region')))), corm.order_by('half'));
SELECT sales_json(corm.select('id', corm.as(corm.over(corm.fn('rank'), corm.partition_by('region'), corm.order_by(corm.desc(corm.count_of('regions'))), corm.partition_by(month()), corm.order_by('id')), 'r')), corm.order_by('id')) = 
    (SELECT jsonb_agg(jsonb_build_object('id', id, 'r', r) ORDER BY id) FROM (SELECT id, rank() OVER (PARTITION BY region, date_trunc('month', day) ORDER BY id) AS r FROM sales) AS v) AS same
FROM (SELECT corm.relate('sales', 'regions', 'belongs_to', 'regions', '{region}', '{name}')) AS v;
\echo aggregates with an order
SELECT sales_json(corm.select('region', corm.as(corm.agg_order(corm.array_agg('id'), '-total', '-id'), 'ids'), corm.as(corm.agg_order(corm.string_agg('id', ','), corm.desc('day')), 'text'),
    corm.as(corm.agg_order(corm.filter_where(corm.json_agg('total'), corm.is_not_null('total')), corm.c('total') % 3, '-id'), 'json'), corm.as(corm.agg_order(corm.fn('array_agg', corm.c('day')), corm.asc('total', 'first'), 'id'), 'fn')),
    corm.group_by('region'), corm.order_by('region'))
    = (SELECT jsonb_agg(to_jsonb(v) ORDER BY region) FROM (SELECT region, array_agg(id ORDER BY total DESC, id DESC) AS ids, string_agg(id::text, ',' ORDER BY day DESC) AS text,
        json_agg(total ORDER BY total % 3, id DESC) FILTER (WHERE total IS NOT NULL) AS json, array_agg(day ORDER BY total NULLS FIRST, id) AS fn FROM sales GROUP BY region) AS v) AS same;
SELECT corm.to_sql(corm.selector('sales'), corm.select('region', corm.filter_where(corm.agg_order(corm.array_agg('id'), 'day'), corm.gt('id', 1)), corm.agg_order(corm.count('id'), 'id')), corm.group_by('region'), corm.having(corm.is_not_null(corm.agg_order(corm.max('id'), 'day'))));
SELECT corm.get_multi_json(corm.selector('regions'), corm.select('name', corm.as(corm.max_of('sales', 'id'), 'last')), corm.order_by('name'));

\echo text form; the older form, with untyped arrays
SELECT x, x::text::corm.expr::text = x::text AS same FROM unnest(ARRAY[corm.over(corm.sum('a'), corm.partition_by('b', corm.c('c') + 1), corm.order_by('-d'), corm.frame('ROWS 1 PRECEDING')), corm.agg_order(corm.array_agg('a'), '-b', corm.asc('c', 'first')),
    corm.over(corm.sum('a'), '{b,c}', '{-d}'), corm.over(corm.sum('a'), NULL, '{d}'), corm.over(corm.sum('a'), ARRAY['b'], '{d}'), corm.over(corm.sum('a'), partition_by => '{b}'), corm.over(corm.sum('a'))]) AS x;
PREPARE windowed AS SELECT corm.over(corm.sum('a'), $1, $2);
EXECUTE windowed('{b}', '{c,-d}');
SELECT sales_json('[{"select": ["id", {"as": [{"over_clauses": [{"count": []}, {"partition_by": ["region"]}]}, "n"]}]}, {"order_by": ["id"]}, {"limit": 1}]');
\echo frames that are none; clauses that have no meaning there
SELECT f, attempt(format('SELECT sales_json(corm.select(corm.as(corm.over(corm.count(), corm.order_by(''id''), corm.frame(%L)), ''n'')), corm.limit(1), corm.order_by(''id''))', f))
FROM unnest(ARRAY['ROWS 2 PRECEDING; DROP TABLE sales', 'ROWS BETWEEN 1 PRECEDING', 'ROWS', 'rowsx', '1 PRECEDING', 'ROWS -1 PRECEDING', 'ROWS 1e3 PRECEDING', 'ROWS $1 PRECEDING', 'ROWS id PRECEDING', 'ROWS (SELECT 1) PRECEDING', 'ROWS /* */ 1 PRECEDING',
    'RANGE ''1 PRECEDING', 'RANGE interval 1 PRECEDING', 'ROWS CURRENT', 'ROWS 1 PRECEDING EXCLUDE', 'ROWS 1 PRECEDING EXCLUDE NO', 'ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING EXCLUDE GROUP x', 'ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW',
    'ROWS BETWEEN CURRENT ROW AND 1 PRECEDING', 'RANGE ''x'' PRECEDING', 'ROWS 1.5 PRECEDING', 'Rows Unbounded Preceding', E'ROWS\n\tBETWEEN 1 PRECEDING AND 99999999999999999999 FOLLOWING']) AS f;
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT corm.frame('')$$, $$SELECT corm.frame(NULL)$$, $$SELECT corm.partition_by(NULL)$$, $$SELECT corm.partition_by(1)$$, $$SELECT sales_json(corm.frame('ROWS 1 PRECEDING'))$$, $$SELECT sales_json(corm.partition_by('id'))$$,
    $$SELECT corm.exec(corm.deleter('sales'), corm.partition_by('id'), corm.all_rows())$$, $$SELECT sales_json(corm.select(corm.over(corm.count(), corm.limit(1))))$$, $$SELECT sales_json(corm.select(corm.over(corm.count(), corm.where(corm.eq('id', 1)))))$$,
    $$SELECT sales_json(corm.select(corm.over(corm.count(), corm.frame('ROWS 1 PRECEDING'), corm.frame('ROWS 2 PRECEDING'))))$$, $$SELECT sales_json(corm.select(corm.over(corm.count(), corm.order_by('nope'))))$$, $$SELECT sales_json(corm.select(corm.over(corm.count(), corm.partition_by('nope'))))$$,
    $$SELECT sales_json(corm.select(corm.agg_order(corm.c('id'), 'id')))$$, $$SELECT sales_json(corm.select(corm.agg_order(corm.count(), 'id')))$$, $$SELECT sales_json(corm.select(corm.agg_order(corm.fn('upper', corm.c('region')), 'id')))$$, $$SELECT sales_json(corm.select(corm.agg_order(corm.count_distinct('region'), 'id')))$$,
    $$SELECT corm.page_json(corm.selector('sales'), corm.order_by(corm.over(corm.fn('rank'), corm.order_by('day'))), corm.limit(1))$$, $$SELECT corm.over(corm.sum('a'), 'b')$$, $$SELECT corm.over(NULL, corm.order_by('a'))$$, $$SELECT corm.over(corm.sum('a'), NULL::corm.query)$$]) AS s;
SET client_min_messages = warning;
DROP SCHEMA win CASCADE;
