-- What is wrong with what was registered.

CREATE FUNCTION corm.list_model_problems(
    OUT model regclass, OUT kind text, OUT object text, OUT problem text, OUT hint text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_model_problems';
COMMENT ON FUNCTION corm.list_model_problems() IS
    'Returns what cannot be used of what was registered for the models that the user may use: the view corm.model_problems.';

CREATE VIEW corm.model_problems AS
    SELECT p.model, p.kind, p.object, p.problem, p.hint
    FROM corm.list_model_problems() p;
COMMENT ON VIEW corm.model_problems IS
    'What cannot be used of what was registered, and is an error where it is met; model is NULL for what is about all models';
GRANT SELECT ON corm.model_problems TO PUBLIC;
