-- Schema tools: tables from types.

CREATE FUNCTION corm.auto_migrate(VARIADIC models regclass[], OUT step integer, OUT sql text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_auto_migrate';
COMMENT ON FUNCTION corm.auto_migrate(regclass[]) IS
    'Makes the tables that composite types describe by their tags, or adds to them what is missing, and returns what was done. Drops and rewrites nothing. Errors: 42501 unless the caller owns the types; 42809 for what is no composite type or describes no table; OR005 for a bad tag; and those of the statements.';

CREATE FUNCTION corm.migrate(models regclass[], options jsonb DEFAULT '{}', OUT step integer, OUT sql text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_migrate';
COMMENT ON FUNCTION corm.migrate(regclass[], jsonb) IS
    'The same as corm.auto_migrate, with options: drop allows to drop what the types do not have, rewrite to rewrite tables. Errors: OR006 for an invalid option; and those of corm.auto_migrate.';

CREATE FUNCTION corm.migrate_plan(models regclass[], options jsonb DEFAULT '{}', OUT step integer, OUT sql text,
    OUT safe boolean, OUT note text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_migrate_plan';
COMMENT ON FUNCTION corm.migrate_plan(regclass[], jsonb) IS
    'Returns what corm.migrate would do with these options, without doing it; step and sql are NULL for what it would hold back. With online, the steps let others work, and are to be run one by one. Errors: OR005, OR006, 42809.';

CREATE FUNCTION corm.model_ddl(model regclass) RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_model_ddl';
COMMENT ON FUNCTION corm.model_ddl(regclass) IS
    'Returns the SQL that would make a model in an empty database: a table or view as it is, or a composite type with the table that it describes. Errors: 42501 for a table that the caller cannot use or that has hidden fields and another owner; 42809 for what is no table, view or composite type; OR005 for a bad tag.';
