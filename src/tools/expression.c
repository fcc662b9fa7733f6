/*-------------------------------------------------------------------------
 *
 * expression.c
 *		SQL in tags: expressions and references.
 *
 * A tag's text goes into statements as it is, in parentheses, once PostgreSQL's
 * grammar has taken it for one expression.  To see whether a table already has
 * it, it is analyzed as PostgreSQL would, and compared as a tree: how it is
 * written does not count.  Nothing is evaluated here, since the tag may be
 * another role's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "base/compat.h"
#include "base/errors.h"
#include "catalog/heap.h"
#include "catalog/pg_attribute.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "tools/expression.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* What an error in a tag's SQL is about. */
typedef struct TagContext
{
	const char *object;
	const char *key;
} TagContext;

/*
 * tag_context adds the tag to an error that its SQL has raised.  The position
 * in a text that the user has not sent is taken back.
 */
static void
tag_context(void *arg)
{
	TagContext *context = arg;

	errposition(0);
	errcontext("tag \"%s\" on %s", context->key, context->object);
}

/*
 * parse_single returns the expression that a text is, as PostgreSQL's grammar
 * reads it, or NULL if it is more than that.  Raises 42601 if it is less.
 */
static Node *
parse_single(const char *text, RawParseMode mode)
{
	List	   *list = raw_parser(text, mode);
	SelectStmt *select;
	ResTarget  *target;

	if (list_length(list) != 1 || !IsA(linitial_node(RawStmt, list)->stmt, SelectStmt))
		return NULL;
	select = (SelectStmt *) linitial_node(RawStmt, list)->stmt;
	if (select->op != SETOP_NONE || select->distinctClause || select->intoClause || select->fromClause ||
		select->whereClause || select->groupClause || select->havingClause || select->windowClause ||
		select->valuesLists || select->sortClause || select->limitOffset || select->limitCount ||
		select->lockingClause || select->withClause || list_length(select->targetList) != 1)
		return NULL;
	target = linitial_node(ResTarget, select->targetList);
	return target->name == NULL && target->indirection == NIL ? target->val : NULL;
}

/*
 * parse_expression returns the expression that a text is.  It must be one
 * by itself and in parentheses, so that it neither closes what it does not
 * open nor comments out what follows it.
 */
static Node *
parse_expression(const char *text)
{
	if (parse_single(text, RAW_PARSE_PLPGSQL_EXPR) == NULL)
		return NULL;
	return parse_single(psprintf("SELECT (%s)", text), RAW_PARSE_DEFAULT);
}

/*
 * corm_expression_check raises 42601 or OR005 unless the value of a tag is an
 * expression.
 */
void
corm_expression_check(const char *object, CormTag *tag)
{
	TagContext	context = {object, tag->key};
	ErrorContextCallback callback = {error_context_stack, tag_context, &context};

	error_context_stack = &callback;
	if (parse_expression(tag->value) == NULL)
		corm_tags_error(object, tag, "The value must be one expression.");
	error_context_stack = callback.previous;
}

/*
 * corm_expression_reference returns the foreign key that the value of a tag is:
 * what may follow REFERENCES in SQL.  Raises 42601 or OR005.
 */
Constraint *
corm_expression_reference(const char *object, CormTag *tag)
{
	TagContext	context = {object, tag->key};
	ErrorContextCallback callback = {error_context_stack, tag_context, &context};
	List	   *list;
	Constraint *reference = NULL;

	error_context_stack = &callback;
	list = raw_parser(psprintf("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES %s", tag->value), RAW_PARSE_DEFAULT);
	if (list_length(list) == 1 && IsA(linitial_node(RawStmt, list)->stmt, AlterTableStmt))
	{
		AlterTableStmt *alter = (AlterTableStmt *) linitial_node(RawStmt, list)->stmt;

		if (list_length(alter->cmds) == 1)
			reference = castNode(Constraint, linitial_node(AlterTableCmd, alter->cmds)->def);
	}
	if (reference == NULL || reference->contype != CONSTR_FOREIGN || list_length(reference->pk_attrs) > 1 ||
		reference->pktable->catalogname != NULL || reference->skip_validation)
		corm_tags_error(object, tag, "The value must be a table, perhaps with a column and actions: table(column) ON DELETE CASCADE.");
	error_context_stack = callback.previous;
	return reference;
}

/*
 * action_sql returns the action of a foreign key in SQL, or NULL for the one
 * that need not be named.
 */
static const char *
action_sql(char action)
{
	switch (action)
	{
		case FKCONSTR_ACTION_RESTRICT:
			return "RESTRICT";
		case FKCONSTR_ACTION_CASCADE:
			return "CASCADE";
		case FKCONSTR_ACTION_SETNULL:
			return "SET NULL";
		case FKCONSTR_ACTION_SETDEFAULT:
			return "SET DEFAULT";
	}
	return NULL;
}

/*
 * corm_expression_reference_sql returns a reference as SQL, with the name of
 * its table as target, quoted and qualified.
 */
char *
corm_expression_reference_sql(Constraint *reference, const char *target)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "REFERENCES %s", target);
	if (reference->pk_attrs != NIL)
		appendStringInfo(&sql, " (%s)", quote_identifier(strVal(linitial(reference->pk_attrs))));
	if (reference->fk_matchtype == FKCONSTR_MATCH_FULL)
		appendStringInfoString(&sql, " MATCH FULL");
	if (action_sql(reference->fk_upd_action))
		appendStringInfo(&sql, " ON UPDATE %s", action_sql(reference->fk_upd_action));
	if (action_sql(reference->fk_del_action))
		appendStringInfo(&sql, " ON DELETE %s", action_sql(reference->fk_del_action));
	if (reference->deferrable)
		appendStringInfoString(&sql, reference->initdeferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE");
	return sql.data;
}

/*
 * corm_expression_cook returns the analyzed form of an expression of a tag, as
 * PostgreSQL stores it.  rel is the table, whose columns a check and a generated
 * column can name; it may be NULL for a default.  typid, typmod and column are
 * those of the column that gets a value.  Raises what analyzing raises.
 */
Node *
corm_expression_cook(const char *text, CormExpressionUse use, Relation rel, Oid typid, int32 typmod,
					 const char *column)
{
	static const char *const keys[] = {"default", "generated", "check"};
	TagContext	context = {psprintf("column \"%s\"", column), keys[use]};
	ErrorContextCallback callback = {error_context_stack, tag_context, &context};
	ParseState *pstate = make_parsestate(NULL);
	Node	   *raw = parse_expression(text);
	Node	   *cooked;

	error_context_stack = &callback;
	if (rel != NULL && use != CORM_EXPRESSION_DEFAULT)
		addNSItemToQuery(pstate, addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL, false, true),
						 true, true, true);
	if (use == CORM_EXPRESSION_CHECK)
	{
		cooked = transformExpr(pstate, raw, EXPR_KIND_CHECK_CONSTRAINT);
		cooked = coerce_to_boolean(pstate, cooked, "CHECK");
		assign_expr_collations(pstate, cooked);
	}
	else
		cooked = cookDefault(pstate, raw, typid, typmod, column,
							 use == CORM_EXPRESSION_GENERATED ? ATTRIBUTE_GENERATED_STORED : '\0');
	error_context_stack = callback.previous;
	return cooked;
}

/*
 * names_walker returns whether an unanalyzed expression names one of a list of
 * columns.
 */
static bool
names_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		ListCell   *lc;

		foreach(lc, ((ColumnRef *) node)->fields)
		{
			if (IsA(lfirst(lc), String) && list_member((List *) context, lfirst(lc)))
				return true;
		}
		return false;
	}
	return raw_expression_tree_walker(node, names_walker, context);
}

/*
 * corm_expression_names returns whether an expression of a tag names one of a
 * list of columns, String nodes.
 */
bool
corm_expression_names(const char *text, List *columns)
{
	return names_walker(parse_expression(text), columns);
}

/*
 * corm_expression_enter makes names in tags be looked up in a schema, that of
 * their type, after pg_catalog.  corm_expression_leave or the end of the
 * (sub)transaction undoes it.
 */
int
corm_expression_enter(Oid nsp)
{
	int			level = NewGUCNestLevel();
	char	   *schema = get_namespace_name(nsp);

	(void) set_config_option("search_path",
							 schema ? psprintf("%s, pg_temp", quote_identifier(schema)) : "pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

/*
 * corm_expression_leave undoes corm_expression_enter.
 */
void
corm_expression_leave(int level)
{
	AtEOXact_GUC(true, level);
}
