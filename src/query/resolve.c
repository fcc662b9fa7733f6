/*-------------------------------------------------------------------------
 *
 * resolve.c
 *		From a list of clauses to a statement whose names are bound.
 *
 * Clauses come in any order; each goes to its place in a CormStmt.  Names
 * become fields of models, output columns, or columns of subqueries: names.c.
 *
 * Everything is allocated in the current context and points to models, which
 * live until the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "query/query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void misplaced(CormTree *clause, const char *why) pg_attribute_noreturn();

static void
misplaced(CormTree *clause, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("corm.%s() %s", clause->desc->func, why)));
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
		stmt->source = corm_add_model_range(stmt, &implied, default_model, NULL);
		return;
	}

	switch (source->tag)
	{
		case CORM_N_SELECTOR:
			stmt->source = corm_add_model_range(stmt, source, source->args[0].oid, source->args[1].str);
			break;
		case CORM_N_FROM_QUERY:
			stmt->source = corm_add_query_range(stmt, source, source->args[0].list, source->args[1].str);
			break;
		case CORM_N_FROM_CTE:
			stmt->source = corm_add_cte_range(stmt, source, source->args[0].str, source->args[1].str);
			break;
		case CORM_N_INSERTER:
		case CORM_N_UPDATER:
		case CORM_N_DELETER:
			stmt->command = source->tag == CORM_N_INSERTER ? CORM_CMD_INSERT :
				source->tag == CORM_N_UPDATER ? CORM_CMD_UPDATE : CORM_CMD_DELETE;
			stmt->source = corm_add_model_range(stmt, source, source->args[0].oid, NULL);
			break;
		case CORM_N_RAW_QUERY:
			stmt->command = CORM_CMD_RAW;
			stmt->raw_sql = corm_raw_check_statement(source->args[0].str);
			stmt->raw_args = source->args[1].list;
			corm_resolve_list(stmt, stmt->raw_args, CORM_PLACE_INPUT);
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
			if (stmt->command != CORM_CMD_SELECT)
				misplaced(clause, "has no meaning in a write");
			corm_join_relation(stmt, clause);
			return;
		case CORM_N_JOIN_MODEL:
		case CORM_N_LEFT_JOIN_MODEL:
		case CORM_N_RIGHT_JOIN_MODEL:
		case CORM_N_FULL_JOIN_MODEL:
			join = palloc0(sizeof(CormJoin));
			join->tag = clause->tag;
			join->range = corm_add_model_range(stmt, clause, clause->args[0].oid, clause->args[2].str);
			join->condition = clause->args[1].node;
			break;
		case CORM_N_CROSS_JOIN:
			join = palloc0(sizeof(CormJoin));
			join->tag = clause->tag;
			join->range = corm_add_model_range(stmt, clause, clause->args[0].oid, clause->args[1].str);
			break;
		case CORM_N_JOIN_QUERY:
			join = palloc0(sizeof(CormJoin));
			join->tag = CORM_N_JOIN_MODEL;
			join->range = corm_add_query_range(stmt, clause, clause->args[0].list, clause->args[2].str);
			join->condition = clause->args[1].node;
			break;
		case CORM_N_JOIN_CTE:
			join = palloc0(sizeof(CormJoin));
			join->tag = CORM_N_JOIN_MODEL;
			join->range = corm_add_cte_range(stmt, clause, clause->args[0].str, clause->args[2].str);
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
		case CORM_N_AFTER:
		case CORM_N_BEFORE:
		case CORM_N_PRELOAD:
		case CORM_N_CACHED:
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
		case CORM_N_DO_SELECT:
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
place_clause(CormStmt *stmt, CormTree *clause, List **preloads)
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
			corm_check_name(cte->name);
			cte->query = corm_resolve_stmt(clause->args[1].list, InvalidOid, stmt);
			stmt->ctes = lappend(stmt->ctes, cte);
			break;
		case CORM_N_UNION:
		case CORM_N_UNION_ALL:
		case CORM_N_INTERSECT:
		case CORM_N_EXCEPT:
			setop = palloc(sizeof(CormSetOp));
			setop->tag = clause->tag;
			setop->query = corm_resolve_part(clause->args[0].list, stmt);
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
		case CORM_N_AFTER:
		case CORM_N_BEFORE:
			if (stmt->cursor)
				misplaced(clause, "is one cursor too many");
			stmt->cursor = clause;
			stmt->reversed = clause->tag == CORM_N_BEFORE;
			break;
		case CORM_N_CACHED:
			if (stmt->parent || stmt->beside)
				misplaced(clause, "belongs to the whole query, not to a part of it");
			if (clause->args[0].node->tag != CORM_N_VALUE)
				misplaced(clause, "takes an interval that is not null");
			stmt->cached = clause->args[0].node;
			break;
		case CORM_N_PRELOAD:
			*preloads = lappend(*preloads, clause);
			break;
		case CORM_N_DO_SELECT:
			stmt->conflict_action = CORM_CONFLICT_SELECT;
			break;
		case CORM_N_GUARD:
		case CORM_N_SCOPE:
		case CORM_N_UNSCOPED:
		case CORM_N_ONLY_DELETED:
			break;				/* done before the others */
		case CORM_N_RETURNING:
			stmt->returns = true;
			stmt->returning = list_concat(stmt->returning, clause->args[0].list);
			break;
		case CORM_N_ALL_ROWS:
			stmt->all_rows = true;
			break;
		case CORM_N_MAX_ROWS:
			stmt->max_rows = clause->args[0].node;
			/* a guard that cannot be read must not be passed over */
			if (stmt->max_rows->tag != CORM_N_VALUE ||
				(stmt->max_rows->typid != INT8OID && stmt->max_rows->typid != INT4OID))
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("corm.max_rows() expects an integer")));
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
		corm_resolve_expr(stmt, ((CormAssignment *) lfirst(lc))->value, CORM_PLACE_INPUT);
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
 * Has one of the clauses a condition?  Those that are empty ANDs are none.
 */
static bool
has_condition(List *clauses)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);
		ListCell   *cond;

		if (clause->tag != CORM_N_WHERE)
			continue;
		foreach(cond, clause->args[0].list)
			if (!is_true(lfirst(cond)))
				return true;
	}
	return false;
}

/*
 * A write without a condition is refused unless that is said.
 */
static void
check_has_where(CormStmt *stmt)
{
	if (stmt->all_rows || stmt->has_where)
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
	if ((stmt->conflict_action == CORM_CONFLICT_UPDATE || stmt->conflict_action == CORM_CONFLICT_SELECT) &&
		stmt->conflict_fields == NIL && stmt->conflict_constraint == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.%s() needs to know which key decides",
						stmt->conflict_action == CORM_CONFLICT_UPDATE ? "do_update" : "do_select"),
				 errhint("Add corm.on_conflict() with the fields of the key, or corm.on_constraint().")));
	if (stmt->conflict_fields && stmt->conflict_constraint)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.on_conflict() and corm.on_constraint() exclude each other")));
}

/*
 * corm_enclosing_stmt returns the statement that a statement is part of; NULL
 * if it is the whole.
 */
CormStmt *
corm_enclosing_stmt(CormStmt *stmt)
{
	return stmt->beside ? stmt->beside : stmt->parent ? stmt->parent : stmt->alias_owner;
}

#define MAX_SCOPED_LEVELS	64

/*
 * The clauses of a model's default scopes.  They may bring the model in again,
 * by a preload or a subquery, and so on for ever.
 */
static List *
default_scope_clauses(CormStmt *stmt, CormModel *model)
{
	List	   *clauses = corm_default_scope_clauses(model);
	int			levels = 0;

	if (clauses == NIL)
		return NIL;
	for (CormStmt *level = stmt; level; level = corm_enclosing_stmt(level))
		if (level->source && level->source->model == model && ++levels > MAX_SCOPED_LEVELS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("infinite recursion detected in the default scopes of model \"%s\"", model->name),
					 errhint("Add corm.unscoped() to the query that a default scope has in it.")));
	return clauses;
}

/*
 * Adds the clauses of the scopes that are asked for, and of the model's
 * default scopes, and notes what is asked of soft-deleted rows.
 */
static List *
expand_scopes(CormStmt *stmt, List *clauses)
{
	CormModel  *model = stmt->source ? stmt->source->model : NULL;
	List	   *result = list_copy(clauses);
	ListCell   *lc;

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_UNSCOPED)
			stmt->unscoped = true;
		else if (clause->tag == CORM_N_ONLY_DELETED)
		{
			if (stmt->source == NULL)
				misplaced(clause, "cannot be combined with a raw query");
			if (model == NULL || model->soft_delete < 0)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("model \"%s\" has no soft delete", model ? model->name : stmt->source->name),
						 errhint("Name its field by the tag \"soft_delete\" or with corm.register().")));
			stmt->only_deleted = true;
		}
		else if (clause->tag == CORM_N_SCOPE)
		{
			if (model == NULL)
				misplaced(clause, "needs a query over a model");
			result = list_concat(result, corm_scope_clauses(model, clause->args[0].str));
		}
	}
	/* what is always there is no condition that somebody thought of */
	stmt->has_where = has_condition(result);
	if (model && !stmt->unscoped && stmt->command != CORM_CMD_INSERT)
		result = list_concat(result, default_scope_clauses(stmt, model));
	return result;
}

static int
count_dots(const char *path)
{
	int			n = 0;

	for (const char *p = path; *p; p++)
		n += *p == '.';
	return n;
}

static CormStmt *
resolve_stmt(List *clauses, Oid default_model, CormStmt *parent, CormStmt *beside, bool restoring)
{
	CormStmt   *stmt = palloc0(sizeof(CormStmt));
	List	   *outer_guards = corm_guards_begin(clauses);
	CormTree   *source = NULL;
	List	   *preloads = NIL;
	ListCell   *lc;

	check_stack_depth();
	stmt->command = CORM_CMD_SELECT;
	stmt->parent = parent;
	stmt->beside = beside;
	stmt->restoring = restoring;

	/* WITH queries first: a source may be one of them; then the source */
	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause->tag == CORM_N_WITH)
			place_clause(stmt, clause, &preloads);
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
	clauses = expand_scopes(stmt, clauses);

	foreach(lc, clauses)
	{
		CormTree   *clause = lfirst(lc);

		if (clause != source && clause->tag != CORM_N_WITH)
			place_clause(stmt, clause, &preloads);
	}
	if (stmt->command == CORM_CMD_RAW)
	{
		if (stmt->ctes)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.with() cannot be combined with a raw query"),
					 errhint("Write WITH in the raw SQL.")));
		return stmt;
	}

	/* all ranges are known now: bind the names */
	for (int i = 0; i < list_length(stmt->joins); i++)
	{
		CormJoin   *join = list_nth(stmt->joins, i);
		int			njoins = list_length(stmt->joins);

		if (join->condition == NULL)
			continue;
		corm_resolve_expr(stmt, join->condition, CORM_PLACE_INPUT);
		/* what a path in the condition joins must come before it */
		for (int added = njoins; added < list_length(stmt->joins); added++)
		{
			CormJoin   *path = list_nth(stmt->joins, added);

			stmt->joins = list_delete_nth_cell(stmt->joins, added);
			stmt->joins = list_insert_nth(stmt->joins, i++, path);
		}
	}
	corm_resolve_list(stmt, stmt->select, CORM_PLACE_INPUT);
	corm_resolve_list(stmt, stmt->distinct_on, CORM_PLACE_OUTPUT);
	corm_resolve_list(stmt, stmt->where, CORM_PLACE_INPUT);
	corm_resolve_list(stmt, stmt->group_by, CORM_PLACE_OUTPUT);
	corm_resolve_list(stmt, stmt->having, CORM_PLACE_OUTPUT);
	corm_resolve_list(stmt, stmt->order_by, CORM_PLACE_ORDER);
	corm_resolve_list(stmt, stmt->returning, CORM_PLACE_INPUT);
	resolve_assignments(stmt, stmt->sets);
	resolve_assignments(stmt, stmt->update_sets);
	if (stmt->conflict_where)
		corm_resolve_expr(stmt, stmt->conflict_where, CORM_PLACE_INPUT);
	if (stmt->limit)
		corm_resolve_expr(stmt, stmt->limit, CORM_PLACE_INPUT);
	if (stmt->offset)
		corm_resolve_expr(stmt, stmt->offset, CORM_PLACE_INPUT);

	check_conflict(stmt);
	if (stmt->command == CORM_CMD_UPDATE && stmt->sets == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("update of model \"%s\" sets nothing", stmt->source->model->name),
				 errhint("Add corm.set().")));
	if (stmt->command == CORM_CMD_UPDATE || stmt->command == CORM_CMD_DELETE)
		check_has_where(stmt);
	corm_apply_roles(stmt);

	/* shorter paths first, so that a step of a longer one has its own clauses */
	for (int depth = 0; preloads; depth++)
	{
		foreach(lc, preloads)
		{
			CormTree   *clause = lfirst(lc);

			if (count_dots(clause->args[0].str) != depth)
				continue;
			corm_add_preload(stmt, clause->args[0].str, clause->args[1].list);
			preloads = foreach_delete_current(preloads, lc);
		}
	}
	if (stmt->cursor)
		corm_apply_cursor(stmt);
	corm_guard_write(stmt);
	corm_guards_end(outer_guards);
	return stmt;
}

/*
 * corm_resolve_stmt makes a statement of clauses; parent is the query around
 * it, whose rows it may refer to, or NULL.
 */
CormStmt *
corm_resolve_stmt(List *clauses, Oid default_model, CormStmt *parent)
{
	return resolve_stmt(clauses, default_model, parent, NULL, false);
}

/*
 * corm_resolve_part makes a statement that stands in FROM of another one, or
 * in a set operation with it.
 */
CormStmt *
corm_resolve_part(List *clauses, CormStmt *stmt)
{
	return resolve_stmt(clauses, InvalidOid, stmt->parent, stmt, false);
}

static CormStmt *
resolve_whole(List *clauses, Oid default_model, bool restoring)
{
	CormStmt   *stmt = NULL;

	PG_TRY();
	{
		stmt = resolve_stmt(clauses, default_model, NULL, NULL, restoring);
		stmt->guarded = corm_guards_tables();
	}
	PG_FINALLY();
	{
		corm_guards_reset();
	}
	PG_END_TRY();
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
	return resolve_whole(clauses, default_model, false);
}

/*
 * corm_resolve_restore makes the update that undoes the soft delete of a
 * query's rows.
 */
CormStmt *
corm_resolve_restore(List *clauses, Oid default_model)
{
	CormStmt   *stmt = resolve_whole(lappend(clauses, corm_make_tree(CORM_N_ONLY_DELETED)),
									 default_model, true);

	corm_make_restore(stmt);
	return stmt;
}
