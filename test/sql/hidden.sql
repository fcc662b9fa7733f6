-- Fields that stay inside: the tags "hidden" and "-" (B3).  A secret is planted in both; every channel is searched for it.
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE SCHEMA hidden;
SET search_path = hidden, corm_ops;
CREATE ROLE hidden_other;
GRANT USAGE ON SCHEMA hidden TO hidden_other;

CREATE TABLE users (
    id int PRIMARY KEY, name text, password_hash text, age int, boss_id int REFERENCES users, legacy text DEFAULT 'LEFTOUT'
);
COMMENT ON COLUMN users.password_hash IS 'bcrypt @orm:hidden';
COMMENT ON COLUMN users.legacy IS '@orm:-';
CREATE TABLE sessions (id int PRIMARY KEY, user_id int REFERENCES users, token text UNIQUE, note text);
COMMENT ON COLUMN sessions.token IS '@orm:hidden';
CREATE TYPE user_dto AS (id int, name text, password_hash text);
COMMENT ON TYPE user_dto IS '@orm:table=users';
CREATE TYPE foreign_dto AS (id int, password_hash text);
CREATE TYPE user_tree AS (id int, password_hash text, sessions sessions[]);
COMMENT ON COLUMN user_tree.sessions IS '@orm:-';
CREATE TYPE user_view AS (id int, name text, sessions jsonb);
INSERT INTO users VALUES (1, 'ada', 'SECRET-1', 36, NULL), (2, 'bob', 'SECRET-2', 40, 1), (3, 'cy', 'SECRET-3', 50, 1);
INSERT INTO sessions VALUES (10, 1, 'SECRET-10', 'n1'), (11, 1, 'SECRET-11', 'n2'), (12, 2, 'SECRET-12', 'n3');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA hidden TO hidden_other;

-- what a statement answers, or its error with every field of it
CREATE FUNCTION answer(body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; m text; d text; h text; c text;
BEGIN
    EXECUTE 'SELECT string_agg(x::text, chr(10)) FROM (' || body || ') AS x' INTO r;
    RETURN coalesce(r, '-');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, c = COLUMN_NAME;
    RETURN sqlstate || ' ' || concat_ws(' | ', m, nullif(d, ''), nullif(h, ''), nullif(c, ''));
END $$;
CREATE TABLE channels (n int GENERATED ALWAYS AS IDENTITY, channel text, leak text);
CREATE PROCEDURE look(channel text, body text) LANGUAGE sql AS $$
    INSERT INTO channels (channel, leak) SELECT $1, a FROM answer($2) AS a
$$;

\echo Documents have neither the value nor the name
SELECT corm.get_multi_json(corm.selector('users'), corm.order_by('id')) AS all_users;
SELECT corm.first_json(corm.selector('users'), corm.preload('sessions', corm.order_by('id')), corm.preload('boss')) AS with_sessions;
SELECT corm.get_json(corm.selector('sessions'), corm.order_by('id'), corm.preload('user')) AS and_back;
SELECT corm.page_json(corm.selector('users'), corm.order_by('name'), corm.limit(1)) -> 'rows' AS page;

-- the same, and what else there is
CALL look('get_json', $$ SELECT corm.get_json(corm.selector('users')) $$);
CALL look('get_json_text', $$ SELECT corm.get_json_text(corm.selector('users')) $$);
CALL look('first_json', $$ SELECT corm.first_json(corm.selector('users')) $$);
CALL look('multi', $$ SELECT corm.get_multi_json(corm.selector('users')) $$);
CALL look('multi_text', $$ SELECT corm.get_multi_json_text(corm.selector('users')) $$);
CALL look('page', $$ SELECT corm.page_json(corm.selector('users'), corm.limit(2)) $$);
CALL look('page preload', $$ SELECT corm.page_json(corm.selector('users'), corm.limit(2), corm.preload('sessions')) $$);
CALL look('preload', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.preload('sessions.user')) $$);
CALL look('preload many', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.preload('users.sessions')) $$);
CALL look('filter', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"preload": {"sessions": true}}')) $$);
CALL look('from_query', $$ SELECT corm.get_multi_json(corm.from_query(corm.selector('users'), 'u')) $$);
CALL look('from_query of from_query', $$ SELECT corm.get_multi_json(corm.from_query(corm.from_query(corm.selector('users'), 'u'), 'v')) $$);
CALL look('with', $$ SELECT corm.get_multi_json(corm.from_cte('u'), corm.with('u', corm.selector('users'))) $$);
CALL look('union', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', 1)), corm.union(corm.selector('users'))) $$);
CALL look('union json', $$ SELECT corm.get_multi_json_text(corm.selector('users'), corm.union_all(corm.selector('users')), corm.order_by('id')) $$);
CALL look('from_query of union', $$ SELECT corm.get_multi_json(corm.from_query(corm.pipe(corm.selector('users'), corm.union(corm.selector('users'))), 'u')) $$);
CALL look('distinct', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.distinct()) $$);
CALL look('join', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.join('sessions')) $$);
CALL look('cached', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.cached('1 min')) $$);
CALL look('dto', $$ SELECT corm.get_multi_json(corm.selector('user_dto')) $$);
CALL look('updater', $$ SELECT corm.get_multi_json(corm.updater('users'), corm.set('age', 37), corm.where(corm.eq('id', 1)), corm.returning()) $$);
CALL look('deleter', $$ SELECT corm.get_multi_json(corm.deleter('sessions'), corm.where(corm.eq('id', 12)), corm.returning()) $$);
CALL look('inserter', $$ SELECT corm.get_multi_json(corm.inserter('sessions'), corm.set('id', 12), corm.set('user_id', 2), corm.set('token', 'SECRET-12'), corm.returning()) $$);
CALL look('upsert', $$ SELECT corm.get_multi_json(corm.inserter('sessions'), corm.rows('[{"id": 12, "token": "SECRET-12"}]'::jsonb), corm.on_conflict('id'), corm.do_update(), corm.returning()) $$);
CALL look('insert_json', $$ SELECT corm.insert_json('users', '{"id": 4, "name": "dee", "password_hash": "SECRET-4"}') $$);
CALL look('insert_json of many', $$ SELECT corm.insert_json('users', '[{"id": 5, "password_hash": "SECRET-5"}, {"id": 6, "name": "x"}]') $$);
CALL look('nested', $$ SELECT corm.insert_json('users', '{"id": 7, "password_hash": "SECRET-7", "sessions": [{"id": 17, "token": "SECRET-17"}, {"id": 18, "token": "SECRET-18", "user": {"id": 7, "password_hash": "SECRET-7"}}]}') $$);
CALL look('nested parent', $$ SELECT corm.insert_json('sessions', '[{"id": 19, "token": "SECRET-19", "user": {"id": 8, "password_hash": "SECRET-8"}}]') $$);
CALL look('update_json', $$ SELECT corm.update_json('users', '{"id": 7}', '{"password_hash": "SECRET-7b"}') $$);
CALL look('update_json by a hidden key', $$ SELECT corm.update_json('sessions', '{"token": "SECRET-17"}', '{"note": "x"}') $$);
CALL look('update_json without a key', $$ SELECT corm.update_json('sessions', '{"note": "y"}', '{"note": "x"}') $$);
CALL look('upsert_json', $$ SELECT corm.upsert_json('users', '[{"id": 7, "password_hash": "SECRET-7c"}, {"id": 30, "password_hash": "SECRET-30"}]') $$);
CALL look('update_json of children', $$ SELECT corm.update_json('users', '{"id": 7}', '{"sessions": {"add": [{"id": 40, "token": "SECRET-40"}], "update": [{"id": 17, "token": "SECRET-17b"}]}}') $$);
CALL look('update_json of a set', $$ SELECT corm.update_json('users', '{"id": 7}', '{"sessions": {"set": [{"id": 40}]}}') $$);
CALL look('pages with a total', $$ SELECT corm.page_json(corm.selector('users'), corm.limit(1), corm.with_total()) $$);
CALL look('preload_tree', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('id', 1)), corm.preload_tree('users', 3)) $$);
CALL look('with_recursive', $$ SELECT corm.get_multi_json(corm.from_cte('r'), corm.with_recursive('r', corm.pipe(corm.selector('users'), corm.where(corm.eq('id', 1))), corm.pipe(corm.selector('users'), corm.join_cte('r', corm.eq(corm.c('users.boss_id'), corm.c('r.id'))))), corm.order_by('id')) $$);
CALL look('find_json', $$ SELECT corm.find_json('users', 7) $$);
CALL look('star', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.select('*', corm.as(corm.c('id'), 'n'))) $$);
CALL look('star of an alias', $$ SELECT corm.get_multi_json(corm.selector('sessions'), corm.join('user'), corm.select('id', 'user.*')) $$);
CALL look('star of a subquery', $$ SELECT corm.get_multi_json(corm.from_query(corm.selector('users'), 'u'), corm.select('*')) $$);
CALL look('to_sql', $$ SELECT corm.to_sql(corm.selector('users')) $$);
CALL look('iterate_fields', $$ SELECT f FROM users u, corm.iterate_fields(u) f WHERE u.id = 1 $$);
CALL look('stat_queries', $$ SELECT s FROM corm.stat_queries s WHERE model = 'users' $$);
CALL look('unknown field', $$ SELECT corm.get_json(corm.selector('users'), corm.select('pasword_hash')) $$);
CALL look('unknown fields', $$ SELECT corm.get_json(corm.selector('users'), corm.select('xxxxxxxxxxxx')) $$);
CALL look('unknown key', $$ SELECT corm.insert_json('users', '{"password_hsh": 1}') $$);
CALL look('order', $$ SELECT corm.page_json(corm.selector('users'), corm.order_by('password_hash')) $$);
CALL look('order by an expression', $$ SELECT corm.page_json(corm.selector('users'), corm.order_by(corm.fn('lower', corm.c('password_hash')))) $$);
CALL look('order by a path', $$ SELECT corm.page_json(corm.selector('sessions'), corm.order_by('user.password_hash')) $$);
CALL look('order by an alias', $$ SELECT corm.page_json(corm.selector('users'), corm.select('id', corm.as(corm.fn('lower', corm.c('password_hash')), 'p')), corm.order_by('p')) $$);
CALL look('filter where', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"where": {"password_hash": {"starts_with": "SECRET"}}}')) $$);
CALL look('filter by JSON key', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"where": {"passwordHash": null}}')) $$);
CALL look('filter select', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"select": ["id", "password_hash"]}')) $$);
CALL look('filter order', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"order_by": ["-password_hash"]}')) $$);
CALL look('filter path', $$ SELECT corm.get_multi_json(corm.selector('sessions'), corm.filter('{"where": {"user.password_hash": "SECRET-1"}}')) $$);
CALL look('filter path in a write', $$ SELECT corm.exec(corm.updater('sessions'), corm.set('note', 'x'), corm.filter('{"where": {"user.password_hash": "SECRET-1"}}')) $$);
CALL look('filter relation', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"where": {"sessions": {"some": {"token": "SECRET-10"}}}}')) $$);
CALL look('filter preload', $$ SELECT corm.get_multi_json(corm.selector('users'), corm.filter('{"preload": {"sessions": {"select": ["token"]}}}')) $$);
CALL look('filter of a subquery', $$ SELECT corm.get_multi_json(corm.from_query(corm.selector('users'), 'u'), corm.filter('{"where": {"password_hash": "SECRET-1"}}')) $$);
CALL look('filter of a renamed column', $$ SELECT corm.count(corm.from_query(corm.pipe(corm.selector('users'), corm.select(corm.as('password_hash', 'p'))), 'u'), corm.filter('{"where": {"p": "SECRET-1"}}')) $$);
CALL look('filter of an expression', $$ SELECT corm.count(corm.from_query(corm.pipe(corm.selector('users'), corm.select(corm.as(corm.fn('md5', corm.c('password_hash')), 'p'))), 'u'), corm.filter('{"where": {"p": "SECRET-1"}}')) $$);
CALL look('filter order by alias', $$ SELECT corm.count(corm.selector('users'), corm.select(corm.as(corm.fn('md5', corm.c('password_hash')), 'p')), corm.filter('{"order_by": ["p"]}')) $$);
CALL look('filter order of union', $$ SELECT corm.count(corm.selector('users'), corm.union(corm.selector('users')), corm.filter('{"order_by": ["password_hash"]}')) $$);
CALL look('other type', $$ SELECT corm.get(NULL::foreign_dto, corm.selector('users')) $$);

SET ROLE hidden_other;
SELECT corm.describe('users') -> 'fields' @> '[{"name": "password_hash"}]' AS described, (corm.describe('users'))::text ~ 'password|legacy' AS anywhere, (corm.describe('sessions'))::text ~ 'token' AS token;
SELECT count(*) FROM corm.fields WHERE model IN ('users'::regclass, 'sessions') AND (name ~ 'password|token' OR tags ? 'hidden');
RESET ROLE;
SELECT f ->> 'name' AS name, f ->> 'hidden' AS hidden FROM jsonb_array_elements(corm.describe('users') -> 'fields') f WHERE (f ->> 'hidden')::boolean;
SELECT name, tags FROM corm.fields WHERE model = 'users'::regclass AND tags <> '{}';

\echo The secret is in none of them, its name only where the caller wrote it
SELECT channel, leak FROM channels WHERE leak ~ 'SECRET|LEFTOUT' ORDER BY n;
SELECT channel, leak FROM channels WHERE leak ~ 'password|Hash|token|legacy' ORDER BY n;
SELECT channel, leak FROM channels WHERE channel ~ '^(unknown|filter (of|order by alias)|order by (a|an)|other|insert_json$|update_json|upsert_json|preload_tree|find|nested|to_sql|with|dto|distinct|iterate)' ORDER BY n;

\echo A builder that names it gets it
SELECT corm.get_json(corm.selector('users'), corm.select('id', 'password_hash')) AS named;
SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.eq('password_hash', 'SECRET-2')), corm.select('id')) AS compared;
SELECT corm.value(NULL::text, corm.selector('sessions'), corm.select('user.password_hash'), corm.where(corm.eq('id', 12))) AS by_path;
SELECT corm.get_json(corm.from_query(corm.selector('users'), 'u'), corm.select('password_hash'), corm.where(corm.eq('id', 1))) AS of_a_subquery;
SELECT corm.get_multi_json(corm.updater('users'), corm.set('password_hash', 'SECRET-1b'), corm.where(corm.eq('id', 1)), corm.returning('id', 'password_hash')) AS returned;
SELECT corm.exists(corm.selector('users'), corm.where(corm.in('id', corm.selector('sessions'), corm.select('user_id')))) AS of_a_list;
SELECT corm.get_field(u, 'password_hash') AS get_field, (corm.set_field(u, 'password_hash', 'SECRET-9')).password_hash AS set_field FROM users u WHERE id = 1;

\echo Rows of the table''s type hold it, and writing them back loses nothing; what is left out is NULL, and never written
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
SELECT corm.update(corm.set_field(corm.get(NULL::users, corm.where(corm.eq('id', 1))), 'age', 38));
SELECT corm.save(corm.set_field(corm.get(NULL::users, corm.where(corm.eq('id', 2))), 'age', 41));
SELECT * FROM corm.update_multi(ARRAY(SELECT u FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', 3))) u));
SELECT id, age, password_hash, legacy FROM users WHERE id < 4 ORDER BY id;
SELECT * FROM corm.get_multi(NULL::users, corm.where(corm.eq('id', 1)), corm.union(corm.selector('users'), corm.where(corm.eq('id', 2))), corm.order_by('id'));
SELECT * FROM corm.get_multi(NULL::users, corm.from_query(corm.pipe(corm.selector('users'), corm.where(corm.eq('id', 1))), 'u'));
SELECT corm.get(NULL::user_dto, corm.where(corm.eq('id', 1))) AS dto, corm.get(NULL::user_tree, corm.selector('users'), corm.where(corm.eq('id', 3)), corm.preload('sessions'), corm.select('id', 'password_hash')) AS tree;
SELECT corm.get(NULL::user_view, corm.selector('users'), corm.where(corm.eq('id', 1)), corm.preload('sessions', corm.order_by('id'))) AS json_in_a_row;
SELECT corm.get_multi(NULL::users, corm.updater('users'), corm.set('age', 51), corm.where(corm.eq('id', 3)), corm.returning());
SELECT corm.insert(row(20, 'eve', 'SECRET-20', 1, NULL, NULL)::users);

\echo Hooks and middleware see whole rows, documents do not
CREATE FUNCTION after_find(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.name := u.name || ' ' || length(u.password_hash); RETURN u; END $$;
SELECT corm.get_multi_json(corm.selector('users'), corm.where(corm.in('id', 1, 20)), corm.order_by('id'), corm.preload('boss')) AS found;
CREATE FUNCTION before_save(u users) RETURNS users LANGUAGE plpgsql AS $$ BEGIN u.password_hash := 'h:' || u.password_hash; RETURN u; END $$;
SELECT corm.insert_json('users', '{"id": 21, "name": "fay", "password_hash": "SECRET-21", "sessions": [{"id": 21, "token": "SECRET-21"}]}') AS hooked;
SELECT password_hash FROM users WHERE id = 21;
DROP FUNCTION after_find(users), before_save(users);
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$ BEGIN RETURN corm.next(qc); END $$;
SELECT corm.use('mw(corm.query_context)', 'users') IS NOT NULL AS used;
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 21))) AS through_middleware, corm.get(NULL::users, corm.where(corm.eq('id', 21))) AS row;
SELECT corm.insert_json('users', '{"id": 22, "password_hash": "SECRET-22", "sessions": [{"id": 22, "token": "SECRET-22"}]}') AS nested;
CREATE OR REPLACE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result; u users;
BEGIN
    r := corm.next(qc);
    SELECT * INTO u FROM users WHERE id = 22;
    RETURN corm.result_of(corm.get_multi_json(corm.selector('sessions'), corm.where(corm.eq('id', 22))));
END $$;
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 21))) AS its_own;
SELECT corm.unuse(id) FROM corm.middleware WHERE fn ~ 'mw';

\echo By option, and keys that are hidden
CREATE TABLE accounts (id int PRIMARY KEY, public_id text UNIQUE NOT NULL, tenant int, "apiKey" text);
SELECT corm.register('accounts', '{"naming": "camel", "fields": {"id": {"hidden": true}, "apiKey": {"hidden": true}}}');
CREATE TABLE invoices (id int PRIMARY KEY, account_id int REFERENCES accounts, total int);
COMMENT ON COLUMN invoices.account_id IS '@orm:hidden';
SELECT corm.insert_json('accounts', '{"id": 1, "publicId": "acme", "apiKey": "SECRET-A", "invoices": [{"id": 1, "total": 5}, {"id": 2, "total": 7, "account": {"id": 1}}]}') AS nested;
SELECT corm.get_json(corm.selector('accounts'), corm.preload('invoices', corm.order_by('id'))) AS account;
SELECT corm.get_json(corm.selector('invoices'), corm.preload('account')) AS invoice;
SELECT corm.insert_json('invoices', '{"id": 3, "total": 9, "account": {"id": 1}}') AS by_key;
SELECT id, account_id FROM invoices ORDER BY id;
SELECT answer($$ SELECT corm.page_json(corm.selector('accounts')) $$);
SET ROLE hidden_other;
SELECT corm.describe('accounts') - 'relations' - 'hooks' - 'scopes' AS described, corm.describe('accounts') -> 'relations' AS relations;
RESET ROLE;
GRANT SELECT ON accounts, invoices TO hidden_other;
SET ROLE hidden_other;
SELECT name, columns, target_columns FROM corm.relations WHERE model IN ('accounts'::regclass, 'invoices') ORDER BY 1;
SELECT name, primary_key FROM corm.models WHERE model = 'accounts'::regclass;
SELECT corm.describe_relation('invoices', 'account') -> 'columns' AS columns;
RESET ROLE;

\echo It takes effect at once, and ends at once
COMMENT ON COLUMN users.age IS '@orm:hidden';
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1))) AS age_is_hidden;
COMMENT ON COLUMN users.age IS NULL;
COMMENT ON COLUMN users.password_hash IS '@orm:hidden=false';
SELECT corm.get_json(corm.selector('users'), corm.where(corm.eq('id', 1))) AS all_shown;
COMMENT ON COLUMN users.password_hash IS '@orm:hidden=maybe';
SELECT answer($$ SELECT corm.get_json(corm.selector('users')) $$);

DROP OWNED BY hidden_other;
DROP ROLE hidden_other;
DROP SCHEMA hidden CASCADE;
