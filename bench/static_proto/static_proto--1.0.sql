-- static_proto: messages by the code that protoc-c generates

CREATE FUNCTION static_proto_encode(data bytea) RETURNS bytea LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME';
CREATE FUNCTION static_proto_decode(data bytea) RETURNS int LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME';
