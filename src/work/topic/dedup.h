/*-------------------------------------------------------------------------
 *
 * dedup.h
 *		The ids of messages that a topic remembers, so that none comes twice.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TOPIC_DEDUP_H
#define CORM_TOPIC_DEDUP_H

#include "storage/lock.h"
#include "work/topic/shared.h"

extern void corm_dedup_hash(const char *id, uint64 *hash);
extern CormBlockId corm_dedup_add(CormTopic *topic, const uint64 *hash, int64 until, CormBlockChain *blocks);
extern void corm_dedup_forget(CormTopic *topic, CormBlockId id, CormBlockChain *freed);
extern CormDedup *corm_dedup_find(CormTopic *topic, const uint64 *hash, int64 now);
extern CormBlockId corm_dedup_claim(CormTopic *topic, const char *id, CormBlockChain *blocks, VirtualTransactionId *owner,
									CormBlockChain *freed);

#endif							/* CORM_TOPIC_DEDUP_H */
