-- Edges of signatures: lists without values, untyped parameters, positions of errors in SQL texts.
CREATE SCHEMA untyped_edges;
SET search_path = untyped_edges;
CREATE TABLE things (id int PRIMARY KEY, name text);
INSERT INTO things VALUES (1, 'one'), (2, 'two');

-- a membership without values: false and true, and a condition that cannot be false is none
SELECT corm.in('id') AS a, corm.in(corm.c('id')) AS b, corm.not_in(x => 'id') AS c \gx
SELECT corm.count(corm.selector('things'), corm.where(corm.in('id'))) AS none,
	corm.count(corm.selector('things'), corm.where(corm.not_in(corm.c('id')))) AS all,
	corm.count(corm.selector('things'), corm.where(corm.or(corm.in('id'), corm.eq('id', 1)))) AS one;
SELECT count(*) FROM corm.get_multi(NULL::things, corm.where(corm.in('id')));
SELECT corm.exec(corm.deleter('things'), corm.where(corm.not_in('id')));
SELECT corm.count(corm.selector('things'), corm.where(corm.in('nothing')));
SELECT corm.in(NULL::text);

-- places and payloads that a driver sends without a type
SELECT corm.topic_create('ue', retention => '1 h'), corm.subscribe('ue', 'g');
PREPARE publish AS SELECT corm.publish_many($1, $2);
EXECUTE publish('ue', '{a,"b c"}');
EXECUTE publish('ue', '{}');
EXECUTE publish('ue', 'not an array');
EXECUTE publish('ue', '{a,NULL}');
EXECUTE publish('ue', NULL);
SELECT corm.publish_many('ue', ARRAY['c'::varchar]);
SELECT seq, payload, type FROM corm.receive('ue', 'g', 10);
PREPARE seek AS SELECT corm.seek($1, $2, $3);
EXECUTE seek('ue', 'g', '2');
SELECT seq FROM corm.peek('ue', 'g', 10);
EXECUTE seek('ue', 'g', 'new');
SELECT seq FROM corm.peek('ue', 'g', 10);
EXECUTE seek('ue', 'g', 'all');
SELECT seq FROM corm.peek('ue', 'g', 10);
EXECUTE seek('ue', 'g', '9999-01-01');
SELECT seq FROM corm.peek('ue', 'g', 10);
EXECUTE seek('ue', 'g', '2000-01-01 12:00');
SELECT seq FROM corm.peek('ue', 'g', 10);
EXECUTE seek('ue', 'g', 'yesterday');
-- newer versions of PostgreSQL spell its hint otherwise
\set VERBOSITY terse
EXECUTE seek('ue', 'g', '2000-13-01');
\set VERBOSITY default
EXECUTE seek('ue', 'g', NULL);
SELECT corm.seek('ue', 'g', start => '3'), corm.seek('ue', 'g', 1), corm.seek('ue', 'g', '2000-01-01'::date);
SELECT seq FROM corm.peek('ue', 'g');
SELECT corm.topic_create('ued', durable => true, retention => '1 h'), corm.subscribe('ued', 'g');
EXECUTE publish('ued', '{x,y}');
SELECT seq, payload, type FROM corm.receive('ued', 'g', 10);
EXECUTE seek('ued', 'g', '2000-01-01');
SELECT seq FROM corm.peek('ued', 'g', 10);
EXECUTE seek('ued', 'g', '2');
SELECT seq FROM corm.peek('ued', 'g', 10);
SELECT corm.topic_drop('ue'), corm.topic_drop('ued');

-- messages say what to do, and in good grammar
SELECT corm.count(corm.selector('things'), corm.cached());
SELECT corm.count(corm.selector('things'), corm.selector('things'));
SELECT corm.exec(corm.updater('things'), corm.set('name', 'x'), corm.where(corm.eq('id', 1)), corm.max_rows(0));
SELECT corm.exec(corm.updater('things'), corm.set('name', 'x'), corm.where(corm.gt('id', 0)), corm.max_rows(1));
SELECT corm.value(corm.selector('things'), corm.select('name'));
SELECT corm.pluck(corm.selector('things'), corm.select('name'));
SELECT * FROM corm.pluck(corm.selector('things'), corm.select('name'));
CREATE TABLE stored (q corm.query);
INSERT INTO stored VALUES (corm.selector('things'));
SELECT corm.value(NULL::corm.query, corm.selector('stored'), corm.select('q'));
SELECT corm.count(corm.selector('things'), corm.order_by('name desc'));
SELECT corm.count(corm.selector('things'), corm.order_by('name  ASC'));
SELECT corm.get_json(corm.selector('things'), corm.select('name AS n'));
SELECT corm.get_json(corm.selector('things'), corm.select('nam as n'));
COMMENT ON COLUMN things.name IS '@orm:hidden';
SELECT corm.get_json(corm.selector('things'), corm.select('name as n'));
COMMENT ON COLUMN things.name IS NULL;
DO $$
DECLARE
	hint text;
BEGIN
	BEGIN
		PERFORM corm.task_wait(corm.submit(corm.task(durable => true), 'SELECT 1'));
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RAISE NOTICE 'durable: %', hint;
	END;
	BEGIN
		PERFORM corm.task_wait(corm.submit('SELECT 1'));
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RAISE NOTICE 'in memory: %', hint;
	END;
END $$;

-- the position of an error is one in the text that has it
SELECT 'longer than the text', corm.do_tx('SELECT 1; SELEC 1');
SELECT 'longer than the text', corm.autonomous('SELECT 1; SELEC 1');
SELECT 'longer than the text', corm.once('untyped edges', 'SELEC 1');
SELECT 'longer than the text', corm.cache_fetch('untyped edges', 'SELEC $1', '1 s', 'default', 1);
SELECT 'longer than the text', corm.cache_fetch('untyped edges', 'SELECT $1, nothing', '1 s', 'default', 'x');
SELECT 'longer than the text', corm.parallel('{SELEC 1}');
BEGIN;
SELECT 'longer than the text', corm.do_tx(corm.tx('not_supported'), 'SELEC 1');
ROLLBACK;
BEGIN;
SELECT 'longer than the text', corm.do_tx(corm.tx('not_supported'), 'CREATE TABLE made (a int);CREATE TABLE made_too (a nothing)');
ROLLBACK;
DROP TABLE made;
DO $$ BEGIN PERFORM 'longer than the text', corm.do_tx('SELEC 1'); END $$;
SELECT corm.topic_create('ue');
SELECT 'longer than the text', corm.subscribe('ue', 'g', filter => 'key = = 1');
SELECT corm.topic_drop('ue');

DROP SCHEMA untyped_edges CASCADE;
