/*-------------------------------------------------------------------------
 *
 * filter.c
 *		Filters of groups: a condition on the messages that a group wants.
 *
 * A filter is an expression of SQL on key, payload and headers.  It is evaluated when a
 * message is received, as the owner of the group, with the search_path of when the
 * group was made: a receiver must not be able to decide what the names in it
 * mean.  pg_temp comes last in that path, for the same reason.  It may not write, and
 * the settings it makes end with it.
 *
 * What a condition raises is the failure of one message, not of who receives: he may
 * have nothing to do with it, and other messages are to get past it.  So messages are
 * evaluated in a subtransaction, as many as there are until one fails, and the rest in
 * the next one.  That the query cannot be planned, however, is nobody's fault but the
 * group's, and a cancel is the receiver's: these are raised.
 *
 * The session keeps plans, so that a receive does not plan.  The key is all that a plan is made
 * from: the condition, search_path, the owner, and the settings that the parser reads.  When the
 * catalogs have changed, we plan again before we run the plan, because an error at run time
 * counts against the message.  A CormFilter pins its plan until its memory context is reset.
 * A plan that was evicted, or is invalid, is freed with its last pin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/sql_text.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "work/topic/filter.h"
#include "work/topic/message.h"

/* So many plans are kept. */
#define MAX_KEPT		64

/* A filter with its plan.  What is here never changes but pins and place in the list. */
typedef struct FilterPlan
{
	dlist_node	node;			/* in the list of those kept, the one used last first */
	bool		kept;
	int			pins;
	MemoryContext context;		/* of this and all it points to, but the plan */
	uint32		hash;			/* of the condition */
	char	   *condition;
	char	   *path;
	char	   *settings;		/* corm_sql_settings() */
	Oid			owner;
	SPIPlanPtr	plan;
} FilterPlan;

static dlist_head kept_plans = DLIST_STATIC_INIT(kept_plans);
static int	nkept = 0;

/* A filter in use. */
struct CormFilter
{
	char	   *condition;
	char	   *path;
	Oid			owner;
	FilterPlan *plan;			/* pinned; NULL: not yet looked for */
	MemoryContextCallback callback;
};

/* The caller's user and settings, restored after the filter has run. */
typedef struct Caller
{
	Oid			user;
	int			context;
	int			level;			/* of settings */
} Caller;

/* corm_filter_path returns the search_path that a filter made now is evaluated with. */
char *
corm_filter_path(void)
{
	return psprintf("%s%spg_temp", namespace_search_path, namespace_search_path[0] != '\0' ? ", " : "");
}

/*
 * query_of returns the query that evaluates a condition.  Raises 42601 unless it is one
 * expression.
 */
static char *
query_of(const char *condition)
{
	List	   *list = corm_parse_sql(condition, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *stmt = list_length(list) == 1 ? (SelectStmt *) linitial_node(RawStmt, list)->stmt : NULL;

	if (stmt == NULL || !IsA(stmt, SelectStmt) || list_length(stmt->targetList) != 1 ||
		linitial_node(ResTarget, stmt->targetList)->name != NULL ||
		stmt->distinctClause != NIL || stmt->fromClause != NIL || stmt->whereClause != NULL ||
		stmt->groupClause != NIL || stmt->havingClause != NULL || stmt->windowClause != NIL ||
		stmt->sortClause != NIL || stmt->limitOffset != NULL || stmt->limitCount != NULL ||
		stmt->lockingClause != NIL || stmt->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a filter must be one condition"),
				 errdetail("Filter: %s", condition)));
	/* the newline ends a comment */
	return psprintf("SELECT (%s\n) FROM (SELECT $1 AS key, $2 AS payload, $3 AS headers) AS message", condition);
}

/* check_type raises 42804 unless a query's result is that of a condition. */
static void
check_type(TupleDesc desc)
{
	if (TupleDescAttr(desc, 0)->atttypid != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a filter must be of type boolean, not %s", format_type_be(TupleDescAttr(desc, 0)->atttypid))));
}

/* make_plan plans a filter in the current SPI level.  Raises 42804 unless it is a condition. */
static SPIPlanPtr
make_plan(const char *query)
{
	Oid			types[3] = {TEXTOID, TEXTOID, JSONBOID};
	SPIPlanPtr	plan = SPI_prepare(query, lengthof(types), types);
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	source = linitial(SPI_plan_get_plan_sources(plan));
	check_type(source->resultDesc);
	return plan;
}

/* corm_filter_check raises what is wrong with a condition. */
void
corm_filter_check(const char *condition)
{
	char	   *query = query_of(condition);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) make_plan(query);
	SPI_finish();
}

/* free_plan frees a plan that is not kept and has no pins. */
static void
free_plan(FilterPlan *plan)
{
	SPI_freeplan(plan->plan);
	MemoryContextDelete(plan->context);
}

/* retire ends that a plan is kept. */
static void
retire(FilterPlan *plan)
{
	dlist_delete(&plan->node);
	nkept--;
	plan->kept = false;
	if (plan->pins == 0)
		free_plan(plan);
}

/* unpin ends the use of a plan.  Raises nothing. */
static void
unpin(void *arg)
{
	CormFilter *filter = arg;
	FilterPlan *plan = filter->plan;

	filter->plan = NULL;
	if (plan != NULL && --plan->pins == 0 && !plan->kept)
		free_plan(plan);
}

/* corm_filter_make returns a filter, palloc'd; what it holds is let go with the memory context at the latest. */
CormFilter *
corm_filter_make(const char *condition, const char *path, Oid owner)
{
	CormFilter *filter = palloc0(sizeof(CormFilter));

	filter->condition = pstrdup(condition);
	filter->path = pstrdup(path);
	filter->owner = owner;
	filter->callback.func = unpin;
	filter->callback.arg = filter;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &filter->callback);
	return filter;
}

/* corm_filter_end lets go what a filter holds. */
void
corm_filter_end(CormFilter *filter)
{
	if (filter != NULL)
		unpin(filter);
}

/*
 * enter makes this process act as the owner of a filter.  After an error the end of the
 * subtransaction restores user and settings.
 */
static void
enter(const CormFilter *filter, Caller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->context);
	SetUserIdAndSecContext(filter->owner, caller->context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	caller->level = NewGUCNestLevel();
	(void) set_config_option("search_path", filter->path, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* leave ends that.  Settings that the condition has made are undone: they would be the receiver's. */
static void
leave(const Caller *caller)
{
	AtEOXact_GUC(false, caller->level);
	SetUserIdAndSecContext(caller->user, caller->context);
}

/* find_plan returns the plan that is kept for a filter, NULL if there is none. */
static FilterPlan *
find_plan(const CormFilter *filter, uint32 hash, const char *settings)
{
	dlist_iter	iter;

	dlist_foreach(iter, &kept_plans)
	{
		FilterPlan *plan = dlist_container(FilterPlan, node, iter.cur);

		if (plan->hash == hash && plan->owner == filter->owner &&
			strcmp(plan->condition, filter->condition) == 0 && strcmp(plan->path, filter->path) == 0 &&
			strcmp(plan->settings, settings) == 0)
			return plan;
	}
	return NULL;
}

/* keep keeps a plan, and no longer the one that was used longest ago, if they are too many. */
static void
keep(FilterPlan *plan)
{
	plan->kept = true;
	nkept++;
	dlist_push_head(&kept_plans, &plan->node);
	if (nkept > MAX_KEPT)
		retire(dlist_tail_element(FilterPlan, node, &kept_plans));
}

/* plan_anew plans a filter as its owner, and keeps the plan.  Raises what is wrong with it. */
static void
plan_anew(CormFilter *filter, uint32 hash, const char *settings)
{
	char	   *query = query_of(filter->condition);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "corm filter", ALLOCSET_SMALL_SIZES);
	FilterPlan *plan = MemoryContextAllocZero(context, sizeof(FilterPlan));
	SPIPlanPtr	made;
	Caller		caller;

	plan->context = context;
	plan->hash = hash;
	plan->condition = MemoryContextStrdup(context, filter->condition);
	plan->path = MemoryContextStrdup(context, filter->path);
	plan->settings = MemoryContextStrdup(context, settings);
	plan->owner = filter->owner;
	enter(filter, &caller);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	made = make_plan(query);
	if (SPI_keepplan(made) != 0)
		elog(ERROR, "SPI_keepplan failed");
	/* nothing raises until the plan is where it is found and freed */
	plan->plan = made;
	MemoryContextSetParent(context, CacheMemoryContext);
	plan->pins = 1;
	filter->plan = plan;
	keep(plan);
	SPI_finish();
	leave(&caller);
}

/* prepare finds or makes the plan of a filter, if it has none that is valid.  Raises what is wrong with it. */
static void
prepare(CormFilter *filter)
{
	StringInfoData settings;
	uint32		hash;
	FilterPlan *plan;

	if (filter->plan != NULL && SPI_plan_is_valid(filter->plan->plan))
		return;
	unpin(filter);
	hash = hash_bytes((const unsigned char *) filter->condition, strlen(filter->condition));
	initStringInfo(&settings);
	corm_sql_settings(&settings);
	plan = find_plan(filter, hash, settings.data);
	if (plan != NULL && !SPI_plan_is_valid(plan->plan))
	{
		retire(plan);
		plan = NULL;
	}
	if (plan != NULL)
	{
		plan->pins++;
		dlist_move_head(&kept_plans, &plan->node);
		filter->plan = plan;
	}
	else
		plan_anew(filter, hash, settings.data);
	pfree(settings.data);
}

/* evaluate runs the query of a filter, as whom it is to be run.  NULL is false. */
static bool
evaluate(CormFilter *filter, const CormTaken *taken)
{
	CormOutgoing message;
	Datum		values[3] = {0};
	char		nulls[3] = {' ', ' ', ' '};
	bool		isnull = true;
	Datum		result = (Datum) 0;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	corm_message_from_taken(taken, &message);
	if (message.key_len >= 0)
		values[0] = PointerGetDatum(cstring_to_text_with_len(message.key, message.key_len));
	else
		nulls[0] = 'n';
	values[1] = PointerGetDatum(cstring_to_text_with_len(message.payload, message.payload_len));
	if (message.headers_len >= 0)
		values[2] = corm_message_headers(&message);
	else
		nulls[2] = 'n';
	if (SPI_execute_plan(filter->plan->plan, values, nulls, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed");
	/* a function that the condition calls may have another result type by now */
	check_type(SPI_tuptable->tupdesc);
	if (SPI_processed > 0)
		result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	isnull = isnull || !DatumGetBool(result);
	SPI_finish();
	return !isnull;
}

/* accepts tells whether a filter accepts a message.  Raises what its condition raises. */
static bool
accepts(CormFilter *filter, const CormTaken *taken)
{
	Caller		caller;
	bool		result;

	enter(filter, &caller);
	result = evaluate(filter, taken);
	leave(&caller);
	return result;
}

/*
 * note_failure marks a message for which a filter has raised an error, and reports the
 * error as a warning.  The subtransaction has been rolled back.
 */
static void
note_failure(CormTaken *taken, const ErrorData *error, const char *topic, const char *grp)
{
	taken->failed = true;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("filter of group \"%s\" of topic \"%s\" failed for message %lld: %s",
					grp, topic, (long long) taken->seq, error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0));
}

/*
 * corm_filter_messages evaluates a filter for n messages that follow each other, and
 * sets `filtered` of those it refuses, `failed` of those for which its condition raises
 * an error.  It leaves alone those that no filter is for: dead letters, and what was
 * marked by a negative number.  The caller has a snapshot.  Raises what is wrong with
 * the query as such, and 57014 if it is canceled.
 */
void
corm_filter_messages(CormFilter *filter, char *messages, int n, const char *topic, const char *grp)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	char	   *volatile at = messages;
	volatile int i = 0;

	prepare(filter);
	while (i < n)
	{
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(oldcontext);
		/* until the end of the subtransaction: functions must not write either */
		XactReadOnly = true;
		PG_TRY();
		{
			for (; i < n; i++)
			{
				CormTaken  *taken = (CormTaken *) at;

				CHECK_FOR_INTERRUPTS();
				if (taken->seq >= 0 && !taken->exhausted && !taken->lose)
					taken->filtered = !accepts(filter, taken);
				at += CORM_TAKEN_SIZE(taken);
			}
			ReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(oldcontext);
			CurrentResourceOwner = oldowner;
		}
		PG_CATCH();
		{
			CormTaken  *taken = (CormTaken *) at;
			ErrorData  *error;

			MemoryContextSwitchTo(oldcontext);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(oldcontext);
			CurrentResourceOwner = oldowner;
			if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
				ReThrowError(error);
			note_failure(taken, error, topic, grp);
			FreeErrorData(error);
			at += CORM_TAKEN_SIZE(taken);
			i++;
		}
		PG_END_TRY();
	}
}
