-- corm.model_problems: what works, but most likely not as it is meant (D12).
SET client_min_messages = warning;
CREATE SCHEMA advice;
CREATE SCHEMA advice_b;
SET search_path = advice, corm_ops;
CREATE ROLE advice_other;
GRANT USAGE ON SCHEMA advice TO advice_other;
CREATE FUNCTION problems(VARIADIC kinds text[]) RETURNS TABLE (model text, kind text, object text, problem text, hint text) LANGUAGE sql AS $$
    SELECT p.model::text, p.kind, p.object, p.problem, p.hint FROM corm.model_problems p WHERE p.kind = ANY (kinds) AND (p.model::text !~ '\.' OR p.model::text ~ 'advice') ORDER BY 1, 2, 3, 4
$$;

\echo Functions that look like hooks
CREATE TABLE tags (id int PRIMARY KEY, name text);
CREATE FUNCTION before_insert(c tags) RETURNS tags LANGUAGE sql RETURN c;
CREATE FUNCTION after_insert(c tags) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION before_updat(c tags) RETURNS tags LANGUAGE sql RETURN c;
CREATE FUNCTION before_lunch(c tags) RETURNS tags LANGUAGE sql RETURN c;
CREATE FUNCTION before_save(c tags, op text) RETURNS tags LANGUAGE sql RETURN c;
CREATE FUNCTION advice_b.before_delete(c tags) RETURNS tags LANGUAGE sql RETURN c;
CREATE FUNCTION after_create(c tags) RETURNS int LANGUAGE sql RETURN 1;
-- these are fine
CREATE FUNCTION before_create(c tags) RETURNS tags LANGUAGE sql RETURN c;
CREATE FUNCTION after_hours(c tags) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION before_dates(d date) RETURNS date LANGUAGE sql RETURN d;
SELECT object, problem, hint FROM problems('hook');

\echo Relations without a name of their own
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE c (id int PRIMARY KEY, a_id int CONSTRAINT one REFERENCES a, x_id int CONSTRAINT two REFERENCES a);
COMMENT ON CONSTRAINT one ON c IS '@orm:name=it';
COMMENT ON CONSTRAINT two ON c IS '@orm:name=it';
SELECT * FROM problems('relation');

\echo Tags that do nothing
CREATE TABLE t (id int PRIMARY KEY, u text, v text UNIQUE, i int, n int, d int, e int DEFAULT 1, f int);
COMMENT ON COLUMN t.u IS '@orm:unique';
COMMENT ON COLUMN t.v IS '@orm:unique';
COMMENT ON COLUMN t.i IS '@orm:index=by_i';
COMMENT ON COLUMN t.n IS '@orm:not_null';
COMMENT ON COLUMN t.d IS '@orm:default=5';
COMMENT ON COLUMN t.e IS '@orm:default=1';
COMMENT ON COLUMN t.f IS '@orm:filterable=true';
SELECT * FROM problems('tag');
SELECT * FROM problems('index') WHERE model = 't';
CREATE UNIQUE INDEX ON t (i, u); CREATE INDEX ON t (f) WHERE f > 0;
ALTER TABLE t ALTER n SET NOT NULL, ALTER d SET DEFAULT 5;
SELECT * FROM problems('tag', 'index') WHERE model = 't';
CREATE INDEX ON t (f);
SELECT count(*) FROM problems('tag', 'index') WHERE model = 't';

\echo Unique keys that deleted rows keep
CREATE TABLE s (id int PRIMARY KEY, mail text UNIQUE, nick text, code text, deleted_at timestamptz);
CREATE UNIQUE INDEX ON s (nick) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX ON s (code, id);
CREATE UNIQUE INDEX ON s (code, deleted_at);
SELECT * FROM problems('key');
COMMENT ON COLUMN s.deleted_at IS '@orm:soft_delete';
SELECT * FROM problems('key');
COMMENT ON COLUMN s.mail IS '@orm:hidden';
GRANT SELECT ON s TO advice_other;
SET ROLE advice_other;
SELECT count(*) FROM corm.model_problems WHERE kind = 'key';
RESET ROLE;

\echo Foreign keys without an index
CREATE TABLE k (id int PRIMARY KEY, ten int, a_id int REFERENCES a, b_id int REFERENCES a, c_id int REFERENCES a);
CREATE INDEX ON k (b_id, ten);
CREATE INDEX ON k (ten, c_id);
SELECT * FROM problems('index') WHERE model = 'k';
CREATE TABLE m (ten int, id int, PRIMARY KEY (ten, id));
CREATE TABLE n (ten int, m_id int, FOREIGN KEY (ten, m_id) REFERENCES m) PARTITION BY LIST (ten);
SELECT * FROM problems('index') WHERE model = 'n';
CREATE INDEX ON n (m_id, ten, (m_id + 1));
SELECT count(*) FROM problems('index') WHERE model = 'n';
DROP OWNED BY advice_other;
DROP ROLE advice_other;
DROP SCHEMA advice, advice_b CASCADE;
