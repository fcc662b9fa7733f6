/*-------------------------------------------------------------------------
 *
 * queue_audit.c
 *		What must hold in the queue: for corm.work_check().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "work/shared/audit.h"
#include "work/task/queue_parts.h"

/* What an audit counts in the tasks of a pool. */
typedef struct PoolCounts
{
	uint32		tasks;
	uint32		waiting;
	uint32		scheduled;
	uint32		retrying;
	uint32		running;
	uint32		reserved;
} PoolCounts;

/* count_pool counts the tasks of a pool. */
static void
count_pool(int pool, PoolCounts *counts)
{
	memset(counts, 0, sizeof(PoolCounts));
	for (uint32 i = 0; i < corm_queue.nbuckets; i++)
	{
		for (CormBlockId block = corm_queue.task_chains[i]; block != 0; block = corm_task_at(block)->hash_next)
		{
			CormTask   *task = corm_task_at(block);

			if (task->pool != pool)
				continue;
			counts->tasks++;
			counts->waiting += task->state == CORM_TASK_WAITING;
			counts->scheduled += task->state == CORM_TASK_SCHEDULED;
			counts->retrying += task->state == CORM_TASK_RETRYING;
			counts->running += task->state == CORM_TASK_RUNNING;
			counts->reserved += task->pool_counted;
		}
	}
}

/* audit_pools compares what the pools count with the tasks. */
static void
audit_pools(CormAudit *audit)
{
	for (int i = 0; i < corm_max_pools; i++)
	{
		CormPool   *pool = &corm_pools[i];
		PoolCounts	counts;

		if (!pool->used)
			continue;
		count_pool(i, &counts);
		if (counts.tasks != pool->tasks || counts.waiting != pool->waiting || counts.scheduled != pool->scheduled ||
			counts.retrying != pool->retrying || counts.running != pool->running || counts.reserved != pool->reserved)
			corm_audit_problem(audit, "pool %d counts %u tasks, %u waiting, %u scheduled, %u retrying, %u running, %u reserved",
							   i, pool->tasks, pool->waiting, pool->scheduled, pool->retrying, pool->running, pool->reserved);
	}
}

/* audit_tasks verifies the tasks, and names their blocks. */
static void
audit_tasks(CormAudit *audit)
{
	uint32		ntasks = 0;
	uint32		nheap = 0;

	for (uint32 i = 0; i < corm_queue.nbuckets; i++)
	{
		for (CormBlockId block = corm_queue.task_chains[i]; block != 0; block = corm_task_at(block)->hash_next)
		{
			CormTask   *task = corm_task_at(block);
			CormTaskMore *more = corm_task_more(task);

			ntasks++;
			nheap += task->heap_place != 0;
			corm_audit_chain(audit, "a task", block);
			corm_audit_chain(audit, "a result", more->result_first);
			corm_audit_chain(audit, "a note", more->note);
			if (task->heap_place != 0 && corm_queue.heap[task->heap_place] != block)
				corm_audit_problem(audit, "task " INT64_FORMAT " is not where it is in the heap", task->id);
			if (task->heap_place > 1 && corm_queue_is_before(block, corm_queue.heap[task->heap_place / 2]))
				corm_audit_problem(audit, "task " INT64_FORMAT " is before its parent in the heap", task->id);
			if (corm_task_has_ended(task) != (task->place == CORM_TASK_ENDED))
				corm_audit_problem(audit, "task " INT64_FORMAT " is in a wrong list", task->id);
			if (task->state == CORM_TASK_WAITING && task->holds == 0 && task->place == CORM_TASK_NOWHERE)
				corm_audit_problem(audit, "task " INT64_FORMAT " waits nowhere", task->id);
		}
	}
	if (ntasks != corm_tasks->ntasks)
		corm_audit_problem(audit, "there are %u tasks, counted are %u", ntasks, corm_tasks->ntasks);
	if (nheap != corm_tasks->nheap)
		corm_audit_problem(audit, "%u tasks are in the heap, counted are %u", nheap, corm_tasks->nheap);
}

/*
 * audit_levels verifies a tree of levels, whose priorities are within bounds, and
 * returns the number of tasks.  The depth is logarithmic in the number of levels.
 */
static uint32
audit_levels(CormAudit *audit, CormBlockId level, int32 min, int32 max)
{
	CormTask   *first;
	CormBlockId last = level;
	uint32		n = 0;

	if (level == 0)
		return 0;
	first = corm_task_at(level);
	for (CormBlockId task = level; task != 0; task = corm_task_at(task)->next)
	{
		last = task;
		n++;
	}
	if (first->prev != last)
		corm_audit_problem(audit, "a level of priority %d has a wrong last task", first->priority);
	if (first->priority < min || first->priority > max ||
		(first->level_lower != 0 && corm_queue_level_weight(first->level_lower) > corm_queue_level_weight(level)) ||
		(first->level_higher != 0 && corm_queue_level_weight(first->level_higher) > corm_queue_level_weight(level)))
		corm_audit_problem(audit, "a level of priority %d is at a wrong place", first->priority);
	if (first->level_lower != 0)
		n += audit_levels(audit, first->level_lower, min, first->priority - 1);
	if (first->level_higher != 0)
		n += audit_levels(audit, first->level_higher, first->priority + 1, max);
	return n;
}

/* audit_entries verifies lanes and keys, and names their blocks. */
static void
audit_entries(CormAudit *audit)
{
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = corm_lane_at(block)->link)
	{
		CormLane   *lane = corm_lane_at(block);
		CormBlockId highest;
		uint32		nready;
		uint32		ndoomed = 0;

		corm_audit_block(audit, "a lane", block);
		nready = audit_levels(audit, lane->levels, PG_INT32_MIN, PG_INT32_MAX);
		if (nready != lane->nready)
			corm_audit_problem(audit, "a lane of pool %d has %u tasks, counted are %u", lane->pool, nready, lane->nready);
		for (CormBlockId doomed = lane->doomed.first; doomed != 0; doomed = corm_task_at(doomed)->next)
			ndoomed++;
		if (ndoomed != lane->ndoomed)
			corm_audit_problem(audit, "a lane of pool %d has %u cancelled tasks, counted are %u", lane->pool, ndoomed, lane->ndoomed);
		highest = lane->levels;
		while (highest != 0 && corm_task_at(highest)->level_higher != 0)
			highest = corm_task_at(highest)->level_higher;
		if (highest != lane->top)
			corm_audit_problem(audit, "a lane of pool %d has a wrong first task", lane->pool);
	}
	for (uint32 i = 0; i < corm_queue.nbuckets; i++)
	{
		for (CormBlockId block = corm_queue.key_chains[i]; block != 0; block = corm_key_at(block)->link)
		{
			CormTaskKey *key = corm_key_at(block);

			corm_audit_block(audit, "a key", block);
			if (key->refs == 0 || key->active > key->refs)
				corm_audit_problem(audit, "a key of pool %u has %u tasks, %u of them active", key->pool, key->refs, key->active);
		}
		for (CormBlockId block = corm_queue.unique_chains[i]; block != 0; block = corm_unique_at(block)->link)
		{
			corm_audit_block(audit, "a unique key", block);
			if (corm_task_at(corm_unique_at(block)->task)->unique != block)
				corm_audit_problem(audit, "a unique key of pool %u is not that of its task", corm_unique_at(block)->pool);
		}
	}
}

/* audit_queue verifies the queue. */
static void
audit_queue(CormAudit *audit)
{
	audit_tasks(audit);
	audit_pools(audit);
	audit_entries(audit);
}

static void
unlock_audit(void)
{
	LWLockRelease(&corm_tasks->lock);
}

static const CormAuditPart queue_audit = {
	.lock = corm_queue_lock,
	.walk = audit_queue,
	.unlock = unlock_audit,
};

/* corm_queue_audit_init adds the audit of the queue. */
void
corm_queue_audit_init(void)
{
	/* the lock of wait groups is taken while that of tasks is held */
	corm_audit_add(&queue_audit);
	corm_group_audit_init();
}
