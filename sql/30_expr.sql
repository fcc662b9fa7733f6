-- Expressions. Every value argument comes twice, as "any" and as text: literals and untyped parameters
-- resolve to the text form, and such a value takes the type of the field it meets.

-- Leaves

CREATE FUNCTION corm.c(name text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.c(text) IS
    'a field: ''field'', ''alias.field'' or ''relation.field''';

CREATE FUNCTION corm.val(value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.val("any") IS
    'a bound value';

CREATE FUNCTION corm.val(value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.val(text) IS
    'a bound value that takes the type of what it meets';

CREATE FUNCTION corm.raw(sql text, VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.raw(text, VARIADIC "any") IS
    'an SQL expression, with $1, $2, ... for the values that follow; the text is trusted, the values are bound';

CREATE FUNCTION corm.raw(sql text, VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.raw(text, VARIADIC text[]) IS
    'an SQL expression, with $1, $2, ... for the values that follow; the text is trusted, the values are bound';

CREATE FUNCTION corm.raw(sql text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.raw(text) IS
    'an SQL expression without values; the text is trusted';

CREATE FUNCTION corm.fn(name text, VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.fn(text, VARIADIC "any") IS
    'a call of the named function; strings are values, fields are corm.c()';

CREATE FUNCTION corm.fn(name text, VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.fn(text, VARIADIC text[]) IS
    'a call of the named function; strings are values, fields are corm.c()';

CREATE FUNCTION corm.fn(name text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.fn(text) IS
    'a call of the named function without arguments';

CREATE FUNCTION corm.excluded(name text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.excluded(text) IS
    'in do_update: the value that was to be inserted into the field';

CREATE FUNCTION corm.cast(x text, type regtype) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cast(text, regtype) IS
    'a field or expression, cast to a type';

CREATE FUNCTION corm.cast(x corm.expr, type regtype) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cast(corm.expr, regtype) IS
    'a field or expression, cast to a type';

CREATE FUNCTION corm.cast(q corm.query, type regtype) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.cast(corm.query, regtype) IS
    'a scalar subquery, cast to a type';

CREATE FUNCTION corm.as(x text, alias text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.as(text, text) IS
    'a field or expression with an output name';

CREATE FUNCTION corm.as(x corm.expr, alias text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.as(corm.expr, text) IS
    'a field or expression with an output name';

CREATE FUNCTION corm.as(q corm.query, alias text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.as(corm.query, text) IS
    'a scalar subquery with an output name';

CREATE FUNCTION corm.case(VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.case(VARIADIC "any") IS
    'CASE: condition, value, condition, value, ..., and the value of ELSE if their number is odd; strings are values';

CREATE FUNCTION corm.case(VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.case(VARIADIC text[]) IS
    'CASE: condition, value, condition, value, ..., and the value of ELSE if their number is odd; strings are values';

CREATE FUNCTION corm.case(condition corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.case(corm.expr, text) IS
    'CASE of one condition with a value; NULL if it is not true';

CREATE FUNCTION corm.case(condition corm.expr, value text, otherwise text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.case(corm.expr, text, text) IS
    'CASE of one condition with a value, and the value of ELSE';

CREATE FUNCTION corm.coalesce(VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.coalesce(VARIADIC "any") IS
    'the first argument that is not NULL; strings are values, fields are corm.c()';

CREATE FUNCTION corm.coalesce(VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.coalesce(VARIADIC text[]) IS
    'the first argument that is not NULL; strings are values, fields are corm.c()';

CREATE FUNCTION corm.coalesce(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.coalesce(corm.expr, text) IS
    'the first argument that is not NULL; strings are values, fields are corm.c()';

CREATE FUNCTION corm.asc(x text, nulls text DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.asc(text, text) IS
    'for order_by: ascending, with nulls ''first'' or ''last''';

CREATE FUNCTION corm.asc(x corm.expr, nulls text DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.asc(corm.expr, text) IS
    'for order_by: ascending, with nulls ''first'' or ''last''';

CREATE FUNCTION corm.asc(q corm.query, nulls text DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.asc(corm.query, text) IS
    'for order_by: ascending by a scalar subquery, with nulls ''first'' or ''last''';

CREATE FUNCTION corm.desc(x text, nulls text DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.desc(text, text) IS
    'for order_by: descending, with nulls ''first'' or ''last''';

CREATE FUNCTION corm.desc(x corm.expr, nulls text DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.desc(corm.expr, text) IS
    'for order_by: descending, with nulls ''first'' or ''last''';

CREATE FUNCTION corm.desc(q corm.query, nulls text DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.desc(corm.query, text) IS
    'for order_by: descending by a scalar subquery, with nulls ''first'' or ''last''';

-- Aggregates and windows

CREATE FUNCTION corm.count() RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.count() IS
    'the number of rows';

CREATE FUNCTION corm.count(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.count(text) IS
    'aggregate: the number of rows where the argument is not NULL';

CREATE FUNCTION corm.count(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.count(corm.expr) IS
    'aggregate: the number of rows where the argument is not NULL';

CREATE FUNCTION corm.count_distinct(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.count_distinct(text) IS
    'aggregate: the number of distinct values';

CREATE FUNCTION corm.count_distinct(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.count_distinct(corm.expr) IS
    'aggregate: the number of distinct values';

CREATE FUNCTION corm.sum(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.sum(text) IS
    'aggregate: the sum';

CREATE FUNCTION corm.sum(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.sum(corm.expr) IS
    'aggregate: the sum';

CREATE FUNCTION corm.avg(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.avg(text) IS
    'aggregate: the average';

CREATE FUNCTION corm.avg(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.avg(corm.expr) IS
    'aggregate: the average';

CREATE FUNCTION corm.min(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.min(text) IS
    'aggregate: the smallest value';

CREATE FUNCTION corm.min(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.min(corm.expr) IS
    'aggregate: the smallest value';

CREATE FUNCTION corm.max(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.max(text) IS
    'aggregate: the largest value';

CREATE FUNCTION corm.max(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.max(corm.expr) IS
    'aggregate: the largest value';

CREATE FUNCTION corm.array_agg(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.array_agg(text) IS
    'aggregate: all values as an array';

CREATE FUNCTION corm.array_agg(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.array_agg(corm.expr) IS
    'aggregate: all values as an array';

CREATE FUNCTION corm.json_agg(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_agg(text) IS
    'aggregate: all values as a JSON array';

CREATE FUNCTION corm.json_agg(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_agg(corm.expr) IS
    'aggregate: all values as a JSON array';

CREATE FUNCTION corm.bool_and(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.bool_and(text) IS
    'aggregate: true if all values are true';

CREATE FUNCTION corm.bool_and(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.bool_and(corm.expr) IS
    'aggregate: true if all values are true';

CREATE FUNCTION corm.bool_or(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.bool_or(text) IS
    'aggregate: true if any value is true';

CREATE FUNCTION corm.bool_or(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.bool_or(corm.expr) IS
    'aggregate: true if any value is true';

CREATE FUNCTION corm.string_agg(x text, delimiter text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.string_agg(text, text) IS
    'aggregate: all values as text, joined by the delimiter';

CREATE FUNCTION corm.string_agg(x corm.expr, delimiter text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.string_agg(corm.expr, text) IS
    'aggregate: all values as text, joined by the delimiter';

CREATE FUNCTION corm.filter_where(aggregate corm.expr, condition corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.filter_where(corm.expr, corm.expr) IS
    'the aggregate over the rows that satisfy the condition';

CREATE FUNCTION corm.over(x corm.expr, partition_by text[] DEFAULT NULL, order_by text[] DEFAULT NULL) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.over(corm.expr, text[], text[]) IS
    'an aggregate or function as a window function';

-- Comparison. The first argument is a field name or an expression, the second a value, an expression or a query

CREATE FUNCTION corm.eq(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.eq(text, "any") IS
    'condition: equal; with NULL: IS NULL';

CREATE FUNCTION corm.eq(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.eq(text, text) IS
    'condition: equal; with NULL: IS NULL';

CREATE FUNCTION corm.eq(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.eq(corm.expr, "any") IS
    'condition: equal; with NULL: IS NULL';

CREATE FUNCTION corm.eq(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.eq(corm.expr, text) IS
    'condition: equal; with NULL: IS NULL';

CREATE FUNCTION corm.neq(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.neq(text, "any") IS
    'condition: not equal; with NULL: IS NOT NULL';

CREATE FUNCTION corm.neq(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.neq(text, text) IS
    'condition: not equal; with NULL: IS NOT NULL';

CREATE FUNCTION corm.neq(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.neq(corm.expr, "any") IS
    'condition: not equal; with NULL: IS NOT NULL';

CREATE FUNCTION corm.neq(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.neq(corm.expr, text) IS
    'condition: not equal; with NULL: IS NOT NULL';

CREATE FUNCTION corm.lt(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lt(text, "any") IS
    'condition: less than';

CREATE FUNCTION corm.lt(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lt(text, text) IS
    'condition: less than';

CREATE FUNCTION corm.lt(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lt(corm.expr, "any") IS
    'condition: less than';

CREATE FUNCTION corm.lt(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lt(corm.expr, text) IS
    'condition: less than';

CREATE FUNCTION corm.lte(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lte(text, "any") IS
    'condition: less than or equal';

CREATE FUNCTION corm.lte(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lte(text, text) IS
    'condition: less than or equal';

CREATE FUNCTION corm.lte(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lte(corm.expr, "any") IS
    'condition: less than or equal';

CREATE FUNCTION corm.lte(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.lte(corm.expr, text) IS
    'condition: less than or equal';

CREATE FUNCTION corm.gt(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gt(text, "any") IS
    'condition: greater than';

CREATE FUNCTION corm.gt(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gt(text, text) IS
    'condition: greater than';

CREATE FUNCTION corm.gt(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gt(corm.expr, "any") IS
    'condition: greater than';

CREATE FUNCTION corm.gt(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gt(corm.expr, text) IS
    'condition: greater than';

CREATE FUNCTION corm.gte(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gte(text, "any") IS
    'condition: greater than or equal';

CREATE FUNCTION corm.gte(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gte(text, text) IS
    'condition: greater than or equal';

CREATE FUNCTION corm.gte(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gte(corm.expr, "any") IS
    'condition: greater than or equal';

CREATE FUNCTION corm.gte(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.gte(corm.expr, text) IS
    'condition: greater than or equal';

CREATE FUNCTION corm.like(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.like(text, "any") IS
    'condition: matches a LIKE pattern';

CREATE FUNCTION corm.like(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.like(text, text) IS
    'condition: matches a LIKE pattern';

CREATE FUNCTION corm.like(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.like(corm.expr, "any") IS
    'condition: matches a LIKE pattern';

CREATE FUNCTION corm.like(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.like(corm.expr, text) IS
    'condition: matches a LIKE pattern';

CREATE FUNCTION corm.not_like(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_like(text, "any") IS
    'condition: does not match a LIKE pattern';

CREATE FUNCTION corm.not_like(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_like(text, text) IS
    'condition: does not match a LIKE pattern';

CREATE FUNCTION corm.not_like(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_like(corm.expr, "any") IS
    'condition: does not match a LIKE pattern';

CREATE FUNCTION corm.not_like(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_like(corm.expr, text) IS
    'condition: does not match a LIKE pattern';

CREATE FUNCTION corm.ilike(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ilike(text, "any") IS
    'condition: matches a LIKE pattern, ignoring case';

CREATE FUNCTION corm.ilike(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ilike(text, text) IS
    'condition: matches a LIKE pattern, ignoring case';

CREATE FUNCTION corm.ilike(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ilike(corm.expr, "any") IS
    'condition: matches a LIKE pattern, ignoring case';

CREATE FUNCTION corm.ilike(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ilike(corm.expr, text) IS
    'condition: matches a LIKE pattern, ignoring case';

CREATE FUNCTION corm.not_ilike(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_ilike(text, "any") IS
    'condition: does not match a LIKE pattern, ignoring case';

CREATE FUNCTION corm.not_ilike(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_ilike(text, text) IS
    'condition: does not match a LIKE pattern, ignoring case';

CREATE FUNCTION corm.not_ilike(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_ilike(corm.expr, "any") IS
    'condition: does not match a LIKE pattern, ignoring case';

CREATE FUNCTION corm.not_ilike(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_ilike(corm.expr, text) IS
    'condition: does not match a LIKE pattern, ignoring case';

CREATE FUNCTION corm.regex(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.regex(text, "any") IS
    'condition: matches a regular expression';

CREATE FUNCTION corm.regex(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.regex(text, text) IS
    'condition: matches a regular expression';

CREATE FUNCTION corm.regex(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.regex(corm.expr, "any") IS
    'condition: matches a regular expression';

CREATE FUNCTION corm.regex(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.regex(corm.expr, text) IS
    'condition: matches a regular expression';

CREATE FUNCTION corm.iregex(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.iregex(text, "any") IS
    'condition: matches a regular expression, ignoring case';

CREATE FUNCTION corm.iregex(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.iregex(text, text) IS
    'condition: matches a regular expression, ignoring case';

CREATE FUNCTION corm.iregex(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.iregex(corm.expr, "any") IS
    'condition: matches a regular expression, ignoring case';

CREATE FUNCTION corm.iregex(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.iregex(corm.expr, text) IS
    'condition: matches a regular expression, ignoring case';

CREATE FUNCTION corm.starts_with(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.starts_with(text, "any") IS
    'condition: text that starts with the value, taken literally';

CREATE FUNCTION corm.starts_with(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.starts_with(text, text) IS
    'condition: text that starts with the value, taken literally';

CREATE FUNCTION corm.starts_with(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.starts_with(corm.expr, "any") IS
    'condition: text that starts with the value, taken literally';

CREATE FUNCTION corm.starts_with(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.starts_with(corm.expr, text) IS
    'condition: text that starts with the value, taken literally';

CREATE FUNCTION corm.ends_with(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ends_with(text, "any") IS
    'condition: text that ends with the value, taken literally';

CREATE FUNCTION corm.ends_with(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ends_with(text, text) IS
    'condition: text that ends with the value, taken literally';

CREATE FUNCTION corm.ends_with(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ends_with(corm.expr, "any") IS
    'condition: text that ends with the value, taken literally';

CREATE FUNCTION corm.ends_with(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.ends_with(corm.expr, text) IS
    'condition: text that ends with the value, taken literally';

CREATE FUNCTION corm.contains(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.contains(text, "any") IS
    'condition: text that contains the value, taken literally; arrays, jsonb and ranges: @>';

CREATE FUNCTION corm.contains(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.contains(text, text) IS
    'condition: text that contains the value, taken literally; arrays, jsonb and ranges: @>';

CREATE FUNCTION corm.contains(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.contains(corm.expr, "any") IS
    'condition: text that contains the value, taken literally; arrays, jsonb and ranges: @>';

CREATE FUNCTION corm.contains(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.contains(corm.expr, text) IS
    'condition: text that contains the value, taken literally; arrays, jsonb and ranges: @>';

CREATE FUNCTION corm.icontains(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.icontains(text, "any") IS
    'condition: text that contains the value, taken literally, ignoring case';

CREATE FUNCTION corm.icontains(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.icontains(text, text) IS
    'condition: text that contains the value, taken literally, ignoring case';

CREATE FUNCTION corm.icontains(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.icontains(corm.expr, "any") IS
    'condition: text that contains the value, taken literally, ignoring case';

CREATE FUNCTION corm.icontains(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.icontains(corm.expr, text) IS
    'condition: text that contains the value, taken literally, ignoring case';

CREATE FUNCTION corm.is_distinct_from(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_distinct_from(text, "any") IS
    'condition: IS DISTINCT FROM: not equal, NULL being a value like any other';

CREATE FUNCTION corm.is_distinct_from(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_distinct_from(text, text) IS
    'condition: IS DISTINCT FROM: not equal, NULL being a value like any other';

CREATE FUNCTION corm.is_distinct_from(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_distinct_from(corm.expr, "any") IS
    'condition: IS DISTINCT FROM: not equal, NULL being a value like any other';

CREATE FUNCTION corm.is_distinct_from(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_distinct_from(corm.expr, text) IS
    'condition: IS DISTINCT FROM: not equal, NULL being a value like any other';

CREATE FUNCTION corm.has_key(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.has_key(text, "any") IS
    'condition: jsonb that has the key';

CREATE FUNCTION corm.has_key(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.has_key(text, text) IS
    'condition: jsonb that has the key';

CREATE FUNCTION corm.has_key(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.has_key(corm.expr, "any") IS
    'condition: jsonb that has the key';

CREATE FUNCTION corm.has_key(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.has_key(corm.expr, text) IS
    'condition: jsonb that has the key';

CREATE FUNCTION corm.overlaps(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.overlaps(text, "any") IS
    'condition: arrays or ranges that have something in common';

CREATE FUNCTION corm.overlaps(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.overlaps(text, text) IS
    'condition: arrays or ranges that have something in common';

CREATE FUNCTION corm.overlaps(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.overlaps(corm.expr, "any") IS
    'condition: arrays or ranges that have something in common';

CREATE FUNCTION corm.overlaps(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.overlaps(corm.expr, text) IS
    'condition: arrays or ranges that have something in common';

CREATE FUNCTION corm.matches(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.matches(text, "any") IS
    'condition: full-text match against a tsquery';

CREATE FUNCTION corm.matches(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.matches(text, text) IS
    'condition: full-text match against a tsquery';

CREATE FUNCTION corm.matches(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.matches(corm.expr, "any") IS
    'condition: full-text match against a tsquery';

CREATE FUNCTION corm.matches(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.matches(corm.expr, text) IS
    'condition: full-text match against a tsquery';

CREATE FUNCTION corm.superset(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.superset(text, "any") IS
    'condition: @>: contains the value';

CREATE FUNCTION corm.superset(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.superset(text, text) IS
    'condition: @>: contains the value';

CREATE FUNCTION corm.superset(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.superset(corm.expr, "any") IS
    'condition: @>: contains the value';

CREATE FUNCTION corm.superset(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.superset(corm.expr, text) IS
    'condition: @>: contains the value';

CREATE FUNCTION corm.subset(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.subset(text, "any") IS
    'condition: <@: is contained in the value';

CREATE FUNCTION corm.subset(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.subset(text, text) IS
    'condition: <@: is contained in the value';

CREATE FUNCTION corm.subset(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.subset(corm.expr, "any") IS
    'condition: <@: is contained in the value';

CREATE FUNCTION corm.subset(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.subset(corm.expr, text) IS
    'condition: <@: is contained in the value';

CREATE FUNCTION corm.in(x text, VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(text, VARIADIC "any") IS
    'condition: equal to one of the values: an array, a row, or one by one; none: false';

CREATE FUNCTION corm.in(x text, VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(text, VARIADIC text[]) IS
    'condition: equal to one of the values; none: false';

CREATE FUNCTION corm.in(x text, vals text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(text, text) IS
    'condition: equal to one of the elements of an array given as text, or the single value; none: false';

CREATE FUNCTION corm.in(x text, q corm.query) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(text, corm.query) IS
    'condition: equal to one of the rows of the query; none: false';

CREATE FUNCTION corm.in(x corm.expr, VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(corm.expr, VARIADIC "any") IS
    'condition: equal to one of the values: an array, a row, or one by one; none: false';

CREATE FUNCTION corm.in(x corm.expr, VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(corm.expr, VARIADIC text[]) IS
    'condition: equal to one of the values; none: false';

CREATE FUNCTION corm.in(x corm.expr, vals text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(corm.expr, text) IS
    'condition: equal to one of the elements of an array given as text, or the single value; none: false';

CREATE FUNCTION corm.in(x corm.expr, q corm.query) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.in(corm.expr, corm.query) IS
    'condition: equal to one of the rows of the query; none: false';

CREATE FUNCTION corm.not_in(x text, VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(text, VARIADIC "any") IS
    'condition: equal to none of the values: an array, a row, or one by one; none: true';

CREATE FUNCTION corm.not_in(x text, VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(text, VARIADIC text[]) IS
    'condition: equal to none of the values; none: true';

CREATE FUNCTION corm.not_in(x text, vals text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(text, text) IS
    'condition: equal to none of the elements of an array given as text, or the single value; none: true';

CREATE FUNCTION corm.not_in(x text, q corm.query) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(text, corm.query) IS
    'condition: equal to none of the rows of the query; none: true';

CREATE FUNCTION corm.not_in(x corm.expr, VARIADIC "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(corm.expr, VARIADIC "any") IS
    'condition: equal to none of the values: an array, a row, or one by one; none: true';

CREATE FUNCTION corm.not_in(x corm.expr, VARIADIC vals text[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(corm.expr, VARIADIC text[]) IS
    'condition: equal to none of the values; none: true';

CREATE FUNCTION corm.not_in(x corm.expr, vals text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(corm.expr, text) IS
    'condition: equal to none of the elements of an array given as text, or the single value; none: true';

CREATE FUNCTION corm.not_in(x corm.expr, q corm.query) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not_in(corm.expr, corm.query) IS
    'condition: equal to none of the rows of the query; none: true';

CREATE FUNCTION corm.any_of(value "any", x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.any_of("any", text) IS
    'condition: the value is an element of an array, the field or expression x: value = ANY (x)';

CREATE FUNCTION corm.any_of(value text, x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.any_of(text, text) IS
    'condition: the value is an element of an array, the field or expression x: value = ANY (x)';

CREATE FUNCTION corm.any_of(value "any", x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.any_of("any", corm.expr) IS
    'condition: the value is an element of an array, the field or expression x: value = ANY (x)';

CREATE FUNCTION corm.any_of(value text, x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.any_of(text, corm.expr) IS
    'condition: the value is an element of an array, the field or expression x: value = ANY (x)';

CREATE FUNCTION corm.between(x text, lo "any", hi "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(text, "any", "any") IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x text, lo text, hi text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(text, text, text) IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x text, lo "any", hi text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(text, "any", text) IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x text, lo text, hi "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(text, text, "any") IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x corm.expr, lo "any", hi "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(corm.expr, "any", "any") IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x corm.expr, lo text, hi text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(corm.expr, text, text) IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x corm.expr, lo "any", hi text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(corm.expr, "any", text) IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.between(x corm.expr, lo text, hi "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.between(corm.expr, text, "any") IS
    'condition: not less than lo and not greater than hi';

CREATE FUNCTION corm.is_null(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_null(text) IS
    'condition: is NULL';

CREATE FUNCTION corm.is_null(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_null(corm.expr) IS
    'condition: is NULL';

CREATE FUNCTION corm.is_not_null(x text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_not_null(text) IS
    'condition: is not NULL';

CREATE FUNCTION corm.is_not_null(x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.is_not_null(corm.expr) IS
    'condition: is not NULL';

-- Arithmetic, text, JSON

CREATE FUNCTION corm.add(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.add(text, "any") IS
    'the sum';

CREATE FUNCTION corm.add(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.add(text, text) IS
    'the sum';

CREATE FUNCTION corm.add(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.add(corm.expr, "any") IS
    'the sum';

CREATE FUNCTION corm.add(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.add(corm.expr, text) IS
    'the sum';

CREATE FUNCTION corm.sub(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.sub(text, "any") IS
    'the difference';

CREATE FUNCTION corm.sub(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.sub(text, text) IS
    'the difference';

CREATE FUNCTION corm.sub(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.sub(corm.expr, "any") IS
    'the difference';

CREATE FUNCTION corm.sub(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.sub(corm.expr, text) IS
    'the difference';

CREATE FUNCTION corm.mul(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mul(text, "any") IS
    'the product';

CREATE FUNCTION corm.mul(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mul(text, text) IS
    'the product';

CREATE FUNCTION corm.mul(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mul(corm.expr, "any") IS
    'the product';

CREATE FUNCTION corm.mul(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mul(corm.expr, text) IS
    'the product';

CREATE FUNCTION corm.div(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.div(text, "any") IS
    'the quotient';

CREATE FUNCTION corm.div(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.div(text, text) IS
    'the quotient';

CREATE FUNCTION corm.div(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.div(corm.expr, "any") IS
    'the quotient';

CREATE FUNCTION corm.div(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.div(corm.expr, text) IS
    'the quotient';

CREATE FUNCTION corm.mod(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mod(text, "any") IS
    'the remainder';

CREATE FUNCTION corm.mod(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mod(text, text) IS
    'the remainder';

CREATE FUNCTION corm.mod(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mod(corm.expr, "any") IS
    'the remainder';

CREATE FUNCTION corm.mod(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.mod(corm.expr, text) IS
    'the remainder';

CREATE FUNCTION corm.concat(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.concat(text, "any") IS
    'the concatenation';

CREATE FUNCTION corm.concat(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.concat(text, text) IS
    'the concatenation';

CREATE FUNCTION corm.concat(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.concat(corm.expr, "any") IS
    'the concatenation';

CREATE FUNCTION corm.concat(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.concat(corm.expr, text) IS
    'the concatenation';

CREATE FUNCTION corm.json_get(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get(text, "any") IS
    'a JSON element, ->';

CREATE FUNCTION corm.json_get(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get(text, text) IS
    'a JSON element, ->';

CREATE FUNCTION corm.json_get(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get(corm.expr, "any") IS
    'a JSON element, ->';

CREATE FUNCTION corm.json_get(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get(corm.expr, text) IS
    'a JSON element, ->';

CREATE FUNCTION corm.json_get_text(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get_text(text, "any") IS
    'a JSON element as text, ->>';

CREATE FUNCTION corm.json_get_text(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get_text(text, text) IS
    'a JSON element as text, ->>';

CREATE FUNCTION corm.json_get_text(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get_text(corm.expr, "any") IS
    'a JSON element as text, ->>';

CREATE FUNCTION corm.json_get_text(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_get_text(corm.expr, text) IS
    'a JSON element as text, ->>';

CREATE FUNCTION corm.json_path_text(x text, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_path_text(text, "any") IS
    'a JSON element at a path as text, #>>';

CREATE FUNCTION corm.json_path_text(x text, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_path_text(text, text) IS
    'a JSON element at a path as text, #>>';

CREATE FUNCTION corm.json_path_text(x corm.expr, value "any") RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_path_text(corm.expr, "any") IS
    'a JSON element at a path as text, #>>';

CREATE FUNCTION corm.json_path_text(x corm.expr, value text) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.json_path_text(corm.expr, text) IS
    'a JSON element at a path as text, #>>';

-- Logic

CREATE FUNCTION corm.and(VARIADIC conditions corm.expr[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.and(VARIADIC corm.expr[]) IS
    'true if all conditions are; without any: true';

CREATE FUNCTION corm.and() RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.and() IS
    'true';

CREATE FUNCTION corm.and(a corm.expr, b corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.and(corm.expr, corm.expr) IS
    'true if both conditions are';

CREATE FUNCTION corm.or(VARIADIC conditions corm.expr[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.or(VARIADIC corm.expr[]) IS
    'true if one of the conditions is; without any: false';

CREATE FUNCTION corm.or() RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.or() IS
    'false';

CREATE FUNCTION corm.or(a corm.expr, b corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.or(corm.expr, corm.expr) IS
    'true if one of the conditions is';

CREATE FUNCTION corm.not(condition corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.not(corm.expr) IS
    'true if the condition is false';

CREATE FUNCTION corm.some(q corm.query) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.some(corm.query) IS
    'EXISTS: true if the query has a row';

CREATE FUNCTION corm.some(VARIADIC q corm.query[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.some(VARIADIC corm.query[]) IS
    'EXISTS: true if the query of these clauses has a row';

CREATE FUNCTION corm.none(q corm.query) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.none(corm.query) IS
    'NOT EXISTS: true if the query has no row';

CREATE FUNCTION corm.none(VARIADIC q corm.query[]) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_build' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.none(VARIADIC corm.query[]) IS
    'NOT EXISTS: true if the query of these clauses has no row';

CREATE FUNCTION corm.value_left(value text, x corm.expr) RETURNS corm.expr
    AS 'MODULE_PATHNAME', 'corm_value_left' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION corm.value_left(text, corm.expr) IS
    'refuses a value on the left side of an operator, 42883, so that it is not read as an expression';
