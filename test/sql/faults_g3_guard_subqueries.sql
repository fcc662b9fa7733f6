-- G3d: what a guard keeps away is not shown to operators and functions that could tell about it by way of subqueries: the
-- rows of another query as a source, and what the subquery of a condition makes of the rows around it.
SET client_min_messages = warning;
CREATE SCHEMA g3g;
SET search_path = g3g;
CREATE TABLE people (id int PRIMARY KEY, tenant text, n int, iban text);
INSERT INTO people SELECT i, CASE WHEN i > 2 THEN 'other' ELSE 'mine' END, i, 'SECRET-' || i FROM generate_series(1, 4) i;
CREATE TABLE one (id int PRIMARY KEY, s text);
INSERT INTO one VALUES (1, 'one');
-- the planner evaluates what costs less first, if it may
CREATE FUNCTION is_mine(tenant text) RETURNS boolean LANGUAGE plpgsql STRICT COST 1000000 AS $$ BEGIN RETURN tenant = 'mine'; END $$;
CREATE FUNCTION tell(iban text) RETURNS boolean LANGUAGE plpgsql STABLE STRICT COST 0.0001 AS $$
BEGIN PERFORM set_config('g3g.told', current_setting('g3g.told') || iban || ' ', true); RETURN true; END $$;
CREATE FUNCTION tell(n int) RETURNS int LANGUAGE plpgsql STABLE STRICT COST 0.0001 AS $$
BEGIN PERFORM set_config('g3g.told', current_setting('g3g.told') || n || ' ', true); RETURN n; END $$;
CREATE FUNCTION ask(q corm.query, OUT result jsonb, OUT told text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('g3g.told', '', true);
    result := corm.get_multi_json(q, corm.guard('people', corm.fn('g3g.is_mine', corm.c('tenant'))));
    -- of the rows of others
    told := (SELECT string_agg(DISTINCT t, ', ') FROM regexp_split_to_table(current_setting('g3g.told'), ' ') t WHERE t ~ '[34]$');
END $$;

-- G3d: conditions on the rows of another query
SELECT * FROM ask(corm.pipe(corm.from_query(corm.pipe(corm.selector('people'), corm.select('id', 'iban')), 'q'),
    corm.select('id'), corm.where(corm.fn('g3g.tell', corm.c('iban'))), corm.order_by('id')));
SELECT * FROM ask(corm.pipe(corm.from_query(corm.pipe(corm.selector('people'), corm.select('iban'), corm.group_by('iban')), 'q'),
    corm.select('iban'), corm.where(corm.fn('g3g.tell', corm.c('iban'))), corm.order_by('iban')));
SELECT * FROM ask(corm.pipe(corm.from_query(corm.pipe(corm.selector('one'), corm.select('s'),
    corm.union(corm.selector('people'), corm.select('iban'))), 'q'),
    corm.select('s'), corm.where(corm.fn('g3g.tell', corm.c('s'))), corm.order_by('s')));
SELECT * FROM ask(corm.pipe(corm.with('w', corm.pipe(corm.selector('people'), corm.select('id', 'iban'))), corm.from_cte('w'),
    corm.select('id'), corm.where(corm.fn('g3g.tell', corm.c('iban'))), corm.order_by('id')));
SELECT * FROM ask(corm.pipe(corm.selector('one'), corm.select('id', 'q.iban'), corm.order_by('q.iban'),
    corm.join_query(corm.pipe(corm.selector('people'), corm.select('iban')), corm.fn('g3g.tell', corm.c('q.iban')), 'q')));
SELECT * FROM ask(corm.pipe(corm.with('w', corm.pipe(corm.selector('people'), corm.select('iban'))), corm.selector('one'),
    corm.select('id', 'w.iban'), corm.order_by('w.iban'), corm.join_cte('w', corm.fn('g3g.tell', corm.c('w.iban')))));
-- G3d: an error is as good
SELECT * FROM ask(corm.pipe(corm.from_query(corm.pipe(corm.selector('people'), corm.select('id', 'n')), 'q'),
    corm.select('id'), corm.where(corm.gte(corm.div(corm.sub('n', 2), corm.sub('n', 3)), 0)), corm.order_by('id')));

-- G3d: what the subquery of a condition selects, orders and groups by of the rows around it
SELECT * FROM ask(corm.pipe(corm.selector('people'), corm.select('id'), corm.order_by('id'),
    corm.where(corm.in('id', corm.pipe(corm.selector('one'), corm.select(corm.fn('g3g.tell', corm.c('people.n'))))))));
SELECT * FROM ask(corm.pipe(corm.selector('people'), corm.select('id'), corm.order_by('id'),
    corm.where(corm.in('id', corm.pipe(corm.selector('one'), corm.select('id'), corm.order_by(corm.fn('g3g.tell', corm.c('people.n'))), corm.limit(1))))));
SELECT * FROM ask(corm.pipe(corm.selector('people'), corm.select('id'), corm.order_by('id'),
    corm.where(corm.in('id', corm.pipe(corm.selector('one'), corm.select('id'), corm.group_by('id'),
        corm.having(corm.eq(corm.fn('g3g.tell', corm.c('people.n')), 1)))))));
-- G3d: the value of the subquery is what is told
SELECT * FROM ask(corm.pipe(corm.selector('people'), corm.select('id'), corm.order_by('id'),
    corm.where(corm.fn('g3g.tell', corm.pipe(corm.selector('one'), corm.select('people.iban'))))));
SELECT * FROM ask(corm.pipe(corm.selector('people'), corm.select('id'), corm.order_by('id'),
    corm.where(corm.some(corm.selector('one'), corm.where(corm.fn('g3g.tell', corm.pipe(corm.selector('one', alias => 'two'), corm.select('people.iban'))))))));

-- the fence is there for a guard only
SELECT corm.to_sql(corm.from_query(corm.pipe(corm.selector('one'), corm.select('id')), 'q'), corm.where(corm.eq('id', 1)));
SELECT corm.to_sql(corm.from_query(corm.pipe(corm.selector('one'), corm.select('id')), 'q'), corm.where(corm.eq('id', 1)), corm.guard('one', corm.eq('id', 1)));
DROP SCHEMA g3g CASCADE;
