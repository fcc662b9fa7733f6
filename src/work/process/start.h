/*-------------------------------------------------------------------------
 *
 * start.h
 *		Starting workers, and what the launcher does about them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_START_H
#define CORM_WORK_START_H

#include "base/compat.h"
#include "postmaster/bgworker.h"

extern void corm_workers_init(void);
extern void corm_workers_reconcile(void);
extern int	corm_workers_duty(void);
extern void corm_worker_info_init(void);
extern BackgroundWorkerHandle *corm_worker_launch(int slot);
extern void corm_worker_sources(void (*want) (Oid database, Oid session_user, int n));
extern PGDLLEXPORT void corm_worker_main(Datum arg);

#endif							/* CORM_WORK_START_H */
