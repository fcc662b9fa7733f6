-- Diagrams, types of clients, help.
CREATE SCHEMA tools;
SET search_path = tools;
CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'glad', 'so_so');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN words AS text[];
CREATE TYPE place AS (x float8, y float8, names text[]);
CREATE TABLE teams (id bigint PRIMARY KEY, name text NOT NULL UNIQUE);
COMMENT ON TABLE teams IS E'People who work together.\nAnd more. @orm:name=team';
CREATE TABLE people (
    id bigint PRIMARY KEY, team_id bigint NOT NULL REFERENCES teams, boss_id bigint REFERENCES people, badge_id int UNIQUE, secret text,
    small smallint, whole int NOT NULL, exact numeric(8,2), real real, double float8, truth boolean NOT NULL, moods mood[] NOT NULL, mood mood,
    at timestamptz, local timestamp, day date, j json, jb jsonb NOT NULL, u uuid, p positive, w words, pl place, pls place[], bytes bytea, span interval,
    "two words" text, "class" int, "1st" int, "quo""te" text, rg int4range, deleted_at timestamptz, version int NOT NULL DEFAULT 1,
    total int GENERATED ALWAYS AS (whole * 2) STORED);
COMMENT ON COLUMN people.secret IS 'Nobody sees it. @orm:hidden';
COMMENT ON COLUMN people.whole IS 'A "number"; 100% of it. And that is a long story, which goes on and on. @orm:read_only';
COMMENT ON COLUMN people.deleted_at IS '@orm:soft_delete';
COMMENT ON COLUMN people.version IS '@orm:version';
CREATE TABLE badges (id int PRIMARY KEY, person_id bigint NOT NULL UNIQUE REFERENCES people);
CREATE TABLE skills (id int PRIMARY KEY, "title" text);
CREATE TABLE people_skills (person_id bigint REFERENCES people, skill_id int REFERENCES skills, PRIMARY KEY (person_id, skill_id));
CREATE TABLE "Odd ""Table" (id int PRIMARY KEY);
CREATE TABLE parted (id int, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE part_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE VIEW seen AS SELECT id, name FROM teams;
CREATE TYPE team_dto AS (id bigint, heading text);
COMMENT ON TYPE team_dto IS '@orm:table=teams';
COMMENT ON COLUMN team_dto.heading IS '@orm:column=name';
SELECT corm.register('skills', '{"naming": "camel"}');
SELECT corm.define_scope('people', 'minors', corm.where(corm.lt('whole', 18)));
SELECT corm.define_scope('people', 'living', corm.where(corm.eq('truth', true)), true);
SELECT corm.relate('teams', 'happy', 'has_many', 'people', ARRAY['id'], ARRAY['team_id'], condition => corm.eq('mood', 'glad'));
\pset format unaligned
\pset tuples_only on
SELECT corm.erd();
SELECT corm.erd('{teams,badges}', 'dot');
SELECT corm.erd('{people}', 'dot');
SELECT corm.client_types('typescript');
SELECT corm.client_types('python', '{people,teams}');
SELECT corm.client_types('go', '{people,teams}');
SELECT corm.client_types('proto', '{people,teams}');
SELECT corm.client_types('typescript', '{team_dto}');
SET corm.json_bigint = string;
SELECT corm.client_types('typescript', '{teams}');
SELECT corm.client_types('proto', '{teams}');
RESET corm.json_bigint;

-- names that two schemas have
CREATE SCHEMA "other tools";
CREATE TABLE "other tools".teams (id int PRIMARY KEY);
COMMENT ON TABLE "other tools".teams IS '@orm:name=team';
CREATE TABLE "other tools"."list" (id int PRIMARY KEY);
CREATE TYPE "other tools".mood AS ENUM ();
ALTER TABLE "other tools".teams ADD COLUMN m "other tools".mood, ADD COLUMN n mood;
SELECT corm.erd(ARRAY['teams', '"other tools".teams']::regclass[]);
SELECT corm.client_types('typescript', ARRAY['teams', '"other tools".teams']::regclass[]);
SELECT corm.client_types('python', ARRAY['"other tools".teams', '"other tools"."list"']::regclass[]);

-- who may see what
CREATE ROLE regress_schema_tools;
GRANT USAGE ON SCHEMA tools TO regress_schema_tools;
GRANT SELECT ON teams, people TO regress_schema_tools;
SET ROLE regress_schema_tools;
SELECT corm.erd() ~ 'secret' AS shown, corm.erd() ~ 'skills' AS others;
SELECT corm.erd('{skills}');
SELECT corm.client_types('go', '{skills}');
SELECT corm.client_types('go') ~ 'Skills' AS others;
RESET ROLE;
SELECT corm.erd() ~ 'secret' AS shown;

-- mistakes
SELECT corm.erd('{teams}', 'svg');
SELECT corm.erd('{teams,NULL}');
SELECT corm.erd(NULL);
SELECT corm.erd('{}', NULL);
SELECT corm.client_types('cobol');
SELECT corm.client_types(NULL);
SELECT corm.erd('{teams_pkey}');
COMMENT ON COLUMN teams.name IS '@orm:nonsense';
SELECT corm.erd('{teams}');
-- of all models, such a one is left out: the mistake may be another role's
SELECT corm.erd() ~ 'teams \{' AS shown, corm.erd() ~ 'skills \{' AS others;
SELECT corm.client_types('go') ~ 'Skills' AS others;
COMMENT ON COLUMN teams.name IS NULL;
-- what ends a line in some language ends a comment
COMMENT ON COLUMN teams.name IS U&'one\2028two\000A\000Athree\000Dfour\2029\000Afive\2028';
SELECT corm.client_types('typescript', '{teams}');
COMMENT ON COLUMN teams.name IS NULL;
SET search_path = '';
SELECT corm.erd();
SELECT corm.client_types('go');

-- help, by name, by the beginning of one, by task, in other words
SELECT name, signature ~ '^corm.count_of\(', section <> '' AND summary <> '' AS told, example ~ 'count_of' AS shown FROM corm.help('corm.count_of') LIMIT 1;
SELECT DISTINCT name FROM corm.help('cache_inc');
SELECT name FROM corm.help('patch') LIMIT 1;
SELECT name FROM corm.help('Count children!') LIMIT 1;
SELECT name FROM corm.help('counting the child') LIMIT 1;
SELECT name FROM corm.help('paginate') LIMIT 1;
SELECT name FROM corm.help('eager loading') LIMIT 1;
SELECT name FROM corm.help('migrations') LIMIT 1;
SELECT count(*) FROM corm.help('the');
SELECT count(*) FROM corm.help('xyzzy');
SELECT count(*) FROM corm.help($$it's | & ! <-> \ ' "$$);
-- every function that people call has an entry, and a summary
SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.extname = 'corm'
WHERE p.pronamespace = 'corm'::pg_catalog.regnamespace AND p.prorettype NOT IN ('trigger'::pg_catalog.regtype, 'event_trigger'::pg_catalog.regtype) AND
    p.proname !~ '^list_|_(in|out|recv|send)$' AND
    NOT EXISTS (SELECT FROM corm.help() h WHERE h.name = 'corm.' || p.proname AND h.summary <> '');
SELECT count(*) > 300 AS all FROM corm.help();
SELECT (SELECT count(*) FROM corm.help()) = (SELECT count(*) FROM corm.help('')) AS same;

SET client_min_messages = warning;
DROP SCHEMA tools, "other tools" CASCADE;
DROP ROLE regress_schema_tools;
