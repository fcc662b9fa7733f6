/*-------------------------------------------------------------------------
 *
 * subscribe.c
 *		corm.subscribe and corm.unsubscribe: groups of topics.
 *
 * A group gets its slot in shared memory when it is subscribed, not at commit.  So it
 * sees everything that commits from then on, and the transaction can receive from it.
 * Until the commit it holds up no publisher; at abort it gives the slot up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "base/args.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "base/new_id.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "work/topic/at_end.h"
#include "work/topic/durable.h"
#include "work/process/call.h"
#include "work/task/pools.h"
#include "work/topic/filter.h"
#include "work/topic/handlers.h"
#include "work/topic/log.h"
#include "work/topic/rows.h"
#include "work/topic/subscribe.h"

PG_FUNCTION_INFO_V1(corm_message_subscribe);
PG_FUNCTION_INFO_V1(corm_message_unsubscribe);

/* The arguments of corm.subscribe. */
enum
{
	ARG_TOPIC, ARG_GRP, ARG_START, ARG_CAPACITY, ARG_ACK, ARG_ORDERED, ARG_MAX_ATTEMPTS, ARG_RETRY_DELAY,
	ARG_DEAD_LETTER, ARG_HANDLER, ARG_POOL, ARG_BATCH, ARG_FILTER, ARG_TEMPORARY, ARG_LEASE
};

/* positive_arg returns an integer argument, otherwise for NULL.  Raises 22023 unless it is greater than zero. */
static int32
positive_arg(FunctionCallInfo fcinfo, int argno, const char *name, int32 otherwise)
{
	int32		value;

	if (PG_ARGISNULL(argno))
		return otherwise;
	value = PG_GETARG_INT32(argno);
	if (value <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be greater than zero", name)));
	return value;
}

/* get_ack reads how a group acknowledges.  Raises 22023 for anything else. */
static bool
get_ack(FunctionCallInfo fcinfo)
{
	char	   *ack = PG_ARGISNULL(ARG_ACK) ? "commit" : text_to_cstring(PG_GETARG_TEXT_PP(ARG_ACK));

	if (strcmp(ack, "manual") == 0)
		return true;
	if (strcmp(ack, "commit") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized way to acknowledge \"%s\"", ack),
				 errhint("Groups acknowledge by commit or manual.")));
	return false;
}

/* get_dead_letter reads the topic for dead letters, to which the current role must be able to publish. */
static char *
get_dead_letter(FunctionCallInfo fcinfo, const char *topic)
{
	char	   *name;

	if (PG_ARGISNULL(ARG_DEAD_LETTER))
		return NULL;
	name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_DEAD_LETTER));
	if (strcmp(name, topic) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a topic cannot be for its own dead letters")));
	if (PG_ARGISNULL(ARG_MAX_ATTEMPTS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dead_letter requires max_attempts")));
	corm_topic_check_publish(corm_topic_ref(name));
	return name;
}

/* get_handler reads the handler of a group, and checks that tasks can call it. */
static void
get_handler(FunctionCallInfo fcinfo, CormGroupRef *ref)
{
	if (ref->temporary)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a temporary group cannot have a handler")));
	if (corm_max_workers == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a handler needs workers"),
				 errhint("Increase corm.max_workers and restart the server.")));
	ref->handler = corm_handler_check(PG_GETARG_OID(ARG_HANDLER), &ref->handler_owner);
	ref->settings.handler_role = GetSessionUserId();
}

/* get_pool reads the pool whose tasks call the handler; one that is named must exist, and take tasks of the current role. */
static void
get_pool(FunctionCallInfo fcinfo, CormGroupRef *ref)
{
	CormPoolRef pool;

	ref->pool = PG_ARGISNULL(ARG_POOL) ? "default" : text_to_cstring(PG_GETARG_TEXT_PP(ARG_POOL));
	if (PG_ARGISNULL(ARG_HANDLER) && strcmp(ref->pool, "default") == 0)
		return;
	corm_pool_find(ref->pool, &pool);
	corm_pool_check(&pool, CORM_POOL_SUBMIT);
}

/* get_definition reads what a group is to be like. */
static void
get_definition(FunctionCallInfo fcinfo, const char *topic, CormGroupRef *ref)
{
	memset(ref, 0, sizeof(CormGroupRef));
	ref->id = corm_new_id(1);
	ref->owner = GetUserId();
	ref->group = CORM_TOPIC_NO_SLOT;
	ref->temporary = !PG_ARGISNULL(ARG_TEMPORARY) && PG_GETARG_BOOL(ARG_TEMPORARY);
	ref->settings.capacity = positive_arg(fcinfo, ARG_CAPACITY, "capacity", 0);
	ref->settings.manual = get_ack(fcinfo);
	ref->settings.ordered = !PG_ARGISNULL(ARG_ORDERED) && PG_GETARG_BOOL(ARG_ORDERED);
	ref->settings.max_attempts = positive_arg(fcinfo, ARG_MAX_ATTEMPTS, "max_attempts", 0);
	ref->settings.retry_delay = PG_ARGISNULL(ARG_RETRY_DELAY) ? 0 :
		corm_span_us(PG_GETARG_INTERVAL_P(ARG_RETRY_DELAY), "retry_delay");
	ref->settings.lease = PG_ARGISNULL(ARG_LEASE) ? 30 * USECS_PER_SEC :
		corm_span_us(PG_GETARG_INTERVAL_P(ARG_LEASE), "lease");
	if (ref->settings.lease == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lease must be greater than zero")));
	ref->dead_letter = get_dead_letter(fcinfo, topic);
	ref->settings.dead_letter = ref->dead_letter != NULL;
	ref->batch = positive_arg(fcinfo, ARG_BATCH, "batch", 1);
	get_pool(fcinfo, ref);
	if (!PG_ARGISNULL(ARG_HANDLER))
		get_handler(fcinfo, ref);
	if (!PG_ARGISNULL(ARG_FILTER))
	{
		ref->filter = text_to_cstring(PG_GETARG_TEXT_PP(ARG_FILTER));
		ref->filter_path = corm_filter_path();
		corm_filter_check(ref->filter);
	}
}

/*
 * corm_start_parse reads where a group starts: new, all, the number of a message or a
 * time.  Raises 22023 for anything else, and what the input of numbers and times raises.
 */
CormStart
corm_start_parse(const char *text)
{
	CormStart	start = {0};

	if (strcmp(text, "new") == 0)
		start.seq = PG_INT64_MAX;
	else if (strcmp(text, "all") == 0)
		start.seq = 1;
	else if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text))
		start.seq = pg_strtoint64(text);
	else if (text[0] >= '0' && text[0] <= '9')
	{
		start.is_time = true;
		start.time = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
															 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized start \"%s\"", text),
				 errhint("A group starts with new, all, the number of a message, or a time.")));
	return start;
}

/* start_seq returns the number of the message that a new group gets first.  Raises as corm_start_parse. */
static int64
start_seq(const CormTopicRef *topic, const char *text)
{
	CormStart	start = corm_start_parse(text);
	int64		seq;

	if (!start.is_time)
		return start.seq;
	if (topic->settings.durable)
		return corm_durable_seq_at_time(topic->id, start.time);
	if (!corm_topic_lock(topic->slot, topic->gen))
		corm_topic_gone(NameStr(topic->name));
	seq = corm_log_seq_at_time(corm_topic_at(topic->slot), start.time);
	corm_topic_unlock(topic->slot);
	return seq;
}

/* insert_definition adds the row of a group. */
static void
insert_definition(FunctionCallInfo fcinfo, Relation rel, const char *topic, const char *grp, const CormGroupRef *ref)
{
	Datum		values[Natts_group_definitions] = {0};
	bool		nulls[Natts_group_definitions] = {false};
	Interval   *none = palloc0(sizeof(Interval));
	Interval   *half_minute = palloc0(sizeof(Interval));

	half_minute->time = 30 * USECS_PER_SEC;
	values[Anum_group_definitions_topic - 1] = CStringGetTextDatum(topic);
	values[Anum_group_definitions_grp - 1] = CStringGetTextDatum(grp);
	values[Anum_group_definitions_id - 1] = Int64GetDatum((int64) ref->id);
	values[Anum_group_definitions_owner - 1] = ObjectIdGetDatum(ref->owner);
	values[Anum_group_definitions_capacity - 1] = Int32GetDatum(ref->settings.capacity);
	nulls[Anum_group_definitions_capacity - 1] = ref->settings.capacity == 0;
	values[Anum_group_definitions_ack - 1] = CStringGetTextDatum(ref->settings.manual ? "manual" : "commit");
	values[Anum_group_definitions_ordered - 1] = BoolGetDatum(ref->settings.ordered);
	values[Anum_group_definitions_max_attempts - 1] = Int32GetDatum(ref->settings.max_attempts);
	nulls[Anum_group_definitions_max_attempts - 1] = ref->settings.max_attempts == 0;
	values[Anum_group_definitions_retry_delay - 1] = PG_ARGISNULL(ARG_RETRY_DELAY) ?
		IntervalPGetDatum(none) : PG_GETARG_DATUM(ARG_RETRY_DELAY);
	nulls[Anum_group_definitions_dead_letter - 1] = ref->dead_letter == NULL;
	if (ref->dead_letter != NULL)
		values[Anum_group_definitions_dead_letter - 1] = CStringGetTextDatum(ref->dead_letter);
	nulls[Anum_group_definitions_handler - 1] = ref->handler == NULL;
	if (ref->handler != NULL)
		values[Anum_group_definitions_handler - 1] = CStringGetTextDatum(ref->handler);
	nulls[Anum_group_definitions_session_owner - 1] = !OidIsValid(ref->settings.handler_role);
	values[Anum_group_definitions_session_owner - 1] = ObjectIdGetDatum(ref->settings.handler_role);
	nulls[Anum_group_definitions_handler_owner - 1] = ref->handler == NULL;
	values[Anum_group_definitions_handler_owner - 1] = ObjectIdGetDatum(ref->handler_owner);
	values[Anum_group_definitions_pool - 1] = CStringGetTextDatum(ref->pool);
	values[Anum_group_definitions_batch - 1] = Int32GetDatum(ref->batch);
	nulls[Anum_group_definitions_filter - 1] = nulls[Anum_group_definitions_filter_path - 1] = ref->filter == NULL;
	if (ref->filter != NULL)
	{
		values[Anum_group_definitions_filter - 1] = CStringGetTextDatum(ref->filter);
		values[Anum_group_definitions_filter_path - 1] = CStringGetTextDatum(ref->filter_path);
	}
	values[Anum_group_definitions_lease - 1] = PG_ARGISNULL(ARG_LEASE) ?
		IntervalPGetDatum(half_minute) : PG_GETARG_DATUM(ARG_LEASE);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
}

/* at_exit gives up the temporary groups of a session that ends. */
static void
at_exit(int code, Datum arg)
{
	corm_temporary_groups_end();
}

/*
 * make_group gives a group its slot, with an effect that gives it up if the transaction
 * is rolled back.  Returns the number of the first message that it gets.
 */
static int64
make_group(const CormTopicRef *topic, CormGroupRef *ref, int64 start)
{
	CormGroupSeed seed;

	if (topic->settings.durable)
	{
		/* what is purged is gone, though tables may still have it */
		start = Max(start, corm_durable_purged(topic->id) + 1);
		corm_durable_know_bytes(topic->slot, topic->gen, topic->id, start, NULL);
	}
	corm_seed_init(&seed, ref);
	seed.creating = true;
	seed.next_seq = start;
	ref->group = corm_group_make(topic->slot, topic->gen, &seed, &ref->group_gen);
	if (ref->group == CORM_TOPIC_NO_SLOT)
		corm_topic_gone(NameStr(topic->name));
	if (ref->group == CORM_TOPIC_NO_GROUPS)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many groups"),
				 errhint("Unsubscribe one, or increase corm.max_groups and restart the server.")));
	ref->topic_slot = topic->slot;
	ref->topic_gen = topic->gen;
	corm_at_end_group_made(topic, ref);
	return seed.next_seq;
}

/*
 * check_new raises 42710 if a topic has a group of that name, a temporary one of
 * another session included.
 */
static void
check_new(const CormTopicRef *topic, const char *grp)
{
	bool		exists = corm_group_ref_or_null(NameStr(topic->name), grp) != NULL;

	if (!exists)
	{
		if (!corm_topic_lock(topic->slot, topic->gen))
			corm_topic_gone(NameStr(topic->name));
		for (int g = corm_topic_at(topic->slot)->first_group; g >= 0 && !exists; g = corm_group_slots[g].next)
			exists = corm_group_slots[g].temporary && strcmp(NameStr(corm_group_slots[g].name), grp) == 0;
		corm_topic_unlock(topic->slot);
	}
	if (exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("group \"%s\" of topic \"%s\" already exists", grp, NameStr(topic->name))));
}

/*
 * subscribe(topic, grp, start, capacity, ack, ordered, max_attempts, retry_delay, dead_letter, handler, pool,
 * batch, filter, temporary, lease) -> void
 */
Datum
corm_message_subscribe(PG_FUNCTION_ARGS)
{
	static bool watching = false;
	char	   *name = corm_name_arg(fcinfo, ARG_TOPIC, "topic name");
	char	   *grp = corm_name_arg(fcinfo, ARG_GRP, "group name");
	char	   *start = PG_ARGISNULL(ARG_START) ? "new" : text_to_cstring(PG_GETARG_TEXT_PP(ARG_START));
	Relation	definitions;
	Relation	rel;
	CormTopicRef *topic = corm_topic_ref(name);
	CormGroupRef ref;
	int64		next_seq;

	corm_topic_check_receive(topic);
	corm_check_new_name("group name", grp);
	get_definition(fcinfo, name, &ref);

	if (ref.temporary)
	{
		topic = corm_topic_ref(name);
		corm_topic_attach(topic);
		check_new(topic, grp);
		namestrcpy(&ref.key.grp, grp);
		if (!watching)
			before_shmem_exit(at_exit, (Datum) 0);
		watching = true;
		corm_worker_session_end = corm_temporary_groups_end;
		(void) make_group(topic, &ref, start_seq(topic, start));
		corm_group_ref_temporary(topic, grp, &ref);
		PG_RETURN_VOID();
	}

	PreventCommandIfReadOnly("corm.subscribe()");
	definitions = corm_topic_definitions_open(RowExclusiveLock);
	corm_topic_lock_name(definitions, name);
	topic = corm_topic_ref(name);
	corm_topic_check_receive(topic);
	corm_topic_attach(topic);
	check_new(topic, grp);
	shdepLockAndCheckObject(AuthIdRelationId, GetUserId());
	rel = corm_group_definitions_open(RowExclusiveLock);
	insert_definition(fcinfo, rel, name, grp, &ref);
	namestrcpy(&ref.key.grp, grp);
	next_seq = make_group(topic, &ref, start_seq(topic, start));
	if (topic->settings.durable)
		corm_durable_cursor_set(topic->id, ref.id, 0, next_seq - 1);
	table_close(rel, NoLock);
	corm_topic_changed(definitions);
	table_close(definitions, NoLock);
	PG_RETURN_VOID();
}

/* unsubscribe(topic, grp) -> void */
Datum
corm_message_unsubscribe(PG_FUNCTION_ARGS)
{
	char	   *name = corm_name_arg(fcinfo, 0, "topic name");
	char	   *grp = corm_name_arg(fcinfo, 1, "group name");
	CormTopicRef *topic = corm_topic_ref(name);
	CormGroupRef *ref = corm_group_ref(topic, grp);
	Relation	definitions;
	Relation	rel;
	HeapTuple	tuple;

	if (!ref->temporary)
	{
		if (!corm_topic_owned(topic) && !has_privs_of_role(GetUserId(), ref->owner))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of group \"%s\" or topic \"%s\"", grp, name)));
		PreventCommandIfReadOnly("corm.unsubscribe()");
		definitions = corm_topic_definitions_open(RowExclusiveLock);
		corm_topic_lock_name(definitions, name);
		topic = corm_topic_ref(name);
		ref = corm_group_ref(topic, grp);
		corm_topic_attach(topic);
		rel = corm_group_definitions_open(RowExclusiveLock);
		tuple = corm_group_find_row(rel, name, grp);
		CatalogTupleDelete(rel, &tuple->t_self);
		table_close(rel, NoLock);
		corm_durable_cursor_delete(ref->id);
		corm_group_attach(topic, ref);
		corm_at_end_group_dropped(topic, ref);
		corm_topic_changed(definitions);
		table_close(definitions, NoLock);
	}
	else
	{
		corm_topic_attach(topic);
		corm_group_attach(topic, ref);
		corm_at_end_group_dropped(topic, ref);
	}
	PG_RETURN_VOID();
}
