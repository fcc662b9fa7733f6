-- Verbs for one tenant over tables that are partitioned by tenant: one partition of each table.  What a partition stands for here, a
-- shard is elsewhere.  The answers are those of the same rows in tables that are not partitioned.
SET client_min_messages = warning;
CREATE SCHEMA tenants;
CREATE SCHEMA whole;
-- foreign keys are checked by statements of PostgreSQL, which open partitions as they like
SET session_replication_role = replica;
-- a generic plan locks all partitions before it finds those that it needs
SET plan_cache_mode = force_custom_plan;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FUNCTION tenants.make(how text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text := CASE how WHEN 'tenants' THEN 'PARTITION BY HASH (tenant)' ELSE '' END;
BEGIN
    PERFORM set_config('search_path', how, true);
    EXECUTE 'CREATE TABLE account (tenant int, id int, name text, PRIMARY KEY (tenant, id))' || part;
    EXECUTE 'CREATE TABLE project (tenant int, id int, account_id int, name text, gone timestamptz, PRIMARY KEY (tenant, id),
             FOREIGN KEY (tenant, account_id) REFERENCES account)' || part;
    EXECUTE 'CREATE TABLE task (tenant int, id int, project_id int, title text, n int, PRIMARY KEY (tenant, id),
             FOREIGN KEY (tenant, project_id) REFERENCES project)' || part;
    EXECUTE 'CREATE TABLE label (tenant int, id int, name text, PRIMARY KEY (tenant, id))' || part;
    EXECUTE 'CREATE TABLE task_label (tenant int, task_id int, label_id int, PRIMARY KEY (tenant, task_id, label_id),
             FOREIGN KEY (tenant, task_id) REFERENCES task, FOREIGN KEY (tenant, label_id) REFERENCES label)' || part;
    IF how = 'tenants' THEN
        FOR i IN 0 .. 3 LOOP
            EXECUTE (SELECT string_agg(format('CREATE TABLE %s_p%s PARTITION OF %1$s FOR VALUES WITH (MODULUS 4, REMAINDER %2$s)', t, i), ';')
                     FROM unnest('{account,project,task,label,task_label}'::text[]) AS t);
        END LOOP;
    END IF;
    INSERT INTO account SELECT t, i, 'a' || t || i FROM generate_series(1, 4) t, generate_series(1, 3) i;
    INSERT INTO project SELECT t, i, i % 3 + 1, 'p' || t || i, CASE WHEN i = 6 THEN timestamptz '2020-01-01' END FROM generate_series(1, 4) t, generate_series(1, 6) i;
    INSERT INTO task SELECT t, i, i % 6 + 1, 't' || t || i, i FROM generate_series(1, 4) t, generate_series(1, 20) i;
    INSERT INTO label SELECT t, i, 'l' || i FROM generate_series(1, 4) t, generate_series(1, 3) i;
    INSERT INTO task_label SELECT t, i, i % 3 + 1 FROM generate_series(1, 4) t, generate_series(1, 20) i WHERE i % 4 > 0;
    PERFORM corm.register('project', '{"soft_delete": "gone"}');
END $$;
SELECT tenants.make('tenants');
SELECT tenants.make('whole');
ANALYZE;

-- the partitions in the plan of a query, and whether it answers as over the whole tables
CREATE FUNCTION tenants.reads(query text, OUT partitions text, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
    one jsonb;
    other jsonb;
BEGIN
    PERFORM set_config('search_path', 'tenants, corm_ops', true);
    EXECUTE 'SELECT corm.get_multi_json(' || query || ')' INTO one;
    EXECUTE format('SELECT string_agg(DISTINCT m[1], '' '' ORDER BY m[1]) FROM corm.explain(%s) AS l, regexp_matches(l, ''\m(?:account|project|task|label|task_label)_p\d\M'', ''g'') AS m', query)
        INTO partitions;
    PERFORM set_config('search_path', 'whole, corm_ops', true);
    EXECUTE 'SELECT corm.get_multi_json(' || query || ')' INTO other;
    same := one = other;
    IF one = '[]' THEN
        RAISE 'no rows: %', query;
    END IF;
END $$;
\t on
SELECT query, (tenants.reads(query)).* FROM unnest(ARRAY[
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1)), corm.order_by('id')$$,
    $$corm.selector('account'), corm.where(corm.eq('tenant', 1)), corm.order_by('id'), corm.limit(2), corm.preload('project', corm.order_by('id'), corm.preload('task', corm.order_by('-id'), corm.limit(2)))$$,
    $$corm.selector('account'), corm.where(corm.eq('tenant', 1), corm.eq('id', 1)), corm.preload('project.task.label')$$,
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1)), corm.order_by('id'), corm.preload('project.account'), corm.preload('label', corm.order_by('id'))$$,
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1)), corm.order_by('id'), corm.left_join('label'), corm.select('id', 'label.name')$$,
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1), corm.eq('project.account.name', 'a12')), corm.order_by('id')$$,
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1), corm.some('label', corm.eq('name', 'l1')), corm.none('project', corm.eq('id', 99)), corm.every('label', corm.gt('id', 0))), corm.order_by('id')$$,
    $$corm.selector('account'), corm.where(corm.eq('tenant', 1)), corm.order_by('id'), corm.select('id', corm.as(corm.count_of('project.task'), 'tasks'), corm.as(corm.sum_of('project', 'id'), 'sum'))$$,
    $$corm.selector('account'), corm.where(corm.eq('tenant', 1), corm.gt(corm.count_of('project'), 1)), corm.order_by(corm.desc(corm.max_of('project', 'id')), 'id')$$,
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1)), corm.select('project_id', corm.count()), corm.group_by('project_id'), corm.order_by('project_id')$$,
    $$corm.selector('task'), corm.order_by('id'), corm.filter('{"where": {"tenant": 1, "project": {"is": {"name": {"starts_with": "p"}}}}, "select": ["id"], "preload": {"label": {"select": ["name"]}}}')$$,
    $$corm.selector('task'), corm.where(corm.eq('tenant', 1)), corm.limit(2), corm.order_by('id'), corm.offset(1), corm.preload('project', corm.preload('task', corm.select('id'), corm.order_by('id'))), corm.unscoped()$$,
    $$corm.selector('task', 't'), corm.where(corm.eq('tenant', 1)), corm.order_by('id'), corm.select('id', corm.as(corm.pipe(corm.selector('label', 'l'), corm.where(corm.eq('l.tenant', corm.c('t.tenant'))), corm.select(corm.count())), 'n'))$$,
    -- not for one tenant: all, as before
    $$corm.selector('account'), corm.where(corm.in('tenant', 1, 2)), corm.order_by('tenant', 'id'), corm.preload('project', corm.order_by('id'))$$,
    $$corm.selector('task'), corm.where(corm.or(corm.eq('tenant', 1), corm.eq('n', 3))), corm.order_by('tenant', 'id'), corm.preload('label', corm.order_by('id'))$$]) AS query;
-- a right join shows rows of others, too
SELECT (tenants.reads($$corm.selector('task'), corm.right_join('label', corm.and(corm.eq('l.tenant', corm.c('task.tenant')), corm.eq('task.tenant', 1)), 'l'), corm.select('task.id', corm.as('l.tenant', 'of')), corm.order_by(corm.c('l.tenant'), corm.c('l.id'), corm.c('task.id'))$$)).same;

-- Verbs that write: the partitions that a call locks
CREATE FUNCTION tenants.writes(call text, OUT partitions text, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
    one text;
    other text;
    tables text := $q$SELECT md5(string_agg(r, ',' ORDER BY r)) FROM (SELECT account::text FROM account UNION ALL SELECT project::text FROM project
        UNION ALL SELECT task::text FROM task UNION ALL SELECT label::text FROM label UNION ALL SELECT task_label::text FROM task_label) AS t(r)$q$;
    before text;
BEGIN
    PERFORM set_config('search_path', 'tenants', true);
    EXECUTE tables INTO before;
    BEGIN
        EXECUTE call;
        SELECT string_agg(DISTINCT c.relname, ' ' ORDER BY c.relname) INTO partitions
        FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE l.pid = pg_backend_pid() AND c.relispartition AND c.relkind = 'r' AND l.mode = 'RowExclusiveLock';
        EXECUTE tables INTO one;
        RAISE 'undo' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
    END;
    BEGIN
        PERFORM set_config('search_path', 'whole', true);
        EXECUTE call;
        EXECUTE tables INTO other;
        RAISE 'undo' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
    END;
    same := one = other AND one <> before;
END $$;
CREATE TABLE tenants.calls (number int GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO tenants.calls (call) VALUES
    ($$SELECT corm.insert(row(1, 100, 1, 'x', 1)::task)$$),
    ($$SELECT corm.insert_multi(ARRAY[row(1, 100, 1, 'x', 1)::task, row(1, 101, 2, 'y', 1)::task])$$),
    ($$SELECT corm.update(row(1, 2, 1, 'x', 1)::task)$$),
    ($$SELECT corm.update_multi(ARRAY[row(1, 2, 1, 'x', 1)::task, row(1, 3, 1, 'y', 1)::task])$$),
    ($$SELECT corm.save(row(1, 2, 1, 'x', 1)::task)$$),
    ($$SELECT corm.delete(row(1, 4, 1, 'x', 1)::task)$$),
    ($$SELECT corm.exec(corm.updater('task'), corm.set('n', 5), corm.where(corm.eq('tenant', 1), corm.some('label', corm.eq('id', 1))))$$),
    ($$SELECT corm.exec(corm.updater('task'), corm.set('n', corm.count_of('label')), corm.where(corm.eq('tenant', 1)))$$),
    ($$SELECT corm.exec(corm.deleter('task_label'), corm.where(corm.eq('tenant', 1), corm.eq('task.n', 5)))$$),
    ($$SELECT corm.exec(corm.inserter('task'), corm.rows('[{"tenant": 1, "id": 100}, {"tenant": 1, "id": 101}]'::jsonb))$$),
    ($$SELECT corm.insert_json('account', '{"tenant": 1, "id": 50, "project": [{"id": 70, "name": "n", "task": [{"id": 90, "label": [{"tenant": 1, "id": 1}]}]}]}')$$),
    ($$SELECT corm.update_json('account', '{"tenant": 1, "id": 1}', '{"name": "x", "project": {"add": [{"id": 71}], "update": [{"tenant": 1, "id": 3, "name": "y"}]}}')$$),
    ($$SELECT corm.update_json('task', '{"tenant": 1, "id": 1}', '{"label": {"set": [{"tenant": 1, "id": 1}]}}')$$),
    ($$SELECT corm.upsert_json('task', '[{"tenant": 1, "id": 1, "title": "u"}, {"tenant": 1, "id": 100, "title": "v"}]')$$),
    ($$SELECT corm.set_related('task', '{"tenant": 1, "id": 1}', 'label', '[{"tenant": 1, "id": 1}, {"tenant": 1, "id": 3}]')$$),
    ($$SELECT corm.get_multi_json(corm.updater('project'), corm.set('name', 'x'), corm.where(corm.eq('tenant', 1)), corm.preload('account'), corm.preload('task'))$$),
    ($$SELECT corm.exec(corm.deleter('project'), corm.where(corm.eq('tenant', 1)))$$),
    ($$SELECT corm.restore(corm.selector('project'), corm.where(corm.eq('tenant', 1)))$$);
SELECT call, (tenants.writes(call)).* FROM tenants.calls ORDER BY number;
-- the same with hooks, in stages
CREATE FUNCTION tenants.before_save(t tenants.task) RETURNS tenants.task LANGUAGE plpgsql AS $$ BEGIN t.title := coalesce(t.title, '-'); RETURN t; END $$;
CREATE FUNCTION whole.before_save(t whole.task) RETURNS whole.task LANGUAGE plpgsql AS $$ BEGIN t.title := coalesce(t.title, '-'); RETURN t; END $$;
CREATE FUNCTION tenants.before_delete(t tenants.task) RETURNS tenants.task LANGUAGE plpgsql AS $$ BEGIN RETURN t; END $$;
SELECT call, (tenants.writes(call)).* FROM tenants.calls WHERE call ~ '''task''|::task' ORDER BY number;
SELECT (tenants.writes($$SELECT corm.exec(corm.deleter('task'), corm.where(corm.eq('tenant', 1), corm.gt('n', 15)))$$)).*;
-- a write that moves rows to another tenant shows what belongs to them there
BEGIN;
DROP FUNCTION tenants.before_save(tenants.task);
SELECT corm.get_multi_json(corm.updater('tenants.task'), corm.set('tenant', 2), corm.set('id', 200), corm.where(corm.eq('tenant', 1), corm.eq('id', 1)), corm.preload('project', corm.select('tenant', 'id')));
ROLLBACK;

-- Where tables may be distributed, a few rows of an array are written as VALUES
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition ();
RESET allow_system_table_mods;
SELECT call, (tenants.writes(call)).* FROM tenants.calls WHERE call ~ 'ARRAY|rows' ORDER BY number;
CREATE FUNCTION tenants.said(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE context text; BEGIN EXECUTE sql; RETURN 'done'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT; RETURN SQLSTATE || ': ' || split_part(context, E'\n', 1); END $$;
SELECT tenants.said($$SELECT corm.insert_multi(ARRAY[(1, 100, 'x')::whole.label, (1, 1, 'y')::whole.label])$$);
SELECT tenants.said($$SELECT corm.insert_multi(array_agg((1, i, 'x')::whole.label)) FROM generate_series(17, 1, -1) i$$);
SELECT tenants.said($$SELECT corm.exec(corm.inserter('whole.label'), corm.rows(ARRAY[(1, NULL, 'x')::whole.label, (1, NULL, 'y')::whole.label]), corm.set('id', 1))$$);
BEGIN;
SELECT name FROM corm.insert_multi(ARRAY[(1, 102, 'x')::whole.label, (1, 101, 'y')::whole.label, (1, 103, NULL)::whole.label]);
SELECT corm.exec(corm.inserter('whole.label'), corm.rows(ARRAY[(1, 102, 'x2')::whole.label, (1, 104, 'y')::whole.label]), corm.on_conflict('tenant', 'id'), corm.do_update());
SELECT * FROM whole.label WHERE id > 100 ORDER BY id;
CREATE TABLE whole.filled (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int DEFAULT 7);
SELECT corm.insert_multi(ARRAY[(NULL, NULL)::whole.filled, (NULL, NULL)::whole.filled]);
ROLLBACK;
SET allow_system_table_mods = on;
DROP TABLE pg_catalog.pg_dist_partition;
RESET allow_system_table_mods;

-- Keys of an array of rows
SELECT corm.field_values(ARRAY[(1, 5, 'x')::whole.account, NULL, (NULL, 6, 'y')::whole.account], 1, NULL::int[]), corm.field_values('{}'::whole.account[], 2, NULL::int[]),
    corm.field_values(NULL::whole.account[], 2, NULL::int[]), corm.field_values(ARRAY[(1, 5, 'x')::whole.account], 3, NULL::text[]);
SELECT corm.field_values(ARRAY[(1, 5, 'x')::whole.account], 3, NULL::int[]);
SELECT corm.field_values(ARRAY[(1, 5, 'x')::whole.account], 9, NULL::int[]);

-- Partitions by time: a page by cursor reads what it needs
CREATE TABLE tenants.event (at timestamptz, id int, what text, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
SELECT format('CREATE TABLE tenants.event_%s PARTITION OF tenants.event FOR VALUES FROM (%L) TO (%L)', m, make_timestamptz(2026, m, 1, 0, 0, 0), make_timestamptz(2026, m + 1, 1, 0, 0, 0))
    FROM generate_series(1, 9) m \gexec
INSERT INTO tenants.event SELECT timestamptz '2026-01-01' + i * interval '1 hour', i, 'e' || i FROM generate_series(1, 6000) i;
ANALYZE tenants.event;
SELECT corm.page_json(corm.selector('tenants.event'), corm.where(corm.gte('at', '2026-05-01'::timestamptz)), corm.order_by('at'), corm.limit(3)) #>> '{page_info,end_cursor}' AS cursor \gset
SELECT string_agg(DISTINCT m[1], ' ' ORDER BY m[1]) FROM corm.explain_analyze(corm.selector('tenants.event'), corm.order_by('at'), corm.limit(3), corm.after(:'cursor')) AS l,
    regexp_matches(CASE WHEN l !~ 'never executed' THEN l END, '(event_\d)_', 'g') AS m;
SELECT string_agg(DISTINCT m[1], ' ' ORDER BY m[1]) FROM corm.explain_analyze(corm.selector('tenants.event'), corm.order_by('-at'), corm.limit(3)) AS l,
    regexp_matches(CASE WHEN l !~ 'never executed' THEN l END, '(event_\d)_', 'g') AS m;
-- a condition on the time opens the partitions of that time; one value of it is that of related rows, too
CREATE TABLE tenants.detail (at timestamptz, id int, event_id int, PRIMARY KEY (at, id), FOREIGN KEY (at, event_id) REFERENCES tenants.event) PARTITION BY RANGE (at);
SELECT format('CREATE TABLE tenants.detail_%s PARTITION OF tenants.detail FOR VALUES FROM (%L) TO (%L)', m, make_timestamptz(2026, m, 1, 0, 0, 0), make_timestamptz(2026, m + 1, 1, 0, 0, 0))
    FROM generate_series(1, 9) m \gexec
INSERT INTO tenants.detail SELECT at, id, id FROM tenants.event;
CREATE FUNCTION tenants.times(VARIADIC q corm.query[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(DISTINCT m[1], ' ' ORDER BY m[1]) FROM corm.explain(VARIADIC q) AS l, regexp_matches(l, '\mon ((?:event|detail)_\d)\M', 'g') AS m $$;
SELECT tenants.times(corm.selector('tenants.event'), corm.where(corm.between('at', '2026-05-20'::timestamptz, '2026-06-10'::timestamptz)), corm.order_by('at'));
SELECT tenants.times(corm.selector('tenants.event'), corm.where(corm.eq('at', '2026-05-20 10:00'::timestamptz)), corm.preload('detail'), corm.limit(1));
SELECT tenants.times(corm.selector('tenants.detail'), corm.where(corm.eq('at', '2026-05-20 10:00'::timestamptz), corm.eq('event.what', 'e1')), corm.select('id', corm.as(corm.count_of('event'), 'n')));
SELECT tenants.times(corm.updater('tenants.event'), corm.set('what', 'x'), corm.where(corm.eq('at', '2026-05-20 10:00'::timestamptz), corm.some('detail')));
SELECT corm.get_multi_json(corm.selector('tenants.event'), corm.where(corm.eq('at', '2026-05-20 10:00'::timestamptz)), corm.preload('detail'));

-- Foreign tables have no keys that could decide conflicts
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user 'nobody');
CREATE FOREIGN TABLE tenants.remote (id int NOT NULL, name text) SERVER elsewhere;
SELECT corm.register('tenants.remote', '{"fields": {"id": {"primary_key": true}}}');
CREATE TABLE tenants.mixed (tenant int, id int, name text) PARTITION BY LIST (tenant);
CREATE TABLE tenants.mixed_1 PARTITION OF tenants.mixed FOR VALUES IN (1);
CREATE FOREIGN TABLE tenants.mixed_2 PARTITION OF tenants.mixed FOR VALUES IN (2) SERVER elsewhere;
SELECT corm.register('tenants.mixed', '{"fields": {"tenant": {"primary_key": true}, "id": {"primary_key": true}}}');
CREATE FUNCTION tenants.attempt(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text; BEGIN EXECUTE sql; RETURN 'done'; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RETURN concat_ws(' | ', SQLSTATE, SQLERRM, hint); END $$;
SELECT tenants.attempt($$SELECT corm.save(row(1, 'x')::tenants.remote)$$);
SELECT tenants.attempt($$SELECT corm.upsert_json('tenants.mixed', '{"tenant": 1, "id": 1, "name": "x"}')$$);
SELECT tenants.attempt($$SELECT corm.exec(corm.inserter('tenants.remote'), corm.set('id', 1), corm.on_conflict('id'), corm.do_select())$$);
SELECT tenants.attempt($$SELECT corm.insert(row(1, 1, 'x')::tenants.mixed)$$);
SELECT l ~ 'Aggregate on' FROM corm.explain(corm.selector('tenants.remote'), corm.select('name', corm.count()), corm.group_by('name')) AS l WHERE l ~ 'Relations';
-- Shards are no models: a function that Citus has stands for it here
SET allow_system_table_mods = on;
CREATE FUNCTION pg_catalog.relation_is_a_known_shard(regclass) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT relname ~ '_1020\d\d$' FROM pg_class WHERE oid = $1 $$;
RESET allow_system_table_mods;
CREATE TABLE tenants.users (id int PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE tenants.users_102020 (LIKE tenants.users INCLUDING ALL);
INSERT INTO tenants.users_102020 VALUES (1, 'x');
SELECT corm.register('tenants.users', '{"soft_delete": "deleted_at"}');
SELECT tenants.attempt($$SELECT corm.delete(u) FROM tenants.users_102020 u$$);
SELECT tenants.attempt($$SELECT corm.get_multi(NULL::tenants.users_102020)$$);
SELECT tenants.attempt($$SELECT corm.exec(corm.updater('tenants.users_102020'), corm.set('name', 'y'), corm.all_rows())$$);
SELECT tenants.attempt($$SELECT corm.describe('tenants.users_102020')$$);
SELECT count(*) FROM tenants.users_102020;
SELECT name FROM corm.models WHERE model::text ~ 'users' ORDER BY 1;
SELECT corm.count(corm.selector('tenants.users'));
DROP FUNCTION pg_catalog.relation_is_a_known_shard(regclass);

\t off
DROP SCHEMA tenants, whole CASCADE;
DROP EXTENSION postgres_fdw CASCADE;
