/*-------------------------------------------------------------------------
 *
 * filter.c
 *		corm.filter(): a query from an untrusted JSON document.
 *
 * The document may come from anywhere, such as the body of an HTTP request.
 * It is less powerful than the builders: fields and relations by name, the
 * operators of filter_condition.c, and plain values.  No SQL, no functions, no types.
 *
 *		{"where": {"age": {"gte": 18}, "or": [{"plan": "pro"}, {"orders": {"some": {...}}}]},
 *		 "select": ["id", "name"], "order_by": ["-age"], "limit": 20, "offset": 0,
 *		 "after": cursor, "before": cursor, "preload": {"orders": {...}, "company": true}}
 *
 * This file has the document and its keys.  Conditions are in filter_condition.c,
 * names in filter_names.c, values in filter_value.c, and how large it all may be
 * in filter_bounds.c.  A second argument says what the document may name
 * (filter_allow.c).
 *
 * FILTER_FIELDS is the select list where neither the document nor the query has
 * one; FILTER_PAGE says which keys came from the document that a write cannot
 * have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/value/cursor.h"
#include "query/value/filter_parts.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(corm_filter);
PG_FUNCTION_INFO_V1(corm_filter_text);

static CormNode *filter_query(FilterContext *outer, JsonbContainer *spec, bool preload);
static void write_defaults(FilterContext *ctx, bool preload);

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
		char	   *name = corm_filter_string(&names[i]);

		if (name[0] == '-')
		{
			corm_write_tag(ctx->w, CORM_N_DESC);
			corm_filter_write_name(ctx, name + 1, true);
			corm_write_name(ctx->w, "", 0);
		}
		else
			corm_filter_write_name(ctx, name, true);
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
	corm_filter_go_deeper(ctx, 1);
	relation = corm_filter_allowed_path(allow, dot ? pnstrdup(path, dot - path) : path, &target);
	corm_filter_set_allow(ctx, target);
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
		corm_filter_check_name(corm_filter_string(&pairs[2 * i]));
		if (what->type == jbvBool && !what->val.boolean)
			continue;
		corm_filter_count_node(ctx);
		corm_filter_count_relations(ctx, corm_filter_string(&pairs[2 * i]), false);
		if (!corm_json_is_object(what) && what->type != jbvBool)
			corm_bad_filter("A relation of \"preload\" takes true or an object.");
		write_preload(ctx, corm_filter_string(&pairs[2 * i]), corm_json_is_object(what) ? what->val.binary.data : NULL);
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
		corm_filter_condition(ctx, v);
	}
	else if (strcmp(key, "select") == 0)
	{
		int			n;
		JsonbValue *names = names_of(v, key, "corm.filter_max_nodes", corm_filter_max_nodes, &n);

		corm_write_tag(ctx->w, CORM_N_SELECT);
		corm_write_count(ctx->w, n);
		for (int i = 0; i < n; i++)
			corm_filter_write_field(ctx, corm_filter_string(&names[i]));
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
		const char *key = corm_filter_string(&pairs[2 * i]);

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

	corm_filter_enter(outer);
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
			filter_clause(outer, corm_filter_string(&pairs[2 * i]), &pairs[2 * i + 1]);
	}
	write_defaults(outer, preload);
	outer->w = outer_w;
	outer->combinations = combinations;
	outer->negated = negated;
	corm_filter_leave(outer);
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

/* Returns the query for a document and its fence, which may be NULL. */
static Datum
build_filter(Jsonb *spec, Jsonb *allow)
{
	FilterContext ctx = {.max_level = -1};

	if (allow)
	{
		corm_filter_set_allow(&ctx, corm_filter_allow(&allow->root));
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
	n = corm_filter_count_keys_in_text(VARDATA_ANY(spec), VARSIZE_ANY_EXHDR(spec));
	document = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(spec)));

	if (corm_filter_count_keys(&DatumGetJsonbP(document)->root) != n)
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
