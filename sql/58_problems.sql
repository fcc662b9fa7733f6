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

CREATE FUNCTION corm.help(topic text DEFAULT NULL) RETURNS TABLE (call text, description text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH functions AS (
        SELECT p.proname::text AS name,
               pg_catalog.format('corm.%s(%s)', p.proname,
                   (SELECT pg_catalog.string_agg(
                               CASE WHEN a.mode = 'v' THEN pg_catalog.format('%s, ...', coalesce(nullif(a.name, ''), 'values'))
                                    WHEN a.number > p.pronargs - p.pronargdefaults THEN pg_catalog.format('[%s]', a.name)
                                    ELSE a.name END, ', ' ORDER BY a.number)
                    FROM ROWS FROM (pg_catalog.unnest(p.proargnames),
                                    pg_catalog.unnest(coalesce(p.proargmodes::text[],
                                                               pg_catalog.array_fill('i'::text, ARRAY[coalesce(pg_catalog.cardinality(p.proargnames), 0)]))))
                         WITH ORDINALITY AS a (name, mode, number)
                    WHERE a.mode IN ('i', 'b', 'v'))) AS call,
               pg_catalog.regexp_replace(d.description, '(\. |; ERROR).*$', '') AS description
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        WHERE p.pronamespace = (SELECT pronamespace FROM pg_catalog.pg_proc WHERE oid = 'corm.exact_json(anyelement)'::pg_catalog.regprocedure)
          -- not what only the server calls, by its types
          AND p.prorettype::pg_catalog.regtype::text !~ '^(trigger|event_trigger|.string|bytea)$'
          AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes) AS t WHERE t::pg_catalog.regtype::text ~ '^(.string|.nternal)$')
          AND p.proname !~ '^(list_.*|.*_counters|json_get.*|json_path_text|cursor_text|same_order|guard_holds|value_left|is_not_true|to_jsonb|worker_list)$')
    SELECT f.call, pg_catalog.min(f.description)
    FROM functions f
    WHERE topic IS NULL OR pg_catalog.strpos(pg_catalog.lower(f.name), pg_catalog.lower(topic)) > 0
          OR pg_catalog.strpos(pg_catalog.lower(f.description), pg_catalog.lower(topic)) > 0
    GROUP BY f.name, f.call
    ORDER BY CASE WHEN pg_catalog.lower(f.name) = pg_catalog.lower(topic) THEN 0
                  WHEN pg_catalog.strpos(pg_catalog.lower(f.name), pg_catalog.lower(topic)) > 0 THEN 1 ELSE 2 END, f.name, pg_catalog.length(f.call), f.call
$$;
COMMENT ON FUNCTION corm.help(text) IS
    'Returns the functions of corm as one writes them, arguments that may be left out in brackets, with what each does; with a topic only those whose name or description has the text in it, best matches first.';
