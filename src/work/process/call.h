/*-------------------------------------------------------------------------
 *
 * call.h
 *		Calling a worker: the caller's side, and the answers of the worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_CALL_H
#define CORM_WORK_CALL_H

#include "work/process/job.h"

struct CormSlot;

/* In a session: runs a job in a worker and waits for it. */
extern void corm_call(CormJob *job, CormJobReport *report);

/* In the worker. */
extern bool corm_call_receive(struct CormSlot *slot, char **request, Size *len);
extern void corm_call_answer(struct CormSlot *slot, const CormJobReport *report, StringInfo notices);
extern int	corm_worker_depth(void);
extern bool corm_worker_clean(void);

/* Ends what a job has made for its session, in folders above; NULL if there is nothing.  Raises nothing. */
typedef void (*CormSessionEnd) (void);
extern CormSessionEnd corm_worker_session_end;

#endif							/* CORM_WORK_CALL_H */
