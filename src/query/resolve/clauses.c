/*-------------------------------------------------------------------------
 *
 * clauses.c
 *		From the clauses of a query to a CormStmt.
 *
 * Each clause fills in its part of a CormStmt, if the statement's command
 * allows it.  Names are bound later, once all clauses are in place
 * (resolve.c).  The exception is fields that a write names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "catalog/pg_type.h"
#include "query/resolve/conflict.h"
#include "query/resolve/joins.h"
#include "query/resolve/names.h"
#include "query/resolve/premises.h"
#include "query/resolve/resolve.h"
#include "query/value/filter.h"
#include "query/value/node.h"
#include "query/value/raw.h"
#include "query/value/tree.h"

/*
 * corm_misplaced_clause raises 42601 for a clause; why follows its name.
 */
void
corm_misplaced_clause(CormTree *clause, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("corm.%s() %s", clause->desc->func, why)));
}

/*
 * corm_resolve_source sets a statement's command and source from the source
 * clause.  If source is NULL, the statement reads default_model; raises 42601
 * if that is InvalidOid.
 */
void
corm_resolve_source(CormStmt *stmt, CormTree *source, Oid default_model)
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

/*
 * Adds the range and condition of a join clause.  Raises 42601 for an insert,
 * and for a write unless the join is inner or cross.
 */
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
			if (stmt->command == CORM_CMD_INSERT)
				corm_misplaced_clause(clause, "has no meaning in an insert");
			if (stmt->command != CORM_CMD_SELECT && clause->tag != CORM_N_JOIN)
				corm_misplaced_clause(clause, "is not possible in a write, only inner and cross joins are");
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
		corm_misplaced_clause(clause, "has no meaning in an insert");
	if (stmt->command != CORM_CMD_SELECT &&
		join->tag != CORM_N_JOIN_MODEL && join->tag != CORM_N_CROSS_JOIN)
		corm_misplaced_clause(clause, "is not possible in a write, only inner and cross joins are");
	stmt->joins = lappend(stmt->joins, join);
}

/*
 * Sets how a read locks its rows, from the mode of for_update() or
 * for_share().  Raises OR006 for an unknown mode.  "no key" is for internal
 * use.
 */
static void
set_lock(CormStmt *stmt, CormTree *clause)
{
	const char *mode = clause->args[0].str ? clause->args[0].str : "";

	stmt->lock = clause->tag;
	if (mode[0] == '\0')
		stmt->lock_wait = "";
	else if (strcmp(mode, "no key") == 0 && clause->tag == CORM_N_FOR_UPDATE)
	{
		stmt->lock_no_key = true;
		stmt->lock_wait = "";
	}
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
 * Returns a field that a write names.  Generated and read-only fields are
 * rejected.
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

/*
 * Adds the assignments of set() to a list of CormAssignment.  If a field is
 * set twice, the last value wins.
 */
static void
add_assignment(CormStmt *stmt, CormTree *clause, List **sets)
{
	CormAssignment *set = palloc(sizeof(CormAssignment));
	ListCell   *lc;

	set->field = writable_field(stmt, clause->args[0].str);
	set->value = clause->args[1].node;
	foreach(lc, *sets)
	{
		/* the last one wins, as in an object literal */
		if (((CormAssignment *) lfirst(lc))->field == set->field)
		{
			lfirst(lc) = set;
			return;
		}
	}
	*sets = lappend(*sets, set);
}

/*
 * Returns one element of an upsert's conflict target: a field, or an
 * expression of a unique index.
 */
static void
add_conflict_key(CormStmt *stmt, const char *name)
{
	CormModel  *model = stmt->source->model;
	CormField  *field = corm_model_find_field(model, name);
	char	   *sql = field ? NULL : corm_conflict_expr(model, name);

	if (sql)
		stmt->conflict_exprs = lappend(stmt->conflict_exprs, sql);
	else
		stmt->conflict_fields = lappend(stmt->conflict_fields, corm_model_field(model, name));
}

/*
 * Is a select list, an order or a preload that of a filter from outside?
 */
static bool
is_of_filter(CormTree *clause)
{
	CormTree   *item;

	if (clause->tag == CORM_N_FILTER_PRELOAD)
		return true;
	if ((clause->tag != CORM_N_SELECT && clause->tag != CORM_N_ORDER_BY) || clause->args[0].list == NIL)
		return false;
	item = linitial(clause->args[0].list);
	if (item->tag == CORM_N_ASC || item->tag == CORM_N_DESC)
		item = item->args[0].node;
	return item->tag == CORM_N_FILTER_COLUMN || item->tag == CORM_N_FILTER_OWN;
}

/*
 * Raises an error if the command does not use the clause: 42601, or OR020 if a
 * client has written it.  Ignoring it silently would hide a mistake.
 */
static void
check_clause_fits(CormStmt *stmt, CormTree *clause)
{
	CormNodeTag tag = clause->tag;

	/* a guard of what raw SQL reads is an error later: see guard.c */
	if (tag == CORM_N_GUARD || tag == CORM_N_GUARD_CHECK)
		return;
	if (stmt->command == CORM_CMD_RAW)
		corm_misplaced_clause(clause, "cannot be combined with a raw query");
	if (stmt->command == CORM_CMD_SELECT)
	{
		if (stmt->restoring && (tag == CORM_N_ALL_ROWS || tag == CORM_N_MAX_ROWS))
			return;
		if (corm_tree_is(clause, CORM_IS_WRITE | CORM_IS_INSERT))
			corm_misplaced_clause(clause, "has no meaning in a query that reads");
		return;
	}
	if (tag == CORM_N_FILTER_PAGE)
		corm_bad_filter(psprintf("\"%s\" does not apply to a write.", (char *) linitial(clause->args[0].list)));
	/* the rows that a write returns may bring their relations along */
	if (is_of_filter(clause))
		corm_bad_filter(psprintf("\"%s\" does not apply to a write.",
								 tag == CORM_N_FILTER_PRELOAD ? "preload" : clause->desc->func));
	if (corm_tree_is(clause, CORM_IS_READ) && tag != CORM_N_PRELOAD)
		corm_misplaced_clause(clause, "has no meaning in a write");
	if (corm_tree_is(clause, CORM_IS_INSERT) && stmt->command != CORM_CMD_INSERT)
		corm_misplaced_clause(clause, "has a meaning in an insert only");
	if (tag == CORM_N_SET && stmt->command == CORM_CMD_DELETE)
		corm_misplaced_clause(clause, "has no meaning in a delete");
	if (stmt->command == CORM_CMD_INSERT &&
		(tag == CORM_N_WHERE || tag == CORM_N_ALL_ROWS))
	{
		if (tag == CORM_N_WHERE && stmt->conflict_action == CORM_CONFLICT_UPDATE)
			return;				/* ON CONFLICT DO UPDATE ... WHERE */
		corm_misplaced_clause(clause, "has no meaning in an insert");
	}
}

/* Adds the query that with() names. */
static CormCte *
add_cte(CormStmt *stmt, CormTree *clause)
{
	CormCte    *cte = palloc0(sizeof(CormCte));

	cte->name = clause->args[0].str;
	corm_check_name(cte->name);
	cte->query = corm_resolve_stmt(clause->args[1].list, InvalidOid, stmt);
	stmt->ctes = lappend(stmt->ctes, cte);
	return cte;
}

/*
 * Raises 42712 if a query around has a WITH query of a name that is to be
 * recursive: what means that one would mean this one in SQL.
 */
static void
check_recursive_name(CormStmt *stmt, const char *name)
{
	for (CormStmt *level = corm_enclosing_stmt(stmt); level; level = corm_enclosing_stmt(level))
	{
		ListCell   *lc;

		foreach(lc, level->ctes)
		{
			if (strcmp(((CormCte *) lfirst(lc))->name, name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_ALIAS),
						 errmsg("a query around has a query \"%s\", too", name),
						 errhint("Give that of corm.with_recursive() another name.")));
		}
	}
}

/* Raises 42601 unless a part of with_recursive() is a query that reads. */
static void
check_recursive_part(CormStmt *part)
{
	if (part->command != CORM_CMD_SELECT && part->command != CORM_CMD_RAW)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.with_recursive() takes queries that read")));
}

/*
 * Adds the query that with_recursive() names.  The step can refer to it, with the
 * columns of the base.
 */
static void
add_recursive_cte(CormStmt *stmt, CormTree *clause)
{
	CormTree   *all = clause->args[3].node;
	CormCte    *cte = add_cte(stmt, clause);

	check_recursive_name(stmt, cte->name);
	check_recursive_part(cte->query);
	if (all->tag != CORM_N_VALUE || all->typid != BOOLOID)
		corm_misplaced_clause(clause, "takes true or false as its last argument");
	cte->all = corm_premise(CORM_PREMISE_TRUE, all, NULL);
	cte->step = corm_resolve_stmt(clause->args[2].list, InvalidOid, stmt);
	check_recursive_part(cte->step);
}

/*
 * Returns the names that two fences have in common; "*" stands for all.
 */
static List *
both_fences(List *a, List *b)
{
	List	   *result = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	if (a != NIL && strcmp(linitial(a), "*") == 0)
		return b;
	if (b != NIL && strcmp(linitial(b), "*") == 0)
		return a;
	foreach(lc, a)
	{
		foreach(lc2, b)
		{
			if (strcmp(lfirst(lc), lfirst(lc2)) == 0)
			{
				result = lappend(result, lfirst(lc));
				break;
			}
		}
	}
	return result;
}

/*
 * corm_place_clause puts any other clause in its place in the statement.
 * Preloads, which are resolved last, go to a list.
 */
void
corm_place_clause(CormStmt *stmt, CormTree *clause, List **preloads)
{
	CormSetOp  *setop;
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
		case CORM_N_FILTER_LIMIT:
			stmt->default_limit = clause->args[0].node;
			break;
		case CORM_N_FILTER_FIELDS:
			stmt->fenced_fields = stmt->fenced ? both_fences(stmt->fenced_fields, clause->args[0].list) : clause->args[0].list;
			stmt->fenced = true;
			break;
		case CORM_N_OFFSET:
			stmt->offset = clause->args[0].node;
			break;
		case CORM_N_FOR_UPDATE:
		case CORM_N_FOR_SHARE:
			set_lock(stmt, clause);
			break;
		case CORM_N_WITH:
			add_cte(stmt, clause);
			break;
		case CORM_N_WITH_RECURSIVE:
			add_recursive_cte(stmt, clause);
			break;
		case CORM_N_PRELOAD_TREE:
			stmt->preload_trees = lappend(stmt->preload_trees, clause);
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
				corm_misplaced_clause(clause, "was given twice");
			stmt->rows = clause->args[0].node;
			break;
		case CORM_N_NULLS_GIVEN:
			stmt->nulls_given = true;
			break;
		case CORM_N_ON_CONFLICT:
			foreach(lc, clause->args[0].list)
			{
				add_conflict_key(stmt, lfirst(lc));
			}
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
			{
				stmt->update_fields = lappend(stmt->update_fields, writable_field(stmt, lfirst(lc)));
			}
			break;
		case CORM_N_AFTER:
		case CORM_N_BEFORE:
			if (stmt->cursor)
				corm_misplaced_clause(clause, "is one cursor too many");
			stmt->cursor = clause;
			stmt->reversed = clause->tag == CORM_N_BEFORE;
			break;
		case CORM_N_CACHED:
			if (stmt->parent || stmt->beside)
				corm_misplaced_clause(clause, "belongs to the whole query, not to a part of it");
			if (clause->args[0].node->tag != CORM_N_VALUE)
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.cached() takes an interval that is not null"),
						 errhint("Give how old a result may be, or fresh => true for one of the tables as they are.")));
			stmt->cached = clause->args[0].node;
			stmt->fresh = false;
			break;
		case CORM_N_CACHED_FRESH:
			if (stmt->parent || stmt->beside)
				corm_misplaced_clause(clause, "belongs to the whole query, not to a part of it");
			stmt->cached = clause->args[0].node->tag == CORM_N_VALUE ? clause->args[0].node : NULL;
			stmt->fresh = true;
			break;
		case CORM_N_PRELOAD:
		case CORM_N_FILTER_PRELOAD:
			*preloads = lappend(*preloads, clause);
			break;
		case CORM_N_DO_SELECT:
			stmt->conflict_action = CORM_CONFLICT_SELECT;
			break;
		case CORM_N_WITH_TOTAL:
			if (stmt->parent || stmt->beside || stmt->alias_owner)
				corm_misplaced_clause(clause, "belongs to the whole query, not to a part of it");
			stmt->with_total = true;
			break;
		case CORM_N_PARTITION_BY:
		case CORM_N_FRAME:
			corm_misplaced_clause(clause, "belongs in corm.over()");
		case CORM_N_GUARD:
		case CORM_N_GUARD_CHECK:
		case CORM_N_SCOPE:
		case CORM_N_UNSCOPED:
		case CORM_N_ONLY_DELETED:
		case CORM_N_NO_DEFAULT_SCOPES:
			break;				/* done before the others */
		case CORM_N_FILTER_PAGE:
			break;				/* has been checked */
		case CORM_N_RETURNING:
			stmt->returns = true;
			stmt->returning = list_concat(stmt->returning, clause->args[0].list);
			break;
		case CORM_N_ALL_ROWS:
			stmt->all_rows = true;
			break;
		case CORM_N_MAX_ROWS:
			stmt->max_rows = clause->args[0].node;
			/* never ignore a guard that we cannot read */
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
