/*-------------------------------------------------------------------------
 *
 * same.h
 *		Expressions that a query repeats.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_SAME_H
#define CORM_RESOLVE_SAME_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_unify_expressions(CormStmt *stmt);
extern bool corm_is_among(List *items, CormTree *expr);
extern int	corm_find_selected(CormStmt *stmt, const CormTree *expr);

#endif							/* CORM_RESOLVE_SAME_H */
