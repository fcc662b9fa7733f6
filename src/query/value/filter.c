/*-------------------------------------------------------------------------
 *
 * filter.c
 *		corm.filter(): a query from an untrusted JSON document.
 *
 * The document may come from anywhere, such as the body of an HTTP request.
 * It is less powerful than the builders: fields and relations by name, the
 * operators listed here, and plain values.  No SQL, no functions, no types.
 *
 *		{"where": {"age": {"gte": 18}, "or": [{"plan": "pro"}, {"orders": {"some": {...}}}]},
 *		 "select": ["id", "name"], "order_by": ["-age"], "limit": 20, "offset": 0,
 *		 "after": cursor, "before": cursor, "preload": {"orders": {...}, "company": true}}
 *
 * We cannot tell which names are fields until the query is resolved against
 * its model.  So names become FILTER_COLUMN nodes.  They work like COLUMN, but
 * resolving rejects a field tagged filterable=false, and a value of another
 * kind than the field.  Settings limit depth, the number of conditions and
 * relations, the length of lists and the row limit; we check them before
 * building anything.  Relations have their own limit because each adds a table
 * for the planner.
 *
 * One limit applies to the total length of all lists.  Moreover, an index scan
 * could try every combination of elements of several ANDed lists, without
 * checking for interrupts.  So the number of combinations is limited, too.  A
 * list that would exceed it is written as UNINDEXED, and only filters the rows
 * that the other lists find.
 *
 * Errors in a value itself must be raised here, before any row is read: an
 * error at execution could reveal something about the rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/guc.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/value/cursor.h"
#include "query/value/filter.h"
#include "query/value/node.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(corm_filter);
PG_FUNCTION_INFO_V1(corm_filter_text);

typedef struct FilterContext
{
	CormWriter *w;
	int			depth;
	int			nodes;
	int			relations;
	int64		elements;		/* of all lists */
	double		combinations;	/* of elements of ANDed lists so far */
	bool		negated;		/* inside "not" */
} FilterContext;

static void filter_condition(FilterContext *ctx, JsonbValue *spec);
static CormNode *filter_query(FilterContext *outer, JsonbContainer *spec);

static char *
string_of(JsonbValue *v)
{
	return pnstrdup(v->val.string.val, v->val.string.len);
}

static void
enter(FilterContext *ctx)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (++ctx->depth > corm_filter_max_depth)
		corm_filter_over_limit("The nesting", "corm.filter_max_depth", corm_filter_max_depth);
}

static void
leave(FilterContext *ctx)
{
	ctx->depth--;
}

static void
count_node(FilterContext *ctx)
{
	if (++ctx->nodes > corm_filter_max_nodes)
		corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
}

/*
 * Counts the relations of a path: all steps, or all but the last if that is a
 * field.
 */
static void
count_relations(FilterContext *ctx, const char *path, bool is_field)
{
	int			n = is_field ? 0 : 1;

	for (const char *p = path; *p; p++)
		n += *p == '.';
	ctx->relations += n;
	if (ctx->relations > corm_filter_max_relations)
		corm_filter_over_limit("The number of relations", "corm.filter_max_relations", corm_filter_max_relations);
}

static void
check_name_length(const char *name)
{
	if (strlen(name) > PG_UINT16_MAX)
		corm_bad_filter("A name is too long.");
}

static void
count_elements(FilterContext *ctx, JsonbValue *list)
{
	ctx->elements += JsonContainerSize(list->val.binary.data);
	if (ctx->elements > corm_filter_max_list)
		corm_filter_over_limit("The length of all lists together", "corm.filter_max_list", corm_filter_max_list);
}

/*
 * Conditions
 */

static void
write_field(FilterContext *ctx, const char *name)
{
	if (name[0] == '\0')
		corm_bad_filter("A field name is empty.");
	check_name_length(name);
	count_relations(ctx, name, true);
	corm_write_tag(ctx->w, CORM_N_FILTER_COLUMN);
	corm_write_name(ctx->w, name, strlen(name));
}

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

/*
 * Returns whether a list can be left to index lookups without exceeding the
 * limit on combinations with the lists before it, and if so counts it.  Under
 * negation, not_in acts as in.
 */
static bool
may_be_indexed(FilterContext *ctx, CormNodeTag tag, JsonbValue *list)
{
	int			n = JsonContainerSize(list->val.binary.data);

	if (n < 2 || (tag != CORM_N_IN && !(tag == CORM_N_NOT_IN && ctx->negated)))
		return true;
	if (ctx->combinations > 1 && ctx->combinations * n > corm_filter_max_list)
		return false;
	ctx->combinations *= n;
	return true;
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
		count_node(ctx);
		switch (filter_ops[i].kind)
		{
			case OP_FLAG:
				if (v->type != jbvBool)
					corm_bad_filter(psprintf("\"%s\" takes true or false.", op));
				if (!v->val.boolean)
					tag = tag == CORM_N_IS_NULL ? CORM_N_IS_NOT_NULL : CORM_N_IS_NULL;
				corm_write_tag(ctx->w, tag);
				write_field(ctx, field);
				return;
			case OP_PAIR:
				if (!corm_json_is_array(v) || JsonContainerSize(v->val.binary.data) != 2)
					corm_bad_filter(psprintf("\"%s\" takes an array of two values.", op));
				pair = corm_json_members(v->val.binary.data, &n);
				corm_write_tag(ctx->w, tag);
				write_field(ctx, field);
				corm_filter_scalar(ctx->w, &pair[0], op);
				corm_filter_scalar(ctx->w, &pair[1], op);
				return;
			case OP_LIST:
				if (corm_json_is_array(v))
				{
					count_elements(ctx, v);
					if (!may_be_indexed(ctx, tag, v))
						corm_write_tag(ctx->w, CORM_N_UNINDEXED);
				}
				corm_write_tag(ctx->w, tag);
				write_field(ctx, field);
				/* a range literal; only the field can tell */
				if (tag == CORM_N_OVERLAPS && v->type == jbvString)
					corm_filter_scalar(ctx->w, v, op);
				else
					corm_filter_list(ctx->w, v, op, tag != CORM_N_OVERLAPS);
				return;
			case OP_ANY:
				corm_write_tag(ctx->w, tag);
				write_field(ctx, field);
				if (corm_json_is_array(v))
					count_elements(ctx, v);
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
				write_field(ctx, field);
				corm_filter_scalar(ctx->w, v, op);
				corm_write_name(ctx->w, "", 0);
				return;
			case OP_SCALAR:
				if (v->type == jbvString)
					check_pattern(tag, v);
				corm_write_tag(ctx->w, tag);
				write_field(ctx, field);
				corm_filter_scalar(ctx->w, v, op);
				return;
		}
	}
	corm_bad_filter(psprintf("Unknown operator \"%s\" for \"%s\".", op, field));
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

	count_node(ctx);
	check_name_length(relation);
	count_relations(ctx, relation, false);
	if (to_one && v->type == jbvNull)
	{
		/* {"author": {"is": null}}: there is no author */
		corm_write_tag(ctx->w, tag == CORM_N_SOME ? CORM_N_NONE : CORM_N_SOME);
		corm_write_name(ctx->w, relation, strlen(relation));
		corm_write_count(ctx->w, 0);
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
	filter_condition(ctx, v);
	ctx->combinations = combinations;
	ctx->negated = negated;
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
	count_node(ctx);
	corm_write_tag(ctx->w, tag);
	corm_write_count(ctx->w, n);
	for (int i = 0; i < n; i++)
	{
		/* ORed lists do not combine, unless negated: then they are ANDed */
		if (tag == CORM_N_OR && !ctx->negated)
			ctx->combinations = before;
		filter_condition(ctx, &elements[i]);
		most = Max(most, ctx->combinations);
	}
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

		count_node(ctx);
		corm_write_tag(ctx->w, CORM_N_NOT);
		ctx->negated = true;
		filter_condition(ctx, v);
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
		corm_write_tag(ctx->w, CORM_N_AND);
		corm_write_count(ctx->w, n);
		for (int i = 0; i < n; i++)
		{
			char	   *op = string_of(&ops[2 * i]);

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
 * Writes {key: ..., key: ...} as an AND of all keys.  Raises OR020 unless spec
 * is an object.
 */
static void
filter_condition(FilterContext *ctx, JsonbValue *spec)
{
	JsonbValue *pairs;
	int			n;

	if (!corm_json_is_object(spec))
		corm_bad_filter("A condition must be an object.");
	enter(ctx);
	if (JsonContainerSize(spec->val.binary.data) > corm_filter_max_nodes)
		corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
	pairs = corm_json_members(spec->val.binary.data, &n);
	corm_write_tag(ctx->w, CORM_N_AND);
	corm_write_count(ctx->w, n);
	for (int i = 0; i < n; i++)
		filter_key(ctx, string_of(&pairs[2 * i]), &pairs[2 * i + 1]);
	leave(ctx);
}

/*
 * Other keys
 */

/*
 * Returns the names in an array without duplicates, which are redundant in a
 * select list or an order.  *n is their number.  Raises OR020 unless v is an
 * array of names, OR021 if it is longer than max or corm.filter_max_list.
 */
static JsonbValue *
names_of(JsonbValue *v, const char *key, const char *setting, int max, int *n)
{
	int			distinct = 0;
	JsonbValue *names;

	if (!corm_json_is_array(v))
		corm_bad_filter(psprintf("\"%s\" takes an array of names.", key));
	if (JsonContainerSize(v->val.binary.data) > corm_filter_max_list)
		corm_filter_over_limit("The length of a list", "corm.filter_max_list", corm_filter_max_list);
	if (JsonContainerSize(v->val.binary.data) > max)
		corm_filter_over_limit(psprintf("The number of names in \"%s\"", key), setting, max);
	names = corm_json_members(v->val.binary.data, n);
	for (int i = 0; i < *n; i++)
		if (names[i].type != jbvString || names[i].val.string.len == 0)
			corm_bad_filter(psprintf("\"%s\" takes an array of names.", key));
	for (int i = 0; i < *n; i++)
	{
		bool		again = false;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < distinct && !again; j++)
			again = names[j].val.string.len == names[i].val.string.len &&
				memcmp(names[j].val.string.val, names[i].val.string.val, names[i].val.string.len) == 0;
		if (!again)
			names[distinct++] = names[i];
	}
	*n = distinct;
	return names;
}

/* Writes "order_by"; '-name' means descending order. */
static void
filter_order(FilterContext *ctx, JsonbValue *v)
{
	int			n;

	/* each field adds a level of nesting to the condition of a cursor */
	JsonbValue *names = names_of(v, "order_by", "corm.filter_max_depth", corm_filter_max_depth, &n);

	corm_write_tag(ctx->w, CORM_N_ORDER_BY);
	corm_write_count(ctx->w, n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = string_of(&names[i]);

		if (name[0] == '-')
		{
			corm_write_tag(ctx->w, CORM_N_DESC);
			write_field(ctx, name + 1);
			corm_write_name(ctx->w, "", 0);
		}
		else
			write_field(ctx, name);
	}
}

/* Writes "limit" or "offset": an integer from 0 to max. */
static void
filter_number(FilterContext *ctx, CormNodeTag tag, JsonbValue *v, const char *key, int64 max)
{
	char	   *str;
	char	   *end;
	long long	value;

	if (v->type != jbvNumeric)
		corm_bad_filter(psprintf("\"%s\" takes a number.", key));
	str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
	errno = 0;
	value = strtoll(str, &end, 10);
	if (*end != '\0' || errno != 0 || value < 0)
		corm_bad_filter(psprintf("\"%s\" takes a whole number that is not negative.", key));
	if (value > max)
		corm_filter_over_limit("The limit", "corm.filter_max_limit", corm_filter_max_limit);
	corm_write_tag(ctx->w, tag);
	corm_write_value(ctx->w, INT8OID, 8, true, Int64GetDatum((int64) value));
}

/*
 * Writes "after" or "before" with the C function of the builder.  Null means
 * no cursor.
 */
static void
filter_cursor(FilterContext *ctx, PGFunction function, JsonbValue *v, const char *key)
{
	CormNode   *clause;

	if (v->type == jbvNull)
		return;
	if (v->type != jbvString)
		corm_bad_filter(psprintf("\"%s\" takes a cursor.", key));
	clause = (CormNode *) DatumGetPointer(DirectFunctionCall1(function, PointerGetDatum(cstring_to_text_with_len(v->val.string.val, v->val.string.len))));
	corm_write_node(ctx->w, clause);
}

/* Writes "preload": a clause for each relation that is not false. */
static void
filter_preload(FilterContext *ctx, JsonbValue *v)
{
	JsonbValue *pairs;
	int			n;

	if (!corm_json_is_object(v))
		corm_bad_filter("\"preload\" takes an object of relations.");
	if (JsonContainerSize(v->val.binary.data) > corm_filter_max_nodes)
		corm_filter_over_limit("The number of conditions", "corm.filter_max_nodes", corm_filter_max_nodes);
	pairs = corm_json_members(v->val.binary.data, &n);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *what = &pairs[2 * i + 1];
		const CormNode *query = NULL;

		if (pairs[2 * i].val.string.len == 0)
			corm_bad_filter("The name of a relation is empty.");
		check_name_length(string_of(&pairs[2 * i]));
		if (what->type == jbvBool && !what->val.boolean)
			continue;
		count_node(ctx);
		count_relations(ctx, string_of(&pairs[2 * i]), false);
		if (corm_json_is_object(what))
			query = filter_query(ctx, what->val.binary.data);
		else if (what->type != jbvBool)
			corm_bad_filter("A relation of \"preload\" takes true or an object.");
		corm_write_tag(ctx->w, CORM_N_FILTER_PRELOAD);
		corm_write_name(ctx->w, pairs[2 * i].val.string.val, pairs[2 * i].val.string.len);
		corm_write_query(ctx->w, &query, query ? 1 : 0);
	}
}

/*
 * Writes the clause for one key of a document.  Raises OR020 for an unknown
 * key.
 */
static void
filter_clause(FilterContext *ctx, const char *key, JsonbValue *v)
{
	if (strcmp(key, "where") == 0)
	{
		corm_write_tag(ctx->w, CORM_N_WHERE);
		corm_write_count(ctx->w, 1);
		filter_condition(ctx, v);
	}
	else if (strcmp(key, "select") == 0)
	{
		int			n;
		JsonbValue *names = names_of(v, key, "corm.filter_max_nodes", corm_filter_max_nodes, &n);

		corm_write_tag(ctx->w, CORM_N_SELECT);
		corm_write_count(ctx->w, n);
		for (int i = 0; i < n; i++)
			write_field(ctx, string_of(&names[i]));
	}
	else if (strcmp(key, "order_by") == 0)
		filter_order(ctx, v);
	else if (strcmp(key, "limit") == 0)
		filter_number(ctx, CORM_N_LIMIT, v, key, corm_filter_max_limit);
	else if (strcmp(key, "offset") == 0)
		filter_number(ctx, CORM_N_OFFSET, v, key, PG_INT64_MAX);
	else if (strcmp(key, "after") == 0)
		filter_cursor(ctx, corm_after, v, key);
	else if (strcmp(key, "before") == 0)
		filter_cursor(ctx, corm_before, v, key);
	else if (strcmp(key, "preload") == 0)
		filter_preload(ctx, v);
	else
		corm_bad_filter(psprintf("Unknown key \"%s\".", key));
}

/*
 * Builds the query for a whole document or for that of a preload, in the
 * current context.  Saves and restores the parts of outer that belong to one
 * query.
 */
static CormNode *
filter_query(FilterContext *outer, JsonbContainer *spec)
{
	CormWriter	w;
	JsonbValue *pairs;
	int			n;
	CormWriter *outer_w = outer->w;
	double		combinations = outer->combinations;
	bool		negated = outer->negated;

	enter(outer);
	corm_writer_init(&w);
	outer->w = &w;
	outer->combinations = 1;
	outer->negated = false;
	if (JsonContainerSize(spec) > corm_filter_max_nodes)
		corm_filter_over_limit("The number of keys", "corm.filter_max_nodes", corm_filter_max_nodes);
	pairs = corm_json_members(spec, &n);
	for (int i = 0; i < n; i++)
		filter_clause(outer, string_of(&pairs[2 * i]), &pairs[2 * i + 1]);
	outer->w = outer_w;
	outer->combinations = combinations;
	outer->negated = negated;
	leave(outer);
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

/*
 * Returns the number of keys of all objects in a document.
 */
static int64
count_keys(JsonbContainer *container)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbIteratorToken tok;
	JsonbValue	v;
	int64		n = 0;

	while ((tok = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		n += tok == WJB_KEY;
	}
	return n;
}

/*
 * The same for JSON text, which need not be valid.  Raises OR021 for nesting
 * or lists that no filter can have, before the parser spends time and stack on
 * them.
 */
static int64
count_keys_in_text(const char *str, int len)
{
	/* a condition takes two levels of JSON; the value of contains may be deep */
	int			max_depth = 2 * corm_filter_max_depth + 1000;
	int			max_list = Max(corm_filter_max_list, corm_filter_max_nodes);
	int		   *lengths = palloc(sizeof(int) * (max_depth + 1));	/* of open arrays; -1
																	 * for an object */
	int			depth = 0;
	int64		n = 0;
	bool		in_string = false;

	lengths[0] = -1;
	for (int i = 0; i < len; i++)
	{
		char		c = str[i];

		if (in_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		}
		else if (c == '"')
			in_string = true;
		else if (c == ':')
			n++;
		else if (c == '{' || c == '[')
		{
			if (++depth > max_depth)
				corm_filter_over_limit("The nesting", "corm.filter_max_depth", corm_filter_max_depth);
			lengths[depth] = c == '[' ? 1 : -1;
		}
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		else if (c == ',' && lengths[depth] >= 0 && ++lengths[depth] > max_list)
			corm_filter_over_limit("The length of a list", "corm.filter_max_list", corm_filter_max_list);
	}
	pfree(lengths);
	return n;
}

/*
 * corm_filter_text(spec): the same for text.  Only this variant can detect
 * duplicate keys (OR020), since jsonb keeps just the last one.
 */
Datum
corm_filter_text(PG_FUNCTION_ARGS)
{
	text	   *spec = PG_GETARG_TEXT_PP(0);
	int64		n = count_keys_in_text(VARDATA_ANY(spec), VARSIZE_ANY_EXHDR(spec));
	Datum		document = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(spec)));

	if (count_keys(&DatumGetJsonbP(document)->root) != n)
		corm_bad_filter("An object has the same key twice.");
	return DirectFunctionCall1(corm_filter, document);
}

/*
 * corm_filter(spec) returns the query for a filter document, in the current
 * context.  Raises OR020 if it does not follow the grammar, OR021 if it
 * exceeds a limit, 22025 or 2201B for an invalid pattern.
 */
Datum
corm_filter(PG_FUNCTION_ARGS)
{
	Jsonb	   *spec = PG_GETARG_JSONB_P(0);
	FilterContext ctx = {0};

	if (!JB_ROOT_IS_OBJECT(spec))
		corm_bad_filter("It must be an object.");
	PG_RETURN_POINTER(filter_query(&ctx, &spec->root));
}
