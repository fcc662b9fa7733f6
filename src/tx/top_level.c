/*-------------------------------------------------------------------------
 *
 * top_level.c
 *		Statements one by one, each as a client would send it.
 *
 * That is propagation not_supported: no transaction around the body.  Each statement is
 * a transaction of its own, at top level, so VACUUM and procedures that COMMIT work.  It
 * can only be done in a worker that has no transaction, and since such a statement may do to
 * the session what it likes, the worker is not used again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "base/params.h"
#include "base/sql_text.h"
#include "miscadmin.h"
#include "parser/analyze.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "tx/deadline.h"
#include "tx/json.h"
#include "tx/stack.h"
#include "tx/top_level.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* check_statement raises 2D000 for a command that would begin or end a transaction. */
static void
check_statement(const RawStmt *raw)
{
	if (IsA(raw->stmt, TransactionStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("%s is not allowed in the body of a transaction scope",
						GetCommandTagName(CreateCommandTag(raw->stmt))),
				 errhint("With propagation not_supported each statement is a transaction of its own.")));
	if (IsA(raw->stmt, CopyStmt) && ((CopyStmt *) raw->stmt)->filename == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot COPY to or from the client in the body of a transaction scope")));
}

/*
 * plan_statement analyzes and plans a statement, and sets *params to what its plan takes.
 * Everything is allocated in the current memory context.
 */
static List *
plan_statement(RawStmt *raw, const char *sql, const CormParams *given, ParamListInfo *params)
{
	bool		snapshot = analyze_requires_snapshot(raw);
	Oid		   *types = NULL;
	List	   *plans;

	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	if (given->n > 0)
	{
		types = palloc(given->n * sizeof(Oid));
		corm_params_find_types(sql, given->n, given->types, types, "transaction scope");
		*params = corm_params_bind(given, types);
	}
	plans = pg_plan_queries(pg_analyze_and_rewrite_fixedparams(raw, sql, types, given->n, NULL),
							sql, CURSOR_OPT_PARALLEL_OK, *params);
	if (snapshot)
		PopActiveSnapshot();
	return plans;
}

/* run_statement runs one statement in a transaction of its own; its rows go to receiver. */
static void
run_statement(RawStmt *raw, const char *sql, const CormParams *given, DestReceiver *receiver,
			  MemoryContext context)
{
	ParamListInfo params = NULL;
	CommandTag	tag = CreateCommandTag(raw->stmt);
	QueryCompletion qc;
	List	   *plans;
	Portal		portal;
	ErrorContextCallback callback;

	corm_push_sql_errors(&callback, sql);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	CHECK_FOR_INTERRUPTS();
	plans = plan_statement(raw, sql, given, &params);

	portal = CreatePortal("", true, true);
	portal->visible = false;
	PortalDefineQuery(portal, NULL, sql, tag, plans, NULL);
	PortalStart(portal, params, 0, InvalidSnapshot);
	InitializeQueryCompletion(&qc);
	(void) CORM_PORTAL_RUN(portal, receiver, &qc);
	PortalDrop(portal, false);

	/* a procedure may have ended that transaction, and begun another */
	CommitTransactionCommand();
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(context);
}

/* run_all runs the statements of a body, and makes the rows of the last one the value of the report. */
static void
run_all(const CormJob *job, MemoryContext context, CormJobReport *report)
{
	char	   *text = pnstrdup(job->body, job->body_len);
	List	   *parsed = corm_parse_sql(text, RAW_PARSE_DEFAULT);
	ListCell   *cell;

	foreach(cell, parsed)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);
		bool		last = lnext(parsed, cell) == NULL;
		DestReceiver *receiver = last ? corm_tx_json_receiver() : None_Receiver;
		const char *start = text +raw->stmt_location;
		char	   *sql = pnstrdup(start, raw->stmt_len > 0 ? raw->stmt_len : strlen(start));

		check_statement(raw);
		raw->stmt_location = 0;
		raw->stmt_len = 0;
		run_statement(raw, sql, &job->params, receiver, context);
		if (last)
			report->value = corm_tx_json_result(receiver, context);
	}
}

/*
 * corm_tx_run_top_level runs the body of a job statement by statement, outside of a
 * transaction.  Raises what they raise, and OR030 when the job's time is over; what was
 * run before stays.
 */
void
corm_tx_run_top_level(const CormJob *job, MemoryContext result_context, CormJobReport *report)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(result_context);
	CormTxDeadline deadline;
	volatile bool under_deadline = true;

	corm_tx_deadline_begin(&deadline, job->timeout_ms > 0 ?
						   TimestampTzPlusMilliseconds(GetCurrentTimestamp(), job->timeout_ms) : 0);
	PG_TRY();
	{
		run_all(job, result_context, report);
		under_deadline = false;
		(void) corm_tx_deadline_end(&deadline, false);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (!under_deadline || !corm_tx_deadline_end(&deadline, geterrcode() == ERRCODE_QUERY_CANCELED))
			PG_RE_THROW();
		MemoryContextSwitchTo(result_context);
		error = CopyErrorData();
		FlushErrorState();
		corm_tx_timeout_error(error, corm_tx_name(job->name, 1), job->timeout_ms);
		ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
}
