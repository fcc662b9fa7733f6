/*-------------------------------------------------------------------------
 *
 * run.h
 *		Running tasks in workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_RUN_H
#define CORM_WORK_TASK_RUN_H

extern void corm_task_run_init(void);

#endif							/* CORM_WORK_TASK_RUN_H */
