/*-------------------------------------------------------------------------
 *
 * deadline.h
 *		Deadlines: cancelling what runs too long.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_DEADLINE_H
#define CORM_TX_DEADLINE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Code that runs under a deadline, from begin to end.  On the caller's stack. */
typedef struct CormTxDeadline
{
	struct CormTxDeadline *outer;
	TimestampTz at;				/* 0: none of its own */
} CormTxDeadline;

extern void corm_tx_deadline_begin(CormTxDeadline *deadline, TimestampTz at);
extern bool corm_tx_deadline_end(CormTxDeadline *deadline, bool cancelled);
extern void corm_tx_timeout_error(ErrorData *edata, const char *name, int timeout_ms);

#endif							/* CORM_TX_DEADLINE_H */
