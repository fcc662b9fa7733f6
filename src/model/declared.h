/*-------------------------------------------------------------------------
 *
 * declared.h
 *		Declared relations as corm.declared_relations holds them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_DECLARED_H
#define CORM_MODEL_DECLARED_H

#include "model/relations.h"

extern const char *corm_relation_kind_name(CormRelationKind kind);
extern bool corm_relation_kind_parse(const char *name, CormRelationKind *kind);
extern char **corm_names_read(Datum array, int *n);
extern Datum corm_names_datum(char **names, int n);

extern List *corm_declared_load(Oid relid);
extern void corm_declared_store(Oid relid, CormRelation *relation);
extern bool corm_declared_delete(Oid relid, const char *name);

#endif							/* CORM_MODEL_DECLARED_H */
