-- Running queries. Each verb takes its clauses as VARIADIC corm.query[], and has a twin without any.

CREATE FUNCTION corm.get(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_get' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get(anyelement, VARIADIC corm.query[]) IS
    'the first row as the type of t; ERROR P0002 if there is none, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.get(t anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_get' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get(anyelement) IS
    'the first row as the type of t; ERROR P0002 if there is none, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.one(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_one' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.one(anyelement, VARIADIC corm.query[]) IS
    'the only row as the type of t; ERROR P0002 if there is none, P0003 if there are more, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.one(t anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_one' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.one(anyelement) IS
    'the only row as the type of t; ERROR P0002 if there is none, P0003 if there are more, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.first(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_first' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first(anyelement, VARIADIC corm.query[]) IS
    'the first row as the type of t, by primary key unless ordered; NULL if there is none; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.first(t anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_first' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first(anyelement) IS
    'the first row as the type of t, by primary key unless ordered; NULL if there is none; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.get_multi(t anyelement, VARIADIC q corm.query[]) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_get_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi(anyelement, VARIADIC corm.query[]) IS
    'all rows as the type of t, also those that a write touched; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit, OR001 for a write without condition, OR002 for one of too many rows';

CREATE FUNCTION corm.get_multi(t anyelement) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_get_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi(anyelement) IS
    'all rows as the type of t, also those that a write touched; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit, OR001 for a write without condition, OR002 for one of too many rows';

CREATE FUNCTION corm.get_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_get_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_json(VARIADIC corm.query[]) IS
    'the first row as a JSON object; ERROR P0002 if there is none, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.first_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_first_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first_json(VARIADIC corm.query[]) IS
    'the first row as a JSON object, by primary key unless ordered; NULL if there is none; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.get_multi_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_get_multi_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi_json(VARIADIC corm.query[]) IS
    'all rows as a JSON array of objects; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit, OR001 for a write without condition, OR002 for one of too many rows';

CREATE FUNCTION corm.get_json_text(VARIADIC q corm.query[]) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_get_json_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_json_text(VARIADIC corm.query[]) IS
    'the first row as a JSON object, of type json: text for a client; ERROR P0002 if there is none, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.first_json_text(VARIADIC q corm.query[]) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_first_json_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first_json_text(VARIADIC corm.query[]) IS
    'the first row as a JSON object, of type json: text for a client; by primary key unless ordered; NULL if there is none; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.get_multi_json_text(VARIADIC q corm.query[]) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_get_multi_json_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi_json_text(VARIADIC corm.query[]) IS
    'all rows as a JSON array of objects, of type json: text for a client; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit, OR001 for a write without condition, OR002 for one of too many rows';

CREATE FUNCTION corm.value(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_value' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.value(anyelement, VARIADIC corm.query[]) IS
    'the one column of the first row as the type of t; NULL if there is no row; ERROR 42804 if the query has not one column, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.pluck(t anyelement, VARIADIC q corm.query[]) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_pluck' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.pluck(anyelement, VARIADIC corm.query[]) IS
    'the one column of all rows as the type of t; ERROR 42804 if the query has not one column, 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.count(VARIADIC q corm.query[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_count_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.count(VARIADIC corm.query[]) IS
    'the number of rows of the whole query; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.exists(VARIADIC q corm.query[]) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_exists' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.exists(VARIADIC corm.query[]) IS
    'true if the query has a row; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.exec(VARIADIC q corm.query[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_exec' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.exec(VARIADIC corm.query[]) IS
    'runs the query and returns the number of rows affected; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit, OR001 for a write without condition, OR002 for one of too many rows';

-- What would run

CREATE FUNCTION corm.to_sql(VARIADIC q corm.query[]) RETURNS text
    AS 'MODULE_PATHNAME', 'corm_to_sql' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.to_sql(VARIADIC corm.query[]) IS
    'the SQL that corm.exec() would run; nothing is executed; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.args(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_args' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.args(VARIADIC corm.query[]) IS
    'the values of $1, $2, ... in the SQL of corm.to_sql(), as a JSON array; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.explain(VARIADIC q corm.query[]) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'corm_explain' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.explain(VARIADIC corm.query[]) IS
    'EXPLAIN of the SQL of corm.to_sql(); nothing is executed; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit';

CREATE FUNCTION corm.explain_analyze(VARIADIC q corm.query[]) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'corm_explain_analyze' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.explain_analyze(VARIADIC corm.query[]) IS
    'EXPLAIN (ANALYZE) of the SQL of corm.to_sql(); this runs the query; ERROR 42703 for an unknown field, relation, scope or alias, 42601 for clauses that do not fit, OR001 for a write without condition, OR002 for one of too many rows';

-- Records

CREATE FUNCTION corm.insert(rec anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_insert' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert(anyelement) IS
    'inserts a record and returns the row; a NULL in a field with a default, identity or generation expression means to use it; ERROR 22004 for NULL, 42809 for a record of no model';

CREATE FUNCTION corm.insert_multi(recs anyarray) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_insert_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert_multi(anyarray) IS
    'inserts records and returns the rows in input order; ERROR OR003 if there are none, 22004 for NULL';

CREATE FUNCTION corm.insert_json(model regclass, data jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_insert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert_json(regclass, jsonb) IS
    'inserts a JSON object or an array of objects, keys being names of fields or relations, whose rows are inserted too, and returns the rows likewise; ERROR OR003 if there are none, 22004 for NULL, 22023 for other JSON, 42703 for an unknown key, OR012 for a field that cannot be written, OR013 for contradicting values and P0002 for a missing row in relations';

CREATE FUNCTION corm.set_related(model regclass, key jsonb, relation text, targets jsonb) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_set_related' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.set_related(regclass, jsonb, text, jsonb) IS
    'makes the rows linked to a row by a many_to_many relation exactly the given ones and returns the number of links changed; targets that hold more than a primary or unique key are inserted; ERROR 22004 for NULL, 42703 for an unknown relation or a key that is none, P0002 for a row that is not there, OR013 for contradicting values, 42809 for a relation of another kind, 22023 for other JSON';

CREATE FUNCTION corm.update(rec anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_update' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update(anyelement) IS
    'updates the row with the record''s primary key and returns it; ERROR P0002 if there is none, OR010 if the record is stale, OR011 if the model has no primary key';

CREATE FUNCTION corm.save(rec anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_save' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.save(anyelement) IS
    'inserts a record, or updates the row with its primary key, and returns the row; ERROR OR010 if the record is stale, OR011 if the model has no primary key';

CREATE FUNCTION corm.delete(rec anyelement) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_delete' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.delete(anyelement) IS
    'deletes the row with the record''s primary key; false if there is none; ERROR OR010 if the record is stale, OR011 if the model has no primary key';

CREATE FUNCTION corm.plan_cache_stats(OUT plans bigint, OUT hits bigint, OUT misses bigint, OUT evictions bigint)
    AS 'MODULE_PATHNAME', 'corm_plan_cache_stats' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION corm.plan_cache_stats() IS
    'the query plans that this session holds, and how often one was found, made and evicted';
