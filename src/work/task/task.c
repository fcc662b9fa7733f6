/*-------------------------------------------------------------------------
 *
 * task.c
 *		Start of the room of tasks: an ordered list of initialisations.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "work/task/load.h"
#include "work/task/owners.h"
#include "work/task/queue.h"
#include "work/task/run.h"
#include "work/task/task.h"
#include "work/task/waiters.h"

/* corm_task_init runs in every process; most of it does something only when preloaded. */
void
corm_task_init(void)
{
	corm_queue_init();
	corm_waiters_init();
	corm_load_init();
	corm_task_owners_init();
	corm_task_run_init();
}
