/*-------------------------------------------------------------------------
 *
 * in_progress.c
 *		A read or write in progress, and whether it may go on.
 *
 * Between the look at a model and the last use of what was found there, code
 * of users runs: hooks, middleware, triggers, CHECKs of domains, casts, input
 * and output functions, policies, functions in raw SQL, bodies of scopes.  It
 * can do anything: drop a column of the table, write the same table, catch
 * errors.  So can other sessions, as far as locks let them: a COMMENT makes a
 * soft delete of what was none.
 *
 * What is in progress is therefore an object, CormExec.  It is made when the
 * operation begins, on the stack of the C function that is the operation, and
 * is passed to all that works for it.  It says by what rows in hand are to be
 * read: datums of rows, their values by field, arrays of rows, sets of fields
 * as bits are good for this state of the model only.
 *
 * Assumed is that
 *	- rows that come from the caller are of the row type as it is when the
 *	  operation begins (PostgreSQL assumes no less of any argument);
 *	- while the operation is under way, its table and the row type's relation
 *	  are locked: other sessions cannot change a column, but comments and what
 *	  is registered;
 *	- a pointer to a CormModel is good as memory until the transaction ends, and
 *	  stands for one state of the model (model.h).
 *
 * After a call of user code, corm_exec_check() comes before the next use of
 * anything that was read before.  If the model is not what it was, that raises
 * 55006 and says what has changed; if messages have come that change nothing
 * (an ANALYZE), the operation goes on.  While no message comes this is
 * the look at one flag.  It is called
 *	- after each hook (hooks.c), before its result is taken apart;
 *	- after middleware, before the record or query that it let pass is run;
 *	- after values went through input functions, for JSON and for parameters;
 *	- after a statement of a write in stages, before the next one;
 *	- after the last one, before rows go to the caller.
 *
 * A plan remembers the generation of its model (plan.c).  corm_exec_check_plan()
 * says whether a plan is for what is in hand; corm_run() checks by itself that
 * a plan's rows are still those of its row type, before and after it.
 *
 * What lives longer than one such call (a tuplestore, a copied row) belongs to
 * the operation's memory context and resource owner, not to those of a
 * subtransaction that code of users has opened: corm_exec_store().
 *
 * Nothing is freed here: the object points to what the transaction, the
 * context and the owner keep.  It must not be used after the C function that
 * made it has returned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "exec/exec.h"
#include "miscadmin.h"
#include "model/difference.h"
#include "model/registry.h"
#include "utils/builtins.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/*
 * corm_exec_begin makes the object of an operation on a model, which has been
 * obtained in this transaction, in the current memory context and with the
 * current resource owner.
 */
void
corm_exec_begin(CormExec *exec, CormModel *model)
{
	exec->model = model;
	exec->generation = model->generation;
	exec->context = CurrentMemoryContext;
	exec->owner = CurrentResourceOwner;
}

/*
 * corm_exec_recheck is the second half of corm_exec_check(): the model has been
 * outdated by some message.  Raises 55006 if it is not what it was.
 */
void
corm_exec_recheck(const CormExec *exec)
{
	char	   *change = corm_model_change(exec->model);

	if (change)
		corm_exec_changed(exec->model->name, change);
}

/*
 * corm_exec_changed raises the error for a model that has changed under an
 * operation; detail is a sentence.
 */
void
corm_exec_changed(const char *model, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("model \"%s\" was changed while a query was using it", model),
			 errdetail_internal("%s", detail),
			 errhint("Run the query again. Functions that are called within it must not change the model.")));
}

/*
 * corm_exec_check_plan raises 55006 unless a plan was made of the model as it
 * was when the operation began: else its parameters are not the values, and
 * its sets of fields not the fields, of what is in hand.
 */
void
corm_exec_check_plan(const CormExec *exec, const CormPlan *plan)
{
	corm_exec_check(exec);
	if (plan->generation != exec->generation)
		corm_exec_changed(exec->model->name,
						  psprintf("The statement was made of another state of \"%s\".", exec->model->name));
}

/*
 * corm_plan_check raises 55006 if a plan that has been found is not what it
 * was: its model has changed, or the row type of its result has another layout.
 */
void
corm_plan_check(const CormPlan *plan)
{
	CormModel  *model;
	char	   *change = NULL;

	if (likely(plan->valid))
		return;
	model = OidIsValid(plan->model) ? corm_model_outdated(plan->model, plan->generation) : NULL;
	if (model)
		change = corm_model_change(model);
	else if (OidIsValid(plan->model) && corm_model_get_any(plan->model)->generation != plan->generation)
		change = psprintf("The statement was made of another state of \"%s\".", plan->model_name);
	if (change)
		corm_exec_changed(plan->model_name, change);
	corm_plan_check_rows(plan);
}

/*
 * corm_plan_check_rows raises 55006 if the row type of a plan's result has
 * another layout than that of the plan, so that its rows cannot be read.
 */
void
corm_plan_check_rows(const CormPlan *plan)
{
	TupleDesc	now;
	char	   *change;

	if (likely(plan->valid) || plan->tupdesc == NULL)
		return;
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(plan->typid)))
		corm_exec_changed(plan->model_name ? plan->model_name : "", "The row type was dropped.");
	now = lookup_rowtype_tupdesc(plan->typid, -1);
	change = corm_row_type_difference(format_type_be(plan->typid), plan->tupdesc, now);
	ReleaseTupleDesc(now);
	if (change)
		corm_exec_changed(plan->model_name ? plan->model_name : format_type_be(plan->typid), change);
}

/*
 * corm_exec_store makes a tuplestore that lasts as long as the operation,
 * whatever subtransaction is the current one: its file, if it gets one, is the
 * operation's.
 */
Tuplestorestate *
corm_exec_store(const CormExec *exec, bool random_access)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(exec->context);
	ResourceOwner oldowner = CurrentResourceOwner;
	Tuplestorestate *store;

	CurrentResourceOwner = exec->owner;
	store = tuplestore_begin_heap(random_access, false, work_mem);
	CurrentResourceOwner = oldowner;
	MemoryContextSwitchTo(oldcontext);
	return store;
}
