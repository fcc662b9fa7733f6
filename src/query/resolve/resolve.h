/*-------------------------------------------------------------------------
 *
 * resolve.h
 *		From clauses to statements: resolve.c, and clauses.c, which puts each in its
 * 	place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_RESOLVE_H
#define CORM_RESOLVE_RESOLVE_H

#include "postgres.h"

#include "base/compat.h"
#include "query/resolve/stmt.h"

extern CormStmt *corm_resolve_stmt(List *clauses, Oid default_model, CormStmt *parent);
extern CormStmt *corm_resolve_part(List *clauses, CormStmt *stmt);
extern CormStmt *corm_resolve_related(List *clauses, CormRelation *relation, CormStmt *parent);
extern CormStmt *corm_enclosing_stmt(CormStmt *stmt);

/* clauses.c */
extern void corm_misplaced_clause(CormTree *clause, const char *why) pg_attribute_noreturn();
extern void corm_resolve_source(CormStmt *stmt, CormTree *source, Oid default_model);
extern void corm_place_clause(CormStmt *stmt, CormTree *clause, List **preloads);

#endif							/* CORM_RESOLVE_RESOLVE_H */
