-- What would make a model in an empty database: corm.model_ddl.
CREATE SCHEMA "made of";
SET search_path = "made of", public;
CREATE TYPE mood AS ENUM ('sad', 'it''s glad');
CREATE DOMAIN positive AS int DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0) CHECK (VALUE < 1000);
CREATE DOMAIN small AS positive CHECK (VALUE < 10);
CREATE TYPE pair AS (a int, m mood);
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 * 2;
CREATE TABLE target (id serial PRIMARY KEY, code varchar(10) COLLATE "C" NOT NULL UNIQUE);
COMMENT ON TABLE target IS 'What is referred to. @orm:name=goal';
CREATE TABLE full_one (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    t int CONSTRAINT its_key REFERENCES target ON DELETE SET NULL DEFERRABLE,
    m mood[] DEFAULT '{sad}', s small, p pair, n numeric(8,2) DEFAULT 1 + 1,
    g int GENERATED ALWAYS AS (twice(1)) STORED,
    "Odd ""Name" text DEFAULT 'it''s', gone int, r int4range,
    EXCLUDE USING gist (r WITH &&), CHECK (n > 0));
ALTER TABLE full_one DROP COLUMN gone;
CREATE UNIQUE INDEX live ON full_one ((lower("Odd ""Name"))) WHERE n > 1;
COMMENT ON COLUMN full_one."Odd ""Name" IS 'It''s odd. @orm:name=odd';
COMMENT ON CONSTRAINT its_key ON full_one IS '@orm:inverse=full_ones';
CREATE TABLE parted (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX ON parted (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
ALTER TABLE parted_1 ADD CHECK (id > 0);
CREATE TABLE parted_x PARTITION OF parted DEFAULT PARTITION BY HASH (id);
CREATE UNLOGGED TABLE bare ();
CREATE VIEW seen AS SELECT id, m FROM full_one WHERE n > 1;
COMMENT ON COLUMN seen.id IS '@orm:primary_key';
CREATE MATERIALIZED VIEW kept AS SELECT id FROM target;
CREATE UNIQUE INDEX kept_id ON kept (id);
CREATE TYPE described AS (id int, t text, m mood, other bigint);
COMMENT ON TYPE described IS '@orm:table=described_table';
COMMENT ON COLUMN described.id IS '@orm:primary_key';
COMMENT ON COLUMN described.t IS '@orm:index,default=''x''';
CREATE TYPE registered AS (id int);
SELECT corm.register('registered', '{"table": "\"made of\".target", "naming": "camel"}');
SELECT corm.register('full_one', '{"soft_delete": false, "fields": {"n": {"read_only": true}}}');

SELECT corm.model_ddl('full_one');
SELECT corm.model_ddl('described');
SELECT corm.model_ddl('registered');
SELECT corm.model_ddl('pair');
-- PostgreSQL 16 and later leave the table's name out
SELECT replace(corm.model_ddl('seen'), 'full_one.', '');

-- what it says makes what it says: types come once, however many models need them
CREATE TABLE public.model_ddl_saved AS
    SELECT n, model, corm.model_ddl(model::regclass) AS ddl
    FROM unnest('{target,full_one,parted,parted_1,parted_x,bare,seen,kept}'::text[]) WITH ORDINALITY m (model, n);
SET client_min_messages = warning;
DROP SCHEMA "made of" CASCADE;
CREATE SCHEMA "made of";
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 * 2;
SET search_path = '';
DO $$
DECLARE
    m record;
BEGIN
    FOR m IN SELECT * FROM public.model_ddl_saved ORDER BY n LOOP
        -- the enum and the schema are there after the first
        EXECUTE CASE WHEN m.model IN ('seen') THEN regexp_replace(m.ddl, 'CREATE TYPE "made of".mood[^;]*;', '') ELSE m.ddl END;
    END LOOP;
END $$;
SET search_path = "made of", public;
SELECT model, ddl = corm.model_ddl(model::regclass) AS same FROM public.model_ddl_saved ORDER BY n;
RESET client_min_messages;

-- privileges and mistakes
CREATE ROLE regress_model_ddl;
GRANT USAGE ON SCHEMA "made of" TO regress_model_ddl;
COMMENT ON COLUMN target.code IS '@orm:hidden';
SET ROLE regress_model_ddl;
SELECT corm.model_ddl('target');
RESET ROLE;
GRANT SELECT ON target, bare TO regress_model_ddl;
SET ROLE regress_model_ddl;
SELECT corm.model_ddl('target');
SELECT corm.model_ddl('bare');
RESET ROLE;
SELECT corm.model_ddl('target_pkey');
SELECT corm.model_ddl('target_id_seq');
SELECT corm.model_ddl(0::oid::regclass);
SELECT corm.model_ddl(NULL) IS NULL AS null;
COMMENT ON COLUMN target.code IS '@orm:nonsense';
SELECT corm.model_ddl('target');
CREATE TYPE broken AS (id int);
COMMENT ON TYPE broken IS '@orm:table=nowhere.t';
SELECT corm.model_ddl('broken');

SET client_min_messages = warning;
DROP SCHEMA "made of" CASCADE;
DROP TABLE public.model_ddl_saved;
DROP ROLE regress_model_ddl;
RESET search_path;
