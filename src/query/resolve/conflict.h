/*-------------------------------------------------------------------------
 *
 * conflict.h
 *		The key of an upsert.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_CONFLICT_H
#define CORM_RESOLVE_CONFLICT_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern char *corm_conflict_expr(CormModel *model, const char *given);
extern void corm_conflict_index(CormStmt *stmt);
extern char *corm_conflict_hint(CormModel *model);

#endif							/* CORM_RESOLVE_CONFLICT_H */
