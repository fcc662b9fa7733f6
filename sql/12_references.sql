-- Types for references to relations and roles in corm's catalogs. A name that does not exist is only a warning, so
-- that a dump of a part of a database, or one without roles, can be restored; see src/model/refs.c.

CREATE TYPE corm.relation_ref;
CREATE FUNCTION corm.relation_ref_in(cstring) RETURNS corm.relation_ref
    AS 'MODULE_PATHNAME', 'corm_relation_ref_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.relation_ref_in(cstring) IS 'Input function of corm.relation_ref.';
CREATE FUNCTION corm.relation_ref_out(corm.relation_ref) RETURNS cstring
    AS 'MODULE_PATHNAME', 'corm_relation_ref_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.relation_ref_out(corm.relation_ref) IS 'Output function of corm.relation_ref.';
CREATE FUNCTION corm.relation_ref_recv(internal) RETURNS corm.relation_ref
    AS 'MODULE_PATHNAME', 'corm_ref_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.relation_ref_recv(internal) IS 'Binary input function of corm.relation_ref.';
CREATE FUNCTION corm.relation_ref_send(corm.relation_ref) RETURNS bytea
    AS 'MODULE_PATHNAME', 'corm_ref_send' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.relation_ref_send(corm.relation_ref) IS 'Binary output function of corm.relation_ref.';
CREATE TYPE corm.relation_ref (
    INPUT = corm.relation_ref_in, OUTPUT = corm.relation_ref_out,
    RECEIVE = corm.relation_ref_recv, SEND = corm.relation_ref_send, LIKE = pg_catalog.oid
);
COMMENT ON TYPE corm.relation_ref IS 'A relation in a catalog of corm: like regclass, but the name of a relation that does not exist is only a warning';

CREATE CAST (corm.relation_ref AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (corm.relation_ref AS regclass) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (regclass AS corm.relation_ref) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TYPE corm.role_ref;
CREATE FUNCTION corm.role_ref_in(cstring) RETURNS corm.role_ref
    AS 'MODULE_PATHNAME', 'corm_role_ref_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.role_ref_in(cstring) IS 'Input function of corm.role_ref.';
CREATE FUNCTION corm.role_ref_out(corm.role_ref) RETURNS cstring
    AS 'MODULE_PATHNAME', 'corm_role_ref_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.role_ref_out(corm.role_ref) IS 'Output function of corm.role_ref.';
CREATE FUNCTION corm.role_ref_recv(internal) RETURNS corm.role_ref
    AS 'MODULE_PATHNAME', 'corm_ref_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.role_ref_recv(internal) IS 'Binary input function of corm.role_ref.';
CREATE FUNCTION corm.role_ref_send(corm.role_ref) RETURNS bytea
    AS 'MODULE_PATHNAME', 'corm_ref_send' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.role_ref_send(corm.role_ref) IS 'Binary output function of corm.role_ref.';
CREATE TYPE corm.role_ref (
    INPUT = corm.role_ref_in, OUTPUT = corm.role_ref_out,
    RECEIVE = corm.role_ref_recv, SEND = corm.role_ref_send, LIKE = pg_catalog.oid
);
COMMENT ON TYPE corm.role_ref IS 'A role in a catalog of corm: like regrole, but the name of a role that does not exist is only a warning';

CREATE CAST (corm.role_ref AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (corm.role_ref AS regrole) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (regrole AS corm.role_ref) WITHOUT FUNCTION AS ASSIGNMENT;

-- Triggers on the catalogs. Calling them directly does nothing, and firing them needs no privilege. They also fire
-- under session_replication_role = replica, because the contents of a catalog are always in force.

CREATE FUNCTION corm.on_catalog_change() RETURNS trigger
    LANGUAGE C AS 'MODULE_PATHNAME', 'corm_on_catalog_change';
COMMENT ON FUNCTION corm.on_catalog_change() IS
    'Trigger function: makes all sessions reload a catalog of corm after a write, and skips rows about objects that do not exist.';
REVOKE ALL ON FUNCTION corm.on_catalog_change() FROM PUBLIC;
