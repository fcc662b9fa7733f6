/*-------------------------------------------------------------------------
 *
 * expression.h
 *		SQL in tags: expressions and references.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOOLS_EXPRESSION_H
#define CORM_TOOLS_EXPRESSION_H

#include "model/tags.h"
#include "nodes/parsenodes.h"
#include "utils/relcache.h"

extern void corm_expression_check(const char *object, CormTag *tag);
extern Constraint *corm_expression_reference(const char *object, CormTag *tag);
extern char *corm_expression_reference_sql(Constraint *reference, const char *target);

/* What a wanted expression is to a table's own. */
typedef enum CormExpressionUse
{
	CORM_EXPRESSION_DEFAULT,
	CORM_EXPRESSION_GENERATED,
	CORM_EXPRESSION_CHECK
} CormExpressionUse;

extern Node *corm_expression_cook(const char *text, CormExpressionUse use, Relation rel, Oid typid, int32 typmod,
								  const char *column);
extern bool corm_expression_names(const char *text, List *columns);

/* The search_path for names in tags: the schema of the type, and nothing that others can write to. */
extern int	corm_expression_enter(Oid nsp);
extern void corm_expression_leave(int level);

#endif							/* CORM_TOOLS_EXPRESSION_H */
