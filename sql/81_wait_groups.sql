-- Wait groups: counters in shared memory that sessions wait for. See group.c.

CREATE FUNCTION corm.wg_create(name text, n integer DEFAULT 0) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_wg_create';
COMMENT ON FUNCTION corm.wg_create(text, integer) IS
'Creates a wait group that the current role owns, with the count n. Others see it when the transaction commits. Errors: 42710 if it exists; 53400 if there are too many; 22023 for a negative count; 55000 if the library is not preloaded.';

CREATE FUNCTION corm.wg_add(name text, delta integer DEFAULT 1, immediate boolean DEFAULT false) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_wg_add';
COMMENT ON FUNCTION corm.wg_add(text, integer, boolean) IS
'Adds to the count of a wait group, at commit or at once. Errors: 42704 if it does not exist; 42501 unless the caller has the rights of its owner; 22023 if a negative delta would bring it below zero.';

CREATE FUNCTION corm.wg_done(name text, immediate boolean DEFAULT false) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_wg_done';
COMMENT ON FUNCTION corm.wg_done(text, boolean) IS
'Takes one from the count of a wait group, at commit or at once; at zero, those who wait for it wake. Errors: 42704 if it does not exist; 42501 unless the caller has the rights of its owner; 22023 if it would go below zero.';

CREATE FUNCTION corm.wg_wait(name text, timeout interval DEFAULT NULL) RETURNS boolean
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_wg_wait';
COMMENT ON FUNCTION corm.wg_wait(text, interval) IS
'Waits until the count of a wait group is zero. Returns false after the timeout, or after corm.max_wait. Errors: 42704 if it does not exist; 42501 unless the caller has the rights of its owner; 55000 if the current transaction has changed it, or if it is dropped.';

-- No defaults: with them, a call of the function would be ambiguous.
CREATE PROCEDURE corm.wg_wait(name text, timeout interval, INOUT done boolean)
	LANGUAGE C AS 'MODULE_PATHNAME', 'corm_wg_wait_call';
COMMENT ON PROCEDURE corm.wg_wait(text, interval, boolean) IS
'Waits until the count of a wait group is zero, without a snapshot and for as long as is asked. done is false after the timeout. Errors: 2D000 inside a transaction block; 25001 if the current transaction has uncommitted changes; 42704 if the group does not exist; 42501 unless the caller has the rights of its owner; 55000 if it is dropped.';

CREATE FUNCTION corm.wg_count(name text, OUT count bigint, OUT waiters integer) RETURNS record
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_wg_count';
COMMENT ON FUNCTION corm.wg_count(text) IS
'Returns the committed count of a wait group, tasks included, and how many sessions wait for it. Errors: 42704 if it does not exist; 42501 unless the caller has the rights of its owner.';

CREATE FUNCTION corm.wg_drop(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_wg_drop';
COMMENT ON FUNCTION corm.wg_drop(text) IS
'Drops a wait group, whatever its count, at commit; those who wait for it get an error. Errors: 42704 if it does not exist; 42501 unless the caller has the rights of its owner.';

CREATE FUNCTION corm.list_wait_groups(OUT name text, OUT owner oid, OUT count bigint, OUT waiters integer)
	RETURNS SETOF record
	LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'corm_wg_list';
COMMENT ON FUNCTION corm.list_wait_groups() IS
'Returns the wait groups of the database; see the view corm.wait_groups.';

CREATE VIEW corm.wait_groups AS
	SELECT name, owner::pg_catalog.regrole AS owner, count, waiters FROM corm.list_wait_groups();
COMMENT ON VIEW corm.wait_groups IS
'The wait groups of the database: name, owner, committed count, how many sessions wait; empty if the library is not preloaded';
GRANT SELECT ON corm.wait_groups TO PUBLIC;
