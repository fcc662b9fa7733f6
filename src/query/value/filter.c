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
 * A second argument says what the document may name (filter_allow.c).  What it
 * does not allow raises 42501 here.  FILTER_OWN is a FILTER_COLUMN that means
 * fields of the model only, not of what the query joins; FILTER_FIELDS is the
 * select list where neither the document nor the query has one; FILTER_PAGE says
 * which keys came from the document that a write cannot have.
 *
 * Errors in a value itself must be raised here, before any row is read: an
 * error at execution could reveal something about the rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/guc.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/value/cursor.h"
#include "query/value/filter.h"
#include "query/value/filter_allow.h"
#include "query/value/node.h"
#include "regex/regex.h"
#include "utils/array.h"
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
	CormFilterAllow *allow;		/* of the model that names are about; NULL: no
								 * fence */
	int			level;			/* of nesting, as max_depth counts it */
	int			max_level;		/* or -1 */
} FilterContext;

static void filter_condition(FilterContext *ctx, JsonbValue *spec);
static CormNode *filter_query(FilterContext *outer, JsonbContainer *spec, bool preload);
static void write_defaults(FilterContext *ctx, bool preload);

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

static void not_allowed(const char *what, const char *name) pg_attribute_noreturn();

/* Raises 42501 for a name that the fence does not have. */
static void
not_allowed(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s \"%s\" cannot be used in a filter", what, name)));
}

/* Enters so many levels, as max_depth counts them; the caller restores level. */
static void
go_deeper(FilterContext *ctx, int levels)
{
	ctx->level += levels;
	if (ctx->max_level >= 0 && ctx->level > ctx->max_level)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_FILTER_LIMIT),
				 errmsg("filter is too large"),
				 errdetail("The nesting exceeds max_depth.")));
}

/* Sets the fence, which is that of the model that the names which follow are about. */
static void
set_allow(FilterContext *ctx, CormFilterAllow *allow)
{
	ctx->allow = allow;
	if (allow && allow->max_depth >= 0 &&
		(ctx->max_level < 0 || ctx->max_level - ctx->level > allow->max_depth))
		ctx->max_level = ctx->level + allow->max_depth;
}

/*
 * Goes along the fences of a path of relations.  Returns the path in their
 * spelling; sets *target to the fence of what it leads to.  Raises 42501 for a
 * relation that is not allowed.
 */
static char *
allowed_path(CormFilterAllow *allow, const char *path, CormFilterAllow **target)
{
	const char *dot = strchr(path, '.');
	char	   *step = dot ? pnstrdup(path, dot - path) : pstrdup(path);
	CormFilterAllow *next = NULL;
	char	   *relation;

	check_stack_depth();
	if (allow == NULL)
	{
		*target = NULL;
		return pstrdup(path);
	}
	relation = corm_allowed_relation(allow, step, &next);
	if (relation == NULL)
		not_allowed("relation", path);
	if (dot == NULL)
	{
		*target = next;
		return relation;
	}
	return psprintf("%s.%s", relation, allowed_path(next, dot + 1, target));
}

/*
 * Returns a field's name as the fence spells it, and sets *own if it means a
 * field of the model or of its relations only.  Raises 42501 if it is not
 * allowed.
 */
static char *
allowed_field(CormFilterAllow *allow, const char *name, bool order, bool *own)
{
	bool		listed = allow->has_fields || (order && allow->has_order_by);
	List	   *names = order && allow->has_order_by ? allow->order_by : allow->fields;
	char	   *found = listed ? corm_allowed_name(names, name) : NULL;
	const char *dot = strchr(name, '.');
	CormFilterAllow *target = NULL;
	char	   *relation;
	char	   *rest;

	*own = false;
	if (found)
		return found;
	*own = true;
	if (dot == NULL)
	{
		if (listed)
			not_allowed("field", name);
		return pstrdup(name);
	}
	if (order && allow->has_order_by)
		not_allowed("field", name);
	check_stack_depth();
	relation = corm_allowed_relation(allow, pnstrdup(name, dot - name), &target);
	if (relation == NULL)
		not_allowed("field", name);
	rest = allowed_field(target, dot + 1, order, own);
	*own = true;
	return psprintf("%s.%s", relation, rest);
}

/* Writes a field, of the order or of anything else. */
static void
write_name(FilterContext *ctx, const char *name, bool order)
{
	bool		own = false;

	if (name[0] == '\0')
		corm_bad_filter("A field name is empty.");
	check_name_length(name);
	count_relations(ctx, name, true);
	if (ctx->allow)
	{
		int			level = ctx->level;

		for (const char *p = name; *p; p++)
		{
			if (*p == '.')
				go_deeper(ctx, 1);
		}
		ctx->level = level;
		name = allowed_field(ctx->allow, name, order, &own);
	}
	corm_write_tag(ctx->w, own ? CORM_N_FILTER_OWN : CORM_N_FILTER_COLUMN);
	corm_write_name(ctx->w, name, strlen(name));
}

static void
write_field(FilterContext *ctx, const char *name)
{
	write_name(ctx, name, false);
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
		count_node(ctx);
		check_op_allowed(ctx, op);
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
	write_field(ctx, field);
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
	count_node(ctx);
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
				count_elements(ctx, v);
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
				count_elements(ctx, v);
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
	count_elements(ctx, path);
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
						   string_of(&ops[2 * i]), &ops[2 * i + 1]);
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

	count_node(ctx);
	check_name_length(relation);
	count_relations(ctx, relation, false);
	for (const char *p = relation; p; p = strchr(p + 1, '.'))
		go_deeper(ctx, 1);
	relation = allowed_path(allow, relation, &target);
	set_allow(ctx, target);
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
	filter_condition(ctx, v);
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
	count_node(ctx);
	corm_write_tag(ctx->w, tag);
	corm_write_count(ctx->w, n);
	go_deeper(ctx, 1);
	for (int i = 0; i < n; i++)
	{
		/* ORed lists do not combine, unless negated: then they are ANDed */
		if (tag == CORM_N_OR && !ctx->negated)
			ctx->combinations = before;
		filter_condition(ctx, &elements[i]);
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

		count_node(ctx);
		corm_write_tag(ctx->w, CORM_N_NOT);
		ctx->negated = true;
		go_deeper(ctx, 1);
		filter_condition(ctx, v);
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
			if (strcmp(string_of(&ops[2 * i]), "path") == 0)
			{
				filter_in_document(ctx, key, ops, n, &ops[2 * i + 1]);
				return;
			}
		}
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
			write_name(ctx, name + 1, true);
			corm_write_name(ctx->w, "", 0);
		}
		else
			write_name(ctx, name, true);
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
	if (tag == CORM_N_LIMIT && ctx->allow && ctx->allow->max_limit >= 0 && value > ctx->allow->max_limit)
		corm_filter_over_limit("The limit", "max_limit", ctx->allow->max_limit);
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

/*
 * Writes a preload of a path, each of whose relations is one within that of
 * the one before, with the fence of what it leads to.  query has the clauses
 * of the last, or is NULL.
 */
static void
write_preload(FilterContext *ctx, const char *path, JsonbContainer *spec)
{
	const char *dot = strchr(path, '.');
	const CormNode *query;
	CormFilterAllow *allow = ctx->allow;
	int			level = ctx->level;
	int			max_level = ctx->max_level;
	CormWriter *outer_w = ctx->w;
	CormFilterAllow *target;
	char	   *relation;

	check_stack_depth();
	go_deeper(ctx, 1);
	relation = allowed_path(allow, dot ? pnstrdup(path, dot - path) : path, &target);
	set_allow(ctx, target);
	if (dot == NULL)
		query = filter_query(ctx, spec, true);
	else
	{
		CormWriter	w;

		corm_writer_init(&w);
		ctx->w = &w;
		write_preload(ctx, dot + 1, spec);
		write_defaults(ctx, true);
		ctx->w = outer_w;
		query = corm_writer_finish(&w, CORM_KIND_QUERY);
	}
	ctx->allow = allow;
	ctx->level = level;
	ctx->max_level = max_level;
	corm_write_tag(ctx->w, CORM_N_FILTER_PRELOAD);
	corm_write_name(ctx->w, relation, strlen(relation));
	corm_write_query(ctx->w, &query, 1);
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

		if (pairs[2 * i].val.string.len == 0)
			corm_bad_filter("The name of a relation is empty.");
		check_name_length(string_of(&pairs[2 * i]));
		if (what->type == jbvBool && !what->val.boolean)
			continue;
		count_node(ctx);
		count_relations(ctx, string_of(&pairs[2 * i]), false);
		if (!corm_json_is_object(what) && what->type != jbvBool)
			corm_bad_filter("A relation of \"preload\" takes true or an object.");
		write_preload(ctx, string_of(&pairs[2 * i]), corm_json_is_object(what) ? what->val.binary.data : NULL);
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
 * Writes which keys of a document only a query that reads can have, if any: their
 * clauses do not tell that a client has written them.
 */
static void
write_page_keys(FilterContext *ctx, JsonbValue *pairs, int n)
{
	static const char *const page_keys[] = {"limit", "offset", "after", "before"};
	const char *found[lengthof(page_keys)];
	int			nfound = 0;

	for (int i = 0; i < n; i++)
	{
		const char *key = string_of(&pairs[2 * i]);

		for (int k = 0; k < lengthof(page_keys); k++)
			if (strcmp(key, page_keys[k]) == 0)
				found[nfound++] = page_keys[k];
	}
	if (nfound == 0)
		return;
	corm_write_tag(ctx->w, CORM_N_FILTER_PAGE);
	corm_write_count(ctx->w, nfound);
	for (int i = 0; i < nfound; i++)
		corm_write_name(ctx->w, found[i], strlen(found[i]));
}

/*
 * Writes what holds where neither the document nor the query says anything:
 * the select list of the fence, and a limit.
 */
static void
write_defaults(FilterContext *ctx, bool preload)
{
	CormFilterAllow *allow = ctx->allow;
	int64		limit = preload ? corm_filter_preload_limit : -1;

	if (allow)
	{
		ListCell   *lc;
		int			n = 0;

		foreach(lc, allow->fields)
		{
			n += strchr(lfirst(lc), '.') == NULL;
		}
		corm_write_tag(ctx->w, CORM_N_FILTER_FIELDS);
		corm_write_count(ctx->w, allow->has_fields ? n : 1);
		if (!allow->has_fields)
			corm_write_name(ctx->w, "*", 1);
		foreach(lc, allow->fields)
		{
			if (strchr(lfirst(lc), '.') == NULL)
				corm_write_name(ctx->w, lfirst(lc), strlen(lfirst(lc)));
		}
		if (allow->default_limit >= 0)
			limit = allow->default_limit;
		if (allow->max_limit >= 0 && (limit < 0 || limit > allow->max_limit))
			limit = allow->max_limit;
	}
	if (limit >= 0)
	{
		corm_write_tag(ctx->w, CORM_N_FILTER_LIMIT);
		corm_write_value(ctx->w, INT8OID, 8, true, Int64GetDatum(limit));
	}
}

/*
 * Builds the query for a whole document or for that of a preload, in the
 * current context.  spec is NULL if there is none.  Saves and restores the
 * parts of outer that belong to one query.
 */
static CormNode *
filter_query(FilterContext *outer, JsonbContainer *spec, bool preload)
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
	if (spec)
	{
		if (JsonContainerSize(spec) > corm_filter_max_nodes)
			corm_filter_over_limit("The number of keys", "corm.filter_max_nodes", corm_filter_max_nodes);
		pairs = corm_json_members(spec, &n);
		if (!preload)
			write_page_keys(outer, pairs, n);
		for (int i = 0; i < n; i++)
			filter_clause(outer, string_of(&pairs[2 * i]), &pairs[2 * i + 1]);
	}
	write_defaults(outer, preload);
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

/* Returns the query for a document and its fence, which may be NULL. */
static Datum
build_filter(Jsonb *spec, Jsonb *allow)
{
	FilterContext ctx = {.max_level = -1};

	if (allow)
	{
		set_allow(&ctx, corm_filter_allow(&allow->root));
		corm_filter_inherit(ctx.allow);
	}
	if (!JB_ROOT_IS_OBJECT(spec))
		corm_bad_filter("It must be an object.");
	return PointerGetDatum(filter_query(&ctx, &spec->root, false));
}

/*
 * corm_filter_text(spec, allow): the same for text.  Only this variant can detect
 * duplicate keys (OR020), since jsonb keeps just the last one.
 */
Datum
corm_filter_text(PG_FUNCTION_ARGS)
{
	text	   *spec;
	int64		n;
	Datum		document;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	spec = PG_GETARG_TEXT_PP(0);
	n = count_keys_in_text(VARDATA_ANY(spec), VARSIZE_ANY_EXHDR(spec));
	document = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(spec)));

	if (count_keys(&DatumGetJsonbP(document)->root) != n)
		corm_bad_filter("An object has the same key twice.");
	return build_filter(DatumGetJsonbP(document), PG_NARGS() > 1 && !PG_ARGISNULL(1) ? PG_GETARG_JSONB_P(1) : NULL);
}

/*
 * corm_filter(spec, allow) returns the query for a filter document, in the
 * current context; NULL if that is NULL.  allow is its fence, or NULL.  Raises
 * OR020 if the document does not follow the grammar, OR021 if it exceeds a
 * limit, 42501 if it names something that is not allowed, 22025 or 2201B for
 * an invalid pattern, OR006 if the fence is invalid.
 */
Datum
corm_filter(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return build_filter(PG_GETARG_JSONB_P(0), PG_NARGS() > 1 && !PG_ARGISNULL(1) ? PG_GETARG_JSONB_P(1) : NULL);
}
