/*-------------------------------------------------------------------------
 *
 * ops.h
 *		The operations on keys, as a transaction sees them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_OPS_H
#define CORM_CACHE_OPS_H

#include "cache/operations/overlay.h"

extern int64 corm_deadline(int64 ttl_us);
extern bool corm_cache_op_get(CormCacheRef *ref, const char *key, uint32 len,
							  bool want_value, CormFound *found);
extern bool corm_cache_op_put(CormCacheRef *ref, const char *key, uint32 len,
							  const CormCached *value, int64 deadline, CormPutMode mode,
							  bool immediate);
extern void corm_cache_op_see(CormCacheRef *ref, const char *key, uint32 len, CormSeen *seen);
extern pg_atomic_uint32 *corm_cache_op_null_loads(CormCacheRef *ref, const char *key, uint32 len);
extern void corm_cache_op_keep(CormCacheRef *ref, const char *key, uint32 len,
							   const CormCached *value, int64 deadline,
							   const CormSeen *seen, bool immediate);
extern bool corm_cache_op_delete(CormCacheRef *ref, const char *key, uint32 len,
								 bool immediate, CormFound *found);
extern bool corm_cache_op_touch(CormCacheRef *ref, const char *key, uint32 len,
								int64 deadline);
extern int64 corm_cache_op_incr(CormCacheRef *ref, const char *key, uint32 len,
								int64 by, int64 ttl_us);
extern int64 corm_cache_op_count(CormCacheRef *ref);

#endif							/* CORM_CACHE_OPS_H */
