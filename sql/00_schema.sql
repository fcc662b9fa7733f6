-- The two schemas. CREATE has no IF NOT EXISTS on purpose: the owner of an existing schema of this name could have
-- placed objects in it, so the installation must fail instead of adopting it.

CREATE SCHEMA corm;
COMMENT ON SCHEMA corm IS 'Models, queries and the rest of the object-relational mapper corm';

CREATE SCHEMA corm_ops;
COMMENT ON SCHEMA corm_ops IS 'Operators of corm.expr and corm.query; safe to have on a search_path';

GRANT USAGE ON SCHEMA corm, corm_ops TO PUBLIC;
