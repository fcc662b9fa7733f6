/*-------------------------------------------------------------------------
 *
 * log.c
 *		The query log, the log of slow queries, and comments in the SQL.
 *
 * A comment, in the form of sqlcommenter, names the model, the operation, and the trace
 * that the session belongs to.  With it, pg_stat_activity of parallel workers,
 * auto_explain and the logs can be matched with what the application knows.  The trace
 * changes all the time and the plan should not, so the comment is not part of the plan's
 * SQL: the text that the plan shows is replaced while it runs.  The comment comes after
 * the SQL, so that positions in the text stay the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/guc.h"
#include "exec/plan/plan.h"
#include "exec/run/log.h"
#include "lib/stringinfo.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/plancache.h"

static void
append_lower(StringInfo buf, const char *str)
{
	for (const char *p = str; *p; p++)
		appendStringInfoChar(buf, pg_tolower((unsigned char) *p));
}

/*
 * Appends a value in URL encoding, so that it contains neither quotes nor the end of a
 * comment.
 */
static void
append_encoded(StringInfo buf, const char *str)
{
	for (const unsigned char *p = (const unsigned char *) str; *p; p++)
	{
		if ((*p < 0x80 && isalnum(*p)) || strchr("-_.~", *p) != NULL)
			appendStringInfoChar(buf, *p);
		else
			appendStringInfo(buf, "%%%02X", *p);
	}
}

/*
 * Appends the name of a plan's operation in the style of tracing tools: select-users.
 */
static void
append_span(StringInfo buf, const CormPlan *plan)
{
	append_lower(buf, corm_op_name(plan->command));
	if (plan->model_name)
		appendStringInfo(buf, "-%s", plan->model_name);
}

/*
 * Returns the SQL of a plan with its comment, in the current context.
 */
static char *
commented_sql(const CormPlan *plan)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s /*", plan->sql);
	if (plan->model_name)
	{
		appendStringInfoString(&buf, "model='");
		append_encoded(&buf, plan->model_name);
		appendStringInfoString(&buf, "',");
	}
	appendStringInfoString(&buf, "op='");
	append_lower(&buf, corm_op_name(plan->command));
	appendStringInfoChar(&buf, '\'');
	if (corm_traceparent && corm_traceparent[0] != '\0')
	{
		appendStringInfoString(&buf, ",traceparent='");
		append_encoded(&buf, corm_traceparent);
		appendStringInfoChar(&buf, '\'');
	}
	appendStringInfoString(&buf, "*/");
	return buf.data;
}

/*
 * corm_execute_commented executes a plan whose SQL carries a comment while it
 * runs; the result is SPI's.  The plan is in use, so its source stays.  Only the
 * text is changed: PostgreSQL shows it (activity of parallel workers, error contexts,
 * auto_explain), and would analyze it again, where a comment means nothing.  If the same
 * plan runs within itself, each run restores the text that it found.
 */
int
corm_execute_commented(CormPlan *plan, const SPIExecuteOptions *options)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan->spi));
	const char *sql = source->query_string;
	volatile int rc = 0;

	source->query_string = commented_sql(plan);
	PG_TRY();
	{
		rc = SPI_execute_plan_extended(plan->spi, options);
	}
	PG_FINALLY();
	{
		source->query_string = sql;
	}
	PG_END_TRY();
	return rc;
}

/*
 * Appends the values of the parameters, or their types, as corm.log_args says.  Where
 * one of them meets a hidden field, only the types are shown.
 */
static void
append_args(StringInfo buf, const CormPlan *plan, ParamListInfo params)
{
	char	   *values;

	if (params == NULL || params->numParams == 0 || corm_log_args == CORM_LOG_ARGS_NONE)
		return;
	if (corm_log_args == CORM_LOG_ARGS_VALUES && !plan->meets_hidden)
	{
		values = BuildParamLogString(params, NULL, corm_log_arg_max_length);
		appendStringInfo(buf, "\nParameters: %s", values ? values : "");
		return;
	}
	appendStringInfoString(buf, "\nParameters: ");
	for (int i = 0; i < params->numParams; i++)
	{
		ParamExternData *param = &params->params[i];

		appendStringInfo(buf, "%s$%d = %s", i > 0 ? ", " : "", i + 1,
						 param->isnull ? "NULL" : psprintf("<%s>", format_type_be(param->ptype)));
	}
}

/*
 * corm_log_query logs the run of a plan, if the settings ask for it.
 */
void
corm_log_query(const CormPlan *plan, ParamListInfo params, uint64 rows, instr_time start)
{
	instr_time	duration;
	double		ms;
	StringInfoData span;
	StringInfoData detail;

	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	ms = INSTR_TIME_GET_MILLISEC(duration);
	if (!corm_log_queries && (corm_log_min_duration < 0 || ms < corm_log_min_duration))
		return;

	initStringInfo(&span);
	append_span(&span, plan);
	initStringInfo(&detail);
	appendStringInfo(&detail, "SQL: %s", corm_sql_comments ? commented_sql(plan) : plan->sql);
	append_args(&detail, plan, params);
	ereport(LOG,
			(errmsg("query %s: %.3f ms, " UINT64_FORMAT " rows", span.data, ms, rows),
			 errdetail("%s", detail.data),
			 errhidestmt(true),
			 errhidecontext(true)));
}
