/*-------------------------------------------------------------------------
 *
 * queue.h
 *		The queue of tasks in shared memory: structures, and what happens to a task.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_QUEUE_H
#define CORM_WORK_QUEUE_H

#include "postgres.h"

#include "base/blocks.h"
#include "datatype/timestamp.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "work/group/group.h"
#include "work/process/worker.h"
#include "work/shared/memory.h"

#define CORM_TASK_ID_BIT	(INT64CONST(1) << 62)	/* of tasks in memory */

typedef enum CormTaskState
{
	CORM_TASK_UNCOMMITTED,		/* of a transaction that has not ended */
	CORM_TASK_SCHEDULED,		/* its time has not come */
	CORM_TASK_WAITING,
	CORM_TASK_RUNNING,
	CORM_TASK_RETRYING,			/* failed, its time has not come again */
	CORM_TASK_SUCCEEDED,
	CORM_TASK_FAILED,
	CORM_TASK_CANCELLED
} CormTaskState;

/* Which list a task is in. */
typedef enum CormTaskPlace
{
	CORM_TASK_NOWHERE,
	CORM_TASK_READY,			/* in its lane */
	CORM_TASK_PARKED,			/* at its key, others come first */
	CORM_TASK_DOOMED,			/* cancelled, in its lane: a worker is to delete its row */
	CORM_TASK_ENDED				/* in the list of those */
} CormTaskPlace;

/* What is kept of a task that has ended. */
typedef enum CormTaskResult
{
	CORM_RESULT_NONE,			/* nothing: the body returned no rows */
	CORM_RESULT_VALUE,			/* a jsonb */
	CORM_RESULT_ERROR,			/* an error, flat */
	CORM_RESULT_ROLLED_BACK,	/* set_rollback_only() */
	CORM_RESULT_CANCELLED,
	CORM_RESULT_LOST,			/* its worker was terminated */
	CORM_RESULT_TIMED_OUT,		/* by the transaction_timeout of its body, which ends the worker */
	CORM_RESULT_GIVEN_UP		/* there was no memory to keep it */
} CormTaskResult;

/*
 * A task is a chain of blocks.  The first two are these structures, whose first
 * field is the link of the chain; then come name, key, unique key and the request
 * of the job.
 */
typedef struct CormTask
{
	CormBlockId link;
	CormBlockId last;			/* of the chain */
	uint32		nblocks;
	CormBlockId hash_next;
	CormBlockId next;			/* in the list of its place */
	CormBlockId prev;			/* first of a level: the last one */
	CormBlockId level_lower;	/* first of a level: levels below it in the tree */
	CormBlockId level_higher;
	CormBlockId lane;			/* 0 when it has ended */
	CormBlockId key;			/* 0: none */
	CormBlockId unique;			/* 0: none */
	uint32		heap_place;		/* 0: not in the heap */
	int64		id;
	int64		due;			/* monotonic: it may run, or its result goes */
	int32		priority;
	int32		procno;			/* who submits it, or holds it */
	uint16		pool;
	uint8		state;			/* CormTaskState */
	uint8		place;			/* CormTaskPlace */
	bool		active;			/* counted by its key */
	bool		cancelled;		/* has been told to stop */
	uint8		holds;			/* changes to it that are not committed */
	bool		pool_counted;	/* has room reserved in its pool */
	bool		durable;		/* has a row */
	bool		broken;			/* its worker was lost too often: not to be run */
	bool		awaited;		/* somebody waits for it, or has */
	bool		put_back;		/* its pool was closed: the row stays as it is */
	CormWorkerRef worker;		/* while it runs */
	CormGroupRef group;
	Oid			user;
	Oid			session_user;
} CormTask;

typedef struct CormTaskMore
{
	CormBlockId link;
	int32		attempt;
	int32		max_attempts;
	int32		key_limit;
	int64		backoff_us;
	int64		max_backoff_us;
	TimestampTz submitted_at;
	TimestampTz run_at;
	TimestampTz started_at;
	TimestampTz finished_at;
	uint32		request_len;
	uint16		name_len;
	uint16		key_len;
	uint16		unique_len;
	uint8		result;			/* CormTaskResult */
	uint8		note_len;
	uint8		losses;			/* workers that were lost while it ran */
	float4		progress;		/* -1: none was told */
	CormBlockId result_first;
	CormBlockId result_last;
	uint32		result_blocks;
	uint32		result_len;
	CormBlockId note;
	uint64		seq;			/* order of submission */
	int64		ready_since;	/* monotonic */
} CormTaskMore;

#define CORM_TASK_NOTE_MAX	((Size) CORM_WORK_BLOCK_DATA)

/* A list of tasks of one place, by next and prev. */
typedef struct CormTaskList
{
	CormBlockId first;
	CormBlockId last;
} CormTaskList;

/* Tasks that can run next, of one pool and session user, in levels of priority. */
typedef struct CormLane
{
	CormBlockId link;			/* next lane */
	CormBlockId prev;
	CormBlockId levels;			/* root of the tree of levels */
	CormBlockId top;			/* first task of the highest level */
	CormTaskList doomed;		/* taken before all others, by any worker of the database */
	uint32		refs;			/* tasks that may come here */
	uint32		nready;
	uint32		ndoomed;
	Oid			database;
	Oid			session_user;
	uint16		pool;
	bool		wake;			/* it got a task */
} CormLane;

/* Tasks with a key, of which so many may run. */
typedef struct CormTaskKey
{
	CormBlockId link;			/* in the chain of its hash */
	CormTaskList parked;
	uint32		refs;
	uint32		active;			/* ready, running or retrying */
	uint32		pool;
	uint64		hash[2];
} CormTaskKey;

/* A unique key in use. */
typedef struct CormTaskUnique
{
	CormBlockId link;
	CormBlockId task;
	uint32		pool;
	uint64		hash[2];
} CormTaskUnique;

/* The first bucket of a histogram is up to a microsecond, each other one up to twice as long as the one before. */
#define CORM_POOL_BUCKETS	40

typedef struct CormPool
{
	bool		used;
	bool		closed;
	bool		draining;		/* closed, what waits still runs */
	bool		paused;
	bool		dropped;
	uint32		generation;
	uint32		version;		/* of the definition that it has */
	Oid			database;
	int64		definition;
	char		name[NAMEDATALEN];
	int			workers;
	int			capacity;
	uint32		waiting;
	uint32		scheduled;
	uint32		retrying;
	uint32		running;
	uint32		reserved;		/* room of uncommitted tasks */
	uint32		blocked;		/* submitters that wait for room */
	uint32		roomless;		/* waiting and scheduled ones that take no room */
	uint32		tasks;			/* all of them, ended ones too */
	int64		ttl_us;
	int64		submitted;
	int64		succeeded;
	int64		failed;
	int64		cancelled;
	int64		retried;
	int64		full_waits;
	int64		wait_us;		/* from ready to start, of all attempts */
	int64		run_us;
	int64		starts;
	int64		wait_histogram[CORM_POOL_BUCKETS];	/* of wait_us and run_us */
	int64		run_histogram[CORM_POOL_BUCKETS];
	ConditionVariable room;		/* there may be room, or it was closed */
	ConditionVariable idle;		/* nothing waits or runs */
} CormPool;

typedef struct CormTasks
{
	LWLock		lock;
	int			tranche;
	uint32		level_seed;		/* of the trees of levels */
	uint64		epoch;
	uint64		next_number;
	uint64		next_seq;
	CormBlockId lanes;
	CormTaskList ended;			/* from the oldest on */
	uint32		nheap;
	uint32		ntasks;
} CormTasks;

extern CormTasks *corm_tasks;
extern CormPool *corm_pools;

extern void corm_queue_init(void);

static inline CormTask *
corm_task_at(CormBlockId block)
{
	return (CormTask *) corm_block_addr(&corm_work_blocks, block);
}

static inline CormTaskMore *
corm_task_more(const CormTask *task)
{
	return (CormTaskMore *) corm_block_addr(&corm_work_blocks, task->link);
}

static inline bool
corm_task_has_ended(const CormTask *task)
{
	return task->state >= CORM_TASK_SUCCEEDED;
}

/* The lock; unlocking wakes workers for the lanes that have got tasks. */
extern void corm_queue_lock(void);
extern void corm_queue_unlock(void);

/* All of these need the lock, and raise nothing. */
extern CormBlockId corm_queue_find(int64 id);
extern CormBlockId corm_queue_unique_task(int pool, const uint64 *hash);
extern bool corm_queue_add(CormBlockId block, const uint64 *key_hash, const uint64 *unique_hash);
extern void corm_queue_enter(CormBlockId block);
extern void corm_queue_hold(CormBlockId block);
extern void corm_queue_release(CormBlockId block);
extern CormBlockId corm_queue_claim(Oid database, Oid session_user);
extern void corm_queue_pass(void);
extern PGDLLEXPORT int64 corm_queue_claim_paused(const char *name);
extern void corm_queue_end(CormBlockId block, CormTaskState state, CormTaskResult result);
extern CormTaskResult corm_queue_store(CormBlockId block, CormTaskResult result, const void *data, Size len);
extern bool corm_queue_set_note(CormBlockId block, const char *note, Size len);
extern void corm_queue_retry_later(CormBlockId block, int64 delay_us);
extern bool corm_queue_again(CormBlockId block, int64 *rival);
extern void corm_queue_cancel(CormBlockId block, CormWorkerRef *running);
extern void corm_queue_put_back(CormBlockId block, CormWorkerRef *running);
extern void corm_queue_forget(CormBlockId block);
extern void corm_queue_reschedule(CormBlockId block, int64 due);
extern bool corm_queue_make_room(CormBlockChain *chain, Size len);
extern void corm_queue_each(void (*visit) (CormBlockId block, void *arg), void *arg);
extern int	corm_queue_pool(Oid database, int64 definition, bool make);
extern void corm_queue_wake_pool(int pool);
extern void corm_queue_free_pool_if_idle(int pool);
extern uint32 corm_queue_key_active(CormBlockId block);
extern void corm_queue_hash(uint64 *hash, int pool, const char *text, Size len);
extern void corm_queue_read(CormBlockId block, Size from, void *buf, Size len);
extern void corm_queue_payload_cursor(CormWorkCursor *cursor, CormBlockId block);

extern void corm_queue_wanted(void (*want) (Oid database, Oid session_user, int n));

#endif							/* CORM_WORK_QUEUE_H */
