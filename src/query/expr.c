/*-------------------------------------------------------------------------
 *
 * expr.c
 *		Expressions to SQL: one function per kind of node.
 *
 * Parentheses go by three levels: what needs none (a column, a parameter, a
 * call), comparisons and conditions, and AND/OR.  An operand that is not of
 * the first level is put into parentheses.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/query.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

typedef struct OperatorDesc
{
	CormNodeTag tag;
	const char *name;
	const char *keyword;		/* how it is written bare */
} OperatorDesc;

static const OperatorDesc operators[] = {
	{CORM_N_EQ, "=", "="},
	{CORM_N_NEQ, "<>", "<>"},
	{CORM_N_LT, "<", "<"},
	{CORM_N_LTE, "<=", "<="},
	{CORM_N_GT, ">", ">"},
	{CORM_N_GTE, ">=", ">="},
	{CORM_N_LIKE, "~~", "LIKE"},
	{CORM_N_NOT_LIKE, "!~~", "NOT LIKE"},
	{CORM_N_ILIKE, "~~*", "ILIKE"},
	{CORM_N_NOT_ILIKE, "!~~*", "NOT ILIKE"},
	{CORM_N_REGEX, "~", "~"},
	{CORM_N_IREGEX, "~*", "~*"},
	{CORM_N_HAS_KEY, "?", "?"},
	{CORM_N_OVERLAPS, "&&", "&&"},
	{CORM_N_MATCHES, "@@", "@@"},
	{CORM_N_SUPERSET, "@>", "@>"},
	{CORM_N_SUBSET, "<@", "<@"},
	{CORM_N_ADD, "+", "+"},
	{CORM_N_SUB, "-", "-"},
	{CORM_N_MUL, "*", "*"},
	{CORM_N_DIV, "/", "/"},
	{CORM_N_MOD, "%", "%"},
	{CORM_N_CONCAT, "||", "||"},
	{CORM_N_JSON_GET, "->", "->"},
	{CORM_N_JSON_GET_TEXT, "->>", "->>"},
	{CORM_N_JSON_PATH_TEXT, "#>>", "#>>"},
};

static const OperatorDesc *
find_operator(CormNodeTag tag)
{
	for (int i = 0; i < lengthof(operators); i++)
		if (operators[i].tag == tag)
			return &operators[i];
	return NULL;
}

/*
 * corm_operator_name returns the operator that a node stands for, or NULL.
 */
const char *
corm_operator_name(CormNodeTag tag)
{
	const OperatorDesc *op = find_operator(tag);

	return op ? op->name : NULL;
}

/*
 * Columns and values
 */

/*
 * corm_deparse_column appends a column of a range: a model's field, or a
 * column of a subquery.  In the page of a statement's rows it has the name of
 * a key.
 */
void
corm_deparse_column(CormDeparse *ctx, CormRange *range, CormField *field, const char *column)
{
	if (!ctx->bare_columns)
		appendStringInfo(ctx->buf, "%s.", quote_identifier(range->alias));
	if (field)
		column = field->column;
	if (range->page_of)
		column = corm_parent_key(range->page_of, column);
	appendStringInfoString(ctx->buf, quote_identifier(column));
}

static void
append_param(CormDeparse *ctx, CormTree *value, Oid typid, CormParamForm form)
{
	CormParam  *param = palloc(sizeof(CormParam));

	param->valno = value->valno;
	param->constant = value->constant;
	param->typid = typid;
	param->form = form;
	param->model = ctx->met_model ? ctx->met_model->name : NULL;
	param->field = ctx->met_field ? ctx->met_field->name : NULL;
	ctx->params = lappend(ctx->params, param);
	appendStringInfo(ctx->buf, "$%d", list_length(ctx->params));
}

static void
deparse_null(CormDeparse *ctx, CormTree *tree)
{
	Oid			typid = tree->args[0].oid;

	appendStringInfoString(ctx->buf, "NULL");
	if (typid != UNKNOWNOID)
		appendStringInfo(ctx->buf, "::%s", corm_deparse_type(typid, -1));
}

/*
 * An array of text stands for an array of what it meets, as a literal does,
 * when that is a field of another type.
 */
static Oid
array_param_type(CormTree *value, Oid met)
{
	if (value->typid == TEXTARRAYOID && OidIsValid(met) && met != UNKNOWNOID &&
		getBaseType(met) != TEXTOID)
		return UNKNOWNOID;
	return value->typid;
}

/*
 * PostgreSQL takes a literal that is compared to a row for one of type record,
 * which cannot be read: its type is stated.
 */
static Oid
row_param_type(Oid typid, Oid met)
{
	return typid == UNKNOWNOID && OidIsValid(met) && type_is_rowtype(met) ? met : typid;
}

/*
 * Notes what the values that follow meet, for their error messages.
 */
static void
meet(CormDeparse *ctx, CormTree *left)
{
	ctx->met_model = NULL;
	ctx->met_field = NULL;
	if (left && (left->tag == CORM_N_COLUMN || left->tag == CORM_N_FILTER_COLUMN) &&
		left->field && left->range)
	{
		ctx->met_model = left->range->model;
		ctx->met_field = left->field;
	}
}

/*
 * corm_deparse_value_for appends what a field is set to.
 */
void
corm_deparse_value_for(CormDeparse *ctx, CormTree *value, CormModel *model, CormField *field)
{
	ctx->met_model = model;
	ctx->met_field = field;
	if (value->tag == CORM_N_VALUE)
	{
		Oid			typid = array_param_type(value, field->typid);

		/* in a select list nothing tells the type, so the field's is stated */
		append_param(ctx, value, typid == UNKNOWNOID ? field->typid : typid, CORM_PARAM_PLAIN);
	}
	else if (value->tag == CORM_N_NULL)
		appendStringInfo(ctx->buf, "NULL::%s", corm_deparse_type(field->typid, -1));
	else
		corm_deparse_expr(ctx, value);
	meet(ctx, NULL);
}

/*
 * Operands
 */

/*
 * is_atom tells whether the SQL of an expression can be an operand without
 * parentheses.  What begins with NOT cannot: NOT EXISTS (...) IS NULL is the
 * negation of a test for NULL.
 */
static bool
is_atom(CormTree *tree)
{
	switch (tree->tag)
	{
		case CORM_N_COLUMN:
		case CORM_N_FILTER_COLUMN:
			return tree->aliased == NULL || is_atom(tree->aliased);
		case CORM_N_VALUE:
		case CORM_N_NULL:
		case CORM_N_SUBQUERY:
		case CORM_N_FN:
		case CORM_N_EXCLUDED:
		case CORM_N_CAST:
		case CORM_N_CASE:
		case CORM_N_COALESCE:
		case CORM_N_COUNT:
		case CORM_N_COUNT_DISTINCT:
		case CORM_N_SUM:
		case CORM_N_AVG:
		case CORM_N_MIN:
		case CORM_N_MAX:
		case CORM_N_ARRAY_AGG:
		case CORM_N_JSON_AGG:
		case CORM_N_BOOL_AND:
		case CORM_N_BOOL_OR:
		case CORM_N_STRING_AGG:
		case CORM_N_EXISTS:
		case CORM_N_SOME:
		case CORM_N_ROW:
		case CORM_N_INSERTED:
		case CORM_N_RAW:
			return true;
		case CORM_N_AS:
			return is_atom(tree->args[0].node);
		default:
			return false;
	}
}

/*
 * AND or OR of one condition is that condition.
 */
static CormTree *
unwrap(CormTree *tree)
{
	while ((tree->tag == CORM_N_AND || tree->tag == CORM_N_OR) && list_length(tree->args[0].list) == 1)
		tree = linitial(tree->args[0].list);
	return tree;
}

static void
deparse_operand(CormDeparse *ctx, CormTree *tree)
{
	tree = unwrap(tree);
	if (is_atom(tree))
		corm_deparse_expr(ctx, tree);
	else
	{
		appendStringInfoChar(ctx->buf, '(');
		corm_deparse_expr(ctx, tree);
		appendStringInfoChar(ctx->buf, ')');
	}
}

static void
deparse_operator(CormDeparse *ctx, CormTree *tree, const OperatorDesc *op)
{
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);
	Oid			right_type = corm_right_operand_type(tree, left_type);

	deparse_operand(ctx, left);

	/* whether a value is NULL is part of the query's shape */
	if (right->tag == CORM_N_NULL && (tree->tag == CORM_N_EQ || tree->tag == CORM_N_NEQ))
	{
		appendStringInfoString(ctx->buf, tree->tag == CORM_N_EQ ? " IS NULL" : " IS NOT NULL");
		return;
	}
	meet(ctx, left);
	if (right->tag == CORM_N_VALUE)
	{
		if (right_type == TEXTARRAYOID && tree->tag != CORM_N_JSON_PATH_TEXT)
			right_type = array_param_type(right, left_type);
		right_type = row_param_type(right_type, left_type);
		corm_deparse_operator(ctx, op->name, op->keyword, left_type, right_type);
		append_param(ctx, right, right_type, CORM_PARAM_PLAIN);
	}
	else
	{
		corm_deparse_operator(ctx, op->name, op->keyword, left_type, right_type);
		deparse_operand(ctx, right);
	}
	meet(ctx, NULL);
}

static bool
is_container_type(Oid typid)
{
	Oid			base;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return false;
	base = getBaseType(typid);
	return base == JSONBOID || type_is_array(base) || type_is_range(base) || type_is_multirange(base);
}

/*
 * starts_with, ends_with, contains, icontains: LIKE with a pattern made of
 * the literal value, or functions where the value is an expression.
 */
static void
deparse_literal_match(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);
	bool		ignore_case = tree->tag == CORM_N_ICONTAINS;

	if (tree->tag == CORM_N_CONTAINS && corm_takes_json(left, right))
	{
		Oid			right_type = getBaseType(left_type);

		deparse_operand(ctx, left);
		corm_deparse_operator(ctx, "@>", "@>", left_type, right_type);
		meet(ctx, left);
		append_param(ctx, right, right_type, CORM_PARAM_JSON);
		meet(ctx, NULL);
		return;
	}
	if (tree->tag == CORM_N_CONTAINS && is_container_type(left_type))
	{
		deparse_operator(ctx, tree, find_operator(CORM_N_SUPERSET));
		return;
	}

	if (right->tag == CORM_N_VALUE || right->tag == CORM_N_NULL)
	{
		deparse_operand(ctx, left);
		corm_deparse_operator(ctx, ignore_case ? "~~*" : "~~", ignore_case ? "ILIKE" : "LIKE",
						left_type, TEXTOID);
		meet(ctx, left);
		if (right->tag == CORM_N_NULL)
			deparse_null(ctx, right);
		else
			append_param(ctx, right, TEXTOID,
						 tree->tag == CORM_N_STARTS_WITH ? CORM_PARAM_STARTS :
						 tree->tag == CORM_N_ENDS_WITH ? CORM_PARAM_ENDS : CORM_PARAM_CONTAINS);
		meet(ctx, NULL);
		return;
	}

	switch (tree->tag)
	{
		case CORM_N_STARTS_WITH:
			appendStringInfoString(buf, "pg_catalog.starts_with(");
			corm_deparse_expr(ctx, left);
			appendStringInfoString(buf, ", ");
			corm_deparse_expr(ctx, right);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_ENDS_WITH:
			appendStringInfoString(buf, "pg_catalog.starts_with(pg_catalog.reverse(");
			corm_deparse_expr(ctx, left);
			appendStringInfoString(buf, "), pg_catalog.reverse(");
			corm_deparse_expr(ctx, right);
			appendStringInfoString(buf, "))");
			break;
		default:
			appendStringInfoString(buf, ignore_case ? "pg_catalog.strpos(pg_catalog.lower(" :
								   "pg_catalog.strpos(");
			corm_deparse_expr(ctx, left);
			appendStringInfoString(buf, ignore_case ? "), pg_catalog.lower(" : ", ");
			corm_deparse_expr(ctx, right);
			appendStringInfoString(buf, ignore_case ? "))" : ")");
			corm_deparse_operator(ctx, ">", ">", INT4OID, INT4OID);
			appendStringInfoChar(buf, '0');
			break;
	}
}

static void
deparse_in(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	bool		negated = tree->tag == CORM_N_NOT_IN;
	Oid			left_type = corm_expr_type(left);
	const char *op = negated ? "<>" : "=";
	Oid			element_type = InvalidOid;

	if (right->tag == CORM_N_NULL)
		element_type = UNKNOWNOID;
	else if (right->tag == CORM_N_VALUE)
	{
		Oid			typid = array_param_type(right, left_type);

		element_type = typid == UNKNOWNOID ? UNKNOWNOID : get_base_element_type(typid);
	}
	deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, left_type, element_type);
	appendStringInfoString(buf, negated ? "ALL (" : "ANY (");
	meet(ctx, left);
	if (right->tag == CORM_N_SUBQUERY)
		corm_deparse_subquery(ctx, right->query);
	else if (right->tag == CORM_N_VALUE)
	{
		Oid			typid = array_param_type(right, left_type);

		if (typid != UNKNOWNOID && !OidIsValid(get_base_element_type(typid)))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("corm.%s() expects an array, not a value of type %s",
							tree->desc->func, format_type_be(typid))));
		if (typid == UNKNOWNOID && OidIsValid(left_type) && type_is_rowtype(left_type))
			typid = get_array_type(left_type);
		append_param(ctx, right, typid, CORM_PARAM_PLAIN);
	}
	else
		corm_deparse_expr(ctx, right);
	meet(ctx, NULL);
	appendStringInfoChar(buf, ')');
}

static void
deparse_comparison(CormDeparse *ctx, CormTree *left, const char *op, CormTree *right)
{
	deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, corm_expr_type(left), corm_expr_type(right));
	meet(ctx, left);
	if (right->tag == CORM_N_VALUE)
		append_param(ctx, right, row_param_type(right->typid, corm_expr_type(left)), CORM_PARAM_PLAIN);
	else
		deparse_operand(ctx, right);
	meet(ctx, NULL);
}

static void
deparse_between(CormDeparse *ctx, CormTree *tree)
{
	deparse_comparison(ctx, tree->args[0].node, ">=", tree->args[1].node);
	appendStringInfoString(ctx->buf, " AND ");
	deparse_comparison(ctx, tree->args[0].node, "<=", tree->args[2].node);
}

/*
 * IS DISTINCT FROM takes whatever "=" the search_path finds first, and its
 * operator cannot be qualified; without a safe path it is spelled out.
 */
static void
deparse_distinct_from(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);

	if (right->tag == CORM_N_NULL)
	{
		deparse_operand(ctx, left);
		appendStringInfoString(buf, " IS NOT NULL");
		return;
	}
	if (corm_operator_is_bare(ctx, "=", left_type, corm_expr_type(right)))
	{
		deparse_operand(ctx, left);
		appendStringInfoString(buf, " IS DISTINCT FROM ");
		meet(ctx, left);
		deparse_operand(ctx, right);
		meet(ctx, NULL);
		return;
	}
	appendStringInfoString(buf, "NOT COALESCE(");
	deparse_comparison(ctx, left, "=", right);
	appendStringInfoString(buf, ", ");
	deparse_operand(ctx, left);
	appendStringInfoString(buf, " IS NULL AND ");
	/* a bound value is not NULL, or it would be part of the shape */
	if (right->tag == CORM_N_VALUE)
		appendStringInfoString(buf, "false");
	else
	{
		deparse_operand(ctx, right);
		appendStringInfoString(buf, " IS NULL");
	}
	appendStringInfoChar(buf, ')');
}

/*
 * Logic
 */

static void
deparse_condition_list(CormDeparse *ctx, List *conditions, const char *word, const char *empty)
{
	ListCell   *lc;
	bool		single = list_length(conditions) == 1;

	if (conditions == NIL)
		appendStringInfoString(ctx->buf, empty);
	foreach(lc, conditions)
	{
		CormTree   *cond = unwrap(lfirst(lc));

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, word);
		if (!single && (cond->tag == CORM_N_AND || cond->tag == CORM_N_OR ||
						cond->tag == CORM_N_BETWEEN))
			deparse_operand(ctx, cond);
		else
			corm_deparse_expr(ctx, cond);
	}
}

/* corm_deparse_and appends conditions, all of which must hold. */
void
corm_deparse_and(CormDeparse *ctx, List *conditions)
{
	deparse_condition_list(ctx, conditions, " AND ", "true");
}

/*
 * Calls
 */

static void
deparse_args(CormDeparse *ctx, List *args)
{
	ListCell   *lc;

	foreach(lc, args)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, ", ");
		corm_deparse_expr(ctx, lfirst(lc));
	}
}

/*
 * The function a user names: by the schema if it is given, pg_catalog's if
 * that has one of the name, else whatever the search_path finds.
 */
static void
deparse_function(CormDeparse *ctx, CormTree *tree)
{
	List	   *names = corm_qualified_name_list(tree->args[0].str);
	ListCell   *lc;

	if (list_length(names) == 1)
	{
		char	   *name = strVal(linitial(names));
		CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
		bool		builtin = false;

		for (int i = 0; i < list->n_members && !builtin; i++)
			builtin = ((Form_pg_proc) GETSTRUCT(&list->members[i]->tuple))->pronamespace ==
				PG_CATALOG_NAMESPACE;
		ReleaseCatCacheList(list);
		if (builtin)
			appendStringInfoString(ctx->buf, "pg_catalog.");
		else
			ctx->uses_search_path = true;
	}
	foreach(lc, names)
		appendStringInfo(ctx->buf, "%s%s", foreach_current_index(lc) > 0 ? "." : "",
						 quote_identifier(strVal(lfirst(lc))));
	appendStringInfoChar(ctx->buf, '(');
	deparse_args(ctx, tree->args[1].list);
	appendStringInfoChar(ctx->buf, ')');
}

static void
deparse_aggregate(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;

	switch (tree->tag)
	{
		case CORM_N_COUNT:
			if (list_length(tree->args[0].list) > 1)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.count() counts one field or expression")));
			appendStringInfoString(buf, "pg_catalog.count(");
			if (tree->args[0].list == NIL)
				appendStringInfoChar(buf, '*');
			deparse_args(ctx, tree->args[0].list);
			break;
		case CORM_N_COUNT_DISTINCT:
			appendStringInfoString(buf, "pg_catalog.count(DISTINCT ");
			corm_deparse_expr(ctx, tree->args[0].node);
			break;
		case CORM_N_STRING_AGG:
			/* string_agg() knows text and bytea only */
			appendStringInfoString(buf, "pg_catalog.string_agg(CAST(");
			corm_deparse_expr(ctx, tree->args[0].node);
			appendStringInfoString(buf, " AS pg_catalog.text), ");
			corm_deparse_expr(ctx, tree->args[1].node);
			break;
		default:
			appendStringInfo(buf, "pg_catalog.%s(", tree->desc->name);
			corm_deparse_expr(ctx, tree->args[0].node);
			break;
	}
	appendStringInfoChar(buf, ')');
}

static void
deparse_over(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	ListCell   *lc;

	corm_deparse_expr(ctx, tree->args[0].node);
	appendStringInfoString(buf, " OVER (");
	if (tree->args[1].list)
	{
		appendStringInfoString(buf, "PARTITION BY ");
		deparse_args(ctx, tree->args[1].list);
	}
	foreach(lc, tree->args[2].list)
	{
		appendStringInfoString(buf, foreach_current_index(lc) > 0 ? ", " :
							   tree->args[1].list ? " ORDER BY " : "ORDER BY ");
		corm_deparse_expr(ctx, lfirst(lc));
	}
	appendStringInfoChar(buf, ')');
}

static void
deparse_case(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	List	   *args = tree->args[0].list;
	int			n = list_length(args);

	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.case() needs a condition and a value")));
	appendStringInfoString(buf, "CASE");
	for (int i = 0; i + 1 < n; i += 2)
	{
		appendStringInfoString(buf, " WHEN ");
		corm_deparse_expr(ctx, list_nth(args, i));
		appendStringInfoString(buf, " THEN ");
		corm_deparse_expr(ctx, list_nth(args, i + 1));
	}
	if (n % 2 == 1)
	{
		appendStringInfoString(buf, " ELSE ");
		corm_deparse_expr(ctx, list_nth(args, n - 1));
	}
	appendStringInfoString(buf, " END");
}

static void
deparse_order_item(CormDeparse *ctx, CormTree *tree)
{
	const char *nulls = tree->args[1].str;

	corm_deparse_output_expr(ctx, tree->args[0].node);
	if (tree->tag == CORM_N_DESC)
		appendStringInfoString(ctx->buf, " DESC");
	if (nulls == NULL)
		return;
	if (pg_strcasecmp(nulls, "first") == 0)
		appendStringInfoString(ctx->buf, " NULLS FIRST");
	else if (pg_strcasecmp(nulls, "last") == 0)
		appendStringInfoString(ctx->buf, " NULLS LAST");
	else
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("unrecognized position of nulls \"%s\"", nulls),
				 errhint("It is \"first\" or \"last\".")));
}

typedef struct RawArgs
{
	CormDeparse *ctx;
	List	   *args;
} RawArgs;

static void
raw_param(void *arg, int number)
{
	RawArgs    *raw = arg;

	if (number < 1 || number > list_length(raw->args))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("there is no parameter $%d", number),
				 errdetail("The raw SQL was given %d values.", list_length(raw->args))));
	deparse_operand(raw->ctx, list_nth(raw->args, number - 1));
}

/*
 * corm_deparse_raw appends SQL text of the user with its $n replaced.
 */
void
corm_deparse_raw(CormDeparse *ctx, const char *sql, List *args)
{
	RawArgs		raw = {ctx, args};

	ctx->uses_search_path = true;
	corm_raw_append(ctx->buf, sql, raw_param, &raw);
}

static void
deparse_in_parens(CormDeparse *ctx, const char *before, CormStmt *query)
{
	appendStringInfo(ctx->buf, "%s(", before);
	corm_deparse_subquery(ctx, query);
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * corm_deparse_output_expr appends an element of ORDER BY, GROUP BY or
 * DISTINCT ON, where an output column may stand by its name.
 */
void
corm_deparse_output_expr(CormDeparse *ctx, CormTree *tree)
{
	if ((tree->tag == CORM_N_COLUMN || tree->tag == CORM_N_FILTER_COLUMN) &&
		tree->range == NULL && tree->query == NULL)
		appendStringInfoString(ctx->buf, quote_identifier(tree->output));
	else
		corm_deparse_expr(ctx, tree);
}

/*
 * corm_deparse_expr appends an expression.
 */
void
corm_deparse_expr(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	const OperatorDesc *op;

	check_stack_depth();

	switch (tree->tag)
	{
		case CORM_N_COLUMN:
		case CORM_N_FILTER_COLUMN:
			if (tree->query)
				deparse_in_parens(ctx, "", tree->query);
			else if (tree->range)
				corm_deparse_column(ctx, tree->range, tree->field, tree->output);
			else if (tree->aliased)
				corm_deparse_expr(ctx, tree->aliased);
			else
				appendStringInfoString(buf, quote_identifier(tree->output));
			break;
		case CORM_N_VALUE:
			append_param(ctx, tree, tree->typid, CORM_PARAM_PLAIN);
			break;
		case CORM_N_NULL:
			deparse_null(ctx, tree);
			break;
		case CORM_N_SUBQUERY:
			deparse_in_parens(ctx, "", tree->query);
			break;
		case CORM_N_SOME:
			corm_deparse_exists(ctx, "EXISTS ", tree->query);
			break;
		case CORM_N_EVERY:
		case CORM_N_NONE:
			corm_deparse_exists(ctx, "NOT EXISTS ", tree->query);
			break;
		case CORM_N_EXISTS:
			corm_deparse_exists(ctx, "EXISTS ", tree->query);
			break;
		case CORM_N_NOT_EXISTS:
			corm_deparse_exists(ctx, "NOT EXISTS ", tree->query);
			break;
		case CORM_N_RAW:
			appendStringInfoChar(buf, '(');
			corm_deparse_raw(ctx, tree->args[0].str, tree->args[1].list);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_FN:
			deparse_function(ctx, tree);
			break;
		case CORM_N_EXCLUDED:
			appendStringInfo(buf, "EXCLUDED.%s", quote_identifier(tree->field->column));
			break;
		case CORM_N_CAST:
			appendStringInfoString(buf, "CAST(");
			corm_deparse_expr(ctx, tree->args[0].node);
			appendStringInfo(buf, " AS %s)", corm_deparse_type(tree->args[1].oid, -1));
			break;
		case CORM_N_INSERTED:
			/* a row that was updated has the locking transaction as its xmax */
			appendStringInfo(buf, "(%s.xmax", quote_identifier(ctx->stmt->source->alias));
			corm_deparse_operator(ctx, "=", "=", XIDOID, XIDOID);
			appendStringInfoString(buf, "'0'::xid)");
			break;
		case CORM_N_ROW:
			appendStringInfoString(buf, "ROW(");
			deparse_args(ctx, tree->args[0].list);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_IS_NOT_TRUE:
			deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NOT TRUE");
			break;
		case CORM_N_AS:
			corm_deparse_expr(ctx, tree->args[0].node);
			break;
		case CORM_N_CASE:
			deparse_case(ctx, tree);
			break;
		case CORM_N_COALESCE:
			appendStringInfoString(buf, "COALESCE(");
			deparse_args(ctx, tree->args[0].list);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_ASC:
		case CORM_N_DESC:
			deparse_order_item(ctx, tree);
			break;
		case CORM_N_COUNT:
		case CORM_N_COUNT_DISTINCT:
		case CORM_N_SUM:
		case CORM_N_AVG:
		case CORM_N_MIN:
		case CORM_N_MAX:
		case CORM_N_ARRAY_AGG:
		case CORM_N_JSON_AGG:
		case CORM_N_BOOL_AND:
		case CORM_N_BOOL_OR:
		case CORM_N_STRING_AGG:
			deparse_aggregate(ctx, tree);
			break;
		case CORM_N_FILTER_WHERE:
			corm_deparse_expr(ctx, tree->args[0].node);
			appendStringInfoString(buf, " FILTER (WHERE ");
			corm_deparse_expr(ctx, tree->args[1].node);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_OVER:
			deparse_over(ctx, tree);
			break;
		case CORM_N_STARTS_WITH:
		case CORM_N_ENDS_WITH:
		case CORM_N_CONTAINS:
		case CORM_N_ICONTAINS:
			deparse_literal_match(ctx, tree);
			break;
		case CORM_N_IN:
		case CORM_N_NOT_IN:
			deparse_in(ctx, tree);
			break;
		case CORM_N_BETWEEN:
			deparse_between(ctx, tree);
			break;
		case CORM_N_IS_NULL:
			deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NULL");
			break;
		case CORM_N_IS_NOT_NULL:
			deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NOT NULL");
			break;
		case CORM_N_IS_DISTINCT_FROM:
			deparse_distinct_from(ctx, tree);
			break;
		case CORM_N_AND:
			deparse_condition_list(ctx, tree->args[0].list, " AND ", "true");
			break;
		case CORM_N_OR:
			deparse_condition_list(ctx, tree->args[0].list, " OR ", "false");
			break;
		case CORM_N_NOT:
			appendStringInfoString(buf, "NOT (");
			corm_deparse_expr(ctx, tree->args[0].node);
			appendStringInfoChar(buf, ')');
			break;
		default:
			op = find_operator(tree->tag);
			if (op == NULL)
				elog(ERROR, "unrecognized expression node \"%s\"", tree->desc->name);
			deparse_operator(ctx, tree, op);
			break;
	}
}
