/*-------------------------------------------------------------------------
 *
 * scopes.h
 *		Named and default scopes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_SCOPES_H
#define CORM_RESOLVE_SCOPES_H

#include "postgres.h"

#include "model/model.h"
#include "nodes/pg_list.h"

extern List *corm_scope_clauses(CormModel *model, const char *name);
extern List *corm_default_scope_clauses(CormModel *model);

#endif							/* CORM_RESOLVE_SCOPES_H */
