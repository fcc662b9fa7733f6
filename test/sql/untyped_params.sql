-- Parameters without a type, as drivers send them, beside arguments that have one.  Each means what the literal means. (H7)
SET client_min_messages = warning;
CREATE SCHEMA untyped_params;
SET search_path = untyped_params, corm_ops;
CREATE TABLE goods (id int PRIMARY KEY, name text, note text, price numeric, made date);
INSERT INTO goods VALUES (1, 'lamp', NULL, 12.5, '2024-01-05'), (2, 'chair', 'oak', -40, '2024-02-06');

PREPARE coalesced AS SELECT corm.get_json(corm.selector('goods'), corm.where(corm.eq('id', 1)),
	corm.select(corm.as(corm.coalesce(corm.c('note'), corm.c('note'), $1), 'v')));
EXECUTE coalesced('none');
EXECUTE coalesced($q$'; DROP TABLE goods --$q$);
EXECUTE coalesced(NULL);
PREPARE cased AS SELECT corm.get_multi_json(corm.selector('goods'), corm.order_by('id'),
	corm.select(corm.as(corm.case(corm.gt('price', $1), $2, corm.lt('made', $3), $4, $5), 'v')));
EXECUTE cased('0', 'dear', '2024-02-01', 'old', 'other');
PREPARE called AS SELECT corm.get_json(corm.selector('goods'), corm.where(corm.eq('id', 2)),
	corm.select(corm.as(corm.fn('concat_ws', $1, corm.c('name'), corm.c('note'), 7), 'v')));
EXECUTE called('/');
PREPARE rawly AS SELECT corm.count(corm.selector('goods'), corm.where(corm.raw('price > $1 AND made < $2 AND $3', 0::int, $1, true)));
EXECUTE rawly('2024-02-01');
PREPARE rawest AS SELECT corm.get_multi_json(corm.raw_query('SELECT id, $2 AS given FROM goods WHERE id = $1', 2, $1));
EXECUTE rawest('text');
PREPARE in_tx AS SELECT corm.do_tx('UPDATE goods SET price = price + $1, made = $2 WHERE id = $3 RETURNING price, made', 1.5, $1, $2);
EXECUTE in_tx('2025-01-01', '1');
PREPARE tried AS SELECT (r).ok, (r).sqlstate FROM corm.try_tx('SELECT $1::int + $2::int', 1, $1) r;
EXECUTE tried('2');
EXECUTE tried('two');
PREPARE fetched AS SELECT corm.cache_fetch('k', 'SELECT name FROM goods WHERE id = $1 AND name = $2', '1 min', 'default', 2, $1);
EXECUTE fetched('chair');
PREPARE listed AS SELECT corm.count(corm.selector('goods'), corm.where(corm.in('id', 1, $1)));
EXECUTE listed('2');
PREPARE nested AS SELECT (SELECT jsonb_agg(g.name) FROM corm.get_multi(NULL::goods, corm.where(corm.or(corm.eq('id', 7),
	corm.raw('id = $1 OR name = $2', i, $1)))) g) FROM generate_series(1, 2) i;
EXECUTE nested('chair');
PREPARE cte AS WITH q AS (SELECT corm.count(corm.selector('goods'), corm.where(corm.in('id', 1, $1))) AS n) SELECT n FROM q WHERE n > $2;
EXECUTE cte('2', 1);
CREATE VIEW counted AS SELECT corm.count(corm.selector('goods'), corm.where(corm.in('id', 1, '2')));
TABLE counted;

\echo errors of PostgreSQL that stay
PREPARE others AS SELECT concat(1, $1);
PREPARE twice AS SELECT corm.get_json(corm.selector('goods'), corm.where(corm.eq('id', 1)),
	corm.select(corm.as(corm.coalesce(corm.c('note'), corm.c('note'), $1), 'v')), corm.limit($1));
PREPARE none AS SELECT corm.get($1, corm.selector('goods'));
DROP SCHEMA untyped_params CASCADE;
