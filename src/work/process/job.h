/*-------------------------------------------------------------------------
 *
 * job.h
 *		A job: SQL that runs in another process, as somebody, with settings.
 *
 * A job is described by a request, which is flat bytes, so that it can be sent to a
 * worker (an autonomous call) or kept in shared memory until one takes it (a task).
 *
 * The request holds: the current user and the security context of who made it, its
 * settings as they differ from a new session's, the isolation level and read-only
 * mode that its next transaction would have, the body, and the parameters with
 * their types.  The session user is not part of it: a worker is authenticated as one
 * (worker.h), so a request must be given to a worker of the session user that made it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_JOB_H
#define CORM_WORK_JOB_H

#include "base/params.h"
#include "lib/stringinfo.h"
#include "utils/elog.h"
#include "utils/jsonb.h"

typedef enum CormJobKind
{
	CORM_JOB_ATOMIC,			/* one transaction for the whole body */
	CORM_JOB_TOP_LEVEL			/* each statement by itself, at top level; the
								 * worker is not used again */
} CormJobKind;

/* What a request is made of, and what it becomes again in the worker. */
struct CormJobReport;

typedef struct CormJob
{
	CormJobKind kind;
	char		name[NAMEDATALEN];	/* of its scope; empty: none was given */
	int			isolation;		/* XACT_... */
	bool		read_only;
	int			timeout_ms;		/* of an attempt; 0: none */
	int			retries;		/* after 40001 and 40P01 */
	int			depth;			/* 1 for what an ordinary session asks for */
	const char *body;
	Size		body_len;
	CormParams	params;

	/* set by corm_job_init, from the session */
	Oid			role;			/* of SET ROLE; invalid: none */
	Oid			user;
	int			security;		/* of SetUserIdAndSecContext */
	const char *settings;		/* corm_settings_collect's */
	Size		settings_len;

	/* set by corm_job_parse: the parameters as they came */
	const char *flat_params;
	Size		flat_params_len;

	/*
	 * The request has no parameters: read_late reads them, when the job acts as its user, before the body.  The input
	 * functions of types run code of users.
	 */
	bool		late_params;
	void		(*read_late) (struct CormJob *job);

	/*
	 * For tasks; both may be NULL.  They run in the transaction of the body, as
	 * the session user, without the settings.  begin: before the body; if it
	 * returns false, the job ends at once, as CORM_JOB_SKIPPED, rolled back.  end:
	 * after the body, when its subtransaction is committed or rolled back; the
	 * transaction then commits (CORM_JOB_ATOMIC only).  With end, an error of the
	 * body rolls back the body alone, and there are no retries: end decides.
	 */
	bool		(*begin) (struct CormJob *job);
	void		(*end) (struct CormJob *job, struct CormJobReport *report);
	void	   *arg;
} CormJob;

/* How far a job has come, as others see it. */
typedef enum CormPhase
{
	CORM_PHASE_NONE,			/* not begun */
	CORM_PHASE_BODY,
	CORM_PHASE_COMMITTING,
	CORM_PHASE_COMMITTED,
	CORM_PHASE_ROLLED_BACK
} CormPhase;

typedef enum CormJobOutcome
{
	CORM_JOB_COMMITTED,
	CORM_JOB_ROLLED_BACK,		/* by corm.set_rollback_only(), without an error */
	CORM_JOB_FAILED,			/* with an error */
	CORM_JOB_SKIPPED
} CormJobOutcome;

typedef struct CormJobReport
{
	CormJobOutcome outcome;
	Jsonb	   *value;			/* of the last statement; may be NULL */
	ErrorData  *error;			/* of CORM_JOB_FAILED */
	int			attempts;
} CormJobReport;

/* In the process that asks.  The flat bytes are palloc'd in the current memory context. */
extern void corm_job_init(CormJob *job);
extern void corm_job_flatten(const CormJob *job, StringInfo request);

/* In the worker. */
extern void corm_job_parse(CormJob *job, const char *request, Size len);
extern void corm_job_run(CormJob *job, CormJobReport *report);
extern volatile CormPhase *corm_job_phase;

/* Errors as flat bytes, all fields. */
extern void corm_error_flatten(const ErrorData *error, StringInfo buf);
extern ErrorData *corm_error_parse(const char *data, Size len);

/*
 * How a body is run; tx/ sets both when the library is loaded.  The first runs it in a
 * scope of the current transaction; an error of it, except a cancel, is in the
 * report.  The second runs it statement by statement, outside of a transaction, and raises.
 */
typedef void (*CormJobBody) (const CormJob *job, MemoryContext result_context, CormJobReport *report);
extern CormJobBody corm_job_body;
extern CormJobBody corm_job_top_level;

#endif							/* CORM_WORK_JOB_H */
