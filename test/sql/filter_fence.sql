-- corm.filter(spec, allow): what a client may name, relations that are kept out, limits of preloads, paths into documents.
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE SCHEMA fence;
SET search_path = fence, corm_ops;
CREATE TABLE company (id int PRIMARY KEY, name text, vat text);
CREATE TABLE person (
    id int PRIMARY KEY, company_id int REFERENCES company, name text, salary int, "nickName" text, nick_name text,
    secret text, notes text, doc jsonb, plain json
);
COMMENT ON COLUMN person.secret IS '@orm:hidden';
COMMENT ON COLUMN person.notes IS '@orm:filterable=false';
CREATE TABLE purchase (id int PRIMARY KEY, person_id int REFERENCES person, total int, margin int);
CREATE TABLE audit (id int PRIMARY KEY, person_id int CONSTRAINT audit_person REFERENCES person, what text);
COMMENT ON CONSTRAINT audit_person ON audit IS '@orm:filterable=false';
CREATE TABLE tag (id int PRIMARY KEY, label text);
CREATE TABLE person_tag (person_id int REFERENCES person, tag_id int CONSTRAINT pt_tag REFERENCES tag, PRIMARY KEY (person_id, tag_id));
INSERT INTO company VALUES (1, 'acme', 'V1'), (2, 'bolt', 'V2');
INSERT INTO person VALUES
    (1, 1, 'ada', 100, 'A', 'a', 's1', 'n1', '{"a": {"b": 5}, "s": "x", "l": [1, "two"], "t": true, "n": null}', '{"a": {"b": 5}}'),
    (2, 1, 'bob', 200, 'B', 'b', 's2', 'n2', '{"a": {"b": "5"}, "s": "y"}', '{"a": {"b": "5"}}'),
    (3, 2, 'cy', 300, 'C', 'c', 's3', 'n3', '{"a": 7, "s": {"x": 1}}', '{"big": 1e999999}');
INSERT INTO purchase SELECT i, i % 3 + 1, i * 10, i FROM generate_series(1, 9) i;
INSERT INTO audit VALUES (1, 1, 'x'), (2, 2, 'y');
INSERT INTO tag VALUES (1, 'red'), (2, 'blue');
INSERT INTO person_tag VALUES (1, 1), (1, 2), (2, 2);
CREATE FUNCTION try(spec jsonb, allow jsonb DEFAULT NULL, q corm.query DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text;
BEGIN
    RETURN corm.get_multi_json(coalesce(q, corm.pipe(corm.selector('fence.person'), corm.order_by('id'))), corm.filter(spec, allow));
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RETURN sqlstate || ' ' || sqlerrm || CASE WHEN d <> '' THEN ': ' || d ELSE '' END;
END $$;

\echo Fields: conditions, select, orders and answers
SELECT try('{}', '{"fields": ["id", "name"]}') AS answer;
SELECT try('{"where": {"name": "ada"}, "select": ["name"], "order_by": ["-name"]}', '{"fields": ["id", "name"]}') AS named;
SELECT try('{"where": {"salary": {"gt": 150}}}', '{"fields": ["id", "name"]}') AS condition;
SELECT try('{"where": {"not": {"or": [{"id": 1}, {"salary": 100}]}}}', '{"fields": ["id", "name"]}') AS nested;
SELECT try('{"select": ["id", "salary"]}', '{"fields": ["id", "name"]}') AS selected;
SELECT try('{"select": []}', '{"fields": ["id", "name"]}') AS nothing_selected;
SELECT try('{"order_by": ["-salary"]}', '{"fields": ["id", "name"]}') AS ordered;
SELECT try('{"where": {"nothing": 1}}', '{"fields": ["id", "name"]}') AS unknown;
SELECT try('{"order_by": ["-salary"], "select": ["id"]}', '{"fields": ["id"], "order_by": ["salary"]}', corm.selector('person')) AS order_of_its_own;
SELECT try('{"order_by": ["id"]}', '{"fields": ["id"], "order_by": ["salary"]}') AS not_that_order;
\echo without fields: all that filters may use, without the rest
SELECT try('{"where": {"id": 1}}', '{}') AS all_of_them;
SELECT try('{"where": {"notes": "n1"}}', '{}') AS not_filterable, try('{"where": {"secret": "s1"}}', '{}') AS hidden, try('{}', '{"fields": ["id", "notes"]}') AS tags_in_force, try('{}', '{"fields": ["secret"]}') AS hidden_allowed, try('{}', '{"fields": ["nme"]}') AS misspelt;
SELECT try('{}', '{"fields": []}') AS no_field, try('{"select": ["id"]}', '{"fields": []}') AS no_field_at_all;
SELECT corm.count(corm.selector('person'), corm.filter('{}', '{"fields": []}')) AS counted;
\echo a spelling never means another field than the allowed one
SELECT try('{"where": {"nickName": "A"}, "select": ["nickName"]}', '{"fields": ["nick_name"]}') AS folded, try('{"where": {"nickName": "A"}, "select": ["nickName"]}', '{"fields": ["nickName"]}') AS exact, try('{"select": ["Name"]}', '{"fields": ["name"]}') AS camel;

\echo Relations: conditions, paths, preloads
SELECT try('{"where": {"company": {"is": {"name": "acme"}}}}', '{"fields": ["id"]}') AS none, try('{"where": {"company.name": "acme"}}', '{"fields": ["id"]}') AS path, try('{"preload": {"company": true}}', '{"fields": ["id"]}') AS preload;
SELECT try('{"where": {"company": {"is": {"name": "acme"}}}}', '{"fields": ["id"], "relations": {"company": true}}') AS allowed, try('{"where": {"company.name": "acme"}, "select": ["id", "company.name"]}', '{"fields": ["id"], "relations": {"company": true}}') AS path;
SELECT try('{"where": {"company": {"is": {"vat": "V1"}}}}', '{"fields": ["id"], "relations": {"company": {"fields": ["name"]}}}') AS field_of_it, try('{"where": {"company.vat": "V1"}}', '{"fields": ["id"], "relations": {"company": {"fields": ["name"]}}}') AS by_path, try('{"select": ["company.vat"]}', '{"fields": ["id"], "relations": {"company": {"fields": ["name"]}}}') AS selected, try('{"order_by": ["company.vat"]}', '{"fields": ["id"], "relations": {"company": {"fields": ["name"]}}}') AS ordered;
SELECT try('{"where": {"id": 1}, "preload": {"company": true, "purchase": {"order_by": ["-total"], "limit": 1}}}', '{"fields": ["id"], "relations": {"company": {"fields": ["name"]}, "purchase": {"fields": ["total"]}}}') AS preloads;
SELECT try('{"where": {"id": 1}, "preload": {"purchase": {"select": ["margin"]}}}', '{"fields": ["id"], "relations": {"purchase": {"fields": ["total"]}}}') AS its_select, try('{"preload": {"company.person": true}}', '{"fields": ["id"], "relations": {"company": true}}') AS true_has_no_relations;
SELECT try('{"where": {"id": 1}, "preload": {"company.person": true}}', '{"fields": ["id"], "relations": {"company": {"fields": ["name"], "relations": {"person": {"fields": ["id", "name"]}}}}}') AS nested_path;
SELECT try('{"where": {"id": 1}, "preload": {"tag": true}}', '{"fields": ["id"], "relations": {"tag": {"fields": []}}}') AS nothing_of_it, try('{"where": {"tag": {"some": {}}}}', '{"fields": ["id"], "relations": {"tag": {"fields": []}}}') AS only_whether;
SELECT try('{"where": {"id": 1}, "preload": {"company": true}}', '{"fields": ["id"], "relations": {"company": {"fields": []}}}') AS nothing_of_one;
SELECT try('{"where": {"company": {"is": null}}}', '{"fields": ["id"]}') AS is_null, try('{"where": {"company": {"is_not": null}}}', '{"fields": ["id"], "relations": {"company": true}}') AS is_not_null;
\echo what the query joins and selects is no field of the model
SELECT try('{"where": {"vat": "V1"}}', '{}', corm.pipe(corm.selector('person'), corm.join('company'))) AS joined, try('{"where": {"vat": "V1"}}', NULL, corm.pipe(corm.selector('person'), corm.join('company'), corm.select('id'), corm.order_by('id'))) AS unfenced, try('{"where": {"vat": "V1"}, "select": ["vat"]}', '{"fields": ["vat"]}', corm.pipe(corm.selector('person'), corm.join('company'), corm.order_by('id'))) AS listed;
SELECT try('{"order_by": ["n"]}', '{}', corm.pipe(corm.selector('person'), corm.select(corm.as(corm.count(), 'n')))) AS output, try('{"where": {"person.salary": 100}}', '{}') AS alias;
SELECT try('{}', '{"fields": ["id"]}', corm.pipe(corm.selector('person'), corm.select('name'), corm.where(corm.eq('id', 1)))) AS the_query_selects, try('{"select": ["id"]}', '{"fields": ["id"]}', corm.pipe(corm.selector('person'), corm.select('name'), corm.where(corm.eq('id', 1)))) AS and_the_client;
SELECT try('{}', '{"fields": ["id"]}', corm.pipe(corm.selector('person'), corm.union(corm.selector('person')))) AS combined;
SELECT try('{"where": {"id": 1}}', '{"fields": ["id", "name"]}', corm.from_query(corm.selector('person'), 'p')) AS subquery, try('{"where": {"secret": "s1"}}', '{}', corm.from_query(corm.selector('person'), 'p')) AS its_hidden, try('{"where": {"notes": "n1"}}', '{}', corm.from_query(corm.selector('person'), 'p')) AS its_unfilterable, try('{"where": {"id": 1}}', '{}', corm.pipe(corm.from_query(corm.selector('person'), 'p'))) AS its_all;
\echo a typed row must find its attributes; a write returns the allowed ones
CREATE TYPE person_dto AS (id int, name text);
SELECT p FROM corm.get_multi(NULL::person_dto, corm.selector('person'), corm.order_by('id'), corm.filter('{}', '{"fields": ["id", "name"]}')) p;
SELECT corm.get_multi(NULL::person, corm.filter('{}', '{"fields": ["id", "name"]}'));
SELECT corm.get_multi_json(corm.updater('person'), corm.set('salary', 101), corm.filter('{"where": {"id": 1}}', '{"fields": ["id", "name"]}'), corm.returning()) AS written;

\echo Operators, limits, depth
SELECT try('{"where": {"id": 1}, "select": ["id"]}', '{"ops": ["eq", "in"]}') AS eq, try('{"where": {"id": {"gt": 1}}}', '{"ops": ["eq", "in"]}') AS gt, try('{"where": {"company": {"is": {"id": {"gt": 1}}}}}', '{"ops": ["eq"], "relations": {"company": true}}') AS inherited, try('{"where": {"company": {"is": {"id": {"gt": 1}}}}, "select": ["id"]}', '{"ops": ["eq"], "relations": {"company": {"ops": ["gt"]}}}') AS its_own, try('{"where": {"id": {"above": 1}}}', '{"ops": ["eq"]}') AS unknown;
SELECT try('{}', '{"fields": ["id"], "default_limit": 2}') AS default_limit, try('{"limit": 3}', '{"fields": ["id"], "default_limit": 2}') AS asked, try('{"limit": 3}', '{"fields": ["id"], "max_limit": 2}') AS too_many, try('{}', '{"fields": ["id"], "max_limit": 1}') AS at_most, try('{}', '{"fields": ["id"], "default_limit": 5, "max_limit": 1}') AS both;
SELECT try('{}', '{"fields": ["id"], "default_limit": 2}', corm.pipe(corm.selector('person'), corm.order_by('id'), corm.limit(1))) AS the_query_limits;
SELECT try('{"where": {"id": 1}, "preload": {"purchase": true}}', '{"fields": ["id"], "relations": {"purchase": {"fields": ["id"], "default_limit": 1}}}') AS of_a_preload, try('{"preload": {"purchase": {"limit": 5}}}', '{"fields": ["id"], "relations": {"purchase": {"max_limit": 1}}}') AS its_max;
SET corm.filter_preload_limit = 2;
SELECT try('{"where": {"id": 1}, "select": ["id"], "preload": {"purchase": {"select": ["id"], "order_by": ["id"]}, "company": true}}') AS setting, try('{"where": {"id": 1}, "select": ["id"], "preload": {"purchase": {"select": ["id"], "order_by": ["id"], "limit": 3}}}') AS asked;
SELECT try('{"where": {"id": 1}, "select": ["id"], "preload": {"purchase": {"select": ["id"]}}}', NULL, corm.pipe(corm.selector('person'), corm.preload('purchase', corm.limit(3), corm.order_by('id')))) AS merged;
SELECT try('{"where": {"id": 1}, "select": ["id"], "preload": {"company.person": {"select": ["id"], "order_by": ["id"]}}}') AS nested;
RESET corm.filter_preload_limit;
SELECT try('{"where": {"id": 1}, "select": ["id"]}', '{"max_depth": 0}') AS flat, try('{"where": {"not": {"id": 1}}}', '{"max_depth": 0}') AS nested, try('{"where": {"or": [{"not": {"id": 1}}]}, "select": ["id"]}', '{"max_depth": 2}') AS two, try('{"where": {"or": [{"not": {"not": {"id": 1}}}]}}', '{"max_depth": 2}') AS three;
SELECT try('{"preload": {"company": {"preload": {"person": true}}}}', '{"fields": ["id"], "max_depth": 1, "relations": {"company": {"fields": ["id"], "relations": {"person": true}}}}') AS preloads, try('{"preload": {"company.person": true}}', '{"fields": ["id"], "max_depth": 1, "relations": {"company": {"fields": ["id"], "relations": {"person": true}}}}') AS path, try('{"where": {"company.name": "x"}}', '{"max_depth": 0, "relations": {"company": true}}') AS field, try('{"where": {"company": {"is": {"not": {"id": 1}}}}}', '{"relations": {"company": {"max_depth": 0}}}') AS of_the_relation;

\echo Mistakes in the fence are the server''s
SELECT try('{}', '{"field": ["id"]}'), try('{}', '{"fields": "id"}'), try('{}', '{"fields": [1]}'), try('{}', '{"relations": ["a"]}'), try('{}', '{"relations": {"a": false}}'), try('{}', '{"relations": {"a": {"b": 1}}}'), try('{}', '{"ops": ["equal"]}'), try('{}', '{"max_limit": -1}'), try('{}', '{"max_limit": 1.5}'), try('{}', '{"max_depth": "1"}'), try('{}', '[]'), try('{}', 'null'), try('{}', '{"relations": {"nothing": true}}') IS NOT NULL AS not_asked;
\x
SELECT try('{"preload": {"nothing": true}}', '{"fields": ["id"], "relations": {"nothing": true}}') AS unknown_relation;
\x
SELECT corm.filter(NULL::jsonb, '{}') IS NULL AS null_document, corm.count(corm.selector('person'), corm.filter('{"where": {"id": 1}}'::text, '{"fields": ["id"]}')) AS text, corm.count(corm.selector('person'), corm.filter('{"where": {"id": 1}}'::json, '{"fields": ["id"]}')) AS json, corm.count(corm.selector('person'), corm.filter('{"where": {"id": 1}}', allow => NULL)) AS no_fence;
SELECT q::text = q::text::corm.query::text AS round_trip FROM (SELECT corm.filter('{"where": {"company": {"is": {"id": 1}}, "doc": {"path": ["a", 1], "gt": 3}}, "preload": {"company": true}}', '{"fields": ["id", "doc"], "relations": {"company": true}, "max_limit": 3}') AS q) x;
SELECT corm.filter('{"where": {"company.name": "x", "doc": {"path": ["a", 1], "gt": 3}}, "preload": {"company": true}}', '{"fields": ["id", "doc"], "relations": {"company": true}, "max_limit": 3}') AS written;

\echo A relation that a tag keeps out, on both sides
SELECT try('{"where": {"audit": {"some": {}}}}') AS has_many, try('{"preload": {"audit": true}}') AS preload, try('{"preload": {"company.person.audit": true}}') AS at_the_end, try('{"preload": {"audit": true}}', '{"relations": {"audit": true}}') AS allowed_in_vain;
SELECT try('{"where": {"person": {"is": {"name": "ada"}}}}', NULL, corm.selector('audit')) AS belongs_to, try('{"where": {"person.name": "ada"}}', NULL, corm.selector('audit')) AS path, try('{"select": ["person.name"]}', NULL, corm.selector('audit')) AS selected, try('{"where": {"person.name": "ada"}}', NULL, corm.pipe(corm.selector('audit'), corm.join('person'))) AS joined, try('{"where": {"name": "ada"}}', NULL, corm.pipe(corm.selector('audit'), corm.join('person'))) AS its_field, try('{"where": {"person.company.name": "acme"}}', NULL, corm.pipe(corm.selector('audit'), corm.join('person.company'))) AS behind_it;
SELECT try('{"where": {"id": 1}}', NULL, corm.pipe(corm.selector('audit'), corm.preload('person', corm.select('id')))) AS the_query_itself, try('{"preload": {"person": true}}', NULL, corm.pipe(corm.selector('audit'), corm.preload('person.company', corm.select('id')))) AS merged;
SELECT corm.get_multi_json(corm.selector('audit'), corm.where(corm.some('person', corm.eq('name', 'ada')))) AS builders;
COMMENT ON CONSTRAINT pt_tag ON person_tag IS '@orm:filterable=false';
SELECT try('{"where": {"tag": {"some": {}}}}') AS many_to_many, try('{"where": {"person_tag": {"some": {"tag": {"is": {}}}}}}') AS step_by_step, try('{"where": {"person_tag": {"some": {"tag_id": 1}}}, "select": ["id"]}') AS link;
COMMENT ON CONSTRAINT pt_tag ON person_tag IS NULL;
SELECT try('{"where": {"tag": {"some": {"id": 1}}}, "select": ["id"]}') AS again;
SELECT try('{"where": {"purchase.total": 1}}') AS path_to_many, try('{"order_by": ["purchase.total"]}') AS ordered;
\echo nor does one over a hidden field exist
COMMENT ON COLUMN purchase.person_id IS '@orm:hidden';
SELECT try('{"where": {"purchase": {"some": {}}}}') AS has_many, try('{"preload": {"purchase": true}}') AS preload, try('{"where": {"person": {"is": {}}}}', NULL, corm.selector('purchase')) AS belongs_to, try('{"where": {"person.name": "x"}}', NULL, corm.selector('purchase')) AS path;
SELECT corm.count(corm.selector('person'), corm.where(corm.some('purchase'))) AS builders;
COMMENT ON COLUMN purchase.person_id IS NULL;

\echo Paths into documents
CREATE FUNCTION ids(spec text, field text DEFAULT 'doc') RETURNS text LANGUAGE sql AS $$ SELECT try(('{"where": {"' || $2 || '": ' || $1 || '}, "select": ["id"]}')::jsonb) $$;
SELECT ids('{"path": ["a", "b"], "eq": 5}') AS number, ids('{"path": ["a", "b"], "eq": "5"}') AS text, ids('{"path": ["a", "b"], "in": [5, 6]}') AS in, ids('{"path": ["a"], "gte": 7}') AS gte, ids('{"path": ["a"], "between": [1, 9]}') AS between, ids('{"path": ["t"], "eq": true}') AS boolean, ids('{"path": ["s"], "in": ["x", "y"]}') AS texts;
SELECT ids('{"path": ["n"], "eq": null}') AS null, ids('{"path": ["s"], "is_null": false}') AS is_null, ids('{"path": ["s"], "starts_with": "x"}') AS starts_with, ids('{"path": ["l", 1], "eq": "two"}') AS element, ids('{"path": ["l"], "contains": "two"}') AS contains, ids('{"path": ["l"], "contains": [1]}') AS contains_list, ids('{"path": ["a"], "has_key": "b"}') AS has_key, ids('{"path": ["a", "b"], "gt": 1, "lt": 6}') AS two, ids('{"path": ["a", "b"], "neq": 5}') AS neq;
SELECT ids('{"path": ["a", "b"], "eq": 5}', 'plain') AS json, ids('{"path": ["big"], "gt": 5}', 'plain') AS no_numeric, ids('{"path": ["a", "b"], "eq": "5"}', 'plain') AS text, ids('{"path": ["a"], "contains": {}}', 'plain') AS contains;
SELECT ids('{"path": ["a"]}'), ids('{"path": "a", "eq": 1}'), ids('{"path": [], "eq": 1}'), ids('{"path": [{}], "eq": 1}'), ids('{"path": ["a"], "above": 1}'), ids('{"path": ["a"], "overlaps": [1]}'), ids('{"path": ["a"], "in": 1}'), ids('{"path": ["a"], "in": [1, "x"]}'), ids('{"path": ["a"], "between": [1, "x"]}'), ids('{"path": ["a"], "like": 1}'), ids('{"path": ["a"], "like": "\\"}'), ids('{"path": ["a"], "eq": {}}'), ids('{"path": ["a"], "eq": 1}', 'name'), ids('{"path": ["a"], "eq": 1}', 'nothing');
SELECT try('{"where": {"doc": {"path": ["a", "b"], "eq": 5}}, "select": ["id"]}', '{"ops": ["eq"]}') AS fenced, try('{"where": {"doc": {"path": ["a", "b"], "gt": 5}}}', '{"ops": ["eq"]}') AS not_that;
SELECT corm.to_sql(corm.selector('person'), corm.select('id'), corm.filter('{"where": {"doc": {"path": ["a"], "gt": 5}, "plain": {"path": ["b"], "eq": "x"}}}')) AS sql;
\echo what a client asks for and the query cannot do is a mistake of the client
CREATE FUNCTION try_write(spec jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text;
BEGIN RETURN corm.exec(corm.updater('person'), corm.set('name', 'x'), corm.filter(spec));
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL; RETURN concat_ws(' ', sqlstate, sqlerrm, d); END $$;
SELECT try_write('{"where": {"id": 1}, "preload": {"company": true}}') AS preload, try_write('{"where": {"id": 1}, "select": ["id"]}') AS "select", try_write('{"where": {"id": 1}, "order_by": ["-id"]}') AS order_by, try_write('{"where": {"id": -1}}') AS nothing_else;
CREATE TABLE node (id int PRIMARY KEY, parent_id int REFERENCES node);
INSERT INTO node VALUES (1, NULL), (2, 1);
SELECT try('{"preload": {"parent": true}}', NULL, corm.pipe(corm.selector('node'), corm.preload_tree('parent'))) AS tree, try('{"preload": {"node": {"select": ["id"]}}}', NULL, corm.pipe(corm.selector('node'), corm.preload_tree('parent'), corm.order_by('id'))) AS other_relation;
DROP SCHEMA fence CASCADE;
