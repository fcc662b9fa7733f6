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
#include "nodes/pg_list.h"

extern void corm_cache_init_first(void);
extern void corm_cache_init(void);
extern void corm_cache_require(void);
extern Size corm_cache_max_value(void);

/* Grows when a definition, a role, a membership or a database changes. */
extern uint64 corm_cache_generation;

/* Called when the background processes of a database are to leave it; NULL until somebody has some. */
extern void (*corm_database_leave) (Oid database);

/*
 * What a fresh answer depends on: the cells of tables, with their descendants, and of
 * what else it depends on.  See shared/versions.c.
 */
typedef struct CormDepends
{
	int			n;
	uint32		cells[FLEXIBLE_ARRAY_MEMBER];
} CormDepends;

typedef enum CormFreshness
{
	CORM_FRESH_KNOWN,			/* the sum of versions can be relied on */
	CORM_FRESH_COMMITTING,		/* a transaction that wrote a table is
								 * committing */
	CORM_FRESH_UNSETTLED		/* a table is not tracked for long enough, or
								 * written by a prepared transaction */
} CormFreshness;

/* What became of a call that asks for a fresh answer, in the order of the counters. */
typedef enum CormFreshOutcome
{
	CORM_FRESH_HIT,
	CORM_FRESH_ABSENT,
	CORM_FRESH_EXPIRED,
	CORM_FRESH_CHANGED,
	CORM_FRESH_BUSY,			/* CORM_FRESH_COMMITTING was the reason */
	CORM_FRESH_BYPASSED
} CormFreshOutcome;

/* What else than tables a fresh answer can depend on: all of their kind. */
#define CORM_DEPENDS_FUNCTIONS	0x01	/* functions, of users */
#define CORM_DEPENDS_ENUMS		0x02	/* labels of enums */
#define CORM_DEPENDS_SEARCH		0x04	/* configurations of text search */
#define CORM_DEPENDS_CASTS		0x08	/* casts */
#define CORM_DEPENDS_DOMAINS	0x10	/* domains, of all types */

extern List *corm_descendants(List *relids, const char **why);
extern CormDepends *corm_depends_on(List *relids, int fixed);
extern const char *corm_fresh_possible(void);
extern CormFreshness corm_fresh_now(const CormDepends *depends, uint64 *sum);

/* The cache of query results: plain bytes under plain bytes. */
extern bool corm_cache_lookup(const char *key, Size key_len, char **value, Size *value_len,
							  bool *expired);
extern void corm_cache_count_fresh(CormFreshOutcome outcome);
extern bool corm_cache_store(const char *key, Size key_len, const char *value, Size value_len,
							 int64 ttl_us);

/* cache_fetch with a loader in C, which passes its value to corm_cache_loaded. */
typedef struct CormCacheLoad CormCacheLoad;
typedef void (*CormCacheLoader) (void *arg, CormCacheLoad *load);

extern void corm_cache_fetch_check(FunctionCallInfo fcinfo);
extern Datum corm_cache_fetch_with(FunctionCallInfo fcinfo, CormCacheLoader loader, void *arg, int depends);
extern void corm_cache_loaded(CormCacheLoad *load, Datum value, Oid type);

extern int64 corm_interval_us(const Interval *span, const char *what);

#endif							/* CORM_CACHE_H */
