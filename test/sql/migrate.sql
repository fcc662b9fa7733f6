-- Tables from types: corm.auto_migrate, corm.migrate, corm.migrate_plan.
\pset null '(null)'
CREATE SCHEMA migrate;
SET search_path = migrate, public;

-- What a column has, in one line.
CREATE VIEW shown AS
    SELECT c.relname AS rel, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
        pg_get_expr(d.adbin, d.adrelid) AS value, nullif(a.attidentity, '') AS identity, nullif(a.attgenerated, '') AS generated,
        col_description(c.oid, a.attnum) AS comment
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'migrate'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum;
CREATE VIEW shown_keys AS
    SELECT c.conrelid::regclass AS rel, c.contype AS kind, pg_get_constraintdef(c.oid) AS definition, c.convalidated AS valid
    FROM pg_constraint c WHERE c.connamespace = 'migrate'::regnamespace AND c.contype IN ('p', 'u', 'f', 'c')
    UNION ALL
    SELECT i.indrelid::regclass, 'i', pg_get_indexdef(i.indexrelid), i.indisvalid
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'migrate'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    ORDER BY 1, 2, 3;

--
-- From nothing
--
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE author_t AS (id bigint, name varchar(40), email text, born date, version int, created_at timestamptz, deleted_at timestamptz,
    secret text, "Odd ""Name" text, skipped int);
COMMENT ON TYPE author_t IS 'People who write. @orm:table=authors';
COMMENT ON COLUMN author_t.id IS '@orm:primary_key';
COMMENT ON COLUMN author_t.name IS E'Full name, @orm:not_null,index\nas printed.';
COMMENT ON COLUMN author_t.email IS '@orm:unique,check=email like ''%@%''';
COMMENT ON COLUMN author_t.version IS '@orm:version';
COMMENT ON COLUMN author_t.created_at IS '@orm:created_at';
COMMENT ON COLUMN author_t.deleted_at IS '@orm:soft_delete';
COMMENT ON COLUMN author_t.secret IS '@orm:hidden,filterable=false,read_only,name="the secret, hidden"';
COMMENT ON COLUMN author_t.skipped IS '@orm:-';
CREATE TYPE book_t AS (id int, author bigint, title text, year int, price numeric(8,2), pages int, total numeric, tags text[], mood mood);
COMMENT ON TYPE book_t IS '@orm:table=migrate.books';
COMMENT ON COLUMN book_t.id IS '@orm:primary_key,identity=always';
COMMENT ON COLUMN book_t.author IS '@orm:column=author_id,not_null,references=authors on delete cascade,unique=book_key';
COMMENT ON COLUMN book_t.title IS '@orm:not_null,unique=book_key,index="title and year"';
COMMENT ON COLUMN book_t.year IS '@orm:index="title and year",default=extract(year from now())::int';
COMMENT ON COLUMN book_t.pages IS '@orm:default=0,check=pages >= 0';
COMMENT ON COLUMN book_t.total IS '@orm:generated=price * pages';
COMMENT ON COLUMN book_t.tags IS '@orm:default=''{}'',not_null';
COMMENT ON COLUMN book_t.mood IS '@orm:default=''sad''';
-- the table that is referred to may come later
SELECT step, safe, note, sql FROM corm.migrate_plan('{book_t,author_t}');
SELECT to_regclass('migrate.books') AS not_yet;
SELECT count(*) FROM corm.auto_migrate('book_t', 'author_t');
SELECT * FROM shown;
SELECT * FROM shown_keys;
SELECT obj_description('authors'::regclass) AS comment;
-- and again
SELECT * FROM corm.auto_migrate('book_t', 'author_t');
SELECT * FROM corm.migrate_plan('{book_t,author_t}', '{"drop": true, "rewrite": true, "online": true}');
-- the tables are models by themselves
SELECT corm.describe('authors') - 'fields' - 'relations' - 'model' - 'table' AS authors;
SELECT m.problem FROM corm.model_problems m WHERE m.model IN ('authors'::regclass, 'books'::regclass);
INSERT INTO authors (name, email) SELECT 'a' || i, i || '@x' FROM generate_series(1, 3) i;
SELECT id, version, created_at IS NOT NULL AS created FROM authors ORDER BY id;
INSERT INTO books (author_id, title, price, pages) SELECT i, 't' || i, 2, i FROM generate_series(1, 3) i;

--
-- What is there already, under other names and spelled in another way
--
CREATE TABLE handmade (
    "key" int CONSTRAINT its_key PRIMARY KEY,
    a int NOT NULL DEFAULT '7'::int,
    b text DEFAULT 'x'::varchar COLLATE "C",
    c int CONSTRAINT positive CHECK ((c) > 0),
    d int, e timestamptz DEFAULT now(), extra int NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX its_index ON handmade (d, c);
CREATE INDEX another ON handmade (a, b);
ALTER TABLE handmade ADD CONSTRAINT refers FOREIGN KEY (a) REFERENCES books;
CREATE TYPE handmade_t AS ("key" int, a int, b text COLLATE "C", c int, d int, e timestamptz);
COMMENT ON TYPE handmade_t IS '@orm:table=handmade';
COMMENT ON COLUMN handmade_t.key IS '@orm:primary_key';
COMMENT ON COLUMN handmade_t.a IS '@orm:default=7,index,references=books(id)';
COMMENT ON COLUMN handmade_t.b IS '@orm:default=''x''';
COMMENT ON COLUMN handmade_t.c IS '@orm:check=c > 0,unique=k';
COMMENT ON COLUMN handmade_t.d IS '@orm:unique=k';
COMMENT ON COLUMN handmade_t.e IS '@orm:default=now()';
SELECT * FROM corm.migrate_plan('{handmade_t}', '{"rewrite": true}');
-- to drop is to drop what the type does not have
SELECT * FROM corm.migrate_plan('{handmade_t}', '{"drop": true}');
DROP TABLE handmade;

--
-- Tables with rows
--
ALTER TYPE author_t ADD ATTRIBUTE a int, ADD ATTRIBUTE b int, ADD ATTRIBUTE c uuid, ADD ATTRIBUTE d timestamptz, ADD ATTRIBUTE e int,
    ADD ATTRIBUTE f int, ADD ATTRIBUTE g int;
COMMENT ON COLUMN author_t.a IS '@orm:not_null';
COMMENT ON COLUMN author_t.b IS '@orm:not_null,default=7';
COMMENT ON COLUMN author_t.c IS '@orm:not_null,default=gen_random_uuid(),unique';
COMMENT ON COLUMN author_t.d IS '@orm:updated_at';
COMMENT ON COLUMN author_t.e IS '@orm:generated=version + 1,index,check=e > 0';
COMMENT ON COLUMN author_t.f IS '@orm:identity';
ALTER TYPE author_t ALTER ATTRIBUTE name TYPE varchar(80);
SELECT * FROM corm.migrate_plan('{author_t}');
SELECT * FROM corm.auto_migrate('author_t');
SELECT name, type, not_null, value FROM shown WHERE rel = 'authors' AND (name ~ '^.$' OR name = 'name');
SELECT id, a, b, c, d FROM authors ORDER BY id;
-- what was held back stays in the plan, and is no step
SELECT * FROM corm.migrate_plan('{author_t}');
UPDATE authors SET a = id, c = gen_random_uuid();
SELECT * FROM corm.auto_migrate('author_t');
SELECT * FROM corm.migrate('{author_t}', '{"rewrite": true}');
SELECT * FROM corm.migrate_plan('{author_t}', '{"rewrite": true}');
SELECT id, a, b, e, f FROM authors ORDER BY id;

-- columns that no type has stay, and go if that is said
ALTER TYPE author_t DROP ATTRIBUTE g, DROP ATTRIBUTE b;
SELECT * FROM corm.auto_migrate('author_t');
SELECT * FROM corm.migrate_plan('{author_t}', '{"drop": true}');
SELECT * FROM corm.migrate('{author_t}', '{"drop": true}');
-- not_null=false says that it may be null; a tag that is missing says nothing
COMMENT ON COLUMN author_t.name IS NULL;
SELECT * FROM corm.migrate_plan('{author_t}');
COMMENT ON COLUMN author_t.name IS '@orm:not_null=false';
SELECT * FROM corm.migrate('{author_t}');

--
-- Types
--
CREATE TYPE kinds AS (a text);
COMMENT ON TYPE kinds IS '@orm:table=kinds_table';
CREATE FUNCTION conversion(old text, new text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    options jsonb;
    s record;
BEGIN
    EXECUTE format('CREATE TABLE kinds_table (a %s)', old);
    EXECUTE format('ALTER TYPE kinds ALTER ATTRIBUTE a TYPE %s', new);
    FOREACH options IN ARRAY '{"{}", "{\"rewrite\": true}", "{\"rewrite\": true, \"drop\": true}"}'::jsonb[] LOOP
        SELECT * INTO s FROM corm.migrate_plan('{kinds}', options) WHERE step IS NOT NULL;
        IF s.sql IS NOT NULL THEN
            EXECUTE s.sql;
            EXIT;
        END IF;
    END LOOP;
    SELECT count(*) AS n INTO STRICT s FROM corm.migrate_plan('{kinds}', options);
    DROP TABLE kinds_table;
    RETURN CASE WHEN s.n > 0 THEN 'impossible' WHEN options = '{}' THEN 'free' WHEN options ? 'drop' THEN 'may lose' ELSE 'rewrites' END;
END $$;
SELECT old, new, conversion(old, new) FROM (VALUES
    ('varchar(10)', 'varchar(20)'), ('varchar(20)', 'varchar(10)'), ('varchar(10)', 'text'), ('text', 'varchar'), ('text', 'varchar(5)'),
    ('char(5)', 'text'), ('smallint', 'int'), ('int', 'bigint'), ('bigint', 'int'), ('int', 'numeric'), ('int', 'numeric(5,2)'),
    ('numeric(8,2)', 'numeric(10,2)'), ('numeric(8,2)', 'numeric(10,4)'), ('numeric(8,2)', 'numeric(8,4)'), ('numeric(8,2)', 'numeric'),
    ('numeric', 'numeric(8,2)'), ('int', 'real'), ('smallint', 'real'), ('int', 'float8'), ('bigint', 'float8'), ('real', 'float8'), ('float8', 'real'),
    ('numeric', 'float8'), ('float8', 'numeric'), ('numeric', 'int'), ('date', 'timestamp'), ('date', 'timestamptz'), ('timestamptz', 'date'),
    ('timestamp', 'timestamptz'), ('timestamp(0)', 'timestamp(3)'), ('timestamp(3)', 'timestamp(0)'), ('int', 'text'), ('text', 'int'), ('uuid', 'text'),
    ('mood', 'text'), ('text', 'mood'), ('json', 'jsonb'), ('jsonb', 'json'), ('int[]', 'bigint[]'), ('boolean', 'int'), ('int', 'boolean'), ('point', 'int'),
    ('inet', 'cidr'), ('bit(3)', 'bit(5)'), ('text', 'text COLLATE "C"'), ('interval', 'text')) v (old, new);
DROP FUNCTION conversion;
DROP TYPE kinds;

-- a default that does not fit the new type is replaced with it
CREATE TABLE plain (id int PRIMARY KEY, n text DEFAULT 'x', m int DEFAULT 1);
INSERT INTO plain VALUES (1, '5', 5);
CREATE TYPE plain_t AS (id int, n int, m bigint);
COMMENT ON TYPE plain_t IS '@orm:table=plain';
COMMENT ON COLUMN plain_t.n IS '@orm:default=3,check=n > 0';
SELECT * FROM corm.migrate('{plain_t}');
SELECT * FROM corm.migrate('{plain_t}', '{"drop": true, "rewrite": true}');
SELECT * FROM plain;
SELECT name, type, value FROM shown WHERE rel = 'plain';

-- renamed columns, with what is compared by their new names
ALTER TYPE plain_t RENAME ATTRIBUTE m TO "Number";
COMMENT ON COLUMN plain_t."Number" IS '@orm:was=m,not_null,index,default=2';
SELECT * FROM corm.migrate_plan('{plain_t}', '{"drop": true}');
SELECT * FROM corm.migrate('{plain_t}');
SELECT * FROM corm.migrate_plan('{plain_t}', '{"drop": true}');
SELECT * FROM plain;

-- identity and generated
COMMENT ON COLUMN plain_t.id IS '@orm:identity,primary_key';
SELECT * FROM corm.migrate('{plain_t}');
INSERT INTO plain (n, "Number") VALUES (6, 6) RETURNING id;
COMMENT ON COLUMN plain_t.id IS '@orm:identity=always,primary_key';
SELECT * FROM corm.migrate('{plain_t}');
COMMENT ON COLUMN plain_t.id IS '@orm:identity=false,primary_key';
SELECT * FROM corm.migrate('{plain_t}');
SELECT * FROM corm.migrate('{plain_t}', '{"drop": true}');
COMMENT ON COLUMN plain_t.n IS '@orm:generated=id * 2,index,check=n > 0';
SELECT * FROM corm.migrate('{plain_t}');
SELECT * FROM corm.migrate('{plain_t}', '{"rewrite": true, "drop": true}');
SELECT * FROM corm.migrate_plan('{plain_t}', '{"rewrite": true, "drop": true}');
COMMENT ON COLUMN plain_t.n IS '@orm:generated=id * 3,index,check=n > 0';
SELECT * FROM corm.migrate('{plain_t}');
SELECT * FROM corm.migrate('{plain_t}', '{"rewrite": true}');
SELECT * FROM corm.migrate_plan('{plain_t}', '{"rewrite": true, "drop": true}');
SELECT id, n FROM plain ORDER BY id;
DROP TABLE plain;
DROP TYPE plain_t;

-- roles that another column has
CREATE TABLE plain (id int PRIMARY KEY, removed timestamptz, gone timestamptz);
COMMENT ON COLUMN plain.removed IS 'Mine. @orm:soft_delete';
COMMENT ON COLUMN plain.id IS 'Kept.';
CREATE TYPE plain_t AS (id int, gone timestamptz);
COMMENT ON TYPE plain_t IS '@orm:table=plain';
COMMENT ON COLUMN plain_t.id IS 'Mine. @orm:read_only';
COMMENT ON COLUMN plain_t.gone IS '@orm:soft_delete';
SELECT * FROM corm.auto_migrate('plain_t');
SELECT name, comment FROM shown WHERE rel = 'plain';
DROP TABLE plain;
DROP TYPE plain_t;

--
-- Keys and references
--
CREATE TYPE node_t AS (id bigint, parent bigint, other bigint, code text, a int, b int);
COMMENT ON TYPE node_t IS '@orm:table=nodes';
COMMENT ON COLUMN node_t.id IS '@orm:primary_key';
COMMENT ON COLUMN node_t.parent IS '@orm:references=nodes';
COMMENT ON COLUMN node_t.other IS '@orm:references=others(code) on update cascade deferrable initially deferred';
CREATE TYPE other_t AS (id bigint, code bigint, node bigint, deleted_at timestamptz);
COMMENT ON TYPE other_t IS '@orm:table=others';
COMMENT ON COLUMN other_t.id IS '@orm:primary_key';
-- a foreign key refers to it, so it counts deleted rows
COMMENT ON COLUMN other_t.code IS '@orm:unique';
COMMENT ON COLUMN other_t.node IS '@orm:references=nodes(id),unique';
COMMENT ON COLUMN other_t.deleted_at IS '@orm:soft_delete';
SELECT count(*) FROM corm.auto_migrate('node_t', 'other_t');
SELECT kind, definition FROM shown_keys WHERE rel IN ('nodes'::regclass, 'others'::regclass);
SELECT * FROM corm.migrate_plan('{other_t,node_t}', '{"drop": true, "rewrite": true}');
-- other actions, another key of the same name, another primary key
COMMENT ON COLUMN node_t.parent IS '@orm:references=nodes(id) on delete set null';
COMMENT ON COLUMN node_t.a IS '@orm:unique=nodes_ab';
SELECT sql FROM corm.migrate('{node_t}');
SELECT sql FROM corm.migrate('{node_t}', '{"drop": true}');
COMMENT ON COLUMN node_t.b IS '@orm:unique=nodes_ab,primary_key';
SELECT note FROM corm.migrate_plan('{node_t}');
ALTER TABLE others DROP CONSTRAINT others_node_fkey;
ALTER TABLE nodes DROP CONSTRAINT nodes_parent_fkey;
COMMENT ON COLUMN node_t.parent IS NULL;
SELECT sql FROM corm.migrate('{node_t}', '{"drop": true}');
SELECT * FROM corm.migrate_plan('{node_t}', '{"drop": true, "rewrite": true}');
DROP TABLE nodes, others CASCADE;

-- Several types describe one table.
CREATE TYPE part1 AS (id int, a int);
CREATE TYPE part2 AS (id int, b int, c text);
COMMENT ON TYPE part1 IS '@orm:table=whole';
COMMENT ON TYPE part2 IS '@orm:table=whole';
COMMENT ON COLUMN part1.id IS '@orm:primary_key';
SELECT sql FROM corm.auto_migrate('part1', 'part2', 'part1');
SELECT * FROM corm.migrate_plan('{part1,part2}', '{"drop": true}');
ALTER TYPE part2 ALTER ATTRIBUTE id TYPE bigint;
SELECT * FROM corm.auto_migrate('part1', 'part2');
DROP TABLE whole;
DROP TYPE part1, part2;

--
-- Partitions, inheritance, policies
--
CREATE TABLE measured (id int, at date, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE measured_2 PARTITION OF measured DEFAULT;
INSERT INTO measured VALUES (1, '2022-01-01', NULL);
CREATE TYPE measured_t AS (id int, at timestamp, v int, w int);
COMMENT ON TYPE measured_t IS '@orm:table=measured';
COMMENT ON COLUMN measured_t.v IS '@orm:not_null,index';
COMMENT ON COLUMN measured_t.w IS '@orm:default=1,not_null';
SELECT * FROM corm.migrate('{measured_t}', '{"rewrite": true}');
UPDATE measured SET v = 1;
SELECT * FROM corm.migrate_plan('{measured_t}', '{"online": true}');
COMMENT ON TYPE measured_t IS '@orm:table=measured_1';
SELECT * FROM corm.migrate('{measured_t}', '{"rewrite": true}');
DROP TABLE measured;

CREATE ROLE regress_migrate_owner;
GRANT USAGE, CREATE ON SCHEMA migrate TO regress_migrate_owner;
SET ROLE regress_migrate_owner;
CREATE TABLE secured (id int NOT NULL, t text);
INSERT INTO secured VALUES (5, NULL);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TYPE secured_t AS (id int, t text);
COMMENT ON TYPE secured_t IS '@orm:table=secured';
COMMENT ON COLUMN secured_t.t IS '@orm:not_null';
-- rows that the policies hide count
SELECT note FROM corm.migrate_plan('{secured_t}');
COMMENT ON COLUMN secured_t.t IS NULL;
COMMENT ON COLUMN secured_t.id IS '@orm:identity';
SELECT * FROM corm.auto_migrate('secured_t');
-- types of others
SELECT * FROM corm.auto_migrate('book_t');
SELECT count(*) FROM corm.migrate_plan('{book_t}');
RESET ROLE;

--
-- Online: the steps are for psql
--
CREATE TABLE busy (id int PRIMARY KEY, a int, b int, c int);
INSERT INTO busy SELECT i, i, i, 1 FROM generate_series(1, 5) i;
CREATE TYPE busy_t AS (id int, a int, b int, c int);
COMMENT ON TYPE busy_t IS '@orm:table=busy';
COMMENT ON COLUMN busy_t.a IS '@orm:not_null,index,references=busy';
COMMENT ON COLUMN busy_t.b IS '@orm:check=b > 0';
SELECT * FROM corm.migrate('{busy_t}', '{"online": true}');
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}') \gexec
SELECT sql, note FROM corm.migrate_plan('{busy_t}', '{"online": true}');
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}') \gexec
SELECT kind, definition, valid FROM shown_keys WHERE rel = 'busy'::regclass;
SELECT * FROM corm.migrate_plan('{busy_t}', '{"online": true}');
-- an index that failed is in the way of the next
COMMENT ON COLUMN busy_t.c IS '@orm:unique';
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}') \gexec
UPDATE busy SET c = id;
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}');
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}') \gexec
SELECT * FROM corm.migrate_plan('{busy_t}', '{"online": true}');
-- a check that is there but not validated, as an interrupted run leaves it
ALTER TABLE busy ALTER COLUMN a DROP NOT NULL;
ALTER TABLE busy ADD CONSTRAINT corm_not_null_2 CHECK (a IS NOT NULL) NOT VALID;
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}') \gexec
SELECT * FROM corm.migrate_plan('{busy_t}', '{"online": true}');
-- a primary key
ALTER TABLE busy DROP CONSTRAINT busy_pkey CASCADE;
COMMENT ON COLUMN busy_t.a IS NULL;
COMMENT ON COLUMN busy_t.id IS '@orm:primary_key';
SELECT sql FROM corm.migrate_plan('{busy_t}', '{"online": true}') \gexec
SELECT * FROM corm.migrate_plan('{busy_t}', '{"online": true}');

--
-- Errors undo everything
--
COMMENT ON COLUMN busy_t.a IS '@orm:was=x,index=busy_a_index';
COMMENT ON COLUMN busy_t.b IS '@orm:check=b > 3';
SELECT * FROM corm.auto_migrate('busy_t');
SELECT * FROM corm.migrate('{busy_t}', '{"drop": true}');
SELECT count(*) FROM shown_keys WHERE definition ~ 'busy_a_index';
BEGIN READ ONLY;
SELECT count(*) > 0 AS planned FROM corm.migrate_plan('{busy_t}');
SELECT * FROM corm.auto_migrate('busy_t');
COMMIT;

-- mistakes
SELECT * FROM corm.migrate_plan('{busy}');
SELECT * FROM corm.migrate_plan('{shown}');
SELECT * FROM corm.migrate_plan('{busy_t,NULL}');
SELECT * FROM corm.migrate_plan(NULL);
SELECT * FROM corm.auto_migrate(VARIADIC NULL);
SELECT * FROM corm.migrate('{busy_t}', NULL);
SELECT * FROM corm.migrate_plan('{}');
SELECT * FROM corm.migrate_plan('{0}');
SELECT * FROM corm.migrate_plan('{busy_t}', '{"dorp": true}');
SELECT * FROM corm.migrate_plan('{busy_t}', '{"drop": 1}');
SELECT * FROM corm.migrate_plan('{busy_t}', '[]');
SELECT * FROM corm.migrate_plan('{busy_t}', '{"drop": {"drop": true}}');
COMMENT ON TYPE busy_t IS NULL;
SELECT * FROM corm.migrate_plan('{busy_t}');
COMMENT ON TYPE busy_t IS '@orm:table=nowhere.busy';
SELECT * FROM corm.migrate_plan('{busy_t}');
COMMENT ON TYPE busy_t IS '@orm:table=a.b.c';
SELECT * FROM corm.migrate_plan('{busy_t}');
COMMENT ON TYPE busy_t IS '@orm:table=shown';
SELECT * FROM corm.migrate_plan('{busy_t}');
COMMENT ON TYPE busy_t IS '@orm:table=busy';
COMMENT ON COLUMN busy_t.b IS NULL;
DO $$
DECLARE
    tag text;
    message text;
    detail text;
BEGIN
    -- each of them is one expression or one reference, or is refused
    FOREACH tag IN ARRAY ARRAY['default=1; DROP TABLE busy', 'default=1) NOT NULL, ADD COLUMN x int DEFAULT (2', 'default=1 -- x', 'default=1 /*', 'default=1, 2',
        'default=1 FROM busy', 'default=1 AS x', 'default=SELECT 1', 'default=(SELECT 1)', 'default=c', 'default=nosuch()', 'default=''x''', 'default=sum(1)',
        'check=true) NO INHERIT, DROP COLUMN a, ADD CHECK (true', 'check=c', 'check=nosuch > 1', 'check=c > (SELECT 1)',
        'generated=random()', 'generated=c', 'references=nosuch', 'references=busy(nosuch)', 'references=busy(id, a)', 'references=busy; DROP TABLE busy',
        'references=busy(id), DROP COLUMN a', 'references=busy NOT VALID', 'references=a.b.c', 'references=nowhere.busy', 'references=shown',
        'identity=sometimes', 'identity,default=1', 'generated=1,default=1', 'primary_key,not_null=false', 'identity,not_null=false', 'column=b', 'was=',
        'column=' || repeat('x', 64), 'soft_delete', 'version,generated=1', 'created_at'] LOOP
        BEGIN
            EXECUTE format('COMMENT ON COLUMN busy_t.c IS %L', '@orm:' || tag);
            PERFORM corm.migrate('{busy_t}', '{"drop": true, "rewrite": true}');
            RAISE EXCEPTION USING message = 'it was taken', errcode = 'P0099';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
            RAISE NOTICE '%: % % %', left(tag, 60), SQLSTATE, left(message, 100), detail;
        END;
    END LOOP;
END $$;

--
-- Whatever the search_path
--
CREATE SCHEMA migrate_hostile;
CREATE FUNCTION migrate_hostile.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
CREATE TABLE migrate_hostile.authors (id bigint PRIMARY KEY);
CREATE FUNCTION helper() RETURNS int LANGUAGE sql IMMUTABLE RETURN 42;
CREATE TYPE lost_t AS (id int, at timestamptz, n int, author bigint, t text COLLATE "C", m mood);
COMMENT ON TYPE lost_t IS '@orm:table=lost';
COMMENT ON COLUMN lost_t.at IS '@orm:default=now()';
COMMENT ON COLUMN lost_t.n IS '@orm:default=helper(),check=n <> helper()';
COMMENT ON COLUMN lost_t.author IS '@orm:references=authors';
SET search_path = '';
SELECT sql FROM corm.migrate_plan('{migrate.lost_t}');
SET search_path = migrate_hostile, pg_catalog;
SELECT count(*) FROM corm.auto_migrate('migrate.lost_t');
SELECT * FROM corm.migrate_plan('{migrate.lost_t}', '{"drop": true, "rewrite": true}');
SHOW search_path;
SET search_path = migrate, public;
SELECT name, value FROM shown WHERE rel = 'lost' AND value IS NOT NULL;
SELECT definition FROM shown_keys WHERE rel = 'lost'::regclass;

-- in a function, with the table made, changed and used in one transaction
DO $$
BEGIN
    CREATE TYPE late_t AS (id int, a int);
    COMMENT ON TYPE late_t IS '@orm:table=late';
    COMMENT ON COLUMN late_t.id IS '@orm:primary_key';
    PERFORM corm.auto_migrate('late_t');
    INSERT INTO late (a) VALUES (1);
    ALTER TYPE late_t ADD ATTRIBUTE b text;
    PERFORM corm.auto_migrate('late_t');
    UPDATE late SET b = 'x';
    RAISE NOTICE '%', (SELECT row_to_json(l) FROM late l);
END $$;
-- temporary ones
CREATE TYPE pg_temp.short_t AS (id int);
COMMENT ON TYPE pg_temp.short_t IS '@orm:table=short';
COMMENT ON COLUMN pg_temp.short_t.id IS '@orm:primary_key';
SELECT count(*) FROM corm.auto_migrate('pg_temp.short_t');
SELECT relpersistence FROM pg_class WHERE oid = 'short'::regclass;
SELECT * FROM corm.auto_migrate('pg_temp.short_t');

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA migrate, migrate_hostile CASCADE;
DROP ROLE regress_migrate_owner;
