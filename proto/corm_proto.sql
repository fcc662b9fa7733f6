-- corm_proto: protocol buffers for corm

CREATE FUNCTION corm.register_proto(descriptors bytea, schema regnamespace DEFAULT NULL, options jsonb DEFAULT '{}',
    OUT message text, OUT type regtype, OUT action text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_register_proto';
COMMENT ON FUNCTION corm.register_proto(bytea, regnamespace, jsonb) IS
    'Makes a composite type for each message of a FileDescriptorSet, or brings it up to date; fields are recognized by their numbers and never dropped. Errors: 22P03 for other data; 42710 if a type of that name is something else; 22023 for an unknown option and for groups.';

CREATE FUNCTION corm.proto_encode(rec anyelement) RETURNS bytea
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'corm_proto_encode';
COMMENT ON FUNCTION corm.proto_encode(anyelement) IS
    'Returns a row as a message of protocol buffers. Errors: 42804 for what is no row of a named type; 22003 for a number that the field cannot hold; 22P03 for what a message cannot say; 23502 for a required field that is null.';

CREATE FUNCTION corm.proto_decode(t anyelement, data bytea) RETURNS anyelement
    LANGUAGE C STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'corm_proto_decode';
COMMENT ON FUNCTION corm.proto_decode(anyelement, bytea) IS
    'Returns a message of protocol buffers as a row of the type of t. Errors: 22P03 for data that is no such message; 42804 for what is no row type with a name; and those of the values.';

CREATE FUNCTION corm.get_proto(t anyelement, VARIADIC q corm.query[]) RETURNS bytea
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    AS 'SELECT corm.proto_encode(corm.get(t, VARIADIC q))';
COMMENT ON FUNCTION corm.get_proto(anyelement, corm.query[]) IS
    'Returns the row of a query as a message of protocol buffers. Errors: those of corm.get and corm.proto_encode.';

CREATE FUNCTION corm.get_proto(t anyelement) RETURNS bytea
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    AS 'SELECT corm.proto_encode(corm.get(t))';
COMMENT ON FUNCTION corm.get_proto(anyelement) IS
    'Returns the only row of a model as a message of protocol buffers. Errors: those of corm.get and corm.proto_encode.';

CREATE FUNCTION corm.get_multi_proto(t anyelement, VARIADIC q corm.query[]) RETURNS SETOF bytea
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    AS 'SELECT corm.proto_encode(r.*) FROM corm.get_multi(t, VARIADIC q) AS r';
COMMENT ON FUNCTION corm.get_multi_proto(anyelement, corm.query[]) IS
    'Returns the rows of a query as messages of protocol buffers. Errors: those of corm.get_multi and corm.proto_encode.';

CREATE FUNCTION corm.get_multi_proto(t anyelement) RETURNS SETOF bytea
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    AS 'SELECT corm.proto_encode(r.*) FROM corm.get_multi(t) AS r';
COMMENT ON FUNCTION corm.get_multi_proto(anyelement) IS
    'Returns the rows of a model as messages of protocol buffers. Errors: those of corm.get_multi and corm.proto_encode.';
