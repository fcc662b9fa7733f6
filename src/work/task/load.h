/*-------------------------------------------------------------------------
 *
 * load.h
 *		Bringing durable tasks from their rows into the queue.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_WORK_TASK_LOAD_H
#define CORM_WORK_TASK_LOAD_H

#include "postgres.h"

extern void corm_load_init(void);
extern void corm_load_want(void (*want) (Oid database, Oid session_user, int n));
extern bool corm_load_claim(Oid database, Oid session_user);
extern void corm_load_run(void);
extern void corm_load_lost(void);
extern void corm_load_request(Oid database);
extern void corm_load_wait(void);

#endif							/* CORM_WORK_TASK_LOAD_H */
