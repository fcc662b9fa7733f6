-- Statistics of queries.

CREATE FUNCTION corm.list_stat_queries(
    OUT database_oid oid, OUT user_oid oid, OUT model text, OUT op text, OUT calls bigint, OUT rows bigint,
    OUT errors bigint, OUT plan_hits bigint, OUT compiled bigint, OUT total_time double precision, OUT min_time double precision,
    OUT max_time double precision, OUT mean_time double precision, OUT stddev_time double precision,
    OUT p50 double precision, OUT p95 double precision, OUT p99 double precision, OUT histogram jsonb)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'corm_list_stat_queries' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.list_stat_queries() IS
    'Returns the rows of the view corm.stat_queries, with OIDs of databases and roles.';

CREATE VIEW corm.stat_queries AS
    SELECT d.datname AS database, r.rolname AS role, s.model, s.op, s.calls, s.rows, s.errors, s.plan_hits, s.compiled,
        s.total_time, s.min_time, s.max_time, s.mean_time, s.stddev_time, s.p50, s.p95, s.p99, s.histogram
    FROM corm.list_stat_queries() s
    LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.database_oid
    LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.user_oid;
COMMENT ON VIEW corm.stat_queries IS
    'Statistics of queries since the last reset, by database, role, model and operation, with times in milliseconds; only members of pg_read_all_stats see those of other roles';
GRANT SELECT ON corm.stat_queries TO PUBLIC;

CREATE FUNCTION corm.stat_reset() RETURNS void
    AS 'MODULE_PATHNAME', 'corm_stat_reset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.stat_reset() IS
    'Discards the statistics of queries of all databases. Only superusers, and roles that they grant EXECUTE, may call it; others get 42501.';
REVOKE ALL ON FUNCTION corm.stat_reset() FROM PUBLIC;

CREATE FUNCTION corm.stat_info(
    OUT entries bigint, OUT max_entries bigint, OUT evictions bigint, OUT reset_at timestamptz)
    AS 'MODULE_PATHNAME', 'corm_stat_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.stat_info() IS
    'Returns the number of entries in the statistics and its limit, the number of entries evicted, and the time of the last reset; NULL if the library is not preloaded.';
