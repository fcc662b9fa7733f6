/*-------------------------------------------------------------------------
 *
 * args.h
 *		Checks of SQL functions' arguments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_ARGS_H
#define CORM_BASE_ARGS_H

#include "datatype/timestamp.h"
#include "fmgr.h"

extern void corm_require_args(FunctionCallInfo fcinfo, const char *const *names, int nnames);
extern char *corm_name_arg(FunctionCallInfo fcinfo, int argno, const char *what);
extern void corm_check_new_name(const char *what, const char *name);
extern int64 corm_interval_length(const Interval *interval);

#endif							/* CORM_BASE_ARGS_H */
