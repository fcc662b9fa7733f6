/*-------------------------------------------------------------------------
 *
 * tx.h
 *		Transaction scopes: running something in one.
 *
 * A scope is a unit of work with a name and rules about how it combines with
 * the unit of work around it (its propagation).  Scopes come in two forms:
 * closures, whose body runs inside one C call (corm.do_tx, corm.try_tx, and
 * corm_tx_run() for other folders), and session scopes, opened and closed by
 * top-level CALLs (corm.begin_tx, corm.commit_tx, ...).  Both stand on one
 * stack, kept by stack.c.
 *
 * This folder depends on base/, and on work/ for scopes of another process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_H
#define CORM_TX_H

#include "postgres.h"

#include "base/compat.h"
#include "tx/options.h"

/* A body that runs inside one C call. */
typedef struct CormTxClosure
{
	void		(*run) (void *arg); /* the body */
	void		(*cleanup) (void *arg); /* called once after it, also after an
										 * error; must not raise; may be NULL */
	void	   *arg;
} CormTxClosure;

typedef enum CormTxOutcome
{
	CORM_TX_COMMITTED,			/* body's effects are part of what is around */
	CORM_TX_ROLLED_BACK,		/* undone because set_rollback_only() was
								 * called */
	CORM_TX_FAILED				/* undone because of an error */
} CormTxOutcome;

/* What became of a scope, besides the outcome. */
typedef struct CormTxReport
{
	int			depth;			/* that the scope had */
	ErrorData  *error;			/* NULL unless CORM_TX_FAILED */
} CormTxReport;

/* closure.c */
extern CormTxOutcome corm_tx_run(const CormTxOptions *opts, const CormTxClosure *closure,
								 bool raise, CormTxReport *report);

extern bool corm_tx_is_swallowed(const ErrorData *error);

/* session.c */
extern void corm_tx_init(void);

#endif							/* CORM_TX_H */
