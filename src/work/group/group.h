/*-------------------------------------------------------------------------
 *
 * group.h
 *		Wait groups, as tasks see them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_GROUP_H
#define CORM_WORK_GROUP_H

#include "base/compat.h"

/* Which group: good as long as the group exists.  Generation 0 is none. */
typedef struct CormGroupRef
{
	uint32		index;
	uint32		generation;
} CormGroupRef;

extern void corm_group_init(void);
extern void corm_group_audit_init(void);
extern CormGroupRef corm_group_find(const char *name);
extern void corm_group_add_tasks(CormGroupRef ref, int n, bool immediate);
extern void corm_group_task_ended(CormGroupRef ref);
extern bool corm_group_name(CormGroupRef ref, char *name);

#endif							/* CORM_WORK_GROUP_H */
