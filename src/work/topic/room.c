/*-------------------------------------------------------------------------
 *
 * room.c
 *		Room for messages in a topic.
 *
 * Room is taken when a message is published, and used at commit, so that a full topic is an error of
 * the call, or makes it wait.  It is counted for the topic, not for each group: `reserved` messages
 * will come, and all groups get them.
 *
 * A session knows what it has reserved and has in hand itself.  For what only that keeps full, it would
 * wait in vain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#include "work/shared/memory.h"
#include "work/topic/dedup.h"
#include "work/topic/log.h"
#include "work/topic/receive.h"
#include "work/topic/room.h"

/* A look at a topic that was interrupted by nothing is repeated after this time. */
#define LOOK_AGAIN_MS	1000

/* What transactions of this session have reserved in a topic, by slot. */
typedef struct OwnReserved
{
	uint64		gen;
	int64		n;
	int64		bytes;
} OwnReserved;

static OwnReserved *own_reserved = NULL;

/* corm_room_prepare gets the memory for that, so that nothing needs to be allocated with a lock. */
void
corm_room_prepare(void)
{
	if (own_reserved == NULL)
		own_reserved = MemoryContextAllocZero(TopMemoryContext, corm_max_topics * sizeof(OwnReserved));
}

/* own returns what this transaction has reserved in a topic. */
static OwnReserved *
own(int slot, uint64 gen)
{
	static OwnReserved nothing;

	if (own_reserved == NULL)
		return &nothing;
	if (own_reserved[slot].gen != gen)
	{
		own_reserved[slot].gen = gen;
		own_reserved[slot].n = own_reserved[slot].bytes = 0;
	}
	return &own_reserved[slot];
}

/* corm_room_take takes room that there is.  Needs the topic's lock. */
void
corm_room_take(CormTopic *topic, CormRoom *room)
{
	topic->reserved += room->n;
	topic->reserved_bytes += room->bytes;
	own(room->slot, room->gen)->n += room->n;
	own(room->slot, room->gen)->bytes += room->bytes;
	room->reserved = true;
}

/* corm_room_give gives back room that was taken.  Needs the topic's lock. */
void
corm_room_give(CormTopic *topic, CormRoom *room)
{
	if (!room->reserved)
		return;
	topic->reserved -= room->n;
	topic->reserved_bytes -= room->bytes;
	own(room->slot, room->gen)->n -= room->n;
	own(room->slot, room->gen)->bytes -= room->bytes;
	room->reserved = false;
}

/*
 * all_mine tells whether only what this transaction has published or has in hand keeps a
 * topic full, so that waiting cannot help.
 */
static bool
all_mine(CormTopic *topic, const CormRoom *room)
{
	if (topic->reserved != own(room->slot, room->gen)->n)
		return false;
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
		if (corm_group_slots[g].unsettled != corm_in_hand_of(g, corm_group_slots[g].gen))
			return false;
	return true;
}

/*
 * look_for_room tells whether a topic has room for the messages that want it, and if
 * not, which group it is full for (NULL: it is the bytes).  What nobody else can make
 * room for is said at once, not after a wait for another limit.  Needs the topic's lock.
 */
static CormRoomFound
look_for_room(CormTopic *topic, const CormRoom *room, const CormGroup **full)
{
	const OwnReserved *mine = own(room->slot, room->gen);
	int64		max_bytes = topic->settings.max_bytes;

	*full = NULL;
	if (topic->settings.overflow == CORM_OVERFLOW_DROP_OLDEST)
		return CORM_ROOM_FREE;
	if (max_bytes > 0 && room->bytes + mine->bytes > max_bytes)
		return CORM_ROOM_NEVER;
	for (int g = topic->first_group; g >= 0; g = corm_group_slots[g].next)
	{
		CormGroup  *group = &corm_group_slots[g];
		int32		capacity = corm_group_capacity(topic, group);

		if (group->creating || group->unsettled + topic->reserved + room->n <= capacity)
			continue;
		*full = group;
		if (room->n + mine->n + corm_in_hand_of(g, group->gen) > capacity)
			return CORM_ROOM_NEVER;
	}
	if (*full != NULL || (max_bytes > 0 && topic->bytes + topic->reserved_bytes + room->bytes > max_bytes))
		return CORM_ROOM_LATER;
	return CORM_ROOM_FREE;
}

/* corm_room_make looks for room, and makes some if there is none.  Needs the topic's lock. */
CormRoomFound
corm_room_make(CormTopic *topic, const CormRoom *room, const CormGroup **full, CormBlockChain *freed)
{
	int64		now = corm_clock_mono();
	CormRoomFound found = look_for_room(topic, room, full);

	if (found == CORM_ROOM_FREE)
		return found;
	/* messages can be lost when a lease is over */
	corm_groups_promote(topic, now, freed);
	corm_log_count_bytes(topic);
	found = look_for_room(topic, room, full);
	if (found != CORM_ROOM_LATER || *full != NULL)
		return found;
	/* what is kept for the retention only makes way */
	corm_log_trim(topic, now, true, freed);
	corm_log_count_bytes(topic);
	found = look_for_room(topic, room, full);
	return found == CORM_ROOM_LATER && all_mine(topic, room) ? CORM_ROOM_NEVER : found;
}

/* corm_room_error raises the error of a topic that is full. */
void
corm_room_error(const CormTopicRef *ref, const char *group, bool own_only)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 group != NULL ?
			 errmsg("topic \"%s\" is full for group \"%s\"", NameStr(ref->name), group) :
			 errmsg("topic \"%s\" is full", NameStr(ref->name)),
			 group == NULL ? errdetail("It keeps as many bytes as its max_bytes says.") :
			 own_only ? errdetail("Only messages of this transaction are in the way.") : 0));
}

/* corm_room_sleep sleeps until a topic may have room; the first time it only asks to be woken, so that the caller looks again. */
void
corm_room_sleep(CormTopic *topic, bool *sleeping)
{
	static uint32 wait_event = 0;

	if (wait_event == 0)
		wait_event = corm_wait_event_new("CormTopicRoom");
	if (*sleeping)
		(void) ConditionVariableTimedSleep(&topic->room, LOOK_AGAIN_MS, wait_event);
	else
		ConditionVariablePrepareToSleep(&topic->room);
	*sleeping = true;
}

/*
 * corm_room_wait waits until a topic may have room for a message of so many bytes that a
 * worker is going to publish.  The worker does not know what this transaction has
 * published and has in hand, for which it would wait in vain.  A duplicate needs no room.
 */
void
corm_room_wait(CormTopicRef *ref, int64 bytes, const char *dedup_id)
{
	CormRoom	wanted = {0};
	CormTopic  *topic;
	uint64		hash[2];
	bool		sleeping = false;

	corm_room_prepare();
	corm_topic_attach(ref);
	topic = corm_topic_at(ref->slot);
	wanted.slot = ref->slot;
	wanted.gen = ref->gen;
	wanted.n = 1;
	wanted.bytes = bytes;
	if (dedup_id != NULL)
		corm_dedup_hash(dedup_id, hash);
	for (;;)
	{
		CormBlockChain freed = {0};
		const CormGroup *full = NULL;
		NameData	group_name;
		CormRoomFound found = CORM_ROOM_FREE;
		bool		waits;

		if (!corm_topic_lock(ref->slot, ref->gen))
			corm_topic_gone(NameStr(ref->name));
		waits = !topic->settings.closed && topic->settings.overflow == CORM_OVERFLOW_BLOCK &&
			(dedup_id == NULL || corm_dedup_find(topic, hash, corm_clock_mono()) == NULL);
		if (waits)
			found = corm_room_make(topic, &wanted, &full, &freed);
		if (full != NULL)
			group_name = full->name;
		corm_topic_unlock(ref->slot);
		corm_work_give(&freed);
		if (found == CORM_ROOM_NEVER)
			corm_room_error(ref, full != NULL ? NameStr(group_name) : NULL, true);
		if (found == CORM_ROOM_FREE)
			break;
		corm_room_sleep(topic, &sleeping);
	}
	ConditionVariableCancelSleep();
}
