/*-------------------------------------------------------------------------
 *
 * args.h
 *		Checks of SQL functions' arguments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_ARGS_H
#define CORM_BASE_ARGS_H

#include "fmgr.h"

extern void corm_require_args(FunctionCallInfo fcinfo, const char *const *names, int nnames);

#endif							/* CORM_BASE_ARGS_H */
