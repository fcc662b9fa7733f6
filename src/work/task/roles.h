/*-------------------------------------------------------------------------
 *
 * roles.h
 *		Roles that are dropped while pools or schedules need them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_ROLES_H
#define CORM_WORK_ROLES_H

extern void corm_task_roles_init(void);

#endif							/* CORM_WORK_ROLES_H */
