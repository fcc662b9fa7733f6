-- Calls in FROM for sqlsmith, in a database of their own with the sample schema.  It writes no functions in FROM, but reads
-- views: here each is a call, or a statement with some, and sqlsmith joins, nests and correlates them.  The role caller has no
-- query log, under which nothing is compiled in, and no function of corm among those that sqlsmith calls: all that it does
-- is about compiled queries.  Users have a hook after_find, so theirs are called.

COMMENT ON COLUMN notes.version IS '@orm:version';
COMMENT ON COLUMN notes.deleted_at IS '@orm:soft_delete';
SELECT corm.define_scope('orders', 'open', corm.where(corm.neq('status', 'cancelled')), true);
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE sql IMMUTABLE AS 'SELECT u';
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY two_thirds ON orders USING (id % 3 <> 0);

CREATE ROLE caller LOGIN;
CREATE SCHEMA calls AUTHORIZATION caller;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO caller;
ALTER ROLE caller SET search_path = calls, public, pg_catalog;
ALTER ROLE caller SET corm.log_min_duration = -1;
SET search_path = calls, public;

CREATE VIEW all_orders AS SELECT * FROM corm.get_multi(NULL::orders);
CREATE VIEW large_orders AS SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.gt('amount', 50)), corm.order_by('-amount', 'id'));
CREATE VIEW newest_orders AS SELECT * FROM corm.get_multi(NULL::orders, corm.unscoped(), corm.order_by('-placed_at', 'id'), corm.limit(4));
CREATE VIEW orders_of_ada AS SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.eq('user.name', 'Ada')));
CREATE VIEW orders_with_items AS SELECT * FROM corm.get_multi(NULL::orders, corm.where(corm.some('order_items', corm.gt('quantity', 1))));
CREATE VIEW guarded_orders AS SELECT * FROM corm.get_multi(NULL::orders, corm.guard('orders', corm.lt('id', 7)));
CREATE VIEW some_companies AS SELECT * FROM corm.get_multi(NULL::companies, corm.where(corm.or(corm.gt('id', 1), corm.is_null('country_code'))));
CREATE VIEW all_products AS SELECT * FROM corm.get_multi(NULL::products);
CREATE VIEW cheap_products AS SELECT * FROM corm.get_multi(NULL::products, corm.where(corm.in('id', ARRAY(SELECT product_id FROM order_items WHERE quantity < 3))));
CREATE VIEW live_notes AS SELECT * FROM corm.get_multi(NULL::notes);
CREATE VIEW all_notes AS SELECT * FROM corm.get_multi(NULL::notes, corm.unscoped());
CREATE VIEW items AS SELECT * FROM corm.get_multi(NULL::order_items, corm.order_by('order_id', 'product_id'));
CREATE VIEW lands AS SELECT * FROM corm.get_multi(NULL::countries, corm.where(corm.like('name', '%a%')));
CREATE VIEW united AS SELECT * FROM corm.get_multi(NULL::countries, corm.where(corm.lt('numeric', 100)), corm.union(corm.pipe(corm.selector('countries'), corm.where(corm.gt('numeric', 500)))));
CREATE VIEW countries_of AS SELECT c.id AS company, l.* FROM companies c, corm.get_multi(NULL::countries, corm.where(corm.eq('alpha_2', c.country_code))) l;
CREATE VIEW last_order AS SELECT u.name AS buyer, o.* FROM users u LEFT JOIN LATERAL corm.get_multi(NULL::orders, corm.where(corm.eq('user_id', u.id)), corm.order_by('-id'), corm.limit(1)) o ON true;
CREATE VIEW named_orders AS SELECT u.name AS buyer, o.* FROM users u, corm.get_multi(NULL::orders, corm.where(corm.eq('user_id', (SELECT max(x.id) FROM users x WHERE x.name <= u.name)))) o;
CREATE VIEW amounts AS SELECT amount FROM corm.pluck(NULL::numeric, corm.selector('orders'), corm.select('amount')) amount;
CREATE VIEW per_user AS SELECT u.id, u.name, corm.count(corm.selector('orders'), corm.where(corm.eq('user_id', u.id))) AS orders,
	corm.value(NULL::numeric, corm.selector('orders'), corm.select(corm.max('amount')), corm.where(corm.eq('user_id', u.id))) AS largest,
	corm.exists(corm.selector('notes'), corm.where(corm.eq('user_id', u.id))) AS has_notes FROM users u;
CREATE VIEW buyers AS SELECT u.id, u.name FROM users u WHERE corm.exists(corm.selector('orders'), corm.where(corm.eq('user_id', u.id)));
CREATE VIEW documents AS SELECT o.id, corm.get_multi_json(corm.selector('order_items'), corm.where(corm.eq('order_id', o.id)), corm.preload('product'))::text AS items FROM orders o;
CREATE VIEW found_orders AS SELECT o.* FROM orders o WHERE EXISTS (SELECT FROM corm.get_multi(NULL::order_items, corm.where(corm.eq('order_id', o.id), corm.gt('quantity', 1))));
CREATE VIEW totals AS SELECT user_id, sum(amount) AS total, count(*) AS orders FROM corm.get_multi(NULL::orders) GROUP BY user_id;
CREATE VIEW ranked AS SELECT id, user_id, rank() OVER (PARTITION BY user_id ORDER BY amount DESC) AS place FROM corm.get_multi(NULL::orders, corm.unscoped());
CREATE VIEW called_users AS SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.gt('id', 1)));
-- checked as who reads them, so with policies
DO $$
DECLARE view regclass;
BEGIN
	FOR view IN SELECT oid FROM pg_class WHERE relnamespace = 'calls'::regnamespace AND relkind = 'v' AND length(relname) % 2 = 0 LOOP
		EXECUTE format('ALTER VIEW %s SET (security_invoker)', view);
	END LOOP;
END $$;
-- before the server's: a few aggregates and functions
CREATE MATERIALIZED VIEW calls.pg_proc AS
	SELECT oid, proname, pronamespace, prorettype, proretset, prokind, string_to_array(proargtypes::text, ' ')::oid[] AS proargtypes FROM pg_catalog.pg_proc
	WHERE oid IN ('max(int4)'::regprocedure, 'min(int8)'::regprocedure, 'max(text)'::regprocedure, 'count("any")'::regprocedure, 'bool_or(bool)'::regprocedure,
		'sum(numeric)'::regprocedure, 'lower(text)'::regprocedure, 'length(text)'::regprocedure, 'abs(int4)'::regprocedure, 'upper(text)'::regprocedure,
		'int4pl(int4,int4)'::regprocedure, 'int8pl(int8,int8)'::regprocedure, 'concat("any")'::regprocedure, 'now()'::regprocedure);
GRANT SELECT ON ALL TABLES IN SCHEMA calls TO caller;
-- Half of the rows that sqlsmith reads are a sample, which of such tables is mostly nothing
CREATE SCHEMA hidden;
CREATE EXTENSION tsm_system_rows SCHEMA hidden;
CREATE FUNCTION calls.system(internal) RETURNS tsm_handler STRICT LANGUAGE c AS '$libdir/tsm_system_rows', 'tsm_system_rows_handler';
CREATE FUNCTION calls.bernoulli(internal) RETURNS tsm_handler STRICT LANGUAGE c AS '$libdir/tsm_system_rows', 'tsm_system_rows_handler';
REVOKE SELECT ON ALL TABLES IN SCHEMA corm FROM PUBLIC;
ANALYZE;
