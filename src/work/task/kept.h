/*-------------------------------------------------------------------------
 *
 * kept.h
 *		Durable tasks that have succeeded and are kept for a while.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_KEPT_H
#define CORM_WORK_TASK_KEPT_H

#include "work/task/durable.h"

extern void corm_kept_task_add(const CormDurable *durable);
extern bool corm_kept_task_read(int64 id, CormDurable *durable);
extern void corm_kept_task_each(bool (*visit) (CormDurable *durable, void *arg), void *arg);
extern bool corm_kept_task_delete(int64 id);

#endif							/* CORM_WORK_TASK_KEPT_H */
