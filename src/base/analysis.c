/*-------------------------------------------------------------------------
 *
 * analysis.c
 *		What corm does with a statement that was analyzed.
 *
 * There is one hook, called for each statement that anybody sends.  It sees at a glance
 * which of the files beside it could have something to do with the statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/analysis.h"
#include "base/documents.h"
#include "base/misread.h"
#include "base/untyped.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"

static post_parse_analyze_hook_type prev_post_parse_analyze = NULL;

/* The post_parse_analyze hook. */
static void
after_analysis(ParseState *pstate, Query *query, JumbleState * jstate)
{
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);

	/* the client may have left types of parameters open */
	if (pstate->p_coerce_param_hook && corm_has_open_params(pstate))
	{
		corm_settle_untyped(pstate, query);
		corm_settle_documents(pstate, query);
	}
	if (query->rtable == NIL && query->commandType == CMD_SELECT)
		corm_warn_of_misread(query);
}

/* corm_analysis_init installs the hook. */
void
corm_analysis_init(void)
{
	corm_untyped_init();
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = after_analysis;
}
