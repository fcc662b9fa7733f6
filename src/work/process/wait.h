/*-------------------------------------------------------------------------
 *
 * wait.h
 *		Waiting for another process, so that deadlocks are found.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_WAIT_H
#define CORM_WORK_WAIT_H

#include "base/compat.h"

/*
 * Waits until done(arg) is true.  Returns false if timeout_ms (-1: none) is over
 * before.  Who makes it true must set the latch of this process.
 *
 * target(arg), which may be NULL, returns the number of the process (procno) that
 * works on it, or -1 if no process does now.  After some milliseconds the wait is one
 * in the lock manager for that process's transaction, so that PostgreSQL's deadlock
 * detector sees it.  The process at the other end must never wait for this one
 * while it is in a transaction, except in the lock manager.
 *
 * how says what is known of that process:
 *
 * CORM_WAIT_BEGINS: it begins its work after this wait has begun, and waits for nobody before.
 * CORM_WAIT_JOINS: it may have been waiting for this process for long.
 * CORM_WAIT_MANY: the same, and target returns another one of several each time, all of which must end; done
 * may become true by any of them.
 *
 * again_ms, which may be NULL, is where done says in how many milliseconds it wants to be called
 * again even if the latch is not set, -1 if not.
 *
 * done and target look at shared memory only; they may take LWLocks.  Raises what
 * interrupts raise, and 40P01.
 */
typedef enum CormWaitKind
{
	CORM_WAIT_BEGINS,
	CORM_WAIT_JOINS,
	CORM_WAIT_MANY
} CormWaitKind;

extern bool corm_wait(CormWaitKind how, bool (*done) (void *arg), int (*target) (void *arg), void *arg,
					  const long *again_ms, long timeout_ms, uint32 wait_event);

#endif							/* CORM_WORK_WAIT_H */
