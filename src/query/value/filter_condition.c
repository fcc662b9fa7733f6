/*-------------------------------------------------------------------------
 *
 * filter_condition.c
 *		The conditions of a filter from outside.
 *
 *		{"age": {"gte": 18}, "or": [{"plan": "pro"}, {"orders": {"some": {...}}}]}
 *
 * Errors in a value itself must be raised here, before any row is read: an
 * error at execution could reveal something about the rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "query/value/filter_parts.h"
#include "regex/regex.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* Kind of value that an operator takes. */
typedef enum OpKind
{
	OP_SCALAR,
	OP_LIST,
	OP_PAIR,
	OP_FLAG,
	OP_ANY,						/* scalar, array or object */
	OP_WORDS					/* those of a text search */
} OpKind;

static const struct
{
	const char *name;
	CormNodeTag tag;
	OpKind		kind;
}			filter_ops[] = {
	{"eq", CORM_N_EQ, OP_SCALAR},
	{"neq", CORM_N_NEQ, OP_SCALAR},
	{"lt", CORM_N_LT, OP_SCALAR},
	{"lte", CORM_N_LTE, OP_SCALAR},
	{"gt", CORM_N_GT, OP_SCALAR},
	{"gte", CORM_N_GTE, OP_SCALAR},
	{"like", CORM_N_LIKE, OP_SCALAR},
	{"not_like", CORM_N_NOT_LIKE, OP_SCALAR},
	{"ilike", CORM_N_ILIKE, OP_SCALAR},
	{"not_ilike", CORM_N_NOT_ILIKE, OP_SCALAR},
	{"regex", CORM_N_REGEX, OP_SCALAR},
	{"iregex", CORM_N_IREGEX, OP_SCALAR},
	{"starts_with", CORM_N_STARTS_WITH, OP_SCALAR},
	{"ends_with", CORM_N_ENDS_WITH, OP_SCALAR},
	{"contains", CORM_N_CONTAINS, OP_ANY},
	{"icontains", CORM_N_ICONTAINS, OP_SCALAR},
	{"in", CORM_N_IN, OP_LIST},
	{"not_in", CORM_N_NOT_IN, OP_LIST},
	{"between", CORM_N_BETWEEN, OP_PAIR},
	{"is_null", CORM_N_IS_NULL, OP_FLAG},
	{"is_not_null", CORM_N_IS_NOT_NULL, OP_FLAG},
	{"is_distinct_from", CORM_N_IS_DISTINCT_FROM, OP_SCALAR},
	{"has_key", CORM_N_HAS_KEY, OP_SCALAR},
	{"overlaps", CORM_N_OVERLAPS, OP_LIST},
	{"matches", CORM_N_MATCHES, OP_SCALAR},
	{"search", CORM_N_SEARCH, OP_WORDS},
};

/* corm_filter_has_op returns whether there is an operator of that name. */
bool
corm_filter_has_op(const char *name)
{
	for (int i = 0; i < lengthof(filter_ops); i++)
	{
		if (strcmp(filter_ops[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Raises an error for an invalid pattern: 22025 for LIKE, 2201B for a regular
 * expression.  Otherwise the error would depend on the rows.
 */
static void
check_pattern(CormNodeTag tag, JsonbValue *v)
{
	const char *str = v->val.string.val;
	int			len = v->val.string.len;
	int			escapes = 0;

	switch (tag)
	{
		case CORM_N_LIKE:
		case CORM_N_NOT_LIKE:
		case CORM_N_ILIKE:
		case CORM_N_NOT_ILIKE:
			while (escapes < len && str[len - escapes - 1] == '\\')
				escapes++;
			if (escapes % 2 == 1)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_ESCAPE_SEQUENCE),
						 errmsg("LIKE pattern must not end with escape character")));
			break;
		case CORM_N_REGEX:
		case CORM_N_IREGEX:
			(void) RE_compile_and_cache(cstring_to_text_with_len(str, len),
										REG_ADVANCED | (tag == CORM_N_IREGEX ? REG_ICASE : 0), C_COLLATION_OID);
			break;
		default:
			break;
	}
}

/* Raises OR020 for an operator that the fence does not have. */
static void
check_op_allowed(FilterContext *ctx, const char *op)
{
	if (ctx->allow && ctx->allow->has_ops && corm_allowed_name(ctx->allow->ops, op) == NULL)
		corm_bad_filter(psprintf("Operator \"%s\" is not allowed.", op));
}

/*
 * Writes the condition {field: {op: v}}.  Raises OR020 for an unknown operator
 * or a bad value.
 */
static void
filter_op(FilterContext *ctx, const char *field, const char *op, JsonbValue *v)
{
	for (int i = 0; i < lengthof(filter_ops); i++)
	{
		CormNodeTag tag = filter_ops[i].tag;
		JsonbValue *pair;
		int			n;

		if (strcmp(filter_ops[i].name, op) != 0)
			continue;
		corm_filter_count_node(ctx);
		check_op_allowed(ctx, op);
		switch (filter_ops[i].kind)
		{
			case OP_FLAG:
				if (v->type != jbvBool)
					corm_bad_filter(psprintf("\"%s\" takes true or false.", op));
				if (!v->val.boolean)
					tag = tag == CORM_N_IS_NULL ? CORM_N_IS_NOT_NULL : CORM_N_IS_NULL;
				corm_write_tag(ctx->w, tag);
				corm_filter_write_field(ctx, field);
				return;
			case OP_PAIR:
				if (!corm_json_is_array(v) || JsonContainerSize(v->val.binary.data) != 2)
					corm_bad_filter(psprintf("\"%s\" takes an array of two values.", op));
				pair = corm_json_members(v->val.binary.data, &n);
				corm_write_tag(ctx->w, tag);
				corm_filter_write_field(ctx, field);
				corm_filter_scalar(ctx->w, &pair[0], op);
				corm_filter_scalar(ctx->w, &pair[1], op);
				return;
			case OP_LIST:
				if (corm_json_is_array(v))
				{
					corm_filter_count_elements(ctx, v);
					if (!corm_filter_may_be_indexed(ctx, tag, v))
						corm_write_tag(ctx->w, CORM_N_UNINDEXED);
				}
				corm_write_tag(ctx->w, tag);
				corm_filter_write_field(ctx, field);
				/* a range literal; only the field can tell */
				if (tag == CORM_N_OVERLAPS && v->type == jbvString)
					corm_filter_scalar(ctx->w, v, op);
				else
					corm_filter_list(ctx->w, v, op, tag != CORM_N_OVERLAPS);
				return;
			case OP_ANY:
				corm_write_tag(ctx->w, tag);
				corm_filter_write_field(ctx, field);
				if (corm_json_is_array(v))
					corm_filter_count_elements(ctx, v);
				if (corm_json_is_array(v) || corm_json_is_object(v))
					corm_write_value(ctx->w, JSONBOID, -1, false,
									 JsonbPGetDatum(JsonbValueToJsonb(v)));
				else
					corm_filter_scalar(ctx->w, v, op);
				return;
			case OP_WORDS:
				if (v->type != jbvString)
					corm_bad_filter(psprintf("\"%s\" takes a string.", op));
				corm_write_tag(ctx->w, tag);
				corm_filter_write_field(ctx, field);
				corm_filter_scalar(ctx->w, v, op);
				corm_write_name(ctx->w, "", 0);
				return;
			case OP_SCALAR:
				if (v->type == jbvString)
					check_pattern(tag, v);
				corm_write_tag(ctx->w, tag);
				corm_filter_write_field(ctx, field);
				corm_filter_scalar(ctx->w, v, op);
				return;
		}
	}
	corm_bad_filter(psprintf("Unknown operator \"%s\" for \"%s\".", op, field));
}

/*
 * Conditions on what a path leads to in a field of JSON.  A comparison is one
 * of values of the kind that the document gives: a value of another kind in a
 * row is like a missing one, so that no row can raise an error.
 */

/* Writes what the path leads to, as a value of a kind: text, number, boolean or json. */
static void
write_path(FilterContext *ctx, const char *field, Datum path, const char *kind)
{
	corm_write_tag(ctx->w, CORM_N_FILTER_PATH);
	corm_filter_write_field(ctx, field);
	corm_write_value(ctx->w, TEXTARRAYOID, -1, false, path);
	corm_write_name(ctx->w, kind, strlen(kind));
}

/* Returns the kind of a value, as write_path takes it. */
static const char *
kind_of(const JsonbValue *v)
{
	return v->type == jbvNumeric ? "number" : v->type == jbvBool ? "boolean" : "text";
}

/* Writes one condition on it.  Raises OR020 for an unknown operator, or a bad value. */
static void
filter_path_op(FilterContext *ctx, const char *field, Datum path, const char *op, JsonbValue *v)
{
	CormNodeTag tag = CORM_N_INVALID;
	JsonbValue *members;
	int			n;

	for (int i = 0; i < lengthof(filter_ops); i++)
	{
		if (strcmp(filter_ops[i].name, op) == 0)
			tag = filter_ops[i].tag;
	}
	corm_filter_count_node(ctx);
	if (tag != CORM_N_INVALID)
		check_op_allowed(ctx, op);
	switch (tag)
	{
		case CORM_N_EQ:
		case CORM_N_NEQ:
		case CORM_N_IS_DISTINCT_FROM:
		case CORM_N_LT:
		case CORM_N_LTE:
		case CORM_N_GT:
		case CORM_N_GTE:
			corm_write_tag(ctx->w, tag);
			write_path(ctx, field, path, kind_of(v));
			corm_filter_scalar(ctx->w, v, op);
			return;
		case CORM_N_BETWEEN:
			if (!corm_json_is_array(v) || JsonContainerSize(v->val.binary.data) != 2)
				corm_bad_filter(psprintf("\"%s\" takes an array of two values.", op));
			members = corm_json_members(v->val.binary.data, &n);
			if (members[0].type != members[1].type)
				corm_bad_filter(psprintf("The values of \"%s\" must be of one kind.", op));
			corm_write_tag(ctx->w, tag);
			write_path(ctx, field, path, kind_of(&members[0]));
			corm_filter_scalar(ctx->w, &members[0], op);
			corm_filter_scalar(ctx->w, &members[1], op);
			return;
		case CORM_N_IN:
		case CORM_N_NOT_IN:
			{
				const char *kind = "text";

				if (!corm_json_is_array(v))
					corm_bad_filter(psprintf("\"%s\" takes an array.", op));
				corm_filter_count_elements(ctx, v);
				members = corm_json_members(v->val.binary.data, &n);
				for (int i = 0; i < n; i++)
				{
					if (members[i].type != jbvNull)
						kind = kind_of(&members[i]);
				}
				corm_write_tag(ctx->w, tag);
				write_path(ctx, field, path, kind);
				corm_filter_list(ctx->w, v, op, true);
				return;
			}
		case CORM_N_IS_NULL:
		case CORM_N_IS_NOT_NULL:
			if (v->type != jbvBool)
				corm_bad_filter(psprintf("\"%s\" takes true or false.", op));
			if (!v->val.boolean)
				tag = tag == CORM_N_IS_NULL ? CORM_N_IS_NOT_NULL : CORM_N_IS_NULL;
			corm_write_tag(ctx->w, tag);
			write_path(ctx, field, path, "text");
			return;
		case CORM_N_LIKE:
		case CORM_N_NOT_LIKE:
		case CORM_N_ILIKE:
		case CORM_N_NOT_ILIKE:
		case CORM_N_REGEX:
		case CORM_N_IREGEX:
		case CORM_N_STARTS_WITH:
		case CORM_N_ENDS_WITH:
		case CORM_N_ICONTAINS:
			if (v->type != jbvString)
				corm_bad_filter(psprintf("\"%s\" takes a string.", op));
			check_pattern(tag, v);
			corm_write_tag(ctx->w, tag);
			write_path(ctx, field, path, "text");
			corm_filter_scalar(ctx->w, v, op);
			return;
		case CORM_N_HAS_KEY:
			if (v->type != jbvString)
				corm_bad_filter(psprintf("\"%s\" takes a string.", op));
			corm_write_tag(ctx->w, tag);
			write_path(ctx, field, path, "json");
			corm_filter_scalar(ctx->w, v, op);
			return;
		case CORM_N_CONTAINS:
			if (corm_json_is_array(v))
				corm_filter_count_elements(ctx, v);
			corm_write_tag(ctx->w, CORM_N_SUPERSET);
			write_path(ctx, field, path, "json");
			corm_write_value(ctx->w, JSONBOID, -1, false, JsonbPGetDatum(JsonbValueToJsonb(v)));
			return;
		case CORM_N_INVALID:
			corm_bad_filter(psprintf("Unknown operator \"%s\" for \"%s\".", op, field));
		default:
			corm_bad_filter(psprintf("Operator \"%s\" does not apply to a path in \"%s\".", op, field));
	}
}

/*
 * Writes {field: {"path": [...], op: value, ...}}.  ops has n pairs, of which
 * path is the value of one.  Raises OR020 unless it is an array of keys.
 */
static void
filter_in_document(FilterContext *ctx, const char *field, JsonbValue *ops, int n, JsonbValue *path)
{
	JsonbValue *steps;
	Datum	   *datums;
	int			nsteps;

	if (!corm_json_is_array(path) || JsonContainerSize(path->val.binary.data) == 0)
		corm_bad_filter("\"path\" takes an array of keys.");
	corm_filter_count_elements(ctx, path);
	if (n == 1)
		corm_bad_filter(psprintf("\"%s\" has no operator.", field));
	steps = corm_json_members(path->val.binary.data, &nsteps);
	datums = palloc(sizeof(Datum) * nsteps);
	for (int i = 0; i < nsteps; i++)
	{
		if (steps[i].type == jbvString)
			datums[i] = PointerGetDatum(cstring_to_text_with_len(steps[i].val.string.val, steps[i].val.string.len));
		else if (steps[i].type == jbvNumeric)
			datums[i] = PointerGetDatum(cstring_to_text(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(steps[i].val.numeric)))));
		else
			corm_bad_filter("\"path\" takes an array of keys.");
	}
	corm_write_tag(ctx->w, CORM_N_AND);
	corm_write_count(ctx->w, n - 1);
	for (int i = 0; i < n; i++)
	{
		if (&ops[2 * i + 1] != path)
			filter_path_op(ctx, field, PointerGetDatum(construct_array(datums, nsteps, TEXTOID, -1, false, TYPALIGN_INT)),
						   corm_filter_string(&ops[2 * i]), &ops[2 * i + 1]);
	}
}

static CormNodeTag
relation_predicate(const char *key)
{
	if (strcmp(key, "some") == 0 || strcmp(key, "is") == 0)
		return CORM_N_SOME;
	if (strcmp(key, "every") == 0)
		return CORM_N_EVERY;
	if (strcmp(key, "none") == 0 || strcmp(key, "is_not") == 0)
		return CORM_N_NONE;
	return CORM_N_INVALID;
}

/*
 * Writes the condition {relation: {key: v}}.  key must be one for which
 * relation_predicate is valid: it is the quantifier for the relation's rows.
 */
static void
filter_relation(FilterContext *ctx, const char *relation, const char *key, JsonbValue *v)
{
	CormNodeTag tag = relation_predicate(key);
	bool		to_one = key[0] == 'i';
	double		combinations = ctx->combinations;
	bool		negated = ctx->negated;
	CormFilterAllow *allow = ctx->allow;
	int			level = ctx->level;
	int			max_level = ctx->max_level;
	CormFilterAllow *target;

	corm_filter_count_node(ctx);
	corm_filter_check_name(relation);
	corm_filter_count_relations(ctx, relation, false);
	for (const char *p = relation; p; p = strchr(p + 1, '.'))
		corm_filter_go_deeper(ctx, 1);
	relation = corm_filter_allowed_path(allow, relation, &target);
	corm_filter_set_allow(ctx, target);
	corm_write_tag(ctx->w, CORM_N_FILTER_RELATION);
	if (to_one && v->type == jbvNull)
	{
		/* {"author": {"is": null}}: there is no author */
		corm_write_tag(ctx->w, tag == CORM_N_SOME ? CORM_N_NONE : CORM_N_SOME);
		corm_write_name(ctx->w, relation, strlen(relation));
		corm_write_count(ctx->w, 0);
		ctx->allow = allow;
		ctx->level = level;
		ctx->max_level = max_level;
		return;
	}
	if (!corm_json_is_object(v))
		corm_bad_filter(psprintf("\"%s\" of \"%s\" takes an object of conditions.", key, relation));
	corm_write_tag(ctx->w, tag);
	corm_write_name(ctx->w, relation, strlen(relation));
	corm_write_count(ctx->w, 1);
	/* another table with its own indexes, so start counting from scratch */
	ctx->combinations = 1;
	ctx->negated = false;
	corm_filter_condition(ctx, v);
	ctx->combinations = combinations;
	ctx->negated = negated;
	ctx->allow = allow;
	ctx->level = level;
	ctx->max_level = max_level;
}

/* Writes the conditions of an "and" or "or" array as one node. */
static void
filter_list(FilterContext *ctx, CormNodeTag tag, JsonbValue *v, const char *key)
{
	JsonbValue *elements;
	int			n;
	double		before = ctx->combinations;
	double		most = before;

	if (!corm_json_is_array(v))
		corm_bad_filter(psprintf("\"%s\" takes an array.", key));
	if (JsonContainerSize(v->val.binary.data) > corm_filter_max_nodes)
		corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
	elements = corm_json_members(v->val.binary.data, &n);
	corm_filter_count_node(ctx);
	corm_write_tag(ctx->w, tag);
	corm_write_count(ctx->w, n);
	corm_filter_go_deeper(ctx, 1);
	for (int i = 0; i < n; i++)
	{
		/* ORed lists do not combine, unless negated: then they are ANDed */
		if (tag == CORM_N_OR && !ctx->negated)
			ctx->combinations = before;
		corm_filter_condition(ctx, &elements[i]);
		most = Max(most, ctx->combinations);
	}
	ctx->level--;
	ctx->combinations = most;
}

/*
 * Writes the condition of one key: "and", "or", "not", or a field or relation
 * with its operators.
 */
static void
filter_key(FilterContext *ctx, const char *key, JsonbValue *v)
{
	if (strcmp(key, "and") == 0 && corm_json_is_array(v))
		filter_list(ctx, CORM_N_AND, v, key);
	else if (strcmp(key, "or") == 0 && corm_json_is_array(v))
		filter_list(ctx, CORM_N_OR, v, key);
	else if (strcmp(key, "and") == 0 || strcmp(key, "or") == 0)
		corm_bad_filter(psprintf("\"%s\" takes an array.", key));
	else if (strcmp(key, "not") == 0)
	{
		bool		negated = ctx->negated;

		corm_filter_count_node(ctx);
		corm_write_tag(ctx->w, CORM_N_NOT);
		ctx->negated = true;
		corm_filter_go_deeper(ctx, 1);
		corm_filter_condition(ctx, v);
		ctx->level--;
		ctx->negated = negated;
	}
	else if (corm_json_is_object(v))
	{
		JsonbValue *ops;
		int			n;

		ops = corm_json_members(v->val.binary.data, &n);
		if (n == 0)
			corm_bad_filter(psprintf("\"%s\" has no operator.", key));
		if (n > corm_filter_max_nodes)
			corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
		for (int i = 0; i < n; i++)
		{
			if (strcmp(corm_filter_string(&ops[2 * i]), "path") == 0)
			{
				filter_in_document(ctx, key, ops, n, &ops[2 * i + 1]);
				return;
			}
		}
		corm_write_tag(ctx->w, CORM_N_AND);
		corm_write_count(ctx->w, n);
		for (int i = 0; i < n; i++)
		{
			char	   *op = corm_filter_string(&ops[2 * i]);

			if (relation_predicate(op) != CORM_N_INVALID)
				filter_relation(ctx, key, op, &ops[2 * i + 1]);
			else
				filter_op(ctx, key, op, &ops[2 * i + 1]);
		}
	}
	else if (corm_json_is_array(v))
		corm_bad_filter(psprintf("\"%s\" takes a value or an object of operators; for a list use \"in\".", key));
	else
		filter_op(ctx, key, "eq", v);
}

/*
 * corm_filter_condition writes {key: ..., key: ...} as an AND of all keys.  Raises OR020 unless spec
 * is an object.
 */
void
corm_filter_condition(FilterContext *ctx, JsonbValue *spec)
{
	JsonbValue *pairs;
	int			n;

	if (!corm_json_is_object(spec))
		corm_bad_filter("A condition must be an object.");
	corm_filter_enter(ctx);
	if (JsonContainerSize(spec->val.binary.data) > corm_filter_max_nodes)
		corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
	pairs = corm_json_members(spec->val.binary.data, &n);
	corm_write_tag(ctx->w, CORM_N_AND);
	corm_write_count(ctx->w, n);
	for (int i = 0; i < n; i++)
		filter_key(ctx, corm_filter_string(&pairs[2 * i]), &pairs[2 * i + 1]);
	corm_filter_leave(ctx);
}
