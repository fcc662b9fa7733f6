-- Transaction scopes: closures, session scopes, and the state of the session.

CREATE TYPE corm.tx_options AS (
    propagation text,
    name text,
    read_only boolean,
    isolation text,
    timeout interval,
    retries integer
);
COMMENT ON TYPE corm.tx_options IS 'Options of a transaction scope, made by corm.tx';

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
COMMENT ON TYPE corm.tx_result IS 'Outcome of a transaction scope: its value, or the error that ended it';

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
'Makes the options of a transaction scope. propagation is required, requires_new, nested, mandatory, supports, not_supported or never. Errors: OR006 for an invalid value.';

CREATE FUNCTION corm.do_tx(body text) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text) IS
'Runs SQL in a transaction scope that joins an active transaction. Returns the rows of the last statement as a JSON array; NULL if it returns none, or the scope was set rollback-only. Errors: those of the body, after a rollback; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body.';

CREATE FUNCTION corm.do_tx(body text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction scope that joins an active transaction; otherwise as corm.do_tx(text). Errors: those of the body; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body.';

CREATE FUNCTION corm.do_tx(body text, VARIADIC params text[]) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, in a transaction scope that joins an active transaction; otherwise as corm.do_tx(text). Errors: those of the body; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body.';

-- Without this form, do_tx('...', some_text, 1) would resolve to (tx_options, text, "any").
CREATE FUNCTION corm.do_tx(body text, param text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx';
COMMENT ON FUNCTION corm.do_tx(text, text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction scope that joins an active transaction; otherwise as corm.do_tx(text). Errors: those of the body; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body.';

CREATE FUNCTION corm.do_tx(opts corm.tx_options, body text) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx_opts';
COMMENT ON FUNCTION corm.do_tx(corm.tx_options, text) IS
'Runs SQL in a transaction scope with options; otherwise as corm.do_tx(text). Errors: those of the body; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body; 25P01, 25001 and 0A000 as the options demand; OR030 after the timeout.';

CREATE FUNCTION corm.do_tx(opts corm.tx_options, body text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx_opts';
COMMENT ON FUNCTION corm.do_tx(corm.tx_options, text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction scope with options; otherwise as corm.do_tx(text). Errors: those of the body; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body; 25P01, 25001 and 0A000 as the options demand; OR030 after the timeout.';

CREATE FUNCTION corm.do_tx(opts corm.tx_options, body text, VARIADIC params text[]) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_do_tx_opts';
COMMENT ON FUNCTION corm.do_tx(corm.tx_options, text, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, in a transaction scope with options; otherwise as corm.do_tx(text). Errors: those of the body; 40000 if a scope that joined this one has failed; 2D000 for a transaction command in the body; 25P01, 25001 and 0A000 as the options demand; OR030 after the timeout.';

CREATE FUNCTION corm.autonomous(body text) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_autonomous';
COMMENT ON FUNCTION corm.autonomous(text) IS
'Runs SQL in a transaction of its own in another process, which is committed when the call returns, whatever becomes of the caller''s. Returns the rows of the last statement as a JSON array; NULL if it returns none. Errors: those of the body and of its commit; 40P01 for a deadlock with the caller; 53000 if no worker is free in time; 53400 if nested calls hold all workers; 54001 for too deep nesting; 42804 for a parameter that cannot be given to another process; 42501 within a security-restricted operation; OR031 if the worker was terminated; 55000 if corm is not preloaded.';

CREATE FUNCTION corm.autonomous(body text, VARIADIC params "any") RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_autonomous';
COMMENT ON FUNCTION corm.autonomous(text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction of its own in another process, which is committed when the call returns, whatever becomes of the caller''s. Returns the rows of the last statement as a JSON array; NULL if it returns none. Errors: those of the body and of its commit; 40P01 for a deadlock with the caller; 53000 if no worker is free in time; 53400 if nested calls hold all workers; 54001 for too deep nesting; 42804 for a parameter that cannot be given to another process; 42501 within a security-restricted operation; OR031 if the worker was terminated; 55000 if corm is not preloaded.';

CREATE FUNCTION corm.autonomous(body text, VARIADIC params text[]) RETURNS jsonb
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_autonomous';
COMMENT ON FUNCTION corm.autonomous(text, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, in a transaction of its own in another process, which is committed when the call returns, whatever becomes of the caller''s. Returns the rows of the last statement as a JSON array; NULL if it returns none. Errors: those of the body and of its commit; 40P01 for a deadlock with the caller; 53000 if no worker is free in time; 53400 if nested calls hold all workers; 54001 for too deep nesting; 42804 for a parameter that cannot be given to another process; 42501 within a security-restricted operation; OR031 if the worker was terminated; 55000 if corm is not preloaded.';

CREATE FUNCTION corm.try_tx(body text) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text) IS
'Runs SQL in a transaction scope as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE FUNCTION corm.try_tx(body text, VARIADIC params "any") RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction scope as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE FUNCTION corm.try_tx(body text, VARIADIC params text[]) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, in a transaction scope as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE FUNCTION corm.try_tx(body text, param text, VARIADIC params "any") RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx';
COMMENT ON FUNCTION corm.try_tx(text, text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction scope as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE FUNCTION corm.try_tx(opts corm.tx_options, body text) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx_opts';
COMMENT ON FUNCTION corm.try_tx(corm.tx_options, text) IS
'Runs SQL in a transaction scope with options as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE FUNCTION corm.try_tx(opts corm.tx_options, body text, VARIADIC params "any") RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx_opts';
COMMENT ON FUNCTION corm.try_tx(corm.tx_options, text, "any") IS
'Runs SQL with the parameters $1, $2, ... in a transaction scope with options as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE FUNCTION corm.try_tx(opts corm.tx_options, body text, VARIADIC params text[]) RETURNS corm.tx_result
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_try_tx_opts';
COMMENT ON FUNCTION corm.try_tx(corm.tx_options, text, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, in a transaction scope with options as corm.do_tx does, and returns its outcome, in which an error is data. Errors: only 57014 for a canceled query, P0004 for a failed assertion and 22004 for a NULL body are raised.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options DEFAULT NULL, INOUT result corm.tx_result DEFAULT NULL)
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result) IS
'Runs SQL as a transaction of its own, with an isolation level and with retries after 40001 and 40P01, and returns its outcome, including errors of the COMMIT. Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result, VARIADIC params "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any") IS
'Runs SQL with the parameters $1, $2, ... as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

-- CALL takes exactly one argument for VARIADIC "any" beside an INOUT parameter, so each number has a form of its own.
CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any") IS
'Runs SQL with the parameters $1 to $2 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any", p3 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any", "any") IS
'Runs SQL with the parameters $1 to $3 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any", p3 "any", p4 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any", "any", "any") IS
'Runs SQL with the parameters $1 to $4 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any", p3 "any", p4 "any", p5 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any", "any", "any", "any") IS
'Runs SQL with the parameters $1 to $5 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any", p3 "any", p4 "any", p5 "any", p6 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any", "any", "any", "any", "any") IS
'Runs SQL with the parameters $1 to $6 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any", p3 "any", p4 "any", p5 "any", p6 "any", p7 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any", "any", "any", "any", "any", "any") IS
'Runs SQL with the parameters $1 to $7 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result,
	p1 "any", p2 "any", p3 "any", p4 "any", p5 "any", p6 "any", p7 "any", p8 "any")
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, "any", "any", "any", "any", "any", "any", "any", "any") IS
'Runs SQL with the parameters $1 to $8 as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.run_tx(body text, opts corm.tx_options, INOUT result corm.tx_result, VARIADIC params text[])
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_run_tx';
COMMENT ON PROCEDURE corm.run_tx(text, corm.tx_options, corm.tx_result, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, as a transaction of its own; otherwise as corm.run_tx(text, corm.tx_options, corm.tx_result). Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes.';

CREATE PROCEDURE corm.begin_tx(opts corm.tx_options DEFAULT NULL)
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_begin_tx';
COMMENT ON PROCEDURE corm.begin_tx(corm.tx_options) IS
'Opens a session scope: begins a transaction, sets a savepoint, or joins. Without options it does not join. Errors: 2D000 unless it is a top-level command by itself.';

CREATE PROCEDURE corm.commit_tx()
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_commit_tx';
COMMENT ON PROCEDURE corm.commit_tx() IS
'Commits the innermost session scope. Errors: 25P01 if none is open; 40000 if a scope that joined it has failed; 2D000 unless it is a top-level command by itself.';

CREATE PROCEDURE corm.rollback_tx()
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_rollback_tx';
COMMENT ON PROCEDURE corm.rollback_tx() IS
'Rolls back the innermost session scope. Errors: 25P01 if none is open; 2D000 unless it is a top-level command by itself.';

CREATE PROCEDURE corm.rollback_if_not_committed()
LANGUAGE C
AS 'MODULE_PATHNAME', 'corm_rollback_if_not_committed';
COMMENT ON PROCEDURE corm.rollback_if_not_committed() IS
'Rolls back the innermost session scope unless it has ended; call it once for each corm.begin_tx. Errors: 2D000 unless it is a top-level command by itself.';

CREATE FUNCTION corm.in_tx() RETURNS boolean
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'corm_in_tx';
COMMENT ON FUNCTION corm.in_tx() IS
'Returns true inside a transaction block or an open transaction scope.';

CREATE FUNCTION corm.tx_depth() RETURNS integer
LANGUAGE C VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'corm_tx_depth_sql';
COMMENT ON FUNCTION corm.tx_depth() IS
'Returns the number of open transaction scopes of the session.';

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
'Returns the innermost open transaction scope; NULLs if there is none.';

CREATE FUNCTION corm.set_rollback_only() RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'corm_set_rollback_only';
COMMENT ON FUNCTION corm.set_rollback_only() IS
'Marks the innermost transaction scope to be rolled back at its end, without an error. Errors: 25P01 if none is open; 42501 if it was opened as another user or in another security context.';

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
'Returns counters of the transaction scopes of the session.';
