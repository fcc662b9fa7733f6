-- hardening 11: 100,000 damaged values of queries: each is read or refused as corrupt, and nothing crashes.
SET client_min_messages = error;
CREATE TABLE t (id int PRIMARY KEY, name text, at date, doc jsonb, tags text[]);
CREATE TABLE seeds (n int GENERATED ALWAYS AS IDENTITY, q corm.query);
INSERT INTO seeds (q) VALUES
    (corm.pipe(corm.selector('t'), corm.where(corm.eq('id', 1), corm.or(corm.like('name', 'x%'), corm.is_null('at'))))),
    (corm.pipe(corm.selector('t', 'a'), corm.select('id', corm.as(corm.add('id', 2), 'x')), corm.order_by('-id', 'name'), corm.limit(3))),
    (corm.pipe(corm.selector('t'), corm.group_by('name'), corm.select('name', corm.filter_where(corm.count(), corm.gt('id', 1))),
        corm.having(corm.between('name', 'a', 'b')))),
    (corm.pipe(corm.selector('t'), corm.join('t', corm.eq('t.id', corm.c('u.id')), 'u'), corm.where(corm.in('id', '{1,2}')))),
    (corm.pipe(corm.selector('t'), corm.where(corm.in('id', corm.pipe(corm.selector('t', 's'), corm.select('id')))),
        corm.union(corm.selector('t')))),
    (corm.pipe(corm.with('w', corm.selector('t')), corm.from_cte('w'), corm.distinct_on('id'), corm.offset(1), corm.for_update('nowait'))),
    (corm.pipe(corm.inserter('t'), corm.set('id', 1), corm.set('name', 'x'), corm.on_conflict('id'), corm.do_update('name'), corm.returning('id'))),
    (corm.pipe(corm.updater('t'), corm.set('name', corm.fn('upper', corm.c('name'))), corm.set('at', '2020-01-01'), corm.all_rows(), corm.max_rows(5))),
    (corm.pipe(corm.deleter('t'), corm.where(corm.some(corm.pipe(corm.selector('t', 'v'), corm.where(corm.eq('v.id', corm.c('t.id')))))))),
    (corm.raw_query('SELECT $1::int', 1)),
    (corm.pipe(corm.selector('t'), corm.select(corm.over(corm.sum('id'), ARRAY['name'], ARRAY['-id']), corm.case(corm.val(true), 1, 2),
        corm.coalesce(corm.c('name'), 'x'), corm.raw('$1 + id', 1), corm.cast('id', 'text'))));

CREATE FUNCTION fuzz(first bigint, last bigint, OUT parsed bigint, OUT resolved bigint, OUT refused bigint) LANGUAGE plpgsql AS $$
DECLARE
    values bytea[] := ARRAY(SELECT corm_fuzz.bytes_of(s.q) FROM seeds s ORDER BY n);
    damaged bytea;
    q corm.query;
    seed bigint;
BEGIN
    parsed := 0; resolved := 0; refused := 0;
    FOR seed IN first..last LOOP
        damaged := corm_fuzz.mutate(values[1 + seed % cardinality(values)], seed);
        q := corm_fuzz.query_of(damaged);
        -- as part of another value, as a statement whose plan may be known, as an expression, and printed
        FOR part IN 1..4 LOOP
        BEGIN
            CASE part
                WHEN 1 THEN PERFORM corm.to_sql(q), corm.args(q);
                WHEN 2 THEN PERFORM corm.to_sql(corm.selector('t'), corm.limit(1), q);
                WHEN 3 THEN PERFORM corm.to_sql(corm.selector('t'), corm.where(corm_fuzz.expr_of(overlay(damaged PLACING 'e' FROM 2))));
                ELSE PERFORM q::text;
            END CASE;
            parsed := parsed + 1;
            resolved := resolved + 1;
        EXCEPTION WHEN OTHERS THEN
            refused := refused + 1;
            -- XX001 is "data corrupted"
            IF SQLSTATE LIKE 'XX%' AND SQLSTATE <> 'XX001' THEN
                RAISE NOTICE 'seed %: % for %', seed, SQLERRM, damaged;
            END IF;
        END;
        END LOOP;
    END LOOP;
END $$;
SET client_min_messages = notice;
SELECT parsed > 0 AS parsed, resolved > 0 AS resolved, refused > 0 AS refused FROM fuzz(1, 100000);
-- The session is sound.
SELECT corm.get_multi_json(corm.selector('t'));
DROP FUNCTION fuzz;
DROP TABLE t, seeds;
