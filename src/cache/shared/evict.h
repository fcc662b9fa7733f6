/*-------------------------------------------------------------------------
 *
 * evict.h
 *		Memory for entries, got by evicting others if need be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_EVICT_H
#define CORM_CACHE_EVICT_H

#include "base/blocks.h"
#include "cache/shared/shared.h"

extern void corm_hand_init(CormHand *hand);
extern CormStatus corm_try_reserve(uint16 ns, uint64 gen, uint32 n, CormBlockChain *chain,
								   bool *in_limit);
extern bool corm_reserve(uint16 ns, uint64 gen, uint32 n, CormBlockChain *chain);
extern void corm_unreserve(uint16 ns, CormBlockChain *chain);

#endif							/* CORM_CACHE_EVICT_H */
