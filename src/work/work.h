/*-------------------------------------------------------------------------
 *
 * work.h
 *		Work in other processes, as the rest of the library sees it.
 *
 * The rooms, each built on those before it:
 *
 *	shared/			the shared memory of tasks, messages and results
 *	process/		worker processes: starting them, giving them work, waiting for it
 *	group/			wait groups
 *	task/			task pools, their queues, durable tasks, schedules
 *	topic/			topics and messages
 *
 * How a room uses what lies below:
 *
 * Preload.  An SQL function begins with corm_work_require("a task pool"), which
 * raises 55000 with the setting in the hint.  The pointers that attach functions
 * set are NULL until then.
 *
 * Fixed structures: a CormSharedPart of your own (base/arena.h), with its size
 * from the settings corm.max_... (base/guc.c).  Everything is addressed by index
 * or block id.  LWLocks by a tranche of your own (LWLockNewTrancheId in attach when
 * !found, kept in the part; LWLockRegisterTranche in every attach).
 *
 * Bytes of any length: shared/memory.h.  corm_work_check_payload, corm_work_take,
 * corm_work_write; then under the lock of the object that they go to,
 * corm_blocks_linked(&corm_work_blocks, n); to free them, corm_blocks_unlinked
 * under that lock and corm_work_give after it.
 *
 * Transactions: effects (base/effects.h) with .late = true, so that they are
 * applied after the locks are released, in the order they were made.  Take room,
 * blocks and counters when the SQL function is called, give them back in discard;
 * reserve may still raise; apply only links what is prepared and wakes somebody.
 * .deed completes the error of PREPARE TRANSACTION, "cannot PREPARE a transaction
 * that has %s": "submitted tasks", "published messages".
 *
 * The launcher (base/launcher.h) looks at what should be running: add a CormDuty
 * from your init function with corm_launcher_add, and keep its number.  look()
 * does what is due (a task whose time has come, a lease that is over) and returns
 * in how many milliseconds it has to look again.  corm_launcher_wake(duty) makes it
 * look now; it may be called from apply.  Return at most 1000 while anything
 * exists that another process could have forgotten to announce.
 *
 * Time: corm_clock_mono for what is due (tests move it), corm_clock_machine for
 * the housekeeping of processes, corm_clock_real to show.  CORM_FAULT("work-...")
 * where a test must be able to stop a process.
 *
 * corm.work_check(): a CormAuditPart of your own (shared/audit.h) verifies your structures and
 * names the chains of blocks that are linked to them.
 *
 * Start: corm_work_init calls the init function of each room, in every process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_H
#define CORM_WORK_H

#include "work/process/call.h"
#include "work/process/job.h"

extern void corm_work_init(void);

#endif							/* CORM_WORK_H */
