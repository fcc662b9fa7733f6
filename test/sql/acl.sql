-- What PUBLIC may do with the extension's objects (hardening 5). It may execute the functions that docs/reference.md lists, which
-- a lint rule holds against the script, but for these:
\pset format unaligned
\pset tuples_only on
SELECT p.oid::regprocedure, (SELECT string_agg(grantee::regrole::text, ', ') FROM aclexplode(proacl) WHERE grantee <> proowner) FROM pg_proc p
WHERE pronamespace IN ('corm'::regnamespace, 'corm_ops'::regnamespace)
    AND NOT EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE a.grantee = 0)
ORDER BY p.oid::regprocedure::text COLLATE "C";
-- hardening 6: tables, views and sequences, with what PUBLIC may do; a privilege on a column would show too
SELECT c.oid::regclass, c.relkind, coalesce(string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), 'nothing')
FROM pg_class c LEFT JOIN aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a ON a.grantee = 0
WHERE relnamespace IN ('corm'::regnamespace, 'corm_ops'::regnamespace) AND relkind NOT IN ('i', 'c', 't')
GROUP BY c.oid, c.relkind ORDER BY c.oid::regclass::text COLLATE "C";
SELECT attrelid::regclass, attname, attacl FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
WHERE relnamespace IN ('corm'::regnamespace, 'corm_ops'::regnamespace) AND attacl IS NOT NULL;
-- Schemas, and types on which not everybody has USAGE
SELECT nspname, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
FROM pg_namespace, aclexplode(nspacl) a WHERE nspname LIKE 'corm%' AND a.grantee = 0 GROUP BY nspname ORDER BY nspname;
SELECT t.oid::regtype, typacl FROM pg_type t WHERE typnamespace IN ('corm'::regnamespace, 'corm_ops'::regnamespace) AND typacl IS NOT NULL;
-- The same through a role that has nothing else
CREATE ROLE regress_nobody;
SELECT count(*) > 0 AS some, bool_and(has_function_privilege('regress_nobody', p.oid, 'EXECUTE')) AS every
FROM pg_proc p WHERE pronamespace = 'corm'::regnamespace AND proacl IS NULL;
SET ROLE regress_nobody;
SELECT corm.stat_reset();
SELECT * FROM corm.model_options;
CREATE FUNCTION corm.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
DROP ROLE regress_nobody;
