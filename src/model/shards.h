/*-------------------------------------------------------------------------
 *
 * shards.h
 *		Shards of distributed tables, which are no models.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_MODEL_SHARDS_H
#define CORM_MODEL_SHARDS_H

#include "postgres.h"

extern bool corm_may_be_distributed(void);
extern bool corm_is_shard(Oid relid);
extern void corm_refuse_shard(Oid relid);

#endif							/* CORM_MODEL_SHARDS_H */
