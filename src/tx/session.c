/*-------------------------------------------------------------------------
 *
 * session.c
 *		Session scopes: CALL corm.begin_tx() and its companions.
 *
 * Each of these procedures stands for a transaction command: BEGIN, SAVEPOINT,
 * RELEASE, COMMIT, ROLLBACK, ROLLBACK TO.  A function cannot leave a
 * subtransaction open behind it, but a top-level CALL can ask for one exactly
 * as SAVEPOINT does: the command only changes the state of the transaction
 * block, and the main loop does the work when the command has ended.  So each
 * procedure makes a TransactionStmt and passes it down ProcessUtility, where
 * other extensions see what they would see of the native command.
 *
 * That the CALL is the command of the active portal is checked here, not in
 * the hook: without preloading, the first CALL of a session is what loads the
 * library, and no hook has seen it.
 *
 * Two things make the main loop treat such a CALL like the native command:
 * XACT_FLAGS_NEEDIMMEDIATECOMMIT, or in a pipeline the next command would meet
 * a half-changed block state; and the command tag, put into the portal, because
 * clients go by it.
 *
 * The hooks are also how the stack learns of ROLLBACK TO and BEGIN, and where
 * the deadline of a session scope is enforced.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/effects.h"
#include "base/errors.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parser.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "tx/deadline.h"
#include "tx/elsewhere.h"
#include "tx/stack.h"
#include "tx/tx.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#define SAVEPOINT_PREFIX "corm_tx_"

static ProcessUtility_hook_type prev_process_utility = NULL;
static ExecutorRun_hook_type prev_executor_run = NULL;

/* The innermost CALL that the hook has seen begin: is it the client's own? */
static int	calls_seen = 0;
static bool call_is_top_level = false;

static bool issuing = false;	/* a transaction command of our own is under
								 * way */
static bool flag_is_ours = false;	/* XACT_FLAGS_NEEDIMMEDIATECOMMIT */
static bool under_deadline = false; /* a session deadline is being watched */

static Portal require_top_level(FunctionCallInfo fcinfo, const char *procedure);
static void issue(TransactionStmtKind kind, int savepoint_depth, List *options);
static void finish_call(Portal portal, CommandTag tag);
static Node *make_string_const(const char *value);
static Node *make_integer_const(int value);
static bool arguments_may_write(Portal portal);
static CommandTag begin_block(const CormTxOptions *opts, Portal portal);
static CommandTag begin_savepoint(const CormTxOptions *opts);
static CommandTag begin_joined(const CormTxOptions *opts);
static void warn_asked(const char *name);
static CommandTag commit_scope(CormTxScope *scope);
static CommandTag rollback_scope(CormTxScope *scope);
static CormTxScope *require_scope(void);
static void child_ended(CormTxScope *scope);
static void restart_transaction(void);
static bool is_session_procedure(Node *node);
static void run_under_deadline(void (*run) (void *), void *arg);
static void run_utility(void *arg);
static void run_executor(void *arg);
static void process_transaction_stmt(void *arg);
static void check_savepoint_name(const TransactionStmt *stmt);
static void check_begin(const TransactionStmt *stmt);
static void process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
							ProcessUtilityContext context, ParamListInfo params,
							QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc);
static void executor_run(CORM_EXECUTOR_RUN_PARAMS);

PG_FUNCTION_INFO_V1(corm_begin_tx);
PG_FUNCTION_INFO_V1(corm_commit_tx);
PG_FUNCTION_INFO_V1(corm_rollback_tx);
PG_FUNCTION_INFO_V1(corm_rollback_if_not_committed);

/* The arguments of a ProcessUtility hook, to pass them on. */
typedef struct UtilityCall
{
	PlannedStmt *pstmt;
	const char *query_string;
	bool		read_only_tree;
	ProcessUtilityContext context;
	ParamListInfo params;
	QueryEnvironment *query_env;
	DestReceiver *dest;
	QueryCompletion *qc;
} UtilityCall;

/* The arguments of an ExecutorRun hook. */
typedef struct ExecutorCall
{
	QueryDesc  *query_desc;
	ScanDirection direction;
	uint64		count;
	bool		execute_once;
} ExecutorCall;

/*
 * corm_tx_init registers the callbacks and installs the hooks of this folder.
 * Called once, from _PG_init.
 */
void
corm_tx_init(void)
{
	corm_tx_stack_init();
	corm_tx_elsewhere_init();
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	prev_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
}

/*
 * require_top_level returns the active portal if the running procedure is the
 * client's own command, alone in its string; otherwise raises 2D000.  Nothing
 * has been changed then.
 */
static Portal
require_top_level(FunctionCallInfo fcinfo, const char *procedure)
{
	Portal		portal = ActivePortal;
	bool		top_level = false;

	if (fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		portal != NULL && list_length(portal->stmts) == 1)
	{
		Node	   *node = linitial_node(PlannedStmt, portal->stmts)->utilityStmt;

		top_level = node != NULL && IsA(node, CallStmt) &&
			((CallStmt *) node)->funcexpr->funcid == fcinfo->flinfo->fn_oid &&
			(calls_seen == 0 || call_is_top_level);
	}
	if (!top_level)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("corm.%s can only be called as a top-level command", procedure),
				 errhint("Inside functions, procedures and DO blocks, use corm.do_tx or corm.try_tx.")));

	if (list_length(raw_parser(portal->sourceText, RAW_PARSE_DEFAULT)) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("corm.%s cannot be sent together with other commands", procedure),
				 errdetail("Several commands in one string run in one implicit transaction."),
				 errhint("Send each command by itself.")));
	return portal;
}

/*
 * issue passes a transaction command down ProcessUtility; savepoint_depth is 0
 * for the block itself.  It is said to be a complete query inside of another,
 * which it is: hooks that count nesting (pgaudit) take a second top-level
 * command within the CALL for an error, and PostgreSQL itself asks for a
 * top-level one only outside of a transaction block.
 */
static void
issue(TransactionStmtKind kind, int savepoint_depth, List *options)
{
	TransactionStmt *stmt = makeNode(TransactionStmt);
	PlannedStmt *pstmt = makeNode(PlannedStmt);
	const char *query;
	QueryCompletion qc;

	stmt->kind = kind;
	stmt->options = options;
	if (savepoint_depth > 0)
		stmt->savepoint_name = psprintf(SAVEPOINT_PREFIX "%d", savepoint_depth);
	pstmt->commandType = CMD_UTILITY;
	pstmt->canSetTag = true;
	pstmt->utilityStmt = (Node *) stmt;
	pstmt->stmt_location = 0;

	query = GetCommandTagName(CreateCommandTag((Node *) stmt));
	if (savepoint_depth > 0)
		query = psprintf("%s%s %s", query, kind == TRANS_STMT_ROLLBACK_TO ? " TO SAVEPOINT" : "",
						 stmt->savepoint_name);

	InitializeQueryCompletion(&qc);
	issuing = true;
	PG_TRY();
	{
		ProcessUtility(pstmt, query, false, PROCESS_UTILITY_QUERY, NULL, NULL,
					   None_Receiver, &qc);
	}
	PG_FINALLY();
	{
		issuing = false;
	}
	PG_END_TRY();
}

/* finish_call makes the main loop carry out the changed block state, and report the tag. */
static void
finish_call(Portal portal, CommandTag tag)
{
	if (tag == CMDTAG_CALL)
		return;
	SetQueryCompletion(&portal->qc, tag, 0);
	MyXactFlags |= XACT_FLAGS_NEEDIMMEDIATECOMMIT;
	flag_is_ours = true;
}

/*
 * restart_transaction commits the transaction that the CALL runs in and starts a
 * new one.  An isolation level, and SET TRANSACTION after the CALL, need a
 * transaction that has taken no snapshot, and a CALL takes one.
 *
 * The caller has made sure that there is no transaction block, so that the CALL
 * is the first command of its transaction, and that the CALL's arguments have
 * changed nothing (arguments_may_write).  They may have read: the locks and the
 * snapshot of that are released here, and the new transaction has a later
 * now().  The current memory context must outlive the transaction, as that of a
 * portal does.  Raises what a COMMIT can raise.
 */
static void
restart_transaction(void)
{
	MemoryContext oldcontext = CurrentMemoryContext;

	ForgetPortalSnapshots();
	CommitTransactionCommand();
	StartTransactionCommand();
	MemoryContextSwitchTo(oldcontext);
}

/* make_string_const returns a string as the grammar makes it. */
static Node *
make_string_const(const char *value)
{
	A_Const    *node = makeNode(A_Const);

	node->val.sval.type = T_String;
	node->val.sval.sval = pstrdup(value);
	node->location = -1;
	return (Node *) node;
}

/* make_integer_const returns an integer as the grammar makes it. */
static Node *
make_integer_const(int value)
{
	A_Const    *node = makeNode(A_Const);

	node->val.ival.type = T_Integer;
	node->val.ival.ival = value;
	node->location = -1;
	return (Node *) node;
}

/*
 * arguments_may_write tells whether the arguments of the CALL that runs in the
 * portal may have changed something before the procedure was called: by a
 * volatile function, or in a way that can be seen.
 */
static bool
arguments_may_write(Portal portal)
{
	CallStmt   *call = (CallStmt *) linitial_node(PlannedStmt, portal->stmts)->utilityStmt;

	return TransactionIdIsValid(GetTopTransactionIdIfAny()) || corm_effects_pending() ||
		contain_volatile_functions((Node *) call->funcexpr->args);
}

/*
 * begin_block opens a scope that holds the transaction block.  What the CALL's
 * arguments have done becomes part of the scope, and so of its rollback: then
 * the scope is in the CALL's transaction, and it is too late for another
 * isolation level.
 */
static CommandTag
begin_block(const CormTxOptions *opts, Portal portal)
{
	List	   *options = NIL;
	CormTxScope *scope;

	if (!IsTransactionBlock() && !(MyXactFlags & XACT_FLAGS_PIPELINING))
	{
		if (!arguments_may_write(portal))
			restart_transaction();
		else if (opts->isolation != CORM_TX_ISOLATION_UNSET &&
				 !corm_tx_same_isolation(opts->isolation, XactIsoLevel))
			ereport(ERROR,
					(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
					 errmsg("transaction scope cannot be %s inside a transaction that is %s",
							corm_tx_isolation_name(opts->isolation),
							corm_tx_isolation_name(XactIsoLevel)),
					 errdetail("What the arguments of corm.begin_tx do is part of the transaction."),
					 errhint("Give options that no volatile function computes, such as corm.tx().")));
	}

	if (opts->isolation != CORM_TX_ISOLATION_UNSET)
		options = lappend(options,
						  makeDefElem("transaction_isolation",
									  make_string_const(corm_tx_isolation_name(opts->isolation)), -1));
	if (opts->has_read_only)
		options = lappend(options,
						  makeDefElem("transaction_read_only",
									  make_integer_const(opts->read_only), -1));

	scope = corm_tx_push(opts, CORM_TX_HOLD_BLOCK, true, 1);
	corm_tx_set_deadline(scope, opts->timeout_ms);
	issue(TRANS_STMT_BEGIN, 0, options);
	return CMDTAG_BEGIN;
}

/*
 * begin_savepoint opens a scope that holds a savepoint.  If a scope that was
 * rolled back before has left an empty savepoint behind, that one is released
 * first: otherwise a loop of scopes that fail would nest ever deeper.
 */
static CommandTag
begin_savepoint(const CormTxOptions *opts)
{
	CormTxScope *scope;
	int			level;

	corm_tx_check_characteristics(opts);
	if (corm_tx_at_leftover())
	{
		MemoryContext oldcontext = CurrentMemoryContext;
		ResourceOwner oldowner = CurrentResourceOwner;

		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(oldcontext);
		CurrentResourceOwner = oldowner;
	}

	level = GetCurrentTransactionNestLevel() + 1;
	corm_tx_check_subtransactions(level - 1);
	scope = corm_tx_push(opts, CORM_TX_HOLD_SUBXACT, true, level);
	corm_tx_set_deadline(scope, opts->timeout_ms);
	issue(TRANS_STMT_SAVEPOINT, scope->depth, NIL);
	return CMDTAG_SAVEPOINT;
}

/* begin_joined opens a scope that is part of what is around it. */
static CommandTag
begin_joined(const CormTxOptions *opts)
{
	CormTxScope *scope;

	corm_tx_check_characteristics(opts);
	if (opts->has_read_only && opts->read_only && !XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("session scope cannot be read-only when it joins a read-write transaction"),
				 errhint("Use propagation nested.")));

	scope = corm_tx_push(opts, CORM_TX_HOLD_NOTHING, true, GetCurrentTransactionNestLevel());
	corm_tx_set_deadline(scope, opts->timeout_ms);
	return CMDTAG_CALL;
}

/* require_scope returns the innermost open scope, or raises 25P01. */
static CormTxScope *
require_scope(void)
{
	CormTxScope *scope = corm_tx_current();

	if (scope == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("no transaction scope is open"),
				 IsTransactionBlock() ?
				 errhint("Use COMMIT or ROLLBACK to end a transaction that was started with BEGIN.") : 0));
	return scope;
}

/*
 * child_ended notes with the scope around one that is about to end that the
 * next rollback_if_not_committed belongs to the ended one.
 */
static void
child_ended(CormTxScope *scope)
{
	CormTxScope *around = scope->outer;

	while (around != NULL && around->closed_level > 0)
		around = around->outer;
	if (around != NULL)
		around->child_ended = true;
}

/* warn_asked says that a commit is none. */
static void
warn_asked(const char *name)
{
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("transaction scope \"%s\" is rolled back", name),
			 errdetail("Function corm.set_rollback_only() was called in it.")));
}

/* commit_scope ends a session scope, and commits it unless it asked for its rollback. */
static CommandTag
commit_scope(CormTxScope *scope)
{
	/* a doomed block is refused by its COMMIT, which ends the block too */
	if (scope->asked == NULL && scope->doomed != NULL && scope->hold != CORM_TX_HOLD_BLOCK)
		corm_tx_raise_doomed(corm_tx_name(scope->name, scope->depth), scope->doomed);

	child_ended(scope);
	if (scope->asked != NULL)
	{
		warn_asked(corm_tx_name(scope->name, scope->depth));
		return rollback_scope(scope);
	}

	switch (scope->hold)
	{
		case CORM_TX_HOLD_BLOCK:
			issue(TRANS_STMT_COMMIT, 0, NIL);
			return CMDTAG_COMMIT;
		case CORM_TX_HOLD_SUBXACT:
			issue(TRANS_STMT_RELEASE, scope->depth, NIL);
			return CMDTAG_RELEASE;
		case CORM_TX_HOLD_NOTHING:
			corm_tx_close_joined(scope);
			return CMDTAG_CALL;
	}
	pg_unreachable();
}

/*
 * rollback_scope ends a session scope and undoes its work.  The work of a
 * joined scope cannot be undone by itself, so what it joined is doomed.
 */
static CommandTag
rollback_scope(CormTxScope *scope)
{
	switch (scope->hold)
	{
		case CORM_TX_HOLD_BLOCK:
			corm_tx_stats.rollbacks++;
			issue(TRANS_STMT_ROLLBACK, 0, NIL);
			return CMDTAG_ROLLBACK;
		case CORM_TX_HOLD_SUBXACT:
			issue(TRANS_STMT_ROLLBACK_TO, scope->depth, NIL);
			corm_tx_note_savepoint_rollback(true);
			return CMDTAG_ROLLBACK;
		case CORM_TX_HOLD_NOTHING:
			corm_tx_stats.rollbacks++;
			corm_tx_doom(scope->target != scope ? scope->target : NULL,
						 corm_tx_make_mark(corm_tx_name(scope->name, scope->depth), NULL));
			corm_tx_close_joined(scope);
			return CMDTAG_CALL;
	}
	pg_unreachable();
}

/* CALL corm.begin_tx([opts]) */
Datum
corm_begin_tx(PG_FUNCTION_ARGS)
{
	Portal		portal = require_top_level(fcinfo, "begin_tx");
	CormTxScope *current = corm_tx_current();
	bool		active = current != NULL || corm_tx_in_explicit_block();
	CormTxOptions opts;
	CommandTag	tag;

	if (PG_ARGISNULL(0))
	{
		corm_tx_options_init(&opts);
		opts.propagation = CORM_TX_NESTED;
	}
	else
		corm_tx_options_parse(PG_GETARG_DATUM(0), &opts);
	if (opts.retries > 0)
		ereport(ERROR,
				(errcode(CORM_ERRCODE_BAD_OPTION),
				 errmsg("session scope cannot be retried"),
				 errhint("Use CALL corm.run_tx for a transaction with retries.")));

	switch (corm_tx_place(&opts, active))
	{
		case CORM_TX_PLACE_OPEN:
			tag = active ? begin_savepoint(&opts) : begin_block(&opts, portal);
			break;
		case CORM_TX_PLACE_JOIN:
			tag = begin_joined(&opts);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
					 errmsg("propagation %s opens no session scope outside of a transaction",
							corm_tx_propagation_name(opts.propagation))));
	}
	if (current != NULL)
		current->child_ended = false;
	finish_call(portal, tag);
	PG_RETURN_VOID();
}

/* CALL corm.commit_tx() */
Datum
corm_commit_tx(PG_FUNCTION_ARGS)
{
	Portal		portal = require_top_level(fcinfo, "commit_tx");
	CormTxScope *scope = require_scope();

	corm_tx_check_session_deadline();
	finish_call(portal, commit_scope(scope));
	PG_RETURN_VOID();
}

/* CALL corm.rollback_tx() */
Datum
corm_rollback_tx(PG_FUNCTION_ARGS)
{
	Portal		portal = require_top_level(fcinfo, "rollback_tx");
	CormTxScope *scope = require_scope();

	child_ended(scope);
	finish_call(portal, rollback_scope(scope));
	PG_RETURN_VOID();
}

/* CALL corm.rollback_if_not_committed() */
Datum
corm_rollback_if_not_committed(PG_FUNCTION_ARGS)
{
	Portal		portal = require_top_level(fcinfo, "rollback_if_not_committed");
	CormTxScope *scope = corm_tx_current();

	if (scope == NULL)
		PG_RETURN_VOID();
	if (scope->child_ended)
		scope->child_ended = false;
	else
		finish_call(portal, rollback_scope(scope));
	PG_RETURN_VOID();
}

/* is_session_procedure tells whether a command calls one of the procedures above. */
static bool
is_session_procedure(Node *node)
{
	FmgrInfo	flinfo;

	if (!IsA(node, CallStmt))
		return false;
	fmgr_info(((CallStmt *) node)->funcexpr->funcid, &flinfo);
	return flinfo.fn_addr == corm_begin_tx || flinfo.fn_addr == corm_commit_tx ||
		flinfo.fn_addr == corm_rollback_tx || flinfo.fn_addr == corm_rollback_if_not_committed;
}

/*
 * run_under_deadline runs a command of the client and cancels it when the
 * deadline of a session scope passes; the error then is corm's.
 */
static void
run_under_deadline(void (*run) (void *), void *arg)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	CormTxScope *scope = NULL;
	CormTxDeadline deadline;

	if (!under_deadline)
		scope = corm_tx_check_session_deadline();
	if (scope == NULL)
	{
		run(arg);
		return;
	}

	under_deadline = true;
	corm_tx_deadline_begin(&deadline, scope->deadline);
	PG_TRY();
	{
		run(arg);
	}
	PG_CATCH();
	{
		ErrorData  *edata;
		bool		cancelled = geterrcode() == ERRCODE_QUERY_CANCELED;
		bool		timed_out;

		/* first what must happen: copying the error needs memory and can fail */
		under_deadline = false;
		timed_out = corm_tx_deadline_end(&deadline, cancelled) && cancelled;
		MemoryContextSwitchTo(oldcontext);
		edata = CopyErrorData();
		FlushErrorState();
		if (timed_out)
			corm_tx_timeout_error(edata, corm_tx_name(scope->name, scope->depth), scope->timeout_ms);
		ReThrowError(edata);
	}
	PG_END_TRY();
	under_deadline = false;
	(void) corm_tx_deadline_end(&deadline, false);
}

/* run_utility passes a utility command on. */
static void
run_utility(void *arg)
{
	UtilityCall *call = (UtilityCall *) arg;
	ProcessUtility_hook_type next = prev_process_utility != NULL ? prev_process_utility :
		standard_ProcessUtility;

	next(call->pstmt, call->query_string, call->read_only_tree, call->context, call->params,
		 call->query_env, call->dest, call->qc);
}

/* check_savepoint_name keeps the names of session scopes' savepoints unambiguous. */
static void
check_savepoint_name(const TransactionStmt *stmt)
{
	if (stmt->kind == TRANS_STMT_SAVEPOINT && !issuing &&
		strncmp(stmt->savepoint_name, SAVEPOINT_PREFIX, strlen(SAVEPOINT_PREFIX)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("savepoint name \"%s\" is reserved", stmt->savepoint_name),
				 errdetail("Names that begin with \"%s\" are the savepoints of corm.begin_tx.",
						   SAVEPOINT_PREFIX)));
}

/*
 * check_begin refuses a native BEGIN inside of a session scope.  PostgreSQL
 * would only warn, and the COMMIT that belongs to that BEGIN would commit the
 * scope.
 */
static void
check_begin(const TransactionStmt *stmt)
{
	CormTxScope *scope = corm_tx_current();

	if ((stmt->kind == TRANS_STMT_BEGIN || stmt->kind == TRANS_STMT_START) && !issuing &&
		scope != NULL && scope->session)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("there is already a transaction in progress"),
				 errdetail("Transaction scope \"%s\" of corm.begin_tx is open.",
						   corm_tx_name(scope->name, scope->depth)),
				 errhint("End it with CALL corm.commit_tx() or corm.rollback_tx(), or open another one inside it with CALL corm.begin_tx().")));
}

/*
 * process_transaction_stmt passes a transaction command on and tells the stack
 * what it cannot see by itself.  May run in an aborted transaction: no catalogs.
 */
static void
process_transaction_stmt(void *arg)
{
	UtilityCall *call = (UtilityCall *) arg;
	TransactionStmt *stmt = (TransactionStmt *) call->pstmt->utilityStmt;
	CormTxScope *asked = NULL;

	check_savepoint_name(stmt);
	check_begin(stmt);

	/*
	 * a scope that asked for its rollback ends without an error, by a native
	 * COMMIT too
	 */
	if (stmt->kind == TRANS_STMT_COMMIT)
		asked = corm_tx_block_asked_for_rollback();
	if (asked != NULL)
	{
		warn_asked(corm_tx_name(asked->name, asked->depth));
		call->pstmt = copyObject(call->pstmt);
		call->read_only_tree = false;
		stmt = (TransactionStmt *) call->pstmt->utilityStmt;
		stmt->kind = TRANS_STMT_ROLLBACK;
		run_utility(call);
		if (call->qc != NULL)
			SetQueryCompletion(call->qc, CMDTAG_ROLLBACK, 0);
	}
	else
		run_utility(call);

	switch (stmt->kind)
	{
		case TRANS_STMT_ROLLBACK_TO:
			corm_tx_note_savepoint_rollback(false);
			break;
		case TRANS_STMT_BEGIN:
		case TRANS_STMT_START:
			corm_tx_note_block(true, false);
			break;
		case TRANS_STMT_COMMIT:
		case TRANS_STMT_ROLLBACK:
			corm_tx_note_block(false, stmt->chain);
			break;
		default:
			break;
	}
}

/* process_utility is the ProcessUtility hook. */
static void
process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	UtilityCall call = {pstmt, query_string, read_only_tree, context, params, query_env, dest, qc};
	Node	   *node = pstmt->utilityStmt;

	corm_tx_note_statement();
	if (flag_is_ours && !issuing)
	{
		MyXactFlags &= ~XACT_FLAGS_NEEDIMMEDIATECOMMIT;
		flag_is_ours = false;
	}

	if (IsA(node, TransactionStmt))
		process_transaction_stmt(&call);
	else if (IsA(node, CallStmt))
	{
		bool		outer_is_top_level = call_is_top_level;

		call_is_top_level = context == PROCESS_UTILITY_TOPLEVEL;
		calls_seen++;
		PG_TRY();
		{
			if (corm_tx_session_deadlines > 0 && !is_session_procedure(node))
				run_under_deadline(run_utility, &call);
			else
				run_utility(&call);
		}
		PG_FINALLY();
		{
			call_is_top_level = outer_is_top_level;
			calls_seen--;
		}
		PG_END_TRY();
	}
	else if (corm_tx_session_deadlines > 0)
		run_under_deadline(run_utility, &call);
	else
		run_utility(&call);
}

/* run_executor passes an executor run on. */
static void
run_executor(void *arg)
{
	ExecutorCall *call = (ExecutorCall *) arg;

	if (prev_executor_run != NULL)
		CORM_EXECUTOR_RUN(prev_executor_run, call->query_desc, call->direction, call->count,
						  call->execute_once);
	else
		CORM_EXECUTOR_RUN(standard_ExecutorRun, call->query_desc, call->direction, call->count,
						  call->execute_once);
}

/*
 * run_statement_under_deadline is what executor_run does for a statement whose time is
 * limited: apart, so that the others do not pay for it.
 */
static pg_noinline void
run_statement_under_deadline(QueryDesc *query_desc, ScanDirection direction, uint64 count, bool execute_once)
{
	ExecutorCall call = {query_desc, direction, count, execute_once};

	run_under_deadline(run_executor, &call);
}

/* executor_run is the ExecutorRun hook. */
static void
executor_run(CORM_EXECUTOR_RUN_PARAMS)
{
	corm_tx_note_statement();
	if (unlikely(flag_is_ours))
	{
		MyXactFlags &= ~XACT_FLAGS_NEEDIMMEDIATECOMMIT;
		flag_is_ours = false;
	}
	if (unlikely(corm_tx_session_deadlines > 0) && !under_deadline)
		run_statement_under_deadline(query_desc, direction, count, CORM_EXECUTE_ONCE);
	else if (prev_executor_run != NULL)
		CORM_EXECUTOR_RUN(prev_executor_run, query_desc, direction, count, CORM_EXECUTE_ONCE);
	else
		CORM_EXECUTOR_RUN(standard_ExecutorRun, query_desc, direction, count, CORM_EXECUTE_ONCE);
}
