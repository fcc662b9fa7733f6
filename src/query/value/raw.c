/*-------------------------------------------------------------------------
 *
 * raw.c
 *		SQL text written by users: corm.raw() and corm.raw_query().
 *
 * Raw text is the only way to put SQL text into a query, and we trust its
 * author.  We still parse it, so that a syntax error in it is reported as such
 * and cannot affect the SQL around it.  Its $n are renumbered with
 * PostgreSQL's lexer, which handles strings and comments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/guc.h"
#include "base/sql_text.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/scanner.h"
#include "query/query.h"
#include "query/value/raw.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

/*
 * corm_raw_check_expr raises a syntax error unless sql is one expression.
 */
void
corm_raw_check_expr(const char *sql)
{
	List	   *parsed = corm_parse_sql(sql, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = (SelectStmt *) linitial_node(RawStmt, parsed)->stmt;

	/* the PL/pgSQL grammar also allows FROM, WHERE, ...: reject them */
	if (list_length(select->targetList) != 1 || select->fromClause || select->whereClause ||
		select->groupClause || select->havingClause || select->windowClause ||
		select->sortClause || select->limitCount || select->limitOffset ||
		select->lockingClause || select->distinctClause || select->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.raw() takes one SQL expression"),
				 errdetail("The text is \"%s\".", sql)));
}

/* The names to look for in SQL text. */
typedef struct NameSearch
{
	List	   *names;			/* of char * */
	bool		found;
} NameSearch;

/* Notes whether a name of the search is the last one of a reference. */
static bool
name_walker(Node *node, void *context)
{
	NameSearch *search = context;
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef) && IsA(llast(((ColumnRef *) node)->fields), String))
	{
		foreach(lc, search->names)
		{
			search->found |= strcmp(strVal(llast(((ColumnRef *) node)->fields)), lfirst(lc)) == 0;
		}
	}
	/* (x).field, (x).* */
	if (IsA(node, A_Indirection))
		search->found = true;
	if (IsA(node, ColumnRef) && IsA(llast(((ColumnRef *) node)->fields), A_Star))
		search->found = true;
	return raw_expression_tree_walker(node, name_walker, context);
}

/*
 * corm_raw_names returns whether the SQL of an expression has a reference that ends in one
 * of the names, or may stand for them: to all columns, or to a field of a row.
 */
bool
corm_raw_names(const char *sql, List *names)
{
	NameSearch	search = {names, false};
	RawStmt    *parsed = linitial_node(RawStmt, corm_parse_sql(sql, RAW_PARSE_PLPGSQL_EXPR));

	(void) name_walker(parsed->stmt, &search);
	return search.found;
}

/* Returns whether a SELECT has INTO.  In a union, the first SELECT has it. */
static bool
has_into(SelectStmt *select)
{
	while (select->larg)
		select = select->larg;
	return select->intoClause != NULL;
}

/*
 * corm_raw_check_statement raises a syntax error unless sql is exactly one
 * statement, and returns a copy of its text without a trailing semicolon.
 */
char *
corm_raw_check_statement(const char *sql)
{
	List	   *parsed = corm_parse_sql(sql, RAW_PARSE_DEFAULT);
	RawStmt    *stmt;

	if (list_length(parsed) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("corm.raw_query() takes one SQL statement, not %d", list_length(parsed))));
	stmt = linitial_node(RawStmt, parsed);
	switch (nodeTag(stmt->stmt))
	{
		case T_SelectStmt:
			if (has_into((SelectStmt *) stmt->stmt))
				ereport(ERROR,
						(errcode(ERRCODE_SYNTAX_ERROR),
						 errmsg("corm.raw_query() does not take SELECT INTO")));
			break;
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
		case T_MergeStmt:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("corm.raw_query() takes SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES")));
	}
	if (stmt->stmt_len > 0)
		return pnstrdup(sql + stmt->stmt_location, stmt->stmt_len);
	return pstrdup(sql + stmt->stmt_location);
}

/*
 * corm_raw_append copies sql to buf.  It calls param for each $n, which
 * appends the replacement.  If the text may end in a comment, a newline
 * terminates it.
 */
void
corm_raw_append(StringInfo buf, const char *sql, CormRawParam param, void *arg)
{
	core_yyscan_t scanner;
	core_yy_extra_type extra;
	core_YYSTYPE value;
	YYLTYPE		location;
	int			copied = 0;
	bool		has_comment = strstr(sql, "--") != NULL;

	scanner = scanner_init(sql, &extra, &ScanKeywords, ScanKeywordTokens);
	while (core_yylex(&value, &location, scanner) != 0)
	{
		const char *token = sql + location;
		char	   *end;
		long		number;

		/* only a parameter starts like this: a dollar quote tag is no number */
		if (token[0] != '$' || !isdigit((unsigned char) token[1]))
			continue;
		errno = 0;
		number = strtol(token + 1, &end, 10);
		if (errno != 0 || number > PG_UINT16_MAX)
			number = 0;			/* refused by param */
		appendBinaryStringInfo(buf, sql + copied, location - copied);
		param(arg, (int) number);
		copied = end - sql;
	}
	scanner_finish(scanner);
	appendStringInfoString(buf, sql + copied);
	if (has_comment)
		appendStringInfoChar(buf, '\n');
}

/*
 * Raw SQL in the text form of a query
 *
 * A text form may come from an untrusted source by mistake: a parameter that
 * was meant as a value, or a column that clients write.  Without SQL, it can
 * do only what the session may do anyway; with SQL it could call any function.
 */

static bool
is_trusted(Oid roleid)
{
	return superuser_arg(roleid) || corm_owns_database(MyDatabaseId, roleid);
}

/*
 * Returns whether raw SQL is allowed in a text form.  Both the current user
 * and the outer user must be trusted: any role can pass the text to a SECURITY
 * DEFINER function of the database owner.
 */
static bool
raw_text_is_allowed(void)
{
	return corm_raw_text || (is_trusted(GetUserId()) && is_trusted(GetOuterUserId()));
}

static void
refuse_raw_text(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for %s in the text form of a query", what),
			 errdetail("Only superusers and the owner of the database may give it as text."),
			 errhint("Build it by corm.raw(), corm.raw_query() or corm.fn(); or have a superuser set corm.raw_text for the role, or for a function that reads such text.")));
}

/*
 * corm_check_raw_text raises 42501 unless raw SQL is allowed in a text form.
 */
void
corm_check_raw_text(void)
{
	if (!raw_text_is_allowed())
		refuse_raw_text("raw SQL");
}

/*
 * corm_check_function_text does the same for a function that may have side
 * effects: a volatile one, such as one that executes SQL.  We do not know yet
 * which overload will be called, so any volatile candidate counts.
 */
void
corm_check_function_text(const char *name)
{
	FuncCandidateList candidates = FuncnameGetCandidates(corm_qualified_name_list(name), -1, NIL,
														 false, false, false, true);

	for (; candidates; candidates = candidates->next)
		if (func_volatile(candidates->oid) == PROVOLATILE_VOLATILE && !raw_text_is_allowed())
			refuse_raw_text("a volatile function");
}
