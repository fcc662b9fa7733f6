/*-------------------------------------------------------------------------
 *
 * copy.h
 *		A task as it is at a moment, copied from shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_COPY_H
#define CORM_WORK_TASK_COPY_H

#include "postgres.h"

#include "tx/tx.h"
#include "utils/jsonb.h"
#include "work/task/durable.h"
#include "work/task/pools.h"
#include "work/task/queue.h"

typedef struct CormTaskCopy
{
	CormTask	task;
	CormTaskMore more;
	char		pool[NAMEDATALEN];
	Oid			database;
	int64		definition;
	char	   *payload;		/* palloc'd; NULL unless it was asked for */
	char	   *result;			/* palloc'd; NULL: none */
	char		note[CORM_TASK_NOTE_MAX];
	char		name[NAMEDATALEN];
} CormTaskCopy;

extern bool corm_task_copy(int64 id, bool payload, CormTaskCopy *copy);
extern void corm_task_copy_row(const CormDurable *durable, CormTaskCopy *copy);
extern void corm_task_no_such(int64 id) pg_attribute_noreturn();
extern bool corm_task_is_own(const CormTaskCopy *copy, bool manage);
extern void corm_task_check_own(const CormTaskCopy *copy, bool manage);
extern ErrorData *corm_task_error(const CormTaskCopy *copy);
extern CormTxOutcome corm_task_outcome(const CormTaskCopy *copy, Jsonb **value, ErrorData **error);
extern const char *corm_task_state_name(CormTaskState state);

#endif							/* CORM_WORK_TASK_COPY_H */
