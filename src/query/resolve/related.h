/*-------------------------------------------------------------------------
 *
 * related.h
 *		Values computed from related rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_RELATED_H
#define CORM_RESOLVE_RELATED_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_resolve_related_value(CormStmt *stmt, CormTree *tree);
extern CormTree *corm_related_argument(CormTree *tree);

#endif							/* CORM_RESOLVE_RELATED_H */
