/*-------------------------------------------------------------------------
 *
 * schedule.h
 *		What schedules need: pools, and the tasks that they wait with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_SCHEDULE_H
#define CORM_WORK_TASK_SCHEDULE_H

#include "postgres.h"

#include "base/owners.h"

extern void corm_schedules_drop_owned(const CormRoleChange *change);
extern char *corm_schedules_of_pool(const char *pool);
extern void corm_schedule_check_ticker(int64 id, const char *deed);

#endif							/* CORM_WORK_TASK_SCHEDULE_H */
