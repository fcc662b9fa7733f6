\echo Use "CREATE EXTENSION corm_middleware_test" to load this file. \quit

CREATE SCHEMA cmt;
CREATE FUNCTION cmt.add(name text, mode text, priority int) RETURNS void
    AS 'MODULE_PATHNAME', 'cmt_add' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION cmt.add(text, text, int) IS
    'adds a middleware in C; mode: pass, quiet, stop, twice, fail, catch';
CREATE FUNCTION cmt.remove(name text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'cmt_remove' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION cmt.remove(text) IS 'removes it; false if there is none';
CREATE FUNCTION cmt.rewrite_to(q corm.query) RETURNS void
    AS 'MODULE_PATHNAME', 'cmt_rewrite_to' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION cmt.rewrite_to(corm.query) IS 'lets those of mode pass run another query; NULL: no longer';
