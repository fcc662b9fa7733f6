-- Operators, alone in schema corm_ops: they take only corm's types, so the schema is safe on a search_path.

CREATE OPERATOR corm_ops.= (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.eq);
CREATE OPERATOR corm_ops.= (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.eq);
COMMENT ON OPERATOR corm_ops.= (corm.expr, text) IS 'corm.eq()';
COMMENT ON OPERATOR corm_ops.= (corm.expr, "any") IS 'corm.eq()';

CREATE OPERATOR corm_ops.<> (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.neq);
CREATE OPERATOR corm_ops.<> (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.neq);
COMMENT ON OPERATOR corm_ops.<> (corm.expr, text) IS 'corm.neq()';
COMMENT ON OPERATOR corm_ops.<> (corm.expr, "any") IS 'corm.neq()';

CREATE OPERATOR corm_ops.< (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.lt);
CREATE OPERATOR corm_ops.< (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.lt);
COMMENT ON OPERATOR corm_ops.< (corm.expr, text) IS 'corm.lt()';
COMMENT ON OPERATOR corm_ops.< (corm.expr, "any") IS 'corm.lt()';

CREATE OPERATOR corm_ops.<= (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.lte);
CREATE OPERATOR corm_ops.<= (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.lte);
COMMENT ON OPERATOR corm_ops.<= (corm.expr, text) IS 'corm.lte()';
COMMENT ON OPERATOR corm_ops.<= (corm.expr, "any") IS 'corm.lte()';

CREATE OPERATOR corm_ops.> (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.gt);
CREATE OPERATOR corm_ops.> (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.gt);
COMMENT ON OPERATOR corm_ops.> (corm.expr, text) IS 'corm.gt()';
COMMENT ON OPERATOR corm_ops.> (corm.expr, "any") IS 'corm.gt()';

CREATE OPERATOR corm_ops.>= (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.gte);
CREATE OPERATOR corm_ops.>= (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.gte);
COMMENT ON OPERATOR corm_ops.>= (corm.expr, text) IS 'corm.gte()';
COMMENT ON OPERATOR corm_ops.>= (corm.expr, "any") IS 'corm.gte()';

CREATE OPERATOR corm_ops.~~ (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.like);
CREATE OPERATOR corm_ops.~~ (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.like);
COMMENT ON OPERATOR corm_ops.~~ (corm.expr, text) IS 'corm.like()';
COMMENT ON OPERATOR corm_ops.~~ (corm.expr, "any") IS 'corm.like()';

CREATE OPERATOR corm_ops.!~~ (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.not_like);
CREATE OPERATOR corm_ops.!~~ (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.not_like);
COMMENT ON OPERATOR corm_ops.!~~ (corm.expr, text) IS 'corm.not_like()';
COMMENT ON OPERATOR corm_ops.!~~ (corm.expr, "any") IS 'corm.not_like()';

CREATE OPERATOR corm_ops.~~* (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.ilike);
CREATE OPERATOR corm_ops.~~* (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.ilike);
COMMENT ON OPERATOR corm_ops.~~* (corm.expr, text) IS 'corm.ilike()';
COMMENT ON OPERATOR corm_ops.~~* (corm.expr, "any") IS 'corm.ilike()';

CREATE OPERATOR corm_ops.!~~* (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.not_ilike);
CREATE OPERATOR corm_ops.!~~* (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.not_ilike);
COMMENT ON OPERATOR corm_ops.!~~* (corm.expr, text) IS 'corm.not_ilike()';
COMMENT ON OPERATOR corm_ops.!~~* (corm.expr, "any") IS 'corm.not_ilike()';

CREATE OPERATOR corm_ops.~ (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.regex);
CREATE OPERATOR corm_ops.~ (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.regex);
COMMENT ON OPERATOR corm_ops.~ (corm.expr, text) IS 'corm.regex()';
COMMENT ON OPERATOR corm_ops.~ (corm.expr, "any") IS 'corm.regex()';

CREATE OPERATOR corm_ops.~* (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.iregex);
CREATE OPERATOR corm_ops.~* (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.iregex);
COMMENT ON OPERATOR corm_ops.~* (corm.expr, text) IS 'corm.iregex()';
COMMENT ON OPERATOR corm_ops.~* (corm.expr, "any") IS 'corm.iregex()';

CREATE OPERATOR corm_ops.+ (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.add);
CREATE OPERATOR corm_ops.+ (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.add);
COMMENT ON OPERATOR corm_ops.+ (corm.expr, text) IS 'corm.add()';
COMMENT ON OPERATOR corm_ops.+ (corm.expr, "any") IS 'corm.add()';

CREATE OPERATOR corm_ops.- (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.sub);
CREATE OPERATOR corm_ops.- (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.sub);
COMMENT ON OPERATOR corm_ops.- (corm.expr, text) IS 'corm.sub()';
COMMENT ON OPERATOR corm_ops.- (corm.expr, "any") IS 'corm.sub()';

CREATE OPERATOR corm_ops.* (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.mul);
CREATE OPERATOR corm_ops.* (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.mul);
COMMENT ON OPERATOR corm_ops.* (corm.expr, text) IS 'corm.mul()';
COMMENT ON OPERATOR corm_ops.* (corm.expr, "any") IS 'corm.mul()';

CREATE OPERATOR corm_ops./ (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.div);
CREATE OPERATOR corm_ops./ (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.div);
COMMENT ON OPERATOR corm_ops./ (corm.expr, text) IS 'corm.div()';
COMMENT ON OPERATOR corm_ops./ (corm.expr, "any") IS 'corm.div()';

CREATE OPERATOR corm_ops.% (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.mod);
CREATE OPERATOR corm_ops.% (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.mod);
COMMENT ON OPERATOR corm_ops.% (corm.expr, text) IS 'corm.mod()';
COMMENT ON OPERATOR corm_ops.% (corm.expr, "any") IS 'corm.mod()';

CREATE OPERATOR corm_ops.|| (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.concat);
CREATE OPERATOR corm_ops.|| (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.concat);
COMMENT ON OPERATOR corm_ops.|| (corm.expr, text) IS 'corm.concat()';
COMMENT ON OPERATOR corm_ops.|| (corm.expr, "any") IS 'corm.concat()';

CREATE OPERATOR corm_ops.-> (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.json_get);
CREATE OPERATOR corm_ops.-> (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.json_get);
COMMENT ON OPERATOR corm_ops.-> (corm.expr, text) IS 'corm.json_get()';
COMMENT ON OPERATOR corm_ops.-> (corm.expr, "any") IS 'corm.json_get()';

CREATE OPERATOR corm_ops.->> (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.json_get_text);
CREATE OPERATOR corm_ops.->> (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.json_get_text);
COMMENT ON OPERATOR corm_ops.->> (corm.expr, text) IS 'corm.json_get_text()';
COMMENT ON OPERATOR corm_ops.->> (corm.expr, "any") IS 'corm.json_get_text()';

CREATE OPERATOR corm_ops.#>> (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.json_path_text);
CREATE OPERATOR corm_ops.#>> (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.json_path_text);
COMMENT ON OPERATOR corm_ops.#>> (corm.expr, text) IS 'corm.json_path_text()';
COMMENT ON OPERATOR corm_ops.#>> (corm.expr, "any") IS 'corm.json_path_text()';

CREATE OPERATOR corm_ops.@> (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.superset);
CREATE OPERATOR corm_ops.@> (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.superset);
COMMENT ON OPERATOR corm_ops.@> (corm.expr, text) IS 'corm.superset()';
COMMENT ON OPERATOR corm_ops.@> (corm.expr, "any") IS 'corm.superset()';

CREATE OPERATOR corm_ops.<@ (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.subset);
CREATE OPERATOR corm_ops.<@ (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.subset);
COMMENT ON OPERATOR corm_ops.<@ (corm.expr, text) IS 'corm.subset()';
COMMENT ON OPERATOR corm_ops.<@ (corm.expr, "any") IS 'corm.subset()';

CREATE OPERATOR corm_ops.? (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.has_key);
CREATE OPERATOR corm_ops.? (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.has_key);
COMMENT ON OPERATOR corm_ops.? (corm.expr, text) IS 'corm.has_key()';
COMMENT ON OPERATOR corm_ops.? (corm.expr, "any") IS 'corm.has_key()';

CREATE OPERATOR corm_ops.&& (LEFTARG = corm.expr, RIGHTARG = "any", FUNCTION = corm.overlaps);
CREATE OPERATOR corm_ops.&& (LEFTARG = corm.expr, RIGHTARG = text, FUNCTION = corm.overlaps);
COMMENT ON OPERATOR corm_ops.&& (corm.expr, text) IS 'corm.overlaps()';
COMMENT ON OPERATOR corm_ops.&& (corm.expr, "any") IS 'corm.overlaps()';

CREATE OPERATOR corm_ops.& (LEFTARG = corm.expr, RIGHTARG = corm.expr, FUNCTION = corm.and);
COMMENT ON OPERATOR corm_ops.& (corm.expr, corm.expr) IS 'corm.and()';

CREATE OPERATOR corm_ops.| (LEFTARG = corm.expr, RIGHTARG = corm.expr, FUNCTION = corm.or);
COMMENT ON OPERATOR corm_ops.| (corm.expr, corm.expr) IS 'corm.or()';

CREATE OPERATOR corm_ops.!! (RIGHTARG = corm.expr, FUNCTION = corm.not);
COMMENT ON OPERATOR corm_ops.!! (NONE, corm.expr) IS 'corm.not()';

CREATE OPERATOR corm_ops.|> (LEFTARG = corm.query, RIGHTARG = corm.query, FUNCTION = corm.pipe);
COMMENT ON OPERATOR corm_ops.|> (corm.query, corm.query) IS 'corm.pipe(): one query of two';

-- A value on the left side. PostgreSQL would take one without a type for an expression, as the right side is one, and read
-- its text form; these take it instead, and refuse.

CREATE OPERATOR corm_ops.= (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.= (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.<> (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.<> (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.< (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.< (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.<= (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.<= (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.> (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.> (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.>= (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.>= (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.~~ (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.~~ (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.!~~ (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.!~~ (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.~~* (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.~~* (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.!~~* (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.!~~* (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.~ (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.~ (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.~* (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.~* (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.+ (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.+ (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.- (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.- (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.* (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.* (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops./ (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops./ (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.% (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.% (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.|| (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.|| (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.-> (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.-> (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.->> (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.->> (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.#>> (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.#>> (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.@> (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.@> (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.<@ (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.<@ (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.? (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.? (text, corm.expr) IS 'corm.value_left()';

CREATE OPERATOR corm_ops.&& (LEFTARG = text, RIGHTARG = corm.expr, FUNCTION = corm.value_left);
COMMENT ON OPERATOR corm_ops.&& (text, corm.expr) IS 'corm.value_left()';
