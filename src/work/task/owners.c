/*-------------------------------------------------------------------------
 *
 * owners.c
 *		Roles that own pools or schedules, or have privileges on pools.
 *
 * DROP ROLE is refused (base/owners.c).  Durable tasks do not count: those of a role that is gone wait,
 * and fail and say so when they are read from their rows.
 *
 * REASSIGN OWNED leaves schedules to who has made them: a schedule acts as that role, and a statement
 * about ownership must not have somebody's SQL run as somebody else.  DROP OWNED drops them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/owners.h"
#include "base/schema.h"
#include "work/task/owners.h"
#include "work/task/pool_admin.h"
#include "work/task/schedule.h"

static const CormRoleColumn role_columns[] = {
	{"pool_definitions", "owner", "owner of pool", 1},
	{"pool_grants", "grantee", "privileges for pool", 1},
	{"schedule_definitions", "owner", "owner of schedule", 1},
};

/* change makes a change to schedules, which need pools, and to pools. */
static void
change(const CormRoleChange *change)
{
	if (!OidIsValid(corm_catalog_oid("pool_definitions")))
		return;
	if (!OidIsValid(change->new_owner))
		corm_schedules_drop_owned(change);
	corm_pools_change_owners(change);
}

static const CormOwners owners = {
	.columns = role_columns,
	.ncolumns = lengthof(role_columns),
	.change = change,
};

/* corm_task_owners_init registers this part, when preloaded. */
void
corm_task_owners_init(void)
{
	corm_owners_add(&owners);
}
