/*-------------------------------------------------------------------------
 *
 * run.h
 *		Running tasks in workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_RUN_H
#define CORM_WORK_TASK_RUN_H

#include "base/compat.h"

extern void corm_task_run_init(void);
extern int64 corm_task_running_id(void);
extern PGDLLEXPORT void corm_task_settle_claimed(int64 id, bool succeeded);

#endif							/* CORM_WORK_TASK_RUN_H */
