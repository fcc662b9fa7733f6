/*-------------------------------------------------------------------------
 *
 * procedure.c
 *		CALL corm.run(): a query as a command of its own.
 *
 * A client that calls corm.exec() in a SELECT sees a SELECT of one row: a query
 * cache may answer it, an "execute update" method refuses it, and its number of
 * rows is 1.  CALL is none of these, and the completion tag of the command becomes
 * that of the query: UPDATE 5.  The procedure leaves the tag here, and the
 * ProcessUtility hook passes it on when the CALL is done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "exec/call/run_query.h"
#include "exec/exec.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/plancache.h"

PG_FUNCTION_INFO_V1(corm_run_procedure);

static ProcessUtility_hook_type prev_process_utility = NULL;

/* What the CALL under way has run. */
static bool has_run = false;
static CommandTag run_tag;
static uint64 run_rows;

/*
 * Returns the completion tag of the queries of a call.
 */
static CommandTag
command_tag(CormQuerySet *set)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormPlan   *plan = corm_plan_for_queries(&verb, set, NULL);
	CommandTag	tag = CMDTAG_SELECT;

	switch (plan->command)
	{
		case CORM_CMD_SELECT:
			break;
		case CORM_CMD_INSERT:
			tag = CMDTAG_INSERT;
			break;
		case CORM_CMD_UPDATE:
			tag = CMDTAG_UPDATE;
			break;
		case CORM_CMD_DELETE:
			tag = CMDTAG_DELETE;
			break;
		case CORM_CMD_RAW:
			tag = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan->spi)))->commandTag;
			break;
	}
	corm_plan_release(plan);
	return tag;
}

/* CALL corm.run(q): runs the query; its rows are not returned, only counted */
Datum
corm_run_procedure(PG_FUNCTION_ARGS)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormSink	sink = {.kind = CORM_SINK_NONE};
	CormQuerySet set;
	uint64		rows;
	CommandTag	tag;

	corm_queries_from_args(fcinfo, 0, &set);
	tag = command_tag(&set);
	rows = corm_run_queries(&verb, &set, &sink);

	/* from here on no user code runs until the CALL is done */
	has_run = true;
	run_tag = tag;
	run_rows = rows;
	PG_RETURN_VOID();
}

/* The ProcessUtility hook. */
static void
process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	ProcessUtility_hook_type next = prev_process_utility ? prev_process_utility : standard_ProcessUtility;

	has_run = false;
	next(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
	if (has_run && qc != NULL && IsA(pstmt->utilityStmt, CallStmt))
		SetQueryCompletion(qc, run_tag, run_rows);
	has_run = false;
}

/* corm_procedure_init installs the hook. */
void
corm_procedure_init(void)
{
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
