/*-------------------------------------------------------------------------
 *
 * limits.c
 *		Limits that a plan is made for.
 *
 * PostgreSQL takes a limit that is a parameter for a tenth of the rows.  Its
 * generic plan then looks so much worse than one made for the value that it
 * would plan anew for each execution.  So for usual sizes of pages the plan
 * is one for the value, which is part of its key.  Only for those, lest a
 * client that asks for all kinds of limits fill the cache with plans.
 *
 * The SQL is the same for all limits, and so are the parameters: what is
 * shown of a query does not depend on this.  Only when PostgreSQL's parser
 * meets the parameter, it is given a constant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * corm_known_limits finds values of limit() to be planned for, and returns
 * their number, at most CORM_MAX_KNOWN_LIMITS.
 *
 * Such a limit() ends a query.  Other bytes that look like one do no harm, as
 * the value is that of the key whatever it is used for.
 */
int
corm_known_limits(CormQuerySet *set, CormKnownLimit *limits)
{
	static const char tags[2] = {CORM_N_LIMIT, CORM_N_VALUE};
	const Oid	typid = INT8OID;
	int			nvalues = 0;
	int			n = 0;

	for (int i = 0; i < set->nqueries && n < CORM_MAX_KNOWN_LIMITS; i++)
	{
		const CormNode *query = set->queries[i];
		const char *end = CormNodeShape(query) + query->shape_len;
		int64		limit;

		nvalues += query->nvalues;
		if (query->nvalues == 0 || query->shape_len < sizeof(tags) + sizeof(typid) ||
			memcmp(end - sizeof(typid), &typid, sizeof(typid)) != 0 ||
			memcmp(end - sizeof(typid) - sizeof(tags), tags, sizeof(tags)) != 0)
			continue;
		corm_queries_read_values(set);
		if (set->values[nvalues - 1].typid != typid)
			continue;
		limit = DatumGetInt64(corm_value_datum(&set->values[nvalues - 1], sizeof(int64), true));
		if (limit < 0 || limit > 10000 || (limit > 100 && limit % 100 != 0))
			continue;
		limits[n].valno = nvalues - 1;
		limits[n].limit = limit;
		n++;
	}
	return n;
}

/*
 * The parameters of a statement some of which are constants for its planner.
 * It lives as long as the plan, whose text may be analyzed again.
 */
typedef struct PlanParameters
{
	int			nparams;
	Oid		   *types;
	bool	   *is_known;
	int64	   *values;			/* of those that are known */
} PlanParameters;

/*
 * Makes of $n what the planner is to see: the value of a known limit, else a
 * parameter.  The text of the statement, and so what is shown of it and
 * counted by its text, is the same for all limits.
 */
static Node *
parameter_hook(ParseState *pstate, ParamRef *pref)
{
	PlanParameters *parameters = pstate->p_ref_hook_state;
	int			i = pref->number - 1;
	Param	   *param;

	if (i < 0 || i >= parameters->nparams)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("there is no parameter $%d", pref->number),
				 parser_errposition(pstate, pref->location)));
	if (parameters->is_known[i])
		return (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
								  Int64GetDatum(parameters->values[i]), false, FLOAT8PASSBYVAL);
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = pref->number;
	param->paramtype = parameters->types[i];
	param->paramtypmod = -1;
	param->paramcollid = get_typcollation(param->paramtype);
	param->location = pref->location;
	return (Node *) param;
}

static void
set_parameters(ParseState *pstate, void *arg)
{
	pstate->p_ref_hook_state = arg;
	pstate->p_paramref_hook = parameter_hook;
}

/*
 * The parameters for set_parameters, in context; NULL if none is known.
 */
static PlanParameters *
known_parameters(MemoryContext context, const CormDeparsed *deparsed, const Oid *types,
				 const CormKnownLimit *limits, int nlimits)
{
	PlanParameters *parameters = NULL;

	for (int i = 0; i < deparsed->nparams; i++)
		for (int j = 0; j < nlimits; j++)
		{
			const CormParam *param = &deparsed->params[i];

			if (param->constant != NULL || param->valno != limits[j].valno || types[i] != INT8OID)
				continue;
			if (parameters == NULL)
			{
				MemoryContext oldcontext = MemoryContextSwitchTo(context);

				parameters = palloc(sizeof(PlanParameters));
				parameters->nparams = deparsed->nparams;
				parameters->types = palloc(sizeof(Oid) * deparsed->nparams);
				memcpy(parameters->types, types, sizeof(Oid) * deparsed->nparams);
				parameters->is_known = palloc0(sizeof(bool) * deparsed->nparams);
				parameters->values = palloc0(sizeof(int64) * deparsed->nparams);
				MemoryContextSwitchTo(oldcontext);
			}
			parameters->is_known[i] = true;
			parameters->values[i] = limits[j].limit;
		}
	return parameters;
}

/*
 * corm_prepare_with_limits prepares a statement whose planner knows these
 * limits.  What is remembered for that lives in context, the plan's, since
 * PostgreSQL may analyze the text again.  NULL and SPI_result as of SPI.
 */
SPIPlanPtr
corm_prepare_with_limits(MemoryContext context, const CormDeparsed *deparsed, Oid *types,
						 const CormKnownLimit *limits, int nlimits, int options)
{
	PlanParameters *parameters = known_parameters(context, deparsed, types, limits, nlimits);

	if (parameters == NULL)
		return SPI_prepare_cursor(deparsed->sql, deparsed->nparams, types, options);
	return SPI_prepare_params(deparsed->sql, set_parameters, parameters, options);
}
