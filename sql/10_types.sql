-- The types of expressions and queries. Their text and binary form is JSON; see docs/queries.md.

CREATE TYPE corm.expr;
CREATE FUNCTION corm.expr_in(cstring) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_expr_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.expr_in(cstring) IS 'Input function of corm.expr.';
CREATE FUNCTION corm.expr_out(corm.expr) RETURNS cstring
    AS 'MODULE_PATHNAME', 'corm_expr_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.expr_out(corm.expr) IS 'Output function of corm.expr.';
CREATE FUNCTION corm.expr_recv(internal) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_expr_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.expr_recv(internal) IS 'Binary input function of corm.expr, which reads the text form.';
CREATE FUNCTION corm.expr_send(corm.expr) RETURNS bytea
    AS 'MODULE_PATHNAME', 'corm_expr_send' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.expr_send(corm.expr) IS 'Binary output function of corm.expr, which writes the text form.';
CREATE TYPE corm.expr (
    INPUT = corm.expr_in, OUTPUT = corm.expr_out, RECEIVE = corm.expr_recv, SEND = corm.expr_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE corm.expr IS 'An expression over fields and bound values, built by the functions of schema corm';

CREATE FUNCTION corm.expr(data jsonb) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_expr_from_jsonb' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.expr(jsonb) IS 'Returns the expression with the given text form. Errors: 22P02 if the JSON is not an expression.';
CREATE FUNCTION corm.to_jsonb(value corm.expr) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_expr_to_jsonb' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.to_jsonb(corm.expr) IS 'Returns the text form of an expression.';
CREATE CAST (jsonb AS corm.expr) WITH FUNCTION corm.expr(jsonb);
CREATE CAST (corm.expr AS jsonb) WITH FUNCTION corm.to_jsonb(corm.expr);

CREATE TYPE corm.query;
CREATE FUNCTION corm.query_in(cstring) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_query_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.query_in(cstring) IS 'Input function of corm.query.';
CREATE FUNCTION corm.query_out(corm.query) RETURNS cstring
    AS 'MODULE_PATHNAME', 'corm_query_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.query_out(corm.query) IS 'Output function of corm.query.';
CREATE FUNCTION corm.query_recv(internal) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_query_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.query_recv(internal) IS 'Binary input function of corm.query, which reads the text form.';
CREATE FUNCTION corm.query_send(corm.query) RETURNS bytea
    AS 'MODULE_PATHNAME', 'corm_query_send' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.query_send(corm.query) IS 'Binary output function of corm.query, which writes the text form.';
CREATE TYPE corm.query (
    INPUT = corm.query_in, OUTPUT = corm.query_out, RECEIVE = corm.query_recv, SEND = corm.query_send,
    INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE corm.query IS 'A list of query clauses, built by the functions of schema corm';

CREATE FUNCTION corm.query(data jsonb) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_query_from_jsonb' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.query(jsonb) IS 'Returns the query with the given text form. Errors: 22P02 if the JSON is not a query.';
CREATE FUNCTION corm.to_jsonb(value corm.query) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_query_to_jsonb' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.to_jsonb(corm.query) IS 'Returns the text form of a query.';
CREATE CAST (jsonb AS corm.query) WITH FUNCTION corm.query(jsonb);
CREATE CAST (corm.query AS jsonb) WITH FUNCTION corm.to_jsonb(corm.query);
