-- Definitions of models as SQL, and on the nodes of a distributed database.

CREATE FUNCTION corm.definitions(
    OUT model text, OUT kind text, OUT name text, OUT sql text, OUT undo text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_definitions';
COMMENT ON FUNCTION corm.definitions() IS
    'Returns what is stored about the models that the caller owns (tags, options, relations, scopes, middleware), each with the statement that stores it and the one that removes it.';

CREATE FUNCTION corm.node_differences(
    OUT node text, OUT model text, OUT kind text, OUT name text, OUT here text, OUT there text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_node_differences';
COMMENT ON FUNCTION corm.node_differences() IS
    'Returns the definitions of the caller''s models that are not the same on a node of Citus as here, and nodes that do not answer. Errors: 0A000 where Citus is not installed; 55000 on a node that is not the coordinator.';

CREATE FUNCTION corm.sync_nodes(
    OUT node text, OUT sql text, OUT error text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_sync_nodes';
COMMENT ON FUNCTION corm.sync_nodes() IS
    'Makes the definitions of the caller''s models on the nodes of Citus the same as here, and returns the statements that ran there and what failed. Errors: 0A000 where Citus is not installed; 55000 on a node that is not the coordinator.';

CREATE FUNCTION corm.keep_definitions(command text) RETURNS SETOF text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_keep_definitions';
COMMENT ON FUNCTION corm.keep_definitions(text) IS
    'Runs a command that replaces tables of the caller by new ones of the same names, then makes again what was stored about them and the functions that take their rows; returns the statements. Errors: 42501 if a function of another role would be lost; those of the command.';
