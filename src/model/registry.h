/*-------------------------------------------------------------------------
 *
 * registry.h
 *		The session's registry of models: its inner side, and its messages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_REGISTRY_H
#define CORM_MODEL_REGISTRY_H

#include "model/model.h"

extern void corm_registry_init(void);

/* The relations of a model, made at first use. */
extern struct CormRelations *corm_registry_relations(CormModel *model);

/* What is in the registry already, or NULL. */
extern CormModel *corm_model_cached(Oid relid);

/* An outdated model of this transaction, or NULL. */
extern CormModel *corm_model_outdated(Oid relid, uint64 generation);

/* Models that became outdated: how many, and the name of the last one. */
extern uint64 corm_models_retired(void);
extern const char *corm_model_retired_last(void);

/*
 * The registry tells interested upper layers (the plan cache) of every
 * invalidation: relid is InvalidOid when everything is invalid.  The callback
 * runs inside PostgreSQL's invalidation processing: it may only mark things.
 */
typedef void (*CormInvalidationCallback) (Oid relid);
extern void corm_registry_on_invalidation(CormInvalidationCallback callback);

#endif							/* CORM_MODEL_REGISTRY_H */
