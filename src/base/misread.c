/*-------------------------------------------------------------------------
 *
 * misread.c
 *		Statements that most likely mean something else.
 *
 * SELECT corm.count('users') is an expression, the aggregate count(users), and nothing is
 * run.  The function itself cannot know that nothing around it will use its result, so
 * we look at the analyzed statement: where that is all it does, and the name is that of a
 * table, a WARNING says what to write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/misread.h"
#include "base/schema.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Returns the text that the only output of a statement gives to a function, or NULL. */
static char *
only_argument(const Query *query, const char *function)
{
	FuncExpr   *call;
	Const	   *name;
	char	   *called;

	if (query->commandType != CMD_SELECT || query->utilityStmt || query->rtable || list_length(query->targetList) != 1)
		return NULL;
	call = (FuncExpr *) ((TargetEntry *) linitial(query->targetList))->expr;
	if (!IsA(call, FuncExpr) || list_length(call->args) != 1)
		return NULL;
	name = linitial(call->args);
	if (!IsA(name, Const) || name->consttype != TEXTOID || name->constisnull)
		return NULL;
	called = get_func_name(call->funcid);
	if (called == NULL || strcmp(called, function) != 0 || get_func_namespace(call->funcid) != corm_schema_oid())
		return NULL;
	return TextDatumGetCString(name->constvalue);
}

/* Is it the name of a table or view that can be seen? */
static bool
is_relation(const char *name)
{
	return OidIsValid(RelnameGetRelid(name));
}

/* corm_warn_of_misread looks at a statement of which nothing is known but that it is analyzed. */
void
corm_warn_of_misread(const Query *query)
{
	char	   *name = only_argument(query, "count");

	if (name && is_relation(name))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("corm.count('%s') is an expression, no count of rows", name),
				 errhint("To count the rows of the table, write corm.count(corm.selector('%s')).", name)));
}
