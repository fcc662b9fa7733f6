-- Where verbs are called from: triggers, functions that call each other, blocks with exceptions, functions with a
-- search_path of their own, constraints, defaults, rules and policies, cursors; and on what: temporary tables that come
-- and go, tables of one name in several schemas.
SET client_min_messages = warning;
CREATE SCHEMA cs;
CREATE SCHEMA cs2;
SET search_path = cs;
\set VERBOSITY terse

-- a trigger that writes through corm, into its own table too
CREATE TABLE steps (id int PRIMARY KEY, n int);
CREATE TABLE journal (id serial PRIMARY KEY, op text, what jsonb);
CREATE FUNCTION on_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM corm.insert(ROW(NULL, TG_OP, to_jsonb(coalesce(NEW, OLD)))::cs.journal);
    IF TG_OP = 'INSERT' AND NEW.n > 0 THEN
        PERFORM corm.insert(ROW(NEW.id + 100, NEW.n - 1)::cs.steps);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON steps FOR EACH ROW EXECUTE FUNCTION on_steps();
SELECT corm.insert(ROW(1, 3)::steps);
SELECT corm.get_multi_json(corm.selector('steps'), corm.order_by('id')), corm.count(corm.selector('journal'));
SELECT corm.exec(corm.deleter('steps'), corm.where(corm.gt('id', 200)));
SELECT corm.pluck(NULL::text, corm.selector('journal'), corm.select('op'), corm.order_by('id'));

-- a function that a query calls and that queries itself; a shape that runs inside of itself
CREATE FUNCTION not_above(i int) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT corm.count(corm.selector('cs.steps'), corm.where(corm.lte('id', i)))
$$;
SELECT corm.get_multi_json(corm.selector('steps'), corm.select('id', corm.as(corm.fn('cs.not_above', corm.c('id')), 'place')),
                           corm.where(corm.gt(corm.fn('cs.not_above', corm.c('id')), 1)));
CREATE FUNCTION depth(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN i = 0 THEN 0 ELSE
        1 + corm.value(NULL::int, corm.selector('cs.steps'), corm.select(corm.fn('cs.depth', i - 1)), corm.limit(1)) END;
END $$;
SELECT depth(50);
SELECT depth(100000);
\echo :LAST_ERROR_SQLSTATE
SELECT depth(50);

-- exception blocks in a loop: what fails is undone, what is around it goes on
CREATE FUNCTION persistent() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    row cs.steps;
    seen text := '';
BEGIN
    FOR i IN 1 .. 3 LOOP
        BEGIN
            PERFORM corm.exec(corm.updater('cs.steps'), corm.set('n', 1000 + i), corm.where(corm.eq('id', 101)));
            row := corm.insert(ROW(1, 0)::cs.steps);
        EXCEPTION WHEN unique_violation THEN
            BEGIN
                PERFORM corm.get(NULL::cs.steps, corm.where(corm.eq('id', -1)));
            EXCEPTION WHEN no_data_found THEN
                row := corm.get(NULL::cs.steps, corm.where(corm.eq('id', 101)));
            END;
        END;
        seen := seen || row::text;
    END LOOP;
    RETURN seen;
END $$;
SELECT persistent();

-- names are looked up where the call is
CREATE TABLE cs2.steps (x text PRIMARY KEY);
INSERT INTO cs2.steps VALUES ('of cs2');
CREATE FUNCTION from_cs2() RETURNS text LANGUAGE plpgsql SET search_path = cs2 AS $$
BEGIN
    RETURN corm.get_multi_json(corm.selector('steps'))::text || corm.count(corm.selector('cs.steps'));
END $$;
SELECT from_cs2(), corm.count(corm.selector('steps')), from_cs2();
SET search_path = '';
SELECT corm.count(corm.selector('cs.steps')), corm.to_sql(corm.selector('cs2.steps')), cs.from_cs2();
SELECT corm.count(corm.selector('steps'));
SET search_path = cs;
-- a temporary table of the same name comes first, while it is there
CREATE TEMPORARY TABLE steps (t int PRIMARY KEY);
INSERT INTO pg_temp.steps VALUES (5);
SELECT corm.get_multi_json(corm.selector('steps')), corm.count(corm.selector('cs.steps')), corm.get_multi_json(corm.selector('pg_temp.steps'));
DROP TABLE pg_temp.steps;
SELECT corm.count(corm.selector('steps'));
-- temporary tables that go with the transaction, and come back with other columns
BEGIN;
CREATE TEMPORARY TABLE brief (id int PRIMARY KEY, v text) ON COMMIT DROP;
SELECT corm.insert(ROW(1, 'x')::brief), corm.count(corm.selector('brief'));
COMMIT;
SELECT corm.count(corm.selector('brief'));
BEGIN;
CREATE TEMPORARY TABLE brief (v text, id int PRIMARY KEY) ON COMMIT DROP;
SELECT corm.insert(ROW('x', 1)::brief), corm.get_json(corm.selector('brief')), corm.save(ROW('y', 1)::brief);
COMMIT;
CREATE TEMPORARY TABLE emptied (id int PRIMARY KEY) ON COMMIT DELETE ROWS;
BEGIN;
SELECT corm.insert(ROW(1)::emptied), corm.count(corm.selector('emptied'));
COMMIT;
SELECT corm.count(corm.selector('emptied'));

-- cursors, with changes of rows and of the table between two fetches
SET corm.inline = off;
BEGIN;
DECLARE c CURSOR FOR SELECT corm.get_multi(NULL::cs2.steps);
DECLARE d CURSOR FOR SELECT id FROM corm.get_multi(NULL::steps, corm.order_by('id'));
FETCH 1 FROM d;
DELETE FROM steps WHERE id = 101;
ALTER TABLE steps ADD added int DEFAULT 9;
FETCH 1 FROM d;
SELECT corm.get_json(corm.selector('steps'));
FETCH 1 FROM c;
ROLLBACK;
-- compiled in, the cursor reads the table itself, which cannot change under it
SET corm.inline = on;
BEGIN;
DECLARE d CURSOR FOR SELECT id FROM corm.get_multi(NULL::steps, corm.order_by('id'));
FETCH 1 FROM d;
SAVEPOINT s;
ALTER TABLE steps ADD added int DEFAULT 9;
ROLLBACK TO s;
DELETE FROM steps WHERE id = 101;
FETCH 1 FROM d;
ROLLBACK;
RESET corm.inline;
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM corm.get_multi(NULL::steps, corm.order_by('-id'));
COMMIT;
FETCH ALL FROM h;
CLOSE h;

-- in the definition of a table
CREATE TABLE child (step int CHECK (corm.exists(corm.selector('cs.steps'), corm.where(corm.eq('id', step)))));
SELECT corm.insert(ROW(1)::child);
SELECT corm.insert(ROW(-7)::child);
CREATE TABLE counted (id int PRIMARY KEY DEFAULT corm.count(corm.selector('cs.journal')), v int);
SELECT (corm.insert(ROW(NULL, 1)::counted)).id = corm.count(corm.selector('journal')) AS as_many;
CREATE RULE r AS ON INSERT TO counted DO ALSO SELECT corm.count(corm.selector('cs.steps'));
SELECT corm.insert(ROW(770, 1)::counted);
CREATE INDEX ON steps ((corm.count(corm.selector('steps'))));
-- in a policy; one session, two roles
CREATE TABLE notes (id int PRIMARY KEY, step int);
INSERT INTO notes VALUES (1, 1), (2, -1);
CREATE POLICY of_steps ON notes USING (corm.exists(corm.selector('cs.steps'), corm.where(corm.eq('id', step))));
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE ROLE regress_cs_reader;
GRANT USAGE ON SCHEMA cs TO regress_cs_reader;
GRANT SELECT ON notes TO regress_cs_reader;
SELECT corm.get_multi_json(corm.selector('notes'));
SET ROLE regress_cs_reader;
SELECT corm.get_multi_json(corm.selector('notes'));
RESET ROLE;
GRANT SELECT ON steps TO regress_cs_reader;
SET ROLE regress_cs_reader;
SELECT corm.get_multi_json(corm.selector('notes'));
RESET ROLE;
SELECT corm.get_multi_json(corm.selector('notes'));
DROP OWNED BY regress_cs_reader;
DROP ROLE regress_cs_reader;

-- rows of a correlated call, and a whole row taken apart
SELECT s.id, corm.count(corm.selector('journal'), corm.where(corm.contains('what', jsonb_build_object('id', s.id)))) > 0 AS noted FROM steps s ORDER BY s.id;
SELECT (corm.first(NULL::steps)).*;
SELECT s.id FROM steps s WHERE s.id = (corm.get(NULL::steps, corm.where(corm.eq('id', s.id)))).id ORDER BY s.id;

DROP SCHEMA cs, cs2 CASCADE;
