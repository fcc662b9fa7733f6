/*-------------------------------------------------------------------------
 *
 * call.c
 *		Calling a worker: an autonomous transaction.
 *
 * The request and the answer go through the rings of the slot.  The caller writes as much of
 * the request as there is room for, sets the job going, and writes the rest; the worker
 * reads all of it before it begins a transaction.  The answer is written when that
 * transaction is over.  So neither waits for the other's mail while the worker is in a
 * transaction, which is when the caller may be waiting in the lock manager.
 *
 *		request:	length, bytes
 *		answer:		AnswerHeader, notices, value, error
 *
 * A caller that is cancelled cancels the job and waits for its end, so that when its
 * statement has failed, nothing of it is running.  If the worker does not end in time, it
 * is terminated; if it does not even then, it is left behind, and its slot becomes
 * free when it ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/latch.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#include "work/process/call.h"
#include "work/process/claim.h"
#include "work/process/notices.h"
#include "work/process/wait.h"
#include "work/shared/memory.h"

#define TERMINATE_MS		2000	/* after a cancel */

/* The beginning of an answer. */
typedef struct AnswerHeader
{
	CormJobOutcome outcome;
	int			attempts;
	Size		notices_len;
	Size		value_len;
	Size		error_len;
} AnswerHeader;

/* ---- the worker ---- */

/* pause_for_mail waits for the latch, with a cancel left pending: it is for the body. */
static void
pause_for_mail(uint32 wait_event)
{
	static CormSpin spin;

	(void) corm_latch_wait(&spin, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1, wait_event);
	ResetLatch(MyLatch);
	HOLD_CANCEL_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	RESUME_CANCEL_INTERRUPTS();
}

/* read_all reads len bytes in the worker.  Returns false if the caller is gone, or gives up. */
static bool
read_all(CormSlot *slot, char *buf, Size len)
{
	while (len > 0)
	{
		Size		n = corm_ring_read(&slot->request, buf, len);

		if (n > 0)
		{
			buf += n;
			len -= n;
			if (len > 0)
				corm_slot_wake_claimant(slot);
		}
		else if (slot->caller_gone || slot->cancel_job == slot->job)
			return false;
		else
			pause_for_mail(PG_WAIT_EXTENSION);
	}
	return true;
}

/* write_all writes len bytes in the worker.  Returns false if the caller is gone, or gives up. */
static bool
write_all(CormSlot *slot, const void *data, Size len)
{
	const char *from = data;

	while (len > 0)
	{
		Size		n = corm_ring_write(&slot->answer, from, len);

		from += n;
		len -= n;
		if (len == 0)
			break;
		if (slot->caller_gone || slot->cancel_job == slot->job)
			return false;
		corm_slot_wake_claimant(slot);
		if (n == 0)
			pause_for_mail(PG_WAIT_EXTENSION);
	}
	return true;
}

/*
 * corm_call_receive reads the request of a slot's job, in its worker.  The bytes are
 * palloc'd in the current memory context.  Returns false if the caller is gone.
 */
bool
corm_call_receive(CormSlot *slot, char **request, Size *len)
{
	if (!read_all(slot, (char *) len, sizeof(Size)))
		return false;
	*request = MemoryContextAllocHuge(CurrentMemoryContext, *len + 1);
	CORM_FAULT_UNCANCELLED("work-receive");
	return read_all(slot, *request, *len);
}

/* corm_call_answer writes the answer of a slot's job, in its worker. */
void
corm_call_answer(CormSlot *slot, const CormJobReport *report, StringInfo notices)
{
	AnswerHeader header;
	StringInfoData error;

	memset(&header, 0, sizeof(header));
	header.outcome = report->outcome;
	header.attempts = report->attempts;
	header.notices_len = notices != NULL ? notices->len : 0;
	header.value_len = report->value != NULL ? VARSIZE(report->value) : 0;
	if (report->error != NULL)
	{
		initStringInfo(&error);
		corm_error_flatten(report->error, &error);
		header.error_len = error.len;
	}
	CORM_FAULT_UNCANCELLED("work-answer");
	(void) (write_all(slot, &header, sizeof(header)) &&
			(header.notices_len == 0 || write_all(slot, notices->data, header.notices_len)) &&
			(header.value_len == 0 || write_all(slot, report->value, header.value_len)) &&
			(header.error_len == 0 || write_all(slot, error.data, header.error_len)));
}

/* ---- the caller ---- */

/* is_answered tells whether an answer begins to arrive, or none will. */
static bool
is_answered(void *arg)
{
	CormSlot   *slot = arg;

	return slot->state != CORM_SLOT_RUNNING || pg_atomic_read_u64(&slot->answer.written) > 0;
}

/* working_process is who a caller waits for. */
static int
working_process(void *arg)
{
	CormSlot   *slot = arg;

	return slot->state == CORM_SLOT_RUNNING && slot->pid != 0 ? slot->procno : -1;
}

/* pause_for_worker waits for the latch. */
static void
pause_for_worker(void)
{
	static CormSpin spin;

	(void) corm_latch_wait(&spin, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* take_part reads len bytes of the answer.  Returns false if the worker is gone before. */
static bool
take_part(CormSlot *slot, void *buf, Size len)
{
	char	   *to = buf;

	while (len > 0)
	{
		bool		over = slot->state != CORM_SLOT_RUNNING;
		Size		n;

		pg_read_barrier();
		n = corm_ring_read(&slot->answer, to, len);
		to += n;
		len -= n;
		if (n > 0)
		{
			/* it may be waiting for room */
			if (!over)
				corm_slot_wake_worker(slot);
		}
		else if (over)
			return false;
		else
			pause_for_worker();
	}
	return true;
}

/* give_part writes len bytes of the request.  Returns false if the worker is gone. */
static bool
give_part(CormSlot *slot, const char *data, Size len)
{
	while (len > 0)
	{
		Size		n = corm_ring_write(&slot->request, data, len);

		data += n;
		len -= n;
		if (slot->state != CORM_SLOT_RUNNING)
			return false;
		corm_slot_wake_worker(slot);
		if (n == 0)
			pause_for_worker();
	}
	return true;
}

/* send_request sets a job going.  Returns false if the worker is gone. */
static bool
send_request(CormSlot *slot, const CormJob *job, const StringInfoData *request)
{
	Size		len = request->len;
	Size		n;

	corm_ring_empty(&slot->request);
	corm_ring_empty(&slot->answer);
	(void) corm_ring_write(&slot->request, (char *) &len, sizeof(len));
	n = corm_ring_write(&slot->request, request->data, len);
	slot->depth = job->depth;
	slot->user = job->user;
	CORM_FAULT("work-submit");
	corm_claim_submitted(slot);
	CORM_FAULT("work-submitted");
	return give_part(slot, request->data + n, len - n);
}

/*
 * take_answer waits for the answer and reads it.  Returns false if the worker has gone.
 * Everything is palloc'd in the current memory context.
 */
static bool
take_answer(CormSlot *slot, CormJobReport *report, char **notices, Size *notices_len)
{
	AnswerHeader header;
	char	   *error;

	(void) corm_wait(CORM_WAIT_BEGINS, is_answered, working_process, slot, NULL, -1, corm_wait_event_new("CormAutonomous"));
	if (!take_part(slot, &header, sizeof(header)))
		return false;
	report->outcome = header.outcome;
	report->attempts = header.attempts;
	*notices_len = header.notices_len;
	if (header.notices_len > 0)
	{
		*notices = palloc(header.notices_len);
		if (!take_part(slot, *notices, header.notices_len))
			return false;
	}
	if (header.value_len > 0)
	{
		report->value = palloc(header.value_len);
		if (!take_part(slot, report->value, header.value_len))
			return false;
	}
	if (header.error_len > 0)
	{
		error = palloc(header.error_len);
		if (!take_part(slot, error, header.error_len))
			return false;
		report->error = corm_error_parse(error, header.error_len);
		pfree(error);
	}
	CORM_FAULT("work-answered");

	/* it is about to say that it is done; given back before, it would be cancelled */
	while (slot->state == CORM_SLOT_RUNNING)
		pause_for_worker();
	return true;
}

/* drain throws away what the worker writes. */
static void
drain(CormSlot *slot)
{
	char		buf[1024];

	while (corm_ring_read(&slot->answer, buf, sizeof(buf)) > 0)
		corm_slot_wake_worker(slot);
}

/*
 * stop cancels a job and waits until it has ended, at most corm.cancel_wait, with
 * interrupts held.  Returns whether it has ended.
 */
static bool
stop(CormSlot *slot)
{
	int64		began = corm_clock_machine();
	bool		terminated = false;

	HOLD_INTERRUPTS();
	corm_claim_cancel(slot);
	while (slot->state == CORM_SLOT_RUNNING)
	{
		int64		passed = (corm_clock_machine() - began) / 1000;

		if (passed >= corm_cancel_wait)
			break;
		if (passed >= TERMINATE_MS && !terminated)
		{
			LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
			if (slot->state == CORM_SLOT_RUNNING && slot->pid != 0)
				kill(slot->pid, SIGTERM);
			LWLockRelease(&corm_workers->lock);
			terminated = true;
		}
		drain(slot);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(corm_cancel_wait - passed, 100), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	RESUME_INTERRUPTS();
	return slot->state != CORM_SLOT_RUNNING;
}

/* what_became says, for the detail of an error of the caller, what became of the job. */
static const char *
what_became(const CormSlot *slot, bool ended)
{
	switch (slot->phase)
	{
		case CORM_PHASE_COMMITTED:
			return "The autonomous transaction has committed.";
		case CORM_PHASE_COMMITTING:
			return "The autonomous transaction may have committed.";
		default:
			return ended ? "The autonomous transaction was rolled back." :
				"The autonomous transaction was cancelled, but has not ended yet.";
	}
}

/* worker_gone_error makes the error for a worker that has ended without an answer. */
static ErrorData *
worker_gone_error(const CormSlot *slot)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));
	bool		unknown = slot->phase == CORM_PHASE_COMMITTING || slot->phase == CORM_PHASE_COMMITTED;

	error->elevel = ERROR;
	error->sqlerrcode = unknown ? ERRCODE_T_R_STATEMENT_COMPLETION_UNKNOWN : CORM_ERRCODE_WORKER_TERMINATED;
	error->message = pstrdup("worker was terminated");
	error->message_id = error->message;
	/* what the body has asked for: no reason to run it again */
	if (!unknown && slot->fatal_sqlstate == CORM_ERRCODE_TRANSACTION_TIMEOUT)
		error->sqlerrcode = CORM_ERRCODE_TRANSACTION_TIMEOUT;
	if (unknown)
		error->detail = pstrdup(what_became(slot, true));
	else if (slot->fatal_sqlstate != 0)
		error->detail = pstrdup(slot->fatal_message);
	error->assoc_context = CurrentMemoryContext;
	return error;
}

/* call_worker runs the job once in a worker. */
static void
call_worker(CormJob *job, const StringInfoData *request, CormJobReport *report)
{
	MemoryContext context = CurrentMemoryContext;
	CormSlot   *slot = corm_claim();
	char	   *notices = NULL;
	Size		notices_len = 0;
	ErrorData  *volatile error = NULL;

	memset(report, 0, sizeof(CormJobReport));
	slot->phase = CORM_PHASE_NONE;
	PG_TRY();
	{
		if (!send_request(slot, job, request) || !take_answer(slot, report, &notices, &notices_len))
		{
			report->outcome = CORM_JOB_FAILED;
			report->value = NULL;
			report->error = worker_gone_error(slot);
			notices_len = 0;
		}
	}
	PG_CATCH();
	{
		bool		ended;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		ended = stop(slot);
		if (error->detail == NULL && job->kind == CORM_JOB_ATOMIC)
			error->detail = MemoryContextStrdup(error->assoc_context, what_became(slot, ended));
	}
	PG_END_TRY();
	corm_claim_release(slot);
	if (error != NULL)
		ReThrowError(error);

	/* what the job has committed, this session must see */
	AcceptInvalidationMessages();
	if (notices_len > 0)
		corm_notices_raise(notices, notices_len);
}

/* check_possible raises if an autonomous transaction cannot be run from here. */
static void
check_possible(const CormJob *job)
{
	corm_work_require("an autonomous transaction");
	if (!IsUnderPostmaster)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("autonomous transactions are not possible in single-user mode")));
	if (corm_workers->nslots == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("autonomous transactions are turned off"),
				 errdetail("The setting corm.max_workers is 0.")));
	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot run an autonomous transaction within a security-restricted operation")));
	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot run an autonomous transaction during a parallel operation")));
	if (job->depth > corm_autonomous_max_depth)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("autonomous transactions are nested too deep"),
				 errdetail("The setting corm.autonomous_max_depth is %d.", corm_autonomous_max_depth)));
}

/*
 * corm_call runs a job in a worker of this database and session user, and waits for
 * it.  The job's depth is set here.  An error of the job is in the report, which is
 * allocated in the current memory context; notices are raised.  Raises what prevents
 * it from being run, and what interrupts this session.
 */
void
corm_call(CormJob *job, CormJobReport *report)
{
	StringInfoData request;

	job->depth = corm_worker_depth() + 1;
	check_possible(job);
	initStringInfo(&request);
	corm_job_flatten(job, &request);
	for (int attempt = 0;; attempt++)
	{
		call_worker(job, &request, report);
		if (report->outcome != CORM_JOB_FAILED || attempt >= job->retries ||
			report->error->sqlerrcode != CORM_ERRCODE_WORKER_TERMINATED)
			break;
		FreeErrorData(report->error);
	}
	pfree(request.data);
	if (report->outcome == CORM_JOB_FAILED)
	{
		LWLockAcquire(&corm_workers->lock, LW_EXCLUSIVE);
		corm_workers->stats.failures++;
		corm_workers->stats.deadlocks += report->error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
		LWLockRelease(&corm_workers->lock);
	}
}
