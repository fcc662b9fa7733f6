/*-------------------------------------------------------------------------
 *
 * carry.h
 *		Values of partition keys, carried to related rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_CARRY_H
#define CORM_RESOLVE_CARRY_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_carry_keys(CormStmt *stmt);
extern bool corm_locates_rows(CormModel *model, CormField *field);

#endif							/* CORM_RESOLVE_CARRY_H */
