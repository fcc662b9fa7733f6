-- hardening 24: scopes ten thousand deep are bounded by the stack, in every mode, and leave nothing open
\set VERBOSITY terse
CREATE FUNCTION pg_temp.nest(n int, mode text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF n = 0 THEN
        RETURN corm.tx_depth();
    END IF;
    RETURN corm.do_tx(corm.tx(mode), 'SELECT pg_temp.nest($1, $2) AS depth', n - 1, mode) -> 0 ->> 'depth';
END $$;
SET client_min_messages = error;
SELECT mode, pg_temp.nest(20, mode) FROM unnest('{required,nested,supports}'::text[]) AS mode;
SELECT mode, (corm.try_tx('SELECT pg_temp.nest(10000, $1)', mode)).sqlstate FROM unnest('{required,nested,supports}'::text[]) AS mode;
SELECT corm.tx_depth(), corm.in_tx(), pg_temp.nest(5, 'nested');
