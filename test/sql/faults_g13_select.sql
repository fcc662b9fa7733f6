-- Fault G13: what a hook after_find hides of a model does not come to light as a field of a row of another model.
\pset format unaligned
\pset null '(null)'
CREATE SCHEMA g13;
SET search_path = g13, corm_ops;
CREATE TABLE cities (id int PRIMARY KEY, name text, mayor text);
CREATE TABLE persons (gone int, id int PRIMARY KEY, name text, ssn text, city_id int REFERENCES cities);
ALTER TABLE persons DROP gone;
CREATE TABLE accounts (id int PRIMARY KEY, person_id int REFERENCES persons, balance int, pin text);
INSERT INTO cities VALUES (1, 'Oslo', 'Anne');
INSERT INTO persons VALUES (1, 'ann', '111', 1), (2, 'bob', '222', NULL);
INSERT INTO accounts VALUES (10, 1, 5, '0000'), (11, 2, 6, '1111'), (12, NULL, 7, '2222');
CREATE FUNCTION after_find(p persons) RETURNS persons LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'found person %', p.id;
    p.ssn := '***';
    RETURN p;
END $$;

\echo G13: a path in a filter that clients send
SELECT corm.get_multi_json(corm.selector('accounts'), corm.filter('{"select": ["id", "person.ssn"], "order_by": ["id"]}'));
\echo G13: several fields of it are one call a row; none is no call
SELECT corm.get_multi_json(corm.selector('accounts'), corm.select('id', 'person.name', corm.as('person.ssn', 'number')), corm.order_by('id'));
SELECT corm.get_multi_json(corm.selector('accounts'), corm.select('id', 'balance'), corm.order_by('person.ssn', 'id'));
SELECT corm.get_json(corm.selector('accounts'), corm.select('person.ssn'), corm.order_by('-person.ssn'), corm.limit(1), corm.where(corm.is_not_null('person_id')));
\echo G13: a page, whose order is that of the rows as they are
SELECT corm.page_json(corm.selector('accounts'), corm.select('id', 'person.ssn'), corm.order_by('person.ssn', 'id'), corm.limit(2))->'rows';
\echo G13: a join that is written out, and a subquery as the source
SELECT corm.get_multi_json(corm.selector('accounts'), corm.join('persons', corm.eq('persons.id', corm.c('accounts.person_id'))), corm.select('accounts.id', 'persons.ssn'), corm.order_by('accounts.id'));
SELECT corm.get_multi_json(corm.from_query(corm.pipe(corm.selector('accounts'), corm.select('id', 'person_id')), 's'), corm.join('persons', corm.eq('persons.id', corm.c('s.person_id'))), corm.select('s.id', 'persons.ssn'), corm.order_by('s.id'));
\echo G13: two models with hooks, one of them the source, two steps away
CREATE FUNCTION after_find(c cities) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'found city %', c.id; END $$;
CREATE FUNCTION after_find(a accounts) RETURNS accounts LANGUAGE plpgsql AS $$ BEGIN a.pin := '****'; RETURN a; END $$;
SELECT corm.get_multi_json(corm.selector('accounts'), corm.select('id', 'pin', 'person.ssn', 'person.city.mayor', corm.as(corm.fn('upper', corm.c('person.name')), 'upper')), corm.order_by('id'));
\echo G13: in preloaded rows
SELECT corm.get_multi_json(corm.selector('cities'), corm.preload('persons.accounts', corm.select('id', 'pin', 'person.ssn')));
\echo G13: skipped
SET corm.skip_hooks = on;
SELECT corm.get_multi_json(corm.selector('accounts'), corm.select('id', 'person.ssn'), corm.order_by('id'));
RESET corm.skip_hooks;
SET client_min_messages = warning;
DROP SCHEMA g13 CASCADE;
