/*-------------------------------------------------------------------------
 *
 * tx.h
 *		Transaction scopes that propagate.
 *
 * A scope is a unit of work with a name and rules about how it combines with
 * the unit of work around it (its propagation).  Scopes come in two forms:
 * closures, whose body runs inside one C call (corm.do_tx, corm.try_tx), and
 * session scopes, opened and closed by top-level CALLs (corm.begin_tx,
 * corm.commit_tx, ...).  Both stand on one stack, kept by scope.c.
 *
 * Depends on base/ only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef CORM_TX_H
#define CORM_TX_H

#include "base/compat.h"

#include "access/xact.h"
#include "fmgr.h"
#include "tcop/dest.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* ---- options.c: what corm.tx(...) says ---- */

typedef enum CormTxPropagation
{
	CORM_TX_REQUIRED,
	CORM_TX_REQUIRES_NEW,
	CORM_TX_NESTED,
	CORM_TX_MANDATORY,
	CORM_TX_SUPPORTS,
	CORM_TX_NOT_SUPPORTED,
	CORM_TX_NEVER
} CormTxPropagation;

#define CORM_TX_ISOLATION_UNSET (-1)

typedef struct CormTxOptions
{
	CormTxPropagation propagation;
	char		name[NAMEDATALEN];	/* empty: no name was given */
	bool		has_read_only;
	bool		read_only;
	int			isolation;		/* XACT_..., or CORM_TX_ISOLATION_UNSET */
	int			timeout_ms;		/* 0: none */
	int			retries;
} CormTxOptions;

extern void corm_tx_options_init(CormTxOptions *opts);
extern void corm_tx_options_parse(Datum composite, CormTxOptions *opts);
extern const CormTxOptions *corm_tx_options_arg(FunctionCallInfo fcinfo, int argno);
extern const char *corm_tx_propagation_name(CormTxPropagation propagation);
extern const char *corm_tx_isolation_name(int isolation);
extern bool corm_tx_same_isolation(int a, int b);

/* ---- scope.c: the stack of open scopes ---- */

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
	struct CormTxScope *target; /* the scope whose fate this one shares: itself
								 * unless it joined another scope */
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

extern CormTxScope *corm_tx_current(void);
extern int	corm_tx_depth(void);
extern const char *corm_tx_name(const char *given, int depth);
extern CormTxScope *corm_tx_push(const CormTxOptions *opts, CormTxHold hold,
								 bool session, int level);
extern void corm_tx_pop(CormTxScope *scope);
extern bool corm_tx_is_open(const CormTxScope *scope);
extern void corm_tx_close_joined(CormTxScope *scope);
extern bool corm_tx_is_foreign(const CormTxScope *scope);
extern CormTxMark *corm_tx_make_mark(const char *culprit, const ErrorData *error);
extern void corm_tx_doom(CormTxScope *target, CormTxMark *mark);
extern void corm_tx_raise_doomed(const char *name, const CormTxMark *mark) pg_attribute_noreturn();
extern void corm_tx_check_subtransactions(int live);
extern bool corm_tx_at_leftover(void);
extern int	corm_tx_session_deadlines;
extern void corm_tx_set_deadline(CormTxScope *scope, int timeout_ms);
extern CormTxScope *corm_tx_check_session_deadline(void);
extern CormTxScope *corm_tx_block_asked_for_rollback(void);

/* What the hooks tell the stack about a command that is about to take effect. */
extern void corm_tx_note_savepoint_rollback(bool drop_scope);

/* ---- block.c: whether there is a transaction block ---- */

extern bool corm_tx_is_active(void);
extern bool corm_tx_in_explicit_block(void);
extern void corm_tx_note_block(bool begun, bool chain);
extern void corm_tx_note_statement(void);
extern void corm_tx_block_reset(void);

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

extern void corm_tx_init(void);
extern void corm_tx_scope_init(void);
extern void corm_tx_session_init(void);

/* ---- timer.c: deadlines ---- */

typedef struct CormTxGuard
{
	struct CormTxGuard *outer;
	TimestampTz deadline;		/* 0: none of its own */
} CormTxGuard;

extern void corm_tx_guard_begin(CormTxGuard *guard, TimestampTz deadline);
extern bool corm_tx_guard_end(CormTxGuard *guard, bool cancelled);
extern void corm_tx_timeout_error(ErrorData *edata, const char *name, int timeout_ms);

/* ---- closure.c: bodies that run inside one C call ---- */

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
	CORM_TX_ROLLED_BACK,		/* undone because set_rollback_only() was called */
	CORM_TX_FAILED				/* undone because of an error */
} CormTxOutcome;

/* How a propagation combines with what is around. */
typedef enum CormTxPlace
{
	CORM_TX_PLACE_JOIN,			/* become part of it */
	CORM_TX_PLACE_OPEN,			/* open a scope that can end by itself */
	CORM_TX_PLACE_NONE			/* run without a scope */
} CormTxPlace;

extern CormTxPlace corm_tx_place(const CormTxOptions *opts, bool active);
extern void corm_tx_check_characteristics(const CormTxOptions *opts);
/* What became of a scope, besides the outcome. */
typedef struct CormTxReport
{
	int			depth;			/* that the scope had */
	ErrorData  *error;			/* NULL unless CORM_TX_FAILED */
} CormTxReport;

extern CormTxOutcome corm_tx_run(const CormTxOptions *opts, const CormTxClosure *closure,
								 bool raise, CormTxReport *report);

/* ---- body.c: SQL text as the body of a closure ---- */

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
	struct CormTxStatementPlan *executing;	/* of one of its statements, in use */
} CormTxBodyCall;

extern void corm_tx_body_run(void *arg);
extern void corm_tx_body_cleanup(void *arg);
extern void corm_tx_body_args(FunctionCallInfo fcinfo, int first, CormTxBodyArgs *args);

/* ---- json.c: rows to a jsonb array ---- */

extern DestReceiver *corm_tx_json_receiver(void);
extern Jsonb *corm_tx_json_result(DestReceiver *receiver, MemoryContext context);

/* ---- result.c: corm.tx_result ---- */

extern Datum corm_tx_result_datum(TupleDesc desc, CormTxOutcome outcome, Jsonb *value,
								  const char *scope_name, const ErrorData *error);

#endif							/* CORM_TX_H */
