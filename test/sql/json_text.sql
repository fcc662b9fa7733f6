-- JSON for clients: the verbs that return json say what those say that return jsonb.

\set VERBOSITY terse
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA jt;
SET search_path = jt;
CREATE TYPE pair AS (a int, b text);
CREATE TABLE teams (id int PRIMARY KEY, zone text, name text);
CREATE TABLE players (
    id int PRIMARY KEY, team_id int REFERENCES teams, name text, f4 real, f8 float8, n numeric, big bigint, ok boolean,
    d date, ts timestamp, tz timestamptz, i interval, bin bytea, j json, jb jsonb, p pair, ints int[], texts text[][], c "char");
CREATE TABLE goals (id int PRIMARY KEY, player_id int REFERENCES players, minute int);
INSERT INTO teams VALUES (2, 'south', 'Reds'), (1, 'north', E'Bl"ue\\s\t\u00fc,]}[{'), (3, NULL, NULL);
INSERT INTO players VALUES
    (1, 1, 'Ann', 0.1, 1e300, 1.00, 9007199254740993, true, '2026-02-03', '2026-02-03 04:05:06.7', '2026-02-03 04:05:06+00', '1 day',
     '\x00ff', '{"b": 1.0,  "a": [1, 2], "a": 3}', '{"b": 1.50, "a": {"x": "\"]"}}', (1, 'q"'), '{1,NULL,3}', '{{a,"b,"},{c,NULL}}', 'x'),
    (2, 1, 'Bob', 'NaN', '-Infinity', 'NaN', -1, false, 'infinity', '-infinity', NULL, NULL, '', '[]', 'null', NULL, '{}', NULL, NULL),
    (3, 2, NULL, NULL, -0.0, -0.00, NULL, NULL, '0044-03-15 BC', NULL, NULL, NULL, NULL, 'null', '"s"', NULL, NULL, NULL, NULL);
INSERT INTO goals SELECT i, 1 + i % 3, i FROM generate_series(1, 7) AS i;

-- The same document, whatever the types, at every depth
CREATE FUNCTION same(VARIADIC q corm.query[]) RETURNS TABLE (multi boolean, one boolean, first boolean) LANGUAGE sql AS $$
    SELECT corm.get_multi_json_text(VARIADIC q)::jsonb = corm.get_multi_json(VARIADIC q),
           corm.get_json_text(VARIADIC q)::jsonb = corm.get_json(VARIADIC q),
           corm.first_json_text(VARIADIC q)::jsonb = corm.first_json(VARIADIC q)
$$;
SELECT * FROM same(corm.selector('players'), corm.order_by('id'));
SELECT * FROM same(corm.selector('teams'), corm.preload('players', corm.order_by('-id'), corm.preload('goals')), corm.order_by('id'));
SELECT * FROM same(corm.selector('goals'), corm.preload('player', corm.preload('team')), corm.order_by('id'));
SELECT * FROM same(corm.selector('goals'), corm.select('player_id', corm.as(corm.count(), 'n')), corm.group_by('player_id'), corm.order_by('player_id'));
SELECT * FROM same(corm.raw_query('SELECT id, name, j FROM players ORDER BY id'));
-- and that which plain SQL makes
SELECT corm.get_multi_json(corm.selector('players'), corm.order_by('id')) = (SELECT jsonb_agg(to_jsonb(x) ORDER BY id) FROM players x);
SELECT corm.get_multi_json(corm.selector('teams'), corm.select('id'), corm.order_by('id'), corm.preload('players', corm.order_by('id'))) =
       (SELECT jsonb_agg(jsonb_build_object('id', t.id, 'players',
                                            (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.id), '[]') FROM players x WHERE x.team_id = t.id)) ORDER BY t.id) FROM teams t);

-- Keys as they are selected, where jsonb sorts them
SELECT corm.get_multi_json_text(corm.selector('teams'), corm.select('zone', 'id'), corm.where(corm.lt('id', 3)), corm.order_by('id'), corm.preload('players', corm.select('name', 'id')));
SELECT corm.get_json_text(corm.selector('players'), corm.select('name', 'id'), corm.where(corm.eq('id', 2)), corm.preload('team', corm.select('zone')));
SELECT pg_typeof(corm.get_json_text(corm.selector('teams'))), pg_typeof(corm.first_json_text(corm.selector('teams'))), pg_typeof(corm.get_multi_json_text(corm.selector('teams')));

-- No rows
SELECT corm.get_multi_json_text(corm.selector('teams'), corm.where(corm.eq('id', 0)));
SELECT corm.first_json_text(corm.selector('teams'), corm.where(corm.eq('id', 0))) IS NULL;
SELECT corm.get_json_text(corm.selector('teams'), corm.where(corm.eq('id', 0)));
-- No columns
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
INSERT INTO nothing DEFAULT VALUES;
SELECT corm.get_multi_json_text(corm.selector('nothing')), corm.get_multi_json(corm.selector('nothing')),
       corm.get_json_text(corm.selector('nothing')), corm.get_json(corm.selector('nothing'));

-- Preloads where the result is a row, or SQL: jsonb unless json is asked for
CREATE TYPE team_row AS (id int, players jsonb);
CREATE TYPE team_text AS (id int, players json);
SELECT * FROM corm.get_multi(NULL::team_row, corm.selector('teams'), corm.preload('players', corm.select('name', 'id')), corm.order_by('id'));
SELECT * FROM corm.get_multi(NULL::team_text, corm.selector('teams'), corm.preload('players', corm.select('name', 'id')), corm.order_by('id'));
SELECT corm.do_tx($$SELECT corm.exec(corm.selector('teams'), corm.preload('players'))$$);
SELECT substr(corm.to_sql(corm.selector('teams'), corm.select('id'), corm.preload('players', corm.select('id'))), 1, 70);

-- Writes, batches and hooks
SELECT corm.get_multi_json_text(corm.inserter('teams'), corm.rows('[{"id": 7, "zone": "east"}, {"id": 8, "name": "H"}]'));
SELECT corm.get_json_text(corm.updater('teams'), corm.set('zone', 'w'), corm.where(corm.eq('id', 7)), corm.returning('zone', 'id'));
CREATE FUNCTION after_find(t teams) RETURNS teams LANGUAGE sql IMMUTABLE AS $$ SELECT t.id, t.zone, upper(t.name) $$;
CREATE FUNCTION before_create(t teams) RETURNS teams LANGUAGE sql AS $$ SELECT t.id, 'hooked', t.name $$;
SELECT corm.get_multi_json_text(corm.selector('teams'), corm.where(corm.in('id', '{2,7}'::int[])), corm.order_by('id'));
SELECT corm.get_multi_json_text(corm.inserter('teams'), corm.rows('[{"id": 9, "name": "n"}]'));
SELECT corm.get_json_text(corm.inserter('teams'), corm.set('id', 10));

-- Middleware sees jsonb, and what it gives instead is converted
CREATE FUNCTION look(qc corm.query_context) RETURNS corm.query_result LANGUAGE plpgsql AS $$
DECLARE
    r corm.query_result := corm.next(qc);
BEGIN
    RAISE WARNING 'rows: %, the first: %', r.row_count, (SELECT x FROM corm.result_rows(r) AS x LIMIT 1);
    RETURN r;
END $$;
CREATE FUNCTION instead(qc corm.query_context) RETURNS corm.query_result LANGUAGE sql AS $$ SELECT corm.result_of('[{"zone": 1, "id": 2}]') $$;
SELECT corm.use('look(corm.query_context)', 'goals') AS look \gset
SELECT corm.get_multi_json_text(corm.selector('goals'), corm.where(corm.lt('id', 3)), corm.order_by('id'));
SELECT corm.first_json_text(corm.selector('goals'));
SELECT corm.first_json_text(corm.selector('goals'), corm.where(corm.eq('id', 0))) IS NULL;
SELECT corm.unuse(:look) \g /dev/null
SELECT corm.use('instead(corm.query_context)', 'goals') AS instead \gset
SELECT corm.get_multi_json_text(corm.selector('goals')), corm.get_json_text(corm.selector('goals'));
SELECT corm.unuse(:instead) \g /dev/null

-- Statistics and max_rows count rows, not documents
SELECT corm.stat_reset() \g /dev/null
SELECT length(corm.get_multi_json_text(corm.selector('players'), corm.preload('goals'))::text) > 0;
SELECT corm.get_multi_json_text(corm.selector('goals'), corm.where(corm.eq('id', 0)));
SELECT model, op, calls, rows FROM corm.stat_queries WHERE model::text IN ('players', 'goals') ORDER BY 1;
SELECT corm.get_multi_json_text(corm.updater('goals'), corm.set('minute', 0), corm.all_rows(), corm.max_rows(6));

-- From the cache
SELECT corm.get_multi_json_text(corm.selector('players'), corm.select('name', 'id'), corm.order_by('id'), corm.cached('1h'));
SELECT corm.get_multi_json(corm.selector('players'), corm.select('name', 'id'), corm.order_by('id'), corm.cached('1h'));
UPDATE players SET name = 'changed';
SELECT corm.get_multi_json_text(corm.selector('players'), corm.select('name', 'id'), corm.order_by('id'), corm.cached('1h'));
SELECT corm.get_multi_json(corm.selector('players'), corm.select('name', 'id'), corm.order_by('id'), corm.cached('1h'));

DROP SCHEMA jt CASCADE;
