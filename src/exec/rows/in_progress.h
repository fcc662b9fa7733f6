/*-------------------------------------------------------------------------
 *
 * in_progress.h
 *		A read or write in progress; see in_progress.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_IN_PROGRESS_H
#define CORM_EXEC_IN_PROGRESS_H

#include "base/compat.h"
#include "model/model.h"
#include "utils/inval.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

typedef struct CormExec
{
	CormModel  *model;			/* as of the start of the operation */
	uint64		generation;		/* of the model at that time */
	MemoryContext context;		/* for data with the lifetime of the operation
								 * ... */
	ResourceOwner owner;		/* ... and its resources */
} CormExec;

extern void corm_exec_begin(CormExec *exec, CormModel *model);
extern void corm_exec_recheck(const CormExec *exec);
extern void corm_exec_changed(const char *model, const char *detail) pg_attribute_noreturn();
extern Tuplestorestate *corm_exec_store(const CormExec *exec, bool random_access);

/*
 * corm_exec_check raises 55006 if the model has changed since the operation began.
 * Call it after user code has run.
 */
static inline void
corm_exec_check(const CormExec *exec)
{
	AcceptInvalidationMessages();
	if (unlikely(!exec->model->valid))
		corm_exec_recheck(exec);
}

#endif							/* CORM_EXEC_IN_PROGRESS_H */
