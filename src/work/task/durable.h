/*-------------------------------------------------------------------------
 *
 * durable.h
 *		Durable tasks: their rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_DURABLE_H
#define CORM_WORK_TASK_DURABLE_H

#include "postgres.h"

#include "work/process/job.h"
#include "work/task/options.h"

/* The row of a durable task, as far as others need it.  Everything is palloc'd. */
typedef struct CormDurable
{
	int64		id;
	CormTaskOptions opts;		/* the pool and what matters for the queue */
	Oid			session_user;
	Oid			user;
	int32		attempt;
	int32		crashes;
	bool		failed;
	bool		foreign;		/* of another database: it rests */
	bool		kept;			/* it has succeeded (kept.h) */
	TimestampTz submitted_at;
	TimestampTz run_at;
	char	   *body;
	char	   *error;			/* of the last attempt; NULL: none */
	int			sqlerrcode;
	TimestampTz started_at;		/* these three only of one that is kept */
	TimestampTz finished_at;
	Jsonb	   *value;			/* NULL: none */
} CormDurable;

/* Whether a task can be run. */
typedef enum CormDurableBegun
{
	CORM_DURABLE_BEGUN,			/* its row is locked */
	CORM_DURABLE_GONE,			/* it has none, or has failed for good, or is another database's */
	CORM_DURABLE_BUSY			/* another transaction has locked or changed the row */
} CormDurableBegun;

/* Submitting */
extern int64 corm_durable_task_next_id(void);
extern void corm_durable_task_insert(int64 id, const CormTaskOptions *opts, const CormJob *job,
								TimestampTz submitted_at, TimestampTz run_at, int32 max_attempts);
extern void corm_durable_task_replace(int64 id, const CormTaskOptions *opts, const CormJob *job,
								TimestampTz submitted_at, TimestampTz run_at, int32 max_attempts);
extern void corm_durable_task_reschedule(int64 id, TimestampTz run_at);

/* Running */
extern CormDurableBegun corm_durable_task_begin(int64 id, CormDurable **kept);
extern void corm_durable_task_succeed(int64 id);
extern void corm_durable_task_fail(int64 id, int32 attempt, bool retry, TimestampTz run_at, const ErrorData *error);
extern void corm_durable_task_record_failure(int64 id, int32 attempt, bool retry, TimestampTz run_at, const ErrorData *error);
extern void corm_durable_task_record_cancel(int64 id);

/* Looking */
extern bool corm_durable_task_read(int64 id, CormDurable *durable);
extern void corm_durable_task_each(bool (*visit) (CormDurable *durable, void *arg), void *arg);
extern void corm_durable_task_params(int64 id, CormParams *params);
extern bool corm_durable_task_make_job(int64 id, CormJob *job);
extern int32 corm_durable_task_count_crash(int64 id);
extern bool corm_durable_task_reset(int64 id);
extern int64 corm_durable_task_adopt(void);
extern bool corm_durable_task_delete(int64 id);

#endif							/* CORM_WORK_TASK_DURABLE_H */
