/*-------------------------------------------------------------------------
 *
 * filter_check.h
 *		Filters from outside against their models.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_FILTER_CHECK_H
#define CORM_RESOLVE_FILTER_CHECK_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_check_filterable(CormTree *tree);
extern void corm_check_filter(CormTree *tree);
extern void corm_check_filter_order(CormTree *tree);
extern bool corm_has_groups(CormStmt *stmt);
extern void corm_check_filter_grouping(CormStmt *stmt);
extern void corm_check_filter_preload(CormStmt *stmt, CormRelation *relation);
extern List *corm_filter_select(List *items);
extern void corm_check_filter_name(CormRange *range, CormTree *tree, const char *name);

#endif							/* CORM_RESOLVE_FILTER_CHECK_H */
