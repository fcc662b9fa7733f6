/*-------------------------------------------------------------------------
 *
 * submit.h
 *		Submitting tasks that have rows already.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_SUBMIT_H
#define CORM_WORK_TASK_SUBMIT_H

#include "work/task/durable.h"

extern void corm_submit_load_at_commit(void);
extern void corm_submit_cancel_at_commit(int64 id);
extern bool corm_submit_is_own(int64 id);
extern void corm_submit_loaded(const CormDurable *durable, const CormJob *job);

#endif							/* CORM_WORK_TASK_SUBMIT_H */
