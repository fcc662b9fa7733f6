/*-------------------------------------------------------------------------
 *
 * cache.h
 *		The shared-memory TTL cache, as the rest of the library sees it.
 *
 * The cache is in rooms, each built on those before it:
 *
 *	shared/			the structures in shared memory, their locks, and the
 *					operations on one key; knows no transactions and no rights
 *	workers/		the sweeper and the notifiers
 *	definitions/	which caches there are, who owns them, who may use them
 *	operations/		the operations on keys, as a transaction sees them
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_CACHE_H
#define CORM_CACHE_H

#include "datatype/timestamp.h"
#include "fmgr.h"

extern void corm_cache_init(void);
extern void corm_cache_require(void);
extern Size corm_cache_max_value(void);

/* Grows when a definition, a role, a membership or a database changes. */
extern uint64 corm_cache_generation;

/* Called when the background processes of a database are to leave it; NULL until somebody has some. */
extern void (*corm_database_leave) (Oid database);

/* The cache of query results: plain bytes under plain bytes. */
extern bool corm_cache_lookup(const char *key, Size key_len, char **value, Size *value_len);
extern bool corm_cache_store(const char *key, Size key_len, const char *value, Size value_len,
							 int64 ttl_us);

/* cache_fetch with a loader in C, which passes its value to corm_cache_loaded. */
typedef struct CormCacheLoad CormCacheLoad;
typedef void (*CormCacheLoader) (void *arg, CormCacheLoad *load);

extern void corm_cache_fetch_check(FunctionCallInfo fcinfo);
extern Datum corm_cache_fetch_with(FunctionCallInfo fcinfo, CormCacheLoader loader, void *arg);
extern void corm_cache_loaded(CormCacheLoad *load, Datum value, Oid type);

extern int64 corm_interval_us(const Interval *span, const char *what);

#endif							/* CORM_CACHE_H */
