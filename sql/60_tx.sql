-- Transaction scopes: closures, session scopes, and what the session knows of them.

CREATE TYPE corm.tx_options AS (
    propagation text,
    name text,
    read_only boolean,
    isolation text,
    timeout interval,
    retries integer
);
COMMENT ON TYPE corm.tx_options IS 'how a transaction scope combines with what is around it; made by corm.tx()';

CREATE TYPE corm.tx_result AS (
    ok boolean,
    value jsonb,
    sqlstate text,
    message text,
    detail text,
    hint text,
    context text,
    schema_name text,
    table_name text,
    column_name text,
    datatype_name text,
    constraint_name text,
    scope text
);
COMMENT ON TYPE corm.tx_result IS 'outcome of a transaction scope: its value, or the error that ended it';

CREATE FUNCTION corm.tx(
    propagation text DEFAULT 'required',
    name text DEFAULT NULL,
    read_only boolean DEFAULT NULL,
    isolation text DEFAULT NULL,
    timeout interval DEFAULT NULL,
    retries integer DEFAULT 0
) RETURNS corm.tx_options
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'corm_tx';
COMMENT ON FUNCTION corm.tx(text, text, boolean, text, interval, integer) IS
'options of a transaction scope: propagation (required, requires_new, nested, mandatory, supports, not_supported or never), name, read_only, isolation, timeout, retries; returns corm.tx_options; raises OR006 for a value that makes no sense';

CREATE FUNCTION corm.do_tx(body text) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text) IS
'runs SQL in a transaction scope with propagation required; returns the rows of the last statement as a JSON array, NULL if it returns none or the scope was set rollback-only; raises the error of the body after rolling back, 40000 if a joined scope had failed, 2D000 for a transaction command in the body';

CREATE FUNCTION corm.do_tx(body text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text, "any") IS
'runs SQL with parameters $1 to $n in a transaction scope with propagation required; otherwise as corm.do_tx(text)';

CREATE FUNCTION corm.do_tx(body text, VARIADIC params text[]) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text, text[]) IS
'runs SQL with parameters $1 to $n, each of the type of its context, in a transaction scope with propagation required; otherwise as corm.do_tx(text)';

-- Without this form, do_tx('...', some_text, 1) would resolve to (tx_options, text, "any").
CREATE FUNCTION corm.do_tx(body text, param text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text, text, "any") IS
'runs SQL with parameters $1 to $n in a transaction scope with propagation required; otherwise as corm.do_tx(text)';

CREATE FUNCTION corm.do_tx(opts corm.tx_options, body text) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx_opts';
COMMENT ON FUNCTION corm.do_tx(corm.tx_options, text) IS
'runs SQL in a transaction scope with the options given; returns as corm.do_tx(text); raises also what the options demand: 25P01, 25001, 0A000, OR030 when the timeout passes';

CREATE FUNCTION corm.do_tx(opts corm.tx_options, body text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx_opts';
COMMENT ON FUNCTION corm.do_tx(corm.tx_options, text, "any") IS
'runs SQL with parameters $1 to $n in a transaction scope with the options given; otherwise as corm.do_tx(corm.tx_options, text)';

CREATE FUNCTION corm.do_tx(opts corm.tx_options, body text, VARIADIC params text[]) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx_opts';
COMMENT ON FUNCTION corm.do_tx(corm.tx_options, text, text[]) IS
'runs SQL with parameters $1 to $n, each of the type of its context, in a transaction scope with the options given; otherwise as corm.do_tx(corm.tx_options, text)';

CREATE FUNCTION corm.try_tx(body text) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text) IS
'runs SQL as corm.do_tx(text) does, but gives an error as data; returns corm.tx_result; raises only a cancel (57014), a failed assertion (P0004), 22004 for a body that is NULL';

CREATE FUNCTION corm.try_tx(body text, VARIADIC params "any") RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text, "any") IS
'runs SQL with parameters $1 to $n as corm.do_tx does, but gives an error as data; otherwise as corm.try_tx(text)';

CREATE FUNCTION corm.try_tx(body text, VARIADIC params text[]) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text, text[]) IS
'runs SQL with parameters $1 to $n, each of the type of its context, as corm.do_tx does, but gives an error as data; otherwise as corm.try_tx(text)';

CREATE FUNCTION corm.try_tx(body text, param text, VARIADIC params "any") RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text, text, "any") IS
'runs SQL with parameters $1 to $n as corm.do_tx does, but gives an error as data; otherwise as corm.try_tx(text)';

CREATE FUNCTION corm.try_tx(opts corm.tx_options, body text) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx_opts';
COMMENT ON FUNCTION corm.try_tx(corm.tx_options, text) IS
'runs SQL in a transaction scope with the options given, an error as data; otherwise as corm.try_tx(text)';

CREATE FUNCTION corm.try_tx(opts corm.tx_options, body text, VARIADIC params "any") RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx_opts';
COMMENT ON FUNCTION corm.try_tx(corm.tx_options, text, "any") IS
'runs SQL with parameters $1 to $n in a transaction scope with the options given, an error as data; otherwise as corm.try_tx(text)';

CREATE FUNCTION corm.try_tx(opts corm.tx_options, body text, VARIADIC params text[]) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx_opts';
COMMENT ON FUNCTION corm.try_tx(corm.tx_options, text, text[]) IS
'runs SQL with parameters $1 to $n, each of the type of its context, in a transaction scope with the options given, an error as data; otherwise as corm.try_tx(text)';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options DEFAULT NULL, INOUT result corm.tx_result DEFAULT NULL)
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result) IS
'runs SQL as a transaction of its own, with an isolation level and retries after 40001 and 40P01; gives its outcome, errors of the COMMIT included; raises 2D000 inside a transaction, 25001 if the current one has changed something';

CREATE PROCEDURE corm.begin_tx(opts corm.tx_options DEFAULT NULL)
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_begin_tx';
COMMENT ON PROCEDURE corm.begin_tx(corm.tx_options) IS
'opens a session scope: BEGIN, or a savepoint inside a transaction, or nothing when it joins; without options it never joins; raises 2D000 unless it is a top-level command by itself';

CREATE PROCEDURE corm.commit_tx()
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_commit_tx';
COMMENT ON PROCEDURE corm.commit_tx() IS
'commits the innermost session scope; raises 25P01 if none is open, 40000 if a scope that joined it had failed, 2D000 unless it is a top-level command by itself';

CREATE PROCEDURE corm.rollback_tx()
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_rollback_tx';
COMMENT ON PROCEDURE corm.rollback_tx() IS
'rolls the innermost session scope back; raises 25P01 if none is open, 2D000 unless it is a top-level command by itself';

CREATE PROCEDURE corm.rollback_if_not_committed()
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_rollback_if_not_committed';
COMMENT ON PROCEDURE corm.rollback_if_not_committed() IS
'rolls the innermost session scope back unless it has been ended already; one belongs to each corm.begin_tx; raises 2D000 unless it is a top-level command by itself';

CREATE FUNCTION corm.in_tx() RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'corm_in_tx';
COMMENT ON FUNCTION corm.in_tx() IS
'true if a transaction is active: a transaction block or an open scope; raises nothing';

CREATE FUNCTION corm.tx_depth() RETURNS integer
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'corm_tx_depth_sql';
COMMENT ON FUNCTION corm.tx_depth() IS
'number of open transaction scopes of this session; raises nothing';

CREATE FUNCTION corm.current_tx(
    OUT name text,
    OUT propagation text,
    OUT depth integer,
    OUT read_only boolean,
    OUT rollback_only boolean
) RETURNS record
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'corm_current_tx';
COMMENT ON FUNCTION corm.current_tx() IS
'the innermost open transaction scope, NULL if there is none; raises nothing';

CREATE FUNCTION corm.set_rollback_only() RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_set_rollback_only';
COMMENT ON FUNCTION corm.set_rollback_only() IS
'makes the innermost transaction scope end rolled back without an error; raises 25P01 if none is open, 42501 if it was opened as another user or in another security context';

CREATE FUNCTION corm.tx_stats(
    OUT scopes bigint,
    OUT subtransactions bigint,
    OUT rollbacks bigint,
    OUT timeouts bigint,
    OUT retries bigint,
    OUT subtransaction_warnings bigint,
    OUT max_depth integer,
    OUT open_subtransactions integer,
    OUT overflowed boolean
) RETURNS record
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'corm_tx_stats_sql';
COMMENT ON FUNCTION corm.tx_stats() IS
'counters of the transaction scopes of this session since it began; raises nothing';
