-- Queries are runs of clauses; corm.pipe() and |> join them.


CREATE FUNCTION corm.pipe(VARIADIC queries corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_pipe' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.pipe(VARIADIC corm.query[]) IS
    'one query of several: all their clauses';

CREATE FUNCTION corm.pipe() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_pipe' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.pipe() IS
    'the empty query';

CREATE FUNCTION corm.pipe(a corm.query, b corm.query) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_pipe_two' LANGUAGE C IMMUTABLE PARALLEL SAFE STRICT;
COMMENT ON FUNCTION corm.pipe(corm.query, corm.query) IS
    'one query of two: the clauses of both';

-- Sources

CREATE FUNCTION corm.selector(model regclass, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.selector(regclass, text) IS
    'source: the rows of a model; the alias defaults to the name of its table';

CREATE FUNCTION corm.from_query(q corm.query, alias text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.from_query(corm.query, text) IS
    'source: the rows of another query';

CREATE FUNCTION corm.from_cte(name text, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.from_cte(text, text) IS
    'source: the rows of a query named by corm.with()';

CREATE FUNCTION corm.inserter(model regclass) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.inserter(regclass) IS
    'target: insert into a model; the rows are given by corm.set() or corm.rows()';

CREATE FUNCTION corm.updater(model regclass) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.updater(regclass) IS
    'target: update the rows of a model that satisfy corm.where()';

CREATE FUNCTION corm.deleter(model regclass) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.deleter(regclass) IS
    'target: delete the rows of a model that satisfy corm.where()';

CREATE FUNCTION corm.raw_query(sql text, VARIADIC "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.raw_query(text, VARIADIC "any") IS
    'source: one SQL statement, with $1, $2, ... for the values that follow; the text is trusted, the values are bound';

CREATE FUNCTION corm.raw_query(sql text, VARIADIC vals text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.raw_query(text, VARIADIC text[]) IS
    'source: one SQL statement, with $1, $2, ... for the values that follow; the text is trusted, the values are bound';

CREATE FUNCTION corm.raw_query(sql text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.raw_query(text) IS
    'source: one SQL statement; the text is trusted';

-- Clauses of a read

CREATE FUNCTION corm.select(VARIADIC "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.select(VARIADIC "any") IS
    'the fields or expressions to return';

CREATE FUNCTION corm.select(VARIADIC names text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.select(VARIADIC text[]) IS
    'the fields or expressions to return';

CREATE FUNCTION corm.distinct() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.distinct() IS
    'equal rows once';

CREATE FUNCTION corm.distinct_on(VARIADIC "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.distinct_on(VARIADIC "any") IS
    'the first row of each set of rows that agree in these fields or expressions';

CREATE FUNCTION corm.distinct_on(VARIADIC names text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.distinct_on(VARIADIC text[]) IS
    'the first row of each set of rows that agree in these fields or expressions';

CREATE FUNCTION corm.where(VARIADIC conditions corm.expr[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.where(VARIADIC corm.expr[]) IS
    'only rows that satisfy all conditions; several where clauses are ANDed too';

CREATE FUNCTION corm.where() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.where() IS
    'no condition; a write still needs one';

CREATE FUNCTION corm.join(model regclass, condition corm.expr, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.join(regclass, corm.expr, text) IS
    'INNER JOIN with the rows of a model, on a condition';

CREATE FUNCTION corm.left_join(model regclass, condition corm.expr, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.left_join(regclass, corm.expr, text) IS
    'LEFT JOIN with the rows of a model, on a condition';

CREATE FUNCTION corm.right_join(model regclass, condition corm.expr, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.right_join(regclass, corm.expr, text) IS
    'RIGHT JOIN with the rows of a model, on a condition';

CREATE FUNCTION corm.full_join(model regclass, condition corm.expr, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.full_join(regclass, corm.expr, text) IS
    'FULL JOIN with the rows of a model, on a condition';

CREATE FUNCTION corm.cross_join(model regclass, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cross_join(regclass, text) IS
    'CROSS JOIN with the rows of a model';

CREATE FUNCTION corm.join_query(q corm.query, condition corm.expr, alias text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.join_query(corm.query, corm.expr, text) IS
    'INNER JOIN with the rows of a query, on a condition';

CREATE FUNCTION corm.join_cte(name text, condition corm.expr, alias text DEFAULT NULL) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.join_cte(text, corm.expr, text) IS
    'INNER JOIN with the rows of a query named by corm.with(), on a condition';

CREATE FUNCTION corm.group_by(VARIADIC "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.group_by(VARIADIC "any") IS
    'one row for each set of rows that agree in these fields or expressions';

CREATE FUNCTION corm.group_by(VARIADIC names text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.group_by(VARIADIC text[]) IS
    'one row for each set of rows that agree in these fields or expressions';

CREATE FUNCTION corm.having(VARIADIC conditions corm.expr[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.having(VARIADIC corm.expr[]) IS
    'only groups that satisfy all conditions';

CREATE FUNCTION corm.having() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.having() IS
    'no condition on groups';

CREATE FUNCTION corm.order_by(VARIADIC "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.order_by(VARIADIC "any") IS
    'the order of the rows: field names (a leading - means descending) or corm.asc(), corm.desc() and other expressions';

CREATE FUNCTION corm.order_by(VARIADIC names text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.order_by(VARIADIC text[]) IS
    'the order of the rows: field names (a leading - means descending) or corm.asc(), corm.desc() and other expressions';

CREATE FUNCTION corm.limit(n bigint) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.limit(bigint) IS
    'at most n rows; NULL: all';

CREATE FUNCTION corm.offset(n bigint) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.offset(bigint) IS
    'skip n rows';

CREATE FUNCTION corm.for_update(mode text DEFAULT '') RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.for_update(text) IS
    'lock the rows for update; mode: ''nowait'' or ''skip locked''';

CREATE FUNCTION corm.for_share(mode text DEFAULT '') RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.for_share(text) IS
    'lock the rows against changes; mode: ''nowait'' or ''skip locked''';

CREATE FUNCTION corm.with(name text, q corm.query) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.with(text, corm.query) IS
    'name a query that from_cte and join_cte can use';

CREATE FUNCTION corm.with(name text, VARIADIC q corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.with(text, VARIADIC corm.query[]) IS
    'name a query that from_cte and join_cte can use';

CREATE FUNCTION corm.union(q corm.query) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.union(corm.query) IS
    'the rows of both queries, equal rows once';

CREATE FUNCTION corm.union(VARIADIC q corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.union(VARIADIC corm.query[]) IS
    'the rows of both queries, equal rows once';

CREATE FUNCTION corm.union_all(q corm.query) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.union_all(corm.query) IS
    'the rows of both queries';

CREATE FUNCTION corm.union_all(VARIADIC q corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.union_all(VARIADIC corm.query[]) IS
    'the rows of both queries';

CREATE FUNCTION corm.intersect(q corm.query) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.intersect(corm.query) IS
    'the rows that both queries have';

CREATE FUNCTION corm.intersect(VARIADIC q corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.intersect(VARIADIC corm.query[]) IS
    'the rows that both queries have';

CREATE FUNCTION corm.except(q corm.query) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.except(corm.query) IS
    'the rows that the given query has not';

CREATE FUNCTION corm.except(VARIADIC q corm.query[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.except(VARIADIC corm.query[]) IS
    'the rows that the given query has not';

-- Clauses of a write

CREATE FUNCTION corm.set(field text, value "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.set(text, "any") IS
    'set a field to a value or an expression; after corm.do_update() it belongs to that';

CREATE FUNCTION corm.set(field text, value text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.set(text, text) IS
    'set a field to a value or an expression; after corm.do_update() it belongs to that';

CREATE FUNCTION corm.rows(recs anyarray) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.rows(anyarray) IS
    'the rows to insert, as an array of the model''s row type';

CREATE FUNCTION corm.rows(data jsonb) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.rows(jsonb) IS
    'the rows to insert, as a JSON object or array of objects with field names as keys';

CREATE FUNCTION corm.rows(data text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.rows(text) IS
    'the rows to insert, as the text of a JSON object or array of objects with field names as keys';

CREATE FUNCTION corm.on_conflict(VARIADIC fields text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.on_conflict(VARIADIC text[]) IS
    'upsert: the fields whose unique key decides; followed by do_nothing(), do_select() or do_update()';

CREATE FUNCTION corm.on_conflict() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.on_conflict() IS
    'upsert: any unique key; followed by do_nothing()';

CREATE FUNCTION corm.on_conflict_where(condition corm.expr) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.on_conflict_where(corm.expr) IS
    'upsert: the predicate of a partial unique index';

CREATE FUNCTION corm.on_constraint(name text) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.on_constraint(text) IS
    'upsert: the constraint that decides; followed by do_nothing(), do_select() or do_update()';

CREATE FUNCTION corm.do_nothing() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.do_nothing() IS
    'upsert: leave rows that exist alone';

CREATE FUNCTION corm.do_update(VARIADIC fields text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.do_update(VARIADIC text[]) IS
    'upsert: update these fields of rows that exist; set() clauses that follow add to them';

CREATE FUNCTION corm.do_update() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.do_update() IS
    'upsert: update all given fields but the key, or what the set() clauses that follow say';

CREATE FUNCTION corm.returning() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.returning() IS
    'a write returns all fields of the rows that it wrote';

CREATE FUNCTION corm.returning(VARIADIC "any") RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.returning(VARIADIC "any") IS
    'the fields or expressions that a write returns';

CREATE FUNCTION corm.returning(VARIADIC names text[]) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.returning(VARIADIC text[]) IS
    'the fields or expressions that a write returns';

CREATE FUNCTION corm.all_rows() RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.all_rows() IS
    'permit a write without where()';

CREATE FUNCTION corm.max_rows(n bigint) RETURNS corm.query
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.max_rows(bigint) IS
    'refuse to write more than n rows: error OR002, and nothing changes';
