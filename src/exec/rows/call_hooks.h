/*-------------------------------------------------------------------------
 *
 * call_hooks.h
 *		Calling the hooks of a model around a write.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_EXEC_CALL_HOOKS_H
#define CORM_EXEC_CALL_HOOKS_H

#include "exec/rows/in_progress.h"
#include "query/query.h"

typedef enum CormWriteKind
{
	CORM_WRITE_CREATE,
	CORM_WRITE_UPDATE,
	CORM_WRITE_DELETE
} CormWriteKind;

typedef struct CormHookRun CormHookRun;

extern CormWriteKind corm_write_kind(CormCommand command);
extern bool corm_hooks_has(CormModel *model, CormWriteKind kind);
extern bool corm_hooks_tell_save_apart(CormModel *model);
extern CormHookRun *corm_hooks_begin(const CormExec *exec, CormWriteKind kind);
extern Datum corm_hooks_before(CormHookRun *run, Datum row);
extern Datum corm_hooks_after(CormHookRun *run, Datum row);
extern void corm_hooks_after_all(CormHookRun *run, Datum *rows, int nrows);

#endif							/* CORM_EXEC_CALL_HOOKS_H */
