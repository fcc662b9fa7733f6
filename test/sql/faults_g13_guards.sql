-- hardening 48
-- G13: what stands in a guard means the same in each session: names without a schema are those of pg_catalog, whatever
-- the role that is guarded against has planted in its search_path.
SET client_min_messages = warning;
CREATE ROLE regress_g13;
CREATE SCHEMA g13;
CREATE SCHEMA planted AUTHORIZATION regress_g13;
GRANT USAGE ON SCHEMA g13 TO regress_g13;
SET search_path = g13;
CREATE TABLE docs (id int PRIMARY KEY, tenant text, title varchar(20));
CREATE TABLE tenants (name text PRIMARY KEY);
CREATE FUNCTION tenant() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'a' $$;
CREATE DOMAIN code AS text;
INSERT INTO docs VALUES (1, 'a', 'of a'), (2, 'b', 'of b');
INSERT INTO tenants VALUES ('a');
GRANT SELECT ON docs, tenants TO regress_g13;
CREATE FUNCTION count_docs(guard corm.query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint; hint text;
BEGIN
    n := corm.count(corm.selector('g13.docs'), guard);
    RETURN n;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN sqlstate || ': ' || sqlerrm || coalesce(' (' || hint || ')', '');
END $$;
CREATE TABLE guards (no int GENERATED ALWAYS AS IDENTITY, what text, guard corm.query);
INSERT INTO guards (what, guard) VALUES
    ('no names', corm.guard('docs', corm.eq('tenant', 'a'))),
    ('qualified function', corm.guard('docs', corm.raw('tenant = g13.tenant()'))),
    ('function', corm.guard('docs', corm.raw('tenant = tenant()'))),
    ('function of pg_catalog', corm.guard('docs', corm.raw('tenant = lower($1)', 'A'::text))),
    ('fn, qualified', corm.guard('docs', corm.raw('$1 = tenant', corm.fn('g13.tenant')))),
    ('fn', corm.guard('docs', corm.raw('$1 = tenant', corm.fn('tenant')))),
    ('fn of pg_catalog', corm.guard('docs', corm.eq(corm.fn('lower', corm.c('tenant')), 'a'))),
    ('operator', corm.guard('docs', corm.raw('title = $1', 'of a'::text))),
    ('type', corm.guard('docs', corm.raw('tenant::code = ''a'''))),
    ('qualified type', corm.guard('docs', corm.raw('tenant::g13.code = ''a'''))),
    ('type of pg_catalog', corm.guard('docs', corm.raw('tenant = ''a''::varchar and id::numeric(5, 1) < 10'))),
    ('table', corm.guard('docs', corm.raw('tenant IN (SELECT name FROM tenants)'))),
    ('qualified table', corm.guard('docs', corm.raw('tenant IN (SELECT t.name FROM g13.tenants t WHERE t.name = docs.tenant)'))),
    ('with', corm.guard('docs', corm.raw('tenant IN (WITH x AS (SELECT name FROM g13.tenants) SELECT name FROM x)'))),
    ('subquery', corm.guard('docs', corm.some(corm.selector('tenants'), corm.where(corm.raw('tenants.name = docs.tenant'))))),
    ('raw subquery', corm.guard('docs', corm.some(corm.raw_query('SELECT FROM tenants')))),
    ('raw subquery, qualified', corm.guard('docs', corm.some(corm.raw_query('SELECT FROM g13.tenants WHERE tenants.name = docs.tenant'))));
GRANT SELECT ON guards TO regress_g13;
SET ROLE regress_g13;
SELECT no, what, count_docs(guard) FROM guards ORDER BY no;

-- what she plants while a plan is cached: an operator makes PostgreSQL analyze all statements anew
SET search_path = planted, pg_catalog, g13;
SELECT g13.count_docs(guard) FROM g13.guards WHERE no IN (4, 8) ORDER BY no;
CREATE FUNCTION planted.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'b' $$;
CREATE FUNCTION planted.never(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT false $$;
CREATE OPERATOR planted.<<>> (LEFTARG = int, RIGHTARG = int, FUNCTION = planted.never);
SELECT g13.count_docs(guard) FROM g13.guards WHERE no IN (4, 8) ORDER BY no;
-- what she plants, first in her search_path, before pg_catalog
CREATE FUNCTION planted.tenant() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'b' $$;
CREATE FUNCTION planted.always(varchar, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;
CREATE OPERATOR planted.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = planted.always);
CREATE TABLE planted.tenants AS SELECT 'b' AS name;
CREATE TEMP TABLE tenants AS SELECT 'b' AS name;
CREATE DOMAIN planted.varchar AS text;
CREATE DOMAIN planted.code AS text;
SELECT no, what, g13.count_docs(guard) FROM g13.guards ORDER BY no;
-- without a guard her operator is hers to use
SELECT corm.count(corm.selector('g13.docs'), corm.where(corm.raw('title = $1', 'of a'::text)));
-- nothing is left of the search_path of the check
SHOW search_path;
RESET ROLE;
RESET search_path;
DROP SCHEMA g13, planted CASCADE;
DROP OWNED BY regress_g13;
DROP ROLE regress_g13;
