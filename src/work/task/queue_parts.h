/*-------------------------------------------------------------------------
 *
 * queue_parts.h
 *		What the files of the queue of tasks know of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_QUEUE_PARTS_H
#define CORM_WORK_QUEUE_PARTS_H

#include "work/task/queue.h"

/* Where things are in shared memory, and what this process has still to do. */
typedef struct CormQueue
{
	uint32		nbuckets;		/* a power of two */
	CormBlockId *task_chains;	/* by id */
	CormBlockId *key_chains;
	CormBlockId *unique_chains;
	uint32		heap_size;
	CormBlockId *heap;			/* from 1 on */
	bool		to_wake;		/* some lane has got a task */
	int			duty;			/* of the launcher */
} CormQueue;

extern CormQueue corm_queue;

static inline CormLane *
corm_lane_at(CormBlockId block)
{
	return (CormLane *) corm_block_addr(&corm_work_blocks, block);
}

static inline CormTaskKey *
corm_key_at(CormBlockId block)
{
	return (CormTaskKey *) corm_block_addr(&corm_work_blocks, block);
}

static inline CormTaskUnique *
corm_unique_at(CormBlockId block)
{
	return (CormTaskUnique *) corm_block_addr(&corm_work_blocks, block);
}

/* All of these need the lock, and raise nothing; the first restarts the server. */

/* queue.c */
extern void corm_queue_damaged(const char *what);
extern void corm_queue_unlink(CormBlockId *link, CormBlockId block, Size next);
extern void corm_queue_list_add(CormTaskList *list, CormBlockId block, CormTaskPlace place);
extern void corm_queue_list_remove(CormTaskList *list, CormBlockId block);
extern CormBlockId corm_queue_take_block(void);
extern void corm_queue_give_blocks(CormBlockId first, CormBlockId last, uint32 n);
extern CormBlockId *corm_queue_chain_of(int64 id);

/* queue_heap.c */
extern bool corm_queue_is_before(CormBlockId a, CormBlockId b);
extern void corm_queue_heap_add(CormBlockId block);
extern void corm_queue_heap_remove(CormBlockId block);

/* queue_lanes.c */
extern CormBlockId corm_queue_find_lane(int pool, Oid session_user);
extern void corm_queue_unref_lane(CormBlockId block);
extern uint32 corm_queue_level_weight(CormBlockId level);
extern void corm_queue_push_ready(CormBlockId block);
extern void corm_queue_doom(CormBlockId block);
extern void corm_queue_leave_lane(CormBlockId block);

/* queue_keys.c */
extern void corm_queue_activate(CormTask *task);
extern void corm_queue_park(CormBlockId block);
extern void corm_queue_unpark(CormBlockId block);
extern bool corm_queue_take_entries(CormBlockId block, const uint64 *key_hash, const uint64 *unique_hash);
extern void corm_queue_drop_unique(CormTask *task);
extern void corm_queue_drop_entries(CormTask *task);

/* queue_states.c */
extern void corm_queue_look_idle(CormPool *pool);
extern void corm_queue_set_waiting(CormBlockId block);
extern void corm_queue_set_scheduled(CormBlockId block, CormTaskState state);
extern void corm_queue_unset_state(CormBlockId block);

/* queue_due.c */
extern int64 corm_queue_promote(void);

/* At the start of the server. */
extern void corm_queue_due_init(void);
extern void corm_queue_audit_init(void);

#endif							/* CORM_WORK_QUEUE_PARTS_H */
