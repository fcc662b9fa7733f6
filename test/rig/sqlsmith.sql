-- What sqlsmith finds in the database: models with relations, options, scopes and hooks, a cache, values that mean something to
-- corm, and a catalog of functions that says which of them go together.
--
-- sqlsmith knows nothing but types: it fills a parameter with any value of its type.  Most queries, expressions and texts make
-- no sense together, and the first error ends a statement.  So there is a domain for each kind of value (a query of users, a
-- condition on orders, a field, a key of the cache), a view with a column of each, and smith.pg_proc, which sqlsmith finds
-- before the server's: corm's functions with domains for parameters and results.  As they are they come too, for the errors.
--
-- The sample schema is there already.  The role smith owns nothing but its own schema, and may read and write the models.

COMMENT ON COLUMN notes.version IS '@orm:version';
COMMENT ON COLUMN notes.deleted_at IS '@orm:soft_delete';
COMMENT ON COLUMN users.settings IS '@orm:filterable=false';
SELECT corm.define_scope('users', 'adults', corm.where(corm.gte('age', 18)));
SELECT corm.define_scope('orders', 'open', corm.where(corm.neq('status', 'cancelled')), true);
SELECT corm.relate('products', 'buyers', 'many_to_many', 'orders', '{id}', '{id}', through => 'order_items',
	through_columns => '{product_id}', through_target_columns => '{order_id}');
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE sql IMMUTABLE AS 'SELECT u';
CREATE FUNCTION before_save(n notes) RETURNS notes LANGUAGE plpgsql AS 'BEGIN n.title := left(n.title, 100); RETURN n; END';
SELECT corm.cache_create('smith', '1 minute', 65536);

CREATE ROLE smith LOGIN;
SELECT corm.cache_grant('smith', 'smith', '{read,write}');
-- What is in hidden, or is a materialized view, is not among the tables that sqlsmith reads.
CREATE SCHEMA hidden;
CREATE SCHEMA smith AUTHORIZATION smith;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO smith;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY two_thirds ON orders USING (id % 3 <> 0);

SET search_path = public;

CREATE TABLE hidden.kinds (kind text PRIMARY KEY, type text, vals text[]);
INSERT INTO hidden.kinds VALUES
	('user_class', 'regclass', '{users}'), ('order_class', 'regclass', '{orders}'), ('company_class', 'regclass', '{companies}'),
	('user_number', 'text', '{id,age,company_id,users.id,company.id}'),
	('user_text', 'text', '{name,plan,company.name,company.countries.name,users.name}'),
	('user_field', 'text', '{id,name,age,plan,active,tags,settings,created_at,company_id}'),
	('user_order', 'text', '{-id,name,age,-created_at,company.name}'),
	('user_many', 'text', '{orders,notes}'), ('user_one', 'text', '{company,company.countries}'),
	('order_number', 'text', '{id,user_id,amount,user.age}'),
	('order_text', 'text', '{user.name,user.company.name,user.plan}'),
	('order_field', 'text', '{id,user_id,amount,status,placed_at}'),
	('order_order', 'text', '{-id,-amount,user.name}'), ('order_one', 'text', '{user,user.company}'),
	('pattern', 'text', ARRAY['A%', '%a%', 'pro', 'Ada', '', 'o_', '%é', 'free']),
	('list', 'text', ARRAY['{1,2,3}', '{}', '{5,NULL}', '{7}']), ('locking', 'text', ARRAY['', 'skip_locked']),
	('number_type', 'regtype', '{int8,numeric,float8}'), ('few', 'int8', '{1,2,3,5,100}'),
	('key', 'text', ARRAY['a', 'b', 'user:1', 'user:2', 'n', 'é', repeat('k', 200)]), ('counter', 'text', '{c1,c2,c3}'),
	('cache', 'text', '{smith,smith,smith,default}'), ('ttl', 'interval', ARRAY['1 s', '1 hour', '1 us', '100 years']),
	('content', 'text', ARRAY['x', '', '1', repeat('long ', 500), '{"a": 1}']),
	('loader', 'text', ARRAY['SELECT ''x''', 'SELECT corm.count(corm.selector(''users''))::text', 'SELECT NULL::text']),
	('entries', 'jsonb', ARRAY['{"a": "x"}', '{"a": 1, "b": null, "é": "y"}', '{}']),
	('body', 'text', ARRAY['SELECT 1', 'SELECT corm.get_multi_json(corm.selector(''users''), corm.limit(2))',
		'SELECT corm.count(corm.selector(''orders''))', 'INSERT INTO notes (id, user_id, title) VALUES (9, 1, ''t'')',
		'SELECT corm.do_tx(''SELECT corm.tx_depth()'')', 'SELECT corm.cache_set(''n'', 1, cache => ''smith'')',
		'SELECT corm.exec(corm.updater(''notes''), corm.set(''body'', ''b''), corm.where(corm.eq(''id'', 1)))']),
	('failing', 'text', ARRAY['SELECT 1 / 0', 'SELECT corm.one(NULL::users)', 'SELECT corm.do_tx(''SELECT 1 / 0'')', 'SELECT 1']),
	('user_filter', 'jsonb', ARRAY['{}', '{"where": {"age": {"gte": 18}}, "order_by": ["-age"]}', '{"preload": {"orders": {"limit": 1}}}',
		'{"where": {"company": {"is": {"name": "Acme"}}}}', '{"where": {"orders": {"some": {"amount": {"gt": 100}}}}}',
		'{"where": {"or": [{"plan": "pro"}, {"name": {"ilike": "a%"}}]}, "limit": 3}', '{"where": {"not": {"id": {"in": [1, 2]}}}}']),
	('order_filter', 'jsonb', ARRAY['{}', '{"where": {"amount": {"gt": 10}}, "order_by": ["user.name"]}', '{"where": {"user.plan": "pro"}}']),
	('company', 'jsonb', ARRAY['{"name": "New"}', '{"name": "Other", "country_code": "FR"}', '{"name": "Third", "users": [{"name": "Eve"}]}']);
INSERT INTO hidden.kinds SELECT kind, 'corm.expr', array_agg(e::text) FROM (VALUES
	('user_condition', corm.eq('id', 1)), ('user_condition', corm.gt('age', 18)), ('user_condition', corm.like('name', 'A%')),
	('user_condition', corm.some('orders', corm.gt('amount', 100))), ('user_condition', corm.none('notes')), ('user_condition', corm.val(true)),
	('user_condition', corm.is_null('company_id')), ('user_condition', corm.in('id', '{1,2,3}')), ('user_condition', corm.contains('tags', '{admin}')),
	('user_condition', corm.in('id', corm.pipe(corm.selector('orders'), corm.select('user_id')))), ('user_condition', corm.raw('length(name) > $1', 3)),
	('user_condition', corm.every('orders', corm.eq('status', 'paid'))), ('user_condition', corm.is_distinct_from('company.name', 'Acme')),
	('user_value', corm.c('id')), ('user_value', corm.c('age')), ('user_value', corm.val(1)), ('user_value', corm.c('company.id')),
	('user_value', corm.fn('length', corm.c('name'))), ('user_value', corm.cast(corm.json_get_text('settings', 'size'), 'int8')),
	('order_value', corm.c('amount')), ('order_value', corm.val(10)), ('order_value', corm.c('user.age')),
	('order_condition', corm.gt('amount', 50)), ('order_condition', corm.eq('user.name', 'Ada')), ('order_condition', corm.eq('status', 'paid')),
	('order_condition', corm.some('order_items', corm.gt('quantity', 1))), ('order_condition', corm.in('user_id', '{1,3}'))) v(kind, e) GROUP BY kind;
INSERT INTO hidden.kinds SELECT kind, 'corm.query', array_agg(q::text) FROM (VALUES
	('user_query', corm.selector('users')), ('user_query', corm.pipe(corm.selector('users'), corm.where(corm.gt('id', 2)))),
	('user_query', corm.pipe(corm.selector('users'), corm.preload('orders', corm.order_by('-amount'), corm.limit(2)), corm.limit(3))),
	('user_query', corm.pipe(corm.selector('users'), corm.join('company'), corm.where(corm.neq('company.name', 'Globex')))),
	('user_query', corm.pipe(corm.selector('users'), corm.preload('company', corm.preload('countries')))),
	('user_query', corm.pipe(corm.with('w', corm.selector('orders')), corm.selector('users'))),
	('user_clause', corm.limit(2)), ('user_clause', corm.order_by('-id')), ('user_clause', corm.scope('adults')), ('user_clause', corm.unscoped()),
	('user_clause', corm.where(corm.eq('plan', 'pro'))), ('user_clause', corm.preload('notes')), ('user_clause', corm.offset(1)),
	('user_clause', corm.left_join('company')), ('user_clause', corm.select('id', 'name')),
	('order_query', corm.selector('orders')), ('order_query', corm.pipe(corm.selector('orders'), corm.unscoped())),
	('order_query', corm.pipe(corm.selector('orders'), corm.preload('products'), corm.order_by('user.name'))),
	('order_clause', corm.limit(2)), ('order_clause', corm.order_by('-amount')), ('order_clause', corm.where(corm.lt('id', 6))),
	('order_clause', corm.preload('user')), ('order_clause', corm.select('id', 'amount')), ('order_clause', corm.unscoped()),
	('grouped', corm.pipe(corm.selector('users'), corm.group_by('plan'), corm.select(corm.c('plan'), corm.as(corm.count(), 'n')))),
	('grouped', corm.pipe(corm.selector('orders'), corm.group_by('user_id'), corm.having(corm.gt(corm.count(), 1)), corm.select('user_id'))),
	('grouped', corm.pipe(corm.selector('users'), corm.select('name'), corm.union(corm.pipe(corm.selector('companies'), corm.select('name'))))),
	('grouped', corm.raw_query('SELECT $1::int AS id', 1)), ('grouped', corm.pipe(corm.from_query(corm.selector('users'), 'f'), corm.select('f.id'))),
	('writing', corm.pipe(corm.updater('users'), corm.set('age', 30), corm.where(corm.eq('id', 2)))),
	('writing', corm.pipe(corm.updater('notes'), corm.set('title', corm.fn('upper', corm.c('title'))), corm.all_rows())),
	('writing', corm.pipe(corm.deleter('notes'), corm.where(corm.eq('user.name', 'Ada')))), ('writing', corm.pipe(corm.deleter('order_items'), corm.all_rows())),
	('writing', corm.pipe(corm.inserter('companies'), corm.set('name', 'Acme'), corm.on_conflict('name'), corm.do_nothing())),
	('writing', corm.pipe(corm.inserter('notes'), corm.rows('[{"id": 10, "user_id": 1, "title": "a"}, {"id": 11, "user_id": 2, "title": "b"}]'))),
	('writing', corm.pipe(corm.inserter('companies'), corm.rows('[{"name": "Acme"}, {"name": "Y"}]'), corm.on_conflict('name'), corm.do_update('name'))),
	('deleted', corm.pipe(corm.selector('notes'), corm.where(corm.gt('id', 1)))), ('deleted', corm.pipe(corm.selector('notes'), corm.all_rows()))
	) v(kind, q) GROUP BY kind;
DO $$
DECLARE
	k hidden.kinds;
	columns text = '';
	step int = 1;
BEGIN
	FOR k IN SELECT * FROM hidden.kinds ORDER BY kind LOOP
		EXECUTE format('CREATE DOMAIN smith.%I AS %s', k.kind, k.type);
		columns := columns || format(', (%L::text[])[1 + (n / %s) %% %s]::smith.%I AS %I', k.vals, step, cardinality(k.vals), k.kind, k.kind);
		step := 1 + step % 5;
	END LOOP;
	EXECUTE format('CREATE MATERIALIZED VIEW hidden.everything AS SELECT n %s FROM generate_series(0, 107) n', columns);
END $$;

-- More than a hundred rows, since a subquery takes one of the first hundred
CREATE VIEW smith.everything AS SELECT e.*, u, o, c, nt FROM hidden.everything e JOIN users u ON u.id = 1 + n % 8 JOIN orders o ON o.id = 1 + n % 10
	JOIN companies c ON c.id = 1 + n % 4 JOIN notes nt ON nt.id = 1 + n % 3 WHERE n < 40;
CREATE VIEW smith.queries AS SELECT n, user_query, user_clause, user_condition, user_value, order_query, order_clause, order_condition, grouped, writing,
	corm.first_json(user_query, user_clause) AS first, corm.get_multi_json(order_query, corm.where(order_condition)) AS rows FROM hidden.everything;
CREATE VIEW smith.words AS SELECT n, user_field, user_number, user_text, user_order, user_many, user_one, order_field, order_number, order_text,
	order_order, pattern, list, few, corm.count(corm.selector('users'), corm.where(corm.ilike(user_text, pattern))) AS number FROM hidden.everything;
CREATE VIEW smith.cached AS SELECT n, key, counter, cache, ttl, content, loader, entries, body, failing,
	corm.cache_fetch(key, loader, ttl, cache) AS fetched, corm.cache_incr(counter, cache => cache) AS counted FROM hidden.everything;
-- Columns that are made by corm
CREATE VIEW smith.answers AS SELECT n, corm.get_multi_json(user_query, user_clause) AS rows, corm.count(order_query, corm.where(order_condition)) AS number,
	corm.exists(user_query, corm.where(user_condition)) AS found, corm.to_sql(order_query, order_clause) AS statement,
	corm.first(NULL::users, corm.where(user_condition)) AS u FROM hidden.everything WHERE n < 12;
-- What it may not read it does not see, and looks the more at the others.
REVOKE SELECT ON ALL TABLES IN SCHEMA corm FROM PUBLIC;

-- Half of the rows that sqlsmith reads are a sample, of a tenth at most, which of such tables is mostly nothing.
CREATE EXTENSION tsm_system_rows SCHEMA hidden;
CREATE FUNCTION smith.system(internal) RETURNS tsm_handler STRICT LANGUAGE c AS '$libdir/tsm_system_rows', 'tsm_system_rows_handler';
CREATE FUNCTION smith.bernoulli(internal) RETURNS tsm_handler STRICT LANGUAGE c AS '$libdir/tsm_system_rows', 'tsm_system_rows_handler';

-- It sorts and compares whatever it selects.
DO $$
DECLARE
	type text;
	op text[];
BEGIN
	FOREACH type IN ARRAY ARRAY['query', 'expr'] LOOP
		EXECUTE format('CREATE FUNCTION hidden.compare(corm.%1$I, corm.%1$I) RETURNS int IMMUTABLE LANGUAGE sql AS ''SELECT bttextcmp($1::text, $2::text)''', type);
		FOREACH op SLICE 1 IN ARRAY ARRAY[['lt', '<'], ['le', '<='], ['eq', '='], ['ge', '>='], ['gt', '>']] LOOP
			EXECUTE format('CREATE FUNCTION hidden.%2$s(corm.%1$I, corm.%1$I) RETURNS bool IMMUTABLE LANGUAGE sql AS ''SELECT $1::text %3$s $2::text''',
				type, op[1], op[2]);
			EXECUTE format('CREATE OPERATOR smith.%3$s (LEFTARG = corm.%1$I, RIGHTARG = corm.%1$I, FUNCTION = hidden.%2$s)', type, op[1], op[2]);
		END LOOP;
		EXECUTE format('CREATE OPERATOR CLASS hidden.%1$s_order DEFAULT FOR TYPE corm.%1$I USING btree AS OPERATOR 1 smith.<, OPERATOR 2 smith.<=,
			OPERATOR 3 smith.=, OPERATOR 4 smith.>=, OPERATOR 5 smith.>, FUNCTION 1 hidden.compare(corm.%1$I, corm.%1$I)', type);
	END LOOP;
END $$;

-- It makes conditions of operators, each as often as any other.  Those of types that nobody has here go, and there are
-- many of these, which let corm do something.
CREATE FUNCTION hidden.exist(smith.user_query, smith.user_clause) RETURNS bool STRICT LANGUAGE sql AS 'SELECT corm.exists($1, $2) IS NOT NULL';
CREATE FUNCTION hidden.counted(smith.order_query, smith.order_clause) RETURNS bool STRICT LANGUAGE sql AS 'SELECT corm.count($1, $2) >= 0';
CREATE FUNCTION hidden.found(smith.user_condition, smith.user_clause) RETURNS bool STRICT LANGUAGE sql AS
	$$SELECT corm.get_multi_json(corm.selector('users'), corm.where($1), $2) IS NOT NULL$$;
CREATE FUNCTION hidden.related(smith.user_condition, smith.order_condition) RETURNS bool STRICT LANGUAGE sql AS
	$$SELECT corm.count(corm.selector('users'), corm.where(corm.or($1, corm.some('orders', $2)))) > 0$$;
CREATE FUNCTION hidden.kept(smith.key, smith.content) RETURNS bool STRICT LANGUAGE sql AS
	$$SELECT corm.cache_set($1, $2, cache => 'smith'); SELECT corm.cache_get($1, 'smith') = $2$$;
DO $$
BEGIN
	FOR n IN 1..40 LOOP
		EXECUTE format('CREATE OPERATOR smith.%s (LEFTARG = smith.user_query, RIGHTARG = smith.user_clause, FUNCTION = hidden.exist)', '&' || repeat('%', n));
		EXECUTE format('CREATE OPERATOR smith.%s (LEFTARG = smith.order_query, RIGHTARG = smith.order_clause, FUNCTION = hidden.counted)', '#' || repeat('%', n));
		EXECUTE format('CREATE OPERATOR smith.%s (LEFTARG = smith.user_condition, RIGHTARG = smith.user_clause, FUNCTION = hidden.found)', '?' || repeat('%', n));
		EXECUTE format('CREATE OPERATOR smith.%s (LEFTARG = smith.user_condition, RIGHTARG = smith.order_condition, FUNCTION = hidden.related)', '~' || repeat('%', n));
		EXECUTE format('CREATE OPERATOR smith.%s (LEFTARG = smith.key, RIGHTARG = smith.content, FUNCTION = hidden.kept)', '|' || repeat('%', n));
	END LOOP;
END $$;
GRANT USAGE ON SCHEMA hidden TO smith;
DELETE FROM pg_operator o USING unnest('{anyrange,anymultirange,point,box,lseg,path,polygon,circle,line,tsvector,tsquery,inet,macaddr,
	macaddr8,bit,varbit,money,pg_lsn,uuid,time,timetz}'::regtype[]) t WHERE t IN (oprleft, oprright) AND oprresult = 'bool'::regtype;

-- It calls no function that returns a set or nothing, and one without parameters twice as often as any other.
CREATE FUNCTION smith.multi(q smith.user_clause) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.get_multi(NULL::users, $1)';
CREATE FUNCTION smith.pluck(q smith.user_query) RETURNS text LANGUAGE sql AS $$SELECT string_agg(x, '') FROM corm.pluck(NULL::text, $1, corm.select('name')) x$$;
CREATE FUNCTION smith.explain(q smith.user_query, c smith.user_clause) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.explain($1, $2)';
CREATE FUNCTION smith.explain_analyze(q smith.order_query, c smith.order_clause) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.explain_analyze($1, $2)';
CREATE FUNCTION smith.fields(r users) RETURNS text LANGUAGE sql AS $$SELECT string_agg(x::text, '') FROM corm.iterate_fields($1) x$$;
CREATE FUNCTION smith.methods(r users) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM corm.iterate_methods($1) x';
CREATE FUNCTION smith.try_tx(body smith.failing) RETURNS text LANGUAGE sql AS 'SELECT x::text FROM corm.try_tx($1) x';
CREATE FUNCTION smith.try_nested(body smith.body) RETURNS text LANGUAGE sql AS $$SELECT x::text FROM corm.try_tx(corm.tx(propagation => 'nested'), $1) x$$;
CREATE FUNCTION smith.do_nested(body smith.body) RETURNS jsonb LANGUAGE sql AS $$SELECT corm.do_tx(corm.tx(propagation => 'nested', name => 's'), $1)$$;
CREATE FUNCTION smith.do_with(body smith.body, n int) RETURNS jsonb LANGUAGE sql AS $$SELECT corm.do_tx('SELECT corm.count(corm.selector(''users''), corm.where(corm.eq(''id'', $1::int)))', $2)$$;
CREATE FUNCTION smith.cache_set(smith.key, smith.content, smith.ttl, smith.cache) RETURNS text LANGUAGE sql AS $$SELECT corm.cache_set($1, $2, $3, $4); SELECT $1$$;
CREATE FUNCTION smith.cache_keys(smith.pattern, smith.cache) RETURNS text LANGUAGE sql AS $$SELECT string_agg(k, ' ') FROM corm.cache_keys($1, $2) k$$;
CREATE FUNCTION smith.cache_info(smith.key, smith.cache) RETURNS text LANGUAGE sql AS 'SELECT x::text FROM corm.cache_info($1, $2) x';
CREATE FUNCTION smith.cache_get_many(smith.key, smith.key, smith.cache) RETURNS text LANGUAGE sql AS
	$$SELECT string_agg(x::text, '') FROM corm.cache_get_many(ARRAY[$1::text, $2::text], $3) x$$;
CREATE FUNCTION smith.set_fields(u users, t smith.content, n int) RETURNS users LANGUAGE sql AS $$SELECT corm.set_field(corm.set_field($1, 'name', $2::text), 'age', $3)$$;
CREATE FUNCTION smith.insert_user(u users, n int) RETURNS users LANGUAGE sql AS $$SELECT corm.insert(corm.set_field(corm.set_field($1, 'id', 1000 + $2), 'email', NULL::text))$$;
CREATE FUNCTION smith.insert_users(u users, n int) RETURNS bigint LANGUAGE sql AS $$SELECT count(*) FROM corm.insert_multi(ARRAY[
	corm.set_field(corm.set_field($1, 'id', 2000 + $2), 'email', NULL::text), corm.set_field(corm.set_field($1, 'id', 3000 + $2), 'email', NULL::text)])$$;
CREATE FUNCTION smith.update_notes(nt notes) RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM corm.update_multi(ARRAY(SELECT r FROM corm.get_multi(NULL::notes, corm.where(corm.neq(''id'', ($1).id))) r))';
CREATE FUNCTION smith.set_buyers(few smith.few) RETURNS bigint LANGUAGE sql AS
	$$SELECT corm.set_related('orders', '{"id": 1}', 'products', jsonb_build_array(jsonb_build_object('id', 1 + $1 % 5)))$$;
CREATE FUNCTION smith.page() RETURNS jsonb LANGUAGE sql AS $$SELECT corm.page_json(corm.selector('users'), corm.order_by('plan', '-id'), corm.limit(3), corm.preload('orders'))$$;
CREATE FUNCTION smith.next_page() RETURNS jsonb LANGUAGE sql AS
	$$SELECT corm.page_json(corm.selector('users'), corm.order_by('plan', '-id'), corm.limit(3), corm.after(smith.page()->>'next'))$$;
CREATE FUNCTION smith.some_user() RETURNS users LANGUAGE sql AS $$SELECT corm.first(NULL::users, corm.where(corm.eq('company.name', 'Acme')), corm.order_by('-id'))$$;
CREATE FUNCTION smith.some_order() RETURNS orders LANGUAGE sql AS $$SELECT corm.first(NULL::orders, corm.where(corm.eq('user.name', 'Ada')), corm.order_by('-amount'))$$;
CREATE FUNCTION smith.changed() RETURNS bigint LANGUAGE sql AS $$SELECT corm.exec(corm.updater('users'), corm.set('age', corm.add('age', 1)), corm.where(corm.lt('age', 100)))$$;
CREATE FUNCTION smith.counted() RETURNS bigint LANGUAGE sql AS $$SELECT corm.cache_incr('all', cache => 'smith')$$;
CREATE FUNCTION smith.is_there() RETURNS bool LANGUAGE sql AS $$SELECT corm.exists(corm.selector('notes'), corm.unscoped())$$;
CREATE FUNCTION smith.name_of() RETURNS text LANGUAGE sql AS $$SELECT corm.value(NULL::text, corm.selector('users'), corm.select('company.name'), corm.where(corm.eq('id', 1)))$$;
CREATE FUNCTION smith.any_query() RETURNS smith.user_query LANGUAGE sql IMMUTABLE AS $$SELECT corm.pipe(corm.selector('users'), corm.where(corm.gt('id', 1)))$$;
CREATE FUNCTION smith.any_condition() RETURNS smith.user_condition LANGUAGE sql IMMUTABLE AS $$SELECT corm.or(corm.gt('id', 1), corm.some('orders'))$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA smith TO smith;

-- Result, function, parameters; user_ and order_ stand for each other.
CREATE TABLE hidden.signatures (result text, function text, parameters text[]);
INSERT INTO hidden.signatures SELECT p[1], f, string_to_array(p[3], ' ') FROM (SELECT regexp_split_to_array(trim(line), ' *\| *') p FROM regexp_split_to_table($$
user_condition | eq neq gt gte lt lte is_distinct_from | user_number int4
user_condition | eq neq like ilike starts_with icontains gt | user_text pattern
user_condition | eq neq gt lte | user_value user_value
user_condition | eq gt lt | user_value int4
user_condition | is_null is_not_null | user_field
user_condition | and or | user_condition user_condition
user_condition | not is_not_true | user_condition
user_condition | between | user_number int4 int4
user_condition | in not_in | user_number list
user_condition | some none every | user_many
user_value | c | user_number
user_value | add sub mul | user_value int4
user_value | coalesce | user_value user_value
user_value | case | user_condition user_value user_value
user_value | cast | user_value number_type
user_clause | where | user_condition
user_clause | where | user_condition user_condition
user_clause | select | user_field
user_clause | order_by | user_order
user_clause | order_by | user_order user_value
user_clause | limit offset | few
user_clause | preload | user_many
user_clause | preload join left_join | user_one
user_clause | filter | user_filter
user_clause | for_update for_share | locking
user_clause | cached | ttl
user_clause | pipe | user_clause user_clause
user_query | selector | user_class
user_query | pipe | user_query user_clause
user_query | pipe | user_query user_clause user_clause
jsonb | get_json get_multi_json get_multi_json first_json args | user_query user_clause
jsonb | get_multi_json page_json | user_query user_clause user_clause
jsonb | page_json | user_query
jsonb | to_jsonb | user_query
jsonb | to_jsonb | user_condition
jsonb | describe | user_class
int8 | count count exec | user_query user_clause
bool | exists exists | user_query user_clause
text | to_sql to_sql | user_query user_clause user_clause
user_condition | some none every | user_many order_condition
user_clause | preload | user_many order_clause
users | get first | users user_clause
users | first | users user_clause user_clause
users | update save | users
text | get_field | users user_field
orders | get first | orders order_clause
jsonb | get_multi_json first_json | grouped
int8 | count exec | grouped
text | to_sql | grouped
int8 | exec exec exec | writing
text | to_sql | writing
jsonb | get_multi_json | writing
int8 | restore | deleted
notes | update save | notes
bool | delete | notes
bool | delete | users
jsonb | do_tx do_tx | body
jsonb | insert_json | company_class company
jsonb | to_jsonb | writing
text | cursor_text | int4
text | cursor_text | pattern
text | camelize | user_text
text | underscore | content
bool | cache_add cache_replace | key content ttl cache
text | cache_get cache_get cache_delete | key cache
text | cache_fetch | key loader ttl cache
bool | cache_exists cache_persist | key cache
bool | cache_expire | key ttl cache
int8 | cache_incr cache_decr | counter few ttl cache
int8 | cache_count cache_clear | cache
int8 | cache_set_many | entries ttl cache
interval | cache_ttl | key cache
$$, '\n') line WHERE line ~ '\|') l, regexp_split_to_table(p[2], ' ') f;
-- Those of orders have no relation to many with conditions, and no locks.
INSERT INTO hidden.signatures SELECT replace(result, 'user_', 'order_'), function, ARRAY(SELECT replace(x, 'user_', 'order_') FROM unnest(parameters) x)
	FROM hidden.signatures WHERE result || parameters::text ~ '\muser_' AND NOT result || parameters::text ~ 'users|user_many|order_|locking';

CREATE FUNCTION hidden.type_of(name text) RETURNS oid LANGUAGE sql AS $$SELECT coalesce(to_regtype('smith.' || $1), $1::regtype)::oid$$;
CREATE MATERIALIZED VIEW smith.pg_proc AS
	SELECT (row_number() OVER (ORDER BY proname::text, proargtypes::text, n) + 10000000)::oid AS oid, proname, pronamespace, prorettype, proretset, prokind, proargtypes
	FROM (
		SELECT function::name AS proname, 'corm'::regnamespace::oid AS pronamespace, hidden.type_of(result) AS prorettype, false AS proretset,
			'f'::"char" AS prokind, ARRAY(SELECT hidden.type_of(x) FROM unnest(parameters) WITH ORDINALITY p(x, n) ORDER BY n) AS proargtypes, 3 AS often
		FROM hidden.signatures
		UNION ALL
		-- One and two queries or expressions for any number
		SELECT proname, pronamespace, prorettype, proretset, prokind, CASE WHEN provariadic <> 0 AND provariadic <> '"any"'::regtype
				THEN a[:pronargs - 1] || provariadic || CASE WHEN more = 2 THEN ARRAY[provariadic] END
				ELSE a END, CASE pronamespace WHEN 'smith'::regnamespace THEN 3 ELSE 1 END
		FROM pg_catalog.pg_proc, generate_series(1, 2) more, LATERAL (SELECT string_to_array(proargtypes::text, ' ')::oid[]) l(a)
		WHERE (pronamespace = 'corm'::regnamespace
					AND proname NOT IN ('in_tx', 'tx_depth', 'current_tx', 'set_rollback_only', 'tx_stats', 'plan_cache_stats', 'stat_info', 'stat_reset')
				OR pronamespace = 'smith'::regnamespace AND proname NOT IN ('system', 'bernoulli')
				OR pronamespace = 'pg_catalog'::regnamespace AND oid IN ('max(int4)'::regprocedure, 'min(int8)'::regprocedure, 'max(text)'::regprocedure,
					'count("any")'::regprocedure, 'bool_or(bool)'::regprocedure, 'jsonb_agg(anyelement)'::regprocedure, 'sum(int4)'::regprocedure,
					'lower(text)'::regprocedure, 'length(text)'::regprocedure, 'abs(int4)'::regprocedure, 'to_jsonb(anyelement)'::regprocedure))
			AND prokind IN ('f', 'a') AND NOT 'anyarray'::regtype = ANY (a) AND (more = 1 OR provariadic <> 0)) f, generate_series(1, often) n;
CREATE INDEX ON smith.pg_proc (oid);
GRANT SELECT ON ALL TABLES IN SCHEMA smith TO smith;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO smith;
ALTER ROLE smith SET search_path = smith, public, pg_catalog;
ANALYZE;
