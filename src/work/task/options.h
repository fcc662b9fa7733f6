/*-------------------------------------------------------------------------
 *
 * options.h
 *		The options of a task.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_OPTIONS_H
#define CORM_WORK_TASK_OPTIONS_H

#include "postgres.h"

#include "base/compat.h"
#include "datatype/timestamp.h"

typedef enum CormTaskDuplicate
{
	CORM_DUPLICATE_ERROR,
	CORM_DUPLICATE_IGNORE,
	CORM_DUPLICATE_REPLACE,
	CORM_DUPLICATE_RESCHEDULE
} CormTaskDuplicate;

typedef struct CormTaskOptions
{
	char		pool[NAMEDATALEN];
	char		name[NAMEDATALEN];
	int32		priority;
	int64		delay_us;		/* -1: none given */
	TimestampTz run_at;			/* 0: none given */
	int			timeout_ms;		/* 0: that of the pool */
	int32		max_attempts;	/* 0: that of the pool */
	int64		backoff_us;
	int64		max_backoff_us;
	char	   *unique_key;		/* NULL: none */
	CormTaskDuplicate on_duplicate;
	char	   *key;			/* NULL: none */
	int32		key_limit;
	char	   *wait_group;		/* NULL: none */
	int64		wait_us;		/* -1: for ever */
	bool		durable;
	bool		immediate;
	int			isolation;		/* XACT_..., or -1 for the session's default */
	int64		keep_us;		/* after success; -1: not at all */
} CormTaskOptions;

extern void corm_task_options_init(CormTaskOptions *opts);
extern void corm_task_options_parse(Datum composite, CormTaskOptions *opts);

#endif							/* CORM_WORK_TASK_OPTIONS_H */
