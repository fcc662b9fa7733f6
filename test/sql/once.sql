-- corm.once: a body runs once for each key of a role.
CREATE SCHEMA once_test;
SET search_path = once_test;
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, note text);
CREATE TABLE seen (note text);

SELECT corm.once('k1', 'INSERT INTO t (note) VALUES (''a'') RETURNING id, note');
SELECT corm.once('k1', 'INSERT INTO t (note) VALUES (''a'') RETURNING id, note');
-- whatever the body
SELECT corm.once('k1', 'SELECT 1 / 0');
-- with parameters: typed, literal, none, from a driver
SELECT corm.once('k2', 'INSERT INTO t (note) VALUES ($1 || $2) RETURNING note', 'x'::text, 5);
SELECT corm.once('k3', 'INSERT INTO t (note) VALUES ($1) RETURNING note', 'lit');
SELECT corm.once('k4', 'SELECT 1 AS a', VARIADIC '{}'::int[]);
PREPARE p AS SELECT corm.once($1, 'SELECT $1 AS a, $2 AS b', $2, $3);
EXECUTE p ('k5', 'u', 'v');
EXECUTE p ('k5', 'u', 'other');
DEALLOCATE p;
-- a body without rows
SELECT corm.once('k6', 'INSERT INTO seen VALUES (''only once'')');
SELECT corm.once('k6', 'INSERT INTO seen VALUES (''only once'')');
SELECT corm.once('k7', '');
SELECT count(*) FROM seen;
-- many times in one statement; many keys
SELECT count(DISTINCT corm.once('k8', 'INSERT INTO t (note) VALUES (''k8'') RETURNING id')) FROM generate_series(1, 3);
SELECT count(corm.once('many ' || i, 'SELECT $1 AS i', i)) FROM generate_series(1, 1000) i;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();

-- a first call that fails, or is rolled back, is none
SELECT corm.once('f1', 'SELECT 1 / $1', 0);
SELECT corm.once('f1', 'SELECT 1 / $1 AS a', 1);
BEGIN;
SELECT corm.once('f2', 'SELECT 1 AS a');
SAVEPOINT s;
SELECT corm.once('f3', 'SELECT 1 AS a');
ROLLBACK TO s;
SELECT corm.once('f3', 'SELECT 2 AS a');
SELECT corm.once('f2', 'SELECT 2 AS a');
ROLLBACK;
SELECT corm.once('f2', 'SELECT 3 AS a');
SELECT corm.once('f4', 'SELECT corm.set_rollback_only()');
SELECT corm.once('f4', 'SELECT 4 AS a');
DO $$
BEGIN
	PERFORM corm.once('f5', 'SELECT 1 / 0');
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE 'second: %', corm.once('f5', 'SELECT 5 AS a');
END $$;
-- in a scope, which is undone
SELECT corm.try_tx('SELECT corm.once(''f6'', ''SELECT 1 AS a''); SELECT 1 / 0');
SELECT corm.once('f6', 'SELECT 6 AS a');

-- nested keys, and a key within itself
SELECT corm.once('outer', 'SELECT corm.once(''inner'', ''SELECT 1 AS a'') AS inner');
SELECT corm.once('inner', 'SELECT 2 AS a');
SELECT corm.once('self', 'SELECT corm.once(''self'', ''SELECT 1'')');
SELECT corm.once('self', 'SELECT corm.once_forget(''self'')');
SELECT corm.once('self', 'SELECT 1 AS a');

-- forget, purge
SELECT corm.once_forget('k1');
SELECT corm.once_forget('k1');
SELECT corm.once('k1', 'SELECT ''again'' AS a');
BEGIN;
SELECT corm.once_forget('k1');
SELECT corm.once('k1', 'SELECT ''third'' AS a');
ROLLBACK;
SELECT corm.once('k1', 'SELECT ''fourth'' AS a');
BEGIN;
SELECT corm.once('fresh', 'SELECT 1 AS a'), corm.once_forget('fresh'), corm.once('fresh', 'SELECT 2 AS a');
COMMIT;
SELECT corm.once_purge('1 day');
SELECT corm.once_purge('0') > 1000 AS purged;
SELECT corm.once_purge('0');
SELECT corm.once('k1', 'SELECT ''after purge'' AS a');
BEGIN;
SELECT corm.once('new', 'SELECT 1 AS a');
SELECT corm.once_purge('0');
SELECT corm.once_purge('0');
SELECT corm.once('new', 'SELECT 2 AS a');
COMMIT;

-- a big result
SELECT length(corm.once('big', 'SELECT string_agg(md5(i::text), '''') AS a FROM generate_series(1, 10000) i')::text);
SELECT length(corm.once('big', 'SELECT 1')::text);

-- a key is the role's own
CREATE ROLE once_a;
CREATE ROLE once_b;
SET ROLE once_a;
SELECT corm.once('shared', 'SELECT current_user AS who');
SET ROLE once_b;
SELECT corm.once('shared', 'SELECT current_user AS who');
SELECT corm.once_forget('shared'), corm.once_forget('shared');
SELECT * FROM corm.once_results;
INSERT INTO corm.once_results VALUES ('once_a', 'forged', '1', now());
DELETE FROM corm.once_results;
SELECT corm.once_purge('0', all_roles => true);
SELECT corm.once_purge('0');
SET ROLE once_a;
SELECT corm.once('shared', 'SELECT 1');
RESET ROLE;
SELECT corm.once_purge('0', all_roles => true);
-- a definer's function has the keys of its owner
CREATE FUNCTION defined() RETURNS jsonb SECURITY DEFINER LANGUAGE sql AS $$SELECT corm.once('d', 'SELECT current_user = session_user AS own')$$;
GRANT USAGE ON SCHEMA once_test TO once_a;
SET ROLE once_a;
SELECT defined();
SELECT corm.once('d', 'SELECT ''mine'' AS a');
SELECT defined();
RESET ROLE;

-- read only: what has been done can be asked for
BEGIN READ ONLY;
SELECT corm.once('d', 'SELECT 1');
SELECT corm.once('unknown', 'SELECT 1');
ROLLBACK;
BEGIN READ ONLY;
SELECT corm.once_forget('d');
ROLLBACK;

-- wrong arguments
SELECT corm.once(NULL, 'SELECT 1');
SELECT corm.once('n', NULL);
SELECT corm.once(repeat('x', 1025), 'SELECT 1');
SELECT corm.once(repeat('x', 1024), 'SELECT 1 AS a');
SELECT corm.once('', 'SELECT 1 AS a');
SELECT corm.once('Ab "quoted" $1 é', 'SELECT 1 AS a'), corm.once('ab "quoted" $1 é', 'SELECT 2 AS a');
SELECT corm.once('n', 'COMMIT');
SELECT corm.once('n', 'SELEC');
SELECT corm.once_forget(NULL);
SELECT corm.once_purge(NULL);
SELECT corm.once_purge('-1 day');
-- the body's search path, and an empty one
SET search_path = '';
SELECT corm.once('path', 'SELECT count(*) AS n FROM once_test.seen');
SET search_path = once_test;

-- a trigger and a function of an index are transactions like others
CREATE FUNCTION on_t() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM corm.once('t ' || NEW.note, 'INSERT INTO once_test.seen VALUES ($1)', NEW.note);
	RETURN NEW;
END $$;
CREATE TRIGGER on_t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION on_t();
INSERT INTO t (note) VALUES ('tr'), ('tr'), ('other');
SELECT note, count(*) FROM seen GROUP BY note ORDER BY note;

SELECT corm.once_purge('0', all_roles => true) > 0 AS purged;
DROP SCHEMA once_test CASCADE;
DROP ROLE once_a, once_b;
