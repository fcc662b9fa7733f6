/*-------------------------------------------------------------------------
 *
 * raw_columns.c
 *		What columns a raw statement has, so that a query can be built on it.
 *
 * Only PostgreSQL's parser can tell.  It is asked once, while the query around is
 * resolved: its plan names the columns, and depends on the search_path, as all
 * raw SQL does, and on the tables that the statement names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "base/compat.h"
#include "base/sql_text.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "query/query.h"
#include "query/resolve/operators.h"
#include "query/resolve/raw_columns.h"

/* Adds the tables that a parsed statement names to the list in context. */
static bool
tables_walker(Node *node, void *context)
{
	List	  **tables = context;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (rte->rtekind == RTE_RELATION && rte->relid >= FirstNormalObjectId)
			*tables = list_append_unique_oid(*tables, rte->relid);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, tables_walker, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, tables_walker, context);
}

/*
 * corm_raw_describe finds out the columns of a raw statement, if they are not
 * known yet.  Errors are those of the parser; 42601 for a write that returns
 * nothing.
 */
void
corm_raw_describe(CormStmt *stmt)
{
	ErrorContextCallback callback;
	int			nargs = list_length(stmt->raw_args);
	Oid		   *types = palloc(sizeof(Oid) * Max(nargs, 1));
	Query	   *query;
	List	   *columns;
	ListCell   *lc;

	if (stmt->raw_columns)
		return;
	foreach(lc, stmt->raw_args)
	{
		Oid			typid = corm_expr_type(lfirst(lc));

		types[foreach_current_index(lc)] = OidIsValid(typid) ? typid : UNKNOWNOID;
	}
	corm_push_sql_errors(&callback, stmt->raw_sql);
	query = parse_analyze_varparams(linitial_node(RawStmt, raw_parser(stmt->raw_sql, RAW_PARSE_DEFAULT)),
									stmt->raw_sql, &types, &nargs, NULL);
	error_context_stack = callback.previous;

	columns = query->commandType == CMD_SELECT ? query->targetList : query->returningList;
	foreach(lc, columns)
	{
		TargetEntry *column = lfirst_node(TargetEntry, lc);

		if (column->resjunk)
			continue;
		stmt->raw_columns = lappend(stmt->raw_columns, pstrdup(column->resname));
		stmt->raw_types = lappend_oid(stmt->raw_types, exprType((Node *) column->expr));
	}
	if (stmt->raw_columns == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a raw query without columns cannot be part of another query"),
				 errhint("A write needs RETURNING.")));
	stmt->raw_reads = query->commandType == CMD_SELECT;
	(void) tables_walker((Node *) query, &stmt->raw_tables);
}

/* corm_raw_reads returns whether a raw statement is a SELECT or VALUES. */
bool
corm_raw_reads(CormStmt *stmt)
{
	corm_raw_describe(stmt);
	return stmt->raw_reads;
}

/*
 * corm_raw_column_type returns the type of a raw statement's column; InvalidOid
 * if it has none of that name.
 */
Oid
corm_raw_column_type(CormStmt *stmt, const char *name)
{
	ListCell   *column;
	ListCell   *type;

	corm_raw_describe(stmt);
	forboth(column, stmt->raw_columns, type, stmt->raw_types)
	{
		if (strcmp(lfirst(column), name) == 0)
			return lfirst_oid(type);
	}
	return InvalidOid;
}
