\echo Use "CREATE EXTENSION corm_fuzz" to load this file. \quit

-- The bytes behind a value's length word, and a value of any bytes: what a damaged disk could hold.
CREATE FUNCTION bytes_of(corm.query) RETURNS bytea AS 'MODULE_PATHNAME', 'corm_fuzz_same_bytes' LANGUAGE C STRICT;
CREATE FUNCTION query_of(bytea) RETURNS corm.query AS 'MODULE_PATHNAME', 'corm_fuzz_same_bytes' LANGUAGE C STRICT;
CREATE FUNCTION expr_of(bytea) RETURNS corm.expr AS 'MODULE_PATHNAME', 'corm_fuzz_same_bytes' LANGUAGE C STRICT;

-- One to four random changes; the same seed makes the same ones.
CREATE FUNCTION mutate(value bytea, seed bigint) RETURNS bytea AS 'MODULE_PATHNAME', 'corm_fuzz_mutate_bytes' LANGUAGE C STRICT;
CREATE FUNCTION mutate(value text, seed bigint) RETURNS text AS 'MODULE_PATHNAME', 'corm_fuzz_mutate_text' LANGUAGE C STRICT;
