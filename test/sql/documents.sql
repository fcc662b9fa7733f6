-- Documents as jsonb, json, text, literals and untyped parameters
CREATE SCHEMA docs;
SET search_path = docs;
CREATE TABLE t (id int PRIMARY KEY, n int, name text);
CREATE TABLE g (id int PRIMARY KEY);
CREATE TABLE tg (t_id int REFERENCES t, g_id int REFERENCES g, PRIMARY KEY (t_id, g_id));
INSERT INTO g VALUES (1), (2);
\t on
SELECT corm.insert_json('t', '{"id": 1}'), corm.insert_json('t', '{"id": 2}'::jsonb), corm.insert_json('t', '[{"id": 3}, {"id": 4}]'::json), corm.insert_json('t', '{"id": 5}'::text),
    corm.insert_json('t', json_build_object('id', 6)), corm.insert_json('t'::regclass, '{"id": 7}'), corm.insert_json('t'::regclass, '{"id": 8}'::json), corm.insert_json('t'::regclass::oid, '{"id": 9}');
SELECT corm.update_json('t', '{"id": 1}', '{"n": 1}'), corm.update_json('t', '{"id": 2}'::jsonb, '{"n": 1}'), corm.update_json('t', '{"id": 3}', '{"n": 1}'::json),
    corm.update_json('t', '{"id": 4}'::json, '{"n": 1}'::json, '{n}'), corm.update_json('t', '{"id": 5}', '{"n": 1}'::jsonb), corm.update_json('t', '{"id": 6}'::text, '{"n": 1}'::text),
    corm.update_json(key => '{"id": 7}', model => 't', patch => '{"n": 1}'), corm.update_json('t', '{"id": 8}', patch => '{"n": 1}', allowed => '{n}');
SELECT corm.upsert_json('t', '{"id": 1, "n": 2}'), corm.upsert_json('t', '{"id": 2, "n": 2}'::json), corm.upsert_json('t', '{"id": 3, "n": 2}'::jsonb, '{id}'), corm.upsert_json('t', '[{"id": 4, "n": 2}]'::text);
SELECT corm.set_related('t', '{"id": 1}', 'g', '[{"id": 1}]'), corm.set_related('t', '{"id": 2}'::json, 'g', '[{"id": 1}]'::json), corm.set_related('t', '{"id": 3}', 'g', '[{"id": 1}]'::jsonb),
    corm.set_related('t', '{"id": 4}', 'g', '[{"id": 1}]'::json);
SELECT corm.insert_json('t', NULL);
SELECT corm.insert_json('t', NULL::json);
SELECT corm.insert_json('t', '{"id": ');
SELECT corm.insert_json('t', '{"id": '::text);
SELECT corm.insert_json('t', '{}'::json);

-- a parameter without a type is jsonb, so that a driver may send an object
PREPARE a AS SELECT corm.insert_json('t', $1);
PREPARE b AS SELECT corm.update_json('t', $1, $2);
PREPARE c AS SELECT corm.update_json('t', '{"id": 1}', $1);
PREPARE d AS SELECT corm.set_related($1, $2, $3, $4);
PREPARE e AS SELECT corm.upsert_json('t', $1, $2);
PREPARE f AS SELECT x FROM (SELECT corm.insert_json('t', $1) AS x OFFSET 0) AS s WHERE EXISTS (SELECT corm.upsert_json('t', $2));
-- with a cast, or where it is a text elsewhere, it is what the statement says
PREPARE g AS SELECT corm.insert_json('t', $1::text);
PREPARE h AS SELECT corm.insert_json('t', $1 :: json);
PREPARE i AS SELECT corm.insert_json('t', $1), upper($1);
PREPARE j AS SELECT corm.insert_json('t', CAST($1 AS text));
PREPARE k(text) AS SELECT corm.insert_json('t', $1 || '');
PREPARE l AS INSERT INTO g SELECT 100 WHERE corm.insert_json('t', $1) IS NOT NULL;
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
EXECUTE a('{"id": 20}');
EXECUTE b('{"id": 20}', '{"name": "b"}');
EXECUTE c('{"name": "c"}');
EXECUTE d('t', '{"id": 20}', 'g', '[{"id": 2}]');
EXECUTE e('{"id": 20, "name": "e"}', '{id}');
EXECUTE f('{"id": 21}', '{"id": 22}');
EXECUTE g('{"id": 23}');
EXECUTE h('{"id": 24}');
EXECUTE i('{"id": 25}');
EXECUTE j('{"id": 26}');
EXECUTE k('{"id": 27}');
EXECUTE l('{"id": 28}');
DEALLOCATE ALL;
SELECT id, n, name FROM t ORDER BY id;
SELECT * FROM tg ORDER BY 1, 2;
-- from PL/pgSQL, whose variables have types
DO $$
DECLARE
    a json := '{"id": 30}';
    b jsonb := '{"id": 31}';
    c text := '{"id": 32}';
    d varchar := '{"id": 33}';
BEGIN
    PERFORM corm.insert_json('t', a), corm.insert_json('t', b), corm.insert_json('t', c), corm.insert_json('t', d);
    EXECUTE 'SELECT corm.insert_json(''t'', $1)' USING json '{"id": 34}';
END $$;
SELECT count(*) FROM t WHERE id >= 30;
\t off
SET client_min_messages = warning;
SET search_path = public;
DROP SCHEMA docs CASCADE;
