/*-------------------------------------------------------------------------
 *
 * fetch.c
 *		cache_fetch with a query as loader.
 *
 * The value is stored with the type that the query gives it, so that
 * cache_get_as() finds it again.  The plan of the query as it stands tells that
 * type; then it runs as corm.value() does, with middleware.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cache/cache.h"
#include "exec/call/run_query.h"
#include "exec/plan/plan.h"
#include "exec/plan/query_set.h"
#include "executor/spi.h"
#include "utils/plancache.h"

PG_FUNCTION_INFO_V1(corm_cache_fetch_query);

/*
 * Returns the type of the only column of a query.  Raises 22023 for one that
 * writes, 42804 for one of several columns.
 */
static Oid
value_type(CormQuerySet *set)
{
	CormVerb	verb = {.output = CORM_OUTPUT_NATIVE};
	CormPlan   *plan = corm_plan_for_queries(&verb, set, NULL);
	TupleDesc	tupdesc = NULL;
	bool		reads;
	int			natts = 0;
	Oid			type = InvalidOid;

	/* the template of a write has no statement */
	if (plan->spi != NULL && !plan->writes)
		tupdesc = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan->spi)))->resultDesc;
	reads = tupdesc != NULL;
	if (reads)
		natts = tupdesc->natts;
	if (natts == 1)
		type = TupleDescAttr(tupdesc, 0)->atttypid;
	corm_plan_release(plan);
	if (!reads)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("loader must be a query that reads")));
	if (natts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("loader must return one column"),
				 errdetail("The query returns %d columns.", natts),
				 errhint("Use corm.select() with one field or expression.")));
	return type;
}

/* The loader of corm_cache_fetch_query. */
static void
load_query(void *arg, CormCacheLoad *load)
{
	FunctionCallInfo fcinfo = arg;
	CormVerb	verb = {.output = CORM_OUTPUT_VALUE, .limit = 2};
	CormSink	sink = {.kind = CORM_SINK_ONE, .context = CurrentMemoryContext, .isnull = true};
	CormQuerySet set;

	corm_queries_of_node(CormPGGetQuery(PG_GETARG_DATUM(1)), &set);
	verb.typid = value_type(&set);
	(void) corm_run_queries(&verb, &set, &sink);
	if (sink.nrows > 0 && !sink.isnull)
		corm_cache_loaded(load, sink.value, verb.typid);
}

/* cache_fetch(key, loader corm.query, ttl, cache, depends) -> text */
Datum
corm_cache_fetch_query(PG_FUNCTION_ARGS)
{
	corm_cache_fetch_check(fcinfo);
	return corm_cache_fetch_with(fcinfo, load_query, fcinfo, 4);
}
