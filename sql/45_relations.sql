-- Relations, pages, scopes, soft delete in queries.

-- Scopes are read and written by C functions that check ownership of the model.
CREATE TABLE corm.scopes (
    model       corm.relation_ref NOT NULL,
    name        text NOT NULL,
    q           corm.query NOT NULL,
    is_default  boolean NOT NULL,
    PRIMARY KEY (model, name)
);
COMMENT ON TABLE corm.scopes IS 'corm: the scopes that corm.define_scope has stored';
COMMENT ON COLUMN corm.scopes.model IS 'The table, view or composite type';
COMMENT ON COLUMN corm.scopes.name IS 'The name that corm.scope() takes';
COMMENT ON COLUMN corm.scopes.q IS 'The clauses';
COMMENT ON COLUMN corm.scopes.is_default IS 'Whether the clauses are part of every query on the model that is not unscoped';
REVOKE ALL ON corm.scopes FROM PUBLIC;
GRANT SELECT ON corm.scopes TO pg_database_owner;
SELECT pg_catalog.pg_extension_config_dump('corm.scopes',
    'WHERE NOT EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[model]::oid[]) AS r(relid) WHERE relid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relid AND c.relpersistence OPERATOR(pg_catalog.<>) ''t''))');

CREATE TRIGGER catalog_change
    BEFORE INSERT OR UPDATE OR DELETE ON corm.scopes
    FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
    BEFORE TRUNCATE ON corm.scopes
    FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.scopes ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.scopes ENABLE ALWAYS TRIGGER catalog_truncate;

CREATE FUNCTION corm.define_scope(model regclass, name text, q corm.query, is_default boolean DEFAULT false) RETURNS void
    AS 'MODULE_PATHNAME', 'corm_define_scope' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.define_scope(regclass, text, corm.query, boolean) IS
    'Stores a query as a named scope of a model, in place of one of that name; a default scope is part of every query on the model. Errors: 42501 unless the caller owns the model, 42703 for unknown fields, 42601 for clauses that do not fit.';

CREATE FUNCTION corm.drop_scope(model regclass, name text) RETURNS void
    AS 'MODULE_PATHNAME', 'corm_drop_scope' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.drop_scope(regclass, text) IS
    'Drops a scope of a model. Errors: 42501 unless the caller owns the model, 42703 if there is no such scope.';

-- Relations

CREATE FUNCTION corm.join(relation text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.join(text) IS
    'INNER JOIN with the rows of a relation, or of the relations along a path; its alias is the path';

CREATE FUNCTION corm.left_join(relation text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.left_join(text) IS
    'LEFT JOIN with the rows of a relation, or of the relations along a path; its alias is the path';

CREATE FUNCTION corm.right_join(relation text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.right_join(text) IS
    'RIGHT JOIN with the rows of a relation, or of the relations along a path; its alias is the path';

CREATE FUNCTION corm.full_join(relation text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.full_join(text) IS
    'FULL JOIN with the rows of a relation, or of the relations along a path; its alias is the path';

CREATE FUNCTION corm.some(relation text, VARIADIC conditions corm.expr[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.some(text, VARIADIC corm.expr[]) IS
    'condition: true if one of the rows of a relation satisfies all conditions';

CREATE FUNCTION corm.some(relation text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.some(text) IS
    'condition: true if the relation has a row';

CREATE FUNCTION corm.every(relation text, VARIADIC conditions corm.expr[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.every(text, VARIADIC corm.expr[]) IS
    'condition: true if all rows of a relation satisfy all conditions; also without any row';

CREATE FUNCTION corm.every(relation text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.every(text) IS
    'condition: true';

CREATE FUNCTION corm.none(relation text, VARIADIC conditions corm.expr[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.none(text, VARIADIC corm.expr[]) IS
    'condition: true if no row of a relation satisfies all conditions';

CREATE FUNCTION corm.none(relation text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.none(text) IS
    'condition: true if the relation has no row';

CREATE FUNCTION corm.is_not_true(condition corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_not_true(corm.expr) IS
    'condition: false or NULL';

CREATE FUNCTION corm.preload(path text, VARIADIC q corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.preload(text, VARIADIC corm.query[]) IS
    'load a relation, or the relations along a path, with the rows; the clauses filter, order, limit and select its rows per parent';

CREATE FUNCTION corm.preload(path text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.preload(text) IS
    'load a relation, or the relations along a path, with the rows';

-- Keyset pages

CREATE FUNCTION corm.after(cursor text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_after' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.after(text) IS
    'only rows behind the cursor in the query''s order; NULL: from the first row; ERROR OR004 for a cursor of another order';

CREATE FUNCTION corm.before(cursor text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_before' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.before(text) IS
    'only rows before the cursor, in the query''s order; with a limit those just before it; NULL: no condition; ERROR OR004 for a cursor of another order';

CREATE FUNCTION corm.same_order(query_value text, cursor_value text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_same_order' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.same_order(text, text) IS
    'true if a value in the order of a query is the one that a cursor has, else OR004: it is of another order';

CREATE FUNCTION corm.cursor_text(value anyelement) RETURNS text
    AS 'MODULE_PATHNAME', 'corm_cursor_text' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cursor_text(anyelement) IS
    'A value as text that does not depend on the session''s settings: part of the SQL of a page.';

-- Results from the cache

CREATE FUNCTION corm.cached(ttl interval) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cached(interval) IS
    'answer from the cache if the same role ran the same query less than ttl ago, else keep the result for that time; ERROR 0A000 for queries that lock rows, are volatile, or read temporary tables or tables under row-level security, 55000 without a cache';

-- Scopes and soft delete

CREATE FUNCTION corm.scope(name text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.scope(text) IS
    'the clauses of a scope of the model; ERROR 42703 if there is none';

CREATE FUNCTION corm.unscoped() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.unscoped() IS
    'without default scopes and with soft-deleted rows; a delete then deletes for good';

CREATE FUNCTION corm.only_deleted() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.only_deleted() IS
    'only soft-deleted rows';

-- Upsert

CREATE FUNCTION corm.do_select() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.do_select() IS
    'upsert: leave rows that exist as they are, but return them';

CREATE FUNCTION corm.inserted() RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.inserted() IS
    'in returning() of an upsert: true for rows that were inserted, false for those that existed';

-- Running

CREATE FUNCTION corm.page_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_page_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.page_json(VARIADIC corm.query[]) IS
    'a page of rows as JSON: rows, and page_info with has_next, has_previous, start_cursor and end_cursor for corm.after() and corm.before(); ERROR OR004 for a cursor of another order, 0A000 for a query that has no pages, 42703 for an unknown field';

CREATE FUNCTION corm.restore(VARIADIC q corm.query[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_restore' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.restore(VARIADIC corm.query[]) IS
    'brings soft-deleted rows back and returns their number; ERROR 42601 for a model without soft delete, 42703 for an unknown field';

CREATE FUNCTION corm.update_multi(recs anyarray) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_update_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update_multi(anyarray) IS
    'updates the rows with the primary keys of the records in one statement and returns them; ERROR P0002 if one is missing, OR003 if there are none, OR010 if one is stale, 21000 if two have the same key';

CREATE FUNCTION corm.filter(spec jsonb) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_filter' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter(jsonb) IS
    'a query of a JSON document from outside: where, select, order_by, limit, offset, after, before, preload; ERROR OR020 for what is not in the grammar, OR021 over a limit';

CREATE FUNCTION corm.filter(spec text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_filter_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter(text) IS
    'the same of a document as text, in which a key that an object has twice is ERROR OR020, too; 22P02 if it is no JSON';

CREATE FUNCTION corm.filter(spec json) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_filter_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter(json) IS
    'the same of a document as json, in which a key that an object has twice is ERROR OR020, too';

-- Types and relations that stored queries depend on.

CREATE FUNCTION corm.on_stored_drop() RETURNS event_trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_stored_drop';
COMMENT ON FUNCTION corm.on_stored_drop() IS
    'Event trigger: refuses to drop what a scope or a condition of a relation needs, 2BP01, or drops that with it.';
REVOKE ALL ON FUNCTION corm.on_stored_drop() FROM PUBLIC;

CREATE FUNCTION corm.on_stored_alter() RETURNS event_trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_stored_alter';
COMMENT ON FUNCTION corm.on_stored_alter() IS
    'Event trigger: refuses to alter a row type of which a scope or a condition of a relation has a value, 0A000.';
REVOKE ALL ON FUNCTION corm.on_stored_alter() FROM PUBLIC;

-- after corm_sql_drop, by its name: what belongs to a dropped model goes first
CREATE EVENT TRIGGER corm_stored_drop ON sql_drop
    EXECUTE FUNCTION corm.on_stored_drop();
COMMENT ON EVENT TRIGGER corm_stored_drop IS 'corm: scopes and conditions depend on types and relations';
ALTER EVENT TRIGGER corm_stored_drop ENABLE ALWAYS;

CREATE EVENT TRIGGER corm_stored_alter ON ddl_command_end WHEN TAG IN ('ALTER TYPE', 'ALTER TABLE', 'ALTER FOREIGN TABLE')
    EXECUTE FUNCTION corm.on_stored_alter();
COMMENT ON EVENT TRIGGER corm_stored_alter IS 'corm: scopes and conditions hold values of row types';
ALTER EVENT TRIGGER corm_stored_alter ENABLE ALWAYS;
