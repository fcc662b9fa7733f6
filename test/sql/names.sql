-- hardening 7: identifiers with quotes, backslashes, semicolons, dots, blanks, controls, of several bytes a character, of 63
-- and more bytes, in mixed case, reserved: the SQL of corm parses back to the same identifiers, in every place a name can
-- have, and a name that is not there is only unknown.
SET client_min_messages = warning;
CREATE SCHEMA nm;
SET search_path = nm, corm_ops;

CREATE TABLE bad (name text);
INSERT INTO bad VALUES ('"'), ('a"b'), (''''), ('a''b'), ('\'), ('\n'), ('a\'), (';'), ('; DROP TABLE bad --'), ('--'), ('/*'), ('*/'), ('a.b'), ('.'), ('a '), (' a'), (' '),
    ('$1'), ('$$'), ('%s'), ('%I'), ('*'), ('()'), ('[]'), ('{}'), ('{"a":1}'), ('select'), ('SELECT'), ('user'), ('order'), ('null'), ('true'), ('default'), ('r'), ('MixedCase'), ('UPPER'), ('1st'),
    ('42'), ('-x'), ('-'), ('+'), ('été'), ('Ünïcödé'), ('漢字'), ('🐘'), (chr(1)), (E'tab\there'), (E'line\nbreak'), (U&'\200B'), (repeat('n', 63)), (repeat('é', 31)), (repeat('漢', 21)), ('Robert''); DROP TABLE students;--'),
    ('public.users'), ('"quoted"'), ('""'), ('ctid'), ('oid');
DELETE FROM bad WHERE name IN ('ctid');        -- a system column
SELECT count(*) FROM bad;

-- Each name in every place: schema, table, columns, constraint, type, alias, WITH query, output name, function
CREATE FUNCTION try_name(n text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    q text := quote_ident(n);
    model regclass;
    got jsonb;
    failed text := '';
BEGIN
    EXECUTE format('CREATE SCHEMA %1$s; CREATE TABLE %1$s.%1$s (id int PRIMARY KEY, %1$s text, parent int CONSTRAINT %1$s REFERENCES %1$s.%1$s, UNIQUE (%1$s))', q);
    EXECUTE format('CREATE TYPE %1$s.dto AS (id int, %1$s text)', q);
    PERFORM corm.register(format('%s.dto', q)::regclass, jsonb_build_object('table', format('%1$s.%1$s', q)));
    EXECUTE format('CREATE FUNCTION %1$s.%1$s(t text) RETURNS text LANGUAGE sql IMMUTABLE AS ''SELECT upper(t)''', q);
    model := format('%1$s.%1$s', q)::regclass;

    -- writing, by record, by JSON, by query
    EXECUTE format('SELECT to_jsonb(corm.insert(ROW(1, ''one'', NULL)::%1$s.%1$s))', q) INTO got;
    IF got IS DISTINCT FROM jsonb_build_object('id', 1, n, 'one', 'parent', NULL) THEN failed := failed || ' insert'; END IF;
    got := corm.insert_json(model, jsonb_build_array(jsonb_build_object('id', 2, n, 'two', 'parent', 1)));
    IF got->0->>n IS DISTINCT FROM 'two' THEN failed := failed || ' insert_json'; END IF;
    IF corm.exec(corm.updater(model), corm.set(n, 'deux'), corm.where(corm.eq(n, 'two'))) <> 1 THEN failed := failed || ' updater'; END IF;
    EXECUTE format('SELECT to_jsonb(corm.save(ROW(2, ''zwei'', 1)::%1$s.%1$s))', q) INTO got;
    IF got->>n IS DISTINCT FROM 'zwei' THEN failed := failed || ' save'; END IF;
    EXECUTE format('SELECT to_jsonb(corm.update(ROW(2, ''dos'')::%1$s.dto))', q) INTO got;
    IF got IS DISTINCT FROM jsonb_build_object('id', 2, n, 'dos') THEN failed := failed || ' dto'; END IF;
    RETURN failed;
EXCEPTION WHEN OTHERS THEN
    RETURN failed || ' ' || SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE FUNCTION try_reading(n text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    q text := quote_ident(n);
    model regclass;
    got jsonb;
    failed text := '';
    columns text[];
BEGIN
    EXECUTE format('CREATE SCHEMA %1$s; CREATE TABLE %1$s.%1$s (id int PRIMARY KEY, %1$s text, parent_id int REFERENCES %1$s.%1$s)', q);
    EXECUTE format('INSERT INTO %1$s.%1$s VALUES (1, ''one'', NULL), (2, ''two'', 1)', q);
    EXECUTE format('CREATE FUNCTION %1$s.%1$s(t text) RETURNS text LANGUAGE sql IMMUTABLE AS ''SELECT upper(t)''', q);
    model := format('%1$s.%1$s', q)::regclass;

    IF corm.get_json(corm.selector(model), corm.where(corm.eq(n, 'two'))) IS DISTINCT FROM jsonb_build_object('id', 2, n, 'two', 'parent_id', 1) THEN failed := failed || ' get_json'; END IF;
    IF corm.value(NULL::text, corm.selector(model, n), corm.select(corm.c(n || '.' || n)), corm.order_by('-id'), corm.limit(1)) IS DISTINCT FROM 'two' THEN failed := failed || ' alias'; END IF;
    got := corm.get_multi_json(corm.with(n, corm.selector(model)), corm.from_cte(n), corm.select(n, corm.as(corm.fn(q || '.' || q, corm.c(n)), left(n, 10) || '!')),
                               corm.where(corm.is_not_null(n)), corm.order_by('-' || n), corm.distinct());
    IF got->0->>n IS DISTINCT FROM 'two' OR got->0->>(left(n, 10) || '!') IS DISTINCT FROM 'TWO' THEN failed := failed || ' with'; END IF;
    got := corm.get_multi_json(corm.from_query(corm.selector(model) |> corm.group_by(n) |> corm.select(n, corm.as(corm.count(), 'k')), n), corm.where(corm.eq(n || '.k', 1)), corm.order_by(corm.asc(n)));
    IF got IS DISTINCT FROM jsonb_build_array(jsonb_build_object(n, 'one', 'k', 1), jsonb_build_object(n, 'two', 'k', 1)) THEN failed := failed || ' from_query'; END IF;
    IF corm.get_json(corm.selector(model), corm.select('id'), corm.preload('parent', corm.select(n)), corm.where(corm.eq('parent.' || n, 'one')))
        IS DISTINCT FROM jsonb_build_object('id', 2, 'parent', jsonb_build_object(n, 'one')) THEN failed := failed || ' preload'; END IF;
    IF corm.count(corm.selector(model), corm.filter(jsonb_build_object('where', jsonb_build_object(n, jsonb_build_object('in', '["one", "x"]'::jsonb))))) <> 1 THEN failed := failed || ' filter'; END IF;
    IF (corm.selector(model, n) |> corm.select(n) |> corm.where(corm.eq(n, n)))::text::corm.query::text <> (corm.selector(model, n) |> corm.select(n) |> corm.where(corm.eq(n, n)))::text THEN failed := failed || ' text'; END IF;
    IF NOT corm.describe(model)->'fields' @> jsonb_build_array(jsonb_build_object('name', n, 'column', n)) THEN failed := failed || ' describe'; END IF;

    -- the SQL, parsed by PostgreSQL: the same columns of the same table, under the same names
    EXECUTE 'CREATE VIEW nm.parsed AS ' || corm.to_sql(corm.selector(model, n), corm.order_by(corm.asc(n)));
    SELECT array_agg(attname::text ORDER BY attnum) INTO columns FROM pg_attribute WHERE attrelid = 'nm.parsed'::regclass;
    IF columns IS DISTINCT FROM ARRAY['id', n, 'parent_id'] THEN failed := failed || ' columns'; END IF;
    IF (SELECT count(DISTINCT refobjsubid) FROM pg_depend WHERE refobjid = model AND classid = 'pg_rewrite'::regclass AND refobjsubid > 0) <> 3 THEN failed := failed || ' depend'; END IF;
    DROP VIEW nm.parsed;
    RETURN failed;
EXCEPTION WHEN OTHERS THEN
    RETURN failed || ' ' || SQLSTATE || ' ' || SQLERRM;
END $$;

-- a name that is not there
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE FUNCTION try_unknown(n text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    failed text := '';
    verb text;
BEGIN
    FOREACH verb IN ARRAY ARRAY['corm.get_multi_json(corm.selector(''nm.plain''), corm.where(corm.eq(%1$L, 1)))', 'corm.get_multi_json(corm.selector(''nm.plain''), corm.select(%1$L))',
        'corm.get_multi_json(corm.selector(''nm.plain''), corm.order_by(%2$L))', 'corm.exec(corm.updater(''nm.plain''), corm.set(%1$L, 1), corm.all_rows())', 'corm.insert_json(''nm.plain'', %3$L)',
        'corm.get_multi_json(corm.selector(''nm.plain''), corm.preload(%1$L))', 'corm.get_multi_json(corm.selector(''nm.plain''), corm.join(%1$L))', 'corm.get_multi_json(corm.from_cte(%1$L))',
        'corm.get_multi_json(corm.selector(''nm.plain''), corm.scope(%1$L))', 'corm.get_field(ROW(1, 2)::nm.plain, %1$L)', 'corm.count(corm.selector(''nm.plain''), corm.filter(%4$L))']
    LOOP
        -- '*' is all fields there
        CONTINUE WHEN n = '*' AND verb LIKE '%corm.select(%';
        BEGIN
            EXECUTE 'SELECT ' || format(verb, n, '-' || n, jsonb_build_object(n, 1), jsonb_build_object('where', jsonb_build_object(n, 1)));
            failed := failed || ' ' || verb;
        EXCEPTION
            WHEN undefined_column OR undefined_table OR name_too_long THEN NULL;
            WHEN OTHERS THEN failed := failed || ' ' || SQLSTATE || ' ' || SQLERRM || verb;
        END;
    END LOOP;
    RETURN failed;
END $$;

CREATE FUNCTION undone(f text, n text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT nm.%I($1)', f) INTO result USING n;
    RAISE SQLSTATE '00U00';
EXCEPTION WHEN SQLSTATE '00U00' THEN
    RETURN result;
END $$;

SELECT f, name, undone(f, name) AS failed FROM bad, unnest('{try_name,try_reading,try_unknown}'::text[]) AS f
WHERE undone(f, name) <> '' ORDER BY f, name COLLATE "C";

-- A name of 64 bytes is no name: PostgreSQL cuts it, corm does not guess.
SELECT undone('try_unknown', repeat('n', 64)), undone('try_unknown', repeat('é', 32));

-- as the name of the constraint that an upsert goes by
CREATE FUNCTION try_constraint(n text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    done bigint[];
BEGIN
    EXECUTE format('CREATE TABLE nm.keyed (id int, v text, CONSTRAINT %I UNIQUE (id))', n);
    FOR i IN 1 .. 2 LOOP
        done[i] := corm.exec(corm.inserter('nm.keyed'), corm.set('id', 1), corm.set('v', 'v' || i), corm.on_constraint(n), corm.do_update('v'));
    END LOOP;
    RETURN CASE WHEN done = '{1,1}' AND corm.get_multi_json(corm.selector('nm.keyed')) = '[{"id": 1, "v": "v2"}]' THEN '' ELSE 'on_constraint' END;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT name, undone('try_constraint', name) AS failed FROM bad WHERE undone('try_constraint', name) <> '' ORDER BY name COLLATE "C";

DROP SCHEMA nm CASCADE;
