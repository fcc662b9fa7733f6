/*-------------------------------------------------------------------------
 *
 * keyset.h
 *		Orders of pages, and the conditions of cursors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_KEYSET_H
#define CORM_RESOLVE_KEYSET_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_apply_cursor(CormStmt *stmt);
extern void corm_complete_order(CormStmt *stmt);
extern CormTree *corm_order_item(CormTree *item, bool *desc, bool *nulls_first);
extern List *corm_order_constants(CormStmt *stmt);

#endif							/* CORM_RESOLVE_KEYSET_H */
