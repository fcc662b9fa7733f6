/*-------------------------------------------------------------------------
 *
 * stack.c
 *		The stack of open transaction scopes, kept true by callbacks.
 *
 * PostgreSQL's subtransactions begin and end for many reasons besides corm:
 * SAVEPOINT, RELEASE and ROLLBACK TO by the user, exception blocks of a
 * procedural language, errors.  So nothing here trusts the order in which
 * corm's own functions are called; a scope belongs to the subtransaction it
 * was opened in (its nest level) and ends with it:
 *
 * - a scope that holds a subtransaction goes when that one is released or
 *	 rolled back, and so does every scope opened after it;
 * - a scope that joined goes when the subtransaction it was opened in is rolled
 *	 back.  When that one is released, a joined session scope lives on one level
 *	 further out: psql wraps each command in a savepoint, and a CALL that opens
 *	 a scope must survive the release of that wrapper;
 * - a joined session scope that is closed inside a younger savepoint can come
 *	 back, by ROLLBACK TO.  It stays on the stack as closed (closed_level) until
 *	 that savepoint is released;
 * - ROLLBACK TO the savepoint of a session scope leaves the scope open and
 *	 empty.
 *
 * Marks.  A scope that joined another one and failed dooms it: the joined
 * scope's work is part of the other's, so the other cannot commit.  An error
 * caught in between does not change that.  Only rolling back to a savepoint
 * older than the mark does, and that can only be the user's ROLLBACK TO: the
 * hook announces it (corm_tx_note_savepoint_rollback), and the restart of the
 * savepoint's subtransaction, which follows in the same command, tells which
 * one it was.  If a doomed scope is merged into its surroundings by a plain
 * RELEASE, the mark goes along; the end of the line is the transaction itself
 * (root_mark), whose COMMIT then fails.
 *
 * Ownership.  Scopes and marks are allocated in TopTransactionContext and freed
 * when they go, so that a million scopes in one transaction take no memory.
 * All state is private to the session; no lock is involved.
 *
 * The transaction block.  IsTransactionBlock() says yes in any subtransaction,
 * and in the implicit block around a pipeline.  What the difference depends on
 * is noted here when the hooks see it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/guc.h"
#include "base/xact_end.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "tx/stack.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* What is known about the live subtransaction at each nest level. */
typedef struct CormTxLevel
{
	SubTransactionId subid;		/* 0: it began before the library was loaded */
	bool		leftover;		/* the savepoint that an inner rollback_tx
								 * left behind */
} CormTxLevel;

CormTxStats corm_tx_stats;
int			corm_tx_session_deadlines = 0;	/* scopes on the stack that have
											 * one */

static CormTxScope *stack = NULL;	/* innermost first, closed ones included */
static CormTxMark *root_mark = NULL;	/* on the transaction itself */
static CormTxLevel *levels = NULL;
static int	num_levels = 0;
static SubTransactionId newest_subid = InvalidSubTransactionId;
static bool savepoint_rollback_pending = false;
static bool drop_rolled_back_scope = false;
static bool warned_subtransactions = false;

/* Whether the user's transaction block is an explicit one, see corm_tx_in_explicit_block. */
static bool block_known = false;
static bool block_explicit = false;
static bool block_chain = false;

/* Whether there is a transaction block around all subtransactions, see corm_tx_is_active. */
static bool outermost_known = false;
static bool outermost_in_block = false;

static CormTxLevel *level_info(int level);
static void free_mark(CormTxMark *mark);
static void remove_scope(CormTxScope *scope);
static bool is_open(const CormTxScope *scope);
static void merge_marks(CormTxScope *scope);
static void level_restarted(int level, SubTransactionId old_subid);
static void level_committed(int level);
static void level_aborted(int level);
static void clear_marks_since(SubTransactionId subid);
static void check_marks_before_commit(void);
static void reset_block(void);
static void reset_stack(void);
static void on_subtransaction(SubXactEvent event, SubTransactionId subid,
							  SubTransactionId parent_subid, void *arg);
static void on_transaction(XactEvent event, void *arg);
static bool is_idle(void);

/* corm_tx_stack_init registers the callbacks that keep the stack true. */
void
corm_tx_stack_init(void)
{
	corm_on_xact_end(on_transaction, is_idle);
	RegisterSubXactCallback(on_subtransaction, NULL);
}

/* corm_tx_current returns the innermost open scope, or NULL. */
CormTxScope *
corm_tx_current(void)
{
	CormTxScope *scope = stack;

	while (scope != NULL && scope->closed_level > 0)
		scope = scope->outer;
	return scope;
}

/* corm_tx_depth returns the number of open scopes. */
int
corm_tx_depth(void)
{
	CormTxScope *scope = corm_tx_current();

	return scope != NULL ? scope->depth : 0;
}

/*
 * corm_tx_name returns what to call a scope: the name it was given, else one
 * made from its depth, allocated in the current memory context.
 */
const char *
corm_tx_name(const char *given, int depth)
{
	return given[0] != '\0' ? given : psprintf("corm_tx_%d", depth);
}

/*
 * corm_tx_push opens a scope that lives at the given nest level and returns
 * it; the stack owns it.  May raise for lack of memory only.
 */
CormTxScope *
corm_tx_push(const CormTxOptions *opts, CormTxHold hold, bool session, int level)
{
	CormTxScope *around = corm_tx_current();
	CormTxScope *scope;

	scope = MemoryContextAlloc(TopTransactionContext, sizeof(CormTxScope));
	scope->outer = stack;
	scope->target = (hold == CORM_TX_HOLD_NOTHING && around != NULL) ? around->target : scope;
	scope->hold = hold;
	scope->propagation = opts->propagation;
	scope->session = session;
	scope->read_only = opts->has_read_only && opts->read_only;
	scope->child_ended = false;
	scope->level = level;
	scope->closed_level = 0;
	scope->depth = (around != NULL ? around->depth : 0) + 1;
	GetUserIdAndSecContext(&scope->user, &scope->security);
	scope->deadline = 0;
	scope->timeout_ms = 0;
	scope->asked = NULL;
	scope->doomed = NULL;
	if (opts->name[0] != '\0')
		strlcpy(scope->name, opts->name, NAMEDATALEN);
	else
		scope->name[0] = '\0';

	stack = scope;
	corm_xact_needs_end();
	corm_tx_stats.scopes++;
	corm_tx_stats.max_depth = Max(corm_tx_stats.max_depth, scope->depth);
	return scope;
}

/*
 * corm_tx_pop takes a scope that joined off the stack, and all scopes that were
 * opened after it.  Does nothing if the end of a subtransaction has done so.
 */
void
corm_tx_pop(CormTxScope *scope)
{
	if (!is_open(scope))
		return;
	while (stack != scope)
		remove_scope(stack);
	remove_scope(scope);
}

/*
 * corm_tx_close_joined closes a joined session scope.  If savepoints were set
 * since it was opened, it stays on the stack until they are released, because
 * rolling back to one of them opens it again.
 */
void
corm_tx_close_joined(CormTxScope *scope)
{
	int			level = GetCurrentTransactionNestLevel();

	if (level > scope->level)
		scope->closed_level = level;
	else
		remove_scope(scope);
}

/*
 * corm_tx_is_foreign returns whether the code that is running belongs to another
 * user than the code that opened a scope, or opened what the scope joined: a
 * SECURITY DEFINER function of another user, a trigger that a cascade fires, the
 * function of an index.  A user that it must not harm may be its caller, so it
 * must not be able to give up the transaction except by raising an error.
 */
bool
corm_tx_is_foreign(const CormTxScope *scope)
{
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	if (security != scope->security ||
		(user != scope->user && (security & SECURITY_LOCAL_USERID_CHANGE) != 0))
		return true;
	if (scope->hold != CORM_TX_HOLD_NOTHING)
		return false;
	/* a transaction without a scope is the session's */
	return scope->target != scope ? corm_tx_is_foreign(scope->target) :
		(security & (SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION)) != 0;
}

/*
 * corm_tx_make_mark returns a new mark that blames the scope named culprit;
 * error is what it failed with, NULL when it was rolled back on request.
 */
CormTxMark *
corm_tx_make_mark(const char *culprit, const ErrorData *error)
{
	CormTxMark *mark = MemoryContextAlloc(TopTransactionContext, sizeof(CormTxMark));

	mark->subid = Max(newest_subid, GetCurrentSubTransactionId());
	mark->failed = error != NULL;
	strlcpy(mark->culprit, culprit, NAMEDATALEN);
	mark->sqlerrcode = error != NULL ? error->sqlerrcode : 0;
	mark->message = NULL;
	if (error != NULL && error->message != NULL)
		mark->message = MemoryContextStrdup(TopTransactionContext, error->message);
	return mark;
}

/*
 * corm_tx_doom puts a mark on a scope, NULL meaning the transaction itself,
 * because a scope that had joined it was not to be stored.  The first mark
 * stays: a savepoint older than that is older than all of them.
 * Takes the mark over.
 */
void
corm_tx_doom(CormTxScope *target, CormTxMark *mark)
{
	CormTxMark **place = target != NULL ? &target->doomed : &root_mark;

	corm_xact_needs_end();
	if (*place == NULL)
		*place = mark;
	else
		free_mark(mark);
}

/*
 * corm_tx_raise_doomed raises 40000 for the scope of that name, NULL meaning
 * the transaction itself.
 */
void
corm_tx_raise_doomed(const char *name, const CormTxMark *mark)
{
	char	   *what;

	what = name != NULL ? psprintf("transaction scope \"%s\"", name) : pstrdup("transaction");
	if (mark->failed)
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_ROLLBACK),
				 errmsg("%s cannot commit because scope \"%s\", which had joined it, failed",
						what, mark->culprit),
				 mark->message != NULL ?
				 errdetail("The error was %s: %s.",
						   unpack_sql_state(mark->sqlerrcode), mark->message) : 0,
				 errhint("Catching the error does not undo the work of a scope that joined. "
						 "Use propagation nested for a scope that may fail by itself.")));
	else
		ereport(ERROR,
				(errcode(ERRCODE_TRANSACTION_ROLLBACK),
				 errmsg("%s cannot commit because scope \"%s\" asked for its rollback",
						what, mark->culprit)));
}

/*
 * corm_tx_check_subtransactions counts a new subtransaction of corm's and
 * warns, once per transaction, when that many are open: beyond 64 with an xid,
 * every session's visibility checks get slower.
 */
void
corm_tx_check_subtransactions(int live)
{
	corm_tx_stats.subtransactions++;
	if (live >= corm_subtransaction_warning && corm_subtransaction_warning > 0 &&
		!warned_subtransactions)
	{
		warned_subtransactions = true;
		corm_tx_stats.subtransaction_warnings++;
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("%d subtransactions are open", live),
				 errdetail("More than %d in one transaction slow down visibility checks in all sessions.",
						   PGPROC_MAX_CACHED_SUBXIDS),
				 errhint("Let inner scopes join (propagation required), or set corm.subtransaction_warning.")));
	}
}

/*
 * corm_tx_at_leftover tells whether the current subtransaction is the empty
 * savepoint that an inner rollback_tx left behind.
 */
bool
corm_tx_at_leftover(void)
{
	int			level = GetCurrentTransactionNestLevel();

	return level < num_levels && levels[level].leftover;
}

/* corm_tx_set_deadline gives a new session scope its deadline; 0 ms: none. */
void
corm_tx_set_deadline(CormTxScope *scope, int timeout_ms)
{
	if (timeout_ms == 0)
		return;
	scope->timeout_ms = timeout_ms;
	scope->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
	corm_tx_session_deadlines++;
}

/*
 * corm_tx_check_session_deadline returns the session scope whose deadline
 * comes first, NULL if none has one; raises OR030 if it has passed.
 */
CormTxScope *
corm_tx_check_session_deadline(void)
{
	CormTxScope *first = NULL;

	if (corm_tx_session_deadlines == 0)
		return NULL;
	for (CormTxScope *scope = stack; scope != NULL; scope = scope->outer)
	{
		if (scope->deadline != 0 && scope->closed_level == 0 &&
			(first == NULL || scope->deadline < first->deadline))
			first = scope;
	}
	if (first != NULL && GetCurrentTimestamp() >= first->deadline)
	{
		corm_tx_stats.timeouts++;
		ereport(ERROR,
				(errcode(CORM_ERRCODE_SCOPE_TIMED_OUT),
				 errmsg("transaction scope \"%s\" timed out",
						corm_tx_name(first->name, first->depth)),
				 errdetail("The timeout of the scope is %d ms.", first->timeout_ms)));
	}
	return first;
}

/*
 * corm_tx_block_asked_for_rollback returns the scope that holds the
 * transaction block if it is to end rolled back without an error, else NULL.
 */
CormTxScope *
corm_tx_block_asked_for_rollback(void)
{
	CormTxScope *scope = stack;

	if (scope == NULL)
		return NULL;
	while (scope->outer != NULL)
		scope = scope->outer;
	return scope->hold == CORM_TX_HOLD_BLOCK && scope->asked != NULL ? scope : NULL;
}

/*
 * corm_tx_is_active tells whether there is a transaction to join: a
 * transaction block or an open scope.  An exception block of a procedural
 * language is not enough.  IsTransactionBlock() returns true inside one, as in
 * any subtransaction, so the answer is the one that it gave at the
 * outermost level.  A session that loaded corm inside an exception block does
 * not know that answer until the transaction ends.
 */
bool
corm_tx_is_active(void)
{
	if (corm_tx_current() != NULL)
		return true;
	if (IsSubTransaction() && outermost_known)
		return outermost_in_block;
	return IsTransactionBlock();
}

/*
 * corm_tx_note_statement is called before any statement is executed, because
 * a subtransaction has always begun inside of one.
 */
void
corm_tx_note_statement(void)
{
	if (!IsSubTransaction())
	{
		outermost_known = true;
		outermost_in_block = IsTransactionBlock();
		if (outermost_in_block)
			corm_xact_needs_end();
	}
}

/*
 * corm_tx_in_explicit_block tells whether the client has begun a transaction
 * block.  IsTransactionBlock() says yes to the implicit block around a
 * pipeline as well, where SAVEPOINT is refused but BEGIN is right; so the hook
 * keeps track of BEGIN.  Until it has seen the start of a transaction, the
 * server's answer has to do.
 */
bool
corm_tx_in_explicit_block(void)
{
	if (!IsTransactionBlock())
		return false;
	return !(MyXactFlags & XACT_FLAGS_PIPELINING) || !block_known || block_explicit;
}

/* corm_tx_note_block notes a BEGIN, or the [NO] CHAIN of a COMMIT or ROLLBACK. */
void
corm_tx_note_block(bool begun, bool chain)
{
	if (begun)
	{
		block_known = true;
		block_explicit = true;
	}
	block_chain = chain;
	corm_xact_needs_end();
}

/*
 * corm_tx_note_savepoint_rollback announces that ROLLBACK TO SAVEPOINT was
 * accepted and takes effect at the end of this command.  With drop_scope, the
 * session scope that holds the savepoint ends with it.
 */
void
corm_tx_note_savepoint_rollback(bool drop_scope)
{
	savepoint_rollback_pending = true;
	drop_rolled_back_scope = drop_scope;
	corm_xact_needs_end();
}

/* level_info returns what is known about a nest level; valid until the next call. */
static CormTxLevel *
level_info(int level)
{
	if (level >= num_levels)
	{
		int			wanted = Max(64, num_levels);
		CormTxLevel *grown;

		while (wanted <= level)
			wanted *= 2;
		grown = MemoryContextAllocZero(TopMemoryContext, wanted * sizeof(CormTxLevel));
		if (levels != NULL)
		{
			memcpy(grown, levels, num_levels * sizeof(CormTxLevel));
			pfree(levels);
		}
		levels = grown;
		num_levels = wanted;
	}
	return &levels[level];
}

/* free_mark frees a mark, which may be NULL. */
static void
free_mark(CormTxMark *mark)
{
	if (mark == NULL)
		return;
	if (mark->message != NULL)
		pfree(mark->message);
	pfree(mark);
}

/* remove_scope unlinks a scope from wherever it stands on the stack and frees it. */
static void
remove_scope(CormTxScope *scope)
{
	CormTxScope **link = &stack;

	while (*link != scope)
		link = &(*link)->outer;
	*link = scope->outer;
	if (scope->deadline != 0)
		corm_tx_session_deadlines--;
	free_mark(scope->asked);
	free_mark(scope->doomed);
	pfree(scope);
}

/* is_open tells whether a scope is still on the stack; it need not be a valid pointer. */
static bool
is_open(const CormTxScope *scope)
{
	for (CormTxScope *s = stack; s != NULL; s = s->outer)
	{
		if (s == scope)
			return true;
	}
	return false;
}

/*
 * merge_marks hands the marks of a scope whose work becomes part of what is
 * around it to the next scope, or to the transaction.
 */
static void
merge_marks(CormTxScope *scope)
{
	CormTxScope *around = scope->outer;
	CormTxMark *mark = scope->doomed;

	scope->doomed = NULL;
	if (mark == NULL)
	{
		mark = scope->asked;
		scope->asked = NULL;
	}
	if (mark == NULL)
		return;
	while (around != NULL && around->closed_level > 0)
		around = around->outer;
	corm_tx_doom(around != NULL ? around->target : NULL, mark);
}

/*
 * level_restarted puts the stack right after ROLLBACK TO: the subtransaction
 * at that level has just been restarted, and old_subid was its id before.
 */
static void
level_restarted(int level, SubTransactionId old_subid)
{
	CormTxScope *scope;
	CormTxScope *outer;

	for (scope = stack; scope != NULL; scope = outer)
	{
		outer = scope->outer;
		if (scope->level > level ||
			(scope->level == level &&
			 (drop_rolled_back_scope || scope->hold != CORM_TX_HOLD_SUBXACT)))
			remove_scope(scope);
		else if (scope->level == level)
			scope->child_ended = false;
	}
	if (drop_rolled_back_scope)
	{
		level_info(level)->leftover = true;
		corm_tx_stats.rollbacks++;
	}
	clear_marks_since(old_subid);
}

/* level_committed puts the stack right when the subtransaction at that level is released. */
static void
level_committed(int level)
{
	CormTxScope *holder = NULL;
	CormTxScope *scope;
	CormTxScope *outer;

	for (scope = stack; scope != NULL && scope->level >= level; scope = scope->outer)
	{
		if (scope->hold == CORM_TX_HOLD_SUBXACT)
			holder = scope;
	}
	while (holder != NULL)
	{
		scope = stack;
		merge_marks(scope);
		if (scope == holder)
			holder = NULL;
		remove_scope(scope);
	}

	for (scope = stack; scope != NULL; scope = outer)
	{
		outer = scope->outer;
		if (scope->level >= level)
			scope->level = level - 1;
		if (scope->closed_level >= level)
		{
			scope->closed_level = level - 1;
			if (scope->closed_level <= scope->level)
				remove_scope(scope);
		}
	}
}

/*
 * level_aborted puts the stack right when the subtransaction at that level is
 * aborted.  The session scope that holds it stays: either ROLLBACK TO restarts
 * it, or the abort of an outer level takes it off.
 */
static void
level_aborted(int level)
{
	CormTxScope *scope;
	CormTxScope *outer;

	for (scope = stack; scope != NULL; scope = outer)
	{
		outer = scope->outer;
		if (scope->level > level ||
			(scope->level == level && !(scope->session && scope->hold == CORM_TX_HOLD_SUBXACT)))
			remove_scope(scope);
		else if (scope->closed_level >= level)
			scope->closed_level = 0;
	}
}

/* clear_marks_since removes the marks that are younger than a subtransaction that was undone. */
static void
clear_marks_since(SubTransactionId subid)
{
	for (CormTxScope *scope = stack; scope != NULL; scope = scope->outer)
	{
		if (scope->asked != NULL && scope->asked->subid >= subid)
		{
			free_mark(scope->asked);
			scope->asked = NULL;
		}
		if (scope->doomed != NULL && scope->doomed->subid >= subid)
		{
			free_mark(scope->doomed);
			scope->doomed = NULL;
		}
	}
	if (root_mark != NULL && root_mark->subid >= subid)
	{
		free_mark(root_mark);
		root_mark = NULL;
	}
}

/*
 * check_marks_before_commit raises 40000 if the transaction holds work that
 * must not be stored.  All deferred triggers have run.
 */
static void
check_marks_before_commit(void)
{
	for (CormTxScope *scope = stack; scope != NULL; scope = scope->outer)
	{
		if (scope->doomed != NULL)
			corm_tx_raise_doomed(corm_tx_name(scope->name, scope->depth), scope->doomed);
		if (scope->asked != NULL)
			corm_tx_raise_doomed(corm_tx_name(scope->name, scope->depth), scope->asked);
	}
	if (root_mark != NULL)
		corm_tx_raise_doomed(NULL, root_mark);
}

/* reset_block forgets all that, at the end of the transaction. */
static void
reset_block(void)
{
	block_known = true;
	block_explicit = block_chain;
	block_chain = false;
	if (block_explicit)
		corm_xact_needs_end();
	outermost_known = true;
	outermost_in_block = false;
}

/* reset_stack forgets everything; the memory goes with the transaction. */
static void
reset_stack(void)
{
	stack = NULL;
	corm_tx_session_deadlines = 0;
	root_mark = NULL;
	newest_subid = InvalidSubTransactionId;
	savepoint_rollback_pending = false;
	drop_rolled_back_scope = false;
	warned_subtransactions = false;
	reset_block();
}

/* Whether the end of a transaction would reset nothing. */
static bool
is_idle(void)
{
	return stack == NULL && corm_tx_session_deadlines == 0 && root_mark == NULL &&
		newest_subid == InvalidSubTransactionId && !savepoint_rollback_pending &&
		!drop_rolled_back_scope && !warned_subtransactions && block_known && !block_explicit &&
		!block_chain && outermost_known && !outermost_in_block;
}

/* on_subtransaction is called as subtransactions of any origin start and end. */
static void
on_subtransaction(SubXactEvent event, SubTransactionId subid,
				  SubTransactionId parent_subid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	switch (event)
	{
		case SUBXACT_EVENT_START_SUB:
			{
				CormTxLevel *info = level_info(level);
				SubTransactionId old_subid = info->subid;

				corm_xact_needs_end();
				info->subid = subid;
				info->leftover = false;
				newest_subid = subid;
				if (savepoint_rollback_pending)
				{
					savepoint_rollback_pending = false;
					level_restarted(level, old_subid);
					drop_rolled_back_scope = false;
				}
				/* a read-only session scope begins, or is restarted */
				if (stack != NULL && stack->session && stack->read_only &&
					stack->hold == CORM_TX_HOLD_SUBXACT && stack->level == level)
					XactReadOnly = true;
			}
			break;
		case SUBXACT_EVENT_COMMIT_SUB:
			if (stack != NULL)
				level_committed(level);
			break;
		case SUBXACT_EVENT_ABORT_SUB:
			if (stack != NULL)
				level_aborted(level);
			break;
		case SUBXACT_EVENT_PRE_COMMIT_SUB:
			break;
	}
}

/* on_transaction is called as the transaction ends. */
static void
on_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			check_marks_before_commit();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			reset_stack();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}
