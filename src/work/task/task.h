/*-------------------------------------------------------------------------
 *
 * task.h
 *		Tasks, as the rest of the library uses them.
 *
 * This room runs bodies in transaction scopes and returns what became of them, so it
 * stands above tx/, unlike the other rooms of work/.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_H
#define CORM_WORK_TASK_H

#include "base/params.h"
#include "work/task/options.h"

extern void corm_task_init(void);
extern int64 corm_task_submit(const CormTaskOptions *opts, const char *body, Size len,
							  const CormParams *params);

#endif							/* CORM_WORK_TASK_H */
