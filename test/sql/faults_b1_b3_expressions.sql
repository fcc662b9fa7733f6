-- Expressions that are said again (B1), what a name means where (B2), columns that are left out of a model (B3).
CREATE SCHEMA said;
SET search_path = said, corm_ops;
\set VERBOSITY terse
CREATE TABLE sales (id int PRIMARY KEY, region text NOT NULL, total int, created_at timestamp);
INSERT INTO sales VALUES (1, 'n', 10, '2024-01-05'), (2, 's', 1, '2024-01-20'), (3, 'n', 5, '2024-02-01'), (4, 's', 40, '2024-02-28'), (5, 's', NULL, NULL);
CREATE FUNCTION month() RETURNS corm.expr LANGUAGE sql IMMUTABLE AS $$ SELECT corm.fn('date_trunc', 'month', corm.c('created_at')) $$;
CREATE FUNCTION as_json(VARIADIC q corm.query[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT corm.get_multi_json(corm.selector('sales'), corm.pipe(VARIADIC q)) $$;

\echo B1: selected, grouped, ordered, having, each said again
SELECT corm.get_multi_json(corm.selector('sales'), corm.select(corm.as(corm.fn('date_trunc', 'month', corm.c('created_at')), 'month'), corm.as(corm.sum('total'), 'sum')),
    corm.group_by(corm.fn('date_trunc', 'month', corm.c('created_at'))), corm.order_by(corm.fn('date_trunc', 'month', corm.c('created_at'))));
SELECT as_json(corm.select(corm.as(month(), 'month'), corm.count()), corm.group_by('month'), corm.order_by(corm.desc(month(), 'last')), corm.having(corm.is_not_null(month())));
SELECT as_json(corm.select(corm.as(month(), 'month'), corm.count()), corm.group_by(month()), corm.having(corm.gt(month(), '2024-01-15'::timestamp)));
SELECT as_json(corm.select(corm.as(corm.coalesce(corm.c('total'), 0) / 10, 'tens'), corm.count()), corm.group_by(corm.coalesce(corm.c('total'), 0) / 10), corm.order_by('tens'));
SELECT as_json(corm.select(corm.as((corm.coalesce(corm.c('total'), 0) / 10) * 10, 'floor'), corm.count()), corm.group_by(corm.coalesce(corm.c('total'), 0) / 10), corm.order_by('floor'));
SELECT as_json(corm.select(corm.as(corm.case(corm.c('total') > 9, 'big', 'small'), 'size'), corm.sum('total')), corm.group_by(corm.case(corm.c('total') > 9, 'big', 'small')), corm.order_by('size'));
SELECT as_json(corm.select(corm.as(corm.raw('total % $1', 2), 'odd'), corm.count()), corm.group_by(corm.raw('total % $1', 2)), corm.order_by(corm.raw('total % $1', 2)));
\echo B1: by other spellings of one field, by other fields
SELECT as_json(corm.select(corm.as(corm.coalesce(corm.c('sales.total'), 0), 't')), corm.group_by(corm.coalesce(corm.c('total'), 0)), corm.order_by('t'));
SELECT as_json(corm.select(corm.coalesce(corm.c('id'), 0)), corm.group_by(corm.coalesce(corm.c('total'), 0)));
\echo B1: subqueries said again
SELECT as_json(corm.select(corm.as(corm.cast(q, 'bigint'), 'n'), corm.count()), corm.group_by(corm.cast(q, 'bigint')), corm.order_by('n'))
FROM (SELECT corm.val(corm.selector('sales', 's') |> corm.where(corm.eq('s.region', corm.c('sales.region')), corm.gt('s.total', 4)) |> corm.select(corm.count()))) AS v (q);
SELECT as_json(corm.select(corm.as(p, 'big'), corm.count()), corm.group_by(p), corm.order_by('big'))
FROM (SELECT corm.some(corm.selector('sales', 's') |> corm.where(corm.eq('s.region', corm.c('sales.region')), corm.gt('s.total', 30)))) AS v (p);
\echo B1: distinct, distinct_on
SELECT as_json(corm.select(corm.as(month(), 'm')), corm.distinct(), corm.order_by(corm.desc(month(), 'last')));
SELECT as_json(corm.select('id', corm.as(month(), 'm')), corm.distinct_on(month()), corm.order_by(month(), '-id'));
SELECT corm.pluck(NULL::timestamp, corm.selector('sales'), corm.select(month()), corm.distinct(), corm.order_by(month()));
\echo B1: a union is ordered by what is selected
SELECT as_json(corm.select(corm.as(corm.fn('upper', corm.c('region') || '!'), 'r')), corm.union(corm.selector('sales'), corm.select(corm.fn('lower', corm.c('region')))),
    corm.order_by(corm.desc(corm.fn('upper', corm.c('region') || '!'))));
SELECT as_json(corm.select('region'), corm.union(corm.selector('sales'), corm.select('region')), corm.order_by(corm.fn('upper', corm.c('region'))));
\echo B1: in a preload, a page, a subquery, a window
CREATE TABLE regions (name text PRIMARY KEY);
INSERT INTO regions VALUES ('n'), ('s');
ALTER TABLE sales ADD FOREIGN KEY (region) REFERENCES regions;
SELECT corm.get_multi_json(corm.selector('regions'), corm.order_by('name'), corm.preload('sales', corm.select(corm.as(month(), 'm'), corm.sum('total')), corm.group_by(month()), corm.order_by(month())));
SELECT corm.page_json(corm.selector('sales'), corm.select('id'), corm.order_by(corm.coalesce(corm.c('total'), 7)), corm.limit(2),
    corm.after(corm.page_json(corm.selector('sales'), corm.order_by(corm.coalesce(corm.c('total'), 7)), corm.limit(2)) #>> '{page_info,end_cursor}')) -> 'rows';
SELECT corm.get_multi_json(corm.from_query(corm.selector('sales') |> corm.select(corm.as(month(), 'm'), corm.as(corm.count(), 'n')) |> corm.group_by(month()), 'q'), corm.order_by('-n', 'm'));
SELECT as_json(corm.select(corm.as(corm.coalesce(corm.c('total'), 0) / 20, 'b'), corm.as(corm.over(corm.sum(corm.count())), 'all')),
    corm.group_by(corm.coalesce(corm.c('total'), 0) / 20), corm.order_by('b'));
\echo B1: rows of a type
CREATE TYPE monthly AS (month date, n int);
SELECT corm.get_multi(NULL::monthly, corm.selector('sales'), corm.select(corm.as(month(), 'month'), corm.as(corm.count(), 'n')), corm.group_by(month()), corm.order_by(month()));

\echo B1: values that are equal in one call and differ in the next are not of one plan
CREATE FUNCTION by_two(a text, b text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN corm.get_multi_json(corm.selector('sales'), corm.select(corm.as(corm.fn('date_trunc', a, corm.c('created_at')), 'at'), corm.count()),
        corm.group_by(corm.fn('date_trunc', b, corm.c('created_at'))), corm.order_by('at'));
EXCEPTION WHEN grouping_error THEN
    RETURN sqlstate;
END $$;
SELECT a, b, by_two(a, b) FROM (VALUES ('month', 'month'), ('month', 'year'), ('year', 'year'), ('day', 'year'), ('month', 'month')) AS v (a, b);
CREATE FUNCTION two_sums(a int, b int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT as_json(corm.select(corm.as(corm.coalesce(corm.c('total'), a), 'x'), corm.as(corm.coalesce(corm.c('total'), b), 'y'), corm.as(corm.count(), 'n')),
        corm.group_by(corm.coalesce(corm.c('total'), a), corm.coalesce(corm.c('total'), b)), corm.order_by('x'), corm.limit(1)) $$;
SELECT two_sums(0, 0), two_sums(0, 2), two_sums(-1, 2), two_sums(2, 2), two_sums(0, 2);
SELECT corm.to_sql(corm.selector('sales'), corm.select(corm.as(month(), 'm'), corm.count()), corm.where(corm.eq('region', 'month')), corm.group_by(month()), corm.order_by(month()));
SELECT corm.args(corm.selector('sales'), corm.select(corm.as(month(), 'm'), corm.count()), corm.where(corm.eq('region', 'month')), corm.group_by(month()), corm.order_by(month()));
-- in turn, each of the two ways keeps its plan (one is an error each time)
SELECT misses AS before FROM corm.plan_cache_stats() \gset
SELECT count(by_two(CASE WHEN i % 2 = 0 THEN 'month' ELSE 'year' END, 'month')) FROM generate_series(1, 20) AS i;
SELECT misses - :before <= 11 AS few FROM corm.plan_cache_stats();

\echo B1: values of scopes, which are always the same, and those of the query
SELECT corm.define_scope('sales', 'by_month', corm.pipe(corm.select(corm.as(month(), 'm'), corm.count()), corm.group_by(month()), corm.order_by(month())));
SELECT as_json(corm.scope('by_month'));
SELECT corm.define_scope('sales', 'grouped', corm.group_by(month()));
SELECT as_json(corm.scope('grouped'), corm.select(corm.as(month(), 'm')), corm.order_by('m'));
SELECT as_json(corm.scope('grouped'), corm.select(corm.as(corm.fn('date_trunc', 'year', corm.c('created_at')), 'm')));
SELECT as_json(corm.scope('grouped'), corm.select(corm.as(month(), 'm')), corm.order_by('-m'));

\echo B1: a value by itself takes its type from its place
SELECT as_json(corm.select('id', corm.as(corm.val('5'), 'x')), corm.where(corm.lt('id', 3)), corm.order_by(corm.add('x', corm.c('id')), '-id'));
SELECT as_json(corm.select('id', corm.as(corm.val('5'), 'x')), corm.where(corm.lt('id', 3)), corm.group_by('id'), corm.having(corm.gt('x', 3)), corm.order_by('x', '-id'));
SELECT as_json(corm.select('id', corm.as(corm.val('5'), 'x')), corm.where(corm.eq('total', '5')), corm.order_by('x'));

\echo B2: inside of an aggregate a name is a field; alone in order_by an alias wins, alone in group_by a field
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 'total')), corm.group_by('region'), corm.order_by(corm.desc(corm.sum('total'))));
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 'total')), corm.group_by('region'), corm.order_by('-total'));
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 'total')), corm.group_by('region'), corm.having(corm.gt(corm.sum('total'), 15)), corm.order_by('region'));
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 'total')), corm.group_by('region'), corm.order_by(corm.desc(corm.coalesce(corm.filter_where(corm.sum('total'), corm.gt('total', 9)), 0)), 'region'));
SELECT as_json(corm.select('id', corm.as(corm.mul('total', -1), 'total')), corm.order_by(corm.asc(corm.add('total', 0), 'first')));
SELECT as_json(corm.select('id', corm.as(corm.mul('total', -1), 'total')), corm.order_by(corm.asc('total', 'first')));
SELECT as_json(corm.select(corm.as(corm.fn('left', corm.c('region') || 'x', 1), 'total'), corm.count()), corm.group_by('total'), corm.order_by('total'));
SELECT as_json(corm.select('total', corm.as(corm.fn('upper', corm.c('region')), 'region')), corm.distinct_on('region'), corm.order_by('sales.region', '-total'));
SELECT corm.get_multi_json(corm.selector('sales'), corm.join('regions', corm.eq('regions.name', corm.c('sales.region'))), corm.select('name', corm.as(corm.max('total'), 'id')),
    corm.group_by('name'), corm.having(corm.gt(corm.max('id'), 3)), corm.order_by(corm.max('id')));
\echo B2: an alias that is no field still stands for its expression, but not in an aggregate
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 's')), corm.group_by('region'), corm.having(corm.gt('s', 15)), corm.order_by(corm.desc(corm.mul('s', -1))));
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 's')), corm.group_by('region'), corm.order_by(corm.sum('s')));
\echo B2: pages, preloads, windows
SELECT corm.page_json(corm.selector('sales'), corm.select('id', corm.as(corm.mul('total', -1), 'total')), corm.order_by(corm.add('total', 0)), corm.limit(2)) -> 'rows';
SELECT corm.page_json(corm.selector('sales'), corm.select('id', corm.as(corm.mul('total', -1), 'total')), corm.order_by('total'), corm.limit(2)) -> 'rows';
SELECT corm.get_multi_json(corm.selector('regions'), corm.order_by('name'), corm.preload('sales', corm.select('region', corm.as(corm.sum('total'), 'total')), corm.group_by('region'), corm.order_by(corm.sum('total'))));
SELECT as_json(corm.select('region', corm.as(corm.sum('total'), 'total')), corm.group_by('region'), corm.order_by(corm.desc(corm.over(corm.fn('rank'), order_by => '{region}'))));

\echo B3: a column that is left out of the model
CREATE TABLE accounts (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, secret text DEFAULT 'hidden', name text, deleted_at timestamptz, sales_id int REFERENCES sales);
COMMENT ON COLUMN accounts.secret IS '@orm:-';
COMMENT ON COLUMN accounts.deleted_at IS '@orm:soft_delete';
INSERT INTO accounts VALUES (1, 's1', 'ada', NULL, 1), (2, 's2', 'bob', NULL, 1);
SELECT setval('accounts_id_seq', 100);
SELECT * FROM corm.get_multi(NULL::accounts, corm.order_by('id'));
SELECT corm.get(NULL::accounts, corm.where(corm.eq('id', 1))), corm.one(NULL::accounts, corm.where(corm.eq('id', 2))), corm.first(NULL::accounts);
SELECT corm.get_multi(NULL::accounts, corm.order_by('id'), corm.distinct()), corm.get_multi(NULL::accounts, corm.order_by('id'), corm.union(corm.selector('accounts')));
SELECT corm.get_multi(NULL::accounts, corm.from_query(corm.selector('accounts'), 'a'), corm.order_by('-id'));
SELECT corm.get_multi(NULL::accounts, corm.raw_query('SELECT * FROM said.accounts ORDER BY id'));
SELECT corm.get_multi(NULL::accounts, corm.order_by('id'), corm.limit(1), corm.before(corm.page_json(corm.selector('accounts'), corm.limit(2)) #>> '{page_info,end_cursor}'));
CREATE TYPE sale_card AS (id int, accounts accounts[]);
SELECT corm.get(NULL::sale_card, corm.selector('sales'), corm.where(corm.eq('id', 1)), corm.preload('accounts', corm.order_by('id')));
SELECT corm.insert(ROW(NULL, 'mine', 'eve', NULL, NULL)::accounts);
SELECT corm.insert_multi(ARRAY[ROW(10, 'mine', 'fay', NULL, NULL), ROW(11, 'mine', 'gus', NULL, NULL)]::accounts[]);
SELECT corm.update(ROW(1, 'mine', 'Ada', NULL, 1)::accounts), corm.save(ROW(2, 'mine', 'Bob', NULL, 1)::accounts), corm.save(ROW(12, 'mine', 'hal', NULL, 1)::accounts);
SELECT corm.update_multi(ARRAY[ROW(10, 'mine', 'Fay', NULL, NULL), ROW(11, 'mine', 'Gus', NULL, NULL)]::accounts[]);
SELECT corm.get_multi(NULL::accounts, corm.updater('accounts'), corm.set('name', 'x'), corm.where(corm.eq('id', 10)), corm.returning());
SELECT corm.get_multi(NULL::accounts, corm.inserter('accounts'), corm.rows(ARRAY[ROW(13, 'mine', 'ida', NULL, NULL)]::accounts[]), corm.on_conflict('id'), corm.do_update());
SELECT corm.get_multi(NULL::accounts, corm.inserter('accounts'), corm.rows(ARRAY[ROW(13, 'mine', 'Ida', NULL, NULL)]::accounts[]), corm.on_conflict('id'), corm.do_update());
SELECT corm.delete(ROW(11, 'mine', 'Gus', NULL, NULL)::accounts);
SELECT corm.insert_json('accounts', '{"name": "jon"}'), corm.get_json(corm.selector('accounts'), corm.where(corm.eq('id', 1)));
SELECT corm.insert_json('accounts', '{"name": "jon", "secret": "mine"}');
SELECT id, secret, name, deleted_at IS NOT NULL AS deleted FROM accounts ORDER BY id;
\echo B3: with hooks, and through a composite type
CREATE FUNCTION before_save(a accounts) RETURNS accounts LANGUAGE plpgsql AS $$ BEGIN a.secret := 'of the hook'; a.name := a.name || '.'; RETURN a; END $$;
SELECT corm.insert(ROW(20, 'mine', 'kim', NULL, NULL)::accounts), corm.update(ROW(1, 'mine', 'Ada', NULL, 1)::accounts), corm.save(ROW(2, 'mine', 'Bob', NULL, 1)::accounts);
SELECT corm.update_multi(ARRAY[ROW(10, 'mine', 'Fay', NULL, NULL)]::accounts[]);
SELECT corm.get_multi(NULL::accounts, corm.updater('accounts'), corm.set('name', 'y'), corm.where(corm.eq('id', 20)), corm.returning());
SELECT corm.insert_multi(ARRAY[ROW(21, 'mine', 'lou', NULL, NULL)]::accounts[]);
SELECT corm.delete(ROW(21, 'mine', 'lou', NULL, NULL)::accounts);
DROP FUNCTION before_save(accounts);
CREATE FUNCTION after_find(a accounts) RETURNS accounts LANGUAGE sql AS $$ SELECT a $$;
SELECT corm.get_multi(NULL::accounts, corm.where(corm.lt('id', 3)), corm.order_by('id'));
DROP FUNCTION after_find(accounts);
SELECT id, secret, name, deleted_at IS NOT NULL AS deleted FROM accounts ORDER BY id;
CREATE TYPE account_dto AS (id int, note text, name text);
COMMENT ON TYPE account_dto IS '@orm:table=said.accounts';
COMMENT ON COLUMN account_dto.note IS '@orm:-';
SELECT corm.get(NULL::account_dto, corm.where(corm.eq('id', 1))), corm.update(ROW(1, 'n', 'Ada')::account_dto), corm.save(ROW(30, 'n', 'mia')::account_dto);
SELECT id, secret, name FROM accounts WHERE id IN (1, 30) ORDER BY id;
\echo B3: any other attribute that a query does not produce is an error
CREATE TYPE other AS (id int, secret text);
SELECT corm.get(NULL::other, corm.selector('accounts'));
SELECT corm.get(NULL::accounts, corm.selector('accounts'), corm.select('id'));
DROP SCHEMA said CASCADE;
