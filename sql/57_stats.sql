-- Statistics of queries.

CREATE FUNCTION corm.list_stat_queries(
    OUT database_oid oid, OUT user_oid oid, OUT model text, OUT op text, OUT calls bigint, OUT rows bigint,
    OUT errors bigint, OUT plan_hits bigint, OUT total_time double precision, OUT min_time double precision,
    OUT max_time double precision, OUT mean_time double precision, OUT stddev_time double precision,
    OUT p50 double precision, OUT p95 double precision, OUT p99 double precision, OUT histogram jsonb)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'corm_list_stat_queries' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.list_stat_queries() IS
    'Returns the statistics that the user may see, one row for each database, user, model and operation: the view corm.stat_queries.';

CREATE VIEW corm.stat_queries AS
    SELECT d.datname AS database, r.rolname AS role, s.model, s.op, s.calls, s.rows, s.errors, s.plan_hits,
        s.total_time, s.min_time, s.max_time, s.mean_time, s.stddev_time, s.p50, s.p95, s.p99, s.histogram
    FROM corm.list_stat_queries() s
    LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.database_oid
    LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.user_oid;
COMMENT ON VIEW corm.stat_queries IS
    'Queries since the last reset, by database, role, model and operation; times in milliseconds. Of other roles for members of pg_read_all_stats only';
GRANT SELECT ON corm.stat_queries TO PUBLIC;

CREATE FUNCTION corm.stat_reset() RETURNS void
    AS 'MODULE_PATHNAME', 'corm_stat_reset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.stat_reset() IS
    'Forgets all statistics of queries, of all databases. To be executed by superusers, and by whom they grant it to.';
REVOKE ALL ON FUNCTION corm.stat_reset() FROM PUBLIC;

CREATE FUNCTION corm.stat_info(
    OUT entries bigint, OUT max_entries bigint, OUT evictions bigint, OUT reset_at timestamptz)
    AS 'MODULE_PATHNAME', 'corm_stat_info' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.stat_info() IS
    'Returns how many entries the statistics have and may have, how many have made room for others and when they were reset; NULL if the library is not preloaded.';
