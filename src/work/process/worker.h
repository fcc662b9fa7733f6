/*-------------------------------------------------------------------------
 *
 * worker.h
 *		Worker processes, as tasks and topics use them.
 *
 * A worker is a background process for one database and one session user (its
 * key).  It runs what callers give it, and in between what sources have for its key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_WORKER_H
#define CORM_WORK_WORKER_H

#include "base/compat.h"

/*
 * Where tasks come from.  The functions may be called at any time after the
 * memory is set up; none may raise.
 *
 * wanted: runs in the launcher.  Calls want(database, session_user, n) for each key
 * that has n > 0 tasks which could start now.  The launcher starts workers for
 * those that have too few.
 *
 * claim: runs in a worker that is free, in no transaction.  Takes the next task for
 * this worker's key and returns a handle for it that is not NULL; NULL if there
 * is none.  The worker counts as busy from before the call on.
 *
 * run: runs the task that claim has returned, by corm_job_run, and settles it.  A
 * cancel of the task (corm_worker_cancel) comes out as an error 57014 of the job.
 *
 * lost: the worker ends while it has a task: the process is being terminated.
 * pass, may be NULL: the process does not claim another task now, though it has just run one.
 */
typedef struct CormTaskSource
{
	void		(*wanted) (void (*want) (Oid database, Oid session_user, int n));
	void	   *(*claim) (Oid database, Oid session_user);
	void		(*run) (void *task);
	void		(*lost) (void *task);
	void		(*pass) (void);
} CormTaskSource;

/* A job that a worker runs, as others name it. */
typedef struct CormWorkerRef
{
	int			slot;			/* -1: none */
	uint32		job;
} CormWorkerRef;

extern void corm_worker_add_source(const CormTaskSource *source);

/* In a worker: the job that it is running, to be kept with the task; elsewhere slot is -1. */
extern CormWorkerRef corm_worker_self(void);

/* In a worker that is ending: the SQLSTATE of what ends it; 0: unknown. */
extern int	corm_worker_fatal_sqlstate(void);

/* In a worker: the process is replaced after what it runs now. */
extern void corm_worker_use_up(void);

/*
 * A task of this key is ready: wakes a free worker of the key, or else the launcher.
 * Raises nothing; for the apply callback of late effects.
 */
extern void corm_worker_wake(Oid database, Oid session_user);

/* Cancels what ref names if it still runs.  Raises nothing. */
extern void corm_worker_cancel(CormWorkerRef ref);

/* The process that runs ref, as a target of corm_wait (wait.h); -1 if it does not run any more. */
extern int	corm_worker_procno(CormWorkerRef ref);

#endif							/* CORM_WORK_WORKER_H */
