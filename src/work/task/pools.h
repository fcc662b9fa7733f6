/*-------------------------------------------------------------------------
 *
 * pools.h
 *		Task pools: their definitions, and who may use them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_POOLS_H
#define CORM_WORK_POOLS_H

#include "postgres.h"

#include "base/compat.h"
#include "base/grants.h"
#include "utils/relcache.h"

#define CORM_POOL_SUBMIT	CORM_PRIVILEGE_1
#define CORM_POOL_MANAGE	CORM_PRIVILEGE_2
#define CORM_POOL_OWN		4

#define CORM_DEFAULT_POOL_ID	1

/* A pool as it is defined. */
typedef struct CormPoolRef
{
	char		name[NAMEDATALEN];
	int64		id;
	int32		version;
	Oid			owner;
	int32		workers;
	int32		capacity;
	int32		max_attempts;
	int			timeout_ms;		/* 0: none */
	int64		ttl_us;
	bool		stored;			/* has a row; only "default" may have none */
} CormPoolRef;

extern void corm_pool_find(const char *name, CormPoolRef *ref);
extern bool corm_pool_try_find(const char *name, CormPoolRef *ref);
extern bool corm_pool_may(const CormPoolRef *ref, int privilege);
extern void corm_pool_check(const CormPoolRef *ref, int privilege);
extern int	corm_pool_number(const CormPoolRef *ref);
extern void corm_pool_empty(int pool);

#endif							/* CORM_WORK_POOLS_H */
