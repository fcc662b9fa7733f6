/*-------------------------------------------------------------------------
 *
 * submit.c
 *		Submitting tasks: corm.submit, corm.submit_many.
 *
 * A task is one effect of the transaction.  It is added before anything is taken, so
 * that whatever is taken afterwards, blocks, room in the pool, the hold of a task that
 * is going to be replaced, is given back by its discard, whether the transaction is
 * rolled back or an error ends this call.  For immediate tasks the effect is taken
 * out of the list at the end.
 *
 * Waiting.  A full pool is waited for at its condition variable; a unique key that a
 * transaction uses which has not ended, in the lock manager for that transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/effects.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/params.h"
#include "base/sql_text.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/scansup.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"
#include "work/group/group.h"
#include "work/process/job.h"
#include "work/shared/waiting.h"
#include "work/task/durable.h"
#include "work/task/load.h"
#include "work/task/pools.h"
#include "work/task/queue.h"
#include "work/task/submit.h"
#include "work/task/task.h"

PG_FUNCTION_INFO_V1(corm_submit);
PG_FUNCTION_INFO_V1(corm_submit_opts);
PG_FUNCTION_INFO_V1(corm_submit_many);

typedef enum SubmitDeed
{
	DEED_NOTHING,				/* yet */
	DEED_SUBMIT,				/* block is a task that is not committed */
	DEED_REPLACE,				/* id is a task that is held, chain its new content */
	DEED_RESCHEDULE,			/* the same, only its time is new */
	DEED_CANCEL,				/* id is a task to be cancelled */
	DEED_LOAD					/* the row of a durable task, for which there is no memory */
} SubmitDeed;

typedef struct TaskEffect
{
	CormEffect	effect;
	SubmitDeed	deed;
	CormBlockId block;
	int64		id;
	int			pool;
	bool		counted;		/* in own_room */
	int64		due;
	TimestampTz run_at;
	CormBlockChain chain;		/* blocks that this process holds */
	CormGroupRef group;			/* counted there at once; to be taken back */
} TaskEffect;

/* Room that this transaction has taken in each pool, by number. */
static int *own_room = NULL;

static uint32 room_event = 0;

/*
 * Effects
 */

static void
task_reserve(CormEffect *effect)
{
}

/*
 * swap_content gives a held task what the chain of an effect contains: everything but
 * its ID, its place in the order, and its wait group.  The effect has the old blocks
 * then.  Needs the lock.
 */
static void
swap_content(CormTask *task, TaskEffect *effect)
{
	CormTask   *from = corm_task_at(effect->chain.first);
	CormTaskMore *more = corm_task_more(task);
	CormTaskMore *new_more = corm_task_more(from);
	CormBlockId rest = more->link;
	CormBlockId last = task->last;
	uint32		nblocks = task->nblocks;

	task->priority = from->priority;
	task->user = from->user;
	more->max_attempts = new_more->max_attempts;
	more->backoff_us = new_more->backoff_us;
	more->max_backoff_us = new_more->max_backoff_us;
	more->request_len = new_more->request_len;
	more->name_len = new_more->name_len;
	more->key_len = new_more->key_len;
	more->unique_len = new_more->unique_len;
	more->submitted_at = new_more->submitted_at;

	more->link = new_more->link;
	task->last = effect->chain.last;
	task->nblocks = effect->chain.count;
	new_more->link = rest;
	effect->chain.last = last;
	effect->chain.count = nblocks;
	corm_blocks_linked(&corm_work_blocks, task->nblocks);
	corm_blocks_unlinked(&corm_work_blocks, nblocks);
}

/* apply_change makes a change to a held task, if it still exists and has not ended.  Needs the lock. */
static void
apply_change(TaskEffect *effect)
{
	CormBlockId block = corm_queue_find(effect->id);
	CormTask   *task;

	if (block == 0)
		return;
	task = corm_task_at(block);
	if (corm_task_has_ended(task))
	{
		task->holds--;
		return;
	}
	if (effect->deed == DEED_REPLACE)
		swap_content(task, effect);
	corm_task_more(task)->run_at = effect->run_at;
	corm_queue_reschedule(block, effect->due);
	corm_queue_release(block);
}

/* apply_cancel cancels a task that has not begun.  Needs the lock. */
static void
apply_cancel(TaskEffect *effect)
{
	CormBlockId block = corm_queue_find(effect->id);
	CormWorkerRef running;

	if (block != 0 && !corm_task_has_ended(corm_task_at(block)) && corm_task_at(block)->state != CORM_TASK_RUNNING)
		corm_queue_cancel(block, &running);
}

/* task_apply makes what is committed true for all.  Raises nothing. */
static void
task_apply(CormEffect *base)
{
	TaskEffect *effect = (TaskEffect *) base;

	corm_queue_lock();
	if (effect->deed == DEED_SUBMIT)
	{
		own_room[effect->pool] -= effect->counted;
		corm_queue_enter(effect->block);
	}
	else if (effect->deed == DEED_REPLACE || effect->deed == DEED_RESCHEDULE)
		apply_change(effect);
	else if (effect->deed == DEED_CANCEL)
		apply_cancel(effect);
	corm_queue_unlock();
	if (effect->deed == DEED_LOAD)
		corm_load_request(MyDatabaseId);
	corm_work_give(&effect->chain);
}

/* task_discard gives back what was taken.  Raises nothing. */
static void
task_discard(CormEffect *base)
{
	TaskEffect *effect = (TaskEffect *) base;
	CormBlockId block;

	corm_queue_lock();
	if (effect->deed == DEED_SUBMIT)
	{
		own_room[effect->pool] -= effect->counted;
		corm_queue_forget(effect->block);
	}
	else if ((effect->deed == DEED_REPLACE || effect->deed == DEED_RESCHEDULE) && (block = corm_queue_find(effect->id)) != 0)
	{
		if (corm_task_has_ended(corm_task_at(block)))
			corm_task_at(block)->holds--;
		else
			corm_queue_release(block);
	}
	corm_queue_unlock();
	corm_work_give(&effect->chain);
	corm_group_task_ended(effect->group);
}

static const CormEffectOps task_ops = {
	.reserve = task_reserve,
	.apply = task_apply,
	.discard = task_discard,
	.deed = "submitted tasks",
	.late = true,
};

/* add_effect makes an effect of this transaction, with nothing taken. */
static TaskEffect *
add_effect(void)
{
	TaskEffect *effect;

	if (own_room == NULL)
		own_room = MemoryContextAllocZero(TopMemoryContext, corm_max_pools * sizeof(int));
	effect = MemoryContextAllocZero(TopTransactionContext, sizeof(TaskEffect));
	corm_effect_add(&effect->effect, &task_ops);
	return effect;
}

/*
 * Making a task
 */

/* What is to be submitted. */
typedef struct Submission
{
	const CormTaskOptions *opts;
	CormPoolRef ref;
	int			pool;
	CormGroupRef group;
	CormJob		job;
	StringInfoData request;
	const CormDurable *durable; /* of the row that there is already; or NULL */
	bool		durable_duplicate;	/* the task that is going to be changed is durable */
	int			timeout_ms;
	int64		due;
	TimestampTz now;
	TimestampTz run_at;
	TaskEffect *effect;
	uint64		key_hash[2];
	uint64		unique_hash[2];
} Submission;

/* check_allowed raises if tasks cannot be submitted from here. */
static void
check_allowed(void)
{
	HeapTuple	tuple;
	bool		can_login = true;

	corm_work_require("a task");
	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot submit a task within a security-restricted operation")));
	if (corm_max_workers == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("tasks are turned off"),
				 errdetail("The setting corm.max_workers is 0.")));
	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetSessionUserId()));
	if (HeapTupleIsValid(tuple))
	{
		can_login = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
		ReleaseSysCache(tuple);
	}
	if (!can_login)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("session user \"%s\" is not permitted to log in, and so cannot have tasks run",
						GetUserNameFromId(GetSessionUserId(), true))));
}

/* max_attempts returns how often a task is run if it fails. */
static int32
max_attempts(const Submission *s)
{
	return s->opts->max_attempts > 0 ? s->opts->max_attempts : s->ref.max_attempts;
}

/* write_task fills in the chain of an effect.  Nobody else sees it. */
static void
write_task(Submission *s)
{
	const CormTaskOptions *opts = s->opts;
	CormBlockChain *chain = &s->effect->chain;
	CormTask   *task = corm_task_at(chain->first);
	CormTaskMore *more;
	CormWorkCursor cursor;

	memset((char *) task + sizeof(CormBlockId), 0, CORM_BLOCK_SIZE - sizeof(CormBlockId));
	more = corm_task_more(task);
	memset((char *) more + sizeof(CormBlockId), 0, CORM_BLOCK_SIZE - sizeof(CormBlockId));
	task->last = chain->last;
	task->nblocks = chain->count;
	task->due = s->due;
	task->priority = opts->priority;
	task->procno = corm_my_procno();
	task->pool = s->pool;
	task->worker.slot = -1;
	task->group = s->group;
	task->user = GetUserId();
	task->session_user = GetSessionUserId();
	more->max_attempts = max_attempts(s);
	more->key_limit = opts->key_limit;
	more->backoff_us = opts->backoff_us;
	more->max_backoff_us = opts->max_backoff_us;
	more->submitted_at = s->now;
	more->run_at = s->run_at;
	more->request_len = s->request.len;
	more->name_len = strlen(opts->name);
	more->key_len = opts->key ? strlen(opts->key) : 0;
	more->unique_len = opts->unique_key ? strlen(opts->unique_key) : 0;
	more->progress = -1;
	task->durable = opts->durable;
	if (s->durable != NULL)
	{
		task->id = s->durable->id;
		task->user = s->durable->user;
		task->session_user = s->durable->session_user;
		more->attempt = s->durable->attempt;
		more->submitted_at = s->durable->submitted_at;
	}
	else if (opts->durable)
		task->id = corm_durable_task_next_id();

	corm_queue_payload_cursor(&cursor, chain->first);
	corm_work_write(&cursor, opts->name, more->name_len);
	corm_work_write(&cursor, opts->key, more->key_len);
	corm_work_write(&cursor, opts->unique_key, more->unique_len);
	corm_work_write(&cursor, s->request.data, s->request.len);
}

/* take_blocks takes the blocks of a task.  Returns false if there are not enough. */
static bool
take_blocks(Submission *s)
{
	const CormTaskOptions *opts = s->opts;
	Size		len = strlen(opts->name) + s->request.len;
	bool		taken;

	len += opts->key ? strlen(opts->key) : 0;
	len += opts->unique_key ? strlen(opts->unique_key) : 0;
	len += 2 * CORM_WORK_BLOCK_DATA;
	taken = corm_work_try_take(&s->effect->chain, len);
	if (!taken)
	{
		corm_queue_lock();
		taken = corm_queue_make_room(&s->effect->chain, len);
		corm_queue_unlock();
	}
	return taken;
}

/* no_memory raises 53200. */
static void
no_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory for tasks and messages"),
			 errhint("You might need to increase corm.work_memory.")));
}

/* add_to_queue puts the chain of a submission into the queue.  Needs the lock.  Returns false without memory. */
static bool
add_to_queue(Submission *s, const uint64 *unique_hash)
{
	CormBlockId block = s->effect->chain.first;

	if (!corm_queue_add(block, s->opts->key ? s->key_hash : NULL, unique_hash))
		return false;
	memset(&s->effect->chain, 0, sizeof(CormBlockChain));
	s->effect->deed = DEED_SUBMIT;
	s->effect->block = block;
	s->effect->pool = s->pool;
	s->effect->counted = corm_task_at(block)->pool_counted;
	own_room[s->pool] += s->effect->counted;
	return true;
}

/* room_taken tells how many tasks take room in a pool: not those that are durable.  Needs the lock. */
static int
room_taken(const CormPool *pool)
{
	return (int) (pool->waiting + pool->scheduled - pool->roomless + pool->reserved);
}

/* room_in tells how many more tasks a pool can take.  Needs the lock. */
static int
room_in(const CormPool *pool)
{
	return pool->capacity - room_taken(pool);
}

/* closed_error raises 55000. */
static void
closed_error(const Submission *s)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("pool \"%s\" is closed", s->ref.name)));
}

/* full_error raises 53400. */
static void
full_error(const Submission *s, bool own)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("pool \"%s\" is full", s->ref.name),
			 own ? errdetail("Its room is taken by tasks that this transaction has submitted; they start when it commits.") : 0));
}

/* stop_waiting ends the wait for room in a pool, also when the process exits. */
static void
stop_waiting(int code, Datum arg)
{
	int			pool = DatumGetInt32(arg);

	(void) ConditionVariableCancelSleep();
	corm_queue_lock();
	corm_pools[pool].blocked--;
	if (corm_pools[pool].blocked > 0)
		ConditionVariableSignal(&corm_pools[pool].room);
	corm_queue_free_pool_if_idle(pool);
	corm_queue_unlock();
}

/*
 * wait_for_room waits until a pool may have room for n tasks, or is closed, or the
 * deadline passes.  Returns false then.
 */
static bool
wait_for_room(int number, int n, int64 deadline)
{
	CormPool   *pool = &corm_pools[number];
	long		pause = 0;

	if (room_event == 0)
		room_event = corm_wait_event_new("CormPoolRoom");
	corm_queue_lock();
	pool->blocked++;
	pool->full_waits++;
	corm_queue_unlock();
	PG_ENSURE_ERROR_CLEANUP(stop_waiting, Int32GetDatum(number));
	{
		ConditionVariablePrepareToSleep(&pool->room);
		for (;;)
		{
			bool		go_on;

			corm_queue_lock();
			go_on = pool->closed || pool->dropped || room_in(pool) >= n;
			corm_queue_unlock();
			pause = corm_work_pause(deadline);
			if (go_on || pause == 0)
				break;
			(void) ConditionVariableTimedSleep(&pool->room, pause, room_event);
			CHECK_FOR_INTERRUPTS();
		}
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_waiting, Int32GetDatum(number));
	stop_waiting(0, Int32GetDatum(number));
	return pause != 0;
}

/* is_settled tells whether a task is not any more of a transaction of a process that has not ended. */
static bool
is_settled(int64 id, int procno)
{
	CormBlockId block;
	bool		settled;

	corm_queue_lock();
	block = corm_queue_find(id);
	settled = block == 0 || corm_task_at(block)->procno != procno ||
		(corm_task_at(block)->state != CORM_TASK_UNCOMMITTED && corm_task_at(block)->holds == 0);
	corm_queue_unlock();
	return settled;
}

/*
 * wait_for_settling waits for the transaction of a process that has submitted or
 * holds a task, as a unique index waits for the one that has inserted a row.  The
 * deadlock detector sees it.
 */
static void
wait_for_settling(int64 id, int procno)
{
	VirtualTransactionId vxid;

	while (!is_settled(id, procno))
	{
		CHECK_FOR_INTERRUPTS();
		GET_VXID_FROM_PGPROC(vxid, ProcGlobal->allProcs[procno]);
		/* that is the transaction only if it is not settled now */
		if (VirtualTransactionIdIsValid(vxid) && !is_settled(id, procno))
			(void) VirtualXactLock(vxid, true);
		else
		{
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1, PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
		}
	}
}

/* check_duplicate_owner raises 42501 unless the current role may change a task of the session user. */
static void
check_duplicate_owner(const Submission *s, Oid user, Oid session_user)
{
	if (session_user != GetSessionUserId() ||
		!(has_privs_of_role(GetUserId(), user) || corm_pool_may(&s->ref, CORM_POOL_MANAGE)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to change the task with unique key \"%s\"", s->opts->unique_key)));
}

/* duplicate_error raises 42710. */
static void
duplicate_error(const Submission *s, int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("a task with unique key \"%s\" already exists in pool \"%s\"", s->opts->unique_key, s->ref.name),
			 errdetail("It is task " INT64_FORMAT ".", id)));
}

/* same_key tells whether a task's key is that of a submission.  Needs the lock. */
static bool
same_key(const Submission *s, CormBlockId block)
{
	CormTaskMore *more = corm_task_more(corm_task_at(block));
	Size		len = s->opts->key ? strlen(s->opts->key) : 0;
	char		text[UINT8_MAX + 1];

	if (more->key_len != len)
		return false;
	corm_queue_read(block, more->name_len, text, len);
	return memcmp(text, s->opts->key ? s->opts->key : "", len) == 0;
}

/*
 * settle_duplicate does what the options say about a task that uses the unique key
 * already.  Called with the lock, which it releases.  Returns its ID if that is the
 * answer, 0 if the caller is to look again.
 */
static int64
settle_duplicate(Submission *s, CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormTaskDuplicate how = s->opts->on_duplicate;
	int64		id = task->id;
	Oid			user = task->user;
	Oid			session_user = task->session_user;
	bool		durable = task->durable;
	/* one that is cancelled still has a row, which a worker will delete */
	bool		running = task->state == CORM_TASK_RUNNING || (durable && task->cancelled);
	bool		own = task->procno == corm_my_procno();
	bool		same = same_key(s, block);

	if (!own && (task->state == CORM_TASK_UNCOMMITTED || task->holds > 0))
	{
		int			procno = task->procno;

		corm_queue_unlock();
		wait_for_settling(id, procno);
		return 0;
	}
	corm_queue_unlock();

	if (how == CORM_DUPLICATE_IGNORE)
		return id;
	if (how == CORM_DUPLICATE_ERROR || running)
		duplicate_error(s, id);
	check_duplicate_owner(s, user, session_user);
	if (how == CORM_DUPLICATE_REPLACE && !same)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("a task cannot be replaced by one with another key")));
	if (how == CORM_DUPLICATE_REPLACE && durable != s->opts->durable)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 durable ? errmsg("a durable task can only be replaced by a durable one") :
				 errmsg("a task in memory cannot be replaced by a durable one")));

	corm_queue_lock();
	block = corm_queue_find(id);
	task = block == 0 ? NULL : corm_task_at(block);
	if (task == NULL || corm_task_has_ended(task) || task->state == CORM_TASK_RUNNING ||
		(task->durable && task->cancelled) ||
		task->holds == UINT8_MAX ||
		(task->procno != corm_my_procno() && (task->state == CORM_TASK_UNCOMMITTED || task->holds > 0)))
	{
		bool		too_many = task != NULL && task->holds == UINT8_MAX;

		corm_queue_unlock();
		if (too_many)
			duplicate_error(s, id);
		return 0;
	}
	corm_queue_hold(block);
	task->procno = corm_my_procno();
	s->effect->deed = how == CORM_DUPLICATE_REPLACE ? DEED_REPLACE : DEED_RESCHEDULE;
	s->durable_duplicate = durable;
	s->effect->id = id;
	s->effect->due = s->due;
	s->effect->run_at = s->run_at;
	corm_queue_unlock();
	return id;
}

/* set_pool finds the pool of a submission in shared memory. */
static void
set_pool(Submission *s)
{
	const CormTaskOptions *opts = s->opts;

	s->pool = corm_pool_number(&s->ref);
	if (opts->key != NULL)
		corm_queue_hash(s->key_hash, s->pool, opts->key, strlen(opts->key));
	if (opts->unique_key != NULL)
		corm_queue_hash(s->unique_hash, s->pool, opts->unique_key, strlen(opts->unique_key));
}

/*
 * add_task puts the task of a submission into the queue, as one that is not committed,
 * and returns its ID; or that of another one, according to on_duplicate.
 */
static int64
add_task(Submission *s)
{
	CormPool   *pool = &corm_pools[s->pool];
	int64		deadline = s->opts->wait_us < 0 ? PG_INT64_MAX : corm_clock_mono() + s->opts->wait_us;

	for (;;)
	{
		CormBlockId block = 0;
		bool		closed;
		bool		own;
		int64		id;

		corm_queue_lock();
		if (!pool->used || pool->definition != s->ref.id || pool->database != MyDatabaseId)
		{
			/* it was forgotten because nothing was in it */
			corm_queue_unlock();
			set_pool(s);
			pool = &corm_pools[s->pool];
			corm_task_at(s->effect->chain.first)->pool = s->pool;
			continue;
		}
		closed = pool->closed || pool->dropped;
		if (!closed && s->opts->unique_key != NULL)
			block = corm_queue_unique_task(s->pool, s->unique_hash);
		if (block != 0)
		{
			id = settle_duplicate(s, block);
			if (id != 0)
				return id;
			continue;
		}
		if (!closed && (s->opts->durable || room_in(pool) > 0))
		{
			bool		added;

			block = s->effect->chain.first;
			added = add_to_queue(s, s->opts->unique_key ? s->unique_hash : NULL);
			id = corm_task_at(block)->id;
			corm_queue_unlock();
			if (!added)
				no_memory();
			return id;
		}
		own = room_taken(pool) <= own_room[s->pool];
		corm_queue_unlock();
		if (closed)
			closed_error(s);
		if (own)
			full_error(s, true);
		if (s->opts->wait_us == 0 || !wait_for_room(s->pool, 1, deadline))
			full_error(s, false);
	}
}

/* prepare looks up what a submission names, and checks the rights. */
static void
prepare(Submission *s, const CormTaskOptions *opts)
{
	memset(s, 0, sizeof(Submission));
	s->opts = opts;
	check_allowed();
	corm_pool_find(opts->pool, &s->ref);
	corm_pool_check(&s->ref, CORM_POOL_SUBMIT);
	set_pool(s);
	if (opts->wait_group != NULL)
		s->group = corm_group_find(opts->wait_group);
	if (opts->durable)
	{
		PreventCommandIfReadOnly("corm.submit() of a durable task");
		if (opts->unique_key != NULL)
			corm_load_wait();
	}
	s->timeout_ms = opts->timeout_ms > 0 ? opts->timeout_ms : s->ref.timeout_ms;
}

/* set_time computes when the task is due. */
static void
set_time(Submission *s)
{
	TimestampTz now = corm_clock_real();
	int64		delay = Max(s->opts->delay_us, 0);

	s->now = now;
	if (s->opts->run_at != 0)
		delay = Max(s->opts->run_at - now, 0);
	s->due = delay == 0 ? 0 : corm_clock_mono() + delay;
	s->run_at = s->opts->run_at != 0 ? s->opts->run_at : now + delay;
}

/* is_outside tells whether a statement cannot, or may not want to, run inside of a transaction. */
static bool
is_outside(const Node *stmt)
{
	ListCell   *lc;

	switch (nodeTag(stmt))
	{
		case T_CallStmt:
			return true;
		case T_VacuumStmt:
			return ((const VacuumStmt *) stmt)->is_vacuumcmd;
		case T_IndexStmt:
			return ((const IndexStmt *) stmt)->concurrent;
		case T_DropStmt:
			return ((const DropStmt *) stmt)->concurrent;
		case T_ReindexStmt:
			if (((const ReindexStmt *) stmt)->kind >= REINDEX_OBJECT_SCHEMA)
				return true;
			foreach(lc, ((const ReindexStmt *) stmt)->params)
			{
				if (strcmp(lfirst_node(DefElem, lc)->defname, "concurrently") == 0)
					return true;
			}
			return false;
		default:
			return false;
	}
}

/* is_at tells whether two characters are at a place of a text. */
static bool
is_at(const char *at, const char *end, const char *two)
{
	return end - at >= 2 && at[0] == two[0] && at[1] == two[1];
}

/* skip_comment returns the end of a comment that begins at a place of a text; that place if none does. */
static const char *
skip_comment(const char *at, const char *end)
{
	int			depth = 0;

	if (is_at(at, end, "--"))
	{
		while (at < end && *at != '\n' && *at != '\r')
			at++;
	}
	else if (is_at(at, end, "/*"))
	{
		do
		{
			bool		opens = is_at(at, end, "/*");
			bool		closes = is_at(at, end, "*/");

			depth += opens - closes;
			at += opens || closes ? 2 : 1;
		} while (depth > 0 && at < end);
	}
	return at;
}

/* first_word returns where the first word of a body is: after white space, comments and empty statements. */
static const char *
first_word(const char *at, const char *end)
{
	while (at < end)
	{
		const char *next = scanner_isspace(*at) || *at == ';' ? at + 1 : skip_comment(at, end);

		if (next == at)
			break;
		at = next;
	}
	return at;
}

/*
 * runs_outside tells whether a body is a single statement that is to run outside of a transaction, which is
 * possible only if the worker's process is nobody else's: where the current user is the session user.  Raises 42601.
 */
static bool
runs_outside(const CormTaskOptions *opts, const char *body, Size len)
{
	static const char *const words[] = {"call", "vacuum", "create", "drop", "reindex"};
	bool		candidate = false;
	const char *word;
	List	   *parsed;
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	if (opts->durable || user != GetSessionUserId() || security != 0)
		return false;
	word = first_word(body, body + len);
	for (int i = 0; i < lengthof(words) && !candidate; i++)
		candidate = body + len - word >= strlen(words[i]) && pg_strncasecmp(word, words[i], strlen(words[i])) == 0;
	if (!candidate)
		return false;
	parsed = corm_parse_sql(pnstrdup(body, len), RAW_PARSE_DEFAULT);
	return list_length(parsed) == 1 && is_outside(linitial_node(RawStmt, parsed)->stmt);
}

/* make_request writes what the worker is to run. */
static void
make_request(Submission *s, const char *body, Size len, const CormParams *params)
{
	CormJob    *job = &s->job;

	corm_job_init(job);
	strlcpy(job->name, s->opts->name[0] ? s->opts->name : "task", NAMEDATALEN);
	if (s->opts->isolation >= 0)
		job->isolation = s->opts->isolation;
	job->timeout_ms = s->timeout_ms;
	job->body = body;
	job->body_len = len;
	if (runs_outside(s->opts, body, len))
		job->kind = CORM_JOB_TOP_LEVEL;
	if (params != NULL)
		job->params = *params;
	initStringInfo(&s->request);
	corm_job_flatten(job, &s->request);
	corm_work_check_payload(s->request.len, "a task");
}

/* insert_row adds the row of a durable task. */
static void
insert_row(Submission *s, int64 id)
{
	corm_durable_task_insert(id, s->opts, &s->job, s->now, s->run_at, max_attempts(s));
}

/* change_row makes the change to the row of a durable task that the effect makes to the task. */
static void
change_row(Submission *s, int64 id)
{
	if (s->effect->deed == DEED_REPLACE)
		corm_durable_task_replace(id, s->opts, &s->job, s->now, s->run_at, max_attempts(s));
	else if (s->effect->deed == DEED_RESCHEDULE)
		corm_durable_task_reschedule(id, s->run_at);
}

/* submit_one submits a task, and returns its ID. */
static int64
submit_one(Submission *s, const char *body, Size len, const CormParams *params)
{
	int64		id;

	set_time(s);
	make_request(s, body, len, params);
	/* counted before the effect is added, so that it is applied before the task is */
	if (s->group.generation != 0 && !s->opts->immediate)
		corm_group_add_tasks(s->group, 1, false);
	s->effect = add_effect();
	if (s->group.generation != 0 && s->opts->immediate)
	{
		corm_group_add_tasks(s->group, 1, true);
		s->effect->group = s->group;
	}
	if (!take_blocks(s))
	{
		/* a row alone will do, unless something in memory must know of it */
		if (!s->opts->durable || s->opts->key || s->opts->unique_key || s->group.generation != 0)
			no_memory();
		id = corm_durable_task_next_id();
		insert_row(s, id);
		s->effect->deed = DEED_LOAD;
		return id;
	}
	write_task(s);
	id = add_task(s);
	if (s->opts->durable && s->effect->deed == DEED_SUBMIT)
		insert_row(s, id);
	if (s->durable_duplicate)
	{
		PreventCommandIfReadOnly("corm.submit() that changes a durable task");
		change_row(s, id);
		s->durable_duplicate = false;
	}
	pfree(s->request.data);

	if (s->effect->deed != DEED_SUBMIT && s->group.generation != 0)
	{
		/* it is another task's wait group that counts */
		if (s->opts->immediate)
			corm_group_task_ended(s->group);
		else
			corm_group_add_tasks(s->group, -1, false);
	}
	s->effect->group.generation = 0;
	if (s->opts->immediate || s->effect->deed == DEED_NOTHING)
	{
		corm_effect_remove(&s->effect->effect);
		task_apply(&s->effect->effect);
		pfree(s->effect);
	}
	return id;
}

/*
 * corm_task_submit submits a task and returns its ID.  It starts when the transaction
 * commits, or at once.  Raises what stands in the documentation of corm.submit.
 */
int64
corm_task_submit(const CormTaskOptions *opts, const char *body, Size len, const CormParams *params)
{
	Submission	s;

	prepare(&s, opts);
	return submit_one(&s, body, len, params);
}

/* corm_submit_load_at_commit has the rows of durable tasks looked at when the transaction commits. */
void
corm_submit_load_at_commit(void)
{
	add_effect()->deed = DEED_LOAD;
}

/* corm_submit_cancel_at_commit cancels a task when the transaction commits, if it has not begun then. */
void
corm_submit_cancel_at_commit(int64 id)
{
	TaskEffect *effect = add_effect();

	effect->deed = DEED_CANCEL;
	effect->id = id;
}

/* corm_submit_is_own tells whether a task was submitted by this transaction, which has not ended. */
bool
corm_submit_is_own(int64 id)
{
	CormBlockId block;
	bool		own;

	corm_queue_lock();
	block = corm_queue_find(id);
	own = block != 0 && corm_task_at(block)->state == CORM_TASK_UNCOMMITTED &&
		corm_task_at(block)->procno == corm_my_procno();
	corm_queue_unlock();
	return own;
}

/*
 * corm_submit_loaded submits a durable task that has a row, with the job that was made
 * of it, when the transaction commits.  Raises 42704 for an unknown pool, 53200.
 */
void
corm_submit_loaded(const CormDurable *durable, const CormJob *job)
{
	CormTaskOptions opts = durable->opts;
	Submission	s = {0};
	CormBlockId block;
	bool		added = true;

	opts.durable = true;
	s.opts = &opts;
	s.durable = durable;
	corm_pool_find(opts.pool, &s.ref);
	set_pool(&s);
	s.now = corm_clock_real();
	s.run_at = durable->run_at;
	s.due = durable->run_at <= s.now ? 0 : corm_clock_mono() + (durable->run_at - s.now);
	initStringInfo(&s.request);
	corm_job_flatten(job, &s.request);
	s.effect = add_effect();
	if (!take_blocks(&s))
		no_memory();
	write_task(&s);

	corm_queue_lock();
	block = corm_queue_find(durable->id);
	if (block != 0 && corm_task_has_ended(corm_task_at(block)))
	{
		corm_queue_forget(block);
		block = 0;
	}
	if (block == 0)
		added = add_to_queue(&s, opts.unique_key != NULL && corm_queue_unique_task(s.pool, s.unique_hash) == 0 ?
							 s.unique_hash : NULL);
	corm_queue_unlock();
	if (!added)
		no_memory();
	pfree(s.request.data);
}

/* submit does the work of corm.submit in all its forms. */
static Datum
submit(FunctionCallInfo fcinfo, bool has_opts)
{
	int			body_arg = has_opts ? 1 : 0;
	CormTaskOptions opts;
	CormParams	params;
	text	   *body;

	if (PG_ARGISNULL(body_arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("body of a task must not be null")));
	if (has_opts && !PG_ARGISNULL(0))
		corm_task_options_parse(PG_GETARG_DATUM(0), &opts);
	else
		corm_task_options_init(&opts);
	body = PG_GETARG_TEXT_PP(body_arg);
	corm_params_of_call(fcinfo, body_arg + 1, body_arg, &params);
	PG_RETURN_INT64(corm_task_submit(&opts, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), &params));
}

/* corm.submit(body, ...) */
Datum
corm_submit(PG_FUNCTION_ARGS)
{
	return submit(fcinfo, false);
}

/* corm.submit(opts, body, ...) */
Datum
corm_submit_opts(PG_FUNCTION_ARGS)
{
	return submit(fcinfo, true);
}

/* bad_params raises 22023 for parameters that are no array of arrays. */
static void
bad_params(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("parameters of corm.submit_many must be an array with an array for each task")));
}

/*
 * params_of_json makes parameters of a JSON array: text, which takes the type of its
 * place, and NULL.
 */
static void
params_of_json(JsonbContainer *array, CormParams *params)
{
	int			n = JsonContainerSize(array);
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	value;
	JsonbIteratorToken token;

	params->n = 0;
	params->types = palloc(Max(n, 1) * sizeof(Oid));
	params->values = palloc0(Max(n, 1) * sizeof(Datum));
	params->nulls = palloc0(Max(n, 1) * sizeof(bool));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char	   *text;

		if (token != WJB_ELEM)
			continue;
		params->types[params->n] = TEXTOID;
		params->nulls[params->n] = value.type == jbvNull;
		if (value.type == jbvString)
			text = pnstrdup(value.val.string.val, value.val.string.len);
		else if (value.type == jbvNull)
			text = NULL;
		else
		{
			Jsonb	   *jsonb = JsonbValueToJsonb(&value);

			text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
		}
		if (text != NULL)
			params->values[params->n] = CStringGetTextDatum(text);
		params->n++;
	}
}

/* submit_many(opts, body, params) -> bigint[] */
Datum
corm_submit_many(PG_FUNCTION_ARGS)
{
	CormTaskOptions opts;
	Submission	s;
	text	   *body;
	Jsonb	   *tasks;
	int			n;
	Datum	   *ids;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", PG_ARGISNULL(1) ? "body of a task" : "parameters of corm.submit_many")));
	if (PG_ARGISNULL(0))
		corm_task_options_init(&opts);
	else
		corm_task_options_parse(PG_GETARG_DATUM(0), &opts);
	body = PG_GETARG_TEXT_PP(1);
	tasks = PG_GETARG_JSONB_P(2);
	if (!JB_ROOT_IS_ARRAY(tasks) || JB_ROOT_IS_SCALAR(tasks))
		bad_params();
	n = JB_ROOT_COUNT(tasks);
	ids = palloc(Max(n, 1) * sizeof(Datum));

	prepare(&s, &opts);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&tasks->root, i);
		CormParams	params;

		if (element->type != jbvBinary || !JsonContainerIsArray(element->val.binary.data))
			bad_params();
		params_of_json(element->val.binary.data, &params);
		ids[i] = Int64GetDatum(submit_one(&s, VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body), &params));
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
