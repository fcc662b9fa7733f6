/*-------------------------------------------------------------------------
 *
 * joins.h
 *		Relations in a statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_RESOLVE_JOINS_H
#define CORM_RESOLVE_JOINS_H

#include "postgres.h"

#include "query/resolve/stmt.h"

extern CormRange *corm_add_related_range(CormStmt *stmt, CormRelation *relation);
extern CormRange *corm_join_range(CormStmt *stmt, CormRange *from, CormRelation *relation, CormNodeTag tag,
								  const char *name);
extern bool corm_relation_meets_several(CormRelation *relation);
extern CormRange *corm_relation_range(CormStmt *stmt, char **path);
extern void corm_correlate(CormStmt *query, CormRange *target, CormRange *range, CormRelation *relation, bool first);
extern void corm_join_relation(CormStmt *stmt, CormTree *clause);
extern List *corm_key_columns(CormRange *range);
extern bool corm_path_column(CormStmt *stmt, CormRange *range, CormTree *tree, const char *path);
extern void corm_resolve_relation_predicate(CormStmt *stmt, CormTree *tree);
extern void corm_add_preload(CormStmt *stmt, const char *path, List *clauses);
extern void corm_add_preload_tree(CormStmt *stmt, CormTree *clause);
extern CormRange *corm_parents_range(CormStmt *stmt);
extern char *corm_parent_key_name(int n);
extern char *corm_parent_key(CormStmt *stmt, const char *column);

#endif							/* CORM_RESOLVE_JOINS_H */
