-- Hooks of partitions, inherited tables and views; functions that look like hooks; what a hook cannot change.
\pset format unaligned
\set VERBOSITY terse
CREATE SCHEMA edge;
SET search_path = edge, corm_ops;
-- Partitions: the model that a write names decides
CREATE TABLE parts (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 (name text, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE FUNCTION before_save(p parts) RETURNS parts LANGUAGE plpgsql AS $$ BEGIN p.name := p.name || '!'; RETURN p; END $$;
CREATE FUNCTION after_save(p parts) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'after_save %', p; END $$;
CREATE FUNCTION after_find(p parts) RETURNS parts LANGUAGE plpgsql AS $$ BEGIN p.name := '<' || p.name || '>'; RETURN p; END $$;
SELECT corm.insert(ROW(1,'a')::parts), corm.insert(ROW(11,'b')::parts);
SELECT * FROM corm.insert_multi(ARRAY[ROW(2,'c'),ROW(12,'d')]::parts[]);
SELECT corm.exec(corm.updater('parts'), corm.set('id', corm.c('id') + 5::int), corm.where(corm.eq('id', 2)));
SELECT corm.exec(corm.updater('parts'), corm.set('name', 'moved'), corm.set('id', 13), corm.where(corm.eq('id', 7)));
SELECT * FROM corm.get_multi(NULL::parts, corm.order_by('id'));
SELECT corm.insert(ROW('x', 3)::parts_1);
SELECT corm.get(NULL::parts_1, corm.where(corm.eq('id', 3)));

-- Inheritance, likewise
CREATE TABLE animals (id int PRIMARY KEY, name text);
CREATE TABLE dogs (barks boolean, PRIMARY KEY (id)) INHERITS (animals);
CREATE FUNCTION before_save(a animals) RETURNS animals LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'animals %', a; RETURN a; END $$;
SELECT corm.insert(ROW(1,'rex',true)::dogs), corm.insert(ROW(2, 'cat')::animals);
SELECT corm.exec(corm.updater('animals'), corm.set('name', 'y'), corm.all_rows());
TABLE dogs;
CREATE FUNCTION before_save(d dogs) RETURNS dogs LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'dogs %', d; d.name := 'dog'; RETURN d; END $$;
SELECT corm.exec(corm.updater('animals'), corm.set('name', 'z'), corm.all_rows());
SELECT corm.exec(corm.updater('dogs'), corm.set('barks', false), corm.all_rows());
SELECT * FROM animals ORDER BY id;

-- Views: those that PostgreSQL writes through by itself, and those with triggers, whose rows cannot be locked
CREATE VIEW cats AS SELECT id, name FROM animals WHERE name <> 'dog';
COMMENT ON COLUMN cats.id IS '@orm:primary_key';
CREATE FUNCTION before_save(c cats) RETURNS cats LANGUAGE plpgsql AS $$ BEGIN c.name := 'cat ' || c.name; RETURN c; END $$;
CREATE FUNCTION after_find(c cats) RETURNS cats LANGUAGE plpgsql AS $$ BEGIN c.name := upper(c.name); RETURN c; END $$;
SELECT corm.insert(ROW(5,'tom')::cats);
SELECT corm.update(ROW(5,'tim')::cats);
SELECT corm.exec(corm.updater('cats'), corm.set('name', 'tam'), corm.where(corm.eq('id', 5)));
SELECT corm.exec(corm.deleter('cats'), corm.where(corm.eq('id', 2)));
SELECT * FROM corm.get_multi(NULL::cats);
CREATE VIEW names AS SELECT DISTINCT id, name FROM animals;
COMMENT ON COLUMN names.id IS '@orm:primary_key';
CREATE FUNCTION names_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE edge.animals SET name = NEW.name WHERE id = OLD.id; RETURN NEW; END $$;
CREATE TRIGGER w INSTEAD OF UPDATE ON names FOR EACH ROW EXECUTE FUNCTION names_write();
SELECT corm.exec(corm.updater('names'), corm.set('name', 'no hook'), corm.where(corm.eq('id', 1)));
CREATE FUNCTION before_save(n names) RETURNS names LANGUAGE plpgsql AS $$ BEGIN n.name := 'hooked'; RETURN n; END $$;
SELECT corm.update(ROW(1, 'z')::names);
SELECT corm.exec(corm.updater('names'), corm.set('name', 'by query'), corm.where(corm.eq('id', 1)));
SELECT * FROM animals ORDER BY id;

-- Exactly one argument, of exactly the row type
CREATE TABLE odd (id int PRIMARY KEY, name text);
CREATE FUNCTION before_save(o odd, more int DEFAULT 1) RETURNS odd LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION before_save(o anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION before_save(o record) RETURNS odd LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION before_save(VARIADIC o odd[]) RETURNS odd LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE AGGREGATE after_create(odd) (SFUNC = array_append, STYPE = odd[]);
SELECT corm.insert(ROW(1, 'a')::odd);
CREATE FUNCTION after_save(o odd) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
SELECT corm.insert(ROW(2, 'a')::odd);
DROP FUNCTION after_save(odd);

-- STRICT, SECURITY DEFINER and SET are as in any call
CREATE FUNCTION before_create(o odd) RETURNS odd LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN o.name := current_setting('search_path'); RETURN o; END $$;
SELECT corm.insert(ROW(3, NULL)::odd), current_setting('search_path') <> 'pg_catalog' as restored;

-- Which row is written, and in which version, a hook does not decide
CREATE FUNCTION before_update(o odd) RETURNS odd LANGUAGE plpgsql AS $$ BEGIN o.id := o.id + 100; RETURN o; END $$;
SELECT corm.update(ROW(3, 'k')::odd);
SELECT corm.exec(corm.updater('odd'), corm.set('name', 'k'), corm.where(corm.eq('id', 3)));
SELECT * FROM corm.update_multi(ARRAY[ROW(3, 'kk')]::odd[]);
SELECT corm.save(ROW(3, 'kkk')::odd);
SELECT * FROM odd ORDER BY id;
CREATE FUNCTION before_delete(o odd) RETURNS odd LANGUAGE plpgsql AS $$ BEGIN o.id := 1; RETURN o; END $$;
SELECT corm.delete(ROW(3, NULL)::odd);
SELECT * FROM odd ORDER BY id;
CREATE TABLE versioned (id int PRIMARY KEY, name text, version int);
COMMENT ON COLUMN versioned.version IS '@orm:version';
CREATE FUNCTION before_update(v versioned) RETURNS versioned LANGUAGE plpgsql AS
	$$ BEGIN v.version := (SELECT version FROM edge.versioned WHERE id = v.id); RETURN v; END $$;
SELECT corm.insert(ROW(1, 'a', NULL)::versioned);
SELECT corm.update(ROW(1, 'b', 1)::versioned);
SELECT corm.update(ROW(1, 'stale', 1)::versioned);
SELECT * FROM corm.update_multi(ARRAY[ROW(1, 'stale', 1)]::versioned[]);
SELECT * FROM corm.update_multi(ARRAY[ROW(1, 'c', 2)]::versioned[]);

-- A hook may call corm for the same model, even a hook of the same name, as long as this comes to an end
CREATE FUNCTION after_create(v versioned) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF v.id < 13 THEN
		PERFORM corm.save(ROW(v.id + 1, v.name || '.', NULL)::edge.versioned);
		PERFORM corm.exec(corm.updater('edge.versioned'), corm.set('name', v.name || '!'), corm.where(corm.eq('id', v.id)));
	END IF;
END $$;
SELECT corm.insert(ROW(10, 'x', NULL)::versioned);
SELECT id, name, version FROM versioned WHERE id > 1 ORDER BY id;
CREATE OR REPLACE FUNCTION after_create(v versioned) RETURNS void LANGUAGE plpgsql AS
	$$ BEGIN PERFORM corm.insert(ROW(v.id + 1, v.name, NULL)::edge.versioned); END $$;
SET max_stack_depth = '200kB';
DO $$
BEGIN
	PERFORM corm.insert(ROW(1000, 'forever', NULL)::edge.versioned);
EXCEPTION WHEN statement_too_complex THEN RAISE NOTICE 'too deep';
END $$;
RESET max_stack_depth;
SELECT count(*) FROM versioned WHERE id >= 1000;

-- Cancelled in a hook: nothing is written, and the next call works
CREATE OR REPLACE FUNCTION after_create(v versioned) RETURNS void LANGUAGE plpgsql AS
	$$ BEGIN IF v.name = 'cancel' THEN PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(60); END IF; END $$;
SELECT corm.insert(ROW(2000, 'cancel', NULL)::versioned);
SELECT * FROM corm.insert_multi(ARRAY[ROW(2000, 'a', NULL), ROW(2001, 'cancel', NULL)]::versioned[]);
SELECT corm.insert(ROW(2000, 'next', NULL)::versioned);
SELECT id, name FROM versioned WHERE id >= 2000;

-- A table that inherits may have the same keys: a write is not to meet rows that its hooks have not seen
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent VALUES (1, 'parent'), (2, 'alone');
INSERT INTO child VALUES (1, 'child'), (3, 'other');
CREATE FUNCTION before_update(p parent) RETURNS parent LANGUAGE plpgsql AS $$ BEGIN p.name := p.name || ' updated'; RETURN p; END $$;
CREATE FUNCTION before_delete(p parent) RETURNS parent LANGUAGE plpgsql AS $$ BEGIN RETURN p; END $$;
\set VERBOSITY default
SELECT corm.exec(corm.updater('parent'), corm.set('name', 'new'), corm.where(corm.eq('name', 'parent')));
\set VERBOSITY terse
SELECT corm.exec(corm.deleter('parent'), corm.where(corm.eq('name', 'child')));
SELECT corm.exec(corm.updater('parent'), corm.set('name', 'new'), corm.where(corm.gt('id', 1)));
SELECT tableoid::regclass, * FROM parent ORDER BY id, name;

-- A plan is made with hooks or without: the same calls in one session, under both values of corm.skip_hooks
CREATE TABLE keyed (id int PRIMARY KEY, name text);
CREATE FUNCTION before_save(k keyed) RETURNS keyed LANGUAGE plpgsql AS $$ BEGIN k.name := k.name || ' saved'; RETURN k; END $$;
CREATE FUNCTION after_find(k keyed) RETURNS keyed LANGUAGE plpgsql AS $$ BEGIN k.name := k.name || ' found'; RETURN k; END $$;
INSERT INTO keyed VALUES (1, 'a');
CREATE FUNCTION calls(skip boolean, OUT inserted text, OUT updated text, OUT saved text, OUT batch text, OUT by_query text, OUT got text, OUT got_json text, OUT listed text)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('corm.skip_hooks', skip::text, false);
	DELETE FROM edge.keyed WHERE id > 1;
	inserted := (corm.insert(ROW(2, 'i')::edge.keyed)).name;
	updated := (corm.update(ROW(2, 'u')::edge.keyed)).name;
	saved := (corm.save(ROW(3, 's')::edge.keyed)).name;
	batch := (SELECT name FROM corm.insert_multi(ARRAY[ROW(4, 'b')]::edge.keyed[]));
	PERFORM corm.exec(corm.updater('edge.keyed'), corm.set('name', 'q'), corm.where(corm.eq('id', 2)));
	by_query := (SELECT name FROM edge.keyed WHERE id = 2);
	got := (corm.get(NULL::edge.keyed, corm.where(corm.eq('id', 1)))).name;
	got_json := corm.get_json(corm.selector('edge.keyed'), corm.where(corm.eq('id', 1))) ->> 'name';
	listed := (SELECT name FROM corm.get_multi(NULL::edge.keyed, corm.where(corm.eq('id', 1))));
END $$;
SELECT skip, c.* FROM unnest('{f,t,f,t}'::boolean[]) skip, calls(skip) c;
-- a session that begins without hooks
\c
SELECT skip, c.* FROM unnest('{t,f,t,f}'::boolean[]) skip, edge.calls(skip) c;
SET client_min_messages = warning;
DROP SCHEMA edge CASCADE;
