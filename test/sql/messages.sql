-- Messages that teach (D10, D12, H8): the hint says what to write.
SET client_min_messages = warning;
CREATE SCHEMA messages;
SET search_path = messages, corm_ops;
CREATE TABLE person (id int PRIMARY KEY, email text UNIQUE, n int, nick text, token text UNIQUE, deleted_at timestamptz);
COMMENT ON COLUMN person.token IS '@orm:hidden';
CREATE UNIQUE INDEX person_nick ON person (lower(nick));
CREATE UNIQUE INDEX person_n ON person (n) WHERE n > 0;
CREATE TABLE plain (id int, v text);
INSERT INTO person (id, email) VALUES (1, 'a'), (2, 'b');
CREATE FUNCTION told(body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; d text; h text;
BEGIN
    EXECUTE body;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', sqlstate || ' ' || m, nullif(d, ''), nullif(h, ''));
END $$;
\pset format unaligned
\pset tuples_only on

\echo Text where a query or an expression is meant
SELECT told($$ SELECT corm.exists('person') $$);
SELECT told($$ SELECT corm.get_json('person') $$);
SELECT told($$ SELECT corm.get(NULL::person, 'id = 1') $$);
SELECT told($$ SELECT corm.get(NULL::person, 'SELECT * FROM person') $$);
SELECT told($$ SELECT corm.to_sql(corm.selector('person'), corm.where('n > 18')) $$);
SELECT told($$ SELECT corm.to_sql(corm.selector('person'), corm.where('email')) $$);
SELECT told($$ SELECT corm.to_sql(corm.selector('person'), corm.where('it''s')) $$);
SELECT told($$ SELECT '[{"where": ]'::corm.query $$);
SELECT told($$ SELECT ''::corm.expr $$);
SELECT told(format('SELECT %L::corm.expr', repeat('é', 100)));
\echo which is what to write
SELECT corm.exists(corm.selector('person')), corm.count(corm.selector('person'), corm.where(corm.raw('id > 1')));

\echo No rows
SELECT told($$ SELECT corm.get(NULL::person, corm.where(corm.eq('id', 9))) $$);
SELECT told($$ SELECT corm.one(NULL::person, corm.where(corm.eq('id', 9))) $$);
SELECT told($$ SELECT corm.get_json(corm.selector('person'), corm.where(corm.eq('id', 9))) $$);
SELECT told($$ SELECT corm.get_json(corm.raw_query('SELECT 1 WHERE false')) $$);
SELECT told($$ SELECT corm.update(row(9, 'x', 1, NULL, NULL, NULL)::person) $$);
COMMENT ON COLUMN person.deleted_at IS '@orm:soft_delete';
UPDATE person SET deleted_at = now() WHERE id = 1;
SELECT told($$ SELECT corm.update(row(1, 'x', 1, NULL, NULL, NULL)::person) $$);
SELECT corm.restore(corm.selector('person'), corm.where(corm.eq('id', 1)));
SELECT (corm.update(row(1, 'x', 1, NULL, NULL, NULL)::person)).email;

\echo An upsert by what is no key
SELECT told($$ SELECT corm.exec(corm.inserter('person'), corm.set('id', 1), corm.set('n', 3), corm.on_conflict('n'), corm.do_update()) $$);
SELECT told($$ SELECT corm.get_json(corm.inserter('person'), corm.rows('[{"id": 1, "n": 3}]'::jsonb), corm.on_conflict('id', 'email'), corm.do_update(), corm.returning()) $$);
SELECT told($$ SELECT corm.exec(corm.inserter('plain'), corm.set('id', 1), corm.on_conflict('id'), corm.do_nothing()) $$);
SELECT told($$ SELECT corm.exec(corm.inserter('person'), corm.set('id', 1), corm.set('n', 3), corm.on_conflict('n'), corm.on_conflict_where(corm.gt('n', 0)), corm.do_nothing()) $$);
SELECT told($$ SELECT corm.exec(corm.inserter('person'), corm.set('id', 1), corm.set('nick', 'x'), corm.on_conflict('lower(nick)'), corm.do_nothing()) $$);

\echo Arrays of another type of number, or of text
CREATE TABLE lists (id int PRIMARY KEY, s smallint[], b bigint[], t text[], v varchar[]);
INSERT INTO lists VALUES (1, '{1,2}', '{1,2}', '{a}', '{a}'), (2, '{3}', '{3}', '{b}', '{b}');
CREATE FUNCTION ids(e corm.expr) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(i::text, ' ' ORDER BY i) FROM corm.pluck(NULL::int, corm.selector('messages.lists'), corm.select('id'), corm.where(e)) i $$;
SELECT ids(corm.contains('b', ARRAY[1])), ids(corm.overlaps('b', ARRAY[1, 3])), ids(corm.eq('b', ARRAY[1, 2])), ids(corm.neq('b', ARRAY[1, 2])), ids(corm.lt('b', ARRAY[2]));
SELECT ids(corm.contains('s', ARRAY[1])), ids(corm.overlaps('s', ARRAY[1, 3]::bigint[])), ids(corm.eq('s', ARRAY[1, 2])), ids(corm.contains('s', ARRAY[70000])), ids(corm.c('b') @> ARRAY[3]), ids(corm.c('s') && ARRAY[3]);
SELECT ids(corm.contains('t', ARRAY['a']::varchar[])), ids(corm.overlaps('v', ARRAY['a']::text[])), ids(corm.eq('v', ARRAY['a']::varchar(3)[])), ids(corm.overlaps('t', ARRAY['b']::varchar[])), ids(corm.eq('t', ARRAY['b']));
SELECT corm.to_sql(corm.selector('lists'), corm.select('id'), corm.where(corm.contains('b', ARRAY[1]), corm.overlaps('s', ARRAY[1])));

\echo A relation where a field is wanted
CREATE TABLE pets (id int PRIMARY KEY, person_id int REFERENCES person);
SELECT told($$ SELECT corm.get_multi_json(corm.selector('person'), corm.where(corm.eq('pets', 1))) $$);
SELECT told($$ SELECT corm.get_multi_json(corm.selector('pets'), corm.order_by('person')) $$);
SELECT told($$ SELECT corm.get_multi_json(corm.selector('person'), corm.filter('{"where": {"petz": 1}}')) $$);
DROP SCHEMA messages CASCADE;
