-- Models: registrations, description, naming, reflection.

-- The options of registered models. The functions corm.register and corm.unregister read and write it for users
-- after checking that they own the tables, so nobody else needs a privilege on it. A row about a temporary
-- table is not dumped: the table is not either.
CREATE TABLE corm.model_options (
    model       regclass PRIMARY KEY,
    table_name  regclass,
    options     jsonb NOT NULL
);
COMMENT ON TABLE corm.model_options IS 'corm: what corm.register has stored for each model';
COMMENT ON COLUMN corm.model_options.model IS 'The table, view or composite type';
COMMENT ON COLUMN corm.model_options.table_name IS 'The table that the model maps to, if it is another one';
COMMENT ON COLUMN corm.model_options.options IS 'All other options';
REVOKE ALL ON corm.model_options FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('corm.model_options',
    'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) model AND c.relpersistence OPERATOR(pg_catalog.<>) ''t'')');

CREATE FUNCTION corm.register(model regclass, options jsonb DEFAULT '{}') RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_register';
COMMENT ON FUNCTION corm.register(regclass, jsonb) IS
    'Stores options of a model, in place of those it had. Errors: 42501 unless the caller owns the relation and the table it maps to, OR006 for a bad option, 42809 for a relation that can be no model, 42703 for a column that does not exist.';

CREATE FUNCTION corm.unregister(model regclass) RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_unregister';
COMMENT ON FUNCTION corm.unregister(regclass) IS
    'Drops the stored options of a model, if there are any. Errors: 42501 unless the caller owns the relation.';

CREATE FUNCTION corm.underscore(name text) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_underscore';
COMMENT ON FUNCTION corm.underscore(text) IS
    'Returns a name in snake case: UserName is user_name, HTTPServer is http_server.';

CREATE FUNCTION corm.camelize(name text, upper_first boolean DEFAULT true) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_camelize';
COMMENT ON FUNCTION corm.camelize(text, boolean) IS
    'Returns a name in camel case: user_name is UserName, or userName when upper_first is false.';
