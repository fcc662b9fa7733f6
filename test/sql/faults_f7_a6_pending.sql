-- Values that a transaction has written and not yet committed.

SELECT corm.cache_create('pending', events => '{}');

\echo F7: a pending value whose type has changed since is a miss, however it is read
CREATE TYPE pending_pair AS (a int, b int);
CREATE DOMAIN pending_two AS pending_pair;
CREATE FUNCTION pending_reads(key text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', corm.cache_get(key, 'pending') IS NULL, corm.cache_get_as(NULL::pending_pair, key, 'pending') IS NULL, corm.cache_exists(key, 'pending'),
        (corm.cache_info(key, 'pending')).found, corm.cache_ttl(key, 'pending') IS NULL, corm.cache_expire(key, '1h', 'pending'), corm.cache_persist(key, 'pending'),
        (SELECT count(value) FROM corm.cache_get_many(ARRAY[key], 'pending')), corm.cache_delete(key, 'pending') IS NULL) $$;
BEGIN;
SELECT corm.cache_set('p', row(1, 2)::pending_pair, cache => 'pending'), corm.cache_set('q', ARRAY[row(1, 2)::pending_pair], cache => 'pending'),
    corm.cache_set('r', row(1, 2)::pending_pair, cache => 'pending'), corm.cache_set('i', row(1, 2)::pending_pair, cache => 'pending');
ALTER TYPE pending_pair ALTER ATTRIBUTE b TYPE text;
SELECT pending_reads('p'), pending_reads('q');
SELECT corm.cache_add('r', 'added', cache => 'pending'), corm.cache_get('r', 'pending');
SELECT corm.cache_replace('i', 'replaced', cache => 'pending'), corm.cache_incr('i', 5, cache => 'pending'), corm.cache_get('i', 'pending');
SELECT corm.cache_fetch('p', 'SELECT 7', cache => 'pending');
CREATE TABLE pending_copy AS SELECT corm.cache_get_as(NULL::pending_pair, 'q', 'pending') AS v;
SELECT * FROM pending_copy;
COMMIT;
SELECT corm.cache_get(k, 'pending') FROM unnest('{p,q,r,i}'::text[]) k;
DROP TABLE pending_copy;
BEGIN;
SELECT corm.cache_set('p', row(1, 'x')::pending_pair, cache => 'pending');
DROP FUNCTION pending_reads;
DROP TYPE pending_pair CASCADE;
SELECT corm.cache_get('p', 'pending'), corm.cache_exists('p', 'pending');
COMMIT;
SELECT corm.cache_get('p', 'pending');

\echo A6: writes of one key in exception blocks take the memory of one
CREATE FUNCTION pending_bytes() RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN sum(total_bytes) < 100000 THEN 'bounded' ELSE sum(total_bytes)::text END FROM pg_backend_memory_contexts WHERE name = 'corm pending operations' $$;
BEGIN;
DO $$
BEGIN
    FOR i IN 1..20000 LOOP
        BEGIN
            PERFORM corm.cache_set('one', i, cache => 'pending');
            BEGIN
                PERFORM corm.cache_set('one', -i, cache => 'pending');
                IF i % 3 = 0 THEN RAISE division_by_zero; END IF;
            EXCEPTION WHEN division_by_zero THEN NULL;
            END;
            IF i % 1000 = 7 THEN PERFORM corm.cache_delete('one', 'pending'); END IF;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    END LOOP;
END $$;
SELECT corm.cache_get('one', 'pending'), pending_bytes();
SAVEPOINT s;
DO $$
BEGIN
    FOR i IN 1..1000 LOOP
        BEGIN
            PERFORM corm.cache_set('one', 'inner ' || i, cache => 'pending');
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    END LOOP;
END $$;
SELECT corm.cache_get('one', 'pending');
ROLLBACK TO s;
SELECT corm.cache_get('one', 'pending');
SELECT corm.cache_set('one', 'last', cache => 'pending');
COMMIT;
SELECT corm.cache_get('one', 'pending');
\echo A6: and so do clears between them
BEGIN;
SELECT corm.cache_set('one', 'before', cache => 'pending');
DO $$
BEGIN
    FOR i IN 1..1000 LOOP
        BEGIN
            PERFORM corm.cache_clear('pending');
            IF i % 2 = 0 THEN PERFORM corm.cache_set('one', i, cache => 'pending'); END IF;
            IF i % 5 = 0 THEN RAISE division_by_zero; END IF;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    END LOOP;
END $$;
SELECT corm.cache_get('one', 'pending'), pending_bytes();
SAVEPOINT s;
SELECT corm.cache_clear('pending') >= 0;
SELECT corm.cache_get('one', 'pending');
ROLLBACK TO s;
SELECT corm.cache_clear('pending') >= 0;
SELECT corm.cache_set('one', 'after', cache => 'pending');
COMMIT;
SELECT corm.cache_get('one', 'pending'), corm.cache_count('pending');
DROP FUNCTION pending_bytes;
SELECT corm.cache_drop('pending');
SELECT * FROM corm.cache_check();
