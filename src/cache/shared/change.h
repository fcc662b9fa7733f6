/*-------------------------------------------------------------------------
 *
 * change.h
 *		Operations that change one key of the hash table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_CHANGE_H
#define CORM_CACHE_CHANGE_H

#include "base/blocks.h"
#include "cache/shared/table.h"

typedef enum CormPutMode
{
	CORM_PUT_SET,
	CORM_PUT_ADD,
	CORM_PUT_REPLACE,
	CORM_PUT_UNCHANGED			/* if the key is unchanged since it was seen */
} CormPutMode;

extern CormStatus corm_table_put(uint16 ns, uint64 gen, const CormCacheKey *key,
								 CormBlockChain *chain, CormPutMode mode);
extern CormStatus corm_table_remove(uint16 ns, uint64 gen, const CormCacheKey *key,
									char *buf, Size size, CormFound *found);
extern CormStatus corm_table_touch(uint16 ns, uint64 gen, const CormCacheKey *key,
								   int64 deadline);
extern CormStatus corm_table_incr(uint16 ns, uint64 gen, const CormCacheKey *key,
								  CormBlockChain *chain, int64 by,
								  int64 deadline, bool keep_ttl, int64 *result);

#endif							/* CORM_CACHE_CHANGE_H */
