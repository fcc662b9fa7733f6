-- select('*', ...): all default fields, and what follows.
CREATE SCHEMA sa;
SET search_path = sa, corm_ops;
\set VERBOSITY terse
CREATE TABLE teams (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE players (id int PRIMARY KEY, team_id int REFERENCES teams, "Full Name" text, secret text, points int);
COMMENT ON COLUMN players.secret IS '@orm:-';
COMMENT ON COLUMN players."Full Name" IS '@orm:name=fullName';
INSERT INTO teams VALUES (1, 'red'), (2, 'blue');
INSERT INTO players VALUES (1, 1, 'Ada', 's', 3), (2, 1, 'Bob', 's', 4), (3, NULL, 'Cleo', 's', 5);
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' | ', sqlstate, sqlerrm);
END $$;

\echo more than the fields, fields of a joined table, in any place
SELECT corm.get_multi_json(corm.selector('players'), corm.select('*', corm.as('team.name', 'team')), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('players', 'p'), corm.join('team'), corm.select(corm.as(corm.val(1), 'one'), 'team.*', corm.as('p.id', 'player')), corm.order_by('player'));
SELECT corm.get_multi_json(corm.selector('teams'), corm.select('teams.*', corm.as(corm.count(), 'players')), corm.join('players'), corm.group_by('id'), corm.order_by('id'));
SELECT corm.to_sql(corm.selector('players'), corm.select(corm.c('*'), corm.as(corm.mul('points', 2), 'double')), corm.where(corm.gt('points', 3)));
\echo rows of a type; a preload; a page; a set operation; distinct
CREATE TYPE player AS (id int, "fullName" text, rank bigint);
SELECT * FROM corm.get_multi(NULL::player, corm.selector('players'), corm.select('*', corm.as(corm.over(corm.fn('rank'), order_by => '{-points}'), 'rank')), corm.order_by('rank'));
SELECT corm.get(NULL::players, corm.select('*', corm.as(corm.val('more'), 'more')), corm.where(corm.eq('id', 1)));
SELECT corm.get_multi_json(corm.selector('teams'), corm.select('*', corm.as(corm.count_of('players'), 'n')), corm.preload('players', corm.select('*', corm.as(corm.add('points', 1), 'next')), corm.order_by('-points'), corm.limit(1)), corm.order_by('id'));
SELECT corm.page_json(corm.selector('players'), corm.select('*', corm.as(corm.sub(corm.val(10), corm.c('points')), 'missing')), corm.order_by('missing'), corm.limit(2)) -> 'rows';
SELECT corm.get_multi_json(corm.selector('teams'), corm.select('*', corm.as(corm.val(1), 'n')), corm.union_all(corm.selector('teams'), corm.select('*', corm.val(2))), corm.order_by('-n', 'id'));
SELECT corm.get_multi_json(corm.selector('teams'), corm.select('*', corm.as(corm.fn('length', corm.c('name')), 'len')), corm.distinct(), corm.order_by('len'));
\echo columns of a subquery, of a WITH query; writes
SELECT corm.get_multi_json(corm.from_query(corm.selector('players') |> corm.select('team_id', corm.as(corm.sum('points'), 'sum')) |> corm.group_by('team_id'), 'q'), corm.select('*', corm.as(corm.mul('sum', 10), 'ten')), corm.order_by('sum'));
SELECT corm.get_multi_json(corm.with('t', corm.selector('teams')), corm.selector('players'), corm.join_cte('t', corm.eq('t.id', corm.c('players.team_id'))), corm.select('t.*', 'points'), corm.order_by('points'));
SELECT corm.get_multi_json(corm.updater('players'), corm.set('points', corm.c('points') + 1), corm.where(corm.eq('id', 3)), corm.returning('*', corm.as(corm.val(true), 'won')));
\echo hidden fields stay hidden, but rows of the type hold them
COMMENT ON COLUMN players.points IS '@orm:hidden';
SELECT corm.get_multi_json(corm.selector('players'), corm.select('*', corm.as(corm.val(1), 'one')), corm.order_by('id'), corm.limit(1));
SELECT corm.get(NULL::players, corm.select('*', corm.as(corm.val(1), 'one')), corm.where(corm.eq('id', 1)));
SELECT corm.get_multi_json(corm.selector('players'), corm.select('*', corm.as('points', 'p')), corm.order_by('id'), corm.limit(1)), corm.get_multi_json(corm.from_query(corm.selector('players') |> corm.select('*'), 'q'), corm.select('*', corm.as(corm.val(1), 'one')), corm.order_by('id'), corm.limit(1));
SELECT corm.get_multi_json(corm.updater('players'), corm.set('team_id', 2), corm.where(corm.eq('id', 3)), corm.returning('*', corm.as(corm.val(true), 'won')));
COMMENT ON COLUMN players.points IS NULL;
\echo the fields are those of now; a column named *; text form; errors
ALTER TABLE teams ADD COLUMN city text;
SELECT corm.get_json(corm.selector('teams'), corm.select('*', corm.as(corm.val(1), 'n')), corm.where(corm.eq('id', 1)));
CREATE TABLE odd (id int PRIMARY KEY, "*" int, "a.*" int);
INSERT INTO odd VALUES (1, 2, 3);
SELECT corm.get_multi_json(corm.selector('odd'), corm.select('*')), corm.get_multi_json(corm.selector('odd'), corm.select('a.*')), corm.get_multi_json(corm.selector('odd'), corm.select('odd.*'));
SELECT corm.get_json('[{"selector": "sa.teams"}, {"select": ["*", {"as": [{"val": "x"}, "x"]}]}, {"where": [{"eq": ["id", 1]}]}]');
SELECT attempt(s) FROM unnest(ARRAY[$$SELECT corm.get_multi_json(corm.selector('players'), corm.select('*', 'id'))$$, $$SELECT corm.get_multi_json(corm.selector('players'), corm.select('nope.*'))$$,
    $$SELECT corm.get_multi_json(corm.selector('players'), corm.select(corm.count('*')))$$, $$SELECT corm.get_multi_json(corm.selector('players'), corm.order_by('*'))$$,
    $$SELECT corm.get_multi_json(corm.selector('players'), corm.select(corm.as('*', 'x')))$$, $$SELECT corm.value(NULL::int, corm.selector('players'), corm.select('*'))$$,
    $$SELECT corm.get_multi_json(corm.filter('{"select": ["*"]}'::jsonb), corm.selector('players'))$$]) AS s;
SET client_min_messages = warning;
DROP SCHEMA sa CASCADE;
