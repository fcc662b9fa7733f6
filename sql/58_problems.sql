-- Registrations that cannot be used.

CREATE FUNCTION corm.list_model_problems(
    OUT model regclass, OUT kind text, OUT object text, OUT problem text, OUT hint text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_model_problems';
COMMENT ON FUNCTION corm.list_model_problems() IS
    'Returns the rows of the view corm.model_problems.';

CREATE VIEW corm.model_problems AS
    SELECT p.model, p.kind, p.object, p.problem, p.hint
    FROM corm.list_model_problems() p;
COMMENT ON VIEW corm.model_problems IS
    'Registrations that cannot be used and fail in the queries that need them; model is NULL for those that concern all models';
GRANT SELECT ON corm.model_problems TO PUBLIC;
