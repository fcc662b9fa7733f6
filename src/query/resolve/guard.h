/*-------------------------------------------------------------------------
 *
 * guard.h
 *		Conditions on every row of a model that a query touches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_GUARD_H
#define CORM_RESOLVE_GUARD_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern List *corm_guards_begin(List *clauses);
extern void corm_guards_end(List *outer);
extern void corm_guards_reset(void);
extern List *corm_guards_tables(void);
extern void corm_guard_range(CormStmt *stmt, CormRange *range);
extern void corm_guard_write(CormStmt *stmt);
extern List *corm_guard_fixed(CormStmt *stmt);

/* guard_names.c */
extern void corm_guard_check_names(CormRange *range, List *conditions);

#endif							/* CORM_RESOLVE_GUARD_H */
