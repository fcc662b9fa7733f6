/*-------------------------------------------------------------------------
 *
 * work.c
 *		Start of the work layer: an ordered list of initialisations.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "work/group/group.h"
#include "work/process/start.h"
#include "work/shared/gone.h"
#include "work/shared/memory.h"
#include "work/work.h"

/* corm_work_init runs in every process; most of it does something only when preloaded. */
void
corm_work_init(void)
{
	corm_work_memory_init();
	corm_work_gone_init();
	corm_workers_init();
	corm_group_init();
}
