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
#include "base/errors.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "query/query.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/sql/deparse.h"
#include "query/sql/expr.h"
#include "query/sql/items.h"
#include "query/value/frame.h"
#include "query/value/raw.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* how much of the words of a text search counts, in characters */
#define MAX_SEARCH_LENGTH	4000

/*
 * Names of types and operators
 */

/*
 * corm_deparse_type returns a type's name as SQL, with its schema unless it
 * is one that SQL itself names.
 */
char *
corm_deparse_type(Oid typid, int32 typmod)
{
	/* without a length "character" would mean one character: -1 is given too */
	return format_type_extended(typid, typmod,
								FORMAT_TYPE_FORCE_QUALIFY | FORMAT_TYPE_TYPEMOD_GIVEN);
}

/*
 * operator_is_bare tells whether an operator may be written without its
 * schema: pg_catalog has it for exactly these types and is searched first.
 */
static bool
operator_is_bare(CormDeparse *ctx, const char *name, Oid left, Oid right)
{
	return ctx->path_is_safe && corm_operator_is_builtin(name, left, right);
}

/*
 * corm_deparse_operator appends an operator with blanks around it: bare where
 * that can mean only pg_catalog's, else with its schema.
 */
void
corm_deparse_operator(CormDeparse *ctx, const char *name, const char *keyword, Oid left, Oid right)
{
	Oid			schema;

	if (operator_is_bare(ctx, name, left, right))
	{
		appendStringInfo(ctx->buf, " %s ", keyword);
		return;
	}
	schema = corm_operator_schema(name, left, right);
	appendStringInfo(ctx->buf, " OPERATOR(%s.%s) ",
					 quote_identifier(get_namespace_name(schema)), name);
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

/*
 * Appends $n, a new parameter, which is declared to be of a type; messages
 * name what it meets now.
 */
static void
add_param(CormDeparse *ctx, CormTree *value, Oid typid, CormParamForm form)
{
	CormParam  *param = palloc(sizeof(CormParam));

	param->valno = value->valno;
	param->constant = value->constant;
	param->typid = typid;
	param->form = form;
	param->model = ctx->met_model ? ctx->met_model->name : NULL;
	param->field = ctx->met_field ? ctx->met_field->name : NULL;
	param->from_filter = ctx->met_filter;
	param->null_test = ctx->null_test;
	ctx->params = lappend(ctx->params, param);
	appendStringInfo(ctx->buf, "$%d", list_length(ctx->params));
}

/*
 * Appends a $n that stands for a bound value; typid is what its type is
 * declared as, form how the value becomes the parameter.  A value that has one
 * of that type already, from another place where the expression is written,
 * keeps it.
 */
static void
deparse_param(CormDeparse *ctx, CormTree *value, Oid typid, CormParamForm form)
{
	ListCell   *lc;

	foreach(lc, ctx->params)
	{
		CormParam  *param = lfirst(lc);

		if (param->valno == value->valno && param->constant == value->constant &&
			param->typid == typid && param->form == form)
		{
			if (param->null_test != ctx->null_test)
				param->null_test = CORM_NULL_OTHER;
			appendStringInfo(ctx->buf, "$%d", foreach_current_index(lc) + 1);
			return;
		}
	}
	add_param(ctx, value, typid, form);
}

/*
 * Appends what an alias stands for.  A value by itself that is text takes its
 * type from its place, which may be another one in each.
 */
static void
deparse_aliased(CormDeparse *ctx, CormTree *item)
{
	if (item->tag == CORM_N_AS)
		item = item->args[0].node;
	if (item->tag == CORM_N_VALUE && item->typid == UNKNOWNOID)
		add_param(ctx, item, UNKNOWNOID, CORM_PARAM_PLAIN);
	else
		corm_deparse_expr(ctx, item);
}

/* Appends a NULL, with its type if it has one. */
static void
deparse_null(CormDeparse *ctx, CormTree *tree)
{
	Oid			typid = tree->args[0].oid;

	appendStringInfoString(ctx->buf, "NULL");
	if (typid != UNKNOWNOID)
		appendStringInfo(ctx->buf, "::%s", corm_deparse_type(typid, -1));
}

/*
 * Returns the type to declare for a value: an array of text stands for an
 * array of what it meets, as a literal does, when that is a field of another
 * type.
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
 * Notes what the values that follow meet, for their error messages; NULL:
 * nothing in particular.
 */
static void
set_met(CormDeparse *ctx, CormTree *left)
{
	ctx->met_model = NULL;
	ctx->met_field = NULL;
	ctx->met_filter = left && (left->tag == CORM_N_FILTER_COLUMN || left->tag == CORM_N_FILTER_PATH);
	ctx->null_test = CORM_NULL_PLAIN;
	if (left && corm_tree_is(left, CORM_IS_COLUMN) &&
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
	ctx->meets_hidden |= field->hidden;
	if (value->tag == CORM_N_VALUE)
	{
		Oid			typid = array_param_type(value, field->typid);

		/* in a select list nothing tells the type, so the field's is stated */
		deparse_param(ctx, value, typid == UNKNOWNOID ? field->typid : typid, CORM_PARAM_PLAIN);
	}
	else if (value->tag == CORM_N_NULL)
		appendStringInfo(ctx->buf, "NULL::%s", corm_deparse_type(field->typid, -1));
	else
		corm_deparse_expr(ctx, value);
	set_met(ctx, NULL);
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
	if (corm_tree_is(tree, CORM_IS_COLUMN))
		return tree->aliased == NULL || is_atom(tree->aliased);
	if (tree->tag == CORM_N_AS)
		return is_atom(tree->args[0].node);
	return corm_tree_is(tree, CORM_IS_ATOM);
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

/*
 * Appends an expression as an operand: in parentheses if it needs them.
 */
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

/*
 * Logic
 */

/*
 * Appends conditions joined by a word; empty stands for none at all.  An
 * operand that would bind otherwise is put into parentheses.
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

/* Appends the direction of an element of ORDER BY. */
static void
deparse_direction(CormDeparse *ctx, CormTree *tree)
{
	const char *nulls = tree->args[1].str;

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

/*
 * Appends the order of a window or an aggregate, where SQL knows no names of
 * select items.
 */
static void
deparse_order(CormDeparse *ctx, List *order)
{
	ListCell   *lc;

	foreach(lc, order)
	{
		CormTree   *item = lfirst(lc);
		bool		directed = item->tag == CORM_N_ASC || item->tag == CORM_N_DESC;

		if (foreach_current_index(lc) > 0)
			appendStringInfoString(ctx->buf, ", ");
		corm_deparse_expr(ctx, directed ? item->args[0].node : item);
		if (directed)
			deparse_direction(ctx, item);
	}
}

/* Appends the order in the call of an aggregate, nothing if it is NIL. */
static void
deparse_call_order(CormDeparse *ctx, List *order)
{
	if (order == NIL)
		return;
	appendStringInfoString(ctx->buf, " ORDER BY ");
	deparse_order(ctx, order);
}

/* Appends the condition on the rows of an aggregate. */
static void
deparse_filter(CormDeparse *ctx, CormTree *condition)
{
	appendStringInfoString(ctx->buf, " FILTER (WHERE ");
	corm_deparse_expr(ctx, condition);
	appendStringInfoChar(ctx->buf, ')');
}

/* Appends expressions with commas between them. */
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

/* Arguments of what may do anything with them. */
static void
deparse_leaky_args(CormDeparse *ctx, List *args)
{
	bool		leaky = ctx->leaky;

	ctx->leaky = true;
	deparse_args(ctx, args);
	ctx->leaky = leaky;
}

/*
 * Appends a call of the function a user names: by the schema if it is given, pg_catalog's if
 * that has one of the name, else whatever the search_path finds.
 */
static void
deparse_function(CormDeparse *ctx, CormTree *tree, List *order)
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
	{
		appendStringInfo(ctx->buf, "%s%s", foreach_current_index(lc) > 0 ? "." : "",
						 quote_identifier(strVal(lfirst(lc))));
	}
	appendStringInfoChar(ctx->buf, '(');
	deparse_leaky_args(ctx, tree->args[1].list);
	deparse_call_order(ctx, order);
	appendStringInfoChar(ctx->buf, ')');
}

/* Appends a call of an aggregate, over the rows in an order unless that is NIL. */
static void
deparse_aggregate(CormDeparse *ctx, CormTree *tree, List *order)
{
	StringInfo	buf = ctx->buf;

	switch (tree->tag)
	{
		case CORM_N_COUNT:
			if (list_length(tree->args[0].list) > 1)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.count() counts one field or expression")));
			if (order && tree->args[0].list == NIL)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.count() of rows has no order")));
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
	deparse_call_order(ctx, order);
	appendStringInfoChar(buf, ')');
}

/*
 * Appends an aggregate over the rows in an order.  Raises 42601 if it is no
 * aggregate.
 */
static void
deparse_ordered_aggregate(CormDeparse *ctx, CormTree *tree, List *order)
{
	if (tree->tag == CORM_N_FN)
		deparse_function(ctx, tree, order);
	else if (corm_tree_is(tree, CORM_IS_AGGREGATE))
		deparse_aggregate(ctx, tree, order);
	else if (tree->tag == CORM_N_FILTER_WHERE)
	{
		deparse_ordered_aggregate(ctx, tree->args[0].node, order);
		deparse_filter(ctx, tree->args[1].node);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.agg_order() expects an aggregate"),
				 errhint("Write it around the aggregate: corm.agg_order(corm.array_agg('name'), '-age').")));
}

/* Appends the parts of a window that are given; frame is SQL, or NULL. */
static void
deparse_window(CormDeparse *ctx, List *partition, List *order, const char *frame)
{
	StringInfo	buf = ctx->buf;
	const char *blank = "";

	appendStringInfoString(buf, " OVER (");
	if (partition)
	{
		appendStringInfoString(buf, "PARTITION BY ");
		deparse_args(ctx, partition);
		blank = " ";
	}
	if (order)
	{
		appendStringInfo(buf, "%sORDER BY ", blank);
		deparse_order(ctx, order);
		blank = " ";
	}
	if (frame)
		appendStringInfo(buf, "%s%s", blank, frame);
	appendStringInfoChar(buf, ')');
}

/* Appends a window function whose window is given by clauses. */
static void
deparse_over_clauses(CormDeparse *ctx, CormTree *tree)
{
	List	   *partition = NIL;
	List	   *order = NIL;
	const char *frame = NULL;
	ListCell   *lc;

	foreach(lc, tree->args[1].list)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_PARTITION_BY)
			partition = list_concat(partition, list_copy(clause->args[0].list));
		else if (clause->tag == CORM_N_ORDER_BY)
			order = list_concat(order, list_copy(clause->args[0].list));
		else
			frame = corm_frame_sql(clause->args[0].str);
	}
	corm_deparse_expr(ctx, tree->args[0].node);
	deparse_window(ctx, partition, order, frame);
}

/*
 * Appends CASE: pairs of condition and value, then perhaps what ELSE gives.
 */
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

typedef struct RawArgs
{
	CormDeparse *ctx;
	List	   *args;
} RawArgs;

/*
 * Appends what stands for $number in raw SQL; 42P02 if there is no such value.
 */
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
	corm_deparse_subquery_value(ctx, query);
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * Whether a row that an insert returns is new.  Without an update on conflict
 * all are; else one that was updated has the locking transaction as its xmax,
 * in a table that has such a column for the rows it returns.
 */
static void
deparse_inserted(CormDeparse *ctx)
{
	CormStmt   *stmt = ctx->stmt;

	if (stmt->command == CORM_CMD_INSERT)
	{
		if (stmt->conflict_action != CORM_CONFLICT_UPDATE && stmt->conflict_action != CORM_CONFLICT_SELECT)
		{
			appendStringInfoString(ctx->buf, "true");
			return;
		}
		if (stmt->source->model->relkind != RELKIND_RELATION)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot tell which rows of model \"%s\" are new", stmt->source->model->name),
					 errdetail("It is %s, and PostgreSQL tells that of the rows of a table only.",
							   stmt->source->model->relkind == RELKIND_PARTITIONED_TABLE ? "partitioned" :
							   stmt->source->model->relkind == RELKIND_VIEW ? "a view" : "a foreign table"),
					 stmt->conflict_action == CORM_CONFLICT_SELECT ?
					 errhint("Use corm.do_nothing(), which returns the new rows, and read the others.") :
					 errhint("Leave out corm.inserted(), or use corm.do_nothing(), which returns the new rows only.")));
	}
	appendStringInfo(ctx->buf, "(%s.xmax", quote_identifier(stmt->source->alias));
	corm_deparse_operator(ctx, "=", "=", XIDOID, XIDOID);
	appendStringInfoString(ctx->buf, "'0'::xid)");
}

/*
 * corm_deparse_output_expr appends an element of ORDER BY, GROUP BY or
 * DISTINCT ON, where an output column may stand by its name.
 */
void
corm_deparse_output_expr(CormDeparse *ctx, CormTree *tree)
{
	if (tree->output_number > 0 && tree->output_number <= list_length(ctx->output))
	{
		CormItem   *item = list_nth(ctx->output, tree->output_number - 1);

		appendStringInfoString(ctx->buf, quote_identifier(item->name));
	}
	else if (corm_tree_is(tree, CORM_IS_COLUMN) &&
			 tree->range == NULL && tree->query == NULL)
		appendStringInfoString(ctx->buf, quote_identifier(tree->output));
	else
		corm_deparse_expr(ctx, tree);
}

/* Whether there is SQL of the user's in an expression. */
static bool
raw_walker(CormTree *tree, void *context)
{
	return tree->tag == CORM_N_RAW || corm_tree_walker(tree, raw_walker, context);
}

/*
 * Whether what is being written may be evaluated for rows of a range that its
 * guard keeps away: in a condition, or in a subquery of one, whatever its place
 * there, if the range is of a query around.
 */
static bool
may_see_guarded_rows(CormDeparse *ctx, CormRange *range)
{
	return range->barrier != NIL &&
		(ctx->in_condition || (ctx->around_condition && !list_member_ptr(ctx->stmt->ranges, range)));
}

/*
 * A column of a guarded range where only rows that satisfy the guard may be
 * seen.  Of other rows it is NULL, which operators and functions that could
 * tell about it are not called with, being strict.
 */
static void
deparse_behind_guard(CormDeparse *ctx, CormRange *range, CormField *field, const char *column)
{
	CormModel  *met_model = ctx->met_model;
	CormField  *met_field = ctx->met_field;
	bool		met_filter = ctx->met_filter;

	ctx->leaky = false;
	appendStringInfoString(ctx->buf, "CASE WHEN ");
	if (corm_trees_walker(range->barrier, raw_walker, NULL))
	{
		/*
		 * SQL that names columns without saying whose sees those of its table
		 * only
		 */
		const char *alias = quote_identifier(range->alias);

		appendStringInfoString(ctx->buf, "(SELECT ");
		corm_deparse_and(ctx, range->barrier);
		appendStringInfo(ctx->buf, " FROM (SELECT %s.*) AS %s)", alias, alias);
	}
	else
		corm_deparse_and(ctx, range->barrier);
	appendStringInfoString(ctx->buf, " THEN ");
	corm_deparse_column(ctx, range, field, column);
	appendStringInfoString(ctx->buf, " END");
	ctx->leaky = true;
	ctx->met_model = met_model;
	ctx->met_field = met_field;
	ctx->met_filter = met_filter;
}

/*
 * corm_deparse_seen_column appends a column, as corm_deparse_column does, where
 * it is a value: behind the guard of its range, if what gets it could tell.
 */
void
corm_deparse_seen_column(CormDeparse *ctx, CormRange *range, CormField *field, const char *column)
{
	if (ctx->leaky && !ctx->bare_columns && may_see_guarded_rows(ctx, range))
		deparse_behind_guard(ctx, range, field, column);
	else
		corm_deparse_column(ctx, range, field, column);
}

/*
 * Expressions that have an operator: comparisons, patterns, lists, arithmetic
 *
 * What a value stands for depends on what it meets, so the operands are
 * written from the left to the right, and the left one decides: an unknown
 * value takes its type, and an error names its field.
 */

/* How an operator is written where it needs no schema. */
static const char *
bare_operator(const char *name)
{
	return strcmp(name, "~~") == 0 ? "LIKE" :
		strcmp(name, "!~~") == 0 ? "NOT LIKE" :
		strcmp(name, "~~*") == 0 ? "ILIKE" :
		strcmp(name, "!~~*") == 0 ? "NOT ILIKE" : name;
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
 * A number of a filter that meets a field of type real is one of that type,
 * as a driver would bind it: 0.1 as numeric or double precision never equals
 * a real.  Lists are as their elements.
 */
static Oid
filter_number_type(CormTree *left, Oid typid)
{
	if (left->tag != CORM_N_FILTER_COLUMN || left->field == NULL || getBaseType(left->field->typid) != FLOAT4OID)
		return typid;
	switch (typid)
	{
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
			return FLOAT4OID;
		case INT4ARRAYOID:
		case INT8ARRAYOID:
		case NUMERICARRAYOID:
			return FLOAT4ARRAYOID;
		default:
			return typid;
	}
}

/* Appends an operator by its OID, always with its schema. */
static void
deparse_given_operator(CormDeparse *ctx, Oid opr)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opr));
	Form_pg_operator form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", opr);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	appendStringInfo(ctx->buf, " OPERATOR(%s.%s) ",
					 quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
}

/*
 * Returns whether arrays of a type become those of another one without loss,
 * element by element: int[] as bigint[], varchar[] as text[].
 */
static bool
widens_array(Oid from, Oid to)
{
	Oid			from_element = OidIsValid(from) && from != UNKNOWNOID ? get_element_type(getBaseType(from)) : InvalidOid;
	Oid			to_element = OidIsValid(to) && to != UNKNOWNOID ? get_element_type(getBaseType(to)) : InvalidOid;

	/* an array of text is read as one of whatever type it meets */
	if (!OidIsValid(from_element) || !OidIsValid(to_element) || from_element == to_element ||
		from_element == TEXTOID)
		return false;
	return can_coerce_type(1, &from_element, &to_element, COERCION_IMPLICIT);
}

/* Appends a parameter of a type, cast to another one. */
static void
deparse_cast_param(CormDeparse *ctx, CormTree *value, Oid typid, Oid to)
{
	appendStringInfoString(ctx->buf, "CAST(");
	deparse_param(ctx, value, typid, CORM_PARAM_PLAIN);
	appendStringInfo(ctx->buf, " AS %s)", corm_deparse_type(to, -1));
}

/*
 * Appends an operator between its two operands.  The comparison with a bound
 * NULL is a test for NULL.
 */
static void
deparse_binary(CormDeparse *ctx, CormTree *tree, const char *name)
{
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type = corm_expr_type(left);
	Oid			right_type = corm_right_operand_type(tree, left_type);
	CormNullTest null_test = right->tag != CORM_N_VALUE ? CORM_NULL_PLAIN :
		tree->tag == CORM_N_EQ ? CORM_NULL_EQ : tree->tag == CORM_N_NEQ ? CORM_NULL_NEQ : CORM_NULL_PLAIN;

	if (right->tag == CORM_N_VALUE && !OidIsValid(tree->opr) && widens_array(right_type, left_type))
	{
		/* the operators of arrays want the same type on both sides */
		deparse_operand(ctx, left);
		corm_deparse_operator(ctx, name, bare_operator(name), left_type, left_type);
		set_met(ctx, left);
		ctx->null_test = null_test;
		deparse_cast_param(ctx, right, right_type, left_type);
		set_met(ctx, NULL);
		return;
	}
	if (right->tag == CORM_N_VALUE && !OidIsValid(tree->opr) && widens_array(left_type, right_type))
	{
		appendStringInfoString(ctx->buf, "CAST(");
		corm_deparse_expr(ctx, left);
		appendStringInfo(ctx->buf, " AS %s)", corm_deparse_type(right_type, -1));
		corm_deparse_operator(ctx, name, bare_operator(name), right_type, right_type);
		set_met(ctx, left);
		ctx->null_test = null_test;
		deparse_param(ctx, right, right_type, CORM_PARAM_PLAIN);
		set_met(ctx, NULL);
		return;
	}
	deparse_operand(ctx, left);

	/* whether a value is NULL is part of the query's shape */
	if (right->tag == CORM_N_NULL && (tree->tag == CORM_N_EQ || tree->tag == CORM_N_NEQ))
	{
		appendStringInfoString(ctx->buf, tree->tag == CORM_N_EQ ? " IS NULL" : " IS NOT NULL");
		return;
	}
	set_met(ctx, left);
	if (tree->tag == CORM_N_OVERLAPS && corm_is_filter_range(left, right))
	{
		right_type = getBaseType(left_type);
		corm_deparse_operator(ctx, name, bare_operator(name), left_type, right_type);
		deparse_param(ctx, right, right_type, CORM_PARAM_JSON);
	}
	else if (right->tag == CORM_N_VALUE)
	{
		if (right_type == TEXTARRAYOID && tree->tag != CORM_N_JSON_PATH_TEXT)
			right_type = array_param_type(right, left_type);
		right_type = filter_number_type(left, row_param_type(right_type, left_type));
		if (OidIsValid(tree->opr))
			deparse_given_operator(ctx, tree->opr);
		else
			corm_deparse_operator(ctx, name, bare_operator(name), left_type, right_type);
		ctx->null_test = null_test;
		deparse_param(ctx, right, right_type, CORM_PARAM_PLAIN);
	}
	else
	{
		corm_deparse_operator(ctx, name, bare_operator(name), left_type, right_type);
		deparse_operand(ctx, right);
	}
	set_met(ctx, NULL);
}

static bool
is_container_type(Oid typid)
{
	Oid			base;

	if (!OidIsValid(typid) || typid == UNKNOWNOID)
		return false;
	base = getBaseType(typid);
	return base == JSONBOID || type_is_array(base) || corm_is_range_type(base);
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
		set_met(ctx, left);
		deparse_param(ctx, right, right_type, CORM_PARAM_JSON);
		set_met(ctx, NULL);
		return;
	}
	if (tree->tag == CORM_N_CONTAINS && (is_container_type(left_type) || corm_contains_by_operator(left_type)))
	{
		deparse_binary(ctx, tree, "@>");
		return;
	}

	if (right->tag == CORM_N_VALUE || right->tag == CORM_N_NULL)
	{
		deparse_operand(ctx, left);
		corm_deparse_operator(ctx, ignore_case ? "~~*" : "~~", ignore_case ? "ILIKE" : "LIKE",
							  left_type, TEXTOID);
		set_met(ctx, left);
		if (right->tag == CORM_N_NULL)
			deparse_null(ctx, right);
		else
			deparse_param(ctx, right, TEXTOID,
						  tree->tag == CORM_N_STARTS_WITH ? CORM_PARAM_STARTS :
						  tree->tag == CORM_N_ENDS_WITH ? CORM_PARAM_ENDS : CORM_PARAM_CONTAINS);
		set_met(ctx, NULL);
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

/*
 * Appends IN as = ANY (...), NOT IN as <> ALL (...), of a subquery or an
 * array.
 */
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
		Oid			typid = filter_number_type(left, array_param_type(right, left_type));

		element_type = typid == UNKNOWNOID ? UNKNOWNOID : get_base_element_type(typid);
	}
	deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, left_type, element_type);
	appendStringInfoString(buf, negated ? "ALL (" : "ANY (");
	set_met(ctx, left);
	if (right->tag == CORM_N_SUBQUERY)
		corm_deparse_subquery_value(ctx, right->query);
	else if (right->tag == CORM_N_VALUE)
	{
		Oid			typid = filter_number_type(left, array_param_type(right, left_type));

		if (typid != UNKNOWNOID && !OidIsValid(get_base_element_type(typid)))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("corm.%s() expects an array, not a value of type %s",
							tree->desc->func, format_type_be(typid))));
		if (typid == UNKNOWNOID && OidIsValid(left_type) && type_is_rowtype(left_type))
			typid = get_array_type(left_type);
		deparse_param(ctx, right, typid, CORM_PARAM_PLAIN);
	}
	else
		corm_deparse_expr(ctx, right);
	set_met(ctx, NULL);
	appendStringInfoChar(buf, ')');
}

/*
 * any_of: the array is written as it is, and the value takes the type of its
 * elements.
 */
static void
deparse_any_of(CormDeparse *ctx, CormTree *tree)
{
	CormTree   *value = tree->args[0].node;
	CormTree   *array = tree->args[1].node;
	Oid			array_type = corm_expr_type(array);
	Oid			element = InvalidOid;
	Oid			value_type = corm_expr_type(value);

	if (OidIsValid(array_type) && array_type != UNKNOWNOID)
	{
		element = get_base_element_type(array_type);
		if (!OidIsValid(element))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("corm.any_of() expects an array, not a value of type %s",
							format_type_be(array_type))));
	}
	set_met(ctx, array);
	if (value->tag == CORM_N_VALUE)
	{
		if (value_type == UNKNOWNOID && OidIsValid(element))
			value_type = element;
		deparse_param(ctx, value, value_type, CORM_PARAM_PLAIN);
	}
	else if (value->tag == CORM_N_NULL && value_type == UNKNOWNOID && OidIsValid(element))
		appendStringInfo(ctx->buf, "NULL::%s", corm_deparse_type(element, -1));
	else
		deparse_operand(ctx, value);
	set_met(ctx, NULL);
	corm_deparse_operator(ctx, "=", "=", value_type, element);
	appendStringInfoString(ctx->buf, "ANY (");
	corm_deparse_expr(ctx, array);
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * Appends the configuration of a text search and a comma; nothing if none is
 * given, which means the session's.
 */
static void
deparse_search_config(CormDeparse *ctx, const char *config)
{
	if (config == NULL)
		return;
	/* in a text form it may stand without its schema */
	if (strchr(config, '.') == NULL)
		ctx->uses_search_path = true;
	appendStringInfo(ctx->buf, "%s::pg_catalog.regconfig, ", quote_literal_cstr(config));
}

/*
 * Appends what a text search looks into, as a tsvector.  Raises 42804 for a type
 * that has no words, or if the type is not known.
 */
static void
deparse_search_vector(CormDeparse *ctx, CormTree *tree)
{
	CormTree   *x = tree->args[0].node;
	Oid			typid = corm_expr_type(x);
	bool		cast;

	if (!corm_is_searched(typid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 OidIsValid(typid) ?
				 errmsg("corm.%s() expects text, a tsvector or JSON, not a value of type %s", tree->desc->func,
						format_type_be(typid)) :
				 errmsg("corm.%s() cannot tell the type of its expression", tree->desc->func),
				 errhint("Write corm.cast() around it, with the type text or tsvector.")));
	typid = getBaseType(typid);
	if (typid == TSVECTOROID)
	{
		deparse_operand(ctx, x);
		return;
	}
	appendStringInfoString(ctx->buf, "pg_catalog.to_tsvector(");
	deparse_search_config(ctx, tree->args[2].str);
	cast = typid != TEXTOID && typid != JSONOID && typid != JSONBOID;
	if (cast)
		appendStringInfoString(ctx->buf, "CAST(");
	corm_deparse_expr(ctx, x);
	if (cast)
		appendStringInfoString(ctx->buf, " AS pg_catalog.text)");
	appendStringInfoChar(ctx->buf, ')');
}

/*
 * Appends the words of a text search, as a tsquery.  PostgreSQL needs stack for
 * each word, so that thousands of them would be an error: those are cut off.  A
 * subquery reads words that are a value once, not for each row: parsing many of
 * them takes longer than searching a row, and words without a lexeme are a notice.
 */
static void
deparse_search_words(CormDeparse *ctx, CormTree *tree)
{
	CormTree   *words = tree->args[1].node;
	bool		once = words->tag == CORM_N_VALUE;

	if (once)
		appendStringInfoString(ctx->buf, "(SELECT ");
	appendStringInfoString(ctx->buf, "pg_catalog.websearch_to_tsquery(");
	deparse_search_config(ctx, tree->args[2].str);
	set_met(ctx, tree->args[0].node);
	if (words->tag == CORM_N_NULL)
		appendStringInfoString(ctx->buf, "NULL::pg_catalog.text");
	else
	{
		appendStringInfoString(ctx->buf, "pg_catalog.left(");
		if (words->tag == CORM_N_VALUE)
			deparse_param(ctx, words, words->typid == UNKNOWNOID ? TEXTOID : words->typid, CORM_PARAM_PLAIN);
		else
			corm_deparse_expr(ctx, words);
		appendStringInfo(ctx->buf, ", %d)", MAX_SEARCH_LENGTH);
	}
	set_met(ctx, NULL);
	appendStringInfoString(ctx->buf, once ? "))" : ")");
}

/* Is a condition that of text @@ text, whose right side is a value? */
static bool
matches_words(CormTree *tree)
{
	CormTree   *value = tree->args[1].node;
	char		category;
	bool		preferred;
	Oid			typid = corm_expr_type(tree->args[0].node);

	if (tree->tag != CORM_N_MATCHES || value->tag != CORM_N_VALUE || !OidIsValid(typid) ||
		(value->typid != UNKNOWNOID && value->typid != TEXTOID && value->typid != VARCHAROID))
		return false;
	get_type_category_preferred(getBaseType(typid), &category, &preferred);
	return category == TYPCATEGORY_STRING;
}

/*
 * Appends text @@ text as what it means, with the words read once instead of for each row,
 * for the reasons above.
 */
static void
deparse_matches_words(CormDeparse *ctx, CormTree *tree)
{
	deparse_operand(ctx, tree->args[0].node);
	corm_deparse_operator(ctx, "@@", "@@", TEXTOID, TSQUERYOID);
	appendStringInfoString(ctx->buf, "(SELECT pg_catalog.plainto_tsquery(");
	set_met(ctx, tree->args[0].node);
	deparse_param(ctx, tree->args[1].node, TEXTOID, CORM_PARAM_PLAIN);
	set_met(ctx, NULL);
	appendStringInfoString(ctx->buf, "))");
}

/* Appends search or search_rank, whose functions may tell about what they see. */
static void
deparse_search(CormDeparse *ctx, CormTree *tree)
{
	bool		leaky = ctx->leaky;

	ctx->leaky = true;
	if (tree->tag == CORM_N_SEARCH_RANK)
		appendStringInfoString(ctx->buf, "pg_catalog.ts_rank(");
	deparse_search_vector(ctx, tree);
	if (tree->tag == CORM_N_SEARCH_RANK)
		appendStringInfoString(ctx->buf, ", ");
	else
		corm_deparse_operator(ctx, "@@", "@@", TSVECTOROID, TSQUERYOID);
	deparse_search_words(ctx, tree);
	if (tree->tag == CORM_N_SEARCH_RANK)
		appendStringInfoChar(ctx->buf, ')');
	ctx->leaky = leaky;
}

/* Appends a comparison whose operator has no node of its own. */
static void
deparse_comparison(CormDeparse *ctx, CormTree *left, const char *op, CormTree *right)
{
	deparse_operand(ctx, left);
	corm_deparse_operator(ctx, op, op, corm_expr_type(left), corm_expr_type(right));
	set_met(ctx, left);
	if (right->tag == CORM_N_VALUE)
		deparse_param(ctx, right, filter_number_type(left, row_param_type(right->typid, corm_expr_type(left))),
					  CORM_PARAM_PLAIN);
	else
		deparse_operand(ctx, right);
	set_met(ctx, NULL);
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
		/* a row of NULLs is no NULL, but IS NULL would say so */
		appendStringInfoString(buf, OidIsValid(left_type) && !type_is_rowtype(left_type) ?
							   " IS NOT NULL" : " IS DISTINCT FROM NULL");
		return;
	}
	if (operator_is_bare(ctx, "=", left_type, corm_expr_type(right)))
	{
		deparse_operand(ctx, left);
		appendStringInfoString(buf, " IS DISTINCT FROM ");
		set_met(ctx, left);
		deparse_operand(ctx, right);
		set_met(ctx, NULL);
		return;
	}
	appendStringInfoString(buf, "NOT COALESCE(");
	deparse_comparison(ctx, left, "=", right);
	appendStringInfoString(buf, ", ");
	deparse_operand(ctx, left);
	appendStringInfoString(buf, " IS NULL AND ");
	/* a bound value is not NULL, or it would be part of the shape */
	if (right->tag == CORM_N_VALUE)
	{
		ListCell   *lc;

		appendStringInfoString(buf, "false");
		foreach(lc, ctx->params)
			if (((CormParam *) lfirst(lc))->valno == right->valno)
				((CormParam *) lfirst(lc))->null_test = CORM_NULL_OTHER;
	}
	else
	{
		deparse_operand(ctx, right);
		appendStringInfoString(buf, " IS NULL");
	}
	appendStringInfoChar(buf, ')');
}

/*
 * Whether a comparison could tell about its operands, as far as they are
 * columns that a guard keeps.
 */
static bool
is_leaky(CormDeparse *ctx, CormTree *tree)
{
	const char *names[2] = {corm_operator_name(tree->tag), NULL};
	CormTree   *left = tree->args[0].node;
	CormTree   *right = tree->args[1].node;
	Oid			left_type;
	Oid			right_type;

	if (!ctx->in_condition || ((left->range == NULL || left->range->barrier == NIL) &&
							   (right->range == NULL || right->range->barrier == NIL)))
		return true;
	left_type = corm_expr_type(left);
	right_type = corm_expr_type(right);
	switch (tree->tag)
	{
		case CORM_N_IN:
		case CORM_N_NOT_IN:
			names[0] = tree->tag == CORM_N_IN ? "=" : "<>";
			right_type = right->tag == CORM_N_VALUE && OidIsValid(right_type) ? get_base_element_type(right_type) : InvalidOid;
			if (right_type == TEXTOID)
				right_type = InvalidOid;
			break;
		case CORM_N_BETWEEN:
			names[0] = ">=";
			names[1] = "<=";
			break;
		case CORM_N_IS_DISTINCT_FROM:
			names[0] = "=";
			break;
		default:
			break;
	}
	return names[0] == NULL || !corm_operator_is_quiet(names[0], left_type, right_type) ||
		(names[1] && !corm_operator_is_quiet(names[1], left_type, corm_expr_type(tree->args[2].node)));
}

/*
 * Appends an expression that has an operator.
 */
static void
deparse_compare(CormDeparse *ctx, CormTree *tree)
{
	const char *name;
	bool		leaky = ctx->leaky;

	ctx->leaky = is_leaky(ctx, tree);

	switch (tree->tag)
	{
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
		case CORM_N_ANY_OF:
			deparse_any_of(ctx, tree);
			break;
		case CORM_N_BETWEEN:
			deparse_between(ctx, tree);
			break;
		case CORM_N_IS_DISTINCT_FROM:
			deparse_distinct_from(ctx, tree);
			break;
		default:
			name = corm_operator_name(tree->tag);
			if (name == NULL)
				elog(ERROR, "unrecognized expression node \"%s\"", tree->desc->name);
			if (matches_words(tree))
				deparse_matches_words(ctx, tree);
			else
				deparse_binary(ctx, tree, name);
			break;
	}
	ctx->leaky = leaky;
}

/* Appends the member of a document, or its text; path is SQL of both and the path. */
static void
append_member(StringInfo buf, bool binary, bool text, const char *path)
{
	appendStringInfo(buf, "pg_catalog.%s_extract_path%s(%s)", binary ? "jsonb" : "json", text ? "_text" : "", path);
}

/*
 * What a path leads to in a document, as a value of a kind, NULL if it is of
 * another one.  No document may raise an error: a number of json can be one
 * that numeric does not have.
 */
static void
deparse_filter_path(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	CormTree   *column = tree->args[0].node;
	bool		binary = getBaseType(corm_expr_type(column)) == JSONBOID;
	const char *kind = tree->args[2].str;
	bool		is_number = strcmp(kind, "number") == 0;
	StringInfoData path;

	initStringInfo(&path);
	ctx->buf = &path;
	corm_deparse_expr(ctx, column);
	appendStringInfoString(&path, ", VARIADIC ");
	deparse_param(ctx, tree->args[1].node, TEXTARRAYOID, CORM_PARAM_PLAIN);
	ctx->buf = buf;
	if (!is_number && strcmp(kind, "boolean") != 0)
	{
		append_member(buf, binary, strcmp(kind, "text") == 0, path.data);
		return;
	}
	appendStringInfo(buf, "CASE WHEN pg_catalog.%s_typeof(", binary ? "jsonb" : "json");
	append_member(buf, binary, false, path.data);
	appendStringInfo(buf, ") OPERATOR(pg_catalog.=) '%s'", kind);
	if (!binary && is_number)
	{
		appendStringInfoString(buf, " AND pg_catalog.length(");
		append_member(buf, binary, true, path.data);
		appendStringInfoString(buf, ") OPERATOR(pg_catalog.<=) 1000 AND ");
		append_member(buf, binary, true, path.data);
		appendStringInfoString(buf, " OPERATOR(pg_catalog.!~) '[eE]'");
	}
	appendStringInfoString(buf, " THEN CAST(");
	append_member(buf, binary, true, path.data);
	appendStringInfo(buf, " AS pg_catalog.%s) END", is_number ? "numeric" : "bool");
}

/*
 * corm_deparse_expr appends an expression.
 */
void
corm_deparse_expr(CormDeparse *ctx, CormTree *tree)
{
	StringInfo	buf = ctx->buf;
	bool		pullable = ctx->pullable;

	check_stack_depth();
	if (tree->tag != CORM_N_AND && strchr("nq", tree->desc->args[0]) == NULL)
		ctx->pullable = false;

	switch (tree->tag)
	{
		case CORM_N_COLUMN:
		case CORM_N_FILTER_COLUMN:
			ctx->meets_hidden |= corm_tree_is_hidden(tree);
			if (tree->query)
				deparse_in_parens(ctx, "", tree->query);
			else if (tree->range)
				corm_deparse_seen_column(ctx, tree->range, tree->field, tree->output);
			else if (tree->aliased)
				deparse_aliased(ctx, tree->aliased);
			else
				appendStringInfoString(buf, quote_identifier(tree->output));
			break;
		case CORM_N_VALUE:
			deparse_param(ctx, tree, tree->typid, CORM_PARAM_PLAIN);
			break;
		case CORM_N_NULL:
			deparse_null(ctx, tree);
			break;
		case CORM_N_SUBQUERY:
		case CORM_N_COUNT_OF:
		case CORM_N_SUM_OF:
		case CORM_N_AVG_OF:
		case CORM_N_MIN_OF:
		case CORM_N_MAX_OF:
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
			deparse_function(ctx, tree, NIL);
			break;
		case CORM_N_EXCLUDED:
			ctx->meets_hidden |= tree->field->hidden;
			appendStringInfo(buf, "EXCLUDED.%s", quote_identifier(tree->field->column));
			break;
		case CORM_N_CAST:
			appendStringInfoString(buf, "CAST(");
			deparse_leaky_args(ctx, list_make1(tree->args[0].node));
			appendStringInfo(buf, " AS %s)", corm_deparse_type(tree->args[1].oid, -1));
			break;
		case CORM_N_INSERTED:
			deparse_inserted(ctx);
			break;
		case CORM_N_ROW:
			appendStringInfoString(buf, "ROW(");
			deparse_args(ctx, tree->args[0].list);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_UNINDEXED:
			/* the planner takes no index for what is behind a SELECT */
			appendStringInfoString(buf, "(SELECT ");
			corm_deparse_expr(ctx, tree->args[0].node);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_FILTER_PATH:
			deparse_filter_path(ctx, tree);
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
			corm_deparse_output_expr(ctx, tree->args[0].node);
			deparse_direction(ctx, tree);
			break;
		case CORM_N_FILTER_WHERE:
			corm_deparse_expr(ctx, tree->args[0].node);
			deparse_filter(ctx, tree->args[1].node);
			break;
		case CORM_N_SEARCH:
		case CORM_N_SEARCH_RANK:
			deparse_search(ctx, tree);
			break;
		case CORM_N_AGG_ORDER:
			deparse_ordered_aggregate(ctx, tree->args[0].node, tree->args[1].list);
			break;
		case CORM_N_OVER:
			corm_deparse_expr(ctx, tree->args[0].node);
			deparse_window(ctx, tree->args[1].list, tree->args[2].list, NULL);
			break;
		case CORM_N_OVER_CLAUSES:
			deparse_over_clauses(ctx, tree);
			break;
		case CORM_N_IS_NULL:
			deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NULL");
			break;
		case CORM_N_IS_NOT_NULL:
			deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NOT NULL");
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
			if (corm_tree_is(tree, CORM_IS_AGGREGATE))
				deparse_aggregate(ctx, tree, NIL);
			else
				deparse_compare(ctx, tree);
			break;
	}
	ctx->pullable = pullable;
}
