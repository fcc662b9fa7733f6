/*-------------------------------------------------------------------------
 *
 * params.h
 *		The parameters $1, $2, ... that a caller gives with SQL text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_BASE_PARAMS_H
#define CORM_BASE_PARAMS_H

#include "fmgr.h"
#include "nodes/params.h"

/* Values with the types that the caller gave them. */
typedef struct CormParams
{
	int			n;
	Oid		   *types;
	Datum	   *values;
	bool	   *nulls;
} CormParams;

extern bool corm_param_is_varying(Oid type);
extern void corm_params_of_call(FunctionCallInfo fcinfo, int first, int body, CormParams *params);
extern void corm_params_keep(CormParams *params);
extern void corm_params_find_types(const char *sql, int n, const Oid *given, Oid *types, const char *taker);
extern ParamListInfo corm_params_bind(const CormParams *params, const Oid *types);

#endif							/* CORM_BASE_PARAMS_H */
