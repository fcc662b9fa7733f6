-- Relations, pages, scopes, soft delete in queries.

-- Scopes are read and written by C functions that check ownership of the model.
CREATE TABLE corm.scopes (
    model       corm.relation_ref NOT NULL,
    name        text NOT NULL,
    q           corm.query NOT NULL,
    is_default  boolean NOT NULL,
    PRIMARY KEY (model, name)
);
COMMENT ON TABLE corm.scopes IS 'Scopes defined by corm.define_scope';
COMMENT ON COLUMN corm.scopes.model IS 'The table, view or composite type';
COMMENT ON COLUMN corm.scopes.name IS 'The name that corm.scope takes';
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
    'Stores a query as a scope of a model, replacing one of the same name; a default scope is part of every query on the model. Errors: 42501 unless the caller owns the model; 42703 for an unknown field; 42601 for clauses that a scope cannot have.';

CREATE FUNCTION corm.drop_scope(model regclass, name text) RETURNS void
    AS 'MODULE_PATHNAME', 'corm_drop_scope' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.drop_scope(regclass, text) IS
    'Drops a scope of a model. Errors: 42501 unless the caller owns the model; 42703 if there is no such scope.';

-- Keyset pages

CREATE FUNCTION corm.same_order(query_value text, cursor_value text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_same_order' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.same_order(text, text) IS
    'Returns true if a value in the order of a query equals that of a cursor. Errors: OR004 if it does not, because the cursor belongs to another order.';

CREATE FUNCTION corm.like_pattern(value text, form text) RETURNS text
    AS 'MODULE_PATHNAME', 'corm_like_pattern' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.like_pattern(text, text) IS
    'Makes a LIKE pattern of a text as corm.contains(), corm.starts_with() or corm.ends_with() does; form is the name of one of them. Errors: 22023 for another name. Used in the plans of compiled queries.';

CREATE FUNCTION corm.cursor_text(value anyelement) RETURNS text
    AS 'MODULE_PATHNAME', 'corm_cursor_text' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cursor_text(anyelement) IS
    'Returns a value as text that does not depend on the settings of the session, for cursors.';

-- Running

CREATE FUNCTION corm.page_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_page_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.page_json(VARIADIC corm.query[]) IS
    'Returns a page of rows as JSON: rows, and page_info with has_next, has_previous, start_cursor and end_cursor, for corm.after and corm.before. Errors: OR004 for a cursor of another order; OR011 if the model has no primary key; 42601 for a query that has no pages; 42703 for an unknown field.';

CREATE FUNCTION corm.restore(VARIADIC q corm.query[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_restore' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.restore(VARIADIC corm.query[]) IS
    'Restores soft-deleted rows and returns their number. Errors: 42601 for a model without soft delete; 42703 for an unknown field.';

CREATE FUNCTION corm.update_multi(recs anyarray) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_update_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update_multi(anyarray) IS
    'Updates the rows with the primary keys of the records in one statement and returns them in the order of the records. Errors: P0002 if one does not exist; OR003 for an empty array; OR010 if a record is stale; 21000 if two have the same key; OR011 if the model has no primary key.';

CREATE FUNCTION corm.field_values(rows anyarray, field int, sample anycompatiblearray) RETURNS anycompatiblearray
    AS 'MODULE_PATHNAME', 'corm_field_values' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.field_values(anyarray, int, anycompatiblearray) IS
    'Returns the values of one attribute, by its number, of an array of rows, as an array of the type of the sample, which may be NULL. Batch writes use it to tell the planner the partitions of their rows. Errors: 22023 if there is no such attribute of this type.';

CREATE FUNCTION corm.filter(spec jsonb, allow jsonb DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_filter' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter(jsonb, jsonb) IS
    'Makes clauses from a JSON document that a client sent: where, select, order_by, limit, offset, after, before, preload. allow says what it may name. Errors: OR020 for a document that is not in the grammar; OR021 for one that exceeds a bound; 42501 for what it may not name; OR006 for an invalid allow.';

CREATE FUNCTION corm.filter(spec text, allow jsonb DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_filter_text' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter(text, jsonb) IS
    'Makes clauses from a JSON document given as text, in which no key may occur twice. allow says what it may name. Errors: OR020 for a document that is not in the grammar; OR021 for one that exceeds a bound; 42501 for what it may not name; OR006 for an invalid allow; 22P02 if it is not JSON.';

CREATE FUNCTION corm.filter(spec json, allow jsonb DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_filter_text' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter(json, jsonb) IS
    'Makes clauses from a JSON document, in which no key may occur twice. allow says what it may name. Errors: OR020 for a document that is not in the grammar; OR021 for one that exceeds a bound; 42501 for what it may not name; OR006 for an invalid allow.';

-- Types and relations that stored queries depend on.

CREATE FUNCTION corm.on_stored_drop() RETURNS event_trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_stored_drop';
COMMENT ON FUNCTION corm.on_stored_drop() IS
    'Event trigger function: refuses to drop an object that a scope or a condition of a relation needs, 2BP01, or drops that too under CASCADE.';
REVOKE ALL ON FUNCTION corm.on_stored_drop() FROM PUBLIC;

CREATE FUNCTION corm.on_stored_alter() RETURNS event_trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_stored_alter';
COMMENT ON FUNCTION corm.on_stored_alter() IS
    'Event trigger function: refuses to alter a row type of which a scope or a condition of a relation contains a value, 0A000.';
REVOKE ALL ON FUNCTION corm.on_stored_alter() FROM PUBLIC;

-- Its name makes it fire after corm_sql_drop, which first removes what belongs to a dropped model.
CREATE EVENT TRIGGER corm_stored_drop ON sql_drop
    EXECUTE FUNCTION corm.on_stored_drop();
COMMENT ON EVENT TRIGGER corm_stored_drop IS 'corm: scopes and conditions of relations depend on types and relations';
ALTER EVENT TRIGGER corm_stored_drop ENABLE ALWAYS;

CREATE EVENT TRIGGER corm_stored_alter ON ddl_command_end WHEN TAG IN ('ALTER TYPE', 'ALTER TABLE', 'ALTER FOREIGN TABLE')
    EXECUTE FUNCTION corm.on_stored_alter();
COMMENT ON EVENT TRIGGER corm_stored_alter IS 'corm: scopes and conditions of relations can contain values of row types';
ALTER EVENT TRIGGER corm_stored_alter ENABLE ALWAYS;

-- Rows as written, against the conditions of corm.guard_check().

CREATE FUNCTION corm.guard_holds(satisfied boolean, model text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_guard_holds' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.guard_holds(boolean, text) IS
    'Used in the SQL of writes with corm.guard_check(): returns true, or raises 44000 if the first argument is not true.';
