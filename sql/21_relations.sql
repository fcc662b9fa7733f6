-- Declared relations. Those that foreign keys express need no declaration.

CREATE TABLE corm.declared_relations (
    model                   corm.relation_ref NOT NULL,
    name                    text COLLATE "C" NOT NULL,
    kind                    text NOT NULL,
    target                  corm.relation_ref NOT NULL,
    columns                 text[] NOT NULL,
    target_columns          text[] NOT NULL,
    through                 corm.relation_ref,
    through_columns         text[],
    through_target_columns  text[],
    condition               corm.expr,
    PRIMARY KEY (model, name)
);
COMMENT ON TABLE corm.declared_relations IS 'Relations declared by corm.relate';
REVOKE ALL ON corm.declared_relations FROM PUBLIC;
GRANT SELECT ON corm.declared_relations TO pg_database_owner;
SELECT pg_catalog.pg_extension_config_dump('corm.declared_relations',
    'WHERE NOT EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[model, target, through]::oid[]) AS r(relid) WHERE relid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relid AND c.relpersistence OPERATOR(pg_catalog.<>) ''t''))');

CREATE TRIGGER catalog_change
    BEFORE INSERT OR UPDATE OR DELETE ON corm.declared_relations
    FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
    BEFORE TRUNCATE ON corm.declared_relations
    FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.declared_relations ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.declared_relations ENABLE ALWAYS TRIGGER catalog_truncate;

CREATE FUNCTION corm.relate(model regclass, name text, kind text, target regclass, columns text[], target_columns text[],
    through regclass DEFAULT NULL, through_columns text[] DEFAULT NULL, through_target_columns text[] DEFAULT NULL,
    condition corm.expr DEFAULT NULL) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_relate';
COMMENT ON FUNCTION corm.relate(regclass, text, text, regclass, text[], text[], regclass, text[], text[], corm.expr) IS
    'Declares a relation of a model, replacing a declared one of the same name. Errors: 42501 unless the caller owns the model; 22023 for an unknown kind or columns that do not match; 42703 for an unknown field, also in the condition; 42P17 for a condition that follows the relation itself; OR007 if a field has the name; 42809 for a relation that cannot be a model.';

CREATE FUNCTION corm.unrelate(model regclass, name text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_unrelate';
COMMENT ON FUNCTION corm.unrelate(regclass, text) IS
    'Drops a declared relation. Errors: 42501 unless the caller owns the model; 42703 if no relation of this name is declared.';

CREATE FUNCTION corm.describe_relation(model regclass, name text) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_describe_relation';
COMMENT ON FUNCTION corm.describe_relation(regclass, text) IS
    'Returns what corm knows about a relation. Errors: 42703 for an unknown relation, or a declared one whose columns no longer exist; OR007 if several relations claim the name; and those of corm.describe.';

CREATE FUNCTION corm.list_relations(
    OUT model regclass, OUT name text, OUT kind text, OUT target regclass, OUT columns text[], OUT target_columns text[],
    OUT through regclass) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_relations';
COMMENT ON FUNCTION corm.list_relations() IS
    'Returns the rows of the view corm.relations.';

CREATE VIEW corm.relations AS
    SELECT r.model, r.name, r.kind, r.target, r.columns, r.target_columns, r.through
    FROM corm.list_relations() r;
COMMENT ON VIEW corm.relations IS 'The relations of the models in corm.models';
GRANT SELECT ON corm.relations TO PUBLIC;
