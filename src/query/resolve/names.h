/*-------------------------------------------------------------------------
 *
 * names.h
 *		What names mean: in expressions (names.c) and of ranges (ranges.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_NAMES_H
#define CORM_RESOLVE_NAMES_H

#include "postgres.h"

#include "base/compat.h"
#include "query/resolve/stmt.h"

/* Where in a statement an expression stands: decides what a name may mean. */
typedef enum CormPlace
{
	CORM_PLACE_INPUT,			/* fields only */
	CORM_PLACE_OUTPUT,			/* fields, then select items */
	CORM_PLACE_ORDER			/* select items, then fields; in an expression
								 * as OUTPUT */
} CormPlace;

extern CormTree *corm_make_column(CormRange *range, const char *column);
extern CormTree *corm_make_output(CormStmt *stmt, int number);
extern void corm_resolve_expr(CormStmt *stmt, CormTree *tree, CormPlace place);
extern List *corm_expand_stars(CormStmt *stmt, List *items);
extern void corm_resolve_list(CormStmt *stmt, List *list, CormPlace place);
extern List *corm_stmt_output_names(CormStmt *stmt);
extern char *corm_item_name(CormTree *item);
extern bool corm_tree_is_hidden(CormTree *tree);
extern CormField *corm_column_field(CormTree *tree);

/* ranges.c: what rows come from */
extern CormRange *corm_find_range(CormStmt *stmt, const char *name, int len);
extern void corm_check_name(const char *name);
extern char *corm_unique_alias(CormStmt *stmt, const char *alias);
extern CormRange *corm_add_range(CormStmt *stmt, const char *name, const char *alias);
extern CormRange *corm_add_model_range(CormStmt *stmt, CormTree *clause, Oid relid, const char *alias);
extern CormRange *corm_add_query_range(CormStmt *stmt, CormTree *clause, List *clauses, const char *alias);
extern CormRange *corm_add_cte_range(CormStmt *stmt, CormTree *clause, const char *name, const char *alias);
extern bool corm_range_column(CormRange *range, CormTree *tree, const char *name);
extern void corm_unknown_column(CormRange *range, CormTree *tree, const char *name) pg_attribute_noreturn();

#endif							/* CORM_RESOLVE_NAMES_H */
