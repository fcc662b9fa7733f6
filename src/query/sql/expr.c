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

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/query.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/sql/deparse.h"
#include "query/sql/expr.h"
#include "query/sql/items.h"
#include "query/value/raw.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

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
 * corm_deparse_is_bare tells whether an operator may be written without its
 * schema: pg_catalog has it for exactly these types and is searched first.
 */
bool
corm_deparse_is_bare(CormDeparse *ctx, const char *name, Oid left, Oid right)
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

	if (corm_deparse_is_bare(ctx, name, left, right))
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
	param->listed = InvalidOid;
	param->model = ctx->met_model ? ctx->met_model->name : NULL;
	param->field = ctx->met_field ? ctx->met_field->name : NULL;
	param->from_filter = ctx->met_filter;
	param->null_test = ctx->null_test;
	ctx->params = lappend(ctx->params, param);
	appendStringInfo(ctx->buf, "$%d", list_length(ctx->params));
}

/*
 * corm_deparse_param appends a $n that stands for a bound value; typid is what
 * its type is declared as, form how the value becomes the parameter.  A value that has one
 * of that type already, from another place where the expression is written,
 * keeps it.
 */
void
corm_deparse_param(CormDeparse *ctx, CormTree *value, Oid typid, CormParamForm form)
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

/*
 * corm_deparse_null appends a NULL, with its type if it has one.  Where a field is met, an array of
 * text takes its type from that, as one with elements does.
 */
void
corm_deparse_null(CormDeparse *ctx, CormTree *tree)
{
	Oid			typid = tree->args[0].oid;

	appendStringInfoString(ctx->buf, "NULL");
	if (typid != UNKNOWNOID && !(typid == TEXTARRAYOID && ctx->met_model))
		appendStringInfo(ctx->buf, "::%s", corm_deparse_type(typid, -1));
}

/*
 * corm_array_param_type returns the type to declare for a value: an array of text stands for an
 * array of what it meets, as a literal does, when that is a field of another
 * type.
 */
Oid
corm_array_param_type(CormTree *value, Oid met)
{
	if (value->typid == TEXTARRAYOID && OidIsValid(met) && met != UNKNOWNOID &&
		getBaseType(met) != TEXTOID)
		return UNKNOWNOID;
	return value->typid;
}

/*
 * corm_deparse_meets notes what the values that follow meet, for their error
 * messages; NULL: nothing in particular.
 */
void
corm_deparse_meets(CormDeparse *ctx, CormTree *left)
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
		Oid			typid = corm_array_param_type(value, field->typid);

		/* in a select list nothing tells the type, so the field's is stated */
		corm_deparse_param(ctx, value, typid == UNKNOWNOID ? field->typid : typid, CORM_PARAM_PLAIN);
	}
	else if (value->tag == CORM_N_NULL)
		appendStringInfo(ctx->buf, "NULL::%s", corm_deparse_type(field->typid, -1));
	else
		corm_deparse_expr(ctx, value);
	corm_deparse_meets(ctx, NULL);
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
 * corm_deparse_operand appends an expression as an operand: in parentheses if
 * it needs them.
 */
void
corm_deparse_operand(CormDeparse *ctx, CormTree *tree)
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
			corm_deparse_operand(ctx, cond);
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
	corm_deparse_operand(raw->ctx, list_nth(raw->args, number - 1));
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
	corm_deparse_param(ctx, tree->args[1].node, TEXTARRAYOID, CORM_PARAM_PLAIN);
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
			corm_deparse_param(ctx, tree, tree->typid, CORM_PARAM_PLAIN);
			break;
		case CORM_N_NULL:
			corm_deparse_null(ctx, tree);
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
			corm_deparse_function(ctx, tree, NIL);
			break;
		case CORM_N_EXCLUDED:
			ctx->meets_hidden |= tree->field->hidden;
			appendStringInfo(buf, "EXCLUDED.%s", quote_identifier(tree->field->column));
			break;
		case CORM_N_CAST:
			appendStringInfoString(buf, "CAST(");
			corm_deparse_leaky_args(ctx, list_make1(tree->args[0].node));
			appendStringInfo(buf, " AS %s)", corm_deparse_type(tree->args[1].oid, -1));
			break;
		case CORM_N_INSERTED:
			deparse_inserted(ctx);
			break;
		case CORM_N_ROW:
			appendStringInfoString(buf, "ROW(");
			corm_deparse_args(ctx, tree->args[0].list);
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
			corm_deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NOT TRUE");
			break;
		case CORM_N_AS:
			corm_deparse_expr(ctx, tree->args[0].node);
			break;
		case CORM_N_CASE:
			corm_deparse_case(ctx, tree);
			break;
		case CORM_N_COALESCE:
			appendStringInfoString(buf, "COALESCE(");
			corm_deparse_args(ctx, tree->args[0].list);
			appendStringInfoChar(buf, ')');
			break;
		case CORM_N_ASC:
		case CORM_N_DESC:
			corm_deparse_output_expr(ctx, tree->args[0].node);
			corm_deparse_direction(ctx, tree);
			break;
		case CORM_N_FILTER_WHERE:
			corm_deparse_expr(ctx, tree->args[0].node);
			corm_deparse_filter_where(ctx, tree->args[1].node);
			break;
		case CORM_N_SEARCH:
		case CORM_N_SEARCH_RANK:
			corm_deparse_search(ctx, tree);
			break;
		case CORM_N_AGG_ORDER:
			corm_deparse_ordered_aggregate(ctx, tree->args[0].node, tree->args[1].list);
			break;
		case CORM_N_OVER:
			corm_deparse_expr(ctx, tree->args[0].node);
			corm_deparse_window(ctx, tree->args[1].list, tree->args[2].list, NULL);
			break;
		case CORM_N_OVER_CLAUSES:
			corm_deparse_over_clauses(ctx, tree);
			break;
		case CORM_N_IS_NULL:
			corm_deparse_operand(ctx, tree->args[0].node);
			appendStringInfoString(buf, " IS NULL");
			break;
		case CORM_N_IS_NOT_NULL:
			corm_deparse_operand(ctx, tree->args[0].node);
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
				corm_deparse_aggregate(ctx, tree, NIL);
			else
				corm_deparse_compare(ctx, tree);
			break;
	}
	ctx->pullable = pullable;
}
