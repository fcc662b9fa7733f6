/*-------------------------------------------------------------------------
 *
 * pool_admin.h
 *		The tables that define task pools.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_POOL_ADMIN_H
#define CORM_WORK_POOL_ADMIN_H

#include "postgres.h"

#include "base/owners.h"
#include "datatype/timestamp.h"
#include "storage/lockdefs.h"

/* Columns of corm.pool_definitions */
enum
{
	Anum_pool_name = 1,
	Anum_pool_id,
	Anum_pool_version,
	Anum_pool_owner,
	Anum_pool_workers,
	Anum_pool_capacity,
	Anum_pool_max_attempts,
	Anum_pool_timeout,
	Anum_pool_result_ttl,
	Natts_pool = Anum_pool_result_ttl
};


#define CORM_POOL_WORKERS	2
#define CORM_POOL_CAPACITY	1000
#define CORM_POOL_TTL_US	(INT64CONST(300) * USECS_PER_SEC)

extern int	corm_pool_timeout_ms(const Interval *timeout);
extern int64 corm_pool_ttl_us(const Interval *ttl);
extern void corm_pools_change_owners(const CormRoleChange *change);
extern void corm_pool_lock(const char *name, LOCKMODE mode);

#endif							/* CORM_WORK_POOL_ADMIN_H */
