/*-------------------------------------------------------------------------
 *
 * topics.c
 *		Start of topics; functions that show their state.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "work/topic/definitions.h"
#include "work/topic/log.h"
#include "work/topic/owners.h"
#include "work/topic/topics.h"

PG_FUNCTION_INFO_V1(corm_topic_counters);
PG_FUNCTION_INFO_V1(corm_group_counters);
PG_FUNCTION_INFO_V1(corm_topic_check);

/* corm_topics_init runs in every process; most of it does something only when preloaded. */
void
corm_topics_init(void)
{
	corm_topics_shared_init();
	corm_definitions_init();
	if (process_shared_preload_libraries_in_progress)
		corm_topic_hooks_init();
}

/* trim_all frees what is over its retention in the topics of this database. */
static void
trim_all(void)
{
	for (int i = 0; i < corm_max_topics; i++)
	{
		CormTopic  *topic = corm_topic_at(i);
		CormBlockChain freed = {0};

		if (!topic->used || topic->db != MyDatabaseId)
			continue;
		LWLockAcquire(&topic->lock, LW_EXCLUSIVE);
		if (topic->used)
			corm_log_trim(topic, corm_clock_mono(), false, &freed);
		LWLockRelease(&topic->lock);
		corm_work_give(&freed);
	}
}

/* topic_counters() -> setof (id, published, waiting, bytes), of the topics of this database that are in use */
Datum
corm_topic_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!corm_work_available())
		return (Datum) 0;
	trim_all();
	for (int i = 0; i < corm_max_topics; i++)
	{
		CormTopic  *topic = corm_topic_at(i);
		Datum		values[4];
		bool		nulls[4] = {false};
		bool		used;

		LWLockAcquire(&topic->lock, LW_SHARED);
		used = topic->used && topic->db == MyDatabaseId;
		values[0] = Int64GetDatum((int64) topic->id);
		values[1] = Int64GetDatum(topic->last_seq);
		values[2] = Int64GetDatum(topic->waiting);
		values[3] = Int64GetDatum(topic->bytes);
		LWLockRelease(&topic->lock);
		if (used)
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* oldest_time returns when the oldest message that a memory topic's group has not settled was published. */
static bool
oldest_time(CormTopic *topic, CormGroup *group, TimestampTz *time)
{
	CormBlockId id = corm_log_at(topic, corm_group_oldest(topic, group));

	if (id == 0 || group->unsettled == 0)
		return false;
	*time = corm_entry(id)->published_at;
	return true;
}

/*
 * group_counters() -> setof (topic_id, id, name, temporary, capacity, ack, ordered, lag, in_hand, oldest,
 * redelivered, lost), of the groups of this database whose topics are in use
 */
Datum
corm_group_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!corm_work_available())
		return (Datum) 0;
	for (int i = 0; i < corm_max_groups; i++)
	{
		CormGroup  *group = &corm_group_slots[i];
		CormGroup	copy;
		CormBlockChain freed = {0};
		CormTopic  *topic;
		uint64		topic_id;
		int32		capacity;
		TimestampTz oldest = 0;
		bool		has_oldest;
		bool		found;
		Datum		values[12];
		bool		nulls[12] = {false};

		if (!group->used)
			continue;
		topic = corm_topic_at(group->topic);
		LWLockAcquire(&topic->lock, LW_EXCLUSIVE);
		found = group->used && topic->used && corm_topic_at(group->topic) == topic && topic->db == MyDatabaseId;
		if (found)
			corm_group_promote(topic, group, corm_clock_mono(), &freed);
		copy = *group;
		topic_id = topic->id;
		capacity = corm_group_capacity(topic, group);
		has_oldest = found && !topic->settings.durable && oldest_time(topic, group, &oldest);
		LWLockRelease(&topic->lock);
		corm_work_give(&freed);
		if (!found)
			continue;
		values[0] = Int64GetDatum((int64) topic_id);
		values[1] = Int64GetDatum((int64) copy.id);
		values[2] = CStringGetTextDatum(NameStr(copy.name));
		values[3] = BoolGetDatum(copy.temporary);
		values[4] = Int32GetDatum(capacity);
		values[5] = CStringGetTextDatum(copy.settings.manual ? "manual" : "commit");
		values[6] = BoolGetDatum(copy.settings.ordered);
		values[7] = Int64GetDatum(copy.unsettled);
		values[8] = Int64GetDatum(copy.in_hand);
		values[9] = TimestampTzGetDatum(oldest);
		nulls[9] = !has_oldest;
		values[10] = Int64GetDatum(copy.redelivered);
		values[11] = Int64GetDatum(copy.lost);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* A problem that corm.topic_check() found in a topic. */
#define MAX_PROBLEMS	20

typedef struct Problems
{
	int			n;
	const char *text[MAX_PROBLEMS];
	int64		seq[MAX_PROBLEMS];
} Problems;

/* note adds a problem, unless there are too many. */
static void
note(Problems *problems, bool sound, const char *text, int64 seq)
{
	if (sound || problems->n == MAX_PROBLEMS)
		return;
	problems->text[problems->n] = text;
	problems->seq[problems->n++] = seq;
}

/* check_list looks at a list of deliveries, and returns how many there are. */
static int64
check_list(Problems *problems, const CormDeliveryList *list, CormDeliveryState state)
{
	CormBlockId prev = 0;
	int64		n = 0;

	for (CormBlockId id = list->first; id != 0; id = corm_delivery(id)->next)
	{
		CormDelivery *delivery = corm_delivery(id);

		note(problems, delivery->state == state, "a delivery is in the list of another state", delivery->seq);
		note(problems, delivery->prev == prev, "a list of deliveries is broken", delivery->seq);
		if (prev != 0 && state == CORM_READY)
			note(problems, corm_delivery(prev)->seq < delivery->seq, "ready deliveries are not ordered", delivery->seq);
		if (prev != 0 && state != CORM_READY)
			note(problems, corm_delivery(prev)->due <= delivery->due, "deliveries are not ordered by time", delivery->seq);
		prev = id;
		n++;
	}
	note(problems, list->last == prev, "the end of a list of deliveries is wrong", 0);
	return n;
}

/* check_group looks at a group of a topic. */
static void
check_group(Problems *problems, CormTopic *topic, CormGroup *group)
{
	int64		by_state[CORM_ACKING + 1] = {0};
	int64		unsettled = 0;

	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
		for (CormBlockId id = group->bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
		{
			CormDelivery *delivery = corm_delivery(id);

			note(problems, delivery->group_gen == group->gen, "a delivery is of another group", delivery->seq);
			note(problems, delivery->state <= CORM_ACKING, "a delivery has no state", delivery->seq);
			if (delivery->state <= CORM_ACKING)
				by_state[delivery->state]++;
			if (delivery->state == CORM_IN_HAND && delivery->procno >= 0)
				note(problems, ProcGlobal->allProcs[delivery->procno].pid != 0,
					 "a message is in the hand of a process that is gone", delivery->seq);
			unsettled++;
		}
	note(problems, check_list(problems, &group->ready, CORM_READY) == by_state[CORM_READY],
		 "the number of ready deliveries is wrong", 0);
	note(problems, check_list(problems, &group->delayed, CORM_DELAYED) == by_state[CORM_DELAYED],
		 "the number of delayed deliveries is wrong", 0);
	note(problems, check_list(problems, &group->leased, CORM_LEASED) == by_state[CORM_LEASED],
		 "the number of leased deliveries is wrong", 0);
	note(problems, group->in_hand == by_state[CORM_IN_HAND] + by_state[CORM_LEASED] + by_state[CORM_ACKING],
		 "the number of messages in hand is wrong", group->in_hand);
	if (topic->settings.durable)
	{
		CormBlockId ignore;

		for (int64 seq = group->next_seq; seq <= topic->last_seq && seq < group->rescan_until; seq++)
			unsettled -= corm_group_find(group, seq, &ignore) != NULL;
		unsettled += topic->last_seq + 1 - group->next_seq;
	}
	for (CormBlockId id = group->next_entry; id != 0; id = corm_entry(id)->next)
	{
		CormBlockId ignore;

		unsettled += corm_entry(id)->seq >= group->rescan_until ||
			corm_group_find(group, corm_entry(id)->seq, &ignore) == NULL;
	}
	note(problems, group->unsettled == unsettled, "the number of unsettled messages is wrong", group->unsettled);
}

/* holds tells whether a group has not settled an entry. */
static bool
holds(CormGroup *group, CormBlockId id)
{
	CormBlockId ignore;

	return (group->next_entry != 0 && corm_entry(group->next_entry)->seq <= corm_entry(id)->seq) ||
		corm_group_find(group, corm_entry(id)->seq, &ignore) != NULL;
}

/* check_topic looks at a topic. */
static void
check_topic(Problems *problems, CormTopic *topic)
{
	CormBlockId prev = 0;
	int64		waiting = 0;
	int64		bytes = 0;

	for (CormBlockId id = topic->first; id != 0; id = corm_entry(id)->next)
	{
		CormEntry  *entry = corm_entry(id);
		int			refs = 0;

		note(problems, entry->prev == prev, "the log is broken", entry->seq);
		note(problems, prev == 0 || corm_entry(prev)->seq < entry->seq, "the log is not ordered", entry->seq);
		for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
			refs += holds(&corm_group_slots[g], id);
		note(problems, entry->refs == refs, "the number of groups that refer to a message is wrong", entry->seq);
		note(problems, refs > 0 || topic->settings.retention > 0, "a message is kept for nobody", entry->seq);
		waiting += refs > 0;
		bytes += entry->payload_len;
		prev = id;
	}
	note(problems, topic->last == prev, "the end of the log is wrong", 0);
	note(problems, topic->waiting == waiting, "the number of waiting messages is wrong", topic->waiting);
	note(problems, topic->settings.durable || topic->bytes == bytes, "the number of bytes is wrong", topic->bytes);
	note(problems, topic->reserved >= 0 && topic->reserved_bytes >= 0, "less than nothing is reserved", topic->reserved);
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		check_group(problems, topic, &corm_group_slots[g]);
}

/* topic_check() -> setof text */
Datum
corm_topic_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	corm_work_require("a topic");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < corm_max_topics; i++)
	{
		CormTopic  *topic = corm_topic_at(i);
		Problems	problems = {0};

		LWLockAcquire(&topic->lock, LW_EXCLUSIVE);
		if (topic->used)
			check_topic(&problems, topic);
		LWLockRelease(&topic->lock);
		for (int p = 0; p < problems.n; p++)
		{
			Datum		value = CStringGetTextDatum(psprintf("topic %d: %s (%lld)", i, problems.text[p],
															 (long long) problems.seq[p]));
			bool		isnull = false;

			tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
		}
	}
	return (Datum) 0;
}
