-- hardening 41
-- A2: code of users that changes a row type in the middle of a read or write.  Whatever runs, and whatever it does to
-- the type: the answer is right, or an error that says what happened; never garbage and never a crash.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA a2;
SET search_path = a2, public;

\echo A2: the case that read the memory of the server
CREATE TABLE t (id int PRIMARY KEY, a text, b bigint);
INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2);
CREATE FUNCTION before_update(x t) RETURNS t LANGUAGE plpgsql AS $$
DECLARE y record;
BEGIN
  IF x.id = 1 THEN
    EXECUTE 'ALTER TABLE t DROP COLUMN a'; EXECUTE 'ALTER TABLE t ADD COLUMN c bytea';
    EXECUTE 'SELECT corm.update(row(2, 5, ''cc'')::t)';
    EXECUTE format('SELECT 1::int, %s::bigint, ''zz''::bytea', x.b) INTO y;
    RETURN y;
  END IF;
  RETURN x;
END $$;
SELECT corm.update(row(1, 'x', 7)::t);
SELECT * FROM t ORDER BY id;
DROP TABLE t CASCADE;

\echo A2: every place where code of users runs, every verb, every change
-- what is disturbed by what, once
CREATE FUNCTION disturb(carrier text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE ddl text := current_setting('a2.ddl', true);
BEGIN
  IF ddl <> '' AND carrier = current_setting('a2.carrier', true) THEN
    PERFORM set_config('a2.ddl', '', false);
    PERFORM set_config('a2.fired', 'yes', false);
    IF current_setting('a2.in_scope', true) = 'on' THEN
      PERFORM corm.do_tx(ddl);
    ELSE
      EXECUTE ddl;
    END IF;
  END IF;
  RETURN true;
END $$;
-- from the moment at which the arguments are there: what comes before is PostgreSQL's alone
CREATE FUNCTION arm(x anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('a2.ddl', current_setting('a2.armed'), false); RETURN x; END $$;
CREATE FUNCTION disturb_default() RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM a2.disturb(''default''); RETURN ''dflt''; END';
CREATE FUNCTION disturb_generated(v bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM a2.disturb(''generated''); RETURN v * 2; END';
CREATE FUNCTION disturb_index(v text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM a2.disturb(''index''); RETURN v; END';
CREATE FUNCTION disturb_raw(v text) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM a2.disturb(''raw''); RETURN v; END';
CREATE DOMAIN dom AS text CHECK (a2.disturb('check'));
CREATE TYPE mood AS ENUM ('7', '8');
CREATE FUNCTION mood_bigint(m mood) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM a2.disturb(''cast''); RETURN m::text::bigint; END';
CREATE CAST (mood AS bigint) WITH FUNCTION mood_bigint(mood) AS ASSIGNMENT;
CREATE FUNCTION mood_json(m mood) RETURNS json LANGUAGE plpgsql AS 'BEGIN PERFORM a2.disturb(''json''); RETURN to_json(m::text); END';
CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
CREATE FUNCTION tg_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM a2.disturb(lower(tg_when) || ' row'); RETURN coalesce(new, old); END $$;
CREATE FUNCTION tg_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM a2.disturb(lower(tg_when) || ' statement'); RETURN NULL; END $$;
CREATE FUNCTION mw(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE r corm.query_result;
BEGIN
  PERFORM a2.disturb('middleware before'); r := corm.next(qc); PERFORM a2.disturb('middleware after');
  RETURN r;
END $$;

-- four models: a table and a row type over a table, each without and with hooks
CREATE FUNCTION make_table(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, a text DEFAULT disturb_default(), b bigint, d dom, m mood DEFAULT ''7'', '
                 'g bigint GENERATED ALWAYS AS (disturb_generated(b)) STORED, gone timestamptz)', name);
  EXECUTE format('COMMENT ON COLUMN %I.gone IS ''@orm:soft_delete''', name);
  EXECUTE format('INSERT INTO %I (id, a, b, d) VALUES (1, ''one'', 1, ''d1''), (2, ''two'', 2, ''d2'')', name);
  EXECUTE format('INSERT INTO %I (id, a, b, gone) VALUES (3, ''three'', 3, ''2026-01-01 UTC'')', name);
  EXECUTE format('CREATE INDEX ON %I (disturb_index(a))', name);
  EXECUTE format('CREATE TRIGGER r1 BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION tg_row()', name);
  EXECUTE format('CREATE TRIGGER r2 AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION tg_row()', name);
  EXECUTE format('CREATE TRIGGER s1 BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION tg_statement()', name);
  EXECUTE format('CREATE TRIGGER s2 AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION tg_statement()', name);
END $$;
CREATE FUNCTION make_hooks(type text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE hook text;
BEGIN
  FOREACH hook IN ARRAY '{before_save,before_create,before_update,before_delete,after_create,after_update,after_delete,after_save,after_find}'::text[] LOOP
    EXECUTE format('CREATE FUNCTION %I(x %I) RETURNS %I LANGUAGE plpgsql AS %L', hook, type, type,
                   format('BEGIN PERFORM a2.disturb(%L); RETURN x; END', hook));
  END LOOP;
END $$;
SELECT make_table('plain'), make_table('hooked'), make_table('cb'), make_table('chb');
CREATE TYPE c AS (id int, a text, b bigint, d dom, m mood, g bigint, gone timestamptz);
COMMENT ON TYPE c IS '@orm:table=cb';
CREATE TYPE ch AS (id int, a text, b bigint, d dom, m mood, g bigint, gone timestamptz);
COMMENT ON TYPE ch IS '@orm:table=chb';
SELECT make_hooks('hooked'), make_hooks('ch');

CREATE TABLE changes (n int, kind text, ddl text);
INSERT INTO changes VALUES
  (1, 'table', 'ALTER TABLE %1$I DROP COLUMN a'),
  (2, 'table', 'ALTER TABLE %1$I ADD COLUMN z bytea'),
  (4, 'table', 'ALTER TABLE %1$I DROP COLUMN g, ALTER b TYPE text'),
  (5, 'table', 'DROP INDEX %1$I_disturb_index_idx; ALTER TABLE %1$I ALTER a DROP DEFAULT, ALTER a TYPE bigint USING 123456789'),
  (6, 'table', 'ALTER TABLE %1$I RENAME b TO bb'),
  (7, 'table', 'COMMENT ON COLUMN %1$I.gone IS NULL'),
  (8, 'table', 'DROP TABLE %1$I CASCADE'),
  (1, 'type', 'ALTER TYPE %1$I DROP ATTRIBUTE a'),
  (2, 'type', 'ALTER TYPE %1$I ADD ATTRIBUTE z bytea'),
  (3, 'type', 'ALTER TYPE %1$I DROP ATTRIBUTE a, ADD ATTRIBUTE z bytea'),
  (4, 'type', 'ALTER TYPE %1$I ALTER ATTRIBUTE b TYPE text'),
  (5, 'type', 'ALTER TYPE %1$I ALTER ATTRIBUTE a TYPE bigint'),
  (7, 'type', 'COMMENT ON TYPE %1$I IS NULL'),
  (8, 'type', 'DROP TYPE %1$I CASCADE');
CREATE TABLE verbs (n serial, verb text, sql text);
INSERT INTO verbs (verb, sql) VALUES
  ('get', 'SELECT corm.get(a2.arm(NULL::%1$I), corm.where(corm.eq(''id'', 1)))::text'),
  ('get raw', 'SELECT corm.get(a2.arm(NULL::%1$I), corm.where(corm.raw(''a2.disturb_raw(a) = $1'', ''one'')))::text'),
  ('first', 'SELECT corm.first(a2.arm(NULL::%1$I))::text'),
  ('one', 'SELECT corm.one(a2.arm(NULL::%1$I), corm.where(corm.eq(''d'', ''d2'')))::text'),
  ('get_multi', 'SELECT string_agg(x::text, '' '' ORDER BY x.id) FROM corm.get_multi(a2.arm(NULL::%1$I)) AS x'),
  ('get_json', 'SELECT corm.get_json(a2.arm(corm.selector(%1$L)), corm.where(corm.eq(''id'', 2)))'),
  ('insert', 'SELECT corm.insert(a2.arm(row(5, NULL, 5, ''d5'', ''8'', NULL, NULL)::%1$I))::text'),
  ('insert_multi', 'SELECT string_agg(x::text, '' '') FROM corm.insert_multi(a2.arm(ARRAY[row(5, NULL, 5, ''d5'', ''8'', NULL, NULL), '
                   'row(6, ''six'', 6, NULL, ''8'', NULL, NULL)]::%1$I[])) AS x'),
  ('insert_json', 'SELECT corm.insert_json(%1$L, a2.arm(''[{"id": 5, "b": 5, "d": "d5"}, {"id": 6, "a": "six", "b": 6}]''::jsonb))'),
  ('rows(jsonb)', 'SELECT string_agg(x::text, '' '') FROM corm.get_multi(a2.arm(NULL::%1$I), corm.inserter(%1$L), '
                  'corm.rows(''[{"id": 5, "b": 5, "d": "d5"}, {"id": 6, "a": "six", "b": 6}]''::jsonb)) AS x'),
  ('rows(array)', 'SELECT corm.exec(corm.inserter(%1$L), corm.rows(a2.arm(ARRAY[row(5, NULL, 5, ''d5'', ''8'', NULL, NULL), '
                  'row(6, ''six'', 6, NULL, ''8'', NULL, NULL)]::%1$I[])))'),
  ('upsert', 'SELECT string_agg(x::text, '' '') FROM corm.get_multi(NULL::%1$I, corm.inserter(%1$L), corm.rows(a2.arm(ARRAY[row(1, ''new'', 5, ''d5'', ''8'', NULL, NULL), '
             'row(6, ''six'', 6, NULL, ''8'', NULL, NULL)]::%1$I[])), corm.on_conflict(''id''), corm.do_update()) AS x'),
  ('update', 'SELECT corm.update(a2.arm(row(1, ''new'', 70, ''d'', ''8'', NULL, NULL)::%1$I))::text'),
  ('update_multi', 'SELECT string_agg(x::text, '' '') FROM corm.update_multi(a2.arm(ARRAY[row(2, ''new2'', 72, ''d'', ''8'', NULL, NULL), '
                   'row(1, ''new1'', 71, ''d'', ''8'', NULL, NULL)]::%1$I[])) AS x'),
  ('save new', 'SELECT corm.save(a2.arm(row(7, ''new'', 70, ''d'', ''8'', NULL, NULL)::%1$I))::text'),
  ('save old', 'SELECT corm.save(a2.arm(row(1, ''new'', 70, ''d'', ''8'', NULL, NULL)::%1$I))::text'),
  ('delete', 'SELECT corm.delete(a2.arm(row(1, NULL, NULL, NULL, NULL, NULL, NULL)::%1$I))'),
  ('updater', 'SELECT corm.exec(a2.arm(corm.updater(%1$L)), corm.set(''b'', ''7''::a2.mood), corm.where(corm.lt(''id'', 3)))'),
  ('updater rows', 'SELECT string_agg(x::text, '' '' ORDER BY x.id) FROM corm.get_multi(a2.arm(NULL::%1$I), corm.updater(%1$L), corm.set(''a'', ''n''::text), corm.all_rows()) AS x'),
  ('deleter', 'SELECT corm.exec(a2.arm(corm.deleter(%1$L)), corm.where(corm.lt(''id'', 3)))'),
  ('restore', 'SELECT corm.restore(a2.arm(corm.selector(%1$L)), corm.where(corm.eq(''id'', 3)))');

-- the outcome of a verb that is disturbed; all is undone
CREATE FUNCTION outcome(sql text, carrier text, ddl text, OUT fired boolean, OUT result text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('a2.carrier', carrier, false);
  PERFORM set_config('a2.armed', ddl, false);
  PERFORM set_config('a2.fired', 'no', false);
  BEGIN
    EXECUTE sql INTO result;
    PERFORM set_config('a2.ddl', '', false);
    fired := current_setting('a2.fired') = 'yes';
    RAISE EXCEPTION USING errcode = 'YYYYY', message = coalesce(result, '(null)');
  EXCEPTION WHEN OTHERS THEN
    result := CASE WHEN sqlstate = 'YYYYY' THEN sqlerrm ELSE sqlstate END;
    fired := coalesce(fired, sqlstate <> 'YYYYY');
  END;
END $$;
CREATE TABLE outcomes (model text, carrier text, verb text, change int, undisturbed text, result text);
CREATE FUNCTION try_all(model text, kind text, carriers text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v verbs; c changes; carrier text; undisturbed text; o record;
BEGIN
  FOR v IN SELECT * FROM verbs ORDER BY n LOOP
    undisturbed := (outcome(format(v.sql, model), '', '')).result;
    FOREACH carrier IN ARRAY carriers LOOP
      FOR c IN SELECT * FROM changes WHERE changes.kind = try_all.kind ORDER BY n LOOP
        o := outcome(format(v.sql, model), carrier, format(c.ddl, model));
        IF o.fired THEN
          INSERT INTO outcomes VALUES (model, carrier, v.verb, c.n, undisturbed, o.result);
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;

SELECT try_all('plain', 'table', '{check,default,generated,index,raw,cast,json,before row,after row,before statement,after statement}');
SELECT try_all('hooked', 'table', '{check,cast,before row,before_save,before_create,before_update,before_delete,after_create,after_update,after_delete,after_save,after_find}');
SELECT try_all('c', 'type', '{check,default,generated,index,raw,cast,json,before row,after row,before statement,after statement}');
SELECT try_all('ch', 'type', '{check,cast,before row,before_save,before_create,before_update,before_delete,after_create,after_update,after_delete,after_save,after_find}');
SET a2.in_scope = on;
SELECT try_all('hooked', 'table', '{before_save,after_save}');
SELECT try_all('ch', 'type', '{before_save,after_save}');
SET a2.in_scope = off;
SELECT corm.use('a2.mw(corm.query_context)', m::regclass) IS NOT NULL AS used FROM unnest('{plain,hooked,cb,chb}'::text[]) AS m;
SELECT try_all('plain', 'table', '{middleware before,middleware after}');
SELECT try_all('c', 'type', '{middleware before,middleware after}');
SELECT try_all('ch', 'type', '{middleware before,middleware after}');

-- the function of a policy runs for a role that the policy holds for
CREATE ROLE regress_a2;
GRANT ALL ON SCHEMA a2 TO regress_a2;
GRANT ALL ON ALL TABLES IN SCHEMA a2 TO regress_a2;
SET ROLE regress_a2;
SELECT make_table('policed');
ALTER TABLE policed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON policed USING (a2.disturb('policy'));
SELECT try_all('policed', 'table', '{policy}');
RESET ROLE;

-- that each of them was tried and refused, and how often a verb was right in spite of it
SELECT carrier, count(*) > 0 AS tried, bool_or(result = '55006') AS refused, bool_or(result = undisturbed) AS "right"
FROM outcomes GROUP BY 1 ORDER BY 1;
-- answers that are not what they are without the change: those of the model as a middleware has made it
SELECT model, carrier, change, verb, result FROM outcomes WHERE result !~ '^[0-9A-Z]{5}$' AND result <> undisturbed
ORDER BY model, carrier, change, verb;
-- internal errors: none but those of PostgreSQL, where a statement of its reads rows whose type changes meanwhile
SELECT DISTINCT carrier FROM outcomes WHERE result LIKE 'XX%' AND carrier NOT IN ('before statement', 'after_find');
DROP SCHEMA a2 CASCADE;
DROP ROLE regress_a2;
