/*-------------------------------------------------------------------------
 *
 * wheel.h
 *		The timer wheel of a shard.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_WHEEL_H
#define CORM_CACHE_WHEEL_H

#include "base/blocks.h"
#include "cache/shared/table.h"

extern void corm_wheel_insert(CormShard *shard, CormBlockId id);
extern void corm_wheel_remove(CormShard *shard, CormBlockId id);
extern int	corm_wheel_advance(CormShard *shard, int64 now, int budget,
							   CormRemoved *removed);
extern int64 corm_wheel_next(CormShard *shard);

#endif							/* CORM_CACHE_WHEEL_H */
