/*-------------------------------------------------------------------------
 *
 * owners.h
 *		Roles that own pools or schedules, or have privileges on pools.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_OWNERS_H
#define CORM_WORK_TASK_OWNERS_H

extern void corm_task_owners_init(void);

#endif							/* CORM_WORK_TASK_OWNERS_H */
