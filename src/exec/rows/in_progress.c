/*-------------------------------------------------------------------------
 *
 * in_progress.c
 *		A read or write in progress, and checks whether it may continue.
 *
 * Between the lookup of a model and the last use of its data, user code runs: hooks,
 * middleware, triggers, CHECK constraints of domains, casts, input and output
 * functions, policies, functions in raw SQL, bodies of scopes.  It can drop a column of
 * the table, write the same table, or catch errors.  Other sessions can do so too, as
 * far as locks let them: a COMMENT can turn a plain delete into a soft delete.
 *
 * CormExec represents an operation in progress.  The C function that performs the
 * operation makes one on its stack when it begins, and passes it to everything that it
 * calls.  It names the state of the model with which rows are read: datums of rows,
 * their values by field, arrays of rows and sets of fields are valid for that state
 * only.
 *
 * Assumptions:
 *	- rows that come from the caller are of the row type as it is when the
 *	  operation begins (PostgreSQL assumes the same of any argument);
 *	- while the operation is under way, its table and the row type's relation are
 *	  locked: other sessions cannot change a column, but can change comments and
 *	  what is registered;
 *	- a pointer to a CormModel is valid memory until the transaction ends, and
 *	  stands for one state of the model (model.h).
 *
 * After a call of user code, call corm_exec_check() before the next use of anything
 * that was read before.  It raises 55006 if the model has changed, with the change as
 * DETAIL; messages that change nothing (an ANALYZE) let the operation go on.  While no
 * message comes, the check looks at one flag.  It is called
 *	- after each hook (call_hooks.c), before its result is taken apart;
 *	- after middleware, before the record or query that it passed on is run;
 *	- after values went through input functions, for JSON and for parameters;
 *	- after a statement of a write in stages, before the next one;
 *	- after the last one, before rows go to the caller.
 *
 * A plan remembers the generation of its model.  plan/plan_check.c tells whether a plan
 * fits an operation, and whether its row type has kept its layout; corm_run() checks the
 * latter before and after it executes a plan.
 *
 * Data that lives longer than one such call (a tuplestore, a copied row) must belong to
 * the operation's memory context and resource owner, not to those of a subtransaction
 * that user code has started: see corm_exec_store().
 *
 * Nothing is freed here: the object points to data owned by the transaction, the
 * context and the resource owner.  Do not use it after the C function that made it has
 * returned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "exec/rows/in_progress.h"
#include "miscadmin.h"
#include "model/model.h"
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
 * corm_exec_recheck is the second half of corm_exec_check().  Some message has marked
 * the model as outdated.  Raises 55006 if the model has really changed.
 */
void
corm_exec_recheck(const CormExec *exec)
{
	char	   *change = corm_model_change(exec->model);

	if (change)
		corm_exec_changed(exec->model->name, change);
}

/*
 * corm_exec_changed raises the error for a model that has changed during an operation.
 * detail is a sentence.
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
 * corm_exec_store makes a tuplestore that lasts as long as the operation, even if a
 * subtransaction is under way: its memory and its temporary file are the
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
