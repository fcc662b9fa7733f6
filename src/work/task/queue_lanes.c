/*-------------------------------------------------------------------------
 *
 * queue_lanes.c
 *		Lanes: the tasks that a worker can take next.
 *
 * All of it needs the lock of the queue, and raises nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "work/task/queue_parts.h"

/* corm_queue_find_lane returns the lane of a pool and session user, made if there is none; 0 without memory. */
CormBlockId
corm_queue_find_lane(int pool, Oid session_user)
{
	CormBlockId block;
	CormLane   *lane;

	for (block = corm_tasks->lanes; block != 0; block = corm_lane_at(block)->link)
	{
		if (corm_lane_at(block)->pool == pool && corm_lane_at(block)->session_user == session_user)
			return block;
	}
	block = corm_queue_take_block();
	if (block == 0)
		return 0;
	lane = corm_lane_at(block);
	lane->pool = pool;
	lane->database = corm_pools[pool].database;
	lane->session_user = session_user;
	lane->link = corm_tasks->lanes;
	if (lane->link != 0)
		corm_lane_at(lane->link)->prev = block;
	corm_tasks->lanes = block;
	return block;
}

/* corm_queue_unref_lane forgets a task that had a lane, and a lane that has no more tasks. */
void
corm_queue_unref_lane(CormBlockId block)
{
	CormLane   *lane = corm_lane_at(block);

	if (--lane->refs > 0)
		return;
	if (lane->prev != 0)
		corm_lane_at(lane->prev)->link = lane->link;
	else
		corm_tasks->lanes = lane->link;
	if (lane->link != 0)
		corm_lane_at(lane->link)->prev = lane->prev;
	corm_queue_give_blocks(block, block, 1);
}

/*
 * Levels are a treap: a tree ordered by priority, and by a hash of the priority from
 * the root down, so that it is flat whatever the priorities are.
 */

uint32
corm_queue_level_weight(CormBlockId level)
{
	return murmurhash32((uint32) corm_task_at(level)->priority ^ corm_tasks->level_seed);
}

/* level_link returns where the level of a priority is linked; one that is 0 if there is none. */
static CormBlockId *
level_link(CormLane *lane, int32 priority)
{
	CormBlockId *link = &lane->levels;

	while (*link != 0 && corm_task_at(*link)->priority != priority)
		link = priority < corm_task_at(*link)->priority ? &corm_task_at(*link)->level_lower : &corm_task_at(*link)->level_higher;
	return link;
}

/* add_level puts a task into the tree, whose priority has no level yet. */
static void
add_level(CormLane *lane, CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormBlockId *link = &lane->levels;
	CormBlockId *lower = &task->level_lower;
	CormBlockId *higher = &task->level_higher;
	CormBlockId below;

	while (*link != 0 && corm_queue_level_weight(*link) >= corm_queue_level_weight(block))
		link = task->priority < corm_task_at(*link)->priority ? &corm_task_at(*link)->level_lower : &corm_task_at(*link)->level_higher;
	below = *link;
	*link = block;
	/* what was there goes to both sides of it */
	while (below != 0)
	{
		CormTask   *other = corm_task_at(below);

		if (other->priority < task->priority)
		{
			*lower = below;
			lower = &other->level_higher;
			below = *lower;
		}
		else
		{
			*higher = below;
			higher = &other->level_lower;
			below = *higher;
		}
	}
	*lower = *higher = 0;
	if (lane->top == 0 || task->priority > corm_task_at(lane->top)->priority)
		lane->top = block;
}

/* remove_level takes a level out of the tree. */
static void
remove_level(CormLane *lane, CormBlockId *link)
{
	CormBlockId lower = corm_task_at(*link)->level_lower;
	CormBlockId higher = corm_task_at(*link)->level_higher;
	bool		was_top = *link == lane->top;

	while (lower != 0 && higher != 0)
	{
		if (corm_queue_level_weight(lower) >= corm_queue_level_weight(higher))
		{
			*link = lower;
			link = &corm_task_at(lower)->level_higher;
			lower = *link;
		}
		else
		{
			*link = higher;
			link = &corm_task_at(higher)->level_lower;
			higher = *link;
		}
	}
	*link = lower != 0 ? lower : higher;
	if (!was_top)
		return;
	lane->top = lane->levels;
	while (lane->top != 0 && corm_task_at(lane->top)->level_higher != 0)
		lane->top = corm_task_at(lane->top)->level_higher;
}

/* corm_queue_push_ready puts a task at the end of its level. */
void
corm_queue_push_ready(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormLane   *lane = corm_lane_at(task->lane);
	CormBlockId level = *level_link(lane, task->priority);

	if (unlikely(task->place != CORM_TASK_NOWHERE))
		corm_queue_damaged("a task becomes ready that is in a list");
	task->next = 0;
	task->level_lower = task->level_higher = 0;
	if (level != 0)
	{
		CormTask   *first = corm_task_at(level);

		task->prev = first->prev;
		corm_task_at(first->prev)->next = block;
		first->prev = block;
	}
	else
	{
		task->prev = block;
		add_level(lane, block);
	}
	task->place = CORM_TASK_READY;
	lane->nready++;
	lane->wake = true;
	corm_queue.to_wake = true;
}

/* remove_ready takes a task out of its level. */
static void
remove_ready(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormLane   *lane = corm_lane_at(task->lane);
	CormBlockId *link = level_link(lane, task->priority);
	CormTask   *first = corm_task_at(*link);

	if (first != task)
	{
		corm_task_at(task->prev)->next = task->next;
		if (task->next != 0)
			corm_task_at(task->next)->prev = task->prev;
		else
			first->prev = task->prev;
	}
	else if (task->next != 0)
	{
		CormTask   *next = corm_task_at(task->next);

		next->prev = task->prev;
		next->level_lower = task->level_lower;
		next->level_higher = task->level_higher;
		*link = task->next;
		if (lane->top == block)
			lane->top = task->next;
	}
	else
		remove_level(lane, link);
	task->next = task->prev = task->level_lower = task->level_higher = 0;
	task->place = CORM_TASK_NOWHERE;
	lane->nready--;
}

/*
 * corm_queue_doom has a worker delete the row of a durable task that was cancelled, before it takes anything
 * else.  Others can use its unique key at once.
 */
void
corm_queue_doom(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormLane   *lane = corm_lane_at(task->lane);

	corm_queue_drop_unique(task);
	corm_queue_list_add(&lane->doomed, block, CORM_TASK_DOOMED);
	lane->ndoomed++;
	lane->wake = true;
	corm_queue.to_wake = true;
}

/* corm_queue_leave_lane takes a task that waits out of its place, in the lane or at its key. */
void
corm_queue_leave_lane(CormBlockId block)
{
	CormTask   *task = corm_task_at(block);
	CormLane   *lane;

	switch ((CormTaskPlace) task->place)
	{
		case CORM_TASK_READY:
			remove_ready(block);
			break;
		case CORM_TASK_PARKED:
			corm_queue_unpark(block);
			break;
		case CORM_TASK_DOOMED:
			lane = corm_lane_at(task->lane);
			corm_queue_list_remove(&lane->doomed, block);
			lane->ndoomed--;
			break;
		default:
			break;
	}
}

/* corm_queue_wake_pool wakes the workers of a pool's lanes: there is a place for their tasks now. */
void
corm_queue_wake_pool(int pool)
{
	for (CormBlockId block = corm_tasks->lanes; block != 0; block = corm_lane_at(block)->link)
	{
		CormLane   *lane = corm_lane_at(block);

		if (lane->pool == pool && lane->nready > 0)
			lane->wake = corm_queue.to_wake = true;
	}
}
