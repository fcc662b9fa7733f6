-- Idempotency: results of bodies that run once for each key. Only the functions below write the table; see
-- src/tx/once.c.

CREATE TABLE corm.once_results (
	role corm.role_ref NOT NULL,
	key text COLLATE "C" NOT NULL,
	result jsonb,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (role, key)
);
COMMENT ON TABLE corm.once_results IS 'Results stored by corm.once, by role and key';
REVOKE ALL ON corm.once_results FROM PUBLIC;
GRANT SELECT ON corm.once_results TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.once_results
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.once_results ENABLE ALWAYS TRIGGER catalog_change;

SELECT pg_catalog.pg_extension_config_dump('corm.once_results', '');

CREATE FUNCTION corm.once(key text, body text) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_once';
COMMENT ON FUNCTION corm.once(text, text) IS
'Runs SQL in the current transaction, unless the current role has used the key before, and returns the rows of its last statement as a JSON array, or what the first call with the key returned. A call that failed or was rolled back does not count. Errors: those of the body; 40001 if a concurrent transaction has used the key, in REPEATABLE READ and SERIALIZABLE; 55000 if the body uses its own key; 54000 for a key of more than 1024 bytes; 25006 for a new key in a read-only transaction.';

CREATE FUNCTION corm.once(key text, body text, VARIADIC params "any") RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_once';
COMMENT ON FUNCTION corm.once(text, text, "any") IS
'Runs SQL with the parameters $1, $2, ... unless the current role has used the key before; otherwise as corm.once(text, text). Errors: those of the body; 40001 if a concurrent transaction has used the key, in REPEATABLE READ and SERIALIZABLE; 55000 if the body uses its own key; 54000 for a key of more than 1024 bytes; 25006 for a new key in a read-only transaction.';

CREATE FUNCTION corm.once(key text, body text, VARIADIC params text[]) RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_once';
COMMENT ON FUNCTION corm.once(text, text, text[]) IS
'Runs SQL with the parameters $1, $2, ..., whose types come from the context, unless the current role has used the key before; otherwise as corm.once(text, text). Errors: those of the body; 40001 if a concurrent transaction has used the key, in REPEATABLE READ and SERIALIZABLE; 55000 if the body uses its own key; 54000 for a key of more than 1024 bytes; 25006 for a new key in a read-only transaction.';

CREATE FUNCTION corm.once_forget(key text) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_once_forget';
COMMENT ON FUNCTION corm.once_forget(text) IS
'Forgets that the current role has used a key with corm.once. Returns false if it has not. Errors: 55000 if a body that runs with the key does this; 25006 in a read-only transaction.';

CREATE FUNCTION corm.once_purge(older_than interval, all_roles boolean DEFAULT false) RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_once_purge';
COMMENT ON FUNCTION corm.once_purge(interval, boolean) IS
'Forgets the keys of corm.once that the current role, or any role, used longer ago than an interval. Returns how many. Errors: 22023 for a negative interval; 42501 for the keys of all roles unless the caller is a superuser or owns the database; 25006 in a read-only transaction.';
