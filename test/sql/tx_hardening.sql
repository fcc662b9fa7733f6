-- Errors at every depth of scopes, and very deep scopes: hardening 23, 24. (25 is test/t/063_tx_two_phase.pl.)
CREATE ROLE tx_hardening_role;
CREATE TABLE ledger (id int PRIMARY KEY, note text);
GRANT ALL ON ledger TO tx_hardening_role;

-- hardening 23: an error at every depth and in every mode leaves nest level, role and settings as they were
CREATE FUNCTION surroundings() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s %s %s %s %s %s %s', corm.tx_depth(), corm.in_tx(), (corm.tx_stats()).open_subtransactions, current_user,
                  current_setting('work_mem'), current_setting('search_path'), current_setting('transaction_read_only'))
$$;
CREATE FUNCTION failing(depth int, form text, propagation text, mishap text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    body text := format('SET LOCAL work_mem = ''%sMB''; SET ROLE tx_hardening_role; SET search_path = pg_catalog; ', depth + 4) || mishap;
BEGIN
    FOR i IN REVERSE depth .. 1 LOOP
        -- not quoted by %L: each level would double all quotes
        body := format('INSERT INTO public.ledger VALUES (%1$s); SET LOCAL work_mem = ''%2$sMB''; SELECT corm.%3$s(corm.tx(%4$L), $q%1$s$%5$s$q%1$s$)',
                       i, i + 64, form, propagation, body);
    END LOOP;
    RETURN body;
END $$;
CREATE FUNCTION check_failures() RETURNS TABLE (form text, propagation text, mishap text, depths bigint, wrong text)
LANGUAGE plpgsql AS $$
DECLARE
    before text;
    depth int;
    state text;
BEGIN
    FOREACH form IN ARRAY '{do_tx,try_tx}'::text[] LOOP
        FOREACH propagation IN ARRAY '{required,nested,mandatory,supports,requires_new}'::text[] LOOP
            FOREACH mishap IN ARRAY ARRAY['SELECT 1/0', 'SELECT no_such_column', 'RAISE', 'SELECT corm.set_rollback_only()',
                                          'INSERT INTO public.ledger VALUES (0), (0)', 'COMMIT'] LOOP
                depths := 0;
                wrong := NULL;
                FOREACH depth IN ARRAY '{1,2,3,8,20}'::int[] LOOP
                    before := surroundings();
                    BEGIN
                        -- what a try_tx turned into data is undone by the error below
                        PERFORM corm.do_tx(corm.tx('nested'), failing(depth, form, propagation, mishap));
                        RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'came through';
                    EXCEPTION WHEN OTHERS THEN
                        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
                    END;
                    IF surroundings() <> before OR EXISTS (SELECT FROM ledger) OR corm.do_tx('SELECT 1 AS works')::text <> '[{"works": 1}]' THEN
                        wrong := concat_ws('; ', wrong, format('depth %s (%s): %s, not %s', depth, state, surroundings(), before));
                    END IF;
                    depths := depths + 1;
                END LOOP;
                RETURN NEXT;
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
SELECT count(*), sum(depths), string_agg(wrong, E'\n') AS wrong FROM check_failures();
BEGIN;
SELECT count(*), sum(depths), string_agg(wrong, E'\n') AS wrong FROM check_failures();
COMMIT;
-- at top level, and in session scopes
\set VERBOSITY sqlstate
SET work_mem = '7MB';
SELECT failing(5, 'do_tx', 'nested', 'SELECT 1/0') AS body \gset
SELECT corm.do_tx(:'body');
SELECT surroundings();
CALL corm.begin_tx();
CALL corm.begin_tx();
SELECT corm.do_tx(:'body');
ROLLBACK TO SAVEPOINT corm_tx_2;
SELECT surroundings();
SELECT ok, sqlstate FROM corm.try_tx(:'body');
SELECT surroundings();
CALL corm.rollback_tx();
CALL corm.commit_tx();
SELECT surroundings(), count(*) FROM ledger;
\set VERBOSITY default

-- hardening 24: scopes as deep as one likes: the stack is the limit, and says so
CREATE FUNCTION deeper(n int, propagation text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF n = 0 THEN
        RETURN corm.tx_depth();
    END IF;
    RETURN (corm.do_tx(corm.tx(propagation), format('SELECT deeper(%s, %L) AS depth', n - 1, propagation)) -> 0 ->> 'depth')::int;
END $$;
SET corm.subtransaction_warning = 0;
SELECT deeper(100, 'nested'), deeper(100, 'required');
SELECT sqlstate, message FROM corm.try_tx($$SELECT deeper(10000, 'nested')$$);
SELECT sqlstate, message FROM corm.try_tx($$SELECT deeper(10000, 'required')$$);
SELECT surroundings();
-- session scopes nest without recursion
\set ECHO none
SELECT 'CALL corm.begin_tx()' FROM generate_series(1, 2000) \gexec
\set ECHO all
SELECT corm.tx_depth(), (SELECT depth FROM corm.current_tx());
\set ECHO none
SELECT 'CALL corm.commit_tx()' FROM generate_series(1, 1999) \gexec
\set ECHO all
SELECT corm.tx_depth();
CALL corm.rollback_tx();
SELECT surroundings();

DROP TABLE ledger;
DROP ROLE tx_hardening_role;
