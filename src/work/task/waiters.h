/*-------------------------------------------------------------------------
 *
 * waiters.h
 *		Processes that wait for tasks, and those that run them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_WAITERS_H
#define CORM_WORK_TASK_WAITERS_H

#include "postgres.h"

#include "base/blocks.h"

/* So many IDs of those that a process waits for are known to others. */
#define CORM_WAITER_IDS		8

extern void corm_waiters_init(void);
extern uint32 corm_waiters_woken(void);

/* These need the lock of the queue, and raise nothing. */
extern void corm_waiters_wake(int64 id);
extern void corm_waiters_task_started(CormBlockId block);
extern void corm_waiters_task_ended(CormBlockId block);

/* These take it. */
extern void corm_waiters_begin(const int64 *ids, int n, bool more);
extern void corm_waiters_end(void);
extern bool corm_waiters_in_vain(int64 *id);

#endif							/* CORM_WORK_TASK_WAITERS_H */
