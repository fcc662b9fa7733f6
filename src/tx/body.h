/*-------------------------------------------------------------------------
 *
 * body.h
 *		SQL text as the body of a closure.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_BODY_H
#define CORM_TX_BODY_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

typedef struct CormTxBodyArgs
{
	int			nargs;
	Oid		   *types;
	Datum	   *values;
	bool	   *nulls;
} CormTxBodyArgs;

/* A body to run: set text and args, the rest is body.c's. */
typedef struct CormTxBodyCall
{
	const char *text;
	int			len;
	CormTxBodyArgs args;
	MemoryContext result_context;	/* where result is allocated */
	Jsonb	   *result;			/* NULL: the last statement returns no rows */
	struct CormTxBodyPlan *plan;	/* pinned while it runs */
	struct CormTxStatementPlan *executing;	/* of one of its statements, in
											 * use */
} CormTxBodyCall;

extern void corm_tx_body_run(void *arg);
extern void corm_tx_body_cleanup(void *arg);
extern void corm_tx_body_args(FunctionCallInfo fcinfo, int first, CormTxBodyArgs *args);

#endif							/* CORM_TX_BODY_H */
