/*-------------------------------------------------------------------------
 *
 * handlers.c
 *		Groups whose messages are handled by tasks.
 *
 * When a group with a handler has messages, a worker of the session user that made
 * the group submits a task to the group's pool, as the group's owner; its body is
 * corm.topic_handle, which receives and calls the handler until nothing is left.
 *
 * Two steps, because a task is submitted in a transaction of who it is to be: a
 * publisher is somebody else, and his settings must not reach the handler.
 *
 * The task has a unique key, so there is one of a group at a time.  Whether one is on
 * its way is noted in the group, but never relied on for longer than DISPATCH_US: a
 * task can be dropped with its pool, or be canceled.
 *
 * Each batch is received and handled in a subtransaction.  An error rolls back that
 * batch alone, which gives its messages back, and is reported as a warning; the task
 * then ends.  If the batch was one message, this was one of its attempts: it rests, and
 * so does the group, for less long.  Nobody knows which one of several is at fault, so
 * for these it was no attempt, and they come again at once, one message a task.  The
 * same is done if the whole transaction fails, at commit or because it is canceled.
 *
 * A handler is found by its name, so that it can be replaced and restored.  One of that
 * name that somebody else has made must not run as the group's owner: it has to belong
 * to the group's owner, a superuser, or whom it belonged to when the group was made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/effects.h"
#include "base/guc.h"
#include "base/launcher.h"
#include "base/schema.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "work/process/worker.h"
#include "work/task/task.h"
#include "work/topic/handlers.h"
#include "work/topic/log.h"
#include "work/topic/receive.h"
#include "work/topic/rows.h"

PG_FUNCTION_INFO_V1(corm_topic_handle);

/* After this time a task that was submitted, and has not ended, is submitted again. */
#define DISPATCH_US		(INT64CONST(5) * USECS_PER_SEC)

/* After an error that is not about a message, a group rests for so long. */
#define REST_US			USECS_PER_SEC

/* After one that is, so that a handler that always fails does not fail too often. */
#define SHORT_REST_US	(USECS_PER_SEC / 10)

/* A task handles messages for so long. */
#define HANDLE_US		(INT64CONST(2) * USECS_PER_SEC)

static int	duty;

/* A group that a worker is going to submit a task for. */
typedef struct Dispatch
{
	int			slot;
	uint64		gen;
	int			group;
	uint64		group_gen;
	uint64		topic_id;
	uint64		group_id;
} Dispatch;

static Dispatch dispatch;

/* due tells whether a task is to be submitted for a group.  Needs the topic's lock. */
static bool
due(CormTopic *topic, CormGroup *group, int64 now)
{
	return OidIsValid(group->settings.handler_role) && !group->creating && group->handled_until <= now &&
		corm_group_has_work(topic, group, now);
}

/*
 * for_each_due calls a function for each group with a handler that has messages, with
 * the topic's lock, until it returns true.  Returns how many groups have a handler.
 */
static int
for_each_due(bool (*found) (int slot, int group, void *arg), void *arg)
{
	int64		now = corm_clock_mono();
	int			n = 0;

	for (int i = 0; i < corm_max_groups; i++)
	{
		CormGroup  *group = &corm_group_slots[i];
		int			slot;
		bool		stop = false;

		/* a look without the lock, again with it */
		if (!group->used || !OidIsValid(group->settings.handler_role))
			continue;
		n++;
		slot = group->topic;
		LWLockAcquire(corm_topic_lwlock(slot), LW_EXCLUSIVE);
		if (group->used && group->topic == slot && due(corm_topic_at(slot), group, now))
			stop = found(slot, i, arg);
		LWLockRelease(corm_topic_lwlock(slot));
		if (stop)
			break;
	}
	return n;
}

/* A worker that is wanted. */
typedef struct Wanted
{
	int			n;
	Oid			db[CORM_MAX_HANDLERS];
	Oid			role[CORM_MAX_HANDLERS];
} Wanted;

static bool
add_wanted(int slot, int group, void *arg)
{
	Wanted	   *wanted = arg;

	wanted->db[wanted->n] = corm_topic_at(slot)->db;
	wanted->role[wanted->n++] = corm_group_slots[group].settings.handler_role;
	return wanted->n == CORM_MAX_HANDLERS;
}

static void
handlers_wanted(void (*want) (Oid database, Oid session_user, int n))
{
	Wanted		wanted = {0};

	(void) for_each_due(add_wanted, &wanted);
	for (int i = 0; i < wanted.n; i++)
		want(wanted.db[i], wanted.role[i], 1);
}

/* The key of a worker that looks for something to do. */
typedef struct WorkerKey
{
	Oid			db;
	Oid			role;
	bool		found;
} WorkerKey;

static bool
claim_group(int slot, int group, void *arg)
{
	WorkerKey  *key = arg;
	CormTopic  *topic = corm_topic_at(slot);
	CormGroup  *g = &corm_group_slots[group];

	if (topic->db != key->db || g->settings.handler_role != key->role)
		return false;
	g->handled_until = corm_clock_mono() + DISPATCH_US;
	dispatch = (Dispatch) {slot, topic->gen, group, g->gen, topic->id, g->id};
	key->found = true;
	return true;
}

static void *
handlers_claim(Oid database, Oid session_user)
{
	WorkerKey	key = {database, session_user, false};

	(void) for_each_due(claim_group, &key);
	return key.found ? &dispatch : NULL;
}

/* rest keeps a group from being handled for a time.  Raises nothing. */
static void
rest(const Dispatch *of, int64 us)
{
	CormGroup  *group;

	if (!corm_topic_lock(of->slot, of->gen))
		return;
	if ((group = corm_group_at(of->slot, of->group, of->group_gen)) != NULL)
		group->handled_until = us > 0 ? corm_clock_mono() + us : 0;
	corm_topic_unlock(of->slot);
}

/* find_definition finds the names, the owner and the pool of a group.  Returns false if it is gone. */
static bool
find_definition(uint64 group_id, char **topic, char **grp, char **pool, Oid *owner)
{
	Relation	rel = corm_group_definitions_open(AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bool		found = false;

	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		values[Natts_group_definitions];
		bool		nulls[Natts_group_definitions];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		if ((uint64) DatumGetInt64(values[Anum_group_definitions_id - 1]) != group_id)
			continue;
		*topic = TextDatumGetCString(values[Anum_group_definitions_topic - 1]);
		*grp = TextDatumGetCString(values[Anum_group_definitions_grp - 1]);
		*pool = TextDatumGetCString(values[Anum_group_definitions_pool - 1]);
		*owner = DatumGetObjectId(values[Anum_group_definitions_owner - 1]);
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* submit submits the task of a group, as the group's owner. */
static pg_noinline void
submit(const Dispatch *of)
{
	CormTaskOptions opts;
	CormParams	params = {0};
	char	   *topic = NULL;
	char	   *grp = NULL;
	char	   *pool = NULL;
	char	   *body;
	Oid			owner = InvalidOid;
	Oid			user;
	int			context;

	if (!find_definition(of->group_id, &topic, &grp, &pool, &owner))
		return;
	GetUserIdAndSecContext(&user, &context);
	if (owner != user)
		SetUserIdAndSecContext(owner, context | SECURITY_LOCAL_USERID_CHANGE);
	corm_task_options_init(&opts);
	strlcpy(opts.pool, pool, NAMEDATALEN);
	snprintf(opts.name, NAMEDATALEN, "%s of %s", grp, topic);
	opts.unique_key = psprintf("corm topic group " UINT64_FORMAT, of->group_id);
	opts.on_duplicate = CORM_DUPLICATE_IGNORE;
	opts.max_attempts = 1;
	opts.wait_us = 0;
	body = psprintf("SELECT corm.topic_handle(%s, %s)", quote_literal_cstr(topic), quote_literal_cstr(grp));
	(void) corm_task_submit(&opts, body, strlen(body), &params);
	SetUserIdAndSecContext(user, context);
}

/* handlers_run submits the task of the group that was claimed, in a transaction of its own. */
static void
handlers_run(void *task)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	Dispatch	of = *(Dispatch *) task;

	PG_TRY();
	{
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		submit(&of);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
}

static void
handlers_lost(void *task)
{
	rest(task, 0);
}

static const CormTaskSource handlers_source = {handlers_wanted, handlers_claim, handlers_run, handlers_lost};

/* look wakes workers for groups with messages that nobody has announced: those that were given back, or are due now. */
static long
look(void)
{
	Wanted		wanted = {0};
	int			n;

	if (!corm_work_available())
		return -1;
	n = for_each_due(add_wanted, &wanted);
	for (int i = 0; i < wanted.n; i++)
		corm_worker_wake(wanted.db[i], wanted.role[i]);
	return n > 0 ? 1000 : -1;
}

static const CormDuty handlers_duty = {.name = "handlers of topics",.look = look};

/* corm_handlers_init adds handlers to what workers and the launcher do. */
void
corm_handlers_init(void)
{
	corm_worker_add_source(&handlers_source);
	duty = corm_launcher_add(&handlers_duty);
}

/* corm_handlers_of finds the workers to be woken for a topic that has got messages.  Needs the topic's lock. */
void
corm_handlers_of(const CormTopic *topic, CormHandlers *handlers)
{
	handlers->db = topic->db;
	handlers->n = 0;
	for (int g = topic->first_group; g >= 0 && handlers->n < CORM_MAX_HANDLERS; g = corm_group_slots[g].next)
		if (OidIsValid(corm_group_slots[g].settings.handler_role))
			handlers->roles[handlers->n++] = corm_group_slots[g].settings.handler_role;
}

/* corm_handlers_wake wakes them.  Raises nothing. */
void
corm_handlers_wake(const CormHandlers *handlers)
{
	if (handlers->n > 0)
		corm_launcher_wake(duty);
	for (int i = 0; i < handlers->n; i++)
		corm_worker_wake(handlers->db, handlers->roles[i]);
}

/* owner_of returns the owner of a function, InvalidOid if there is no such function. */
static Oid
owner_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/* takes_array tells whether a handler takes an array of messages.  Raises 42P13 if it takes neither that nor one message. */
static bool
takes_array(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			message = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("message"),
										  ObjectIdGetDatum(corm_schema_oid()));
	Form_pg_proc form;
	bool		array;
	bool		fits;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("the handler does not exist")));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	array = form->pronargs == 1 && form->proargtypes.values[0] == get_array_type(message);
	fits = form->prokind == PROKIND_FUNCTION && !form->proretset && form->pronargs == 1 &&
		(array || form->proargtypes.values[0] == message);
	ReleaseSysCache(tuple);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("%s cannot be a handler", format_procedure(function)),
				 errhint("A handler is a function with one parameter, of type corm.message or corm.message[].")));
	return array;
}

/*
 * corm_handler_check raises unless the current role may use a function as a handler.
 * Returns its name, with schema and types, and sets *owner.
 */
char *
corm_handler_check(Oid function, Oid *owner)
{
	(void) takes_array(function);
	if (corm_function_aclcheck(function, GetUserId()) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
	*owner = owner_of(function);
	return format_procedure_qualified(function);
}

/* find_handler returns the function that a group's handler is now.  Raises 42883, and 42501 for one of another owner. */
static Oid
find_handler(const char *handler, Oid handler_owner, Oid group_owner)
{
	Oid			function = DatumGetObjectId(DirectFunctionCall1(regprocedurein, CStringGetDatum(handler)));
	Oid			owner = owner_of(function);

	if (owner != handler_owner && owner != group_owner && !superuser_arg(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("handler %s is not the function that was subscribed", handler),
				 errdetail("It belongs to another role now."),
				 errhint("Unsubscribe the group, and subscribe again.")));
	return function;
}

/* Messages for a handler. */
typedef struct HandlerSink
{
	TupleDesc	desc;
	List	   *rows;
	MemoryContext context;
} HandlerSink;

static void
handler_sink(const CormTaken *taken, void *arg)
{
	HandlerSink *sink = arg;
	MemoryContext oldcontext = MemoryContextSwitchTo(sink->context);

	sink->rows = lappend(sink->rows, DatumGetPointer(corm_message_row(sink->desc, taken)));
	MemoryContextSwitchTo(oldcontext);
}

/* call_handler calls a handler with messages: with all, or with each. */
static void
call_handler(Oid function, bool array, const HandlerSink *sink)
{
	ListCell   *lc;
	ArrayBuildState *state = NULL;

	foreach(lc, sink->rows)
	{
		if (array)
			state = accumArrayResult(state, PointerGetDatum(lfirst(lc)), false, sink->desc->tdtypeid, CurrentMemoryContext);
		else
		{
			LOCAL_FCINFO(call, 1);
			FmgrInfo	flinfo;

			/* a function that returns NULL is fine */
			fmgr_info(function, &flinfo);
			InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
			call->args[0].value = PointerGetDatum(lfirst(lc));
			call->args[0].isnull = false;
			(void) FunctionCallInvoke(call);
			CommandCounterIncrement();
		}
	}
	if (array)
	{
		LOCAL_FCINFO(call, 1);
		FmgrInfo	flinfo;

		fmgr_info(function, &flinfo);
		InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
		call->args[0].value = makeArrayResult(state, CurrentMemoryContext);
		call->args[0].isnull = false;
		(void) FunctionCallInvoke(call);
		CommandCounterIncrement();
	}
}

/* A group, while its messages are handled. */
typedef struct Handled
{
	const char *topic;
	const char *grp;
	const char *handler;
	Oid			handler_owner;
	Oid			group_owner;
	int			batch;
} Handled;

/* check_handler returns the function that handles, if it can be called now.  Sets *array to whether it takes an array. */
static Oid
check_handler(const Handled *group, bool *array)
{
	Oid			function = find_handler(group->handler, group->handler_owner, group->group_owner);

	*array = takes_array(function);
	if (corm_function_aclcheck(function, GetUserId()) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
	return function;
}

/* report_failure reports an error as a warning. */
static void
report_failure(const Handled *group, const ErrorData *error, int messages)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("handler of group \"%s\" of topic \"%s\" failed: %s", group->grp, group->topic, error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 messages > 1 ? errhint("The %d messages of this batch are handled again, one by one.", messages) : 0,
			 error->context != NULL ? errcontext("%s", error->context) : 0));
}

/*
 * handle_batch receives messages and calls the handler, in a subtransaction.  Returns
 * how many there were; -1 after an error, which has been reported.
 */
static int
handle_batch(const Handled *group, CormHandling *handling)
{
	MemoryContext oldcontext = CurrentMemoryContext;
	ResourceOwner oldowner = CurrentResourceOwner;
	volatile int n = 0;

	handling->last = 0;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(oldcontext);
	PG_TRY();
	{
		HandlerSink sink = {.context = CurrentMemoryContext};
		Oid			function;
		bool		array;

		/* without a handler, no message is at fault */
		(void) check_handler(group, &array);
		sink.desc = corm_message_desc();
		n = corm_receive_for_handler(group->topic, group->grp, group->batch, handling, handler_sink, &sink);
		if (n > 0)
		{
			/* once more: the group's filter may have run user code */
			function = check_handler(group, &array);
			call_handler(function, array, &sink);
			corm_receive_handled(handling);
		}
		ReleaseTupleDesc(sink.desc);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(oldcontext);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED || error->sqlerrcode == ERRCODE_ASSERT_FAILURE)
		{
			MemoryContextSwitchTo(oldcontext);
			CurrentResourceOwner = oldowner;
			ReThrowError(error);
		}
		report_failure(group, error, handling->last);
		n = -1;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(oldcontext);
	CurrentResourceOwner = oldowner;
	return n;
}

/* An effect that lets the next task of a group come when this one has ended. */
typedef struct HandledEffect
{
	CormEffect	effect;			/* must be first */
	Dispatch	of;
	int64		rest;
	CormHandlers handlers;
} HandledEffect;

static void
handled_reserve(CormEffect *effect)
{
	/* nothing to reserve */
}

static void
handled_apply(CormEffect *effect)
{
	HandledEffect *handled = (HandledEffect *) effect;

	rest(&handled->of, handled->rest);
	corm_handlers_wake(&handled->handlers);
}

static void
handled_discard(CormEffect *effect)
{
	HandledEffect *handled = (HandledEffect *) effect;

	rest(&handled->of, REST_US);
	pfree(handled);
}

static const CormEffectOps handled_ops = {
	.reserve = handled_reserve,
	.apply = handled_apply,
	.discard = handled_discard,
	.deed = "handled messages",
	.late = true,
};

/* topic_handle(topic, grp) -> int: the number of messages that were handled */
Datum
corm_topic_handle(PG_FUNCTION_ARGS)
{
	char	   *name = corm_name_arg(fcinfo, 0, "topic name");
	char	   *grp = corm_name_arg(fcinfo, 1, "group name");
	CormTopicRef *topic = corm_topic_ref(name);
	CormGroupRef *ref;
	HandledEffect *handled;
	Handled		group = {.topic = name,.grp = grp};
	CormHandling *handling;
	int64		until = corm_clock_machine() + HANDLE_US;
	int32		total = 0;
	int			n;

	corm_topic_check_receive(topic);
	ref = corm_group_ref(topic, grp);
	if (!has_privs_of_role(GetUserId(), ref->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of group \"%s\" of topic \"%s\"", grp, name)));
	if (ref->handler == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("group \"%s\" of topic \"%s\" has no handler", grp, name)));
	corm_topic_attach(topic);
	corm_group_attach(topic, ref);
	group.handler = pstrdup(ref->handler);
	group.handler_owner = ref->handler_owner;
	group.group_owner = ref->owner;
	group.batch = ref->batch;
	handling = MemoryContextAllocZero(TopTransactionContext, sizeof(CormHandling));
	handled = MemoryContextAllocZero(TopTransactionContext, sizeof(HandledEffect));
	handled->of = (Dispatch) {topic->slot, topic->gen, ref->group, ref->group_gen, topic->id, ref->id};
	handled->handlers.db = MyDatabaseId;
	handled->handlers.n = 1;
	handled->handlers.roles[0] = ref->settings.handler_role;

	do
	{
		n = handle_batch(&group, handling);
		if (n > 0)
			total += n;
	} while (n > 0 && !handling->single && corm_clock_machine() < until);
	if (n < 0 && handling->last <= 1)
		handled->rest = handling->last == 0 ? REST_US : SHORT_REST_US;
	corm_effect_add(&handled->effect, &handled_ops);
	PG_RETURN_INT32(total);
}
