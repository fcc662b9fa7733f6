-- Statistics, query log, comments in the SQL: what can be seen in one session.
\pset null '(null)'
\set VERBOSITY terse
CREATE SCHEMA counted;
SET search_path = counted, corm_ops;
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TYPE users_dto AS (id int);
COMMENT ON TYPE users_dto IS '@orm:table=counted.users';
CREATE VIEW mine AS
	SELECT coalesce(model, 'none') AS model, op, calls, rows, errors, plan_hits,
		total_time >= max_time AND max_time >= p99 AND p99 >= p95 AND p95 >= p50 AND p50 >= min_time AND min_time > 0
			AND abs(mean_time - total_time / calls) < 0.001 AND stddev_time >= 0 AS times,
		(SELECT sum((h->>'calls')::bigint) = calls FROM jsonb_array_elements(histogram) h) AS histogram
	FROM corm.stat_queries WHERE database = current_database() AND role = current_user ORDER BY 1, 2;
SELECT corm.stat_reset();
TABLE mine;
SELECT corm.insert(ROW(1, 'a')::users);
SELECT corm.insert(ROW(1, 'b')::users);
SELECT * FROM corm.insert_multi(ARRAY[ROW(2, 'b'), ROW(3, 'c')]::users[]);
SELECT corm.insert_json('users', '[{"id": 4}, {"id": 5, "name": "e"}]');
TABLE mine;
SELECT corm.stat_reset();
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 2)));
SET corm.inline = off;
SELECT count(*) FROM corm.get_multi(NULL::users);
RESET corm.inline;
SELECT corm.get_multi_json(corm.selector('users'), corm.select('id'));
SELECT corm.count(corm.selector('users'));
SELECT corm.first(NULL::users_dto);
SELECT corm.first(NULL::users, corm.where(corm.eq(corm.raw('1/(id - 1)'), 1)), corm.order_by('id'));
SELECT corm.exec(corm.updater('users'), corm.set('name', 'x'), corm.all_rows());
SELECT corm.update(ROW(1, 'y')::users), corm.save(ROW(1, 'z')::users);
SELECT count(*) FROM corm.update_multi(ARRAY[ROW(1, 'y'), ROW(2, 'y')]::users[]);
SELECT corm.delete(ROW(5, NULL)::users), corm.exec(corm.deleter('users'), corm.where(corm.gt('id', 2)));
SELECT corm.exec(corm.raw_query('SELECT 1 UNION SELECT 2'));
TABLE mine;
-- a query that is compiled into another statement is counted by itself: its time and rows are the statement's
SELECT corm.stat_reset();
SET corm.inline = on;
SELECT count(*) FROM corm.get_multi(NULL::users) u, corm.get_multi(NULL::users, corm.where(corm.gt('id', 1))) v;
SELECT u.id, corm.count(corm.selector('users'), corm.where(corm.lt('id', u.id))) FROM users u ORDER BY u.id LIMIT 2;
EXPLAIN (COSTS OFF) SELECT name FROM corm.get_multi(NULL::users);
PREPARE compiled AS SELECT x FROM corm.pluck(NULL::text, corm.from_query(corm.selector('users'), 'q'), corm.select('name')) x LIMIT 1;
EXECUTE compiled;
EXECUTE compiled;
SELECT model, op, calls, rows, compiled, p95 FROM corm.stat_queries WHERE database = current_database() AND role = current_user ORDER BY 1;
SET corm.track_queries = off;
EXECUTE compiled;
RESET corm.track_queries;
SELECT model, op, calls, rows, compiled FROM corm.stat_queries WHERE database = current_database() AND role = current_user ORDER BY 1;
RESET corm.inline;
-- what a middleware answers itself has not been run; what it repeats has
CREATE FUNCTION thrice(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('counted.how') = 'never' THEN RETURN corm.result_of('[0]'); END IF;
	PERFORM corm.next(qc);
	PERFORM corm.next(qc);
	RETURN corm.next(qc);
END $$;
SELECT corm.use('thrice(corm.query_context)', 'users') AS thrice \gset
SELECT corm.stat_reset();
SET counted.how = 'never';
SELECT corm.count(corm.selector('users'));
TABLE mine;
SET counted.how = 'three times';
SELECT corm.count(corm.selector('users'));
TABLE mine;
SELECT corm.unuse(:thrice);
SELECT corm.stat_reset();
SET corm.track_queries = off;
SELECT corm.count(corm.selector('users'));
RESET corm.track_queries;
TABLE mine;
-- the rows of others are for those who may read all statistics, resetting is for superusers
SELECT corm.count(corm.selector('users'));
SELECT entries, max_entries > 0 AS bounded, evictions, reset_at <= now() + interval '1 minute' AS reset FROM corm.stat_info();
CREATE ROLE corm_stats_reader;
-- hardening 6: nobody sees what others do, unless a member of pg_read_all_stats
GRANT USAGE ON SCHEMA counted TO corm_stats_reader;
SET ROLE corm_stats_reader;
SELECT count(*) FROM corm.stat_queries;
SELECT corm.stat_reset();
SET corm.track_queries = off;
SET corm.log_queries = on;
RESET ROLE;
GRANT pg_read_all_stats TO corm_stats_reader;
SET ROLE corm_stats_reader;
SELECT model, op, calls FROM corm.stat_queries WHERE model = 'users';
RESET ROLE;
REVOKE pg_read_all_stats FROM corm_stats_reader;
-- what fails in a SECURITY DEFINER function is counted for the user who called
SELECT corm.stat_reset();
GRANT SELECT ON users TO corm_stats_reader;
CREATE FUNCTION fails(int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RAISE 'for %', current_user = 'corm_stats_reader'; END $$;
SET ROLE corm_stats_reader;
SELECT corm.count(corm.selector('users'), corm.where(corm.raw('counted.fails(id)')));
SELECT model, op, calls, errors FROM corm.stat_queries;
RESET ROLE;
-- a model's name is the one that it has now
SELECT corm.stat_reset();
SELECT corm.count(corm.selector('users'));
ALTER TABLE users RENAME TO people;
SELECT corm.count(corm.selector('people'));
TABLE mine;
ALTER TABLE people RENAME TO users;
REVOKE ALL ON users FROM corm_stats_reader;
REVOKE USAGE ON SCHEMA counted FROM corm_stats_reader;
DROP ROLE corm_stats_reader;

-- comments
\set VERBOSITY default
SET corm.sql_comments = on;
SHOW corm.traceparent;
SET corm.traceparent = 'x';
SET corm.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01*/';
SET corm.traceparent = '00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SET corm.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SET corm.traceparent = '';
SELECT corm.get(NULL::users, corm.where(corm.eq('id', 1)));
-- the comment is part of the text that an error shows
SELECT corm.first(NULL::users, corm.where(corm.eq(corm.raw('1/(id - 1)'), 1)), corm.order_by('id'));
SET corm.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SELECT corm.first(NULL::users, corm.where(corm.eq(corm.raw('1/(id - 1)'), 1)), corm.order_by('id'));
SELECT corm.exec(corm.raw_query('SELECT 1/0 -- end'));
-- and nothing remains of it
SET corm.sql_comments = off;
SELECT corm.first(NULL::users, corm.where(corm.eq(corm.raw('1/(id - 1)'), 1)), corm.order_by('id'));
SET corm.log_args = everything;
DROP SCHEMA counted CASCADE;
