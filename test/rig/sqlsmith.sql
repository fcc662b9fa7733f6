-- What sqlsmith finds in the database: models with relations, options, scopes, hooks and guards, a cache, rows of query
-- values and texts that mean something to corm, and catalogs that show it mostly corm's functions.
--
-- The sample schema is there already.  The role smith owns nothing but its own schema, and may read and write the models.

COMMENT ON COLUMN notes.version IS '@orm:version';
COMMENT ON COLUMN notes.deleted_at IS '@orm:soft_delete';
COMMENT ON COLUMN users.settings IS '@orm:filterable=false';
SELECT corm.define_scope('users', 'adults', corm.where(corm.gte('age', 18)));
SELECT corm.define_scope('orders', 'open', corm.where(corm.eq('status', 'new')), true);
SELECT corm.relate('products', 'buyers', 'many_to_many', 'orders', '{id}', '{id}', through => 'order_items',
	through_columns => '{product_id}', through_target_columns => '{order_id}');
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE sql IMMUTABLE AS 'SELECT u';
CREATE FUNCTION before_save(n notes) RETURNS notes LANGUAGE plpgsql AS 'BEGIN n.title := left(n.title, 100); RETURN n; END';
SELECT corm.cache_create('smith', '1 minute', 65536);

CREATE ROLE smith LOGIN;
SELECT corm.cache_grant('smith', 'smith', '{read,write}');
CREATE SCHEMA smith AUTHORIZATION smith;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO smith;
REVOKE SELECT (email), UPDATE (plan) ON users FROM smith;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY two_thirds ON orders USING (id % 3 <> 0);

SET search_path = public;

-- Values for arguments: sqlsmith takes columns of the type that it needs, so one table has them all.
CREATE TEMP TABLE words AS SELECT w AS word, w AS other, w::name AS named, ARRAY[w, 'id'] AS words FROM unnest(ARRAY[
	'id', 'name', 'users.id', 'company', 'company.name', 'orders', 'orders.amount', 'amount', 'users', 'u', '', '-id', 'adults',
	'open', 'smith', 'default', 'x.y.z', '"', 'SELECT $1', 'SELECT 1', '1', '{}', '[]', 'null', 'after_find', 'user_id', 'int4',
	'text', 'pro', '@orm:name=x', 'before_save', 'nested', 'required', 'MTIzNDU2Nzg5MDEyMzQ1NjoxOjE=']) w;
CREATE TEMP TABLE documents AS SELECT d::jsonb AS document, d::json AS plain FROM unnest(ARRAY[
	'{}', '[]', 'null', '1', '"x"', '{"where": {"id": 1}}', '{"where": {"age": {"gte": 18}}, "order_by": ["-age"]}',
	'{"where": {"company": {"is": {"name": "Acme"}}}}', '{"where": {"orders": {"some": {"amount": {"gt": 100}}}}}',
	'{"preload": {"orders": {"limit": 1}}}', '{"select": ["id"], "limit": 2, "offset": 1}', '{"name": "x"}', '{"id": 1}',
	'[{"selector": ["users", null]}]', '{"eq": ["id", 1]}', '{"ttl": "1 s"}', '{"orders": [{"amount": 1}], "name": "n"}']) d;
CREATE TEMP TABLE exprs AS SELECT e AS expr, corm.not(e) AS condition FROM unnest(ARRAY[
	corm.eq('id', 1), corm.c('id'), corm.c('users.name'), corm.c('company.name'), corm.gt('age', 18), corm.count(), corm.sum('id'),
	corm.like('name', 'A%'), corm.some('orders', corm.gt('amount', 100)), corm.none('orders'), corm.is_null('company_id'),
	corm.in('id', '{1,2,3}'), corm.val(NULL::int), corm.raw('$1 + 1', 1), corm.raw('now()'), corm.val(true), corm.fn('lower', corm.c('name')),
	corm.over(corm.count(), ARRAY['plan'], ARRAY['id']), corm.case(corm.val(true), 1, 2), corm.between('id', 1, 3),
	corm.cast('id', 'text'), corm.coalesce(corm.c('name'), 'x'), corm.contains('tags', '{admin}'), corm.json_get('settings', 'theme'),
	corm.asc('id'), corm.desc('name'), corm.as(corm.c('id'), 'x'), corm.inserted(), corm.excluded('name')]) e;
CREATE TEMP TABLE queries AS SELECT q AS query, q AS clause FROM unnest(ARRAY[
	corm.selector('users'), corm.selector('orders', 'o'), corm.selector('companies'), corm.selector('notes'), corm.pipe(),
	corm.pipe(corm.selector('users'), corm.where(corm.eq('id', 1))), corm.where(corm.eq('id', 1)), corm.limit(2), corm.offset(1),
	corm.order_by('-id'), corm.select('id'), corm.select('name', 'age'), corm.preload('orders'), corm.join('company'),
	corm.left_join('company'), corm.group_by('plan'), corm.having(corm.gt(corm.count(), 1)), corm.union(corm.selector('users')),
	corm.pipe(corm.updater('users'), corm.set('age', 3), corm.where(corm.eq('id', 2))), corm.deleter('notes'), corm.all_rows(),
	corm.pipe(corm.inserter('companies'), corm.set('name', 'x'), corm.on_conflict('name'), corm.do_nothing(), corm.returning('id')),
	corm.raw_query('SELECT $1::int AS id', 1), corm.cached('1 s'), corm.scope('adults'), corm.unscoped(), corm.only_deleted(),
	corm.with('w', corm.selector('users')), corm.from_cte('w'), corm.from_query(corm.selector('users'), 'f'), corm.distinct(),
	corm.for_update('skip_locked'), corm.after(NULL), corm.filter('{"where": {"id": 1}}'), corm.pipe(corm.selector('users'),
	corm.preload('orders', corm.limit(1), corm.order_by('-amount')))]) q;
CREATE TEMP TABLE numbers (n int, big bigint, span interval, yes boolean, class regclass, real float8);
INSERT INTO numbers VALUES (0, 0, '0', true, 'users', 0), (1, 1, '1 s', false, 'orders', 1.5), (-1, -1, '-1 day', NULL, 'companies', 'NaN'),
	(2147483647, 9223372036854775807, '100000 years', true, 'pg_class', 'Infinity'), (5, 5, '1 month', true, 'notes', -1),
	(-2147483648, -9223372036854775808, NULL, false, 0, NULL), (NULL, NULL, '1 us', true, 'products', 1e300);
CREATE TEMP TABLE scopes AS SELECT corm.tx() AS tx UNION ALL SELECT corm.tx(propagation => 'nested', name => 's') UNION ALL SELECT NULL;
CREATE TABLE smith.everything AS
	SELECT g AS n0, word, other, named, words, document, plain, expr, condition, ARRAY[expr, condition] AS exprs, query, clause,
		ARRAY[query, clause] AS queries, n, big, span, yes, class, real, tx, u, ARRAY[u] AS us, o, ARRAY[o] AS os, c, nt, u.company_id, u.created_at
	FROM generate_series(0, 119) g
	LEFT JOIN (SELECT *, row_number() OVER () - 1 AS r, count(*) OVER () AS m FROM words) w ON w.r = g % w.m
	LEFT JOIN (SELECT *, row_number() OVER () - 1 AS r, count(*) OVER () AS m FROM documents) d ON d.r = g % d.m
	LEFT JOIN (SELECT *, row_number() OVER () - 1 AS r, count(*) OVER () AS m FROM exprs) e ON e.r = g % e.m
	LEFT JOIN (SELECT *, row_number() OVER () - 1 AS r, count(*) OVER () AS m FROM queries) q ON q.r = g % q.m
	LEFT JOIN (SELECT *, row_number() OVER () - 1 AS r, count(*) OVER () AS m FROM numbers) num ON num.r = g % num.m
	LEFT JOIN (SELECT *, row_number() OVER () - 1 AS r, count(*) OVER () AS m FROM scopes) t ON t.r = g % t.m
	LEFT JOIN users u ON u.id = g % 9
	LEFT JOIN orders o ON o.id = g % 11
	LEFT JOIN companies c ON c.id = g % 5
	LEFT JOIN notes nt ON nt.id = g % 4;
ALTER TABLE smith.everything ADD PRIMARY KEY (n0);
CREATE VIEW smith.everything_once_more AS SELECT * FROM smith.everything;
CREATE VIEW smith.half AS SELECT query, clause, queries, expr, condition, exprs, u, us, word, words, document, n, yes, class, tx FROM smith.everything;
GRANT SELECT ON ALL TABLES IN SCHEMA smith TO smith;
-- What it may not read it does not see, and looks the more at the others.
REVOKE SELECT ON ALL TABLES IN SCHEMA corm FROM PUBLIC;
REVOKE ALL ON countries, products, order_items FROM smith;

-- It calls no function that returns a set.
CREATE FUNCTION smith.multi(t anyelement, q corm.query) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.get_multi($1, $2)';
CREATE FUNCTION smith.pluck(t anyelement, q corm.query) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.pluck($1, $2)';
CREATE FUNCTION smith.explain(q corm.query) RETURNS text LANGUAGE sql AS $$SELECT string_agg(x, '') FROM corm.explain($1) x$$;
CREATE FUNCTION smith.explain_analyze(q corm.query) RETURNS text LANGUAGE sql AS $$SELECT string_agg(x, '') FROM corm.explain_analyze($1) x$$;
CREATE FUNCTION smith.fields(r anyelement) RETURNS text LANGUAGE sql AS 'SELECT string_agg(x::text, '''') FROM corm.iterate_fields($1) x';
CREATE FUNCTION smith.methods(r anyelement) RETURNS text LANGUAGE sql AS 'SELECT string_agg(x::text, '''') FROM corm.iterate_methods($1) x';
CREATE FUNCTION smith.try_tx(body text) RETURNS text LANGUAGE sql AS 'SELECT string_agg(x::text, '''') FROM corm.try_tx($1) x';
CREATE FUNCTION smith.keys(cache text) RETURNS text LANGUAGE sql AS 'SELECT string_agg(x::text, '''') FROM corm.cache_info($1) x';
CREATE FUNCTION smith.insert_many(r users[]) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.insert_multi($1)';
CREATE FUNCTION smith.update_many(r users[]) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.update_multi($1)';

CREATE FUNCTION smith.users_where(a corm.expr, b corm.query) RETURNS corm.query STABLE LANGUAGE sql AS
	$$SELECT corm.pipe(corm.selector('users'), corm.where($1), $2)$$;
CREATE FUNCTION smith.orders_where(a corm.expr, b corm.query) RETURNS corm.query STABLE LANGUAGE sql AS
	$$SELECT corm.pipe(corm.selector('orders'), corm.where($1), $2)$$;

-- What it takes for the server's functions: corm's and those above, in proportion to what they lead to, and few
-- of PostgreSQL's.  The oids differ, since it looks up arguments by them.
CREATE VIEW smith.pg_proc AS
	SELECT (p.oid::bigint + n * 10000000)::oid AS oid, proname, pronamespace, prorettype, proretset, prokind, proargtypes, provariadic
	FROM pg_catalog.pg_proc p, generate_series(1, CASE
		WHEN pronamespace = 'smith'::regnamespace AND proname ~ '^(users_|orders_)' THEN 20
		WHEN pronamespace = 'smith'::regnamespace THEN 6
		WHEN proname IN ('get', 'one', 'first', 'get_json', 'first_json', 'get_multi_json', 'value', 'count', 'exists', 'exec', 'to_sql',
			'args', 'page_json', 'insert', 'update', 'save', 'delete', 'insert_json', 'filter', 'pipe', 'do_tx') THEN 8
		WHEN prorettype = 'corm.query'::regtype THEN 2
		ELSE 1 END) n
	WHERE pronamespace IN ('corm'::regnamespace, 'smith'::regnamespace)
			AND proname NOT IN ('in_tx', 'tx_depth', 'current_tx', 'set_rollback_only', 'tx_stats', 'plan_cache_stats', 'stat_info')
			AND prokind = 'f'
		OR pronamespace = 'pg_catalog'::regnamespace AND proname IN ('lower', 'length', 'abs', 'jsonb_build_object', 'array_agg',
			'to_jsonb', 'pg_typeof');
GRANT SELECT ON smith.pg_proc TO smith;
-- Its calls of operators on any range are refused by the parser, and it makes many.
DELETE FROM pg_operator WHERE 'anyrange'::regtype IN (oprleft, oprright) OR 'anymultirange'::regtype IN (oprleft, oprright);
ALTER ROLE smith SET search_path = smith, public, pg_catalog;
