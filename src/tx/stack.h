/*-------------------------------------------------------------------------
 *
 * stack.h
 *		The stack of open transaction scopes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_STACK_H
#define CORM_TX_STACK_H

#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "datatype/timestamp.h"
#include "tx/options.h"

typedef enum CormTxHold
{
	CORM_TX_HOLD_NOTHING,		/* joined what was there */
	CORM_TX_HOLD_SUBXACT,		/* a subtransaction of its own */
	CORM_TX_HOLD_BLOCK			/* the transaction block itself */
} CormTxHold;

/* Why a scope cannot commit any more.  Lives as long as the transaction. */
typedef struct CormTxMark
{
	SubTransactionId subid;		/* newest subtransaction when it was made */
	bool		failed;			/* an error, not set_rollback_only() */
	char		culprit[NAMEDATALEN];
	int			sqlerrcode;
	char	   *message;		/* of the error; NULL when there was none */
} CormTxMark;

typedef struct CormTxScope
{
	struct CormTxScope *outer;
	struct CormTxScope *target; /* the scope whose fate this one shares:
								 * itself unless it joined another scope */
	CormTxHold	hold;
	CormTxPropagation propagation;
	bool		session;		/* opened by a CALL, not by a closure */
	bool		read_only;		/* asked for, not inherited */
	bool		child_ended;	/* see corm.rollback_if_not_committed */
	int			level;			/* nest level of the subtransaction it is in */
	int			closed_level;	/* nest level in which a joined session scope
								 * was closed, 0 while open */
	int			depth;			/* 1 for the outermost */
	Oid			user;			/* as whom, and how, it was opened */
	int			security;
	TimestampTz deadline;		/* of a session scope; 0: none */
	int			timeout_ms;
	CormTxMark *asked;			/* set_rollback_only() was called in it */
	CormTxMark *doomed;			/* a scope that joined it failed */
	char		name[NAMEDATALEN];	/* empty: none was given */
} CormTxScope;

/* Counters of this session, see corm.tx_stats(). */
typedef struct CormTxStats
{
	int64		scopes;
	int64		subtransactions;
	int64		rollbacks;
	int64		timeouts;
	int64		retries;
	int64		subtransaction_warnings;
	int			max_depth;
} CormTxStats;

extern CormTxStats corm_tx_stats;

extern void corm_tx_stack_init(void);

/* Scopes */
extern CormTxScope *corm_tx_current(void);
extern int	corm_tx_depth(void);
extern const char *corm_tx_name(const char *given, int depth);
extern CormTxScope *corm_tx_push(const CormTxOptions *opts, CormTxHold hold,
								 bool session, int level);
extern void corm_tx_pop(CormTxScope *scope);
extern void corm_tx_close_joined(CormTxScope *scope);
extern bool corm_tx_is_foreign(const CormTxScope *scope);

/* Rollback-only marks */
extern CormTxMark *corm_tx_make_mark(const char *culprit, const ErrorData *error);
extern void corm_tx_doom(CormTxScope *target, CormTxMark *mark);
extern void corm_tx_raise_doomed(const char *name, const CormTxMark *mark) pg_attribute_noreturn();
extern CormTxScope *corm_tx_block_asked_for_rollback(void);

/* Deadlines of session scopes */
extern int	corm_tx_session_deadlines;
extern void corm_tx_set_deadline(CormTxScope *scope, int timeout_ms);
extern CormTxScope *corm_tx_check_session_deadline(void);

/* Subtransactions */
extern void corm_tx_check_subtransactions(int live);
extern bool corm_tx_at_leftover(void);

/* The transaction block */
extern bool corm_tx_is_active(void);
extern bool corm_tx_in_explicit_block(void);

/* What the hooks tell the stack about a command. */
extern void corm_tx_note_savepoint_rollback(bool drop_scope);
extern void corm_tx_note_block(bool begun, bool chain);
extern void corm_tx_note_statement(void);

#endif							/* CORM_TX_STACK_H */
