/*-------------------------------------------------------------------------
 *
 * log.c
 *		The log of a memory topic: entries appended, kept and freed.
 *
 * Everything here is called with the exclusive lock of the topic and raises
 * nothing.  Blocks that become free are added to the chain `freed`, for the caller
 * to give back when he has released the lock.
 *
 * Invariants, which corm.topic_check() verifies:
 *
 *	- entries are linked in the order of their numbers, which grow;
 *	- a group refers to every entry from its cursor on, and to those before it
 *	  that it has deliveries of; refs counts these groups;
 *	- an entry with refs 0 is there only if the topic has a retention.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "work/topic/log.h"

/* Of so many messages each wakes one receiver; of more, all are woken. */
#define MAX_SIGNALS		16

/* take_blocks adds a chain of blocks that belonged to the topic to those that are free. */
static void
take_blocks(CormBlockId first, CormBlockId last, uint32 count, CormBlockChain *freed)
{
	corm_blocks_unlinked(&corm_work_blocks, count);
	corm_blocks_append(&corm_work_blocks, freed, first, last, count);
}

/* unlink_entry takes an entry out of the log and frees its blocks. */
static void
unlink_entry(CormTopic *topic, CormBlockId id, CormBlockChain *freed)
{
	CormEntry  *entry = corm_entry(id);

	if (entry->prev != 0)
		corm_entry(entry->prev)->next = entry->next;
	else
		topic->first = entry->next;
	if (entry->next != 0)
		corm_entry(entry->next)->prev = entry->prev;
	else
		topic->last = entry->prev;
	topic->bytes -= entry->payload_len;
	topic->entries--;
	take_blocks(id, entry->last_block, entry->nblocks, freed);
}

/* corm_log_release notes that a group has settled an entry. */
void
corm_log_release(CormTopic *topic, CormBlockId id, int64 now, CormBlockChain *freed)
{
	CormEntry  *entry = corm_entry(id);

	Assert(entry->refs > 0);
	if (--entry->refs > 0)
		return;
	topic->waiting--;
	if (topic->settings.retention > 0)
		entry->settled_at = now;
	else
		unlink_entry(topic, id, freed);
}

/*
 * corm_log_trim frees entries at the beginning of the log that all groups have
 * settled and whose retention is over; with all, every entry that all groups have
 * settled.
 */
void
corm_log_trim(CormTopic *topic, int64 now, bool all, CormBlockChain *freed)
{
	CormBlockId id = topic->first;

	while (id != 0 && topic->entries > topic->waiting)
	{
		CormEntry  *entry = corm_entry(id);
		CormBlockId next = entry->next;

		if (entry->refs == 0 && (all || now - entry->settled_at >= topic->settings.retention))
			unlink_entry(topic, id, freed);
		else if (!all)
			break;
		id = next;
	}
}

/* corm_log_at returns the first entry whose number is seq or greater, 0 if there is none. */
CormBlockId
corm_log_at(CormTopic *topic, int64 seq)
{
	CormBlockId id = topic->last;
	CormBlockId found = 0;

	/* what is looked for is mostly near one end; most often it is the last */
	if (topic->first != 0 && seq - corm_entry(topic->first)->seq < topic->last_seq - seq)
	{
		for (id = topic->first; id != 0; id = corm_entry(id)->next)
			if (corm_entry(id)->seq >= seq)
				return id;
		return 0;
	}
	for (; id != 0 && corm_entry(id)->seq >= seq; id = corm_entry(id)->prev)
		found = id;
	return found;
}

/*
 * corm_log_seq_at_time returns the number of the first message published at or
 * after a time that is still there, the next number if there is none.
 */
int64
corm_log_seq_at_time(CormTopic *topic, TimestampTz time)
{
	for (CormBlockId id = topic->first; id != 0; id = corm_entry(id)->next)
		if (corm_entry(id)->published_at >= time)
			return corm_entry(id)->seq;
	return topic->last_seq + 1;
}

/*
 * corm_log_start_group places the cursor of a group that has none, on the first
 * message with that number or a greater one.
 */
void
corm_log_start_group(CormTopic *topic, CormGroup *group, int64 next_seq)
{
	if (topic->settings.durable)
	{
		group->next_seq = Min(Max(next_seq, topic->first_seq), topic->last_seq + 1);
		group->unsettled += topic->last_seq + 1 - group->next_seq;
		return;
	}
	group->next_seq = Min(Max(next_seq, 1), topic->last_seq + 1);
	group->next_entry = corm_log_at(topic, group->next_seq);
	for (CormBlockId id = group->next_entry; id != 0; id = corm_entry(id)->next)
	{
		if (corm_entry(id)->refs++ == 0)
			topic->waiting++;
		group->unsettled++;
	}
}

/* corm_log_end_group frees what a group holds: its deliveries, and its part in the entries. */
void
corm_log_end_group(CormTopic *topic, CormGroup *group, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();

	while (group->next_entry != 0)
	{
		CormBlockId id = group->next_entry;
		CormBlockId ignore;

		group->next_entry = corm_entry(id)->next;
		if (corm_entry(id)->seq >= group->rescan_until ||
			corm_delivery_find(group, corm_entry(id)->seq, &ignore) == NULL)
			corm_log_release(topic, id, now, freed);
	}
	for (int b = 0; b < CORM_DELIVERY_BUCKETS; b++)
	{
		while (group->bucket[b] != 0)
		{
			CormBlockId id = group->bucket[b];
			CormDelivery *delivery = corm_delivery(id);

			group->bucket[b] = delivery->hash_next;
			if (delivery->entry != 0)
				corm_log_release(topic, delivery->entry, now, freed);
			delivery->group_gen = 0;
			take_blocks(id, id, 1, freed);
		}
	}
}

/* corm_log_free_all frees all entries of a topic whose groups are gone. */
void
corm_log_free_all(CormTopic *topic, CormBlockChain *freed)
{
	while (topic->first != 0)
		unlink_entry(topic, topic->first, freed);
	topic->waiting = 0;
	topic->bytes = 0;
	Assert(topic->entries == 0);
	while (topic->dedup_first != 0)
	{
		CormBlockId id = topic->dedup_first;

		topic->dedup_first = corm_dedup(id)->next;
		take_blocks(id, id, 1, freed);
	}
}

/*
 * drop gives up a group's oldest message that nobody holds: that of a delivery, or the one at
 * the cursor if id is 0.
 */
static void
drop(CormTopic *topic, CormGroup *group, CormBlockId id, int64 now, CormBlockChain *freed)
{
	if (id != 0)
		corm_group_settle(topic, group, id, now, freed);
	else
		corm_group_settle_at_cursor(topic, group, now, freed);
	group->lost++;
}

/*
 * drop_oldest drops the oldest message, which no transaction or client holds, of a group
 * that has more than it may.  Returns false if it has not, or there is none.
 */
static bool
drop_oldest(CormTopic *topic, CormGroup *group, int64 now, CormBlockChain *freed)
{
	CormBlockId id;

	if (group->unsettled <= corm_group_capacity(topic, group))
		return false;
	/* what a lease has run out on is in nobody's hand; after its last attempt it is gone */
	corm_group_promote(topic, group, now, freed);
	if (group->unsettled <= corm_group_capacity(topic, group) || corm_group_oldest_free(topic, group, &id) == PG_INT64_MAX)
		return false;
	drop(topic, group, id, now, freed);
	return true;
}

/* oldest_unsettled returns the smallest number that some group has not settled, the next one if there is none. */
static int64
oldest_unsettled(CormTopic *topic)
{
	int64		seq = topic->last_seq + 1;

	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		if (corm_group_slots[g].unsettled > 0)
			seq = Min(seq, corm_group_oldest(topic, &corm_group_slots[g]));
	return seq;
}

/* corm_log_bytes returns how many bytes of payloads count against the max_bytes of a topic. */
int64
corm_log_bytes(CormTopic *topic)
{
	int64		oldest;

	if (!topic->settings.durable)
		return topic->bytes;
	oldest = oldest_unsettled(topic);
	return oldest > topic->last_seq ? 0 : topic->last_bytes - topic->marks.mark[corm_marks_before(&topic->marks, oldest)].bytes;
}

/* corm_log_least_bytes returns how many bytes count at least: what is before the next mark may be settled. */
int64
corm_log_least_bytes(CormTopic *topic)
{
	int64		oldest = oldest_unsettled(topic);
	int			next = corm_marks_before(&topic->marks, oldest) + 1;

	return oldest > topic->last_seq || next >= topic->marks.n ? 0 : topic->last_bytes - topic->marks.mark[next].bytes;
}

/*
 * corm_log_count_bytes finds out how many bytes a durable topic keeps: from the oldest
 * message that some group has not settled on.  Between two counts, what is settled still
 * counts, because to find the oldest takes a look at every group.  So it must be called
 * when an older message is not settled any more.
 */
void
corm_log_count_bytes(CormTopic *topic)
{
	if (topic->settings.durable)
		topic->bytes = corm_log_bytes(topic);
}

/* corm_log_mark notes that the messages of a durable topic up to a number have so many bytes, if that is worth a mark. */
void
corm_log_mark(CormTopic *topic, int64 seq, int64 bytes)
{
	CormByteMarks *marks = &topic->marks;
	const CormByteMark *last = &marks->mark[marks->n - 1];

	/* transactions can come here in another order than that of their numbers */
	if (seq <= last->seq ||
		bytes - last->bytes < corm_marks_stride(marks, bytes, topic->settings.max_bytes))
		return;
	if (corm_marks_full(marks))
		corm_marks_thin(marks, oldest_unsettled(topic), topic->settings.max_bytes);
	corm_marks_add(marks, seq, bytes);
}

/* too_many_bytes tells whether a topic with drop_oldest keeps more bytes than it may. */
static bool
too_many_bytes(CormTopic *topic)
{
	if (topic->settings.max_bytes == 0 || topic->bytes <= topic->settings.max_bytes)
		return false;
	corm_log_count_bytes(topic);
	return topic->bytes > topic->settings.max_bytes;
}

/*
 * drop_from_all drops a message from each group in which it is the oldest that nobody holds.
 * Returns the oldest message that nobody holds in any group after that, at most the last
 * message of the topic.
 */
static int64
drop_from_all(CormTopic *topic, int64 seq, int64 now, CormBlockChain *freed)
{
	int64		oldest = topic->last_seq;

	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
	{
		CormGroup  *group = &corm_group_slots[g];
		CormBlockId id;
		int64		next = corm_group_oldest_free(topic, group, &id);

		if (next == seq)
		{
			drop(topic, group, id, now, freed);
			next = corm_group_oldest_free(topic, group, &id);
		}
		oldest = Min(oldest, next);
	}
	return oldest;
}

/*
 * drop_bytes gives up the oldest messages of all groups until a topic keeps no more bytes
 * than it may.  The last message stays.  Where only the oldest one counts, because it is
 * durable, and somebody has it in hand, nothing can make way.
 *
 * Each message that makes way costs a look at each group, however much waits there.
 */
static void
drop_bytes(CormTopic *topic, int64 now, CormBlockChain *freed)
{
	int64		oldest;

	if (!too_many_bytes(topic))
		return;
	corm_groups_promote(topic, now, freed);
	/* a number that no message has drops nothing */
	oldest = drop_from_all(topic, 0, now, freed);
	for (;;)
	{
		/* what is kept for the retention only makes way first */
		corm_log_trim(topic, now, true, freed);
		if (!too_many_bytes(topic) || oldest == topic->last_seq ||
			(topic->settings.durable && oldest > oldest_unsettled(topic)))
			break;
		oldest = drop_from_all(topic, oldest, now, freed);
	}
}

/*
 * appended lets all groups know of the last n messages, which have just been added,
 * and wakes receivers.  Where the oldest are dropped, n is 1: what makes way is
 * decided for each message.
 */
static void
appended(CormTopic *topic, int64 n, int64 now, CormBlockChain *freed)
{
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
	{
		CormGroup  *group = &corm_group_slots[g];

		group->unsettled += n;
		if (topic->settings.overflow == CORM_OVERFLOW_DROP_OLDEST)
			while (drop_oldest(topic, group, now, freed))
				 /* once more */ ;
		for (int i = 0; i < n && n <= MAX_SIGNALS; i++)
			ConditionVariableSignal(&group->arrivals);
		if (n > MAX_SIGNALS)
			ConditionVariableBroadcast(&group->arrivals);
	}
}

/* count_groups counts the groups of a topic. */
static int
count_groups(const CormTopic *topic)
{
	int			n = 0;

	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		n++;
	return n;
}

/* meet_entry places the cursors of groups that have met all messages before it on an entry. */
static void
meet_entry(CormTopic *topic, CormBlockId id)
{
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
	{
		CormGroup  *group = &corm_group_slots[g];

		if (group->next_entry == 0)
		{
			group->next_entry = id;
			group->next_seq = corm_entry(id)->seq;
		}
	}
}

/*
 * corm_log_append adds messages, whose blocks the process holds, to the log of a
 * memory topic and gives them the next numbers.  They are linked by their next.
 */
void
corm_log_append(CormTopic *topic, CormBlockId first, int64 now, TimestampTz real, CormBlockChain *freed)
{
	int			ngroups = count_groups(topic);
	bool		one_by_one = topic->settings.overflow == CORM_OVERFLOW_DROP_OLDEST;
	int64		n = 0;
	CormBlockId next;

	for (CormBlockId id = first; id != 0; id = next)
	{
		CormEntry  *entry = corm_entry(id);

		next = entry->next;
		corm_blocks_linked(&corm_work_blocks, entry->nblocks);
		entry->seq = ++topic->last_seq;
		entry->published_at = real;
		entry->settled_at = now;
		entry->refs = ngroups;
		entry->prev = topic->last;
		entry->next = 0;
		if (topic->last != 0)
			corm_entry(topic->last)->next = id;
		else
			topic->first = id;
		topic->last = id;
		topic->bytes += entry->payload_len;
		topic->entries++;
		if (ngroups > 0)
		{
			topic->waiting++;
			if (one_by_one || n == 0)
				meet_entry(topic, id);
			if (one_by_one)
			{
				appended(topic, 1, now, freed);
				drop_bytes(topic, now, freed);
			}
			n++;
		}
		else if (topic->settings.retention == 0)
			unlink_entry(topic, id, freed);
	}
	if (n > 0 && !one_by_one)
		appended(topic, n, now, freed);
}

/*
 * corm_log_read copies a message of a memory topic to a take, which has room for it.
 */
void
corm_log_read(CormTake *take, const CormEntry *entry, CormBlockId delivery, int32 attempt, bool exhausted)
{
	CormTaken  *taken = (CormTaken *) (take->buf + take->used);
	Size		len = Max(entry->key_len, 0) + Max(entry->headers_len, 0) + entry->payload_len;
	CormWorkCursor cursor;

	taken->seq = entry->seq;
	taken->delivery = delivery;
	taken->attempt = attempt;
	taken->exhausted = exhausted;
	taken->filtered = taken->failed = taken->lose = false;
	taken->published_at = entry->published_at;
	taken->type = entry->type;
	taken->key_len = entry->key_len;
	taken->headers_len = entry->headers_len;
	taken->payload_len = entry->payload_len;
	cursor.block = (CormBlockId) (((const char *) entry - corm_work_blocks.base) / CORM_BLOCK_SIZE);
	cursor.offset = sizeof(CormEntry) - sizeof(CormBlockId);
	corm_work_read(&cursor, (char *) taken + sizeof(CormTaken), len);
	take->used += CORM_TAKEN_SIZE(taken);
	take->n++;
}

/*
 * corm_log_advance makes the messages of a durable topic up to a number those of its
 * groups: their transactions have committed.  Up to it the payloads have so many bytes.
 */
void
corm_log_advance(CormTopic *topic, int64 to, int64 bytes, int64 now, CormBlockChain *freed)
{
	bool		one_by_one = topic->settings.overflow == CORM_OVERFLOW_DROP_OLDEST;
	int64		step = one_by_one ? 1 : to - topic->last_seq;

	if (topic->last_seq >= to)
		return;
	topic->bytes += bytes - topic->last_bytes;
	topic->last_bytes = bytes;
	while (topic->last_seq < to)
	{
		topic->last_seq += step;
		topic->since += step;
		appended(topic, step, now, freed);
	}
	if (one_by_one)
		drop_bytes(topic, now, freed);
}
