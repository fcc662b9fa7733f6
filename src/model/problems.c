/*-------------------------------------------------------------------------
 *
 * problems.c
 *		What cannot be used of what was registered: corm.model_problems.
 *
 * Each subject has a reporter, which its file registers when the library is
 * loaded.  A reporter looks at everything that it is responsible for and adds a
 * row for each thing that would raise an error when it is used.  It must not
 * raise that error itself, and it need not check who may see a row: a row about
 * a model is shown to users who may use that model.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/problems.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define MAX_REPORTERS	8

struct CormProblems
{
	Tuplestorestate *store;
	TupleDesc	desc;
};

static CormProblemReporter reporters[MAX_REPORTERS];
static int	num_reporters = 0;

/*
 * corm_model_may_use returns whether the current user has any privilege on a
 * relation or on a column of it, and on its schema.
 */
bool
corm_model_may_use(Oid relid)
{
	const AclMode any = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	Oid			role = GetUserId();

	if (corm_schema_aclcheck(get_rel_namespace(relid), role, ACL_USAGE) != ACLCHECK_OK)
		return false;
	return pg_class_aclcheck(relid, role, any) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, role, ACL_SELECT | ACL_INSERT | ACL_UPDATE,
								  ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * corm_problems_register adds a reporter.  Called by the init functions.
 */
void
corm_problems_register(CormProblemReporter reporter)
{
	Assert(num_reporters < MAX_REPORTERS);
	reporters[num_reporters++] = reporter;
}

/*
 * corm_problem_add adds a row: the model that it is about, InvalidOid for all
 * of them; what kind of thing has the problem, and which one; what the problem
 * is, and what to do, NULL if that is not known.  The row is left out unless
 * the user may use the model.
 */
void
corm_problem_add(CormProblems *problems, Oid model, const char *kind, const char *object,
				 const char *problem, const char *hint)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	if (OidIsValid(model) && !corm_model_may_use(model))
		return;
	nulls[0] = !OidIsValid(model);
	values[0] = ObjectIdGetDatum(model);
	values[1] = CStringGetTextDatum(kind);
	values[2] = CStringGetTextDatum(object);
	values[3] = CStringGetTextDatum(problem);
	nulls[4] = hint == NULL;
	if (hint)
		values[4] = CStringGetTextDatum(hint);
	tuplestore_putvalues(problems->store, problems->desc, values, nulls);
}

PG_FUNCTION_INFO_V1(corm_list_model_problems);
Datum		corm_list_model_problems(PG_FUNCTION_ARGS);

/*
 * corm_list_model_problems is corm.list_model_problems(), the rows of the view
 * corm.model_problems.
 */
Datum
corm_list_model_problems(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CormProblems problems;

	InitMaterializedSRF(fcinfo, 0);
	problems.store = rsinfo->setResult;
	problems.desc = rsinfo->setDesc;
	for (int i = 0; i < num_reporters; i++)
		reporters[i] (&problems);
	return (Datum) 0;
}
