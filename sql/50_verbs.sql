-- Running queries. Each verb takes its clauses as VARIADIC corm.query[]; those with a result type also exist without
-- clauses.

CREATE FUNCTION corm.get(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_get' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get(anyelement, VARIADIC corm.query[]) IS
    'Returns the first row as a record. Errors: P0002 if there is none; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.get(t anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_get' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get(anyelement) IS
    'Returns the first row as a record. Errors: P0002 if there is none; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.one(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_one' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.one(anyelement, VARIADIC corm.query[]) IS
    'Returns the only row as a record. Errors: P0002 if there is none; P0003 if there is more than one; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.one(t anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_one' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.one(anyelement) IS
    'Returns the only row as a record. Errors: P0002 if there is none; P0003 if there is more than one; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.first(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_first' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first(anyelement, VARIADIC corm.query[]) IS
    'Returns the first row as a record, by primary key if the query has no order, or NULL if there is none. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.first(t anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_first' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first(anyelement) IS
    'Returns the first row as a record, by primary key if the query has no order, or NULL if there is none. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.get_multi(t anyelement, VARIADIC q corm.query[]) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_get_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi(anyelement, VARIADIC corm.query[]) IS
    'Returns all rows as records; of a write, the rows that were written. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together; OR001 for an update or delete without a condition; OR002 for a write of too many rows.';

CREATE FUNCTION corm.get_multi(t anyelement) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_get_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi(anyelement) IS
    'Returns all rows as records; of a write, the rows that were written. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together; OR001 for an update or delete without a condition; OR002 for a write of too many rows.';

CREATE FUNCTION corm.get_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_get_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_json(VARIADIC corm.query[]) IS
    'Returns the first row as a JSON object. Errors: P0002 if there is none; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.first_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_first_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first_json(VARIADIC corm.query[]) IS
    'Returns the first row as a JSON object, by primary key if the query has no order, or NULL if there is none. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.get_multi_json(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_get_multi_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi_json(VARIADIC corm.query[]) IS
    'Returns all rows as a JSON array of objects. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together; OR001 for an update or delete without a condition; OR002 for a write of too many rows.';

CREATE FUNCTION corm.get_json_text(VARIADIC q corm.query[]) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_get_json_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_json_text(VARIADIC corm.query[]) IS
    'Returns the first row as a JSON object, as json instead of jsonb. Errors: P0002 if there is none; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.first_json_text(VARIADIC q corm.query[]) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_first_json_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.first_json_text(VARIADIC corm.query[]) IS
    'Returns the first row as a JSON object, as json instead of jsonb, by primary key if the query has no order, or NULL if there is none. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.get_multi_json_text(VARIADIC q corm.query[]) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_get_multi_json_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.get_multi_json_text(VARIADIC corm.query[]) IS
    'Returns all rows as a JSON array of objects, as json instead of jsonb. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together; OR001 for an update or delete without a condition; OR002 for a write of too many rows.';

CREATE FUNCTION corm.value(t anyelement, VARIADIC q corm.query[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_value' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.value(anyelement, VARIADIC corm.query[]) IS
    'Returns the only column of the first row, cast to the type of t, or NULL if there is no row. Errors: 42804 if the query does not have exactly one column; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.pluck(t anyelement, VARIADIC q corm.query[]) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_pluck' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.pluck(anyelement, VARIADIC corm.query[]) IS
    'Returns the only column of all rows, cast to the type of t. Errors: 42804 if the query does not have exactly one column; 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.count(VARIADIC q corm.query[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_count_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.count(VARIADIC corm.query[]) IS
    'Returns the number of rows of a query. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.exists(VARIADIC q corm.query[]) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_exists' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.exists(VARIADIC corm.query[]) IS
    'Returns true if the query has a row. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.exec(VARIADIC q corm.query[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_exec' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.exec(VARIADIC corm.query[]) IS
    'Runs a query and returns the number of rows that it has written or read. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together; OR001 for an update or delete without a condition; OR002 for a write of too many rows.';

CREATE PROCEDURE corm.run(VARIADIC q corm.query[])
    AS 'MODULE_PATHNAME', 'corm_run_procedure' LANGUAGE C;
COMMENT ON PROCEDURE corm.run(VARIADIC corm.query[]) IS
    'Runs a query as a command of its own, whose completion tag is that of the query, such as UPDATE 5. Errors: those of corm.exec().';

-- By primary key

CREATE FUNCTION corm.find(t anyelement, VARIADIC key "any") RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_find' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.find(anyelement, VARIADIC "any") IS
    'Returns the row with a primary key, whose values are given in its order, as a record. Clauses such as corm.preload() may follow. Errors: P0002 if there is none, or a value is NULL; 22023 for another number of values than the key has fields; OR011 if the model has no primary key.';

CREATE FUNCTION corm.find(t anyelement, VARIADIC key text[]) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_find' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.find(anyelement, VARIADIC text[]) IS
    'Returns the row with a primary key, whose values are given in its order, as a record. Errors: P0002 if there is none, or a value is NULL; 22023 for another number of values than the key has fields; OR011 if the model has no primary key.';

CREATE FUNCTION corm.find_json(model regclass, VARIADIC key "any") RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_find_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.find_json(regclass, VARIADIC "any") IS
    'Returns the row with a primary key, whose values are given in its order, as a JSON object. Clauses such as corm.preload() may follow. Errors: P0002 if there is none, or a value is NULL; 22023 for another number of values than the key has fields; OR011 if the model has no primary key.';

CREATE FUNCTION corm.find_json(model regclass, VARIADIC key text[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_find_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.find_json(regclass, VARIADIC text[]) IS
    'Returns the row with a primary key, whose values are given in its order, as a JSON object. Errors: P0002 if there is none, or a value is NULL; 22023 for another number of values than the key has fields; OR011 if the model has no primary key.';

CREATE FUNCTION corm.find_multi(t anyelement, keys "any") RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_find_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.find_multi(anyelement, "any") IS
    'Returns the rows with the primary keys of an array, as records, in the order of the array; keys without a row are left out. Errors: 22004 for NULL; 42804 for keys of another type than the field; 42809 if the primary key has several fields; OR011 if the model has no primary key.';

CREATE FUNCTION corm.find_multi(t anyelement, keys text) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_find_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.find_multi(anyelement, text) IS
    'Returns the rows with the primary keys of an array given as text, as records, in the order of the array; keys without a row are left out. Errors: 22004 for NULL; 22P02 for text that is not an array; 42809 if the primary key has several fields; OR011 if the model has no primary key.';

-- What would run

CREATE FUNCTION corm.to_sql(VARIADIC q corm.query[]) RETURNS text
    AS 'MODULE_PATHNAME', 'corm_to_sql' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.to_sql(VARIADIC corm.query[]) IS
    'Returns the SQL that corm.exec would run. Nothing is executed. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.exact_json(value anyelement) RETURNS json
    AS 'MODULE_PATHNAME', 'corm_exact_json' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION corm.exact_json(anyelement) IS
    'Returns a value as to_json() does, but with strings for values of type bigint and numeric, also in rows and arrays. Returns NULL for NULL.';

CREATE FUNCTION corm.args(VARIADIC q corm.query[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_args' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.args(VARIADIC corm.query[]) IS
    'Returns the values of $1, $2, ... in the SQL of corm.to_sql, as a JSON array. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.explain(VARIADIC q corm.query[]) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'corm_explain' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.explain(VARIADIC corm.query[]) IS
    'Returns EXPLAIN of the SQL of corm.to_sql. Nothing is executed. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together.';

CREATE FUNCTION corm.explain_analyze(VARIADIC q corm.query[]) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'corm_explain_analyze' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.explain_analyze(VARIADIC corm.query[]) IS
    'Returns EXPLAIN (ANALYZE) of the SQL of corm.to_sql. This runs the query. Errors: 42703 for an unknown field, relation, scope or alias; 42601 for clauses that do not go together; OR001 for an update or delete without a condition; OR002 for a write of too many rows.';

CREATE FUNCTION corm.cached_explain(VARIADIC q corm.query[], OUT fresh boolean, OUT reason text)
    AS 'MODULE_PATHNAME', 'corm_cached_explain' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.cached_explain(VARIADIC corm.query[]) IS
    'Returns whether corm.cached(fresh => true) can answer the query from the cache in this transaction, and if not, why. The query need not have that clause; it is not run. Errors: those of corm.to_sql; 55000 if the library is not preloaded.';

-- Records

CREATE FUNCTION corm.insert(rec anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_insert' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert(anyelement) IS
    'Inserts a record and returns the row. A NULL in a field with a default, identity or generation expression means to use that. Errors: 22004 for NULL; 42809 if rec is not a record of a model.';

CREATE FUNCTION corm.insert_multi(recs anyarray) RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'corm_insert_multi' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert_multi(anyarray) IS
    'Inserts records with one statement and returns the rows in the order of the records. Errors: OR003 for an empty array; 22004 for NULL.';

CREATE FUNCTION corm.insert_json(model regclass, data jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_insert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert_json(regclass, jsonb) IS
    'Inserts a JSON object or an array of objects, whose keys name fields, or relations with rows to write along, and returns the rows in the same form. Errors: OR003 for an empty array; 22004 for NULL; 22023 for other JSON; 42703 for an unknown key; OR012 for a field that cannot be written; for relations, OR013 for contradicting values and P0002 for a row that does not exist.';

CREATE FUNCTION corm.insert_json(model regclass, data json) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_insert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert_json(regclass, json) IS
    'Inserts a JSON object or an array of objects, whose keys name fields, or relations with rows to write along, and returns the rows in the same form. Errors: OR003 for an empty array; 22004 for NULL; 22023 for other JSON; 42703 for an unknown key; OR012 for a field that cannot be written; for relations, OR013 for contradicting values and P0002 for a row that does not exist.';

CREATE FUNCTION corm.insert_json(model regclass, data text) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_insert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.insert_json(regclass, text) IS
    'Inserts a JSON object or an array of objects, whose keys name fields, or relations with rows to write along, and returns the rows in the same form. Errors: OR003 for an empty array; 22004 for NULL; 22023 for other JSON; 42703 for an unknown key; OR012 for a field that cannot be written; for relations, OR013 for contradicting values and P0002 for a row that does not exist.';

CREATE FUNCTION corm.update_json(model regclass, key jsonb, patch jsonb, allowed text[] DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_update_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update_json(regclass, jsonb, jsonb, text[]) IS
    'Changes the fields that a JSON object gives, and no others, of the row with a primary or unique key, and the related rows that it holds, and returns them. Errors: P0002 if there is no such row, or no such child; OR010 if the version that is given is not that of the row; OR012 for a field of the key with another value; 42703 for an unknown field; 42501 for one that is not allowed; 22004 for NULL, or a missing version where corm.require_version is on; 22023 for other JSON.';

CREATE FUNCTION corm.update_json(model regclass, key json, patch json, allowed text[] DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_update_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update_json(regclass, json, json, text[]) IS
    'Changes the fields that a JSON object gives, and no others, of the row with a primary or unique key, and the related rows that it holds, and returns them. Errors: P0002 if there is no such row, or no such child; OR010 if the version that is given is not that of the row; OR012 for a field of the key with another value; 42703 for an unknown field; 42501 for one that is not allowed; 22004 for NULL, or a missing version where corm.require_version is on; 22023 for other JSON.';

CREATE FUNCTION corm.update_json(model regclass, key text, patch text, allowed text[] DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_update_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update_json(regclass, text, text, text[]) IS
    'Changes the fields that a JSON object gives, and no others, of the row with a primary or unique key, and the related rows that it holds, and returns them. Errors: P0002 if there is no such row, or no such child; OR010 if the version that is given is not that of the row; OR012 for a field of the key with another value; 42703 for an unknown field; 42501 for one that is not allowed; 22004 for NULL, or a missing version where corm.require_version is on; 22023 for other JSON.';

CREATE FUNCTION corm.upsert_json(model regclass, data jsonb, conflict text[] DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_upsert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.upsert_json(regclass, jsonb, text[]) IS
    'Inserts a JSON object or an array of objects, or updates the rows with their primary key or the given one: the fields given, of which null is a value. Returns the rows in the same form. Errors: 42P10 if the fields are no unique key; 21000 for two rows of one key; OR003 for an empty array; OR011 if the model has no primary key; OR012 for a field that cannot be written; 42703 for an unknown field; 22004 for NULL; 22023 for other JSON.';

CREATE FUNCTION corm.upsert_json(model regclass, data json, conflict text[] DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_upsert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.upsert_json(regclass, json, text[]) IS
    'Inserts a JSON object or an array of objects, or updates the rows with their primary key or the given one: the fields given, of which null is a value. Returns the rows in the same form. Errors: 42P10 if the fields are no unique key; 21000 for two rows of one key; OR003 for an empty array; OR011 if the model has no primary key; OR012 for a field that cannot be written; 42703 for an unknown field; 22004 for NULL; 22023 for other JSON.';

CREATE FUNCTION corm.upsert_json(model regclass, data text, conflict text[] DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'corm_upsert_json' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.upsert_json(regclass, text, text[]) IS
    'Inserts a JSON object or an array of objects, or updates the rows with their primary key or the given one: the fields given, of which null is a value. Returns the rows in the same form. Errors: 42P10 if the fields are no unique key; 21000 for two rows of one key; OR003 for an empty array; OR011 if the model has no primary key; OR012 for a field that cannot be written; 42703 for an unknown field; 22004 for NULL; 22023 for other JSON.';

CREATE FUNCTION corm.set_related(model regclass, key jsonb, relation text, targets jsonb) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_set_related' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.set_related(regclass, jsonb, text, jsonb) IS
    'Links a row to exactly the given rows by a many_to_many relation and returns the number of links changed. A target that holds more than a primary or unique key is inserted. Errors: 22004 for NULL; 42703 for an unknown relation or a key that is not unique; P0002 for a row that does not exist; OR013 for contradicting values; 42809 for a relation of another kind; 22023 for other JSON.';

CREATE FUNCTION corm.set_related(model regclass, key json, relation text, targets json) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_set_related' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.set_related(regclass, json, text, json) IS
    'Links a row to exactly the given rows by a many_to_many relation and returns the number of links changed. A target that holds more than a primary or unique key is inserted. Errors: 22004 for NULL; 42703 for an unknown relation or a key that is not unique; P0002 for a row that does not exist; OR013 for contradicting values; 42809 for a relation of another kind; 22023 for other JSON.';

CREATE FUNCTION corm.set_related(model regclass, key text, relation text, targets text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'corm_set_related' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.set_related(regclass, text, text, text) IS
    'Links a row to exactly the given rows by a many_to_many relation and returns the number of links changed. A target that holds more than a primary or unique key is inserted. Errors: 22004 for NULL; 42703 for an unknown relation or a key that is not unique; P0002 for a row that does not exist; OR013 for contradicting values; 42809 for a relation of another kind; 22023 for other JSON.';

CREATE FUNCTION corm.update(rec anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_update' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.update(anyelement) IS
    'Updates the row with the primary key of the record and returns it. Errors: P0002 if there is no such row; OR010 if the record is stale; OR011 if the model has no primary key.';

CREATE FUNCTION corm.save(rec anyelement) RETURNS anyelement
    AS 'MODULE_PATHNAME', 'corm_save' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.save(anyelement) IS
    'Inserts a record, or updates the row with its primary key, and returns the row. Errors: OR010 if the record is stale; OR011 if the model has no primary key.';

CREATE FUNCTION corm.delete(rec anyelement) RETURNS boolean
    AS 'MODULE_PATHNAME', 'corm_delete' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION corm.delete(anyelement) IS
    'Deletes the row with the primary key of the record, and returns false if there is none. Errors: OR010 if the record is stale; OR011 if the model has no primary key.';

CREATE FUNCTION corm.plan_cache_stats(OUT plans bigint, OUT hits bigint, OUT misses bigint, OUT evictions bigint)
    AS 'MODULE_PATHNAME', 'corm_plan_cache_stats' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION corm.plan_cache_stats() IS
    'Returns the number of query plans that the session holds, and how often one was found, made and evicted.';
