-- Closures leave nothing behind: acceptance 8.
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);

-- read-only closures take no xid
DO $$
BEGIN
    FOR i IN 1..10000 LOOP
        PERFORM corm.do_tx(corm.tx('nested', read_only => true), 'SELECT id FROM t');
        PERFORM corm.do_tx(corm.tx('required', read_only => true), 'SELECT id FROM t');
    END LOOP;
    RAISE NOTICE 'xid: %', pg_current_xact_id_if_assigned();
END $$;
BEGIN;
SELECT count(corm.do_tx(corm.tx(read_only => true), 'SELECT id FROM t')) FROM generate_series(1, 100);
CALL corm.begin_tx();
SELECT corm.do_tx(corm.tx('nested', read_only => true), 'SELECT id FROM t');
CALL corm.commit_tx();
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_xid;
COMMIT;

CREATE FUNCTION memory() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts $$;
-- runs an expression many times in one transaction, and says whether the session's memory grew on the way
CREATE FUNCTION flat(what text, times int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($d$
        DO $do$
        DECLARE r text; before bigint := memory(); after bigint;
        BEGIN
            FOR i IN 1..%s LOOP
                r := %s;
                IF i = 1000 THEN
                    before := memory();
                END IF;
            END LOOP;
            after := memory();
            PERFORM set_config('regress.grew', (after - before)::text, true);
        END $do$ $d$, times, what);
    RETURN CASE WHEN current_setting('regress.grew')::bigint < 100000 THEN 'flat'
                ELSE format('grew by %s bytes', current_setting('regress.grew')) END;
END $$;
SELECT flat($$corm.do_tx(corm.tx('nested'), 'SELECT 1')$$, 1000000);
SELECT flat($$corm.do_tx('SELECT $1 AS a, $2 AS b', i, 'x')$$, 100000);
SELECT flat($$corm.do_tx('SELECT $1 AS a, $2 AS b', '1', 'x')$$, 100000);
SELECT flat($$corm.do_tx(corm.tx(CASE i % 2 WHEN 0 THEN 'nested' ELSE 'required' END), 'SELECT id FROM t; SELECT 1')$$, 100000);
SELECT flat($$corm.try_tx(corm.tx('nested'), 'SELECT 1/0')$$, 20000);
SELECT flat($$corm.try_tx(corm.tx('nested'), 'SELECT nothing')$$, 20000);
SELECT flat($$corm.try_tx(corm.tx(timeout => '1 hour'), 'SELECT 1')$$, 20000);
SELECT flat($$corm.do_tx(corm.tx('nested'), 'SELECT corm.set_rollback_only()')$$, 20000);
-- a body with a text parameter is analyzed anew whenever the search path changes
CREATE FUNCTION here() RETURNS jsonb LANGUAGE plpgsql SET search_path = public AS $$ BEGIN RETURN corm.do_tx('SELECT $1', 'x'); END $$;
CREATE FUNCTION there() RETURNS jsonb LANGUAGE plpgsql SET search_path = public, information_schema AS $$ BEGIN RETURN corm.do_tx('SELECT $1', 'x'); END $$;
SELECT flat($$CASE i % 2 WHEN 0 THEN here() ELSE there() END$$, 5000);
DROP FUNCTION here, there;
-- joined scopes that fail again and again leave one mark
SELECT sqlstate FROM corm.try_tx($t$DO $d$
    DECLARE before bigint; after bigint;
    BEGIN
        FOR i IN 1..20000 LOOP
            BEGIN
                PERFORM corm.do_tx('SELECT 1/0');
            EXCEPTION WHEN OTHERS THEN
                IF i = 1000 THEN before := memory(); END IF;
            END;
        END LOOP;
        after := memory();
        RAISE NOTICE '%', CASE WHEN after - before > 100000 THEN 'grew by ' || after - before ELSE 'flat' END;
    END $d$$t$);
-- bodies without number do not fill the session
SET corm.tx_body_cache_size = 20;
SELECT flat($$corm.do_tx('SELECT ' || i)$$, 20000);
SELECT flat($$corm.try_tx('SELECT nothing_' || i)$$, 5000);
RESET corm.tx_body_cache_size;

DROP TABLE t;
DROP FUNCTION memory, flat;
