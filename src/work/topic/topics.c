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
#include "work/shared/audit.h"
#include "work/shared/gone.h"
#include "work/topic/definitions.h"
#include "work/topic/durable.h"
#include "work/topic/handlers.h"
#include "work/topic/log.h"
#include "work/topic/owners.h"
#include "work/topic/rotate.h"
#include "work/topic/topics.h"

PG_FUNCTION_INFO_V1(corm_topic_counters);
PG_FUNCTION_INFO_V1(corm_group_counters);

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
		LWLockAcquire(corm_topic_lwlock(i), LW_EXCLUSIVE);
		if (topic->used)
			corm_log_trim(topic, corm_clock_mono(), false, &freed);
		LWLockRelease(corm_topic_lwlock(i));
		corm_work_give(&freed);
	}
}

/* longest_lag returns how many messages of a durable topic some group may not have settled: as many as the slowest one. */
static int64
longest_lag(CormTopic *topic)
{
	int64		lag = 0;

	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		lag = Max(lag, corm_group_slots[g].unsettled);
	return lag;
}

/* topic_counters() -> setof (id, published, waiting, bytes), of the topics of this database that are in use */
Datum
corm_topic_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!corm_work_available())
		return (Datum) 0;
	corm_topics_attach_durable();
	trim_all();
	for (int i = 0; i < corm_max_topics; i++)
	{
		CormTopic  *topic = corm_topic_at(i);
		Datum		values[4];
		bool		nulls[4] = {false};
		bool		used;

		LWLockAcquire(corm_topic_lwlock(i), LW_EXCLUSIVE);
		used = topic->used && topic->db == MyDatabaseId;
		values[0] = Int64GetDatum((int64) topic->id);
		values[1] = Int64GetDatum(topic->last_seq);
		values[2] = Int64GetDatum(topic->settings.durable ? longest_lag(topic) : topic->waiting);
		values[3] = Int64GetDatum(used ? corm_log_bytes(topic) : 0);
		LWLockRelease(corm_topic_lwlock(i));
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
	corm_topics_attach_durable();
	for (int i = 0; i < corm_max_groups; i++)
	{
		CormGroup  *group = &corm_group_slots[i];
		CormGroup	copy;
		CormBlockChain freed = {0};
		CormTopic  *topic;
		int			slot;
		uint64		topic_id;
		int32		capacity;
		TimestampTz oldest = 0;
		bool		has_oldest;
		bool		durable;
		int64		oldest_seq;
		bool		found;
		Datum		values[12];
		bool		nulls[12] = {false};

		if (!group->used)
			continue;
		slot = group->topic;
		topic = corm_topic_at(slot);
		LWLockAcquire(corm_topic_lwlock(slot), LW_EXCLUSIVE);
		found = group->used && topic->used && group->topic == slot && topic->db == MyDatabaseId;
		if (found)
			corm_group_promote(topic, group, corm_clock_mono(), &freed);
		copy = *group;
		topic_id = topic->id;
		capacity = corm_group_capacity(topic, group);
		durable = found && topic->settings.durable;
		oldest_seq = durable ? corm_group_oldest(topic, group) : 0;
		has_oldest = found && !durable && oldest_time(topic, group, &oldest);
		LWLockRelease(corm_topic_lwlock(slot));
		corm_work_give(&freed);
		if (!found)
			continue;
		if (durable && copy.unsettled > 0)
			has_oldest = corm_durable_published_at(topic_id, oldest_seq, &oldest);
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

/* note adds a problem to an audit unless something is as it must be. */
static void
note(CormAudit *audit, bool sound, const char *text, int64 n)
{
	if (!sound)
		corm_audit_problem(audit, "topics: %s (" INT64_FORMAT ")", text, n);
}

/* check_list looks at a list of deliveries, and returns how many there are. */
static int64
check_list(CormAudit *audit, const CormDeliveryList *list, CormDeliveryState state)
{
	CormBlockId prev = 0;
	int64		n = 0;

	for (CormBlockId id = list->first; id != 0; id = corm_delivery(id)->next)
	{
		CormDelivery *delivery = corm_delivery(id);

		note(audit, delivery->state == state, "a delivery is in the list of another state", delivery->seq);
		note(audit, delivery->prev == prev, "a list of deliveries is broken", delivery->seq);
		if (prev != 0 && state == CORM_READY)
			note(audit, corm_delivery(prev)->seq < delivery->seq, "ready deliveries are not ordered", delivery->seq);
		if (prev != 0 && state != CORM_READY)
			note(audit, corm_delivery(prev)->due <= delivery->due, "deliveries are not ordered by time", delivery->seq);
		prev = id;
		n++;
	}
	note(audit, list->last == prev, "the end of a list of deliveries is wrong", 0);
	note(audit, list->n == n, "the length of a list of deliveries is wrong", list->n);
	return n;
}

/* check_keys looks at the deliveries of the keys that share a bucket. */
static void
check_keys(CormAudit *audit, const CormKeyBucket *bucket)
{
	CormBlockId prev = 0;
	int32		in_hand = 0;

	for (CormBlockId id = bucket->first; id != 0; id = corm_delivery(id)->key_next)
	{
		note(audit, corm_delivery(id)->keyed, "a delivery is among those of a key, and has none", corm_delivery(id)->seq);
		note(audit, prev == 0 || corm_delivery(prev)->seq < corm_delivery(id)->seq, "deliveries of keys are not ordered",
			 corm_delivery(id)->seq);
		in_hand += corm_group_in_hand(corm_delivery(id));
		prev = id;
	}
	note(audit, bucket->last == prev, "the end of the deliveries of keys is wrong", 0);
	note(audit, bucket->in_hand == in_hand, "the number of messages in hand of keys is wrong", in_hand);
}

/* check_group looks at a group of a topic. */
static void
check_group(CormAudit *audit, CormTopic *topic, CormGroup *group)
{
	int64		by_state[CORM_ACKING + 1] = {0};
	int64		unsettled = 0;

	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
		for (CormBlockId id = group->bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
		{
			CormDelivery *delivery = corm_delivery(id);

			note(audit, delivery->group_gen == group->gen, "a delivery is of another group", delivery->seq);
			note(audit, delivery->state <= CORM_ACKING, "a delivery has no state", delivery->seq);
			if (delivery->state <= CORM_ACKING)
				by_state[delivery->state]++;
			if (delivery->state == CORM_IN_HAND && delivery->procno >= 0)
				note(audit, ProcGlobal->allProcs[delivery->procno].pid != 0,
					 "a message is in the hand of a process that is gone", delivery->seq);
			note(audit, delivery->seq >= group->lowest, "a delivery is older than the oldest one", delivery->seq);
			note(audit, delivery->seq >= group->lowest_free || corm_group_in_hand(delivery),
				 "a delivery in nobody's hand is older than the oldest one", delivery->seq);
			unsettled++;
		}
	note(audit, group->deliveries == unsettled, "the number of deliveries is wrong", group->deliveries);
	for (int b = 0; b < CORM_KEY_BUCKETS; b++)
		check_keys(audit, &group->key_bucket[b]);
	note(audit, check_list(audit, &group->ready, CORM_READY) == by_state[CORM_READY],
		 "the number of ready deliveries is wrong", 0);
	note(audit, check_list(audit, &group->delayed, CORM_DELAYED) == by_state[CORM_DELAYED],
		 "the number of delayed deliveries is wrong", 0);
	note(audit, check_list(audit, &group->leased, CORM_LEASED) == by_state[CORM_LEASED],
		 "the number of leased deliveries is wrong", 0);
	note(audit, group->in_hand == by_state[CORM_IN_HAND] + by_state[CORM_LEASED] + by_state[CORM_ACKING],
		 "the number of messages in hand is wrong", group->in_hand);
	if (topic->settings.durable)
	{
		CormBlockId ignore;

		for (int64 seq = group->next_seq; seq <= topic->last_seq && seq < group->rescan_until; seq++)
			unsettled -= corm_delivery_find(group, seq, &ignore) != NULL;
		unsettled += topic->last_seq + 1 - group->next_seq;
	}
	for (CormBlockId id = group->next_entry; id != 0; id = corm_entry(id)->next)
	{
		CormBlockId ignore;

		unsettled += corm_entry(id)->seq >= group->rescan_until ||
			corm_delivery_find(group, corm_entry(id)->seq, &ignore) == NULL;
	}
	note(audit, group->unsettled == unsettled, "the number of unsettled messages is wrong", group->unsettled);
}

/* holds tells whether a group has not settled an entry. */
static bool
holds(CormGroup *group, CormBlockId id)
{
	CormBlockId ignore;

	return (group->next_entry != 0 && corm_entry(group->next_entry)->seq <= corm_entry(id)->seq) ||
		corm_delivery_find(group, corm_entry(id)->seq, &ignore) != NULL;
}

/* check_topic looks at a topic. */
static void
check_topic(CormAudit *audit, CormTopic *topic)
{
	CormBlockId prev = 0;
	int64		waiting = 0;
	int64		bytes = 0;
	int64		n = 0;

	for (CormBlockId id = topic->first; id != 0; id = corm_entry(id)->next)
	{
		CormEntry  *entry = corm_entry(id);
		int			refs = 0;

		note(audit, entry->prev == prev, "the log is broken", entry->seq);
		note(audit, prev == 0 || corm_entry(prev)->seq < entry->seq, "the log is not ordered", entry->seq);
		for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
			refs += holds(&corm_group_slots[g], id);
		note(audit, entry->refs == refs, "the number of groups that refer to a message is wrong", entry->seq);
		note(audit, refs > 0 || topic->settings.retention > 0, "a message is kept for nobody", entry->seq);
		waiting += refs > 0;
		bytes += entry->payload_len;
		n++;
		prev = id;
	}
	note(audit, topic->last == prev, "the end of the log is wrong", 0);
	note(audit, topic->entries == n, "the number of messages is wrong", topic->entries);
	note(audit, topic->waiting == waiting, "the number of waiting messages is wrong", topic->waiting);
	note(audit, topic->settings.durable || topic->bytes == bytes, "the number of bytes is wrong", topic->bytes);
	note(audit, topic->reserved >= 0 && topic->reserved_bytes >= 0, "less than nothing is reserved", topic->reserved);
	for (int i = 1; topic->settings.durable && i < topic->marks.n; i++)
		note(audit, topic->marks.mark[i - 1].seq < topic->marks.mark[i].seq &&
			 topic->marks.mark[i - 1].bytes <= topic->marks.mark[i].bytes, "the marks of bytes are not ordered", topic->marks.mark[i].seq);
	note(audit, !topic->settings.durable || topic->bytes >= corm_log_least_bytes(topic), "too few bytes are counted", topic->bytes);
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		check_group(audit, topic, &corm_group_slots[g]);
}

/* audit_lock freezes all topics. */
static void
audit_lock(void)
{
	LWLockAcquire(&corm_topics->topics_lock, LW_EXCLUSIVE);
	for (int i = 0; i < CORM_TOPIC_LOCKS; i++)
		LWLockAcquire(&corm_topics->topic_lock[i].lock, LW_EXCLUSIVE);
}

static void
audit_unlock(void)
{
	for (int i = CORM_TOPIC_LOCKS - 1; i >= 0; i--)
		LWLockRelease(&corm_topics->topic_lock[i].lock);
	LWLockRelease(&corm_topics->topics_lock);
}

/* audit_deliveries notes the blocks of a group. */
static void
audit_deliveries(CormAudit *audit, const CormGroup *group)
{
	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
		for (CormBlockId id = group->bucket[b]; id != 0; id = corm_delivery(id)->hash_next)
			corm_audit_block(audit, "a group", id);
}

/* audit_walk verifies all topics. */
static void
audit_walk(CormAudit *audit)
{
	for (int i = 0; i < corm_max_topics; i++)
	{
		CormTopic  *topic = corm_topic_at(i);

		if (!topic->used)
			continue;
		check_topic(audit, topic);
		for (CormBlockId id = topic->first; id != 0; id = corm_entry(id)->next)
			corm_audit_chain(audit, "a message", id);
		for (CormBlockId id = topic->dedup_first; id != 0; id = corm_dedup(id)->next)
			corm_audit_block(audit, "the id of a message", id);
		for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
			audit_deliveries(audit, &corm_group_slots[g]);
	}
}

static const CormAuditPart audit_part = {audit_lock, audit_walk, audit_unlock};

/* corm_topics_init runs in every process; most of it does something only when preloaded. */
void
corm_topics_init(void)
{
	corm_topics_shared_init();
	corm_definitions_init();
	corm_rotate_init();
	corm_handlers_init();
	corm_audit_add(&audit_part);
	corm_work_when_gone(corm_topics_kill_database);
	corm_topic_owners_init();
}
