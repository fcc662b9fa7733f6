/*-------------------------------------------------------------------------
 *
 * operation.c
 *		Queries as operations that middleware can wrap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "exec/call/operation.h"
#include "exec/call/show.h"
#include "exec/middleware/middleware.h"
#include "exec/plan/plan.h"
#include "exec/plan/plan_check.h"
#include "exec/plan/query_set.h"
#include "exec/run/sink.h"
#include "utils/builtins.h"

typedef struct QueryOperation
{
	CormOperation op;
	const CormVerb *shown;		/* the verb whose SQL a middleware sees */
	CormQuerySet *set;
	CormQueryRun run;
} QueryOperation;

/*
 * Returns a plan, in use, that has all relations of a query.  This is not a template,
 * which does not have the relations in raw SQL and behind views.
 */
static pg_noinline CormPlan *
plan_to_inspect(const CormVerb *verb, CormQuerySet *set)
{
	CormPlan   *plan = corm_plan_for_queries(verb, set, NULL);
	CormQuerySet copy;

	if (plan->spi)
		return plan;
	corm_plan_release(plan);
	corm_queries_copy(&copy, set, 0);
	return corm_plan_to_show(verb, &copy);
}

/*
 * corm_operation_of_plan describes a plan as an operation.  The operation points into
 * the plan, which the caller keeps in use.
 */
void
corm_operation_of_plan(CormOperation *op, const CormPlan *plan)
{
	op->command = plan->command;
	op->writes = plan->writes;
	op->model = plan->model;
	op->nrelids = plan->nconcerned;
	op->relids = plan->relids;
}

/*
 * corm_inspect_query describes a query as an operation, which points to memory in the
 * current context.  Raises the errors of the query.
 */
void
corm_inspect_query(CormOperation *op, const CormVerb *verb, CormNode *query)
{
	CormQuerySet set;
	CormPlan   *plan;
	Oid		   *relids;

	corm_queries_of_node(query, &set);
	plan = plan_to_inspect(verb, &set);
	corm_operation_of_plan(op, plan);
	relids = palloc(sizeof(Oid) * Max(op->nrelids, 1));
	memcpy(relids, plan->relids, sizeof(Oid) * op->nrelids);
	op->relids = relids;
	corm_plan_release(plan);
}

static CormNode *
operation_query(CormOperation *op)
{
	QueryOperation *self = (QueryOperation *) op;
	CormWriter	w;

	corm_writer_init(&w);
	for (int i = 0; i < self->set->nqueries; i++)
		corm_write_node(&w, self->set->queries[i]);
	return corm_writer_finish(&w, CORM_KIND_QUERY);
}

static void
operation_inspect(CormOperation *op, CormNode *rewritten)
{
	corm_inspect_query(op, ((QueryOperation *) op)->shown, rewritten);
}

static void
operation_show(CormOperation *op, CormNode *rewritten, char **sql, Jsonb **args)
{
	QueryOperation *self = (QueryOperation *) op;
	CormQuerySet set;

	if (rewritten == NULL)
		corm_show_query(self->shown, self->set, sql, args);
	else
	{
		corm_queries_of_node(rewritten, &set);
		corm_show_query(self->shown, &set, sql, args);
	}
}

/*
 * Runs the queries of the call, or the query with which middleware has replaced them.
 */
static uint64
operation_run(CormOperation *op, CormNode *rewritten, CormSink *sink)
{
	QueryOperation *self = (QueryOperation *) op;
	CormQuerySet set;
	uint64		processed;

	if (rewritten == NULL)
		processed = self->run(op->verb, self->set, sink);
	else
	{
		corm_queries_of_node(rewritten, &set);
		processed = self->run(op->verb, &set, sink);
	}
	op->sink->limit = sink->limit;
	return processed;
}

/*
 * corm_run_query_operation runs the queries of a call within their chain of middleware.
 * Returns false, and does nothing, if there is none.
 */
bool
corm_run_query_operation(const CormVerb *verb, const CormVerb *shown, CormQuerySet *set,
						 CormSink *sink, CormQueryRun run, uint64 *processed)
{
	QueryOperation self = {
		.op = {
			.verb = verb,
			.sink = sink,
			.query = operation_query,
			.inspect = operation_inspect,
			.show = operation_show,
			.run = operation_run
		},
		.shown = shown,
		.set = set,
		.run = run
	};
	CormPlan   *plan = plan_to_inspect(shown, set);
	volatile bool done = false;

	PG_TRY();
	{
		corm_queries_read_values(set);
		corm_operation_of_plan(&self.op, plan);
		done = corm_middleware_run(&self.op, processed);
		/* middleware is user code, but the result is rows of the plan's type */
		corm_plan_check_rows(plan);
	}
	PG_FINALLY();
	{
		corm_plan_release(plan);
	}
	PG_END_TRY();
	return done;
}
