/*-------------------------------------------------------------------------
 *
 * deadline.c
 *		Deadlines of transaction scopes.
 *
 * Code that runs under a deadline stands between corm_tx_deadline_begin and
 * corm_tx_deadline_end; deadlines nest.  One server timer is armed for the
 * earliest of them.  When it fires, the query is cancelled the way
 * pg_cancel_backend does it, and the end of the deadline that has passed turns
 * the error into corm's own.  Without a deadline the timer is not armed, so an
 * idle session is never cancelled.
 *
 * No cancel is left behind: the end of a deadline takes back a cancel of ours
 * that no CHECK_FOR_INTERRUPTS has seen, unless an outer deadline has passed
 * too.  And none is swallowed: an error counts as corm's only if the timer
 * fired and nothing else had requested a cancel before; statement_timeout,
 * lock_timeout and pg_cancel_backend keep their meaning.
 *
 * The handler runs in a signal handler: it touches volatile flags only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/errors.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tx/deadline.h"
#include "tx/stack.h"
#include "utils/timeout.h"

static TimeoutId timer = MAX_TIMEOUTS;	/* not registered yet */
static CormTxDeadline *deadlines = NULL;	/* innermost first */

/* Set by the handler: the timer fired and the cancel request is ours. */
static volatile sig_atomic_t cancelled_by_timer = false;

static void on_timer(void);
static void arm_timer(void);
static bool statement_timeout_fired(TimestampTz now);

/* on_timer cancels the query, as the handler of SIGINT does. */
static void
on_timer(void)
{
	if (deadlines == NULL || QueryCancelPending || ProcDiePending)
		return;
	cancelled_by_timer = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

/*
 * arm_timer arms the timer for the earliest deadline, or disarms it if there is
 * none.
 */
static void
arm_timer(void)
{
	TimestampTz earliest = 0;

	for (CormTxDeadline *deadline = deadlines; deadline != NULL; deadline = deadline->outer)
	{
		if (deadline->at != 0 && (earliest == 0 || deadline->at < earliest))
			earliest = deadline->at;
	}

	if (earliest != 0)
	{
		if (timer == MAX_TIMEOUTS)
			timer = RegisterTimeout(USER_TIMEOUT, on_timer);
		enable_timeout_at(timer, earliest);
	}
	else if (timer != MAX_TIMEOUTS)
		disable_timeout(timer, false);
}

/*
 * statement_timeout_fired returns whether statement_timeout has cancelled this
 * statement.  Its indicator is of no use, because the server resets it when it
 * raises the error; but while a statement runs, its timer is either active or
 * spent.
 */
static bool
statement_timeout_fired(TimestampTz now)
{
	TimestampTz finish = get_timeout_finish_time(STATEMENT_TIMEOUT);

	return StatementTimeout > 0 && !get_timeout_active(STATEMENT_TIMEOUT) &&
		finish >= GetCurrentStatementStartTimestamp() && finish <= now;
}

/*
 * corm_tx_deadline_begin puts what follows under a deadline (0: none), in
 * addition to the deadlines around it.  *deadline must live until
 * corm_tx_deadline_end, which must be called after an error too.
 */
void
corm_tx_deadline_begin(CormTxDeadline *deadline, TimestampTz at)
{
	deadline->outer = deadlines;
	deadline->at = at;
	deadlines = deadline;
	if (at != 0)
		arm_timer();
}

/*
 * corm_tx_deadline_end ends a deadline and returns whether it has passed, so
 * that what ran under it must fail.  cancelled says that it ended with a cancel
 * error (57014); that error is corm's own if the result is true.
 */
bool
corm_tx_deadline_end(CormTxDeadline *deadline, bool cancelled)
{
	bool		expired;
	bool		outer_expired = false;
	TimestampTz now;

	if (deadline->at == 0)
	{
		deadlines = deadline->outer;
		return false;
	}

	/* from here on no signal interferes */
	disable_timeout(timer, false);
	now = GetCurrentTimestamp();

	/*
	 * A cancel error is ours if the timer requested it; not if the cancel
	 * that the timer requested is still pending.  Without a cancel, a
	 * deadline that has passed counts even if the timer had no chance to
	 * fire.
	 */
	expired = now >= deadline->at;
	if (cancelled)
		expired = expired && cancelled_by_timer && !QueryCancelPending &&
			!statement_timeout_fired(now);

	deadlines = deadline->outer;
	for (CormTxDeadline *outer = deadlines; outer != NULL; outer = outer->outer)
	{
		if (outer->at != 0 && now >= outer->at)
			outer_expired = true;
	}

	if (cancelled_by_timer && outer_expired)
		return expired;			/* the cancel is on its way to the outer
								 * deadline */
	if (cancelled_by_timer)
	{
		QueryCancelPending = false;
		cancelled_by_timer = false;
	}
	if (deadlines != NULL)
		arm_timer();
	return expired;
}

/*
 * corm_tx_timeout_error rewrites an error so that it says that the scope ran
 * out of time.  Its fields are allocated in the current memory context.
 */
void
corm_tx_timeout_error(ErrorData *edata, const char *name, int timeout_ms)
{
	corm_tx_stats.timeouts++;
	edata->sqlerrcode = CORM_ERRCODE_SCOPE_TIMED_OUT;
	edata->message = psprintf(_("transaction scope \"%s\" timed out"), name);
	edata->detail = psprintf(_("The timeout of the scope is %d ms."), timeout_ms);
	edata->detail_log = NULL;
	edata->hint = NULL;
	edata->message_id = "transaction scope \"%s\" timed out";
}
