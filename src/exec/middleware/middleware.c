/*-------------------------------------------------------------------------
 *
 * middleware.c
 *		The chain of middleware around an operation.
 *
 * An operation is a query or the write of a record, on its way to be run.
 * The functions that concern it form its chain, in the order of priorities,
 * the operation itself being the innermost.  Each is called with a context
 * that tells what is going to happen, and lets it happen by corm.next, which
 * calls the next one.  So the C stack is the chain, with functions written in
 * SQL in between, and an error unwinds it like any other.
 *
 * Which chain, and which place in it, corm.next belongs to is known from
 * outside of SQL: there is a stack of the chains under way, the topmost being
 * the current one, and each knows the position of the function whose code is
 * running.
 *
 * That code may call other code, which may be that of another user: a SECURITY
 * DEFINER function, a trigger under ON DELETE CASCADE, the function of an
 * index.  What corm.next runs, it runs as the user with whom the chain began, so
 * it must not be called by those.  PostgreSQL does not tell a
 * function's caller, but the user and the security context tell code of others apart:
 * both must be what the middleware was called with.  And the context carries a
 * number that is made for the call and that nobody can guess, so that only those
 * to whom the middleware gives it can go on; one that was kept for later is
 * noticed, too.
 *
 * A function does not see queries that come from its own code; those that come
 * about within its corm.next, in a hook or trigger or function, it does see:
 * they are part of what it is put around.  So a chain within a chain leaves
 * out the functions that are running, and depth is finite.
 *
 * If the query that is run in the end is another one, it may concern functions
 * that the operation did not: they get their say too, in a chain of their own,
 * the innermost.  So what one function adds to a query is not hidden from
 * another that filters it.
 *
 * A function may be SECURITY DEFINER or have settings of its own.  What it calls
 * by corm.next is not its own, so that runs as the user, and with the
 * search_path, with which the chain began.
 *
 * A write runs once.  corm.next after it has succeeded is an error, unless
 * what it did was rolled back with a subtransaction: that is how a middleware
 * repeats what failed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/clock.h"
#include "base/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "exec/exec.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
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

/*
 * What a position of a chain was called with.
 */
typedef struct Frame
{
	int64		number;			/* in its context */
	CormNode   *query;
	Oid			user;			/* as whom, and how, its code runs */
	int			security;
} Frame;

/* A chain under way. */
typedef struct Chain
{
	CormResultOwner owner;		/* first; its context is of all that lasts as long as the chain */
	struct Chain *outer;
	CormOperation *op;
	CormMiddlewareList *list;
	int			n;
	CormMiddleware **entries;
	int			position;		/* of the function whose code is running; n: none */
	CormNode   *own_query;		/* the operation itself; NULL: it is something else by now */
	Frame	   *frames;			/* one for each position, and for the operation */
	CormNode   *shown;			/* the query whose SQL and arguments these are */
	char	   *shown_sql;
	Jsonb	   *shown_args;
	bool		written;		/* the operation wrote something ... */
	int			written_level;	/* ... in a subtransaction of this level */

	/* as what the operation is run, whatever a function is run as */
	Oid			user;
	int			security;
	char	   *search_path;
} Chain;

/* What a layer of the chain has to say. */
typedef struct Outcome
{
	CormResult *result;			/* NULL: no rows */
	uint64		affected;
} Outcome;

struct CormMiddlewareCall
{
	Chain	   *chain;
	int			position;
	CormNode   *query;
	Outcome		outcome;
};

static Chain *current_chain = NULL;

static Outcome run_layer(Chain *chain, int position, CormNode *query);
static uint64 run_chain(CormOperation *op, CormMiddlewareList *list, CormNode *query);
static bool concerns_others(CormMiddlewareList *list, CormOperation *op, const Chain *besides);

/*
 * corm_middleware_current returns who owns results that are made now, or NULL.
 */
CormResultOwner *
corm_middleware_current(void)
{
	return current_chain ? &current_chain->owner : NULL;
}

/*
 * Whether the code that is running can be that of a frame, by its user and
 * security context.  In a frame that is not a SECURITY DEFINER function, and
 * not within one, SET ROLE is possible and changes the user.
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
 * corm_middleware_runs_here tells whether the code that is running can be that
 * of the function which the chain of an owner is at, or of the operation.
 */
bool
corm_middleware_runs_here(CormResultOwner *owner)
{
	Chain	   *chain = (Chain *) owner;

	return runs_in_frame(&chain->frames[chain->position]);
}

/*
 * A write that was rolled back has not been.
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
 * Runs a query in place of the operation's own, within a chain of those that
 * it concerns and the operation did not.  Meanwhile the operation is what the
 * query is.
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

static Outcome
run_operation(Chain *chain, CormNode *query)
{
	CormOperation *op = chain->op;
	bool		writes = op->writes;
	CormResult *result;
	CormSink	capture;
	Outcome		outcome;
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
	outcome.result = result;
	outcome.affected = corm_result_affected(result);
	return outcome;
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
 * Finds out what a query would be as SQL.  Layers that are given the same one
 * ask once.
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

static void
error_context(void *arg)
{
	errcontext("middleware %s", ((CormMiddleware *) arg)->name);
}

static Outcome
call_layer(Chain *chain, CormMiddleware *entry, CormNode *query)
{
	Frame	   *frame = &chain->frames[chain->position];
	ErrorContextCallback errcallback;
	Outcome		outcome;
	Datum		result;

	corm_middleware_look_up(entry, chain->list->context);
	CORM_FAULT("middleware-call");
	errcallback.callback = error_context;
	errcallback.arg = entry;
	errcallback.previous = error_context_stack;
	error_context_stack = &errcallback;

	if (entry->c_function)
	{
		CormMiddlewareCall call = {.chain = chain, .position = chain->position, .query = query};

		entry->c_function(&call, entry->c_arg);
		outcome = call.outcome;
	}
	else
	{
		Datum		context = (Datum) 0;

		if (OidIsValid(entry->function))
			context = make_context(chain, entry->context_type, query);
		corm_middleware_as_whom(entry, &frame->user, &frame->security);
		result = corm_middleware_call(entry, context, chain->list->context);
		CORM_FAULT("middleware-returned");
		outcome.result = corm_result_from_datum(DatumGetHeapTupleHeader(result), &outcome.affected);
		corm_result_check_reader(outcome.result, &chain->owner);
	}
	error_context_stack = errcallback.previous;
	return outcome;
}

/*
 * Runs the chain from a position on.
 */
static Outcome
run_layer(Chain *chain, int position, CormNode *query)
{
	int			outer_position = chain->position;
	Outcome		outcome = {0};

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	chain->position = position;
	PG_TRY();
	{
		if (position == chain->n)
			outcome = run_operation(chain, query);
		else
		{
			Frame	   *frame = &chain->frames[position];

			frame->query = query;
			frame->number = corm_secret_number();
			GetUserIdAndSecContext(&frame->user, &frame->security);
			outcome = call_layer(chain, chain->entries[position], query);
		}
	}
	PG_FINALLY();
	{
		chain->position = outer_position;
	}
	PG_END_TRY();
	return outcome;
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
 * Whether a function that is registered for a model of the operation is to be
 * called for it.
 */
static bool
concerns(const CormMiddleware *entry, const CormOperation *op)
{
	if ((entry->ops & (1 << op->command)) == 0)
		return false;

	/* not what comes from its own code */
	for (Chain *chain = current_chain; chain; chain = chain->outer)
		if (chain->position < chain->n && is_same(chain->entries[chain->position], entry))
			return false;
	return true;
}

/*
 * Whether a function is in a chain, or in one around it that it continues.
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
 * Whether an operation concerns anybody who has not seen it in a chain, which
 * may be NULL.
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
 * corm_middleware_concerns tells whether an operation, of which command and
 * relids are known, would have a chain.  corm_middleware_exists() must have
 * said yes just before.
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
 * Runs an operation, or a query that has taken its place, within the chain of
 * those on the list that it concerns; in the latter case without those in the
 * chain around it, which have seen it.  The rows go to the operation's sink;
 * returns the number of rows affected or returned.
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
		Outcome		outcome;

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

		outcome = run_layer(&chain, 0, query);
		CORM_FAULT("middleware-give");
		corm_result_give(outcome.result, op->verb, op->sink);
		processed = op->writes ? outcome.affected :
			outcome.result ? corm_result_nrows(outcome.result) : 0;
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
 * corm_middleware_run runs an operation within its chain; false, with nothing
 * done, if no middleware concerns it.  corm_middleware_exists() must have said
 * yes just before.  The rows go to the operation's sink; *processed is the
 * number of rows affected or returned.
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
 * Whether two queries are the same, byte by byte.
 */
static bool
is_same_query(const CormNode *a, const CormNode *b)
{
	return a == b || (VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0);
}

/*
 * Runs what follows a position as the user with whom the chain began; user and
 * security are those of the function that asks for it.
 */
static pg_noinline void
run_next_as_user(Chain *chain, int position, CormNode *query, Oid user, int security, Outcome *outcome)
{
	/* as in the function itself, SET ROLE is refused: it would be undone below */
	SetUserIdAndSecContext(chain->user, chain->security |
						   (security & (SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION)));
	PG_TRY();
	{
		*outcome = run_layer(chain, position + 1, query);
	}
	PG_FINALLY();
	{
		SetUserIdAndSecContext(user, security);
	}
	PG_END_TRY();
}

/*
 * Runs what follows a position, with the query that is given now.
 */
static Outcome
run_next(Chain *chain, int position, CormNode *query)
{
	Oid			user;
	int			security;
	int			level = 0;
	Outcome		outcome = {0};

	if (is_same_query(query, chain->frames[position].query))
		query = chain->frames[position].query;

	GetUserIdAndSecContext(&user, &security);
	if (strcmp(namespace_search_path, chain->search_path) != 0)
	{
		/* an error ends this with the subtransaction */
		level = NewGUCNestLevel();
		(void) set_config_option("search_path", chain->search_path, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	if (user == chain->user)
		outcome = run_layer(chain, position + 1, query);
	else
		run_next_as_user(chain, position, query, user, security, &outcome);
	if (level > 0)
		AtEOXact_GUC(true, level);
	return outcome;
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
	Outcome		outcome;
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
	/* what is run must live as long as the chain */
	oldcontext = MemoryContextSwitchTo(chain->owner.context);
	query = CormPGGetQuery(PointerGetDatum(PG_DETOAST_DATUM_COPY(datum)));
	MemoryContextSwitchTo(oldcontext);

	outcome = run_next(chain, chain->position, query);
	PG_RETURN_DATUM(corm_result_to_datum(fcinfo, outcome.result, outcome.affected));
}

/*
 * The interface for C: corm_middleware.h
 */

static void
api_next(CormMiddlewareCall *call)
{
	call->outcome = run_next(call->chain, call->position, call->query);
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
	return call->outcome.affected;
}

static uint64
api_row_count(CormMiddlewareCall *call)
{
	return call->outcome.result ? corm_result_nrows(call->outcome.result) : 0;
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
 * corm_middleware_init registers the callback and makes the interface for C
 * known.
 */
void
corm_middleware_init(void)
{
	corm_middleware_list_init();
	corm_result_init();
	RegisterSubXactCallback(subtransaction_ended, NULL);
	*find_rendezvous_variable(CORM_MIDDLEWARE_API_NAME) = unconstify(CormMiddlewareApi *, &api);
}
