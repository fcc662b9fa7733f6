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

#include "base/params.h"
#include "utils/jsonb.h"

/* A body to run: set text and params, the rest is body.c's. */
typedef struct CormTxBodyCall
{
	const char *text;
	int			len;
	CormParams	params;
	MemoryContext result_context;	/* where result is allocated */
	Jsonb	   *result;			/* NULL: the last statement returns no rows */
	struct CormTxBodyPlan *plan;	/* pinned while it runs */
	struct CormTxStatementPlan *executing;	/* of one of its statements, in
											 * use */
} CormTxBodyCall;

extern void corm_tx_body_run(void *arg);
extern void corm_tx_body_cleanup(void *arg);

#endif							/* CORM_TX_BODY_H */
