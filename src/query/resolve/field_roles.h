/*-------------------------------------------------------------------------
 *
 * field_roles.h
 *		Fields with a meaning of their own: soft delete, versions, times.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_FIELD_ROLES_H
#define CORM_RESOLVE_FIELD_ROLES_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern void corm_make_restore(CormStmt *stmt);
extern void corm_apply_roles(CormStmt *stmt);

#endif							/* CORM_RESOLVE_FIELD_ROLES_H */
