/*-------------------------------------------------------------------------
 *
 * slots.h
 *		The slots of workers in shared memory.
 *
 * A slot goes through these states.  Who may change it is said in brackets.
 *
 *		EMPTY		no process [whoever wants a worker]
 *		STARTING	a process is on its way; the claimant, if there is one, waits for it
 *					[the worker; the claimant or the launcher, if it does not come up]
 *		IDLE		[the worker; whoever wants one]
 *		CLAIMED		a caller will give it a job [the claimant]
 *		RUNNING		it runs a caller's job, or a task [the worker]
 *		DONE		the answer is complete, the caller has yet to take it [the claimant]
 *		LEAVING		it has been told to exit [the worker]
 *
 *		EMPTY -> STARTING -> CLAIMED -> RUNNING -> DONE -> IDLE -> CLAIMED ...
 *					STARTING -> IDLE	without a claimant (any more)
 *					RUNNING -> IDLE		a task; or the caller is gone
 *					IDLE -> RUNNING		a task
 *					IDLE -> LEAVING		another key needs the place
 *		any -> EMPTY when the process exits, but RUNNING -> DONE if a caller waits
 *
 * All of it is protected by one lock, corm_workers->lock, held for a few stores or for a
 * look at all slots; exclusive for every change.  Exceptions: job and cancel_job are
 * also read by a signal handler of the worker, which is why they are 32 bits; the
 * rings belong to the worker and the claimant (mail.h); phase is written by the worker
 * without the lock.
 *
 * A process that waits for a slot has an entry in waiters[], by its procno, and stands in
 * a queue.  Who makes a slot available gives it to the first in the queue that it
 * suits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_SLOTS_H
#define CORM_WORK_SLOTS_H

#include "base/compat.h"
#include "datatype/timestamp.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "work/process/job.h"
#include "work/process/mail.h"

typedef enum CormSlotState
{
	CORM_SLOT_EMPTY,
	CORM_SLOT_STARTING,
	CORM_SLOT_IDLE,
	CORM_SLOT_CLAIMED,
	CORM_SLOT_RUNNING,
	CORM_SLOT_DONE,
	CORM_SLOT_LEAVING
} CormSlotState;

#define CORM_FATAL_LENGTH	256

typedef struct CormSlot
{
	volatile CormSlotState state;
	volatile uint32 job;		/* number of the job; 0 is none */
	volatile uint32 cancel_job; /* the job that is to be cancelled */
	volatile CormPhase phase;

	/* the process */
	uint32		generation;		/* counts starts, so that a late one is known */
	Oid			database;
	Oid			session_user;
	volatile pid_t pid;			/* 0: none yet, or gone */
	volatile int procno;
	int64		launched;		/* machine's monotonic time */
	int64		idle_since;
	bool		poked;			/* tasks may wait: look before going idle */
	bool		worn;			/* to be replaced after this job */
	uint64		jobs;			/* of this process */

	/* whose it is: claimant, -1 for nobody; for a task, nobody's */
	volatile int claimant;
	pid_t		claimant_pid;
	volatile bool caller_gone;	/* the claimant takes no answer any more */
	bool		task;			/* runs what a source has given it */
	int			depth;
	Oid			user;			/* acts as */
	TimestampTz since;			/* of the state */
	int			last_procno;	/* who used it last: its plans are those */
	pid_t		last_pid;

	/* why the process has ended */
	int			fatal_sqlstate; /* 0: unknown */
	char		fatal_message[CORM_FATAL_LENGTH];

	CormRing	request;
	CormRing	answer;
} CormSlot;

/* A process that waits for a slot. */
typedef struct CormSlotWaiter
{
	bool		waiting;
	int			next;			/* in the queue; -1: the last */
	Oid			database;
	Oid			session_user;
	int			role_limit;		/* its corm.role_workers, ... */
	int			database_limit;
	int			slot;			/* that it was given; -1: none yet */
} CormSlotWaiter;

/* A database that no worker is started for, for some seconds. */
typedef struct CormHeldDatabase
{
	Oid			database;
	int64		until;
} CormHeldDatabase;

#define CORM_HELD_MAX		16

/* A key whose workers could not be started: the launcher waits before it tries again. */
typedef struct CormStartFailure
{
	Oid			database;		/* invalid: the entry is free */
	Oid			session_user;
	int			failures;
	int64		until;
} CormStartFailure;

#define CORM_FAILURES_MAX	32

typedef struct CormWorkStats
{
	uint64		calls;
	uint64		failures;		/* calls that ended with an error */
	uint64		cold_starts;
	uint64		waits;			/* for a free worker */
	uint64		timeouts;		/* of these */
	uint64		exhaustions;	/* nested calls that hold all workers */
	uint64		deadlocks;
	uint64		cancels;
	uint64		terminations;	/* workers that ended while they had a job */
	uint64		tasks;
	uint64		start_failures;
	TimestampTz last_failure;
	int			last_failure_sqlstate;
	char		last_failure_message[CORM_FATAL_LENGTH];
} CormWorkStats;

typedef struct CormWorkers
{
	LWLock		lock;
	int			tranche;
	int			nslots;
	int			first_waiter;	/* procno; -1: nobody waits */
	int			last_waiter;
	CormHeldDatabase held[CORM_HELD_MAX];
	CormStartFailure failed[CORM_FAILURES_MAX];
	CormWorkStats stats;
} CormWorkers;

extern CormWorkers *corm_workers;
extern CormSlot *corm_slots;
extern CormSlotWaiter *corm_slot_waiters;

/* Who looks for a slot. */
typedef struct CormSlotKey
{
	Oid			database;
	Oid			session_user;
	int			role_limit;
	int			database_limit;
	int			procno;			/* -1: nobody who has used one before */
} CormSlotKey;

extern void corm_slots_init(void);
extern void corm_slot_evict(const CormSlotKey *key, bool role_full, bool database_full);
extern int	corm_slot_choose(const CormSlotKey *key);
extern void corm_slot_set_state(CormSlot *slot, CormSlotState state);
extern void corm_slot_set_free(CormSlot *slot);
extern void corm_slot_hand_out(void);
extern void corm_slot_wake_worker(const CormSlot *slot);
extern void corm_slot_wake_claimant(const CormSlot *slot);
extern void corm_slot_enqueue(const CormSlotKey *key);
extern void corm_slot_dequeue(int procno);
extern bool corm_slot_exhausted(const CormSlotKey *key);
extern int	corm_slot_count_tasks(void);
extern void corm_slot_note_start_failure(const CormSlot *slot, const char *otherwise);
extern void corm_slot_note_start(const CormSlot *slot);
extern bool corm_slot_may_start(Oid database, Oid session_user);

#endif							/* CORM_WORK_SLOTS_H */
