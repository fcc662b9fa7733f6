-- hardening 59
-- autonomous transactions: what they see, what they take along, what they leave behind
CREATE SCHEMA auto;
SET search_path = auto;
CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE TABLE t (i int PRIMARY KEY, CONSTRAINT small CHECK (i < 100));
CREATE ROLE regress_auto_user;
CREATE ROLE regress_auto_other;
CREATE ROLE regress_auto_login LOGIN;
GRANT regress_auto_user TO regress_auto_login;
GRANT USAGE, CREATE ON SCHEMA auto TO PUBLIC;
GRANT ALL ON log, t TO PUBLIC;

-- committed, whatever becomes of the caller
BEGIN;
INSERT INTO t VALUES (1);
SELECT corm.autonomous('INSERT INTO log (what) VALUES ($1) RETURNING what', 'kept');
SELECT corm.autonomous('SELECT count(*) FROM t');
SELECT what FROM log;
ROLLBACK;
SELECT what FROM log;
DO $$BEGIN
	PERFORM corm.autonomous('INSERT INTO log (what) VALUES ($1)', 'from an exception block');
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE 'rolled back';
END$$;
SELECT corm.autonomous('INSERT INTO log (what) VALUES (''single statement'')'), 1 / (count(*) - count(*)) FROM t;
SELECT what FROM log ORDER BY id;

-- in a trigger, a procedure and another autonomous transaction
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	PERFORM corm.autonomous('INSERT INTO auto.log (what) VALUES ($1)', format('%s %s', TG_OP, NEW.i));
	RETURN NEW;
END$$;
CREATE TRIGGER audit BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION audit();
INSERT INTO t VALUES (5), (500);
CREATE PROCEDURE pr() LANGUAGE plpgsql AS $$BEGIN
	PERFORM corm.autonomous('INSERT INTO auto.log (what) VALUES (''before COMMIT'')');
	COMMIT;
	PERFORM corm.autonomous('INSERT INTO auto.log (what) VALUES (''after COMMIT'')');
	ROLLBACK;
END$$;
CALL pr();
SELECT corm.autonomous($$SELECT corm.autonomous('INSERT INTO log (what) VALUES (''nested'') RETURNING what') AS inner$$);
TABLE t;
SELECT what FROM log ORDER BY id;
DROP TRIGGER audit ON t;

-- the caller sees what was committed from its next statement on, unless it has one snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM t;
SELECT corm.autonomous('INSERT INTO t VALUES (6)');
SELECT count(*) FROM t;
COMMIT;
SELECT count(*) FROM t;
-- also of functions that it has just used
CREATE FUNCTION version() RETURNS text LANGUAGE sql AS $$SELECT 'old'$$;
DO $$BEGIN
	RAISE NOTICE '%', auto.version();
	PERFORM corm.autonomous('CREATE OR REPLACE FUNCTION auto.version() RETURNS text LANGUAGE sql AS $f$SELECT ''new''$f$');
	RAISE NOTICE '%', auto.version();
END$$;

-- results and errors
SELECT corm.autonomous('');
SELECT corm.autonomous(NULL);
SELECT corm.autonomous('UPDATE t SET i = 7 WHERE i = 6');
SELECT corm.autonomous('SELECT i FROM t WHERE i < 0');
SELECT corm.autonomous('BEGIN');
SELECT corm.autonomous('SELECT 1; SELEKT 2');
\echo :LAST_ERROR_SQLSTATE
SELECT corm.autonomous('INSERT INTO t VALUES (1000)');
SELECT ok, sqlstate, message, detail, schema_name, table_name, constraint_name, scope
FROM corm.try_tx(corm.tx('requires_new', name => 'check'), 'INSERT INTO t VALUES (1000)');
SELECT ok, value, scope FROM corm.try_tx(corm.tx('requires_new'), 'SELECT 1 AS one');
SELECT sqlstate, message, hint FROM corm.try_tx(corm.tx('requires_new'),
	$$DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''XY123'', MESSAGE = ''m'', HINT = ''h'', DETAIL = ''d''; END'$$);
CREATE TABLE parent (i int PRIMARY KEY);
CREATE TABLE child (i int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
SELECT sqlstate, constraint_name FROM corm.try_tx(corm.tx('requires_new'), 'INSERT INTO child VALUES (1)');
TABLE child;
SELECT corm.autonomous('SELECT corm.set_rollback_only(); INSERT INTO parent VALUES (1)');
SELECT ok, sqlstate, value FROM corm.try_tx(corm.tx('requires_new'), 'INSERT INTO parent VALUES (1); SELECT corm.set_rollback_only()');
TABLE parent;
SELECT corm.autonomous($$SELECT name, propagation, depth, read_only FROM corm.current_tx()$$);

-- notices
SELECT corm.autonomous($$DO 'BEGIN RAISE NOTICE ''one''; RAISE WARNING ''two''; RAISE INFO ''three''; RAISE DEBUG ''four''; END'$$);
SET client_min_messages = error;
SELECT corm.autonomous($$DO 'BEGIN RAISE NOTICE ''one''; END'$$);
RESET client_min_messages;
SELECT corm.autonomous($$DO 'BEGIN RAISE NOTICE ''before the error''; RAISE division_by_zero; END'$$);

-- parameters
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('good', 'bad');
SELECT corm.autonomous('SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e, $6 AS f, $7 AS g',
	1, 'x'::text, NULL::int, ARRAY[1, NULL, 3], ROW(1, 'p')::pair, 5::positive, 'bad'::mood);
SELECT corm.autonomous('SELECT $1::date + 1 AS next, $2 || ''!'' AS text', '2024-02-28', 'untyped');
SELECT corm.autonomous('SELECT $1 AS a, $2 AS b', VARIADIC ARRAY['x', 'y']);
SELECT corm.autonomous('SELECT length($1) AS n, md5($1) = $2 AS same', repeat('0123456789', 100000), md5(repeat('0123456789', 100000)));
SELECT length(corm.autonomous('SELECT repeat(''x'', 3000000) AS x')::text);
SELECT corm.autonomous('SELECT $1', ROW(1, 2));
\echo :LAST_ERROR_SQLSTATE
BEGIN;
CREATE TYPE fresh AS (a int);
SAVEPOINT s;
SELECT corm.autonomous('SELECT $1', ROW(1)::fresh);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- isolation, read only, timeout, retries are its own
SELECT corm.autonomous('SELECT current_setting(''transaction_isolation'') AS level, current_setting(''transaction_read_only'') AS read_only');
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT corm.autonomous('SELECT current_setting(''transaction_isolation'') AS level, current_setting(''transaction_read_only'') AS read_only,
	current_setting(''transaction_deferrable'') AS deferrable');
COMMIT;
SET default_transaction_isolation = 'repeatable read';
SET default_transaction_read_only = on;
SELECT corm.autonomous('SELECT current_setting(''transaction_isolation'') AS level, current_setting(''transaction_read_only'') AS read_only');
SELECT corm.do_tx(corm.tx('requires_new', isolation => 'serializable', read_only => false),
	'SELECT current_setting(''transaction_isolation'') AS level, current_setting(''transaction_read_only'') AS read_only');
RESET default_transaction_isolation;
RESET default_transaction_read_only;
SELECT corm.do_tx(corm.tx('requires_new', read_only => true), 'INSERT INTO t VALUES (8)');
SELECT corm.do_tx(corm.tx('requires_new', timeout => '50 ms', name => 'slow'), 'SELECT pg_sleep(60)');
CREATE SEQUENCE attempts;
SELECT corm.do_tx(corm.tx('requires_new', retries => 2),
	$$DO 'BEGIN IF nextval(''auto.attempts'') < 3 THEN RAISE serialization_failure; END IF; END'; SELECT last_value FROM attempts$$);

-- settings go along, and do not come back
SET myapp.tenant = '7';
BEGIN;
SET LOCAL work_mem = '77MB';
SELECT corm.autonomous('SELECT current_setting(''work_mem'') AS a, current_setting(''myapp.tenant'') AS b, current_setting(''search_path'') AS c');
COMMIT;
CREATE FUNCTION with_setting() RETURNS jsonb LANGUAGE sql SET work_mem = '88MB' AS
	$$SELECT corm.autonomous('SELECT current_setting(''work_mem'') AS a')$$;
SELECT with_setting();
SELECT corm.autonomous('SET work_mem = ''99MB''; SET myapp.tenant = ''8''; SET LOCAL search_path = pg_catalog; SELECT set_config(''myapp.other'', ''x'', false)');
SHOW work_mem;
RESET myapp.tenant;
SELECT corm.autonomous('SELECT current_setting(''work_mem'') AS a, current_setting(''myapp.tenant'', true) AS b, current_setting(''search_path'') AS c,
	current_setting(''myapp.other'', true) AS d');

-- row-level security by a setting
CREATE TABLE secret (tenant text, what text);
INSERT INTO secret VALUES ('a', 'of a'), ('b', 'of b');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secret USING (tenant = current_setting('myapp.tenant', true));
GRANT SELECT ON secret TO regress_auto_user;
SET ROLE regress_auto_user;
SET myapp.tenant = 'a';
SELECT corm.autonomous('SELECT what FROM secret');
SET myapp.tenant = 'b';
SELECT corm.autonomous('SELECT what FROM secret');
RESET myapp.tenant;
SELECT corm.autonomous('SELECT what FROM secret');
RESET ROLE;
SELECT corm.autonomous('SELECT count(*) FROM secret');

-- who
CREATE FUNCTION who(OUT current name, OUT session name, OUT role text) LANGUAGE sql AS
	'SELECT current_user, session_user, current_setting(''role'')';
CREATE FUNCTION definer() RETURNS jsonb LANGUAGE sql SECURITY DEFINER AS $$SELECT corm.autonomous('SELECT * FROM auto.who()')$$;
ALTER FUNCTION definer() OWNER TO regress_auto_other;
SET SESSION AUTHORIZATION regress_auto_login;
SELECT corm.autonomous('SELECT * FROM who()');
SET ROLE regress_auto_user;
SELECT corm.autonomous('SELECT * FROM who()');
SELECT definer();
SELECT corm.autonomous('SELECT corm.autonomous(''SELECT * FROM who()'')');
RESET ROLE;
SELECT corm.autonomous('SELECT * FROM who()');

-- no way to become somebody else
SET ROLE regress_auto_user;
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'RESET ROLE');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'SET ROLE NONE');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'SET LOCAL ROLE regress_auto_login');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'RESET SESSION AUTHORIZATION');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'SET SESSION AUTHORIZATION regress_auto_login');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'SELECT set_config(''role'', ''none'', false)');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'SELECT set_config(''session_authorization'', ''regress_auto_login'', true)');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'DO ''BEGIN ROLLBACK; END''');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'DISCARD ALL');
CREATE FUNCTION as_login() RETURNS name LANGUAGE sql SET role = 'regress_auto_login' AS 'SELECT current_user';
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'SELECT as_login()');
SELECT corm.autonomous('RESET ALL; SELECT * FROM auto.who()');
-- a cursor WITH HOLD does not run at commit as somebody else
CREATE TABLE ran_as (who name);
GRANT INSERT ON ran_as TO PUBLIC;
CREATE FUNCTION tell() RETURNS int LANGUAGE sql AS 'INSERT INTO auto.ran_as VALUES (current_user); SELECT 1';
SELECT corm.autonomous($$DO 'BEGIN EXECUTE ''DECLARE c CURSOR WITH HOLD FOR SELECT auto.tell()''; END'$$);
-- nor does a deferred trigger
CREATE FUNCTION deferred() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
	INSERT INTO auto.ran_as VALUES (current_user);
	RAISE NOTICE 'deferred trigger as %, tenant %', current_user, current_setting('myapp.tenant', true);
	RETURN NULL;
END$$;
CREATE TABLE with_deferred (i int);
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON with_deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deferred();
SET myapp.tenant = 'of the caller';
SELECT corm.autonomous('INSERT INTO with_deferred VALUES (1)');
TABLE ran_as;
RESET SESSION AUTHORIZATION;
RESET ROLE;

-- nothing of a body reaches the next one
SELECT corm.autonomous('CREATE TEMP TABLE temporary AS SELECT 1 AS x; SELECT * FROM temporary');
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'SELECT * FROM temporary');
SELECT corm.autonomous('SELECT pg_advisory_lock(4711)');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711;
SELECT corm.autonomous('PREPARE prep AS SELECT 1');
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'EXECUTE prep');
SELECT corm.autonomous('SELECT nextval(''attempts'') > 0 AS ok');
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'SELECT currval(''attempts'')');
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'SELECT lastval()');
SELECT corm.autonomous('SELECT count(*) FROM pg_cursors');
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'SELECT * FROM nowhere');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'LISTEN x');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('requires_new'), 'COPY t TO STDOUT');
-- and nothing of the caller's is there
CREATE TEMP TABLE mine (x int);
SELECT sqlstate FROM corm.try_tx(corm.tx('requires_new'), 'SELECT * FROM mine');

-- nested too deep
SET corm.autonomous_max_depth = 2;
SELECT corm.autonomous($$SELECT corm.autonomous('SELECT 1') AS x$$);
SELECT sqlstate, message, detail FROM corm.try_tx(corm.tx('requires_new'),
	$$SELECT corm.autonomous('SELECT corm.autonomous(''SELECT 1'')')$$);
RESET corm.autonomous_max_depth;

-- not in a security-restricted operation: code that another role's ANALYZE or index build runs
SET ROLE regress_auto_other;
CREATE FUNCTION sneaky(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
	PERFORM corm.autonomous('SELECT 1');
	RETURN $1;
END$$;
CREATE TABLE bait (i int);
INSERT INTO bait VALUES (1);
RESET ROLE;
CREATE INDEX ON bait (sneaky(i));
\echo :LAST_ERROR_SQLSTATE
SELECT sqlstate FROM corm.try_tx($$DO 'BEGIN PERFORM corm.autonomous(''SELECT 1''); END'$$);

-- statements without a transaction
CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$BEGIN
	FOR k IN 1..3 LOOP
		INSERT INTO auto.log (what) VALUES ('step ' || k);
		COMMIT;
	END LOOP;
END$$;
TRUNCATE log;
BEGIN;
SELECT corm.do_tx(corm.tx('not_supported'), 'VACUUM log; ANALYZE log; CALL steps(); SELECT what FROM log WHERE what <> $1 ORDER BY id', 'step 2');
SELECT ok, sqlstate, message, scope FROM corm.try_tx(corm.tx('not_supported', name => 'vacuum'), 'INSERT INTO log (what) VALUES (''stays''); SELECT 1/0');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('not_supported'), 'COMMIT');
SELECT sqlstate, message FROM corm.try_tx(corm.tx('not_supported', timeout => '50 ms'), 'SELECT pg_sleep(60)');
SET LOCAL work_mem = '77MB';
SELECT corm.do_tx(corm.tx('not_supported'), 'SHOW work_mem');
SET LOCAL ROLE regress_auto_user;
SELECT sqlstate, message FROM corm.try_tx(corm.tx('not_supported'), 'VACUUM');
RESET ROLE;
CALL corm.run_tx('INSERT INTO log (what) VALUES (''by run_tx'')', corm.tx('requires_new', name => 'run'), NULL);
ROLLBACK;
SELECT what FROM log ORDER BY id;

-- timeouts of the caller: its statement's ends the body, too; while it waits it is not idle, and neither is its worker
SET statement_timeout = '500ms';
SELECT corm.autonomous('SELECT pg_sleep(60)');
RESET statement_timeout;
SELECT count(*) FROM corm.workers WHERE state = 'running';
BEGIN;
SET LOCAL idle_in_transaction_session_timeout = '100ms';
SELECT corm.autonomous('SELECT pg_sleep(0.3)::text = '''' AS slept');
COMMIT;

-- transaction_timeout, which PostgreSQL has since 17: that of the role or database does not hold; one that the body sets ends
-- its worker, and that is what the error says
SELECT current_setting('server_version_num')::int >= 170000 AS has_timeout \gset
\if :has_timeout
DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET transaction_timeout = ''100ms''', current_database()); END$$;
\endif
SELECT count(pg_terminate_backend(pid, 60000)) > 0 AS new_ones FROM corm.workers WHERE state = 'idle';
SELECT corm.autonomous('SELECT pg_sleep(0.3)::text = '''' AS slept');
SELECT corm.task_value(corm.submit(corm.task(immediate => true), 'SELECT pg_sleep(0.3)::text = '''' AS slept'));
\if :has_timeout
DO $$BEGIN EXECUTE format('ALTER DATABASE %I RESET transaction_timeout', current_database()); END$$;
SELECT sqlstate, message, detail FROM corm.try_tx(corm.tx('requires_new', retries => 2), 'SET LOCAL transaction_timeout = ''50ms''; SELECT pg_sleep(60)') \gset call_
SELECT sqlstate, message FROM corm.task_wait(corm.submit(corm.task(immediate => true), 'SET LOCAL transaction_timeout = ''50ms''; SELECT pg_sleep(60)')) \gset task_
\else
SELECT '25P04' AS sqlstate, 'worker was terminated' AS message, 'terminating connection due to transaction timeout' AS detail \gset call_
SELECT '25P04' AS sqlstate, 'task exceeded the transaction_timeout that its body has set' AS message \gset task_
\endif
SELECT :'call_sqlstate' AS sqlstate, :'call_message' AS message, :'call_detail' AS detail;
SELECT :'task_sqlstate' AS sqlstate, :'task_message' AS message;
SELECT corm.autonomous('SELECT 1 AS one');

-- a name that the session does not know, and that the worker, which has loaded plpgsql, refuses
SELECT corm.autonomous('DO $$BEGIN END$$');
\c -
SET plpgsql.unknown = '1';
SELECT corm.autonomous('SELECT 1 AS one');

SELECT * FROM corm.work_check();
DROP OWNED BY regress_auto_user, regress_auto_other, regress_auto_login;
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA auto CASCADE;
DROP ROLE regress_auto_user, regress_auto_other, regress_auto_login;
