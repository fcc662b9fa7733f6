/*-------------------------------------------------------------------------
 *
 * resolve.c
 *		From a list of clauses to a statement whose names are bound.
 *
 * Clauses come in any order; each goes to its place in a CormStmt.  Names
 * become fields of models, output columns, or columns of subqueries.  A name
 * is looked for
 *	- as a field of the source, by its whole text, dots included;
 *	- as alias.field, in this query and then in those around it;
 *	- as a field of exactly one joined range;
 *	- where SQL allows it (order_by, group_by, having), as the name of a
 *	  select item.
 * Anything else is an unknown field, 42703.
 *
 * Everything is allocated in the current context and points to models, which
 * live until the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "query/query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Where in a statement an expression stands: decides what a name may mean. */
typedef enum Place
{
	PLACE_INPUT,				/* fields only */
	PLACE_OUTPUT,				/* fields, then select items */
	PLACE_ORDER					/* select items, then fields */
} Place;

static CormStmt *resolve_stmt(List *clauses, Oid default_model, CormStmt *parent);
static void resolve_expr(CormStmt *stmt, CormTree *tree, Place place);

static void misplaced(CormTree *clause, const char *why) pg_attribute_noreturn();

static void
misplaced(CormTree *clause, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("corm.%s() %s", clause->desc->func, why)));
}

/*
 * Ranges
 */

static CormRange *
find_range(CormStmt *stmt, const char *alias, int len)
{
	ListCell   *lc;

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		if (strlen(range->alias) == len && memcmp(range->alias, alias, len) == 0)
			return range;
	}
	return NULL;
}

static CormRange *
add_range(CormStmt *stmt, CormTree *clause, const char *alias)
{
	CormRange  *range = palloc0(sizeof(CormRange));

	if (strlen(alias) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("alias \"%s\" is too long", alias),
				 errdetail("Names have at most %d bytes.", NAMEDATALEN - 1)));
	if (find_range(stmt, alias, strlen(alias)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_ALIAS),
				 errmsg("alias \"%s\" is used more than once", alias),
				 errhint("Give corm.%s() an alias of its own.", clause->desc->func)));
	range->alias = pstrdup(alias);
	stmt->ranges = lappend(stmt->ranges, range);
	return range;
}

static CormRange *
add_model_range(CormStmt *stmt, CormTree *clause, Oid relid, const char *alias)
{
	CormModel  *model = corm_model_get(relid);
	CormRange  *range = add_range(stmt, clause, alias ? alias : model->table_name);

	range->model = model;
	return range;
}

static CormRange *
add_query_range(CormStmt *stmt, CormTree *clause, List *clauses, const char *alias)
{
	CormRange  *range = add_range(stmt, clause, alias);

	range->query = resolve_stmt(clauses, InvalidOid, stmt->parent);
	range->columns = corm_stmt_output_names(range->query);
	return range;
}

static CormRange *
add_cte_range(CormStmt *stmt, CormTree *clause, const char *name, const char *alias)
{
	CormRange  *range;

	for (CormStmt *level = stmt; level; level = level->parent)
	{
		ListCell   *lc;

		foreach(lc, level->ctes)
		{
			CormCte    *cte = lfirst(lc);

			if (strcmp(cte->name, name) == 0)
			{
				range = add_range(stmt, clause, alias ? alias : name);
				range->cte = cte->name;
				range->columns = corm_stmt_output_names(cte->query);
				return range;
			}
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("unknown query \"%s\"", name),
			 errhint("Name it with corm.with() before it is used.")));
}

/*
 * range_column binds a COLUMN to a range's field of that name; false if it
 * has none.
 */
static bool
range_column(CormRange *range, CormTree *tree, const char *name)
{
	ListCell   *lc;

	if (range->model)
	{
		CormField  *field = corm_model_find_field(range->model, name);

		if (field == NULL)
			return false;
		tree->range = range;
		tree->field = field;
		return true;
	}
	foreach(lc, range->columns)
	{
		if (strcmp(lfirst(lc), name) == 0)
		{
			tree->range = range;
			tree->output = lfirst(lc);
			return true;
		}
	}
	return false;
}

static void unknown_column(CormRange *range, const char *name) pg_attribute_noreturn();

static void
unknown_column(CormRange *range, const char *name)
{
	if (range->model)
		corm_unknown_field(range->model, name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("unknown field \"%s\" of query \"%s\"", name, range->alias)));
}

/*
 * The select item that carries the given output name.
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

static bool
output_column(CormStmt *stmt, CormTree *tree, const char *name)
{
	CormTree   *item = find_output(stmt, name);

	if (item == NULL)
		return false;
	tree->output = pstrdup(name);
	tree->aliased = item;
	return true;
}

static void
resolve_column(CormStmt *stmt, CormTree *tree, Place place)
{
	const char *name = tree->args[0].str;
	CormRange  *found = NULL;
	ListCell   *lc;

	if (stmt->setops && place == PLACE_ORDER)
	{
		/* only the output of a union can be ordered by */
		foreach(lc, corm_stmt_output_names(stmt))
		{
			if (strcmp(lfirst(lc), name) == 0)
			{
				tree->output = pstrdup(name);
				return;
			}
		}
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown field \"%s\" of a combined query", name),
				 errhint("It can be ordered by the fields it returns.")));
	}

	if (place == PLACE_ORDER && output_column(stmt, tree, name))
		return;
	if (stmt->source && range_column(stmt->source, tree, name))
		return;

	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
	{
		for (CormStmt *level = stmt; level; level = level->parent)
		{
			CormRange  *range = find_range(level, name, dot - name);

			if (range == NULL)
				continue;
			if (!range_column(range, tree, dot + 1))
				unknown_column(range, dot + 1);
			return;
		}
	}

	foreach(lc, stmt->ranges)
	{
		CormRange  *range = lfirst(lc);

		if (range == stmt->source || !range_column(range, tree, name))
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("field \"%s\" is ambiguous", name),
					 errdetail("Both \"%s\" and \"%s\" have it.", found->alias, range->alias),
					 errhint("Write it as corm.c('%s.%s').", found->alias, name)));
		found = range;
	}
	if (found)
	{
		(void) range_column(found, tree, name);
		return;
	}
	if (place == PLACE_OUTPUT && output_column(stmt, tree, name))
		return;

	if (stmt->source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("unknown field \"%s\"", name)));
	unknown_column(stmt->source, name);
}

/*
 * Expressions
 */

static void
resolve_list(CormStmt *stmt, List *list, Place place)
{
	ListCell   *lc;

	foreach(lc, list)
		resolve_expr(stmt, lfirst(lc), place);
}

static void
resolve_expr(CormStmt *stmt, CormTree *tree, Place place)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	switch (tree->tag)
	{
		case CORM_N_COLUMN:
			resolve_column(stmt, tree, place);
			return;
		case CORM_N_VALUE:
		case CORM_N_NULL:
			return;
		case CORM_N_SUBQUERY:
		case CORM_N_EXISTS:
		case CORM_N_NOT_EXISTS:
			tree->query = resolve_stmt(tree->args[0].list, InvalidOid, stmt);
			if (tree->query->command != CORM_CMD_SELECT && tree->query->command != CORM_CMD_RAW)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("a subquery must be a query that reads")));
			return;
		case CORM_N_EXCLUDED:
			if (stmt->command != CORM_CMD_INSERT || stmt->source->model == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.excluded() has a meaning in an upsert only")));
			tree->field = corm_model_field(stmt->source->model, tree->args[0].str);
			return;
		case CORM_N_RAW:
			corm_raw_check_expr(tree->args[0].str);
			break;
		default:
			break;
	}

	for (int i = 0; tree->desc->args[i] != '\0'; i++)
	{
		switch (tree->desc->args[i])
		{
			case 'x':
			case 'v':
			case 'e':
				resolve_expr(stmt, tree->args[i].node, place);
				break;
			case 'X':
			case 'V':
			case 'E':
			case 'O':
			case 'P':
			case 'S':
				/* names inside of an expression of order_by mean fields */
				resolve_list(stmt, tree->args[i].list, place);
				break;
			default:
				break;
		}
	}
}

/*
 * corm_item_name returns the output name of a select item: the alias, the
 * name of the field or function, as SQL would.
 */
char *
corm_item_name(CormTree *item)
{
	switch (item->tag)
	{
		case CORM_N_AS:
			return item->args[1].str;
		case CORM_N_COLUMN:
			if (item->field)
				return item->field->name;
			return item->output ? item->output : item->args[0].str;
		case CORM_N_FN:
			{
				char	   *dot = strrchr(item->args[0].str, '.');

				return dot ? dot + 1 : item->args[0].str;
			}
		case CORM_N_FILTER_WHERE:
		case CORM_N_OVER:
		case CORM_N_CAST:
			return corm_item_name(item->args[0].node);
		case CORM_N_COUNT_DISTINCT:
			return "count";
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
 * corm_stmt_output_names returns the names of the columns that a statement
 * returns, as char *.  Not for RAW, whose columns only PostgreSQL knows.
 */
List *
corm_stmt_output_names(CormStmt *stmt)
{
	List	   *items = stmt->command == CORM_CMD_SELECT ? stmt->select : stmt->returning;
	List	   *names = NIL;
	ListCell   *lc;

	if (stmt->command == CORM_CMD_RAW)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a raw query cannot be a source of fields"),
				 errhint("Use corm.raw() expressions in a query over a model.")));
	if (items == NIL)
	{
		if (stmt->source->model)
			append_model_names(&names, stmt->source->model);
		else
			names = list_copy(stmt->source->columns);
		return names;
	}
	foreach(lc, items)
		names = lappend(names, corm_item_name(lfirst(lc)));
	return names;
}

/*
 * Clauses
 */

static bool
is_source(CormNodeTag tag)
{
	return tag == CORM_N_SELECTOR || tag == CORM_N_FROM_QUERY || tag == CORM_N_FROM_CTE ||
		tag == CORM_N_INSERTER || tag == CORM_N_UPDATER || tag == CORM_N_DELETER ||
		tag == CORM_N_RAW_QUERY;
}

static void
resolve_source(CormStmt *stmt, CormTree *source, Oid default_model)
{
	if (source == NULL)
	{
		CormTree	implied = {.tag = CORM_N_SELECTOR, .desc = corm_node_desc(CORM_N_SELECTOR)};

		if (!OidIsValid(default_model))
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("query has no source"),
					 errhint("Begin it with corm.selector(), corm.updater() or another source.")));
		stmt->source = add_model_range(stmt, &implied, default_model, NULL);
		return;
	}

	switch (source->tag)
	{
		case CORM_N_SELECTOR:
			stmt->source = add_model_range(stmt, source, source->args[0].oid, source->args[1].str);
			break;
		case CORM_N_FROM_QUERY:
			stmt->source = add_query_range(stmt, source, source->args[0].list, source->args[1].str);
			break;
		case CORM_N_FROM_CTE:
			stmt->source = add_cte_range(stmt, source, source->args[0].str, source->args[1].str);
			break;
		case CORM_N_INSERTER:
		case CORM_N_UPDATER:
		case CORM_N_DELETER:
			stmt->command = source->tag == CORM_N_INSERTER ? CORM_CMD_INSERT :
				source->tag == CORM_N_UPDATER ? CORM_CMD_UPDATE : CORM_CMD_DELETE;
			stmt->source = add_model_range(stmt, source, source->args[0].oid, NULL);
			break;
		case CORM_N_RAW_QUERY:
			stmt->command = CORM_CMD_RAW;
			stmt->raw_sql = corm_raw_check_statement(source->args[0].str);
			stmt->raw_args = source->args[1].list;
			resolve_list(stmt, stmt->raw_args, PLACE_INPUT);
			break;
		default:
			elog(ERROR, "unrecognized source %d", (int) source->tag);
	}
}

static void
resolve_join(CormStmt *stmt, CormTree *clause)
{
	CormJoin   *join;

	switch (clause->tag)
	{
		case CORM_N_JOIN:
		case CORM_N_LEFT_JOIN:
		case CORM_N_RIGHT_JOIN:
		case CORM_N_FULL_JOIN:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("unknown relation \"%s\" of \"%s\"",
							clause->args[0].str, stmt->source->alias)));
			break;
		case CORM_N_JOIN_MODEL:
		case CORM_N_LEFT_JOIN_MODEL:
		case CORM_N_RIGHT_JOIN_MODEL:
		case CORM_N_FULL_JOIN_MODEL:
			join = palloc0(sizeof(CormJoin));
			join->tag = clause->tag;
			join->range = add_model_range(stmt, clause, clause->args[0].oid, clause->args[2].str);
			join->condition = clause->args[1].node;
			break;
		case CORM_N_CROSS_JOIN:
			join = palloc0(sizeof(CormJoin));
			join->tag = clause->tag;
			join->range = add_model_range(stmt, clause, clause->args[0].oid, clause->args[1].str);
			break;
		case CORM_N_JOIN_QUERY:
			join = palloc0(sizeof(CormJoin));
			join->tag = CORM_N_JOIN_MODEL;
			join->range = add_query_range(stmt, clause, clause->args[0].list, clause->args[2].str);
			join->condition = clause->args[1].node;
			break;
		case CORM_N_JOIN_CTE:
			join = palloc0(sizeof(CormJoin));
			join->tag = CORM_N_JOIN_MODEL;
			join->range = add_cte_range(stmt, clause, clause->args[0].str, clause->args[2].str);
			join->condition = clause->args[1].node;
			break;
		default:
			return;
	}

	if (stmt->command == CORM_CMD_INSERT)
		misplaced(clause, "has no meaning in an insert");
	if (stmt->command != CORM_CMD_SELECT &&
		join->tag != CORM_N_JOIN_MODEL && join->tag != CORM_N_CROSS_JOIN)
		misplaced(clause, "is not possible in a write, only inner and cross joins are");
	stmt->joins = lappend(stmt->joins, join);
}

static void
set_lock(CormStmt *stmt, CormTree *clause)
{
	const char *mode = clause->args[0].str ? clause->args[0].str : "";

	stmt->lock = clause->tag;
	if (mode[0] == '\0')
		stmt->lock_wait = "";
	else if (pg_strcasecmp(mode, "nowait") == 0)
		stmt->lock_wait = " NOWAIT";
	else if (pg_strcasecmp(mode, "skip locked") == 0)
		stmt->lock_wait = " SKIP LOCKED";
	else
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("unrecognized lock mode \"%s\"", mode),
				 errhint("Modes are \"nowait\" and \"skip locked\".")));
}

/*
 * A field that a write names; generated and read-only ones are refused.
 */
static CormField *
writable_field(CormStmt *stmt, const char *name)
{
	CormField  *field = corm_model_field(stmt->source->model, name);

	if (field->generated || field->read_only)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_READ_ONLY_FIELD),
				 errmsg("field \"%s\" of model \"%s\" cannot be written",
						field->name, stmt->source->model->name),
				 errdetail("It is %s.", field->generated ? "a generated column" : "read-only")));
	return field;
}

static void
add_assignment(CormStmt *stmt, CormTree *clause, List **sets)
{
	CormAssignment *set = palloc(sizeof(CormAssignment));
	ListCell   *lc;

	set->field = writable_field(stmt, clause->args[0].str);
	set->value = clause->args[1].node;
	foreach(lc, *sets)
	{
		/* as in an object literal, the last one counts */
		if (((CormAssignment *) lfirst(lc))->field == set->field)
		{
			lfirst(lc) = set;
			return;
		}
	}
	*sets = lappend(*sets, set);
}

static bool
is_read_clause(CormNodeTag tag)
{
	switch (tag)
	{
		case CORM_N_SELECT:
		case CORM_N_DISTINCT:
		case CORM_N_DISTINCT_ON:
		case CORM_N_GROUP_BY:
		case CORM_N_HAVING:
		case CORM_N_ORDER_BY:
		case CORM_N_LIMIT:
		case CORM_N_OFFSET:
		case CORM_N_FOR_UPDATE:
		case CORM_N_FOR_SHARE:
		case CORM_N_UNION:
		case CORM_N_UNION_ALL:
		case CORM_N_INTERSECT:
		case CORM_N_EXCEPT:
			return true;
		default:
			return false;
	}
}

static bool
is_insert_clause(CormNodeTag tag)
{
	switch (tag)
	{
		case CORM_N_ROWS:
		case CORM_N_ON_CONFLICT:
		case CORM_N_ON_CONFLICT_WHERE:
		case CORM_N_ON_CONSTRAINT:
		case CORM_N_DO_NOTHING:
		case CORM_N_DO_UPDATE:
			return true;
		default:
			return false;
	}
}

static bool
is_write_clause(CormNodeTag tag)
{
	return tag == CORM_N_SET || tag == CORM_N_RETURNING || tag == CORM_N_ALL_ROWS ||
		tag == CORM_N_MAX_ROWS || is_insert_clause(tag);
}

/*
 * A clause must have a meaning for the command: one that would be ignored is
 * a mistake that the user should hear of.
 */
static void
check_clause_fits(CormStmt *stmt, CormTree *clause)
{
	CormNodeTag tag = clause->tag;

	if (stmt->command == CORM_CMD_RAW)
		misplaced(clause, "cannot be combined with a raw query");
	if (stmt->command == CORM_CMD_SELECT)
	{
		if (is_write_clause(tag))
			misplaced(clause, "has no meaning in a query that reads");
		return;
	}
	if (is_read_clause(tag))
		misplaced(clause, "has no meaning in a write");
	if (is_insert_clause(tag) && stmt->command != CORM_CMD_INSERT)
		misplaced(clause, "has a meaning in an insert only");
	if (tag == CORM_N_SET && stmt->command == CORM_CMD_DELETE)
		misplaced(clause, "has no meaning in a delete");
	if (stmt->command == CORM_CMD_INSERT &&
		(tag == CORM_N_WHERE || tag == CORM_N_ALL_ROWS))
	{
		if (tag == CORM_N_WHERE && stmt->conflict_action == CORM_CONFLICT_UPDATE)
			return;				/* ON CONFLICT DO UPDATE ... WHERE */
		misplaced(clause, "has no meaning in an insert");
	}
}

static void
place_clause(CormStmt *stmt, CormTree *clause)
{
	CormSetOp  *setop;
	CormCte    *cte;
	ListCell   *lc;

	check_clause_fits(stmt, clause);

	switch (clause->tag)
	{
		case CORM_N_SELECT:
			stmt->select = list_concat(stmt->select, clause->args[0].list);
			break;
		case CORM_N_DISTINCT:
			stmt->distinct = true;
			break;
		case CORM_N_DISTINCT_ON:
			stmt->distinct_on = list_concat(stmt->distinct_on, clause->args[0].list);
			break;
		case CORM_N_WHERE:
			stmt->where = list_concat(stmt->where, clause->args[0].list);
			break;
		case CORM_N_GROUP_BY:
			stmt->group_by = list_concat(stmt->group_by, clause->args[0].list);
			break;
		case CORM_N_HAVING:
			stmt->having = list_concat(stmt->having, clause->args[0].list);
			break;
		case CORM_N_ORDER_BY:
			stmt->order_by = list_concat(stmt->order_by, clause->args[0].list);
			break;
		case CORM_N_LIMIT:
			stmt->limit = clause->args[0].node;
			break;
		case CORM_N_OFFSET:
			stmt->offset = clause->args[0].node;
			break;
		case CORM_N_FOR_UPDATE:
		case CORM_N_FOR_SHARE:
			set_lock(stmt, clause);
			break;
		case CORM_N_WITH:
			cte = palloc(sizeof(CormCte));
			cte->name = clause->args[0].str;
			cte->query = resolve_stmt(clause->args[1].list, InvalidOid, stmt);
			stmt->ctes = lappend(stmt->ctes, cte);
			break;
		case CORM_N_UNION:
		case CORM_N_UNION_ALL:
		case CORM_N_INTERSECT:
		case CORM_N_EXCEPT:
			setop = palloc(sizeof(CormSetOp));
			setop->tag = clause->tag;
			setop->query = resolve_stmt(clause->args[0].list, InvalidOid, stmt->parent);
			stmt->setops = lappend(stmt->setops, setop);
			break;
		case CORM_N_SET:
			add_assignment(stmt, clause,
						   stmt->conflict_action == CORM_CONFLICT_UPDATE ?
						   &stmt->update_sets : &stmt->sets);
			break;
		case CORM_N_ROWS:
			if (stmt->rows)
				misplaced(clause, "was given twice");
			stmt->rows = clause->args[0].node;
			break;
		case CORM_N_ON_CONFLICT:
			foreach(lc, clause->args[0].list)
				stmt->conflict_fields = lappend(stmt->conflict_fields,
												corm_model_field(stmt->source->model, lfirst(lc)));
			break;
		case CORM_N_ON_CONFLICT_WHERE:
			stmt->conflict_where = clause->args[0].node;
			break;
		case CORM_N_ON_CONSTRAINT:
			stmt->conflict_constraint = clause->args[0].str;
			break;
		case CORM_N_DO_NOTHING:
			stmt->conflict_action = CORM_CONFLICT_NOTHING;
			break;
		case CORM_N_DO_UPDATE:
			stmt->conflict_action = CORM_CONFLICT_UPDATE;
			foreach(lc, clause->args[0].list)
				stmt->update_fields = lappend(stmt->update_fields, writable_field(stmt, lfirst(lc)));
			break;
		case CORM_N_RETURNING:
			stmt->returns = true;
			stmt->returning = list_concat(stmt->returning, clause->args[0].list);
			break;
		case CORM_N_ALL_ROWS:
			stmt->all_rows = true;
			break;
		case CORM_N_MAX_ROWS:
			stmt->max_rows = clause->args[0].node;
			break;
		default:
			resolve_join(stmt, clause);
	}
}

static void
resolve_assignments(CormStmt *stmt, List *sets)
{
	ListCell   *lc;

	foreach(lc, sets)
		resolve_expr(stmt, ((CormAssignment *) lfirst(lc))->value, PLACE_INPUT);
}

static bool
is_true(CormTree *tree)
{
	ListCell   *lc;

	if (tree->tag != CORM_N_AND)
		return false;
	foreach(lc, tree->args[0].list)
		if (!is_true(lfirst(lc)))
			return false;
	return true;
}

/*
 * A write without a condition is refused unless that is said; conditions
 * that are empty ANDs are none.
 */
static void
check_has_where(CormStmt *stmt)
{
	ListCell   *lc;

	if (stmt->all_rows)
		return;
	foreach(lc, stmt->where)
		if (!is_true(lfirst(lc)))
			return;
	ereport(ERROR,
			(errcode(CORM_ERRCODE_MISSING_WHERE),
			 errmsg("missing where clause"),
			 errdetail("The %s of model \"%s\" would write every row.",
					   stmt->command == CORM_CMD_UPDATE ? "update" : "delete",
					   stmt->source->model->name),
			 errhint("Add corm.where(), or corm.all_rows() if that is meant.")));
}

static void
check_conflict(CormStmt *stmt)
{
	if (stmt->command != CORM_CMD_INSERT)
		return;
	if (stmt->conflict_action == CORM_CONFLICT_NONE &&
		(stmt->conflict_fields || stmt->conflict_constraint || stmt->conflict_where))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.on_conflict() and corm.on_constraint() need an action"),
				 errhint("Add corm.do_nothing() or corm.do_update().")));
	if (stmt->conflict_action == CORM_CONFLICT_UPDATE &&
		stmt->conflict_fields == NIL && stmt->conflict_constraint == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.do_update() needs to know which key decides"),
				 errhint("Add corm.on_conflict() with the fields of the key, or corm.on_constraint().")));
	if (stmt->conflict_fields && stmt->conflict_constraint)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.on_conflict() and corm.on_constraint() exclude each other")));
}

static CormStmt *
resolve_stmt(List *clauses, Oid default_model, CormStmt *parent)
{
	CormStmt   *stmt = palloc0(sizeof(CormStmt));
	CormTree   *source = NULL;
	ListCell   *lc;

	check_stack_depth();
	stmt->command = CORM_CMD_SELECT;
	stmt->parent = parent;

	/* WITH queries first: a source may be one of them; then the source */
	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_WITH)
			place_clause(stmt, clause);
		else if (is_source(clause->tag))
		{
			if (source)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("query has more than one source"),
						 errdetail("Both corm.%s() and corm.%s() were given.",
								   source->desc->func, clause->desc->func)));
			source = clause;
		}
	}
	resolve_source(stmt, source, default_model);

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause != source && clause->tag != CORM_N_WITH)
			place_clause(stmt, clause);
	}
	if (stmt->command == CORM_CMD_RAW)
		return stmt;

	/* all ranges are known now: bind the names */
	foreach(lc, stmt->joins)
	{
		CormJoin   *join = lfirst(lc);

		if (join->condition)
			resolve_expr(stmt, join->condition, PLACE_INPUT);
	}
	resolve_list(stmt, stmt->select, PLACE_INPUT);
	resolve_list(stmt, stmt->distinct_on, PLACE_OUTPUT);
	resolve_list(stmt, stmt->where, PLACE_INPUT);
	resolve_list(stmt, stmt->group_by, PLACE_OUTPUT);
	resolve_list(stmt, stmt->having, PLACE_OUTPUT);
	resolve_list(stmt, stmt->order_by, PLACE_ORDER);
	resolve_list(stmt, stmt->returning, PLACE_INPUT);
	resolve_assignments(stmt, stmt->sets);
	resolve_assignments(stmt, stmt->update_sets);
	if (stmt->conflict_where)
		resolve_expr(stmt, stmt->conflict_where, PLACE_INPUT);
	if (stmt->limit)
		resolve_expr(stmt, stmt->limit, PLACE_INPUT);
	if (stmt->offset)
		resolve_expr(stmt, stmt->offset, PLACE_INPUT);

	check_conflict(stmt);
	if (stmt->command == CORM_CMD_UPDATE && stmt->sets == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("update of model \"%s\" sets nothing", stmt->source->model->name),
				 errhint("Add corm.set().")));
	if (stmt->command == CORM_CMD_UPDATE || stmt->command == CORM_CMD_DELETE)
		check_has_where(stmt);
	return stmt;
}

/*
 * corm_resolve makes a statement of clauses.  default_model is the source of
 * a query that names none, or InvalidOid.  Raises 42703 and 42P01 for what
 * does not exist, 42601 for clauses that do not go together, OR001 for a
 * write without a condition, OR012 for one of a field that must not be
 * written.
 */
CormStmt *
corm_resolve(List *clauses, Oid default_model)
{
	return resolve_stmt(clauses, default_model, NULL);
}
