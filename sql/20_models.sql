-- Models: registrations, description, naming, reflection.

-- The options of registered models. The functions corm.register and corm.unregister write it for users after checking
-- that they own the tables, so only the owner of the database needs a privilege on it, to dump it. Rows about
-- temporary tables are not dumped, because the tables are not.
CREATE TABLE corm.model_options (
    model       corm.relation_ref PRIMARY KEY,
    table_name  corm.relation_ref,
    options     jsonb NOT NULL
);
COMMENT ON TABLE corm.model_options IS 'Options of models, stored by corm.register';
COMMENT ON COLUMN corm.model_options.model IS 'The table, view or composite type';
COMMENT ON COLUMN corm.model_options.table_name IS 'The table that the model maps to, if that is another relation';
COMMENT ON COLUMN corm.model_options.options IS 'All other options';
REVOKE ALL ON corm.model_options FROM PUBLIC;
GRANT SELECT ON corm.model_options TO pg_database_owner;
SELECT pg_catalog.pg_extension_config_dump('corm.model_options',
    'WHERE NOT EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[model, table_name]::oid[]) AS r(relid) WHERE relid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relid AND c.relpersistence OPERATOR(pg_catalog.<>) ''t''))');

CREATE FUNCTION corm.register(model regclass, options jsonb DEFAULT '{}') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_register';
COMMENT ON FUNCTION corm.register(regclass, jsonb) IS
    'Stores options of a model, replacing those stored before. Errors: 42501 unless the caller owns the relation and the table that it maps to; OR006 for an invalid option; 42809 for a relation that cannot be a model; 42703 for a column that does not exist.';

CREATE FUNCTION corm.unregister(model regclass) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_unregister';
COMMENT ON FUNCTION corm.unregister(regclass) IS
    'Drops the stored options of a model, if there are any. Errors: 42501 unless the caller owns the relation.';

CREATE FUNCTION corm.underscore(name text) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_underscore';
COMMENT ON FUNCTION corm.underscore(text) IS
    'Converts a name to snake case: UserName to user_name, HTTPServer to http_server.';

CREATE FUNCTION corm.camelize(name text, upper_first boolean DEFAULT true) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_camelize';
COMMENT ON FUNCTION corm.camelize(text, boolean) IS
    'Converts a name to camel case: user_name to UserName, or to userName if upper_first is false.';

CREATE FUNCTION corm.describe(model regclass) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_describe';
COMMENT ON FUNCTION corm.describe(regclass) IS
    'Returns what corm knows about a model. Errors: 42P01 if the relation does not exist; 42809 if it cannot be a model; OR005 for an invalid tag; OR006 for options that no longer fit; 42703 for a mapping to a column that does not exist.';

-- The views select from functions, because what they list depends on the privileges of the user.

CREATE FUNCTION corm.list_models(
    OUT model regclass, OUT name text, OUT table_name regclass, OUT primary_key text[], OUT soft_delete text,
    OUT version text, OUT registered boolean, OUT error text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_models';
COMMENT ON FUNCTION corm.list_models() IS
    'Returns the rows of the view corm.models.';

CREATE VIEW corm.models AS
    SELECT m.model, m.name, m.table_name, m.primary_key, m.soft_delete, m.version, m.registered, m.error
    FROM corm.list_models() m;
COMMENT ON VIEW corm.models IS
    'The models that the user may use: tables, views, foreign tables and mapped composite types; error says what is wrong with a tag or an option';
GRANT SELECT ON corm.models TO PUBLIC;

CREATE FUNCTION corm.list_fields(
    OUT model regclass, OUT name text, OUT column_name text, OUT type text, OUT not_null boolean,
    OUT has_default boolean, OUT identity text, OUT generated boolean, OUT read_only boolean,
    OUT primary_key boolean, OUT filterable boolean, OUT tags jsonb) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_fields';
COMMENT ON FUNCTION corm.list_fields() IS
    'Returns the rows of the view corm.fields.';

CREATE VIEW corm.fields AS
    SELECT f.model, f.name, f.column_name, f.type, f.not_null, f.has_default, f.identity, f.generated, f.read_only,
        f.primary_key, f.filterable, f.tags
    FROM corm.list_fields() f;
COMMENT ON VIEW corm.fields IS 'The fields of the models in corm.models';
GRANT SELECT ON corm.fields TO PUBLIC;

CREATE TRIGGER catalog_change
    BEFORE INSERT OR UPDATE OR DELETE ON corm.model_options
    FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
    BEFORE TRUNCATE ON corm.model_options
    FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.model_options ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.model_options ENABLE ALWAYS TRIGGER catalog_truncate;

-- Event triggers. Calling them directly does nothing, and firing them needs no privilege.

CREATE FUNCTION corm.on_comment() RETURNS event_trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_comment';
COMMENT ON FUNCTION corm.on_comment() IS
    'Event trigger function: makes all sessions reload the tags of an object whose comment has changed.';
REVOKE ALL ON FUNCTION corm.on_comment() FROM PUBLIC;

CREATE FUNCTION corm.on_sql_drop() RETURNS event_trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_sql_drop';
COMMENT ON FUNCTION corm.on_sql_drop() IS
    'Event trigger function: removes what is stored about a relation that was dropped.';
REVOKE ALL ON FUNCTION corm.on_sql_drop() FROM PUBLIC;

CREATE EVENT TRIGGER corm_comment ON ddl_command_end WHEN TAG IN ('COMMENT')
    EXECUTE FUNCTION corm.on_comment();
COMMENT ON EVENT TRIGGER corm_comment IS 'corm: notices changes of tags, which are part of comments';
ALTER EVENT TRIGGER corm_comment ENABLE ALWAYS;

CREATE EVENT TRIGGER corm_sql_drop ON sql_drop
    EXECUTE FUNCTION corm.on_sql_drop();
COMMENT ON EVENT TRIGGER corm_sql_drop IS 'corm: removes what is stored about a relation that was dropped';
ALTER EVENT TRIGGER corm_sql_drop ENABLE ALWAYS;

-- Reflection: fields and functions of any row.

CREATE FUNCTION corm.get_field(rec anyelement, field text) RETURNS text
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_get_field';
COMMENT ON FUNCTION corm.get_field(anyelement, text) IS
    'Returns a field of a row, as text. Errors: 42703 for an unknown field; 42804 if rec is not a row.';

CREATE FUNCTION corm.get_field_as(t anyelement, rec record, field text) RETURNS anyelement
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'corm_get_field_as';
COMMENT ON FUNCTION corm.get_field_as(anyelement, record, text) IS
    'Returns a field of a row, cast to the type of t. Errors: 42703 for an unknown field; 42804 if there is no such cast.';

CREATE FUNCTION corm.set_field(rec anyelement, field text, value "any") RETURNS anyelement
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'corm_set_field';
COMMENT ON FUNCTION corm.set_field(anyelement, text, "any") IS
    'Returns a copy of a row with one field changed. Errors: 42703 for an unknown field; OR012 for a generated or read-only field; 42804 if the value cannot be converted.';

CREATE FUNCTION corm.set_field(rec anyelement, field text, value text) RETURNS anyelement
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'corm_set_field_text';
COMMENT ON FUNCTION corm.set_field(anyelement, text, text) IS
    'Returns a copy of a row with one field changed to a value given as text. Errors: 42703 for an unknown field; OR012 for a generated or read-only field.';

CREATE FUNCTION corm.iterate_fields(rec anyelement,
    OUT field text, OUT column_name text, OUT type regtype, OUT value jsonb) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'corm_iterate_fields';
COMMENT ON FUNCTION corm.iterate_fields(anyelement) IS
    'Returns the fields of a row, one per result row. Errors: 42804 if rec is not a row; 22004 for a NULL of type record.';

CREATE FUNCTION corm.iterate_methods(rec anyelement, invoke boolean DEFAULT true,
    OUT name text, OUT method regprocedure, OUT input regtype[], OUT output regtype[], OUT result jsonb,
    OUT error text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_iterate_methods';
COMMENT ON FUNCTION corm.iterate_methods(anyelement, boolean) IS
    'Returns the functions whose first argument is of the type of the row, with the results of those that are not volatile if invoke is true. Errors: 42804 if rec is not a row of a named type.';
