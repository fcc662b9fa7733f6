-- The shared-memory cache. Two tables hold the definitions of caches and the privileges on them. Only the functions
-- below write them; see src/cache/catalog.c.

CREATE TABLE corm.cache_definitions (
	name text COLLATE "C" PRIMARY KEY,
	id bigint NOT NULL,
	owner corm.role_ref NOT NULL,
	ttl interval,
	max_bytes bigint,
	channel text NOT NULL,
	events text[] NOT NULL,
	closed boolean NOT NULL
);
COMMENT ON TABLE corm.cache_definitions IS 'Caches created by corm.cache_create; see the view corm.caches';
REVOKE ALL ON corm.cache_definitions FROM PUBLIC;
GRANT SELECT ON corm.cache_definitions TO pg_database_owner;

CREATE TABLE corm.cache_grants (
	cache text COLLATE "C" NOT NULL,
	grantee corm.role_ref NOT NULL,
	can_read boolean NOT NULL,
	can_write boolean NOT NULL,
	PRIMARY KEY (cache, grantee)
);
COMMENT ON TABLE corm.cache_grants IS 'Privileges on caches granted by corm.cache_grant; see the view corm.caches';
REVOKE ALL ON corm.cache_grants FROM PUBLIC;
GRANT SELECT ON corm.cache_grants TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.cache_definitions
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
	BEFORE TRUNCATE ON corm.cache_definitions
	FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.cache_definitions ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.cache_definitions ENABLE ALWAYS TRIGGER catalog_truncate;
CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.cache_grants
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
CREATE TRIGGER catalog_truncate
	BEFORE TRUNCATE ON corm.cache_grants
	FOR EACH STATEMENT EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.cache_grants ENABLE ALWAYS TRIGGER catalog_change;
ALTER TABLE corm.cache_grants ENABLE ALWAYS TRIGGER catalog_truncate;

SELECT pg_catalog.pg_extension_config_dump('corm.cache_definitions', '');
SELECT pg_catalog.pg_extension_config_dump('corm.cache_grants', '');

-- Caches

CREATE FUNCTION corm.cache_create(name text, ttl interval DEFAULT NULL, max_bytes bigint DEFAULT NULL,
	channel text DEFAULT 'corm_cache', events text[] DEFAULT '{deleted,expired,evicted}') RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_create';
COMMENT ON FUNCTION corm.cache_create(text, interval, bigint, text, text[]) IS
'Creates a cache that the current role owns. ttl is the default time to live of its entries, max_bytes its limit. Errors: 42710 if it exists; 53400 if there are too many caches; 22023 for an invalid ttl, limit or event.';

CREATE FUNCTION corm.cache_drop(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_drop';
COMMENT ON FUNCTION corm.cache_drop(text) IS
'Drops a cache and its entries. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 2BP01 for the cache default.';

CREATE FUNCTION corm.cache_close(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_close';
COMMENT ON FUNCTION corm.cache_close(text) IS
'Empties a cache and refuses all operations on it until it is opened. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 55000 if it is already closed.';

CREATE FUNCTION corm.cache_open(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_open';
COMMENT ON FUNCTION corm.cache_open(text) IS
'Opens a closed cache. Errors: 42704 if it does not exist; 42501 unless the caller owns it; 55000 if it is already open.';

CREATE FUNCTION corm.cache_grant(cache text, grantee regrole, privileges text[]) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_grant';
COMMENT ON FUNCTION corm.cache_grant(text, regrole, text[]) IS
'Grants read, write or both on a cache to a role; ''-'' means PUBLIC. Errors: 42704 if the cache does not exist; 42501 unless the caller owns it; 22023 for any other privilege.';

CREATE FUNCTION corm.cache_revoke(cache text, grantee regrole, privileges text[]) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_revoke';
COMMENT ON FUNCTION corm.cache_revoke(text, regrole, text[]) IS
'Revokes read, write or both on a cache from a role; ''-'' means PUBLIC. Errors: 42704 if the cache does not exist; 42501 unless the caller owns it; 22023 for any other privilege.';

-- Entries

CREATE FUNCTION corm.cache_set(key text, value anyelement, ttl interval DEFAULT NULL,
	cache text DEFAULT 'default', immediate boolean DEFAULT false, depends regclass[] DEFAULT NULL) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_set';
COMMENT ON FUNCTION corm.cache_set(text, anyelement, interval, text, boolean, regclass[]) IS
'Stores a value at commit, or at once if immediate is true. Without ttl, the default of the cache applies. With depends, the entry ends when a commit changes one of these tables, and nothing is stored if one has changed since the transaction began. Errors: 22004 for NULL; 22023 for a ttl that is not positive; 22008 for one that is too long; 54000 for a key or value that is too large; 42804 for an anonymous record; 53200 if the cache is full; 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded; for depends 22004 and 22023 for NULL and nothing in it, 42P01 for what does not exist, 42501 without SELECT, 0A000 for what cannot be followed.';

CREATE FUNCTION corm.cache_set(key text, value text, ttl interval DEFAULT NULL,
	cache text DEFAULT 'default', immediate boolean DEFAULT false, depends regclass[] DEFAULT NULL) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_set';
COMMENT ON FUNCTION corm.cache_set(text, text, interval, text, boolean, regclass[]) IS
'Stores a text, as given by a string literal or an untyped parameter, at commit, or at once if immediate is true, with depends as in the other form. Errors: 22004 for NULL; 22023 for a ttl that is not positive; 22008 for one that is too long; 54000 for a key or value that is too large; 42804 for an anonymous record; 53200 if the cache is full; 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_add(key text, value anyelement, ttl interval DEFAULT NULL,
	cache text DEFAULT 'default', immediate boolean DEFAULT false) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_add';
COMMENT ON FUNCTION corm.cache_add(text, anyelement, interval, text, boolean) IS
'Stores a value if the key is absent, and returns whether it was. Errors: those of corm.cache_set, such as 53200.';

CREATE FUNCTION corm.cache_add(key text, value text, ttl interval DEFAULT NULL,
	cache text DEFAULT 'default', immediate boolean DEFAULT false) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_add';
COMMENT ON FUNCTION corm.cache_add(text, text, interval, text, boolean) IS
'Stores a text if the key is absent, and returns whether it was. Errors: those of corm.cache_set, such as 53200.';

CREATE FUNCTION corm.cache_replace(key text, value anyelement, ttl interval DEFAULT NULL,
	cache text DEFAULT 'default', immediate boolean DEFAULT false) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_replace';
COMMENT ON FUNCTION corm.cache_replace(text, anyelement, interval, text, boolean) IS
'Stores a value if the key is present, and returns whether it was. Errors: those of corm.cache_set, such as 53200.';

CREATE FUNCTION corm.cache_replace(key text, value text, ttl interval DEFAULT NULL,
	cache text DEFAULT 'default', immediate boolean DEFAULT false) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_replace';
COMMENT ON FUNCTION corm.cache_replace(text, text, interval, text, boolean) IS
'Stores a text if the key is present, and returns whether it was. Errors: those of corm.cache_set, such as 53200.';

CREATE FUNCTION corm.cache_get(key text, cache text DEFAULT 'default') RETURNS text
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_get';
COMMENT ON FUNCTION corm.cache_get(text, text) IS
'Returns the value of a key as text, or NULL if there is no such entry. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_get_as(t anyelement, key text, cache text DEFAULT 'default') RETURNS anyelement
	LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_get_as';
COMMENT ON FUNCTION corm.cache_get_as(anyelement, text, text) IS
'Returns the value of a key in the type of t, or NULL if there is no such entry. Errors: 42804 if the value is of another type; 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_delete(key text, cache text DEFAULT 'default', immediate boolean DEFAULT false) RETURNS text
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_delete';
COMMENT ON FUNCTION corm.cache_delete(text, text, boolean) IS
'Deletes a key at commit, or at once if immediate is true, and returns its value; NULL if there is no such entry or the caller may not read the cache. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_exists(key text, cache text DEFAULT 'default') RETURNS boolean
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_exists';
COMMENT ON FUNCTION corm.cache_exists(text, text) IS
'Returns true if a key exists and has not expired. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_ttl(key text, cache text DEFAULT 'default') RETURNS interval
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_ttl';
COMMENT ON FUNCTION corm.cache_ttl(text, text) IS
'Returns the time that a key has left; NULL if it does not exist or never expires, which corm.cache_info distinguishes. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_expire(key text, ttl interval, cache text DEFAULT 'default') RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_expire';
COMMENT ON FUNCTION corm.cache_expire(text, interval, text) IS
'Gives a key a new time to live, counted from now, at commit, and returns false if there is no such key. Errors: 22023 for a ttl that is not positive; 22008 for one that is too long; 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_persist(key text, cache text DEFAULT 'default') RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_persist';
COMMENT ON FUNCTION corm.cache_persist(text, text) IS
'Makes a key live forever, at commit, and returns false if there is no such key. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_info(key text, cache text DEFAULT 'default',
	OUT found boolean, OUT type regtype, OUT bytes bigint, OUT ttl interval, OUT created_at timestamptz)
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_info';
COMMENT ON FUNCTION corm.cache_info(text, text) IS
'Returns whether an entry exists, its type, the size of its value in bytes, the time that it has left (NULL: it never expires) and when it was stored. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_incr(key text, by bigint DEFAULT 1, ttl interval DEFAULT NULL, cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_incr';
COMMENT ON FUNCTION corm.cache_incr(text, bigint, interval, text) IS
'Adds to an integer at once, and returns the sum. A missing key counts from 0; without ttl, the entry keeps the time that it has left. Errors: 22003 on overflow; 42804 if the value is not an integer; 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_decr(key text, by bigint DEFAULT 1, ttl interval DEFAULT NULL, cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_decr';
COMMENT ON FUNCTION corm.cache_decr(text, bigint, interval, text) IS
'Subtracts from an integer at once, and returns the difference; otherwise as corm.cache_incr. Errors: 22003 on overflow; 42804 if the value is not an integer; 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_get_many(keys text[], cache text DEFAULT 'default', OUT key text, OUT value text) RETURNS SETOF record
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 100 AS 'MODULE_PATHNAME', 'corm_cache_get_many';
COMMENT ON FUNCTION corm.cache_get_many(text[], text) IS
'Returns a row for each key, in the order given, with NULL for a key that does not exist. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_set_many(entries jsonb, ttl interval DEFAULT NULL, cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_set_many';
COMMENT ON FUNCTION corm.cache_set_many(jsonb, interval, text) IS
'Stores the members of a JSON object at commit, strings as text and other values as jsonb, and returns their number. Errors: 22023 if entries is not an object; and those of corm.cache_set.';

CREATE FUNCTION corm.cache_set_many(entries json, ttl interval DEFAULT NULL, cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_set_many';
COMMENT ON FUNCTION corm.cache_set_many(json, interval, text) IS
'Stores the members of a JSON object at commit, strings as text and other values as jsonb, and returns their number. Errors: 22023 if entries is not an object; and those of corm.cache_set.';

CREATE FUNCTION corm.cache_set_many(entries text, ttl interval DEFAULT NULL, cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_set_many';
COMMENT ON FUNCTION corm.cache_set_many(text, interval, text) IS
'Stores the members of a JSON object at commit, strings as text and other values as jsonb, and returns their number. Errors: 22023 if entries is not an object; and those of corm.cache_set.';

CREATE FUNCTION corm.cache_keys(pattern text DEFAULT NULL, cache text DEFAULT 'default') RETURNS SETOF text
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000 AS 'MODULE_PATHNAME', 'corm_cache_keys';
COMMENT ON FUNCTION corm.cache_keys(text, text) IS
'Returns the keys that match a LIKE pattern (NULL: all) and have not expired, in no particular order. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_count(cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_count';
COMMENT ON FUNCTION corm.cache_count(text) IS
'Returns the number of entries, including those that have expired but are not yet removed. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_clear(cache text DEFAULT 'default') RETURNS bigint
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_clear';
COMMENT ON FUNCTION corm.cache_clear(text) IS
'Removes all entries of a cache at commit, and returns their number. Errors: 42501 without the privilege; 42704 for an unknown cache; 55000 if the cache is closed or not preloaded.';

CREATE FUNCTION corm.cache_fetch(key text, loader text, ttl interval DEFAULT NULL, cache text DEFAULT 'default',
	depends regclass[] DEFAULT NULL) RETURNS text
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_fetch_depends';
COMMENT ON FUNCTION corm.cache_fetch(text, text, interval, text, regclass[]) IS
'Returns the value of a key. If there is no such entry, runs loader, an SQL query that returns one value, as the current role, and stores the value; NULL or no row is not stored. Only one session at a time loads a key. With depends, the value is used only while no commit has changed these tables. Errors: 21000 for more than one row; 42804 for more than one column; and those of the loader.';

CREATE FUNCTION corm.cache_fetch(key text, loader text, ttl interval, cache text, VARIADIC params "any") RETURNS text
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_fetch';
COMMENT ON FUNCTION corm.cache_fetch(text, text, interval, text, "any") IS
'Returns the value of a key, as corm.cache_fetch(text, text, interval, text) does, with the parameters $1, $2, ... for the loader. A NULL ttl means that of the cache. Errors: 42P02 for a parameter that was not given; and those of the other form.';

CREATE FUNCTION corm.cache_fetch(key text, loader text, ttl interval, cache text, VARIADIC params text[]) RETURNS text
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_fetch';
COMMENT ON FUNCTION corm.cache_fetch(text, text, interval, text, text[]) IS
'Returns the value of a key, as corm.cache_fetch(text, text, interval, text) does, with the parameters $1, $2, ... for the loader, whose types come from the context. Errors: 42P02 for a parameter that was not given; and those of the other form.';

CREATE FUNCTION corm.cache_fetch(key text, loader corm.query, ttl interval DEFAULT NULL, cache text DEFAULT 'default',
	depends regclass[] DEFAULT NULL) RETURNS text
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_cache_fetch_query';
COMMENT ON FUNCTION corm.cache_fetch(text, corm.query, interval, text, regclass[]) IS
'Returns the value of a key. If there is no such entry, runs loader, a query that reads one value, and stores that; NULL or no row is not stored. Only one session at a time loads a key. With depends, the value is used only while no commit has changed these tables. Errors: P0003 for more than one row; 42804 for more than one column; 22023 for a query that writes; and those of the query.';

-- Inspection

CREATE FUNCTION corm.cache_counters(OUT id bigint, OUT entries bigint, OUT bytes bigint, OUT hits bigint,
	OUT misses bigint, OUT sets bigint, OUT deleted bigint, OUT expired bigint, OUT swept bigint,
	OUT evicted bigint, OUT cleared bigint) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10 AS 'MODULE_PATHNAME', 'corm_cache_counters';
COMMENT ON FUNCTION corm.cache_counters() IS
'Returns counters of the caches of the database by internal number; corm.cache_stats shows them by name.';

CREATE FUNCTION corm.fresh_counters(OUT id bigint, OUT hits bigint, OUT absent bigint, OUT expired bigint,
	OUT changed bigint, OUT committing bigint, OUT bypassed bigint) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10 AS 'MODULE_PATHNAME', 'corm_fresh_counters';
COMMENT ON FUNCTION corm.fresh_counters() IS
'Returns what became of calls that ask for fresh answers, by internal number of the cache; corm.fresh_stats shows it by name.';

CREATE FUNCTION corm.cache_status(OUT size_bytes bigint, OUT free_bytes bigint, OUT sweeper_pid int,
	OUT sweep_ticks bigint, OUT sweep_visited bigint, OUT sweep_removed bigint, OUT sweep_max_visited bigint,
	OUT sweep_max_batch bigint, OUT epoch bigint, OUT event_seq bigint, OUT events_pending bigint,
	OUT events_lost bigint, OUT notifier_pid int)
	LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_cache_status';
COMMENT ON FUNCTION corm.cache_status() IS
'Returns the state of the cache as a whole: memory, the work of the sweeper, and the events of the database. Errors: 55000 if the library is not preloaded.';

CREATE FUNCTION corm.cache_events(since bigint DEFAULT 0, OUT seq bigint, OUT cache text, OUT key text,
	OUT reason text, OUT at timestamptz) RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000 AS 'MODULE_PATHNAME', 'corm_cache_events';
COMMENT ON FUNCTION corm.cache_events(bigint) IS
'Returns the events of the database with a greater number than since that are still in memory, oldest first. For caches that the caller may not read, it shows the SHA-256 of the key. Errors: 55000 if the library is not preloaded.';

CREATE FUNCTION corm.cache_check() RETURNS SETOF text
	LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1 AS 'MODULE_PATHNAME', 'corm_cache_check_sql';
COMMENT ON FUNCTION corm.cache_check() IS
'Checks the data structures of the cache and returns a row for each violated invariant. Writes to the cache wait while it runs. Errors: 55000 if the library is not preloaded.';
REVOKE EXECUTE ON FUNCTION corm.cache_check() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION corm.cache_check() TO pg_monitor;

CREATE FUNCTION corm.wait_ready(timeout interval DEFAULT '10s') RETURNS boolean
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'corm_wait_ready';
COMMENT ON FUNCTION corm.wait_ready(interval) IS
'Waits until the background workers of corm run, and returns false if they do not within the timeout. Errors: 55000 if the library is not preloaded.';

CREATE VIEW corm.caches AS
	SELECT d.name, d.owner::pg_catalog.regrole AS owner, d.ttl, d.max_bytes, d.channel, d.events, d.closed,
		(SELECT pg_catalog.array_agg(pg_catalog.concat(
				CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC' ELSE g.grantee::pg_catalog.text END, '=',
				pg_catalog.concat_ws('/', CASE WHEN g.can_read THEN 'read' END, CASE WHEN g.can_write THEN 'write' END))
				ORDER BY g.grantee::pg_catalog.oid)
			FROM corm.cache_grants g WHERE g.cache OPERATOR(pg_catalog.=) d.name) AS grants
	FROM corm.cache_definitions d
	UNION ALL
	SELECT 'default' AS name, db.datdba::pg_catalog.regrole, NULL, NULL, 'corm_cache', '{deleted,expired,evicted}', false, '{PUBLIC=read/write}'
	FROM pg_catalog.pg_database db
	WHERE db.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
		AND NOT EXISTS (SELECT FROM corm.cache_definitions d WHERE d.name OPERATOR(pg_catalog.=) 'default');
COMMENT ON VIEW corm.caches IS 'The caches of the database, with their owners, settings and privileges';

CREATE VIEW corm.cache_stats AS
	SELECT d.name AS cache, c.entries, c.bytes, c.hits, c.misses, c.sets, c.deleted, c.expired, c.swept, c.evicted, c.cleared
	FROM corm.cache_counters() c
	JOIN (SELECT n.name, n.id FROM corm.cache_definitions n
		UNION SELECT 'default' AS name, 1::pg_catalog.int8) d ON d.id OPERATOR(pg_catalog.=) c.id
	UNION ALL
	SELECT '(query results)', c.entries, c.bytes, c.hits, c.misses, c.sets, c.deleted, c.expired, c.swept, c.evicted, c.cleared
	FROM corm.cache_counters() c
	WHERE c.id OPERATOR(pg_catalog.=) 2::pg_catalog.int8;
COMMENT ON VIEW corm.cache_stats IS 'Counters of the caches of the database that have been used since the server started';

CREATE VIEW corm.fresh_stats AS
	SELECT d.name AS cache, c.hits, c.absent, c.expired, c.changed, c.committing, c.bypassed
	FROM corm.fresh_counters() c
	JOIN (SELECT n.name, n.id FROM corm.cache_definitions n
		UNION SELECT 'default' AS name, 1::pg_catalog.int8
		UNION SELECT '(query results)', 2::pg_catalog.int8) d ON d.id OPERATOR(pg_catalog.=) c.id
	WHERE c.hits OPERATOR(pg_catalog.+) c.absent OPERATOR(pg_catalog.+) c.expired OPERATOR(pg_catalog.+) c.changed
		OPERATOR(pg_catalog.+) c.committing OPERATOR(pg_catalog.+) c.bypassed OPERATOR(pg_catalog.>) 0::pg_catalog.int8;
COMMENT ON VIEW corm.fresh_stats IS 'What became of calls that ask for fresh answers, since the server started: hits; misses because there was no entry, it had expired, a commit had changed what it depends on, or such a commit was under way; and calls that did not use the cache';

GRANT SELECT ON corm.caches, corm.cache_stats, corm.fresh_stats TO PUBLIC;
