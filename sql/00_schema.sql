-- The two schemas. Plain CREATE on purpose: if somebody made a schema of this name beforehand, its owner
-- could plant objects in it, so the installation must fail instead of adopting it.

CREATE SCHEMA corm;
COMMENT ON SCHEMA corm IS 'Models, queries and the rest of the object-relational mapper corm';

CREATE SCHEMA corm_ops;
COMMENT ON SCHEMA corm_ops IS 'Operators of corm.expr and corm.query; safe to have on a search_path';

GRANT USAGE ON SCHEMA corm, corm_ops TO PUBLIC;
