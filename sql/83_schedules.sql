-- Schedules: tasks that are submitted again and again. See schedule.c.

CREATE TABLE corm.schedule_definitions (
	name text COLLATE "C" PRIMARY KEY,
	owner corm.role_ref NOT NULL,
	spec text NOT NULL,
	timezone text NOT NULL,
	overlap text NOT NULL,
	missed text NOT NULL,
	options corm.task_options,
	body text NOT NULL,
	ticker bigint NOT NULL,
	next_run timestamptz NOT NULL,
	last_run timestamptz,
	runs bigint NOT NULL,
	skipped bigint NOT NULL,
	error text
);
COMMENT ON TABLE corm.schedule_definitions IS 'Schedules made by corm.schedule; see the view corm.schedules';
REVOKE ALL ON corm.schedule_definitions FROM PUBLIC;
GRANT SELECT ON corm.schedule_definitions TO pg_database_owner;

CREATE TRIGGER catalog_change
	BEFORE INSERT OR UPDATE OR DELETE ON corm.schedule_definitions
	FOR EACH ROW EXECUTE FUNCTION corm.on_catalog_change();
ALTER TABLE corm.schedule_definitions ENABLE ALWAYS TRIGGER catalog_change;

SELECT pg_catalog.pg_extension_config_dump('corm.schedule_definitions', '');

CREATE FUNCTION corm.schedule(name text, spec text, opts corm.task_options, body text, timezone text DEFAULT NULL,
	overlap text DEFAULT 'skip', missed text DEFAULT 'skip') RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_schedule';
COMMENT ON FUNCTION corm.schedule(text, text, corm.task_options, text, text, text, text) IS
'Has a task submitted again and again: spec is a cron expression of five or six fields, @hourly and similar, or every and an interval. A schedule of that name is replaced. Errors: 22023 for an invalid specification, time zone or policy; 42501 if a schedule of that name is another role''s, or without the right to submit to the pool; OR006 for an option that a schedule cannot have.';

CREATE FUNCTION corm.unschedule(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_unschedule';
COMMENT ON FUNCTION corm.unschedule(text) IS
'Drops a schedule. Errors: 42704 if it does not exist; 42501 unless the caller owns it.';

CREATE FUNCTION corm.schedule_tick(name text) RETURNS void
	LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'corm_schedule_tick';
COMMENT ON FUNCTION corm.schedule_tick(text) IS
'Submits the task of a schedule whose time has come. The task that a schedule waits with calls it; called by others, it does nothing.';

CREATE VIEW corm.schedules AS
	SELECT s.name, s.owner::pg_catalog.regrole AS owner, s.spec, s.timezone, s.overlap, s.missed, s.next_run, s.last_run, s.runs, s.skipped,
		CASE WHEN pg_catalog.pg_has_role(s.owner::pg_catalog.regrole, 'USAGE') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN
			CASE WHEN t.id IS NULL THEN pg_catalog.format('task %s, with which it waits, is missing', s.ticker) ELSE coalesce(t.error, s.error) END
		END AS error
	FROM corm.schedule_definitions s LEFT JOIN corm.durable_tasks t ON t.id OPERATOR(pg_catalog.=) s.ticker;
COMMENT ON VIEW corm.schedules IS
'The schedules of the database: specification, when they are due next, when they last ran, how often they ran, how often a run was skipped, and why the last one could not be submitted; errors of other roles'' only with pg_read_all_stats';
GRANT SELECT ON corm.schedules TO PUBLIC;
