/*-------------------------------------------------------------------------
 *
 * names.c
 *		Binding the names in a query.
 *
 * A name is looked up
 *	- as a field of the source, by its whole text, dots included;
 *	- as alias.field, in this query and then in those around it;
 *	- as relation.field, through any number of relations: joins.c;
 *	- as a field of exactly one joined range;
 *	- in order_by, group_by, distinct_on and having, as the name of a select
 *	  item.
 * For a bare name in order_by, the select item comes first, as in SQL.  Inside
 * an aggregate, names of select items do not count, since a select item may be
 * one.  Any other name is an unknown field, 42703.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "model/relations.h"
#include "query/resolve/filter_check.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/operators.h"
#include "query/resolve/raw_columns.h"
#include "query/resolve/related.h"
#include "query/resolve/resolve.h"
#include "query/value/raw.h"
#include "query/value/tree.h"
#include "query/value/walk.h"
#include "utils/builtins.h"

/*
 * Building bound trees
 */

/*
 * corm_make_column returns a bound COLUMN for a column of the range's table.
 */
CormTree *
corm_make_column(CormRange *range, const char *column)
{
	CormTree   *tree = corm_make_tree(CORM_N_COLUMN);
	CormModel  *model = range->model;

	tree->range = range;
	tree->output = pstrdup(column);
	for (int i = 0; model && i < model->nfields + model->nunnamed; i++)
		if (strcmp(model->fields[i].column, column) == 0)
			tree->field = &model->fields[i];
	if (range->page_of)
		(void) corm_parent_key(range->page_of, column);
	return tree;
}

/*
 * corm_make_output returns a bound COLUMN for an output column of a statement
 * with set operations; number counts from 0.
 */
CormTree *
corm_make_output(CormStmt *stmt, int number)
{
	CormTree   *tree = corm_make_tree(CORM_N_COLUMN);

	tree->args[0].str = list_nth(corm_stmt_output_names(stmt), number);
	tree->output = tree->args[0].str;
	tree->output_number = number + 1;
	return tree;
}

/*
 * Returns whether a column of a subquery shows a hidden field.
 */
static bool
column_is_hidden(CormRange *range, const char *column)
{
	CormStmt   *stmt = range->definition;
	List	   *items;
	ListCell   *lc;

	check_stack_depth();
	if (stmt == NULL || stmt->command == CORM_CMD_RAW)
		return false;
	items = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
	foreach(lc, items)
	{
		if (strcmp(corm_item_name(lfirst(lc)), column) == 0)
			return corm_tree_is_hidden(lfirst(lc));
	}
	if (items)
		return false;
	if (stmt->source->model == NULL)
		return column_is_hidden(stmt->source, column);
	for (int i = 0; i < stmt->source->model->nfields; i++)
		if (strcmp(stmt->source->model->fields[i].name, column) == 0)
			return stmt->source->model->fields[i].hidden;
	return false;
}

static bool
hidden_walker(CormTree *tree, void *context)
{
	if (tree->field ? tree->field->hidden : tree->range && tree->output && column_is_hidden(tree->range, tree->output))
		return true;
	if (tree->query && corm_trees_walker(tree->query->select, hidden_walker, NULL))
		return true;
	return corm_tree_walker(tree, hidden_walker, NULL);
}

/*
 * corm_tree_is_hidden returns whether an expression whose names are bound
 * shows something of a hidden field.
 */
bool
corm_tree_is_hidden(CormTree *tree)
{
	return hidden_walker(tree, NULL);
}

/*
 * corm_column_field returns the field that a bound COLUMN shows, through
 * subqueries that return it as it is; NULL if it shows something else.
 */
CormField *
corm_column_field(CormTree *tree)
{
	while (tree->field == NULL && tree->range && tree->output)
	{
		CormStmt   *stmt = tree->range->definition;
		CormTree   *found = NULL;
		List	   *items;
		ListCell   *lc;

		if (stmt == NULL || stmt->command == CORM_CMD_RAW)
			return NULL;
		items = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
		if (items == NIL && stmt->source->model)
			return corm_model_find_field(stmt->source->model, tree->output);
		if (items == NIL)
		{
			found = corm_make_tree(CORM_N_COLUMN);
			found->range = stmt->source;
			found->output = tree->output;
		}
		foreach(lc, items)
		{
			if (found == NULL && strcmp(corm_item_name(lfirst(lc)), tree->output) == 0)
				found = lfirst(lc);
		}
		if (found && found->tag == CORM_N_AS)
			found = found->args[0].node;
		if (found == NULL || !corm_tree_is(found, CORM_IS_COLUMN))
			return NULL;
		tree = found;
	}
	return tree->field;
}

/*
 * Returns the select item with the given output name.
 */
static CormTree *
find_output(CormStmt *stmt, const char *name)
{
	ListCell   *lc;

	foreach(lc, stmt->select)
	{
		CormTree   *item = lfirst(lc);

		if (item->tag != CORM_N_COLUMN && strcmp(corm_item_name(item), name) == 0)
			return item;
	}
	return NULL;
}

/*
 * Binds a COLUMN to the select item of that name, and marks the item so that
 * it keeps the name in the SQL.  Returns false if there is none.
 */
static bool
output_column(CormStmt *stmt, CormTree *tree, const char *name)
{
	CormTree   *item = find_output(stmt, name);

	if (item == NULL || (tree->tag == CORM_N_FILTER_COLUMN && corm_tree_is_hidden(item)))
		return false;
	tree->output = pstrdup(name);
	tree->aliased = item;
	item->is_referenced = true;
	return true;
}

/*
 * A name that starts with the alias of the statement's only table can also be
 * a path through a relation of that name: a self-reference is named like the
 * table if its column does not end in _id.  We do not guess.  With joined
 * tables, or in a subquery, the alias is needed to distinguish tables, so it
 * takes precedence.
 */
static void
check_alias_or_relation(CormStmt *stmt, CormRange *range, const char *name, const char *rest)
{
	ListCell   *lc;

	if (range != stmt->source || range->model == NULL || stmt->parent)
		return;
	foreach(lc, stmt->joins)
	{
		if (!((CormJoin *) lfirst(lc))->by_relation)
			return;
	}
	foreach(lc, corm_model_relations(range->model))
	{
		CormRelation *relation = lfirst(lc);

		if (strcmp(relation->name, range->name) != 0 || relation->ambiguous ||
			(relation->kind != CORM_BELONGS_TO && relation->kind != CORM_HAS_ONE))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("\"%s\" is ambiguous", name),
				 errdetail("The name \"%s\" is the alias of the table and a relation of model \"%s\".",
						   range->name, range->model->name),
				 errhint("Write corm.c('%s') for the field itself; give the table another alias in corm.selector() to follow the relation.",
						 rest)));
	}
}

/*
 * Binds a COLUMN to alias.field, or to a path that starts at an alias.  The
 * longest prefix that is an alias wins, in the innermost query that has it.
 */
static bool
alias_column(CormStmt *stmt, CormTree *tree, const char *name, bool implied)
{
	for (int len = strlen(name) - 1; len > 0; len--)
	{
		if (name[len] != '.')
			continue;
		for (CormStmt *level = stmt; level; level = level->parent)
		{
			CormRange  *range = corm_find_range(level, name, len);

			if (range == NULL || (range->implied || (range->by_path && level != stmt)) != implied)
				continue;
			if (level == stmt && !implied)
				check_alias_or_relation(stmt, range, name, name + len + 1);
			if (!corm_range_column(range, tree, name + len + 1) &&
				!corm_path_column(level, range, tree, name + len + 1))
				corm_unknown_column(range, tree, name + len + 1);
			return true;
		}
	}
	return false;
}

/*
 * leads_to_many returns whether a name starts with a to-many relation of the
 * range.
 */
static bool
leads_to_many(CormRange *range, const char *name)
{
	const char *dot = strchr(name, '.');
	CormRelation *relation;

	if (dot == NULL || range->model == NULL)
		return false;
	relation = corm_model_find_relation(range->model, pnstrdup(name, dot - name));
	return relation && (relation->kind == CORM_HAS_MANY || relation->kind == CORM_MANY_TO_MANY);
}

/*
 * Returns the number of the statement's output column with that name, or -1.
 * A column that is a field matches any of the field's names.
 */
static int
find_returned(CormStmt *stmt, const char *name)
{
	ListCell   *lc;

	foreach(lc, corm_stmt_output_names(stmt))
	{
		if (strcmp(lfirst(lc), name) == 0)
			return foreach_current_index(lc);
	}
	foreach(lc, stmt->select)
	{
		CormTree   *item = lfirst(lc);

		if (item->field && item->range && item->range->model &&
			corm_model_find_field(item->range->model, name) == item->field)
			return foreach_current_index(lc);
	}
	if (stmt->select == NIL && stmt->source->model)
	{
		CormField  *field = corm_model_find_field(stmt->source->model, name);

		if (field && field < stmt->source->model->fields + stmt->source->model->nfields)
			return field - stmt->source->model->fields;
	}
	return -1;
}

/*
 * Returns whether an output column of a statement shows a hidden field.
 */
static bool
output_is_hidden(CormStmt *stmt, int number)
{
	if (stmt->select)
		return corm_tree_is_hidden(list_nth(stmt->select, number));
	if (stmt->source->model)
		return stmt->source->model->fields[number].hidden;
	return column_is_hidden(stmt->source, list_nth(stmt->source->columns, number));
}

/*
 * Binds a COLUMN in the given place of the statement, looking up the name in
 * the order described at the top of this file.  Raises 42703 for an unknown
 * name, 42702 for an ambiguous one.
 */
static void
resolve_column(CormStmt *stmt, CormTree *tree, CormPlace place)
{
	const char *name = tree->args[0].str;
	CormRange  *found = NULL;
	ListCell   *lc;

	if (stmt->setops && place == CORM_PLACE_ORDER)
	{
		/* only the output of a union can be ordered by */
		int			number = find_returned(stmt, name);

		if (number >= 0 && !(tree->tag == CORM_N_FILTER_COLUMN && output_is_hidden(stmt, number)))
		{
			tree->output = list_nth(corm_stmt_output_names(stmt), number);
			tree->output_number = number + 1;
			return;
		}
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown field \"%s\" of a combined query", name),
				 errhint("It can be ordered by the fields it returns.")));
	}

	if (place == CORM_PLACE_ORDER && output_column(stmt, tree, name))
		return;
	if (stmt->source && corm_range_column(stmt->source, tree, name))
		return;

	/*
	 * The names that relation predicates give to the related row come after
	 * paths, and so do paths of queries around: no user chose them.  But a
	 * path to many rows is none.
	 */
	if (alias_column(stmt, tree, name, false))
		return;
	if (stmt->source && !leads_to_many(stmt->source, name) &&
		corm_path_column(stmt, stmt->source, tree, name))
		return;
	if (alias_column(stmt, tree, name, true))
		return;
	if (stmt->source && corm_path_column(stmt, stmt->source, tree, name))
		return;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		if (range == stmt->source || range->unnamed || !corm_range_column(range, tree, name))
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("field \"%s\" is ambiguous", name),
					 errdetail("Both \"%s\" and \"%s\" have it.", found->name, range->name),
					 errhint("Write it as corm.c('%s.%s').", found->name, name)));
		found = range;
	}
	if (found)
	{
		(void) corm_range_column(found, tree, name);
		return;
	}
	if (place == CORM_PLACE_OUTPUT && output_column(stmt, tree, name))
		return;

	if (stmt->source && stmt->source->model && strchr(name, '.'))
		(void) corm_model_relation(stmt->source->model, pnstrdup(name, strchr(name, '.') - name));
	if (stmt->source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown field \"%s\"", name)));
	corm_unknown_column(stmt->source, tree, name);
}

/*
 * Returns the range whose fields a select item stands for: of '*' the source,
 * of 'alias.*' the range of that name.  NULL for any other item.
 */
static CormRange *
star_range(CormStmt *stmt, CormTree *item)
{
	const char *name = item->args[0].str;
	CormTree	field = {.tag = CORM_N_COLUMN};
	CormRange  *range;
	int			len;

	if (item->tag != CORM_N_COLUMN || name == NULL || stmt->source == NULL)
		return NULL;
	len = strlen(name);
	if (len == 0 || name[len - 1] != '*' || corm_range_column(stmt->source, &field, name))
		return NULL;
	if (len == 1)
		return stmt->source;
	range = name[len - 2] == '.' ? corm_find_range(stmt, name, len - 2) : NULL;
	/* a field of that name comes first */
	return range && corm_range_column(range, &field, "*") ? NULL : range;
}

/* Returns a bound COLUMN for a field that '*' stands for. */
static CormTree *
star_column(CormRange *range, const char *column)
{
	CormTree   *tree = corm_make_column(range, column);

	tree->by_default = true;
	return tree;
}

/*
 * corm_expand_stars returns a select list with each '*' and 'alias.*' replaced
 * by the fields that a query over those rows returns by default; hidden fields
 * stay hidden.  All ranges of the statement must be known.
 */
List *
corm_expand_stars(CormStmt *stmt, List *items)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, items)
	{
		CormTree   *item = lfirst(lc);
		CormRange  *range = star_range(stmt, item);
		ListCell   *column;

		if (range == NULL)
			result = lappend(result, item);
		else if (range->model)
			for (int i = 0; i < range->model->nfields; i++)
				result = lappend(result, star_column(range, range->model->fields[i].column));
		else
		{
			foreach(column, range->columns)
			{
				result = lappend(result, star_column(range, lfirst(column)));
			}
		}
	}
	return result;
}

/*
 * Binds a COLUMN of a fenced filter: a field of the source, or one at the end
 * of a path of its relations.  What the query joins or selects does not count.
 */
static void
resolve_own_column(CormStmt *stmt, CormTree *tree)
{
	const char *name = tree->args[0].str;

	if (stmt->source && (corm_range_column(stmt->source, tree, name) || corm_path_column(stmt, stmt->source, tree, name)))
		return;
	if (stmt->source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown field \"%s\"", name)));
	if (stmt->source->model && strchr(name, '.'))
		(void) corm_filter_relation(stmt->source->model, pnstrdup(name, strchr(name, '.') - name));
	corm_unknown_column(stmt->source, tree, name);
}

/*
 * Expressions
 */

/* corm_resolve_list binds the names in a list of expressions. */
void
corm_resolve_list(CormStmt *stmt, List *list, CormPlace place)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		corm_resolve_expr(stmt, lfirst(lc), place);
	}
}

static void resolve_expr(CormStmt *stmt, CormTree *tree, CormPlace place);

typedef struct ResolveContext
{
	CormStmt   *stmt;
	CormPlace	place;
	CormTree   *parent;
} ResolveContext;

static bool
is_direction(const CormTree *tree)
{
	return tree->tag == CORM_N_ASC || tree->tag == CORM_N_DESC;
}

/* Returns whether an expression has an order in it.  That of a window may be a clause. */
static bool
takes_directions(const CormTree *tree)
{
	return tree->tag == CORM_N_AGG_ORDER || tree->tag == CORM_N_OVER || tree->tag == CORM_N_ORDER_BY;
}

static void
misplaced_direction(CormTree *tree)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("corm.%s() has a meaning in an order only", tree->desc->func)));
}

/* Binds the names in a part of an expression; context is a ResolveContext. */
static bool
resolve_walker(CormTree *tree, void *context)
{
	ResolveContext *resolve = context;

	if (is_direction(tree) && !takes_directions(resolve->parent))
		misplaced_direction(tree);
	resolve_expr(resolve->stmt, tree, resolve->place);
	return false;
}

/*
 * Raises 42601 unless the first argument of corm.over() is something that SQL can
 * compute over a window.
 */
static void
check_windowed(CormTree *over)
{
	CormTree   *function = over->args[0].node;

	if (function->tag == CORM_N_FILTER_WHERE || function->tag == CORM_N_AGG_ORDER)
		function = function->args[0].node;
	if (corm_tree_is(function, CORM_IS_AGGREGATE) || function->tag == CORM_N_FN)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("corm.over() expects an aggregate or a function"),
			 errhint("Write it around the call: corm.over(corm.sum('amount'), ...) or corm.over(corm.fn('row_number'), ...).")));
}

/*
 * Raises 42601 if the clauses of corm.over() have one that is no part of a
 * window, or two frames.
 */
static void
check_window(CormTree *over)
{
	bool		framed = false;
	ListCell   *lc;

	foreach(lc, over->args[1].list)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_FRAME && framed)
			corm_misplaced_clause(clause, "was given twice");
		if (clause->tag != CORM_N_PARTITION_BY && clause->tag != CORM_N_ORDER_BY && clause->tag != CORM_N_FRAME)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.%s() has no meaning in corm.over()", clause->desc->func ? clause->desc->func : clause->desc->name),
					 errhint("A window has corm.partition_by(), corm.order_by() and corm.frame().")));
		framed |= clause->tag == CORM_N_FRAME;
	}
}

/* Does the work of corm_resolve_expr, for parts of expressions, too. */
static void
resolve_expr(CormStmt *stmt, CormTree *tree, CormPlace place)
{
	ResolveContext resolve = {stmt, place, tree};

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	switch (tree->tag)
	{
		case CORM_N_COLUMN:
			/* trees that we built ourselves are already bound */
			if (tree->range == NULL && tree->query == NULL)
				resolve_column(stmt, tree, place);
			return;
		case CORM_N_FILTER_OWN:
			tree->tag = CORM_N_FILTER_COLUMN;
			tree->desc = corm_node_desc(CORM_N_FILTER_COLUMN);
			tree->own = true;
			/* FALLTHROUGH */
		case CORM_N_FILTER_COLUMN:
			if (tree->own)
				resolve_own_column(stmt, tree);
			else
				resolve_column(stmt, tree, place);
			corm_check_filterable(tree);
			return;
		case CORM_N_FILTER_RELATION:
			/* what it is of is all that it says */
			if (!corm_tree_is(tree->args[0].node, CORM_IS_RELATION))
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("\"%s\" has no condition on related rows in it", tree->desc->name)));
			tree->args[0].node->from_filter = true;
			resolve_expr(stmt, tree->args[0].node, place);
			*tree = *tree->args[0].node;
			return;
		case CORM_N_SOME:
		case CORM_N_EVERY:
		case CORM_N_NONE:
			if (tree->query == NULL)
				corm_resolve_relation_predicate(stmt, tree);
			return;
		case CORM_N_COUNT_OF:
		case CORM_N_SUM_OF:
		case CORM_N_AVG_OF:
		case CORM_N_MIN_OF:
		case CORM_N_MAX_OF:
			if (tree->query == NULL)
				corm_resolve_related_value(stmt, tree);
			return;
		case CORM_N_INSERTED:
			if (stmt->command != CORM_CMD_INSERT)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.inserted() can only be used in the returning() of an insert")));
			return;
		case CORM_N_VALUE:
			corm_require_type(tree->typid);
			return;
		case CORM_N_NULL:
			corm_require_type(tree->args[0].oid);
			return;
		case CORM_N_CAST:
			corm_require_type(tree->args[1].oid);
			break;
		case CORM_N_SUBQUERY:
		case CORM_N_EXISTS:
		case CORM_N_NOT_EXISTS:
			if (tree->query)
				return;
			tree->query = corm_resolve_stmt(tree->args[0].list, InvalidOid, stmt);
			if (tree->query->command != CORM_CMD_SELECT && tree->query->command != CORM_CMD_RAW)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("a subquery must be a query that reads")));
			return;
		case CORM_N_EXCLUDED:
			if (stmt->command != CORM_CMD_INSERT || stmt->source->model == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.excluded() can only be used in an upsert")));
			tree->field = corm_model_field(stmt->source->model, tree->args[0].str);
			return;
		case CORM_N_AS:
			corm_check_name(tree->args[1].str);
			break;
		case CORM_N_OVER:
			check_windowed(tree);
			break;
		case CORM_N_OVER_CLAUSES:
			check_windowed(tree);
			check_window(tree);
			break;
		case CORM_N_RAW:
			corm_raw_check_expr(tree->args[0].str);
			break;
		default:
			break;
	}

	/* the special meaning of a bare name does not apply inside an expression */
	if (corm_tree_is(tree, CORM_IS_AGGREGATE) || tree->tag == CORM_N_FILTER_WHERE || tree->tag == CORM_N_AGG_ORDER)
		resolve.place = CORM_PLACE_INPUT;
	else if (place == CORM_PLACE_ORDER && tree->tag != CORM_N_ASC && tree->tag != CORM_N_DESC)
		resolve.place = CORM_PLACE_OUTPUT;

	(void) corm_tree_walker(tree, resolve_walker, &resolve);
	corm_check_filter(tree);
}

/*
 * corm_resolve_expr binds the names in an expression in the given place of a
 * statement.  Raises 42601 for a direction elsewhere than in an order.
 */
void
corm_resolve_expr(CormStmt *stmt, CormTree *tree, CormPlace place)
{
	if (is_direction(tree) && place != CORM_PLACE_ORDER)
		misplaced_direction(tree);
	resolve_expr(stmt, tree, place);
}

/*
 * corm_item_name returns the output name of a select item, chosen like SQL
 * does: the alias, or the name of the field or function.
 */
char *
corm_item_name(CormTree *item)
{
	switch (item->tag)
	{
		case CORM_N_AS:
			return item->args[1].str;
		case CORM_N_COLUMN:
		case CORM_N_FILTER_COLUMN:
			if (item->field)
				return item->field->name;
			return item->output ? item->output : item->args[0].str;
		case CORM_N_FN:
			{
				char	   *dot = strrchr(item->args[0].str, '.');

				return dot ? dot + 1 : item->args[0].str;
			}
		case CORM_N_FILTER_WHERE:
		case CORM_N_AGG_ORDER:
		case CORM_N_OVER:
		case CORM_N_OVER_CLAUSES:
		case CORM_N_CAST:
			return corm_item_name(item->args[0].node);
		case CORM_N_COUNT_DISTINCT:
			return "count";
		case CORM_N_SUBQUERY:
			if (item->query && item->query->command == CORM_CMD_SELECT)
				return linitial(corm_stmt_output_names(item->query));
			return "query";
		default:
			return pstrdup(item->desc->name);
	}
}

static void
append_model_names(List **names, CormModel *model)
{
	for (int i = 0; i < model->nfields; i++)
		*names = lappend(*names, model->fields[i].name);
}

/*
 * corm_stmt_output_names returns the names of a statement's output columns, as
 * a list of char *.
 */
List *
corm_stmt_output_names(CormStmt *stmt)
{
	List	   *items = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
	List	   *names = NIL;
	ListCell   *lc;

	if (stmt->command == CORM_CMD_RAW)
	{
		corm_raw_describe(stmt);
		return list_copy(stmt->raw_columns);
	}
	if (items == NIL)
	{
		if (stmt->source->model)
			append_model_names(&names, stmt->source->model);
		else
			names = list_copy(stmt->source->columns);
		return names;
	}
	foreach(lc, items)
	{
		names = lappend(names, corm_item_name(lfirst(lc)));
	}
	return names;
}
