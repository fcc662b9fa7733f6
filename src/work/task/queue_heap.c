/*-------------------------------------------------------------------------
 *
 * queue_heap.c
 *		Tasks and results by their time: a heap in shared memory.
 *
 * What is due next is at place 1.  All of it needs the lock of the queue, and raises nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/launcher.h"
#include "work/task/queue_parts.h"

/* corm_queue_is_before tells whether a task is due before another one. */
bool
corm_queue_is_before(CormBlockId a, CormBlockId b)
{
	const CormTask *x = corm_task_at(a);
	const CormTask *y = corm_task_at(b);

	if (x->due != y->due)
		return x->due < y->due;
	return corm_task_more(x)->seq < corm_task_more(y)->seq;
}

static void
heap_put(uint32 place, CormBlockId block)
{
	corm_queue.heap[place] = block;
	corm_task_at(block)->heap_place = place;
}

static void
heap_up(uint32 place, CormBlockId block)
{
	while (place > 1 && corm_queue_is_before(block, corm_queue.heap[place / 2]))
	{
		heap_put(place, corm_queue.heap[place / 2]);
		place /= 2;
	}
	heap_put(place, block);
}

static void
heap_down(uint32 place, CormBlockId block)
{
	for (;;)
	{
		uint32		child = place * 2;

		if (child > corm_tasks->nheap)
			break;
		if (child < corm_tasks->nheap && corm_queue_is_before(corm_queue.heap[child + 1], corm_queue.heap[child]))
			child++;
		if (!corm_queue_is_before(corm_queue.heap[child], block))
			break;
		heap_put(place, corm_queue.heap[child]);
		place = child;
	}
	heap_put(place, block);
}

void
corm_queue_heap_add(CormBlockId block)
{
	if (unlikely(corm_task_at(block)->heap_place != 0 || corm_tasks->nheap + 1 >= corm_queue.heap_size))
		corm_queue_damaged("a task comes into the heap twice");
	heap_up(++corm_tasks->nheap, block);
	if (corm_queue.heap[1] == block)
		corm_launcher_wake(corm_queue.duty);
}

void
corm_queue_heap_remove(CormBlockId block)
{
	uint32		place = corm_task_at(block)->heap_place;
	CormBlockId last;

	if (place == 0)
		return;
	corm_task_at(block)->heap_place = 0;
	last = corm_queue.heap[corm_tasks->nheap--];
	if (last == block)
		return;
	if (place > 1 && corm_queue_is_before(last, corm_queue.heap[place / 2]))
		heap_up(place, last);
	else
		heap_down(place, last);
}
