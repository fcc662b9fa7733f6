--
-- F1: scopes and conditions of relations depend on the types and relations that they name.
--
SET client_min_messages = notice;
CREATE SCHEMA f1;
SET search_path = f1, public;
CREATE TYPE mood AS ENUM ('live', 'dead');
CREATE TYPE pair AS (a int, b int);
CREATE TYPE holds AS (p pair);
CREATE TYPE unused AS ENUM ('x');
CREATE TABLE users (id int PRIMARY KEY, s mood);
CREATE TABLE posts (id int PRIMARY KEY, user_id int, s mood);
CREATE TABLE hidden (id int PRIMARY KEY);
CREATE TABLE counted (id int PRIMARY KEY, n int);
INSERT INTO users VALUES (1, 'live'), (2, 'dead');
SELECT corm.define_scope('users', 'alive', corm.where(corm.eq('s', 'live'::mood)));
SELECT corm.define_scope('users', 'shown', corm.where(corm.none(corm.selector('hidden'), corm.where(corm.eq('id', 1)))));
SELECT corm.define_scope('users', 'paired', corm.where(corm.eq(corm.raw('$1', ARRAY[row(row(1, 2))::holds]), corm.raw('$1', ARRAY[row(row(1, 2))::holds]))));
SELECT corm.define_scope('users', 'row', corm.where(corm.eq(corm.raw('$1', row(1, 2)::counted), corm.raw('$1', row(1, 2)::counted))));
SELECT corm.relate('users', 'live_posts', 'has_many', 'posts', ARRAY['id'], ARRAY['user_id'], condition => corm.eq(corm.cast('s', 'mood'), 'live'::mood));

\echo F1: the usual migration of an enum is refused as it is with a view
BEGIN;
ALTER TYPE mood RENAME TO old_mood;
CREATE TYPE mood AS ENUM ('live', 'dead', 'new');
ALTER TABLE users ALTER s TYPE mood USING s::text::mood;
ALTER TABLE posts ALTER s TYPE mood USING s::text::mood;
DROP TYPE old_mood;
ROLLBACK;

\echo F1: ... and goes through with the scope defined anew
BEGIN;
ALTER TYPE mood RENAME TO old_mood;
CREATE TYPE mood AS ENUM ('live', 'dead', 'new');
ALTER TABLE users ALTER s TYPE mood USING s::text::mood;
ALTER TABLE posts ALTER s TYPE mood USING s::text::mood;
SELECT corm.define_scope('users', 'alive', corm.where(corm.eq('s', 'live'::mood)));
SELECT corm.relate('users', 'live_posts', 'has_many', 'posts', ARRAY['id'], ARRAY['user_id'], condition => corm.eq('s', 'live'::mood));
DROP TYPE old_mood;
SELECT corm.count(corm.selector('users'), corm.scope('alive'));
ROLLBACK;

\echo F1: RESTRICT
CREATE TABLE rows_of (m mood);
DROP TABLE hidden;
DROP TABLE counted;
DROP TYPE holds;
DROP TYPE unused;
\echo F1: CASCADE takes the rows along, each once
BEGIN;
DROP TYPE mood CASCADE;
SELECT name FROM corm.scopes WHERE model = 'users'::regclass ORDER BY name;
SELECT name FROM corm.declared_relations WHERE model = 'users'::regclass;
SELECT corm.count(corm.selector('users'), corm.scope('alive'));
ROLLBACK;
BEGIN;
DROP TABLE hidden CASCADE;
ROLLBACK;
BEGIN;
DROP TABLE counted, hidden CASCADE;
SELECT name FROM corm.scopes WHERE model = 'users'::regclass ORDER BY name;
ROLLBACK;
SELECT count(*) FROM corm.scopes WHERE model = 'users'::regclass;

\echo F1: a row type is not altered under a value of it; what leaves the value readable is allowed
ALTER TYPE pair ALTER ATTRIBUTE a TYPE text;
ALTER TABLE counted ALTER n TYPE text;
ALTER TYPE pair ADD ATTRIBUTE c text;
ALTER TYPE pair DROP ATTRIBUTE c;
ALTER TABLE counted ADD added text;
ALTER TABLE users ADD added text;
ALTER TABLE counted ALTER added TYPE int USING 1;
SELECT corm.count(corm.selector('users'), corm.scope('paired')), corm.count(corm.selector('users'), corm.scope('row'));
CREATE TABLE child (extra int) INHERITS (counted);
ALTER TABLE child ALTER extra TYPE text;
ALTER TABLE counted ALTER n TYPE text;
DROP TABLE child;

\echo F1: nobody is in the way of what has nothing to do with it
DROP TABLE rows_of;
CREATE TYPE later AS ENUM ('x');
DROP TYPE later;
SELECT kind, object, problem FROM corm.model_problems WHERE model = 'users'::regclass;

\echo F1: a row that is broken already, as after a restore, is shown and in the way of nothing else
UPDATE corm.scopes SET q = '[{"where": [{"eq": ["s", {"broken": "The type of the value does not exist any more."}]}]}]' WHERE name = 'alive';
UPDATE corm.scopes SET q = '[{"where": [{"eq": [{"cast": ["s", "-"]}, 1]}]}]' WHERE name = 'paired';
UPDATE corm.declared_relations SET condition = '{"eq": ["s", {"broken": "why"}]}' WHERE name = 'live_posts';
SELECT name, error FROM corm.models WHERE model = 'users'::regclass;
SELECT kind, object, problem, hint FROM corm.model_problems WHERE model = 'users'::regclass ORDER BY kind, object;
SELECT name, q FROM corm.scopes WHERE model = 'users'::regclass ORDER BY name;
SELECT count(*) FROM corm.fields WHERE model = 'users'::regclass;
SELECT corm.count(corm.selector('users'), corm.scope('alive'));
SELECT corm.count(corm.selector('users'), corm.scope('paired'));
SELECT corm.count(corm.selector('users'), corm.join('live_posts'));
SELECT corm.count(corm.selector('users'));
ALTER TABLE counted RENAME n TO m;
DROP TYPE unused;
CREATE TYPE unused AS ENUM ('x');
DROP TYPE unused CASCADE;
SELECT corm.drop_scope('users', 'alive');
SELECT corm.define_scope('users', 'new', '[{"where": [{"eq": ["s", {"broken": "x"}]}]}]'::corm.query);
SELECT corm.relate('users', 'new', 'has_many', 'posts', ARRAY['id'], ARRAY['user_id'], condition => '{"eq": ["s", {"broken": "x"}]}'::corm.expr);

\echo F1: a model takes its scopes along, whatever they name
BEGIN;
DROP TABLE users, hidden;
ROLLBACK;

\echo F1: a role that drops its own type needs no right to see the catalogs
CREATE ROLE f1_owner;
GRANT USAGE, CREATE ON SCHEMA f1 TO f1_owner;
SET ROLE f1_owner;
CREATE TYPE f1.hers AS ENUM ('x');
CREATE TABLE f1.hers_t (id int PRIMARY KEY, s text);
SELECT corm.define_scope('f1.hers_t', 'hers', corm.where(corm.eq(corm.cast('s', 'f1.hers'), 'x'::f1.hers)));
DROP TYPE f1.hers;
DROP TYPE f1.hers CASCADE;
DROP TABLE f1.hers_t;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA f1 CASCADE;
DROP ROLE f1_owner;
SELECT count(*) FROM corm.scopes;
SELECT count(*) FROM corm.declared_relations;
