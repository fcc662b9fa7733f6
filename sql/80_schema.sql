-- Schema tools: tables from types.

CREATE FUNCTION corm.auto_migrate(VARIADIC models regclass[], OUT step integer, OUT sql text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_auto_migrate';
COMMENT ON FUNCTION corm.auto_migrate(regclass[]) IS
    'Makes the tables that composite types describe by their tags, or adds to them what is missing, and returns what was done. Drops and rewrites nothing. Errors: 42501 unless the caller owns the types; 42809 for what is no composite type or describes no table; OR005 for a bad tag; and those of the statements.';

CREATE FUNCTION corm.migrate(models regclass[], options jsonb DEFAULT '{}', OUT step integer, OUT sql text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_migrate';
COMMENT ON FUNCTION corm.migrate(regclass[], jsonb) IS
    'The same as corm.auto_migrate, with options: drop allows to drop what the types do not have, rewrite to rewrite tables. Errors: OR006 for an invalid option; and those of corm.auto_migrate.';

CREATE FUNCTION corm.migrate_plan(models regclass[], options jsonb DEFAULT '{}', OUT step integer, OUT sql text,
    OUT safe boolean, OUT note text) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_migrate_plan';
COMMENT ON FUNCTION corm.migrate_plan(regclass[], jsonb) IS
    'Returns what corm.migrate would do with these options, without doing it; step and sql are NULL for what it would hold back. With online, the steps let others work, and are to be run one by one. Errors: OR005, OR006, 42809.';

CREATE FUNCTION corm.model_ddl(model regclass) RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_model_ddl';
COMMENT ON FUNCTION corm.model_ddl(regclass) IS
    'Returns the SQL that would make a model in an empty database: a table or view as it is, or a composite type with the table that it describes. Errors: 42501 for a table that the caller cannot use or that has hidden fields and another owner; 42809 for what is no table, view or composite type; OR005 for a bad tag.';

CREATE FUNCTION corm.erd(models regclass[] DEFAULT '{}', format text DEFAULT 'mermaid') RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_erd';
COMMENT ON FUNCTION corm.erd(regclass[], text) IS
    'Returns an entity-relationship diagram of models, or of all on the search_path, for Mermaid or Graphviz (mermaid, dot). Errors: 22023 for another format; 42501 for a model that the caller cannot use; and those of the models.';

CREATE FUNCTION corm.client_types(language text, models regclass[] DEFAULT '{}') RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_client_types';
COMMENT ON FUNCTION corm.client_types(text, regclass[]) IS
    'Returns types for the JSON documents of models, or of all on the search_path, in typescript, python, go or proto. Errors: 22023 for another language; 42501 for a model that the caller cannot use; and those of the models.';

-- Help: what the documentation says, searched by name or by what people want to do.

CREATE FUNCTION corm.list_help(OUT name text, OUT signature text, OUT section text, OUT summary text, OUT example text,
    OUT tasks text, OUT words text)
    RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'corm_list_help';
COMMENT ON FUNCTION corm.list_help() IS
    'Returns what the documentation says of each function, the tasks that it is for, and words to find it by.';

CREATE FUNCTION corm.help(what text DEFAULT NULL, OUT name text, OUT signature text, OUT section text, OUT summary text, OUT example text)
    RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH asked AS (
        SELECT regexp_replace(lower(btrim(what)), '^corm\.', '') AS text
    ), synonyms (word, others) AS (
        VALUES ('child', 'related'), ('children', 'related'), ('parent', 'related'), ('include', 'preload'), ('eager', 'preload'), ('fetch', 'read'),
            ('paginate', 'page'), ('pagination', 'page'), ('partial', 'patch'), ('merge', 'upsert'), ('group', 'aggregate'), ('total', 'sum'),
            ('tenant', 'guard'), ('remove', 'delete'), ('restore', 'deleted'), ('migration', 'migrate'), ('schema', 'table'), ('association', 'relation'),
            ('callback', 'hook'), ('trigger', 'hook'), ('validate', 'hook'), ('atomic', 'transaction'), ('create', 'insert'), ('find', 'fetch'),
            ('search', 'filter'), ('diagram', 'erd'), ('class', 'type'), ('queue', 'task'), ('job', 'task')
    ), lexemes AS (
        -- of each word, and of another one for it; words that say nothing ("the") have none
        SELECT string_agg(quote_literal(l.lexeme), ' | ') AS either
        FROM asked, regexp_split_to_table(asked.text, '[^[:alnum:]]+') WITH ORDINALITY w (word, place)
            LEFT JOIN synonyms s ON s.word = w.word OR s.word || 's' = w.word,
            unnest(tsvector_to_array(to_tsvector('english', concat_ws(' ', w.word, s.others)))) AS l (lexeme)
        GROUP BY w.place
    ), queries AS (
        SELECT string_agg('(' || either || ')', ' & ')::tsquery AS every, string_agg(either, ' | ')::tsquery AS any FROM lexemes
    ), entries AS (
        SELECT h.*, substr(h.name, 6) AS bare, row_number() OVER () AS place,
            setweight(to_tsvector('english', replace(h.name, '_', ' ')), 'A') || setweight(to_tsvector('english', coalesce(h.tasks, '')), 'B') ||
                setweight(to_tsvector('english', coalesce(h.summary, '')), 'C') || to_tsvector('english', coalesce(h.words, '')) AS text
        FROM corm.list_help() h
    ), found AS (
        SELECT e.*, a.text AS asked,
            CASE WHEN e.bare = a.text THEN 6 WHEN a.text <> '' AND starts_with(e.bare, a.text) THEN 5
                 WHEN ts_filter(e.text, '{a,b}') @@ q.every THEN 4 WHEN ts_filter(e.text, '{a,b,c}') @@ q.every THEN 3
                 WHEN a.text <> '' AND strpos(e.bare, a.text) > 0 THEN 2 WHEN e.text @@ q.every THEN 1 ELSE 0 END AS kind,
            ts_filter(e.text, '{a,b}') @@ q.any AS similar, ts_rank('{0.05, 0.3, 0.8, 1}', e.text, q.any) AS rank
        FROM entries e, asked a, queries q
    )
    SELECT f.name, f.signature, f.section, f.summary, f.example
    FROM found f
    WHERE coalesce(f.asked, '') = '' OR f.kind > 0 OR
        NOT EXISTS (SELECT FROM found WHERE kind > 0) AND f.similar
    ORDER BY CASE WHEN coalesce(f.asked, '') = '' THEN 0 ELSE f.kind END DESC, CASE WHEN coalesce(f.asked, '') = '' THEN 0 ELSE f.rank END DESC, f.name, f.place
    $$;
COMMENT ON FUNCTION corm.help(text) IS
    'Returns what the documentation says of functions: those of a name, or that serve a task given in a few words; all if nothing is given.';

-- For extensions that have tags of their own, as corm_proto has.

CREATE FUNCTION corm.list_tags(model regclass, OUT attnum integer, OUT name text, OUT tags jsonb, OUT hidden boolean)
    RETURNS SETOF record
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'corm_list_tags';
COMMENT ON FUNCTION corm.list_tags(regclass) IS
    'Returns the tags of a relation (attnum 0) and of its columns. Errors: OR005 for an invalid tag.';
