/*-------------------------------------------------------------------------
 *
 * middleware.c
 *		The chain of middleware around an operation.
 *
 * An operation is a query or the write of a record that is about to run.  The functions
 * that apply to it form its chain, in the order of their priorities, with the operation
 * itself as the innermost link.  Each function is called with a context that describes
 * the operation.  It calls corm.next to run the operation, and corm.next calls the next
 * function.  So the chain is on the C stack, interleaved with SQL functions, and an
 * error unwinds it as usual.
 *
 * The running chains form a stack, and each chain remembers the position of the
 * function whose code is running.  This is how a call of corm.next finds its chain and
 * its position.
 *
 * The code of a function may call code of another user: a SECURITY DEFINER function, a
 * trigger under ON DELETE CASCADE, the function of an index.  corm.next runs the
 * operation as the user who started the chain, so such code must not call it.
 * PostgreSQL does not tell us the caller of a function, but code of another user runs
 * with a different user ID and security context.  So both must be the same as when the
 * middleware was called.  The context also carries a random number for this call, so
 * that only code that got the context from the middleware can continue.  This also
 * detects a context that was kept from an earlier call.
 *
 * A function is not called for queries of its own code.  It is called for queries that
 * run within its corm.next, in a hook, trigger or function, because they are part of
 * the operation that it wraps.  So a nested chain leaves out the functions whose code
 * is running, and the depth is finite.
 *
 * If the functions replace the query, other functions may apply to the new one.  They
 * are called too, in their own chain, which is the innermost.  So a function that
 * filters queries also sees what another function added to the query.
 *
 * A function may be SECURITY DEFINER or have settings of its own.  But what corm.next
 * runs is not the function's own code, so it runs with the user and the search_path
 * that were current when the chain began.
 *
 * A write runs only once.  It is an error to call corm.next again after the write has
 * succeeded, unless a subtransaction rollback has undone the write.  That is how a
 * middleware can retry.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "exec/middleware/corm_middleware.h"
#include "exec/middleware/function_ref.h"
#include "exec/middleware/middleware.h"
#include "exec/middleware/middleware_list.h"
#include "exec/middleware/query_result.h"
#include "exec/plan/plan.h"
#include "exec/run/sink.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "model/hooks.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#define Anum_context_op		1
#define Anum_context_model	2
#define Anum_context_query	3
#define Anum_context_sql	4
#define Anum_context_args	5
#define Anum_context_models 6
#define Anum_context_call	7
#define Natts_context		7

PG_FUNCTION_INFO_V1(corm_next);
PG_FUNCTION_INFO_V1(corm_result_of);
PG_FUNCTION_INFO_V1(corm_result_rows);

/*
 * State of one position of a chain, as of its call.
 */
typedef struct Frame
{
	int64		number;			/* the random number in its context */
	CormNode   *query;
	Oid			user;			/* the user and the security context of its
								 * code */
	int			security;
} Frame;

/* A chain in progress. */
typedef struct Chain
{
	CormResultOwner owner;		/* must be first; its context lives as long as
								 * the chain */
	struct Chain *outer;
	CormOperation *op;
	CormMiddlewareList *list;
	int			n;
	CormMiddleware **entries;
	int			position;		/* of the function whose code is running; n:
								 * none */
	CormNode   *own_query;		/* the operation itself; NULL: it has been
								 * replaced */
	Frame	   *frames;			/* one for each position, and for the
								 * operation */
	CormNode   *shown;			/* the query that the following belong to */
	char	   *shown_sql;
	Jsonb	   *shown_args;
	bool		written;		/* the operation wrote something ... */
	int			written_level;	/* ... in a subtransaction of this level */

	/* the operation runs with these, even if a function has its own */
	Oid			user;
	int			security;
	char	   *search_path;
} Chain;

/* What a layer of the chain returns. */
typedef struct LayerResult
{
	CormResult *result;			/* NULL: no rows */
	uint64		affected;
} LayerResult;

struct CormMiddlewareCall
{
	Chain	   *chain;
	int			position;
	CormNode   *query;
	LayerResult returned;
};

static Chain *current_chain = NULL;

static LayerResult run_layer(Chain *chain, int position, CormNode *query);
static uint64 run_chain(CormOperation *op, CormMiddlewareList *list, CormNode *query);
static bool concerns_others(CormMiddlewareList *list, CormOperation *op, const Chain *besides);

/*
 * Can the running code be that of a frame, judging by its user and security context?
 * In a frame that is not a SECURITY DEFINER function, and not within one, SET ROLE is
 * possible and changes the user.
 */
static bool
runs_in_frame(const Frame *frame)
{
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	return security == frame->security &&
		(user == frame->user || (security & SECURITY_LOCAL_USERID_CHANGE) == 0);
}

/*
 * Raises 42501 if a result belongs to a foreign chain: one that is not the reader's
 * chain, which may be NULL, and that the running code is not part of.  Other users
 * could get hold of a handle, and then read the rows or return them from their own
 * chain.  The result is NULL if there are no rows.
 */
static void
check_reader(const CormResult *result, const Chain *reader)
{
	const Chain *owner = result ? (const Chain *) corm_result_owner(result) : NULL;

	if (owner && owner != reader && !runs_in_frame(&owner->frames[owner->position]))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the rows of this result"),
				 errdetail("They belong to a middleware that is run as another user or in another security context.")));
}

/*
 * A write that was rolled back does not count as written.
 */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (Chain *chain = current_chain; chain; chain = chain->outer)
	{
		if (!chain->written || chain->written_level < level)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			chain->written = false;
		else
			chain->written_level = level - 1;
	}
}

/*
 * The innermost: the operation itself
 */

/*
 * Runs a query in place of the operation's own, within a chain of the functions that
 * apply to the query but not to the operation.  While it runs, *op describes the query.
 */
static uint64
run_instead(Chain *chain, CormNode *query, CormSink *capture, bool *writes)
{
	CormOperation *op = chain->op;
	CormOperation original = *op;
	volatile uint64 processed = 0;

	PG_TRY();
	{
		op->inspect(op, query);
		*writes = op->writes;
		CORM_FAULT("middleware-instead");
		if (concerns_others(chain->list, op, chain))
		{
			op->sink = capture;
			processed = run_chain(op, chain->list, query);
		}
		else
			processed = op->run(op, query, capture);
	}
	PG_FINALLY();
	{
		*op = original;
	}
	PG_END_TRY();
	op->sink->limit = capture->limit;
	return processed;
}

/*
 * Runs the operation, or a query that a function has put in its place, and keeps its
 * result.  Raises 55000 if the operation has already written.
 */
static LayerResult
run_operation(Chain *chain, CormNode *query)
{
	CormOperation *op = chain->op;
	bool		writes = op->writes;
	CormResult *result;
	CormSink	capture;
	LayerResult returned;
	uint64		processed;

	if (chain->written)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("corm.next() was called again after a write"),
				 errdetail("The write has succeeded and would be done twice."),
				 errhint("To repeat what failed, call it in a block with an exception handler.")));

	result = corm_result_create(&chain->owner);
	corm_result_capture(result, op->verb, op->sink, &capture);

	CORM_FAULT("middleware-next");
	if (query == chain->own_query)
		processed = op->run(op, NULL, &capture);
	else
		processed = run_instead(chain, query, &capture, &writes);
	corm_result_captured(result, &capture, writes, processed);
	if (writes)
	{
		chain->written = true;
		chain->written_level = GetCurrentTransactionNestLevel();
	}
	returned.result = result;
	returned.affected = corm_result_affected(result);
	return returned;
}

/*
 * A layer in SQL
 */

static Datum
models_array(CormOperation *op)
{
	Datum	   *oids = palloc(sizeof(Datum) * Max(op->nrelids, 1));

	for (int i = 0; i < op->nrelids; i++)
		oids[i] = ObjectIdGetDatum(op->relids[i]);
	return PointerGetDatum(construct_array(oids, op->nrelids, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT));
}

/*
 * Computes the SQL of a query.  This is done once for all layers that get the same
 * query.
 */
static void
show_query(Chain *chain, CormNode *query)
{
	CormOperation *op = chain->op;
	MemoryContext oldcontext;

	if (query == chain->shown)
		return;
	oldcontext = MemoryContextSwitchTo(chain->owner.context);
	op->show(op, query == chain->own_query ? NULL : query, &chain->shown_sql, &chain->shown_args);
	chain->shown = query;
	MemoryContextSwitchTo(oldcontext);
}

/*
 * The context that a function is called with.
 */
static Datum
make_context(Chain *chain, Oid typid, CormNode *query)
{
	CormOperation *op = chain->op;
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(typid, -1);
	Datum		values[Natts_context];
	bool		nulls[Natts_context] = {false};
	HeapTuple	tuple;

	if (tupdesc->natts != Natts_context)
		elog(ERROR, "type corm.query_context is not what this version of the library expects");
	show_query(chain, query);
	values[Anum_context_op - 1] = CStringGetTextDatum(corm_op_name(op->command));
	values[Anum_context_model - 1] = ObjectIdGetDatum(op->model);
	nulls[Anum_context_model - 1] = !OidIsValid(op->model);
	values[Anum_context_query - 1] = PointerGetDatum(query);
	values[Anum_context_sql - 1] = CStringGetTextDatum(chain->shown_sql);
	values[Anum_context_args - 1] = JsonbPGetDatum(chain->shown_args);
	values[Anum_context_models - 1] = models_array(op);
	values[Anum_context_call - 1] = Int64GetDatum(chain->frames[chain->position].number);
	tuple = heap_form_tuple(tupdesc, values, nulls);
	ReleaseTupleDesc(tupdesc);
	return HeapTupleGetDatum(tuple);
}

/*
 * Looks up the function of a list entry, again if any function has changed since the
 * last lookup.  The memory context is that of the list.
 */
static void
look_up(CormMiddleware *entry, MemoryContext list_context)
{
	uint64		changes = corm_hooks_changes();
	char	   *name;

	if (entry->c_function || entry->changes == changes)
		return;
	name = corm_function_ref_signature(entry->ref);
	if (entry->name)
		pfree(entry->name);
	entry->name = MemoryContextStrdup(list_context, name);
	entry->function = corm_function_ref_resolve(entry->ref);
	if (OidIsValid(entry->function))
	{
		Oid		   *argtypes;
		int			nargs;

		(void) get_func_signature(entry->function, &argtypes, &nargs);
		entry->context_type = argtypes[0];
	}
	/* if it is running, this takes effect at its next call that is not nested */
	entry->is_prepared = false;
	entry->changes = changes;
}

/*
 * Changes the user and the security context of a call to those that the function's code
 * will run with.
 */
static void
as_whom(const CormMiddleware *entry, Oid *user, int *security)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(entry->function));

	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_proc) GETSTRUCT(tuple))->prosecdef)
	{
		*user = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
		*security |= SECURITY_LOCAL_USERID_CHANGE;
	}
	ReleaseSysCache(tuple);
}

/*
 * Calls a function of a list and returns its result.  The memory context is that of the
 * list.  Raises 42883 if there is no such function, 42501 if the user may not call it,
 * 22004 if it returns NULL.
 *
 * The state that fmgr and the function's language keep is reused across calls.  But
 * only one call at a time may use it, and it is not reused after an error.
 */
static Datum
call_function(CormMiddleware *entry, Datum context, MemoryContext list_context)
{
	LOCAL_FCINFO(fcinfo, 1);
	FmgrInfo	local;
	FmgrInfo   *function = &entry->call;
	bool		is_shared = !entry->is_busy;
	AclResult	acl;
	Datum		result;

	/* another session may have dropped it since it was looked up */
	if (!OidIsValid(entry->function) || !SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(entry->function)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("middleware function %s does not exist", entry->name),
				 errhint("Remove it with SELECT corm.unuse(%d), and register the intended function.", entry->id)));
	acl = corm_function_aclcheck(entry->function, GetUserId());
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FUNCTION, entry->name);
	InvokeFunctionExecuteHook(entry->function);

	if (!is_shared)
	{
		fmgr_info(entry->function, &local);
		function = &local;
	}
	else if (!entry->is_prepared)
	{
		/* discard what is left of the last call after an error */
		if (entry->call_context)
			MemoryContextReset(entry->call_context);
		else
			entry->call_context = AllocSetContextCreate(list_context, "corm middleware function",
														ALLOCSET_SMALL_SIZES);
		fmgr_info_cxt(entry->function, function, entry->call_context);
		entry->is_prepared = true;
	}

	InitFunctionCallInfoData(*fcinfo, function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = context;
	fcinfo->args[0].isnull = false;
	if (!is_shared)
		result = FunctionCallInvoke(fcinfo);
	else
	{
		entry->is_busy = true;
		PG_TRY();
		{
			result = FunctionCallInvoke(fcinfo);
		}
		PG_CATCH();
		{
			entry->is_busy = false;
			entry->is_prepared = false;
			PG_RE_THROW();
		}
		PG_END_TRY();
		entry->is_busy = false;
	}
	if (fcinfo->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("middleware %s returned null", entry->name),
				 errhint("Return what corm.next() or corm.result_of() gives.")));
	return result;
}

static void
error_context(void *arg)
{
	errcontext("middleware %s", ((CormMiddleware *) arg)->name);
}

/*
 * Calls the function of an entry, in C or SQL, and returns its result.
 */
static LayerResult
call_layer(Chain *chain, CormMiddleware *entry, CormNode *query)
{
	Frame	   *frame = &chain->frames[chain->position];
	ErrorContextCallback errcallback;
	LayerResult returned;
	Datum		result;

	look_up(entry, chain->list->context);
	CORM_FAULT("middleware-call");
	errcallback.callback = error_context;
	errcallback.arg = entry;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	if (entry->c_function)
	{
		CormMiddlewareCall call = {.chain = chain, .position = chain->position, .query = query};

		entry->c_function(&call, entry->c_arg);
		returned = call.returned;
	}
	else
	{
		Datum		context = (Datum) 0;

		if (OidIsValid(entry->function))
			context = make_context(chain, entry->context_type, query);
		as_whom(entry, &frame->user, &frame->security);
		result = call_function(entry, context, chain->list->context);
		CORM_FAULT("middleware-returned");
		returned.result = corm_result_from_datum(DatumGetHeapTupleHeader(result), &returned.affected);
		check_reader(returned.result, chain);
	}
	error_context_stack = errcallback.previous;
	return returned;
}

/*
 * Runs the chain, starting at a position.
 */
static LayerResult
run_layer(Chain *chain, int position, CormNode *query)
{
	int			outer_position = chain->position;
	LayerResult returned = {0};

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	chain->position = position;
	PG_TRY();
	{
		if (position == chain->n)
			returned = run_operation(chain, query);
		else
		{
			Frame	   *frame = &chain->frames[position];

			frame->query = query;
			frame->number = corm_secret_number();
			GetUserIdAndSecContext(&frame->user, &frame->security);
			returned = call_layer(chain, chain->entries[position], query);
		}
	}
	PG_FINALLY();
	{
		chain->position = outer_position;
	}
	PG_END_TRY();
	return returned;
}

/*
 * Chains
 */

static bool
is_same(const CormMiddleware *a, const CormMiddleware *b)
{
	return a->id == b->id && a->c_function == b->c_function && a->c_arg == b->c_arg;
}

/*
 * Must a function that is registered for a model of the operation be called for it?
 */
static bool
concerns(const CormMiddleware *entry, const CormOperation *op)
{
	if ((entry->ops & (1 << op->command)) == 0)
		return false;

	/* skip queries from the function's own code */
	for (Chain *chain = current_chain; chain; chain = chain->outer)
		if (chain->position < chain->n && is_same(chain->entries[chain->position], entry))
			return false;
	return true;
}

/*
 * Is a function in a chain, or in an outer one that the chain continues?
 */
static bool
has_seen(const Chain *chain, const CormMiddleware *entry)
{
	for (; chain; chain = chain->own_query ? NULL : chain->outer)
		for (int i = 0; i < chain->n; i++)
			if (is_same(chain->entries[i], entry))
				return true;
	return false;
}

/*
 * Does a function apply to an operation, and was it not yet called for it in a chain?
 * The chain may be NULL.
 */
static bool
concerns_others(CormMiddlewareList *list, CormOperation *op, const Chain *besides)
{
	CormMiddleware **about;
	int			n;

	about = corm_middleware_about(list, op->relids, op->nrelids, &n);
	for (int i = 0; i < n; i++)
		if (concerns(about[i], op) && !has_seen(besides, about[i]))
			return true;
	return false;
}

/*
 * corm_middleware_concerns tells whether an operation would have a chain.  Only its
 * command and relids need to be set.  corm_middleware_exists() must have returned true
 * just before.
 */
bool
corm_middleware_concerns(CormOperation *op)
{
	CormMiddlewareList *list = corm_middleware_list();
	volatile bool any = false;

	PG_TRY();
	{
		any = concerns_others(list, op, NULL);
	}
	PG_FINALLY();
	{
		corm_middleware_release(list);
	}
	PG_END_TRY();
	return any;
}

/*
 * corm_middleware_registered tells whether a function is registered for an
 * operation, whoever runs it: also where it would not be called, in its own code.
 * Only the operation's command and relids need to be set.
 */
bool
corm_middleware_registered(CormOperation *op)
{
	CormMiddlewareList *list;
	volatile bool any = false;

	if (!corm_middleware_exists())
		return false;
	list = corm_middleware_list();
	PG_TRY();
	{
		CormMiddleware **about;
		int			n;

		about = corm_middleware_about(list, op->relids, op->nrelids, &n);
		for (int i = 0; i < n; i++)
			if (about[i]->ops & (1 << op->command))
				any = true;
	}
	PG_FINALLY();
	{
		corm_middleware_release(list);
	}
	PG_END_TRY();
	return any;
}

/*
 * Runs an operation, or a query that has taken its place, within a chain of the listed
 * functions that apply.  For a query that has taken its place, functions in the outer
 * chain are left out, because they have already been called.  The rows go to the
 * operation's sink.  Returns the number of rows affected or returned.
 */
static uint64
run_chain(CormOperation *op, CormMiddlewareList *list, CormNode *instead)
{
	Chain		chain = {.list = list, .op = op, .outer = current_chain};
	MemoryContext oldcontext;
	uint64		processed = 0;

	chain.owner.context = AllocSetContextCreate(CurrentMemoryContext, "corm middleware chain",
												ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		CormNode   *query = instead;
		CormMiddleware **about;
		int			n;
		LayerResult returned;

		chain.owner.resources = CurrentResourceOwner;
		GetUserIdAndSecContext(&chain.user, &chain.security);
		chain.search_path = MemoryContextStrdup(chain.owner.context, namespace_search_path);
		oldcontext = MemoryContextSwitchTo(chain.owner.context);
		about = corm_middleware_about(list, op->relids, op->nrelids, &n);
		chain.entries = palloc(sizeof(CormMiddleware *) * Max(n, 1));
		for (int i = 0; i < n; i++)
			if (concerns(about[i], op) && !(instead && has_seen(chain.outer, about[i])))
				chain.entries[chain.n++] = about[i];
		chain.frames = palloc0(sizeof(Frame) * (chain.n + 1));
		chain.frames[chain.n].user = chain.user;
		chain.frames[chain.n].security = chain.security;
		if (query == NULL)
			query = chain.own_query = op->query(op);
		MemoryContextSwitchTo(oldcontext);
		chain.position = chain.n;
		current_chain = &chain;

		returned = run_layer(&chain, 0, query);
		CORM_FAULT("middleware-give");
		corm_result_give(returned.result, op->verb, op->sink);
		processed = op->writes ? returned.affected :
			returned.result ? corm_result_nrows(returned.result) : 0;
		corm_results_forget(&chain.owner);
	}
	PG_CATCH();
	{
		corm_results_forget(&chain.owner);
		current_chain = chain.outer;
		PG_RE_THROW();
	}
	PG_END_TRY();
	current_chain = chain.outer;
	MemoryContextDelete(chain.owner.context);
	return processed;
}

/*
 * corm_middleware_run runs an operation within its chain.  Returns false, and does
 * nothing, if no middleware applies.  corm_middleware_exists() must have returned true
 * just before.  The rows go to the operation's sink.  *processed is set to the number
 * of rows affected or returned.
 */
bool
corm_middleware_run(CormOperation *op, uint64 *processed)
{
	CormMiddlewareList *list = corm_middleware_list();
	volatile bool any = false;

	PG_TRY();
	{
		any = concerns_others(list, op, NULL);
		CORM_FAULT("middleware-list");
		if (any)
			*processed = run_chain(op, list, NULL);
	}
	PG_FINALLY();
	{
		corm_middleware_release(list);
	}
	PG_END_TRY();
	return any;
}

/*
 * Are two queries the same, byte by byte?
 */
static bool
is_same_query(const CormNode *a, const CormNode *b)
{
	return a == b || (VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0);
}

/*
 * Runs the rest of the chain after a position, as the user who started the chain.  user
 * and security are those of the calling function.
 */
static pg_noinline void
run_next_as_user(Chain *chain, int position, CormNode *query, Oid user, int security, LayerResult *returned)
{
	/* disallow SET ROLE, as in the function itself: it would be undone below */
	SetUserIdAndSecContext(chain->user, chain->security |
						   (security & (SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION)));
	PG_TRY();
	{
		*returned = run_layer(chain, position + 1, query);
	}
	PG_FINALLY();
	{
		SetUserIdAndSecContext(user, security);
	}
	PG_END_TRY();
}

/*
 * Runs the rest of the chain after a position, with the given query.
 */
static LayerResult
run_next(Chain *chain, int position, CormNode *query)
{
	Oid			user;
	int			security;
	int			level = 0;
	LayerResult returned = {0};

	if (is_same_query(query, chain->frames[position].query))
		query = chain->frames[position].query;

	GetUserIdAndSecContext(&user, &security);
	if (strcmp(namespace_search_path, chain->search_path) != 0)
	{
		/* on error, subtransaction abort ends this level */
		level = NewGUCNestLevel();
		(void) set_config_option("search_path", chain->search_path, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	if (user == chain->user)
		returned = run_layer(chain, position + 1, query);
	else
		run_next_as_user(chain, position, query, user, security, &returned);
	if (level > 0)
		AtEOXact_GUC(true, level);
	return returned;
}

/* corm_next(qc): runs the rest of the chain */
Datum
corm_next(PG_FUNCTION_ARGS)
{
	HeapTupleHeader context = PG_GETARG_HEAPTUPLEHEADER(0);
	Chain	   *chain = current_chain;
	Frame	   *frame;
	bool		isnull;
	Datum		datum;
	CormNode   *query;
	LayerResult returned;
	MemoryContext oldcontext;

	if (chain == NULL || chain->position >= chain->n)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("corm.next() was called outside of a middleware")));
	frame = &chain->frames[chain->position];
	if (!runs_in_frame(frame))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to call corm.next()"),
				 errdetail("The middleware is run as another user or in another security context."),
				 errhint("Call it in the code of the middleware itself.")));
	datum = GetAttributeByNum(context, Anum_context_call, &isnull);
	if (isnull || DatumGetInt64(datum) != frame->number)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("corm.next() was called with the context of another call"),
				 errhint("Pass on the context that the middleware was called with.")));
	datum = GetAttributeByNum(context, Anum_context_query, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the query must not be null")));
	/* the query must live as long as the chain */
	oldcontext = MemoryContextSwitchTo(chain->owner.context);
	query = CormPGGetQuery(PointerGetDatum(PG_DETOAST_DATUM_COPY(datum)));
	MemoryContextSwitchTo(oldcontext);

	returned = run_next(chain, chain->position, query);
	PG_RETURN_DATUM(corm_result_to_datum(fcinfo, returned.result, returned.affected));
}

/*
 * corm_result_rows(r): the rows of a result, each as JSON.  Raises 42501 in
 * code that runs as a different user than the middleware.
 */
Datum
corm_result_rows(PG_FUNCTION_ARGS)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	CormResult *result = corm_result_from_datum(header, NULL);
	TupleDesc	tupdesc;
	Tuplestorestate *store;

	check_reader(result, NULL);
	tupdesc = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(tupdesc, 1, "result_rows", JSONBOID, -1, 0);
	store = corm_begin_set(fcinfo, tupdesc);
	if (result)
		corm_result_store(result, store, tupdesc);
	return (Datum) 0;
}

/* corm_result_of(rows): a result made of the elements of an array */
Datum
corm_result_of(PG_FUNCTION_ARGS)
{
	CormResult *result = corm_result_of_json(current_chain ? &current_chain->owner : NULL, PG_GETARG_JSONB_P(0));

	return corm_result_to_datum(fcinfo, result, 0);
}

/*
 * The interface for C: corm_middleware.h
 */

static void
api_next(CormMiddlewareCall *call)
{
	call->returned = run_next(call->chain, call->position, call->query);
}

static const char *
api_op(CormMiddlewareCall *call)
{
	return corm_op_name(call->chain->op->command);
}

static Oid
api_model(CormMiddlewareCall *call)
{
	return call->chain->op->model;
}

static const char *
api_sql(CormMiddlewareCall *call)
{
	show_query(call->chain, call->query);
	return call->chain->shown_sql;
}

static Datum
api_query(CormMiddlewareCall *call)
{
	return PointerGetDatum(call->query);
}

static void
api_set_query(CormMiddlewareCall *call, Datum query)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(call->chain->owner.context);

	call->query = CormPGGetQuery(PointerGetDatum(PG_DETOAST_DATUM_COPY(query)));
	MemoryContextSwitchTo(oldcontext);
}

static uint64
api_rows_affected(CormMiddlewareCall *call)
{
	return call->returned.affected;
}

static uint64
api_row_count(CormMiddlewareCall *call)
{
	return call->returned.result ? corm_result_nrows(call->returned.result) : 0;
}

static const CormMiddlewareApi api = {
	.version = CORM_MIDDLEWARE_API_VERSION,
	.add = corm_middleware_add_c,
	.remove = corm_middleware_remove_c,
	.next = api_next,
	.op = api_op,
	.model = api_model,
	.sql = api_sql,
	.query = api_query,
	.set_query = api_set_query,
	.rows_affected = api_rows_affected,
	.row_count = api_row_count,
};

/*
 * corm_middleware_init registers the callback and publishes the C interface.
 */
void
corm_middleware_init(void)
{
	corm_middleware_list_init();
	corm_result_init();
	RegisterSubXactCallback(subtransaction_ended, NULL);
	*find_rendezvous_variable(CORM_MIDDLEWARE_API_NAME) = unconstify(CormMiddlewareApi *, &api);
}
