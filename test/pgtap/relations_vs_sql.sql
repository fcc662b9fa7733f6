-- Queries next to SQL written by hand: what corm returns must be what the SQL returns, row by row. The tables have names that
-- need quotes, soft delete in every form, references to themselves and links; each clause is combined with the others.
BEGIN;
SELECT no_plan();
SET search_path = public, corm_ops;

-- The clauses, as SQL text, and a query for the rows they must give, in this order.
CREATE FUNCTION same(description text, clauses text, query text) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE
    have jsonb;
    want jsonb;
BEGIN
    EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(x)), ''[]'') FROM (%s) x', query) INTO want;
    EXECUTE format('SELECT corm.get_multi_json(%s)', clauses) INTO have;
    IF jsonb_array_length(want) = 0 AND description NOT LIKE '%nothing%' THEN
        RETURN fail(description || ': no rows to compare');
    END IF;
    RETURN is(have, want, description);
END $f$;

CREATE TABLE "Team" ("Id" int PRIMARY KEY, "Name" text NOT NULL, gone_at timestamptz);
CREATE TABLE "Member" ("Id" int PRIMARY KEY, "TeamId" int REFERENCES "Team", "Full Name" text, "order" int, gone bool NOT NULL DEFAULT false, boss_id int REFERENCES "Member");
CREATE TABLE badge ("Id" int PRIMARY KEY, label text, gone_at timestamptz);
CREATE TABLE member_badge (member_id int REFERENCES "Member", badge_id int REFERENCES badge, gone_at timestamptz, PRIMARY KEY (member_id, badge_id));
CREATE TABLE card (id int PRIMARY KEY, member_id int UNIQUE REFERENCES "Member", no text, gone_at timestamptz);
COMMENT ON CONSTRAINT "Member_TeamId_fkey" ON "Member" IS '@orm:name=team,inverse=members';
COMMENT ON CONSTRAINT "Member_boss_id_fkey" ON "Member" IS '@orm:name=boss,inverse=minions';
COMMENT ON CONSTRAINT member_badge_member_id_fkey ON member_badge IS '@orm:name=member,inverse=awards';
SET client_min_messages = error;
SELECT corm.register('"Team"', '{"soft_delete": "gone_at"}'), corm.register('"Member"', '{"soft_delete": "gone"}'), corm.register('badge', '{"soft_delete": "gone_at"}'),
    corm.register('member_badge', '{"soft_delete": "gone_at"}'), corm.register('card', '{"soft_delete": "gone_at"}');
RESET client_min_messages;
INSERT INTO "Team" SELECT g, 'T' || g, CASE WHEN g % 5 = 0 THEN now() END FROM generate_series(1, 20) g;
INSERT INTO "Member" SELECT g, CASE WHEN g % 11 <> 0 THEN g % 20 + 1 END, 'M ' || g, g % 7, g % 6 = 0, nullif(g / 3, 0) FROM generate_series(1, 120) g;
INSERT INTO badge SELECT g, 'B' || g, CASE WHEN g = 4 THEN now() END FROM generate_series(1, 6) g;
INSERT INTO member_badge SELECT m, b, CASE WHEN (m + b) % 4 = 0 THEN now() END FROM generate_series(1, 120) m, generate_series(1, 6) b WHERE (m * b) % 3 = 1;
INSERT INTO card SELECT g, g, 'C' || g, CASE WHEN g % 4 = 0 THEN now() END FROM generate_series(1, 120, 2) g;

SELECT same('a path to a deleted row is NULL',
    $$corm.selector('"Member"'), corm.select('Id', corm.as('team.Name','t')), corm.order_by('Id')$$,
    $$SELECT m."Id", t."Name" t FROM "Member" m LEFT JOIN "Team" t ON t."Id"=m."TeamId" AND t.gone_at IS NULL WHERE NOT m.gone ORDER BY 1$$);
SELECT same('a condition that a path is NULL',
    $$corm.selector('"Member"'), corm.select('Id'), corm.where(corm.is_null('team.Name')), corm.order_by('Id')$$,
    $$SELECT m."Id" FROM "Member" m LEFT JOIN "Team" t ON t."Id"=m."TeamId" AND t.gone_at IS NULL WHERE NOT m.gone AND t."Name" IS NULL ORDER BY 1$$);
SELECT same('join of a relation',
    $$corm.selector('"Team"'), corm.join('members'), corm.select('Id', corm.as('members.Id','m')), corm.order_by('Id','members.Id')$$,
    $$SELECT t."Id", m."Id" m FROM "Team" t JOIN "Member" m ON m."TeamId"=t."Id" AND NOT m.gone WHERE t.gone_at IS NULL ORDER BY 1,2$$);
SELECT same('left join of a relation, with groups',
    $$corm.selector('"Team"'), corm.left_join('members'), corm.select('Id', corm.as(corm.count('members.Id'),'n')), corm.group_by('Id'), corm.order_by('Id')$$,
    $$SELECT t."Id", count(m."Id") n FROM "Team" t LEFT JOIN "Member" m ON m."TeamId"=t."Id" AND NOT m.gone WHERE t.gone_at IS NULL GROUP BY 1 ORDER BY 1$$);
SELECT same('right join of a relation',
    $$corm.selector('"Team"'), corm.right_join('members'), corm.select('Id', corm.as('members.Id','m')), corm.order_by('members.Id')$$,
    $$SELECT t."Id", m."Id" m FROM (SELECT * FROM "Team" WHERE gone_at IS NULL) t RIGHT JOIN "Member" m ON m."TeamId"=t."Id" WHERE NOT m.gone ORDER BY 2$$);
SELECT same('full join of a relation',
    $$corm.selector('"Team"'), corm.full_join('members'), corm.select('Id', corm.as('members.Id','m')), corm.order_by('members.Id', 'Id')$$,
    $$SELECT t."Id", m."Id" m FROM (SELECT * FROM "Team" WHERE gone_at IS NULL) t FULL JOIN (SELECT * FROM "Member" WHERE NOT gone) m ON m."TeamId"=t."Id" ORDER BY 2, 1$$);
SELECT same('some of a deleted target: nothing',
    $$corm.selector('"Member"'), corm.select('Id'), corm.where(corm.some('badge', corm.eq('label','B4'))), corm.order_by('Id')$$,
    $$SELECT 1 "Id" WHERE false$$);
SELECT same('some, through deleted links',
    $$corm.selector('"Member"'), corm.select('Id'), corm.where(corm.some('badge', corm.eq('label','B2'))), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Member" m WHERE NOT gone AND EXISTS (SELECT FROM member_badge mb JOIN badge b ON b."Id"=badge_id WHERE member_id=m."Id" AND mb.gone_at IS NULL AND b.gone_at IS NULL AND label='B2') ORDER BY 1$$);
SELECT same('every',
    $$corm.selector('"Team"'), corm.select('Id'), corm.where(corm.every('members', corm.lt('order', 6))), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Team" t WHERE gone_at IS NULL AND NOT EXISTS (SELECT FROM "Member" m WHERE m."TeamId"=t."Id" AND NOT gone AND ("order"<6) IS NOT TRUE) ORDER BY 1$$);
SELECT same('preloads nested, limited, through links',
    $$corm.selector('"Team"'), corm.select('Id'), corm.order_by('Id'), corm.preload('members', corm.select('Id'), corm.order_by('-Id'), corm.limit(2), corm.preload('badge', corm.select('label'), corm.order_by('Id')), corm.preload('card', corm.select('no')))$$,
    $$SELECT "Id", (SELECT coalesce(jsonb_agg(to_jsonb(x)),'[]') FROM (SELECT "Id", (SELECT coalesce(jsonb_agg(jsonb_build_object('label',label) ORDER BY b."Id"),'[]') FROM member_badge mb JOIN badge b ON b."Id"=badge_id WHERE member_id=m."Id" AND mb.gone_at IS NULL AND b.gone_at IS NULL) badge, (SELECT jsonb_build_object('no', no) FROM card c WHERE c.member_id=m."Id" AND gone_at IS NULL) card FROM "Member" m WHERE m."TeamId"=t."Id" AND NOT gone ORDER BY 1 DESC LIMIT 2) x) members FROM "Team" t WHERE gone_at IS NULL ORDER BY 1$$);
SELECT same('preload unscoped',
    $$corm.selector('"Team"'), corm.unscoped(), corm.select('Id'), corm.order_by('Id'), corm.preload('members', corm.unscoped(), corm.select('Id'), corm.order_by('Id'))$$,
    $$SELECT "Id", (SELECT coalesce(jsonb_agg(jsonb_build_object('Id',"Id") ORDER BY "Id"),'[]') FROM "Member" m WHERE m."TeamId"=t."Id") members FROM "Team" t ORDER BY 1$$);
SELECT same('only_deleted, with a preload',
    $$corm.selector('"Team"'), corm.only_deleted(), corm.select('Id'), corm.order_by('Id'), corm.preload('members', corm.only_deleted(), corm.select('Id'), corm.order_by('Id'))$$,
    $$SELECT "Id", (SELECT coalesce(jsonb_agg(jsonb_build_object('Id',"Id") ORDER BY "Id"),'[]') FROM "Member" m WHERE m."TeamId"=t."Id" AND gone) members FROM "Team" t WHERE gone_at IS NOT NULL ORDER BY 1$$);
SELECT same('distinct',
    $$corm.selector('"Member"'), corm.select('order'), corm.distinct(), corm.order_by('-order')$$,
    $$SELECT DISTINCT "order" FROM "Member" WHERE NOT gone ORDER BY 1 DESC$$);
SELECT same('union_all',
    $$corm.selector('"Member"'), corm.select('Id'), corm.union_all(corm.selector('"Team"') |> corm.select('Id')), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Member" WHERE NOT gone UNION ALL SELECT "Id" FROM "Team" WHERE gone_at IS NULL ORDER BY 1$$);
SELECT same('union_all, unscoped on one side',
    $$corm.selector('"Member"'), corm.select('Id'), corm.union_all(corm.selector('"Team"') |> corm.unscoped() |> corm.select('Id')), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Member" WHERE NOT gone UNION ALL SELECT "Id" FROM "Team" ORDER BY 1$$);
SELECT same('WITH, only_deleted',
    $$corm.with('m', corm.selector('"Member"') |> corm.only_deleted()), corm.from_cte('m'), corm.select('Id'), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Member" WHERE gone ORDER BY 1$$);
SELECT same('from_query with groups',
    $$corm.from_query(corm.selector('"Member"') |> corm.select('TeamId', corm.as(corm.max('order'),'Max')) |> corm.group_by('TeamId'), 'X Y'), corm.where(corm.gte('Max', 5)), corm.order_by('TeamId')$$,
    $$SELECT "TeamId", max("order") "Max" FROM "Member" WHERE NOT gone GROUP BY 1 HAVING max("order")>=5 ORDER BY 1$$);
SELECT same('in (query)',
    $$corm.selector('"Team"'), corm.select('Id'), corm.where(corm.in('Id', corm.selector('"Member"') |> corm.select('TeamId'))), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Team" WHERE gone_at IS NULL AND "Id" IN (SELECT "TeamId" FROM "Member" WHERE NOT gone) ORDER BY 1$$);
SELECT same('a join on a condition sees deleted rows',
    $$corm.selector('"Member"','m'), corm.left_join('"Team"', corm.eq('t.Id', corm.c('m.TeamId')), 't'), corm.select('m.Id', corm.as('t.Name','n')), corm.order_by('m.Id')$$,
    $$SELECT m."Id", t."Name" n FROM "Member" m LEFT JOIN "Team" t ON t."Id"=m."TeamId" WHERE NOT gone ORDER BY 1$$);
SELECT same('a table that refers to itself: paths and predicates',
    $$corm.selector('"Member"'), corm.select('Id', corm.as('boss.boss.Full Name','b')), corm.where(corm.some('minions', corm.some('minions'))), corm.order_by('Id')$$,
    $$SELECT m."Id", bb."Full Name" b FROM "Member" m LEFT JOIN "Member" b ON b."Id"=m.boss_id AND NOT b.gone LEFT JOIN "Member" bb ON bb."Id"=b.boss_id AND NOT bb.gone WHERE NOT m.gone AND EXISTS (SELECT FROM "Member" x WHERE x.boss_id=m."Id" AND NOT x.gone AND EXISTS (SELECT FROM "Member" y WHERE y.boss_id=x."Id" AND NOT y.gone)) ORDER BY 1$$);
SELECT same('a path in the condition of a join',
    $$corm.selector('"Member"'), corm.join('badge', corm.eq('b.label', corm.concat(corm.val('B'), corm.fn('substr', corm.c('team.Name'), 2))), 'b'), corm.select('Id', corm.as('b.label', 'l')), corm.order_by('Id')$$,
    $$SELECT m."Id", b.label l FROM "Member" m JOIN "Team" t ON t."Id" = m."TeamId" AND t.gone_at IS NULL JOIN badge b ON b.label = 'B' || substr(t."Name", 2) WHERE NOT gone ORDER BY 1$$);
SELECT same('windows and filters of aggregates over paths',
    $$corm.selector('"Member"'), corm.select('Id', corm.as(corm.over(corm.fn('rank'), ARRAY['team.Name'], ARRAY['-order', 'Id']), 'r'), corm.as(corm.over(corm.filter_where(corm.count(), corm.gt('order', 3)), ARRAY['team.Name']), 'n')), corm.order_by('Id')$$,
    $$SELECT m."Id", rank() OVER (PARTITION BY t."Name" ORDER BY "order" DESC, m."Id") r, count(*) FILTER (WHERE "order" > 3) OVER (PARTITION BY t."Name") n FROM "Member" m LEFT JOIN "Team" t ON t."Id" = "TeamId" AND t.gone_at IS NULL WHERE NOT gone ORDER BY 1$$);
SELECT same('distinct_on with a path and a preload',
    $$corm.selector('"Member"'), corm.distinct_on('team.Name'), corm.select('Id'), corm.order_by('team.Name', '-order', 'Id'), corm.preload('team', corm.select('Name'))$$,
    $$SELECT "Id", team FROM (SELECT DISTINCT ON (t."Name") m."Id", CASE WHEN t."Id" IS NOT NULL THEN jsonb_build_object('Name', t."Name") END team, t."Name" k FROM "Member" m LEFT JOIN "Team" t ON t."Id" = "TeamId" AND t.gone_at IS NULL WHERE NOT gone ORDER BY t."Name", "order" DESC, m."Id") x ORDER BY k$$);
SELECT same('an unscoped subquery in a query that is not',
    $$corm.selector('"Member"'), corm.select('Id'), corm.where(corm.in('Id', corm.selector('"Member"', 'x') |> corm.unscoped() |> corm.select('boss_id') |> corm.where(corm.is_not_null('boss_id')))), corm.order_by('Id')$$,
    $$SELECT "Id" FROM "Member" WHERE NOT gone AND "Id" IN (SELECT boss_id FROM "Member") ORDER BY 1$$);
SELECT is(corm.count(corm.selector('"Member"'), corm.where(corm.eq('team.Name', 'T3'))),
    (SELECT count(*) FROM "Member" m JOIN "Team" t ON t."Id" = "TeamId" AND gone_at IS NULL WHERE NOT gone AND "Name" = 'T3'), 'count over a path');
SELECT is(corm.count(corm.selector('"Member"'), corm.select('order'), corm.distinct()), 7::bigint, 'count of distinct rows');
SELECT is(corm.count(corm.selector('"Member"'), corm.group_by('order'), corm.select('order')), 7::bigint, 'count of groups');
SELECT is(corm.count(corm.selector('"Member"'), corm.limit(3)), 3::bigint, 'count with a limit');

-- Pages: forwards, and backwards from the last row, are all rows in the order of the SQL
CREATE FUNCTION walk(n int, VARIADIC q corm.query[]) RETURNS TABLE (forwards text[], backwards text[]) LANGUAGE plpgsql AS $f$
DECLARE
    page jsonb;
    cursor text;
    last text;
BEGIN
    forwards := '{}';
    LOOP
        page := corm.page_json(corm.pipe(VARIADIC q), corm.limit(n), corm.after(cursor));
        forwards := forwards || ARRAY(SELECT r->>'Id' FROM jsonb_array_elements(page->'rows') r);
        cursor := page #>> '{page_info,end_cursor}';
        EXIT WHEN NOT (page #>> '{page_info,has_next}')::boolean OR array_length(forwards, 1) > 1000;
    END LOOP;
    backwards := forwards[array_length(forwards, 1):];
    LOOP
        page := corm.page_json(corm.pipe(VARIADIC q), corm.limit(n), corm.before(cursor));
        backwards := ARRAY(SELECT r->>'Id' FROM jsonb_array_elements(page->'rows') r) || backwards;
        EXIT WHEN NOT (page #>> '{page_info,has_previous}')::boolean OR array_length(backwards, 1) > 1000;
        cursor := page #>> '{page_info,start_cursor}';
    END LOOP;
    RETURN NEXT;
END $f$;
CREATE FUNCTION same_pages(description text, orders text, sql_order text) RETURNS SETOF text LANGUAGE plpgsql AS $f$
DECLARE
    want text[];
    walked record;
BEGIN
    EXECUTE format('SELECT array_agg(m."Id"::text ORDER BY %s) FROM "Member" m LEFT JOIN "Team" t ON t."Id" = "TeamId" AND gone_at IS NULL WHERE NOT gone', sql_order) INTO want;
    EXECUTE format('SELECT * FROM walk(7, corm.selector(''"Member"''), corm.select(''Id''), corm.order_by(%s), corm.preload(''badge''))', orders) INTO walked;
    RETURN NEXT is(walked.forwards, want, description || ', forwards');
    RETURN NEXT is(walked.backwards, want, description || ', backwards');
END $f$;
SELECT same_pages('pages by a path, NULLs last', $$corm.desc('team.Name', 'last'), 'order'$$, 't."Name" DESC NULLS LAST, "order", m."Id"');
SELECT same_pages('pages by a path, NULLs first, mixed directions', $$corm.asc('team.Name', 'first'), '-order'$$, 't."Name" NULLS FIRST, "order" DESC, m."Id" DESC');
SELECT same_pages('pages by expressions', $$corm.desc(corm.mod('order', 3)), corm.fn('length', corm.c('Full Name'))$$, '"order" % 3 DESC, length("Full Name"), m."Id"');
SELECT same_pages('pages by a nullable field', $$'-boss_id'$$, 'boss_id DESC, m."Id" DESC');
SELECT same_pages('pages by key', $$'-Id'$$, 'm."Id" DESC');

SELECT * FROM finish();
ROLLBACK;
